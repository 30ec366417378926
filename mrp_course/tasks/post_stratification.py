"""Exercise 7, post-stratification: frames of one's own, subgroups, differences, unseen states."""

from collections.abc import Callable
from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
from scipy.special import expit, logit

from mrp_course._forms import Number, Table
from mrp_course._task import PER_CENT, UPSIDE_DOWN, task
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.recode import CELL, LEVELS

OLDER = ["60-69", "70+"]
GROUPINGS = {
    "age within state": ["state", "age"],
    "education": ["edu"],
    "ethnicity within region": ["region", "eth"],
}
HELD_OUT = ["MA", "MN", "SC", "WA"]
# What the exercise supposes, and no survey found.
TURNOUT = dict(zip(LEVELS["age"], [0.35, 0.45, 0.50, 0.60, 0.65, 0.70], strict=True))


@cache
def _expected() -> pd.DataFrame:
    """The cells of the laboratory, with the main model's expected support in each."""
    draws = poststratify_draws(
        world.main_model(), world.draws("hierarchical"), world.laboratory(), by=CELL
    )
    means = draws.mean("sample").to_series().rename("expected").rename_axis(CELL)
    return world.laboratory().join(means, on=CELL, validate="one_to_one")


@cache
def _respondents() -> pd.DataFrame:
    """The biased sample, with the states' regions."""
    return world.with_states(world.sample())


def _weighted(cells: pd.DataFrame, by: list[str] | str) -> pd.Series:
    """Mean of the expected support in groups of cells, each cell counting by its people."""
    totals = (
        cells.assign(support=cells["expected"] * cells["n"]).groupby(by)[["support", "n"]].sum()
    )
    return totals["support"] / totals["n"]


def _estimate(frame: pd.DataFrame) -> float:
    """Post-stratify the main model to all cells of a frame."""
    table = poststratify(world.main_model(), world.draws("hierarchical"), frame)
    return float(table["estimate"].item())


def _texas(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["state"] == "TX"]


def _older(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["age"].isin(OLDER)]


# Between chains the estimate differs by 0.001; the nearest mistake is 0.012 away.
@task(
    "7.1",
    Number(within=0.004),
    right="A frame of your own can be a filter: the model has an expected answer for each cell, "
    "and your question decides which cells count. One fit serves all such questions.",
    hint="Keep the cells of Texas with age 60-69 or 70+ in the census frame, then post-stratify "
    "the model to what is left.",
    slips=[PER_CENT],
)
def older_texans() -> float:
    return _estimate(_older(_texas(world.census())))


@older_texans.mistake(
    "This is the estimate for all adult citizens of Texas. Keep only the cells of people of 60 and "
    "over."
)
def _() -> float:
    return _estimate(_texas(world.census()))


@older_texans.mistake(
    "This is the estimate for people of 60 and over in all 50 states. Keep only the cells of Texas."
)
def _() -> float:
    return _estimate(_older(world.census()))


@older_texans.mistake(
    "You post-stratified to the laboratory's frame, which counts respondents of the survey. For "
    "the citizens of Texas use the census's counts."
)
def _() -> float:
    return _estimate(_older(_texas(world.laboratory())))


@older_texans.mistake(
    "You gave each cell the same weight. Some hold a few hundred people and others half a million: "
    "weight them by n."
)
def _() -> float:
    return _estimate(_older(_texas(world.census())).assign(n=1))


@older_texans.mistake(
    "This is the mean of the older Texans in the sample. They lean, and they are few: "
    "post-stratify the model to the frame instead."
)
def _() -> float:
    return float(_older(_texas(world.sample()))["abortion"].mean())


@older_texans.mistake(
    "You kept only those of 70 and over. People of 60 to 69 belong to the group too."
)
def _() -> float:
    frame = _texas(world.census())
    return _estimate(frame[frame["age"] == "70+"])


# Between a chain and all four lie up to 0.002; the nearest mistake is 0.0035 away.
@task(
    "7.2",
    Table(keys=("edu",), within=0.003),
    right="Five weighted means, and that is all of post-stratification. No cell was left out: a "
    "third of these people live in cells in which the sample has nobody.",
    hint="Within a level of education, sum expected support times people, and divide by the sum "
    "of people.",
    slips=[PER_CENT],
)
def by_education() -> pd.Series:
    return _weighted(_expected(), "edu")


@by_education.mistake(
    "You gave each cell the same weight. A cell counts by its people: weight the expected support "
    "by n."
)
def _() -> pd.Series:
    return _expected().groupby("edu")["expected"].mean()


@by_education.mistake(
    "You averaged the 50 states' estimates, each counting once. California has fifty times the "
    "people of Wyoming: sum over all cells of a level at once."
)
def _() -> pd.Series:
    return _weighted(_expected(), ["state", "edu"]).groupby("edu").mean()


@by_education.mistake(
    "You left out the cells in which the sample has nobody. The model has an expected support for "
    "them, and their people belong to the population."
)
def _() -> pd.Series:
    return _weighted(_expected().merge(world.sample()[CELL].drop_duplicates(), on=CELL), "edu")


@by_education.mistake(
    "You weighted the cells by the sample's respondents, so the sample's lean came back. Weight "
    "them by the frame's n."
)
def _() -> pd.Series:
    means = _expected()[[*CELL, "expected"]]
    return _weighted(world.cells().merge(means, on=CELL, validate="one_to_one"), "edu")


@by_education.mistake(
    "These are the sample's own shares in each level of education. Average the model's expected "
    "support over the frame's cells instead."
)
def _() -> pd.Series:
    return world.sample().groupby("edu")["abortion"].mean()


@by_education.mistake(
    "You divided by all people of the frame. The weights within a level of education have to add "
    "up to 1: divide by the people of that level."
)
def _() -> pd.Series:
    cells = _expected()
    return (cells["expected"] * cells["n"]).groupby(cells["edu"]).sum() / cells["n"].sum()


@by_education.mistake(
    "You averaged on the logit scale and transformed the mean. People are counted on the scale of "
    "shares: transform each cell first, then average."
)
def _() -> pd.Series:
    cells = _expected()
    means = _weighted(cells.assign(expected=logit(cells["expected"])), "edu")
    return means.map(expit)


@cache
def _compared(grouping: str) -> pd.DataFrame:
    """Truth, raw mean and estimate of every group of the laboratory, where there is one."""
    by = GROUPINGS[grouping]
    totals = world.laboratory().groupby(by)[["abortion", "n"]].sum()
    return pd.DataFrame(
        {
            "truth": totals["abortion"] / totals["n"],
            "raw": _respondents().groupby(by)["abortion"].mean(),
            "mrp": _weighted(_expected(), by),
            "people": totals["n"],
        }
    )


def _error(table: pd.DataFrame, method: str) -> pd.Series:
    return table[method] - table["truth"]


def _gains(gain: Callable[[pd.Series, pd.Series, pd.DataFrame], float]) -> pd.Series:
    """Apply a function of the errors to the three groupings, over groups with a raw mean."""
    tables = {name: _compared(name).dropna() for name in GROUPINGS}
    found = {name: gain(_error(t, "raw"), _error(t, "mrp"), t) for name, t in tables.items()}
    return pd.Series(found).rename_axis("grouping")


# Between a chain and all four lie up to 0.0006.
@task(
    "7.3",
    Table(keys=("grouping",), value="gain", within=0.001),
    right="The smallest groups gain most: 8.9 points for age within state, where half of the "
    "groups have at most 12 respondents. Education, with hundreds in each level, gains 1.2.",
    hint="For each grouping: mean absolute error of the raw means, minus mean absolute error of "
    "the model's estimates, over the groups that have a raw mean.",
    slips=[PER_CENT],
)
def gain_by_grouping() -> pd.Series:
    return _gains(lambda raw, mrp, table: raw.abs().mean() - mrp.abs().mean())


@gain_by_grouping.mistake(
    "The sizes are right and the signs are not: a gain is the error of the raw means minus the "
    "error of the model's estimates."
)
def _() -> pd.Series:
    return _gains(lambda raw, mrp, table: mrp.abs().mean() - raw.abs().mean())


@gain_by_grouping.mistake(
    "You compared two different sets of groups. In some combinations of state and age the sample "
    "has nobody: score the model on the same groups as the raw means."
)
def _() -> pd.Series:
    found = {
        name: _error(_compared(name), "raw").abs().mean()
        - _error(_compared(name), "mrp").abs().mean()
        for name in GROUPINGS
    }
    return pd.Series(found).rename_axis("grouping")


@gain_by_grouping.mistake(
    "You averaged errors with their signs, and errors up and down cancelled. Take absolute values "
    "before you average."
)
def _() -> pd.Series:
    return _gains(lambda raw, mrp, table: raw.mean() - mrp.mean())


@gain_by_grouping.mistake(
    "You compared root mean square errors, which count large errors more. The mean absolute error "
    "is asked for."
)
def _() -> pd.Series:
    return _gains(lambda raw, mrp, table: np.sqrt((raw**2).mean()) - np.sqrt((mrp**2).mean()))


@gain_by_grouping.mistake("You let each group count by its people. Here every group counts once.")
def _() -> pd.Series:
    return _gains(
        lambda raw, mrp, table: np.average(raw.abs() - mrp.abs(), weights=table["people"])
    )


@gain_by_grouping.mistake(
    "You divided the gain by the raw error. The difference itself is asked for, in the unit of "
    "the shares."
)
def _() -> pd.Series:
    return _gains(lambda raw, mrp, table: 1 - mrp.abs().mean() / raw.abs().mean())


@gain_by_grouping.mistake(
    "This is how far the raw means and the model's estimates lie apart. A gain needs the truth: "
    "compare each of them with it."
)
def _() -> pd.Series:
    return _gains(lambda raw, mrp, table: (raw - mrp).abs().mean())


@gain_by_grouping.mistake(
    "You took 0 for the raw mean of groups without respondents. There is no raw mean to score: "
    "leave these groups out for both methods."
)
def _() -> pd.Series:
    found = {}
    for name in GROUPINGS:
        table = _compared(name).fillna({"raw": 0})
        found[name] = _error(table, "raw").abs().mean() - _error(table, "mrp").abs().mean()
    return pd.Series(found).rename_axis("grouping")


@cache
def _montana() -> tuple[np.ndarray, np.ndarray]:
    """Draws of support in Montana: high-school diploma, postgraduate degree."""
    frame = world.census().query("state == 'MT'")
    draws = poststratify_draws(world.main_model(), world.draws("hierarchical"), frame, by="edu")
    return draws.sel(group="HS").to_numpy(), draws.sel(group="Post-grad").to_numpy()


def _ends(lower: float, upper: float) -> pd.Series:
    return pd.Series({"lower": lower, "upper": upper}).rename_axis("end")


def _quantiles(values: np.ndarray, prob: float = 0.95) -> np.ndarray:
    ends: np.ndarray = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2])
    return ends


# Between a chain and all four lie up to 0.001; a 90 % interval is 0.007 away.
@task(
    "7.4",
    Table(keys=("end",), value="value", within=0.004),
    right="The two groups live in one state: what the model does not know about Montana moves both "
    "up or down together and cancels in the difference. Only the draws know that.",
    hint="Subtract the draws of the one group from the draws of the other, draw by draw, and take "
    "the quantiles of the 4,000 differences.",
    slips=[PER_CENT],
)
def difference_in_montana() -> pd.Series:
    diploma, degree = _montana()
    return _ends(*_quantiles(diploma - degree))


@difference_in_montana.mistake(
    "You subtracted the other way round. The question asks for high school minus postgraduate."
)
def _() -> pd.Series:
    diploma, degree = _montana()
    return _ends(*_quantiles(degree - diploma))


@difference_in_montana.mistake(
    "You subtracted lower end from lower end and upper from upper. That supposes that both groups "
    "are at their lowest in the same draw: subtract the draws, then take quantiles."
)
def _() -> pd.Series:
    diploma, degree = _montana()
    return _ends(*(_quantiles(diploma) - _quantiles(degree)))


@difference_in_montana.mistake(
    "You took the outermost ends: one group at its lowest and the other at its highest. In hardly "
    "any draw do they part like that: subtract the draws, then take quantiles."
)
def _() -> pd.Series:
    diploma, degree = _montana()
    return _ends(*(_quantiles(diploma) - _quantiles(degree)[::-1]))


@difference_in_montana.mistake(
    "You added the two variances, as for independent estimates. Both groups share Montana's "
    "effect, so their draws move together: subtract them draw by draw."
)
def _() -> pd.Series:
    diploma, degree = _montana()
    sd = np.hypot(diploma.std(), degree.std())
    middle = (diploma - degree).mean()
    return _ends(middle - 1.96 * sd, middle + 1.96 * sd)


@difference_in_montana.mistake(
    "This is the mean plus and minus one standard deviation, which holds two thirds of the draws. "
    "Take the 2.5 % and 97.5 % quantiles."
)
def _() -> pd.Series:
    difference = np.subtract(*_montana())
    return _ends(difference.mean() - difference.std(), difference.mean() + difference.std())


@difference_in_montana.mistake(
    "You divided by the root of the number of draws. That says how exactly the sampler knows the "
    "mean, and more draws would shrink it to nothing; the spread of the draws is what counts."
)
def _() -> pd.Series:
    difference = np.subtract(*_montana())
    error = difference.std() / np.sqrt(difference.size)
    return _ends(difference.mean() - 1.96 * error, difference.mean() + 1.96 * error)


@difference_in_montana.mistake(
    "This is a 90 % interval: 5 % of the draws lie on either side. For 95 % cut off 2.5 %."
)
def _() -> pd.Series:
    return _ends(*_quantiles(np.subtract(*_montana()), prob=0.90))


@cache
def _four_states() -> pd.DataFrame:
    frame = world.census()
    return frame[frame["state"].isin(HELD_OUT)]


@cache
def _model_of_46() -> bmb.Model:
    cells = world.cells()
    return world.multilevel(cells[~cells["state"].isin(HELD_OUT)])


def _widths(table: pd.DataFrame) -> pd.Series:
    table = table.set_index("state")
    return table["upper"] - table["lower"]


@cache
def _widths_asked() -> pd.Series:
    draws = world.draws("hierarchical")
    return _widths(poststratify(world.main_model(), draws, _four_states(), by="state"))


@cache
def _widths_unseen(spread: float = 1.0) -> pd.Series:
    """Widths for the states that the model never saw, with the spread between states scaled."""
    draws = world.draws("states-held-out").copy(deep=True)
    draws["posterior"]["1|state_sigma"] = spread * draws["posterior"]["1|state_sigma"]
    table = poststratify(
        _model_of_46(),
        draws,
        _four_states(),
        by="state",
        new_levels="population",
        random_seed=7,
    )
    return _widths(table)


# A ratio of widths from one chain differs by up to 0.11 from that of all four, and one with another
# seed by less; a narrower margin than the 0.25 between two of the mistakes.
@task(
    "7.5",
    Table(keys=("state",), value="ratio", within=0.2),
    right="About 1.6 times as wide: a hundred respondents are worth that much. What is left is the "
    "spread between states that the vote share and the cells cannot explain.",
    hint="Divide, state by state, the width of the interval from the model of 46 states by that "
    "from the main model, with new_levels='population' for the first.",
    slips=[UPSIDE_DOWN],
)
def width_when_unseen() -> pd.Series:
    return _widths_unseen() / _widths_asked()


@width_when_unseen.mistake(
    "Your intervals do not contain the spread between states: the state's effect was held at zero, "
    "so an unseen state looks better known than one that was asked. Draw its effect."
)
def _() -> pd.Series:
    return _widths_unseen(spread=0.0) / _widths_asked()


@width_when_unseen.mistake(
    "Both widths come from one model, the one that saw these states: new_levels has no effect "
    "there. Use the model of 46 states and its draws for the first."
)
def _() -> pd.Series:
    return _widths_asked() / _widths_asked()


@width_when_unseen.mistake(
    "This is the difference of the two widths. How many times as wide is a ratio."
)
def _() -> pd.Series:
    return _widths_unseen() - _widths_asked()


@width_when_unseen.mistake(
    "This is the ratio of the variances. A width goes with the standard deviation: leave out the "
    "square."
)
def _() -> pd.Series:
    return (_widths_unseen() / _widths_asked()) ** 2


@cache
def _by_age() -> pd.DataFrame:
    """Estimate and population of each age band in the census frame, with its turnout."""
    draws = world.draws("hierarchical")
    table = poststratify(world.main_model(), draws, world.census(), by="age").set_index("age")
    return table.assign(turnout=pd.Series(TURNOUT))


def _average(weights: pd.Series) -> float:
    return float(np.average(_by_age()["estimate"], weights=weights))


# Between chains the estimate differs by 0.0004; the nearest mistake is 0.003 away.
@task(
    "7.6",
    Number(within=0.0012),
    right="Only the first factor of the sum changed, P(cell), and the estimate rose by 0.7 points. "
    "The interval trusts the turnout that you supposed: vary it before you publish.",
    hint="Multiply each cell's n by the turnout of its age band, and post-stratify to these "
    "numbers of voters.",
    slips=[PER_CENT],
)
def voters() -> float:
    return _average(_by_age()["population"] * _by_age()["turnout"])


@voters.mistake(
    "This is the estimate for all adult citizens, whether they vote or not. Multiply n by the "
    "turnout before you post-stratify."
)
def _() -> float:
    return _average(_by_age()["population"])


@voters.mistake(
    "You averaged the age bands with the turnout as weight. The bands differ in size: the number "
    "of voters in each is its people times its turnout."
)
def _() -> float:
    return _average(_by_age()["turnout"])


@voters.mistake(
    "You summed over voters and divided by all adults. Then the weights add up to the turnout and "
    "not to 1: divide by the voters."
)
def _() -> float:
    table = _by_age()
    total = (table["estimate"] * table["population"] * table["turnout"]).sum()
    return float(total / table["population"].sum())


@voters.mistake(
    "This is the estimate for those who stay at home: you multiplied by one minus the turnout."
)
def _() -> float:
    return _average(_by_age()["population"] * (1 - _by_age()["turnout"]))


@voters.mistake(
    "You replaced n by the turnout, so that every cell counts alike but for its age. Multiply n by "
    "it instead."
)
def _() -> float:
    return _estimate(world.census().assign(n=world.census()["age"].map(TURNOUT)))


@voters.mistake(
    "You weighted the sample's respondents by turnout. They lean in more than age: let the model "
    "answer for the cells, and weight the cells."
)
def _() -> float:
    sample = world.sample()
    return float(np.average(sample["abortion"], weights=sample["age"].map(TURNOUT)))


@voters.mistake(
    "The turnout was applied twice, once to n and once more as a weight. Once is enough."
)
def _() -> float:
    return _average(_by_age()["population"] * _by_age()["turnout"] ** 2)
