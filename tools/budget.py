"""Measure what each notebook takes, and write the page that shows it.

    python -m tools.budget                        run all: appendices/budget.csv and budget.md
    python -m tools.budget chapters/01_x.ipynb    only the ones named; the other rows stay
    python -m tools.budget --cells chapters/01_x.ipynb    which cells take the time; write nothing

Timings differ from run to run, so that 'make notebooks' leaves these two files alone. The tests do
not trust them either: while they compare a notebook's outputs they measure it anew, and fail
above the same limits.
"""

import argparse
import csv
import io
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tools.execute_notebooks import (
    ROOT,
    Cost,
    executed,
    inside,
    named_or_all,
    notebooks_in_order,
    prepare_environment,
    run,
)
from tools.write import write_whole

SECONDS = 120
MEGABYTES = 1500
TABLE = ROOT / "appendices" / "budget.csv"
PAGE = ROOT / "appendices" / "budget.md"
COLUMNS = ["notebook", "seconds", "megabytes", "cores", "python"]
TEXT = """\
# What each notebook takes

<!-- Written by 'make budget' from budget.csv: change tools/budget.py, not this page. -->

How long each notebook runs, from the start of its kernel to its last cell with all imports, and
the most memory that the kernel held at once; measured on {cores} cores with Python {python}. The
seconds are those of the clock or those of the processor, whichever are fewer, so that a machine
that is busy otherwise does not count. Fits are loaded; sampling one takes a minute or two more.

| seconds | peak MB | notebook |
|--:|--:|:--|
{rows}
| **{total:.0f}** | | **together** |

No notebook may take more than {seconds} seconds or {megabytes:,} MB. The tests measure each one
anew while they compare its outputs, and fail above that. On your machine, `make budget` runs all
notebooks and writes this page anew.
"""


def over_budget(name: str, cost: Cost) -> str:
    """Say what is wrong with a notebook's cost and what to do; empty when nothing is."""
    found = []
    if cost.seconds > SECONDS:
        found.append(
            f"{name} took {cost.seconds:.0f} s; the limit is {SECONDS} s. "
            "'python -m tools.budget --cells' and its path shows where. Store a fit there, repeat "
            "a simulation less often, or predict for fewer cells."
        )
    if cost.megabytes > MEGABYTES:
        found.append(
            f"{name} held {cost.megabytes:.0f} MB; the limit is {MEGABYTES} MB. "
            "Keep sums instead of draws of every cell, as poststratify_draws does, or del what is "
            "large once it is used."
        )
    return "\n".join(found)


def measured(path: Path) -> dict[str, str]:
    """Run one notebook; return its row of the table."""
    _, cost = executed(path)
    return {
        "notebook": inside(path),
        "seconds": f"{cost.seconds:.1f}",
        "megabytes": f"{cost.megabytes:.0f}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }


def read_table() -> list[dict[str, str]]:
    """Read the stored rows; none when there is no table yet."""
    if not TABLE.is_file():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_table(rows: list[dict[str, str]]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(TABLE, table.getvalue())


def page(rows: list[dict[str, str]]) -> str:
    """Write the page that shows the table."""
    lines = [
        f"| {float(row['seconds']):.0f} | {float(row['megabytes']):.0f} | `{row['notebook']}` |"
        for row in rows
    ]
    return TEXT.format(
        rows="\n".join(lines),
        total=sum(float(row["seconds"]) for row in rows),
        cores=" or ".join(sorted({row["cores"] for row in rows})),
        python=" or ".join(sorted({row["python"] for row in rows})),
        seconds=SECONDS,
        megabytes=MEGABYTES,
    )


def print_cells(path: Path) -> None:
    """Run a notebook and print the code cells that take more than half a second."""
    notebook = nbformat.read(path, as_version=4)
    last = time.monotonic()

    def report(index: int, cell: nbformat.NotebookNode) -> bool:
        nonlocal last
        took, last = time.monotonic() - last, time.monotonic()
        if took > 0.5:
            print(f"{took:6.1f} s  cell {index + 1}: {cell.source.splitlines()[0]}", flush=True)
        return True

    run(notebook, path.parent, after=report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--cells", action="store_true", help="print the slow cells; write nothing")
    arguments = parser.parse_args()
    paths = named_or_all(arguments.notebooks)
    kept = {row["notebook"]: row for row in read_table()}
    with tempfile.TemporaryDirectory() as scratch:
        prepare_environment(Path(scratch))
        for path in paths:
            if arguments.cells:
                print(inside(path))
                print_cells(path)
                continue
            kept[inside(path)] = row = measured(path)
            print(f"{row['notebook']:<50}{row['seconds']:>8}{row['megabytes']:>9}", flush=True)
    if arguments.cells:
        return
    rows = [kept[inside(path)] for path in notebooks_in_order() if inside(path) in kept]
    write_table(rows)
    write_whole(PAGE, page(rows))
    costs = [(row, Cost(float(row["seconds"]), float(row["megabytes"]))) for row in rows]
    if wrong := [text for row, cost in costs if (text := over_budget(row["notebook"], cost))]:
        sys.exit("\n".join(wrong))
    print(f"{len(rows)} notebooks are within {SECONDS} s and {MEGABYTES} MB.")


if __name__ == "__main__":
    main()
