"""Fits the shifted beta-geometric model to counted renewals, or says why the counts do not carry it."""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, digamma, zeta

from perennial.analysis.maximum import LARGEST, SMALLEST, NoMaximumError, maximise
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.shifted_beta_geometric import (
    FEWEST_ENDED,
    NO_SPREAD,
    PARAMETERS,
    RenewalModel,
    _arrays,
    _renewed,
    log_likelihood,
)
from perennial.errors import ModelError
from perennial.formats import number
from perennial.language import _

FEWEST_FOR_ONE_RATE = 3  # ended contracts without which not even one churn rate is told
NO_GAIN = 1e-3  # in log-likelihood: less, and the contracts do not show that they differ


class NoSpreadError(ModelError):
    """The counts do not show whether contracts differ; one churn for all of them can still be told."""


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
