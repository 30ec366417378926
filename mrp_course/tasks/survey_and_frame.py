"""Exercise 3, the survey and the frame: who is where, under which label, and with which weight."""

from functools import cache

import numpy as np
import pandas as pd

from mrp_course._forms import Choice, Labels, Number, Table
from mrp_course._task import PER_CENT, options, task
from mrp_course.tasks import _world as world
from mrp_helpers.recode import CELL, FIPS_STATES, clean_cces
from mrp_helpers.weight import hajek_mean, rake

NEW_ENGLAND = {
    "CT": "Connecticut",
    "MA": "Massachusetts",
    "ME": "Maine",
    "NH": "New Hampshire",
    "RI": "Rhode Island",
    "VT": "Vermont",
}
_REGIONS = {1: "Northeast", 2: "North Central", 3: "South", 4: "West"}


@cache
def _men_by_age() -> pd.DataFrame:
    """The share of men in each age band, in the survey and in the frame."""
    frame = world.census()
    men = frame[frame["male"] > 0]
    return pd.DataFrame(
        {
            "survey": (world.respondents()["male"] > 0).groupby(world.respondents()["age"]).mean(),
            "frame": men.groupby("age")["n"].sum() / frame.groupby("age")["n"].sum(),
        }
    )


def _shares_of_everybody() -> pd.Series:
    people, frame = world.respondents(), world.census()
    asked = people[people["male"] > 0].groupby("age").size() / len(people)
    return asked - frame[frame["male"] > 0].groupby("age")["n"].sum() / frame["n"].sum()


men_too_many = task(
    "3.1",
    Table(keys=("age",), value="gap"),
    answer=lambda: _men_by_age()["survey"] - _men_by_age()["frame"],
    right="18.3 points too few men among the youngest and 11.7 too many among the oldest. The "
    "margins alone, 43.0% men compared with 48.5%, would not have told you.",
    hint="In each age band: the share of respondents who are men, minus the people in the cells of "
    "men (the sum of `n`) divided by the people in all cells of that band.",
    mistakes=[
        PER_CENT,
        (
            "The sizes are right and all signs are reversed. Either you subtracted the "
            "survey from the frame, or you counted women: men are the rows in which `male` is "
            "+0.5.",
            lambda right: -right,
        ),
        (
            "You counted cells of the frame. Half of all cells are men's, whatever the country "
            "looks like: sum the people in them, `n`.",
            lambda: _men_by_age()["survey"] - 0.5,
        ),
        (
            "You took the share of men of an age among all people. Divide by the people of that "
            "age band, in the survey and in the frame.",
            _shares_of_everybody,
        ),
        (
            "For the survey you took the mean of `male`. Coded +0.5 and -0.5, its mean is the "
            "share of men minus one half: add it, or count the rows of men.",
            lambda: _men_by_age()["survey"] - 0.5 - _men_by_age()["frame"],
        ),
        (
            "These are the survey's shares of men. Subtract the frame's share in the same age "
            "band.",
            lambda: _men_by_age()["survey"],
        ),
    ],
)


@cache
def _faulty() -> dict[int, str]:
    """The codes in order beside the abbreviations in order, which is another order."""
    return dict(zip(sorted(FIPS_STATES), sorted(FIPS_STATES.values()), strict=True))


@cache
def _mislabelled() -> pd.DataFrame:
    return clean_cces(world.raw_survey(), state_codes=_faulty())


def _wrong_codes() -> list[int]:
    return [code for code, label in _faulty().items() if label != FIPS_STATES[code]]


held_by_label = task(
    "3.2",
    Labels(keys=("label",), value="state"),
    answer=lambda: pd.Series({_faulty()[code]: FIPS_STATES[code] for code in _wrong_codes()}),
    right="26 of 51 labels are wrong, and neither of the two checks notices: every code has a "
    "label and every label has people. Sorting two columns separately is enough to pair them "
    "wrongly.",
    hint="Go through the codes: where the two lookups differ, `faulty` has the label and "
    "`FIPS_STATES` the state whose people really carry it.",
    mistakes=[
        (
            "You read the table the other way round: this says under which label a state's "
            "people ended up. The task asks whose people carry a label. For pairs the two are the "
            "same, but not for Iowa.",
            lambda: pd.Series({FIPS_STATES[code]: _faulty()[code] for code in _wrong_codes()}),
        ),
        (
            "You listed all 51 labels. Hand in those that are wrong: where label and state differ.",
            lambda: pd.Series({_faulty()[code]: state for code, state in FIPS_STATES.items()}),
        ),
        (
            "You gave the numeric codes. Look them up in `FIPS_STATES`, to see whose people they "
            "are.",
            lambda: pd.Series({_faulty()[code]: code for code in _wrong_codes()}),
        ),
        (
            "DC or DE is missing. `clean_cces` drops everyone labelled DC, and with this lookup "
            "those are the people of Delaware. Compare the lookups, or the raw codes.",
            lambda right: right.drop(["DC", "DE"]),
        ),
    ],
)


def _sizes(people: pd.DataFrame) -> pd.DataFrame:
    """Respondents and adult citizens of each state."""
    counts = people["state"].value_counts()
    citizens = world.census().groupby("state")["n"].sum()
    return pd.DataFrame({"asked": counts, "people": citizens.reindex(counts.index)})


def _in_another_region(people: pd.DataFrame) -> pd.Series:
    """Whether a respondent's recorded region is not that of the label."""
    recorded = world.raw_survey().set_index("caseid")["region"].map(_REGIONS)
    return people["state"].map(_by_state()["region"]) != people["caseid"].map(recorded)


def _by_state() -> pd.DataFrame:
    return world.states().set_index("state")


def _checks(people: pd.DataFrame) -> pd.Series:
    support = people.groupby("state")["abortion"].mean()
    sizes = _sizes(people).apply(np.log)
    return pd.Series(
        {
            "vote": support.corr(_by_state()["repvote"].reindex(support.index)),
            "size": sizes["asked"].corr(sizes["people"]),
            "region": _in_another_region(people).mean(),
        }
    )


def _vote_of_persons(right: pd.Series) -> pd.Series:
    people = _mislabelled()
    vote = people["state"].map(_by_state()["repvote"])
    return world.instead(right, vote=people["abortion"].corr(vote))


def _sizes_without_logarithms(right: pd.Series) -> pd.Series:
    sizes = _sizes(_mislabelled())
    return world.instead(right, size=sizes["asked"].corr(sizes["people"]))


def _states_in_another_region(right: pd.Series) -> pd.Series:
    apart = _in_another_region(_mislabelled()).groupby(_mislabelled()["state"]).any()
    return world.instead(right, region=apart.mean())


checks_of_labels = task(
    "3.3",
    Table(keys=("check",), value="value", within=2e-3),
    answer=lambda: _checks(_mislabelled()),
    right="+.58 looks like a finding: with half of the labels wrong, Republican states still "
    "support the policy more. The correlation of sizes, .99 with right labels, has fallen to .37, "
    "and 31% of people live in a different region from their label.",
    hint="Take one check at a time, from the respondents under the faulty labels; a state counts "
    "once in a correlation, and a person once in a share.",
    mistakes=[
        (
            "These are the checks of the right labels. Translate the codes with `faulty`: "
            "`clean_cces(raw, state_codes=faulty)`.",
            lambda: _checks(world.respondents()),
        ),
        (
            "For the vote you correlated one row per respondent. A person's answer is 0 or 1, so "
            "that number is small even with right labels: average within each state first.",
            _vote_of_persons,
        ),
        (
            "For the sizes you left out the logarithms. Without them a handful of large states "
            "decides the correlation.",
            _sizes_without_logarithms,
        ),
        (
            "For the region you gave the share of people who agree. The task asks for the share "
            "whose recorded region differs from the label's.",
            lambda right: world.instead(right, region=1 - right["region"]),
        ),
        (
            "For the region you counted states in which somebody disagrees. The task asks for the "
            "share of people.",
            _states_in_another_region,
        ),
    ],
)


_SURVEYS_LEVEL = {
    "race": {"Asian": "Other", "Another": "Other"},
    "age": {
        "18 to 24": "18-29",
        "25 to 29": "18-29",
        "30 to 39": "30-39",
        "40 to 49": "40-49",
        "50 to 59": "50-59",
        "60 to 69": "60-69",
        "70 and over": "70+",
    },
    "educ": {
        "No diploma": "No HS",
        "High school": "HS",
        "Some college": "Some college",
        "2-year degree": "Some college",
        "4-year degree": "4-Year College",
        "Postgraduate": "Post-grad",
    },
}


def office_table() -> pd.DataFrame:
    """Give the frame of New England as a statistical office might, with levels of its own.

    It is made from the course's frame. How it divides 18-29 years, some college and the other
    ethnicities, and the people of 15 to 17, are invented.
    """
    return _office_table().copy()


@cache
def _office_table() -> pd.DataFrame:
    frame = world.census().rename(columns={"n": "persons", "edu": "educ", "eth": "race"})
    table = frame[frame["state"].isin(NEW_ENGLAND)].replace({"state": NEW_ENGLAND})
    table["sex"] = table["male"].map({0.5: "men", -0.5: "women"})
    minors = table[(table["age"] == "18-29") & (table["educ"] == "No HS")]
    table = pd.concat([table, minors.assign(age="15 to 17")])
    table = _split(table, "age", "18-29", ("18 to 24", "25 to 29"), part=0.6)
    table = _split(table, "educ", "Some college", ("Some college", "2-year degree"), part=0.7)
    table = _split(table, "race", "Other", ("Asian", "Another"), part=0.5)
    for column in ["age", "educ"]:
        spelled = {level: name for name, level in _SURVEYS_LEVEL[column].items()}
        table[column] = table[column].replace(
            {level: spelled[level] for level in spelled if level not in ("18-29", "Some college")}
        )
    columns = ["state", "race", "sex", "age", "educ", "persons"]
    return table[columns].sort_values(columns[:-1], ignore_index=True)


def _split(
    table: pd.DataFrame, column: str, level: str, into: tuple[str, str], part: float
) -> pd.DataFrame:
    """Write the rows of one level as two rows each; the first gets ``part`` of the people."""
    of_level = table[column] == level
    first = table[of_level].assign(**{column: into[0]})
    first["persons"] = (part * first["persons"]).round().astype(int)
    second = table[of_level].assign(**{column: into[1]})
    second["persons"] -= first["persons"]
    return pd.concat([table[~of_level], first, second])


def _translated(**changed: dict[str, object]) -> pd.DataFrame:
    """Bring the office's table into the survey's levels, some of them on several rows."""
    table = _office_table()
    levels = {column: known | changed.get(column, {}) for column, known in _SURVEYS_LEVEL.items()}
    return pd.DataFrame(
        {
            "state": table["state"].map({name: label for label, name in NEW_ENGLAND.items()}),
            "eth": table["race"].replace(levels["race"]),
            "male": table["sex"].map({"men": 0.5, "women": -0.5}),
            "age": table["age"].map(levels["age"]),
            "edu": table["educ"].map(levels["educ"]),
            "n": table["persons"],
        }
    ).dropna()


def _counted(cells: pd.DataFrame) -> pd.Series:
    return cells.groupby(CELL)["n"].sum()


repaired_frame = task(
    "3.4",
    Table(keys=tuple(CELL), value="people", within=0.5),
    answer=lambda: _counted(_translated()),
    right="1,440 cells and 10,958,917 people, in the survey's levels. People who are lost here are "
    "lost from every estimate, and no model complains.",
    hint="Map each column to the survey's levels, leave out the minors, group by the five columns "
    "and sum the people.",
    mistakes=[
        (
            "Men and women are swapped: `male` is +0.5 for men and -0.5 for women.",
            lambda: _counted(_translated().assign(male=lambda cells: -cells["male"])),
        ),
        (
            "Where several rows of the office make one cell, you kept one of them. Sum them: "
            "people aged 18 to 24 and 25 to 29 are all in `18-29`.",
            lambda: _translated().groupby(CELL)["n"].first(),
        ),
        (
            "You coded women 0 and men 1. In the survey `male` is -0.5 and +0.5, so no cell of "
            "this frame would match its respondents.",
            lambda: _counted(_translated().assign(male=lambda cells: cells["male"] + 0.5)),
        ),
        (
            "You counted people aged 15 to 17 among those aged 18 to 29. The survey asked adults, "
            "and the frame should contain the same people.",
            lambda: _counted(_translated(age={"15 to 17": "18-29"})),
        ),
        (
            "You put the 2-year degrees with the 4-year college. The survey has them in "
            "`Some college` (codes 3 and 4 of `educ`).",
            lambda: _counted(_translated(educ={"2-year degree": "4-Year College"})),
        ),
        (
            "People with a 2-year degree are lost: a level without a translation became missing, "
            "and `groupby` drops missing keys in silence. Compare the total before and after.",
            lambda: _counted(_translated(educ={"2-year degree": np.nan})),
        ),
        (
            "The cells without people are missing. They add nothing to an estimate, but keep "
            "them: if a frame always lists all of its cells, a join that loses some is noticed.",
            lambda right: right[right > 0],
        ),
    ],
)


def _support(weight: pd.Series) -> float:
    return hajek_mean(world.respondents()["abortion"], weight)[0]


@cache
def _raked() -> pd.Series:
    return rake(world.respondents(), world.margins(world.census()))


@cache
def _raked_from_weights() -> pd.Series:
    people = world.respondents()
    return rake(people, world.margins(world.census()), base_weight=people["commonweight"])


support_raked_from_weights = task(
    "3.5",
    Number(),
    answer=lambda: _support(_raked_from_weights()),
    right="46.0%. All five margins are the frame's now, and the estimate stays near the 46.4% of "
    "the survey's own weights and not near the 43.9% that raking gives without them.",
    hint="`rake` takes the weights to start from as `base_weight`.",
    mistakes=[
        PER_CENT,
        (
            "You raked from equal weights. Start from the survey's own: `base_weight=` takes them.",
            lambda: _support(_raked()),
        ),
        (
            "These are the survey's weights as they come. Their margins are not quite the "
            "frame's: rake, with these weights as the start.",
            lambda: _support(world.respondents()["commonweight"]),
        ),
        (
            "You multiplied the survey's weights by raked ones. Each corrects composition by "
            "itself, so the product corrects twice; let `rake` start from the survey's weights "
            "instead.",
            lambda: _support(world.respondents()["commonweight"] * _raked()),
        ),
        (
            "This is the plain mean of the respondents: the weights were computed, and not used.",
            lambda: world.truth(),
        ),
    ],
)


@cache
def _inside_cells() -> pd.Series:
    """Support with equal and with the survey's weights, both with the frame's composition."""
    by = [column for column in CELL if column != "state"]
    people = world.respondents()
    weighted = people.assign(supporting=people["abortion"] * people["commonweight"])
    cells = weighted.groupby(by).agg(
        equal=("abortion", "mean"), supporting=("supporting", "sum"), all=("commonweight", "sum")
    )
    cells["weighted"] = cells["supporting"] / cells["all"]
    n = world.census().groupby(by)["n"].sum()
    return cells[["equal", "weighted"]].mul(n, axis="index").sum() / n.sum()


def _with_dc() -> float:
    """Support by the survey's weights, the residents of D.C. included."""
    answered = world.raw_survey().dropna(subset="CC18_321d")
    return np.average(answered["CC18_321d"] == 1, weights=answered["commonweight"])


def _why_weights_differ() -> str:
    people = world.respondents()
    weight = people["commonweight"]
    gap = _support(weight) - _support(_raked())
    inside = _inside_cells()
    true_sentences = {
        "A": abs(_support(weight.clip(upper=3)) - _support(_raked())) < gap / 2,
        "B": inside["weighted"] - inside["equal"] > gap / 2,
        "C": abs(_with_dc() - _support(weight)) > gap / 2,
        "D": abs(support_raked_from_weights.answer() - _support(_raked())) < gap / 2,
    }
    [letter] = [letter for letter, holds in true_sentences.items() if holds]
    return letter


why_weights_differ = task(
    "3.6",
    Choice(("A", "B", "C", "D")),
    answer=_why_weights_differ,
    right="Within cells of equal ethnicity, gender, age and education the respondents with larger "
    "weights still support more, by 2.6 points overall. A frame without politics cannot correct "
    "that, so report it, and do not multiply frame and weights: that corrects composition twice.",
    hint="Each sentence names something that you can change and look at again.",
    mistakes=options(
        A="Cap the weights and look: with none above 3 the estimate is still 46.3%. Large weights "
        "cost precision; here they do not move the mean.",
        C="Only 127 respondents who answered live in D.C. With them the weighted share is 46.3% "
        "instead of 46.4%. The target differs, and the number hardly does.",
        D="Task 3.5 has set the five margins right and kept the rest of the weights: 46.0%. If the "
        "margins were the reason, the estimate would have fallen to 43.9%.",
    ),
)
