"""Repeat results of chapters 7 to 9 over samples that estimate their own standard deviations.

    python -m research.own_sds               go on until all samples are stored
    python -m research.own_sds --minutes 5   stop after five minutes; the next run goes on

The shortcut of chapter 8 keeps the standard deviations of the effects from the course's sample.
Here each sample estimates them, by `research/laplace.py`:

``own_sds``    how far the most Republican third of the states is from the least, by ethnicity
               (chapter 9), and the main model's error in the cells that nobody reached (chapter 7)
``own_elpd``   the leave-one-out score by cell of the six models of chapter 8
``held_out``   intervals for the four states that chapter 7 leaves out, with their effect set to
               zero and drawn: how many cover the truth, and how wide they are

The results are in mrp_course/results, as whole numbers. A sample's number is its seed.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit
from scipy.stats import binom

from mrp_course.results import FOLDER, SHARE_UNITS
from mrp_helpers import CELL
from research import laboratory
from research.laboratory import GROUPS, SLOPES, minutes_asked, stored_numbers, work_through
from research.laplace import draw_coefficients, independent_model, multilevel_model
from tools.write import write_checksums

DRAWS = 1000
SCORED = 500  # draws of which each row's leave-one-out score is made
HELD_OUT = ["MA", "MN", "SC", "WA"]
MODELS = {
    "additive": (SLOPES, [group for group in GROUPS if ":" not in group]),
    "main model": (SLOPES, GROUPS),
    "no age": (SLOPES, [group for group in GROUPS if "age" not in group]),
    "no repvote": (["male"], GROUPS),
    "region": (SLOPES, [*GROUPS, "region"]),
}


def cells_of(seed: int) -> pd.DataFrame:
    return laboratory.in_cells(laboratory.biased_sample(seed))


def counts_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Count who was asked and who supports in each cell of the frame, sampled or not."""
    counts = cells[[*CELL, "n", "abortion"]]
    return laboratory.frame()[CELL].merge(counts, on=CELL, how="left").fillna(0)


def support_of_cells(
    cells: pd.DataFrame, slopes: Sequence[str], groups: Sequence[str], seed: int
) -> np.ndarray:
    """Draw expected support in each cell of the frame, (cells x draws)."""
    model, of_frame = multilevel_model(cells, laboratory.frame(), slopes, groups)
    rng = np.random.default_rng([seed, len(groups)])
    coefficients, _ = draw_coefficients(model, rng, DRAWS)
    return np.asarray(expit(of_frame @ coefficients.T))


# By ethnicity, and in unsampled cells.


@cache
def third() -> pd.Series:
    """Divide the states into thirds by their vote, and give the third of each cell's state."""
    vote = laboratory.states().set_index("state")["repvote"]
    thirds = pd.qcut(vote, 3, labels=["low", "middle", "high"]).astype(str)
    return laboratory.frame()["state"].map(thirds)


def steps_by_ethnicity(support: np.ndarray) -> pd.Series:
    """Subtract the least Republican third of the states from the most Republican one."""
    frame = laboratory.frame()
    weighted = frame.assign(support=frame["n"] * support, third=third())
    sums = weighted.groupby(["eth", "third"])[["support", "n"]].sum()
    shares = (sums["support"] / sums["n"]).unstack("third")
    return shares["high"] - shares["low"]


def main_model(seed: int) -> Mapping[str, float]:
    cells, frame = cells_of(seed), laboratory.frame()
    expected = support_of_cells(cells, SLOPES, GROUPS, seed).mean(axis=1)
    unseen = counts_of(cells)["n"].to_numpy() == 0
    left = frame[unseen]
    truth = left["abortion"].sum() / left["n"].sum()
    error = np.average(expected[unseen], weights=left["n"]) - truth
    return {**steps_by_ethnicity(expected), "unsampled": error}


# Leave-one-out scores.


def elpd(support: np.ndarray, n: np.ndarray, yes: np.ndarray) -> float:
    """Score draws of the sampled cells by leaving out one cell at a time."""
    kept = support[:, :: DRAWS // SCORED].T
    log_p = (("chain", "draw", "row"), binom.logpmf(yes, n, kept)[None])
    tree = xr.DataTree.from_dict({"log_likelihood": xr.Dataset({"abortion": log_p})})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of single cells with a large k
        return float(az.loo(tree, reff=1.0).elpd)


def six_models(seed: int) -> Mapping[str, float]:
    cells = cells_of(seed)
    unpooled, of_frame = independent_model(
        cells, laboratory.frame(), ["state", "eth", "edu", "age"]
    )
    coefficients, _ = draw_coefficients(unpooled, np.random.default_rng([seed, 0]), DRAWS)
    support = {"fixed effects": np.asarray(expit(of_frame @ coefficients.T))}
    for name, (slopes, groups) in MODELS.items():
        support[name] = support_of_cells(cells, slopes, groups, seed)
    n, yes = (counts_of(cells)[column].to_numpy() for column in ["n", "abortion"])
    seen = n > 0
    return {name: elpd(p[seen], n[seen], yes[seen]) for name, p in support.items()}


# States without respondents.


def without_states(seed: int) -> Mapping[str, float]:
    """Treat the effects of four states in two ways: zero, and drawn as any state's."""
    cells, frame = cells_of(seed), laboratory.frame()
    cells = cells[~cells["state"].isin(HELD_OUT)]
    model, of_frame = multilevel_model(cells, frame, SLOPES, GROUPS)
    drawn, _ = draw_coefficients(model, np.random.default_rng([seed, 46]), DRAWS)
    zero = drawn.copy()
    states = sorted(frame["state"].unique())
    first = 1 + len(SLOPES)  # the states come first among the groups
    zero[:, [first + states.index(state) for state in HELD_OUT]] = 0
    found: dict[str, float] = {}
    for way, coefficients in {"zero": zero, "draw": drawn}.items():
        support = expit(of_frame @ coefficients.T)
        covered, widths = [], []
        for state in HELD_OUT:
            here = (frame["state"] == state).to_numpy()
            people = frame.loc[here, "n"]
            lower, upper = np.quantile(
                np.average(support[here], axis=0, weights=people), [0.025, 0.975]
            )
            covered.append(lower <= frame.loc[here, "abortion"].sum() / people.sum() <= upper)
            widths.append(upper - lower)
        found |= {f"{way} covers": np.mean(covered), f"{way} width": np.mean(widths)}
    return found


# Storing and resuming.


class Repeated(NamedTuple):
    """What is computed in each of the samples 0, 1, ..., and in how many."""

    compute: Callable[[int], Mapping[str, float]]
    samples: int


RESULTS = {
    "own_sds": Repeated(main_model, 60),
    "own_elpd": Repeated(six_models, 20),
    "held_out": Repeated(without_states, 40),
}


def in_units(found: Mapping[str, float], seed: int) -> pd.DataFrame:
    """Turn what was found in one sample into one row of whole numbers, behind its seed."""
    rows = (SHARE_UNITS * pd.DataFrame([found])).round().astype(int)
    rows.insert(0, "seed", seed)
    return rows


def one_sample(name: str, seed: int) -> pd.DataFrame:
    return in_units(RESULTS[name].compute(seed), seed)


def main() -> None:
    minutes = minutes_asked(__doc__.splitlines()[0])
    work = []
    for name, repeated in RESULTS.items():
        path = FOLDER / f"{name}.csv"
        done = stored_numbers(path, ["seed"])
        left = [seed for seed in range(repeated.samples) if (seed,) not in done]
        work += [(path, partial(one_sample, name, seed)) for seed in left]
    if work and work_through(work, minutes):
        write_checksums(FOLDER)


if __name__ == "__main__":
    main()
