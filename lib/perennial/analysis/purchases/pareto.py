"""Pareto/NBD: purchases at a Gamma-distributed rate until a lifetime of a Gamma-distributed hazard ends.

Schmittlein, Morrison & Colombo (1987), Management Science 33(1). The likelihood is taken before its closed form, from
the integral over the moment of leaving (Fader & Hardie, "A Note on Deriving the Pareto/NBD Model", eq. 18):
the published hypergeometric terms are the difference of two nearly equal numbers and overflow at high frequencies;
the integral has one sign and is computed in logarithms.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import gammaln

from perennial.analysis.purchases.counts import log_exactly
from perennial.analysis.purchases.formulas import Floats

_NOTHING = 50.0
_NEGLIGIBLE = 45.0
_PANELS = (0.0, 0.1, 0.4, 1.0)  # of the way from the peak to where nothing is left
_PANEL = np.polynomial.legendre.leggauss(16)
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

    def log_probability_if_alive(self, theta: Any, count: Floats, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """Still active at the end of ``ahead``, or gone at some moment of it with ``count`` purchases until then.

        Fader & Hardie (2006), "Deriving an Expression for P(X(t) = x) Under the Pareto/NBD Model", with the posterior
        r + x, α + T, s, β + T of an active customer. The integral over the moment of leaving is taken as it stands: its
        closed form is a sum of ``count`` hypergeometric terms of mixed size.
        """
        r, alpha, s, beta = theta
        r, alpha, beta = r + x, alpha + age, beta + age
        if not np.any(count):  # as likely as a new history without a purchase, which is quicker
            return self.log_likelihood((r, alpha, s, beta), np.asarray(count, float), np.zeros(()), ahead)
        staying = log_exactly(count, r, alpha, ahead) - s * np.log1p(ahead / beta)
        passed = gammaln(r + count) - gammaln(r) - gammaln(count + 1.0) + r * np.log(alpha) + s * np.log(beta)
        leaving = passed + np.log(s) + _log_moment(count, r + count, alpha, s, beta, ahead)
        return np.logaddexp(staying, leaving)


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


def _log_moment(count: Any, power: Any, alpha: Any, s: Any, beta: Any, end: Any) -> Floats:
    """log ∫ y^count (α+y)^−power (β+y)^−(s+1) dy from 0 to ``end``.

    In v = log y the logarithm of the integrand is concave: its peak is the root of a quadratic, and it is integrated
    by panels of Gauss-Legendre nodes from the peak to where it has fallen by e^−45 on either side, or to the end.
    """
    n, power, alpha, s, beta, end = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (count, power, alpha, s, beta, end))
    )

    def height(v: Floats) -> Floats:
        y = np.exp(v)
        found: Floats = (n + 1) * v - power * np.log(alpha + y) - (s + 1) * np.log(beta + y)
        return found

    def slope(v: Floats) -> Floats:
        y = np.exp(v)
        found: Floats = (n + 1) - power * y / (alpha + y) - (s + 1) * y / (beta + y)
        return found

    bend = power - n + s
    middle = (n + 1) * (alpha + beta) - power * beta - (s + 1) * alpha
    root = np.hypot(middle, 2 * np.sqrt(bend * (n + 1) * alpha * beta))
    peak = np.where(middle > 0, (middle + root) / (2 * bend), 2 * (n + 1) * alpha * beta / (root - middle))
    with np.errstate(divide="ignore"):
        last = np.log(end)
    top = np.minimum(np.log(peak), np.where(end > 0, last, 0.0))
    high = height(top)
    left = _fallen(height, slope, top, high, -1.0)
    right = np.minimum(_fallen(height, slope, np.log(peak), height(np.log(peak)), 1.0), np.maximum(last, top))
    total = np.zeros_like(top)
    for first, final in ((top, left), (top, right)):
        width = final - first
        for begin, stop in itertools.pairwise(_PANELS):
            for node, weight in zip(*_PANEL, strict=True):
                place = begin + (stop - begin) * (node + 1) / 2
                total += np.abs(width) * (stop - begin) * weight / 2 * np.exp(height(first + place * width) - high)
    with np.errstate(divide="ignore"):
        return np.where(end > 0, high + np.log(total), -np.inf)


def _fallen(
    height: Callable[[Floats], Floats], slope: Callable[[Floats], Floats], top: Floats, high: Floats, side: float
) -> Floats:
    """Where a concave function has fallen by 45 below its value at ``top``, on one side.

    By Newton's steps: the tangent lies above the function, so that from the second on none goes too far.
    """
    step = np.ones_like(top)
    for _ in range(60):  # out to where it has fallen enough
        short = high - height(top + side * step) < _NEGLIGIBLE
        if not short.any():
            break
        step = np.where(short, 1.5 * step, step)
    place = top + side * step
    for _ in range(8):
        place = place - (height(place) - (high - _NEGLIGIBLE)) / slope(place)
    return place


PARETO = Pareto()
