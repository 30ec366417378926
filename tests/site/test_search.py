"""What readers type leads first to the right page; code, claims and solutions are not found."""

import json
import re

import pytest
import yaml
from docutils import nodes
from docutils.utils import new_document

from theme.course_theme import aside, search
from tools.notebooks import ROOT, entries

PAGES = set(entries(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
FIRST = {
    "install": "appendices/about",
    "raking": "chapters/02-weights",
    "sample size": "chapters/10-hundreds-of-samples",
    "overfitting": "chapters/05-fixed-effects",
    "Simpson's paradox": "chapters/01-regression-is-stratification",
    "weights": "chapters/02-weights",
    "divergences": "chapters/06-the-multilevel-model",
    "new levels": "chapters/07-post-stratification",
    "my own survey": "chapters/15-from-survey-to-report",
    "exercise 7": "exercises/07-post-stratification",
    "exercise 1": "exercises/01-regression-is-stratification",
    "chapter 12": "chapters/12-a-variable-the-census-lacks",
    "polling": "chapters/11-an-election-that-was-counted",
    "effective sample size": "appendices/glossary",
    "glossary": "appendices/glossary",
    "poststratify": "appendices/api",
}


@pytest.fixture(scope="module")
def index(site):
    """The index of the search, as the browser gets it."""
    text = (site / "searchindex.js").read_text("utf-8")
    return json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)\s*", text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(browser, site):
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize(("words", "first"), FIRST.items())
def test_words_lead_first_to_the_right_page(page, site, words, first):
    page.goto(f"{site.as_uri()}/search.html?q={words.replace(' ', '+')}")
    page.locator("#search-results .search-summary").wait_for()
    hits = page.locator("#search-results .search li > a")
    hits.first.wait_for()
    found = hits.evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert re.split(r"[?#]", found[0])[0] == f"{first}.html", found[:4]


def test_asides_are_not_found(index):
    asides = [number for number, page in enumerate(index["docnames"]) if aside.is_aside(page)]
    assert len(asides) > 30
    assert {index["titles"][number] for number in asides} == {""}
    for terms in (index["terms"], index["titleterms"]):
        found = {
            number for on in terms.values() for number in (on if isinstance(on, list) else [on])
        }
        assert found.isdisjoint(asides)


def test_words_of_code_are_not_found(index):
    # Each chapter imports it, and few speak of it.
    pages = index["terms"].get("matplotlib", [])
    assert len(pages if isinstance(pages, list) else [pages]) <= 2


def test_code_comes_back_after_the_words_are_collected():
    document = new_document("page")
    document += nodes.paragraph("", "text")
    document += nodes.literal_block("code", "code")
    with search.without_code(document):
        assert document.astext() == "text\n\n"
    assert document.astext() == "text\n\ncode"


def test_every_word_leads_to_a_page_of_the_course_and_to_one_only():
    assert set(search.words()) <= PAGES
    words = [word for found in search.words().values() for word in found]
    assert sorted(set(words)) == sorted(words)
