"""What a customer acquired tomorrow is worth, what acquiring one costs, and when that comes back.

Three values that are never mixed: *residual* CLV, still to come from a customer held today (the column ``clv``);
*total* CLV, the margin a customer has brought so far and the residual one; *prospect* CLV, that of a new customer,
first order included.
"""

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.clv import MONTH_DAYS, simulate
from perennial.analysis.cohorts import period_start
from perennial.analysis.equity import worth_of_spend
from perennial.analysis.groupings import ALL
from perennial.analysis.margins import declared_shares, line_margin
from perennial.analysis.purchase_model import KEYS
from perennial.analysis.value import ValueResult

COMMON_AGES = (730, 365, 180, 90, 30)  # days, the longest that enough cohorts have lived through
MOST_COHORTS = 12  # quarters of first purchase; with more, half-years, then years

Costs = float | Mapping[str, float] | None


def unknown_sources(costs: Costs, present: list[str]) -> list[str]:
    """Sources that are given a cost and not found in the data."""
    return sorted(set(costs) - set(present)) if isinstance(costs, Mapping) else []


def sources_of(customers: ir.Table | None) -> list[str]:
    """Names of the sources in the customers table; none without the column."""
    if customers is None or "source" not in customers.columns:
        return []
    found = customers.filter(customers.source.notnull()).select("source").distinct().to_pyarrow()
    return sorted(str(name) for name in found["source"].to_pylist())


def costs_of(summary: ir.Table, customers: ir.Table | None, costs: Costs) -> ir.Table:
    """``customer_id, cost``: what acquiring each customer cost; only customers whose cost is stated."""
    if costs is None:
        return summary.filter(False).select("customer_id", cost=ibis.literal(0.0))
    if not isinstance(costs, Mapping):
        return summary.select("customer_id", cost=ibis.literal(float(costs)))
    if customers is None or "source" not in customers.columns or not costs:
        return summary.filter(False).select("customer_id", cost=ibis.literal(0.0))
    stated = ibis.memtable(pd.DataFrame({"source": list(costs), "cost": [float(cost) for cost in costs.values()]}))
    known = customers.select("customer_id", "source").join(stated, "source").select("customer_id", "cost")
    return known.semi_join(summary, "customer_id")


def by_cohort(summary: ir.Table) -> tuple[ir.Table, str]:
    """``customer_id, group`` (first day of the quarter, half-year or year of the first purchase), and which of them.

    The finest that makes at most twelve cohorts; years where none does.
    """
    first = summary.first_on
    half = ibis.date(first.year(), ibis.ifelse(first.month() <= 6, 1, 7), 1)
    for unit, start in (("quarter", period_start(first, "quarter")), ("half-year", half)):
        members = summary.select("customer_id", group=start.strftime("%Y-%m-%d"))
        if members.select("group").distinct().count().to_pyarrow().as_py() <= MOST_COHORTS:
            return members, unit
    return summary.select("customer_id", group=period_start(first, "year").strftime("%Y-%m-%d")), "year"


def end_of_cohort(start: str, unit: str) -> pd.Timestamp:
    """Last day of a cohort that begins on ``start``."""
    months = {"quarter": 3, "half-year": 6, "year": 12}[unit]
    return pd.Timestamp(start) + pd.DateOffset(months=months) - pd.Timedelta(days=1)


def common_age(observed_days: pd.Series) -> int | None:
    """The longest of 730, 365, 180, 90 and 30 days that at least half of the cohorts, and two, have lived through.

    Parameters
    ----------
    observed_days : per cohort, the days seen of its youngest customer.
    """
    needed = max(2, -(-len(observed_days) // 2))
    return next((age for age in COMMON_AGES if int((observed_days >= age).sum()) >= needed), None)


def returns_by(
    transactions: ir.Table,
    summary: ir.Table,
    members: ir.Table,
    costs: ir.Table,
    result: ValueResult,
    ages: bool = False,
) -> tuple[pd.DataFrame, int | None]:
    """What the customers of each group brought, are still expected to bring, and cost to acquire.

    Parameters
    ----------
    members : ``customer_id, group``.
    costs : ``customer_id, cost``; everything but ``customers`` counts only customers with a cost.
    result : the models and values of all customers, with a spend model.
    ages : also what had been brought by a common age (:func:`common_age`).

    Returns
    -------
    frame ``group, customers, costed, cost`` (of all costed together), ``realised`` (margin so far, not discounted),
    ``largest`` (that of the one customer who brought most), ``residual`` (sum of ``clv``), ``total`` with ``total_low,
    total_high``, and ``ratio, ratio_low, ratio_high`` (total to cost; ∞ at no cost); with ``ages`` also ``at_age`` and
    ``ratio_at_age`` (missing in cohorts with customers younger than that); by name of the group. And the common age in
    days.

    Notes
    -----
    The interval holds uncertain parameters and what these very customers happen to do; what they brought is known.
    """
    costed = costs.inner_join(members, "customer_id").select("customer_id", "group", "cost")
    dated = costed.inner_join(summary.select("customer_id", "first_on", "T"), "customer_id")
    known = dated.group_by("group").agg(costed=dated.count(), cost=dated.cost.sum(), observed_days=dated["T"].min() + 1)
    frame = members.group_by("group").agg(customers=members.count()).to_pandas()
    frame = frame.merge(known.to_pandas(), on="group").sort_values("group", ignore_index=True)
    age = common_age(frame["observed_days"]) if ages and len(frame) else None
    frame = frame.merge(_realised(transactions, dated, result.settings, age), on="group")
    frame = frame.merge(_residual(summary, costed, result), on="group", how="left")
    for bound in ("", "_low", "_high"):
        frame[f"total{bound}"] = frame["realised"] + frame[f"residual{bound}"]
        frame[f"ratio{bound}"] = ratio(frame[f"total{bound}"], frame["cost"])
    if age is not None:
        frame["at_age"] = frame["at_age"].where(frame["observed_days"] >= age)
        frame["ratio_at_age"] = ratio(frame["at_age"], frame["cost"])
    return frame.drop(columns=["residual_low", "residual_high"]), age


def ratio(value: pd.Series, cost: pd.Series) -> pd.Series:
    """Value in multiples of the cost; infinite where that is nothing."""
    return (value / cost.where(cost > 0)).where(cost > 0, np.inf)


def _realised(transactions: ir.Table, dated: ir.Table, settings: dict[str, Any], age: int | None) -> pd.DataFrame:
    margin = line_margin(transactions, settings["gross_margin"], declared_shares(settings["margin_by"]))
    lines = transactions.mutate(brought=margin).select("customer_id", "ordered_on", "brought")
    both = lines.inner_join(dated.select("customer_id", "group", "first_on"), "customer_id")
    sums = {"brought": both.brought.sum()}
    if age is not None:
        young = both.ordered_on.delta(both.first_on, unit="day") < age
        sums["at_age"] = both.brought.sum(where=young).fill_null(0.0)
    each = both.group_by("group", "customer_id").agg(**sums)
    totals = {"realised": each.brought.sum(), "largest": each.brought.max()}
    return (
        each.group_by("group").agg(**totals, **({"at_age": each.at_age.sum()} if age is not None else {})).to_pandas()
    )


def _residual(summary: ir.Table, costed: ir.Table, result: ValueResult) -> pd.DataFrame:
    """Sum of ``clv`` by group, with the interval of parameters and chance together."""
    values = ["expected_purchases", "expected_order_value", "clv"]
    both = summary.select("customer_id", *KEYS).inner_join(costed.select("customer_id", "group"), "customer_id")
    known = result.customers.view()
    known = known.select("customer_id", *values, apart=known.model_group.fill_null(ALL))
    both = both.inner_join(known, "customer_id")
    keys = ["group", "apart", *KEYS, *values]
    rows = both.group_by(keys).agg(weight=both.count()).to_pandas().sort_values(keys, ignore_index=True)
    s = result.settings
    tails = [(1 - s["interval"]) / 2, (1 + s["interval"]) / 2]
    groups, place = np.unique(rows["group"].astype(str), return_inverse=True)
    futures = min(len(piece.draws) for piece in result.pieces)
    off = np.zeros((len(groups), futures))
    for number, piece in enumerate(result.pieces):
        own, spend = (rows["apart"] == piece.rows["group"].iloc[0]).to_numpy(), piece.models.spend
        assert spend is not None
        draws = piece.draws.iloc[:futures]
        drawn = simulate(
            rows[own], piece.models.purchase, draws[list(piece.models.purchase.names)].to_numpy(float),
            draws[list(spend.params)].to_numpy(float), worth_of_spend(rows[own]), s["horizon_months"] * MONTH_DAYS,
            s["interval"], s["seed"] + number, place[own], len(groups),
        )  # fmt: skip
        off += drawn.happens - drawn.expected.mean(axis=1, keepdims=True)
    total = np.bincount(place, (rows["weight"] * rows["clv"]).to_numpy(float))
    low, high = total + np.quantile(off, tails, axis=1)
    return pd.DataFrame({"group": groups, "residual": total, "residual_low": low.clip(min=0), "residual_high": high})
