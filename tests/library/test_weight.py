"""Raking and weighted means, held against a survey library and against cases made by hand."""

import numpy as np
import pandas as pd
import polars
import pytest
import svy

from mrp_helpers import (
    clean_cces,
    draw_biased_sample,
    effective_sample_size,
    hajek_mean,
    load_cces,
    load_poststrat_frame,
    load_state_predictors,
    rake,
    selection_weights,
)

COLUMNS = ["age", "edu", "eth", "male"]

PEOPLE = pd.DataFrame(
    {"sex": ["m", "m", "m", "w", "w", "w"], "old": [1, 1, 0, 1, 0, 0], "y": [1, 0, 1, 1, 0, 0]}
)
MARGINS = {"sex": pd.Series({"m": 0.4, "w": 0.6}), "old": pd.Series({0: 30, 1: 70})}


@pytest.fixture(scope="module")
def sample():
    respondents, states = clean_cces(load_cces()), load_state_predictors()
    return draw_biased_sample(respondents, selection_weights(respondents, states))


@pytest.fixture(scope="module")
def margins():
    frame = load_poststrat_frame()
    return {column: frame.groupby(column)["n"].sum() for column in COLUMNS}


@pytest.fixture(scope="module")
def raked(sample, margins):
    return rake(sample, margins)


def weighted_shares(sample, weights, column):
    totals = weights.groupby(sample[column]).sum()
    return totals / totals.sum()


def test_margins_are_met_and_mean_is_one(sample, margins, raked):
    assert raked.mean() == pytest.approx(1)
    assert raked.index.equals(sample.index)
    for column, margin in margins.items():
        found = weighted_shares(sample, raked, column)
        np.testing.assert_allclose(found, (margin / margin.sum())[found.index], atol=1e-8)


def test_equals_a_survey_library(sample, margins, raked):
    table = sample[[*COLUMNS, "abortion"]].astype({"male": str}).to_dict("list")
    data = polars.DataFrame(table).with_columns(start=polars.lit(1.0))
    controls = {
        column: {str(level): float(people) for level, people in margin.items()}
        for column, margin in margins.items()
    }
    theirs = svy.Sample(data, svy.Design(wgt="start")).weighting.rake(
        controls=controls, wgt_name="raked", tol=1e-12, max_iter=1000
    )
    weights = theirs.data["raked"].to_numpy()
    np.testing.assert_allclose(raked, weights / weights.mean(), rtol=1e-6)


def test_weighted_mean_and_its_error_equal_a_survey_library(sample, raked):
    data = polars.DataFrame({"y": sample["abortion"].to_list(), "weight": raked.to_list()})
    their_mean = svy.Sample(data, svy.Design(wgt="weight")).estimation.mean("y").estimates[0]
    estimate, se = hajek_mean(sample["abortion"], raked)
    assert estimate == pytest.approx(their_mean.est, abs=1e-8)
    assert se == pytest.approx(their_mean.se, abs=1e-8)


def test_weights_are_products_of_one_factor_a_level(sample, raked):
    """What raking is: the logarithm of a weight is additive in the levels."""
    design = pd.get_dummies(sample[COLUMNS].astype(str), dtype=float).to_numpy()
    fitted = design @ np.linalg.lstsq(design, np.log(raked), rcond=None)[0]
    np.testing.assert_allclose(fitted, np.log(raked), atol=1e-9)


def test_raking_again_changes_nothing(sample, margins, raked):
    again = rake(sample, margins, base_weight=raked)
    np.testing.assert_allclose(again, raked, rtol=1e-7)


def test_a_margin_that_holds_already_gives_equal_weights(sample):
    own = {"age": sample["age"].value_counts()}
    np.testing.assert_allclose(rake(sample, own), 1)


def test_one_margin_by_hand():
    weights = rake(PEOPLE, {"sex": pd.Series({"m": 20, "w": 80})})
    np.testing.assert_allclose(weights, [0.4, 0.4, 0.4, 1.6, 1.6, 1.6])


def test_base_weights_are_kept_within_a_level():
    start = pd.Series([1, 2, 3, 1, 1, 2])
    weights = rake(PEOPLE, {"sex": MARGINS["sex"]}, base_weight=start)
    assert weights.name == "weight"
    assert weights.mean() == pytest.approx(1)
    assert weights[1] / weights[0] == pytest.approx(2)
    assert weights[:3].sum() / weights.sum() == pytest.approx(0.4)


def test_shares_and_counts_give_the_same():
    shares = {name: margin / margin.sum() for name, margin in MARGINS.items()}
    np.testing.assert_allclose(rake(PEOPLE, shares), rake(PEOPLE, MARGINS))


def test_level_without_population_and_without_respondents_is_fine():
    with_nobody = {"sex": pd.Series({"m": 0.4, "w": 0.6, "unknown": 0.0})}
    np.testing.assert_allclose(rake(PEOPLE, with_nobody), rake(PEOPLE, {"sex": MARGINS["sex"]}))


@pytest.mark.parametrize(
    ("margins", "error", "message"),
    [
        ({}, ValueError, "^no margins to rake to; give at least one column$"),
        ([MARGINS["sex"]], TypeError, "margins is of type list; pass a collections Mapping"),
        (
            {"sex": {"m": 1, "w": 1}},
            TypeError,
            "margin 'sex' is of type dict; pass a pandas Series",
        ),
        (
            {"sex": pd.Series({"m": 1_000_000, "w": 0}), "old": pd.Series({0: 1_000_005, 1: 0})},
            ValueError,
            "different totals",
        ),
        ({"age": MARGINS["sex"]}, KeyError, "sample has no column 'age'"),
        ({"sex": pd.Series({"m": 1.0})}, ValueError, "'sex' has nobody in level 'w'"),
        ({"sex": pd.Series({"m": 1.0, "w": 0})}, ValueError, "'sex' has nobody in level 'w'"),
        (
            {"sex": pd.Series({"m": 0.3, "w": 0.3, "x": 0.4})},
            ValueError,
            "no respondents with sex = 'x'.*stand for them; merge these levels .* and margin$",
        ),
        (
            {"sex": pd.Series({"m": 50, "w": 50}), "old": pd.Series({0: 50, 1: 60})},
            ValueError,
            "different totals .*'sex' 100, 'old' 110",
        ),
        ({"sex": pd.Series({"m": -0.2, "w": 1.2})}, ValueError, "margin 'sex' is negative"),
        ({"sex": pd.Series({"m": np.nan, "w": 1})}, ValueError, "margin 'sex' is missing"),
        ({"sex": pd.Series({"m": 0, "w": 0})}, ValueError, "margin 'sex' sums to zero"),
        ({"sex": pd.Series({"m": "a", "w": "b"})}, TypeError, "margin 'sex' is not numeric"),
        ({"sex": pd.Series([1, 1, 1], index=["m", "w", "m"])}, ValueError, "more than once"),
    ],
)
def test_bad_margins_are_refused(margins, error, message):
    with pytest.raises(error, match=message):
        rake(PEOPLE, margins)


def test_contradicting_margins_do_not_converge():
    corner = pd.DataFrame({"sex": ["m", "w", "w", "w"], "old": [0, 0, 1, 2]})
    margins = {"old": pd.Series({0: 0.5, 1: 0.1, 2: 0.4}), "sex": pd.Series({"m": 0.6, "w": 0.4})}
    with pytest.raises(RuntimeError) as refusal:
        rake(corner, margins)
    # The one man must carry 0.6 of the weight, and all of it counts for the level 0 of old.
    assert str(refusal.value) == (
        "raking did not converge in 1000 rounds: old = 0 still misses its share by 0.1. Margins "
        "may contradict each other where the sample has no respondents with both levels; merge "
        "levels or drop a margin"
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tol": 0}, ValueError, "tol is 0; .* above zero"),
        ({"tol": np.nan}, ValueError, "tol is nan"),
        ({"max_iter": 0}, ValueError, "max_iter is 0; it must be 1 or more"),
        ({"max_iter": 1.5}, TypeError, "max_iter is 1.5; pass a whole number"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        rake(PEOPLE, MARGINS, **options)


def test_one_round_is_enough_for_one_margin():
    assert len(rake(PEOPLE, {"sex": MARGINS["sex"]}, max_iter=1)) == len(PEOPLE)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (pd.Series([1.0] * 5), ValueError, "^base_weight and sample have different indexes$"),
        ([1.0] * 6, TypeError, "base_weight is of type list; pass a pandas Series"),
        (pd.Series([-1.0] + [1.0] * 5), ValueError, "base_weight is negative"),
        (pd.Series([np.nan] + [1.0] * 5), ValueError, "base_weight is missing"),
        (
            pd.Series([0.0] + [1.0] * 5),
            ValueError,
            "^base_weight is zero in some rows; leave those respondents out",
        ),
        (pd.Series([0.0] * 6), ValueError, "sums to zero"),
        (pd.Series(["1"] * 6), TypeError, "not numeric"),
    ],
)
def test_bad_base_weights_are_refused(weights, error, message):
    with pytest.raises(error, match=message):
        rake(PEOPLE, MARGINS, base_weight=weights)


def test_bad_samples_are_refused():
    with pytest.raises(TypeError, match="sample is of type dict; pass a pandas DataFrame"):
        rake(PEOPLE.to_dict("list"), MARGINS)
    with pytest.raises(ValueError, match="^sample has no rows to weight$"):
        rake(PEOPLE.head(0), MARGINS)
    with pytest.raises(ValueError, match="'sex' has missing values"):
        rake(PEOPLE.assign(sex=[None, "m", "m", "w", "w", "w"]), MARGINS)


def test_equal_weights_give_the_plain_mean_and_its_error():
    equal = pd.Series(3.0, index=PEOPLE.index)
    estimate, se = hajek_mean(PEOPLE["y"], equal)
    assert estimate == pytest.approx(PEOPLE["y"].mean())
    assert se == pytest.approx(PEOPLE["y"].std(ddof=1) / np.sqrt(len(PEOPLE)))
    assert effective_sample_size(equal) == pytest.approx(len(PEOPLE))


def test_weighted_mean_and_its_error_by_hand():
    y, weight = pd.Series([1, 0]), pd.Series([3, 1])
    estimate, se = hajek_mean(y, weight)
    assert estimate == 0.75
    # Influences: 3 * 0.25 / 4 and 1 * -0.75 / 4; the correction for two respondents is 2 / 1.
    assert se == pytest.approx(np.sqrt(2 * (2 * 0.1875**2)))


def test_effective_sample_size_by_hand():
    assert effective_sample_size(pd.Series([100, 100], dtype="int8")) == 2
    assert effective_sample_size(pd.Series([1, 1, 1, 3])) == pytest.approx(36 / 12)
    assert effective_sample_size(pd.Series([0, 0, 5])) == pytest.approx(1)


@pytest.mark.parametrize(
    ("y", "weight", "error", "message"),
    [
        (PEOPLE["y"], pd.Series([1.0] * 5), ValueError, "^y and weight have different indexes$"),
        ([1, 0], pd.Series([1.0] * 2), TypeError, "y is of type list; pass a pandas Series"),
        (PEOPLE["y"], [1.0] * 6, TypeError, "weight is of type list; pass a pandas Series"),
        (
            pd.Series([1, None, 0], dtype="Int64"),
            pd.Series([1] * 3),
            ValueError,
            r"y is missing or infinite in 1 row\(s\)",
        ),
        (PEOPLE["y"], pd.Series([-1.0] + [1.0] * 5), ValueError, "weight is negative"),
        (PEOPLE["y"], pd.Series([0.0] * 6), ValueError, "sums to zero"),
        (PEOPLE["y"], pd.Series([np.inf] + [1.0] * 5), ValueError, "weight is infinite"),
        (PEOPLE["sex"], pd.Series([1.0] * 6), TypeError, "y is not numeric"),
        (PEOPLE["y"].where(PEOPLE["y"] > 0), pd.Series([1.0] * 6), ValueError, "y is missing"),
        (PEOPLE["y"].head(1), pd.Series([1.0]), ValueError, "at least two"),
    ],
)
def test_bad_weighted_means_are_refused(y, weight, error, message):
    with pytest.raises(error, match=message):
        hajek_mean(y, weight)


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (pd.Series([1, -1, 3]), ValueError, r"weight is negative in 1 row\(s\), at index 1"),
        (pd.Series([1, np.nan]), ValueError, "weight is missing"),
        (pd.Series([1, np.inf]), ValueError, "weight is infinite"),
        (pd.Series([0, 0]), ValueError, "weight sums to zero; there is nobody to weight by"),
        (pd.Series(dtype=float), ValueError, "weight sums to zero"),
        (pd.Series(["1"]), TypeError, "weight is not numeric but str; convert it"),
        (np.ones(3), TypeError, "weight is of type ndarray; pass a pandas Series"),
    ],
)
def test_bad_weights_have_no_effective_size(weight, error, message):
    with pytest.raises(error, match=message):
        effective_sample_size(weight)
