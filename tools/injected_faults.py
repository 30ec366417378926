"""Inject a wrong number into each input of a notebook, and see which of its claims notices.

    python -m tools.injected_faults            print for each notebook and fault the first cell that
                                               fails (the proofs read this)
    python -m tools.injected_faults --report   go on to each notebook's end, and print the claims
                                               that no fault upsets (some minutes)

Notebooks may be named; without names, all that claim something are run.
"""

import argparse
import json
import os
import re
import signal
from pathlib import Path

import bambi
import bambi.interpret
import matplotlib
import nbformat
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import display
from matplotlib import pyplot as plt

import mrp_course.tasks  # noqa: F401  (declares them)
import mrp_helpers
from mrp_course import posteriors
from mrp_course._task import TASKS
from tools.claims import is_assertion, listed
from tools.notebooks import inside, named_or_all
from tools.patience import HANGS

matplotlib.use("Agg")


# Questions whose codes go from one to this and have an opposite; further codes have none.
SCALES = {"CC18_317": 2, "pid3": 2, "ideo5": 5, "faminc_new": 16}


def answers_flipped(raw: pd.DataFrame) -> pd.DataFrame:
    """Give each fiftieth respondent the opposite answers."""
    planted = raw.copy()
    asked = raw.loc[::50]
    for question in raw.filter(like="CC18_321"):
        planted.loc[::50, question] = 3 - asked[question]
    for question, highest in SCALES.items():
        placed = asked[question].between(1, highest)
        planted.loc[::50, question] = asked[question].mask(placed, highest + 1 - asked[question])
    return planted


def votes_moved(states: pd.DataFrame) -> pd.DataFrame:
    """Give each state the vote of the state in the row above."""
    return states.assign(repvote=np.roll(states["repvote"], 1))


def men_overcounted(frame: pd.DataFrame) -> pd.DataFrame:
    """Count five per cent more men in each cell."""
    return frame.assign(n=(frame["n"] * (1 + 0.05 * (frame["male"] > 0))).round().astype(int))


def one_death_more(patients: pd.DataFrame) -> pd.DataFrame:
    """Let one survivor of the twenty patients die."""
    survivor = patients["death"].idxmin()
    return patients.assign(death=patients["death"].where(patients.index != survivor, 1))


def draws_stretched(draws: xr.DataTree) -> xr.DataTree:
    """Move every draw of every parameter ten per cent away from zero."""
    draws["posterior"] = draws["posterior"].to_dataset() * 1.1
    return draws


FAULTS = {
    "answers": ("load_cces", answers_flipped),
    "votes": ("load_state_predictors", votes_moved),
    "frame": ("load_poststrat_frame", men_overcounted),
    "patients": ("load_heart_transplants", one_death_more),
    "draws": ("fit_or_load", draws_stretched),
}
# What the proofs do not inject; --report does. The numbers of the page on calibration were
# simulated by another command and stored; of the survey's answers it takes only the truth of each
# state, for one table. Exercise 13 reads shapes of priors off draws, which keep them when
# stretched; exercise 15 makes its truth with the same votes it reads.
NOT_INJECTED = {
    ("calibration", "answers"),
    ("13-structured-priors", "draws"),
    ("15-from-survey-to-report", "votes"),
}


def load_by_name(model: bambi.Model, name: str, **sampler: object) -> xr.DataTree:
    """Load stored draws for a model of other data, without what says which data they are of."""
    draws = xr.load_datatree(posteriors.FOLDER / f"{name}.nc")
    del draws["observed_data"]
    draws.attrs = {key: v for key, v in draws.attrs.items() if not str(key).startswith("digest_")}
    return draws


def inject(fault: str) -> None:
    """Put a function with a fault into the package, for notebooks to import."""
    mrp_helpers.fit_or_load = load_by_name
    # That a wrong answer is refused is enough here: which of the known mistakes it is takes longer.
    for task in TASKS.values():
        task.mistakes.clear()
    loader, change = FAULTS[fault]
    load = getattr(mrp_helpers, loader)
    setattr(mrp_helpers, loader, lambda *inputs, **options: change(load(*inputs, **options)))


def code_of(path: Path) -> str:
    """Read the code of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def faults_for(path: Path) -> list[str]:
    """List the faults that can be injected into a notebook: one for each input that it reads."""
    code = code_of(path)
    return [fault for fault, (loader, _) in FAULTS.items() if f"{loader}(" in code]


def play(path: Path, fault: str, *, to_the_end: bool = False) -> list[tuple[int, str]]:
    """Inject a fault and run the cells of a notebook; list the failing cells and their errors.

    The run stops at the first failure, or `to_the_end` at the first outside a claim. It changes
    the package of this process: see `in_a_fork`.
    """
    names: dict[str, object] = {"__name__": "__main__", "display": display}
    inject(fault)
    os.chdir(path.parent)
    failed = []
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1):
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        try:
            exec(compile(cell.source, f"cell {number}", "exec"), names)
        except Exception as error:
            failed.append((number, type(error).__name__))
            if not (to_the_end and is_assertion(cell)):
                break
        plt.close("all")
    return failed


def in_a_fork(path: Path, fault: str, **options: bool) -> list[tuple[int, str]]:
    """Play a notebook in a fork of this process, which has all imports done: seconds are saved."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(HANGS)  # ends a child that a lock, taken before the fork, holds for ever
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            os.write(writing, json.dumps(play(path, fault, **options)).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"{inside(path)} with wrong {fault}: the run died (status {status})")
    return [tuple(pair) for pair in json.loads(answer)]


def compute_answers(paths: list[Path]) -> None:
    """Compute the right answers of these solutions once, for all forks of this process."""
    for path in paths:
        for name in re.findall(r'\bcheck\("([\w.]+)"', code_of(path)):
            TASKS[name].answer()


def first_failures(paths: list[Path]) -> dict[str, dict[str, list[tuple[int, str]]]]:
    """Give for each notebook and each fault the first cell that fails and its error."""
    compute_answers(paths)
    return {
        inside(path): {
            fault: in_a_fork(path, fault)
            for fault in faults_for(path)
            if (path.stem, fault) not in NOT_INJECTED
        }
        for path in paths
    }


def numbers_of_claims(cells: list[nbformat.NotebookNode]) -> set[int]:
    return {number for number, cell in enumerate(cells, start=1) if is_assertion(cell)}


def report(paths: list[Path]) -> None:
    """Print for each notebook and fault how many claims it upsets, and which none of them does."""
    for path in paths:
        cells = nbformat.read(path, as_version=4).cells
        never = numbers_of_claims(cells)
        print(f"{inside(path)}: {len(never)} claims")
        for fault in faults_for(path):
            failed = in_a_fork(path, fault, to_the_end=True)
            wrong = {number for number, error in failed if error == "AssertionError"}
            upset = numbers_of_claims(cells) & wrong
            other = [f"; ended by {error} in cell {n}" for n, error in failed if n not in upset]
            never -= upset
            print(f"  {fault}: {len(upset)} fail{''.join(other)}", flush=True)
        print(f"  never: {', '.join(map(str, sorted(never))) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="to inject into; default: all")
    parser.add_argument("--report", action="store_true", help="go on past the first failure")
    arguments = parser.parse_args()
    paths = [path for path in named_or_all(arguments.notebooks) if listed(path)]
    if arguments.report:
        report(paths)
    else:
        print(json.dumps(first_failures(paths), indent=1))


if __name__ == "__main__":
    main()
