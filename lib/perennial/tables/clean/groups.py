"""Rules that need more than one row to tell: copies, small orders, customers without a purchase, repeated ids.

Each gives the places (``_row``) of the rows it applies to. All begin with a group-by that leaves only the few groups
concerned, so that clean data costs next to nothing.
"""

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.tables.clean.rules import ROW
from perennial.tables.files.raw import FILE


@ibis.udf.scalar.builtin(name="hash")
def digest_of_two(one, other) -> dt.uint64:  # type: ignore[no-untyped-def,empty-body]
    """The engine's own digest of two values, empty ones included."""


def copies(engine: Backend, rows: ir.Table) -> ir.Table:
    """Lines equal to an earlier line in every column of the file, the unmapped ones by their digest.

    Only lines that share their moment and amount with another are compared in full: sorted by a short digest of the two
    they are neighbours, which takes half the time of grouping where nearly every line is a group of its own.
    """
    short = digest_of_two(rows.ordered_at, rows.amount) % 2**32
    digests = rows.select(ROW, _digest=short.cast("uint32"))
    beside = digests.select("_digest", _next=digests._digest.lead().over(order_by=digests._digest))
    alike = beside.filter(beside._digest == beside._next).select("_digest").distinct()
    several = engine.create_table("repeated", alike, temp=True, overwrite=True)
    # places first: the engine then fetches the other columns of these few lines alone
    theirs = digests.semi_join(several, "_digest").select(ROW)
    places = engine.create_table("alike", theirs, temp=True, overwrite=True)
    both = rows.semi_join(places, ROW)
    compared = [name for name in both.columns if name not in (ROW, FILE)]
    placed = both.select(ROW, _copy=ibis.row_number().over(group_by=compared, order_by=ROW))
    return placed.filter(placed._copy > 0).select(ROW)


def repeated_ids(engine: Backend, left: ir.Table, key: str) -> ir.Table:
    """Rows whose id stands in an earlier row."""
    counted = left.group_by(key).agg(_lines=lambda t: t.count())
    several = engine.create_table("repeated", counted.filter(counted._lines > 1), temp=True, overwrite=True)
    theirs = left.semi_join(several, key).select(ROW, _of=key)
    theirs = engine.create_table("repeating", theirs, temp=True, overwrite=True)
    firsts = theirs.group_by("_of").agg(_first=lambda t: t[ROW].min())
    return theirs.anti_join(firsts, theirs[ROW] == firsts._first).select(ROW)


def only_returns(left: ir.Table) -> ir.Table:
    """All rows of customers that have returns and no purchase."""
    returned = left.filter(left.is_return).select("customer_id").distinct()
    theirs = left.semi_join(returned, "customer_id").group_by("customer_id").agg(bought=lambda t: (~t.is_return).any())
    return left.semi_join(theirs.filter(~theirs.bought), "customer_id").select(ROW)


def small_orders(left: ir.Table, minimum: float) -> ir.Table:
    """All lines of orders whose sales add up to less than ``minimum``.

    An order is what has one id for one customer; without ids, what a customer bought on a day. Orders of returns only
    have no total to compare.
    """
    order = left.ordered_at.cast("date").cast("string")
    if "order_id" in left.columns:
        order = ibis.coalesce(left.order_id, order)
    lines = left.mutate(_order=order)
    sold = lines.filter(~lines.is_return).group_by("customer_id", "_order").agg(_total=lambda t: t.amount.sum())
    small = sold.filter(sold._total.cast("float64") < minimum)
    return lines.semi_join(small, ["customer_id", "_order"]).select(ROW)
