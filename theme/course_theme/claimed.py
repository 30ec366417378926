"""Put a small mark behind sentences that an assertion cell holds; it leads to what holds them.

A cell that asserts, tagged `remove-cell`, leaves no trace on its page. It comes right after the
text that it holds, or between an output and the text that reads it. The paragraph next to it gets
the mark, while the notebook is read and before it becomes a page.
"""

import json
import re

from sphinx.application import Sphinx

FOLDER = "chapters/"
CLAIMS = "../appendices/claims"
HEADING = re.compile(r"^#+ ", re.MULTILINE)
# Behind a table, a formula on its own lines or a box, the mark would be in the way.
ENDS_A_SENTENCE = re.compile(r"(?:\A|\n\n)[A-Za-z*`$\[(\d][^\n]*(?:\n[^\n|:`]+)*\.\*{0,2}\Z")


def mark(page: str, number: int) -> str:
    """Write the mark for the assertions of a page's cell of this number."""
    address = f"{CLAIMS}/{page.removeprefix(FOLDER)}.html#cell-{number}"
    return f'&nbsp;<a class="claimed" href="{address}" aria-label="Tested: see how">✓</a>'


def asserts(cell: dict) -> bool:
    """Say whether a cell holds a claim."""
    hidden = "remove-cell" in cell["metadata"].get("tags", [])
    return cell["cell_type"] == "code" and hidden and "assert " in "".join(cell["source"])


def place(cells: list[dict], number: int) -> tuple[int, int] | None:
    """Find where the paragraph that a cell holds ends: in which cell, behind which character."""
    if cells[number - 1]["cell_type"] == "markdown":
        return number - 1, len("".join(cells[number - 1]["source"]).rstrip())
    for at in range(number + 1, len(cells)):
        if cells[at]["cell_type"] == "markdown":
            text = HEADING.split("".join(cells[at]["source"]))[0]
            return at, len(text.split("\n\n")[0].rstrip())
    return None


def marked(page: str, notebook: str) -> str:
    """Mark a notebook's texts that are held, each once."""
    content = json.loads(notebook)
    cells = content["cells"]
    places = {place(cells, number): number for number, cell in enumerate(cells) if asserts(cell)}
    # From the last to the first, so that what has been put in moves no other place.
    for found, number in sorted((one for one in places.items() if one[0]), reverse=True):
        at, end = found
        text = "".join(cells[at]["source"])
        if ENDS_A_SENTENCE.search(text[:end]):
            cells[at]["source"] = text[:end] + mark(page, number + 1) + text[end:]
    return json.dumps(content)


def read(app: Sphinx, page: str, source: list[str]) -> None:
    """Mark the texts of a chapter."""
    if page.startswith(FOLDER) and source[0].lstrip().startswith("{"):
        source[0] = marked(page, source[0])


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("source-read", read)
