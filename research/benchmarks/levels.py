"""Time the shares of three levels against those of two, which the main model has.

    python -m research.benchmarks.levels

Both are made from the draws of the main model, so that nothing but the number of levels differs:
the effects of a second level are those of the first, a draw later. The two take turns in
one run, so a machine that is slower, or busy, is so for both.
"""

import time
import tracemalloc
from collections.abc import Callable

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_helpers import CELL, fit_or_load, load_poststrat_frame, poststratify
from research.laboratory import course_sample, in_cells, main_model, with_states

RUNS = 5
LEVELS = ("no", "unsure", "yes")
MEGABYTE = 1_000_000


def with_levels(cells: pd.DataFrame) -> pd.DataFrame:
    """Give each cell one answer of three."""
    answers = np.resize(LEVELS, len(cells))
    return cells.assign(answer=pd.Categorical(answers, LEVELS, ordered=True))


def same_terms(model: bmb.Model, cells: pd.DataFrame, family: str) -> bmb.Model:
    """The main model's terms, in another family."""
    terms = model.formula.main.partition("~")[2]
    return bmb.Model(f"answer ~ {terms}", with_levels(cells), family=family)


def several_equations(draws: xr.DataTree) -> xr.DataTree:
    """Effects for each level but the first."""
    posterior = draws["posterior"].to_dataset()
    later = posterior.roll(draw=1, roll_coords=False)
    levels = pd.Index(LEVELS[1:], name="answer_reduced_dim")
    return xr.DataTree.from_dict({"posterior": xr.concat([posterior, later], levels)})


def with_thresholds(draws: xr.DataTree) -> xr.DataTree:
    """The effects with two thresholds in the intercept's place."""
    posterior = draws["posterior"].to_dataset()
    below = -posterior["Intercept"]
    thresholds = xr.concat([below, below + 1], pd.Index([0, 1], name="threshold_dim"))
    return xr.DataTree.from_dict(
        {"posterior": posterior.drop_vars("Intercept").assign(threshold=thresholds)}
    )


FAMILIES = {
    "categorical": several_equations,
    "cumulative": with_thresholds,
    "sratio": with_thresholds,
}


def seconds(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Give the processor's seconds for each piece of work: the least of a few turns."""
    took = dict.fromkeys(works, np.inf)
    for _ in range(RUNS):
        for name, work in works.items():
            started = time.process_time()
            work()
            took[name] = min(took[name], time.process_time() - started)
    return took


def peak(work: Callable[[], object]) -> float:
    """Give the most megabytes that some work holds at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def main() -> None:
    cells = in_cells(course_sample())
    model = main_model(cells)
    draws = fit_or_load(model, "hierarchical")
    frame = with_states(load_poststrat_frame())
    fits = {"two levels": (model, draws)}
    for family, made in FAMILIES.items():
        fits[family] = same_terms(model, cells, family), made(draws)
    few = frame[frame["n"] > 0]
    for by, people in [(None, frame), ("state", frame), (CELL[:3], few)]:
        works = {
            name: lambda fit=fit, by=by, people=people: poststratify(*fit, people, by=by)
            for name, fit in fits.items()
        }
        took = seconds(works)
        for name, work in works.items():
            ratio = took[name] / took["two levels"]
            print(f"by {by}, {name}: {took[name]:.2f} s, {ratio:.2f}, {peak(work):.0f} MB")


if __name__ == "__main__":
    main()
