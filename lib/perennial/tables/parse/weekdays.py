"""Weekdays written beside dates: a second witness to the day, and to the year where dates were shifted."""

import ibis
import ibis.expr.types as ir

from perennial.tables.parse.moments import BEFORE_DATE, BEHIND_DATE, CJK_DAYS
from perennial.tables.parse.numbers import to_plain

WEEKDAY = "_weekday"  # of order lines whose text names one: 0 for Monday to 6 for Sunday
_NAMES = (
    "monday mon montag mo lundi lun lunes", "tuesday tues tue dienstag di mardi martes",
    "wednesday wed mittwoch mi mercredi mer miércoles", "thursday thurs thur thu donnerstag do jeudi jeu jueves",
    "friday fri freitag fr vendredi ven viernes", "saturday sat samstag sonnabend sa samedi sam sábado",
    "sunday sun sonntag so dimanche dim domingo",
)  # fmt: skip
_SIGNS = ("一月", "二火", "三水", "四木", "五金", "六土", "日天末")
_YEARS = range(-6, 7)  # in six years every weekday comes round to every date
_MOSTLY = 0.9  # of the weekdays: another year fits them


def weekday_of(text: ir.StringValue) -> ir.IntegerValue:
    """The weekday a date's text names, 0 for Monday; NULL where it names none."""
    text = to_plain(text)
    word = ibis.coalesce(text.re_extract(BEFORE_DATE, 1).nullif(""), text.re_extract(BEHIND_DATE, 1).nullif("")).lower()
    sign = ibis.coalesce(*[text.re_extract(pattern, 1).nullif("") for pattern in CJK_DAYS])
    named = [(word == name, number) for number, names in enumerate(_NAMES) for name in names.split()]
    signed = [(sign == one, number) for number, signs in enumerate(_SIGNS) for one in signs]
    return ibis.cases(*named, *signed, else_=ibis.null("int8")).cast("int8")


def is_wrong(rows: ir.Table, years: int = 0) -> ir.BooleanValue:
    """Whether the weekday written is not that of the date read, moved by so many years."""
    return rows[WEEKDAY] != (rows.ordered_at + ibis.interval(years=years)).day_of_week.index()


def told(rows: ir.Table) -> str:
    """A sentence on how many weekdays fit their dates, and on another year that would fit; empty without any."""
    named = rows.filter(rows[WEEKDAY].notnull(), rows.ordered_at.notnull())
    fits = {f"y{years}": (~is_wrong(named, years)).sum() for years in _YEARS}
    found = named.aggregate(n=named.count(), last=named.ordered_at.max().year(), **fits).to_pyarrow().to_pylist()[0]
    if not found["n"]:
        return ""
    text = f"transactions.ordered_at: a weekday stands beside {found['n']:,} dates and fits {found['y0']:,} of them"
    best = max(_YEARS, key=lambda years: (found[f"y{years}"], -abs(years)))
    if best and found[f"y{best}"] >= _MOSTLY * found["n"]:
        text += (
            f"; in {found['last'] + best} instead of {found['last']} it would fit {found[f'y{best}']:,}: "
            "the years seem to have been changed"
        )
    return text
