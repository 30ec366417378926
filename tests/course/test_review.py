"""Questions from two chapters back, with numbers drawn from a name."""

import re
from pathlib import Path

import nbformat
import pytest

from mrp_course import check
from mrp_course._judge import judge
from mrp_course._review import REVIEWS, question

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["Ada", "Bo", "", "Ümit Ö.", *(f"learner {number}" for number in range(30))]
every_review = pytest.mark.parametrize("exercise", REVIEWS)


@every_review
def test_each_learner_has_numbers_of_their_own_and_the_same_tomorrow(exercise):
    texts = {name: question(exercise, name)[0] for name in NAMES}
    assert len(set(texts.values())) > len(NAMES) - 3
    assert texts["Ada"] == question(exercise, "  ADA ")[0]


@every_review
@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_right_in_three_digits_and_each_mistake_is_explained(exercise, name):
    _, task = question(exercise, name)
    right = float(task.answer())
    assert judge(task, float(f"{right:.3g}")).kind == "right"
    assert len(task.mistakes) >= 3
    for mistake in task.mistakes:
        assert judge(task, mistake.make()).sentence == f"Not yet. {mistake.reason}"


@every_review
def test_a_review_opens_its_exercise_and_is_about_two_chapters_back(exercise):
    chapter, _ = REVIEWS[exercise]
    assert chapter == int(exercise) - 2
    (path,) = (ROOT / "exercises" / "solutions").glob(f"{int(exercise):02}-*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells]
    (place,) = [at for at, text in enumerate(sources) if "check.review(" in text]
    assert f'check.review("{exercise}", "your name", ...)' in sources[place]
    assert place < next(at for at, text in enumerate(sources) if "check(" in text)


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
