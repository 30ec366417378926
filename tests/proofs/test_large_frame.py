"""A large frame is summed in pieces: exact, in linear time, in bounded memory, here or elsewhere.

The frames are made and measured as `research/benchmarks/large_frame.py` does; here they are
smaller, and the bounds are loose enough for a machine that is busy.
"""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mrp_helpers import load_poststrat_frame
from research.benchmarks import large_frame

SIZES = {12_000 * number: number for number in (9, 42)}
MEGABYTES = 1000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    paths = {cells: folder / f"{cells}.parquet" for cells in SIZES}
    for cells, path in paths.items():
        large_frame.write_frame(path, SIZES[cells])
    return paths


@pytest.fixture(scope="module")
def measured(files):
    """Run each size in a process of its own, as its memory is to be known."""
    return {
        cells: large_frame.in_own_process("chunk by chunk", path) for cells, path in files.items()
    }


@pytest.fixture(scope="module")
def exact():
    found = large_frame.totals(large_frame.compact(load_poststrat_frame()))
    return found["supporters"] / found["people"]


def test_districts_add_up_to_the_census():
    frame = load_poststrat_frame()
    split = [district["n"] for district in large_frame.districts(frame, 42)]
    assert sum(split).equals(frame["n"])
    assert (split[0] <= split[-1]).all() and split[0].min() >= 0


def test_chunks_hold_every_cell_once(files):
    for cells, path in files.items():
        chunks = [large_frame.read_chunk(path, groups) for groups in large_frame.read_chunks(path)]
        whole = pd.concat(chunks, ignore_index=True)
        assert len(whole) == cells and not whole.drop(columns="n").duplicated().any()
        assert max(map(len, chunks)) <= 12_000 * large_frame.DISTRICTS_A_CHUNK
        assert whole["n"].sum() == load_poststrat_frame()["n"].sum()


def test_large_frames_give_what_the_small_one_gives(measured, exact):
    expected = exact.mean("sample").to_series()
    for found in measured.values():
        estimates = pd.Series(found["estimates"])
        np.testing.assert_allclose(estimates, expected[estimates.index], rtol=1e-12)


def test_memory_does_not_grow_with_the_frame(measured):
    small, large = (found["megabytes"] for found in measured.values())
    assert large < MEGABYTES
    assert large < small + 100


def test_each_chunk_is_read_and_summed_once(files, monkeypatch):
    """So the work grows in proportion to the frame; `make benchmark` times it."""
    for cells, path in files.items():
        summed = []

        def count(chunk, sizes=summed):
            sizes.append(len(chunk))
            return 0

        monkeypatch.setattr(large_frame, "totals", count)
        monkeypatch.setattr(large_frame, "add", lambda one, other: 0)
        large_frame.by_chunks(path)
        assert sum(summed) == cells and max(summed) <= 12_000 * large_frame.DISTRICTS_A_CHUNK


def test_each_draw_is_exact_whichever_way_it_is_summed(files, exact):
    path = files[min(SIZES)]
    for found in (large_frame.by_chunks(path), large_frame.by_merging(path)):
        assert found["people"].sum() == load_poststrat_frame()["n"].sum()
        share = found["supporters"] / found["people"]
        assert share.shape == (50, 500)
        np.testing.assert_allclose(share, exact, rtol=1e-12)


def test_a_dask_cluster_gives_the_same(files):
    path = files[min(SIZES)]
    found, of_workers = large_frame.on_a_cluster(path)
    assert len(of_workers) == 2 and max(megabytes for _, megabytes in of_workers) < MEGABYTES
    xr.testing.assert_allclose(found, large_frame.by_chunks(path), rtol=1e-12)


def test_a_state_that_a_chunk_lacks_has_nobody_there():
    one, other = (
        xr.Dataset({"people": ("group", people)}, coords={"group": states})
        for people, states in [([1, 2], ["AK", "AL"]), ([3], ["AL"])]
    )
    both = large_frame.add(one, other)
    assert both["people"].to_series().to_dict() == {"AK": 1, "AL": 5}


def test_a_mean_of_shares_would_be_noticed(files, exact):
    """The mistake that the chapter warns of is not too small to be seen."""
    frame = large_frame.compact(load_poststrat_frame())
    halves = [frame.iloc[::2], frame.iloc[1::2]]
    shares = [large_frame.totals(half) for half in halves]
    mean = sum(share["supporters"] / share["people"] for share in shares) / 2
    assert np.abs(mean - exact).max() > 1e-6
