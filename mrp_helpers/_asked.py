"""What is asked about each group: a mean, shares of levels, a share below a line, quantiles."""

from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mrp_helpers._bambi import Regression
from mrp_helpers._families import FAMILIES, Bracket, arguments
from mrp_helpers._labels import level_key
from mrp_helpers._require import listing


class Asked(NamedTuple):
    """What is asked about each group.

    Parameters
    ----------
    number : int
        How many values.
    arguments : list of str
        The parameters of the family that they take.
    function : callable
        Gives the values (number x cells x samples), for their mean over the population; of
        quantiles, the probability of at most `y` (cells x samples).
    between : dict of str to list
        The dimension between groups and samples, where the result has one.
    weights : numpy.ndarray or None
        What a sum of the values has them multiplied by, where that is the result.
    bracket : callable or None
        Between which numbers a cell's quantile is, where quantiles are asked for.
    probabilities : numpy.ndarray
        The probabilities of quantiles.
    least : float
        What no outcome is below.
    """

    number: int
    arguments: list[str]
    function: Callable[..., np.ndarray]
    between: dict[str, list[Any]]
    weights: np.ndarray | None = None
    bracket: Callable[..., Bracket] | None = None
    probabilities: np.ndarray = np.empty(0)
    least: float = -np.inf


def asked(parts: Regression, scores: Any, below: Any, quantiles: Any) -> Asked:
    """Make of the arguments what is asked; refuse what the family does not have."""
    given = {"scores": scores, "below": below, "quantiles": quantiles}
    several = [name for name, value in given.items() if value is not None]
    if len(several) > 1:
        raise ValueError(f"{' and '.join(several)} are given; ask for one of them at a time")
    if below is not None:
        return _shares_below(parts, below)
    if quantiles is not None:
        return _quantiles(parts, quantiles)
    return _expected(parts, _weights_of_levels(scores, parts))


def _expected(parts: Regression, weights: np.ndarray | None) -> Asked:
    """The mean, or the share of each level, or the mean of their weights."""
    function = FAMILIES[parts.family].expected
    between = {"outcome": parts.levels} if parts.levels and weights is None else {}

    def expected(_: np.ndarray, **values: Any) -> np.ndarray:
        return function(**values)

    return Asked(max(1, len(parts.levels)), arguments(function), expected, between, weights)


def _shares_below(parts: Regression, below: Any) -> Asked:
    lines = _numbers(below, "below")
    at_most = _distribution(parts, "at_most", "the share below a line")
    # Exactly on the line is not below it, which counts and heaps of zeros can tell.
    just_below = np.nextafter(lines, -np.inf)

    def shares(_: np.ndarray, **values: Any) -> np.ndarray:
        return np.stack([at_most(line, **values) for line in just_below])

    between = {} if isinstance(below, Real) else {"below": lines}
    return Asked(len(lines), arguments(at_most), shares, between)


def _quantiles(parts: Regression, quantiles: Any) -> Asked:
    probabilities = _numbers(quantiles, "quantiles")
    if not all(0 < one < 1 for one in probabilities):
        raise ValueError(
            f"quantiles is {quantiles!r}; each is a probability between 0 and 1, such as 0.5"
        )
    bracket = _distribution(parts, "bracket", "a quantile")
    at_most = _distribution(parts, "at_most", "a quantile")
    return Asked(
        len(probabilities),
        arguments(at_most),
        at_most,
        between={} if isinstance(quantiles, Real) else {"quantile": probabilities},
        bracket=bracket,
        probabilities=np.array(probabilities),
        least=FAMILIES[parts.family].least,
    )


def _numbers(given: Any, what: str) -> list[float]:
    """List finite numbers, of which none is given twice."""
    values = [given] if isinstance(given, Real) else given
    if not isinstance(values, Iterable):
        raise TypeError(f"{what} is {given!r}; pass a number, or a list of numbers")
    numbers = list(values)
    for value in numbers:
        if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
            raise TypeError(f"{what} is {given!r}; pass a number, or a list of numbers")
        if not np.isfinite(float(value)):
            raise ValueError(f"{what} holds {value!r}; pass finite numbers")
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{what} is {given!r}; list one number or more, each once")
    return [float(value) for value in numbers]


def _distribution(parts: Regression, what: str, said: str) -> Callable[..., Any]:
    """A function of a family's distribution, if it has one."""
    function: Callable[..., Any] | None = getattr(FAMILIES[parts.family], what)
    if parts.levels:
        raise ValueError(
            f"the outcome has levels ({listing(parts.levels)}), and so not {said}; sum the shares "
            "of some levels, or pass scores for a mean"
        )
    if function is None:
        able = [name for name, family in FAMILIES.items() if getattr(family, what)]
        raise NotImplementedError(
            f"{said} is not computed for the family {parts.family!r}; families for which it is: "
            f"{', '.join(able)}"
        )
    return function


def _weights_of_levels(
    scores: Mapping[Any, float] | pd.Series | None, parts: Regression
) -> np.ndarray | None:
    """The score of each level of the outcome, in the model's order."""
    if scores is None:
        return None
    if not isinstance(scores, Mapping | pd.Series):
        raise TypeError(
            f"scores is of type {type(scores).__name__}; pass a dict, or a Series indexed by the "
            "levels of the outcome"
        )
    if not parts.levels:
        raise ValueError(
            f"scores belong to an outcome with levels, and the family {parts.family!r} has a mean "
            "of its own; leave scores out"
        )
    given_levels = list(scores.keys())
    given = {level_key(level): score for level, score in scores.items()}
    known = {level_key(level) for level in parts.levels}
    missing = [level for level in parts.levels if level_key(level) not in given]
    unknown = [level for level in given_levels if level_key(level) not in known]
    if missing or unknown or len(given) < len(scores):
        twice = "; a level is listed twice" if len(given) < len(scores) else ""
        raise ValueError(
            f"scores name {listing(given_levels)}, and the levels of the outcome are "
            f"{listing(parts.levels)}{twice}; give each of them one number"
        )
    for level, score in scores.items():
        number = isinstance(score, Real) and not isinstance(score, bool | np.bool_)
        if not number or not np.isfinite(float(score)):
            raise ValueError(f"scores: level {level!r} has {score!r}; give it a finite number")
    return np.array([float(given[level_key(level)]) for level in parts.levels])
