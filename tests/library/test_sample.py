"""Selection on purpose reproduces the published sample, and refuses weights that make none."""

import itertools
from decimal import Decimal

import bambi as bmb
import numpy as np
import pandas as pd
import pytest

from mrp_helpers import (
    CELL,
    PUBLISHED_SELECTION,
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    effective_sample_size,
    hajek_mean,
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


def test_weights_have_a_name_and_may_depend_on_the_state_itself(respondents, predictors, weights):
    assert weights.name == "weight"
    people = pd.DataFrame({"state": ["WY", "AL", "WY"]}, index=[4, 2, 7])
    by_state = selection_weights(people, predictors, {"state": {"WY": 3.0, "AL": 1.0}})
    pd.testing.assert_series_equal(
        by_state, pd.Series([3.0, 1.0, 3.0], index=[4, 2, 7], name="weight")
    )


def test_level_that_never_fires_is_refused(respondents, predictors):
    with pytest.raises(ValueError, match="male = 1, which nobody has; the levels are -0.5, 0.5"):
        selection_weights(respondents, predictors, {"male": {1: 20}})


def test_recipe_with_an_unknown_column(respondents, predictors):
    message = "^.the table of respondents and predictors has no column 'income'; its columns are"
    with pytest.raises(KeyError, match=message):
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
        (
            lambda w: w.where(w.index != 3, -1.0),
            r"^the selection weight is negative in 1 row\(s\), at index 3",
        ),
        (lambda w: w.where(w.index != 3), r"missing in 1 row\(s\), at index 3"),
        (lambda w: w.where(w.index != 3, np.inf), r"infinite in 1 row\(s\), at index 3"),
        (lambda w: w * 0, "sums to zero"),
        (
            lambda w: w.iloc[:-1],
            "^weights and respondents have different indexes; compute them together$",
        ),
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


@pytest.mark.parametrize(
    "answers",
    [
        pd.Categorical([1, 0, 1]),
        pd.Series([1, 0, 1], dtype=object),
        [Decimal(1), Decimal(0), Decimal(1)],
        [True, False, True],
        pd.array([1, 0, 1], dtype="Int8"),
        [1.0, 0.0, 1.0],
    ],
    ids=["category", "object", "decimal", "boolean", "nullable", "float"],
)
def test_type_of_the_answers_does_not_matter(answers):
    people = pd.DataFrame({"sex": ["m", "w", "m"], "vote": answers, "notes": [[1], [2], [3]]})
    cells = aggregate_cells(people, "sex", "vote")
    assert cells.to_dict("list") == {"sex": ["m", "w"], "n": [2, 1], "vote": [2, 0]}
    assert cells["vote"].dtype == cells["n"].dtype == "int64"


@pytest.mark.parametrize(
    ("change", "by", "outcome", "error", "message"),
    [
        ({"vote": pd.array([1, None, 0], "Int8")}, "sex", "vote", ValueError, "missing in 1 row"),
        ({"sex": [[1], [2], [3]]}, "sex", "vote", TypeError, "'sex' holds values of the kind list"),
        ({"sex": [1, "m", 2]}, "sex", "vote", TypeError, "'sex' mixes values of the types"),
        ({}, 3, "vote", TypeError, "^by is 3; pass the name of a column"),
        ({}, "sex", None, TypeError, "^outcome is of type NoneType; pass a str"),
        ({"n": 1}, "sex", "n", ValueError, "none 'n', which counts respondents; rename columns"),
        ({}, ["sex", "vote"], "vote", ValueError, "makes no table of cells"),
    ],
)
def test_columns_that_cannot_be_counted_are_refused(change, by, outcome, error, message):
    people = pd.DataFrame({"sex": ["m", "w", "m"], "vote": [1, 0, 1]}).assign(**change)
    with pytest.raises(error, match=message):
        aggregate_cells(people, by, outcome)


def test_a_level_of_the_recipe_is_no_boolean():
    """True equals 1 in Python: the recipe would pass as known, and never count."""
    people = pd.DataFrame({"state": ["AL", "AK"], "union": [True, False]})
    states = pd.DataFrame({"state": ["AL", "AK"], "repvote": [0.6, 0.5]})
    with pytest.raises(ValueError, match="union = 1, which nobody has; the levels are False, True"):
        selection_weights(people, states, {"repvote": 1, "union": {1: 5}})
    weights = selection_weights(people, states, {"repvote": 1, "union": {True: 5}})
    assert weights.to_list() == [5.6, 0.5]


def test_weights_are_matched_by_the_name_of_their_index():
    people = pd.DataFrame({"sex": ["m", "w"]}).rename_axis("person")
    weights = pd.Series([1, 2]).rename_axis("household")
    with pytest.raises(ValueError, match="one is named 'person', the other 'household'"):
        draw_biased_sample(people, weights, n=1)


# Cells of weighted respondents.

PANEL = pd.DataFrame(
    {
        "town": ["a", "a", "a", "b", "b", "c"],
        "vote": [1, 0, 1, 0, 1, 1],
        "weight": [1.0, 1.0, 2.0, 3.0, 3.0, 0.0],
    },
    index=[7, 7, 3, 5, 9, 2],
)


def test_weighted_cells_by_hand():
    cells = aggregate_cells(PANEL, "town", "vote", weight=PANEL["weight"])
    # In a: 4 squared over 1 + 1 + 4, of which three quarters are positive. Nobody weighs in c.
    expected = pd.DataFrame({"town": ["a", "b"], "n": [16 / 6, 2.0], "vote": [2.0, 1.0]})
    pd.testing.assert_frame_equal(cells, expected)


def test_effective_number_is_that_of_the_cell_alone(respondents):
    weight = respondents["commonweight"]
    cells = aggregate_cells(respondents, ["male", "edu"], weight=weight)
    for (male, edu), people in respondents.groupby(["male", "edu"]):
        cell = cells[(cells["male"] == male) & (cells["edu"] == edu)].iloc[0]
        own = weight[people.index]
        assert cell["n"] == pytest.approx(effective_sample_size(own))
        assert cell["abortion"] / cell["n"] == pytest.approx(hajek_mean(people["abortion"], own)[0])
        spread = own.std(ddof=0) / own.mean()  # as Ghitza and Gelman write the design effect
        assert cell["n"] == pytest.approx(len(people) / (1 + spread**2))


def test_categories_that_nobody_has_make_no_weighted_cells():
    towns = pd.Categorical(PANEL["town"], categories=["a", "b", "c", "nowhere"])
    cells = aggregate_cells(PANEL.assign(town=towns), "town", "vote", weight=PANEL["weight"])
    assert cells["town"].to_list() == ["a", "b"]


@pytest.mark.parametrize("weight", [[1.0, 2.0, 5.0], [1.0, 1.0, 1.0, 1.0, 9.0], [3.0]])
def test_effective_number_gives_the_variance_of_a_weighted_share(weight):
    """What the design effect means, from all answers that so many respondents can give."""
    chance, number = 0.3, len(weight)
    shares, chances = [], []
    for answers in itertools.product([0, 1], repeat=number):
        people = pd.DataFrame({"town": "a", "vote": answers})
        cell = aggregate_cells(people, "town", "vote", weight=pd.Series(weight)).iloc[0]
        shares.append(cell["vote"] / cell["n"])
        chances.append(chance ** sum(answers) * (1 - chance) ** (number - sum(answers)))
    mean = np.average(shares, weights=chances)
    variance = np.average((shares - mean) ** 2, weights=chances)
    assert mean == pytest.approx(chance)
    assert variance == pytest.approx(chance * (1 - chance) / cell["n"])


def test_weights_that_are_equal_within_cells_change_nothing(respondents):
    weight = respondents["male"].map({0.5: 3.0, -0.5: 1e200})
    pd.testing.assert_frame_equal(
        aggregate_cells(respondents, weight=weight),
        aggregate_cells(respondents).astype({"n": float, "abortion": float}),
    )


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (PANEL["weight"].reset_index(drop=True), ValueError, "^respondents and weight have diff"),
        (PANEL["weight"].to_list(), TypeError, "weight is of type list; pass a pandas Series"),
        ("weight", TypeError, "weight is of type str; pass a pandas Series"),
        (-PANEL["weight"], ValueError, "weight is negative"),
        (PANEL["weight"] * 0, ValueError, "weight sums to zero"),
        (PANEL["weight"] * np.nan, ValueError, "weight is missing"),
        (PANEL["weight"].astype(str), TypeError, "weight is not numeric"),
    ],
)
def test_bad_weights_make_no_cells(weight, error, message):
    with pytest.raises(error, match=message):
        aggregate_cells(PANEL, "town", "vote", weight=weight)


def test_effective_counts_enter_a_model_as_weighted_answers():
    """The way round that the docstring of `aggregate_cells` shows, against the binomial formula."""
    cells = pd.DataFrame({"x": [0.0, 1, 2], "n": [3.5, 2.25, 7.1], "yes": [1.2, 2.25, 0.4]})
    with pytest.raises(ValueError, match="must be a collection of integer numbers"):
        bmb.Model("p(yes, n) ~ x", cells, family="binomial")
    answers = [cells.assign(answer=1, times=cells["yes"])]
    answers.append(cells.assign(answer=0, times=cells["n"] - cells["yes"]))
    likelihood = bmb.Likelihood("Bernoulli", params=["p"], parent="p")
    model = bmb.Model(
        "weighted(answer, times) ~ 0 + x",
        pd.concat(answers, ignore_index=True),
        family=bmb.Family("bernoulli", likelihood, "logit"),
    )
    model.build()
    logp = model.backend.model.compile_logp(vars=model.backend.model.observed_RVs)
    for slope in (-0.7, 0.4):
        p = 1 / (1 + np.exp(-slope * cells["x"]))
        expected = cells["yes"] * np.log(p) + (cells["n"] - cells["yes"]) * np.log(1 - p)
        assert logp({"x": np.array(slope)}) == pytest.approx(expected.sum())
