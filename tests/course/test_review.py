"""Questions from two chapters back, with numbers drawn from a name."""

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest

from mrp_course import check
from mrp_course._judge import judge
from mrp_course._review import REVIEWS, question

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["Ada", "Bo", "", "Ümit Ö.", *(f"learner {number}" for number in range(296))]
every_review = pytest.mark.parametrize("exercise", REVIEWS)
a_class = pytest.mark.parametrize(
    "names",
    [
        pytest.param(NAMES[:40], id="40 names"),
        pytest.param(NAMES, id="300 names", marks=pytest.mark.proof),
    ],
)


def test_every_exercise_from_the_third_on_begins_with_a_review():
    assert {str(number) for number in range(3, 19)} <= set(REVIEWS)


@every_review
def test_each_learner_has_numbers_of_their_own_and_the_same_tomorrow(exercise):
    texts = {name: question(exercise, name)[0] for name in NAMES[:34]}
    assert len(set(texts.values())) > len(texts) - 3
    assert texts["Ada"] == question(exercise, "  ADA ")[0]


@every_review
@a_class
def test_the_answer_is_right_in_three_digits_and_each_mistake_is_explained(exercise, names):
    for name in names:
        _, task = question(exercise, name)
        right = float(task.answer())
        assert judge(task, float(f"{right:.3g}")).kind == "right", name
        assert len(task.mistakes) >= 3
        for mistake in task.mistakes:
            assert judge(task, mistake.make()).sentence == f"Not yet. {mistake.reason}", name


@every_review
@a_class
def test_a_neighbours_answer_is_refused(exercise, names):
    tasks = [question(exercise, name)[1] for name in names]
    accepted = [judge(mine, theirs.answer()).kind == "right" for mine, theirs in pairwise(tasks)]
    # Two learners may have nearly the same answer by chance, about one pair in forty.
    assert np.mean(accepted) < 0.08


@every_review
def test_extreme_draws_are_still_sensible(exercise):
    """No share outside 0 and 1, no negative number of people, no group without anybody."""
    for name in NAMES:
        text, task = question(exercise, name)
        shares = [float(number) for number in re.findall(r"([+-]?\d[\d.]*)%", text)]
        assert all(0 < share < 100 for share in shares), text
        assert not re.search(r"-\d[\d,]* (people|respondents|rows)", text)
        assert task.answer() > 0
        if "share between 0 and 1" in text:
            assert task.answer() < 1


@every_review
def test_a_review_is_written_in_sentences_and_in_round_numbers(exercise):
    for name in NAMES:
        text, task = question(exercise, name)
        reasons = [mistake.reason for mistake in task.mistakes]
        for sentence in (text, task.right, task.hint, *reasons):
            assert not re.search(r"\d\.\d{3}|\bnan\b|\binf\b|np\.|\s\s|\{", sentence), sentence
            assert re.match(r"[A-Z]", sentence) and sentence.endswith((".", "?")), sentence
        assert not re.search(r"\d{4}", text), f"a large number has no comma: {text}"


@every_review
def test_a_review_opens_its_exercise_and_is_about_two_chapters_back(exercise):
    chapter, _ = REVIEWS[exercise]
    assert chapter == int(exercise) - 2
    (path,) = (ROOT / "exercises" / "solutions").glob(f"{int(exercise):02}-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells]
    (place,) = [at for at, text in enumerate(sources) if "check.review(" in text]
    assert sources[place] == f'reviewed = check.review("{exercise}", "your name", ...)'
    assert sources[place - 1].startswith("Before you begin, here is a question from two chapters")
    assert place < next(at for at, text in enumerate(sources) if f"## {exercise}.1 " in text)
    (asked,) = [output["text"] for output in cells[place].outputs]
    assert " ".join(asked.split()) == f"Review {question(exercise, 'your name')[0]}"


def test_a_review_asks_then_judges_and_keeps_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert check.review("4", "Ada") is False
    assert "From chapter 2. In a sample" in capsys.readouterr().out
    _, task = question("4", "Ada")
    assert check.review("4", "Ada", task.answer()) is True
    assert check.review("4", "Ada", 1.2345) is False
    assert re.search("Right.*Not yet", capsys.readouterr().out, re.S)
    assert check.review("4", ...) is False and check.review("99", "Ada") is False
    assert "one of the exercises" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
