"""Draws of any aggregate from a fitted Bambi model and a frame.

Every aggregate is the same sum over cells, ``sum of P(cell) x E[Y | cell]``, one sum a draw. The
model supplies ``E[Y | cell]``, the frame supplies ``P(cell)``. The share of a level, or below a
line, is such a sum of probabilities, and a quantile is where one passes a number. At the door a
frame becomes integer codes, numbers and weights; behind it nobody compares a level again. Cells are
taken in blocks and only group totals are kept, so that memory does not grow with the frame.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from numbers import Real
from typing import Any

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse

from mrp_helpers._aliases import with_aliases
from mrp_helpers._asked import Asked, asked
from mrp_helpers._bambi import Regression, regression
from mrp_helpers._compatible import Cells, NewLevels, check_draws, check_frame, check_population
from mrp_helpers._effects import blocks
from mrp_helpers._families import FAMILIES, arguments
from mrp_helpers._labels import DRAWS, ESTIMATES, by_list, require_free_names
from mrp_helpers._outcomes import Outcomes
from mrp_helpers._require import listing, require_columns, require_type, require_whole
from mrp_helpers._roots import increasing_roots

_BLOCK_VALUES = 2_000_000  # cells x draws held at once by default: 16 MB an array
_MOSTLY = 0.7  # of values are wanted: it takes longer to choose them than to compute all
_SAMPLED = 16  # cells, one of which begins the search for a quantile


def poststratify_draws(
    model: bmb.Model,
    draws: xr.DataTree,
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    scores: Mapping[Any, float] | pd.Series | None = None,
    below: float | Sequence[float] | None = None,
    quantiles: float | Sequence[float] | None = None,
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
    below : float, sequence of float or None
        For a continuous outcome or a count, one line or several, in the outcome's unit: the result
        is then the share of the population below each of them.
    quantiles : float, sequence of float or None
        For a continuous outcome, one probability or several: the result is then these quantiles of
        the population, such as the median for 0.5, in the outcome's unit. Of `scores`, `below` and
        `quantiles`, one can be given.
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
        the model's own order. With several lines ``(group, below, sample)``, with several
        probabilities ``(group, quantile, sample)``.

    Raises
    ------
    KeyError
        When the frame lacks a column.
    TypeError
        When scores are no mapping, or lines and probabilities no numbers; when the population is
        not numeric, when a predictor's values are of a different kind from those of the model's
        data (text, numbers, booleans), or when something else is of another type.
    ValueError
        When the frame is empty or lists a cell twice; when `by` has a name of the result's own or
        a group has none; when a predictor is missing or infinite in
        a cell or has a level that the model never saw; when the population is missing, negative,
        infinite or zero in total; when draws of it are of another number or order than the
        frame's rows or the model's draws; when the draws belong to another model or are not
        finite; when scores are not one finite number for each level, or the outcome has no levels;
        when it has, and a line or a quantile is asked for; when two of these are, a line is not
        finite, or a probability not between 0 and 1.
    NotImplementedError
        When the model has a term, a family, an outcome or a call in its formula that this function
        does not compute, or that Bambi samples otherwise than the formula says; when the family has
        no share below a line, or no quantile; the message names it.

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

    The mean of a family is E[Y], also where the parameter that the formula models is another: with
    heaps of zeros it is that of the zeros and the others together, and of a log-normal outcome that
    of the outcome and not of its logarithm. A Student t's is its centre, which is its mean if it
    has one.

    The share below a line and quantiles are those of the people and not of the cells' means: each
    cell's outcomes have the family's distribution, and a group's is the mixture of its cells'. So
    the model's residual spread is in them, and whether it differs from cell to cell matters, as it
    does not for a mean; give it a formula, ``bmb.Formula("y ~ ...", "sigma ~ ...")``. A line is on
    the scale of the model's outcome: for ``log(y)``, the logarithm of the line. Somebody on the
    line is not below it. The quantile of several groups together is not the mean of theirs.

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
    question = asked(parts, scores, below, quantiles)
    require_type(draws, xr.DataTree, "draws")
    draws = with_aliases(parts.aliases, draws)
    check_draws(model, parts, draws)
    posterior = draws["posterior"].to_dataset()
    _refuse_centred_intercept(parts, posterior)
    cells = check_frame(parts, frame, population)
    samples = posterior.sizes["chain"] * posterior.sizes["draw"]
    size = block or max(1, _BLOCK_VALUES // (question.number * samples))
    if isinstance(population, xr.DataArray):
        check_population(population, frame, samples)
    groups = _Groups(frame, by, population, size, reserved=question.between)
    outcomes = Outcomes(parts, cells, posterior, question.arguments, new_levels, random_seed)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # refused below
        if question.bracket is None:
            means = _means(groups, outcomes, question.function, slice(0, groups.number), size)
        else:
            means = _quantiles(groups, outcomes, question, size)
    _require_finite(means, groups.index)
    if question.weights is not None:
        means = np.tensordot(question.weights, means, axes=1)[None]
    return groups.label(means, question.between, posterior)


def poststratify(
    model: bmb.Model,
    draws: xr.DataTree,
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    scores: Mapping[Any, float] | pd.Series | None = None,
    below: float | Sequence[float] | None = None,
    quantiles: float | Sequence[float] | None = None,
    population: str | xr.DataArray = "n",
    new_levels: NewLevels = "error",
    random_seed: int | None = None,
    block: int | None = None,
    prob: float = 0.95,
) -> pd.DataFrame:
    """Post-stratify a fitted model to a frame and summarise each group.

    Parameters
    ----------
    model, draws, frame, by, scores, below, quantiles, population, new_levels, random_seed, block
        As in `poststratify_draws`.
    prob : float
        Probability of the central interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted: the columns `by`, ``estimate`` (mean of the draws), ``sd``,
        ``lower`` and ``upper`` (equal-tailed interval of the draws) and ``population``. For an
        outcome with levels, one row for each group and level: the column ``outcome``, after `by`,
        is a category in the model's order, and ``population`` is that of the group. With several
        lines or probabilities, one row for each group and line or probability, which stands in the
        column ``below`` or ``quantile``.

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

    An outcome with three levels has three rows a group, and a score makes one of them. These draws
    are made up, and all alike:

    >>> import pandas as pd
    >>> import xarray as xr
    >>> party = ["Democrat", "Independent", "Republican"]
    >>> model = bmb.Model("party ~ 1", pd.DataFrame({"party": party}), family="categorical")
    >>> drawn = xr.DataArray(
    ...     [[[0.0, -1.0]] * 2],
    ...     dims=("chain", "draw", "party_reduced_dim"),
    ...     coords={"chain": [0], "draw": [0, 1], "party_reduced_dim": party[1:]},
    ... )
    >>> draws = xr.DataTree.from_dict({"posterior": xr.Dataset({"Intercept": drawn})})
    >>> frame = pd.DataFrame({"n": [100]})
    >>> poststratify(model, draws, frame)[["outcome", "estimate"]].round(2)
           outcome  estimate
    0     Democrat      0.42
    1  Independent      0.42
    2   Republican      0.16
    >>> score = {"Democrat": -1, "Independent": 0, "Republican": 1}
    >>> poststratify(model, draws, frame, scores=score)["estimate"].round(2).item()
    -0.27
    """
    if not isinstance(prob, Real) or not 0 < prob < 1:
        raise ValueError(f"prob is {prob!r}; it is a probability between 0 and 1, such as 0.95")
    estimated = poststratify_draws(
        model,
        draws,
        frame,
        by,
        scores=scores,
        below=below,
        quantiles=quantiles,
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
        repeated = np.tile(levels, len(labels))
        # A category, so that tables keep the model's order.
        category = name == "outcome"
        rows[str(name)] = pd.Categorical(repeated, levels) if category else repeated
    return rows


def _means(
    groups: "_Groups",
    outcomes: Outcomes,
    function: Callable[..., np.ndarray],
    chosen: slice,
    size: int,
) -> np.ndarray:
    """Mean over the population of some groups of what a function gives (values x groups x samples).

    Only these totals are kept.
    """
    cells = groups.cells(chosen)
    totals: np.ndarray | None = None
    for rows, values in outcomes.blocks(groups.order[cells], size, function):
        if totals is None:
            shape = (len(values), chosen.stop - chosen.start, values.shape[2])
            totals = np.zeros(shape)
        at = slice(cells.start + rows.start, cells.start + rows.stop)
        for total, one in zip(totals, values, strict=True):
            groups.add(total, at, one, chosen.start)
    assert totals is not None  # a group has cells
    totals /= groups.population[chosen]
    return totals


def _quantiles(groups: "_Groups", outcomes: Outcomes, question: Asked, size: int) -> np.ndarray:
    """Quantiles of the population of each group (quantiles x groups x samples).

    That is where the mean of the cells' probabilities passes the one asked for. A sample of the
    cells says where about that is, and a sample of this sample where to begin with it, so that all
    cells are gone through three to five times and not a dozen. So few groups are taken at once
    that their quantiles fit into a block.
    """
    samples = [groups]
    while len(samples[-1].order) > _SAMPLED * groups.number:
        samples.append(samples[-1].sampled(_SAMPLED))
    few = max(1, _BLOCK_VALUES // (question.number * outcomes.samples))
    found = np.empty((question.number, groups.number, outcomes.samples))
    for chosen in blocks(groups.number, few):
        place, rise = _beginning(samples[-1], outcomes, question, chosen, size)
        most = 10 * rise
        for sample in reversed(samples):
            excess = _excess(sample, outcomes, question, chosen, size)
            tolerance = 1e-9 if sample is groups else 1e-2
            # Where hardly anybody is, the rise there would say little about elsewhere.
            place, rise = increasing_roots(
                excess, place, np.minimum(rise, most), least=question.least, tolerance=tolerance
            )
        found[:, chosen] = place
    return found


def _excess(
    groups: "_Groups", outcomes: Outcomes, question: Asked, chosen: slice, size: int
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """How much more than asked for is at most y, over the variance of being so or not."""
    asked_for = question.probabilities[:, None, None]

    def excess(y: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        def at_most(cells: np.ndarray, **values: Any) -> np.ndarray:
            here = groups.codes[cells] - chosen.start
            here = here[:1] if here[0] == here[-1] else here
            return np.stack(
                [
                    _wanted(question.function, open_[here], one[here], values)
                    for one, open_ in zip(y, wanted, strict=True)
                ]
            )

        more = _means(groups, outcomes, at_most, chosen, size)
        more -= asked_for
        more /= asked_for * (1 - asked_for)
        return more

    return excess


def _wanted(
    function: Callable[..., np.ndarray], wanted: np.ndarray, y: np.ndarray, values: dict[str, Any]
) -> np.ndarray:
    """Values of a function of few cells where they are wanted, and perhaps elsewhere."""
    if wanted.mean() > _MOSTLY:
        every: np.ndarray = function(y, **values)
        return every
    shape = np.broadcast_shapes(wanted.shape, *(np.shape(one) for one in values.values()))
    found = np.zeros(shape)
    # Of a single group whole samples are chosen, which is quicker.
    at = (slice(None), np.flatnonzero(wanted)) if len(wanted) == 1 else wanted
    used = {name: np.broadcast_to(one, shape)[at] for name, one in values.items()}
    found[at] = function(np.broadcast_to(y, shape)[at], **used)
    return found


def _beginning(
    groups: "_Groups", outcomes: Outcomes, question: Asked, chosen: slice, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where to look for quantiles first, and about how far an excess needs to rise by one.

    In a single cell the former is the quantile, wherever the family has a formula for it. Half of
    each cell's people are between the halves of what is below the quantile and above it.
    """
    asked_for = question.probabilities
    low, high = _outermost(groups, outcomes, question, chosen, size, asked_for, asked_for)
    place, halves = (low + high) / 2, (asked_for / 2, (1 + asked_for) / 2)
    low, high = _outermost(groups, outcomes, question, chosen, size, *halves)
    return place, 2 * (high - low) * (asked_for * (1 - asked_for))[:, None, None]


def _outermost(
    groups: "_Groups",
    outcomes: Outcomes,
    question: Asked,
    chosen: slice,
    size: int,
    lower: np.ndarray,
    upper: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The least lower quantile of a cell in each group, and the greatest upper one.

    Both are (quantiles x groups x samples).
    """
    cells, bracket = groups.cells(chosen), question.bracket
    assert bracket is not None
    shape = (question.number, chosen.stop - chosen.start, outcomes.samples)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    taken = arguments(bracket)

    def ends(_: np.ndarray, **values: Any) -> np.ndarray:
        used = {name: values[name] for name in taken}
        pairs = [
            (bracket(q, **used)[0], bracket(p, **used)[1])
            for q, p in zip(lower, upper, strict=True)
        ]
        return np.stack([end for pair in pairs for end in pair])

    for rows, values in outcomes.blocks(groups.order[cells], size, ends):
        here = groups.codes[groups.order[cells][rows]] - chosen.start
        starts = np.flatnonzero(np.diff(here, prepend=-1))
        inside = here[starts]
        lowest, highest = (
            np.minimum.reduceat(values[::2], starts, axis=1),
            np.maximum.reduceat(values[1::2], starts, axis=1),
        )
        low[:, inside] = np.minimum(low[:, inside], lowest)
        high[:, inside] = np.maximum(high[:, inside], highest)
    return low, high


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
    rows, expected = Cells(parts.data, parts.data.head(3)), FAMILIES[parts.family].expected
    for name, predictor in parts.predictors.items():
        if predictor.mean not in few:
            continue
        # What Bambi calls by the name of a parameter without a link of its own are the shares.
        whole = predictor is parts.parent and "eta" in arguments(expected)
        names = arguments(expected) if whole else [name]

        def stored_as(_: np.ndarray, whole: bool = whole, **values: Any) -> np.ndarray:
            one: np.ndarray = next(iter(values.values()))
            return expected(**values) if whole else one

        outcomes = Outcomes(parts, rows, few, names)
        ((_, found),) = outcomes.blocks(np.arange(len(rows)), len(rows), stored_as)
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
        self.codes = codes
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

    def cells(self, groups: slice) -> slice:
        """Where in `order` the cells of some groups are."""
        start, stop = np.searchsorted(self._codes, [groups.start, groups.stop])
        return slice(int(start), int(stop))

    def sampled(self, cells: int) -> "_Groups":
        """A sample of one in so many `cells` of each group, with the group's people in equal parts.

        It is systematic: every so many people, in the order of the frame.
        """
        people = self._people.mean(axis=1)[self.order]
        up_to = people.cumsum()
        last = np.searchsorted(self._codes, np.arange(self.number), side="right") - 1
        first = np.append(0, last[:-1] + 1)
        number = -(-(last + 1 - first) // cells)
        each = self.population.mean(axis=1) / number
        group = np.repeat(np.arange(self.number), number)
        rank = np.arange(len(group)) - np.repeat(number.cumsum() - number, number)
        at = (up_to - people)[first][group] + (rank + 0.5) * each[group]
        places = np.clip(np.searchsorted(up_to, at, side="right"), first[group], last[group])
        sample = copy(self)
        places, times = np.unique(places, return_counts=True)
        sample.order, sample._codes = self.order[places], self._codes[places]
        sample._people = np.zeros((len(self.codes), 1))
        sample._people[sample.order, 0] = times * each[sample._codes]
        sample.population = self.population.mean(axis=1, keepdims=True)
        return sample

    def add(self, totals: np.ndarray, rows: slice, values: np.ndarray, first: int = 0) -> None:
        """Add values of cells, in `order`, to their groups, each as often as a cell has people.

        The totals are those of the groups from `first` on.
        """
        codes = self._codes[rows]
        times = self._people[self.order[rows]]
        if times.shape[1] > 1:
            values, times = times * values, np.ones((len(codes), 1))
        lowest, highest = codes[0], codes[-1]
        starts = np.searchsorted(codes, np.arange(lowest, highest + 2))
        members = sparse.csr_array((times[:, 0], np.arange(len(codes)), starts))
        totals[lowest - first : highest + 1 - first] += members @ values

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
