"""Text → moments and days, by a declared format or by a reading that leaves no choice.

A moment is local time without zone, by the clock ``Parameters.time_zone``. Days that do not exist are unreadable.
"""

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from perennial.tables.parse.ids import as_text
from perennial.tables.parse.lazily import first_of
from perennial.tables.parse.moments import HALF, NAIVE, OFFSET, canonical, numbered_months, tidy, without_weekday

SPECIAL = ("excel", "epoch", "epoch_ms")
_MOMENT = "timestamp(6)"
_TIMED = "[:：时時点]|[0-9]{12}|[AaPp][Mm]"
_TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_TIME_DIRECTIVES = ("%H", "%I", "%M", "%S", "%f", "%p", "%X", "%c", "%T", "%R", "%g", "%n")


@ibis.udf.scalar.builtin
def try_strptime(text: str, format: str) -> dt.datetime:  # type: ignore[empty-body]
    """DuckDB's strptime that gives NULL for what does not fit; an instant in UTC where the format has ``%z``."""


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def at_zone(zone: str, moment: dt.datetime) -> dt.datetime:  # type: ignore[empty-body]
    """The instant of a local time; in a gap of summer time the hour before it, when told twice the later one."""


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def in_zone(zone: str, instant: dt.datetime) -> dt.datetime:  # type: ignore[empty-body]
    """The local time of an instant."""


@ibis.udf.scalar.builtin(name="strlen")
def bytes_of(text: str) -> int:  # type: ignore[empty-body]
    """Bytes of a text: cheaper than its characters."""


@dataclass(frozen=True)
class Clocks:
    """``written`` is the clock of the file (None: not stated), ``told`` the one by which a day is told."""

    written: str | None = None
    told: str = "UTC"

    def local(self, naive: ir.TimestampValue, timed: ir.BooleanValue | bool = True) -> ir.TimestampValue:
        """A time without zone by the clock of the report; a day without time of day is that day by any clock."""
        if self.written is None or self.written == self.told or timed is False:
            return naive
        moved = in_zone(self.told, at_zone(self.written, naive))
        return moved if timed is True else ibis.ifelse(timed, moved, naive)

    def instant(self, utc: ir.TimestampValue) -> ir.TimestampValue:
        """A moment known in UTC by the clock of the report."""
        return utc if self.told == "UTC" else in_zone(self.told, at_zone("UTC", utc))


def parse_moment(
    written: ir.StringValue, form: str | None, clocks: Clocks, plain_only: bool = False
) -> ir.TimestampValue:
    """The moment a text stands for, NULL where it is none in the declared format (None: one that leaves no choice).

    ``plain_only`` reads the format to the letter (None: ISO) and leaves everything around it to the careful reading.
    """
    if plain_only:
        return _plain(written, form, clocks)
    text = as_text(written)  # only where the fast reading of what is written fails
    if form is None:
        fast = _fast_iso(written)
        return first_of(_sound(clocks.local(fast, bytes_of(written) > 10)), _unmistakable(text, clocks))
    if form == "excel":
        return first_of(_sound(clocks.local(_excel(text), text.contains("."))), _unmistakable(text, clocks))
    if form in SPECIAL:
        return _sound(clocks.instant(_epoch(text, 1 if form == "epoch_ms" else 1000)))
    return _by_format(written, text, form, clocks)


def _plain(written: ir.StringValue, form: str | None, clocks: Clocks) -> ir.TimestampValue:
    if form is None:
        return _sound(clocks.local(_fast_iso(written), bytes_of(written) > 10))
    if form in SPECIAL:
        return ibis.null(_MOMENT)
    return _sound(_placed(_strptime(written, form), form, clocks, _is_timed(form)))


def _is_timed(form: str) -> bool:
    return any(directive in form for directive in _TIME_DIRECTIVES)


def _placed(moment: ir.TimestampValue, form: str, clocks: Clocks, with_time: bool) -> ir.TimestampValue:
    return clocks.instant(moment) if "%z" in form or "%Z" in form else clocks.local(moment, with_time)


def _sound(moment: ir.TimestampValue) -> ir.TimestampValue:
    """Only years of four digits: 0024 is a year whose century was not written."""
    return moment.between(ibis.timestamp("1000-01-01"), ibis.timestamp("9999-12-31 23:59:59.999999")).ifelse(
        moment, ibis.null(_MOMENT)
    )


def _fast_iso(text: ir.StringValue) -> ir.TimestampValue:
    """``2024-01-05`` and ``2024-01-05 10:20:30`` without a look at anything else.

    The engine's cast takes more: it drops an offset, and what follows a blank in ``10: 5``. So its moment counts only
    where it is written out as the very text.
    """
    moment = text.try_cast(_MOMENT)
    told = moment.cast("string")
    day = (bytes_of(text) == 10) & told.startswith(text)
    return ibis.cases((told == text, moment), (day, moment), (told == text.replace("T", " "), moment))


def _unmistakable(text: ir.StringValue, clocks: Clocks) -> ir.TimestampValue:
    """Year first, month by name, Chinese; with time and offset."""
    timed = text.re_search(_TIMED)
    plain = canonical(numbered_months(tidy(text)))
    naive = plain.re_extract(NAIVE, 0).try_cast(_MOMENT)
    half = try_strptime(plain.re_extract(HALF, 0).nullif(""), "%Y-%m-%d %I:%M:%S %p")
    instant = in_zone("UTC", plain.re_extract(OFFSET, 0).try_cast("timestamp('UTC')"))
    return ibis.coalesce(clocks.local(naive, timed), clocks.local(half), clocks.instant(instant))


def _excel(text: ir.StringValue) -> ir.TimestampValue:
    """Serial days of the 1900 system, whose day 60, 29 February 1900, never was; times to the millisecond."""
    serial = text.re_search(r"^[0-9]{1,7}(\.[0-9]*)?$").ifelse(text, ibis.null("string")).try_cast("float64")
    day = ibis.cases((serial < 1, ibis.null("float64")), (serial < 60, serial + 1), (serial < 61, ibis.null("float64")),
                     else_=serial)  # fmt: skip
    milliseconds = (day * 86_400_000).round().cast("int64")
    return ibis.timestamp("1899-12-30") + milliseconds.as_interval("ms")


def _epoch(text: ir.StringValue, milliseconds: int) -> ir.TimestampValue:
    """Seconds or milliseconds since 1970-01-01 UTC."""
    number = text.re_search(r"^-?[0-9]{1,15}(\.[0-9]*)?$").ifelse(text, ibis.null("string")).try_cast("decimal(24,6)")
    microseconds = (number * 1000 * milliseconds).round().try_cast("int64")
    return ibis.timestamp("1970-01-01") + microseconds.as_interval("us")


def _by_format(written: ir.StringValue, text: ir.StringValue, form: str, clocks: Clocks) -> ir.TimestampValue:
    """As declared; else without weekday and the like; a format without time also reads a time of day after the date."""
    timed = _is_timed(form)
    forms = [form] if timed else [form + time for time in _TIMES]
    texts = [written, text, without_weekday(text), tidy(text)]
    first, *others = [_placed(_strptime(t, f), form, clocks, timed or f != form) for t in texts for f in forms]
    return first_of(_sound(first), _sound(ibis.coalesce(*others)))


def _strptime(text: ir.StringValue, form: str) -> ir.TimestampValue:
    """The engine reads the words infinity and epoch in any format: a date has a digit in it."""
    dated = (text < ":") | text.re_search("[0-9]")
    return try_strptime(dated.ifelse(text, ibis.null("string")), form).cast(_MOMENT)


def parse_typed_moment(column: ir.Value, clocks: Clocks) -> ir.TimestampValue:
    """A moment or a day that is one already; one with a zone is told by the clock of the report."""
    if column.type().is_timestamp() and column.type().timezone is not None:
        return _sound(clocks.instant(in_zone("UTC", column.cast("timestamp('UTC')"))))
    return _sound(clocks.local(column.try_cast(_MOMENT), column.type().is_timestamp()))
