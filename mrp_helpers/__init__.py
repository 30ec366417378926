"""Small helpers for multilevel regression and post-stratification.

Data flow one way through the modules: ``data -> recode -> sample -> model -> poststratify ->
evaluate -> plots``, with ``weight`` beside the model. Every public name can be imported from
``mrp_helpers`` itself; what it needs is loaded when it is first used, so that raking a sample loads
no sampler.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what type checkers and editors read; tests compare it with the table below
    from mrp_helpers.data import load_cces as load_cces
    from mrp_helpers.data import load_heart_transplants as load_heart_transplants
    from mrp_helpers.data import load_poststrat_frame as load_poststrat_frame
    from mrp_helpers.data import load_state_predictors as load_state_predictors
    from mrp_helpers.evaluate import evaluate as evaluate
    from mrp_helpers.model import fit_or_load as fit_or_load
    from mrp_helpers.model import sampler_health as sampler_health
    from mrp_helpers.plots import plot_composition as plot_composition
    from mrp_helpers.plots import plot_errors as plot_errors
    from mrp_helpers.plots import plot_estimates as plot_estimates
    from mrp_helpers.plots import plot_map as plot_map
    from mrp_helpers.plots import tabulate_estimates as tabulate_estimates
    from mrp_helpers.plots import use_course_style as use_course_style
    from mrp_helpers.poststratify import poststratify as poststratify
    from mrp_helpers.poststratify import poststratify_draws as poststratify_draws
    from mrp_helpers.recode import CELL as CELL
    from mrp_helpers.recode import FIPS_STATES as FIPS_STATES
    from mrp_helpers.recode import LEVELS as LEVELS
    from mrp_helpers.recode import OUTCOMES as OUTCOMES
    from mrp_helpers.recode import clean_cces as clean_cces
    from mrp_helpers.recode import recode_to_frame as recode_to_frame
    from mrp_helpers.roles import ROLES as ROLES
    from mrp_helpers.roles import role as role
    from mrp_helpers.sample import PUBLISHED_SELECTION as PUBLISHED_SELECTION
    from mrp_helpers.sample import aggregate_cells as aggregate_cells
    from mrp_helpers.sample import draw_biased_sample as draw_biased_sample
    from mrp_helpers.sample import selection_weights as selection_weights
    from mrp_helpers.weight import effective_sample_size as effective_sample_size
    from mrp_helpers.weight import hajek_mean as hajek_mean
    from mrp_helpers.weight import rake as rake

_NAMES_OF_MODULES = {
    "data": "load_cces load_heart_transplants load_poststrat_frame load_state_predictors",
    "evaluate": "evaluate",
    "model": "fit_or_load sampler_health",
    "plots": "plot_composition plot_errors plot_estimates plot_map tabulate_estimates "
    "use_course_style",
    "poststratify": "poststratify poststratify_draws",
    "recode": "CELL FIPS_STATES LEVELS OUTCOMES clean_cces recode_to_frame",
    "roles": "ROLES role",
    "sample": "PUBLISHED_SELECTION aggregate_cells draw_biased_sample selection_weights",
    "weight": "effective_sample_size hajek_mean rake",
}
_MODULES = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names.split()}

__all__ = sorted(_MODULES)


class _Package(ModuleType):
    """A package whose functions are not hidden by the modules that are named like them.

    Python puts a module into its package under its own name as soon as somebody imports it. Here
    `evaluate` and `poststratify` are functions, even if their modules were imported before.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _MODULES:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    """Load a public name, or one of the modules, when it is first asked for."""
    if name == "__version__":
        return import_module("importlib.metadata").version("mrp-helpers")
    if name not in _MODULES and name not in _NAMES_OF_MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULES.get(name, name)}")
    value = getattr(module, name) if name in _MODULES else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_NAMES_OF_MODULES})
