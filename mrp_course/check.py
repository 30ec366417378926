"""Feedback on an answer to an exercise: right, wrong and why, or not answered yet.

The tasks are in `mrp_course.tasks`: for each, what computes the right answer from data and stored
draws, and a list of the mistakes that learners make, each with what makes it and its reason.
"""

import sys
import textwrap
from importlib import import_module

from mrp_course import _names, _progress
from mrp_course._guess import as_text, compared, in_words, read_guess
from mrp_course._help import RECIPE, help_with, more_help
from mrp_course._judge import Verdict, is_blank, judge
from mrp_course._places import EXERCISES
from mrp_course._reader import Unreadable
from mrp_course._review import REVIEWS, question
from mrp_course._task import TASKS, Task
from mrp_course._words import RUBRICS, feedback, is_unmarked, letters, to_mark
from mrp_helpers._require import listing

_WIDTH = 84
_FEWEST_WORDS = 8


def check(exercise_id: str, answer: object = ...) -> bool:
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
    task = _task(exercise_id, "check")
    if task is None:
        return False
    _say(exercise_id, _after_an_error(task))
    verdict = judge(task, answer)
    _say(exercise_id, _feedback(task, verdict))
    if verdict.kind == "right":
        _show_guess(task)
    return verdict.kind == "right"


def progress(exercise: str = "") -> None:
    """Print which tasks you have solved and tried, in order, and which is next.

    Next is the first that you have not solved, also where you have solved later ones. Everything is
    kept in the file ``.mrp-progress.json`` beside the notebook, and nowhere else; remove the file
    to begin again.

    Parameters
    ----------
    exercise : str
        The exercise to show, such as ``"4"``, or one of its tasks; without it, all that you have
        begun.
    """
    import_module("mrp_course.tasks")
    tried = _progress.read()
    names = sorted({*TASKS, *RUBRICS}, key=_in_order)
    asked = _names.normal(exercise)
    if asked in names:
        asked = _names.exercise_of(asked)
    is_all = isinstance(exercise, str) and not exercise
    if not is_all and asked not in EXERCISES:
        there_are = "There are 1 to 18, and C for the capstone"
        _say("Progress", f"There is no exercise {_names.shown(exercise)!r}. {there_are}.")
        return
    begun = {_names.exercise_of(name) for name in tried} if is_all else {asked}
    for each in dict.fromkeys(map(_names.exercise_of, names)):
        if each in begun:
            mine = [name for name in names if _names.exercise_of(name) == each]
            states = ", ".join(_state(name, tried.get(name)) for name in mine)
            _say(f"Exercise {each}", states)
    left = [name for name in names if not _is_done(name, tried.get(name))]
    after = f" Next: {left[0]}." if left else ""
    print(f"{len(names) - len(left)} of {len(names)} tasks solved.{after}")


def predict(exercise_id: str, guess: object = ...) -> None:
    """Note what you expect before you compute; `check` shows it beside what you computed.

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
    task = _task(exercise_id, "predict")
    if task is None:
        return
    noted = read_guess(task, guess)
    if noted.kind != "guess":
        _say(exercise_id, noted.sentence)
        return
    mine = as_text(noted.given)
    first = _progress.guess(exercise_id, mine)
    stands = "Noted" if first == mine else "Your first guess stands"
    solved = _progress.read()[exercise_id].solved
    later = "" if solved else " The check will show it beside what you compute."
    _say(exercise_id, f"{stands}: {in_words(task, first)}.{later}")
    if solved:
        _show_guess(task)


def write(exercise_id: str, sentence: object = ..., meets: object = "") -> None:
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
        The letters of the criteria that it meets, such as ``"a c d"``, or ``"none"``; as long as
        nothing is marked, the criteria are printed.

    Examples
    --------
    >>> from mrp_course import write
    >>> write("9.6", ...)
    9.6  Nothing written yet. Replace the dots by your own sentence, in quotes.
    """
    import_module("mrp_course.tasks")
    rubric = RUBRICS.get(exercise_id) if isinstance(exercise_id, str) else None
    if rubric is None:
        _say(_names.shown(exercise_id), _no_sentence(exercise_id))
    elif is_blank(sentence):
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
        marked = to_mark(rubric) if is_unmarked(meets) else feedback(rubric, met)
        _say(exercise_id, f"Kept. {marked}")


def review(exercise: str, name: str = "", answer: object = ...) -> bool:
    """Ask a question from two chapters back, with numbers drawn for you, or judge your answer.

    Parameters
    ----------
    exercise : str
        The exercise that you are about to begin, such as ``"4"``.
    name : str
        Your name or any word: the numbers are drawn from it, and nothing of it is kept.
    answer : object
        What you found. Without it the question is printed alone, with it the verdict follows.

    Returns
    -------
    bool
        True when the answer is right.
    """
    meant = _names.normal(exercise)
    if meant not in REVIEWS:
        _say("Review", _no_review(meant))
        return False
    if not isinstance(name, str) or not name.strip():
        call = f'check.review("{meant}", "your name", ...)'
        _say("Review", f"Give your name or any word first, as in {call}: the numbers come from it.")
        return False
    text, task = question(meant, name)
    verdict = judge(task, answer)
    _say("Review", text)
    if verdict.kind != "blank":
        _say("Review", verdict.sentence or f"Not yet. {task.hint}")
    return verdict.kind == "right"


check.review = review  # type: ignore[attr-defined]
check.progress = progress  # type: ignore[attr-defined]


def _task(asked: object, call: str) -> Task | None:
    """Find a task, or say how the one that was meant is called and where it is."""
    if isinstance(asked, str) and asked in TASKS:
        return TASKS[asked]
    meant = _names.normal(asked)
    if meant in RUBRICS and meant not in TASKS:
        sentence = (
            f"You mark {meant} yourself, by its rubric, and nothing computes whether it is right: "
            f'call write("{meant}", mine, meets). It is in {_names.notebook(meant)}.'
        )
    else:
        sentence = _names.no_such_task(asked, TASKS, call)
    _say(_names.shown(asked), sentence)
    return None


def _no_sentence(asked: object) -> str:
    meant = _names.normal(asked)
    if meant in RUBRICS:
        return _names.no_such_task(asked, RUBRICS, "write")
    return f"This asks for no sentence; {listing(RUBRICS)} do."


def _no_review(meant: str) -> str:
    with_one = sorted(REVIEWS, key=int)
    they = f"{with_one[0]!r} to {with_one[-1]!r}"
    if meant in EXERCISES:
        return f"Exercise {meant} begins without a question; the exercises {they} have one."
    return f"Give one of the exercises {they}, and then your name."


def _after_an_error(task: Task) -> str:
    """Say that the cell before failed, since then an answer may be the one from before."""
    error = _error_before()
    if error is None:
        return ""
    sentence = (
        f"The cell that you ran before this one ended in an error ({type(error).__name__}), so "
        "that this may be about an earlier answer."
    )
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    if name and name in getattr(task.form, "options", getattr(task.form, "phrases", ())):
        sentence += f' Write the letter in quotes, "{name}", and run that cell again.'
    return sentence


def _error_before() -> BaseException | None:
    """Give the error in which the last cell ended, where this runs in a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    ended = getattr(shell, "last_execution_result", None)
    error = getattr(ended, "error_in_exec", None) or getattr(ended, "error_before_exec", None)
    return error if isinstance(error, BaseException) else None


def _state(name: str, tried: _progress.Tried | None) -> str:
    if tried is None:
        return f"{name} -"
    if name not in TASKS:
        return f"{name} written, by your marks {len(tried.meets)} of {_most(name)} criteria"
    tries = len(tried.wrong) + tried.solved
    written = ", sentence written" if tried.written else ""
    return f"{name} {'solved' if tried.solved else 'tried'} ({tries}){written}"


def _is_done(name: str, tried: _progress.Tried | None) -> bool:
    """Ask whether a task is solved, or what only its writer marks meets all its criteria."""
    if tried is None:
        return False
    return tried.solved if name in TASKS else len(tried.meets) == _most(name)


def _most(name: str) -> int:
    return len(RUBRICS[name].criteria)


def _in_order(name: str) -> tuple[int, int]:
    exercise, number = name.split(".")
    return (int(exercise) if exercise.isdecimal() else 99, int(number))


def _feedback(task: Task, verdict: Verdict) -> str:
    """Add to a verdict the help that the number of tries has earned, and remember the try."""
    if verdict.kind == "right":
        _progress.solve(task.exercise_id)
        return verdict.sentence
    if verdict.kind in ("blank", "unreadable"):
        return verdict.sentence
    step = _progress.attempt(task.exercise_id, verdict.given)
    if verdict.kind == "unknown":
        return f"Not yet. {help_with(task, verdict, step)}"
    helps = step >= RECIPE or verdict.kind in ("familiar", "resemblance")
    return f"{verdict.sentence} {more_help(task, step)}" if helps else verdict.sentence


def _show_guess(task: Task) -> None:
    """Print what was guessed beside what was computed, if anything was guessed."""
    tried = _progress.read().get(task.exercise_id)
    if tried and tried.guess:
        _say(" " * len(task.exercise_id), compared(task, tried.guess))


def _say(name: str, sentence: str) -> None:
    """Print a sentence behind a name; lines of a table, as they are."""
    start = f"{name}  "
    indent = " " * len(start)
    if "\n" in sentence:
        print(textwrap.indent(sentence, indent))
    elif sentence:
        print(textwrap.fill(start + sentence, _WIDTH, subsequent_indent=indent))
