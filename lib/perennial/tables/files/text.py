"""Text files → rows: divided by a character or by runs of blanks."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from perennial.tables.files.raw import FILE, Place, Raw, ReadFile
from perennial.tables.files.request import Request, engine_words


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All rows of text files as one table; see :class:`perennial.tables.files.raw.Raw`."""
    parts, files = [], []
    for number, place in enumerate(places):
        rows = _open(request, place)
        request.require(place.name, rows.columns, wanted or [])
        if rows.limit(1).count().execute() == 0:
            raise request.error(f"the file '{place.name}' has a header but no rows")
        rows = rows.select(*wanted) if wanted else rows
        parts.append(rows.mutate(**{FILE: ibis.literal(number, "int32")}))
        files.append(ReadFile(place.name, lambda records: [record + 2 for record in records]))
    return Raw(ibis.union(*parts) if len(parts) > 1 else parts[0], files)


def _open(request: Request, place: Place) -> ir.Table:
    try:
        return _spaced(request, place) if request.source.layout == "spaced" else _csv(request, place)
    except Exception as error:
        reason = engine_words(error)
        raise request.error(f"the file '{place.name}' cannot be read as text: {reason}") from None


def _csv(request: Request, place: Place) -> ir.Table:
    delimiter = request.source.delimiter or ","
    return request.engine.read_csv(str(place.path), all_varchar=True, header=True, delim=delimiter, nullstr="")


def _spaced(request: Request, place: Place) -> ir.Table:
    """Columns divided by runs of blanks, names in the first line."""
    with place.path.open(encoding="utf-8") as lines:
        names = lines.readline().split()
    if not names:
        raise request.error(f"the first line of '{place.name}' holds no column names")
    raw = request.engine.read_csv(
        str(place.path), all_varchar=True, header=False, skip=1, delim="\x01", quote="", columns={"line": "VARCHAR"}
    )
    cells = raw.select(cells=raw.line.strip().re_split(r"\s+"))
    return cells.select(**{name: cells.cells[place] for place, name in enumerate(names)})
