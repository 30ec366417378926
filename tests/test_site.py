"""The site, built strictly and read as the browser will get it."""

import re
from pathlib import Path

import yaml

from tools.build_book import faults
from tools.execute_notebooks import ROOT, entries

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
