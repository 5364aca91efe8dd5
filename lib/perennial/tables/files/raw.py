"""What every reader gives back: rows as they arrived, and how to find any of them in its file again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

FILE = "_file"  # the column that numbers the files of a source from 0


@dataclass(frozen=True)
class Place:
    """A file that is there: ``name`` as it is shown to readers, ``path`` where it lies."""

    name: str
    path: Path


@dataclass(frozen=True)
class Reject:
    """One unusable line (or cell). ``line`` counts from 1 in the file; ``text`` shows no personal value."""

    file: str
    line: int
    column: str
    text: str
    reason: str


@dataclass(frozen=True)
class ReadFile:
    """One file, sheet or database table as it was opened.

    ``line_numbers`` turns the places of records in the file (from 0, in the order read) into line or row numbers
    (from 1, the header included). ``notes`` are sentences for the audit, ``columns`` the names of all columns there
    are, wanted or not; ``rows`` how many records it held, where its rows are not among those of the source.
    """

    name: str
    line_numbers: Callable[[Sequence[int]], list[int]]
    encoding: str = ""
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True)
class Raw:
    """Rows of one source.

    Attributes
    ----------
    rows : the wanted columns under the names they have in the file, text (typed where the format is), and ``_file``;
        in the order of the files and of the records in each.
    files : in the order of ``_file``.
    trimmed : whether no text in ``rows`` has blanks around it or is empty, so that none need be looked for.
    malformed : the lines that could not be split into columns; known once ``rows`` has been read to its end.
    """

    rows: ir.Table
    files: list[ReadFile]
    malformed: Callable[[], list[Reject]] = list
    trimmed: bool = False
