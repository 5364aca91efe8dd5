"""What the sheets of a workbook hold: which of them are tables, and where their column names stand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from perennial.errors import InputError
from perennial.onboard.grid import Heading, find_heading
from perennial.tables.files.workbook import is_workbook, what_it_is

_ROWS = 200


def sheet_groups(path: Path) -> list[tuple[dict[str, Any], list[str], list[str]]]:
    """Sheets with equal columns, together: keys of their source, column names, and sentences about what was seen.

    Raises
    ------
    InputError
        When the workbook cannot be opened, or no sheet holds a table.
    """
    headings: dict[str, Heading] = {}
    empty: list[str] = []
    for name, rows in _sheets(path):
        heading = find_heading(rows)
        if heading is None or len([row for row in rows if any(row)]) < 2:
            empty.append(name)
        else:
            headings[name] = heading
    if not headings:
        raise InputError(f"the workbook '{path.name}' has no sheet with a table of at least two columns and one row")
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, heading in headings.items():
        groups.setdefault((heading.line, heading.skip, *heading.names), []).append(name)
    alone = len(headings) + len(empty) == 1
    return [_group(headings[names[0]], names, alone, whole=len(groups) == 1 and not empty) for names in groups.values()]


def _group(heading: Heading, names: list[str], alone: bool, whole: bool) -> tuple[dict[str, Any], list[str], list[str]]:
    keys: dict[str, Any] = {}
    notes = []
    if not alone:
        keys["sheet"] = ("*" if whole else names) if len(names) > 1 else names[0]
    if len(names) > 1:
        notes.append(f"{len(names)} sheets with the same columns are read as one table: {', '.join(names)}")
    return keys | heading.keys(), heading.names, notes


def _sheets(path: Path) -> list[tuple[str, list[list[str]]]]:
    with path.open("rb") as file:
        head = file.read(4096)
    if not is_workbook(head):
        raise InputError(f"the file '{path.name}' is no Excel file: {what_it_is(head)}")
    try:
        book = CalamineWorkbook.from_path(str(path))
        found = []
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=_ROWS)
            found.append((name, [_texts(row) for row in rows]))
        return found
    except Exception as error:
        locked = "password" in str(error).lower()
        reason = "is protected by a password: save it without one" if locked else "is damaged: save it again"
        raise InputError(f"the workbook '{path.name}' cannot be opened; it {reason}") from None


def _texts(row: Sequence[Any]) -> list[str]:
    return [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip() for cell in row]
