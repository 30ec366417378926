"""What a reader finds by typing words: texts and not code, and the right page first.

Sphinx puts every word of a page into its index, of code and its outputs too, so that "weights" is
on most pages. What readers type and no title says leads to its page, or to a section of it, by
`search_words.yml`, as an entry of the index. `search_results.js` orders the results and chooses
what is shown of each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms import SphinxTransform

THEME = Path(__file__).resolve().parent.parent
WORDS = THEME / "search_words.yml"
RESULTS = THEME / "search_results.js"
CODE = (nodes.literal_block, nodes.doctest_block, nodes.raw)


@contextmanager
def without_code(doctree: nodes.document) -> Iterator[None]:
    """Empty the blocks of code and output of a page for a while."""
    blocks = [(node, node.children) for node in doctree.findall() if isinstance(node, CODE)]
    for node, _ in blocks:
        node.children = []
    try:
        yield
    finally:
        for node, children in blocks:
            node.children = children


def index_text_alone(app: Sphinx) -> None:
    """Let the builder read no code when it collects the words of a page."""
    if app.builder.format != "html":
        return
    index_page = app.builder.index_page

    def index(page: str, doctree: nodes.document, title: str) -> None:
        with without_code(doctree):
            index_page(page, doctree, title)

    app.builder.index_page = index


@cache
def words() -> dict[str, list[str]]:
    """Read which words lead to a page or a section: its address -> the words."""
    return yaml.safe_load(WORDS.read_text("utf-8"))


class LeadWords(SphinxTransform):
    """Give a page the entries in the index by which readers look for it."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Put the entries before the text."""
        for place, found in words().items():
            page, _, section = place.partition("#")
            if page == self.env.docname:
                entries = [("single", word, section, "main", None) for word in found]
                self.document.append(addnodes.index(entries=entries))


def use_results(app: Sphinx, config: Config) -> None:
    """Name the script that Sphinx puts before its own, which is meant for scores."""
    config.html_search_scorer = str(RESULTS)


def setup(app: Sphinx) -> None:
    """Come before anything is read."""
    app.add_transform(LeadWords)
    app.connect("config-inited", use_results)
    app.connect("builder-inited", index_text_alone)
