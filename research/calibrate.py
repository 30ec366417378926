"""Ask whether the course's intervals keep their promise, by doing it all over many times.

    python -m research.calibrate               go on until both studies are complete
    python -m research.calibrate --minutes 5   stop after five minutes; the next run goes on

*Ranks*: simulation-based calibration of a small model. Parameters come from the priors, answers
from the parameters, draws from the answers; the rank of each true value among its draws must be
uniform. *Coverage*: repeated biased samples in the laboratory, where the truth is known, and how
often an interval holds it.

Each simulation has its number for a seed and is stored as soon as it is done, so a run can be
stopped at any time. Results are in mrp_course/results, beside the settings they belong to.
"""

import json
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import arviz as az
import bambi as bmb
import numpy as np
import nutpie
import pandas as pd
import pytensor
import xarray as xr
from scipy.special import expit
from scipy.stats import binom

from mrp_course.results import FOLDER
from mrp_helpers import CELL, aggregate_cells, poststratify_draws
from research import laboratory
from research.laboratory import NATION, RECIPES, levels_of, stored_numbers
from research.plain_model import as_bambi_draws, model_data, plain_model
from tools.write import write_checksums, write_whole

ROOT = Path(__file__).resolve().parent.parent

# How many are wanted. More can be asked for at any time: what is stored stays.
SIMULATIONS = {"ranks": 668, "published": 9, "milder": 8, "published, long": 4}
RANKS = {
    "priors": {"Intercept": 1.0, "male": 1.0, "vote": 2.0, "group sd": 0.5},
    "sampler": {"chains": 4, "tune": 500, "draws": 500, "target_accept": 0.95},
    "kept": 99,
}
SHORT = {"chains": 4, "tune": 400, "draws": 300, "target_accept": 0.9}
LONG = {"chains": 4, "tune": 1000, "draws": 1000, "target_accept": 0.97}
COVERAGE = {
    "published": {"people": 5000, "recipe": RECIPES["published"], "sampler": SHORT},
    "milder": {"people": 5000, "recipe": RECIPES["milder"], "sampler": SHORT},
    # The same samples as the first of "published": do short chains say what long ones say?
    "published, long": {"people": 5000, "recipe": RECIPES["published"], "sampler": LONG},
}
GROUP_COLUMNS = ["state", "age"]
CELL_COLUMNS = [*GROUP_COLUMNS, "male"]


# Ranks: a small model, its truth drawn from its own priors.


def small_frame() -> pd.DataFrame:
    """A made-up population of 64 cells, and how many of each were asked: more men than women."""
    rng = np.random.default_rng(2026)
    cells = pd.MultiIndex.from_product(
        [list("ABCDEFGH"), ["18-29", "30-44", "45-64", "65+"], [-0.5, 0.5]], names=CELL_COLUMNS
    )
    frame = cells.to_frame(index=False)
    frame["vote"] = frame["state"].map(dict(zip("ABCDEFGH", np.linspace(0.3, 0.7, 8), strict=True)))
    frame["n"] = rng.integers(500, 20_000, size=len(frame))
    frame["asked"] = 1 + rng.poisson(np.where(frame["male"] > 0, 12, 4))
    frame["yes"] = 0
    return frame


def small_model(frame: pd.DataFrame) -> bmb.Model:
    widths = RANKS["priors"]
    sd = bmb.Prior("HalfNormal", sigma=widths["group sd"])
    priors = {name: bmb.Prior("Normal", mu=0, sigma=widths[name]) for name in widths}
    del priors["group sd"]
    priors |= {f"1|{group}": bmb.Prior("Normal", mu=0, sigma=sd) for group in GROUP_COLUMNS}
    formula = "p(yes, asked) ~ male + vote + (1|state) + (1|age)"
    return bmb.Model(formula, frame, family="binomial", priors=priors)


@cache
def compiled_small_model():
    """Bambi's own posterior, compiled once: its answers become data that can be replaced."""
    frame = small_frame()
    model = small_model(frame)
    model.build()
    backend = model.backend.model
    (outcome,) = backend.observed_RVs
    fixed = backend.rvs_to_values[outcome]
    answers = pytensor.shared(fixed.data, name="answers", shape=fixed.type.shape)
    backend.rvs_to_values[outcome] = answers
    del backend.values_to_rvs[fixed]
    backend.values_to_rvs[answers] = outcome
    return frame, model, nutpie.compile_pymc_model(backend)


def true_world(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    """Draw every parameter from its prior; return the ones to rank, and each cell's probability."""
    widths = RANKS["priors"]
    truth = {name: rng.normal(0, widths[name]) for name in ("Intercept", "male", "vote")}
    predictor = truth.pop("Intercept") + sum(
        truth[name] * (frame[name] - frame[name].mean()) for name in ("male", "vote")
    )
    for group in GROUP_COLUMNS:
        sd = abs(rng.normal(0, widths["group sd"]))
        levels = sorted(frame[group].unique())
        effects = dict(zip(levels, sd * rng.normal(size=len(levels)), strict=True))
        truth[f"sd of {group}"] = sd
        predictor = predictor + frame[group].map(effects)
    return truth, expit(predictor.to_numpy())


def with_aggregates(truth: dict, frame: pd.DataFrame, p: np.ndarray) -> dict:
    """Add to a true world what post-stratification estimates."""
    in_a = (frame["state"] == "A").to_numpy()
    people = frame["n"].to_numpy()
    return truth | {
        "nation": np.average(p, weights=people),
        "state A": np.average(p[in_a], weights=people[in_a]),
    }


def small_draws(posterior: xr.Dataset, frame: pd.DataFrame) -> xr.DataTree:
    """Report the intercept at predictors of zero, as Bambi's fit does."""
    means = frame[["male", "vote"]].mean()
    shift = posterior["male"] * means["male"] + posterior["vote"] * means["vote"]
    draws = posterior.drop_vars([name for name in posterior if "_offset" in name or name == "p"])
    draws["Intercept"] = posterior["Intercept"] - shift
    return xr.DataTree.from_dict({"posterior": draws})


def largest_r_hat(draws: xr.Dataset) -> float:
    worst = (float(values.max()) for values in az.rhat(draws).data_vars.values())
    return round(max(worst), 3)


def simulate_rank(number: int) -> pd.DataFrame:
    """Draw a world, its answers and its posterior; count the draws below each true value."""
    frame, model, compiled = compiled_small_model()
    rng = np.random.default_rng([number, 1])
    truth, p = true_world(frame, rng)
    truth = with_aggregates(truth, frame, p)
    answers = rng.binomial(frame["asked"], p)
    truth["log-likelihood"] = binom.logpmf(answers, frame["asked"], p).sum()
    fit = nutpie.sample(
        compiled.with_data(answers=answers), seed=number, progress_bar=False, **RANKS["sampler"]
    )
    draws = small_draws(fit["posterior"].to_dataset(), frame)
    ranked = ranked_draws(model, draws, frame, answers)
    step = len(ranked["nation"]) // RANKS["kept"]
    kept = {name: values[::step][: RANKS["kept"]] for name, values in ranked.items()}
    row = {"simulation": number, "answers": int(answers.sum())}
    row["divergences"] = int(fit["sample_stats"]["diverging"].sum())
    row["max_r_hat"] = largest_r_hat(draws["posterior"].to_dataset())
    for name, value in truth.items():
        row[name] = round(float(value), 6)
        row[f"rank of {name}"] = int((kept[name] < value).sum())
    return pd.DataFrame([row])


def ranked_draws(model, draws: xr.DataTree, frame: pd.DataFrame, answers: np.ndarray) -> dict:
    """Draws of each quantity that is ranked, chain after chain."""
    posterior = draws["posterior"]
    names = {"male": "male", "vote": "vote"}
    names |= {f"sd of {group}": f"1|{group}_sigma" for group in GROUP_COLUMNS}
    values = {name: posterior[stored].to_numpy().ravel() for name, stored in names.items()}
    values["nation"] = poststratify_draws(model, draws, frame).to_numpy()[0]
    by_state = poststratify_draws(model, draws, frame, by="state")
    values["state A"] = by_state.sel(group="A").to_numpy()
    # The frame is sorted by its cells, and so are the groups.
    p = poststratify_draws(model, draws, frame, by=CELL_COLUMNS).to_numpy()
    columns = answers[:, None], frame["asked"].to_numpy()[:, None]
    values["log-likelihood"] = binom.logpmf(*columns, p).sum(axis=0)
    return values


# Coverage: biased samples in the laboratory.


@cache
def compiled_main_model():
    """The main model in plain PyMC, compiled once: another sample brings other cells."""
    frame = laboratory.frame()
    return nutpie.compile_pymc_model(plain_model(frame, levels_of(frame)))


def simulate_coverage(recipe: str, number: int) -> pd.DataFrame:
    """Draw a biased sample, fit the main model, and rank each area's truth among its draws."""
    study = COVERAGE[recipe]
    frame = laboratory.frame()
    sample = laboratory.biased_sample(number, recipe.removesuffix(", long"), study["people"])
    cells = laboratory.in_cells(sample)
    data = model_data(cells, levels_of(frame))
    fit = nutpie.sample(
        compiled_main_model().with_data(**data),
        seed=number,
        progress_bar=False,
        **study["sampler"],
    )
    draws = as_bambi_draws(fit["posterior"].to_dataset(), cells)
    rows = rank_areas(draws, sample, frame, np.random.default_rng([number, 2]))
    rows.insert(0, "recipe", recipe)
    rows.insert(1, "sample", number)
    rows["divergences"] = int(fit["sample_stats"]["diverging"].sum())
    rows["max_r_hat"] = largest_r_hat(draws["posterior"].to_dataset())
    return rows


def rank_areas(
    draws: xr.DataTree, sample: pd.DataFrame, frame: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """For the nation and each state: the estimate, and how many draws lie below the truth.

    ``below`` ranks the truth among draws of the expected share, which is what `poststratify`
    reports. ``below_people`` ranks it among draws of the share of the finite population: those who
    answered count as they did, the others' answers are drawn with the probability of their cell.
    """
    # Here only for the design that post-stratification reads.
    model = laboratory.main_model(frame)
    by_state = poststratify_draws(model, draws, frame, by="state")
    nation = poststratify_draws(model, draws, frame)
    expected = np.vstack([nation.to_numpy(), by_state.to_numpy()])
    area = [NATION, *by_state["group"].to_numpy()]
    realised = sum_by_area(realised_answers(model, draws, sample, frame, rng), frame)
    people = sum_by_area(frame[["n"]].to_numpy(), frame)
    support = sum_by_area(frame[["abortion"]].to_numpy(), frame)
    asked = sample["state"].value_counts().reindex(area, fill_value=0)
    asked[NATION] = len(sample)
    # Counts of people tie; half of the ties are taken to be below.
    ties = (realised == support).sum(axis=1)
    return pd.DataFrame(
        {
            "area": area,
            "asked": asked.to_numpy(),
            "estimate": expected.mean(axis=1).round(5),
            "sd": expected.std(axis=1, ddof=1).round(5),
            "r_hat": r_hat_of_rows(expected, draws).round(3),
            "below": (expected < support / people).sum(axis=1),
            "below_people": (realised < support).sum(axis=1) + ties // 2,
        }
    )


def r_hat_of_rows(values: np.ndarray, draws: xr.DataTree) -> np.ndarray:
    """R-hat of each row, whose draws are in the order of chains."""
    chains = draws["posterior"].sizes["chain"]
    rows = values.reshape(len(values), chains, -1)
    return az.rhat(xr.Dataset({"row": (("area", "chain", "draw"), rows)}))["row"].to_numpy()


def sum_by_area(values: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    """Sum rows of cells into the nation and the states."""
    states = np.sort(frame["state"].unique())
    member = (states[:, None] == frame["state"].to_numpy()).astype("float64") @ values
    return np.vstack([values.sum(axis=0), member])


def realised_answers(
    model, draws: xr.DataTree, sample: pd.DataFrame, frame: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """How many of each cell's people support, draw by draw, given those who have answered."""
    # The frame is sorted by its cells, and so are the groups.
    p = poststratify_draws(model, draws, frame, by=CELL).to_numpy()
    known = frame[CELL].merge(aggregate_cells(sample), on=CELL, how="left").fillna(0)
    silent = (frame["n"] - known["n"]).astype(int).to_numpy()[:, None]
    return known["abortion"].to_numpy()[:, None] + rng.binomial(silent, p)


# Storing and going on.


def settings() -> dict:
    """Everything that a stored result depends on, as JSON would give it back."""
    return json.loads(json.dumps({"ranks": RANKS, "coverage": COVERAGE}))


def stored_settings() -> dict:
    return json.loads((FOLDER / "calibration_settings.json").read_text(encoding="utf-8"))


def require_same_settings() -> None:
    """Write down the settings of new results, or stop when those that are there have others."""
    path = FOLDER / "calibration_settings.json"
    if not path.is_file():
        packages = ["bambi", "pymc", "nutpie", "numpy", "pandas"]
        made = settings() | {"versions": {name: version(name) for name in packages}}
        write_whole(path, json.dumps(made, indent=2) + "\n")
    stored = stored_settings()
    for study, wanted in settings().items():
        if stored[study] != wanted:
            sys.exit(
                f"The stored results of {study!r} have other settings than research/calibrate.py. "
                "Remove mrp_course/results/calibration_* to start again, or restore the settings."
            )


def work_to_do() -> list[tuple[Path, Callable[[], pd.DataFrame]]]:
    """List the simulations that no file holds yet, both studies in turn."""
    ranks, coverage = FOLDER / "calibration_ranks.csv", FOLDER / "calibration_coverage.csv"
    done = stored_numbers(coverage, ["recipe", "sample"])
    wanted = [(recipe, number) for recipe in COVERAGE for number in range(SIMULATIONS[recipe])]
    work = [
        (coverage, partial(simulate_coverage, recipe, number))
        # Recipes in turn, so that a run that is stopped has as many of each.
        for recipe, number in sorted(wanted, key=lambda one: one[1])
        if (recipe, number) not in done
    ]
    done = stored_numbers(ranks, ["simulation"])
    work += [
        (ranks, partial(simulate_rank, number))
        for number in range(SIMULATIONS["ranks"])
        if (number,) not in done
    ]
    return work


def main() -> None:
    minutes = laboratory.minutes_asked(__doc__.splitlines()[0])
    require_same_settings()
    if laboratory.work_through(work_to_do(), minutes):
        write_checksums(FOLDER)
        print(f"Both studies are complete, in {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
