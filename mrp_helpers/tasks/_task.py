"""How a task is declared: the right answer, computed; the known mistakes, made.

A task is a function that computes its answer from the course's data and stored draws, so that no
table of answers exists. A mistake is a function too: it makes the answer that a learner gets who
goes wrong in that way, beside the sentence that explains it. Both run when an answer is checked,
once, and are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from mrp_helpers.tasks._forms import Form

TASKS: dict[str, "Task"] = {}


@dataclass(frozen=True)
class Slip:
    """A mistake that can be made from the right answer alone, such as per cent for shares."""

    reason: str
    change: Callable[[object], object]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake that learners make: why it is one, and a way to make it."""

    reason: str
    make: Callable[[], object]


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
    solve: Callable[[], object]
    mistakes: list[Mistake] = field(default_factory=list)

    def answer(self) -> object:
        """Compute the right answer, once."""
        return made(self.solve)

    def mistake(self, reason: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
        """Declare the decorated function as the maker of a mistaken answer."""

        def declare(make: Callable[[], object]) -> Callable[[], object]:
            self.mistakes.append(Mistake(reason, make))
            return make

        return declare


def task(
    exercise_id: str, form: Form, *, right: str, hint: str, slips: Sequence[Slip] = ()
) -> Callable[[Callable[[], object]], Task]:
    """Declare the decorated function as the solution of a task."""

    def declare(solve: Callable[[], object]) -> Task:
        if exercise_id in TASKS:
            raise ValueError(f"task {exercise_id!r} is declared twice")
        made_from = [Mistake(slip.reason, lambda s=slip: s.change(made(solve))) for slip in slips]
        TASKS[exercise_id] = Task(exercise_id, form, right, hint, solve, made_from)
        return TASKS[exercise_id]

    return declare


@cache
def made(make: Callable[[], object]) -> object:
    """Call a solution or a maker of mistakes, the first time; remember what it returned."""
    return make()


PER_CENT = Slip(
    "This is in per cent. The course gives every share as a number between 0 and 1, and so do the "
    "functions that take it further: divide by 100.",
    lambda right: 100 * right,
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
