"""Feedback on an answer to an exercise: right, wrong and why, or not answered yet.

The tasks are in `mrp_course.tasks`: for each, what computes the right answer from data and stored
draws, and a list of the mistakes that learners make, each with what makes it and its reason.
"""

import textwrap
from importlib import import_module

from mrp_course import _progress
from mrp_course._help import RECIPE, help_with, more_help
from mrp_course._judge import Verdict, judge, read_guess
from mrp_course._reader import Unreadable
from mrp_course._review import REVIEWS, question
from mrp_course._task import TASKS, Task
from mrp_course._words import RUBRICS, feedback, letters
from mrp_helpers._require import listing

_WIDTH = 84
_FEWEST_WORDS = 8


def check(exercise_id: str, answer: object) -> bool:
    """Say whether an answer to an exercise is right, and where a known mistake is, which.

    Where the mistake is not known, each try brings one step more: the direction, the place, the
    recipe, and at last where the solution is. `check.progress()` says what you have solved.

    Parameters
    ----------
    exercise_id : str
        The exercise and the task, such as ``"4.2"``.
    answer : object
        What you found, in any sensible form: a number, also as text or in per cent with its sign;
        a Series, a table of pandas, polars or pyarrow, a row of `poststratify`, a dict, array or
        list; a collection of names; an option in quotes. The order of rows does not matter where
        they have labels.

    Returns
    -------
    bool
        True when the answer is right, to the digits that you give (three are enough) or to within
        Monte Carlo error; False when it is wrong, cannot be read or is still ``...``. The feedback
        is printed. No answer makes this function raise, and no model is sampled.

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
    verdict = judge(task, answer)
    _say(exercise_id, _feedback(task, verdict))
    return verdict.kind == "right"


def progress() -> None:
    """Print which tasks you have solved and tried, in order, and which is next.

    It is kept in the file ``.mrp-progress.json`` beside the notebook, and nowhere else; remove the
    file to begin again.
    """
    import_module("mrp_course.tasks")
    tried = _progress.read()
    names = sorted(TASKS, key=_in_order)
    begun = {name.split(".")[0] for name in tried}
    for exercise in dict.fromkeys(name.split(".")[0] for name in names):
        if exercise in begun:
            mine = [name for name in names if name.split(".")[0] == exercise]
            states = ", ".join(_state(name, tried.get(name)) for name in mine)
            _say(f"Exercise {exercise}", states)
    solved = [name for name in names if name in tried and tried[name].solved]
    left = [name for name in names if name not in solved]
    later = [name for name in left if not solved or _in_order(name) > _in_order(solved[-1])]
    after = f" Next: {(later or left)[0]}." if left else ""
    print(f"{len(solved)} of {len(names)} tasks solved.{after}")


def predict(exercise_id: str, guess: object) -> None:
    """Note what you expect before you compute; `check` shows it beside the right answer.

    The first guess stands, and none is wrong: what surprises you is what you learn.

    Parameters
    ----------
    exercise_id : str
        The exercise and the task, such as ``"10.1"``.
    guess : object
        What you expect, in the form in which the task asks for its answer.

    Examples
    --------
    >>> from mrp_course import predict
    >>> predict("10.1", ...)
    10.1  No guess yet. Replace the dots by what you expect, before you compute.
    """
    import_module("mrp_course.tasks")
    task = TASKS.get(exercise_id) if isinstance(exercise_id, str) else None
    if task is None:
        _say(str(exercise_id)[:20], "There is no such task.")
        return
    noted = read_guess(task, guess)
    if noted.kind == "guess":
        first = _progress.guess(exercise_id, noted.sentence)
        stands = "Noted" if first == noted.sentence else "Your first guess stands"
        _say(exercise_id, f"{stands}: {first}. The check will show it when you have the answer.")
    else:
        _say(exercise_id, noted.sentence)


def write(exercise_id: str, sentence: object, meets: object = "") -> None:
    """Keep a sentence of yours, and say what it lacks by your own marks.

    Nobody but you marks it here; in a class, the teacher does. Where by your marks nothing is
    missing, the course's sentence is shown, to compare.

    Parameters
    ----------
    exercise_id : str
        The exercise and the task, such as ``"9.6"``.
    sentence : str
        What you would print. The last one is kept, in ``.mrp-progress.json`` beside the notebook.
    meets : str
        The letters of the criteria that it meets, such as ``"a c d"``.

    Examples
    --------
    >>> from mrp_course import write
    >>> write("9.6", ...)
    9.6  Nothing written yet. Replace the dots by your own sentence, in quotes.
    """
    import_module("mrp_course.tasks")
    rubric = RUBRICS.get(exercise_id) if isinstance(exercise_id, str) else None
    if rubric is None:
        _say(str(exercise_id)[:20], f"This asks for no sentence; {listing(RUBRICS)} do.")
    elif sentence is ...:
        begun = "Nothing written yet. Replace the dots by your own sentence, in quotes."
        _say(exercise_id, begun)
    elif not isinstance(sentence, str):
        _say(exercise_id, "This is not text. Write a sentence, in quotes.")
    elif len(sentence.split()) < _FEWEST_WORDS:
        short = f"That is too short for its criteria: write at least {_FEWEST_WORDS} words."
        _say(exercise_id, short)
    else:
        try:
            met = letters(meets, rubric.criteria)
        except Unreadable as error:
            _say(exercise_id, str(error))
            return
        _progress.write(exercise_id, sentence, met)
        _say(exercise_id, f"Kept. {feedback(rubric, met)}")


def review(exercise: str, name: str, answer: object = ...) -> bool:
    """Ask a question from two chapters back, with numbers drawn for you, or judge your answer.

    Parameters
    ----------
    exercise : str
        The exercise that you are about to begin, such as ``"4"``.
    name : str
        Your name or any word: the numbers are drawn from it, and nothing of it is kept.
    answer : object
        What you found; without it the question is printed.

    Returns
    -------
    bool
        True when the answer is right.
    """
    if exercise not in REVIEWS or not isinstance(name, str):
        _say("Review", f"Give your name, and one of the exercises {listing(REVIEWS)}.")
        return False
    text, task = question(exercise, name)
    verdict = judge(task, answer)
    if verdict.kind == "blank":
        _say("Review", text)
    else:
        _say("Review", verdict.sentence or f"Not yet. {task.hint}")
    return verdict.kind == "right"


check.review = review  # type: ignore[attr-defined]
check.progress = progress  # type: ignore[attr-defined]


def _state(name: str, tried: _progress.Tried | None) -> str:
    if tried is None:
        return f"{name} -"
    tries = len(tried.wrong) + tried.solved
    written = ", sentence written" if tried.written else ""
    return f"{name} {'solved' if tried.solved else 'tried'} ({tries}){written}"


def _in_order(name: str) -> tuple[int, int]:
    exercise, number = name.split(".")
    return (int(exercise) if exercise.isdecimal() else 99, int(number))


def _feedback(task: Task, verdict: Verdict) -> str:
    """Add to a verdict the help that the number of tries has earned, and remember the try."""
    if verdict.kind == "right":
        _progress.solve(task.exercise_id)
        return f"{verdict.sentence}{_guessed(task)}"
    if verdict.kind in ("blank", "unreadable"):
        return verdict.sentence
    step = _progress.attempt(task.exercise_id, verdict.given)
    if verdict.kind == "unknown":
        return f"Not yet. {help_with(task, verdict, step)}"
    helps = step >= RECIPE or verdict.kind in ("familiar", "resemblance")
    return f"{verdict.sentence} {more_help(task, step)}" if helps else verdict.sentence


def _guessed(task: Task) -> str:
    tried = _progress.read().get(task.exercise_id)
    return f" Before computing you guessed {tried.guess}." if tried and tried.guess else ""


def _say(name: str, sentence: str) -> None:
    start = f"{name}  "
    print(textwrap.fill(start + sentence, _WIDTH, subsequent_indent=" " * len(start)))
