"""What was probably meant by a name that no task and no exercise has, and how it is spelled."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from mrp_course._places import EXERCISES

_SUCH_AS = (
    "A task is called by its exercise and its number, in quotes, such as '1.1'; the exercises are "
    "1 to 18 and C."
)


def normal(asked: object) -> str:
    """Spell a name as the course does, whether or not anything is called so.

    >>> normal(9.4), normal("04"), normal("exercise 9"), normal(" c,1 "), normal(None)
    ('9.4', '4', '9', 'C.1', '')
    >>> normal("C6"), normal("capstone 6"), normal("capstone")
    ('C.6', 'C.6', 'C')
    """
    if isinstance(asked, bool) or not isinstance(asked, str | int | float):
        return ""
    bare = re.sub(r"^(task|exercise|chapter)\b", "", str(asked).strip().strip("\"'").casefold())
    bare = re.sub(r"^\s*(capstone|c(?=\d))", "c ", bare)
    parts = re.split(r"[.,:_\- ]+", bare.strip(" .\"'"))
    return ".".join(part.lstrip("0") or part for part in parts).upper()


def exercise_of(name: str) -> str:
    """Give the exercise of a task: 9 of 9.4."""
    return name.split(".")[0]


def notebook(name: str) -> str:
    """Say in which notebook a task or an exercise is."""
    return f"{EXERCISES[exercise_of(name)]}.ipynb"


def shown(asked: object) -> str:
    """Give the few words with which an answer to a call with a wrong name begins."""
    return str(asked)[:20] if isinstance(asked, str | int | float) else "?"


def no_such_task(asked: object, tasks: Iterable[str], call: str) -> str:
    """Say how the task that was meant is spelled and where it is, or which there are nearest."""
    known, meant = list(tasks), normal(asked)
    exercise = exercise_of(meant)
    if meant in known:
        why = "Its name is" if isinstance(asked, str) else "A task's name is text, in quotes:"
        return f'{why} "{meant}". Write {call}("{meant}", ...). It is in {notebook(meant)}.'
    of_it = [name for name in known if exercise_of(name) == exercise]
    if not of_it:
        return f"There is no such task. {_SUCH_AS}"
    are = f"Exercise {exercise} has {_from_to(of_it)}, in {notebook(exercise)}"
    if meant == exercise:
        return f"This is an exercise, and one of its tasks is wanted. {are}."
    (nearest,) = get_close_matches(meant, [*of_it], n=1, cutoff=0)
    return f"There is no such task. {are}; the nearest in name is {nearest!r}."


def _from_to(names: list[str]) -> str:
    first, last = names[0], names[-1]
    return f"the task {first!r} alone" if first == last else f"the tasks {first!r} to {last!r}"
