"""The lists in CONTRIBUTING.md, followed in a copy of the repository, each with a tiny change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import ROOT

NAME = "15-from-survey-to-report"
CHAPTER, SOLUTION = f"chapters/{NAME}.ipynb", f"exercises/solutions/{NAME}.ipynb"
HIDDEN = {"tags": ["remove-cell"]}


@pytest.fixture
def copy(tmp_path):
    """Copy what is or would be committed, with the environment of this repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return tmp_path


def make_chapter(copy: Path, beginning: str) -> tuple[int, str]:
    """Do what `make chapter` does, with the packages of the copy; return its code and words."""
    done = subprocess.run(
        [".venv/bin/python", "-m", "tools.chapter", beginning],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTEST_ADDOPTS": "-p no:cacheprovider"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def replace(path: Path, old: str, new: str) -> None:
    """Replace the one place of a text; in a notebook, of the source of its cells."""
    if path.suffix != ".ipynb":
        text = path.read_text("utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), "utf-8")
        return
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (cell for cell in notebook.cells if old in cell.source)
    cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, path)


def test_a_number_that_its_assertion_contradicts_stops_the_chapter(copy):
    replace(
        copy / CHAPTER,
        "effective_sample_size(weights)) == 834",
        "effective_sample_size(weights)) == 835",
    )
    before = (copy / CHAPTER).read_bytes()
    code, said = make_chapter(copy, "15")
    assert code == 1
    assert f"{CHAPTER}, cell " in said and "The cell holds the sentences beside it" in said
    assert (
        "Not run, since it builds on what failed: exercise, rows of costs, tests, its page" in said
    )
    assert (copy / CHAPTER).read_bytes() == before
    replace(
        copy / CHAPTER,
        "effective_sample_size(weights)) == 835",
        "effective_sample_size(weights)) == 834",
    )
    code, said = make_chapter(copy, "15")
    assert code == 0, said


TASK = """

share_left = task(
    "15.6",
    Number(),
    answer=lambda: 0.25,
    right="A quarter is left.",
    hint="Half of a half is left.",
    mistakes=[
        PER_CENT,
        ("This is the half itself. Take half of it once more.", lambda: 0.5),
        ("You halved three times. Twice is enough.", lambda: 0.125),
    ],
)
"""


def task_cells() -> list[nbformat.NotebookNode]:
    """Make the cells of task 15.6, as the list tells."""
    common = {"locked": False, "schema_version": 3, "task": False}
    answer = {"grade": False, "grade_id": "answer-15-6", "solution": True}
    check = {"grade": True, "grade_id": "check-15-6", "solution": False, "points": 1}
    return [
        new_markdown_cell("## 15.6 What is left?\n\nWhat is half of a half? One number."),
        new_code_cell(
            "left = ...\n### BEGIN SOLUTION\nleft = 0.5 * 0.5\n### END SOLUTION",
            metadata={"nbgrader": common | answer},
        ),
        new_code_cell(
            'correct = check("15.6", left)\n### BEGIN HIDDEN TESTS\n'
            'assert correct, "task 15.6 is not solved"\n### END HIDDEN TESTS',
            metadata={"nbgrader": common | check | {"locked": True}},
        ),
        new_markdown_cell("A quarter.", metadata={"tags": ["solution"]}),
    ]


def test_a_task_is_added_and_the_line_of_the_chapter_must_follow(copy):
    notebook = nbformat.read(copy / SOLUTION, as_version=4)
    notebook.cells[-1:-1] = task_cells()
    nbformat.write(notebook, copy / SOLUTION)
    module = copy / "mrp_course" / "tasks" / "survey_to_report.py"
    module.write_text(module.read_text("utf-8") + TASK, "utf-8")
    code, said = make_chapter(copy, "15")
    assert code == 1
    assert f"the last lines of {NAME}.ipynb should say 'six tasks, 30 minutes'" in said
    assert "1 failed" in said
    replace(copy / CHAPTER, "five tasks", "six tasks")
    code, said = make_chapter(copy, "15")
    assert code == 0, said
    assert "15.6" in (copy / "exercises" / f"{NAME}.ipynb").read_text("utf-8")


TITLE = """\
# A draft

How many respondents support the policy?

**You will**

- count once more.

**You need** [The survey and the frame](03-the-survey-and-the-frame.ipynb).

**Time** about 5 minutes to read, about 5 seconds to run on two cores, about 300 MB of memory."""
CODE = """\
from mrp_helpers import clean_cces, load_cces

support = clean_cces(load_cces())["abortion"].mean()
print(f"{support:.1%}")"""


def draft() -> list[nbformat.NotebookNode]:
    """Make a chapter of three cells."""
    holds = new_code_cell("assert round(support, 3) == 0.434", metadata=HIDDEN)
    return [new_markdown_cell(TITLE), new_code_cell(CODE), holds]


def whole(copy: Path) -> list[nbformat.NotebookNode]:
    """Add to the draft what every chapter has: more claims, and the quiz of another."""
    cells = draft()
    for _ in range(4):
        again = new_code_cell("assert support < 0.5", metadata=HIDDEN)
        cells += [new_markdown_cell("Fewer than half support it."), again]
    chapter = nbformat.read(copy / CHAPTER, as_version=4)
    quiz = next(cell for cell in chapter.cells if cell.id == "self-check")
    imports = new_code_cell(
        "from jupyterquiz import display_quiz\n\nfrom mrp_course.quiz import QUIZ_COLOURS"
    )
    return [*cells, imports, new_markdown_cell("## Did you get it?"), quiz]


def test_a_chapter_is_told_what_it_lacks_and_passes_once_it_has_it(copy):
    path = copy / "chapters" / "16-a-draft.ipynb"
    nbformat.write(new_notebook(cells=draft()), path)
    line = f"      - file: chapters/{NAME}\n"
    code, said = make_chapter(copy, "16")
    assert code == 1
    assert "_toc.yml has no page chapters/16-a-draft; add its line" in said
    replace(copy / "_toc.yml", line, line + "      - file: chapters/16-a-draft\n")
    code, said = make_chapter(copy, "16")
    assert code == 1
    assert "copy the cell self-check" in said
    assert "has 1 assertion cells; 5 are the least: after each claim, add" in said
    assert "ERROR collecting" not in said and "Failed: its page" not in said
    nbformat.write(new_notebook(cells=whole(copy)), path)
    code, said = make_chapter(copy, "16")
    assert code == 0, said
    assert "chapters/16-a-draft.ipynb" in (copy / "appendices" / "budget.csv").read_text("utf-8")
