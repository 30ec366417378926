"""Small worlds for tests: data, and draws made up to fit a model's parameters.

Post-stratification needs a model's design and any draws of its parameters. Made-up draws make the
comparison with Bambi exact and fast; nothing is sampled.
"""

import numpy as np
import pandas as pd
import xarray as xr

from mrp_helpers._bambi import linear_predictor

STATES = ["AK", "AL", "CA", "NY", "TX"]
AGES = ["18-29", "30-39", "40+"]


def cells(seed: int = 1) -> pd.DataFrame:
    """60 cells: two categorical predictors, two numeric ones, counts, and outcomes."""
    rng = np.random.default_rng(seed)
    grid = pd.MultiIndex.from_product(
        [STATES, AGES, [-0.5, 0.5], ["HS", "College"]], names=["state", "age", "male", "edu"]
    )
    table = grid.to_frame(index=False)
    table["x"] = rng.normal(size=len(table))
    table["exposure"] = rng.uniform(1, 3, size=len(table))
    table["n"] = rng.integers(1, 40, size=len(table))
    table["yes"] = rng.binomial(table["n"], 0.4)
    table["vote"] = rng.integers(0, 2, size=len(table))
    table["height"] = rng.normal(170, 10, size=len(table))
    table["visits"] = rng.poisson(3, size=len(table))
    return table


def draws_for(model, chains: int = 2, draws: int = 30, seed: int = 2) -> xr.DataTree:
    """Random values for each parameter, with the names and dimensions that Bambi gives them."""
    rng = np.random.default_rng(seed)
    shape, dims = (chains, draws), ("chain", "draw")
    posterior = xr.Dataset(coords={"chain": range(chains), "draw": range(draws)})
    predictor = linear_predictor(model)
    for term in predictor.terms:
        if term.parameter is None:  # an offset
            continue
        coords = dict(reversed(term.coordinates.items()))
        posterior = posterior.assign_coords(coords)
        sizes = tuple(len(levels) for levels in coords.values())
        posterior[term.parameter] = (dims + tuple(coords), rng.normal(0, 0.4, size=shape + sizes))
        if "sigma" in term.hyperparameters:  # one for each column of the expression
            spread = rng.uniform(0.1, 1, size=shape + sizes[:-1])
            posterior[term.hyperparameters["sigma"]] = (dims + tuple(coords)[:-1], spread)
    for name in predictor.others:
        posterior[name] = (dims, rng.uniform(0.5, 2, size=shape))
    quiet = xr.Dataset({"diverging": (dims, np.zeros(shape, dtype=bool))})
    observed = xr.Dataset({predictor.outcome: ("__obs__", predictor.observed)})
    return xr.DataTree.from_dict(
        {"posterior": posterior, "sample_stats": quiet, "observed_data": observed}
    )
