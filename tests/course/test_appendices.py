"""The glossary and the page of the API: complete, in order, and linked to what exists."""

import ast
import json
import re
import unicodedata
from pathlib import Path

import pytest

import mrp_course
import mrp_helpers

ROOT = Path(__file__).resolve().parents[2]
API = (ROOT / "appendices" / "api.md").read_text("utf-8")
GLOSSARY = (ROOT / "appendices" / "glossary.md").read_text("utf-8")
PAGES = [ROOT / "index.md", *sorted(ROOT.glob("*/*.md")), *sorted(ROOT.glob("*/*.ipynb"))]
PAGES = [
    page for page in PAGES if page.parent.name in (ROOT.name, "appendices", "chapters", "explorers")
]
DOCUMENTED = re.compile(
    r"^\.\. (?:autofunction:: mrp_(?:helpers|course|course\.results)\.(\w+)"
    r"|py:data:: (\w+)\n   :module: mrp_helpers)$",
    re.MULTILINE,
)
# A role {term}`text <entry>` or {term}`entry`; long lines may break inside.
TERM = re.compile(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`]+))`")


def entries(text: str) -> list[tuple[list[str], str]]:
    """List the glossary's entries: the terms of each, and its definition on one line."""
    (block,) = re.findall(r"^```\{glossary\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    found = []
    for entry in block.strip("\n").split("\n\n"):
        lines = entry.splitlines()
        terms = [line for line in lines if not line.startswith(" ")]
        found.append((terms, " ".join(line.strip() for line in lines[len(terms) :])))
    return found


def folded(term: str) -> str:
    """Write a term as a dictionary sorts it: no capitals, no accents."""
    letters = unicodedata.normalize("NFKD", term.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def terms_used(text: str) -> set[str]:
    """Collect the entries that a text links to, in lower case."""
    return {" ".join((one or other).split()).casefold() for one, other in TERM.findall(text)}


def prose(page: Path) -> str:
    """Read what a page says, without the code of a notebook."""
    text = page.read_text("utf-8")
    if page.suffix == ".md":
        return text
    cells = json.loads(text)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


ENTRIES = entries(GLOSSARY)
TERMS = [term for terms, _ in ENTRIES for term in terms]


def test_every_public_name_is_on_the_page_of_the_api_once():
    names = [function or constant for function, constant in DOCUMENTED.findall(API)]
    assert sorted(names) == sorted([*mrp_helpers.__all__, *mrp_course.__all__, "load_result"])


def test_every_module_has_its_section():
    modules = {page.stem for page in (ROOT / "mrp_helpers").glob("[!_]*.py")}
    assert set(re.findall(r"^## `(\w+)`", API, re.MULTILINE)) == modules


def test_value_of_cell_is_the_one_in_the_code():
    (value,) = re.findall(r"py:data:: CELL\n   :module: .+\n   :value: (.+)", API)
    assert ast.literal_eval(value) == mrp_helpers.CELL


def test_glossary_has_at_least_forty_entries_in_order():
    first = [folded(terms[0]) for terms, _ in ENTRIES]
    assert len(first) >= 40
    assert first == sorted(first)


def test_no_term_is_defined_twice():
    names = [folded(term) for term in TERMS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("terms", "definition"), ENTRIES, ids=[terms[0] for terms, _ in ENTRIES])
def test_definition_is_short_and_ends_in_a_full_stop(terms, definition):
    assert terms
    assert re.search(r"\.\)?$", definition)
    # A full stop, a space and a capital begin another sentence.
    assert len(re.findall(r"[.?] (?=[A-Z{$`])", definition)) <= 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_term_that_a_page_links_to_exists(page):
    known = {term.casefold() for term in TERMS}
    assert terms_used(prose(page)) - known == set()


def test_links_to_terms_are_found_in_each_of_their_forms():
    text = "A {term}`Draw`, {term}`cells <cell>`, and a {term}`margin\nof error`."
    assert terms_used(text) == {"draw", "cell", "margin of error"}
    assert entries("```{glossary}\nArea\nzone\n  A\n  b.\n\nÅngström\n  C.\n```") == [
        (["Area", "zone"], "A b."),
        (["Ångström"], "C."),
    ]


def test_every_entry_of_the_references_is_cited():
    """The strict build refuses a citation without an entry; this is the other way round."""
    entries = set(
        re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text("utf-8"), re.M)
    )
    pages = [ROOT / "index.md", *ROOT.glob("[ce]*/*.ipynb"), *ROOT.glob("appendices/*")]
    texts = "".join(page.read_text("utf-8") for page in pages if page.is_file())
    cited = {
        key.strip()
        for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", texts)
        for key in keys.split(",")
    }
    assert sorted(entries - cited) == []
    assert sorted(cited - entries) == []
