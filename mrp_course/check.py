"""Feedback on an answer to an exercise: right, wrong and why, or not answered yet.

The tasks are in `mrp_course.tasks`: for each, what computes the right answer from data and stored
draws, and a list of the mistakes that learners make, each with what makes it and its reason.
"""

import textwrap
from dataclasses import replace
from importlib import import_module
from typing import Any

from mrp_course._forms import ROUNDED, Unreadable
from mrp_course._task import TASKS, Task, made
from mrp_helpers._require import listing

_WIDTH = 84


def check(exercise_id: str, answer: object) -> bool:
    """Say whether an answer to an exercise is right, and where a known mistake is, which.

    Parameters
    ----------
    exercise_id : str
        The exercise and the task, such as ``"4.2"``.
    answer : object
        What you found, in any sensible form: a number; a Series, table, dict, array or list; a
        collection of names; an option in quotes. The order of rows does not matter where
        they have labels.

    Returns
    -------
    bool
        True when the answer is right, to within rounding or Monte Carlo error; False when it is
        wrong, cannot be read or is still ``...``. The feedback is printed. No answer makes this
        function raise, and no model is sampled.

    Examples
    --------
    >>> from mrp_course import check
    >>> check("1.1", ...)
    1.1  Not answered yet. Replace the dots by your answer, run that cell, and then this one.
    False
    """
    import_module("mrp_course.tasks")  # declares them; with them come models and their libraries
    task = TASKS.get(exercise_id) if isinstance(exercise_id, str) else None
    if task is None:
        _say(str(exercise_id)[:20], f"There is no such task. Tasks: {listing(TASKS, most=80)}.")
        return False
    verdict, sentence = _judge(task, answer)
    _say(exercise_id, sentence)
    return verdict


def _judge(task: Task, answer: object) -> tuple[bool, str]:
    if _is_blank(answer):
        return False, (
            "Not answered yet. Replace the dots by your answer, run that cell, and then this one."
        )
    right = task.form.read(task.answer(), None)
    try:
        given = task.form.read(answer, right)
    except Unreadable as error:
        return False, f"Not yet. {error}"
    except Exception:  # a learner may hand in any object at all, and none may stop the notebook
        return False, f"Not yet. An answer of type {type(answer).__name__} cannot be read here."
    if task.form.same(given, right):
        return True, f"Right. {task.right}"
    for mistake in task.mistakes:
        mistaken = task.form.read(made(mistake.make), right)
        if _is_mistaken(task.form, given, mistaken, mistake.scale):
            return False, f"Not yet. {mistake.reason}"
    return False, f"Not yet. {task.form.difference(given, right)} {task.hint}"


def _is_mistaken(form: Any, given: Any, mistaken: Any, scale: float) -> bool:
    """Compare an answer with a mistaken one; of another scale, to as many digits as are printed."""
    if scale == 1:
        return bool(form.same(given, mistaken))
    rounded = replace(form, within=max(form.within, ROUNDED))
    return bool(rounded.same(given / scale, mistaken / scale))


def _is_blank(answer: object) -> bool:
    """Ask whether the dots still stand, as a whole or inside a list or dict."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list | tuple):
        return any(part is ... for part in answer[:100])
    return answer is ...


def _say(exercise_id: str, sentence: str) -> None:
    start = f"{exercise_id}  "
    print(textwrap.fill(start + sentence, _WIDTH, subsequent_indent=" " * len(start)))
