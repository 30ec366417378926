"""What the parameters of a family say about an outcome: its mean, shares, distribution.

Each function names the parameters that it takes as Bambi's family names them, so that nothing is
computed that the quantity asked for does not need. Parameters are arrays (cells x samples), or
numbers that are the same in all cells (samples). `eta` is the linear predictor itself, before the
inverse link: (cells x samples), or (equations x cells x samples) where a family has an equation for
each level but the first; `inverse_link` is the function.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import special

Bracket = tuple[np.ndarray, np.ndarray]


class Family(NamedTuple):
    """Functions of a family's parameters.

    Parameters
    ----------
    mean : callable or None
        The expected outcome (cells x samples); for counts out of n, the expected share.
    shares : callable or None
        For an outcome with levels, the probability of each (levels x cells x samples).
    at_most : callable or None
        The probability that an outcome is at most `y`, a number or one for each cell and sample.
    bracket : callable or None
        For the probability `q`, two arrays between which each cell's quantile is.
    least : float
        What no outcome is below.
    """

    mean: Callable[..., np.ndarray] | None = None
    shares: Callable[..., np.ndarray] | None = None
    at_most: Callable[..., np.ndarray] | None = None
    bracket: Callable[..., Bracket] | None = None
    least: float = -np.inf

    @property
    def expected(self) -> Callable[..., np.ndarray]:
        """The mean or, of an outcome with levels, the probability of each."""
        found = self.shares or self.mean
        assert found is not None
        return found


def arguments(function: Callable[..., Any]) -> list[str]:
    """The parameters of a family that a function takes."""
    return [name for name in inspect.signature(function).parameters if name not in ("y", "q")]


def _with_arguments(function: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    """Let `arguments` name those that a function hands on."""
    kind = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


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


def _lognormal_mean(mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return np.exp(mu + sigma**2 / 2)


def _no_visit(mu: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Logarithm of a negative binomial's probability of zero."""
    return -alpha * np.log1p(mu / alpha)


# --- The probability of at most y.


def _normal(y: np.ndarray, mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return special.ndtr((y - mu) / sigma)


def _student(y: np.ndarray, mu: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    return special.stdtr(nu, (y - mu) / sigma)


def _asymmetric_laplace(
    y: np.ndarray, mu: np.ndarray, b: np.ndarray, kappa: np.ndarray
) -> np.ndarray:
    away, below = b * (y - mu), kappa**2 / (1 + kappa**2)
    left = below * np.exp(np.minimum(away, 0) / kappa)
    return np.where(away < 0, left, 1 - (1 - below) * np.exp(-np.maximum(away, 0) * kappa))


def _laplace(y: np.ndarray, mu: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _asymmetric_laplace(y, mu, 1 / b, np.ones(()))


def _exgaussian(y: np.ndarray, mu: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> np.ndarray:
    z, ratio = (y - mu) / sigma, sigma / nu
    tail = np.exp(ratio * (ratio / 2 - z) + special.log_ndtr(z - ratio))
    return special.ndtr(z) - tail


def _lognormal(y: np.ndarray, mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.maximum(y, 0))
    return special.ndtr((logarithm - mu) / sigma)


def _gamma(y: np.ndarray, mu: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return special.gammainc(alpha, alpha * np.maximum(y, 0) / mu)


def _exponential(y: np.ndarray, mu: np.ndarray) -> np.ndarray:
    return -np.expm1(-np.maximum(y, 0) / mu)


def _weibull(y: np.ndarray, mu: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    scaled = np.maximum(y, 0) / mu * special.gamma(1 + 1 / alpha)
    return -np.expm1(-(scaled**alpha))


def _wald(y: np.ndarray, mu: np.ndarray, lam: np.ndarray) -> np.ndarray:
    positive = np.maximum(y, np.finfo(float).tiny)
    root, ratio = np.sqrt(lam / positive), positive / mu
    right = np.exp(2 * lam / mu + special.log_ndtr(-root * (ratio + 1)))
    return special.ndtr(root * (ratio - 1)) + right


def _beta(y: np.ndarray, mu: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    return special.betainc(mu * kappa, (1 - mu) * kappa, np.clip(y, 0, 1))


def _poisson(y: np.ndarray, mu: np.ndarray) -> np.ndarray:
    whole = np.floor(y)
    return np.where(whole < 0, 0, special.gammaincc(np.maximum(whole, 0) + 1, mu))


def _negative_binomial(y: np.ndarray, mu: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    whole = np.floor(y)
    found = special.betainc(alpha, np.maximum(whole, 0) + 1, alpha / (alpha + mu))
    return np.where(whole < 0, 0, found)


def _mixed_with_zeros(
    at_most: Callable[..., np.ndarray], y: np.ndarray, psi: np.ndarray, **others: np.ndarray
) -> np.ndarray:
    """Share at most `y` of an outcome that has, with the probability `psi`, a distribution."""
    return np.where(np.less(y, 0), 0, 1 - psi + psi * at_most(y, **others))


def _with_zeros(at_most: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Mix an outcome, with the probability `psi`, with zero."""
    return _with_arguments(partial(_mixed_with_zeros, at_most), [*arguments(at_most), "psi"])


def _above_zero(at_most: Callable[..., np.ndarray], y: np.ndarray, **others: np.ndarray) -> Any:
    """Share at most `y` of the counts that are not zero."""
    none = at_most(np.zeros(()), **others)
    return (at_most(y, **others) - none) / (1 - none)


def _hurdle(at_most: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Mix a count above zero, with the probability `psi`, with zero."""
    above = partial(_mixed_with_zeros, partial(_above_zero, at_most))
    return _with_arguments(above, [*arguments(at_most), "psi"])


# --- Between which numbers the quantile of a cell is: a mixture's is between the outermost of them.


def _normal_quantile(q: float, mu: np.ndarray, sigma: np.ndarray) -> Bracket:
    found = mu + sigma * special.ndtri(q)
    return found, found


def _student_quantile(q: float, mu: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> Bracket:
    found = mu + sigma * special.stdtrit(nu, q)
    return found, found


def _asymmetric_laplace_quantile(
    q: float, mu: np.ndarray, b: np.ndarray, kappa: np.ndarray
) -> Bracket:
    below = kappa**2 / (1 + kappa**2)
    left = kappa * np.log(np.minimum(q / below, 1))
    right = -np.log(np.minimum((1 - q) / (1 - below), 1)) / kappa
    found = mu + (left + right) / b
    return found, found


def _laplace_quantile(q: float, mu: np.ndarray, b: np.ndarray) -> Bracket:
    return _asymmetric_laplace_quantile(q, mu, 1 / b, np.ones(()))


def _exgaussian_quantile(q: float, mu: np.ndarray, sigma: np.ndarray, nu: np.ndarray) -> Bracket:
    # A sum is at most the sum of what its parts are at most, each with the root of q.
    root = np.sqrt(q)
    return mu + sigma * special.ndtri(q), mu + sigma * special.ndtri(root) - nu * np.log1p(-root)


def _lognormal_quantile(q: float, mu: np.ndarray, sigma: np.ndarray) -> Bracket:
    found = np.exp(mu + sigma * special.ndtri(q))
    return found, found


def _weibull_quantile(q: float, mu: np.ndarray, alpha: np.ndarray) -> Bracket:
    found = mu / special.gamma(1 + 1 / alpha) * (-np.log1p(-q)) ** (1 / alpha)
    return found, found


def _beta_quantile(q: float, mu: np.ndarray) -> Bracket:
    return np.zeros_like(mu), np.ones_like(mu)


def _positive_quantile(q: float, mu: np.ndarray) -> Bracket:
    """By Markov's inequality."""
    return np.zeros_like(mu), mu / (1 - q)


def _hurdle_lognormal_quantile(q: float, mu: np.ndarray, sigma: np.ndarray) -> Bracket:
    # Zeros only make an outcome smaller.
    return np.zeros_like(mu), np.exp(mu + sigma * special.ndtri(q))


FAMILIES = {
    "asymmetriclaplace": Family(
        lambda mu, b, kappa: mu + (1 / kappa - kappa) / b,
        at_most=_asymmetric_laplace,
        bracket=_asymmetric_laplace_quantile,
    ),
    "bernoulli": Family(_p),
    "beta": Family(_mu, at_most=_beta, bracket=_beta_quantile, least=0),
    "beta_binomial": Family(_mu),
    "binomial": Family(_p),
    "categorical": Family(shares=softmax),
    "cumulative": Family(shares=cumulative),
    "dirichlet_multinomial": Family(shares=lambda a: a / a.sum(axis=0)),
    "exgaussian": Family(lambda mu, nu: mu + nu, at_most=_exgaussian, bracket=_exgaussian_quantile),
    "exponential": Family(_mu, at_most=_exponential, bracket=_positive_quantile, least=0),
    "gamma": Family(_mu, at_most=_gamma, bracket=_positive_quantile, least=0),
    "gaussian": Family(_mu, at_most=_normal, bracket=_normal_quantile),
    "hurdle_gamma": Family(
        lambda mu, psi: psi * mu, at_most=_with_zeros(_gamma), bracket=_positive_quantile, least=0
    ),
    "hurdle_lognormal": Family(
        lambda mu, sigma, psi: psi * _lognormal_mean(mu, sigma),
        at_most=_with_zeros(_lognormal),
        bracket=_hurdle_lognormal_quantile,
        least=0,
    ),
    "hurdle_negativebinomial": Family(
        lambda mu, alpha, psi: psi * mu / -np.expm1(_no_visit(mu, alpha)),
        at_most=_hurdle(_negative_binomial),
    ),
    "hurdle_poisson": Family(lambda mu, psi: psi * mu / -np.expm1(-mu), at_most=_hurdle(_poisson)),
    "laplace": Family(_mu, at_most=_laplace, bracket=_laplace_quantile),
    "lognormal": Family(_lognormal_mean, at_most=_lognormal, bracket=_lognormal_quantile, least=0),
    "multinomial": Family(shares=softmax),
    "negativebinomial": Family(_mu, at_most=_negative_binomial),
    "poisson": Family(_mu, at_most=_poisson),
    "sratio": Family(shares=stopping_ratio),
    "t": Family(_mu, at_most=_student, bracket=_student_quantile),
    "wald": Family(_mu, at_most=_wald, bracket=_positive_quantile, least=0),
    "weibull": Family(_mu, at_most=_weibull, bracket=_weibull_quantile, least=0),
    "zero_inflated_binomial": Family(lambda p, psi: psi * p),
    "zero_inflated_negativebinomial": Family(
        lambda mu, psi: psi * mu, at_most=_with_zeros(_negative_binomial)
    ),
    "zero_inflated_poisson": Family(lambda mu, psi: psi * mu, at_most=_with_zeros(_poisson)),
}
