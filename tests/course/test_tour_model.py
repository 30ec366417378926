"""The real model of the tour: its fingerprints, its health, and what the engine does for it."""

import tracemalloc

import bambi as bmb
import pandas as pd
import pytest
import xarray as xr

from mrp_helpers import (
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    fit_or_load,
    load_cces,
    load_poststrat_frame,
    load_state_predictors,
    poststratify,
    poststratify_draws,
    sampler_health,
    selection_weights,
)
from mrp_helpers._bambi import regression
from mrp_helpers._compatible import check_frame
from mrp_helpers._effects import Effects

GROUPS = ["state", "eth", "edu", "age", "male:eth", "edu:age", "edu:eth"]
FORMULA = "p(abortion, n) ~ male + repvote + " + " + ".join(f"(1 | {group})" for group in GROUPS)
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def model():
    respondents, states = clean_cces(load_cces()), load_state_predictors()
    sample = draw_biased_sample(respondents, selection_weights(respondents, states))
    cells = aggregate_cells(sample).merge(states, on="state")
    sd = bmb.Prior("HalfNormal", sigma=0.5)
    priors = {f"1|{group}": bmb.Prior("Normal", mu=0, sigma=sd) for group in GROUPS}
    return bmb.Model(FORMULA, cells, family="binomial", priors=priors)


@pytest.fixture(scope="module")
def draws(model):
    return fit_or_load(model, "hierarchical")


@pytest.fixture(scope="module")
def frame():
    return load_poststrat_frame().merge(load_state_predictors(), on="state")


def test_draws_are_stored_for_this_very_model(model, capsys):
    fit_or_load(model, "hierarchical")
    assert "loaded 4 x 1000 draws" in capsys.readouterr().out


def test_sampler_was_healthy(draws):
    health = sampler_health(draws).iloc[0]
    assert health["divergences"] == 0
    assert health["max_r_hat"] < 1.01
    assert health["min_ess_bulk"] > 400
    assert health["min_ess_tail"] > 400


def test_republican_states_support_the_policy_more(draws):
    slope = draws["posterior"]["repvote"]
    assert float((slope > 0).mean()) > 0.999
    assert float(slope.mean()) == pytest.approx(2.4, abs=0.15)


def test_national_estimate(model, draws, frame):
    national = poststratify(model, draws, frame)
    assert 0.435 < national["estimate"].item() < 0.453
    assert national["population"].item() == 228_443_347


def test_each_cell_is_summed_once(model, draws, frame, monkeypatch):
    """So the time, which `make benchmark` measures, goes into the inverse logits of the cells."""
    summed, sums = [], Effects.sums

    def counted(self, cells, designs):
        summed.append(len(cells))
        return sums(self, cells, designs)

    monkeypatch.setattr(Effects, "sums", counted)
    poststratify(model, draws, frame, by="state")
    assert sum(summed) == len(frame)
    assert min(summed[:-1]) > 10


def test_effects_are_added_up_once_for_each_distinct_row(model, draws, frame):
    """Where each cell had its own row of a design, this took half as long again."""
    parts = regression(model)
    posterior = draws["posterior"].to_dataset()
    effects = Effects(parts.parent, check_frame(parts, frame, "n"), posterior, "error", None)
    assert effects._wide == []
    # A state with its vote; the joint levels of sex, ethnicity, education and age.
    assert sorted(len(table) for _, table in effects._tables) == [50, 4 * 2 * 6 * 5]


def peak_megabytes(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def test_memory_for_the_states(model, draws, frame):
    peak = peak_megabytes(lambda: poststratify(model, draws, frame, by="state"))
    assert peak < 60


@pytest.mark.proof
def test_draws_need_no_more_memory_for_a_larger_frame(model, draws, frame):
    posterior = draws["posterior"].to_dataset().isel(draw=slice(0, 250))
    fewer = xr.DataTree.from_dict({"posterior": posterior})
    larger = pd.concat([frame.assign(place=place) for place in range(8)], ignore_index=True)
    small = peak_megabytes(lambda: poststratify_draws(model, fewer, frame, by="state"))
    large = peak_megabytes(lambda: poststratify_draws(model, fewer, larger, by="state"))
    # 84,000 more cells x 1,000 draws would be 672 MB; the frame's own columns may be copied.
    assert large - small < 60
