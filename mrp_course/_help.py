"""Help with an answer that is wrong in a way that is not known: one step more at each try.

First the direction, then the place, then the recipe, then where the solution is. The direction is
said once and never again, or guessing would be quicker than thinking.
"""

import numpy as np
import pandas as pd

from mrp_course._forms import Labels, Numbers, Table, numbers, other_levels, some
from mrp_course._judge import Verdict, right_values
from mrp_course._patterns import last_digit
from mrp_course._places import EXERCISES, section, solution
from mrp_course._spelling import spell_level
from mrp_course._task import Task
from mrp_course._words import Marks

PLACE, RECIPE, SOLUTION = 2, 3, 4


def help_with(task: Task, verdict: Verdict, step: int) -> str:
    """Say what helps at a step, counted from one, with an answer whose mistake is not known."""
    if isinstance(task.form, Marks):
        return task.form.differences(verdict.given, verdict.right)
    fault = _fault(task, verdict)
    seen = fault or _step(task, verdict, step)
    if step == PLACE and not fault and _is_nowhere_right(task, verdict):
        return " ".join(dict.fromkeys((more_help(task, step), task.hint)))
    return " ".join(part for part in (seen, more_help(task, step)) if part)


def _is_nowhere_right(task: Task, verdict: Verdict) -> bool:
    """Ask whether no place of an answer is better than another, so that only the recipe helps."""
    is_numbers = isinstance(verdict.given, Numbers | pd.Series)
    return is_numbers and not right_values(verdict, task.form).any()


def more_help(task: Task, step: int) -> str:
    """Give what comes with any wrong answer: where to read, then the recipe, then the solution."""
    exercise = task.exercise_id.split(".")[0]
    if step >= SOLUTION and exercise in EXERCISES:
        return f"{task.hint} A solution is in {solution(task.exercise_id)}."
    if step >= RECIPE:
        return task.hint
    place = section(task.exercise_id)
    return f"What you need is in {place}." if place else task.hint


def _fault(task: Task, verdict: Verdict) -> str:
    """Say what can be seen without comparing numbers: labels, and missing values."""
    given, right = verdict.given, verdict.right
    if not isinstance(task.form, Table | Labels):
        is_missing = isinstance(given, Numbers) and bool(np.isnan(given.array).any())
        return "Your number is missing (NaN): an empty group, or a join." if is_missing else ""
    if isinstance(given, Numbers):
        given, right = given.values, right.values
    if fault := other_levels(given, right, task.form.keys):
        return f"{fault}{_the_rest(task, given, right)}"
    empty = given.index[given.isna()]
    return f"It has no value (NaN) for {some(empty)}." if len(empty) else ""


def _the_rest(task: Task, given: pd.Series, right: pd.Series) -> str:
    """Say that nothing is wrong but what is lacking, if so."""
    if not set(given.index) < set(right.index) or getattr(task.form, "any_scale", False):
        return ""
    there = right[right.index.isin(given.index)]
    parts = (numbers(given), Numbers(there)) if isinstance(task.form, Table) else (given, there)
    return " The others are right." if task.form.apart(*parts).max() <= 1 else ""


def _no_share(task: Task, given: Numbers, right: Numbers) -> str:
    """Say that what is asked for lies between 0 and 1, where the answer does not."""
    inside = (right.array >= 0) & (right.array <= 1)
    if getattr(task.form, "any_scale", False) or not inside.all() or given.array.max() <= 1:
        return ""
    return (
        "A number between 0 and 1 is asked for, smaller than yours: counts and sums have to be "
        "divided first, and a ratio may stand upside down."
    )


def _of_one(given: Numbers, right: Numbers) -> str:
    """Give the direction, or ask for more digits where these could make the number right."""
    (number,), (wanted,), place = given.array, right.array, last_digit(given.array)
    is_short = 0 < abs(number) < 9.5 * place and wanted % 1
    if is_short and abs(number - wanted) <= 0.500001 * place:
        exact = f"If it is exact, it should be {_way(number, wanted)}."
        return f"It has one digit: give at least three. {exact}"
    return direction(given.array, right.array)


def _step(task: Task, verdict: Verdict, step: int) -> str:
    if isinstance(verdict.given, frozenset):
        return _of_names(verdict.given, verdict.right, step)
    agrees = right_values(verdict, task.form)
    if len(agrees) == 1:
        way = _no_share(task, verdict.given, verdict.right) or _of_one(verdict.given, verdict.right)
        return way if step == 1 else ""
    count = f"{agrees.sum():,} of {len(agrees):,} values are right."
    if step == 1 and isinstance(verdict.given, Numbers):
        where = _no_share(task, verdict.given, verdict.right)
        return f"{count} {where or _directions(task, verdict, ~agrees)}"
    return f"{count} Look first at {spell_level(_worst(task, verdict))}."


def _directions(task: Task, verdict: Verdict, wrong: np.ndarray) -> str:
    """Say where the wrong numbers should go, or if they differ, where the furthest off should."""
    given = verdict.given.values
    right = verdict.right.values.reindex(given.index)
    alike = direction(given.to_numpy(float)[wrong], right.to_numpy(float)[wrong])
    if alike and wrong.sum() > 1:
        return alike
    worst = _worst(task, verdict)
    return f"{spell_level(worst)} should be {_way(given[worst], right[worst])}."


def _of_names(given: frozenset[str], right: frozenset[str], step: int) -> str:
    surplus, missing = given - right, right - given
    counts = (
        f"Names of yours that do not belong there: {len(surplus):,} of {len(given):,}. "
        f"Names that are missing: {len(missing):,}."
    )
    if step > 1 and surplus:
        return f"{counts} Look again at {spell_level(min(surplus))}."
    return counts


def direction(given: np.ndarray, right: np.ndarray) -> str:
    """Say where wrong numbers should go, if it is the same for all: in words that respect signs.

    >>> direction(np.array([-0.5]), np.array([-0.2]))
    'Your number should be closer to zero.'
    """
    ways = {_way(*pair) for pair in zip(given, right, strict=True)}
    if len(ways) != 1:
        return ""
    whose = "Your number" if len(given) == 1 else "What is wrong"
    return f"{whose} should be {ways.pop()}."


def _way(given: float, right: float) -> str:
    if given * right < 0:
        return "positive" if right > 0 else "negative"
    if min(given, right) < 0:
        return "closer to zero" if abs(right) < abs(given) else "further from zero"
    much = " by more than a factor of ten" if _apart_by_ten(given, right) else ""
    return ("larger" if right > given else "smaller") + much


def _apart_by_ten(given: float, right: float) -> bool:
    return max(abs(given), abs(right)) > 10 * max(min(abs(given), abs(right)), 1e-12)


def _worst(task: Task, verdict: Verdict) -> object:
    """Find the label whose value is furthest off."""
    given = verdict.given.values if isinstance(verdict.given, Numbers) else verdict.given
    apart = task.form.apart(verdict.given, verdict.right)
    return given.index[int(np.argmax(apart))]
