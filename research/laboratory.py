"""The laboratory that every study works in: its people, its biased samples and its main model.

The respondents of the survey are the population, so the truth is exact. A sample is drawn from them
with a recipe of selection, and its number is its seed. A study stores one simulation at a time, so
that a run which is stopped goes on where it stopped.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import bambi as bmb
import numpy as np
import pandas as pd

from mrp_helpers import (
    PUBLISHED_SELECTION,
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    load_cces,
    load_state_predictors,
    selection_weights,
)
from tools.write import write_whole

NATION = "US"  # the name of the whole, beside those of the states

# Men twice as likely to be drawn as women, not four times; the old a little more than the young.
MILDER_BIAS = {
    "repvote": 5.0,
    "age": {"18-29": 0.5, "30-39": 0.7, "40-49": 1.0, "50-59": 1.5, "60-69": 2.0, "70+": 2.5},
    "male": {0.5: 5.0},
    "eth": {"White": 1.05},
}
# A man is drawn about six times as readily as a woman, and the old far more than the young.
STRONGER_BIAS = {
    "repvote": 5.0,
    "age": {"18-29": 0.5, "30-39": 1.0, "40-49": 2.0, "50-59": 6.0, "60-69": 15.0, "70+": 30.0},
    "male": {0.5: 80.0},
    "eth": {"White": 1.05},
}
RECIPES = {"milder": MILDER_BIAS, "published": PUBLISHED_SELECTION, "stronger": STRONGER_BIAS}

SLOPES = ["male", "repvote"]
GROUPS = ["state", "eth", "edu", "age", "male:eth", "edu:age", "edu:eth"]
INTERCEPT_SD = 1.5
GROUP_SD = 0.5

Levels = Mapping[str, Sequence[str]]
Work = Sequence[tuple[Path, Callable[[], pd.DataFrame]]]


# The population and its samples. Nobody may change these tables: they are made once.


@cache
def respondents() -> pd.DataFrame:
    """Give all complete respondents: they are the population."""
    return clean_cces(load_cces())


@cache
def states() -> pd.DataFrame:
    return load_state_predictors()


@cache
def frame() -> pd.DataFrame:
    """Give the cells of the population, sorted, with their counts and the states' predictors."""
    return in_cells(respondents())


def with_states(people: pd.DataFrame) -> pd.DataFrame:
    return people.merge(states(), on="state", validate="many_to_one")


def in_cells(people: pd.DataFrame) -> pd.DataFrame:
    """Count the people of each occupied cell, as the models read them."""
    return with_states(aggregate_cells(people))


@cache
def selection(recipe: str = "published") -> pd.Series:
    """Weigh each respondent by how readily a recipe draws him or her."""
    return selection_weights(respondents(), states(), RECIPES[recipe])


def biased_sample(seed: int, recipe: str = "published", people: int = 5000) -> pd.DataFrame:
    return draw_biased_sample(respondents(), selection(recipe), n=people, seed=seed)


@cache
def course_sample() -> pd.DataFrame:
    """Draw the one biased sample that chapters share."""
    return draw_biased_sample(respondents(), selection())


# The main model: as Bambi writes it, and the levels that other ways of writing it need.


def formula(
    groups: Sequence[str] = GROUPS,
    slopes: Sequence[str] = SLOPES,
    outcome: str = "p(abortion, n)",
) -> str:
    return f"{outcome} ~ " + " + ".join([*slopes, *(f"(1 | {group})" for group in groups)])


def main_model(
    data: pd.DataFrame, outcome: str = "p(abortion, n)", family: str = "binomial"
) -> bmb.Model:
    """Write down the course's main model of cells, or of respondents with another outcome."""
    sd = bmb.Prior("HalfNormal", sigma=GROUP_SD)
    priors = {f"1|{group}": bmb.Prior("Normal", mu=0, sigma=sd) for group in GROUPS}
    return bmb.Model(formula(outcome=outcome), data, family=family, priors=priors)


def labels(cells: pd.DataFrame, group: str) -> pd.Series:
    """Name the level of a group that each cell belongs to: ``CA``, or ``HS:18-29`` for a pair."""
    parts = [cells[column].astype(str) for column in group.split(":")]
    return parts[0].str.cat(parts[1:], sep=":")


def levels_of(cells: pd.DataFrame, groups: Sequence[str] = GROUPS) -> dict[str, list[str]]:
    """List the levels of each group, sorted."""
    return {group: sorted(labels(cells, group).unique()) for group in groups}


# Storing and resuming.


def append(rows: pd.DataFrame, path: Path) -> None:
    """Add a simulation to a file of results, all of its rows or none."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    write_whole(path, before + rows.to_csv(index=False, header=not before))


def stored_numbers(path: Path, columns: list[str]) -> set[tuple]:
    """List the simulations that a file of results holds."""
    if not path.is_file():
        return set()
    rows = pd.read_csv(path, usecols=columns)[columns]
    return set(rows.itertuples(index=False, name=None))


def work_through(work: Work, minutes: float = np.inf) -> bool:
    """Simulate and store one thing after the other; say whether there was time for all of them."""
    until = time.monotonic() + 60 * minutes
    for position, (path, simulate) in enumerate(work):
        left = len(work) - position
        if time.monotonic() > until:
            print(f"Stopped: {left:,} simulations are left; run it again to go on.")
            return False
        if position % 20 == 0:
            print(f"{left:,} simulations left", flush=True)
        append(simulate(), path)
    return True


def minutes_asked(description: str) -> float:
    """Read from the command line how long a study may go on: without a word, to its end."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop after so many minutes")
    return float(parser.parse_args().minutes)
