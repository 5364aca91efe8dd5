"""The words of chapter 01 on days and months: coverage, gaps, spikes, first appearances."""

import math
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.censoring import Beginning
from perennial.chapters import phrases
from perennial.chapters.audit_words import source
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

FIXED_TIMES = 3  # as often must a day of the month stand out to be a fixed one
FIXED_SHARE = 2 / 3  # of the days that stand out
MOST_FIXED = 4  # different days of the month


def captions(study: "Study") -> dict[str, Caption]:
    """The words around the charts and tables over time, by name."""
    return {
        "audit_months": _months(study),
        "audit_rhythm": _rhythm(study),
        "audit_gaps": _gaps(study),
        "audit_spikes": _spikes(study),
        "audit_new": _new(study),
    }


def _months(study: "Study") -> Caption:
    whole = study.months[study.months["finished"]]
    text = _("The data does not cover a whole month yet")
    if len(whole):
        worst = whole.loc[whole["orders"].idxmin()]
        text = _(
            "{n} whole months; the thinnest, {month}, has {orders} orders",
            n=formats.number(len(whole)),
            month=formats.period(worst["period"], "month"),
            orders=formats.number(worst["orders"]),
        )
        if len(whole) == 1:
            text = _("One whole month, with {orders} orders", orders=formats.number(worst["orders"]))
    subtitle = _("Orders per calendar month; rows, customers and revenue in the table beneath")
    more = "" if study.months["finished"].all() else _("The last month is not complete (hatched).")
    return Caption(text, subtitle, source(study, more))


def step_name(study: "Study") -> str:
    """``day`` or ``week``."""
    return _("day") if study.step == "day" else _("week")


def steps_text(study: "Study", count: int) -> str:
    """``3 days``, ``1 week``."""
    if study.step == "day":
        return plural("{count} day", "{count} days", count, count=formats.number(count))
    return plural("{count} week", "{count} weeks", count, count=formats.number(count))


def spike_starts(study: "Study") -> pd.Series:
    """Days (weeks) with a spike of orders or of revenue, each once, the most unusual first."""
    return study.spikes["start"].drop_duplicates()


def _rhythm(study: "Study") -> Caption:
    gaps, spikes = len(study.gaps), int((study.spikes["measure"] == "orders").sum())
    text = _("Too short to tell unusual days from usual ones")
    if study.measured:
        parts = [
            plural("{count} surprising gap", "{count} surprising gaps", gaps, count=gaps) if gaps else _("no gap"),
            plural("{count} spike", "{count} spikes", spikes, count=spikes) if spikes else _("no spike"),
        ]
        text = _("Orders by {step}: {a}, {b} of orders", step=step_name(study), a=parts[0], b=parts[1])
        revenue = int((study.spikes["measure"] == "revenue").sum())
        if revenue:
            one = many = " ({count} of revenue, not drawn)"
            text += plural(one, many, revenue, count=revenue)
    subtitle = _("Orders per {step} (thin) and the client's own level around it (thick)", step=step_name(study))
    if gaps:
        subtitle += _("; gaps shaded, the longest dated where there is room")
    return Caption(text, subtitle, source(study))


def _gaps(study: "Study") -> Caption:
    text = _("No stretch without orders that the client's own rate makes surprising")
    if len(study.gaps):
        worst = study.gaps.loc[study.gaps["expected_orders"].idxmax()]
        text = _(
            "No order for {length} from {day}, where {n} were to be expected",
            length=steps_text(study, int(worst["steps"])),
            day=formats.date(worst["first"]),
            n=formats.number(worst["expected_orders"], 0),
        )
    subtitle = _("Stretches that chance would bring less than once in a hundred spans like this one")
    return Caption(text, subtitle, source(study))


def _spikes(study: "Study") -> Caption:
    text = _("No {step} stands out", step=step_name(study))
    if len(study.spikes):
        top = study.spikes.iloc[0]
        text = _(
            "{day}: {times} times the usual {measure}",
            day=formats.date(top["start"]),
            times=formats.number(top["times"], 1),
            measure=_("orders") if top["measure"] == "orders" else _("revenue"),
        )
    subtitle = _(
        "{step} more than five robust standard deviations above those around them (square-root scale)",
        step=_("Days") if study.step == "day" else _("Weeks"),
    )
    return Caption(text, subtitle, source(study))


def _new(study: "Study") -> Caption:
    beginning = study.beginning
    text = _("No rush of new customers in the first months")
    if beginning.sign == "possible":
        times = math.floor(10 * beginning.times) / 10  # three times would be a clear sign
        text = _("The first {unit} brings {times} times the new customers of a later one: some may have bought before",
                 unit=phrases.unit_name(study.unit), times=formats.number(times, 1))  # fmt: skip
    elif beginning.sign == "clear":
        text = _("Most customers of the first months were there before the data begins")
    elif study.closed:
        text = _("Nobody new came after {month}", month=last_new_month(study))
    elif beginning.sign == "unknown":
        text = _("Too short to tell old customers from new ones")
    subtitle = _("Customers by the month of their first order in the data")
    more = _("Grey: counted as known before, left out of statements on acquisition.") if beginning.known else ""
    return Caption(text, subtitle, source(study, more))


def early_sign(beginning: Beginning, unit: str) -> str:
    """How sure it is that the first customers bought before the data begins: ``possible, to Jan 2011``."""
    if not beginning.cohorts:
        return ""
    last = formats.period(max(beginning.cohorts), unit)
    return _("clear, to {period}", period=last) if beginning.known else _("possible, to {period}", period=last)


def fixed_days(study: "Study") -> str:
    """A sentence where most of the days that stand out share a few days of the month; empty elsewhere."""
    if study.step != "day":
        return ""
    days = pd.to_datetime(spike_starts(study)).dt.day.value_counts()
    often = days[days >= FIXED_TIMES]
    if not 1 <= len(often) <= MOST_FIXED or often.sum() < FIXED_SHARE * days.sum():
        return ""
    return _(
        "{n} of the {all} days that stand out are a {days} of the month.",
        n=formats.number(int(often.sum())),
        all=formats.number(int(days.sum())),
        days=_("{first} or {last}", first=", ".join(_ordinal(day) for day in sorted(often.index)[:-1]),
               last=_ordinal(max(often.index))) if len(often) > 1 else _ordinal(int(often.index[0])),
    )  # fmt: skip


def _ordinal(day: int) -> str:
    ends = {1: _("{n}st"), 2: _("{n}nd"), 3: _("{n}rd")}
    return (_("{n}th") if day in (11, 12, 13) else ends.get(day % 10, _("{n}th"))).format(n=day)


def last_new_month(study: "Study") -> str:
    """The last month in which a customer ordered for the first time."""
    months = study.months[study.months["new_customers"] > 0]
    return formats.period(months["period"].iloc[-1], "month")
