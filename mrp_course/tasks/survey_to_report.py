"""Exercise 15, from survey to report: a parish's survey, checked before anybody signs it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import bambi as bmb
import numpy as np
import pandas as pd
from scipy.special import expit

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import PER_CENT, REVERSED, UPSIDE_DOWN, options, task
from mrp_course._words import Sample, sentence
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.recode import CELL, FIPS_STATES, LEVELS, clean_cces, recode_to_frame
from mrp_helpers.sample import aggregate_cells
from mrp_helpers.weight import hajek_mean, rake

_OLDEST = [17, 29, 39, 49, 59, 69, 120]
_NO_HS, _HS, _SOME, _COLLEGE, _POST = LEVELS["edu"]
CODES: dict[str, Mapping[Any, object]] = {
    "state": FIPS_STATES | {11: None},
    "eth": {1: "White", 2: "Black", 3: "Hispanic"} | dict.fromkeys(range(4, 9), "Other"),
    "male": {1: 0.5, 2: -0.5},
    "edu": {1: _NO_HS, 2: _HS, 3: _SOME, 4: _SOME, 5: _COLLEGE, 6: _POST},
}
GROUPS = ("state", "eth", "age", "edu")


def _survey(item: str, odds: dict[int, float], column: str, people: int, seed: int) -> pd.DataFrame:
    """Draw from the CCES, some codes of a column more often, and band the ages."""
    raw = world.raw_survey().dropna(subset=[item])
    survey = raw.sample(people, weights=raw[column].map(odds).fillna(1), random_state=seed)
    bands = pd.cut(2018 - survey["birthyr"], _OLDEST, labels=LEVELS["age"])
    return survey.assign(band=bands.astype(str))


def _matched(survey: pd.DataFrame, item: str) -> pd.DataFrame:
    sources = ["inputstate", "race", "gender", "band", "educ"]
    columns = dict(zip(CELL, sources, strict=True))
    answers = {1: 1, 2: 0}
    return recode_to_frame(survey, world.census(), columns, CODES, answer=item, answers=answers)


@cache
def _parish_survey() -> pd.DataFrame:
    return _survey("CC18_321f", {1: 4, 2: 4}, "pew_churatd", people=1500, seed=16)


@cache
def _parish() -> pd.DataFrame:
    """The respondents of the parish's survey, in the frame's words."""
    return _matched(_parish_survey(), "CC18_321f")


def _living(column: str) -> pd.Series:
    """Share of the population at each level of a column."""
    return world.margins(world.census())[column] / world.census()["n"].sum()


def _asked(column: str) -> pd.Series:
    """Share of the parish's survey at each level that the population has."""
    asked = _parish()[column].value_counts(normalize=True)
    return asked.reindex(_living(column).index).fillna(0)


def _with_code_four_as(level: str | None) -> pd.Series:
    """The ratios if the two-year college were taken for another level, or left out."""
    codes = {**CODES["edu"], 4: level}
    levels = _parish_survey().loc[_parish().index, "educ"].map(codes)
    return levels.value_counts(normalize=True) / _living("edu")


ratio_by_education = task(
    "15.1",
    Table(keys=("edu",), value="ratio", within=6e-3),
    answer=lambda: _asked("edu") / _living("edu"),
    right="There are four graduates for every three there should be, and a third of the "
    "people without a diploma. The recode raised no error: only a count from "
    "elsewhere shows it.",
    hint="Match the survey to the frame with all six codes of education. Then: the share of "
    "respondents at each level, divided by the share of the frame's people (`n`) at that level.",
    mistakes=[
        UPSIDE_DOWN,
        PER_CENT,
        (
            "You divided by the level's share of the frame's rows. Every level has 2,400 of the "
            "12,000 cells; the people in them are in `n`.",
            lambda: _asked("edu") / world.census()["edu"].value_counts(normalize=True),
        ),
        (
            "You compared with all respondents of the CCES. They are a survey too; the "
            "population is in the frame.",
            lambda: _asked("edu") / world.respondents()["edu"].value_counts(normalize=True),
        ),
        (
            "Codes 1 and 2 have changed places: in the codebook 1 is without a "
            "diploma, 2 with one. No error was raised, which is why one looks at this"
            " table.",
            lambda: _asked("edu").rename({_NO_HS: _HS, _HS: _NO_HS}) / _living("edu"),
        ),
        (
            "You recoded the two-year college, code 4, as a four-year college. The frame counts "
            "it as some college, like code 3.",
            lambda: _with_code_four_as(_COLLEGE),
        ),
        (
            "You left out the two-year college, code 4. The frame counts it as some college, like "
            "code 3.",
            lambda: _with_code_four_as(None),
        ),
        (
            "These are the survey's shares. Divide each by the population's share at that level.",
            lambda: _asked("edu"),
        ),
        (
            "These are differences of the two shares. Asked is the survey's share divided by the "
            "population's, which shows small groups as clearly as large ones.",
            lambda: _asked("edu") - _living("edu"),
        ),
    ],
)


def _by_column(summary: Callable[[pd.Series], float]) -> pd.Series:
    """Summarise for each column how far the two shares of its levels lie apart."""
    gaps = {column: summary((_asked(column) - _living(column)).abs()) for column in CELL}
    return pd.Series(gaps).rename_axis("column")


exchanged_by_column = task(
    "15.2",
    Table(keys=("column",), value="exchanged"),
    answer=lambda: _by_column(lambda gaps: gaps.sum() / 2),
    right="At most one respondent in ten would have to be exchanged. By these five columns it is "
    "as good a sample as most. Keep that in mind for task 15.4.",
    hint="For each column: the absolute differences between the survey's shares and the "
    "population's, summed over the levels, and halved, since who leaves one level enters another.",
    mistakes=[
        PER_CENT,
        (
            "This is twice what is asked for: everybody who is exchanged counts where they leave "
            "and where they enter. Halve the sum.",
            lambda right: 2 * right,
        ),
        (
            "You took the largest difference of a column. Its other levels are off as well: sum "
            "the absolute differences, and halve the sum.",
            lambda: _by_column(pd.Series.max),
        ),
        (
            "You took the mean of the absolute differences, which makes a column with fifty "
            "levels look better than one with two. Sum them, and halve the sum.",
            lambda: _by_column(pd.Series.mean),
        ),
    ],
)


# The chapter's survey of 2,000, and the truth that it plants.
@cache
def _planted() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells of the chapter's survey with fake answers, and the frame with its chances."""
    survey = _survey("CC18_321c", {5: 3, 6: 3}, "educ", people=2000, seed=15)
    respondents = _matched(survey, "CC18_321c")
    cells = world.with_states(aggregate_cells(respondents, outcome="yes").drop(columns="yes"))
    rng = np.random.default_rng(2018)
    states = world.states()["state"]
    effects = {
        "state": dict(zip(states, rng.normal(0, 0.2, 50), strict=True)),
        "eth": dict(zip(LEVELS["eth"], [0.1, -0.1, -0.2, 0], strict=True)),
        "age": dict(zip(LEVELS["age"], [-0.2, -0.1, 0, 0.1, 0.1, 0.1], strict=True)),
        "edu": dict(zip(LEVELS["edu"], [0.4, 0.4, 0.1, -0.4, -0.6], strict=True)),
    }

    def chance(table: pd.DataFrame) -> pd.Series:
        logit = 0.4 - 0.1 * table["male"] + 2.5 * (table["repvote"] - 0.5)
        for group in GROUPS:
            logit = logit + table[group].map(effects[group])
        return pd.Series(expit(logit), index=table.index)

    frame = world.census().assign(chance=chance)
    cells["yes"] = rng.binomial(cells["n"], chance(cells))
    return cells, frame


def _cells() -> pd.DataFrame:
    return _planted()[0]


def _frame() -> pd.DataFrame:
    return _planted()[1]


@cache
def _fake_model() -> bmb.Model:
    model = world.multilevel(_cells(), GROUPS, "1 + male + repvote", outcome="yes")
    model.set_priors({"Intercept": bmb.Prior("Normal", mu=0, sigma=1.5)})
    return model


def _by_age(table: pd.DataFrame) -> pd.Series:
    draws = world.draws("template-fake")
    return poststratify_draws(_fake_model(), draws, table, by="age").mean("sample").to_series()


def _truth_by_age() -> pd.Series:
    total = (_frame()["chance"] * _frame()["n"]).groupby(_frame()["age"]).sum()
    return total / _frame().groupby("age")["n"].sum()


def _raw_by_age() -> pd.Series:
    """The shares of the fake answers, as they came."""
    answers = _cells().groupby("age")[["yes", "n"]].sum()
    return answers["yes"] / answers["n"]


planted_gap_by_age = task(
    "15.3",
    # Monte Carlo error of a mean of 4,000 draws: 0.0004, of one chain 0.001.
    Table(keys=("age",), value="gap", within=4e-3),
    answer=lambda: _by_age(_frame()) - _truth_by_age(),
    right="The young come out two points too high and the old three too low: partial pooling draws "
    "groups of three hundred together. A planted truth shows what a model smooths.",
    hint="Post-stratify the fake fit to `frame` by `age`, and subtract from each estimate the mean "
    "of `chance` over the people (`n`) of that age.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "You summed over the sample's cells. What was planted lives in the frame, and the "
            "two hold other people of each age: pass `frame`.",
            lambda: _by_age(_cells()) - _truth_by_age(),
        ),
        (
            "Your truth is the plain mean of `chance` over the cells of an age. A cell of three "
            "people counts there like one of 300,000: weight by `n`.",
            lambda: _by_age(_frame()) - _frame().groupby("age")["chance"].mean(),
        ),
        (
            "These are the estimates. Subtract from each what was planted for that age.",
            lambda: _by_age(_frame()),
        ),
        (
            "These are the raw shares of the fake answers minus the planted shares. Post-stratify "
            "the fitted model, and compare its estimates with what was planted.",
            lambda: _raw_by_age() - _truth_by_age(),
        ),
        (
            "You compared with the planted national share. Each band of age has a planted share "
            "of its own.",
            lambda: _by_age(_frame()) - np.average(_frame()["chance"], weights=_frame()["n"]),
        ),
    ],
)


@cache
def _source(people: str) -> pd.DataFrame:
    """The respondents of the parish's survey, or all others, with their answer as ``yes``."""
    if people == "parish":
        return _parish()
    everyone = clean_cces(world.raw_survey(), "illegal_always")
    others = everyone[~everyone["caseid"].isin(_parish_survey()["caseid"])]
    return others.rename(columns={"illegal_always": "yes"})


@cache
def _raked(people: str) -> tuple[float, float]:
    """The raked share and its standard error, of the parish's survey or of all others."""
    table = _source(people)
    share, error = hajek_mean(table["yes"], rake(table, world.margins(world.census())))
    return float(share), float(error)


def _share(people: str) -> float:
    return _raked(people)[0]


def _error(people: str) -> float:
    return _raked(people)[1]


def _apart() -> float:
    return _share("parish") - _share("others")


def _plain_error() -> float:
    """The standard error of the parish's share without weights."""
    return float(_parish()["yes"].std() / np.sqrt(len(_parish())))


def _apart_as_they_came() -> float:
    parish, others = (_source(people)["yes"].mean() for people in ["parish", "others"])
    return float(parish - others) / _plain_error()


errors_apart = task(
    "15.4",
    Number(within=0.02),
    answer=lambda: _apart() / _error("parish"),
    right="More than four standard errors. Five columns are in order, and the estimate is not: "
    "what brought these people into the survey is in none of the columns.",
    hint="Rake both tables to the census margins. Then: the survey's raked share minus the"
    " others', divided by the standard error of the survey's share.",
    mistakes=[
        REVERSED,
        (
            "You divided by the standard error of the other respondents, who are forty times as "
            "many. The question is how far off the survey is by its own account.",
            lambda: _apart() / _error("others"),
        ),
        (
            "This takes the survey's raw share. The question is whether raking corrects it.",
            lambda: (_parish()["yes"].mean() - _share("others")) / _error("parish"),
        ),
        (
            "You divided by the standard error of the difference, with both surveys in it. The "
            "question is how far off the survey is by its own account: divide by its own.",
            lambda: _apart() / np.hypot(_error("parish"), _error("others")),
        ),
        (
            "You divided by 1.96 standard errors, half of a 95% interval. Divide by one of them.",
            lambda right: right / 1.96,
        ),
        (
            "You raked neither of the two sources. The question is whether raking corrects the "
            "survey.",
            _apart_as_they_came,
        ),
        (
            "This is the difference in shares. Divide it by the standard error of the survey's "
            "raked share.",
            _apart,
        ),
        (
            "You took the standard error of a plain mean. Weights cost precision: `hajek_mean` "
            "returns the standard error that counts them.",
            lambda: _apart() / _plain_error(),
        ),
    ],
)


sentence_to_sign = task(
    "15.5",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "C",
    right="It says who answered, what was corrected, what was not and what another source "
    "says. The number itself is its least certain part.",
    hint="Which sentence would still be true if you learned tomorrow why people had answered?",
    mistakes=options(
        A="A margin of sampling error belongs to people drawn at random. These came through a "
        "parish's list, and 4 standard errors separate them from the others.",
        B="Matching the census on five columns makes a sample representative of those "
        "columns. Church attendance is not among them, and it decided who answered.",
        D="1,497 people leave little sampling variability and all of the selection "
        "bias: more people of the same kind would repeat the same error.",
    ),
)


your_sentence = sentence(
    "15.6",
    {
        "a": "It says who answered, and how they were found.",
        "b": "It says which question they answered.",
        "c": "It gives the estimate with an interval or a standard error.",
        "d": "It says what the weights corrected, and what they could not.",
        "e": "It gives the other source's number.",
    },
    first=Sample(
        "Of 1,497 people on a parish's mailing list, weighted to the census by state, ethnicity, "
        "gender, age and education, 22% want abortion to be illegal in all circumstances, within "
        "about three points either way.",
        meets="abc",
        reasons=(
            "people on a parish's mailing list, 1,497 of them.",
            "whether abortion should be illegal in all circumstances.",
            "22%, within about three points: two standard errors of 1.3.",
            "it says what was corrected and not what was left: church attendance, by which these "
            "people were found.",
            "the others' 16% are missing, which would tell a reader how far off the list may be.",
        ),
    ),
    second=Sample(
        "About one in five adult citizens is against abortion, as our weighted survey of 1,497 "
        "people shows; a larger survey finds 16%, and our weights cannot correct for how often "
        "people go to church, although they do for age and education.",
        meets="de",
        reasons=(
            "it counts them and does not say that they come from a parish's list.",
            "'against abortion' is not what was asked, which was to make it illegal in all "
            "circumstances. Several items of the survey would fit those words.",
            "'about one in five' has no interval, and no word on its error.",
            "age and education are corrected, and church attendance is not.",
            "a larger survey finds 16%.",
        ),
    ),
    ours="Of 1,497 people on a parish's mailing list 22% want abortion to be illegal in all "
    "circumstances (standard error 1.3 points), after weighting to the census by state, ethnicity, "
    "gender, age and education; church attendance could not be corrected for, and a larger survey "
    "says 16%.",
    right="The first hides where the people come from in what it leaves out, the second in what it "
    "changes: a question reworded is another question.",
    hint="Take one criterion at a time and look in the sample for the words that meet it. Half of "
    "a criterion is not enough: d asks for two things.",
)
