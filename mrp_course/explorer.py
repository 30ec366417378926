"""A chart that readers move, as the course's pages hold it: controls, picture, sentence, table.

`explorer` turns an Altair chart with parameters into the markup that a page shows. Nothing in
it is random, and all of it is plain HTML: labelled sliders and lists, a sentence with the
numbers, a table, and the chart's Vega-Lite specification as JSON. On the site, the script
theme/explorers/explorer.js draws the chart, hands it what the controls say, and reads the
sentence's and the table's numbers off it. In a notebook, and where no script runs, the sentence and
the table show the numbers that Python computed.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Any, NamedTuple, Protocol

import pandas as pd

# How the charts look in both modes of the site: text and lines have the colour of the page's text.
STYLE = {
    "background": "transparent",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "titleFontWeight": "normal",
        "domainColor": "currentColor",
        "tickColor": "currentColor",
        "gridColor": "currentColor",
        "gridOpacity": 0.15,
        "labelFontSize": 13,
        "titleFontSize": 13,
    },
    "legend": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "labelFontSize": 13,
        "labelLimit": 0,
        "orient": "top",
        "title": None,
    },
}
FIELD = re.compile(r"\{(\w+):(\w+)\}")


class Chart(Protocol):
    """What is needed of an Altair chart."""

    def to_dict(self) -> dict[str, Any]:
        """Give its Vega-Lite specification."""
        ...


class Slider(NamedTuple):
    """A control for a number: the parameter of the chart that it moves, its label, its range."""

    parameter: str
    label: str
    low: float
    high: float
    step: float
    # The number in words: "{} of 13", or a function of it.
    shown: str | Callable[[float], str] = "{}"


class Choice(NamedTuple):
    """A control for one of a few: the parameter that it sets, its label, its options."""

    parameter: str
    label: str
    options: Mapping[str, str]  # value of the parameter -> what the list shows


class Button(NamedTuple):
    """A button that adds to the number of a slider."""

    parameter: str
    label: str
    adds: float


class Call(NamedTuple):
    """Buttons by which the reader says what is the case for the chosen one, before it is revealed.

    The parameter is a text that collects the calls, such as ``"FL:T OH:C "``: once called, `of`
    cannot be called again until the reader goes back to the start.
    """

    parameter: str
    of: str  # the parameter of the Choice that says what is called
    options: Mapping[str, str]  # what is collected -> what the button shows


class Guess(NamedTuple):
    """A question before the controls open: the reader commits to an answer, then sees it happen."""

    question: str
    options: Sequence[str]
    right: int  # which of the options is right
    then: Mapping[str, float | str]  # where the controls move to, once the reader has answered
    answer: str  # a sentence with fields, filled where the controls have moved to


class Explorer:
    """A finished explorer; a notebook shows it as HTML."""

    def __init__(self, name: str, html: str) -> None:
        self.name, self.html = name, html

    def __repr__(self) -> str:
        """Name it, for where no HTML is shown."""
        return f"explorer {self.name!r}"

    def _repr_html_(self) -> str:
        return self.html


def show_number(value: object, kind: str) -> str:
    """Write a number as the course does; the site's script has the same kinds.

    Parameters
    ----------
    value : object
        A number, or a text when `kind` is ``"text"``.
    kind : str
        ``"percent"`` of a share, signed percentage ``"points"`` of a difference of shares, a
        ``"width"`` in percentage points, a ``"number"`` without digits after the point, or
        ``"text"``.

    Returns
    -------
    str
        What a sentence or a table shows.

    Raises
    ------
    ValueError
        When the kind is none of these.

    Examples
    --------
    >>> from mrp_course.explorer import show_number
    >>> show_number(0.4342, "percent"), show_number(-0.0396, "points")
    ('43.4%', '−4.0')
    """
    if kind == "text":
        return str(value)
    number = float(str(value))
    if kind == "percent":
        return f"{_rounded(100 * number, 1)}%"
    if kind == "points":
        written = f"{_rounded(100 * number, 1):+}".replace("-", "−")
        return "0.0" if written[1:] == "0.0" else written
    if kind == "width":
        return f"{_rounded(100 * number, 1)}"
    if kind == "number":
        return f"{_rounded(number, 0):,}"
    raise ValueError(f"no kind {kind!r}; there are percent, points, width, number and text")


def _rounded(number: float, digits: int) -> Decimal:
    # As a browser does: a half goes away from zero. Python's own formats go to the even digit.
    return Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def explorer(
    chart: Chart,
    name: str,
    controls: Sequence[Slider | Choice | Button | Call],
    reading: str,
    numbers: Mapping[str, object],
    table: pd.DataFrame,
    columns: Mapping[str, tuple[str, str]],
    pick: str | None = None,
    guess: Guess | None = None,
) -> Explorer:
    """Put a chart with parameters, its controls, its numbers and its table into one panel.

    Parameters
    ----------
    chart : altair chart
        Its parameters have values. The layer named ``"reading"`` draws a table of one row, and
        the layer named ``"table"`` the rows of the table, with all columns that are shown.
    name : str
        The explorer's name, one word; it names the elements of the page.
    controls : sequence of Slider, Choice, Button or Call
        One or more for each parameter of the chart.
    reading : str
        A sentence with fields such as ``{estimate:percent}``, the column and the kind of number.
    numbers : mapping
        What the fields are when the page opens, as Python computes it.
    table : pandas.DataFrame
        The rows when the page opens.
    columns : mapping
        For each column that is shown, its heading and the kind of its numbers.
    pick : str or None
        A parameter that also follows the pointer and the arrow keys from mark to mark: a column
        of that name says which value a mark stands for, and columns named ``column`` and ``row``
        where the table's rows lie.
    guess : Guess or None
        A question that the reader answers, or passes over, before the controls open.

    Returns
    -------
    Explorer
        What a notebook shows as its last value.

    Raises
    ------
    KeyError
        When a control moves no parameter of the chart, or a field has no number.
    """
    spec = chart.to_dict()
    spec["config"] = STYLE
    values = {one["name"]: one["value"] for one in spec["params"] if "value" in one}
    moved = [one.parameter for one in controls] + list(guess.then if guess else [])
    if unknown := [parameter for parameter in moved if parameter not in values]:
        raise KeyError(f"the chart has no parameter {unknown[0]!r}; it has {', '.join(values)}")
    # "<" would end the script's element early if a text held it.
    text = json.dumps(spec, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    label = escape(spec["description"])
    view = f'role="img" aria-label="{label}"'
    if pick:
        view = (
            f'role="group" aria-label="{label}. The arrow keys move from one to the next." '
            f'data-pick="{pick}" tabindex="0"'
        )
    html = [
        f'<div class="explorer" data-name="{name}">',
        '<div class="explorer-stage">',
        f'<div class="explorer-view" {view} style="min-height: {spec["height"]}px" hidden></div>',
        '<div class="explorer-side">',
        *([_guess(name, guess)] if guess else []),
        *_form(name, controls, values),
        '</div><div class="explorer-words">',
        '<p class="explorer-static">The picture appears, and the controls move it, on the '
        "course's site; here are the numbers at the start.</p>",
        *([_answer(guess)] if guess else []),
        f'<p class="explorer-reading" role="status">{_sentence(reading, numbers)}</p>',
        "</div></div>",
        "<details><summary>The numbers behind the picture</summary>",
        '<div class="explorer-scroll" tabindex="0" role="region" '
        'aria-label="Table of the numbers">',
        _table(table, columns),
        "</div></details>",
        f'<script type="application/json">{text}</script>',
        "</div>",
    ]
    return Explorer(name, "\n".join(html))


def _form(
    name: str, controls: Sequence[Slider | Choice | Button | Call], values: Mapping[str, Any]
) -> list[str]:
    fields = [
        _call(one, values[one.parameter])
        if isinstance(one, Call)
        else _field(name, one, values[one.parameter])
        for one in controls
        if not isinstance(one, Button)
    ]
    buttons = [_button(name, one) for one in controls if isinstance(one, Button)]
    return [
        '<form class="explorer-controls" autocomplete="off" hidden>',
        *fields,
        '<div class="explorer-buttons">',
        *buttons,
        '<button type="reset">Back to the start</button>',
        "</div></form>",
    ]


def _guess(name: str, guess: Guess) -> str:
    options = "".join(
        f'<label><input type="radio" name="{name}-guess" value="{place}">{escape(option)}</label>'
        for place, option in enumerate(guess.options)
    )
    then = escape(json.dumps(dict(guess.then)))
    return (
        f'<form class="explorer-guess" data-right="{guess.right}" data-then="{then}" hidden>'
        f"<fieldset><legend>{escape(guess.question)}</legend>{options}</fieldset>"
        '<div class="explorer-buttons"><button type="submit" disabled>That is my guess</button>'
        '<button type="button">Skip the question</button></div></form>'
    )


def _answer(guess: Guess) -> str:
    # The numbers are those of a place to which the controls have yet to move.
    answer = FIELD.sub(_empty, escape(guess.answer))
    return f'<p class="explorer-answer" role="status" hidden><strong></strong> {answer}</p>'


def _empty(field: re.Match[str]) -> str:
    return f'<data data-field="{field[1]}" data-kind="{field[2]}"></data>'


def _button(name: str, button: Button) -> str:
    data = f'data-control="{name}-{button.parameter}" data-adds="{button.adds:g}"'
    return f'<button type="button" {data}>{escape(button.label)}</button>'


def _call(call: Call, value: Any) -> str:
    buttons = "".join(
        f'<button type="button" data-calls="{escape(call.parameter)}" data-of="{call.of}" '
        f'data-value="{escape(one)}">{escape(text)}</button>'
        for one, text in call.options.items()
    )
    # A field of text, though unseen: going back to the start empties it, unlike a hidden one.
    kept = f'<input type="text" name="{call.parameter}" value="{escape(str(value))}" hidden>'
    return f'<div class="explorer-buttons">{kept}{buttons}</div>'


def _field(name: str, control: Slider | Choice, value: Any) -> str:
    key = f"{name}-{control.parameter}"
    if isinstance(control, Choice):
        options = "".join(
            f'<option value="{escape(one)}"{" selected" if one == value else ""}>'
            f"{escape(text)}</option>"
            for one, text in control.options.items()
        )
        field = f'<select id="{key}" name="{control.parameter}">{options}</select>'
    else:
        words = escape(json.dumps(_words(control), ensure_ascii=False))
        at = round((value - control.low) / control.step)
        field = (
            f'<input type="range" id="{key}" name="{control.parameter}" min="{control.low:g}" '
            f'max="{control.high:g}" step="{control.step:g}" value="{value:g}" '
            f'data-words="{words}">'
            f'<output for="{key}">{escape(_words(control)[at])}</output>'
        )
    label = f'<label for="{key}">{escape(control.label)}</label>'
    return f'<div class="explorer-control">{label}{field}</div>'


def _words(slider: Slider) -> list[str]:
    """Say in words each number to which a slider can move."""
    steps = round((slider.high - slider.low) / slider.step)
    numbers = [round(slider.low + slider.step * step, 9) for step in range(steps + 1)]
    if isinstance(slider.shown, str):
        return [slider.shown.format(f"{number:g}".replace("-", "−")) for number in numbers]
    return [slider.shown(number) for number in numbers]


def _data(field: str, kind: str, value: object) -> str:
    shown = escape(show_number(value, kind))
    return (
        f'<data data-field="{field}" data-kind="{kind}" value="{escape(str(value))}">{shown}</data>'
    )


def _sentence(reading: str, numbers: Mapping[str, object]) -> str:
    if missing := [field for field, _ in FIELD.findall(reading) if field not in numbers]:
        raise KeyError(f"numbers has no {missing[0]!r}, which the sentence names")
    return FIELD.sub(lambda match: _data(match[1], match[2], numbers[match[1]]), escape(reading))


def _table(table: pd.DataFrame, columns: Mapping[str, tuple[str, str]]) -> str:
    heads = "".join(
        f'<th scope="col" data-field="{field}" data-kind="{kind}">{escape(heading)}</th>'
        for field, (heading, kind) in columns.items()
    )
    rows = (
        "<tr>"
        + "".join(
            f"<td>{escape(show_number(row[field], kind))}</td>"
            for field, (_, kind) in columns.items()
        )
        + "</tr>"
        for row in table.to_dict("records")
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
