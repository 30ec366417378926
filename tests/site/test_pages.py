"""What the site's own extension makes: read from the built pages, and tried on small ones."""

import io
import itertools
import json
import posixpath
import re
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from matplotlib.image import imread
from sphinx.errors import ConfigError

from theme.course_theme import (
    address,
    aside,
    citation,
    contents,
    course_map,
    gallery,
    markup,
    offline,
    sharing,
    shortcuts,
    terms,
)
from tools.build_book import ARCHIVE, COURSE, pack
from tools.notebooks import ROOT, entries

ORDER = [
    Path(page).with_suffix("").as_posix()
    for page in entries(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
]
# The way through the course, which some pages are beside.
WAY = [page for page in ORDER if not aside.is_aside(page)]


class Anatomy(HTMLParser):
    """The names, links and pictures of one page."""

    def __init__(self, html: str):
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.undescribed: list[str] = []
        self.description = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names += [given["id"]] if "id" in given else []
        self.links += [given[key] for key in ("href", "src") if given.get(key)]
        if tag == "img" and not (given.get("alt") or "").strip():
            self.undescribed.append(given.get("src", ""))
        if given.get("name") == "description":
            self.description = given["content"]

    handle_startendtag = handle_starttag


@pytest.fixture(scope="module")
def pages(site):
    """Read every page once: its path in the site -> its anatomy."""
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    return {path.relative_to(site).as_posix(): Anatomy(path.read_text("utf-8")) for path in files}


def dead_links(site, pages):
    """List links inside the site that lead nowhere."""
    found = []
    for page, anatomy in pages.items():
        for link in anatomy.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith("data:"):
                continue
            folder = posixpath.dirname(page)
            target = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
            target = page if not parts.path else target
            if not (site / target).is_file() or (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].names
            ):
                found.append(f"{page}: {link}")
    return found


def test_every_link_and_anchor_is_alive(site, pages):
    dead = dead_links(site, pages)
    assert not dead, "\n".join(map(str, dead))


def test_dead_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text("")
    page = Anatomy('<a href="a.html">x</a><a href="b.html">y</a><a href="a.html#n">z</a><p id="m">')
    found = dead_links(tmp_path, {"a.html": page})
    assert found == ["a.html: b.html", "a.html: a.html#n"]


def test_no_name_stands_twice_on_a_page(pages):
    twice = {
        page: {name for name in anatomy.names if anatomy.names.count(name) > 1}
        for page, anatomy in pages.items()
        if len(set(anatomy.names)) < len(anatomy.names)
    }
    assert twice == {}


def test_every_picture_is_described(pages):
    assert {p: a.undescribed for p, a in pages.items() if a.undescribed} == {}


def test_next_and_previous_lead_through_all_pages_but_those_aside(site):
    link = {
        way: re.compile(rf'<a class="{way}"\s+href="([^"]+)"')
        for way in ("right-next", "left-prev")
    }
    for way, order in (("right-next", WAY), ("left-prev", WAY[::-1])):
        for here, there in itertools.pairwise(order):
            html = (site / f"{here}.html").read_text("utf-8")
            (found,) = link[way].findall(html)
            led = posixpath.normpath(posixpath.join(posixpath.dirname(here), found))
            assert led == f"{there}.html"
    for page in set(ORDER) - set(WAY):
        html = (site / f"{page}.html").read_text("utf-8")
        assert not any(pattern.search(html) for pattern in link.values()), page


SIDEBAR = re.compile(r'<nav class="bd-links.*?</nav>', re.DOTALL)
ENTRY = re.compile(r'<li class="([^"]*)"><a class="[^"]*" href="([^"]*)">([^<]*)<')
OPEN_PART = re.compile(r'<details open="open" class="course-part"><summary>(.*?)</summary>')


def sidebar(site, page):
    """Read the list of contents at the side of a page."""
    return SIDEBAR.search((site / f"{page}.html").read_text("utf-8"))[0]


def test_contents_lead_to_all_pages_and_mark_the_one_that_is_open(site):
    for page in ORDER[1:]:
        found = ENTRY.findall(sidebar(site, page))
        there = [posixpath.relpath(f"{other}.html", posixpath.dirname(page)) for other in WAY[1:]]
        marked = [link for kind, link, _ in found if "current active" in kind]
        if page in WAY:
            there[WAY.index(page) - 1] = "#"
            assert marked[-1] == "#"
        else:
            above = posixpath.relpath(f"{aside.above(page)}.html", posixpath.dirname(page))
            assert marked[-1] == above
        assert [link for _, link, _ in found] == there


def test_only_the_part_of_the_page_is_open(site):
    for page, part in [
        ("chapters/00-mrp-on-one-page", "I Foundations"),
        ("explorers/map", "II The method"),
        ("exercises/solutions/15-from-survey-to-report", "III In practice"),
        ("appendices/claims/02-weights", "Appendices"),
    ]:
        assert OPEN_PART.findall(sidebar(site, page)) == [part]
    assert OPEN_PART.findall(sidebar(site, "index")) == []


def test_an_aside_is_reached_from_the_page_above_it(site):
    for page in set(ORDER) - set(WAY):
        above = aside.above(page)
        link = posixpath.relpath(f"{page}.html", posixpath.dirname(above))
        assert f'href="{link}"' in (site / f"{above}.html").read_text("utf-8"), page


def test_chapters_sections_figures_and_formulas_are_numbered_alike(site):
    html = {page: (site / f"{page}.html").read_text("utf-8") for page in ORDER}
    seventh = html["chapters/07-post-stratification"]
    assert '<h1><span class="section-number">7 </span>Post-stratification<' in seventh
    assert "<title>7 Post-stratification &#8212; " in seventh
    assert ENTRY.findall(sidebar(site, "index"))[0][2] == "0 MRP on one page"
    for page in ORDER:
        prefix = str(int(page[9:11])) if page.startswith("chapters/") else ""
        sections = re.findall(r'<h2><span class="section-number">([\d.]+) </span>', html[page])
        assert sections == [f"{prefix}.{n}" for n in range(1, len(sections) + 1)]
        for counted in (r'class="eqno">\(([\w.]+)', r'caption-number">Figure ([\w.]+) '):
            found = re.findall(counted, html[page])
            if prefix:
                assert found == [f"{prefix}.{n}" for n in range(1, len(found) + 1)], page
    solution = html["exercises/solutions/07-post-stratification"]
    last = seventh.count('<span class="caption-number">Figure 7.')
    assert re.findall(r'caption-number">Figure ([\w.]+) ', solution) == [f"7.{last + 1}"]


WRITTEN_OUT = re.compile(r"\b(?:Figure|Fig\.|Section|Equation|Eq\.) \(?\d", re.IGNORECASE)


def test_no_text_writes_a_number_that_the_site_counts(site):
    for page in ORDER:
        for path in (*ROOT.glob(f"{page}.md"), *ROOT.glob(f"{page}.ipynb")):
            told = path.read_text("utf-8") if path.suffix == ".md" else markdown(path)
            assert not WRITTEN_OUT.findall(told), f"{page}: refer with {{numref}} or {{eq}}"


def markdown(notebook):
    """Read what a notebook says in words."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def test_parts_fold_away_below_their_names():
    listed = '<p class="caption"><span>I A</span></p>\n<ul class="nav"><li>1</li></ul>\n'
    assert contents.with_folded_parts(listed * 2) == 2 * (
        '<details class="course-part"><summary>I A</summary>'
        '<ul class="nav"><li>1</li></ul></details>'
    )


LIST = (
    '<p>Part</p><ul class="nav"><li class="toctree-l1"><a class="reference internal" '
    'href="a/b.html">B</a></li><li class="toctree-l1 has-children"><a class="reference internal" '
    'href="a/c.html">C</a><details><summary>+</summary><ul><li class="toctree-l2">'
    '<a class="reference internal" href="a/c/d.html">D</a></li></ul></details></li></ul>'
)


def test_contents_are_marked_where_the_page_stands_in_them():
    made = contents.Contents(LIST)
    assert made.on("index.html") == LIST
    below = made.on("a/c/d.html")
    assert 'href="../b.html"' in below and 'href="../c.html"' in below
    assert '<ul class="current nav">' in below and '<ul class="current">' in below
    assert '<li class="toctree-l1 current active has-children">' in below
    assert '<details open="open">' in below
    assert (
        '<li class="toctree-l2 current active"><a class="current reference internal" href="#">'
        in below
    )
    # A page beside the way marks the entry of the page above it, which stays a link.
    beside = made.on("a/c/e.html", "a/c/d.html")
    assert '<a class="current reference internal" href="d.html">' in beside
    above = made.on("a/c.html")
    assert '<details open="open"><summary>+</summary><ul><li class="toctree-l2"><a' in above
    assert above.count("current active") == 1


@pytest.mark.parametrize(
    "code", ["x = [1, 2]\nf(x)", "!ls", "x?", "%time f(x)", "if a != b % 2:\n  f()"]
)
def test_code_is_cut_as_ipython_cuts_it(code):
    exact = shortcuts.IPYTHON.get_tokens(code)
    assert list(shortcuts.NotebookLexer().get_tokens(code)) == list(exact)


def test_equal_options_give_the_same_thing():
    make = shortcuts.remembered(lambda **options: list(options.items()))
    assert make(lines=[1], style="a") is make(style="a", lines=[1])
    assert make(lines=[1], style="a") is not make(lines=[2], style="a")


def test_every_page_tells_what_it_is_about(pages):
    silent = [f"{page}.html" for page in ORDER if len(pages[f"{page}.html"].description) < 40]
    assert silent == []


def test_without_an_address_no_page_claims_one(site):
    html = (site / "index.html").read_text("utf-8")
    assert 'rel="canonical"' not in html and "og:url" not in html
    assert not (site / "sitemap.xml").exists()
    assert 'href="index.html"' in (site / "404.html").read_text("utf-8")


def test_archive_holds_the_site_that_works_without_it(site):
    with zipfile.ZipFile(site / ARCHIVE) as archive:
        names = archive.namelist()
        copy = archive.read("mrp-course-site/appendices/about.html").decode("utf-8")
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {name.removeprefix("mrp-course-site/") for name in names} == files - {ARCHIVE, COURSE}
    assert names == sorted(names)
    assert (
        COURSE not in copy
        and ARCHIVE not in copy
        and ARCHIVE in (site / "appendices/about.html").read_text("utf-8")
    )


def test_the_course_itself_can_be_taken_from_the_site(site):
    with zipfile.ZipFile(site / COURSE) as archive:
        names = {name.removeprefix("mrp-course/") for name in archive.namelist()}
    assert {"Makefile", "requirements.lock", "chapters/00-mrp-on-one-page.ipynb"} <= names
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode == 0:  # a copy that was taken from a site has no history
        known = {name for name in told.stdout.split("\0") if (ROOT / name).is_file()}
        assert names == known


def test_archive_depends_on_nothing_but_the_files(tmp_path):
    for name in ("b.html", "a.html"):
        (tmp_path / name).write_text(name)
    pack(tmp_path)
    once = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / "a.html").touch()
    pack(tmp_path)
    assert (tmp_path / ARCHIVE).read_bytes() == once
    (tmp_path / "a.html").write_text("other")
    pack(tmp_path)
    assert (tmp_path / ARCHIVE).read_bytes() != once


def test_map_has_every_chapter(site):
    html = (site / f"{course_map.PAGE}.html").read_text("utf-8")
    stops = re.findall(r'<li><a href="\.\./([^"]+)\.html"><span class="stop">', html)
    assert stops == [page for page in ORDER if page.startswith("chapters/")]
    alone = re.findall(
        r'class="stop-title">([^<]*)</span><span class="stop-facts">[^<]*no other', html
    )
    assert alone == ["MRP on one page", "Regression is stratification"]


CHAPTER = """<h1>contents</h1>
<h1>One &amp; two<a class="headerlink" href="#x">#</a></h1>
<p class="sd-card-text"><strong>You need</strong> what <a href="01-one.html">one</a> says, and
<a href="../appendices/notation.html">notation</a>.</p>
<p><strong>Time</strong>: about 35 minutes to read, 20 seconds to run.</p>"""


def test_map_reads_a_chapter():
    found = course_map.chapter("chapters/02-two", CHAPTER)
    assert found == course_map.Chapter("chapters/02-two", 2, "One &amp; two", 35, [1])
    with pytest.raises(ValueError, match=r"chapters/02-two: no line '\*\*Time\*\*"):
        course_map.chapter("chapters/02-two", CHAPTER.replace("minutes", "pages"))


def test_only_lines_out_of_one_chapter_share_a_lane_of_the_map():
    assert course_map.lanes([(0, 1), (1, 2), (0, 2), (1, 3), (0, 3)]) == [0, 0, 1, 0, 1]


def test_every_figure_is_in_the_gallery(site):
    shown = set(
        re.findall(
            r'<figure><a href="([^"]+)">', (site / "appendices/figures.html").read_text("utf-8")
        )
    )
    drawn = set()
    for page in ORDER:
        html = (site / f"{page}.html").read_text("utf-8")
        for name in re.findall(r'<figure class="[^"]*" id="([^"]+)"', html):
            if not page.startswith("exercises/"):
                drawn.add(f"{posixpath.relpath(page, 'appendices')}.html#{name}")
    assert len(drawn) > 30
    assert shown == drawn


def test_gallery_keeps_description_and_caption():
    html = (
        '<figure class="align-default" id="fig-a">\n<img alt="A line." src="../_images/x.png" />\n'
        '<figcaption>\n<p><span>Fig. 1 </span>What<a class="headerlink" href="#fig-a">#</a></p>'
    )
    (entry,) = gallery.figures("chapters/01-one", html)
    assert 'href="../chapters/01-one.html#fig-a"' in entry
    assert 'alt="A line."' in entry and "<p><span>Fig. 1 </span>What</p>" in entry
    assert "dark-light" not in entry
    (a_map,) = gallery.figures("chapters/01-one", html.replace("<img", '<img class="dark-light"'))
    assert 'class="dark-light"' in a_map


GLOSSARY = (
    '<dl class="glossary">\n'
    '<dt id="term-Cell">Cell<a class="headerlink" href="#term-Cell">#</a></dt>'
    '<dt id="term-kind">kind<a class="headerlink" href="#term-kind">#</a></dt>'
    '<dd><p>A <a href="#term-x"><i id="x">sort</i></a> of person.</p>\n</dd>\n</dl>'
)
LINK = '<a class="reference internal" href="g.html#term-{}"><span class="xref std std-term">'


def test_terms_take_their_definitions_along():
    known = terms.definitions(GLOSSARY)
    assert known == {
        "Cell": ("Cell", "A <i>sort</i> of person."),
        "kind": ("kind", "A <i>sort</i> of person."),
    }
    page = f"<article>{LINK.format('Cell')}a</span></a>{LINK.format('Cell')}b</span></a></article>"
    told = terms.with_definitions(page, known)
    assert told.count('aria-describedby="definition-Cell"') == 2
    assert told.count('id="definition-Cell"') == 1
    other = f"<article>{LINK.format('none')}a</span></a></article>"
    assert terms.with_definitions(other, known) == other


TABLE = """<table><thead><tr><th></th><th colspan="2">a</th></tr></thead>
<tbody><tr><th>x</th><td>1</td></tr>
<tr><th rowspan="2" valign="top">y</th><td>1</td></tr></tbody></table>"""


def test_header_cells_say_what_they_head():
    mended = markup.tables(TABLE)
    assert '<td class="corner"></td>' in mended
    assert '<th scope="colgroup" colspan="2">a</th>' in mended
    assert '<th scope="row">x</th>' in mended
    assert '<th scope="rowgroup" rowspan="2" valign="top">y</th>' in mended
    assert markup.tables(mended) == mended
    # A cell that heads nothing has no scope, even if a library gave it one.
    empty = '<table><thead><tr><th scope="col"></th></tr></thead></table>'
    assert '<td class="corner"></td>' in markup.tables(empty)


def test_long_signature_is_written_in_lines():
    signature = '<dl>\n<dd><em class="sig-param">a</em>,</dd>\n</dl>'
    assert markup.signatures(signature) == (
        '<span class="sig-lines">\n'
        '<span class="sig-line"><em class="sig-param">a</em>,</span>\n</span>'
    )
    other = "<dl>\n<dt>a</dt><dd>b</dd>\n</dl>"
    assert markup.signatures(other) == other


def test_icons_are_not_read_aloud():
    shown = markup.icons('<i class="fa-solid fa-sun" data-mode="light" title="Light"></i>')
    assert shown == '<i class="fa-solid fa-sun" data-mode="light" aria-hidden="true"></i>'


def test_a_range_stays_on_one_line():
    row = '<tr><th scope="row">18-29</th><td>0-1</td><td>4-Year</td><td>-0.5</td></tr>'
    assert markup.ranges(row) == (
        '<tr><th scope="row"><span class="range">18-29</span></th>'
        '<td><span class="range">0-1</span></td><td>4-Year</td><td>-0.5</td></tr>'
    )


def test_what_opens_a_part_of_the_contents_has_a_name():
    listed = '<a class="reference internal" href="a.html">What is claimed</a><details><summary>'
    named = '<summary aria-label="Pages of What is claimed">'
    assert markup.toggles(listed) == listed.replace("<summary>", named)
    box = "<p>A box.</p><details><summary>"
    assert markup.toggles(box) == box


def test_what_no_page_uses_is_deleted(tmp_path):
    kept, gone = ["mathjax/tex-chtml.js", "course.css"], ["a/x.map", "locales/de/x.mo"]
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    offline.prune(tmp_path)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == set(kept)


def test_address_is_checked(monkeypatch):
    monkeypatch.setenv(address.VARIABLE, "https://example.org/mrp")
    assert address.base_url() == "https://example.org/mrp/"
    monkeypatch.setenv(address.VARIABLE, "example.org/mrp")
    with pytest.raises(ConfigError, match="write the whole address"):
        address.base_url()
    monkeypatch.delenv(address.VARIABLE)
    assert address.base_url() == ""


def test_map_of_the_site_and_lost_page_take_the_address():
    text = sharing.sitemap(["index", "a/b"], "https://example.org/mrp/")
    assert text.count("<url>") == 2 and "<loc>https://example.org/mrp/a/b.html</loc>" in text
    assert 'href="https://example.org/mrp/index.html"' in sharing.not_found(
        "https://example.org/mrp/"
    )


def test_preview_is_the_same_picture_each_time():
    one, two = sharing.picture(), sharing.picture()
    assert one == two
    assert imread(io.BytesIO(one)).shape[:2] == (630, 1200)


def test_citation_is_that_of_the_file(site):
    cited = citation.facts(ROOT / "CITATION.cff")
    html = (site / f"{citation.PAGE}.html").read_text("utf-8")
    assert citation.bibtex(cited, "") in html
    assert "url" not in citation.bibtex(cited, "")
    assert "url     = {https://example.org/}" in citation.bibtex(cited, "https://example.org/")
