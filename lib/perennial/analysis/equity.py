"""Customer equity: the value of all customers, by cohort, and how uncertain it is."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.analysis import clv
from perennial.analysis.bootstrap import RESAMPLES, Resampled, draw_parameters, resample
from perennial.analysis.group_models import Models
from perennial.analysis.groupings import ALL
from perennial.analysis.purchases.formulas import Floats

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
        maximum, and the parameters were drawn from their asymptotic distribution instead. With several groups of
        customers that of the group with the fewest.
    failed : resamples without a sound maximum, of that group.
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
    groups : ``group, customers, value, low, high``: of customers valued by the same models.
    draws : one row per group and draw of its parameters: ``group``, theirs by name, and ``expected``, the value of the
        group under them.
    """

    low: Floats
    high: Floats
    equity: Equity
    cohorts: pd.DataFrame
    groups: pd.DataFrame
    draws: pd.DataFrame


@dataclass(frozen=True)
class _Drawn:
    """One group's customers under draws of its parameters; ``expected, happens``: cohorts × draws."""

    low: Floats
    high: Floats
    expected: Floats
    happens: Floats
    draws: pd.DataFrame
    resamples: int
    failed: int


def value_customers(
    rows: pd.DataFrame, models: Mapping[str, Models], days: float, interval: float, seed: int, as_of: dt.date
) -> Worth:
    """Intervals of every customer's value, of each cohort's, of each group's and of the equity.

    Groups are independent of each other: the parameters of each are drawn apart. Where some have models of their own
    and the others lean on the models of all customers, what these owe to the former is left out of account.

    Parameters
    ----------
    rows : distinct ``group`` and history with ``weight``, ``expected_purchases, expected_order_value`` and ``clv``.
    models : of every group, with spend models; those of ``ALL`` were fitted to the rows of all groups.
    days : the horizon.
    """
    cohorts, place = _cohorts(rows, as_of)
    group = rows["group"].to_numpy()
    low, high = np.empty((2, len(rows)))
    drawn: dict[str, _Drawn] = {}
    for number, name in enumerate(sorted(set(group))):
        own = group == name
        drawn[name] = _draw(rows[own], rows if name == ALL else rows[own], models[name], days, interval, seed + number,
                            place[own], len(cohorts), _futures(len(rows)))  # fmt: skip
        low[own], high[own] = drawn[name].low, drawn[name].high
    weight, value = rows["weight"].to_numpy(float), rows["clv"].to_numpy(float)
    tails = [(1 - interval) / 2, (1 + interval) / 2]
    by_cohort = np.quantile(np.sum([one.happens for one in drawn.values()], axis=0), tails, axis=1).clip(min=0)
    by_group = np.quantile([one.happens.sum(axis=0) for one in drawn.values()], tails, axis=1).clip(min=0)
    groups, which = np.unique(group.astype(str), return_inverse=True)
    return Worth(
        low,
        high,
        _equity(rows, list(drawn.values()), tails),
        cohorts.assign(**_sums(place, weight, value), low=by_cohort[0], high=by_cohort[1]),
        pd.DataFrame({"group": groups, **_sums(which, weight, value), "low": by_group[0], "high": by_group[1]}),
        pd.concat([one.draws for one in drawn.values()], ignore_index=True),
    )


def _equity(rows: pd.DataFrame, drawn: list[_Drawn], tails: list[float]) -> Equity:
    """The sum over all groups of customers, with its intervals."""
    expected, happens = (np.sum([getattr(one, what).sum(axis=0) for one in drawn], axis=0)
                         for what in ("expected", "happens"))  # fmt: skip
    weight = rows["weight"].to_numpy(float)
    total, fewest = float(weight @ rows["clv"].to_numpy(float)), min(drawn, key=lambda one: one.resamples)
    low, high = np.quantile(happens, tails)
    parameter_low, parameter_high = np.quantile(expected, tails)
    process_low, process_high = total + np.quantile(happens - expected, tails)
    return Equity(
        value=total,
        low=float(max(low, 0)),
        high=float(high),
        parameter_low=float(parameter_low),
        parameter_high=float(parameter_high),
        process_low=float(max(process_low, 0)),
        process_high=float(process_high),
        revenue=float(weight @ (rows["expected_purchases"] * rows["expected_order_value"])),
        resamples=fewest.resamples,
        failed=fewest.failed,
    )


def worth_of_spend(rows: pd.DataFrame) -> Floats:
    """Per row, what one unit of undiscounted expected spend is worth: margin × mean discount."""
    spent = rows["expected_purchases"].to_numpy(float) * rows["expected_order_value"].to_numpy(float)
    return np.divide(rows["clv"].to_numpy(float), spent, out=np.zeros_like(spent), where=spent > 0)


def _draw(
    rows: pd.DataFrame,
    fitted: pd.DataFrame,
    models: Models,
    days: float,
    interval: float,
    seed: int,
    cohort: np.ndarray,
    cohorts: int,
    futures: int,
) -> _Drawn:
    """The customers of ``rows`` under draws of the parameters of ``models``, which were fitted to ``fitted``."""
    model, spend = models.purchase, models.spend
    assert spend is not None
    found = resample(fitted, model, spend, seed)
    resampled = found.failed <= MOST_FAILED * RESAMPLES
    if not resampled:
        rng = np.random.default_rng(seed)
        found = Resampled(*draw_parameters(model, spend, RESAMPLES, rng), found.failed)
    often = np.arange(futures) * len(found.thetas) // futures  # each draw as often as futures are drawn under it
    thetas, phis = found.thetas[often], found.phis[often]
    drawn = clv.simulate(rows, model, thetas, phis, worth_of_spend(rows), days, interval, seed, cohort, cohorts)
    draws = pd.DataFrame(np.hstack([thetas, phis]), columns=[*model.names, *spend.params])
    draws = draws.assign(expected=drawn.expected.sum(axis=0), group=rows["group"].iloc[0]).drop_duplicates()
    resamples = RESAMPLES - found.failed if resampled else 0
    return _Drawn(drawn.low, drawn.high, drawn.expected, drawn.happens, draws, resamples, found.failed)


def _futures(rows: int) -> int:
    """Futures drawn of every customer; fewer where rows are many."""
    return int(np.clip(MOST_CELLS // max(1, rows), FEWEST_FUTURES, FUTURES))


def _sums(place: np.ndarray, weight: Floats, value: Floats) -> dict[str, np.ndarray]:
    return {"customers": np.bincount(place, weight).astype(int), "value": np.bincount(place, weight * value)}


def _cohorts(rows: pd.DataFrame, as_of: dt.date) -> tuple[pd.DataFrame, np.ndarray]:
    """The period of the first purchase, which ``T`` tells: months, else quarters, else years; and each row's place."""
    first = pd.Timestamp(as_of) - pd.to_timedelta(rows["T"], unit="D")
    for unit in COHORT_UNITS:
        starts, place = np.unique(first.dt.to_period(unit).dt.start_time, return_inverse=True)
        if len(starts) <= MOST_COHORTS or unit == COHORT_UNITS[-1]:
            break
    return pd.DataFrame({"cohort": starts}), place.ravel()
