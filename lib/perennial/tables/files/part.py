"""A text file made ready for the engine, and how the engine is asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import ibis
import ibis.expr.types as ir

from perennial.tables.files.header_line import Dialect, Header
from perennial.tables.files.raw import FILE, Place, Reject
from perennial.tables.files.request import Request
from perennial.tables.files.survey import Survey
from perennial.tables.files.together import some_of


@dataclass(frozen=True)
class Part:
    """One text file in UTF-8 with one kind of line end and known columns.

    ``blanked`` are the lines that were left blank in the copy that ``place`` points to.
    """

    place: Place
    encoding: str
    dialect: Dialect
    header: Header
    found: Survey
    blanked: list[Reject]


def quoted_text(value: str) -> str:
    """A literal of the engine's language."""
    return "'" + value.replace("'", "''") + "'"


def quoted_name(value: str) -> str:
    """A column's name in the engine's language."""
    return '"' + value.replace('"', '""') + '"'


def runs_of(parts: Sequence[Part]) -> list[list[Part]]:
    """Neighbouring files that can be read in one go: same columns below as many lines, divided alike."""

    def shape(part: Part) -> tuple[object, ...]:
        # a column of this name hides the engine's number of the file
        alone = part.place.path if "file_index" in (column.casefold() for column in part.header.names) else None
        return part.header.names, part.header.above, part.dialect, part.found.line_end, alone

    return [list(run) for _, run in groupby(parts, key=shape)]


def notes_of(runs: Sequence[Sequence[Part]]) -> list[tuple[str, ...]]:
    """Sentences for the audit per file: what its header says, and the columns it lacks that others have."""
    every = list(dict.fromkeys(column for run in runs for column in run[0].header.names))
    notes = []
    for run in runs:
        lacking = [column for column in every if column not in run[0].header.names]
        note = f"It lacks {some_of(lacking)}, which other files of the source have; these are empty for its rows."
        notes += [(*part.header.notes, *([note] if lacking else [])) for part in run]
    return notes


def lines_call(part: Part) -> str:
    """The engine's call that reads a file's lines below the header, each as one text."""
    return _call([part], ["line"])


def read_call(parts: Sequence[Part], rejects: str) -> str:
    """The engine's call that reads files of one shape: every cell as text, malformed lines kept in a table aside."""
    kept = f"rejects_table={quoted_text(rejects)}, rejects_scan={quoted_text(rejects + '_scan')}"
    return _call(parts, parts[0].header.names, f"store_rejects=true, rejects_limit=0, {kept}")


def _call(parts: Sequence[Part], columns: Sequence[str], *more: str) -> str:
    rule = parts[0].dialect
    mark = quoted_text(rule.quote)
    paths = ", ".join(quoted_text(str(part.place.path)) for part in parts)
    types = ", ".join(f"{quoted_text(column)}: 'VARCHAR'" for column in columns)
    given = [
        f"[{paths}], auto_detect=false, header=false, skip={parts[0].header.above}, columns={{{types}}}",
        f"delim={quoted_text(rule.delimiter)}, quote={mark}, escape={mark}, nullstr=''",
        "strict_mode=true",
    ]
    return f"read_csv({', '.join([*given, *more])})"


def view(request: Request, query: str) -> ir.Table:
    """A query as a table that is computed whenever it is used."""
    called = ibis.util.gen_name("text")
    request.engine.con.execute(f"CREATE TEMP VIEW {quoted_name(called)} AS {query}")
    return request.engine.table(called)


def file_number(run: Sequence[Part], first: int) -> str:
    """The expression that numbers the files of a scan from ``first``."""
    return f"(file_index + {first})::INTEGER AS {FILE}" if len(run) > 1 else f"{first}::INTEGER AS {FILE}"
