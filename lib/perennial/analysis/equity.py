"""Customer equity: the value of all customers, by cohort, and how uncertain it is."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.analysis import clv
from perennial.analysis.bootstrap import RESAMPLES, Resampled, draw_parameters, resample
from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel

FUTURES = 400  # drawn of every customer, over all resamples together
FEWEST_FUTURES = 100
MOST_CELLS = 80_000_000  # rows × futures in all; with very many histories they are fewer
MOST_FAILED = 0.2  # of the resamples; beyond it the rest would be a selection
MOST_COHORTS = 16
COHORT_UNITS = ("M", "Q", "Y")


@dataclass(frozen=True)
class Equity:
    """The value of all customers over the horizon, in currency, after margin and discount.

    Attributes
    ----------
    value : sum of all customers' ``clv``.
    low, high : its interval, from uncertain parameters and from chance together.
    parameter_low, parameter_high : from uncertain parameters alone; more data would narrow it.
    process_low, process_high : from chance alone; no data narrows it.
    revenue : expected revenue over the horizon, before margin and discount.
    resamples : how many times both models were fitted anew; 0 where too many of the resamples had no sound
        maximum, and the parameters were drawn from their asymptotic distribution instead.
    failed : resamples without a sound maximum.
    """

    value: float
    low: float
    high: float
    parameter_low: float
    parameter_high: float
    process_low: float
    process_high: float
    revenue: float
    resamples: int
    failed: int


@dataclass(frozen=True)
class Worth:
    """What :func:`value_customers` gives.

    Attributes
    ----------
    low, high : bounds of each row's ``clv``.
    equity : the sum.
    cohorts : ``cohort`` (first day of the period of the first purchase), ``customers, value, low, high``.
    draws : one row per draw of the parameters: theirs by name and ``expected``, the equity under them.
    """

    low: Floats
    high: Floats
    equity: Equity
    cohorts: pd.DataFrame
    draws: pd.DataFrame


def value_customers(
    rows: pd.DataFrame,
    model: PurchaseModel,
    spend: SpendModel,
    factor: Floats,
    days: float,
    interval: float,
    seed: int,
    as_of: dt.date,
) -> Worth:
    """Intervals of every customer's value, of each cohort's and of the equity.

    Parameters
    ----------
    rows : distinct histories with ``weight``, ``expected_purchases, expected_order_value`` and ``clv``.
    factor : per row, what one unit of undiscounted spend is worth: margin × mean discount.
    days : the horizon.
    """
    found = resample(rows, model, spend, seed)
    resampled = found.failed <= MOST_FAILED * RESAMPLES
    if not resampled:
        rng = np.random.default_rng(seed)
        found = Resampled(*draw_parameters(model, spend, RESAMPLES, rng), found.failed)
    thetas, phis = _spread(found, len(rows))
    cohorts, group = _cohorts(rows, as_of)
    drawn = clv.simulate(rows, model, thetas, phis, factor, days, interval, seed, group)
    weight, value = rows["weight"].to_numpy(float), rows["clv"].to_numpy(float)
    total, expected, happens = float(weight @ value), drawn.expected.sum(axis=0), drawn.happens.sum(axis=0)
    tails = [(1 - interval) / 2, (1 + interval) / 2]
    low, high = np.quantile(happens, tails)
    parameter_low, parameter_high = np.quantile(expected, tails)
    process_low, process_high = total + np.quantile(happens - expected, tails)
    equity = Equity(
        value=total,
        low=float(max(low, 0)),
        high=float(high),
        parameter_low=float(parameter_low),
        parameter_high=float(parameter_high),
        process_low=float(max(process_low, 0)),
        process_high=float(process_high),
        revenue=float(weight @ (rows["expected_purchases"] * rows["expected_order_value"])),
        resamples=RESAMPLES - found.failed if resampled else 0,
        failed=found.failed,
    )
    by_cohort = np.quantile(drawn.happens, tails, axis=1).clip(min=0)
    cohorts = cohorts.assign(
        customers=np.bincount(group, weight).astype(int),
        value=np.bincount(group, weight * value),
        low=by_cohort[0],
        high=by_cohort[1],
    )
    draws = pd.DataFrame(np.hstack([thetas, phis]), columns=[*model.names, *spend.params])
    return Worth(drawn.low, drawn.high, equity, cohorts, draws.assign(expected=expected).drop_duplicates())


def _spread(found: Resampled, rows: int) -> tuple[Floats, Floats]:
    """Draws of the parameters, each as often as futures are drawn under it; fewer where rows are many."""
    futures = int(np.clip(MOST_CELLS // max(1, rows), FEWEST_FUTURES, FUTURES))
    place = np.arange(futures) * len(found.thetas) // futures
    return found.thetas[place], found.phis[place]


def _cohorts(rows: pd.DataFrame, as_of: dt.date) -> tuple[pd.DataFrame, np.ndarray]:
    """The period of the first purchase, which ``T`` tells: months, else quarters, else years; and each row's place."""
    first = pd.Timestamp(as_of) - pd.to_timedelta(rows["T"], unit="D")
    for unit in COHORT_UNITS:
        starts, place = np.unique(first.dt.to_period(unit).dt.start_time, return_inverse=True)
        if len(starts) <= MOST_COHORTS or unit == COHORT_UNITS[-1]:
            break
    return pd.DataFrame({"cohort": starts}), place.ravel()
