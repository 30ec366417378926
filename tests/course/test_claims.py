"""Every claim of a notebook is listed with its sentences, and every chapter claims something."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools import claims as claims_module
from tools.claims import claims, is_assertion, pages, sentences
from tools.notebooks import ROOT, notebooks_in_order

NOTEBOOKS = notebooks_in_order()


def test_pages_are_written_and_those_of_notebooks_that_are_gone_go(tmp_path, monkeypatch):
    monkeypatch.setattr(claims_module, "FOLDER", tmp_path / "claims")
    monkeypatch.setattr(claims_module, "CONTENTS", tmp_path / "claims.md")
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "gone.md").touch()
    claims_module.write()
    written = set(tmp_path.rglob("*.md"))
    assert written == set(pages()) and len(written) > 20


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_claim_has_sentences(path):
    without = [
        claim.number for claim in claims(nbformat.read(path, 4).cells) if not claim.sentences
    ]
    assert not without, f"{path.name}: no sentence beside the assertion cells {without}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("chapters/*.ipynb")), ids=lambda path: path.stem)
def test_every_chapter_claims_something(path):
    # From chapter 10 on, one cell often holds several sentences, where one table says them all.
    least = 5 if int(path.stem[:2]) >= 10 else 10
    number = len(claims(nbformat.read(path, 4).cells))
    assert number >= least, (
        f"{path.name} has {number} assertion cells; {least} are the least: after each claim, add "
        "a cell with the tag remove-cell that asserts its numbers"
    )


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
