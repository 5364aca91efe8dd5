"""The sentences of chapter 06: verdict on the score first, then the quadrants, then what to do."""

from collections.abc import Mapping
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.chapters.potential_actions import actions, cautions
from perennial.chapters.potential_words import (
    WEAK,
    added_size,
    amount,
    decimal,
    holds_a_year,
    last_year,
    looks_text,
    money,
    span,
    whose_strategy,
    window,
)  # fmt: skip
from perennial.charts.potential import look_label
from perennial.formats import number, percent
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study

CHAPTER = "06_potential_quadrants"
SMALL_GAIN = 0.1  # of the rate of the most popular categories: a smaller gain is hardly one


def findings(study: "Study", strategies: Mapping[str, Any]) -> list[Finding]:
    """All findings, cautions and actions, verdict first."""
    made = [_verdict(study), _growth_stock(study), _sleeping_gold(study)]
    made += [found for found in (_looks(study), _next_category(study), _misplaced(study)) if found]
    return [*made, _firmness(study), *actions(study, strategies), *cautions(study)]


def _verdict(study: "Study") -> Finding:
    """What the score is worth: beaten, level or better than past spend, in the first sentence."""
    added, gain, score, past = (study.test(name) for name in ("added", "gain", "score", "past_spend"))
    if added is None:
        reason = study.facts["validation"]["reason"]
        text = _("Whether the score finds later growth cannot be told yet: {reason}.", reason=reason)
        return Finding("potential.verdict", CHAPTER, text, importance=0.75, figure="potential_map")
    days = formats.days(study.facts["validation"]["days"])
    pair = _("rank correlation {score} against {past}", score=decimal(score.value), past=decimal(past.value))
    if added.high < 0:
        text = _(
            "The potential score does **not** beat past spend at finding who grows; it points the wrong way: over the "
            "last {days}, of customers with the same past spend, those with a high score spent rather less (partial "
            "rank correlation {added}). Use the quadrants to sort customers, not to forecast them.",
            days=days, added=span(study, added),
        )  # fmt: skip
    elif added.low <= 0:
        text = _(
            "The potential score does **not** beat past spend at finding who grows: over the last {days} it "
            "adds nothing "
            "that can be told from chance to what past spend alone says (partial rank correlation {added}). Use the "
            "quadrants to sort customers, not to forecast them.",
            days=days, added=span(study, added),
        )  # fmt: skip
    elif gain.low > 0:
        text = _(
            "The potential score finds later growth better than a regression on past spend does ({pair} over the last "
            "{days}), and adds {size} to it: partial rank correlation {added}.",
            pair=pair, days=days, added=span(study, added), size=added_size(added.value),
        )  # fmt: skip
    else:
        how = _("less well than") if gain.high < 0 else _("about as well as")
        text = _(
            "Beyond past spend the potential score adds {size}: partial rank correlation {added} with later spend. "
            "On its own it ranks growth {how} a regression on past spend ({pair} over the last {days}), most "
            "of which is regression to the mean.",
            how=how, pair=pair, days=days, added=span(study, added), size=added_size(added.value),
        )  # fmt: skip
    return Finding("potential.verdict", CHAPTER, text, added.value, added.low, added.high, "correlation", 0.85,
                   figure="potential_tests")  # fmt: skip


def _growth_stock(study: "Study") -> Finding:
    row = study.quadrant("growth_stock")
    text = _(
        "Growth stock is {n} customers ({share}): {value} of current value ({amount}) with room to grow. "
        "Cash cow, as valuable but with less room, is {cows} customers with {kept}.",
        n=number(row.customers), share=percent(row.customer_share), value=percent(row.value_share),
        amount=money(study, row.current_value), cows=number(study.quadrant("cash_cow").customers),
        kept=percent(study.quadrant("cash_cow").value_share),
    )  # fmt: skip
    if study.provisional:
        text = _("**Provisional**, as {reason}: {text}", reason=_doubt(study), text=text)
    return Finding("potential.growth_stock", CHAPTER, text, float(row.customers), unit="customers",
                   importance=0.35 if study.provisional else 0.7, figure="potential_map",
                   doubt=_("provisional") if study.provisional else "")  # fmt: skip


def _doubt(study: "Study") -> str:
    """Why the quadrants are provisional."""
    added = study.test("added")
    if added is None:
        return _("the score is not tried on the past yet")
    if added.high < 0:
        return _("the score points the wrong way")
    if added.low <= 0 or added.value < WEAK:
        return _("the score adds next to nothing to past spend")
    return _("the score rests on one look")


def _sleeping_gold(study: "Study") -> Finding:
    row, rest = study.quadrant("sleeping_gold"), study.quadrant("low_yield")
    text = _(
        "{n} customers ({share}) are sleeping gold, promising but worth little today: {value} of current value. "
        "Low yield is {low} customers with {kept}.",
        n=number(row.customers), share=percent(row.customer_share), value=percent(row.value_share),
        low=number(rest.customers), kept=percent(rest.value_share),
    )  # fmt: skip
    if row.headroom_customers and 2 * row.headroom_customers >= row.customers:
        text += " " + _(
            "Sleeping gold has {room} of headroom {when}, measured for {n} of its {all} customers.",
            when=_("a year") if holds_a_year(study) else _("in the {days} of data", days=window(study)),
            room=money(study, row.headroom), n=number(row.headroom_customers), all=number(row.customers),
        )  # fmt: skip
    return Finding("potential.sleeping_gold", CHAPTER, text, float(row.customers), unit="customers",
                   importance=0.3 if study.provisional else 0.55, figure="potential_map",
                   doubt=_("provisional") if study.provisional else "")  # fmt: skip


def _looks(study: "Study") -> Finding | None:
    """Which looks carry the score, and which say nothing beyond past spend."""
    rows = {look: study.test(f"look_{look}") for look in study.measured}
    known = {look: row for look, row in rows.items() if row is not None}
    if len(known) < 2:
        return None
    telling = sorted((k for k, r in known.items() if r.low > 0), key=lambda k: -known[k].value)
    silent = [k for k in known if k not in telling]
    if not telling:
        text = _("None of the looks alone ({looks}) says more about later spend than past spend does.",
                 looks=looks_text(list(known)))  # fmt: skip
        return Finding("potential.looks", CHAPTER, text, importance=0.5, figure="potential_tests")
    best = known[telling[0]]
    text = _("{look} adds most beyond past spend ({size} by itself): partial rank correlation {added}.",
             look=look_label(telling[0]), size=added_size(best.value), added=span(study, best))  # fmt: skip
    if silent:
        text += " " + _("No such evidence, or the contrary, for {looks}.", looks=looks_text(silent))
    return Finding("potential.looks", CHAPTER, text, best.value, best.low, best.high, "correlation", 0.5,
                   figure="potential_tests")  # fmt: skip


def _next_category(study: "Study") -> Finding | None:
    if not len(study.next_categories):
        return None
    first, check = study.next_categories.iloc[0], study.facts["cross_buy"]
    text = _(
        "The next category worth offering most often is {category}: for {n} of the growth-stock and "
        "sleeping-gold customers.",
        category=formats.escape(first["next_category"]), n=number(first["customers"]),
    )  # fmt: skip
    if "gain_3" in check:
        text = compare_suggestions(check, study.level) + " " + text
    return Finding("potential.next_category", CHAPTER, text, float(first["customers"]), unit="customers",
                   importance=0.45, figure="potential_cross_buy")  # fmt: skip


def compare_suggestions(check: Mapping[str, float], level: float) -> str:
    """The first three suggestions against the most popular categories, with the interval of the paired difference."""
    half = NormalDist().inv_cdf((1 + level) / 2) * check["gain_error_3"]
    low, high = check["gain_3"] - half, check["gain_3"] + half
    opening = _("The suggestions do **not** beat simply the most popular categories")
    if high < 0:
        opening = _("The suggestions do **worse** than simply the most popular categories")
    elif low > 0 and check["gain_3"] < SMALL_GAIN * check["popularity_3"]:
        opening = _("The suggestions **hardly** beat simply the most popular categories")
    elif low > 0:
        opening = _("The suggestions beat the most popular categories")
    return _(
        "{opening}: {ours} of the first three were bought in the last period, against {theirs} (difference {gain}, "
        "{level} interval {bounds}).",
        opening=opening, ours=percent(check["precision_3"], 1), theirs=percent(check["popularity_3"], 1),
        gain=formats.points(check["gain_3"], 2), level=percent(level),
        bounds=formats.interval(low, high, partial(formats.points, digits=2)),
    )  # fmt: skip


def _misplaced(study: "Study") -> Finding | None:
    lost = study.facts["misallocation"]
    if not lost["measured"]:
        return None
    low = study.quadrant("low_yield")
    text = _(
        "{misplaced} of the {total} spent on contact and service {when} ({share}) would go to another "
        "quadrant under the budget shares of {whose}; low yield takes {cost} of it for {value} of current value.",
        when=last_year(study), misplaced=amount(study, lost["misplaced"]), total=amount(study, lost["total"]),
        share=percent(lost["misplaced"] / lost["total"]), whose=whose_strategy(study),
        cost=percent(low.cost_share), value=percent(low.value_share),
    )  # fmt: skip
    return Finding("potential.misallocation", CHAPTER, text, lost["misplaced"], unit=_unit(study), importance=0.6,
                   figure="potential_spend")  # fmt: skip


def _unit(study: "Study") -> str:
    return study.currency if study.facts["cost_unit"] == "money" else "hours"


def _firmness(study: "Study") -> Finding:
    """How many customers stand near a line."""
    cuts = study.sensitivity[study.sensitivity["kind"] == "cut"]["changed_share"]
    weights = study.sensitivity[study.sensitivity["kind"] == "weight"]["changed_share"]
    text = _("Moving a cut line by ten points moves up to {share} of customers to another quadrant.",
             share=percent(cuts.max()))  # fmt: skip
    if len(weights):
        text = _("The quadrants are fairly firm: ") if weights.max() < 0.1 else _("The quadrants are not firm: ")
        text += _(
            "a weight a quarter higher or lower moves at most {weights} of customers, a cut line ten points off "
            "up to {cuts}.",
            weights=percent(weights.max(), 1), cuts=percent(cuts.max()),
        )  # fmt: skip
    value = float(weights.max()) if len(weights) else float(cuts.max())
    return Finding("potential.firmness", CHAPTER, text, value, unit="share", importance=0.3,
                   figure="potential_sensitivity")  # fmt: skip
