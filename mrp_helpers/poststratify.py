"""Draws of any aggregate from a fitted Bambi model and a frame.

Every aggregate is the same sum over cells, ``sum of P(cell) x E[Y | cell]``, one sum a draw. The
model supplies ``E[Y | cell]`` through its own design matrices, the frame supplies ``P(cell)``.
Cells are taken in blocks and only group totals are kept, so that memory does not grow with the
frame.
"""

from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Literal

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from bambi.model_components import DistributionalComponent
from bambi.terms import GroupSpecificTerm, OffsetTerm
from scipy import sparse, special

from mrp_helpers._compatible import (
    categories,
    check_draws,
    check_frame,
    check_population,
    parent,
    predictor_names,
    refuse_other_models,
    refuse_unseen,
    terms,
)
from mrp_helpers._require import listing, require_columns, require_whole

_BLOCK_VALUES = 2_000_000  # cells x draws held at once by default: 16 MB an array
_DESIGN_CELLS = 20_000  # whose design is made at once: mostly zeros, but formulae writes them out

NewLevels = Literal["error", "population"]


def poststratify_draws(
    model: bmb.Model,
    draws: xr.DataTree,
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    population: str | xr.DataArray = "n",
    new_levels: NewLevels = "error",
    random_seed: int | None = None,
    block: int | None = None,
) -> xr.DataArray:
    """Post-stratify a fitted model to a frame, draw by draw.

    Parameters
    ----------
    model : bambi.Model
        A model with one linear predictor: common terms, offsets, group-specific intercepts and
        slopes, in a family whose mean is the parameter that the formula models.
    draws : xarray.DataTree
        The draws of that model, from `fit_or_load` or ``model.fit``.
    frame : pandas.DataFrame
        One row a cell: every predictor of the model, the columns `by` and the population.
    by : str, sequence of str or None
        Columns that define the groups to estimate; None for the whole population.
    population : str or xarray.DataArray
        The column with the number of people in each cell; or, where these numbers are estimated
        too, draws of them: the dimension ``sample`` and one that runs over the frame's rows, in
        their order. The first of these draws goes with the first of `draws`, and so on.
    new_levels : {"error", "population"}
        What to do when a group-specific term meets a level that the model never saw: name it and
        stop, or draw its effect from the term's fitted normal distribution, one for each draw
        and level.
    random_seed : int or None
        Seed of those new effects; of no consequence otherwise.
    block : int or None
        How many cells to hold at once; by default as many as make arrays of 16 MB.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(group, sample)``: the expected outcome in each group, on the scale of the
        response (a share, 0-1, for binary outcomes and counts out of n). ``sample`` indexes
        ``(chain, draw)``; ``group`` holds the sorted levels of `by` (a MultiIndex when there are
        several) and has a coordinate ``population``, the mean over the draws where it varies.

    Raises
    ------
    KeyError
        When the frame lacks a column.
    TypeError
        When the population or a numeric predictor is not numeric, or something else is of another
        type.
    ValueError
        When the frame is empty or lists a cell twice; when a predictor is missing or infinite in
        a cell or has a level that the model never saw; when the population is missing, negative,
        infinite or zero in total; when draws of it are of another number or order than the
        frame's rows or the model's draws; when the draws belong to another model or are not
        finite.
    NotImplementedError
        When the model is of a kind that this function does not compute.

    Notes
    -----
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
    refuse_other_models(model)
    check_draws(model, draws)
    check_frame(model, frame, population)
    samples = draws["posterior"].sizes["chain"] * draws["posterior"].sizes["draw"]
    size = block or max(1, _BLOCK_VALUES // samples)
    if isinstance(population, xr.DataArray):
        check_population(population, frame, samples)
    groups = _Groups(frame, by, population, size)
    predictor = _LinearPredictor(model, draws, frame, new_levels, random_seed)

    cells = _predictors_only(model, frame)
    totals = np.zeros((groups.number, samples))
    for rows, means in predictor.expected(cells, size):
        groups.add(totals, rows, means)
    totals /= groups.population
    return groups.label(totals, draws["posterior"].to_dataset())


def poststratify(
    model: bmb.Model,
    draws: xr.DataTree,
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    population: str | xr.DataArray = "n",
    new_levels: NewLevels = "error",
    random_seed: int | None = None,
    block: int | None = None,
    prob: float = 0.95,
) -> pd.DataFrame:
    """Post-stratify a fitted model to a frame and summarise each group.

    Parameters
    ----------
    model, draws, frame, by, population, new_levels, random_seed, block
        As in `poststratify_draws`.
    prob : float
        Probability of the central interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row a group, sorted: the columns `by`, ``estimate`` (mean of the draws), ``sd``,
        ``lower`` and ``upper`` (equal-tailed interval of the draws) and ``population``.

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
        population=population,
        new_levels=new_levels,
        random_seed=random_seed,
        block=block,
    )
    values = estimated.to_numpy()
    lower, upper = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
    labels: pd.DataFrame = estimated.indexes["group"].to_frame(index=False)
    labels.columns = _by_list(by) or labels.columns
    summary = {
        "estimate": values.mean(axis=1),
        "sd": values.std(axis=1, ddof=1),
        "lower": lower,
        "upper": upper,
        "population": estimated["population"].to_numpy(),
    }
    return labels[_by_list(by)].assign(**summary)


def _by_list(by: str | Sequence[str] | None) -> list[str]:
    return [] if by is None else [by] if isinstance(by, str) else list(by)


def _blocks(cells: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, cells)) for start in range(0, cells, size))


def _predictors_only(model: bmb.Model, frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that the design reads; as objects, strings are compared several times faster."""
    cells = frame[predictor_names(model)]
    texts = [column for column in cells if pd.api.types.is_string_dtype(cells[column])]
    return cells.astype(dict.fromkeys(texts, object))


class _Groups:
    """Which group each cell belongs to, and how many people it brings, for all draws or each."""

    def __init__(
        self,
        frame: pd.DataFrame,
        by: str | Sequence[str] | None,
        population: str | xr.DataArray,
        size: int,
    ):
        columns = _by_list(by)
        require_columns(frame, columns, "frame")
        if len(set(columns)) < len(columns):
            raise ValueError(f"by names a column more than once: {listing(columns)}")
        for column in columns:
            if frame[column].isna().any():
                raise ValueError(f"frame: column {column!r} has missing values; name every group")
        if columns:
            grouped = frame.groupby(columns, observed=True)
            self.codes, self.index = grouped.ngroup().to_numpy(), grouped.size().index
        else:
            self.codes, self.index = np.zeros(len(frame), dtype=int), pd.Index(["all"])
        self.number = len(self.index)
        if isinstance(population, xr.DataArray):
            self.people = population.transpose(..., "sample").to_numpy()
            whole, source = False, "draws of the population"
        else:
            self.people = frame[population].to_numpy(dtype="float64")[:, None]
            whole, source = pd.api.types.is_integer_dtype(frame[population]), repr(population)
        self._population_type = "int64" if whole else "float64"
        # One column, or one a draw.
        self.population = np.zeros((self.number, self.people.shape[1]))
        for rows in _blocks(len(frame), size):
            self.add(self.population, rows, np.ones((len(self.codes[rows]), 1)))
        if (self.population == 0).any():
            empty = self.index[(self.population == 0).any(axis=1)]
            raise ValueError(
                f"frame: nobody lives in group {listing(empty, most=3)} (the {source} of its "
                "cells sums to zero), so it has no mean; drop these cells from the frame"
            )

    def add(self, totals: np.ndarray, rows: slice, values: np.ndarray) -> None:
        """Add values of a block's cells to their groups, each as often as the cell has people."""
        here, codes = np.unique(self.codes[rows], return_inverse=True)
        times = self.people[rows]
        if times.shape[1] > 1:
            values, times = times * values, np.ones((len(codes), 1))
        members = sparse.csr_array((times[:, 0], (codes, np.arange(len(codes)))))
        totals[here] += members @ values

    def label(self, means: np.ndarray, posterior: xr.Dataset) -> xr.DataArray:
        samples = posterior[["chain", "draw"]].stack(sample=("chain", "draw"))
        labelled = xr.DataArray(means, dims=("group", "sample"), name="estimate")
        if isinstance(self.index, pd.MultiIndex):
            index = xr.Coordinates.from_pandas_multiindex(self.index, "group")
        else:
            index = xr.Coordinates({"group": self.index.to_numpy()})
        people = self.population.mean(axis=1).astype(self._population_type)
        return (
            labelled.assign_coords(samples.coords)
            .assign_coords(index)
            .assign_coords(population=("group", people))
        )


class _LinearPredictor:
    """Turns cells into draws of their expected outcome."""

    def __init__(
        self,
        model: bmb.Model,
        draws: xr.DataTree,
        frame: pd.DataFrame,
        new_levels: NewLevels,
        random_seed: int | None,
    ):
        if new_levels not in ("error", "population"):
            raise ValueError(f"new_levels is {new_levels!r}; choose 'error' or 'population'")
        component = parent(model)
        posterior = draws["posterior"].to_dataset()
        samples = posterior.sizes["chain"] * posterior.sizes["draw"]
        link = model.family.link[component.name]
        # Bambi's own inverse of the logit moves 0 and 1 by 2e-16, in twice the time.
        self.inverse_link = special.expit if link.name == "logit" else link.linkinv
        self.common = component.design.common
        rng = np.random.default_rng(random_seed)
        self.grouped = [
            _GroupedEffects(term, posterior, frame, new_levels, rng)
            for term in component.group_specific_terms.values()
        ]
        effects = [_common_effects(component, posterior, samples)]
        effects += [term.effects for term in self.grouped]
        self.effects = np.vstack(effects)

    def expected(self, cells: pd.DataFrame, size: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Expected outcomes (cells x samples) of `size` cells at a time, and their rows."""
        for many in _blocks(len(cells), max(size, _DESIGN_CELLS)):
            design = self._design(cells.iloc[many])
            for few in _blocks(design.shape[0], size):
                rows = slice(many.start + few.start, many.start + few.stop)
                yield rows, self.inverse_link(design[few] @ self.effects)

    def _design(self, cells: pd.DataFrame) -> sparse.csr_array:
        """Matrix (cells x effects) of everything that the effects are multiplied by."""
        designs = [term.design(cells) for term in self.grouped]
        if self.common is not None:
            common = self.common.evaluate_new_data(cells).design_matrix
            designs.insert(0, sparse.csr_array(common))
        return sparse.hstack(designs, format="csr")


def _common_effects(
    component: DistributionalComponent, posterior: xr.Dataset, samples: int
) -> np.ndarray:
    """Stack the draws of common terms in the order of the design's columns."""
    rows = [np.empty((0, samples))]
    for common in terms(component.design.common):
        term = component.terms[common.name]
        if isinstance(term, OffsetTerm):
            rows.append(np.ones((1, samples)))
        else:
            values = posterior[term.alias or term.name].transpose("chain", "draw", ...)
            rows.append(values.to_numpy().reshape(samples, -1).T)
    return np.vstack(rows)


class _GroupedEffects:
    """One group-specific term: its design for some cells, and the draws that go with it.

    A level that the model never saw gets columns of its own after those of the known levels, and
    effects drawn from the term's normal distribution: one for each draw, the same in each block.
    """

    def __init__(
        self,
        term: GroupSpecificTerm,
        posterior: xr.Dataset,
        frame: pd.DataFrame,
        new_levels: NewLevels,
        rng: np.random.Generator,
    ):
        self.term = term.term
        self.factors = sorted(self.term.factor.var_names)
        self.known = len(term.groups)
        self.new = self._unseen(frame)
        if len(self.new) and new_levels == "error":
            self._refuse(frame)
        # A term's coordinates are the groups and, if it has several, the columns of the
        # expression; the design's columns run over the expression within each group.
        dimensions = ["chain", "draw", *reversed(term.coords)]
        effects = posterior[term.alias or term.name].transpose(*dimensions).to_numpy()
        samples = effects.shape[0] * effects.shape[1]
        effects = effects.reshape(samples, -1, self.known)
        if len(self.new):
            scale = _group_sd(term, posterior).reshape(samples, -1, 1)
            noise = rng.standard_normal((samples, effects.shape[1], len(self.new)))
            effects = np.concatenate([effects, scale * noise], axis=2)
        self.effects = effects.transpose(2, 1, 0).reshape(-1, samples).astype("float64")

    def _unseen(self, frame: pd.DataFrame) -> pd.MultiIndex:
        """Combinations of the grouping columns that hold a level the model never saw."""
        combinations = frame[self.factors].drop_duplicates().sort_values(self.factors)
        seen = np.ones(len(combinations), dtype=bool)
        for column, levels in categories(self.term.factor):
            seen &= combinations[column].isin(levels).to_numpy()
        return pd.MultiIndex.from_frame(combinations[~seen])

    def _refuse(self, frame: pd.DataFrame) -> None:
        for column, levels in categories(self.term.factor):
            refuse_unseen(
                frame,
                column,
                levels,
                "Recode the frame, or pass new_levels='population' to draw its effect from the "
                "fitted normal",
            )

    def design(self, cells: pd.DataFrame) -> sparse.csr_array:
        """Matrix (cells x effects) that picks each cell's effects and multiplies slopes."""
        if not len(self.new):
            return sparse.csr_array(self.term.eval_new_data(cells))
        values = np.atleast_2d(np.asarray(self.term.expr.eval_new_data(cells), dtype=float).T).T
        labels = pd.MultiIndex.from_frame(cells[self.factors])
        group = self.new.get_indexer(labels) + self.known
        old = group < self.known
        if old.any():
            group[old] = self.term.factor.eval_new_data(cells[old]).argmax(axis=1)
        width = values.shape[1]
        columns = group[:, None] * width + np.arange(width)
        rows = np.repeat(np.arange(len(cells)), width)
        shape = (len(cells), len(self.effects))
        return sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=shape)


def _group_sd(term: GroupSpecificTerm, posterior: xr.Dataset) -> np.ndarray:
    if term.prior.name != "Normal" or "sigma" not in term.prior.args:
        raise NotImplementedError(
            f"new levels of {term.name!r} cannot be drawn: its effects follow "
            f"{term.prior.name}, not a normal with a standard deviation"
        )
    name = f"{term.alias or term.name}_{term.hyperprior_alias.get('sigma', 'sigma')}"
    return posterior[name].to_numpy()
