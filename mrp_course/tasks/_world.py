"""The tables and stored fits that several tasks ask for, each made once.

Nobody may change what these functions return: every task sees the same object.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import bambi as bmb
import pandas as pd
import xarray as xr

from mrp_course import posteriors
from mrp_helpers.data import load_cces, load_poststrat_frame, load_state_predictors
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.recode import CELL, clean_cces
from mrp_helpers.sample import aggregate_cells, draw_biased_sample, selection_weights

GROUPS = ("state", "eth", "edu", "age", "male:eth", "edu:age", "edu:eth")


@cache
def raw_survey() -> pd.DataFrame:
    return load_cces()


@cache
def respondents() -> pd.DataFrame:
    """The population of the laboratory."""
    return clean_cces(raw_survey())


def truth(by: str | list[str] | None = None) -> Any:
    """Support in the laboratory: one number, or one a level of the columns ``by``."""
    support = respondents()["abortion"]
    return support.mean() if by is None else respondents().groupby(by)["abortion"].mean()


@cache
def states() -> pd.DataFrame:
    return load_state_predictors()


@cache
def laboratory() -> pd.DataFrame:
    """The frame of the laboratory: its cells, their counts and the states' predictors."""
    return with_states(aggregate_cells(respondents()))


@cache
def census() -> pd.DataFrame:
    """The frame of the real world, with the states' predictors."""
    return with_states(load_poststrat_frame())


@cache
def sample() -> pd.DataFrame:
    """The course's biased sample of 5,000."""
    return draw_biased_sample(respondents(), selection_weights(respondents(), states()))


def raw(by: str) -> pd.Series:
    """Support in the biased sample, as it came, at each level of a column."""
    return sample().groupby(by)["abortion"].mean()


@cache
def cells() -> pd.DataFrame:
    """The occupied cells of the biased sample, as the models are fitted to them."""
    return with_states(aggregate_cells(sample()))


def instead(right: pd.Series, **changed: object) -> pd.Series:
    """Copy an answer of several values with some of them changed, as mistakes often are."""
    answer = right.copy()
    for name, value in changed.items():
        answer[name] = value
    return answer


def margins(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """People at each level of the five columns, as raking takes them."""
    return {column: frame.groupby(column)["n"].sum() for column in CELL}


def named(holds: pd.Series) -> list[str]:
    """List the names of those for which a condition holds."""
    return list(holds.index[holds])


def with_states(table: pd.DataFrame) -> pd.DataFrame:
    return table.merge(states(), on="state", validate="many_to_one")


def multilevel(
    data: pd.DataFrame,
    groups: Sequence[str] = GROUPS,
    common: str = "male + repvote",
    outcome: str = "abortion",
    group_sd: float = 0.5,
) -> bmb.Model:
    """Write down the course's main model, or one that differs in what is named here."""
    effect = bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=group_sd))
    formula = f"p({outcome}, n) ~ {common} + " + " + ".join(f"(1 | {group})" for group in groups)
    priors = {f"1|{group}": effect for group in groups}
    return bmb.Model(formula, data, family="binomial", priors=priors)


@cache
def fit(name: str) -> xr.DataTree:
    """Read a fit that ships with the course, for tasks about this very run of the sampler."""
    return xr.load_datatree(posteriors.FOLDER / f"{name}.nc", engine="h5netcdf")


def draws(name: str) -> xr.DataTree:
    """Give the draws of a fit, for tasks to which another run of the sampler is as good."""
    return fit(name)


@cache
def main_model() -> bmb.Model:
    return multilevel(cells())


def main_draws(frame: pd.DataFrame, by: str | list[str] | None = None) -> xr.DataArray:
    """Post-stratify the main model to a frame: draws of each group."""
    return poststratify_draws(main_model(), draws("hierarchical"), frame, by=by)


def main_estimates(frame: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """Post-stratify the main model to a frame: estimate and interval of each group."""
    return poststratify(main_model(), draws("hierarchical"), frame, by=by)
