"""The site, built strictly and read as the browser will get it."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tools.build_book import build_page, faults, listed, names, only
from tools.notebooks import ROOT, entries

# Attributes by which a page loads something; a plain link to another site is no load.
LOADS = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\ssrc\s*=\s*["'](?:https?:)?//[^"']+"""
    r"""|<link\b[^>]*\shref\s*=\s*["'](?:https?:)?//[^"']+""",
    re.IGNORECASE,
)
TRACEBACK = "Traceback (most recent call last)"


def test_every_page_of_the_contents_is_there(site):
    pages = entries(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    missing = [page for page in pages if not (site / Path(page).with_suffix(".html")).is_file()]
    assert not missing


def test_no_page_shows_a_traceback(site):
    wrong = [page.name for page in site.rglob("*.html") if TRACEBACK in page.read_text("utf-8")]
    assert not wrong


def test_no_page_loads_anything_from_another_host(site):
    found = {page.name: LOADS.findall(page.read_text("utf-8")) for page in site.rglob("*.html")}
    assert not {page: loads for page, loads in found.items() if loads}


def test_pattern_tells_a_load_from_a_link():
    assert LOADS.search('<script async src="https://example.org/x.js">')
    assert LOADS.search('<link rel="stylesheet" href="//example.org/x.css">')
    assert not LOADS.search('<a href="https://example.org/">a link</a>')
    assert not LOADS.search('<script src="_static/x.js">')


def test_faults_are_found_although_the_builder_says_all_is_well(tmp_path):
    page = tmp_path / "index.html"
    assert faults(0, "build succeeded", page) == ["The front page index.html was not written."]
    page.write_text("<html>")
    assert faults(0, "build succeeded", page) == []
    assert faults(0, "x.md:3: WARNING: no such target", page) == ["x.md:3: WARNING: no such target"]
    assert faults(2, "", page) == ["The builder ended with exit code 2."]


CONTENTS = {
    "root": "index",
    "parts": [
        {"caption": "A", "chapters": [{"file": "a/one"}, {"file": "a/two"}]},
        {"caption": "B", "chapters": [{"file": "b/one", "sections": [{"glob": "b/below/*"}]}]},
    ],
}


def test_contents_of_a_single_page_keep_its_place(tmp_path):
    (tmp_path / "b" / "below").mkdir(parents=True)
    for name in ("y.md", "x.ipynb"):
        (tmp_path / "b" / "below" / name).touch()
    (contents,) = listed(CONTENTS, tmp_path)
    assert list(names(contents)) == ["index", "a/one", "a/two", "b/one", "b/below/x", "b/below/y"]
    assert only(contents, {"a/two"}) == {
        "root": "index",
        "parts": [{"caption": "A", "chapters": [{"file": "a/two"}]}],
    }
    assert list(names(only(contents, {"b/below/y"}))) == ["index", "b/one", "b/below/y"]


PLANTED = """
See {cite:t}`nobody2099`, {term}`a word that nobody defined` and [nothing](no-such-page.md).
But [weights](../chapters/02-weights.ipynb), {numref}`fig-weights-draws` and {term}`cells <cell>`
are there when the site is built.

```{no-such-directive}
```
"""
NOT_COPIED = shutil.ignore_patterns(
    ".*", "_build", "_class", "*.egg-info", "datasets", "posteriors"
)


@pytest.mark.proof
def test_a_single_page_is_built_and_its_own_faults_are_told(tmp_path):
    source = tmp_path / "course"
    shutil.copytree(ROOT, source, ignore=NOT_COPIED)
    with open(source / "appendices" / "notation.md", "a") as page:
        page.write(PLANTED)
    built, problems = build_page("appendices/notation", tmp_path / "site", source)
    assert "site.css" in built.read_text("utf-8")
    for fault in ("nobody2099", "a word that nobody defined", "no-such-page", "no-such-directive"):
        assert [fault in problem for problem in problems].count(True) == 1, (fault, problems)
    assert len(problems) == 4, problems


def test_a_page_that_is_not_in_the_contents_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="_toc.yml has no page chapters/none; add its line, written as there:"
    ):
        build_page("chapters/none", tmp_path)
