"""The words around the charts and tables on new customers, and why one of them is not shown."""

import math
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis import fitters
from perennial.analysis.prospects import Prospect
from perennial.chapters import acquisition_words as words
from perennial.chapters import phrases
from perennial.chapters.acquisition_tables import (
    SEGMENTS,
    SOURCES,
    cohort_exhibit,
    has_ratios,
    segment_exhibit,
    source_exhibit,
)
from perennial.chapters.acquisition_words import LATER
from perennial.language import _
from perennial.statements import Caption, Exhibit

if TYPE_CHECKING:
    from perennial.chapters.value_acquisition import Acquired

PROSPECTS, PAYBACK, COHORTS = "acquisition_prospects", "acquisition_payback", "acquisition_cohorts"
DOUBT = 0.05  # by so much the first, doubtful customers must move the value to stand in the title


def exhibits(found: "Acquired") -> dict[str, Exhibit]:
    """Charts and tables that could be made, by name."""
    made: dict[str, Exhibit] = {}
    if found.prospects and found.prospects.whole:
        made[PROSPECTS] = _prospects(found, found.prospects.whole)
    if len(found.payback):
        made[PAYBACK] = _payback(found)
    if has_ratios(found):
        made[COHORTS] = cohort_exhibit(found)
    if len(found.sources):
        made[SOURCES] = source_exhibit(found)
    if len(found.result.segmentation.tests):
        made[SEGMENTS] = segment_exhibit(found)
    return made


def absent(found: "Acquired", made: Collection[str]) -> dict[str, str]:
    """Why each chart or table that was not made is not shown."""
    again = _("Not shown, for the same reason as the payback: what acquiring these customers cost is not known.")
    reasons = {PROSPECTS: _no_money(found), SEGMENTS: _no_groups(found), PAYBACK: _no_cost(found)}
    reasons |= {COHORTS: again, SOURCES: again}
    return {name: reason for name, reason in reasons.items() if name not in made}


def _no_money(found: "Acquired") -> str:
    if found.prospects is None:
        return _("The value of a new customer is not stated: {reason}", reason=found.result.spend_reason)
    return _("The value of a new customer is not stated: no customer won since the data begins is known to be new.")


def _no_groups(found: "Acquired") -> str:
    if found.parameters.purchase_by == "none":
        return _("Groups of customers were not compared: purchase_by is none in the parameters.")
    names = [words.grouping_name(name) for name in found.result.segmentation.untested]
    text = _("Groups of customers could not be compared: ")
    if names:
        text = _("Groups of customers by {names} could not be compared: ", names=phrases.listed(names))
    return text + _(
        "that takes two groups of at least {n} customers, {k} of them with a second purchase, whose model can be "
        "fitted. Segment, source or region in the customers table would unlock it.",
        n=formats.number(words.least(found)), k=formats.number(fitters.MINIMUM_REPEATERS),
    )  # fmt: skip


def _no_cost(found: "Acquired") -> str:
    if found.prospects is None or found.prospects.whole is None:
        return _no_money(found)
    most = words.most(found, found.prospects.whole)
    if found.parameters.acquisition_cost is None:
        return _(
            "Whether acquiring customers pays cannot be told: no acquisition cost is given. The parameter "
            "acquisition_cost, one number or one per source, would unlock payback and CLV:CAC. {most}",
            most=most,
        )
    if not found.present:
        return _("Costs are given by source, and the customers table has no sources. {most}", most=most)
    return _("No source with enough customers has a cost. {most}", most=most)


def _prospects(found: "Acquired", whole: Prospect) -> Exhibit:
    assert found.prospects is not None
    frame = prospects_frame(found, whole)
    title = _(
        "A new customer is worth {value} in {horizon}",
        value=words.money(found, whole.clv),
        horizon=words.horizon(found),
    )
    later = found.prospects.later
    differs = later is not None and abs(later.clv / whole.clv - 1) > DOUBT
    if later is not None and differs:
        title = _("A new customer is worth {value}; without the first, doubtful ones {later}",
                  value=words.money(found, whole.clv), later=words.money(found, later.clv))  # fmt: skip
    compared = {kind: groups for kind, groups in found.prospects.by.items() if len(groups) > 1}
    kind = next((kind for kind in ("segment", *compared) if kind in compared), "")
    groups = compared.get(kind, [])
    if groups and not differs:
        title = _(
            "A new customer is worth {value}; by {kind} from {low} to {high}",
            value=words.money(found, whole.clv),
            kind=words.grouping_name(kind),
            low=words.money(found, groups[-1].clv),
            high=words.money(found, groups[0].clv),
        )
    subtitle = _(
        "Prospect CLV: first order and expected repeat purchases of {horizon}, {margin} margin, discounted at {rate} a "
        "year, with {level} interval; {currency} per new customer",
        horizon=words.horizon(found), margin=formats.percent(found.parameters.gross_margin),
        rate=formats.percent(found.parameters.discount_rate), level=formats.percent(found.parameters.interval),
        currency=found.parameters.currency,
    )  # fmt: skip
    n = whole.customers
    pooled = [formats.escape(name) for names in found.prospects.pooled.values() for name in names]
    more = _("Not shown, too few customers: {names}.", names=phrases.listed(pooled)) if pooled else ""
    reading = _(
        "This is the most that acquiring one may cost if it is to come back within that time. The interval is that of "
        "the mean of many new customers, not of "
        "one, and holds uncertain parameters, not a changed market."
    )
    if not frame["own_model"].all():
        reading += " " + _(
            "Hollow dots: too few customers for a model of their own; their repeat purchases are those of all."
        )
    reading = " ".join(
        text
        for text in (reading, _unsupported(found), _mixed(found), words.tested(found), words.extrapolated(found))
        if text
    )
    caption = Caption(title, subtitle, words.source(found, n, more), reading)
    cash = partial(words.money, found)
    styles = dict.fromkeys(["first_order", "order_value", "clv", "low", "high"], cash)
    labels = {"group_by": _("by"), "first_order": _("first order"), "repeat_purchases": _("repeat purchases"),
              "order_value": _("order value"), "clv": _("prospect CLV"), "own_model": _("own model")}  # fmt: skip
    return Exhibit(frame, caption, {**styles, "repeat_purchases": words.two}, labels)


def _unsupported(found: "Acquired") -> str:
    """That differences between groups shown are not supported by the test of groups."""
    assert found.prospects is not None
    tests = found.result.segmentation.tests
    if tests.empty:
        return ""
    weak = set(tests.loc[~tests["supported"], "grouping"])
    names = [
        words.grouping_name(kind) for kind, groups in found.prospects.by.items() if kind in weak and len(groups) > 1
    ]
    if not names:
        return ""
    return _("Differences by {names} are not supported by the test of groups below: read them as rough.",
             names=phrases.listed(names))  # fmt: skip


def _mixed(found: "Acquired") -> str:
    """That everybody's value comes from the models of the groups, where it does."""
    assert found.prospects is not None
    if not found.prospects.mixed:
        return ""
    return _("Everybody: by the models of each {name}, in the mix of customers so far.",
             name=words.grouping_name(found.result.segmentation.decision.grouping))  # fmt: skip


def prospects_frame(found: "Acquired", whole: Prospect) -> pd.DataFrame:
    """``group_by, group, customers, first_order, repeat_purchases, order_value, clv, low, high, own_model``."""
    assert found.prospects is not None
    later = found.prospects.later
    kinds = {_("everybody"): [whole, *([replace(later, group=LATER)] if later else [])]}
    kinds |= {words.grouping_name(kind): groups for kind, groups in found.prospects.by.items() if groups}
    lines = []
    for kind, groups in kinds.items():
        for one in groups:
            low, high = one.interval(words.tails(found))
            lines.append({"group_by": kind, "group": words.group_name(one.group), "customers": one.customers,
                          "first_order": one.first_order, "repeat_purchases": one.repeat_purchases,
                          "order_value": one.order_value, "clv": one.clv, "low": low, "high": high,
                          "own_model": one.own})  # fmt: skip
    return pd.DataFrame(lines)


def _payback(found: "Acquired") -> Exhibit:
    curve = found.payback.groupby("source", sort=False)["payback"].first()
    late = [str(name) for name, month in curve.items() if math.isinf(month)]
    horizon = words.horizon(found)
    if len(curve) == 1:
        only = curve.iloc[0]
        title = _("A new customer does not pay back within {horizon}", horizon=horizon)
        if not math.isinf(only):
            title = _("A new customer is expected to pay back: {when}", when=words.month_name(found, only))
    elif not late:
        title = _("All {n} sources are expected to pay back by {when}", n=formats.number(len(curve)),
                  when=words.month_name(found, float(curve.max())))  # fmt: skip
    else:
        title = _("{k} of {n} sources do not pay back within {horizon}", k=formats.number(len(late)),
                  n=formats.number(len(curve)), horizon=horizon)  # fmt: skip
        if len(late) == 1:
            title = _("Of {n} sources, one does not pay back within {horizon}: {name}", n=formats.number(len(curve)),
                      horizon=horizon, name=formats.escape(late[0]))  # fmt: skip
    subtitle = _(
        "Expected discounted margin of a new customer so far, with {level} interval, and the acquisition cost "
        "(dashed); {currency}",
        level=formats.percent(found.parameters.interval), currency=found.parameters.currency,
    )  # fmt: skip
    reading = _("The dot is the payback: the first month in which the expected margin so far reaches the cost. Month "
                "0 is the first order. Costs are taken as given, the same at all times.")  # fmt: skip
    more = ""
    if len(curve) > 6:
        more = _("The six sources with the most customers are drawn.")
    cash = partial(words.money, found)
    n = sum(one["customers"] for one in found.sources.to_dict("records")) if len(found.sources) else 0
    return Exhibit(
        found.payback,
        Caption(title, subtitle, words.source(found, int(n), more), reading),
        {**dict.fromkeys(["value", "low", "high", "cost"], cash), "payback": partial(words.month_name, found)},
        {"value": _("expected margin so far"), "payback": _("pays back")},
    )
