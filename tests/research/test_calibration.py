"""The stored calibration results: complete, of these settings, and what the script still gives."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import binomtest

from mrp_helpers import PUBLISHED_SELECTION, poststratify_draws
from research import calibrate
from research.calibrate import COVERAGE, FOLDER, RANKS, SIMULATIONS
from research.laboratory import NATION, append

RERUN = "run 'make simulation-study'"
QUANTITIES = ["male", "vote", "sd of state", "sd of age", "nation", "state A", "log-likelihood"]


@pytest.fixture(scope="module")
def ranks():
    return pd.read_csv(FOLDER / "calibration_ranks.csv").set_index("simulation")


@pytest.fixture(scope="module")
def coverage():
    return pd.read_csv(FOLDER / "calibration_coverage.csv")


def test_results_belong_to_these_settings():
    stored = calibrate.stored_settings()
    del stored["versions"]
    assert stored == calibrate.settings(), f"remove mrp_course/results/calibration_*, then {RERUN}"


def test_results_are_complete(ranks, coverage):
    assert sorted(ranks.index) == list(range(SIMULATIONS["ranks"])), RERUN
    assert calibrate.work_to_do() == [], RERUN
    rows = coverage.groupby(["recipe", "sample"])["area"].agg(["size", "nunique"])
    assert (rows == 51).all(axis=None)
    assert not (ranks.isna().any(axis=None) or coverage.isna().any(axis=None))


def test_results_are_possible(ranks, coverage):
    for name in QUANTITIES:
        assert ranks[f"rank of {name}"].between(0, RANKS["kept"]).all()
    for recipe, study in COVERAGE.items():
        draws = study["sampler"]["chains"] * study["sampler"]["draws"]
        rows = coverage[coverage["recipe"] == recipe]
        assert rows[["below", "below_people"]].stack().between(0, draws).all()
        nation = rows["area"] == NATION
        assert (rows.loc[nation, "asked"] == study["people"]).all()
        assert rows[~nation].groupby("sample")["asked"].sum().eq(study["people"]).all()


@pytest.mark.proof
@pytest.mark.parametrize("number", [0, 1, 317])
def test_a_world_and_its_ranks_come_out_again(ranks, number):
    stored, (_, again) = ranks.loc[number], next(calibrate.simulate_rank(number).iterrows())
    assert again["answers"] == stored["answers"]
    for name in QUANTITIES:
        assert again[name] == pytest.approx(stored[name], abs=2e-6)
        # On another processor, rounding sends the sampler's paths elsewhere, so that ranks agree
        # no better than those of two sets of draws: a standard deviation of at most 7 of 99.
        distance = abs(again[f"rank of {name}"] - stored[f"rank of {name}"])
        assert distance <= 4 * np.sqrt(2 * RANKS["kept"] / 4), f"rank of {name}; {RERUN}"


@pytest.mark.proof
def test_a_sample_and_its_estimates_come_out_again(coverage):
    stored = coverage[(coverage["recipe"] == "published") & (coverage["sample"] == 0)]
    stored, again = (
        rows.set_index("area") for rows in (stored, calibrate.simulate_coverage("published", 0))
    )
    assert again["asked"].equals(stored["asked"])
    # Chains may differ as above. An estimate is worth at least 50 independent draws.
    error = stored["sd"] * np.sqrt(2 / 50)
    assert ((again["estimate"] - stored["estimate"]).abs() < 4 * error).all()
    assert (again["sd"] / stored["sd"]).between(0.6, 1 / 0.6).all()


# A p-value as small as this is a fault, not chance.
SEEN = 1e-4


def heaped(ranks):
    """P-value of as many of the ten outermost of the 100 ranks, if each rank is equally likely."""
    outermost = (ranks < 5) | (ranks > RANKS["kept"] - 5)
    return binomtest(int(outermost.sum()), len(ranks), 0.1, alternative="greater").pvalue


@pytest.fixture(scope="module")
def fits():
    """The fits that were sampled so far, by their seed."""
    return {}


@pytest.fixture
def sampled_once(fits, monkeypatch):
    """Both faults below are planted behind the sampler: give both the same fits."""
    sample = calibrate.nutpie.sample

    def remember(compiled, seed, **options):
        if seed not in fits:
            fits[seed] = sample(compiled, seed=seed, **options)
        return fits[seed]

    monkeypatch.setattr(calibrate.nutpie, "sample", remember)


@pytest.mark.proof
def test_ranks_show_a_sum_over_the_wrong_counts(sampled_once, monkeypatch):
    """Planted: post-stratify to those who were asked, instead of to the population."""

    def wrong(model, draws, frame, by=None):
        return poststratify_draws(model, draws, frame.assign(n=frame["asked"]), by)

    monkeypatch.setattr(calibrate, "poststratify_draws", wrong)
    rows = pd.concat([calibrate.simulate_rank(number) for number in range(25)])
    assert heaped(rows["rank of nation"]) < SEEN
    assert heaped(rows["rank of male"]) > SEEN


@pytest.mark.proof
def test_ranks_show_an_intercept_left_at_the_mean_of_the_predictors(sampled_once, monkeypatch):
    """Planted: draws as Bambi samples them, before it moves the intercept to predictors of zero."""

    def not_moved(posterior, frame):
        kept = [name for name in posterior if "_offset" not in name and name != "p"]
        return xr.DataTree.from_dict({"posterior": posterior[kept]})

    monkeypatch.setattr(calibrate, "small_draws", not_moved)
    rows = pd.concat([calibrate.simulate_rank(number) for number in range(25)])
    assert heaped(rows["rank of nation"]) < SEEN
    assert heaped(rows["rank of vote"]) > SEEN


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "FOLDER", tmp_path)
    monkeypatch.setattr(calibrate, "ROOT", tmp_path.parent)
    monkeypatch.setattr(calibrate, "SIMULATIONS", dict.fromkeys(SIMULATIONS, 2))
    return tmp_path


def test_a_stopped_run_goes_on_where_it_stopped(empty_folder):
    calibrate.require_same_settings()
    assert len(calibrate.work_to_do()) == 2 * len(SIMULATIONS)
    rows = pd.DataFrame({"recipe": ["milder"], "sample": [1], "area": [NATION]})
    append(rows, empty_folder / "calibration_coverage.csv")
    ranks = empty_folder / "calibration_ranks.csv"
    for number in range(2):
        append(pd.DataFrame({"simulation": [number]}), ranks)
    left = [simulate.args for _, simulate in calibrate.work_to_do()]
    assert ("milder", 0) in left and ("published", 1) in left
    assert len(left) == 2 * len(COVERAGE) - 1
    assert len(pd.read_csv(ranks)) == 2


def test_other_settings_are_refused(empty_folder, monkeypatch):
    calibrate.require_same_settings()
    calibrate.require_same_settings()
    changed = {**COVERAGE["published"], "recipe": {**PUBLISHED_SELECTION, "repvote": 6.0}}
    monkeypatch.setitem(calibrate.COVERAGE, "published", changed)
    with pytest.raises(SystemExit, match="'coverage' have other settings.*Remove .* restore"):
        calibrate.require_same_settings()
