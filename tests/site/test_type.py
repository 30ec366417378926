"""Letters: the fonts are the site's own, may be used, and set a line that is easy to read."""

import itertools
import re

import pytest
from fontTools.fontBuilder import FontBuilder

from tools.make_fonts import FONTS, NAMES, TARGET, renamed
from tools.notebooks import ROOT

STYLE = (ROOT / "theme" / "static" / "type.css").read_text("utf-8")
KILOBYTES = 90
# Characters in a line of long paragraphs, whose last line is half full on average.
LINES = """() => [...document.querySelectorAll('.bd-article section > p')]
    .filter(text => text.textContent.length > 300 && !text.querySelector('.math'))
    .map(text => {
        const height = parseFloat(getComputedStyle(text).lineHeight);
        return text.textContent.length / (Math.round(text.clientHeight / height) - 0.5);
    })"""
# The first paragraph of the text itself, since captions have letters of their own.
SIZES = """() => Object.fromEntries(['p', 'h1', 'h2', 'h3', 'pre', 'table'].map(tag => {
    const within = tag === 'p' ? 'section >' : 'section';
    const style = getComputedStyle(document.querySelector(`.bd-article ${within} ${tag}`));
    return [tag, [style.fontFamily.split(',')[0].replaceAll('"', ''), parseFloat(style.fontSize)]];
}))"""

# How wide the page's own paragraphs are in each font that the browser can get.
WIDTHS = """async families => {
    const all = [...document.querySelectorAll('.bd-article p')];
    const text = all.map(one => one.innerText).join(' ');
    const pen = document.createElement('canvas').getContext('2d');
    const widths = [];
    for (const family of families) {
        const font = `100px "${family}"`;
        const found = await document.fonts.load(font).catch(() => []);
        pen.font = font;
        if (found.length) widths.push([family, pen.measureText(text).width]);
    }
    return widths;
}"""
# Adds up how far what is in sight moves without being asked: cumulative layout shift.
NOTE_SHIFTS = """new PerformanceObserver(found => {
    for (const one of found.getEntries()) window.shifted = (window.shifted ?? 0) + one.value;
}).observe({type: 'layout-shift', buffered: true})"""
NEXT_FRAME = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def named_font():
    """Make a font without letters that has the names of an original."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef"])
    builder.setupNameTable({
        "copyright": "2014, with Reserved Font Name 'Source'", "familyName": "Source Serif 4",
        "styleName": "Italic", "uniqueFontIdentifier": "4;Source", "fullName": "Source Serif 4",
        "psName": "SourceSerif4-It", "licenseDescription": "SIL Open Font License",
    })  # fmt: skip
    return builder.font


def test_the_reserved_name_leaves_and_the_notice_stays():
    font = named_font()
    renamed(font, "course-serif-italic")
    told = {record.nameID: record.toUnicode() for record in font["name"].names}
    assert [told[number] for number in (1, 4)] == ["Course Serif", "Course Serif Italic"]
    assert not [number for number in NAMES if "Source" in told.get(number, "")]
    assert "Reserved Font Name 'Source'" in told[0] and told[13] == "SIL Open Font License"


@pytest.mark.parametrize("name", FONTS)
def test_font_has_its_licence_beside_it(name):
    licence = (TARGET / f"{name.removesuffix('-italic')}.LICENSE.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


def test_fonts_are_light_and_each_is_used():
    files = sorted(path.name for path in TARGET.glob("*.woff2"))
    assert files == sorted(f"{name}.woff2" for name in FONTS)
    assert sorted(re.findall(r"url\(fonts/([^)]+)\)", STYLE)) == files
    assert sum((TARGET / file).stat().st_size for file in files) < 1000 * KILOBYTES


def test_site_brings_fonts_and_licences(site):
    brought = {path.name for path in (site / "_static" / "fonts").iterdir()}
    assert brought == {path.name for path in TARGET.iterdir()}
    bundle = (site / "_static" / "styles" / "site.css").read_text("utf-8")
    assert all(f"url(../fonts/{name}.woff2)" in bundle for name in FONTS)


@pytest.fixture(scope="module")
def page(browser, site):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(f"{site.as_uri()}/chapters/06-the-multilevel-model.html")
    page.evaluate("document.fonts.ready")
    yield page
    page.close()


def test_text_is_set_in_lines_of_about_66_characters(page):
    lengths = page.evaluate(LINES)
    assert len(lengths) > 10
    assert 60 <= sum(lengths) / len(lengths) <= 70


def test_headings_have_three_clear_sizes_and_code_is_smaller_than_text(page):
    found = page.evaluate(SIZES)
    assert found["p"] == ["Course Serif", 18]
    sizes = [found[tag][1] for tag in ("h1", "h2", "h3", "p", "pre")]
    assert all(larger >= 1.1 * smaller for larger, smaller in itertools.pairwise(sizes))
    assert {found[tag][0] for tag in ("h1", "h2", "h3", "table")} == {"Course Sans"}
    shown = page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length")
    assert shown >= 2


def test_fallback_is_as_wide_as_the_font_it_stands_in_for(page):
    """Of those that this machine has; what it has not cannot be measured here."""
    faces = re.findall(r'font-family: "((?:Course|Serif|Sans) \w+)";', STYLE)
    widths = dict(page.evaluate(WIDTHS, list(dict.fromkeys(faces))))
    ratios = {
        name: round(wide / widths[f"Course {name.split()[0]}"], 3)
        for name, wide in widths.items()
        if not name.startswith("Course")
    }
    assert ratios
    assert {name: ratio for name, ratio in ratios.items() if abs(ratio - 1) > 0.02} == {}


@pytest.mark.parametrize("width", [412, 1400])
@pytest.mark.parametrize("name", ["explorers/map", "explorers/strata"])
def test_explorer_has_its_place_before_its_chart_comes(browser, site, name, width):
    page = browser.new_page(viewport={"width": width, "height": 823}, reduced_motion="reduce")
    page.add_init_script(NOTE_SHIFTS)
    page.goto(f"{site.as_uri()}/{name}.html")
    page.locator(".explorer[data-updates]").wait_for()
    page.evaluate(NEXT_FRAME)
    assert page.evaluate("window.shifted ?? 0") < 0.1
    page.close()
