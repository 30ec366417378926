"""The browser that looks at pages and prints them: Chromium, where this machine has it."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.patience import HANGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

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
    "Chromium was not found; install it ('apt-get install chromium', or from chromium.org), "
    "or say where it is: CHROMIUM=path."
)


def find() -> str | None:
    """Give the path of Chromium or of a browser that is made of it; None if there is none."""
    names = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else NAMES
    return next(filter(None, map(shutil.which, names)), None)


def found() -> str:
    """Give the path, or end with one line that says how to get one."""
    return find() or sys.exit(MISSING)


@contextmanager
def opened() -> "Iterator[Browser]":
    """Open the browser; while it is open, no other code of this thread may run an event loop."""
    # Imported here, so that what needs no browser does not load it.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found(), args=FLAGS, timeout=1000 * HANGS
        )
        yield browser
        browser.close()


def patient[Tab: "Page | BrowserContext"](tab: Tab) -> Tab:
    """Let a page, or all pages of a context, take as long as a slow machine needs."""
    tab.set_default_timeout(1000 * HANGS)
    return tab


if __name__ == "__main__":
    found()
