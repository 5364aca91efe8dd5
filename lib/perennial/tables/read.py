"""Client files → Ibis tables with every mapped column under its canonical name, still as it arrived.

Text layouts arrive as text only; Parquet keeps its types. Nothing is parsed or removed here.
"""

import difflib
import importlib.util
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.errors import InputError
from perennial.parameters import Parameters, Source

PACKAGE = "package:"


def resolve(path: str, root: Path) -> Path:
    """Where a source's file lies: in the project, absolute, or ``package:<name>/<file>`` of an installed package."""
    if not path.startswith(PACKAGE):
        return root / path
    package, _, inside = path.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)  # finds it without importing it
    if spec is None or spec.origin is None:
        raise InputError(f"{path}: the Python package '{package}' is not installed; run the set-up again")
    return Path(spec.origin).parent / inside


def missing_files(parameters: Parameters, root: Path) -> list[str]:
    """One sentence per source file that is not there or is empty."""
    problems = []
    for table, source in parameters.sources.items():
        for path in source.files():
            try:
                place = resolve(path, root)
            except InputError as error:
                problems.append(f"sources.{table}: {error}")
                continue
            if not place.is_file():
                problems.append(f"sources.{table}: there is no file '{path}'{_nearest_file(place)}")
            elif place.stat().st_size == 0:
                problems.append(f"sources.{table}: the file '{path}' is empty")
    return problems


def _nearest_file(place: Path) -> str:
    siblings = [p.name for p in place.parent.iterdir()] if place.parent.is_dir() else []
    near = difflib.get_close_matches(place.name, siblings, n=1)
    return f"; did you mean '{near[0]}'?" if near else f" (looked in {place.parent.name}/)"


def read_source(engine: Backend, client: str, table: str, source: Source, root: Path) -> ir.Table:
    """All rows of a source, its mapped columns renamed to their canonical names.

    Raises
    ------
    InputError
        When the file cannot be read, has no rows, or lacks a mapped column (with the nearest one it has).
    """
    raw = _open(engine, client, table, source.path, source, root)
    if source.lookup:
        other = _open(engine, client, table, source.lookup.path, source, root)
        raw = _join(client, table, raw, other, source)
    _check_columns(client, table, raw, source)
    columns: dict[str, ir.Value] = {}
    for name, column in source.columns.items():
        columns[name] = ibis.literal(column.constant) if column.source is None else raw[column.source]
    for name in source.attributes:
        columns[name] = raw[name]
    return raw.select(**columns)


def _open(engine: Backend, client: str, table: str, path: str, source: Source, root: Path) -> ir.Table:
    place = resolve(path, root)
    try:
        raw = _LAYOUTS["parquet" if place.suffix == ".parquet" else source.layout](engine, place, source)
        empty = raw.limit(1).count().execute() == 0
    except InputError:
        raise
    except Exception as error:  # the engine's own words, shortened to their first line
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{client}, {table}: the file '{path}' cannot be read as {source.layout}: {reason}") from error
    if empty:
        raise InputError(f"{client}, {table}: the file '{path}' has a header but no rows")
    return raw


def _read_csv(engine: Backend, place: Path, source: Source) -> ir.Table:
    return engine.read_csv(str(place), all_varchar=True, header=True, delim=source.delimiter, nullstr="")


def _read_parquet(engine: Backend, place: Path, source: Source) -> ir.Table:
    return engine.read_parquet(str(place))


def _read_spaced(engine: Backend, place: Path, source: Source) -> ir.Table:
    """Columns divided by runs of blanks, names in the first line."""
    with place.open(encoding="utf-8") as lines:
        names = lines.readline().split()
    if not names:
        raise InputError(f"the first line of '{source.path}' holds no column names")
    raw = engine.read_csv(
        str(place), all_varchar=True, header=False, skip=1, delim="\x01", quote="", columns={"line": "VARCHAR"}
    )
    cells = raw.select(cells=raw.line.strip().re_split(r"\s+"))
    return cells.select(**{name: cells.cells[place] for place, name in enumerate(names)})


_LAYOUTS = {"csv": _read_csv, "parquet": _read_parquet, "spaced": _read_spaced}


def _join(client: str, table: str, raw: ir.Table, other: ir.Table, source: Source) -> ir.Table:
    assert source.lookup is not None
    key = source.lookup.by
    for path, side in [(source.path, raw), (source.lookup.path, other)]:
        if key not in side.columns:
            raise InputError(f"{client}, {table}: '{path}' has no column '{key}' to look up by; {_has(side)}")
    repeated = other.group_by(key).agg(n=other.count()).filter(lambda t: t.n > 1).count().execute()
    if repeated:
        raise InputError(
            f"{client}, {table}: '{source.lookup.path}' has {repeated} values of '{key}' more than once; "
            "looking up by it would repeat rows. Give a file with one row per value."
        )
    return raw.left_join(other, key, rname="").select(
        *[raw[c] for c in raw.columns], *[other[c] for c in other.columns if c not in raw.columns]
    )


def _check_columns(client: str, table: str, raw: ir.Table, source: Source) -> None:
    wanted = [c.source for c in source.columns.values() if c.source is not None] + source.attributes
    problems = []
    for name in wanted:
        if name not in raw.columns:
            near = difflib.get_close_matches(name, raw.columns, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else _has(raw)
            problems.append(f"{client}, {table}: '{source.path}' has no column '{name}'; {hint}")
    if problems:
        raise InputError("\n".join(problems))


def _has(table: ir.Table) -> str:
    names = list(table.columns)
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"it has: {shown}"
