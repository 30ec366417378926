"""Execute notebooks from clean kernels and store their outputs.

    python -m tools.notebooks                      all notebooks, in reading order
    python -m tools.notebooks chapters/01_x.ipynb  only the ones named
    python -m tools.notebooks --check              say which files would change; write none

A notebook is written back only when all of its cells ran. What depends on the day, the machine or
the moment (timings, kernel version, where a stream of text was cut) is left out, so that two runs
give the same file.
"""

import argparse
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell

from tools.patience import HANGS
from tools.write import write_whole

ROOT = Path(__file__).resolve().parent.parent
POSTERIORS = ROOT / "mrp_course" / "posteriors"
# What kernels inherit: the same order of sets in each run; and one thread for linear algebra, whose
# many small matrices are slower with two, up to twenty times so on a machine that is busy.
KERNEL = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
# Of a notebook's metadata, what the executed file says regardless of who ran it and where.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
# Cell metadata that editors and kernels leave behind.
VOLATILE = ("execution", "ExecuteTime", "collapsed", "scrolled", "jp-MarkdownHeadingCollapsed")
# Sampling a large model takes minutes here, and several times as long elsewhere.
CELL_TIMEOUT = 8 * HANGS
# jupyterquiz gives the element of each quiz a random name.
QUIZ = re.compile(r'<div id="(\w+)" data-shufflequestions')
FAILURES = (CellExecutionError, CellTimeoutError, DeadKernelError)
HELD = """
The cell holds the sentences beside it to their numbers. If the numbers are right, correct the
sentences, then the cell; search the notebook for the old number, also in captions, alt texts and
the quiz.
"""


def entries(node: dict | list) -> list[str]:
    """List the pages of a table of contents, or of a part of one, in reading order."""
    if isinstance(node, list):
        return [page for child in node for page in entries(child)]
    own = [node[key] for key in ("root", "file") if key in node]
    if "glob" in node:
        own = [inside(path.with_suffix("")) for path in sorted(ROOT.glob(f"{node['glob']}.*"))]
    below = [node[key] for key in ("parts", "chapters", "sections") if key in node]
    return own + entries(below)


def notebooks_in_order(root: Path = ROOT) -> list[Path]:
    """List the notebooks with outputs: those of the table of contents, then the solutions.

    What is in exercises/ itself is made from the solutions and has no outputs.
    """
    pages = entries(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    paths = [root / page for page in pages]
    paths = [path if path.suffix == ".ipynb" else Path(f"{path}.ipynb") for path in paths]
    paths = [path for path in paths if path.parent.name not in ("exercises", "solutions")]
    paths += sorted((root / "exercises" / "solutions").glob("*.ipynb"))
    paths = [path for path in paths if path.is_file()]
    return list(dict.fromkeys(paths))


def inside(path: Path) -> str:
    """Name a file as one does inside the project, or in full when it is elsewhere."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def merged(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join neighbouring pieces of one stream: where the kernel cut it is an accident."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        before = joined[-1] if joined else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before["text"] += output.text
        else:
            joined.append(output)
    return joined


def name_quizzes(outputs: list[nbformat.NotebookNode], cell_id: str) -> None:
    """Name the quizzes of a cell after the cell and no longer at random."""
    # Letters and digits only: the name also becomes part of names in the quiz's script.
    stem = re.sub(r"\W", "", cell_id)
    shown = [output.data for output in outputs if "data" in output]
    names = [name for data in shown for name in QUIZ.findall(data.get("text/html", ""))]
    for number, name in enumerate(names, start=1):
        for data in shown:
            for kind in ("text/html", "application/javascript"):
                if kind in data:
                    data[kind] = data[kind].replace(name, f"quiz{stem}n{number}")


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Take out of an executed notebook what would differ on another day or machine."""
    notebook.metadata.update(METADATA)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)
            name_quizzes(cell.outputs, cell.id)


class Cost(NamedTuple):
    """What a run took."""

    seconds: float
    megabytes: float


class Meter(threading.Thread):
    """Watch the memory of a process and of its children, and its time, until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.started = time.monotonic()
        self.done = threading.Event()
        self.peak = self.processor = 0.0

    def run(self) -> None:
        while not self.done.wait(0.1):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.peak = max(self.peak, sum(one.memory_info().rss for one in family))
                self.processor = sum(self.process.cpu_times()[:4])  # with its children's
            except psutil.NoSuchProcess:  # a child, or the kernel itself, ended meanwhile
                continue

    def read(self) -> Cost:
        """Return what it took so far.

        A busy machine stretches the time by the clock, a second core the time of the processor:
        the shorter of the two is what the notebook itself needs.
        """
        clock = time.monotonic() - self.started
        return Cost(min(clock, self.processor), self.peak / 1e6)

    def stop(self) -> None:
        self.done.set()
        self.join()


def run(
    notebook: nbformat.NotebookNode,
    folder: Path,
    first: str = "",
    after: Callable[[int, nbformat.NotebookNode], bool] = lambda index, cell: True,
) -> Cost:
    """Run a notebook's cells in order in a clean kernel; the outputs go into the notebook.

    The kernel runs the code `first` before the notebook begins. After each cell, `after` is
    called with its index and itself; when it returns False, the run ends there.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        startup_timeout=HANGS,
        record_timing=False,
        # The kernel's own remarks on its connection are of no use here.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        meter = Meter(client.km.provisioner.pid)
        meter.start()
        try:
            if first:
                client.execute_cell(new_code_cell(first), -1, store_history=False)
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                if not after(index, cell):
                    break
        finally:
            meter.stop()
        return meter.read()


def executed(path: Path) -> tuple[nbformat.NotebookNode, Cost]:
    """Read a notebook and run it in its own folder; end the program when a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    done = 0

    def count(index: int, cell: nbformat.NotebookNode) -> bool:
        nonlocal done
        done = index + 1
        return True

    try:
        cost = run(notebook, path.parent, after=count)
    except FAILURES as error:
        where = f"{inside(path)}, cell {done + 1} of {len(notebook.cells)}"
        hidden = "remove-cell" in notebook.cells[done].metadata.get("tags", [])
        asserts = (
            hidden and isinstance(error, CellExecutionError) and error.ename == "AssertionError"
        )
        remedy = HELD if asserts else ""
        sys.exit(f"{where}, did not run; the file was left as it was.\n{remedy}\n{error}")
    tidy(notebook)
    nbformat.validate(notebook)
    return notebook, cost


def stored_fits() -> dict[str, int]:
    """List the stored posteriors with the time of their last change."""
    return {path.name: path.stat().st_mtime_ns for path in POSTERIORS.glob("*.nc")}


def store(path: Path) -> Cost:
    """Run a notebook and write it back with its outputs."""
    before = stored_fits()
    notebook, cost = executed(path)
    if stored_fits() != before:
        # It sampled, and says so; readers will load, and the stored outputs are theirs.
        notebook, cost = executed(path)
    write_whole(path, nbformat.writes(notebook) + "\n")
    return cost


def changes(path: Path) -> list[str]:
    """Run a notebook and say, cell by cell, what of its file would change."""
    fresh, _ = executed(path)
    stored = nbformat.read(path, as_version=4)
    found = []
    for number, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True), start=1):
        if old != new:
            parts = [key for key in new if old.get(key) != new[key]]
            found.append(f"{inside(path)}, cell {number}: other {' and '.join(parts)}")
    if not found and nbformat.writes(fresh) + "\n" != path.read_text(encoding="utf-8"):
        found.append(f"{inside(path)}: the same cells, but written or described otherwise")
    return found


def check(paths: list[Path]) -> None:
    """End with an error when running the notebooks would change a byte of their files."""
    found = []
    for path in paths:
        differ = changes(path)
        print(f"{inside(path)}: {'differs' if differ else 'the same, byte for byte'}", flush=True)
        found += differ
    if found:
        sys.exit("\n".join([*found, "Run 'make notebooks', and look at what changed."]))


def prepare_environment(cache: Path) -> None:
    """Set what the kernels inherit, and where they store fits."""
    os.environ.update(KERNEL)
    os.environ["MRP_HELPERS_CACHE"] = str(cache)
    os.environ.pop("MPLBACKEND", None)


def named_or_all(names: list[Path]) -> list[Path]:
    """Resolve the notebooks that a command was given; without any, list them all."""
    named = [path.resolve() for path in names]
    if missing := [str(path) for path in named if not path.is_file()]:
        sys.exit(f"No such notebook: {', '.join(missing)}.")
    return named or notebooks_in_order()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--check", action="store_true", help="compare; write nothing")
    arguments = parser.parse_args()
    paths = named_or_all(arguments.notebooks)
    if arguments.check:
        with tempfile.TemporaryDirectory() as scratch:
            prepare_environment(Path(scratch))
            check(paths)
        return
    # Posteriors that a chapter samples again go into the package, where the next reader finds them.
    prepare_environment(POSTERIORS)
    print(f"{'notebook':<50}{'seconds':>8}{'peak MB':>9}")
    for path in paths:
        cost = store(path)
        print(f"{inside(path):<50}{cost.seconds:>8.1f}{cost.megabytes:>9.0f}", flush=True)
    print(f"Stored the outputs of {len(paths)} notebook(s) in the files themselves.")


if __name__ == "__main__":
    main()
