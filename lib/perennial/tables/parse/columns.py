"""Text as it arrived → every column in its declared kind; what cannot be read becomes NULL and is kept beside it."""

from collections.abc import Mapping

import ibis
import ibis.expr.datatypes as ds
import ibis.expr.types as ir

from perennial.parameters import Column, Source
from perennial.schema import TABLES, Kind
from perennial.tables.parse.dates import Clocks, parse_moment, parse_typed_moment
from perennial.tables.parse.flags import parse_flag
from perennial.tables.parse.ids import as_text, parse_id
from perennial.tables.parse.numbers import MONEY, NUMBER, PRICE, marks, parse_as, parse_typed

BAD = "_bad_"  # + column: the text that could not be read, NULL elsewhere
_TARGETS = {"money": MONEY, "price": PRICE, "number": NUMBER}


def kind_of(table: str, column: str) -> Kind:
    """The kind of a canonical column; attributes are text."""
    return {**TABLES[table].columns, **TABLES[table].inputs}.get(column, "text")


def parse_columns(
    rows: ir.Table, table: str, source: Source, formats: Mapping[str, str | None], time_zone: str = "UTC"
) -> ir.Table:
    """Every canonical column parsed, ``_bad_<column>`` for those that can fail, and all ``_`` columns as they are.

    Parameters
    ----------
    formats : column → the format of its dates, where one is known.
    time_zone : the clock by which moments are told.
    """
    columns: dict[str, ir.Value] = {}
    for name in rows.columns:
        if name.startswith("_"):
            columns[name] = rows[name]
            continue
        columns[name] = parse_column(rows[name], table, name, source, formats.get(name), time_zone)
        if kind_of(table, name) != "text":
            columns[BAD + name] = ibis.ifelse(columns[name].isnull(), as_text(rows[name]), ibis.null("string"))
    if table == "transactions" and {"quantity", "unit_price"} <= set(columns) and "amount" not in columns:
        columns["amount"] = _amount(rows, source, columns["unit_price"])
    return rows.select(**columns)


def parse_column(column: ir.Value, table: str, name: str, source: Source, form: str | None, time_zone: str) -> ir.Value:
    """One column in its kind; NULL where it cannot be read. ``form`` is the format of its dates, where one is known."""
    kind, declared = kind_of(table, name), source.columns.get(name)
    if kind == "text":
        return parse_id(column, declared)
    written = column if column.type().is_string() else as_text(column)
    if kind == "flag":
        return parse_flag(as_text(written))
    if kind in ("timestamp", "date"):
        clocks = Clocks(declared.time_zone if declared and kind == "timestamp" else None, time_zone)
        typed = column.type().is_timestamp() or column.type().is_date()
        moment = parse_typed_moment(column, clocks) if typed else parse_moment(written, form, clocks)
        return moment.cast("date") if kind == "date" else moment.cast("timestamp(6)")
    return _number(column, written, marks(declared, source), _TARGETS[kind])


def _number(column: ir.Value, text: ir.StringValue, mark: tuple[str, str], target: ds.DataType) -> ir.NumericValue:
    return parse_typed(column, text, target) if column.type().is_numeric() else parse_as(text, *mark, target)


def _amount(rows: ir.Table, source: Source, price: ir.DecimalValue) -> ir.DecimalValue:
    """Quantity × unit price in decimals, rounded once, half away from zero; NULL where either cannot be read."""
    declared: Column | None = source.columns.get("quantity")
    quantity = _number(rows.quantity, as_text(rows.quantity), marks(declared, source), PRICE)
    return (quantity * price).try_cast(MONEY)
