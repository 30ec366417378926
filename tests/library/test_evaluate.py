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
# Errors of which the mean is not the median.
TRUTH = pd.Series({"AL": 0.6, "AK": 0.4, "CA": 0.34, "WY": 0.1})


def test_by_hand():
    scores = evaluate(ESTIMATES, TRUTH)
    assert scores["mae"] == pytest.approx((0.1 + 0 + 0.04) / 3)
    assert scores["rmse"] == pytest.approx(np.sqrt((0.01 + 0 + 0.0016) / 3))
    assert scores["mean_error"] == pytest.approx((0.1 + 0 - 0.04) / 3)
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
    assert scores["mae"] == pytest.approx(0.14 / 3)


def test_an_interval_may_be_a_point():
    points = ESTIMATES.assign(lower=ESTIMATES["estimate"], upper=ESTIMATES["estimate"])
    scores = evaluate(points, TRUTH)
    assert scores["coverage"] == pytest.approx(1 / 3)
    assert scores["width"] == 0


def test_groups_of_two_columns():
    estimates = pd.DataFrame({"state": ["AK", "AK"], "age": ["x", "y"], "estimate": [0.1, 0.2]})
    truth = estimates.set_index(["state", "age"])["estimate"]
    assert evaluate(estimates, truth, by=["state", "age"])["mae"] == 0


@pytest.mark.parametrize(
    ("estimates", "truth", "error", "message"),
    [
        (ESTIMATES.rename(columns={"estimate": "p"}), TRUTH, KeyError, "no column 'estimate'"),
        (ESTIMATES.drop(columns="state"), TRUTH, KeyError, "no column 'state'"),
        (
            pd.concat([ESTIMATES, ESTIMATES.assign(estimate=0.1)]),
            TRUTH,
            ValueError,
            "^estimates list group .*AK.* more than once",
        ),
        (ESTIMATES[["estimate"]], TRUTH, KeyError, "^.estimates has no column 'state'"),
        (ESTIMATES, pd.concat([TRUTH, TRUTH]), ValueError, "truth list group .* more than once"),
        (ESTIMATES.assign(estimate=np.nan), TRUTH, ValueError, "no finite 'estimate' .*AK"),
        (ESTIMATES, TRUTH * np.nan, ValueError, "truth have no finite 'truth' .*AL.*mend it"),
        (ESTIMATES, TRUTH + np.inf, ValueError, "truth have no finite"),
        (
            ESTIMATES,
            TRUTH.add_prefix("US-"),
            ValueError,
            r"^no group is in both tables: estimates have 'AK', 'AL', 'CA' and 1 more, truth has "
            r"\('US-AL',\), \('US-AK',\), \('US-CA',\) and 1 more$",
        ),
        (ESTIMATES.assign(state=None), TRUTH, ValueError, "estimates have a group without a name"),
        (
            ESTIMATES.assign(upper=[0.45, 0.49, 0.1, 0.1]),  # the first one is a point, and fine
            TRUTH,
            ValueError,
            "interval of 'AL' has lower above upper",
        ),
        (
            ESTIMATES.assign(estimate=pd.array([0.5, None, 0.3, 0.9], dtype="Float64")),
            TRUTH,
            ValueError,
            "no finite 'estimate' for group .*AL",
        ),
        (ESTIMATES.astype({"estimate": str}), TRUTH, TypeError, "'estimate' is not numeric"),
        (ESTIMATES, TRUTH.astype(str), TypeError, "truth: column 'truth' is not numeric"),
        (None, TRUTH, TypeError, "estimates is of type NoneType; pass a pandas DataFrame"),
        (ESTIMATES, dict(TRUTH), TypeError, "truth is of type dict; pass a pandas DataFrame"),
        (ESTIMATES, TRUTH.rename_axis("state").reset_index(name="p"), KeyError, "'truth'"),
    ],
)
def test_bad_tables_are_refused(estimates, truth, error, message):
    with pytest.raises(error, match=message):
        evaluate(estimates, truth)


def test_groups_must_be_named_as_the_truth_is():
    with pytest.raises(ValueError, match="truth is indexed by 1 .* by names 2: 'state', 'age'"):
        evaluate(ESTIMATES.assign(age="x"), TRUTH, by=["state", "age"])
    with pytest.raises(ValueError, match="^by names no column; a group needs at least one$"):
        evaluate(ESTIMATES, TRUTH, by=[])
