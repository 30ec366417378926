"""A wrong number in a small notebook is found; `make proof` injects them into every notebook."""

import json
import subprocess
import sys

import nbformat
from nbformat.v4 import new_notebook
from test_claims import cells

from tools.injected_faults import NOT_INJECTED, faults_for
from tools.notebooks import ROOT, notebooks_in_order

NOTEBOOKS = notebooks_in_order()


def test_every_chapter_reads_an_input():
    assert all(faults_for(path) for path in ROOT.glob("chapters/*.ipynb"))


LOAD = "from mrp_helpers import load_heart_transplants; patients = load_heart_transplants()"
HOLDS = "assert patients['death'].sum() == 10"


# What is said of each, as it is played to the first failure or past claims: cells, way, failures.
PLAYED = {
    "caught": (["# A", LOAD, HOLDS], False, [(3, "AssertionError")]),
    "not caught": (["# A", LOAD, "assert len(patients) == 20"], False, []),
    "another error": (["# A", LOAD, "x = 1 / 0", HOLDS], False, [(3, "ZeroDivisionError")]),
    "first failure": (["# A", LOAD, HOLDS, HOLDS, "x = 1"], False, [(3, "AssertionError")]),
    "past a claim": (
        ["# A", LOAD, HOLDS, "x = 1 / 0", HOLDS],
        True,
        [(3, "AssertionError"), (4, "ZeroDivisionError")],
    ),
}
# In a process of its own, as the command does it: one with threads should not fork.
PLAY = """
import json, sys
from pathlib import Path
from tools.injected_faults import in_a_fork

for path in sys.argv[1:]:
    print(json.dumps(in_a_fork(Path(path), "patients", to_the_end=path.endswith("past.ipynb"))))
"""


def test_injecting_tells_what_fails(tmp_path):
    paths, expected = [], []
    for name, (sources, to_the_end, failures) in PLAYED.items():
        path = tmp_path / f"{name}{'-past' if to_the_end else ''}.ipynb"
        nbformat.write(new_notebook(cells=cells(*sources)), path)
        assert faults_for(path) == ["patients"]
        paths.append(path)
        expected.append([list(failure) for failure in failures])
    command = [sys.executable, "-W", "ignore", "-c", PLAY, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert dict(zip(PLAYED, found, strict=True)) == dict(zip(PLAYED, expected, strict=True))


def test_what_is_left_out_exists():
    assert {(path.stem, fault) for path in NOTEBOOKS for fault in faults_for(path)} >= NOT_INJECTED
