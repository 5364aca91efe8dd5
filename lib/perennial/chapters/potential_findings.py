"""The sentences of chapter 06: verdict on the score first, then the quadrants, then what to do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.chapters.potential_actions import actions, cautions
from perennial.chapters.potential_words import amount, decimal, looks_text, money, span
from perennial.charts.potential import look_label
from perennial.formats import number, percent
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study

CHAPTER = "06_potential_quadrants"


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
    if added.low <= 0:
        text = _(
            "The potential score does **not** beat past spend at finding who grows: over the last {days} it "
            "adds nothing "
            "that can be told from chance to what past spend alone says (partial rank correlation {added}). Use the "
            "quadrants to sort customers, not to forecast them.",
            days=days, added=span(study, added),
        )  # fmt: skip
    elif gain.low > 0:
        text = _(
            "The potential score finds later growth better than past spend does ({pair} over the last {days}), "
            "and adds "
            "to it: partial rank correlation {added}.",
            pair=pair, days=days, added=span(study, added),
        )  # fmt: skip
    else:
        worse = gain.high < 0
        opening = _("On its own the potential score ranks later growth less well than past spend does") if worse else _(
            "On its own the potential score ranks later growth about as well as past spend does")  # fmt: skip
        text = _(
            "{opening} ({pair} over the last {days}); beyond past spend it adds {size} information: partial rank "
            "correlation {added}.",
            opening=opening, pair=pair, days=days, added=span(study, added), size=_size(added.value),
        )  # fmt: skip
    return Finding("potential.verdict", CHAPTER, text, added.value, added.low, added.high, "correlation", 0.85,
                   figure="potential_tests")  # fmt: skip


def _size(value: float) -> str:
    if value < 0.1:
        return _("a little")
    return _("some") if value < 0.4 else _("much")


def _growth_stock(study: "Study") -> Finding:
    row = study.quadrant("growth_stock")
    text = _(
        "Growth stock is {n} customers ({share}): {value} of current value ({amount}) with room to grow. "
        "Cash cow, as valuable but with less room, is {cows} customers with {kept}.",
        n=number(row.customers), share=percent(row.customer_share), value=percent(row.value_share),
        amount=money(study, row.current_value), cows=number(study.quadrant("cash_cow").customers),
        kept=percent(study.quadrant("cash_cow").value_share),
    )  # fmt: skip
    return Finding("potential.growth_stock", CHAPTER, text, float(row.customers), unit="customers", importance=0.7,
                   figure="potential_map")  # fmt: skip


def _sleeping_gold(study: "Study") -> Finding:
    row, rest = study.quadrant("sleeping_gold"), study.quadrant("low_yield")
    text = _(
        "{n} customers ({share}) are sleeping gold, promising but worth little today: {value} of current value. "
        "Low yield is {low} customers with {kept}.",
        n=number(row.customers), share=percent(row.customer_share), value=percent(row.value_share),
        low=number(rest.customers), kept=percent(rest.value_share),
    )  # fmt: skip
    if formats.is_missing(row.headroom) is False and "wallet" in study.measured:
        text += " " + _(
            "Where it can be measured, sleeping gold has {room} a year of headroom.",
            room=money(study, row.headroom),
        )
    return Finding("potential.sleeping_gold", CHAPTER, text, float(row.customers), unit="customers", importance=0.55,
                   figure="potential_map")  # fmt: skip


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
    text = _("{look} says most beyond past spend: partial rank correlation {added}.",
             look=look_label(telling[0]), added=span(study, best))  # fmt: skip
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
        text += " " + _compare(check)
    return Finding("potential.next_category", CHAPTER, text, float(first["customers"]), unit="customers",
                   importance=0.45, figure="potential_cross_buy")  # fmt: skip


def _compare(check: Mapping[str, float]) -> str:
    """The cross-buy model against popularity; two standard errors tell them apart."""
    pair = {"ours": percent(check["precision_3"], 1), "theirs": percent(check["popularity_3"], 1)}
    if check["gain_3"] > 2 * check["gain_error_3"]:
        return _("Tried on the last period, {ours} of the first three suggestions were bought, against {theirs} of the "
                 "most popular categories.", **pair)  # fmt: skip
    if check["gain_3"] < -2 * check["gain_error_3"]:
        return _("Tried on the last period, the suggestions did **worse** than simply the most popular categories: "
                 "{ours} of the first three were bought, against {theirs}.", **pair)  # fmt: skip
    return _("Tried on the last period, the suggestions did no better than the most popular categories, within chance: "
             "{ours} of the first three were bought, against {theirs}.", **pair)  # fmt: skip


def _misplaced(study: "Study") -> Finding | None:
    lost = study.facts["misallocation"]
    if not lost["measured"]:
        return None
    low = study.quadrant("low_yield")
    text = _(
        "{misplaced} of the {total} spent on contact and service last year ({share}) would go to another "
        "quadrant under the "
        "client's own budget shares; low yield takes {cost} of it for {value} of current value.",
        misplaced=amount(study, lost["misplaced"]), total=amount(study, lost["total"]),
        share=percent(lost["misplaced"] / lost["total"]), cost=percent(low.cost_share), value=percent(low.value_share),
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
