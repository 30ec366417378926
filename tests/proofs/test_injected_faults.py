"""A wrong number in an input of a notebook upsets one of its claims."""

import json
import subprocess
import sys

import nbformat
import pytest

from tools.claims import is_assertion, listed
from tools.injected_faults import FAULTS, NOT_INJECTED, faults_for
from tools.notebooks import ROOT, notebooks_in_order

NOTEBOOKS = notebooks_in_order()
INJECTED = [(path, fault) for path in NOTEBOOKS if listed(path) for fault in faults_for(path)]
INJECTED = [(path, fault) for path, fault in INJECTED if (path.stem, fault) not in NOT_INJECTED]


@pytest.fixture(scope="module")
def failures(request):
    """Inject every fault into the notebooks asked for; give for each the first cell that fails."""
    asked = {
        item.callspec.params["path"]
        for item in request.session.items
        if item.name.startswith("test_wrong_number_upsets_a_claim")
    }
    command = [sys.executable, "-W", "ignore", "-m", "tools.injected_faults"]
    command += map(str, sorted(asked))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(("path", "fault"), INJECTED, ids=[f"{p.stem}, {f}" for p, f in INJECTED])
def test_wrong_number_upsets_a_claim(failures, path, fault):
    failed = failures[str(path.relative_to(ROOT))][fault]
    what = f"with a fault injected into its {fault} ({FAULTS[fault][0]}), {path.name}"
    assert failed, f"{what} runs to its end: add an assertion cell after what is said about them"
    ((number, error),) = failed
    cell = nbformat.read(path, 4).cells[number - 1]
    # In a solution, an answer that check() refuses fails as well.
    holds = is_assertion(cell) or cell.metadata.get("nbgrader", {}).get("grade")
    assert error == "AssertionError" and holds, (
        f"{what} fails in cell {number} with {error}, before any claim does"
    )
