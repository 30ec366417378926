"""Replay a student's answers, and say which of them get feedback that nobody has judged yet.

    python -m tools.replay            print the wrong answers whose feedback is new, to be judged
    python -m tools.replay JUDGEMENT  store JUDGEMENT for all of these, or for those with NUMBERS
    python -m tools.replay JUDGEMENT NUMBERS...

`tests/course/replay.jsonl` holds answers written by somebody who had not read the code. Beside each
wrong one stands how a reader judged what `check` says to it at the first and the second try, and a
mark of that text: *named* is the mistake that was made, *helpful* points to it, *unhelpful* does
not, *misattributed* is a mistake that was not made.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from mrp_course import _progress
from mrp_course._judge import Verdict, judge
from mrp_course.check import _feedback
from mrp_course.tasks import TASKS
from tools.write import write_whole

ANSWERS = Path(__file__).resolve().parents[1] / "tests" / "course" / "replay.jsonl"
JUDGEMENTS = ("named", "helpful", "unhelpful", "misattributed")
# The tasks whose solutions hold the answer in a dict, in which the student has varied it.
IN_DICTS = [
    *["2.1", "2.4", "3.2", "3.3", "4.3", "5.3", "5.6", "6.2", "6.3", "6.4", "6.5", "6.6", "7.4"],
    *["8.4", "8.5", "8.6", "9.1", "9.2", "9.3", "9.4", "11.1", "13.4", "14.2", "14.3", "14.5"],
    *["15.2", "C.3"],
]
TRIES = (1, 2)


@dataclass
class Replayed:
    """One line of the replay, what `check` makes of it, and what it prints at two tries."""

    number: int
    line: dict[str, str]
    verdict: Verdict
    says: tuple[str, ...]

    @property
    def mark(self) -> str:
        """Give a mark of the text by which a change of it is seen; of a heading, none is."""
        text = re.sub(r"in chapter \d+, (['\"]).*?\1\.( |$)", "there ", "\n".join(self.says))
        return sha256(text.encode()).hexdigest()[:8]

    def __str__(self) -> str:
        shown = dict.fromkeys(self.says)
        said = "".join(f"\n    {text}" for text in shown)
        answer = self.line["answer"][:100]
        return f"{self.number} {self.line['task']} {answer} | {self.line['what']}{said}"


def lines() -> list[dict[str, str]]:
    """Read the replay."""
    return [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


def replay() -> Iterator[Replayed]:
    """Hand in every answer, as a learner would who has tried nothing."""
    for number, line in enumerate(lines(), start=1):
        task = TASKS[line["task"]]
        verdict = judge(task, answer_of(line))
        with mock.patch.multiple(_progress, solve=mock.DEFAULT, attempt=mock.DEFAULT) as patched:
            says = []
            for attempt in TRIES:
                patched["attempt"].return_value = attempt
                says.append(_feedback(task, verdict))
        yield Replayed(number, line, verdict, tuple(says))


def answer_of(line: dict[str, str]) -> Any:
    """Make the answer of a line, a Python expression."""
    names: dict[str, object] = {"np": np, "pd": pd, "pl": pl, "pa": pa}
    names |= {"Fraction": Fraction, "Decimal": Decimal, "right": as_solved(line["task"])}
    return eval(line["answer"], names)  # the file is the repository's own


def as_solved(name: str) -> Any:
    """Give the right answer of a task in the shape in which its solution holds it."""
    right = TASKS[name].answer()
    if name in IN_DICTS:
        return dict(right)
    if name == "2.3":
        return right.unstack()
    if name == "3.4":
        return right.reset_index()
    if name == "C.4":
        table = right.rename("estimate").reset_index()
        return table.assign(sd=0.02, lower=table["estimate"] - 0.04, population=1_000)
    return right


def unjudged() -> list[Replayed]:
    """Give the wrong answers whose feedback is not the one that was judged."""
    return [
        each
        for each in replay()
        if each.line["verdict"] == "wrong" and each.line.get("shown") != each.mark
    ]


def store(judgement: str, judged: list[Replayed]) -> None:
    """Write a judgement beside answers, with the mark of what was shown."""
    marks = {each.number: each.mark for each in judged}
    rows = [
        line | ({"judged": judgement, "shown": marks[number]} if number in marks else {})
        for number, line in enumerate(lines(), start=1)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(ANSWERS, text)


if __name__ == "__main__":
    new = unjudged()
    if len(sys.argv) == 1:
        print(*new, f"{len(new)} to be judged as one of {', '.join(JUDGEMENTS)}", sep="\n")
    elif sys.argv[1] in JUDGEMENTS:
        numbers = set(map(int, sys.argv[2:])) or {each.number for each in new}
        store(sys.argv[1], [each for each in new if each.number in numbers])
    else:
        sys.exit(f"{sys.argv[1]!r} is none of {', '.join(JUDGEMENTS)}")
