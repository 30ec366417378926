"""Every task of the exercises, from both sides: what must pass passes, what is wrong is explained.

A task is tried as learners would: untouched, solved, solved in other words, with each known
mistake, and with things that are no answer at all, of the strangest kinds.
"""

import ast
import contextlib
import io
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrp_course import check
from mrp_course._forms import Choice, Labels, Names, Number, Table
from mrp_course._judge import judge
from mrp_course._task import Mistake, Task, made, options, task
from mrp_course._words import Design, Marks, Phrase
from mrp_course.tasks import TASKS, _world
from mrp_helpers import data as data_module
from mrp_helpers import poststratify

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
MISTAKES = {
    f"{name}-{number}": (task, mistake)
    for name, task in TASKS.items()
    for number, mistake in enumerate(task.mistakes, start=1)
}


@pytest.fixture(autouse=True)
def no_sampling(monkeypatch):
    """A check that samples a model fails."""

    def refuse(*args, **kwargs):
        raise AssertionError("a check samples a model; let it read a stored fit")

    monkeypatch.setattr(bmb.Model, "fit", refuse)


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Each test begins as a learner who has tried nothing."""
    monkeypatch.chdir(tmp_path)


def said(capsys) -> str:
    """What was printed since the last look, on one line."""
    return " ".join(capsys.readouterr().out.split())


def shuffled(values):
    order = np.random.default_rng(1).permutation(len(values))
    return values.iloc[order] if isinstance(values, pd.Series) else [values[i] for i in order]


def legitimate_forms(task: Task):
    """Write the right answer in the ways in which learners may hold it."""
    right = task.answer()
    match task.form:
        case Number():
            yield from (float(right), np.float64(right), np.array([right]), pd.Series([right]))
            yield from (right + 1e-6, right - 1e-6, xr.DataArray(right), pd.DataFrame([[right]]))
        case Table(keys=keys, value=value):
            series = task.form.read(right, None).values
            labels = pd.DataFrame(
                [key if isinstance(key, tuple) else (key,) for key in series.index],
                columns=list(keys),
            )
            table = labels.assign(**{value: series.to_numpy()})
            yield from (series.to_dict(), series.to_numpy(), series.tolist())
            yield from (shuffled(series), series + 1e-6, series - 1e-6)
            yield from (table, table.sample(frac=1, random_state=1), table.set_index(list(keys)))
            yield table.assign(another=1.0)
            if len(keys) == 2:
                yield table.pivot(index=keys[0], columns=keys[1], values=value)
            if len(keys) == 1:
                yield xr.DataArray(series.to_numpy(), {keys[0]: series.index}, dims=keys)
            if task.form.any_scale:
                yield from (series * 1000, series / series.mean())
        case Labels(keys=keys, value=value):
            series = pd.Series(right)
            yield from (series.to_dict(), shuffled(series), series.rename(value))
        case Names(column=column):
            names = list(right)
            yield from (names, tuple(names), set(names), np.array(names), pd.Index(names))
            yield from (shuffled(names), pd.Series(names), pd.DataFrame({column: names}))
        case Choice():
            yield from (right, right.upper(), right.lower(), f" {right} ")
        case Phrase(phrases=phrases):
            yield from (right, right.lower(), f"({right})", phrases[right], phrases[right][:20])
        case Design():
            parts = list(right)
            yield from (parts, set(parts), np.array(parts), ", ".join(parts), shuffled(parts))
        case Marks():
            yield from (list(right.values()), pd.Series(right), str(right))
            yield {name: list(letters) for name, letters in right.items()}
            yield {name: ", ".join(letters.upper()) for name, letters in right.items()}


@every_task
def test_the_untouched_stub_is_not_answered_yet(task, capsys):
    for stub in (..., "...", [..., ...], {"one": ...}, {"one": "..."}):
        assert check(task.exercise_id, stub) is False
        assert "Not answered yet." in said(capsys)


@every_task
def test_the_solution_is_right_and_says_why_it_matters(task, capsys):
    assert check(task.exercise_id, task.answer()) is True, said(capsys)
    own = isinstance(task.form, Design) and task.form.praise(judge(task, task.answer()).given)
    assert said(capsys) == " ".join(
        [task.exercise_id, "Right.", *([own] if own else []), task.right]
    )


@every_task
def test_the_solution_is_right_in_other_forms_too(task, capsys):
    forms = list(legitimate_forms(task))
    assert len(forms) >= 3
    for form in forms:
        assert check(task.exercise_id, form), f"{type(form)} is refused: {said(capsys)}\n{form}"


@pytest.mark.parametrize(("task", "mistake"), MISTAKES.values(), ids=list(MISTAKES))
def test_each_known_mistake_is_refused_with_its_own_explanation(task, mistake, capsys):
    verdict = check(task.exercise_id, made(mistake.make))
    assert verdict is False, f"this mistake gives the right answer: {mistake.reason}"
    assert said(capsys) == f"{task.exercise_id} Not yet. {mistake.reason}"


@cache
def garbage() -> dict[str, object]:
    return {
        "None": None,
        "NaN": float("nan"),
        "text": "forty",
        "empty text": "",
        "empty table": pd.DataFrame(),
        "empty list": [],
        "function": print,
        "class": dict,
        "object": object(),
        "complex": 1j,
        "date": pd.Timestamp(2018, 11, 6),
        "nested": [[1, 2], [3]],
        "table of text": pd.DataFrame({"state": ["AL", "AL"], "estimate": ["a", "b"]}),
        "huge table": pd.DataFrame(np.zeros((1_000_000, 3)), columns=["state", "n", "estimate"]),
        "huge array": np.zeros(3_000_000),
        "all NaN": pd.Series([np.nan] * 50),
    }


@every_task
def test_what_is_no_answer_is_refused_in_words(task, capsys):
    for name, thing in garbage().items():
        assert check(task.exercise_id, thing) is False, f"{name} passes as the answer"
        words = said(capsys)
        assert words.startswith(f"{task.exercise_id} Not yet. "), f"{name}: {words}"
        assert len(words) > 30, f"{name} is refused without a reason: {words}"
        assert "Traceback" not in words


# What makes a learner wait: reading files, writing down a model, summing over a frame.
SLOW_STEPS = [
    (data_module, "verified_bytes"),
    (xr, "load_datatree"),
    (bmb.Model, "__init__"),
    (sys.modules[poststratify.__module__], "Outcomes"),
]


@every_task
def test_a_second_check_loads_and_computes_nothing(task, monkeypatch, capsys):
    answers = [task.answer(), *(made(mistake.make) for mistake in task.mistakes)]
    for answer in answers:
        check(task.exercise_id, answer)

    def refuse(*args, **kwargs):
        raise AssertionError("the second check does again what the first one did: cache it")

    for place, name in SLOW_STEPS:
        monkeypatch.setattr(place, name, refuse)
    made_before = made.cache_info().misses
    for answer in answers:
        check(task.exercise_id, answer)
    assert made.cache_info().misses == made_before, "an answer or a mistake was computed again"


@every_task
def test_a_task_explains_itself(task):
    assert len(task.mistakes) >= 3, "declare at least three mistakes that learners make"
    reasons = [mistake.reason for mistake in task.mistakes]
    assert len(set(reasons)) == len(reasons), "two mistakes have the same explanation"
    for sentence in [task.right, task.hint, *reasons]:
        assert not sentence[0].islower(), sentence
        assert sentence.endswith((".", "?", ")")), sentence
        assert len(sentence) < 330, f"too long to be read below a cell: {sentence}"


MODULES = sorted(Path(_world.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_what_makes_an_answer_has_a_name_or_fits_on_a_line(module):
    """A traceback names the function that failed; of a lambda it can only show the line."""
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    long = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Lambda) and node.end_lineno > node.lineno
    ]
    assert not long, f"{module.name}: name the functions that begin in lines {long}"
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
    assert not [name for name in names if not name.strip("_")]
    assert len(set(names)) == len(names), f"{module.name}: two functions have one name"


def test_a_mistake_is_made_from_nothing_or_from_the_right_answer(monkeypatch):
    monkeypatch.setattr("mrp_course._task.TASKS", {})
    declared = task(
        "0.1",
        Number(),
        answer=lambda: 2.0,
        right="Yes.",
        hint="Add.",
        mistakes=[("One.", lambda: 1.0), ("Twice.", lambda right: 2 * right)],
    )
    assert [made(mistake.make) for mistake in declared.mistakes] == [1.0, 4.0]
    with pytest.raises(ValueError, match="task '0.1' is declared twice"):
        task("0.1", Number(), answer=lambda: 2.0, right="", hint="", mistakes=[])


def test_the_wrong_options_of_a_choice_are_mistakes():
    made_by = {reason: make() for reason, make in options(A="No.", C="No, no.")}
    assert made_by == {"No.": "A", "No, no.": "C"}


def test_an_exercise_has_a_number_of_tasks_that_fits_its_minutes():
    in_each = Counter(name.split(".")[0] for name in TASKS)
    wrong = {name: count for name, count in in_each.items() if not 4 <= count <= 6}
    assert not wrong, (
        f"exercise: number of tasks {wrong}; each has four to six, done within 45 minutes: "
        "put the new one in the place of another"
    )
    assert len(in_each) >= 10, in_each


def test_there_are_enough_tasks_and_mistakes():
    assert len(TASKS) >= 45
    assert len(MISTAKES) >= 150


@pytest.fixture(scope="module")
def another_run():
    """Solve the tasks with a quarter of the draws: noisier than the same fit with another seed.

    Between a chain and all four lie 1.2 times the Monte Carlo error that lies between two runs.
    """
    cached = [getattr(_world, name) for name in dir(_world)]
    cached += [
        member
        for task in TASKS.values()
        for member in task.solve.__globals__.values()
        if hasattr(member, "cache_clear")
    ]
    cached = [member for member in cached if hasattr(member, "cache_clear")]
    whole = _world.draws
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_world, "draws", lambda name: whole(name).isel(chain=[1]))
        for member in cached:
            member.cache_clear()
        yield {name: task.solve() for name, task in TASKS.items()}
    for member in cached:
        member.cache_clear()


@pytest.mark.proof
@every_task
def test_another_run_of_the_sampler_is_as_right(task, another_run, capsys):
    assert check(task.exercise_id, another_run[task.exercise_id]), said(capsys)


def test_rounded_per_cents_are_recognised(capsys):
    high_risk = (100 * TASKS["1.2"].answer()).round(1)
    assert check("1.2", high_risk) is False
    assert "in per cent" in said(capsys)


def test_a_declared_mistake_that_equals_the_answer_would_be_noticed(capsys):
    task = TASKS["1.1"]
    false_mistake = Mistake("This is wrong.", task.solve)
    assert check("1.1", made(false_mistake.make)) is True
    assert "This is wrong." not in said(capsys)


def test_an_unknown_task_is_named_with_those_that_exist(capsys):
    assert check("1.99", 1) is False
    assert "There is no such task" in said(capsys)
    assert check(None, 1) is False
    assert "'1.1'" in said(capsys)


def test_per_cent_is_recognised_in_as_many_digits_as_are_printed(capsys):
    right = TASKS["C.1"].answer()
    assert not check("C.1", round(100 * right, 1))
    assert "This is in per cent." in said(capsys)
    assert not check("C.1", round(100 * right))
    assert "This is in per cent." not in said(capsys)


class Hostile:
    """An answer that fails whatever is asked of it."""

    def _fail(self, *_):
        raise RuntimeError("no")

    __len__ = __iter__ = __eq__ = __bool__ = __float__ = __array__ = __getattr__ = __repr__ = _fail
    __hash__ = None


NUMBERS = st.one_of(st.integers(), st.floats(), st.booleans(), st.complex_numbers())
WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["AL", "White", "18-29", "state", "n"]))
STRANGE = st.sampled_from(
    [None, ..., Hostile, len, NotImplemented, np.nan, pd.NA, pd.NaT, b"\xff", range(3),
     np.array(1), np.array([[1, 2]]), np.array(["a"], dtype=object), np.datetime64("2020-01-01"),
     pd.Series(dtype=float), pd.Series([1, 1], index=["a", "a"]), pd.DataFrame(),
     pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"state": ["AL"], "estimate": ["x"]}),
     pd.Series([1.0], index=pd.MultiIndex.from_tuples([("AL", 1)])), pd.Series([[1], {2: 3}]),
     pd.Categorical(["a", None]), xr.DataArray(np.zeros((2, 3, 4))), xr.Dataset(), 10**400]
)  # fmt: skip
ANSWERS = st.recursive(
    # Hypothesis itself would stumble over a hostile object, if it saw one before the test.
    st.one_of(NUMBERS, WORDS, STRANGE, st.none().map(lambda _: Hostile())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(WORDS, inner, max_size=5),
        st.lists(inner, max_size=5).map(lambda values: pd.Series(values, dtype=object)),
        st.dictionaries(WORDS, NUMBERS, max_size=5).map(pd.Series),
        st.lists(st.tuples(WORDS, NUMBERS), max_size=5).map(
            lambda rows: pd.DataFrame(rows, columns=["state", "estimate"])
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(task=st.one_of(st.sampled_from(sorted(TASKS)), WORDS, STRANGE), answer=ANSWERS)
def test_check_never_raises(task, answer):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        verdict = check(task, answer)
    assert verdict is True or verdict is False
    assert said.getvalue().strip()
