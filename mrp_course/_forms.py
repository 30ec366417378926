"""The forms that an answer may have, and how far one answer is from another.

A form reads what a learner hands in into one plain shape, or raises `Unreadable` with a sentence
that says what to hand in instead. Distances are in tolerances, beyond what rounding explains: an
answer written with three digits is as near as three digits can be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mrp_course import _reader
from mrp_course._reader import Unreadable
from mrp_course._spelling import fold, spell, spell_level

# What two exact computations of one number may differ by, such as after rounding halfway.
EXACT = 2e-4


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers that were read, one a label, and for each the last decimal place that was written."""

    values: pd.Series
    unit: np.ndarray | float = 0.0

    @property
    def array(self) -> np.ndarray:
        return self.values.to_numpy(float)

    def in_order_of(self, labels: pd.Index) -> "Numbers":
        """Put the numbers into the order of other labels."""
        units = pd.Series(self.unit, index=self.values.index)
        return Numbers(self.values.reindex(labels), units.reindex(labels).to_numpy(float))


class Form(Protocol):
    """What `check` needs to know about the kind of answer that a task asks for."""

    def read(self, answer: object, right: Any) -> Any:
        """Bring an answer into the form's plain shape, or raise `Unreadable`."""

    def apart(self, given: Any, other: Any) -> np.ndarray:
        """Say how far an answer is from another, value by value, in tolerances."""


def numbers(values: pd.Series) -> Numbers:
    """Keep numbers together with the last decimal place in which each of them is written."""
    return Numbers(values, np.array([_last_place(value) for value in values]))


def _last_place(value: float) -> float:
    exponent = Decimal(f"{value:.12g}").as_tuple().exponent if np.isfinite(value) else 0
    return float(10.0 ** min(0, int(exponent)))


def third_digit(values: np.ndarray) -> np.ndarray:
    """Give the place of the third digit that is printed: a thousandth, or coarser, up to a unit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.floor(np.log10(np.abs(values))) - 2
    return np.asarray(10.0 ** np.clip(np.nan_to_num(places, neginf=-3.0), -3, 0))


def beyond_rounding(given: Numbers, other: Numbers, within: np.ndarray) -> np.ndarray:
    """Compare numbers of the same labels, rounding taken off: differences in ``within``."""
    one, two = given.array, other.values.reindex(given.values.index).to_numpy(float)
    rounding = np.minimum(given.unit, third_digit(two)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):  # of a right answer that is zero
        off = np.maximum(np.abs(one - two) - 1.000001 * rounding, 0) / within
    off[np.isnan(off)] = np.inf
    off[(np.isnan(one) & np.isnan(two)) | (one == two)] = 0
    return np.asarray(off)


def _labels_agree(one: pd.Series, other: pd.Series) -> bool:
    return len(one) == len(other) and set(one.index) == set(other.index)


@dataclass(frozen=True)
class Number:
    """One number, to within what legitimate answers differ by; rounding is allowed for besides.

    ``value`` names it, for whoever hands in a whole row of a table that has several.
    """

    within: float = EXACT
    value: str = "estimate"

    def read(self, answer: object, right: object) -> Numbers:
        return numbers(pd.Series([_reader.one_number(answer, self.value)], index=["number"]))

    def apart(self, given: Numbers, other: Numbers) -> np.ndarray:
        return beyond_rounding(given, other, np.array([self.within]))


@dataclass(frozen=True)
class Table:
    """One number for each level of the columns ``keys``.

    ``within`` is what legitimate answers differ by besides rounding, such as three or more Monte
    Carlo errors: one number, or one a label. ``value`` is the column to take from a table with
    several. With ``any_scale`` only the proportions between the numbers count, so that shares,
    counts and weights are all welcome. With ``points`` the numbers are percentage points.
    """

    keys: tuple[str, ...]
    value: str = "estimate"
    within: float | Mapping[str, float] = EXACT
    any_scale: bool = False
    points: bool = False

    def read(self, answer: object, right: object) -> Numbers:
        wanted = right.values if isinstance(right, Numbers) else None
        series = _reader.one_value_each(answer, self.keys, self.value, wanted, numeric=True)
        try:
            values = [_reader.number(part) for part in series]
        except Unreadable as error:
            raise Unreadable(
                f"{error} Give one number for each {' and '.join(self.keys)}."
            ) from None
        if self.points and any(isinstance(part, str) for part in series):
            values = [
                100 * v if _is_per_cent(part) else v for v, part in zip(values, series, strict=True)
            ]
        read = numbers(pd.Series(values, index=series.index, dtype=float))
        total = np.nansum(read.array)
        if self.any_scale and total > 0:
            return Numbers(read.values / total, read.unit / total)
        return read

    def apart(self, given: Numbers, other: Numbers) -> np.ndarray:
        if not _labels_agree(given.values, other.values):
            return np.array([np.inf])
        return beyond_rounding(given, other, self._within(given.values.index))

    def _within(self, labels: pd.Index) -> np.ndarray:
        if isinstance(self.within, Mapping):
            return np.array([self.within[label] for label in labels])
        return np.full(len(labels), self.within)


def _is_per_cent(part: object) -> bool:
    return isinstance(part, str) and _reader.is_per_cent(part)


@dataclass(frozen=True)
class Labels:
    """One word for each level of the columns ``keys``."""

    keys: tuple[str, ...]
    value: str = "label"

    def read(self, answer: object, right: object) -> pd.Series:
        wanted = right if isinstance(right, pd.Series) else None
        series = _reader.one_value_each(answer, self.keys, self.value, wanted, numeric=False)
        return series.map(spell, na_action=None).astype(object)

    def apart(self, given: pd.Series, other: pd.Series) -> np.ndarray:
        if not _labels_agree(given, other):
            return np.array([np.inf])
        differs = given.map(fold) != other.reindex(given.index).map(fold)
        return np.where(differs, np.inf, 0.0)


@dataclass(frozen=True)
class Names:
    """A collection of names, in any order; from a table, the column ``column``."""

    column: str = "name"

    def read(self, answer: object, right: object) -> frozenset[str]:
        wanted = sorted(right) if isinstance(right, frozenset) else []
        return _reader.names(answer, self.column, wanted)

    def apart(self, given: frozenset[str], other: frozenset[str]) -> np.ndarray:
        return np.array([0.0 if given == other else np.inf])


@dataclass(frozen=True)
class Choice:
    """One of several options that the task lists by letter or name."""

    options: tuple[str, ...]

    def read(self, answer: object, right: object) -> str:
        return _reader.option(answer, self.options)

    def apart(self, given: str, other: str) -> np.ndarray:
        return np.array([0.0 if given == other else np.inf])


def other_levels(given: pd.Series, right: pd.Series, keys: tuple[str, ...]) -> str:
    """Say which labels an answer lacks and which are not asked for; nothing if they agree."""
    found, wanted = given.index, right.index
    if len(keys) > 1 and all(isinstance(level, tuple) for level in found):
        # The column at fault says more than the first few of many combinations.
        for at, key in enumerate(keys):
            parts = [pd.Index([level[at] for level in index]).unique() for index in (found, wanted)]
            if fault := _not_shared(*parts):
                return f"In the column {key!r}: {fault}"
    return _not_shared(found, wanted)


def _not_shared(found: pd.Index, wanted: pd.Index) -> str:
    lacking, surplus = wanted.difference(found, sort=False), found.difference(wanted, sort=False)
    sentences = [
        f"It lacks {some(lacking)}." if len(lacking) else "",
        f"It has {some(surplus)}, which is not asked for." if len(surplus) else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def some(levels: pd.Index) -> str:
    """Write the first labels of several into a sentence."""
    text = ", ".join(spell_level(level) for level in levels[:3])
    return text if len(levels) <= 3 else f"{text} and {len(levels) - 3:,} more"
