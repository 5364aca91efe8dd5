"""Recency, frequency and monetary value, each in five bands of the client's own customers (5 is best)."""

import ibis
import ibis.expr.types as ir

BANDS = 5


def rfm_bands(summary: ir.Table) -> ir.Table:
    """One row per customer: ``r``, ``f``, ``m`` from 1 to 5.

    Bands cut the customers' ranks into fifths; customers with equal figures share the lower band of their tie,
    so that a band never depends on the order of rows. Recency counts from the last purchase, monetary value is
    total net revenue.
    """
    return summary.select(
        "customer_id",
        r=_band(summary.last_on),
        f=_band(summary.frequency),
        m=_band(summary.revenue),
    )


def _band(column: ir.Column) -> ir.IntegerColumn:
    share_below = ibis.percent_rank().over(ibis.window(order_by=column))
    return (share_below * BANDS).floor().cast("int64").clip(upper=BANDS - 1) + 1
