"""Text as it arrived → every column in its declared kind; what cannot be read becomes NULL and is kept beside it."""

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.datatypes as ds
import ibis.expr.types as ir

from perennial.parameters import Source
from perennial.schema import TABLES, Kind
from perennial.tables.parse.dates import Clocks, parse_moment, parse_typed_moment
from perennial.tables.parse.flags import parse_flag
from perennial.tables.parse.ids import as_text, parse_id
from perennial.tables.parse.numbers import MONEY, NUMBER, PRICE, marks, parse_as, parse_plain, parse_typed, times

BAD = "_bad_"  # + column: the text that could not be read, NULL elsewhere
EXACT = "_exact_quantity"  # in decimals, where amounts are quantity × unit price
_TARGETS = {"money": MONEY, "price": PRICE, "number": NUMBER}


def kind_of(table: str, column: str) -> Kind:
    """The kind of a canonical column; attributes are text."""
    return {**TABLES[table].columns, **TABLES[table].inputs}.get(column, "text")


def first_reading(
    rows: ir.Table,
    table: str,
    source: Source,
    formats: Mapping[str, str | None],
    time_zone: str = "UTC",
    trimmed: bool = False,
) -> ir.Table:
    """Every canonical column as far as plain text goes, ``_bad_<column>`` for the rest, all ``_`` columns as they are.

    Nearly all text of nearly all files is plain, and the careful reading of a value costs a hundred times as much: so
    what the plain one refuses waits in ``_bad_<column>`` for :func:`parse_column`.

    Parameters
    ----------
    formats : column → the format of its dates, where one is declared.
    time_zone : the clock by which moments are told.
    trimmed : whether no text has blanks around it or is empty.
    """
    columns: dict[str, ir.Value] = {}
    for name in rows.columns:
        if name.startswith("_"):
            columns[name] = rows[name]
        elif kind_of(table, name) == "text":
            columns[name] = parse_id(rows[name], source.columns.get(name), trimmed)
        else:
            columns[name] = parse_column(rows[name], table, name, source, formats.get(name), time_zone, plain_only=True)
            columns[BAD + name] = ibis.ifelse(columns[name].isnull(), as_text(rows[name]), ibis.null("string"))
    if is_priced(table, columns):
        columns[EXACT] = exact_quantity(rows.quantity, source, plain_only=True)
        columns["amount"] = times(columns[EXACT], columns["unit_price"]).try_cast(MONEY)
    return rows.select(**columns)


def is_priced(table: str, columns: Collection[str]) -> bool:
    """Whether order lines come with quantity and unit price instead of an amount."""
    return table == "transactions" and {"quantity", "unit_price"} <= set(columns) and "amount" not in columns


def exact_quantity(column: ir.Value, source: Source, plain_only: bool = False) -> ir.DecimalValue:
    """A quantity in decimals, as it multiplies a price; as a number for its own sake it is a double."""
    declared = source.columns.get("quantity")
    return _number(column, as_text(column), marks(declared, source), PRICE, plain_only)


def parse_column(
    column: ir.Value, table: str, name: str, source: Source, form: str | None, time_zone: str, plain_only: bool = False
) -> ir.Value:
    """One column in its kind; NULL where it cannot be read.

    ``form`` is the format of its dates, where one is known; ``plain_only`` leaves out the costly readings.
    """
    kind, declared = kind_of(table, name), source.columns.get(name)
    if kind == "text":
        return parse_id(column, declared)
    written = column if column.type().is_string() else as_text(column)
    if kind == "flag":
        return parse_flag(as_text(written))
    if kind in ("timestamp", "date"):
        clocks = Clocks(declared.time_zone if declared and kind == "timestamp" else None, time_zone)
        typed = column.type().is_timestamp() or column.type().is_date()
        moment = parse_typed_moment(column, clocks) if typed else parse_moment(written, form, clocks, plain_only)
        return moment.cast("date") if kind == "date" else moment.cast("timestamp(6)")
    return _number(column, written, marks(declared, source), _TARGETS[kind], plain_only)


def _number(
    column: ir.Value, text: ir.StringValue, mark: tuple[str, str], target: ds.DataType, plain_only: bool
) -> ir.NumericValue:
    if column.type().is_numeric():
        return parse_typed(column, text, target)
    return parse_plain(text, mark[0], target) if plain_only else parse_as(text, *mark, target)
