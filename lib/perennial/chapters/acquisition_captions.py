"""The words around the charts and tables on new customers, and why one of them is not shown."""

import math
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import segments
from perennial.analysis.acquisition import Prospect
from perennial.chapters import acquisition_words as words
from perennial.chapters import phrases
from perennial.chapters.acquisition_words import LATER
from perennial.language import _, plural
from perennial.statements import Caption, Exhibit

if TYPE_CHECKING:
    from perennial.chapters.value_acquisition import Acquired

PROSPECTS, PAYBACK, COHORTS = "acquisition_prospects", "acquisition_payback", "acquisition_cohorts"
SOURCES, SEGMENTS = "acquisition_sources", "acquisition_segments"
CHANCE = 1.645  # standard errors, two-sided 90 %: a difference of errors beyond them is more than chance
DOUBT = 0.05  # by so much the first, doubtful customers must move the value to stand in the title
GIANT = 0.2  # of a cohort's margin, brought by one customer: it is told


def exhibits(found: "Acquired") -> dict[str, Exhibit]:
    """Charts and tables that could be made, by name."""
    made: dict[str, Exhibit] = {}
    if found.prospects and found.prospects.whole:
        made[PROSPECTS] = _prospects(found, found.prospects.whole)
    if len(found.payback):
        made[PAYBACK] = _payback(found)
    if _has_ratios(found):
        made[COHORTS] = _cohorts(found)
    if len(found.sources):
        made[SOURCES] = _sources(found)
    if len(found.segmentation.tests):
        made[SEGMENTS] = _segments(found)
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
    names = [words.grouping_name(name) for name in found.segmentation.untested]
    text = _("Groups of customers could not be compared: ")
    if names:
        text = _("Groups of customers by {names} could not be compared: ", names=phrases.listed(names))
    return text + _(
        "that takes two groups of at least {n} customers, {k} of them with a second purchase, whose model can be "
        "fitted. Segment, source or region in the customers table would unlock it.",
        n=formats.number(words.least(found)), k=formats.number(segments.MINIMUM_REPEATERS),
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
        text for text in (reading, _mixed(found), words.tested(found), words.extrapolated(found)) if text
    )
    caption = Caption(title, subtitle, words.source(found, n, more), reading)
    cash = partial(words.money, found)
    styles = dict.fromkeys(["first_order", "order_value", "clv", "low", "high"], cash)
    labels = {"group_by": _("by"), "first_order": _("first order"), "repeat_purchases": _("repeat purchases"),
              "order_value": _("order value"), "clv": _("prospect CLV"), "own_model": _("own model")}  # fmt: skip
    return Exhibit(frame, caption, {**styles, "repeat_purchases": words.two}, labels)


def _mixed(found: "Acquired") -> str:
    """Everybody's value by the models of the groups, where these are the ones used."""
    assert found.prospects is not None
    name = found.segmentation.decision.grouping
    groups = found.prospects.by.get(name, [])
    if not groups:
        return ""
    people = sum(group.customers for group in groups)
    mean = sum(group.customers * group.clv for group in groups) / people
    return _("By the models of each {name}, in the mix of customers so far, it is {value} for everybody.",
             name=words.grouping_name(name), value=words.money(found, mean))  # fmt: skip


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


def _has_ratios(found: "Acquired") -> bool:
    return bool(len(found.cohorts)) and bool(found.cohorts["ratio"].map(words.is_finite).any())


def _cohorts(found: "Acquired") -> Exhibit:
    frame = found.cohorts
    counted = frame[frame["mark"] != "before"]
    value, cost = float(counted["total"].sum()), float(counted["cost"].sum())
    title = _("Customers held bring {ratio} times what acquiring them cost", ratio=words.one(value / cost))
    subtitle = _(
        "Total CLV (margin so far and residual CLV of {horizon}) in multiples of the acquisition cost (CLV:CAC), by "
        "{unit} of first purchase, with {level} interval",
        horizon=words.horizon(found),
        unit=words.unit_name(found.unit),
        level=formats.percent(found.parameters.interval),
    )
    left = int(frame["customers"].sum() - frame["costed"].sum())
    more = words.margin_words(found)
    if left:
        more += " " + _("{n} customers of these cohorts without a stated cost left out.", n=formats.number(left))
    reading = _("Older cohorts have had more time, so dots and dashes cannot be compared from cohort to cohort.")
    if found.age is not None:
        reading = _(
            "Older cohorts have had more time: compare cohorts only by what each had brought in its customers' first "
            "{age} (diamonds; none where some customers are younger).",
            age=formats.days(found.age),
        )  # fmt: skip
    large = counted[counted["largest"] > GIANT * counted["realised"]]
    if len(large):
        reading += " " + _("One customer alone brought more than {share} of the margin so far of {names}.",
                           share=formats.percent(GIANT), names=phrases.listed(large["cohort"].tolist()))  # fmt: skip
    if (frame["mark"] == "unfinished").any():
        reading += " " + _("Hollow: the cohort is not over yet.")
    if (frame["mark"] == "doubtful").any():
        reading += " " + _(
            "Hollow at the left: some may have been customers before the data begins, so that they brought more."
        )
    if (frame["mark"] == "before").any():
        reading += " " + _("No ratio for the first cohorts: most of these customers were there before the data begins.")
    cash = partial(words.money, found)
    columns = ["cohort", "customers", "costed", "cost", "realised", "residual", "total", "total_low", "total_high",
               "ratio_so_far", "ratio_at_age", "ratio", "ratio_low", "ratio_high", "mark"]  # fmt: skip
    styles: dict[str, Any] = dict.fromkeys(["cost", "realised", "residual", "total", "total_low", "total_high"], cash)
    styles |= dict.fromkeys(["ratio_so_far", "ratio_at_age", "ratio", "ratio_low", "ratio_high"], words.one)
    labels = {"costed": _("with a cost"), "cost": _("acquisition cost"), "realised": _("margin so far"),
              "residual": _("residual CLV"), "total": _("total CLV"), "total_low": _("low"), "total_high": _("high"),
              "ratio_so_far": _("so far : cost"), "ratio_at_age": _("by the common age : cost"), "ratio": _("CLV:CAC"),
              "ratio_low": _("low"), "ratio_high": _("high"), "mark": _("note")}  # fmt: skip
    styles["mark"] = lambda mark: _marks().get(mark, mark)
    caption = Caption(title, subtitle, words.source(found, int(frame["costed"].sum()), more), reading)
    return Exhibit(frame[columns].reset_index(drop=True), caption, styles, labels)


def _marks() -> dict[str, str]:
    return {"before": _("there before the data begins"), "doubtful": _("perhaps there before"),
            "unfinished": _("not over")}  # fmt: skip


def _sources(found: "Acquired") -> Exhibit:
    frame = found.sources
    best, worst = frame.iloc[0], frame.iloc[-1]
    if len(frame) == 1:
        title = _(
            "A new customer brings {ratio} times the acquisition cost in {horizon}",
            ratio=words.one(best["return"]),
            horizon=words.horizon(found),
        )
    else:
        title = _(
            "Best return: {best}, {high} times its cost; lowest: {worst}, {low} times",
            best=words.client_name(best["group"]),
            worst=words.client_name(worst["group"]),
            high=words.one(best["return"]),
            low=words.one(worst["return"]),
        )
    subtitle = _(
        "A new customer of each source in {horizon}, ranked by prospect CLV to cost, and CLV:CAC of the customers "
        "held; {currency}; {level} intervals",
        horizon=words.horizon(found),
        currency=found.parameters.currency,
        level=formats.percent(found.parameters.interval),
    )
    reading = _(
        "Break-even is the most one may cost. A source that returns more today need not do so for the next customer "
        "bought there: these are averages of those won so far. CLV:CAC of the customers held depends on how long ago "
        "they came."
    )
    cash = partial(words.money, found)
    shown = pd.DataFrame(
        {
            "source": frame["group"].map(words.group_name),
            "customers": frame["customers"],
            "cost": frame["cost"].map(cash),
            "break_even": [f"{cash(r.clv)} ({words.bounds(found, r.low, r.high)})" for r in frame.itertuples()],
            "return": frame["return"].map(words.one),
            "verdict": [words.verdict(r.clv, r.low, r.high, r.cost) for r in frame.itertuples()],
            "payback": [
                words.payback_words(found, r.payback, r.payback_low, r.payback_high) for r in frame.itertuples()
            ],
            "clv_cac": [
                f"{words.one(r.ratio)} ({words.one(r.ratio_low)} to {words.one(r.ratio_high)})"
                for r in frame.itertuples()
            ],
        }
    )
    labels = {
        "break_even": _("prospect CLV = break-even"),
        "return": _("prospect CLV : cost"),
        "payback": _("pays back"),
        "clv_cac": _("CLV:CAC, customers held"),
        "verdict": _("within the horizon"),
    }
    more = f"{words.margin_words(found)} {words.not_stated(found)}".strip()
    return Exhibit(
        shown, Caption(title, subtitle, words.source(found, int(frame["customers"].sum()), more), reading), {}, labels
    )


def _segments(found: "Acquired") -> Exhibit:
    tests, decision = found.segmentation.tests, found.segmentation.decision
    supported = int((tests["supported"] & tests["not_worse"]).sum())
    title = _("None of {n} groupings supports models of its own", n=formats.number(len(tests)))
    if len(tests) == 1:
        only = tests.iloc[0]
        title = _("By {name}, separate models gain {gain} in BIC: {verdict}",
                  name=words.grouping_name(only["grouping"]),
                  gain=formats.number(only["bic_gain"], 0),
                  verdict=_("supported") if supported else _("not supported"))  # fmt: skip
    elif supported:
        name = (
            tests[tests["supported"] & tests["not_worse"]].sort_values("bic_gain", ascending=False)["grouping"].iloc[0]
        )
        title = plural(
            "Of {n} groupings, {count} supports models of its own: by {name}",
            "Of {n} groupings, {count} support separate models; {name} gains most",
            supported, n=formats.number(len(tests)), count=formats.number(supported), name=words.grouping_name(name),
        )  # fmt: skip
    subtitle = _(
        "One {model} and Gamma-Gamma per group against one for all of the same customers: likelihood ratio, p "
        "corrected for {n} groupings (Holm), gain in BIC, error on unseen days",
        model=found.result.purchase.name, n=formats.number(len(tests)),
    )  # fmt: skip
    lines = []
    for row in tests.itertuples():
        year = segments.first_year(
            found.segmentation.models[row.grouping], found.parameters.interval, found.parameters.seed
        )
        year = year[year["own"]]
        lines.append(
            {
                "grouping": words.grouping_name(row.grouping),
                "groups": row.groups,
                "customers": row.customers,
                "first_year": f"{words.one(year['purchases'].iloc[-1])} – {words.one(year['purchases'].iloc[0])}",
                "lr": _("{lr} ({df})", lr=formats.number(row.lr, 1), df=formats.number(row.df)),
                "p": words.p_words(row.p_holm),
                "bic_gain": formats.signed(row.bic_gain, lambda value: formats.number(value, 0)),
                "error": _unseen(row),
                "verdict": _verdict(row, decision.grouping),
            }
        )
    left = int(tests["left_out"].max())
    more = ""
    if left:
        more = _("Left out on both sides: up to {n} customers in groups without a sound fit.", n=formats.number(left))
    untested = [words.grouping_name(name) for name in found.segmentation.untested]
    if untested:
        more += " " + _("Not compared, too few groups with a sound fit: {names}.", names=phrases.listed(untested))
    pooled = {words.grouping_name(k): g.pooled for k, g in found.segmentation.groupings.items() if g.pooled and k in
              set(tests["grouping"])}  # fmt: skip
    for name, small in pooled.items():
        more += " " + _(
            "Pooled by {name}: {small}.", name=name, small=phrases.listed([words.client_name(s) for s in small])
        )
    reading = _(
        "Supported: p under 5 %, a lower BIC, and errors on unseen days, of purchases and of money, no larger than "
        "those of one model for all. First-year purchases are expected repeat purchase days of a new customer, lowest "
        "and highest group."
    )
    labels = {"first_year": _("first-year purchases"), "lr": _("likelihood ratio (df)"), "p": _("p (Holm)"),
              "bic_gain": _("BIC gain"), "error": _("error, unseen days"), "verdict": _("models apart")}  # fmt: skip
    caption = Caption(title, subtitle, words.source(found, int(tests["customers"].max()), more.strip()), reading)
    return Exhibit(pd.DataFrame(lines), caption, {}, labels)


def _unseen(row: Any) -> str:
    """The error of the separate models against the pooled one, and whether the difference is more than chance."""
    if formats.is_missing(getattr(row, "rmse", float("nan"))):
        return _("not tested")
    off = formats.signed(row.rmse / row.rmse_pooled - 1, words.change)
    return off if abs(row.rmse_z) > CHANCE else _("{off}, within chance", off=off)


def _verdict(row: Any, used: str) -> str:
    if row.supported and row.not_worse:
        return _("supported, gains most") if row.grouping == used else _("supported")
    if row.grouping == used:
        return _("as asked, not supported")
    return _("fits better, not shown to forecast better") if row.supported else _("no")
