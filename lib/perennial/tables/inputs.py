"""A client's inputs: which files there are, their digests, and their rows still as they arrived."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ibis.backends.duckdb import Backend

from perennial.errors import ParameterError
from perennial.parameters import Parameters
from perennial.schema import TABLES
from perennial.tables import engine, read
from perennial.tables.audit import SourceFile
from perennial.tables.cache import is_remembered, sha256
from perennial.tables.files import locate
from perennial.tables.files.raw import Place, Raw
from perennial.tables.files.request import Request


@dataclass
class Inputs:
    """The inputs of one preparation; ``scratch`` is a folder that is removed after it."""

    parameters: Parameters
    root: Path
    scratch: Path
    files: list[SourceFile] = field(default_factory=list)

    @cached_property
    def engine(self) -> Backend:
        """The engine that holds the rows."""
        return engine.connect()

    @cached_property
    def sources(self) -> list[tuple[Request, Raw]]:
        """Every source as :meth:`open` has found it."""
        given = self.parameters
        requests = [
            Request(self.engine, given.client, table, given.sources[table], self.root, self.scratch, given.locale)
            for table in TABLES
            if table in given.sources
        ]
        return [(request, read.read_source(request, given.cleaning)) for request in requests]

    def open(self) -> int:
        """Look through every source, without reading its rows; how many there are.

        Raises
        ------
        InputError
            When a file cannot be read, has no rows, or lacks a mapped column.
        """
        return len(self.sources)


@contextmanager
def open_inputs(parameters: Parameters, root: Path, refresh: bool = False) -> Iterator[Inputs]:
    """Everything a client's sources read, with its digests; see :func:`input_files`.

    Files that are new are opened while their digests are taken: both go through all bytes, each on one core.
    """
    require_files(parameters, root)
    cache = root / ".cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".reading-", dir=cache) as scratch, ThreadPoolExecutor(1) as beside:
        inputs = Inputs(parameters, root, Path(scratch))
        digests = beside.submit(input_files, parameters, root, refresh)
        if _is_new(parameters, root):
            inputs.open()
        inputs.files = digests.result()
        yield inputs


def _is_new(parameters: Parameters, root: Path) -> bool:
    """Whether a file has changed since its digest was taken; with a server there is a copy to be made first."""
    if any(source.database for source in parameters.sources.values()):
        return False
    return not all(is_remembered(place.path, _digests(root)) for _, place in _declared(parameters, root))


def require_files(parameters: Parameters, root: Path) -> None:
    """Check that every declared file is there.

    Raises
    ------
    ParameterError
        With one sentence per file that is missing or empty.
    """
    problems = locate.missing_files(parameters, root)
    if problems:
        raise ParameterError(f"{parameters.client}.yaml cannot be used:", problems)


def input_files(parameters: Parameters, root: Path, refresh: bool = False) -> list[SourceFile]:
    """Every file (and copy of a server's table) the client's sources read, with size and digest.

    ``refresh`` takes new copies of servers' tables; otherwise those that are there stand.
    """
    files = [
        SourceFile(table, place.name, place.path.stat().st_size, sha256(place.path, _digests(root)))
        for table, place in _declared(parameters, root)
    ]
    return files + [
        _server_table(parameters, table, root, refresh)
        for table, source in parameters.sources.items()
        if source.database
    ]


def _declared(parameters: Parameters, root: Path) -> list[tuple[str, Place]]:
    """Every file that is declared, and the table it is for."""
    paths = locate.declared_paths(parameters)
    return [(where.split(".")[1], place) for where, path in paths for place in locate.places(path, root)]


def _digests(root: Path) -> Path:
    return root / ".cache" / "digests.json"


def _server_table(parameters: Parameters, table: str, root: Path, refresh: bool) -> SourceFile:
    from perennial.tables.files import server

    copy = server.snapshot(parameters, table, root, refresh)
    name = server.shown_name(parameters.sources[table])
    note = f"copied from the server at {copy.taken_at}"
    return SourceFile(table, name, copy.path.stat().st_size, copy.sha256, rows=copy.rows, notes=[note])
