"""Pages in a browser: nothing fetched, nothing broken, readable by everyone.

`make test` looks at one page of each kind, `make proof` at every page.


A page is loaded once from a local server, then looked at in light and dark, wide and narrow, with
its boxes open and its quizzes answered. Words of code are joined before axe searches, which takes
several times as long with them; their colours are measured first. Then the page is loaded once
more from the disk, as a reader without internet does.
"""

import contextlib
import functools
import http.server
import re
import threading
from pathlib import Path

import axe_playwright_python
import pytest
import yaml
from playwright.sync_api import Request, TimeoutError

from mrp_helpers import ROLES
from tools import chromium
from tools.notebooks import ROOT, entries

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What is like its neighbours is searched once: rows of a table after the first five, plain entries
# of the contents after the first three, the parts of a formula. Words of code become one text.
THIN_OUT = """() => {
    document.querySelectorAll('.highlight pre').forEach(code => {
        code.textContent = code.textContent;
    });
    document.querySelectorAll(
        'tbody tr:nth-child(n+6), mjx-math > *, .bd-docs-nav li:nth-child(n+4):not(:has(summary))'
    ).forEach(one => one.remove());
}"""
# One text of each colour, size and weight on each ground.
ONE_OF_A_KIND = """() => {
    const kinds = new Map();
    const style = one => getComputedStyle(one);
    const clear = one => /^(transparent|rgba[(].*, 0[)])$/.test(style(one).backgroundColor);
    const seen = {visibilityProperty: true, opacityProperty: true};
    for (const one of document.querySelectorAll('body *')) {
        const speaks = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!speaks || !one.checkVisibility(seen)) continue;
        let ground = one;
        while (ground.parentElement && clear(ground)) ground = ground.parentElement;
        const {color, fontSize, fontWeight} = style(one);
        const kind = [color, fontSize, fontWeight, style(ground).backgroundColor].join();
        if (!kinds.has(kind)) kinds.set(kind, one);
    }
    return {include: [...kinds.values()]};
}"""
RUN_AXE = """async ([where, what]) => {
    const options = {preload: false, resultTypes: ['violations'], ...what};
    const {violations} = await axe.run(where, options);
    return violations.map(({id, nodes}) =>
        `${id}, ${nodes.length} times, such as ${nodes[0].target.join(' ')}: `
        + nodes[0].html.slice(0, 200));
}"""
# Colours take axe three quarters of its time. So in each variant one text of a kind is searched for
# a weak one, and every text, in light, on pages of each sort. Nothing else depends on the mode.
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
ALL = {"runOnly": RULES}
OTHERS = ALL | {"rules": {"color-contrast": {"enabled": False}}}
SEARCHES = {
    ("light", 1400): [("document", OTHERS), (ONE_OF_A_KIND, CONTRAST)],
    ("light", 390): [("document", OTHERS), (ONE_OF_A_KIND, CONTRAST)],
    ("dark", 1400): [(ONE_OF_A_KIND, CONTRAST)],
    ("dark", 390): [(ONE_OF_A_KIND, CONTRAST)],
}
EVERY_TEXT = SEARCHES | {("light", 1400): [("document", ALL)]}
OF_EACH_KIND = {
    "index", "search", "genindex", "404", "explorers/map", "chapters/07-post-stratification",
    "exercises/07-post-stratification", "exercises/solutions/07-post-stratification",
    "appendices/api", "appendices/glossary", "appendices/claims/07-post-stratification",
}  # fmt: skip
SET_MODE = "mode => { document.documentElement.dataset.theme = mode; }"
# Some time after a change of width the theme lets the keyboard into the boxes that scroll by then.
SETTLED = """() => [...document.querySelectorAll(
    'pre, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container'
)].every(box => (box.tabIndex === 0) === (
    box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight
))"""
CODE_COLOURS = """() => {
    const seen = new Set();
    for (const word of document.querySelectorAll('.highlight pre span')) {
        if (!word.textContent.trim()) continue;
        const ground = getComputedStyle(word.closest('.highlight')).backgroundColor;
        seen.add(getComputedStyle(word).color + ' on ' + ground);
    }
    return [...seen];
}"""
OPEN_ALL = """() => {
    document.querySelectorAll('details').forEach(box => { box.open = true; });
    document.querySelectorAll('button.toggle-button-hidden').forEach(button => button.click());
    document.querySelectorAll('.Quiz').forEach((quiz, number) => {
        const options = quiz.querySelectorAll(`[data-correct="${number % 2 === 0}"]`);
        if (options.length) options[0].click();
    });
}"""
WIDER = """width => [...document.querySelectorAll('main *')].filter(one => {
    const box = one.getBoundingClientRect();
    const scrolls = one.closest('pre, .cell_output > .output, .pst-scrollable-table-container');
    return box.width > 0 && box.right > width + 1 && !scrolls;
}).slice(0, 3).map(one => one.outerHTML.slice(0, 120))"""

PAGES = [
    Path(page).with_suffix("").as_posix()
    for page in entries(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
]
PAGES += ["genindex", "search", "404"]
# The others of each kind are looked at by the proof.
MARKED = [
    page if page in OF_EACH_KIND else pytest.param(page, marks=pytest.mark.proof) for page in PAGES
]


@pytest.fixture(scope="module")
def address(site):
    """Serve the site at a free port of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Visit:
    """A tab that lets nothing out, and writes down what goes wrong."""

    def __init__(self, browser, home: str):
        self.wrong: list[str] = []
        self.asked: set[Request] = set()  # by the page that is open
        self.home = home
        self.context = chromium.patient(
            browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
        )
        self.context.route(lambda url: not url.startswith((home, "data:")), self.refuse)
        self.page = self.context.new_page()
        self.page.on("console", self.note)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.add(request))
        self.page.on("requestfailed", self.lose)
        self.page.on("response", self.look)

    def refuse(self, route) -> None:
        self.wrong.append(f"asks another host: {route.request.url}")
        route.abort()

    def note(self, message) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text[:200]}")

    def lose(self, request) -> None:
        # A page that is left drops what it still waits for; what is missing fails otherwise.
        dropped = request.failure == "net::ERR_ABORTED" and request not in self.asked
        if not dropped:
            self.wrong.append(f"failed: {request.url} ({request.failure})")

    def look(self, response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")

    def go(self, name: str):
        """Leave the page that is open, open another, and wait until its formulas are set."""
        self.asked.clear()
        self.page.goto("about:blank")
        self.asked.clear()  # of what the page that was left asked for until the last moment
        self.wrong.clear()
        self.page.goto(f"{self.home}/{name}.html")
        # As if to print, which sets the formulas that are not in sight yet.
        self.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        self.page.wait_for_function(
            "!document.querySelector('.math') || document.documentElement.dataset.maths === 'set'"
        )
        return self.page


@pytest.fixture(scope="module")
def tab(browser, address):
    visit = Visit(browser, address)
    yield visit
    visit.context.close()


@pytest.fixture(scope="module")
def tab_on_disk(browser, site):
    visit = Visit(browser, site.as_uri())
    yield visit
    visit.context.close()


def luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Compute the contrast of two colours, each three numbers from 0 to 255."""
    low, high = sorted(luminance(tuple(c / 255 for c in colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def weak_words(page) -> list[str]:
    """List the colours of code that are too close to their ground."""
    found = []
    for pair in page.evaluate(CODE_COLOURS):
        one, two = (
            tuple(float(number) for number in re.findall(r"[\d.]+", colour)[:3])
            for colour in pair.split(" on ")
        )
        if contrast(one, two) < 4.5:
            found.append(f"code: {pair}")
    return found


def barriers(page, width: int, mode: str, searches: dict = SEARCHES) -> list[str]:
    """List what stands in some reader's way, in one width and one mode."""
    page.evaluate(SET_MODE, mode)
    found = []
    for where, what in searches[mode, width]:
        found += page.evaluate(RUN_AXE, [page.evaluate_handle(where), what])
    return [f"{mode}, {width}: {one}" for one in found]


def wider_than_the_screen(page) -> list[str]:
    """Say what makes a page scroll sideways on a phone."""
    found = []
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} px wide on {width}: {page.evaluate(WIDER, width)}")
    return found


def settle(page) -> None:
    """Wait until the theme has followed a change of width; if it never does, axe will say so."""
    with contextlib.suppress(TimeoutError):
        page.wait_for_function(SETTLED, timeout=600_000)


def look_at(tab: Visit, name: str) -> list[str]:
    """Visit a page in every way; list what is wrong."""
    searches = EVERY_TEXT if name in OF_EACH_KIND else SEARCHES
    page = tab.go(name)
    page.evaluate(OPEN_ALL)
    page.evaluate(AXE)
    found = wider_than_the_screen(page)
    for mode in ("light", "dark"):
        page.evaluate(SET_MODE, mode)
        found += weak_words(page)
    page.evaluate(THIN_OUT)
    for width in (1400, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("scrollTo(0, 0)")  # further down the bar at the top hides half a button
        settle(page)
        for mode in ("light", "dark"):
            found += barriers(page, width, mode, searches)
    return found + tab.wrong


class TestOnePage:
    """Every second page; the others below, so that two workers can share them."""

    @pytest.mark.parametrize("name", MARKED[::2])
    def test_page_is_sound(self, tab, name):
        found = look_at(tab, name)
        assert not found, "\n".join(found)


class TestTheOther:
    """The pages between those above."""

    @pytest.mark.parametrize("name", MARKED[1::2])
    def test_page_is_sound(self, tab, name):
        found = look_at(tab, name)
        assert not found, "\n".join(found)


def test_pages_of_each_kind_exist():
    assert set(PAGES) >= OF_EACH_KIND


class TestOnDisk:
    """Opened from a folder, without a server."""

    @pytest.mark.parametrize("name", MARKED)
    def test_page_loads_without_a_complaint(self, tab_on_disk, name):
        tab_on_disk.go(name)
        assert not tab_on_disk.wrong, "\n".join(tab_on_disk.wrong)

    @pytest.mark.parametrize(
        ("words", "page"),
        [
            ("elephants", "chapters/02-weights"),
            ("raking", "chapters/02-weights"),
            ("collinearity", "chapters/05-fixed-effects"),
            ("divergence", "chapters/06-the-multilevel-model"),
            ("partial pooling", "chapters/06-the-multilevel-model"),
            ("ecological fallacy", "chapters/09-limits"),
            ("load_cces", "appendices/api"),
            ("poststratify_draws", "appendices/api"),
            ("American Community Survey", "appendices/glossary"),
            ("commonweight", "appendices/data-and-codebook"),
        ],
    )
    def test_search_finds(self, tab_on_disk, words, page):
        page_with_results = tab_on_disk.page
        page_with_results.goto(f"{tab_on_disk.home}/search.html?q={words.replace(' ', '+')}")
        results = page_with_results.locator("#search-results .search li a")
        results.first.wait_for()
        page_with_results.locator("#search-results .search-summary").wait_for()
        hits = results.evaluate_all("all => all.map(one => one.getAttribute('href'))")
        assert any(hit.split("#")[0].split("?")[0].endswith(f"{page}.html") for hit in hits), hits


class TestBarriers:
    """What stands in a reader's way is found, in the dark as well."""

    @pytest.mark.parametrize("width", [1400, 390])
    @pytest.mark.parametrize(("mode", "colour"), [("light", "#bbb"), ("dark", "#555")])
    def test_a_weak_word_is_found(self, tab, mode, colour, width):
        page = tab.go("appendices/teaching")
        page.evaluate(AXE)
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert barriers(page, width, mode) == []
        page.evaluate(
            "colour => { document.querySelector('main p').style.color = colour; }", colour
        )
        (found,) = barriers(page, width, mode)
        assert found.startswith(f"{mode}, {width}: color-contrast, 1 times")


class TestTerms:
    """Definitions where the words stand."""

    def test_definition_comes_with_focus_and_goes_with_escape(self, tab):
        page = tab.go("chapters/08-does-it-work")
        page.set_viewport_size({"width": 390, "height": 900})
        term = page.locator("a.term").first
        card = page.locator(".definition-card")
        assert card.is_hidden()
        term.focus()
        assert "A kind of person" in card.inner_text()
        box = card.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        page.keyboard.press("Escape")
        assert card.is_hidden()
        term.hover()
        assert card.is_visible()

    def test_definition_is_the_description_of_the_link(self, tab):
        page = tab.go("chapters/08-does-it-work")
        missing = page.locator("a.term").evaluate_all(
            """all => all.map(one => one.getAttribute('aria-describedby'))
                .filter(name => !document.getElementById(name))"""
        )
        assert missing == []


PALETTE = {one.light: one.dark for one in ROLES.values() if one.shape}


class TestFigures:
    """The pictures were drawn on white; in the dark they turn round."""

    def drawn(self, tab, name: str, mode: str):
        """Put a strip of the palette in a figure's place, and read its colours from the screen."""
        page = tab.go(name)
        page.evaluate(SET_MODE, mode)
        page.evaluate(
            """colours => {
                const strip = document.createElement('canvas');
                strip.width = 40 * colours.length; strip.height = 40;
                const pen = strip.getContext('2d');
                colours.forEach((colour, i) => {
                    pen.fillStyle = colour; pen.fillRect(40 * i, 0, 40, 40);
                });
                const picture = document.querySelector('.cell_output figure img');
                picture.src = strip.toDataURL();
                picture.id = 'strip';
                return picture.decode();
            }""",
            [*PALETTE, "#FFFFFF"],
        )
        shot = page.locator("#strip").screenshot()
        return colours_of(shot, len(PALETTE) + 1)

    def test_palette_stands_out_from_the_dark_ground(self, tab):
        *colours, ground = self.drawn(tab, "chapters/00-mrp-on-one-page", "dark")
        assert luminance(tuple(c / 255 for c in ground)) < 0.05
        weak = {
            name: round(contrast(colour, ground), 2)
            for name, colour in zip(PALETTE, colours, strict=True)
            if contrast(colour, ground) < 3
        }
        assert weak == {}

    def test_a_role_has_the_colour_in_the_dark_that_it_says(self, tab):
        *colours, _ = self.drawn(tab, "chapters/00-mrp-on-one-page", "dark")
        for colour, shown in zip(PALETTE.values(), colours, strict=True):
            said = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
            # The page's dark ground shines through, where a colour is near black.
            assert max(abs(one - two) for one, two in zip(said, shown, strict=True)) < 24, colour

    def test_dark_page_is_printed_light(self, tab):
        page = tab.go("chapters/00-mrp-on-one-page")
        page.evaluate(SET_MODE, "dark")
        for media, mode in (("print", "light"), ("screen", "dark")):
            page.emulate_media(media=media)
            # The event comes with the next frame.
            page.wait_for_function(f"document.documentElement.dataset.theme === '{mode}'")


def colours_of(png: bytes, number: int) -> list[tuple[int, ...]]:
    """Read the colours in the middle of equal stripes of a picture."""
    import io

    from matplotlib.image import imread

    pixels = imread(io.BytesIO(png), format="png")
    height, width = pixels.shape[:2]
    middles = [int((stripe + 0.5) * width / number) for stripe in range(number)]
    return [tuple(int(255 * c) for c in pixels[height // 2, x, :3]) for x in middles]


def test_keyboard_reaches_the_text_first(tab):
    page = tab.go("chapters/01-regression-is-stratification")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent.trim()")
    assert focused == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
