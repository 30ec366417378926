"""Small helpers for multilevel regression and post-stratification.

Data flow one way through the modules: ``data -> recode -> sample -> model -> poststratify ->
evaluate -> plots``, with ``weight`` beside the model. ``check`` reads from all of them. Every
public name can be imported from ``mrp_helpers`` itself.
"""

from mrp_helpers.check import check
from mrp_helpers.data import (
    load_cces,
    load_heart_transplants,
    load_poststrat_frame,
    load_state_predictors,
)
from mrp_helpers.evaluate import evaluate
from mrp_helpers.model import fit_or_load, sampler_health
from mrp_helpers.plots import (
    plot_composition,
    plot_estimates,
    plot_map,
    tabulate_estimates,
    use_course_style,
)
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.recode import CELL, FIPS_STATES, LEVELS, OUTCOMES, clean_cces, match_to_frame
from mrp_helpers.sample import (
    PUBLISHED_BIAS,
    aggregate_cells,
    draw_biased_sample,
    selection_weights,
)
from mrp_helpers.weight import effective_sample_size, hajek_mean, rake

__version__ = "0.1.0"

__all__ = [
    "CELL",
    "FIPS_STATES",
    "LEVELS",
    "OUTCOMES",
    "PUBLISHED_BIAS",
    "aggregate_cells",
    "check",
    "clean_cces",
    "draw_biased_sample",
    "effective_sample_size",
    "evaluate",
    "fit_or_load",
    "hajek_mean",
    "load_cces",
    "load_heart_transplants",
    "load_poststrat_frame",
    "load_state_predictors",
    "match_to_frame",
    "plot_composition",
    "plot_estimates",
    "plot_map",
    "poststratify",
    "poststratify_draws",
    "rake",
    "sampler_health",
    "selection_weights",
    "tabulate_estimates",
    "use_course_style",
]
