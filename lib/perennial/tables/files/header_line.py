"""The line of a text file that names its columns, and where the data below it begin."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from perennial.errors import InputError
from perennial.tables.files.request import Request
from perennial.tables.files.together import number_of, numbered_names
from perennial.tables.files.unpack import LONGEST_LINE

_MOST_LINES = 50  # of a header whose names hold line ends
_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar", ",": "a comma"}
_BLANKS = " \t\r\n\v\f\ufeff\u200b\u00a0\u3000"
_LOOKED_AT = 30  # lines searched for names that do not stand where they should


@dataclass(frozen=True)
class Dialect:
    """How a line is divided; without a delimiter it is one text."""

    delimiter: str
    quote: str

    def cells(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The cells of each record, from lines that keep their ends, divided as the engine divides them."""
        if not self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, skipinitialspace=True)


@dataclass(frozen=True)
class Header:
    """Names of the columns, and the lines above the data.

    Attributes
    ----------
    names : no two alike, without blanks around them.
    above : how many lines stand above the data: the names, what precedes them, and text or units below them.
    line : the line of the names as it stands in the file, empty where there is none or it takes several.
    plain : whether the lines above can be skipped as they are, holding no quotation mark that runs over a line's end.
    notes : sentences for the audit.
    """

    names: list[str]
    above: int
    line: str
    plain: bool
    notes: tuple[str, ...] = ()


@contextmanager
def long_cells() -> Iterator[None]:
    """Let the division into cells take any cell that a line can hold; by itself it stops at 131,072 characters."""
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def lines_of(file: IO[str]) -> Iterator[str]:
    """A text file's lines, none longer in memory than a line may be."""
    while line := file.readline(LONGEST_LINE):
        yield line


def read_header(request: Request, name: str, path: Path, dialect: Dialect) -> Header:
    """The header of a text file in UTF-8.

    Raises
    ------
    InputError
        When the line of the names is blank, endless or not there, or no data follow it.
    """
    try:
        with long_cells():
            return _header(request, name, path, dialect)
    except csv.Error:
        raise request.error(
            f"'{name}' cannot be divided into cells where its column names stand, or in the line below: a cell is "
            f"longer than {LONGEST_LINE // 2**20} MB; export the file again with one record a line"
        ) from None


def _header(request: Request, name: str, path: Path, dialect: Dialect) -> Header:
    source = request.source
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = lines_of(file)
        above = list(islice(lines, max(source.header - 1, 0)))
        given, held = _names_in(request, name, lines, dialect) if source.header else ([], [])
        above += held + list(islice(lines, source.skip_after_header))
        first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise request.error(f"the file '{name}' has a header but no rows: export it again")
    cells = next(dialect.cells(iter([first])), [])
    named = _declared(request, name, given, len(given) or len(cells))
    names, notes = numbered_names([_plain(one, place) for place, one in enumerate(named, 1)])
    text = "".join(above)
    marks = text.count(dialect.quote) if dialect.quote else 0
    plain = marks == 0 or (len(above) == 1 and marks % 2 == 0)
    return Header(names, len(above), held[0] if len(held) == 1 else "", plain, tuple(notes))


def _names_in(request: Request, name: str, lines: Iterator[str], dialect: Dialect) -> tuple[list[str], list[str]]:
    """The cells of the next record, and the lines it takes."""
    where = request.source.header
    held: list[str] = []

    def taken() -> Iterator[str]:
        for line in islice(lines, _MOST_LINES):
            held.append(line)
            yield line

    cells = next(dialect.cells(taken()), None)
    if cells is None:
        raise request.error(f"'{name}' has fewer than {where:,} lines: sources.{request.table}.header is the number "
                            "of the line the column names stand in")  # fmt: skip
    if len(held) == _MOST_LINES:
        raise request.error(f"in line {where:,} of '{name}', where the column names stand, a quotation mark is opened "
                            f"and not closed: correct it, or declare sources.{request.table}.quote: ''")  # fmt: skip
    if not any(cell.strip() for cell in cells):
        following = next((number for number, line in enumerate(lines, where + 1) if line.strip()), None)
        advice = f"; if the names stand in line {following:,}, declare header: {following}" if following else ""
        raise request.error(f"line {where:,} of '{name}' is blank and holds no column names{advice}")
    return cells, held


def _declared(request: Request, name: str, given: Sequence[str], width: int) -> list[str]:
    """Declared names before those of the file."""
    declared = request.source.names
    if len(declared) > width:
        has = number_of(width, "column")
        raise request.error(f"'{name}' has {has}, but sources.{request.table}.names lists {len(declared):,}")
    return [*(declared or given), *[""] * width][:width]


def _plain(name: str, place: int) -> str:
    """A column's name on one line without blanks around it; a nameless one is called by its place."""
    return re.sub(r"\s*[\r\n]+\s*", " ", name.strip(_BLANKS)) or f"column {place}"


def require(
    request: Request, name: str, path: Path, encoding: str, names: Sequence[str], wanted: Sequence[str]
) -> None:
    """Check that a text file has all wanted columns, and say what may be declared wrongly where it does not.

    Parameters
    ----------
    encoding : how the text was read, in words.

    Raises
    ------
    InputError
        With one sentence per column it lacks.
    """
    try:
        request.require(name, names, wanted)
    except InputError as error:
        hint = _delimiter_hint(request, names) or _line_hint(request, path, wanted)
        if not hint and "fallback" in encoding:
            hint = (f". The text was read as {encoding}; if its names look garbled, declare "
                    f"sources.{request.table}.encoding (for example gb18030, big5, cp1252)")  # fmt: skip
        raise InputError(f"{error}{hint}") from None


def _delimiter_hint(request: Request, names: Sequence[str]) -> str:
    if len(names) > 1 or request.source.layout in ("fixed", "spaced"):
        return ""
    found = {mark: names[0].count(mark) for mark in _DELIMITERS if mark in names[0]}
    if not found:
        return ""
    mark = max(found, key=lambda mark: found[mark])
    written = '"\\t"' if mark == "\t" else f'"{mark}"'
    return (f". The file was read as a single column, but it looks divided by {_DELIMITERS[mark]}: "
            f"declare sources.{request.table}.delimiter: {written}")  # fmt: skip


def _line_hint(request: Request, path: Path, wanted: Sequence[str]) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, line in enumerate(islice(lines_of(file), _LOOKED_AT), 1):
            if number != request.source.header and all(name in line for name in wanted):
                return (f". Line {number} holds all the names: "
                        f"declare sources.{request.table}.header: {number}")  # fmt: skip
    return ""
