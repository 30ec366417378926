"""What an effective draw costs: one posterior, written in five ways, by one sampler.

    python -m research.benchmarks.samplers           all of them, about 15 minutes on two cores

Bambi's model of the course; the same in plain PyMC, with and without the binomial coefficients;
with effects that add up to zero; and with one row for each respondent. Each runs in a process of
its own. Seconds are those of the processor, both cores added up, so that a machine that is busy
with other things does not count. Chapter 14 reads the tables that this script writes beside itself.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable

import arviz as az
import nutpie
import pandas as pd
import pymc as pm
import xarray as xr

from mrp_course.results import FOLDER as RESULTS
from mrp_helpers import poststratify_draws, sampler_health
from research import laboratory
from research.laboratory import SLOPES, in_cells, levels_of, with_states
from research.plain_model import as_bambi_draws, plain_model

SAMPLER = {"chains": 4, "tune": 1000, "draws": 1000, "target_accept": 0.97}
SHORT = {"chains": 2, "tune": 150, "draws": 50, "target_accept": 0.97}
SEEDS = [1, 2]


def bambi_on_cells(people: pd.DataFrame) -> pm.Model:
    model = laboratory.main_model(in_cells(people))
    model.build()
    return model.backend.model


def bambi_on_rows(people: pd.DataFrame) -> pm.Model:
    model = laboratory.main_model(with_states(people), "abortion", "bernoulli")
    model.build()
    return model.backend.model


def plain(people: pd.DataFrame, **options: object) -> pm.Model:
    cells = in_cells(people)
    return plain_model(cells, levels_of(cells), **options)


MODELS: dict[str, Callable[[pd.DataFrame], pm.Model]] = {
    "Bambi, rows": bambi_on_rows,
    "Bambi, cells": bambi_on_cells,
    "plain, with coefficients": lambda people: plain(people, coefficients=True),
    "plain": plain,
    "plain, zero-sum": lambda people: plain(people, effects=pm.ZeroSumNormal),
}


def bambi_names(name: str, fit: xr.DataTree, people: pd.DataFrame) -> xr.DataTree:
    """The draws as `model.fit` of Bambi would report them."""
    posterior = fit["posterior"].to_dataset()
    data = with_states(people) if name == "Bambi, rows" else in_cells(people)
    if not name.startswith("Bambi"):
        return as_bambi_draws(posterior, data)
    # Bambi samples the intercept at the mean of the predictors.
    centre = data[SLOPES].mean()
    posterior["Intercept"] -= sum(posterior[slope] * centre[slope] for slope in SLOPES)
    kept = [v for v in posterior if not v.endswith("_offset") and v != "p"]
    return xr.DataTree.from_dict({"posterior": posterior[kept]})


def count_gradients(fit: xr.DataTree) -> int:
    """How often the gradient was computed, tuning included."""
    return sum(int(fit[part]["n_steps"].sum()) for part in ("sample_stats", "warmup_sample_stats"))


def cost(model: pm.Model, settings: dict, seed: int) -> tuple[dict, xr.DataTree]:
    """Compile and sample a model; say what it took."""
    began = time.process_time()
    compiled = nutpie.compile_pymc_model(model)
    compiling = time.process_time() - began
    began = time.process_time()
    fit = nutpie.sample(compiled, seed=seed, progress_bar=False, save_warmup=True, **settings)
    sampling = time.process_time() - began
    gradients = count_gradients(fit)
    return {
        "compiling": round(compiling, 1),
        "sampling": round(sampling, 1),
        "gradients": gradients,
        "microseconds a gradient": round(1e6 * sampling / gradients, 1),
    }, fit


def run_sampling(name: str, seed: int) -> dict:
    """Sample one model of the sample; report its cost, its health, and its 50 states."""
    sample = laboratory.course_sample()
    row, fit = cost(MODELS[name](sample), SAMPLER, seed)
    draws = bambi_names(name, fit, sample)
    draws["sample_stats"] = fit["sample_stats"]
    health = sampler_health(draws).iloc[0]
    frame = laboratory.frame()
    model = laboratory.main_model(frame)
    by_state = poststratify_draws(model, draws, frame, by="state").unstack("sample")
    values = by_state.transpose("chain", "draw", "group").rename("estimate").to_dataset()
    states = pd.DataFrame(
        {
            "estimate": values["estimate"].mean(("chain", "draw")).to_numpy(),
            "sd": values["estimate"].std(("chain", "draw")).to_numpy(),
            "error": az.mcse(values)["estimate"].to_numpy(),
        },
        index=by_state["group"].to_numpy(),
    )
    row |= {
        "divergences": int(health["divergences"]),
        "max r-hat": round(float(health["max_r_hat"]), 4),
        "min ESS": round(float(min(health["min_ess_bulk"], health["min_ess_tail"]))),
        "min ESS of a state": round(float(az.ess(values)["estimate"].min())),
    }
    return {"row": row, "states": states.round(6).to_dict("index")}


def run_gradient(name: str, whole: bool) -> dict:
    """Time the gradient alone, in a short run, for the sample or the whole survey."""
    people = laboratory.respondents() if whole else laboratory.course_sample()
    size = len(people) if name.endswith("rows") else len(in_cells(people))
    row, _ = cost(MODELS[name](people), SHORT, seed=1)
    return {"lines of data": size, "microseconds a gradient": row["microseconds a gradient"]}


def in_own_process(*job: object) -> dict:
    print("running", *job, flush=True)
    command = [sys.executable, "-m", "research.benchmarks.samplers", json.dumps(job)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main() -> None:
    if len(sys.argv) > 1:
        kind, *arguments = json.loads(sys.argv[1])
        print(json.dumps({"sampling": run_sampling, "gradient": run_gradient}[kind](*arguments)))
        return
    rows, states, gradients = [], [], []
    for name in MODELS:
        for whole in (False, True):
            if name != "plain, zero-sum":
                people = "survey" if whole else "sample"
                found = in_own_process("gradient", name, whole)
                gradients.append({"model": name, "people": people} | found)
        for seed in SEEDS:
            if name != "plain, with coefficients":
                found = in_own_process("sampling", name, seed)
                rows.append({"model": name, "seed": seed} | found["row"])
                states += [
                    {"model": name, "seed": seed, "state": state} | estimate
                    for state, estimate in found["states"].items()
                ]
    pd.DataFrame(rows).to_csv(RESULTS / "samplers.csv", index=False)
    pd.DataFrame(states).to_csv(RESULTS / "samplers_states.csv", index=False)
    pd.DataFrame(gradients).to_csv(RESULTS / "gradients.csv", index=False)


if __name__ == "__main__":
    main()
