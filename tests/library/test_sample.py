"""Selection on purpose reproduces the published sample, and refuses weights that make none."""

import numpy as np
import pandas as pd
import pytest

from mrp_helpers import (
    CELL,
    PUBLISHED_SELECTION,
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    load_cces,
    load_state_predictors,
    selection_weights,
)
from test_recode import STATES_NUMBERED_1_TO_50


@pytest.fixture(scope="module")
def respondents():
    return clean_cces(load_cces())


@pytest.fixture(scope="module")
def predictors():
    return load_state_predictors()


@pytest.fixture(scope="module")
def weights(respondents, predictors):
    return selection_weights(respondents, predictors)


def test_fingerprint_of_the_biased_sample(respondents, weights):
    sample = draw_biased_sample(respondents, weights)
    assert len(sample) == 5000
    assert sample["abortion"].mean() == pytest.approx(0.4738)
    assert sample["state"].nunique() == 50
    cells = aggregate_cells(sample)
    assert len(cells) == 2173
    assert cells["n"].sum() == 5000
    assert cells["abortion"].sum() == 2369


def test_fingerprint_of_the_published_sample(predictors):
    published = clean_cces(
        load_cces(), state_codes=STATES_NUMBERED_1_TO_50, on_unknown_state="drop"
    )
    sample = draw_biased_sample(published, selection_weights(published, predictors))
    assert sample["abortion"].mean() == pytest.approx(0.4674)
    assert sample["state"].nunique() == 46
    assert len(aggregate_cells(sample)) == 2088


def test_weight_of_one_person_by_hand(predictors):
    person = pd.DataFrame(
        {"state": ["WY", "AL"], "age": ["70+", "18-29"], "male": [0.5, -0.5], "eth": ["White"] * 2}
    )
    recipe = {**PUBLISHED_SELECTION, "age": {"70+": 8, "18-29": 0.5}}
    expected = [5 * 0.757053 + 8 + 20 + 1.05, 5 * 0.643741 + 0.5 + 1.05]
    assert selection_weights(person, predictors, recipe).to_list() == pytest.approx(
        expected, abs=1e-5
    )


def test_level_that_never_fires_is_refused(respondents, predictors):
    with pytest.raises(ValueError, match="male = 1, which nobody has; the levels are -0.5, 0.5"):
        selection_weights(respondents, predictors, {"male": {1: 20}})


def test_recipe_with_an_unknown_column(respondents, predictors):
    with pytest.raises(KeyError, match="no column 'income'"):
        selection_weights(respondents, predictors, {"income": 2})


@pytest.mark.parametrize(
    ("change", "recipe", "error", "message"),
    [
        (lambda r, p: (None, p), {}, TypeError, "respondents is of type NoneType; pass a pandas"),
        (lambda r, p: (r, p.to_dict()), {}, TypeError, "predictors is of type dict; pass a pandas"),
        (lambda r, p: (r, p), None, TypeError, "recipe is of type NoneType"),
        (lambda r, p: (r, p), {"eth": 2.0}, TypeError, "eth, which the recipe multiplies, is not"),
        (lambda r, p: (r, p), {}, ValueError, "selection weight sums to zero"),
        (lambda r, p: (r, p), {"repvote": np.nan}, ValueError, "selection weight is missing"),
        (lambda r, p: (r, p), {"repvote": np.inf}, ValueError, "selection weight is infinite"),
        (lambda r, p: (r, pd.concat([p, p.iloc[:1]])), {}, ValueError, "more than one row .* 'AL'"),
        (
            lambda r, p: (r.assign(repvote=0.5), p),
            {"repvote": 1},
            ValueError,
            "both have column 'repvote'; drop one",
        ),
        (
            lambda r, p: (r.assign(age=r["age"].where(r.index != 3)), p),
            {"age": {"70+": 8}},
            ValueError,
            r"age is missing in 1 row\(s\)",
        ),
        (lambda r, p: (r.head(0), p), {"age": {"70+": 8}}, ValueError, "which nobody has"),
        (
            lambda r, p: (r.drop(columns="state"), p),
            {},
            KeyError,
            "respondents has no column 'state'",
        ),
        (
            lambda r, p: (r, p.drop(columns="state")),
            {},
            KeyError,
            "predictors has no column 'state'",
        ),
    ],
)
def test_bad_recipes_and_tables_are_refused(
    respondents, predictors, change, recipe, error, message
):
    with pytest.raises(error, match=message):
        selection_weights(*change(respondents, predictors), recipe)


def test_state_without_predictors_is_named(respondents, predictors):
    with pytest.raises(ValueError, match="no row for state 'TX'"):
        selection_weights(respondents, predictors[predictors["state"] != "TX"])


def test_recipe_that_makes_negative_weights(respondents, predictors):
    with pytest.raises(ValueError, match="selection weight is negative in"):
        selection_weights(respondents, predictors, {"repvote": -1})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.where(w.index != 3, -1.0), r"negative in 1 row\(s\), at index 3"),
        (lambda w: w.where(w.index != 3), r"missing in 1 row\(s\), at index 3"),
        (lambda w: w.where(w.index != 3, np.inf), r"infinite in 1 row\(s\), at index 3"),
        (lambda w: w * 0, "sums to zero"),
        (lambda w: w.iloc[:-1], "different indexes"),
    ],
)
def test_bad_weights_are_refused(respondents, weights, change, message):
    with pytest.raises(ValueError, match=message):
        draw_biased_sample(respondents, change(weights))


def test_weights_of_text_are_refused(respondents, weights):
    with pytest.raises(TypeError, match="not numeric"):
        draw_biased_sample(respondents, weights.astype(str))


def test_more_than_there_are_cannot_be_drawn(respondents, weights):
    with pytest.raises(ValueError, match="59,810 of 59,810 respondents have a weight"):
        draw_biased_sample(respondents, weights, n=59_811)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n": 0}, ValueError, "n is 0; it must be 1 or more"),
        ({"n": -1}, ValueError, "n is -1; it must be 1 or more"),
        ({"n": 10.5}, TypeError, "n is 10.5; pass a whole number"),
        ({"n": "10"}, TypeError, "n is '10'; pass a whole number"),
        ({"n": True}, TypeError, "n is True; pass a whole number"),
        ({"seed": -1}, ValueError, "seed is -1; it must be 0 or more"),
        ({"seed": "x"}, TypeError, "seed is 'x'; pass a whole number"),
    ],
)
def test_bad_size_and_seed_are_refused(respondents, weights, options, error, message):
    with pytest.raises(error, match=message):
        draw_biased_sample(respondents, weights, **options)


def test_lists_are_refused(respondents, weights):
    with pytest.raises(TypeError, match="weights is of type list; pass a pandas Series"):
        draw_biased_sample(respondents, list(weights))
    with pytest.raises(TypeError, match="respondents is of type list; pass a pandas DataFrame"):
        draw_biased_sample([1, 2], weights)


def test_only_people_with_weight_can_be_drawn(respondents):
    women = (respondents["male"] < 0).astype(float)
    assert (draw_biased_sample(respondents, women, n=100)["male"] < 0).all()
    with pytest.raises(ValueError, match="cannot be drawn without replacement"):
        draw_biased_sample(respondents, women, n=59_000)


def test_cells_add_up_whatever_defines_them(respondents):
    for by in (CELL, ["state"], ["age", "edu"]):
        cells = aggregate_cells(respondents, by=by)
        assert cells["n"].sum() == len(respondents)
        assert cells["abortion"].sum() == respondents["abortion"].sum()
        assert (cells["n"] > 0).all()
    assert len(aggregate_cells(respondents)) == 6603
    pd.testing.assert_frame_equal(
        aggregate_cells(respondents, by="state"), aggregate_cells(respondents, by=["state"])
    )


@pytest.mark.parametrize("by", [[], ["age", "age"], ["abortion"], ["n"]])
def test_columns_that_make_no_table_of_cells(respondents, by):
    with pytest.raises(ValueError, match="makes no table of cells: name at least one column, each"):
        aggregate_cells(respondents.assign(n=1), by=by)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda r: r.drop(columns="edu"), KeyError, "no column 'edu'"),
        (lambda r: None, TypeError, "respondents is of type NoneType; pass a pandas DataFrame"),
        (lambda r: r.head(0), ValueError, "no rows"),
        (lambda r: r.rename(columns={"abortion": "vote"}), KeyError, "no column 'abortion'"),
        (lambda r: r.astype({"abortion": str}), ValueError, "other than 0 and 1"),
        (lambda r: r.assign(abortion=0.5), ValueError, "other than 0 and 1"),
        (lambda r: r.assign(age=None), ValueError, "column 'age' has missing values"),
    ],
)
def test_bad_respondents_are_refused(respondents, change, error, message):
    with pytest.raises(error, match=message):
        aggregate_cells(change(respondents))
