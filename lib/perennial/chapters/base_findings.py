"""What chapter 02 finds, in sentences: size, change and its drivers, movement, concentration."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.shared_ids import SHARED
from perennial.chapters import base_words as words
from perennial.chapters import phrases, spread_words
from perennial.language import _, plural
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.customer_base import Study

CHAPTER = "02_customer_base"
NOTABLE_TOP_SHARE = 0.10  # of revenue from the ten largest customers


def findings(study: "Study") -> list[Finding]:
    """Findings, then what to do, then what the data cannot say."""
    made = [_size(study), *_revenue(study), *_change(study), *_movement(study), *spread_words.findings(study)]
    return [*made, *_actions(study), *_cautions(study)]


def _size(study: "Study") -> Finding:
    one, many = "{count} customer has bought since {date}", "{count} customers have bought since {date}"
    text = plural(one, many, study.customers, count=formats.number(study.customers), date=formats.date(study.first_on))
    if study.recent is not None and study.recent[0] < study.customers:
        text += _(
            "; {n} of them ({share}) in the last 12 months",
            n=formats.number(study.recent[0]),
            share=formats.percent(study.recent[0] / study.customers),
        )
    return _finding("base.customers", f"{text}.", study.customers, "customers", 0.4, "base_customers")


def _revenue(study: "Study") -> list[Finding]:
    if study.recent is None:
        text = _(
            "All revenue since {date} is {revenue}: less than a year of data, so no yearly figure can be given.",
            date=formats.date(study.first_on),
            revenue=words.money(study, float(study.revenue)),
        )
        return [_finding("base.revenue", text, float(study.revenue), study.currency, 0.5, "base_periods")]
    revenue = study.recent[1]
    text = _(
        "Revenue in the 12 months to {date} was {revenue}",
        date=formats.date(study.as_of),
        revenue=words.money(study, revenue),
    )
    before = yearly_before(study)
    if before is not None:
        text += f", {words.against(revenue / before - 1)} ({words.money(study, before)})"
    older = older_share(study)
    if older is not None:
        text += _("; {share} of it came from customers won earlier", share=formats.percent(older))
    return [_finding("base.revenue_12m", f"{text}.", revenue, study.currency, 0.5, "base_periods")]


def yearly_before(study: "Study") -> float | None:
    """Revenue of the 12 months before the last 12; None where the data does not hold them."""
    if study.comparison is None or study.comparison.seasonal:
        return None
    before = study.revenue_change[0]
    return before if before > 0 else None


def older_share(study: "Study") -> float | None:
    """Share of the last 12 months' revenue from customers who first bought before them; None where not known."""
    if yearly_before(study) is None or study.comparison is None or not study.comparison.knows_new:
        return None
    after = study.groups.set_index("group")["revenue_after"]
    return float(after["returning"] / after.sum()) if after.sum() > 0 else None


def _change(study: "Study") -> list[Finding]:
    comparison = study.comparison
    before, after = study.revenue_change if comparison else (0.0, 0.0)
    if comparison is None or before <= 0:
        return []
    change = after - before
    effects = study.drivers.set_index("driver")["effect"]
    along = effects[effects * change > 0].sort_values(key=abs, ascending=False)
    against = words.opposed(effects, change)
    if not len(along) or abs(change / before) < words.SMALL_CHANGE:
        text = _(
            "Revenue of {after} was within 2 % of that of {before}: {a} against {b}.", **_pair(study, before, after)
        )
        if against is not None and abs(effects[against[0]]) >= words.SMALL_CHANGE * before:
            text += " " + _("Behind that, {parts}.", parts=_both(study, effects, against))
        elif "days" in effects and abs(effects["days"]) > 0.25 * abs(change):
            days = [formats.number(count) for count in comparison.days]
            text += " " + _(
                "The windows have {a} and {b} days; that alone makes {effect}.",
                a=days[1],
                b=days[0],
                effect=words.signed_money(study, float(effects["days"])),
            )
        return [_finding("base.revenue_change", text, change, study.currency, 0.45, "base_drivers")]
    text = _(
        "Revenue {rose} by {rate} ({change}): {after}, against {before}",
        rose=_("rose") if change > 0 else _("fell"),
        rate=_rate(change / before),
        change=words.signed_money(study, change),
        before=words.window_name(comparison.before),
        after=words.window_name(comparison.after),
    )
    text += _parts(study, effects, change) + "." + _giants(study, change)
    if comparison.seasonal:
        text += " " + _("The two windows hold different seasons, so part of it may be the season.")
    importance = 0.55 + 0.35 * min(1.0, abs(change / before) / 0.25)
    return [_finding("base.revenue_change", text, change, study.currency, importance, "base_drivers")]


def _parts(study: "Study", effects: pd.Series, change: float) -> str:
    """Where a change comes from: its largest part, or the two that cancel; then the rest, which add up to it."""
    against = words.opposed(effects, change)
    if against is not None:
        text = _("; {parts}", parts=_both(study, effects, against))
        return text + _rest(study, effects.drop(list(against)))
    first, *tied = words.near_ties(effects, change)
    text = _("; {effect} of it comes from {driver}", effect=words.signed_money(study, float(effects[first])),
             driver=_driver(first))  # fmt: skip
    if tied:
        also = [f"{_driver(name)} ({words.signed_money(study, float(effects[name]))})" for name in tied]
        text += _(", nearly as much from {drivers}", drivers=", ".join(also))
    return text + _rest(study, effects.drop([first, *tied]))


def _both(study: "Study", effects: pd.Series, names: tuple[str, str]) -> str:
    """Two drivers with opposite effects, the larger one first."""
    a, b = names
    return _("{x} from {a} stands against {y} from {b}", x=words.signed_money(study, float(effects[a])), a=_driver(a),
             y=words.signed_money(study, float(effects[b])), b=_driver(b))  # fmt: skip


def _rate(change: float) -> str:
    """``54 %``; a tenfold rise and more as a factor."""
    return formats.percent(abs(change)) if change < 10 else _("a factor of {n}", n=formats.compact(1 + change))


def _rest(study: "Study", effects: pd.Series) -> str:
    """All the other drivers, so that the parts printed add up to the change."""
    large = effects[effects.abs() >= 0.005]
    parts = [f"{_driver(str(name))} {words.signed_money(study, float(effect))}" for name, effect in large.items()]
    return _("; the rest is {parts}", parts=", ".join(parts)) if parts else ""


def _giants(study: "Study", change: float) -> str:
    """What the ten largest customers have to do with a change, where it is a quarter of it or more."""
    part = study.giants[1] - study.giants[0]
    if abs(part) < 0.25 * abs(change) or study.customers <= 10:
        return ""
    return " " + _("The ten largest customers alone changed by {part}.", part=words.signed_money(study, part))


def _pair(study: "Study", before: float, after: float) -> dict[str, str]:
    assert study.comparison is not None
    return {
        "before": words.window_name(study.comparison.before),
        "after": words.window_name(study.comparison.after),
        "a": words.money(study, after),
        "b": words.money(study, before),
    }


def _driver(driver: str) -> str:
    names = {
        "customers": _("the number of customers"),
        "mix": _("the mix of new and returning customers"),
        "orders_per_customer": _("orders per customer"),
        "order_value": _("value per order"),
        "days": _("the number of days in the window"),
    }
    return names[driver]


def _finding(name: str, text: str, value: float, unit: str, importance: float, figure: str) -> Finding:
    return Finding(name, CHAPTER, text, float(value), unit=unit, importance=round(importance, 3), figure=figure)


def _movement(study: "Study") -> list[Finding]:
    comparison = study.comparison
    if comparison is None:
        return []
    counts, was, now = (words.movement_of(study, c) for c in ("customers", "revenue_before", "revenue_after"))
    earlier = counts["retained"] + counts["lost"]
    if earlier < study.minimum_group:
        return []
    share = counts["lost"] / earlier
    text = _(
        "{lost} of the {earlier} customers of {before} ({share}) have not bought since; they had brought {gone} then. "
        "{who} brought {gained} in {after}",
        who=_came(counts),
        lost=formats.number(counts["lost"]),
        earlier=formats.number(earlier),
        before=words.window_name(comparison.before),
        after=words.window_name(comparison.after),
        share=formats.percent(share),
        gone=words.money(study, was["lost"]),
        gained=words.money(study, now["new"] + now["regained"]),
    )
    if counts["retained"]:
        kept = words.signed_money(study, now["retained"] - was["retained"])
        text += _("; those who bought in both changed by {kept}", kept=kept)
    text += "."
    return [_finding("base.lost_share", text, share, "share", 0.5 + 0.3 * min(1.0, share / 0.5), "base_movement")]


def _came(counts: dict[str, float]) -> str:
    if not counts["new"]:
        return _("Returned customers")
    return _("New and returned customers") if counts["regained"] else _("New customers")


def _actions(study: "Study") -> list[Finding]:
    """What to do about customers so large that each is a risk of its own."""
    total, count = study.everyone.revenue, len(study.top)
    share = float(study.top["revenue"].sum()) / total if total > 0 else 0.0
    if study.customers < 50 or share < max(NOTABLE_TOP_SHARE, 2 * count / study.customers):
        return []
    value = float(study.top["revenue"].sum()) / count
    text = _(
        "Review the {n} largest customers by name every quarter: they brought {share} of revenue so far, {each} each "
        "on average, and some may be silent by now. It takes {n} conversations a quarter. Measure it by each one's "
        "revenue against {before}.",
        before=_("the same quarter a year before")
        if study.recent
        else _("the quarter before, as the data hold no year"),
        n=formats.number(count),
        share=formats.percent(share),
        each=words.money(study, value),
    )
    shared = int(study.top[SHARED].sum()) if SHARED in study.top else 0
    text = f"{text} {phrases.among_them(shared)}".rstrip()
    return [Finding("base.watch_largest", CHAPTER, text, value, unit=study.currency, importance=0.35 + share / 2,
                    kind="action", figure="base_top")]  # fmt: skip


def _cautions(study: "Study") -> list[Finding]:
    made = []
    if study.comparison is None:
        text = _("The data spans less than two months: no two windows can be compared, so nothing is said of change.")
        made.append(Finding("base.no_comparison", CHAPTER, text, importance=0.6, kind="caution"))
    elif study.comparison.seasonal:
        text = _(
            "Two full years are not in the data, so the last {length} are compared with the {length} before: "
            "season and trend cannot be told apart.",
            length=words.window_length(study.comparison),
        )
        made.append(Finding("base.season", CHAPTER, text, importance=0.5, kind="caution", figure="base_drivers"))
    return made
