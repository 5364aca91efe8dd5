"""The customer summary: one row per customer, from which every model starts.

Terms as in Fader, Hardie & Lee (2005): frequency counts *repeat purchase days*, recency is the time from first to
last purchase, T the time from first purchase to the end of observation. All in days; the as-of day is counted.
"""

import datetime as dt

import ibis
import ibis.expr.types as ir


def purchase_days(transactions: ir.Table) -> ir.Table:
    """One row per customer and day with at least one line that is not a return; ``amount`` is the day's net money."""
    days = transactions.group_by("customer_id", "ordered_on").agg(
        amount=transactions.amount.sum(), bought=(~transactions.is_return).any()
    )
    return days.filter(days.bought).drop("bought")


def customer_summary(transactions: ir.Table, as_of: dt.date) -> ir.Table:
    """Reduce canonical transactions to one row per customer who bought on or before ``as_of``.

    Returns
    -------
    ibis table with ``customer_id``; ``first_on``, ``last_on`` (dates); ``frequency`` (repeat purchase days);
    ``recency`` and ``T`` (days, ``0 ≤ recency ≤ T``); ``monetary_value`` (mean money of the repeat purchase days,
    0 where there are none); ``orders``; ``revenue`` (net of returns, decimal: sums to the table's total exactly).
    """
    held = transactions.filter(transactions.ordered_on <= ibis.literal(as_of))
    days = purchase_days(held)
    days = days.mutate(first_on=days.ordered_on.min().over(group_by="customer_id"))
    rhythm = days.group_by("customer_id").agg(
        first_on=days.ordered_on.min(),
        last_on=days.ordered_on.max(),
        frequency=days.count() - 1,
        repeat_money=days.amount.sum(where=days.ordered_on > days.first_on).cast("float64"),
    )
    totals = held.group_by("customer_id").agg(
        orders=_orders(held),
        revenue=held.amount.sum(),
    )
    joined = rhythm.join(totals, "customer_id")
    end = ibis.literal(as_of)
    return joined.select(
        "customer_id",
        "first_on",
        "last_on",
        "frequency",
        recency=joined.last_on.delta(joined.first_on, unit="day"),
        T=end.delta(joined.first_on, unit="day"),
        monetary_value=ibis.ifelse(
            joined.frequency > 0, joined.repeat_money.fill_null(0.0) / joined.frequency.nullif(0), 0.0
        ),
        orders=joined.orders,
        revenue=joined.revenue,
    )


def mark_shared_ids(summary: ir.Table, shared: ir.Table | None) -> ir.Table:
    """The summary with ``shared_id``: whether several people seem to stand under the customer's id."""
    if shared is None:
        return summary.mutate(shared_id=ibis.literal(False))
    found = shared.select(_shared="customer_id")
    joined = summary.left_join(found, summary.customer_id == found["_shared"])
    return joined.select(*[joined[name] for name in summary.columns], shared_id=joined["_shared"].notnull())


def _orders(held: ir.Table) -> ir.IntegerScalar:
    if "order_id" in held.columns:
        return held.order_id.nunique(where=~held.is_return)
    return held.ordered_on.nunique(where=~held.is_return)
