"""Ask over many biased samples what a model of all answers at once is worth.

    python -m research.parties               go on until both studies are complete
    python -m research.parties --minutes 5   stop after five minutes; the next run goes on

*Parties*: three parties by one softmax (with two choices of the reference level), by one binary
model per party, and by two nested splits in either order. How far off are the states' shares, do
they add up, and how good are the probabilities of each state's largest party? *Ideology*: five
ordered levels by a cumulative model and by a softmax, fitted to few respondents and to many.

All models are fitted by the same approximation, so that they differ in nothing else. A likelihood
of `latent` values (levels less one per cell) has a gradient and a curvature; Newton's method finds
the mode of the coefficients for given standard deviations of the groups, and these standard
deviations are drawn from a normal distribution around their own mode (`research/laplace.py` does
the same for counts of yes, with importance weights). `tests/research/test_parties.py` checks the
results against the sampler's.

The results are in mrp_course/results. A sample's number is its seed.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit, softmax

from mrp_course.results import FOLDER
from mrp_helpers import CELL
from research import laboratory
from research.laboratory import GROUP_SD, SLOPES, stored_numbers, work_through
from research.laplace import OFFSET, STEP, WIDEST, multilevel_model, stretched
from tools.write import write_checksums

ROOT = Path(__file__).resolve().parent.parent

PARTIES = ["Democrat", "neither", "Republican"]
IDEOLOGY = ["very liberal", "liberal", "moderate", "conservative", "very conservative"]
GROUPS = ("state", "edu", "age")
ETHNICITIES = ["Black", "Hispanic", "Other"]  # against White; no pooling of four levels
PREDICTORS = [*SLOPES, *ETHNICITIES]
PEOPLE = 3000
SIZES = [300, 3000]
SAMPLES = {"parties": 40, "ideology": 12}
PROPOSALS, DRAWS = 40, 600
EXPECTATIONS, NEWTON_STEPS = 30, 50
SOFTMAX_SD = 2.5  # of a slope of a softmax in units of its predictor's, as Bambi sets it
WIDE_SD = 10.0  # of intercepts and thresholds


class Likelihood(NamedTuple):
    """Log-likelihood at latent values (latent x cells), its gradient and its negative curvature."""

    value: float
    gradient: np.ndarray
    curvature: np.ndarray


class Model(NamedTuple):
    """Counts of answers (levels x cells), and a design for each latent value."""

    counts: np.ndarray
    ordered: bool
    designs: list[sparse.csr_array]
    fixed_sd: np.ndarray
    group: np.ndarray
    products: sparse.csr_array  # of columns of one predictor, as in research/laplace.py


# The two likelihoods.


def unordered(counts: np.ndarray, latent: np.ndarray) -> Likelihood:
    """Softmax: the first level has the latent value zero. With two levels it is a logit."""
    both = np.vstack([np.zeros(latent.shape[1]), latent])
    log_shares = both - np.logaddexp.reduce(both, axis=0)
    shares, people = np.exp(log_shares[1:]), counts.sum(axis=0)
    curvature = -people * shares[:, None] * shares
    curvature[np.diag_indices(len(latent))] += people * shares
    value = float((counts * log_shares).sum())
    return Likelihood(value, counts[1:] - people * shares, curvature)


def cumulative(counts: np.ndarray, latent: np.ndarray) -> Likelihood:
    """Differences of logits: latent values are thresholds minus the predictor, increasing."""
    up_to = expit(latent)
    shares = np.diff(up_to, axis=0, prepend=0, append=1)
    if (shares <= 0).any():
        return Likelihood(-np.inf, latent, np.empty(0))
    slope = up_to * (1 - up_to)
    per_share, per_square = counts / shares, counts / shares**2
    pull = per_share[:-1] - per_share[1:]
    curvature = np.zeros((len(latent), *latent.shape))
    own = slope**2 * (per_square[:-1] + per_square[1:]) - slope * (1 - 2 * up_to) * pull
    curvature[np.diag_indices(len(latent))] = own
    for level in range(len(latent) - 1):
        between = -slope[level] * slope[level + 1] * per_square[level + 1]
        curvature[level, level + 1] = curvature[level + 1, level] = between
    return Likelihood(float((counts * np.log(shares)).sum()), slope * pull, curvature)


def likelihood(model: Model, coefficients: np.ndarray) -> Likelihood:
    latent = np.stack([design @ coefficients for design in model.designs])
    return (cumulative if model.ordered else unordered)(model.counts, latent)


def shares_of(
    designs: list[sparse.csr_array], ordered: bool, coefficients: np.ndarray
) -> np.ndarray:
    """Shares of each level in each cell and draw, (levels x cells x draws)."""
    latent = np.stack([design @ coefficients.T for design in designs])
    if ordered:
        return np.diff(expit(latent), axis=0, prepend=0, append=1)
    return softmax(np.concatenate([np.zeros((1, *latent.shape[1:])), latent]), axis=0)


# The model, and the approximation of its posterior.


def model_of(
    cells: pd.DataFrame, frame: pd.DataFrame, levels: Sequence[str], ordered: bool = False
) -> tuple[Model, list[sparse.csr_array]]:
    """Set up a model of the columns `levels` of `cells`; also returned are the frame's designs.

    A softmax has an equation for each level but the first, with coefficients and standard
    deviations of its own; a cumulative model has one equation and a threshold between two levels.
    """
    cells = cells.assign(abortion=0)
    one, of_frame = multilevel_model(cells, frame, PREDICTORS, GROUPS)
    latent = len(levels) - 1
    slopes = slice(1, 1 + len(PREDICTORS))
    fixed = one.fixed_sd.copy()
    if ordered:
        fixed, group = np.append(np.full(latent, WIDE_SD), fixed[1:]), one.group
        group = np.append(np.full(latent, -1), group[1:])
    else:
        if latent > 1:
            fixed[0] = WIDE_SD
            fixed[slopes] *= SOFTMAX_SD
        groups = one.group.max() + 1
        group = np.concatenate(
            [np.where(one.group < 0, -1, one.group + groups * number) for number in range(latent)]
        )
        fixed = np.tile(fixed, latent)
    designs, of_frame = (
        [_design(table, number, latent, ordered) for number in range(latent)]
        for table in (one.design, of_frame)
    )
    counts = cells[list(levels)].to_numpy(float).T
    return Model(counts, ordered, designs, fixed, group, one.products), of_frame


def _design(one: sparse.csr_array, number: int, latent: int, ordered: bool) -> sparse.csr_array:
    """Place the design of one predictor among the coefficients of all latent values."""
    if ordered:
        at = np.zeros((one.shape[0], latent))
        at[:, number] = 1
        return sparse.hstack([sparse.csr_array(at), -one[:, 1:]], format="csr")
    empty = sparse.csr_array(one.shape)
    return sparse.hstack([one if k == number else empty for k in range(latent)], format="csr")


def sds_of(model: Model, group_sds: np.ndarray) -> np.ndarray:
    """Prior standard deviation of each coefficient."""
    return np.where(model.group < 0, model.fixed_sd, np.append(group_sds, 1)[model.group])


class Given(NamedTuple):
    """Coefficients given standard deviations: mode and curvature in units of those."""

    mode: np.ndarray
    curvature: np.ndarray
    log_evidence: float


def conditional(model: Model, group_sds: np.ndarray, start: np.ndarray) -> Given:
    """Newton's method from the coefficients `start`, halving a step that does not go up."""
    sds = sds_of(model, group_sds)
    mode = start / sds
    here = likelihood(model, sds * mode)
    height = here.value - mode @ mode / 2
    for _ in range(NEWTON_STEPS):
        slope, curvature = _derivatives(model, here, sds)
        step = np.linalg.solve(curvature, slope - mode)
        rise, part = (slope - mode) @ step, 1.0
        while True:
            there = likelihood(model, sds * (mode + part * step))
            new = there.value - ((mode + part * step) ** 2).sum() / 2
            if new >= height - 1e-9 or part < 1e-6:
                break
            part /= 2
        mode, here, height = mode + part * step, there, new
        if rise < 1e-7:
            break
    else:
        raise RuntimeError(f"no mode after {NEWTON_STEPS} Newton steps: {rise:.2g}")
    _, curvature = _derivatives(model, here, sds)
    return Given(mode, curvature, height - np.linalg.slogdet(curvature).logabsdet / 2)


def _derivatives(model: Model, here: Likelihood, sds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the likelihood, and negative curvature of the posterior, in units of `sds`."""
    slope = sum(d.T @ g for d, g in zip(model.designs, here.gradient, strict=True))
    total = (_ordered_curvature if model.ordered else _blocks)(model, here.curvature)
    return sds * slope, total * np.outer(sds, sds) + np.eye(len(sds))


def _blocks(model: Model, curvature: np.ndarray) -> np.ndarray:
    """Curvature of the coefficients of a softmax: a block for each pair of equations."""
    latent = len(curvature)
    columns = len(model.group) // latent
    sums = model.products @ curvature.reshape(latent**2, -1).T
    return (
        sums.T.reshape(latent, latent, columns, columns)
        .swapaxes(1, 2)
        .reshape(latent * columns, -1)
    )


def _ordered_curvature(model: Model, curvature: np.ndarray) -> np.ndarray:
    """Curvature of thresholds, and of the coefficients that all latent values share."""
    latent = len(curvature)
    columns = len(model.group) - latent + 1  # of one predictor, whose first is the intercept
    by_threshold = (model.products @ curvature.sum(axis=1).T).T.reshape(latent, columns, columns)
    total = np.zeros((len(model.group), len(model.group)))
    total[:latent, :latent] = curvature.sum(axis=2)
    total[:latent, latent:] = -by_threshold[:, 0, 1:]
    total[latent:, :latent] = total[:latent, latent:].T
    total[latent:, latent:] = by_threshold.sum(axis=0)[1:, 1:]
    return total


def mode_of_sds(model: Model, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable standard deviations by expectation and maximisation.

    Also returned are the coefficients there. The mode is that on the stretched scale.
    """
    groups = model.group.max() + 1
    sizes = np.bincount(model.group[model.group >= 0], minlength=groups)
    grid = np.exp(np.linspace(stretched(np.array(0.01)), stretched(np.array(3 * GROUP_SD)), 400))
    grid = grid - OFFSET
    prior = -((grid / GROUP_SD) ** 2) / 2 + stretched(grid)
    sds = np.full(groups, GROUP_SD / 2)
    for _ in range(EXPECTATIONS):
        given = conditional(model, sds, start)
        scale = sds_of(model, sds)
        start = scale * given.mode
        squares = start**2 + scale**2 * np.linalg.inv(given.curvature).diagonal()
        total = np.bincount(
            model.group[model.group >= 0], squares[model.group >= 0], minlength=groups
        )
        expected = -sizes[:, None] * np.log(grid) - total[:, None] / (2 * grid**2) + prior
        before, sds = sds, grid[expected.argmax(axis=1)]
        if np.abs(sds - before).max() < 2e-3:
            break
    return sds, start


def draw_coefficients(model: Model, rng: np.random.Generator) -> np.ndarray:
    """Draw from the approximate posterior of the coefficients, one row a draw."""
    start = np.zeros(len(model.group))
    if model.ordered:  # thresholds have to increase: begin at those of the sample as a whole
        up_to = model.counts.sum(axis=1).cumsum()[:-1] / model.counts.sum()
        start[: len(up_to)] = np.log(up_to / (1 - up_to))
    sds, start = mode_of_sds(model, start)
    place = stretched(sds)
    spread = [_spread(model, place, number, start) for number in range(len(place))]
    drawn = []
    for _ in range(PROPOSALS):
        proposed = np.exp(rng.normal(place, spread)) - OFFSET
        group_sds = np.clip(proposed, 0.01, 6 * GROUP_SD)
        given = conditional(model, group_sds, start)
        noise = rng.standard_normal((len(start), DRAWS // PROPOSALS))
        root = np.linalg.cholesky(given.curvature)
        standard = given.mode[:, None] + np.linalg.solve(root.T, noise)
        drawn.append(sds_of(model, group_sds) * standard.T)
    return np.concatenate(drawn)


def _spread(model: Model, place: np.ndarray, number: int, start: np.ndarray) -> float:
    """Standard deviation of one group's parameter on the stretched scale, the others given."""
    step = STEP * 5 * np.eye(len(place))[number]
    values = []
    for near in (place - step, place, place + step):
        sds = np.maximum(np.exp(near) - OFFSET, 1e-3)
        evidence = conditional(model, sds, start).log_evidence
        values.append(evidence - ((sds / GROUP_SD) ** 2).sum() / 2 + near.sum())
    second = (values[0] - 2 * values[1] + values[2]) / (5 * STEP) ** 2
    return float(1 / np.sqrt(max(-second, 1 / WIDEST**2)))


# The laboratory with its parties and its ideology.


@cache
def people() -> pd.DataFrame:
    """Give the respondents with the party and the ideology that each names."""
    survey = laboratory.load_cces().set_index("caseid")
    asked = laboratory.respondents()
    party = asked["caseid"].map(survey["pid3"]).map({1: "Democrat", 2: "Republican"})
    ideology = asked["caseid"].map(survey["ideo5"]).map(dict(enumerate(IDEOLOGY, start=1)))
    return asked.assign(party=party.fillna("neither"), ideology=ideology)


def counted(who: pd.DataFrame, column: str, levels: Sequence[str]) -> pd.DataFrame:
    """One row per occupied cell, with the people who gave each answer, and the states' columns."""
    counts = who.groupby([*CELL, column]).size().unstack(column, fill_value=0)
    counts = counts.reindex(columns=list(levels), fill_value=0)
    counts = counts.assign(n=counts.sum(axis=1)).reset_index().rename_axis(columns=None)
    return laboratory.with_states(counts).assign(
        **{level: (counts["eth"] == level).astype(float) for level in ETHNICITIES}
    )


@cache
def frame_of(column: str) -> pd.DataFrame:
    levels = PARTIES if column == "party" else IDEOLOGY
    return counted(people(), column, levels)


def fitted(
    cells: pd.DataFrame,
    frame: pd.DataFrame,
    levels: Sequence[str],
    rng: np.random.Generator,
    ordered: bool = False,
) -> np.ndarray:
    """Shares of each level in each cell of the frame, (levels x cells x draws)."""
    model, designs = model_of(cells, frame, levels, ordered)
    return shares_of(designs, ordered, draw_coefficients(model, rng))


def by_group(shares: np.ndarray, frame: pd.DataFrame, by: str) -> np.ndarray:
    """Means over the people of each group, (levels x groups x draws)."""
    code = frame.groupby(by).ngroup().to_numpy()
    member = sparse.csr_array((frame["n"], (code, np.arange(len(frame)))))
    total = member.sum(axis=1)[:, None]
    return np.stack([(member @ level) / total for level in shares])


def truth_of(frame: pd.DataFrame, levels: Sequence[str], by: str) -> np.ndarray:
    """True shares, (levels x groups)."""
    sums = frame.groupby(by)[[*levels, "n"]].sum()
    return (sums[list(levels)].to_numpy() / sums[["n"]].to_numpy()).T


# The studies.


def shares_by_method(sample: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Shares of the three parties in each cell and draw, by each of the ways to model them."""
    frame = frame_of("party")
    cells = counted(sample, "party", PARTIES)
    asked = {"softmax": PARTIES, "other reference": ["neither", "Democrat", "Republican"]}
    asked |= {party: ["no", party] for party in PARTIES}
    asked |= {"D of rest": ["neither", "Democrat"], "R of rest": ["neither", "Republican"]}
    found = {}
    for number, (name, levels) in enumerate(asked.items()):
        table = cells.assign(no=cells["n"] - cells[name]) if name in PARTIES else cells
        table = table[table[levels].sum(axis=1) > 0]
        found[name] = fitted(table, frame, levels, np.random.default_rng([seed, number]))
    yes = {name: found[name][1] for name, levels in asked.items() if len(levels) == 2}
    d, r = yes["Democrat"], yes["Republican"]
    d_rest, r_rest = (1 - r) * yes["D of rest"], (1 - d) * yes["R of rest"]
    separate = np.stack([yes[party] for party in PARTIES])
    return {
        "softmax": found["softmax"],
        "other reference": found["other reference"][[1, 0, 2]],
        "separate": separate,
        "Republican first": np.stack([d_rest, 1 - r - d_rest, r]),
        "Democrat first": np.stack([d, 1 - d - r_rest, r_rest]),
    }


def scores(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Score draws of the states' shares (parties x states x draws)."""
    estimate, total = found.mean(axis=2), found.mean(axis=2).sum(axis=0)
    lower, upper = np.quantile(found, [0.025, 0.975], axis=2)
    largest = np.eye(len(found))[found.argmax(axis=0)].mean(axis=1).T
    really = np.eye(len(found))[truth.argmax(axis=0)].T
    return {
        "mae": np.abs(estimate - truth).mean(),
        "coverage": ((lower <= truth) & (truth <= upper)).mean(),
        "brier": ((largest - really) ** 2).sum(axis=0).mean(),
        "called": (largest.argmax(axis=0) == truth.argmax(axis=0)).mean(),
        "sure": largest.max(axis=0).mean(),
        "lowest_sum": total.min(),
        "highest_sum": total.max(),
        "off_sum": np.abs(total - 1).mean(),
        "worst_draw": np.abs(found.sum(axis=0) - 1).max(),
    }


def parties(number: int) -> pd.DataFrame:
    """For each way to model three parties: its scores in the states, and the nation's shares."""
    frame, sample = frame_of("party"), laboratory.biased_sample(number, people=PEOPLE)
    sample = people().loc[sample.index]
    truth, rows = truth_of(frame, PARTIES, "state"), []
    methods = shares_by_method(sample, number)
    for method, cells in methods.items():
        nation = by_group(cells, frame.assign(us="US"), "us").mean(axis=2)[:, 0]
        found = by_group(cells, frame, "state")
        versions = {method: found}
        if method == "separate":
            versions["rescaled"] = found / found.sum(axis=0)
        for name, draws in versions.items():
            if name == "rescaled":
                nation = nation / nation.sum()
            row = {"sample": number, "method": name} | scores(draws, truth)
            rows.append(row | dict(zip(PARTIES, nation, strict=True)))
    return pd.DataFrame(rows).round(5)


def ideology(number: int, size: int) -> pd.DataFrame:
    """For each model of five ordered levels: errors of shares and of mean scores."""
    frame, rows = frame_of("ideology"), []
    drawn = laboratory.biased_sample(number, people=size)
    cells = counted(people().loc[drawn.index].dropna(subset="ideology"), "ideology", IDEOLOGY)
    score = np.arange(-2, 3)
    for model in ("cumulative", "softmax"):
        rng = np.random.default_rng([number, size, len(model)])
        shares = fitted(cells, frame, IDEOLOGY, rng, ordered=model == "cumulative")
        row = {"sample": number, "people": size, "model": model}
        for by in ("state", "eth", "edu"):
            found, truth = by_group(shares, frame, by), truth_of(frame, IDEOLOGY, by)
            lower, upper = np.quantile(found, [0.025, 0.975], axis=2)
            mean_score = np.tensordot(score, found.mean(axis=2) - truth, axes=1)
            row |= {
                f"share_{by}": np.abs(found.mean(axis=2) - truth).mean(),
                f"cover_{by}": ((lower <= truth) & (truth <= upper)).mean(),
                f"score_{by}": np.abs(mean_score).mean(),
            }
        rows.append(row)
    return pd.DataFrame(rows).round(5)


def work_to_do() -> laboratory.Work:
    """List what is not stored yet: samples in the order of their numbers, both studies in turn."""
    work = []
    done = {
        study: stored_numbers(FOLDER / f"parties_{study}.csv", keys)
        for study, keys in {"states": ["sample"], "ideology": ["sample", "people"]}.items()
    }
    for number in range(max(SAMPLES.values())):
        if number < SAMPLES["parties"] and (number,) not in done["states"]:
            work.append((FOLDER / "parties_states.csv", partial(parties, number)))
        for size in SIZES:
            if number < SAMPLES["ideology"] and (number, size) not in done["ideology"]:
                work.append((FOLDER / "parties_ideology.csv", partial(ideology, number, size)))
    return work


def main() -> None:
    minutes = laboratory.minutes_asked(__doc__.splitlines()[0])
    if work_through(work_to_do(), minutes):
        write_checksums(FOLDER)
        print(f"Both studies are complete, in {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
