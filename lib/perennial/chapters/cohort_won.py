"""What chapter 03 says of customers won lately: whether they come back, what that is worth, whether they are new."""

from typing import TYPE_CHECKING

import numpy as np

from perennial import formats
from perennial.chapters import phrases
from perennial.chapters.cohort_words import quantile, recent_layers, share
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.cohort_retention import Study

CHAPTER = "03_cohort_retention"
WORTH_SAYING = 0.0002  # a point more of second orders, as a share of the last year's revenue


def early_change(study: "Study") -> Finding | None:
    """Whether newer customers come back as well as older ones, and what the difference is worth."""
    c = study.comparison
    if c is None or min(c["older_size"], c["newer_size"]) < study.minimum_group:
        return None
    since = study.early.loc[~study.early["left_out"], "cohort"].iloc[int(c["cut"])]
    words = {
        "since": formats.period(since, study.unit), "newer": share(c["newer"]), "older": share(c["older"]),
        "newer_n": formats.number(c["newer_size"]), "older_n": formats.number(c["older_size"]),
        "days": study.early_days, "gap": formats.points(c["difference"]), "level": formats.percent(study.level),
        "bounds": formats.interval(100 * c["low"], 100 * c["high"], lambda v: formats.number(v, 1)),
    }  # fmt: skip
    rates = _("{newer} of {newer_n} order again within {days} days, against {older} of {older_n} before "
        "(difference {gap}, {level} interval {bounds}{left_out}).", left_out=_left_out(study), **words)  # fmt: skip
    if c["low"] > 0:
        text = _("Customers won since {since} come back sooner: ", **words) + rates + _worth(study)
    elif c["high"] < 0:
        text = _("Customers won since {since} come back less: ", **words) + rates + _worth(study)
    else:
        text = _("Whether customers won since {since} come back differently cannot be told: ", **words) + rates
    text += _mix(study)
    clear = c["low"] > 0 or c["high"] < 0
    return Finding("cohorts.early_repeat_change", CHAPTER, text, c["difference"], c["low"], c["high"], "share",
                   0.75 if clear else 0.35, figure="cohort_early")  # fmt: skip


def doubtful_words(study: "Study") -> dict[str, str]:
    """``n`` customers first seen by ``period`` who may have bought before, ``excess`` of them beyond later periods."""
    beginning = study.beginning
    return {
        "n": formats.number(beginning.customers),
        "period": formats.period(max(beginning.cohorts), study.unit),
        "excess": phrases.about(beginning.excess),
    }


def _left_out(study: "Study") -> str:
    """Who is left out of the comparison, and what it would be with them."""
    if study.with_doubtful is None:
        return ""
    return _(
        "; without the {n} first seen by {period}, some of whom may have bought before the data begins: with them "
        "{gap}",
        **doubtful_words(study),
        gap=formats.points(study.with_doubtful["difference"]),
    )


def _mix(study: "Study") -> str:
    """The part of the difference that a changed mix of customers accounts for (Simpson)."""
    if study.mix_shift is None:
        return ""
    names = {"source": _("source"), "segment": _("segment"), "region": _("region")}
    return " " + _(
        "Within the same {attribute} the difference is {within}; a changed mix of them adds {mix}.",
        attribute=names[study.mix_shift.attribute],
        within=formats.points(study.mix_shift.within),
        mix=formats.points(study.mix_shift.mix),
    )


def _worth(study: "Study") -> str:
    """What the difference means in second orders: of a year like the last one, or of the newer customers so far.

    Only they come back differently: the older ones, won in the same time, do not lose (or gain) what sets them apart.
    """
    comparison = study.comparison or {}
    since = study.early.loc[~study.early["left_out"], "cohort"].iloc[int(comparison["cut"])]
    newer = int(study.sizes.loc[study.sizes["cohort"] >= since, "size"].sum())
    customers = study.won.customers if study.won.year else newer
    worth = abs(comparison["difference"]) * customers * study.order_value
    if worth <= 0:
        return ""
    words = {"money": formats.money(float(f"{worth:.2g}"), study.currency), "n": formats.number(customers)}
    if study.won.year:
        return " " + _("At today's repeat order value, and with as many new customers as {when} ({n}), that is about "
            "{money} a year in second orders alone.", when=won_when(study), **words)  # fmt: skip
    return " " + _("At today's repeat order value that is about {money} in second orders alone, of the {n} customers "
        "won from {since} to {date}.", since=formats.period(since, study.unit), date=formats.date(study.as_of),
        **words)  # fmt: skip


def won_when(study: "Study") -> str:
    """The time in which the customers of ``won`` were won, by its days."""
    if study.won.year:
        return _("in the 12 months to {date}", date=formats.date(study.as_of))
    return _("since {date}", date=formats.date(study.won.since))


def ask_for_second(study: "Study") -> Finding | None:
    """The action: a second order from new customers while half of those who return have not yet."""
    half, most = quantile(study.gaps, 0.5)["ended_days"], quantile(study.gaps, 0.75)["ended_days"]
    new = study.won.customers
    gain = 0.01 * new * study.order_value
    recent = recent_layers(study)
    if np.isnan(half) or not len(study.repeat) or recent is None or new < study.minimum_group:
        return None
    if gain < WORTH_SAYING * recent["total"]:
        return None
    text = _(
        "Ask new customers ({n} {when}) for a second order between day {half} and day {most} after "
        "the first; every point more that order again is worth about {money} {per}. Leave a random tenth out and "
        "measure the difference.",
        n=formats.number(new),
        when=won_when(study),
        half=formats.number(half),
        most=formats.number(most),
        money=formats.money(float(f"{gain:.2g}"), study.currency),
        per=_("a year in that order alone") if study.won.year else _("in that order alone, for as many customers"),
    )
    return Finding("cohorts.ask_for_second_order", CHAPTER, text, gain, unit=study.currency,
                   importance=0.6, kind="action", figure="cohort_gaps")  # fmt: skip


def known_before(study: "Study") -> Finding | None:
    """The caution about customers who were, or may have been, there before the data begins."""
    beginning, part = study.beginning, study.beginning.customers / study.customers
    if not beginning.cohorts:
        return None
    words = {"all": formats.number(study.customers), "share": share(part),
             "new": formats.number(study.customers - beginning.customers), **doubtful_words(study)}  # fmt: skip
    if beginning.known:
        text = _(
            "The data begins in the middle of the business: {n} of {all} customers ({share}) first appear up to "
            "{period}, far more per period than later. Most were customers before; when they were won is not known. "
            "They are left out of every statement about new customers, which rests on the other {new}.",
            **words,
        )
    else:
        text = _(
            "Some of the {n} customers ({share}) first seen by {period} may have bought before the data begins: about "
            "{excess} of them are more than later periods bring. They count as new here, so new customers may "
            "really come back less than shown; newer and older ones are compared without them.",
            **words,
        )
    return Finding("cohorts.known_before", CHAPTER, text, part, unit="share", kind="caution",
                   importance=0.7 if beginning.known else 0.6, figure="cohort_retention_matrix")  # fmt: skip
