"""Ids that seem to stand for several customers: masked ones, placeholders, and rates no single customer has."""

import math

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.tables.clean.masking import shorten_id

PLACEHOLDER = (
    r"^(0+|9{3,}|-+|\.+|\?+|x+|n/?a|nan|none|null|unknown|unbekannt|anonym(ous)?|guest|gast|test|dummy|default|cash"
    r"|[*#•＊●]+|(cash|walk[ -]?in) (customer|sale|client)|no (customer|name|id)|匿名|散客|未知|无|游客|测试|现金)$"
)
MASKED = r"[*#•＊●]|[xX]{3,}"
FEWEST_DAYS = 20  # fewer are too few to call a customer's rate implausible
FENCE = 2.0  # interquartile ranges of the log above the third quartile; Tukey calls 1.5 outside and 3 far out
LEAST_SPREAD = 0.1  # of the log, where most customers are alike
SHARE_OF_DAYS = 1 / 2  # of all days of the customer's span; wholesalers buy on a third of theirs
CROWDED = 3.0  # lines per masked id, in multiples of those ids of which more is visible
FEWEST_LINES = 30  # of masked ids of one length, to compare them
ORDERS_PER_DAY = 5.0


def colliding_ids(con: Backend, rows: ir.Table, customers: ir.Table) -> tuple[ir.Table | None, list[str]]:
    """The ids that more than one customer seems to share, and sentences about them.

    An id is taken for shared where it is a placeholder, or where its days with a purchase lie far out (more than two
    interquartile ranges above the third quartile of the log, over customers with several days) and fill half of
    its span, or where it makes more than five orders on an average day. Masked ids are taken for shared where they have
    three times the lines per id of the masked ids of which more signs are visible.

    Parameters
    ----------
    customers : one row per ``customer_id`` with the count of its ``lines``.
    """
    text = customers.customer_id.lower()
    placeholders = _unless_counted(_kept(con, "placeholders", customers.filter(text.re_search(PLACEHOLDER))), customers)
    busy = _implausible(rows, customers)
    found = con.create_table("implausible_ids", busy, temp=True, overwrite=True)
    masked, visible = _masked(_kept(con, "masked_ids", customers.filter(customers.customer_id.re_search(MASKED))))
    crowded = masked.filter(masked.visible <= visible).select("customer_id")
    notes = _masked_notes(masked, visible) + _rate_notes(found) + _placeholder_notes(placeholders)
    shared = found.select("customer_id").union(placeholders, distinct=True).union(crowded, distinct=True)
    shared = con.create_table("shared_ids", shared, temp=True, overwrite=True)
    return (shared if shared.count().execute() else None), notes


def _unless_counted(placeholders: ir.Table, customers: ir.Table) -> ir.Table:
    """Without numbers such as 999 that merely have their turn: the number before them is an id, too."""
    nines = placeholders.filter(placeholders.customer_id.re_search("^9{3,17}$"))
    before = nines.select(nine=nines.customer_id, customer_id=(nines.customer_id.cast("int64") - 1).cast("string"))
    counted = before.semi_join(customers, "customer_id")
    return placeholders.anti_join(counted, placeholders.customer_id == counted.nine).select("customer_id")


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


def _kept(con: Backend, name: str, few: ir.Table) -> ir.Table:
    """The few ids that a pattern finds, looked for once."""
    return con.create_table(name, few, temp=True, overwrite=True)


def _masked(masked: ir.Table) -> tuple[ir.Table, int]:
    """Masked ids with the count of ``visible`` signs, and the count up to which each stands for a crowd (or 0).

    A crowd shows in its lines: where fewer signs are visible, more people fall on one id. The ids that most people
    have, by length, are the measure.
    """
    masked = masked.mutate(visible=masked.customer_id.re_replace(r"[*#•＊●]+|[xX]{3,}", "").length())
    counted = masked.group_by("visible").agg(ids=masked.count(), lines=masked.lines.sum())
    groups = [group for group in counted.to_pyarrow().to_pylist() if group["visible"]]
    if not groups:
        return masked, 0
    usual = max(groups, key=lambda group: (group["ids"], group["visible"]))
    most = CROWDED * usual["lines"] / usual["ids"]
    return masked, max((group["visible"] for group in groups if _is_crowded(group, usual, most)), default=0)


def _is_crowded(group: dict[str, int], usual: dict[str, int], most: float) -> bool:
    shorter = group["visible"] < usual["visible"]
    return shorter and group["lines"] >= max(FEWEST_LINES, most * group["ids"])


def _masked_notes(masked: ir.Table, visible: int) -> list[str]:
    few = masked.visible <= visible
    row = masked.aggregate(
        ids=masked.count(),
        lines=masked.lines.sum(),
        crowded=few.sum(),
        crowd=masked.lines.sum(where=few),
    )
    found = row.to_pyarrow().to_pylist()[0]
    if not found["ids"]:
        return []
    ids, lines = _counted(found["ids"], "customer id"), _counted(found["lines"], "line")
    text = f"transactions: {ids} {'is' if found['ids'] == 1 else 'are'} masked ({lines}): people whose visible signs "
    text += "agree count as one customer"
    if visible and found["crowded"]:
        each = found["crowd"] / found["crowded"]
        rest = (found["lines"] - found["crowd"]) / (found["ids"] - found["crowded"])
        text += (
            f". Those with at most {visible} visible signs ({_counted(found['crowded'], 'id')}) have {each:.1f} lines "
            f"each, the others {rest:.1f}: they probably stand for several people each"
        )
    return [text + ". Ask for ids that are whole or replaced by a code."]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _rate_notes(found: ir.Table) -> list[str]:
    rows = found.order_by(found.lines.desc(), found.customer_id).to_pyarrow().to_pylist()
    if not rows:
        return []
    worst, one = rows[0], len(rows) == 1
    owner = f"the one ending in '{shorten_id(worst['customer_id'])}'"
    return [
        f"transactions: {_counted(len(rows), 'customer id')} {'buys' if one else 'buy'} far more often than one person "
        f"would: {owner} has {worst['lines']:,} lines on {worst['days']:,} of {worst['span']:,} days. "
        "Several people may share it, or it buys for resale: ask the client whose it is."
    ]


def _placeholder_notes(placeholders: ir.Table) -> list[str]:
    ids = placeholders.order_by("customer_id").limit(5).to_pyarrow()["customer_id"].to_pylist()
    if not ids:
        return []
    shown = ", ".join(f"'{name}'" for name in ids)
    what = "reads like a placeholder" if len(ids) == 1 else "read like placeholders"
    return [
        f"transactions: {shown} {what} for customers who are not known. "
        "Unless declared under cleaning.guests, the lines of one count as one customer's."
    ]
