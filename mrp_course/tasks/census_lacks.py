"""Exercise 12, a variable that the census lacks: shares that a second survey has to supply."""

import math
from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import PER_CENT, REVERSED, options, task
from mrp_course._words import Rule, design
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.recode import CELL
from mrp_helpers.sample import aggregate_cells, draw_biased_sample, selection_weights

PARTIES = ["Republican", "Democrat", "neither"]
RECIPE = {"party": {"Republican": 3, "Democrat": 1, "neither": 1}}
SINGLE = ("state", "eth", "edu", "age")
SIXTH = slice(None, None, 6)


@cache
def _people() -> pd.DataFrame:
    """The laboratory's population with the party that each person names."""
    party = world.raw_survey().set_index("caseid")["pid3"]
    named = world.respondents()["caseid"].map(party).map({1: "Democrat", 2: "Republican"})
    return world.respondents().assign(party=named.fillna("neither"))


@cache
def _leaning() -> pd.DataFrame:
    return draw_biased_sample(_people(), selection_weights(_people(), world.states(), RECIPE))


@cache
def _second() -> pd.DataFrame:
    return _people().sample(2000, random_state=12)


@cache
def _share_model(party: str) -> bmb.Model:
    """Republican or not; of those who are not, Democrat or not."""
    second = _second()
    people = second if party == "Republican" else second[second["party"] != "Republican"]
    asked = people.assign(**{party: (people["party"] == party).astype(int)})
    cells = world.with_states(aggregate_cells(asked, outcome=party))
    return world.multilevel(cells, SINGLE, outcome=party)


@cache
def _answer_model() -> bmb.Model:
    cells = world.with_states(aggregate_cells(_leaning(), by=[*CELL, "party"]))
    groups = [*world.GROUPS, "party:eth", "party:edu"]
    return world.multilevel(cells, groups, common="male + repvote + party")


def _draws(name: str) -> xr.DataTree:
    return world.draws(name).isel(draw=SIXTH)


@cache
def _conditional(party: str) -> np.ndarray:
    """What a share model says of each cell of the laboratory, (cells x draws)."""
    cells = world.laboratory().assign(cell=range(len(world.laboratory())))
    draws = _draws(f"party-{party.lower()}")
    # Wyoming's only respondent of the second survey is Republican: the other model never saw it.
    shares = poststratify_draws(
        _share_model(party), draws, cells, "cell", new_levels="population", random_seed=1
    )
    return shares.to_numpy().astype("float32")


@cache
def _shares() -> np.ndarray:
    """Shares of the three parties, (cells x parties x draws)."""
    republican, democrat = _conditional("Republican"), _conditional("Democrat")
    others = 1 - republican
    return np.stack([republican, others * democrat, others * (1 - democrat)], axis=1)


@cache
def _extended() -> pd.DataFrame:
    """The laboratory's cells, a row for each party, without a count."""
    cells = world.laboratory().drop(columns=["n", "abortion"])
    return cells.merge(pd.DataFrame({"party": PARTIES}), how="cross")


def _counts(shares: np.ndarray) -> xr.DataArray:
    people = shares * world.laboratory()["n"].to_numpy(dtype="float32")[:, None, None]
    return xr.DataArray(people.reshape(len(_extended()), -1), dims=("row", "sample"))


def _by(column: str, of_cells: np.ndarray, weight: str = "n") -> pd.Series:
    """Mean over the people of each level of a column, or over its cells as if each held one."""
    cells = world.laboratory().assign(one=1)
    total = (cells[weight] * of_cells).groupby(cells[column]).sum()
    return total / cells.groupby(column)[weight].sum()


def _named(people: pd.DataFrame, party: str, column: str) -> pd.Series:
    return (people["party"] == party).groupby(people[column]).mean()


def _education_of_republicans() -> pd.Series:
    people = world.laboratory()["n"] * _conditional("Republican").mean(axis=1)
    return people.groupby(world.laboratory()["edu"]).sum() / people.sum()


republicans_by_education = task(
    "12.1",
    # Monte Carlo error of one chain, thinned: about 0.003 for those without high school.
    Table(keys=("edu",), value="share", within=8e-3),
    answer=lambda: _by("edu", _conditional("Republican").mean(axis=1)),
    right="Every number is modelled, none is counted: the census lends its cells, the second "
    "survey says how many in each are Republican, and the biased sample is not used.",
    hint="Post-stratify `republican_model` with its draws to `laboratory`, by `edu`.",
    mistakes=[
        PER_CENT,
        (
            "These are the shares in the biased sample, where Republicans answered three times "
            "as readily. A frame made of them has the very bias that it should correct.",
            lambda: _named(_leaning(), "Republican", "edu"),
        ),
        (
            "These are the second survey's own shares, as its 2,000 people came. The task asks "
            "what the model says of the laboratory's cells.",
            lambda: _named(_second(), "Republican", "edu"),
        ),
        (
            "These are the shares among the laboratory's own people, its truth. The task asks "
            "what the model estimates from the second survey.",
            lambda: _named(_people(), "Republican", "edu"),
        ),
        (
            "You turned the share round: this is how Republicans are educated. The task asks "
            "how many of each education are Republican.",
            _education_of_republicans,
        ),
        (
            "You counted each cell once. A cell counts by its `n`, the people in it.",
            lambda: _by("edu", _conditional("Republican").mean(axis=1), weight="one"),
        ),
    ],
)


def _shares_multiplied() -> pd.Series:
    return _by("eth", (_conditional("Republican") * _conditional("Democrat")).mean(axis=1))


def _product_of_means() -> pd.Series:
    others = 1 - _by("eth", _conditional("Republican").mean(axis=1))
    return others * _by("eth", _conditional("Democrat").mean(axis=1))


democrats_by_ethnicity = task(
    "12.2",
    Table(
        keys=("eth",),
        value="share",
        within={"Black": 2.5e-3, "Hispanic": 4e-3, "Other": 4.5e-3, "White": 1.5e-3},
    ),
    answer=lambda: _by("eth", _shares()[:, 1].mean(axis=1)),
    right="The second question was put only to those who had said no to the first, so its answer "
    "is multiplied by their share, cell by cell and draw by draw.",
    hint="The share of Democrats in a cell is (1 - Republican) x (Democrat among the others); "
    "average it over the cells of each `eth` by `n`.",
    mistakes=[
        PER_CENT,
        (
            "This is the second model alone: Democrats among those who are not Republican. "
            "Multiply each cell by the share that is left after the first question.",
            lambda: _by("eth", _conditional("Democrat").mean(axis=1)),
        ),
        (
            "You multiplied the two models' shares. The second question is for those who said no "
            "to the first: use one minus the first share.",
            _shares_multiplied,
        ),
        (
            "This is one minus the share of Republicans: Democrats and those who name neither "
            "together.",
            lambda: 1 - _by("eth", _conditional("Republican").mean(axis=1)),
        ),
        (
            "You averaged over the cells of a group before you multiplied. Where many are "
            "Republican the others answer otherwise: multiply cell by cell, and average last.",
            _product_of_means,
        ),
        (
            "This is the share of those who name neither party: you multiplied by one minus the "
            "second share.",
            lambda: _by("eth", _shares()[:, 2].mean(axis=1)),
        ),
        (
            "These are the shares among the laboratory's own people, its truth. The task asks "
            "what the two models say.",
            lambda: _named(_people(), "Democrat", "eth"),
        ),
        (
            "You gave each cell the same weight. A cell counts by its people: weight by `n`.",
            lambda: _by("eth", _shares()[:, 1].mean(axis=1), "one"),
        ),
        (
            "These are the shares in the biased sample, which has too few Democrats. Take both "
            "models, which were fitted to the second survey.",
            lambda: _named(_leaning(), "Democrat", "eth"),
        ),
    ],
)


@cache
def _national(frame: str) -> np.ndarray:
    """Draws of the national estimate, with the frame drawn or fixed at its mean."""
    if frame == "drawn":
        population = _counts(_shares())
        found = poststratify_draws(
            _answer_model(), _draws("party-answer"), _extended(), population=population
        )
    else:
        mean = _counts(_shares().mean(axis=2, keepdims=True)).to_numpy()[:, 0]
        found = poststratify_draws(
            _answer_model(), _draws("party-answer"), _extended().assign(n=mean)
        )
    return found.to_numpy().ravel()


@cache
def _frame_alone() -> np.ndarray:
    """Draws of the national estimate when only the frame varies."""
    rows = _extended().assign(row=range(len(_extended())), n=1)
    model, draws = _answer_model(), _draws("party-answer")
    answers = poststratify_draws(model, draws, rows, by="row").mean("sample").to_numpy()
    counts = _counts(_shares()).to_numpy()
    return (answers @ counts) / counts.sum(axis=0)


spread_with_the_frame = task(
    "12.3",
    # The standard deviation of 250 draws is known to 4.5%.
    Number(within=6e-4, value="sd"),
    answer=lambda: float(_national("drawn").std(ddof=1)),
    right="Each draw takes one frame and one set of answers, so its variance has both. "
    "Variances add here, because the surveys are independent; standard deviations do not.",
    hint="Post-stratify `answer_model` and its draws to `rows` with `population=counts`, and take "
    "the standard deviation of the 1,000 national values.",
    mistakes=[
        PER_CENT,
        (
            "This is the spread with one fixed frame, made of mean shares. Give `population` the "
            "draws, so that each draw of the answers meets a frame of its own.",
            lambda: float(_national("mean").std(ddof=1)),
        ),
        (
            "This is the spread that the frame alone brings, with each cell's answer fixed at "
            "its mean. The answers vary as well.",
            lambda: float(_frame_alone().std(ddof=1)),
        ),
        (
            "You added two standard deviations. Of independent parts the variances add; or let "
            "the draws do it, and take the standard deviation of the 1,000 values.",
            lambda: float(_national("mean").std(ddof=1) + _frame_alone().std(ddof=1)),
        ),
        (
            "This is the width of a 95% interval. The task asks for the standard deviation of "
            "the draws, about a quarter of it.",
            lambda: float(np.subtract(*np.quantile(_national("drawn"), [0.975, 0.025]))),
        ),
        (
            "This is half the width of a 95% interval, about two standard deviations. The task "
            "asks for one.",
            lambda: float(np.subtract(*np.quantile(_national("drawn"), [0.975, 0.025])) / 2),
        ),
        (
            "This is the estimate itself, the mean of the draws. The task asks for their "
            "standard deviation.",
            lambda: float(_national("drawn").mean()),
        ),
    ],
)


@cache
def _support() -> dict[str, float]:
    """Support in the laboratory: among Republicans, Democrats, all others, and everybody."""
    people = _people()
    republican = people["party"] == "Republican"
    return {
        "Republican": people.loc[republican, "abortion"].mean(),
        "Democrat": people.loc[people["party"] == "Democrat", "abortion"].mean(),
        "neither": people.loc[people["party"] == "neither", "abortion"].mean(),
        "others": people.loc[~republican, "abortion"].mean(),
        "all": people["abortion"].mean(),
    }


def _cost(leaving: float) -> float:
    """Five points more Republicans, and five points fewer people of another rate of support."""
    return float(0.05 * (_support()["Republican"] - leaving))


cost_of_five_points = task(
    "12.4",
    Number(within=5e-5),
    answer=lambda: _cost(_support()["others"]),
    right="Two points for five: a frame's error comes through multiplied by the difference "
    "in support between those it has too many and those it has too few of.",
    hint="Five points more of people who support at the Republicans' rate, five points fewer of "
    "people who support at the others' rate.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "You let Republicans join without anybody leaving. Where they have five points too "
            "many, the others have five too few.",
            lambda: _cost(0),
        ),
        (
            "You compared Republicans with everybody, themselves included. Those who are too few "
            "are the others alone.",
            lambda: _cost(_support()["all"]),
        ),
        (
            "You took the five points from the Democrats alone. Those who name neither party are "
            "too few in the same proportion.",
            lambda: _cost(_support()["Democrat"]),
        ),
        (
            "You took half of the five points from the Democrats and half from those who name "
            "neither. In proportion means according to their shares.",
            lambda: _cost((_support()["Democrat"] + _support()["neither"]) / 2),
        ),
        (
            "You made the share of Republicans five per cent larger. It is five percentage points "
            "too high, whatever the share is.",
            lambda right: right * (_people()["party"] == "Republican").mean(),
        ),
        (
            "This is the estimate with the error in it. The task asks how far it is above the one "
            "without.",
            lambda right: _support()["all"] + right,
        ),
    ],
)


sentence = task(
    "12.5",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "A",
    right="It names the source of the shares, carries their uncertainty, and says which three "
    "things have to be true. A reader who doubts one of them knows what to look at.",
    hint="Which sentence says where the party shares come from, and what they assume?",
    mistakes=options(
        C="The weights of C come from the biased sample itself: raking to its own party shares "
        "leaves them as they are, and the bias with them.",
        B="No frame removes every selection. Among Republicans of one cell, too, those who answer "
        "may think differently; B promises what was never tested.",
        D="The interval of D treats the party shares as counted. They were estimated from 2,000 "
        "people, and the interval has to say so.",
    ),
)


# The levels of each column that a frame could have; those of the second survey come last.
LEVELS = {"state": 50, "gender": 2, "age": 6, "education": 5, "ethnicity": 4}
ASKED = {"party": 3, "church": 3, "phone": 2}
MOST_ROWS = 10_000


def _rows_of(columns: frozenset[str]) -> int:
    return math.prod({**LEVELS, **ASKED}[column] for column in columns)


def _room(columns: frozenset[str]) -> str:
    rows = f"Your frame has {_rows_of(columns):,} rows"
    if "gender" in columns:
        return f"{rows}: gender was not necessary and has room."
    return f"{rows}; gender would have room besides."


frame_to_build = design(
    "12.6",
    [*LEVELS, *ASKED],
    [
        Rule(
            "The client wants estimates by state, and your frame has no states to sum over: the "
            "estimand comes first.",
            lambda columns: "state" in columns,
            ("age", "education", "party"),
        ),
        Rule(
            "A column is missing on which people were selected and by which support differs. Only "
            "columns of which both are true leave a bias when they are left out: look for all of "
            "them in the table.",
            lambda columns: {"age", "education", "party"} <= columns,
            ("state", "age", "education", "church"),
        ),
        Rule(
            "Of party, church and phone the second survey can ask one: you have more. A column by "
            "which support differs and nobody was selected, or the reverse, can wait.",
            lambda columns: len(columns & set(ASKED)) <= 1,
            ("state", "age", "education", "party", "church"),
        ),
        Rule(
            "The frame has more than 10,000 rows: multiply the levels of your columns. Leave out "
            "what only makes it larger.",
            lambda columns: _rows_of(columns) <= MOST_ROWS,
            ("state", "age", "education", "party", "ethnicity"),
        ),
    ],
    example=("state", "age", "education", "party"),
    about=_room,
    right="It has what the estimand needs and every column on which people were selected and by "
    "which support differs. Ethnicity matters too, and nobody was selected on it: leaving it out "
    "costs precision and leaves no bias.",
    hint="First what the estimand needs; then every column with both a selection and a difference "
    "in support; then count rows.",
)
