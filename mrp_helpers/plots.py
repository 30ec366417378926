"""One palette and the few figures that chapters share.

Colours are Okabe and Ito's, which survive the common kinds of colour blindness; shape is a second
code for the same thing, so that a figure can also be read in grey.
"""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from mrp_helpers._require import (
    listing,
    require_columns,
    require_counts,
    require_numbers,
    require_type,
)

OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
_MARKERS = ["o", "D", "s", "^", "v", "P", "X"]
# One tile a state, (column, row), so that small states are as easy to see as large ones.
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
_WIDTH = 4.8  # inches: at this width a phone still shows the names of the rows
_ROW = 0.21  # inches for one group of a tall chart


def use_course_style() -> None:
    """Set matplotlib's defaults for the course: colours, shapes, sizes that a phone can show.

    Examples
    --------
    >>> from mrp_helpers import use_course_style
    >>> use_course_style()
    """
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=OKABE_ITO, marker=_MARKERS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "figure.dpi": 120,
            "figure.figsize": (_WIDTH, 3.2),
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "legend.frameon": False,
            "lines.markersize": 5,
        }
    )


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
        One row a respondent, with the column `by`.
    frame : pandas.DataFrame
        One row a cell, with the columns `by` and `population`.
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
        Shares in per cent; one row a level, a line between its two marks.

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
    require_type(by, str, "by")
    require_columns(sample, [by], "sample")
    require_columns(frame, [by, population], "frame")
    require_counts(frame[population], f"frame: column {population!r}")
    for table, name in ((sample, "sample"), (frame, "frame")):
        if table[by].isna().any():
            raise ValueError(f"{name}: column {by!r} has missing values; drop or name those rows")
    if not sample[by].isin(frame[by]).any():
        raise ValueError(
            f"sample and frame share no level of {by!r}: {listing(sample[by].unique())} and "
            f"{listing(frame[by].unique())}"
        )
    people = frame.groupby(by)[population].sum()
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
    ax.hlines(rows, shares.min(axis=1), shares.max(axis=1), color="0.6", linewidth=1)
    for number, name in enumerate(["population", "sample"]):
        ax.plot(shares[name], rows, _MARKERS[number], color=OKABE_ITO[number], label=name)
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
    ax: Axes | None = None,
) -> Axes:
    """Show several estimates of the same groups, one row a group.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        For each name in the legend a table with the columns `by`, ``estimate`` (a share, 0-1)
        and, if it has intervals, ``lower`` and ``upper``. Later ones are drawn on top.
    by : str
        The column that names a group.
    order : sequence or None
        Groups from top to bottom; by default by the first table's estimate, largest on top.
    ax : matplotlib.axes.Axes or None
        Where to draw; a new figure, as tall as the groups need, by default.

    Returns
    -------
    matplotlib.axes.Axes
        Estimates in per cent; marks for estimates, lines for intervals.

    Raises
    ------
    KeyError
        When a table lacks a column.
    TypeError
        When `tables` is no mapping, or estimates are not numbers.
    ValueError
        When there is no table, or more than there are shapes; when a table lists a group twice or
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
    rows = np.arange(len(order))
    ax = ax or plt.subplots(figsize=(_WIDTH, 1.2 + _ROW * len(rows)))[1]
    offsets = np.linspace(-0.18, 0.18, len(tables)) if len(tables) > 1 else [0.0]
    for number, (name, table) in enumerate(tables.items()):
        placed = _in_per_cent(table, by, order)
        at, colour = rows + offsets[number], OKABE_ITO[number]
        if "lower" in placed:
            ax.hlines(at, placed["lower"], placed["upper"], color=colour, linewidth=1.2)
        ax.plot(placed["estimate"], at, _MARKERS[number], color=colour, markersize=4, label=name)
    _name_rows(ax, rows, order)
    ax.grid(axis="y", color="0.92", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("estimate (%)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(tables), borderaxespad=0.2)
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
        Estimates in per cent, one row a group, indexed by `by`: for each table a column of its
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
    return pd.DataFrame(columns)


def plot_map(
    values: pd.Series,
    *,
    label: str,
    centre: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show one number a state on a tile map: every state has the same area.

    Parameters
    ----------
    values : pandas.Series
        Numbers indexed by the state's abbreviation; states without a number stay white.
    label : str
        What the colour means, with its unit.
    centre : float or None
        A value that gets the neutral colour of a two-sided scale, such as 0 for errors; by
        default the scale is one-sided.
    ax : matplotlib.axes.Axes or None
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A square a state with its abbreviation and its number.

    Raises
    ------
    KeyError
        When an index entry is not one of the 50 states.
    TypeError
        When `values` is not a Series of numbers.
    ValueError
        When a state is listed twice, no state has a number, or a number is infinite.

    Examples
    --------
    >>> from mrp_helpers import load_state_predictors, plot_map
    >>> votes = load_state_predictors().set_index("state")["repvote"]
    >>> ax = plot_map(100 * votes, label="Republican share of the vote (%)", centre=50)
    >>> len(ax.patches)
    50
    """
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
    if centre is None:
        colours, scale = plt.get_cmap("cividis"), Normalize(values.min(), values.max())
    else:
        reach = (values - centre).abs().max()
        colours, scale = plt.get_cmap("PuOr_r"), Normalize(centre - reach, centre + reach)
    ax = ax or plt.subplots(figsize=(_WIDTH, 0.9 * _WIDTH))[1]
    for state, (column, row) in TILES.items():
        value = values.get(state, np.nan)
        colour = "white" if np.isnan(value) else colours(scale(value))
        ink = "white" if np.dot(to_rgb(colour), (0.3, 0.59, 0.11)) < 0.5 else "black"
        ax.add_patch(Rectangle((column, row), 0.95, 0.95, facecolor=colour, edgecolor="0.7"))
        text = state if np.isnan(value) else f"{state}\n{round(value)}"
        ax.text(column + 0.475, row + 0.475, text, color=ink, fontsize=8, ha="center", va="center")
    ax.set(xlim=(-0.1, 11.1), ylim=(8.1, -0.1), aspect="equal")
    ax.axis("off")
    key = ScalarMappable(scale, colours)
    ax.figure.colorbar(key, ax=ax, orientation="horizontal", shrink=0.6, pad=0.02, label=label)
    return ax


def _require_estimates(
    tables: Mapping[str, pd.DataFrame], by: str, order: Sequence[object] | None
) -> list[object]:
    """Check what is to be shown side by side; give the groups from top to bottom."""
    require_type(tables, Mapping, "tables")
    if not 0 < len(tables) <= len(_MARKERS):
        raise ValueError(f"{len(tables)} tables given; between 1 and {len(_MARKERS)} can be shown")
    for name, table in tables.items():
        require_columns(table, [by, "estimate"], f"table {name!r}")
    if order is None:
        first = next(iter(tables.values()))
        order = first.sort_values("estimate", ascending=False)[by].to_list()
    for name, table in tables.items():
        for column in ["estimate", *(end for end in ("lower", "upper") if end in table)]:
            require_numbers(table[column], f"table {name!r}: column {column!r}")
        if table[by].duplicated().any():
            twice = table.loc[table[by].duplicated(), by].unique()
            raise ValueError(f"table {name!r} lists {listing(twice)} more than once")
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
