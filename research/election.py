"""Ask how much of an added selection raking and MRP take out, over many samples of voters.

    python -m research.election               go on until all samples are stored
    python -m research.election --minutes 5   stop after five minutes; the next run goes on

Chapter 11 draws one biased sample of 5,000 from the survey's voters. One sample is one draw, so
this script repeats the draw and scores four estimators against the official result: the sample as
it is, raked, and two multilevel models, without and with the state's composition. The names it
needs are the chapter's own, found by running its cells as far as the recipe of selection.

Models are fitted by `research/laplace.py`; the chapter compares one sample with the sampler. The
results are in mrp_course/results. A sample's number is its seed.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from formulae import design_matrices
from scipy import sparse
from scipy.special import expit

from mrp_course.results import FOLDER
from mrp_helpers import aggregate_cells, draw_biased_sample, rake
from research.laboratory import minutes_asked, stored_numbers, work_through
from research.laplace import LEVEL_SD, counted_model, draw_coefficients
from research.simulations import chapter_names
from tools.write import write_checksums

CHAPTER = "11-an-election-that-was-counted"
FILE = FOLDER / "election.csv"
# The chapter's own sample beside those that are numbered from zero.
SAMPLES = [*range(30), 1000]
SCORES = ["mae", "mean error", "width", "coverage", "right winner"]


def draws_of_cells(
    people: pd.DataFrame, frame: pd.DataFrame, terms: str, rng: np.random.Generator
) -> np.ndarray:
    """Draws of the probability of the answer in each cell of the frame, (cells x draws)."""
    cells = aggregate_cells(people, outcome="trump")
    extra = frame.columns.difference([*cells.columns, "n"])
    cells = cells.merge(frame[["state", *extra]].drop_duplicates("state"), on="state")
    common = design_matrices(terms, cells).common
    rows = common.design_matrix
    means = np.concatenate([[0.0], rows[:, 1:].mean(axis=0)])  # the intercept is of the mean cell
    states = np.unique(frame["state"])
    design, of_frame = (
        sparse.csr_array(np.hstack([matrix - means, table["state"].to_numpy()[:, None] == states]))
        for matrix, table in [(rows, cells), (common.evaluate_new_data(frame).design_matrix, frame)]
    )
    fixed_sd = np.concatenate([[LEVEL_SD], np.ones(rows.shape[1] - 1), np.ones(len(states))])
    group = np.repeat([-1, 0], [rows.shape[1], len(states)])
    counted = cells.rename(columns={"trump": "abortion"})  # the engine's name for an answer
    coefficients, _ = draw_coefficients(counted_model(counted, design, fixed_sd, group), rng)
    return expit(of_frame @ coefficients.T)


def one_sample(chapter: dict[str, Any], number: int) -> pd.DataFrame:
    """Score the four estimators in one sample; one row each."""
    voters, frame, average = chapter["voters"], chapter["frame"], chapter["average"]
    sample = draw_biased_sample(voters, chapter["biased_weights"], seed=number)
    margins = {
        column: average.groupby(frame[column]).sum()
        for column in ["state", "eth", "male", "age", "edu"]
    }
    weights = {"unweighted": pd.Series(1.0, index=sample.index), "raked": rake(sample, margins)}
    rows = {}
    for name, weight in weights.items():
        table = chapter["direct"](sample, weight)
        nation = np.average(sample["trump"], weights=weight)
        rows[name] = chapter["scores"](table)[SCORES].to_dict() | {"nation": 100 * nation}
    described = frame.merge(chapter["scaled"].reset_index(), on="state", validate="many_to_one")
    people = average.to_numpy()[:, None]
    terms = chapter["terms"]
    for name, formula in {"MRP": terms, "MRP + composition": f"{terms} + white + degree"}.items():
        p = draws_of_cells(sample, described, formula, np.random.default_rng([number, 11]))
        in_states = pd.DataFrame(people * p).groupby(frame["state"].to_numpy()).sum()
        share = in_states.div(average.groupby(frame["state"]).sum(), axis=0)
        nation = (people * p).sum(axis=0).mean() / people.sum()
        table = chapter["summary"](share)
        rows[name] = chapter["scores"](table)[SCORES].to_dict() | {"nation": 100 * nation}
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("estimator").reset_index()
    found.insert(0, "seed", number)
    return found.round(3)


def main() -> None:
    minutes = minutes_asked(__doc__.splitlines()[0])
    left = [n for n in SAMPLES if (n,) not in stored_numbers(FILE, ["seed"])]
    if left:
        chapter = chapter_names(CHAPTER, until="scaled")
        if work_through([(FILE, partial(one_sample, chapter, n)) for n in left], minutes):
            write_checksums(FOLDER)
    print(f"Stored: {len(stored_numbers(FILE, ['seed']))} of {len(SAMPLES)} samples.")


if __name__ == "__main__":
    main()
