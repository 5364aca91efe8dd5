"""Where records stand in their file: places among the records read → line numbers, counted from 1."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perennial.tables.files.header_line import Dialect, lines_of, long_cells
from perennial.tables.files.unpack import chunks

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """What is known of a file's lines.

    Attributes
    ----------
    newline : the byte that ends a line.
    above : lines above the data.
    quoted_ends : whether a cell may hold line ends.
    blank_is_record : whether a blank line is a record, as it is in a file of one column.
    skipped : numbers of the lines the engine could not divide; known when the file has been read.
    """

    path: Path
    dialect: Dialect
    newline: bytes
    above: int
    quoted_ends: bool
    blank_is_record: bool
    skipped: Callable[[], Sequence[int]]

    def numbers(self, records: Sequence[int]) -> list[int]:
        """The line numbers of records, given from 0 in any order."""
        if not len(records):
            return []
        if self.quoted_ends:
            return self._divided(records)
        blank = [] if self.blank_is_record else self._blank_lines()
        out = np.unique(np.array([*blank, *self.skipped()], np.int64))
        out = out[out > self.above]
        plain: Places = np.asarray(records, np.int64) + self.above + 1
        passed = np.searchsorted(out - np.arange(len(out)), plain, side="right")
        return [int(line) for line in plain + passed]

    def _blank_lines(self) -> list[int]:
        """Numbers of the lines with nothing in them, found without dividing the file."""
        found: list[int] = []
        line, width = 1, 0  # of the line that is open at the end of a chunk, in bytes without carriage return
        with self.path.open("rb") as file:
            for chunk in chunks(file):
                data = np.frombuffer(chunk, np.uint8)
                ends = np.flatnonzero(data == self.newline[0])
                if self.newline == b"\n" and b"\r" in chunk:
                    keep = data != 13
                    ends = np.cumsum(keep)[ends] - 1
                    size = int(keep.sum())
                else:
                    size = len(data)
                widths = np.diff(ends, prepend=-1 - width) - 1
                found += [line + int(i) for i in np.flatnonzero(widths == 0)]
                line += len(ends)
                width = size - int(ends[-1]) - 1 if len(ends) else width + size
        return found

    def _divided(self, records: Sequence[int]) -> list[int]:
        """Line numbers where cells hold line ends: the file is divided up to the last record asked for."""
        asked, last = set(records), max(records)
        skipped = set(self.skipped())
        found: dict[int, int] = {}
        record = 0
        for line, cells in numbered_records(self.path, self.dialect):
            if line <= self.above or not cells or line in skipped:
                continue
            if record in asked:
                found[record] = line
            if record == last:
                break
            record += 1
        return [found[record] for record in records]


def numbered_records(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Every record of a file with the number of its first line, blank lines as empty records."""
    with long_cells(), path.open(encoding="utf-8-sig", newline="") as file:
        passed = 0

        def counted() -> Iterator[str]:
            nonlocal passed
            for line in lines_of(file):
                passed += 1
                yield line

        first = 1
        for cells in dialect.cells(counted()):
            yield first, cells
            first = passed + 1


def lines_at(path: Path, newline: bytes, places: Sequence[int]) -> list[int]:
    """The numbers of the lines in which bytes stand, given by their places from 0 in rising order."""
    wanted: Places = np.asarray(places, np.int64)
    passed = np.zeros(len(wanted), np.int64)
    start = 0
    with path.open("rb") as file:
        for chunk in chunks(file):
            ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == newline[0]) + start
            passed += np.searchsorted(ends, wanted, side="left")
            start += len(chunk)
            if not len(wanted) or start > wanted[-1]:
                break
    return [int(line) + 1 for line in passed]
