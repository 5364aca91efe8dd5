"""What only an xlsx file's own XML tells: formulas that were never calculated, and cells that show an error."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(rb"<c\b([^>]*[^/>])>(.*?)</c>", re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_VALUE = re.compile(rb"<v>([^<]*)</v>")
_CHUNK = 16 * 1024 * 1024


@dataclass(frozen=True)
class Cell:
    """A place in a sheet, both counted from 0."""

    row: int
    column: int


@dataclass
class SheetFindings:
    """Cells of one sheet whose value is not what its reader believes."""

    uncalculated: list[Cell] = field(default_factory=list)
    errors: list[Cell] = field(default_factory=list)


def inspect_sheet(path: Path, sheet: str) -> SheetFindings:
    """Look through one sheet of an xlsx file; nothing is found in other formats, which hold no such XML.

    A formula without a value was written by a program that does not calculate. Some of these write 0 and ask Excel to
    calculate on opening: there, formulas count as uncalculated if every one of the sheet is 0.
    """
    findings = SheetFindings()
    if not zipfile.is_zipfile(path):
        return findings
    with zipfile.ZipFile(path) as archive:
        part = _sheet_part(archive, sheet)
        if part is None:
            return findings
        zeros, calculated = [], False
        for cell, attributes, content in _cells(archive, part):
            if b't="e"' in attributes:
                findings.errors.append(cell)
            if b"<f" in content:
                value = _VALUE.search(content)
                if value is None or not value[1].strip():
                    if b't="str"' not in attributes:  # a formula may well give an empty text
                        findings.uncalculated.append(cell)
                elif value[1] == b"0":
                    zeros.append(cell)
                else:
                    calculated = True
        if zeros and not calculated and b'fullCalcOnLoad="1"' in archive.read("xl/workbook.xml"):
            findings.uncalculated += zeros
    return findings


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Where in the archive a sheet lies; None where the file is no xlsx."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for element in book.findall(".//{*}sheet"):
        if element.get("name") == sheet:
            target = targets.get(element.get(_RELATION), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return part if part in archive.namelist() else None
    return None


def _cells(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[Cell, bytes, bytes]]:
    """Formula and error cells of a sheet: place, attributes and content; read in pieces, a sheet can be large."""
    with archive.open(part) as file:
        rest = b""
        while piece := file.read(_CHUNK):
            text = rest + piece
            end = text.rfind(b"</c>") + 4
            if end < 4:
                rest = text
                continue
            whole, rest = text[:end], text[end:]
            if b"<f" in whole or b't="e"' in whole:
                yield from _telling_cells(whole)


def _telling_cells(text: bytes) -> Iterator[tuple[Cell, bytes, bytes]]:
    for found in _CELL.finditer(text):
        attributes, content = found[1], found[2]
        if b"<f" not in content and b't="e"' not in attributes:
            continue
        place = _REFERENCE.search(attributes)
        if place:
            yield Cell(int(place[2]) - 1, _column_number(place[1])), attributes, content


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
