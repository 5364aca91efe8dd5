"""How much customers spend per order: the Gamma-Gamma model by its formulas.

Source: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", brucehardie.com/notes/025, eqs. 1a and 5.
Orders of one customer vary as Gamma(p, ν); ν varies between customers as Gamma(q, v). The model assumes that how
much a customer spends has nothing to do with how often; ``check_independence`` measures that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln

PARAMETERS = ("p", "q", "v")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SpendModel:
    """A fitted Gamma-Gamma model.

    Attributes
    ----------
    params : p and q (shapes), v (in the client's currency).
    se : standard errors of the parameters.
    covariance : 3 × 3, of the logarithms of the parameters, in the order of ``PARAMETERS``.
    loglik : total log-likelihood, money in the client's currency.
    n_customers : repeat customers with a positive mean order the model was fitted on.
    """

    params: dict[str, float]
    se: dict[str, float] = field(default_factory=dict)
    covariance: Floats = field(default_factory=lambda: np.full((3, 3), np.nan))
    loglik: float = float("nan")
    n_customers: int = 0
    name: str = "Gamma-Gamma"

    @property
    def theta(self) -> Floats:
        """The three parameters in the order of ``PARAMETERS``."""
        return np.array([self.params[key] for key in PARAMETERS])

    @property
    def population_mean(self) -> float:
        """Expected mean order value of a customer never seen: p·v / (q − 1)."""
        return float(expected_order_value(self.theta, 0, 0.0))

    def expected_order_value(self, frequency: ArrayLike, monetary_value: ArrayLike) -> Floats:
        """Expected mean order value given the history, in currency: own mean drawn towards everyone's (eq. 5)."""
        return expected_order_value(self.theta, frequency, monetary_value)

    def density(self, monetary_value: ArrayLike, frequency: ArrayLike) -> Floats:
        """Density of the mean of ``frequency`` orders at ``monetary_value`` (eq. 1a), per unit of currency."""
        return np.exp(log_likelihood(self.theta, frequency, monetary_value))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "params": self.params,
            "se": self.se,
            "covariance_of_log_params": [[None if np.isnan(v) else float(v) for v in row] for row in self.covariance],
            "loglik": self.loglik,
            "n_customers": self.n_customers,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SpendModel":
        """The model that ``to_dict`` wrote."""
        return cls(
            params=dict(values["params"]),
            se=dict(values["se"]),
            covariance=np.array(values["covariance_of_log_params"], dtype=float),
            loglik=values["loglik"],
            n_customers=values["n_customers"],
            name=values["name"],
        )


def expected_order_value(theta: ArrayLike, frequency: ArrayLike, monetary_value: ArrayLike) -> Floats:
    """Posterior mean of a customer's mean order: (q − 1 : p·x)-weighted mean of everyone's and its own (eq. 5).

    A mean order below zero (returns outweigh purchases) counts as zero.
    """
    p, q, v = np.asarray(theta, float)
    x = np.asarray(frequency, float)
    m = np.maximum(np.asarray(monetary_value, float), 0)
    return p * (v + x * m) / (p * x + q - 1)


def log_likelihood(theta: ArrayLike, frequency: ArrayLike, monetary_value: ArrayLike) -> Floats:
    """Log-likelihood of each mean order of x > 0 repeat purchase days (eq. 1a)."""
    p, q, v = np.asarray(theta, float)
    x, m = np.asarray(frequency, float), np.asarray(monetary_value, float)
    return (
        -betaln(p * x, q)
        + q * np.log(v)
        + (p * x - 1) * np.log(m)
        + p * x * np.log(x)
        - (p * x + q) * np.log(x * m + v)
    )


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows the model can be fitted on: at least one repeat purchase and a positive mean order."""
    return rows[(rows["frequency"] > 0) & (rows["monetary_value"] > 0)]


def check_independence(rows: pd.DataFrame) -> dict[str, float]:
    """Whether how often and how much go together: weighted Pearson and Spearman of (frequency, monetary_value).

    The model assumes neither. Positive: frequent buyers also spend more per order, and totals that lean on the
    assumption come out too low; negative: too high. Customers without a repeat purchase do not enter.
    """
    known = usable(rows)
    weight = known["weight"].to_numpy(float)
    x, m = known["frequency"].to_numpy(float), known["monetary_value"].to_numpy(float)
    return {
        "pearson": _correlation(x, m, weight),
        "spearman": _correlation(_ranks(x, weight), _ranks(m, weight), weight),
        "n_customers": float(weight.sum()),
    }


def _correlation(x: Floats, y: Floats, weight: Floats) -> float:
    if weight.sum() < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    cov = np.cov(x, y, aweights=weight)
    return float(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]))


def _ranks(values: Floats, weight: Floats) -> Floats:
    """Mean ranks as if every row stood ``weight`` times."""
    unique, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place, weight, minlength=len(unique))
    return (np.cumsum(counts) - counts / 2 + 0.5)[place]
