"""Spreadsheet files opened, whatever their names end in; and what a file really is when it is none."""

import zipfile
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from perennial.errors import InputError
from perennial.tables.files.nearest import nearest_of
from perennial.tables.files.raw import Place
from perennial.tables.files.request import Request

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PROTECTED = "is protected by a password: open it in Excel, save it without one, and try again"
_TEXT_MARKS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}


def open_workbook(request: Request, place: Place) -> CalamineWorkbook:
    """A spreadsheet file, open.

    Raises
    ------
    InputError
        When it is encrypted, damaged, or no spreadsheet at all: then with what it is instead.
    """
    with place.path.open("rb") as file:
        head = file.read(4096)
    if not is_workbook(head):
        raise request.error(f"the file '{place.name}' is no Excel file: {what_it_is(head)}")
    try:
        return _load(place.path)
    except PasswordError:
        reason = _PROTECTED
    except CalamineError:
        reason = _damage(place.path, head)
    raise request.error(f"the file '{place.name}' {reason}")


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so can be a spreadsheet."""
    return head.startswith((_ZIP, _OLE))


def _load(path: Path) -> CalamineWorkbook:
    """By what the name says first: only then are passwords told apart; else by the content."""
    try:
        return load_workbook(path)
    except PasswordError:
        raise
    except CalamineError:
        with path.open("rb") as file:
            return load_workbook(file)


def open_sheet(request: Request, place: Place, workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    """One sheet by its exact name."""
    try:
        return workbook.get_sheet_by_name(name)
    except CalamineError:
        raise request.error(
            f"sheet '{name}' of '{place.name}' is damaged and cannot be read: export the file again"
        ) from None


def sheet_names(workbook: CalamineWorkbook, hidden: bool = False) -> list[str]:
    """The sheets with cells, in their order: those that are shown, or those that are hidden."""
    return [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and (sheet.visible != SheetVisibleEnum.Visible) == hidden
    ]


def declared_sheets(request: Request, place: Place, workbook: CalamineWorkbook) -> list[str]:
    """The sheets named under ``sheet``, by name or by number from 1; hidden ones too, as they are asked for."""
    declared = request.source.sheet
    return [_find(request, place, workbook, one) for one in (declared if isinstance(declared, list) else [declared])]


def _find(request: Request, place: Place, workbook: CalamineWorkbook, one: str | int | None) -> str:
    names = workbook.sheet_names
    if isinstance(one, int) and 1 <= one <= len(names):
        return names[one - 1]
    same = [name for name in names if name == str(one)] or [
        name for name in names if name.strip().casefold() == str(one).strip().casefold()
    ]
    if same:
        return same[0]
    raise _no_sheet(request, place, one, names)


def _no_sheet(request: Request, place: Place, one: str | int | None, names: list[str]) -> InputError:
    return request.error(f"'{place.name}' has no sheet {one!r}; {nearest_of(str(one), names)}")


def _damage(path: Path, head: bytes) -> str:
    if head.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        return _PROTECTED
    if head.startswith(_OLE):
        return "cannot be read as an Excel file: it is damaged, or another Office document; save it again as .xlsx"
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
    except zipfile.BadZipFile:
        return "is damaged or was not copied to its end: export or copy it again"
    if not any(name.startswith(("xl/", "content.xml")) for name in inside):
        return "is a zip archive and no Excel file: declare the layout of the files in it, or unpack it"
    return "is damaged: open it in Excel, save it again as .xlsx, and try again"


def what_it_is(head: bytes) -> str:
    """What a file that is no spreadsheet seems to be instead, by its beginning, and what to do with it."""
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not head:
        return "it is empty"
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<body", b"<div")):
        return "it is a web page (HTML) with a table; open it in Excel and save it as .xlsx"
    if start.startswith(b"<"):
        return "it is XML; open it in Excel and save it as .xlsx"
    known = {
        b"%pdf": "it is a PDF: ask for the data behind it",
        b"par1": "it is a Parquet file: declare layout: parquet",
        b"sqlite format 3": "it is an SQLite file: declare layout: sqlite",
        b"\x1f\x8b": "it is compressed by gzip: unpack it",
        b"{": "it is JSON: declare layout: jsonl",
    }
    for mark, words in known.items():
        if start.startswith(mark):
            return words
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it holds neither a spreadsheet nor text; export it again"
    return f"it is plain text{_divided_by(head)}; declare layout: csv"


def _divided_by(head: bytes) -> str:
    line = head.replace(b"\0", b"").split(b"\n")[0].decode("latin-1")
    mark = max(_TEXT_MARKS, key=line.count)
    return f" divided by {_TEXT_MARKS[mark]}" if mark in line else ""
