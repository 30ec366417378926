"""Exercise C, the capstone: another question of the survey, from raw codes to a paragraph."""

from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import OTHERS, PER_CENT, options, task
from mrp_course._words import project
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.recode import CELL, clean_cces
from mrp_helpers.sample import aggregate_cells, draw_biased_sample, selection_weights

OUTCOME = "always_allow"
FIT = "exercise-capstone"
ENDS = ["estimate", "lower", "upper"]


@cache
def _respondents() -> pd.DataFrame:
    return clean_cces(world.raw_survey(), outcome=OUTCOME)


@cache
def _sample() -> pd.DataFrame:
    return draw_biased_sample(_respondents(), selection_weights(_respondents(), world.states()))


@cache
def _cells() -> pd.DataFrame:
    return world.with_states(aggregate_cells(_sample(), outcome=OUTCOME))


@cache
def _model() -> bmb.Model:
    return world.multilevel(_cells(), outcome=OUTCOME)


@cache
def _estimated(frame: str, by: str | None) -> pd.DataFrame:
    """Post-stratify the stored draws to one of the two frames."""
    cells = {"census": world.census, "laboratory": _laboratory}[frame]()
    return poststratify(_model(), world.draws(FIT), cells, by=by)


@cache
def _laboratory() -> pd.DataFrame:
    return world.with_states(aggregate_cells(_respondents(), outcome=OUTCOME))


@cache
def _census_cells() -> pd.DataFrame:
    """The census frame with each cell's estimate; every tenth draw is enough for mistakes."""
    few = world.draws(FIT).isel(draw=slice(None, None, 10))
    single = world.census().assign(n=1)
    cells = poststratify(_model(), few, single, by=CELL).drop(columns="population")
    return world.census().merge(cells, on=CELL, validate="one_to_one")


YOUNG = ["18-29", "30-39"]


def _young(cells: pd.DataFrame) -> pd.DataFrame:
    return cells[cells["age"].isin(YOUNG)]


@cache
def _young_by_state(frame: str) -> pd.Series:
    """The estimates for people under 40, on one of the two frames."""
    cells = {"census": world.census, "laboratory": _laboratory}[frame]()
    table = poststratify(_model(), world.draws(FIT), _young(cells), by="state")
    return table.set_index("state")["estimate"]


@cache
def _states_and_ages() -> pd.DataFrame:
    """The estimates for each age in each state, from all draws, with the people whom each has."""
    return poststratify(_model(), world.draws(FIT), world.census(), by=["state", "age"])


def _by_state(cells: pd.DataFrame, weight: str) -> pd.Series:
    total = (cells["estimate"] * cells[weight]).groupby(cells["state"]).sum()
    return total / cells.groupby("state")[weight].sum()


recoded_share = task(
    "C.1",
    Number(within=1e-4),
    answer=lambda: _respondents()[OUTCOME].mean(),
    right="59.6% of the 59,775 who answered and live in one of the 50 states. In the laboratory "
    "this would be the truth; below, the census frame is the population.",
    hint="Code 1 is support and 2 opposition; leave out who did not answer and the District of "
    "Columbia, as clean_cces does.",
    mistakes=[
        OTHERS,
        PER_CENT,
        (
            "You counted those who gave no answer as opposed: a missing code compared with 1 is "
            "False. Leave them out first.",
            lambda: (world.raw_survey()["CC18_321a"] == 1).mean(),
        ),
        (
            "You left out the District of Columbia, and kept those who gave no answer: a missing "
            "code compared with 1 is False, so that they count as opposed.",
            lambda: (world.raw_survey().query("inputstate != 11")["CC18_321a"] == 1).mean(),
        ),
        (
            "This is the mean of the codes 1 and 2. Make a column that is 1 for support and 0 for "
            "opposition, and take its mean.",
            lambda right: 2 - right,
        ),
        (
            "You averaged the states' shares, each state counting once. Each respondent counts "
            "once: take the mean over all of them.",
            lambda: _respondents().groupby("state")[OUTCOME].mean().mean(),
        ),
        (
            "You kept the District of Columbia (inputstate 11). The frame has no cells for it, "
            "so its respondents belong to no population here.",
            lambda: (world.raw_survey()["CC18_321a"].dropna() == 1).mean(),
        ),
        (
            "You weighted by commonweight. In the laboratory the respondents are the population, "
            "and each counts once.",
            lambda: np.average(_respondents()[OUTCOME], weights=_respondents()["commonweight"]),
        ),
        (
            "This is the share for the item CC18_321d, which the chapters use. Here it is "
            "CC18_321a.",
            lambda: world.truth(),
        ),
    ],
)


def _shares(people: pd.DataFrame) -> pd.Series:
    return people["eth"].value_counts(normalize=True)


def _census_shares() -> pd.Series:
    return world.census().groupby("eth")["n"].sum() / world.census()["n"].sum()


composition = task(
    "C.2",
    Table(keys=("eth",), value="difference"),
    answer=lambda: _shares(_sample()) - _census_shares(),
    right="The sample has 11 points too many White respondents and 5 too few Black ones. Ethnicity "
    "matters for this question, so it belongs in the model.",
    hint="For each level: its share of the sample's rows minus its share of the frame's n.",
    mistakes=[
        (
            "You subtracted in the other order: sample minus frame is positive where the sample "
            "has too many.",
            lambda right: -right,
        ),
        (
            "You counted the frame's rows. Each of its cells has one row, however many people "
            "live there: sum n.",
            lambda: _shares(_sample()) - _shares(world.census()),
        ),
        (
            "You compared the sample with all respondents. The population to be described is the "
            "frame's.",
            lambda: _shares(_sample()) - _shares(_respondents()),
        ),
        (
            "You compared all respondents with the frame. Use the sample of 5,000.",
            lambda: _shares(_respondents()) - _census_shares(),
        ),
    ],
)


def _coefficients(fit: str) -> xr.Dataset:
    return world.draws(fit)["posterior"].to_dataset()[["male", "repvote"]]


coefficients = task(
    "C.3",
    # The Monte Carlo errors of the stored fit are 0.003 for male and 0.01 for repvote.
    Table(keys=("coefficient",), value="mean", within={"male": 0.015, "repvote": 0.05}),
    answer=lambda: _coefficients(FIT).mean().to_pandas(),
    right="Both are negative: men, and people in more Republican states, support this item less "
    "often, once the other columns are the same.",
    hint="Average the draws, on the logit scale, one name at a time: draws['posterior']['male'], "
    "and likewise 'repvote'. For both at once, [['male', 'repvote']], call .to_dataset() on "
    "draws['posterior'] first.",
    mistakes=[
        (
            "These are the coefficients of the chapters' model for CC18_321d. Fit the model to "
            "always_allow.",
            lambda: _coefficients("hierarchical").mean().to_pandas(),
        ),
        (
            "These are odds ratios: the exponential of the coefficients. The means of the draws "
            "themselves are asked for.",
            lambda right: np.exp(right),
        ),
        (
            "These are the standard deviations of the draws, the uncertainty of the "
            "coefficients. Their means are asked for.",
            lambda: _coefficients(FIT).std().to_pandas(),
        ),
        (
            "The signs are the wrong way round: you modelled those who oppose. In "
            "p(always_allow, n) the first column counts support.",
            lambda right: -right,
        ),
    ],
)


under_forty = task(
    "C.4",
    # Another run moves a state by about 0.0006.
    Table(keys=("state",), within=0.003),
    answer=lambda: _young_by_state("census"),
    right="The model was fitted to all ages, and the frame alone says whom an estimate is about: "
    "who lives in a state, and is under 40.",
    hint="Keep the rows of census whose age is 18-29 or 30-39, and post-stratify to these by "
    "state. The model and its draws stay as they are.",
    mistakes=[
        PER_CENT,
        (
            "These are the estimates for adults of all ages. Keep the census cells of people "
            "under 40 first.",
            lambda: _estimated("census", "state").set_index("state")["estimate"],
        ),
        (
            "You post-stratified to the laboratory's cells, the respondents. The campaign is "
            "about adult citizens: use the census frame.",
            lambda: _young_by_state("laboratory"),
        ),
        (
            "You took people under 30. There are two bands below 40.",
            lambda: _by_state(_states_and_ages().query("age == '18-29'"), "population"),
        ),
        (
            "You took the people from 30 to 39 alone. Those of 18 to 29 are under 40 too.",
            lambda: _by_state(_states_and_ages().query("age == '30-39'"), "population"),
        ),
        (
            "You took people under 50. The band 40-49 begins at 40, and under 40 is asked for.",
            lambda: _by_state(_states_and_ages().query("age < '50'"), "population"),
        ),
        (
            "These are the people of 40 and over, whom the condition should leave out.",
            lambda: _by_state(_states_and_ages().query("age >= '40'"), "population"),
        ),
        (
            "You gave every cell of a state the same weight. A cell counts as often as people "
            "live in it.",
            lambda: _by_state(_young(_census_cells()).assign(one=1), "one"),
        ),
        (
            "You averaged only over the cells in which somebody was asked. The others hold a "
            "good part of the population, and the model has an estimate for them too.",
            lambda: _by_state(_young(_census_cells()).merge(_cells()[CELL], on=CELL), "n"),
        ),
    ],
)


@cache
def _regions(frame: str) -> pd.DataFrame:
    """The draws of the two regions' estimates on a frame, or on its young, a column each."""
    frames = {"census": world.census, "laboratory": _laboratory}
    cells = _young(world.census()) if frame == "young" else frames[frame]()
    draws = poststratify_draws(_model(), world.draws(FIT), cells, by="region")
    return draws.to_dataset("group").to_dataframe()[["West", "South"]]


def _summed_up(values: pd.Series, prob: float = 0.95) -> pd.Series:
    tail = (1 - prob) / 2
    return pd.Series([values.mean(), *values.quantile([tail, 1 - tail])], ENDS)


def _difference(frame: str, prob: float = 0.95) -> pd.Series:
    draws = _regions(frame)
    return _summed_up(draws["West"] - draws["South"], prob)


def _of_ends(*, crossed: bool) -> pd.Series:
    west, south = (_summed_up(_regions("census")[name]) for name in ["West", "South"])
    other = south[["estimate", "upper", "lower"]] if crossed else south
    return pd.Series(west.to_numpy() - other.to_numpy(), ENDS)


def _states_alike() -> pd.Series:
    draws = poststratify_draws(_model(), world.draws(FIT), world.census(), by="state")
    region = world.states().set_index("state")["region"]
    means = draws.to_dataset("group").to_dataframe()[region.index].T.groupby(region).mean().T
    return _summed_up(means["West"] - means["South"])


def _of_the_sample() -> pd.Series:
    region = _sample()["state"].map(world.states().set_index("state")["region"])
    groups = _sample()[OUTCOME].groupby(region)
    mean, square = groups.mean(), groups.var() / groups.size()
    gap = mean["West"] - mean["South"]
    half = 1.96 * np.sqrt(square["West"] + square["South"])
    return pd.Series([gap, gap - half, gap + half], ENDS)


two_regions = task(
    "C.5",
    # Monte Carlo error: 0.0001 for the estimate, 0.0006 for the ends.
    Table(keys=("number",), value="value", within=0.0018),
    answer=lambda: _difference("census"),
    right="Seven points, with a 95% interval from 4 to 10. Each draw has a value for both regions, "
    "and therefore a difference: the interval is that of these differences.",
    hint="Call poststratify_draws with by='region' for the draws of both. Subtract draw by "
    "draw; then take the mean of the differences and their quantiles 0.025 and 0.975.",
    mistakes=[
        PER_CENT,
        (
            "You subtracted in the other order: West minus South is asked for.",
            lambda right: -right[["estimate", "upper", "lower"]].set_axis(ENDS),
        ),
        (
            "You subtracted the lower ends from each other, and the upper ends likewise. The two "
            "regions are not at their lower ends in the same draw: subtract within draws, then "
            "take the interval.",
            lambda: _of_ends(crossed=False),
        ),
        (
            "You subtracted one region's upper end from the other's lower end, as if one region "
            "were low whenever the other is high. Subtract within draws.",
            lambda: _of_ends(crossed=True),
        ),
        (
            "This is a 90% interval: 5% of the draws lie on either side. For 95% cut off 2.5%.",
            lambda: _difference("census", prob=0.9),
        ),
        (
            "These are people under 40, as in the task before. Here all adult citizens are asked "
            "for: begin again from the whole census frame.",
            lambda: _difference("young"),
        ),
        (
            "You averaged the states of a region as if all had the same population. In a region "
            "each person counts once: post-stratify by region.",
            _states_alike,
        ),
        (
            "This is the sample's own difference, with an interval for two simple random samples. "
            "It takes no account of the sample's bias.",
            _of_the_sample,
        ),
        (
            "You post-stratified to the laboratory's cells, which count respondents. The adult "
            "citizens of the regions are in the census frame.",
            lambda: _difference("laboratory"),
        ),
    ],
)


paragraph = task(
    "C.6",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "A",
    right="It names the population, the method and the interval, and it says what the number rests "
    "on. A reader can disagree with it in the right place.",
    hint="Ask of each paragraph: who is it about, how sure is it, and what does it hide?",
    mistakes=options(
        C="C calls the sample's share the nation's. The sample is off by 2 points against the "
        "survey it was drawn from, and its margin of error speaks of fair draws only.",
        B="B promises too much: MRP corrects what the frame tells apart, under a model. 'No longer "
        "biased' is nothing that a sample can show.",
        D="D orders neighbouring states whose intervals overlap almost wholly. The order of the "
        "first and the second is mostly noise.",
    ),
)


own_item = project(
    "C.7",
    {
        "a": "The estimand was written down before the fit: whom, which item, which population.",
        "b": "The selection has odds for each level, and part of it acts within cells.",
        "c": "Each group of the model has its reason; sampler, priors and replications were "
        "looked at.",
        "d": "The report has estimate and interval beside raw, raked and the laboratory's truth.",
        "e": "It says what the model cannot correct, and how many points that is here.",
    },
)

own_data = project(
    "C.8",
    {
        "a": "The population, the question and the use that somebody will make of the answer are "
        "named.",
        "b": "Every code of the survey has a level of the frame, or a reason to be left out, and "
        "the counts are shown.",
        "c": "A planted truth was found by the code before any real answer was looked at.",
        "d": "The estimate stands beside three others: raw, raked, and one from another source.",
        "e": "What would overturn it is said in its own sentence, with a number.",
    },
)
