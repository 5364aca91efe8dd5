"""Tables of DuckDB and SQLite files → rows; the files are never written to, nor is anything beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
from ibis.util import gen_name

from perennial.errors import InputError
from perennial.tables.files import sqlite
from perennial.tables.files.flatten import flat
from perennial.tables.files.nearest import nearest_of
from perennial.tables.files.raw import Place, Raw, ReadFile
from perennial.tables.files.request import Request
from perennial.tables.files.together import needed_columns, one_table


@dataclass(frozen=True)
class _Database:
    """A database file, open: its tables and views by name, and how one of them is read."""

    tables: list[str]
    read: Callable[[str], ir.Table]
    columns: Callable[[str], list[str]]


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All rows of one table of each file; see :class:`perennial.tables.files.raw.Raw`.

    DuckDB's columns keep their types; SQLite's become text, since there every cell has a type of its own.

    Raises
    ------
    InputError
        When a file is no such database, is damaged or being written to, or lacks the table or a column.
    """
    return one_table([_open(request, place, wanted) for place in places])


def _open(request: Request, place: Place, wanted: Sequence[str] | None) -> tuple[ReadFile, ir.Table]:
    with place.path.open("rb") as file:
        head = file.read(16)
    if head.startswith(sqlite.MARK):
        base = _sqlite(request, place, wanted)
    elif head[8:12] == b"DUCK":
        base = _duckdb(request, place)
    else:
        raise request.error(f"the file '{place.name}' is neither a DuckDB nor an SQLite database: declare its layout")
    table = _choose(request, place, base.tables)
    name = f"{place.name}#{table}"
    columns = base.columns(table)
    request.require(name, columns, needed_columns(request, wanted))
    rows = base.read(table)
    if not rows.limit(1).count().execute():
        raise request.error(f"the table '{table}' of '{place.name}' has no rows")
    opened = ReadFile(name, lambda records: [record + 1 for record in records], columns=tuple(columns))
    return opened, rows.select(*wanted) if wanted is not None else rows


def _choose(request: Request, place: Place, tables: list[str]) -> str:
    """The declared table; without one, the only one there is."""
    declared = request.source.table
    if declared is None:
        if len(tables) == 1:
            return tables[0]
        raise request.error(
            f"'{place.name}' has {len(tables)} tables; name one under 'table': {', '.join(tables[:20])}"
        )
    same = [name for name in tables if name.casefold() == declared.casefold()]
    if not same:
        raise request.error(f"'{place.name}' has no table '{declared}'; {nearest_of(declared, tables)}")
    return declared if declared in same else same[0]


def _duckdb(request: Request, place: Place) -> _Database:
    catalog, problem = _attach(request, place)
    if problem:
        raise request.error(f"the file '{place.name}' {problem}")
    found = request.engine.con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal ORDER BY ALL",
        [catalog, catalog],
    ).fetchall()
    places = {table if schema == "main" else f"{schema}.{table}": (schema, table) for schema, table in found}

    def opened(name: str) -> ir.Table:
        schema, table = places[name]
        return flat(request.engine.table(table, database=(catalog, schema)))

    return _Database(list(places), opened, lambda name: list(opened(name).columns))


def _attach(request: Request, place: Place) -> tuple[str, str]:
    """The name under which the engine has the file, and what kept it from opening."""
    path = str(place.path.resolve())
    known = request.engine.con.execute("SELECT database_name FROM duckdb_databases() WHERE path = ?", [path]).fetchall()
    if known:  # for another table of the same client
        return str(known[0][0]), ""
    catalog = gen_name("file")
    try:
        request.engine.attach(path, catalog, read_only=True)
    except Exception as error:
        said = str(error).lower()
        if "lock" in said:
            return "", "is open in another program: close it there, and try again"
        if "version" in said:
            return "", "was written by another version of DuckDB than can be read here: export its table to Parquet"
        return "", "is damaged or was not copied to its end: export or copy it again"
    return catalog, ""


def _sqlite(request: Request, place: Place, wanted: Sequence[str] | None) -> _Database:
    try:
        base = sqlite.Database(place.path)
    except sqlite.UnusableError as error:
        problem = str(error)
    else:
        return _Database(base.tables(), lambda table: _load(request, place, base, table, wanted), base.columns)
    raise request.error(f"the file '{place.name}' {problem}")


def _load(request: Request, place: Place, base: sqlite.Database, table: str, wanted: Sequence[str] | None) -> ir.Table:
    """Take a table's rows into the engine's memory, batch by batch."""
    name, stream = gen_name("sqlite"), gen_name("stream")
    try:
        request.engine.con.register(stream, base.batches(table, wanted))
        request.engine.con.execute(f"CREATE TEMP TABLE {name} AS FROM {stream}")
    except Exception:
        raise _damaged(request, place) from None
    finally:
        request.engine.con.unregister(stream)
        base.close()
    return request.engine.table(name)


def _damaged(request: Request, place: Place) -> InputError:
    return request.error(f"the file '{place.name}' is damaged: its tables cannot be read to the end; copy it again")
