"""Stored posteriors: healthy or not on purpose, used by some notebook, and of their model only.

That sampling them afresh gives the same takes half an hour: 'make refit' (tools/refit.py). Here
stand the tests of what it relies on, and of its verdicts.
"""

import hashlib

import bambi as bmb
import numpy as np
import pytest
import xarray as xr

import mrp_helpers
import synthetic
from mrp_course import posteriors
from mrp_helpers import fit_or_load, load_heart_transplants, model, sampler_health
from mrp_helpers.model import _SEAL
from tools import refit
from tools.refit import (
    IN_KERNEL,
    UNHEALTHY,
    UNHEALTHY_ON_PURPOSE,
    Verdict,
    compare,
    complaint,
    dependencies,
    judge,
)

FITS = sorted(path.stem for path in posteriors.FOLDER.glob("*.nc"))
USERS = dependencies()


@pytest.mark.proof
@pytest.mark.parametrize("name", FITS)
def test_health(name):
    draws = xr.load_datatree(posteriors.FOLDER / f"{name}.nc", engine="h5netcdf")
    health = sampler_health(draws).iloc[0]
    if name in UNHEALTHY_ON_PURPOSE:
        assert not health["healthy"], f"{name} is listed as unhealthy and is healthy: unlist it"
    else:
        assert health["healthy"], f"{name}: {health.to_dict()}; sample longer, or mend the model"


def test_every_stored_fit_is_used_by_a_notebook():
    assert [name for name, notebooks in USERS.items() if not notebooks] == []


def test_every_fit_that_a_notebook_loads_is_stored():
    assert sorted(USERS) == FITS, "run 'make notebooks' and commit mrp_course/posteriors"


def test_every_exception_is_stored():
    assert set(UNHEALTHY_ON_PURPOSE) <= set(FITS)


# A stored posterior is loaded for its own model alone.


@pytest.fixture
def sampled(monkeypatch, tmp_path):
    """Count the fits that are sampled, and sample none."""
    calls = []

    def fit(model, **settings):
        calls.append(settings)
        return synthetic.draws_for(model)

    monkeypatch.setattr(bmb.Model, "fit", fit)
    monkeypatch.setenv("MRP_HELPERS_CACHE", str(tmp_path))
    return calls


def heart(formula="death ~ treatment + risk", change=lambda patients: patients, **options):
    return bmb.Model(formula, change(load_heart_transplants()), **options)


def one_death_less(patients):
    first = patients["death"].idxmax()
    return patients.assign(death=patients["death"].where(patients.index != first, 0))


NARROWER = {"risk": bmb.Prior("Normal", mu=0, sigma=1)}
OTHERS = {
    "formula": (lambda: heart("death ~ treatment * risk"), {}, "formula"),
    "family": (lambda: heart(family="bernoulli"), {}, "formula"),
    "prior": (lambda: heart(priors=NARROWER), {}, "priors"),
    "one number of the data": (lambda: heart(change=one_death_less), {}, "data"),
    "one row of the data": (lambda: heart(change=lambda patients: patients[1:]), {}, "data"),
    "draws": (heart, {"draws": 1001}, "sampler"),
    "seed": (heart, {"random_seed": 3}, "sampler"),
    "target": (heart, {"nuts": {"target_accept": 0.98}}, "sampler"),
}


def test_stored_posterior_is_loaded_for_its_model(sampled, capsys):
    fit_or_load(heart(), "heart-additive")
    assert "heart-additive: loaded 4 x 1000 draws" in capsys.readouterr().out
    assert sampled == []


@pytest.mark.parametrize(("other", "settings", "part"), OTHERS.values(), ids=OTHERS)
def test_anything_changed_is_sampled_and_not_loaded(sampled, capsys, other, settings, part):
    fit_or_load(other(), "heart-additive", **settings)
    said = capsys.readouterr().out
    assert len(sampled) == 1
    assert "the stored draws differ in" in said and part in said.splitlines()[0]


# The verdicts of a refit.


@pytest.fixture
def fits():
    """Make up two healthy fits of one model."""
    model = bmb.Model("p(yes, n) ~ x + (1|state)", synthetic.cells(), family="binomial")
    return [synthetic.draws_for(model, chains=4, draws=1000, seed=seed) for seed in (1, 2)]


def moved(fit, errors=0.0, factor=1.0):
    """Shift the slope by Monte Carlo standard errors, and stretch it around its mean."""
    slope = fit["posterior"]["x"]
    error = float(slope.std() / np.sqrt(slope.size))
    middle = float(slope.mean())
    fit["posterior"]["x"] = middle + (slope - middle) * factor + errors * error
    return fit


def test_two_fits_of_one_model_agree(fits):
    verdict = judge("made-up", *fits)
    assert not verdict.faults, verdict
    assert compare(*fits)["errors"].max() > 0.1


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"errors": 15}, "the mean of x"), ({"errors": -15}, "the mean of x")]
    + [({"factor": factor}, "the sd of x") for factor in (0.7, 1.35)],
)
def test_other_draws_are_a_fault(fits, change, fault):
    stored, fresh = fits
    assert judge("made-up", moved(stored, **change), fresh).faults == {fault}


def test_fresh_fit_must_be_nearly_healthy_unless_it_is_unhealthy_on_purpose(fits):
    stored, fresh = fits
    fresh["sample_stats"]["diverging"][0, 7:9] = True
    verdict = judge("made-up", stored, fresh)
    assert not verdict.faults and "nearly healthy: 2 divergences" in verdict.text
    fresh["sample_stats"]["diverging"][0, 9] = True
    assert judge("made-up", stored, fresh).faults == {"the fresh fit is not healthy"}
    (listed, *_) = UNHEALTHY_ON_PURPOSE
    assert judge(listed, stored, fresh).faults == frozenset()


def test_of_an_unhealthy_fit_only_what_converged_is_compared(fits):
    stored, fresh = fits
    fresh["posterior"]["x"][0] += 5
    (listed, *_) = UNHEALTHY_ON_PURPOSE
    verdict = judge(listed, stored, fresh)
    assert verdict.faults == frozenset() and "1 parameters set aside" in verdict.text
    assert "the sd of x" in judge("made-up", stored, fresh).faults


def test_sds_of_an_unhealthy_fit_may_differ_by_more(fits):
    (listed, *_) = UNHEALTHY_ON_PURPOSE
    stored, fresh = fits
    assert not judge(listed, moved(stored, factor=1.3), fresh).faults
    assert judge(listed, moved(stored, factor=1.5), fresh).faults == {"the sd of x"}


@pytest.mark.parametrize(
    ("found", "wrong", "heard"),
    [
        ([{}], {}, [["a", "b"]]),
        ([{"a": {"x"}}, {"a": {"y"}}], {}, [["a", "b"], ["a"]]),
        ([{"a": {"x"}, "b": {"y"}}, {"a": {"x"}}, {}], {}, [["a", "b"], ["a", "b"], ["a"]]),
        ([{"a": {"x", "y"}}, {"a": {"y"}}, {"a": {"y"}}], {"a": {"y"}}, [["a", "b"], ["a"], ["a"]]),
    ],
    ids=["agreed", "another fault", "third hearing", "wrong each time"],
)
def test_only_what_fails_at_each_hearing_counts(monkeypatch, found, wrong, heard):
    asked = []

    def hear(names, users, shift):
        asked.append(names)
        faults = found[len(asked) - 1]
        return {name: Verdict(name, frozenset(faults.get(name, ()))) for name in names}

    monkeypatch.setattr(refit, "hear", hear)
    assert refit.hear_until_agreed(["a", "b"], {}) == wrong
    assert asked == heard


@pytest.fixture
def again(sampled, monkeypatch, tmp_path):
    """Put the kernel's function into place, as the refit does before a notebook runs."""
    monkeypatch.setattr(mrp_helpers, "fit_or_load", fit_or_load)
    monkeypatch.setattr(model, "fit_or_load", fit_or_load)
    names = {}
    exec(IN_KERNEL, names)
    names["_sample_again"](["heart-additive"], str(tmp_path), 1000)
    return sampled


def test_refit_samples_with_another_seed_and_hands_out_the_stored_draws(again, tmp_path):
    for _ in range(2):  # the second time, the fresh draws are there already
        draws = mrp_helpers.fit_or_load(heart(), "heart-additive")
        assert draws["posterior"].sizes["draw"] == 1000
    assert [call["random_seed"] for call in again] == [1002]
    assert [path.name for path in tmp_path.glob("*.nc")] == ["heart-additive.nc"]
    mrp_helpers.fit_or_load(heart("death ~ treatment"), "heart-naive")
    assert len(again) == 1  # it was not asked for


def test_refit_refuses_stored_draws_of_another_model(again):
    with pytest.raises(RuntimeError, match="heart-additive: .*not of this model"):
        mrp_helpers.fit_or_load(heart(change=one_death_less), "heart-additive")
    assert again == []


def test_complaint_names_the_notebooks_and_the_remedy():
    stale = complaint("heart-naive", frozenset({"the mean of treatment"}), USERS)
    assert "chapters/01-regression-is-stratification.ipynb" in stale
    assert "delete mrp_course/posteriors/heart-naive.nc" in stale
    sick = complaint("heart-naive", frozenset({UNHEALTHY}), USERS)
    assert "more draws" in sick and "delete" not in sick


@pytest.mark.parametrize("path", sorted(posteriors.FOLDER.glob("*.nc")), ids=lambda path: path.stem)
def test_each_shipped_posterior_is_sealed(path):
    """A flipped bit in it is then noticed when it is loaded."""
    body, seal, digest = path.read_bytes().rpartition(_SEAL)
    assert seal, f"{path.name} has no checksum: fit_or_load seals what it stores"
    assert hashlib.sha256(body).hexdigest().encode() == digest, (
        f"{path.name} is damaged: restore it with 'git checkout', or run 'make notebooks'"
    )
