"""The template runs on another survey, with other names and levels, or says what to change."""

import ast

import nbformat
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tools.notebooks import ROOT

CELLS = [
    cell
    for cell in nbformat.read(ROOT / "appendices" / "template.ipynb", as_version=4).cells
    if cell.cell_type == "code"
]
CHANGED = [cell for cell in CELLS if "change" in cell.metadata.get("tags", [])]

ZONES = ["centro", "collina", "costa", "montagna", "pianura", "isole"]
WORDS = {"genere": ["donna", "uomo"], "fascia": ["giovani", "adulti", "anziani"]}
SETTINGS = """
predictors = income
columns = {"zona": "dove", "genere": "sesso", "fascia": "gruppo"}
codes = {"genere": {"f": "donna", "m": "uomo", "altro": None}}
answer, answers = "risposta", {"a favore": 1, "contrario": 0, "non so": None}
people, area = "abitanti", "zona"
weight, report_by = None, ["fascia"]
slopes, groups = ["reddito"], ["zona", "genere", "fascia"]
group_sd, intercept_sd = 0.5, 1.5
fit_name = "biblioteche"
sampler = {"draws": 1500, "nuts": {"target_accept": 0.995}}
about = {"Question": "Vuole una biblioteca aperta la domenica?"}
"""


def town():
    """Make up a town, its truth, and 1,500 people of whom the young answered more readily."""
    rng = np.random.default_rng(7)
    frame = pd.MultiIndex.from_product([ZONES, *WORDS.values()], names=["zona", *WORDS])
    frame = frame.to_frame(index=False)
    frame["abitanti"] = rng.integers(300, 3000, len(frame))
    income = pd.DataFrame({"zona": ZONES, "reddito": np.linspace(-1, 1, len(ZONES))})
    slope = frame["zona"].map(income.set_index("zona")["reddito"])
    old = frame["fascia"].map({"giovani": 0.8, "adulti": 0.0, "anziani": -0.8})
    frame["truth"] = expit(0.2 + 0.4 * slope + old)
    ready = frame["abitanti"] * frame["fascia"].map({"giovani": 4, "adulti": 2, "anziani": 1})
    drawn = frame.loc[rng.choice(len(frame), 1500, p=ready / ready.sum())].reset_index(drop=True)
    survey = pd.DataFrame(
        {
            "dove": drawn["zona"],
            "sesso": drawn["genere"].map({"donna": "f", "uomo": "m"}),
            "gruppo": drawn["fascia"],
            "risposta": np.where(rng.random(1500) < drawn["truth"], "a favore", "contrario"),
        }
    )
    survey.loc[:9, "sesso"] = "altro"
    survey.loc[5:19, "risposta"] = "non so"
    return survey, frame, income


@pytest.fixture
def tables():
    survey, frame, income = town()
    return {"survey": survey, "frame": frame, "income": income}


def run(tables, settings=SETTINGS, cells=CELLS):
    """Run the template with other contents of the cells that one changes."""
    names = dict(tables)
    for cell in cells:
        if cell in CHANGED:
            exec(settings, names)
        else:
            exec(compile(cell.source, cell.id, "exec"), names)
    return names


def test_four_cells_are_marked_and_say_so():
    assert [cell.id for cell in CHANGED] == [f"change-{number}" for number in range(1, 5)]
    assert all(cell.source.startswith("# CHANGE: ") for cell in CHANGED)
    assert not [cell.id for cell in CELLS if "CHANGE" in cell.source and cell not in CHANGED]


def words_in(cells):
    """Collect the pieces of text in the code of some cells."""
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    return {node.value for node in nodes if isinstance(node, ast.Constant)}


def test_only_marked_cells_know_the_example():
    """Column names and levels of the example stand nowhere else, so nothing else needs a change."""
    own = {word for word in words_in(CHANGED) if isinstance(word, str)}
    rest = words_in([cell for cell in CELLS if cell not in CHANGED])
    # "n" is also what aggregate_cells calls its counts.
    assert own & rest == {"n"}


@pytest.mark.proof
def test_it_works_for_a_foreign_survey(tables):
    names = run(tables)
    kept = names["respondents"].attrs["dropped"]
    assert kept == {"sesso is altro": 10, "risposta is non so": 10}
    frame = tables["frame"]
    truth = np.average(frame["truth"], weights=frame["abitanti"])
    overall = names["overall"].iloc[0]
    assert abs(names["respondents"]["yes"].mean() - truth) > 0.05, "the sample does not lean"
    assert abs(overall["estimate"] - truth) < 3 * overall["sd"] < 0.06
    of_zones = frame["truth"].mul(frame["abitanti"]).groupby(frame["zona"]).sum()
    of_zones /= frame.groupby("zona")["abitanti"].sum()
    estimates = names["estimates"].set_index("zona")
    assert (abs(estimates["estimate"] - of_zones) < 3.5 * estimates["sd"]).all()
    assert names["report"]["Question"].startswith("Vuole")
    assert "zona, genere, fascia" in names["report"]["Method"]


@pytest.mark.proof
def test_a_zone_that_nobody_is_from_is_drawn(tables):
    survey = tables["survey"]
    tables["survey"] = survey[survey["dove"] != "isole"]
    names = run(tables)
    assert names["respondents"].attrs["unseen"] == {"zona": ["isole"]}
    sd = names["estimates"].set_index("zona")["sd"]
    assert sd.idxmax() == "isole"


def in_settings(old, new):
    assert old in SETTINGS
    return {}, SETTINGS.replace(old, new)


def in_table(name, change):
    return {name: change}, SETTINGS


TO_CHANGE = {
    "a column misspelt": (in_settings('"dove"', '"dovve"'), "no column 'dovve'; it has 'dove'"),
    "a column of the frame misspelt": (
        in_settings('"zona": "dove"', '"zone": "dove"'),
        "frame has no column 'zone'; it has 'zona' - rename it",
    ),
    "a code forgotten": (in_settings(', "altro": None', ""), "'altro' in column 'sesso' is not am"),
    "no codes at all": (in_settings('"f": "donna", "m"', '"x": "donna", "y"'), "'m', 'f' in"),
    "a level misspelt": (in_settings('"f": "donna"', '"f": "donne"'), "codes send 'f' to 'donne'"),
    "an answer forgotten": (in_settings(', "non so": None', ""), "'non so' in column 'risposta'"),
    "answers per cent": (in_settings('"a favore": 1', '"a favore": 100'), "make each of them 1, 0"),
    "the counts misspelt": (in_settings('"abitanti"', '"abitante"'), "abitante"),
    "a band missing": (
        in_table("survey", lambda t: t.assign(gruppo=t["gruppo"].where(t.index != 4))),
        "column 'gruppo' is missing for 1 respondent",
    ),
    "a level that the frame lacks": (
        in_table("frame", lambda t: t[t["fascia"] != "anziani"]),
        "'anziani' in column 'gruppo' is not among the codes for the frame's fascia",
    ),
    "predictors without a zone": (
        in_table("income", lambda t: t[t["zona"] != "costa"]),
        r"predictors have no row for zona \['costa'\]; add one for each",
    ),
    "predictors twice": (
        in_table("income", lambda t: pd.concat([t, t])),
        "predictors have more than one row for zona .*; keep one",
    ),
}


@pytest.mark.parametrize(("where", "message"), TO_CHANGE.values(), ids=TO_CHANGE)
def test_it_says_in_a_sentence_what_to_change(tables, where, message):
    changes, settings = where
    for name, change in changes.items():
        tables[name] = change(tables[name])
    fit = next(n for n, cell in enumerate(CELLS) if "fit_or_load(" in cell.source)
    with pytest.raises((KeyError, ValueError), match=message) as refusal:
        run(tables, settings, CELLS[:fit])
    assert len(str(refusal.value).splitlines()) == 1
