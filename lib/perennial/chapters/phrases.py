"""Sentences and forms that several chapters share."""

import datetime as dt

from perennial import formats
from perennial.language import _, plural


def source_of_customers(title: str, as_of: dt.date, customers: int, more: str = "") -> str:
    """The line under a chart that rests on customers, and what ``more`` there is to say."""
    text = _(
        "Source: orders of {title} to {date}; n = {n} customers.",
        title=title,
        date=formats.date(as_of),
        n=formats.number(customers),
    )
    return f"{text} {more}".strip()


def amount(value: float, currency: str) -> str:
    """An amount of money, cents only below ten."""
    size = abs(value)
    return formats.money(value, currency, digits=None if size >= 999.5 else 0 if size >= 10 or not size else 2)


def about(count: float) -> str:
    """A count that is an estimate: two figures."""
    return formats.number(float(f"{count:.2g}"), 0)


def unit_name(unit: str) -> str:
    """``month`` in the reader's language."""
    return {"week": _("week"), "month": _("month"), "quarter": _("quarter")}[unit]


def left_out(shared: int) -> str:
    """That ids which several people seem to share are not among those to contact; empty where there are none."""
    if not shared:
        return ""
    return plural(
        "Left out is {count} id that several people seem to share: nobody can be contacted under it.",
        "Left out are {count} ids that several people seem to share: nobody can be contacted under them.",
        shared,
        count=formats.number(shared),
    )


def among_them(shared: int) -> str:
    """That some of those counted are ids which several people seem to share; empty where none are."""
    if not shared:
        return ""
    return plural(
        "Among them is {count} id that several people seem to share: nobody can be contacted under it.",
        "Among them are {count} ids that several people seem to share: nobody can be contacted under these.",
        shared,
        count=formats.number(shared),
    )


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return _("{first} and {last}", first=", ".join(names[:-1]), last=names[-1])
