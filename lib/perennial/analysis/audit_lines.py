"""What the lines used amount to: sold, returned, worth nothing, and how much of it one day or minute holds."""

from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd

from perennial import formats

ENOUGH_DAYS = 60  # days with orders, below which one day is always a large part


@dataclass(frozen=True)
class LineFacts:
    """What the lines used amount to.

    Attributes
    ----------
    sold, returned : money on lines above and below zero; ``zero_lines``: lines worth nothing.
    stamp_share : the larger share of orders on one day and of lines in one minute of the day; None if unknown.
    stamp : that day or minute.
    """

    sold: float
    returned: float
    zero_lines: int
    stamp_share: float | None
    stamp: str


def measure_lines(transactions: ir.Table, days: pd.DataFrame) -> LineFacts:
    """Count the lines used; ``days``: :func:`perennial.analysis.coverage.daily_orders`."""
    amount = transactions.amount
    row = transactions.aggregate(
        sold=amount.sum(where=amount > 0).cast("float64"),
        returned=amount.sum(where=amount < 0).cast("float64"),
        zero_lines=(amount == 0).sum(),
    )
    found = row.to_pyarrow().to_pylist()[0]
    share, stamp = largest_stamp(transactions, days)
    return LineFacts(
        float(found["sold"] or 0), -float(found["returned"] or 0), int(found["zero_lines"] or 0), share, stamp
    )


def largest_stamp(transactions: ir.Table, days: pd.DataFrame) -> tuple[float | None, str]:
    """The largest share of orders on one day, or of lines in one minute of the day (where times are given)."""
    shares: dict[str, float] = {}
    if int((days["orders"] > 0).sum()) >= ENOUGH_DAYS:
        top = days.loc[days["orders"].idxmax()]
        shares[formats.date(top["day"])] = float(top["orders"] / days["orders"].sum())
    at = transactions.ordered_at
    minutes = transactions.group_by(minute=at.hour() * 60 + at.minute()).agg(lines=transactions.count()).to_pandas()
    if len(minutes) > 1:
        busiest = minutes.loc[minutes["lines"].idxmax()]
        hour, minute = divmod(int(busiest["minute"]), 60)
        shares[f"{hour:02d}:{minute:02d}"] = float(busiest["lines"] / minutes["lines"].sum())
    return max(((share, stamp) for stamp, share in shares.items()), default=(None, ""))
