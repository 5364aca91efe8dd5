"""Text as it arrived → every column in its declared kind; what cannot be read becomes NULL and is kept beside it."""

import datetime as dt

import ibis
import ibis.expr.datatypes as ds
import ibis.expr.types as ir

from perennial.parameters import Column, Source
from perennial.schema import TABLES, Kind

MONEY = ds.Decimal(18, 4)
PRICE = ds.Decimal(18, 6)
BAD = "_bad_"  # + column: the text that could not be read, NULL elsewhere


@ibis.udf.scalar.builtin
def try_strptime(text: str, format: str) -> dt.datetime:  # type: ignore[empty-body]
    """DuckDB's strptime that gives NULL for what does not fit."""


def parse_columns(rows: ir.Table, table: str, source: Source) -> ir.Table:
    """Every canonical column parsed, ``_bad_<column>`` for those that can fail, and all ``_`` columns as they are."""
    kinds = {**TABLES[table].columns, **TABLES[table].inputs}
    columns: dict[str, ir.Value] = {}
    for name in rows.columns:
        if name.startswith("_"):
            columns[name] = rows[name]
            continue
        kind = kinds.get(name, "text")
        columns[name] = _parse(rows[name], kind, source.columns.get(name))
        if kind not in ("text", "flag"):
            text = rows[name].cast("string").strip().nullif("")
            columns[BAD + name] = ibis.ifelse(columns[name].isnull(), text, ibis.null("string"))
    return rows.select(**columns)


def _parse(column: ir.Value, kind: Kind, declared: Column | None) -> ir.Value:
    if kind == "text":
        return column.cast("string").strip().nullif("")
    if kind in ("timestamp", "date"):
        form = declared.format if declared else None
        moment = try_strptime(column.cast("string"), form) if form else column.try_cast("timestamp(6)")
        return moment.cast("date") if kind == "date" else moment.cast("timestamp(6)")
    if kind == "flag":
        return column.cast("string").strip().lower().isin(["true", "t", "1", "yes", "y"])
    if kind in ("money", "price"):
        return column.try_cast(MONEY if kind == "money" else PRICE)
    return column.try_cast("float64")
