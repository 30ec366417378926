"""Change the package in a thousand small ways, and see that some test fails for each.

Usage: python tools/mutate.py [--sample NUMBER [--seed SEED]] [PATTERN ...], with patterns such as
"mrp_helpers.weight*".

mutmut makes the changes (mutants) and runs the tests that reach each one, in a copy of the project.
Its settings are in pyproject.toml. Mutants that no test kills are listed with a reason in
tests/mutants.toml; this script fails when another one survives, when a listed one is killed, or
when too few are killed. A whole run takes about ten minutes on two cores. With --sample, so many
mutants of each module are drawn at random, and stand for all of that module.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
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


def drawn(patterns: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Shuffle the mutants of each module that match: module -> their names."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    generator, found = random.Random(seed), {}
    for path in settings["tool"]["mutmut"]["only_mutate"]:
        module = path.removesuffix(".py").replace("/", ".")
        made = mutate_file_contents(path, (ROOT / path).read_text("utf-8")).mutant_names
        names = [f"{module}.{name}" for name in made]
        if patterns:
            names = [name for name in names if any(fnmatch(name, one) for one in patterns)]
        if names:
            found[module] = generator.sample(names, len(names))
    return found


def score(killed: dict[str, list[bool]], number: dict[str, int]) -> str:
    """Say how many of a sample were killed in each module, and the share of all, with its error.

    A module counts by the `number` of all its mutants. For the error each has the pooled share of
    killed ones, so that a module whose few mutants were all killed is not thought to be certain.
    """
    total = sum(number.values())
    share = sum(number[m] * sum(those) / len(those) for m, those in killed.items()) / total
    parts = (
        (number[m] / total) ** 2 * (1 - len(those) / number[m]) / len(those)
        for m, those in killed.items()
    )
    error = (share * (1 - share) * sum(parts)) ** 0.5
    lines = [
        f"{m:28}{sum(those):4} of {len(those)} killed, of {number[m]} mutants"
        for m, those in killed.items()
    ]
    return "\n".join([*lines, f"{share:.1%} of all killed, standard error {error:.1%}"])


def run(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Make the mutants, or those with some names, and give what became of them."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    try:
        mutmut(folder, "run", "--max-children", "2", *names, capture_output=True)
    except subprocess.CalledProcessError as error:
        sys.exit(f"mutmut stopped; do the tests pass?\n{(error.stdout + error.stderr)[-3000:]}")
    found = outcomes(folder)
    return {n: o for n, o in found.items() if not names or any(fnmatch(n, p) for p in names)}


def main(arguments: list[str]) -> int:
    """Run everything in a scratch folder, and say what survived."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--sample", type=int, metavar="NUMBER", help="mutants of each module")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        names = given.patterns
        if given.sample:
            every = drawn(given.patterns, given.seed)
            names = [name for all_ in every.values() for name in all_[: given.sample]]
        print("Changing the package and running its tests, which takes minutes.", flush=True)
        found = run(folder, names)
        survivors = [name for name, outcome in found.items() if outcome not in KILLED]
        told = sorted(spelled(folder, name) for name in survivors)
    killed = 1 - len(survivors) / len(found)
    print(f"\n{len(found):,} mutants, {killed:.1%} killed, {len(survivors)} survive")
    if given.sample:
        tried = {m: [found[n] in KILLED for n in all_[: given.sample]] for m, all_ in every.items()}
        print(score(tried, {m: len(all_) for m, all_ in every.items()}))
    # Chance decides how many of a sample are killed, and so that is only told.
    wrong = compare(told, 1.0 if given.sample else killed, names)
    print("\n".join(wrong) or f"every survivor is listed with a reason in {LISTED.name}")
    if wrong:
        print("Write a test that kills it, or list it in tests/mutants.toml with the reason.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
