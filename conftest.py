"""What all tests share: their environment, the choice of proofs, and the plugins of the project.

Tests marked `proof`, and those in tests/proofs, are left to `make proof`. With `--tenth=3` only
every tenth of them runs, beginning with the fourth: ten such runs see them all.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tools.notebooks import KERNEL
from tools.patience import HANGS

# How notebooks are compared; the built site and a browser, which several test modules share.
pytest_plugins = ["tools.comparison", "tests.site.fixtures"]

PROOFS = Path(__file__).parent / "tests" / "proofs"

os.environ.update(KERNEL)
# A cluster on a busy machine is slow to answer, and not dead.
os.environ["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = f"{HANGS}s"
os.environ["DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP"] = f"{HANGS}s"
# Neither tests nor kernels read or fill the reader's own store of fits.
os.environ["MRP_HELPERS_CACHE"] = tempfile.mkdtemp(prefix="mrp-helpers-")
atexit.register(shutil.rmtree, os.environ["MRP_HELPERS_CACHE"], ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tenth", type=int, help="of the proofs, run the tenth with this number")


# How many examples Hypothesis tries: a few in the tests, and many where time is none of the matter.
for name, examples in (("few", 10), ("many", 100)):
    settings.register_profile(
        name, derandomize=True, database=None, deadline=None, max_examples=examples
    )
settings.load_profile("few")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the proofs by their folder, and choose a tenth of them if one is asked for."""
    for item in items:
        if item.path.is_relative_to(PROOFS):
            item.add_marker(pytest.mark.proof)
    if (tenth := config.getoption("--tenth")) is None:
        return
    units = list(dict.fromkeys(unit(item) for item in items if item.get_closest_marker("proof")))
    chosen = set(units[tenth % 10 :: 10])
    left_out = [item for item in items if unit(item) not in chosen]
    items[:] = [item for item in items if unit(item) in chosen]
    config.hook.pytest_deselected(items=left_out)


def unit(item: pytest.Item) -> str:
    """Name what a proof shares its costly preparation with: a page, a notebook, or its file."""
    given = getattr(item, "callspec", None)
    about = given.params.get("path", given.params.get("name")) if given else None
    return f"{item.path} {about}" if about else str(item.path)
