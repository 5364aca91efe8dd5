"""Text without delimiters → rows: cells at fixed places of the line, or divided by runs of blanks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import duckdb
import ibis

from perennial.parameters import Source
from perennial.tables.files.header_line import Dialect
from perennial.tables.files.masking import masked
from perennial.tables.files.part import Part, lines_call, notes_of, quoted_name, runs_of, view
from perennial.tables.files.raw import FILE, Raw, ReadFile, Reject
from perennial.tables.files.request import Request, engine_words
from perennial.tables.files.together import number_of

_NO_DELIMITER = "\x01"  # stands in no text: the engine gives each line as one cell


@dataclass(frozen=True)
class Spaced(Dialect):
    """Cells divided by runs of blanks."""

    def cells(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return (re.findall(r"[^ \t\r\n\v\f]+", line) for line in lines)

    def columns(self, names: Sequence[str]) -> dict[str, str]:
        """Column → the engine's expression for it."""
        return {column: f"cells[{place}]" for place, column in enumerate(names, 1)}

    def malformed(self, names: Sequence[str]) -> tuple[str, str]:
        """The engine's expression for how many cells there are, and the condition that it is wrong."""
        return "len(cells)", f"len(cells) <> {len(names)}"

    def reason(self, names: Sequence[str], found: int) -> str:
        """Why a line is malformed."""
        return f"{number_of(len(names), 'column')} expected, {found:,} found"


@dataclass(frozen=True)
class Fixed(Dialect):
    """Cells at fixed places; widths in characters."""

    widths: tuple[int, ...] = field(default=())

    def cells(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return ([line.rstrip("\r\n")[start : start + width] for start, width in self._places()] for line in lines)

    def _places(self) -> list[tuple[int, int]]:
        return [(sum(self.widths[:place]), width) for place, width in enumerate(self.widths)]

    def columns(self, names: Sequence[str]) -> dict[str, str]:
        """Column → the engine's expression for it, blanks around it removed."""
        cut = [f"nullif(trim(substring(line, {start + 1}, {width})), '')" for start, width in self._places()]
        return dict(zip(names, cut, strict=True))

    def malformed(self, names: Sequence[str]) -> tuple[str, str]:
        """The engine's expression for the line's length, and the condition that it is too long."""
        return "length(rtrim(line))", f"length(rtrim(line)) > {sum(self.widths)}"

    def reason(self, names: Sequence[str], found: int) -> str:
        """Why a line is malformed."""
        return f"{number_of(sum(self.widths), 'character')} expected, {found:,} found"


def dialect(source: Source) -> Spaced | Fixed:
    """How the source's lines are divided."""
    if source.layout == "spaced":
        return Spaced(_NO_DELIMITER, "")
    return Fixed(_NO_DELIMITER, "", tuple(source.widths))


def read(request: Request, parts: Sequence[Part]) -> Raw:
    """All rows of files without delimiters, in the order of the files."""
    runs = runs_of(parts)
    lines = _load(request, parts)
    queries, wrong = [], []
    first = 0
    for run in runs:
        query, other = _queries(run, lines, first)
        queries.append(query)
        wrong.append(other)
        first += len(run)
    rows = view(request, " UNION ALL BY NAME ".join(queries))
    malformed = partial(_rejects, request, parts, " UNION ALL ".join(wrong))
    files = [
        ReadFile(
            part.place.name,
            partial(_line_numbers, request, rows.get_name(), number),
            part.encoding,
            notes,
            tuple(part.header.names),
        )
        for number, (part, notes) in enumerate(zip(parts, notes_of(runs), strict=True))
    ]
    return Raw(rows.drop("_line"), files, malformed)


def _load(request: Request, parts: Sequence[Part]) -> str:
    """The name of a table with every line below the headers, its file, and its number."""
    table = ibis.util.gen_name("lines")
    con = request.engine.con
    con.execute(f"CREATE TEMP TABLE {table} ({FILE} INTEGER, _line BIGINT, line VARCHAR)")
    for number, part in enumerate(parts):
        above = part.header.above
        call = lines_call(part)
        try:
            con.execute(f"INSERT INTO {table} SELECT {number}, row_number() OVER () + {above}, line FROM {call}")
        except duckdb.Error as error:
            words = engine_words(error)
            raise request.error(f"the file '{part.place.name}' cannot be read as lines of text: {words}") from None
    return table


def _queries(run: Sequence[Part], lines: str, first: int) -> tuple[str, str]:
    """The engine's queries for the rows of some files, and for their malformed lines."""
    names, rule = run[0].header.names, run[0].dialect
    assert isinstance(rule, Spaced | Fixed)
    found, wrong = rule.malformed(names)
    source = rf"""
        (SELECT *, regexp_extract_all(line, '[^ \t\r\n\v\f]+') AS cells FROM {lines}
        WHERE {FILE} BETWEEN {first} AND {first + len(run) - 1} AND regexp_matches(line, '[^\s]'))
    """
    columns = ", ".join(f"{expression} AS {quoted_name(column)}" for column, expression in rule.columns(names).items())
    rows = f"SELECT {columns}, {FILE}, _line FROM {source} WHERE NOT ({wrong})"
    return rows, f"SELECT {FILE}, _line, line, {found} AS found FROM {source} WHERE {wrong}"


def _rejects(request: Request, parts: Sequence[Part], query: str) -> list[Reject]:
    rejects = [reject for part in parts for reject in part.blanked]
    for number, line, text, found in request.engine.con.execute(f"{query} ORDER BY 1, 2").fetchall():
        part = parts[number]
        assert isinstance(part.dialect, Spaced | Fixed)
        rejects.append(Reject(part.place.name, line, "", masked(text), part.dialect.reason(part.header.names, found)))
    return rejects


def _line_numbers(request: Request, rows: str, number: int, records: Sequence[int]) -> list[int]:
    query = f"SELECT _line FROM {rows} WHERE {FILE} = {number}"
    lines = request.engine.con.execute(query).fetchnumpy()["_line"]
    return [int(lines[record]) for record in records]
