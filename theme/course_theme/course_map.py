"""The map of the course: what there is, how long it takes, what needs what.

All of it is read from the finished pages of the chapters: the title, the minutes after "Time", and
the chapters that the paragraph "You need" links to. Lines at the side lead from each chapter to the
ones that need it; the same is said in words in each row.
"""

import posixpath
import re
from html import escape
from typing import NamedTuple

PAGE = "appendices/about"
PLACE = '<div class="course-map"></div>'
TITLE = re.compile(r'<h1>([^\n]*?)<a class="headerlink"')
NEEDS = re.compile(r"<p\b[^>]*><strong>You need:?</strong>(.*?)</p>", re.DOTALL)
LINK = re.compile(r'href="(?:\.\./chapters/)?(\d\d-[\w-]+)\.html')
MINUTES = re.compile(r"<strong>Time:?</strong>\D*(\d+) minutes")
TAG = re.compile(r"<[^>]+>")
NUMBER = re.compile(r'<span class="section-number">[^<]*</span>')
ROW = 64  # pixels, as in course.css
LANE = 9  # pixels between two lines


class Chapter(NamedTuple):
    """A row of the map."""

    page: str
    number: int
    title: str
    minutes: int
    needs: list[int]


def title(html: str) -> str:
    """Read the title of a page, as plain text."""
    return TAG.sub("", TITLE.search(html)[1]).strip()


def chapter(page: str, html: str) -> Chapter:
    """Read what the map says of one chapter; ValueError if its page does not say how long it is."""
    number = int(page.rsplit("/", 1)[1][:2])
    minutes = MINUTES.search(html)
    if not minutes:
        raise ValueError(f"{page}: no line '**Time** 30 minutes ...' at the top, for the map")
    needs = LINK.findall(found[1]) if (found := NEEDS.search(html)) else []
    before = sorted({int(name[:2]) for name in needs} - {number})
    return Chapter(page, number, title(NUMBER.sub("", html, count=1)), int(minutes[1]), before)


def lanes(arcs: list[tuple[int, int]]) -> list[int]:
    """Give each line from one row to a lower one a lane, where lines of one start may overlap."""
    taken: list[list[tuple[int, int]]] = []
    chosen = []
    for start, end in arcs:
        free = next(
            (
                lane
                for lane, others in enumerate(taken)
                if all(end <= first or start >= last or start == first for first, last in others)
            ),
            len(taken),
        )
        if free == len(taken):
            taken.append([])
        taken[free].append((start, end))
        chosen.append(free)
    return chosen


def drawing(chapters: list[Chapter]) -> str:
    """Draw the lines: out of a chapter, down a lane, and into the chapter that needs it."""
    rows = {one.number: row for row, one in enumerate(chapters)}
    arcs = sorted(
        ((rows[need], rows[one.number]) for one in chapters for need in one.needs if need in rows),
        key=lambda arc: (arc[1] - arc[0], arc),
    )
    columns = lanes(arcs)
    width = LANE * (max(columns, default=0) + 2)
    paths = []
    for (start, end), lane in zip(arcs, columns, strict=True):
        x, bend = width - LANE * (lane + 1), LANE
        top, bottom = start * ROW + ROW / 2 + 6, end * ROW + ROW / 2 - 6
        paths.append(
            f'<path d="M{width} {top:g}h{x - width + bend}q{-bend} 0 {-bend} {bend}'
            f'V{bottom - bend:g}q0 {bend} {bend} {bend}H{width}"/>'
            f'<path class="tip" d="M{width} {bottom:g}l-6 -4v8z"/>'
        )
    return (
        f'<svg class="course-map-lines" aria-hidden="true" width="{width}" '
        f'height="{ROW * len(chapters)}">{"".join(paths)}</svg>'
    )


def in_words(numbers: list[int]) -> str:
    """Say what a chapter needs."""
    if not numbers:
        return "needs no other"
    return "needs " + ", ".join(str(number) for number in numbers)


def course_map(chapters: list[Chapter]) -> str:
    """Write the map as a list beside its lines, and above it how much there is."""
    rows = "".join(
        f'<li><a href="{posixpath.relpath(one.page, posixpath.dirname(PAGE))}.html">'
        f'<span class="stop">{one.number}</span>'
        f'<span class="stop-title">{escape(one.title, quote=False)}</span>'
        f'<span class="stop-facts">{one.minutes} min, {in_words(one.needs)}</span></a></li>'
        for one in chapters
    )
    amount = f"{len(chapters)} chapters, about {hours(chapters)} of reading."
    return f'<p>{amount}</p><div class="course-map">{drawing(chapters)}<ol>{rows}</ol></div>'


def hours(chapters: list[Chapter]) -> str:
    """Say how long all chapters take to read, in halves of an hour."""
    halves = round(sum(one.minutes for one in chapters) / 30)
    return f"{halves // 2}{' and a half' if halves % 2 else ''} hours"


def with_map(page: str, chapters: list[Chapter]) -> str:
    """Put the map where its page has a place for it."""
    if PLACE not in page:
        raise ValueError(f"{PAGE}.md has no line {PLACE} for the map of the course")
    return page.replace(PLACE, course_map(chapters))
