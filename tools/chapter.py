"""Bring all that hangs on a chapter up to date, test it, and show its page.

    python -m tools.chapter 07      by number, or by another beginning of its name

The chapter and its solution are run and their outputs stored; its exercise and its rows in the page
of costs are made from them; then come the tests that are about it.
"""

import sys
from pathlib import Path

from tools.changed import named
from tools.loops import PYTHON, Part, run_all
from tools.notebooks import ROOT, inside

TESTS = ("stored_outputs", "claims", "quizzes", "exercises", "tasks", "comparison", "profile")
# What holds for all chapters or exercises together, and a change to one can upset.
TOGETHER = (
    "page_shows",
    "one_solution",
    "asked_once",
    "number_of_tasks",
    "every_place",
)


def chapter_named(beginning: str, folder: Path = ROOT / "chapters") -> Path:
    """Find the one chapter whose name begins so."""
    found = sorted(folder.glob(f"{beginning}*.ipynb")) if beginning else []
    if len(found) != 1:
        known = ", ".join(path.stem for path in sorted(folder.glob("*.ipynb")))
        sys.exit(f"NAME={beginning} names {len(found)} chapters; write one of {known}.")
    return found[0]


def parts(chapter: Path) -> list[Part]:
    """List what is to be done for a chapter, in order."""
    solution = ROOT / "exercises" / "solutions" / chapter.name
    notebooks = [inside(path) for path in (chapter, solution) if path.is_file()]
    tests = [test for name in TESTS for test in named(name)]
    # A task's tests are named after it, such as test_a_task_explains_itself[4.2].
    tasks = f"[{int(chapter.stem[:2])}."
    about = " or ".join([chapter.stem, tasks, *TOGETHER])
    return [
        Part("outputs", (PYTHON, "-m", "tools.notebooks", *notebooks), build_on=True),
        Part("exercise", (PYTHON, "-m", "tools.make_exercises")),
        Part("rows of costs", (PYTHON, "-m", "tools.profile", *notebooks), decides=False),
        Part("tests", (PYTHON, "-m", "pytest", "-q", "-m", "not proof", "-k", about, *tests)),
        Part("its page", (PYTHON, "-m", "tools.build_book", "--page", inside(chapter))),
    ]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Say which chapter: make chapter NAME=07.")
    chapter = chapter_named(sys.argv[1])
    run_all(f"chapter NAME={sys.argv[1]}", parts(chapter))


if __name__ == "__main__":
    main()
