"""Roots of many increasing functions at once."""

from collections.abc import Callable

import numpy as np

_EPS = np.finfo(float).eps
_MOST_STEPS = 200  # bisection alone would need about fifty


def increasing_roots(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    start: np.ndarray,
    rise: np.ndarray,
    *,
    least: float = -np.inf,
    tolerance: float = 1e-9,
) -> tuple[np.ndarray, np.ndarray]:
    """Find where each of many increasing functions passes zero.

    Parameters
    ----------
    function : callable
        Takes a place for each function, and where their values are wanted, and gives these. Their
        unit is such that they go from less than -1 to more than 1.
    start : numpy.ndarray
        Where the roots may be.
    rise : numpy.ndarray
        About how far a function goes on while it rises by one.
    least : float
        Below it all functions are less than zero.
    tolerance : float
        How far from a root to stop at most, in units of `rise`, there or at the start.

    Returns
    -------
    tuple of numpy.ndarray
        The roots, and the rise there. Where a function jumps over zero, the place of the jump is
        its root, to a thousandth of the tolerance; where it is not a number, neither is the root.

    Notes
    -----
    Each step puts a parabola, the place as a function of the value, through the last three values.
    Where it leads out of what is known to be around the root, or the last step did not halve the
    value, the middle comes next or, as long as one side is open, a place twice as far away.
    """
    x, low, high = start, np.full(start.shape, -np.inf), np.full(start.shape, np.inf)
    x1 = f1 = f2 = np.full(start.shape, np.nan)
    open_, within = np.ones(start.shape, dtype=bool), tolerance * rise
    for _ in range(_MOST_STEPS):
        f = np.where(open_, function(x, open_), f1)
        low, high = np.where(f < 0, x, low), np.where(f < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ahead, rise, off = _interpolated(x, x1, f, f1, f2, rise)
            safe = (low < ahead) & (ahead < high) & ~(np.abs(f) > np.abs(f1) / 2)
            next_ = np.maximum(np.where(safe, ahead, _guarded(x, x1, low, high, rise)), least)
            near = safe & (off <= np.minimum(within, tolerance * rise))
            between = (high - low <= within / 1000) | (high <= least)
        exact = ~(np.abs(f) > _EPS)  # or not a number
        x1, f1, f2 = x, f, np.where(np.isnan(f1), f, f1)
        x = np.where(
            open_, np.where(exact, np.where(np.isnan(f), f, x), np.where(between, high, next_)), x
        )
        open_ &= ~(near | between | exact)
        if not open_.any():
            break
    return x, rise


def _interpolated(
    x: np.ndarray,
    x1: np.ndarray,
    f: np.ndarray,
    f1: np.ndarray,
    f2: np.ndarray,
    rise: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the parabola passes zero, the rise along the last step, and how far off that may be.

    The straight line would be off by the bend, and by the product of the last step and the next:
    by half of it or less, where a function is a share of people over a fourth or so of that share.
    """
    secant = (x - x1) / (f - f1)
    usable = np.isfinite(secant) & (secant > 0)
    bend = np.where(usable, f * f1 * (secant - rise) / (f - f2), 0)
    rise = np.where(usable, secant, rise)
    step = bend - f * rise
    return x + step, rise, np.abs(bend) + np.abs(step * (x - x1)) / rise


def _guarded(
    x: np.ndarray, x1: np.ndarray, low: np.ndarray, high: np.ndarray, rise: np.ndarray
) -> np.ndarray:
    """The middle of what is around the root or, where one side is open, further to that side."""
    further = 2 * np.fmax(np.abs(x - x1), rise)
    outside = np.where(np.isinf(high), x + further, x - further)
    chosen: np.ndarray = np.where(np.isinf(high - low), outside, (low + high) / 2)
    return chosen
