"""Time the post-stratification of the main model against the one thing it cannot avoid.

    python -m research.benchmarks.engine

12,000 cells x 4,000 draws are 48 million probabilities, and each takes an inverse logit. So the
unit here is `scipy.special.expit` on an array of that size, timed in the same run: a machine that
is slower, or busy, is so for both.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from mrp_helpers import CELL, fit_or_load, load_poststrat_frame, poststratify
from research.laboratory import course_sample, in_cells, main_model, with_states

RUNS = 5


def seconds(work: Callable[[], object]) -> float:
    """Give the processor's seconds for some work: the least of a few runs."""
    took = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        took.append(time.process_time() - started)
    return min(took)


def main() -> None:
    model = main_model(in_cells(course_sample()))
    draws = fit_or_load(model, "hierarchical")
    frame = with_states(load_poststrat_frame())
    few = frame[frame["n"] > 0]
    values = np.random.default_rng(1).normal(size=(len(frame), 4000))
    unit = seconds(lambda: expit(values))
    print(f"scipy.special.expit of {len(frame):,} x 4,000 numbers: {unit:.2f} s")
    for by, cells in [(None, frame), ("state", frame), (CELL, few)]:
        took = seconds(lambda by=by, cells=cells: poststratify(model, draws, cells, by=by))
        name = "the nation" if by is None else "states" if by == "state" else "each cell"
        print(f"poststratify, {name}: {took:.2f} s, {took / unit:.1f} times as long")


if __name__ == "__main__":
    main()
