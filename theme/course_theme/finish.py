"""The last step: every page is read once more and corrected, and what no page uses is deleted.

Pages that are made from other pages (the map of the course, the page of all figures, the
definitions of terms) are filled here, when all others are written.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

from . import citation, course_map, emblem, gallery, markup, offline, terms
from .address import base_url


def mended(page: str) -> str:
    """Mend the HTML of one page."""
    for mend in markup.MENDS:
        page = mend(page)
    return page


def reading_order(app: Sphinx) -> list[str]:
    """List the pages in the order in which 'next' leads through them."""

    def from_here(page: str) -> list[str]:
        below = app.env.toctree_includes.get(page, [])
        return [page, *(one for inner in below for one in from_here(inner))]

    return from_here(app.config.root_doc)


def fill(pages: dict[str, str], order: list[str], cff: Path) -> None:
    """Fill what is made from other pages; `pages` maps names to HTML and is changed."""
    known = terms.definitions(pages["appendices/glossary"])
    for name, html in pages.items():
        if name != "appendices/glossary":
            pages[name] = terms.with_definitions(html, known)
    chapters = [
        course_map.chapter(name, pages[name]) for name in order if name.startswith("chapters/")
    ]
    pages[course_map.PAGE] = course_map.with_map(pages[course_map.PAGE], chapters)
    pages[citation.PAGE] = citation.with_citation(pages[citation.PAGE], cff, base_url())
    pages["index"] = emblem.with_picture(pages["index"])
    by_page = {
        name: (course_map.title(pages[name]), gallery.figures(name, pages[name]))
        for name in order
        if not name.startswith("exercises/")
    }
    pages[gallery.PAGE] = gallery.with_figures(pages[gallery.PAGE], by_page)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Mend and fill all pages, after everyone else has written theirs."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    paths = {
        path.relative_to(site).with_suffix("").as_posix(): path
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
    }
    pages = {name: mended(path.read_text("utf-8")) for name, path in paths.items()}
    try:
        fill(pages, reading_order(app), Path(app.srcdir) / "CITATION.cff")
    except ValueError as wrong:
        getLogger(__name__).warning(str(wrong))
    for name, path in paths.items():
        path.write_text(pages[name], "utf-8")
    offline.prune(site / "_static")


def setup(app: Sphinx) -> None:
    """Come last."""
    app.connect("build-finished", finish, priority=900)
