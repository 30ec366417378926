"""Checks that several modules share; each message names the column, the place and the remedy."""

from collections.abc import Iterable, Mapping
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


def require_type(value: object, kind: type, what: str, such_as: str = "") -> None:
    """Raise TypeError unless ``value`` is of the kind that every later step reads.

    The message ends in an example of what to pass, where ``such_as`` gives one.
    """
    if isinstance(value, kind):
        return
    library = kind.__module__.partition(".")[0]
    wanted = kind.__name__ if library == "builtins" else f"{library} {kind.__name__}"
    wanted = "mapping" if kind is Mapping else wanted
    article = "an" if wanted[0] in "aeioux" else "a"  # an xarray
    found, remedy = type(value).__name__, f", such as {such_as}" if such_as else ""
    if library == "pandas" and hasattr(value, "to_pandas"):  # a frame of polars, for one
        found = f"{type(value).__module__.partition('.')[0]} {found}"
        remedy = ", which .to_pandas() makes of it"
    raise TypeError(f"{what} is of type {found}; pass {article} {wanted}{remedy}")


def require_series(values: object, what: str, table: str = "table") -> None:
    """Raise TypeError unless ``values`` are a Series; say how what was given becomes one.

    ``table`` is what the caller would write for the table whose rows the values belong to.
    """
    such_as = ""
    if isinstance(values, str):
        such_as = f"{table}[{values!r}]"
    elif isinstance(values, pd.DataFrame):
        such_as = "one of its columns"
    elif isinstance(values, Mapping):
        such_as = "pd.Series(...) of it"
    elif isinstance(values, list | tuple | np.ndarray):
        such_as = f"pd.Series(..., index={table}.index)"
    require_type(values, pd.Series, what, such_as)


def require_whole(value: object, least: int, what: str) -> None:
    """Raise unless ``value`` is a whole number, and not below ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{what} is {value!r}; pass a whole number")
    if value < least:
        raise ValueError(f"{what} is {value}; it must be {least} or more")


def require_columns(
    table: pd.DataFrame,
    columns: Iterable[str],
    what: str,
    options: Mapping[str, str] | None = None,
) -> None:
    """Raise unless ``table`` has each of ``columns``, once; say what to do about one it lacks.

    ``options`` gives for a column the argument that names it, so that nobody has to rename what
    only has another name than the default.
    """
    require_type(table, pd.DataFrame, what)
    wanted = list(columns)
    for column in wanted:
        found = int((table.columns == column).sum())
        if found == 1:
            continue
        if found:
            raise ValueError(f"{what} has {found} columns named {column!r}; rename or drop one")
        remedy = _remedy_for_missing(table, column, wanted, (options or {}).get(column))
        raise KeyError(f"{what} has no column {column!r}; {remedy}")


def _remedy_for_missing(
    table: pd.DataFrame, column: str, wanted: list[str], option: str | None
) -> str:
    if column in table.index.names:
        return "its index has that name - call .reset_index() first"
    name = str(column)
    # What is needed under its own name is not a misspelling of another column.
    spare = [str(other) for other in table.columns if other not in wanted]
    longer = [other for other in spare if len(name) > 1 and other.startswith(name)]
    close = get_close_matches(name, spare, n=1) or longer
    remedy = f"it has {close[0]!r} - rename it" if close else f"its columns are {listing(table)}"
    if option is None:
        return remedy
    return f"{remedy}{', or' if close else ';'} name the right one with {option}="


def require_numbers(values: pd.Series, what: str, table: str = "table") -> None:
    """Raise TypeError unless ``values`` are a Series of numbers."""
    require_series(values, what, table)
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


def require_counts(values: pd.Series, what: str, table: str = "table") -> None:
    """Raise unless ``values`` are finite numbers >= 0 with a total above 0."""
    require_numbers(values, what, table)
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
