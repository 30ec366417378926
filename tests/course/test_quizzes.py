"""The self-checks of the chapters: what they say, and how they work in a browser.

Each chapter shows its three questions by one call of jupyterquiz. They are read here from the
source of the cell, where they stand open, and must be the same in its stored output. The site is
then opened in a browser: in both modes, on a wide screen and a narrow one, and without a mouse.
"""

import ast
import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest

from mrp_course.quiz import QUIZ_COLOURS
from tools import chromium
from tools.notebooks import ROOT

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
CALL = "display_quiz(questions, colors=QUIZ_COLOURS, shuffle_answers=False)"
# What the script of a quiz would read as mathematics, markup or a link.
MARKUP = re.compile(r"[$\\<>`]|\]\(")
# Options are not named by letter or place, so that an order can change.
PLACE = re.compile(
    r"\b(?:option|answer|choice)s? (?:\d|[A-Da-d]\b|above|below)|\b[A-D][).:] "
    r"|\b(?:first|second|third|last) (?:option|answer|choice)\b"
)
SHORTEST = 30  # letters of a feedback
CONTRAST = 4.5  # WCAG 2.2, level AA, for text


def quiz_cell(path: Path) -> nbformat.NotebookNode:
    cells = nbformat.read(path, as_version=4).cells
    found = [cell for cell in cells if "display_quiz(" in cell.source]
    assert len(found) == 1, (
        f"{path.name} has {len(found)} cells with display_quiz, not one: copy the cell self-check "
        "of another chapter, with its tag, and write three questions"
    )
    return found[0]


def questions_of(path: Path) -> list[dict]:
    """Read the questions from the source of the cell, without running it."""
    assigned = [node for node in ast.parse(quiz_cell(path).source).body if hasattr(node, "targets")]
    (questions,) = (ast.literal_eval(node.value) for node in assigned)
    return questions


def faults(question: dict) -> list[str]:
    """Say what is wrong with one question."""
    answers = question["answers"]
    feedback = [answer.get("feedback", "") for answer in answers]
    right = [answer for answer in answers if answer.get("correct")]
    texts = [question["question"], *feedback, *(answer.get("answer", "") for answer in answers)]
    found = [f"holds markup or a formula: {text}" for text in texts if MARKUP.search(text)]
    found += [f"too short a feedback: {text!r}" for text in feedback if len(text) < SHORTEST]
    found += [f"names an option by its place: {text}" for text in feedback if PLACE.search(text)]
    for answer, text in zip(answers, feedback, strict=True):
        word = "Yes" if answer.get("correct") else "No"
        if not re.match(rf"{word}[.,] ", text):
            found.append(f"does not begin with {word}: {text}")
    if len(set(feedback)) < len(feedback):
        found.append("two options have the same feedback")
    if len(right) != 1:
        found.append(f"has {len(right)} right answers, not one")
    return found + (
        numeric_faults(answers) if question["type"] == "numeric" else choice_faults(answers)
    )


def choice_faults(answers: list[dict]) -> list[str]:
    options = [answer["answer"] for answer in answers]
    found = [] if len(options) >= 3 else ["has fewer than three options"]
    return found + ([] if len(set(options)) == len(options) else ["has an option twice"])


def numeric_faults(answers: list[dict]) -> list[str]:
    *ranges, default = answers
    found = [] if default["type"] == "default" else ["ends without feedback for other numbers"]
    if len(ranges) < 3:
        found.append("has feedback for fewer than two typical wrong numbers")
    ordered = sorted(answer["range"] for answer in ranges)
    if any(low >= high for low, high in ordered):
        found.append("has an empty range")
    if any(one[1] > two[0] for one, two in itertools.pairwise(ordered)):
        found.append("has ranges that overlap")
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_questions_are_sound(path):
    questions = questions_of(path)
    assert len(questions) == 3
    for number, question in enumerate(questions, start=1):
        assert question["question"].startswith(f"{number}. ")
        found = faults(question)
        assert not found, f"{path.name}, question {number}: " + "; ".join(found)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_stored_quiz_is_the_one_in_the_source(path):
    cell = quiz_cell(path)
    script = next(o.data["application/javascript"] for o in cell.outputs if "javascript" in str(o))
    shown, _ = json.JSONDecoder().raw_decode(script[script.index("[") :])
    assert shown == questions_of(path), f"{path.name}: run 'make notebooks'"
    assert cell.source.endswith(CALL)
    assert cell.metadata.tags == ["remove-input"]


def test_right_options_stand_in_every_place():
    places = [
        [answer["correct"] for answer in question["answers"]].index(True)
        for path in CHAPTERS
        for question in questions_of(path)
        if question["type"] == "multiple_choice"
    ]
    counts = [places.count(place) for place in range(3)]
    assert min(counts) >= len(places) // 5, f"right options by place: {counts}"


# That the checks can fail: one sound question, and one fault at a time.

SOUND = {
    "type": "multiple_choice",
    "question": "1. Which share?",
    "answers": [
        {"answer": "a", "correct": True, "feedback": "Yes. It is the population's own share."},
        {"answer": "b", "correct": False, "feedback": "No. It is the share in the sample."},
        {"answer": "c", "correct": False, "feedback": "No. It is a share of no group at all."},
    ],
}
SOUND_NUMERIC = {
    "type": "numeric",
    "question": "1. Which number?",
    "answers": [
        {"range": [1, 2], "correct": True, "feedback": "Yes. It is what the formula gives."},
        {"range": [2, 3], "correct": False, "feedback": "No. It is the sum, not the mean."},
        {"range": [0, 1], "correct": False, "feedback": "No. It is the mean of one group only."},
        {"type": "default", "feedback": "No. Divide the sum by the number of people."},
    ],
}


def test_sound_questions_pass():
    assert faults(SOUND) == faults(SOUND_NUMERIC) == []


@pytest.mark.parametrize(
    ("question", "place", "change", "words"),
    [
        (SOUND, 0, {"correct": False}, "0 right answers"),
        (SOUND, 1, {"correct": True}, "2 right answers"),
        (SOUND, 1, {"feedback": ""}, "too short a feedback"),
        (SOUND, 1, {"feedback": SOUND["answers"][2]["feedback"]}, "the same feedback"),
        (SOUND, 1, {"feedback": "It is the share in the sample, no."}, "begin with No"),
        (SOUND, 1, {"feedback": "No. The second option is the right one."}, "by its place"),
        (SOUND, 1, {"feedback": "No. It is the right one if option B fails."}, "by its place"),
        (SOUND, 1, {"answer": "$n$"}, "markup or a formula"),
        (SOUND, 1, {"answer": "a"}, "an option twice"),
        (SOUND_NUMERIC, 1, {"range": [1.5, 3]}, "overlap"),
        (SOUND_NUMERIC, 1, {"range": [3, 3]}, "an empty range"),
        (SOUND_NUMERIC, 3, {"type": "range", "range": [8, 9]}, "without feedback for other"),
    ],
)
def test_faults_are_found(question, place, change, words):
    answers = [
        {**answer, **(change if number == place else {})}
        for number, answer in enumerate(question["answers"])
    ]
    found = faults({**question, "answers": answers})
    assert any(words in fault for fault in found), found


# In a browser.


@pytest.fixture
def open_page(browser, site):
    """Open a chapter's page, and see at the end that it asked nobody for anything."""
    asked, opened = [], []

    def open_one(path: Path, width: int = 1280, mode: str = "light"):
        window = {"width": width, "height": 900}
        page = chromium.patient(
            browser.new_page(viewport=window, color_scheme=mode, reduced_motion="reduce")
        )
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "chapters" / f"{path.stem}.html").as_uri())
        page.locator(".Quiz").nth(2).wait_for()
        page.evaluate("mode => document.documentElement.dataset.theme = mode", mode)
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        page.wait_for_timeout(700)  # jupyterquiz looks for MathJax after half a second
        page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def names_and_roles(page) -> list[str]:
    """List what a reader who hears the page would miss in its quizzes."""
    return page.evaluate("""() => [...document.querySelectorAll('.Quiz')].flatMap((quiz, i) => {
        const missing = [];
        const text = id => (document.getElementById(id)?.textContent || '').trim();
        const group = quiz.querySelector('[role=radiogroup]');
        const field = quiz.querySelector('.Input-text');
        if (!group && !field) missing.push(`question ${i + 1}: no group and no field`);
        if (group && !text(group.getAttribute('aria-labelledby'))) {
            missing.push(`question ${i + 1}: the group has no name`);
        }
        quiz.querySelectorAll('input').forEach(input => {
            if (![...input.labels].some(label => label.textContent.trim())) {
                missing.push(`question ${i + 1}: an input has no label`);
            }
        });
        if (!quiz.querySelector('.Feedback[role=status]')) {
            missing.push(`question ${i + 1}: the feedback is not announced`);
        }
        return missing;
    })""")


# One page shows that quizzes are drawn as they should be; the proof opens the others.
def one_and_the_others(paths):
    return [paths[0], *(pytest.param(path, marks=pytest.mark.proof) for path in paths[1:])]


@pytest.mark.parametrize("path", one_and_the_others(CHAPTERS), ids=lambda path: path.stem)
def test_each_page_shows_its_questions_with_names(path, open_page):
    page = open_page(path)
    shown = page.locator('.Quiz [id^="quizQn"]').all_inner_texts()
    assert shown == [question["question"] for question in questions_of(path)]
    assert names_and_roles(page) == []


def find_question(kind: str) -> tuple[Path, int, dict]:
    """Find the first question of a type: its chapter, its place there, and itself."""
    return next(
        (path, place, question)
        for path in CHAPTERS
        for place, question in enumerate(questions_of(path))
        if question["type"] == kind
    )


def test_keyboard_alone_answers_by_choice(open_page):
    path, place, question = find_question("multiple_choice")
    page = open_page(path)
    quiz = page.locator(".Quiz").nth(place)
    answers = question["answers"]
    # Tab goes on from the heading that the address names; arrows move in a group.
    page.goto(page.url + "#did-you-get-it")
    for _ in range(10):
        page.keyboard.press("Tab")
        if quiz.evaluate("quiz => quiz.contains(document.activeElement)"):
            break
    page.keyboard.press("Space")
    seen = []
    for number, answer in enumerate(answers):
        if number:
            page.keyboard.press("ArrowDown")
        feedback = quiz.get_by_role("status")
        assert feedback.inner_text() == answer["feedback"]
        assert quiz.get_by_role("radio").nth(number).is_checked()
        seen.append("correct" in feedback.get_attribute("class").split())
    assert seen == [answer["correct"] for answer in answers]


@pytest.mark.parametrize(
    "path",
    one_and_the_others([path for path in CHAPTERS if r"\"numeric\"" in path.read_text("utf-8")]),
    ids=lambda path: path.stem,
)
def test_keyboard_alone_answers_by_number(path, open_page):
    page = open_page(path)
    for place, question in enumerate(questions_of(path)):
        if question["type"] != "numeric":
            continue
        quiz = page.locator(".Quiz").nth(place)
        for answer in question["answers"]:
            number = sum(answer["range"]) / 2 if "range" in answer else 987654
            quiz.get_by_role("textbox").focus()
            page.keyboard.type(f"{number:g}")
            page.keyboard.press("Enter")
            assert quiz.get_by_role("status").inner_text() == answer["feedback"]


def test_mouse_answers_by_number(open_page):
    path, place, question = find_question("numeric")
    quiz = open_page(path).locator(".Quiz").nth(place)
    right = next(answer for answer in question["answers"] if answer.get("correct"))
    quiz.get_by_role("button", name="Check").click()
    assert quiz.get_by_role("status").inner_text() == ""
    quiz.get_by_role("textbox").click()
    quiz.get_by_role("textbox").press_sequentially(f"{sum(right['range']) / 2:g}")
    quiz.get_by_role("button", name="Check").click()
    assert quiz.get_by_role("status").inner_text() == right["feedback"]


def luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """Compute the contrast of two colours, written rgb(0, 90, 140) or #005a8c."""
    pairs = []
    for colour in (one, two):
        digits = (
            re.findall(r"[\da-f]{2}", colour) if colour[0] == "#" else re.findall(r"\d+", colour)
        )
        base = 16 if colour[0] == "#" else 10
        pairs.append(luminance(tuple(int(digit, base) / 255 for digit in digits[:3])))
    low, high = sorted(pairs)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def colours(page) -> dict[str, tuple[str, str]]:
    """For each kind of text in the quizzes: its colour, and the first opaque ground behind it."""
    return page.evaluate("""() => {
        const ground = element => {
            const colour = getComputedStyle(element).backgroundColor;
            const clear = colour === 'transparent' || colour.endsWith(', 0)');
            return clear && element.parentElement ? ground(element.parentElement) : colour;
        };
        const kinds = ['[id^=quizQn]', '.MCButton', '.correctButton', '.incorrectButton',
                       '.Feedback.correct', '.Feedback.incorrect', '.InpLabel', '.Input-text',
                       '.quiz-check'];
        return Object.fromEntries(kinds.map(kind => {
            const element = document.querySelector('.Quiz ' + kind);
            return [kind, [getComputedStyle(element).color, ground(element)]];
        }));
    }""")


@pytest.mark.parametrize(("mode", "width"), [("light", 1280), ("dark", 390)])
def test_text_is_legible(open_page, mode, width):
    path, place, _ = find_question("numeric")
    page = open_page(path, width, mode)
    choices = [quiz for i, quiz in enumerate(page.locator(".Quiz").all()) if i != place]
    for quiz, right in zip(choices, (True, False), strict=True):
        quiz.locator(f'[data-correct="{str(right).lower()}"]').first.click()
    found = {kind: contrast(*pair) for kind, pair in colours(page).items()}
    assert not {kind: ratio for kind, ratio in found.items() if ratio < CONTRAST}
    # Nothing sticks out to the right.
    wide = page.locator(".Quiz").evaluate_all(
        "all => all.map(quiz => quiz.getBoundingClientRect().right)"
    )
    assert max(wide) <= width


def test_focus_can_be_seen(open_page):
    path, place, _ = find_question("multiple_choice")
    quiz = open_page(path).locator(".Quiz").nth(place)
    option = quiz.locator(".MCButton").first
    outline = "option => parseFloat(getComputedStyle(option).outlineWidth)"
    style = "option => getComputedStyle(option).outlineStyle"
    assert option.evaluate(style) == "none"
    quiz.get_by_role("radio").first.focus()
    assert option.evaluate(style) == "solid" and option.evaluate(outline) >= 2


def test_colours_in_a_notebook_are_legible():
    white = QUIZ_COLOURS["--jq-text-color"]
    grounds = [colour for colour in QUIZ_COLOURS.values() if colour not in (white, "currentcolor")]
    assert min(contrast(white, colour) for colour in grounds) >= CONTRAST
