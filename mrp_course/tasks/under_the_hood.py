"""Exercise 14, under the hood: likelihoods, modes, samplers and large frames."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, gammaln, logit, logsumexp

from mrp_course._forms import Number, Table
from mrp_course._task import PER_CENT, REVERSED, task
from mrp_course.tasks import _world as world
from mrp_helpers.recode import CELL
from mrp_helpers.sample import aggregate_cells


def _log_ways(n: Any, yes: Any) -> Any:
    """Log of the number of ways to pick the supporters among n."""
    return gammaln(n + 1) - gammaln(yes + 1) - gammaln(n - yes + 1)


def _log_coefficients(by: list[str]) -> np.ndarray:
    cells = aggregate_cells(world.sample(), by=by)
    return _log_ways(cells["n"].to_numpy(), cells["abortion"].to_numpy())


def _divided_by_supporters_alone() -> float:
    cells = aggregate_cells(world.sample(), by=["age", "edu"])
    return float((gammaln(cells["n"] + 1) - gammaln(cells["abortion"] + 1)).sum())


constant_between = task(
    "14.1",
    Number(within=0.05),
    answer=lambda: float(_log_coefficients(["age", "edu"]).sum()),
    right="It holds no parameter, so both likelihoods lead to the same posterior. And it is large: "
    "never compare the log-likelihood or LOO of a model of rows with that of a model of cells.",
    hint="For each of the 30 cells the log of n! / (y! (n - y)!), by gammaln; then their sum.",
    mistakes=[
        REVERSED,
        (
            "These are logarithms to base 10. Densities are compared on the natural scale: "
            "np.log, gammaln.",
            lambda right: right / np.log(10),
        ),
        (
            "You added the coefficients and took the logarithm of their sum. A likelihood is a "
            "product over cells: take logarithms first, then add.",
            lambda: float(logsumexp(_log_coefficients(["age", "edu"]))),
        ),
        (
            "This is the coefficient of the whole sample, as if it were one cell. Each cell has "
            "its own.",
            lambda: float(_log_ways(len(world.sample()), world.sample()["abortion"].sum())),
        ),
        (
            "This belongs to the full cells, 2,173 of them. Here cells are made by age and "
            "education alone.",
            lambda: float(_log_coefficients(CELL).sum()),
        ),
        (
            "You divided n! by y! alone. The order of those who are against does not matter "
            "either: divide by (n - y)! as well.",
            _divided_by_supporters_alone,
        ),
    ],
)


@cache
def _pieces() -> xr.DataArray:
    """Draws of the four regions of the laboratory."""
    return world.main_draws(world.laboratory(), by="region")


def _people() -> np.ndarray:
    people: np.ndarray = _pieces()["population"].to_numpy()
    return people / people.sum()


def _of_nation(shares: np.ndarray) -> pd.Series:
    """Mean and sd of the draws that a weighting of the regions gives."""
    nation = shares @ _pieces().to_numpy()
    summary = {"mean": float(nation.mean()), "sd": float(nation.std(ddof=1))}
    return pd.Series(summary).rename_axis("of")


def _sds() -> np.ndarray:
    return _pieces().to_numpy().std(axis=1, ddof=1)


def _weighted_by_cells() -> pd.Series:
    cells = world.laboratory()["region"].value_counts(normalize=True).sort_index()
    return _of_nation(cells.to_numpy())


# Between a chain and all four lie 0.0002 for the mean and 0.0001 for the sd.
nation_from_pieces = task(
    "14.2",
    Table(keys=("of",), within=5.5e-4),
    answer=lambda: _of_nation(_people()),
    right="Supporters and people add up over pieces, draw by draw. The regions share their "
    "coefficients, so the nation varies more than it would if their errors were "
    "independent.",
    hint="Multiply each region's draws by its population, add over regions, divide by all people; "
    "then take mean and standard deviation over the draws.",
    mistakes=[
        PER_CENT,
        (
            "You averaged the four regions as if as many people lived in each. A region counts "
            "by its population.",
            lambda: _of_nation(np.full(4, 0.25)),
        ),
        (
            "The mean is right. For the sd you added the regions' variances, as if they erred "
            "independently. They share their parameters: add within draws, then take the sd.",
            lambda right: world.instead(right, sd=np.sqrt((_people() ** 2 * _sds() ** 2).sum())),
        ),
        (
            "The mean is right. The sd is that of a region, averaged over regions, as if all "
            "erred by the same amount. Add within draws, then take the sd.",
            lambda right: world.instead(right, sd=(_people() * _sds()).sum()),
        ),
        (
            "You weighted the regions by their number of cells. A cell may hold one person or "
            "hundreds: weight by population.",
            _weighted_by_cells,
        ),
        (
            "The sd has been divided by the root of the number of draws: that is the Monte Carlo "
            "error of the mean. The posterior's sd does not shrink when you draw more.",
            lambda right: world.instead(right, sd=right["sd"] / np.sqrt(_pieces().sizes["sample"])),
        ),
    ],
)


ASKED, AGREED, PRIOR_MEAN, PRIOR_SD = 5, 4, -0.1, 0.5


def _curvature(logit: float, precision: float) -> float:
    p = expit(logit)
    return float(ASKED * p * (1 - p) + precision)


def _at(mode: float, curvature: float) -> pd.Series:
    return pd.Series({"mode": float(mode), "sd": curvature**-0.5}).rename_axis("of")


def _laplace(precision: float = 1 / PRIOR_SD**2) -> pd.Series:
    """Mode of a logit, by Newton's method, and the sd that the curvature there says."""
    mode = PRIOR_MEAN
    for _ in range(20):
        slope = AGREED - ASKED * expit(mode) - precision * (mode - PRIOR_MEAN)
        mode += slope / _curvature(mode, precision)
    return _at(mode, _curvature(mode, precision))


def _without_prior() -> pd.Series:
    mode = logit(AGREED / ASKED)
    return _at(mode, _curvature(mode, precision=0))


def _sd_of_the_share(right: pd.Series) -> pd.Series:
    p = expit(right["mode"])
    return world.instead(right, sd=p * (1 - p) * right["sd"])


laplace_by_hand = task(
    "14.3",
    Table(keys=("of",), within=1.5e-3),
    answer=_laplace,
    right="Two numbers for a posterior, without a sampler. The prior brings most of the curvature "
    "here: five answers do not say much.",
    hint="The slope of the log-density is y - n p - (logit - m) / s^2, the curvature n p (1 - p) + "
    "1 / s^2, both at the mode. The sd is one over the curvature's root.",
    mistakes=[
        (
            "The mode is right. The second number is the variance, one over the curvature: take "
            "its root.",
            lambda right: world.instead(right, sd=right["sd"] ** 2),
        ),
        (
            "You left the prior out: this is the logit of 4/5 with its usual standard error. The "
            "prior has a slope and a curvature of its own.",
            _without_prior,
        ),
        (
            "The mode is right, the sd counts the answers' curvature alone. Add the prior's, 1 / "
            "s^2.",
            lambda right: _at(right["mode"], _curvature(right["mode"], precision=0)),
        ),
        (
            "You divided by the prior's sd where its variance belongs: the precision is 1 / s^2.",
            lambda: _laplace(precision=1 / PRIOR_SD),
        ),
        (
            "This is the sd of the share, p (1 - p) times that of the logit. Laplace's normal "
            "belongs to the logit here.",
            _sd_of_the_share,
        ),
    ],
)


# Measured by research/benchmarks/samplers.py, as chapter 14 shows them: processor seconds, and the
# smallest ESS.
RUNS = pd.DataFrame(
    {
        "compiling": [6.7, 17.4, 15.0],
        "sampling": [34.0, 33.4, 73.5],
        "min ESS": [644, 628, 657],
    },
    index=pd.Index(["cells", "zero-sum", "rows"], name="run"),
)
WANTED = 400


seconds_until_enough = task(
    "14.4",
    Table(keys=("run",), value="seconds", within=0.06),
    answer=lambda: RUNS["compiling"] + RUNS["sampling"] * WANTED / RUNS["min ESS"],
    right="Compiling is paid once, sampling by the effective draw. For one short run the quick "
    "compilation counts as much as the quick sampler.",
    hint="Compiling once, and of the sampling the part that 400 is of the smallest ESS.",
    mistakes=[
        (
            "You counted draws. What a mean gains from 4,000 draws that resemble each other is "
            "what the effective sample size says.",
            lambda: RUNS["compiling"] + RUNS["sampling"] * WANTED / 4000,
        ),
        (
            "You left out the compilation, which comes before the first draw.",
            lambda: RUNS["sampling"] * WANTED / RUNS["min ESS"],
        ),
        (
            "You shortened the compilation too. It takes as long for one draw as for thousands.",
            lambda: (RUNS["compiling"] + RUNS["sampling"]) * WANTED / RUNS["min ESS"],
        ),
        (
            "These are effective draws in a second of sampling. Ask how many seconds 400 of them "
            "take, and add the compilation.",
            lambda: RUNS["min ESS"] / RUNS["sampling"],
        ),
        (
            "This is the whole run. It made more effective draws than the 400 asked for.",
            lambda: RUNS["compiling"] + RUNS["sampling"],
        ),
    ],
)


LEVELS, SCALE = 4, 0.3
EFFECT = SCALE * np.sqrt(1 - 1 / LEVELS)


def _prior_sds(effect: float, mean: float, difference: float) -> pd.Series:
    named = {"effect": effect, "mean": mean, "difference": difference}
    return pd.Series(named).rename_axis("quantity")


under_zero_sum = task(
    "14.5",
    Table(keys=("quantity",), value="sd", within=2e-3),
    answer=lambda: _prior_sds(EFFECT, 0.0, SCALE * np.sqrt(2)),
    right="The common shift is gone, and with it a quarter of each effect's variance. "
    "Differences between groups are as free as before.",
    hint="Subtract from four independent effects their mean. How much does each part vary then?",
    mistakes=[
        (
            "These belong to independent effects. If four effects always add up to zero, their "
            "mean cannot vary.",
            lambda: _prior_sds(SCALE, SCALE / np.sqrt(LEVELS), SCALE * np.sqrt(2)),
        ),
        (
            "For the difference you added two variances, as if the effects were "
            "independent. They are negatively correlated: if one is high, the others "
            "are lower.",
            lambda: _prior_sds(EFFECT, 0.0, EFFECT * np.sqrt(2)),
        ),
        (
            "The mean cannot vary, but neither can an effect be as free as before: the variance "
            "of the mean has been taken out of it.",
            lambda: _prior_sds(SCALE, 0.0, SCALE * np.sqrt(2)),
        ),
        ("These are variances. Take their roots.", lambda right: right**2),
        (
            "You multiplied by K / (K - 1), as when a sample's variance is corrected. Here the "
            "effects lose variance: (K - 1) / K.",
            lambda: _prior_sds(SCALE * np.sqrt(LEVELS / (LEVELS - 1)), 0.0, SCALE * np.sqrt(2)),
        ),
    ],
)


def _rows(columns: list[str]) -> int:
    return len(world.census()[columns].drop_duplicates())


rows_after_merging = task(
    "14.6",
    Number(),
    answer=lambda: _rows(["state", "male", "age", "edu"]),
    right="A quarter of the frame, with the same draws. What you may merge depends on the model "
    "and on the question, not on the frame.",
    hint="Keep the columns that the model reads and the one by which you want estimates; count "
    "the different rows.",
    mistakes=[
        (
            "Then no estimate by education can be had. Keep the columns of `by` as well as the "
            "model's.",
            lambda: _rows(["state", "male", "age"]),
        ),
        (
            "This model has no effect of ethnicity, and no estimate by it is asked for: merge "
            "over it.",
            lambda: len(world.census()),
        ),
        (
            "You merged men and women. The model has a slope for `male`, so their expected "
            "outcomes differ.",
            lambda: _rows(["state", "age", "edu"]),
        ),
        (
            "You merged states with each other and kept `repvote` in no row. It is the state's: "
            "keep `state`, and it comes along.",
            lambda: _rows(["male", "age", "edu"]),
        ),
        (
            "These are the columns by which you want estimates. The model's own must stay too, "
            "or it cannot say what a row answers.",
            lambda: _rows(["edu"]),
        ),
    ],
)
