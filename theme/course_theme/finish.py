"""The last step: every page is read once more and mended, and what no page uses is deleted."""

from pathlib import Path

from sphinx.application import Sphinx

from . import markup, offline

MENDS = (*markup.MENDS, offline.without_icon_script)


def mended(page: str) -> str:
    """Mend the HTML of one page."""
    for mend in MENDS:
        page = mend(page)
    return page


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Mend all pages, after everyone else has written theirs."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    for path in sorted(site.rglob("*.html")):
        if "_static" not in path.relative_to(site).parts:
            path.write_text(mended(path.read_text("utf-8")), "utf-8")
    offline.prune(site / "_static")


def setup(app: Sphinx) -> None:
    """Come last."""
    app.connect("build-finished", finish, priority=900)
