"""What was marked and kept: counted over all rows as they arrived, whatever a rule did with them."""

import ibis
import ibis.expr.types as ir

from perennial.parameters import Cleaning
from perennial.tables.audit import Flag
from perennial.tables.clean import collisions
from perennial.tables.clean.ledger import Ledger

_MEANINGS = {
    "exact_duplicate": "lines equal to an earlier line in every column of the file, kept",
    "zero_amount": "lines with an amount of zero, kept",
    "return": "returns: an amount below zero, or marked as one",
    "cancellation": "lines that the declared pattern names cancellations",
    "outlier": "sales whose amount lies far from the usual ({bounds}), kept",
    "masked_id": "lines whose customer id is masked, so that different people can share one",
    "colliding_id": "lines of ids that several people seem to share (placeholders, ids that buy far too often), kept",
    "price_mismatch": "lines whose amount is not quantity × unit price, by more than a cent; the amount counts",
    "merged_customer": "rows whose customer id was replaced by cleaning.merge_customers",
    "converted": "lines in another currency, converted",
    "unmatched_return": "usable returns that belong to no earlier sale; they count on their own day",
    "redated_return": "returns of part of a sale, counted on the day of that sale",
}
_OF_ALL = " (of all rows as they arrived)"
_OF_USED = {"unmatched_return", "redated_return"}
_SAMPLE = 200_000  # sales from which the usual amount is taken; every k-th where there are more
_ROBUST = 1.4826  # standard deviations of a normal distribution per median absolute deviation


def usual_amounts(rows: ir.Table, count: int, deviations: float) -> tuple[float, float] | None:
    """The smallest and the largest amount that is not an outlier.

    Median of log amount ± ``deviations`` robust standard deviations (1.4826 × median absolute deviation), over sales;
    None where more than half of them have the same amount.
    """
    step = max(1, -(-count // _SAMPLE))
    sales = rows.filter(rows.amount > 0, ~rows.is_return)
    sales = sales if step == 1 else sales.filter(sales["_row"] % step == 0)
    log = sales.select(log=sales.amount.cast("float64").ln())
    centre = log.log.median().execute()
    if centre is None or centre != centre:
        return None
    spread = _ROBUST * float((log.log - float(centre)).abs().median().execute())
    if spread < 1e-9:
        return None
    low, high = float(centre) - deviations * spread, float(centre) + deviations * spread
    return float(ibis.literal(low).exp().execute()), float(ibis.literal(min(high, 700.0)).exp().execute())


def marked(rows: ir.Table, usual: tuple[float, float] | None, keeps: set[str]) -> dict[str, ir.BooleanValue]:
    """Flag → the order lines it marks, for those that one line decides. ``keeps``: rules that are set to keep."""
    found = {"return": rows.is_return}
    if "_copy" in rows.columns and "exact_duplicate" in keeps:
        found["exact_duplicate"] = rows["_copy"]
    if "zero_amount" in keeps:
        found["zero_amount"] = rows.amount == 0
    if "_merged" in rows.columns:
        found["merged_customer"] = rows["_merged"]
    for flag, column in {
        "cancellation": "_cancellation",
        "price_mismatch": "_mismatch",
        "converted": "_converted",
    }.items():
        if column in rows.columns:
            found[flag] = rows[column]
    if usual:
        found["outlier"] = ~rows.is_return & (rows.amount > 0) & ~rows.amount.cast("float64").between(*usual)
    return {flag: condition.fill_null(False) for flag, condition in found.items()}


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


def all_flags(ledger: Ledger, cleaning: Cleaning) -> tuple[list[Flag], list[str], ir.Table | None]:
    """Every flag of one table, sentences for the audit about ids, and the ids that several people seem to share."""
    rows = ledger.rows
    if ledger.table != "transactions":
        merged = {"merged_customer": rows["_merged"]} if "_merged" in rows.columns else {}
        return count_flags(rows, ledger.table, merged), [], None
    keeps = {"exact_duplicate"} if cleaning.exact_duplicates == "keep" else set()
    keeps |= {"zero_amount"} if cleaning.zero_amounts == "keep" else set()
    usual = usual_amounts(rows, ledger.raw_rows, cleaning.outliers)
    found = marked(rows, usual, keeps)
    shared, notes = collisions.colliding_ids(ledger.engine, rows, ledger.customers)
    some = rows.aggregate(**{flag: where.any() for flag, where in found.items()}).to_pyarrow().to_pylist()[0]
    bounds = f"below {usual[0]:,.2f} or above {usual[1]:,.2f}" if usual else ""
    counted = count_flags(
        rows, ledger.table, {flag: where for flag, where in found.items() if some[flag]}, bounds=bounds
    )
    if shared is not None:
        lines = rows.semi_join(shared, "customer_id")
        counted += count_flags(lines, ledger.table, {"colliding_id": ibis.literal(True)})
    if any(" masked (" in note for note in notes):
        masked = rows.customer_id.re_search(collisions.MASKED).fill_null(False)
        counted += count_flags(rows, ledger.table, {"masked_id": masked})
    return counted, notes, shared
