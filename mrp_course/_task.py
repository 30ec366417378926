"""How a task is declared: the right answer, computed; the known mistakes, made.

A task is a function that computes its answer from the course's data and stored draws, so that no
table of answers exists. A mistake is a function too: it makes the answer that a learner gets who
goes wrong in that way, beside the sentence that explains it. Both run when an answer is checked,
once, and are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, cast

from mrp_course._forms import Form

TASKS: dict[str, "Task[Any]"] = {}


@dataclass(frozen=True)
class Slip:
    """A mistake that can be made from the right answer alone, such as per cent for shares."""

    reason: str
    change: Callable[[Any], Any]
    scale: float = 1


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake that learners make: why it is one, and a way to make it.

    Answers are compared after division by ``scale``: 43.4 is 43.416 % as much as 0.434 is 0.43416.
    """

    reason: str
    make: Callable[[], object]
    scale: float = 1


@dataclass(frozen=True, eq=False)
class Task[Answer]:
    """One task of an exercise.

    ``right`` is the sentence for who solved it, why it matters; ``hint`` where to look for who has
    gone wrong in a way that is not among the ``mistakes``.
    """

    exercise_id: str
    form: Form
    right: str
    hint: str
    solve: Callable[[], Answer]
    mistakes: list[Mistake] = field(default_factory=list)

    def answer(self) -> Answer:
        """Compute the right answer, once."""
        return made(self.solve)

    def mistake(self, reason: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
        """Declare the decorated function as the maker of a mistaken answer."""

        def declare(make: Callable[[], object]) -> Callable[[], object]:
            self.mistakes.append(Mistake(reason, make))
            return make

        return declare


def task[Answer](
    exercise_id: str, form: Form, *, right: str, hint: str, slips: Sequence[Slip] = ()
) -> Callable[[Callable[[], Answer]], Task[Answer]]:
    """Declare the decorated function as the solution of a task."""

    def declare(solve: Callable[[], Answer]) -> Task[Answer]:
        if exercise_id in TASKS:
            raise ValueError(f"task {exercise_id!r} is declared twice")
        made_from = [
            Mistake(slip.reason, partial(_slip_in, slip, solve), slip.scale) for slip in slips
        ]
        declared = Task(exercise_id, form, right, hint, solve, made_from)
        TASKS[exercise_id] = declared
        return declared

    return declare


def _slip_in(slip: Slip, solve: Callable[[], object]) -> object:
    return slip.change(made(solve))


def made[Answer](make: Callable[[], Answer]) -> Answer:
    """Call a solution or a maker of mistakes, the first time; remember what it returned."""
    return cast(Answer, _made(make))


@cache
def _made(make: Callable[[], object]) -> object:
    return make()


PER_CENT = Slip(
    "This is in per cent. The course gives every share as a number between 0 and 1, and so do the "
    "functions that take it further: divide by 100.",
    lambda right: 100 * right,
    scale=100,
)
OTHERS = Slip(
    "This is the share of the others: one minus what is asked for. Look at which answer is coded "
    "as 1.",
    lambda right: 1 - right,
)
REVERSED = Slip(
    "The size is right and the sign is not: you subtracted in the other order.",
    lambda right: -right,
)
UPSIDE_DOWN = Slip(
    "This ratio stands upside down: swap what is above and below the line.",
    lambda right: 1 / right,
)
