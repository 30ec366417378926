"""The library as a practitioner gets it: its README runs, its wheel is small and stands alone."""

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "mrp_helpers" / "README.md"
MEGABYTES = 3
DEPENDENCIES = 13


def example():
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return code


def test_example_has_about_thirty_lines():
    lines = [line for line in example().splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 30


def test_example_runs_and_gives_what_it_promises(monkeypatch, tmp_path):
    monkeypatch.setenv("MRP_HELPERS_CACHE", str(tmp_path))
    names = {}
    exec(compile(example(), str(README), "exec"), names)
    truth = (names["share"] * names["frame"]["n"]).sum() / names["frame"]["n"].sum()
    raked, _ = names["hajek_mean"](names["survey"]["bus"], names["weights"])
    assert abs(raked - truth) < abs(names["survey"]["bus"].mean() - truth)
    assert names["sampler_health"](names["draws"])["healthy"].item()
    scores = names["evaluate"](names["estimates"], names["truth"], by="district")
    assert scores["n_groups"] == 24 and scores["coverage"] > 0.8


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build it from a copy, since a build leaves its traces beside the source."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(ROOT / "mrp_helpers", folder / "source" / "mrp_helpers").parent
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(source)], check=True)
    (path,) = folder.glob("mrp_helpers-*.whl")
    return path


def test_wheel_is_small_and_holds_the_library_alone(wheel):
    assert wheel.stat().st_size < MEGABYTES * 1e6
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {path.name for path in (ROOT / "mrp_helpers").glob("*.py")}
    shipped |= {path.name for path in (ROOT / "mrp_helpers" / "datasets").iterdir()} | {"py.typed"}
    assert {Path(name).name for name in names if name.startswith("mrp_helpers/")} == shipped
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"mrp_helpers"}


def test_its_page_has_no_link_into_a_repository_that_is_not_there(wheel):
    """An index of packages shows the README alone, where a relative link leads nowhere."""
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    links = re.findall(r"\]\(([^)]+)\)", archive.read(name).decode())
    assert links and all(link.startswith("https://") for link in links), links


@pytest.mark.parametrize("option", ["new_levels=", "population=", "base_weight=", "weight="])
def test_both_readmes_name_what_other_surveys_need(option):
    for page in (README, ROOT / "README.md"):
        assert option in page.read_text("utf-8")


def test_it_has_few_dependencies_and_none_of_the_course():
    needed = [line for line in requires("mrp-helpers") if "extra ==" not in line]
    assert len(needed) <= DEPENDENCIES, needed
    assert not [line for line in needed if line.startswith(("altair", "jupyter", "mrp"))]
