"""The template runs on other surveys, with other names and answers, or says what to change."""

import ast
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit

from mrp_helpers import LEVELS, clean_cces, hajek_mean, load_cces, load_poststrat_frame, rake
from tools.notebooks import ROOT

CELLS = [
    cell
    for cell in nbformat.read(ROOT / "appendices" / "template.ipynb", as_version=4).cells
    if cell.cell_type == "code"
]
CHANGED = [cell for cell in CELLS if "change" in cell.metadata.get("tags", [])]
FIRST_FIT = next(n for n, cell in enumerate(CELLS) if "fit_or_load(" in cell.source)

# An Italian town: yes or no, zones that are no states, base weights of which some are zero.
ITALIAN = """
survey, frame, predictors = tables["survey"], tables["frame"], tables["income"]
columns = {"zona": "dove", "genere": "sesso", "fascia": "gruppo"}
codes = {"genere": {"f": "donna", "m": "uomo", "altro": None}}
answer, answers = "risposta", {"a favore": 1, "contrario": 0, "non so": None}
people, area = "abitanti", "zona"
weight, keep = "peso", ["scheda"]
slopes, groups, family = ["reddito"], ["zona", "genere", "fascia"], None
group_sd, intercept_sd = 0.5, 1.5
fit_name, sampler = "biblioteche", {"draws": 1500, "nuts": {"target_accept": 0.995}}
asked, report_by, outside, save_to = {}, ["fascia"], {}, None
about = {"Question": "Vuole una biblioteca aperta la domenica?"}
"""
# German districts: three levels in an order; the survey knows a gender that the frame does not.
GERMAN = """
survey, frame, predictors = tables["survey"], tables["frame"], tables["rent"]
columns = {"Bezirk": "wohnort", "Geschlecht": "geschl", "Alter": "altersgruppe"}
codes = {"Geschlecht": {"w": "Frauen", "m": "Männer", "d": None}}
answer = "zufriedenheit"
answers = {"schlecht": "unzufrieden", "geht so": "teils", "gut": "zufrieden"}
people, area = "Einwohner", "Bezirk"
weight, keep = None, []
slopes, groups, family = ["Miete"], ["Bezirk", "Geschlecht", "Alter"], None
group_sd, intercept_sd = 0.5, 1.5
fit_name, sampler = "bezirke", {"draws": 1500, "nuts": {"target_accept": 0.99}}
asked = {"scores": {"unzufrieden": 0, "teils": 0, "zufrieden": 1}}
report_by, outside, save_to = ["Alter"], {"Bürgeramt": (0.3, 0.03)}, None
about = {"Question": "Wie zufrieden sind Sie mit Ihrem Bezirk?"}
"""
# French regions: a number, of which the share below a line is asked for.
FRENCH = """
survey, frame, predictors = tables["survey"], tables["frame"], tables["regions"]
columns = {"région": "REG", "diplôme": "DIP"}
codes = {"diplôme": {1: "aucun", 2: "bac", 3: "supérieur"}}
answer, answers = "loyer", float
people, area = "ménages", "région"
weight, keep = None, ["id"]
slopes, groups, family = [], ["région", "diplôme", "région:diplôme"], None
group_sd, intercept_sd = 0.5, 1.5
fit_name, sampler = "loyers", {"draws": 4000, "tune": 2000, "nuts": {"target_accept": 0.99}}
asked, report_by, outside, save_to = {"below": 600}, ["diplôme"], {}, None
about = {"Question": "Combien payez-vous de loyer par mois ?"}
"""


def town():
    """Make up a town, its truth, and 1,500 people of whom the young answered more readily."""
    rng = np.random.default_rng(7)
    zones = ["centro", "collina", "costa", "montagna", "pianura", "isole"]
    words = {"genere": ["donna", "uomo"], "fascia": ["giovani", "adulti", "anziani"]}
    frame = cells_of({"zona": zones, **words})
    frame["abitanti"] = rng.integers(300, 3000, len(frame))
    income = pd.DataFrame({"zona": zones, "reddito": np.linspace(-1, 1, len(zones))})
    slope = frame["zona"].map(income.set_index("zona")["reddito"])
    old = frame["fascia"].map({"giovani": 0.8, "adulti": 0.0, "anziani": -0.8})
    frame["truth"] = expit(0.2 + 0.4 * slope + old)
    ready = frame["abitanti"] * frame["fascia"].map({"giovani": 4, "adulti": 2, "anziani": 1})
    drawn = frame.loc[rng.choice(len(frame), 1500, p=ready / ready.sum())].reset_index(drop=True)
    survey = pd.DataFrame(
        {
            "scheda": np.arange(1500) + 10_001,
            "peso": rng.choice([0.8, 1.0, 1.4], 1500),
            "dove": drawn["zona"],
            "sesso": drawn["genere"].map({"donna": "f", "uomo": "m"}),
            "gruppo": drawn["fascia"],
            "risposta": np.where(rng.random(1500) < drawn["truth"], "a favore", "contrario"),
        }
    )
    survey.loc[:9, "sesso"] = "altro"
    survey.loc[5:19, "risposta"] = "non so"
    survey.loc[15:29, "peso"] = 0.0
    return {"survey": survey, "frame": frame, "income": income}


def districts():
    """Make up nine districts, where tenants of 60 and more answer most and are content most."""
    rng = np.random.default_rng(11)
    names = [f"Bezirk {letter}" for letter in "ABCDEFGHI"]
    words = {"Geschlecht": ["Frauen", "Männer"], "Alter": ["bis 39", "40-59", "ab 60"]}
    frame = cells_of({"Bezirk": names, **words})
    frame["Einwohner"] = rng.integers(1000, 9000, len(frame))
    rent = pd.DataFrame({"Bezirk": names, "Miete": np.linspace(-1, 1, len(names))})
    lean = 0.5 * frame["Bezirk"].map(rent.set_index("Bezirk")["Miete"])
    lean += frame["Alter"].map({"bis 39": -0.7, "40-59": 0.0, "ab 60": 0.7})
    frame["truth"] = 1 - expit(0.8 - lean)
    ready = frame["Einwohner"] * frame["Alter"].map({"bis 39": 1, "40-59": 2, "ab 60": 4})
    drawn = frame.index[rng.choice(len(frame), 1200, p=ready / ready.sum())]
    latent = lean[drawn].to_numpy() + rng.logistic(size=1200)
    drawn = frame.loc[drawn].reset_index(drop=True)
    survey = pd.DataFrame(
        {
            "wohnort": drawn["Bezirk"],
            "geschl": drawn["Geschlecht"].map({"Frauen": "w", "Männer": "m"}),
            "altersgruppe": drawn["Alter"],
            "zufriedenheit": np.array(["schlecht", "geht so", "gut"])[
                np.searchsorted([-0.8, 0.8], latent)
            ],
        }
    )
    survey.loc[:6, "geschl"] = "d"
    return {"survey": survey, "frame": frame, "rent": rent}


def regions():
    """Make up eight regions and their rents, higher with a degree, whose holders answered more."""
    rng = np.random.default_rng(13)
    names = ["Alsace", "Berry", "Corse", "Île-de-France", "Maine", "Poitou", "Savoie", "Vendée"]
    frame = cells_of({"région": names, "diplôme": ["aucun", "bac", "supérieur"]})
    frame["ménages"] = rng.integers(2000, 20_000, len(frame))
    level = frame["région"].map(dict(zip(names, rng.normal(650, 60, 8), strict=True)))
    level += frame["diplôme"].map({"aucun": -90, "bac": 0, "supérieur": 120})
    ready = frame["ménages"] * frame["diplôme"].map({"aucun": 1, "bac": 2, "supérieur": 4})
    drawn = frame.index[rng.choice(len(frame), 1000, p=ready / ready.sum())]
    rents = level[drawn].to_numpy() + rng.normal(0, 150, 1000)
    frame["truth"] = expit((600 - level) / 150 * 1.702)  # nearly the normal distribution
    drawn = frame.loc[drawn].reset_index(drop=True)
    survey = pd.DataFrame(
        {
            "id": np.arange(1000),
            "REG": drawn["région"],
            "DIP": drawn["diplôme"].map({"aucun": 1, "bac": 2, "supérieur": 3}),
            "loyer": rents.round(),
        }
    )
    return {"survey": survey, "frame": frame, "regions": frame[["région"]].drop_duplicates()}


def cells_of(levels: dict[str, list[str]]) -> pd.DataFrame:
    return pd.MultiIndex.from_product(levels.values(), names=list(levels)).to_frame(index=False)


SURVEYS: dict[str, tuple[Any, str]] = {
    "Italian, yes or no": (town, ITALIAN),
    "German, in an order": (districts, GERMAN),
    "French, a number": (regions, FRENCH),
}


def made_up_draws(model, name, **sampler):
    """Give draws of the right names and sizes, as healthy as numbers from a generator are.

    They have seen no answer, so only what is done with draws can be tested with them.
    """
    inside, rng = model.backend.model, np.random.default_rng(3)
    names = [one.name for one in [*inside.free_RVs, *inside.deterministics]]
    drawn = {}
    for one in names:
        if one == model.family.likelihood.parent or one.endswith("_offset"):
            continue
        dims = inside.named_vars_to_dims.get(one, ())
        values = rng.normal(0, 0.3, (4, 400, *(len(inside.coords[dim]) for dim in dims)))
        if one.endswith("sigma"):
            values = np.abs(values) + 0.1
        if one == "threshold":
            values = np.sort(values, axis=-1)
        coords = {dim: list(inside.coords[dim]) for dim in dims}
        drawn[one] = xr.DataArray(values, dims=("chain", "draw", *dims), coords=coords)
    whole = {"chain": np.arange(4), "draw": np.arange(400)}
    posterior = xr.Dataset(drawn).assign_coords(whole)
    zeros = xr.DataArray(np.zeros((4, 400), dtype=int), dims=("chain", "draw"))
    statistics = xr.Dataset({"diverging": zeros})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": statistics})


def run(tables, settings, cells=CELLS, fit=None):
    """Run the template with other settings, and with another way to fit."""
    names = {"tables": tables}
    for cell in cells:
        exec(compile(settings if cell in CHANGED else cell.source, cell.id, "exec"), names)
        if cell in CHANGED:
            names["display"] = lambda table: None
            names["fit_or_load"] = fit or names["fit_or_load"]
    plt.close("all")
    return names


def test_one_cell_is_to_be_changed_and_says_so():
    (cell,) = CHANGED
    assert cell.id == "settings"
    assert [f"# CHANGE {number}: " in cell.source for number in range(1, 5)] == [True] * 4
    assert not [c.id for c in CELLS if "# CHANGE" in c.source and c is not cell]


def words_in(cells):
    """Collect the pieces of text in the code of some cells."""
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    return {node.value for node in nodes if isinstance(node, ast.Constant)}


def test_only_the_marked_cell_knows_the_example():
    """Column names and levels of the example stand nowhere else, so nothing else needs a change."""
    own = {word for word in words_in(CHANGED) if isinstance(word, str)}
    rest = words_in([cell for cell in CELLS if cell not in CHANGED])
    # "n" is also what aggregate_cells calls its counts.
    assert own & rest == {"n"}


def test_each_check_is_one_cell_with_its_sentence():
    notebook = nbformat.read(ROOT / "appendices" / "template.ipynb", as_version=4).cells
    for before, cell in pairwise(notebook):
        if cell.cell_type == "code" and "\ncompare(" in cell.source:
            assert before.cell_type == "markdown", f"{cell.id} has no sentence before it"


def test_the_outside_source_is_what_chapter_15_computes():
    (cell,) = CHANGED
    names: dict[str, Any] = {}
    exec(CELLS[0].source, names)
    exec(cell.source, names)
    everyone = clean_cces(load_cces(), outcome="ban_after_20_weeks")
    others = everyone[~everyone["caseid"].isin(names["survey"]["caseid"])]
    frame = load_poststrat_frame()
    target = {column: frame.groupby(column)["n"].sum() for column in names["columns"]}
    found = hajek_mean(others["ban_after_20_weeks"], rake(others, target))
    ((source, typed),) = names["outside"].items()
    assert f"{len(others):,}" in source
    assert np.round(found, 3).tolist() == list(typed)
    assert set(LEVELS["edu"]) == set(names["codes"]["edu"].values())


@cache
def report_on(name):
    """Run the whole template on a foreign survey; give its tables, its names, what it printed."""
    survey, settings = SURVEYS[name]
    tables, printed = survey(), StringIO()
    with redirect_stdout(printed):
        names = run(tables, settings, fit=made_up_draws)
    return tables, names, printed.getvalue()


@pytest.mark.parametrize("name", SURVEYS)
def test_a_report_of_a_foreign_survey(name):
    tables, names, printed = report_on(name)
    report, area, column = names["report"], names["area"], names["report_by"][0]
    assert report["Question"] == names["about"]["Question"]
    assert all(column in report["Method"] for column in names["columns"])
    assert f"of {len(tables['survey']):,}; left out: " in report["Respondents"]
    assert "no map: the levels of" in printed
    assert "87% of realised shares (standard error 1.1 points" in report["Areas"]
    assert sorted(names["estimates"][area]) == sorted(tables["frame"][area].unique())
    within = names["tables"][f"{area}-{column}"]
    assert len(within) == tables["frame"].groupby([area, column]).ngroups
    checked = set(names["ledger"]["check"])
    assert {"composition", "respondents per area", "planted truth, areas"} <= checked
    assert {"margins of two columns", "MRP against raking", *names["outside"]} <= checked
    assert names["shifts"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("name", "automatic"),
    [
        ("Italian, yes or no", {"reddito"}),
        ("German, in an order", {"Miete", "threshold"}),
        ("French, a number", {"none"}),
    ],
)
def test_all_priors_are_listed_automatic_ones_included(name, automatic):
    report = report_on(name)[1]["report"]
    said = report["Priors that Bambi set"].split("; ")
    assert {prior.split(" ~ ")[0].strip("`") for prior in said} == automatic
    groups = report_on(name)[1]["groups"]
    assert all(f"`1|{group} ~ Normal(mu: 0.0, sig" in report["Priors set here"] for group in groups)


def test_weights_of_zero_leave_out_and_the_rest_stay_beside_the_answers():
    tables, names, _ = report_on("Italian, yes or no")
    respondents, survey = names["respondents"], tables["survey"]
    assert names["dropped"] == {"sesso is altro": 10, "risposta is non so": 10, "peso is 0": 10}
    assert len(respondents) == 1470
    for column in ("peso", "scheda"):
        kept = survey.loc[respondents.index, column]
        assert respondents[column].to_list() == kept.to_list()
    assert (names["base"] == respondents["peso"]).all()
    assert "raked without peso" in names["without"].index


def test_missing_values_that_were_named_are_counted_in_the_report():
    tables = town()
    bands = tables["survey"]["gruppo"].where(tables["survey"].index >= 12)
    tables["survey"]["gruppo"] = bands.astype("object").fillna("missing")
    words = {"giovani": "giovani", "adulti": "adulti", "anziani": "anziani", "missing": None}
    settings = ITALIAN.replace('"altro": None}', f'"altro": None}}, "fascia": {words}')
    names = run(tables, settings, CELLS[:FIRST_FIT])
    assert names["dropped"]["gruppo is missing"] == 2  # the other ten are left out as "altro"


def test_a_report_is_saved_with_its_checks_and_tables(tmp_path):
    folder = tmp_path / "relazione"
    settings = GERMAN.replace("0.03)}, None", f"0.03)}}, {str(folder)!r}")
    assert settings != GERMAN
    names = run(districts(), settings, fit=made_up_draws)
    saved = {path.name for path in folder.iterdir()}
    assert saved == {"report.md", "checks.csv", *(f"{name}.csv" for name in names["tables"])}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "Wie zufrieden sind Sie" in text
    assert f"**Estimate**: {names['report']['Estimate']}" in text
    assert pd.read_csv(folder / "checks.csv")["check"].tolist() == names["ledger"]["check"].tolist()


def test_an_area_without_respondents_says_so():
    tables = town()
    survey = tables["survey"]
    tables["survey"] = survey[survey["dove"] != "isole"]
    names = run(tables, ITALIAN, fit=made_up_draws)
    found = names["estimates"].set_index("zona")["respondents"]
    assert found["isole"] == 0
    assert found.sum() == len(names["respondents"])


def test_an_unhealthy_sampler_stops_with_settings_that_were_not_tried():
    def diverging(model, name, **sampler):
        draws = made_up_draws(model, name)
        draws["sample_stats"]["diverging"].values[0, 0] = 1
        return draws

    with pytest.raises(RuntimeError, match="the sampler was not healthy") as refusal:
        run(town(), ITALIAN, fit=diverging)
    said = str(refusal.value)
    assert "sampler = {'draws': 3000, 'nuts': {'target_accept': 0.9975}}" in said
    assert "the made-up answers (yours have not been fitted yet)" in said
    with pytest.raises(RuntimeError, match="leave out one group or slope after the other"):
        run(town(), ITALIAN.replace('"draws": 1500', '"draws": 4000'), fit=diverging)


@pytest.mark.parametrize("name", SURVEYS)
def test_made_up_answers_are_fitted_with_the_priors_that_they_are_drawn_from(name):
    """Priors that follow the answers would be wider or narrower for answers made up."""
    names = report_on(name)[1]
    priors = [str(names[model]).split("Priors:")[1] for model in ("model", "fake_model")]
    assert priors[0] == priors[1]


def test_slopes_of_numbers_have_priors_in_units_of_the_answers():
    tables = regions()
    names = sorted(tables["frame"]["région"].unique())
    tables["regions"] = pd.DataFrame({"région": names, "prix": np.linspace(1, 3, len(names))})
    settings = FRENCH.replace("slopes, groups, family = []", 'slopes, groups, family = ["prix"]')
    report = run(tables, settings, fit=made_up_draws)["report"]
    assert "`prix ~ Normal" in report["Priors set here"]


def test_a_level_of_the_survey_that_the_frame_lacks_stops_the_template():
    with pytest.raises(ValueError, match="'d' in column 'geschl' is not among the codes") as said:
        run(districts(), GERMAN.replace(', "d": None', ""), CELLS[:FIRST_FIT])
    assert "send it to None to leave these respondents out" in str(said.value)


@pytest.mark.parametrize(
    ("survey", "old", "new"),
    [
        (districts, 'Alter"], None', 'Alter"], "categorical"'),
        (districts, '"teils": 0, "zufrieden": 1', '"teils": 1, "zufrieden": 2'),
        (regions, '{"below": 600}', '{"quantiles": 0.5}'),
        (regions, '{"below": 600}', "{}"),
    ],
    ids=["levels without an order", "a mean score", "a median", "a mean"],
)
def test_other_questions_to_the_same_survey(survey, old, new):
    settings = {districts: GERMAN, regions: FRENCH}[survey]
    assert old in settings
    names = run(survey(), settings.replace(old, new), fit=made_up_draws)
    low, middle, high = names["overall"][["lower", "estimate", "upper"]].to_numpy()[0]
    assert low < middle < high
    assert "Estimate" in names["report"]


@pytest.mark.proof
@pytest.mark.parametrize(("survey", "settings"), SURVEYS.values(), ids=SURVEYS)
def test_it_finds_the_truth_of_a_foreign_survey(survey, settings):
    tables = survey()
    names = run(tables, settings)
    frame, area, people = tables["frame"], names["area"], names["people"]
    truth = np.average(frame["truth"], weights=frame[people])
    overall = names["overall"].iloc[0]
    assert abs(names["beside"]["unadjusted"][0] - truth) > 0.04, "the sample is not biased"
    assert abs(overall["estimate"] - truth) < 3 * overall["sd"] < 0.08
    of_areas = frame["truth"].mul(frame[people]).groupby(frame[area]).sum()
    of_areas /= frame.groupby(area)[people].sum()
    estimates = names["estimates"].set_index(area)
    assert (abs(estimates["estimate"] - of_areas) < 3.5 * estimates["sd"]).all()


@pytest.mark.proof
def test_a_zone_that_nobody_is_from_is_drawn():
    tables = town()
    survey = tables["survey"]
    tables["survey"] = survey[survey["dove"] != "isole"]
    names = run(tables, ITALIAN)
    assert names["unseen"] == {"zona": ["isole"]}
    sd = names["estimates"].set_index("zona")["sd"]
    assert sd.idxmax() == "isole"


def in_settings(old, new):
    assert old in ITALIAN
    return {}, ITALIAN.replace(old, new)


def in_table(name, change):
    return {name: change}, ITALIAN


TO_CHANGE = {
    "a column misspelt": (in_settings('"dove"', '"dovve"'), "no column 'dovve'; it has 'dove'"),
    "a column of the frame misspelt": (
        in_settings('"fascia": "gruppo"}', '"fasce": "gruppo"}'),
        r"report_by has \['fascia'\], but your tables have",
    ),
    "a code forgotten": (in_settings(', "altro": None', ""), "'altro' in column 'sesso' is not am"),
    "no codes at all": (in_settings('"f": "donna", "m"', '"x": "donna", "y"'), "'m', 'f' in"),
    "a level misspelt": (in_settings('"f": "donna"', '"f": "donne"'), "codes send 'f' to 'donne'"),
    "an answer forgotten": (in_settings(', "non so": None', ""), "'non so' in column 'risposta'"),
    "answers per cent": (in_settings('"a favore": 1', '"a favore": 100'), "make each of them 1, 0"),
    "the counts misspelt": (in_settings('"abitanti"', '"abitante"'), "abitante"),
    "the area misspelt": (in_settings('"abitanti", "zona"', '"abitanti", "zone"'), "area has"),
    "the weights misspelt": (in_settings('"peso"', '"pesi"'), "survey has no column 'pesi'"),
    "a group that only the survey has": (
        in_settings('["zona", "genere"', '["zona", "scheda", "genere"'),
        r"groups has \['scheda'\], .* the survey alone has \['scheda'\], and a frame cannot",
    ),
    "a slope of words": (in_settings('["reddito"]', '["genere"]'), "'genere' is not a number"),
    "a share of yes or no": (
        in_settings("asked, report", "asked, report_by = {'below': 1}, []; a, r"),
        "write {}",
    ),
    "a model of another kind": (in_settings("None\ngroup", "'cumulative'\ngroup"), "family = None"),
    "levels without a question": (
        in_settings('{"a favore": 1, "contrario": 0', '{"a favore": "si", "contrario": "no"'),
        "say in asked which share .* such as asked = ",
    ),
    "a negative weight": (
        in_table("survey", lambda t: t.assign(peso=t["peso"].where(t.index != 50, -1))),
        "column 'peso' has missing or negative weights",
    ),
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
def test_it_says_in_a_sentence_what_to_change(where, message):
    changes, settings = where
    tables = town()
    for name, change in changes.items():
        tables[name] = change(tables[name])
    with pytest.raises((KeyError, ValueError), match=message) as refusal:
        run(tables, settings, CELLS[:FIRST_FIT])
    assert len(str(refusal.value).splitlines()) == 1
