"""How far estimates are from a truth, and whether their intervals hold it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mrp_helpers._labels import (
    ESTIMATES,
    by_list,
    joint_codes,
    ordered_levels,
    require_free_names,
    rows_of_a_group,
)
from mrp_helpers._levels import resolve
from mrp_helpers._require import (
    listing,
    require_columns,
    require_numbers,
    require_series,
    require_type,
)


def evaluate(
    estimates: pd.DataFrame, truth: pd.Series | pd.DataFrame, by: str | Sequence[str] = "state"
) -> pd.Series:
    """Compare estimates of groups with the truth, each group counting once.

    Parameters
    ----------
    estimates : pandas.DataFrame
        One row per group: the columns `by`, ``estimate`` and, if there are intervals, ``lower`` and
        ``upper``; from `poststratify` or made by hand. Of an outcome with levels, either choose
        the rows of one level, or name ``outcome`` in `by` and in the truth.
    truth : pandas.Series or pandas.DataFrame
        A Series of true values indexed by `by`, or a table with the columns `by` and ``truth``.
        An index whose levels have names is matched by these, in whatever order they are.
    by : str or sequence of str
        The columns that name a group; none of them may be named like a column of estimates.

    Returns
    -------
    pandas.Series
        Over the groups that both have: ``mae`` (mean absolute error), ``rmse``, ``mean_error``
        (mean of estimate minus truth), ``coverage`` (share of intervals that cover the truth),
        ``width`` (mean width of the intervals), all on the scale of the estimates, and
        ``n_groups``.
        Coverage and width are missing when the estimates have no intervals.

    Raises
    ------
    KeyError
        When a column is missing.
    TypeError
        When a table is of the wrong type, its values are not numbers, or groups have labels of
        different kinds in the two tables (text, numbers, booleans).
    ValueError
        When the truth's index has a name that `by` does not ask for, or `by` the name of a column
        of estimates, when a group is listed twice or has no name, a value is missing or infinite,
        an interval ends below its start, or no group is in both tables.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import evaluate
    >>> estimates = pd.DataFrame({"state": ["AK", "AL"], "estimate": [0.5, 0.6]})
    >>> evaluate(estimates, pd.Series({"AK": 0.4, "AL": 0.6}))[["mae", "mean_error", "n_groups"]]
    mae           0.05
    mean_error    0.05
    n_groups      2.00
    dtype: float64
    """
    columns = by_list(by)
    if not columns:
        raise ValueError("by names no column; a group needs at least one")
    require_type(estimates, pd.DataFrame, "estimates")
    require_free_names(columns, [*ESTIMATES, "truth"], "estimates")
    intervals = [column for column in ("lower", "upper") if column in estimates]
    _require_groups(estimates, columns, ["estimate", *intervals], "estimates")
    if isinstance(truth, pd.Series):
        levels = ordered_levels(truth.index, columns, "truth")
        truth = levels.assign(truth=truth.array)
    elif not hasattr(truth, "columns"):
        require_series(truth, "truth", f"table.set_index({by!r})")
    _require_groups(truth, columns, ["truth"], "truth")
    groups, known = joint_codes(estimates[columns], truth[columns], "estimates", "the truth")
    places = pd.Index(known).get_indexer(groups)
    both = estimates[places >= 0].set_index(columns)[["estimate", *intervals]]
    both["truth"] = truth["truth"].array[places[places >= 0]]
    if both.empty:
        raise ValueError(
            f"no group is in both tables: estimates have "
            f"{listing(estimates.set_index(columns).index, most=3)}, truth has "
            f"{listing(truth[columns].itertuples(index=False, name=None), most=3)}"
        )
    error = both["estimate"] - both["truth"]
    scores = {
        "mae": error.abs().mean(),
        "rmse": np.sqrt((error**2).mean()),
        "mean_error": error.mean(),
        "coverage": np.nan,
        "width": np.nan,
        "n_groups": len(both),
    }
    if len(intervals) == 2:
        if (both["lower"] > both["upper"]).any():
            group = both.index[both["lower"] > both["upper"]][:1]
            raise ValueError(f"estimates: the interval of {listing(group)} has lower above upper")
        held = both["truth"].between(both["lower"], both["upper"])
        scores |= {"coverage": held.mean(), "width": (both["upper"] - both["lower"]).mean()}
    return pd.Series(scores)


def _require_groups(table: pd.DataFrame, by: list[str], values: list[str], what: str) -> None:
    require_columns(table, [*by, *values], what, dict.fromkeys(by, "by"))
    if table[by].isna().any(axis=None):
        raise ValueError(f"{what}: a group has no name in {listing(by)}; drop or name it")
    for column in by:
        resolve(table[column], what)  # refuses what cannot be a label, such as lists
    if table.duplicated(by).any():
        twice = table.loc[table.duplicated(by), by].iloc[0].to_dict()
        remedy = rows_of_a_group(table, by, what)
        if remedy:
            remedy += ", or name that column in by too"
        raise ValueError(f"{what}: group {twice} is listed more than once{remedy}")
    for column in values:
        require_numbers(table[column], f"{what}: column {column!r}")
        bad = ~np.isfinite(table[column].to_numpy("float64"))
        if bad.any():
            group = table.loc[bad, by].iloc[0].to_dict()
            raise ValueError(
                f"{what}: group {group} has no finite {column!r}; correct it, or drop the group "
                "knowingly"
            )
