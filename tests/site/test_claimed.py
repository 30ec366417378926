"""Sentences that an assertion holds have a mark, which leads to it; no other sentence has one."""

import json
import re

from theme.course_theme import claimed

MARK = re.compile(r'<a class="claimed" href="([^"#]+)#([^"]+)" aria-label="[^"]+">')


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, *tags):
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source}


def sources(*cells):
    """Mark a notebook of these cells, and give what its texts are then."""
    marked = json.loads(claimed.marked("chapters/07-x", json.dumps({"cells": cells})))
    return [one["source"] for one in marked["cells"] if one["cell_type"] == "markdown"]


def test_text_before_the_assertion_is_marked_at_its_end():
    (told,) = sources(text("# A\n\nOne.\n\nTwo is 2."), code("assert 2", "remove-cell"))
    assert told == "# A\n\nOne.\n\nTwo is 2." + claimed.mark("chapters/07-x", 2)


def test_text_that_reads_an_output_is_marked_at_its_first_paragraph():
    hidden = code("assert 2", "remove-cell")
    (told,) = sources(code("2"), hidden, code("assert 3", "remove-cell"), text("It is 2.\n\nNext."))
    assert told.startswith("It is 2.&nbsp;<a") and told.endswith("</a>\n\nNext.")
    assert told.count("<a") == 1


def test_nothing_else_is_marked():
    shown, hidden = code("assert 2"), code("assert 2", "remove-cell")
    for cells in (
        [text("It is 2."), shown],
        [text("It is 2."), code("x = 2", "remove-cell")],
        [text("Is it 2?"), hidden],
        [text("It is:\n\n| a | b |\n|---|---|\n| 1 | 2 |"), hidden],
        [code("2"), hidden, text("## Next\n\nIt is 2.")],
    ):
        assert sources(*cells) == [one["source"] for one in cells if one["cell_type"] == "markdown"]


def test_marks_of_the_site_lead_to_what_holds_them(site):
    pages = sorted((site / "chapters").glob("*.html"))
    found = {page: MARK.findall(page.read_text("utf-8")) for page in pages}
    assert all(found.values())
    for page, marks in found.items():
        for address, anchor in marks:
            assert f'id="{anchor}"' in (page.parent / address).read_text("utf-8"), (
                page.name,
                anchor,
            )
