"""The page of times and memory: complete, made from its table, and within the limit of memory.

What each notebook holds is measured again, against the same limit, by the last of its own tests
(tools/comparison.py). Times are shown, and reported by 'make profile': no test depends on a clock.
"""

import pytest

from tools import reference
from tools.notebooks import Cost, inside, notebooks_in_order
from tools.profile import (
    MEGABYTES,
    PAGE,
    RATIO,
    over_budget,
    over_memory,
    over_time,
    page,
    ratio_of,
    read_table,
)

ROWS = read_table()


def test_every_notebook_was_measured():
    measured = [row["notebook"] for row in ROWS]
    assert measured == [inside(path) for path in notebooks_in_order()], "run 'make profile'"


def test_page_shows_the_table():
    assert PAGE.read_text("utf-8") == page(ROWS), "run 'make profile', or change tools/profile.py"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["notebook"])
def test_measured_memory_is_within_the_limit(row):
    wrong = over_memory(row["notebook"], float(row["megabytes"]))
    assert not wrong, wrong


def test_limits_name_the_notebook_and_the_remedy():
    assert over_time("one.ipynb", RATIO) == over_memory("one.ipynb", MEGABYTES) == ""
    slow = over_time("one.ipynb", RATIO + 1)
    assert "one.ipynb took 17.7 times the reference loop" in slow and "the limit is 16.7" in slow
    assert "tools.profile --cells" in slow
    large = over_memory("one.ipynb", MEGABYTES + 1)
    assert "one.ipynb held 1501 MB" in large and "poststratify_draws" in large


def test_time_counts_only_beside_the_reference_loop():
    cost = Cost(20 * RATIO, MEGABYTES + 1)
    assert over_budget("one.ipynb", cost) == over_memory("one.ipynb", MEGABYTES + 1)
    assert over_budget("one.ipynb", cost, reference=20) == over_budget("one.ipynb", cost)
    both = over_budget("one.ipynb", cost, reference=10)
    assert both.splitlines() == [
        over_time("one.ipynb", 2 * RATIO),
        over_memory("one.ipynb", MEGABYTES + 1),
    ]


def test_time_is_shown_in_multiples_of_the_reference_loop(monkeypatch):
    row = {"seconds": "12.0", "reference": "1.50", "megabytes": "400"}
    row |= {"notebook": "one.ipynb", "cores": "2", "python": "3.13.0"}
    assert ratio_of(row) == 8
    text = page([row])
    assert "| 8 | 12 | 400 | `one.ipynb` |" in text
    assert "took 1.50 seconds" in text and "range(20_000_000)" in text
    monkeypatch.setattr(reference, "STEPS", 10_000)
    assert reference.reference_seconds() > 0
