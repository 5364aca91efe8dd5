"""From rows as they arrived to rows used, rule by rule, in rows, customers and money: adds up without remainder."""

from decimal import Decimal
from pathlib import PurePosixPath

import pandas as pd

from perennial.parameters import Cleaning
from perennial.schema import TABLES
from perennial.tables.audit import Audit
from perennial.tables.clean.rules import RULES

RAW, USED = "raw", "used"
_OF_ALL = " (of all rows as they arrived)"  # said once above the table instead of in each of its rows


def reconcile(audit: Audit, table: str = "transactions") -> pd.DataFrame:
    """``step, meaning, found, rows, customers, money``: raw, minus each rule in the order applied, gives used.

    Rows and money of the rules are negative and the column adds up: raw + rules = used. ``customers`` are those with
    at least one such row; one customer may stand under several rules, so they do not add up (and raw has none).
    ``found`` counts all rows a rule applies to, also those that a rule before it removed; rules that removed none are
    left out.
    """
    rules = audit.rules_of(table)
    removed = [
        (r.rule, r.meaning, max(r.found, r.rows), -r.rows, r.customers, -_exact(r.money))
        for r in rules
        if r.rule != USED and r.rows
    ]
    rows = sum(rule.rows for rule in rules)
    money = sum((_exact(rule.money) for rule in rules), Decimal(0))
    used = [(r.rule, r.meaning, None, r.rows, r.customers, _exact(r.money)) for r in rules if r.rule == USED]
    lines = [(RAW, "rows as they arrived", None, rows, None, money), *removed, *used]
    frame = pd.DataFrame(lines, columns=["step", "meaning", "found", "rows", "customers", "money"])
    return frame.astype({"found": "Int64", "customers": "Int64", "money": "float64"})


def _exact(money: float | None) -> Decimal:
    return Decimal(str(money or 0))


def table_facts(audit: Audit) -> pd.DataFrame:
    """``table, raw_rows, rows, removed_rows, unreadable_rows, customers, first, last`` for every table given."""
    rows = [
        (f.table, f.raw_rows, f.rows, f.raw_rows - f.rows, f.rejects, f.customers, f.first, f.last)
        for f in audit.tables
    ]
    columns = ["table", "raw_rows", "rows", "removed_rows", "unreadable_rows", "customers", "first", "last"]
    frame = pd.DataFrame(rows, columns=columns)
    dates = {name: pd.to_datetime(frame[name]) for name in ("first", "last")}
    return frame.assign(customers=frame["customers"].astype("Int64"), **dates)


def source_files(audit: Audit) -> pd.DataFrame:
    """``table, file, encoding, rows, notes``: every file, sheet or database table as it was read."""
    rows = [(f.table, PurePosixPath(f.path).name, f.encoding, f.rows or None, "; ".join(f.notes)) for f in audit.files]
    frame = pd.DataFrame(rows, columns=["table", "file", "encoding", "rows", "notes"])
    return frame.astype({"rows": "Int64"})


def column_facts(audit: Audit) -> pd.DataFrame:
    """``table, column, in_file, kind, format, given_share, unreadable``: mapped columns, the most doubtful first.

    Doubtful: with text that could not be read, then the emptiest. Optional dates come last among the empty ones:
    an empty one mostly says that something has not happened yet.
    """
    raw = {facts.table: facts.raw_rows for facts in audit.tables}
    rows = [
        (c.table, c.column, c.source, c.kind, c.format, c.given / raw[c.table], c.unreadable)
        for c in audit.columns
        if raw.get(c.table)
    ]
    names = ["table", "column", "in_file", "kind", "format", "given_share", "unreadable"]
    frame = pd.DataFrame(rows, columns=names).astype({"given_share": "float64", "unreadable": "int64"})
    late = frame["kind"].isin(["date", "timestamp"]) & (frame["unreadable"] == 0)
    order = frame.assign(late=late & (frame["given_share"] < 1))
    order = order.sort_values(["unreadable", "late", "given_share"], ascending=[False, True, True], kind="stable")
    return frame.loc[order.index].reset_index(drop=True)


def flagged_rows(audit: Audit) -> pd.DataFrame:
    """``table, mark, meaning, rows, customers, money``: rows that were marked, among all that arrived."""
    rows = [
        (f.table, f.what, f.meaning.removesuffix(_OF_ALL), f.rows, f.customers, f.money) for f in audit.flags if f.rows
    ]
    frame = pd.DataFrame(rows, columns=["table", "mark", "meaning", "rows", "customers", "money"])
    return frame.astype({"rows": "int64", "customers": "int64", "money": "float64"})


def reject_reasons(rejects: pd.DataFrame) -> pd.DataFrame:
    """``table, column, reason, rows, first_file, first_line``: what could not be read, the most frequent first."""
    groups = in_short(rejects).groupby(["table", "column", "reason"], sort=False, dropna=False)
    counts = groups.agg(rows=("line", "size"), first_file=("file", "first"), first_line=("line", "first"))
    return counts.reset_index().sort_values("rows", ascending=False, kind="stable", ignore_index=True)


def in_short(rejects: pd.DataFrame) -> pd.DataFrame:
    """The same without the folder that all files share: where it lies on the maker's machine tells a reader nothing."""
    places = [PurePosixPath(str(place)) for place in rejects["file"]]
    folders = {place.parent for place in places}
    shared = [top for top in (PurePosixPath(), *max(folders, default=PurePosixPath()).parents, *folders)
              if all(top in (folder, *folder.parents) for folder in folders)]  # fmt: skip
    top = max(shared, key=lambda folder: len(folder.parts), default=PurePosixPath())
    return rejects.assign(file=[str(place.relative_to(top)) for place in places])


def removed_rows(audit: Audit) -> pd.DataFrame:
    """``table, rule, meaning, rows, customers, money``: every rule that removed rows, of all tables."""
    rows = [
        (r.table, r.rule, r.meaning, r.rows, r.customers, r.money) for r in audit.rules if r.rule != USED and r.rows
    ]
    frame = pd.DataFrame(rows, columns=["table", "rule", "meaning", "rows", "customers", "money"])
    return frame.astype({"rows": "int64", "customers": "int64", "money": "float64"})


def rules_in_order(audit: Audit, cleaning: Cleaning) -> pd.DataFrame:
    """``order, rule, meaning, default, setting, found, removed``: every rule for order lines, as they apply.

    ``found`` counts all order lines a rule applies to, also where it is set to keep them; None where nothing was
    looked for (as objects: a missing number would be shown like one that is not known).
    """
    counted = {rule.rule: rule for rule in audit.rules_of("transactions")}
    kept = {_FLAGGED.get(f.what, f.what): f.rows for f in audit.flags if f.table == "transactions"}
    unasked = _not_looked_for(audit, cleaning)
    rows = []
    for place, rule in enumerate(RULES, 1):
        count = counted.get(rule.name)
        found = max(count.found, count.rows) if count else None if rule.name in unasked else kept.get(rule.name, 0)
        rows.append((place, rule.name, rule.meaning, rule.default, rule.key, found, count.rows if count else 0))
    columns = ["order", "rule", "meaning", "default", "setting", "found", "removed"]
    return pd.DataFrame(rows, columns=columns, dtype=object).astype({"order": "int64", "removed": "int64"})


_FLAGGED = {"return": "returned"}  # flags that are named otherwise than the rule for the same lines


def _not_looked_for(audit: Audit, cleaning: Cleaning) -> set[str]:
    """Rules for order lines that nothing declares, or for which the column is missing."""
    mapped = {column.column for column in audit.columns if column.table == "transactions"}
    declared = {
        "guest": cleaning.guests,
        "staff": cleaning.staff,
        "test_order": cleaning.test_orders,
        "pseudo_product": cleaning.pseudo_products,
        "below_minimum": cleaning.minimum_order,
        "negative_price": cleaning.negative_prices == "drop" and "unit_price" in mapped,
        "cancelled_order": cleaning.returns.where or "is_return" in mapped,
        "cancelled": cleaning.returns.treat == "net",
        "repeated_id": TABLES["transactions"].key,
    }
    return {rule for rule, given in declared.items() if not given}
