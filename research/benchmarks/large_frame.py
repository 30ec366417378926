"""Post-stratify frames of 10^5 to 10^7 cells: time must be linear, and memory must not grow.

    python -m research.benchmarks.large_frame    ten minutes on two cores

The frame is made up so that its answer is known: each of the census's 12,000 cells is split into as
many districts as it takes, with counts that add up. It is in a Parquet file that is never read
as a whole. 500 draws of the course's model are summed over it chunk by chunk, in one process and on
a dask cluster of two; or its cells are first merged again where the model cannot tell them apart.
Each run has processes of its own. Seconds are those of all processors together; megabytes are the
most that one process held. Chapter 14 reads the table.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache, reduce
from pathlib import Path
from tempfile import TemporaryDirectory

import bambi as bmb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr
from distributed import Client, LocalCluster

from mrp_course.results import FOLDER as RESULTS
from mrp_helpers import CELL, fit_or_load, load_poststrat_frame, poststratify_draws
from research.laboratory import course_sample, in_cells, main_model, states

ROOT = Path(__file__).resolve().parents[2]
DISTRICTS = {100_000: 9, 1_000_000: 84, 10_000_000: 834}
DISTRICTS_A_CHUNK = 10
EVERY = 8  # of 4 x 1000 draws, which leaves 500


def compact(frame: pd.DataFrame) -> pd.DataFrame:
    """The census's frame in few bytes a cell: levels as codes, counts in four bytes."""
    texts = dict.fromkeys(["state", "eth", "age", "edu"], "category")
    return frame[[*CELL, "n"]].astype(texts | {"male": "float32", "n": "int32"})


def districts(frame: pd.DataFrame, number: int) -> Iterator[pd.DataFrame]:
    """Split each cell so that counts add up: floor((n + i) / m) does, over i from 0 to m - 1."""
    for district in range(number):
        yield frame.assign(district=district, n=(frame["n"] + district) // number)


def write_frame(path: Path, number: int) -> None:
    """Write a frame of 12,000 x `number` cells, a few districts at a time."""
    writer = None
    for district in districts(compact(load_poststrat_frame()), number):
        district = district.astype({"district": "int32", "n": "int32"})
        table = pa.Table.from_pandas(district, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def read_chunks(path: Path) -> list[list[int]]:
    """List the row groups of each chunk."""
    groups = range(pq.ParquetFile(path).num_row_groups)
    return [list(groups[i : i + DISTRICTS_A_CHUNK]) for i in groups[::DISTRICTS_A_CHUNK]]


def read_chunk(path: Path, groups: list[int]) -> pd.DataFrame:
    return pq.ParquetFile(path).read_row_groups(groups).to_pandas()


@cache
def model_and_draws() -> tuple[bmb.Model, xr.DataTree]:
    """Make them once in each process: a Bambi model cannot be sent to another one."""
    model = main_model(in_cells(course_sample()))
    draws = fit_or_load(model, "hierarchical")
    posterior = draws["posterior"].to_dataset().isel(draw=slice(None, None, EVERY))
    return model, xr.DataTree.from_dict({"posterior": posterior})


def totals(frame: pd.DataFrame) -> xr.Dataset:
    """People and, draw by draw, supporters of each state: these add up over chunks."""
    model, draws = model_and_draws()
    cells = frame.merge(states()[["state", "repvote"]], on="state", validate="many_to_one")
    share = poststratify_draws(model, draws, cells, by="state")
    people = share["population"]
    supporters = (share * people).drop_vars("population")
    return xr.Dataset({"people": people.drop_vars("population"), "supporters": supporters})


def add(one: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    """Add two tables of totals; a state that one of them lacks has nobody there."""
    one, other = xr.align(one, other, join="outer", fill_value=0)
    return one + other


def totals_of_chunk(groups: list[int], path: Path) -> xr.Dataset:
    return totals(read_chunk(path, groups))


def by_chunks(path: Path) -> xr.Dataset:
    return reduce(add, (totals_of_chunk(groups, path) for groups in read_chunks(path)))


def by_merging(path: Path) -> xr.Dataset:
    """Sum the people of cells that the model cannot tell apart, then proceed as ever."""
    chunks = (read_chunk(path, groups) for groups in read_chunks(path))
    counts = (chunk.groupby(CELL, observed=True)["n"].sum() for chunk in chunks)
    merged = reduce(lambda one, other: one.add(other, fill_value=0), counts)
    return totals(merged.reset_index())


def on_a_cluster(path: Path, workers: int = 2) -> tuple[xr.Dataset, list[tuple[float, float]]]:
    """Let the processes of a dask cluster take the chunks; add up what comes back."""
    here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    cluster = LocalCluster(workers, threads_per_worker=1, **here)
    with cluster, Client(cluster) as client:
        parts = client.map(totals_of_chunk, read_chunks(path), path=path)
        return reduce(add, client.gather(parts)), list(client.run(used).values())


WAYS: dict[str, Callable[[Path], tuple[xr.Dataset, list[tuple[float, float]]]]] = {
    "chunk by chunk": lambda path: (by_chunks(path), []),
    "on a dask cluster": on_a_cluster,
    "merged first": lambda path: (by_merging(path), []),
}


def used() -> tuple[float, float]:
    """Seconds of the processor and megabytes at the peak, of this process until now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds, megabytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    status = Path("/proc/self/status")
    if status.is_file():
        # What Linux adds up for getrusage goes back before the program began, to its parent.
        peak = next(ln for ln in status.read_text("utf-8").splitlines() if ln.startswith("VmHWM"))
        megabytes = int(peak.split()[1]) / 1024
    return seconds, megabytes


def measure(way: str, path: str) -> dict:
    """Run one way; say what it took, and what it found for each state."""
    found, of_workers = WAYS[way](Path(path))
    took = [used(), *of_workers]
    estimate = (found["supporters"] / found["people"]).mean("sample").to_series()
    return {
        "seconds": sum(seconds for seconds, _ in took),
        "megabytes": max(megabytes for _, megabytes in took),
        "people": int(found["people"].sum()),
        "estimates": estimate.to_dict(),
    }


def in_own_process(way: str, path: Path) -> dict:
    command = [sys.executable, "-m", "research.benchmarks.large_frame", way, str(path)]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(*sys.argv[1:])))
        return
    exact = totals(compact(load_poststrat_frame()))
    exact = (exact["supporters"] / exact["people"]).mean("sample").to_series()
    rows = []
    with TemporaryDirectory() as folder:
        for number in DISTRICTS.values():
            path = Path(folder) / f"{number}.parquet"
            write_frame(path, number)
            for way in WAYS:
                found = in_own_process(way, path)
                estimates = pd.Series(found.pop("estimates"))
                row = {"cells": 12_000 * number, "way": way, **found}
                row["largest difference"] = float((estimates - exact).abs().max())
                rows.append(row)
                print(row, flush=True)
                pd.DataFrame(rows).round({"seconds": 1, "megabytes": 0}).to_csv(
                    RESULTS / "large_frame.csv", index=False
                )


if __name__ == "__main__":
    main()
