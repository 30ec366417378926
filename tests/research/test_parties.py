"""The study of parties and ideology: complete, true to the sampler, and given again."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.tasks import more_answers
from research import laboratory, parties
from research.parties import FOLDER, IDEOLOGY, PARTIES, SAMPLES, SIZES

RERUN = "run 'make simulation-study'"
SPLITS = ["Republican first", "Democrat first"]
METHODS = ["softmax", "other reference", "separate", "rescaled", *SPLITS]


@pytest.fixture(scope="module")
def results():
    return {name: pd.read_csv(FOLDER / f"parties_{name}.csv") for name in ("states", "ideology")}


def test_results_are_complete(results):
    states, ideology = results["states"], results["ideology"]
    assert sorted(states["sample"].unique()) == list(range(SAMPLES["parties"])), RERUN
    assert (states.groupby("sample")["method"].agg(list).map(lambda one: one == METHODS)).all()
    assert sorted(ideology["sample"].unique()) == list(range(SAMPLES["ideology"])), RERUN
    assert (ideology.groupby(["sample", "people"]).size() == 2).all()
    assert sorted(ideology["people"].unique()) == SIZES
    assert states.notna().all(axis=None) and ideology.notna().all(axis=None)


def test_shares_of_one_whole_sum_to_one(results):
    states = results["states"].set_index("method")
    whole = states.drop(index="separate")
    assert (whole[["off_sum", "worst_draw"]] == 0).all(axis=None)
    assert np.allclose(whole[PARTIES].sum(axis=1), 1, atol=2e-5)
    separate = states.loc["separate"]
    assert (separate["lowest_sum"] < 1).all() and (separate["highest_sum"] > 1).all()


def test_first_splits_are_the_binary_models(results):
    by_method = results["states"].pivot(index="sample", columns="method")
    for party in ("Democrat", "Republican"):
        shares = by_method[party]
        assert (shares[f"{party} first"] == shares["separate"]).all()


@pytest.mark.parametrize("ordered", [True, False])
def test_derivatives_are_those_of_the_likelihood(ordered):
    drawn = laboratory.biased_sample(1, people=300).index
    asked = parties.people().loc[drawn].dropna(subset="ideology")
    cells = parties.counted(asked, "ideology", IDEOLOGY)
    model, _ = parties.model_of(cells, parties.frame_of("ideology"), IDEOLOGY, ordered)
    place = np.random.default_rng(1).normal(scale=0.1, size=len(model.group))
    if ordered:
        place[:4] = [-1.5, -0.5, 0.6, 1.6]
    one = np.ones(len(place))
    slope, curvature = parties._derivatives(model, parties.likelihood(model, place), one)
    for at in (0, 2, 6, len(place) - 1):
        step = 1e-5 * np.eye(len(place))[at]
        up, down = (parties.likelihood(model, place + sign * step) for sign in (1, -1))
        assert (up.value - down.value) / 2e-5 == pytest.approx(slope[at], abs=1e-5)
        rise = parties._derivatives(model, up, one)[0] - parties._derivatives(model, down, one)[0]
        assert np.allclose(-rise / 2e-5, curvature[at] - np.eye(len(place))[at], atol=1e-5)


def test_the_shortcut_agrees_with_the_sampler():
    frame = parties.frame_of("party")
    drawn = more_answers._sample()["caseid"]
    asked = parties.people()[parties.people()["caseid"].isin(drawn)]
    cells = parties.counted(asked, "party", PARTIES)
    shares = parties.fitted(cells, frame, PARTIES, np.random.default_rng(1))
    # The approximation itself is off by up to 0.7 points, for the shares of one education.
    for by, most in (("state", 0.012), ("edu", 0.008)):
        quick = parties.by_group(shares, frame, by)
        slow = more_answers._draws("answers-softmax", by).transpose("outcome", "group", "sample")
        slow = slow.sel(outcome=PARTIES).to_numpy()
        # Six hundred draws: a mean is known to a 25th of a sd, 0.2 points for a state's share.
        off = quick.mean(axis=2) - slow.mean(axis=2)
        assert np.abs(off).max() < most and np.abs(off).mean() < most / 4
        assert 0.9 < quick.std(axis=2).mean() / slow.std(axis=2).mean() < 1.1


@pytest.mark.proof
def test_a_sample_comes_out_again(results):
    again = parties.parties(0).set_index("method")
    stored = results["states"].query("sample == 0").set_index("method").loc[again.index]
    # Another processor adds in another order, and a single draw may change.
    assert np.allclose(again[PARTIES], stored[PARTIES], atol=2e-3), RERUN
    assert np.allclose(again["brier"], stored["brier"], atol=0.02), RERUN
