"""What every study shares: the chapters' samples and main model, and a run that is resumed."""

from functools import partial

import pandas as pd
import pytest
import xarray as xr

from mrp_course import posteriors
from mrp_course.tasks import _world as world
from mrp_helpers import draw_biased_sample, selection_weights
from mrp_helpers.model import model_digests
from research import laboratory


def test_the_main_model_is_the_one_that_chapters_fitted():
    model = laboratory.main_model(laboratory.in_cells(laboratory.course_sample()))
    stored = xr.load_datatree(posteriors.FOLDER / "hierarchical.nc", engine="h5netcdf").attrs
    digests = {f"digest_{part}": digest for part, digest in model_digests(model).items()}
    assert {name: stored[name] for name in digests} == digests


def test_population_and_sample_are_those_of_the_chapters():
    assert laboratory.frame().equals(world.laboratory())
    assert laboratory.course_sample().equals(world.sample())


@pytest.mark.parametrize("recipe", laboratory.RECIPES)
def test_samples_are_drawn_by_their_recipe(recipe):
    weights = selection_weights(
        world.respondents(), world.states(), recipe=laboratory.RECIPES[recipe]
    )
    drawn = draw_biased_sample(world.respondents(), weights, n=300, seed=7)
    assert laboratory.biased_sample(7, recipe, people=300).equals(drawn)


def test_levels_are_those_of_the_groups_that_are_asked_for():
    levels = laboratory.levels_of(laboratory.frame(), ["region", "edu:age"])
    assert list(levels) == ["region", "edu:age"]
    assert levels["region"] == sorted(world.states()["region"].unique())
    assert len(levels["edu:age"]) == 30 and "HS:18-29" in levels["edu:age"]


def one(number):
    return pd.DataFrame({"simulation": [number]})


def test_a_run_without_time_stores_nothing_and_says_what_is_left(tmp_path, capsys):
    work = [(tmp_path / "rows.csv", partial(one, number)) for number in range(3)]
    assert not laboratory.work_through(work, minutes=-1)
    assert "3 simulations are left" in capsys.readouterr().out
    assert not (tmp_path / "rows.csv").exists()
    assert laboratory.stored_numbers(tmp_path / "rows.csv", ["simulation"]) == set()
    assert laboratory.work_through(work)
    assert laboratory.stored_numbers(tmp_path / "rows.csv", ["simulation"]) == {(0,), (1,), (2,)}


def test_a_run_stopped_while_it_writes_leaves_the_results_before(tmp_path, monkeypatch):
    path = tmp_path / "rows.csv"
    laboratory.append(one(0), path)
    before = path.read_text("utf-8")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(path), "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        laboratory.append(one(1), path)
    assert path.read_text("utf-8") == before
