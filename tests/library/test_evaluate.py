"""Errors and coverage, exact on cases made by hand."""

from decimal import Decimal

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
            "^estimates: group .*AK.* is listed more than once$",
        ),
        (ESTIMATES[["estimate"]], TRUTH, KeyError, "^.estimates has no column 'state'"),
        (ESTIMATES, pd.concat([TRUTH, TRUTH]), ValueError, "truth: group .* more than once"),
        (ESTIMATES.assign(estimate=np.nan), TRUTH, ValueError, "AK.* has no finite 'estimate'"),
        (
            ESTIMATES,
            TRUTH * np.nan,
            ValueError,
            "truth: group .*AL.* has no finite 'truth'; correct it",
        ),
        (ESTIMATES, TRUTH + np.inf, ValueError, "^truth: group .* has no finite"),
        (
            ESTIMATES,
            TRUTH.add_prefix("US-"),
            ValueError,
            r"^no group is in both tables: estimates have 'AK', 'AL', 'CA' and 1 more, truth has "
            r"\('US-AL',\), \('US-AK',\), \('US-CA',\) and 1 more$",
        ),
        (
            ESTIMATES.assign(state=None),
            TRUTH,
            ValueError,
            "^estimates: a group has no name in 'state'",
        ),
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
            "group .*AL.* has no finite 'estimate'",
        ),
        (ESTIMATES.astype({"estimate": str}), TRUTH, TypeError, "'estimate' is not numeric"),
        (ESTIMATES, TRUTH.astype(str), TypeError, "truth: column 'truth' is not numeric"),
        (None, TRUTH, TypeError, "estimates is of type NoneType; pass a pandas DataFrame"),
        (ESTIMATES, dict(TRUTH), TypeError, "truth is of type dict; pass a pandas Series"),
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


# Groups of two columns whose levels have the same words: only their names tell them apart.
PAIRS = pd.DataFrame(
    {
        "mother": ["low", "low", "high", "high"],
        "father": ["low", "high", "low", "high"],
        "estimate": [0.1, 0.2, 0.3, 0.4],
    }
)
PARENTS = ["mother", "father"]


@pytest.mark.parametrize("by", [PARENTS, PARENTS[::-1], tuple(PARENTS), np.array(PARENTS)])
@pytest.mark.parametrize("order", [PARENTS, PARENTS[::-1]])
def test_levels_of_the_truth_are_matched_by_name(by, order):
    truth = PAIRS.set_index(order)["estimate"]
    assert evaluate(PAIRS, truth, by)["mae"] == 0
    assert evaluate(PAIRS, truth.sample(frac=1, random_state=1), by)["n_groups"] == 4


def test_levels_without_names_are_matched_by_place():
    truth = PAIRS.set_index(PARENTS)["estimate"].rename_axis([None, None])
    assert evaluate(PAIRS, truth, PARENTS)["mae"] == 0
    assert evaluate(PAIRS, truth, PARENTS[::-1])["mae"] == pytest.approx(0.05)
    assert evaluate(ESTIMATES, TRUTH)["n_groups"] == 3


@pytest.mark.parametrize(
    ("truth", "by", "message"),
    [
        (TRUTH.rename_axis("region"), "state", "truth is indexed by 'region' and not by 'state'; "),
        (
            PAIRS.set_index(PARENTS)["estimate"].rename_axis(["mother", "child"]),
            PARENTS,
            r"^truth is indexed by 'mother', 'child' and not by 'mother', 'father'; labels are "
            r"matched by name: where they mean the same, rename them with "
            r".rename_axis\(\['mother', 'father'\]\)$",
        ),
        (
            PAIRS.set_index(PARENTS)["estimate"].rename_axis(["mother", None]),
            PARENTS,
            "indexed by 'mother', None and not by",
        ),
    ],
)
def test_a_name_that_is_not_asked_for_is_refused(truth, by, message):
    table = PAIRS if by is PARENTS else ESTIMATES
    with pytest.raises(ValueError, match=message):
        evaluate(table, truth, by)


@pytest.mark.parametrize("by", ["estimate", "sd", "lower", "upper", "population", "truth"])
def test_groups_may_not_be_named_like_estimates(by):
    table = ESTIMATES.assign(**{by: 0.5})
    with pytest.raises(ValueError) as refusal:
        evaluate(table, TRUTH, ["state", by])
    assert str(refusal.value) == (
        f"by names {by!r}, and the result has a column or label of that name; rename yours first: "
        f"estimates.rename(columns={{{by!r}: '{by}_'}})"
    )


@pytest.mark.parametrize(
    ("estimates", "truth", "by", "error", "message"),
    [
        (ESTIMATES, TRUTH, 3, TypeError, "^by is 3; pass the name of a column, or a list of names"),
        (ESTIMATES, TRUTH, ["state", 3], TypeError, r"^by is \['state', 3\]; pass the name"),
        (ESTIMATES, TRUTH, ["state"] * 2, ValueError, "^by names a column more than once: 'state'"),
        (
            ESTIMATES.assign(state=[True, False, None, None]).head(2),
            pd.Series([0.1, 0.2]),
            "state",
            TypeError,
            "^estimates: column 'state' holds booleans, such as False, and the truth hold numbers",
        ),
        (
            ESTIMATES.assign(state=[[1], [2], [3], [4]]),
            TRUTH,
            "state",
            TypeError,
            "estimates: column 'state' holds values of the kind list, which cannot be levels",
        ),
        (
            ESTIMATES.set_index("state"),
            TRUTH,
            "state",
            KeyError,
            r"estimates has no column 'state'; its index has that name - call .reset_index\(\)",
        ),
        (ESTIMATES, TRUTH.head(0), "state", ValueError, "no group is in both tables"),
        (
            ESTIMATES.assign(estimate=[Decimal("0.5")] * 4),
            TRUTH,
            "state",
            TypeError,
            r"'estimate' is not numeric but object; .* such as Decimal\('0.5'\): convert it with",
        ),
        (
            pd.concat([ESTIMATES, ESTIMATES["state"]], axis=1),
            TRUTH,
            "state",
            ValueError,
            "estimates has 2 columns named 'state'; rename or drop one",
        ),
    ],
)
def test_labels_that_cannot_name_a_group_are_refused(estimates, truth, by, error, message):
    with pytest.raises(error, match=message):
        evaluate(estimates, truth, by)


def test_types_of_labels_do_not_matter_where_the_labels_are_the_same():
    category = ESTIMATES.astype({"state": pd.CategoricalDtype(["ZZ", "CA", "AL", "AK"])})
    pd.testing.assert_series_equal(evaluate(category, TRUTH), evaluate(ESTIMATES, TRUTH))
    single = pd.DataFrame({"share": np.array([0.1, 0.7], "float32"), "estimate": [1.0, 2.0]})
    assert evaluate(single, pd.Series([1.0, 2.0], [0.1, 0.7]), by="share")["mae"] == 0


def test_columns_that_nobody_needs_do_not_matter():
    more = ESTIMATES.assign(answers=[[1], [2], [3], [4]])
    more = pd.concat([more, more["answers"]], axis=1)
    pd.testing.assert_series_equal(evaluate(more, TRUTH), evaluate(ESTIMATES, TRUTH))


PARTIES = pd.DataFrame(
    {
        "state": ["AK", "AK", "AL", "AL"],
        "outcome": pd.Categorical(["Rep", "Dem"] * 2, ["Rep", "Dem"]),
        "estimate": [0.6, 0.4, 0.7, 0.3],
        "lower": [0.5, 0.3, 0.6, 0.2],
        "upper": [0.7, 0.5, 0.8, 0.4],
    }
)


def test_shares_of_several_levels():
    truth = pd.Series({("Dem", "AL"): 0.25, ("Rep", "AL"): 0.75, ("Dem", "AK"): 0.4})
    scores = evaluate(PARTIES, truth.rename_axis(["outcome", "state"]), by=["state", "outcome"])
    assert scores["mae"] == pytest.approx(0.1 / 3)
    assert scores["n_groups"] == 3 and scores["coverage"] == 1
    one = PARTIES[PARTIES["outcome"] == "Dem"]
    assert evaluate(one, pd.Series({"AK": 0.4, "AL": 0.25}))["mae"] == pytest.approx(0.025)


def test_rows_of_several_levels_are_refused_with_what_to_do():
    with pytest.raises(ValueError) as refusal:
        evaluate(PARTIES, pd.Series({"AK": 0.4}))
    assert str(refusal.value) == (
        "estimates: group {'state': 'AK'} is listed more than once; there is a row for each "
        "'outcome': choose one, such as estimates[estimates['outcome'] == 'Rep'], or name that "
        "column in by too"
    )


def test_levels_that_the_truth_cannot_tell_apart_are_refused():
    estimates = pd.DataFrame({"dose": [0.1, 0.1 + 1e-12], "estimate": [0.5, 0.6]})
    truth = pd.Series([0.5], index=pd.Index([0.1], dtype="float32"))
    message = "^estimates: column 'dose' and the truth differ in precision, and levels such as 0.1"
    with pytest.raises(ValueError, match=message):
        evaluate(estimates, truth, by="dose")
