"""A guess before computing: read as an answer is read, kept, and compared with what was computed.

A guess is kept as text from which it can be read again, so that the comparison is made when the
task is solved and not before.
"""

from typing import Any

import numpy as np
import pandas as pd

from mrp_course._forms import Numbers
from mrp_course._judge import Verdict, is_blank
from mrp_course._patterns import PER_CENT
from mrp_course._reader import Unreadable
from mrp_course._task import Task

BLANK = "No guess yet. Replace the dots by what you expect, before you compute."


def read_guess(task: Task, guess: object) -> Verdict:
    """Read a guess as an answer is read; its sentence is the guess in words."""
    if is_blank(guess):
        return Verdict("blank", BLANK)
    right = task.form.read(task.answer(), None)
    try:
        given = task.form.read(guess, right)
    except Unreadable as error:
        return Verdict("unreadable", f"No guess yet. {error}")
    except Exception:  # a learner may hand in any object at all, and none may stop the notebook
        return Verdict("unreadable", "No guess yet. What you expect cannot be read here.")
    if sentence := _another_unit(task, given, right):
        return Verdict("unreadable", f"No guess yet. {sentence}")
    return Verdict("guess", _in_words(given), given, right)


def _another_unit(task: Task, given: Any, right: Any) -> str:
    """Say that a guess is in per cent, where no answer to the task could be as large as that."""
    if not isinstance(given, Numbers) or np.abs(right.array).max() >= 2:
        return ""
    of_shares = any(mistake.scale != 1 for mistake in task.mistakes)
    large = given.array[np.abs(given.array) >= (1 if of_shares else 10)]
    if not len(large):
        return ""
    shown, share = _short(large[0]), _short(PER_CENT.undo(large[:1])[0])
    return (
        f"{shown} looks like per cent, and the task asks for a number in which {shown}% is "
        f"{share}. Guess again in that unit."
    )


def as_text(given: Any) -> str:
    """Write a guess so that `read_guess` reads the same again."""
    if isinstance(given, Numbers):
        return repr(dict(zip(given.values.index, given.array.tolist(), strict=True)))
    return repr(dict(given)) if isinstance(given, pd.Series) else _in_words(given)


def _in_words(given: Any) -> str:
    if isinstance(given, Numbers):
        given = given.values.map(_short)
    if isinstance(given, pd.Series):
        alone = len(given) == 1
        return ", ".join(
            word if alone else f"{_label(label)} {word}" for label, word in given.items()
        )
    return ", ".join(sorted(given)) if isinstance(given, frozenset) else str(given)


def in_words(task: Task, kept: str) -> str:
    """Say in words what was guessed."""
    again = read_guess(task, kept)
    return again.sentence if again.kind == "guess" else kept


def compared(task: Task, kept: str) -> str:
    """Put a guess beside what was computed: a sentence, or a line for each number."""
    again = read_guess(task, kept)
    if not isinstance(again.given, Numbers) or again.kind != "guess":
        return f"You guessed {in_words(task, kept)}."
    given, right = again.given.values, again.right.values
    if set(given.index) != set(right.index):
        return f"You guessed {again.sentence}."
    if len(given) == 1:
        return _one_compared(float(given.iloc[0]), float(right.iloc[0]))
    return _several_compared(given.reindex(right.index), right)


def _one_compared(given: float, right: float) -> str:
    off = _difference(given, right)
    way = "too high by" if given > right else "too low by"
    apart = (
        f"{way} {off.lstrip('+-')}" if any(digit in off for digit in "123456789") else "the same"
    )
    return f"You guessed {_short(given)}, and computed it is {_short(right)}: {apart}."


def _several_compared(given: pd.Series, right: pd.Series) -> str:
    rows = [("", "guessed", "computed", "difference")]
    for label, guess, value in zip(right.index, given, right, strict=True):
        rows.append((_label(label), _short(guess), _short(value), _difference(guess, value)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _difference(given: float, right: float) -> str:
    """Write how far a guess is off, in the digits in which the computed number is written."""
    leading = int(np.floor(np.log10(abs(right)))) if right else 0
    return f"{given - right:+,.{max(2 - leading, 0)}f}"


def _label(label: Any) -> str:
    return " and ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
