"""What is repeated with standard deviations of each sample's own, and how it is stored."""

import numpy as np
import pandas as pd
import pytest

from mrp_course.results import FOLDER, SHARE_UNITS
from research import laboratory
from research.own_sds import (
    HELD_OUT,
    MODELS,
    RESULTS,
    in_units,
    one_sample,
    steps_by_ethnicity,
    third,
)


def test_thirds_are_of_states_and_steps_are_of_realised_support():
    frame = laboratory.frame()
    assert frame.assign(third=third()).groupby("state")["third"].nunique().eq(1).all()
    assert third().groupby(frame["state"]).first().value_counts().to_dict() == {
        "low": 17,
        "middle": 16,
        "high": 17,
    }
    realised = (frame["abortion"] / frame["n"]).to_numpy()
    steps = (100 * steps_by_ethnicity(realised)).round(1)
    assert steps[["Black", "Hispanic", "Other", "White"]].to_list() == [6.6, 6.4, 15.6, 14.8]


def test_one_row_of_whole_numbers_is_stored_for_a_sample():
    assert in_units({"a": 0.25, "b": -1.5}, seed=3).to_dict("list") == {
        "seed": [3],
        "a": [SHARE_UNITS // 4],
        "b": [-3 * SHARE_UNITS // 2],
    }


@pytest.mark.parametrize("name", RESULTS)
def test_every_sample_is_stored_once(name):
    stored = pd.read_csv(FOLDER / f"{name}.csv")
    assert stored["seed"].to_list() == list(range(RESULTS[name].samples))
    assert stored.notna().all(axis=None)


def test_stored_columns_are_those_that_chapters_read():
    columns = {name: list(pd.read_csv(FOLDER / f"{name}.csv")) for name in RESULTS}
    assert set(columns["own_elpd"]) == {"seed", "fixed effects", *MODELS}
    assert columns["own_sds"] == ["seed", "Black", "Hispanic", "Other", "White", "unsampled"]
    covered = pd.read_csv(FOLDER / "held_out.csv")[["zero covers", "draw covers"]]
    assert np.isin(len(HELD_OUT) * covered / SHARE_UNITS, range(len(HELD_OUT) + 1)).all()


@pytest.mark.proof
@pytest.mark.parametrize("name", RESULTS)
def test_a_sample_computed_again_is_as_stored(name):
    stored = pd.read_csv(FOLDER / f"{name}.csv")
    fresh = one_sample(name, 7)
    kept = stored[stored["seed"] == 7].reset_index(drop=True)
    # Another processor may round otherwise; an elpd is a sum of thousands of logarithms.
    within = 10_000 if name == "own_elpd" else 100
    assert (fresh - kept).abs().max(axis=None) <= within, (
        f"remove {name}.csv and run 'make simulation-study'"
    )
