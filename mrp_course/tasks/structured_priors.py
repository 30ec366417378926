"""Exercise 13, structured priors: what a walk says beforehand, and where it helps afterwards."""

from collections.abc import Iterable
from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
from scipy.special import expit, logit

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import PER_CENT, UPSIDE_DOWN, options, task
from mrp_course.results import load_result
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify

STEP = 0.3  # the standard deviation in the first task, on the logit scale


# As the notebooks have it: stored draws are known by the code of this function.
def random_walk(name, sigma, dims):  # type: ignore[no-untyped-def]
    steps = pm.Normal(f"{name}_offset", 0, 1, dims=dims)
    path = steps.reshape((-1, 6)).cumsum(axis=1)  # six ages, one walk a row
    path = path - path.mean(axis=1, keepdims=True)
    return pm.Deterministic(name, sigma * path.flatten(), dims=dims)


def walking_model(data: pd.DataFrame) -> bmb.Model:
    """Write down the main model with random walks over the ages."""
    sd = bmb.Prior("HalfNormal", sigma=0.5)
    priors = {f"1|{group}": bmb.Prior("Normal", mu=0, sigma=sd) for group in world.GROUPS}
    walk = bmb.Prior("RandomWalk", dist=random_walk, noncentered=False, sigma=sd)
    priors |= {"1|age": walk, "1|edu:age": walk}
    formula = "p(abortion, n) ~ male + repvote + " + " + ".join(f"(1 | {g})" for g in world.GROUPS)
    return bmb.Model(formula, data, family="binomial", priors=priors)


def _distances(independent: tuple[float, float], walk: tuple[float, float]) -> pd.Series:
    """Two priors by how far the other age is from the youngest."""
    index = pd.MultiIndex.from_product(
        [["independent", "walk"], ["30-39", "70+"]], names=["prior", "age"]
    )
    return pd.Series([*independent, *walk], index=index)


prior_distances = task(
    "13.1",
    Table(keys=("prior", "age"), value="sd"),
    answer=lambda: _distances((STEP * np.sqrt(2),) * 2, (STEP, STEP * np.sqrt(5))),
    right="Under independent effects any two ages differ equally. Under the walk neighbours"
    " differ less than that, 0.30, and the two ends more, 0.67.",
    hint="The difference of two independent effects has the variance of both together. Along a "
    "walk it is the sum of the steps between the two ages: count them.",
    mistakes=[
        (
            "These are variances. Asked for are standard deviations: take the roots.",
            lambda right: right**2,
        ),
        (
            "You counted the ages and not the steps between them: from the first of six ages to "
            "the last there are five steps, from the first to the second there is one.",
            lambda: _distances((STEP * np.sqrt(2),) * 2, (STEP * np.sqrt(2), STEP * np.sqrt(6))),
        ),
        (
            "You added the standard deviations of the steps. Independent steps partly cancel: "
            "their variances add, not their standard deviations.",
            lambda: _distances((2 * STEP,) * 2, (STEP, 5 * STEP)),
        ),
        (
            "For independent effects you gave the standard deviation of one effect. The "
            "difference of two has both variances in it.",
            lambda: _distances((STEP, STEP), (STEP, STEP * np.sqrt(5))),
        ),
        (
            "These are in units of sigma. Multiply by the 0.3 that the task gives.",
            lambda right: right / STEP,
        ),
    ],
)


def _logits() -> np.ndarray:
    """Logit of the true support at each age."""
    return logit(world.truth("age").to_numpy())


def _as_shares(guess: Iterable[float]) -> pd.Series:
    """Turn logits, one an age, into shares."""
    return pd.Series(expit(np.array([*guess])), index=world.truth("age").index)


def _guessed_by_walk() -> pd.Series:
    x = _logits()
    return _as_shares([x[1], *((x[:-2] + x[2:]) / 2), x[-2]])


def _straight_on() -> pd.Series:
    x = _logits()
    return _as_shares([2 * x[1] - x[2], *((x[:-2] + x[2:]) / 2), 2 * x[-2] - x[-3]])


def _smoothed() -> pd.Series:
    x = _logits()
    three = (x[:-2] + x[1:-1] + x[2:]) / 3
    return _as_shares([(x[0] + x[1]) / 2, *three, (x[-2] + x[-1]) / 2])


guessed_by_walk = task(
    "13.2",
    Table(keys=("age",), value="guess"),
    answer=_guessed_by_walk,
    right="It is off by 2.5 points on average, the mean of the other five by 5.1. At an end"
    " it has one neighbour only and repeats it, and at 60-69 it is further off than "
    "that mean.",
    hint="On the logit scale: between two known neighbours a walk predicts their mean, at "
    "an end the value of the only neighbour. `expit` turns it back into a share.",
    mistakes=[
        PER_CENT,
        (
            "This is what independent effects predict: the mean of all five others. A"
            " walk uses the neighbours alone, once they are known.",
            lambda: _as_shares((_logits().sum() - _logits()) / 5),
        ),
        (
            "At the ends you went on in a straight line. That is a second-order walk."
            " In this one the next step is as likely down as up: expect the "
            "neighbour's value.",
            _straight_on,
        ),
        (
            "You smoothed: the age's own share is in your mean. It is the one that nobody knows.",
            _smoothed,
        ),
        (
            "You took the younger neighbour only. A walk has no direction: the older "
            "neighbour says as much about the age between them.",
            lambda: _as_shares([_logits()[1], *_logits()[:-1]]),
        ),
        ("These are logits. Turn them into shares with `expit`.", lambda right: right.map(logit)),
    ],
)


FITS = {"walk": "structured-walk", "independent": "hierarchical"}


def _widths(prior: str) -> pd.Series:
    """Widths of the intervals by education and age under one of the two priors."""
    model = walking_model(world.cells()) if prior == "walk" else world.main_model()
    draws = world.draws(FITS[prior])
    table = poststratify(model, draws, world.laboratory(), by=["edu", "age"])
    return table["upper"] - table["lower"]


def _age_sd(prior: str) -> float:
    return float(world.draws(FITS[prior])["posterior"]["1|age_sigma"].mean().item())


width_ratio = task(
    "13.3",
    # One chain of four moves the mean of thirty ratios by up to 0.02.
    Number(within=0.02),
    answer=lambda: float((_widths("walk") / _widths("independent")).mean()),
    right="6% shorter on average: the ages have many answers of their own, and neighbours "
    "add a little. The intervals cover the truth in as many pairs as before.",
    hint="`poststratify` both models by education and age, take `upper - lower` of each of the 30 "
    "pairs, divide the walk's by the independent one's, and average the 30 ratios.",
    mistakes=[
        UPSIDE_DOWN,
        (
            "This is by how much intervals become shorter. The task asks for the ratio of widths, "
            "the walk's over the independent one's.",
            lambda right: 1 - right,
        ),
        (
            "You compared the standard deviations of the age effects, a parameter of each model. "
            "The task asks what it does to the estimates: their intervals.",
            lambda: _age_sd("walk") / _age_sd("independent"),
        ),
        (
            "This is the sum of the 30 ratios. Divide it by 30, or take the mean.",
            lambda right: 30 * right,
        ),
    ],
)


@cache
def _misses() -> pd.DataFrame:
    """Absolute errors in points: a row a sample, a column a prior; ten of the youngest left."""
    runs = load_result("structured_ages")
    runs = runs[(runs["thinned"] == "18-29") & (runs["asked"] == 10)]
    runs = runs.assign(miss=100 * (runs["estimate"] - runs["truth"]).abs())
    return runs.pivot(index="sample", columns="prior", values="miss")


def _gains() -> pd.Series:
    """What the walk gains in each sample."""
    return _misses()["independent"] - _misses()["walk"]


def _with_error(right: pd.Series, error: float) -> pd.Series:
    return world.instead(right, **{"MC error": error})


paired_gain = task(
    "13.4",
    Table(keys=("what",), value="points", within=0.02, points=True),
    answer=lambda: pd.Series({"gain": _gains().mean(), "MC error": _gains().sem()}),
    right="A gain of 3.2 points with a Monte Carlo error of 0.5, for this question and this"
    " age. Paired, because both priors saw the same samples.",
    hint="For each sample the absolute error of the one prior minus that of the other, in points; "
    "then the mean of these differences, and their standard deviation over the root of how many.",
    mistakes=[
        (
            "The gain is right, and its error is that of two separate sets of samples. Both "
            "priors saw the same samples: take the difference in each sample first, then its "
            "standard error.",
            lambda right: _with_error(right, np.sqrt((_misses().sem() ** 2).sum())),
        ),
        (
            "The gain is right. The other number is the standard deviation of one "
            "sample's difference; the mean of thirty is known better, by the root of "
            "thirty.",
            lambda right: _with_error(right, _gains().std()),
        ),
        (
            "You subtracted in the other order: a gain is the independent prior's error minus "
            "the walk's.",
            lambda right: right * [-1, 1],
        ),
        (
            "These are shares. The task asks for percentage points: multiply by 100.",
            lambda right: right / 100,
        ),
    ],
)


where_to_walk = task(
    "13.5",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "D",
    right="There are sixteen brackets in order, few answers in many of them, and an opinion"
    " that changes gradually along them, so neighbours help.",
    hint="A walk needs an order that means something for the answers, and levels that are short of "
    "answers of their own.",
    mistakes=options(
        A="The alphabet is an order but not a neighbourhood: Idaho and Illinois share "
        "letters, not opinions. Give the model regions and votes instead.",
        B="With two levels there is one difference, and a walk of one step is an independent "
        "effect under another name.",
        C="They are in order, and each has a thousand answers. With so many, a prior of"
        " any kind changes next to nothing.",
    ),
)
