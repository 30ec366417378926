"""The forms that an answer may have, and how each is read and compared.

A form reads what a learner hands in into one plain shape, or raises `Unreadable` with a sentence
that says what to hand in instead. It never asks how the answer was computed: a list, an array, a
Series in another order and a table with one column of numbers are all the same answer.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr

from mrp_helpers._require import listing

# Exact results may be rounded to three decimals; what is wrong is further off than this.
ROUNDED = 6e-4


class Unreadable(Exception):
    """An answer that is not of the form asked for; the message says what to hand in."""


class Form(Protocol):
    """What `check` needs to know about the kind of answer that a task asks for."""

    def read(self, answer: object, right: Any) -> Any:
        """Bring an answer into the form's plain shape, or raise `Unreadable`."""

    def same(self, one: Any, other: Any) -> bool:
        """Compare two answers that were read."""

    def difference(self, given: Any, right: Any) -> str:
        """Say how an answer differs from the right one without giving it away."""


@dataclass(frozen=True)
class Number:
    """One number, to within an absolute distance."""

    within: float = ROUNDED

    def read(self, answer: object, right: float) -> float:
        if isinstance(answer, bool | np.bool_):
            raise Unreadable(f"Your answer is {answer}. Give the number itself, not a comparison.")
        if isinstance(answer, str | bytes):
            raise Unreadable("Your answer is text. Give the number itself, without quotes.")
        values = _numbers(answer, "one number")
        if values.size != 1:
            raise Unreadable(f"Your answer holds {values.size:,} values; one number is asked for.")
        return float(values.ravel()[0])

    def same(self, one: float, other: float) -> bool:
        return bool(np.isclose(one, other, rtol=0, atol=self.within, equal_nan=True))

    def difference(self, given: float, right: float) -> str:
        if np.isnan(given):
            return "Your number is missing (NaN): look for an empty group or a join that failed."
        return f"{given:.6g} is too {'large' if given > right else 'small'}."


@dataclass(frozen=True)
class Table:
    """One number for each level of the columns ``keys``, to within an absolute distance.

    ``value`` is the column to take from a table with several; with ``any_scale`` only the
    proportions between the numbers count, so that shares, counts and weights are all welcome.
    """

    keys: tuple[str, ...]
    value: str = "estimate"
    within: float = ROUNDED
    any_scale: bool = False

    def read(self, answer: object, right: object) -> pd.Series:
        wanted = right if isinstance(right, pd.Series) else None
        series = _labelled(answer, self.keys, self.value, wanted)
        values = _numbers(series, "numbers")
        total = np.nansum(values)
        if self.any_scale and total > 0:
            values = values / total
        return pd.Series(values, index=series.index)

    def same(self, one: pd.Series, other: pd.Series) -> bool:
        if len(one) != len(other) or set(one.index) != set(other.index):
            return False
        other = other.reindex(one.index)
        return bool(np.allclose(one, other, rtol=0, atol=self.within, equal_nan=True))

    def difference(self, given: pd.Series, right: pd.Series) -> str:
        if fault := _other_levels(given, right, self.keys) or _missing_values(given):
            return fault
        given = given.reindex(right.index)
        off = (given - right).abs()
        worst = off.idxmax()
        side = "large" if (given - right).iloc[int(off.argmax())] > 0 else "small"
        return (
            f"{(off <= self.within).sum():,} of {len(right):,} values are right. "
            f"Furthest off is {_spell_level(worst)}, which is too {side}."
        )


@dataclass(frozen=True)
class Labels:
    """One word for each level of the columns ``keys``."""

    keys: tuple[str, ...]
    value: str = "label"

    def read(self, answer: object, right: object) -> pd.Series:
        wanted = right if isinstance(right, pd.Series) else None
        series = _labelled(answer, self.keys, self.value, wanted, numeric=False)
        return series.map(_spell, na_action=None).astype(object)

    def same(self, one: pd.Series, other: pd.Series) -> bool:
        return set(one.index) == set(other.index) and bool((one == other.reindex(one.index)).all())

    def difference(self, given: pd.Series, right: pd.Series) -> str:
        if fault := _other_levels(given, right, self.keys):
            return fault
        agree = given.reindex(right.index) == right
        first = _spell_level(agree.idxmin())
        return f"{agree.sum():,} of {len(right):,} labels are right. Look again at {first}."


@dataclass(frozen=True)
class Names:
    """A collection of names, in any order; from a table, the column ``column``."""

    column: str = "name"

    def read(self, answer: object, right: object) -> frozenset[str]:
        if isinstance(answer, str | bytes):
            raise Unreadable("Your answer is one text. Give a list of names: ['AK', 'AL'].")
        if isinstance(answer, pd.DataFrame):
            if self.column not in answer.columns and self.column not in answer.index.names:
                raise Unreadable(f"Your table has no column {self.column!r}; give the names alone.")
            answer = answer.reset_index()[self.column]
        if isinstance(answer, pd.Series | np.ndarray | xr.DataArray):
            answer = np.asarray(answer).ravel().tolist()
        if not isinstance(answer, list | tuple | set | frozenset | pd.Index | Mapping):
            raise Unreadable(f"{_kind(answer)} Give a list of names.")
        if len(answer) == 0:
            raise Unreadable("Your list is empty.")
        if len(answer) > 1_000_000:
            raise Unreadable(f"Your list has {len(answer):,} names; far fewer are asked for.")
        return frozenset(_spell(name) for name in answer)

    def same(self, one: frozenset[str], other: frozenset[str]) -> bool:
        return one == other

    def difference(self, given: frozenset[str], right: frozenset[str]) -> str:
        return (
            f"Names of yours that do not belong there: {len(given - right):,} of {len(given):,}. "
            f"Names that are missing: {len(right - given):,}."
        )


@dataclass(frozen=True)
class Choice:
    """One of several options that the task lists by letter or name."""

    options: tuple[str, ...]

    def read(self, answer: object, right: object) -> str:
        listed = listing(self.options)
        if not isinstance(answer, str):
            raise Unreadable(f"{_kind(answer)} Give one of {listed}, in quotes.")
        for option in self.options:
            if answer.strip().casefold() == option.casefold():
                return option
        raise Unreadable(f"That is none of the options. Give one of {listed}.")

    def same(self, one: str, other: str) -> bool:
        return one == other

    def difference(self, given: str, right: str) -> str:
        return f"{given!r} is not the best choice."


def _kind(answer: object) -> str:
    if answer is None:
        return "Your answer is None: a function without a return, or a name not yet assigned."
    if callable(answer):
        return "Your answer is a function: call it, and hand in what it returns."
    return f"Your answer is of type {type(answer).__name__}."


def _numbers(answer: object, wanted: str) -> np.ndarray:
    """Read numbers, however they are held; refuse text, dates, objects and complex numbers."""
    if answer is None or callable(answer) or isinstance(answer, str | bytes):
        raise Unreadable(f"{_kind(answer)} Give {wanted}.")
    values = np.asarray(answer)
    if values.dtype == object:
        values = _from_objects(values, wanted)
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise Unreadable(f"{_kind(answer)} Give {wanted}; yours are of type {values.dtype}.")
    return values.astype(float)


def _from_objects(values: np.ndarray, wanted: str) -> np.ndarray:
    try:
        return pd.Series(values.ravel()).astype(float).to_numpy()
    except (TypeError, ValueError):
        raise Unreadable(f"Your answer holds things that are not numbers. Give {wanted}.") from None


def _labelled(
    answer: object,
    keys: tuple[str, ...],
    value: str,
    wanted: pd.Series | None,
    *,
    numeric: bool = True,
) -> pd.Series:
    """Read one value a level, the levels spelled alike; ``wanted`` gives a bare list's order."""
    by = " and ".join(keys)
    if isinstance(answer, xr.DataArray) and answer.ndim:
        answer = answer.to_series()
    if isinstance(answer, Mapping):
        answer = pd.Series(dict(answer), dtype=object if not numeric else None)
    if isinstance(answer, pd.DataFrame) and _is_two_way(answer, keys):
        answer = answer.stack()
    if isinstance(answer, pd.DataFrame):
        answer = _value_column(answer, keys, value, numeric)
    if isinstance(answer, list | tuple | np.ndarray):
        answer = pd.Series(np.ravel(np.asarray(answer)))
    if not isinstance(answer, pd.Series):
        raise Unreadable(f"{_kind(answer)} Give one value for each {by}, as a Series.")
    if answer.empty:
        raise Unreadable(f"Your answer is empty. Give one value for each {by}.")
    if wanted is not None and len(answer) > 10 * len(wanted) + 1000:
        raise Unreadable(f"Your answer has {len(answer):,} rows; about {len(wanted):,} are asked.")
    if wanted is not None and _is_bare(answer, wanted):
        if len(answer) != len(wanted):
            raise Unreadable(
                f"Your answer has {len(answer):,} values without labels; it takes {len(wanted):,}, "
                f"one for each {by}. A Series with its index says which is which."
            )
        answer = answer.set_axis(wanted.index)
    if set(keys) == set(answer.index.names) and len(keys) > 1:
        answer = answer.reorder_levels([answer.index.names.index(key) for key in keys])
    series = answer.set_axis(
        pd.Index([_spell_key(key) for key in answer.index], tupleize_cols=False)
    )
    if series.index.has_duplicates:
        twice = _spell_level(series.index[series.index.duplicated()][0])
        raise Unreadable(f"Your answer has more than one value for {twice}; one a {by} is asked.")
    return series


def _value_column(
    table: pd.DataFrame, keys: tuple[str, ...], value: str, numeric: bool
) -> pd.Series:
    """Take from a table the column that holds the answer, indexed by its keys."""
    if table.empty:
        raise Unreadable("Your table is empty.")
    named = [name for name in table.index.names if name is not None]
    if set(named) - set(table.columns):
        table = table.reset_index([name for name in named if name not in table.columns])
    if set(keys) <= set(table.columns):
        table = table.set_index(list(keys))
    if value in table.columns:
        return table[value]
    columns = table.select_dtypes("number").columns if numeric else table.columns
    if len(columns) != 1:
        found = listing(table.columns)
        raise Unreadable(f"Your table has the columns {found}. Hand in one: table[{value!r}].")
    return table[columns[0]]


def _is_two_way(table: pd.DataFrame, keys: tuple[str, ...]) -> bool:
    """Ask whether one key's levels are the rows of a table and the other's its columns."""
    return len(keys) == 2 and {table.index.name, table.columns.name} == set(keys)


def _is_bare(answer: pd.Series, wanted: pd.Series) -> bool:
    """Ask whether values have no labels of their own, to be taken in the task's order."""
    counted = isinstance(answer.index, pd.RangeIndex)
    return counted and wanted.index.intersection([_spell_key(key) for key in answer.index]).empty


def _spell_key(key: Hashable) -> Hashable:
    return tuple(_spell(part) for part in key) if isinstance(key, tuple) else _spell(key)


def _spell(level: object) -> str:
    """Write a level so that 1, 1.0, True and '1' are the same."""
    if isinstance(level, np.generic):
        level = level.item()
    if isinstance(level, bool | int):
        return str(int(level))
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level).strip()


def _spell_level(level: object) -> str:
    return " and ".join(repr(part) for part in (level if isinstance(level, tuple) else [level]))


def _other_levels(given: pd.Series, right: pd.Series, keys: tuple[str, ...]) -> str | None:
    found, wanted = given.index, right.index
    if all(isinstance(level, tuple) and len(level) == len(keys) for level in found):
        # The column at fault says more than the first few of many combinations.
        for at, key in enumerate(keys):
            parts = [pd.Index([level[at] for level in index]).unique() for index in (found, wanted)]
            if fault := _not_shared(*parts):
                return f"In the column {key!r}: {fault}"
    return _not_shared(found, wanted)


def _not_shared(found: pd.Index, wanted: pd.Index) -> str | None:
    lacking, surplus = wanted.difference(found), found.difference(wanted)
    sentences: Iterable[str] = [
        f"It lacks {_some(lacking)}." if len(lacking) else "",
        f"It has {_some(surplus)}, which is not asked for." if len(surplus) else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence) or None


def _missing_values(given: pd.Series) -> str | None:
    empty = given.index[given.isna()]
    return f"It has no value (NaN) for {_some(empty)}." if len(empty) else None


def _some(levels: pd.Index) -> str:
    text = ", ".join(_spell_level(level) for level in levels[:3])
    return text if len(levels) <= 3 else f"{text} and {len(levels) - 3:,} more"
