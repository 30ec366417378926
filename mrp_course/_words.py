"""Tasks of other kinds than computing: a wrong phrase, a design, a sentence of one's own.

Each is a form of answer, as those of `_forms`, so that such a task is declared, read, judged and
helped with as any other. What a learner writes is marked by the learner, by a rubric; before that
comes the marking of two samples, which the course has marked too.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mrp_course import _reader
from mrp_course._reader import Unreadable
from mrp_course._spelling import fold
from mrp_course._task import Known, Maker, Task, options, task
from mrp_helpers._require import listing

RUBRICS: dict[str, "Rubric"] = {}


def _apart(is_same: bool) -> np.ndarray:
    return np.array([0.0 if is_same else np.inf])


def by_eye(low: float, high: float) -> float:
    """Give the tolerance for a number that is read from an axis: a fiftieth of its length."""
    return 0.02 * (high - low)


# A wrong phrase


@dataclass(frozen=True)
class Phrase:
    """One of several phrases of a text, each with its letter."""

    phrases: Mapping[str, str]

    def read(self, answer: object, right: object) -> str:
        """Read a letter, or so much of a phrase that no other is meant."""
        try:
            return _reader.option(answer, tuple(self.phrases))
        except Unreadable:
            said = fold(_reader.plain(answer)) if isinstance(answer, str) else ""
        meant = [
            letter
            for letter, phrase in self.phrases.items()
            if len(said) > 3 and (said in fold(phrase) or fold(phrase) in said)
        ]
        if len(meant) == 1:
            return meant[0]
        raise Unreadable(
            f"Give the letter of one phrase, {listing(self.phrases)}, in quotes, or the phrase."
        )

    def apart(self, given: str, other: str) -> np.ndarray:
        return _apart(given == other)


def wrong_phrase(
    exercise_id: str,
    phrases: Mapping[str, str],
    *,
    wrong: str,
    right: str,
    hint: str,
    sound: Mapping[str, str],
) -> Task:
    """Declare a task to find the one wrong phrase; ``sound`` says why each other is in order."""
    return task(
        exercise_id,
        Phrase(phrases),
        answer=lambda: wrong,
        right=right,
        hint=hint,
        mistakes=options(**sound),
    )


# A design


@dataclass(frozen=True)
class Rule:
    """What a design must satisfy, the reason where it does not, and a design that does not."""

    reason: str
    holds: Callable[[frozenset[str]], bool]
    broken_by: tuple[str, ...]


@dataclass(frozen=True)
class Sketch:
    """A design that was read, and the first of the rules that it breaks, counted from one."""

    parts: tuple[str, ...]
    breaks: int


@dataclass(frozen=True)
class Design:
    """Some of the ``parts``; every choice that satisfies all the rules is right.

    ``about`` says of a right one what is particular to it.
    """

    parts: tuple[str, ...]
    rules: tuple[Rule, ...]
    about: Callable[[frozenset[str]], str]

    def read(self, answer: object, right: object) -> Sketch:
        listed = _reader.names_in_order(answer, "part", self.parts)
        if twice := [part for part, count in Counter(listed).items() if count > 1]:
            raise Unreadable(f"{twice[0]!r} is in your list more than once. Name each part once.")
        chosen = frozenset(listed)
        if strange := sorted(chosen - set(self.parts)):
            raise Unreadable(f"{strange[0]!r} is not on the list. Choose from {self._listed()}.")
        broken = [at for at, rule in enumerate(self.rules, start=1) if not rule.holds(chosen)]
        return Sketch(tuple(sorted(chosen)), min(broken, default=0))

    def praise(self, given: Sketch) -> str:
        """Say of a right design what it is, before why it is right."""
        return self.about(frozenset(given.parts))

    def _listed(self) -> str:
        return listing(self.parts, most=len(self.parts))

    def apart(self, given: Sketch, other: Sketch) -> np.ndarray:
        return _apart(given.breaks == other.breaks)


def design(
    exercise_id: str,
    parts: Iterable[str],
    rules: Iterable[Rule],
    *,
    example: Iterable[str],
    about: Callable[[frozenset[str]], str],
    right: str,
    hint: str,
) -> Task:
    """Declare a task to choose from ``parts``; ``example`` is one of the right choices."""
    form, chosen = Design(tuple(parts), tuple(rules), about), tuple(example)

    def breaking(rule: Rule) -> Maker:
        return lambda: rule.broken_by

    mistakes: list[Known] = [(rule.reason, breaking(rule)) for rule in form.rules]
    return task(exercise_id, form, answer=lambda: chosen, right=right, hint=hint, mistakes=mistakes)


# A sentence of one's own


@dataclass(frozen=True)
class Sample:
    """A sentence to mark first: the criteria that it meets, and for each why it does or does not.

    Its ``reasons`` are in the order of the criteria.
    """

    text: str
    meets: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Rubric:
    """The criteria by their letters, the samples to mark first, and a sentence that meets all.

    A project has no samples, and none of ours.
    """

    criteria: Mapping[str, str]
    samples: Mapping[str, Sample]
    ours: str = ""


@dataclass(frozen=True)
class Marks:
    """Which criteria each sample meets: the letters, sample by sample."""

    rubric: Rubric

    def read(self, answer: object, right: object) -> frozenset[str]:
        """Read marks into a set of words such as 'first a'."""
        answer = _reader.plain(answer)
        names = list(self.rubric.samples)
        answer = answer.to_dict() if isinstance(answer, pd.Series) else answer
        if isinstance(answer, list | tuple) and len(answer) == len(names):
            answer = dict(zip(names, answer, strict=True))
        if not isinstance(answer, Mapping):
            raise Unreadable(f"Give the letters for each of {listing(names)}, as a dict.")
        given = {fold(name): marks for name, marks in answer.items()}
        if set(given) != {fold(name) for name in names}:
            raise Unreadable(f"Give the letters for each of {listing(names)}, and for no other.")
        return frozenset(
            f"{name} {letter}"
            for name in names
            for letter in letters(given[fold(name)], self.rubric.criteria)
        )

    def apart(self, given: frozenset[str], other: frozenset[str]) -> np.ndarray:
        return _apart(given == other)

    def differences(self, given: frozenset[str], right: frozenset[str]) -> str:
        """Say where marks differ from the course's, and why the course's are as they are."""
        differ = [
            _why(name, letter, sample, self.rubric)
            for name, sample in self.rubric.samples.items()
            for letter in self.rubric.criteria
            if (f"{name} {letter}" in given) != (f"{name} {letter}" in right)
        ]
        total = len(self.rubric.samples) * len(self.rubric.criteria)
        return f"{total - len(differ)} of {total} marks are like ours. {' '.join(differ)}"


def letters(marks: object, criteria: Mapping[str, str]) -> str:
    """Read the letters of criteria: 'a c', 'ac', ['a', 'c']; and 'none' or nothing for none.

    >>> letters("A, c", {"a": "It has a number.", "b": "It is short.", "c": "It is kind."})
    'ac'
    """
    if isinstance(marks, list | tuple | set | frozenset):
        marks = " ".join(map(str, marks))
    if not isinstance(marks, str):
        raise Unreadable(f"Give the letters of the criteria that are met, of {listing(criteria)}.")
    said = re.sub(r"\W|\b(and|none)\b", "", fold(marks))
    if surplus := sorted(set(said) - set(criteria)):
        raise Unreadable(f"There is no criterion {surplus[0]!r}; there are {listing(criteria)}.")
    return "".join(letter for letter in criteria if letter in said)


def _why(name: str, letter: str, sample: Sample, rubric: Rubric) -> str:
    verdict = "meets" if letter in sample.meets else "does not meet"
    reason = sample.reasons[list(rubric.criteria).index(letter)]
    return f"The {name} one {verdict} {letter}: {reason}"


def sentence(
    exercise_id: str,
    criteria: Mapping[str, str],
    *,
    ours: str,
    right: str,
    hint: str,
    **samples: Sample,
) -> Task:
    """Declare a task to mark sample sentences, after which `write` takes the learner's own."""
    rubric = Rubric(criteria, samples, ours)
    marks = {name: sample.meets for name, sample in samples.items()}

    def other_mark(name: str, letter: str) -> Maker:
        turned = set(marks[name]) ^ {letter}
        return lambda: marks | {name: "".join(sorted(turned))}

    mistakes: list[Known] = [
        (_why(name, letter, sample, rubric), other_mark(name, letter))
        for name, sample in samples.items()
        for letter in criteria
    ]
    RUBRICS[exercise_id] = rubric
    return task(
        exercise_id,
        Marks(rubric),
        answer=lambda: marks,
        right=right,
        hint=hint,
        mistakes=mistakes,
    )


def project(name: str, criteria: Mapping[str, str]) -> Rubric:
    """Declare work with a rubric that nothing here can check; `write` takes what was concluded."""
    RUBRICS[name] = Rubric(criteria, {})
    return RUBRICS[name]


def is_unmarked(meets: object) -> bool:
    """Ask whether nothing has been put yet where marks belong; 'none' is a mark."""
    empty = isinstance(meets, str | list | tuple | set | frozenset) and not meets
    return empty or (isinstance(meets, str) and not re.search(r"\w", meets))


def to_mark(rubric: Rubric) -> str:
    """Ask for the marks of a sentence that has none yet: by which criteria, and how."""
    asked = " ".join(f"({letter}) {text}" for letter, text in rubric.criteria.items())
    first, *_, last = rubric.criteria
    return (
        f"Now mark it: which of these does it meet? {asked} Put the letters of those that it meets "
        f'between the quotes of `meets`, such as "{first} {last}", or "none", and run the cell '
        "again."
    )


def feedback(rubric: Rubric, meets: str) -> str:
    """Say what a sentence lacks by its writer's own marks; where it lacks nothing, show ours."""
    missing = [
        f"{key} ({rubric.criteria[key].rstrip('.')})" for key in rubric.criteria if key not in meets
    ]
    count = f"By your marks it meets {len(meets)} of {len(rubric.criteria)} criteria."
    if missing:
        return f"{count} Still to do: {'; '.join(missing)}. Change it, and run the cell again."
    if not rubric.ours:
        return f"{count} Let somebody else mark it by the same ones."
    return f"{count} Ours, to compare: {rubric.ours}"
