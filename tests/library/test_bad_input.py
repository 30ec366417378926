"""Every public function meets bad input in some test, and names what is wrong and the remedy.

The table below names those tests. A function that is new in `mrp_helpers.__all__` fails here until
it has its own, and until it refuses arguments of a wrong kind by their name.
"""

import importlib
import inspect
import re

import bambi as bmb
import pandas as pd
import pytest

import mrp_helpers
import synthetic

# For each public function the tests that give it bad input.
BAD_INPUT = {
    "aggregate_cells": [
        "test_sample::test_bad_respondents_are_refused",
        "test_sample::test_columns_that_make_no_table_of_cells",
        "test_sample::test_columns_that_cannot_be_counted_are_refused",
        "test_sample::test_bad_weights_make_no_cells",
    ],
    "clean_cces": [
        "test_recode::test_unknown_outcome_lists_the_known_ones",
        "test_recode::test_missing_column_is_named",
        "test_recode::test_unknown_code_is_refused",
        "test_recode::test_unknown_answer_is_refused",
        "test_recode::test_impossible_birth_year_is_refused",
        "test_recode::test_published_lookup_is_refused_by_default",
        "test_recode::test_unknown_choice_for_unknown_states",
        "test_recode::test_codes_that_are_text_or_missing_are_refused",
    ],
    "draw_biased_sample": [
        "test_sample::test_bad_weights_are_refused",
        "test_sample::test_weights_of_text_are_refused",
        "test_sample::test_more_than_there_are_cannot_be_drawn",
        "test_sample::test_bad_size_and_seed_are_refused",
    ],
    "effective_sample_size": ["test_weight::test_bad_weights_have_no_effective_size"],
    "evaluate": [
        "test_evaluate::test_bad_tables_are_refused",
        "test_evaluate::test_groups_must_be_named_as_the_truth_is",
        "test_evaluate::test_a_name_that_is_not_asked_for_is_refused",
        "test_evaluate::test_groups_may_not_be_named_like_estimates",
        "test_evaluate::test_labels_that_cannot_name_a_group_are_refused",
    ],
    "fit_or_load": [
        "test_model::test_name_must_be_a_plain_word",
        "test_model::test_things_of_another_kind_are_refused",
        "test_model::test_potentials_cannot_be_told_apart",
        "test_model::test_a_prior_without_source_cannot_be_told_apart",
        "test_model::test_truncated_store_warns_and_samples",
        "test_faults::test_a_damaged_store_is_never_loaded",
    ],
    "hajek_mean": ["test_weight::test_bad_weighted_means_are_refused"],
    "load_cces": ["test_data::test_truncated_file_is_refused_with_the_remedy"],
    "load_heart_transplants": ["test_data::test_changed_byte_is_refused"],
    "load_poststrat_frame": ["test_data::test_missing_file_is_named"],
    "load_state_predictors": ["test_faults::test_a_damaged_data_file_is_never_read"],
    "recode_to_frame": [
        "test_recode::test_what_cannot_be_matched_is_refused",
        "test_recode::test_tables_without_the_columns_are_refused",
        "test_recode::test_a_code_is_no_boolean",
        "test_recode::test_lists_are_no_codes",
    ],
    "plot_composition": ["test_plots::test_bad_tables_are_refused"],
    "plot_errors": ["test_plots::test_bad_tables_are_refused"],
    "plot_estimates": ["test_plots::test_bad_tables_are_refused"],
    "plot_map": ["test_plots::test_bad_tables_are_refused"],
    "tabulate_estimates": ["test_plots::test_bad_tables_are_refused"],
    "poststratify": [
        "test_poststratify::test_bad_frames_are_refused",
        "test_poststratify::test_groups_must_have_names",
        "test_poststratify::test_prob_is_a_probability",
        "test_poststratify::test_unknown_treatment_of_new_levels",
        "test_poststratify::test_draws_of_another_model_are_refused",
        "test_poststratify::test_draws_that_are_stacked_or_empty_are_refused",
        "test_poststratify::test_draws_that_are_not_finite_are_refused",
        "test_poststratify::test_models_of_another_kind_say_so",
        "test_poststratify::test_new_level_of_an_effect_that_is_not_normal",
        "test_levels_of_outcomes::test_bad_scores_are_refused",
        "test_families::test_bad_questions_are_refused",
        "test_model::test_poststratify_refuses_a_stored_fit_of_other_data",
    ],
    "poststratify_draws": [
        "test_poststratify::test_bad_options_are_refused",
        "test_families::test_bad_questions_are_refused",
        "test_poststratify::test_bad_draws_of_the_population_are_refused",
        "test_poststratify::test_something_that_is_no_model_is_refused",
    ],
    "rake": [
        "test_weight::test_bad_margins_are_refused",
        "test_weight::test_bad_base_weights_are_refused",
        "test_weight::test_bad_samples_are_refused",
        "test_weight::test_bad_options_are_refused",
        "test_weight::test_bad_caps_are_refused",
        "test_weight::test_margins_that_are_of_something_else_are_refused",
        "test_weight::test_contradicting_margins_do_not_converge",
    ],
    "role": ["test_roles::test_unknown_roles_are_refused"],
    "sampler_health": ["test_model::test_health_needs_a_whole_fit_with_chains"],
    "selection_weights": [
        "test_sample::test_bad_recipes_and_tables_are_refused",
        "test_sample::test_level_that_never_fires_is_refused",
        "test_sample::test_recipe_with_an_unknown_column",
        "test_sample::test_state_without_predictors_is_named",
        "test_sample::test_recipe_that_makes_negative_weights",
    ],
}
# They take no argument and read no file, so nothing bad can be given to them.
NOTHING_TO_GET_WRONG = {"use_course_style"}

# What a message calls an argument, where that is not its name.
CALLED = {"raw": "the survey"}
# matplotlib draws a label of any kind, and None as no label.
ANYTHING_GOES = {("plot_map", "label")}

FUNCTIONS = [name for name in mrp_helpers.__all__ if callable(getattr(mrp_helpers, name))]


def required_arguments(name):
    """List the arguments of a public function that have no default."""
    parameters = inspect.signature(getattr(mrp_helpers, name)).parameters.values()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def test_every_public_function_has_a_test_of_bad_input():
    missing = set(FUNCTIONS) - set(BAD_INPUT) - NOTHING_TO_GET_WRONG
    assert not missing, (
        f"{sorted(missing)} have no test of bad input: write one that gives a wrong column, "
        "missing values, an unknown level, an empty table and a wrong type where they apply, and "
        "name it in BAD_INPUT in tests/library/test_bad_input.py"
    )
    gone = (set(BAD_INPUT) | NOTHING_TO_GET_WRONG) - set(FUNCTIONS)
    assert not gone, f"{sorted(gone)} are not public any more: take them out of the table"


@pytest.mark.parametrize("name", sorted(NOTHING_TO_GET_WRONG))
def test_functions_without_input_take_none(name):
    assert not inspect.signature(getattr(mrp_helpers, name)).parameters


def uses(test, function, name):
    """Does a test name a function itself, or a table of functions that holds it?"""
    if re.search(rf"\b{name}\b", inspect.getsource(test)):
        return True
    tables = [test.__globals__.get(word) for word in test.__code__.co_names]
    return any(function in table.values() for table in tables if isinstance(table, dict))


@pytest.mark.parametrize(
    ("name", "node"), [(name, node) for name, nodes in BAD_INPUT.items() for node in nodes]
)
def test_each_named_test_exists_and_is_about_its_function(name, node):
    module, _, function = node.partition("::")
    test = getattr(importlib.import_module(module), function, None)
    assert test is not None, f"tests/{module}.py has no {function}; mend BAD_INPUT for {name}"
    # Hypothesis wraps the test that was written.
    test = inspect.unwrap(test)
    assert uses(test, getattr(mrp_helpers, name), name), f"{node} does not call {name}"


def valid_arguments(name):
    """Give arguments that the function accepts; a test then replaces one of them."""
    cells = synthetic.cells()
    model = bmb.Model("p(yes, n) ~ x + (1|state)", cells, family="binomial")
    weight = pd.Series([1.0, 2.0])
    shares = pd.DataFrame({"state": ["AK", "AL"], "estimate": [0.4, 0.6], "n": [3, 4]})
    truth = pd.Series({"AK": 0.4, "AL": 0.6})
    people = shares.assign(vote=[0, 1])
    states = shares.rename(columns={"estimate": "repvote"})
    known = {
        "aggregate_cells": lambda: (people[["state", "vote"]], "state", "vote"),
        "clean_cces": lambda: (mrp_helpers.load_cces().head(50),),
        "draw_biased_sample": lambda: (people, weight, 1),
        "effective_sample_size": lambda: (weight,),
        "evaluate": lambda: (shares, truth),
        "fit_or_load": lambda: (model, "small"),
        "hajek_mean": lambda: (weight, weight),
        "recode_to_frame": lambda: (people, states, {"state": "state"}, None, "vote", {0: 0, 1: 1}),
        "plot_composition": lambda: (shares, shares, "state"),
        "plot_estimates": lambda: ({"raw": shares},),
        "plot_errors": lambda: ({"raw": shares}, truth, truth),
        "plot_map": lambda: (truth, "share"),
        "tabulate_estimates": lambda: ({"raw": shares},),
        "poststratify": lambda: (model, synthetic.draws_for(model), synthetic.cells(seed=9)),
        "poststratify_draws": lambda: (model, synthetic.draws_for(model), synthetic.cells(seed=9)),
        "rake": lambda: (shares, {"state": truth}),
        "role": lambda: ("mrp",),
        "sampler_health": lambda: (synthetic.draws_for(model),),
        "selection_weights": lambda: (people[["state"]], states, {"repvote": 1}),
    }
    parameters = list(inspect.signature(getattr(mrp_helpers, name)).parameters)
    return dict(zip(parameters, known[name](), strict=False))


ARGUMENTS = [
    (name, argument)
    for name in FUNCTIONS
    for argument in required_arguments(name)
    if (name, argument) not in ANYTHING_GOES
]


@pytest.fixture
def without_sampling(monkeypatch, tmp_path):
    monkeypatch.setenv("MRP_HELPERS_CACHE", str(tmp_path))
    monkeypatch.setattr(bmb.Model, "fit", lambda model, **_: synthetic.draws_for(model))


@pytest.mark.parametrize("name", sorted({name for name, _ in ARGUMENTS}))
def test_valid_arguments_are_accepted(without_sampling, name):
    """Else the next test would see a refusal of something else."""
    getattr(mrp_helpers, name)(**valid_arguments(name))


@pytest.mark.parametrize("wrong", [None, 3, [1, 2]], ids=["None", "number", "list"])
@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_argument_of_a_wrong_kind_is_refused_by_name(without_sampling, name, argument, wrong):
    arguments = valid_arguments(name) | {argument: wrong}
    with pytest.raises((TypeError, ValueError, KeyError)) as refusal:
        getattr(mrp_helpers, name)(**arguments)
    said = str(refusal.value)
    assert argument in said or CALLED.get(argument, argument) in said
