"""From one order to the next: how many come back, how soon, and what differences between customers alone imply.

An order is a purchase day. Customers whose next order may still come are right-censored: every share here is
Kaplan-Meier's, never "orders n + 1 ÷ orders n", which would count the unfinished as gone.
"""

import datetime as dt

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.cohorts import period_start
from perennial.analysis.survival import kaplan_meier, survival_at

WINDOWS_DAYS = (7, 14, 30, 60, 90, 180, 365)
FIRST_WEEKS_DAYS = 60  # "the first two months decide"


def window_days(span_days: int, long_gap_days: float) -> int:
    """The window in which the next order is looked for.

    The shortest usual length that holds 95 % of the ended gaps (``long_gap_days``), or else the longest that fits
    twice into the time observed, so that many customers are followed that long.
    """
    fitting = [days for days in WINDOWS_DAYS if 2 * days <= span_days] or [max(1, span_days)]
    enough = [days for days in fitting if days >= long_gap_days]
    return enough[0] if enough else fitting[-1]


def wait_counts(steps: ir.Table, most_orders: int | None = None) -> pd.DataFrame:
    """Waits after each purchase day, counted; one query.

    Parameters
    ----------
    steps : :func:`perennial.analysis.cadence.order_steps`.
    most_orders : also split by order number, up to this one; None: all together.

    Returns
    -------
    Frame ``time`` (days), ``ended`` (the next order came), ``count`` and, if split, ``order_number``.
    """
    keys = ["wait_days", "ended"]
    if most_orders is not None:
        steps, keys = steps.filter(steps.order_number <= most_orders), ["order_number", *keys]
    counts = steps.group_by(*keys).agg(count=steps.count()).order_by(keys)
    return counts.to_pandas().rename(columns={"wait_days": "time"})


def repeat_curve(counts: pd.DataFrame, within_days: int, level: float, minimum_group: int = 1) -> pd.DataFrame:
    """The chance that a customer with n orders makes the next one within ``within_days`` days.

    Returns
    -------
    Frame ``order_number`` (n), ``customers`` (who reached the nth order), ``came_back`` (who made another, at any
    time so far), ``rate, low, high`` (Kaplan-Meier with its interval). Numbers that fewer than ``minimum_group``
    customers reached, or after which nobody was watched for so long, are left out.
    """
    rows = []
    for number, group in counts.groupby("order_number"):
        customers = int(group["count"].sum())
        if customers < minimum_group or group["time"].max() < within_days:
            continue
        survival, low, high = survival_at(kaplan_meier(group, level), within_days)
        came_back = int(group.loc[group["ended"], "count"].sum())
        rows.append((number, customers, came_back, 1 - survival, 1 - high, 1 - low))
    return pd.DataFrame(rows, columns=["order_number", "customers", "came_back", "rate", "low", "high"])


def implied_repeat(
    model: str, params: dict[str, float], ages: pd.DataFrame, curve: pd.DataFrame, within_days: int, seed: int
) -> pd.Series:
    """The repeat curve that differences between customers alone imply, for each row of ``curve``.

    Histories are drawn from the fitted purchase model, in which nobody changes by buying: rates and dropout
    chances differ between customers and stay as they are, and those with more orders are simply the better ones.

    Parameters
    ----------
    model, params : a purchase model's name and its parameters, times in weeks.
    ages : ``T`` (days since first purchase) and ``count``; the drawn customers are observed for as long.
    """
    number = 20_000
    random = np.random.default_rng(seed)
    shares = np.repeat(ages["T"].to_numpy(float), _spread(ages["count"].to_numpy(float), number))
    rate = random.gamma(params["r"], 1 / params["alpha"], len(shares)) / 7
    leaves, life = _ways_to_leave(model, params, len(shares), random)
    day, alive = np.zeros(len(shares)), np.ones(len(shares), bool)
    implied = {}
    for order_number in range(1, int(curve["order_number"].max()) + 1):
        if order_number > 1 or model == "MBG/NBD":
            alive &= random.random(len(shares)) >= leaves
        with np.errstate(divide="ignore"):
            wait = np.where(alive, np.ceil(random.exponential(1, len(shares)) / rate), np.inf)
        wait = np.where(day + wait <= life, wait, np.inf)
        ended = day + wait <= shares
        seen = pd.DataFrame({"time": np.where(ended, wait, shares - day), "ended": ended, "count": 1})
        implied[order_number] = 1 - survival_at(kaplan_meier(seen), within_days)[0]
        kept = (day + wait, alive, rate, leaves, life, shares)
        day, alive, rate, leaves, life, shares = (array[ended] for array in kept)
        if not len(shares):
            break
    return curve["order_number"].map(implied)


def _ways_to_leave(
    model: str, params: dict[str, float], number: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Of drawn customers the chance to leave after an order, and the days from the first order until they leave."""
    never, endless = np.zeros(number), np.full(number, np.inf)
    if model == "NBD":
        return never, endless
    if model == "Pareto/NBD":
        hazard = np.maximum(random.gamma(params["s"], 1 / params["beta"], number), 1e-12)
        return never, random.exponential(1, number) / hazard * 7
    return random.beta(params["a"], params["b"], number), endless


def _spread(weights: np.ndarray, number: int) -> np.ndarray:
    """Whole numbers near ``number`` in all, in proportion to the weights (at their cumulated rounding)."""
    return np.diff(np.round(np.cumsum(weights) / weights.sum() * number), prepend=0).astype(int)


def ages_of(summary: ir.Table) -> pd.DataFrame:
    """``T`` (days since the first purchase) and ``count`` of customers."""
    days = summary.select(T=summary["T"])
    return days.group_by("T").agg(count=days.count()).order_by("T").to_pandas()


def gap_quantiles(counts: pd.DataFrame, quantiles: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9, 0.95)) -> pd.DataFrame:
    """How long gaps last: ``quantile, ended_days`` (gaps that ended), ``all_days`` (with waits still running).

    The first is short by construction, as long gaps are still open; the second is Kaplan-Meier's and infinite
    where so many of the waits never ended.
    """
    ended = counts[counts["ended"]].groupby("time")["count"].sum().cumsum()
    curve = kaplan_meier(counts)
    rows = []
    for q in quantiles:
        short = float(ended.index[int(np.searchsorted(ended, q * ended.iloc[-1] - 1e-9))]) if len(ended) else np.nan
        below = curve.loc[curve["survival"] <= 1 - q + 1e-12, "time"]
        rows.append((q, short, float(below.iloc[0]) if len(below) else np.inf))
    return pd.DataFrame(rows, columns=["quantile", "ended_days", "all_days"])


def gap_histogram(counts: pd.DataFrame, bins: int = 26) -> pd.DataFrame:
    """Gaps that ended in bins of whole days: ``from_day, to_day`` (inclusive), ``gaps``; the last bin is open.

    The bins reach to the 97th percentile; what is longer stands in the last one, whose ``to_day`` is missing.
    """
    ended = counts[counts["ended"]].groupby("time")["count"].sum()
    if not len(ended):
        return pd.DataFrame({"from_day": [], "to_day": [], "gaps": []})
    share = ended.cumsum() / ended.sum()
    longest = int(share.index[int(np.searchsorted(share, 0.97))])
    width = max(1, -(-longest // bins))
    count = -(-longest // width)
    place = np.minimum((ended.index.to_numpy() - 1) // width, count)
    gaps = pd.Series(ended.to_numpy(), index=place).groupby(level=0).sum().reindex(range(count + 1), fill_value=0)
    start = 1 + width * np.arange(count + 1)
    end = np.append((start + width - 1)[:-1].astype(float), np.nan)
    return pd.DataFrame({"from_day": start, "to_day": end, "gaps": gaps.to_numpy()})


def early_repeat(
    steps: ir.Table, as_of: dt.date, unit: str, level: float, minimum_group: int = 1, days: int = FIRST_WEEKS_DAYS
) -> pd.DataFrame:
    """Second order within ``days`` days of the first, by cohort.

    Returns
    -------
    Frame ``cohort, size`` (customers known for at least ``days`` days; the others are left out), ``customers`` (with
    a second order by then), ``rate, low, high`` (Wilson), ``complete`` (whether every customer of the cohort has
    been known so long). Cohorts of fewer than ``minimum_group`` such customers are left out.
    """
    from statsmodels.stats.proportion import proportion_confint

    first = steps.filter(steps.order_number == 1)
    known = ibis.date(as_of).delta(first.ordered_on, unit="day") >= days
    first = first.select(
        cohort=period_start(first.ordered_on, unit), known=known, early=first.ended & (first.wait_days <= days)
    )
    found = first.group_by("cohort").agg(
        size=first.known.sum(), customers=(first.known & first.early).sum(), complete=first.known.all()
    )
    frame = found.order_by("cohort").to_pandas()
    frame = frame[frame["size"] >= max(minimum_group, 1)].reset_index(drop=True)
    low, high = proportion_confint(frame["customers"], frame["size"], alpha=1 - level, method="wilson")
    frame["cohort"] = pd.to_datetime(frame["cohort"]).astype("datetime64[s]")
    return frame.assign(rate=frame["customers"] / frame["size"], low=low, high=high)


def compare_halves(cohorts: pd.DataFrame, level: float) -> dict[str, float] | None:
    """Early repeat of the newer half of the cohorts against the older half: rates, difference, Newcombe interval.

    None where there are fewer than two cohorts. Keys: ``older, newer`` (rates), ``older_size, newer_size``,
    ``difference, low, high``, and ``cut``: the row of ``cohorts`` with which the newer half begins.
    """
    if len(cohorts) < 2:
        return None
    from statsmodels.stats.proportion import confint_proportions_2indep

    cut = _middle(cohorts["size"].to_numpy())
    older, newer = cohorts.iloc[:cut], cohorts.iloc[cut:]
    x0, n0, x1, n1 = older["customers"].sum(), older["size"].sum(), newer["customers"].sum(), newer["size"].sum()
    low, high = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff", alpha=1 - level)
    rates = {"older": x0 / n0, "newer": x1 / n1, "difference": x1 / n1 - x0 / n0, "low": low, "high": high}
    return {name: float(rate) for name, rate in rates.items()} | {
        "older_size": int(n0), "newer_size": int(n1), "cut": cut,
    }  # fmt: skip


def _middle(sizes: np.ndarray) -> int:
    """The row at which the cohorts split into two halves of about as many customers, none empty."""
    share = np.cumsum(sizes) / sizes.sum()
    return int(np.clip(np.abs(share - 0.5).argmin() + 1, 1, len(sizes) - 1))
