"""An exercise's page: how to open it, what its checks do, and no check that is dead code."""

import json
import re

import pytest

from theme.course_theme import exercises
from tools.notebooks import ROOT

PAGES = sorted(path.stem for path in (ROOT / "exercises").glob("*.ipynb"))
CHECK = re.compile(r'^correct = check\(\s*"([\w.]+)"', re.MULTILINE)


def tasks(page):
    """List the tasks that an exercise's notebook checks."""
    cells = json.loads((ROOT / "exercises" / f"{page}.ipynb").read_text("utf-8"))["cells"]
    return [task for cell in cells for task in CHECK.findall("".join(cell["source"]))]


@pytest.mark.parametrize("page", PAGES)
def test_each_task_says_what_its_check_does(site, page):
    html = (site / "exercises" / f"{page}.html").read_text("utf-8")
    told = re.findall(
        r'<p class="what-check-does">.*?check\("([\w.]+)",',
        re.sub(r"</?span[^>]*>", "", html).replace("&quot;", '"'),
    )
    assert told == tasks(page) and len(told) >= 4
    assert '<span class="n">correct</span>' not in html


@pytest.mark.parametrize("page", PAGES)
def test_card_says_how_to_open_the_exercise_and_where_its_solution_is(site, page):
    html = (site / "exercises" / f"{page}.html").read_text("utf-8")
    card = html[html.index('<div class="exercise-card">') :]
    assert html.index("</h1>") < html.index('<div class="exercise-card">')
    assert f"make venv\n.venv/bin/jupyter lab exercises/{page}.ipynb<" in card
    assert f'href="solutions/{page}.html"' in card
    assert "Open on" not in card


def test_solutions_keep_their_checks_and_have_no_card(site):
    html = (site / "exercises" / "solutions" / "04-a-biased-sample.html").read_text("utf-8")
    assert '<span class="n">correct</span>' in html and "exercise-card" not in html


def test_card_leads_to_the_services_that_the_page_knows(monkeypatch):
    monkeypatch.setenv("MRP_REPOSITORY", "https://github.com/owner/name")
    buttons = [
        {"type": "javascript", "text": "Download"},
        {
            "label": "launch-buttons",
            "buttons": [
                {"text": "Binder", "url": "https://example.org/?a=1&b=2"},
                {"text": "JupyterHub", "url": "https://hub.example.edu/x"},
            ],
        },
    ]
    card = exercises.card("exercises/02-weights", exercises.links(buttons))
    assert 'href="https://example.org/?a=1&amp;b=2">Open on Binder</a>' in card
    assert "Open on JupyterHub" in card
    assert (
        "git clone https://github.com/owner/name &amp;&amp; cd name &amp;&amp; make venv\n" in card
    )
    assert exercises.links([]) == []


def test_commands_of_the_card_exist():
    first, second = exercises.commands("exercises/02-weights").splitlines()
    assert re.search(
        rf"^{first.removeprefix('make ')}:", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert (ROOT / second.split()[-1]).is_file()


def test_call_of_several_lines_is_understood():
    call = 'correct = check(\n    "4.3",\n    pd.Series(within),\n)\n'
    task, answer = exercises.CALL.fullmatch(call).groups()
    said = exercises.what_it_does(task, answer).astext()
    assert said.startswith('In the notebook, check("4.3", pd.Series(within)) tells you at once')
