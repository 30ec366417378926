"""What a command writes into the course is there whole, or the old file is."""

import re
import signal
import subprocess
import sys

import pytest

from tools.notebooks import ROOT
from tools.write import write_whole

# Ways to write into a file that stands already. `tools/write.py` is the one place for it.
IN_PLACE = re.compile(r"\.write_(?:text|bytes)\(|nbformat\.write\(|open\([^)]*[\"']w")
# These write into folders that are made afresh and never committed, or make them from sources
# whose checksums are verified at each load.
FRESH = {
    "build_book.py",
    "classroom.py",
    "make_data.py",
    "measure_pages.py",
    "print_course.py",
    "write.py",
}


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "page.md"
    write_whole(path, "old\n")
    write_whole(path, "ä new one\n")
    assert path.read_text("utf-8") == "ä new one\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_old_file_and_no_scrap(tmp_path):
    path = tmp_path / "page.md"
    write_whole(path, "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half\ud800")
    assert path.read_text("utf-8") == "old\n"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, signal, sys
from pathlib import Path
from tools.write import write_whole

path, dies = sys.argv[1:]
replace = Path.replace

def die(part, target):
    if dies == "after":
        replace(part, target)
    os.kill(os.getpid(), signal.SIGKILL)

Path.replace = die
write_whole(Path(path), "new\\n")
"""


@pytest.mark.parametrize(("dies", "left"), [("before", "old\n"), ("after", "new\n")])
def test_killed_at_the_last_step(tmp_path, dies, left):
    """SIGKILL as the renaming begins, or as it ends: the old file or the new one, whole."""
    path = tmp_path / "page.md"
    write_whole(path, "old\n")
    command = [sys.executable, "-c", KILLED, path, dies]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert path.read_text("utf-8") == left


def test_no_command_writes_in_place():
    tools = [path for path in (ROOT / "tools").rglob("*.py") if path.name not in FRESH]
    found = [path.name for path in tools if IN_PLACE.search(path.read_text("utf-8"))]
    assert not found, f"{', '.join(found)}: use write_whole of tools/write.py"


@pytest.mark.parametrize(
    "line",
    [
        'path.write_text("x")',
        "nbformat.write(notebook, path)",
        'open(path, "w")',
        "open(p, mode='w')",
    ],
)
def test_the_pattern_sees_each_way(line):
    assert IN_PLACE.search(line)
