"""Do a model, its draws and a frame belong together? Each refusal says what is wrong and where."""

from collections.abc import Hashable, Iterator
from typing import Any

import bambi as bmb
import formulae
import numpy as np
import pandas as pd
import xarray as xr
from bambi.model_components import DistributionalComponent
from bambi.terms import HSGPTerm, OffsetTerm

from mrp_helpers._require import listing, require_columns, require_counts, require_type
from mrp_helpers.model import model_digests

# Families whose parent parameter is the mean of the response (for counts out of n: of a share).
_PARENT_IS_MEAN = {
    "bernoulli", "beta", "beta_binomial", "binomial", "exponential", "gamma", "gaussian",
    "laplace", "negativebinomial", "poisson", "t", "wald", "weibull",
}  # fmt: skip


def parent(model: bmb.Model) -> DistributionalComponent:
    return model.parameters[model.family.likelihood.parent]


def terms(design: Any) -> list[Any]:
    return [] if design is None else list(design.terms.values())


def predictor_names(model: bmb.Model) -> list[str]:
    design = parent(model).design
    used = set().union(
        *(term.var_names for part in (design.common, design.group) for term in terms(part))
    )
    return sorted(used & set(model.data.columns))


def refuse_other_models(model: bmb.Model) -> None:
    """Say what is missing here rather than compute something else."""
    require_type(model, bmb.Model, "model")
    if model.family.name not in _PARENT_IS_MEAN:
        raise NotImplementedError(
            f"the mean of family {model.family.name!r} is not one linear predictor and a link; "
            f"families that work: {', '.join(sorted(_PARENT_IS_MEAN))}"
        )
    if model.formula.additionals:
        raise NotImplementedError(
            f"the model has {len(model.formula.additionals) + 1} linear predictors "
            f"({listing(model.formula.additionals)}); one is supported"
        )
    smooth = [term.name for term in parent(model).terms.values() if isinstance(term, HSGPTerm)]
    if smooth:
        raise NotImplementedError(f"Gaussian-process term {listing(smooth)} is not supported")


def check_draws(model: bmb.Model, draws: xr.DataTree) -> None:
    """Refuse draws whose parameters, levels or digests are not this model's."""
    require_type(draws, xr.DataTree, "draws")
    if "posterior" not in draws.children:
        raise ValueError("draws have no group 'posterior'; pass what fit_or_load returned")
    posterior = draws["posterior"].to_dataset()
    if not all(posterior.sizes.get(dimension) for dimension in ("chain", "draw")):
        raise ValueError(
            f"draws have the dimensions {dict(posterior.sizes)}; 'chain' and 'draw' must be there "
            "and not be empty: pass what fit_or_load returned, unstacked"
        )
    component = parent(model)
    sizes = {}
    for term in component.terms.values():
        if not isinstance(term, OffsetTerm):
            sizes[term.alias or term.name] = dict(term.coords)
    known = set(sizes) | set(model.parameters)
    for term in component.group_specific_terms.values():
        known |= {
            f"{term.alias or term.name}_{term.hyperprior_alias.get(name, name)}"
            for name in term.prior.args
        }
    for name in posterior.data_vars:
        stem = str(name).removesuffix("_offset").removesuffix("_sigma")
        if name not in known and stem not in sizes:
            raise ValueError(
                f"the draws belong to another model: it has a parameter {name!r} that is not in "
                f"this one ({listing(sizes, most=20)})"
            )
    for name, coords in sizes.items():
        if name not in posterior:
            raise ValueError(f"the draws belong to another model: they have no parameter {name!r}")
        if not np.isfinite(posterior[name]).all():
            raise ValueError(f"the draws of {name!r} are not all finite; sample the model again")
        for dimension, levels in coords.items():
            found = posterior[name].coords.get(dimension)
            if found is None or list(found.to_numpy()) != list(levels):
                raise ValueError(
                    f"the draws belong to another model: {name!r} has other levels there; this "
                    f"model's are {listing(levels)}"
                )
    stored = {part: draws.attrs.get(f"digest_{part}") for part in ("formula", "priors", "data")}
    if all(stored.values()):
        differ = [part for part, found in model_digests(model).items() if stored[part] != found]
        if differ:
            raise ValueError(
                f"the draws belong to another model: they were sampled with another "
                f"{' and '.join(differ)}; fit this model first"
            )


def check_frame(model: bmb.Model, frame: pd.DataFrame, population: str | xr.DataArray) -> None:
    require_type(frame, pd.DataFrame, "frame")
    if frame.empty:
        raise ValueError("frame is empty; it needs one row for each cell")
    component = parent(model)
    predictors = predictor_names(model)
    require_columns(frame, predictors, "frame")
    counted = [] if isinstance(population, xr.DataArray) else [population]
    for column in counted:
        if not isinstance(column, Hashable):
            raise TypeError(
                f"population is of type {type(column).__name__}; pass the name of a column, or "
                "draws as an xarray DataArray"
            )
        require_columns(frame, [column], "frame")
        require_counts(frame[column], f"frame: column {column!r}")
    for column in predictors:
        if frame[column].isna().any():
            rows = frame.index[frame[column].isna()]
            raise ValueError(
                f"frame: column {column!r} is missing in {len(rows):,} cell(s), at index "
                f"{listing(rows, most=3)}; a join may have failed"
            )
        require_like(model.data[column], frame[column])
    cells = frame.drop(columns=counted)
    twice = cells.duplicated()
    if twice.any():
        example = cells[twice].iloc[0].to_dict()
        raise ValueError(
            f"frame lists {twice.sum():,} cell(s) more than once, such as {example}; sum their "
            f"{listing(counted) or 'draws'} first"
        )
    refuse_unseen_levels(component, frame)


def check_population(population: xr.DataArray, frame: pd.DataFrame, samples: int) -> None:
    """Refuse draws of a population that are not one number a row of the frame and draw."""
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


def require_like(seen: pd.Series, values: pd.Series) -> None:
    """Numbers stay numbers, and finite: an infinite predictor would give an estimate of nothing."""
    if not pd.api.types.is_numeric_dtype(seen):
        return
    if pd.api.types.is_string_dtype(values):
        raise TypeError(
            f"frame: column {values.name!r} is text and the model's is numeric; convert it with "
            "pd.to_numeric"
        )
    infinite = values.isin([np.inf, -np.inf])
    if infinite.any():
        rows = listing(values.index[infinite], most=3)
        raise ValueError(
            f"frame: column {values.name!r} is infinite in {infinite.sum():,} cell(s), at index "
            f"{rows}; mend it"
        )


def refuse_unseen_levels(component: DistributionalComponent, frame: pd.DataFrame) -> None:
    """A level without a common effect has no estimate, whatever `new_levels` says."""
    expressions = terms(component.design.common)
    expressions += [term.expr for term in terms(component.design.group)]
    for term in expressions:
        for column, levels in categories(term):
            refuse_unseen(
                frame,
                column,
                levels,
                "A common effect cannot be drawn for a new level: recode the frame",
            )


def refuse_unseen(frame: pd.DataFrame, column: str, levels: list[object], remedy: str) -> None:
    unseen = [level for level in frame[column].unique() if level not in levels]
    if unseen:
        raise ValueError(
            f"frame: column {column!r} has level {listing(unseen)}, which the model never saw; "
            f"its levels are {listing(levels)}. {remedy}"
        )


def categories(term: Any) -> Iterator[tuple[str, list[object]]]:
    """Yield categorical columns of a formula's term, plain or as C(column), with their levels."""
    for part in getattr(term, "components", []):
        if part.kind != "categoric":
            continue
        if isinstance(part, formulae.terms.variable.Variable):
            yield part.name, list(part.levels)
        elif part.call.callee == "C" and len(part.var_names) == 1:
            (column,) = part.var_names
            yield column, list(part.levels)
