"""One task from two chapters back, to begin an exercise with, its numbers drawn for one learner.

The numbers come from a seed that is made of the learner's name and the exercise, so that two
learners have different ones, and one learner has the same ones tomorrow. Nothing is stored: the
question and its answer are computed when they are asked for. The questions themselves are in
`mrp_course._review_questions`.
"""

from hashlib import sha256

import numpy as np

from mrp_course._review_questions import REVIEWS, Question
from mrp_course._task import Mistake, Task

__all__ = ["REVIEWS", "question"]


def _told_apart(drawn: Question) -> bool:
    """Ask whether the numbers that were drawn tell the answer and the mistakes from each other."""
    values = np.sort([float(value) for value in (drawn.answer, *drawn.mistakes.values())])
    return bool(np.diff(values).min() > 5 * drawn.form.within)


def question(exercise: str, name: str) -> tuple[str, Task]:
    """Draw the numbers for a learner; give the text of the question, and the task that judges."""
    chapter, draw = REVIEWS[exercise]
    seed = sha256(f"{' '.join(name.casefold().split())}, exercise {exercise}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(seed[:8]))
    drawn = draw(rng)
    while not _told_apart(drawn):
        drawn = draw(rng)
    known = [
        Mistake(reason, lambda wrong=wrong: wrong)  # type: ignore[misc]
        for reason, wrong in drawn.mistakes.items()
    ]
    task = Task(
        f"review {exercise}", drawn.form, drawn.right, drawn.hint, lambda: drawn.answer, known
    )
    return f"From chapter {chapter}. {drawn.text}", task
