"""The study of chapter 10: the same results whoever computes them, however often it is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context

from mrp_course.results import load_result
from mrp_course.tasks import _world as world
from mrp_helpers import hajek_mean
from research import laboratory, study
from tools.patience import HANGS

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
ENVIRONMENT = os.environ | {"OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="module", autouse=True)
def quick_start():
    """Fork the clusters' processes from one that has done the imports, which saves a minute."""
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        get_mp_context().set_forkserver_preload(["distributed", "research.study"])
        yield


def small_study(path: Path, workers: int) -> bytes:
    """Run the small study on so many processes of this machine, and return its table's bytes."""
    local = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with local, Client(local) as client:
        study.run(study.SMALL, path, client)
    return path.read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> bytes:
    return small_study(tmp_path_factory.mktemp("study") / "two.parquet", workers=2)


def start(*command: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, env=ENVIRONMENT, **QUIET
    )


# The command `python -m research.study`, killed by itself once it has stored two samples.
KILLED = """
import os, signal
from research import study

keep = study.keep

def keep_two(rows, results):
    keep(rows, results)
    if len(list(study.unfinished(results).glob("*.pkl"))) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

study.keep = keep_two
study.main()
"""


def wait_for(condition) -> None:
    until = time.monotonic() + HANGS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"what was waited for did not happen in {HANGS} s: it hangs")
        time.sleep(0.02)


@pytest.mark.proof
def test_results_do_not_depend_on_the_number_of_workers(uninterrupted, tmp_path):
    assert small_study(tmp_path / "small.parquet", workers=4) == uninterrupted


@pytest.mark.proof
def test_a_killed_run_goes_on_alone_to_the_same_bytes(uninterrupted, tmp_path, capsys):
    path = tmp_path / "small.parquet"
    folder = study.unfinished(path)
    killed = start("-c", KILLED, "--small", path, "--workers", 1)
    assert killed.wait(HANGS) == -signal.SIGKILL
    assert len(list(folder.glob("*.pkl"))) == 2 and not path.exists()
    assert len(study.work_to_do(study.SMALL, path)) == 5
    assert small_study(path, workers=1) == uninterrupted
    assert "5 of 5 samples" in capsys.readouterr().out
    assert not folder.exists()


@pytest.mark.proof
def test_results_are_the_same_from_another_scheduler(uninterrupted, tmp_path):
    address_file = tmp_path / "scheduler.json"
    scheduler = start(
        "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", 0,
        "--no-dashboard", "--scheduler-file", address_file,
    )  # fmt: skip
    worker = start(
        "-m", "distributed.cli.dask_worker", "--scheduler-file", address_file, "--nthreads", 1,
        "--no-dashboard", "--local-directory", tmp_path,
    )  # fmt: skip
    try:
        wait_for(address_file.exists)
        with Client(scheduler_file=str(address_file)) as client:
            client.get_versions(check=True)
            study.run(study.SMALL, tmp_path / "small.parquet", client)
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(HANGS)
    assert (tmp_path / "small.parquet").read_bytes() == uninterrupted


@pytest.mark.proof
def test_a_finished_study_has_nothing_to_do_and_other_settings_stop_it(uninterrupted, tmp_path):
    path = tmp_path / "small.parquet"
    path.write_bytes(uninterrupted)
    assert study.work_to_do(study.SMALL, path) == []
    more = [study.SMALL[0]._replace(samples=8), study.SMALL[1]]
    assert [number for _, number in study.work_to_do(more, path)] == [6, 7]
    other = [study.SMALL[0]._replace(estimators=("raw",)), study.SMALL[1]]
    with pytest.raises(SystemExit, match="other settings"):
        study.work_to_do(other, path)


@pytest.mark.proof
@pytest.mark.parametrize("recipe, people, number", [("published", 1000, 3), ("milder", 5000, 5)])
def test_two_samples_computed_afresh_are_as_stored(recipe, people, number):
    stored = load_result("study")
    stored = stored.query("recipe == @recipe and people == @people and sample == @number")
    fresh = study.one_sample(study.Scenario(recipe, people, 1), number)
    keys = ["estimator", "area"]
    matched = stored[keys].merge(fresh, on=keys, validate="one_to_one")
    assert len(matched) == len(stored) == len(fresh)
    fresh = matched
    assert list(fresh["asked"]) == list(stored["asked"])
    for column, unit in [("estimate", study.UNITS), ("sd", study.UNITS), ("place", study.PLACES)]:
        off = (fresh[column].to_numpy(float) - unit * stored[column].to_numpy()).round()
        # Another processor adds in another order, and a last digit or a single draw may change.
        assert np.mean(off == 0) > 0.98 and np.abs(off).max() < 60


def test_weighted_estimates_are_those_of_hajek_mean():
    frame, selection = laboratory.frame(), laboratory.selection("published")
    sample = laboratory.biased_sample(4, "published", people=1000)
    for estimator in study.WEIGHTED:
        weight = study.sample_weights(estimator, sample, selection, frame)
        table = study.weighted_estimates(sample, weight)
        for area, group in [(study.NATION, sample), *sample.groupby("state")]:
            alone = len(group) < 2
            one = (
                hajek_mean(sample["abortion"], weight)
                if alone
                else hajek_mean(group["abortion"], weight[group.index])
            )
            assert np.allclose(table.loc[area, ["estimate", "sd"]], one)


@pytest.mark.parametrize(
    "estimator, stored",
    [
        ("main model", "hierarchical"),
        pytest.param("no repvote", "ladder-no-repvote", marks=pytest.mark.proof),
    ],
)
def test_the_quick_posterior_is_that_of_the_sampler(estimator, stored):
    from mrp_helpers import poststratify

    common = "male + repvote" if estimator == "main model" else "male"
    model = world.multilevel(world.cells(), common=common)
    sampled = poststratify(model, world.draws(stored), world.laboratory(), by="state")
    rng = np.random.default_rng(1)
    quick = study.modelled_estimates(estimator, world.sample(), world.laboratory(), rng)
    quick = quick.loc[sampled["state"]].reset_index(drop=True)
    assert (quick["estimate"] - sampled["estimate"]).abs().max() < 0.008
    assert (quick["sd"] / sampled["sd"]).between(0.88, 1.12).all()
    assert abs((quick["sd"] / sampled["sd"]).median() - 1) < 0.02
    assert pd.Series(quick["worth"]).min() > 50
