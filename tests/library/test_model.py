"""A stored fit is loaded for the same model only, and a full disk never costs a fit."""

import re

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
import pytest

import synthetic
from mrp_helpers import fit_or_load, poststratify, sampler_health
from mrp_helpers import model as model_module
from mrp_helpers.model import design_digest, model_digests

CELLS = synthetic.cells()
FORMULA = "p(yes, n) ~ x + (1|state)"


def build(formula=FORMULA, data=CELLS, **options):
    return bmb.Model(formula, data, family="binomial", **options)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MRP_HELPERS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def counted_fits(monkeypatch):
    """Replace sampling by made-up draws, and count how often it is asked for."""
    calls = []

    def fit(model, **settings):
        calls.append(settings)
        return synthetic.draws_for(model, seed=len(calls))

    monkeypatch.setattr(bmb.Model, "fit", fit)
    return calls


def test_samples_once_then_loads(cache, counted_fits, capsys):
    first = fit_or_load(build(), "small")
    assert "small: sampled 2 x 30 draws" in capsys.readouterr().out
    second = fit_or_load(build(), "small")
    assert "small: loaded 2 x 30 draws, sampled on 20" in capsys.readouterr().out
    assert len(counted_fits) == 1
    for name in first["posterior"].data_vars:
        np.testing.assert_array_equal(first["posterior"][name], second["posterior"][name])
        assert second["posterior"][name].dtype == "float32"


def test_stored_draws_have_the_aliases_of_whoever_loads_them(cache, counted_fits):
    """An alias is a name and no other model, so it must not cost a fit, nor the draws."""
    frame = CELLS.drop(columns="yes")
    names = {"1|state": "alpha", "x": "beta", "sigma": "spread", "p(yes, n)": "votes"}
    plain, aliased, other = build(), build(), build()
    aliased.set_alias(names)
    other.set_alias({"Intercept": "a"})
    first = fit_or_load(aliased, "small")
    assert {"alpha", "beta", "alpha_spread"} < set(first["posterior"].data_vars)
    expected = poststratify(aliased, first, frame, by="state")
    for model, known in [(plain, "1|state"), (other, "a"), (aliased, "alpha")]:
        again = fit_or_load(model, "small")
        assert known in again["posterior"]
        found = poststratify(model, again, frame, by="state")
        # What was stored has single precision.
        pd.testing.assert_frame_equal(found, expected, rtol=1e-5)
    assert set(again["observed_data"].data_vars) == {"votes"}
    assert again.attrs["sampled_on"] == first.attrs["sampled_on"]
    assert len(counted_fits) == 1


def test_resample_is_one_word_away(cache, counted_fits):
    fit_or_load(build(), "small")
    fit_or_load(build(), "small", resample=True)
    assert len(counted_fits) == 2


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (lambda: build("p(yes, n) ~ x + male + (1|state)"), "formula"),
        (lambda: build(link="probit"), "formula"),
        (lambda: build(priors={"x": bmb.Prior("Normal", mu=0, sigma=1.0000001)}), "priors"),
        (lambda: build(noncentered=False), "priors"),
        (lambda: build(data=CELLS.assign(yes=CELLS["yes"].where(CELLS.index != 3, 0))), "data"),
        (lambda: build(data=CELLS.iloc[::-1]), "data"),
    ],
)
def test_another_model_is_sampled(cache, counted_fits, capsys, other, part):
    fit_or_load(build(priors={"x": bmb.Prior("Normal", mu=0, sigma=1)}), "small")
    capsys.readouterr()
    fit_or_load(other(), "small")
    assert len(counted_fits) == 2
    said = capsys.readouterr().out
    assert "the stored draws differ in " in said and part in said


CODED = CELLS.assign(sex=(CELLS["male"] > 0) + 1, answer=np.where(CELLS["vote"] == 1, "yes", "no"))


def coded(formula, namespace=None, **columns):
    """A model of columns of certain types, with priors that do not look at the data."""
    data = CODED.assign(**{name: change(CODED[name]) for name, change in columns.items()})
    return bmb.Model(formula, data, "bernoulli", auto_scale=False, extra_namespace=namespace)


def categories(*levels, ordered=True):
    return lambda column: pd.Categorical(column, levels, ordered=ordered)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            lambda: coded("vote ~ sex + (1|state)", sex=lambda sex: sex.astype("category")),
            lambda: coded("vote ~ sex + (1|state)"),
        ),
        (
            lambda: coded("answer ~ x", answer=categories("yes", "no")),
            lambda: coded("answer ~ x", answer=categories("no", "yes")),
        ),
        (
            lambda: coded("vote ~ x + edu", edu=categories("HS", "College")),
            lambda: coded("vote ~ x + edu", edu=categories("College", "HS")),
        ),
        (
            lambda: coded("vote ~ rescale(x)", {"rescale": lambda x: x / 2}),
            lambda: coded("vote ~ rescale(x)", {"rescale": lambda x: x / 3}),
        ),
        (
            lambda: coded("vote ~ I(x * unit)", {"unit": 1}),
            lambda: coded("vote ~ I(x * unit)", {"unit": 100}),
        ),
        (
            lambda: coded("vote ~ (0 + sex|state)", sex=lambda sex: sex.astype("category")),
            lambda: coded("vote ~ (0 + sex|state)"),
        ),
    ],
    ids=["type", "order of answers", "reference", "function", "number", "type of a slope"],
)
def test_another_design_of_the_same_text_is_sampled(cache, counted_fits, capsys, one, other):
    draws = fit_or_load(one(), "small")
    fit_or_load(one(), "small")
    assert len(counted_fits) == 1
    capsys.readouterr()
    fit_or_load(other(), "small")
    assert len(counted_fits) == 2
    assert "the stored draws differ in design, and are not loaded" in capsys.readouterr().out
    with pytest.raises(ValueError, match="belong to another model"):
        poststratify(other(), draws, CODED)


def test_order_of_a_grouping_factors_categories_does_not_matter(cache, counted_fits):
    states = synthetic.STATES
    forth = coded("vote ~ x + (edu|state)", state=categories(*states))
    back = coded("vote ~ x + (edu|state)", state=categories(*reversed(states)))
    first, again = fit_or_load(forth, "small"), fit_or_load(back, "small")
    assert len(counted_fits) == 1
    pd.testing.assert_frame_equal(
        poststratify(back, again, CODED, by="state"), poststratify(forth, first, CODED, by="state")
    )


def test_order_of_groups_matters_to_a_prior_of_ones_own():
    """It may be a walk from each group to the next one."""
    digests = set()
    for states in (synthetic.STATES, synthetic.STATES[::-1]):
        data = CELLS.assign(state=pd.Categorical(CELLS["state"], states, ordered=True))
        sd = bmb.Prior("HalfNormal", sigma=0.5)
        own = bmb.Prior("Own", dist=wide, noncentered=False, sigma=sd)
        digests.add(design_digest(build(data=data, priors={"1|state": own})))
    assert len(digests) == 2


def test_a_fit_that_was_stored_before_designs_were_digested_is_loaded(cache, counted_fits):
    draws = fit_or_load(build(), "small")
    del draws.attrs["digest_design"]
    model_module._store(draws, cache / "small.nc")
    again = fit_or_load(build(), "small")
    assert len(counted_fits) == 1 and "digest_design" not in again.attrs
    assert len(poststratify(build(), again, synthetic.cells(seed=9))) == 1


def test_other_settings_are_sampled(cache, counted_fits, capsys):
    fit_or_load(build(), "small")
    fit_or_load(build(), "small", draws=500)
    assert [call["draws"] for call in counted_fits] == [1000, 500]
    assert "differ in sampler, and" in capsys.readouterr().out


def test_columns_outside_the_formula_do_not_matter():
    wider = build(data=CELLS.assign(weight=1))
    assert model_digests(build()) == model_digests(wider)
    assert design_digest(build()) == design_digest(wider)


def test_a_design_without_common_terms_has_a_digest():
    terms = ("(1|state)", "(1|state) + (1|x)")
    alone, more = (build(f"p(yes, n) ~ 0 + {groups}") for groups in terms)
    assert design_digest(alone) != design_digest(more)


def test_the_last_digits_of_another_processor_do_not_matter():
    """It adds in another order: means and standard deviations in data and priors change a hair."""
    here, there = (
        build(
            data=CELLS.assign(x=CELLS["x"] * (1 + hair)),
            priors={"x": bmb.Prior("Normal", mu=0, sigma=1 / 3 * (1 + hair))},
        )
        for hair in (0, 4e-16)
    )
    assert not here.data["x"].equals(there.data["x"])
    assert model_digests(here) == model_digests(there)
    assert design_digest(here) == design_digest(there)


def test_unwritable_cache_warns_and_loses_nothing(tmp_path, monkeypatch, counted_fits):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("MRP_HELPERS_CACHE", str(blocked))
    model = build()
    with pytest.warns(UserWarning, match="could not be stored .*MRP_HELPERS_CACHE"):
        draws = fit_or_load(model, "small")
    assert draws["posterior"].sizes["draw"] == 30
    assert blocked.read_text() == "a file where a folder should be"


def test_truncated_store_warns_and_samples(cache, counted_fits):
    fit_or_load(build(), "small")
    stored = cache / "small.nc"
    stored.write_bytes(stored.read_bytes()[:-500])
    model = build()
    with pytest.warns(UserWarning, match="small.nc cannot be read"):
        fit_or_load(model, "small")
    assert len(counted_fits) == 2


def test_store_leaves_no_scraps(cache, counted_fits):
    fit_or_load(build(), "small")
    assert [path.name for path in cache.iterdir()] == ["small.nc"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x.nc", "a\n", "a" * 101])
def test_name_must_be_a_plain_word(name):
    with pytest.raises(ValueError, match="cannot name a fit"):
        fit_or_load(build(), name)


@pytest.mark.parametrize(
    ("model", "name", "settings", "message"),
    [
        (None, "small", {}, "model is of type NoneType; pass a bambi Model"),
        (FORMULA, "small", {}, "model is of type str; pass a bambi Model"),
        (build(), 3, {}, "name is of type int"),
        (build(), "small", {"draws": np.int64(50)}, "cannot be compared .*int64.*; pass plain"),
    ],
)
def test_things_of_another_kind_are_refused(cache, counted_fits, model, name, settings, message):
    with pytest.raises(TypeError, match=message):
        fit_or_load(model, name, **settings)
    assert not counted_fits


def test_potentials_cannot_be_told_apart():
    model = build(potentials=[("x", lambda x: -(x**2))])
    with pytest.raises(NotImplementedError, match="potentials"):
        fit_or_load(model, "small")


def wide(name, sigma, dims):
    return pm.Normal(name, 0, 2 * sigma, dims=dims)


def narrow(name, sigma, dims):
    return pm.Normal(name, 0, sigma / 2, dims=dims)


def with_prior_of_ones_own(function):
    sd = bmb.Prior("HalfNormal", sigma=0.5)
    own = bmb.Prior("Own", dist=function, noncentered=False, sigma=sd)
    return build(priors={"1|state": own})


def test_priors_of_ones_own_are_told_apart_by_their_source():
    digests = [model_digests(with_prior_of_ones_own(function)) for function in (wide, narrow)]
    assert digests[0]["priors"] != digests[1]["priors"]
    assert digests[0] == model_digests(with_prior_of_ones_own(wide))


def test_a_prior_without_source_cannot_be_told_apart():
    space = {}
    exec(
        "import pymc as pm\ndef hidden(name, sigma, dims):\n"
        "    return pm.Normal(name, 0, sigma, dims=dims)",
        space,
    )
    with pytest.raises(NotImplementedError, match="'Own' is a function whose source"):
        fit_or_load(with_prior_of_ones_own(space["hidden"]), "small")


def test_poststratify_refuses_a_stored_fit_of_other_data(cache, counted_fits):
    draws = fit_or_load(build(), "small")
    frame = synthetic.cells(seed=9)
    assert len(poststratify(build(), draws, frame, by="state")) == 5
    other = build(data=CELLS.assign(yes=CELLS["yes"].where(CELLS.index != 3, 0)))
    with pytest.raises(ValueError, match="another model: they differ from this one in data"):
        poststratify(other, draws, frame)
    other = build(data=CELLS.iloc[::-1], priors={"x": bmb.Prior("Normal", mu=0, sigma=9)})
    with pytest.raises(ValueError, match="from this one in priors and data; fit this model first"):
        poststratify(other, draws, frame)


@pytest.mark.proof
def test_a_real_fit_comes_back_as_it_was(cache):
    options = {"draws": 60, "tune": 100, "chains": 2}
    sampled = fit_or_load(build(), "real", **options)
    loaded = fit_or_load(build(), "real", **options)
    assert sampled.identical(loaded)
    assert set(loaded.children) == {"posterior", "sample_stats", "observed_data"}
    assert sampler_health(loaded).shape == (1, 5)


def made_up_fit(draws=1000):
    return synthetic.draws_for(build(), chains=4, draws=draws)


def test_health_of_independent_draws():
    health = sampler_health(made_up_fit())
    row = health.iloc[0]
    assert list(health.columns) == [
        "divergences",
        "max_r_hat",
        "min_ess_bulk",
        "min_ess_tail",
        "healthy",
    ]
    assert row["divergences"] == 0
    assert row["healthy"]
    assert 1 <= row["max_r_hat"] < 1.01
    assert row["min_ess_bulk"] > 3000


def test_each_symptom_is_unhealthy():
    diverged = made_up_fit()
    diverged["sample_stats"]["diverging"][0, 7] = True
    assert sampler_health(diverged)["divergences"].item() == 1
    assert not sampler_health(diverged)["healthy"].item()

    stuck = made_up_fit()
    stuck["posterior"]["x"][0] += 1
    assert sampler_health(stuck)["max_r_hat"].item() > 1.1
    assert not sampler_health(stuck)["healthy"].item()

    broken = made_up_fit()
    broken["posterior"]["x"][0, 7] = np.nan
    assert not sampler_health(broken)["healthy"].item()

    constant = made_up_fit()
    constant["posterior"]["x"][:] = 1.0
    assert not sampler_health(constant)["healthy"].item()

    short = made_up_fit(draws=50)
    assert sampler_health(short)["min_ess_bulk"].item() < 400
    assert not sampler_health(short)["healthy"].item()


def test_health_needs_a_whole_fit_with_chains():
    with pytest.raises(ValueError, match="no group 'sample_stats'"):
        sampler_health(made_up_fit().drop_nodes("sample_stats"))
    with pytest.raises(TypeError, match="draws is of type Dataset; pass an xarray DataTree"):
        sampler_health(made_up_fit()["posterior"].to_dataset())
    without = made_up_fit()
    without["sample_stats"] = without["sample_stats"].to_dataset().drop_vars("diverging")
    with pytest.raises(ValueError, match="'sample_stats' lacks 'diverging'"):
        sampler_health(without)
    with pytest.raises(ValueError, match="one chain"):
        sampler_health(synthetic.draws_for(build(), chains=1))


def test_thresholds_between_ordered_levels_have_a_digest():
    """Bambi's own prior orders them by a transformation, which is no number."""
    cells = synthetic.cells().assign(age=lambda table: table["age"].astype("category"))
    first, again = (bmb.Model("age ~ 0 + x", cells, family="cumulative") for _ in range(2))
    assert model_digests(first) == model_digests(again)
    prior = bmb.Prior(
        "Normal",
        mu=[-1, 1],
        sigma=1,
        transform=first.parameters["threshold"].prior.args["transform"],
    )
    other = bmb.Model("age ~ 0 + x", cells, family="cumulative", priors={"threshold": prior})
    assert model_digests(other)["priors"] != model_digests(first)["priors"]


def test_building_a_model_does_not_change_its_digests():
    """Bambi repeats a prior's numbers for each level of the outcome, in the prior itself."""
    model = bmb.Model("edu ~ x + age", synthetic.cells(), family="categorical")
    before = model_digests(model)
    model.build()
    assert model.parameters["p"].terms["age"].prior.args["sigma"].ndim == 2
    assert model_digests(model) == before


def diverging(fit, number):
    fit = fit.copy(deep=True)
    fit["sample_stats"]["diverging"][0, :number] = True
    return fit


SHORT = r"r-hat up to 1\.0\d\d, effective size from \d{3}"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda fit: fit, ""),
        (
            lambda fit: diverging(fit, 3),
            r"small: not healthy \(3 divergence\(s\)\): pass nuts={'target_accept': 0.99}, or give "
            r"the groups a tighter prior\. See sampler_health\n",
        ),
        (
            lambda fit: fit.isel(draw=slice(0, 50)),
            rf"small: not healthy \({SHORT}\): sample longer, such as draws=4000\. "
            r"See sampler_health\n",
        ),
        (
            lambda fit: diverging(fit.isel(draw=slice(0, 50)), 1),
            rf"small: not healthy \(1 divergence\(s\); {SHORT}\): pass nuts=.*, or give the groups "
            r"a tighter prior; sample longer, such as draws=4000\. See sampler_health\n",
        ),
        (
            lambda fit: fit.isel(chain=[0]),
            "small: nothing says whether the sampler was healthy, since the draws have one chain; "
            "r-hat compares chains, so sample at least two\n",
        ),
    ],
)
def test_a_fit_that_is_not_healthy_says_what_to_do_when_it_was_sampled(
    cache, monkeypatch, capsys, fault, said
):
    fit = fault(made_up_fit())
    fit["observed_data"] = synthetic.draws_for(build())["observed_data"].to_dataset()
    monkeypatch.setattr(bmb.Model, "fit", lambda model, **_: fit)
    fit_or_load(build(), "small")
    first, _, rest = capsys.readouterr().out.partition("\n")
    assert first.startswith("small: sampled")
    assert re.fullmatch(said, rest)
    fit_or_load(build(), "small")  # whoever loads it has been told
    assert re.fullmatch("small: loaded .*\n", capsys.readouterr().out)


def test_a_fit_that_is_not_healthy_is_not_told_to_do_what_was_done(cache, monkeypatch, capsys):
    fit = diverging(made_up_fit().isel(draw=slice(0, 50)), 1)
    fit["observed_data"] = synthetic.draws_for(build())["observed_data"].to_dataset()
    monkeypatch.setattr(bmb.Model, "fit", lambda model, **_: fit)
    fit_or_load(build(), "small", draws=4000, nuts={"target_accept": 0.99})
    said = capsys.readouterr().out
    assert "give the groups a tighter prior; look for parameters that the data cannot tell" in said
    assert "target_accept" not in said
    assert "sample longer" not in said
