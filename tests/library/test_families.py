"""Each family that Bambi offers: its mean, the share below a line, and quantiles.

The parameters are Bambi's own predictions. What follows from them is computed another way here: by
SciPy's distributions, cell by cell, or by summing PyMC's density of a count.
"""

import importlib
import inspect

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit
from scipy.special import gamma as gamma_function

import synthetic
from mrp_helpers import _outcomes, poststratify, poststratify_draws
from mrp_helpers._families import FAMILIES
from mrp_helpers._roots import increasing_roots

poststratify_module = importlib.import_module("mrp_helpers.poststratify")
CELLS = synthetic.cells().assign(
    wait=lambda table: np.exp(table["x"]),
    some=lambda table: np.exp(table["x"]) * (table["n"] % 3 > 0),
    share=lambda table: expit(table["x"]),
)
FRAME = synthetic.cells(seed=9).drop(columns=["yes", "vote", "height", "visits"])
OUTCOMES = CELLS[["yes", "vote", "height", "visits", "wait", "some", "share"]]
SAMPLES = 8


def build(family, **options):
    """A model whose every parameter with a link has a formula, where there are several."""
    outcome, link = MODELS[family]
    terms = "x + edu + (1|state) + (0+edu|age)"
    formulas = [f"{parameter} ~ male + (1|state)" for parameter in PARAMETERS.get(family, [])]
    formula = bmb.Formula(f"{outcome} ~ {terms}", *formulas)
    options = {"link": link} if link else {}
    return bmb.Model(formula, CELLS, family=family, **options)


# For each family the outcome, and a link that is defined everywhere where the default is not.
MODELS = {
    "asymmetriclaplace": ("height", None),
    "bernoulli": ("vote", None),
    "beta": ("share", None),
    "beta_binomial": ("p(yes, n)", None),
    "binomial": ("p(yes, n)", None),
    "exgaussian": ("height", None),
    "exponential": ("wait", None),
    "gamma": ("wait", {"mu": "log", "alpha": "log"}),
    "gaussian": ("height", None),
    "hurdle_gamma": ("some", None),
    "hurdle_lognormal": ("some", None),
    "hurdle_negativebinomial": ("visits", None),
    "hurdle_poisson": ("visits", None),
    "laplace": ("height", None),
    "lognormal": ("wait", None),
    "negativebinomial": ("visits", None),
    "poisson": ("visits", None),
    "t": ("height", None),
    "wald": ("wait", {"mu": "log", "lam": "log"}),
    "weibull": ("wait", None),
    "zero_inflated_binomial": ("p(yes, n)", None),
    "zero_inflated_negativebinomial": ("visits", None),
    "zero_inflated_poisson": ("visits", None),
}
# The parameters that have a formula of their own here.
PARAMETERS = {
    "asymmetriclaplace": ["b", "kappa"],
    "beta": ["kappa"],
    "exgaussian": ["sigma", "nu"],
    "gamma": ["alpha"],
    "gaussian": ["sigma"],
    "hurdle_gamma": ["alpha", "psi"],
    "hurdle_lognormal": ["sigma", "psi"],
    "hurdle_negativebinomial": ["alpha", "psi"],
    "hurdle_poisson": ["psi"],
    "laplace": ["b"],
    "lognormal": ["sigma"],
    "negativebinomial": ["alpha"],
    "t": ["sigma"],
    "wald": ["lam"],
    "weibull": ["alpha"],
    "zero_inflated_binomial": ["psi"],
    "zero_inflated_poisson": ["psi"],
}


# For each continuous or count family SciPy's distribution of the parameters.
SCIPY = {
    "asymmetriclaplace": lambda mu, b, kappa: stats.laplace_asymmetric(kappa, mu, 1 / b),
    "beta": lambda mu, kappa: stats.beta(mu * kappa, (1 - mu) * kappa),
    "exgaussian": lambda mu, sigma, nu: stats.exponnorm(nu / sigma, mu, sigma),
    "exponential": lambda mu: stats.expon(scale=mu),
    "gamma": lambda mu, alpha: stats.gamma(alpha, scale=mu / alpha),
    "gaussian": lambda mu, sigma: stats.norm(mu, sigma),
    "laplace": lambda mu, b: stats.laplace(mu, b),
    "lognormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "negativebinomial": lambda mu, alpha: stats.nbinom(alpha, alpha / (alpha + mu)),
    "poisson": lambda mu: stats.poisson(mu),
    "t": lambda mu, sigma, nu: stats.t(nu, mu, sigma),
    "wald": lambda mu, lam: stats.invgauss(mu / lam, scale=lam),
    "weibull": lambda mu, alpha: stats.weibull_min(alpha, scale=mu / gamma_function(1 + 1 / alpha)),
}


def parameters(model, draws, frame=FRAME):
    """Bambi's own predictions of each parameter (cells x samples)."""
    predicted = model.predict(draws, data=frame.join(OUTCOMES), inplace=False)["posterior"]
    found = {}
    for name in model.family.likelihood.params:
        values = predicted[name].stack(sample=("chain", "draw")).transpose(..., "sample")
        found[name] = np.broadcast_to(values.to_numpy(), (len(frame), SAMPLES))
    return found


class Distribution:
    """The mean and the distribution function that SciPy gives, with a heap at zero or not."""

    def __init__(self, family, values):
        base = family.removeprefix("hurdle_").removeprefix("zero_inflated_")
        psi = values.get("psi", np.ones(()))
        inner = SCIPY[base](**{name: one for name, one in values.items() if name != "psi"})
        none = inner.cdf(0) if family.startswith("hurdle_") else 0
        self.mean = psi * inner.mean() / (1 - none)
        heap = 1 - psi

        def at_most(y):
            above = (inner.cdf(y) - none) / (1 - none)
            return np.where(np.less(y, 0), inner.cdf(y) * psi, heap + psi * above)

        self.at_most = at_most


def weighted(values, by=("state", "age"), frame=FRAME):
    """Means over the population of each group (groups x samples)."""
    table = pd.DataFrame(values).mul(frame["n"].to_numpy(), axis=0)
    return (
        table.groupby([frame[column] for column in by])
        .sum()
        .div(frame.groupby(list(by))["n"].sum(), axis=0)
    )


@pytest.fixture(scope="module", params=sorted(MODELS))
def fitted(request):
    model = build(request.param)
    return request.param, model, synthetic.draws_for(model, draws=SAMPLES // 2)


def test_mean_equals_bambi(fitted):
    """Where it is a parameter, that alone; else what follows from Bambi's parameters."""
    family, model, draws = fitted
    values = parameters(model, draws)
    base = family.removeprefix("hurdle_").removeprefix("zero_inflated_")
    if base in SCIPY and base != "t":  # with few degrees of freedom it has no mean
        mean = Distribution(family, values).mean
    else:
        mean = (
            values["psi"] * values["p"]
            if "psi" in values
            else values[model.family.likelihood.parent]
        )
    found = poststratify_draws(model, draws, FRAME, by=["state", "age"], block=7)
    np.testing.assert_allclose(found, weighted(mean), rtol=1e-8, atol=1e-10)


LINES = {"height": [-1.0, 0.3, 2.0], "share": [0.2, 0.5, 1.0], "visits": [0, 1, 2.5, 4]}


def lines_of(family):
    return LINES.get(MODELS[family][0], [0, 0.4, 1.0, 3.0])


def test_share_below_a_line_equals_scipy(fitted):
    family, model, draws = fitted
    lines = lines_of(family)
    if FAMILIES[family].at_most is None:
        with pytest.raises(
            NotImplementedError, match="^the share below a line is not computed for"
        ):
            poststratify(model, draws, FRAME, below=lines)
        return
    found = poststratify_draws(model, draws, FRAME, by=["state", "age"], below=lines, block=7)
    assert found.dims == ("group", "below", "sample") and found["below"].values.tolist() == lines
    distribution = Distribution(family, parameters(model, draws))
    for number, line in enumerate(lines):
        expected = weighted(distribution.at_most(np.nextafter(line, -np.inf)))
        np.testing.assert_allclose(found[:, number], expected, rtol=1e-8, atol=1e-10)
        one = poststratify_draws(model, draws, FRAME, by=["state", "age"], below=line)
        assert one.dims == ("group", "sample")
        np.testing.assert_allclose(one, found[:, number], rtol=1e-12)


def test_quantiles_are_where_the_share_is(fitted):
    family, model, draws = fitted
    probabilities = [0.1, 0.5, 0.95]
    if FAMILIES[family].bracket is None:
        with pytest.raises(NotImplementedError, match="^a quantile is not computed for the family"):
            poststratify(model, draws, FRAME, quantiles=probabilities)
        return
    found = poststratify_draws(
        model, draws, FRAME, by=["state", "age"], quantiles=probabilities, block=7
    )
    assert found.dims == ("group", "quantile", "sample")
    distribution = Distribution(family, parameters(model, draws))
    group = FRAME.groupby(["state", "age"]).ngroup().to_numpy()
    for number, probability in enumerate(probabilities):
        y = found[:, number].to_numpy()
        # A beta's quantile may be so close to one that no number is between.
        before = weighted(distribution.at_most(y[group] - 1e-9)).to_numpy()
        after = weighted(distribution.at_most(y[group] + 1e-9)).to_numpy()
        assert (before < probability).all() and (after > probability).all()
    table = poststratify(model, draws, FRAME, by="state", quantiles=[0.5, 0.1])
    assert table["quantile"].to_list() == [0.5, 0.1] * 5


@pytest.mark.parametrize(
    "family", ["hurdle_poisson", "hurdle_negativebinomial", "zero_inflated_poisson"]
)
def test_mean_of_a_count_is_what_pymc_samples(family):
    """The sum of counts times PyMC's probability of each."""
    values = {"mu": 2.3, "alpha": 1.4, "psi": 0.7}
    names = [name for name in values if name in build(family).family.likelihood.params]
    likelihood = getattr(pm, build(family).family.likelihood.name)
    counts = np.arange(400)
    shares = np.exp(pm.logp(likelihood.dist(**{n: values[n] for n in names}), counts).eval())
    taken = {n: np.array([[values[n]]]) for n in FAMILIES[family].mean.__code__.co_varnames}
    assert (counts * shares).sum() == pytest.approx(FAMILIES[family].mean(**taken).item(), rel=1e-8)
    at_most = FAMILIES[family].at_most(2.0, **{n: np.array([[values[n]]]) for n in names})
    assert at_most.item() == pytest.approx(shares[:3].sum(), rel=1e-8)


EXACT = {"asymmetriclaplace", "gaussian", "laplace", "lognormal", "t", "weibull"}


@pytest.mark.parametrize("family", [name for name in SCIPY if FAMILIES[name].bracket])
def test_the_quantile_of_a_cell_is_within_its_bracket(family):
    bracket, rng = FAMILIES[family].bracket, np.random.default_rng(7)
    taken = inspect.signature(SCIPY[family]).parameters
    values = {name: rng.uniform(0.4, 0.9, size=20) for name in taken}
    for q in (0.02, 0.3, 0.5, 0.9):
        expected = SCIPY[family](**values).ppf(q)
        used = {n: values[n] for n in inspect.signature(bracket).parameters if n != "q"}
        low, high = bracket(q, **used)
        assert (low <= expected + 1e-9).all() and (expected <= high + 1e-9).all()
        if family in EXACT:
            np.testing.assert_allclose(low, high)


def roots_of(function, start, rise=1.0, **options):
    """Roots, and how many values were wanted for each of them."""
    wanted = np.zeros(np.shape(start), dtype=int)

    def counted(x, open_):
        wanted[open_] += 1
        return np.where(open_, function(x), 1e3)  # what is not wanted may be anything

    found, rise = increasing_roots(counted, np.array(start), np.full(wanted.shape, rise), **options)
    return found, rise, wanted


def test_roots_of_smooth_functions_take_few_values():
    target = np.array([[-0.4, 0.0, 0.2], [0.6, 3.0, -9.0]])
    found, rise, wanted = roots_of(lambda x: np.arcsinh(x - target), np.zeros((2, 3)))
    np.testing.assert_allclose(found, target, atol=1e-10)
    np.testing.assert_allclose(rise, 1, atol=0.05)
    assert wanted.max() < 20 and wanted[0].max() < 6 and wanted[0, 1] == 1


@pytest.mark.parametrize("start", [-3e3, -0.1, 5.0, 2e5])
@pytest.mark.parametrize("rise", [1e-4, 1.0, 1e4])
def test_roots_are_found_from_afar(start, rise):
    """A share of people rises from nothing to all, almost flat on both sides."""
    target = np.array([0.0, 1.0, 2.5])
    share = stats.norm(target, [0.01, 1, 20]).cdf
    found, _, _ = roots_of(lambda x: (share(x) - 0.5) * 4, np.full(3, start), rise)
    np.testing.assert_allclose(found, target, atol=1e-9)


def test_roots_at_jumps_between_flat_parts_and_at_the_least():
    jump, _, _ = roots_of(lambda x: np.where(x < 1.3, -2.0, 2.0), [0.0, 4.0])
    np.testing.assert_allclose(jump, 1.3, atol=1e-9)
    least, _, wanted = roots_of(lambda x: np.where(x < 0, -2.0, 0.5 + x), [0.0, 4.0], least=0)
    assert (least == 0).all() and wanted[0] == 1 and wanted[1] < 5
    flat = 1e-7 * np.array([-1.0, 1.0])
    two, _, _ = roots_of(lambda x: np.tanh(40 * (x - 5)) + np.tanh(40 * (x + 5)) + flat, [0.5, -3])
    share = np.tanh(40 * (two - 5)) + np.tanh(40 * (two + 5)) + flat
    np.testing.assert_allclose(share, 0, atol=1e-9)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_roots_are_found_alike_in_any_unit(unit):
    target = np.array([-0.4, 0.2, 3.0])
    share = stats.norm(target, [0.1, 1, 20]).cdf
    start = np.zeros(3)
    found, _, wanted = roots_of(lambda x: (share(x) - 0.5) * 4, start)
    scaled, _, as_often = roots_of(lambda x: (share(x / unit) - 0.5) * 4, start, unit)
    np.testing.assert_allclose(scaled / unit, found, atol=1e-9)
    assert (wanted == as_often).all()


def test_flat_steps_are_no_error_of_arithmetic():
    with np.errstate(all="raise"):
        found, _, _ = roots_of(lambda x: np.where(x < 1.3, -2.0, 2.0), [0.0, 4.0])
    np.testing.assert_allclose(found, 1.3, atol=1e-9)


def test_a_function_that_is_no_number_has_no_root():
    found, _, wanted = roots_of(lambda x: np.where([True, False], np.nan, x - 0.25), [0.0, 0.0])
    assert np.isnan(found[0]) and wanted[0] == 1 and found[1] == 0.25


# --- Models with several linear predictors, and what is asked of them.


def gaussian(**options):
    formula = bmb.Formula("height ~ x + (1|state)", "sigma ~ male + (1|state)")
    return bmb.Model(formula, CELLS, family="gaussian", **options)


@pytest.fixture(scope="module")
def spread():
    model = gaussian()
    return model, synthetic.draws_for(model)


@pytest.mark.parametrize("asked", [{"below": [-0.5, 0.5]}, {"quantiles": [0.2, 0.5]}])
def test_blocks_chunks_and_rows_do_not_matter(spread, monkeypatch, asked):
    whole = poststratify_draws(*spread, FRAME, by=["state", "age"], block=1000, **asked)
    for block in (1, 7, 60):
        parts = poststratify_draws(*spread, FRAME, by=["state", "age"], block=block, **asked)
        np.testing.assert_allclose(parts, whole, atol=1e-9)
    turned = poststratify_draws(*spread, FRAME[::-1], by=["state", "age"], **asked)
    np.testing.assert_allclose(turned, whole, atol=1e-9)
    monkeypatch.setattr(poststratify_module, "_BLOCK_VALUES", 300)  # two groups at a time
    few = poststratify_draws(*spread, FRAME, by=["state", "age"], **asked)
    np.testing.assert_allclose(few, whole, atol=1e-9)


def test_no_more_than_a_block_is_held_for_quantiles(spread, monkeypatch):
    held, blocks = [], _outcomes.Outcomes.blocks

    def counted(self, cells, size, function):
        for rows, values in blocks(self, cells, size, function):
            held.append(values.shape[1])
            yield rows, values

    monkeypatch.setattr(_outcomes.Outcomes, "blocks", counted)
    poststratify(*spread, FRAME, by="state", quantiles=[0.1, 0.5, 0.9], block=7)
    assert max(held) == 7


@pytest.mark.parametrize(("by", "most"), [(None, 6), ("male", 8)])
def test_all_cells_are_gone_through_few_times(spread, monkeypatch, by, most):
    """A sample of the cells says where about a quantile is."""
    cells, means = [], poststratify_module._means

    def counted(groups, *others):
        cells.append(len(groups.order))
        return means(groups, *others)

    monkeypatch.setattr(poststratify_module, "_means", counted)
    poststratify(*spread, FRAME, by=by, quantiles=0.5)
    assert 1 < cells.count(len(FRAME)) <= most
    assert cells[0] < len(FRAME) / 4


def test_the_median_of_two_equal_halves_far_apart(spread):
    """Nobody is in between: wherever the share of the lower half is passed first."""
    model, draws = spread
    frame = FRAME.head(2).assign(x=[0.0, 1e4], n=[100, 101])
    median = poststratify_draws(model, draws, frame, quantiles=0.5)
    reached = poststratify_draws(model, draws, frame, by="x", below=median[0, 0].item())[:, 0]
    assert (reached * [100, 101]).sum().item() / 201 == pytest.approx(0.5, abs=1e-10)


@pytest.mark.parametrize("varying", [False, True])
def test_a_sample_of_cells_is_as_large_as_the_groups(varying):
    rng = np.random.default_rng(3)
    people = xr.DataArray(rng.gamma(2.0, size=(60, 5)), dims=("row", "sample"))
    population = people if varying else "n"
    frame = FRAME.sample(frac=1, random_state=1).assign(
        n=lambda table: table["n"].where(table.edu == "HS", 0)
    )
    whole = poststratify_module._Groups(frame, "state", population, 7)
    sample = whole.sampled(4)
    expected = whole.population.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(sample.population, expected)
    total = np.zeros_like(expected)
    sample.add(total, slice(0, len(sample.order)), np.ones((len(sample.order), 1)))
    np.testing.assert_allclose(total, expected)
    assert (np.diff(sample.codes[sample.order]) >= 0).all() and len(sample.order) <= 15
    chosen = frame.iloc[sample.order]
    assert varying or (chosen["edu"] == "HS").all()
    assert sample.sampled(1000).order.size == whole.number


@pytest.mark.parametrize("asked", [{"below": 0.4}, {"quantiles": 0.3}])
def test_population_that_varies(spread, asked):
    rng = np.random.default_rng(4)
    people = xr.DataArray(rng.gamma(2.0, size=(60, 60)), dims=("row", "sample"))
    found = poststratify_draws(*spread, FRAME, by="state", population=people, block=7, **asked)
    alone = poststratify_draws(*spread, FRAME.assign(n=people[:, 9]), by="state", **asked)
    np.testing.assert_allclose(found[:, 9], alone[:, 9], atol=1e-9)


def test_quantiles_are_of_the_population_and_not_of_its_means(spread):
    """The spread within cells is in them."""
    wide = poststratify(*spread, FRAME, quantiles=[0.1, 0.9])["estimate"]
    means = poststratify(*spread, FRAME, by=["state", "age", "male", "edu"])["estimate"]
    assert wide[0] < means.min() and wide[1] > means.max()


def test_new_levels_of_a_spread_are_drawn(spread):
    model, draws = spread
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    options = {"by": "state", "new_levels": "population", "random_seed": 1}
    first = poststratify(model, draws, frame, below=0.5, **options)
    again = poststratify(model, draws, frame[::-1], below=0.5, **options)
    pd.testing.assert_frame_equal(first, again)
    with pytest.raises(ValueError, match="'state' has level 'ZZ', which the model never saw"):
        poststratify(model, draws, frame, below=0.5)


def test_a_fixed_spread_is_the_models():
    model = bmb.Model("height ~ x", CELLS, priors={"sigma": 2.5})
    draws = synthetic.draws_for(model)
    kept = draws["posterior"].to_dataset().drop_vars("sigma", errors="ignore")
    draws = xr.DataTree.from_dict({"posterior": kept})
    mean = poststratify_draws(model, draws, FRAME.head(1))
    found = poststratify_draws(model, draws, FRAME.head(1), below=0.5)
    np.testing.assert_allclose(found, stats.norm(mean, 2.5).cdf(0.5), rtol=1e-12)


def test_draws_without_the_spread_give_means_alone():
    model = bmb.Model("height ~ x", CELLS)
    draws = synthetic.draws_for(model)
    only = xr.DataTree.from_dict({"posterior": draws["posterior"].to_dataset().drop_vars("sigma")})
    poststratify(model, only, FRAME)
    message = (
        "^draws have no parameter 'sigma', which the .* needs here; pass what model.fit returned$"
    )
    with pytest.raises(ValueError, match=message):
        poststratify(model, only, FRAME, below=0.5)


def test_centred_intercepts_of_each_parameter_are_refused(spread):
    model, draws = spread
    full = model.predict(draws, inplace=False)["posterior"].to_dataset()
    kept = xr.DataTree.from_dict({"posterior": full})
    pd.testing.assert_frame_equal(
        poststratify(model, kept, FRAME, below=0.5), poststratify(model, draws, FRAME, below=0.5)
    )
    moved = full.assign(sigma_Intercept=full["sigma_Intercept"] + 1)
    with pytest.raises(ValueError, match="draws of 'sigma' are not what the draws of the effects"):
        poststratify(model, xr.DataTree.from_dict({"posterior": moved}), FRAME)


def test_a_smooth_in_any_formula_is_refused_by_name():
    formula = bmb.Formula("height ~ x", "sigma ~ hsgp(x, m=5, c=2)")
    model = bmb.Model(formula, CELLS)
    with pytest.raises(NotImplementedError, match=r"hsgp\(x, m=5, c=2\)' is of the kind HSGPTerm"):
        poststratify(model, xr.DataTree(), FRAME)


# --- Bad input.


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"below": 1, "quantiles": 0.5}, ValueError, "^below and quantiles are given; ask for one"),
        ({"below": "50,000"}, TypeError, "^below is '50,000'; pass a number, or a list of numbers"),
        ({"below": [1, "2"]}, TypeError, r"^below is \[1, '2'\]; pass a number, or a list of num"),
        ({"below": 2j}, TypeError, "^below is 2j; pass a number, or a list of numbers$"),
        ({"below": True}, TypeError, "^below is True; pass a number, or a list of numbers$"),
        ({"below": np.nan}, ValueError, "^below holds nan; pass finite numbers$"),
        ({"below": []}, ValueError, r"^below is \[\]; list one number or more, each once$"),
        ({"below": [1, 1.0]}, ValueError, r"^below is \[1, 1.0\]; list one number or more, each"),
        ({"quantiles": 50}, ValueError, "^quantiles is 50; each is a probability between 0 and 1"),
        ({"quantiles": [0.1, 1]}, ValueError, r"^quantiles is \[0.1, 1\]; each is a probability"),
        ({"quantiles": "median"}, TypeError, "^quantiles is 'median'; pass a number, or a list"),
    ],
)
def test_bad_questions_are_refused(spread, asked, error, message):
    with pytest.raises(error, match=message):
        poststratify(*spread, FRAME, **asked)
    with pytest.raises(error, match=message):
        poststratify_draws(*spread, FRAME, **asked)


def test_groups_may_not_be_named_like_what_is_asked(spread):
    for name, asked in (("below", {"below": [1]}), ("quantile", {"quantiles": [0.5]})):
        frame = FRAME.assign(**{name: FRAME["edu"]})
        with pytest.raises(ValueError, match=f"by names '{name}', and the result has a column or"):
            poststratify(*spread, frame, by=name, **asked)
        assert len(poststratify(*spread, frame, by=name)) == 2


@pytest.mark.parametrize("asked", [{"below": 1}, {"quantiles": 0.5}])
def test_an_outcome_with_levels_has_no_distribution(asked):
    model = bmb.Model("age ~ x", CELLS, family="categorical")
    with pytest.raises(
        ValueError, match="the outcome has levels .'18-29', '30-39', '40.'., and so"
    ):
        poststratify(model, synthetic.draws_for(model), FRAME, **asked)
