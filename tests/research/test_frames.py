"""The study of rebuilt frames: complete, right on what was published, and given again."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.results import load_result
from research import frames
from research.frames import SAMPLES, TABLES

RERUN = "run 'make simulation-study'"
OF_A_SAMPLE, OF_NONE = 2 * (len(TABLES) + 2), 2 * len(TABLES)


@pytest.fixture(scope="module")
def results():
    return load_result("frames")


def test_results_are_complete(results):
    sizes = results.groupby("seed").size()
    assert sorted(sizes.index) == list(range(SAMPLES)), RERUN
    assert sizes[0] == OF_A_SAMPLE + OF_NONE and (sizes[1:] == OF_A_SAMPLE).all(), RERUN
    assert results["misplaced"].between(5, 30).all()
    assert (results["states"] <= results["worst_state"]).all()


def test_a_stored_sample_comes_out_again(results):
    stored = results[results["seed"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(frames.scored(2), stored, check_dtype=False, atol=0.02)


@pytest.mark.parametrize("tables", TABLES)
def test_a_rebuilt_frame_has_the_published_tables(tables):
    counts = frames.raked(frames.joint_of(frames.survey("random", 1)), TABLES[tables])
    frame = frames.census()
    for table in TABLES[tables]:
        keys = [frame[column] for column in table]
        asked, found = frame["n"].groupby(keys).sum(), counts.groupby(keys).sum()
        assert np.abs(found - asked).max() < 1e-5 * frame["n"].sum()


def test_shares_of_education_add_up():
    shares = frames.education_model(frames.survey("random", 0), np.random.default_rng(0))
    frame = frames.census()
    whole = pd.DataFrame(shares).groupby([frame["state"], *(frame[c] for c in frames.PERSON)])
    assert np.allclose(whole.sum(), 1)
