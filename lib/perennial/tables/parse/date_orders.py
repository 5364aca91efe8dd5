"""Which of day, month and year stands where, in dates of three numbers: told by the values that fit one order only."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

# A lone value that fits another order is a slip of the pen; more than one in ten of these and both orders are in use.
_CONTRADICTION = 0.1
_NAMES = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}

Day = tuple[str, str, int, str]  # a date of three numbers, the format of the time after it, rows, the whole text


@dataclass(frozen=True)
class Order:
    """The best reading of such dates: its format, the rows it reads, an example; or the question where several fit."""

    format: str = ""
    rows: int = 0
    example: str = ""
    ambiguous: bool = False
    question: str = ""
    evidence: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Reading:
    order: str
    format: str
    rows: int
    only: int  # rows that fit no other order
    example: str  # of those, else of any


def orders(days: Iterable[Day]) -> Order:
    """The reading that fits most rows, among dates written with the same mark and as many digits of the year."""
    groups: dict[tuple[str, int], list[Day]] = defaultdict(list)
    for day in days:
        parts = re.split("[-/. ]", day[0])
        groups[day[0][len(parts[0])], len(parts[2])].append(day)
    found = [_settle(mark, digits, group) for (mark, digits), group in sorted(groups.items())]
    return max(found, key=lambda order: order.rows, default=Order())


def _settle(mark: str, digits: int, days: list[Day]) -> Order:
    candidates = ["dmy", "mdy"] if digits == 4 else _two_digit_orders(days)
    read = {day[0]: {order: date for order in candidates if (date := _date(day[0], order))} for day in days}
    readings = [_count(order, mark, digits, days, read) for order in candidates]
    readings = sorted((r for r in readings if r.rows), key=lambda r: (-r.rows, -r.only))
    if not readings:
        return Order()
    best, *others = readings
    rivals = [r for r in others if r.only > best.only * _CONTRADICTION or _fits_as_well(best, r, read)]
    if rivals:
        return Order(best.format, best.rows, best.example, True, _question([best, *rivals], days, read),
                     choices=tuple(r.format for r in [best, *rivals]))  # fmt: skip
    name = _NAMES[best.order]
    evidence = f"read as {name}: values such as '{best.example}' fit no other order" if best.only else f"read as {name}"
    return Order(best.format, best.rows, best.example, evidence=evidence)


def _two_digit_orders(days: list[Day]) -> list[str]:
    """A year of two digits is first or last: where fewer different numbers stand; where equal, both stay."""
    if any(len(re.split("[-/. ]", day[0])[0]) == 1 for day in days):
        return ["dmy", "mdy"]
    first = len({day[0][:2] for day in days})
    last = len({day[0][-2:] for day in days})
    if first == last:
        return ["dmy", "mdy", "ymd"]
    return ["ymd"] if first < last else ["dmy", "mdy"]


def _date(text: str, order: str) -> dt.date | None:
    part = dict(zip(order, re.split("[-/. ]", text), strict=True))
    year = int(part["y"])
    if len(part["y"]) == 2:
        year += 2000 if year < 69 else 1900  # as strptime reads it
    try:
        return dt.date(year, int(part["m"]), int(part["d"])) if year >= 1000 else None
    except ValueError:
        return None


def _count(order: str, mark: str, digits: int, days: list[Day], read: dict[str, dict[str, dt.date]]) -> _Reading:
    fitting = [day for day in days if order in read[day[0]]]
    only = [day for day in fitting if len(set(read[day[0]].values())) == 1 and len(read[day[0]]) == 1]
    times = {time for _, time, _, _ in fitting}
    letters = {"d": "%d", "m": "%m", "y": "%Y" if digits == 4 else "%y"}
    form = mark.join(letters[letter] for letter in order) + (times.pop() if len(times) == 1 else "")
    example = min((day[3] for day in only or fitting), default="")
    return _Reading(order, form, sum(day[2] for day in fitting), sum(day[2] for day in only), example)


def _fits_as_well(best: _Reading, other: _Reading, read: dict[str, dict[str, dt.date]]) -> bool:
    """Neither has a value of its own, and some value is another day in the other order."""
    differs = any(len({best.order, other.order} & found.keys()) == 2 and found[best.order] != found[other.order]
                  for found in read.values())  # fmt: skip
    return best.only == 0 and differs and best.rows == other.rows


def _question(readings: list[_Reading], days: list[Day], read: dict[str, dict[str, dt.date]]) -> str:
    rows = sum(day[2] for day in days)
    choices = " or ".join(f"'{reading.format}'" for reading in readings)
    if any(reading.only for reading in readings):
        told = ", ".join(f"{reading.only:,} (such as '{reading.example}') fit only {_NAMES[reading.order]}"
                         for reading in readings if reading.only)  # fmt: skip
        return f"of {rows:,} values {told}; declare format: {choices}"
    return (
        f"all {rows:,} values, such as '{readings[0].example}', fit {len(readings)} orders; declare format: {choices}"
    )
