"""Imports follow the arrows that CONTRIBUTING draws: between folders, and within the library."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What each folder may import of the project.
FOLDERS = {
    "mrp_helpers": {"mrp_helpers"},
    "mrp_course": {"mrp_helpers", "mrp_course"},
    # Of the commands, studies use the one that writes a file whole or not at all.
    "research": {"mrp_helpers", "mrp_course", "research", "tools.write"},
    "tools": {"mrp_helpers", "mrp_course", "tools"},
    "theme": {"course_theme"},
}
OURS = {"mrp_helpers", "mrp_course", "research", "tools", "theme", "tests", "course_theme"}
# The library, in the order of the flow: a module imports only from those before it.
FLOW = [
    "_require",
    "_levels",
    "_labels",
    "_aliases",
    "_families",
    "_bambi",
    "data",
    "recode",
    "sample",
    "weight",
    "model",
    "_compatible",
    "_effects",
    "_outcomes",
    "_roots",
    "_asked",
    "poststratify",
    "evaluate",
    "roles",
    "plots",
]


def imports(path):
    """Names of the modules that a file imports, those of `from a import b` as a.b too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] in OURS}


def allowed(name, folders):
    return any(name == one or name.startswith(f"{one}.") for one in folders)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_from_those_to_its_left(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        wrong = {name for name in imports(path) if not allowed(name, FOLDERS[folder])}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}; CONTRIBUTING draws the arrows"


def test_every_module_of_the_library_is_in_the_flow():
    assert {path.stem for path in (ROOT / "mrp_helpers").glob("*.py")} == {*FLOW, "__init__"}


@pytest.mark.parametrize("module", FLOW)
def test_a_module_imports_from_those_before_it(module):
    before = FLOW[: FLOW.index(module)]
    found = imports(ROOT / "mrp_helpers" / f"{module}.py")
    wrong = {name for name in found if name.split(".")[1] not in before}
    assert not wrong, f"{module} imports {wrong}; before it come {before}"
