"""Hand out the exercises to a class, and mark what comes back, with nbgrader.

    python -m tools.classroom assignment          -> _class/release/EXERCISE/EXERCISE.ipynb
    python -m tools.classroom grade SUBMISSIONS   -> _class/marks.csv, _class/feedback/...

SUBMISSIONS has one folder per student, with the exercise notebooks under their own names; only what
is there is marked. A notebook that cannot be marked gets no points and a remark; the rest goes on.
Sentences that learners wrote have an empty mark, for you to fill in.
"""

import argparse
import csv
import logging
import os
import re
import sys
import warnings
from pathlib import Path

import nbformat
from nbgrader.api import Grade, Gradebook
from nbgrader.apps import NbGraderAPI
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from tools.make_exercises import SETTINGS, SOLUTIONS, as_seen_from_exercises

COLUMNS = ["student", "exercise", "task", "mark", "of", "remark"]
# What stopped a cell, where its name says too little, or nothing.
STOPS = {
    "AssertionError": None,
    "CellTimeoutError": "ran too long",
    "KeyboardInterrupt": "ran too long",
}
BY_HAND = "a sentence: mark it by the rubric of its task"
# The steps of tools/make_exercises.py; in between, nbgrader keeps the hidden tests for itself.
STEPS = [
    "nbconvert.preprocessors.TagRemovePreprocessor",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ComputeChecksums",
]


def nbgrader_in(folder: Path, seconds: int) -> NbGraderAPI:
    """Set nbgrader up for a folder; a cell that runs longer than ``seconds`` is interrupted."""
    warnings.filterwarnings("ignore", category=SAWarning)
    # nbgrader calls alembic by its bare name, which is beside this Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = Config(
        CourseDirectory={"root": str(folder.resolve())},
        NbGraderAPI={"log_level": logging.ERROR},
        ClearSolutions=SETTINGS.ClearSolutions,
        TagRemovePreprocessor=SETTINGS.TagRemovePreprocessor,
        GenerateAssignment={"preprocessors": STEPS},
        # The kernel's own remarks on its connection are of no use here.
        Execute={"timeout": seconds, "extra_arguments": ["--log-level=ERROR"]},
    )
    return NbGraderAPI(config=settings)


def make_assignment(api: NbGraderAPI) -> list[str]:
    """Put every exercise into the gradebook and into ``release``."""
    root = Path(api.coursedir.root)
    exercises = [path.stem for path in sorted(SOLUTIONS.glob("*.ipynb"))]
    for exercise in exercises:
        source = root / "source" / exercise
        source.mkdir(parents=True, exist_ok=True)
        notebook = as_seen_from_exercises(SOLUTIONS / f"{exercise}.ipynb")
        nbformat.write(notebook, source / f"{exercise}.ipynb")
        outcome = api.generate_assignment(exercise, force=True, create=True)
        if not outcome["success"]:
            sys.exit(f"nbgrader could not make {exercise}:\n{outcome['error']}")
    return exercises


def take_in(path: Path, api: NbGraderAPI) -> tuple[str, dict[str, str]]:
    """Lay one student's notebook out for nbgrader; give what keeps it from being marked, if
    anything, and a remark on each task whose cells had to be put back.
    """
    root, student, exercise = Path(api.coursedir.root), path.parent.name, path.stem
    target = root / "submitted" / student / exercise / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    released = nbformat.read(root / "release" / exercise / path.name, as_version=4)
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever a file may hold that is called a notebook
        return f"not a readable notebook ({type(error).__name__})", {}
    restored = put_back(released, notebook)
    nbformat.write(notebook, target)
    return "", {_task(name): "its cells had been deleted" for name in restored}


def put_back(released: nbformat.NotebookNode, notebook: nbformat.NotebookNode) -> list[str]:
    """Insert the answer and check cells that are gone, each after the one before it."""
    places = {_grade_id(cell): cell for cell in notebook.cells}
    place, missing = 0, []
    for cell in filter(_grade_id, released.cells):
        if _grade_id(cell) in places:
            place = notebook.cells.index(places[_grade_id(cell)]) + 1
        else:
            notebook.cells.insert(place, cell)
            missing.append(_grade_id(cell))
            place += 1
    return missing


def mark(path: Path, api: NbGraderAPI) -> list[dict]:
    """Run one student's notebook and list the marks, one row per task."""
    student, exercise = path.parent.name, path.stem
    fault, remarks = take_in(path, api)
    if not fault:
        outcome = api.autograde(exercise, student, force=True, create=True)
        fault = "" if outcome["success"] else f"could not be run: {_reason(outcome)}"
    marks, by_hand = {}, {}
    with Gradebook(api.coursedir.db_url) as book:
        of = {
            _task(cell.name): cell.max_score
            for cell in book.find_notebook(exercise, exercise).grade_cells
        }
        if not fault:
            grades = book.find_submission_notebook(exercise, exercise, student).grades
            marks = {_task(grade.cell.name): grade.auto_score for grade in grades}
            by_hand = {_task(grade.cell.name): BY_HAND for grade in grades if _is_open(grade)}
    if not fault:
        remarks = stops(api, student, exercise) | by_hand | remarks
        api.generate_feedback(exercise, student, force=True)
    return [
        {
            "student": student,
            "exercise": exercise,
            "task": task,
            "mark": "" if task in by_hand else marks.get(task) or 0,
            "of": of[task],
            "remark": fault or remarks.get(task, ""),
        }
        for task in sorted(of)
    ]


def stops(api: NbGraderAPI, student: str, exercise: str) -> dict[str, str]:
    """Say for each task what stopped a cell on the way to its check, if anything did."""
    path = Path(api.coursedir.root) / "autograded" / student / exercise / f"{exercise}.ipynb"
    remarks, stopped = {}, []
    for cell in nbformat.read(path, as_version=4).cells:
        outputs = cell.get("outputs", [])
        stopped += [out.ename for out in outputs if out.output_type == "error"]
        if _grade_id(cell).startswith("check-"):
            # An AssertionError is the hidden test, which the mark already tells.
            reasons = [
                STOPS.get(name, f"stopped by {name}") for name in [*stopped, "AssertionError"]
            ]
            remarks[_task(_grade_id(cell))] = reasons[0] or ""
            stopped = []
    return remarks


def _is_open(grade: Grade) -> bool:
    """Ask whether a teacher has still to mark a cell; one that was left as it was has no points."""
    return bool(grade.needs_manual_grade)


def _grade_id(cell: nbformat.NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _task(grade_id: str) -> str:
    """Turn the name of a cell, such as check-1-2, into that of its task, 1.2.

    A sentence is marked beside its task: sentence-9-6 is 9.6 sentence.
    """
    kind, *numbers = grade_id.split("-")
    return ".".join(numbers) + (" sentence" if kind == "sentence" else "")


def _reason(outcome: dict) -> str:
    errors = re.findall(
        r"^\s*((?:\w+\.)*\w*(?:Error|Exception)\b.*)$", outcome.get("log", ""), re.M
    )
    return errors[0].strip() if errors else "nbgrader gave no reason"


def grade(submissions: Path, api: NbGraderAPI) -> Path:
    """Mark every exercise in ``submissions`` and write ``marks.csv``."""
    known = {path.stem for path in SOLUTIONS.glob("*.ipynb")}
    rows = []
    for path in sorted(submissions.glob("*/*.ipynb")):
        if path.stem not in known:
            print(f"{path.parent.name}: {path.name} is none of the exercises and is left out.")
            continue
        marks = mark(path, api)
        reached = sum(row["mark"] or 0 for row in marks)
        most = sum(row["of"] for row in marks if row["mark"] != "")
        print(f"{path.parent.name:<20}{path.stem:<40}{reached:>4g} of {most:g}", flush=True)
        rows += marks
    if not rows:
        sys.exit(f"{submissions} holds no exercise: put notebooks into {submissions}/STUDENT/.")
    table = Path(api.coursedir.root) / "marks.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["assignment", "grade"])
    parser.add_argument("submissions", nargs="?", type=Path, help="a folder with one a student")
    parser.add_argument("--folder", type=Path, default=Path("_class"))
    parser.add_argument("--seconds", type=int, default=300, help="the longest a cell may run")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    api = nbgrader_in(arguments.folder, arguments.seconds)
    exercises = make_assignment(api)
    if arguments.command == "assignment":
        print(f"{len(exercises)} exercises to hand out are in {arguments.folder / 'release'}.")
        return
    if arguments.submissions is None or not arguments.submissions.is_dir():
        sys.exit("Say where the submissions are: make grade SUBMISSIONS=folder.")
    path = grade(arguments.submissions, api)
    print(f"Marks are in {path}, feedback to each student in {arguments.folder / 'feedback'}.")


if __name__ == "__main__":
    main()
