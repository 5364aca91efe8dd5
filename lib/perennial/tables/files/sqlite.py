"""SQLite files opened without leaving a trace, and their rows as text in Arrow batches."""

import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from perennial.errors import PerennialError

MARK = b"SQLite format 3\0"
_BATCH = 50_000


class UnusableError(PerennialError):
    """Why a file cannot be read, as the end of a sentence that begins with it."""


class Database:
    """A SQLite file, open as something that nobody changes: without locks, and without files beside it.

    Raises
    ------
    UnusableError
        When another program has changes that are not in the file yet, or the file is damaged.
    """

    def __init__(self, path: Path):
        for ending in ("-wal", "-journal"):
            beside = path.with_name(path.name + ending)
            if beside.is_file() and beside.stat().st_size:
                raise UnusableError(
                    "is being written to, or was not closed: close the program that uses it, and try again"
                )
        self._base = sqlite3.connect(
            f"file:{quote(str(path.resolve()))}?immutable=1", uri=True, check_same_thread=False
        )
        self._base.text_factory = lambda text: text.decode("utf-8", "replace")
        try:
            self.tables()
        except sqlite3.DatabaseError:
            self._base.close()
            raise UnusableError("is damaged or was not copied to its end: export or copy it again") from None

    def tables(self) -> list[str]:
        """Tables and views by name."""
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        return [name for (name,) in self._base.execute(query)]

    def columns(self, table: str) -> list[str]:
        """The columns of a table or view, in their order."""
        return [name for (name,) in self._base.execute("SELECT name FROM pragma_table_info(?)", [table])]

    def batches(self, table: str, wanted: Sequence[str] | None) -> pa.RecordBatchReader:
        """The rows in the order of the file, every cell as text."""
        names = list(wanted) if wanted is not None else self.columns(table)
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        listed = ", ".join(map(_quoted, names))
        cursor = self._base.execute(f"SELECT {listed} FROM {_quoted(table)}")
        return pa.RecordBatchReader.from_batches(schema, _batches(cursor, schema))

    def close(self) -> None:
        self._base.close()


def _batches(cursor: sqlite3.Cursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(_BATCH):
        columns = [pa.array([_text(value) for value in values], pa.string()) for values in zip(*rows, strict=True)]
        yield pa.record_batch(columns, schema=schema)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    if isinstance(value, float):
        text = repr(value)
        return f"{Decimal(text):f}" if "e" in text and 1e-15 < abs(value) < 1e21 else text
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
