"""One palette and the few figures that chapters share.

Colours are Okabe and Ito's, which survive the common kinds of colour blindness; shape is a second
code for the same thing, so that a figure can also be read in grey.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mrp_helpers._errors import require_columns, require_counts

OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
_MARKERS = ["o", "D", "s", "^", "v", "P", "X"]
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
        When a column is missing, or the population is not a count.

    Examples
    --------
    >>> from mrp_helpers import clean_cces, load_cces, load_poststrat_frame, plot_composition
    >>> ax = plot_composition(clean_cces(load_cces()), load_poststrat_frame(), by="edu")
    >>> [label.get_text() for label in ax.get_legend().get_texts()]
    ['sample', 'population']
    """
    require_columns(sample, [by], "sample")
    require_columns(frame, [by, population], "frame")
    require_counts(frame[population], f"frame: column {population!r}")
    people = frame.groupby(by)[population].sum()
    shares = pd.DataFrame(
        {
            "sample": sample[by].value_counts(normalize=True),
            "population": people / people.sum(),
        }
    ).fillna(0.0)
    shares = 100 * shares.loc[list(order) if order is not None else shares.index.sort_values()]

    ax = ax or plt.subplots(figsize=(_WIDTH, 0.9 + 1.6 * _ROW * len(shares)))[1]
    rows = np.arange(len(shares))
    ax.hlines(rows, shares.min(axis=1), shares.max(axis=1), color="0.6", linewidth=1)
    for number, name in enumerate(["population", "sample"]):
        ax.plot(shares[name], rows, _MARKERS[number], color=OKABE_ITO[number], label=name)
    _name_rows(ax, rows, shares.index)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
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
    ValueError
        When there is no table, or more than there are shapes.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import plot_estimates
    >>> table = pd.DataFrame({"state": ["AK", "AL"], "estimate": [0.4, 0.6]})
    >>> [label.get_text() for label in plot_estimates({"raw": table}).get_yticklabels()]
    ['AL', 'AK']
    """
    if not 0 < len(tables) <= len(_MARKERS):
        raise ValueError(f"{len(tables)} tables given; between 1 and {len(_MARKERS)} can be shown")
    for name, table in tables.items():
        require_columns(table, [by, "estimate"], f"table {name!r}")
    if order is None:
        first = next(iter(tables.values()))
        order = first.sort_values("estimate", ascending=False)[by].to_list()
    rows = np.arange(len(order))
    ax = ax or plt.subplots(figsize=(_WIDTH, 1.2 + _ROW * len(rows)))[1]
    offsets = np.linspace(-0.18, 0.18, len(tables)) if len(tables) > 1 else [0.0]
    for number, (name, table) in enumerate(tables.items()):
        placed = table.set_index(by).reindex(order) * 100
        at, colour = rows + offsets[number], OKABE_ITO[number]
        if {"lower", "upper"} <= set(table):
            ax.hlines(at, placed["lower"], placed["upper"], color=colour, linewidth=1.2)
        ax.plot(placed["estimate"], at, _MARKERS[number], color=colour, markersize=4, label=name)
    _name_rows(ax, rows, order)
    ax.grid(axis="y", color="0.92", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("estimate (%)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(tables), borderaxespad=0.2)
    return ax


def _name_rows(ax: Axes, rows: np.ndarray, names: Sequence[object]) -> None:
    ax.set_yticks(rows, [str(name) for name in names], fontsize=9.5 if len(rows) > 20 else 11)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
