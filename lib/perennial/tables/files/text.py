"""Text files → rows: divided by a character, by runs of blanks, or at fixed places; plain, in gz or in zip."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import ibis

from perennial.tables.files import unruled
from perennial.tables.files.encodings import to_utf8
from perennial.tables.files.header_line import Dialect, read_header, require
from perennial.tables.files.malformed import Scanned, rejects_of
from perennial.tables.files.part import Part, file_number, notes_of, quoted_name, read_call, runs_of, view
from perennial.tables.files.quotes import SUSPECTED, refuse_swallowed_lines
from perennial.tables.files.raw import FILE, Place, Raw, ReadFile
from perennial.tables.files.request import Request
from perennial.tables.files.survey import survey
from perennial.tables.files.tidy import tidied
from perennial.tables.files.together import needed_columns
from perennial.tables.files.unpack import Plain, unpack

_TAB_SUFFIXES = (".tsv", ".tab")


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All rows of text files as one table; see :class:`perennial.tables.files.raw.Raw`.

    Raises
    ------
    InputError
        When a file is no text, is damaged, lacks a wanted column, or cannot be divided into lines and cells.
    """
    needed = needed_columns(request, wanted)
    parts = [_ready(request, plain, needed) for place in places for plain in unpack(request, place)]
    unruled_layout = request.source.layout in ("fixed", "spaced")
    raw = unruled.read(request, parts) if unruled_layout else _read_divided(request, parts)
    return replace(raw, rows=raw.rows.select(*wanted, FILE)) if wanted else raw


def _ready(request: Request, plain: Plain, needed: Sequence[str]) -> Part:
    dialect = _dialect(request, plain)
    path, encoding = to_utf8(request, plain)
    header = read_header(request, plain.name, path, dialect)
    require(request, plain.name, path, encoding, header.names, needed)
    found = survey(request, Place(plain.name, path), header.line, dialect)
    path, found, blanked = tidied(request, Place(plain.name, path), header, found)
    place = Place(plain.name, path)
    if found.longest_quoted >= SUSPECTED:
        refuse_swallowed_lines(request, place, dialect, len(header.names))
    return Part(place, encoding, dialect, header, found, blanked)


def _dialect(request: Request, plain: Plain) -> Dialect:
    source = request.source
    if source.layout in ("fixed", "spaced"):
        return unruled.dialect(source)
    tab = PurePosixPath(plain.inner.lower()).suffix in _TAB_SUFFIXES
    return Dialect(source.delimiter or ("\t" if tab else ","), source.quote)


def _read_divided(request: Request, parts: Sequence[Part]) -> Raw:
    """All rows of files with delimiters; those with the same columns in one scan, the scans one below the other."""
    runs = runs_of(parts)
    queries: list[str] = []
    scanned: list[Scanned] = []
    for run in runs:
        table = ibis.util.gen_name("rejects")
        columns = ", ".join(quoted_name(column) for column in run[0].header.names)
        queries.append(f"SELECT {columns}, {file_number(run, len(scanned))} FROM {read_call(run, table)}")
        scanned += [Scanned(request, table, number, part) for number, part in enumerate(run)]
    files = [
        ReadFile(one.part.place.name, one.lines().numbers, one.part.encoding, notes, tuple(one.part.header.names))
        for one, notes in zip(scanned, notes_of(runs), strict=True)
    ]
    rows = view(request, " UNION ALL BY NAME ".join(queries))
    return Raw(rows, files, lambda: rejects_of(scanned), all(part.found.trimmed for part in parts))
