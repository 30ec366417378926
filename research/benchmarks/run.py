"""Sampling and post-stratification beside the original implementation, in one run.

The original implementation fits every cell of the frame, empty ones included, with Bambi's
default priors and numpyro; it then predicts responses for all 12,000 cells and loops over the
states. Both get the same sample of 5,000 and run in processes of their own, so that neither
inherits the other's memory. Times are wall-clock and include compilation.

    python -m research.benchmarks.run            both parts, the slow original fit included
    python -m research.benchmarks.run --quick    post-stratification only, from stored draws
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

import arviz as az
import bambi as bmb
import numpy as np
import pandas as pd
import psutil
import xarray as xr

from mrp_helpers import (
    CELL,
    fit_or_load,
    load_poststrat_frame,
    poststratify,
    poststratify_draws,
    sampler_health,
)
from mrp_helpers.model import SAMPLER
from research import laboratory

PUBLISHED_GROUPS = ["state", "eth", "edu", "male:eth", "edu:age", "edu:eth"]


def occupied_cells() -> pd.DataFrame:
    return laboratory.in_cells(laboratory.course_sample())


def frame() -> pd.DataFrame:
    return laboratory.with_states(load_poststrat_frame())


def course_model() -> bmb.Model:
    return laboratory.main_model(occupied_cells())


def published_model() -> bmb.Model:
    every_cell = frame().drop(columns="n")
    counts = occupied_cells()[[*CELL, "n", "abortion"]]
    cells = every_cell.merge(counts, on=CELL, how="left").fillna({"n": 0, "abortion": 0})
    cells = cells.astype({"n": int, "abortion": int})
    return bmb.Model(laboratory.formula(PUBLISHED_GROUPS), cells, family="binomial")


def measure(work: Callable[[], object]) -> dict:
    """Run `work`; report seconds, and megabytes above what the process held before."""
    process, peak, done = psutil.Process(), 0, threading.Event()
    start = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.002):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    return {"seconds": seconds, "megabytes": max(peak - start, 0) / 1e6, "result": result}


def sampling(fit: Callable[[], xr.DataTree]) -> dict:
    measured = measure(fit)
    health = sampler_health(measured.pop("result")).iloc[0]
    smallest = min(health["min_ess_bulk"], health["min_ess_tail"])
    return {
        **measured,
        "divergences": int(health["divergences"]),
        "max r-hat": round(float(health["max_r_hat"]), 3),
        "min ESS": float(smallest),
        "min ESS per second": float(smallest / measured["seconds"]),
    }


def sample_the_course_way() -> dict:
    model = course_model()
    return sampling(lambda: model.fit(**SAMPLER, progressbar=False))


def sample_the_published_way() -> dict:
    model = published_model()
    return sampling(
        lambda: model.fit(
            draws=1000,
            tune=1000,
            chains=4,
            inference_method="numpyro",
            nuts={"target_accept": 0.95},
            random_seed=110,
            progressbar=False,
        )
    )


def stored_draws(model: bmb.Model) -> xr.DataTree:
    return fit_or_load(model, "hierarchical")


def poststratify_the_course_way() -> dict:
    model, cells = course_model(), frame()
    draws = stored_draws(model)
    measured = measure(lambda: poststratify(model, draws, cells, by="state"))
    estimates = measured.pop("result").set_index("state")["estimate"]
    return {**measured, "estimates": estimates.to_dict()}


def poststratify_the_published_way() -> dict:
    model, cells = course_model(), frame()
    draws = stored_draws(model)

    def predict_and_loop() -> dict:
        predicted = model.predict(
            draws, kind="response", data=cells.assign(abortion=0), inplace=False
        )
        support = az.extract(predicted)["p"].transpose("__obs__", "sample").to_numpy()
        estimates = {}
        for state, rows in cells.groupby("state").indices.items():
            shares = cells["n"].to_numpy()[rows] / cells["n"].to_numpy()[rows].sum()
            estimates[state] = float((support[rows] * shares[:, None]).sum(axis=0).mean())
        return estimates

    measured = measure(predict_and_loop)
    estimates = measured.pop("result")
    return {**measured, "estimates": estimates}


def poststratify_large_frames() -> dict:
    """1,000 draws on frames of 10^4 to 10^6 cells: time must be linear, memory must not grow."""
    model, cells = course_model(), frame()
    stored = stored_draws(model)
    posterior = stored["posterior"].to_dataset().isel(draw=slice(0, 250))
    draws = xr.DataTree.from_dict({"posterior": posterior})
    copies = pd.concat([cells.assign(place=number) for number in range(84)], ignore_index=True)
    rows = {}
    for size in (10_000, 100_000, 1_000_000):
        part = copies.head(size)
        measured = measure(lambda part=part: poststratify_draws(model, draws, part, by="state"))
        rows[f"{size:,} cells"] = {name: measured[name] for name in ("seconds", "megabytes")}
    return rows


PARTS = {
    part.__name__: part
    for part in (
        sample_the_course_way,
        sample_the_published_way,
        poststratify_the_course_way,
        poststratify_the_published_way,
        poststratify_large_frames,
    )
}


def in_own_process(name: str) -> dict:
    print(f"running {name.replace('_', ' ')} ...", flush=True)
    with TemporaryDirectory() as folder:
        answer = f"{folder}/answer.json"
        command = [
            sys.executable,
            "-m",
            "research.benchmarks.run",
            "--part",
            name,
            "--answer",
            answer,
        ]
        subprocess.run(command, check=True)
        with open(answer) as file:
            return json.load(file)


def show(title: str, rows: dict[str, dict]) -> None:
    table = pd.DataFrame(rows).T
    with pd.option_context("display.width", 120, "display.float_format", "{:,.2f}".format):
        print(f"\n{title}\n{table.to_string()}")


def compare_sampling() -> None:
    ours = in_own_process("sample_the_course_way")
    theirs = in_own_process("sample_the_published_way")
    show("Sampling, 4 chains of 1,000 draws", {"course": ours, "published": theirs})
    ratio = ours["min ESS per second"] / theirs["min ESS per second"]
    print(f"effective draws per second: {ratio:.1f} times")


def compare_poststratification() -> None:
    ours = in_own_process("poststratify_the_course_way")
    theirs = in_own_process("poststratify_the_published_way")
    mine, others = ours.pop("estimates"), theirs.pop("estimates")
    largest = max(abs(mine[state] - others[state]) for state in others)
    show(
        "Post-stratification by state, 12,000 cells and 4,000 draws",
        {"course": ours, "published": theirs},
    )
    print(
        f"{theirs['seconds'] / ours['seconds']:.0f} times faster, "
        f"{theirs['megabytes'] / ours['megabytes']:.0f} times less memory, "
        f"largest difference of an estimate {largest:.1e}"
    )
    show("Large frames, 1,000 draws", in_own_process("poststratify_large_frames"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the two fits")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        with open(options.answer, "w") as file:
            json.dump(PARTS[options.part](), file)
        return
    if not options.quick:
        compare_sampling()
    compare_poststratification()
    print(f"\n{np.__name__} {np.__version__}, bambi {bmb.__version__}; peak memory above the start")


if __name__ == "__main__":
    main()
