"""What calls say to names that are spelled otherwise, or that nothing has, and after an error."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from mrp_course import check, predict, write
from mrp_course._names import normal
from mrp_course._review import REVIEWS


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Each test begins as a learner who has tried nothing."""
    monkeypatch.chdir(tmp_path)


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (9.4, "9.4"), (4, "4"), ("04", "4"), ("9,4", "9.4"), (" 9.4 ", "9.4"), ("09-4", "9.4"),
        ("Task 9.4", "9.4"), ("c.1", "C.1"), ("'C.7'", "C.7"), ("", ""), (None, ""), (True, ""),
        ([], ""), ("0", "0"), ("C6", "C.6"), ("capstone.6", "C.6"), ("Capstone", "C"),
    ],
)  # fmt: skip
def test_a_name_is_understood_in_other_spellings(asked, name):
    assert normal(asked) == name


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (9.4, """text, in quotes: "9.4". Write check("9.4", ...). It is in 09-limits.ipynb."""),
        ("9,4", """Its name is "9.4". Write check("9.4", ...). It is in 09-limits.ipynb."""),
        ("c.1", """Its name is "C.1". Write check("C.1", ...). It is in capstone.ipynb."""),
        ("9.7", "has the tasks '9.1' to '9.6', in 09-limits.ipynb; the nearest in name is '9."),
        ("9", "This is an exercise, and one of its tasks is wanted. Exercise 9 has the tasks"),
        ("C.7", """You mark C.7 yourself, by its rubric"""),
        ("C.7", """call write("C.7", mine, meets). It is in capstone.ipynb."""),
        ("nothing", "There is no such task. A task is called by its exercise and its number"),
        (None, "in quotes, such as '1.1'; the exercises are 1 to 18 and C."),
    ],
)
def test_an_unknown_name_hears_which_is_meant_where_it_is_and_how_it_is_spelled(
    asked, words, capsys
):
    assert check(asked, 1) is False
    answer = said(capsys)
    assert words in answer
    assert len(answer) < 250, "a list of all tasks helps nobody"


def test_guesses_and_sentences_say_the_same(capsys):
    predict(10.1, 1)
    assert 'Write predict("10.1", ...). It is in 10-hundreds-of-samples.ipynb.' in said(capsys)
    write(9.6, "A sentence that is long enough to be one of the course.")
    assert 'Write write("9.6", ...). It is in 09-limits.ipynb.' in said(capsys)


def test_a_call_without_an_answer_is_an_answer_not_yet_given(capsys):
    assert check("9.4") is False
    predict("10.1")
    write("9.6")
    words = said(capsys)
    for begun in ("Not answered yet.", "No guess yet.", "Nothing written yet."):
        assert begun in words


def test_a_review_says_what_it_lacks(capsys):
    assert check.review("9") is False
    assert 'as in check.review("9", "your name", ...)' in said(capsys)
    assert check.review("9", 0.6) is False
    assert "Give your name or any word first" in said(capsys)
    assert check.review("1", "Ada") is False
    assert "1 begins without a question; the exercises '3' to '18' have one." in said(capsys)
    assert check.review("x", "Ada") is False
    assert "Give one of the exercises '3' to '18', and then your name." in said(capsys)
    assert sorted(map(int, REVIEWS)) == list(range(3, 19)), "the message names the ends alone"


@pytest.mark.parametrize("exercise", ["04", 4, "exercise 4"])
def test_a_review_is_found_by_another_spelling(exercise, capsys):
    check.review("4", "Ada")
    question = said(capsys)
    check.review(exercise, "Ada")
    assert said(capsys) == question


# After an error


@pytest.fixture
def shell():
    """A notebook's shell, in which cells are run."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_letter_without_quotes_is_told_from_the_answer_before(shell, capsys):
    shell.run_cell("from mrp_course import check\nsentence = 'A'", store_history=True)
    shell.run_cell("sentence = B", store_history=True)
    capsys.readouterr()
    shell.run_cell("correct = check('13.5', sentence)", store_history=True)
    words = said(capsys)
    assert "ended in an error (NameError), so that this may be about an earlier answer." in words
    assert 'Write the letter in quotes, "B", and run that cell again.' in words
    shell.run_cell("sentence = 'D'", store_history=True)
    shell.run_cell("correct = check('13.5', sentence)", store_history=True)
    assert said(capsys).startswith("13.5 Right.")


def test_an_error_of_another_kind_is_said_without_advice_on_letters(shell, capsys):
    shell.run_cell("from mrp_course import check\nshare = 1 / 0", store_history=True)
    capsys.readouterr()
    shell.run_cell("check('13.5', 'A'); check('1.1', 3)", store_history=True)
    words = said(capsys)
    assert words.count("ended in an error (ZeroDivisionError)") == 2
    assert "in quotes" not in words
