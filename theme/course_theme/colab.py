"""Write copies of the notebooks that install what they need on Colab, and nothing elsewhere.

    MRP_REPOSITORY=https://github.com/owner/name python3 theme/course_theme/colab.py FOLDER

The stored notebooks are executed, tested and hashed; they stay as they are. A copy gets one cell
more, its first, and keeps all outputs. The site hands out such copies as downloads, and Colab opens
them from the branch `notebooks`. This module needs nothing but Python, so that anyone who publishes
need not set up the environment.
"""

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY, BRANCH = "MRP_REPOSITORY", "MRP_BRANCH"
# The notebooks in these folders need nothing that lies beside them.
FOLDERS = ("chapters", "explorers", "exercises", "exercises/solutions")
CELL_ID = "colab-install"
INSTALL = """\
# Only on Colab: installs the course's packages, at the versions that it was computed with.
import sys

if "google.colab" in sys.modules:
    import subprocess

    source = "git+{address}@{branch}"
    packages = [f"mrp-helpers @ {{source}}", f"mrp-course @ {{source}}#subdirectory=mrp_course"]
    lock = "{raw}/{branch}/requirements.lock"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "-c", lock, *packages]
    subprocess.run(install, check=True)
    print("Installed. If a later cell cannot import something, restart the session and go on.")"""


@dataclass(frozen=True)
class Repository:
    """Where the course's files can be had."""

    owner: str
    name: str
    branch: str

    @property
    def address(self) -> str:
        """The page of the repository."""
        return f"https://github.com/{self.owner}/{self.name}"


def repository() -> Repository | None:
    """Read the one setting; None if it is absent."""
    address = os.environ.get(REPOSITORY, "").strip().rstrip("/").removesuffix(".git")
    if not address:
        return None
    found = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+)", address)
    if found is None:
        raise ValueError(
            f"{REPOSITORY} is {address!r}; write https://github.com/owner/name, the only kind of "
            "address that Binder and Colab both open"
        )
    return Repository(found[1], found[2], os.environ.get(BRANCH, "").strip() or "main")


def install_cell(place: Repository) -> dict[str, Any]:
    """Make the cell, in the form of a stored notebook."""
    text = INSTALL.format(
        address=place.address,
        raw=f"https://raw.githubusercontent.com/{place.owner}/{place.name}",
        branch=place.branch,
    )
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": CELL_ID,
        "metadata": {},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }


def prepared(notebook: dict[str, Any], cell: dict[str, Any]) -> dict[str, Any]:
    """Give the notebook with this cell first, once, however often it is prepared."""
    others = [one for one in notebook["cells"] if one.get("id") != CELL_ID]
    return {**notebook, "cells": [cell, *others]}


def prepare(source: Path, target: Path, place: Repository) -> None:
    """Write the copy of one notebook; source and target may be the same file."""
    notebook = prepared(json.loads(source.read_text("utf-8")), install_cell(place))
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(notebook, ensure_ascii=False, indent=1)
    target.write_text(text + "\n", encoding="utf-8")


def notebooks(root: Path = ROOT) -> list[Path]:
    """List the notebooks that are opened by themselves, the solutions among them."""
    return [path for folder in FOLDERS for path in sorted((root / folder).glob("*.ipynb"))]


def main() -> None:
    place = repository()
    if place is None or len(sys.argv) != 2:
        sys.exit(f"Say {REPOSITORY}=https://github.com/owner/name, and the folder to write into.")
    found = notebooks()
    for path in found:
        prepare(path, Path(sys.argv[1]) / path.relative_to(ROOT), place)
    print(f"{len(found)} notebooks are in {sys.argv[1]}, each with its first cell for Colab.")


if __name__ == "__main__":
    main()
