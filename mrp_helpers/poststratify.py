"""Draws of any aggregate from a fitted Bambi model and a frame.

Every aggregate is the same sum over cells, ``sum of P(cell) x E[Y | cell]``, one sum per draw. The
model supplies ``E[Y | cell]``, the frame supplies ``P(cell)``. At the door a frame becomes integer
codes, numbers and weights; behind it nobody compares a level again. Cells are taken in blocks and
only group totals are kept, so that memory does not grow with the frame.
"""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse

from mrp_helpers._aliases import with_aliases
from mrp_helpers._bambi import Regression, regression
from mrp_helpers._compatible import Cells, NewLevels, check_draws, check_frame, check_population
from mrp_helpers._effects import blocks
from mrp_helpers._families import FAMILIES, arguments
from mrp_helpers._labels import DRAWS, ESTIMATES, by_list, level_key, require_free_names
from mrp_helpers._outcomes import Outcomes
from mrp_helpers._require import listing, require_columns, require_type, require_whole

_BLOCK_VALUES = 2_000_000  # cells x draws held at once by default: 16 MB an array


def poststratify_draws(
    model: bmb.Model,
    draws: xr.DataTree,
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    scores: Mapping[Any, float] | pd.Series | None = None,
    population: str | xr.DataArray = "n",
    new_levels: NewLevels = "error",
    random_seed: int | None = None,
    block: int | None = None,
) -> xr.DataArray:
    """Post-stratify a fitted model to a frame, draw by draw.

    Parameters
    ----------
    model : bambi.Model
        A model of common terms, offsets, group-specific intercepts and slopes, in any family that
        has a mean, or whose outcome has levels: categorical, cumulative, stopping ratio,
        multinomial and Dirichlet-multinomial. Other parameters of the family may have formulas too.
    draws : xarray.DataTree
        The draws of that model, from `fit_or_load` or ``model.fit``.
    frame : pandas.DataFrame
        One row per cell: every predictor of the model, the columns `by` and the population.
    by : str, sequence of str or None
        Columns that define the groups to estimate; None for the whole population. They may not be
        named like columns of the result of `poststratify` or like ``group``, ``sample``, ``chain``
        or ``draw``.
    scores : mapping or pandas.Series or None
        For an outcome with levels, one number for each of them: the result is then the mean score
        and not the share of each level.
    population : str or xarray.DataArray
        The column with the number of people in each cell; or, where these numbers are estimated
        too, draws of them: the dimension ``sample`` and one that runs over the frame's rows, in
        their order. The first of these draws goes with the first of `draws`, and so on.
    new_levels : {"error", "population"}
        What to do when a group-specific term meets a level that the model never saw: name it and
        stop, or draw its effect from the term's fitted normal distribution, one for each draw
        and level. A level that differs from a known one in case, spaces or leading zeros only is
        a known one that is spelled wrongly, and is refused; so is a frame without any known level.
    random_seed : int or None
        Seed of those new effects; of no consequence otherwise. An effect hangs on the seed, the
        term and the level: other levels, terms and rows do not change it.
    block : int or None
        How many cells to hold at once; by default as many as make arrays of 16 MB.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(group, sample)``: the expected outcome in each group, on the scale of the
        response (a share, 0-1, for binary outcomes and counts out of n). ``sample`` indexes
        ``(chain, draw)``; ``group`` holds the sorted levels of `by` (a MultiIndex when there are
        several) and has a coordinate ``population``, the mean over the draws where it varies.
        For an outcome with levels, and without `scores`, ``(group, outcome, sample)``: the share of
        each level, 0-1, which sum to one in each group and draw. ``outcome`` holds the levels in
        the model's own order.

    Raises
    ------
    KeyError
        When the frame lacks a column.
    TypeError
        When scores are no mapping, when the population is not numeric, when a predictor's values
        are of another kind than those of the model's data (text, numbers, booleans), or when
        something else is of another type.
    ValueError
        When the frame is empty or lists a cell twice; when `by` has a name of the result's own or
        a group has none; when a predictor is missing or infinite in
        a cell or has a level that the model never saw; when the population is missing, negative,
        infinite or zero in total; when draws of it are of another number or order than the
        frame's rows or the model's draws; when the draws belong to another model or are not
        finite; when scores are not one finite number for each level, or the outcome has no levels.
    NotImplementedError
        When the model has a term, a family, an outcome or a call in its formula that this function
        does not compute, or that Bambi samples otherwise than the formula says; the message names
        it.

    Notes
    -----
    A level of the frame is that of the survey when both are of one kind and equal within it: a
    category, a nullable or an Arrow value counts as what it holds, 1 as 1.0, and floats of
    different widths are compared in the lower precision. A boolean is not a number.

    The mean of a censored outcome is that of the values without censoring, and the mean of a
    weighted one that of the population which the weights stand for. A transformed outcome, such as
    ``log(y)``, stays transformed. Outcomes with bounds, truncated or constrained, are refused.

    A call in the formula must give a row the same value whatever rows are beside it, for a frame
    has other rows than the survey: ``scale(x)`` does, since it remembers the survey's mean, and
    ``I(x - np.mean(x))`` does not.

    The share of a level is that of the people who are at it: in a categorical model the softmax of
    its linear predictors, in a cumulative one the difference of two probabilities. A new level of a
    group-specific term gets an effect for each level of the outcome, independent of each other, as
    the model has them.

    The intercept must be the one that ``model.fit`` reports. In ``model.prior_predictive`` Bambi
    leaves it as it samples it, at the mean of the predictors, so prior draws do not belong here.

    Draws of the population carry its uncertainty into the result. Where they come from a model
    of other data, they are independent of `draws`, and any order pairs them rightly; where both
    come from one fit, the order is that of the fit.

    Examples
    --------
    >>> import bambi as bmb
    >>> from mrp_helpers import fit_or_load, load_heart_transplants, poststratify_draws
    >>> patients = load_heart_transplants()
    >>> model = bmb.Model("death ~ treatment", patients)
    >>> draws = fit_or_load(model, "heart-naive")  # doctest: +ELLIPSIS
    heart-naive: ...
    >>> frame = patients.value_counts("treatment").rename("n").reset_index()
    >>> poststratify_draws(model, draws, frame).mean().round(1).item()
    0.5

    Suppose that nobody counted the patients, and that the shares were estimated:

    >>> import numpy as np
    >>> import xarray as xr
    >>> treated = np.random.default_rng(1).beta(13, 7, size=4000)
    >>> shares = xr.DataArray(np.stack([1 - treated, treated]), dims=("row", "sample"))
    >>> frame = frame.sort_values("treatment")[["treatment"]]
    >>> poststratify_draws(model, draws, frame, population=shares).mean().round(1).item()
    0.5
    """
    if block is not None:
        require_whole(block, 1, "block")
    if random_seed is not None:
        require_whole(random_seed, 0, "random_seed")
    if new_levels not in ("error", "population"):
        raise ValueError(f"new_levels is {new_levels!r}; choose 'error' or 'population'")
    require_type(model, bmb.Model, "model")
    parts = regression(model)
    weights = _weights_of_levels(scores, parts)
    require_type(draws, xr.DataTree, "draws")
    draws = with_aliases(parts.aliases, draws)
    check_draws(model, parts, draws)
    posterior = draws["posterior"].to_dataset()
    _refuse_centred_intercept(parts, posterior)
    cells = check_frame(parts, frame, population)
    samples = posterior.sizes["chain"] * posterior.sizes["draw"]
    number = max(1, len(parts.levels))
    size = block or max(1, _BLOCK_VALUES // (number * samples))
    if isinstance(population, xr.DataArray):
        check_population(population, frame, samples)
    between = {"outcome": parts.levels} if parts.levels and weights is None else {}
    groups = _Groups(frame, by, population, size, reserved=between)
    asked = FAMILIES[parts.family].expected
    outcomes = Outcomes(parts, cells, posterior, arguments(asked), new_levels, random_seed)

    totals = np.zeros((number, groups.number, samples))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # refused below
        for rows, values in outcomes.blocks(groups.order, size, asked):
            for total, one in zip(totals, values, strict=True):
                groups.add(total, rows, one)
    totals /= groups.population
    _require_finite(totals, groups.index)
    if weights is not None:
        totals = np.tensordot(weights, totals, axes=1)[None]
    return groups.label(totals, between, posterior)


def poststratify(
    model: bmb.Model,
    draws: xr.DataTree,
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    scores: Mapping[Any, float] | pd.Series | None = None,
    population: str | xr.DataArray = "n",
    new_levels: NewLevels = "error",
    random_seed: int | None = None,
    block: int | None = None,
    prob: float = 0.95,
) -> pd.DataFrame:
    """Post-stratify a fitted model to a frame and summarise each group.

    Parameters
    ----------
    model, draws, frame, by, scores, population, new_levels, random_seed, block
        As in `poststratify_draws`.
    prob : float
        Probability of the central interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row a group, sorted: the columns `by`, ``estimate`` (mean of the draws), ``sd``,
        ``lower`` and ``upper`` (equal-tailed interval of the draws) and ``population``. For an
        outcome with levels, one row for each group and level: the column ``outcome``, after `by`,
        is a category in the model's order, and ``population`` is that of the group.

    Raises
    ------
    ValueError
        When `prob` is not between 0 and 1; otherwise as in `poststratify_draws`.

    Examples
    --------
    >>> import bambi as bmb
    >>> from mrp_helpers import fit_or_load, load_heart_transplants, poststratify
    >>> patients = load_heart_transplants()
    >>> model = bmb.Model("death ~ treatment", patients)
    >>> draws = fit_or_load(model, "heart-naive")  # doctest: +ELLIPSIS
    heart-naive: ...
    >>> frame = patients.value_counts("treatment").rename("n").reset_index()
    >>> poststratify(model, draws, frame, by="treatment")[["treatment", "population"]]
       treatment  population
    0          0           7
    1          1          13
    """
    if not isinstance(prob, Real) or not 0 < prob < 1:
        raise ValueError(f"prob is {prob!r}; it is a probability between 0 and 1, such as 0.95")
    estimated = poststratify_draws(
        model,
        draws,
        frame,
        by,
        scores=scores,
        population=population,
        new_levels=new_levels,
        random_seed=random_seed,
        block=block,
    )
    values = estimated.to_numpy().reshape(-1, estimated.sizes["sample"])
    lower, upper = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
    rows = _rows_of_table(estimated, by_list(by))
    summary = {
        "estimate": values.mean(axis=1),
        "sd": values.std(axis=1, ddof=1),
        "lower": lower,
        "upper": upper,
        "population": np.repeat(estimated["population"].to_numpy(), len(rows) // len(estimated)),
    }
    return rows.assign(**summary)


def _rows_of_table(estimated: xr.DataArray, by: list[str]) -> pd.DataFrame:
    """What each row of a table of estimates is about: a group and, where it has any, a level."""
    labels: pd.DataFrame = estimated.indexes["group"].to_frame(index=False)
    labels.columns = by or labels.columns
    between = estimated.dims[1:-1]
    repeats = estimated[0].size // estimated.sizes["sample"]
    rows = labels[by].loc[np.repeat(labels.index, repeats)].reset_index(drop=True)
    for name in between:
        levels = estimated.indexes[str(name)]
        # A category, so that tables keep the model's order.
        rows[str(name)] = pd.Categorical(np.tile(levels, len(labels)), categories=levels)
    return rows


def _weights_of_levels(
    scores: Mapping[Any, float] | pd.Series | None, parts: Regression
) -> np.ndarray | None:
    """The score of each level of the outcome, in the model's order."""
    if scores is None:
        return None
    if not isinstance(scores, Mapping | pd.Series):
        raise TypeError(
            f"scores is of type {type(scores).__name__}; pass a dict, or a Series indexed by the "
            "levels of the outcome"
        )
    if not parts.levels:
        raise ValueError(
            f"scores belong to an outcome with levels, and the family {parts.family!r} has a mean "
            "of its own; leave scores out"
        )
    given_levels = list(scores.keys())
    given = {level_key(level): score for level, score in scores.items()}
    known = {level_key(level) for level in parts.levels}
    missing = [level for level in parts.levels if level_key(level) not in given]
    unknown = [level for level in given_levels if level_key(level) not in known]
    if missing or unknown or len(given) < len(scores):
        twice = "; a level is listed twice" if len(given) < len(scores) else ""
        raise ValueError(
            f"scores name {listing(given_levels)}, and the levels of the outcome are "
            f"{listing(parts.levels)}{twice}; give each of them one number"
        )
    for level, score in scores.items():
        number = isinstance(score, Real) and not isinstance(score, bool | np.bool_)
        if not number or not np.isfinite(float(score)):
            raise ValueError(f"scores: level {level!r} has {score!r}; give it a finite number")
    return np.array([float(given[level_key(level)]) for level in parts.levels])


def _require_finite(totals: np.ndarray, groups: pd.Index) -> None:
    """Refuse what an inverse link makes of a linear predictor for which it has no value."""
    finite = np.isfinite(totals).all(axis=0)
    wrong = ~finite.all(axis=1)
    if wrong.any():
        raise ValueError(
            f"the mean of group {listing(groups[wrong], most=3)} is not a finite number in "
            f"{(~finite[wrong][0]).sum()} draw(s): the model's link has no inverse "
            "there. Look for values of the frame's predictors beyond those of the model's data, or "
            "choose a link that is defined for every number"
        )


def _refuse_centred_intercept(parts: Regression, posterior: xr.Dataset) -> None:
    """Compare draws of the parameters in each row, where there are any, with what effects add to.

    Bambi samples the intercept at the mean of the predictors, and `model.fit` moves it to zero
    afterwards. Draws of PyMC itself hold the one that was sampled, beside the means.
    """
    few = posterior.isel(draw=slice(0, 5))
    rows = Cells(parts.data, parts.data.head(3))
    for name, predictor in parts.predictors.items():
        if predictor.mean not in few:
            continue
        expected = FAMILIES[parts.family].expected
        # What Bambi calls by the name of a parameter without a link of its own are the shares.
        whole = predictor is parts.parent and "eta" in arguments(expected)
        names = arguments(expected) if whole else [name]
        asked = expected if whole else lambda **values: next(iter(values.values()))
        outcomes = Outcomes(parts, rows, few, names)
        ((_, found),) = outcomes.blocks(np.arange(len(rows)), len(rows), asked)
        kept = few[predictor.mean].isel(__obs__=slice(0, 3))
        kept = kept.transpose("__obs__", ..., "chain", "draw")
        stored = kept.to_numpy().reshape(len(rows), len(found), -1).swapaxes(0, 1)
        if not np.allclose(found, stored, rtol=1e-3, atol=1e-6):
            raise ValueError(
                f"the draws of {predictor.mean!r} are not what the draws of the effects add up to: "
                "the intercept may be the one at the mean of the predictors, which PyMC samples; "
                "pass what model.fit returned"
            )


class _Groups:
    """Which group each cell belongs to, and how many people it brings, for all draws or each."""

    def __init__(
        self,
        frame: pd.DataFrame,
        by: str | Sequence[str] | None,
        population: str | xr.DataArray,
        size: int,
        reserved: Iterable[str] = (),
    ):
        columns = by_list(by)
        require_columns(frame, columns, "frame")
        require_free_names(columns, [*ESTIMATES, *DRAWS, *reserved], "frame")
        for column in columns:
            if frame[column].isna().any():
                raise ValueError(f"frame: column {column!r} has missing values; name every group")
        if columns:
            try:
                # The index may have the name of a column.
                labels = frame[columns].reset_index(drop=True)
                grouped = labels.groupby(columns, observed=True)
                codes, self.index = grouped.ngroup().to_numpy(), grouped.size().index
            except TypeError as error:  # lists
                raise TypeError(
                    f"frame: {listing(columns)} hold what cannot name a group ({error}); recode it"
                ) from error
        else:
            codes, self.index = np.zeros(len(frame), dtype=int), pd.Index(["all"])
        self.number = len(self.index)
        # Cells of a group are side by side, so that a block of cells adds to few groups.
        self.order = np.argsort(codes, kind="stable")
        self._codes = codes[self.order]
        if isinstance(population, xr.DataArray):
            self._people = population.transpose(..., "sample").to_numpy()
            whole, source = False, "draws of the population"
        else:
            self._people = frame[population].to_numpy(dtype="float64")[:, None]
            whole, source = pd.api.types.is_integer_dtype(frame[population]), repr(population)
        self._population_type = "int64" if whole else "float64"
        # One column, or one a draw.
        self.population = np.zeros((self.number, self._people.shape[1]))
        for rows in blocks(len(frame), size):
            self.add(self.population, rows, np.ones((rows.stop - rows.start, 1)))
        if (self.population == 0).any():
            empty = self.index[(self.population == 0).any(axis=1)]
            raise ValueError(
                f"frame: nobody lives in group {listing(empty, most=3)} (the {source} of its "
                "cells sums to zero), so it has no mean; drop these cells from the frame"
            )

    def add(self, totals: np.ndarray, rows: slice, values: np.ndarray) -> None:
        """Add values of cells, in `order`, to their groups, each as often as a cell has people."""
        codes = self._codes[rows]
        times = self._people[self.order[rows]]
        if times.shape[1] > 1:
            values, times = times * values, np.ones((len(codes), 1))
        first, last = codes[0], codes[-1]
        starts = np.searchsorted(codes, np.arange(first, last + 2))
        members = sparse.csr_array((times[:, 0], np.arange(len(codes)), starts))
        totals[first : last + 1] += members @ values

    def label(
        self, values: np.ndarray, between: dict[str, list[Any]], posterior: xr.Dataset
    ) -> xr.DataArray:
        """Name the groups, the samples, and what is `between` them where that is a dimension."""
        samples = posterior[["chain", "draw"]].stack(sample=("chain", "draw"))
        ordered = values.swapaxes(0, 1) if between else values[0]
        dims = ("group", *between, "sample")
        labelled = xr.DataArray(ordered, dims=dims, name="estimate")
        if isinstance(self.index, pd.MultiIndex):
            index = xr.Coordinates.from_pandas_multiindex(self.index, "group")
        else:
            index = xr.Coordinates({"group": self.index.to_numpy()})
        people = self.population.mean(axis=1).astype(self._population_type)
        return (
            labelled.assign_coords(samples.coords)
            .assign_coords(index)
            .assign_coords({name: pd.Index(labels).to_numpy() for name, labels in between.items()})
            .assign_coords(population=("group", people))
        )
