"""The exercise notebooks: made from the solutions, whole, and safe to run untouched."""

import linecache
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from mrp_course._forms import Choice
from mrp_course._words import Marks, Phrase
from mrp_course.tasks import TASKS
from tools.make_exercises import learners_version

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((ROOT / "exercises" / "solutions").glob("*.ipynb"))
every_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)


def learners(solution: Path) -> Path:
    return ROOT / "exercises" / solution.name


def grade_ids(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """List the tasks, such as 4.2, whose answer or check cells a notebook has."""
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells]
    return [".".join(name.split("-")[1:]) for name in ids if name.startswith(kind)]


def test_each_exercise_has_one_solution_and_nothing_else_lies_there():
    made = sorted(path.name for path in (ROOT / "exercises").glob("*.ipynb"))
    assert made == [path.name for path in SOLUTIONS], "run 'make notebooks' and commit exercises/"


@every_solution
def test_the_exercise_is_what_its_solution_makes(solution):
    committed = learners(solution).read_text(encoding="utf-8")
    assert committed == learners_version(solution), (
        f"{learners(solution).relative_to(ROOT)} differs from what its solution makes; change the "
        "solution, never the exercise, and run 'make notebooks'"
    )


@every_solution
def test_no_solution_leaks(solution):
    text = learners(solution).read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    notebook = nbformat.read(learners(solution), as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    asked = "\n".join(cell.source for cell in notebook.cells)
    for cell in nbformat.read(solution, as_version=4).cells:
        for lines in re.findall(r"### BEGIN SOLUTION\n(.*)### END SOLUTION", cell.source, re.S):
            assert lines.strip(), "a solution is empty"
            assert lines.strip() not in asked, f"the exercise holds its solution: {lines.strip()}"


def test_every_task_is_asked_once_in_the_order_of_its_number():
    asked = []
    for solution in SOLUTIONS:
        notebook = nbformat.read(solution, as_version=4)
        checked = grade_ids(notebook, "check-")
        assert checked == grade_ids(notebook, "answer-"), f"{solution.stem}: answers and checks"
        assert checked == sorted(checked)
        for name in checked:
            source = next(
                cell.source
                for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id")
                == f"check-{name.replace('.', '-')}"
            )
            assert re.match(rf'correct = check\("{re.escape(name)}", \w+\)\n', source), source
        asked += checked
    asked_only, declared_only = set(asked) - set(TASKS), set(TASKS) - set(asked)
    assert not asked_only, f"{asked_only}: declare each in the module of mrp_course/tasks"
    assert not declared_only, f"{declared_only}: give each its cells in exercises/solutions"
    assert len(asked) == len(TASKS), "a task is asked twice"


LETTERS = [name for name, each in TASKS.items() if isinstance(each.form, Choice | Phrase | Marks)]


@pytest.mark.parametrize("name", LETTERS)
def test_the_dots_for_letters_are_in_quotes(name):
    """So that a letter put in their place is text, and no name that Python does not know."""
    cells = [c for path in SOLUTIONS for c in nbformat.read(learners(path), as_version=4).cells]
    ids = f"answer-{name.replace('.', '-')}"
    (cell,) = [c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == ids]
    assert '"..."' in cell.source and "..." not in cell.source.replace('"..."', "")


def options_of(name: str) -> dict[str, str]:
    """Read the options of a choice from the cell that lists them: each letter and its text."""
    for solution in SOLUTIONS:
        cells = nbformat.read(solution, as_version=4).cells
        ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
        if f"answer-{name.replace('.', '-')}" in ids:
            before = cells[ids.index(f"answer-{name.replace('.', '-')}") - 1 :: -1]
            text = next(cell.source for cell in before if OPTION.search(cell.source))
            text = re.split(r"\n\n(?=Answer with|One letter)", text)[0]
            parts = OPTION.split(text)[1:]
            return {
                letter: " ".join(words.split())
                for letter, words in zip(parts[::2], parts[1::2], strict=True)
            }
    raise LookupError(name)


OPTION = re.compile(r"^(?:- )?(?:\*\*|`\")([A-D])\.?(?:\*\*|\"`)", re.MULTILINE)
CHOICES = {name: each for name, each in TASKS.items() if isinstance(each.form, Choice)}


@pytest.mark.parametrize("name", CHOICES)
def test_the_length_of_an_option_does_not_give_it_away(name):
    options = options_of(name)
    assert tuple(options) == CHOICES[name].form.options
    lengths = {letter: len(words) for letter, words in options.items()}
    assert max(lengths.values()) < 1.2 * min(lengths.values()), lengths


def test_neither_the_longest_option_nor_any_letter_is_right_more_often_than_by_chance():
    longest = [
        max(options, key=lambda letter: len(options[letter])) == CHOICES[name].answer()
        for name, options in ((name, options_of(name)) for name in CHOICES)
    ]
    assert sum(longest) <= len(CHOICES) / 2
    letters = Counter(each.answer() for each in CHOICES.values())
    assert set(letters) == set("ABCD") and max(letters.values()) <= 3, letters


def minutes_of(solution: Path) -> int:
    """Compute how long an exercise takes, to five minutes.

    180 words are read in a minute, a line of a solution takes a minute, and a task three to think.
    What the capstone asks for after its tasks takes an afternoon, and is not counted.
    """
    words = lines = 0
    for cell in nbformat.read(solution, as_version=4).cells:
        if "C.7" in cell.source and "C.6" not in cell.source:
            break
        if cell.cell_type == "markdown":
            words += len(re.findall(r"\w+", re.sub(r"```.*?```", "", cell.source, flags=re.S)))
        for answer in re.findall(r"### BEGIN SOLUTION\n(.*)### END SOLUTION", cell.source, re.S):
            lines += len([line for line in answer.splitlines() if line.strip()])
    tasks = len(grade_ids(nbformat.read(solution, as_version=4), "check-"))
    return 5 * round((words / 180 + lines + 3 * tasks) / 5)


@every_solution
def test_an_exercise_says_what_it_takes(solution):
    opening = nbformat.read(solution, as_version=4).cells[0].source
    assert re.match(r"# Solution \w+: ", opening)
    assert re.search(r"\*\*You need\*\*", opening)
    minutes = re.search(r"\*\*Time\*\* (\d+) minutes", opening)
    assert minutes, "say how many minutes a learner takes: **Time** 30 minutes; ..."
    assert int(minutes[1]) == minutes_of(solution) <= 90


WORDS = {4: "four", 5: "five", 6: "six"}


@every_solution
def test_the_chapter_says_how_many_tasks_and_minutes_await(solution):
    chapter = ROOT / "chapters" / solution.name
    if not chapter.is_file():  # the capstone has none
        return
    notebook = nbformat.read(solution, as_version=4)
    number = WORDS[len(grade_ids(notebook, "check-"))]
    minutes = re.search(r"\*\*Time\*\* (\d+) minutes", notebook.cells[0].source)[1]
    text = " ".join(cell.source for cell in nbformat.read(chapter, as_version=4).cells)
    said = re.search(rf"{re.escape(solution.name)}\): (\w+)\s+tasks,\s+(\d+)\s+minutes", text)
    assert said and said.groups() == (number, minutes), (
        f"the last lines of {chapter.name} should say '{number} tasks, {minutes} minutes'"
    )


# These post-stratify again and again, and are left to the proof.
SLOW = re.compile(r"0[6-9]|1[12]")


@pytest.mark.parametrize(
    "solution",
    [
        pytest.param(path, marks=pytest.mark.proof if SLOW.match(path.name) else ())
        for path in SOLUTIONS
    ],
    ids=lambda path: path.stem,
)
def test_an_untouched_exercise_runs_and_answers_nothing_yet(solution, capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = nbformat.read(learners(solution), as_version=4)
    names = {"__name__": "__main__"}
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            where = f"{solution.name}, cell {number}"
            # As a kernel does it, so that the source of a function in a cell can be read.
            linecache.cache[where] = (len(cell.source), None, cell.source.splitlines(True), where)
            exec(compile(cell.source, where, "exec"), names)
    said = capsys.readouterr().out
    tasks = grade_ids(notebook, "check-")
    assert said.count("Not answered yet.") == len(tasks)
    assert names["correct"] is False


@pytest.mark.proof
def test_an_exercise_alone_in_a_folder_runs_with_the_installed_package(tmp_path):
    """As on a machine that has the package and one notebook, and nothing else of the course."""
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for name in ["pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "mrp_helpers", source / "mrp_helpers")
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([*pip, *alone, str(source)], check=True)
    shutil.rmtree(source)

    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(ROOT / "exercises" / "examples" / "amara" / SOLUTIONS[0].name, folder / "one.ipynb")
    script = (
        "import mrp_helpers, nbformat\n"
        "cells = nbformat.read('one.ipynb', as_version=4).cells\n"
        "[exec(cell.source, globals()) for cell in cells if cell.cell_type == 'code']\n"
        "print(mrp_helpers.__file__)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert str(site) in ran.stdout, "the checkout was imported, not the installed package"
    assert ran.stdout.count("Right.") == 6, ran.stdout
