"""The study of structured priors: complete, true to the sampler, and given again by the script."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.tasks import _world as world
from mrp_course.tasks.structured_priors import walking_model
from mrp_helpers import clean_cces, load_cces, poststratify
from research import structured
from research.structured import AGES, FOLDER, SAMPLES

RERUN = "run 'make simulation-study'"


@pytest.fixture(scope="module")
def results():
    return {study: pd.read_csv(FOLDER / f"structured_{study}.csv") for study in SAMPLES}


def test_results_are_complete(results):
    for study, rows in results.items():
        assert sorted(rows["sample"].unique()) == list(range(SAMPLES[study])), RERUN
        assert rows.drop(columns="edu", errors="ignore").notna().all(axis=None)
        in_each = rows.groupby("sample").size().unique()
        # Six ages and thirty pairs and the thinned ones; fifty states under four models.
        thinned = sum(map(len, AGES.values()))
        assert in_each == [2 * (36 + thinned) if study == "ages" else 200]


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


def test_the_walk_is_a_path_of_steps_with_mean_zero():
    basis = structured.walk_basis(6)
    steps = np.random.default_rng(1).standard_normal(6)
    assert np.allclose(basis @ steps, np.cumsum(steps) - np.cumsum(steps).mean())


@pytest.mark.proof
@pytest.mark.parametrize(
    ("model", "stored"), [("independent", "hierarchical"), ("walk", "structured-walk")]
)
def test_the_shortcut_agrees_with_the_sampler(model, stored, by_sampler):
    p = structured.draws_of_cells(model, world.sample(), np.random.default_rng(1))
    for by in (["age"], ["edu", "age"], ["state"]):
        quick, slow = structured.summary(p, world.sample(), by), by_sampler(model, stored, by)
        # Draws differ by chance: of 250, the mean is known to a sixteenth of a sd, about 0.3
        # points for a state, and the ends of an interval to a tenth of its width.
        assert (quick["estimate"] - slow["estimate"]).abs().max() < 0.012
        assert (quick["estimate"] - slow["estimate"]).abs().mean() < 0.004
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
    # Other processors round otherwise, and a slice sampler that turns off once goes on elsewhere.
    off = (again["estimate"] - stored["estimate"]).abs()
    assert off.mean() < 0.006, RERUN
