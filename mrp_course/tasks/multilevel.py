"""Exercise 6, the multilevel model: pooling to a line, priors, sampler health, replications."""

from collections.abc import Callable, Sequence
from functools import cache

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit
from scipy.stats import halfnorm

from mrp_course._forms import Labels, Names, Table
from mrp_course._task import OTHERS, PER_CENT, task
from mrp_course.tasks import _world as world
from mrp_helpers._bambi import common_design
from mrp_helpers.model import sampler_health
from mrp_helpers.poststratify import poststratify, poststratify_draws
from mrp_helpers.sample import aggregate_cells


@cache
def _counts() -> pd.DataFrame:
    """The sample counted by state, as the little models are fitted to it."""
    counts = world.with_states(aggregate_cells(world.sample(), by=["state"]))
    return counts.assign(raw=counts["abortion"] / counts["n"])


def _states() -> bmb.Model:
    return world.multilevel(_counts(), groups=["state"], common="1")


def _line() -> bmb.Model:
    return world.multilevel(_counts(), groups=["state"], common="repvote")


@cache
def _pooled() -> pd.DataFrame:
    """Raw shares and estimates of the model with the vote, one row a state."""
    estimates = poststratify(_line(), world.draws("pooling-repvote"), _counts(), by="state")
    table = _counts().set_index("state")
    return table.assign(estimate=estimates.set_index("state")["estimate"])


def _gained(centre: float | pd.Series) -> pd.Series:
    """How much further from a centre than the raw share an estimate lies."""
    table = _pooled()
    return (table["estimate"] - centre).abs() - (table["raw"] - centre).abs()


def _everyone() -> float:
    return world.sample()["abortion"].mean()


def _small(condition: pd.Series) -> list[str]:
    return world.named(condition & (_pooled()["n"] < 50))


def _crossed() -> list[str]:
    above = _pooled()[["estimate", "raw"]] > _everyone()
    return _small(above["estimate"] != above["raw"])


# The nearest state misses the list by half a point; single chains differ by less than 0.3 points.
pulled_away = task(
    "6.1",
    Names(column="state"),
    answer=lambda: _small(_gained(_everyone()) > 0),
    right="Pooling towards one mean could not do this. A state with few respondents is pulled "
    "towards what its vote predicts, wherever the mean of all is.",
    hint="Compare two distances for each state with fewer than 50 respondents: from the estimate "
    "to the sample's share, and from the raw share to the sample's share.",
    mistakes=[
        (
            "These came nearer to the sample's share. The question asks for those that went "
            "further from it.",
            lambda: _small(_gained(_everyone()) < 0),
        ),
        (
            "These are the states whose estimate is above their raw share. Up can be towards the "
            "sample's share or away from it: compare distances.",
            lambda: _small(_pooled()["estimate"] > _pooled()["raw"]),
        ),
        (
            "You looked at all states. The question is about those with fewer than 50 respondents.",
            lambda: world.named(_gained(_everyone()) > 0),
        ),
        (
            "These went further from their *truth*. That is worth knowing, but outside a "
            "laboratory nobody has the truth: compute the distance from the sample's share.",
            lambda: _small(_gained(world.truth("state")) > 0),
        ),
        (
            "These crossed the sample's share, from one side to the other. A state can cross and "
            "come nearer, or stay on its side and go further: compare distances.",
            _crossed,
        ),
    ],
)


WIDTHS = [0.1, 0.5, 5]


def _for_widths(value: Callable[[float], float], widths: Sequence[float] = WIDTHS) -> pd.Series:
    return pd.Series({width: value(width) for width in widths}).rename_axis("width")


@cache
def _noise() -> np.ndarray:
    """Standard normal draws: for the standard deviation, one state, the other, and one to spare."""
    return np.random.default_rng(2018).standard_normal((4, 200_000))


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float((abs(expit(one) - expit(other)) > 0.1).mean())


def _prior_gap() -> pd.Series:
    sd, one, other, _ = _noise()
    return _for_widths(lambda width: _apart(width * abs(sd) * one, width * abs(sd) * other))


def _with_the_width_as_sd() -> pd.Series:
    _, one, other, _ = _noise()
    return _for_widths(lambda width: _apart(width * one, width * other))


def _from_one_state_to_the_centre() -> pd.Series:
    sd, one, _, _ = _noise()
    return _for_widths(lambda width: _apart(width * abs(sd) * one, 0 * one))


def _gap_in_logits() -> pd.Series:
    sd, one, other, _ = _noise()
    return _for_widths(lambda width: float((width * abs(sd * (one - other)) > 0.1).mean()))


def _two_standard_deviations() -> pd.Series:
    sd, one, other, spare = _noise()
    return _for_widths(lambda width: _apart(width * abs(sd) * one, width * abs(spare) * other))


# With 20,000 draws of the prior the Monte Carlo error is 0.0035.
prior_gap = task(
    "6.2",
    Table(keys=("width",), value="probability", within=0.012),
    answer=_prior_gap,
    right="Before any data, a gap of ten points has almost no probability under width 0.1, and "
    "seven pairs of states in ten are so far apart under width 5. Width 0.5 leaves the question "
    "open, as a prior should if it is to learn from 50 states.",
    hint="Draw the standard deviation from its half-normal, then two states from a normal with "
    "this standard deviation, turn both into shares, and count gaps above 0.1.",
    mistakes=[
        PER_CENT,
        OTHERS,
        (
            "You took the width for the standard deviation of the states. It is the width of a "
            "prior *on* that standard deviation: draw the standard deviation first.",
            _with_the_width_as_sd,
        ),
        (
            "This is the gap between one state and the centre. The question asks for two states, "
            "and both vary.",
            _from_one_state_to_the_centre,
        ),
        (
            "You counted gaps of more than 0.1 *logits*. Ten points are a gap between shares: "
            "apply the inverse logit before you subtract.",
            _gap_in_logits,
        ),
        (
            "You drew a standard deviation for each of the two states. All states share one: "
            "draw it once and use it for both.",
            _two_standard_deviations,
        ),
        (
            "You counted only gaps in one direction. Either state may be the higher one: take "
            "the absolute value of the gap.",
            lambda right: right / 2,
        ),
    ],
)


FITS = {0.1: "exercise-tight-prior", 0.5: "pooling-states", 5: "exercise-wide-prior"}


def _sigma(width: float) -> np.ndarray:
    sigma = world.draws(FITS[width])["posterior"]["1|state_sigma"]
    return sigma.to_numpy().astype("float64").ravel()


# Single chains differ from all four by up to 2 respondents.
worth_in_respondents = task(
    "6.3",
    Table(keys=("width",), value="worth", within=2.27),
    answer=lambda: _for_widths(lambda width: 4 / _sigma(width).mean() ** 2),
    right="The tight prior pools more: the other states count as more respondents, so each state's "
    "own answers count less. The wide one changes next to nothing, because 50 states determine "
    "how much they differ.",
    hint="From each fit take the posterior mean of `1|state_sigma`, and divide 4 by its square.",
    mistakes=[
        (
            "You have it the wrong way round. A tight prior on the standard deviation says that "
            "states are alike, so that the others say more about each.",
            lambda right: right.set_axis(right.index[::-1]),
        ),
        (
            "You used the width of the prior. The model has been fitted to 50 states since: take "
            "the posterior mean of the standard deviation.",
            lambda: _for_widths(lambda width: 4 / width**2),
        ),
        (
            "You divided by the standard deviation, and not by its square.",
            lambda: _for_widths(lambda width: 4 / _sigma(width).mean()),
        ),
        (
            "You averaged 4 / sd**2 over the draws. A few draws with a small standard deviation "
            "then dominate: take the mean of the standard deviation first, as the task says.",
            lambda: _for_widths(lambda width: (4 / _sigma(width) ** 2).mean()),
        ),
    ],
)


NEW_WIDTHS = [0.1, 0.2, 5]


def _log_ratio(width: float) -> np.ndarray:
    """Compare, at the course's draws, the prior of a new width with the old one."""
    sigma = _sigma(0.5)
    return halfnorm.logpdf(sigma, scale=width) - halfnorm.logpdf(sigma, scale=0.5)


def _reweighted(log_weight: Callable[[float], np.ndarray]) -> pd.Series:
    """Average the standard deviation over the course's draws, weighted, for each new width."""
    return _for_widths(
        lambda width: np.average(_sigma(0.5), weights=np.exp(log_weight(width))), NEW_WIDTHS
    )


def _not_normalised() -> pd.Series:
    return _for_widths(lambda width: (np.exp(_log_ratio(width)) * _sigma(0.5)).mean(), NEW_WIDTHS)


# Single chains differ from all four by up to 0.004.
other_priors = task(
    "6.4",
    Table(keys=("width",), value="sd", within=0.007),
    answer=lambda: _reweighted(_log_ratio),
    right="One fit gives the answers for three other priors. This works where the draws are "
    "probable under both priors; the effective sample size of the weights says how many of "
    "them still count.",
    hint="Weight each draw by the density of its `1|state_sigma` under the new prior, divided by "
    "that under the old one, and take the weighted mean.",
    mistakes=[
        (
            "The ratio is upside down: you divided the old prior by the new one. Draws that are "
            "more probable under the new prior must count more.",
            lambda: _reweighted(lambda width: -_log_ratio(width)),
        ),
        (
            "The weights were not divided by their sum, so this is not an average. Use "
            "`np.average`, or make the weights sum to 1.",
            _not_normalised,
        ),
        (
            "These are the means of the new priors themselves. Keep the posterior's draws, which "
            "use the data, and weight them.",
            lambda: _for_widths(lambda width: halfnorm.mean(scale=width), NEW_WIDTHS),
        ),
        (
            "This is the mean under the old prior: the draws were not weighted, or all alike.",
            lambda: _for_widths(lambda width: _sigma(0.5).mean(), NEW_WIDTHS),
        ),
        (
            "You scaled the draws by the ratio of the widths. The data have not changed and limit "
            "what the new prior can do: leave the draws as they are, and weight them.",
            lambda: _for_widths(lambda width: _sigma(0.5).mean() * width / 0.5, NEW_WIDTHS),
        ),
    ],
)


@cache
def _patients() -> dict[str, tuple[bmb.Model, xr.DataTree]]:
    """The four fits of the task with their models."""
    short = "p(abortion, n) ~ C(state) + C(eth) + C(edu) + male"
    loose = {"C(state)": bmb.Prior("Normal", mu=0, sigma=3)}
    collinear = bmb.Model(f"{short} + repvote", world.cells(), family="binomial", priors=loose)
    plain = bmb.Model(short, world.cells(), family="binomial")
    return {
        "A": (collinear, world.fit("fixed-collinear-wide")),
        "B": (world.main_model(), world.fit("multilevel-low-target")),
        "C": (plain, world.fit("fixed-no-repvote").isel(draw=slice(0, 1000))),
        "D": (_states(), world.fit("pooling-states")),
    }


def _remedy(model: bmb.Model, draws: xr.DataTree) -> str:
    """Say what to do about a fit: its sampler and, where that is not enough, its rank."""
    if draws["sample_stats"]["diverging"].any():
        return "smaller steps"
    if sampler_health(draws)["healthy"].item():
        return "use it"
    design = common_design(model)
    surplus = np.linalg.matrix_rank(design) < design.shape[1]
    return "another model" if surplus else "more draws"


def _remedies() -> pd.Series:
    made = {name: _remedy(*patient) for name, patient in _patients().items()}
    return pd.Series(made).rename_axis("fit")


remedies = task(
    "6.5",
    Labels(keys=("fit",), value="remedy"),
    answer=_remedies,
    right="Two of these rows look nearly alike, A's and C's. One is a model with too many columns, "
    "and the other a plain model that needs more time: the sampler shows that something is wrong, "
    "and the rank shows what.",
    hint="Look for divergences first. Where there are none, compare the rank of the common design "
    "with the number of its columns.",
    mistakes=[
        (
            "A and C are the wrong way round. A has a column that is a sum of others: more draws "
            "would sample better what only the priors decide. In C the data determine every "
            "coefficient.",
            lambda right: world.instead(right, A="more draws", C="another model"),
        ),
        (
            "More draws are a remedy where the chains are slow, and not where they diverge: with "
            "the same steps they fail at the same places. Look at B, and count A's columns.",
            lambda right: world.instead(right, A="more draws", B="more draws", C="more draws"),
        ),
        (
            "You would use B. Its divergences mark a region that the sampler cannot enter, and 90 "
            "of 4,000 are many: divergences do not count the bad draws.",
            lambda right: world.instead(right, B="use it"),
        ),
        (
            "Smaller steps cure divergences, and C has none. Its rank is full, too: its chains "
            "are slow, so give them time.",
            lambda right: world.instead(right, C="smaller steps"),
        ),
        (
            "Smaller steps cure divergences, and A has none. Its chains move slowly along a "
            "direction that the data do not determine: count the columns of its design.",
            lambda right: world.instead(right, A="smaller steps"),
        ),
        (
            "B and A are the wrong way round. B is the course's own model, and its rank is full: "
            "look at the first column of its health, and at how it was sampled.",
            lambda right: world.instead(right, A="smaller steps", B="another model"),
        ),
    ],
)


COLUMNS = ["male", "eth", "edu", "age", "region"]


def _probabilities() -> np.ndarray:
    """Draws of the support in each occupied cell, by the model with the vote."""
    by_state = poststratify_draws(_line(), world.draws("pooling-repvote"), _counts(), by="state")
    return by_state.sel(group=world.cells()["state"].to_numpy()).to_numpy().astype("float64")


def _answer(p: np.ndarray) -> np.ndarray:
    """Let the model answer for the respondents of each occupied cell."""
    people = world.cells()["n"].to_numpy()[:, None]
    return np.random.default_rng(6).binomial(people, p).astype("float32")


@cache
def _replicated() -> np.ndarray:
    return _answer(_probabilities())


def _range(answers: np.ndarray, people: np.ndarray, column: str) -> np.ndarray:
    """Largest minus smallest share of support over the levels of a column."""
    member = pd.get_dummies(world.cells()[column]).to_numpy(answers.dtype).T
    shares = (member @ answers).T / (member @ people)
    return shares.max(axis=-1) - shares.min(axis=-1)


def _exceeded(replicated: np.ndarray, observed: pd.Series, people: pd.Series) -> pd.Series:
    """Share of replications whose range is at least the observed one, for each column."""
    n, seen = people.to_numpy(), observed.to_numpy(replicated.dtype)
    found = {c: (_range(replicated, n, c) >= _range(seen, n, c)).mean() for c in COLUMNS}
    return pd.Series(found).rename_axis("column")


def _ranges_of(answers: np.ndarray) -> pd.Series:
    return _exceeded(answers, world.cells()["abortion"], world.cells()["n"])


def _with_expected_counts() -> pd.Series:
    people = world.cells()["n"].to_numpy()[:, None]
    return _ranges_of((people * _probabilities()).astype("float32"))


def _with_mean_probabilities() -> pd.Series:
    p = _probabilities()
    return _ranges_of(_answer(np.broadcast_to(p.mean(axis=1, keepdims=True), p.shape)))


def _with_cells_counting_alike() -> pd.Series:
    cells = world.cells()
    shares = _replicated() / cells["n"].to_numpy()[:, None]
    return _exceeded(shares, cells["abortion"] / cells["n"], people=cells["n"] * 0 + 1)


# With all draws the Monte Carlo error is at most 0.006, with a single chain 0.011.
replicated_ranges = task(
    "6.6",
    Table(keys=("column",), value="p", within=0.02),
    answer=lambda: _ranges_of(_replicated()),
    right="A model of states alone hardly ever replicates this sample's ages and genders, and "
    "seldom its levels of education. Regions are sums of states, for which it has effects. A check "
    "finds what it looks for: cell by cell, nothing would have looked wrong.",
    hint="Draw an answer for each cell and each draw of p, add up by the column's levels, divide "
    "by the number of people, and take largest minus smallest.",
    mistakes=[
        OTHERS,
        PER_CENT,
        (
            "You used expected counts, n times p. Respondents differ by chance too: draw whole "
            "answers from a binomial distribution.",
            _with_expected_counts,
        ),
        (
            "You replicated from one p per cell, the posterior mean. The p's are uncertain: use a "
            "new draw of them for each replication.",
            _with_mean_probabilities,
        ),
        (
            "You averaged the cells' shares, so that a cell with one respondent counts as much "
            "as one with 23. Add up answers and people of a level, and divide then.",
            _with_cells_counting_alike,
        ),
    ],
)
