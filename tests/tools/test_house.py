"""The house around the course: what a newcomer's machine, a reader or a maintainer relies on."""

import importlib.metadata
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
# Put together from parts, so that this file does not hold what it looks for.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "conda." + "anaconda",
]
PATHS = re.compile(r"/(?:root|home|work)" + r"/[\w.]")
SKIPPED = {
    ".git",
    ".venv",
    "_build",
    "build",
    "sources",
    ".pytest_cache",
    ".ruff_cache",
    "__pycache__",
    ".hypothesis",
    ".mypy_cache",
    "_class",
}
# These hold the patterns of paths as examples of what is forbidden.
EXAMPLES = {"test_stored_outputs.py"}


def bootstrap_in(folder, **environment):
    """Run the bootstrap script in a folder that has nothing else, without a PATH."""
    (folder / "tools").mkdir()
    for name in ("bootstrap.sh", "find_python.sh"):
        shutil.copy(ROOT / "tools" / name, folder / "tools")
    return subprocess.run(
        [shutil.which("sh"), "tools/bootstrap.sh"],
        cwd=folder,
        env={"PATH": "", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(path, body):
    """Put an executable in the place of a Python interpreter."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!{shutil.which('sh')}\n{body}\n")
    path.chmod(0o755)


def test_bootstrap_says_in_one_line_how_to_get_a_python(tmp_path):
    done = bootstrap_in(tmp_path)
    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "Python 3.12 or newer" in line and "install" in line
    assert not (tmp_path / ".venv").exists()


def test_bootstrap_passes_over_a_python_that_exists_and_fails(tmp_path):
    """As pyenv's commands do for a version that is not chosen in this folder."""
    fake_python(tmp_path / "bin" / "python3", "exit 127")
    fake_python(
        tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3",
        'case "$1" in -c) echo "$0" ;; --version) echo "the one of pyenv" ;; *) exit 3 ;; esac',
    )
    done = bootstrap_in(tmp_path, PATH=str(tmp_path / "bin"))
    # It goes on with the second, which is no Python and fails to make an environment.
    assert "Making .venv with the one of pyenv." in done.stdout
    assert done.returncode == 3


# Stands for pip in an environment that the bootstrap has made: it writes down what it is asked for,
# and cannot get uv.
PIP = """
case "$*" in
  *"requirements.lock uv") exit 1 ;;
  *) echo "$@" >>asked ;;
esac
"""


def test_bootstrap_goes_on_with_pip_where_uv_is_not_to_be_had(tmp_path):
    made = "mkdir -p .venv/bin; cp pip .venv/bin/python; chmod +x .venv/bin/python"
    fake_python(
        tmp_path / "bin" / "python3",
        f'case "$2" in venv) PATH=/usr/bin:/bin; {made} ;; *) echo "$0" ;; esac',
    )
    (tmp_path / "pip").write_text(f"#!{shutil.which('sh')}\n{PIP}")
    for name in ("requirements.lock", "pyproject.toml", "mrp_course/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    commands = [shutil.which(name) for name in ("cat", "cksum", "rm", "grep")]
    for command in commands:
        (tmp_path / "bin" / Path(command).name).symlink_to(command)
    done = bootstrap_in(tmp_path, PATH=str(tmp_path / "bin"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("The environment is ready in .venv.\n")
    (asked,) = (tmp_path / "asked").read_text("utf-8").splitlines()
    assert "-m pip install" in asked and asked.endswith(
        "-c requirements.lock -e . -e ./mrp_course[book,test]"
    )


def locked():
    """Give name -> version of the lock's lines that hold on this machine."""
    versions = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement, _, marker = line.partition(" ; ")
            if not marker or Marker(marker).evaluate():
                name, _, version = requirement.partition("==")
                versions[canonicalize_name(name)] = version.strip()
    return versions


def needed():
    """Collect the distributions that both packages with their extras need, directly or not."""
    seen, todo = set(), [("mrp-course", frozenset({"book", "test"}))]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for requirement in map(Requirement, importlib.metadata.requires(name) or []):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
                todo.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in seen} - {"mrp-course", "mrp-helpers"}


def test_lock_covers_what_is_installed():
    versions = locked()
    for name in needed():
        installed = importlib.metadata.version(name)
        assert versions.get(name) == installed, (
            f"{name} {installed} is installed, the lock says {versions.get(name)}: "
            "run 'make lock' if pyproject.toml changed, else 'make clean' and try again"
        )


def test_lock_holds_versions_and_no_address():
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--" not in text
    requirements = [line for line in text.splitlines() if re.match(r"\w", line)]
    assert len(requirements) > 100
    assert all(re.match(r"[\w.-]+==[\w.+!]+( ; .+)?$", line) for line in requirements)


def own_text_files():
    """List the project's files that a person reads or a command writes as text."""
    for folder, below, names in ROOT.walk():
        below[:] = [name for name in below if name not in SKIPPED and ".egg-info" not in name]
        for name in sorted(set(names) - EXAMPLES):
            try:
                yield folder / name, (folder / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:  # data and pictures
                continue


def test_no_file_names_a_registry_or_a_path_of_a_machine():
    found = []
    for path, text in own_text_files():
        found += [f"{path.name}: {host}" for host in REGISTRIES if host in text]
        found += [f"{path.name}: {match[0]}" for match in PATHS.finditer(text)]
    assert not found
    assert any(PATHS.finditer("/home" + "/ann"))


def test_citation_file_has_what_citing_needs():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    needed_fields = {"cff-version", "message", "title", "type", "authors", "license", "version"}
    assert needed_fields <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert citation["version"] == re.search(r"^## \[(\d[\w.]+)\]", changes, re.MULTILINE)[1]
    assert all("name" in author or "family-names" in author for author in citation["authors"])


CLOCKS = re.compile(
    r"assert\b.*\b(?:seconds|elapsed|took|perf_counter|monotonic|process_time)\b.*[<>]"
    r"|\bwait_for_timeout\(|\btimeout=(?!HANGS|600_000\b)|\btime\.(?:time|sleep)\(|\bwait\(\d"
)
# These wait for a file, or leave something to chance that is tried until it comes;
# and a quiz asks for a script half a second after it has come, so that a fault may be missed.
NO_CLOCKS = {
    "time.sleep(0.02)",
    "time.sleep(rng.uniform(0, 4 * once))",
    "time.sleep(random.random() / 10)",
    "time.sleep(3600)",
    "page.wait_for_timeout(700)",
}


def test_no_clock_decides_whether_a_test_passes():
    """Machines differ by a factor of three, and by more when they are busy."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in [ROOT / "conftest.py", *sorted((ROOT / "tests").rglob("*.py"))]
        if path != Path(__file__)
        for line in path.read_text("utf-8").splitlines()
        if CLOCKS.search(line) and not any(known in line for known in NO_CLOCKS)
    ]
    assert found == [], "assert what does not depend on a clock; put the speed into a benchmark"
    assert CLOCKS.search("assert min(seconds) < SLOWEST")


def targets():
    """List the targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_command_in_the_texts_is_a_target(page):
    commands = set(re.findall(r"`make ([a-z-]+)`", (ROOT / page).read_text("utf-8")))
    assert commands
    assert commands <= targets()


def test_readme_explains_every_target():
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = {name for name in targets() if f"`make {name}`" not in readme}
    assert missing == set(), "give each a row in the table of README.md"
    assert not re.findall(r"\| [A-Z]{4,} \|", readme), "a time in the table is still to be measured"


def test_help_lists_every_target():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert targets() == set(re.findall(r"^  ([a-z-]+) ", shown.stdout, re.MULTILINE))


def derived_rows():
    """Read the table of derived files: three columns, each with names in back quotes."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = re.search(r"^\| Derived file.*?\n\n", text, re.MULTILINE | re.DOTALL)[0]
    return [line.strip("|").split("|") for line in table.strip().splitlines()[2:]]


@pytest.mark.parametrize("row", derived_rows(), ids=lambda row: row[0].strip())
def test_table_of_derived_files_names_what_exists(row):
    derived, sources, command = (re.findall(r"`([^`]+)`", column) for column in row)
    # The site is made and not committed; everything else is here.
    named = [name for name in derived + sources if not name.startswith("_build")]
    assert [name for name in named if not any(ROOT.glob(name))] == []
    assert [name.removeprefix("make ") for name in command] and all(
        name.removeprefix("make ") in targets() for name in command
    )
