"""The tasks of the exercises, one module an exercise; importing them computes nothing."""

from mrp_course._task import TASKS
from mrp_course.tasks import (  # noqa: F401  (importing a module declares its tasks)
    biased_sample,
    building_a_frame,
    capstone,
    census_lacks,
    does_it_work,
    election,
    fixed_effects,
    heart_transplants,
    hundreds_of_samples,
    limits,
    more_answers,
    multilevel,
    post_stratification,
    structured_priors,
    survey_and_frame,
    survey_to_report,
    survey_weights,
    under_the_hood,
    weights,
)

__all__ = ["TASKS"]
