"""Exercise 4, a biased sample: milder selection, and selection on what no cell describes."""

from functools import cache

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import OTHERS, PER_CENT, REVERSED, options, task
from mrp_course.tasks import _world as world
from mrp_helpers.recode import CELL, clean_cces
from mrp_helpers.sample import PUBLISHED_SELECTION, Recipe, draw_biased_sample, selection_weights
from mrp_helpers.weight import hajek_mean, rake

INCOME = ["under 30", "30 to 60", "60 to 100", "100 or more"]
MILD = {**PUBLISHED_SELECTION, "male": {0.5: 4.0}}
FLYERS = {
    "income": {"under 30": 1, "30 to 60": 3, "60 to 100": 6, "100 or more": 20, "not said": 3}
}
PANEL = {"income": {"under 30": 10, "30 to 60": 3, "60 to 100": 1, "100 or more": 1, "not said": 1}}
RECIPES: dict[str, Recipe] = {"mild": MILD, "flyers": FLYERS, "panel": PANEL}
QUESTIONS = ["abortion", "rape_incest_danger_only", "illegal_always"]
SEEDS = range(20)
BELOW_STATE = tuple(CELL[1:])


@cache
def with_income(outcome: str = "abortion") -> pd.DataFrame:
    """The population of the laboratory with family income, which its frame does not know."""
    survey = world.raw_survey()
    brackets = pd.cut(survey["faminc_new"], [0, 3, 6, 9, 16], labels=INCOME)
    income = survey[["caseid"]].assign(income=brackets.astype(object).fillna("not said"))
    return clean_cces(survey, outcome).merge(income, on="caseid", validate="one_to_one")


@cache
def selected(recipe: str, outcome: str = "abortion") -> pd.Series:
    return selection_weights(with_income(outcome), world.states(), RECIPES[recipe])


@cache
def _course_weights() -> pd.Series:
    return selection_weights(world.respondents(), world.states())


@cache
def _without_extra() -> pd.Series:
    """Weights by the course's recipe before men get anything extra."""
    recipe = {column: amount for column, amount in PUBLISHED_SELECTION.items() if column != "male"}
    return selection_weights(world.respondents(), world.states(), recipe)


def _men() -> pd.Series:
    return world.respondents()["male"] > 0


def _extra_for_men() -> float:
    weights, men = _without_extra(), _men()
    return (0.6 * weights.sum() - weights[men].sum()) / (0.4 * men.sum())


def _means_made_one_and_a_half() -> float:
    weights, men = _without_extra(), _men()
    return 1.5 * weights[~men].mean() - weights[men].mean()


def _on_a_straight_line() -> float:
    least = _without_extra()[_men()].sum() / _without_extra().sum()
    most = _course_weights()[_men()].sum() / _course_weights().sum()
    return 20 * (0.6 - least) / (most - least)


def _from_the_share_of_people() -> float:
    weights, men = _without_extra(), _men()
    return (0.6 - men.mean()) * weights.sum() / (0.4 * men.sum())


extra_for_men = task(
    "4.1",
    Number(within=0.02),
    answer=_extra_for_men,
    right="5.6 instead of 20. Even without any extra, men would be 45.5% of a sample, because in "
    "this population the old and the White are a little more often men.",
    hint="Men's share of all weight is (men's weight without the extra + extra x number of men) "
    "divided by (everyone's weight without it + extra x number of men). Set it to 0.6.",
    mistakes=[
        (
            "You made a man's mean weight 1.5 times a woman's. But the population has more women "
            "than men: compare the sums of the weights, not their means.",
            _means_made_one_and_a_half,
        ),
        (
            "You drew a straight line between the shares without the extra and with 20. The "
            "share does not grow in a straight line, because the extra is in the numerator and in "
            "the denominator.",
            _on_a_straight_line,
        ),
        (
            "You compared the extra weight alone with all weight. Men have weight without it, "
            "too, from their age, ethnicity and state: include it.",
            lambda: 0.6 * _without_extra().sum() / (0.4 * _men().sum()),
        ),
        (
            "You started from men's share of the population. Without the extra their share of "
            "the weight is different, because age, ethnicity and state favour some people, too.",
            _from_the_share_of_people,
        ),
    ],
)


def _hands_up(size: int) -> pd.Series:
    """Inclusion probabilities of a draw without replacement, by exponential waiting times."""
    weights = _course_weights()
    rate = brentq(lambda rate: (1 - np.exp(-rate * weights)).sum() - size, 1e-7, 1)
    return 1 - np.exp(-rate * weights)


men_in_a_large_draw = task(
    "4.2",
    # Ten simulated draws give it to 0.0008 or better; the nearest mistake is 0.010 away.
    Number(within=0.004),
    answer=lambda: _hands_up(20_000)[_men()].sum() / 20_000,
    right="71.1%, and not the 76.3% of the weights. A third of everyone is drawn, so people "
    "with large weights run out and the others catch up: a weight is not an inclusion probability.",
    hint="Find the rate at which 1 - exp(-rate x weight) sums to 20,000, as in the chapter, and "
    "sum these probabilities over men. Or draw a few samples and average.",
    mistakes=[
        PER_CENT,
        OTHERS,
        (
            "This is men's share of the weights. It would be right if everyone drawn were put "
            "back; here nobody is drawn twice.",
            lambda: _course_weights()[_men()].sum() / _course_weights().sum(),
        ),
        (
            "This is right for a sample of 5,000. With 20,000 the people with large weights "
            "run out sooner: solve for the rate again.",
            lambda: _hands_up(5000)[_men()].sum() / 5000,
        ),
        (
            "This is the share of men in the course's one sample of 5,000. Here 20,000 are "
            "drawn, and with so many the people with large weights run out.",
            lambda: (world.sample()["male"] > 0).mean(),
        ),
        (
            "This is men's share of the population, as if everyone had the same weight. Even "
            "with 20,000 people the recipe still matters.",
            lambda: _men().mean(),
        ),
        (
            "This is a man's mean probability of being drawn. The question asks for the share of "
            "men among the drawn: sum over men and divide by 20,000.",
            lambda: _hands_up(20_000)[_men()].mean(),
        ),
    ],
)


@cache
def _parts(columns: tuple[str, ...]) -> pd.DataFrame:
    """The flyers' expected gap in each question, and its part due to composition by columns."""
    parts = {}
    for question in QUESTIONS:
        people, weights = with_income(question), selected("flyers", question)
        truth = people[question].mean()
        cell_mean = people.groupby(list(columns))[question].transform("mean")
        parts[question] = {
            "gap": np.average(people[question], weights=weights) - truth,
            "composition": np.average(cell_mean, weights=weights) - truth,
        }
    return pd.DataFrame(parts).T.rename_axis("question")


def _within(columns: tuple[str, ...]) -> pd.Series:
    parts = _parts(columns)
    return parts["gap"] - parts["composition"]


within_cells = task(
    "4.3",
    Table(keys=("question",), value="within"),
    answer=lambda: _within(BELOW_STATE),
    right="On coverage 0.2 points of a gap of 0.7 lie within cells, but 1.5 of 3.4 and 1.2 of 2.4 "
    "on the other two. Whether weighting can correct a sample depends on the question.",
    hint="Gap: weighted mean minus mean. Composition: weighted mean of everyone's cell mean, minus "
    "the mean. What lies within cells is the first minus the second.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "These are the parts due to composition, which post-stratification can reach. The "
            "task asks for the rest of the gap.",
            lambda: _parts(BELOW_STATE)["composition"],
        ),
        (
            "These are the whole gaps. Subtract the part that would remain if everyone "
            "answered as their cell does.",
            lambda: _parts(BELOW_STATE)["gap"],
        ),
        (
            "You cut by all five columns. Many of those 6,603 cells hold one or two people, "
            "whose chance answers then look like composition. Use the 240 cells of four columns.",
            lambda: _within(tuple(CELL)),
        ),
        (
            "You cut by education alone. The cells are made of ethnicity, gender, age and "
            "education together.",
            lambda: _within(("edu",)),
        ),
        (
            "You divided by the whole gap. The task asks for the part itself, as a difference "
            "of shares.",
            lambda: 1 - _parts(BELOW_STATE)["composition"] / _parts(BELOW_STATE)["gap"],
        ),
    ],
)


@cache
def _repeated(recipe: str) -> pd.DataFrame:
    """Estimates from repeated samples: plain, and raked to two targets. One row a seed."""
    people, weights = with_income(), selected(recipe)
    laboratory = {column: people[column].value_counts() for column in CELL}
    census = world.margins(world.census())
    rows = []
    for seed in SEEDS:
        sample = draw_biased_sample(people, weights, seed=seed)
        rows.append(
            {
                "plain": sample["abortion"].mean(),
                "raked": hajek_mean(sample["abortion"], rake(sample, laboratory))[0],
                "census": hajek_mean(sample["abortion"], rake(sample, census))[0],
            }
        )
    return pd.DataFrame(rows, index=SEEDS)


def _gaps(estimate: str) -> pd.DataFrame:
    """Gaps to the laboratory's truth: one row a seed, one column a recipe."""
    truth = with_income()["abortion"].mean()
    gaps = {recipe: _repeated(recipe)[estimate] - truth for recipe in RECIPES}
    return pd.DataFrame(gaps).rename_axis(columns="recipe")


gap_after_raking = task(
    "4.4",
    Table(keys=("recipe",), value="gap"),
    answer=lambda: _gaps("raked").mean(),
    right="Raking removes the gaps of the mild recipe and of the flyers. The panel's gap was small "
    "because two parts of opposite sign nearly cancelled: raking removes one of them, and 0.8 "
    "points are left.",
    hint="For each recipe and each seed from 0 to 19: draw 5,000, rake to the laboratory's five "
    "margins, take the weighted mean, subtract the truth. Then average the 20 gaps.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "These are the gaps of the samples as they are. Weight each sample with `rake` "
            "before you take the mean.",
            lambda: _gaps("plain").mean(),
        ),
        (
            "You raked to the frame of adult citizens. In the laboratory the population is the "
            "respondents, and so are the margins.",
            lambda: _gaps("census").mean(),
        ),
        (
            "You averaged the sizes of the gaps without their signs. That includes the chance of "
            "each draw, which never averages out; bias is the mean with the sign.",
            lambda: _gaps("raked").abs().mean(),
        ),
        (
            "This is the gap of one draw, which is mostly chance here: average over all 20 seeds.",
            lambda: _gaps("raked").T[0],
        ),
        (
            "These are the estimates. Subtract the truth, the share among all respondents.",
            lambda right: right + with_income()["abortion"].mean(),
        ),
    ],
)


def _expected(recipe: str) -> tuple[float, float]:
    """The share that a draw by the recipe is expected to show, and its distance to the truth."""
    people = with_income()
    weights = _course_weights() if recipe == "course" else selected(recipe)
    share = np.average(people["abortion"], weights=weights)
    return share, share - people["abortion"].mean()


def _size(recipe: str, multiple: float) -> float:
    share, gap = _expected(recipe)
    return multiple**2 * share * (1 - share) / gap**2


def _size_for_one_draw() -> float:
    people = with_income()
    share = draw_biased_sample(people, selected("mild"))["abortion"].mean()
    return 1.96**2 * share * (1 - share) / (share - people["abortion"].mean()) ** 2


size_where_bias_wins = task(
    "4.5",
    # The truth's p (1 - p) in place of the sample's gives 13 fewer, 1.95 in place of 1.96 the same.
    Number(within=25),
    answer=lambda: _size("mild", 1.96),
    right="From about 1,080 answers on, most intervals miss the truth, and every further answer "
    "makes the interval more certain of the wrong value.",
    hint="Set 1.96 times the square root of p (1 - p) / n equal to the gap, and solve for n.",
    mistakes=[
        (
            "You set one standard error equal to the gap. Half of a 95% interval is 1.96 "
            "standard errors.",
            lambda: _size("mild", 1),
        ),
        (
            "You used the whole width of the interval. It reaches 1.96 standard errors to each "
            "side, and only one side is towards the truth.",
            lambda: _size("mild", 2 * 1.96),
        ),
        (
            "You multiplied by 1.96 and not by its square: n stands under the root, and 1.96 "
            "outside it.",
            lambda: _size("mild", np.sqrt(1.96)),
        ),
        (
            "This is for a 90% interval, which reaches 1.645 standard errors to each side. Of a "
            "95% interval it is 1.96.",
            lambda: _size("mild", 1.645),
        ),
        (
            "You took the recipe of the flyers. This task asks about the mild one.",
            lambda: _size("flyers", 1.96),
        ),
        (
            "You took the course's recipe, with 20 for men. This task asks about the mild one.",
            lambda: _size("course", 1.96),
        ),
        (
            "You took the gap of one drawn sample, which includes chance. The bias is the expected "
            "gap: the weighted mean of all people's answers minus the truth.",
            _size_for_one_draw,
        ),
        (
            "This is the square root of the number. The standard error falls with the square "
            "root of n, so square at the end.",
            lambda right: np.sqrt(right),
        ),
        (
            "You put the gap in per cent and the shares between 0 and 1: the result is 10,000 "
            "times too small.",
            lambda right: right / 100**2,
        ),
    ],
)


advice = task(
    "4.6",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "B",
    right="A variable outside the cells does harm where it decides who answers and is also "
    "related to the answer among people of the same cell. Both conditions have to be argued for "
    "each question.",
    hint="Compare each sentence with your numbers from tasks 4.3 and 4.4.",
    mistakes=options(
        A="Education represents income only as far as the two are related. For exceptions in case "
        "of rape or incest nearly half of the gap lay among people of the same education, age, "
        "gender and ethnicity.",
        C="More flyers are more of the same people. The standard error falls and the bias stays, "
        "so the intervals would miss the truth more often.",
        D="Selection on a column that the cells lack is not enough to do harm: on the coverage of "
        "abortions the raked flyers were right on average, because there income is hardly related "
        "to the answer within cells.",
    ),
)
