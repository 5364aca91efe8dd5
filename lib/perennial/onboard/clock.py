"""The last day of the orders, and whether a few lie oddly long after it."""

import datetime as dt
from dataclasses import dataclass

import ibis.expr.types as ir

from perennial.tables.parse.dates import Clocks, parse_moment

_LONG_DAYS, _FEW = 45, 0.001


@dataclass(frozen=True)
class Stray:
    """Rows dated long after all others, up to ``last``."""

    rows: int
    last: dt.date


def last_order_day(values: ir.Table, form: str | None) -> tuple[dt.date | None, Stray | None]:
    """The last readable day (None: there is none) and the few rows set apart from it by a long gap, if any.

    Parameters
    ----------
    values : text of each day with orders as ``value``, and the day's rows as ``n``.
    form : the format the text is written in, where it needs one.
    """
    rows = values.select("n", day=parse_moment(values.value, form, Clocks()).cast("date"))
    days = rows.filter(rows.day.notnull()).group_by("day").agg(n=lambda t: t.n.sum())
    found = [(row["day"], int(row["n"])) for row in days.order_by("day").to_pyarrow().to_pylist()]
    if not found:
        return None, None
    total, after = sum(n for _, n in found), 0
    for (earlier, _), (later, n) in reversed(list(zip(found, found[1:], strict=False))):
        after += n
        if after > _FEW * total:
            break
        if (later - earlier).days > max(_LONG_DAYS, 3 * _usual_gap(found)):
            return earlier, Stray(after, found[-1][0])
    return found[-1][0], None


def _usual_gap(days: list[tuple[dt.date, int]]) -> float:
    return (days[-1][0] - days[0][0]).days / max(1, len(days) - 1) if len(days) < 20 else 1
