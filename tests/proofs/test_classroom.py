"""Grading a class: the two example students, and submissions in which something is broken."""

import csv
import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import Execute

from tools.classroom import BY_HAND, grade, make_assignment, nbgrader_in
from tools.patience import HANGS

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "exercises" / "examples"
EXERCISE = "01-regression-is-stratification"
WITH_SENTENCE = "15-from-survey-to-report"
RIGHT = EXAMPLES / "amara" / f"{EXERCISE}.ipynb"


def spoil(path: Path, cells: dict[str, str | None]) -> None:
    """Write a right submission in which some cells have other lines, or are gone (None)."""
    notebook = nbformat.read(RIGHT, as_version=4)
    kept = []
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.source = cells.get(name, cell.source)
        if cell.source is not None:
            kept.append(cell)
    notebook.cells = kept
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def write_sentence(path: Path) -> None:
    """Write a submission whose only work is its sentence."""
    notebook = nbformat.read(ROOT / "exercises" / path.name, as_version=4)
    (cell,) = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "sentence-15-6"
    ]
    cell.source = 'mine = "Of 1,497 people on a list 22% are for it."\nwrite("15.6", mine, "a c")'
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


# What a cell does that is interrupted since it runs longer than it may.
TOO_LONG = "import os, signal, time\n\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(3600)"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade all submissions in one batch; give the folder and the marks of each student."""
    folder = tmp_path_factory.mktemp("class")
    submissions = folder / "came in"
    shutil.copytree(EXAMPLES, submissions)
    spoil(
        submissions / "cleo" / f"{EXERCISE}.ipynb",
        {
            "answer-1-1": "crude_ratio = 1 / 0",
            "answer-1-2": TOO_LONG,
            "answer-1-3": None,
            "check-1-3": None,
            "check-1-4": None,
            "check-1-5": "correct = True",
        },
    )
    spoil(submissions / "dora" / f"{EXERCISE}.ipynb", {"answer-1-2": "import os\n\nos._exit(1)"})
    torn = submissions / "emil" / f"{EXERCISE}.ipynb"
    torn.parent.mkdir()
    torn.write_bytes(RIGHT.read_bytes()[:1000])
    shutil.copy(RIGHT, submissions / "emil" / "my holiday.ipynb")
    write_sentence(submissions / "fay" / f"{WITH_SENTENCE}.ipynb")

    api = nbgrader_in(folder, seconds=HANGS)
    make_assignment(api)
    with grade(submissions, api).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    marks = {}
    for row in rows:
        mark = float(row["mark"]) if row["mark"] else None
        marks.setdefault(row["student"], {})[row["task"]] = (mark, row["remark"])
    return folder, marks


def points(marks: dict) -> dict[str, float | None]:
    return {task: mark for task, (mark, _) in marks.items()}


def test_handed_out_is_the_exercise_of_the_course(graded):
    folder, _ = graded
    released = sorted((folder / "release").glob("*/*.ipynb"))
    assert [path.name for path in released] == sorted(
        path.name for path in (ROOT / "exercises").glob("*.ipynb")
    )
    for path in released:
        committed = ROOT / "exercises" / path.name
        assert path.read_text(encoding="utf-8").rstrip() == committed.read_text("utf-8").rstrip()


def test_the_student_who_is_right_gets_full_marks(graded):
    assert points(graded[1]["amara"]) == {f"1.{number}": 1 for number in range(1, 7)}


def test_the_student_who_is_wrong_gets_the_marks_for_what_is_right(graded):
    expected = {"1.1": 1, "1.2": 0, "1.3": 1, "1.4": 0, "1.5": 0, "1.6": 0}
    assert points(graded[1]["boris"]) == expected


def test_the_feedback_shows_each_student_the_explanation(graded):
    folder, _ = graded
    (page,) = (folder / "feedback" / "boris").rglob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "You conditioned on the wrong column" in text
    assert "Score: 2.0 / 6.0" in text


def test_a_submission_that_raises_loops_or_lost_cells_is_marked_and_reported(graded):
    marks = graded[1]["cleo"]
    assert marks["1.1"] == (0, "stopped by ZeroDivisionError")
    assert marks["1.2"] == (0, "ran too long")
    assert marks["1.3"] == (0, "its cells had been deleted")
    assert marks["1.4"] == (1, "its cells had been deleted")
    assert marks["1.5"][0] == 1, "the check that the student overwrote is put back and passes"
    assert marks["1.6"] == (1, "")


def test_a_kernel_that_dies_or_a_torn_file_gets_no_points_and_a_reason(graded):
    for student, reason in {"dora": "could not be run", "emil": "not a readable notebook"}.items():
        marks = graded[1][student]
        assert set(points(marks).values()) == {0.0}, f"{student}: {marks}"
        assert all(remark.startswith(reason) for _, remark in marks.values()), marks


def test_only_exercises_are_marked(graded):
    assert set(graded[1]) == {"amara", "boris", "cleo", "dora", "emil", "fay"}


def test_a_sentence_is_left_for_the_teacher_to_mark(graded):
    marks = graded[1]["fay"]
    assert marks.pop("15.6 sentence") == (None, BY_HAND)
    assert set(points(marks).values()) == {0.0}


def test_a_cell_may_run_as_long_as_the_teacher_says(tmp_path):
    api = nbgrader_in(tmp_path, seconds=120)
    execute = api.config.Execute
    assert execute["timeout"] == 120
    assert Execute(config=api.config).interrupt_on_timeout
