"""Ways from a page to a running notebook: downloads, Binder, Colab, JupyterHub, feedback."""

import json
import re
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from sphinx.errors import ConfigError
from sphinx_book_theme.header_buttons import update_context_with_repository_info
from sphinx_book_theme.header_buttons.launch import add_launch_buttons

from tests.tools.test_house import ROOT, targets
from theme.course_theme.colab import (
    CELL_ID,
    Repository,
    install_cell,
    notebooks,
    prepare,
    prepared,
    repository,
)
from theme.course_theme.doors import add_doors, feedback, hub, tell_theme

PLACE = Repository("owner", "name", "spring")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


# --- The one setting.


def test_without_the_setting_there_is_no_repository(monkeypatch):
    monkeypatch.delenv("MRP_REPOSITORY", raising=False)
    monkeypatch.delenv("MRP_HUB", raising=False)
    assert repository() is None
    assert hub() == ""


@pytest.mark.parametrize("ending", ["", "/", ".git"])
def test_setting_is_read_in_each_common_form(monkeypatch, ending):
    monkeypatch.setenv("MRP_REPOSITORY", "https://github.com/owner/name" + ending)
    monkeypatch.setenv("MRP_BRANCH", "spring")
    assert repository() == PLACE
    monkeypatch.delenv("MRP_BRANCH")
    assert repository().branch == "main"


@pytest.mark.parametrize("address", ["owner/name", "https://github.com/owner", "git@x:owner/name"])
def test_wrong_setting_is_refused_with_the_right_form(monkeypatch, address):
    monkeypatch.setenv("MRP_REPOSITORY", address)
    with pytest.raises(ValueError, match="https://github.com/owner/name"):
        repository()


def test_wrong_hub_is_refused(monkeypatch):
    monkeypatch.setenv("MRP_HUB", "hub.example.edu")
    with pytest.raises(ValueError, match="MRP_HUB"):
        hub()


# --- The doors.


class Settings(dict):
    """Settings of a build, which the theme reads in both of Sphinx's ways."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def page_context(page, source):
    """Give what the page's template would get from the theme and from the course."""
    config = Settings(html_theme_options={}, html_context={})
    kernel = {"kernelspec": {}} if source.endswith(".ipynb") else {}
    env = SimpleNamespace(doc2path=lambda name: source, metadata={page: kernel})
    app = SimpleNamespace(config=config, env=env)
    tell_theme(app, config)
    update_context_with_repository_info(app)
    context = {"header_buttons": [], "pagename": page, "sourcename": source} | config.html_context
    add_launch_buttons(app, page, "page.html", context, doctree=object())
    add_doors(app, page, "page.html", context, doctree=object())
    return context


def doors(page):
    """Give the name and the address of each launch button on the page of a notebook."""
    groups = page_context(page, f"{page}.ipynb")["header_buttons"]
    return {button["text"]: button["url"] for group in groups for button in group["buttons"]}


@pytest.fixture
def published(monkeypatch):
    """Let the site know where its repository is; no class has a hub."""
    monkeypatch.setenv("MRP_REPOSITORY", PLACE.address)
    monkeypatch.setenv("MRP_BRANCH", PLACE.branch)
    monkeypatch.delenv("MRP_HUB", raising=False)


def test_each_door_opens_this_notebook(published, monkeypatch):
    assert list(doors("chapters/02-weights")) == ["Binder", "Colab"]
    monkeypatch.setenv("MRP_HUB", "https://hub.example.edu")
    opened = doors("chapters/02-weights")
    assert set(opened) == {"Binder", "Colab", "JupyterHub"}
    binder = urlsplit(opened["Binder"])
    assert (binder.netloc, binder.path) == ("mybinder.org", "/v2/gh/owner/name/spring")
    assert parse_qs(binder.query) == {"urlpath": ["lab/tree/chapters/02-weights.ipynb"]}
    assert opened["Colab"] == (
        "https://colab.research.google.com/github/owner/name/blob/notebooks/"
        "chapters/02-weights.ipynb"
    )
    hub_door = urlsplit(opened["JupyterHub"])
    assert (hub_door.netloc, hub_door.path) == ("hub.example.edu", "/hub/user-redirect/git-pull")
    assert parse_qs(hub_door.query) == {
        "repo": ["https://github.com/owner/name"],
        "branch": ["spring"],
        "urlpath": ["lab/tree/name/chapters/02-weights.ipynb"],
    }


def test_colab_is_offered_where_it_has_a_copy(published):
    """A notebook of the appendices reads files beside it, which only the whole repository has."""
    assert list(doors("appendices/calibration")) == ["Binder"]
    for notebook in notebooks():
        page = notebook.relative_to(ROOT).with_suffix("").as_posix()
        assert list(doors(page)) == ["Binder", "Colab"]


def test_wrong_setting_ends_the_build_before_any_page(monkeypatch):
    monkeypatch.setenv("MRP_REPOSITORY", "owner/name")
    with pytest.raises(ConfigError, match="https://github.com/owner/name"):
        page_context("index", "index.md")


def test_feedback_fills_in_fields_that_the_form_has():
    query = parse_qs(urlsplit(feedback(PLACE, "chapters/02-weights")).query)
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / query.pop("template")[0]).read_text())
    assert query["page"] == ["chapters/02-weights"]
    assert set(query) <= {field.get("id") for field in form["body"]}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_form_has_what_a_form_needs(form):
    content = yaml.safe_load(form.read_text("utf-8"))
    assert {"name", "description", "body"} <= set(content)
    fields = [field["id"] for field in content["body"]]
    assert len(fields) == len(set(fields))
    assert all(field["attributes"]["label"] for field in content["body"])


def test_every_page_has_the_link_for_errors_and_a_text_has_no_buttons(published):
    glossary = page_context("appendices/glossary", "appendices/glossary.md")
    assert glossary["header_buttons"] == []
    assert "page=appendices%2Fglossary" in glossary["feedback_url"]
    chapter = page_context("chapters/02-weights", "chapters/02-weights.ipynb")
    assert "page=chapters%2F02-weights" in chapter["feedback_url"]


def test_without_the_setting_no_page_has_a_door(monkeypatch):
    for name in ("MRP_REPOSITORY", "MRP_PDF"):
        monkeypatch.delenv(name, raising=False)
    context = page_context("chapters/02-weights", "chapters/02-weights.ipynb")
    assert context["header_buttons"] == []
    assert not {"feedback_url", "course_pdf"} & set(context)


def test_pages_offer_their_notebook_as_a_download_and_no_door_that_leads_nowhere(site):
    for notebook in notebooks():
        page = notebook.relative_to(ROOT).with_suffix("")
        text = (site / f"{page}.html").read_text("utf-8")
        (link,) = re.findall(r'href="([^"]*_sources/[^"]*\.ipynb)"', text)
        download = (site / page).parent / link
        assert download.read_bytes() == notebook.read_bytes()
        assert not re.search(r"mybinder|colab\.research|issues/new|mrp-course\.pdf", text)


# --- The first cell on Colab.


def run_cell(monkeypatch, *, on_colab):
    """Run the first cell's code and give the commands that it would have started."""
    started = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: started.append(command))
    for name in ("google", "google.colab"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        if on_colab:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
    exec("".join(install_cell(PLACE)["source"]), {})
    return started


def test_first_cell_does_nothing_elsewhere(monkeypatch, capsys):
    assert run_cell(monkeypatch, on_colab=False) == []
    assert capsys.readouterr().out == ""


def test_first_cell_installs_both_packages_at_the_locks_versions_on_colab(monkeypatch):
    (command,) = run_cell(monkeypatch, on_colab=True)
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    library, course = (Requirement(word) for word in command[-2:])
    assert (library.name, course.name) == ("mrp-helpers", "mrp-course")
    assert library.url == "git+https://github.com/owner/name@spring"
    assert course.url == f"{library.url}#subdirectory=mrp_course"
    lock = command[command.index("-c") + 1]
    assert lock == "https://raw.githubusercontent.com/owner/name/spring/requirements.lock"
    assert (ROOT / lock.rsplit("/", 1)[1]).is_file()


def test_learner_has_the_cell_once_and_first_and_keeps_all_else(tmp_path):
    source = ROOT / "chapters" / "02-weights.ipynb"
    target = tmp_path / "copy.ipynb"
    prepare(source, target, PLACE)
    prepare(target, target, PLACE)
    before, after = (json.loads(path.read_text("utf-8")) for path in (source, target))
    assert [cell.get("id") for cell in after["cells"]].count(CELL_ID) == 1
    assert after["cells"][0]["id"] == CELL_ID
    assert after["cells"][1:] == before["cells"]
    assert after["metadata"] == before["metadata"]


def test_stored_notebooks_do_not_have_the_cell():
    assert len(notebooks()) >= 29
    assert not [path for path in notebooks() if CELL_ID in path.read_text("utf-8")]


def test_prepared_notebook_does_not_change_the_one_it_is_given():
    notebook = {"cells": [{"id": "a"}]}
    prepared(notebook, install_cell(PLACE))
    assert notebook == {"cells": [{"id": "a"}]}


# --- Binder.


def test_binder_installs_from_the_one_lock_and_repeats_no_version():
    text = (ROOT / ".binder" / "requirements.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == ["-c ../requirements.lock", "-e .", "-e ./mrp_course[book]"]
    assert (ROOT / ".binder" / lines[0].split()[1]).resolve() == ROOT / "requirements.lock"
    for path in (ROOT / ".binder").iterdir():
        assert "==" not in path.read_text("utf-8") and "://" not in path.read_text("utf-8")


def test_binder_has_a_python_that_the_package_accepts():
    found = re.fullmatch(r"python-(\d+\.\d+)\n", (ROOT / ".binder" / "runtime.txt").read_text())
    needed = re.search(r'requires-python = "(.+)"', (ROOT / "pyproject.toml").read_text())
    assert found[1] in SpecifierSet(needed[1])


def test_binder_starts_with_one_thread_a_library():
    done = subprocess.run(
        [ROOT / ".binder" / "start", "sh", "-c", "echo $OPENBLAS_NUM_THREADS $OMP_NUM_THREADS"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1 1\n"


# --- Workflows.


def steps(workflow):
    """List all steps of a workflow's jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def runs_of(step):
    """Give the command of a step; "" for an action."""
    return step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_is_sound(path):
    text = path.read_text("utf-8")
    workflow = yaml.safe_load(text)
    runs = [step["run"] for step in steps(workflow) if "run" in step]
    made = {name for run in runs for name in re.findall(r"^make (\w+)$", run, re.MULTILINE)}
    both = {"book", "test"}
    of_each = {
        "proof": both | {"proof"},
        "test": both,
        "publish": both | {"pdf"},
        "upstream": {"venv"},
    }
    assert of_each[path.stem] <= made <= targets()
    assert "chromium" in text or not both <= made
    assert "secrets." not in text and "token:" not in text.replace("id-token:", "")
    # An action by its commit stays what it was when it was chosen.
    actions = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)
    assert workflow["permissions"] in ({}, {"contents": "read"})


def test_publishing_takes_address_and_repository_from_where_it_runs():
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text("utf-8")
    workflow = yaml.safe_load(text)
    (pdf,) = [step for step in workflow["jobs"]["build"]["steps"] if step.get("run") == "make pdf"]
    assert pdf["env"]["MRP_BASE_URL"] == "${{ steps.pages.outputs.base_url }}"
    for settings in (pdf["env"], workflow["jobs"]["notebooks"]["env"]):
        assert settings["MRP_REPOSITORY"].endswith("${{ github.repository }}")
        assert settings["MRP_BRANCH"] == "${{ github.ref_name }}"
    (copies,) = [
        run for run in map(runs_of, workflow["jobs"]["notebooks"]["steps"]) if ".py" in run
    ]
    assert (ROOT / copies.split()[1]).is_file()
    writes = {
        name: [what for what, how in job["permissions"].items() if how == "write"]
        for name, job in workflow["jobs"].items()
    }
    assert writes == {"build": [], "deploy": ["pages", "id-token"], "notebooks": ["contents"]}
