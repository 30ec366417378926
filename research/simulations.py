"""Repeat what chapters do for one sample over many samples, and store the results.

    python -m research.simulations     go on until everything is stored

There is one implementation, and it is the lesson: this script runs a chapter's code cells as far
as the one that defines the function it needs, and calls that function. The chapter loads what is
stored, and computes a part of it again. A sample's number is its seed.

Each sample is stored as soon as it is done: a run that is stopped, in whatever way, goes on from
there, and ends in the same bytes. After a change of a method, remove its file to start again. A
file that is not complete has no valid checksum, so that nobody loads it.

Results are in mrp_course/results, as whole numbers, so that they are the same on every machine.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import nbformat
import pandas as pd
import pyarrow as pa

from mrp_course.results import FOLDER as RESULTS
from mrp_course.results import SCORE_UNITS, SHARE_UNITS
from research.laboratory import stored_numbers, work_through
from tools.write import write_checksums, write_parquet

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
WORK = "08-does-it-work"
PARTY = "12-a-variable-the-census-lacks"
SCORES = RESULTS / "leave_one_out.parquet"


class Simulation(NamedTuple):
    """A function of a chapter that is called with the seeds 0, 1, ..., and how many of them."""

    chapter: str
    function: str
    samples: int = 200


SIMULATIONS = {
    "methods": Simulation(WORK, "all_scores"),
    "unsampled": Simulation(WORK, "unsampled_error"),
    "elpd_samples": Simulation(WORK, "elpd_of_sample", samples=20),
    "party": Simulation(PARTY, "corrected"),
    "assumptions": Simulation(PARTY, "broken"),
}


def chapter_names(chapter: str, until: str) -> dict[str, Any]:
    """Run a chapter's code cells, in order, until one has defined a name; return all names.

    The opening picture may show results that are about to be made; its imports are still needed.
    """
    matplotlib.use("Agg")  # the figures on the way are drawn for nobody
    names: dict[str, Any] = {}
    for cell in nbformat.read(CHAPTERS / f"{chapter}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            try:
                exec(compile(cell.source, f"{chapter}, {cell.id}", "exec"), names)
            except (FileNotFoundError, ValueError):  # not stored yet, or not to the end
                if cell.id != "opening":
                    raise
        if until in names:
            return names
    raise LookupError(f"no cell of {chapter} defines {until}")


def in_units(found: dict[str, float] | pd.DataFrame, seed: int) -> pd.DataFrame:
    """Turn what was found in one sample into rows of whole numbers, behind its seed."""
    rows = found.reset_index() if isinstance(found, pd.DataFrame) else pd.DataFrame([found])
    shares = rows.select_dtypes("number")
    rows[shares.columns] = (SHARE_UNITS * shares).round().astype(int)
    rows.insert(0, "seed", seed)
    return rows


def run(simulate: Callable[[int], Any], path: Path, samples: int) -> None:
    """Simulate the samples that are not stored yet, in the order of their seeds."""
    done = stored_numbers(path, ["seed"])
    left = [seed for seed in range(samples) if (seed,) not in done]
    work_through([(path, lambda seed=seed: in_units(simulate(seed), seed)) for seed in left])


def leave_one_out() -> pd.DataFrame:
    """Score each row under each model of chapter 8; it takes too short to be resumed."""
    names = chapter_names(WORK, until="row_scores")
    rows = []
    for model in names["models"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large k, which is stored
            for kind, scores in names["row_scores"](model).items():
                found = {"elpd": scores.elpd_i.to_numpy(), "k": scores.pareto_k.to_numpy()}
                rows.append(pd.DataFrame(found).assign(model=model, kind=kind))
    table = pd.concat(rows)[["model", "kind", "elpd", "k"]]
    table[["elpd", "k"]] = (SCORE_UNITS * table[["elpd", "k"]]).round().astype("int32")
    return table


def main() -> None:
    for name, simulation in SIMULATIONS.items():
        path = RESULTS / f"{name}.csv"
        if len(stored_numbers(path, ["seed"])) < simulation.samples:
            names = chapter_names(simulation.chapter, until=simulation.function)
            run(names[simulation.function], path, simulation.samples)
            write_checksums(RESULTS)
    if not SCORES.is_file():
        write_parquet(pa.Table.from_pandas(leave_one_out(), preserve_index=False), SCORES)
        write_checksums(RESULTS)
    print("All simulations are stored.")


if __name__ == "__main__":
    main()
