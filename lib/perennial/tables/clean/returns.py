"""Returns netted against the sales they belong to: exact pairs leave together, partial ones move to the sale's day.

A return belongs to the latest earlier sale of the same key that no later return has taken, as a closing parenthesis
belongs to an opening one. That is found in the engine without a loop: along a key's lines in time, +1 for a sale and
−1 for a return, the running sum less its running minimum is how many sales stand open; a return that makes a new
minimum below zero has none; any other closes the sale that opened the same level, the k-th of that level.

Lines of the same moment are ordered sales first, then by place in the file. Only keys that contain a return are
touched.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.tables.clean.rules import ROW


@dataclass(frozen=True)
class Netted:
    """What netting found, each by ``_row``.

    Attributes
    ----------
    pairs : ``_row`` of both lines of every pair that cancels out exactly.
    moved : ``_row`` of partial returns, ``_sale_at`` (the sale's moment) and ``_sale_order`` (its order id, if any).
        Together they are worth no more than the sale.
    unmatched : ``_row`` of returns that belong to no earlier sale.
    """

    pairs: ir.Table
    moved: ir.Table
    unmatched: ir.Table


def net(con: Backend, left: ir.Table, match: str) -> Netted:
    """Match returns with sales among usable order lines.

    Parameters
    ----------
    left : usable lines with ``customer_id, ordered_at, amount, is_return`` and ``_row``; ``order_id``, ``product_id``
        and ``quantity`` are used where they are.
    match : ``"customer_product"`` (same customer, product, amount and quantity) or ``"order"`` (same order, product
        and amount).
    """
    lines = _lines(con, left, match)
    pairs = con.create_table("net_pairs", _pairs(lines), temp=True, overwrite=True)
    open_lines = con.create_table("net_open", lines.anti_join(pairs, ROW), temp=True, overwrite=True)
    moved = con.create_table("net_moved", _moved(open_lines, match), temp=True, overwrite=True)
    returned = open_lines.filter(open_lines._sign == -1)
    return Netted(pairs, moved, returned.anti_join(moved, ROW).select(ROW))


def _lines(con: Backend, left: ir.Table, match: str) -> ir.Table:
    """Sales and returns of the customers (orders) with a return, as ``_sign`` and the keys they are matched by."""
    who = "order_id" if match == "order" else "customer_id"
    near = [who] + (["product_id"] if "product_id" in left.columns else [])
    returned = left.filter(left.is_return & (left.amount < 0))
    keys = con.create_table("net_keys", returned.select(*near).distinct(), temp=True, overwrite=True)
    either = left.filter((left.is_return & (left.amount < 0)) | (~left.is_return & (left.amount > 0)))
    same = [either[name].identical_to(keys[name]) for name in near]
    either = either.semi_join(keys, same)
    columns = {
        ROW: either[ROW],
        "_at": either.ordered_at,
        "_order": either.order_id if "order_id" in either.columns else ibis.null("string"),
        "_who": either[who],
        "_product": either.product_id if "product_id" in either.columns else ibis.null("string"),
        "_size": either.amount.abs(),
        "_count": either.quantity.abs() if _counts(either, match) else ibis.null("float64"),
        "_sign": ibis.ifelse(either.is_return, -1, 1).cast("int64"),
    }
    return con.create_table("net_lines", either.select(**columns), temp=True, overwrite=True)


def _counts(lines: ir.Table, match: str) -> bool:
    return match == "customer_product" and "quantity" in lines.columns


_KEY = ["_who", "_product", "_size", "_count"]


def _pairs(lines: ir.Table) -> ir.Table:
    along = {"group_by": _KEY, "order_by": [lines._at, lines._sign.desc(), lines[ROW]]}
    walk = lines.mutate(_sum=lines._sign.sum().over(rows=(None, 0), **along))
    along["order_by"] = [walk._at, walk._sign.desc(), walk[ROW]]
    low = walk._sum.min().over(rows=(None, 0), **along)
    walk = walk.mutate(_low=ibis.least(low, 0))
    # before a return the level is one higher; where it made a new low, there was nothing open
    level = walk._sum - walk._low + ibis.ifelse(walk._sign == -1, 1, 0)
    walk = walk.mutate(_level=level)
    before = walk._low.lag().over(group_by=_KEY, order_by=[walk._at, walk._sign.desc(), walk[ROW]]).fill_null(0)
    walk = walk.mutate(_fresh=(walk._sign == -1) & (walk._low < before)).filter(lambda t: ~t._fresh)
    place = ibis.row_number().over(
        group_by=[*_KEY, "_level", "_sign"], order_by=[walk._at, walk._sign.desc(), walk[ROW]]
    )
    walk = walk.mutate(_place=place)
    spot = [*_KEY, "_level", "_place"]
    sold = walk.filter(walk._sign == 1).select(*spot, _sale=walk[ROW])
    back = walk.filter(walk._sign == -1).select(*spot, _return=walk[ROW])
    pairs = sold.join(back, [sold[name].identical_to(back[name]) for name in spot]).select(sold._sale, back._return)
    return pairs.select(**{ROW: pairs._sale}).union(pairs.select(**{ROW: pairs._return}))


def _moved(lines: ir.Table, match: str) -> ir.Table:
    """Returns of less than a sale: the latest earlier sale that is worth more; without a product it cannot be told."""
    if match == "customer_product":
        lines = lines.filter(lines._product.notnull())
    back, sold = lines.filter(lines._sign == -1), lines.filter(lines._sign == 1).view()
    pairs = back.join(
        sold,
        [
            back._who == sold._who,
            back._product.identical_to(sold._product),
            sold._at <= back._at,
            sold._size > back._size,
        ],
    ).select(
        **{ROW: back[ROW]}, _at=back._at, _size=back._size,
        _sale_at=sold._at, _sale_order=sold._order, _sale=sold[ROW], _sale_size=sold._size,
    )  # fmt: skip
    ranked = pairs.group_by(ROW).agg(_best=pairs._sale.argmax(ibis.struct({"at": pairs._sale_at, "row": pairs._sale})))
    best = ranked.join(pairs, [ranked[ROW] == pairs[ROW], ranked._best == pairs._sale])
    best = best.select(*[pairs[name] for name in pairs.columns])
    so_far = best._size.sum().over(group_by=best._sale, order_by=[best._at, best[ROW]], rows=(None, 0))
    best = best.mutate(_so_far=so_far)
    fits = best._so_far <= best._sale_size  # no more comes back of a sale than it was worth
    return best.filter(fits).select(ROW, "_sale_at", "_sale_order")


def move(left: ir.Table, moved: ir.Table) -> ir.Table:
    """Partial returns on the day, and under the id, of the order they belong to."""
    joined = left.left_join(moved, left[ROW] == moved[ROW], rname="{name}_moved")
    fresh = {"ordered_at": ibis.coalesce(moved._sale_at, left.ordered_at)}
    if "order_id" in left.columns:
        fresh["order_id"] = ibis.coalesce(moved._sale_order, left.order_id)
    return joined.select(**{name: fresh.get(name, left[name]) for name in left.columns})
