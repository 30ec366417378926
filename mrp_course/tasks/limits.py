"""Exercise 9, limits: what MRP cannot see, what a group does not tell, and what to report."""

from collections.abc import Callable
from functools import cache
from typing import Any

import bambi as bmb
import numpy as np
import pandas as pd

from mrp_course._forms import Names, Table
from mrp_course._task import PER_CENT, REVERSED, task
from mrp_course._words import Sample, sentence
from mrp_course.tasks import _world as world
from mrp_course.tasks.biased_sample import selected, with_income
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.recode import CELL
from mrp_helpers.sample import aggregate_cells, draw_biased_sample

QUESTIONS = {"mild": "abortion", "flyers": "rape_incest_danger_only"}
FITS = {"mild": "exercise-mild", "flyers": "exercise-income"}


@cache
def _drawn(sample: str) -> pd.DataFrame:
    question = QUESTIONS[sample]
    return draw_biased_sample(with_income(question), selected(sample, question))


@cache
def _cells(sample: str) -> pd.DataFrame:
    return world.with_states(aggregate_cells(_drawn(sample), outcome=QUESTIONS[sample]))


@cache
def _model(sample: str) -> bmb.Model:
    return world.multilevel(_cells(sample), outcome=QUESTIONS[sample])


@cache
def _laboratory(sample: str) -> pd.DataFrame:
    people = with_income(QUESTIONS[sample])
    return world.with_states(aggregate_cells(people, outcome=QUESTIONS[sample]))


@cache
def _by_state(sample: str) -> pd.DataFrame:
    draws = world.draws(FITS[sample])
    return poststratify(_model(sample), draws, _laboratory(sample), by="state")


def _on(sample: str, frame: pd.DataFrame) -> float:
    """The national estimate on some frame; the mean of its draws."""
    draws = world.draws(FITS[sample])
    return poststratify_draws(_model(sample), draws, frame).mean().item()


def _each(estimate: Callable[[str], float]) -> pd.Series:
    """Gap of each sample's estimate to the truth of its question."""
    gaps = {
        sample: estimate(sample) - with_income(question)[question].mean()
        for sample, question in QUESTIONS.items()
    }
    return pd.Series(gaps).rename_axis("sample")


def _mrp(sample: str) -> float:
    table = _by_state(sample)
    return np.average(table["estimate"], weights=table["population"])


gap_after_mrp = task(
    "9.1",
    # Monte Carlo error of a mean of 4,000 draws: 0.0001, of one chain 0.0003.
    Table(keys=("sample",), value="gap", within=1.5e-3),
    answer=lambda: _each(_mrp),
    right="Of the mild sample's error a fifth is left, within what chance does to one sample; of "
    "the flyers', nearly half. MRP corrects what the cells describe, however good the model is.",
    hint="Post-stratify each sample's model and draws to its own laboratory frame, without `by`, "
    "and subtract the mean of the answers of all people.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "These are the gaps of the samples as they came, to within chance. Either you did "
            "not post-stratify, or you did so to the sample's own cells: the frame must contain "
            "the population's.",
            lambda: _each(lambda sample: _drawn(sample)[QUESTIONS[sample]].mean()),
        ),
        (
            "You post-stratified to the census. This is the laboratory: its population is the "
            "respondents, and its frame are their cells.",
            lambda: _each(lambda sample: _on(sample, world.census())),
        ),
        (
            "You averaged the states' estimates as if all states were alike. Weight them by "
            "population, or leave out `by`.",
            lambda: _each(lambda sample: _by_state(sample)["estimate"].mean()),
        ),
        (
            "You gave every cell the same weight. A cell counts by its `n`, the people in it.",
            lambda: _each(lambda sample: _on(sample, _laboratory(sample).assign(n=1))),
        ),
        (
            "These are the estimates. Subtract each question's own truth from them.",
            lambda right: right - _each(lambda sample: 0),
        ),
    ],
)


@cache
def _people() -> pd.DataFrame:
    people = world.respondents()[["state", "abortion"]]
    return people.assign(black=(world.respondents()["eth"] == "Black").astype(float))


@cache
def _states() -> pd.DataFrame:
    """Share of Black respondents and support: one row per state."""
    means = _people().groupby("state")[["black", "abortion"]].mean()
    return means.assign(people=_people().groupby("state").size())


def _slope(x: pd.Series, y: pd.Series, weights: pd.Series | None = None) -> float:
    slope, _ = np.polyfit(x, y, 1, w=None if weights is None else np.sqrt(weights))
    return float(slope)


@cache
def _centred() -> pd.DataFrame:
    columns = _people()[["black", "abortion"]]
    return columns - columns.groupby(_people()["state"]).transform("mean")


def _between(states: float, people: float) -> pd.Series:
    return pd.Series({"states": states, "people": people}).rename_axis("between")


def _slopes(x: str, y: str) -> pd.Series:
    return _between(*(_slope(table[x], table[y]) for table in (_states(), _centred())))


def _correlations() -> pd.Series:
    return _between(*(table["black"].corr(table["abortion"]) for table in (_states(), _centred())))


def _states_weighted(right: pd.Series) -> pd.Series:
    states = _states()
    weighted = _slope(states["black"], states["abortion"], states["people"])
    return world.instead(right, states=weighted)


def _black_minus_other(by: list[str]) -> Any:
    """Difference in support; with more columns than ``black``, one within each of their levels."""
    means = _people().groupby(["black", *by])["abortion"].mean()
    return means[1.0] - means[0.0]


black_and_other = task(
    "9.2",
    Table(keys=("between",), value="difference", within=4e-3),
    answer=lambda: _slopes("black", "abortion"),
    right="33 points more by the line through the states, 14 points less among people who live in "
    "the same state: not even the sign of the one can be read off the other.",
    hint="Between states: the slope of a line through 50 points. Between people: subtract from "
    "each column its state's mean, then take the slope through all respondents.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "These are correlations. The task asks for differences in support, so take the slope: "
            "how much higher the line is at a share of 1 than at a share of 0.",
            _correlations,
        ),
        (
            "You compared all Black respondents with all others. They live in different states: "
            "subtract each state's means first, so that only people of one state are compared.",
            lambda right: world.instead(right, people=_black_minus_other([])),
        ),
        (
            "You weighted the states by their respondents. The line through the 50 points counts "
            "each state once.",
            _states_weighted,
        ),
        (
            "You took the slopes the other way round, shares of Black people for a point of "
            "support. The support goes up the axis and the share along it.",
            lambda: _slopes("abortion", "black"),
        ),
        (
            "You averaged the 50 differences within states, each state counting once. Centring "
            "counts a state by its respondents of both kinds, and a state with a handful of "
            "Black respondents hardly at all.",
            lambda right: world.instead(right, people=_black_minus_other(["state"]).mean()),
        ),
    ],
)


@cache
def _cell_means() -> pd.DataFrame:
    """The laboratory's cells with the main model's estimate of each."""
    means = world.main_draws(world.laboratory(), by=CELL).mean("sample").to_series()
    return world.laboratory().join(means.rename("estimate"), on=CELL)


def _mean_estimate() -> float:
    return np.average(_cell_means()["estimate"], weights=_cell_means()["n"])


def _changes(mean: pd.Series, *, upside_down: bool = False) -> pd.Series:
    """Moves of a mean over the laboratory's cells when one column's margin is the census's."""
    cells, census = _cell_means(), world.census()
    changes = {}
    for column in CELL:
        ratio = (
            census.groupby(column)["n"].sum()
            / census["n"].sum()
            / (cells.groupby(column)["n"].sum() / cells["n"].sum())
        )
        moved = cells["n"] * cells[column].map(1 / ratio if upside_down else ratio)
        changes[column] = np.average(mean, weights=moved) - np.average(mean, weights=cells["n"])
    return pd.Series(changes).rename_axis("column")


def _one_after_another() -> pd.Series:
    """Moves of the mean when each margin is exchanged on top of those before it."""
    cells, changes, before = _cell_means(), {}, _mean_estimate()
    weights = cells["n"].astype(float)
    for column, wanted in world.margins(world.census()).items():
        weights = weights * cells[column].map(wanted / weights.groupby(cells[column]).sum())
        after = np.average(cells["estimate"], weights=weights)
        changes[column], before = after - before, after
    return pd.Series(changes).rename_axis("column")


def _levels_alone() -> pd.Series:
    changes = {}
    for column, wanted in world.margins(world.census()).items():
        levels = _cell_means().groupby(column)["estimate"].mean()
        changes[column] = np.average(levels, weights=wanted[levels.index]) - _mean_estimate()
    return pd.Series(changes).rename_axis("column")


change_by_column = task(
    "9.3",
    # Monte Carlo error: 0.0001 with one chain.
    Table(keys=("column",), value="change"),
    answer=lambda: _changes(_cell_means()["estimate"]),
    right="Ethnicity and state pull down by 0.6 and 0.3 points, gender and education up by 0.4 and "
    "0.2. The frame seems not to matter because its differences cancel, for this question.",
    hint="Multiply each cell's `n` by (census share of its level / laboratory share of its level), "
    "take the weighted mean of `estimate`, and subtract the mean with the plain `n`.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "You averaged the answers of the cells' own respondents. The task asks how the MRP "
            "estimate moves: use the column `estimate`.",
            lambda: _changes(_cell_means()["abortion"] / _cell_means()["n"]),
        ),
        (
            "Your ratio is upside down: a level that is rarer in the laboratory than in the "
            "census must gain weight, so divide the census's share by the laboratory's.",
            lambda: _changes(_cell_means()["estimate"], upside_down=True),
        ),
        (
            "You averaged the levels of the column with the census's shares, and within a level "
            "every cell counts the same. Keep each cell's `n` as part of its weight.",
            _levels_alone,
        ),
        (
            "You changed one margin after another, each on top of the earlier ones. Begin each "
            "column again from the laboratory's `n`, so that everything else stays as it was.",
            _one_after_another,
        ),
        (
            "You subtracted the truth. The task asks for the move from one frame to another: "
            "subtract the same estimate with the laboratory's counts.",
            lambda right: right + _mean_estimate() - world.truth(),
        ),
    ],
)


def _bounds(lower: float, upper: float) -> pd.Series:
    return pd.Series({"lower": lower, "upper": upper}).rename_axis("bound")


def _well_off() -> float:
    return (with_income()["income"] == "100 or more").mean()


def _silent() -> float:
    return (with_income()["income"] == "not said").mean()


def _of_those_who_said() -> float:
    return _well_off() / (1 - _silent())


def _sampling_interval() -> pd.Series:
    said = _of_those_who_said()
    reach = 1.96 * np.sqrt(said * (1 - said) / ((1 - _silent()) * len(with_income())))
    return _bounds(said - reach, said + reach)


def _refusals_alone() -> pd.Series:
    caseids = with_income()["caseid"]
    refused = world.raw_survey().set_index("caseid").loc[caseids, "faminc_new"].eq(97).mean()
    return _bounds(_well_off(), _well_off() + refused)


worst_cases = task(
    "9.4",
    Table(keys=("bound",), value="share"),
    answer=lambda: _bounds(_well_off(), _well_off() + _silent()),
    right="From 17.6 to 28.0%, 10 points wide, because one in ten did not answer. No number of "
    "respondents narrows it, and no weighting: only an assumption about who kept silent does.",
    hint="Lowest: nobody of those who did not say has 100 or more. Highest: all of them do. Both "
    "are shares of all 59,810.",
    mistakes=[
        PER_CENT,
        (
            "This is a 95% interval for sampling error. It would be there if everyone had "
            "answered, and it supposes that those who kept silent are like the others.",
            _sampling_interval,
        ),
        (
            "Your lower end is the share among those who said. That supposes something about the "
            "others: count them all as not well-off, and divide by everybody.",
            lambda: _bounds(_of_those_who_said(), _well_off() + _silent()),
        ),
        (
            "You divided by those who said. The question is about all 59,810, so everyone stays "
            "below the line, whatever they answered.",
            lambda: _bounds(_of_those_who_said(), (_well_off() + _silent()) / (1 - _silent())),
        ),
        (
            "You took the share among those who said, and added and subtracted the share of the "
            "silent. Count people instead: in the one case none of the silent, in the other all.",
            lambda: _bounds(_of_those_who_said() - _silent(), _of_those_who_said() + _silent()),
        ),
        (
            "These are numbers of people. Divide both by 59,810 to have shares.",
            lambda right: right * len(with_income()),
        ),
        (
            "The two are right and their labels are swapped: `lower` is the smaller one.",
            lambda right: _bounds(*right[["upper", "lower"]]),
        ),
        (
            "You counted only those who prefer not to say, code 97. Those without any answer are "
            'silent too: in the column `income` both are "not said".',
            _refusals_alone,
        ),
    ],
)


@cache
def _states_on_census() -> pd.DataFrame:
    """Estimates of the main model for the states on the census frame, with a majority's chance."""
    draws = world.main_draws(world.census(), by="state")
    return pd.DataFrame(
        {
            "estimate": draws.mean("sample").to_series(),
            "lower": draws.quantile(0.025, "sample").to_series(),
            "upper": draws.quantile(0.975, "sample").to_series(),
            "majority": (draws > 0.5).mean("sample").to_series(),
        }
    )


sure_majorities = task(
    "9.5",
    # The nearest states have 0.973 and 0.913; with one chain they vary by 0.005 and 0.009.
    Names("state"),
    answer=lambda: world.named(_states_on_census()["majority"] >= 0.95),
    right="Three states of 50. In 28 others the draws have the majority on both sides too often to "
    "call, and in 19 it is against with the same probability.",
    hint="From `poststratify_draws` by state: in what share of the draws is a state's support "
    "above one half? Keep the states where that is 0.95 or more.",
    mistakes=[
        (
            "These are all states whose estimate is above one half. That includes a state at "
            "50.1% too, whose draws are below one half nearly as often as above.",
            lambda: world.named(_states_on_census()["estimate"] > 0.5),
        ),
        (
            "These are the states whose whole 95% interval lies above one half. It leaves 2.5% "
            "on each side, so it asks for a probability of 97.5%.",
            lambda: world.named(_states_on_census()["lower"] > 0.5),
        ),
        (
            "These are the states where the interval reaches above one half: where a majority is "
            "not ruled out. The task asks where it is probable.",
            lambda: world.named(_states_on_census()["upper"] > 0.5),
        ),
        (
            "In these states the majority is against, with a probability of 95%. Count the "
            "draws above one half.",
            lambda: world.named(_states_on_census()["majority"] <= 0.05),
        ),
        (
            "These are the states in which more than half of the sample's own respondents "
            "support it. Some of these states have a dozen respondents, selected as the sample "
            "was: use the model and the frame.",
            lambda: world.named(world.raw("state") > 0.5),
        ),
    ],
)


CRITERIA = {
    "a": "It says whose support it is: adult citizens, and of which states or of how many.",
    "b": "It gives an interval, or says how sure the majority is.",
    "c": "It claims no majority, and no lack of one, where the draws are undecided.",
    "d": "It names the assumption on which the number rests.",
    "e": "It says what would overturn the claim.",
}

sentence_to_print = sentence(
    "9.6",
    CRITERIA,
    first=Sample(
        "Among adult citizens of Idaho 61% support the policy, with a probability of 95% between "
        "52 and 70%. The interval comes from a model of 5,000 answers and from the census, and "
        "allows for everything that may be wrong with such a survey.",
        meets="abc",
        reasons=(
            "the adult citizens of Idaho are named.",
            "52 to 70% is the 95% interval of the draws.",
            "Idaho alone is claimed, one of the three states whose draws are decided.",
            "it denies that there is an assumption. Who took part within a cell, the frame's age "
            "and the choice of the model are not in the interval.",
            "an interval that allows for everything leaves nothing that could overturn it.",
        ),
    ),
    second=Sample(
        "Among adult citizens of 21 of the 50 states a majority supports the policy, if those who "
        "took part answer like others of their state, ethnicity, gender, age and education; had "
        "supporters answered more readily, some of these majorities would be gone.",
        meets="ade",
        reasons=(
            "adult citizens are named, and the number of their states, 21.",
            "it has neither an interval nor a probability.",
            "21 is the number of estimates above one half. In most of these states the draws lie "
            "on both sides of it.",
            "that those who took part answer like others of their cell is the assumption.",
            "supporters who answer more readily than opponents would.",
        ),
    ),
    ours="Among adult citizens of Idaho a majority probably supports the policy, some 61% (52 to "
    "70%), if those who took part answer like others of their state, ethnicity, gender, age and "
    "education; had supporters answered 1.6 times as readily, the majority would be gone.",
    right="An interval is no assumption, and an assumption no interval: each sample has what the "
    "other lacks. An editor who cuts a sentence should know which of the five is lost.",
    hint="Take one criterion at a time and look in the sample for the words that meet it. If you "
    "cannot underline any, it is not met.",
)
