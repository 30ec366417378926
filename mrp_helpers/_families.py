"""What the parameters of a family say about an outcome: its mean, or the share of each level.

Each function names the parameters that it takes as Bambi's family names them, so that nothing is
computed that the quantity asked for does not need. Parameters are arrays (cells x samples), or
numbers that are the same in all cells (samples). `eta` is the linear predictor itself, before the
inverse link: (cells x samples), or (equations x cells x samples) where a family has an equation for
each level but the first; `inverse_link` is the function.
"""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Family(NamedTuple):
    """Functions of a family's parameters.

    Parameters
    ----------
    mean : callable or None
        The expected outcome (cells x samples); for counts out of n, the expected share.
    shares : callable or None
        For an outcome with levels, the probability of each (levels x cells x samples).
    """

    mean: Callable[..., np.ndarray] | None = None
    shares: Callable[..., np.ndarray] | None = None

    @property
    def expected(self) -> Callable[..., np.ndarray]:
        """The mean or, of an outcome with levels, the probability of each."""
        found = self.shares or self.mean
        assert found is not None
        return found


def arguments(function: Callable[..., np.ndarray]) -> list[str]:
    """The parameters of a family that a function takes."""
    return list(inspect.signature(function).parameters)


def softmax(eta: np.ndarray) -> np.ndarray:
    """Probabilities of the first level, whose linear predictor is zero, and of the others."""
    largest = np.maximum(eta.max(axis=0), 0)  # so that no power overflows
    powers = np.empty((len(eta) + 1, *largest.shape))
    np.exp(-largest, out=powers[0])
    np.subtract(eta, largest, out=powers[1:])
    np.exp(powers[1:], out=powers[1:])
    powers /= powers.sum(axis=0)
    return powers


def cumulative(
    eta: np.ndarray, threshold: np.ndarray, inverse_link: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Differences of the probabilities of at most each level."""
    up_to = inverse_link(threshold - eta)
    shares = np.empty((len(up_to) + 1, *eta.shape))
    shares[0] = up_to[0]
    np.subtract(up_to[1:], up_to[:-1], out=shares[1:-1])
    np.subtract(1, up_to[-1], out=shares[-1])
    return shares


def stopping_ratio(
    eta: np.ndarray, threshold: np.ndarray, inverse_link: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Probabilities of stopping at each level, once the ones before it are passed."""
    stops = inverse_link(threshold - eta)
    shares = np.empty((len(stops) + 1, *eta.shape))
    passed = np.ones(eta.shape)
    for level, stop in enumerate(stops):
        np.multiply(stop, passed, out=shares[level])
        passed *= 1 - stop
    shares[-1] = passed
    return shares


def _mu(mu: np.ndarray) -> np.ndarray:
    return mu


def _p(p: np.ndarray) -> np.ndarray:
    return p


FAMILIES = {
    "bernoulli": Family(_p),
    "beta": Family(_mu),
    "beta_binomial": Family(_mu),
    "binomial": Family(_p),
    "categorical": Family(shares=softmax),
    "cumulative": Family(shares=cumulative),
    "dirichlet_multinomial": Family(shares=lambda a: a / a.sum(axis=0)),
    "exponential": Family(_mu),
    "gamma": Family(_mu),
    "gaussian": Family(_mu),
    "laplace": Family(_mu),
    "multinomial": Family(shares=softmax),
    "negativebinomial": Family(_mu),
    "poisson": Family(_mu),
    "sratio": Family(shares=stopping_ratio),
    "t": Family(_mu),
    "wald": Family(_mu),
    "weibull": Family(_mu),
}
