"""The tasks of the exercises, one module an exercise; importing them computes nothing."""

from mrp_helpers.tasks import heart_transplants  # noqa: F401  (declares its tasks)
from mrp_helpers.tasks._task import TASKS

__all__ = ["TASKS"]
