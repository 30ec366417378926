"""Exercise 8, does it work: scores that compare like with like, and what no score can tell."""

import warnings
from collections.abc import Callable
from functools import cache

import arviz as az
import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import binom

from mrp_course._forms import Number, Table
from mrp_course._task import OTHERS, PER_CENT, task
from mrp_course.tasks import _world as world
from mrp_helpers.poststratify import poststratify_draws
from mrp_helpers.recode import CELL
from mrp_helpers.weight import rake

FITS = {
    "main model": "hierarchical",
    "no age": "ladder-no-age",
    "fixed effects": "fixed-own-states",
}
PUBLISHED_FROM = 50  # respondents in a state


@cache
def _model(name: str) -> bmb.Model:
    if name == "main model":
        return world.main_model()
    if name == "no age":
        return world.multilevel(world.cells(), [g for g in world.GROUPS if "age" not in g])
    return bmb.Model(
        "p(abortion, n) ~ 0 + C(state) + C(eth) + C(edu) + C(age) + male",
        world.cells(),
        family="binomial",
        priors={"C(state)": bmb.Prior("Normal", mu=0, sigma=2.5)},
    )


@cache
def _by_state_and_age(name: str) -> pd.DataFrame:
    """Estimates of a model in the laboratory; coarser groups are weighted means of these."""
    draws = poststratify_draws(
        _model(name), world.draws(FITS[name]), world.laboratory(), by=["state", "age"]
    )
    people = draws["population"].to_series().rename("people")
    return pd.DataFrame({"estimate": draws.mean("sample").to_series(), "people": people})


def _estimates(name: str, by: str) -> pd.Series:
    table = _by_state_and_age(name)
    totals = (table["estimate"] * table["people"]).groupby(by).sum()
    return totals / table["people"].groupby(by).sum()


def _nation(name: str) -> float:
    table = _by_state_and_age(name)
    return float(np.average(table["estimate"], weights=table["people"]))


def _truth(by: str) -> pd.Series:
    return world.respondents().groupby(by)["abortion"].mean()


@cache
def _people() -> pd.Series:
    """People of the laboratory in each state."""
    return world.laboratory().groupby("state")["n"].sum()


def _raked(frame: pd.DataFrame) -> pd.Series:
    margins = {column: frame.groupby(column)["n"].sum() for column in CELL}
    return rake(world.sample(), margins)


@cache
def _laboratory_weights() -> pd.Series:
    return _raked(world.laboratory())


def _methods(**values: object) -> pd.Series:
    return pd.Series(values).rename_axis("method")


@cache
def _national() -> pd.Series:
    """Three estimates for the laboratory's nation."""
    answers = world.sample()["abortion"]
    raked = np.average(answers, weights=_laboratory_weights())
    return _methods(raw=answers.mean(), raked=raked, MRP=_nation("main model"))


def _removed(estimates: pd.Series, truth: float) -> pd.Series:
    errors = (estimates - truth).abs()
    removed: pd.Series = 1 - errors / errors["raw"]
    return removed.drop("raw")


# Between a chain and all four lie 0.01 for MRP; raking has no Monte Carlo error.
@task(
    "8.1",
    Table(keys=("method",), value="removed", within=0.03),
    right="Both remove about 70 % of the raw error. For one national number, and a sample that "
    "leans on columns whose margins you rake to, weights do as well as a model.",
    hint="One minus the absolute error of the method divided by that of the raw mean; the truth is "
    "the mean of all respondents of the survey.",
    slips=[OTHERS, PER_CENT],
)
def error_removed() -> pd.Series:
    return _removed(_national(), world.respondents()["abortion"].mean())


@error_removed.mistake(
    "You divided the change by the raw estimate. What is to be removed is the raw error: divide by "
    "the distance between the raw mean and the truth."
)
def _() -> pd.Series:
    national = _national()
    change: pd.Series = 1 - national / national["raw"]
    return change.drop("raw")


@error_removed.mistake(
    "These are the changes in the estimates, in units of shares. Divide them by the raw error."
)
def _() -> pd.Series:
    national = _national()
    change: pd.Series = national["raw"] - national
    return change.drop("raw")


@error_removed.mistake(
    "Your national MRP estimate is the plain mean of 50 states. A state counts by its people: "
    "post-stratify without by."
)
def _() -> pd.Series:
    of_states = _estimates("main model", "state").mean()
    truth = world.respondents()["abortion"].mean()
    return _removed(_national().mask(_national().index == "MRP", of_states), truth)


@error_removed.mistake(
    "You took the mean of the 50 states' true shares for the truth. The nation's truth is the mean "
    "of all its people."
)
def _() -> pd.Series:
    return _removed(_national(), _truth("state").mean())


def _published() -> pd.Index:
    counts = world.sample()["state"].value_counts()
    return counts.index[counts >= PUBLISHED_FROM]


@cache
def _state_errors() -> pd.DataFrame:
    """Errors of three methods in the states of the laboratory."""
    sample, weight = world.sample(), _laboratory_weights()
    weighted = (sample["abortion"] * weight).groupby(sample["state"]).sum()
    estimates = {
        "raw": sample.groupby("state")["abortion"].mean(),
        "raked": weighted / weight.groupby(sample["state"]).sum(),
        "MRP": _estimates("main model", "state"),
    }
    return pd.DataFrame(estimates).sub(_truth("state"), axis="index").rename_axis(columns="method")


def _per_person(errors: pd.DataFrame) -> pd.Series:
    """Mean error, each state of the table counting by its people."""
    shares = _people()[errors.index] / _people()[errors.index].sum()
    return errors.mul(shares, axis="index").sum()


# Between a chain and all four lie 0.0003 for MRP; the nearest mistake is 0.0025 away.
@task(
    "8.2",
    Table(keys=("method",), value="mae", within=0.0012),
    right="On the same 31 states MRP is off by 2.5 points and raw by 4.6. A method that skips the "
    "hard states must be compared on those that it dares to estimate.",
    hint="Keep the states with 50 or more respondents, for all three methods; average the absolute "
    "errors with these states' people as weights.",
    slips=[PER_CENT],
)
def error_where_published() -> pd.Series:
    return _per_person(_state_errors().loc[_published()].abs())


@error_where_published.mistake(
    "You scored raw and raked on the published states and MRP on all 50, which include the hard "
    "ones. Compare like with like: the same states for all."
)
def _() -> pd.Series:
    everywhere = _per_person(_state_errors().abs())
    published = _per_person(_state_errors().loc[_published()].abs())
    return published.mask(published.index == "MRP", everywhere)


@error_where_published.mistake(
    "These are the errors over all 50 states. The agency publishes those with 50 or more "
    "respondents in the sample."
)
def _() -> pd.Series:
    return _per_person(_state_errors().abs())


@error_where_published.mistake(
    "Each state counts once here. The question lets each person count once: weight a state by its "
    "people."
)
def _() -> pd.Series:
    return _state_errors().loc[_published()].abs().mean()


@error_where_published.mistake(
    "Each state counts once here, and there are 50 of them. Keep those with 50 or more respondents "
    "and weight them by their people."
)
def _() -> pd.Series:
    return _state_errors().abs().mean()


@error_where_published.mistake(
    "You averaged the errors with their signs, which is the bias. Take absolute values first."
)
def _() -> pd.Series:
    return _per_person(_state_errors().loc[_published()])


@error_where_published.mistake(
    "Your weights do not add up to 1: you divided by the people of all 50 states. Divide by the "
    "people of the published ones."
)
def _() -> pd.Series:
    errors = _state_errors().loc[_published()].abs()
    return errors.mul(_people()[_published()] / _people().sum(), axis="index").sum()


def _noise(people: pd.Series) -> pd.Series:
    """Standard error of a share among so many people drawn at random."""
    truth = _truth("state")
    return (truth * (1 - truth) / people) ** 0.5


@task(
    "8.3",
    Number(within=3e-4),
    right="1.6 points, for a method that makes no error at all. Squares add and errors do not, so "
    "you cannot subtract it from a score; but no score here can be read to a tenth of a point.",
    hint="For each state the square root of p (1 - p) / N, with the laboratory's p and N, times "
    "0.798; then the plain mean over the states.",
    slips=[PER_CENT],
)
def error_of_perfection() -> float:
    return float(np.sqrt(2 / np.pi) * _noise(_people()).mean())


@error_of_perfection.mistake(
    "This is the mean standard error. The mean absolute value of a normal variable is smaller than "
    "its standard deviation: multiply by 0.798."
)
def _() -> float:
    return float(_noise(_people()).mean())


@error_of_perfection.mistake(
    "You divided by the respondents in the biased sample. The noise asked for is the truth's, "
    "which rests on all respondents of the survey in the state."
)
def _() -> float:
    return float(np.sqrt(2 / np.pi) * _noise(world.sample()["state"].value_counts()).mean())


@error_of_perfection.mistake(
    "You divided by the adult citizens of the census. The laboratory's truth rests on the "
    "respondents of the survey, some hundred to some thousand in a state."
)
def _() -> float:
    citizens = world.census().groupby("state")["n"].sum()
    return float(np.sqrt(2 / np.pi) * _noise(citizens).mean())


@error_of_perfection.mistake(
    "This is how much single answers vary. The noise of a state's share is smaller by the root of "
    "the number of people in it: divide by N under the root."
)
def _() -> float:
    return float(np.sqrt(2 / np.pi) * _noise(pd.Series(1, index=_people().index)).mean())


@error_of_perfection.mistake(
    "You gave every state the average number of people. The noise is large in small states: take "
    "each state's own N, then average."
)
def _() -> float:
    return float(np.sqrt(2 / np.pi) * _noise(_people() * 0 + _people().mean()).mean())


@error_of_perfection.mistake(
    "You weighted the states by their people. Here each state counts once, as in the error that "
    "this number is to be compared with."
)
def _() -> float:
    return float(np.sqrt(2 / np.pi) * np.average(_noise(_people()), weights=_people()))


@error_of_perfection.mistake(
    "You averaged the variances and took the root of their mean. Take the root in each state, then "
    "average."
)
def _() -> float:
    return float(np.sqrt(2 / np.pi) * np.sqrt((_noise(_people()) ** 2).mean()))


PROBABILITIES = [0.5, 0.8, 0.95]


@cache
def _state_draws() -> xr.DataArray:
    return poststratify_draws(
        world.main_model(), world.draws("hierarchical"), world.laboratory(), by="state"
    )


def _held(lower_tail: np.ndarray, upper_tail: np.ndarray) -> np.ndarray:
    """Whether intervals hold the truth: (probabilities x states), from the tails' quantiles."""
    draws = _state_draws()
    truth = _truth("state")[draws.indexes["group"]].to_numpy()
    lower = np.quantile(draws.to_numpy(), lower_tail, axis=1)
    upper = np.quantile(draws.to_numpy(), upper_tail, axis=1)
    held: np.ndarray = (lower <= truth) & (truth <= upper)
    return held


def _central() -> np.ndarray:
    probabilities = np.array(PROBABILITIES)
    return _held((1 - probabilities) / 2, (1 + probabilities) / 2)


def _by_probability(values: object) -> pd.Series:
    return pd.Series(values, index=pd.Index(PROBABILITIES, name="prob"))


# In a chain by itself up to two states of 50 fall on the other side.
@task(
    "8.4",
    Table(keys=("prob",), value="coverage", within=0.045),
    right="40, 64 and 94 %. Alone, the 95 % intervals would have looked honest. The others tell "
    "that something is off: the states of this sample are 2.5 points too high on average.",
    hint="For each probability, the share of the 50 states whose truth lies between the two ends.",
    slips=[OTHERS, PER_CENT],
)
def coverage() -> pd.Series:
    return _by_probability(_central().mean(axis=1))


@coverage.mistake("These are numbers of states. Coverage is their share: divide by 50.")
def _() -> pd.Series:
    return _by_probability(_central().sum(axis=1))


@coverage.mistake(
    "All three are the coverage of the 95 % interval. Ask for each interval anew: the argument "
    "prob of poststratify sets its probability."
)
def _() -> pd.Series:
    return _by_probability(_central()[-1].mean())


@coverage.mistake(
    "You cut off 1 - prob on either side, twice too much. Half of it belongs to each side: for "
    "95 % the ends are the 2.5 % and 97.5 % quantiles."
)
def _() -> pd.Series:
    probabilities = np.array(PROBABILITIES)
    return _by_probability(_held(1 - probabilities, probabilities).mean(axis=1))


@coverage.mistake(
    "You counted states whose truth lies below the upper end. An interval has to hold the truth "
    "from both sides."
)
def _() -> pd.Series:
    probabilities = np.array(PROBABILITIES)
    return _by_probability(_held(0 * probabilities, (1 + probabilities) / 2).mean(axis=1))


@coverage.mistake("Each person counts once here. Let each state count once.")
def _() -> pd.Series:
    people = _people()[_state_draws().indexes["group"]]
    return _by_probability(np.average(_central(), weights=people, axis=1))


def _models(score: Callable[[str], float]) -> pd.Series:
    return pd.Series({name: score(name) for name in FITS}).rename_axis("model")


def _age_errors(name: str) -> pd.Series:
    return _estimates(name, "age") - _truth("age")


# Between a chain and all four lie up to 0.0005.
@task(
    "8.5",
    Table(keys=("model",), value="mae", within=0.0015),
    right="For age bands fixed effects are as good as the main model, and the model without age is "
    "far off. In the states fixed effects are the worst of the three: score what you report.",
    hint="Post-stratify each model to the laboratory by age; then the mean absolute error over the "
    "six bands.",
    slips=[PER_CENT],
)
def error_by_age() -> pd.Series:
    return _models(lambda name: _age_errors(name).abs().mean())


@error_by_age.mistake(
    "These are the errors over the 50 states. Post-stratify by age and compare with the truth of "
    "the six bands."
)
def _() -> pd.Series:
    errors = {name: _estimates(name, "state") - _truth("state") for name in FITS}
    return _models(lambda name: errors[name].abs().mean())


@error_by_age.mistake(
    "You averaged the errors with their signs, so that too much among the young and too little "
    "among the old cancel. Take absolute values first."
)
def _() -> pd.Series:
    return _models(lambda name: _age_errors(name).mean())


@error_by_age.mistake("This is the root mean square error. The mean absolute error is asked for.")
def _() -> pd.Series:
    return _models(lambda name: np.sqrt((_age_errors(name) ** 2).mean()))


@error_by_age.mistake(
    "These are the errors over the 300 combinations of state and age. Six bands of the whole "
    "nation are asked for."
)
def _() -> pd.Series:
    truth = world.respondents().groupby(["state", "age"])["abortion"].mean()
    return _models(lambda name: (_by_state_and_age(name)["estimate"] - truth).abs().mean())


@error_by_age.mistake(
    "You compared with the sample's own shares by age. The sample leans: the truth is that of all "
    "respondents of the survey."
)
def _() -> pd.Series:
    sample = world.sample().groupby("age")["abortion"].mean()
    return _models(lambda name: (_estimates(name, "age") - sample).abs().mean())


# Enough for the elpd, which four times as many draws change by a few tenths.
KEPT = 250


@cache
def _leave_one_out(name: str) -> pd.DataFrame:
    """Of every cell the elpd, and the log score of the fit that saw it."""
    draws = world.draws(FITS[name])
    thinned = draws.isel(draw=slice(None, None, draws["posterior"].sizes["draw"] // KEPT))
    p = poststratify_draws(_model(name), thinned, world.cells(), by=CELL)
    cells = world.cells().sort_values(CELL)
    scores = binom.logpmf(cells["abortion"], cells["n"], p.transpose("sample", "group"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exercise shows the one cell that ArviZ warns about
        rows = xr.Dataset({"abortion": (("chain", "draw", "row"), scores[None])})
        loo = az.loo(xr.DataTree.from_dict({"log_likelihood": rows}), pointwise=True, reff=1.0)
    in_sample = np.log(np.exp(scores).mean(axis=0))
    return pd.DataFrame({"elpd": loo.elpd_i.to_numpy(), "in sample": in_sample})


@cache
def _cellwise(score: str = "elpd") -> pd.Series:
    """No age minus fixed effects, cell by cell."""
    return _leave_one_out("no age")[score] - _leave_one_out("fixed effects")[score]


def _parts(difference: float, se: float) -> pd.Series:
    return pd.Series({"difference": difference, "se": se}).rename_axis("part")


def _se_of_sum(values: pd.Series) -> float:
    return float(np.sqrt(len(values)) * values.std())


@task(
    "8.6",
    Table(keys=("part",), value="value", within=2.0),
    right="The difference is smaller than its standard error. Cross-validation cannot tell these "
    "two apart, although one is far better for ages and the other for states.",
    hint="Subtract cell by cell. The difference is the sum; its standard error is the root of the "
    "number of cells times the standard deviation of the cells' differences.",
)
def elpd_difference() -> pd.Series:
    return _parts(_cellwise().sum(), _se_of_sum(_cellwise()))


@elpd_difference.mistake(
    "You subtracted the other way round. The question asks for no age minus fixed effects."
)
def _() -> pd.Series:
    return _parts(-_cellwise().sum(), _se_of_sum(_cellwise()))


@elpd_difference.mistake(
    "You added up the uncertainty of the two totals. Both models are scored on the same cells and "
    "most of that noise is common: take the standard deviation of the differences."
)
def _() -> pd.Series:
    unpaired = [_se_of_sum(_leave_one_out(name)["elpd"]) for name in ("no age", "fixed effects")]
    return _parts(_cellwise().sum(), float(np.linalg.norm(unpaired)))


@elpd_difference.mistake(
    "This is the standard deviation of a single cell's difference. The sum of n of them varies "
    "more: multiply by the root of n."
)
def _() -> pd.Series:
    return _parts(_cellwise().sum(), float(_cellwise().std()))


@elpd_difference.mistake(
    "You divided by the number of cells. The elpd is a sum over cells, and so is a difference of "
    "two."
)
def _() -> pd.Series:
    cells = len(_cellwise())
    return _parts(_cellwise().sum() / cells, _se_of_sum(_cellwise()) / cells)


@elpd_difference.mistake(
    "You subtracted p, the effective number of parameters, once more. The elpd has it inside: "
    "each cell is already scored by a fit without it."
)
def _() -> pd.Series:
    again = 2 * _cellwise() - _cellwise("in sample")
    return _parts(again.sum(), _se_of_sum(_cellwise()))


@elpd_difference.mistake(
    "You compared how well the models fit cells that they have seen, elpd plus p. A model with "
    "more freedom always fits these better: use the elpd."
)
def _() -> pd.Series:
    return _parts(_cellwise("in sample").sum(), _se_of_sum(_cellwise()))


@elpd_difference.mistake(
    "This is on the scale of deviance, minus two times the elpd. The elpd itself is asked for, "
    "higher being better."
)
def _() -> pd.Series:
    return _parts(-2 * _cellwise().sum(), 2 * _se_of_sum(_cellwise()))
