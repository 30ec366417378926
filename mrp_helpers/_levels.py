"""One rule of what counts as the same level, wherever a frame meets a model.

**The rule.** Two values are the same level when they are of one kind and equal within it.

- A container is looked through: a category is its value, and so is a value of a nullable or an
  Arrow type, or of a column of Python objects. The order of categories does not matter, nor do
  those that no row has.
- Text equals the same text, character for character, whichever type of text holds it.
- A number equals the same number, whole or not, whatever its width. Where one of the two columns
  holds shorter floats, both are rounded to these first, as one of them was: 0.1 in single and in
  double precision are the same level. If two levels become one by that, the column is refused.
- A boolean is not a number: True is not 1. Nor is text that looks like a number one.
- Anything else (dates, intervals) equals what Python calls equal, within its own kind.

Values of another kind are never an unseen level: they are a coding fault and are refused, whatever
is to be done about levels that the model never saw.
"""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mrp_helpers._require import listing

_KINDS = {
    "boolean": "booleans",
    "string": "text",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
}
_REMEDIES = {
    "booleans": "convert it with .astype(bool), or .map, after a look at what each value means",
    "numbers": "convert it with pd.to_numeric",
    "text": "convert it with .astype(str)",
}


class Column(NamedTuple):
    """A column as integer codes: which of its distinct values, sorted, each row has."""

    name: str
    kind: str
    codes: np.ndarray
    distinct: np.ndarray
    precision: np.dtype[Any] | None  # of floats

    def take(self, chosen: np.ndarray) -> "Column":
        """Keep some of the rows."""
        return self._replace(codes=self.codes[chosen])


def resolve(values: pd.Series, what: str) -> Column:
    """Turn a column without missing values into codes of its distinct values.

    Raises
    ------
    TypeError
        When it mixes kinds of values, such as text and numbers, or holds lists.
    """
    name = str(values.name)
    if isinstance(values.dtype, pd.CategoricalDtype):
        used, codes = np.unique(values.cat.codes, return_inverse=True)
        inner = resolve(values.cat.categories[used].to_series(name=name), what)
        return inner.take(codes)
    dtype: Any = getattr(values.dtype, "numpy_dtype", values.dtype)
    kind = _kind_of_type(values.dtype)
    if kind is None:
        values, dtype = values.astype(object), np.dtype(object)
        kind = _kind_of_objects(values, what)
    try:
        codes, distinct = pd.factorize(values, sort=True)
    except TypeError as error:  # lists, or what cannot be sorted
        raise TypeError(
            f"{what}: column {name!r} holds {kind}, which cannot be levels ({error}); recode it"
        ) from error
    if kind == "numbers" and dtype.kind == "O":
        whole = all(isinstance(value, Integral) for value in distinct)
        dtype = np.dtype("int64" if whole else "float64")
    dtype = dtype if kind in ("numbers", "booleans") else np.dtype(object)
    plain = distinct.to_numpy(dtype=dtype)
    return Column(name, kind, codes.astype("int32"), plain, dtype if dtype.kind == "f" else None)


def require_same_kind(
    column: Column, seen: Column, what: str, whose: str = "the model's data"
) -> None:
    """Refuse a column whose values are of a different kind from those that the model saw."""
    if column.kind == seen.kind:
        return
    example, known = column.distinct[:1], seen.distinct[:1]
    remedy = _REMEDIES.get(seen.kind, f"recode it to {seen.kind}")
    raise TypeError(
        f"{what}: column {column.name!r} holds {column.kind}, such as {listing(example)}, and "
        f"{whose} hold {seen.kind}, such as {listing(known)}, which are never equal; {remedy}"
    )


def positions(
    column: Column,
    seen: Column,
    levels: list[Any],
    what: str = "frame",
    whose: str = "the model's data",
) -> np.ndarray:
    """Find each distinct value of a column among the model's levels; -1 where none is the same.

    Raises
    ------
    ValueError
        When the shorter floats of one side cannot tell two levels apart.
    """
    if column.kind != "numbers":
        found, known = list(column.distinct), list(levels)
    else:
        floats = [one for one in (column.precision, seen.precision) if one is not None]
        shortest = min(floats, key=lambda one: one.itemsize, default=None)
        found, known = (_rounded(one, shortest) for one in (column.distinct, levels))
    where = {level: position for position, level in enumerate(known)}
    places = np.array([where.get(value, -1) for value in found], dtype="intp")
    twice = np.bincount(places[places >= 0], minlength=len(levels)) > 1
    if len(where) < len(levels) or twice.any():
        raise ValueError(
            f"{what}: column {column.name!r} and {whose} differ in precision, and levels "
            f"such as {listing(levels, most=3)} cannot be told apart in the lower one; give both "
            "columns one type"
        )
    return places


def _rounded(values: Any, precision: np.dtype[Any] | None) -> list[Any]:
    if precision is None:
        return [int(value) for value in values]
    rounded: list[Any] = np.asarray(values, dtype=precision).tolist()
    return rounded


def as_wide(dtype: Any) -> Any:
    """Give the type in which a column is computed with: eight bits do not hold 100 squared."""
    plain = getattr(dtype, "numpy_dtype", dtype)
    narrow = isinstance(plain, np.dtype) and plain.kind in "iu" and plain.itemsize < 8
    return np.dtype("int64") if narrow else dtype


def _kind_of_type(dtype: Any) -> str | None:
    """Name the kind of a column's values, where its type alone says it."""
    if pd.api.types.is_bool_dtype(dtype):
        return "booleans"
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return "numbers"
    if not pd.api.types.is_object_dtype(dtype) and pd.api.types.is_string_dtype(dtype):
        return "text"
    return None


def _kind_of_objects(values: pd.Series, what: str) -> str:
    inferred = pd.api.types.infer_dtype(values, skipna=False)
    if inferred not in ("mixed", "mixed-integer"):
        return _KINDS.get(inferred, f"values of the kind {inferred}")
    kinds = sorted({type(value).__name__ for value in values})
    if len(kinds) > 1:
        raise TypeError(
            f"{what}: column {values.name!r} mixes values of the types {listing(kinds)}; make it "
            "one type, such as text with .astype(str)"
        )
    return f"values of the kind {kinds[0]}"
