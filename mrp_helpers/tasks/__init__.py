"""The tasks of the exercises, one module an exercise; importing them computes nothing."""

from mrp_helpers.tasks import (  # noqa: F401  (importing a module declares its tasks)
    biased_sample,
    capstone,
    census_lacks,
    does_it_work,
    fixed_effects,
    heart_transplants,
    limits,
    multilevel,
    post_stratification,
    survey_and_frame,
    weights,
)
from mrp_helpers.tasks._task import TASKS

__all__ = ["TASKS"]
