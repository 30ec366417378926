"""Exercise 5, fixed effects: logits from cells, reference levels, rank, curvature, five yeses."""

from collections.abc import Callable
from functools import cache

import arviz as az
import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, log_expit, logit

from mrp_course._forms import Names, Number, Table
from mrp_course._task import OTHERS, PER_CENT, REVERSED, task
from mrp_course.tasks import _world as world
from mrp_helpers._bambi import common_design


def _by_gender(table: pd.DataFrame) -> pd.Series:
    counts = table.groupby("male")[["n", "abortion"]].sum()
    return counts["abortion"] / counts["n"]


def _men_minus_women(values: pd.Series) -> float:
    return values[0.5] - values[-0.5]


def _gap_of_mean_shares() -> float:
    cells = world.cells()
    shares = (cells["abortion"] / cells["n"]).groupby(cells["male"]).mean()
    return _men_minus_women(logit(shares))


gap_in_logits = task(
    "5.1",
    Number(),
    answer=lambda: _men_minus_women(logit(_by_gender(world.cells()))),
    right="This is the coefficient that a logistic regression of the cells on `male` alone would "
    "estimate. The counts of the cells are all that it needs to know of 5,000 people.",
    hint="Add up `abortion` and `n` over the cells of each gender, divide, take the logit of each "
    "share, then subtract.",
    mistakes=[
        REVERSED,
        (
            "You averaged the cells' shares, so that a cell with one respondent counts as much "
            "as one with 23. Add up the counts first, and divide then.",
            _gap_of_mean_shares,
        ),
        (
            "This is the difference of the two shares, in points. The model adds on the logit "
            "scale: take the logit of each share before you subtract.",
            lambda: _men_minus_women(_by_gender(world.cells())),
        ),
        (
            "You took logarithms of the shares, which gives the log of a ratio of shares. A "
            "logit is the logarithm of the odds: share divided by one minus share.",
            lambda: _men_minus_women(np.log(_by_gender(world.cells()))),
        ),
        (
            "This is the ratio of the odds. A logistic regression's coefficient is its logarithm.",
            lambda right: np.exp(right),
        ),
        (
            "You counted the population of the laboratory. The model is fitted to the sample's "
            "cells.",
            lambda: _men_minus_women(logit(_by_gender(world.laboratory()))),
        ),
    ],
)


def _ethnicities() -> xr.DataArray:
    """Draws of the coefficients of ethnicity; Black, the reference level, has none."""
    effects = world.draws("fixed-effects")["posterior"].to_dataset()["C(eth)"]
    return effects.rename({"C(eth)_dim": "eth"}).astype("float64")


def _spread(values: xr.DataArray) -> pd.Series:
    return values.std(("chain", "draw")).to_series()


def _sds() -> pd.Series:
    return _spread(_ethnicities())


def _with_black(sds: pd.Series) -> pd.Series:
    """Fill White's place, under Black's name, by the sd of their own difference."""
    return sds.mask(sds.index == "White", _sds()["White"]).rename({"White": "Black"})


def _spread_from_white() -> pd.Series:
    effects = _ethnicities()
    white = effects.sel(eth="White", drop=True)
    to_white = _spread(effects - white).drop("White")
    return pd.concat([to_white, pd.Series({"Black": float(white.std())})]).rename_axis("eth")


def _means_from_white() -> pd.Series:
    effects = _ethnicities().mean(("chain", "draw")).to_series()
    return pd.concat([effects.drop("White"), pd.Series({"Black": 0.0})]) - effects["White"]


# The sds of single chains of this fit lie within 0.003 of these answers.
spread_from_white = task(
    "5.2",
    Table(keys=("eth",), value="sd", within=0.006),
    answer=_spread_from_white,
    right="Nothing was fitted again. Draws of two coefficients rise and fall together with their "
    "common reference, and a difference, taken draw by draw, is free of it. There are many White "
    "people in the sample, so they are a better reference than Black people.",
    hint="Subtract the draws of White from the draws of each other coefficient, and take the sd of "
    "what comes out. The coefficient of the reference level is 0 in every draw.",
    mistakes=[
        (
            "These are the sds of the printed coefficients, differences from Black people still. "
            "Another reference means other differences, and other uncertainty.",
            lambda: _sds().rename({"White": "Black"}),
        ),
        (
            "You added variances, as for two independent numbers. Both coefficients are measured "
            "from the same reference, so they move together: subtract draw by draw, and take the "
            "sd then.",
            lambda: _with_black(np.hypot(_sds(), _sds()["White"])),
        ),
        (
            "You subtracted sds. Uncertainty does not subtract: take the difference in each draw "
            "first, and the sd of these differences then.",
            lambda: _with_black((_sds() - _sds()["White"]).abs()),
        ),
        (
            "These are the means of the differences, not their sds: where they lie, and not how "
            "well they are known.",
            _means_from_white,
        ),
    ],
)


FORMULAS = {
    "A": "C(state) + C(region)",
    "B": "C(state) + male + repvote:male",
    "C": "C(state) + male * repvote",
    "D": "C(region) * repvote",
    "E": "C(state) * C(eth)",
    "F": "repvote + np.log(repvote)",
}


def _design(formula: str, cells: pd.DataFrame) -> np.ndarray:
    model = bmb.Model(f"p(abortion, n) ~ {formula}", cells, family="binomial")
    return common_design(model)


@cache
def _columns_and_rank(formula: str, laboratory: bool = False) -> tuple[int, int]:
    design = _design(formula, world.laboratory() if laboratory else world.cells())
    return design.shape[1], _rank(design)


def _rank(design: np.ndarray) -> int:
    """Find the rank from the different rows alone, which is faster."""
    return int(np.linalg.matrix_rank(np.unique(design, axis=0)))


def _for_each(value: Callable[[str], int]) -> pd.Series:
    return pd.Series({name: value(text) for name, text in FORMULAS.items()}).rename_axis("formula")


def _surplus(formula: str, laboratory: bool = False) -> int:
    columns, rank = _columns_and_rank(formula, laboratory)
    return columns - rank


def _surplus_without_intercept(formula: str) -> int:
    design = _design(formula, world.cells())[:, 1:]
    return design.shape[1] - _rank(design)


surplus_columns = task(
    "5.3",
    Table(keys=("formula",), value="surplus"),
    answer=lambda: _for_each(_surplus),
    right="Regions are sums of states; so is a state's vote, but not the vote times gender. And "
    "35 combinations of state and ethnicity have no respondent: their columns are zero. Two "
    "columns that are merely similar, as in F, are not surplus.",
    hint="Make each model from `cells`, take the common design matrix of `p`, and subtract its "
    "rank from the number of its columns.",
    mistakes=[
        REVERSED,
        (
            "These are the ranks, the numbers of coefficients that the data can determine. How "
            "many more columns does the design have?",
            lambda: _for_each(lambda formula: _columns_and_rank(formula)[1]),
        ),
        (
            "You say whether there is a surplus. The question is how large it is: columns minus "
            "rank.",
            lambda right: (right > 0).astype(int),
        ),
        (
            "You used the cells of the population. The model is fitted to the sample, in which "
            "some combinations of state and ethnicity have no respondent.",
            lambda: _for_each(lambda formula: _surplus(formula, laboratory=True)),
        ),
        (
            "You left out the intercept. Its column of ones is one of the columns of which "
            "others can be sums: all regions add up to one.",
            lambda: _for_each(_surplus_without_intercept),
        ),
    ],
)


def _vote() -> pd.Series:
    return world.states().set_index("state")["repvote"]


def quantities(post: xr.Dataset) -> dict[str, xr.DataArray]:
    """Compute from draws of the collinear model what a reader may want to know."""
    vote = _vote()
    state = {name: post["C(state)"].sel({"C(state)_dim": name}) for name in ["CA", "NY", "WY"]}
    edu = {name: post["C(edu)"].sel({"C(edu)_dim": name}) for name in ["HS", "Post-grad"]}
    return {
        "A": post["repvote"],
        "B": state["CA"],
        "C": state["CA"] - state["NY"],
        "D": edu["HS"] - edu["Post-grad"],
        "E": post["Intercept"] + 0.5 * post["repvote"],
        "F": post["Intercept"] + state["WY"] + vote["WY"] * post["repvote"],
        "G": state["WY"] - state["CA"] + (vote["WY"] - vote["CA"]) * post["repvote"],
        "H": post["male"],
    }


@cache
def _collinear() -> dict[str, xr.DataArray]:
    return quantities(world.fit("fixed-collinear")["posterior"].to_dataset().astype("float64"))


def _what_survives() -> list[str]:
    post = world.draws("fixed-collinear")["posterior"].to_dataset().astype("float64")
    vote = _vote()
    states = post["C(state)_dim"]
    from_reference = (vote[states.to_numpy()] - vote["AK"]).to_numpy()
    walked = post.assign(
        {
            "repvote": post["repvote"] + 10,
            "C(state)": post["C(state)"] - 10 * xr.DataArray(from_reference, {states.name: states}),
            "Intercept": post["Intercept"] - 10 * vote["AK"],
        }
    )
    after = quantities(walked)
    return [
        name
        for name, before in quantities(post).items()
        if float(abs(after[name] - before).max()) < 1e-6
    ]


def _well_explored() -> list[str]:
    return [name for name, draws in _collinear().items() if az.ess(draws.to_numpy()) > 400]


what_survives = task(
    "5.4",
    Names(column="quantity"),
    answer=_what_survives,
    right="What does not change is what a table of cells could give: gaps between people, and "
    "states with their vote included. A difference of two states' coefficients is not among these, "
    "because a part of what makes the states differ is in `repvote`.",
    hint="Add 10 to `repvote`, subtract 10 times each state's vote minus Alaska's from its "
    "coefficient, and 10 times Alaska's vote from the intercept. What has not changed?",
    mistakes=[
        (
            "These are the quantities that change. The question asks for those that do not.",
            lambda right: sorted(set(_collinear()) - set(right)),
        ),
        (
            "You took those whose effective sample size is above 400. That the sampler explores "
            "a quantity well enough does not mean that the data determine it: C and E change with "
            "the step.",
            _well_explored,
        ),
        (
            "You took every quantity that does not contain `repvote`. The step also changes the "
            "coefficients of the states, which subtract what the slope adds.",
            lambda: ["B", "C", "D", "H"],
        ),
        (
            "D and H do not change, but they are not the only ones. A sum can stay the same "
            "although all its parts change: work out what the step does to each sum.",
            lambda: ["D", "H"],
        ),
        (
            "The difference of two states' coefficients, C, looks safe, since the reference "
            "cancels. However, the step subtracts 10 times *their own* votes from them, and the "
            "votes differ.",
            lambda right: sorted({*right, "C"}),
        ),
    ],
)


@cache
def _shares() -> pd.DataFrame:
    """Support in the laboratory: one row an ethnicity, one column an education."""
    return world.respondents().pivot_table(index="eth", columns="edu", values="abortion")


def _white() -> pd.Series:
    return _shares().T["White"]


def _others() -> pd.DataFrame:
    return _shares().drop("White")


def _white_gap() -> float:
    return logit(_white()["Post-grad"]) - logit(_white()["HS"])


def _moved(share: pd.Series, logits: float) -> pd.Series:
    return expit(logit(share) + logits)


curvature_alone = task(
    "5.5",
    Table(keys=("eth",), value="difference"),
    answer=lambda: _moved(_others()["HS"], _white_gap()) - _others()["HS"],
    right="Curvature alone gives this many points. The real differences are -11.6, -3.2 and -12.7. "
    "That of Hispanic people is much smaller on any scale. That of Black people equals White "
    "people's in points but is larger in logits: an interaction belongs to a scale.",
    hint="Add White people's gap in logits to the logit of the HS share, go back to a share, and "
    "subtract the HS share.",
    mistakes=[
        PER_CENT,
        (
            "These are the real differences in the population. What would they be if the gap in "
            "logits were White people's?",
            lambda: _others()["Post-grad"] - _others()["HS"],
        ),
        (
            "You gave each group White people's difference in *points*. The same step in logits "
            "is worth fewer points for a group that starts further from 50%.",
            lambda: pd.Series(_white()["Post-grad"] - _white()["HS"], index=_others().index),
        ),
        (
            "You multiplied the gap by the slope p (1 - p) at the start. That is accurate for a "
            "small step; along this one the slope itself changes. Go to the logit scale, add, "
            "and come back.",
            lambda: _others()["HS"] * (1 - _others()["HS"]) * _white_gap(),
        ),
        (
            "You kept the *ratio* of White people's shares. Carry over the difference of their "
            "logits.",
            lambda: _others()["HS"] * _white()["Post-grad"] / _white()["HS"] - _others()["HS"],
        ),
        (
            "These are the shares of postgraduates that the same gap in logits would give. "
            "Subtract the shares of people with high school.",
            lambda: _moved(_others()["HS"], _white_gap()),
        ),
        (
            "You started from the postgraduates and walked back. Start from high school, as "
            "asked: the curve has another slope there.",
            lambda: _others()["Post-grad"] - _moved(_others()["Post-grad"], -_white_gap()),
        ),
    ],
)


WIDTHS = [0.5, 2.5, 10]
GRID = np.linspace(-60, 60, 12_001)


def _posterior(width: float, yeses: int = 5) -> np.ndarray:
    """Weight of each point of the grid after so many yeses and no no."""
    log_density = -(GRID**2) / (2 * width**2) + yeses * log_expit(GRID)
    weight = np.exp(log_density - log_density.max())
    return weight / weight.sum()


def _for_widths(value: Callable[[float], float]) -> pd.Series:
    return pd.Series([value(width) for width in WIDTHS], index=pd.Index(WIDTHS, name="sd"))


five_yeses = task(
    "5.6",
    Table(keys=("sd",), value="support", within=2e-3),
    answer=lambda: _for_widths(lambda width: _posterior(width) @ expit(GRID)),
    right="With the same five answers the mean is 61%, 91% or 98%, and only the prior differs. "
    "Where all respondents of a state agree, a fixed effect is as large as its prior allows.",
    hint="At each point of the grid multiply the prior density by the probability of five yeses, "
    "make the products sum to 1, and average the support with them.",
    mistakes=[
        PER_CENT,
        OTHERS,
        (
            "You averaged the coefficient and took the support at its mean. The question asks for "
            "the mean of p: turn each point of the grid into a share, then average the shares.",
            lambda: _for_widths(lambda width: expit(_posterior(width) @ GRID)),
        ),
        (
            "This is the mode of the posterior. The question asks for its mean: average over the "
            "whole grid, including the long tail.",
            lambda: _for_widths(lambda width: expit(GRID[_posterior(width).argmax()])),
        ),
        (
            "These are the raw shares, five of five. A prior is given, and with so few answers "
            "it counts.",
            lambda: _for_widths(lambda width: 1.0),
        ),
        (
            "This is 6 of 7, for a prior that is flat in p. The prior here is normal, in logits.",
            lambda: _for_widths(lambda width: 6 / 7),
        ),
        (
            "You used the probability of a single yes. Five people said yes, so it enters five "
            "times.",
            lambda: _for_widths(lambda width: _posterior(width, yeses=1) @ expit(GRID)),
        ),
        (
            "You took the given numbers for variances. Normal(0, 2.5) has the standard deviation "
            "2.5, here and in Bambi.",
            lambda: _for_widths(lambda width: _posterior(np.sqrt(width)) @ expit(GRID)),
        ),
    ],
)
