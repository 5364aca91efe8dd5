"""The four quadrants: potential score against current value, what each holds, and how firm the lines are.

=============== ============== ===============
current value   high potential low potential
=============== ============== ===============
high            growth stock   cash cow
low             sleeping gold  low yield
=============== ============== ===============

High means *above* the cut line. Every customer is in exactly one quadrant.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.language import _

QUADRANTS = ("growth_stock", "cash_cow", "sleeping_gold", "low_yield")
LOOKS = ("wallet", "cross_buy", "engagement", "lifecycle")
NEUTRAL = 0.5  # sub-score of a customer for whom a look is not measured
WEIGHT_CHANGE = 0.25
CUT_CHANGE = 0.10
YEAR_DAYS = 365


@dataclass(frozen=True)
class CutLines:
    """Where the axes are cut: current value in money, potential in score points; values above are high."""

    value: float
    potential: float


def effective_weights(weights: Mapping[str, float], measured: Mapping[str, bool]) -> dict[str, float]:
    """The client's weights over the measured looks, scaled to sum to 1; unmeasured looks get 0.

    Where every measured look has weight 0, they share equally; where none is measured, all weights are 0.
    """
    kept = {look: weights[look] if measured[look] else 0.0 for look in LOOKS}
    total = sum(kept.values())
    if total > 0:
        return {look: weight / total for look, weight in kept.items()}
    count = sum(measured[look] for look in LOOKS)
    return {look: 1 / count if measured[look] else 0.0 for look in LOOKS}


def potential_score(table: ir.Table, weights: Mapping[str, float]) -> ir.FloatingValue:
    """``100 · Σ weight · sub-score``, 0 to 100; a look not measured for a customer enters as :data:`NEUTRAL`."""
    parts = [table[f"{look}_score"].fill_null(NEUTRAL) * weights[look] for look in LOOKS if weights[look] > 0]
    return (100 * sum(parts, ibis.literal(0.0))).round(9)


def cut_lines(table: ir.Table, cutoffs: Any, *, value_shift: float = 0.0, potential_shift: float = 0.0) -> CutLines:
    """Cut lines from the client's cut-offs: quantiles among customers with any value (all, if nobody has), or figures.

    Shifts move a quantile by that much; absolute cut-offs move by the same share of themselves.
    """
    some = table.filter(table.current_value > 0)
    if not some.count().to_pandas():
        some = table
    return CutLines(
        _cut(some.current_value, cutoffs.value, value_shift),
        _cut(some.potential_score, cutoffs.potential, potential_shift),
    )


def _cut(column: ir.NumericColumn, cutoff: Any, shift: float) -> float:
    if cutoff.kind == "absolute":
        return float(cutoff.at * (1 + shift))
    found = column.quantile(min(max(cutoff.at + shift, 0.01), 0.99)).to_pandas()
    return float(found) if found == found and found is not None else 0.0


def quadrant_of(table: ir.Table, cuts: CutLines) -> ir.StringValue:
    """The quadrant of each row of a table with ``current_value`` and ``potential_score``."""
    valuable, promising = table.current_value > cuts.value, table.potential_score > cuts.potential
    return ibis.cases(
        (valuable & promising, "growth_stock"), (valuable, "cash_cow"), (promising, "sleeping_gold"), else_="low_yield"
    )


def customer_costs(tables: Mapping[str, ir.Table], as_of: dt.date) -> tuple[ir.Table | None, str, str]:
    """What was spent on each customer in the last year: ``customer_id, cost``, its unit, and why not where not known.

    Contact costs (``"money"``) where the contacts carry them, else hours of service of the accounts (``"hours"``).
    """
    start = ibis.date(as_of - dt.timedelta(days=YEAR_DAYS))
    contacts, accounts = tables.get("contacts"), tables.get("accounts")
    if contacts is not None and "cost" in contacts.columns:
        recent = contacts.filter(contacts.contacted_at.date() > start, contacts.contacted_at.date() <= ibis.date(as_of))
        return recent.group_by("customer_id").agg(cost=recent.cost.sum()), "money", ""
    if accounts is not None and {"service_hours", "period_start"} <= set(accounts.columns):
        recent = accounts.filter(accounts.period_start > start)
        return recent.group_by("customer_id").agg(cost=recent.service_hours.sum()), "hours", ""
    if contacts is not None:
        return None, "", _("the contacts carry no cost")
    return None, "", _("neither contacts with their cost nor hours of service are in the data")


def quadrant_table(
    customers: ir.Table, summary: ir.Table, costs: ir.Table | None, strategies: Mapping[str, Any]
) -> pd.DataFrame:
    """What each quadrant holds, always four rows in the order of :data:`QUADRANTS`.

    Returns
    -------
    ``quadrant, customers, declining, lapsed`` (customers in these stages), ``customer_share, revenue`` (decimal, all
    time, sums exactly), ``revenue_share, spend_12m, current_value, value_share, median_score, headroom,
    headroom_customers`` (measured for), ``expected_additions, cost`` and ``cost_share`` (missing where not known),
    ``budget_share`` and the words of the strategy.
    """
    joined = customers.join(summary.select("customer_id", "revenue"), "customer_id")
    if costs is not None:
        joined = joined.left_join(costs, "customer_id").drop("customer_id_right")
    else:
        joined = joined.mutate(cost=ibis.null("float64"))
    sums = joined.group_by("quadrant").agg(
        customers=joined.count(), declining=(joined.stage == "declining").sum(),
        lapsed=(joined.stage == "lapsed").sum(), revenue=joined.revenue.sum(), spend_12m=joined.spend_12m.sum(),
        current_value=joined.current_value.sum(), median_score=joined.potential_score.quantile(0.5),
        headroom=joined.headroom.sum(), headroom_customers=joined.headroom.count(),
        expected_additions=joined.expected_additions.sum(),
        cost=joined.cost.sum().cast("float64"),
    )  # fmt: skip
    frame = sums.to_pandas().set_index("quadrant").reindex(list(QUADRANTS)).rename_axis("quadrant").reset_index()
    for count in ("customers", "declining", "lapsed", "headroom_customers"):
        frame[count] = frame[count].fillna(0).astype(int)
    for column in ["revenue", "spend_12m", "current_value"] + (["cost"] if costs is not None else []):
        frame[column] = frame[column].fillna(0)
    shares = {"customer_share": "customers", "revenue_share": "revenue", "value_share": "current_value"}
    for share, column in {**shares, "cost_share": "cost"}.items():
        amounts = frame[column].astype(float)
        frame[share] = amounts / amounts.sum() if amounts.sum() > 0 else float("nan")
    for word in ("budget_share", "action", "channel", "owner", "cadence"):
        frame[word] = [getattr(strategies[quadrant], word) for quadrant in frame["quadrant"]]
    return frame


def sensitivity(customers: ir.Table, weights: Mapping[str, float], cutoffs: Any) -> pd.DataFrame:
    """Share of customers in another quadrant when one weight moves by a quarter, or one cut line by ten points.

    Returns
    -------
    ``what`` (a look or an axis), ``kind`` ("weight" or "cut"), ``change`` (−0.25, 0.25, −0.1, 0.1), ``changed_share``.
    """
    rows: list[tuple[str, str, float, float]] = []
    many = sum(weight > 0 for weight in weights.values()) > 1
    for look in LOOKS:
        for change in (-WEIGHT_CHANGE, WEIGHT_CHANGE):
            if many and weights[look] > 0:
                moved = {k: w * (1 + change) if k == look else w for k, w in weights.items()}
                total = sum(moved.values())
                rescored = customers.mutate(
                    potential_score=potential_score(customers, {k: w / total for k, w in moved.items()})
                )
                rows.append((look, "weight", change, _changed(rescored, cut_lines(rescored, cutoffs))))
    for axis in ("value", "potential"):
        for change in (-CUT_CHANGE, CUT_CHANGE):
            rows.append(
                (axis, "cut", change, _changed(customers, cut_lines(customers, cutoffs, **{f"{axis}_shift": change})))
            )
    return pd.DataFrame(rows, columns=["what", "kind", "change", "changed_share"])


def _changed(table: ir.Table, cuts: CutLines) -> float:
    share = table.mutate(other=quadrant_of(table, cuts) != table.quadrant).agg(share=lambda t: t.other.mean())
    return float(share.to_pandas().iloc[0, 0])


@dataclass(frozen=True)
class Misallocation:
    """Today's spend against the recommended one.

    Attributes
    ----------
    measured : whether what is spent per customer is known.
    total : spent on all customers in the last year (``unit``).
    misplaced : part of it that would go to another quadrant under the recommended budget shares
        (½ Σ |today − recommended|).
    """

    measured: bool
    reason: str = ""
    total: float = 0.0
    misplaced: float = 0.0


def misallocation(table: pd.DataFrame, reason: str = "") -> Misallocation:
    """From :func:`quadrant_table`; not measured where the costs are missing or nil."""
    cost = table["cost"].astype(float)
    if cost.isna().all() or not cost.sum() > 0 or not table["budget_share"].sum() > 0:
        return Misallocation(False, reason)
    recommended = table["budget_share"] / table["budget_share"].sum() * cost.sum()
    return Misallocation(True, "", float(cost.sum()), float((cost - recommended).abs().sum() / 2))
