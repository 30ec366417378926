"""Exercise 17, building a frame: microdata, bands, a seed, and the table that one would miss."""

from functools import cache

import numpy as np
import pandas as pd

from mrp_course._forms import Choice, Number, Table
from mrp_course._task import PER_CENT, options, task
from mrp_course.tasks import _world as world
from mrp_helpers.recode import CELL
from mrp_helpers.weight import rake

NEW_ENGLAND = ["CT", "MA", "ME", "NH", "RI", "VT"]
LARGE = ["CA", "FL", "NY", "TX"]
PLACELESS = ["eth", "male", "age", "edu"]
OFFICE = [18, 25, 45, 65]
COURSE = [18, 30, 40, 50, 60, 70]
OLDEST = 89


@cache
def _everyone() -> pd.DataFrame:
    """All respondents, with their age in years."""
    people = world.respondents()
    born = world.raw_survey().set_index("caseid")["birthyr"]
    return people.assign(years=2018 - people["caseid"].map(born))


@cache
def _people() -> pd.DataFrame:
    """The respondents of New England, with their age in years."""
    return _everyone()[_everyone()["state"].isin(NEW_ENGLAND)]


def _weighted(people: pd.DataFrame) -> pd.Series:
    return people.groupby("edu")["commonweight"].sum()


def _census_of_new_england() -> pd.Series:
    frame = world.census()
    return frame[frame["state"].isin(NEW_ENGLAND)].groupby("edu")["n"].sum()


microdata = task(
    "17.1",
    Table(keys=("edu",), value="people", any_scale=True),
    answer=lambda: _weighted(_people()),
    right="Each row stands for as many people as its weight says. Only ratios of these weights "
    "mean anything here; those of a census office add up to people.",
    hint="Sum `commonweight` over the respondents of the six states, at each level of `edu`.",
    mistakes=[
        (
            "You counted rows. A row of microdata represents as many people as its person weight "
            "says: sum `commonweight`.",
            lambda: _people()["edu"].value_counts(),
        ),
        (
            "These are mean weights. A level's people are the sum of the weights of its rows.",
            lambda: _people().groupby("edu")["commonweight"].mean(),
        ),
        (
            "These are the respondents of all states. The region has six; filter before you sum.",
            lambda: _weighted(world.respondents()),
        ),
        (
            "You took the counts from the census's frame. The task takes them for hidden, and "
            "asks what the microdata say.",
            _census_of_new_england,
        ),
        (
            "At each level you divided the region's weight by the nation's: that is how much of "
            "the level lives there. Divide by the region's total, or not at all.",
            lambda right: right / _weighted(world.respondents()),
        ),
    ],
)


def _spread(ages: pd.Series, oldest: int = OLDEST) -> pd.Series:
    """Shares of the course's bands when the office's are spread evenly over years of age."""
    published = pd.Series(np.digitize(ages, OFFICE)).value_counts(normalize=True)
    years = np.arange(18, oldest + 1)
    band = pd.Series(np.digitize(years, OFFICE))
    each_year = band.map(published) / band.map(band.value_counts())
    return each_year.groupby(np.digitize(years, COURSE)).sum()


def _moved(oldest: int = OLDEST, ages: pd.Series | None = None) -> pd.Series:
    ages = _people()["years"] if ages is None else ages
    bands = pd.Series(np.digitize(ages, COURSE)).value_counts(normalize=True)
    return (_spread(ages, oldest) - bands).abs()


def _within_office_bands() -> float:
    """Compare even years with true ones, instead of the sums over bands."""
    years = np.arange(18, OLDEST + 1)
    band = pd.Series(np.digitize(years, OFFICE))
    published = pd.Series(np.digitize(_people()["years"], OFFICE)).value_counts(normalize=True)
    even = pd.Series((band.map(published) / band.map(band.value_counts())).to_numpy(), years)
    true = _people()["years"].value_counts(normalize=True)
    return float(even.sub(true, fill_value=0).abs().sum() / 2)


splitting_bands = task(
    "17.2",
    Number(within=2e-4),
    answer=lambda: float(_moved().sum() / 2),
    right="With bands of twenty years it is one person in twelve. A survey recoded to the office's "
    "bands would have put nobody into a wrong one.",
    hint="Half of the sum of the absolute differences between the two sets of six shares.",
    mistakes=[
        PER_CENT,
        (
            "You counted everyone twice: who is missing from one band is too many in another. "
            "Take half of the sum of absolute differences.",
            lambda: float(_moved().sum()),
        ),
        (
            "This is the largest difference of a single band. The task asks for all who are in a "
            "wrong one.",
            lambda: float(_moved().max()),
        ),
        (
            "This is the mean difference of a band. Sum over the six bands, and take half.",
            lambda: float(_moved().mean()),
        ),
        (
            "You let the open band end elsewhere. The task spreads 65+ over the ages 65 to 89; "
            "with 65 to 99 the answer is another, which no table of the office tells.",
            lambda: float(_moved(99).sum() / 2),
        ),
        (
            "You took the age 90 into the open band. The task spreads 65+ over the 25 ages from "
            "65 to 89, and `range` and `np.arange` leave out their end.",
            lambda: float(_moved(90).sum() / 2),
        ),
        (
            "These are the respondents of all states. The office is that of New England, whose "
            "ages are in `years`.",
            lambda: float(_moved(ages=_everyone()["years"]).sum() / 2),
        ),
        (
            "You compared single years of age. The question is about the six bands, so sum the "
            "years of each band first.",
            _within_office_bands,
        ),
    ],
)


def _margins(columns: list[list[str]]) -> dict[object, pd.Series]:
    frame = world.census()
    return {tuple(by) if len(by) > 1 else by[0]: frame.groupby(by)["n"].sum() for by in columns}


BY_STATE = [["state", column] for column in PLACELESS]


def _rebuilt(columns: list[list[str]], seed: pd.Series | None = None) -> pd.Series:
    """Rake the rows of the frame, or a seed of them, to the tables of these columns."""
    return rake(world.census()[CELL], _margins(columns), base_weight=seed, tol=1e-6)


@cache
def _seed() -> pd.Series:
    """All respondents in each nation-wide cell."""
    found = world.respondents().groupby(PLACELESS).size().rename("found")
    return world.census()[CELL].join(found, on=PLACELESS)["found"].fillna(0) + 1


def _of_all_adults(counts: pd.Series) -> pd.Series:
    """The share of all adults who are Hispanic and have no diploma, in four states."""
    frame = world.census()
    both = (frame["eth"] == "Hispanic") & (frame["edu"] == "No HS")
    found = counts.where(both, 0).groupby(frame["state"]).sum()
    return (found / counts.groupby(frame["state"]).sum())[LARGE]


def _of_respondents() -> pd.Series:
    hispanic = world.respondents().query("eth == 'Hispanic'")
    return (hispanic["edu"] == "No HS").groupby(hispanic["state"]).mean()[LARGE]


def _without_diploma(counts: pd.Series, among: str = "Hispanic") -> pd.Series:
    """The share without a diploma among the Hispanic adults of four states; or turned round."""
    frame = world.census()
    both = (frame["eth"] == "Hispanic") & (frame["edu"] == "No HS")
    whole = frame["eth"] == "Hispanic" if among == "Hispanic" else frame["edu"] == "No HS"
    by_state = counts.groupby(frame["state"].where(both)).sum()
    return (by_state / counts.groupby(frame["state"].where(whole)).sum())[LARGE]


hispanic_without_diploma = task(
    "17.3",
    Table(keys=("state",), value="share", within=5e-4),
    answer=lambda: _without_diploma(_rebuilt(BY_STATE, _seed())),
    right="The state's four margins and the survey's association together. Independence would give "
    "every group of a state the same share.",
    hint="`rake(grid, margins, base_weight=seed)`; then, in each state, the Hispanic people "
    "without a diploma divided by all Hispanic people.",
    mistakes=[
        PER_CENT,
        (
            "This is the share without a diploma of all adults of a state, and by independence "
            "that of each ethnicity. Either `rake` had no seed, which is its `base_weight`, or "
            "you took all adults in place of the Hispanic ones.",
            lambda: _without_diploma(_rebuilt(BY_STATE)),
        ),
        (
            "These are the seed's own shares, the same in all states. Rake the seed to the four "
            "margins of each state first.",
            lambda: _without_diploma(_seed()),
        ),
        (
            "You used the census's hidden cells. They are what the rebuilt frame is to be "
            "compared with afterwards.",
            lambda: _without_diploma(world.census()["n"]),
        ),
        (
            "You raked to national margins, so the states differ in nothing. Rake to the four "
            "tables of each state.",
            lambda: _without_diploma(_rebuilt([[column] for column in CELL], _seed())),
        ),
        (
            "You turned the share round: this is how many of those without a diploma are "
            "Hispanic. Divide by all Hispanic people.",
            lambda: _without_diploma(_rebuilt(BY_STATE, _seed()), among="No HS"),
        ),
        (
            "You divided by all adults of the state. The task asks for a share of the Hispanic "
            "adults.",
            lambda: _of_all_adults(_rebuilt(BY_STATE, _seed())),
        ),
        (
            "These are the shares among the survey's own respondents in each state. The task "
            "asks for those of the rebuilt frame.",
            _of_respondents,
        ),
        (
            "You left out the one more in each cell. Cells without a respondent then stay empty, "
            "whatever the tables say.",
            lambda: _without_diploma(_rebuilt(BY_STATE, _seed() - 1)),
        ),
    ],
)


@cache
def _support() -> pd.Series:
    """Expected support in each cell of the frame, as the main model has it."""
    frame = world.census()
    # One person in each cell, as some are empty and would have no mean.
    in_cells = world.main_draws(frame.assign(n=1, cell=range(len(frame))), by="cell")
    in_cells = in_cells.mean("sample")
    return pd.Series(in_cells.to_numpy(), index=frame.index)


@cache
def _without_table(column: str, left_out: bool = False, seeded: bool = False) -> pd.Series:
    """The states' estimates when a column's margin is only national."""
    published = [["state", other] for other in PLACELESS if other != column]
    by = published if left_out else [*published, [column]]
    return _estimates(_rebuilt(by, _seed() if seeded else None))


def _changes(column: str, left_out: bool = False, seeded: bool = False) -> pd.Series:
    """Change of each state's estimate, in points, when a column's margin is only national."""
    return 100 * (_without_table(column, left_out, seeded) - _estimates(world.census()["n"]))


def _from_all_four() -> pd.Series:
    """Changes from the frame by independence with all four tables, and not from the census's."""
    all_four = _estimates(_rebuilt(BY_STATE))
    changes = {column: _without_table(column) - all_four for column in PLACELESS}
    return 100 * pd.DataFrame(changes).abs().mean()


def _estimates(counts: pd.Series) -> pd.Series:
    state = world.census()["state"]
    return (counts * _support()).groupby(state).sum() / counts.groupby(state).sum()


def _each(score: str, left_out: bool = False, seeded: bool = False) -> pd.Series:
    """One score of the changes, for each column whose margin by state is missing."""
    found = {}
    for column in PLACELESS:
        change = _changes(column, left_out, seeded)
        found[column] = {
            "mean size": change.abs().mean(),
            "mean": change.mean(),
            "worst": change.abs().max(),
            "rms": float(np.sqrt((change**2).mean())),
        }[score]
    return pd.Series(found)


missing_table = task(
    "17.4",
    # Three Monte Carlo errors of the stored fit; the supports differ most between ethnicities.
    Table(
        keys=("column",),
        value="change",
        within={"eth": 0.02, "male": 0.01, "age": 0.01, "edu": 0.01},
        points=True,
    ),
    answer=lambda: _each("mean size"),
    right="Ethnicity by state is the table to insist on. Without one of the others the change is "
    "0.24 to 0.27 points, which is what independence costs in any case.",
    hint="For each column: three tables by state and the column's national margin, raked from "
    "equal numbers; then the mean over states of the absolute change, in points.",
    mistakes=[
        (
            "These are shares between 0 and 1. The task asks for percentage points: multiply by "
            "100.",
            lambda right: right / 100,
            0.01,
        ),
        (
            "Positive and negative changes cancel in your mean. Take absolute values before you "
            "average over the states.",
            lambda: _each("mean"),
        ),
        (
            "These are the states that change most. The task asks for the average state.",
            lambda: _each("worst"),
        ),
        (
            "These are root mean squares, which give the worst states more weight. The task asks "
            "for the mean of the absolute changes.",
            lambda: _each("rms"),
        ),
        (
            "You left the column out altogether, so that each of its levels has the same number "
            "of people. Its national margin is still published.",
            lambda: _each("mean size", left_out=True),
        ),
        (
            "You raked the seed. The task rebuilds the cells by independence: call `rake` without "
            "`base_weight`.",
            lambda: _each("mean size", seeded=True),
        ),
        (
            "You compared with the frame that is rebuilt from all four tables. The task compares "
            "with the census's cells, `frame['n']`.",
            _from_all_four,
        ),
    ],
)


sentence = task(
    "17.5",
    Choice(("A", "B", "C", "D")),
    answer=lambda: "D",
    right="It says which tables were met, where the rest comes from, and for which groups that "
    "makes the estimates doubtful. A reader can ask the office for the table that is missing.",
    hint="Which sentence names the published tables, the source of what they leave open, and the "
    "estimates that depend on it?",
    mistakes=options(
        A="Meeting all published tables is what any rebuilt frame does, also the one by "
        "independence. It says nothing about the associations that no table holds.",
        B="The share of people in a right cell was never observed, and it would be a poor score: "
        "what counts is whether those exchanged answer differently.",
        C="More rows in the frame are not more information. By independence the new rows say only "
        "what the margins said before.",
    ),
)
