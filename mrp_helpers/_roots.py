"""Roots of many increasing functions at once."""

from collections.abc import Callable

import numpy as np

_EPS = np.finfo(float).eps
_MOST_STEPS = 200  # bisection alone would need about fifty


def increasing_roots(
    function: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Find where each of many increasing functions passes zero, between `low` and `high`.

    Where a function is not below zero at `low`, that is the root; where it jumps over zero, the
    place of the jump is. To one part in 10^12 of the distance of `low` and `high`.

    Notes
    -----
    The method of Chandrupatla (1997): inverse quadratic interpolation where that is safe, else
    bisection. All functions take as many steps as the slowest.
    """
    x1, x2 = low.copy(), high.copy()
    f1, f2 = function(x1), function(x2)
    found = np.where(f1 >= 0, low, high)
    open_ = (f1 < 0) & (f2 > 0)
    tolerance = 1e-12 * (high - low)
    t = np.full(low.shape, 0.5)
    for _ in range(_MOST_STEPS):
        if not open_.any():
            break
        x = x1 + t * (x2 - x1)
        f = function(x)
        same = (f > 0) == (f1 > 0)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = x, f
        best = np.where(np.abs(f1) < np.abs(f2), x1, x2)
        found = np.where(open_, best, found)
        with np.errstate(divide="ignore", invalid="ignore"):
            least = (2 * _EPS * np.abs(best) + tolerance) / np.abs(x2 - x1)
            open_ &= (least <= 0.5) & (f1 != 0)
            t = np.clip(_step(x1, x2, x3, f1, f2, f3), least, 1 - least)
        t = np.where(open_, t, 0.0)
    return found


def _step(
    x1: np.ndarray, x2: np.ndarray, x3: np.ndarray, f1: np.ndarray, f2: np.ndarray, f3: np.ndarray
) -> np.ndarray:
    """How far from `x1` to `x2` to go."""
    xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    curved = f1 / (f2 - f1) * f3 / (f2 - f3)
    curved += (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
    safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
    return np.where(safe & np.isfinite(curved), curved, 0.5)
