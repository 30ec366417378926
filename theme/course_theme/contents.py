"""The list of contents at the side, made once for the site and marked for each page.

The theme asks Sphinx to resolve all entries again for every page, parses what comes back and writes
it out again: a fifth of the build. But from page to page the list differs in two things alone,
the way from the page to the others, and which entry is the page's own. So the theme makes the list
once, as a page outside of the contents would show it, and what differs is written into that text.
Each part of the course folds away, and the one with the page is open.
"""

import posixpath
import re
from functools import cache
from typing import Any

from docutils import nodes
from pydata_sphinx_theme.toctree import add_toctree_functions
from sphinx.application import Sphinx
from sphinx.environment.adapters.toctree import global_toctree_for_doc

from .aside import above

TAG = re.compile(r"(</?(?:ul|li|details)\b[^>]*>|<a\b[^>]*>)")
LINK = re.compile(r'<a class="reference internal" href="([^"#]+)">')
TAG_IN_NAME = re.compile(r"<[^>]+>")
PART = re.compile(r'<p\b[^>]*class="caption"[^>]*>(.*?)</p>', re.DOTALL)


def with_folded_parts(html: str) -> str:
    """Put the entries of each part below its name, which opens and closes them."""
    before, *parts = PART.split(html)
    names = [TAG_IN_NAME.sub("", name) for name in parts[::2]]
    return before + "".join(
        f'<details class="course-part"><summary>{name}</summary>{entries.strip()}</details>'
        for name, entries in zip(names, parts[1::2], strict=True)
    )


class Contents:
    """The list of contents, cut into its tags and what is between them."""

    def __init__(self, html: str):
        """Read the list as it is on a page at the root of the site that is not in it."""
        self.pieces = TAG.split(html)
        self.links: dict[int, str] = {}
        # The piece of a page's link, and the pieces of all that holds it.
        self.around: dict[str, list[int]] = {}
        # From a piece that opens an entry to the one that opens what is folded away in it.
        self.folds: dict[int, int] = {}
        self._read()

    def _read(self) -> None:
        inside: list[int] = []
        for at, piece in enumerate(self.pieces):
            if link := LINK.fullmatch(piece):
                self.links[at] = link[1]
                self.around[link[1]] = [*inside, at]
            elif piece.startswith(("</ul", "</li", "</details")):
                inside.pop()
            elif piece.startswith(("<ul", "<li", "<details")):
                if piece.startswith("<details") and inside:
                    self.folds[inside[-1]] = at
                inside.append(at)

    def on(self, page: str, entry: str | None = None) -> str:
        """Write the list as it is on a page, by the address of the page and of its entry."""
        written = self.pieces.copy()
        folder = posixpath.dirname(page) or "."
        for at, address in self.links.items():
            there = posixpath.relpath(address, folder)
            written[at] = f'<a class="reference internal" href="{there}">'
        around = self.around.get(entry or page, [])
        for at in {*around, *(self.folds[at] for at in around if at in self.folds)}:
            written[at] = marked(written[at], here=entry in (None, page))
        return "".join(written)


def marked(tag: str, here: bool = True) -> str:
    """Mark a tag that holds the current page, in the words that the theme uses."""
    if tag.startswith("<a"):
        marked_tag = tag.replace('class="', 'class="current ')
        return re.sub(r'href="[^"]*"', 'href="#"', marked_tag) if here else marked_tag
    if tag.startswith("<details"):
        return tag.replace("<details", '<details open="open"')
    if tag.startswith("<li"):
        return re.sub(r"toctree-l\d+", r"\g<0> current active", tag)
    return tag.replace('class="', 'class="current ') if "class=" in tag else '<ul class="current">'


@cache
def resolved(app: Sphinx, **options: Any) -> Contents:
    """Let Sphinx and the theme make the list, once, for a page that is nowhere in it."""

    def toctree(**chosen: Any) -> str:
        tree = global_toctree_for_doc(app.env, "", app.builder, **chosen)
        return app.builder.render_partial(tree)["fragment"]

    context: dict[str, Any] = {"toctree": toctree}
    add_toctree_functions(app, "", "", context, None)
    return Contents(with_folded_parts(str(context["generate_toctree_html"](**options))))


def add_contents(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the sidebar's template a function with the arguments of the theme's own."""
    address = app.builder.get_target_uri(page)
    entry = app.builder.get_target_uri(above(page))
    context["course_contents"] = lambda **options: resolved(app, **options).on(address, entry)


def setup(app: Sphinx) -> None:
    """Come before the theme, which looks whether the sidebar is empty."""
    app.connect("html-page-context", add_contents, priority=400)
