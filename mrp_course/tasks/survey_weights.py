"""Exercise 18, survey weights and MRP: what a design costs, and where it belongs in a model."""

from functools import cache

import numpy as np
import pandas as pd

from mrp_course._forms import Choice, Number
from mrp_course._task import PER_CENT, REVERSED, UPSIDE_DOWN, options, task
from mrp_course.results import load_result
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.recode import CELL
from mrp_helpers.sample import aggregate_cells
from mrp_helpers.weight import effective_sample_size

KINDS = {1: "City", 2: "Suburb", 3: "Town", 4: "Rural"}
READINESS = pd.Series({"City": 1, "Suburb": 1, "Town": 2, "Rural": 4})
EIGHTFOLD = pd.Series({"City": 1, "Suburb": 1, "Town": 1, "Rural": 8})
GROUPS = ("state", "eth", "edu", "age", "place")


@cache
def _people() -> pd.DataFrame:
    """The laboratory's people whose kind of place is known."""
    place = world.raw_survey().set_index("caseid")["urbancity"].map(KINDS).rename("place")
    return world.respondents().join(place, on="caseid").dropna(subset="place")


def _asked(readiness: pd.Series, number: int) -> pd.Series:
    """How many to draw from each kind of place."""
    expected = _people()["place"].value_counts().reindex(readiness.index) * readiness
    return (number * expected / expected.sum()).round().astype(int)


@cache
def _sample() -> pd.DataFrame:
    """The chapter's survey, in which rural people are oversampled."""
    asked, people = _asked(READINESS, 2000), _people()
    drawn = [
        people[people["place"] == place].sample(asked[place], random_state=18)
        for place in asked.index
    ]
    return pd.concat(drawn, ignore_index=True)


@cache
def _weights() -> pd.Series:
    """The design weight of each of 1,500 respondents."""
    return _design_weights(EIGHTFOLD, 1500)


def _design_weights(readiness: pd.Series, number: int) -> pd.Series:
    """The people per respondent, of each respondent of a sample that is drawn so."""
    asked = _asked(readiness, number)
    weight = _people()["place"].value_counts() / asked
    return pd.Series(np.repeat(weight[asked.index].to_numpy(), asked))


def _kish(weight: pd.Series) -> float:
    return len(weight) / effective_sample_size(weight)


def _kish_of_readiness() -> float:
    asked = _asked(EIGHTFOLD, 1500)
    return _kish(pd.Series(np.repeat(EIGHTFOLD.to_numpy(float), asked)))


def _kish_of_strata() -> float:
    return _kish(pd.Series(_weights().unique()))


kish_of_an_oversample = task(
    "18.1",
    Number(within=0.02),
    answer=lambda: _kish(_weights()),
    right="An oversample by a factor of eight gives many rural interviews, at the nation's "
    "expense: the effective sample size of its 1,500 respondents is only about half of that.",
    hint="The weight of a respondent is the number of people in the stratum over the number asked "
    "there; the design effect is the number of respondents over `effective_sample_size`.",
    mistakes=[
        UPSIDE_DOWN,
        (
            "This is the effective sample size itself. The design effect is the number of "
            "respondents divided by it.",
            lambda: effective_sample_size(_weights()),
        ),
        (
            "This is the square root, by which standard errors grow. The design effect is the "
            "ratio of variances.",
            np.sqrt,
        ),
        (
            "1.35 comes out where the readiness is used as the weight, although someone who is "
            "drawn eight times as readily represents an eighth as many people. It is also the "
            "chapter's own design effect, of a different readiness.",
            _kish_of_readiness,
        ),
        (
            "You drew people in towns twice as readily as those in cities, as the chapter does. "
            "Here all but rural people are alike.",
            lambda: _kish(_design_weights(EIGHTFOLD.where(EIGHTFOLD.index != "Town", 2), 1500)),
        ),
        (
            "You counted each stratum once. Each of the 1,500 respondents has a weight.",
            _kish_of_strata,
        ),
    ],
)

ignorable_design = task(
    "18.2",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "C",
    right="Education is a column of the frame and of the model, so everyone in a cell had the same "
    "chance, and the weights are equal within cells. The others depend on what no cell shows.",
    hint="In which survey had all people of one cell the same chance to be drawn?",
    mistakes=options(
        A="Whether somebody goes to church is no column of the frame, and goes along with the "
        "answer within cells. The cells of the sample contain too many churchgoers.",
        B="Whether somebody voted is no column of the frame. Voters of a cell can "
        "differ in opinion from those who stayed at home.",
        D="The kind of place is no column of the frame. This is the design of the chapter, which "
        "left MRP off by more than two points.",
    ),
)


@cache
def _study(way: str) -> pd.DataFrame:
    study = load_result("survey_design")
    return study[(study["survey"] == "strata") & (study["way"] == way)]


def _too_narrow(way: str = "MRP, weighted likelihood") -> float:
    """The width that intervals should have had, over the mean width that they had."""
    found = _study(way)
    return 2 * 1.96 * found["estimate"].std() / (found["upper"] - found["lower"]).mean()


def _half_as_wide() -> float:
    return _too_narrow() / 2


width_of_a_pseudo_posterior = task(
    "18.3",
    Number(within=0.02),
    answer=_too_narrow,
    right="Intervals of the weighted likelihood would have to be wider by about the square root "
    "of Kish's design effect: the square root of 1.35 is 1.16. The likelihood counted 2,000 "
    "people, and the effective sample size is 1,480.",
    hint="The width needed is 2 x 1.96 standard deviations of the estimates over the surveys; "
    "divide it by the mean of `upper - lower`.",
    mistakes=[
        UPSIDE_DOWN,
        (
            "This is the ratio of variances. An interval's width goes with the standard "
            "deviation: take the square root.",
            lambda: _too_narrow() ** 2,
        ),
        (
            "You compared with the distance from the middle to one end. An interval has two "
            "sides: 2 x 1.96 standard deviations.",
            _half_as_wide,
        ),
        (
            "This is the factor for weights that sum to the effective sample size. The task asks "
            "for those that sum to 2,000.",
            lambda: _too_narrow("MRP, likelihood of effective size"),
        ),
        (
            "This is the square root of Kish's design effect, which is computed from the weights "
            "alone. The task asks what the study's estimates and intervals show.",
            lambda: float(np.sqrt(_kish(_design_weights(READINESS, 2000)))),
        ),
        (
            "This is Kish's design effect, a ratio of variances, from the weights alone. The task "
            "asks what the study's estimates and intervals show.",
            lambda: _kish(_design_weights(READINESS, 2000)),
        ),
    ],
)


@cache
def _by_place(each_cell_once: bool = False) -> pd.Series:
    """Support in each kind of place by the chapter's model, of the laboratory's people."""
    by = [*CELL, "place"]
    model = world.multilevel(world.with_states(aggregate_cells(_sample(), by=by)), GROUPS)
    frame = world.with_states(aggregate_cells(_people(), by=by))
    frame = frame.assign(n=1) if each_cell_once else frame
    draws = poststratify_draws(model, world.draws("design-place"), frame, by="place")
    return draws.mean("sample").to_series()


def _difference(support: pd.Series) -> float:
    return float(support["Rural"] - support["City"])


def _of_effects() -> float:
    """The difference of the two effects, which are log odds."""
    effects = world.draws("design-place").posterior["1|place"].mean(["chain", "draw"])
    return _difference(effects.to_series())


rural_minus_city = task(
    "18.4",
    # Monte Carlo error of the difference: about 0.0008.
    Number(within=4e-3),
    answer=lambda: _difference(_by_place()),
    right="This is the purpose of the oversample: many rural interviews, adjusted for who they "
    "are, without a bias in the nation.",
    hint="Post-stratify `place_model` with its draws to `frame`, by `place`, and subtract.",
    mistakes=[
        PER_CENT,
        REVERSED,
        (
            "This is the difference in the sample as it came. The respondents of a place are not "
            "a copy of its people: post-stratify.",
            lambda: _difference(_sample().groupby("place")["abortion"].mean()),
        ),
        (
            "This is the difference of the two effects, on the scale of log odds. Support is a "
            "share: post-stratify the draws.",
            _of_effects,
        ),
        (
            "This is support in rural areas alone. Subtract that in cities.",
            lambda: _by_place()["Rural"],
        ),
        (
            "This is the difference between the laboratory's people themselves, the truth. The "
            "task asks for the model's estimate.",
            lambda: _difference(_people().groupby("place")["abortion"].mean()),
        ),
        (
            "You counted each cell once. A cell counts by its `n`, the people in it.",
            lambda: _difference(_by_place(each_cell_once=True)),
        ),
    ],
)


CLINTON, TRUMP = 2, 1


@cache
def _of_voters(of: int = CLINTON, among: tuple[int, ...] = ()) -> pd.Series:
    """Share who say that they voted so: as they came, by cell, by their own weights.

    With ``among`` the share is one of those alone who voted for one of these.
    """
    people = world.respondents()
    vote = people["caseid"].map(world.raw_survey().set_index("caseid")["CC18_317"])
    own = people["commonweight"]
    of_cell = own.groupby([people[column] for column in CELL]).transform("mean")
    those = vote.isin(among or vote.unique())
    yes, own, of_cell = vote[those] == of, own[those], of_cell[those]
    weighted = {"cell": np.average(yes, weights=of_cell), "own": np.average(yes, weights=own)}
    return pd.Series({"came": yes.mean(), **weighted})


def _added(of: int = CLINTON, among: tuple[int, ...] = ()) -> float:
    """What their own weights add to those of the cells."""
    return float(_of_voters(of, among)["own"] - _of_voters(of, among)["cell"])


what_weights_know = task(
    "18.5",
    Number(within=5e-4),
    answer=_added,
    right="Within cells the weights take voters of Clinton away, because the survey's weights "
    "were made with the past vote and the frame has no such column.",
    hint="Subtract the share weighted by the mean weight of the cell from the share weighted by "
    "each respondent's own weight.",
    mistakes=[
        PER_CENT,
        REVERSED,
        (
            "This is what the weights change in all. A part of it comes from the five columns; "
            "subtract the share weighted by the mean weight of each cell.",
            lambda: _of_voters()["own"] - _of_voters()["came"],
        ),
        (
            "This is the part of the five columns. The task asks what the weights add to them.",
            lambda: _of_voters()["cell"] - _of_voters()["came"],
        ),
        (
            "This is the share of Clinton's voters by the respondents' own weights. Subtract the "
            "share weighted by the mean weight of each cell.",
            lambda: _of_voters()["own"],
        ),
        (
            "These are the voters of Donald Trump, as in the chapter. The task asks for those of "
            "Hillary Clinton, whose code is 2.",
            lambda: _added(TRUMP),
        ),
        (
            "This is a share of those who voted for one of the two. The task asks for a share of "
            "all respondents.",
            lambda: _added(among=(CLINTON, TRUMP)),
        ),
    ],
)

sentence_about_weights = task(
    "18.6",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "B",
    right="The sentence says what the weights were made from, where that is in the model, and what "
    "has to be assumed about the rest.",
    hint="Who chose these weights, and does the model contain already what they were made from?",
    mistakes=options(
        A="Weights in the likelihood are no guarantee: these were raked from the same respondents "
        "to columns that the model contains, and in the likelihood they count as information.",
        C="Not every weight may be ignored: a weight that depends on a column outside the frame "
        "contains information that the cells do not.",
        D="MRP adjusts for the columns of its frame only. Nothing was shown about readiness that "
        "depends on something else.",
    ),
)
