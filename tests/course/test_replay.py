"""A student's 1,229 answers, written without a look at the code: what `check` makes of them.

The answers and the judgements of what is said to them are in `replay.jsonl`; `tools/replay.py`
hands them in, and stores judgements.
"""

from collections import Counter

import pytest

from tools.replay import JUDGEMENTS, Replayed, replay

# Wrong answers that are accepted, by their numbers, and why that does no harm.
ACCEPTED: dict[int, str] = {}
# Right answers that are refused, and why.
REFUSED: dict[int, str] = {}


@pytest.fixture(scope="module")
def all_answers() -> list[Replayed]:
    return list(replay())


@pytest.fixture(scope="module")
def wrong(all_answers) -> list[Replayed]:
    return [each for each in all_answers if each.line["verdict"] == "wrong"]


@pytest.fixture(scope="module")
def judged(wrong) -> Counter:
    return Counter(each.line["judged"] for each in wrong if "judged" in each.line)


def test_there_are_answers_to_judge(all_answers, wrong):
    assert len(wrong) == 865
    assert len(all_answers) - len(wrong) == 364


def test_no_wrong_answer_is_accepted(wrong):
    accepted = {each.number: str(each) for each in wrong if each.verdict.kind == "right"}
    assert set(accepted) == set(ACCEPTED), accepted


def test_a_right_answer_is_accepted_in_any_form(all_answers):
    right = [each for each in all_answers if each.line["verdict"] == "right"]
    refused = {each.number: str(each) for each in right if each.verdict.kind != "right"}
    assert set(refused) == set(REFUSED), refused
    assert len(refused) <= 0.05 * len(right)


def test_what_is_said_to_wrong_answers_is_what_was_judged(wrong):
    new = [str(each) for each in wrong if each.line.get("shown") != each.mark]
    shown = "\n".join(new[:20])
    assert not new, f"read these {len(new)} and judge them with python -m tools.replay:\n{shown}"


def test_mistakes_are_named_and_none_is_attributed_that_was_not_made(wrong, judged):
    assert set(judged) <= set(JUDGEMENTS)
    assert judged.total() == len(wrong) - len(ACCEPTED)
    assert judged["named"] >= 0.60 * len(wrong), judged
    assert judged["unhelpful"] <= 0.08 * len(wrong), judged
    assert judged["misattributed"] <= 0.03 * len(wrong), judged


def test_nothing_that_is_said_equals_a_refusal_without_a_word(wrong):
    silent = [str(each) for each in wrong if len(each.says[0]) < 40 or len(each.says[1]) < 40]
    assert not silent, silent
