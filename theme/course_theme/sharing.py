"""What others see of a page before they open it: description, preview, map of the site, 404."""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from .address import base_url

PICTURE = "_static/preview.png"
PICTURE_SAYS = "A sum over cells: how common each is, times what it answers."
LENGTH = 200  # characters of a description


def description(doctree: nodes.document) -> str:
    """Take the first paragraph of a page, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = " ".join(paragraph.astext().split())
        if len(words) > 40:
            return words if len(words) <= LENGTH else words[:LENGTH].rsplit(" ", 1)[0] + " …"
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


def draw_picture(path: Path) -> None:
    """Draw the preview: cells of different size, and the name of the course."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Rectangle

    shades = ["#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7"]
    widths = [0.26, 0.12, 0.2, 0.08, 0.22, 0.12]
    heights = [0.35, 0.6, 0.5, 0.8, 0.45, 0.7]
    # Whatever style is in force elsewhere: here each part is put where it belongs.
    plain = {"font.family": "DejaVu Sans", "figure.constrained_layout.use": False}
    with plt.rc_context(plain):
        figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor="white")
        axes = figure.add_axes((0.06, 0.08, 0.88, 0.36))
        axes.axis("off")
        left = 0.0
        for width, height, shade in zip(widths, heights, shades, strict=True):
            axes.add_patch(Rectangle((left, 0), width - 0.012, height, color=shade))
            left += width
        figure.text(0.06, 0.83, "Multilevel Regression", size=46, weight="bold")
        figure.text(0.06, 0.70, "and Post-Stratification", size=46, weight="bold")
        figure.text(0.06, 0.57, "Weighting as a corrective for biased samples", size=26)
        figure.savefig(path, metadata={"Software": None})
        plt.close(figure)


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
    """Write the page for wrong addresses and, with an address, the picture and the map of the site.

    Without an address no page names the picture, and drawing it takes as long as five pages.
    """
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    (site / "404.html").write_text(not_found(base_url()), "utf-8")
    if base := base_url():
        draw_picture(site / PICTURE)
        (site / "sitemap.xml").write_text(sitemap(sorted(app.env.found_docs), base), "utf-8")


def setup(app: Sphinx) -> None:
    """Tag each page; write the rest at the end."""
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_files)
