"""The bundled data are the real ones, whole, and say so when they are not."""

import shutil

import pytest

from mrp_helpers import data as data_module
from mrp_helpers import (
    load_cces,
    load_heart_transplants,
    load_poststrat_frame,
    load_state_predictors,
)

LOADERS = {
    "cces18.parquet": load_cces,
    "frame.parquet": load_poststrat_frame,
    "heart_transplants.csv": load_heart_transplants,
    "states.csv": load_state_predictors,
}


def test_survey_has_all_respondents_in_original_codes():
    survey = load_cces()
    assert survey.shape == (60_000, 22)
    assert survey["inputstate"].nunique() == 51
    assert survey["CC18_317"].isin([1, 2]).sum() == 41_260
    assert survey["commonweight"].mean() == pytest.approx(1, abs=0.01)
    assert (2018 - survey["birthyr"]).between(18, 95).all()


def test_frame_covers_every_cell_of_the_fifty_states():
    frame = load_poststrat_frame()
    assert list(frame.columns) == ["state", "eth", "male", "age", "edu", "n"]
    assert len(frame) == 12_000
    assert frame["n"].sum() == 228_443_347
    assert (frame["n"] == 0).sum() == 153
    assert "DC" not in set(frame["state"])
    assert not frame.duplicated(["state", "eth", "male", "age", "edu"]).any()


def test_state_predictors():
    states = load_state_predictors()
    assert list(states.columns) == ["state", "repvote", "region"]
    assert len(states) == states["state"].nunique() == 50
    assert states["repvote"].between(0.3, 0.8).all()


def test_heart_transplants():
    patients = load_heart_transplants()
    assert len(patients) == 20
    rates = patients.groupby(["risk", "treatment"])["death"].mean()
    assert rates.to_list() == pytest.approx([0.25, 0.25, 2 / 3, 2 / 3])


@pytest.fixture
def copied_datasets(tmp_path, monkeypatch):
    folder = tmp_path / "datasets"
    shutil.copytree(data_module._FOLDER, folder)
    monkeypatch.setattr(data_module, "_FOLDER", folder)
    return folder


@pytest.mark.parametrize("name", LOADERS)
def test_truncated_file_is_refused_with_the_remedy(copied_datasets, name):
    path = copied_datasets / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=rf"{name} is damaged.*git checkout"):
        LOADERS[name]()


@pytest.mark.parametrize("name", LOADERS)
def test_changed_byte_is_refused(copied_datasets, name):
    path = copied_datasets / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        LOADERS[name]()


@pytest.mark.parametrize("name", LOADERS)
def test_missing_file_is_named(copied_datasets, name):
    (copied_datasets / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing.*reinstall"):
        LOADERS[name]()
