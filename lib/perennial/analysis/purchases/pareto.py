"""Pareto/NBD: purchases at a Gamma-distributed rate until a lifetime of a Gamma-distributed hazard ends.

Schmittlein, Morrison & Colombo (1987), Management Science 33(1). The likelihood is taken before its closed form, from
the integral over the moment of leaving (Fader & Hardie, "A Note on Deriving the Pareto/NBD Model", eq. 18):
the published hypergeometric terms are the difference of two nearly equal numbers and overflow at high frequencies;
the integral has one sign and is computed in logarithms.
"""

from typing import Any

import numpy as np
from scipy.special import gammaln

from perennial.analysis.purchases.formulas import Floats

_NOTHING = 50.0
_FINE, _COARSE = np.polynomial.legendre.leggauss(32), np.polynomial.legendre.leggauss(12)


class Pareto:
    """Rates vary as Gamma(r, alpha), hazards of leaving as Gamma(s, beta)."""

    name = "Pareto/NBD"
    parameters = ("r", "alpha", "s", "beta")
    lets_leave = True
    knows_one_time_buyers = True

    def log_likelihood(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """Active at the end, or gone at some moment since the last purchase."""
        r, alpha, s, beta = theta
        active = (
            gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
            + s * (np.log(beta) - np.log(beta + age))
        )  # fmt: skip
        whole: Floats = active + np.logaddexp(0.0, self.log_odds_gone(theta, x, last, age))
        return whole

    def log_odds_gone(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """log of s (α+T)^(r+x) (β+T)^s ∫ (α+y)^−(r+x) (β+y)^−(s+1) dy over y from the last purchase to T."""
        r, alpha, s, beta = theta
        left = _log_integral(r + x, alpha, s, beta, last, age)
        return np.log(s) + (r + x) * np.log(alpha + age) + s * np.log(beta + age) + left

    def purchases_if_alive(self, theta: Any, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """(r+x)(β+T) / ((α+T)(s−1)) · (1 − ((β+T)/(β+T+t))^(s−1)), its limit a logarithm at s = 1."""
        r, alpha, s, beta = theta
        decay = np.log1p(ahead / (beta + age))
        weeks = (beta + age) * decay * _mean_exponential((s - 1) * decay)
        expected: Floats = (r + x) / (alpha + age) * weeks
        return expected

    def draw_if_alive(self, theta: Any, ahead: float, x: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Poisson(λ·min(τ, t)) with λ ~ Gamma(r + x, α + T), τ ~ Exp(μ), μ ~ Gamma(s, β + T), all independent."""
        r, alpha, s, beta = theta
        rate = rng.gamma(r + x) / (alpha + age)
        hazard = np.maximum(rng.gamma(s, size=np.shape(rate)) / (beta + age), 1e-12)
        left = rng.exponential(1 / hazard)
        return rng.poisson(rate * np.minimum(left, ahead)).astype(float)


def _mean_exponential(value: Floats) -> Floats:
    """(1 − e^−v) / v, 1 at v = 0."""
    small = np.abs(value) < 1e-8
    safe = np.where(small, 1.0, value)
    return np.where(small, 1 - value / 2, -np.expm1(-safe) / safe)


def _log_integral(power: Any, alpha: Any, s: Any, beta: Any, start: Floats, end: Floats) -> Floats:
    """log ∫ (α+y)^−power (β+y)^−(s+1) dy from start to end; −∞ where they are equal.

    With y = start + δ(e^w − 1), δ the shortest length over which the integrand changes, it is smooth in w whatever the
    frequency: Gauss-Legendre with 32 nodes gives twelve digits. Many draws of parameters at once are uncertain
    themselves, and get 12 nodes: six digits.
    """
    first, second = alpha + start, beta + start
    short = np.minimum(1 / (power / first + (s + 1) / second), np.minimum(first, second))
    with np.errstate(over="ignore"):  # beyond these lengths one factor alone is below e^−50
        ends = np.minimum(first * np.expm1(_NOTHING / power), second * np.expm1(_NOTHING / (s + 1)))
    reach = np.log1p(np.minimum(end - start, ends) / short)

    def height(w: Floats) -> Floats:
        passed = short * np.expm1(w)
        found: Floats = w - power * np.log(first + passed) - (s + 1) * np.log(second + passed)
        return found

    middle = height(reach / 2)  # no height is so far from it that its exponential would overflow
    nodes, heights = _COARSE if np.ndim(s) else _FINE
    total = sum(weight / 2 * np.exp(height(reach * (node + 1) / 2) - middle)
                for node, weight in zip(nodes, heights, strict=True))  # fmt: skip
    with np.errstate(divide="ignore"):
        return np.log(total) + middle + np.log(reach) + np.log(short)


PARETO = Pareto()
