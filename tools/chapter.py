"""Bring all that hangs on a chapter up to date, test it, and show its page.

    python -m tools.chapter 07      by number, or by another beginning of its name

The chapter and its solution are run and their outputs stored; its exercise, its page of claims and
its rows in the page of costs are made from them; then come the tests that are about it.
"""

import sys
from pathlib import Path

from tools.execute_notebooks import ROOT, inside
from tools.loops import PYTHON, Part, run_all

TESTS = ("stored_outputs", "claims", "quizzes", "exercises", "comparison", "budget")


def named(beginning: str, folder: Path = ROOT / "chapters") -> Path:
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
    tests = [f"tests/test_{name}.py" for name in TESTS]
    about = f"{chapter.stem} or page_of_claims or pages_of_claims or page_shows"
    return [
        Part("outputs", (PYTHON, "-m", "tools.execute_notebooks", *notebooks)),
        Part("exercise", (PYTHON, "-m", "tools.make_exercises")),
        Part("page of claims", (PYTHON, "-m", "tools.claims")),
        Part("rows of costs", (PYTHON, "-m", "tools.budget", *notebooks), decides=False),
        Part("tests", (PYTHON, "-m", "pytest", "-q", "-m", "not proof", "-k", about, *tests)),
        Part("its page", (PYTHON, "tools/build_book.py", "--page", inside(chapter))),
    ]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Say which chapter: make chapter NAME=07.")
    chapter = named(sys.argv[1])
    run_all(f"chapter NAME={sys.argv[1]}", parts(chapter))


if __name__ == "__main__":
    main()
