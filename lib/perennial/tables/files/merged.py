"""Merged cells: a spreadsheet keeps the value of the first alone, readers of the sheet see it in all."""

from collections.abc import Sequence
from typing import Any

from perennial.schema import TABLES
from perennial.tables.files.cells import cell_name
from perennial.tables.files.request import Request
from perennial.tables.files.together import number_of

Range = tuple[tuple[int, int], tuple[int, int]]  # (row, column) of the first and of the last cell, from 0


def fill(
    request: Request, title: str, rows: list[list[Any]], names: Sequence[str], ranges: Sequence[Range], first: int
) -> list[str]:
    """Write the value of each merge into all its cells, in place; merges above the data are left.

    Parameters
    ----------
    title : of the sheet, for errors.
    first : the place of the first row of data.

    Returns
    -------
    Sentences for the audit: none where no merge lies in the data.

    Raises
    ------
    InputError
        When a merge covers a column that is read as a number: repeating or sharing out an amount would be a guess.
    """
    numbers = _number_columns(request)
    filled = []
    for (top, left), (bottom, right) in ranges:
        bottom, right = min(bottom, len(rows) - 1), min(right, len(names) - 1)
        if top < first or top > bottom or left > right:
            continue
        where = f"{cell_name(top, left)}:{cell_name(bottom, right)}"
        covered = [name for name in names[left : right + 1] if name in numbers]
        if covered:
            raise request.error(
                f"cells {where} of '{title}' are merged over column '{covered[0]}', which is read as a number: "
                "unmerge them in Excel and write each row's own value"
            )
        for row in range(top, bottom + 1):
            rows[row][left : right + 1] = [rows[top][left]] * (right - left + 1)
        filled.append(where)
    if not filled:
        return []
    shown = ", ".join(filled[:3]) + (", …" if len(filled) > 3 else "")
    return [f"{number_of(len(filled), 'merged range')} in the data: each cell has the merge's value ({shown})."]


def _number_columns(request: Request) -> set[str]:
    """The file's columns that are mapped to an amount or a number."""
    table = TABLES[request.table]
    kinds = {**table.columns, **table.inputs}
    return {
        column.source
        for name, column in request.source.columns.items()
        if column.source is not None and kinds.get(name) in ("money", "price", "number")
    }
