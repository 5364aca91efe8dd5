"""Rows as they arrived → canonical rows, by declared rules in a fixed order, each counted in rows and money.

A row is removed by the first rule that applies to it, so that the counts of all rules add up to the
difference between raw and used rows exactly. Money is summed in decimals: totals do not depend on order.
"""

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as ds
import ibis.expr.types as ir

from perennial.parameters import Cleaning, Source
from perennial.schema import TABLES, Kind, TableSchema

MONEY = ds.Decimal(18, 4)


@ibis.udf.scalar.builtin
def try_strptime(text: str, format: str) -> dt.datetime:  # type: ignore[empty-body]
    """DuckDB's strptime that gives NULL for what does not fit."""


@dataclass(frozen=True)
class RuleCount:
    """What one rule removed from one table; ``money`` is None where the table has no amounts."""

    table: str
    rule: str
    meaning: str
    rows: int
    customers: int
    money: float | None


RULES: dict[str, str] = {
    "used": "rows that every analysis uses",
    "no_customer": "lines without a customer: nobody to follow",
    "no_key": "rows without an id or a required text",
    "bad_date": "rows whose date is missing or cannot be read",
    "bad_amount": "lines whose amount is missing or not a number",
    "after_as_of": "rows dated after the as-of date",
    "exact_duplicate": "lines equal to an earlier line in every column used",
    "zero_amount": "lines with an amount of zero",
    "negative_amount": "lines with a negative amount",
    "only_returns": "returns of customers with no purchase in the data",
    "repeated_id": "further rows with an id that already stands in the table",
}


def parse(raw: ir.Table, table: str, source: Source) -> ir.Table:
    """Every column in its declared kind; what cannot be read becomes NULL, what was there is kept beside it."""
    kinds = TABLES[table].columns
    columns: dict[str, ir.Value] = {}
    for name in raw.columns:
        form = source.columns[name].format if name in source.columns else None
        columns[name] = _parse_column(raw[name], kinds.get(name, "text"), form)
    return raw.select(**columns)


def _parse_column(column: ir.Value, kind: Kind, form: str | None) -> ir.Value:
    if kind == "text":
        return column.cast("string").strip().nullif("")
    if kind in ("timestamp", "date"):
        moment = try_strptime(column.cast("string"), form) if form else column.try_cast("timestamp(6)")
        return moment.cast("date") if kind == "date" else moment.cast("timestamp(6)")
    if kind == "flag":
        return column.cast("string").strip().lower().isin(["true", "t", "1", "yes", "y"])
    if kind == "money":
        return column.try_cast(MONEY)
    return column.try_cast("float64")


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
    return marked.drop([c for c in marked.columns if c.startswith("_")])


def _transaction_cases(rows: ir.Table, cleaning: Cleaning) -> tuple[ir.Table, list[tuple[ir.BooleanValue, str]]]:
    columns = rows.columns
    returned = rows.amount < 0
    if "is_return" in columns:
        returned = returned | rows.is_return.fill_null(False)
    rows = rows.mutate(is_return=returned.fill_null(False))
    cases = []
    if cleaning.exact_duplicates == "drop":
        rows = rows.mutate(_copy=ibis.row_number().over(group_by=columns, order_by=columns[0]))
        cases.append((rows._copy > 0, "exact_duplicate"))
    if cleaning.zero_amounts == "drop":
        cases.append((rows.amount == 0, "zero_amount"))
    if cleaning.negative_amounts == "drop":
        cases.append((rows.amount < 0, "negative_amount"))
    return rows, cases


def _mark_only_returns(marked: ir.Table) -> ir.Table:
    """Returns of customers left without any purchase: nothing can be followed, and their money is counted apart."""
    used = marked.rule == "used"
    bought = (used & ~marked.is_return).cast("int64").sum().over(group_by="customer_id")
    return marked.mutate(rule=ibis.ifelse(used & (bought == 0), "only_returns", marked.rule))


def _rest(rows: ir.Table, schema: TableSchema) -> list[str]:
    return [name for name in rows.columns if name != schema.key]


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
    return used.mutate(ordered_on=used.ordered_at.cast("date")) if table == "transactions" else used
