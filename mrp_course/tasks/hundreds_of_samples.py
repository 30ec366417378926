"""Exercise 10, hundreds of samples: scores of estimators, and how sure one can be of them."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from mrp_course._forms import Names, Number, Table
from mrp_course._task import OTHERS, PER_CENT, task
from mrp_course._words import by_eye
from mrp_course.results import load_result
from mrp_course.tasks import _world as world

ESTIMATORS = ["raw", "raked", "fixed effects", "main model"]


@cache
def _study() -> pd.DataFrame:
    """Every row of the study with its error, and whether the 95% interval covers the truth."""
    study = load_result("study")
    truth = {**world.truth("state"), "US": world.truth()}
    error = study["estimate"] - study["area"].map(truth)
    held = (study["place"] - 0.5).abs() <= 0.475
    return study.assign(error=error, held=held.astype(float))


@cache
def _rows(recipe: str, *, nation: bool) -> pd.DataFrame:
    """Rows of the samples of 5,000 by a recipe, for the nation or for the states."""
    study = _study()
    here = (study["recipe"] == recipe) & (study["people"] == 5000)
    return study[here & ((study["area"] == "US") == nation)]


def _rmse(rows: pd.DataFrame) -> pd.Series:
    square = (rows["error"] ** 2).groupby(rows["estimator"]).mean()
    return np.sqrt(square)[ESTIMATORS]


def _national() -> Any:
    """Errors of each estimator for the nation in the stronger samples."""
    return _rows("stronger", nation=True).groupby("estimator")["error"]


def _mean_absolute_error() -> pd.Series:
    rows = _rows("stronger", nation=True)
    return rows["error"].abs().groupby(rows["estimator"]).mean()[ESTIMATORS]


national_rmse = task(
    "10.1",
    Table(keys=("estimator",), value="rmse", within=0.0006),
    answer=lambda: _rmse(_rows("stronger", nation=True)),
    right="Once the selection is corrected, the three that use the columns are about equally "
    "far off for the nation. That is mostly sampling variability: their biases are -0.2 to "
    "-0.6 points, beside standard deviations of 1.1 to 1.3. Raw has little variability and "
    "much bias, and an RMSE counts both.",
    hint="Keep the rows of the nation in the stronger samples of 5,000; square the errors, "
    "average them over the samples for each estimator, and take the root.",
    mistakes=[
        PER_CENT,
        (
            "This is the mean absolute error. The root mean square error squares first, "
            "averages, and then takes the root, so that large errors count more.",
            _mean_absolute_error,
        ),
        (
            "This is the mean error, in which errors to either side cancel: the bias alone. "
            "Square the errors before you average them, so that variance counts as well.",
            lambda: _national().mean()[ESTIMATORS],
        ),
        (
            "This is the standard deviation of the errors over samples, which leaves out the "
            "bias. Without the bias raw looks like the best of the four.",
            lambda: _national().std(ddof=0)[ESTIMATORS],
        ),
        (
            "This is the RMSE of the states. The nation's rows are those whose area is US.",
            lambda: _rmse(_rows("stronger", nation=False)),
        ),
        (
            "These are the samples of the published recipe. The task asks for the stronger ones.",
            lambda: _rmse(_rows("published", nation=True)),
        ),
    ],
)


@cache
def _held_by_sample() -> pd.Series:
    rows = _rows("published", nation=False)
    rows = rows[rows["estimator"] == "main model"]
    return rows.groupby("sample")["held"].mean()


def _error_of_a_share(of: int) -> float:
    """Standard error of the coverage, if it were a share of so many independent ones."""
    coverage = _held_by_sample().mean()
    return float(np.sqrt(coverage * (1 - coverage) / of))


coverage_error = task(
    "10.2",
    Number(within=0.0004),
    answer=lambda: _held_by_sample().sem(),
    right="The states of a sample are not independent, so a sample counts once, and its share "
    "of covered states is one number. The standard deviation of these shares, divided by "
    "the root of the number of samples, is the Monte Carlo error.",
    hint="First the share of the 50 states that is covered in each sample; then the standard "
    "error of the mean of these shares.",
    mistakes=[
        PER_CENT,
        (
            "You took all intervals for independent, fifty in each sample. The fifty states of "
            "a sample share its slopes and its standard deviations, and so its errors: a sample"
            " counts once.",
            lambda: _error_of_a_share(50 * len(_held_by_sample())),
        ),
        (
            "This is the error of one yes or no in each sample, as for the nation. A sample "
            "gives more than that: the share of its fifty states, which varies less.",
            lambda: _error_of_a_share(len(_held_by_sample())),
        ),
        (
            "This is how much the shares vary from sample to sample. The error of their mean is "
            "smaller by the root of the number of samples.",
            lambda: float(_held_by_sample().std()),
        ),
    ],
)


samples_needed = task(
    "10.3",
    Number(within=1.01),
    answer=lambda: 0.95 * 0.05 / 0.01**2,
    right="Nearly five hundred samples, to know a national coverage to one point. A coverage of"
    " 94% over a hundred samples is not evidence of anything; its standard error is two "
    "points.",
    hint="For the nation a sample says yes or no. Set the standard error of a share of 0.95, the "
    "root of 0.95 times 0.05 over the number of samples, to 0.01, and solve.",
    mistakes=[
        (
            "You took the worst case, a share of one half. The share here is 0.95, and its "
            "yes-or-no varies much less: 0.95 times 0.05, and not 0.25.",
            lambda: 0.25 / 0.01**2,
        ),
        (
            "You made the half-width of a 95% interval one point. The task asks for the "
            "standard error itself, without the factor of 1.96.",
            lambda: 0.95 * 0.05 * (1.96 / 0.01) ** 2,
        ),
        (
            "This is the variance over the standard error. A standard error falls with the root "
            "of the number of samples, so one hundredth has to be squared.",
            lambda: 0.95 * 0.05 / 0.01,
        ),
        (
            "You counted the fifty states as fifty samples each. For the nation a sample gives "
            "one answer.",
            lambda: 0.95 * 0.05 / 0.01**2 / 50,
        ),
    ],
)


def _where_raked_wins(recipe: str, score: str = "rmse") -> list[str]:
    """List the states in which raking has the smaller RMSE, or the smaller bias."""
    rows = _rows(recipe, nation=False)
    keys = [rows["area"], rows["estimator"]]
    if score == "rmse":
        values = (rows["error"] ** 2).groupby(keys).mean().unstack()
    else:
        values = rows["error"].groupby(keys).mean().abs().unstack()
    return sorted(values.index[values["raked"] < values["main model"]])


def _where_raking_loses() -> list[str]:
    wins = set(_where_raked_wins("published"))
    return sorted(set(_rows("published", nation=False)["area"]) - wins)


def _in_the_first_sample() -> list[str]:
    rows = _rows("published", nation=False)
    first = rows[rows["sample"] == 0].pivot(index="area", columns="estimator", values="error").abs()
    return sorted(first.index[first["raked"] < first["main model"]])


where_raking_wins = task(
    "10.4",
    Names(column="area"),
    answer=lambda: _where_raked_wins("published"),
    right="Raking wins where a state has hundreds of respondents and differs from what its vote"
    " predicts: there the model's bias is larger than the variance of the weights. "
    "Everywhere else the variance is larger.",
    hint="For each state and estimator the mean over samples of the squared error; then the "
    "states in which raked has the smaller one.",
    mistakes=[
        (
            "You compared biases. Raking has little bias nearly everywhere, and much noise; the "
            "RMSE counts both.",
            lambda: _where_raked_wins("published", "bias"),
        ),
        (
            "These are the states in which raking is worse: you compared in the other direction.",
            _where_raking_loses,
        ),
        (
            "These are the states in the first sample alone. One sample tells who was near by "
            "chance; take the mean of the squared errors over all samples of the recipe.",
            _in_the_first_sample,
        ),
        (
            "These are the samples of the milder recipe. The task asks for the published ones.",
            lambda: _where_raked_wins("milder"),
        ),
    ],
)


@cache
def _covered_by_state(estimator: str) -> pd.Series:
    """For each state the share of the published samples whose interval covers the truth."""
    rows = _rows("published", nation=False)
    return rows[rows["estimator"] == estimator].groupby("area")["held"].mean()


def _below(coverage: float, estimator: str = "main model") -> float:
    return (_covered_by_state(estimator) < coverage).mean()


seldom_covered = task(
    "10.5",
    Number(within=by_eye(0, 1)),
    answer=lambda: _below(0.9),
    right="About 38%, or 19 states. The mean coverage of 87% hides two kinds of states: half are "
    "covered in 97% of the samples or more, and eleven in fewer than 80%.",
    hint="Go up from 90% on the horizontal axis to the main model's line, whose marks are discs, "
    "and from there to the left: the height is the share of states.",
    mistakes=[
        OTHERS,
        PER_CENT,
        (
            "You read the other line, that of the raked estimates. The main model's has discs.",
            lambda: _below(0.9, "raked"),
        ),
        (
            "You went up from 95%, where the nominal coverage is. The task asks for less than 90%.",
            lambda: _below(0.95),
        ),
        (
            "You read the axes the other way round: this is a coverage, below which 90% of the "
            "states lie. Go up from 90% on the horizontal axis.",
            lambda: _covered_by_state("main model").quantile(0.9),
        ),
        (
            "This is a number of states. Divide it by 50.",
            lambda right: 50 * right,
        ),
    ],
)
