"""Exercise 16, more than two answers: shares that sum to one, winners, scores and a line."""

from collections.abc import Callable
from functools import cache
from typing import Any

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from mrp_course._forms import Choice, Table
from mrp_course._task import OTHERS, PER_CENT, options, task
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.sample import aggregate_cells, draw_biased_sample, selection_weights

PARTIES = ["Democrat", "Republican", "neither"]
LEVELS = ["very liberal", "liberal", "moderate", "conservative", "very conservative"]
SCORES = dict(zip(LEVELS, [-2, -1, 0, 1, 2], strict=True))
LINE = 50_000
# In dollars, the ends of the brackets of family income from the first to the last.
ENDS = 1000.0 * np.array([10, 20, 30, 40, 50, 60, 70, 80, 100, 120, 150, 200, 250, 350, 500])
INCOMES = [5_000.0, *np.sqrt(ENDS[:-1] * ENDS[1:]), 650_000.0]
COMMON = {
    "party": "male + eth + repvote + (1 | state) + (1 | edu) + (1 | age)",
    "ideology": "0 + male + eth + edu + repvote + (1 | state) + (1 | age)",
    "income": "male + eth + edu + repvote + (1 | state) + (1 | age)",
}


@cache
def _people() -> pd.DataFrame:
    """The laboratory's population with party, ideology and income, as far as each was given."""
    survey = world.raw_survey()[["caseid", "pid3", "ideo5", "faminc_new"]]
    people = world.respondents().merge(survey, on="caseid", validate="one_to_one")
    party = people["pid3"].map({1: "Democrat", 2: "Republican"}).fillna("neither")
    return people.assign(party=party)


def _placed(people: pd.DataFrame) -> pd.DataFrame:
    known = people[people["ideo5"].between(1, 5)]
    named = known["ideo5"].map(dict(enumerate(LEVELS, start=1)))
    return known.assign(ideology=pd.Categorical(named, LEVELS, ordered=True))


def _earning(people: pd.DataFrame) -> pd.DataFrame:
    known = people[people["faminc_new"].between(1, 16)]
    return known.assign(income=known["faminc_new"].map(dict(enumerate(INCOMES, start=1))))


@cache
def _sample() -> pd.DataFrame:
    weights = selection_weights(_people(), world.states())
    return world.with_states(draw_biased_sample(_people(), weights, n=3000))


def _cells(people: pd.DataFrame) -> pd.DataFrame:
    return world.with_states(aggregate_cells(people))


@cache
def _laboratory(question: str = "party") -> pd.DataFrame:
    """The frame of those of the laboratory who answered a question."""
    people = _people()
    if question == "ideology":
        people = _placed(people)
    elif question == "income":
        people = _earning(people)
    return _cells(people)


# Alaska has nobody among the 1,000 people to whom the model of ideology was fitted.
UNSEEN: dict[str, Any] = {"new_levels": "population", "random_seed": 1}
FITS: dict[str, tuple[str, str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "answers-softmax": ("party", "categorical", lambda people: people),
    "ideology-cumulative": ("ideology", "cumulative", lambda people: _placed(people.head(1000))),
    "income-lognormal": ("income", "lognormal", _earning),
}


@cache
def _model(name: str) -> bmb.Model:
    """Write down a model of the chapter again, to go with its stored draws."""
    outcome, family, of = FITS[name]
    effect = bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=0.5))
    groups = ("state", "edu", "age") if outcome == "party" else ("state", "age")
    priors = {f"1|{group}": effect for group in groups}
    return bmb.Model(f"{outcome} ~ {COMMON[outcome]}", of(_sample()), family, priors=priors)


@cache
def _draws(name: str, by: str | None, **question: Any) -> xr.DataArray:
    frame = _laboratory(FITS[name][0])
    return poststratify_draws(_model(name), world.draws(name), frame, by=by, **UNSEEN, **question)


def _shares_of_people(people: pd.DataFrame, column: str = "party") -> pd.Series:
    """Shares of the answers at each education, as people gave them."""
    shares = people.groupby("edu")[column].value_counts(normalize=True)
    return shares.rename_axis(["edu", "outcome"])


def _one_value(table: pd.DataFrame) -> pd.Series:
    return table.set_index(["edu", "outcome"])["estimate"]


@cache
def _party_shares() -> pd.Series:
    return _party_shares_in(_laboratory())


def _party_shares_in(frame: pd.DataFrame) -> pd.Series:
    name = "answers-softmax"
    found = poststratify(_model(name), world.draws(name), frame, by="edu")
    return _one_value(found.assign(outcome=found["outcome"].astype(str)))


def _of_everyone() -> pd.Series:
    """Shares of all the laboratory's people, and not of those of one education."""
    people = _laboratory().groupby("edu")["n"].sum() / _laboratory()["n"].sum()
    return _party_shares() * people.reindex(_party_shares().index, level="edu")


def _turned_round() -> pd.Series:
    """How the people of each party are educated, instead of what those of an education name."""
    people = _laboratory().groupby("edu")["n"].sum()
    count = _party_shares() * people.reindex(_party_shares().index, level="edu")
    return count / count.groupby("outcome").transform("sum")


party_by_education = task(
    "16.1",
    # Monte Carlo error: at most 0.0006. Another fit or one chain alone is off by up to 0.003.
    Table(keys=("edu", "outcome"), within=6e-3),
    answer=lambda: _party_shares(),
    right="Fifteen shares from one model: at each level of education the three sum to one, in "
    "every draw and so in the estimates too.",
    hint="Post-stratify `party_model` with its draws to `laboratory`, by `edu`; the result has one "
    "row for each education and each outcome.",
    mistakes=[
        PER_CENT,
        (
            "These are the shares in the biased sample. The task asks for the model's shares, in "
            "the laboratory's cells.",
            lambda: _shares_of_people(_sample()),
        ),
        (
            "You turned the shares round: this is how those of each party are educated. The three "
            "parties should sum to one at each level of education.",
            _turned_round,
        ),
        (
            "You counted each cell once. A cell counts by its `n`, the people in it.",
            lambda: _party_shares_in(_laboratory().assign(n=1)),
        ),
        (
            "You post-stratified to the sample's own cells, which keeps its bias. Take the "
            "laboratory's: `laboratory`.",
            lambda: _party_shares_in(_cells(_sample())),
        ),
        (
            "These are shares of all people. The task asks for shares within each level of "
            "education, where the three parties sum to one.",
            _of_everyone,
        ),
        (
            "These are the shares of the laboratory's people themselves, the truth. You would not "
            "have them in a real survey; the task asks for the model's estimates.",
            lambda: _shares_of_people(_people()),
        ),
    ],
)


def _party_draws() -> np.ndarray:
    """Draws of the shares by age, (ages x parties x draws)."""
    shares = _draws("answers-softmax", "age").sel(outcome=PARTIES)
    return shares.transpose("group", "outcome", "sample").to_numpy()


def _by_age(values: np.ndarray) -> pd.Series:
    ages = _draws("answers-softmax", "age").indexes["group"]
    return pd.Series(np.asarray(values, float), ages.rename("age"))


def _largest() -> pd.Series:
    return _by_age((_party_draws().argmax(axis=1) == 0).mean(axis=1))


def _largest_of_means() -> pd.Series:
    return _by_age(_party_draws().mean(axis=2).argmax(axis=1) == 0)


def _more_than(party: str) -> pd.Series:
    shares = _party_draws()
    return _by_age((shares[:, 0] > shares[:, PARTIES.index(party)]).mean(axis=1))


def _neither_is_largest() -> pd.Series:
    return _by_age((_party_draws().argmax(axis=1) == PARTIES.index("neither")).mean(axis=1))


chance_of_the_largest = task(
    "16.2",
    # Monte Carlo error: 0.009 where the race is open, and the double of it for one chain alone.
    Table(keys=("age",), within=0.05),
    answer=_largest,
    right="The winner is found in each draw, and the probability is the share of draws. Shares and "
    "winners of one draw belong together.",
    hint="`argmax` over `outcome` says who is largest in each draw; the share of draws in which "
    "that is the Democrats is the probability.",
    mistakes=[
        PER_CENT,
        OTHERS,
        (
            "You took the mean over the draws first and asked who is largest then, which gives "
            "only yes or no. Ask in each draw, and average last.",
            _largest_of_means,
        ),
        (
            "This is the share of Democrats itself. The task asks how probable it is that theirs "
            "is the largest of the three.",
            lambda: _by_age(_party_draws()[:, 0].mean(axis=1)),
        ),
        (
            "This is the probability that there are more Democrats than Republicans. There is a "
            "third answer, and it is often the largest.",
            lambda: _more_than("Republican"),
        ),
        (
            "This is the probability that there are more Democrats than people of neither party. "
            "The Republicans are the third answer, and can be the largest as well.",
            lambda: _more_than("neither"),
        ),
        (
            "This is the probability that 'neither' is the largest. Look at the order of the "
            "three answers in `outcome`, which is printed above.",
            _neither_is_largest,
        ),
        (
            "This is the probability that Democrats are more than half. The largest of three "
            "shares can be well below that.",
            lambda: _by_age((_party_draws()[:, 0] > 0.5).mean(axis=1)),
        ),
    ],
)


def _mean_score(frame: str = "ideology", **scores: float) -> pd.Series:
    chosen = SCORES | {name.replace("_", " "): score for name, score in scores.items()}
    found = poststratify(
        _model("ideology-cumulative"),
        world.draws("ideology-cumulative"),
        _laboratory(frame),
        by="edu",
        scores=chosen,
        **UNSEEN,
    )
    return found.set_index("edu")["estimate"]


def _ideology_of(people: pd.DataFrame) -> pd.Series:
    score = people["ideology"].astype(str).map(SCORES)
    return score.groupby(people["edu"]).mean()


def _conservatives() -> pd.Series:
    shares = _draws("ideology-cumulative", "edu").mean("sample")
    found = shares.sel(outcome=["conservative", "very conservative"]).sum("outcome")
    return found.to_series().rename_axis("edu")


def _most_common() -> pd.Series:
    shares = _draws("ideology-cumulative", "edu").mean("sample")
    commonest = shares.idxmax("outcome").to_series().map(SCORES)
    return commonest.astype(float).rename_axis("edu")


mean_ideology = task(
    "16.3",
    Table(keys=("edu",), within=0.02),
    answer=_mean_score,
    right="The score is a choice of yours, and the model does not depend on it: it knows only the "
    "order of the five levels.",
    hint="`poststratify` takes `scores`, a mapping from each level to its number; the frame is "
    "that of the people who placed themselves.",
    mistakes=[
        (
            "These scores run from 1 to 5. The task asks for -2 to 2, with moderate at zero.",
            lambda right: right + 3,
        ),
        (
            "These scores run from 0 to 4. The task asks for -2 to 2, with moderate at zero.",
            lambda right: right + 2,
        ),
        (
            "The size is right and the sign is not: the task gives liberals the negative scores.",
            lambda right: -right,
        ),
        (
            "You gave very liberal and liberal people the same score, and likewise on the other "
            "side. The two outer levels count twice as much: -2 and 2.",
            lambda: _mean_score(very_liberal=-1, very_conservative=1),
        ),
        (
            "These are the mean scores in the biased sample. Take the model and the frame.",
            lambda: _ideology_of(_placed(_sample())),
        ),
        (
            "These are the mean scores of the 1,000 people to whom the model was fitted. Take "
            "the model and the frame.",
            lambda: _ideology_of(_placed(_sample().head(1000))),
        ),
        (
            "These are the scores that the laboratory's people gave themselves, the truth. The "
            "task asks for the model's estimates.",
            lambda: _ideology_of(_placed(_people())),
        ),
        (
            "You counted everybody, also those who did not place themselves. The frame of this "
            "model is `placed_frame`.",
            lambda: _mean_score("party"),
        ),
        (
            "This is the share of conservatives, both levels together. The task asks for the mean "
            "score.",
            _conservatives,
        ),
        (
            "This is the score of the most common level. The mean score weighs all five.",
            _most_common,
        ),
    ],
)


def _of_income(**question: float) -> pd.Series:
    found = _draws("income-lognormal", "edu", **question).mean("sample")
    return found.to_series().rename_axis("edu")


def _below(line: float = LINE) -> pd.Series:
    return _of_income(below=line)


@cache
def _cell_means() -> np.ndarray:
    """The expected income of each cell of the laboratory."""
    cells = _laboratory("income").reset_index(drop=True)
    frame = cells.assign(cell=range(len(cells)))
    name = "income-lognormal"
    return poststratify(_model(name), world.draws(name), frame, by="cell")["estimate"].to_numpy()


def _weighted(of_cells: np.ndarray) -> pd.Series:
    cells = _laboratory("income")
    total = (cells["n"] * of_cells).groupby(cells["edu"]).sum()
    return total / cells.groupby("edu")["n"].sum()


def _cells_below() -> pd.Series:
    return _weighted((_cell_means() < LINE).astype(float))


def _around_the_mean() -> pd.Series:
    """Share below the line of a normal distribution around each cell's mean, in dollars."""
    return _weighted(norm.cdf((LINE - _cell_means()) / _earning(_sample())["income"].std()))


def _incomes_below(people: pd.DataFrame) -> pd.Series:
    return (people["income"] < LINE).groupby(people["edu"]).mean()


below_the_line = task(
    "16.4",
    # Monte Carlo error: 0.0003. One chain is off by up to 0.001.
    Table(keys=("edu",), within=8e-3),
    answer=_below,
    right="Each cell contributes the part of its own distribution that is below the line. The "
    "means of the cells alone hide how incomes differ within a cell.",
    hint="`poststratify` takes `below=50_000` and then gives the share below that line.",
    mistakes=[
        PER_CENT,
        (
            "These are the shares above the line: one minus what is asked for.",
            lambda right: 1 - right,
        ),
        (
            "These are mean incomes, in dollars. The task asks what share of the families is "
            "below a line.",
            lambda: _of_income(),
            1e5,
        ),
        (
            "These are median incomes, in dollars. The task asks what share of the families is "
            "below a line.",
            lambda: _of_income(quantiles=0.5),
            1e5,
        ),
        (
            "You counted the cells whose mean income is below the line. In a cell with a mean "
            "above it, many families are below: use the whole distribution with `below`.",
            _cells_below,
        ),
        (
            "These are the shares in the biased sample. Take the model and the frame.",
            lambda: _incomes_below(_earning(_sample())),
        ),
        (
            "These are the shares of the laboratory's people themselves, the truth. The task asks "
            "for the model's estimates.",
            lambda: _incomes_below(_earning(_people())),
        ),
        (
            "You used a normal distribution around each cell's mean, in dollars. Incomes are "
            "skewed: the model's distribution is a lognormal one, and `below` uses it.",
            _around_the_mean,
        ),
        (
            "Nobody is below your line: you gave it in thousands, and the model's incomes are in "
            "dollars. Line and incomes need one unit, so that 50 thousand is `below=50_000`.",
            lambda: _below(LINE / 1000),
        ),
        (
            "Everybody is below your line: it is in dollars, and the incomes are in thousands, "
            "or the line has three zeros too many. Line and incomes need one unit.",
            lambda: _below(LINE * 1000),
        ),
    ],
)


sentence = task(
    "16.5",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "C",
    right="It names the largest group with its probability, says what was modelled and how, and "
    "does not turn the lead of an estimate into a fact.",
    hint="Which sentence says how sure the ranking is, from a model whose shares sum to one?",
    mistakes=options(
        A="A ranks three estimates and says nothing of how often the ranking differs among the "
        "draws. Where two shares are close, the first place is a matter of chance.",
        B="The sum of B is 100% because it was made so afterwards. That hides the disagreement of "
        "three models, and the intervals of each are still its own.",
        D="Two intervals that overlap do not say that a lead is unknown: the shares of one draw "
        "move against each other. The probability comes from comparing them draw by draw.",
    ),
)
