"""Spreadsheets (xlsx, xls, xlsb, ods) → rows: one sheet, several or all of one file or many, as one table.

Every cell becomes text. Rows are taken into the engine's memory and never written, since a sheet holds more than the
columns that are wanted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
from ibis.util import gen_name
from python_calamine import CalamineSheet, CalamineWorkbook

from perennial.errors import InputError
from perennial.tables.files import merged
from perennial.tables.files.cells import EXACT_DIGITS, cell_name, column_texts, cut_digits
from perennial.tables.files.header import column_names, is_blank
from perennial.tables.files.raw import Place, Raw, ReadFile
from perennial.tables.files.request import Request
from perennial.tables.files.sheet_xml import Cell, inspect_sheet
from perennial.tables.files.together import needed_columns, number_of, one_table, some_of
from perennial.tables.files.workbook import declared_sheets, open_sheet, open_workbook, sheet_names

_LOOKED_THROUGH = 30  # rows in which the column names are looked for when they are not where they should be


@dataclass
class _Sheet:
    """A sheet's rows as cells. ``first`` is the place (from 0) of the first row of data."""

    place: Place
    name: str
    names: list[str]
    rows: list[list[Any]]
    first: int
    notes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.place.name}#{self.name}"


def read(request: Request, places: Sequence[Place], wanted: Sequence[str] | None) -> Raw:
    """All rows of the declared sheets as one table; see :class:`perennial.tables.files.raw.Raw`.

    Raises
    ------
    InputError
        When a file or sheet cannot be read, is empty or lacks a column; when formulas were never calculated; when
        merged cells hide amounts.
    """
    parts = [_rows(request, sheet, wanted) for place in places for sheet in _sheets(request, place, wanted)]
    return one_table(parts)


def _sheets(request: Request, place: Place, wanted: Sequence[str] | None) -> Iterator[_Sheet]:
    with open_workbook(request, place) as workbook:
        chosen, notes = _choose(request, place, workbook)
        for sheet in chosen:
            read = _read_sheet(request, place, sheet)
            _check_columns(request, read, sheet, needed_columns(request, wanted))
            read.notes += notes
            notes = []  # said once a file
            yield read


def _choose(request: Request, place: Place, workbook: CalamineWorkbook) -> tuple[list[CalamineSheet], list[str]]:
    """The sheets to read and what is to be said about those that are not."""
    if request.source.sheet not in (None, "*"):
        names = declared_sheets(request, place, workbook)
        sheets = [open_sheet(request, place, workbook, name) for name in names]
        for sheet in sheets:
            if not sheet.height:
                raise request.error(f"sheet '{sheet.name}' of '{place.name}' is empty")
        return sheets, []
    shown, hidden = (_filled(request, place, workbook, hidden) for hidden in (False, True))
    filled = shown or hidden
    if not filled:
        raise request.error(f"the file '{place.name}' is empty: none of its sheets holds a cell")
    chosen = filled if request.source.sheet == "*" else filled[:1]
    names = [sheet.name for sheet in chosen]
    left = [sheet.name for sheet in shown if sheet.name not in names]
    notes = [f"Read sheet '{names[0]}' and not {some_of(left)}; declare 'sheet' to choose."] if left else []
    unseen = [sheet.name for sheet in hidden if sheet.name not in names]
    if unseen:
        notes.append(f"Hidden sheets were not read: {some_of(unseen)}; name them under 'sheet' to read them.")
    return chosen, notes


def _filled(request: Request, place: Place, workbook: CalamineWorkbook, hidden: bool) -> list[CalamineSheet]:
    """The sheets with rows below their names; those with any cell where none has."""
    sheets = [open_sheet(request, place, workbook, name) for name in sheet_names(workbook, hidden)]
    filled = [sheet for sheet in sheets if sheet.height]
    first = request.source.header + request.source.skip_after_header
    return [sheet for sheet in filled if sheet.end and sheet.end[0] >= first] or filled


def _read_sheet(request: Request, place: Place, sheet: CalamineSheet) -> _Sheet:
    source = request.source
    rows = sheet.to_python(skip_empty_area=False)
    while rows and is_blank(rows[-1]):
        rows.pop()
    where = f"sheet '{sheet.name}' of '{place.name}'"
    if source.header > len(rows):
        raise request.error(
            f"{where} has {number_of(len(rows), 'row')}, so its names cannot stand in row {source.header}"
        )
    first = source.header + source.skip_after_header
    names, notes = column_names(request, where, rows, first)
    if first >= len(rows):
        raise request.error(f"{where} has a header but no rows")
    blank = sum(map(is_blank, rows[first:]))
    if blank:
        notes.append(f"{number_of(blank, 'row')} between the others {'is' if blank == 1 else 'are'} blank.")
    return _Sheet(place, sheet.name, names, rows, first, notes)


def _check_columns(request: Request, sheet: _Sheet, opened: CalamineSheet, needed: Sequence[str]) -> None:
    try:
        request.require(sheet.title, sheet.names, needed)
    except InputError as error:
        raise InputError(f"{error}{_where_names_stand(sheet, needed)}") from None
    columns = [sheet.names.index(name) for name in needed]
    _check_formulas(request, sheet, set(columns))
    sheet.notes += merged.fill(
        request, sheet.title, sheet.rows, sheet.names, opened.merged_cell_ranges or [], sheet.first
    )


def _where_names_stand(sheet: _Sheet, needed: Sequence[str]) -> str:
    """A hint where another row holds all the names that are missed."""
    for number, row in enumerate(sheet.rows[:_LOOKED_THROUGH]):
        if set(needed) <= {cell.strip() for cell in row if isinstance(cell, str)}:
            return f"\nThe names stand in row {number + 1} of the sheet: declare header: {number + 1}"
    return ""


def _check_formulas(request: Request, sheet: _Sheet, columns: set[int]) -> None:
    """Refuse formulas without values in the columns needed; count cells that show an error."""
    found = inspect_sheet(sheet.place.path, sheet.name)
    empty = [cell for cell in found.uncalculated if cell.column in columns]
    if empty:
        hold = "holds a formula without its value" if len(empty) == 1 else "hold formulas without values"
        raise request.error(
            f"{number_of(len(empty), 'cell')} of '{sheet.title}' {hold} "
            f"({_first_cells(empty)}): open the file in Excel, save it there, and try again"
        )
    if found.uncalculated:
        sheet.notes.append(
            f"{number_of(len(found.uncalculated), 'formula')} without a value taken as empty "
            f"({_first_cells(found.uncalculated)}): open the file in Excel and save it there to have them calculated."
        )
    errors = [cell for cell in found.errors if cell.row >= sheet.first]
    if errors:
        sheet.notes.append(
            f"{number_of(len(errors), 'cell')} with an error such as #N/A or #DIV/0! "
            f"{'was' if len(errors) == 1 else 'were'} taken as empty ({_first_cells(errors)})."
        )


def _first_cells(cells: Sequence[Cell], most: int = 3) -> str:
    shown = ", ".join(cell_name(cell.row, cell.column) for cell in cells[:most])
    return shown + (", …" if len(cells) > most else "")


def _rows(request: Request, sheet: _Sheet, wanted: Sequence[str] | None) -> tuple[ReadFile, ir.Table]:
    columns: dict[str, pa.Array] = {}
    for name, values in zip(sheet.names, zip(*sheet.rows[sheet.first :], strict=True), strict=True):
        if wanted is not None and name not in wanted:
            continue
        columns[name] = pa.array(column_texts(values), pa.string())
        if cut := cut_digits(values):
            sheet.notes.append(
                f"Column '{name}' has {number_of(cut, 'number')} of more than {EXACT_DIGITS} digits; Excel keeps "
                f"{EXACT_DIGITS}, so the last ones are lost: ids must be exported as text."
            )
    table = request.engine.create_table(gen_name("sheet"), pa.table(columns), temp=True)
    before = sheet.first + 1
    return ReadFile(
        sheet.title,
        lambda records: [record + before for record in records],
        notes=tuple(sheet.notes),
        columns=tuple(sheet.names),
    ), table
