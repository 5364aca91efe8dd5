"""The columns that stand in a client's files and that nothing reads: by name alone, from the headers already read."""

from collections.abc import Sequence
from dataclasses import replace

from perennial.parameters import Cleaning
from perennial.tables.audit import UnusedColumn
from perennial.tables.files.raw import ReadFile
from perennial.tables.files.request import Request
from perennial.tables.files.used import used_columns


def unused_columns(read: Sequence[tuple[Request, Sequence[ReadFile]]], cleaning: Cleaning) -> list[UnusedColumn]:
    """Every column that no table reads, in the order of the files.

    A file from which two tables are read is listed under the first of them, without the columns of either.
    """
    used: dict[str, set[str]] = {}
    for request, files in read:
        names = used_columns(request.source, cleaning, request.table)
        for file in files:
            used.setdefault(file.name, set()).update(names)
    found: dict[tuple[str, str], UnusedColumn] = {}
    told: set[str] = set()
    for request, files in read:
        for file in files:
            for column in () if file.name in told else file.columns:
                key = (request.table, column)
                if column not in used[file.name]:
                    first = found.get(key, UnusedColumn(request.table, column, file.name, 0))
                    found[key] = replace(first, files=first.files + 1)
            told.add(file.name)
    return list(found.values())
