"""Lines and cells that could not be read: where they stand, what stood there (nothing personal) and why not."""

import datetime as dt
import re
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.parameters import Source
from perennial.schema import TABLES
from perennial.tables.audit import REJECT_COLUMNS
from perennial.tables.clean.masking import mask
from perennial.tables.clean.rules import ROW
from perennial.tables.files.raw import FILE, Raw, Reject

_SCHEMA = pa.schema([(name, pa.int64() if name == "line" else pa.string()) for name in REJECT_COLUMNS])


def rejected_lines(rows: ir.Table, table: str, applies: dict[str, ir.BooleanValue]) -> ir.Table:
    """``_row, _file, rule, column, text`` of the lines under a rejecting rule; the first rule that applies."""
    rule = ibis.cases(*[(condition, name) for name, condition in applies.items()], else_=ibis.null("string"))
    columns = [(condition, _column(rows, table, name)) for name, condition in applies.items()]
    found = rows.filter(ibis.or_(*applies.values()))
    named = found.mutate(_rule=rule, _column=ibis.cases(*columns, else_=""))
    texts = [(named._column == name, _cell(named, name)) for name in _shown(rows, table)]
    text = ibis.cases(*texts, else_="") if texts else ibis.literal("")
    return named.select(ROW, FILE, rule=named._rule, column=named._column, text=text.fill_null(""))


def unreadable_cells(rows: ir.Table, name: str, rejected: ir.BooleanValue | None) -> ir.Table:
    """The same of one optional column's cells, in lines that are not rejects themselves."""
    cell = rows[f"_bad_{name}"].cast("string")
    wanted = cell.notnull() if rejected is None else cell.notnull() & ~rejected
    found = rows.filter(wanted)
    literal = {"rule": ibis.literal("cell"), "column": ibis.literal(name)}
    return found.select(ROW, FILE, **literal, text=found[f"_bad_{name}"].cast("string"))


def _column(rows: ir.Table, table: str, rule: str) -> ir.StringValue:
    schema = TABLES[table]
    if rule == "no_rate":
        return ibis.literal("currency")
    if rule == "bad_date":
        names = [name for name in schema.required if schema.columns[name] in ("timestamp", "date")]
    elif rule == "bad_amount":
        names = ["amount"] if "_bad_amount" in rows.columns else ["quantity", "unit_price"]
    elif rule == "no_key":
        names = [name for name in schema.required if schema.columns[name] == "text"]
    else:
        return ibis.literal("")
    missing = [(rows[name].isnull(), name) for name in names if name in rows.columns]
    return ibis.cases(*missing, else_=names[0])


def _shown(rows: ir.Table, table: str) -> list[str]:
    """Columns whose unreadable text may be shown, masked: dates, numbers and currencies, never ids or other text."""
    kinds = {**TABLES[table].columns, **TABLES[table].inputs}
    return [name for name in kinds if f"_bad_{name}" in rows.columns or (name == "currency" and name in rows.columns)]


def _cell(rows: ir.Table, name: str) -> ir.StringValue:
    return rows["currency"] if name == "currency" else rows[f"_bad_{name}"].cast("string")


def table_of(
    found: Sequence[ir.Table], rows: ir.Table, raw: Raw, malformed: Sequence[Reject], table: str, source: Source
) -> pa.Table:
    """All rejects of one table: ``table, file, line, column, text, reason``, in the order of the files' lines."""
    parts = [part.to_pyarrow() for part in found]
    firsts = _first_places(rows) if parts else {}
    made: list[dict[str, object]] = [
        {"table": table, "file": r.file, "line": r.line, "column": r.column, "text": mask(r.text), "reason": r.reason}
        for r in malformed
    ]
    for part in parts:
        made += _readable(part, firsts, raw, table, source)
    order = {file.name: number for number, file in enumerate(raw.files)}
    made.sort(key=lambda row: (order.get(str(row["file"]), 0), row["line"], row["column"]))
    return pa.Table.from_pylist(made, schema=_SCHEMA)


def _first_places(rows: ir.Table) -> dict[int, int]:
    """Where each file's rows begin among all rows of the source."""
    firsts = rows.group_by(FILE).agg(first=rows[ROW].min()).to_pyarrow().to_pylist()
    return {row[FILE]: row["first"] for row in firsts}


def _readable(part: pa.Table, firsts: dict[int, int], raw: Raw, table: str, source: Source) -> list[dict[str, object]]:
    made = []
    for number, first in firsts.items():
        rows = part.filter(pa.compute.equal(part[FILE], number)).to_pylist()
        lines = raw.files[number].line_numbers([row[ROW] - first for row in rows]) if rows else []
        made += [
            {
                "table": table,
                "file": raw.files[number].name,
                "line": line,
                "column": _in_file(row["column"], source),
                "text": mask(row["text"]),
                "reason": _reason(row["rule"], row["column"], row["text"], table, source),
            }
            for row, line in zip(rows, lines, strict=True)
        ]
    return made


def _in_file(column: str, source: Source) -> str:
    declared = source.columns.get(column)
    return declared.source or column if declared else column


_SIMPLE = {"blank_row": "an empty row", "header_repeated": "the column names again"}


def _reason(rule: str, column: str, text: str, table: str, source: Source) -> str:
    if rule in _SIMPLE:
        return _SIMPLE[rule]
    if not text:
        return "empty"
    if rule == "no_rate":
        currency = text.upper() if re.fullmatch(r"[A-Za-z]{3}", text) else "this currency"
        return f"no rate for {currency} under cleaning.rates"
    kind = {**TABLES[table].columns, **TABLES[table].inputs}.get(column)
    if kind not in ("date", "timestamp"):
        return "not yes or no" if kind == "flag" else "not a number"
    declared = source.columns.get(column)
    if _no_such_day(text):
        return "no such day"
    return f"not a date written as {declared.format}" if declared and declared.format else "not a date"


def _no_such_day(text: str) -> bool:
    """Whether a text has the shape of a date that no calendar holds, whichever way day and month stand."""
    found = re.match(r"(\d{4})\D(\d{1,2})\D(\d{1,2})(?!\d)|(\d{4})(\d{2})(\d{2})(?!\d)", text)
    if found:
        year, *rest = [int(part) for part in found.groups() if part is not None]
    else:
        found = re.match(r"(\d{1,2})\D(\d{1,2})\D(\d{4})(?!\d)", text)
        if not found:
            return False
        *rest, year = [int(part) for part in found.groups()]
    return not any(_is_day(year, month, day) for month, day in (rest, rest[::-1]))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True
