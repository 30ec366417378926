"""Errors and coverage, exact on cases made by hand."""

import numpy as np
import pandas as pd
import pytest

from mrp_helpers import evaluate

ESTIMATES = pd.DataFrame(
    {
        "state": ["AK", "AL", "CA", "ZZ"],
        "estimate": [0.5, 0.6, 0.3, 0.9],
        "lower": [0.45, 0.50, 0.20, 0.8],
        "upper": [0.55, 0.70, 0.35, 1.0],
    }
)
TRUTH = pd.Series({"AL": 0.6, "AK": 0.4, "CA": 0.35, "WY": 0.1})


def test_by_hand():
    scores = evaluate(ESTIMATES, TRUTH)
    assert scores["mae"] == pytest.approx((0.1 + 0 + 0.05) / 3)
    assert scores["rmse"] == pytest.approx(np.sqrt((0.01 + 0 + 0.0025) / 3))
    assert scores["bias"] == pytest.approx((0.1 + 0 - 0.05) / 3)
    assert scores["coverage"] == pytest.approx(2 / 3)
    assert scores["width"] == pytest.approx((0.1 + 0.2 + 0.15) / 3)
    assert scores["n_groups"] == 3


def test_truth_as_table_and_order_of_rows():
    table = TRUTH.rename("truth").rename_axis("state").reset_index()
    shuffled = ESTIMATES.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(evaluate(shuffled, table), evaluate(ESTIMATES, TRUTH))


def test_estimates_without_intervals_have_no_coverage():
    scores = evaluate(ESTIMATES[["state", "estimate"]], TRUTH)
    assert np.isnan(scores["coverage"]) and np.isnan(scores["width"])
    assert scores["mae"] == pytest.approx(0.05)


def test_groups_of_two_columns():
    estimates = pd.DataFrame({"state": ["AK", "AK"], "age": ["x", "y"], "estimate": [0.1, 0.2]})
    truth = estimates.set_index(["state", "age"])["estimate"]
    assert evaluate(estimates, truth, by=["state", "age"])["mae"] == 0


@pytest.mark.parametrize(
    ("estimates", "truth", "error", "message"),
    [
        (ESTIMATES.rename(columns={"estimate": "p"}), TRUTH, KeyError, "no column 'estimate'"),
        (ESTIMATES.drop(columns="state"), TRUTH, KeyError, "no column 'state'"),
        (pd.concat([ESTIMATES] * 2), TRUTH, ValueError, "AK.* more than once"),
        (ESTIMATES, pd.concat([TRUTH, TRUTH]), ValueError, "truth list group .* more than once"),
        (ESTIMATES.assign(estimate=np.nan), TRUTH, ValueError, "no value for group .*AK"),
        (ESTIMATES, TRUTH * np.nan, ValueError, "truth have no value"),
        (ESTIMATES, TRUTH.add_prefix("US-"), ValueError, "no group is in both tables"),
        (ESTIMATES, TRUTH.rename_axis("state").reset_index(name="p"), KeyError, "'truth'"),
    ],
)
def test_bad_tables_are_refused(estimates, truth, error, message):
    with pytest.raises(error, match=message):
        evaluate(estimates, truth)
