"""Rebuild a known frame from its margins in several ways, and score what was rebuilt.

    python -m research.frames               go on until all samples are stored
    python -m research.frames --minutes 5   stop after five minutes; the next run goes on

The frame is the census's, 12,000 cells that are known here and taken for unknown. Three sets of
tables are published in its place: national margins; a margin of each column by state; or people by
state, ethnicity, gender and age at once, with a margin of education by state. What the tables do
not say comes from nowhere (the columns are taken to be independent), from a survey of 5,000 (or of
all 59,810) whose cells are raked to the tables, or from a multilevel model of education in it.

A frame is scored by the share of people whom it puts into a wrong cell, and by what it changes
in the estimates of the course's main model. The results are in mrp_course/results. A sample's
number is its seed.
"""

from collections.abc import Iterator
from functools import cache, partial

import numpy as np
import pandas as pd
from scipy.special import expit

from mrp_course.results import FOLDER
from mrp_course.tasks import _world as world
from mrp_helpers import CELL, LEVELS, draw_biased_sample, poststratify_draws, rake
from research import laboratory
from research.laboratory import minutes_asked, stored_numbers, work_through
from research.laplace import draw_coefficients, multilevel_model
from tools.write import write_checksums

FILE = FOLDER / "frames.csv"
SAMPLES = 100
PEOPLE = 5000
SMOOTHING = 500  # people added to a survey, spread as if its columns were independent
DRAWS = 200
PERSON = ["eth", "male", "age"]
TABLES = {
    "national margins": [[column] for column in CELL],
    "margins by state": [["state", column] for column in CELL if column != "state"],
    "people by state": [["state", *PERSON], ["state", "edu"]],
}
GROUPS = ["state", "eth", "age", "eth:age"]
SUBGROUPS = {"edu_age": ["edu", "age"], "eth_edu": ["eth", "edu"]}


# What is published, and what a survey adds.


@cache
def census() -> pd.DataFrame:
    """Give the frame with each cell's expected support under the course's main model."""
    frame = world.census()
    # One person in each cell, as some are empty and would have no mean.
    draws = poststratify_draws(
        world.main_model(), world.draws("hierarchical"), frame.assign(n=1), by=CELL
    )
    support = draws.mean("sample")
    return frame.join(pd.Series(support.to_numpy(), support.indexes["group"], name="p"), on=CELL)


def survey(kind: str, number: int) -> pd.DataFrame:
    """Draw 5,000 respondents, at random or with the course's biased selection."""
    people = laboratory.respondents()
    equal = pd.Series(1.0, index=people.index)
    readiness = equal if kind == "random" else laboratory.selection()
    return draw_biased_sample(people, readiness, n=PEOPLE, seed=number)


def joint_of(sample: pd.DataFrame) -> pd.Series:
    """Count the respondents of each nation-wide cell, a little smoothed, for each frame cell."""
    columns, frame = [*PERSON, "edu"], census()
    counted = sample.groupby(columns).size().rename("seed")
    independent = pd.Series(float(SMOOTHING), index=frame.index)
    for column in columns:
        independent *= frame[column].map(sample[column].value_counts(normalize=True))
    return frame[columns].join(counted, on=columns)["seed"].fillna(0) + independent


def raked(seed: pd.Series, tables: list[list[str]]) -> pd.Series:
    """Scale a seed until the frame has the published tables; counts of people."""
    frame = census()
    margins = {tuple(table): frame.groupby(table)["n"].sum() for table in tables}
    margins = {key if len(key) > 1 else key[0]: margin for key, margin in margins.items()}
    weight = rake(frame, margins, base_weight=seed, tol=1e-6)
    return weight * frame["n"].sum() / len(frame)


def education_model(sample: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Draw the shares of education among the people of each frame cell, (cells x draws).

    One multilevel model a step: of those who got as far as a level, how many stopped there?
    """
    frame = census()
    people = frame.drop_duplicates(["state", *PERSON])
    level = sample["edu"].map(LEVELS["edu"].index)
    left, shares = np.ones((len(people), DRAWS)), {}
    for step, name in enumerate(LEVELS["edu"][:-1]):
        reached = sample[level >= step].assign(abortion=(level == step).astype(int))
        model, design = multilevel_model(laboratory.in_cells(reached), people, ["male"], GROUPS)
        stopped = expit(design @ draw_coefficients(model, rng, DRAWS)[0].T)
        shares[name], left = left * stopped, left * (1 - stopped)
    shares[LEVELS["edu"][-1]] = left
    row = pd.MultiIndex.from_frame(people[["state", *PERSON]]).get_indexer(
        pd.MultiIndex.from_frame(frame[["state", *PERSON]])
    )
    found = np.empty((len(frame), DRAWS))
    for name, share in shares.items():
        here = (frame["edu"] == name).to_numpy()
        found[here] = share[row[here]]
    return found


# One sample, and its scores.


def frames(number: int) -> Iterator[tuple[str, str, pd.Series]]:
    """Give tables, seed and counts of every frame that a sample, or none, allows."""
    frame = census()
    if number == 0:
        for name, tables in TABLES.items():
            yield name, "independence", raked(pd.Series(1.0, index=frame.index), tables)
            yield name, "all respondents", raked(joint_of(laboratory.respondents()), tables)
    for kind in ("random", "biased"):
        sample = survey(kind, number)
        for name, tables in TABLES.items():
            yield name, f"{kind} survey", raked(joint_of(sample), tables)
        share = education_model(sample, np.random.default_rng([number, 17]))
        people = frame.groupby(["state", *PERSON])["n"].transform("sum")
        modelled = people * share.mean(axis=1)
        yield "people by state, no education", f"model of a {kind} survey", modelled
        tables = TABLES["people by state"]
        yield "people by state", f"model of a {kind} survey", raked(modelled, tables)


def scored(number: int) -> pd.DataFrame:
    """Score every frame of a sample; one row each, all scores in points."""
    frame = census()
    right = frame["n"]
    rows = []
    for tables, seed, counts in frames(number):
        change = {
            name: (_support(counts, by) - _support(right, by)).abs()
            for name, by in {"states": ["state"], **SUBGROUPS}.items()
        }
        rows.append(
            {
                "seed": number,
                "tables": tables,
                "source": seed,
                "misplaced": (counts - right).abs().sum() / right.sum() / 2,
                "nation": np.average(frame["p"], weights=counts)
                - np.average(frame["p"], weights=right),
                **{name: values.mean() for name, values in change.items()},
                "worst_state": change["states"].max(),
            }
        )
    found = pd.DataFrame(rows)
    numbers = found.columns[3:]
    found[numbers] = 100 * found[numbers]
    return found.round(4)


def _support(counts: pd.Series, by: list[str]) -> pd.Series:
    """Expected support of each group of a frame with these counts."""
    groups = [census()[column] for column in by]
    return (counts * census()["p"]).groupby(groups).sum() / counts.groupby(groups).sum()


def main() -> None:
    minutes = minutes_asked(__doc__.splitlines()[0])
    done = stored_numbers(FILE, ["seed"])
    left = [number for number in range(SAMPLES) if (number,) not in done]
    if work_through([(FILE, partial(scored, number)) for number in left], minutes):
        write_checksums(FOLDER)


if __name__ == "__main__":
    main()
