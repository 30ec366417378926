"""Execute notebooks from clean kernels and store their outputs.

    python tools/execute_notebooks.py                      every notebook of _toc.yml, in its order
    python tools/execute_notebooks.py chapters/01_x.ipynb  only the ones named

A notebook is written back only when all of its cells ran. What depends on the day or the machine
(timings, kernel version) is left out, so that two runs give the same file.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
# Of a notebook's metadata, what the executed file says regardless of who ran it and where.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
# Cell metadata that editors and kernels leave behind.
VOLATILE = ("execution", "ExecuteTime", "collapsed", "scrolled", "jp-MarkdownHeadingCollapsed")
CELL_TIMEOUT = 1800
POSTERIORS = ROOT / "mrp_helpers" / "posteriors"


def entries(node: dict | list) -> list[str]:
    """List the pages of a table of contents, or of a part of one, in reading order."""
    if isinstance(node, list):
        return [page for child in node for page in entries(child)]
    own = [node[key] for key in ("root", "file") if key in node]
    below = [node[key] for key in ("parts", "chapters", "sections") if key in node]
    return own + entries(below)


def notebooks_in_order(root: Path = ROOT) -> list[Path]:
    """List the notebooks that the table of contents names, in reading order."""
    pages = entries(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    paths = [root / page for page in pages]
    paths = [path if path.suffix == ".ipynb" else Path(f"{path}.ipynb") for path in paths]
    return [path for path in paths if path.is_file()]


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Take out of an executed notebook what would differ on another day or machine."""
    notebook.metadata.update(METADATA)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)


class PeakMemory(threading.Thread):
    """Watch the resident memory of a process and of its children until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.done = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self.done.wait(0.1):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                self.peak = max(self.peak, sum(one.memory_info().rss for one in family))
            except psutil.NoSuchProcess:  # a child, or the kernel itself, ended meanwhile
                continue


def execute(path: Path) -> tuple[float, float]:
    """Run a notebook in its own folder and write it back; return seconds and peak megabytes."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        record_timing=False,
        # The kernel's own remarks on its connection are of no use here.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    started = time.monotonic()
    with client.setup_kernel():
        memory = PeakMemory(client.km.provisioner.pid)
        memory.start()
        try:
            for index, cell in enumerate(notebook.cells):
                try:
                    client.execute_cell(cell, index)
                except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                    where = f"{path.relative_to(ROOT)}, cell {index + 1} of {len(notebook.cells)}"
                    sys.exit(f"{where}, did not run; the file was left as it was.\n\n{error}")
        finally:
            memory.done.set()
            memory.join()
    tidy(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return time.monotonic() - started, memory.peak / 1e6


def stored_fits() -> dict[str, int]:
    """List the stored posteriors with the time of their last change."""
    return {path.name: path.stat().st_mtime_ns for path in POSTERIORS.glob("*.nc")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of _toc.yml")
    named = [path.resolve() for path in parser.parse_args().notebooks]
    paths = named or notebooks_in_order()
    if missing := [str(path) for path in paths if not path.is_file()]:
        sys.exit(f"There is no notebook {', '.join(missing)}.")
    # Set for the kernels: the same order of sets in each run, and posteriors that a chapter
    # samples anew go into the package, where the next reader finds them.
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["MRP_HELPERS_CACHE"] = str(POSTERIORS)
    os.environ.pop("MPLBACKEND", None)
    print(f"{'notebook':<50}{'seconds':>8}{'peak MB':>9}")
    for path in paths:
        before = stored_fits()
        seconds, megabytes = execute(path)
        if stored_fits() != before:
            # It sampled, and says so; readers will load, and the stored outputs are theirs.
            seconds, megabytes = execute(path)
        print(f"{path.relative_to(ROOT)!s:<50}{seconds:>8.1f}{megabytes:>9.0f}", flush=True)
    print(f"Stored the outputs of {len(paths)} notebook(s) in the files themselves.")


if __name__ == "__main__":
    main()
