"""The contractual side: subscriptions that end at renewals (shifted beta-geometric), and yearly B2B accounts.

Source of the churn model: Fader & Hardie, "How to project customer retention" (Journal of Interactive Marketing, 2007).
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.simulate.population import SEGMENTS


@dataclass(frozen=True)
class Plan:
    """A contract's length in months and its sBG parameters: P(ends at a renewal) ~ Beta(alpha, beta)."""

    name: str
    share: float
    months: int
    alpha: float
    beta: float
    prices: tuple[float, float, float]  # EUR a month, by segment


PLANS = [
    Plan("monthly", 0.6, 1, 0.9, 8.0, (12.0, 39.0, 149.0)),
    Plan("yearly", 0.4, 12, 0.8, 3.0, (10.0, 32.0, 120.0)),
]
JOIN_DAYS = 45.0  # mean wait from the first order to the contract


def draw_subscriptions(
    people: pd.DataFrame, start: dt.date, days: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """One contract each for a minority of customers, and each one's true probability of ending at a renewal.

    Columns: who, plan, started_at, ended_at (NaT while it runs), renews_at (NaT once ended), price_per_month.
    Contracts end independently of the purchase process.
    """
    segment = people["segment"].to_numpy()
    joins = rng.random(len(people)) < np.array([s.subscribing_share for s in SEGMENTS])[segment]
    day = people["born"].to_numpy() + rng.exponential(JOIN_DAYS, len(people))
    who = np.flatnonzero(joins & (day < days))
    chosen = rng.choice(len(PLANS), size=len(who), p=[p.share for p in PLANS])
    theta = rng.beta(np.array([p.alpha for p in PLANS])[chosen], np.array([p.beta for p in PLANS])[chosen])
    terms = rng.geometric(np.maximum(theta, 1e-6))  # the contract ends at its terms-th renewal date
    started = _no_late_days(np.datetime64(start, "D") + np.floor(day[who]).astype("timedelta64[D]"))
    length = np.array([p.months for p in PLANS])[chosen]
    as_of = np.datetime64(start, "D") + np.timedelta64(days - 1, "D")
    ends = add_months(started, np.minimum(terms * length, 1200))
    ended = ends <= as_of
    renewals = renewals_passed(started, length, as_of) + 1
    table = pd.DataFrame(
        {
            "who": who,
            "started_at": started,
            "ended_at": np.where(ended, ends, np.datetime64("NaT")),
            "renews_at": np.where(ended, np.datetime64("NaT"), add_months(started, renewals * length)),
            "plan": np.array([p.name for p in PLANS], dtype=object)[chosen],
            "price_per_month": np.array([p.prices for p in PLANS])[chosen, segment[who]],
        }
    )
    return table, theta


def _no_late_days(date: np.ndarray) -> np.ndarray:
    """Contracts start by the 28th, so that every month has their renewal day."""
    month = date.astype("datetime64[M]").astype("datetime64[D]")
    return month + np.minimum(date - month, np.timedelta64(27, "D"))


def add_months(date: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The same day of the month, so many months later (days up to the 28th)."""
    month = date.astype("datetime64[M]")
    return (month + months.astype("timedelta64[M]")).astype("datetime64[D]") + (date - month.astype("datetime64[D]"))


def renewals_passed(started: np.ndarray, length: np.ndarray, as_of: np.datetime64) -> np.ndarray:
    """How many renewal dates each contract would have seen by ``as_of``, inclusive."""
    whole = (as_of.astype("datetime64[M]") - started.astype("datetime64[M]")).astype(int)
    late = add_months(started, whole) > as_of
    return (whole - late) // length


SERVICE_HOURS = (0.0, 6.0, 22.0)  # a year, median by segment
HOUR_COST = 18.0
OVERDUE_SHARE = 0.15  # of account years with something overdue


def draw_accounts(
    people: pd.DataFrame, lines: pd.DataFrame, start: dt.date, days: int, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per business customer and calendar year since its first order.

    ``lines`` has who, ordered_at, amount, margin. Revenue is the year's net amount; profit its margin less the cost of
    service hours. Columns: who, period_start, revenue, profit, service_hours, bespoke_share, overdue_amount.
    """
    business = np.flatnonzero(np.array([s.is_business for s in SEGMENTS])[people["segment"].to_numpy()])
    first = (np.datetime64(start, "D") + np.floor(people["born"].to_numpy()).astype("timedelta64[D]")).astype(
        "datetime64[Y]"
    )
    last = (np.datetime64(start, "D") + np.timedelta64(days - 1, "D")).astype("datetime64[Y]")
    years = (last - first[business]).astype(int) + 1
    who = np.repeat(business, years)
    nth = np.arange(len(who)) - np.repeat(np.cumsum(years) - years, years)
    year = first[who] + nth
    sums = lines.groupby(["who", lines["ordered_at"].dt.year])[["amount", "margin"]].sum().round(2)
    found = sums.reindex(pd.MultiIndex.from_arrays([who, year.astype(int) + 1970]), fill_value=0.0)
    ease = rng.beta(1.5, 5.0, len(people))[who]  # a customer's leaning to bespoke work
    median = np.array(SERVICE_HOURS)[people["segment"].to_numpy()[who]]
    hours = np.round(median * (0.4 + 2 * ease) * np.exp(0.5 * rng.standard_normal(len(who))), 1)
    revenue = found["amount"].to_numpy()
    overdue = np.where(rng.random(len(who)) < OVERDUE_SHARE, rng.beta(1.2, 6.0, len(who)) * np.maximum(revenue, 0), 0.0)
    return pd.DataFrame(
        {
            "who": who,
            "period_start": year.astype("datetime64[D]"),
            "revenue": revenue,
            "profit": np.round(found["margin"].to_numpy() - HOUR_COST * hours, 2),
            "service_hours": hours,
            "bespoke_share": np.round(np.clip(ease + 0.05 * rng.standard_normal(len(who)), 0, 1), 2),
            "overdue_amount": np.round(overdue, 2),
        }
    )
