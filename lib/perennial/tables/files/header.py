"""The names of a spreadsheet's columns: declared, or from the row they stand in."""

from collections.abc import Sequence
from typing import Any

from perennial.tables.files.cells import column_letters, column_texts
from perennial.tables.files.request import Request
from perennial.tables.files.together import number_of, numbered_names


def column_names(request: Request, where: str, rows: list[list[Any]], first: int) -> tuple[list[str], list[str]]:
    """Every column's name, no two alike; a nameless one is called by its letter.

    Parameters
    ----------
    where : the sheet and its file, for errors.
    first : the place of the first row of data.

    Returns
    -------
    The names, and sentences for the audit.
    """
    source = request.source
    header = column_texts(rows[source.header - 1]) if source.header else []
    if source.header and is_blank(rows[source.header - 1]):
        filled = next(row for row, cells in enumerate(rows) if not is_blank(cells))
        raise request.error(f"row {source.header} of {where} is blank; if the names stand in row {filled + 1}, "
                            f"declare header: {filled + 1}")  # fmt: skip
    width = max(len(header), max((len(row) for row in rows[first : first + 1]), default=0))
    if source.names and len(source.names) > width:
        raise request.error(f"{where} has {number_of(width, 'column')}, but {len(source.names)} 'names' are given")
    given = [*(source.names or header), *[None] * width][:width]
    plain = [(name or "").strip() or f"column {column_letters(place)}" for place, name in enumerate(given)]
    return numbered_names(plain)


def is_blank(cells: Sequence[Any]) -> bool:
    return all(type(cell) is str and not cell.strip() for cell in cells)
