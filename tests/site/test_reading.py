"""What a page remembers for its reader, and how it fits a phone and a projector."""

import pytest
from playwright.sync_api import expect

CHAPTER = "chapters/07-post-stratification"
STORED = "JSON.parse(localStorage.getItem('mrp-course-reading'))"
TO_THE_END = "document.querySelector('.prev-next-area').scrollIntoView()"


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
        expect(page.locator(".course-progress")).to_contain_text("1 of 16 chapters read")
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
