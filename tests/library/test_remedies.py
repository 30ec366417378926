"""A refusal says what to do next, in the words of somebody who has a survey of their own."""

import numpy as np
import pandas as pd
import pytest

import synthetic
from mrp_helpers import (
    aggregate_cells,
    draw_biased_sample,
    effective_sample_size,
    evaluate,
    hajek_mean,
    plot_composition,
    plot_errors,
    plot_estimates,
    poststratify,
    rake,
    selection_weights,
    tabulate_estimates,
)
from mrp_helpers._require import require_columns
from test_model import build

# A survey and estimates whose columns are not called as the course's are.
SURVEY = pd.DataFrame({"district": list("aabb"), "bus": [1, 0, 1, 1], "w": [1.0, 2.0, 1.0, 1.0]})
ESTIMATES = pd.DataFrame(
    {"district": ["a", "b"], "estimate": [0.5, 1.0], "sd": 0.1, "lower": 0.4, "upper": 1.0}
)
TRUTH = pd.Series({"a": 0.4, "b": 0.9})
SHARES = {"district": TRUTH / TRUTH.sum()}
COLUMNS = "its columns are 'district', 'estimate', 'sd', 'lower', 'upper'"


def said_by(call):
    """What a refusal says; KeyError would put it into quotes."""
    with pytest.raises((KeyError, TypeError, ValueError)) as refusal:
        call()
    return refusal.value.args[0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: evaluate(ESTIMATES, TRUTH),
            f"estimates has no column 'state'; {COLUMNS}; name the right one with by=",
        ),
        (
            lambda: evaluate(ESTIMATES, TRUTH, by="districts"),
            "estimates has no column 'districts'; it has 'district' - rename it, or name the right "
            "one with by=",
        ),
        (
            lambda: plot_estimates({"MRP": ESTIMATES}),
            f"table 'MRP' has no column 'state'; {COLUMNS}; name the right one with by=",
        ),
        (
            lambda: tabulate_estimates({"MRP": ESTIMATES}),
            f"table 'MRP' has no column 'state'; {COLUMNS}; name the right one with by=",
        ),
        (
            lambda: plot_errors({"MRP": ESTIMATES}, TRUTH, TRUTH),
            f"table 'MRP' has no column 'state'; {COLUMNS}; name the right one with by=",
        ),
        (
            lambda: aggregate_cells(SURVEY),
            "respondents has no column 'state'; its columns are 'district', 'bus', 'w'; name the "
            "right one with by=",
        ),
        (
            lambda: aggregate_cells(SURVEY, by="district"),
            "respondents has no column 'abortion'; its columns are 'district', 'bus', 'w'; name "
            "the right one with outcome=",
        ),
        (
            lambda: plot_composition(SURVEY, ESTIMATES, "district"),
            f"frame has no column 'n'; {COLUMNS}; name the right one with population=",
        ),
    ],
)
def test_a_default_that_is_not_there_is_named_by_its_argument(call, said):
    assert said_by(call) == said


def test_a_frame_may_count_people_under_another_name():
    model = build()
    frame = synthetic.cells(seed=9).drop(columns=["n", "yes"]).assign(number=3)
    said = said_by(lambda: poststratify(model, synthetic.draws_for(model), frame))
    assert said.startswith("frame has no column 'n'; its columns are 'state', 'age', 'male', ")
    assert said.endswith("; name the right one with population=")


def test_what_is_needed_itself_is_no_misspelling():
    table = pd.DataFrame({"education": [1], "estimate": [0.5], 7: [1]})
    for column, needed, remedy in [
        ("edu", [], "it has 'education' - rename it"),  # a longer word
        ("e", [], "its columns are 'education', 'estimate', 7"),  # one letter says nothing
        ("state", [], "it has 'estimate' - rename it"),
        ("state", ["estimate"], "its columns are 'education', 'estimate', 7"),
    ]:
        said = said_by(lambda: require_columns(table, [column, *needed], "frame"))  # noqa: B023
        assert said == f"frame has no column {column!r}; {remedy}"
    said = said_by(lambda: require_columns(table.set_index("education"), ["education"], "frame"))
    assert said.endswith("; its index has that name - call .reset_index() first")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: rake(SURVEY, SHARES, base_weight="w"),
            "base_weight is of type str; pass a pandas Series, such as sample['w']",
        ),
        (
            lambda: rake(SURVEY, SHARES, base_weight=SURVEY[["w"]]),
            "base_weight is of type DataFrame; pass a pandas Series, such as one of its columns",
        ),
        (
            lambda: aggregate_cells(SURVEY, "district", "bus", weight="w"),
            "weight is of type str; pass a pandas Series, such as respondents['w']",
        ),
        (
            lambda: draw_biased_sample(SURVEY, "w", 1),
            "weights is of type str; pass a pandas Series, such as respondents['w']",
        ),
        (
            lambda: hajek_mean("bus", SURVEY["w"]),
            "y is of type str; pass a pandas Series, such as table['bus']",
        ),
        (
            lambda: hajek_mean(SURVEY["bus"], "w"),
            "weight is of type str; pass a pandas Series, such as table['w']",
        ),
        (
            lambda: effective_sample_size(np.ones(4)),
            "weight is of type ndarray; pass a pandas Series, such as "
            "pd.Series(..., index=table.index)",
        ),
        (
            lambda: effective_sample_size(None),
            "weight is of type NoneType; pass a pandas Series",
        ),
        (
            lambda: rake(SURVEY, {"district": {"a": 0.5, "b": 0.5}}),
            "margin 'district' is of type dict; pass a pandas Series, such as pd.Series(...) of it",
        ),
        (
            lambda: rake(SURVEY, {"district": [0.5, 0.5]}),
            "margin 'district' is of type list; pass a pandas Series, such as "
            "frame.groupby('district')['n'].sum()",
        ),
        (
            lambda: rake(SURVEY, {("district", "bus"): SURVEY}),
            "margin ('district', 'bus') is of type DataFrame; pass a pandas Series, such as "
            "frame.groupby(['district', 'bus'])['n'].sum()",
        ),
        (
            lambda: rake(SURVEY, TRUTH),
            "margins is of type Series; pass a mapping, such as "
            "{'age': frame.groupby('age')['n'].sum()}",
        ),
        (
            lambda: evaluate(ESTIMATES, {"a": 0.4}, by="district"),
            "truth is of type dict; pass a pandas Series, such as pd.Series(...) of it",
        ),
        (
            lambda: evaluate(ESTIMATES, "share", by="district"),
            "truth is of type str; pass a pandas Series, such as "
            "table.set_index('district')['share']",
        ),
        (
            lambda: plot_errors({"MRP": ESTIMATES}, TRUTH, "asked", by="district"),
            "respondents is of type str; pass a pandas Series, such as "
            "table.set_index('district')['asked']",
        ),
        (
            lambda: plot_estimates(ESTIMATES),
            "tables is of type DataFrame; pass a mapping, such as {'MRP': table}",
        ),
        (
            lambda: selection_weights(
                SURVEY.assign(state="AL"), pd.DataFrame({"state": ["AL"]}), "w"
            ),
            "recipe is of type str; pass a mapping, such as {'repvote': 5.0, 'age': {'70+': 8.0}}",
        ),
    ],
)
def test_what_was_given_is_shown_in_the_form_that_is_needed(call, said):
    assert said_by(call) == said


@pytest.mark.parametrize(
    ("answers", "values", "first"),
    [
        (["no", "yes", "no", "yes"], "'no', 'yes'", "'no'"),
        ([1, 2, 2, 1], "1, 2", "1"),
        ([0.0, 0.5, 1.0, 0.5], "0.0, 0.5, 1.0", "0.0"),
    ],
)
def test_answers_that_are_not_coded_are_listed(answers, values, first):
    said = said_by(lambda: aggregate_cells(SURVEY.assign(bus=answers), "district", "bus"))
    assert said == (
        f"respondents: column 'bus' holds something other than 0 and 1; its values are {values}: "
        f"count one answer against all others, such as (respondents['bus'] == {first}).astype(int)"
    )


def test_of_many_answers_a_few_are_listed():
    survey = pd.DataFrame({"district": "a", "bus": range(9)})
    said = said_by(lambda: aggregate_cells(survey, "district", "bus"))
    assert "its values are 0, 1, 2, 3, 4 and 4 more: count" in said


def test_answers_that_are_words_have_no_mean():
    y = pd.Series(["yes", "no", "yes", "perhaps", "never"])
    assert said_by(lambda: hajek_mean(y, SURVEY["w"].reindex(y.index, fill_value=1))) == (
        "y is not numeric but str, with values such as 'yes', 'no', 'perhaps' and 1 more; code the "
        "answers as numbers first"
    )


def test_an_area_without_respondents_cannot_be_raked():
    margin = pd.Series({"a": 0.4, "b": 0.4, "c": 0.2})
    assert said_by(lambda: rake(SURVEY, {"district": margin})) == (
        "sample has no respondents with district = 'c', so no weight can stand for them; merge "
        "these levels with others in sample and margin, or drop them from the margin and estimate "
        "for the others only. MRP estimates them, too: poststratify(..., new_levels='population')"
    )
