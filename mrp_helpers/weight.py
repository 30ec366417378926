"""Weights that make a sample's composition the population's: raking, and what weights cost."""

import math
import warnings
from collections.abc import Mapping
from itertools import chain
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mrp_helpers._labels import joint_codes, ordered_levels, require_same_index
from mrp_helpers._require import (
    listing,
    require_columns,
    require_counts,
    require_series,
    require_type,
    require_whole,
)

# A key is a column, or a tuple of columns.
Margins = Mapping[Any, pd.Series]
Key = str | tuple[str, ...]


class _Margin(NamedTuple):
    """One margin of the population, in the order of the sample's level codes."""

    column: str  # or several, as a message names them
    codes: np.ndarray
    shares: np.ndarray
    levels: list[object]


def rake(
    sample: pd.DataFrame,
    margins: Margins,
    *,
    base_weight: pd.Series | None = None,
    trim: float | None = None,
    tol: float = 1e-8,
    max_iter: int = 1000,
) -> pd.Series:
    """Weight a sample until each of its margins is the population's.

    One round multiplies the weights in each level of the first margin by what is missing there,
    then does the same for the second, and so on. Rounds are repeated until every margin is met at
    once (iterative proportional fitting).

    Parameters
    ----------
    sample : pandas.DataFrame
        One row per respondent, with a column for each margin.
    margins : mapping of str or tuple of str to pandas.Series
        For each column the population's shares or counts, indexed by level. The margin of several
        columns at once has their tuple as its key and a MultiIndex. An index whose levels have
        names is matched by these, not by their order; a named MultiIndex says by itself which
        columns it is about, so that its key may be any other word. Shares (that sum to 1) and
        counts may be mixed; all counts must have the same total.
    base_weight : pandas.Series or None
        Weights to start from, indexed as ``sample``; equal ones by default.
    trim : float or None
        The largest weight that is allowed, where the mean is 1; none by default. A warning says
        which margin misses its share most, and by how much, where this bound does not let all
        margins be met.
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
        When a margin or the base weight is not a Series of numbers, when levels of a margin and of
        the sample are of different kinds (text, numbers, booleans), or when something else is of
        another type.
    ValueError
        When margins or respondents are missing, when the index of a margin has a name that is
        not asked for, when a level occurs in the sample and not in its margin or the other way
        round, when totals differ, when base weights are bad, when `tol` or `max_iter` is not
        above zero, or `trim` not above 1.
    RuntimeError
        When the margins are not met within `max_iter` rounds: they may contradict each other in
        this sample.

    Warns
    -----
    UserWarning
        When `trim` keeps a margin from being met.

    Notes
    -----
    Raking meets margins only. The joint distribution of the columns stays the sample's, tilted.
    Source of the method: Deming and Stephan (1940).

    A weight above `trim` is not cut off afterwards, since the margins would be lost again. Among
    all weights that stay below the bound and meet the margins, raking gives those closest to the
    base weights, with or without a bound (in Kullback and Leibler's sense): each is a product of
    one factor per level, or `trim` where that is smaller. Bounds on the ratio to the base weight,
    which survey packages also offer, are a different constraint: Deville and Särndal (1992).

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import rake
    >>> sample = pd.DataFrame({"sex": ["man", "man", "man", "woman"]})
    >>> rake(sample, {"sex": pd.Series({"man": 0.5, "woman": 0.5})}).round(2).to_list()
    [0.67, 0.67, 0.67, 2.0]

    A margin of two columns at once, as `groupby` makes it of a frame:

    >>> sample = pd.DataFrame({"sex": ["man", "man", "woman"], "old": [0, 0, 1]})
    >>> frame = pd.DataFrame({"old": [1, 0], "sex": ["woman", "man"], "n": [30, 10]})
    >>> both = frame.groupby(["old", "sex"])["n"].sum()
    >>> rake(sample, {("sex", "old"): both}).to_list()
    [0.375, 0.375, 2.25]
    """
    _require_options(margins, trim, tol, max_iter)
    require_type(sample, pd.DataFrame, "sample")
    if sample.empty:
        raise ValueError("sample has no rows to weight")
    columns = {key: _columns_of(key, margin, sample) for key, margin in margins.items()}
    require_columns(sample, chain.from_iterable(columns.values()), "sample")
    _require_one_total(margins)
    prepared = [_prepare(sample, key, columns[key], margin) for key, margin in margins.items()]
    start = _start(sample, base_weight)
    weights = _raked(start, prepared, tol, max_iter)
    if trim is not None and weights.max() > trim:
        weights = _trimmed(start, prepared, trim, tol, max_iter)
    return pd.Series(weights, index=sample.index, name="weight")


def _require_options(margins: Margins, trim: float | None, tol: float, max_iter: int) -> None:
    require_type(margins, Mapping, "margins", "{'age': frame.groupby('age')['n'].sum()}")
    if not margins:
        raise ValueError("no margins to rake to; give at least one column")
    require_whole(max_iter, 1, "max_iter")
    if not tol > 0:
        raise ValueError(f"tol is {tol}; rounding alone misses more, so give a number above zero")
    if trim is None:
        return
    if not isinstance(trim, Real) or isinstance(trim, bool):
        raise TypeError(f"trim is {trim!r}; pass a number above 1, or None for no bound")
    if not trim > 1:
        raise ValueError(f"trim is {trim}; weights have mean 1, so give a number above 1")


def _columns_of(key: Key, margin: pd.Series, sample: pd.DataFrame) -> list[Any]:
    """Say which columns of the sample a margin is about."""
    named = list(key) if isinstance(key, tuple) else key
    counted = f"frame.groupby({named!r})['n'].sum()"
    such_as = "pd.Series(...) of it" if isinstance(margin, Mapping) else counted
    require_type(margin, pd.Series, f"margin {key!r}", such_as)
    if isinstance(key, tuple):
        if len(set(key)) < len(key):
            raise ValueError(f"margin {key!r} names a column more than once")
        return list(key)
    if margin.index.nlevels == 1:
        return [key]
    names = list(margin.index.names)
    if None in names or key in sample.columns:
        raise ValueError(
            f"margin {key!r} is indexed by several levels ({listing(names)}); give the tuple of "
            f"their columns as its key, or sum it over all but {key!r}"
        )
    return names


def _require_one_total(margins: Margins) -> None:
    for column, margin in margins.items():
        require_counts(margin, f"margin {column!r}")
    totals = {column: float(margin.sum()) for column, margin in margins.items()}
    counts = {column: total for column, total in totals.items() if not np.isclose(total, 1)}
    if counts and not np.allclose(list(counts.values()), next(iter(counts.values())), rtol=1e-6):
        told = ", ".join(f"{column!r} {total:,.6g}" for column, total in totals.items())
        raise ValueError(
            f"margins have different totals ({told}); they describe one population. If they were "
            "only rounded, turn each into shares: margin / margin.sum()"
        )


def _prepare(sample: pd.DataFrame, key: Key, columns: list[str], margin: pd.Series) -> _Margin:
    levels = ordered_levels(margin.index, columns, f"margin {key!r}")
    for column in columns:
        if sample[column].isna().any():
            raise ValueError(
                f"sample: column {column!r} has missing values; weight complete rows only"
            )
        if levels[column].isna().any():
            raise ValueError(f"margin {key!r} has a level without a name; name it or leave it out")
    if levels.duplicated().any():
        raise ValueError(f"margin {key!r} lists a level more than once; sum it first")
    shares = margin.to_numpy(dtype="float64")
    levels, shares = levels[shares > 0].reset_index(drop=True), shares[shares > 0]
    people, known = joint_codes(sample[columns], levels, "sample", f"the levels of margin {key!r}")
    codes = pd.Index(known).get_indexer(people)
    if (codes < 0).any():
        strangers = _names(sample.loc[codes < 0, columns].drop_duplicates())
        raise ValueError(
            f"margin {key!r} has nobody in level {listing(strangers)}, which respondents have; its "
            f"levels are {listing(_names(levels))}"
        )
    label = ", ".join(map(str, columns))
    nobody = levels[np.bincount(codes, minlength=len(levels)) == 0]
    if len(nobody):
        raise ValueError(
            f"sample has no respondents with {label} = {listing(_names(nobody))}, so no weight can "
            "stand for them; merge these levels with others in sample and margin, or drop them "
            "from the margin and estimate for the others only. MRP estimates them, too: "
            "poststratify(..., new_levels='population')"
        )
    return _Margin(label, codes, shares / shares.sum(), _names(levels))


def _names(levels: pd.DataFrame) -> list[object]:
    """Write levels as messages do: a value, or a tuple of one value per column."""
    rows = levels.itertuples(index=False, name=None)
    return [row if len(row) > 1 else row[0] for row in rows]


def _start(sample: pd.DataFrame, base_weight: pd.Series | None) -> np.ndarray:
    if base_weight is None:
        return np.ones(len(sample))
    require_series(base_weight, "base_weight", "sample")
    require_same_index(sample, base_weight, "base_weight and sample")
    require_counts(base_weight, "base_weight")
    if (base_weight == 0).any():
        raise ValueError("base_weight is zero in some rows; leave those respondents out instead")
    return _scaled(base_weight.to_numpy(dtype="float64"))


def _scaled(weights: np.ndarray) -> np.ndarray:
    """Divide weights by a power of two, exactly, so that no sum or square of them overflows."""
    _, exponent = np.frexp(weights.max())
    scaled: np.ndarray = np.ldexp(weights, -int(exponent))
    return scaled


def _raked(start: np.ndarray, margins: list[_Margin], tol: float, max_iter: int) -> np.ndarray:
    """Fit one factor per level until all margins are met; give weights with mean 1."""
    weights = start.copy()
    for _ in range(max_iter):
        for margin in margins:
            weights *= (margin.shares / _shares(weights, margin))[margin.codes]
        if all(_missed(weights, margin).max() < tol for margin in margins):
            return weights / weights.mean()
    margin, at = _worst(weights, margins)
    raise RuntimeError(
        f"raking did not converge in {max_iter} rounds: {margin.column} = "
        f"{listing([margin.levels[at]])} still misses its share by "
        f"{_missed(weights, margin)[at]:.2g}. Margins may contradict "
        "each other where the sample has no respondents with both levels; merge levels or drop a "
        "margin"
    )


def _trimmed(
    start: np.ndarray, margins: list[_Margin], trim: float, tol: float, max_iter: int
) -> np.ndarray:
    """Fit the factors so that the weights, none of them above `trim`, meet the margins.

    Each step finds the factor of one level exactly, with the cap in place. A level that cannot
    reach its share even with all of its people at the cap is left there, and the others of its
    margin share what it lacks.
    """
    free = start / start.mean()  # the products of factors, before the cap
    steps = [
        (np.flatnonzero(margin.codes == level), total)
        for margin in margins
        for level, total in enumerate(_attainable(margin, trim))
    ]
    weights = np.minimum(free, trim)
    for _ in range(max_iter):
        before = weights
        for people, total in steps:
            # Where margins contradict each other under the cap, factors would grow for ever.
            free[people] = np.clip(free[people] * _factor(free[people], total, trim), 1e-99, 1e99)
        weights = np.minimum(free, trim)
        if all(_missed(weights, margin).max() < tol for margin in margins):
            return weights
        if np.abs(weights - before).max() < tol / 1000:
            break
    margin, at = _worst(weights, margins)
    warnings.warn(
        f"trim = {trim:g} does not let the weighted sample meet all of its margins: "
        f"{margin.column} = {listing([margin.levels[at]])} has a share of "
        f"{_shares(weights, margin)[at]:.4g} and the population's is {margin.shares[at]:.4g} (it "
        f"misses by {_missed(weights, margin)[at]:.2g}, more than any other level); allow larger "
        "weights, merge levels or drop a margin",
        stacklevel=3,
    )
    return weights


def _attainable(margin: _Margin, trim: float) -> np.ndarray:
    """Give the total weight of each level, at most what the cap lets its people have."""
    people = np.bincount(margin.codes)
    totals, limits = margin.shares * people.sum(), trim * people
    full = np.zeros(len(people), dtype=bool)
    while (totals[~full] > limits[~full]).any():
        full |= totals > limits
        totals[full] = limits[full]
        rest = people.sum() - limits[full].sum()
        totals[~full] = rest * margin.shares[~full] / margin.shares[~full].sum()
    return totals


def _factor(free: np.ndarray, total: float, trim: float) -> float:
    """Find the factor after which weights, cut off at `trim`, have a total."""
    largest = np.sort(free)[::-1]
    tails = np.cumsum(largest[::-1])[::-1]
    factors = (total - trim * np.arange(len(free))) / tails
    fits = factors * largest <= trim
    return float(factors[fits.argmax()] if fits.any() else trim / largest[-1])


def _shares(weights: np.ndarray, margin: _Margin) -> np.ndarray:
    totals = np.bincount(margin.codes, weights)
    shares: np.ndarray = totals / totals.sum()
    return shares


def _missed(weights: np.ndarray, margin: _Margin) -> np.ndarray:
    missed: np.ndarray = np.abs(_shares(weights, margin) - margin.shares)
    return missed


def _worst(weights: np.ndarray, margins: list[_Margin]) -> tuple[_Margin, int]:
    """Find the margin, and its level, whose share is missed most."""
    worst = max(margins, key=lambda margin: _missed(weights, margin).max())
    return worst, int(_missed(weights, worst).argmax())


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
    require_series(y, "y")
    require_series(weight, "weight")
    require_same_index(y, weight, "y and weight")
    if len(y) < 2:
        raise ValueError(f"{len(y)} respondent(s) given; a standard error needs at least two")
    require_counts(weight, "weight")
    if not pd.api.types.is_numeric_dtype(y) or pd.api.types.is_complex_dtype(y):
        raise TypeError(
            f"y is not numeric but {y.dtype}, with values such as "
            f"{listing(y.drop_duplicates(), most=3)}; code the answers as numbers first"
        )
    values, weights = y.to_numpy("float64"), _scaled(weight.to_numpy("float64"))
    if not np.isfinite(values).all():
        raise ValueError(f"y is missing or infinite in {(~np.isfinite(values)).sum()} row(s)")
    estimate = np.average(values, weights=weights)
    influence = weights * (values - estimate) / weights.sum()
    se = np.sqrt(len(y) / (len(y) - 1)) * math.hypot(*influence)
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
    weights = _scaled(weight.to_numpy(dtype="float64"))
    return float(weights.sum() ** 2 / np.sum(weights**2))
