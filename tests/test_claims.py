"""Every claim is listed, and a wrong number in an input of a notebook upsets one of its claims.

`make test` sees that wrong numbers in a small notebook are found; `make proof` puts them into
every notebook of the course.
"""

import json
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.claims import (
    FAULTS,
    NOT_PLANTED,
    claims,
    faults_for,
    is_assertion,
    listed,
    pages,
    sentences,
    stored,
)
from tools.execute_notebooks import ROOT, notebooks_in_order

NOTEBOOKS = notebooks_in_order()
PLANTED = [(path, fault) for path in NOTEBOOKS if listed(path) for fault in faults_for(path)]
PLANTED = [(path, fault) for path, fault in PLANTED if (path.stem, fault) not in NOT_PLANTED]


def test_pages_of_claims_are_up_to_date():
    assert stored() == pages(), "run 'make claims' and commit appendices/claims.md and its folder"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_claim_has_sentences(path):
    without = [
        claim.number for claim in claims(nbformat.read(path, 4).cells) if not claim.sentences
    ]
    assert not without, f"{path.name}: no sentence beside the assertion cells {without}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("chapters/*.ipynb")), ids=lambda path: path.stem)
def test_every_chapter_claims_something_and_reads_an_input(path):
    # From chapter 10 on, one cell often holds several sentences, where one table says them all.
    least = 5 if int(path.stem[:2]) >= 10 else 10
    number = len(claims(nbformat.read(path, 4).cells))
    assert number >= least, f"{path.name} has {number} assertion cells; {least} are the least"
    assert faults_for(path)


@pytest.fixture(scope="module")
def failures(request):
    """Plant every fault in the notebooks asked for; give for each the first cell that fails."""
    asked = {
        item.callspec.params["path"]
        for item in request.session.items
        if item.name.startswith("test_wrong_number_upsets_a_claim")
    }
    command = [sys.executable, "-W", "ignore", "-m", "tools.claims", "--first"]
    command += map(str, sorted(asked))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.proof
@pytest.mark.parametrize(("path", "fault"), PLANTED, ids=[f"{p.stem}, {f}" for p, f in PLANTED])
def test_wrong_number_upsets_a_claim(failures, path, fault):
    failed = failures[str(path.relative_to(ROOT))][fault]
    what = f"with a fault planted in its {fault} ({FAULTS[fault][0]}), {path.name}"
    assert failed, f"{what} runs to its end: add an assertion cell after what is said about them"
    ((number, error),) = failed
    cell = nbformat.read(path, 4).cells[number - 1]
    # In a solution, an answer that check() refuses fails as well.
    holds = is_assertion(cell) or cell.metadata.get("nbgrader", {}).get("grade")
    assert error == "AssertionError" and holds, (
        f"{what} fails in cell {number} with {error}, before any claim does"
    )


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
from tools.claims import in_a_fork

for path in sys.argv[1:]:
    print(json.dumps(in_a_fork(Path(path), "patients", to_the_end=path.endswith("past.ipynb"))))
"""


def test_planting_tells_what_fails(tmp_path):
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
    assert {(path.stem, fault) for path in NOTEBOOKS for fault in faults_for(path)} >= NOT_PLANTED


def cells(*sources):
    """Make cells: those that assert are hidden, those that begin with a word are text."""
    hidden = {"tags": ["remove-cell"]}
    return [
        new_code_cell(source, metadata=hidden)
        if source.startswith("assert")
        else new_code_cell(source)
        if source.startswith(("x", "from"))
        else new_markdown_cell(source)
        for source in sources
    ]


def test_sentences_are_those_that_read_the_output():
    (claim,) = claims(cells("# A\n\nNow count.", "x", "assert x", "It is one.\n\n## B\n\nNext."))
    assert (claim.number, claim.section, claim.sentences) == (3, "A", "It is one.")


def test_sentences_right_before_the_assertion_come_first():
    (claim,) = claims(cells("# A", "x", "## B\n\nIt is one.", "assert x", "Next."))
    assert (claim.section, claim.sentences) == ("B", "It is one.")


def test_sentences_before_the_output_when_none_follow():
    (claim,) = claims(cells("# A\n\nIt is one:", "x", "assert x", "## B\n\nNext."))
    assert claim.sentences == "It is one:"


def test_visible_or_idle_cells_are_no_claims():
    hidden = new_code_cell("x = 'assertion'", metadata={"tags": ["remove-cell"]})
    assert not any(is_assertion(cell) for cell in [new_code_cell("assert x"), hidden])


def test_what_cannot_move_to_another_page_is_left_out():
    text = (
        "(target)=\n```{admonition} Common mistake\n:class: warning\nTo [read](x.ipynb) it\n"
        "as {ref}`the rest <target>` or {eq}`sum`.\n```\n\n$$\na\n$$ (label)\n\n"
        "```{math}\n:label: sum\nb\n```\n\n| a |\n|---|\n\n"
        "- one {term}`cell`\n- two[^note]\n\n[^note]: Small print.\n"
    )
    assert sentences(text) == (
        "To *read* it as {ref}`the rest <target>` or {eq}`sum`.\n\n$$ a $$\n\n$$b $$\n\n"
        "- one {term}`cell`\n- two"
    )
