"""Measure five pages of the built site with Lighthouse; fail below 95 of 100 in any score.

Lighthouse runs in this machine's Chromium on pages served as GitHub Pages serves them, with
processor and network slowed as it does for a phone. Its versions are in tools/lighthouse; they are
installed in _build/lighthouse, out of the way of the site's sources.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import chromium
from tools.serve import serving

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
SOURCE, PLACE = ROOT / "tools" / "lighthouse", ROOT / "_build" / "lighthouse"
LEAST = 95
# The landing page, a chapter with figures, an exercise, an explorer, a page made from docstrings.
PAGES = [
    "index.html",
    "chapters/07-post-stratification.html",
    "exercises/04-a-biased-sample.html",
    "explorers/pooling.html",
    "appendices/api.html",
]
LINE = "{:<40}{:>12}{:>14}{:>15}{:>6}{:>9}"


def install() -> None:
    """Install the locked versions, unless that is done."""
    if shutil.which("npm") is None:
        sys.exit("npm was not found; install Node.js 18 or newer (nodejs.org).")
    PLACE.mkdir(parents=True, exist_ok=True)
    lock = (SOURCE / "package-lock.json").read_bytes()
    stamp = PLACE / "installed.json"
    for file in SOURCE.iterdir():
        if file.is_file():
            shutil.copy(file, PLACE)
    if not stamp.is_file() or stamp.read_bytes() != lock:
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=PLACE, check=True)
        stamp.write_bytes(lock)


def measure(address: str) -> dict:
    """Let Lighthouse look at one page, and give its report."""
    command = [PLACE / "node_modules" / ".bin" / "lighthouse", address, "--output=json", "--quiet"]
    done = subprocess.run(
        [*command, "--no-enable-error-reporting", f"--chrome-flags={' '.join(chromium.FLAGS)}"],
        env={**os.environ, "CHROME_PATH": chromium.found()},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def lowered_by(report: dict) -> list[str]:
    """List what counts for a score and is not well, with its figure."""
    references = [ref for one in report["categories"].values() for ref in one["auditRefs"]]
    counted = [report["audits"][ref["id"]] for ref in references if ref["weight"] > 0]
    return [
        f"{audit['id']}: {audit.get('displayValue') or audit['title']}"
        for audit in counted
        if audit["score"] is not None and audit["score"] < 0.9
    ]


def main() -> None:
    if not (SITE / "index.html").is_file():
        sys.exit("No site was found in _build/html; run 'make book' first.")
    install()
    pages = sys.argv[1:] or PAGES
    low = False
    print(LINE.format("page", "performance", "accessibility", "best-practices", "seo", "paint"))
    with serving(SITE) as address:
        for page in pages:
            report = measure(address + page)
            scores = [round(100 * one["score"]) for one in report["categories"].values()]
            paint = report["audits"]["largest-contentful-paint"]["displayValue"]
            print(LINE.format(page, *scores, paint), flush=True)
            if min(scores) < LEAST:
                low = True
                print("".join(f"    {line}\n" for line in lowered_by(report)), end="")
    if low:
        sys.exit(f"A score is below {LEAST}; what lowers it is below its page.")
    print(f"Every score is at least {LEAST} of 100.")


if __name__ == "__main__":
    main()
