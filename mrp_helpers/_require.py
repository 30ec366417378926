"""Checks that several modules share; each message names the column, the place and the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral

import numpy as np
import pandas as pd


def listing(values: Iterable[object], most: int = 8) -> str:
    """Write values as a short list: ``'AL', 'AK' and 3 more``."""
    shown = list(values)
    text = ", ".join(repr(_plain(value)) for value in shown[:most])
    return text if len(shown) <= most else f"{text} and {len(shown) - most} more"


def _plain(value: object) -> object:
    """Turn NumPy's numbers into Python's, whose names are not part of how they are written."""
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value


def require_type(value: object, kind: type, what: str) -> None:
    """Raise TypeError unless ``value`` is of the kind that every later step reads."""
    if not isinstance(value, kind):
        library = kind.__module__.partition(".")[0].replace("builtins", "")
        wanted = f"{library} {kind.__name__}".strip()
        found, remedy = type(value).__name__, ""
        if library == "pandas" and hasattr(value, "to_pandas"):  # a frame of polars, for one
            found = f"{type(value).__module__.partition('.')[0]} {found}"
            remedy = ", which .to_pandas() makes of it"
        raise TypeError(f"{what} is of type {found}; pass a {wanted}{remedy}")


def require_whole(value: object, least: int, what: str) -> None:
    """Raise unless ``value`` is a whole number, and not below ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{what} is {value!r}; pass a whole number")
    if value < least:
        raise ValueError(f"{what} is {value}; it must be {least} or more")


def require_columns(table: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Raise unless ``table`` has each of ``columns``, once; name a likely misspelling."""
    require_type(table, pd.DataFrame, what)
    for column in columns:
        found = int((table.columns == column).sum())
        if found == 1:
            continue
        if found:
            raise ValueError(f"{what} has {found} columns named {column!r}; rename or drop one")
        names = [str(name) for name in table.columns]
        close = get_close_matches(str(column), names, n=1) or [
            name for name in names if name.startswith(str(column))
        ]
        remedy = (
            f"it has {close[0]!r} - rename it" if close else f"its columns are {listing(names)}"
        )
        if column in table.index.names:
            remedy = "its index has that name - call .reset_index() first"
        raise KeyError(f"{what} has no column {column!r}; {remedy}")


def require_numbers(values: pd.Series, what: str) -> None:
    """Raise TypeError unless ``values`` are a Series of numbers."""
    require_type(values, pd.Series, what)
    kinds = pd.api.types
    if kinds.is_numeric_dtype(values) and not (
        kinds.is_bool_dtype(values) or kinds.is_complex_dtype(values)
    ):
        return
    remedy = "convert it with pd.to_numeric"
    if kinds.is_object_dtype(values) and len(values):
        remedy = (
            f"its values are objects such as {values.iloc[0]!r}: convert it with .astype(float)"
        )
    raise TypeError(f"{what} is not numeric but {values.dtype}; {remedy}")


def require_counts(values: pd.Series, what: str) -> None:
    """Raise unless ``values`` are finite numbers >= 0 with a total above 0."""
    require_numbers(values, what)
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    for fault, word in (
        (np.isnan(numbers), "missing"),
        (np.isinf(numbers), "infinite"),
        (numbers < 0, "negative"),
    ):
        if fault.any():
            where = listing(values.index[fault], most=3)
            raise ValueError(f"{what} is {word} in {fault.sum()} row(s), at index {where}")
    if not numbers.any():
        raise ValueError(f"{what} sums to zero; there is nobody to weight by")
