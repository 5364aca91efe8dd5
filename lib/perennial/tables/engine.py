"""DuckDB through Ibis: the one place that opens it, reads Parquet into it and writes Parquet from it."""

from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend


def connect() -> Backend:
    """A fresh engine in memory: two threads, UTC, rows in the order read; it spills to disk when memory is short."""
    engine = ibis.duckdb.connect(threads=2, preserve_insertion_order=True)
    engine.con.execute("SET TimeZone = 'UTC'")
    return engine


def read_table(engine: Backend, path: Path, name: str) -> ir.Table:
    """A cached Parquet file as a table of the engine."""
    return engine.read_parquet(str(path), table_name=name)


def write_table(table: ir.Table, path: Path) -> None:
    """Write all rows of an expression to one Parquet file, compressed, without passing through pandas.

    Short dictionaries and the later version of the format: two thirds of the time of the defaults, and no larger.
    """
    table.to_parquet(str(path), compression="snappy", parquet_version="v2", dictionary_size_limit=1000)
