"""What the parameters declare of dates, tried before any file is read by it."""

import difflib

import ibis
from ibis.backends.duckdb import Backend

from perennial.tables.files.request import Request
from perennial.tables.parse.dates import SPECIAL, try_strptime


def check_declared(request: Request, time_zone: str) -> None:
    """Check date formats and time zones of a source.

    Raises
    ------
    InputError
        With the nearest name of an unknown time zone, or what is wrong with a format.
    """
    _check_zone(request, time_zone, "time_zone")
    for name, column in request.source.columns.items():
        where = f"sources.{request.table}.columns.{name}"
        if column.time_zone is not None:
            _check_zone(request, column.time_zone, f"{where}.time_zone")
        if column.format is not None and column.format not in SPECIAL:
            _check_format(request, column.format, f"{where}.format")


def _check_zone(request: Request, zone: str, where: str) -> None:
    names = _zone_names(request.engine)
    if zone in names:
        return
    near = difflib.get_close_matches(zone, names, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else "give a name such as Europe/Berlin"
    raise request.error(f"{where}: there is no time zone '{zone}'; {hint}")


def _zone_names(engine: Backend) -> list[str]:
    return [row[0] for row in engine.con.execute("SELECT name FROM pg_timezone_names()").fetchall()]


def _check_format(request: Request, form: str, where: str) -> None:
    try:
        request.engine.execute(try_strptime(ibis.literal("0"), form))
    except Exception:
        raise request.error(
            f"{where}: '{form}' is no date format; write it as strptime does, such as %d/%m/%Y %H:%M, "
            f"or one of {', '.join(SPECIAL)}"
        ) from None
    if not any(directive in form for directive in ("%Y", "%y", "%G", "%c", "%x", "%D")):
        raise request.error(f"{where}: '{form}' has no year (%Y, or %y for two digits)")
