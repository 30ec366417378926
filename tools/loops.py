"""Run one of the course's loops, part after part, and say at the end what failed.

    python -m tools.loops check    before a commit: style, types, spelling, tests of what changed
    python -m tools.loops test     what readers, teachers and contributors rely on
    python -m tools.loops proof    all that takes long: injected faults, every page, fresh fits
    python -m tools.loops share    of the proof, what changed and, by the date, another tenth

Every part runs, whatever came of those before it, unless it builds on one that failed. Of the
share, the tenth is reported and does not decide: it is about what others changed, or chance did.
"""

import os
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tools import chromium
from tools.notebooks import ROOT
from tools.reference import reference_seconds

# A worker per core: each imports for ten seconds before its first test, and may need 1 GB.
AFFINITY = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count())
CORES = int(os.environ.get("WORKERS", len(AFFINITY)))
TODAY = str(datetime.now(UTC).toordinal() % 10)
PYTHON = ".venv/bin/python"
PYTEST = (PYTHON, "-m", "pytest", "-n", str(CORES))
FOLDERS = ("chapters", "explorers", "appendices", "exercises/solutions")


class Part(NamedTuple):
    """One command of a loop: what it looks at, how it is typed, and whether it decides.

    If a part fails that the others ``build_on``, they would only judge what is out of date.
    """

    name: str
    command: Sequence[str]
    decides: bool = True
    build_on: bool = False


class Outcome(NamedTuple):
    """What became of a part, and what it took: seconds by the clock, and of the processors."""

    part: Part
    code: int
    clock: float
    processor: float


STYLE = [
    Part("style", (PYTHON, "-m", "ruff", "check", ".")),
    Part("layout of the code", (PYTHON, "-m", "ruff", "format", "--check", ".")),
    Part("spelling", (PYTHON, "-m", "codespell_lib", ".")),
    Part("types", (PYTHON, "-m", "mypy")),
]
COVERAGE = ("--cov", "--cov-report=term:skip-covered")
LOOPS = {
    "check": [*STYLE, Part("tests of what changed", (PYTHON, "-m", "tools.changed"))],
    "test": [
        *STYLE,
        Part(
            "package, exercises and site",
            (*PYTEST, *COVERAGE, "-m", "not proof", "tests", "mrp_helpers", "mrp_course"),
        ),
        Part(
            "notebooks against their stored outputs",
            (*PYTEST, *FOLDERS),
        ),
    ],
    "proof": [
        Part("injected faults, every page, two builds", (*PYTEST, "-m", "proof", "tests")),
        Part(
            "properties, from many examples",
            (*PYTEST, "--hypothesis-profile=many", "tests/library/test_properties.py"),
        ),
        Part("notebooks, byte for byte", ("make", "-s", "check-outputs")),
        Part("the course on paper", ("make", "-s", "pdf")),
        Part("fresh fits of all posteriors", (PYTHON, "-m", "tools.refit", "--only-compare")),
        Part("mutants of the engine", ("make", "-s", "mutation-test")),
        Part("scores of five pages", (PYTHON, "-m", "tools.measure_pages"), decides=False),
    ],
    "share": [
        Part("fresh fits of what changed", (PYTHON, "-m", "tools.refit", "--changed")),
        Part(
            "a tenth of the fresh fits",
            (PYTHON, "-m", "tools.refit", "--tenth", TODAY),
            decides=False,
        ),
        Part(
            "a tenth of the proofs",
            (*PYTEST, "-m", "proof", f"--tenth={TODAY}", "tests"),
            decides=False,
        ),
    ],
}


def processor_seconds() -> float:
    """Sum what the commands that have ended took, with all that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(part: Part) -> Outcome:
    """Run one part; its output goes where this command's does."""
    print(f"\n--- {part.name}", flush=True)
    clock, processor = time.monotonic(), processor_seconds()
    done = subprocess.run(part.command, cwd=ROOT, check=False)
    return Outcome(part, done.returncode, time.monotonic() - clock, processor_seconds() - processor)


def table(outcomes: list[Outcome]) -> str:
    """List what each part took, also as multiples of a reference that any machine can time."""
    reference = reference_seconds()
    lines = [f"{'':<42}{'clock':>8}{'processor':>12}{'reference':>12}"]
    rows = [(one.part.name, one.clock, one.processor) for one in outcomes]
    rows.append(("together", *(sum(row[at] for row in rows) for at in (1, 2))))
    lines += [
        f"{name:<42}{clock:>6.0f} s{processor:>10.0f} s{processor / reference:>10.0f} x"
        for name, clock, processor in rows
    ]
    return "\n".join([*lines, f"The reference loop (tools/reference.py) takes {reference:.2f} s."])


def verdict(loop: str, outcomes: list[Outcome]) -> list[str]:
    """Say in words what failed and how to run it alone, and what was not looked at."""
    said = []
    if loop in ("test", "proof") and chromium.find() is None:
        said.append(f"Not looked at: pages in a browser. {chromium.MISSING}")
    for part, code, _, _ in outcomes:
        if code:
            weight = "Failed" if part.decides else "Reported, and does not decide"
            said.append(f"{weight}: {part.name}. Alone: {shlex.join(part.command)}")
    if not any(code and part.decides for part, code, _, _ in outcomes):
        kept = " Nothing in the course was changed." if loop in LOOPS else ""
        said.append(f"All parts of 'make {loop}' passed.{kept}")
    return said


def run_all(loop: str, parts: Sequence[Part]) -> None:
    """Run every part, say what came of them, and end with an error if one that decides failed."""
    outcomes = []
    for part in parts:
        outcomes.append(run(part))
        if outcomes[-1].code and part.build_on:
            break
    said = verdict(loop, outcomes)
    if left := [part.name for part in parts[len(outcomes) :]]:
        said.append(f"Not run, since it builds on what failed: {', '.join(left)}.")
    print("\n" + "\n".join([table(outcomes), *said]), flush=True)
    sys.exit(any(code and part.decides for part, code, _, _ in outcomes))


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in LOOPS:
        sys.exit(f"Say which loop: {', '.join(LOOPS)}.")
    run_all(sys.argv[1], LOOPS[sys.argv[1]])


if __name__ == "__main__":
    main()
