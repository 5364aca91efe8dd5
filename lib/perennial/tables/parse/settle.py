"""One source parsed: formats that were not declared are looked for among all its values, or asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from perennial.tables.audit import ColumnFacts
from perennial.tables.files.request import Request, engine_words
from perennial.tables.parse.checks import check_declared
from perennial.tables.parse.columns import BAD, EXACT, exact_quantity, first_reading, kind_of, parse_column
from perennial.tables.parse.dates import SPECIAL
from perennial.tables.parse.detect import DateDetection, detect_dates_in, detect_numbers_in
from perennial.tables.parse.numbers import MONEY, marks, times
from perennial.tables.parse.weekdays import WEEKDAY, told, weekday_of

_WORTH_ASKING = 0.05  # of the rows given: fewer are counted as unreadable instead of stopping the run
_MOSTLY = 0.5  # unreadable numbers beyond this share are a wrong declaration, not bad data
_ISO = "year-month-day"


@dataclass(frozen=True)
class Parsed:
    """A source as a table of the engine, in the order read; facts on each mapped column; sentences for the audit."""

    rows: ir.Table
    columns: list[ColumnFacts]
    notes: list[str]


def parse_source(request: Request, rows: ir.Table, time_zone: str, trimmed: bool = False) -> Parsed:
    """Parse every column of a source into a temporary table ``parsed_<table>``.

    Parameters
    ----------
    time_zone : the clock by which moments are told.
    trimmed : whether no text has blanks around it or is empty.

    Raises
    ------
    InputError
        When a date can be read in two ways (with the formats to choose from), or numbers need other marks.
    """
    check_declared(request, time_zone)
    formats = {name: column.format for name, column in request.source.columns.items()}
    name = f"parsed_{request.table}"
    plain = first_reading(rows, request.table, request.source, formats, time_zone, trimmed)
    try:
        parsed = request.engine.create_table(name, plain)
    except Exception as error:  # only now has the engine read the files to their end
        where = request.source.path or request.source.table
        raise request.error(f"'{where}' cannot be read to its end: {engine_words(error)}") from None
    counts = _counts(parsed)
    if any(bad for _, bad in counts.values()):
        parsed = _read_again(request, parsed, {n: formats[n] for n, (_, bad) in counts.items() if bad}, time_zone)
        counts = _counts(parsed)
    found, notes = _settle_dates(request, parsed, formats, counts)
    if found:
        parsed = _read_again(request, parsed, found, time_zone)
        counts = _counts(parsed)
    _require_numbers(request, parsed, counts)
    if WEEKDAY in parsed.columns and (said := told(parsed)):
        notes.append(said)
    return Parsed(parsed, column_facts(request, parsed, {**formats, **found}, counts), notes)


def _counts(parsed: ir.Table) -> dict[str, tuple[int, int]]:
    """Column → rows read, rows with text that could not be read.

    Each column is a query of its own: where it is full, or empty, the engine knows without looking at the rows.
    """
    named = [name for name in parsed.columns if not name.startswith("_")]
    return {name: (int(parsed[name].count().to_pyarrow().as_py()), _unread(parsed, name)) for name in named}


def _unread(parsed: ir.Table, name: str) -> int:
    if BAD + name not in parsed.columns:
        return 0
    return int(parsed.filter(parsed[BAD + name].notnull()).count().to_pyarrow().as_py())


def column_facts(
    request: Request, parsed: ir.Table, formats: dict[str, str | None], counts: dict[str, tuple[int, int]]
) -> list[ColumnFacts]:
    """How each mapped column was read, and how much of it could be."""
    facts = []
    for name, column in request.source.columns.items():
        kind = kind_of(request.table, name)
        read, unreadable = counts[name]
        origin = column.source if column.source is not None else f"constant '{column.constant}'"
        form = ""
        if kind in ("timestamp", "date"):
            form = formats.get(name) or _ISO
        elif kind in ("money", "price", "number"):
            decimal, thousands = marks(column, request.source)
            form = f"decimal '{decimal}'" + (f", thousands '{thousands}'" if thousands else "")
        facts.append(ColumnFacts(request.table, name, origin, kind, form, read + unreadable, unreadable))
    return facts


def _settle_dates(
    request: Request, parsed: ir.Table, formats: dict[str, str | None], counts: dict[str, tuple[int, int]]
) -> tuple[dict[str, str], list[str]]:
    """The format of each date column with text that needs one and none declared; notes on what settled it."""
    found, notes = {}, []
    for name in request.source.columns:
        read, bad = counts[name]
        if kind_of(request.table, name) not in ("timestamp", "date") or formats.get(name) or not bad:
            continue
        values = parsed.group_by(value=parsed[BAD + name]).agg(n=parsed.count()).filter(lambda t: t.value.notnull())
        detected = detect_dates_in(values)
        form = _choose(request, name, detected, bad, bad / (read + bad))
        if form is None:
            continue
        found[name] = form
        share = next(f.share for f in detected.formats if f.format == form)
        others = f"; {read:,} others have the year first" if read else ""
        notes.append(
            f"{request.table}.{name}: no format is declared; {round(share * bad):,} values are "
            f"{detected.evidence} ({form}){others}"
        )
    return found, notes


def _choose(request: Request, name: str, detected: DateDetection, bad: int, share: float) -> str | None:
    """The format to read the remaining values by; None leaves them unreadable."""
    where = f"sources.{request.table}.columns.{name}"
    column = request.source.columns[name].source
    if not detected.formats:
        return None
    best = detected.formats[0]
    worth_asking = best.share * share >= _WORTH_ASKING
    if best.format in SPECIAL or best.format is None:
        if best.format in SPECIAL and worth_asking:
            raise request.error(
                f"column '{column}' holds numbers such as '{best.example}' in {round(best.share * bad):,} rows; if "
                f"they are dates, declare format: {best.format} under {where}"
            )
        return None
    if not detected.ambiguous:
        return best.format
    if worth_asking:
        raise request.error(f"column '{column}': {detected.question} under {where}")
    return None


def _read_again(request: Request, parsed: ir.Table, forms: Mapping[str, str | None], time_zone: str) -> ir.Table:
    """Read with care, by these formats, what could not be read so far in some columns; everything else stays."""
    fresh: dict[str, ir.Value] = {}
    for name, form in forms.items():
        left = parsed[BAD + name]
        has_own_clock = request.source.columns[name].time_zone is not None  # by another the day written may be the next
        if (request.table, name) == ("transactions", "ordered_at") and not has_own_clock:
            known = parsed[WEEKDAY] if WEEKDAY in parsed.columns else ibis.null("int8")
            fresh[WEEKDAY] = ibis.coalesce(known, weekday_of(left))
        value = parse_column(left, request.table, name, request.source, form, time_zone)
        fresh[name] = ibis.coalesce(parsed[name], value)
        fresh[BAD + name] = ibis.ifelse(value.isnull(), left, ibis.null("string"))
    if EXACT in parsed.columns:
        quantity = ibis.coalesce(parsed[EXACT], exact_quantity(parsed[f"{BAD}quantity"], request.source))
        price = fresh.get("unit_price", parsed.unit_price)
        fresh |= {EXACT: quantity, "amount": times(quantity, price).try_cast(MONEY)}
    name = f"parsed_{request.table}"
    request.engine.create_table(f"settled_{name}", parsed.mutate(**fresh))
    request.engine.con.execute(f'DROP TABLE "{name}"; ALTER TABLE "settled_{name}" RENAME TO "{name}"')
    return request.engine.table(name)


def _require_numbers(request: Request, parsed: ir.Table, counts: dict[str, tuple[int, int]]) -> None:
    """Stop where most of a column of numbers cannot be read as declared, but can with other marks.

    Raises
    ------
    InputError
        With the marks to declare.
    """
    for name, column in request.source.columns.items():
        read, bad = counts[name]
        if kind_of(request.table, name) not in ("money", "price", "number") or bad <= _MOSTLY * (read + bad):
            continue
        values = parsed.group_by(value=parsed[BAD + name]).agg(n=parsed.count()).filter(lambda t: t.value.notnull())
        detected = detect_numbers_in(values)
        if detected.share <= _MOSTLY:
            continue
        decimal, thousands = marks(column, request.source)
        example = values.limit(1).to_pyarrow().to_pylist()[0]["value"]
        raise request.error(
            f"column '{column.source}': {bad:,} of {read + bad:,} values, such as '{example}', are no numbers with "
            f"decimal: '{decimal}', thousands: '{thousands}', but most are with decimal: '{detected.decimal}', "
            f"thousands: '{detected.thousands}'; declare these under sources.{request.table}.columns.{name}"
        )
