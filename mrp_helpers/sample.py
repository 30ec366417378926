"""Biased samples on purpose, and respondents counted into cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mrp_helpers._labels import by_list, level_key, require_same_index
from mrp_helpers._levels import resolve
from mrp_helpers._require import (
    listing,
    require_columns,
    require_counts,
    require_numbers,
    require_series,
    require_type,
    require_whole,
)
from mrp_helpers.recode import CELL

Recipe = Mapping[str, float | Mapping[Any, float]]

# What the published notebook adds up for each respondent: five times the state's Republican vote
# share, more for the old, 20 for men, a little for White respondents.
PUBLISHED_SELECTION: Recipe = {
    "repvote": 5.0,
    "age": {"18-29": 0.5, "30-39": 1.0, "40-49": 2.0, "50-59": 4.0, "60-69": 6.0, "70+": 8.0},
    "male": {0.5: 20.0},
    "eth": {"White": 1.05},
}


def selection_weights(
    respondents: pd.DataFrame, predictors: pd.DataFrame, recipe: Recipe = PUBLISHED_SELECTION
) -> pd.Series:
    """Give each respondent a weight for being selected.

    Parameters
    ----------
    respondents : pandas.DataFrame
        One row per person, with ``state`` and the columns that the recipe names.
    predictors : pandas.DataFrame
        One row per state, from `load_state_predictors`.
    recipe : mapping
        For each column either a number (times the column's value) or a mapping of levels to
        amounts (a level that is not listed adds nothing). The amounts are added up.

    Returns
    -------
    pandas.Series
        The weights, indexed as `respondents`, named ``"weight"``. Only their ratios matter.

    Raises
    ------
    KeyError
        When a column of the recipe is in neither table.
    TypeError
        When an argument is of the wrong type, such as a recipe that multiplies text.
    ValueError
        When a state has no predictors or several, when a column is in both tables or has missing
        values, when a level in the recipe occurs for nobody (it would never count), or when a
        weight is negative or missing.

    Examples
    --------
    >>> from mrp_helpers import clean_cces, load_cces, load_state_predictors, selection_weights
    >>> respondents = clean_cces(load_cces())
    >>> weights = selection_weights(respondents, load_state_predictors())
    >>> weights.groupby(respondents["male"]).mean().round(1).to_dict()
    {-0.5: 6.3, 0.5: 27.0}
    """
    require_columns(respondents, ["state"], "respondents")
    require_columns(predictors, ["state"], "predictors")
    require_type(recipe, Mapping, "recipe", "{'repvote': 5.0, 'age': {'70+': 8.0}}")
    known = set(predictors["state"])
    unknown = [state for state in respondents["state"].unique() if state not in known]
    if unknown:
        raise ValueError(f"predictors have no row for state {listing(unknown)}")
    if predictors["state"].duplicated().any():
        twice = predictors.loc[predictors["state"].duplicated(), "state"].unique()
        raise ValueError(f"predictors have more than one row for state {listing(twice)}")
    both = set(respondents.columns) & set(predictors.columns) & set(recipe) - {"state"}
    if both:
        raise ValueError(
            f"respondents and predictors both have column {listing(sorted(both))}; drop one of them"
        )
    # An index may have the name of a column.
    people, states = respondents.reset_index(drop=True), predictors.reset_index(drop=True)
    joined = people.merge(states, on="state", how="left", validate="many_to_one")
    require_columns(joined, recipe, "the table of respondents and predictors")

    weights = pd.Series(0.0, index=respondents.index, name="weight")
    for column, amount in recipe.items():
        weights += _amounts(joined[column], amount).to_numpy()
    require_counts(weights, "the selection weight")
    return weights


def _amounts(values: pd.Series, amount: float | Mapping[Any, float]) -> pd.Series:
    if values.isna().any():
        raise ValueError(f"{values.name} is missing in {values.isna().sum():,} row(s); drop those")
    if not isinstance(amount, Mapping):
        require_numbers(values, f"{values.name}, which the recipe multiplies,")
        return values * amount
    levels = set(values.unique())
    keys = {level_key(level) for level in levels}
    never = [level for level in amount if level_key(level) not in keys]
    if never:
        raise ValueError(
            f"the recipe adds weight for {values.name} = {listing(never)}, which nobody has; "
            f"the levels are {listing(sorted(levels))}"
        )
    return values.map(amount).fillna(0.0)


def draw_biased_sample(
    respondents: pd.DataFrame, weights: pd.Series, n: int = 5000, seed: int = 1000
) -> pd.DataFrame:
    """Draw respondents without replacement, the heavy ones more often.

    Parameters
    ----------
    respondents : pandas.DataFrame
        One row per person.
    weights : pandas.Series
        Selection weights with the same index, from `selection_weights`.
    n : int
        How many respondents to draw.
    seed : int
        Seed of the draw. The drawing is pandas' own, so a seed gives the same rows wherever
        pandas is used with these weights.

    Returns
    -------
    pandas.DataFrame
        `n` of the rows, in the order in which they were drawn.

    Raises
    ------
    TypeError
        When an argument is of the wrong type, such as text for weights or a fraction for `n`.
    ValueError
        When the indexes differ, when weights are missing, negative, infinite or all zero, or
        when `n` is not between 1 and the number of rows with a positive weight.

    Notes
    -----
    Drawing without replacement with unequal weights does not give inclusion probabilities
    proportional to the weights: once the heavy respondents are drawn, the light ones catch up.

    Examples
    --------
    >>> from mrp_helpers import clean_cces, draw_biased_sample, load_cces
    >>> from mrp_helpers import load_state_predictors, selection_weights
    >>> respondents = clean_cces(load_cces())
    >>> weights = selection_weights(respondents, load_state_predictors())
    >>> draw_biased_sample(respondents, weights)["abortion"].mean().round(4)
    np.float64(0.4738)
    """
    require_type(respondents, pd.DataFrame, "respondents")
    require_series(weights, "weights", "respondents")
    require_whole(n, 1, "n")
    require_whole(seed, 0, "seed")
    require_same_index(respondents, weights, "weights and respondents", "; compute them together")
    require_counts(weights, "the selection weight")
    available = int((weights > 0).sum())
    if n > available:
        raise ValueError(
            f"n = {n:,} cannot be drawn without replacement: {available:,} of "
            f"{len(respondents):,} respondents have a weight above zero"
        )
    return respondents.sample(n, weights=weights, random_state=seed)


def aggregate_cells(
    respondents: pd.DataFrame,
    by: str | Sequence[str] = CELL,
    outcome: str = "abortion",
    *,
    weight: pd.Series | None = None,
) -> pd.DataFrame:
    """Count respondents and their positive answers in each occupied cell.

    Parameters
    ----------
    respondents : pandas.DataFrame
        One row per person, with the columns `by` and the outcome (0 or 1).
    by : str or sequence of str
        The columns that define a cell.
    outcome : str
        The column of answers.
    weight : pandas.Series or None
        Weights of the respondents, with the same index, such as those of `rake`: answers are then
        counted as in the notes. Only ratios within a cell matter.

    Returns
    -------
    pandas.DataFrame
        One row per cell that has at least one respondent: the columns `by`, ``n`` (respondents)
        and the outcome (positive answers among them). A cell without respondents would add
        nothing to a binomial likelihood, so it is not listed. With weights both counts are
        effective ones and seldom whole, and a cell whose weights are all zero is not listed either.

    Raises
    ------
    KeyError
        When a column is missing.
    TypeError
        When `respondents` is not a DataFrame or `weight` not a Series of numbers, or when a column
        that defines a cell holds what cannot be its label, such as lists.
    ValueError
        Without rows or columns to count by, when a column is named twice or ``n``,
        when a cell column has missing values, when an answer is missing or neither 0 nor 1, when
        the indexes of `respondents` and `weight` differ, or weights are missing, negative,
        infinite or all zero.

    Notes
    -----
    Weights enter a multilevel model as Ghitza and Gelman (2013, American Journal of Political
    Science 57, 762-776) let them: in each cell the share of positive answers is the weighted one,
    and the cell counts for as many respondents as this share is worth, ``n`` over the design effect
    ``1 + (sd(w) / mean(w))**2`` within the cell. That number is Kish's ``sum(w)**2 / sum(w**2)``:
    as long as the weights have nothing to do with the answers, the variance of the weighted share
    is that of a share of so many respondents. Ghitza and Gelman go on to average the design
    effects, which vary a lot from one small cell to another, and use one for all cells. Here each
    cell keeps its own, so that the variance is right in cells of any size, and weights that are
    equal within a cell change nothing there.

    Weights act within cells only, and matter only if they depend on something that the model leaves
    out. Where most cells have one or two respondents, little can be weighted against anything else,
    and selection within the cells stays uncorrected. A variable that the weights were made from
    therefore belongs in the model itself wherever the frame has it, too.

    A binomial likelihood needs no whole counts, but Bambi's ``p(yes, n)`` refuses all others, with
    the words "must be a collection of integer numbers". Rounding them would change small cells
    most. The same likelihood, up to a constant, is that of weighted single answers, two rows per
    cell, as in the last example. The family is written out there because the ``"bernoulli"`` of
    Bambi 0.21 takes no weights. The frame stays as it is.

    Examples
    --------
    >>> from mrp_helpers import aggregate_cells, clean_cces, load_cces
    >>> respondents = clean_cces(load_cces())
    >>> aggregate_cells(respondents, by=["male"])
       male      n  abortion
    0  -0.5  34068     13612
    1   0.5  25742     12355
    >>> aggregate_cells(respondents, by=["male"], weight=respondents["commonweight"]).round(1)
       male        n  abortion
    0  -0.5  15899.7    6890.2
    1   0.5  11496.6    5704.0

    A model of these effective counts:

    >>> import bambi as bmb
    >>> import pandas as pd
    >>> cells = aggregate_cells(respondents, by=["male"], weight=respondents["commonweight"])
    >>> yes = cells.assign(answer=1, times=cells["abortion"])
    >>> no = cells.assign(answer=0, times=cells["n"] - cells["abortion"])
    >>> answers = pd.concat([yes, no], ignore_index=True)
    >>> likelihood = bmb.Likelihood("Bernoulli", params=["p"], parent="p")
    >>> family = bmb.Family("bernoulli", likelihood, "logit")
    >>> model = bmb.Model("weighted(answer, times) ~ male", answers, family=family)
    """
    by = by_list(by)
    require_type(outcome, str, "outcome")
    if not by or len({*by, outcome, "n"}) < len(by) + 2:
        raise ValueError(
            f"by = {by!r} with outcome {outcome!r} makes no table of cells: name at least one "
            "column, each once, and none 'n', which counts respondents; rename columns of that name"
        )
    options = {**dict.fromkeys(by, "by"), outcome: "outcome"}
    require_columns(respondents, [*by, outcome], "respondents", options)
    if respondents.empty:
        raise ValueError("respondents has no rows to count")
    for column in by:
        if respondents[column].isna().any():
            raise ValueError(f"respondents: column {column!r} has missing values; drop those rows")
        resolve(respondents[column], "respondents")  # refuses what cannot be a label
    table = respondents[by].assign(n=1)
    table[outcome] = _answers(respondents[outcome], outcome)
    table = table.reset_index(drop=True)  # the index may have the name of a column
    if weight is not None:
        require_series(weight, "weight", "respondents")
        require_same_index(respondents, weight, "respondents and weight")
        require_counts(weight, "weight")
        return _effective_counts(table, by, outcome, weight.to_numpy("float64"))
    return table.groupby(by, observed=True)[["n", outcome]].sum().reset_index()


def _answers(answers: pd.Series, outcome: str) -> pd.Series:
    """Give answers as whole numbers, whatever type of column holds them."""
    if answers.isna().any():
        raise ValueError(
            f"respondents: column {outcome!r} is missing in {answers.isna().sum():,} row(s); drop "
            "those who gave no answer"
        )
    if not answers.isin([0, 1]).all():
        found = answers.drop_duplicates()
        raise ValueError(
            f"respondents: column {outcome!r} holds something other than 0 and 1; its values are "
            f"{listing(found, most=5)}: count one answer against all others, such as "
            f"(respondents[{outcome!r}] == {listing(found[:1])}).astype(int)"
        )
    return answers.astype("int64")


def _effective_counts(
    table: pd.DataFrame, by: list[str], outcome: str, weight: np.ndarray
) -> pd.DataFrame:
    """Count answers as Kish's effective number, and the positive ones as their weighted share."""
    # Divided by the largest in its cell, no weight is so large that its square overflows.
    largest = table[by].assign(n=weight).groupby(by, observed=True)["n"].transform("max")
    weight, weighted = weight[largest > 0], table[largest > 0].copy()
    weight = weight / largest[largest > 0].to_numpy()
    weighted[outcome] *= weight
    weighted["n"] = weight
    groups = weighted.groupby(by, observed=True)
    cells = groups[["n", outcome]].sum()
    share = cells[outcome] / cells["n"]
    cells["n"] = (
        cells["n"] ** 2 / weighted.assign(n=weight**2).groupby(by, observed=True)["n"].sum()
    )
    cells[outcome] = share * cells["n"]
    return cells.reset_index()
