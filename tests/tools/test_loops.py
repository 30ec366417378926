"""The three loops: every part runs, failures are told in words, ten tenths are all proofs."""

import itertools
import re
import sys
from types import SimpleNamespace

import pytest

import conftest
from tools import changed, chapter, chromium, loops, refit
from tools.loops import Part
from tools.notebooks import ROOT

SAYS = (sys.executable, "-c", "print('this part ran')")
FAILS = (sys.executable, "-c", "raise SystemExit(3)")


def run_loop(monkeypatch, capfd, *parts):
    """Run a loop of these parts; give its exit code and what it said."""
    monkeypatch.setitem(loops.LOOPS, "test", list(parts))
    monkeypatch.setattr(sys, "argv", ["loops", "test"])
    monkeypatch.setattr(loops, "reference_seconds", lambda: 1.0)
    with pytest.raises(SystemExit) as ended:
        loops.main()
    return int(ended.value.code), capfd.readouterr().out


def test_every_part_runs_and_the_last_lines_say_what_failed(monkeypatch, capfd):
    code, said = run_loop(monkeypatch, capfd, Part("spelling", FAILS), Part("types", SAYS))
    assert code == 1
    assert said.count("this part ran") == 1
    last = said.rstrip().splitlines()[-1]
    assert last.startswith("Failed: spelling. Alone: ") and "raise SystemExit(3)" in last
    assert "All parts" not in said


def test_a_reported_part_does_not_decide(monkeypatch, capfd):
    tenth = Part("a tenth of the proofs", FAILS, decides=False)
    code, said = run_loop(monkeypatch, capfd, Part("types", SAYS), tenth)
    assert code == 0
    assert "Reported, and does not decide: a tenth of the proofs." in said
    assert "All parts of 'make test' passed." in said


def test_what_builds_on_a_part_that_failed_is_not_run(monkeypatch, capfd):
    outputs = Part("outputs", FAILS, build_on=True)
    code, said = run_loop(monkeypatch, capfd, outputs, Part("types", SAYS))
    assert code == 1
    assert "this part ran" not in said
    assert said.rstrip().endswith("Not run, since it builds on what failed: types.")


def test_each_part_says_what_it_took_in_the_unit_of_the_reference(monkeypatch, capfd):
    _, said = run_loop(monkeypatch, capfd, Part("types", SAYS))
    assert re.search(r"^types +\d+ s +\d+ s +\d+ x$", said, re.MULTILINE)
    assert "The reference loop (tools/reference.py) takes 1.00 s." in said


def test_without_a_browser_one_line_says_what_was_not_looked_at(monkeypatch, capfd):
    monkeypatch.setattr(chromium, "find", lambda: None)
    code, said = run_loop(monkeypatch, capfd, Part("types", SAYS))
    (line,) = [line for line in said.splitlines() if "Not looked at" in line]
    assert code == 0 and "pages in a browser" in line and "install it" in line


def test_an_unknown_loop_is_refused_with_those_that_exist(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["loops", "everything"])
    with pytest.raises(SystemExit, match="check, test, proof, share"):
        loops.main()


@pytest.mark.parametrize("loop", ["check", "test", "proof"])
def test_makefile_has_a_target_for_each_loop(loop):
    rule = rf"^{loop}: .*\n\t@\$\(PYTHON\) -m tools.loops {loop}$"
    assert re.search(rule, (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


# A tenth of the proofs.


class Item:
    """As much of a test as the choice of a tenth asks for."""

    def __init__(self, file, proof=True, **parameters):
        self.path = ROOT / "tests" / file
        self.proof, self.markers = proof, []
        if parameters:
            self.callspec = SimpleNamespace(params=parameters)

    def add_marker(self, marker):
        self.markers.append(marker)

    def get_closest_marker(self, name):
        return self.proof or None


def selected(items, tenth):
    kept, left_out = list(items), []
    config = SimpleNamespace(
        getoption=lambda name: tenth,
        hook=SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items)),
    )
    conftest.pytest_collection_modifyitems(config, kept)
    assert len(kept) + len(left_out) == len(items)
    return kept


def claims():
    """Twelve notebooks with two faults each."""
    pairs = itertools.product(range(1, 13), ("votes", "frame"))
    return [Item("test_claims.py", path=path, fault=fault) for path, fault in pairs]


def test_ten_tenths_are_all_proofs_each_once():
    items = [Item("test_browser.py", name=f"page {number}") for number in range(33)] + claims()
    items += [Item("test_study.py"), Item("test_study.py"), Item("test_data.py", proof=False)]
    chosen = [selected(items, tenth) for tenth in range(10)]
    assert sorted(map(id, itertools.chain(*chosen))) == sorted(map(id, items[:-1]))
    assert max(map(len, chosen)) < len(items) / 4


def test_what_shares_a_preparation_stays_together():
    for tenth in range(10):
        notebooks = [item.callspec.params["path"] for item in selected(claims(), tenth)]
        assert all(notebooks.count(notebook) == 2 for notebook in notebooks)


def test_tests_of_the_folder_of_proofs_are_proofs():
    inside, outside = Item("proofs/test_print.py"), Item("test_data.py")
    selected([inside, outside], None)
    assert [marker.name for marker in inside.markers] == ["proof"] and outside.markers == []


# Fresh fits of what changed.


def test_a_posterior_that_changed_is_to_be_fitted_again(monkeypatch, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.nc").write_bytes(name.encode())
    monkeypatch.setattr(refit, "POSTERIORS", tmp_path)
    monkeypatch.setattr(refit, "REFITTED", tmp_path / "refitted.json")
    users = {"one": [], "two": []}
    asked = SimpleNamespace(changed=True, tenth=None, names=[])
    assert refit.chosen(asked, users) == ["one", "two"]
    refit.record(["one", "two"], users)
    assert refit.chosen(asked, users) == []
    (tmp_path / "two.nc").write_bytes(b"other draws")
    assert refit.chosen(asked, users) == ["two"]
    monkeypatch.setattr(refit, "version", lambda library: "99")
    assert refit.chosen(asked, users) == ["one", "two"]
    refit.record(["one"], {"one": []})
    assert list(refit.refitted()) == ["one"]


def test_ten_tenths_are_all_posteriors():
    users = refit.dependencies()
    tenths = [
        refit.chosen(SimpleNamespace(changed=False, tenth=number, names=[]), users)
        for number in range(10)
    ]
    assert sorted(itertools.chain(*tenths)) == sorted(users)


# What a change is tested by.


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("tests/library/test_weight.py", ["tests/library/test_weight.py"]),
        ("mrp_helpers/weight.py", ["tests/library/test_weight.py", "mrp_helpers/weight.py"]),
        ("tools/write.py", ["tests/tools/test_write.py"]),
        ("tools/refit.py", ["tests/course/test_posteriors.py", "tests/tools/test_loops.py"]),
        ("chapters/02-weights.ipynb", ["chapters/02-weights.ipynb", "tests/course/test_claims.py"]),
        (
            "exercises/solutions/02-weights.ipynb",
            ["exercises/solutions/02-weights.ipynb", "tests/course/test_exercises.py"],
        ),
        ("README.md", ["tests/tools/test_house.py", "tests/tools/test_spelling.py"]),
        (
            "mrp_helpers/evaluate.py",
            ["tests/library/test_evaluate.py", "tests/library/test_properties.py"],
        ),
        ("mrp_course/tasks/weights.py", ["tests/course/test_tasks.py"]),
        ("mrp_course/results/study.parquet", ["tests/course/test_results.py"]),
        ("research/study.py", ["tests/research/test_study.py"]),
        ("mrp_course/posteriors/hierarchical.nc", ["tests/course/test_posteriors.py"]),
        ("appendices/notation.md", ["tests/tools/test_spelling.py"]),
        (".github/workflows/test.yml", ["tests/site/test_doors.py"]),
        ("chapters/a-notebook-that-is-gone.ipynb", ["tests/course/test_claims.py"]),
        ("theme/static/course.css", []),
    ],
)
def test_a_changed_file_brings_its_tests(path, tests):
    found = changed.tests_of(ROOT / path)
    assert set(tests) <= set(found)
    assert bool(tests) == bool(found)


def test_tests_that_need_the_site_are_left_to_make_test():
    found = changed.tests_of(ROOT / "tools" / "notebooks.py")
    assert found  # of a file that is there
    assert not {"tests/site/test_browser.py", "tests/site/test_same_twice.py"} & set(found)


def test_a_large_change_brings_the_first_tests_of_each_file_and_names_the_rest():
    files = sorted((ROOT / "mrp_helpers").glob("[a-z]*.py"))
    chosen, left = changed.choose(files)
    assert len(chosen) == changed.MOST and left and not set(chosen) & set(left)
    assert changed.tests_of(files[0])[0] in chosen


# A chapter.


def test_a_chapter_is_found_by_its_number():
    assert chapter.chapter_named("07").name == "07-post-stratification.ipynb"
    for beginning in ("", "0", "77"):
        with pytest.raises(SystemExit, match="write one of 00-mrp-on-one-page, "):
            chapter.chapter_named(beginning)


def test_a_chapter_brings_its_exercise_and_comes_to_its_page_last():
    parts = chapter.parts(chapter.chapter_named("07"))
    assert parts[0].command[-2:] == (
        "chapters/07-post-stratification.ipynb",
        "exercises/solutions/07-post-stratification.ipynb",
    )
    assert parts[-1].command[-2:] == ("--page", "chapters/07-post-stratification.ipynb")
    assert "exercises" not in " ".join(chapter.parts(chapter.chapter_named("00"))[0].command)


def test_the_tests_that_a_chapter_chooses_by_name_exist():
    texts = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    tests = re.findall(r"^def (test_\w+)", texts, re.MULTILINE)
    assert [name for name in chapter.TOGETHER if not any(name in test for test in tests)] == []
    assert all(changed.named(name) for name in chapter.TESTS)
