"""A client's source → rows under canonical names, still as they arrived.

Nothing is parsed or removed here. Columns whose names begin with ``_`` travel beside the mapped ones: ``_file`` (which
file, from 0), ``_row`` (place among all rows of the source), ``_unmapped_hash`` (equal for lines equal in every column
of the file that is not mapped) and one flag per declared pattern.
"""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from perennial.parameters import Cleaning
from perennial.tables.files import locate
from perennial.tables.files.raw import FILE, Place, Raw, ReadFile
from perennial.tables.files.request import Request

ROW, UNMAPPED_HASH = "_row", "_unmapped_hash"
_SUFFIXES = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".duckdb", ".ddb"), "duckdb"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db", ".db3"), "sqlite"),
}
_READERS = {
    **dict.fromkeys(("csv", "spaced", "fixed"), "text"),
    "excel": "excel",
    "parquet": "parquet",
    "jsonl": "jsonl",
    **dict.fromkeys(("duckdb", "sqlite"), "embedded"),
}


@ibis.udf.scalar.builtin(name="hash")
def hash_of(whole) -> dt.uint64:  # type: ignore[no-untyped-def,empty-body]
    """The engine's own digest; Ibis' ``hash()`` turns it into signed bits, which costs more than the digest."""


def layout_of(request: Request, place: Place) -> str:
    """The declared layout, else what the file's name says, else text divided by a character."""
    declared = request.source.layout
    return declared if declared != "auto" else _SUFFIXES.get(_suffix(place.path), "csv")


def _suffix(path: Path) -> str:
    """What the name ends in, compressed or not: ``.jsonl`` of ``events.jsonl.gz``."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def read_source(request: Request, cleaning: Cleaning) -> Raw:
    """All rows of a source, its mapped columns renamed to their canonical names.

    Raises
    ------
    InputError
        When a file cannot be read, has no rows, or lacks a mapped column (with the nearest one it has).
    """
    source = request.source
    places = _places(request)
    flags = _patterns(request, cleaning)
    mapped = [column.source for column in source.columns.values() if column.source is not None]
    wanted = list(dict.fromkeys([*mapped, *source.attributes, *(name for f in flags.values() for name in f)]))
    if source.lookup:
        raw = open_files(request, places, None)
        raw = _look_up(request, raw, wanted)
    else:
        raw = open_files(request, places, None if request.table == "transactions" else wanted)
        request.require(places[0].name, raw.rows.columns, wanted)
    files = _of_the_server(request, raw.files) if source.database else raw.files
    return replace(raw, rows=_mapped(request, raw.rows, flags), files=files)


def _places(request: Request) -> list[Place]:
    if request.source.database:
        from perennial.tables.files import server

        return [server.place(request)]
    return locate.source_places(request.source, request.root)


def _of_the_server(request: Request, files: list[ReadFile]) -> list[ReadFile]:
    """The copy with the columns of the table that it was made of, which it holds in part."""
    from perennial.tables.files import server

    return [replace(files[0], columns=server.columns_of(request)), *files[1:]]


def open_files(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """The files' rows under their own column names; all columns where ``wanted`` is None."""
    # imported here: a chapter's process reads tables that are made, and needs no reader
    reader = import_module(f"perennial.tables.files.{_READERS[layout_of(request, places[0])]}")
    raw: Raw = reader.read(request, places, wanted)
    return raw


def _patterns(request: Request, cleaning: Cleaning) -> dict[str, dict[str, str]]:
    """Flag → column of the file → pattern, for the declared rules that look at text."""
    if request.table != "transactions":
        return {}
    declared = {
        "_cancellation": cleaning.returns.where,
        "_test_order": cleaning.test_orders,
        "_staff": cleaning.staff,
        "_pseudo_product": cleaning.pseudo_products,
        "_guest": cleaning.guests,
    }
    columns = request.source.columns
    named = {name: column.source for name, column in columns.items() if column.source is not None}
    return {
        flag: {named.get(column, column): pattern for column, pattern in patterns.items()}
        for flag, patterns in declared.items()
        if patterns
    }


def _mapped(request: Request, rows: ir.Table, flags: dict[str, dict[str, str]]) -> ir.Table:
    columns: dict[str, ir.Value] = {}
    for name, column in request.source.columns.items():
        columns[name] = ibis.literal(column.constant) if column.source is None else rows[column.source]
    for name in request.source.attributes:
        columns[name] = rows[name]
    for flag, patterns in flags.items():
        found = [rows[name].cast("string").fill_null("").re_search(pattern) for name, pattern in patterns.items()]
        columns[flag] = ibis.or_(*found)
    if request.table == "transactions":
        mapped = {column.source for column in request.source.columns.values()} | {FILE, ROW}
        unmapped = {name: rows[name] for name in rows.columns if name not in mapped}
        if unmapped:
            columns[UNMAPPED_HASH] = hash_of(ibis.struct(unmapped))
    return rows.select(**columns, **{name: rows[name] for name in (FILE, ROW) if name in rows.columns})


def _look_up(request: Request, raw: Raw, wanted: Sequence[str]) -> Raw:
    """Add the lookup's columns; rows are numbered first, because a join does not keep their order."""
    assert request.source.lookup is not None
    key = request.source.lookup.by
    place = locate.lookup_place(request.source.lookup.path, request.root)
    opened = open_files(request, [place], None)
    other = opened.rows.drop(FILE)
    rows = request.engine.create_table(f"raw_{request.table}", raw.rows, temp=True)
    rows = rows.mutate(**{ROW: rows.rowid()})
    for name, side in [(raw.files[0].name, rows), (place.name, other)]:
        if key not in side.columns:
            request.require(name, side.columns, [key])
    repeated = other.group_by(key).agg(n=other.count()).filter(lambda t: t.n > 1).count().execute()
    if repeated:
        raise request.error(
            f"'{place.name}' has {repeated} values of '{key}' more than once; "
            "looking up by it would repeat rows. Give a file with one row per value."
        )
    added = [column for column in other.columns if column not in rows.columns]
    request.require(raw.files[0].name, [*rows.columns, *added], wanted)
    joined = rows.left_join(other, key, rname="").select(*[rows[c] for c in rows.columns], *[other[c] for c in added])
    looked_up = [replace(file, rows=int(other.count().execute())) for file in opened.files]
    return replace(raw, rows=joined, files=[*raw.files, *looked_up], trimmed=raw.trimmed and opened.trimmed)
