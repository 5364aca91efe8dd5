"""Ids that seem to stand for several customers: masked ones, placeholders, and rates no single customer has."""

import math

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.tables.clean.masking import shorten_id

PLACEHOLDER = (
    r"^(0+|9{3,}|-+|\.+|\?+|x+|n/?a|nan|none|null|unknown|unbekannt|anonym(ous)?|guest|gast|test|dummy|default|cash"
    r"|(cash|walk[ -]?in) (customer|sale|client)|no (customer|name|id)|匿名|散客|未知|无|游客|测试|现金)$"
)
MASKED = r"[*#•＊●]|[xX]{3,}"
FEWEST_DAYS = 10  # too few to call a customer's rate implausible
FENCE = 2.0  # interquartile ranges of the log above the third quartile; Tukey calls 1.5 outside and 3 far out
LEAST_SPREAD = 0.1  # of the log, where most customers are alike
SHARE_OF_DAYS = 1 / 4  # of all days of the customer's span
ORDERS_PER_DAY = 5.0


def colliding_ids(con: Backend, rows: ir.Table, customers: ir.Table) -> tuple[ir.Table | None, list[str]]:
    """The ids that more than one customer seems to share, and sentences about them.

    An id is taken for shared where it is a placeholder, or where its days with a purchase lie far out (more than two
    interquartile ranges above the third quartile of the log, over customers with several days) and fill a quarter of
    its span, or where it makes more than five orders on an average day.

    Parameters
    ----------
    customers : one row per ``customer_id`` with the count of its ``lines``.
    """
    text = customers.customer_id.lower()
    placeholders = customers.filter(text.re_search(PLACEHOLDER)).select("customer_id")
    busy = _implausible(rows, customers)
    found = con.create_table("implausible_ids", busy, temp=True, overwrite=True)
    notes = _masked_notes(customers) + _rate_notes(found) + _placeholder_notes(placeholders)
    shared = found.select("customer_id").union(placeholders, distinct=True)
    shared = con.create_table("shared_ids", shared, temp=True, overwrite=True)
    return (shared if shared.count().execute() else None), notes


def _implausible(rows: ir.Table, customers: ir.Table) -> ir.Table:
    """``customer_id, lines, days, span, orders`` of the ids that buy far more than the rest."""
    several = customers.filter(customers.lines >= 2)
    first, third = several.lines.ln().quantile(0.25), several.lines.ln().quantile(0.75)
    bounds = several.aggregate(first=first, third=third).to_pyarrow().to_pylist()[0]
    if bounds["third"] is None:
        return _days(rows, customers.filter(False)).filter(False)
    edge = bounds["third"] + FENCE * max(bounds["third"] - bounds["first"], LEAST_SPREAD)
    often = customers.filter((customers.lines >= FEWEST_DAYS) & (customers.lines.ln() >= edge))
    if not often.count().execute():
        return _days(rows, customers.filter(False)).filter(False)
    busiest = often.order_by(often.lines.desc(), often.customer_id).limit(1000)
    days = _days(rows, busiest)
    usual = _usual_days(rows, customers)
    far = (days.days >= usual) & (days.days >= SHARE_OF_DAYS * days.span)
    many = days.orders > ORDERS_PER_DAY * days.days
    return days.filter((days.days >= FEWEST_DAYS) & (far | many))


def _days(rows: ir.Table, some: ir.Table) -> ir.Table:
    bought = rows.filter(rows.ordered_at.notnull() & ~rows.is_return).semi_join(some, "customer_id")
    day = bought.ordered_at.cast("date")
    orders = bought.order_id if "order_id" in rows.columns else bought.ordered_at
    made = bought.group_by("customer_id").agg(
        lines=bought.count(),
        days=day.nunique(),
        span=day.max().delta(day.min(), unit="day") + 1,
        orders=orders.nunique(),
    )
    return made


def _usual_days(rows: ir.Table, customers: ir.Table) -> float:
    """The fence: days with a purchase beyond which a customer lies far out, from a sample of up to 20 000."""
    sample = customers.order_by(customers.customer_id.hash()).limit(20_000) if _many(customers) else customers
    days = _days(rows, sample)
    days = days.filter(days.days >= 2).mutate(log=lambda t: t.days.ln())
    row = days.aggregate(first=days.log.quantile(0.25), third=days.log.quantile(0.75)).to_pyarrow().to_pylist()[0]
    if row["third"] is None:
        return float("inf")
    fence = row["third"] + FENCE * max(row["third"] - row["first"], LEAST_SPREAD)
    return math.exp(fence)


def _many(customers: ir.Table) -> bool:
    return bool(customers.count().execute() > 20_000)


def _masked_notes(customers: ir.Table) -> list[str]:
    masked = customers.filter(customers.customer_id.re_search(MASKED))
    seen = masked.customer_id.re_replace(r"[*#•＊●]+|[xX]{3,}", "").length()
    counted = masked.group_by(visible=seen).agg(ids=masked.count(), lines=masked.lines.sum())
    rows = sorted(counted.to_pyarrow().to_pylist(), key=lambda row: row["visible"])
    if not rows:
        return []
    ids, lines = sum(row["ids"] for row in rows), sum(row["lines"] for row in rows)
    few = min((row for row in rows if row["visible"]), key=lambda row: row["visible"], default=rows[0])
    return [
        f"transactions: {ids:,} customer ids are masked ({lines:,} lines). Different people whose visible signs agree "
        f"count as one customer: as few as {few['visible']} signs are visible, in {few['ids']:,} ids with "
        f"{few['lines']:,} lines. Ask for ids that are whole or replaced by a code."
    ]


def _rate_notes(found: ir.Table) -> list[str]:
    rows = found.order_by(found.lines.desc(), found.customer_id).to_pyarrow().to_pylist()
    if not rows:
        return []
    worst = rows[0]
    one, many = "1 customer id buys", f"{len(rows)} customer ids buy"
    return [
        f"transactions: {one if len(rows) == 1 else many} far more often than one customer would; the worst, ending in "
        f"'{shorten_id(worst['customer_id'])}', has {worst['lines']:,} lines on {worst['days']:,} of {worst['span']:,} "
        "days. Several people may share it: ask the client whose it is."
    ]


def _placeholder_notes(placeholders: ir.Table) -> list[str]:
    ids = placeholders.order_by("customer_id").limit(5).to_pyarrow()["customer_id"].to_pylist()
    if not ids:
        return []
    shown = ", ".join(f"'{name}'" for name in ids)
    return [
        f"transactions: {shown} read like placeholders for customers who are not known. "
        "Declare them under cleaning.guests, or their lines count as one customer's."
    ]
