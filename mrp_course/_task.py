"""How a task is declared: the right answer, computed; the known mistakes, made.

A task computes its answer from the course's data and stored draws, so that no table of answers
exists. A mistake is a pair: the sentence that explains it, and a function that makes the answer of
a learner who goes wrong in that way. Both run when an answer is checked, once, and are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any

from mrp_course._forms import Form

TASKS: dict[str, "Task"] = {}

Maker = Callable[..., object]
Known = tuple[str, Maker] | tuple[str, Maker, float]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake that learners make: why it is one, and a way to make it.

    Answers are compared after division by ``scale``: 43.4 is 43.416 % as much as 0.434 is 0.43416.
    """

    reason: str
    make: Callable[[], object]
    scale: float = 1


@dataclass(frozen=True, eq=False)
class Task:
    """One task of an exercise.

    ``right`` is the sentence for who solved it, why it matters; ``hint`` where to look for who has
    gone wrong in a way that is not among the ``mistakes``.
    """

    exercise_id: str
    form: Form
    right: str
    hint: str
    solve: Callable[[], Any]
    mistakes: list[Mistake]

    def answer(self) -> Any:
        """Compute the right answer, once."""
        return made(self.solve)


def task(
    exercise_id: str,
    form: Form,
    *,
    answer: Callable[[], Any],
    right: str,
    hint: str,
    mistakes: Sequence[Known],
) -> Task:
    """Declare a task.

    The nearest of the ``mistakes`` is the one that is explained. Each is a pair of the reason and
    of its maker, a function of nothing or of the right answer.
    """
    if exercise_id in TASKS:
        raise ValueError(f"task {exercise_id!r} is declared twice")
    known = [
        Mistake(reason, _of_nothing(make, answer), *scale) for reason, make, *scale in mistakes
    ]
    TASKS[exercise_id] = Task(exercise_id, form, right, hint, answer, known)
    return TASKS[exercise_id]


def options(**reasons: str) -> list[Known]:
    """Give as mistakes the wrong options of a choice, each with the reason against it."""

    def choosing(letter: str) -> Maker:
        return lambda: letter

    return [(reason, choosing(letter)) for letter, reason in reasons.items()]


def _of_nothing(make: Maker, solve: Callable[[], object]) -> Callable[[], object]:
    if not signature(make).parameters:
        return make
    return lambda: make(made(solve))


@cache
def made(make: Callable[[], object]) -> Any:
    """Call a solution or a maker of mistakes, the first time; remember what it returned."""
    return make()


PER_CENT = (
    "This is in per cent. The course gives every share as a number between 0 and 1, and so do the "
    "functions that take it further: divide by 100.",
    lambda right: 100 * right,
    100,
)
OTHERS = (
    "This is the share of the others: one minus what is asked for. Look at which of the two you "
    "counted.",
    lambda right: 1 - right,
)
REVERSED = (
    "The size is right and the sign is not: you subtracted in the other order.",
    lambda right: -right,
)
UPSIDE_DOWN = (
    "This ratio stands upside down: swap what is above and below the line.",
    lambda right: 1 / right,
)
