"""List every claim that an assertion cell holds, with its sentences, a page for each notebook.

An assertion cell is a code cell with the tag `remove-cell` that asserts something. It comes
between an output and the sentences that read it, or right after the sentences it holds. The build
of the site writes the pages, into appendices/claims.md and the folder beside it.
"""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat

from tools.notebooks import ROOT, inside, notebooks_in_order
from tools.write import write_whole

FOLDER = ROOT / "appendices" / "claims"
CONTENTS = FOLDER.with_suffix(".md")
WRITTEN = """\
<!-- Written by 'make book' from the notebooks: change them or tools/claims.py, not this page. -->
"""
HEAD = f"""\
# What is claimed, and what holds it

{WRITTEN}
A passage that says something about numbers is followed by a cell that you do not see on its page.
The cell asserts what the sentences say. When the numbers no longer say so, it fails, and with it
the tests. The pages below show all {{cells}} of these cells, with {{assertions}} assertions, and
with each of them the sentences that it checks; unfold it to see how. An assertion may be stricter
than its sentence, and a sentence may say more than its assertion, for example a reason, which no
number can check. The solutions of the exercises have such cells too; they are not shown here, where
learners pass by.

| Claims of | Cells | Assertions |
|---|---|---|
"""
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
# A formula on lines of its own, which may have a label; a page cannot repeat a label.
FORMULA = re.compile(
    r"^(?:(?P<fence>`{3,}|:{3,})\{math\}\n(?::\w+:[^\n]*\n)*(?P<one>.*?)^(?P=fence)\s*$"
    r"|\$\$(?P<two>.*?)\$\$.*?$)",
    re.MULTILINE | re.DOTALL,
)
# What of a passage is not a sentence: targets, fences of directives, tables, footnotes.
LEFT_OUT = [
    re.compile(r"^\([\w-]+\)=\n?", re.MULTILINE),
    re.compile(r"^(?:`{3,}|:{3,}).*$", re.MULTILINE),
    re.compile(r"^:\w+:.*$", re.MULTILINE),
    re.compile(r"^\|.*$", re.MULTILINE),
    re.compile(r"\[\^\w+\](?::.*)?"),
]
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
LINE_BREAK = re.compile(r"\s*\n\s*(?![-*] |\d+\. |: )")


class Claim(NamedTuple):
    """One assertion cell and what it holds."""

    number: int  # of the cell, from 1
    section: str
    sentences: str
    source: str


def is_assertion(cell: nbformat.NotebookNode) -> bool:
    """Say whether a cell holds a claim."""
    hidden = "remove-cell" in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and hidden and re.search(r"\bassert\b", cell.source) is not None


def passage(cells: list[nbformat.NotebookNode], index: int) -> str:
    """Find the text that the assertion cell at `index` holds."""
    around = [
        cells[at].source if cells[at].cell_type == "markdown" else "" for at in range(len(cells))
    ]
    if around[index - 1]:
        return after_heading(around[index - 1])
    following = next((text for text in around[index + 1 :] if text), "")
    if reading := HEADING.split(following)[0].strip():
        return reading
    return after_heading(next(text for text in reversed(around[:index]) if text))


def after_heading(text: str) -> str:
    """Return the part of a text below its last heading."""
    return HEADING.split(text)[-1].strip()


def sentences(text: str) -> str:
    """Keep of a passage what can be said on another page, each paragraph on one line."""
    text = FORMULA.sub(lambda match: f"$${match['one'] or match['two']}$$", text)
    for pattern in LEFT_OUT:
        text = pattern.sub("", text)
    text = LINK.sub(r"*\1*", text)
    paragraphs = [LINE_BREAK.sub(" ", part.strip()) for part in re.split(r"\n\s*\n", text)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def claims(cells: list[nbformat.NotebookNode]) -> list[Claim]:
    """List the claims of a notebook."""
    section, found = "", []
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown" and (headings := HEADING.findall(cell.source)):
            section = headings[-1]
        elif is_assertion(cell):
            text = sentences(passage(cells, index))
            found.append(Claim(index + 1, section, text, cell.source))
    return found


def listed(path: Path) -> list[Claim]:
    """List the claims of a notebook's file."""
    return claims(nbformat.read(path, as_version=4).cells)


def block(claim: Claim) -> str:
    """Show one claim: where it is, its sentences, and the assertions folded away."""
    quoted = claim.sentences.replace("\n", "\n> ").replace("> \n", ">\n")
    return (
        f'<span id="cell-{claim.number}"></span>**{claim.section}**, cell {claim.number}\n\n'
        f"> {quoted}\n\n"
        f"::::{{dropdown}} What the cell asserts\n```python\n{claim.source}\n```\n::::\n"
    )


def count_assertions(found: list[Claim]) -> int:
    return sum(len(re.findall(r"^\s*assert\b", claim.source, re.MULTILINE)) for claim in found)


def title_of(path: Path) -> str:
    """Read the title of a notebook."""
    return HEADING.findall(nbformat.read(path, as_version=4).cells[0].source)[0]


def page(path: Path, found: list[Claim]) -> str:
    """Write the page of one notebook."""
    title, place = title_of(path), f"../../{inside(path)}"
    head = f"# Claims: {title}\n\n{WRITTEN}\n"
    cells = "1 cell" if len(found) == 1 else f"{len(found)} cells"
    head += f"{cells} with {count_assertions(found)} assertions in [{title}]({place}).\n"
    return "\n".join([head, *(block(claim) for claim in found)])


def pages() -> dict[Path, str]:
    """Write the page of contents, and a page for each notebook that claims something."""
    # The sentences of a solution would give the exercise away.
    paths = [path for path in notebooks_in_order() if path.parent.name != "solutions"]
    by_notebook = {path: found for path in paths if (found := listed(path))}
    everything = [claim for found in by_notebook.values() for claim in found]
    rows = "".join(
        f"| [{title_of(path)}]({FOLDER.name}/{path.stem}.md) | {len(found)} "
        f"| {count_assertions(found)} |\n"
        for path, found in by_notebook.items()
    )
    head = HEAD.format(cells=len(everything), assertions=count_assertions(everything))
    texts = {FOLDER / f"{path.stem}.md": page(path, found) for path, found in by_notebook.items()}
    return {CONTENTS: head + rows, **texts}


def write() -> None:
    """Write the pages that have changed; those of notebooks that are gone go too."""
    FOLDER.mkdir(exist_ok=True)
    texts = pages()
    for path, text in texts.items():
        if not path.is_file() or path.read_text("utf-8") != text:
            write_whole(path, text)
    for path in set(FOLDER.glob("*.md")) - set(texts):
        path.unlink()
