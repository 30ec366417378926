"""How to cite the course: CITATION.cff, written out as a sentence and for BibTeX."""

from html import escape
from pathlib import Path

import yaml

PAGE = "appendices/about"
PLACE = '<div class="how-to-cite"></div>'


def facts(cff: Path) -> dict[str, str]:
    """Read what both forms need from the file."""
    data = yaml.safe_load(cff.read_text("utf-8"))
    return {
        "author": " and ".join(author["name"] for author in data["authors"]),
        "title": data["title"],
        "year": f"{data['date-released']:%Y}",
        "version": str(data["version"]),
    }


def sentence(cited: dict[str, str], url: str) -> str:
    """Write the reference for a list of references."""
    text = (
        f"{cited['author']} ({cited['year']}). <em>{escape(cited['title'])}</em> "
        f"(version {cited['version']})."
    )
    return f'{text} <a href="{url}">{url}</a>' if url else text


def bibtex(cited: dict[str, str], url: str) -> str:
    """Write the entry for BibTeX; double braces keep an author that is not a person together."""
    fields = {
        "author": f"{{{cited['author']}}}",
        "title": f"{{{cited['title']}}}",
        "year": cited["year"],
        "version": cited["version"],
    }
    fields |= {"url": url} if url else {}
    lines = "".join(f"  {name:<7} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{mrpcourse{cited['year']},\n{lines}}}"


def with_citation(page: str, cff: Path, url: str) -> str:
    """Put both forms where their page has a place for them."""
    if PLACE not in page:
        raise ValueError(f"{PAGE}.md has no line {PLACE} for the citation")
    cited = facts(cff)
    box = (
        f'<div class="how-to-cite"><p>{sentence(cited, url)}</p>'
        f'<div class="highlight"><pre>{escape(bibtex(cited, url), quote=False)}</pre></div></div>'
    )
    return page.replace(PLACE, box)
