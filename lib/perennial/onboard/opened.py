"""Files opened by the same readers as a report's, with a profile of every column."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.onboard.look import Part
from perennial.onboard.profile import Profile, profile_columns
from perennial.parameters import Source
from perennial.tables.files import locate
from perennial.tables.files.raw import Raw
from perennial.tables.files.request import Request
from perennial.tables.read import open_files


@dataclass(frozen=True)
class Opened:
    """One part, held by the engine: ``rows`` as they arrived, and what its columns hold."""

    part: Part
    rows: ir.Table
    profiles: dict[str, Profile]

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
        return [self._open(part, number) for number, part in enumerate(self._together(parts))]

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
        return open_files(request, locate.source_places(source, self.root), None)

    def _open(self, part: Part, number: int) -> Opened:
        raw = self._read(part)
        rows = self.engine.create_table(f"seen_{number}", raw.rows, temp=True)
        read = [f"{file.name} is read as {file.encoding}" for file in raw.files if file.encoding not in ("", "utf-8")]
        notes = [*part.notes, *[note for file in raw.files for note in file.notes]]
        return Opened(replace(part, notes=notes or read), rows, profile_columns(rows))


def _as_one(group: Sequence[Part]) -> Part:
    """Parts with the same columns: their paths in a list, the encoding only where all have the same."""
    first = group[0]
    keys = dict(first.keys)
    if len({part.keys.get("encoding") for part in group}) > 1:
        keys.pop("encoding", None)
    name = first.name if len(group) == 1 else f"{first.name} and {len(group) - 1} more"
    paths = [path for part in group for path in part.paths]
    return Part(name, paths, keys, [n for part in group for n in part.notes], any(part.chinese for part in group))
