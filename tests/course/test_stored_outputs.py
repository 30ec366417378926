"""What is stored in the notebooks is fit to be published.

nbval runs the notebooks and compares (tools/comparison.py). It says nothing about outputs that
come out the same each time and still do not belong on a page: that is the lint below.
"""

import getpass
import itertools
import re
import socket
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chapters", "explorers", "appendices", "exercises/solutions")
NOTEBOOKS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.ipynb"))
# A solution's figure is the learner's own, drawn from numbers that stand in the same notebook.
READ = [path for path in NOTEBOOKS if path.parent.name != "solutions"]

PATHS = re.compile(r"/(?:root|home|tmp|work|Users)/|site-packages|[A-Z]:\\Users")
WARNINGS = re.compile(r"\b\w*Warning\b:|^\s*warnings\.warn\(|^WARNING\b", re.MULTILINE)
PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}
HIDDEN = {"remove-cell", "remove-output"}
SHORTEST_ALT = 30
NOTEBOOK_METADATA = {"kernelspec", "language_info", "mystnb"}
VOLATILE = {"execution", "ExecuteTime", "collapsed", "scrolled"}
RERUN = "run 'make notebooks'"
# Figures whose message is a shape, or whose numbers stand elsewhere.
NO_NUMBERS = {
    "fig-heart-opening": "the first three tables of its chapter, drawn",
    "fig-frame-opening": "fifty states twice, whose two correlations are printed in the chapter",
    "fig-weights-opening": "the first row of fig-weights-elephants, whose numbers are there",
    "fig-model-graph": "a diagram",
    "fig-fixed-opening": "the widths of intervals that tables of its chapter give for small states",
    "fig-fixed-prior": "densities, and a direction that no table shows",
    "fig-pooling-opening": "its numbers are in the tables of fig-pooling-n and fig-pooling-vote",
    "fig-tour-opening": "200 estimates, whose means and standard deviations are in the text",
    "fig-biased-opening": "40 intervals, whose coverage is in tables of the chapter",
    "fig-answers-opening": "the extremes of 40 samples, which the text gives",
    "fig-design-opening": "1,000 estimates, whose scores are in a table of the chapter",
    "fig-trace": "thousands of draws, whose summary is the table of health",
    "fig-election-opening": "its numbers are in the table of fig-election-night",
    "fig-limits-opening": "its numbers are written beside its marks",
    "fig-party-opening": "200 estimates per row, whose means are a table of the chapter",
    "fig-study-opening": "its numbers are in the tables of RMSE",
    "fig-work-opening": "200 errors per row, whose means are beside them and in a table",
    "fig-ps-opening": "a share for each state, of which the four discussed are beside their marks",
    "fig-election-line": "the states of fig-election-night again, with a line",
    "fig-rebuilt-opening": "its numbers are in the tables of scores of its chapter",
    "fig-hood-volume": "three curves, drawn from their formulas",
}


def own_names() -> set[str]:
    """List the names of this machine and its user that would be recognised in an output."""
    # A name such as root or localhost is every machine's, and may be a word of the text.
    common = {"root", "localhost", "user", "runner", "build", "main"}
    names = {socket.gethostname(), getpass.getuser()} - common
    return {name for name in names if len(name) > 3}


def texts(output: nbformat.NotebookNode) -> str:
    """Join everything readable in an output."""
    shown = [text for kind, text in output.get("data", {}).items() if kind not in PICTURES]
    return "\n".join(str(part) for part in [output.get("text", ""), *shown])


def output_faults(output: nbformat.NotebookNode, tags: set[str]) -> list[str]:
    """Say what in one output does not belong on a page."""
    found = []
    if output.output_type == "error" and "raises-exception" not in tags:
        found.append(f"it ends in {output.ename}: repair it, or tag it raises-exception")
    if output.get("name") == "stderr":
        found.append("it writes to stderr: remove the cause, do not silence it")
    text = texts(output)
    if match := PATHS.search(text):
        found.append(f"its output holds a machine's path ({match[0]}): print a name instead")
    if match := WARNINGS.search(text):
        found.append(f"its output holds a warning ({match[0].strip()}): remove the cause")
    for name in own_names():
        if re.search(rf"\b{re.escape(name)}\b", text):
            found.append(f"its output holds this machine's or user's name ({name}): leave it out")
    return found


def picture_faults(cell: nbformat.NotebookNode) -> list[str]:
    """Say what a cell that shows a picture lacks for readers who do not see it."""
    mystnb = cell.metadata.get("mystnb", {})
    found = []
    if len(mystnb.get("image", {}).get("alt", "")) < SHORTEST_ALT:
        found.append(f"its picture needs mystnb.image.alt of {SHORTEST_ALT} letters or more")
    found += [
        f"its picture needs mystnb.figure.{key} in the cell's metadata"
        for key in ("caption", "name")
        if not mystnb.get("figure", {}).get(key)
    ]
    return found


def cell_faults(cell: nbformat.NotebookNode) -> list[str]:
    """Say what in one code cell does not belong on a page."""
    tags = set(cell.metadata.get("tags", []))
    found = [fault for output in cell.outputs for fault in output_faults(output, tags)]
    shows_picture = any(PICTURES & set(output.get("data", {})) for output in cell.outputs)
    if shows_picture and not tags & HIDDEN:
        found += picture_faults(cell)
    if extra := VOLATILE & set(cell.metadata):
        found.append(f"its metadata holds {', '.join(sorted(extra))}: {RERUN}")
    return found


def lint(name: str, notebook: nbformat.NotebookNode) -> list[str]:
    """List the faults of a notebook, each with the notebook, the cell and the remedy."""
    found = []
    if extra := set(notebook.metadata) - NOTEBOOK_METADATA:
        found.append(f"{name}: metadata of the notebook holds {sorted(extra)}: {RERUN}")
    counter = itertools.count(1)
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        expected = next(counter)
        faults = cell_faults(cell)
        if cell.execution_count != expected:
            faults.append(f"it was run as [{cell.execution_count}], not as [{expected}]: {RERUN}")
        found += [f"{name}, cell {number}: {fault}" for fault in faults]
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_are_fit_to_publish(path):
    found = lint(str(path.relative_to(ROOT)), nbformat.read(path, as_version=4))
    assert not found, "\n".join(found)


def without_numbers(cells: list[nbformat.NotebookNode]) -> list[str]:
    """List the figures that have no table of numbers within three cells."""
    found = []
    for at, cell in enumerate(cells):
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        near = [other for other in cells[max(at - 3, 0) : at + 3] if other.cell_type == "code"]
        shown = "".join(texts(output) for other in near for output in other.outputs)
        if name and "<table" not in shown:
            found.append(name)
    return found


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_every_figure_has_its_numbers_near(path):
    bare = without_numbers(nbformat.read(path, as_version=4).cells)
    missing = sorted(set(bare) - set(NO_NUMBERS))
    assert not missing, (
        f"{path.name}: no table of numbers near {missing}: add a cell with the tag hide-cell after "
        "the figure, as its neighbours do, or a reason to NO_NUMBERS"
    )


def test_figures_without_numbers_have_their_reason():
    bare = [name for path in READ for name in without_numbers(nbformat.read(path, 4).cells)]
    assert sorted(bare) == sorted(NO_NUMBERS)


def test_a_figure_without_numbers_is_found():
    table = new_output("execute_result", {"text/html": "<table></table>", "text/plain": "0"})
    figure = new_code_cell("x", outputs=[picture()], metadata={"mystnb": FIGURE})
    numbers = new_code_cell("y", outputs=[table])
    words = [new_markdown_cell("more")] * 3
    assert without_numbers([figure, numbers]) == []
    assert without_numbers([numbers, *words, figure]) == ["fig-support"]


# That the lint can fail: one small notebook for each fault.


def notebook_with(*outputs, count=1, **metadata):
    cell = new_code_cell("x", execution_count=count, outputs=list(outputs), metadata=metadata)
    return new_notebook(cells=[new_markdown_cell("# Title"), cell])


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def picture():
    return new_output("display_data", {"image/png": "aGVsbG8=", "text/plain": "<Figure>"})


FIGURE = {
    "figure": {"caption": "Support by state.", "name": "fig-support"},
    "image": {"alt": "Fifty dots that rise from the lower left to the upper right."},
}


@pytest.mark.parametrize(
    "notebook",
    [
        notebook_with(printed("mean 0.434\n")),
        notebook_with(picture(), mystnb=FIGURE),
        notebook_with(picture(), tags=["remove-cell"]),
        notebook_with(new_output("error", ename="KeyError"), tags=["raises-exception"]),
        notebook_with(printed("a work/home balance, and root mean square 0.1\n")),
    ],
    ids=["text", "figure", "hidden figure", "wanted error", "words that look like paths"],
)
def test_lint_passes_what_is_sound(notebook):
    assert lint("one.ipynb", notebook) == []


@pytest.mark.parametrize(
    ("notebook", "words"),
    [
        (notebook_with(count=None), "run as [None], not as [1]"),
        (notebook_with(count=7), "run as [7], not as [1]"),
        (notebook_with(new_output("error", ename="KeyError")), "ends in KeyError"),
        (notebook_with(printed("Sampling", name="stderr")), "writes to stderr"),
        (notebook_with(printed("read /home" + "/ann/x.csv")), "path (/home/)"),
        (
            notebook_with(new_output("execute_result", {"text/html": "<b>/tmp" + "/x</b>"})),
            "path (/tmp/)",
        ),
        (notebook_with(printed("a FutureWarning: soon")), "a warning (FutureWarning:)"),
        (notebook_with(picture()), "mystnb.image.alt"),
        (notebook_with(picture(), mystnb={"image": FIGURE["image"]}), "mystnb.figure.caption"),
        (
            notebook_with(picture(), mystnb={**FIGURE, "image": {"alt": "A plot"}}),
            "mystnb.image.alt",
        ),
        (notebook_with(execution={"iopub.status.idle": "noon"}), "metadata holds execution"),
    ],
)
def test_lint_finds(notebook, words):
    (found, *_) = lint("one.ipynb", notebook)
    assert found.startswith("one.ipynb, cell 2: ")
    assert words in found


def test_lint_finds_names_of_the_machine(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "annes-laptop")
    (found,) = lint("one.ipynb", notebook_with(printed("run on annes-laptop\n")))
    assert "name (annes-laptop)" in found


def test_lint_finds_metadata_of_an_editor():
    notebook = notebook_with()
    notebook.metadata["vscode"] = {"interpreter": "x"}
    (found,) = lint("one.ipynb", notebook)
    assert "['vscode']" in found
