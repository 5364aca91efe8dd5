"""JSON → rows: one object a line, or an array of objects; plain or in gz. Everything is text."""

import gzip
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.util import gen_name

from perennial.tables.files.masking import masked
from perennial.tables.files.raw import Place, Raw, ReadFile, Reject
from perennial.tables.files.request import Request
from perennial.tables.files.together import needed_columns, one_table, unique_names

_LONGEST = 64 * 1024 * 1024  # bytes of a line or of an array's element
_GZIP = b"\x1f\x8b"


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All objects of JSON files as one table; see :class:`perennial.tables.files.raw.Raw`.

    A key that an object lacks is NULL; the keys of an object within it are joined by dots (``customer.id``), an array
    stays as its text. A line that is no object is a reject.

    Raises
    ------
    InputError
        When a file is not JSON, not UTF-8, has no objects or lacks a key that is needed.
    """
    parts, rejected = [], []
    for place in places:
        lines, is_array = _take_lines(request, place)
        good = request.engine.table(lines).filter(lambda t: t.good).drop("good")
        paths = _paths(request, place, lines)
        request.require(place.name, list(paths), needed_columns(request, wanted))
        chosen = {name: path for name, path in paths.items() if wanted is None or name in wanted}
        file = ReadFile(place.name, partial(_line_numbers, request, lines), columns=tuple(paths))
        parts.append((file, _columns(good, chosen)))
        rejected.append((place.name, lines, is_array))
    return one_table(parts, lambda: [one for part in rejected for one in _rejects(request, *part)])


def _take_lines(request: Request, place: Place) -> tuple[str, bool]:
    """The file's objects as texts in a table of the engine, marked good or not; and whether the file is an array."""
    begins = _begins(place)
    is_array = begins.startswith("[") and not begins.rstrip().endswith("]\n[")
    name = gen_name("json")
    con, path = request.engine.con, str(place.path)
    if is_array:
        lines = "SELECT json::VARCHAR AS line FROM read_json_objects(?, format = 'array', maximum_object_size = ?)"
    else:
        lines = (
            "SELECT ltrim(line, chr(65279)) AS line FROM read_csv(?, header = false, auto_detect = false, "
            "delim = chr(1), quote = '', escape = '', columns = {'line': 'VARCHAR'}, max_line_size = ?)"
        )
    good = "coalesce(json_valid(line) AND json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT', false)"
    try:
        con.execute(f"CREATE TEMP TABLE {name} AS SELECT line, {good} AS good FROM ({lines})", [path, _LONGEST])
    except Exception as error:
        problem = _problem(error, is_array)
    else:
        found = con.execute(f"SELECT count(*) FILTER (good), count(*) FROM {name}").fetchall()[0]
        if found[0]:
            return name, is_array
        problem = "holds no JSON objects, one a line"
        if begins.startswith("{"):
            problem = "is one JSON document over many lines: export its records one a line, or as an array"
        elif not found[1] or is_array:
            problem = "holds no records"
        con.execute(f"DROP TABLE {name}")
    raise request.error(f"the file '{place.name}' {problem}")


def _begins(place: Place) -> str:
    """The start of the file's text, without blanks."""
    with place.path.open("rb") as file:
        packed = file.read(2) == _GZIP
    try:
        with gzip.open(place.path) if packed else place.path.open("rb") as text:
            return text.read(4096).decode("utf-8-sig", "replace").lstrip()
    except (OSError, EOFError):  # the engine meets the same, and says so
        return ""


def _problem(error: Exception, is_array: bool) -> str:
    said = str(error).lower()
    if "gzip" in said or "miniz" in said or "compress" in said:
        return "is damaged or was not copied to its end: export or copy it again"
    if "utf-8" in said or "unicode" in said or "encod" in said:
        return "is not UTF-8, as JSON has to be: save it in that encoding"
    if "size" in said or "too large" in said:
        return f"has a record of more than {_LONGEST // 1024**2} MB: export one record a line"
    return "is no JSON array that can be read to its end: export it again" if is_array else "cannot be read as JSON"


def _paths(request: Request, place: Place, lines: str) -> dict[str, str]:
    """Column → JSON path, for every key of any object, in the order of first appearance."""
    query = f"SELECT json_group_structure(line::JSON)::VARCHAR FROM {lines} WHERE good"
    found = request.engine.con.execute(query).fetchall()
    structure = json.loads(found[0][0] or "{}")
    leaves = list(_leaves(structure, "", "$")) if isinstance(structure, dict) else []
    names = unique_names([name for name, _ in leaves])  # a key may itself hold a dot
    paths = {name: path for name, (_, path) in zip(names, leaves, strict=True)}
    if not paths:
        raise request.error(f"the file '{place.name}' holds objects without keys")
    return paths


def _leaves(structure: dict[str, Any], name: str, path: str) -> Iterator[tuple[str, str]]:
    for key, inside in structure.items():
        here = f"{name}.{key}" if name else key
        there = f"{path}." + json.dumps(key, ensure_ascii=False)
        if isinstance(inside, dict) and inside:
            yield from _leaves(inside, here, there)
        else:
            yield here, there


@ibis.udf.scalar.builtin
def json_extract_string(line: str, paths: list[str]) -> list[str]:  # type: ignore[empty-body]
    """DuckDB's: the values at several paths as text, the line parsed once."""


def _columns(good: ir.Table, paths: dict[str, str]) -> ir.Table:
    cells = good.select(cells=json_extract_string(good.line, ibis.array(list(paths.values()))))
    return cells.select(**{name: cells.cells[place].nullif("") for place, name in enumerate(paths)})


def _line_numbers(request: Request, lines: str, records: Sequence[int]) -> list[int]:
    places = request.engine.con.execute(f"SELECT rowid FROM {lines} WHERE good ORDER BY rowid").fetchnumpy()["rowid"]
    return [int(places[record]) + 1 for record in records]


def _rejects(request: Request, name: str, lines: str, is_array: bool) -> list[Reject]:
    """The lines that are no objects, blank ones apart."""
    query = f"SELECT rowid, line FROM {lines} WHERE NOT good AND trim(coalesce(line, '')) <> '' ORDER BY rowid"
    what = "the array's element" if is_array else "the line"
    return [
        Reject(name, place + 1, "", masked(line), f"{what} is no JSON object")
        for place, line in request.engine.con.execute(query).fetchall()
    ]
