"""The front page: its numbers are the tour's, its cards are the contents, its links lead on."""

import json
import re

import pytest
import yaml

from mrp_course import check
from mrp_helpers import (
    clean_cces,
    draw_biased_sample,
    load_cces,
    load_state_predictors,
    selection_weights,
)
from mrp_helpers.roles import ROLES
from theme.course_theme import emblem
from tools.notebooks import ROOT

INDEX = (ROOT / "index.md").read_text("utf-8")
ABOUT = (ROOT / "appendices" / "about.md").read_text("utf-8")
CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
TOUR = ROOT / "chapters" / "00-mrp-on-one-page.ipynb"


@pytest.fixture(scope="module")
def html(site):
    return (site / "index.html").read_text("utf-8")


def test_claim_is_what_the_tour_prints_of_the_laboratory():
    claim = dict(re.findall(r'<div class="(\w+)"><dt>[^<]+</dt><dd>([\d.]+%)</dd>', INDEX))
    cells = json.loads(TOUR.read_text("utf-8"))["cells"]
    printed = "".join(
        "".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", [])
    )
    assert list(claim) == ["raw", "mrp", "truth"]
    said = re.search(r"sample ([\d.]+%), MRP ([\d.]+%), truth ([\d.]+%)", printed)
    assert said and list(claim.values()) == list(said.groups())
    assert "*laboratory*" in INDEX


def test_picture_has_the_numbers_of_the_data():
    respondents = clean_cces(load_cces())
    sample = draw_biased_sample(
        respondents, selection_weights(respondents, load_state_predictors())
    )
    of_men = [100 * (people["male"] > 0).mean() for people in (sample, respondents)]
    drawn = [men for _, men in emblem.SHARES.values()]
    assert drawn == pytest.approx(of_men, abs=0.005)
    assert all(sum(widths) == pytest.approx(100) for widths in emblem.SHARES.values())
    support = 100 * sample.groupby("male")["abortion"].mean()
    assert list(emblem.SUPPORT) == pytest.approx(list(support), abs=0.005)
    assert 100 * respondents["abortion"].mean() == pytest.approx(emblem.TRUTH, abs=0.05)
    # The area of the sample's bars is its own mean.
    assert emblem.area(emblem.SHARES["Sample"]) == pytest.approx(
        100 * sample["abortion"].mean(), abs=0.05
    )


def test_picture_is_in_its_place(html):
    assert f'<div class="emblem-place">{emblem.picture()}</div>' in html
    assert emblem.with_picture("<p>another page</p>") == "<p>another page</p>"


def test_slider_goes_from_the_sample_to_the_population(browser, site):
    page = browser.new_page(reduced_motion="reduce")
    page.goto((site / "index.html").as_uri())
    slider = page.get_by_role("slider", name="From the sample to the population")
    shown = page.locator(".emblem output, .emblem-share")
    widths = "all => all.map(one => one.offsetWidth / one.parentElement.clientWidth * 100)"
    for key, shares in zip(("Home", "End"), emblem.SHARES.values(), strict=True):
        slider.press(key)
        estimate, *parts = shown.all_text_contents()
        assert estimate == f"{emblem.area(shares):.1f}%"
        assert parts == [f"{share:.0f}%" for share in shares]
        assert slider.get_attribute("aria-valuetext").endswith(f"estimate {estimate}")
        drawn = page.locator(".emblem-cell").evaluate_all(widths)
        assert drawn == pytest.approx(list(shares), abs=0.5)
    page.close()


def test_level_has_the_colours_of_what_is_weighted():
    style = (ROOT / "theme" / "static" / "front.css").read_text("utf-8")
    colours = re.findall(r"--weighted: (#\w{6});", style)
    assert colours == [ROLES["weighted"].light.lower(), ROLES["weighted"].dark.lower()]


def test_cards_are_the_parts_with_their_chapters_and_numbers():
    cards = re.findall(
        r"^::::\{grid-item-card\} (.+?)\n(.*?)^::::$", INDEX, re.MULTILINE | re.DOTALL
    )
    parts = [part for part in CONTENTS["parts"] if part["caption"] != "Appendices"]
    assert [name for name, _ in cards] == [part["caption"] for part in parts]
    for (_, text), part in zip(cards, parts, strict=True):
        listed = re.findall(r"^(\d+)\. \[(.+)\]\((.+)\.ipynb\)$", text, re.MULTILINE)
        files = [one["file"] for one in part["chapters"] if one["file"].startswith("chapters/")]
        assert [file for _, _, file in listed] == files
        for number, title, file in listed:
            cells = json.loads((ROOT / f"{file}.ipynb").read_text("utf-8"))["cells"]
            assert f"# {title}" in "".join(cells[0]["source"]).splitlines()
            assert int(number) == int(file.split("/")[1][:2])


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("where do I start", "chapters/00-mrp-on-one-page"),
        ("can I try without installing", "explorers/map"),
        ("how do I run it", "appendices/about"),
        ("how do I use it on my own survey", "chapters/15-from-survey-to-report"),
        ("what do I copy for it", "appendices/template"),
        ("what is tested", "appendices/claims"),
        ("can I teach with it", "appendices/teaching"),
        ("who wrote it, and how do I cite it", "appendices/about"),
    ],
)
def test_front_page_answers(html, question, page):
    article = html[html.index("<article") : html.index("</article>")]
    assert f'href="{page}.html' in article, question


def test_three_buttons_come_before_everything_else(html):
    buttons = re.findall(r'<a class="sd-sphinx-override sd-btn[^"]*" href="([^"#]+)', html)
    assert buttons == [
        "chapters/00-mrp-on-one-page.html",
        "explorers/map.html",
        "appendices/about.html",
    ]
    assert html.index("sd-btn") < html.index("<h2>")


def test_button_is_called_as_the_page_that_it_opens():
    button = re.search(r"\{button-ref\} tour\n(?::.*\n)+(.+)", INDEX)[1]
    title, minutes = re.fullmatch(r"(.+): (\d+) min", button).groups()
    cells = json.loads(TOUR.read_text("utf-8"))["cells"][:4]
    lines = [line.strip() for cell in cells for line in cell["source"]]
    assert f"# {title}" in lines
    assert [line for line in lines if line.startswith(f"**Time** {minutes} minutes")]


def test_reply_that_is_quoted_is_what_check_says(capsys):
    answer, reply = re.search(r"the answer ([\d.]+) to .*?“(.+?)”", INDEX, re.DOTALL).groups()
    assert not check("1.1", float(answer))
    assert reply in " ".join(capsys.readouterr().out.split())


def test_slider_says_how_far_gender_alone_goes():
    end = emblem.area(emblem.SHARES["Population"])
    assert f"The slider moves gender alone, as far as {end:.1f}%" in emblem.picture()


WORD = re.compile(r"[A-Za-z]{2,}|[\d.]+%")


def test_front_page_is_skimmed_in_ten_seconds_and_read_in_thirty():
    """At 240 words a minute: what stands out, and all that comes before the cards."""
    above = INDEX[INDEX.index("\n# ") : INDEX.index("## The course")]
    title = above.strip().splitlines()[0]
    bold = re.findall(r"\*\*(.+?)\*\*", above, re.DOTALL)
    claim = re.findall(r"<d[td]>(.+?)</d[td]>", above)
    blocks = re.findall(r"^```\{button-ref\}(.*?)^```$", above, re.MULTILINE | re.DOTALL)
    buttons = [block.strip().splitlines()[-1] for block in blocks]
    assert len(buttons) == 3 and len(claim) == 6 and len(bold) == 1
    assert len(WORD.findall(" ".join([title, *bold, *claim, *buttons]))) <= 40
    told = re.sub(r"<(?!/?d)[^>]+>|^`{3}.*$|^:.*$", "", above, flags=re.MULTILINE)
    assert len(WORD.findall(re.sub(r"<[^>]+>", " ", told))) <= 120


def test_what_the_front_page_had_is_on_the_page_about_the_course():
    for heading in (
        "How to read",
        "Install and run",
        "How to teach with it",
        "Where it comes from",
        "How to cite",
    ):
        assert f"\n## {heading}\n" in ABOUT
    chapters = [
        one["file"]
        for part in CONTENTS["parts"]
        for one in part["chapters"]
        if one["file"].startswith("chapters/")
    ]
    assert [chapter for chapter in chapters if f"]({'../' + chapter}.ipynb)\n: " not in ABOUT] == []
