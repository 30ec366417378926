"""Print for each task how far its nearest mistake is, in tolerances.

    python -m tools.task_distances                the nearest mistake of each task
    python -m tools.task_distances --monte-carlo  and its Monte Carlo error, which takes minutes

The Monte Carlo error is measured with halves of the stored chains: the standard deviation between
their answers, over the root of their number.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from mrp_course._forms import Number, Numbers, Table
from mrp_course._task import Mistake, Task, made
from mrp_course.tasks import TASKS, _world

BATCHES = [(chain, half) for chain in range(4) for half in (0, 1)]


def numeric() -> dict[str, Task]:
    """Give the tasks whose answers are numbers."""
    return {name: task for name, task in TASKS.items() if isinstance(task.form, Number | Table)}


def distance(task: Task, mistake: Mistake) -> float:
    """Say how many tolerances a mistake is from the right answer, written with all digits."""
    right = task.form.read(task.answer(), None)
    mistaken = task.form.read(made(mistake.make), right)
    return float(task.form.apart(Numbers(mistaken.values), right).max())


def tolerance(task: Task) -> float:
    """Give the smallest tolerance that a value of the answer has."""
    within = task.form.within  # type: ignore[attr-defined]
    return min(within.values()) if isinstance(within, dict) else within


def _caches() -> list[Any]:
    members = [getattr(_world, name) for name in dir(_world)]
    for task in TASKS.values():
        members += task.solve.__globals__.values()
    return [member for member in members if hasattr(member, "cache_clear")]


@contextmanager
def fewer_draws(chain: int, half: int) -> Iterator[None]:
    """Let all tasks see the first or the second half of one chain alone."""
    whole = _world.draws

    def part(name: str) -> Any:
        draws = whole(name).isel(chain=[chain])
        middle = draws["posterior"].sizes["draw"] // 2
        return draws.isel(draw=slice(middle, None) if half else slice(middle))

    caches = _caches()
    with mock.patch.object(_world, "draws", part):
        for cached in caches:
            cached.cache_clear()
        yield
    for cached in caches:
        cached.cache_clear()


def monte_carlo() -> pd.Series:
    """Measure the Monte Carlo error of each task, in tolerances: of its least certain value."""
    answers: dict[str, list[pd.Series]] = {name: [] for name in numeric()}
    for batch in BATCHES:
        with fewer_draws(*batch):
            for name, task in numeric().items():
                answers[name].append(task.form.read(task.solve(), None).values)
    return pd.Series({name: _spread(numeric()[name], each) for name, each in answers.items()})


def _spread(task: Task, answers: list[pd.Series]) -> float:
    table = pd.DataFrame(answers)
    errors = table.std() / np.sqrt(len(answers))
    return float(task.form.apart(Numbers(table.iloc[0] + errors), Numbers(table.iloc[0])).max())


def distances() -> pd.DataFrame:
    """Give a row for each task of numbers: its tolerance, and its nearest mistake."""
    rows = []
    for name, task in numeric().items():
        away = {mistake.reason: distance(task, mistake) for mistake in task.mistakes}
        nearest = min(away, key=lambda reason: away[reason])
        rows.append((name, tolerance(task), away[nearest], nearest[:50]))
    columns = ["task", "tolerance", "nearest mistake (tolerances)", "which"]
    return pd.DataFrame(rows, columns=columns).set_index("task")


if __name__ == "__main__":
    table = distances()
    if "--monte-carlo" in sys.argv:
        table.insert(1, "Monte Carlo error (tolerances)", monte_carlo())
    print(table.to_string(float_format=lambda value: f"{value:.3g}"))
