"""What belongs to this course alone: feedback on answers, tasks, draws, results, explorers.

It reads from `mrp_helpers`, which knows nothing of it: stored draws are found by an entry point.
"""

from mrp_course.check import check as check
from mrp_course.check import predict as predict
from mrp_course.check import write as write

__all__ = ["check", "predict", "write"]
