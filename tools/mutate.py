"""Change the package in a thousand small ways, and see that some test fails for each.

Usage: python tools/mutate.py [PATTERN ...], with patterns such as "mrp_helpers.weight*".

mutmut makes the changes (mutants) and runs the tests that reach each one, in a copy of the project.
Its settings are in pyproject.toml. Mutants that no test kills are listed with a reason in
tests/mutants.toml; this script fails when another one survives, when a listed one is killed, or
when too few are killed. A whole run takes about ten minutes on two cores.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = ROOT / "tests" / "mutants.toml"
COPIED = ["mrp_helpers", "mrp_course", "tests", "tools", "research", "pyproject.toml"]
KILLED = {"killed", "timeout", "segfault"}


def mutmut(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run mutmut in a copy of the project, with one thread for each of its two processes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MRP_HELPERS_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, text=True, check=True, **options)


def outcomes(folder: Path) -> dict[str, str]:
    """Read what became of each mutant: mutmut's name for it -> killed, survived, ..."""
    told = mutmut(folder, "results", "--all", "true", capture_output=True).stdout
    lines = (line.strip().rpartition(": ") for line in told.splitlines() if "__mutmut_" in line)
    return {name: outcome for name, _, outcome in lines}


def spelled(folder: Path, name: str) -> str:
    """Name a mutant by its function and what it writes there, which outlives other changes."""
    shown = mutmut(folder, "show", name, capture_output=True).stdout.splitlines()
    added = [line[1:].strip() for line in shown if line[:1] == "+" and line[:3] != "+++"]
    removed = [line[1:].strip() for line in shown if line[:1] == "-" and line[:3] != "---"]
    function = name.partition("__mutmut_")[0].removeprefix("mrp_helpers.")
    function = function.replace(".xǁ", ".").replace(".x_", ".").replace("ǁ", ".")
    return f"{function}: {' '.join(added) or 'without ' + ' '.join(removed)}"


def compare(found: list[str], killed: float, patterns: list[str]) -> list[str]:
    """Hold the survivors against the list; give what is wrong, in words."""
    listed = tomllib.loads(LISTED.read_text("utf-8"))
    known = [mutant for group in listed["survivors"] for mutant in group["mutants"]]
    wrong = [f"not listed: {mutant}" for mutant in found if mutant not in known]
    if not patterns:
        wrong += [f"listed, but some test kills it now: {m}" for m in known if m not in found]
    if killed < listed["least_killed"]:
        wrong.append(f"{killed:.1%} killed; the least is {listed['least_killed']:.0%}")
    return wrong


def main(patterns: list[str]) -> int:
    """Run everything in a scratch folder, and say what survived."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        print(
            "Changing the package and running its tests; this takes about ten minutes.", flush=True
        )
        try:
            mutmut(folder, "run", "--max-children", "2", *patterns, capture_output=True)
        except subprocess.CalledProcessError as error:
            sys.exit(f"mutmut stopped; do the tests pass?\n{(error.stdout + error.stderr)[-3000:]}")
        found = outcomes(folder)
        if patterns:
            found = {n: o for n, o in found.items() if any(fnmatch(n, p) for p in patterns)}
        survivors = [name for name, outcome in found.items() if outcome not in KILLED]
        told = sorted(spelled(folder, name) for name in survivors)
    killed = 1 - len(survivors) / len(found)
    print(f"\n{len(found):,} mutants, {killed:.1%} killed, {len(survivors)} survive")
    wrong = compare(told, killed, patterns)
    print("\n".join(wrong) or f"every survivor is listed with a reason in {LISTED.name}")
    if wrong:
        print("Write a test that kills it, or list it in tests/mutants.toml with the reason.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
