"""Exercise 13, structured priors: what a walk says beforehand, and where it helps afterwards."""

from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
from scipy.special import expit, logit

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import PER_CENT, UPSIDE_DOWN, task
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


@task(
    "13.1",
    Table(keys=("prior", "age"), value="sd"),
    right="Independent effects hold that any two ages differ equally. The walk holds that "
    "neighbours differ less than that, 0.30, and the two ends more, 0.67.",
    hint="The difference of two independent effects has the variance of both together. Along a "
    "walk it is the sum of the steps between the two ages: count them.",
)
def prior_distances() -> pd.Series:
    return _distances((STEP * np.sqrt(2),) * 2, (STEP, STEP * np.sqrt(5)))


@prior_distances.mistake("These are variances. Asked for are standard deviations: take the roots.")
def _() -> pd.Series:
    return prior_distances.answer() ** 2


@prior_distances.mistake(
    "You counted the ages and not the steps between them: from the first of six ages to the last "
    "there are five steps, from the first to the second there is one."
)
def _() -> pd.Series:
    return _distances((STEP * np.sqrt(2),) * 2, (STEP * np.sqrt(2), STEP * np.sqrt(6)))


@prior_distances.mistake(
    "You added the standard deviations of the steps. Independent steps partly cancel: their "
    "variances add, not their standard deviations."
)
def _() -> pd.Series:
    return _distances((2 * STEP,) * 2, (STEP, 5 * STEP))


@prior_distances.mistake(
    "For independent effects you gave the standard deviation of one effect. The difference of two "
    "has both variances in it."
)
def _() -> pd.Series:
    return _distances((STEP, STEP), (STEP, STEP * np.sqrt(5)))


@prior_distances.mistake("These are in units of sigma. Multiply by the 0.3 that the task gives.")
def _() -> pd.Series:
    return prior_distances.answer() / STEP


@cache
def _truth() -> pd.Series:
    return world.respondents().groupby("age")["abortion"].mean()


def _from_others(guess: np.ndarray) -> pd.Series:
    """Turn logits, one an age, into shares."""
    return pd.Series(expit(guess), index=_truth().index)


@task(
    "13.2",
    Table(keys=("age",), value="guess"),
    right="It misses by 2.5 points on average, where the mean of the other five misses by 5.1. At "
    "an end it has one neighbour only and repeats it, and where the path jumps it lags behind.",
    hint="On the logit scale: between two known neighbours a walk expects their mean, at an end "
    "the value of the only neighbour. `expit` turns it back into a share.",
    slips=[PER_CENT],
)
def guessed_by_walk() -> pd.Series:
    x = logit(_truth().to_numpy())
    return _from_others(np.array([x[1], *((x[:-2] + x[2:]) / 2), x[-2]]))


@guessed_by_walk.mistake(
    "This is what independent effects expect: the mean of all five others. A walk hears the "
    "neighbours alone, once they are known."
)
def _() -> pd.Series:
    x = logit(_truth().to_numpy())
    return _from_others((x.sum() - x) / 5)


@guessed_by_walk.mistake(
    "At the ends you went on in a straight line. That is a walk whose steps are alike, of second "
    "order. In this one the next step is as likely down as up: expect the neighbour's value."
)
def _() -> pd.Series:
    x = logit(_truth().to_numpy())
    ends = 2 * x[1] - x[2], 2 * x[-2] - x[-3]
    return _from_others(np.array([ends[0], *((x[:-2] + x[2:]) / 2), ends[1]]))


@guessed_by_walk.mistake(
    "You smoothed: the age's own share is in your mean. It is the one that nobody knows."
)
def _() -> pd.Series:
    x = logit(_truth().to_numpy())
    three = (x[:-2] + x[1:-1] + x[2:]) / 3
    return _from_others(np.array([(x[0] + x[1]) / 2, *three, (x[-2] + x[-1]) / 2]))


@guessed_by_walk.mistake(
    "You took the younger neighbour only. A walk has no direction: the older neighbour says as "
    "much about the age between."
)
def _() -> pd.Series:
    x = logit(_truth().to_numpy())
    return _from_others(np.array([x[1], *x[:-1]]))


@guessed_by_walk.mistake("These are logits. Turn them into shares with `expit`.")
def _() -> pd.Series:
    return pd.Series(logit(guessed_by_walk.answer()), index=_truth().index)


@cache
def _intervals(prior: str, by: tuple[str, ...]) -> pd.DataFrame:
    """Post-stratified estimates of the course's sample under one of the two priors."""
    walks = prior == "walk"
    model = walking_model(world.cells()) if walks else world.main_model()
    fit = "structured-walk" if walks else "hierarchical"
    return poststratify(model, world.draws(fit), world.laboratory(), by=list(by))


def _widths(prior: str, by: tuple[str, ...]) -> pd.Series:
    table = _intervals(prior, by)
    return table["upper"] - table["lower"]


@task(
    "13.3",
    # One chain of four moves the mean of thirty ratios by up to 0.02.
    Number(within=0.025),
    right="6 % shorter on average: the ages have answers enough of their own, and neighbours add a "
    "little. The truth is held in as many pairs as before.",
    hint="`poststratify` both models by education and age, take `upper - lower` of each of the 30 "
    "pairs, divide the walk's by the independent one's, and average the 30 ratios.",
    slips=[UPSIDE_DOWN],
)
def width_ratio() -> float:
    by = ("edu", "age")
    return float((_widths("walk", by) / _widths("independent", by)).mean())


@width_ratio.mistake(
    "This is by how much intervals become shorter. Asked for is the ratio of the widths, the "
    "walk's over the independent one's."
)
def _() -> float:
    return 1 - width_ratio.answer()


@width_ratio.mistake(
    "You compared the standard deviations of the age effects, a parameter of each model. Asked for "
    "is what it does to the estimates: their intervals."
)
def _() -> float:
    return _age_sd("walk") / _age_sd("independent")


@width_ratio.mistake("This is the sum of the 30 ratios. Divide it by 30, or take the mean.")
def _() -> float:
    return 30 * width_ratio.answer()


def _age_sd(prior: str) -> float:
    fit = "structured-walk" if prior == "walk" else "hierarchical"
    return float(world.draws(fit)["posterior"]["1|age_sigma"].mean().item())


@task(
    "13.4",
    Table(keys=("what",), value="points", within=0.02),
    right="A gain of 3.2 points with a Monte Carlo error of 0.5: real, and its size known roughly. "
    "Paired, because both priors saw the same samples and shared their luck.",
    hint="For each sample the absolute error of the one prior minus that of the other, in points; "
    "then the mean of these differences, and their standard deviation over the root of how many.",
)
def paired_gain() -> pd.Series:
    return _gain(_misses())


@cache
def _misses() -> pd.DataFrame:
    """Absolute errors in points: a row a sample, a column a prior; ten of the youngest left."""
    runs = load_result("structured_ages")
    runs = runs[(runs["thinned"] == "18-29") & (runs["asked"] == 10)]
    runs = runs.assign(miss=100 * (runs["estimate"] - runs["truth"]).abs())
    return runs.pivot(index="sample", columns="prior", values="miss")


def _named(gain: float, error: float) -> pd.Series:
    return pd.Series({"gain": gain, "MC error": error}).rename_axis("what")


def _gain(misses: pd.DataFrame) -> pd.Series:
    difference = misses["independent"] - misses["walk"]
    error = difference.std() / np.sqrt(len(difference))
    return _named(difference.mean(), error)


@paired_gain.mistake(
    "The gain is right, and its error is that of two separate sets of samples. Both priors saw the "
    "same samples: take the difference in each sample first, then its standard error."
)
def _() -> pd.Series:
    apart = np.sqrt((_misses().sem() ** 2).sum())
    return _named(paired_gain.answer()["gain"], apart)


@paired_gain.mistake(
    "The gain is right. Beside it stands the standard deviation of one sample's difference; the "
    "mean of thirty is known better, by the root of thirty."
)
def _() -> pd.Series:
    misses = _misses()
    return _named(paired_gain.answer()["gain"], (misses["independent"] - misses["walk"]).std())


@paired_gain.mistake(
    "You subtracted in the other order: a gain is the independent prior's error minus the walk's."
)
def _() -> pd.Series:
    return paired_gain.answer() * [-1, 1]


@paired_gain.mistake("These are shares. The task asks for percentage points: multiply by 100.")
def _() -> pd.Series:
    return paired_gain.answer() / 100


@task(
    "13.5",
    Choice(("A", "B", "C", "D")),
    right="Sixteen brackets in order, few answers in many, and an opinion that drifts along "
    "them: neighbours have something to lend, and somebody needs it.",
    hint="A walk needs an order that means something for the answers, and levels that are short of "
    "answers of their own.",
)
def where_to_walk() -> str:
    return "C"


@where_to_walk.mistake(
    "The alphabet is an order, and no neighbourhood: Idaho is not like Illinois for its name. Tell "
    "the model of regions and votes instead."
)
def _() -> str:
    return "A"


@where_to_walk.mistake(
    "With two levels there is one difference, and a walk of one step is an independent effect "
    "under another name."
)
def _() -> str:
    return "B"


@where_to_walk.mistake(
    "They are in order, and each has a thousand answers. Where levels speak for themselves, a "
    "prior of any kind is not heard."
)
def _() -> str:
    return "D"
