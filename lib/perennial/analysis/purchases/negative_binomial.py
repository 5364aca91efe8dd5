"""NBD: purchases at a Gamma-distributed rate, and nobody ever leaves (Ehrenberg 1959).

The yardstick of the others: what they gain over it is what the idea of leaving explains.
"""

from typing import Any

import numpy as np
from scipy.special import gammaln

from perennial.analysis.purchases.counts import log_exactly
from perennial.analysis.purchases.formulas import Floats


class NegativeBinomial:
    """Rates vary as Gamma(r, alpha)."""

    name = "NBD"
    parameters = ("r", "alpha")
    lets_leave = False
    knows_one_time_buyers = False

    def log_likelihood(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """Of the times of purchase, on the scale of the other models (without the count's own factor)."""
        r, alpha = theta
        found: Floats = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
        return found + 0 * last

    def log_odds_gone(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """Nobody leaves."""
        return np.full(np.broadcast_shapes(*map(np.shape, (*theta, x, last, age))), -np.inf)

    def purchases_if_alive(self, theta: Any, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """The mean of the rate given the history, times the weeks."""
        r, alpha = theta
        expected: Floats = (r + x) / (alpha + age) * ahead
        return expected

    def draw_if_alive(self, theta: Any, ahead: float, x: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Poisson(λ·t) with λ ~ Gamma(r + x, α + T)."""
        r, alpha = theta
        return rng.poisson(rng.gamma(r + x) / (alpha + age) * ahead).astype(float)

    def log_probability_if_alive(self, theta: Any, count: Floats, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """Negative binomial with the posterior of the rate, Gamma(r + x, α + T)."""
        r, alpha = theta
        return log_exactly(count, r + x, alpha + age, ahead)


NBD = NegativeBinomial()
