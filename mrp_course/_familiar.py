"""Numbers of the course that an answer may turn out to be, whatever the task has asked for.

Shares of people and of support, in the sample, among all respondents and in the frames: if an
answer equals one of them, or the difference of two, the learner hears which.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from mrp_course._forms import EXACT, Form, Number, Numbers, Table
from mrp_course._patterns import NEAR
from mrp_course._spelling import spell

COLUMNS = ("state", "eth", "male", "age", "edu")


def familiar(form: Form, given: object) -> str:
    """Say which numbers of the course an answer is, or nothing."""
    if not isinstance(given, Numbers) or getattr(form, "any_scale", False):
        return ""
    if isinstance(form, Number | Table):
        form = replace(form, within=EXACT)
    if isinstance(form, Number):
        found = _same(form, given, _whole())
        return f"This number is {found}. The task asks for a different one." if found else ""
    if not isinstance(form, Table) or len(form.keys) != 1 or form.keys[0] not in COLUMNS:
        return ""
    known = [*people(form.keys[0]), *support(form.keys[0])]
    if found := _same(form, given, known):
        return f"These numbers are {found}. The task asks for different ones."
    found = _same(form, given, _differences(people(form.keys[0])))
    found = found or _same(form, given, _differences(support(form.keys[0])))
    return f"These numbers are {found}. The task asks for different ones." if found else ""


def _same(form: Form, given: Numbers, known: Any) -> str:
    for name, series in known:
        values = series.set_axis([spell(label) for label in series.index]).astype(float)
        if set(given.values.index) <= set(values.index):
            there = Numbers(values.reindex(given.values.index))
            if form.apart(given, there).max() <= NEAR:
                return str(name)
    return ""


def _differences(known: list[tuple[str, pd.Series]]) -> Iterator[tuple[str, pd.Series]]:
    for (one, first), (other, second) in permutations(known, 2):
        yield f"{one} minus {other}", first - second


@cache
def _whole() -> list[tuple[str, pd.Series]]:
    """Give support in the whole of each, as numbers with the label of a number."""
    world = import_module("mrp_course.tasks._world")
    everyone = world.respondents()
    weighted = np.average(everyone["abortion"], weights=everyone["commonweight"])
    numbers = {
        "support in the biased sample": world.sample()["abortion"].mean(),
        "support among all respondents, the truth of the laboratory": world.truth(),
        "support among all respondents, weighted by `commonweight`": weighted,
        "the estimate of MRP for the laboratory": _estimate(world.laboratory()),
        "the estimate of MRP for the census": _estimate(world.census()),
    }
    return [(name, pd.Series({"number": value})) for name, value in numbers.items()]


def _estimate(frame: pd.DataFrame) -> float:
    world = import_module("mrp_course.tasks._world")
    return float(world.main_estimates(frame)["estimate"].iloc[0])


@cache
def people(column: str) -> list[tuple[str, pd.Series]]:
    """Give each level's share of the people, in each collection of them."""
    world = import_module("mrp_course.tasks._world")
    census = world.census().groupby(column)["n"].sum()
    return [
        ("the shares of the biased sample", _shares(world.sample()[column])),
        ("the shares of all respondents", _shares(world.respondents()[column])),
        ("the shares of the census", census / census.sum()),
        ("the shares of the rows of the census frame", _shares(world.census()[column])),
    ]


def _shares(column: pd.Series) -> pd.Series:
    return column.value_counts(normalize=True)


@cache
def support(column: str) -> list[tuple[str, pd.Series]]:
    """Give support at each level, as each way of averaging has it."""
    world = import_module("mrp_course.tasks._world")
    cells = world.cells()
    everyone = world.respondents().eval("weighted = abortion * commonweight").groupby(column)
    weighted = everyone["weighted"].sum() / everyone["commonweight"].sum()
    each_cell = (cells["abortion"] / cells["n"]).groupby(cells[column]).mean()
    mrp = {
        name: world.main_estimates(frame, by=column).set_index(column)["estimate"]
        for name, frame in (("laboratory", world.laboratory()), ("census", world.census()))
    }
    return [
        ("support in the biased sample", world.raw(column)),
        ("support among all respondents, the truth of the laboratory", world.truth(column)),
        ("support among all respondents, weighted by `commonweight`", weighted),
        ("the means of the sample's cells, each counting once", each_cell),
        ("the estimates of MRP for the laboratory", mrp["laboratory"]),
        ("the estimates of MRP for the census", mrp["census"]),
    ]
