"""The same source gives the same bytes: two builds of the site, two runs of a notebook.

That the course's own notebooks come out the same byte for byte takes some minutes:
`python -m tools.notebooks --check`.
"""

import hashlib
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.build_book import build
from tools.notebooks import ROOT, check, merged, run, tidy

NOT_COPIED = shutil.ignore_patterns(
    ".venv", ".git", "_build", "build", "sources", "*.egg-info", ".*_cache", "__pycache__"
)


def digests(folder):
    """Give path -> digest of every file of a built site."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.mark.proof
def test_two_builds_in_two_folders_give_the_same_site(site, tmp_path):
    copy = tmp_path / "copy" / "of the course"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    build(tmp_path, copy)
    one, two = digests(site), digests(tmp_path / "_build" / "html")
    assert "index.html" in one
    differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    assert not differ, (
        f"{len(differ)} files differ, such as {differ[:5]}: look for a date, a random name or the "
        "path of a folder in them"
    )


RESTLESS = """
import os, random, string, sys, time
from IPython.display import HTML, display
for part in ["one", " two", " three\\n"]:
    print(part, end="", flush=True)
    time.sleep(random.random() / 10)
display(HTML("<b>a table</b>"))
print("four")
print(set("abcdefg"))
name = "".join(random.choice(string.ascii_letters) for _ in range(12))
display(HTML(f'<div id="{name}" data-shufflequestions="False">'))
"""


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Run one restless cell in three kernels; return the three notebooks as they are stored."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    texts = []
    for _ in range(3):
        notebook = new_notebook(cells=[new_code_cell(RESTLESS, id="restless")])
        run(notebook, tmp_path)
        tidy(notebook)
        texts.append(nbformat.writes(notebook))
    return texts


def test_runs_of_a_restless_cell_are_stored_alike(runs):
    assert len(set(runs)) == 1
    (cell,) = nbformat.reads(runs[0], as_version=4).cells
    kinds = [output.output_type for output in cell.outputs]
    assert kinds == ["stream", "display_data", "stream", "display_data"]
    assert cell.outputs[0].text == "one two three\n"
    assert 'id="quizrestlessn1"' in cell.outputs[3].data["text/html"]


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_only_neighbouring_pieces_of_one_stream_are_joined():
    table = new_output("display_data", {"text/plain": "x"})
    pieces = [printed("a"), printed("b"), printed("c", "stderr"), table, printed("d")]
    joined = merged(pieces)
    assert [(o.get("name"), o.get("text")) for o in joined] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        (None, None),
        ("stdout", "d"),
    ]


def test_check_names_the_cell_that_would_change(tmp_path, capsys):
    notebook = new_notebook(cells=[new_code_cell("print(1)"), new_code_cell("print(2)")])
    run(notebook, tmp_path)
    tidy(notebook)
    path = tmp_path / "one.ipynb"
    nbformat.write(notebook, path)
    check([path])
    assert "the same, byte for byte" in capsys.readouterr().out
    text = path.read_text("utf-8")
    path.write_text(text.replace('"2\\n"', '"3\\n"'), "utf-8")
    changed = path.read_text("utf-8")
    assert changed != text
    with pytest.raises(SystemExit, match=r"one.ipynb, cell 2: other outputs"):
        check([path])
    assert path.read_text("utf-8") == changed
    path.write_text(text + "\n", "utf-8")
    with pytest.raises(SystemExit, match="the same cells, but written or described otherwise"):
        check([path])
