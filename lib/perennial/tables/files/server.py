"""Tables of PostgreSQL and MySQL servers: copied once a run to a Parquet file, from which every chapter reads.

The copy holds the columns that the parameters use and nothing else of a row, save a keyed digest of the whole, by which
exact duplicates are told from lines that only look alike. It is readable by its owner alone.
"""

import datetime as dt
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import ibis
from filelock import FileLock

from perennial.parameters import Parameters, Source
from perennial.tables import engine
from perennial.tables.cache import fingerprint
from perennial.tables.files.raw import Place
from perennial.tables.files.request import Request
from perennial.tables.files.server_connection import connect, is_mysql, open_table
from perennial.tables.files.server_copy import portable, stream
from perennial.tables.files.used import used_columns


@dataclass(frozen=True)
class Snapshot:
    """A table as it stood: ``sha256`` is equal for equal content, whatever order the server gave its rows in."""

    path: Path
    sha256: str
    rows: int
    taken_at: str  # ISO, UTC
    columns: list[str]  # of the server's table, copied or not


def snapshot(parameters: Parameters, table: str, root: Path, refresh: bool) -> Snapshot:
    """The copy of a server's table: taken now if ``refresh``, else the one that is there, if it fits the parameters.

    A fresh copy with the content of the last one leaves that in place, so that its rows keep their order.

    Raises
    ------
    InputError
        In words that show nothing of the URI: when the server, the table or a column cannot be read.
    """
    source = parameters.sources[table]
    path = snapshot_path(parameters.client, table, root)
    asked = fingerprint([source.database, source.table, used_columns(source, parameters.cleaning, table)])
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(path.with_suffix(".lock")):
        known = _known(path, asked)
        if known is not None and not refresh:
            return known
        request = Request(engine.connect(), parameters.client, table, source, root, path.parent, parameters.locale)
        for left in path.parent.glob(f".taking-{table}-*"):  # by a run that was killed
            left.unlink()
        descriptor, name = tempfile.mkstemp(prefix=f".taking-{table}-", dir=path.parent)
        os.close(descriptor)
        fresh = Path(name)
        try:
            columns = _copy(request, fresh, parameters)
            sha256, rows = _content(request, fresh)
            if known is None or known.sha256 != sha256:
                path.with_suffix(".json").unlink(missing_ok=True)
                fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        taken = Snapshot(path, sha256, rows, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), columns)
        _remember(taken, asked)
    return taken


def snapshot_path(client: str, table: str, root: Path) -> Path:
    """Where a table's copy lies; beside the clients' caches, whose folders come and go."""
    return root / ".cache" / ".snapshots" / client / f"{table}.parquet"


def shown_name(source: Source) -> str:
    """How readers are shown a server's table: by its name and the *name* of the variable that holds the URI."""
    return f"{source.table} ({source.database})"


def place(request: Request) -> Place:
    """The copy as a Parquet file to read, under the name that people are shown; taken before by :func:`snapshot`."""
    return Place(shown_name(request.source), snapshot_path(request.client, request.table, request.root))


def columns_of(request: Request) -> tuple[str, ...]:
    """The names of all columns that the server's table had when the copy was taken."""
    memory = snapshot_path(request.client, request.table, request.root).with_suffix(".json")
    return tuple(json.loads(memory.read_text(encoding="utf-8"))["columns"])


def whole_table(request: Request) -> Place:
    """A copy of all columns in the request's scratch folder, for a table that nothing is declared of yet.

    Raises
    ------
    InputError
        When the server or the table cannot be read.
    """
    path = request.scratch / f"{ibis.util.gen_name('server')}.parquet"
    with connect(request) as backend:
        rows = open_table(request, backend)
        selected = rows.select(**{name: portable(rows[name], is_mysql(backend)) for name in rows.columns})
        problem = stream(backend, selected, len(rows.columns), path, None)
    if problem:
        raise request.error(f"the table '{request.source.table}' {problem}")
    return Place(shown_name(request.source), path)


def _copy(request: Request, path: Path, parameters: Parameters) -> list[str]:
    """Stream the used columns into a Parquet file; the names of all columns of the table."""
    used = used_columns(request.source, parameters.cleaning, request.table)
    with connect(request) as backend:
        rows = open_table(request, backend)
        kept = [column for column in used if column in rows.columns]
        if not request.source.lookup:  # whose columns may be among the used
            request.require(f"{request.source.table}", rows.columns, used)
        whole = request.table == "transactions"
        fetched = [*kept, *(column for column in rows.columns if whole and column not in kept)]
        selected = rows.select(**{name: portable(rows[name], is_mysql(backend)) for name in fetched})
        problem = stream(backend, selected, len(kept), path, _digest_key(request) if whole else None)
    if problem:
        raise request.error(f"the table '{request.source.table}' {problem}")
    return list(rows.columns)


def _digest_key(request: Request) -> bytes:
    """The URI makes the digests' key: it is secret, the same from run to run, and never written."""
    return hashlib.sha256(os.environ.get(request.source.database or "", "").encode()).digest()


def _content(request: Request, path: Path) -> tuple[str, int]:
    """A digest of all rows that does not depend on their order, and their number."""
    rows = request.engine.read_parquet(str(path))
    whole = ibis.struct({name: rows[name] for name in rows.columns})
    again = ibis.struct({"salt": ibis.literal("again"), **{name: rows[name] for name in rows.columns}})
    sums = rows.aggregate(
        rows=rows.count(),
        first=whole.hash().cast("decimal(38, 0)").sum().cast("string"),
        second=again.hash().cast("decimal(38, 0)").sum().cast("string"),
    )
    found = sums.to_pyarrow().to_pylist()[0]
    if not found["rows"]:
        raise request.error(f"the table '{request.source.table}' has no rows")
    types = [(name, str(kind)) for name, kind in rows.schema().items()]
    digest = hashlib.sha256(json.dumps([types, found]).encode()).hexdigest()
    return digest, int(found["rows"])


def _known(path: Path, asked: str) -> Snapshot | None:
    """The copy that is there, unless it was taken for other columns or another table."""
    memory = path.with_suffix(".json")
    if not path.is_file() or not memory.is_file():
        return None
    facts = json.loads(memory.read_text(encoding="utf-8"))
    if facts["asked"] != asked or "columns" not in facts:
        return None
    return Snapshot(path, facts["sha256"], facts["rows"], facts["taken_at"], facts["columns"])


def _remember(taken: Snapshot, asked: str) -> None:
    fresh = taken.path.with_suffix(".new")
    fresh.write_text(json.dumps({**asdict(taken), "path": taken.path.name, "asked": asked}), encoding="utf-8")
    fresh.replace(taken.path.with_suffix(".json"))
