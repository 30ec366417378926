"""What others see of a page before they open it: description, preview, map of the site, 404."""

from html import escape
from pathlib import Path
from textwrap import shorten

from docutils import nodes
from sphinx.application import Sphinx
from vl_convert import svg_to_png

from .address import base_url

PICTURE = "_static/preview.png"
PICTURE_SAYS = "A sum over cells: how common each is, times what it answers."
LENGTH = 200  # characters of a description


def description(doctree: nodes.document) -> str:
    """Take the first paragraph of a page, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = shorten(paragraph.astext(), LENGTH, placeholder=" …")
        if len(words) > 40:
            return words
    return ""


def add_tags(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: nodes.document
) -> None:
    """Write title, description and, where the site's address is known, the picture."""
    said = description(doctree) if doctree else ""
    title = nodes.Text(str(context.get("title", ""))).astext()
    tags = {"og:type": "article", "og:site_name": app.config.html_title, "og:title": title}
    tags |= {"og:description": said} if said else {}
    if base := base_url():
        tags |= {
            "og:url": f"{base}{page}.html",
            "og:image": base + PICTURE,
            "og:image:alt": PICTURE_SAYS,
            "twitter:card": "summary_large_image",
        }
    lines = [f'<meta property="{name}" content="{escape(text)}"/>' for name, text in tags.items()]
    if said:
        lines.append(f'<meta name="description" content="{escape(said)}"/>')
    context["metatags"] = str(context.get("metatags", "")) + "\n" + "\n".join(lines) + "\n"


def picture() -> bytes:
    """Draw the preview, as PNG: few of those who show one take a drawing."""
    return svg_to_png((Path(__file__).parents[1] / "preview.svg").read_text("utf-8"))


def sitemap(pages: list[str], base: str) -> str:
    """List the addresses of all pages for search engines."""
    rows = "".join(f"  <url><loc>{escape(base + page)}.html</loc></url>\n" for page in pages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    )


def not_found(base: str) -> str:
    """Write the page for an address that leads nowhere.

    A server shows it at any depth, so it stands alone; its links are whole where the site's address
    is known, and relative to the front page elsewhere.
    """
    template = (Path(__file__).parent / "not_found.html").read_text("utf-8")
    return template.replace("BASE/", base)


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write the page for wrong addresses; with an address, the picture and the map of the site."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    (site / "404.html").write_text(not_found(base_url()), "utf-8")
    if base := base_url():
        (site / PICTURE).write_bytes(picture())
        (site / "sitemap.xml").write_text(sitemap(sorted(app.env.found_docs), base), "utf-8")


def setup(app: Sphinx) -> None:
    """Tag each page; write the rest at the end."""
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_files)
