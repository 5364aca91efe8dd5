"""Lines the engine could not divide into the columns of their file: which, and why, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ibis.backends.duckdb import Backend

from perennial.tables.files.lines import Lines, lines_at
from perennial.tables.files.masking import masked
from perennial.tables.files.part import Part
from perennial.tables.files.raw import Reject
from perennial.tables.files.request import Request
from perennial.tables.files.together import number_of

MOST = 500_000  # malformed lines of one file that are listed; beyond, the file is declared wrongly
_SWALLOWED = "swallowed by the quotation mark opened in line {line:,}"


@dataclass(frozen=True)
class Scanned:
    """One file of a scan: ``number`` is its place among the scan's files."""

    request: Request
    rejects_table: str
    number: int
    part: Part

    def rejects(self) -> list[Reject]:
        """The malformed lines of the file, each once, in its order; none before the file has been read."""
        name, columns = self.part.place.name, len(self.part.header.names)
        rows = self._rows()
        if len(rows) > MOST:
            raise self.request.error(
                f"more than {MOST:,} lines of '{name}' cannot be divided into {number_of(columns, 'column')} "
                f"(the first: {_reason(rows[0], columns)}). Check sources.{self.request.table}: delimiter, quote"
            )
        places = [row["place"] - 1 + len(row["head"]) - len(row["head"].lstrip("\r\n")) for row in rows]
        found = list(self.part.blanked)
        for line, row in zip(lines_at(self.part.place.path, self.part.found.newline, places), rows, strict=True):
            first, *rest = row["head"].strip("\r\n").splitlines() or [""]
            found.append(Reject(name, line, "", masked(first), _reason(row, columns)))
            swallowed = _SWALLOWED.format(line=line)
            found += [Reject(name, line + i, "", masked(text), swallowed) for i, text in enumerate(rest, 1)]
        return sorted(found, key=lambda reject: reject.line)

    def lines(self) -> Lines:
        """The lines of the file, those left out of its records known once it has been read."""
        part = self.part
        blank_is_record = len(part.header.names) == 1
        quoted_ends = part.found.longest_quoted > 0
        return Lines(part.place.path, part.dialect, part.found.newline, part.header.above, quoted_ends,
                     blank_is_record, lambda: [reject.line for reject in self.rejects()])  # fmt: skip

    def _rows(self) -> list[dict[str, Any]]:
        engine = self.request.engine
        if not _exists(engine, self.rejects_table):
            return []
        query = f"""
            SELECT line_byte_position AS place, any_value(csv_line) AS head,
                list_distinct(list(error_type::VARCHAR)) AS kinds, min(column_idx) AS least, max(column_idx) AS most
            FROM {self.rejects_table} WHERE file_id = {self.number} GROUP BY ALL ORDER BY place LIMIT {MOST + 1}
        """
        return list(engine.con.sql(query).to_arrow_table().to_pylist())


def rejects_of(scanned: Sequence[Scanned]) -> list[Reject]:
    """The malformed lines of all files of some scans; files without any are passed over."""
    touched: set[tuple[str, int]] = set()
    for name, engine in {one.rejects_table: one.request.engine for one in scanned}.items():
        if _exists(engine, name):
            found = engine.con.execute(f"SELECT DISTINCT file_id FROM {name}").fetchall()
            touched |= {(name, int(number)) for (number,) in found}
    concerned = [one for one in scanned if one.part.blanked or (one.rejects_table, one.number) in touched]
    return [reject for one in concerned for reject in one.rejects()]


def _exists(engine: Backend, table: str) -> bool:
    found = engine.con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()
    return bool(found)


def _reason(row: dict[str, Any], columns: int) -> str:
    """Why a line is malformed; where several things are wrong, the one that explains the others."""
    kinds = row["kinds"]
    expected = f"{number_of(columns, 'column')} expected"
    if "UNQUOTED VALUE" in kinds:
        return "a quotation mark is opened and not closed, or stands inside a quoted cell"
    if "LINE SIZE OVER MAXIMUM" in kinds:
        return "longer than 2 MB"
    if "TOO MANY COLUMNS" in kinds:
        return f"{expected}, {row['most']:,} found"
    if "MISSING COLUMNS" in kinds:
        return f"{expected}, {row['least']:,} found"
    return "cannot be divided into cells"
