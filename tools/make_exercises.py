"""Make what learners open from the solutions: `exercises/solutions/*.ipynb -> exercises/*.ipynb`.

    python -m tools.make_exercises          write them
    python -m tools.make_exercises DIR      write them somewhere else, to compare

nbgrader takes out what is between its solution marks, the hidden tests and all outputs, and
nbconvert drops the cells that discuss a solution. Cells that check an answer are locked.
"""

import sys
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from traitlets.config import Config

from tools.write import write_whole

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = ROOT / "exercises" / "solutions"
SETTINGS = Config(
    ClearSolutions={"code_stub": {"python": "# Write your lines here."}},
    TagRemovePreprocessor={"enabled": True, "remove_cell_tags": {"solution", "remove-cell"}},
    NotebookExporter={
        "preprocessors": [
            "nbconvert.preprocessors.TagRemovePreprocessor",
            "nbgrader.preprocessors.LockCells",
            "nbgrader.preprocessors.ClearSolutions",
            "nbgrader.preprocessors.ClearHiddenTests",
            "nbgrader.preprocessors.ClearOutput",
            "nbgrader.preprocessors.CheckCellMetadata",
            "nbgrader.preprocessors.ComputeChecksums",
        ]
    },
)


def as_seen_from_exercises(solution: Path) -> nbformat.NotebookNode:
    """Read a solution, its title and links as learners' copies have them, one folder higher."""
    notebook = nbformat.read(solution, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("](../../", "](../")
    title = notebook.cells[0]
    title.source = title.source.replace("# Solution ", "# Exercise ", 1)
    return notebook


def learners_version(solution: Path) -> str:
    """Write out a solution notebook as learners get it."""
    exporter = NotebookExporter(config=SETTINGS)
    text, _ = exporter.from_notebook_node(as_seen_from_exercises(solution))
    return text.rstrip() + "\n"


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SOLUTIONS.parent
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.ipynb"):
        old.unlink()
    solutions = sorted(SOLUTIONS.glob("*.ipynb"))
    for solution in solutions:
        write_whole(target / solution.name, learners_version(solution))
    print(f"Made {len(solutions)} exercise notebook(s) from exercises/solutions.")


if __name__ == "__main__":
    main()
