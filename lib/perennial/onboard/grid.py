"""Where the column names stand in the first rows of a file, and what stands above and below them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_VALUE = re.compile(r"^[\s\d.,:;/+\-()%$€£¥￥'T]*\d[\s\d.,:;/+\-()%$€£¥￥'TZ]*(?:AM|PM|am|pm)?$")


@dataclass(frozen=True)
class Heading:
    """``line`` of the column names from 1 (0: there are none) and the lines of text between them and the data."""

    line: int
    skip: int
    names: list[str]

    def keys(self) -> dict[str, Any]:
        """What a source declares of it: nothing where the names stand in the first line, right above the data."""
        keys: dict[str, Any] = {}
        if self.line != 1:
            keys["header"] = self.line
        if self.line == 0:
            keys["names"] = self.names
        if self.skip:
            keys["skip_after_header"] = self.skip
        return keys


def find_heading(rows: Sequence[Sequence[str]]) -> Heading | None:
    """The heading of a grid of text cells; None where no row has two filled cells.

    The names are the first row as wide as most rows are, all of whose cells are filled, different and no values.
    """
    widths = Counter(_width(row) for row in rows if _width(row) > 1)
    if not widths:
        return None
    usual = max(widths, key=lambda width: (widths[width], width))
    for place, row in enumerate(rows[:50]):
        if _width(row) >= usual or (_width(row) >= 2 and _width(row) >= 0.8 * usual and place < len(rows) - 1):
            if _is_names(row):
                return Heading(place + 1, _units(rows[place + 1 :], row), [cell.strip() for cell in row])
            if _values(row):
                break  # data before any names
    return Heading(0, 0, [f"column_{number + 1}" for number in range(max(len(row) for row in rows))])


def _width(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _is_names(row: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in row if cell.strip()]
    return len(set(filled)) == len(filled) and not _values(row)


def _values(row: Sequence[str]) -> int:
    """How many cells hold a number or a date."""
    return sum(1 for cell in row if _VALUE.match(cell.strip()))


def _units(below: Sequence[Sequence[str]], names: Sequence[str]) -> int:
    """How many rows under the names hold text where the data hold values: units, or the names in another language."""
    body = [row for row in below if _width(row) > 1]
    for count in (0, 1, 2):
        if len(body) < count + 3:
            return 0
        rest = body[count:]
        valued = [c for c in range(len(names)) if _share_of_values(rest[1:], c) >= 0.8]
        if not valued or any(_VALUE.match(_cell(rest[0], c)) for c in valued):
            return count
        if any(not _cell(rest[0], c) for c in valued) and not any(_cell(rest[0], c) for c in valued):
            return count
    return 0


def _cell(row: Sequence[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _share_of_values(rows: Sequence[Sequence[str]], column: int) -> float:
    cells = [_cell(row, column) for row in rows if _cell(row, column)]
    return sum(1 for cell in cells if _VALUE.match(cell)) / len(cells) if cells else 0.0
