"""Product codes in use that look unlike the others: corrections, discounts and fees often hide under them."""

from typing import NamedTuple

import ibis
import ibis.expr.types as ir

USUAL = 0.9  # share of lines whose codes must hold a digit for one without to be odd
MOST = 40  # codes: more are a part of the range of their own


class OddCode(NamedTuple):
    """One code: its order lines, and what these bring and take back (both at least 0)."""

    code: str
    lines: int
    plus: float
    minus: float


def odd_codes(lines: ir.Table) -> list[OddCode]:
    """Codes without a digit where nearly all have one, the one that moves most money first.

    Parameters
    ----------
    lines : canonical ``transactions``, as used.
    """
    if "product_id" not in lines.columns:
        return []
    known = lines.filter(lines.product_id.notnull())
    each = known.group_by("product_id").agg(
        lines=known.count(),
        plus=known.amount.sum(where=known.amount > 0).fill_null(0).cast("float64"),
        minus=(-known.amount.sum(where=known.amount < 0)).fill_null(0).cast("float64"),
    )
    each = each.mutate(odd=~each.product_id.re_search("[0-9]"), all_lines=each.lines.sum().over())
    odd = each.filter("odd").order_by(ibis.desc(each.plus + each.minus), "product_id").to_pyarrow().to_pylist()
    if not odd or len(odd) > MOST or sum(row["lines"] for row in odd) > (1 - USUAL) * odd[0]["all_lines"]:
        return []
    return [OddCode(row["product_id"], row["lines"], row["plus"], row["minus"]) for row in odd]
