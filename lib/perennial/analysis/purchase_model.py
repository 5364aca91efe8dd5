"""How often customers come back, and whether they still do: a fitted purchase model and what it says.

Every method takes ``frequency, recency, T`` as the customer summary holds them, in **days**; parameters are per
**week**, as in the literature. The formulas and their sources are in :mod:`perennial.analysis.purchases`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from perennial.analysis.purchases.beta_geometric import BG, MBG
from perennial.analysis.purchases.formulas import Floats, Formulas
from perennial.analysis.purchases.negative_binomial import NBD
from perennial.analysis.purchases.pareto import PARETO
from perennial.parameters import ModelName

DAYS_PER_WEEK = 7.0
HISTORY = ["frequency", "recency", "T"]  # all that a purchase model knows of a customer
KEYS = [*HISTORY, "monetary_value"]  # with what a spend model knows of them
Name = ModelName
NAMES: tuple[Name, ...] = get_args(ModelName)
FORMULAS: dict[str, Formulas] = {formulas.name: formulas for formulas in (BG, MBG, PARETO, NBD)}


@dataclass(frozen=True)
class PurchaseModel:
    """A fitted purchase model.

    Attributes
    ----------
    name : which model it is.
    params : its parameters by name, times in ``unit``.
    se : standard errors of the parameters (asymptotic, delta method).
    covariance : of the *logarithms* of the parameters, in the order of ``names``; empty where unknown.
    loglik : total log-likelihood, times in ``unit``; on one scale for all models.
    n_customers : customers the model was fitted on.
    unit : unit of time of the parameters; always ``"week"``.
    """

    name: Name
    params: dict[str, float]
    se: dict[str, float] = field(default_factory=dict)
    covariance: Floats = field(default_factory=lambda: np.empty((0, 0)))
    loglik: float = float("nan")
    n_customers: int = 0
    unit: str = "week"

    @property
    def formulas(self) -> Formulas:
        """The model's formulas, in weeks."""
        return FORMULAS[self.name]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in their order."""
        return self.formulas.parameters

    @property
    def theta(self) -> Floats:
        """The parameters in the order of ``names``."""
        return np.array([self.params[key] for key in self.names])

    def at(self, theta: ArrayLike) -> "PurchaseModel":
        """The same model with other parameters, of which nothing else is known."""
        values = np.asarray(theta, float).tolist()
        return PurchaseModel(self.name, dict(zip(self.names, values, strict=True)))

    @property
    def has_covariance(self) -> bool:
        """Whether the uncertainty of the parameters is known."""
        return bool(self.covariance.size and np.isfinite(self.covariance).all())

    @property
    def aic(self) -> float:
        """Akaike's criterion; lower is better among models of the same data."""
        return 2 * len(self.names) - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion; lower is better among models of the same data."""
        return float(len(self.names) * np.log(self.n_customers) - 2 * self.loglik)

    @property
    def lets_leave(self) -> bool:
        """Whether customers can leave in this model at all; P(alive) says nothing where they cannot."""
        return self.formulas.lets_leave

    @property
    def knows_one_time_buyers(self) -> bool:
        """Whether P(alive) of a customer with one purchase means anything: BG/NBD says 1 for all of them."""
        return self.formulas.knows_one_time_buyers

    def log_likelihood(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Log-likelihood of each history."""
        return self.formulas.log_likelihood(self.theta, *_weeks(frequency, recency, T))

    def log_odds_gone(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, theta: Any = None) -> Floats:
        """Log odds of having left against still being a customer; ``theta``: at other parameters."""
        return self.formulas.log_odds_gone(self._at(theta), *_weeks(frequency, recency, T))

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, theta: Any = None) -> Floats:
        """Probability of still being a customer at the as-of date, 0 to 1 (1 for every one-time buyer in BG/NBD)."""
        return expit(-self.log_odds_gone(frequency, recency, T, theta))

    def purchases_if_alive(self, days: ArrayLike, frequency: ArrayLike, T: ArrayLike, theta: Any = None) -> Floats:
        """Expected purchase days in the next ``days`` days of a customer known to be active."""
        x, age = np.asarray(frequency, float), np.asarray(T, float) / DAYS_PER_WEEK
        return self.formulas.purchases_if_alive(self._at(theta), np.asarray(days, float) / DAYS_PER_WEEK, x, age)

    def expected_purchases(self, days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected purchase days in the next ``days`` days given the history (BG/NBD eq. 10)."""
        return self.p_alive(frequency, recency, T) * self.purchases_if_alive(days, frequency, T)

    def expected_of_new(self, days: ArrayLike) -> Floats:
        """Expected repeat purchase days of a new customer in its first ``days`` days (BG/NBD eq. 9)."""
        return self.p_alive(0, 0, 0) * self.purchases_if_alive(days, 0, 0)

    def probability_if_alive(
        self, count: ArrayLike, days: ArrayLike, frequency: ArrayLike, T: ArrayLike, theta: Any = None
    ) -> Floats:
        """Chance of exactly ``count`` purchase days in the next ``days`` days of a customer known to be active."""
        x, age = np.asarray(frequency, float), np.asarray(T, float) / DAYS_PER_WEEK
        ahead = np.asarray(days, float) / DAYS_PER_WEEK
        many = np.asarray(count, float)
        return np.exp(self.formulas.log_probability_if_alive(self._at(theta), many, ahead, x, age))

    def probability_of(
        self,
        count: ArrayLike,
        days: ArrayLike,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        theta: Any = None,
    ) -> Floats:
        """Chance of exactly ``count`` purchase days in the next ``days`` days given the history.

        Over all counts it adds up to 1, and its mean is ``expected_purchases``.
        """
        alive = self.p_alive(frequency, recency, T, theta)
        found = alive * self.probability_if_alive(count, days, frequency, T, theta)
        return found + np.where(np.asarray(count) == 0, 1 - alive, 0.0)

    def probability_of_new(self, count: ArrayLike, days: ArrayLike, theta: Any = None) -> Floats:
        """Chance that a new customer makes ``count`` repeat purchases in its first ``days`` days (BG/NBD eq. 8)."""
        return self.probability_of(count, days, 0, 0, 0, theta)

    def _at(self, theta: Any) -> Any:
        return self.theta if theta is None else theta

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "params": self.params,
            "se": self.se,
            "covariance_of_log_params": [[None if np.isnan(v) else float(v) for v in row] for row in self.covariance],
            "loglik": self.loglik,
            "aic": self.aic,
            "bic": self.bic,
            "n_customers": self.n_customers,
            "unit": self.unit,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PurchaseModel":
        """The model that ``to_dict`` wrote."""
        return cls(
            name=values["name"],
            params=dict(values["params"]),
            se=dict(values["se"]),
            covariance=np.array(values["covariance_of_log_params"], dtype=float),
            loglik=values["loglik"],
            n_customers=values["n_customers"],
            unit=values["unit"],
        )


def _weeks(frequency: ArrayLike, first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats, Floats]:
    return (
        np.asarray(frequency, float),
        np.asarray(first, float) / DAYS_PER_WEEK,
        np.asarray(second, float) / DAYS_PER_WEEK,
    )
