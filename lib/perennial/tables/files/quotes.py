"""A quotation mark that is opened and not closed swallows the lines after it: found before a file is read."""

import csv

from perennial.errors import InputError
from perennial.tables.files.header_line import Dialect
from perennial.tables.files.lines import numbered_records
from perennial.tables.files.raw import Place
from perennial.tables.files.request import Request

SUSPECTED = 10  # line ends in one cell that are looked into
_MOST = 1000  # line ends that no cell has


def refuse_swallowed_lines(request: Request, place: Place, dialect: Dialect, columns: int) -> None:
    """Refuse a file one of whose cells holds lines that are records of their own.

    Raises
    ------
    InputError
        When a record spans more than a thousand lines, or ten and more most of which have the file's delimiters.
    """
    start = 1
    try:
        for line, cells in numbered_records(place.path, dialect):
            start = line
            inner = [part for cell in cells for part in cell.splitlines()[1:]] if len(cells) else []
            if len(inner) >= SUSPECTED and (len(inner) > _MOST or _are_records(inner, dialect, columns)):
                raise _unclosed(request, place, line)
    except csv.Error:  # a cell beyond what a line can be
        raise _unclosed(request, place, start + 1) from None


def _are_records(lines: list[str], dialect: Dialect, columns: int) -> bool:
    """Whether most lines have the delimiters of a record; text of two columns' width cannot be told from one."""
    like = sum(line.count(dialect.delimiter) >= columns - 1 for line in lines)
    return columns >= 3 and 2 * like > len(lines)


def _unclosed(request: Request, place: Place, line: int) -> InputError:
    return request.error(
        f"in line {line:,} of '{place.name}', or shortly after, a quotation mark is opened and not closed: the lines "
        f"that follow would be read as one cell. Correct the line in a copy, or declare "
        f"sources.{request.table}.quote: '' if the file does not use quotation marks around cells"
    )
