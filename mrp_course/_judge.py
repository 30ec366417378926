"""Judges an answer: right, a known mistake, a slip that any task has, or wrong and not known why.

An answer is right within the tolerance of each of its values, unless a known mistake is nearer.
Otherwise the nearest mistake is named if it is very near, and called a resemblance if it is not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mrp_course._familiar import familiar
from mrp_course._forms import Form, Labels, Numbers, Table, beyond_rounding, some
from mrp_course._patterns import (
    COMPLEMENT,
    NEAR,
    PER_CENT,
    SIGN,
    narrowed,
    recognise,
    slip_at,
    too_round,
    undone,
)
from mrp_course._reader import Unreadable
from mrp_course._task import Mistake, Task, made

BLANK = "Not answered yet. Replace the dots by your answer, run that cell, and then this one."
IN_QUOTES = BLANK.replace("dots", "dots between the quotes")


_Finder = Callable[[Task, Any, Any, np.ndarray], list[str]]


@dataclass(frozen=True)
class Verdict:
    """What an answer is: its kind, the sentence that says so, and what was read.

    The kinds are blank, unreadable, right, mistake, slip, resemblance, familiar (numbers of the
    course, but not those that were asked for) and unknown.
    """

    kind: str
    sentence: str
    given: Any = None
    right: Any = None


class _Known(NamedTuple):
    """A known mistake, how far the answer is from it beyond rounding, and how far in all."""

    apart: float
    in_all: float
    reason: str


def judge(task: Task, answer: object) -> Verdict:
    """Say what an answer to a task is. No answer makes this raise."""
    if is_blank(answer):
        return Verdict("blank", BLANK if any(part is ... for part in _parts(answer)) else IN_QUOTES)
    right = task.form.read(task.answer(), None)
    try:
        given = task.form.read(answer, right)
    except Unreadable as error:
        return Verdict("unreadable", f"Not yet. {error}")
    except Exception:  # a learner may hand in any object at all, and none may stop the notebook
        sentence = f"An answer of type {type(answer).__name__} cannot be read here."
        return Verdict("unreadable", f"Not yet. {sentence}")
    if _is_right(task, given, right):
        return Verdict("right", f"Right. {_praise(task, given)}{task.right}", given, right)
    kind, sentence = _explain(task, given, right)
    return Verdict(kind, sentence and f"Not yet. {sentence}", given, right)


def _praise(task: Task, given: Any) -> str:
    """Say what is particular to one of several right answers, where the form has a word for it."""
    praise = getattr(task.form, "praise", None)
    return f"{praise(given)} " if praise else ""


def is_blank(answer: object) -> bool:
    """Ask whether the dots still stand, as a whole, in quotes, or inside a list or dict."""
    return any(
        part is ... or (isinstance(part, str) and part.strip() in ("...", "\u2026"))
        for part in _parts(answer)
    )


def _parts(answer: object) -> list[object]:
    if isinstance(answer, dict):
        return list(answer.values())
    return list(answer[:100]) if isinstance(answer, list | tuple) else [answer]


def _is_right(task: Task, given: Any, right: Any) -> bool:
    apart = task.form.apart(given, right).max()
    if apart > 1:
        return False
    if apart == 0:
        return True
    # Between the answer and a mistake each owns the half that is nearer to it.
    in_all = _in_all(task.form, given, right)
    return all(known.in_all >= in_all for known in _known(task, given, right))


def _explain(task: Task, given: Any, right: Any) -> tuple[str, str]:
    """Find what explains a wrong answer: its kind, and the sentence that says it."""
    known = sorted(_known(task, given, right), key=lambda one: (one.apart, one.in_all))
    if known and known[0].apart <= NEAR and _stands_out(known):
        return "mistake", known[0].reason
    if sentence := too_round(task.form, given, right) or recognise(task.form, given, right):
        return "slip", sentence
    if sentence := _at_some_labels(task, given, right, _mistakes_at):
        return "mistake", sentence
    if sentence := _twice_wrong(task, given, right):
        return "slip", sentence
    if sentence := _at_some_labels(task, given, right, _slips_at):
        return "slip", sentence
    if known and known[0].apart <= 1 and known[0].in_all < _in_all(task.form, given, right):
        return "resemblance", f"This looks like a common mistake. {known[0].reason}"
    sentence = familiar(task.form, given) if _has_labels_of(given, right) else ""
    return ("familiar", sentence) if sentence else ("unknown", "")


def _has_labels_of(given: Any, right: Any) -> bool:
    return isinstance(given, Numbers) and set(given.values.index) == set(right.values.index)


def _stands_out(known: list[_Known]) -> bool:
    """Ask whether the nearest mistake is clearly nearer than the next."""
    first, others = known[0], [one for one in known[1:] if one.apart <= NEAR]
    return first.in_all == 0 or all(one.in_all > 1.5 * first.in_all for one in others)


def _known(task: Task, given: Any, right: Any) -> list[_Known]:
    return [_compare(task.form, given, mistake, right) for mistake in task.mistakes]


def _compare(form: Form, given: Any, mistake: Mistake, right: Any) -> _Known:
    mistaken = form.read(made(mistake.make), right)
    if mistake.scale != 1:
        given = Numbers(given.values / mistake.scale, given.unit / mistake.scale)
        mistaken = Numbers(mistaken.values / mistake.scale)
    apart = float(form.apart(given, mistaken).max())
    in_part = _in_part(form, given, mistaken, right) if apart <= 1 else apart
    return _Known(max(apart, in_part), _in_all(form, given, mistaken), mistake.reason)


def _in_part(form: Form, given: Any, mistaken: Any, right: Any) -> float:
    """Give the distance in parts of the numbers, where a wide tolerance would fit anything.

    A part is a twentieth, or what the tolerance is of the right answer, where that is more.
    """
    if not isinstance(given, Numbers):
        return 0.0
    one_more = Numbers(right.values + np.maximum(np.abs(right.array), 1e-9))
    with np.errstate(divide="ignore"):
        part = np.maximum(1 / form.apart(one_more, right), 1 / 20)
    part = pd.Series(part, index=right.values.index).reindex(given.values.index).to_numpy(float)
    size = np.abs(mistaken.values.reindex(given.values.index).to_numpy(float))
    return float(beyond_rounding(given, mistaken, np.maximum(part * size, 1e-9)).max())


def _in_all(form: Form, given: Any, other: Any) -> float:
    """Give the distance without what is allowed for rounding."""
    unrounded = Numbers(given.values) if isinstance(given, Numbers) else given
    return float(form.apart(unrounded, other).max())


def _at_some_labels(task: Task, given: Any, right: Any, find: _Finder) -> str:
    """Recognise what was done at some of the labels, and not at the others."""
    if not isinstance(task.form, Table | Labels):
        return ""
    apart = task.form.apart(given, right)
    wrong = apart > 1
    if len(apart) < 2 or wrong.all():
        return ""
    fits = find(task, given, right, wrong)
    if len(fits) != 1:
        return ""
    index = given.values.index if isinstance(given, Numbers) else given.index
    return f"This is about {some(index[wrong])} alone; the others are right. {fits[0]}"


def _mistakes_at(task: Task, given: Any, right: Any, wrong: np.ndarray) -> list[str]:
    """Give the mistakes that the wrong values alone would show."""
    if not isinstance(right, Numbers) or not np.any(right.array % 1):
        return []  # of words and small whole numbers one or two are soon the same by chance
    fits = []
    for mistake in task.mistakes:
        mistaken = task.form.read(made(mistake.make), right)
        here = task.form.apart(given, mistaken)
        if mistake.scale == 1 and len(here) == len(wrong) and here[wrong].max() <= NEAR:
            part = Numbers(given.values[wrong])
            if _in_part(task.form, part, mistaken, right) <= NEAR:
                fits.append(mistake.reason)
    return fits


def _slips_at(task: Task, given: Any, right: Any, wrong: np.ndarray) -> list[str]:
    if not isinstance(given, Numbers) or getattr(task.form, "any_scale", False):
        return []
    sentence = slip_at(task.form, given, right, wrong)
    return [sentence] if sentence else []


def _twice_wrong(task: Task, given: Any, right: Any) -> str:
    """Recognise a known mistake that is in per cent besides, or has its sign or its side turned."""
    if not isinstance(given, Numbers) or getattr(task.form, "any_scale", False):
        return ""
    if not np.any(right.array % 1):
        return ""
    several = len(given.values) > 1
    for slip in [PER_CENT, SIGN, COMPLEMENT] if several else [PER_CENT]:
        # A hundredth of a number needs a hundredth of the tolerance, or any number would fit.
        form = narrowed(task.form, right, 0.01 if slip is PER_CENT else 1)
        known = [_compare(form, undone(slip, given), each, right) for each in task.mistakes]
        nearest = min(known, key=lambda one: one.apart, default=None)
        if nearest is not None and nearest.apart <= NEAR:
            return f"Two things. {slip.sentence} And: {nearest.reason}"
    return ""


def right_values(verdict: Verdict, form: Form) -> np.ndarray:
    """Say for each value of an answer whether it is right."""
    return np.asarray(form.apart(verdict.given, verdict.right) <= 1)
