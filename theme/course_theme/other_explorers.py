"""Each explorer's page ends in a list of the others, so that one leads to all of them."""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx

from .explorers import COMPUTED, FOLDER

NAME = re.compile(r"Explorer: (.+)")


def in_reading_order(app: Sphinx, page: str) -> Iterator[str]:
    """Go through the contents, and give the explorers below a page."""
    for below in app.env.toctree_includes.get(page, []):
        if below.startswith(FOLDER):
            yield below
        yield from in_reading_order(app, below)


def name_of(app: Sphinx, page: str) -> str:
    """Read what an explorer is called, which its title says after the kind of page."""
    title = app.env.titles[page].astext()
    found = NAME.fullmatch(title)
    return found[1] if found else title


def the_others(app: Sphinx, page: str) -> nodes.paragraph:
    """Write the list: a link to each explorer but the one of this page."""
    listed = nodes.paragraph("", "", nodes.strong("", "Other explorers"), nodes.Text(": "))
    others = [one for one in in_reading_order(app, app.config.root_doc) if one != page]
    for place, other in enumerate(others):
        if place:
            listed += nodes.Text(" and " if other == others[-1] else ", ")
        address = app.builder.get_relative_uri(page, other)
        listed += nodes.reference("", name_of(app, other), internal=True, refuri=address)
    listed += nodes.Text(".")
    return listed


def add_others(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the list behind the last paragraph before what is computed."""
    if not page.startswith(FOLDER):
        return
    sections = [
        section
        for section in doctree.findall(nodes.section)
        if section.next_node(nodes.title).astext() != COMPUTED
    ]
    paragraphs = [at for at, one in enumerate(sections[-1]) if isinstance(one, nodes.paragraph)]
    sections[-1].insert(paragraphs[-1] + 1, the_others(app, page))


def setup(app: Sphinx) -> None:
    """Come when all titles are known."""
    app.connect("doctree-resolved", add_others)
