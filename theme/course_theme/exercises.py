"""An exercise on its page says how to open it, and what its checks do there.

On a page nothing runs. So a card below the title leads to where the notebook does, to the services
that the site knows and to the reader's own machine; and in place of each cell that only calls
`check`, a line says what the call is for.
"""

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from .colab import repository

# An exercise, and no solution.
EXERCISE = re.compile(r"exercises/[^/]+")
CALL = re.compile(r'\s*correct = check\(\s*"([\w.]+)",\s*(.+?),?\s*\)\s*', re.DOTALL)
TITLE_END = "</h1>"


class SayWhatChecksDo(SphinxTransform):
    """Put a sentence in the place of a cell that checks an answer."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Find the cells that hold a call of `check` alone."""
        if not EXERCISE.fullmatch(self.env.docname):
            return
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and (call := CALL.fullmatch(cell.astext())):
                cell.parent.replace(cell, what_it_does(*call.groups()))


def what_it_does(task: str, answer: str) -> nodes.paragraph:
    """Say what a check will do with an answer."""
    answer = " ".join(answer.split())
    return nodes.paragraph(
        "",
        "",
        nodes.Text("In the notebook, "),
        nodes.literal("", f'check("{task}", {answer})'),
        nodes.Text(
            " tells you at once whether your answer is right, and which mistake it is if it is a "
            "known one."
        ),
        classes=["what-check-does"],
    )


def links(header_buttons: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Read from the buttons of the page's head where its notebook can be run: name and address."""
    return [
        (str(button["text"]), str(button["url"]))
        for group in header_buttons
        if group.get("label") == "launch-buttons"
        for button in group["buttons"]
    ]


def commands(page: str) -> str:
    """Give the two commands that open the notebook on the reader's own machine."""
    place = repository()
    get = f"git clone {place.address} && cd {place.name} && " if place else ""
    return f"{get}make venv\n.venv/bin/jupyter lab {page}.ipynb"


def card(page: str, services: list[tuple[str, str]]) -> str:
    """Write the card of an exercise."""
    buttons = "".join(
        f'<a class="sd-btn sd-btn-primary" href="{escape(url)}">Open on {escape(name)}</a>'
        for name, url in services
    )
    here = f'<div class="front-buttons">{buttons}</div>' if buttons else ""
    course = '<a href="../appendices/about.html#run-it">a copy of the course</a>'
    copy = "On your own machine" if repository() else f"In {course} on your own machine"
    return (
        '<div class="exercise-card"><p><strong>Do this exercise as a notebook</strong>: you write '
        f"the answers, and <code>check</code> replies.</p>{here}<p>{copy}:</p>"
        f'<div class="highlight"><pre>{escape(commands(page), quote=False)}</pre></div>'
        f'<p>Afterwards, compare with <a href="solutions/{page.partition("/")[2]}.html">'
        "the solution and its outputs</a>.</p></div>"
    )


def add_card(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the card below the title, once all buttons of the page's head are known."""
    if EXERCISE.fullmatch(page) and TITLE_END in context.get("body", ""):
        shown = card(page, links(context["header_buttons"]))
        context["body"] = context["body"].replace(TITLE_END, TITLE_END + shown, 1)


def setup(app: Sphinx) -> None:
    """Come after those who make and change the buttons."""
    app.add_transform(SayWhatChecksDo)
    app.connect("html-page-context", add_card, priority=950)
