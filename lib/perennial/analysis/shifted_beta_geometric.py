"""How long contracts last: each ends at a renewal with a chance of its own, Beta-distributed between contracts.

The shifted beta-geometric model of Fader & Hardie (2007), "How to project customer retention", Journal of Interactive
Marketing 21(1), 76-90; residual lifetimes after Fader & Hardie (2010), "Customer-base valuation in a contractual
setting: the perils of ignoring heterogeneity", Marketing Science 29(1), 85-93. Time counts renewals: a contract that
ends at its first renewal date has time 1. Parameters are numbers or arrays that broadcast with the times.

Counts are frames ``time, ended, count``: ``count`` contracts that ended at renewal ``time``, or were running after
``time`` renewals. Fitting follows the number of different times, not of contracts; counts may be weights.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import betaln

from perennial.analysis.maximum import LARGEST, SMALLEST
from perennial.analysis.purchases.formulas import Floats

PARAMETERS = ("alpha", "beta")
FEWEST_ENDED = 10  # contracts without which two parameters are not fitted
NO_SPREAD = 1e6  # alpha + beta of contracts that are all alike: the limit in which churn is constant
WIDE = 0.25  # standard error of a logarithm above which the asymptotic distribution is not relied on
LONGEST = 1e9  # renewals beyond which no median is looked for
Name = Literal["sBG", "constant churn"]


@dataclass(frozen=True)
class RenewalModel:
    """A fitted model of renewals.

    Attributes
    ----------
    name : ``"sBG"``, or ``"constant churn"`` where the contracts do not show that they differ (``reason`` says why);
        then ``alpha / (alpha + beta)`` is the churn at every renewal, and the two sum to :data:`NO_SPREAD`.
    alpha, beta : of the Beta distribution of the chance to end at a renewal; its mean is alpha / (alpha + beta).
    se : standard errors by parameter (delta method); of constant churn, of ``churn``.
    covariance : of the logarithms of alpha and beta; empty for constant churn.
    loglik : total log-likelihood.
    contracts, ended, renewed : contracts fitted on, and how often one of them ended or was renewed.
    reason : why churn is taken as constant; empty for sBG.
    counts : what it was fitted on.
    """

    name: Name
    alpha: float
    beta: float
    loglik: float
    contracts: float
    ended: float
    renewed: float
    se: dict[str, float] = field(default_factory=dict)
    covariance: Floats = field(default_factory=lambda: np.empty((0, 0)))
    reason: str = ""
    counts: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return 2 if self.name == "sBG" else 1

    @property
    def aic(self) -> float:
        """Akaike's criterion; lower is better on the same counts."""
        return 2 * self.parameters - 2 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion, by contracts; lower is better on the same counts."""
        return self.parameters * math.log(self.contracts) - 2 * self.loglik

    @property
    def churn(self) -> float:
        """Mean chance that a new contract ends at its first renewal."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def spread_error(self) -> float:
        """Standard error of the logarithms of alpha and beta, the larger; infinite for constant churn."""
        return float(np.sqrt(np.diag(self.covariance)).max()) if self.covariance.size else math.inf

    def draw(self, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Alphas and betas as uncertain as the fit leaves them.

        Normal in logarithms (the asymptotic distribution) where that is narrow; else a weighted bootstrap, each time
        with the best parameters of a fine grid, which reaches to constant churn. Where nothing but one rate can be
        told, Jeffreys' posterior of it, Beta(ended + ½, renewed + ½): how contracts differ is then not in the draws.
        """
        if self.spread_error <= WIDE:
            theta = np.exp(rng.multivariate_normal(np.log([self.alpha, self.beta]), self.covariance, draws))
            return theta[:, 0], theta[:, 1]
        if self.counts["time"].max() >= 2 and self.ended >= FEWEST_ENDED:
            return self._resample(draws, rng)
        churn = rng.beta(self.ended + 0.5, self.renewed + 0.5, draws)
        return churn * NO_SPREAD, (1 - churn) * NO_SPREAD

    def _resample(self, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        time, ended, weight = _arrays(self.counts)
        log_odds = math.log(self.alpha / self.beta)
        error = 1 / math.sqrt((self.ended + self.renewed) * self.churn * (1 - self.churn))
        if self.covariance.size:
            error = math.sqrt(max(np.array([1, -1]) @ self.covariance @ np.array([1, -1]), error**2))
        odds = np.exp(log_odds + 6 * error * np.linspace(-1, 1, 81))
        # the widest spread last: of equally good ones the first is taken, and that is constant churn
        size = np.concatenate([[NO_SPREAD], np.geomspace(LARGEST, 10 * SMALLEST, 70)])[:, None]
        alpha, beta = (np.ravel(size * share) for share in (odds / (1 + odds), 1 / (1 + odds)))
        cells = log_likelihood((alpha[:, None], beta[:, None]), time, ended)
        resampled = rng.multinomial(round(weight.sum()), weight / weight.sum(), draws)
        best = np.argmax(np.round(resampled @ cells.T, 9), axis=1)
        return alpha[best], beta[best]


def survival(alpha: ArrayLike, beta: ArrayLike, renewals: ArrayLike) -> Floats:
    """Share of new contracts still running after so many renewals: S(t) = B(α, β + t) / B(α, β), eq. 6 of 2007."""
    a, b, t = (np.asarray(v, float) for v in (alpha, beta, renewals))
    kept: Floats = np.exp(betaln(a, b + t) - betaln(a, b))
    return kept


def retention(alpha: ArrayLike, beta: ArrayLike, renewal: ArrayLike) -> Floats:
    """Share renewed of those that come to renewal t: r(t) = (β + t − 1) / (α + β + t − 1), eq. 8 of 2007."""
    a, b, t = (np.asarray(v, float) for v in (alpha, beta, renewal))
    return np.asarray((b + t - 1) / (a + b + t - 1), dtype=np.float64)


def survival_given(alpha: ArrayLike, beta: ArrayLike, renewals: ArrayLike, ahead: ArrayLike) -> Floats:
    """Share of contracts with so many renewals behind them that come through ``ahead`` more: S(t + m) / S(t)."""
    b = np.asarray(beta, float) + np.asarray(renewals, float)
    return survival(alpha, b, ahead)


def expected_tenure(alpha: float, beta: float) -> float:
    """Mean number of periods of a new contract, the first counted: (α + β − 1) / (α − 1); infinite at α ≤ 1."""
    return (alpha + beta - 1) / (alpha - 1) if alpha > 1 else math.inf


def median_tenure(alpha: float, beta: float) -> float:
    """Renewals at which half of new contracts have ended: the first t with S(t) ≤ ½; infinite beyond 1e9."""
    if survival(alpha, beta, LONGEST) > 0.5:
        return math.inf
    low, high = 0, int(LONGEST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if survival(alpha, beta, middle) > 0.5 else (low, middle)
    return float(high)


def residual_lifetime(alpha: ArrayLike, beta: ArrayLike, renewals: ArrayLike, rate: float) -> Floats:
    """Discounted expected residual lifetime (DERL), in renewals still to come.

    Of a contract with ``renewals`` (n − 1) behind it, seen right before its next one, which is the first counted and
    not discounted (2010, eq. 6): Σ S(t)/S(n−1) · (1+d)^(n−t) over t = n, n+1, …

        DERL = (β+n−1)/(α+β+n−1) · ₂F₁(1, β+n; α+β+n; 1/(1+d))

    Parameters
    ----------
    rate : d, per period. At 0 the sum is (β+n−1)/(α−1), and infinite where α ≤ 1: with churn that falls for ever
        and no discount the expected number of renewals has no bound.

    Notes
    -----
    ₂F₁ is taken as Gauss's continued fraction, with terms of one sign and no gamma functions: within 1e-11 of mpmath
    for α and β between 0.05 and 1e6, where scipy's ``hyp2f1`` returns NaN at large β.
    """
    if rate < 0:
        raise ValueError(f"a discount rate cannot be negative: {rate}")
    a, b, past = np.broadcast_arrays(*(np.asarray(v, float) for v in (alpha, beta, renewals)))
    b = b + past
    if rate == 0:
        with np.errstate(divide="ignore"):
            return np.where(a > 1, b / np.where(a > 1, a - 1, 1.0), np.inf)
    return np.asarray(b / (a + b) * _gauss_fraction(b + 1, a + b + 1, 1 / (1 + rate)), dtype=np.float64)


def _gauss_fraction(b: Floats, c: Floats, z: float, tolerance: float = 1e-15, most: int = 200_000) -> Floats:
    """₂F₁(1, b; c; z) for c > b > 0 and 0 ≤ z < 1, by Lentz's method on 1/(1 − k₁z/(1 − k₂z/(1 − …)))."""
    value, above, below = np.ones_like(b), np.ones_like(b), np.zeros_like(b)
    for step in range(1, most):
        k = step // 2
        if step == 1:
            term = b / c
        elif step % 2:
            term = (b + k) * (c + k - 1) / ((c + 2 * k - 1) * (c + 2 * k))
        else:
            term = k * (c - b + k - 1) / ((c + 2 * k - 2) * (c + 2 * k - 1))
        below = 1 / (1 - term * z * below)
        above = 1 - term * z / above
        change = above * below
        value = value * change
        if np.all(abs(change - 1) < tolerance):
            break
    return np.asarray(1 / value, dtype=np.float64)


def renewals_within(alpha: ArrayLike, beta: ArrayLike, renewals: ArrayLike, due: ArrayLike, rate: float) -> Floats:
    """The same sum as DERL, cut after the ``due`` renewals that fall within a horizon."""
    a, b, past, most = np.broadcast_arrays(*(np.asarray(v, float) for v in (alpha, beta, renewals, due)))
    total, kept = np.zeros(a.shape), np.ones(a.shape)
    for ahead in range(1, int(most.max(initial=0)) + 1):
        kept = kept * retention(a, b, past + ahead)
        total += np.where(ahead <= most, kept / (1 + rate) ** (ahead - 1), 0.0)
    return total


def draw_renewals(
    alpha: ArrayLike, beta: ArrayLike, renewals: ArrayLike, size: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    """How many renewals contracts still make: θ ~ Beta(α, β + past) given the past, then geometric."""
    leaving = rng.beta(np.asarray(alpha, float), np.asarray(beta, float) + np.asarray(renewals, float), size)
    # from the uniform itself: numpy's geometric draws are whole numbers that overflow where leaving is near 0
    with np.errstate(divide="ignore"):
        made = np.floor(np.log(1 - rng.random(size)) / np.log1p(-np.clip(leaving, 1e-12, 1 - 1e-12)))
    return np.asarray(made, dtype=np.float64)


def log_likelihood(theta: Any, time: Floats, ended: Floats) -> Floats:
    """Log-likelihood of a contract per row: log P(T = t) where it ended, log S(t) where it runs."""
    alpha, beta = theta
    over = betaln(alpha + 1, beta + np.maximum(time, 1) - 1)
    whole: Floats = np.where(ended, over, betaln(alpha, beta + time)) - betaln(alpha, beta)
    return whole


def _arrays(counts: pd.DataFrame) -> tuple[Floats, Any, Floats]:
    time, weight = counts["time"].to_numpy(float), counts["count"].to_numpy(float)
    return time, counts["ended"].to_numpy(bool), weight


def _renewed(time: Floats, ended: Any, weight: Floats) -> float:
    return float(weight @ (time - ended))
