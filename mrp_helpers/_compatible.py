"""Do a model, its draws and a frame belong together? Each refusal says what is wrong and where."""

import unicodedata
from collections.abc import Hashable, Sequence
from typing import Any, Literal

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_helpers._bambi import Levels, Regression
from mrp_helpers._levels import Column, as_wide, require_same_kind, resolve
from mrp_helpers._require import listing, require_columns, require_counts, require_type
from mrp_helpers.model import design_digest, differing, model_digests

NewLevels = Literal["error", "population"]


class Cells:
    """A frame's predictors as integer codes: behind this door nobody compares a level again.

    `columns` are the frame's and `seen` the model's own, both by the rule of `_levels`.
    """

    def __init__(self, data: pd.DataFrame, frame: pd.DataFrame):
        self._data, self._number = data, len(frame)
        self.columns: dict[str, Column] = {}
        self.seen: dict[str, Column] = {}
        for name in data.columns:
            column, seen = resolve(frame[name], "frame"), resolve(data[name], "the model's data")
            require_same_kind(column, seen, "frame")
            self.columns[name], self.seen[name] = column, seen

    def __len__(self) -> int:
        return self._number

    def join(self, codes: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
        """Number the combinations of codes that some cell has; say which one each cell has."""
        joint, number = np.zeros(self._number, dtype="int32"), 1
        for one in {id(one): one for one in codes}.values():
            size = int(one.max()) + 1
            if number == 1:
                joint, number = one, size
            elif size > 1:
                wide, distinct = pd.factorize(joint.astype("int64") * size + one)
                joint, number = wide.astype("int32"), len(distinct)
        return joint, number

    def distinct(self, names: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
        """Tabulate the combinations of some columns as the model's types; say which a cell has."""
        codes, number = self.join([self.columns[name].codes for name in names])
        example = np.empty(number, dtype="int64")
        example[codes] = np.arange(self._number)
        table = pd.DataFrame(index=range(number))
        for name in names:
            column = self.columns[name]
            values = _as_seen(column, self._data[name].dtype)
            table[name] = values.take(column.codes[example]).array
        return codes, table


def _as_seen(column: Column, dtype: Any) -> pd.Series:
    """A column's distinct values in the type of the model's data, if that holds all of them.

    New values of a category come after the known ones, whose numbers a function may read.
    """
    values = pd.Series(column.distinct)
    if isinstance(dtype, pd.CategoricalDtype):
        known = dtype.categories
        new = values[~values.isin(known)]
        return values.astype(pd.CategoricalDtype([*known, *new], ordered=dtype.ordered))
    if column.kind == "numbers":
        dtype = as_wide(getattr(dtype, "numpy_dtype", dtype))
        cast = values.astype(dtype)
        return cast if (cast == values).all() else values.astype("float64")
    return values.astype(dtype)


def check_draws(model: bmb.Model, regression: Regression, draws: xr.DataTree) -> None:
    """Refuse draws whose parameters, levels or digests are not this model's."""
    if "posterior" not in draws.children:
        raise ValueError("draws have no group 'posterior'; pass what fit_or_load returned")
    posterior = draws["posterior"].to_dataset()
    if not all(posterior.sizes.get(dimension) for dimension in ("chain", "draw")):
        raise ValueError(
            f"draws have the dimensions {dict(posterior.sizes)}; 'chain' and 'draw' must be there "
            "and not be empty: pass what fit_or_load returned, unstacked"
        )
    _refuse_other_parameters(regression, posterior)
    for term in regression.terms:
        if term.parameter is not None:
            _check_effects(posterior, term.parameter, term.coordinates | term.equations)
    for constant in regression.constants.values():
        if constant.coordinates or constant.draws in posterior:
            _check_effects(posterior, constant.draws, constant.coordinates)
    if regression.family == "cumulative":
        _refuse_crossed_thresholds(regression, posterior)
    if "digest_formula" in draws.attrs:
        digests = model_digests(model)
        if "digest_design" in draws.attrs:
            digests["design"] = design_digest(model)
        differ = differing(draws, digests)
        if differ:
            raise ValueError(
                "the draws belong to another model: they differ from this one in "
                f"{' and '.join(differ)}; fit this model first"
            )
    elif "observed_data" in draws.children:  # digests say this and more
        _refuse_other_outcomes(regression, draws["observed_data"].to_dataset())


def _refuse_crossed_thresholds(regression: Regression, posterior: xr.Dataset) -> None:
    """The level between two thresholds that change places would have a negative share."""
    threshold = regression.constants["threshold"]
    crossed = (np.diff(threshold.values(posterior), axis=0) < 0).any(axis=(0, 1))
    if crossed.any():
        raise ValueError(
            f"the draws of {threshold.draws!r} do not ascend in {crossed.sum():,} of "
            f"{crossed.size:,} draw(s), so that a level's share would be negative; sample the "
            "model again"
        )


def _refuse_other_parameters(regression: Regression, posterior: xr.Dataset) -> None:
    effects = {term.parameter for term in regression.terms if term.parameter is not None}
    known = effects.union(
        (constant.draws for constant in regression.constants.values()),
        (predictor.mean for predictor in regression.predictors.values()),
        *(term.hyperparameters.values() for term in regression.terms),
    )
    for name in posterior.data_vars:
        if name not in known and str(name).removesuffix("_offset") not in known:
            raise ValueError(
                f"the draws belong to another model: it has a parameter {name!r} that is not in "
                f"this one ({listing(sorted(effects), most=20)})"
            )


def _refuse_other_outcomes(regression: Regression, observed: xr.Dataset) -> None:
    """Draws say what they were conditioned on: two outcomes may have the same predictors."""
    if regression.outcome not in observed:
        raise ValueError(
            "the draws belong to another model: their outcome is "
            f"{listing(observed.data_vars)} and this model's is {regression.outcome!r}"
        )
    found, expected = observed[regression.outcome].to_numpy(), regression.observed
    # Stored draws have single precision.
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-5, atol=1e-30):
        raise ValueError(
            f"the draws belong to another model: their outcome {regression.outcome!r} has other "
            "values than this model's; fit this model first"
        )


def _check_effects(
    posterior: xr.Dataset, parameter: str, coordinates: dict[str, list[Any]]
) -> None:
    if parameter not in posterior:
        raise ValueError(f"the draws belong to another model: they have no parameter {parameter!r}")
    draws = posterior[parameter]
    if not np.isfinite(draws).all():
        raise ValueError(f"the draws of {parameter!r} are not all finite; sample the model again")
    for dimension, levels in coordinates.items():
        found = draws.coords.get(dimension)
        if found is None or sorted(found.to_numpy().tolist()) != sorted(levels):
            raise ValueError(
                f"the draws belong to another model: {parameter!r} has other levels there; this "
                f"model's are {listing(levels)}"
            )


def check_frame(
    regression: Regression, frame: pd.DataFrame, population: str | xr.DataArray
) -> Cells:
    """Refuse a frame that is not a table of cells of this model; give its cells as codes."""
    require_type(frame, pd.DataFrame, "frame")
    if frame.empty:
        raise ValueError("frame is empty; it needs one row for each cell")
    require_columns(frame, regression.data.columns, "frame")
    counted = [] if isinstance(population, xr.DataArray) else [population]
    for column in counted:
        if not isinstance(column, Hashable):
            raise TypeError(
                f"population is of type {type(column).__name__}; pass the name of a column, or "
                "draws as an xarray DataArray"
            )
        require_columns(frame, [column], "frame", {column: "population"})
        require_counts(frame[column], f"frame: column {column!r}")
    for name in regression.data.columns:
        if frame[name].isna().any():
            rows = frame.index[frame[name].isna()]
            raise ValueError(
                f"frame: column {name!r} is missing in {len(rows):,} cell(s), at index "
                f"{listing(rows, most=3)}; a join may have failed"
            )
    cells = Cells(regression.data, frame)
    for resolved in cells.columns.values():
        _refuse_infinite(resolved, frame.index)
    _refuse_cells_listed_twice(frame.drop(columns=counted), counted)
    return cells


def _refuse_infinite(column: Column, index: pd.Index) -> None:
    """An infinite predictor would give an estimate of nothing."""
    if column.kind != "numbers" or np.isfinite(column.distinct).all():
        return
    infinite = ~np.isfinite(column.distinct)[column.codes]
    raise ValueError(
        f"frame: column {column.name!r} is infinite in {infinite.sum():,} cell(s), at index "
        f"{listing(index[infinite], most=3)}; correct it"
    )


def _refuse_cells_listed_twice(cells: pd.DataFrame, counted: Sequence[str]) -> None:
    try:
        twice = cells.duplicated()
    except TypeError:  # a column that nobody needs holds lists
        twice = cells.map(repr).duplicated()
    if twice.any():
        example = cells[twice].iloc[0].to_dict()
        raise ValueError(
            f"frame lists {twice.sum():,} cell(s) more than once, such as {example}; sum their "
            f"{listing(counted) or 'draws'} first"
        )


def refuse_unseen(factor: Levels, unseen: np.ndarray, remedy: str) -> None:
    """Name the levels of a frame that the model never saw, and say what to do about them."""
    if len(unseen):
        what = f"column {factor.columns[0]!r}" if factor.own else factor.name
        raise ValueError(
            f"frame: {what} has level {listing(unseen)}, which the model never saw; its levels are "
            f"{listing(factor.levels)}. {remedy}"
        )


def refuse_miscoded(factor: Levels, values: np.ndarray, new: np.ndarray) -> None:
    """Refuse to draw effects of levels that are not new, but known ones in another spelling.

    Of a few new states all may be new; of a whole nation's none can be.
    """
    column = f"column {factor.columns[0]!r}"
    known = {_folded(level): level for level in factor.levels}
    for value in new:
        if _folded(value) in known:
            raise ValueError(
                f"frame: {column} has level {value!r} and the model has {known[_folded(value)]!r}, "
                "which differ in case, spaces or leading zeros only; recode the frame"
            )
    if len(new) == len(values) and 2 * len(new) >= len(factor.levels):
        raise ValueError(
            f"frame: {column} has no level that the model saw: it has {listing(new)}, and the "
            f"model has {listing(factor.levels)}. Recode the frame to the model's levels; if all "
            "of them are new, estimate them beside at least one that is known"
        )


def _folded(level: object) -> object:
    """Text without what a hand or a file may change in it; another level as it is."""
    if not isinstance(level, str):
        return level
    plain = "".join(unicodedata.normalize("NFKC", level).casefold().split())
    return plain.lstrip("0") or plain[-1:]


def check_population(population: xr.DataArray, frame: pd.DataFrame, samples: int) -> None:
    """Refuse draws of a population that lack a number for a row of the frame and a draw."""
    rows = [str(dimension) for dimension in population.dims if dimension != "sample"]
    if len(rows) != 1 or population.ndim != 2:
        raise ValueError(
            f"population has the dimensions {listing(population.dims)}; it needs 'sample' and one "
            "that runs over the frame's rows: stack or rename them"
        )
    for dimension, wanted, whose in (
        (rows[0], len(frame), "the frame has rows"),
        ("sample", samples, "the model has draws"),
    ):
        if population.sizes[dimension] != wanted:
            raise ValueError(
                f"population: dimension {dimension!r} has length {population.sizes[dimension]:,} "
                f"and {whose}: {wanted:,}; give one number for each row and draw"
            )
    if rows[0] in population.indexes:
        labels = population.indexes[rows[0]].to_frame(index=False)
        for name in labels.columns.intersection(frame.columns):
            if (labels[name].to_numpy() != frame[name].to_numpy()).any():
                raise ValueError(
                    f"population: {name!r} has other values, or another order, than in the frame; "
                    "put both into the same order"
                )
    if population.dtype.kind not in "iuf":
        raise TypeError(f"population is not numeric but {population.dtype}; draws are numbers")
    values = population.transpose(rows[0], "sample").to_numpy()
    for fault, word in (
        (np.isnan(values), "missing"),
        (np.isinf(values), "infinite"),
        (values < 0, "negative"),
    ):
        if fault.any():
            where = listing(np.flatnonzero(fault.any(axis=1)), most=3)
            raise ValueError(f"population is {word} in {fault.sum():,} draw(s), in row {where}")
