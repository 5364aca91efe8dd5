"""Where a client's orders are unlike themselves: days (or weeks) without orders, days with far too many.

Each day is held against the client's own level around it: a day of the week's usual share of what the four weeks
on both sides bring. Few orders a day make single days uninformative; then weeks are looked at instead.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.base import order_days

Step = Literal["day", "week"]
ENOUGH_PER_DAY = 2.0  # orders; with fewer, weeks are looked at
REACH = {"day": 28, "week": 8}  # steps on both sides that make the local level
FALSE_ALARMS = 0.01  # gaps expected by chance in the whole span
SPIKE_Z = 5.0  # robust standard deviations above the local level
NEEDED_STEPS = 20
CHI_SQUARE_MEDIAN = 0.4549  # of one degree of freedom: unlike the mean it ignores the spikes themselves


@dataclass(frozen=True)
class Rhythm:
    """Orders and revenue step by step, with the local level of each; ``dispersion`` is variance ÷ mean of orders."""

    step: Step
    steps: pd.DataFrame
    dispersion: float

    @property
    def enough(self) -> bool:
        """Whether there are steps enough to tell unusual from usual."""
        return len(self.steps) >= NEEDED_STEPS


def daily_orders(transactions: ir.Table, as_of: dt.date) -> pd.DataFrame:
    """``day, orders, revenue`` for every calendar day from the first order to ``as_of``, zeros included."""
    lines = transactions.group_by("ordered_on").agg(revenue=transactions.amount.sum().cast("float64")).to_pandas()
    orders = order_days(transactions)
    counts = orders.group_by("ordered_on").agg(orders=orders.count()).to_pandas()
    found = lines.merge(counts, on="ordered_on", how="left").fillna({"orders": 0})
    found = found.assign(day=pd.to_datetime(found["ordered_on"]).astype("datetime64[s]")).set_index("day")
    days = pd.date_range(found.index.min(), pd.Timestamp(as_of), freq="D", unit="s", name="day")
    return found[["orders", "revenue"]].reindex(days, fill_value=0).astype({"orders": "int64"}).reset_index()


def measure_rhythm(days: pd.DataFrame) -> Rhythm:
    """The client's steps (days, or whole weeks where orders are few) with the level expected of each."""
    step: Step = "day" if days["orders"].mean() >= ENOUGH_PER_DAY else "week"
    steps = days.rename(columns={"day": "start"}) if step == "day" else _whole_weeks(days)
    shares = _weekday_shares(steps) if step == "day" else pd.Series(1.0, index=steps.index)
    level = _local_median(steps["orders"] / shares.where(shares > 0), REACH[step])
    steps = steps.assign(expected=(level * shares).fillna(0.0))
    known = steps[steps["expected"] > 0]
    misfit = (known["orders"] - known["expected"]) ** 2 / known["expected"]
    dispersion = float(misfit.median()) / CHI_SQUARE_MEDIAN if len(known) else 1.0
    return Rhythm(step, steps, max(1.0, dispersion))


def _whole_weeks(days: pd.DataFrame) -> pd.DataFrame:
    start = days["day"] - pd.to_timedelta(days["day"].dt.day_of_week, unit="D")
    weeks = (
        days.assign(start=start)
        .groupby("start", as_index=False)
        .agg(orders=("orders", "sum"), revenue=("revenue", "sum"), length=("day", "size"))
    )
    return weeks[weeks["length"] == 7].drop(columns="length").reset_index(drop=True)


def _weekday_shares(steps: pd.DataFrame) -> pd.Series:
    """How a weekday compares with the average day: 0 where the client is closed on it."""
    weekday = steps["start"].dt.day_of_week
    means = steps.groupby(weekday)["orders"].mean()
    whole = means.mean()
    return weekday.map(means / whole if whole > 0 else means * 0 + 1).astype("float64")


def _local_median(values: pd.Series, reach: int) -> pd.Series:
    """Median of the steps around each one: unmoved by a single spike or a short gap."""
    return values.rolling(2 * reach + 1, center=True, min_periods=reach // 2).median()


def find_gaps(rhythm: Rhythm) -> pd.DataFrame:
    """Runs of steps without an order that the client's own rate makes surprising.

    A run is surprising when chance would bring fewer than 0.01 such runs in the whole span. The chance of a single one:
    that all N orders of it and of the four weeks (eight, by weeks) on both sides fall outside it, were
    they spread evenly: (1 − its share of the days)ᴺ, with N divided by the client's dispersion, since orders cluster.

    Returns
    -------
    Frame ``first, last, steps, expected_orders``, in time order.
    """
    steps, reach = rhythm.steps, REACH[rhythm.step]
    empty = steps["orders"] == 0
    shares = _weekday_shares(steps) if rhythm.step == "day" else pd.Series(1.0, index=steps.index)
    bar = math.log(max(len(steps), 1) / FALSE_ALARMS)
    rows = []
    for places in _runs(empty.to_numpy()):
        around = np.r_[max(0, places[0] - reach) : places[0], places[-1] + 1 : min(len(steps), places[-1] + 1 + reach)]
        usual, within = float(shares.to_numpy()[around].sum()), float(shares.to_numpy()[places].sum())
        orders = float(steps["orders"].to_numpy()[around].sum())
        if rhythm.enough and usual > 0 and orders * math.log1p(within / usual) / rhythm.dispersion > bar:
            expected = round(orders / usual * within, 6)
            rows.append((steps["start"].iloc[places[0]], _last_day(rhythm, places[-1]), len(places), expected))
    return pd.DataFrame(rows, columns=["first", "last", "steps", "expected_orders"])


def _runs(flags: np.ndarray) -> list[np.ndarray]:
    places = np.flatnonzero(flags)
    return [run for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(run)]


def _last_day(rhythm: Rhythm, place: int) -> pd.Timestamp:
    start = pd.Timestamp(rhythm.steps["start"].iloc[place])
    return start + pd.Timedelta(days=6) if rhythm.step == "week" else start


def find_spikes(rhythm: Rhythm) -> pd.DataFrame:
    """Steps with far more orders or revenue than those around them.

    Square roots steady the variance; a step stands out when it lies more than five robust standard deviations (1.4826 ×
    the median absolute deviation) above the local median.

    Returns
    -------
    Frame ``start, measure`` (``"orders"``, ``"revenue"``), ``value, usual`` (the local median), ``times``
    (value ÷ usual), ``z``; the most unusual first.
    """
    found = [pd.DataFrame(columns=["start", "measure", "value", "usual", "times", "z"])]
    for measure in ("orders", "revenue") if rhythm.enough else ():
        found.append(_spikes_of(rhythm, measure))
    kept = [frame for frame in found if len(frame)] or found[:1]
    return pd.concat(kept, ignore_index=True).sort_values("z", ascending=False, ignore_index=True)


def _spikes_of(rhythm: Rhythm, measure: str) -> pd.DataFrame:
    values = rhythm.steps[measure].astype("float64")
    roots = values.clip(lower=0).pow(0.5)
    middle = _local_median(roots, REACH[rhythm.step])
    off = roots - middle
    spread = 1.4826 * float(off.abs().median())
    z = off / spread if spread > 0 else off * 0
    usual = middle**2
    rows = pd.DataFrame(
        {
            "start": rhythm.steps["start"],
            "measure": measure,
            "value": values,
            "usual": usual.round(6),
            "times": (values / usual).round(6),
            "z": z.round(6),
        }
    )
    return rows[z > SPIKE_Z]
