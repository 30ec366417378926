"""The browser that looks at pages and prints them: Chromium, where this machine has it."""

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Nothing is asked of any other host, and no window is opened.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = (
    "There is no Chromium here; install it ('apt-get install chromium', or from chromium.org), "
    "or say where it is: CHROMIUM=path."
)


def find() -> str | None:
    """Give the path of Chromium or of a browser that is made of it; None if there is none."""
    names = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else NAMES
    return next(filter(None, map(shutil.which, names)), None)


def found() -> str:
    """Give the path, or end with one line that says how to get one."""
    return find() or sys.exit(MISSING)


if __name__ == "__main__":
    found()
