"""How often customers come back, and whether they still do: BG/NBD and MBG/NBD by their formulas.

Every function takes ``frequency, recency, T`` as the customer summary holds them, in **days**; parameters are per
**week**, as in the literature. Equations: BG/NBD is Fader, Hardie & Lee (2005), "Counting Your Customers the Easy
Way", Marketing Science 24(2), eqs. 3, 9 and 10; MBG/NBD is Batislam, Denizel & Filiztekin (2007), IJRM 24(3),
written here as the same model with one more dropout chance, right after the first purchase (``b + 1`` for ``b``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, gammaln, hyp2f1

DAYS_PER_WEEK = 7.0
PARAMETERS = ("r", "alpha", "a", "b")
Name = Literal["BG/NBD", "MBG/NBD"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PurchaseModel:
    """A fitted purchase model.

    Attributes
    ----------
    name : ``"BG/NBD"`` or ``"MBG/NBD"``.
    params : r, alpha (purchase rates vary as Gamma(r, alpha), per ``unit``), a, b (dropout chances vary as Beta(a, b)).
    se : standard errors of the parameters (asymptotic, delta method).
    covariance : 4 × 4, of the *logarithms* of the parameters, in the order of ``PARAMETERS``; NaN where unknown.
    loglik : total log-likelihood, times in ``unit``.
    n_customers : customers the model was fitted on.
    unit : unit of time of the parameters; always ``"week"``.
    """

    name: Name
    params: dict[str, float]
    se: dict[str, float] = field(default_factory=dict)
    covariance: Floats = field(default_factory=lambda: np.full((4, 4), np.nan))
    loglik: float = float("nan")
    n_customers: int = 0
    unit: str = "week"

    @property
    def theta(self) -> Floats:
        """The four parameters in the order of ``PARAMETERS``."""
        return np.array([self.params[key] for key in PARAMETERS])

    @property
    def aic(self) -> float:
        """Akaike's criterion; lower is better among models of the same data."""
        return 2 * len(PARAMETERS) - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion; lower is better among models of the same data."""
        return float(len(PARAMETERS) * np.log(self.n_customers) - 2 * self.loglik)

    @property
    def knows_one_time_buyers(self) -> bool:
        """Whether P(alive) of a customer with one purchase means anything: BG/NBD says 1 for all of them."""
        return self.name != "BG/NBD"

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of still being a customer at the as-of date, 0 to 1 (1 for every one-time buyer in BG/NBD)."""
        return expit(-dropout_log_odds(self.name, self.theta, frequency, recency, T))

    def expected_purchases(self, days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected purchase days in the next ``days`` days given the history (BG/NBD eq. 10)."""
        return self.p_alive(frequency, recency, T) * purchases_if_alive(self.name, self.theta, days, frequency, T)

    def expected_of_new(self, days: ArrayLike) -> Floats:
        """Expected repeat purchase days of a new customer in its first ``days`` days (BG/NBD eq. 9)."""
        alive = np.exp(-np.logaddexp(0.0, dropout_log_odds(self.name, self.theta, 0, 0, 0)))
        return alive * purchases_if_alive(self.name, self.theta, days, 0, 0)

    def probability_of_none(self, days: ArrayLike) -> Floats:
        """Chance that a new customer makes no repeat purchase in its first ``days`` days (BG/NBD eq. 8, x = 0)."""
        r, alpha, a, b = self.theta
        idle = (alpha / (alpha + np.asarray(days, float) / DAYS_PER_WEEK)) ** r
        return idle if self.name == "BG/NBD" else a / (a + b) + b / (a + b) * idle

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


def log_likelihood(name: Name, theta: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
    """Log-likelihood of each history (BG/NBD eq. 3), computed in logarithms so that no frequency overflows it."""
    r, alpha, a, b = np.asarray(theta, float)
    x, _, age = _weeks(frequency, recency, T)
    stay = b + _first_chance(name)
    buying = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
    staying = betaln(a, stay + x) - betaln(a, b)
    return buying + staying + np.logaddexp(0.0, dropout_log_odds(name, theta, frequency, recency, T))


def dropout_log_odds(name: Name, theta: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
    """Log odds of having left against still being a customer; −∞ where the model sees no chance to leave."""
    r, alpha, a, b = np.asarray(theta, float)
    x, last, age = _weeks(frequency, recency, T)
    stay = b + _first_chance(name)
    # BG/NBD gives no chance to leave before the first repeat: its x = 0 is settled in the last line
    odds = np.log(a) - np.log(stay + np.maximum(x, 1 - _first_chance(name)) - 1)
    odds = odds + (r + x) * (np.log(alpha + age) - np.log(alpha + last))
    return np.where(x == 0, -np.inf, odds) if name == "BG/NBD" else odds


def purchases_if_alive(name: Name, theta: ArrayLike, days: ArrayLike, frequency: ArrayLike, T: ArrayLike) -> Floats:
    """Expected purchase days in the next ``days`` days of a customer known to be active.

    BG/NBD eq. 10 without its denominator. The hypergeometric term goes through Euler's transformation, which takes
    the frequency out of its first two arguments: stable at any frequency.
    """
    r, alpha, a, b = np.asarray(theta, float)
    a = 1 + 1e-6 if abs(a - 1) < 1e-6 else a  # the limit exists; the formula divides by a − 1
    x, ahead, age = _weeks(frequency, days, T)
    stay = b + _first_chance(name)
    z = ahead / (alpha + age + ahead)
    third = a + stay + x - 1
    with np.errstate(over="ignore", invalid="ignore"):
        kept = (1 - z) ** (a - 1) * hyp2f1(a + stay - 1 - r, a - 1, third, z)
        plain = (1 - z) ** (r + x) * hyp2f1(r + x, stay + x, third, z)
    expected = third / (a - 1) * (1 - np.where(np.isfinite(kept), kept, plain))
    # one chance of a purchase bounds the rest: never negative, never more than the plain Poisson rate
    return np.clip(expected, 0, (r + x) / (alpha + age) * ahead)


def _first_chance(name: Name) -> int:
    """One where a customer may leave right after the first purchase (MBG/NBD), else zero."""
    return 0 if name == "BG/NBD" else 1


def _weeks(frequency: ArrayLike, first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats, Floats]:
    return (
        np.asarray(frequency, float),
        np.asarray(first, float) / DAYS_PER_WEEK,
        np.asarray(second, float) / DAYS_PER_WEEK,
    )
