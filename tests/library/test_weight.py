"""Raking and weighted means, held against a survey library and against cases made by hand."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars
import pytest
import svy
from scipy.optimize import minimize

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
        ([MARGINS["sex"]], TypeError, "margins is of type list; pass a mapping, such as {'age': "),
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
            "no respondents with sex = 'x'.*stand for them; merge these levels .* and margin, or "
            r"drop them from the margin and estimate for the others only. MRP estimates them, too: "
            r"poststratify\(..., new_levels='population'\)$",
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


# Margins of several columns.

CROWD = pd.DataFrame({"sex": list("mmwwmw"), "old": [0, 1, 0, 1, 1, 0], "town": list("aabbab")})
JOINT = pd.Series({("m", 0): 10, ("m", 1): 30, ("w", 0): 40, ("w", 1): 20}).rename_axis(
    ["sex", "old"]
)


def test_a_joint_margin_by_hand():
    weights = rake(CROWD, {("sex", "old"): JOINT})
    # Shares 0.1, 0.3, 0.4, 0.2 of six people in groups of 1, 2, 2, 1.
    np.testing.assert_allclose(weights, [0.6, 0.9, 1.2, 1.2, 0.9, 1.2])


@pytest.mark.parametrize(
    "margins",
    [
        {("old", "sex"): JOINT},
        {("sex", "old"): JOINT.swaplevel()},
        {"who they are": JOINT.swaplevel()},
        {("sex", "old"): JOINT.rename_axis([None, None])},
        {("old", "sex"): JOINT.swaplevel().rename_axis([None, None])},
        {("sex", "old"): JOINT / 100, "town": pd.Series({"a": 40, "b": 60})},
    ],
)
def test_levels_with_names_are_matched_by_name(margins):
    # The towns' shares follow from the others here: all men live in a.
    np.testing.assert_allclose(rake(CROWD, margins), rake(CROWD, {("sex", "old"): JOINT}))


def test_columns_may_be_numbered():
    numbered = CROWD.rename(columns={"sex": 1, "old": 2})
    margin = JOINT.rename_axis([1, 2])
    for margins in ({(2, 1): margin}, {"both": margin}):
        np.testing.assert_allclose(rake(numbered, margins), rake(CROWD, {"both": JOINT}))


def test_a_joint_margin_is_the_margin_of_the_pasted_columns():
    rng = np.random.default_rng(5)
    people = pd.DataFrame({name: rng.integers(0, 3, 200) for name in ["a", "b", "c"]})
    joint = people.groupby(["a", "b"]).size() * rng.uniform(0.5, 2, 9)
    c = pd.Series([0.5, 0.3, 0.2])
    pasted = joint.set_axis([f"{a}-{b}" for a, b in joint.index])
    both = people.assign(ab=people["a"].astype(str) + "-" + people["b"].astype(str))
    expected = rake(both, {"ab": pasted, "c": c})
    np.testing.assert_allclose(rake(people, {"x": joint, "c": c}), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("margins", "error", "message"),
    [
        (
            {"sex": pd.Series({"m": 1, "w": 1}).rename_axis("gender")},
            ValueError,
            r"^margin 'sex' is indexed by 'gender' and not by 'sex'; labels are matched by name: "
            r"where they mean the same, rename them with .rename_axis\(\['sex'\]\)$",
        ),
        ({("sex", "town"): JOINT}, ValueError, "indexed by 'sex', 'old' and not by 'sex', 'town'"),
        ({("sex", "old"): JOINT.rename_axis(["sex", None])}, ValueError, "by 'sex', None and not"),
        ({("sex", "sex"): JOINT}, ValueError, r"\('sex', 'sex'\) names a column more than once$"),
        ({("sex",): JOINT}, ValueError, "is indexed by 2 level.* and by names 1: 'sex'"),
        ({"sex": JOINT}, ValueError, "'sex' is indexed by several levels.*or sum it over all but"),
        ({"x": JOINT.rename_axis([None, None])}, ValueError, "give the tuple of their columns"),
        ({("sex", "age"): JOINT.rename_axis(["sex", "age"])}, KeyError, "no column 'age'"),
        ({("sex", "old"): JOINT.drop(("m", 0))}, ValueError, r"nobody in level \('m', 0\), which"),
        (
            {("town", "sex"): pd.Series({("a", "m"): 1, ("b", "w"): 1, ("a", "w"): 1})},
            ValueError,
            r"no respondents with town, sex = \('a', 'w'\), so",
        ),
        ({"sex": pd.Series([1, 2, 3], ["m", "w", None])}, ValueError, "a level without a name"),
        ({"old": pd.Series({True: 1, False: 1})}, TypeError, "'old' holds numbers, such as 0, and"),
        ({"old": pd.Series({"0": 1, "1": 1})}, TypeError, "levels of margin 'old' hold text, such"),
        (
            {"sex": pd.Series({"m": 50.1, "w": 50}), "old": pd.Series({0: 40, 1: 60})},
            ValueError,
            r"only rounded, turn each into shares: margin / margin.sum\(\)$",
        ),
        (
            {"sex": pd.Series({"m": Decimal(1), "w": Decimal(1)})},
            TypeError,
            r"not numeric but object; its values are objects such as Decimal\('1'\): convert it",
        ),
    ],
)
def test_margins_that_are_of_something_else_are_refused(margins, error, message):
    with pytest.raises(error, match=message):
        rake(CROWD, margins)


def test_lists_in_a_column_matter_only_where_it_is_raked():
    lists = CROWD.assign(answers=[[1], [2]] * 3)
    np.testing.assert_allclose(rake(lists, {"x": JOINT}), rake(CROWD, {"x": JOINT}))
    with pytest.raises(TypeError, match="column 'answers' holds values of the kind list"):
        rake(lists, {"answers": pd.Series({1: 1})})


def test_a_polars_frame_is_told_apart_from_pandas_own():
    with pytest.raises(TypeError) as refusal:
        rake(polars.DataFrame({"sex": ["m"]}), MARGINS)
    assert str(refusal.value) == (
        "sample is of type polars DataFrame; pass a pandas DataFrame, which .to_pandas() makes of "
        "it"
    )


# Trimmed weights.


def test_trim_above_the_largest_weight_changes_nothing(sample, margins, raked):
    pd.testing.assert_series_equal(rake(sample, margins, trim=raked.max()), raked)


def test_trimmed_weights_still_meet_the_margins(sample, margins, raked):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it has nothing to warn of
        trimmed = rake(sample, margins, trim=5)
    assert raked.max() > 10 and trimmed.max() == 5
    assert trimmed.mean() == pytest.approx(1, abs=1e-12)
    assert effective_sample_size(trimmed) > effective_sample_size(raked)
    for column, margin in margins.items():
        found = weighted_shares(sample, trimmed, column)
        np.testing.assert_allclose(found, (margin / margin.sum())[found.index], atol=1e-8)


def test_trimmed_weights_are_products_of_factors_up_to_the_cap(sample, margins):
    trimmed = rake(sample, margins, trim=5)
    below = trimmed < 5
    design = pd.get_dummies(sample[COLUMNS].astype(str), dtype=float).to_numpy()
    factors = np.linalg.lstsq(design[below], np.log(trimmed[below]), rcond=None)[0]
    np.testing.assert_allclose(np.minimum(np.exp(design @ factors), 5), trimmed, rtol=1e-6)


def test_order_of_margins_does_not_matter_to_trimmed_weights(sample, margins):
    turned = dict(reversed(margins.items()))
    np.testing.assert_allclose(
        rake(sample, turned, trim=5, tol=1e-12), rake(sample, margins, trim=5, tol=1e-12), rtol=1e-7
    )


def test_trimmed_weights_are_the_closest_to_the_base_weights():
    """Found once more by a general optimiser: least Kullback-Leibler distance under the bound."""
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"a": rng.integers(0, 3, 40), "b": rng.integers(0, 3, 40)})
    margins = {"a": pd.Series([0.2, 0.5, 0.3]), "b": pd.Series([0.5, 0.3, 0.2])}
    base = pd.Series(rng.uniform(0.5, 2, 40))
    base /= base.mean()
    trim = 0.9 * rake(people, margins, base_weight=base).max()
    levels = [(people[name] == level) for name in margins for level in range(3)][:-1]
    totals = 40 * np.concatenate(list(margins.values()))[:-1]
    best = minimize(
        lambda w: np.sum(w * np.log(w / base) - w),
        np.ones(40),
        jac=lambda w: np.log(w / base),
        bounds=[(1e-6, trim)] * 40,
        constraints={"type": "eq", "fun": lambda w: np.array(levels) @ w - totals},
        options={"maxiter": 500, "ftol": 1e-14},
    )
    assert best.success
    found = rake(people, margins, base_weight=base, trim=trim)
    np.testing.assert_allclose(found, best.x, atol=1e-5)


def test_a_cap_that_keeps_a_margin_from_being_met_is_said():
    people = pd.DataFrame({"sex": ["m"] + ["w"] * 9, "old": [0, 1] * 5})
    margins = {"sex": pd.Series({"m": 0.5, "w": 0.5})}
    with pytest.warns(UserWarning) as told:
        weights = rake(people, margins, trim=2)
    assert str(told[0].message) == (
        "trim = 2 does not let the weighted sample meet all of its margins: sex = 'm' has a share "
        "of 0.2 and the population's is 0.5 (it misses by 0.3, more than any other level); allow "
        "larger weights, merge levels or drop a margin"
    )
    np.testing.assert_allclose(weights, [2] + [8 / 9] * 9)


def test_a_warning_says_where_rake_was_called():
    with pytest.warns(UserWarning) as told:
        rake(pd.DataFrame({"sex": ["m"] + ["w"] * 9}), {"sex": MARGINS["sex"]}, trim=2)
    assert told[0].filename == __file__


def test_what_one_level_cannot_carry_is_shared_by_the_others_of_its_margin():
    people = pd.DataFrame({"town": list("abbccccccc")})
    shares = pd.Series({"a": 0.5, "b": 0.3, "c": 0.2})
    with pytest.warns(UserWarning, match="town = 'a' has a share of 0.2 .* is 0.5"):
        weights = rake(people, {"town": shares}, trim=2)
    # At first b gets 8 * 0.3 / 0.5, more than its two people may carry.
    np.testing.assert_allclose(weights, [2, 2, 2] + [4 / 7] * 7)


def test_margins_that_contradict_each_other_under_the_cap_stay_as_near_as_they_can():
    people = pd.DataFrame({"a": [0, 0, 0, 1, 1, 1] * 5, "b": [0, 1, 1, 0, 0, 0] * 5})
    margins = {"a": pd.Series({0: 0.3, 1: 0.7}), "b": pd.Series({0: 0.4, 1: 0.6})}
    with pytest.raises(RuntimeError, match="did not converge"):
        rake(people, margins, trim=1.7)  # whatever the cap: all in b = 1 are in a = 0
    margins = {"a": pd.Series({0: 0.62, 1: 0.38}), "b": pd.Series({0: 0.4, 1: 0.6})}
    with pytest.warns(UserWarning, match="trim = 1.7 does not let .* more than any other level"):
        weights = rake(people, margins, trim=1.7)
    assert weights.max() <= 1.7 and weights.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("trim", "error", "message"),
    [
        (1, ValueError, "^trim is 1; weights have mean 1, so give a number above 1$"),
        (0.5, ValueError, "trim is 0.5"),
        (np.nan, ValueError, "trim is nan"),
        ("5", TypeError, "^trim is '5'; pass a number above 1, or None for no bound$"),
        (True, TypeError, "trim is True"),
    ],
)
def test_bad_caps_are_refused(trim, error, message):
    with pytest.raises(error, match=message):
        rake(PEOPLE, MARGINS, trim=trim)


# Weights of any size.


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e308, 5e-324])
def test_size_of_the_weights_does_not_matter(scale):
    weights = pd.Series([1.0, 1.0, 2.0 if scale < 1e308 else 1.0, 1.0]) * scale
    expected = 25 / 7 if scale < 1e308 else 4
    assert effective_sample_size(weights) == pytest.approx(expected)
    plain = pd.Series(weights.to_numpy() / scale)
    y = pd.Series([1, 0, 1, 0])
    assert hajek_mean(y, weights) == pytest.approx(hajek_mean(y, plain))
    people = pd.DataFrame({"sex": list("mwmw")})
    margin = {"sex": pd.Series({"m": 0.3, "w": 0.7})}
    found = rake(people, margin, base_weight=weights)
    np.testing.assert_allclose(found, rake(people, margin, base_weight=plain))


def test_rows_are_matched_by_the_names_of_their_index_too():
    y = pd.Series([1, 0], index=pd.MultiIndex.from_tuples([(1, 1), (2, 2)], names=["a", "b"]))
    weight = pd.Series([3, 1], index=y.index.swaplevel())
    with pytest.raises(ValueError) as refusal:
        hajek_mean(y, weight)
    assert str(refusal.value) == (
        "y and weight have different indexes: one is named 'a', 'b', the other 'b', 'a'; rename or "
        "reorder the levels of one"
    )
    assert hajek_mean(y, weight.rename_axis(["a", "b"]))[0] == 0.75
    assert hajek_mean(y, weight.rename_axis([None, None]))[0] == 0.75
    people = pd.DataFrame({"sex": ["m", "w"]}).rename_axis("person")
    base = pd.Series([1, 2]).rename_axis("household")
    with pytest.raises(ValueError, match="base_weight and sample have different indexes: one is"):
        rake(people, {"sex": MARGINS["sex"]}, base_weight=base)


def test_complex_numbers_are_no_weights_and_no_answers():
    with pytest.raises(TypeError, match="weight is not numeric but complex128"):
        effective_sample_size(pd.Series([1j, 2]))
    with pytest.raises(TypeError, match="y is not numeric but complex128"):
        hajek_mean(pd.Series([1j, 2]), pd.Series([1, 2]))


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
