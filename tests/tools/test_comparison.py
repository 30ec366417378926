"""The comparison of stored outputs with fresh ones: what passes, what fails, and that it is asked.

The comparison itself is in tools/comparison.py; nbval calls it for every cell of every notebook.
"""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_notebook

from tools.comparison import Drawing, Picture, Tolerant, moved
from tools.notebooks import notebooks_in_order, run, tidy

ROOT = Path(__file__).resolve().parents[2]

TABLE = "<tr>\n  <th>AL</th>\n  <td>0.52613</td>\n  <td>1,923</td>\n</tr>"
EQUAL = {
    "the same": ("support 0.434163", "support 0.434163"),
    "last digit": ("support 0.434163", "support 0.434164"),
    "exponent": ("mean 1.25e-05", "mean 1.2500001e-05"),
    "float noise with more digits": ("0.3", "0.30000000000000004"),
    "zero and rounding": ("bias 0.0", "bias -1.1e-16"),
    "minus zero": ("bias 0.00", "bias -0.00"),
    "large": ("228443347.0", "228443347.1"),
    "per cent": ("43.4163 %", "43.4164 %"),
    "html": (TABLE, TABLE.replace("0.52613", "0.52614")),
    "column moved by a digit": ("AL   0.3\nAK  0.25", "AL  0.30000000000000004\nAK  0.25"),
}
UNEQUAL = {
    "0.1 % more": ("support 0.434163", "support 0.434597"),
    "0.1 % less": ("support 0.434163", "support 0.433729"),
    "0.1 % of a small number": ("mean 1.250e-05", "mean 1.25125e-05"),
    "0.1 % of a large number": ("228443347.5", "228671790.8"),
    "0.1 % of a share in per cent": ("43.4163 %", "43.4597 %"),
    "0.1 % in html": (TABLE, TABLE.replace("0.52613", "0.52666")),
    "near zero, and no rounding": ("bias 0.0", "bias 0.001"),
    "integer": ("n=59810", "n=59811"),
    "integer of one digit": ("1 divergence", "2 divergence"),
    "thousands": ("1,923 people", "1,924 people"),
    "integer in html": (TABLE, TABLE.replace("1,923", "1,922")),
    "sign": ("0.434163", "-0.434163"),
    "sign of an integer": ("change 3", "change -3"),
    "typographic minus": ("−0.434163", "0.434163"),
    "word": ("AL 0.5", "AK 0.5"),
    "word in html": (TABLE, TABLE.replace("AL", "AK")),
    "case": ("healthy: True", "healthy: true"),
    "unit": ("43.4 %", "43.4 points"),
    "number for a word": ("mean nan", "mean 0.5"),
    "number more": ("1 2 3", "1 2 3 4"),
    "number less": ("1 2 3", "1 2"),
    "order": ("0.1 0.2", "0.2 0.1"),
    "number in a word": ("CC18_321d", "CC18_322d"),
    "number at the end of a word": ("x1", "x2"),
    "version": ("3.13.0", "3.13.1"),
    "version of two parts": ("Python v3.13", "Python v3.14"),
    "date": ("sampled on 2026-11-22", "sampled on 2026-11-23"),
    "range": ("18-29", "18-39"),
    "line": ("a\nb", "a b"),
}


@pytest.mark.parametrize(("stored", "fresh"), EQUAL.values(), ids=EQUAL)
def test_float_noise_passes(stored, fresh):
    assert Tolerant(stored) == Tolerant(fresh)
    assert Tolerant(fresh) == Tolerant(stored)
    assert (Tolerant(stored) != Tolerant(fresh)) is False


@pytest.mark.parametrize(("stored", "fresh"), UNEQUAL.values(), ids=UNEQUAL)
def test_change_fails(stored, fresh):
    assert Tolerant(stored) != Tolerant(fresh)
    assert Tolerant(fresh) != Tolerant(stored)
    assert (Tolerant(stored) == Tolerant(fresh)) is False


def test_every_printed_number_of_three_digits_fails_when_its_last_digit_changes():
    for number in range(100, 1000):
        stored, fresh = f"{number / 1000:.3f}", f"{(number + 1) / 1000:.3f}"
        assert Tolerant(stored) != Tolerant(fresh), (stored, fresh)


def drawn(height=0.5, size=(4, 3)):
    with plt.style.context("default"), io.BytesIO() as file:
        figure, axes = plt.subplots(figsize=size)
        axes.plot([0.2, height, 0.7], "o")
        axes.set_ylim(0, 1)
        figure.savefig(file, format="png")
        plt.close(figure)
        return Picture(base64.b64encode(file.getvalue()).decode())


def test_pictures():
    assert drawn() == drawn()
    assert drawn(0.5) == drawn(0.5 + 1e-9)
    assert drawn(0.5) != drawn(0.54)
    assert drawn() != drawn(size=(4, 3.2))


def test_picture_survives_other_smoothing_of_edges():
    stored = drawn()
    image = plt.imread(io.BytesIO(base64.b64decode(stored)), format="png")
    image[..., :3] = np.clip(image[..., :3] + 0.1, 0, 1)
    with io.BytesIO() as file:
        plt.imsave(file, image, format="png")
        assert stored == Picture(base64.b64encode(file.getvalue()).decode())


def sketched(height=0.5, word="truth", colour="red", size=(4, 3), rasterized=False):
    settings = ["default", {"svg.fonttype": "none", "svg.hashsalt": "x"}]
    with plt.style.context(settings), io.StringIO() as file:
        figure, axes = plt.subplots(figsize=size)
        axes.plot([0.2, height, 0.7], "o", color=colour, label=word, rasterized=rasterized)
        axes.set_ylim(0, 1)
        axes.legend()
        figure.savefig(file, format="svg", metadata={"Date": None})
        plt.close(figure)
        return Drawing(file.getvalue())


def test_drawings():
    assert sketched() == sketched()
    assert sketched(0.5) == sketched(0.5 + 1e-5)
    assert str(sketched(0.5)) != str(sketched(0.5 + 1e-5))
    # Not at 0.5, where a dot lies between two pixels.
    assert sketched(0.51, rasterized=True) == sketched(0.51 + 1e-9, rasterized=True)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"height": 0.52}, "a place in it, by 3.3 points"),
        ({"word": "estimate"}, "its words"),
        ({"colour": "blue"}, "its shapes or their colours"),
        ({"size": (4, 3.2)}, "its shapes or their colours"),
    ],
    ids=["place", "word", "colour", "size"],
)
def test_change_of_a_drawing_fails(change, what):
    other = sketched(**change)
    assert sketched() != other
    assert moved(sketched(), other) == what


def test_change_of_a_picture_in_a_drawing_fails():
    stored, fresh = sketched(rasterized=True), sketched(0.6, rasterized=True)
    assert moved(stored, fresh) == "a picture in it"


# nbval itself, with the course's comparison, on a notebook of a few cells; each of them has a
# source that is run for the stored outputs, and another one whose outputs must not be taken for it.

QUIZ = """
import random, string
from IPython.display import HTML, Javascript, display
name = "".join(random.choice(string.ascii_letters) for _ in range(12))
display(HTML(f'<div id="{name}" data-shufflequestions="False">'))
display(Javascript(f"var questions{name} = ['this is right'];"))
"""
PLOT = """
from matplotlib import pyplot as plt
plt.figure(figsize=(4, 3))
plt.plot([0.2, 0.5, 0.7], "o")
plt.ylim(0, 1)
plt.show()
"""
DRAWING = f"""
from matplotlib_inline.backend_inline import set_matplotlib_formats
set_matplotlib_formats("svg", metadata=dict(Date=None))
{PLOT}"""
PLANTED = [
    ("print('mean', 1 / 3)", "1 / 3", "1.001 / 3"),
    ("import pandas; pandas.DataFrame({'p': [0.434163]})", "0.434163", "0.434597"),
    ("print(59810)", "59810", "59811"),
    ("print('a'); print('b', end='')", "'b'", "'c'"),
    ("from IPython.display import Latex; Latex('$0.434163$')", "0.434163", "0.434597"),
    (QUIZ, "this is right", "this is wrong"),
    (PLOT, "0.5", "0.54"),
    (DRAWING, "0.5", "0.54"),
]
NO_MEMORY = "import tools.profile\n\ntools.profile.MEGABYTES = 0\n"


def nbval(folder, *options):
    """Run the notebook of a folder as 'make test' does; return exit code and report."""
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env"]
    command += ["-p", "tools.comparison", "-p", "no:cacheprovider", "-c", "/dev/null", "--color=no"]
    environment = {"PYTHONPATH": f"{ROOT}:{folder}"}
    done = subprocess.run(
        [*command, *options, "planted.ipynb"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a folder with a notebook whose stored outputs are those of its cells."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = new_notebook(cells=[new_code_cell(source) for source, _, _ in PLANTED])
    run(notebook, folder)
    tidy(notebook)
    nbformat.write(notebook, folder / "planted.ipynb")
    return folder


def test_unchanged_notebook_passes_under_nbval(folder):
    code, report = nbval(folder)
    assert code == 0, report
    assert f"{len(PLANTED) + 1} passed" in report  # the last one is the budget
    assert re.search(r"planted\.ipynb +\d+ s +\d+ MB", report)


def test_every_planted_change_fails_under_nbval(folder):
    path = folder / "planted.ipynb"
    text = path.read_text("utf-8")
    notebook = nbformat.reads(text, as_version=4)
    for cell, (_, old, new) in zip(notebook.cells, PLANTED, strict=True):
        assert old in cell.source
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, path)
    (folder / "no_memory.py").write_text(NO_MEMORY)
    code, report = nbval(folder, "-p", "no_memory")
    path.write_text(text, "utf-8")
    assert code == 1, report
    assert report.count("Cell outputs differ") == len(PLANTED), report
    assert f"{len(PLANTED) + 1} failed" in report
    assert "the picture is another one" in report
    assert "planted.ipynb held" in report and "the limit is 0 MB" in report


# Every cell is compared. Where one cannot be, the reason stands beside the tag.

UNCOMPARED = re.compile(r"(?i)nbval[-_](?:ignore[-_]output|skip)|pytest_validate_ignore_output")


def unexplained(cell):
    """Say what is wrong with a cell that nbval would not compare; empty when nothing is."""
    marks = [*cell.metadata.get("tags", []), *re.findall(r"^\s*#.*", cell.source, re.MULTILINE)]
    found = " ".join(mark for mark in marks if UNCOMPARED.search(mark))
    if not found:
        return ""
    if "ignore-output" not in found:
        return f"{found!r}: use the tag nbval-ignore-output, which still runs the cell"
    reason = cell.metadata.get("not_compared", "")
    return "" if len(reason.split()) > 3 else "say why in the cell's metadata, as not_compared"


@pytest.mark.parametrize("path", notebooks_in_order(), ids=lambda path: path.stem)
def test_every_cell_is_compared_or_says_why_not(path):
    cells = nbformat.read(path, as_version=4).cells
    found = {number: unexplained(cell) for number, cell in enumerate(cells, start=1)}
    assert not {number: fault for number, fault in found.items() if fault}, path.name


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (new_code_cell("1"), None),
        (new_code_cell("1  # as nbval-skip is not a comment line"), None),
        (new_code_cell("1", metadata={"tags": ["remove-cell"]}), None),
        (new_code_cell("1", metadata={"tags": ["nbval-ignore-output"]}), "say why"),
        (new_code_cell("1", metadata={"tags": ["nbval-skip"]}), "use the tag"),
        (new_code_cell("# NBVAL_SKIP\n1"), "use the tag"),
        (new_code_cell("x = 1\n # NBVAL_IGNORE_OUTPUT"), "use the tag"),
        (
            new_code_cell(
                "1",
                metadata={
                    "tags": ["nbval-ignore-output"],
                    "not_compared": "the output is the time it took",
                },
            ),
            None,
        ),
    ],
)
def test_lint_of_cells_that_are_not_compared(cell, words):
    assert words in unexplained(cell) if words else unexplained(cell) == ""
