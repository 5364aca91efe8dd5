"""The words around the charts and tables of chapter 02; its findings are in ``base_findings``."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis.comparison import Comparison, Window
from perennial.chapters import phrases
from perennial.language import _
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.chapters.customer_base import Study

SMALL_CHANGE = 0.02  # a change of revenue below this is called none
CANCEL = 0.25  # a driver that moves revenue by so much more than it changed is told with what it is set against
TIE = 0.10  # drivers closer than this are said to have moved revenue about equally


def findings(study: "Study") -> list[Finding]:
    """What the chapter found, most important first."""
    from perennial.chapters import base_findings

    return base_findings.findings(study)


def captions(study: "Study") -> dict[str, Caption]:
    """The words around each chart and table, by its name."""
    from perennial.chapters import spread_words

    made = {
        "base_periods": _periods(study),
        "base_customers": _customers(study),
        **spread_words.captions(study),
    }
    if study.comparison is not None:
        made |= {
            "base_drivers": _drivers(study, study.comparison),
            "base_groups": _groups(study, study.comparison),
            "base_movement": _movement(study, study.comparison),
        }
    return made


def source(study: "Study", more: str = "") -> str:
    """The line under a chart."""
    return phrases.source_of_customers(study.title, study.as_of, study.customers, more)


def money(study: "Study", value: float) -> str:
    """An amount in the client's currency, cents only below ten."""
    return phrases.amount(value, study.currency)


def signed_money(study: "Study", value: float) -> str:
    """A change of money with its sign."""
    return formats.signed(value, lambda v: money(study, v))


def window_name(window: Window) -> str:
    """``2025``, ``Jan–Jun 1998``, ``Jul 1997–Jun 1998``; in days where a window is not made of whole months."""
    first, last = window.first, window.last
    if first.day != 1 or (last + dt.timedelta(days=1)).day != 1:
        return _("{first} to {last}", first=formats.date(first), last=formats.date(last))
    ends = formats.period(first, "month"), formats.period(last, "month")
    if (first.month, last.month) == (1, 12) and first.year == last.year:
        return str(first.year)
    if ends[0] == ends[1]:
        return ends[0]
    return f"{ends[0].removesuffix(f' {last.year}')}–{ends[1]}"


def window_length(comparison: Comparison) -> str:
    """``twelve months``: the length of the windows compared."""
    names = {"year": _("12 months"), "half": _("6 months"), "quarter": _("3 months"), "month": _("month")}
    return names[comparison.unit]


def against(rate: float) -> str:
    """A change against the year before in words: ``18 % more than in the 12 months before``."""
    if abs(rate) < SMALL_CHANGE:
        return _("about as much as in the 12 months before")
    share = formats.percent(abs(rate))
    if rate > 0:
        return _("{share} more than in the 12 months before", share=share)
    return _("{share} less than in the 12 months before", share=share)


def _left_out(study: "Study") -> str:
    parts = [] if study.periods["finished"].all() else [_("The last period is not complete (hatched).")]
    if study.periods["known"].any():
        parts.append(_("Grey: first periods, whose new customers were mostly there before the data begins."))
    if study.beginning.doubtful:
        last = formats.period(max(study.beginning.cohorts), study.unit)
        parts.append(_("Some new customers of the first periods, to {period}, may have bought before.", period=last))
    return " ".join(parts)


def _periods(study: "Study") -> Caption:
    share = returning_share(study)
    text = _("All revenue so far comes from first purchases")
    if share is not None:
        text = _(
            "{share} revenue since {period} comes from returning customers",
            share=_("All") if share[0] == 1 else _("{share} of", share=formats.percent(share[0])),
            period=formats.period(share[1], study.unit),
        )
    subtitle = _(
        "Net revenue per {unit}, {currency}; new = in the {unit} of the first purchase, returning = in later ones",
        unit=phrases.unit_name(study.unit),
        currency=study.currency,
    )
    return Caption(text, subtitle, source(study, _left_out(study)))


def recent_periods(study: "Study") -> pd.DataFrame:
    """The complete periods of the last year, without the very first period of the data."""
    count = {"week": 52, "month": 12, "quarter": 4}[study.unit]
    return study.periods[study.periods["finished"]].iloc[1:].tail(count)


def returning_share(study: "Study") -> tuple[float, pd.Timestamp] | None:
    """Share of revenue from returning customers over the recent complete periods, and since when; None without any."""
    recent = recent_periods(study)
    total = float(recent["revenue"].sum()) if len(recent) else 0.0
    return None if total <= 0 else (float(recent["returning_revenue"].sum()) / total, recent["period"].iloc[0])


def _customers(study: "Study") -> Caption:
    whole = study.periods[study.periods["finished"]]
    text = _("No period is complete yet")
    if len(whole):
        last = whole.iloc[-1]
        text = _(
            "{n} customers ordered in {period}, {new} of them for the first time",
            n=formats.number(last["customers"]),
            period=formats.period(last["period"], study.unit),
            new=formats.number(last["new_customers"]) if last["new_customers"] else _("none"),
        )
    subtitle = _("Customers with a purchase per {unit}, new and returning", unit=phrases.unit_name(study.unit))
    return Caption(text, subtitle, source(study, _left_out(study)))


def _drivers(study: "Study", comparison: Comparison) -> Caption:
    before, after = study.revenue_change
    change = after - before
    text = _("No revenue in either window")
    if change or before or after:
        text = _drivers_title(study, study.drivers.set_index("driver")["effect"], change)
    subtitle = _(
        "Net revenue, {currency}: {after} against {before}",
        currency=study.currency,
        after=window_name(comparison.after),
        before=window_name(comparison.before),
    )
    days = _("{a} and {b} days.", a=comparison.before.days, b=comparison.after.days)
    if comparison.before.days != comparison.after.days:
        days += " " + _("Orders per customer are counted at the earlier window's number of days.")
    return Caption(text, subtitle, source(study, f"{days} {_basis(comparison)}"))


def _drivers_title(study: "Study", effects: pd.Series, change: float) -> str:
    main = str(effects.abs().idxmax())
    against, tied = opposed(effects, change), near_ties(effects, change)
    if against is not None:
        a, b = against
        return _("{a} {x}, {b} {y}: {change} in all", a=driver_name(a), x=signed_money(study, effects[a]),
                 b=driver_name(b).lower(), y=signed_money(study, effects[b]),
                 change=signed_money(study, change))  # fmt: skip
    if len(tied) > 1:
        return _("{a} and {b} moved revenue about equally", a=driver_name(tied[0]), b=driver_name(tied[1]).lower())
    return _("{driver} moved revenue most: {effect} of {change}", driver=driver_name(main),
             effect=signed_money(study, effects[main]), change=signed_money(study, change))  # fmt: skip


def opposed(effects: pd.Series, change: float) -> tuple[str, str] | None:
    """The largest driver and the largest against it, where they cancel so far that neither is a part "of" the change.

    That is: the largest moved revenue against the change, or by over a quarter more than it.
    """
    main = str(effects.abs().idxmax())
    other = effects[effects * effects[main] < 0]
    if not len(other) or (effects[main] * change > 0 and abs(effects[main]) <= (1 + CANCEL) * abs(change)):
        return None
    return main, str(other.abs().idxmax())


def near_ties(effects: pd.Series, change: float) -> list[str]:
    """The drivers that moved revenue its way most: the largest and all within a tenth of it, largest first."""
    along = effects[effects * change > 0].abs().sort_values(ascending=False)
    return [str(name) for name in along[along >= (1 - TIE) * along.max()].index]


def _basis(comparison: Comparison) -> str:
    if not comparison.seasonal:
        return _("Years are compared because two whole ones lie in the data.")
    return _(
        "Windows of {length} are compared because the data does not span two longer ones; their seasons differ.",
        length=window_length(comparison),
    )


def driver_name(driver: str) -> str:
    """A driver of revenue in words."""
    names = {
        "customers": _("Number of customers"),
        "mix": _("Mix of new and returning"),
        "orders_per_customer": _("Orders per customer"),
        "order_value": _("Value per order"),
        "days": _("Days in the window"),
    }
    return names[driver]


def status_name(status: str) -> str:
    """A movement of customers in words."""
    names = {
        "retained": _("Bought in both"),
        "lost": _("Bought before, not since"),
        "regained": _("Came back"),
        "new": _("New"),
        "returns_only": _("Only returned goods"),
    }
    return names[status]


def table_formats(study: "Study") -> dict[str, Callable[[Any], str]]:
    """How the columns of the chapter's tables become text."""
    sums = ["revenue", "new_revenue", "returning_revenue", "revenue_before", "revenue_after"]
    return {
        **{name: lambda value: money(study, value) for name in [*sums, "mean", "median", "low", "high"]},
        **{name: lambda value: signed_money(study, value) for name in ("change", "effect")},
        **{name: lambda value: formats.percent(value, 1) for name in ("top_tenth", "top_fifth")},
        "period": lambda value: formats.period(value, study.unit),
        "driver": driver_name,
        "status": status_name,
        "group": group_name,
        "population": lambda value: _("all customers") if value == "all" else _("without the ten largest"),
        "change_rate": lambda value: formats.signed(value, lambda v: formats.percent(v, 1)),
        "gini": lambda value: formats.number(value, 2),
    }


def group_name(group: str) -> str:
    """A group of customers in words."""
    return {"new": _("New"), "returning": _("Returning"), "all": _("All")}[group]


def movement_of(study: "Study", column: str) -> dict[str, float]:
    """One column of the movement between the windows, by status."""
    return {str(k): float(v) for k, v in study.movement.set_index("status")[column].items()}


def _groups(study: "Study", comparison: Comparison) -> Caption:
    rows = study.groups.set_index("group")
    if comparison.knows_new:
        sums = {f"{group[0]}{side[0]}": money(study, float(rows.loc[group, f"revenue_{side}"]))
                for group in ("new", "returning") for side in ("before", "after")}  # fmt: skip
        text = _("Returning customers brought {ra} against {rb}, new ones {na} against {nb}", **sums)
        if not rows.loc["new", ["customers_before", "customers_after"]].any():
            text = _("Returning customers brought {ra} against {rb}; nobody was new", **sums)
    else:
        text = _(
            "{a} customers bought against {b}; new ones cannot be told apart",
            a=formats.number(rows.loc["all", "customers_after"]),
            b=formats.number(rows.loc["all", "customers_before"]),
        )
    subtitle = _(
        "Customers, orders and net revenue ({currency}); new = first purchase in the window", currency=study.currency
    )
    return Caption(text, subtitle, source(study))


def _movement(study: "Study", comparison: Comparison) -> Caption:
    counts = movement_of(study, "customers")
    earlier = counts["retained"] + counts["lost"]
    text = _("Nobody bought in the earlier window")
    if earlier:
        text = _(
            "{lost} of {earlier} earlier customers did not buy again; {came} came or came back",
            lost=formats.number(counts["lost"]),
            earlier=formats.number(earlier),
            came=formats.number(counts["new"] + counts["regained"]),
        )
    subtitle = _(
        "Customers and net revenue ({currency}), {after} against {before}",
        currency=study.currency,
        after=window_name(comparison.after),
        before=window_name(comparison.before),
    )
    more = _("New = first purchase in the data lies in the later window.")
    return Caption(text, subtitle, source(study, more))
