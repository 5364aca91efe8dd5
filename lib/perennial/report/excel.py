"""``customers.xlsx``: the customers' table for people, with a sheet that says what each column means."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from perennial import formats
from perennial.language import _
from perennial.report.columns import meaning_of

MOST_ROWS = 200_000
_BATCH = 20_000
# Text stays text: a client's cell must never become a formula or a link.
_SAFE = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
_FORMATS = {"whole": "#,##0", "number": "#,##0.00", "share": "0.0%", "date": "yyyy-mm-dd", "text": "@"}


def write_workbook(customers: Any, path: Path, parameters: Any, most: int = MOST_ROWS) -> int:
    """Write the customers' table, the most valuable first.

    Parameters
    ----------
    customers : table of the engine, one row per customer.
    parameters : of the client, for its name, currency and as-of date.
    most : rows written at most; the Parquet file always holds all.

    Returns
    -------
    Number of customers there are.
    """
    count = int(customers.count().to_pyarrow().as_py())
    worth = next((name for name in ("clv", "revenue") if name in customers.columns), customers.columns[0])
    rows = customers.order_by([customers[worth].desc(nulls_first=False), customers.customer_id]).limit(most)
    kinds = {name: _kind(name, str(kind)) for name, kind in customers.schema().items()}
    with xlsxwriter.Workbook(path, _SAFE) as book:
        book.set_properties({"created": dt.datetime.combine(parameters.as_of, dt.time()), "author": "perennial"})
        _write_read_me(book, parameters, kinds, count, min(count, most), worth)
        _write_rows(book, kinds, rows)
    return count


def _kind(name: str, engine_type: str) -> str:
    """How a column is shown, from its type in the engine and its name."""
    bare = engine_type.strip("!")
    if bare.startswith(("int", "uint")):
        return "whole"
    if bare.startswith(("date", "timestamp")):
        return "date"
    if bare.startswith(("float", "decimal")):
        shares = name.startswith(("p_alive", "probability_of")) or name.endswith(("share", "_rate", "_probability"))
        return "share" if shares else "number"
    return "text"


def _write_read_me(book: Any, parameters: Any, kinds: dict[str, str], count: int, shown: int, worth: str) -> None:
    sheet = book.add_worksheet(_("Read me"))
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 100)
    lines = [
        (_("Report"), parameters.title),
        (_("As of"), formats.date(parameters.as_of)),
        (_("Currency"), parameters.currency),
        (_("Rows"), _rows_in_words(count, shown, worth)),
        (_("Empty cells"), _("Not measured for this customer; never zero.")),
        ("", ""),
    ]
    sheet.write_row(0, 0, [_("One row per customer"), ""], bold)
    for row, (name, words) in enumerate(lines, start=1):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, words, wrap)
    sheet.write_row(len(lines) + 1, 0, [_("Column"), _("Meaning")], bold)
    for row, name in enumerate(kinds, start=len(lines) + 2):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, meaning_of(name, parameters.currency), wrap)


def _rows_in_words(count: int, shown: int, worth: str) -> str:
    if shown == count:
        return _("All {n} customers, highest {column} first.", n=formats.number(count), column=worth)
    return _(
        "The {shown} customers with the highest {column}, of {n}; customers.parquet holds all of them.",
        shown=formats.number(shown),
        n=formats.number(count),
        column=worth,
    )


def _write_rows(book: Any, kinds: dict[str, str], rows: Any) -> None:
    sheet = book.add_worksheet(_("Customers"))
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
    styles = {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()}
    for place, kind in enumerate(kinds.values()):
        sheet.set_column(place, place, 16 if kind == "text" else 13, styles[kind])
    sheet.freeze_panes(1, 1)
    for place, name in enumerate(kinds):
        sheet.write_string(0, place, name, head)
    last = 0
    for last, values in enumerate(_values(rows), start=1):
        for place, value in enumerate(values):
            _write_cell(sheet, last, place, value, styles["date"])
    sheet.autofilter(0, 0, last, len(kinds) - 1)


def _values(rows: Any) -> Iterator[tuple[Any, ...]]:
    for batch in rows.to_pyarrow().to_batches(max_chunksize=_BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_cell(sheet: Any, row: int, place: int, value: Any, date: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, place, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, place, value, date)
    elif isinstance(value, Decimal):
        sheet.write_number(row, place, float(value))
    elif isinstance(value, int | float) and value - value == 0:  # neither NaN nor infinite
        sheet.write_number(row, place, value)
    elif value is not None and not isinstance(value, float):
        sheet.write_string(row, place, str(value))
