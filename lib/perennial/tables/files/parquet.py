"""Parquet → rows; columns keep their types."""

from collections.abc import Sequence

import ibis.expr.types as ir

from perennial.errors import InputError
from perennial.tables.files.flatten import flat
from perennial.tables.files.raw import Place, Raw, ReadFile
from perennial.tables.files.request import Request
from perennial.tables.files.together import needed_columns, one_table


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All rows of Parquet files as one table; see :class:`perennial.tables.files.raw.Raw`.

    Numbers, dates and timestamps stay what they are; a structure's fields are named with dots, lists are text.

    Raises
    ------
    InputError
        When a file is no Parquet, is damaged, has no rows or lacks a column.
    """
    return one_table([_open(request, place, wanted) for place in places])


def _numbers(records: Sequence[int]) -> list[int]:
    return [record + 1 for record in records]


def _open(request: Request, place: Place, wanted: Sequence[str] | None) -> tuple[ReadFile, ir.Table]:
    with place.path.open("rb") as file:
        begins = file.read(4)
    if begins != b"PAR1":
        raise request.error(f"the file '{place.name}' is no Parquet file, whatever its name says: declare its layout")
    rows, count = _try_to_open(request, place)
    if rows is None:
        raise _damaged(request, place)
    request.require(place.name, rows.columns, needed_columns(request, wanted))
    if not count:
        raise request.error(f"the file '{place.name}' has columns but no rows")
    opened = ReadFile(place.name, _numbers, columns=tuple(rows.columns))
    return opened, rows.select(*wanted) if wanted is not None else rows


def _try_to_open(request: Request, place: Place) -> tuple[ir.Table | None, int]:
    """The rows and their number; none where the engine cannot make sense of the file."""
    try:
        # text without its mark, as older writers leave it, is text all the same
        rows = flat(request.engine.read_parquet(str(place.path), binary_as_string=True))
        return rows, int(rows.count().execute())
    except Exception:
        return None, 0


def _damaged(request: Request, place: Place) -> InputError:
    return request.error(f"the file '{place.name}' is damaged or was not copied to its end: export or copy it again")
