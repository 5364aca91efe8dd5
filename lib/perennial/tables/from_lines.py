"""Customers described in the order lines themselves: one row of each, and how many are described in several ways."""

from dataclasses import replace

import ibis.expr.types as ir

from perennial.parameters import Parameters
from perennial.tables.files.raw import FILE, Raw
from perennial.tables.files.request import Request
from perennial.tables.read import ROW


def stands_in_lines(parameters: Parameters, table: str) -> bool:
    """Whether the customers are read from the files that hold the order lines."""
    lines, people = parameters.sources["transactions"], parameters.sources.get("customers")
    return table == "customers" and people is not None and bool(people.paths) and people.paths == lines.paths


def first_of_each(request: Request, raw: Raw) -> tuple[Raw, str]:
    """The first line of each customer, and a sentence on the customers whose lines do not agree.

    Lines without a customer describe nobody; what cannot be read of the file is told with the order lines.
    """
    lines = request.engine.create_table("lines_of_customers", raw.rows, temp=True, overwrite=True)
    rows = lines if ROW in lines.columns else lines.mutate(**{ROW: lines.rowid()})
    named = rows.filter(rows.customer_id.cast("string").strip().fill_null("") != "")
    firsts = named.group_by("customer_id").agg(_first=named[ROW].min())
    kept = named.semi_join(firsts, named[ROW] == firsts["_first"]).order_by(ROW)
    return replace(raw, rows=kept, malformed=list), _told(named)


def _told(named: ir.Table) -> str:
    said = [name for name in named.columns if not name.startswith("_") and name != FILE]
    each = named.select(said).distinct().group_by("customer_id").agg(ways=lambda t: t.count())
    found = each.aggregate(customers=each.count(), several=(each.ways > 1).sum()).to_pyarrow().to_pylist()[0]
    text = f"customers: read from the order lines, the first of each of {found['customers']:,} customers"
    several = found["several"] or 0
    if not several:
        return f"{text}; the further ones say the same"
    what = "customer is" if several == 1 else "customers are"
    return f"{text}; {several:,} {what} described in more than one way ({', '.join(said[1:])})"
