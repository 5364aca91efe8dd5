"""What chapter 03 finds, in sentences."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perennial import formats
from perennial.analysis.cohorts import ENOUGH_CUSTOMERS, mean_revenue
from perennial.chapters.cohort_won import ask_for_second, doubtful_words, early_change, known_before
from perennial.chapters.cohort_words import behind, first_year, grows, ordinal, quantile, recent_layers, share, told
from perennial.language import _, plural
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.cohort_retention import Study

CHAPTER = "03_cohort_retention"
CLOSE = 0.05  # the observed repeat curve within five points of the implied one


def findings(study: "Study") -> list[Finding]:
    """The chapter's findings, then what to do, then what the data cannot say."""
    makers = (_retention, early_change, _repeat, _gaps, _first_year, _layers, ask_for_second, known_before, _closed)
    return [found for maker in makers if (found := maker(study)) is not None]


def _retention(study: "Study") -> Finding | None:
    if not len(study.followed):
        return _untold(study)
    first, last = study.followed.iloc[0], study.followed.iloc[-1]
    words = {"n": formats.number(last["size"]), "first": share(first["rate"]), "level": formats.percent(study.level),
             "one": ordinal(int(first["age"]), study.unit), "last": share(last["rate"]),
             "bounds": formats.interval(last["low"], last["high"], share),
             "end": ordinal(int(last["age"]), study.unit)}  # fmt: skip
    if study.change is None:
        text = _("{first} of {n} new customers order again in {one} after their first order ({level} interval "
            "{bounds}).", **words)  # fmt: skip
    else:
        text = _("{first} of {n} new customers order again in {one} after their first order; of the same {n}, "
            "{last} order in {end} ({level} interval {bounds}).", **words) + _levelling(study)  # fmt: skip
    text += _older(study, int(last["size"]))
    rate, low, high = (float(last[name]) for name in ("rate", "low", "high"))
    return Finding("cohorts.retention", CHAPTER, text, rate, low, high, "share", 0.8 if told(study) else 0.4,
                   figure="cohort_retention_curve")  # fmt: skip


def _older(study: "Study", followed: int) -> str:
    """How many of the new customers followed may be no new ones."""
    if not study.beginning.doubtful:
        return ""
    return " " + _(
        "{n} of these {all} were first seen by {period}, and some of them may have bought before the data begins.",
        **doubtful_words(study) | {"all": formats.number(followed)},
    )


def _untold(study: "Study") -> Finding | None:
    """Too little is observed after the first period for any curve."""
    if not study.new_customers:
        return None
    text = _("Whether new customers stay cannot be told: too few of the {n} have been followed into a later "
        "period.", n=formats.number(study.new_customers))  # fmt: skip
    return Finding("cohorts.retention", CHAPTER, text, importance=0.3, kind="caution",
                   figure="cohort_retention_curve")  # fmt: skip


def _levelling(study: "Study") -> str:
    """Whether the rate of the same customers fell, and by which age three quarters of the fall had come."""
    rates = study.followed["rate"]
    start, fall = float(rates.iloc[0]), float(rates.iloc[0] - rates.iloc[-1])
    if not told(study):
        low, high = study.change or (0.0, 0.0)
        return " " + _(
            "Whether retention falls cannot be told (difference {gap}, {level} interval {bounds}).",
            level=formats.percent(study.level),
            gap=formats.points(-fall),
            bounds=formats.interval(100 * low, 100 * high, lambda v: formats.number(v, 1)),
        )
    if fall <= 0.2 * start:
        return ""
    most = study.followed[rates <= start - 0.75 * fall].iloc[0]
    return " " + _("Three quarters of that fall have come by {when}. Not ordering in one period is not yet "
        "leaving.", when=ordinal(int(most["age"]), study.unit))  # fmt: skip


def _repeat(study: "Study") -> Finding | None:
    curve = study.repeat
    if not len(curve):
        return None
    first, later = curve.iloc[0], curve.iloc[min(4, len(curve) - 1)]
    words = {
        "first": share(first["rate"]), "days": study.within_days, "level": formats.percent(study.level),
        "bounds": formats.interval(first["low"], first["high"], share), "later": share(later["rate"]),
        "n": int(later["order_number"]), "all": formats.number(first["customers"]),
    }  # fmt: skip
    text = _("{first} of customers with one order make a second within {days} days (n = {all}, {level} interval "
        "{bounds})", **words)  # fmt: skip
    if study.beginning.known:
        text = _("{first} of new customers make a second order within {days} days (n = {all}, {level} interval "
            "{bounds})", **words)  # fmt: skip
    if len(curve) > 1:
        text += _(", against {later} after {n} orders", **words)
    text += "." + (_selection(study, later) if later["rate"] > first["rate"] else "")
    rate, low, high = (float(first[name]) for name in ("rate", "low", "high"))
    return Finding("cohorts.second_order", CHAPTER, text, rate, low, high, "share", 0.8, figure="cohort_repeat")


def _selection(study: "Study", later: pd.Series) -> str:
    """How much of the rise differences between customers account for; buying often marks, it is not shown to make."""
    curve = study.repeat
    if "implied" not in curve or curve["implied"].isna().any():
        return " " + _(
            "The rise may be selection alone: those who ordered often may always have been the better customers."
        )
    gaps = (curve["rate"] - curve["implied"]).to_numpy()
    words = {"first": share(curve["implied"].iloc[0]), "later": share(later["implied"])}
    if np.abs(gaps).max() <= CLOSE:
        return " " + _("Differences between customers alone imply nearly the same ({first} and {later}): many "
            "orders mark a good customer, and nothing here shows that they make one.", **words)  # fmt: skip
    worst = curve.iloc[int(np.abs(gaps).argmax())]
    words |= {"n": formats.number(worst["order_number"], 0), "gap": formats.points(worst["rate"] - worst["implied"], 0)}
    return " " + _("Differences between customers alone imply {first} and {later}; only what departs from that "
        "is news, most after order {n} ({gap}).", **words)  # fmt: skip


def _gaps(study: "Study") -> Finding | None:
    half, long = quantile(study.gaps, 0.5), quantile(study.gaps, 0.95)
    if np.isnan(half["ended_days"]):
        return None
    words = {"half": formats.days(half["ended_days"]), "long": formats.days(long["ended_days"]),
             "all": formats.days(half["all_days"])}  # fmt: skip
    text = _("Half of the next orders come within {half}, 95 % within {long}", **words)
    if np.isfinite(half["all_days"]):
        text += _(
            "; counting waits that are still running, half of all orders are followed by another within {all}", **words
        )
    else:
        text += _(
            "; counting waits that are still running, fewer than half of all orders are followed by another", **words
        )
    text += ". " + _(
        "Of those who return, half need no reminder before {half}; silence beyond {long} is unusual.", **words
    )
    return Finding("cohorts.median_gap", CHAPTER, text, float(half["ended_days"]), unit="days", importance=0.5,
                   figure="cohort_gaps")  # fmt: skip


def _first_year(study: "Study") -> Finding | None:
    earned = first_year(study)
    if earned is None:
        return None
    names = {
        "week": _("{n} weeks", n=int(earned["periods"])), "month": _("{n} months", n=int(earned["periods"])),
        "quarter": _("{n} quarters", n=int(earned["periods"])),
    }  # fmt: skip
    first = {"week": _("first week"), "month": _("first month"), "quarter": _("first quarter")}
    total = earned["first"] + earned["later"]
    text = _(
        "A new customer brings {first} of revenue in the {period} and {later} in the {after} that follow (means "
        "over {size}; a few large buyers weigh heavily).",
        first=formats.money(earned["first"], study.currency),
        later=formats.money(earned["later"], study.currency),
        period=first[study.unit],
        after=names[study.unit],
        size=behind(earned),
    )
    if earned["last_size"] >= ENOUGH_CUSTOMERS:
        text += " " + _(
            "At a gross margin of {margin}, winning and serving one must cost less than {limit} to pay off by then.",
            margin=formats.percent(study.gross_margin),
            limit=formats.money(study.gross_margin * total, study.currency),
        )
        text += _first_year_of_newer(study, int(earned["periods"]))
    return Finding("cohorts.first_year_revenue", CHAPTER, text, total, unit=study.currency,
                   importance=0.55, figure="cohort_revenue_matrix")  # fmt: skip


def _first_year_of_newer(study: "Study", periods: int) -> str:
    """The same limit without customers who may have bought before the data begins."""
    if not study.beginning.doubtful:
        return ""
    newer = study.cells[~study.cells["cohort"].isin(study.beginning.cohorts)]
    means = mean_revenue(newer, periods)
    if int(means["age"].max()) < periods or means["size"].iloc[-1] < ENOUGH_CUSTOMERS:
        return ""
    return " " + _(
        "Without the {n} first seen by {period}, some of whom may have bought before the data begins, the limit is "
        "{limit}.",
        **doubtful_words(study),
        limit=formats.money(study.gross_margin * means["revenue"].sum(), study.currency),
    )


def _layers(study: "Study") -> Finding | None:
    recent = recent_layers(study)
    if recent is None or not grows(study, recent):
        return None
    words = {
        "share": share(recent["older"]), "start": formats.period(recent["start"], study.unit),
        "total": formats.money(recent["total"], study.currency),
    }  # fmt: skip
    text = _("Customers won before {start} bring {share} of the {total} of revenue since then.", **words) + " "
    if recent["older"] >= 0.995:
        text += _("No new layer has been added: revenue can only follow how these customers fade.")
    elif recent["older"] >= 0.5:
        text += _(
            "The business lives on customers it already held: a fall in their retention would be felt "
            "before one in new ones."
        )
    else:
        text += _("The business lives on new customers: a slow spell of winning them would be felt at once.")
    return Finding("cohorts.revenue_from_held", CHAPTER, text, recent["older"], unit="share", importance=0.6,
                   figure="cohort_layers")  # fmt: skip


def _closed(study: "Study") -> Finding | None:
    """New customers stop long before the as-of date: the file follows a chosen group."""
    last = study.sizes["cohort"].max()
    behind = int(study.cells.loc[study.cells["cohort"] == last, "age"].max())
    if behind < 3 or behind < len(study.sizes) / 4:
        return None
    count = len(study.sizes)
    text = plural(
        "No customer is new after {last}: the file follows {count} cohort, not the whole business. Revenue over "
        "time shows how that group fades, not how the business does, and nothing can be said about "
        "acquisition today.",
        "No customer is new after {last}: the file follows {count} cohorts, not the whole business. Revenue "
        "over time shows how that group fades, not how the business does, and nothing can be said about "
        "acquisition today.",
        count,
        count=formats.number(count),
        last=formats.period(last, study.unit),
    )
    return Finding("cohorts.closed_group", CHAPTER, text, importance=0.6, kind="caution", figure="cohort_layers")
