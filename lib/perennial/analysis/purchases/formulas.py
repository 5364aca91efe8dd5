"""What every purchase model can say; times in weeks, arrays broadcast against each other.

A customer's history is ``x`` repeat purchases, the last of them at ``last``, observed for ``age``. ``theta`` holds the
parameters in the order of ``parameters``, each a number or an array that broadcasts with the histories.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Formulas(Protocol):
    """A purchase model's formulas."""

    @property
    def name(self) -> str:
        """As the literature calls it."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the order of ``theta``."""

    @property
    def lets_leave(self) -> bool:
        """Whether customers can leave for good."""

    @property
    def knows_one_time_buyers(self) -> bool:
        """Whether P(alive) of a customer with one purchase says anything."""

    def log_likelihood(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """Log-likelihood of each history, in logarithms throughout so that no frequency overflows it."""

    def log_odds_gone(self, theta: Any, x: Floats, last: Floats, age: Floats) -> Floats:
        """Log odds of having left against still being a customer; −∞ where the model sees no chance to have left."""

    def purchases_if_alive(self, theta: Any, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """Expected purchases in the next ``ahead`` weeks of a customer known to be active."""

    def draw_if_alive(self, theta: Any, ahead: float, x: Floats, age: Floats, rng: np.random.Generator) -> Floats:
        """Purchases in the next ``ahead`` weeks of one active customer per history, from the exact posterior."""

    def log_probability_if_alive(self, theta: Any, count: Floats, ahead: Floats, x: Floats, age: Floats) -> Floats:
        """Log of the chance of exactly ``count`` purchases in the next ``ahead`` weeks of one known to be active."""
