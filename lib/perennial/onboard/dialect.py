"""How a text file is divided into columns: by a character, by runs of blanks, or at fixed places."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennial.errors import InputError
from perennial.onboard.grid import Heading, find_heading
from perennial.onboard.open_text import decode, first_bytes

_DELIMITERS = (",", ";", "\t", "|", "\x01", "^", "~", "§", "¦", "#", ":")
_LINES, _LONGEST_LINE = 300, 300_000
_PAGED = 0.7  # share of a printed list's lines that are records


@dataclass(frozen=True)
class Dialect:
    """Keys of a source as they stand in YAML, and sentences about what was seen."""

    keys: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    chinese: bool = False


def text_dialect(path: Path, locale: str) -> Dialect:
    """See how a text file is laid out from its beginning; only what differs from the defaults is in ``keys``.

    Raises
    ------
    InputError
        When it cannot be opened, or its first line does not end.
    """
    text, encoding = decode(first_bytes(path), locale)
    lines = text.splitlines()[: _LINES + 1]
    if len(text) > _LONGEST_LINE and len(lines) == 1:
        raise InputError(f"the file '{path.name}' has no line break in its first million characters: it is no table")
    lines = lines[:-1] if len(lines) > 1 and not text.endswith("\n") and len(text) > 1000 else lines
    keys: dict[str, Any] = {}
    notes = []
    if encoding not in ("utf-8", "utf-8-sig"):
        keys["encoding"] = encoding
        notes.append(f"read as {encoding}: it is not UTF-8")
    divided, heading = _divide(lines, path.suffix.lower() == ".tsv" or ".tsv." in path.name)
    keys |= divided
    if heading:
        keys |= heading.keys()
    return Dialect(keys, notes, encoding == "gb18030" or any("\u4e00" <= letter <= "\u9fff" for letter in text[:5000]))


def _divide(lines: list[str], tabs_expected: bool) -> tuple[dict[str, Any], Heading | None]:
    expected = "\t" if tabs_expected else ","
    best, rows = _delimiter(lines)
    if best is not None:
        return ({} if best == expected else {"delimiter": best}), find_heading(rows)
    widths = _fixed_widths(lines)
    blanks = [line.split() for line in lines]
    if _even(blanks) == 1:
        return {"layout": "spaced"}, find_heading(blanks)
    fixed = find_heading([_cut(line, widths) for line in lines]) if len(widths) > 1 else None
    if not (fixed and fixed.line) and _even(blanks) > _PAGED:  # a printed list, with titles and rulers on every page
        usual = Counter(len(row) for row in blanks if row).most_common(1)[0][0]
        return {"layout": "spaced"}, find_heading([row if len(row) == usual else [] for row in blanks])
    if fixed:
        return {"layout": "fixed", "widths": widths}, fixed
    return {}, find_heading([line.split(expected) for line in lines])


def _even(rows: Sequence[Sequence[str]]) -> float:
    """The share of filled rows with the commonest number of cells; 0 where that is one cell."""
    counts = Counter(len(row) for row in rows if row)
    width, times = counts.most_common(1)[0] if counts else (1, 0)
    return times / sum(counts.values()) if width > 1 and sum(counts.values()) > 1 else 0.0


def _delimiter(lines: Sequence[str]) -> tuple[str | None, list[list[str]]]:
    """The character that gives most lines the same number of cells, and the cells; None where there is none.

    Decimal commas can be as regular as the true delimiter, but they begin only below the column names.
    """
    best: tuple[float, int, int] = (0.5, -len(lines), 0)
    found: tuple[str | None, list[list[str]]] = (None, [])
    for delimiter in _DELIMITERS:
        if not any(delimiter in line for line in lines):
            continue
        rows = _rows(lines, delimiter)
        counts = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
        width, times = counts.most_common(1)[0] if counts else (1, 0)
        first = next((place for place, row in enumerate(rows) if len(row) == width), len(rows))
        fit = (round(times / max(1, sum(counts.values())), 1), -first, width)
        if width > 1 and fit > best:
            best, found = fit, (delimiter, rows)
    return found


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Cells line by line (blank lines kept, so that places are line numbers); a line break in quotes ends a cell."""
    try:
        return [next(csv.reader(io.StringIO(line), delimiter=delimiter), []) for line in lines]
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def _fixed_widths(lines: Sequence[str]) -> list[int]:
    """Widths of columns between places that are blank in every line."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 3:
        return []
    longest = max(map(len, filled))
    blank = [all(place >= len(line) or line[place] == " " for line in filled) for place in range(longest)]
    starts = [place for place in range(longest) if not blank[place] and (place == 0 or blank[place - 1])]
    return [after - start for start, after in zip(starts, [*starts[1:], longest], strict=True)]


def _cut(line: str, widths: Sequence[int]) -> list[str]:
    cells, start = [], 0
    for width in widths:
        cells.append(line[start : start + width].strip())
        start += width
    return cells
