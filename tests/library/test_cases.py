"""The library is right on other people's data, or says why not: all cases of `cases`."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest

from cases import CASES, Refused
from mrp_helpers import hajek_mean

matplotlib.use("Agg")
REFUSALS = (TypeError, ValueError, KeyError, RuntimeError, NotImplementedError)


def flat(value):
    """Numbers and words in one row, whatever holds them."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return [value]
    return [one for part in value for one in flat(part)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case):
    if isinstance(case.right, Refused):
        with pytest.raises(REFUSALS, match=case.right.words) as refusal:
            case.given()
        assert "\n" not in str(refusal.value)
        return
    found = case.given()
    right = case.right() if callable(case.right) else case.right
    assert np.shape(found) == np.shape(right)
    for one, other in zip(flat(found), flat(right), strict=True):
        assert one == (
            other if isinstance(other, str) else pytest.approx(other, rel=1e-6, abs=1e-9)
        )


def test_there_are_many_cases_and_no_two_have_a_name():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 120


def test_sources_are_addresses_of_one_thread():
    sources = {case.source for case in CASES if case.source}
    assert len(sources) >= 40
    for source in sources:
        host, owner, name, kind, number = source.removeprefix("https://").split("/")
        assert (host, kind in ("issues", "pull"), number.isdigit()) == ("github.com", True, True)
        assert owner and name


@pytest.mark.parametrize("names", list(itertools.product(["a", "b", None], repeat=2)))
def test_rows_are_the_same_where_no_name_says_otherwise(names):
    y, weight = (pd.Series([1, 0]).rename_axis(name) for name in names)
    if None in names or names[0] == names[1]:
        assert hajek_mean(y, weight + 1)[0] == pytest.approx(2 / 3)
    else:
        with pytest.raises(ValueError, match=r"one is named '[ab]', the other '[ab]'"):
            hajek_mean(y, weight + 1)
