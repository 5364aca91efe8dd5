"""What lies in the files a consultant was given: sets of rows with equal columns, and how each is read."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from perennial.errors import InputError
from perennial.onboard.book import sheet_groups
from perennial.onboard.dialect import text_dialect
from perennial.onboard.open_text import first_bytes
from perennial.tables.files import locate
from perennial.tables.files.raw import Place

_BOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_OLE = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Part:
    """Files (sheets, a database table) that are read as one table: ``keys`` as they stand under a source in YAML."""

    name: str
    paths: list[str]
    keys: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    chinese: bool = False


def look_at(given: Sequence[str], root: Path, locale: str) -> list[Part]:
    """All parts of the files given, in that order; a folder or a glob stands for its files.

    Raises
    ------
    InputError
        When a path holds no file, or a file cannot be opened.
    """
    parts: list[Part] = []
    for path in given:
        shown = path_in_yaml(path, root)
        places = locate.places(shown, root)
        if not places:
            raise InputError(f"there is no file '{path}'")
        for place in places:
            parts += _look_at_one(place, locale)
    return parts


def path_in_yaml(path: str, root: Path) -> str:
    """How a path is written: relative to the project inside it, else absolute."""
    place = Path(path).expanduser().absolute()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def _look_at_one(place: Place, locale: str) -> list[Part]:
    suffix = place.path.suffix.lower()
    if place.path.stat().st_size == 0:
        raise InputError(f"the file '{place.name}' is empty")
    head = place.path.open("rb").read(16)
    plain = Part(place.name, [place.name], {})
    if suffix in _BOOKS or head[:4] == _OLE:
        layout = {} if suffix in _BOOKS else {"layout": "excel"}
        return [_sheet_part(plain, layout, group) for group in sheet_groups(place.path)]
    if head[:4] == b"PAR1":
        return [plain if suffix in (".parquet", ".pq") else replace(plain, keys={"layout": "parquet"})]
    if head.startswith(b"SQLite format 3"):
        return _database_parts(plain, "sqlite", _sqlite_tables(place.path))
    if head[8:12] == b"DUCK":
        return _database_parts(plain, "duckdb", _duckdb_tables(place.path))
    return [_text_part(plain, place, locale)]


def _text_part(plain: Part, place: Place, locale: str) -> Part:
    beginning = first_bytes(place.path, 1000).lstrip(b"\xef\xbb\xbf \r\n\t")
    if not beginning:
        raise InputError(f"the file '{place.name}' is empty")
    if beginning.startswith((b'{"', b"{ ")):
        named = any(suffix in (".jsonl", ".ndjson") for suffix in place.path.suffixes)
        return replace(plain, keys={} if named else {"layout": "jsonl"})
    seen = text_dialect(place.path, locale)
    return replace(plain, keys=seen.keys, notes=seen.notes, chinese=seen.chinese)


def _sheet_part(plain: Part, layout: dict[str, Any], group: tuple[dict[str, Any], list[str], list[str]]) -> Part:
    keys, names, notes = group
    chinese = any("\u4e00" <= letter <= "\u9fff" for name in names for letter in name)
    sheet = keys.get("sheet")
    name = f"{plain.name} ({sheet})" if isinstance(sheet, str) and sheet != "*" else plain.name
    return replace(plain, name=name, keys={**layout, **keys}, notes=notes, chinese=chinese)


def _database_parts(plain: Part, layout: str, tables: list[str]) -> list[Part]:
    if not tables:
        raise InputError(f"the database file '{plain.name}' holds no table")
    usual = {"sqlite": (".sqlite", ".sqlite3"), "duckdb": (".duckdb",)}[layout]
    keys = {} if plain.name.lower().endswith(usual) else {"layout": layout}
    return [replace(plain, name=f"{plain.name} ({table})", keys={**keys, "table": table}) for table in tables]


def _sqlite_tables(path: Path) -> list[str]:
    try:
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as con:
            found = con.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            return [name for (name,) in found if not name.startswith("sqlite_")]
    except sqlite3.Error:
        raise InputError(f"the file '{path.name}' is a damaged SQLite file: copy it again") from None


def _duckdb_tables(path: Path) -> list[str]:
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            return [row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
    except duckdb.Error:
        raise InputError(f"the file '{path.name}' is in use or a damaged DuckDB file: copy it again") from None
