"""Tables that are meant to be read: words for codes, per cent, a caption, one row in bold.

A raw frame shows how data are kept, which is at times the lesson. Where its numbers are,
`read_table` shows the same frame as a reader wants it. The markup is pandas' own (its Styler), with
header cells that say what they head. Great Tables was the alternative: it writes eleven kB for a
table of four rows where this takes less than two, and a title where screen readers want a caption.
"""

import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

# What the columns and the codes of the course's data are called in a sentence.
HEADINGS = {
    "eth": "ethnicity",
    "male": "gender",
    "edu": "education",
    "repvote": "Republican vote",
    "n": "people",
    "population": "people",
    "sd": "standard deviation",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "mean_error": "mean error",
    "n_groups": "groups",
}
WORDS: dict[str, dict[object, str]] = {
    "male": {-0.5: "women", 0.5: "men"},
    "edu": {"HS": "high school", "No HS": "no high school"},
}
MISSING = "–"
NO_STYLE = '<style type="text/css">\n</style>\n'
# Above the names of rows that have no heading of their own; empty, it heads nothing.
CORNER = re.compile(r"<th [^>]*>(?:&nbsp;)?\s*</th>")
HEADER = re.compile(r'<th ((?:id="\w+" )?class="(row|col|index))')


class Table:
    """A finished table; a notebook shows it as HTML, and a terminal as text."""

    def __init__(self, text: pd.DataFrame, caption: str, bold: Collection[object]) -> None:
        self.text, self.caption, self.bold = text, caption, set(bold)

    def __repr__(self) -> str:
        """Write it for where no HTML is shown."""
        return f"{self.caption}\n{self.text.to_string()}"

    def _repr_html_(self) -> str:
        heavy = [label in self.bold for label in self.text.index]
        styler = Styler(self.text, cell_ids=False, caption=self.caption)
        styler = styler.set_table_attributes('class="dataframe read"')
        if any(heavy):
            styler = styler.apply(lambda column: [_weight(one) for one in heavy])
            styler = styler.apply_index(lambda labels: [_weight(one) for one in heavy])
        # A name that does not change from run to run, and is another for another table.
        styler = styler.set_uuid(re.sub(r"\W", "", self.caption)[:40])
        html = CORNER.sub("<td></td>", styler.to_html().replace(NO_STYLE, ""))
        return HEADER.sub(_with_scope, html)


def _weight(is_bold: bool) -> str:
    return "font-weight: bold" if is_bold else ""


def _with_scope(header: re.Match[str]) -> str:
    return f'<th scope="{"row" if header[2] == "row" else "col"}" {header[1]}'


def read_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    per_cent: Collection[str] = (),
    points: Collection[str] = (),
    digits: int | Mapping[str, int] = 1,
    bold: object = (),
) -> Table:
    """Show a frame as a table that is meant to be read.

    Parameters
    ----------
    frame : pandas.DataFrame
        The index names the rows; where it only counts them, the first column does. Several levels
        become one name.
    caption : str
        What the table says.
    per_cent : collection of str
        Columns with shares (0-1), shown as 43.4%.
    points : collection of str
        Columns with differences of shares, shown in percentage points; with their sign, where any
        is below zero.
    digits : int or mapping of str to int
        Digits after the point: for all columns with fractions, or for each of some, and 1 for the
        others. Whole numbers get separators of thousands.
    bold : object, or list of objects
        The name or names of the rows that the text is about.

    Returns
    -------
    Table
        What a notebook shows when it is the last thing in a cell.

    Raises
    ------
    KeyError
        When the frame has no such column, or no such row.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_course.tables import read_table
    >>> frame = pd.DataFrame({"male": [-0.5, 0.5], "n": [1234, 5678], "support": [0.434, 0.5]})
    >>> read_table(frame, caption="Support", per_cent=["support"])
    Support
    gender people support
    women   1,234   43.4%
    men     5,678   50.0%
    """
    if isinstance(frame.index, pd.RangeIndex):
        frame = frame.set_index(frame.columns[0])
    names = list(bold) if isinstance(bold, list | set) or bold == () else [bold]
    decimals = digits if isinstance(digits, Mapping) else dict.fromkeys(map(str, frame), digits)
    _require({*per_cent, *points, *decimals}, frame.columns.map(str), "column")
    _require(names, frame.index, "row")
    columns = {}
    for name, values in frame.items():
        kind = "%" if name in per_cent else "points" if name in points else ""
        if kind == "points" and (values < 0).any():
            kind = "signed points"
        columns[HEADINGS.get(str(name), str(name))] = [
            _written(value, kind, decimals.get(str(name), 1)) for value in _in_words(values, name)
        ]
    rows = _row_names(frame.index)
    heavy = [row for row, label in zip(rows, frame.index, strict=True) if label in names]
    text = pd.DataFrame(columns, index=rows)
    text.columns.name = ", ".join(
        HEADINGS.get(str(name), str(name)) for name in frame.index.names if name
    )
    return Table(text, caption, heavy)


def _row_names(index: pd.Index) -> list[object]:
    """Name the rows; those of an index with several levels by all of them."""
    if not isinstance(index, pd.MultiIndex):
        return _in_words(index, index.name)
    levels = [
        _in_words(index.get_level_values(number), name) for number, name in enumerate(index.names)
    ]
    return [", ".join(map(str, row)) for row in zip(*levels, strict=True)]


def _require(names: Collection[object], known: pd.Index, what: str) -> None:
    """Raise KeyError for a name that the frame does not have."""
    missing = [name for name in names if name not in known]
    if missing:
        raise KeyError(f"frame has no {what} {missing[0]!r}; its {what}s are {list(known)}")


def _in_words(values: Iterable[object], name: object) -> list[object]:
    """Put words in the place of the codes of a column that has them."""
    words = WORDS.get(str(name), {})
    return [words.get(value, value) for value in values]


def _written(value: object, kind: str, digits: int) -> str:
    """Write one entry of a table."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.number):
        return MISSING if value is None else str(value)
    if np.isnan(value):
        return MISSING
    if kind:
        sign, unit = "+" if kind.startswith("signed") else "", "%" if kind == "%" else ""
        return f"{100 * value:{sign}z.{digits}f}{unit}"
    return f"{value:,}" if isinstance(value, int | np.integer) else f"{value:z,.{digits}f}"
