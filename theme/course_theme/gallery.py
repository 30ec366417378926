"""The page of all figures, made from the figures of the finished pages in reading order."""

import posixpath
import re

PAGE = "appendices/figures"
PLACE = '<div class="all-figures"></div>'
FIGURE = re.compile(
    r'<figure class="[^"]*" id="([^"]+)">\s*(?:<a [^>]*>)?<img\b([^>]*?)/?>(?:</a>)?\s*'
    r'<figcaption>\s*<p>(.*?)<a class="headerlink"',
    re.DOTALL,
)
SOURCE = re.compile(r'\bsrc="([^"]+)"')
ALT = re.compile(r'\balt="([^"]*)"')
MAP = re.compile(r'\bclass="[^"]*\bdark-light\b')


def figures(page: str, html: str) -> list[str]:
    """List the figures of a page as entries of the gallery."""
    folder = posixpath.dirname(page)
    here = posixpath.dirname(PAGE)
    entries = []
    for name, attributes, caption in FIGURE.findall(html):
        image = posixpath.relpath(posixpath.join(folder, SOURCE.search(attributes)[1]), here)
        address = f"{posixpath.relpath(page, here)}.html#{name}"
        alt = ALT.search(attributes)[1]
        kept = ' class="dark-light"' if MAP.search(attributes) else ""
        entries.append(
            f'<figure><a href="{address}"><img{kept} src="{image}" alt="{alt}" loading="lazy"/></a>'
            f"<figcaption><p>{caption}</p></figcaption></figure>"
        )
    return entries


def with_figures(page: str, by_page: dict[str, tuple[str, list[str]]]) -> str:
    """Fill the page of all figures: page -> its title and its entries, in reading order."""
    parts = [
        f'<section><h2>{title}</h2><div class="gallery">{"".join(entries)}</div></section>'
        for title, entries in by_page.values()
        if entries
    ]
    if PLACE not in page:
        raise ValueError(f"{PAGE}.md has no line {PLACE} for the figures")
    return page.replace(PLACE, "\n".join(parts))
