"""Tables that are meant to be read say what the frame says, in words, for eyes and ears."""

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from mrp_course.tables import read_table

FRAME = pd.DataFrame(
    {
        "male": [-0.5, 0.5],
        "n": [228443347, 5000],
        "support": [0.434163, 0.5],
        "error": [0.0125, -0.004],
        "width": [12.345, np.nan],
        "healthy": [True, False],
    }
)
SHOWN = read_table(
    FRAME, caption="Support by gender", per_cent=["support"], points=["error"], bold=0.5
)


def html(table):
    return BeautifulSoup(table._repr_html_(), "html.parser")


def test_codes_are_words_and_numbers_have_their_units():
    rows = [[cell.text for cell in row(["th", "td"])] for row in html(SHOWN).table("tr")]
    assert rows == [
        ["gender", "people", "support", "error", "width", "healthy"],
        ["women", "228,443,347", "43.4%", "+1.2", "12.3", "yes"],
        ["men", "5,000", "50.0%", "-0.4", "–", "no"],
    ]


def test_digits_can_differ_between_columns():
    text = read_table(FRAME, caption="x", per_cent=["support"], digits={"support": 2}).text
    assert text.loc["women", "support"] == "43.42%"
    assert text.loc["women", "width"] == "12.3"
    assert text.loc["men", "error"] == "0.0"  # and no minus before a zero


def test_points_have_a_sign_where_there_are_two():
    frame = pd.DataFrame({"method": ["raw", "MRP"], "mae": [0.07, 0.038]})
    assert list(read_table(frame, caption="x", points=["mae"]).text.iloc[:, 0]) == ["7.0", "3.8"]


def test_the_row_under_discussion_is_bold_and_no_other():
    page = html(SHOWN)
    bold = set(re.findall(r"#(\w+)", page.style.text))
    (row,) = [row for row in page.table("tr") if row(id=bold)]
    assert row.th.text == "men"
    assert {cell.get("id") for cell in row(["th", "td"])} == bold
    assert html(read_table(FRAME, caption="x")).style is None


def test_screen_readers_hear_a_caption_and_what_headers_head():
    page = html(SHOWN)
    assert page.caption.text == "Support by gender"
    assert {cell.get("scope") for cell in page.thead("th")} == {"col"}
    assert {cell.get("scope") for cell in page.tbody("th")} == {"row"}
    assert not [cell for cell in page("th") if not cell.text.strip()]


def test_it_is_light_and_the_same_each_time():
    assert len(SHOWN._repr_html_()) < 2000
    assert (
        SHOWN._repr_html_()
        == read_table(
            FRAME, caption="Support by gender", per_cent=["support"], points=["error"], bold=0.5
        )._repr_html_()
    )
    assert repr(SHOWN).startswith("Support by gender\n")
    assert "0x" not in repr(SHOWN)


def test_an_index_that_names_rows_is_kept():
    frame = FRAME.set_index("male")[["n"]].rename_axis("male")
    assert list(read_table(frame, caption="x").text.index) == ["women", "men"]
    named = read_table(pd.DataFrame({"n": [1]}, index=["GA"]), caption="x")
    assert named.text.loc["GA", "people"] == "1"
    assert [cell.text for cell in html(named).thead("th")] == ["people"]
    assert not html(named).thead.td.text


def test_several_levels_of_an_index_name_a_row_together():
    rows = pd.MultiIndex.from_tuples([("White", -0.5), ("Black", 0.5)], names=["eth", "male"])
    text = read_table(pd.DataFrame({"n": [1, 2]}, rows), caption="x", bold=("White", -0.5)).text
    assert list(text.index) == ["White, women", "Black, men"]
    assert text.columns.name == "ethnicity, gender"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"per_cent": ["backing"]}, "no column 'backing'"),
        ({"points": ["x"]}, "no column 'x'"),
        ({"digits": {"y": 2}}, "no column 'y'"),
        ({"bold": "men"}, "no row 'men'; its rows are"),
    ],
)
def test_names_that_the_frame_lacks_are_refused(given, message):
    with pytest.raises(KeyError, match=message):
        read_table(FRAME, caption="x", **given)
