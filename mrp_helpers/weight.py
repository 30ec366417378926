"""Weights that make a sample's composition the population's: raking, and what weights cost."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from mrp_helpers._require import (
    listing,
    require_columns,
    require_counts,
    require_type,
    require_whole,
)


class _Margin(NamedTuple):
    """One margin of the population, in the order of the sample's level codes."""

    column: str
    codes: np.ndarray
    shares: np.ndarray
    levels: pd.Index


def rake(
    sample: pd.DataFrame,
    margins: Mapping[str, pd.Series],
    *,
    base_weight: pd.Series | None = None,
    tol: float = 1e-8,
    max_iter: int = 1000,
) -> pd.Series:
    """Weight a sample until each of its margins is the population's.

    One round multiplies the weights in each level of the first column by what is missing there,
    then does the same for the second, and so on. Rounds are repeated until every margin is met at
    once (iterative proportional fitting).

    Parameters
    ----------
    sample : pandas.DataFrame
        One row a respondent, with a column for each margin.
    margins : mapping of str to pandas.Series
        For each column the population's shares or counts, indexed by level. Shares (that sum to
        1) and counts may be mixed; all counts must have the same total.
    base_weight : pandas.Series or None
        Weights to start from, indexed as ``sample``; equal ones by default.
    tol : float
        Largest distance between a weighted share and the population's that counts as met.
    max_iter : int
        How many rounds to try.

    Returns
    -------
    pandas.Series
        Weights with mean 1, indexed as ``sample``, named ``"weight"``.

    Raises
    ------
    KeyError
        When the sample lacks a column.
    TypeError
        When a margin or the base weight is not a Series of numbers, or something else is of
        another type.
    ValueError
        When there is no margin or no respondent, when a level occurs in the sample and not in its
        margin or the other way round, when totals differ, when base weights are bad, or when `tol`
        or `max_iter` is not above zero.
    RuntimeError
        When the margins are not met within `max_iter` rounds: they may contradict each other in
        this sample.

    Notes
    -----
    Raking meets margins only. The joint distribution of the columns stays the sample's, tilted.
    Source of the method: Deming and Stephan (1940).

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import rake
    >>> sample = pd.DataFrame({"sex": ["man", "man", "man", "woman"]})
    >>> rake(sample, {"sex": pd.Series({"man": 0.5, "woman": 0.5})}).round(2).to_list()
    [0.67, 0.67, 0.67, 2.0]
    """
    require_type(margins, Mapping, "margins")
    if not margins:
        raise ValueError("no margins to rake to; give at least one column")
    require_whole(max_iter, 1, "max_iter")
    if not tol > 0:
        raise ValueError(f"tol is {tol}; rounding alone misses more, so give a number above zero")
    require_type(sample, pd.DataFrame, "sample")
    if sample.empty:
        raise ValueError("sample has no rows to weight")
    require_columns(sample, margins, "sample")
    _require_one_total(margins)
    prepared = [_prepare(sample, column, margin) for column, margin in margins.items()]
    weights = _start(sample, base_weight)
    for _ in range(max_iter):
        for margin in prepared:
            weights *= (margin.shares / _shares(weights, margin))[margin.codes]
        if all(_missed(weights, margin).max() < tol for margin in prepared):
            return pd.Series(weights / weights.mean(), index=sample.index, name="weight")
    worst = max(prepared, key=lambda margin: _missed(weights, margin).max())
    at = int(_missed(weights, worst).argmax())
    raise RuntimeError(
        f"raking did not converge in {max_iter} rounds: {worst.column} = {worst.levels[at]!r} "
        f"still misses its share by {_missed(weights, worst)[at]:.2g}. Margins may contradict "
        "each other where the sample has no respondents with both levels; merge levels or drop a "
        "margin"
    )


def _require_one_total(margins: Mapping[str, pd.Series]) -> None:
    for column, margin in margins.items():
        require_counts(margin, f"margin {column!r}")
    totals = {column: float(margin.sum()) for column, margin in margins.items()}
    counts = {column: total for column, total in totals.items() if not np.isclose(total, 1)}
    if counts and not np.allclose(list(counts.values()), next(iter(counts.values())), rtol=1e-6):
        told = ", ".join(f"{column!r} {total:,.6g}" for column, total in totals.items())
        raise ValueError(f"margins have different totals ({told}); they describe one population")


def _prepare(sample: pd.DataFrame, column: str, margin: pd.Series) -> _Margin:
    if not margin.index.is_unique:
        raise ValueError(f"margin {column!r} lists a level more than once; sum it first")
    people, found = pd.factorize(sample[column])
    if (people < 0).any():
        raise ValueError(f"sample: column {column!r} has missing values; weight complete rows only")
    present = margin[margin > 0]
    places = present.index.get_indexer(found)
    if (places < 0).any():
        raise ValueError(
            f"margin {column!r} has nobody in level {listing(found[places < 0])}, which "
            f"respondents have; its levels are {listing(present.index)}"
        )
    codes = places[people]
    nobody = present.index[np.bincount(codes, minlength=len(present)) == 0]
    if len(nobody):
        raise ValueError(
            f"sample has no respondents with {column} = {listing(nobody)}, so no weight can stand "
            "for them; merge these levels with others in sample and margin"
        )
    shares = present.to_numpy(dtype="float64")
    return _Margin(column, codes, shares / shares.sum(), present.index)


def _start(sample: pd.DataFrame, base_weight: pd.Series | None) -> np.ndarray:
    if base_weight is None:
        return np.ones(len(sample))
    require_type(base_weight, pd.Series, "base_weight")
    if not base_weight.index.equals(sample.index):
        raise ValueError("base_weight and sample have different indexes")
    require_counts(base_weight, "base_weight")
    if (base_weight == 0).any():
        raise ValueError("base_weight is zero in some rows; leave those respondents out instead")
    return base_weight.to_numpy(dtype="float64").copy()


def _shares(weights: np.ndarray, margin: _Margin) -> np.ndarray:
    totals = np.bincount(margin.codes, weights)
    shares: np.ndarray = totals / totals.sum()
    return shares


def _missed(weights: np.ndarray, margin: _Margin) -> np.ndarray:
    missed: np.ndarray = np.abs(_shares(weights, margin) - margin.shares)
    return missed


def hajek_mean(y: pd.Series, weight: pd.Series) -> tuple[float, float]:
    """Weighted mean of an outcome, with its standard error.

    Parameters
    ----------
    y : pandas.Series
        The outcome of each respondent.
    weight : pandas.Series
        Their weights, with the same index; only ratios matter.

    Returns
    -------
    tuple of float
        The estimate ``sum(w y) / sum(w)``, on the outcome's scale, and its standard error by
        linearisation (Taylor series), for respondents drawn independently with replacement. The
        error treats the weights as given: that they were computed from the sample is left out.

    Raises
    ------
    TypeError
        When outcome or weights are not Series of numbers.
    ValueError
        When indexes differ, there are fewer than two respondents, an outcome is missing or not
        finite, or weights are missing, negative, infinite or all zero.

    Notes
    -----
    The ratio form goes back to Hájek (1971), in his comment on Basu.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import hajek_mean
    >>> estimate, se = hajek_mean(pd.Series([1, 0, 0, 1]), pd.Series([3, 1, 1, 3]))
    >>> round(estimate, 2), round(se, 3)
    (0.75, 0.217)
    """
    require_type(y, pd.Series, "y")
    require_type(weight, pd.Series, "weight")
    if not y.index.equals(weight.index):
        raise ValueError("y and weight have different indexes")
    if len(y) < 2:
        raise ValueError(f"{len(y)} respondent(s) given; a standard error needs at least two")
    require_counts(weight, "weight")
    if not pd.api.types.is_numeric_dtype(y):
        raise TypeError(f"y is not numeric but {y.dtype}; code the answers as numbers first")
    values, weights = y.to_numpy("float64"), weight.to_numpy("float64")
    if not np.isfinite(values).all():
        raise ValueError(f"y is missing or infinite in {(~np.isfinite(values)).sum()} row(s)")
    estimate = np.average(values, weights=weights)
    influence = weights * (values - estimate) / weights.sum()
    se = np.sqrt(len(y) / (len(y) - 1) * np.sum(influence**2))
    return float(estimate), float(se)


def effective_sample_size(weight: pd.Series) -> float:
    """Number of equally weighted respondents that would give a mean as precise (Kish).

    Parameters
    ----------
    weight : pandas.Series
        Weights of the respondents.

    Returns
    -------
    float
        ``sum(w)**2 / sum(w**2)``, between 1 and the number of respondents.

    Raises
    ------
    TypeError
        When weights are not a Series of numbers.
    ValueError
        When weights are missing, negative, infinite or all zero.

    Notes
    -----
    Kish's approximation holds when weights have nothing to do with the outcome.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import effective_sample_size
    >>> effective_sample_size(pd.Series([1, 1, 1, 3]))
    3.0
    """
    require_counts(weight, "weight")
    weights = weight.to_numpy(dtype="float64")
    return float(weights.sum() ** 2 / np.sum(weights**2))
