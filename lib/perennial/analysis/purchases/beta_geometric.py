"""BG/NBD and MBG/NBD: purchases at a Gamma-distributed rate, a Beta-distributed chance to leave after each.

BG/NBD is Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2), eqs. 3, 9 and 10;
MBG/NBD is Batislam, Denizel & Filiztekin (2007), IJRM 24(3), written here as the same model with one more chance to
leave, right after the first purchase (``b + 1`` for ``b``).
"""

from typing import Any

import numpy as np
from scipy.special import betaln, gammaln, gammasgn, hyp2f1

from perennial.analysis.purchases.counts import log_at_least, log_exactly
from perennial.analysis.purchases.formulas import Floats


class BetaGeometric:
    """Both models; ``first_chance`` is 1 where a customer may leave right after the first purchase, else 0."""

    parameters = ("r", "alpha", "a", "b")
    lets_leave = True

    def __init__(self, name: str, first_chance: int):
        self.name, self.first_chance = name, first_chance
        self.knows_one_time_buyers = bool(first_chance)  # BG/NBD says alive of all of them

    def log_likelihood(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """BG/NBD eq. 3."""
        r, alpha, a, b = theta
        buying = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
        staying = betaln(a, b + self.first_chance + x) - betaln(a, b)
        whole: Floats = buying + staying + np.logaddexp(0.0, self.log_odds_gone(theta, x, last, age))
        return whole

    def log_odds_gone(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """From the two terms of BG/NBD eq. 3; BG/NBD gives no chance to leave before the first repeat."""
        r, alpha, a, b = theta
        odds = np.log(a) - np.log(b + self.first_chance + np.maximum(x, 1 - self.first_chance) - 1)
        odds = odds + (r + x) * (np.log(alpha + age) - np.log(alpha + last))
        return odds if self.first_chance else np.where(x == 0, -np.inf, odds)

    def purchases_if_alive(self, theta: Any, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """BG/NBD eq. 10 without its denominator.

        The hypergeometric term goes through Euler's transformation, which takes the frequency out of its first two
        arguments: stable at any frequency.
        """
        r, alpha, a, b = theta
        a = np.where(abs(a - 1) < 1e-6, 1 + 1e-6, a)  # the limit exists; the formula divides by a − 1
        stay = b + self.first_chance
        z = ahead / (alpha + age + ahead)
        third = a + stay + x - 1
        with np.errstate(over="ignore", invalid="ignore"):
            kept = (1 - z) ** (a - 1) * hyp2f1(a + stay - 1 - r, a - 1, third, z)
            plain = (1 - z) ** (r + x) * hyp2f1(r + x, stay + x, third, z)
            kept = np.where(np.isfinite(kept), kept, plain)
            kept = np.where(np.isfinite(kept), kept, _far(r + x, stay + x, a, 1 - z)) if np.isnan(kept).any() else kept
        expected = third / (a - 1) * (1 - kept)
        # one chance of a purchase bounds the rest: never negative, never more than the plain Poisson rate
        return np.clip(expected, 0, (r + x) / (alpha + age) * ahead)

    def draw_if_alive(self, theta: Any, ahead: float, x: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """min(Poisson(λ·t), Geometric(p)) with λ ~ Gamma(r + x, α + T) and p ~ Beta(a, b + x), MBG/NBD b + x + 1.

        The two are independent, because the likelihood of an active history factorises (BG/NBD eq. 3, first term);
        purchases end with the horizon or with the first dropout.
        """
        r, alpha, a, b = theta
        rate = rng.gamma(r + x) / (alpha + age)
        leave = np.clip(rng.beta(a, b + self.first_chance + x), 1e-9, 1)
        return np.minimum(rng.poisson(rate * ahead), rng.geometric(leave)).astype(float)

    def log_probability_if_alive(self, theta: Any, count: Floats, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """BG/NBD eq. 8 with the posterior of an active customer: r + x, α + T, a and b + x (MBG/NBD b + x + 1).

        Either the customer stays through all ``count`` purchases and makes no more in time, or leaves at the last of
        them, whatever would have followed. The bracket of eq. 8, one minus a sum, is the incomplete beta function.
        """
        r, alpha, a, b = theta
        count = np.asarray(count, float)
        stay = b + self.first_chance + x
        staying = betaln(a, stay + count) - betaln(a, stay) + log_exactly(count, r + x, alpha + age, ahead)
        last = betaln(a + 1, np.maximum(stay + count - 1, stay)) - betaln(a, stay)
        leaving = np.where(count > 0, last + log_at_least(count, r + x, alpha + age, ahead), -np.inf)
        return np.logaddexp(staying, leaving)


def _far(rate: Any, stay: Any, a: Any, short: Any) -> Floats:
    """The hypergeometric term where the horizon is so long, or leaving so rare, that its own series gives no number.

    By the transformation from z to 1 − z (Abramowitz & Stegun 15.3.6), ``short``, in which both parts converge fast.
    """
    rate, stay, a, short = np.broadcast_arrays(*(np.asarray(value, float) for value in (rate, stay, a, short)))
    third = a + stay - 1
    near = gammasgn(a - 1 - rate) * gammasgn(a - 1) * np.exp(
        gammaln(third) + gammaln(a - 1 - rate) - gammaln(third - rate) - gammaln(a - 1) + rate * np.log(short)
    ) * gammasgn(third - rate)  # fmt: skip
    far = np.exp(gammaln(third) + gammaln(rate + 1 - a) - gammaln(rate) - gammaln(stay) + (a - 1) * np.log(short))
    whole: Floats = near * _series(rate, stay, rate - a + 2, short) + far * _series(
        third - rate, a - 1, a - rate, short
    )
    return whole


def _series(first: Any, second: Any, third: Any, z: Any, terms: int = 60) -> Floats:
    """The hypergeometric series itself, for small ``z``."""
    term = total = np.ones(np.shape(z))
    for k in range(terms):
        term = term * (first + k) * (second + k) / ((third + k) * (k + 1)) * z
        total = total + term
    return total


BG, MBG = BetaGeometric("BG/NBD", 0), BetaGeometric("MBG/NBD", 1)
