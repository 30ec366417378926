"""The explorers in a browser: their numbers are Python's, and everybody can move them.

What Python says is computed by the notebooks' own functions, from their own cells. The posterior
behind the map is the one exception: its table is taken from the notebook's stored output, which
nbval compares with a fresh one. So are the draws of election night.
"""

import contextlib
import functools
import json
import math
import re

import altair as alt
import nbformat
import numpy as np
import pandas as pd
import pytest
import vl_convert
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import TimeoutError
from scipy.stats import norm

from mrp_course.explorer import Button, Call, Choice, Guess, Slider, explorer, show_number
from mrp_helpers import aggregate_cells, clean_cces, load_cces, load_state_predictors
from theme.course_theme import explorers as extension
from tools import chromium
from tools.notebooks import ROOT

NAMES = [
    "identity",
    "strata",
    "elephants",
    "bias-dial",
    "pooling",
    "map",
    "draws",
    "election-night",
]
CLOSE = 1e-6
# A chart follows its page a moment after the page has got narrower.
FITS = """() => {
    const right = one => document.querySelector(one).getBoundingClientRect().right;
    return right('.explorer-view svg') <= right('.explorer');
}"""


def notebook(name):
    return nbformat.read(ROOT / "explorers" / f"{name}.ipynb", as_version=4)


def panel_of(name):
    """Read an explorer's markup from the stored outputs of its notebook."""
    outputs = [out for cell in notebook(name).cells for out in cell.get("outputs", [])]
    (html,) = [
        out.data["text/html"]
        for out in outputs
        if extension.MARK in out.get("data", {}).get("text/html", "")
    ]
    return html


def spec_of(name):
    text = re.search(r'<script type="application/json">(.*?)</script>', panel_of(name))[1]
    return json.loads(text)


@functools.cache
def functions(name):
    """Run a notebook's cells, as far as its last function, and return what they defined."""
    cells = [cell.source for cell in notebook(name).cells if cell.cell_type == "code"]
    charts = next(at for at, source in enumerate(cells) if "alt.Chart(" in source)
    defined = {}
    for source in cells[:charts]:
        exec(source, defined)
    return defined


# What Python says the sentence's numbers are, for each explorer at any position of its controls.


def strata(treated, untreated, people, table):
    return functions("strata")["strata"](int(treated), int(untreated), people, table)


def elephants(draws, circus):
    return functions("elephants")["elephants"](int(draws), int(circus))


def bias_dial(a, b, c):
    here = functions("bias-dial")
    found = here["dial"](a, b, c)
    numbers = {"truth": here["truth"]}
    for name, method in [("raw", "raw"), ("raked", "raked"), ("post", "post-stratified")]:
        numbers[name] = found.loc[method, "estimate"]
        numbers[f"{name}_error"] = found.loc[method, "estimate"] - here["truth"]
    numbers["raked_worth"] = found.loc["raked", "worth"]
    numbers["post_worth"] = found.loc["post-stratified", "worth"]
    return numbers


def pooling(sigma, centre, state):
    here = functions("pooling")
    table = here["pooling"](sigma, centre)
    typical = here["typical_error"](table), here["typical_error"](table, "raw")
    row = table.set_index("state").loc[state].to_dict()
    return {**row, "state": state, "typical": typical[0], "raw_typical": typical[1]}


def stored_map():
    (tiles,) = [
        pd.DataFrame(rows) for rows in spec_of("map")["datasets"].values() if "estimate" in rows[0]
    ]
    return tiles.set_index("state")


def the_map(show, state):
    row = stored_map().loc[state]
    respondents = clean_cces(load_cces())
    # As it is shown, so that the differences are those of the numbers that a reader sees.
    truth = round(respondents.loc[respondents["state"] == state, "abortion"].mean(), 3)
    inside = row["lower"] <= truth <= row["upper"]
    return {
        "state": state,
        "n": row["n"],
        "raw": row["raw"],
        "estimate": row["estimate"],
        "truth": truth,
        "raw_error": row["raw"] - truth,
        "error": row["estimate"] - truth,
        "lower": row["lower"],
        "upper": row["upper"],
        "width": row["upper"] - row["lower"],
        "verdict": "inside" if inside else "outside",
    }


def identity(to, split):
    return functions("identity")["identity"](to, split)


def draws(draws, size, adjusted):
    return functions("draws")["draws"](int(size), adjusted, int(draws))


@functools.cache
def night_functions():
    """Run the cells that compute the night, on the draws that the notebook has stored."""
    rows = next(one for one in spec_of("election-night")["datasets"].values() if "p" in one[0])
    official = load_state_predictors().set_index("state")["repvote"].sort_index().round(4)
    shares = pd.DataFrame([row["p"] for row in rows], columns=official.index) / 1000
    shift = np.array([row["z"] for row in rows])
    defined = {"np": np, "pd": pd, "norm": norm, "official": official}
    defined |= {"shares": shares, "shift": shift}
    for cell in notebook("election-night").cells:
        if cell.id in ("night", "summary"):
            exec(cell.source, defined)
    return defined


def election_night(night, errors, state):
    return night_functions()["said"](night, errors, state)


PYTHON = {
    "identity": identity,
    "draws": draws,
    "election-night": election_night,
    "strata": strata,
    "elephants": elephants,
    "bias-dial": bias_dial,
    "pooling": pooling,
    "map": the_map,
}
# Where the controls stand at the start, and two or three places more.
POSITIONS = {
    "identity": [
        {"to": 0, "split": "gender and age"},
        {"to": 1, "split": "gender and age"},
        {"to": 0.37, "split": "age"},
        {"to": 1, "split": "ethnicity and education"},
    ],
    "draws": [
        {"draws": 1, "size": 0, "adjusted": "raw"},
        {"draws": 100, "size": 5, "adjusted": "raw"},
        {"draws": 100, "size": 3, "adjusted": "raked"},
        {"draws": 37, "size": 1, "adjusted": "raked"},
    ],
    "election-night": [
        {"night": "", "errors": "chance", "state": "FL"},
        {"night": "FL:T OH:C ", "errors": "chance", "state": "OH"},
        {"night": "FL:T OH:T MI:C ", "errors": "together", "state": "IA"},
        {"night": "WI:C PA:T ", "errors": "alone", "state": "WI"},
    ],
    "strata": [
        {"treated": 9, "untreated": 3, "people": "all 20", "table": "the book's"},
        {"treated": 13, "untreated": 0, "people": "the treated", "table": "invented"},
        {"treated": 2, "untreated": 5, "people": "the untreated", "table": "invented"},
    ],
    "elephants": [
        {"draws": 1, "circus": 1},
        {"draws": 109, "circus": 1},
        {"draws": 1000, "circus": 20},
    ],
    "bias-dial": [
        {"a": 0.5, "b": 0.5, "c": 0},
        {"a": 1.5, "b": 1.5, "c": 1.5},
        {"a": -1.5, "b": 1.5, "c": -0.7},
        {"a": 1.5, "b": -1.5, "c": 0},
    ],
    "pooling": [
        {"sigma": 0.3, "centre": "one mean", "state": "AK"},
        {"sigma": 0, "centre": "the vote", "state": "HI"},
        {"sigma": 1.37, "centre": "the vote", "state": "CA"},
    ],
    "map": [
        {"show": "estimate", "state": "AK"},
        {"show": "raw_error", "state": "ND"},
        {"show": "width", "state": "ID"},
    ],
}
ROWS = {
    "identity": 12,
    "strata": 4,
    "elephants": 1,
    "bias-dial": 8,
    "pooling": 50,
    "map": 50,
    "draws": 1,
    "election-night": 50,
}
# The explorer that a chapter shows.
EMBEDDED = {
    "00-mrp-on-one-page": "identity",
    "01-regression-is-stratification": "strata",
    "02-weights": "elephants",
    "04-a-biased-sample": "bias-dial",
    "06-the-multilevel-model": "pooling",
    "07-post-stratification": "map",
    "10-hundreds-of-samples": "draws",
    "11-an-election-that-was-counted": "election-night",
}
WITH_A_GUESS = ["strata", "elephants", "bias-dial", "draws"]


@pytest.fixture
def open_page(browser, site):
    """Open an explorer's page with no network; see at the end that nobody missed one."""
    said, opened = [], []

    def open_one(
        name, width=1280, mode="light", height=900, guess=False, folder="explorers", motion="reduce"
    ):
        window = {"width": width, "height": height}
        page = chromium.patient(
            browser.new_page(viewport=window, color_scheme=mode, reduced_motion=motion)
        )
        page.on("request", lambda request: said.append(request.url))
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.goto((site / folder / f"{name}.html").as_uri())
        page.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
        page.locator(".explorer").scroll_into_view_if_needed()
        page.locator(".explorer[data-updates]").wait_for()
        skip = page.get_by_role("button", name="Skip the question")
        if skip.count() and not guess:
            skip.click()
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        page.close()
    # The theme tells the console what it does, at its lowest levels.
    quiet = ("file:", "data:", "debug:", "log:", "info:")
    assert [text for text in said if not text.startswith(quiet)] == []


def after(page, act):
    """Do something that moves the explorer, and wait until it has moved."""
    panel = page.locator(".explorer")
    before = panel.get_attribute("data-updates")
    act()
    page.wait_for_function(
        "before => document.querySelector('.explorer').dataset.updates !== before", arg=before
    )


def set_control(page, parameter, value):
    control = page.locator(f'.explorer [name="{parameter}"]')
    if control.evaluate("control => control.localName") == "select":
        after(page, lambda: control.select_option(value))
        return
    after(
        page,
        lambda: control.evaluate(
            "(control, value) => { control.value = value;"
            " control.dispatchEvent(new Event('input', {bubbles: true})) }",
            str(value),
        ),
    )
    assert control.input_value() == f"{value:g}" if isinstance(value, float | int) else value


def numbers_shown(page):
    """Read the sentence's numbers: all of their digits, and as they are written."""
    return page.locator(".explorer-reading data").evaluate_all(
        "all => all.map(one => [one.dataset.field, one.dataset.kind, one.value, one.textContent])"
    )


def assert_numbers(page, expected):
    shown = numbers_shown(page)
    assert {field for field, *_ in shown} <= set(expected)
    for field, kind, value, text in shown:
        if kind == "text":
            assert value == text == expected[field]
        else:
            assert math.isclose(float(value), expected[field], rel_tol=0, abs_tol=CLOSE), field
            assert text == show_number(float(value), kind)


def assert_written_down(page, name):
    """What the notebook wrote, for where no script runs, is what the page shows at the start."""
    page.evaluate(
        "html => { const was = document.createElement('div'); was.id = 'was'; was.innerHTML = html;"
        " document.body.append(was) }",
        panel_of(name),
    )
    for part in (".explorer-reading", "table"):
        now = page.locator(f"main .explorer {part}").text_content()
        assert page.locator(f"#was {part}").text_content() == now
    assert page.locator("#was tbody tr").count() == ROWS[name]
    page.evaluate("document.getElementById('was').remove()")


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_python(name, open_page):
    page = open_page(name)
    start, *others = POSITIONS[name]
    assert_numbers(page, PYTHON[name](**start))
    assert_written_down(page, name)
    for position in others:
        for parameter, value in position.items():
            set_control(page, parameter, value)
        assert_numbers(page, PYTHON[name](**position))


def test_table_follows_the_controls(open_page):
    page = open_page("elephants")
    set_control(page, "draws", 1000)
    others = (functions("elephants")["circus"](1) > 0).sum()
    assert page.locator(".explorer tbody tr").count() == others + 1
    page = open_page("bias-dial")
    set_control(page, "a", 1.5)
    for column in ("population", "raked"):
        place = ["who", "population", "raw", "raked"].index(column) + 1
        cells = page.locator(f".explorer tbody td:nth-child({place})").all_text_contents()
        assert cells[:2] == ["57.0%", "43.0%"]  # women and men


def test_keyboard_moves_a_slider_and_takes_it_back(open_page):
    page = open_page("strata")
    slider = page.get_by_role("slider", name="High-risk among the treated")
    slider.focus()
    after(page, lambda: page.keyboard.press("ArrowRight"))
    assert slider.get_attribute("aria-valuetext") == "10 of 13 patients"
    assert_numbers(page, strata(10, 3, "all 20", "the book's"))
    page.get_by_role("button", name="Back to the start").focus()
    after(page, lambda: page.keyboard.press("Enter"))
    assert_numbers(page, strata(9, 3, "all 20", "the book's"))


def test_keyboard_draws_elephants(open_page):
    page = open_page("elephants")
    for name, key in [("Draw an elephant", "Space"), ("Draw 10", "Enter"), ("Draw 100", "Enter")]:
        page.get_by_role("button", name=name, exact=True).focus()
        after(page, lambda key=key: page.keyboard.press(key))
    assert_numbers(page, elephants(112, 1))
    assert page.get_by_role("slider", name="Draws so far").input_value() == "112"


def test_arrow_keys_walk_over_the_map(open_page):
    page = open_page("map")
    page.locator(".explorer-view").focus()
    walked = []
    for key in ["ArrowDown", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp"]:
        after(page, lambda key=key: page.keyboard.press(key))
        walked.append(page.get_by_role("combobox", name="State").input_value())
    assert walked == ["WA", "ID", "NV", "WY", "NV", "ID"]
    assert_numbers(page, the_map("estimate", "ID"))
    page = open_page("pooling")
    page.locator(".explorer-view").focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowLeft"]:
        after(page, lambda key=key: page.keyboard.press(key))
    assert page.get_by_role("combobox", name="State").input_value() == "ND"


def test_arrow_keys_reach_every_state(open_page):
    page = open_page("map")
    seen, todo = {"AK"}, ["AK"]
    step = """([state, key]) => {
        const rows = explorerSpecs.map.data.map(({values}) => values).find(rows => rows?.[0].state);
        const marks = rows.map(row => ({value: row.state, x: row.column, y: row.row}));
        return neighbour(marks, marks.find(mark => mark.value === state), key).value;
    }"""
    while todo:
        state = todo.pop()
        for key in ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]:
            found = page.evaluate(step, [state, key])
            if found not in seen:
                seen.add(found)
                todo.append(found)
    assert len(seen) == 50


@pytest.mark.parametrize("name", ["pooling", "map"])
def test_pointer_chooses_a_state(name, open_page):
    page = open_page(name)
    (rows,) = [rows for rows in spec_of(name)["datasets"].values() if "state" in rows[0]]
    place = [row["state"] for row in rows].index("ND")
    page.locator(".explorer-view").scroll_into_view_if_needed()
    box = page.locator(".table_marks path").nth(place).bounding_box()
    # Inside the tile, of which the map's mark is a corner, and on the disc of the other picture.
    aside = 10 if name == "map" else box["width"] / 2
    after(page, lambda: page.mouse.move(box["x"] + aside, box["y"] + aside))
    assert page.get_by_role("combobox", name="State").input_value() == "ND"
    assert numbers_shown(page)[0][2] == "ND"


@pytest.mark.parametrize("chapter", list(EMBEDDED))
def test_chapter_shows_its_explorer(chapter, open_page, site):
    name = EMBEDDED[chapter]
    page = open_page(chapter, folder="chapters")
    assert page.locator(".explorer").get_attribute("data-name") == name
    assert_numbers(page, PYTHON[name](**POSITIONS[name][0]))
    for folder, stem in [("chapters", chapter), ("explorers", name)]:
        # The chart and its data are in one file, not in the pages.
        text = (site / folder / f"{stem}.html").read_text("utf-8")
        assert f'data-spec="../_static/explorers/{name}.js"' in text
        assert "vega-lite" not in text


@pytest.mark.parametrize("name", WITH_A_GUESS)
def test_keyboard_answers_the_question_first(name, open_page):
    page = open_page(name, guess=True)
    form, guess = page.locator(".explorer-controls"), page.locator(".explorer-guess")
    then = json.loads(guess.get_attribute("data-then"))
    assert not form.is_visible()
    button = page.get_by_role("button", name="That is my guess")
    assert button.is_disabled()
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    right = int(guess.get_attribute("data-right"))
    for _ in range(right):
        page.keyboard.press("ArrowDown")
    after(page, lambda: page.keyboard.press("Enter"))
    assert form.is_visible() and not guess.is_visible()
    assert page.evaluate("document.activeElement.form.className") == "explorer-controls"
    moved = POSITIONS[name][0] | then
    expected = PYTHON[name](**moved)
    assert_numbers(page, expected)
    answer = page.locator(".explorer-answer")
    assert answer.text_content().startswith("You were right. You said: ")
    for field, value in answer.locator("data").evaluate_all(
        "all => all.map(one => [one.dataset.field, one.value])"
    ):
        assert math.isclose(float(value), expected[field], rel_tol=0, abs_tol=CLOSE), field


def test_wrong_guess_is_told(open_page):
    page = open_page("draws", guess=True)
    page.get_by_role("radio", name="about 95").check()
    after(page, lambda: page.get_by_role("button", name="That is my guess").click())
    answer = page.locator(".explorer-answer").text_content()
    assert answer.startswith("Not this time. You said: about 95. 0 of 100 cover it")


def test_keyboard_calls_states(open_page):
    page = open_page("election-night")
    call = page.get_by_role("button", name="Trump wins it")
    for state in ("FL", "OH"):
        set_control(page, "state", state)
        call.focus()
        after(page, lambda: page.keyboard.press("Enter"))
    assert call.get_attribute("aria-disabled") == "true"
    page.keyboard.press("Enter")  # a state that is in cannot be called again
    assert page.locator('[name="night"]').input_value() == "FL:T OH:T "
    assert_numbers(page, election_night("FL:T OH:T ", "chance", "OH"))
    page.get_by_role("button", name="Back to the start").focus()
    after(page, lambda: page.keyboard.press("Enter"))
    assert_numbers(page, election_night("", "chance", "FL"))
    assert call.get_attribute("aria-disabled") == "false"


@pytest.mark.parametrize("name", NAMES)
def test_explorer_fits_into_a_laptop_window(name, open_page):
    page = open_page(name, height=720, guess=True)
    stage = "document.querySelector('.explorer-stage').getBoundingClientRect().bottom"
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate(stage) < 720
    if name in WITH_A_GUESS:
        page.get_by_role("radio").first.check()
        after(page, lambda: page.get_by_role("button", name="That is my guess").click())
        page.evaluate("scrollTo(0, 0)")
        assert page.evaluate(stage) < 720


# What begins to travel is noted, as it may have arrived when a busy machine looks.
NOTE_TRAVEL = """() => document.querySelector('.explorer-view').addEventListener(
    'transitionrun', event => { event.currentTarget.dataset.travelled = 'yes'; })"""
TWO_FRAMES = (
    """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"""
)


def test_marks_travel_unless_the_reader_wants_less_motion(open_page):
    for motion, moves in [("no-preference", True), ("reduce", False)]:
        page = open_page("identity", motion=motion)
        page.evaluate(NOTE_TRAVEL)
        after(page, lambda page=page: page.get_by_role("button", name="Go there at once").click())
        page.evaluate(TWO_FRAMES)
        assert bool(page.locator("[data-travelled]").count()) is moves


# The colours of the first text of the chart, where it has the page's, and of the sentence.
INKS = """() => ['.explorer-view .role-axis-label text', '.explorer-reading']
    .map(part => document.querySelector(part)).filter(one => one)
    .map(one => getComputedStyle(one)).map(style => style.fill.startsWith('rgb(0, 0, 0')
    ? style.color : style.fill)"""


def assert_accessible(page, mode):
    page.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
    found = page.evaluate(
        "axe.run('.explorer', {preload: false}).then(results => results.violations)"
    )
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize(
    "name",
    [*NAMES[:2], *(pytest.param(name, marks=pytest.mark.proof) for name in NAMES[2:])],
)
def test_page_is_accessible_in_both_modes(name, open_page):
    page = open_page(name, guess=True)
    page.locator(".explorer summary").click()
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    if name in WITH_A_GUESS:
        assert_accessible(page, "light")
        assert_accessible(page, "dark")
        page.get_by_role("radio").first.check()
        after(page, lambda: page.get_by_role("button", name="That is my guess").click())
    inks = []
    for mode in ("light", "dark"):
        assert_accessible(page, mode)
        assert len(set(page.evaluate(INKS))) == 1
        inks += page.evaluate(INKS)
    assert len(set(inks)) == 2
    moving = "document.querySelector('.explorer').getAnimations({subtree: true}).length"
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("name", NAMES)
def test_nothing_sticks_out_on_a_phone(name, open_page):
    page = open_page(name, 390)
    page.locator(".explorer summary").click()
    charts = []
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        with contextlib.suppress(TimeoutError):  # the assertions below say what does not fit
            page.wait_for_function(FITS, timeout=600_000)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        inner = page.locator(".explorer").evaluate("panel => panel.getBoundingClientRect().right")
        rights = page.locator(
            ".explorer-view svg, .explorer :is(input, select, button, output)"
        ).evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert max(rights) <= inner <= width
        charts.append(page.locator(".explorer-view svg").bounding_box()["width"])
    assert 60 < charts[0] - charts[1] < 80  # the chart follows


def test_numbers_are_written_as_python_writes_them(open_page):
    page = open_page("strata")
    values = [0, 0.4342, 1, -0.0396, 0.0396, -0.0001, 0.0004, 1234567.4, 0.5, 12.3456]
    for kind in ("percent", "points", "width", "number"):
        written = page.evaluate(f"values => values.map(shownAs.{kind})", values)
        assert written == [show_number(value, kind) for value in values], kind


# A second chart is drawn, while a message that comes again and again counts free moments.
STEPS = """async () => {
    let count = 0;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { count += 1; channel.port2.postMessage(0); };
    channel.port2.postMessage(0);
    await draw(document.createElement('div'), explorerSpecs.pooling);
    channel.port1.close();
    return count;
}"""


def test_only_pages_with_an_explorer_know_of_vega_and_none_loads_it_at_once(site):
    script = f"_static/{extension.BUNDLE}"
    pages = [page for page in site.rglob("*.html") if "_static" not in page.parts]
    texts = {page.relative_to(site).as_posix(): page.read_text("utf-8") for page in pages}
    asking = {page for page, text in texts.items() if f'data-vega="../{script}"' in text}
    own = {f"explorers/{name}.html" for name in NAMES}
    assert asking == own | {f"chapters/{chapter}.html" for chapter in EMBEDDED}
    assert not [page for page, text in texts.items() if re.search(rf'src="[^"]*{script}', text)]
    assert 400_000 < (site / "_static" / extension.BUNDLE).stat().st_size < 600_000


def test_charts_are_translated_before_a_reader_comes(site):
    """The translation took a phone half a second, in which the page did not answer."""
    assert "vega-lite" not in (site / "_static" / extension.BUNDLE).read_text("utf-8")
    for name in NAMES:
        chart = (site / "_static" / extension.FOLDER / f"{name}.js").read_text("utf-8")
        assert '"$schema":"https://vega.github.io/schema/vega/' in chart


def test_chart_is_drawn_in_steps_between_which_the_page_answers(open_page):
    """Each step is a task of its own, so that a click need not wait for all of them."""
    page = open_page("pooling")
    between = page.evaluate(STEPS)
    assert between >= 3


def test_versions_are_those_for_which_altair_writes():
    """A wrong version of Vega-Lite would also speak up in the console, where nothing may stand."""
    minor = ".".join(alt.VEGALITE_VERSION.split(".")[:2])
    assert vl_convert.get_vegalite_versions()[-1] == minor
    assert vl_convert.get_vega_version().split(".")[0] == alt.VEGA_VERSION
    assert vl_convert.get_vega_embed_version().split(".")[0] == alt.VEGAEMBED_VERSION
    script, charts = extension.made({"small": json.dumps(small_chart().to_dict())})
    assert f'"{vl_convert.get_vega_version()}"' in script
    assert charts["small"]["$schema"].endswith(f"/vega/v{alt.VEGA_VERSION}.json")
    for name in NAMES:
        assert spec_of(name)["$schema"].endswith(f"/v{alt.VEGALITE_VERSION}.json")


# The function that makes the markup.


def small_chart():
    return (
        alt.Chart(pd.DataFrame({"x": [1]}))
        .mark_point()
        .encode(x="x")
        .add_params(alt.param(name="a", value=2))
        .properties(description="One dot", name="reading", height=100)
    )


def small_explorer(controls=(), reading="{x:number} dots", pick=None, guess=None):
    table = pd.DataFrame({"x": [1]})
    columns = {"x": ("how <many>", "number")}
    return explorer(
        small_chart(), "small", controls, reading, {"x": 1}, table, columns, pick, guess
    )


def test_markup_holds_labels_and_numbers():
    html = small_explorer(
        [
            Slider("a", "How much", 0, 5, 1, "{} of 5"),
            Choice("a", "Which", {"2": "two", "3": "<three>"}),
            Button("a", "More", 1),
        ]
    ).html
    assert '<label for="small-a">How much</label>' in html
    assert '<output for="small-a">2 of 5</output>' in html
    assert '<option value="3">&lt;three&gt;</option>' in html
    assert 'data-control="small-a" data-adds="1">More</button>' in html
    assert 'value="1">1</data> dots' in html
    assert "how &lt;many&gt;</th>" in html
    assert 'role="img" aria-label="One dot"' in html


def test_slider_says_each_place_in_words():
    html = small_explorer([Slider("a", "How much", 0, 2, 1, lambda x: f"<{x:g}>")]).html
    assert 'data-words="[&quot;&lt;0&gt;&quot;, &quot;&lt;1&gt;&quot;, &quot;&lt;2&gt;' in html
    assert '<output for="small-a">&lt;2&gt;</output>' in html


def test_question_and_call_are_forms_with_labels():
    html = small_explorer(
        [Call("a", "a", {"y": "Yes & no"})],
        guess=Guess("How <many>?", ["one", "two"], 1, {"a": 3}, "There are {x:number}."),
    ).html
    assert "<legend>How &lt;many&gt;?</legend>" in html
    assert '<input type="radio" name="small-guess" value="1">two</label>' in html
    assert 'There are <data data-field="x" data-kind="number"></data>.' in html
    assert 'data-calls="a" data-of="a" data-value="y">Yes &amp; no</button>' in html


def test_markup_is_the_same_twice():
    assert small_explorer().html == small_explorer().html


def test_unknown_parameters_fields_and_kinds_are_named():
    with pytest.raises(KeyError, match="no parameter 'b'; it has a"):
        small_explorer([Slider("b", "How much", 0, 5, 1)])
    with pytest.raises(KeyError, match="no parameter 'b'; it has a"):
        small_explorer(guess=Guess("?", ["one"], 0, {"b": 3}, "."))
    with pytest.raises(KeyError, match="numbers has no 'y'"):
        small_explorer(reading="{y:number} dots")
    with pytest.raises(ValueError, match="no kind 'grams'; there are percent"):
        small_explorer(reading="{x:grams} dots")


def test_laboratory_has_every_demographic_cell():
    cells = aggregate_cells(clean_cces(load_cces()), by=["eth", "male", "age", "edu"])
    assert len(cells) == 240 and cells["n"].min() > 0


def test_each_explorer_leads_to_all_others(site):
    for name in NAMES:
        html = (site / "explorers" / f"{name}.html").read_text("utf-8")
        listed = re.search(r"<strong>Other explorers</strong>(.*?)</p>", html, re.DOTALL)[1]
        assert re.findall(r'href="([\w-]+)\.html"', listed) == [one for one in NAMES if one != name]
        assert html.index("Other explorers") < html.index('id="what-is-computed"')


@pytest.mark.parametrize("show", ["raw", "raw_error", "width"])
def test_key_of_the_map_names_the_range_of_each_colour(open_page, show):
    page = open_page("map")
    page.locator("select[name=show]").select_option(show)
    (keys,) = [rows for rows in spec_of("map")["datasets"].values() if "family" in rows[0]]
    family = {"raw": "share", "raw_error": "error"}.get(show, show)
    wanted = [row["text"] for row in keys if row["family"] == family]
    drawn = page.locator(".explorer-view svg text")
    page.wait_for_function(
        "text => [...document.querySelectorAll('.explorer-view svg text')]"
        ".some(one => one.textContent === text)",
        arg=wanted[0],
    )
    written = drawn.all_text_contents()
    assert [text for text in written if text in wanted] == wanted
    assert any(text.endswith(("per cent", "percentage points")) for text in written)


def test_width_on_the_map_is_the_difference_of_the_ends_that_are_shown():
    for state, row in stored_map().iterrows():
        ends = [float(show_number(row[end], "percent")[:-1]) for end in ("upper", "lower")]
        width = float(show_number(row["upper"] - row["lower"], "width"))
        assert width == round(ends[0] - ends[1], 1), state
