"""The words around the charts of chapter 03."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.cohorts import PERIODS_A_YEAR, mean_revenue
from perennial.chapters import phrases
from perennial.language import _
from perennial.schema import CHAPTERS
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.cohort_retention import Study

CLOSE = 0.05  # an interval of a difference that stays within five points: about the same


def share(value: float) -> str:
    """A share in words: a decimal only where it matters."""
    return formats.percent(value, 1 if 0 < value < 0.0995 or 0.995 < value < 1 else 0)


def ordinal(age: int, unit: str) -> str:
    """``month 6``."""
    names = {"week": _("week {n}"), "month": _("month {n}"), "quarter": _("quarter {n}")}
    return names[unit].format(n=age)


def source(study: "Study", title: str, more: str = "") -> str:
    """The line under a chart."""
    return phrases.source_of_customers(title, study.as_of, study.customers, more)


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
    text = _("Too few new customers followed for a rate of return")
    if len(study.followed):
        first, last = study.followed.iloc[0], study.followed.iloc[-1]
        text = _("{first} order again in {one}", first=share(first["rate"]), one=ordinal(1, study.unit))
    if study.change is not None:
        text = _(
            "{first} order again in {one}, {last} in {end}",
            first=share(first["rate"]),
            one=ordinal(int(first["age"]), study.unit),
            last=share(last["rate"]),
            end=ordinal(int(last["age"]), study.unit),
        )
    subtitle = _("Share of each cohort with an order in the period, %; cohorts by period of first purchase")
    return Caption(text, subtitle, source(study, title, f"{_followed(study)} {_hidden(study)}".strip()))


def _revenue_matrix(study: "Study", title: str) -> Caption:
    total = formats.money(float(study.revenue), study.currency)
    text = _("{total} of revenue, by cohort and age", total=total)
    earned, more = first_year(study), ""
    if earned is not None:
        more = _("Title: {size}.", size=behind(earned))
        text = _(
            "A new customer brings {later} beyond {first} of its first period",
            later=formats.money(earned["later"], study.currency),
            first=formats.money(earned["first"], study.currency),
        )
    subtitle = _("Net revenue per customer of the cohort in each period, {currency}", currency=study.currency)
    return Caption(text, subtitle, source(study, title, f"{more} {_hidden(study)} {_moved(study)}".strip()))


def _moved(study: "Study") -> str:
    """Why revenue by period differs from the chapter on the base; empty where it does not."""
    if not study.moved_returns:
        return ""
    return _(
        "Returns of {money} booked before their customers' first purchase count in the period of that purchase; in "
        "“{base}” they count when booked, so revenue by {unit} differs by them.",
        money=formats.money(-study.moved_returns, study.currency),
        base=_(CHAPTERS["02_customer_base"]),
        unit=phrases.unit_name(study.unit),
    )


def first_year(study: "Study") -> dict[str, float] | None:
    """Revenue per new customer in the first period and in the following ones up to a year.

    Each period is the mean over all cohorts that have finished it, as far as the retention curve reaches:
    ``size`` customers stand behind the first, ``last_size`` behind the last.
    """
    upto = min(PERIODS_A_YEAR[study.unit], int(study.curve["age"].max()) if len(study.curve) else 0)
    means = mean_revenue(study.cells[~study.cells["known"]], upto)
    if upto < 1 or means["size"].iloc[-1] < study.minimum_group:
        return None
    first, later = means["revenue"].iloc[0], means["revenue"].iloc[1:].sum()
    sizes = {"size": float(means["size"].iloc[0]), "last_size": float(means["size"].iloc[-1])}
    return {"first": float(first), "later": float(later), "periods": float(upto), **sizes}


def behind(earned: dict[str, float]) -> str:
    """How many customers stand behind :func:`first_year`, at both ends where they differ."""
    n, last = formats.number(earned["size"]), formats.number(earned["last_size"])
    if n == last:
        return _("{n} new customers", n=n)
    return _("{n} new customers at first, {last} at last", n=n, last=last)


def told(study: "Study") -> bool:
    """Whether the interval of the change in retention leaves its direction in no doubt."""
    return study.change is not None and (study.change[0] > 0 or study.change[1] < 0)


def _curve(study: "Study", title: str) -> Caption:
    subtitle = _("Share with an order in the period, all finished cohorts weighed by size, {level} interval",
                 level=formats.percent(study.level))  # fmt: skip
    reading = ""
    if study.beginning.known:
        reading = _("Customers known before the data begins are the survivors of older cohorts: they stay more "
            "by selection, and are shown apart.")  # fmt: skip
    later = study.curve[study.curve["age"] > 0]
    if not len(later):
        text = _("Too few new customers followed for a retention curve")
        return Caption(text, subtitle, _source_of_new(study, title, study.new_customers), reading)
    end = _("{n} of them followed to {end}.", n=formats.number(later["size"].iloc[-1]),
            end=ordinal(int(later["age"].iloc[-1]), study.unit))  # fmt: skip
    more = f"{end} {_followed(study)} {_('Grey: single cohorts.')}"
    return Caption(_curve_title(study), subtitle, _source_of_new(study, title, int(later["size"].iloc[0]), more),
                   reading)  # fmt: skip


def _source_of_new(study: "Study", title: str, customers: int, more: str = "") -> str:
    """The line under a chart that rests on new customers only."""
    text = _("Source: orders of {title} to {date}; n = {n} new customers.", title=title,
             date=formats.date(study.as_of), n=formats.number(customers))  # fmt: skip
    return f"{text} {more}".strip()


def _followed(study: "Study") -> str:
    """Who stands behind a title that compares two ages."""
    if study.change is None:
        return ""
    text = _("Title: the same {n} new customers at both ages.", n=formats.number(study.followed["size"].iloc[-1]))
    if not study.beginning.doubtful:
        return text
    doubt = _(
        "Some of the {n} first seen by {period} may have bought before the data begins.",
        n=formats.number(study.beginning.customers),
        period=formats.period(max(study.beginning.cohorts), study.unit),
    )
    return f"{text} {doubt}"


def _curve_title(study: "Study") -> str:
    first, last = study.followed.iloc[0], study.followed.iloc[-1]
    words = {"first": share(first["rate"]), "last": share(last["rate"]), "one": ordinal(int(first["age"]), study.unit),
             "end": ordinal(int(last["age"]), study.unit)}  # fmt: skip
    if study.change is None:
        return _("{first} order again in {one}", **words)
    if not told(study):
        return _("Whether retention falls cannot be told: {first}, then {last}", **words)
    if study.change[0] > 0:
        return _("Retention rises from {first} in {one} to {last} in {end}", **words)
    return _("Retention falls from {first} in {one} to {last} in {end}", **words)


def recent_layers(study: "Study") -> dict[str, float] | None:
    """The last year of whole periods: revenue, and the share from customers who first bought before it."""
    count = PERIODS_A_YEAR[study.unit]
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


def grows(study: "Study", recent: dict[str, float]) -> bool:
    """Whether any customer was won in the periods of :func:`recent_layers`."""
    return bool((study.cells["cohort"] >= recent["start"]).any())


def _layers(study: "Study", title: str) -> Caption:
    recent = recent_layers(study)
    text = _("Revenue by when its customers first bought")
    if recent is not None and not grows(study, recent):
        last = formats.period(study.sizes["cohort"].max(), study.unit)
        text = _("All revenue comes from customers won by {last}", last=last)
    elif recent is not None:
        text = _(
            "Customers won before {date} bring {share} of revenue since",
            date=formats.period(recent["start"], study.unit),
            share=share(recent["older"]),
        )
    subtitle = _("Net revenue per period by period of first purchase, {currency}", currency=study.currency)
    return Caption(text, subtitle, source(study, title, f"{_unfinished(study)} {_moved(study)}".strip()))


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
    if study.beginning.known:
        return Caption(text, subtitle, _source_of_new(study, title, study.new_customers, more))
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
    if study.early["left_out"].any():
        more += " " + _("Grey: may have bought before the data begins; not in the title.")
    if not study.comparison:
        return Caption(
            _("Second orders within {days} days", days=study.early_days), subtitle, source(study, title, more)
        )
    compared = study.comparison["older_size"] + study.comparison["newer_size"]
    more += " " + _("Title: {n} new customers.", n=formats.number(compared))
    return Caption(_early_title(study), subtitle, source(study, title, more))


def _early_title(study: "Study") -> str:
    c = study.comparison or {}
    words = {"newer": share(c["newer"]), "older": share(c["older"])}
    if c["low"] > 0:
        return _("Newer customers come back sooner: {newer}, against {older} before", **words)
    if c["high"] < 0:
        return _("Newer customers come back less: {newer}, against {older} before", **words)
    if max(-c["low"], c["high"]) > CLOSE:
        return _("Newer and older customers cannot be told apart: {newer}, against {older} before", **words)
    return _("Newer customers come back about as often: {newer}, against {older} before", **words)
