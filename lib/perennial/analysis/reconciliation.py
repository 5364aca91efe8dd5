"""From rows as they arrived to rows used, rule by rule, in rows, customers and money: adds up without remainder."""

from decimal import Decimal
from pathlib import PurePosixPath

import pandas as pd

from perennial.schema import TABLES
from perennial.tables.audit import Audit

RAW, USED = "raw", "used"


def reconcile(audit: Audit, table: str = "transactions") -> pd.DataFrame:
    """``step, meaning, rows, customers, money``: raw, minus each rule, gives used.

    Rows and money of the rules are negative and the column adds up: raw + rules = used. ``customers`` are those with
    at least one such row; one customer may stand under several rules, so they do not add up (and raw has none).
    """
    rules = audit.rules_of(table)
    removed = [(r.rule, r.meaning, -r.rows, r.customers, -_exact(r.money)) for r in rules if r.rule != USED]
    rows = sum(rule.rows for rule in rules)
    money = sum((_exact(rule.money) for rule in rules), Decimal(0))
    used = [(r.rule, r.meaning, r.rows, r.customers, _exact(r.money)) for r in rules if r.rule == USED]
    lines = [(RAW, "rows as they arrived", rows, None, money), *removed, *used]
    frame = pd.DataFrame(lines, columns=["step", "meaning", "rows", "customers", "money"])
    frame["customers"] = frame["customers"].astype("Int64")
    return frame.assign(money=frame["money"].astype("float64"))


def _exact(money: float | None) -> Decimal:
    return Decimal(str(money or 0))


def table_facts(audit: Audit) -> pd.DataFrame:
    """``table, file, raw_rows, rows, removed_rows, customers, first, last`` for every table that was given."""
    files = {file.table: PurePosixPath(file.path).name for file in reversed(audit.files)}
    rows = [
        (f.table, files.get(f.table, ""), f.raw_rows, f.rows, f.raw_rows - f.rows, f.customers, f.first, f.last)
        for f in audit.tables
    ]
    columns = ["table", "file", "raw_rows", "rows", "removed_rows", "customers", "first", "last"]
    frame = pd.DataFrame(rows, columns=columns)
    dates = {name: pd.to_datetime(frame[name]) for name in ("first", "last")}
    return frame.assign(customers=frame["customers"].astype("Int64"), **dates)


def incomplete_columns(audit: Audit) -> pd.DataFrame:
    """``table, column, filled_share``: columns with missing values, the emptiest first.

    Optional dates are left out: an empty one mostly says that something has not happened yet.
    """
    rows = [
        (f.table, column, share)
        for f in audit.tables
        for column, share in f.filled.items()
        if share < 1 and TABLES[f.table].columns.get(column) not in ("date", "timestamp")
    ]
    frame = pd.DataFrame(rows, columns=["table", "column", "filled_share"])
    return frame.sort_values(["filled_share", "table", "column"], ignore_index=True)


def removed_rows(audit: Audit) -> pd.DataFrame:
    """``table, rule, meaning, rows, customers, money``: every rule that removed rows, of all tables."""
    rows = [(r.table, r.rule, r.meaning, r.rows, r.customers, r.money) for r in audit.rules if r.rule != USED]
    frame = pd.DataFrame(rows, columns=["table", "rule", "meaning", "rows", "customers", "money"])
    return frame.astype({"rows": "int64", "customers": "int64", "money": "float64"})
