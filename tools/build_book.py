"""Build the site strictly: any warning fails the build.

The exit code of the builder is not trusted alone. Its log is searched for warnings as well, and
the front page must exist. Every build starts from nothing, because an incremental one repeats
no warning for a page that it does not read again. The finished site is also packed into one file,
for those who read it without internet.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDER = ROOT / "theme" / "lean_builder.py"
WARNING = re.compile(r"\b(WARNING|ERROR|SEVERE|CRITICAL)\b")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The site in one file, inside the site; the front page of the copy says that it is the copy.
ARCHIVE = "mrp-course-site.zip"
OFFER = re.compile(r'<p class="offline-copy">.*?</p>', re.DOTALL)
COPY = '<p class="offline-copy">You are reading the copy that needs no internet.</p>'


def build(output: Path, source: Path = ROOT) -> tuple[int, str]:
    """Build the site of `source` below `output`; return the builder's exit code and its log."""
    # Pages that have left the table of contents would otherwise stay.
    shutil.rmtree(output / "_build" / "html", ignore_errors=True)
    command = [sys.executable, str(BUILDER), "build", "--all", "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(output), str(source)],
        # One order of sets in each build, so that two builds give the same bytes.
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    pack(output / "_build" / "html")
    return done.returncode, COLOUR.sub("", done.stdout + done.stderr)


def pack(site: Path) -> None:
    """Pack a site into its archive, in order and without dates, so that its bytes are the same."""
    files = [path for path in site.rglob("*") if path.is_file() and path.name != ARCHIVE]
    if not files:
        return
    with zipfile.ZipFile(site / ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files, key=lambda path: path.relative_to(site).as_posix()):
            name = path.relative_to(site).as_posix()
            content = path.read_bytes()
            if name == "index.html":
                content = OFFER.sub(COPY, content.decode("utf-8")).encode("utf-8")
            entry = zipfile.ZipInfo(f"mrp-course/{name}")  # dated 1980, as far back as it goes
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def faults(code: int, log: str, front_page: Path) -> list[str]:
    """List in words what is wrong with a build; empty when it is sound."""
    # Each is logged twice, once where it happens and once in a closing list.
    found = list(dict.fromkeys(ln.strip() for ln in log.splitlines() if WARNING.search(ln)))
    if code != 0:
        found.append(f"The builder ended with exit code {code}.")
    if not front_page.is_file():
        found.append("The front page index.html was not written.")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT, help="where to put _build")
    output = parser.parse_args().output.resolve()
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


if __name__ == "__main__":
    main()
