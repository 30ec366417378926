"""What a page remembers for its reader, and how it fits a phone and a projector."""

import re

import pytest
from playwright.sync_api import expect

from tools.notebooks import ROOT

CHAPTERS = list((ROOT / "chapters").glob("*.ipynb"))
CHAPTER = "chapters/07-post-stratification"
STORED = "JSON.parse(localStorage.getItem('mrp-course-reading'))"
TO_THE_END = "document.querySelector('.prev-next-area').scrollIntoView()"

# How large the letters of a chart are on the screen.
LETTERS = """svg => [...svg.querySelectorAll('text')].filter(one => one.textContent).map(one =>
    parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a).filter(size => size > 0)"""


@pytest.fixture
def reader(browser, site):
    """Somebody who has not been here before, and opens pages from the disk."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    page = context.new_page()

    def opens(name, width=1400, height=900):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{site.as_uri()}/{name}.html")
        return page

    yield opens
    context.close()


class TestProgress:
    """Kept in the browser, and there alone."""

    def test_page_that_was_read_to_its_end_is_ticked_everywhere(self, reader):
        page = reader(CHAPTER)
        expect(page.locator(".is-read")).to_have_count(0)
        expect(page.locator(".course-progress")).to_be_hidden()
        page.evaluate(TO_THE_END)
        expect(page.locator(".bd-docs-nav .is-read > a")).to_contain_text("7 Post-stratification")
        page = reader("exercises/02-weights")
        ticked = page.locator(".bd-docs-nav .is-read > a")
        expect(ticked).to_have_count(1)
        expect(ticked).to_contain_text("(read)")
        expect(page.locator(".course-progress")).to_contain_text(
            f"1 of {len(CHAPTERS)} chapters read"
        )
        page = reader("index")
        expect(page.locator(".front-parts .is-read")).to_have_count(1)

    def test_reader_can_have_it_forgotten(self, reader):
        page = reader(CHAPTER)
        page.evaluate(TO_THE_END)
        page.locator(".course-progress button").click()
        expect(page.locator(".is-read")).to_have_count(0)
        expect(page.locator(".course-progress")).to_be_hidden()
        assert page.evaluate("localStorage.getItem('mrp-course-reading')") is None

    def test_page_works_where_the_browser_remembers_nothing(self, browser, site):
        context = browser.new_context()
        context.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no') }})"
        )
        page = context.new_page()
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error.stack)))
        page.goto(f"{site.as_uri()}/explorers/map.html")
        page.evaluate(TO_THE_END)
        page.keyboard.press("p")
        assert page.evaluate("document.documentElement.hasAttribute('data-present')")
        # The theme's own scripts ask without care.
        assert [stack for stack in wrong if "reading.js" in stack or "present.js" in stack] == []
        context.close()


class TestPlace:
    """Where the reader is, and was."""

    def test_reader_who_comes_back_can_go_on(self, reader):
        page = reader(CHAPTER)
        expect(page.locator(".go-on")).to_have_count(0)
        section = page.locator(".bd-article section section").nth(3).get_attribute("id")
        page.evaluate("id => document.getElementById(id).scrollIntoView()", section)
        page.evaluate("window.dispatchEvent(new Event('pagehide'))")
        assert page.evaluate(STORED)["place"] == {CHAPTER: section}
        reader("index")  # or the browser would scroll back by itself, and the offer be gone
        page = reader(CHAPTER)
        offer = page.locator(".go-on a")
        assert offer.inner_text().startswith("Go on at 7.4 ")
        offer.click()
        assert page.evaluate("location.hash") == f"#{section}"
        expect(page.locator(".go-on")).to_have_count(0)

    def test_offer_can_be_declined_with_the_keyboard(self, reader):
        page = reader(CHAPTER)
        page.evaluate("document.querySelectorAll('.bd-article h2')[2].scrollIntoView()")
        page.evaluate("window.dispatchEvent(new Event('pagehide'))")
        reader("index")
        page = reader(CHAPTER)
        page.locator(".go-on button").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".go-on")).to_have_count(0)

    @pytest.mark.parametrize("width", [1400, 390])
    def test_bar_shows_the_name_of_the_page_below_its_title(self, reader, width):
        page = reader(CHAPTER, width)
        name = page.locator(".chapter-name")
        expect(name).to_be_hidden()
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
        expect(name).to_be_visible()
        assert name.inner_text() == "7 Post-stratification"
        bar, menu = name.bounding_box(), page.locator(".primary-toggle").bounding_box()
        assert abs(bar["y"] + bar["height"] / 2 - menu["y"] - menu["height"] / 2) < 6
        assert bar["x"] + bar["width"] <= width
        page.wait_for_function(
            "Math.abs(new DOMMatrix(getComputedStyle("
            "document.querySelector('.reading-position')).transform).a - 0.5) < 0.1"
        )


class TestLaptop:
    """At 1280 by 720 nothing that one needs is out of sight."""

    def test_name_of_the_course_and_search_stay_beside_any_entry_of_the_contents(self, reader):
        page = reader("appendices/template", 1280, 720)
        sidebar = page.locator(".bd-sidebar-primary")
        for scrolled in (None, 0, 75, 10_000):
            if scrolled is not None:
                sidebar.evaluate("(one, top) => one.scrollTo(0, top)", scrolled)
            for sign in (".logo__title", ".search-button-field"):
                box = sidebar.locator(sign).bounding_box()
                assert box["y"] >= 0 and box["y"] + box["height"] < 160, (sign, scrolled)
                at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
                on_top = "([x, y]) => document.elementFromPoint(x, y).closest('nav.bd-links')"
                assert page.evaluate(on_top, at) is None

    def test_command_of_an_exercise_is_shown_whole(self, reader):
        for width in (1280, 390):
            page = reader("exercises/01-regression-is-stratification", width, 720)
            command = page.locator(".exercise-card pre")
            assert command.evaluate("one => one.scrollWidth - one.clientWidth") == 0


class TestPhone:
    """At 390 pixels code is folded, and what scrolls says so."""

    def test_code_is_folded_and_opens(self, reader):
        page = reader(CHAPTER, 390, 844)
        code = page.locator("div.cell > .cell_input")
        button = page.locator(".code-fold").first
        expect(code.first).to_be_hidden()
        assert button.inner_text().startswith("Show the code (")
        button.focus()
        page.keyboard.press("Enter")
        expect(code.first).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "true")
        assert page.locator("#" + button.get_attribute("aria-controls")).count() == 1
        expect(code.nth(1)).to_be_hidden()

    def test_code_is_in_plain_sight_elsewhere(self, reader):
        page = reader(CHAPTER, 1024, 768)
        expect(page.locator("div.cell > .cell_input").first).to_be_visible()
        expect(page.locator(".code-fold").first).to_be_hidden()

    def test_bar_is_slim_and_leaves_room_for_the_name(self, reader):
        page = reader(CHAPTER, 390, 844)
        assert page.locator(".bd-header-article").bounding_box()["height"] <= 48
        expect(page.locator(".dropdown-download-buttons")).to_be_hidden()

    def test_list_of_sections_has_a_button_where_there_is_one(self, reader):
        expect(reader(CHAPTER, 390, 844).locator(".secondary-toggle")).to_be_visible()
        for name in ("index", "explorers/map", "search"):
            expect(reader(name, 390, 844).locator(".secondary-toggle")).to_be_hidden()

    def test_words_to_search_for_are_beside_the_icon(self, reader):
        page = reader("index", 390, 844)
        page.locator(".search-button.pst-navbar-icon").click()
        field = page.locator("#pst-search-dialog input")
        expect(field).to_have_attribute("placeholder", "Search")
        icon = page.locator("#pst-search-dialog .fa-magnifying-glass").bounding_box()
        starts = field.evaluate(
            "one => one.getBoundingClientRect().x + parseFloat(getComputedStyle(one).paddingLeft)"
        )
        assert icon["x"] + icon["width"] < starts

    def test_figures_are_as_wide_as_the_screen(self, reader):
        page = reader("chapters/10-hundreds-of-samples", 390, 844)
        box = page.locator(".bd-article figure img").first.bounding_box()
        assert box["x"] == pytest.approx(0, abs=1) and box["width"] == pytest.approx(390, abs=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_code_has_shadows_at_its_edges_that_text_covers(self, reader):
        page = reader(CHAPTER, 390, 844)
        style = page.evaluate(
            "getComputedStyle(document.querySelector('.highlight pre')).backgroundAttachment"
        )
        assert style == "local, local, scroll, scroll"


class TestProjector:
    """The key p, at 1920 by 1080."""

    def test_key_hides_what_is_not_for_the_audience_and_enlarges_the_rest(self, reader):
        page = reader(CHAPTER, 1920, 1080)
        figure = page.locator(".bd-article figure img").nth(1)
        before = figure.evaluate("one => one.clientWidth")
        size = page.locator(".bd-article section > p").first.evaluate(
            "one => parseFloat(getComputedStyle(one).fontSize)"
        )
        page.keyboard.press("p")
        for hidden in (".bd-sidebar-primary", ".bd-sidebar-secondary", "div.cell > .cell_input"):
            expect(page.locator(hidden).first).to_be_hidden()
        boxes = page.locator(".bd-article figure img").evaluate_all(
            "all => all.map(one => [one.clientWidth, one.clientHeight])"
        )
        assert figure.evaluate("one => one.clientWidth") > 1.3 * before
        assert all(height < 1080 for _, height in boxes)
        larger = page.locator(".bd-article section > p").first.evaluate(
            "one => parseFloat(getComputedStyle(one).fontSize)"
        )
        assert larger > 1.3 * size
        assert page.evaluate("document.documentElement.scrollWidth") <= 1920
        page.keyboard.press("Escape")
        expect(page.locator("div.cell > .cell_input").first).to_be_visible()

    @pytest.mark.parametrize(("width", "height", "least"), [(1920, 1080, 17), (1280, 720, 11)])
    @pytest.mark.parametrize("name", ["pooling", "map", "strata", "election-night"])
    def test_explorer_fits_and_can_be_read_from_the_back(self, reader, name, width, height, least):
        page = reader(f"explorers/{name}", width, height)
        page.locator(".explorer[data-updates]").wait_for()
        page.keyboard.press("p")
        drawn = page.locator(".explorer-view svg")
        expect(drawn).to_have_attribute("width", "760" if width == 1920 else re.compile("7.."))
        sizes = drawn.evaluate(LETTERS)
        assert round(min(sizes)) >= least
        assert (
            page.locator(".explorer-stage").evaluate("one => one.getBoundingClientRect().bottom")
            <= height
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_next_page_is_presented_too(self, reader):
        reader(CHAPTER).keyboard.press("p")
        page = reader("explorers/map")
        assert page.evaluate("document.documentElement.hasAttribute('data-present')")

    def test_key_does_nothing_while_one_types_or_when_it_is_switched_off(self, reader):
        presents = "document.documentElement.hasAttribute('data-present')"
        page = reader("search")
        page.locator("main input[type=search]").first.press("p")
        assert not page.evaluate(presents)
        page = reader("appendices/teaching")
        switch = page.locator(".present-key")
        expect(switch).to_have_text("The key p presents: on")
        switch.click()
        expect(switch).to_have_text("The key p presents: off")
        page.locator("h1").click()
        page.keyboard.press("p")
        assert not page.evaluate(presents)
