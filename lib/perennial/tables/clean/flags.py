"""What was marked and kept: counted over all rows as they arrived, whatever a rule did with them."""

import math
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.parameters import Cleaning
from perennial.tables.audit import Flag
from perennial.tables.clean import collisions
from perennial.tables.clean.ledger import Ledger
from perennial.tables.parse.weekdays import WEEKDAY, is_wrong

_MEANINGS = {
    "exact_duplicate": "lines equal to an earlier line in every column of the file, kept",
    "zero_amount": "lines with an amount of zero, kept",
    "return": "returns: an amount below zero, or marked as one",
    "cancellation": "lines that the declared pattern names cancellations",
    "outlier": "sales whose amount lies far from the usual ({bounds}), kept",
    "undone_outlier": "sales far from the usual whose customer has an equal return",
    "wrong_weekday": "lines whose date is written beside a weekday that is not the date's",
    "masked_id": "lines whose customer id is masked, so that different people can share one",
    "unmasked_id": "lines whose customer id is shown in full, where nearly all others are masked",
    "colliding_id": "lines of ids that several people seem to share (placeholders, ids that buy far too often), kept",
    "price_mismatch": "lines whose amount is not quantity × unit price, by more than a cent; the amount counts",
    "merged_customer": "rows whose customer id was replaced by cleaning.merge_customers",
    "converted": "lines in another currency, converted",
    "unmatched_return": "usable returns that belong to no earlier sale; they count on their own day",
    "redated_return": "returns of part of a sale, counted on the day of that sale",
}
_COLUMNS = {
    "merged_customer": "_merged", "cancellation": "_cancellation", "price_mismatch": "_mismatch",
    "converted": "_converted",
}  # fmt: skip
_OF_ALL = " (of all rows as they arrived)"
_OF_USED = {"unmatched_return", "redated_return"}
_EVERY = ibis.literal(True)
_SAMPLE = 200_000  # sales from which the usual amount is taken; every k-th where there are more
_NEARLY_ALL = 0.9  # of lines: where as many ids are masked, one in full is a slip
_ROBUST = 1.4826  # standard deviations of a normal distribution per median absolute deviation


def usual_amounts(engine: Backend, rows: ir.Table, deviations: float) -> tuple[float, float] | None:
    """The smallest and the largest amount that is not an outlier.

    Median of log amount ± ``deviations`` robust standard deviations (1.4826 × median absolute deviation), over sales;
    None where more than half of them have the same amount.
    """
    step = max(1, -(-int(rows.count().to_pyarrow().as_py()) // _SAMPLE))
    sales = rows.filter(rows.amount > 0, ~rows.is_return)
    sales = sales if step == 1 else sales.filter(sales["_row"] % step == 0)
    log = sales.select(log=sales.amount.cast("float64").ln())
    log = engine.create_table("usual_amounts", log, temp=True, overwrite=True)
    centre = log.log.median().to_pyarrow().as_py()
    if centre is None:
        return None
    spread = _ROBUST * float((log.log - centre).abs().median().to_pyarrow().as_py())
    if spread < 1e-9:
        return None
    return math.exp(centre - deviations * spread), math.exp(min(centre + deviations * spread, 700.0))


@dataclass(frozen=True)
class Marks:
    """Flag → the rows it marks, for flags that one row decides; ``bounds`` of the usual amounts in words."""

    found: dict[str, ir.BooleanValue]
    bounds: str = ""


def marks_of(engine: Backend, rows: ir.Table, table: str, cleaning: Cleaning) -> Marks:
    """What is to be marked in the rows of a table."""
    found = {flag: rows[column] for flag, column in _COLUMNS.items() if column in rows.columns}
    if table != "transactions":
        return Marks(found)
    found["return"] = rows.is_return
    if "_copy" in rows.columns and cleaning.exact_duplicates == "keep":
        found["exact_duplicate"] = rows["_copy"]
    if WEEKDAY in rows.columns:
        found["wrong_weekday"] = is_wrong(rows)
    if cleaning.zero_amounts == "keep":
        found["zero_amount"] = rows.amount == 0
    usual, bounds = usual_amounts(engine, rows, cleaning.outliers), ""
    if usual:
        found["outlier"] = ~rows.is_return & (rows.amount > 0) & ~rows.amount.cast("float64").between(*usual)
        bounds = f"below {usual[0]:,.2f} or above {usual[1]:,.2f}"
    return Marks({flag: found[flag].fill_null(False) for flag in _MEANINGS if flag in found}, bounds)


def count_flags(rows: ir.Table, table: str, conditions: dict[str, ir.BooleanValue], **words: str) -> list[Flag]:
    """Rows, customers and money of each condition that marks any row."""
    found = []
    for flag, condition in conditions.items():
        marked = rows.filter(condition)  # few rows: counting their customers is cheap
        measures = {"rows": marked.count(), "customers": marked.customer_id.nunique()}
        if "amount" in rows.columns:
            measures["money"] = marked.amount.sum()
        row = marked.aggregate(**measures).to_pyarrow().to_pylist()[0]
        money = round(float(row["money"] or 0), 4) if "money" in row else None
        if row["rows"]:
            found.append(Flag(table, flag, meaning(flag, **words), row["rows"], row["customers"], money))
    return found


def meaning(flag: str, **words: str) -> str:
    """What a flag marks, and of which rows."""
    return _MEANINGS[flag].format_map({"bounds": "", **words}) + ("" if flag in _OF_USED else _OF_ALL)


def all_flags(ledger: Ledger, bounds: str) -> tuple[list[Flag], list[str], ir.Table | None]:
    """Every flag of one table, sentences for the audit about ids, and the ids that several people seem to share."""
    rows = ledger.rows
    counted = count_flags(rows, ledger.table, ledger.marks, bounds=bounds)
    if ledger.table != "transactions":
        return counted, [], None
    if any(flag.what == "outlier" for flag in counted):
        counted += count_flags(_undone(rows, ledger.marks["outlier"]), ledger.table, {"undone_outlier": _EVERY})
    shared, notes = collisions.colliding_ids(ledger.engine, rows, ledger.customers)
    if shared is not None:
        lines = rows.semi_join(shared, "customer_id")
        counted += count_flags(lines, ledger.table, {"colliding_id": _EVERY})
    if any(" masked (" in note for note in notes):
        masked = rows.customer_id.re_search(collisions.MASKED)
        found = count_flags(rows, ledger.table, {"masked_id": masked, "unmasked_id": ~masked})
        many = _NEARLY_ALL * sum(flag.rows for flag in found)
        counted += [flag for flag in found if flag.what == "masked_id" or found[0].rows >= many]
    return counted, notes, shared


def _undone(rows: ir.Table, outlier: ir.BooleanValue) -> ir.Table:
    """The outliers that an equal return of their customer takes back, whenever it was booked."""
    returns = rows.filter(rows.amount < 0).select(customer_id="customer_id", amount=-rows.amount)
    return rows.filter(outlier).semi_join(returns, ["customer_id", "amount"])
