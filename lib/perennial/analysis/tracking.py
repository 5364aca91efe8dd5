"""Repeat purchases week by week, beside what a purchase model expects of the customers acquired before a cut."""

import datetime as dt
from collections.abc import Callable, Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.analysis.clv import draw_parameters_of, draw_purchases
from perennial.analysis.purchase_model import DAYS_PER_WEEK, HISTORY, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach

Days = NDArray[np.int64]
_PARAMETER_DRAWS = 100
_CUSTOMER_DRAWS = 4_000


def track(
    bought: ir.Table,
    calibration: ir.Table,
    models: Mapping[Name, PurchaseModel],
    used: PurchaseModel,
    cut: dt.date,
    end: dt.date,
    interval: float,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Actual and expected repeat purchase days of the customers acquired up to ``cut``, per whole week.

    Parameters
    ----------
    bought : customer-days (``customer_id, ordered_on``).
    calibration : customer summary at the cut (``customer_id, first_on``).
    used : the model of the frame.

    Returns
    -------
    frame with ``week_end, actual, expected`` (in the week), ``actual_cumulative, expected_cumulative``, ``low, high``
    (interval of the cumulative expectation: uncertain parameters and chance), ``phase`` (calibration, holdout); and by
    model how far it is off at the last week (share of actual).
    """
    acquired, start = _acquisitions(calibration)
    weeks = ((end - start).days + 1) // 7
    ends = np.arange(1, weeks + 1, dtype=np.int64) * 7 - 1  # days from the start to the last day of each week
    made = _made(bought, calibration, start, weeks * 7)
    actual = np.cumsum(made)[ends]
    curve = expected_curve(used, acquired, start, ends)
    low, high = _band(used, acquired, start, ends, curve, interval, seed)
    week_end = [start + dt.timedelta(days=int(day)) for day in ends]
    frame = pd.DataFrame(
        {
            "week_end": pd.to_datetime(week_end).as_unit("ms"),
            "actual": np.diff(actual, prepend=0.0),
            "expected": np.diff(curve, prepend=0.0),
            "actual_cumulative": actual.astype(float),
            "expected_cumulative": curve,
            "low": low,
            "high": high,
            "phase": ["calibration" if day <= cut else "holdout" for day in week_end],
        }
    )
    totals = {str(name): expected_curve(model, acquired, start, ends)[-1] for name, model in models.items()}
    return frame, {name: float(total / actual[-1] - 1) if actual[-1] else np.nan for name, total in totals.items()}


def by_month(bought: ir.Table, calibration: ir.Table, used: PurchaseModel, cut: dt.date, end: dt.date) -> pd.DataFrame:
    """The same repeat purchase days per calendar month; the month of the cut is in two pieces, one of each phase.

    Returns
    -------
    frame with ``month`` (its first day), ``days`` (of it within the data), ``actual, expected, phase``.
    """
    acquired, start = _acquisitions(calibration)
    count = (end - start).days + 1
    curve = expected_curve(used, acquired, start, np.arange(count, dtype=np.int64))
    day = pd.date_range(start, periods=count)
    daily = pd.DataFrame(
        {
            "month": day.to_period("M").to_timestamp().as_unit("ms"),
            "phase": np.where(day <= pd.Timestamp(cut), "calibration", "holdout"),
            "days": 1,
            "actual": _made(bought, calibration, start, count)[:count],
            "expected": np.diff(curve, prepend=0.0),
        }
    )
    return daily.groupby(["month", "phase"], as_index=False)[["days", "actual", "expected"]].sum()


def customer_spread(bought: ir.Table, calibration: ir.Table, used: PurchaseModel) -> Callable[[Floats, Floats], float]:
    """How much sums over weeks vary because customers differ from what the model expects of them.

    Returns
    -------
    a function of two arrays by week since the start: the sum over customers of the square of each one's sum of
    ``score`` · (actual − ``level`` · expected). Customers are independent, whatever a customer carries from week to
    week, so that this is the variance of the sum over all.
    """
    acquired, start = _acquisitions(calibration)
    day = _days_since(acquired["first_on"], start)
    joined = bought.join(calibration.select("customer_id", "first_on"), "customer_id")
    later = joined.filter(joined.ordered_on > joined.first_on)
    weekly = later.mutate(week=later.ordered_on.delta(ibis.date(start), unit="day") // 7)

    def spread(score: Floats, level: Floats) -> float:
        table = ibis.memtable(pd.DataFrame({"week": np.arange(len(score)), "score": score}))
        scored = weekly.join(table, "week")
        each = scored.group_by("customer_id", "first_on").agg(total=scored.score.sum())
        sums = each.group_by("first_on").agg(total=each.total.sum(), squares=(each.total**2).sum()).to_pandas()
        both = acquired.merge(sums, on="first_on", how="left").fillna({"total": 0.0, "squares": 0.0})
        by_age = np.diff(used.expected_of_new(np.arange(7 * len(score))), prepend=0.0)
        weights = np.repeat(score * level, 7)
        expected = np.array([float(by_age[: len(by_age) - d] @ weights[d:]) if d < len(by_age) else 0.0 for d in day])
        customers, total = both["customers"].to_numpy(float), both["total"].to_numpy(float)
        return float(both["squares"].sum() - 2 * expected @ total + customers @ expected**2)

    return spread


def expected_under_draws(
    calibration: ir.Table, used: PurchaseModel, weeks: int, seed: int, draws: int = 30
) -> Floats | None:
    """Expected repeat purchases per week under draws of the parameters: draws × weeks; None where they are unknown."""
    if not used.has_covariance:
        return None
    acquired, start = _acquisitions(calibration)
    ends = np.arange(1, weeks + 1, dtype=np.int64) * 7 - 1
    thetas = draw_parameters_of(used, draws, np.random.default_rng(seed))
    return np.diff([expected_curve(used.at(theta), acquired, start, ends) for theta in thetas], axis=1, prepend=0.0)


def _acquisitions(calibration: ir.Table) -> tuple[pd.DataFrame, dt.date]:
    """Customers by the day of their first purchase, and the first of these days."""
    acquired = calibration.group_by("first_on").agg(customers=calibration.count()).to_pandas()
    acquired = acquired.sort_values("first_on", ignore_index=True)
    return acquired, pd.Timestamp(acquired["first_on"].min()).date()


def _made(bought: ir.Table, calibration: ir.Table, start: dt.date, days: int) -> Floats:
    """Repeat purchase days of the acquired customers on each day since the start, at least so many."""
    joined = bought.join(calibration.select("customer_id", "first_on"), "customer_id")
    later = joined.filter(joined.ordered_on > joined.first_on)
    daily = later.group_by("ordered_on").agg(purchases=later.count()).to_pandas()
    counted = np.bincount(_days_since(daily["ordered_on"], start), daily["purchases"], minlength=days)
    return counted.astype(float)


def expected_curve(model: PurchaseModel, acquired: pd.DataFrame, start: dt.date, ends: Days) -> Floats:
    """Expected cumulative repeat purchases at each of ``ends`` (days since ``start``), over all acquired customers."""
    by_age = model.expected_of_new(np.arange(int(ends[-1]) + 1))
    return _spread(by_age, acquired, start, ends)


def _spread(by_age: Floats, acquired: pd.DataFrame, start: dt.date, ends: Days) -> Floats:
    """Sum of a per-customer quantity by age in days, over the ages that the acquired customers have at each end."""
    day = _days_since(acquired["first_on"], start)
    customers = acquired["customers"].to_numpy(float)
    age = np.subtract.outer(ends, day)
    return np.where(age > 0, by_age[np.maximum(age, 0)], 0.0) @ customers


def _band(
    model: PurchaseModel,
    acquired: pd.DataFrame,
    start: dt.date,
    ends: Days,
    curve: Floats,
    interval: float,
    seed: int,
) -> tuple[Floats, Floats]:
    """Pointwise interval of the cumulative count: spread over parameter draws plus the chance of all customers."""

    if not model.has_covariance:
        return np.full_like(curve, np.nan), np.full_like(curve, np.nan)
    rng = np.random.default_rng(seed)
    thetas = draw_parameters_of(model, _PARAMETER_DRAWS, rng)
    curves = [expected_curve(model.at(theta), acquired, start, ends) for theta in thetas]
    chance = _spread(_variance_by_age(model, int(ends[-1]) + 1, rng), acquired, start, ends)
    wide = reach(interval) * np.sqrt(np.var(curves, axis=0) + chance)
    return np.maximum(curve - wide, 0), curve + wide


def _variance_by_age(model: PurchaseModel, ages: int, rng: np.random.Generator) -> Floats:
    """Variance of a new customer's repeat purchases by age in days, from draws at week ends, between them linear."""
    grid = np.arange(0, ages + DAYS_PER_WEEK, DAYS_PER_WEEK)
    new = pd.DataFrame(0.0, index=range(_CUSTOMER_DRAWS), columns=HISTORY)
    variance = [np.var(draw_purchases(new, model, model.theta[None, :], float(day), rng)) for day in grid]
    return np.interp(np.arange(ages), grid, variance)


def _days_since(dates: pd.Series, start: dt.date) -> np.ndarray:
    return (pd.to_datetime(dates) - pd.Timestamp(start)).dt.days.to_numpy()
