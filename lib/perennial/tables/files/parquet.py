"""Parquet → rows; columns keep their types."""

from collections.abc import Sequence

import ibis

from perennial.tables.files.raw import FILE, Place, Raw, ReadFile
from perennial.tables.files.request import Request


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All rows of Parquet files as one table; see :class:`perennial.tables.files.raw.Raw`."""
    parts, files = [], []
    for number, place in enumerate(places):
        try:
            rows = request.engine.read_parquet(str(place.path))
        except Exception:
            raise request.error(f"the file '{place.name}' is not a readable Parquet file: export it again") from None
        request.require(place.name, rows.columns, wanted or [])
        rows = rows.select(*wanted) if wanted else rows
        parts.append(rows.mutate(**{FILE: ibis.literal(number, "int32")}))
        files.append(ReadFile(place.name, lambda records: [record + 1 for record in records]))
    return Raw(ibis.union(*parts) if len(parts) > 1 else parts[0], files)
