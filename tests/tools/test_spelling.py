"""The prose is in British spelling throughout."""

import json
import re
from importlib.resources import files

import pytest

from tools.notebooks import ROOT

# Words that British English has too, with another meaning or beside its own form.
ALSO_BRITISH = {
    "bias",
    "biased",
    "biases",
    "draft",
    "license",
    "meter",
    "practice",
    "program",
    "story",
}
PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "chapters/*.ipynb",
        "explorers/*.ipynb",
        "appendices/*",
        "exercises/solutions/*.ipynb",
    )
    for path in ROOT.glob(pattern)
    if path.suffix in (".md", ".ipynb")
)
# Code, roles, addresses, and what others said in their own words are not ours to spell.
NOT_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\{[\w-]+\}|“[^”]*”|\]\([^)]*\)|<[^>]*>|https?://\S+", re.DOTALL
)


def american_words():
    """Turn codespell's table of British words and their American forms around."""
    table = files("codespell_lib").joinpath("data/dictionary_en-GB_to_en-US.txt").read_text("utf-8")
    pairs = (line.split("->") for line in table.splitlines() if "->" in line)
    turned = {american.strip(" ,"): british for british, american in pairs}
    return {word: british for word, british in turned.items() if word not in ALSO_BRITISH}


AMERICAN = american_words()


def prose(path):
    """Give a page's text: all of it, or the text cells of a notebook."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return NOT_PROSE.sub(" ", text)


def american_in(text):
    return sorted({word for word in re.findall(r"[a-z]+", text.lower()) if word in AMERICAN})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_spelling_is_british(path):
    found = {word: AMERICAN[word] for word in american_in(prose(path))}
    assert not found, f"{path.relative_to(ROOT)} mixes spellings; write {found}"


def test_american_words_are_seen():
    assert american_in("The color is in the center.") == ["center", "color"]
    assert american_in("The colour is in the centre. " + NOT_PROSE.sub("", "`color`")) == []
