"""Run the tests of what has changed, for `make check`: those that say most about it soonest.

    python -m tools.changed            what differs from the last commit, or if nothing does, in it
    python -m tools.changed --list     only say which

A test belongs to a file that it names in an import, and a notebook to itself. What needs the built
site is left to `make test`, and so is what would make a large change wait for more than a minute.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.notebooks import ROOT

TESTS = ROOT / "tests"
# They build the site first, or are about the machine.
NEEDS_THE_SITE = re.compile(r"def test_\w+\([^)]*\b(?:site|built|tab|tab_on_disk|open_page|page)\b")
MOST = 10
CODE = ("mrp_helpers", "mrp_course", "research", "tools")
WITH_EXAMPLES = ("mrp_helpers", "mrp_course")  # in docstrings, which are tests as well
# What belongs to files that no test imports: beginning of the path, end of it, tests.
BELONGS = [
    ("", ".ipynb", ["stored_outputs", "claims"]),
    ("exercises/", ".ipynb", ["exercises"]),
    ("chapters/", ".ipynb", ["quizzes"]),
    ("", ".md", ["spelling", "appendices"]),
    ("", "references.bib", ["appendices"]),
    ("appendices/data-and-codebook", ".md", ["codebook"]),
    ("appendices/budget", "", ["profile"]),
    ("mrp_course/posteriors/", ".nc", ["posteriors"]),
    ("mrp_course/results/", "", ["results"]),
    ("mrp_helpers/datasets/", "", ["data", "codebook"]),
    ("mrp_course/tasks/", ".py", ["tasks"]),
    ("tools/", ".sh", ["house"]),
    (".github/", "", ["doors"]),
]


def git(*words: str) -> list[str]:
    """Give the lines that git prints; none outside a clone."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def changed_files() -> list[Path]:
    """List the files that differ from the last commit, new and deleted ones, or that it changed."""
    names = git("diff", "--name-only", "HEAD") + git("ls-files", "-o", "--exclude-standard")
    return [ROOT / name for name in names or git("diff", "--name-only", "HEAD~1")]


def named(name: str) -> list[str]:
    """Give the test file of a name, in whatever folder of the tests it is."""
    return [str(path.relative_to(ROOT)) for path in TESTS.rglob(f"test_{name}.py")]


def importing(module: str) -> Iterator[str]:
    """List the test files that import a module by its name."""
    pattern = re.compile(rf"^(?:from|import) {re.escape(module)}\b", re.MULTILINE)
    package, _, name = module.rpartition(".")
    within = re.compile(
        rf"^from {re.escape(package)} import (?:.*|\([^)]*)\b{name}\b", re.MULTILINE
    )
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if not NEEDS_THE_SITE.search(text) and (pattern.search(text) or within.search(text)):
            yield str(path.relative_to(ROOT))


def tests_of(path: Path) -> list[str]:
    """Give pytest's arguments for what belongs to one changed file."""
    inside = path.relative_to(ROOT).as_posix()
    folder = inside.partition("/")[0]
    found = []
    has_outputs = path.suffix == ".ipynb" and (folder != "exercises" or "/solutions/" in inside)
    if path.is_file() and (has_outputs or re.fullmatch(r"tests/\w+/test_\w+\.py", inside)):
        found.append(inside)
    if path.suffix == ".py" and folder in CODE:
        found += named(path.stem)
        found += [inside] if folder in WITH_EXAMPLES and path.is_file() else []
    for beginning, end, tests in BELONGS:
        if inside.startswith(beginning) and inside.endswith(end):
            found += [test for name in tests for test in named(name)]
    if path.suffix == ".py" and folder != "tests":
        found += importing(inside.removesuffix(".py").replace("/", "."))
    if "/" not in inside:
        found += named("house")
    return list(dict.fromkeys(found))


def choose(files: list[Path]) -> tuple[list[str], list[str]]:
    """Choose tests for changed files, first those that say most; give what is left as well."""
    by_file = [tests_of(path) for path in files]
    ranked = [
        tests[rank]
        for rank in range(max(map(len, by_file), default=0))
        for tests in by_file
        if rank < len(tests)
    ]
    ranked = list(dict.fromkeys(ranked))
    return ranked[:MOST], ranked[MOST:]


def main() -> None:
    files = changed_files()
    chosen, left = choose(files)
    print(f"{len(files)} changed files; tests: {' '.join(chosen) or 'none'}", flush=True)
    if left:
        print(f"The change is large; left to 'make test': {' '.join(left)}", flush=True)
    if not chosen or "--list" in sys.argv:
        return
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not proof", *chosen]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
