"""What several test modules share: one strict build of the site, and a browser to look at it."""

import fcntl
import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from tools import chromium
from tools.build_book import build, faults


class Built(NamedTuple):
    """A build of the site: its folder, and what the builder said."""

    html: Path
    code: int
    log: str


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Built:
    """Build the site once for all modules, and for all workers: who comes second waits."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    output, said = shared / "the-site", shared / "the-site.json"
    with open(shared / "the-site.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(json.dumps(build(output)), "utf-8")
    code, log = json.loads(said.read_text("utf-8"))
    return Built(output / "_build" / "html", code, log)


@pytest.fixture(scope="session")
def site(built) -> Path:
    """The folder of the site; the build was without a warning."""
    found = faults(built.code, built.log, built.html / "index.html")
    assert not found, "\n".join(found)
    return built.html


@pytest.fixture(scope="module")
def browser():
    """A browser for one module; without one, what needs it is not looked at."""
    if chromium.find() is None:
        pytest.skip(chromium.MISSING)
    with chromium.opened() as browser:
        yield browser
