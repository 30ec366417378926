"""Exercise 8, does it work: scores that compare like with like, and what no score can tell."""

import warnings
from collections.abc import Callable
from functools import cache

import arviz as az
import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import binom

from mrp_course._forms import Number, Table
from mrp_course._task import OTHERS, PER_CENT, task
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.recode import CELL
from mrp_helpers.weight import rake

FITS = {
    "main model": "hierarchical",
    "no age": "ladder-no-age",
    "fixed effects": "fixed-own-states",
}
PUBLISHED_FROM = 50  # respondents in a state


@cache
def _model(name: str) -> bmb.Model:
    if name == "main model":
        return world.main_model()
    if name == "no age":
        return world.multilevel(world.cells(), [g for g in world.GROUPS if "age" not in g])
    return bmb.Model(
        "p(abortion, n) ~ 0 + C(state) + C(eth) + C(edu) + C(age) + male",
        world.cells(),
        family="binomial",
        priors={"C(state)": bmb.Prior("Normal", mu=0, sigma=2.5)},
    )


@cache
def _by_state_and_age(name: str) -> pd.DataFrame:
    """Estimates of a model in the laboratory; coarser groups are weighted means of these."""
    draws = poststratify_draws(
        _model(name), world.draws(FITS[name]), world.laboratory(), by=["state", "age"]
    )
    people = draws["population"].to_series().rename("people")
    return pd.DataFrame({"estimate": draws.mean("sample").to_series(), "people": people})


def _estimates(name: str, by: str) -> pd.Series:
    table = _by_state_and_age(name)
    totals = (table["estimate"] * table["people"]).groupby(by).sum()
    return totals / table["people"].groupby(by).sum()


def _errors(name: str, by: str) -> pd.Series:
    return _estimates(name, by) - world.truth(by)


@cache
def _people() -> pd.Series:
    """People of the laboratory in each state."""
    return world.laboratory().groupby("state")["n"].sum()


@cache
def _raked() -> pd.Series:
    return rake(world.sample(), world.margins(world.laboratory()))


@cache
def _national() -> pd.Series:
    """Three estimates for the laboratory's nation."""
    answers, table = world.sample()["abortion"], _by_state_and_age("main model")
    estimates = {
        "raw": answers.mean(),
        "raked": np.average(answers, weights=_raked()),
        "MRP": np.average(table["estimate"], weights=table["people"]),
    }
    return pd.Series(estimates).rename_axis("method")


def _removed(estimates: pd.Series, truth: float | None = None) -> pd.Series:
    errors = (estimates - (world.truth() if truth is None else truth)).abs()
    removed: pd.Series = 1 - errors / errors["raw"]
    return removed.drop("raw")


def _with_states_counting_alike() -> pd.Series:
    return _removed(world.instead(_national(), MRP=_estimates("main model", "state").mean()))


# Between a chain and all four lie 0.01 for MRP; raking has no Monte Carlo error.
error_removed = task(
    "8.1",
    Table(keys=("method",), value="removed", within={"raked": 0.0025, "MRP": 0.015}),
    answer=lambda: _removed(_national()),
    right="Both remove about 70% of the raw error. For one large group weights do as well as a "
    "model if selection multiplies over the columns or the answers add over them; here neither "
    "holds exactly, and what that costs is small.",
    hint="One minus the absolute error of the method divided by that of the raw mean; the truth is "
    "the mean of all respondents of the survey.",
    mistakes=[
        OTHERS,
        PER_CENT,
        (
            "You divided the change by the raw estimate. What is to be removed is the raw error: "
            "divide by the distance between the raw mean and the truth.",
            lambda: (1 - _national() / _national()["raw"]).drop("raw"),
        ),
        (
            "These are the changes in the estimates, in units of shares. Divide them by the raw "
            "error.",
            lambda: (_national()["raw"] - _national()).drop("raw"),
        ),
        (
            "Your national MRP estimate is the plain mean of 50 states. A state counts by its "
            "people: post-stratify without by.",
            _with_states_counting_alike,
        ),
        (
            "You took the mean of the 50 states' true shares for the truth. The nation's truth "
            "is the mean of all its people.",
            lambda: _removed(_national(), world.truth("state").mean()),
        ),
    ],
)


def _published(least: int = PUBLISHED_FROM) -> pd.Index:
    counts = world.sample()["state"].value_counts()
    return counts.index[counts >= least]


@cache
def _state_errors() -> pd.DataFrame:
    """Errors of three methods in the states of the laboratory."""
    sample, weight = world.sample(), _raked()
    weighted = (sample["abortion"] * weight).groupby(sample["state"]).sum()
    estimates = {
        "raw": world.raw("state"),
        "raked": weighted / weight.groupby(sample["state"]).sum(),
        "MRP": _estimates("main model", "state"),
    }
    errors = pd.DataFrame(estimates).sub(world.truth("state"), axis="index")
    return errors.rename_axis(columns="method")


def _per_person(errors: pd.DataFrame) -> pd.Series:
    """Mean error, each state of the table counting by its people."""
    shares = _people()[errors.index] / _people()[errors.index].sum()
    return errors.mul(shares, axis="index").sum()


def _divided_by_all_people() -> pd.Series:
    errors = _state_errors().loc[_published()].abs()
    return errors.mul(_people()[_published()] / _people().sum(), axis="index").sum()


# Raw and raked have no Monte Carlo error; between a chain and all four lie 0.0003 for MRP.
error_where_published = task(
    "8.2",
    Table(keys=("method",), value="mae", within={"raw": 5e-5, "raked": 5e-5, "MRP": 4e-4}),
    answer=lambda: _per_person(_state_errors().loc[_published()].abs()),
    right="On the same 31 states MRP is off by 2.5 points and raw by 4.6. A method that skips the "
    "hard states must be compared on those that it does estimate.",
    hint="Keep the states with 50 or more respondents, for all three methods; average the absolute "
    "errors with these states' people as weights.",
    mistakes=[
        PER_CENT,
        (
            "You scored raw and raked on the published states and MRP on all 50, which include "
            "the hard ones. Compare like with like: the same states for all.",
            lambda right: world.instead(right, MRP=_per_person(_state_errors().abs())["MRP"]),
        ),
        (
            "These are the errors over all 50 states. The agency publishes those with 50 or more "
            "respondents in the sample.",
            lambda: _per_person(_state_errors().abs()),
        ),
        (
            "Each state counts once here. The question lets each person count once: weight a "
            "state by its people.",
            lambda: _state_errors().loc[_published()].abs().mean(),
        ),
        (
            "Each state counts once here, and there are 50 of them. Keep those with 50 or more "
            "respondents and weight them by their people.",
            lambda: _state_errors().abs().mean(),
        ),
        (
            "You averaged the errors with their signs, which is the mean error. Take absolute "
            "values first.",
            lambda: _per_person(_state_errors().loc[_published()]),
        ),
        (
            "You kept the states with more than 50 respondents. The agency publishes those with "
            "exactly 50 as well.",
            lambda: _per_person(_state_errors().loc[_published(least=51)].abs()),
        ),
        (
            "This is the root mean square error. The mean absolute error is asked for.",
            lambda: np.sqrt(_per_person(_state_errors().loc[_published()] ** 2)),
        ),
        (
            "Your weights do not add up to 1: you divided by the people of all 50 states. Divide "
            "by the people of the published ones.",
            _divided_by_all_people,
        ),
    ],
)


def _noise(people: pd.Series) -> pd.Series:
    """Standard error of a share among so many people drawn at random."""
    truth = world.truth("state")
    return (truth * (1 - truth) / people) ** 0.5


def _missed(sd: float) -> float:
    """Mean absolute value of a normal variable."""
    return float(np.sqrt(2 / np.pi) * sd)


error_of_perfection = task(
    "8.3",
    Number(within=3e-4),
    answer=lambda: _missed(_noise(_people()).mean()),
    right="1.6 points, for a method that makes no error at all. Squares add and errors do not, so "
    "you cannot subtract it from a score; but no score here can be read to a tenth of a point.",
    hint="For each state the square root of p (1 - p) / N, with the laboratory's p and N, times "
    "0.798; then the plain mean over the states.",
    mistakes=[
        PER_CENT,
        (
            "This is the mean standard error. The mean absolute value of a normal variable is "
            "smaller than its standard deviation: multiply by 0.798.",
            lambda: float(_noise(_people()).mean()),
        ),
        (
            "You divided by the respondents in the biased sample. The noise asked for is the "
            "truth's, which rests on all respondents of the survey in the state.",
            lambda: _missed(_noise(world.sample()["state"].value_counts()).mean()),
        ),
        (
            "You divided by the adult citizens of the census. The laboratory's truth rests on "
            "the respondents of the survey, some hundred to some thousand in a state.",
            lambda: _missed(_noise(world.census().groupby("state")["n"].sum()).mean()),
        ),
        (
            "This is how much single answers vary. The noise of a state's share is smaller by "
            "the root of the number of people in it: divide by N under the root.",
            lambda: _missed(_noise(_people() * 0 + 1).mean()),
        ),
        (
            "You gave every state the average number of people. The noise is large in small "
            "states: take each state's own N, then average.",
            lambda: _missed(_noise(_people() * 0 + _people().mean()).mean()),
        ),
        (
            "You weighted the states by their people. Here each state counts once, as in the "
            "error that this number is to be compared with.",
            lambda: _missed(np.average(_noise(_people()), weights=_people())),
        ),
        (
            "You averaged the variances and took the root of their mean. Take the root in each "
            "state, then average.",
            lambda: _missed(np.sqrt((_noise(_people()) ** 2).mean())),
        ),
    ],
)


PROBABILITIES = np.array([0.5, 0.8, 0.95])


@cache
def _state_draws() -> xr.DataArray:
    return world.main_draws(world.laboratory(), by="state")


def _held(lower_tail: np.ndarray, upper_tail: np.ndarray) -> np.ndarray:
    """Whether intervals cover the truth: (probabilities x states), from the tails' quantiles."""
    draws = _state_draws()
    truth = world.truth("state")[draws.indexes["group"]].to_numpy()
    lower = np.quantile(draws.to_numpy(), lower_tail, axis=1)
    upper = np.quantile(draws.to_numpy(), upper_tail, axis=1)
    held: np.ndarray = (lower <= truth) & (truth <= upper)
    return held


def _central() -> np.ndarray:
    return _held((1 - PROBABILITIES) / 2, (1 + PROBABILITIES) / 2)


def _by_probability(values: object) -> pd.Series:
    return pd.Series(values, index=pd.Index(PROBABILITIES, name="prob"))


def _each_person_once() -> pd.Series:
    people = _people()[_state_draws().indexes["group"]]
    return _by_probability(np.average(_central(), weights=people, axis=1))


# In a chain by itself up to two states of 50 fall on the other side.
coverage = task(
    "8.4",
    Table(keys=("prob",), value="coverage", within=0.036),
    answer=lambda: _by_probability(_central().mean(axis=1)),
    right="40, 64 and 94% of realised shares, by intervals for expected support, in one sample. "
    "With predictive intervals they are about 44, 76 and 98%; the rest is this sample's mean error "
    "of 2.5 points, and chance.",
    hint="For each probability, the share of the 50 states whose truth lies between the two ends.",
    mistakes=[
        OTHERS,
        PER_CENT,
        (
            "These are numbers of states. Coverage is their share: divide by 50.",
            lambda: _by_probability(_central().sum(axis=1)),
        ),
        (
            "All three are the coverage of the 95% interval. Ask for each interval separately: the "
            "argument prob of poststratify sets its probability.",
            lambda: _by_probability(_central()[-1].mean()),
        ),
        (
            "You cut off 1 - prob on either side, twice too much. Half of it belongs to each "
            "side: for 95% the ends are the 2.5% and 97.5% quantiles.",
            lambda: _by_probability(_held(1 - PROBABILITIES, PROBABILITIES).mean(axis=1)),
        ),
        (
            "You counted states whose truth lies below the upper end. An interval has to cover "
            "the truth from both sides.",
            lambda: _by_probability(_held(0 * PROBABILITIES, (1 + PROBABILITIES) / 2).mean(axis=1)),
        ),
        ("Each person counts once here. Let each state count once.", _each_person_once),
    ],
)


def _models(score: Callable[[str], float]) -> pd.Series:
    return pd.Series({name: score(name) for name in FITS}).rename_axis("model")


def _by_people(errors: pd.Series) -> float:
    people = world.respondents()["age"].value_counts()
    return float((errors * people / people.sum()).sum())


def _national_error(name: str) -> float:
    table = _by_state_and_age(name)
    estimate = (table["estimate"] * table["people"]).sum() / table["people"].sum()
    return float(abs(estimate - world.truth()))


def _errors_by_state_and_age() -> pd.Series:
    truth = world.truth(["state", "age"])
    return _models(lambda name: (_by_state_and_age(name)["estimate"] - truth).abs().mean())


# Three Monte Carlo errors each; each person counting once is two tolerances away.
error_by_age = task(
    "8.5",
    Table(
        keys=("model",),
        value="mae",
        within={"main model": 3.5e-4, "no age": 2e-4, "fixed effects": 5.5e-4},
    ),
    answer=lambda: _models(lambda name: _errors(name, "age").abs().mean()),
    right="For age bands fixed effects are as good as the main model, and the model without age is "
    "far off. In the states fixed effects are the worst of the three, so score what you report.",
    hint="Post-stratify each model to the laboratory by age; then the mean absolute error over the "
    "six bands.",
    mistakes=[
        PER_CENT,
        (
            "These are the errors over the 50 states. Post-stratify by age and compare with the "
            "truth of the six bands.",
            lambda: _models(lambda name: _errors(name, "state").abs().mean()),
        ),
        (
            "You averaged the errors with their signs, so that too much among the young and too "
            "little among the old cancel. Take absolute values first.",
            lambda: _models(lambda name: _errors(name, "age").mean()),
        ),
        (
            "This is the root mean square error. The mean absolute error is asked for.",
            lambda: _models(lambda name: np.sqrt((_errors(name, "age") ** 2).mean())),
        ),
        (
            "These are the errors over the 300 combinations of state and age. Six bands of the "
            "whole nation are asked for.",
            _errors_by_state_and_age,
        ),
        (
            "Each person counts once here. The question lets each of the six bands count once.",
            lambda: _models(lambda name: _by_people(_errors(name, "age").abs())),
        ),
        (
            "This is the largest of the six errors. Their mean is asked for.",
            lambda: _models(lambda name: _errors(name, "age").abs().max()),
        ),
        (
            "This is the error for the nation as a whole. Post-stratify by age, take the error of "
            "each band, and average.",
            lambda: _models(_national_error),
        ),
        (
            "You compared with the sample's own shares by age. The sample is biased: the truth is "
            "that of all respondents of the survey.",
            lambda: _models(lambda name: (_estimates(name, "age") - world.raw("age")).abs().mean()),
        ),
    ],
)


# Enough for the elpd, which four times as many draws change by a few tenths.
KEPT = 250


@cache
def _leave_one_out(name: str) -> pd.DataFrame:
    """Of every cell the elpd, and the log score of the fit that saw it."""
    draws = world.draws(FITS[name])
    thinned = draws.isel(draw=slice(None, None, draws["posterior"].sizes["draw"] // KEPT))
    p = poststratify_draws(_model(name), thinned, world.cells(), by=CELL)
    cells = world.cells().sort_values(CELL)
    scores = binom.logpmf(cells["abortion"], cells["n"], p.transpose("sample", "group"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exercise shows the one cell that ArviZ warns about
        rows = xr.Dataset({"abortion": (("chain", "draw", "row"), scores[None])})
        loo = az.loo(xr.DataTree.from_dict({"log_likelihood": rows}), pointwise=True, reff=1.0)
    in_sample = np.log(np.exp(scores).mean(axis=0))
    return pd.DataFrame({"elpd": loo.elpd_i.to_numpy(), "in sample": in_sample})


@cache
def _cellwise(score: str = "elpd") -> pd.Series:
    """No age minus fixed effects, cell by cell."""
    return _leave_one_out("no age")[score] - _leave_one_out("fixed effects")[score]


def _se_of_sum(values: pd.Series) -> float:
    return float(np.sqrt(len(values)) * values.std())


def _unpaired(right: pd.Series) -> pd.Series:
    unpaired = [_se_of_sum(_leave_one_out(name)["elpd"]) for name in ("no age", "fixed effects")]
    return world.instead(right, se=float(np.linalg.norm(unpaired)))


def _less_parameters() -> pd.Series:
    """Subtract the effective number of parameters, cell by cell, from an elpd that is without."""
    return 2 * _cellwise() - _cellwise("in sample")


def _elpd_difference() -> pd.Series:
    parts = {"difference": _cellwise().sum(), "se": _se_of_sum(_cellwise())}
    return pd.Series(parts).rename_axis("part")


elpd_difference = task(
    "8.6",
    Table(keys=("part",), value="value", within=1.2),
    answer=_elpd_difference,
    right="The difference is smaller than its standard error. In this sample the elpd "
    "does not separate these two; in 13 of 20 others no age is behind, by 3.6 units on average, "
    "although it is far better for the states and fixed effects for ages.",
    hint="Subtract cell by cell. The difference is the sum; its standard error is the root of the "
    "number of cells times the standard deviation of the cells' differences.",
    mistakes=[
        (
            "You subtracted the other way round. The question asks for no age minus fixed effects.",
            lambda right: world.instead(right, difference=-right["difference"]),
        ),
        (
            "You added up the uncertainty of the two totals. Both models are scored on the same "
            "cells and most of that noise is common: take the standard deviation of the "
            "differences.",
            _unpaired,
        ),
        (
            "This is the standard deviation of a single cell's difference. The sum of n of them "
            "varies more: multiply by the root of n.",
            lambda right: world.instead(right, se=float(_cellwise().std())),
        ),
        (
            "You divided by the number of cells. The elpd is a sum over cells, and so is a "
            "difference of two.",
            lambda right: right / len(_cellwise()),
        ),
        (
            "You subtracted p, the effective number of parameters, once more. The elpd has it "
            "inside: each cell is already scored by a fit without it.",
            lambda right: world.instead(right, difference=_less_parameters().sum()),
        ),
        (
            "You compared how well the models fit cells that they have seen, elpd plus p. A "
            "model with more freedom always fits these better: use the elpd.",
            lambda right: world.instead(right, difference=_cellwise("in sample").sum()),
        ),
        (
            "This is on the scale of deviance, minus two times the elpd. The elpd itself is "
            "asked for, higher being better.",
            lambda right: right * [-2, 2],
        ),
    ],
)
