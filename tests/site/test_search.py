"""What readers type leads first to the right place; code, claims and solutions are not found."""

import json
import re

import pytest
import yaml
from docutils import nodes
from docutils.utils import new_document
from playwright.sync_api import expect

from theme.course_theme import aside, search
from tools.notebooks import ROOT, entries
from tools.serve import serving

PAGES = set(entries(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
FIRST = {
    "install": "appendices/about.html#install-and-run",
    "raking": "chapters/02-weights.html#raking-needs-only-the-margins",
    "sample size": "chapters/09-limits.html#more-respondents-do-not-reduce-the-bias",
    "overfitting": "chapters/05-fixed-effects.html"
    "#what-determines-the-estimate-of-a-state-with-five-respondents",
    "Simpson's paradox": "chapters/01-regression-is-stratification.html",
    "weights": "chapters/02-weights.html",
    "divergences": "chapters/06-the-multilevel-model.html"
    "#divergences-mark-regions-that-the-sampler-cannot-follow",
    "new levels": "chapters/07-post-stratification.html#what-if-a-state-was-never-reached",
    "my own survey": "appendices/template.html",
    "exercise 7": "exercises/07-post-stratification.html",
    "exercise 1": "exercises/01-regression-is-stratification.html",
    "chapter 12": "chapters/12-a-variable-the-census-lacks.html",
    "polling": "chapters/11-an-election-that-was-counted.html",
    "effective sample size": "appendices/glossary.html#term-effective-sample-size",
    "glossary": "appendices/glossary.html",
    "poststratify": "appendices/api.html#mrp_helpers.poststratify",
    "tour": "chapters/00-mrp-on-one-page.html",
}
# An excerpt is a sentence of the page that has the words, or for some a form of them.
EXCERPTS = {
    "install": "install",
    "raking": "raking",
    "sample size": "larger sample size",
    "overfitting": "is overfitting:",
    "Simpson's paradox": "Simpson",
    "weights": "weight",
    "divergences": "divergence",
    "new levels": "new levels",
    "my own survey": "survey",
    "exercise 7": "exercise",
}


@pytest.fixture(scope="module")
def index(site):
    """The index of the search, as the browser gets it."""
    text = (site / "searchindex.js").read_text("utf-8")
    return json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)\s*", text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def hits(page, address, words):
    """Search, wait until all is found, and return the links."""
    page.goto(f"{address}/search.html?q={words.replace(' ', '+')}")
    summary = page.locator("#search-results .search-summary")
    expect(summary).to_contain_text("finished")
    return page.locator("#search-results .search li > a")


@pytest.mark.parametrize(("words", "first"), FIRST.items())
def test_words_lead_first_to_the_right_place(page, site, words, first):
    found = hits(page, site.as_uri(), words).evaluate_all(
        "all => all.map(one => one.getAttribute('href').replace(/[?].*?(?=#|$)/, ''))"
    )
    assert found[0] == first, found[:4]


def test_place_that_words_lead_to_is_in_the_page_and_is_named(page, site):
    for place in search.words():
        name, _, section = place.partition("#")
        if section:
            assert f'<section id="{section}"' in (site / f"{name}.html").read_text("utf-8"), place
    assert hits(page, site.as_uri(), "install").first.inner_text() == (
        "About this course > Install and run"
    )


def test_whole_words_come_before_parts_of_words(page, site):
    """ "own" is in "shown" and in "unknown", which titles have."""
    titles = hits(page, site.as_uri(), "my own survey").all_inner_texts()
    assert titles[:2] == ["Template: your own survey", "15 From survey to report"]
    assert not [title for title in titles[:10] if re.search(r"\w+own", title)]


def test_excerpts_are_sentences_with_the_words(page, site):
    with serving(site) as address:
        for words, sign in EXCERPTS.items():
            hits(page, address.rstrip("/"), words)
            found = page.locator("#search-results .search li").first.locator("p.context")
            expect(found).to_have_text(re.compile(r"[.:?]"))
            text = found.inner_text()
            assert sign.lower() in text.lower(), (words, text)
            assert len(text) <= 245 and re.match("[“A-Z]", text), (words, text)
            all_of_them = page.locator("#search-results p.context").all_inner_texts()
            code = [one for one in all_of_them if re.search(r"import |plt\.|\w\(\w+=", one)]
            assert not code, words


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
    assert {place.partition("#")[0] for place in search.words()} <= PAGES
    words = [word for found in search.words().values() for word in found]
    assert sorted(set(words)) == sorted(words)
