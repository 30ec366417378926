"""One rule of which label is which: where labels have names, they are matched by name.

Nothing here looks at the place of a label unless it has no name to go by. Levels are compared by
the rule of `_levels`, so a boolean is not a number.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mrp_helpers._levels import positions, require_same_kind, resolve
from mrp_helpers._require import listing

# Columns of a table of estimates, and names in an array of draws.
ESTIMATES = ("estimate", "sd", "lower", "upper", "population")
DRAWS = ("group", "sample", "chain", "draw")
# Columns of such a table that say which of several values of a group a row has.
VALUES = ("outcome", "below", "quantile")


def by_list(by: str | Sequence[str] | None) -> list[str]:
    """List the columns that `by` names; none for None."""
    if by is None:
        return []
    columns = [by] if isinstance(by, str) else list(by) if isinstance(by, Iterable) else [by]
    for column in columns:
        if not isinstance(column, str):
            raise TypeError(f"by is {by!r}; pass the name of a column, or a list of names")
    return columns


def require_free_names(by: list[str], taken: Iterable[str], table: str) -> None:
    """Refuse columns of groups that are named twice, or like a column of the result."""
    if len(set(by)) < len(by):
        raise ValueError(f"by names a column more than once: {listing(by)}")
    names = set(taken)
    for column in by:
        if column in names:
            other = {column: f"{column}_"}
            raise ValueError(
                f"by names {column!r}, and the result has a column or label of that name; rename "
                f"yours first: {table}.rename(columns={other!r})"
            )


def rows_of_a_group(table: pd.DataFrame, by: Sequence[str], what: str) -> str:
    """Say what to do about a group with several rows, if these are its several values."""
    between = [name for name in VALUES if name in table and name not in by]
    if not between:
        return ""
    one = table[between[0]].iloc[0]
    return (
        f"; there is a row for each {between[0]!r}: choose one, such as "
        f"{what}[{what}[{between[0]!r}] == {one!r}]"
    )


def ordered_levels(index: pd.Index, columns: list[str], what: str) -> pd.DataFrame:
    """Tabulate an index as `columns`: by name where its levels are named, else by place.

    Raises
    ------
    ValueError
        When the index has another number of levels, or a level has a name that is not asked for.
    """
    names, wanted = list(index.names), listing(columns)
    if index.nlevels != len(columns):
        raise ValueError(
            f"{what} is indexed by {index.nlevels} level(s) and by names {len(columns)}: {wanted}"
        )
    named = [name for name in names if name is not None]
    if named and set(names) != set(columns):
        raise ValueError(
            f"{what} is indexed by {listing(names)} and not by {wanted}; labels are matched by "
            f"name: where they mean the same, rename them with .rename_axis({columns!r})"
        )
    table: pd.DataFrame = index.to_frame(index=False)
    table.columns = names if named else columns
    return table[columns]


def require_same_index(
    one: pd.Series | pd.DataFrame, other: pd.Series, what: str, remedy: str = ""
) -> None:
    """Refuse two tables whose rows are not the same ones, in the same order."""
    names, others = list(one.index.names), list(other.index.names)
    both_named = None not in names and None not in others
    if both_named and names != others:
        raise ValueError(
            f"{what} have different indexes: one is named {listing(names)}, the other "
            f"{listing(others)}; rename or reorder the levels of one"
        )
    if not one.index.equals(other.index):
        raise ValueError(f"{what} have different indexes{remedy}")


def joint_codes(
    found: pd.DataFrame, known: pd.DataFrame, what: str, whose: str
) -> tuple[np.ndarray, np.ndarray]:
    """Number the combinations of levels in two tables with the same columns, by one rule.

    Equal numbers are equal combinations. A row of `found` with a level that no row of `known` has
    gets -1.
    """
    codes, others = np.zeros(len(found), dtype="int64"), np.zeros(len(known), dtype="int64")
    unknown = np.full(len(found), known.empty)
    for column in [] if found.empty or known.empty else known:
        mine, theirs = resolve(found[column], what), resolve(known[column], whose)
        require_same_kind(mine, theirs, what, whose)
        places = positions(mine, theirs, list(theirs.distinct), what, whose)[mine.codes]
        unknown |= places < 0
        codes = codes * len(theirs.distinct) + places
        others = others * len(theirs.distinct) + theirs.codes
    return np.where(unknown, -1, codes), others


def level_key(value: Any) -> tuple[bool, Any]:
    """A key under which a boolean is not a number, as Python's own dictionaries have it."""
    return isinstance(value, bool | np.bool_), value
