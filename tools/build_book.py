"""Build the site strictly: any warning fails the build. Or show a single page, within seconds.

The exit code of the builder is not trusted alone. Its log is searched for warnings as well, and
the front page must exist. Every build starts from nothing, because an incremental one repeats
no warning for a page that it does not read again. The finished site is also packed into one file,
for those who read it without internet, and so is the course itself, for those who want to run it.

With `--page chapters/NAME`, a page is built that somebody is writing, with the few others that it
cannot do without. What it says of pages that are not built is believed; its other faults are shown.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from tools import claims
from tools.notebooks import ROOT

BUILDER = ROOT / "theme" / "lean_builder.py"
WARNING = re.compile(r"\b(WARNING|ERROR|SEVERE|CRITICAL)\b")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The site in one file, inside the site; the page that offers it says in the copy that it is one.
ARCHIVE = "mrp-course-site.zip"
COURSE = "mrp-course.zip"
OFFER = re.compile(r'<p class="offline-copy">.*?</p>', re.DOTALL)
COPY = '<p class="offline-copy">You are reading the copy that needs no internet.</p>'
# The copy does not hold the course.
TO_COURSE = re.compile(rf'<a\b[^>]*href="[^"]*{re.escape(COURSE)}"[^>]*>(.*?)</a>', re.DOTALL)
# What holds other entries in the table of contents.
BELOW = ("parts", "chapters", "sections")
# A single page takes its terms and citations from two of these, and the theme fills the others.
BESIDE = {
    "index",
    "appendices/about",
    "appendices/figures",
    "appendices/glossary",
    "appendices/references",
}
# A warning of a link to a page that is not there, or to a place that is on none of the pages.
MISSED = re.compile(r"(?:Unknown source document|target not found:|undefined label:) '([^']+)'")


def run(output: Path, source: Path, *options: str) -> tuple[int, str]:
    """Let the builder build below `output` from nothing; return its exit code and its log."""
    # Pages that have left the table of contents would otherwise stay.
    shutil.rmtree(output / "_build" / "html", ignore_errors=True)
    command = [sys.executable, str(BUILDER), "build", "--all", *options]
    done = subprocess.run(
        [*command, "--path-output", str(output), str(source)],
        # One order of sets in each build, so that two builds give the same bytes.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, COLOUR.sub("", done.stdout + done.stderr)


def build(output: Path, source: Path = ROOT) -> tuple[int, str]:
    """Build the site of `source` below `output`; return the builder's exit code and its log."""
    if source == ROOT:
        claims.write()
    code, log = run(output, source, "-W", "-n", "--keep-going")
    pack(output / "_build" / "html", source)
    return code, log


def write_archive(path: Path, folder: Path, files: Iterable[Path], online: bool = True) -> None:
    """Pack files of a folder in order and without dates, so that the bytes are the same each time.

    Pages that are not ``online`` say so, and do not offer what only the site has.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, file in sorted((one.relative_to(folder).as_posix(), one) for one in files):
            # dated 1980, as far back as it goes
            entry = zipfile.ZipInfo(f"{path.stem}/{name}")
            entry.external_attr = (0o755 if os.access(file, os.X_OK) else 0o644) << 16
            content = file.read_bytes()
            if file.suffix == ".html" and not online:
                html = TO_COURSE.sub(r"\1 (on the site)", content.decode("utf-8"))
                content = OFFER.sub(COPY, html).encode("utf-8")
            # Stored draws and tables are compressed already.
            packed = file.suffix in (".nc", ".parquet")
            kind = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, kind)


def files_of_course(source: Path) -> Iterator[Path]:
    """Give what belongs to the course: all that .gitignore does not name."""
    lines = (source / ".gitignore").read_text("utf-8").splitlines()
    ignored = [".git", *(line.rstrip("/") for line in lines if line and line[0] != "#")]

    def belongs(path: Path) -> bool:
        names = (path.name, path.relative_to(source).as_posix())
        return not any(fnmatch(name, pattern) for name in names for pattern in ignored)

    for folder, below, files in source.walk():
        below[:] = [name for name in below if belongs(folder / name)]
        yield from (folder / name for name in files if belongs(folder / name))


def pack(site: Path, source: Path | None = None) -> None:
    """Put two archives into a site: the course of ``source``, if there is one, and the site."""
    pages = [path for path in site.rglob("*") if path.is_file()]
    if source is not None and (source / ".gitignore").is_file():
        write_archive(site / COURSE, source, files_of_course(source))
    if pages := [path for path in pages if path.name not in (ARCHIVE, COURSE)]:
        write_archive(site / ARCHIVE, site, pages, online=False)


def faults(code: int, log: str, front_page: Path) -> list[str]:
    """List in words what is wrong with a build; empty when it is sound."""
    # Each is logged twice, once where it happens and once in a closing list.
    found = list(dict.fromkeys(ln.strip() for ln in log.splitlines() if WARNING.search(ln)))
    if code != 0:
        found.append(f"The builder ended with exit code {code}.")
    if not front_page.is_file():
        found.append("The front page index.html was not written.")
    return found


# --- A single page.


def listed(entry: dict[str, Any], source: Path) -> Iterator[dict[str, Any]]:
    """Give an entry of the contents with all below it, and the files that match a pattern."""
    if "glob" in entry:
        for path in sorted(source.glob(f"{entry['glob']}.*")):
            yield {"file": path.relative_to(source).with_suffix("").as_posix()}
        return
    below = {
        key: [inner for child in entry[key] for inner in listed(child, source)]
        for key in BELOW
        if key in entry
    }
    yield entry | below


def names(entry: dict[str, Any]) -> Iterator[str]:
    """Name the pages of an entry in the contents and of all below it."""
    yield from (entry[key] for key in ("root", "file") if key in entry)
    for key in BELOW:
        for child in entry.get(key, []):
            yield from names(child)


def only(entry: dict[str, Any], pages: set[str]) -> dict[str, Any]:
    """Give an entry in the contents with no more below it than leads to these pages."""
    below = {
        key: [only(child, pages) for child in entry[key] if not pages.isdisjoint(names(child))]
        for key in BELOW
        if key in entry
    }
    return entry | {key: inner for key, inner in below.items() if inner}


def is_elsewhere(warning: str, source: Path, pages: list[str]) -> bool:
    """Say whether a warning misses what the whole site has: a page, or a name that one gives."""
    missed = MISSED.search(warning)
    if not missed:
        return False
    # A heading has its name above it, a figure has it in the metadata of its cell.
    forms = (f"({missed[1]})=", f'"name": "{missed[1]}"')
    texts = (path.read_text("utf-8") for page in pages for path in source.glob(f"{page}.*"))
    return missed[1] in pages or any(form in text for text in texts for form in forms)


def build_page(page: str, output: Path, source: Path = ROOT) -> tuple[Path, list[str]]:
    """Build one page below `output`; return where it is, and what is wrong with it."""
    (contents,) = listed(yaml.safe_load((source / "_toc.yml").read_text("utf-8")), source)
    pages = list(names(contents))
    if page not in pages:
        raise ValueError(f"_toc.yml has no page {page}; add its line, written as there: {pages[1]}")
    if source == ROOT and not claims.CONTENTS.is_file():  # as in a new clone
        claims.write()
    output.mkdir(parents=True, exist_ok=True)
    toc = output / "_toc.yml"
    toc.write_text(yaml.safe_dump(only(contents, BESIDE | {page}), sort_keys=False), "utf-8")
    code, log = run(output, source, "--toc", str(toc))
    site = output / "_build" / "html"
    found = faults(code, log, site / "index.html")
    return site / f"{page}.html", [one for one in found if not is_elsewhere(one, source, pages)]


# --- What is printed.


def show_page(page: str, output: Path) -> None:
    """Build one page, say where it is, and list its faults."""
    started = time.monotonic()
    try:
        where, problems = build_page(page.removesuffix(".ipynb").removesuffix(".md"), output)
    except ValueError as unknown:
        sys.exit(str(unknown))
    print(f"{where} ({time.monotonic() - started:.0f} s)")
    print("Links to most other pages lead nowhere in it, and figures are counted from 1.")
    if problems:
        sys.exit("\n  ".join(["The page is not right yet:", *problems]))


def build_site(output: Path) -> None:
    """Build the site, and say where it is or what is wrong with it."""
    started = time.monotonic()
    code, log = build(output)
    front_page = output / "_build" / "html" / "index.html"
    problems = faults(code, log, front_page)
    log_file = output / "_build" / "book.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.write_text(log, encoding="utf-8")
    if problems:
        shown = "\n  ".join(problems[:20])
        sys.exit(f"The book was not built; the whole log is in _build/book.log.\n  {shown}")
    made = [page for page in front_page.parent.rglob("*.html") if "_static" not in page.parts]
    pages = sum(page.name not in ("genindex.html", "search.html") for page in made)
    seconds = time.monotonic() - started
    folder = front_page.parent.relative_to(output)
    print(f"The book is in {folder} ({pages} pages, {seconds:.0f} s).")
    print("Open index.html there in a browser; nothing on the pages needs a network.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT, help="where to put _build")
    parser.add_argument("--page", help="build this page alone, such as chapters/02-weights")
    chosen = parser.parse_args()
    output = chosen.output.resolve()
    if chosen.page:
        show_page(chosen.page, output / "_build" / "page")
    else:
        build_site(output)


if __name__ == "__main__":
    main()
