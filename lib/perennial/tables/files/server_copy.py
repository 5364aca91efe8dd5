"""Rows of a server's table → a Parquet file, batch by batch."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.sql import SQLBackend

from perennial.tables.files.server_connection import NOT_ALLOWED, is_mysql

LINE_DIGEST = "line_digest"  # of all columns of a row, in copies of order lines
_BATCH = 50_000
_MONEY = dt.Decimal(19, 4)  # how Ibis calls PostgreSQL's money too, whose values are text with a currency sign


def portable(column: ir.Value, mysql: bool) -> ir.Value:
    """A column in a type that Parquet holds without loss; as the server's own text where there is none.

    MySQL's dates become text too: it keeps impossible ones, such as 0000-00-00.
    """
    kind = column.type()
    exact = (
        kind.is_decimal() and kind.precision is not None and kind.precision <= 38 and kind.copy(nullable=True) != _MONEY
    )
    dated = (kind.is_date() or kind.is_timestamp()) and not mysql
    whole = kind.is_boolean() and not mysql
    return column if kind.is_integer() or kind.is_floating() or exact or dated or whole else column.cast("string")


def stream(backend: SQLBackend, rows: ir.Table, kept: int, path: Path, key: bytes | None) -> str:
    """Write all rows in batches; what went wrong, in words of ours, else nothing."""
    fields = list(rows.schema().to_pyarrow())[:kept]
    schema = pa.schema([pa.field(one.name, one.type) for one in fields])
    if key is not None:
        schema = schema.append(pa.field(LINE_DIGEST, pa.string()))
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in _batches(backend, backend.compile(rows)):
                arrays = list(zip(*batch, strict=True))[:kept]
                if key is not None:
                    arrays.append(tuple(_digest(row, key) for row in batch))
                columns = [pa.array(values, one.type) for values, one in zip(arrays, schema, strict=True)]
                writer.write_batch(pa.record_batch(columns, schema=schema))
    except Exception as error:
        return _reason(error)
    return ""


def _reason(error: Exception) -> str:
    code = error.args[0] if error.args else None
    if type(error).__name__ == "InsufficientPrivilege" or code in (1142, 1143):
        return NOT_ALLOWED
    if type(error).__name__ == "DataError" or isinstance(error, pa.ArrowException | OverflowError | ValueError):
        return (
            "holds a value outside of its column's type, such as NaN in a decimal or an infinite date: "
            "name a view that casts that column to text"
        )
    return "could not be read to its end: the server refused, or the connection was lost; try again"


def _batches(backend: SQLBackend, query: str) -> Iterator[list[tuple]]:
    """Rows a batch at a time by a cursor that stays on the server: a client's would hold the whole table."""
    if is_mysql(backend):
        from pymysql.cursors import SSCursor

        with SSCursor(backend.con) as cursor:
            cursor.execute(query)
            while batch := cursor.fetchmany(_BATCH):
                yield list(batch)
        return
    with backend.con.transaction(), backend.con.cursor(name="perennial") as cursor:
        cursor.execute(query)
        while batch := cursor.fetchmany(_BATCH):
            yield batch


def _digest(row: tuple, key: bytes) -> str:
    return hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), key=key, digest_size=12).hexdigest()
