"""Ask over many leaning samples where a structured prior pays.

    python -m research.structured               go on until both studies are complete
    python -m research.structured --minutes 5   stop after five minutes, to be gone on with later

*Ages*: all but a few respondents of one age are taken out of a sample; how far off is that age
under independent effects, and how far when ages are a random walk? *States*: how far off are they
without a predictor, with regions, with their votes, with both?

A fit takes about two seconds and not a minute, since the answers are replaced by normal ones: at
the mode of the effects the likelihood is as curved as that of a linear regression, and given the
standard deviations of the effects, a linear regression has its posterior in closed form. The
standard deviations themselves are sampled, afresh for each sample.
`tests/research/test_structured.py` compares the results with the sampler's.

The results stand in mrp_course/results. A sample's number is its seed.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import block_diag, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit

from mrp_course.results import FOLDER
from mrp_helpers import (
    CELL,
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    load_cces,
    load_state_predictors,
    selection_weights,
)
from research.calibrate import append
from research.plain_model import GROUP_SD, GROUPS, INTERCEPT_SD, labels
from tools.write import write_checksums

ROOT = Path(__file__).resolve().parent.parent

SAMPLES = {"ages": 11, "states": 11}
KEPT = [0, 10, 40]  # respondents left of a thinned age
AGES = {"18-29": KEPT, "40-49": KEPT}
SWEEPS, WARM_UP = 250, 30


class Setting(NamedTuple):
    """A model: its slopes, its groups, and the groups whose effects walk over the ages."""

    slopes: tuple[str, ...] = ("male", "repvote")
    groups: tuple[str, ...] = tuple(GROUPS)
    walks: tuple[str, ...] = ()


MODELS = {
    "independent": Setting(),
    "walk": Setting(walks=("age", "edu:age")),
    "neither": Setting(slopes=("male",)),
    "region": Setting(slopes=("male",), groups=(*GROUPS, "region")),
    "repvote": Setting(),
    "both": Setting(groups=(*GROUPS, "region")),
}


class Design(NamedTuple):
    """Columns for all cells of the laboratory; which group each belongs to, -1 for none."""

    columns: np.ndarray
    group: np.ndarray
    fixed_sd: np.ndarray


@cache
def laboratory() -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """The respondents, who are the population; their weights of selection; all their cells."""
    respondents, states = clean_cces(load_cces()), load_state_predictors()
    cells = aggregate_cells(respondents).merge(states, on="state", validate="many_to_one")
    return respondents, selection_weights(respondents, states), cells


def walk_basis(levels: int) -> np.ndarray:
    """Matrix that turns independent steps into a path with mean zero."""
    path = np.tril(np.ones((levels, levels)))
    return path - path.mean(axis=0)


@cache
def design(name: str) -> Design:
    _, _, cells = laboratory()
    setting = MODELS[name]
    slopes = cells[list(setting.slopes)].to_numpy()
    slopes = slopes - slopes.mean(axis=0)
    blocks = [np.ones((len(cells), 1)), slopes]
    # As in Bambi, the prior of a slope is one over its predictor's standard deviation wide.
    fixed = [INTERCEPT_SD, *(1 / slopes.std(axis=0))]
    group = [-1] * len(fixed)
    for number, term in enumerate(setting.groups):
        dummies = pd.get_dummies(labels(cells, term), dtype=float)
        block = dummies.to_numpy()
        if term in setting.walks:
            # Levels are sorted, with the age last: one walk for each level of the other column.
            ages = cells["age"].nunique()
            block = block @ block_diag(*[walk_basis(ages)] * (block.shape[1] // ages))
        blocks.append(block)
        group += [number] * block.shape[1]
    fixed += [1.0] * (len(group) - len(fixed))
    return Design(np.hstack(blocks), np.array(group), np.array(fixed))


def scales(log_sd: np.ndarray, made: Design) -> np.ndarray:
    """Prior standard deviation of each column's coefficient."""
    return np.where(made.group < 0, made.fixed_sd, np.exp(log_sd)[made.group])


def as_normal(
    x: np.ndarray, asked: np.ndarray, yes: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the mode by Newton's method; return the linear regression that is curved as much."""
    effects = np.zeros(x.shape[1])
    for _ in range(8):
        predictor = x @ effects
        p = expit(predictor)
        weight = asked * p * (1 - p)
        precision = (x.T * weight) @ x
        linear = x.T @ (weight * predictor + yes - asked * p)
        inner = np.eye(len(scale)) + scale[:, None] * precision * scale
        effects = scale * np.linalg.solve(inner, scale * linear)
    return precision, linear


def log_posterior(log_sd: np.ndarray, made: Design, precision: np.ndarray, linear: np.ndarray):
    """Log density of the groups' standard deviations, with the effects integrated out."""
    scale = scales(log_sd, made)
    inner = np.eye(len(scale)) + scale[:, None] * precision * scale
    root = cholesky(inner, lower=True, check_finite=False)
    explained = solve_triangular(root, scale * linear, lower=True, check_finite=False)
    prior = (log_sd - np.exp(2 * log_sd) / (2 * GROUP_SD**2)).sum()
    return prior - np.log(np.diag(root)).sum() + explained @ explained / 2


def slice_sweep(
    at: np.ndarray, log_density: Callable[[np.ndarray], float], rng: np.random.Generator
) -> np.ndarray:
    """Update one coordinate after the other by slice sampling."""
    at, height = at.copy(), log_density(at)
    for number in range(len(at)):
        floor = height - rng.exponential()
        start, step = at[number], np.eye(len(at))[number]
        low = start - 2 * rng.random()
        high = low + 2
        while log_density(at + (low - start) * step) > floor:
            low -= 2
        while log_density(at + (high - start) * step) > floor:
            high += 2
        while True:
            proposal = at + (rng.uniform(low, high) - start) * step
            height = log_density(proposal)
            if height > floor:
                break
            low, high = (
                (proposal[number], high) if proposal[number] < start else (low, proposal[number])
            )
        at = proposal
    return at


def draws_of_cells(name: str, sample: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Draws of the expected answer in each cell of the laboratory, (cells x draws)."""
    _, _, cells = laboratory()
    made = design(name)
    counts = aggregate_cells(sample).set_index(CELL)
    counts = counts.reindex(pd.MultiIndex.from_frame(cells[CELL]), fill_value=0)
    answered = (counts["n"] > 0).to_numpy()
    data = made.columns[answered], *counts.loc[answered, ["n", "abortion"]].to_numpy().T
    log_sd = np.full(made.group.max() + 1, np.log(0.2))
    for _ in range(4):  # the mode depends on the standard deviations, and they on the mode
        precision, linear = as_normal(*data, scales(log_sd, made))
        known = made, precision, linear
        log_sd = minimize(lambda at: -log_posterior(at, *known), log_sd, method="L-BFGS-B").x  # noqa: B023
    effects = []
    for sweep in range(WARM_UP + SWEEPS):
        log_sd = slice_sweep(log_sd, lambda at: log_posterior(at, *known), rng)
        if sweep >= WARM_UP:
            effects.append(one_draw(scales(log_sd, made), precision, linear, rng))
    return expit(made.columns @ np.array(effects).T)


def one_draw(
    scale: np.ndarray, precision: np.ndarray, linear: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw all effects, given the standard deviations."""
    root = cholesky(np.eye(len(scale)) + scale[:, None] * precision * scale, lower=True)
    half = solve_triangular(root, scale * linear, lower=True)
    return scale * solve_triangular(root.T, half + rng.standard_normal(len(half)))


def summary(p: np.ndarray, sample: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Estimates and 95 % intervals of groups, with the truth and how many were asked."""
    _, _, cells = laboratory()
    group = cells.groupby(list(by))
    code, people = group.ngroup().to_numpy(), cells["n"].to_numpy()
    member = (code == np.arange(group.ngroups)[:, None]) * people
    shares = (member @ p) / member.sum(axis=1, keepdims=True)
    lower, upper = np.quantile(shares, [0.025, 0.975], axis=1)
    rows = group[["n", "abortion"]].sum()
    asked = sample.groupby(list(by)).size().reindex(rows.index, fill_value=0)
    table = {
        "asked": asked,
        "estimate": shares.mean(axis=1).round(4),
        "lower": lower.round(4),
        "upper": upper.round(4),
        "truth": (rows["abortion"] / rows["n"]).round(4),
    }
    return pd.DataFrame(table, index=rows.index).reset_index()


def thinned(sample: pd.DataFrame, age: str, kept: int) -> pd.DataFrame:
    """Take all but the first few respondents of one age out of a sample."""
    drop = sample.index[sample["age"] == age][kept:]
    return sample.drop(index=drop)


def ages(number: int) -> pd.DataFrame:
    """For each prior: the ages that were thinned; in the whole sample all, also by education."""
    respondents, weights, _ = laboratory()
    sample = draw_biased_sample(respondents, weights, seed=number)
    found = []
    for prior in ("independent", "walk"):
        rng = np.random.default_rng([number, 3])
        p = draws_of_cells(prior, sample, rng)
        for by in (["age"], ["age", "edu"]):
            found.append(summary(p, sample, by).assign(prior=prior, thinned="none"))
        for age, kept in ((age, kept) for age, levels in AGES.items() for kept in levels):
            part = thinned(sample, age, kept)
            rows = summary(draws_of_cells(prior, part, rng), part, ["age"])
            found.append(rows[rows["age"] == age].assign(prior=prior, thinned=age))
    rows = pd.concat(found).assign(sample=number)
    order = ["sample", "prior", "thinned", "age", "edu", "asked"]
    return rows[[*order, "estimate", "lower", "upper", "truth"]]


def states(number: int) -> pd.DataFrame:
    """For each way to describe the states: all 50 of them."""
    respondents, weights, _ = laboratory()
    sample = draw_biased_sample(respondents, weights, seed=number)
    found = []
    for model in ("neither", "region", "repvote", "both"):
        p = draws_of_cells(model, sample, np.random.default_rng([number, 4]))
        found.append(summary(p, sample, ["state"]).assign(model=model, sample=number))
    rows = pd.concat(found)
    return rows[["sample", "model", "state", "asked", "estimate", "lower", "upper", "truth"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=np.inf, help="stop after so many minutes")
    until = time.monotonic() + 60 * parser.parse_args().minutes
    work = []
    for study, simulate in {"ages": ages, "states": states}.items():
        path = FOLDER / f"structured_{study}.csv"
        done = set(pd.read_csv(path)["sample"]) if path.is_file() else set()
        left = [number for number in range(SAMPLES[study]) if number not in done]
        work += [(number, path, simulate) for number in left]
    work = sorted(work, key=lambda one: one[0])  # both studies in turn
    for position, (number, path, simulate) in enumerate(work):
        if time.monotonic() > until:
            print(f"Stopped: {len(work) - position} samples are left; run it again to go on.")
            return
        append(simulate(number), path)
        if position % 20 == 0:
            print(f"{len(work) - position} samples left", flush=True)
    write_checksums(FOLDER)
    print(f"Both studies are complete, in {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
