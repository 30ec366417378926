"""The study of structured priors: complete, true to the sampler, and given again by the script."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.results import load_result
from mrp_course.tasks import _world as world
from mrp_course.tasks.structured_priors import walking_model
from mrp_helpers import clean_cces, load_cces, poststratify
from research import structured
from research.laplace import walk_basis, walks_over_ages
from research.structured import AGES, CHECKED, FOLDER, SAMPLES

RERUN = "run 'make simulation-study'"


@pytest.fixture(scope="module")
def results():
    return {study: pd.read_csv(FOLDER / f"structured_{study}.csv") for study in SAMPLES}


def test_results_are_complete(results):
    # Six ages and thirty pairs and the thinned ones; fifty states under four models; six questions
    # and six ages; six ages where one is missing.
    thinned = sum(map(len, AGES.values()))
    in_each = {"ages": 2 * (36 + thinned), "states": 200, "questions": 72}
    in_each["sampler"] = 2 * 6 * len(CHECKED)
    for study, rows in results.items():
        assert sorted(rows["sample"].unique()) == list(range(SAMPLES[study])), RERUN
        assert rows.drop(columns="edu", errors="ignore").notna().all(axis=None)
        assert rows.groupby("sample").size().unique() == [in_each[study]]


def test_results_are_possible(results):
    for rows in results.values():
        assert ((rows["lower"] <= rows["estimate"]) & (rows["estimate"] <= rows["upper"])).all()
    truth = clean_cces(load_cces()).groupby("age")["abortion"].mean()
    by_age = results["ages"][results["ages"]["edu"].isna()]
    assert np.allclose(by_age["truth"], by_age["age"].map(truth), atol=6e-5)
    thinned = by_age[by_age["thinned"] != "none"]
    assert sorted(thinned["asked"].unique()) == sorted(
        {kept for levels in AGES.values() for kept in levels}
    )


def test_every_question_has_the_people_and_the_truth_of_its_own_answers(results):
    rows = results["questions"]
    for question, truth in rows.groupby("question")[["age", "truth"]]:
        asked = clean_cces(load_cces(), outcome=question).groupby("age")[question].mean()
        # The laboratory's people, of whom all but a few answered the other questions too.
        assert (truth["truth"] - truth["age"].map(asked)).abs().max() < 1e-3


def test_a_missing_age_is_as_the_sampler_finds_it(results):
    missing = results["sampler"].query("age == thinned")
    quick = results["questions"].query("question == 'abortion'")
    both = missing.merge(quick, on=["sample", "age", "prior"], suffixes=("", "_quick"))
    assert len(both) == 2 * len(CHECKED)
    assert (both["estimate"] - both["estimate_quick"]).abs().max() < 0.005
    ratio = (both["upper_quick"] - both["lower_quick"]) / (both["upper"] - both["lower"])
    # The tail of the ages' standard deviation is rare in 1,000 draws, and decides the width.
    assert ratio.between(0.8, 1.25).all()


def test_the_walk_is_a_path_of_steps_with_mean_zero():
    basis = walk_basis(6)
    steps = np.random.default_rng(1).standard_normal(6)
    assert np.allclose(basis @ steps, np.cumsum(steps) - np.cumsum(steps).mean())


def test_each_education_has_a_walk_of_its_own_over_the_ages():
    levels = sorted(f"{edu}:{age}" for edu in ("HS", "No HS") for age in ("18-29", "30-39", "70+"))
    basis = walks_over_ages(levels).toarray()
    assert np.allclose(basis[:3, :3], walk_basis(3)) and np.allclose(basis[3:, 3:], walk_basis(3))
    assert not basis[:3, 3:].any() and not basis[3:, :3].any()


@pytest.mark.proof
@pytest.mark.parametrize(
    ("model", "stored"), [("independent", "hierarchical"), ("walk", "structured-walk")]
)
def test_the_shortcut_agrees_with_the_sampler(model, stored, by_sampler):
    p = structured.draws_of_cells(model, world.sample(), np.random.default_rng(1))
    for by in (["age"], ["edu", "age"], ["state"]):
        quick, slow = structured.summary(p, world.sample(), by), by_sampler(model, stored, by)
        # Draws differ by chance: of 1,000, the mean is known to a thirtieth of a sd, about 0.15
        # points for a state, and the ends of an interval to a twentieth of its width.
        assert (quick["estimate"] - slow["estimate"]).abs().max() < 0.008
        assert (quick["estimate"] - slow["estimate"]).abs().mean() < 0.002
        ratio = (quick["upper"] - quick["lower"]) / (slow["upper"] - slow["lower"])
        assert 0.93 < ratio.mean() < 1.07


@pytest.fixture
def by_sampler():
    """Estimates from the stored draws of the sampler, as `poststratify` gives them."""

    def estimates(model, stored, by):
        made = world.main_model() if model == "independent" else walking_model(world.cells())
        return poststratify(made, world.draws(stored), world.laboratory(), by=by)

    return estimates


@pytest.mark.proof
def test_a_sample_comes_out_again(results):
    keys = ["sample", "model", "state"]
    again = structured.states(0).set_index(keys)
    stored = results["states"].set_index(keys).loc[again.index]
    assert again[["asked", "truth"]].equals(stored[["asked", "truth"]])
    # Another processor adds in another order, and a last digit or a single draw may change.
    off = (again["estimate"] - stored["estimate"]).abs().round(4)
    assert (off == 0).mean() > 0.98 and off.max() < 0.006, RERUN


def of_states(name):
    """The study of chapter 10, or the sampler's part of it: the states of the same samples."""
    rows = load_result(name).query("recipe == 'published'")
    rows = rows if name == "study_nuts" else rows[rows["people"] == 5000]
    model = rows["estimator"].map({"main model": "repvote", "no repvote": "neither"})
    return rows.assign(model=model).dropna(subset="model").rename(columns={"area": "state"})


@pytest.mark.parametrize("name", ["study", "study_nuts"])
@pytest.mark.parametrize("model", ["repvote", "neither"])
def test_states_are_as_in_chapter_10(results, name, model):
    keys = ["sample", "model", "state"]
    others = of_states(name)
    both = results["states"].merge(others[others["model"] == model], on=keys, suffixes=("", "_10"))
    samples = both["sample"].nunique()
    assert samples == min(SAMPLES["states"], others[others["model"] == model]["sample"].nunique())
    assert len(both) == 50 * samples
    off = both["estimate"] - both["estimate_10"]
    assert off.abs().mean() < 0.0025 and abs(off.mean()) < 0.001
    width, width_10 = both["upper"] - both["lower"], both["upper_10"] - both["lower_10"]
    # The ends of intervals are noisy in each fit, and 100 of them less so.
    assert abs(width.mean() / width_10.mean() - 1) < (0.02 if samples > 2 else 0.04)
    held = both["truth"].between(both["lower"], both["upper"])
    held_10 = both["truth"].between(both["lower_10"], both["upper_10"])
    assert abs(held.mean() - held_10.mean()) < (0.015 if samples > 2 else 0.03)
