"""The course's main model written a second time, in plain PyMC.

Chapters build the model with Bambi, and so does `research/laboratory.py`. Here the same posterior
is spelled out term by term, which is good for two things: `tests/library/test_engine_proofs.py`
compares the two densities, and `research/calibrate.py` fits it to many samples with one
compilation, because its data can be replaced.
"""

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from research.laboratory import GROUP_SD, GROUPS, INTERCEPT_SD, SLOPES, Levels, labels


def model_data(cells: pd.DataFrame, levels: Levels) -> dict[str, np.ndarray]:
    """Turn cells of respondents into the arrays that `plain_model` reads.

    As in Bambi, slopes belong to predictors minus their mean over the cells, and the prior of a
    slope is one over the predictor's standard deviation wide.
    """
    predictors = cells[SLOPES].to_numpy(dtype="float64")
    position = {
        group: pd.Index(levels[group]).get_indexer(labels(cells, group)) for group in GROUPS
    }
    return {
        "people": cells["n"].to_numpy(),
        "support": cells["abortion"].to_numpy(),
        "centred": predictors - predictors.mean(axis=0),
        "slope_sd": 1 / predictors.std(axis=0),
        **{f"{group} of cell": where for group, where in position.items()},
    }


def plain_model(
    cells: pd.DataFrame, levels: Levels, *, effects=pm.Normal, coefficients: bool = False
) -> pm.Model:
    """Write out the posterior of the main model; every array of its data can be replaced.

    The likelihood leaves the binomial coefficients out, unless it is asked for them. They hold no
    parameter, and computing their logarithms at each step would take half of the sampler's time.
    With `effects=pm.ZeroSumNormal` each group's effects add up to zero, which is another prior.
    """
    names = {f"{group} level": levels[group] for group in GROUPS}
    with pm.Model(coords={"slope": SLOPES, **names}) as model:
        data = {name: pm.Data(name, array) for name, array in model_data(cells, levels).items()}
        level = pm.Normal("centred intercept", 0, INTERCEPT_SD)
        slopes = pm.Normal("slopes", 0, data["slope_sd"], dims="slope")
        predictor = level + (data["centred"] * slopes).sum(axis=1)
        for group in GROUPS:
            sd = pm.HalfNormal(f"sd {group}", GROUP_SD)
            standard = effects(f"standard {group}", sigma=1, dims=f"{group} level")
            predictor += (sd * standard)[data[f"{group} of cell"]]
        people, support = data["people"], data["support"]
        if coefficients:
            pm.Binomial("answers", people, logit_p=predictor, observed=support)
        else:
            pm.Potential("answers", support * predictor - people * pm.math.log1pexp(predictor))
    return model


def as_bambi_draws(posterior: xr.Dataset, cells: pd.DataFrame) -> xr.DataTree:
    """Rename draws of `plain_model` as Bambi reports them, intercept at zero predictors."""
    slopes = posterior["slopes"]
    centre = xr.DataArray(cells[SLOPES].mean().to_numpy(), coords={"slope": SLOPES})
    draws = xr.Dataset(
        {"Intercept": posterior["centred intercept"] - (slopes * centre).sum("slope")}
    )
    for name in SLOPES:
        draws[name] = slopes.sel(slope=name, drop=True)
    for group in GROUPS:
        sd = posterior[f"sd {group}"]
        effect = sd * posterior[f"standard {group}"]
        draws[f"1|{group}_sigma"] = sd
        draws[f"1|{group}"] = effect.rename({f"{group} level": f"{group}__factor_dim"})
    return xr.DataTree.from_dict({"posterior": draws})
