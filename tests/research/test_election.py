"""The study of biased samples of voters: complete, possible, and given again by the script."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mrp_course.results import load_result
from research.election import CHAPTER, FILE, SAMPLES, one_sample
from research.laplace import counted_model, draw_coefficients
from research.simulations import chapter_names

RERUN = "remove the file and run 'make simulation-study'"
ESTIMATORS = ["MRP", "MRP + composition", "raked", "unweighted"]


def test_results_are_complete():
    study = load_result("election")
    assert study["seed"].unique().tolist() == SAMPLES, RERUN
    assert (study.groupby("seed")["estimator"].apply(sorted).map(ESTIMATORS.__eq__)).all()
    assert study.notna().all(axis=None)


def test_results_are_possible():
    study = load_result("election")
    assert (study["mae"] >= study["mean error"].abs()).all()
    assert study["coverage"].between(0, 100).all() and study["right winner"].between(0, 50).all()


def test_a_single_group_is_drawn_like_several():
    """One unknown standard deviation is a column, not a number."""
    cells = pd.DataFrame({"n": [50, 60, 70, 80], "abortion": [10, 30, 20, 60]})
    design = np.hstack([np.ones((4, 1)), np.eye(4)])
    fixed_sd, group = np.array([2.5, 1, 1, 1, 1]), np.array([-1, 0, 0, 0, 0])
    model = counted_model(cells, sparse.csr_array(design), fixed_sd, group)
    draws, effective = draw_coefficients(model, np.random.default_rng(1), 200)
    assert draws.shape == (200, 5) and 1 < effective <= 500


@pytest.mark.proof
def test_a_sample_computed_again_is_as_stored():
    stored = pd.read_csv(FILE)
    fresh = one_sample(chapter_names(CHAPTER, until="scaled"), 7)
    kept = stored[stored["seed"] == 7].reset_index(drop=True)
    assert fresh["estimator"].equals(kept["estimator"]), RERUN
    numbers = fresh.select_dtypes("number").columns
    assert (fresh[numbers] - kept[numbers]).abs().max(axis=None) < 0.05, RERUN
