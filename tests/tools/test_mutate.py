"""The score of a sample of mutants."""

import pytest

from tools.mutate import score


def test_a_module_counts_by_all_its_mutants():
    told = score({"a": [True, True], "b": [True, False]}, {"a": 30, "b": 10}).splitlines()
    assert "2 of 2 killed, of 30 mutants" in told[0] and "1 of 2 killed, of 10" in told[1]
    share, error = 35 / 40, 0.0
    for number in (30, 10):
        error += (number / 40) ** 2 * (1 - 2 / number) / 2 * share * (1 - share)
    assert told[2] == f"{share:.1%} of all killed, standard error {error**0.5:.1%}"


@pytest.mark.parametrize("killed", [True, False])
def test_a_sample_of_all_has_no_error(killed):
    assert score({"a": [killed] * 5}, {"a": 5}).endswith("standard error 0.0%")
