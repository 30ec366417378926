"""What a page costs its reader: bytes altogether, and bytes before its text is there."""

import re
import struct
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from theme.course_theme.weight import (
    MEASURES,
    THEME,
    is_needed,
    lighten_images,
    lighten_scripts,
    may_select,
    moved,
    split_selectors,
    with_imports,
    without_measuring,
    without_unused,
)
from tools.measure_pages import PAGES
from tools.serve import sent_size

LOADED = re.compile(
    r"""<(?:script|link)\b[^>]*?\s(?:src|href)="([^"]+\.(?:js|css)(?:\?[^"]*)?)\""""
)
# The chart library is loaded by the pages with charts, and kept by the browser for the next one.
CHARTS = re.compile(r"vega")
KILOBYTES = 700
KILOBYTES_BEFORE_TEXT = 100
# What a browser waits for before it shows a text: style sheets, and scripts that do not say that
# they can wait.
BLOCKING = re.compile(
    r"""<link\b(?=[^>]*rel="stylesheet")[^>]*href="([^"]+)"|"""
    r"""<script\b(?![^>]*\b(?:defer|async|type="module"))[^>]*\ssrc="([^"]+)\""""
)


def weight(page):
    """Sum what a page, its styles and its scripts cost in bytes, compressed."""
    text = page.read_text("utf-8")
    files = {
        page.parent / urlsplit(address).path
        for address in LOADED.findall(text)
        if not urlsplit(address).netloc
    }
    if any(file.name == "maths.js" for file in files):
        static = next(file.parent for file in files if file.name == "maths.js")
        files.add(static / "mathjax" / "tex-chtml.js")
    return sent_size(page) + sum(
        sent_size(file) for file in files if file.is_file() and not CHARTS.search(file.name)
    )


def test_every_page_is_light(site):
    pages = [page for page in site.rglob("*.html") if "_static" not in page.parts]
    assert len(pages) > 40
    heavy = {page.name: weight(page) for page in pages if weight(page) > KILOBYTES * 1000}
    assert heavy == {}, f"a page may cost {KILOBYTES} kB: fold a table away, or draw it smaller"


def test_pages_load_one_style_sheet_and_no_drawing_script(site):
    text = (site / "chapters" / "07-post-stratification.html").read_text("utf-8")
    assert len(re.findall(r'rel="stylesheet"', text)) == 1
    assert "fontawesome" not in text
    assert "searchindex" not in text
    assert "searchindex" in (site / "search.html").read_text("utf-8")


def test_every_picture_tells_its_size(site):
    for page in site.rglob("*.html"):
        for image in re.findall(r"<img\b[^>]*\.(?:png|svg)[^>]*>", page.read_text("utf-8")):
            assert "width=" in image and "height=" in image, (page.name, image[:200])


def before_its_text(page):
    """Sum the bytes that come before a page's text: its own, and of what it waits for."""
    text = page.read_text("utf-8")
    addresses = [sheet or script for sheet, script in BLOCKING.findall(text)]
    files = [page.parent / urlsplit(address).path for address in addresses]
    return sent_size(page) + sum(sent_size(file) for file in files)


def test_text_waits_for_little(site):
    """How soon it is there, `tools/measure_pages.py` measures on a machine that is not busy."""
    pages = [page for page in site.rglob("*.html") if "_static" not in page.parts]
    late = {page.name: before_its_text(page) for page in pages}
    heavy = {name: size for name, size in late.items() if size > 1000 * KILOBYTES_BEFORE_TEXT}
    assert heavy == {}, f"{KILOBYTES_BEFORE_TEXT} kB may come before a page's text: split the page"


def test_no_script_keeps_the_text_waiting(site):
    for page in (site / path for path in PAGES):
        scripts = [script for _, script in BLOCKING.findall(page.read_text("utf-8")) if script]
        assert scripts == [], page.name


def test_what_is_folded_away_is_not_laid_out_to_be_measured(site):
    """The theme's script did so for every box, and a phone did not answer meanwhile."""
    assert "scrollWidth" not in (site / "_static" / THEME).read_text("utf-8")
    assert without_measuring(f"all.forEach(e=>{{{MEASURES}}})") == "all.forEach(e=>{})"
    with pytest.raises(ValueError, match="no longer has what stops.js replaces"):
        without_measuring("another version of the script")


# --- The parts.


def test_script_is_kept_where_it_has_a_use():
    code = '<div class="highlight"><pre>'
    assert is_needed("copybutton.js", code) and not is_needed("copybutton.js", "<p>")
    assert is_needed("an-explorer.js", "<p>")
    assert not is_needed("sphinx-thebe.js", code)


def test_settings_of_formulas_are_no_library_yet():
    """A quiz that finds an object MathJax asks it for its version."""
    page = lighten_scripts("<script>window.MathJax = {}</script>")
    assert page == "<script>window.mathsSettings = {}</script>"


def test_scripts_wait_for_the_text_and_come_once():
    page = (
        '<script src="_static/doctools.js"></script><script src="_static/doctools.js"></script>'
        '<script async="async" src="_static/x.js"></script>'
        "<script>DOCUMENTATION_OPTIONS.a = 1;</script><script>let b = 1;</script>"
    )
    assert lighten_scripts(page) == (
        '<script defer src="_static/doctools.js"></script>'
        '<script async="async" src="_static/x.js"></script>'
        '<script type="module">DOCUMENTATION_OPTIONS.a = 1;</script><script>let b = 1;</script>'
    )


@pytest.mark.parametrize(
    ("selector", "kept"),
    [
        (".used", True),
        ("p", True),
        (".used .other", False),
        ("#named > .used", True),
        (".used:not(.other)", True),
        (":is(.other, .used) p", True),
        (r".used\.more", False),
    ],
)
def test_rule_is_kept_if_it_may_select_something(selector, kept):
    assert may_select(selector, {"used", "named"}) is kept


def test_unused_rules_leave_and_licences_stay():
    css = (
        "/*! Licence */ /* remark */ .a, .b > p { color: red } .b { color: blue }"
        "@media print { .b { color: red } } @media print { .a { color: red } }"
    )
    kept = without_unused(css, {"a"})
    assert "Licence" in kept and "remark" not in kept
    assert ".b" not in kept
    assert kept.count(".a") == 2 and kept.count("@media") == 1


def test_selectors_are_split_at_outer_commas_alone():
    assert split_selectors('a, b:is(c, d), [x="e,f"]') == ["a", "b:is(c, d)", '[x="e,f"]']


def test_addresses_in_a_moved_sheet_still_lead_to_the_same_file():
    assert moved("url(x.png)", "quiz.css") == "url(../x.png)"
    assert moved('url("x.png")', "a/b.css") == 'url("../a/x.png")'
    assert moved("url(data:x)", "quiz.css") == "url(data:x)"
    assert moved("url(../x.png)", "styles/theme.css") == "url(../x.png)"


def test_a_sheet_brings_what_it_imports_in_its_place(tmp_path):
    """In the middle of a bundle an import means nothing to a browser."""
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "theme.css").write_text('.a{}@import "../basic.css";.c{}', "utf-8")
    (tmp_path / "basic.css").write_text(".b{background:url(file.png)}", "utf-8")
    found = with_imports(tmp_path, "styles/theme.css")
    assert found == ".a{}.b{background:url(../file.png)}.c{}"


def test_no_bundle_imports(site):
    assert "@import" not in (site / "_static" / "styles" / "site.css").read_text("utf-8")


def test_size_is_read_from_the_picture(tmp_path):
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 30, 20, 8, 2, 0, 0, 0)
    (tmp_path / "x.png").write_bytes(head + struct.pack(">I", zlib.crc32(head[12:])))
    page = lighten_images('<img alt="a" src="x.png"><img src="x.png" width="3">', tmp_path)
    assert page == (
        '<img width="30" height="20" alt="a" src="x.png"><img loading="lazy" src="x.png" width="3">'
    )
    assert lighten_images('<img src="y.png">', Path(tmp_path)) == '<img src="y.png">'


def test_pictures_in_a_menu_wait_and_leave_the_first_place_to_the_text(tmp_path):
    logo = '<img alt="Binder logo" src="../_static/images/logo_binder.svg">'
    page = lighten_images(logo + '<img src="x.png">', tmp_path)
    assert page == logo.replace("<img", '<img loading="lazy"') + '<img src="x.png">'
