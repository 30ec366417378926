"""Print the built site as one PDF: the course on paper, with bookmarks and page numbers.

The pages' articles are put behind one another into a single page in reading order. Links between
them become links within the document, quizzes become printed questions with the answers at the end,
and Chromium prints it. The result is checked before it is put beside the site.
"""

import argparse
import json
import logging
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from posixpath import dirname, join, normpath
from unicodedata import normalize

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Page
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from tools import chromium
from tools.build_book import pack
from tools.notebooks import entries
from tools.serve import serving

ROOT = Path(__file__).resolve().parent.parent
TITLE = "Multilevel Regression and Post-Stratification"
PDF = "mrp-course.pdf"
PRINTED = "print.html"
STYLE = Path(__file__).with_name("print.css")
# A4 without its margins of 17 mm, in the browser's pixels.
WIDTH = round((210 - 2 * 17) / 25.4 * 96)
# What a page has for the screen alone.
SCREEN_ONLY = (
    "script, style, template, noscript, .headerlink, button, form, iframe, .explorer-view, "
    ".onlyprint, .d-print-none"
)
# These quote the hidden cells of each chapter, hundreds of sheets of them.
NOT_PRINTED = "appendices/claims/"
SOLUTIONS = "exercises/solutions/"
CHART = '[id^="altair-viz"], .vega-embed'
QUIZ = re.compile(r"var questions\w+\s*=\s*(?=\[)")
WIDER = """() => [...document.querySelectorAll("pre, table, img, svg, figure, mjx-container")]
  .filter((box) => box.getClientRects().length &&
    (box.getBoundingClientRect().right > document.body.getBoundingClientRect().right + 1 ||
     (box.matches("pre, table") && box.scrollWidth > box.clientWidth + 1)))
  .map((box) => `${box.closest("article").id}: ${box.tagName} ${box.textContent.slice(0, 60)}`)"""
# Formulas in a heading are drawn, not written, so its bookmark keeps what Chromium made of them.
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) =>
  heading.querySelector(".math") ? null : heading.textContent.replace(/\\s+/g, " ").trim())"""
# Decoding waits until a picture is there; the page that a broken one is from is named before it.
BROKEN = """async () => (await Promise.all([...document.images].map((image) =>
  image.decode().then(() => null,
    () => `${image.closest("article")?.id}: ${image.src.slice(0, 80)}`)))).filter(Boolean)"""
# Tables keep their lines and get smaller until they fit.
FIT = """() => document.querySelectorAll("table, .output > svg, mjx-container").forEach((box) => {
  const room = box.parentElement.closest("article, li, dd, .admonition, td")
    .getBoundingClientRect().right - box.getBoundingClientRect().left;
  const width = Math.max(box.scrollWidth, box.getBoundingClientRect().width);
  if (width > room) box.style.zoom = Math.floor(99 * room / width) / 100;
})"""


def contents(toc: dict) -> list[tuple[str, list[str]]]:
    """List the parts of the table of contents, each with its pages; the first is the front page.

    On paper the solutions have a part of their own, the last, where no learner passes by.
    """
    parts = [("", [toc["root"]])]
    solutions = []
    for part in toc["parts"]:
        pages = [page for page in entries(part["chapters"]) if not page.startswith(NOT_PRINTED)]
        solutions += [page for page in pages if page.startswith(SOLUTIONS)]
        parts.append((part["caption"], [page for page in pages if not page.startswith(SOLUTIONS)]))
    return [*parts, ("Solutions", solutions)]


def name_of(page: str) -> str:
    """Make of a page's path what its part of the document is called."""
    return page.replace("/", "-")


def article_of(html: Path, page: str, pages: set[str]) -> tuple[Tag, list[dict]]:
    """Take the article out of one built page, ready to be put among the others, and its quizzes."""
    soup = BeautifulSoup((html / f"{page}.html").read_text("utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    questions = print_quizzes(soup, article)
    for chart in article.select(CHART):
        chart.replace_with(note(soup, "Here the site has a chart that answers to the mouse."))
    for part in article.select(SCREEN_ONLY):
        part.decompose()
    # An explorer's table has a row for each place of its sliders.
    for details in article.select("details:not(.explorer details)"):
        details["open"] = ""
    rename(article, page)
    redirect(article, page, pages)
    lower_headings(article)
    article["id"] = name_of(page)
    article["class"] = ["bd-article"]
    return article, questions


def note(soup: BeautifulSoup, text: str) -> Tag:
    """Write a sentence in place of what cannot be printed."""
    made = soup.new_tag("p", attrs={"class": "not-printed"})
    made.string = text
    return made


def print_quizzes(soup: BeautifulSoup, article: Tag) -> list[dict]:
    """Replace each quiz, which a script would make, by its printed questions."""
    asked = []
    for script in article.select("script"):
        if found := QUIZ.search(text := script.get_text()):
            questions, _ = json.JSONDecoder().raw_decode(text, found.end())
            script.find_parent(class_="output").replace_with(printed_questions(soup, questions))
            asked += questions
    return asked


def printed_questions(soup: BeautifulSoup, questions: list[dict]) -> Tag:
    """Write questions with a box before each option, or a line for a number."""
    made = soup.new_tag("div", attrs={"class": "printed-quiz"})
    for question in questions:
        made.append(text_in(soup, "p", question["question"]))
        if question["type"] == "numeric":
            made.append(text_in(soup, "p", "Your number: ____________"))
        else:
            options = soup.new_tag("ul")
            for answer in question["answers"]:
                options.append(text_in(soup, "li", answer["answer"]))
            made.append(options)
    made.append(note(soup, "The answers are at the end of the document."))
    return made


def text_in(soup: BeautifulSoup, tag: str, text: str) -> Tag:
    """Make an element that holds a text."""
    made = soup.new_tag(tag)
    made.string = text
    return made


def right_answer(question: dict) -> str:
    """Say what is right and why, in one paragraph."""
    (right, *_) = [answer for answer in question["answers"] if answer.get("correct")]
    shown = right.get("answer", right.get("value", right.get("range", "")))
    return f"{shown}. {right.get('feedback', '')}"


def answers(soup: BeautifulSoup, asked: dict[str, list[dict]]) -> Tag:
    """Write the closing section: for each chapter the right answers with their reasons."""
    made = soup.new_tag("article", attrs={"id": "answers", "class": "bd-article"})
    made.append(text_in(soup, "h2", "Answers to the self-checks"))
    for title, questions in asked.items():
        made.append(text_in(soup, "h3", title))
        for question in questions:
            paragraph = soup.new_tag("p")
            paragraph.append(text_in(soup, "strong", question["question"]))
            paragraph.append(f" {right_answer(question)}")
            made.append(paragraph)
    return made


def rename(article: Tag, page: str) -> None:
    """Put the page's name before each id, which another page may have as well."""
    for tag in article.select("[id]"):
        tag["id"] = f"{name_of(page)}--{tag['id']}"


def redirect(article: Tag, page: str, pages: set[str]) -> None:
    """Let links and pictures of a page work in the one document at the site's root."""
    for link in article.select("a[href]"):
        target = target_of(link["href"], page, pages)
        if target is None:
            del link["href"]
        else:
            link["href"] = target
    for image in article.select("img[src]"):
        image["src"] = normpath(join(dirname(page), image["src"]))
        image["loading"] = "eager"


def target_of(href: str, page: str, pages: set[str]) -> str | None:
    """Say where a link leads in the document; None if to what is not part of it."""
    if re.match(r"[a-z]+:", href):
        return href
    path, _, fragment = href.partition("#")
    linked = normpath(join(dirname(page), path)).removesuffix(".html") if path else page
    if linked not in pages:
        return None
    return f"#{name_of(linked)}--{fragment}" if fragment else f"#{name_of(linked)}"


def lower_headings(article: Tag) -> None:
    """Make room above a page's title for the title of its part."""
    for level in range(5, 0, -1):
        for heading in article.select(f"h{level}"):
            heading.name = f"h{level + 1}"


def printed_page(html: Path, parts: list[tuple[str, list[str]]]) -> str:
    """Put the articles of these pages behind one another into one page, in reading order."""
    pages = {page for _, listed in parts for page in listed}
    soup = BeautifulSoup("<main></main>", "html.parser")
    asked: dict[str, list[dict]] = {}
    for caption, listed in parts:
        part = soup.new_tag("div", attrs={"class": "part"})
        soup.main.append(part)
        if caption:
            part.append(text_in(soup, "h1", caption))
        for page in listed:
            article, questions = article_of(html, page, pages)
            if questions:
                asked[article.find("h2").get_text().strip()] = questions
            part.append(article)
    if asked:
        soup.main.append(answers(soup, asked))
    sheets = re.findall(
        r'href="([^"]*_static/[^"]+\.css[^"]*)"', (html / "index.html").read_text("utf-8")
    )
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{TITLE}</title>{links}<style>{STYLE.read_text('utf-8')}</style>"
        '<script>window.mathsSettings = {options: {processHtmlClass: "math"}}</script>'
        '<script defer src="_static/maths.js"></script></head><body>'
        f'<header class="cover"><p class="title">{TITLE}</p>'
        f"<p>Weighting as a corrective for biased samples</p>"
        f"<p>Version {version('mrp-helpers')}. Text and figures: CC BY 4.0. Code: MIT licence.</p>"
        f"</header>{soup}</body></html>"
    )


def settle(page: Page) -> None:
    """Wait until all formulas are set and all pictures are there, and fit what is too wide."""
    if page.locator(".math").count():
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.wait_for_function("document.documentElement.dataset.maths === 'set'")
    if broken := page.evaluate(BROKEN):
        raise ValueError(f"these pictures cannot be drawn: {', '.join(broken)}")
    page.evaluate("document.fonts.ready")
    page.evaluate(FIT)


def write_pdf(html: Path, parts: list[tuple[str, list[str]]], target: Path) -> list[str]:
    """Print these pages of a built site; give what is wider than the paper, one line each."""
    printed = html / PRINTED
    printed.write_text(printed_page(html, parts), encoding="utf-8")
    try:
        with serving(html) as address, chromium.opened() as browser:
            page = chromium.patient(browser.new_page(viewport={"width": WIDTH, "height": 1000}))
            page.emulate_media(media="print", color_scheme="light")
            page.goto(address + PRINTED, wait_until="load")
            settle(page)
            wider, headings = page.evaluate(WIDER), page.evaluate(HEADINGS)
            page.pdf(
                path=target,
                outline=True,
                tagged=True,
                prefer_css_page_size=True,
                print_background=True,
            )
    finally:
        printed.unlink()
    name_bookmarks(target, headings)
    return wider


def name_bookmarks(target: Path, headings: list[str | None]) -> None:
    """Give each bookmark its heading's words, which Chromium doubles at the top of a sheet."""
    # Chromium counts its objects one way and pypdf another, which it remarks on.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    writer = PdfWriter(clone_from=target)
    entries = list(outline_entries(writer.root_object["/Outlines"].get_object()))
    if len(entries) != len(headings):
        raise ValueError(f"{len(entries)} bookmarks for {len(headings)} headings in {target.name}")
    for entry, heading in zip(entries, headings, strict=True):
        if heading is not None:
            entry[NameObject("/Title")] = TextStringObject(heading)
    writer.write(target)


def outline_entries(parent: DictionaryObject) -> Iterator[DictionaryObject]:
    """Walk through an outline in the order of the document."""
    entry = parent.get("/First")
    while entry is not None:
        entry = entry.get_object()
        yield entry
        yield from outline_entries(entry)
        entry = entry.get("/Next")


def bookmarks(pdf: PdfReader) -> list[str]:
    """List the titles in the outline, of every depth."""

    def titles(outline: list) -> list[str]:
        return [
            title
            for entry in outline
            for title in (titles(entry) if isinstance(entry, list) else [str(entry.title)])
        ]

    return titles(pdf.outline)


def faults(target: Path, html: Path, parts: list[tuple[str, list[str]]]) -> list[str]:
    """List in words what is wrong with a printed course; empty when it is sound."""
    pdf = PdfReader(target)
    found = []
    if (pdf.metadata or {}).get("/Title") != TITLE:
        found.append("The document does not carry its title.")
    if pdf.trailer["/Root"].get("/Lang") is None:
        found.append("The document does not say its language.")
    marks = {squeezed(mark) for mark in bookmarks(pdf)}
    text = squeezed("".join(page.extract_text() for page in pdf.pages))
    for page in (page for _, listed in parts for page in listed):
        soup = BeautifulSoup((html / f"{page}.html").read_text("utf-8"), "html.parser")
        heading = soup.select_one("article.bd-article h1")
        heading.select_one(".headerlink").decompose()
        if squeezed(heading.get_text()) not in marks:
            found.append(f"{page} has no bookmark.")
        if squeezed(heading.get_text()) not in text:
            found.append(f"The title of {page} is not in the text.")
    if not sum(len(listed) for _, listed in parts) <= len(pdf.pages) <= 1500:
        found.append(f"{len(pdf.pages)} pages are not what this course should have.")
    return found


def squeezed(text: str) -> str:
    """Take spaces and ligatures out of a text: a PDF puts them where it likes."""
    return re.sub(r"\s+", "", normalize("NFKC", text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    html = parser.parse_args().site.resolve()
    chromium.found()
    parts = contents(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
    target = html / PDF
    wrong = [f"wider than the paper: {box}" for box in write_pdf(html, parts, target)]
    wrong += faults(target, html, parts)
    if wrong:
        sys.exit("The course was printed, but not well:\n  " + "\n  ".join(wrong[:20]))
    # The copy for reading without the internet has it too.
    pack(html)
    size = target.stat().st_size / 1e6
    print(f"The course is in {target.name} beside the site: {len(PdfReader(target).pages)} pages,")
    print(f"{size:.0f} MB, with bookmarks. Its pages link to it.")


if __name__ == "__main__":
    main()
