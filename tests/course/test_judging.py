"""How answers are read, judged and helped on: in made-up tasks, and over all tasks at once."""

import json
import random
import re
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mrp_course import _places, _progress, check, predict
from mrp_course._familiar import support
from mrp_course._forms import Choice, Labels, Names, Number, Numbers, Table
from mrp_course._help import direction
from mrp_course._judge import judge
from mrp_course._patterns import SLIPS
from mrp_course._reader import Unreadable, number
from mrp_course._spelling import fold, match
from mrp_course._task import Task, task
from mrp_course.tasks import TASKS, _world
from tools.task_distances import distance, numeric

ROOT = Path(__file__).resolve().parents[2]
BANDS = pd.Series({"18-29": 0.412, "30-64": 0.468, "65+": 0.531}).rename_axis("age")
BANDS = BANDS + 0.00012345
BY_TWO = pd.Series({("White", "weekly"): 0.4, ("White", "less often"): 0.3, ("other", "weekly"): 1})
PLAIN = {"18-29": 0.2, "30-64": 0.21, "65+": 0.22}


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Each test begins as a learner who has tried nothing."""
    monkeypatch.chdir(tmp_path)


def made_up(form, answer, *mistakes, exercise_id="0.1") -> Task:
    TASKS.pop(exercise_id, None)
    return task(
        exercise_id, form, answer=lambda: answer, right="Yes.", hint="Add.", mistakes=mistakes
    )


@pytest.fixture(autouse=True)
def no_leftovers():
    yield
    for name in ("0.1", "0.2"):
        TASKS.pop(name, None)


def kind(form, answer, given, *mistakes) -> str:
    return judge(made_up(form, answer, *mistakes), given).kind


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


# Forms


SHARE = 0.59647
ONE_NUMBER = {
    "text": "0.59647", "per cent": "59.647%", "per cent, spaced": " 59.647 % ", "~": "~0.59647",
    "decimal comma": "0,59647", "fraction": Fraction(59647, 100000),
    "written fraction": "59647/100000",
    "pair with its error": (SHARE, 0.002), "dict": {"x": SHARE}, "nested": [[SHARE]],
    "row of poststratify": pd.DataFrame(
        {"estimate": [SHARE], "sd": [0.01], "lower": [0.5], "upper": [0.6], "population": [9]}
    ),
    "series of such a row": pd.Series({"sd": 0.01, "estimate": SHARE, "population": 9}),
    "labelled row": pd.DataFrame({"state": ["TX"], "estimate": [SHARE]}),
    "dataset": xr.Dataset({"x": SHARE}), "single precision": np.float32(SHARE),
    "with a unit": "0.59647 units", "array without dimension": np.array(SHARE),
    "dict in a dict": {"share": {0.5: SHARE}},
}  # fmt: skip


@pytest.mark.parametrize("given", ONE_NUMBER.values(), ids=list(ONE_NUMBER))
def test_one_number_is_read_in_many_forms(given):
    assert kind(Number(), SHARE, given) == "right"


def test_a_tree_of_draws_is_read_as_its_variables():
    form, means = Table(("coefficient",)), {"male": -0.16, "repvote": -2.83}
    assert kind(form, pd.Series(means), xr.DataTree(xr.Dataset(means))) == "right"


@pytest.mark.parametrize(
    "blank", ["...", " ... ", "\u2026", ["..."], {"first": "...", "second": ""}]
)
def test_dots_in_quotes_are_no_answer_yet(blank):
    verdict = judge(made_up(Choice(("A", "B")), "B"), blank)
    assert verdict.kind == "blank"
    assert "Replace the dots between the quotes by your answer" in verdict.sentence


@pytest.mark.parametrize(
    "text", ["0.434", "43.4%", "43.4 per cent", "43.4 points", ".434", "+0.434"]
)
def test_a_number_as_text(text):
    assert number(text) == 0.434


def test_numbers_as_text_that_are_read_otherwise():
    assert [number(text) for text in ("1,256", "59 810", "−0.02", "–2")] == [1256, 59810, -0.02, -2]
    for text in ("about a half", "0.4 to 0.5", "", "1/0"):
        with pytest.raises(Unreadable, match="not a number"):
            number(text)


def in_columns(library: str, series: pd.Series, **more: object):
    columns = {"age": list(series.index), "share": series.tolist(), **more}
    if library == "polars":
        return pytest.importorskip("polars").DataFrame(columns)
    return pytest.importorskip("pyarrow").table(columns)


A_TABLE = {
    "records": lambda s: [{"age": age, "share": value} for age, value in s.items()],
    "pairs": lambda s: list(s.items()),
    "iterator": lambda s: zip(s.index, s, strict=True),
    "dict of columns": lambda s: {"age": list(s.index), "share": s.tolist()},
    "en dashes": lambda s: {str(age).replace("-", "–"): value for age, value in s.items()},
    "underscores": lambda s: {str(age).replace("-", "_"): value for age, value in s.items()},
    "per cent": lambda s: {age: f"{100 * value:.3f}%" for age, value in s.items()},
    "with errors": lambda s: {age: (value, 0.01) for age, value in s.items()},
    "text": lambda s: str(s.to_dict()),
    "tuple": tuple,
    "rows sorted": lambda s: s.rename_axis("age").reset_index(name="share").sort_values("share"),
    "one row": lambda s: pd.DataFrame([s.to_dict()]),
    "another key": lambda s: s.rename_axis("ages").rename("zz").reset_index(),
    "unnamed index": lambda s: s.rename_axis(None).to_frame("x"),
    "poststratify": lambda s: pd.DataFrame(
        {"age": s.index, "estimate": s.to_numpy(), "sd": 0.1, "lower": 0, "upper": 1, "n": 5}
    ),
    "with a total": lambda s: pd.concat([s, pd.Series({"All": 0.47})]),
    "polars": lambda s: in_columns("polars", s),
    "pyarrow": lambda s: in_columns("pyarrow", s),
    "dataset": lambda s: xr.Dataset({"share": ("age", s.to_numpy())}, {"age": list(s.index)}),
}


@pytest.mark.parametrize("write", A_TABLE.values(), ids=list(A_TABLE))
def test_one_value_each_is_read_in_many_forms(write):
    assert kind(Table(("age",), "share"), BANDS, write(BANDS)) == "right"


def test_two_labels_are_read_in_any_order_and_arrangement():
    form = Table(("group", "church"), "weight", any_scale=True)
    turned = {(church, group): value for (group, church), value in BY_TWO.items()}
    nested = {"White": {"weekly": 4, "less often": 3}, "other": {"weekly": 10}}
    assert kind(form, BY_TWO, turned) == "right"
    assert kind(form, BY_TWO, nested) == "right"
    assert kind(form, BY_TWO, [(*label, 7 * value) for label, value in BY_TWO.items()]) == "right"
    written = {", ".join(label): value for label, value in BY_TWO.items()}
    assert kind(form, BY_TWO, written) == "right"


@pytest.mark.parametrize("turned", [False, True])
def test_the_sums_in_the_margins_of_a_table_are_not_read(turned):
    form = Table(("group", "church"), "weight", any_scale=True)
    four = pd.concat([BY_TWO, pd.Series({("other", "less often"): 2})])
    crossed = four.unstack().rename_axis(index="group", columns="church")
    crossed["All"] = crossed.sum(axis=1)
    crossed.loc["All"] = crossed.sum()
    assert kind(form, four, crossed.T if turned else crossed) == "right"


def test_points_are_read_as_points_where_they_are_asked_for():
    form, answer = Table(("what",), "points", points=True), pd.Series({"gain": 0.5, "error": 0.25})
    for given in ({"gain": "0.5 points", "error": "0.25%"}, {"gain": 0.5, "error": "0.25"}):
        assert kind(form, answer, given) == "right"


NAMES = {
    "Boolean Series": pd.Series([True, False, True], index=["ID", "ZZ", "WY"]),
    "Boolean dict": {"ID": True, "WY": np.True_, "ZZ": False},
    "filtered Series": pd.Series([0.97, 0.96], index=["WY", "ID"]),
    "filtered table": pd.DataFrame({"state": ["ID", "WY"], "chance": [0.97, 0.96]}),
    "Boolean column": pd.DataFrame({"state": ["ID", "ZZ", "WY"], "sure": [True, False, True]}),
    "text": "ID, WY",
    "text with and": "id and wy",
    "full names": {"Idaho", "wyoming"},
    "with dots": ["ID.", "wy."],
    "index": pd.Index(["WY", "ID"]),
}


@pytest.mark.parametrize("given", NAMES.values(), ids=list(NAMES))
def test_names_are_read_in_many_forms(given):
    assert kind(Names("state"), frozenset({"ID", "WY"}), given) == "right"


@pytest.mark.parametrize(
    "given", ["B.", "(b)", "Option B", "Paragraph B", "B: with its text", ["B"], '"B"']
)
def test_an_option_is_read_in_many_forms(given):
    assert kind(Choice(("A", "B")), "B", given) == "right"


@pytest.mark.parametrize("given", ["A or B", "C", "", "Because", ["A", "B"], 2])
def test_what_names_no_option_is_refused(given):
    assert kind(Choice(("A", "B")), "B", given) == "unreadable"


def test_labels_are_alike_without_case_accents_dashes_and_quotes():
    assert fold("Hájek") == fold("'hajek'") and fold("18–29") == fold("18_29") == fold("18-29")
    wanted = ["Horvitz-Thompson", "Hajek", "difference", "0.95"]
    assert match(["HT", "Hájek", "diff", "95%"], wanted) == wanted
    assert match(["95"], wanted) == ["0.95"]
    assert match(["-0.5", "women"], ["0.5", "-0.5"])[0] == "-0.5"
    assert match(["treated", 0], ["0", "1"]) == ["1", "0"]
    assert match(["d"], wanted) == ["d"], "one letter is no abbreviation"


def test_no_task_has_two_labels_that_are_spelled_alike():
    for name, each in TASKS.items():
        if isinstance(each.form, Table | Labels):
            right = each.form.read(each.answer(), None)
            index = right.values.index if isinstance(right, Numbers) else right.index
            parts = index.map(
                lambda label: tuple(map(fold, label if isinstance(label, tuple) else [label]))
            )
            assert parts.is_unique, name


def test_advice_names_a_column_that_is_there():
    table = pd.DataFrame({"age": list(BANDS.index), "yes": 1.0, "no": 2.0})
    verdict = judge(made_up(Table(("age",), "share"), BANDS), table)
    assert verdict.kind == "unreadable"
    assert "table['yes']" in verdict.sentence


# Rounding and tolerance


@pytest.mark.parametrize("given", [0.596, 0.5965, "59.6%", 0.59647])
def test_three_printed_digits_are_enough(given):
    slip = ("You kept the District of Columbia.", lambda: 0.5961034)
    assert kind(Number(1e-4), 0.5964701, given, slip) == "right"


def test_a_slip_within_the_third_digit_is_told_from_the_answer_when_all_digits_are_given():
    slip = ("You kept the District of Columbia.", lambda: 0.5961034)
    assert kind(Number(), 0.5964701, 0.5961034, slip) == "mistake"
    assert kind(Number(1e-3), 0.5964701, 0.5961034, slip) == "mistake", "each owns its half"
    assert kind(Number(1e-3), 0.5964701, 0.5964, slip) == "right"


@pytest.mark.parametrize("given", [0.6, 0.59, 1, 0.595, 0.598])
def test_two_digits_or_a_wrong_third_are_not_enough(given):
    assert kind(Number(), 0.59647, given) != "right"


def test_a_table_may_be_rounded_to_three_digits_each():
    answer = pd.Series({"a": 1234.4, "b": -0.18273, "c": 0.0123456})
    form = Table(("what",))
    assert kind(form, answer, [1234, -0.183, 0.0123]) == "right"
    assert kind(form, answer, [1230, -0.183, 0.0123]) != "right"
    assert kind(form, answer, answer.round(3)) == "right"


def test_a_tolerance_may_differ_from_label_to_label():
    form = Table(("what",), within={"small": 0.01, "large": 0.1})
    answer = pd.Series({"small": -0.16461, "large": -2.82834})
    assert kind(form, answer, [-0.16461, -2.7512341]) == "right"
    assert kind(form, answer, [-0.08231, -2.82834]) != "right", "half a coefficient"


@pytest.mark.parametrize("name", numeric())
def test_every_answer_is_right_in_three_digits_or_decimals(name):
    each = TASKS[name]
    right = each.form.read(each.answer(), None).values
    for given in (right.round(3), right.map(lambda value: float(f"{value:.3g}"))):
        if isinstance(each.form, Table) and each.form.any_scale and right.max() < 0.1:
            continue  # as shares of a sum, twenty weights have fewer digits
        if abs(right).max() < 1000:
            assert judge(each, given).kind == "right", given


@pytest.mark.parametrize("name", numeric())
def test_each_mistake_is_two_tolerances_from_the_right_answer(name):
    each = TASKS[name]
    near = {mistake.reason: distance(each, mistake) for mistake in each.mistakes}
    near = {reason: away for reason, away in near.items() if away < 2}
    assert not near, "change the task, or its tolerance, so that they can be told apart"


# Mistakes and slips


ONE = ("One.", lambda: 0.5)
TWO = ("Two.", lambda: 0.5004)


def test_the_nearest_mistake_is_named_not_the_first():
    verdict = judge(made_up(Number(0.01), 0.7, ONE, TWO), 0.5004)
    assert (verdict.kind, verdict.sentence) == ("mistake", "Not yet. Two.")


def test_what_is_only_like_a_mistake_is_called_so():
    verdict = judge(made_up(Number(0.01), 0.7, ONE), 0.5061234)
    assert verdict.kind == "resemblance"
    assert verdict.sentence == "Not yet. This looks like a common mistake. One."
    assert kind(Number(0.01), 0.7, 0.5161234, ONE) == "unknown"


def test_a_mistake_at_one_label_alone_is_named_with_it():
    verdict = judge(
        made_up(Table(("age",)), BANDS, ("Plain.", lambda: PLAIN)), {**BANDS, "65+": 0.22}
    )
    assert verdict.kind == "mistake"
    assert verdict.sentence == "Not yet. This is about '65+' alone; the others are right. Plain."


def test_a_mistake_in_per_cent_is_two_things():
    given = {age: 100 * value for age, value in PLAIN.items()}
    verdict = judge(made_up(Table(("age",)), BANDS, ("Plain.", lambda: PLAIN)), given)
    assert "Two things. This is in per cent." in verdict.sentence
    assert verdict.sentence.endswith("And: Plain.")


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.sentence[:30])
def test_a_slip_is_undone_and_so_recognised(slip):
    answer = 0.2345678
    # What gives the answer when it is undone: found by looking along a line of numbers.
    line = np.concatenate([-np.geomspace(100, 1e-3, 400_000), np.geomspace(1e-3, 100, 400_000)])
    with np.errstate(all="ignore"):
        given = float(line[np.nanargmin(np.abs(slip.undo(line) - answer))])
    verdict = judge(made_up(Number(), answer), given)
    assert (verdict.kind, verdict.sentence) == ("slip", f"Not yet. {slip.sentence}")


SEEN = {
    "are exchanged": lambda s: s.set_axis(["30-64", "18-29", "65+"]),
    "under the wrong labels": lambda s: s.set_axis(["30-64", "65+", "18-29"]),
    "the labels differ": lambda s: s.set_axis(["18-29", "30-64", "old"]),
    "the sign of '65+' is not": lambda s: s * [1, 1, -1],
    "are the same": lambda s: s * 0 + 0.47,
    "by the same factor": lambda s: s * 1.3,
    "add up to one": lambda s: s / s.sum(),
    "by the same amount": lambda s: s + 0.061,
    "running totals": lambda s: s.cumsum(),
    "It lacks '65+'": lambda s: s.iloc[:2],
    "which is not asked for": lambda s: pd.concat([s, pd.Series({"90+": 0.1})]),
    "(NaN) for '65+'": lambda s: s.where(s < 0.5),
}


@pytest.mark.parametrize("words", SEEN)
def test_what_the_pattern_of_several_numbers_shows(words, capsys):
    made_up(Table(("age",)), BANDS)
    assert check("0.1", SEEN[words](BANDS)) is False
    assert words in said(capsys)


# Rounding too far, slips at one label, intervals


def test_an_answer_that_is_rounded_too_far_is_told_so_but_not_of_one_digit(capsys):
    assert "rounded too far" in judge(made_up(Number(), 1.25641), 1.3).sentence
    assert "rounded too far" in judge(made_up(Table(("age",)), BANDS), BANDS.round(1)).sentence
    made_up(Number(), 0.59647)
    for given in (0.6, 0.3):
        verdict = judge(TASKS["0.1"], given)
        assert verdict.kind == "unknown", "digit by digit one could guess it"
    check("0.1", 0.6)
    asked = "It has one digit: give at least three. If it is exact, it should be smaller."
    assert asked in said(capsys)


@pytest.mark.parametrize(("given", "right"), [(0.3, 0.59647), (0.5, 0.59647), (7, 343.4)])
def test_one_digit_is_no_fault_of_a_number_that_more_digits_would_not_make_right(
    given, right, capsys
):
    made_up(Number(), right)
    check("0.1", given)
    words = said(capsys)
    assert "should be larger" in words and "digit" not in words


def test_a_slip_at_one_label_is_named_with_it():
    for factor, words in ((1.96, "This is 1.96 times"), (0.5, "This is half of")):
        verdict = judge(made_up(Table(("age",)), BANDS), BANDS * [1, 1, factor])
        assert verdict.sentence.startswith("Not yet. This is about '65+' alone")
        assert words in verdict.sentence


def test_the_ends_of_an_interval_turn_with_its_direction():
    ends = pd.Series({"estimate": 0.6025, "lower": 0.58505, "upper": 0.62018})
    assert (
        "the share of the others"
        in judge(
            made_up(Table(("number",)), ends), 1 - ends.set_axis(["estimate", "upper", "lower"])
        ).sentence
    )
    given = {"estimate": 0.6025, "interval": pd.Interval(0.58505, 0.62018)}
    assert kind(Table(("number",)), ends, given) == "right"


def test_a_right_answer_of_zero_at_some_labels_gives_no_warning(recwarn):
    answer = pd.Series({"a": 0.0, "b": 0.4, "c": 0.3})
    judge(made_up(Table(("what",)), answer), answer.replace(0.0, 0.1234))
    assert not [str(warning.message) for warning in recwarn]


def test_whole_numbers_are_not_taken_for_slips_of_one_another():
    counts = pd.Series({"A": 3, "B": 0, "C": 1, "D": 35})
    verdict = judge(made_up(Table(("formula",)), counts), counts.replace(3, 4))
    assert verdict.kind == "unknown"
    assert kind(Number(), 3000, 300) == "unknown"


def test_the_recipe_comes_where_no_place_is_better_than_another(capsys):
    made_up(Number(), 0.2)
    for given in (0.61234, 0.71234):
        check("0.1", given)
    assert said(capsys).count("Add.") == 2, "once at each try"


# Numbers of the course


def test_numbers_of_the_course_are_called_what_they_are():
    sample, census = _world.sample()["edu"], _world.census().groupby("edu")["n"].sum()
    shares = sample.value_counts(normalize=True)
    given = {
        "the shares of the biased sample. ": shares,
        "the shares of the census minus the shares of the biased sample": census / census.sum()
        - shares,
        "the estimates of MRP for the census. ": support("edu")[-1][1].round(3),
    }
    for words, answer in given.items():
        verdict = judge(TASKS["11.2"], answer)
        assert verdict.kind == "familiar"
        assert words in verdict.sentence
    verdict = judge(TASKS["5.1"], _world.truth())
    assert "the truth of the laboratory" in verdict.sentence


# Help


def test_help_comes_in_steps(capsys):
    made_up(Number(), 0.2)
    steps = []
    for given in (0.61234, 0.71234, 0.81234, 0.91234):
        check("0.1", given)
        steps.append(said(capsys))
    assert "should be smaller" in steps[0]
    assert not any("smaller" in step or "larger" in step for step in steps[1:])
    each = TASKS["2.1"]
    for at, words in enumerate(
        ("chapter 2", "chapter 2", each.hint[:30], "solutions/02-weights.ipynb")
    ):
        check("2.1", {"HT": 1000.123 + at, "Hajek": 1200.123 * (at + 1)})
        assert words in said(capsys)


def test_the_same_answer_counts_once_in_any_order(capsys):
    made_up(Table(("age",)), BANDS)
    given = pd.Series({"18-29": 0.31234, "30-64": 0.52345, "65+": 0.64567})
    for again in (given, given[::-1], given.to_dict()):
        check("0.1", again)
    first, *others = re.split(r"0\.1 +Not yet", said(capsys))[1:]
    assert [other.strip() for other in others] == [first.strip()] * 2


def test_a_known_mistake_is_explained_and_from_the_third_try_on_more_is_said(capsys):
    made_up(Number(), 0.2, ONE)
    for given in (0.51234, 0.61234):
        check("0.1", given)
    said(capsys)
    check("0.1", 0.5)
    assert said(capsys) == "0.1 Not yet. One. Add."


@pytest.mark.parametrize(
    ("given", "right", "words"),
    [
        (-0.018, -0.0148, "closer to zero"),
        (-0.01, -0.0148, "further from zero"),
        (0.01, -0.0148, "negative"),
        (-0.01, 0.0148, "positive"),
        (0.3, 0.2, "smaller"),
        (0.01, 0.2, "larger by more than a factor of ten"),
    ],
)
def test_directions_respect_signs(given, right, words):
    sentence = direction(np.array([given]), np.array([right]))
    assert sentence == f"Your number should be {words}."


def test_directions_of_several_are_said_if_they_agree():
    assert (
        direction(np.array([0.1, 0.2]), np.array([0.2, 0.3])) == "What is wrong should be larger."
    )
    assert direction(np.array([0.1, 0.4]), np.array([0.2, 0.3])) == ""


def test_where_directions_differ_the_furthest_off_has_its_own(capsys):
    made_up(Table(("age",)), BANDS)
    check("0.1", [0.31234, 0.46812345, 0.91234])
    assert "1 of 3 values are right. '65+' should be smaller." in said(capsys)


def test_each_task_has_a_section_of_a_chapter_and_a_solution():
    assert set(_places.SECTIONS) == set(TASKS) - {"0.1"}  # which other tests make up
    for name, (chapter, heading) in _places.SECTIONS.items():
        (path,) = (ROOT / "chapters").glob(f"{chapter:02}-*.ipynb")
        cells = nbformat.read(path, as_version=4).cells
        headings = {
            line for cell in cells for line in cell.source.splitlines() if line[:3] == "## "
        }
        assert f"## {heading}" in headings, f"{name}: {path.name} has no section {heading!r}"
    stems = {path.stem for path in (ROOT / "exercises" / "solutions").glob("*.ipynb")}
    assert set(_places.EXERCISES.values()) <= stems
    assert {name.split(".")[0] for name in TASKS} >= set(_places.EXERCISES)


# Progress


def test_progress_is_kept_beside_the_notebook_and_printed_in_order(capsys, tmp_path):
    check("10.3", 1234.5)
    check("1.1", 3.21234)
    check("1.1", "1.256")
    said(capsys)
    check.progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Exercise 1  1.1 solved (2), 1.2 -")
    assert any(line.startswith("Exercise 10  10.1 -, 10.2 -, 10.3 tried (1)") for line in lines)
    assert lines[-1].endswith("tasks solved. Next: 1.2.")
    assert [path.name for path in tmp_path.iterdir()] == [_progress.NAME]
    kept = (tmp_path / _progress.NAME).read_text()
    assert "3.21" not in kept, "an answer is kept as a mark, not as it is"
    assert set(json.loads(kept)["tasks"]) == {"1.1", "10.3"}


def test_next_is_the_first_that_is_not_solved_also_where_later_ones_are(capsys):
    check("1.2", TASKS["1.2"].answer())
    check("2.1", TASKS["2.1"].answer())
    said(capsys)
    check.progress()
    assert capsys.readouterr().out.splitlines()[-1].endswith("tasks solved. Next: 1.1.")


def test_progress_can_be_asked_for_one_exercise(capsys):
    check("1.1", "1.256")
    said(capsys)
    for exercise in ("9", "09", 9):
        check.progress(exercise)
        words = said(capsys)
        assert words.startswith("Exercise 9 9.1 -, 9.2 -") and "Exercise 1 " not in words
    check.progress("9.4")
    assert said(capsys).startswith("Exercise 9 9.1 -, 9.2 -")
    check.progress("capstone")
    assert said(capsys).startswith("Exercise C C.1 -")
    for exercise in ("x", [1], None, np.zeros(2)):
        check.progress(exercise)
        words = said(capsys)
        assert words.startswith("Progress There is no exercise")
        assert words.endswith("There are 1 to 18, and C for the capstone.")


def test_nothing_is_kept_of_blanks_and_of_what_cannot_be_read(tmp_path):
    check("1.1", ...)
    check("1.1", "forty")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tasks": 3}', '{"tasks": {"1.1": {"x": 1}}}'])
def test_a_spoiled_file_of_progress_is_begun_again(content, tmp_path, capsys):
    (tmp_path / _progress.NAME).write_text(content)
    assert check("1.1", "1.256") is True
    assert _progress.read()["1.1"].solved


def test_where_nothing_can_be_written_the_session_remembers(monkeypatch, capsys):
    monkeypatch.setattr(
        _progress.Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError)
    )
    made_up(Number(), 0.2)
    check("0.1", 0.61234)
    assert "smaller" in said(capsys)
    check("0.1", 0.71234)
    assert "smaller" not in said(capsys)


# Predicting before computing


def test_the_first_guess_is_kept_and_shown_beside_the_right_answer(capsys):
    made_up(Table(("age",)), BANDS)
    predict("0.1", ...)
    assert "No guess yet. Replace the dots" in said(capsys)
    predict("0.1", [0.5, 0.4])
    assert "No guess yet. Your answer has 2 values" in said(capsys)
    predict("0.1", [0.5, 0.4, 0.3])
    assert "Noted: 18-29 0.5, 30-64 0.4, 65+ 0.3." in said(capsys)
    predict("0.1", BANDS)
    stands = "Your first guess stands: 18-29 0.5"
    assert stands in said(capsys), "who knows the answer cannot guess again"
    assert check("0.1", BANDS)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert rows[1:] == [
        "guessed computed difference",
        "18-29 0.5 0.412 +0.088",
        "30-64 0.4 0.468 -0.068",
        "65+ 0.3 0.531 -0.231",
    ]
    predict("0.1", [0.1, 0.1, 0.1])
    assert "30-64 0.4 0.468 -0.068" in said(capsys), "once it is solved, the guess tells at once"
    assert predict("9.99", 1) is None


def test_one_guess_is_compared_in_a_sentence(capsys):
    made_up(Number(), 1.2146)
    predict("0.1", 1.5)
    said(capsys)
    assert check("0.1", 1.2146)
    asked = "0.1 Right. Yes. You guessed 1.5, and computed it is 1.21: too high by 0.29."
    assert said(capsys) == asked
    for name, guess in (("10.1", [0.05, 0.02, 0.01, 0.01]), ("18.3", 1.5)):
        predict(name, guess)
        said(capsys)
        assert check(name, TASKS[name].answer())
        assert re.search("computed.*0.0107|and computed it is 1.21", said(capsys))


def test_a_wrong_answer_shows_no_computed_value_beside_the_guess(capsys):
    made_up(Number(), 1.2146)
    predict("0.1", 1.5)
    said(capsys)
    assert not check("0.1", 1.7123)
    assert "1.21" not in said(capsys)


def test_a_guess_in_words_from_an_older_file_is_still_shown(capsys):
    made_up(Table(("age",)), BANDS)
    _progress.guess("0.1", "18-29 0.5, 30-64 0.4, 65+ 0.3")
    assert check("0.1", BANDS)
    assert said(capsys).endswith("You guessed 18-29 0.5, 30-64 0.4, 65+ 0.3.")


def test_a_guess_of_two_labels_is_read_again(capsys):
    made_up(Table(("group", "church"), any_scale=True), BY_TWO)
    predict("0.1", BY_TWO)
    assert check("0.1", BY_TWO)
    assert "White and weekly 0.235 0.235 +0.000" in said(capsys)


@pytest.mark.parametrize(
    ("name", "guess", "words"),
    [
        ("4.2", 72, "72 looks like per cent, and the task asks for a number in which 72% is 0.72."),
        ("10.1", [4, 1, 1, 1], "4 looks like per cent"),
        ("13.3", 90, "90 looks like per cent"),
    ],
)
def test_a_guess_in_another_unit_is_asked_for_again(name, guess, words, capsys, tmp_path):
    predict(name, guess)
    assert f"No guess yet. {words}" in said(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "guess"), [("4.2", "72%"), ("13.3", 1.5), ("2.5", 400)])
def test_a_guess_that_may_be_large_or_has_its_sign_is_taken(name, guess, capsys):
    predict(name, guess)
    assert re.search(r"Noted: (0.72|1.5|400)\.", said(capsys))


# Guessing


MORE, LESS = re.compile("larger|positive"), re.compile("smaller|negative")
FACTORS = {"twice what": 0.5, "half of what": 2, "ten times what": 0.1, "tenth of what": 10}
FACTORS |= {"in per cent": 0.01, "a hundredth": 100, "sign is not": -1}


def bisect(name: str, tries: int, capsys) -> bool:
    """Try to solve a task of one number by what is said of the numbers before."""
    low, high = (-4.0, 8.0) if abs(TASKS[name].answer()) < 8 else (0.0, 8000.0)
    chance = random.Random(name)
    guess = (low + high) / 2 + 1e-5
    for _ in range(tries):
        if check(name, guess):
            return True
        words = said(capsys)
        if MORE.search(words) or ("further" in words and guess > 0):
            low = guess
        elif LESS.search(words) or "closer to zero" in words:
            low, high = (low, guess) if guess > 0 else (guess, high)
        factors = [factor for slip, factor in FACTORS.items() if slip in words]
        informed = len(factors) > 0 or low == guess or high == guess
        middle = (low + high) / 2
        guess = guess * factors[0] if factors else middle if informed else chance.uniform(low, high)
    return False


ONE_NUMBER_TASKS = [name for name, each in TASKS.items() if isinstance(each.form, Number)]


def test_at_most_two_tasks_can_be_solved_by_guessing(capsys):
    solved = [name for name in ONE_NUMBER_TASKS if bisect(name, 15, capsys)]
    assert len(ONE_NUMBER_TASKS) > 20
    assert len(solved) <= 2, solved


def test_guessing_would_work_if_the_direction_were_said_each_time(capsys, monkeypatch):
    """The script above can bisect; it is the help in steps that stops it."""
    monkeypatch.setattr(_progress, "attempt", lambda *_: 1)
    solved = [name for name in ONE_NUMBER_TASKS if bisect(name, 15, capsys)]
    assert len(solved) > len(ONE_NUMBER_TASKS) / 2, solved
