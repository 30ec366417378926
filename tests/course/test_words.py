"""Tasks of other kinds than computing: phrases, designs, and sentences with a rubric."""

import json
import re
from itertools import combinations
from pathlib import Path

import nbformat
import pytest

from mrp_course import _progress, check, write
from mrp_course._forms import Choice, Number
from mrp_course._judge import judge
from mrp_course._reader import Unreadable
from mrp_course._words import RUBRICS, Design, Marks, Phrase, by_eye, feedback, letters
from mrp_course.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((ROOT / "exercises" / "solutions").glob("*.ipynb"))
PHRASES = {name: each for name, each in TASKS.items() if isinstance(each.form, Phrase)}
SENTENCES = {name: rubric for name, rubric in RUBRICS.items() if rubric.samples}
DESIGNS = {name: each for name, each in TASKS.items() if isinstance(each.form, Design)}


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Each test begins as a learner who has tried nothing."""
    monkeypatch.chdir(tmp_path)


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def asked(name: str) -> str:
    """Read what the notebook of a task says, on one line and without Markdown's marks."""
    ids = {f"{kind}-{name.replace('.', '-')}" for kind in ("answer", "sentence")}
    for path in SOLUTIONS:
        cells = nbformat.read(path, as_version=4).cells
        if any(cell.id in ids for cell in cells):
            text = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
            return " ".join(re.sub(r"[*`>]", "", text).split())
    raise LookupError(name)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*`>]", "", text).split())


# What the notebook shows is what the check knows


@pytest.mark.parametrize("name", PHRASES)
def test_the_text_has_each_phrase_behind_its_letter(name):
    for letter, phrase in PHRASES[name].form.phrases.items():
        assert f"({letter}) {plain(phrase)}" in asked(name)


@pytest.mark.parametrize("name", RUBRICS)
def test_the_notebook_shows_criteria_and_samples(name):
    rubric = RUBRICS[name]
    shown = [f"{letter} {text}" for letter, text in rubric.criteria.items()]
    shown += [f"{sample} {each.text}" for sample, each in rubric.samples.items()]
    for text in shown:
        assert plain(text) in asked(name)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_notebook_lists_what_a_design_can_have(name):
    for part in DESIGNS[name].form.parts:
        assert f"| {part}" in asked(name)


@pytest.mark.parametrize("name", RUBRICS)
def test_each_rubric_has_its_cell_marked_by_the_teacher(name):
    ids = {f"sentence-{name.replace('.', '-')}"}
    cells = [c for path in SOLUTIONS for c in nbformat.read(path, as_version=4).cells]
    (cell,) = [c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") in ids]
    settings = cell.metadata["nbgrader"]
    assert settings["grade"] and settings["solution"]
    assert settings["points"] == (3 if name in SENTENCES else 5)
    assert f'write("{name}", mine, meets)' in cell.source


# Rubrics


@pytest.mark.parametrize("name", SENTENCES)
def test_a_rubric_is_small_and_each_sample_has_faults_of_its_own(name):
    rubric = RUBRICS[name]
    assert 3 <= len(rubric.criteria) <= 5
    assert len(rubric.samples) == 2
    met = [frozenset(sample.meets) for sample in rubric.samples.values()]
    assert met[0] != met[1] and all(0 < len(one) < len(rubric.criteria) for one in met)
    for sample in rubric.samples.values():
        assert len(sample.reasons) == len(rubric.criteria)
        assert set(sample.meets) <= set(rubric.criteria)
        assert all(reason.endswith(".") for reason in sample.reasons)


def test_marks_that_differ_are_all_explained(capsys):
    right = TASKS["9.6"].answer()
    check("9.6", {"first": right["first"] + "d", "second": "a d"})
    words = said(capsys)
    assert "8 of 10 marks are like ours. The first one does not meet d:" in words
    assert "The second one meets e:" in words


@pytest.mark.parametrize("marks", ["abc", {"first": "a"}, {"first": "x", "second": "a"}, [1, 2], 3])
def test_what_are_no_marks_is_refused_in_words(marks):
    verdict = judge(TASKS["9.6"], marks)
    assert verdict.kind == "unreadable"
    assert "letters" in verdict.sentence or "criterion" in verdict.sentence


def test_letters_are_read_in_many_forms():
    criteria = dict.fromkeys("abcde", "It is.")
    for marks in ("ace", "a, c, e", "A C E", ["a", "c", "e"], "a; c and e"):
        assert letters(marks, criteria) == "ace"
    assert letters("none", criteria) == letters("", criteria) == letters([], criteria) == ""
    with pytest.raises(Unreadable, match="no criterion 'f'"):
        letters("a f", criteria)


# A sentence of one's own

MINE = "Some sixty per cent of the adult citizens of Idaho are for it."


def test_a_sentence_is_kept_with_its_marks_and_lacks_what_they_lack(capsys, tmp_path):
    write("9.6", MINE, "a b")
    words = said(capsys)
    assert "By your marks it meets 2 of 5 criteria." in words
    assert "Still to do: c (" in words and "Ours" not in words
    kept = json.loads((tmp_path / _progress.NAME).read_text())["tasks"]["9.6"]
    assert (kept["written"], kept["meets"]) == (MINE, "ab")
    write("9.6", MINE + " So I think.", "a b c d e")
    assert f"Ours, to compare: {RUBRICS['9.6'].ours}" in said(capsys)
    assert _progress.read()["9.6"].written.endswith("So I think.")
    check.progress()
    assert "9.6 tried (0), sentence written" in said(capsys)


@pytest.mark.parametrize("unmarked", ["", " ", "...", []])
def test_a_sentence_without_marks_is_kept_and_its_criteria_are_asked(unmarked, capsys):
    write("9.6", MINE, unmarked)
    words = said(capsys)
    assert words.startswith("9.6 Kept. Now mark it: which of these does it meet? (a) It says whose")
    for letter, text in RUBRICS["9.6"].criteria.items():
        assert f"({letter}) {text}" in words
    assert 'such as "a e", or "none", and run the cell again.' in words
    assert "0 of 5" not in words
    assert _progress.read()["9.6"].written == MINE
    write("9.6", MINE, "none")
    assert "By your marks it meets 0 of 5 criteria. Still to do: a (" in said(capsys)


def test_progress_shows_what_only_its_writer_marks_and_counts_it_when_all_is_met(capsys):
    check.progress("C")
    assert "C.6 -, C.7 -, C.8 -" in said(capsys)
    write("C.7", MINE, "a b")
    said(capsys)
    check.progress()
    words = said(capsys)
    assert "C.7 written, by your marks 2 of 5 criteria, C.8 -" in words
    assert f"0 of {len(TASKS) + 2} tasks solved." in words
    write("C.7", MINE, "a b c d e")
    said(capsys)
    check.progress()
    assert f"1 of {len(TASKS) + 2} tasks solved. Next: 1.1." in said(capsys)


@pytest.mark.parametrize(
    ("sentence", "meets", "words"),
    [
        (..., "", "Nothing written yet."),
        ("...", "", "Nothing written yet."),
        ("Yes.", "a", "That is too short for its criteria: write at least 8 words."),
        (3, "a", "This is not text. Write a sentence, in quotes."),
        (MINE, "z", "There is no criterion"),
        (MINE, 3, "Give the letters"),
    ],
)
def test_what_is_no_sentence_is_not_kept(sentence, meets, words, capsys, tmp_path):
    write("9.6", sentence, meets)
    assert words in said(capsys)
    assert not list(tmp_path.iterdir())


def test_a_task_without_a_sentence_says_which_have_one(capsys):
    write("1.1", MINE)
    words = said(capsys)
    assert "asks for no sentence" in words and "'9.6'" in words
    assert write(None, MINE) is None


def test_where_nothing_is_missing_ours_is_shown_or_another_reader_asked_for():
    assert feedback(RUBRICS["15.6"], "abcde").endswith(RUBRICS["15.6"].ours)
    assert feedback(RUBRICS["C.7"], "abcde").endswith("Let somebody else mark it by the same ones.")


# Phrases and designs


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_is_found_by_its_own_words(name):
    task = PHRASES[name]
    for letter, phrase in task.form.phrases.items():
        assert task.form.read(f" {phrase.upper()}. ", None) == letter
    for vague in ("because", "the", "of", "A or B", 3):
        with pytest.raises(Unreadable, match="letter of one phrase"):
            task.form.read(vague, None)


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_that_keeps_the_rules_is_right_and_others_hear_the_first_broken(name):
    task, rights = DESIGNS[name], 0
    for size in range(1, len(task.form.parts) + 1):
        for parts in combinations(task.form.parts, size):
            broken = [rule for rule in task.form.rules if not rule.holds(frozenset(parts))]
            verdict = judge(task, list(parts))
            rights += not broken
            expected = broken[0].reason if broken else task.right
            assert verdict.sentence.endswith(expected), parts
    assert rights >= 2, "a design with one right answer is a puzzle"


def test_a_right_design_hears_what_it_is(capsys):
    least = ["state", "age", "education", "party"]
    assert check("12.6", least)
    assert "Right. Your frame has 4,500 rows; gender would have room besides." in said(capsys)
    assert check("12.6", [*least, "gender"])
    assert "Right. Your frame has 9,000 rows: gender was not necessary" in said(capsys)


@pytest.mark.parametrize("name", DESIGNS)
def test_a_part_that_is_named_twice_is_no_design(name, capsys):
    parts = list(DESIGNS[name].answer())
    for twice in ([*parts, parts[-1]], f"{', '.join(parts)}, {parts[-1].upper()}"):
        assert not check(name, twice)
        assert f"Not yet. {parts[-1]!r} is in your list more than once." in said(capsys)


@pytest.mark.parametrize("name", DESIGNS)
def test_each_rule_is_broken_alone_by_its_example(name):
    for at, rule in enumerate(DESIGNS[name].form.rules, start=1):
        assert DESIGNS[name].form.read(rule.broken_by, None).breaks == at


def test_a_number_from_a_figure_has_the_tolerance_of_the_eye():
    form = TASKS["10.5"].form
    assert isinstance(form, Number) and form.within == by_eye(0, 1) == 0.02


# Every exercise asks for more than numbers


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_exercise_has_a_task_of_another_kind_than_computing(path):
    cells = nbformat.read(path, as_version=4).cells
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in cells]
    names = [".".join(each.split("-")[1:]) for each in ids if each.startswith("check-")]
    others = [
        each for each in names if isinstance(TASKS[each].form, Choice | Phrase | Design | Marks)
    ]
    guesses = [cell for cell in cells if cell.source.startswith("predict(")]
    assert others or guesses
