"""What can break: damaged files, killed runs, two runs at once, no network, no right to write.

A fault may cost a warning or a refusal. It never gives a wrong number, and never half a file.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import bambi as bmb
import pandas as pd
import pytest
import xarray as xr

import synthetic
from mrp_helpers import data as data_module
from mrp_helpers import fit_or_load
from test_data import LOADERS
from tools.patience import HANGS

ROOT = Path(__file__).resolve().parents[2]
TRIALS = 6


def damages(content, rng):
    """Yield damaged copies: cut, with one bit turned, partly overwritten, or another thing."""
    yield "empty", b""
    yield "text", b"not what it should be"
    yield "noise", rng.randbytes(len(content))
    yield "zeros", bytes(len(content))
    yield "doubled", content + content
    for _ in range(TRIALS):
        at = rng.randrange(len(content))
        yield f"cut at {at}", content[:at]
    for _ in range(TRIALS):
        at, bit = rng.randrange(len(content)), rng.randrange(8)
        turned = bytearray(content)
        turned[at] ^= 1 << bit
        yield f"bit {bit} of byte {at} turned", bytes(turned)
    for _ in range(TRIALS // 4):
        at, length = rng.randrange(len(content)), rng.randrange(1, 4000)
        noise = rng.randbytes(min(length, len(content) - at))
        yield f"noise at {at}", content[:at] + noise + content[at + len(noise) :]


@pytest.fixture
def copied_datasets(tmp_path, monkeypatch):
    shutil.copytree(data_module._FOLDER, tmp_path / "datasets")
    monkeypatch.setattr(data_module, "_FOLDER", tmp_path / "datasets")
    return tmp_path / "datasets"


@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_data_file_is_never_read(copied_datasets, name):
    path = copied_datasets / name
    for what, damaged in damages(path.read_bytes(), random.Random(1)):
        path.write_bytes(damaged)
        try:
            LOADERS[name]()
        except ValueError as refusal:
            assert f"{name} is damaged" in str(refusal) and "git checkout" in str(refusal), what
        else:
            pytest.fail(f"{name} was read although it was damaged: {what}")


@pytest.mark.parametrize("name", LOADERS)
def test_a_damaged_list_of_checksums_is_never_believed(copied_datasets, name):
    sums = copied_datasets / "SHA256SUMS"
    whole, expected = sums.read_bytes(), LOADERS[name]()
    for what, damaged in damages(whole, random.Random(2)):
        sums.write_bytes(damaged)
        try:
            found = LOADERS[name]()
        except ValueError as refusal:
            assert name in str(refusal) and "git checkout" in str(refusal), what
        else:  # the damage is in another file's line
            pd.testing.assert_frame_equal(found, expected)
    sums.unlink()
    with pytest.raises(ValueError, match=f"does not hold {name}; restore it"):
        LOADERS[name]()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A model, its stored file, and a count of how often it was sampled."""
    monkeypatch.setenv("MRP_HELPERS_CACHE", str(tmp_path))
    fits = []

    def fit(model, **_):
        fits.append(model)
        return synthetic.draws_for(model, draws=200)

    monkeypatch.setattr(bmb.Model, "fit", fit)
    model = bmb.Model("p(yes, n) ~ x + (1|state)", synthetic.cells(), family="binomial")
    return model, tmp_path / "small.nc", fits


def test_a_damaged_store_is_never_loaded(small, capsys):
    model, path, fits = small
    expected = fit_or_load(model, "small")
    for what, damaged in damages(path.read_bytes(), random.Random(3)):
        path.write_bytes(damaged)
        fits.clear()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = fit_or_load(model, "small")
        assert found.identical(expected), what
        # Sampled anew after a warning, or loaded because only the checksum itself was hit.
        assert any("cannot be read" in str(warning.message) for warning in said) == bool(fits), what
    capsys.readouterr()


@pytest.mark.parametrize("stored", ["folder", "another table", "another fit"])
def test_something_else_under_its_name_is_never_loaded(small, stored, capsys):
    model, path, fits = small
    if stored == "folder":
        path.mkdir()
    elif stored == "another table":
        xr.Dataset({"x": ("row", [1.0])}).to_netcdf(path, engine="h5netcdf")
    else:
        other = bmb.Model("p(yes, n) ~ x", synthetic.cells(), family="binomial")
        fit_or_load(other, "small")
        fits.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        draws = fit_or_load(model, "small")
    assert len(fits) == 1
    assert "1|state" in draws["posterior"]
    if stored == "another table":
        assert "small: the stored draws differ in" in capsys.readouterr().out


def test_scraps_of_killed_runs_are_swept_after_an_hour(small):
    model, path, _ = small
    old, new = path.with_name("a.tmp"), path.with_name("b.tmp")
    for scrap in (old, new):
        scrap.write_bytes(b"half a file")
    os.utime(old, (0, 0))
    fit_or_load(model, "small")
    assert sorted(found.name for found in path.parent.iterdir()) == ["b.tmp", "small.nc"]


def run(code, folder, *, command=(), preexec=None, **environment):
    """Run code in a fresh interpreter and give the last line that it prints, as JSON."""
    done = subprocess.run(
        [*command, sys.executable, "-W", "error::UserWarning:mrp_helpers", "-c", code],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "library")]),
            "MRP_HELPERS_CACHE": str(folder),
            **environment,
        },
        cwd=folder,  # a package in the working folder would come before any other
        preexec_fn=preexec,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


# The interpreter that imports the package starts writers as copies of itself, kills them and reads
# what they leave: so that a hundred runs cost one import.
WRITERS = textwrap.dedent("""
    import json, os, random, signal, sys, time
    from pathlib import Path
    import numpy as np, xarray as xr
    from mrp_helpers import model

    folder = Path(os.environ["MRP_HELPERS_CACHE"])
    path = folder / "fit.nc"
    rng = random.Random(4)

    def store(value):
        values = np.full((4, 500, 20), value) + np.random.default_rng(1).normal(size=(4, 500, 20))
        posterior = xr.Dataset({"b": (("chain", "draw", "level"), values.astype("float32"))})
        draws = xr.DataTree.from_dict({"posterior": posterior}, name=None)
        draws.attrs = {"digest_data": str(value), "value": value}
        model._store(draws, path)

    def start(work):
        child = os.fork()
        if child == 0:
            try:
                work()
            finally:
                os._exit(0)
        return child

    def stop(child):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def found():
        '''Which of the fits is there: read as fit_or_load reads, and whole.'''
        model._check_seal(path.read_bytes())
        draws = xr.load_datatree(path, engine="h5netcdf")
        value = draws.attrs["value"]
        noise = np.random.default_rng(1).normal(size=(4, 500, 20))
        assert np.array_equal(draws["posterior"]["b"], (value + noise).astype("float32"))
        return int(value)

    def forever(*values):
        def work():
            while True:
                for value in values:
                    store(value)
        return work
""")

KILLED = """
store(0)  # which also imports what the others find imported
started = time.perf_counter(); store(0); once = time.perf_counter() - started
seen, scraps = set(), 0
# However fast this machine is: until some writers have got somewhere, and some not to the end.
for run in range(10_000):
    child = start(forever(*range(1, 100)))
    time.sleep(rng.uniform(0, 4 * once))
    stop(child)
    seen.add(found())
    scraps = len(list(folder.glob("*.tmp")))
    if run >= 30 and len(seen) > 1 and scraps:
        break
print(json.dumps({"seen": sorted(seen), "scraps": scraps}))
"""


@pytest.mark.proof
def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path):
    result = run(WRITERS + KILLED, tmp_path)
    assert len(result["seen"]) > 1, "no writer got anywhere before it was killed"
    assert result["scraps"] > 0, "no writer was killed in the middle: the test saw nothing"


BETWEEN = """
store(1)
replace = Path.replace

def die_before(self, target):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(self, target):
    replace(self, target)
    os.kill(os.getpid(), signal.SIGKILL)

seen = []
for die in (die_before, die_after):
    Path.replace = die
    child = start(lambda: store(2))
    status = os.waitpid(child, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGKILL
    seen.append(found())
print(json.dumps(seen))
"""


@pytest.mark.proof
def test_killed_between_writing_and_renaming(tmp_path):
    assert run(WRITERS + BETWEEN, tmp_path) == [1, 2]


TOGETHER = """
store(0)
children = [start(forever(1, 2)), start(forever(3, 4))]
seen, reads = set(), 0
while reads < 300 or not ({1, 2} & seen and {3, 4} & seen):
    seen.add(found())
    reads += 1
for child in children:
    stop(child)
print(json.dumps(sorted(seen)))
"""


@pytest.mark.proof
def test_two_runs_write_the_same_fit_at_once(tmp_path):
    seen = run(WRITERS + TOGETHER, tmp_path)
    assert {1, 2} & set(seen) and {3, 4} & set(seen), f"one of the two never wrote: {seen}"


AFTERNOON = textwrap.dedent("""
    import json, sys, warnings
    import bambi as bmb
    import mrp_helpers
    from mrp_helpers import *

    patients = load_heart_transplants()
    assert len(load_cces()) == 60_000 and len(load_poststrat_frame()) == 12_000
    naive = bmb.Model("death ~ treatment", patients)
    loaded = fit_or_load(naive, "heart-naive")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        sampled = fit_or_load(naive, "own", draws=50, tune=50, chains=2)
    frame = patients.value_counts("treatment").rename("n").reset_index()
    estimates = [poststratify(naive, draws, frame) for draws in (loaded, sampled)]
    print(json.dumps({
        "where": mrp_helpers.__file__,
        "rows": [len(table) for table in estimates],
        "said": [str(w.message) for w in said if "could not be stored" in str(w.message)],
    }))
""")


def obey_permissions():
    """Make root obey permission bits: without these two rights it is a user like any other."""
    import ctypes

    drop_from_bounding_set, override, read_search = 24, 1, 2
    for right in (override, read_search):
        ctypes.CDLL(None).prctl(drop_from_bounding_set, right, 0, 0, 0)


CANNOT_WRITE = textwrap.dedent("""
    import os
    from pathlib import Path
    for folder in (os.environ["READ_ONLY"], os.environ["MRP_HELPERS_CACHE"]):
        try:
            Path(folder, "probe").touch()
        except PermissionError:
            continue
        raise SystemExit(f"{folder} can be written to: this test would show nothing")
""")


# Storing is what matters here, and the next test samples.
FITTED_ALREADY = textwrap.dedent("""
    import bambi as bmb, mrp_helpers
    bmb.Model.fit = lambda model, **_: mrp_helpers.fit_or_load(model, "heart-naive")
""")


@pytest.mark.proof
def test_package_and_cache_that_cannot_be_written_to(tmp_path):
    package, cache = tmp_path / "site" / "mrp_helpers", tmp_path / "cache"
    shutil.copytree(ROOT / "mrp_helpers", package, ignore=shutil.ignore_patterns("__pycache__"))
    cache.mkdir()
    folders = [cache, package, *(path for path in package.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        result = run(
            CANNOT_WRITE + FITTED_ALREADY + AFTERNOON,
            cache,
            preexec=obey_permissions if os.geteuid() == 0 else None,
            PYTHONPATH=str(package.parent),
            READ_ONLY=str(package),
        )
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert result["where"].startswith(str(package))
    assert result["rows"] == [1, 1]
    (warning,) = result["said"]
    assert "Permission denied" in warning and "Set MRP_HELPERS_CACHE" in warning
    assert not list(cache.iterdir())
    assert not list(package.rglob("__pycache__"))


NO_NETWORK = textwrap.dedent("""
    import socket, sys

    def refuse(event, arguments):
        if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.bind"):
            raise PermissionError(f"{event} {arguments}: nothing here may use a network")

    sys.addaudithook(refuse)
    try:
        socket.create_connection(("192.0.2.1", 80))
    except PermissionError:
        pass
    else:
        raise SystemExit("the network is open: this test would show nothing")
""")


@pytest.mark.proof
def test_no_network_at_all(tmp_path):
    result = run(NO_NETWORK + AFTERNOON, tmp_path)
    assert result["rows"] == [1, 1]
    assert result["said"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["own.nc"]
