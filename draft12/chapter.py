"""Build the chapter notebook."""
import sys
from pathlib import Path
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CELLS = []


def M(text, id=None):
    CELLS.append(("m", text.strip("\n"), {}, id))


def C(text, id=None, **meta):
    CELLS.append(("c", text.strip("\n"), meta, id))


def H(text, id=None):
    C(text, id, tags=["remove-cell"])


def write(path):
    cells = []
    number = 0
    for kind, text, meta, cell_id in CELLS:
        make = new_markdown_cell if kind == "m" else new_code_cell
        cell = make(text, metadata=meta)
        cell["id"] = cell_id or f"cell-{number:02d}"
        number += 1
        cells.append(cell)
    nb = new_notebook(cells=cells, metadata={
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    })
    nb.nbformat_minor = 5
    nbformat.write(nb, path)
