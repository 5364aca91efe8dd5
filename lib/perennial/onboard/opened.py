"""Files opened by the same readers as a report's, with a profile of every column."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.errors import InputError, PerennialError
from perennial.onboard.look import Part
from perennial.onboard.profile import Profile, profile_columns, spread
from perennial.parameters import Source
from perennial.tables.files import locate, server
from perennial.tables.files.encodings import refuse_mixed
from perennial.tables.files.raw import Raw
from perennial.tables.files.request import Request, engine_words
from perennial.tables.files.unpack import unpack
from perennial.tables.read import open_files

_SAMPLE = 300_000  # rows that are enough for everything but dates and counts


@dataclass(frozen=True)
class Opened:
    """One part, held by the engine: ``rows`` as they arrived, a ``sample`` of them, and what its columns hold."""

    part: Part
    rows: ir.Table
    sample: ir.Table
    profiles: dict[str, Profile]
    _days: dict[str, ir.Table] = field(default_factory=dict)

    def values(self, header: str) -> ir.Table:
        """Each distinct text of a column in the sample as ``value``, and its rows as ``n``."""
        return _counted(self.sample, header)

    def days(self, header: str) -> ir.Table:
        """One text for each day in a column of times, over all rows, as ``value``; and the day's rows as ``n``."""
        if header not in self._days:
            rows = self.rows.select(value=self.rows[header].cast("string"))
            colon = rows.value.find(":")
            # what stands before a time of day; a text that begins with a time is taken whole
            day = ibis.ifelse(colon > 4, rows.value.left(colon - 2), rows.value).strip()
            days = rows.group_by(_day=day).agg(value=rows.value.min().strip().nullif(""), n=rows.count())
            self._days[header] = days.drop("_day").filter(lambda t: t.value.notnull()).cache()
        return self._days[header]

    def said(self, rows: int) -> str:
        """A number of the sample's rows, for all rows."""
        whole = int(self.sample.count().execute())
        return f"{rows:,}" if whole == self.count else f"about {round(rows * self.count / whole, -2):,.0f}"

    @property
    def count(self) -> int:
        """How many rows."""
        return next(iter(self.profiles.values())).rows if self.profiles else 0


@dataclass(frozen=True)
class Desk:
    """Where files are opened: an engine, the project's folder and one that is removed afterwards."""

    engine: Backend
    client: str
    root: Path
    scratch: Path
    locale: str

    def open_all(self, parts: Sequence[Part]) -> list[Opened]:
        """All parts; those with the same columns, read the same way, as one."""
        return [self._open(part) for part in self._together(parts)]

    def keep(self, rows: ir.Table) -> ir.Table:
        """A table of the engine's own with these rows."""
        return self.engine.create_table(ibis.util.gen_name("seen"), rows, temp=True)

    def opened(self, part: Part, rows: ir.Table) -> Opened:
        """A part whose rows the engine holds, with a sample of them and a profile of every column."""
        few = spread(rows, _SAMPLE)
        sample = rows if few is rows else self.keep(few)
        return Opened(part, rows, sample, profile_columns(rows, sample))

    def _together(self, parts: Sequence[Part]) -> list[Part]:
        if len(parts) < 2:
            return list(parts)
        groups: dict[str, list[Part]] = {}
        for part in parts:
            keys = {key: value for key, value in part.keys.items() if key != "encoding"}
            columns = [name for name in self._read(part).rows.columns if not name.startswith("_")]
            groups.setdefault(repr((columns, sorted(keys.items()), part.keys.get("table"))), []).append(part)
        return [_as_one(group) for group in groups.values()]

    def _read(self, part: Part) -> Raw:
        keys = part.keys if "database" in part.keys else {"path": part.paths, **part.keys}
        source = Source.model_validate({"columns": {}, **keys})
        request = Request(self.engine, self.client, "transactions", source, self.root, self.scratch, self.locale)
        places = [server.whole_table(request)] if source.database else locate.source_places(source, self.root)
        if source.encoding and not source.encoding.startswith("utf"):  # seen in the beginning of each file
            for plain in [plain for place in places for plain in unpack(request, place)]:
                refuse_mixed(request, plain, source.encoding)
        return open_files(request, places, None)

    def _open(self, part: Part) -> Opened:
        raw = self._read(part)
        try:
            rows = self.keep(raw.rows)
        except PerennialError:
            raise
        except Exception as error:
            raise InputError(f"'{part.name}' cannot be read to its end: {engine_words(error)}") from None
        read = [
            f"{file.name} is read as {file.encoding}"
            for file in raw.files
            if not file.encoding.lower().startswith("utf") and file.encoding
        ]
        notes = [*part.notes, *[note for file in raw.files for note in file.notes]]
        if not rows.limit(1).count().execute():
            raise InputError(f"'{part.name}' has column names but no rows")
        return self.opened(replace(part, notes=notes or read), rows)


def _counted(rows: ir.Table, header: str) -> ir.Table:
    text = rows.select(value=rows[header].cast("string").strip().nullif("")).filter(lambda t: t.value.notnull())
    return text.group_by("value").agg(n=text.count()).cache()


def _as_one(group: Sequence[Part]) -> Part:
    """Parts with the same columns: their paths in a list, the encoding only where all have the same."""
    first = group[0]
    keys = dict(first.keys)
    if len({part.keys.get("encoding") for part in group}) > 1:
        keys.pop("encoding", None)
    name = first.name if len(group) == 1 else f"{first.name} and {len(group) - 1} more"
    paths = [path for part in group for path in part.paths]
    return Part(name, paths, keys, [n for part in group for n in part.notes], any(part.chinese for part in group))
