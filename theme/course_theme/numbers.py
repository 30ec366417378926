"""Chapters keep the numbers of their files; their sections, figures and formulas count with them.

Sphinx would count the entries of a list of contents: the tour would be 1, and an exercise below its
chapter would take the number of a section. So the numbers of chapters and of their sections are
written here, and Sphinx counts the figures and formulas again. Those of an exercise, of its
solution and of an explorer go on where their chapter's end.
"""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

type Number = tuple[int | str, ...]
type Numbers = dict[str, Number]

CHAPTER = re.compile(r"chapters/(\d\d)-")
# What counts the figures of pages outside of all chapters: C.1 is in the capstone's solution.
LETTERS = {"exercises": "C", "appendices": "A"}
MARKED = re.compile(r'<span class="section-number">([^<]*)</span>')


def headings(contents: nodes.Element, depth: int = 1) -> Iterator[tuple[int, nodes.reference]]:
    """Give the headings of a page from its list of contents, each with its depth."""
    for node in contents.children:
        if isinstance(node, addnodes.compact_paragraph):
            yield depth, node[0]
        elif isinstance(node, nodes.Element) and not isinstance(node, addnodes.toctree):
            yield from headings(node, depth + isinstance(node, nodes.bullet_list))


def number_headings(contents: nodes.Element, chapter: int) -> Numbers:
    """Number a chapter's title and its sections; anchor -> number."""
    numbers: Numbers = {}
    section = 0
    for depth, heading in headings(contents):
        section += depth == 2
        number: Number = {1: (chapter,), 2: (chapter, section)}.get(depth, ())
        if number:
            heading["secnumber"] = number
        # Without an entry of its own, a lower heading would show its chapter's number.
        numbers[heading["anchorname"]] = number
    return numbers


def below(page: str, env: BuildEnvironment) -> Iterator[str]:
    """Give a page and the pages that the list of contents has below it."""
    yield page
    for one in env.toctree_includes.get(page, []):
        yield from below(one, env)


def counted_with(env: BuildEnvironment) -> dict[str, Numbers]:
    """Say with which number the figures of a page are counted that has no number itself."""
    counted = {}
    for page in env.toctree_includes[env.config.root_doc]:
        folder = page.partition("/")[0]
        chapter = CHAPTER.match(page)
        number = int(chapter[1]) if chapter else LETTERS.get(folder)
        if number is not None:
            counted |= {one: {"": (number,)} for one in below(page, env)}
    return counted


def number(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number the chapters and what is in them; list the pages that this concerns."""
    shown = {}
    for page in env.found_docs:
        if found := CHAPTER.match(page):
            shown[page] = number_headings(env.tocs[page], int(found[1]))
            env.titles[page]["secnumber"] = (int(found[1]),)
    env.toc_secnumbers = counted_with(env) | shown
    changed = TocTreeCollector().assign_figure_numbers(env)
    env.toc_secnumbers = shown
    return [*shown, *changed]


def plain_title(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the number in a page's title as text, because some uses of it allow no markup."""
    context["title"] = MARKED.sub(r"\1", context.get("title", ""))


def setup(app: Sphinx) -> None:
    """Come after Sphinx, which begins the numbers again."""
    app.connect("env-get-updated", number, priority=600)
    app.connect("html-page-context", plain_title, priority=300)
