"""The clock by which days are told, the last day of the orders, and whether a few lie oddly long after it."""

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass

import ibis.expr.types as ir

from perennial.onboard.questions import Answers, Question
from perennial.onboard.write_yaml import Entry
from perennial.tables.parse.dates import Clocks, parse_moment

_CLOCK = "the clock by which an order's day is told"
_LONG_DAYS, _FEW = 45, 0.001
_OFFSET = re.compile(r"\d:\d{2}(?:[:.][\d.]+)?\s*(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)$")


@dataclass(frozen=True)
class Stray:
    """Rows dated long after all others, up to ``last``."""

    rows: int
    last: dt.date


def time_zone(header: str, texts: Counter[str], answers: Answers) -> list[Entry]:
    """Where times carry an offset, the clock by which an order's day is told: at midnight it decides.

    Parameters
    ----------
    texts : values of the column of times, and how often each stands there.
    """
    found = _clock_of_offsets(texts)
    if found is None:
        given = answers.given("time_zone")
        return [Entry("time_zone", given, _CLOCK)] if given else []
    text = (
        f"The times in '{header}' carry an offset, most often '{found[0]}'. By the clock of which time zone does the "
        "client's day end (a name such as Europe/Berlin)?"
    )
    return [Entry("time_zone", answers.ask(Question("time_zone", text, {}, found[1])), _CLOCK)]


def _clock_of_offsets(texts: Counter[str]) -> tuple[str, str] | None:
    """The commonest offset from UTC that times carry (``+02:00``), and the zone that keeps it; None without any.

    A zone of whole hours keeps the clock the times were written by; for others UTC stands.
    """
    found: Counter[str] = Counter()
    for text, times in texts.items():
        match = _OFFSET.search(text)
        if match:
            found[match[1]] += times
    if 2 * found.total() < texts.total() or not found:
        return None
    common = found.most_common(1)[0][0]
    hours, minutes = (int(common[:3]), common[3:].strip(":")) if common[0] in "+-" else (0, "")
    return common, "UTC" if not hours or minutes not in ("", "00") else f"Etc/GMT{-hours:+d}"


def last_order_day(values: ir.Table, form: str | None, zone: str = "UTC") -> tuple[dt.date | None, Stray | None]:
    """The last readable day (None: there is none) and the few rows set apart from it by a long gap, if any.

    Parameters
    ----------
    values : text of each day with orders as ``value``, and the day's rows as ``n``.
    form : the format the text is written in, where it needs one.
    zone : the clock by which days are told.
    """
    rows = values.select("n", day=parse_moment(values.value, form, Clocks(None, zone)).cast("date"))
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
