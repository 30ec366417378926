"""Exercise 11, an election that was counted: scores against an official result, and their traps."""

from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_course._forms import Names, Number, Table
from mrp_course._task import OTHERS, PER_CENT, REVERSED, task
from mrp_course._words import wrong_phrase
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
def _by_state() -> xr.DataArray:
    """Draws of each state's share for Trump among its voters."""
    model = _model("trump", voters())
    draws = world.draws("election-mrp")
    return poststratify_draws(model, draws, going(), by="state", population="voters")


@cache
def _estimates() -> pd.Series:
    return _by_state().mean("sample").to_series()


def _reported(people: pd.DataFrame, weights: pd.Series) -> pd.Series:
    """Weighted share for Trump among a state's respondents."""
    above = (weights * people["trump"]).groupby(people["state"]).sum()
    return above / weights.groupby(people["state"]).sum()


def _errors_of(people: pd.DataFrame) -> pd.DataFrame:
    """Error of each method in each state: one row per state."""
    weights = {
        "unweighted": pd.Series(1.0, index=people.index),
        "raked": rake(people, world.margins(frame())),
        "survey's weights": people["commonweight"],
    }
    reported = {name: _reported(people, weight) for name, weight in weights.items()}
    return pd.DataFrame(reported).sub(official(), axis=0)


@cache
def _errors() -> pd.DataFrame:
    return _errors_of(voters())


@cache
def _people() -> pd.Series:
    return frame().groupby("state")["n"].sum()


def _averaged(values: pd.DataFrame, weights: pd.Series) -> pd.Series:
    return values.mul(weights / weights.sum(), axis=0).sum().rename_axis("method")


error_of_a_citizens_state = task(
    "11.1",
    Table(keys=("method",), value="error"),
    answer=lambda: _averaged(_errors().abs(), _people()),
    right="3.5, 4.2 and 1.3 points, where states count alike 5.3, 5.3 and 1.4: large states are "
    "missed by less. That the third is small proves nothing about the question.",
    hint="For each method: the share for Trump in each state, minus `official`, without its sign; "
    "then the mean over states, weighted by the frame's `n` in the state.",
    mistakes=[
        PER_CENT,
        (
            "Here every state counts once. The task asks for the average citizen's "
            "state: weight the states by their people in the frame.",
            lambda: _errors().abs().mean().rename_axis("method"),
        ),
        (
            "You averaged the errors with their signs, so that states above the "
            "official share cancel states below it. Take the absolute value in each "
            "state first.",
            lambda: _averaged(_errors(), _people()),
        ),
        (
            "You weighted the states by the respondents in them. The survey's numbers are not "
            "the country's: use the frame's `n`.",
            lambda: _averaged(_errors().abs(), voters().groupby("state").size()),
        ),
        (
            "You divided by all respondents of a state. The official share is of the two-party "
            "vote, so those who name neither candidate stay out, above and below the line.",
            lambda: _averaged(_errors_of(respondents().fillna({"trump": 0})).abs(), _people()),
        ),
        (
            "This is the root of the mean squared error, which gives large errors "
            "more weight. The task asks for the mean of the absolute errors.",
            lambda: np.sqrt(_averaged(_errors() ** 2, _people())),
        ),
    ],
)


def _by_education(column: str) -> pd.Series:
    sums = going().groupby("edu")[column].sum()
    return sums / sums.sum()


voters_by_education = task(
    "11.2",
    # Monte Carlo error: below 0.0005 with one chain.
    Table(keys=("edu",), value="share", within=4e-4),
    answer=lambda: _by_education("voters"),
    right="Graduates are 29% of the citizens and 35% of the voters, people without a "
    "high-school diploma 10% and 7%. Which population you mean decides who counts.",
    hint="A cell brings `n` times `turnout` voters. Sum these by `edu`, and divide by their total.",
    mistakes=[
        PER_CENT,
        (
            "These are the shares among citizens. Each cell's `n` has to be multiplied by its "
            "`turnout`.",
            lambda: _by_education("n"),
        ),
        (
            "These are rates of voting: of those with this education, how many voted."
            " The task asks for the other way round: of those who voted, how many "
            "have this education.",
            lambda: going().groupby("edu")["voters"].sum() / going().groupby("edu")["n"].sum(),
        ),
        (
            "These are the survey's respondents who voted. The survey has too many graduates to "
            "begin with: use the frame.",
            lambda: voters()["edu"].value_counts(normalize=True),
        ),
        (
            "You summed the cells' probabilities without their people. A cell of forty counts as "
            "much as one of 400,000 then: multiply by `n` first.",
            lambda: _by_education("turnout"),
        ),
    ],
)


@cache
def _certainty() -> pd.Series:
    """Probability, by the draws, that Trump has the majority of the two-party vote."""
    return (_by_state() > 0.5).mean("sample").to_series()


def _wrong(share: pd.Series) -> pd.Series:
    """Whether the official result names the other winner in a state."""
    return (share > 0.5) != (official() > 0.5)


def _sure() -> pd.Series:
    return (_certainty() >= 0.99) | (1 - _certainty() >= 0.99)


def _interval_misses() -> list[str]:
    draws = _by_state()
    lower = draws.quantile(0.025, "sample").to_series()
    upper = draws.quantile(0.975, "sample").to_series()
    return world.named(~official().between(lower, upper))


sure_and_wrong = task(
    "11.3",
    Names("state"),
    answer=lambda: world.named(_wrong(_certainty()) & _sure()),
    right="Nearly all draws have Clinton ahead there, and the count has Trump. Draws agree "
    "about those who answered; they contain nothing about the others.",
    hint="In what share of the draws does Trump lead? Keep the states where that is 0.99 or more, "
    "or 0.01 or less, and where the official result is on the other side of one half.",
    mistakes=[
        (
            "These are all states with the wrong winner. In some of them the draws "
            "are divided; the task asks for those that were called with 99% or more.",
            lambda: world.named(_wrong(_certainty())),
        ),
        (
            "These are all states that were called with 99% or more, most of them "
            "rightly. Keep those in which the official result names the other winner.",
            lambda: world.named(_sure()),
        ),
        (
            "These are the states whose interval misses the official share. A state can miss it "
            "by far and still name the right winner.",
            _interval_misses,
        ),
        (
            "These are the states that the respondents as they came name wrongly. Use the draws "
            "of the model on the frame of voters.",
            lambda: world.named(_wrong(voters().groupby("state")["trump"].mean())),
        ),
    ],
)


def _shares(cells: pd.DataFrame) -> pd.DataFrame:
    """Shares of two kinds of people: one row per state, one column per kind."""
    no_college = cells["edu"].isin(["No HS", "HS", "Some college"]) & (cells["eth"] == "White")
    kinds = {"old": cells["age"].isin(["60-69", "70+"]), "no college": no_college}
    counts = {name: cells["n"].where(kind, 0) for name, kind in kinds.items()}
    people = cells.groupby("state")["n"].sum()
    return pd.DataFrame(counts).groupby(cells["state"]).sum().div(people, axis=0)


def _correlations(values: pd.Series, cells: pd.DataFrame | None = None) -> pd.Series:
    shares = _shares(frame() if cells is None else cells)
    return shares.corrwith(values).rename_axis("share")


correlation_with_error = task(
    "11.4",
    # With one chain the correlations move by 0.005.
    Table(keys=("share",), value="correlation", within=0.015),
    answer=lambda: _correlations(_estimates() - official()),
    right="Where many White people have no degree, the estimate is too low for Trump; the "
    "share of older people hardly matters. These are Republican states: given the "
    "vote, -0.09 is left.",
    hint="Error: estimate minus official, with its sign, one a state. Shares: of a state's "
    "citizens in the frame, weighted by `n`. Then `corrwith`.",
    mistakes=[
        REVERSED,
        (
            "You correlated the size of the error, without its sign. The task asks in"
            " which direction the estimate misses where such people are frequent.",
            lambda: _correlations((_estimates() - official()).abs()),
        ),
        (
            "These are correlations with the estimate, not with its error. Subtract the official "
            "share.",
            lambda: _correlations(_estimates()),
        ),
        (
            "These are correlations with the official share. They say where Trump was strong, "
            "and not where the estimate misses.",
            lambda: _correlations(official()),
        ),
        (
            "You counted cells and not people, so that the shares are nearly the same in every "
            "state. Weight the cells by `n`.",
            lambda: _correlations(_estimates() - official(), frame().assign(n=1)),
        ),
    ],
)


@cache
def leaning() -> pd.DataFrame:
    """The sample of 5,000 voters with selection on gender, age and ethnicity."""
    recipe = {
        column: amount for column, amount in PUBLISHED_SELECTION.items() if column != "repvote"
    }
    return draw_biased_sample(voters(), selection_weights(voters(), world.states(), recipe))


@cache
def _on(of_census: bool = False) -> float:
    """The estimate of the biased sample's model for the survey's voters, or for citizens."""
    model = _model("trump", leaning())
    cells = frame() if of_census else aggregate_cells(voters(), outcome="trump")
    return poststratify_draws(model, world.draws("election-biased"), cells).mean().item()


def _repaired(after: float, truth: float) -> float:
    before = leaning()["trump"].mean()
    return float((before - after) / (before - truth))


share_repaired = task(
    "11.5",
    # Monte Carlo error of the estimate with one chain: 0.0003, of the share corrected 0.005.
    Number(within=0.015),
    answer=lambda: _repaired(_on(), voters()["trump"].mean()),
    right="About 96%: the added selection works through columns that the cells have. The "
    "count would still disagree, since the survey's own bias has another cause.",
    hint="Before: the sample's mean minus the mean of all 41,121 voters. After: the MRP "
    "estimate on the voters' own cells minus the same mean. Removed is (before - "
    "after) / before.",
    mistakes=[
        PER_CENT,
        OTHERS,
        (
            "You took the official result for the truth. Here the population is the "
            "survey's own voters: what the survey itself gets wrong is not part of "
            "the bias that we added.",
            lambda: _repaired(_on(), float(np.average(official(), weights=_people()))),
        ),
        (
            "You post-stratified to the census. The selection was among the survey's "
            "voters, so their cells are the frame that undoes it.",
            lambda: _repaired(_on(of_census=True), voters()["trump"].mean()),
        ),
        (
            "You divided by the mean of the sample. The task asks for a share of the "
            "gap: divide by the sample's mean minus the mean of all voters.",
            lambda: (leaning()["trump"].mean() - _on()) / leaning()["trump"].mean(),
        ),
    ],
)


one_step_too_far = wrong_phrase(
    "11.6",
    {
        "A": "because they were made from the vote or something close to it",
        "B": "does not make the average citizen's state any closer",
        "C": "nearly all draws agree with each other and not with the count",
        "D": "since these people answered differently from their neighbours in the same cell",
        "E": "because it works through columns that the cells have",
    },
    wrong="D",
    right="A correlation over states says where the misses are, and not who is behind them. Given "
    "the vote, almost nothing of it is left.",
    hint="Ask of each phrase which table or figure shows it, here or in the chapter. For one of "
    "them there is none: it speaks of people, where only states were compared.",
    sound={
        "A": "A is in order: counted by states, as in the chapter, they come within 1.4 points and "
        "nothing else much nearer than five, and the chapter shows that they follow the vote.",
        "B": "B is in order: counted by citizens, as in 11.1, it is 4.2 points after raking and "
        "3.5 before.",
        "C": "C is in order: it is what you found in 11.3, and it promises nothing. Draws can "
        "agree with each other and be wrong.",
        "E": "E is in order: 11.5 is a laboratory, in which selection on known columns is the only "
        "fault, and 96% of the gap went.",
    },
)
