"""Exercise 2, weights: a sample that found some churchgoers easily, and a poll of volunteers."""

from functools import cache

import numpy as np
import pandas as pd

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import PER_CENT, UPSIDE_DOWN, options, task
from mrp_course.tasks import _world as world
from mrp_helpers.weight import effective_sample_size, hajek_mean, rake

BY = ["group", "church"]
STRATA = ["eth", "male", "age", "edu"]
HT, HAJEK = "Horvitz-Thompson", "Hajek"


@cache
def _people() -> pd.DataFrame:
    """The laboratory's respondents with a group, how often they go to church, and a chance."""
    more = world.raw_survey()[["caseid", "birthyr", "pew_churatd"]]
    people = world.respondents().merge(more, on="caseid", validate="one_to_one")
    people["group"] = people["eth"].where(people["eth"] == "White", "other")
    often = people["pew_churatd"].isin([1, 2])
    people["church"] = often.map({True: "weekly", False: "less often"})
    white, weekly = people["group"] == "White", people["church"] == "weekly"
    people["pi"] = np.select(
        [white & weekly, white & ~weekly, ~white & weekly], [0.04, 0.01, 0.01], default=0.03
    )
    return people


def _toss(people: pd.DataFrame, chance: pd.Series) -> pd.DataFrame:
    coins = np.random.default_rng(2018).random(len(people))
    return people[coins < chance]


@cache
def _sample() -> pd.DataFrame:
    return _toss(_people(), _people()["pi"])


@cache
def _volunteers() -> pd.DataFrame:
    return _toss(_people(), _people()["church"].map({"weekly": 0.08, "less often": 0.04}))


def _cells(people: pd.DataFrame) -> pd.DataFrame:
    """Count people: one row per group, one column per attendance."""
    return people.groupby(BY).size().unstack()


def _listed(table: pd.DataFrame) -> pd.Series:
    """Write a table of groups by attendance as one number per cell."""
    return pd.Series(table.stack())


def _margins(columns: list[str]) -> dict[str, pd.Series]:
    return {column: _people()[column].value_counts() for column in columns}


def _each(horvitz_thompson: float, hajek: float) -> pd.Series:
    return pd.Series({HT: horvitz_thompson, HAJEK: hajek})


def _weighted_years() -> float:
    return (_sample()["birthyr"] / _sample()["pi"]).sum()


def _mean_year_of_birth() -> pd.Series:
    weights = 1 / _sample()["pi"]
    return _each(_weighted_years() / len(_people()), _weighted_years() / weights.sum())


def _multiplied_by_chances() -> pd.Series:
    weighted = (_sample()["birthyr"] * _sample()["pi"]).sum()
    return _each(weighted / len(_people()), weighted / _sample()["pi"].sum())


mean_year_of_birth = task(
    "2.1",
    Table(keys=("estimator",), within=0.05),
    answer=_mean_year_of_birth,
    right="For Horvitz-Thompson the average person is born six years after the survey: its shares "
    "of the population add up to 1.028, and 2.8% of 1,970 years are 54. Hájek's ratio is within "
    "half a year of the truth.",
    hint="Sum the years of birth over their probabilities. One estimator divides that by the "
    "number of people in the population, the other by the sum of the weights.",
    mistakes=[
        (
            "You divided both by the sum of the weights, which makes Hájek's ratio twice. "
            "Horvitz-Thompson divides by the size of the population, which is known here: "
            "59,810.",
            lambda right: world.instead(right, **{HT: right[HAJEK]}),
        ),
        (
            "The two are swapped: Horvitz-Thompson divides by the size of the population, "
            "Hájek by the sum of the weights.",
            lambda right: _each(right[HAJEK], right[HT]),
        ),
        (
            "For Horvitz-Thompson you divided by the number of people in the sample. The "
            "weighted sum already stands for the whole population, so divide by the population's "
            "size.",
            lambda right: world.instead(right, **{HT: _weighted_years() / len(_sample())}),
        ),
        (
            "Instead of Hájek's ratio you gave the plain mean of the sample, in which everyone "
            "counts once, however easily they were found. Weight by one divided by `pi`.",
            lambda right: world.instead(right, **{HAJEK: _sample()["birthyr"].mean()}),
        ),
        (
            "You multiplied by `pi`. People with a small inclusion probability must count more, so "
            "divide by it.",
            _multiplied_by_chances,
        ),
    ],
)


def _product(group: pd.Series, church: pd.Series) -> pd.Series:
    """Multiply one number per group by one per attendance."""
    return _listed(pd.DataFrame(np.outer(group, church), group.index, church.index))


def _corrections_multiplied() -> pd.Series:
    people, found = _cells(_people()), _cells(_sample())
    group = people.sum(axis="columns") / found.sum(axis="columns")
    return _product(group, church=people.sum() / found.sum())


post_stratification_weights = task(
    "2.2",
    Table(keys=("group", "church"), value="weight", any_scale=True),
    answer=lambda: _listed(_cells(_people()) / _cells(_sample())),
    right="People in the population for each person found, and no inclusion probability anywhere. "
    "With these weights every cell has its share, so all of its margins do too.",
    hint="In each of the four cells, divide the number of people by the number in the sample.",
    mistakes=[
        UPSIDE_DOWN,
        (
            "These are the cells' counts, or shares, in the population. They are the weight of a "
            "whole cell; one person in it carries that divided by the people found there.",
            lambda: _listed(_cells(_people())),
        ),
        (
            "These are design weights, one divided by the inclusion probability. "
            "Post-stratification does not use probabilities: divide the people in a cell by those "
            "who were in fact found.",
            lambda: 1 / _people().groupby(BY)["pi"].first(),
        ),
        (
            "You multiplied a correction for the group by one for attendance. Each is right for "
            "its margin, but the cells need corrections of their own: divide the joint counts cell "
            "by cell.",
            _corrections_multiplied,
        ),
    ],
)


@cache
def _scaled(first: str, second: str | None = None) -> pd.Series:
    """Scale the sample's cells to the population's counts by one column, then by another."""
    cells = _listed(_cells(_sample()))
    for column in [first, second]:
        if column:
            wanted = _listed(_cells(_people())).groupby(level=column).sum()
            factor = wanted / cells.groupby(level=column).sum()
            cells = cells.mul(factor, level=column)
    return cells


@cache
def _raked_weights() -> pd.Series:
    return rake(_sample(), _margins(BY))


one_round = task(
    "2.3",
    Table(keys=("group", "church"), value="people", any_scale=True),
    answer=lambda: _scaled("group", "church"),
    right="Attendance fits now, whereas the groups, which you scaled first, no longer do: White "
    "people are 68.1% of this table and 75.1% of the population. Raking therefore needs another "
    "round.",
    hint="First multiply each row of the table so that it sums to the people in its group, and "
    "then each column of the result so that it sums to the people with that attendance.",
    mistakes=[
        (
            "You used the other order, attendance first. The result of raking does not depend on "
            "the order, but the result of one round does: scale the groups first.",
            lambda: _scaled("church", "group"),
        ),
        (
            "This is half a round: the groups are scaled. Now scale the columns of this table to "
            "the population's attendance.",
            lambda: _scaled("group"),
        ),
        (
            "You took both factors from the sample's table. The second must come from the table "
            "after the first step, which has different column sums.",
            lambda: _scaled("group") * _scaled("church") / _listed(_cells(_sample())),
        ),
        (
            "This is the product of the two margins, which assumes that group and attendance are "
            "independent. Raking starts from the sample's table and keeps its association.",
            lambda: _product(_cells(_people()).sum(axis="columns"), church=_cells(_people()).sum()),
        ),
        (
            "This is the finished table, after many rounds. The task asks for one round: the "
            "groups once, then attendance once.",
            lambda: _raked_weights().groupby([_sample()[column] for column in BY]).sum(),
        ),
    ],
)


WHITE, WEEKLY = "group == 'White'", "church == 'weekly'"
EVERYBODY = "caseid > 0"


def _share(part: str, among: str) -> pd.Series:
    """Weighted share that one part has among others, in three tables of people."""
    tables = {
        "sample": _sample().assign(weight=1.0),
        "raked": _sample().assign(weight=_raked_weights()),
        "population": _people().assign(weight=1.0),
    }
    shares = {}
    for name, people in tables.items():
        whole = people.query(among)
        shares[name] = whole.query(part)["weight"].sum() / whole["weight"].sum()
    return pd.Series(shares)


def _white_after_one_round() -> float:
    weekly = one_round.answer().unstack()["weekly"]
    return weekly["White"] / weekly.sum()


white_among_churchgoers = task(
    "2.4",
    Table(keys=("table",), value="share"),
    answer=lambda: _share(WHITE, among=WEEKLY),
    right="73.2% in the population, 91.4% in the sample, 95.5% after raking. Both margins are "
    "perfect now, but this share is further from the truth than before, because raking was not "
    "given it.",
    hint="Among the weekly churchgoers alone: the weight of the White people, divided by the "
    "weight of all of them.",
    mistakes=[
        PER_CENT,
        (
            "You conditioned on the wrong column: this is the share of churchgoers among White "
            "people. The task asks for the share of White people among churchgoers.",
            lambda: _share(WEEKLY, among=WHITE),
        ),
        (
            "These are shares of everybody. Divide by the weight of the weekly churchgoers alone.",
            lambda: _share(f"{WHITE} and {WEEKLY}", among=EVERYBODY),
        ),
        (
            "For the raked sample you counted heads, so it has the sample's own share. Sum the "
            "raked weights instead.",
            lambda right: world.instead(right, raked=right["sample"]),
        ),
        (
            "For the raked sample you used the table after one round. It meets only the margin "
            "that was scaled last: rake until both are met, or let `rake` do it.",
            lambda right: world.instead(right, raked=_white_after_one_round()),
        ),
        (
            "For the raked sample you used the post-stratification weights of task 2.2. They "
            "need the joint counts; raking uses the two margins only.",
            lambda right: world.instead(right, raked=right["population"]),
        ),
    ],
)


@cache
def _weights_of_people() -> pd.Series:
    """The post-stratification weight of each person in the sample."""
    weight = post_stratification_weights.answer().rename("weight")
    return _sample().join(weight, on=BY)["weight"]


def _churchgoers() -> pd.Series:
    return _sample()["church"] == "weekly"


churchgoers_worth = task(
    "2.5",
    Number(within=0.5),
    answer=lambda: effective_sample_size(_weights_of_people()[_churchgoers()]),
    right="487 people are as precise as 343 with equal weights. Each of the 42 others represents "
    "91 people, each of the 445 White ones 24, so the mean depends heavily on the 42.",
    hint="Give each of them the post-stratification weight of their cell. Then take the sum of "
    "the weights, squared, over the sum of the squared weights.",
    mistakes=[
        (
            "This is the number of weekly churchgoers in the sample. The effective sample size "
            "equals it only if all of them have the same weight.",
            lambda: _churchgoers().sum(),
        ),
        (
            "This is for the whole sample. The weights vary differently among weekly churchgoers: "
            "use theirs alone.",
            lambda: effective_sample_size(_weights_of_people()),
        ),
        (
            "You took the effective size of the whole sample and the churchgoers' part of it. What "
            "weights cost differs from group to group: use the churchgoers' weights alone.",
            lambda: effective_sample_size(_weights_of_people()) * _churchgoers().mean(),
        ),
        (
            "This is the sum of the weights, the people they stand for in the population. It "
            "says nothing about how precise the estimate is.",
            lambda: _weights_of_people()[_churchgoers()].sum(),
        ),
        (
            "This is the design effect, how many times larger the variance becomes. Divide the "
            "number of churchgoers by it.",
            lambda right: _churchgoers().sum() / right,
        ),
        (
            "You used the raked weights. This task asks for the post-stratification weights of "
            "task 2.2.",
            lambda: effective_sample_size(_raked_weights()[_churchgoers()]),
        ),
        (
            "You used the design weights, one divided by `pi`. This task asks for the "
            "post-stratification weights of task 2.2.",
            lambda: effective_sample_size(1 / _sample()["pi"][_churchgoers()]),
        ),
    ],
)


def _missed_most(poll: pd.DataFrame, weight: pd.Series, margins: dict[str, pd.Series]) -> float:
    return max(
        (weight.groupby(poll[column]).sum() / weight.sum() - wanted / wanted.sum()).abs().max()
        for column, wanted in margins.items()
    )


def _raked_poll() -> str:
    poll = _volunteers()
    margins = _margins(STRATA)
    weight = rake(poll, margins)
    estimate, se = hajek_mean(poll["abortion"], weight)
    truth = _people()["abortion"].mean()
    further = rake(poll, margins | _margins(["church"]))
    repaired, _ = hajek_mean(poll["abortion"], further)
    true_sentences = {
        "A": abs(estimate - truth) < 2 * se,
        "B": _missed_most(poll, weight, margins) > 0.005,
        "C": effective_sample_size(weight) < len(poll) / 2,
        "D": estimate - truth > 4 * se and abs(repaired - truth) < abs(estimate - truth) / 2,
    }
    [letter] = [letter for letter, holds in true_sentences.items() if holds]
    return letter


raked_poll = task(
    "2.6",
    Choice(("A", "B", "C", "D")),
    answer=_raked_poll,
    right="The report describes margins and weights, but not who volunteers. Among the raked "
    "volunteers 38.6% go to church weekly, compared with 24.0% in the population; the "
    "estimate is 4.9 points too high.",
    hint="Rake the volunteers, and compare each of the four sentences with the numbers.",
    mistakes=options(
        A="Four margins are met by construction, no matter who volunteered. Compare the estimate "
        "with the laboratory's truth: it is more than five standard errors away. A standard error "
        "does not measure bias.",
        B="Sum the weights in each level of the four columns: the shares are the population's to "
        "many digits. Raking met every margin that it was given.",
        C="The weights are almost equal here: by Kish's formula the effective sample size of the "
        "3,022 volunteers is 2,999. This poll does not lack precision.",
    ),
)
