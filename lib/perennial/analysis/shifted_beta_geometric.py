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
from scipy.special import betaln, chdtrc, digamma, zeta

from perennial.analysis.maximum import LARGEST, SMALLEST, NoMaximumError, maximise
from perennial.analysis.purchases.formulas import Floats
from perennial.errors import ModelError
from perennial.formats import number
from perennial.language import _

PARAMETERS = ("alpha", "beta")
FEWEST_ENDED, FEWEST_FOR_ONE_RATE = 10, 3  # ended contracts without which nothing is fitted
NO_SPREAD = 1e6  # alpha + beta of contracts that are all alike: the limit in which churn is constant
NO_GAIN = 1e-3  # in log-likelihood: less, and the contracts do not show that they differ
WIDE = 0.25  # standard error of a logarithm above which the asymptotic distribution is not relied on
LONGEST = 1e9  # renewals beyond which no median is looked for
Name = Literal["sBG", "constant churn"]


class NoSpreadError(ModelError):
    """The counts do not show whether contracts differ; one churn for all of them can still be told."""


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


def fit(counts: pd.DataFrame) -> RenewalModel:
    """The shifted beta-geometric by maximum likelihood.

    Parameters
    ----------
    counts : ``time, ended, count``; several cohorts may stand in it, each censored in its own time.

    Raises
    ------
    NoSpreadError : the counts do not show whether contracts differ: churn does not fall from renewal to renewal, only
        one renewal has been seen, or too few contracts ended.
    ModelError : they cannot carry any model, or who stayed once never left; the sentence says why.
    """
    counts = _together(counts)
    time, ended, weight = _arrays(counts)
    stopped, renewed = _check(time, ended, weight)

    def total(log_theta: Floats) -> float:
        return float(np.sum(weight * log_likelihood(np.exp(log_theta), time, ended)))

    flat = constant_likelihood(counts)
    try:
        theta, covariance = maximise(lambda start, _tolerance: _climb(counts, start), total, PARAMETERS, "sBG")
    except NoMaximumError as error:
        if best_likelihood(counts) - flat < 10 * NO_GAIN:
            raise NoSpreadError(_alike()) from error
        raise ModelError(_no_peak()) from error
    loglik = total(np.log(theta))
    if loglik - flat < NO_GAIN:
        raise NoSpreadError(_alike())
    errors = (theta * np.sqrt(np.diag(covariance))).tolist()
    return RenewalModel(
        "sBG",
        float(theta[0]),
        float(theta[1]),
        loglik,
        float(weight.sum()),
        stopped,
        renewed,
        dict(zip(PARAMETERS, errors, strict=True)),
        covariance,
        counts=counts,
    )


def fit_or_constant(counts: pd.DataFrame) -> RenewalModel:
    """The shifted beta-geometric, or one constant churn where the counts do not show that contracts differ.

    Raises
    ------
    ModelError : too few contracts ended, all ended at once, or who stayed once never left.
    """
    try:
        return fit(counts)
    except NoSpreadError as error:
        time, ended, weight = _arrays(counts)
        stopped, renewed = float(weight[ended].sum()), _renewed(time, ended, weight)
        if stopped < FEWEST_FOR_ONE_RATE:
            raise
        churn = stopped / (stopped + renewed)
        return RenewalModel(
            "constant churn",
            churn * NO_SPREAD,
            (1 - churn) * NO_SPREAD,
            constant_likelihood(counts),
            float(weight.sum()),
            stopped,
            renewed,
            {"churn": math.sqrt(churn * (1 - churn) / (stopped + renewed))},
            reason=str(error),
            counts=_together(counts),
        )


def constant_likelihood(counts: pd.DataFrame) -> float:
    """Log-likelihood of the best constant churn (geometric lifetimes)."""
    time, ended, weight = _arrays(counts)
    stopped, renewed = float(weight[ended].sum()), _renewed(time, ended, weight)
    parts = [n * math.log(n / (stopped + renewed)) for n in (stopped, renewed) if n > 0]
    return float(sum(parts))


def best_likelihood(counts: pd.DataFrame) -> float:
    """The highest log-likelihood that the model can reach, also on its boundary: for likelihood-ratio tests."""
    counts = _together(counts)
    time, ended, weight = _arrays(counts)
    tops = (_climb(counts, start) for start in (None, [-1.0, 1.5], [0.0, 2.5], [-4.0, -4.0]))
    reached = [float(np.sum(weight * log_likelihood(top, time, ended))) for top in tops]
    return max([constant_likelihood(counts), *reached])


def cohorts_differ(cohorts: list[pd.DataFrame]) -> dict[str, float]:
    """Likelihood-ratio test of parameters by cohort against common ones.

    Parameters
    ----------
    cohorts : counts of each cohort.

    Returns
    -------
    ``statistic`` (twice the gain in log-likelihood), ``df``, ``p_value``. A cohort that has come to one renewal only
    has one parameter to learn, one that has come to none has none; cohorts that do not bear a parameter are counted so.
    """
    known = [cohort for cohort in cohorts if _bears(cohort)]
    if len(known) < 2:
        return {"statistic": math.nan, "df": 0.0, "p_value": math.nan}
    pooled = pd.concat(known)
    gain = sum(best_likelihood(cohort) for cohort in known) - best_likelihood(pooled)
    df = sum(_bears(cohort) for cohort in known) - _bears(pooled)
    return {"statistic": max(0.0, 2 * gain), "df": float(df), "p_value": float(chdtrc(df, max(0.0, 2 * gain)))}


def _bears(counts: pd.DataFrame) -> int:
    """How many parameters these counts can tell: as many as there are renewals that anybody came to, at most two."""
    time = counts.loc[counts["count"] > 0, "time"]
    return int(min(2, time.max())) if len(time) else 0


def _arrays(counts: pd.DataFrame) -> tuple[Floats, Any, Floats]:
    time, weight = counts["time"].to_numpy(float), counts["count"].to_numpy(float)
    return time, counts["ended"].to_numpy(bool), weight


def _renewed(time: Floats, ended: Any, weight: Floats) -> float:
    return float(weight @ (time - ended))


def _climb(counts: pd.DataFrame, start: list[float] | None, most: int = 300) -> Floats:
    """The maximum of the likelihood from a start in logarithms, within bounds beyond which no maximum counts.

    Newton's steps, damped until the likelihood rises (Levenberg). Two parameters only: written out, and twenty times as
    fast as a general optimiser, whose linear algebra is made for many.
    """
    time, ended, weight = _arrays(counts)

    def height(log_theta: Floats) -> float:
        return float(np.sum(weight * log_likelihood(np.exp(log_theta), time, ended)))

    lowest, highest = math.log(SMALLEST) - 1, math.log(LARGEST) + 1
    point = np.zeros(2) if start is None else np.asarray(start[:2], float)
    best, damping = height(point), 1e-3
    for _step in range(most):
        slope, (aa, ab, bb) = _bend(np.exp(point), time, ended, weight)
        least = (aa + bb) / 2 - math.hypot((aa - bb) / 2, ab)  # the smaller eigenvalue of the information
        shift = damping * (1 + abs(aa) + abs(bb)) + max(0.0, -least)
        aa, bb = aa + shift, bb + shift
        move = np.array([bb * slope[0] - ab * slope[1], aa * slope[1] - ab * slope[0]]) / (aa * bb - ab * ab)
        moved = np.clip(point + np.clip(move, -2, 2), lowest, highest)
        if (risen := height(moved)) > best:
            gain, point, best, damping = risen - best, moved, risen, max(damping / 8, 1e-12)
            if gain < 1e-13 * (1 + abs(best)):
                break
        elif (damping := damping * 8) > 1e8:
            break
    return np.exp(point)


def _slope(theta: Any, time: Floats, ended: Any) -> Floats:
    """First derivatives of each row's log-likelihood by alpha and beta: rows × 2."""
    alpha, beta = theta
    whole = digamma(alpha + beta) - digamma(alpha + beta + time)
    by_alpha = np.where(ended, 1 / alpha, 0.0) + whole
    by_beta = digamma(beta + time - ended) - digamma(beta) + whole
    return np.column_stack([by_alpha, by_beta])


def _bend(theta: Floats, time: Floats, ended: Any, weight: Floats) -> tuple[Floats, tuple[float, float, float]]:
    """Slope of the likelihood by the logarithms of alpha and beta, and its information: αα, αβ, ββ."""
    alpha, beta = theta
    slope = theta * np.sum(weight[:, None] * _slope(theta, time, ended), axis=0)
    whole = np.sum(weight * (zeta(2, alpha + beta) - zeta(2, alpha + beta + time)))  # ζ(2, x) is the trigamma of x
    aa = whole - np.sum(weight[ended]) / alpha**2
    bb = whole + np.sum(weight * (zeta(2, beta + time - ended) - zeta(2, beta)))
    return slope, (-(alpha**2) * aa - slope[0], -alpha * beta * whole, -(beta**2) * bb - slope[1])


def _together(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per distinct time and ending, whatever else the counts are split by; those that count."""
    return counts[counts["count"] > 0].groupby(["time", "ended"], as_index=False)["count"].sum()


def _check(time: Floats, ended: Any, weight: Floats) -> tuple[float, float]:
    """How many contracts ended and how many renewals were made; ModelError where they cannot carry the model."""
    if not (np.isfinite(time).all() and (time >= ended).all() and (weight >= 0).all()):
        raise ValueError(
            "times count renewals: 0 and more, 1 and more of contracts that ended; counts are not negative"
        )
    stopped, renewed, contracts = float(weight[ended].sum()), _renewed(time, ended, weight), float(weight.sum())
    n = number(contracts, 0)
    if contracts == 0 or stopped + renewed == 0:
        raise ModelError(_("No contract has come to its first renewal, so nothing can be learnt about renewing."))
    if stopped == 0:
        raise ModelError(_("None of the {n} contracts has ended yet, so nothing can be learnt about leaving.", n=n))
    if renewed == 0:
        raise ModelError(_("Every contract that came to its first renewal ended there: nothing is left to project."))
    if time[weight > 0].max() < 2:
        raise NoSpreadError(_("No contract has come to its second renewal, so how retention changes cannot be learnt."))
    if stopped < FEWEST_ENDED:
        raise NoSpreadError(
            _("Only {k} of the {n} contracts have ended; the model needs at least {least}.",
              k=number(stopped, 0), n=n, least=number(FEWEST_ENDED))
        )  # fmt: skip
    return stopped, renewed


def _alike() -> str:
    return _("Retention does not rise from renewal to renewal here, so the contracts do not show that they differ.")


def _no_peak() -> str:
    return _(
        "Some contracts end at once and the others do not end at all: the likelihood has no peak, and how long "
        "the rest will stay cannot be told."
    )
