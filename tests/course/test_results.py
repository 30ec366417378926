"""The stored results of the studies are whole, and a damaged one is refused with the remedy."""

import shutil
from pathlib import Path

import pytest

from mrp_course import results
from mrp_course.results import RESULTS, load_result, load_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    folder = tmp_path / "results"
    shutil.copytree(results.FOLDER, folder)
    monkeypatch.setattr(results, "FOLDER", folder)
    return folder


def test_every_file_has_a_loader_a_checksum_and_a_script():
    files = {path.name for path in results.FOLDER.iterdir() if path.suffix in (".csv", ".parquet")}
    assert files == {result.file for result in RESULTS.values()}
    for name, result in RESULTS.items():
        assert len(load_result(name)) > 0
        assert (ROOT / "research" / f"{result.script.replace('.', '/')}.py").is_file()


def test_every_result_is_described():
    for name in RESULTS:
        assert f'``"{name}"``' in load_result.__doc__


@pytest.mark.parametrize("name", RESULTS)
def test_a_changed_byte_is_refused(copied, name):
    path = copied / RESULTS[name].file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path.name} is damaged.*mrp_course/results"):
        load_result(name)


def test_a_missing_file_and_an_unknown_name_are_named(copied):
    (copied / "study.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"study.parquet is missing.*git checkout"):
        load_result("study")
    with pytest.raises(KeyError, match="no result 'both'.*study_nuts"):
        load_result("both")


def test_settings_are_verified_too(copied):
    assert load_settings("calibration")["ranks"]["kept"] == 99
    (copied / "calibration_settings.json").write_text("{}")
    with pytest.raises(ValueError, match="calibration_settings.json is damaged"):
        load_settings("calibration")


def test_study_has_every_estimator_in_every_area_of_every_sample():
    study = load_result("study")
    assert study.groupby(["recipe", "people", "sample"]).size().eq(8 * 51).all()
    assert study[["estimate", "sd", "lower", "upper", "place"]].notna().all(axis=None)
    assert (study["lower"] <= study["upper"]).all() and study["place"].between(0, 1).all()
    nuts = load_result("study_nuts")
    assert nuts.groupby(["recipe", "sample", "estimator"]).size().eq(51).all()


@pytest.mark.parametrize("name", ["methods", "unsampled", "party", "assumptions"])
def test_simulations_are_complete_and_shares(name):
    stored = load_result(name)
    assert sorted(stored["seed"].unique()) == list(range(200))
    assert stored.notna().all(axis=None)
    assert (stored.select_dtypes("float").abs() <= 1).all(axis=None)
    if name == "methods":
        assert stored.groupby("seed").size().eq(10).all() and stored["method"].nunique() == 10
    else:
        assert stored["seed"].is_unique
        assert stored.shape[1] == 1 + {"unsampled": 2}.get(name, 5)


def test_scores_of_models_are_there_for_twenty_samples():
    scores = load_result("elpd_samples")
    assert scores["seed"].to_list() == list(range(20)) and scores.shape[1] == 1 + 6
    assert (scores.drop(columns="seed") < 0).all(axis=None)


def test_leave_one_out_has_every_row_of_every_model():
    scores = load_result("leave_one_out")
    sizes = scores.groupby(["kind", "model"]).size().unstack()
    assert sizes.loc["cell"].eq(2_173).all() and sizes.loc["person"].eq(5_000).all()
    assert sizes.shape[1] == 6 and scores.notna().all(axis=None)
