"""The engine against others: Bambi, plain PyMC, SciPy, a survey library, the equations themselves.

`test_poststratify.py` and `test_weight.py` hold the first such comparisons; here stand the ones
that take more: many more models, the real model on the real frame, and the density of the
posterior.
"""

import bambi as bmb
import numpy as np
import pandas as pd
import polars
import pymc as pm
import pytest
import svy
import xarray as xr
from scipy.optimize import minimize
from scipy.special import binom as binomial_coefficient
from scipy.special import expit
from scipy.stats import binom, halfnorm, norm

import synthetic
from mrp_course import posteriors
from mrp_helpers import (
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    fit_or_load,
    hajek_mean,
    load_cces,
    load_poststrat_frame,
    load_state_predictors,
    poststratify_draws,
    rake,
    selection_weights,
)
from mrp_helpers.model import model_digests
from research import laboratory, plain_model
from test_poststratify import FRAME, build, by_hand

GROUPS = ["state", "eth", "edu", "age", "male:eth", "edu:age", "edu:eth"]
FORMULA = "p(abortion, n) ~ male + repvote + " + " + ".join(f"(1 | {group})" for group in GROUPS)


@pytest.fixture(scope="module")
def states():
    return load_state_predictors()


@pytest.fixture(scope="module")
def sample(states):
    respondents = clean_cces(load_cces())
    return draw_biased_sample(respondents, selection_weights(respondents, states))


@pytest.fixture(scope="module")
def cells(sample, states):
    return aggregate_cells(sample).merge(states, on="state")


@pytest.fixture(scope="module")
def model(cells):
    sd = bmb.Prior("HalfNormal", sigma=0.5)
    priors = {f"1|{group}": bmb.Prior("Normal", mu=0, sigma=sd) for group in GROUPS}
    return bmb.Model(FORMULA, cells, family="binomial", priors=priors)


# poststratify against Bambi's predict.

POSITIVE = synthetic.cells().assign(
    wait=lambda table: np.exp(table["x"]), share=lambda table: expit(table["x"])
)
MORE_MODELS = {
    "binomial, probit": ("p(yes, n) ~ x + (1|state) + (x|age)", "binomial", "probit"),
    "binomial, complementary log-log": ("p(yes, n) ~ male + (1|state:edu)", "binomial", "cloglog"),
    "bernoulli, identity": ("vote ~ 1 + (1|state)", "bernoulli", "identity"),
    "beta-binomial": ("p(yes, n) ~ x + (1|state) + (1|state:age)", "beta_binomial", None),
    "beta": ("share ~ male + (1|age)", "beta", None),
    "gamma, log": ("wait ~ x + (1|state)", "gamma", "log"),
    "wald, log": ("wait ~ edu + (1|state)", "wald", "log"),
    "weibull, log": ("wait ~ 1 + (1|age)", "weibull", "log"),
    "exponential, log": ("wait ~ x + (edu|state)", "exponential", "log"),
    "laplace": ("height ~ x + (1|state)", "laplace", None),
    "gaussian, no group": ("height ~ C(state):male + poly(x, 3)", "gaussian", None),
    "gaussian, transformed": (
        "height ~ scale(x) + center(male) + (scale(x)|age)",
        "gaussian",
        None,
    ),
    "gaussian, arithmetic": (
        "height ~ np.exp(x) + I(x**2) + {x + male} + (1|age)",
        "gaussian",
        None,
    ),
    "gaussian, three-way groups": ("height ~ 1 + (1|state:age:male)", "gaussian", None),
    "gaussian, slope without intercept": ("height ~ x + (0 + x|state) + (1|edu)", "gaussian", None),
    "poisson, pairs of slopes": (
        "visits ~ x*male + (x + male + I(x*male)|age)",
        "poisson",
        None,
    ),
}


@pytest.mark.parametrize("name", MORE_MODELS)
def test_equals_bambi(name):
    formula, family, link = MORE_MODELS[name]
    options = {"link": link} if link else {}
    model = build(formula, family, data=POSITIVE, **options)
    draws = synthetic.draws_for(model)
    if link == "identity":  # probabilities, where the other links make them
        draws = draws.map_over_datasets(lambda group: group / 10 if "Intercept" in group else group)
    for by in (["state"], ["age", "edu"]):
        found = poststratify_draws(model, draws, FRAME, by=by, block=11)
        expected = by_hand(model, draws, FRAME, by)
        np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12, atol=1e-12)


def test_real_model_on_the_real_frame_equals_bambi(model, states):
    draws = fit_or_load(model, "hierarchical")
    few = draws["posterior"].to_dataset().isel(draw=slice(None, None, 250))
    draws = xr.DataTree.from_dict({"posterior": few})
    frame = load_poststrat_frame().merge(states, on="state")
    found = poststratify_draws(model, draws, frame, by="state")
    expected = by_hand(model, draws, frame.assign(abortion=0), ["state"])
    assert found.shape == (50, 16)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12)


# The posterior of the main model: Bambi's density against plain PyMC's and SciPy's.

CLOSE = 1e-8


def random_points(model, number=10, seed=7):
    """Values of Bambi's unconstrained parameters: standard deviations as their logarithms."""
    rng = np.random.default_rng(seed)
    start = model.backend.model.initial_point()
    for _ in range(number):
        yield {
            name: rng.normal(-1, 0.7) if name.endswith("_sigma_log__") else rng.normal(size=v.shape)
            for name, v in start.items()
        }


def in_plain_names(values):
    """The same values under the names of `research/plain_model.py`."""
    renamed = {
        "centred intercept": values["Intercept"],
        "slopes": np.array([values["male"], values["repvote"]]),
    }
    for group in GROUPS:
        renamed[f"sd {group}_log__"] = values[f"1|{group}_sigma_log__"]
        renamed[f"standard {group}"] = values[f"1|{group}_offset"]
    return {name: np.asarray(value, dtype="float64") for name, value in renamed.items()}


def log_coefficients(cells):
    """What a binomial likelihood adds that no parameter touches."""
    return np.log(binomial_coefficient(cells["n"], cells["abortion"])).sum()


@pytest.fixture(scope="module")
def bambi_density(model):
    model.build()
    # Compiling to machine code would take longer than these few evaluations.
    return model.backend.model.compile_logp(mode="FAST_COMPILE")


def plain(cells):
    return plain_model.plain_model(cells, laboratory.levels_of(cells))


def distances(bambi_density, model, cells, other):
    """Relative distance of the two log-densities at each random point, constants included."""
    density = other.compile_logp(mode="FAST_COMPILE")
    for point in random_points(model):
        theirs = bambi_density(point)
        ours = density(in_plain_names(point)) + log_coefficients(cells)
        yield abs(ours - theirs) / abs(theirs)


def test_the_model_is_the_one_that_chapters_fitted(model):
    stored = xr.load_datatree(posteriors.FOLDER / "hierarchical.nc", engine="h5netcdf").attrs
    digests = {f"digest_{part}": digest for part, digest in model_digests(model).items()}
    assert {name: stored[name] for name in digests} == digests


def test_density_equals_plain_pymc(bambi_density, model, cells):
    assert max(distances(bambi_density, model, cells, plain(cells))) < CLOSE


def test_density_equals_plain_pymc_without_the_change_of_variables(model, cells):
    model.build()
    options = {"mode": "FAST_COMPILE", "jacobian": False}
    theirs = model.backend.model.compile_logp(**options)
    ours = plain(cells).compile_logp(**options)
    for point in random_points(model, number=3):
        found = ours(in_plain_names(point)) + log_coefficients(cells)
        assert found == pytest.approx(theirs(point), rel=CLOSE)


def test_gradient_equals_plain_pymc(model, cells):
    model.build()
    other = plain(cells)
    theirs = gradient(model.backend.model)
    ours = gradient(other)
    for point in random_points(model, number=3):
        expected, found = in_plain_names(theirs(point)), ours(in_plain_names(point))
        assert set(found) == set(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-8, atol=1e-8, err_msg=name)


def gradient(model: pm.Model):
    """The gradient of the log-density as a function from values to values, by name."""
    flat = model.compile_dlogp(mode="FAST_COMPILE")
    shapes = {variable.name: variable.type.ndim for variable in model.value_vars}

    def by_name(point):
        values, start, named = flat(point), 0, {}
        for name in shapes:
            size = np.size(point[name])
            named[name] = values[start : start + size].reshape(np.shape(point[name]))
            start += size
        return named

    return by_name


def test_density_equals_scipy(bambi_density, model, cells):
    predictors = cells[["male", "repvote"]]
    for point in random_points(model, number=3):
        slopes = np.array([point["male"], point["repvote"]])
        predictor = point["Intercept"] + (predictors - predictors.mean()) @ slopes
        density = norm.logpdf(point["Intercept"], 0, 1.5)
        density += norm.logpdf(slopes, 0, 1 / predictors.std(ddof=0)).sum()
        for group in GROUPS:
            sd, standard = np.exp(point[f"1|{group}_sigma_log__"]), point[f"1|{group}_offset"]
            # The last term belongs to the change of variables from sd to its logarithm.
            density += halfnorm.logpdf(sd, scale=0.5) + np.log(sd) + norm.logpdf(standard).sum()
            number = cells.groupby(group.split(":")).ngroup()
            predictor = predictor + sd * standard[number]
        density += binom.logpmf(cells["abortion"], cells["n"], expit(predictor)).sum()
        assert density == pytest.approx(bambi_density(point), rel=CLOSE)


def one_answer_more(model, cells):
    where = cells.index[cells["abortion"] < cells["n"]][0]
    support = cells["abortion"].to_numpy().copy()
    support[where] += 1
    pm.set_data({"support": support}, model=model)


def one_cell_elsewhere(model, cells):
    state = model["state of cell"].get_value()
    state[0] = (state[0] + 1) % 50
    pm.set_data({"state of cell": state}, model=model)


def a_wider_slope(model, cells):
    pm.set_data({"slope_sd": model["slope_sd"].get_value() * [1, 1.001]}, model=model)


def predictors_not_centred(model, cells):
    raw = cells[["male", "repvote"]].to_numpy(dtype="float64")
    pm.set_data({"centred": raw}, model=model)


@pytest.mark.parametrize(
    "plant", [one_answer_more, one_cell_elsewhere, a_wider_slope, predictors_not_centred]
)
def test_a_planted_difference_is_seen(plant, bambi_density, model, cells):
    other = plain(cells)
    plant(other, cells)
    assert max(distances(bambi_density, model, cells, other)) > CLOSE


def test_another_prior_is_seen(monkeypatch, bambi_density, model, cells):
    monkeypatch.setattr(plain_model, "GROUP_SD", 0.501)
    assert max(distances(bambi_density, model, cells, plain(cells))) > CLOSE


# rake against the equations that define it.

MARGINS = {
    "four": ["age", "edu", "eth", "male"],
    "with states": ["state", "age", "edu", "eth", "male"],
    "one": ["edu"],
}


def solve_raking_equations(sample, margins, base):
    """Weights ``base * exp(x'multipliers)`` whose totals are the population's.

    Their multipliers are where the convex function ``sum(weights) - totals'multipliers`` is
    smallest: its gradient is what the totals miss. One level of each column is left out, since
    all of them together say no more than the constant.
    """
    columns, totals = [np.ones(len(sample))], [float(len(sample))]
    for column, margin in margins.items():
        for level in margin.index[1:]:
            columns.append((sample[column] == level).to_numpy(dtype="float64"))
            totals.append(len(sample) * margin[level] / margin.sum())
    design, totals = np.column_stack(columns), np.array(totals)

    def weights(multipliers):
        return base * np.exp(design @ multipliers)

    solved = minimize(
        lambda m: weights(m).sum() - totals @ m,
        np.zeros(len(totals)),
        jac=lambda m: weights(m) @ design - totals,
        hess=lambda m: (design.T * weights(m)) @ design,
        method="trust-exact",
        options={"gtol": 1e-9, "maxiter": 500},
    ).x
    for _ in range(3):  # Newton's last steps, to the end of double precision
        missing = weights(solved) @ design - totals
        solved = solved - np.linalg.solve((design.T * weights(solved)) @ design, missing)
    assert np.abs(weights(solved) @ design - totals).max() < 1e-9
    return weights(solved)


@pytest.mark.parametrize("start", ["equal", "survey"])
@pytest.mark.parametrize("columns", MARGINS.values(), ids=MARGINS)
def test_raking_solves_its_equations(sample, columns, start):
    frame = load_poststrat_frame()
    margins = {column: frame.groupby(column)["n"].sum() for column in columns}
    base = sample["commonweight"] if start == "survey" else pd.Series(1.0, index=sample.index)
    found = rake(sample, margins, base_weight=base, tol=1e-13)
    solved = solve_raking_equations(sample, margins, base.to_numpy())
    np.testing.assert_allclose(found, solved, rtol=1e-8)


def test_raking_equations_are_not_solved_by_other_weights(sample):
    frame = load_poststrat_frame()
    margins = {column: frame.groupby(column)["n"].sum() for column in MARGINS["four"]}
    base = np.ones(len(sample))
    solved = solve_raking_equations(sample, margins, base)
    only_three = {column: margins[column] for column in ["age", "edu", "eth"]}
    assert np.abs(rake(sample, only_three) - solved).max() > 0.1


# hajek_mean against a survey library.

WEIGHTS = {
    "the survey's own": lambda people, rng: people["commonweight"],
    "equal": lambda people, rng: pd.Series(1.0, index=people.index),
    "very unequal": lambda people, rng: pd.Series(rng.lognormal(0, 2, len(people)), people.index),
    "informative": lambda people, rng: 1 + 5 * people["abortion"] + (people["male"] > 0),
}


@pytest.mark.parametrize("people", ["all", "few"])
@pytest.mark.parametrize("outcome", ["abortion", "a number"])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_weighted_mean_and_its_error_equal_a_survey_library(sample, kind, outcome, people):
    rng = np.random.default_rng(11)
    chosen = sample if people == "all" else sample.head(7)
    weight = WEIGHTS[kind](chosen, rng).astype("float64")
    answers = chosen["abortion"].astype("float64")
    y = answers if outcome == "abortion" else 100 * answers + rng.normal(size=len(chosen))
    data = polars.DataFrame({"y": y.to_list(), "weight": weight.to_list()})
    theirs = svy.Sample(data, svy.Design(wgt="weight")).estimation.mean("y").estimates[0]
    estimate, se = hajek_mean(y, weight)
    assert estimate == pytest.approx(theirs.est, rel=1e-8)
    assert se == pytest.approx(theirs.se, rel=1e-8)
