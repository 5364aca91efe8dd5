"""Rows as they arrived → canonical rows, by declared rules in a fixed order, each counted in rows and money.

A row is removed by the first rule that applies to it, so that the counts of all rules add up to the
difference between raw and used rows exactly. Money is summed in decimals: totals do not depend on order.
"""

import datetime as dt

import ibis
import ibis.expr.types as ir

from perennial.parameters import Cleaning
from perennial.schema import TABLES, TableSchema
from perennial.tables.audit import RuleCount

RULES: dict[str, str] = {
    "used": "rows that every analysis uses",
    "no_customer": "lines without a customer: nobody to follow",
    "no_key": "rows without an id or a required text",
    "bad_date": "rows whose date is missing or cannot be read",
    "bad_amount": "lines whose amount is missing or not a number",
    "after_as_of": "rows dated after the as-of date",
    "exact_duplicate": "lines equal to an earlier line in every column of the file",
    "zero_amount": "lines with an amount of zero",
    "negative_amount": "lines with a negative amount",
    "only_returns": "returns of customers with no purchase in the data",
    "repeated_id": "further rows with an id that already stands in the table",
}


def mark(rows: ir.Table, table: str, cleaning: Cleaning, as_of: dt.date) -> ir.Table:
    """Each row with ``rule``: the first rule that removes it, or ``"used"``."""
    schema = TABLES[table]
    cases: list[tuple[ir.BooleanValue, str]] = []
    for name in schema.required:
        rule = "bad_date" if schema.columns[name] in ("timestamp", "date") else "no_key"
        rule = {"customer_id": "no_customer", "amount": "bad_amount"}.get(name, rule)
        cases.append((rows[name].isnull(), rule))
    if schema.clock:
        cases.append((rows[schema.clock].cast("date") > ibis.literal(as_of), "after_as_of"))
    if table == "transactions":
        rows, more = _transaction_cases(rows, cleaning)
        cases += more
    if schema.key:
        rows = rows.mutate(_place=ibis.row_number().over(group_by=schema.key, order_by=_rest(rows, schema)))
        cases.append((rows._place > 0, "repeated_id"))
    marked = rows.mutate(rule=ibis.cases(*cases, else_="used"))
    if table == "transactions":
        marked = _mark_only_returns(marked)
    return marked


def _transaction_cases(rows: ir.Table, cleaning: Cleaning) -> tuple[ir.Table, list[tuple[ir.BooleanValue, str]]]:
    returned = rows.amount < 0
    if "is_return" in rows.columns:
        returned = returned | rows.is_return.fill_null(False)
    rows = rows.mutate(is_return=returned.fill_null(False))
    cases = []
    if cleaning.exact_duplicates == "drop":
        rows = rows.mutate(_copy=ibis.row_number().over(group_by="_line_hash"))
        cases.append((rows._copy > 0, "exact_duplicate"))
    if cleaning.zero_amounts == "drop":
        cases.append((rows.amount == 0, "zero_amount"))
    if cleaning.returns.treat == "drop":
        cases.append((rows.amount < 0, "negative_amount"))
    return rows, cases


def _mark_only_returns(marked: ir.Table) -> ir.Table:
    """Returns of customers left without any purchase: nothing can be followed, and their money is counted apart."""
    used = marked.rule == "used"
    bought = (used & ~marked.is_return).cast("int64").sum().over(group_by="customer_id")
    return marked.mutate(rule=ibis.ifelse(used & (bought == 0), "only_returns", marked.rule))


def _rest(rows: ir.Table, schema: TableSchema) -> list[str]:
    return [name for name in rows.columns if name != schema.key and not name.startswith("_")]


def count_rules(marked: ir.Table, table: str) -> list[RuleCount]:
    """Rows, customers and money per rule, in the order the rules apply, ``"used"`` first."""
    measures = {"rows": marked.count()}
    measures["customers"] = marked.customer_id.nunique() if "customer_id" in marked.columns else ibis.literal(0)
    if table == "transactions":
        measures["money"] = marked.amount.sum().cast("float64")
    found = {row["rule"]: row for row in marked.group_by("rule").agg(**measures).to_pyarrow().to_pylist()}
    return [
        RuleCount(
            table,
            rule,
            meaning,
            int(found[rule]["rows"]),
            int(found[rule]["customers"] or 0),
            round(float(found[rule]["money"] or 0), 4) if table == "transactions" else None,
        )
        for rule, meaning in RULES.items()
        if rule in found
    ]


def keep_used(marked: ir.Table, table: str) -> ir.Table:
    """The canonical table: used rows only, with the day of the order where there is one."""
    used = marked.filter(marked.rule == "used").drop("rule")
    used = used.drop([c for c in used.columns if c.startswith("_")])
    return used.mutate(ordered_on=used.ordered_at.cast("date")) if table == "transactions" else used
