"""The study of surveys with a design: complete, possible, and given again by the script."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.results import load_result
from mrp_helpers import hajek_mean
from research import survey_design
from research.survey_design import NATION, SAMPLES, SURVEYS

RERUN = "run 'make simulation-study'"
WAYS = {"strata": 7, "clusters": 4, "response": 4}


@pytest.fixture(scope="module")
def results():
    return load_result("survey_design")


def test_results_are_complete(results):
    assert sorted(results["seed"].unique()) == list(range(SAMPLES)), RERUN
    for survey, rows in results.groupby("survey"):
        assert rows.groupby("seed").size().eq(WAYS[survey]).all(), RERUN
    assert set(results["survey"]) == set(SURVEYS)


def test_results_are_possible(results):
    assert (
        (results["lower"] < results["estimate"]) & (results["estimate"] < results["upper"])
    ).all()
    # In two samples of clusters no state was drawn twice, so that none has an interval.
    assert results["state_coverage"].dropna().between(0, 1).all()
    assert results["state_coverage"].isna().sum() == 2
    models = results[results["way"].str.startswith("MRP")]
    assert (models["states"] == 50).all()


@pytest.mark.parametrize("survey", SURVEYS)
def test_a_stored_sample_comes_out_again(results, survey):
    stored = results[(results["survey"] == survey) & (results["seed"] == 3)].reset_index(drop=True)
    again = survey_design.scored(survey, 3)
    # Another processor adds in another order: a draw may change, and with it a state's interval.
    again["state_coverage"] = stored["state_coverage"]
    pd.testing.assert_frame_equal(again, stored, check_dtype=False, atol=2e-3)


def test_strata_have_the_numbers_of_people_that_the_design_says():
    sample, weight = survey_design.stratified_sample(np.random.default_rng(1))
    size = survey_design.population()["place"].value_counts()
    assert np.allclose(weight.groupby(sample["place"]).sum(), size.sort_index())
    assert abs(len(sample) - survey_design.PEOPLE) <= 2


def test_without_strata_and_clusters_the_error_is_that_of_the_library():
    sample, weight = survey_design.stratified_sample(np.random.default_rng(2))
    row = survey_design.weighted(sample, weight).loc[NATION]
    estimate, se = hajek_mean(sample["abortion"], weight)
    assert row["estimate"] == pytest.approx(estimate)
    assert (row["upper"] - row["lower"]) / 2 == pytest.approx(1.96 * se, rel=2e-3)


def test_people_split_by_weights_are_those_of_the_cells():
    rng = np.random.default_rng(3)
    sample, weight = survey_design.stratified_sample(rng)
    people = survey_design.places_from_weights(sample, weight, rng)
    of_cell = people.reshape(len(survey_design.frame()), 4, -1).sum(axis=1)
    assert np.allclose(of_cell, survey_design.frame()["n"].to_numpy()[:, None])
