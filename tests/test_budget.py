"""The page of times and memory: complete, made from its table, and within the limits.

Each notebook is measured anew, and held to the same limits, by the last of its own tests
(conftest.py).
"""

import pytest

from tools.budget import MEGABYTES, PAGE, SECONDS, over_budget, page, read_table
from tools.execute_notebooks import Cost, inside, notebooks_in_order

ROWS = read_table()


def test_every_notebook_was_measured():
    measured = [row["notebook"] for row in ROWS]
    assert measured == [inside(path) for path in notebooks_in_order()], "run 'make budget'"


def test_page_shows_the_table():
    assert PAGE.read_text("utf-8") == page(ROWS), "run 'make budget', or change tools/budget.py"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["notebook"])
def test_measured_cost_is_within_the_budget(row):
    wrong = over_budget(row["notebook"], Cost(float(row["seconds"]), float(row["megabytes"])))
    assert not wrong, wrong


def test_budget_names_the_notebook_and_the_remedy():
    assert over_budget("one.ipynb", Cost(SECONDS, MEGABYTES)) == ""
    slow = over_budget("one.ipynb", Cost(SECONDS + 1, 100))
    assert "one.ipynb took 121 s" in slow and "tools.budget --cells" in slow
    large = over_budget("one.ipynb", Cost(1, MEGABYTES + 1))
    assert "one.ipynb held 1501 MB" in large and "poststratify_draws" in large
