"""The words around the charts of chapter 03."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.language import _
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.cohort_retention import Study

LEVEL_OFF = 0.85  # the last rate is at least this share of the one half-way: the curve has flattened


def share(value: float) -> str:
    """A share in words: a decimal only where it matters."""
    return formats.percent(value, 1 if 0 < value < 0.0995 or 0.995 < value < 1 else 0)


def ordinal(age: int, unit: str) -> str:
    """``month 6``."""
    names = {"week": _("week {n}"), "month": _("month {n}"), "quarter": _("quarter {n}")}
    return names[unit].format(n=age)


def source(study: "Study", title: str, more: str = "") -> str:
    """The line under a chart."""
    text = _(
        "Source: orders of {title} to {date}; n = {n} customers.",
        title=title,
        date=formats.date(study.as_of),
        n=formats.number(study.customers),
    )
    return f"{text} {more}".strip()


def captions(study: "Study", title: str) -> dict[str, Caption]:
    """The words around each chart, by the chart's name."""
    made = {
        "cohort_retention_matrix": _matrix(study, title),
        "cohort_revenue_matrix": _revenue_matrix(study, title),
        "cohort_retention_curve": _curve(study, title),
        "cohort_layers": _layers(study, title),
        "cohort_repeat": _repeat(study, title),
        "cohort_gaps": _gaps(study, title),
        "cohort_gap_quantiles": Caption(_("The longer the wait, the more of it is still running")),
        "cohort_early": _early(study, title),
    }
    return made


def _hidden(study: "Study") -> str:
    """What the matrices leave out."""
    parts = [_("Periods not fully observed are hatched.")] if not study.cells["finished"].all() else []
    if study.sizes["small"].any():
        few = formats.number(study.minimum_group)
        parts.append(_("* fewer than {n} customers: not shown.", n=few))
    return " ".join(parts)


def _matrix(study: "Study", title: str) -> Caption:
    text = _("No period after the first is complete yet")
    later = study.curve[study.curve["age"] > 0]
    if len(later):
        first, last = later.iloc[0], later.iloc[-1]
        text = _(
            "{first} order again in {one}, {last} in {end}",
            first=share(first["rate"]),
            one=ordinal(int(first["age"]), study.unit),
            last=share(last["rate"]),
            end=ordinal(int(last["age"]), study.unit),
        )
    subtitle = _("Share of each cohort with an order in the period, %; cohorts by period of first purchase")
    return Caption(text, subtitle, source(study, title, _hidden(study)))


def _revenue_matrix(study: "Study", title: str) -> Caption:
    total = formats.money(float(study.revenue), study.currency)
    text = _("{total} of revenue, by cohort and age", total=total)
    earned = first_year(study)
    if earned is not None:
        text = _(
            "A new customer brings {later} beyond {first} of its first period",
            later=formats.money(earned["later"], study.currency),
            first=formats.money(earned["first"], study.currency),
        )
    subtitle = _("Net revenue per customer of the cohort in each period, {currency}", currency=study.currency)
    return Caption(text, subtitle, source(study, title, _hidden(study)))


def first_year(study: "Study") -> dict[str, float] | None:
    """Revenue per new customer in the first period and in the following ones up to a year, over finished cohorts."""
    ages = {"week": 52, "month": 12, "quarter": 4}[study.unit]
    cells = study.cells[~study.cells["known"] & study.cells["finished"]]
    upto = min(ages, int(cells["age"].max()) if len(cells) else 0)
    whole = cells.groupby("cohort")["age"].max()
    cells = cells[cells["cohort"].isin(whole[whole >= upto].index) & (cells["age"] <= upto)]
    size = cells.loc[cells["age"] == 0, "size"].sum()
    if upto < 1 or size < study.minimum_group:
        return None
    first = cells.loc[cells["age"] == 0, "revenue"].sum() / size
    later = cells.loc[cells["age"] > 0, "revenue"].sum() / size
    return {"first": float(first), "later": float(later), "periods": float(upto), "size": float(size)}


def _curve(study: "Study", title: str) -> Caption:
    text = _("Too early for a retention curve")
    later = study.curve[study.curve["age"] > 0]
    if len(later):
        middle, last = later.iloc[len(later) // 2], later.iloc[-1]
        text = _curve_title(float(later.iloc[0]["rate"]), float(middle["rate"]), float(last["rate"]), len(later))
    subtitle = _("Share with an order in the period, all finished cohorts weighed by size, {level} interval",
                 level=formats.percent(study.level))  # fmt: skip
    reading = ""
    if study.known:
        reading = _("Customers known before the data begins are the survivors of older cohorts: they stay more "
            "by selection, and are shown apart.")  # fmt: skip
    return Caption(text, subtitle, source(study, title, _("Grey: single cohorts.")), reading)


def _curve_title(first: float, middle: float, last: float, periods: int) -> str:
    words = {"first": share(first), "last": share(last)}
    if last >= first:
        return _("Retention does not fall: {first} at first, {last} at last", **words)
    if periods >= 6 and last >= LEVEL_OFF * middle:
        return _("Retention falls from {first} to {last}, then holds", **words)
    return _("Retention falls from {first} to {last} and is still falling", **words)


def recent_layers(study: "Study") -> dict[str, float] | None:
    """The last year of whole periods: revenue, and the share from customers who first bought before it."""
    count = {"week": 52, "month": 12, "quarter": 4}[study.unit]
    cells = study.cells[study.cells["finished"]]
    periods = sorted(cells["period"].unique())
    if len(periods) < 2:
        return None
    start = periods[-count:][0] if len(periods) > count else periods[len(periods) // 2]
    recent = cells[cells["period"] >= start]
    total = float(recent["revenue"].sum())
    if total <= 0:
        return None
    older = float(recent.loc[recent["cohort"] < start, "revenue"].sum())
    length = len([period for period in periods if period >= start])
    return {"total": total, "older": older / total, "start": start, "periods": length}


def _layers(study: "Study", title: str) -> Caption:
    recent = recent_layers(study)
    text = _("Revenue by when its customers first bought")
    if recent is not None:
        text = _(
            "Customers won before {date} bring {share} of revenue since",
            date=formats.period(recent["start"], study.unit),
            share=share(recent["older"]),
        )
    subtitle = _("Net revenue per period by period of first purchase, {currency}", currency=study.currency)
    return Caption(text, subtitle, source(study, title, _unfinished(study)))


def _unfinished(study: "Study") -> str:
    return "" if study.cells["finished"].all() else _("The last period is not complete (hatched).")


def _repeat(study: "Study", title: str) -> Caption:
    text = _("No order number has been watched long enough")
    if len(study.repeat):
        first, last = study.repeat.iloc[0], study.repeat.iloc[min(4, len(study.repeat) - 1)]
        text = _("{first} make a second order within {days} days", first=share(first["rate"]), days=study.within_days)
        if len(study.repeat) > 1:
            text = _(
                "{first} make a second order; after {n} orders {last} make the next",
                first=share(first["rate"]),
                n=int(last["order_number"]),
                last=share(last["rate"]),
            )
    subtitle = _(
        "Chance of the next order within {days} days (Kaplan-Meier, {level} interval), by orders made so far",
        days=study.within_days,
        level=formats.percent(study.level),
    )
    more = _("Order = purchase day. Waits still running are censored, not counted as lost.")
    return Caption(text, subtitle, source(study, title, more))


def _gaps(study: "Study", title: str) -> Caption:
    half, long = quantile(study.gaps, 0.5), quantile(study.gaps, 0.95)
    text = _("No second order yet: no gaps to measure")
    if half["ended_days"] == half["ended_days"]:
        text = _(
            "Half of the next orders come within {half}, 95 % within {long}",
            half=formats.days(half["ended_days"]),
            long=formats.days(long["ended_days"]),
        )
    subtitle = _("Days between two purchase days of a customer, share of all gaps that ended")
    more = _("Waits still running are not in the bars; long gaps are therefore under-counted.")
    return Caption(text, subtitle, source(study, title, more))


def quantile(gaps: pd.DataFrame, q: float) -> pd.Series:
    """The row of a quantile."""
    return gaps[gaps["quantile"] == q].iloc[0]


def _early(study: "Study", title: str) -> Caption:
    subtitle = _(
        "Share with a second order within {days} days of the first, by cohort, {level} interval",
        days=study.early_days,
        level=formats.percent(study.level),
    )
    more = _("Only customers known for {days} days; hollow: cohort not complete.", days=study.early_days)
    if not study.comparison:
        return Caption(
            _("Second orders within {days} days", days=study.early_days), subtitle, source(study, title, more)
        )
    return Caption(_early_title(study), subtitle, source(study, title, more))


def _early_title(study: "Study") -> str:
    c = study.comparison or {}
    words = {"newer": share(c["newer"]), "older": share(c["older"])}
    if c["low"] > 0:
        return _("Newer customers come back sooner: {newer}, against {older} before", **words)
    if c["high"] < 0:
        return _("Newer customers come back less: {newer}, against {older} before", **words)
    return _("Newer customers come back about as often: {newer}, against {older} before", **words)
