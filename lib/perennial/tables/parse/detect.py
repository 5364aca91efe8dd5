"""How a column's text is written, judged by all its values: date formats, decimal marks, ids that were numbers.

Where two readings fit, the answer says so and holds the question to ask; nothing here decides by what is more common.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.tables import engine
from perennial.tables.parse.date_orders import orders
from perennial.tables.parse.dates import Clocks, parse_moment
from perennial.tables.parse.moments import tidy
from perennial.tables.parse.numbers import NUMBER, parse_as

Values = Iterable[tuple[str, int]]  # distinct text without blanks around it, and its rows

_SERIALS = {  # of numbers that may be dates
    "excel": r"^[2-7][0-9]{4}(\.[0-9]+)?$",
    "epoch": r"^[0-9]{9,10}(\.[0-9]+)?$",
    "epoch_ms": r"^[0-9]{12,13}$",
}
_DAY = "^([0-9]{1,2}(?:/[0-9]{1,2}/|-[0-9]{1,2}-|[.][0-9]{1,2}[.]| [0-9]{1,2} )(?:[0-9]{4}|[0-9]{2}))(?:[ T,]|$)"
_SHAPES = {  # of the time after a day
    " %I:%M %p": " [0-9]{1,2}:[0-9]{2} [AP]M$",
    " %I:%M:%S %p": " [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AP]M$",
    " %H:%M": " [0-9]{1,2}:[0-9]{2}$",
    " %H:%M:%S": " [0-9]{1,2}:[0-9]{2}:[0-9]{2}$",
    " %H:%M:%S.%f": r" [0-9]{1,2}:[0-9]{2}:[0-9]{2}\.[0-9]+$",
}
_MARKS = [(".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")]


@dataclass(frozen=True)
class DateFormat:
    """One reading: ``format`` as under sources (None: text that needs none), the share of rows it reads, an example."""

    format: str | None
    share: float
    example: str


@dataclass(frozen=True)
class DateDetection:
    """``formats`` by share, ``[]`` where nothing reads as a date. ``question`` is asked where ``ambiguous``.

    ``evidence`` says what settled the order of day and month.
    """

    formats: list[DateFormat] = field(default_factory=list)
    ambiguous: bool = False
    question: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class NumberDetection:
    """The marks that read most rows, and the share they read; ``ambiguous`` where other marks read other numbers."""

    decimal: str
    thousands: str
    ambiguous: bool
    share: float
    question: str = ""


@dataclass(frozen=True)
class IdDetection:
    """Shares of rows whose id ends in ``.0``, begins with 0, or has characters masked by ``*``, ``#`` or ``xxx``."""

    trailing_zero: float
    leading_zero: float
    masked: float


def detect_dates(values: Values) -> DateDetection:
    """Which date formats the values are written in.

    Parameters
    ----------
    values : pairs of distinct text and its number of rows; the more of a column's values, the surer the answer.
    """
    return detect_dates_in(_as_table(values))


def detect_dates_in(values: ir.Table) -> DateDetection:
    """As :func:`detect_dates`, for a table of the engine with columns ``value`` and ``n``."""
    plain = parse_moment(values.value, None, Clocks()).notnull()
    measures = {"rows": values.n.sum(), "plain": values.n.sum(where=plain), "example": values.value.min(where=plain)}
    for name, pattern in _SERIALS.items():
        found = ~plain & values.value.re_search(pattern)
        measures |= {name: values.n.sum(where=found), f"example_{name}": values.value.min(where=found)}
    counted = values.aggregate(**measures).to_pyarrow().to_pylist()[0]
    rows = int(counted["rows"] or 0)
    if not rows:
        return DateDetection()
    formats = [DateFormat(None, int(counted["plain"]) / rows, counted["example"])] if counted["plain"] else []
    formats += [
        DateFormat(name, int(counted[name]) / rows, counted[f"example_{name}"]) for name in _SERIALS if counted[name]
    ]
    order = orders(_days(values.filter(~plain)))
    formats += [DateFormat(order.format, order.rows / rows, order.example)] if order.rows else []
    formats.sort(key=lambda found: -found.share)
    return DateDetection(formats, order.ambiguous, order.question, order.evidence)


def _days(values: ir.Table) -> list[tuple[str, str, int, str]]:
    """Day, shape of the time after it, rows and an example, of values that are two small numbers and a year."""
    tidied = tidy(values.value)
    cases = [(tidied.re_search(pattern), time) for time, pattern in _SHAPES.items()]
    found = values.mutate(_day=tidied.re_extract(_DAY, 1), _shape=ibis.cases(*cases, else_=""))
    counted = (
        found.filter(lambda t: t._day != "").group_by("_day", "_shape").agg(n=found.n.sum(), example=found.value.min())
    )
    return [(r["_day"], r["_shape"], int(r["n"]), r["example"]) for r in counted.to_pyarrow().to_pylist()]


def detect_numbers(values: Values) -> NumberDetection:
    """Which decimal and thousands marks the values are written with."""
    return detect_numbers_in(_as_table(values))


def detect_numbers_in(table: ir.Table) -> NumberDetection:
    """As :func:`detect_numbers`, for a table of the engine with columns ``value`` and ``n``."""
    read = [parse_as(table.value, decimal, thousands, NUMBER) for decimal, thousands in _MARKS]
    measures = {f"read_{i}": table.n.sum(where=number.notnull()) for i, number in enumerate(read)}
    counted = table.aggregate(rows=table.n.sum(), **measures).to_pyarrow().to_pylist()[0]
    rows = int(counted["rows"] or 0)
    shares = [int(counted[f"read_{i}"] or 0) for i in range(len(_MARKS))]
    best = max(shares)
    if not best:
        return NumberDetection(".", "", False, 0.0)
    first, *others = [i for i, share in enumerate(shares) if share == best]
    decimal, thousands = _MARKS[first]
    for other in others:
        differing = table.filter(read[first] != read[other]).aggregate(
            rows=table.n.sum(), value=table.value.min(), one=read[first].min(), two=read[other].min()
        )
        differs = differing.to_pyarrow().to_pylist()[0]
        if differs["rows"]:
            question = (
                f"all {rows:,} numbers can be read in two ways: '{differs['value']}' may be written with a decimal "
                f"mark or with a thousands mark; declare decimal and thousands"
            )
            return NumberDetection(decimal, thousands, True, best / rows, question)
    return NumberDetection(decimal, thousands, False, best / rows)


def detect_ids(values: Values) -> IdDetection:
    """What happened to ids on their way: numbers made of them, zeros kept, characters masked."""
    pairs = list(values)
    rows = sum(n for _, n in pairs) or 1

    def share(pattern: str) -> float:
        return sum(n for value, n in pairs if re.search(pattern, value)) / rows

    return IdDetection(share(r"^\d+\.0+$"), share(r"^0\d+$"), share(r"\*|#{2}|[xX]{3}|•"))


def _as_table(values: Values) -> ir.Table:
    pairs = list(values)
    table = pa.table(
        {"value": pa.array([v for v, _ in pairs], pa.string()), "n": pa.array([n for _, n in pairs], pa.int64())}
    )
    return engine.connect().create_table("values_seen", table)
