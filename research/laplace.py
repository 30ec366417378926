"""Approximate the posterior of a multilevel model of counts in seconds, without a sampler.

Given the standard deviations of its groups, a logistic multilevel model has a log-posterior that
is nearly quadratic in its coefficients, because every coefficient is shared by many cells. So the
work falls into two parts, an idea known as integrated nested Laplace approximation:

*inside*, for given standard deviations, Newton's method finds the mode of the coefficients, and
the curvature there makes a normal distribution of them, and an estimate of how probable these
standard deviations are (Laplace's approximation of the integral over the coefficients);

*outside*, the few standard deviations are drawn by importance sampling: from a wide distribution
around their mode, then from one that fits those draws, and each draw counts by how probable it is.

`research/study.py` and `research/structured.py` fit hundreds of samples with it, and chapter 10
checks it against full sampling.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_t

from research.laboratory import GROUP_SD, INTERCEPT_SD, Levels, labels, levels_of

NEWTON_STEPS = 30
LEVEL_SD = 2.5  # of the prior of a coefficient that is not pooled, as in chapter 5
LONGEST = 2.0  # largest change of a cell's logit in one Newton step
CLOSE = 1e-6  # what a cell's logit moves in the last Newton step, where differences are taken
ROUGH = 1e-2  # the same for a proposal, whose probability need not have six digits
BLOCK = 32  # rows of standard deviations at a time: their curvatures fit into a cache
# Standard deviations are proposed on the scale log(sd + OFFSET), from a t distribution.
OFFSET = 0.2
DEGREES = 7
STEP = 0.02  # on that scale, for the curvature at the mode
WIDEST = 0.5  # on that scale, where the curvature says little
PROPOSALS = (300, 500)


class Model(NamedTuple):
    """A model of ``support`` out of ``people`` in each cell, one row of `design` a cell."""

    people: np.ndarray
    support: np.ndarray
    design: sparse.csr_array
    # For each column of the design: its prior's standard deviation, or the number of its group.
    fixed_sd: np.ndarray
    group: np.ndarray
    # Sums of products of columns, weighted by cell, are one sparse product with the weights.
    products: sparse.csr_array

    @property
    def groups(self) -> int:
        """How many standard deviations are unknown."""
        return int(self.group.max(initial=-1)) + 1


class Conditional(NamedTuple):
    """Coefficients given standard deviations, in units of those; one row each."""

    mode: np.ndarray
    curvature: np.ndarray
    log_evidence: np.ndarray


def multilevel_model(
    cells: pd.DataFrame,
    frame: pd.DataFrame,
    slopes: Sequence[str],
    groups: Sequence[str],
    walks: Sequence[str] = (),
) -> tuple[Model, sparse.csr_array]:
    """Set up intercept, slopes and group effects with the priors of `research.laboratory`.

    The effects of the groups in `walks` are random walks over the ages. Also returned is the
    frame's design; the levels are those of the frame, whether cells of the sample have them or not.
    """
    slopes, levels = list(slopes), levels_of(frame, groups)
    means, spread = cells[slopes].mean(), cells[slopes].std(ddof=0)
    sizes = [len(levels[group]) for group in groups]
    fixed = np.concatenate([[INTERCEPT_SD], 1 / spread, np.ones(sum(sizes))])
    group = np.concatenate([np.full(1 + len(slopes), -1), np.repeat(np.arange(len(sizes)), sizes)])
    design, of_frame = (_columns(table, means, levels, walks) for table in (cells, frame))
    return counted_model(cells, design, fixed, group), of_frame


def _columns(
    cells: pd.DataFrame, means: pd.Series, levels: Levels, walks: Sequence[str]
) -> sparse.csr_array:
    """Columns of a multilevel model: one, slopes minus `means`, and one per level or step."""
    columns = [np.ones((len(cells), 1)), (cells[list(means.index)] - means).to_numpy(float)]
    rows = np.arange(len(cells))
    blocks = [sparse.csr_array(np.hstack(columns))]
    for group, names in levels.items():
        where = pd.Index(names).get_indexer(labels(cells, group))
        shape = (len(cells), len(names))
        block = sparse.csr_array((np.ones(len(cells)), (rows, where)), shape=shape)
        blocks.append(block @ walks_over_ages(names) if group in walks else block)
    return sparse.hstack(blocks, format="csr")


def walk_basis(levels: int) -> np.ndarray:
    """Matrix that turns independent steps into a path with mean zero."""
    path = np.tril(np.ones((levels, levels)))
    return path - path.mean(axis=0)


def walks_over_ages(levels: Sequence[str]) -> sparse.csr_array:
    """Turn steps into effects: one walk for each level of what precedes the age, if any.

    Levels are sorted and end in the age, as in ``HS:18-29``, so that each walk is one block.
    """
    ages = len({level.split(":")[-1] for level in levels})
    walks = [sparse.csr_array(walk_basis(ages))] * (len(levels) // ages)
    return sparse.block_diag(walks, format="csr")


def independent_model(
    cells: pd.DataFrame, frame: pd.DataFrame, columns: Sequence[str]
) -> tuple[Model, sparse.csr_array]:
    """Set up a model without groups: each level has a coefficient of its own, with a wide prior.

    The first of `columns` has one for every level; where that is not the state, an intercept is
    added. The others, such as gender, have Bambi's default priors. Returns the frame's design too.
    """
    own = ["state"] if "state" in columns else []
    blocks, sds = [], []
    if not own:
        blocks.append(lambda table: np.ones((len(table), 1)))
        sds.append([LEVEL_SD])
    for column in columns:
        levels = sorted(frame[column].unique())[0 if column in own else 1 :]
        blocks.append(
            lambda table, column=column, levels=levels: (
                table[column].to_numpy()[:, None] == np.array(levels)
            ).astype(float)
        )
        sds.append(np.full(len(levels), LEVEL_SD if column in own else 1.0))
    blocks.append(lambda table: table[["male"]].to_numpy(float))
    sds.append([1 / cells["male"].std(ddof=0)])
    design, of_frame = (
        sparse.csr_array(np.hstack([block(table) for block in blocks])) for table in (cells, frame)
    )
    fixed = np.concatenate(sds)
    return counted_model(cells, design, fixed, np.full(len(fixed), -1)), of_frame


def counted_model(
    cells: pd.DataFrame, design: sparse.csr_array, fixed_sd: np.ndarray, group: np.ndarray
) -> Model:
    people, support = cells["n"].to_numpy(float), cells["abortion"].to_numpy(float)
    return Model(people, support, design, fixed_sd, group, _products(design))


def _products(design: sparse.csr_array) -> sparse.csr_array:
    """Products of any two columns in a cell: one row per pair of columns, one column per cell."""
    cells, columns = design.shape
    filled = np.diff(design.indptr)
    pairs = filled**2
    cell = np.repeat(np.arange(cells), pairs)
    within = np.arange(pairs.sum()) - np.repeat(pairs.cumsum() - pairs, pairs)
    start = design.indptr[:-1][cell]
    first, second = start + within // filled[cell], start + within % filled[cell]
    pair = design.indices[first].astype(np.int64) * columns + design.indices[second]
    values = design.data[first] * design.data[second]
    return sparse.csr_array((values, (pair, cell)), shape=(columns**2, cells))


def column_sds(model: Model, group_sds: np.ndarray) -> np.ndarray:
    """Prior standard deviation of each column, one row a row of `group_sds`."""
    sds = np.broadcast_to(model.fixed_sd, (len(group_sds), len(model.fixed_sd))).copy()
    unknown = model.group >= 0
    sds[:, unknown] = group_sds[:, model.group[unknown]]
    return sds


def conditional(
    model: Model, group_sds: np.ndarray, start: np.ndarray, close: float = CLOSE
) -> Conditional:
    """Normal approximation of the coefficients for each row of standard deviations.

    Coefficients are in units of their prior's standard deviation, so that one near zero does no
    harm. Newton's steps begin at `start` and end when one moves no cell's logit by `close`.
    """
    blocks = np.array_split(group_sds, range(BLOCK, len(group_sds), BLOCK))
    parts = [_newton(model, column_sds(model, block), start, close) for block in blocks]
    return Conditional(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _newton(model: Model, sds: np.ndarray, start: np.ndarray, close: float) -> Conditional:
    mode = np.broadcast_to(start, sds.shape)
    predictor = model.design @ (sds * mode).T
    unit = np.eye(sds.shape[1])
    for _ in range(NEWTON_STEPS):
        p = expit(predictor)
        missing = model.support[:, None] - model.people[:, None] * p
        slope = sds * (model.design.T @ missing).T - mode
        curvature = (model.products @ (model.people[:, None] * p * (1 - p))).T
        curvature = curvature.reshape(len(sds), *unit.shape) * sds[:, :, None]
        curvature *= sds[:, None, :]
        curvature += unit
        step = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        moved = model.design @ (sds * step).T
        # Far from the mode a whole step may overshoot, and the next one more so.
        part = np.minimum(1, LONGEST / np.maximum(np.abs(moved).max(axis=0), 1e-12))
        mode = mode + part[:, None] * step
        predictor = predictor + part * moved
        if np.abs(moved).max() < close:
            break
    else:
        raise RuntimeError(f"no mode after {NEWTON_STEPS} Newton steps: {np.abs(moved).max():.2g}")
    likelihood = log_likelihood(model, predictor)
    volume = np.linalg.slogdet(curvature).logabsdet
    return Conditional(mode, curvature, likelihood - (mode**2).sum(axis=1) / 2 - volume / 2)


def stretched(sds: np.ndarray) -> np.ndarray:
    """The scale of the proposals: logarithmic, but for standard deviations near zero."""
    return np.log(sds + OFFSET)


def log_posterior(
    model: Model, place: np.ndarray, start: np.ndarray, close: float = CLOSE
) -> np.ndarray:
    """Log-density of standard deviations at `place` on the stretched scale, up to a constant."""
    sds = np.exp(place) - OFFSET
    prior = -((sds / GROUP_SD) ** 2) / 2 + place
    return conditional(model, sds, start, close).log_evidence + prior.sum(axis=1)


def mode_of_sds(model: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Most probable standard deviations, stretched; their covariance; the coefficients there."""
    nudge = 1e-4
    nudges = np.vstack([np.zeros(model.groups), nudge * np.eye(model.groups)])
    lowest, highest = stretched(np.array([0.02, 3 * GROUP_SD]))
    guess = np.full(model.groups, stretched(np.array(GROUP_SD / 3)))
    start = conditional(model, np.exp(guess)[None] - OFFSET, np.zeros(len(model.fixed_sd))).mode[0]

    def downhill(place: np.ndarray) -> tuple[float, np.ndarray]:
        values = log_posterior(model, place + nudges, start)
        return -values[0], (values[0] - values[1:]) / nudge

    bounds = [(lowest, highest)] * model.groups
    best = minimize(downhill, guess, jac=True, bounds=bounds, options={"ftol": 1e-5}).x
    start = conditional(model, np.exp(best)[None] - OFFSET, start).mode[0]
    return best, _spread_of_sds(model, best, start), start


def _spread_of_sds(model: Model, best: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Covariance from second differences; no direction is taken to be wider than one half."""
    steps = STEP * np.eye(model.groups)
    pairs = [(i, j) for i in range(model.groups) for j in range(i + 1)]
    near = [best + a * steps[i] + b * steps[j] for i, j in pairs for a in (1, -1) for b in (1, -1)]
    values = log_posterior(model, np.array(near), start).reshape(-1, 4)
    second = (values[:, 0] - values[:, 1] - values[:, 2] + values[:, 3]) / (4 * STEP**2)
    precision = np.zeros((model.groups, model.groups))
    for (i, j), value in zip(pairs, second, strict=True):
        precision[i, j] = precision[j, i] = -value
    size, direction = np.linalg.eigh(precision)
    return direction / np.maximum(size, 1 / WIDEST**2) @ direction.T


def draw_coefficients(
    model: Model, rng: np.random.Generator, draws: int = 1000
) -> tuple[np.ndarray, float]:
    """Draw from the approximate posterior of the coefficients.

    Returns them with one row per draw, and how many equally probable proposals of the standard
    deviations the drawn ones are worth (their effective number).
    """
    if not model.groups:
        none = np.empty((2 * draws, 0))
        drawn, weight = _draw_given(model, none, np.zeros(len(model.fixed_sd)), rng)
        return drawn[_resampled(weight, draws, rng)], float(draws)
    centre, covariance, start = mode_of_sds(model)
    for number in PROPOSALS:
        place, weight = _proposed(model, centre, covariance, start, number, rng)
        centre = weight @ place
        covariance = ((place - centre).T * weight) @ (place - centre)
    row = _resampled(weight, 2 * draws, rng)
    drawn, weight_given = _draw_given(model, np.exp(place[row]) - OFFSET, start, rng)
    return drawn[_resampled(weight_given, draws, rng)], float(1 / (weight**2).sum())


def _resampled(weight: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """Which to take of weighted draws: one that is worth 2.4 is taken two or three times."""
    marks = (np.arange(number) + rng.uniform()) / number
    return np.searchsorted(weight.cumsum() / weight.sum(), marks)


def _proposed(
    model: Model,
    centre: np.ndarray,
    covariance: np.ndarray,
    start: np.ndarray,
    number: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Propose standard deviations from a t distribution; weigh each by how probable it is."""
    proposal = multivariate_t(centre, covariance, df=DEGREES)
    place = proposal.rvs(number, random_state=rng).reshape(number, -1)
    # None is below zero, and the prior all but rules out what is far above.
    sds = np.exp(place) - OFFSET
    place = place[((sds > 0) & (sds < 6 * GROUP_SD)).all(axis=1)]
    log_weight = log_posterior(model, place, start, ROUGH) - proposal.logpdf(place)
    return place, np.exp(log_weight - logsumexp(log_weight))


def _draw_given(
    model: Model, group_sds: np.ndarray, start: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw coefficients from their normal distribution, one row a row of `group_sds`.

    Also returned is a weight for each, which makes up for what is not normal: the density of the
    draw over the one that it was drawn with.
    """
    sds, row = np.unique(group_sds, axis=0, return_inverse=True)
    given = conditional(model, sds, start, ROUGH)
    root = np.linalg.cholesky(given.curvature)
    noise = rng.standard_normal((len(row), len(start)))
    standard = given.mode[row]
    for number, upper in enumerate(root.transpose(0, 2, 1)):
        here = row == number
        standard[here] += solve_triangular(upper, noise[here].T).T
    coefficients = column_sds(model, sds)[row] * standard
    predictor = model.design @ coefficients.T
    density = log_likelihood(model, predictor) - (standard**2).sum(axis=1) / 2
    volume = np.log(root.diagonal(axis1=1, axis2=2)).sum(axis=1)
    drawn_with = (given.log_evidence + volume)[row] - (noise**2).sum(axis=1) / 2
    return coefficients, np.exp(density - drawn_with)


def log_likelihood(model: Model, predictor: np.ndarray) -> np.ndarray:
    """Log-likelihood up to a constant, one for each column of logits."""
    return model.support @ predictor - model.people @ np.logaddexp(0, predictor)
