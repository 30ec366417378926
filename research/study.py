"""Draw hundreds of biased samples in the laboratory and let eight estimators try each.

    python -m research.study                                 on all cores of this machine
    python -m research.study --scheduler tcp://head:8786     on any Dask cluster
    python -m research.study --small FILE                    seven small samples, in seconds

Every sample has its number for a seed, so results do not depend on who computes them, or in which
order. Each is stored as soon as it is done: a run that is stopped, in whatever way, goes on from
there. When all are done they become one table, mrp_course/results/study.parquet, sorted, so that
a run which was stopped ends in the same bytes as one which was not.

A machine of a cluster needs the environment of requirements.lock and a clone of this project, in
whose folder its workers are started: .venv/bin/python -m distributed.cli.dask_worker ADDRESS
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client, LocalCluster, as_completed
from scipy.special import expit
from scipy.stats import norm

from mrp_course.results import FOLDER as RESULTS
from mrp_helpers import CELL, aggregate_cells, rake
from research import laboratory
from research.laboratory import GROUPS, NATION, RECIPES, SLOPES
from research.laplace import draw_coefficients, independent_model, multilevel_model
from tools.write import write_checksums, write_parquet

ROOT = Path(__file__).resolve().parent.parent
STORED = RESULTS / "study.parquet"
UNFINISHED = ROOT / "_study"

WEIGHTED = ["raw", "hajek", "raked", "cells"]
MODELLED = ["complete pooling", "fixed effects", "no repvote", "main model"]
ESTIMATORS = [*WEIGHTED, *MODELLED]
DRAWS = 1000
# Shares are stored in hundredths of a percentage point, and places in thousandths.
UNITS = 10_000
PLACES = 1_000
ORDER = ["recipe", "people", "sample", "estimator", "area"]
COLUMNS = ["asked", "estimate", "sd", "lower", "upper", "place", "place_people", "worth"]


class Scenario(NamedTuple):
    """How the samples of one part of the study are drawn, how many, and who estimates."""

    recipe: str
    people: int
    samples: int
    estimators: tuple[str, ...] = tuple(ESTIMATORS)


STUDY = [
    *(Scenario(recipe, 5000, 100) for recipe in RECIPES),
    *(Scenario("published", people, 10) for people in (1000, 2000, 10_000)),
]
SMALL = [
    Scenario("published", 300, 6, (*WEIGHTED, "complete pooling", "fixed effects")),
    Scenario("stronger", 300, 1),
]


# One sample.


def one_sample(scenario: Scenario, number: int) -> pd.DataFrame:
    """Draw a sample and let each estimator say what it thinks of the nation and the states."""
    frame, selection = laboratory.frame(), laboratory.selection(scenario.recipe)
    sample = laboratory.biased_sample(number, scenario.recipe, scenario.people)
    tables = {}
    for estimator in scenario.estimators:
        if estimator in WEIGHTED:
            weight = sample_weights(estimator, sample, selection, frame)
            tables[estimator] = weighted_estimates(sample, weight)
        else:
            rng = np.random.default_rng([number, MODELLED.index(estimator)])
            tables[estimator] = modelled_estimates(estimator, sample, frame, rng)
    rows = pd.concat(tables, names=["estimator", "area"])
    asked = by_area(sample.assign(one=1.0), "one").rename("asked")
    rows = rows.join(asked, on="area").reset_index()
    return in_units(rows.assign(recipe=scenario.recipe, people=scenario.people, sample=number))


def by_area(table: pd.DataFrame, column: str) -> pd.Series:
    """Sum a column in the nation and in each of the 50 states, present or not."""
    states = sorted(laboratory.states()["state"])
    totals = table.groupby("state")[column].sum().reindex(states, fill_value=0)
    return pd.concat([pd.Series({NATION: totals.sum()}), totals]).rename_axis("area")


@cache
def truth() -> pd.Series:
    frame = laboratory.frame()
    return by_area(frame, "abortion") / by_area(frame, "n")


# Estimators that weight respondents.


def sample_weights(
    estimator: str, sample: pd.DataFrame, selection: pd.Series, frame: pd.DataFrame
) -> pd.Series:
    """Give each respondent the weight of an estimator."""
    if estimator == "raw":
        return pd.Series(1.0, index=sample.index)
    if estimator == "hajek":
        return 1 / selection[sample.index]
    if estimator == "raked":
        return rake(sample, {column: margin(sample, frame, column) for column in CELL})
    # Cells that nobody answered are left out: nobody stands for the people in them.
    answered = sample.groupby(CELL).size().rename("answered")
    cell = sample[CELL].join(answered, on=CELL).join(frame.set_index(CELL)["n"], on=CELL)
    return cell["n"] / cell["answered"]


def margin(sample: pd.DataFrame, frame: pd.DataFrame, column: str) -> pd.Series:
    """The population's shares; a level that nobody in the sample has is left out."""
    people = frame.groupby(column)["n"].sum()
    present = people[people.index.isin(sample[column].unique())]
    return present / present.sum()


def weighted_estimates(sample: pd.DataFrame, weight: pd.Series) -> pd.DataFrame:
    """Weighted means of areas with the errors of `hajek_mean`, and the usual normal intervals.

    A state with fewer than two respondents gets the nation's estimate and error.
    """
    whole = sample.assign(state=NATION)
    both = pd.concat([whole, sample])[["state", "abortion"]].assign(
        weight=np.tile(weight.to_numpy(), 2)
    )
    both["weighted"] = both["weight"] * both["abortion"]
    area = both.groupby("state")
    total, n = area["weight"].sum(), area.size()
    mean = area["weighted"].sum() / total
    squares = (both["weight"] * (both["abortion"] - both["state"].map(mean))) ** 2
    few = n.index[n < 2]
    error = np.sqrt(n / (n - 1).clip(lower=1) * squares.groupby(both["state"]).sum()) / total
    table = pd.DataFrame({"estimate": mean, "sd": error}).drop(index=few).reindex(truth().index)
    table = table.fillna(table.loc[NATION])
    half = norm.ppf(0.975) * table["sd"]
    table["lower"], table["upper"] = table["estimate"] - half, table["estimate"] + half
    off = truth() - table["estimate"]
    # Where all answers agree the error is zero, and the interval a point.
    table["place"] = norm.cdf(off / table["sd"].where(table["sd"] > 0, 1e-9))
    return table


# Estimators that model them.


def modelled_estimates(
    estimator: str, sample: pd.DataFrame, frame: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Fit a model to the cells of a sample, and post-stratify its draws to the frame."""
    cells = laboratory.in_cells(sample)
    if estimator in ("complete pooling", "fixed effects"):
        columns = ["eth", "edu", "age"]
        columns = ["state", *columns] if estimator == "fixed effects" else columns
        model, design = independent_model(cells, frame, columns)
    else:
        slopes = SLOPES if estimator == "main model" else ["male"]
        model, design = multilevel_model(cells, frame, slopes, GROUPS)
    coefficients, worth = draw_coefficients(model, rng, DRAWS)
    table = poststratified(expit(design @ coefficients.T), sample, frame, rng)
    return table.assign(worth=round(worth))


def poststratified(
    p: np.ndarray, sample: pd.DataFrame, frame: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Summarise draws of each area, and the place of the truth among them.

    `place` is the share of draws of the expected share below the truth. `place_people` is the
    same for the share in the finite population: who answered keeps the answer, and the
    others' are drawn with the probability of their cell (as a sum, which is nearly normal).
    """
    known = frame[CELL].merge(aggregate_cells(sample), on=CELL, how="left").fillna(0)
    people, silent = frame["n"].to_numpy(), (frame["n"] - known["n"]).to_numpy()
    total = by_area(frame, "n").to_numpy()[:, None]
    expected = area_sums(people[:, None] * p, frame) / total
    answered = area_sums(known[["abortion"]].to_numpy(), frame)
    coins = area_sums(silent[:, None] * p, frame)
    spread = np.sqrt(area_sums(silent[:, None] * p * (1 - p), frame))
    realised = (answered + coins + spread * rng.standard_normal(coins.shape)) / total
    lower, upper = np.quantile(expected, [0.025, 0.975], axis=1)
    known_truth = truth().to_numpy()[:, None]
    return pd.DataFrame(
        {
            "estimate": expected.mean(axis=1),
            "sd": expected.std(axis=1, ddof=1),
            "lower": lower,
            "upper": upper,
            "place": (expected < known_truth).mean(axis=1),
            "place_people": (realised < known_truth).mean(axis=1),
        },
        index=truth().index,
    )


def area_sums(values: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    """Sum rows of cells into the nation and the states; the frame is sorted by state."""
    first = np.flatnonzero(~frame["state"].duplicated())
    return np.vstack([values.sum(axis=0), np.add.reduceat(values, first, axis=0)])


# Storing and going on.


def in_units(rows: pd.DataFrame) -> pd.DataFrame:
    """Round to the stored digits, as whole numbers: the same on every machine."""
    rows = rows.reindex(columns=[*ORDER, *COLUMNS])
    for column in ("estimate", "sd", "lower", "upper"):
        rows[column] = (UNITS * rows[column]).round().astype("Int16")
    for column in ("place", "place_people"):
        rows[column] = (PLACES * rows[column]).round().astype("Int16")
    small = {"people": "int16", "sample": "int16", "asked": "int16", "worth": "Int16"}
    return rows.astype(small)


def settings(scenarios: Iterable[Scenario]) -> str:
    """Everything that a stored row depends on, apart from which and how many there are."""
    asked = sorted({(one.recipe, one.people, one.estimators) for one in scenarios})
    return json.dumps({"recipes": RECIPES, "scenarios": asked, "draws": DRAWS}, sort_keys=True)


def stored_rows(results: Path, scenarios: list[Scenario]) -> list[pd.DataFrame]:
    """Rows of a finished table, and of the samples that an unfinished run has left."""
    found = []
    if results.is_file():
        table = pq.read_table(results)
        if table.schema.metadata[b"settings"].decode() != settings(scenarios):
            sys.exit(f"{results.name} was made with other settings; remove it to start again.")
        found.append(table.to_pandas(types_mapper={pa.int16(): pd.Int16Dtype()}.get))
    return found + [pd.read_pickle(part) for part in sorted(unfinished(results).glob("*.pkl"))]


def unfinished(results: Path) -> Path:
    """Folder of samples that are done, while others are not; each table has its own."""
    return UNFINISHED if results == RESULTS else results.with_suffix(".unfinished")


def keep(rows: pd.DataFrame, results: Path) -> None:
    """Store one sample, beside the target and renamed, so that it is there whole or not at all."""
    first = rows.iloc[0]
    folder = unfinished(results)
    folder.mkdir(exist_ok=True)
    part = folder / f"{first['recipe']}-{first['people']}-{first['sample']}.pkl"
    rows.to_pickle(part.with_suffix(".tmp"))
    part.with_suffix(".tmp").replace(part)


def finish(results: Path, scenarios: list[Scenario]) -> None:
    """Make one sorted table of all samples, and remove the files that held them."""
    rows = pd.concat(stored_rows(results, scenarios)).drop_duplicates(ORDER)
    ranks = {"recipe": list(RECIPES), "estimator": ESTIMATORS}
    ordered = rows.sort_values(
        ORDER,
        key=lambda column: column.map(ranks[column.name].index) if column.name in ranks else column,
    )
    table = pa.Table.from_pandas(ordered, preserve_index=False)
    for name in ("recipe", "estimator", "area"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(pa.string()))
    table = table.replace_schema_metadata({"settings": settings(scenarios)})
    write_parquet(table, results)
    for part in unfinished(results).glob("*"):
        part.unlink()
    unfinished(results).rmdir()


def work_to_do(scenarios: list[Scenario], results: Path) -> list[tuple[Scenario, int]]:
    """List the samples that are not stored: the common size first, its recipes in turn."""
    keys = ["recipe", "people", "sample"]
    done = {
        tuple(key)
        for rows in stored_rows(results, scenarios)
        for key in rows[keys].drop_duplicates().itertuples(index=False, name=None)
    }
    wanted = [(one, number) for one in scenarios for number in range(one.samples)]
    wanted.sort(key=lambda pair: (pair[0].people != 5000, pair[1]))
    return [(one, number) for one, number in wanted if (one.recipe, one.people, number) not in done]


def run(scenarios: list[Scenario], results: Path, client: Client) -> None:
    """Compute what is missing, store each sample when it comes, and make the table."""
    work = work_to_do(scenarios, results)
    if not work:
        print(f"All samples are in {results.name}.")
        return
    started = time.monotonic()
    futures = [client.submit(one_sample, *pair, pure=False, retries=2) for pair in work]
    for number, future in enumerate(as_completed(futures), start=1):
        keep(future.result(), results)
        future.release()
        pace = (time.monotonic() - started) / number
        left = f"about {pace * (len(work) - number) / 60:.0f} minutes left"
        print(f"\r{number} of {len(work)} samples, {left} ", end="", flush=True)
    print()
    finish(results, scenarios)
    print(f"All samples are in {results.name}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster to work on")
    parser.add_argument("--workers", type=int, help="processes on this machine: all cores")
    parser.add_argument("--small", metavar="FILE", type=Path, help="a small study, into FILE")
    asked = parser.parse_args()
    scenarios, results = (SMALL, asked.small) if asked.small else (STUDY, STORED)
    if asked.scheduler:
        with Client(asked.scheduler) as client:
            client.get_versions(check=True)
            run(scenarios, results, client)
    else:
        local = LocalCluster(n_workers=asked.workers, threads_per_worker=1, dashboard_address=None)
        with local, Client(local) as client:
            run(scenarios, results, client)
    if results == STORED:
        write_checksums(RESULTS)


if __name__ == "__main__":
    # Workers find functions by the name of their module, and this one is called __main__ here.
    from research import study

    study.main()
