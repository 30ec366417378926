"""The simulations of chapters: computed by the chapters' own cells, and safe to interrupt."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.results import FOLDER, SCORE_UNITS, SHARE_UNITS
from research import simulations
from research.simulations import SCORES, SIMULATIONS, chapter_names, in_units, run

COMPUTE_AGAIN = "remove the file and run 'make simulation-study'"


def invented(seed):
    """Estimate two shares in no time."""
    one, two = np.random.default_rng(seed).random(2)
    return {"one": one, "two": two}


def test_a_run_that_was_interrupted_goes_on_to_the_same_bytes(tmp_path):
    whole, interrupted = tmp_path / "whole.csv", tmp_path / "interrupted.csv"
    run(invented, whole, samples=7)
    computed = []

    def until_interrupted(seed):
        if len(computed) == 3:
            raise KeyboardInterrupt
        computed.append(seed)
        return invented(seed)

    with pytest.raises(KeyboardInterrupt):
        run(until_interrupted, interrupted, samples=7)
    assert computed == [0, 1, 2]
    run(lambda seed: computed.append(seed) or invented(seed), interrupted, samples=7)
    assert computed == list(range(7))
    assert interrupted.read_bytes() == whole.read_bytes()


def test_shares_are_stored_as_whole_numbers():
    table = pd.DataFrame({"share": [0.25, -0.5]}, index=pd.Index(["a", "b"], name="method"))
    rows = in_units(table, seed=3)
    assert rows.to_dict("list") == {
        "seed": [3, 3],
        "method": ["a", "b"],
        "share": [SHARE_UNITS // 4, -SHARE_UNITS // 2],
    }


@pytest.mark.proof
@pytest.mark.parametrize("name", SIMULATIONS)
def test_a_sample_computed_again_is_as_stored(name):
    chapter, function, samples = SIMULATIONS[name]
    stored = pd.read_csv(FOLDER / f"{name}.csv")
    assert sorted(stored["seed"].unique()) == list(range(samples)), COMPUTE_AGAIN
    seed = min(117, samples - 1)
    fresh = in_units(chapter_names(chapter, function)[function](seed), seed=seed)
    kept = stored[stored["seed"] == seed].reset_index(drop=True)
    numbers = fresh.select_dtypes("number").columns
    assert fresh.drop(columns=numbers).equals(kept.drop(columns=numbers)), COMPUTE_AGAIN
    # Another processor adds in another order, and may round the last digit the other way. An elpd
    # is a sum of thousands of logarithms, each from 500 weighted draws: a thousandth of a unit.
    within = 1_000 if name == "elpd_samples" else 1
    assert (fresh[numbers] - kept[numbers]).abs().max(axis=None) <= within, COMPUTE_AGAIN


def test_scores_of_rows_are_stored_as_whole_numbers():
    stored = pd.read_parquet(SCORES)[["elpd", "k"]]
    assert (stored.dtypes == "int32").all()
    assert (stored["elpd"] < 0).all() and stored["k"].max() < SCORE_UNITS


def test_what_a_chapter_does_not_define_is_named(monkeypatch, tmp_path):
    (tmp_path / "empty.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    monkeypatch.setattr(simulations, "CHAPTERS", tmp_path)
    with pytest.raises(LookupError, match="no cell of empty defines all_scores"):
        chapter_names("empty", until="all_scores")
