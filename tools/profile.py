"""Measure what each notebook takes, and write the page that shows it.

    python -m tools.profile                        run all: appendices/budget.csv and budget.md
    python -m tools.profile chapters/01_x.ipynb    only the ones named; the other rows stay
    python -m tools.profile --cells chapters/01_x.ipynb    which cells take the time; write nothing

Seconds differ from one machine to the next. Therefore a loop in plain Python, the reference, is
timed in the same run, and what a notebook takes is also given, and limited, in multiples of it.
Timings differ from run to run as well, so that 'make notebooks' leaves these two files alone.

Memory is the same on most machines: the tests measure it again while they compare a notebook's
outputs, and fail above the limit. No test depends on a clock; this command reports what takes too
long.
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

from tools.notebooks import (
    ROOT,
    Cost,
    executed,
    inside,
    named_or_all,
    notebooks_in_order,
    prepare_environment,
    run,
)
from tools.reference import STEPS, reference_seconds
from tools.write import write_whole

# The limit in time: forty seconds on a machine whose reference loop takes 2.4.
RATIO = 40 / 2.4
MEGABYTES = 1500
TABLE = ROOT / "appendices" / "budget.csv"
PAGE = ROOT / "appendices" / "budget.md"
COLUMNS = ["notebook", "seconds", "reference", "megabytes", "cores", "python"]
TEXT = """\
# What each notebook takes

<!-- Written by 'make profile' from budget.csv: change tools/profile.py, not this page. -->

How long each notebook runs, from the start of its kernel to its last cell with all imports, and
the most memory that the kernel held at once; measured on {cores} cores with Python {python}. The
seconds are those of the clock or those of the processor, whichever are fewer, so that a machine
that is busy otherwise does not count. Fits are loaded; sampling one takes a minute or two more.

Seconds hold for one machine only. The column *loops* says the same in a unit that you can measure
on yours: how often a loop in plain Python could have run meanwhile. Where the seconds were
measured, this reference loop took {reference} seconds. Time it on your machine:

```python
from time import process_time

started = process_time()
sum(i * i % 7 for i in range({steps:_}))
print(process_time() - started)
```

A notebook takes about its loops times the seconds that this prints. For example, if it prints
2.5, then a notebook of 8 loops takes about 20 seconds.

| loops | seconds | peak MB | notebook |
|--:|--:|--:|:--|
{rows}
| **{loops:.0f}** | **{total:.0f}** | | **together** |

No notebook should take more than {ratio:.1f} loops, which are 40 seconds on a machine whose loop
takes 2.4, and none may take more than {megabytes:,} MB. The tests measure the memory again while
they compare a notebook's outputs, and fail above that. On your machine, `make profile` runs all
notebooks, reports those above either limit, and writes this page again.
"""


def over_time(name: str, ratio: float) -> str:
    """Say that a notebook takes too many reference loops, and what to do; empty if it does not."""
    if ratio <= RATIO:
        return ""
    return (
        f"{name} took {ratio:.1f} times the reference loop; the limit is {RATIO:.1f} times. "
        "'python -m tools.profile --cells' and its path shows where. Store a fit there, repeat "
        "a simulation less often, or predict for fewer cells."
    )


def over_memory(name: str, megabytes: float) -> str:
    """Say that a notebook held too much memory, and what to do; empty if it did not."""
    if megabytes <= MEGABYTES:
        return ""
    return (
        f"{name} held {megabytes:.0f} MB; the limit is {MEGABYTES} MB. "
        "Keep sums instead of draws of every cell, as poststratify_draws does, or del what is "
        "large once it is used."
    )


def over_budget(name: str, cost: Cost, reference: float | None = None) -> str:
    """Say what is wrong with a notebook's cost; empty when nothing is.

    Without the seconds of the reference loop on the same machine, memory alone decides.
    """
    found = [over_memory(name, cost.megabytes)]
    if reference is not None:
        found.insert(0, over_time(name, cost.seconds / reference))
    return "\n".join(text for text in found if text)


def measured(path: Path, reference: float) -> dict[str, str]:
    """Run one notebook; return its row of the table, with the reference loop's seconds."""
    _, cost = executed(path)
    return {
        "notebook": inside(path),
        "seconds": f"{cost.seconds:.1f}",
        "reference": f"{reference:.2f}",
        "megabytes": f"{cost.megabytes:.0f}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }


def read_table() -> list[dict[str, str]]:
    """Read the stored rows; none before the first table is written."""
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


def ratio_of(row: dict[str, str]) -> float:
    """Return a notebook's time as a multiple of the reference loop's in the same run."""
    return float(row["seconds"]) / float(row["reference"])


def any_of(rows: list[dict[str, str]], column: str) -> str:
    """Name the values of a column: one as a rule, more when rows come from several runs."""
    return " or ".join(sorted({row[column] for row in rows}))


def page(rows: list[dict[str, str]]) -> str:
    """Write the page that shows the table."""
    lines = [
        f"| {ratio_of(row):.0f} | {float(row['seconds']):.0f} | {float(row['megabytes']):.0f} "
        f"| `{row['notebook']}` |"
        for row in rows
    ]
    return TEXT.format(
        rows="\n".join(lines),
        total=sum(float(row["seconds"]) for row in rows),
        loops=sum(map(ratio_of, rows)),
        reference=any_of(rows, "reference"),
        cores=any_of(rows, "cores"),
        python=any_of(rows, "python"),
        steps=STEPS,
        ratio=RATIO,
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


def measure(paths: list[Path]) -> list[dict[str, str]]:
    """Run notebooks, and return the rows of all that were ever measured, in reading order."""
    reference = reference_seconds()
    print(f"The reference loop takes {reference:.2f} s.")
    kept = {row["notebook"]: row for row in read_table()}
    for path in paths:
        kept[inside(path)] = row = measured(path, reference)
        print(
            f"{row['notebook']:<58}{row['seconds']:>6} s{ratio_of(row):>6.1f} loops"
            f"{row['megabytes']:>6} MB",
            flush=True,
        )
    return [kept[inside(path)] for path in notebooks_in_order() if inside(path) in kept]


def excess(row: dict[str, str]) -> str:
    """Say what is wrong with a stored row; empty when nothing is."""
    cost = Cost(float(row["seconds"]), float(row["megabytes"]))
    return over_budget(row["notebook"], cost, float(row["reference"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--cells", action="store_true", help="print the slow cells; write nothing")
    arguments = parser.parse_args()
    paths = named_or_all(arguments.notebooks)
    with tempfile.TemporaryDirectory() as scratch:
        prepare_environment(Path(scratch))
        if arguments.cells:
            for path in paths:
                print(inside(path))
                print_cells(path)
            return
        rows = measure(paths)
    write_table(rows)
    write_whole(PAGE, page(rows))
    if wrong := [text for row in rows if (text := excess(row))]:
        sys.exit("\n".join(wrong))
    print(f"{len(rows)} notebooks are within {RATIO:.1f} loops and {MEGABYTES} MB.")


if __name__ == "__main__":
    main()
