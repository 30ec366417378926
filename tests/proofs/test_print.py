"""The course on paper: three pages are printed here; `make pdf` prints all, and checks itself."""

import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tools import chromium
from tools.print_course import (
    WIDTH,
    bookmarks,
    faults,
    lower_headings,
    squeezed,
    target_of,
    write_pdf,
)
from tools.serve import serving

PARTS = [
    ("", ["index"]),
    ("Chapters", ["chapters/07-post-stratification"]),
    ("Appendices", ["appendices/glossary"]),
]


@pytest.fixture(scope="module")
def printed(site, tmp_path_factory):
    if chromium.find() is None:
        pytest.skip(chromium.MISSING)
    target = tmp_path_factory.mktemp("print") / "three.pdf"
    wider = write_pdf(site, PARTS, target)
    assert wider == []
    return target


def test_printed_pages_are_sound(printed, site):
    assert faults(printed, site, PARTS) == []


def test_bookmarks_lead_to_parts_chapters_and_sections(printed):
    marks = bookmarks(PdfReader(printed))
    assert "Chapters" in marks
    assert any(re.fullmatch(r"7\.\d+ What to take away", mark) for mark in marks)
    assert "Answers to the self-checks" in marks


def test_paper_has_page_numbers_and_the_expected_size(printed):
    pdf = PdfReader(printed)
    assert 20 < len(pdf.pages) < 60
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]
    # The number at the foot is a word by itself; the cover has none.
    assert all(str(n + 1) in pdf.pages[n].extract_text().split() for n in (1, 9, 19))
    assert "1" not in pdf.pages[0].extract_text().split()


def test_quizzes_are_questions_and_their_answers_come_last(printed):
    pages = [squeezed(page.extract_text()) for page in PdfReader(printed).pages]
    answers = next(i for i, text in enumerate(pages) if "Answerstotheself-checks" in text and i > 3)
    assert any("Theanswersstandattheend" in text for text in pages[:answers])
    assert "Yes." in "".join(pages[answers:])


def test_formulas_are_set(printed):
    text = "".join(page.extract_text() for page in PdfReader(printed).pages)
    assert "\\text{cell}" not in text


def test_links_lead_within_the_document(printed):
    pdf = PdfReader(printed)
    named = {str(name).lstrip("/") for name in pdf.named_destinations}
    assert any(name.startswith("chapters-07-post-stratification") for name in named)


def test_single_page_prints_its_article_alone_light_and_whole(site):
    if chromium.find() is None:
        pytest.skip(chromium.MISSING)
    with serving(site) as address, chromium.opened() as browser:
        wide = {"width": WIDTH, "height": 1000}
        page = chromium.patient(browser.new_page(viewport=wide, color_scheme="dark"))
        page.goto(address + "chapters/07-post-stratification.html")
        page.emulate_media(media="print", color_scheme="light")
        page.wait_for_function("document.documentElement.dataset.theme === 'light'")
        for aside in ("#pst-primary-sidebar", "#pst-secondary-sidebar", ".prev-next-footer"):
            assert not page.locator(aside).is_visible(), aside
        clipped = page.evaluate("""[...document.querySelectorAll("pre")].filter(
            (box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)""")
    assert clipped == []


def test_missing_page_is_a_fault(printed, site):
    wrong = faults(printed, site, [*PARTS, ("Exercises", ["exercises/02-weights"])])
    assert "exercises/02-weights has no bookmark." in wrong


@pytest.mark.parametrize(
    ("href", "target"),
    [
        ("https://example.org/x", "https://example.org/x"),
        ("#part", "#chapters-a--part"),
        ("b.html#part", "#chapters-b--part"),
        ("../index.html", "#index"),
        ("../genindex.html", None),
    ],
)
def test_link_is_redirected(href, target):
    pages = {"index", "chapters/a", "chapters/b"}
    assert target_of(href, "chapters/a", pages) == target


def test_headings_go_one_step_down():
    soup = BeautifulSoup("<article><h1>a</h1><h2>b</h2></article>", "html.parser")
    lower_headings(soup.article)
    assert str(soup.article) == "<article><h2>a</h2><h3>b</h3></article>"


def test_without_a_browser_one_line_says_how_to_get_one(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(SystemExit, match="install it") as ended:
        chromium.found()
    assert "\n" not in str(ended.value)
