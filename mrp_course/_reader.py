"""Reads what a learner hands in, however it is held, or says in a sentence what is expected.

Nothing here asks how an answer was computed. A list, an array, a Series in another order, a dict, a
table of pandas, polars or pyarrow and a row of `poststratify` are the same answer if they hold the
same numbers; "43.4%" is 0.434, and "18–29" is "18-29".
"""

import ast
import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from mrp_course._spelling import fold, match, spell, spell_key, spell_level
from mrp_helpers._require import listing

# More than any task asks for; what is larger is not looked through.
MOST = 100_000
# What stands beside the numbers that are asked for, in a row of `poststratify` and in summaries.
BESIDE = {"sd", "se", "std", "population", "n", "mean", "median", "estimate", "lower", "upper"}
BESIDE |= {"total", "all", "width", "prob", "count"}
MARGINS = {"all", "total"}
# What may be written before the letter of an option.
OPTION = "option|answer|choice|statement|sentence|paragraph"
# Where a table has several columns of numbers, the first of these is what it is about.
ABOUT = ("estimate", "value", "mean", "share", "weight", "number")


class Unreadable(Exception):
    """An answer that is not of the form asked for; the message says what to hand in."""


def kind(answer: object) -> str:
    """Say what an answer is, where that alone is the fault."""
    if answer is None:
        return "Your answer is None: a function without a return, or a name not yet assigned."
    if isinstance(answer, str | bytes):
        return "Your answer is text."
    if callable(answer):
        return "Your answer is a function: call it, and hand in what it returns."
    return f"Your answer is of type {type(answer).__name__}."


def plain(answer: Any) -> Any:
    """Bring containers of other libraries, views, pairs and literals to pandas, dict or list."""
    library = type(answer).__module__.partition(".")[0]
    if library in ("polars", "pyarrow"):
        return _from_columns(answer)
    if isinstance(answer, xr.DataTree):
        answer = answer.to_dataset()
    if isinstance(answer, xr.Dataset | xr.DataArray):
        return _from_xarray(answer)
    if isinstance(answer, pd.Interval):
        return [answer.left, answer.right]
    if isinstance(answer, np.ndarray) and not answer.ndim:
        return answer.item()
    if isinstance(answer, np.ndarray) and answer.dtype.names:
        return pd.DataFrame(answer)
    if isinstance(answer, tuple) and hasattr(answer, "_asdict"):
        return cast("Any", answer)._asdict()
    if isinstance(answer, str) and answer.strip()[:1] in tuple("[({"):
        with contextlib.suppress(ValueError, SyntaxError):
            return ast.literal_eval(answer.strip())
    if isinstance(answer, pd.Index | pd.api.extensions.ExtensionArray | range):
        return list(answer[:MOST])
    if isinstance(answer, Iterator | type({}.values()) | type({}.keys()) | type({}.items())):
        return list(islice(answer, MOST))
    return answer


def _from_columns(answer: Any) -> Any:
    """Read a table, a column or a scalar of polars or pyarrow."""
    answer = answer.collect() if hasattr(answer, "collect") else answer
    if hasattr(answer, "to_pydict"):
        return pd.DataFrame(answer.to_pydict())
    if hasattr(answer, "columns"):
        return pd.DataFrame(answer.to_dict(as_series=False))
    if hasattr(answer, "as_py"):
        return answer.as_py()
    return answer.to_pylist() if hasattr(answer, "to_pylist") else answer.to_list()


def _from_xarray(answer: Any) -> Any:
    if isinstance(answer, xr.Dataset):
        if len(answer.data_vars) == 1:
            return _from_xarray(answer[next(iter(answer.data_vars))])
        if all(not variable.ndim for variable in answer.data_vars.values()):
            return {name: variable.item() for name, variable in answer.data_vars.items()}
        return answer.to_dataframe()
    return answer.to_series() if answer.ndim else answer.item()


def number(part: Any) -> float:
    """Read one number: of any type, as text, as a fraction, in per cent, or alone in a container.

    >>> [number(part) for part in ("43.4%", "1/4", "1,256", "−0.02", 3)]
    [0.434, 0.25, 1256.0, -0.02, 3.0]
    """
    if isinstance(part, str):
        return _from_text(part)
    if isinstance(part, bool | np.bool_):
        raise Unreadable(f"Your answer holds {part}. Give the number itself, not a comparison.")
    if part is None or part is pd.NA or part is pd.NaT:
        return np.nan
    if isinstance(part, Mapping) and len(part) == 1:
        return number(next(iter(part.values())))
    if isinstance(part, Sequence | np.ndarray | pd.Series) and len(part) == 1:
        return number(next(iter(part)))
    if isinstance(part, tuple) and len(part) == 2 and not isinstance(part[0], str):
        return number(part[0])  # an estimate and its error, as `hajek_mean` returns them
    if isinstance(part, complex | np.complexfloating | bytes | pd.Timestamp | np.datetime64):
        raise Unreadable(f"Your answer holds a {type(part).__name__}, which is not a number.")
    try:
        return float(part)
    except (TypeError, ValueError, OverflowError):
        raise Unreadable("Your answer holds things that are not numbers.") from None


_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([, '\u2009\u202f]\d{3})+(\.\d+)?")
_UNIT = re.compile(r"\s*(%|per ?cent|percentage points?|points?|pp|pts)\.?$", re.IGNORECASE)
# What a number may be of: "343 people", "27.8 s". A word for a power of ten is no such unit.
_OF_WHAT = re.compile(
    r"(?<=\d)\s*(?!(?:hundred|thousand|million|billion|[km])\b)[a-z]+(?: [a-z]+)?\.?$",
    re.IGNORECASE,
)


def is_per_cent(text: str) -> bool:
    """Ask whether a number written as text has a per-cent sign or points behind it."""
    return bool(_UNIT.search(text.strip()))


def _from_text(text: str) -> float:
    bare = re.sub(r"[\u2010-\u2015\u2212]", "-", text.strip().strip("'\"~≈= "))
    bare, is_share_of_100 = _UNIT.subn("", bare)
    bare = _OF_WHAT.sub("", bare)
    if _THOUSANDS.fullmatch(bare):
        bare = re.sub(r"[, '\u2009\u202f]", "", bare)
    elif re.fullmatch(r"[+-]?\d+,\d+", bare):
        bare = bare.replace(",", ".")
    over, slash, under = bare.partition("/")
    try:
        value = float(over) / float(under) if slash else float(bare)
    except (ValueError, ZeroDivisionError):
        shown = text if len(text) < 30 else text[:27] + "..."
        raise Unreadable(f"Your answer holds the text {shown!r}, which is not a number.") from None
    # Divided as decimals are, so that 59.6% is 0.596 and not 0.5960000000000001.
    return float(f"{value / 100:.15g}") if is_share_of_100 else value


def one_number(answer: Any, value: str) -> float:
    """Read the one number of an answer; of a row with several, the one that is called ``value``."""
    answer = plain(answer)
    if isinstance(answer, bool | np.bool_):
        raise Unreadable(f"Your answer is {answer}. Give the number itself, not a comparison.")
    if answer is None or callable(answer):
        raise Unreadable(f"{kind(answer)} Give one number.")
    if isinstance(answer, pd.DataFrame):
        answer = _one_row(answer)
    if isinstance(answer, pd.Series | Mapping):
        answer = _entry(answer, value)
    if isinstance(answer, list | set | np.ndarray) or (
        isinstance(answer, tuple) and len(answer) != 2
    ):
        values = np.asarray(list(answer), dtype=object).ravel()
        if values.size != 1:
            raise Unreadable(f"Your answer holds {values.size:,} values; give one number.")
        answer = values[0]
    try:
        return number(answer)
    except Unreadable as error:
        raise Unreadable(f"{error} Give one number.") from None


def _one_row(table: pd.DataFrame) -> Any:
    if table.shape[1] == 1 and len(table) > 1:
        return table.iloc[:, 0]
    if len(table) != 1:
        raise Unreadable(f"Your answer is a table of {len(table):,} rows; give one number.")
    return table.iloc[0]


def _entry(answer: Any, value: str) -> Any:
    """Take from a row the number that is called ``value``, or the only one there is."""
    row = {fold(name): part for name, part in islice(answer.items(), MOST)}
    for name in (fold(value), *ABOUT):
        if name in row:
            return row[name]
    if len(answer) == 1:
        return next(iter(row.values()))
    numbers = [part for part in row.values() if not isinstance(part, str)]
    if len(numbers) == 1:
        return numbers[0]
    raise Unreadable(f"Your answer holds {len(answer):,} values; give one number.")


def one_value_each(
    answer: Any, keys: tuple[str, ...], value: str, wanted: pd.Series | None, *, numeric: bool
) -> pd.Series:
    """Read one value a level of the ``keys``; the labels that are ``wanted`` say which is which."""
    by = " and ".join(keys)
    answer = plain(answer)
    if isinstance(answer, Mapping | list | tuple):
        answer = _from_collection(answer)
    if isinstance(answer, pd.DataFrame):
        answer = _from_table(answer, keys, value, wanted, numeric)
    if isinstance(answer, np.ndarray):
        answer = pd.Series(np.ravel(answer))
    if not isinstance(answer, pd.Series):
        raise Unreadable(f"{kind(answer)} Give one value for each {by}, as a Series or a dict.")
    if answer.empty:
        raise Unreadable(f"Your answer is empty. Give one value for each {by}.")
    if wanted is None:
        return answer.set_axis(_index(spell_key(key) for key in answer.index))
    if len(answer) > 10 * len(wanted) + 1000:
        raise Unreadable(f"Your answer has {len(answer):,} rows; about {len(wanted):,} are asked.")
    series = _with_labels(answer, keys, wanted)
    if series.index.has_duplicates:
        twice = spell_level(series.index[series.index.duplicated()][0])
        raise Unreadable(f"Your answer has more than one value for {twice}; give one for each.")
    return series


def _index(labels: Iterable[object]) -> pd.Index:
    return pd.Index(list(labels), tupleize_cols=False, dtype=object)


def _from_collection(answer: Any) -> Any:
    """Make a Series, or a table, of dicts in dicts, records, pairs and lists."""
    if isinstance(answer, Mapping):
        answer = _with_ends(answer)
        parts = [plain(part) for part in islice(answer.values(), MOST)]
        if parts and all(isinstance(part, Mapping) for part in parts):
            pairs = {
                (outer, inner): value
                for outer, part in zip(answer, parts, strict=False)
                for inner, value in part.items()
            }
            return pd.Series(list(pairs.values()), index=_index(pairs), dtype=object)
        if parts and all(isinstance(part, list | pd.Series | np.ndarray) for part in parts):
            columns = dict(zip(answer, parts, strict=False))
            if any(np.size(part) != 1 for part in parts) or isinstance(parts[0], pd.Series):
                return pd.DataFrame(columns)
        return pd.Series(parts, index=_index(answer), dtype=object)
    if answer and all(isinstance(part, Mapping) for part in answer):
        if all(len(part) == 1 for part in answer):
            return _from_collection({key: part[key] for part in answer for key in part})
        return pd.DataFrame(list(answer))
    if answer and all(_is_pair(part) for part in answer):
        labels = [part[0] if len(part) == 2 else tuple(part[:-1]) for part in answer]
        return pd.Series([part[-1] for part in answer], index=_index(labels), dtype=object)
    flat = np.asarray(answer, dtype=object)
    return pd.Series(np.ravel(flat).tolist(), dtype=object)


def _with_ends(answer: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Write an interval inside a dict as its two ends."""
    spread: dict[Any, Any] = {}
    for key, part in islice(answer.items(), MOST):
        ends = {"lower": part.left, "upper": part.right} if isinstance(part, pd.Interval) else None
        spread.update(ends or {key: part})
    return spread


def _is_pair(part: object) -> bool:
    """Ask whether a row of a list begins with a label and ends in a value."""
    is_row = isinstance(part, list | tuple) and len(part) >= 2
    labels = cast("Sequence[Any]", part)[:-1] if is_row else [0]
    return all(isinstance(label, str) or _is_label(label) for label in labels)


def _is_label(label: object) -> bool:
    """Ask whether a label has several parts, with a word among them."""
    return isinstance(label, tuple) and any(isinstance(part, str) for part in label)


def _from_table(
    table: pd.DataFrame,
    keys: tuple[str, ...],
    value: str,
    wanted: pd.Series | None,
    numeric: bool,
) -> pd.Series:
    """Take from a table the column that holds the answer, indexed by its keys."""
    if table.empty:
        raise Unreadable("Your table is empty.")
    if wanted is not None and len(table) > 10 * len(wanted) + 1000:
        raise Unreadable(f"Your table has {len(table):,} rows; about {len(wanted):,} are asked.")
    if wanted is not None and (across := _across(table, keys, value, wanted)) is not None:
        return across
    if set(map(fold, keys)) <= set(map(fold, table.columns)) and not _is_named(table.index):
        table = table.reset_index(drop=True)  # the numbers of rows that were sorted or filtered
    table = _without_index(table)
    found = [_key_column(table, key, at, wanted) for at, key in enumerate(keys)]
    if None in found:
        return _value_column(table, value, numeric)
    rest = table.drop(columns=[column for column in found if column is not None])
    if rest.shape[1] == 0:
        raise Unreadable(f"Your table has the labels alone; give one value for each {keys[0]}.")
    labels = table[found].itertuples(index=False, name=None)
    series = _value_column(rest, value, numeric)
    return series.set_axis(_index(label if len(keys) > 1 else label[0] for label in labels))


def _is_named(index: pd.Index) -> bool:
    return any(name is not None for name in index.names)


def _without_index(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the labels of rows into columns, and names of several levels into one."""
    table = table.copy()
    if isinstance(table.columns, pd.MultiIndex):
        table.columns = pd.Index([" ".join(map(str, name)).strip() for name in table.columns])
    if not isinstance(table.index, pd.RangeIndex):
        names = [
            f"level {at}" if name is None or name in table.columns else name
            for at, name in enumerate(table.index.names)
        ]
        table = table.set_axis(table.index.set_names(names)).reset_index()
    return table.loc[:, ~table.columns.duplicated()]


def _key_column(table: pd.DataFrame, key: str, at: int, wanted: pd.Series | None) -> Any:
    """Find the column of a key by its name, or else by its levels."""
    for column in table.columns:
        if fold(column) == fold(key):
            return column
    if wanted is None:
        return None
    levels = [label[at] if isinstance(label, tuple) else label for label in wanted.index]
    for column in table.columns:
        here = list(table[column].unique())
        if len(set(match(here, levels)) & set(levels)) * 2 > len(set(levels)):
            return column
    return None


def _value_column(table: pd.DataFrame, value: str, numeric: bool) -> pd.Series:
    names = {fold(column): column for column in table.columns}
    for name in (fold(value), *ABOUT):
        if name in names:
            return table[names[name]]
    columns = [name for name in table.columns if not numeric or _holds_numbers(table[name])]
    if len(columns) == 1:
        return table[columns[0]]
    if not columns:
        raise Unreadable("Your table has no column of numbers.")
    raise Unreadable(
        f"Your table has the columns {listing(table.columns)}. Hand in one of them, such as "
        f"table[{columns[0]!r}], with its labels."
    )


def _holds_numbers(column: pd.Series) -> bool:
    """Ask whether a column can be read as numbers, text such as '43.4%' included."""
    if pd.api.types.is_bool_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return True
    try:
        number(column.iloc[0])
    except Unreadable:
        return False
    return True


def _across(
    table: pd.DataFrame, keys: tuple[str, ...], value: str, wanted: pd.Series
) -> pd.Series | None:
    """Read a table whose columns are levels: one row of them, or a table of two ways."""
    columns = list(table.columns)
    if len(keys) == 1:
        levels = list(wanted.index)
        if not set(levels) <= set(match(columns, levels)):
            return None
        named = [row for row in range(len(table)) if fold(table.index[row]) == fold(value)]
        row = named[0] if named else 0
        return table.iloc[row] if len(table) == 1 or named else None
    if len(keys) != 2:
        return None
    if len(table.columns) and not isinstance(columns[0], str) and isinstance(columns[0], tuple):
        return None
    cells = _two_ways(table, wanted)
    if cells is None and len(columns) > 1 and table.columns.is_unique:
        cells = _two_ways(table.set_index(columns[0]), wanted)
    return cells


def _two_ways(table: pd.DataFrame, wanted: pd.Series) -> pd.Series | None:
    """Read a table whose rows are the levels of one key and whose columns those of the other."""
    first, second = (list({label[at]: None for label in wanted.index}) for at in (0, 1))
    levels = {*first, *second}
    # The sums that `pd.crosstab` and `pivot_table` write in the margins are of no level.
    rows, columns = (
        [label for label in labels if label in levels or fold(label) not in MARGINS]
        for labels in (table.index, table.columns)
    )
    for down, over, turned in ((first, second, False), (second, first, True)):
        if set(match(rows, down)) == set(down) and set(match(columns, over)) == set(over):
            cells = {
                (column, row) if turned else (row, column): table.loc[row, column]
                for row in rows
                for column in columns
            }
            return pd.Series(list(cells.values()), index=_index(cells), dtype=object)
    return None


def _with_labels(answer: pd.Series, keys: tuple[str, ...], wanted: pd.Series) -> pd.Series:
    """Give each value the task's own spelling of its label; bare values, the task's order."""
    if len(keys) > 1 and set(keys) == set(answer.index.names):
        answer = answer.reorder_levels([answer.index.names.index(key) for key in keys])
    found = match(_split(list(answer.index), len(keys)), list(wanted.index))
    if isinstance(answer.index, pd.RangeIndex) and not set(found) & set(wanted.index):
        if len(answer) != len(wanted):
            raise Unreadable(
                f"Your answer has {len(answer):,} values without labels; it takes {len(wanted):,}, "
                f"one for each {' and '.join(keys)}. A Series with its index says which is which."
            )
        return answer.set_axis(wanted.index)
    series = answer.set_axis(_index(found))
    surplus = {label for label in set(found) - set(wanted.index) if fold(label) in BESIDE}
    if surplus and set(wanted.index) <= set(found):
        series = series[~series.index.isin(surplus)]
    return series


def _split(labels: list[Any], parts: int) -> list[Any]:
    """Read labels such as "White, weekly" as the several that they are, if all of them are so.

    >>> _split(["White, weekly", "other / weekly"], 2), _split(["White, weekly", "other"], 2)
    ([('White', 'weekly'), ('other', 'weekly')], ['White, weekly', 'other'])
    """
    if parts < 2 or not all(isinstance(label, str) for label in labels):
        return labels
    several = [tuple(re.split(r"\s*[,/|;]\s*", label.strip())) for label in labels]
    return several if all(len(label) == parts for label in several) else labels


def names(answer: Any, column: str, wanted: Iterable[str]) -> frozenset[str]:
    """Read a collection of names: a list, text, those for which a condition holds, or a table."""
    return frozenset(names_in_order(answer, column, wanted))


def names_in_order(answer: Any, column: str, wanted: Iterable[str]) -> list[str]:
    """Read the same as it is written, with what is there twice."""
    answer = plain(answer)
    if isinstance(answer, str):
        answer = _names_of_text(answer, list(wanted))
    if isinstance(answer, pd.DataFrame):
        answer = _names_of_table(answer, column, wanted)
    if isinstance(answer, Mapping):
        answer = pd.Series(list(answer.values()), index=_index(answer), dtype=object)
    if isinstance(answer, pd.Series):
        answer = _names_of_series(answer, wanted)
    if isinstance(answer, np.ndarray):
        answer = answer.ravel().tolist()
    if not isinstance(answer, list | tuple | set | frozenset):
        raise Unreadable(f"{kind(answer)} Give a list of names.")
    if len(answer) == 0:
        raise Unreadable(
            "Your list is empty, and at least one name belongs in it: look at the condition by "
            "which you chose, and at what it is compared with."
        )
    if len(answer) > MOST:
        raise Unreadable(f"Your list has {len(answer):,} names or more; far fewer are asked for.")
    parts = [spell(part) for part in answer]
    return cast("list[str]", match(parts, list(wanted), loosely=False))


def _names_of_text(text: str, wanted: list[str]) -> list[str]:
    parts = [part for part in re.split(r"[,;/]|\band\b|\s+", text) if part]
    if len(parts) == 1 and wanted and all(len(name) == 1 for name in wanted):
        return list(text.strip())  # "dfgh", where the names are letters
    return parts


def _names_of_series(answer: pd.Series, wanted: Iterable[str]) -> list[object]:
    """Take the labels where a condition holds, or where numbers are; else the values."""
    values = list(answer[:MOST])
    if values and all(isinstance(value, bool | np.bool_) for value in values):
        return list(answer.index[answer.astype(bool)])
    if values and not any(isinstance(value, str) for value in values):
        return values if isinstance(answer.index, pd.RangeIndex) else list(answer.index)
    known = set(wanted)
    in_index = len(known & set(match(list(answer.index), list(known), loosely=False)))
    return list(answer.index) if in_index > len(known & set(map(spell, values))) else values


def _names_of_table(table: pd.DataFrame, column: str, wanted: Iterable[str]) -> object:
    table = _without_index(table)
    known = list(wanted)
    key = _key_column(table, column, 0, pd.Series(0, index=known) if known else None)
    if key is None:
        texts = [name for name in table.columns if isinstance(table[name].iloc[:1].max(), str)]
        if len(texts) != 1:
            raise Unreadable("Your table has no one column of names; give the names alone.")
        key = texts[0]
    holds = [name for name in table.columns if pd.api.types.is_bool_dtype(table[name])]
    rows = table[table[holds[0]]] if len(holds) == 1 else table
    return list(rows[key])


def option(answer: Any, options: tuple[str, ...]) -> str:
    """Read one of several options, named by its letter, with or without what follows it."""
    answer = plain(answer)
    if isinstance(answer, list | tuple | set | frozenset | np.ndarray | pd.Series):
        parts = np.ravel(np.asarray(list(answer), dtype=object)).tolist()
        answer = parts[0] if len(parts) == 1 else answer
    listed = listing(options)
    if not isinstance(answer, str):
        raise Unreadable(f"{kind(answer)} Give one of {listed}, in quotes.")
    said = re.sub(rf"^({OPTION})\b", "", fold(answer)).strip(" :.()[]*")
    for each in options:
        # The letter alone, or with its text: "B", "(b)", "B. The margins are met".
        if re.fullmatch(rf"{re.escape(fold(each))}(\W.*)?", said) and not _names_two(said, options):
            return each
    raise Unreadable(f"That is none of the options. Give one of {listed}.")


def _names_two(said: str, options: tuple[str, ...]) -> bool:
    """Ask whether a short text names more than one option, as 'b or c' does."""
    named = {fold(each) for each in options} & set(re.findall(r"\w+", said))
    return len(named) > 1 and len(said) < 12
