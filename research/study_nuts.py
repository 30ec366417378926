"""Fit some of the study's samples by full sampling, to compare its approximation with them.

    python -m research.study_nuts               go on until all fits are stored

Each fit is stored as soon as it is done, in mrp_course/results/study_nuts.csv, and is not made
again; the file has a valid checksum when all are there. One core is enough; a fit takes about half
a minute.
"""

from functools import partial

import arviz as az
import numpy as np
import nutpie
import pandas as pd
import xarray as xr

from mrp_course.results import FOLDER as RESULTS
from mrp_helpers import poststratify_draws
from research import laboratory
from research.calibrate import compiled_main_model
from research.laboratory import RECIPES, SLOPES, levels_of, stored_numbers
from research.plain_model import as_bambi_draws, model_data
from tools.write import write_checksums

SAMPLES = {"main model": range(10), "no repvote": range(2)}
SAMPLER = {"chains": 4, "tune": 400, "draws": 750, "target_accept": 0.9, "cores": 1}


def sampled_fit(recipe: str, number: int, estimator: str) -> pd.DataFrame:
    """Sample one model for one of the study's samples, and summarise the nation and the states."""
    frame = laboratory.frame()
    cells = laboratory.in_cells(laboratory.biased_sample(number, recipe))
    data = model_data(cells, levels_of(frame))
    if estimator == "no repvote":
        # A predictor of zeros says nothing, so this is the model without it, already compiled.
        data["centred"][:, SLOPES.index("repvote")] = 0
    compiled = compiled_main_model().with_data(**data)
    fit = nutpie.sample(compiled, seed=number, progress_bar=False, **SAMPLER)
    draws = as_bambi_draws(fit["posterior"].to_dataset(), cells)
    if estimator == "no repvote":
        draws["posterior"]["repvote"] *= 0
        draws["posterior"]["Intercept"] = fit["posterior"]["centred intercept"] - (
            fit["posterior"]["slopes"].sel(slope="male", drop=True) * cells["male"].mean()
        )
    rows = summaries(draws, frame)
    rows.insert(0, "recipe", recipe)
    rows.insert(1, "sample", number)
    rows.insert(2, "estimator", estimator)
    rows["divergences"] = int(fit["sample_stats"]["diverging"].sum())
    return rows


def summaries(draws: xr.DataTree, frame: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation and interval of each area, and how many draws they are worth."""
    model = laboratory.main_model(frame)
    by_state = poststratify_draws(model, draws, frame, by="state")
    nation = poststratify_draws(model, draws, frame)
    values = np.vstack([nation.to_numpy(), by_state.to_numpy()])
    chains = draws["posterior"].sizes["chain"]
    rows = xr.Dataset({"row": (("area", "chain", "draw"), values.reshape(len(values), chains, -1))})
    # Some quantities are sampled better than independently: the sd is what its own size says.
    lower, upper = np.quantile(values, [0.025, 0.975], axis=1)
    return pd.DataFrame(
        {
            "area": ["US", *by_state["group"].to_numpy()],
            "estimate": values.mean(axis=1).round(6),
            "sd": values.std(axis=1, ddof=1).round(6),
            "lower": lower.round(6),
            "upper": upper.round(6),
            "ess_mean": az.ess(rows, method="mean")["row"].to_numpy().round(),
            "ess_sd": az.ess(rows, method="sd")["row"].to_numpy().round(),
            "r_hat": az.rhat(rows)["row"].to_numpy().round(4),
        }
    )


def main() -> None:
    path = RESULTS / "study_nuts.csv"
    done = stored_numbers(path, ["recipe", "sample", "estimator"])
    wanted = [
        (recipe, number, estimator)
        for recipe in reversed(RECIPES)
        for estimator, numbers in SAMPLES.items()
        for number in numbers
    ]
    # A few of each first.
    wanted.sort(key=lambda fit: (fit[1] > 1, list(RECIPES).index(fit[0]) < 2))
    left = [(path, partial(sampled_fit, *fit)) for fit in wanted if fit not in done]
    if left and laboratory.work_through(left):
        write_checksums(RESULTS)


if __name__ == "__main__":
    main()
