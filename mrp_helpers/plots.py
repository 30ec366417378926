"""The few figures that chapters share, with the marks that `roles` gives to methods."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator

from mrp_helpers._labels import ESTIMATES, require_free_names, rows_of_a_group
from mrp_helpers._levels import require_same_kind, resolve
from mrp_helpers._require import (
    listing,
    require_columns,
    require_counts,
    require_numbers,
    require_type,
)
from mrp_helpers.roles import Role, role

# What tables are usually called; any other name gets the first mark that is free.
_CALLED = {
    "truth": "truth",
    "official": "truth",
    "raw": "raw",
    "raked": "weighted",
    "weighted": "weighted",
    "no pooling": "no pooling",
    "fixed effects": "no pooling",
    "mrp": "mrp",
    "main model": "mrp",
}
_FREE = ["mrp", "weighted", "no pooling", "other", "highlighted", "raw", "truth"]
# One tile per state, (column, row), so that small states are as easy to see as large ones.
TILES = {
    "AK": (0, 0), "ME": (10, 0), "WI": (5, 1), "VT": (9, 1), "NH": (10, 1),
    "WA": (0, 2), "ID": (1, 2), "MT": (2, 2), "ND": (3, 2), "MN": (4, 2), "IL": (5, 2),
    "MI": (6, 2), "NY": (8, 2), "MA": (9, 2), "OR": (0, 3), "NV": (1, 3), "WY": (2, 3),
    "SD": (3, 3), "IA": (4, 3), "IN": (5, 3), "OH": (6, 3), "PA": (7, 3), "NJ": (8, 3),
    "CT": (9, 3), "RI": (10, 3), "CA": (0, 4), "UT": (1, 4), "CO": (2, 4), "NE": (3, 4),
    "MO": (4, 4), "KY": (5, 4), "WV": (6, 4), "VA": (7, 4), "MD": (8, 4), "DE": (9, 4),
    "AZ": (1, 5), "NM": (2, 5), "KS": (3, 5), "AR": (4, 5), "TN": (5, 5), "NC": (6, 5),
    "SC": (7, 5), "OK": (3, 6), "LA": (4, 6), "MS": (5, 6), "AL": (6, 6), "GA": (7, 6),
    "HI": (0, 7), "TX": (3, 7), "FL": (8, 7),
}  # fmt: skip
# Five classes of a map, from low to high, on any ground; no role has these colours.
CLASSES = ["#7B3294", "#BFA0CE", "#ECECEC", "#9BD093", "#1B7837"]
# Five classes of what has one end, such as a standard deviation.
SHADES = ["#F0F0F0", "#CCCCCC", "#A6A6A6", "#808080", "#4D4D4D"]
_OUTSIDE = "#767676"  # words beside the tiles, which the site's dark mode leaves as they are
_WIDTH = 6.0  # inches: as wide as the text, and a phone still shows the names of the rows
_ROW = 0.205  # inches for one group of a tall chart


def use_course_style() -> None:
    """Set matplotlib's defaults for the course: marks of roles, and figures as wide as the text.

    In a notebook, figures become drawings (SVG) with words that stay words, so that they are sharp
    on any screen; drawn twice, they are the same to the letter.

    Examples
    --------
    >>> from mrp_helpers import use_course_style
    >>> use_course_style()
    """
    marks = [role(name) for name in _FREE if name != "truth"]
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(
                color=[mark.light for mark in marks], marker=[mark.shape for mark in marks]
            ),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "figure.dpi": 120,
            "figure.figsize": (_WIDTH, 3.6),
            "figure.constrained_layout.use": True,
            "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
            "font.size": 11,
            "legend.frameon": False,
            "lines.markersize": 5,
            "svg.fonttype": "none",
            "svg.hashsalt": "mrp_helpers",
        }
    )
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
        _draw_sharply(shell)


def _draw_sharply(shell: object) -> None:
    """Have a notebook store figures as drawings, of the size that they were given."""
    from matplotlib_inline.config import InlineBackend

    inline = InlineBackend.instance(parent=shell)
    inline.shell = shell
    # What a file says of its maker and its day would differ from run to run.
    unsaid = dict.fromkeys(["Creator", "Date", "Format", "Type"])
    options: dict[str, Any] = {"bbox_inches": None, "metadata": unsaid}
    inline.print_figure_kwargs = options
    inline.figure_formats = {"svg"}


def plot_composition(
    sample: pd.DataFrame,
    frame: pd.DataFrame,
    by: str,
    *,
    order: Sequence[object] | None = None,
    population: str = "n",
    ax: Axes | None = None,
) -> Axes:
    """Show what share of the sample and of the population each level of a column has.

    Parameters
    ----------
    sample : pandas.DataFrame
        One row per respondent, with the column `by`.
    frame : pandas.DataFrame
        One row per cell, with the columns `by` and `population`.
    by : str
        The column whose levels are compared.
    order : sequence or None
        Levels from top to bottom; sorted by default.
    population : str
        The column of the frame with the number of people.
    ax : matplotlib.axes.Axes or None
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Shares in per cent; one row per level, a line between its two marks.

    Raises
    ------
    KeyError, TypeError, ValueError
        When a column or a level of `order` is missing, when a row has no level, when sample and
        frame share no level, or when the population is not a count.

    Examples
    --------
    >>> from mrp_helpers import clean_cces, load_cces, load_poststrat_frame, plot_composition
    >>> ax = plot_composition(clean_cces(load_cces()), load_poststrat_frame(), by="edu")
    >>> [label.get_text() for label in ax.get_legend().get_texts()]
    ['sample', 'population']
    """
    _require_one_column(by)
    require_columns(sample, [by], "sample")
    require_columns(frame, [by, population], "frame", {population: "population"})
    require_counts(frame[population], f"frame: column {population!r}")
    for table, name in ((sample, "sample"), (frame, "frame")):
        if table[by].isna().any():
            raise ValueError(f"{name}: column {by!r} has missing values; drop or name those rows")
    if not sample[by].isin(frame[by]).any():
        raise ValueError(
            f"sample and frame share no level of {by!r}: {listing(sample[by].unique())} and "
            f"{listing(frame[by].unique())}"
        )
    require_same_kind(
        resolve(sample[by], "sample"), resolve(frame[by], "frame"), "sample", "the frame's cells"
    )
    # The index may have the name of a column.
    people = frame.reset_index(drop=True).groupby(by)[population].sum()
    shares = pd.DataFrame(
        {
            "sample": sample[by].value_counts(normalize=True),
            "population": people / people.sum(),
        }
    ).fillna(0.0)
    levels = list(shares.index.sort_values() if order is None else order)
    if not levels or not set(levels) <= set(shares.index):
        raise KeyError(
            f"order is {levels!r}; name at least one level of {by!r} and no other: its levels "
            f"are {listing(shares.index)}"
        )
    shares = 100 * shares.loc[levels]

    ax = ax or plt.subplots(figsize=(_WIDTH, 0.9 + 1.6 * _ROW * len(shares)))[1]
    rows = np.arange(len(shares))
    ax.hlines(rows, shares.min(axis=1), shares.max(axis=1), **role("guide").line())
    for name, mark in {"population": role("truth"), "sample": role("raw")}.items():
        ax.plot(shares[name], rows, **mark.matplotlib(label=name))
    _name_rows(ax, rows, shares.index)
    # Setting one end freezes the other, and a panel that shares it may need more room.
    ax.set_xlim(0, max(ax.get_xlim()[1], 1.05 * shares.to_numpy().max()))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
    ax.set_xlabel("share (%)")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return ax


def plot_estimates(
    tables: Mapping[str, pd.DataFrame],
    by: str = "state",
    *,
    order: Sequence[object] | None = None,
    roles: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show several estimates of the same groups, one row per group.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        For each name in the legend a table with the columns `by`, ``estimate`` (a share, 0-1)
        and, if it has intervals, ``lower`` and ``upper``. Later ones are drawn on top.
    by : str
        The column that names a group.
    order : sequence or None
        Groups from top to bottom; by default by the first table's estimate, largest on top.
    roles : mapping of str to str or None
        For names in the legend, the `role` whose mark they get. Without it a table called "raw",
        "truth" or "MRP" has the mark of that role, and others what is free.
    ax : matplotlib.axes.Axes or None
        Where to draw; a new figure, as tall as the groups need, by default.

    Returns
    -------
    matplotlib.axes.Axes
        Estimates in per cent; marks for estimates, lines for intervals.

    Raises
    ------
    KeyError
        When a table lacks a column, or there is no such role or table.
    TypeError
        When `tables` is not a mapping, or estimates are not numbers.
    ValueError
        Without a table, or with more than there are marks; when a table lists a group twice or
        has none of the groups that are shown.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import plot_estimates
    >>> table = pd.DataFrame({"state": ["AK", "AL"], "estimate": [0.4, 0.6]})
    >>> [label.get_text() for label in plot_estimates({"raw": table}).get_yticklabels()]
    ['AL', 'AK']
    """
    order = _require_estimates(tables, by, order)
    marks = _marks_of(tables, roles or {})
    rows = np.arange(len(order))
    lines = 1 if len(rows) > 20 else max(1, 0.7 * len(tables))
    ax = ax or plt.subplots(figsize=(_WIDTH, 1.0 + _ROW * len(rows) * lines))[1]
    beside = [name for name, mark in marks.items() if mark.name != "truth"]
    offsets = dict(zip(beside, np.linspace(-0.2, 0.2, len(beside)), strict=True))
    if len(beside) == 1:
        offsets = {}
    for name, table in tables.items():
        placed = _in_per_cent(table, by, order)
        at = rows + offsets.get(name, 0.0)
        if "lower" in placed:
            ax.hlines(at, placed["lower"], placed["upper"], **marks[name].line())
        ax.plot(placed["estimate"], at, **marks[name].matplotlib(label=name))
    _name_rows(ax, rows, order)
    ax.grid(axis="y", **role("guide").line(linewidth=0.4))
    ax.set_axisbelow(True)
    ax.set_xlabel("estimate (%)")
    columns = min(len(tables), 4)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, columnspacing=1.2)
    return ax


def plot_errors(
    tables: Mapping[str, pd.DataFrame],
    truth: pd.Series,
    respondents: pd.Series,
    *,
    by: str = "state",
    names: Sequence[object] = (),
    roles: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show how far estimates of many groups are from the truth, by the number of respondents.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As in `plot_estimates`: the columns `by`, ``estimate`` (a share, 0-1) and, if a table has
        intervals, ``lower`` and ``upper``.
    truth : pandas.Series
        The true share of each group, indexed by the groups.
    respondents : pandas.Series
        How many respondents each group has, indexed by the groups.
    by : str
        The column that names a group.
    names : sequence
        Groups to name beside their marks of the first table.
    roles : mapping of str to str or None
        As in `plot_estimates`.
    ax : matplotlib.axes.Axes or None
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Errors in percentage points, above zero where the estimate is too high. Intervals that miss
        the truth have the mark of what is wrong.

    Raises
    ------
    KeyError
        When a table lacks a column, there is no such role or table, or `truth` or `respondents`
        lack a group.
    TypeError
        When `tables` is not a mapping, or estimates, truth or respondents are not numbers.
    ValueError
        Without a table, or with more than there are marks; or a table lists a group twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import plot_errors
    >>> table = pd.DataFrame({"state": ["AK", "AL"], "estimate": [0.4, 0.6]})
    >>> truth, asked = pd.Series({"AK": 0.5, "AL": 0.5}), pd.Series({"AK": 5, "AL": 80})
    >>> ax = plot_errors({"raw": table}, truth, asked)
    """
    order = _require_estimates(tables, by, None)
    for values, what in ((truth, "truth"), (respondents, "respondents")):
        require_numbers(values, what, f"table.set_index({by!r})")
        if missing := [group for group in order if group not in values.index]:
            raise KeyError(f"{what} has no number for {listing(missing)}")
    marks = _marks_of(tables, roles or {})
    ax = ax or plt.subplots(figsize=(_WIDTH, 0.62 * _WIDTH))[1]
    ax.axhline(0, **role("truth").line(linewidth=1.2, zorder=0.9))
    at, right = respondents.reindex(order), 100 * truth.reindex(order)
    for name, table in tables.items():
        error = _in_per_cent(table, by, order).sub(right, axis=0)
        if "lower" in error:
            missed = (error["lower"] > 0) | (error["upper"] < 0)
            for part, mark in ((error[~missed], marks[name]), (error[missed], role("wrong"))):
                ax.vlines(at[part.index], part["lower"], part["upper"], **mark.line())
        ax.plot(at, error["estimate"], **marks[name].matplotlib(along="y", label=name))
    first = _in_per_cent(next(iter(tables.values())), by, order)["estimate"] - right
    for group, spot in pd.DataFrame({"x": at, "y": first}).loc[list(names)].iterrows():
        ax.annotate(str(group), (spot["x"], spot["y"]), (6, -4), textcoords="offset points")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=[1, 3]))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.minorticks_off()
    ax.set(xlabel="respondents", ylabel="estimate minus truth (points)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, columnspacing=1.2)
    return ax


def tabulate_estimates(
    tables: Mapping[str, pd.DataFrame],
    by: str = "state",
    *,
    order: Sequence[object] | None = None,
) -> pd.DataFrame:
    """List several estimates of the same groups side by side: the numbers of `plot_estimates`.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As in `plot_estimates`: the columns `by`, ``estimate`` (a share, 0-1) and, if a table has
        intervals, ``lower`` and ``upper``.
    by : str
        The column that names a group.
    order : sequence or None
        Groups from top to bottom; by default by the first table's estimate, largest on top.

    Returns
    -------
    pandas.DataFrame
        Estimates in per cent, one row per group, indexed by `by`: for each table a column of its
        name and, if it has intervals, two more with their ends. A group that a table does not
        list is missing there.

    Raises
    ------
    KeyError, TypeError, ValueError
        As `plot_estimates` does.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import tabulate_estimates
    >>> raw = pd.DataFrame({"state": ["AK", "AL"], "estimate": [0.4, 0.6]})
    >>> mrp = pd.DataFrame({"state": ["AL"], "estimate": [0.5], "lower": [0.25], "upper": [0.75]})
    >>> tabulate_estimates({"raw": raw, "MRP": mrp})
            raw   MRP  MRP, lower  MRP, upper
    state
    AL     60.0  50.0        25.0        75.0
    AK     40.0   NaN         NaN         NaN
    """
    order = _require_estimates(tables, by, order)
    columns = {
        name if what == "estimate" else f"{name}, {what}": values
        for name, table in tables.items()
        for what, values in _in_per_cent(table, by, order).items()
    }
    if len(columns) < sum(len(_in_per_cent(table, by, order).columns) for table in tables.values()):
        raise ValueError(
            f"tables are named {listing(tables)}, and the ends of intervals get columns of the "
            "same name; rename a table"
        )
    return pd.DataFrame(columns)


def plot_map(
    values: pd.Series,
    *,
    label: str,
    centre: float = 50.0,
    step: float = 10.0,
    interval: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show one number per state on a tile map, in five classes around a centre.

    Every state has the same area. The colours are the same on a white and on a dark ground; on the
    course's site, the image class ``dark-light`` keeps a map from being inverted.

    Parameters
    ----------
    values : pandas.Series
        Numbers indexed by the state's abbreviation, such as shares in per cent; states without a
        number stay empty.
    label : str
        What the number means, with its unit.
    centre : float
        The middle of the middle class: 50 for shares in per cent, 0 for errors.
    step : float
        The width of a class; the first and the last have no outer end.
    interval : pandas.DataFrame or None
        The columns ``lower`` and ``upper``, indexed like `values`. Each state gets a small bar from
        one end to the other, on a scale that has the centre in the middle of the tile.
    ax : matplotlib.axes.Axes or None
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One square per state, with its abbreviation and its number.

    Raises
    ------
    KeyError
        When an index entry is not one of the 50 states, or `interval` lacks a column.
    TypeError
        When `values` is not a Series of numbers.
    ValueError
        When a state is listed twice, no state has a number, a number is infinite, or `step` is not
        above 0.

    Examples
    --------
    >>> from mrp_helpers import load_state_predictors, plot_map
    >>> votes = load_state_predictors().set_index("state")["repvote"]
    >>> ax = plot_map(100 * votes, label="Republican share of the vote (%)")
    >>> len(ax.patches)
    50
    """
    values = _require_tiles(values)
    if not step > 0:
        raise ValueError(f"step is {step}; it must be above 0")
    if interval is not None:
        require_columns(interval, ["lower", "upper"], "interval")
    ends = centre + step * np.array([-1.5, -0.5, 0.5, 1.5])
    ax = ax or plt.subplots(figsize=(_WIDTH, 0.86 * _WIDTH))[1]
    ax.figure.patch.set_alpha(0)
    for state, (column, row) in TILES.items():
        value = values.get(state, np.nan)
        known = not np.isnan(value)
        fill = CLASSES[np.searchsorted(ends, value)] if known else "none"
        text = f"{state}\n{round(value)}" if known else state
        ax.add_patch(Rectangle((column, row), 0.95, 0.95, facecolor=fill, edgecolor=_OUTSIDE))
        ax.text(
            column + 0.475,
            row + (0.4 if interval is not None else 0.475),
            text,
            color=_ink(fill),
            fontsize=10,
            ha="center",
            va="center",
        )
        if interval is not None and known:
            reach = np.abs(interval[["lower", "upper"]] - centre).max(axis=None)
            middle = column + 0.475
            low, high = middle + 0.4 * (interval.loc[state, ["lower", "upper"]] - centre) / reach
            ax.hlines(row + 0.83, low, high, color=_ink(fill), linewidth=2)
            ax.vlines(middle, row + 0.76, row + 0.9, color=_ink(fill), linewidth=0.8)
    ax.set(xlim=(-0.1, 11.1), ylim=(8.9, -0.1), aspect="equal")
    ax.axis("off")
    _key(ax, ends, label)
    return ax


def _require_tiles(values: pd.Series) -> pd.Series:
    """Check what a map is to show."""
    require_numbers(values, "values")
    values = values.astype("float64")
    unknown = [state for state in values.index if state not in TILES]
    if unknown:
        raise KeyError(
            f"no tile for {listing(unknown)}; the index holds abbreviations such as 'AL'"
        )
    if values.index.has_duplicates:
        raise ValueError(f"values list {listing(values.index[values.index.duplicated()])} twice")
    if values.notna().sum() == 0:
        raise ValueError("values has no number to show")
    if np.isinf(values).any():
        raise ValueError(f"values is infinite for {listing(values.index[np.isinf(values)])}")
    return values


def _ink(fill: str) -> str:
    """Choose black or white words for a tile, and grey ones where there is none."""
    if fill == "none":
        return _OUTSIDE
    return "white" if np.dot(to_rgb(fill), (0.3, 0.59, 0.11)) < 0.5 else "black"


def _key(ax: Axes, ends: np.ndarray, label: str) -> None:
    """Draw the five classes below a map, their ends, and what they mean."""
    for number, colour in enumerate(CLASSES):
        left = 3 + number
        ax.plot(
            [left + 0.02, left + 0.98], [8.12, 8.12], color=colour, linewidth=9, marker="",
            solid_capstyle="butt",
        )  # fmt: skip
    for number, end in enumerate(ends):
        ax.text(4 + number, 8.34, f"{end:g}", color=_OUTSIDE, fontsize=10, ha="center", va="top")
    ax.text(2.8, 8.12, label, color=_OUTSIDE, fontsize=10, ha="right", va="center", wrap=True)


def _marks_of(names: Iterable[str], roles: Mapping[str, str]) -> dict[str, Role]:
    """Give each name a mark: what the caller says, what the name says, or what is free."""
    names = list(names)
    if set(roles) - set(names):
        raise KeyError(
            f"roles name {listing(set(roles) - set(names))}; tables are {listing(names)}"
        )
    chosen = {name: roles.get(name, _CALLED.get(str(name).lower())) for name in names}
    free = [name for name in _FREE if name not in chosen.values()]
    return {name: role(given or free.pop(0)) for name, given in chosen.items()}


def _require_one_column(by: object) -> None:
    if not isinstance(by, str):
        raise TypeError(
            f"by is {by!r}; pass the name of one column, such as one that joins several: "
            "table['state'] + ', ' + table['age']"
        )


def _require_estimates(
    tables: Mapping[str, pd.DataFrame], by: str, order: Sequence[object] | None
) -> list[object]:
    """Check what is to be shown side by side; give the groups from top to bottom."""
    require_type(tables, Mapping, "tables", "{'MRP': table}")
    _require_one_column(by)
    if not 0 < len(tables) <= len(_FREE):
        raise ValueError(f"{len(tables)} tables given; between 1 and {len(_FREE)} can be shown")
    require_free_names([by], ESTIMATES, "table")
    for name, table in tables.items():
        ends = [end for end in ("lower", "upper") if end in table]
        require_columns(table, [by, "estimate", *ends], f"table {name!r}", {by: "by"})
        resolve(table[by], f"table {name!r}")  # refuses what cannot name a group
    if order is None:
        first = next(iter(tables.values()))
        order = first.sort_values("estimate", ascending=False)[by].to_list()
    for name, table in tables.items():
        for column in ["estimate", *(end for end in ("lower", "upper") if end in table)]:
            require_numbers(table[column], f"table {name!r}: column {column!r}")
        if table[by].duplicated().any():
            twice = table.loc[table[by].duplicated(), by].unique()
            remedy = rows_of_a_group(table, [by], "table")
            raise ValueError(f"table {name!r} lists {listing(twice)} more than once{remedy}")
        if not table[by].isin(list(order)).any():
            raise ValueError(
                f"table {name!r} has none of the groups that are shown: {listing(order)}"
            )
    return list(order)


def _in_per_cent(table: pd.DataFrame, by: str, order: list[object]) -> pd.DataFrame:
    """Put a table's estimates, and the ends of its intervals if it has them, in order."""
    whole = {"lower", "upper"} <= set(table)
    columns = ["estimate", "lower", "upper"] if whole else ["estimate"]
    return 100 * table.set_index(by)[columns].reindex(order)


def _name_rows(ax: Axes, rows: np.ndarray, names: Iterable[object]) -> None:
    ax.set_yticks(rows, [str(name) for name in names], fontsize=9.5 if len(rows) > 20 else 11)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
