"""The rules that remove rows, in the order they apply: stated once, for the code, the audit and the documentation.

A row is removed by the first rule that applies to it, so the rows and the money of all rules add up to the difference
between raw and used exactly. The order goes from what cannot be understood to what is a matter of judgement:

1. what cannot be read, since no other rule can tell anything about it;
2. whose line it is: without a customer to follow, nothing else matters;
3. when and what: after the end of the data, not a product;
4. copies, before any rule about amounts, so that a line entered twice is not taken for a sale and its return;
5. amounts of a single line;
6. what needs the lines that are left: pairs that cancel out, the total of an order, customers without a purchase.
"""

from dataclasses import dataclass

import ibis.expr.types as ir

from perennial.parameters import Cleaning, Source
from perennial.schema import TABLES

ROW = "_row"


@dataclass(frozen=True)
class Rule:
    """One rule: what it removes, what happens where nothing is declared, and the key that declares it."""

    name: str
    meaning: str
    default: str
    key: str = ""
    rejects: bool = False  # its rows are listed among the rejects, with line, column and reason


_ALWAYS = "always"
_IF_DECLARED = "nothing is removed unless declared"

RULES: tuple[Rule, ...] = (
    Rule("blank_row", "rows in which every mapped column is empty", _ALWAYS, rejects=True),
    Rule("malformed", "lines that cannot be split into the columns of the file", _ALWAYS, rejects=True),
    Rule("header_repeated", "rows that repeat the column names", _ALWAYS, rejects=True),
    Rule("bad_date", "rows whose date is missing or cannot be read", _ALWAYS, rejects=True),
    Rule("bad_amount", "lines whose amount is missing or not a number", _ALWAYS, rejects=True),
    Rule("no_key", "rows without an id or a required text", _ALWAYS, rejects=True),
    Rule("no_rate", "lines in a currency without a rate", _ALWAYS, "cleaning.rates", rejects=True),
    Rule("no_customer", "lines without a customer: nobody to follow", _ALWAYS),
    Rule("guest", "lines of guest checkouts: an id that stands for no one customer", _IF_DECLARED, "cleaning.guests"),
    Rule("staff", "lines of staff accounts", _IF_DECLARED, "cleaning.staff"),
    Rule("test_order", "test orders", _IF_DECLARED, "cleaning.test_orders"),
    Rule("after_as_of", "rows dated after the as-of date", _ALWAYS, "as_of"),
    Rule("pseudo_product", "lines that are no product: postage, fees, vouchers", _IF_DECLARED,
         "cleaning.pseudo_products"),
    Rule("exact_duplicate", "lines equal to an earlier line in every column of the file", "kept and counted",
         "cleaning.exact_duplicates"),
    Rule("negative_price", "lines with a unit price below zero: write-offs, neither sale nor return", "removed",
         "cleaning.negative_prices"),
    Rule("zero_amount", "lines with an amount of zero", "kept and counted", "cleaning.zero_amounts"),
    Rule("cancelled_order", "orders that never came about: marked as cancelled or returned, with an amount above zero",
         _ALWAYS, "cleaning.returns.where"),
    Rule("returned", "returns and cancellations", "kept as lines of their own day", "cleaning.returns.treat: drop"),
    Rule("cancelled", "sales and the returns that cancel them exactly, in pairs", "kept as lines of their own day",
         "cleaning.returns.treat: net"),
    Rule("below_minimum", "lines of orders whose total is below the smallest order that counts", _IF_DECLARED,
         "cleaning.minimum_order"),
    Rule("only_returns", "returns of customers with no purchase in the data", _ALWAYS),
    Rule("repeated_id", "further rows with an id that already stands in the table", _ALWAYS),
)  # fmt: skip
MEANINGS: dict[str, str] = {"used": "rows that every analysis uses", **{rule.name: rule.meaning for rule in RULES}}
REJECTING: tuple[str, ...] = tuple(rule.name for rule in RULES if rule.rejects)
_DECLARED = {"_guest": "guest", "_staff": "staff", "_test_order": "test_order", "_pseudo_product": "pseudo_product"}


def conditions(
    rows: ir.Table, table: str, source: Source, cleaning: Cleaning, last_moment: ir.Value
) -> dict[str, ir.BooleanValue]:
    """Rule → the rows it applies to, for the rules that need one row only; in the order the rules apply.

    Parameters
    ----------
    rows : parsed rows, with ``is_return`` and the ``_`` columns that travel beside the mapped ones.
    last_moment : the as-of date.
    """
    found = {"blank_row": _blank(rows, source), "header_repeated": _header(rows, source)}
    found |= _unreadable(rows, table)
    for flag, rule in _DECLARED.items():
        if flag in rows.columns:
            found[rule] = rows[flag]
    clock = TABLES[table].clock
    if clock:
        found["after_as_of"] = rows[clock].cast("date") > last_moment
    if table == "transactions":
        found |= _of_amounts(rows, source, cleaning)
    order = list(MEANINGS)
    return {rule: found[rule].fill_null(False) for rule in sorted(found, key=order.index)}


def _unreadable(rows: ir.Table, table: str) -> dict[str, ir.BooleanValue]:
    schema = TABLES[table]
    found: dict[str, ir.BooleanValue] = {}
    for name in schema.required:
        rule = "bad_date" if schema.columns[name] in ("timestamp", "date") else "no_key"
        if name == "amount":
            rule = "bad_amount"
        elif name == "customer_id" and name != schema.key:
            rule = "no_customer"
        missing = rows[name].isnull()
        found[rule] = found[rule] | missing if rule in found else missing
    if "_no_rate" in rows.columns:
        found["bad_amount"] = found["bad_amount"] & ~rows["_no_rate"]
        found["no_rate"] = rows["_no_rate"]
    return found


def _of_amounts(rows: ir.Table, source: Source, cleaning: Cleaning) -> dict[str, ir.BooleanValue]:
    found: dict[str, ir.BooleanValue] = {}
    if "_copy" in rows.columns and cleaning.exact_duplicates == "drop":
        found["exact_duplicate"] = rows["_copy"]
    if "unit_price" in rows.columns and cleaning.negative_prices == "drop":
        found["negative_price"] = rows.unit_price < 0
    if cleaning.zero_amounts == "drop":
        found["zero_amount"] = rows.amount == 0
    if "is_return" in source.columns or "_cancellation" in rows.columns:
        found["cancelled_order"] = rows.is_return & (rows.amount > 0)
    if cleaning.returns.treat == "drop":
        found["returned"] = rows.is_return
    return found


def _blank(rows: ir.Table, source: Source) -> ir.BooleanValue:
    """Nothing in any mapped column, neither readable nor not; constants are no content."""
    constants = {name for name, column in source.columns.items() if column.source is None}
    mapped = [*source.columns, *source.attributes]
    given = [name for name in rows.columns if name.removeprefix("_bad_") in mapped and name not in constants]
    empty = [rows[name].isnull() for name in given if name != "is_return"]
    return _all(empty)


def _header(rows: ir.Table, source: Source) -> ir.BooleanValue:
    """Every mapped text repeats the name of its column; dates and numbers do so in what could not be read."""
    same = []
    for name, column in source.columns.items():
        beside = f"_bad_{name}"
        held = beside if beside in rows.columns else name
        if column.source is not None and held in rows.columns and rows[held].type().is_string():
            same.append(rows[held] == column.source.strip())
    return _all(same)


def _all(parts: list[ir.BooleanValue]) -> ir.BooleanValue:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole & part
    return whole
