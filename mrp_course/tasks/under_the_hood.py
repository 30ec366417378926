"""Exercise 14, under the hood: what a likelihood, a mode, a sampler and a large frame add up to."""

from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, gammaln, logsumexp

from mrp_course._forms import Number, Table
from mrp_course._task import PER_CENT, REVERSED, task
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.sample import aggregate_cells


def _log_coefficients(by: list[str]) -> np.ndarray:
    """For each cell of the sample, the log of the number of ways to pick its supporters."""
    cells = aggregate_cells(world.sample(), by=by)
    n, yes = cells["n"].to_numpy(), cells["abortion"].to_numpy()
    ways: np.ndarray = gammaln(n + 1) - gammaln(yes + 1) - gammaln(n - yes + 1)
    return ways


@task(
    "14.1",
    Number(within=0.05),
    right="It holds no parameter, so both likelihoods lead to the same posterior. And it is large: "
    "never compare the log-likelihood or LOO of a model of rows with that of a model of cells.",
    hint="For each of the 30 cells the log of n! / (y! (n - y)!), by gammaln; then their sum.",
    slips=[REVERSED],
)
def constant_between() -> float:
    return float(_log_coefficients(["age", "edu"]).sum())


@constant_between.mistake(
    "These are logarithms to base 10. Densities are compared on the natural scale: np.log, gammaln."
)
def _() -> float:
    return constant_between.answer() / np.log(10)


@constant_between.mistake(
    "You added the coefficients and took the logarithm of their sum. A likelihood is a product "
    "over cells: take logarithms first, then add."
)
def _() -> float:
    return float(logsumexp(_log_coefficients(["age", "edu"])))


@constant_between.mistake(
    "This is the coefficient of the whole sample, as if it were one cell. Each cell has its own."
)
def _() -> float:
    people = world.sample().assign(all=1)
    n, yes = len(people), people["abortion"].sum()
    return float(gammaln(n + 1) - gammaln(yes + 1) - gammaln(n - yes + 1))


@constant_between.mistake(
    "This belongs to the full cells, 2,173 of them. Here cells are made by age and education alone."
)
def _() -> float:
    return float(_log_coefficients(["state", "eth", "male", "age", "edu"]).sum())


@constant_between.mistake(
    "You divided n! by y! alone. The order of those who are against does not matter either: divide "
    "by (n - y)! as well."
)
def _() -> float:
    cells = aggregate_cells(world.sample(), by=["age", "edu"])
    return float((gammaln(cells["n"] + 1) - gammaln(cells["abortion"] + 1)).sum())


@cache
def _pieces() -> xr.DataArray:
    """Draws of the four regions of the laboratory."""
    return poststratify_draws(
        world.main_model(), world.draws("hierarchical"), world.laboratory(), by="region"
    )


def _summary(mean: float, sd: float) -> pd.Series:
    return pd.Series({"mean": float(mean), "sd": float(sd)}).rename_axis("of")


def _people() -> np.ndarray:
    people: np.ndarray = _pieces()["population"].to_numpy()
    return people / people.sum()


def _of_nation(shares: np.ndarray) -> pd.Series:
    """Mean and sd of the draws that a weighting of the regions gives."""
    nation = shares @ _pieces().to_numpy()
    return _summary(nation.mean(), nation.std(ddof=1))


# Between a chain and all four lie 0.0002 for the mean and 0.0001 for the sd.
@task(
    "14.2",
    Table(keys=("of",), within=7e-4),
    right="Supporters and people add up over pieces, draw by draw. The regions share their "
    "coefficients, so the nation varies more than it would if they erred each for itself.",
    hint="Multiply each region's draws by its population, add over regions, divide by all people; "
    "then take mean and standard deviation over the draws.",
    slips=[PER_CENT],
)
def nation_from_pieces() -> pd.Series:
    return _of_nation(_people())


@nation_from_pieces.mistake(
    "You averaged the four regions as if as many people lived in each. A region counts by its "
    "population."
)
def _() -> pd.Series:
    return _of_nation(np.full(4, 0.25))


@nation_from_pieces.mistake(
    "The mean is right. For the sd you added the regions' variances, as if they erred "
    "independently. They share their parameters: add within draws, then take the sd."
)
def _() -> pd.Series:
    sds = _pieces().to_numpy().std(axis=1, ddof=1)
    return _summary(nation_from_pieces.answer()["mean"], np.sqrt((_people() ** 2 * sds**2).sum()))


@nation_from_pieces.mistake(
    "The mean is right. The sd is that of a region, averaged over regions, as if all erred by the "
    "same amount. Add within draws, then take the sd."
)
def _() -> pd.Series:
    sds = _pieces().to_numpy().std(axis=1, ddof=1)
    return _summary(nation_from_pieces.answer()["mean"], (_people() * sds).sum())


@nation_from_pieces.mistake(
    "You weighted the regions by their number of cells. A cell may hold one person or hundreds: "
    "weight by population."
)
def _() -> pd.Series:
    cells = world.laboratory()["region"].value_counts(normalize=True).sort_index()
    return _of_nation(cells.to_numpy())


@nation_from_pieces.mistake(
    "The sd has been divided by the root of the number of draws: that is the Monte Carlo error of "
    "the mean. The posterior's sd does not shrink when you draw more."
)
def _() -> pd.Series:
    right = nation_from_pieces.answer()
    return _summary(right["mean"], right["sd"] / np.sqrt(_pieces().sizes["sample"]))


ASKED, AGREED, PRIOR_MEAN, PRIOR_SD = 5, 4, -0.1, 0.5


def _laplace(precision: float = 1 / PRIOR_SD**2) -> tuple[float, float]:
    """Mode and curvature of a logit, by Newton's method."""
    logit = PRIOR_MEAN
    for _ in range(20):
        p = expit(logit)
        slope = AGREED - ASKED * p - precision * (logit - PRIOR_MEAN)
        logit += slope / (ASKED * p * (1 - p) + precision)
    p = expit(logit)
    return float(logit), float(ASKED * p * (1 - p) + precision)


def _at(mode: float, sd: float) -> pd.Series:
    return pd.Series({"mode": mode, "sd": sd}).rename_axis("of")


@task(
    "14.3",
    Table(keys=("of",), within=1.5e-3),
    right="Two numbers for a posterior, without a sampler. The prior brings most of the curvature "
    "here: five answers do not say much.",
    hint="The slope of the log-density is y - n p - (logit - m) / s^2, the curvature n p (1 - p) + "
    "1 / s^2, both at the mode. The sd is one over the curvature's root.",
)
def laplace_by_hand() -> pd.Series:
    mode, curvature = _laplace()
    return _at(mode, curvature**-0.5)


@laplace_by_hand.mistake(
    "The mode is right. The second number is the variance, one over the curvature: take its root."
)
def _() -> pd.Series:
    mode, curvature = _laplace()
    return _at(mode, 1 / curvature)


@laplace_by_hand.mistake(
    "You left the prior out: this is the logit of 4/5 with its usual standard error. The prior has "
    "a slope and a curvature of its own."
)
def _() -> pd.Series:
    share = AGREED / ASKED
    return _at(np.log(share / (1 - share)), (ASKED * share * (1 - share)) ** -0.5)


@laplace_by_hand.mistake(
    "The mode is right, the sd counts the answers' curvature alone. Add the prior's, 1 / s^2."
)
def _() -> pd.Series:
    mode, _curvature = _laplace()
    p = expit(mode)
    return _at(mode, float(ASKED * p * (1 - p)) ** -0.5)


@laplace_by_hand.mistake(
    "You divided by the prior's sd where its variance belongs: the precision is 1 / s^2."
)
def _() -> pd.Series:
    mode, curvature = _laplace(precision=1 / PRIOR_SD)
    return _at(mode, curvature**-0.5)


@laplace_by_hand.mistake(
    "This is the sd of the share, p (1 - p) times that of the logit. Laplace's normal belongs to "
    "the logit here."
)
def _() -> pd.Series:
    mode, curvature = _laplace()
    p = float(expit(mode))
    return _at(mode, p * (1 - p) * curvature**-0.5)


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


@task(
    "14.4",
    Table(keys=("run",), value="seconds", within=0.06),
    right="Compiling is paid once, sampling by the effective draw. For one short run the quick "
    "compilation counts as much as the quick sampler.",
    hint="Compiling once, and of the sampling the part that 400 is of the smallest ESS.",
)
def seconds_until_enough() -> pd.Series:
    return RUNS["compiling"] + RUNS["sampling"] * WANTED / RUNS["min ESS"]


@seconds_until_enough.mistake(
    "You counted draws. What a mean gains from 4,000 draws that resemble each other is what the "
    "effective sample size says."
)
def _() -> pd.Series:
    return RUNS["compiling"] + RUNS["sampling"] * WANTED / 4000


@seconds_until_enough.mistake("You left out the compilation, which comes before the first draw.")
def _() -> pd.Series:
    return RUNS["sampling"] * WANTED / RUNS["min ESS"]


@seconds_until_enough.mistake(
    "You shortened the compilation too. It takes as long for one draw as for thousands."
)
def _() -> pd.Series:
    return (RUNS["compiling"] + RUNS["sampling"]) * WANTED / RUNS["min ESS"]


@seconds_until_enough.mistake(
    "These are effective draws in a second of sampling. Ask how many seconds 400 of them take, and "
    "add the compilation."
)
def _() -> pd.Series:
    return RUNS["min ESS"] / RUNS["sampling"]


@seconds_until_enough.mistake(
    "This is the whole run. It made more effective draws than the 400 asked for."
)
def _() -> pd.Series:
    return RUNS["compiling"] + RUNS["sampling"]


LEVELS, SCALE = 4, 0.3


def _prior_sds(effect: float, mean: float, difference: float) -> pd.Series:
    named = {"effect": effect, "mean": mean, "difference": difference}
    return pd.Series(named).rename_axis("quantity")


@task(
    "14.5",
    Table(keys=("quantity",), value="sd", within=2e-3),
    right="The common shift is gone, and it took a quarter of each effect's variance along. "
    "Differences between groups are as free as before.",
    hint="Subtract from four independent effects their mean. What varies how much then?",
)
def under_zero_sum() -> pd.Series:
    return _prior_sds(SCALE * np.sqrt(1 - 1 / LEVELS), 0.0, SCALE * np.sqrt(2))


@under_zero_sum.mistake(
    "These belong to independent effects. If four effects always add up to zero, their mean cannot "
    "vary."
)
def _() -> pd.Series:
    return _prior_sds(SCALE, SCALE / np.sqrt(LEVELS), SCALE * np.sqrt(2))


@under_zero_sum.mistake(
    "For the difference you added two variances, as if the effects were independent. They are "
    "negatively correlated: what one has too much, the others lack."
)
def _() -> pd.Series:
    effect = SCALE * np.sqrt(1 - 1 / LEVELS)
    return _prior_sds(effect, 0.0, effect * np.sqrt(2))


@under_zero_sum.mistake(
    "The mean cannot vary, but neither can an effect be as free as before: the variance of the "
    "mean has been taken out of it."
)
def _() -> pd.Series:
    return _prior_sds(SCALE, 0.0, SCALE * np.sqrt(2))


@under_zero_sum.mistake("These are variances. Take their roots.")
def _() -> pd.Series:
    return under_zero_sum.answer() ** 2


@under_zero_sum.mistake(
    "You multiplied by K / (K - 1), as when a sample's variance is corrected. Here the effects "
    "lose variance: (K - 1) / K."
)
def _() -> pd.Series:
    return _prior_sds(SCALE * np.sqrt(LEVELS / (LEVELS - 1)), 0.0, SCALE * np.sqrt(2))


def _rows(columns: list[str]) -> int:
    return len(world.census()[columns].drop_duplicates())


@task(
    "14.6",
    Number(within=0.5),
    right="A quarter of the frame, with the same draws. What you may merge depends on the model "
    "and on the question, not on the frame.",
    hint="Keep the columns that the model reads and the one by which you want estimates; count "
    "the different rows.",
)
def rows_after_merging() -> int:
    return _rows(["state", "male", "age", "edu"])


@rows_after_merging.mistake(
    "Then no estimate by education can be had. Keep the columns of `by` as well as the model's."
)
def _() -> int:
    return _rows(["state", "male", "age"])


@rows_after_merging.mistake(
    "This model has no effect of ethnicity, and no estimate by it is asked for: merge over it."
)
def _() -> int:
    return len(world.census())


@rows_after_merging.mistake(
    "You merged men and women. The model has a slope for `male`, so their expected outcomes differ."
)
def _() -> int:
    return _rows(["state", "age", "edu"])


@rows_after_merging.mistake(
    "You merged states with each other and kept `repvote` in no row. It is the state's: keep "
    "`state`, and it comes along."
)
def _() -> int:
    return _rows(["male", "age", "edu"])


@rows_after_merging.mistake(
    "These are the columns by which you want estimates. The model's own must stay too, or it "
    "cannot say what a row answers."
)
def _() -> int:
    return _rows(["edu"])
