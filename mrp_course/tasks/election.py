"""Exercise 11, an election that was counted: scores against an official result, and their traps."""

from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_course._forms import Names, Number, Table
from mrp_course._task import OTHERS, PER_CENT, REVERSED, task
from mrp_course.tasks import _world as world
from mrp_helpers.data import load_poststrat_frame
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.recode import CELL
from mrp_helpers.sample import (
    PUBLISHED_SELECTION,
    aggregate_cells,
    draw_biased_sample,
    selection_weights,
)
from mrp_helpers.weight import rake

KINDS = "male + age + edu + eth + male:eth + edu:eth"


@cache
def respondents() -> pd.DataFrame:
    """The respondents with their reported vote: ``trump`` (1, 0 or missing) and ``voted``."""
    answers = world.raw_survey()[["caseid", "CC18_317"]]
    people = world.respondents().merge(answers, on="caseid", validate="one_to_one")
    trump = people["CC18_317"].map({1: 1, 2: 0})
    return people.assign(trump=trump, voted=trump.notna().astype(int))


@cache
def voters() -> pd.DataFrame:
    people = respondents()
    return people[people["voted"] == 1].astype({"trump": int})


@cache
def official() -> pd.Series:
    return world.states().set_index("state")["repvote"].sort_index()


@cache
def frame() -> pd.DataFrame:
    """The census's cells in which somebody lives, in the order of their columns."""
    cells = load_poststrat_frame().query("n > 0")
    return cells.sort_values(CELL, ignore_index=True)


def _model(outcome: str, people: pd.DataFrame) -> bmb.Model:
    sd = bmb.Prior("HalfNormal", sigma=0.5)
    priors = {
        "common": bmb.Prior("Normal", mu=0, sigma=1),
        "1|state": bmb.Prior("Normal", mu=0, sigma=sd, noncentered=False),
    }
    cells = aggregate_cells(people, outcome=outcome)
    formula = f"p({outcome}, n) ~ {KINDS} + (1|state)"
    return bmb.Model(formula, cells, family="binomial", priors=priors)


@cache
def going() -> pd.DataFrame:
    """The frame with each cell's mean probability of a two-party vote, and people times that."""
    model = _model("voted", respondents())
    thinned = world.draws("election-turnout").isel(draw=slice(None, None, 4))
    turnout = poststratify_draws(model, thinned, frame(), by=CELL).mean("sample").to_numpy()
    return frame().assign(turnout=turnout, voters=frame()["n"] * turnout)


@cache
def _by_state(population: str = "voters") -> xr.DataArray:
    """Draws of each state's share for Trump."""
    model = _model("trump", voters())
    draws = world.draws("election-mrp")
    return poststratify_draws(model, draws, going(), by="state", population=population)


@cache
def _estimates(population: str = "voters") -> pd.Series:
    return _by_state(population).mean("sample").to_series()


def _reported(people: pd.DataFrame, weights: pd.Series) -> pd.Series:
    """Weighted share for Trump among a state's respondents."""
    above = (weights * people["trump"]).groupby(people["state"]).sum()
    return above / weights.groupby(people["state"]).sum()


@cache
def _weights() -> dict[str, pd.Series]:
    people = voters()
    margins = {column: frame().groupby(column)["n"].sum() for column in CELL}
    return {
        "unweighted": pd.Series(1.0, index=people.index),
        "raked": rake(people, margins),
        "survey's weights": people["commonweight"],
    }


@cache
def _errors() -> pd.DataFrame:
    """Error of each method in each state: one row a state."""
    reported = {name: _reported(voters(), weight) for name, weight in _weights().items()}
    return pd.DataFrame(reported).sub(official(), axis=0)


@cache
def _people() -> pd.Series:
    return frame().groupby("state")["n"].sum()


def _averaged(values: pd.DataFrame, weights: pd.Series) -> pd.Series:
    return values.mul(weights / weights.sum(), axis=0).sum().rename_axis("method")


@task(
    "11.1",
    Table(keys=("method",), value="error"),
    right="3.5, 4.2 and 1.3 points, where states count alike 5.3, 5.3 and 1.4: large states are "
    "missed by less. That the third is small proves nothing about the question.",
    hint="For each method: the share for Trump in each state, minus `official`, without its sign; "
    "then the mean over states, weighted by the frame's `n` in the state.",
    slips=[PER_CENT],
)
def error_of_a_citizens_state() -> pd.Series:
    return _averaged(_errors().abs(), _people())


@error_of_a_citizens_state.mistake(
    "Here every state counts once. Asked for is the state of the average citizen: weight the "
    "states by their people in the frame."
)
def _() -> pd.Series:
    return _errors().abs().mean().rename_axis("method")


@error_of_a_citizens_state.mistake(
    "You averaged the errors with their signs, so that states above the official share pay for "
    "states below it. Take the absolute value in each state first."
)
def _() -> pd.Series:
    return _averaged(_errors(), _people())


@error_of_a_citizens_state.mistake(
    "You weighted the states by the respondents in them. The survey's numbers are not the "
    "country's: use the frame's `n`."
)
def _() -> pd.Series:
    return _averaged(_errors().abs(), voters().groupby("state").size())


@error_of_a_citizens_state.mistake(
    "You divided by all respondents of a state. The official share is of the two-party vote, so "
    "those who name neither candidate stay out, above and below the line."
)
def _() -> pd.Series:
    people = respondents().assign(trump=respondents()["trump"].fillna(0))
    margins = {column: frame().groupby(column)["n"].sum() for column in CELL}
    weights = {
        "unweighted": pd.Series(1.0, index=people.index),
        "raked": rake(people, margins),
        "survey's weights": people["commonweight"],
    }
    reported = {name: _reported(people, weight) for name, weight in weights.items()}
    return _averaged(pd.DataFrame(reported).sub(official(), axis=0).abs(), _people())


@error_of_a_citizens_state.mistake(
    "This is the root of the mean squared error, which counts large errors for more. Asked for is "
    "the mean of the absolute errors."
)
def _() -> pd.Series:
    return np.sqrt(_averaged(_errors() ** 2, _people()))


@task(
    "11.2",
    # Monte Carlo error: below 0.0005 with one chain.
    Table(keys=("edu",), value="share", within=2e-3),
    right="Graduates are 29 % of the citizens and 35 % of the voters, people without a high-school "
    "diploma 10 % and 7 %. Which population you mean decides who counts.",
    hint="A cell brings `n` times `turnout` voters. Sum these by `edu`, and divide by their total.",
    slips=[PER_CENT],
)
def voters_by_education() -> pd.Series:
    people = going().groupby("edu")["voters"].sum()
    return people / people.sum()


@voters_by_education.mistake(
    "These are the shares among citizens. Each cell's `n` has to be multiplied by its `turnout`."
)
def _() -> pd.Series:
    people = going().groupby("edu")["n"].sum()
    return people / people.sum()


@voters_by_education.mistake(
    "These are rates of voting: of those with this education, how many voted. Asked for is the "
    "other way round: of those who voted, how many have this education."
)
def _() -> pd.Series:
    sums = going().groupby("edu")[["voters", "n"]].sum()
    return sums["voters"] / sums["n"]


@voters_by_education.mistake(
    "These are the survey's respondents who voted. The survey has too many graduates to begin "
    "with: use the frame."
)
def _() -> pd.Series:
    return voters()["edu"].value_counts(normalize=True)


@voters_by_education.mistake(
    "You summed the cells' probabilities without their people. A cell of forty counts as much as "
    "one of 400,000 then: multiply by `n` first."
)
def _() -> pd.Series:
    rates = going().groupby("edu")["turnout"].sum()
    return rates / rates.sum()


def _named(holds: pd.Series) -> list[str]:
    return holds.index[holds].to_list()


@cache
def _certainty(population: str = "voters") -> pd.Series:
    """Probability, by the draws, that Trump has the majority of the two-party vote."""
    return (_by_state(population) > 0.5).mean("sample").to_series()


def _called_wrongly(certainty: pd.Series) -> pd.Series:
    return (certainty > 0.5) != (official() > 0.5)


@cache
def _sure(population: str = "voters") -> pd.Series:
    certainty = _certainty(population)
    return certainty.where(certainty > 0.5, 1 - certainty)


@task(
    "11.3",
    Names("state"),
    right="Nearly all draws see Clinton ahead there, and the count has Trump. Draws agree about "
    "those who answered; they know nothing of the others.",
    hint="In what share of the draws does Trump lead? Keep the states where that is 0.99 or more, "
    "or 0.01 or less, and where the official result is on the other side of one half.",
)
def sure_and_wrong() -> list[str]:
    return _named(_called_wrongly(_certainty()) & (_sure() >= 0.99))


@sure_and_wrong.mistake(
    "These are all states with the wrong winner. In some of them the draws are divided; asked for "
    "are those that were called with 99 % or more."
)
def _() -> list[str]:
    return _named(_called_wrongly(_certainty()))


@sure_and_wrong.mistake(
    "These are all states that were called with 99 % or more, most of them rightly. Keep those in "
    "which the official result names the other winner."
)
def _() -> list[str]:
    return _named(_sure() >= 0.99)


@sure_and_wrong.mistake(
    "These are the states whose interval misses the official share. A state can miss it by far and "
    "still name the right winner."
)
def _() -> list[str]:
    draws = _by_state()
    lower = draws.quantile(0.025, "sample").to_series()
    upper = draws.quantile(0.975, "sample").to_series()
    return _named(~official().between(lower, upper))


@sure_and_wrong.mistake(
    "These are the states that the respondents as they came name wrongly. Use the draws of the "
    "model on the frame of voters."
)
def _() -> list[str]:
    reported = _reported(voters(), _weights()["unweighted"])
    return _named((reported > 0.5) != (official() > 0.5))


@cache
def _shares() -> pd.DataFrame:
    """Composition of each state's citizens: the columns that 11.4 asks for."""
    cells = frame()
    kinds = {"old": cells["age"].isin(["60-69", "70+"]), "no college": _no_college(cells)}
    counts = {name: cells["n"].where(kind, 0) for name, kind in kinds.items()}
    return pd.DataFrame(counts).groupby(cells["state"]).sum().div(_people(), axis=0)


def _no_college(people: pd.DataFrame) -> pd.Series:
    return (people["eth"] == "White") & people["edu"].isin(["No HS", "HS", "Some college"])


def _correlations(shares: pd.DataFrame, values: pd.Series) -> pd.Series:
    return shares.corrwith(values).rename_axis("share")


@task(
    "11.4",
    # With one chain the correlations move by 0.005.
    Table(keys=("share",), value="correlation", within=0.015),
    right="Where many White people have no degree, the estimate is too low for Trump; the share of "
    "the old hardly matters. The cells hold both: their numbers are right, their answers are not.",
    hint="Error: estimate minus official, with its sign, one a state. Shares: of a state's "
    "citizens in the frame, weighted by `n`. Then `corrwith`.",
    slips=[REVERSED],
)
def correlation_with_error() -> pd.Series:
    return _correlations(_shares(), _estimates() - official())


@correlation_with_error.mistake(
    "You correlated the size of the error, without its sign. Asked is in which direction the "
    "estimate misses where there are many such people."
)
def _() -> pd.Series:
    return _correlations(_shares(), (_estimates() - official()).abs())


@correlation_with_error.mistake(
    "These are correlations with the estimate, not with its error. Subtract the official share."
)
def _() -> pd.Series:
    return _correlations(_shares(), _estimates())


@correlation_with_error.mistake(
    "These are correlations with the official share. They say where Trump was strong, and not "
    "where the estimate misses."
)
def _() -> pd.Series:
    return _correlations(_shares(), official())


@correlation_with_error.mistake(
    "You counted cells and not people, so that the shares are nearly the same in every state. "
    "Weight the cells by `n`."
)
def _() -> pd.Series:
    cells = frame()
    kinds = pd.DataFrame({"old": cells["age"].isin(["60-69", "70+"])})
    kinds["no college"] = _no_college(cells)
    shares = kinds.astype(float).groupby(cells["state"]).mean()
    return _correlations(shares, _estimates() - official())


@cache
def leaning() -> pd.DataFrame:
    """The sample of 5,000 voters that leans on gender, age and ethnicity."""
    recipe = {
        column: amount for column, amount in PUBLISHED_SELECTION.items() if column != "repvote"
    }
    return draw_biased_sample(voters(), selection_weights(voters(), world.states(), recipe))


@cache
def _on(of_census: bool = False) -> float:
    """The estimate of the leaning sample's model for the survey's voters, or for citizens."""
    model = _model("trump", leaning())
    cells = frame() if of_census else aggregate_cells(voters(), outcome="trump")
    return poststratify_draws(model, world.draws("election-biased"), cells).mean().item()


def _repaired(after: float, truth: float) -> float:
    before = leaning()["trump"].mean()
    return float((before - after) / (before - truth))


@task(
    "11.5",
    # Monte Carlo error of the estimate with one chain: 0.0003, of the share repaired 0.005.
    Number(within=0.015),
    right="About 96 %: the lean is all composition on columns that the cells have. The count would "
    "still disagree, since the survey's own fault is none of this lean's.",
    hint="Before: the sample's mean minus the mean of all 41,121 voters. After: the MRP estimate "
    "on the voters' own cells minus the same mean. Repaired is (before - after) / before.",
    slips=[PER_CENT, OTHERS],
)
def share_repaired() -> float:
    return _repaired(_on(), voters()["trump"].mean())


@share_repaired.mistake(
    "You took the official result for the truth. Here the population is the survey's own voters: "
    "what the survey itself gets wrong is not part of the lean that we made."
)
def _() -> float:
    truth = np.average(official(), weights=_people())
    return _repaired(_on(), float(truth))


@share_repaired.mistake(
    "You post-stratified to the census. The lean was made among the survey's voters, so their "
    "cells are the frame that undoes it."
)
def _() -> float:
    return _repaired(_on(of_census=True), voters()["trump"].mean())


@share_repaired.mistake(
    "You divided by the mean of the sample. Asked for is a share of the gap: divide by the "
    "sample's mean minus the mean of all voters."
)
def _() -> float:
    before = leaning()["trump"].mean()
    return float((before - _on()) / before)
