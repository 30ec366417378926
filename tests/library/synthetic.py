"""Small worlds for tests: data, and draws made up to fit a model's parameters.

Post-stratification needs a model's design and any draws of its parameters. Made-up draws make the
comparison with Bambi exact and fast; nothing is sampled.
"""

import numpy as np
import pandas as pd
import xarray as xr

from mrp_helpers._bambi import regression

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
    parts = regression(model)
    for term in parts.terms:
        if term.parameter is None:  # an offset
            continue
        # As Bambi's own draws: the outcome's levels, then the expression, then the groups.
        coords = term.equations | dict(reversed(term.coordinates.items()))
        posterior = posterior.assign_coords(coords)
        sizes = tuple(len(levels) for levels in coords.values())
        posterior[term.parameter] = (dims + tuple(coords), rng.normal(0, 0.4, size=shape + sizes))
        if "sigma" in term.hyperparameters:  # one for each column of the expression
            spread = rng.uniform(0.1, 1, size=shape + sizes[:-1])
            posterior[term.hyperparameters["sigma"]] = (dims + tuple(coords)[:-1], spread)
    for name, constant in parts.constants.items():
        posterior = posterior.assign_coords(constant.coordinates)
        sizes = tuple(len(labels) for labels in constant.coordinates.values())
        low, high = (0.1, 0.9) if name == "psi" else (0.5, 2)
        values = rng.uniform(low, high, size=shape + sizes)
        values = np.sort(values, axis=-1) if sizes else values  # thresholds
        posterior[constant.draws] = (dims + tuple(constant.coordinates), values)
    quiet = xr.Dataset({"diverging": (dims, np.zeros(shape, dtype=bool))})
    rows = ("__obs__", "level")[: parts.observed.ndim]
    observed = xr.Dataset({parts.outcome: (rows, parts.observed)})
    return xr.DataTree.from_dict(
        {"posterior": posterior, "sample_stats": quiet, "observed_data": observed}
    )
