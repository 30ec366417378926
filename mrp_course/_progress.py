"""What a learner has tried and solved, kept in one small file beside the notebook.

Nothing of it leaves the machine. If the file cannot be written, the session remembers; if it
cannot be read, it begins again. Of an answer only a short mark is kept, by which the same answer
is known when its cell is run again; of a sentence its words.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from mrp_course._forms import Numbers

NAME = ".mrp-progress.json"
_MOST = 99

_session: dict[Path, dict[str, Any]] = {}


@dataclass
class Tried:
    """The distinct wrong answers to a task, whether it is solved, and what was guessed before.

    Where the task asks for a sentence: the sentence, and the criteria that it meets by the
    learner's own marks.
    """

    wrong: list[str] = field(default_factory=list)
    solved: bool = False
    guess: str = ""
    written: str = ""
    meets: str = ""


def place() -> Path:
    """Give the file of the folder in which the notebook runs."""
    return Path.cwd() / NAME


def read() -> dict[str, Tried]:
    """Read what was tried, task by task."""
    raw: Any = _session.get(place(), {})
    with suppress(OSError, ValueError, TypeError, KeyError):
        raw = json.loads(place().read_text(encoding="utf-8"))["tasks"]
    try:
        return {str(name): _tried(**entry) for name, entry in raw.items()}
    except (TypeError, AttributeError, ValueError):
        return {}


def _tried(wrong: list[str], solved: bool, **words: str) -> Tried:
    kept = {name: str(text) for name, text in words.items()}
    return Tried([str(mark) for mark in wrong][:_MOST], bool(solved), **kept)


def _write(tried: dict[str, Tried]) -> None:
    raw = {name: vars(entry) for name, entry in tried.items()}
    _session[place()] = raw
    with suppress(OSError):
        text = json.dumps({"tasks": raw}, indent=1, sort_keys=True) + "\n"
        unfinished = place().with_name(".mrp-progress.part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(place())


def solve(exercise_id: str) -> None:
    """Remember that a task is solved."""
    tried = read()
    entry = tried.setdefault(exercise_id, Tried())
    if not entry.solved:
        entry.solved = True
        _write(tried)


def attempt(exercise_id: str, given: object) -> int:
    """Remember a wrong answer; say which it is, the same answer counting once."""
    tried = read()
    entry = tried.setdefault(exercise_id, Tried())
    mark = sha256(_shown(given).encode()).hexdigest()[:8]
    if mark not in entry.wrong and len(entry.wrong) < _MOST:
        entry.wrong.append(mark)
        _write(tried)
    return entry.wrong.index(mark) + 1 if mark in entry.wrong else _MOST


def _shown(given: object) -> str:
    """Write an answer so that the same one is written the same way in another session."""
    if isinstance(given, Numbers):
        return repr(sorted(zip(map(str, given.values.index), given.array.tolist(), strict=True)))
    if isinstance(given, pd.Series):
        return repr(sorted(zip(map(str, given.index), map(str, given), strict=True)))
    return repr(sorted(given) if isinstance(given, frozenset) else given)


def guess(exercise_id: str, guessed: str) -> str:
    """Remember what was guessed before computing, as text; the first guess stands."""
    tried = read()
    entry = tried.setdefault(exercise_id, Tried())
    if not entry.guess:
        entry.guess = guessed
        _write(tried)
    return entry.guess


def write(exercise_id: str, written: str, meets: str) -> None:
    """Remember a sentence and its writer's marks; the last one stands."""
    tried = read()
    entry = tried.setdefault(exercise_id, Tried())
    if (entry.written, entry.meets) != (written, meets):
        entry.written, entry.meets = written, meets
        _write(tried)
