"""Cells of a spreadsheet → text, written the way the same value would stand in a text file."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

EXACT_DIGITS = 15  # Excel keeps no more of a number


def column_texts(values: Sequence[Any]) -> list[str | None]:
    """A column's cells as text, empty ones as None.

    Whole numbers have no decimals (Excel knows no integers), others are the shortest text that gives the number back.
    Dates are ISO; if any date of the column has a time of day, all are written with one.
    """
    kinds = set(map(type, values))
    if kinds <= {str}:
        return [value or None for value in values]
    if dt.datetime in kinds and any(type(value) is dt.datetime and not _is_midnight(value) for value in values):
        values = [_at_midnight(value) if type(value) is dt.date else value for value in values]
        writers = {**_WRITERS, dt.datetime: _moment}
    else:
        writers = _WRITERS
    return [writers[type(value)](value) or None for value in values]


def cut_digits(values: Sequence[Any]) -> int:
    """How many cells hold a whole number longer than the digits Excel keeps: long ids lose their last ones."""
    return sum(type(v) is float and abs(v) >= 10**EXACT_DIGITS for v in values)


def cell_name(row: int, column: int) -> str:
    """``B7`` for row 6 and column 1, both from 0."""
    return f"{column_letters(column)}{row + 1}"


def column_letters(column: int) -> str:
    """``A`` for column 0, ``AA`` for 26."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 10**EXACT_DIGITS:
        return str(int(value))
    text = repr(value)
    return f"{Decimal(text):f}" if "e" in text and 1e-15 < abs(value) < 1e21 else text


def _is_midnight(value: dt.datetime) -> bool:
    return value.time() == dt.time()


def _at_midnight(value: dt.date) -> dt.datetime:
    return dt.datetime.combine(value, dt.time())


def _moment(value: dt.datetime) -> str:
    """To the second: a time of day is a fraction of a day in Excel, which misses it by microseconds."""
    seconds = (value + dt.timedelta(milliseconds=2)).replace(microsecond=0)
    near = abs(seconds - value) <= dt.timedelta(milliseconds=2)
    return (seconds if near else value).isoformat(sep=" ")


def _duration(value: dt.timedelta) -> str:
    """ISO 8601: ``PT36H30M0S``."""
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}PT{seconds // 3600}H{seconds % 3600 // 60}M{seconds % 60}S"


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: str,
    float: _number,
    int: str,
    bool: lambda value: "true" if value else "false",
    dt.datetime: lambda value: value.date().isoformat(),
    dt.date: dt.date.isoformat,
    dt.time: lambda value: value.replace(microsecond=0).isoformat(),
    dt.timedelta: _duration,
}
