"""How the section on new customers speaks of its numbers: money, months, groups, and what its figures rest on."""

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import group_models
from perennial.analysis.groupings import ALL, EARLIER, OTHERS, UNKNOWN
from perennial.analysis.prospects import Prospect
from perennial.chapters import phrases
from perennial.chapters.value_words import DAYS_PER_MONTH, MONTH_SLACK, amount, history_days, judged_model
from perennial.language import _, plural
from perennial.parameters import COHORT

LATER = "(later)"  # everybody but the first customers, who may have bought before the data begins

if TYPE_CHECKING:
    from perennial.chapters.value_acquisition import Acquired


def not_stated(found: "Acquired") -> str:
    """Which sources have no cost."""
    cost = found.parameters.acquisition_cost
    missing = [name for name in found.present if isinstance(cost, dict) and name not in cost]
    return (
        _("Cost not stated: {names}.", names=phrases.listed([client_name(name) for name in missing])) if missing else ""
    )


def margin_words(found: "Acquired") -> str:
    """Where the margin realised comes from."""
    assumed = formats.percent(found.parameters.gross_margin)
    if not found.margin_share:
        return _("Margin so far: {margin} of revenue, assumed.", margin=assumed)
    if found.margin_share > 0.999:
        return _("Margin so far: from the data; of what is expected: {margin} of revenue.", margin=assumed)
    return _("Margin so far: from the data for {share} of revenue, else {margin} of it.",
             share=formats.percent(found.margin_share), margin=assumed)  # fmt: skip


def tested(found: "Acquired") -> str:
    """What the days held back say of the model's forecast for all customers from their first day on."""
    held = found.result.holdout
    if held is None:
        return _("The model could not be tested on unseen days.")
    off = held.late_tracking()
    if formats.is_missing(off):
        return ""
    return _("Fitted up to {cut}, {model} expected {off} repeat purchases after that day than came.",
             model=judged_model(found.result),
             cut=formats.date(held.cut),
             off=_("{share} more", share=formats.percent(off, 1)) if off >= 0
             else _("{share} fewer", share=formats.percent(-off, 1)))  # fmt: skip


def most(found: "Acquired", whole: Prospect) -> str:
    """What a new customer may cost; without the first customers where these are in doubt and worth more."""
    assert found.prospects is not None
    later = found.prospects.later
    whole = later if later is not None and later.clv < whole.clv else whole
    low, high = whole.interval(tails(found))
    return _(
        "A new customer may cost at most {value} ({level} interval {bounds}), the value expected in {horizon}.",
        value=money(found, whole.clv), level=formats.percent(found.parameters.interval),
        bounds=bounds(found, low, high), horizon=horizon(found),
    )  # fmt: skip


def verdict(value: float, low: float, high: float, cost: float) -> str:
    """Whether the value reaches the cost, as sure as the interval allows."""
    if value >= cost:
        return _("pays back") if low >= cost else _("probably pays back")
    return _("does not pay back") if high < cost else _("probably does not pay back")


def month_name(found: "Acquired", month: float) -> str:
    """``first order``, ``month 7`` or ``not within 12 months``."""
    if formats.is_missing(month):
        return formats.MISSING
    if math.isinf(month):
        return _("not within {horizon}", horizon=horizon(found))
    return _("first order") if month == 0 else _("month {n}", n=formats.number(month))


def payback_words(found: "Acquired", month: float, low: float, high: float) -> str:
    """The payback with its interval."""
    name = month_name(found, month)
    if formats.is_missing(low) or low == high == month:
        return name
    late = _("later") if math.isinf(high) else formats.number(high)
    soon = _("later") if math.isinf(low) else formats.number(low)
    return _("{when} ({low} to {high})", when=name, low=soon, high=late) if soon != late else name


def group_name(group: str) -> str:
    """A group in words; the client's own words stay as they are."""
    words = {ALL: _("all customers"), LATER: _("without doubtful first"), OTHERS: _("others"),
             UNKNOWN: _("not stated"), EARLIER: _("there before the data begins")}  # fmt: skip
    return words.get(group, group)


def client_name(group: str) -> str:
    return formats.escape(group_name(group))


def grouping_name(name: str) -> str:
    """A grouping in words."""
    words = {COHORT: _("time of first purchase"), "segment": _("segment"), "source": _("source"), "region": _("region")}
    return words.get(name) or formats.escape(name.replace("_", " "))


def unit_name(unit: str) -> str:
    """The length of a cohort."""
    return {"quarter": _("quarter"), "half-year": _("half-year"), "year": _("year")}[unit]


def cohort_name(start: str, unit: str) -> str:
    """A cohort by its first day: ``Q1 2024``, ``H1 2024``, ``2024``."""
    day = pd.Timestamp(start)
    if unit == "half-year":
        return f"H{1 if day.month <= 6 else 2} {day.year}"
    return formats.period(day, unit)


def p_words(p: float) -> str:
    """A p-value: three decimals, or under one in a thousand."""
    return _("< 0.001") if p < 0.001 else formats.number(p, 3)


def money(found: "Acquired", value: float) -> str:
    """An amount in the client's currency, rounded as all of chapter 05."""
    return amount(value, found.parameters.currency)


def bounds(found: "Acquired", low: float, high: float) -> str:
    """An interval of money."""
    return formats.interval(low, high, partial(money, found))


def source(found: "Acquired", n: int, more: str = "") -> str:
    """The line under a chart."""
    return phrases.source_of_customers(formats.escape(found.parameters.title), found.parameters.as_of, n, more)


def one(value: Any) -> str:
    """One decimal."""
    return formats.number(value, 1)


def two(value: Any) -> str:
    """Two decimals."""
    return formats.number(value, 2)


def is_finite(value: float) -> bool:
    return not formats.is_missing(value) and not math.isinf(value)


def horizon(found: "Acquired") -> str:
    months = found.parameters.horizon_months
    return plural("{count} month", "{count} months", months, count=formats.number(months))


def tails(found: "Acquired") -> list[float]:
    return [(1 - found.parameters.interval) / 2, (1 + found.parameters.interval) / 2]


def least(found: "Acquired") -> int:
    return max(group_models.FEWEST_CUSTOMERS, found.parameters.minimum_group)


def change(share: float) -> str:
    """A relative difference with one decimal; the sign of a fall stands, that of a rise is the caller's."""
    return formats.percent(share, 1) if share >= 0 else f"−{formats.percent(-share, 1)}"


def extrapolated(found: "Acquired") -> str:
    """That the horizon looks farther ahead than the data go back; empty where it does not."""
    days = history_days(found.result)
    if days >= found.parameters.horizon_months * DAYS_PER_MONTH - MONTH_SLACK:
        return ""
    return _("The data go back {days}: what lies farther ahead is extrapolated.", days=formats.days(days))
