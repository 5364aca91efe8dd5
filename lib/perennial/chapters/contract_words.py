"""The words of the contractual part: sentences, captions, and how its tables are written."""

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.contract_holdout import CONSTANT, LAST, MODEL
from perennial.analysis.renewals import Rhythm
from perennial.chapters.phrases import listed
from perennial.chapters.value_words import amount
from perennial.language import _, plural

if TYPE_CHECKING:
    from perennial.chapters.value_contracts import Contracts

CHAPTER = "05_lifetime_value"
IN_FULL = 9_999.5  # smaller amounts are written without a scale letter
MOSTLY_BEYOND = 0.25  # share of a value from renewals never seen that is told in the same sentence
FEW_RENEWALS = 2  # a curve of two parameters through so many retention rates cannot be checked by them
DIFFERENT = 0.05  # p-value of the test of start years


def money(found: "Contracts", value: Any) -> str:
    """An amount in the client's currency, rounded as all of chapter 05; in words where it has no bound."""
    if formats.is_missing(value):
        return formats.MISSING
    return _("no bound") if math.isinf(value) else amount(value, found.parameters.currency)


def plan_name(plan: str) -> str:
    """A plan as the client names it; plans without a name together."""
    return plan or _("all contracts")


def contracts_of(plan: str) -> str:
    """``monthly contracts``, safe to stand in a sentence."""
    return _("{plan} contracts", plan=formats.escape(plan)) if plan else _("contracts")


def the_contracts_of(plan: str) -> str:
    """``The monthly contracts``, to begin a sentence with."""
    return _("The {plan} contracts", plan=formats.escape(plan)) if plan else _("The contracts")


def period(rhythm: Rhythm) -> str:
    """``month``, ``year``, ``4 weeks``."""
    n = rhythm.length
    if rhythm.unit == "month":
        names = {1: _("month"), 3: _("quarter"), 6: _("half-year"), 12: _("year")}
        if n % 12 == 0 and n > 12:
            return _("{n} years", n=formats.number(n // 12))
        return names.get(n) or _("{n} months", n=formats.number(n))
    if n % 7 == 0:
        return _("week") if n == 7 else _("{n} weeks", n=formats.number(n // 7))
    return _("{n} days", n=formats.number(n))


def horizon(found: "Contracts") -> str:
    """``next 12 months``."""
    months = found.parameters.horizon_months
    return _("next month") if months == 1 else _("next {n} months", n=formats.number(months))


def wilson(count: int, of: int, level: float) -> tuple[float, float]:
    """Wilson's interval of a share; missing of nothing."""
    if not of:
        return math.nan, math.nan
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, of, alpha=1 - level, method="wilson")
    return float(low), float(high)


def level(found: "Contracts") -> str:
    return formats.percent(found.parameters.interval)


def bounds_of(found: "Contracts", low: float, high: float) -> str:
    """An interval of money, in words where it has no bound."""
    if math.isinf(low):
        return _("without bound")
    if math.isinf(high):
        return _("{low} to no upper bound", low=money(found, low))
    return formats.interval(low, high, partial(money, found))


# Sentences


def says(found: "Contracts") -> list[str]:
    """What the section says in its own place."""
    parts = [
        _setting(found),
        fees_sentence(found),
        _rhythms(found),
        _value(found),
        _cohorts(found),
        _tested(found),
        _odd(found),
    ]
    return [text for text in parts if text]


def _setting(found: "Contracts") -> str:
    head = _("Contracts run beside orders here.")
    if found.setting.contractual:
        head = _("Customers are bound by contract here.")
    return f"{head} {found.setting.reason} " + _(
        "Orders are valued by the purchase model, contracts by their renewals (shifted beta-geometric)."
    )


def fees_sentence(found: "Contracts") -> str:
    """Whether the fees stand in the orders too, so that the two values must not be added."""
    share = formats.percent(found.fee_share)
    if found.fees == "in orders":
        return _(
            "**The two values must not be added**: {share} of contracts have an order line of their fee's amount in "
            "their first period, so the orders already hold the fees.", share=share
        )  # fmt: skip
    if found.fees == "apart":
        return _(
            "The fees do not seem to be among the orders ({share} of contracts have an order line of their fee's "
            "amount in their first period), so the value of contracts comes on top of that of orders. Fees booked with "
            "tax or in other parts would not be noticed.", share=share
        )  # fmt: skip
    if formats.is_missing(found.fee_share):
        return _("Whether the orders already hold the fees cannot be told, as no prices of contracts of known rhythm "
                 "are given: **do not add the two values** before that is known.")  # fmt: skip
    return _(
        "Whether the orders already hold the fees cannot be told ({share} of contracts have an order line of their "
        "fee's amount in their first period): **do not add the two values** before that is known.", share=share
    )  # fmt: skip


def _rhythms(found: "Contracts") -> str:
    texts = [
        _("{plan} every {period} ({share} of {n} dates of end or next renewal fit)",
          plan=contracts_of(plan.name), period=period(plan.rhythm), share=formats.percent(plan.rhythm.fitting),
          n=formats.number(plan.rhythm.dates))
        for plan in found.plans[:4]
    ]  # fmt: skip
    said = (
        _("How often contracts are renewed is read from their own dates: {plans}.", plans=listed(texts))
        if texts
        else ""
    )
    if len(found.plans) > 4:
        said += " " + _("So are {n} more plans.", n=formats.number(len(found.plans) - 4))
    return " ".join([said, *_left_out(found)]).strip()


def _left_out(found: "Contracts") -> list[str]:
    reasons = {
        "": _("with fewer than {n} contracts", n=formats.number(found.parameters.minimum_group)),
        "few": _("with too few dates of end or renewal to read a rhythm from"),
        "irregular": _("whose dates lie on no grid of weeks, months or years"),
        "mixed": _("whose next renewals lie further ahead than their gaps allow, so that several lengths share a name"),
    }
    texts = []
    for reason, words in reasons.items():
        own = [rhythm for rhythm in found.left_out if rhythm.reason == reason]
        if own:
            n = sum(rhythm.contracts for rhythm in own)
            texts.append(
                _("Left out: {plans} {why} ({n} contracts).", why=words, n=formats.number(n),
                  plans=plural("{count} plan", "{count} plans", len(own), count=formats.number(len(own))))
            )  # fmt: skip
    return texts


def _value(found: "Contracts") -> str:
    if found.value is None:
        return ""
    within = found.value.total["within"]
    texts = [
        _(
            "Over the {horizon} the interval is {parameters} from uncertain parameters alone and {chance} from chance "
            "alone.",
            horizon=horizon(found),
            parameters=bounds_of(found, within["parameter_low"], within["parameter_high"]),
            chance=bounds_of(found, within["process_low"], within["process_high"]),
        )
    ]
    for plan in found.modelled:
        assert plan.model is not None
        if plan.model.name != "sBG":
            rate = formats.percent(plan.model.churn, 1)
            texts.append(_("{plan} are projected with one churn of {rate} at every renewal. {reason}",
                           plan=the_contracts_of(plan.name), rate=rate, reason=plan.model.reason))  # fmt: skip
        elif plan.seen <= FEW_RENEWALS:
            texts.append(_("{plan} have been seen through {n} renewals only: two parameters fitted to two retention "
                           "rates, with nothing left to check them by.",
                           plan=the_contracts_of(plan.name), n=formats.number(plan.seen)))  # fmt: skip
    for plan in found.plans:
        if plan.model is None:
            texts.append(_("{plan} are not valued. {reason}", plan=the_contracts_of(plan.name), reason=plan.reason))
    if found.value.unpriced:
        texts.append(_("{n} running contracts have no price and are not in the value.",
                       n=formats.number(found.value.unpriced)))  # fmt: skip
    return " ".join(texts)


def _cohorts(found: "Contracts") -> str:
    texts = []
    for plan in found.plans[:4]:
        test = found.tests[plan.name]
        if formats.is_missing(test["p_value"]):
            continue
        numbers = _("likelihood ratio {x}, df {df}, p = {p}", x=formats.number(test["statistic"], 1),
                    df=formats.number(test["df"]), p=formats.number(test["p_value"], 2))  # fmt: skip
        words = _("{plan} do not differ noticeably by the year they began in ({numbers}): they are fitted together.")
        if test["p_value"] < DIFFERENT:
            words = _("{plan} differ by the year they began in ({numbers}), yet are fitted together: take the single "
                      "years in the table before the total.")  # fmt: skip
        texts.append(words.format(plan=the_contracts_of(plan.name), numbers=numbers))
    return " ".join(texts)


def _tested(found: "Contracts") -> str:
    held = found.holdout
    if held is None or held.scores.empty:
        return ""
    whole = held.scores[held.scores["plan"].isna()].set_index("forecaster")
    model = whole.loc[MODEL]
    text = _(
        "Tested: fitted on what was known at {cut}, the model expected {predicted} of {n} contracts that came up for "
        "renewal since to come through ({level} interval {low} to {high}); {actual} did.",
        cut=formats.date(held.cut), predicted=formats.number(model["predicted"], 0),
        n=formats.number(model["contracts"]), level=level(found), low=formats.number(model["low"], 0),
        high=formats.number(model["high"], 0), actual=formats.number(model["actual"]),
    )  # fmt: skip
    return f"{text} {_missed_plans(found)} {winner(found)}".replace("  ", " ")


def _missed_plans(found: "Contracts") -> str:
    """The plans that came out beside their own interval, where the total hides it."""
    assert found.holdout is not None
    scores = found.holdout.scores
    rows = scores[scores["plan"].notna() & (scores["forecaster"] == MODEL)]
    missed = rows[(rows["actual"] < rows["low"]) | (rows["actual"] > rows["high"])]
    return " ".join(
        _(
            "Of {plan} {actual} did, outside the {low} to {high} expected: their value is probably too {direction}.",
            plan=contracts_of(str(row.plan)), actual=formats.number(row.actual), low=formats.number(row.low, 0),
            high=formats.number(row.high, 0), direction=_("low") if row.actual > row.high else _("high"),
        )
        for row in missed.itertuples()
    )  # fmt: skip


def winner(found: "Contracts") -> str:
    """Which forecast of the hold-out came nearest, as a sentence."""
    held = found.holdout
    assert held is not None
    if held.is_constant:
        if held.winner == LAST:
            return _("It knew of no rise in retention then and equalled one constant churn; carrying on the last "
                     "observed retention came nearer.")  # fmt: skip
        return _("It knew of no rise in retention then, and equalled one constant churn; carrying on the last observed "
                 "retention did no better.")  # fmt: skip
    texts = {
        MODEL: _("No rule of thumb came nearer."),
        CONSTANT: _("One constant churn came nearer: the model did not pay here."),
        LAST: _("Carrying on the last observed retention came nearer: the model did not pay here."),
    }
    return texts[held.winner]


def _odd(found: "Contracts") -> str:
    odd, texts = found.oddities, []
    if odd.get("notice"):
        texts.append(_("{n} running contracts already have their end and are in no value.",
                       n=formats.number(odd["notice"])))  # fmt: skip
    if odd.get("overdue"):
        texts.append(_("{n} contracts are taken as running though their stated renewal date has passed: are they?",
                       n=formats.number(odd["overdue"])))  # fmt: skip
    if odd.get("backwards"):
        texts.append(_("{n} contracts end before they begin; they count as ended at their first renewal.",
                       n=formats.number(odd["backwards"])))  # fmt: skip
    return " ".join(texts)


def beyond(found: "Contracts") -> float:
    """Share of the value of all renewals from those that no contract has come to yet; missing where unbounded."""
    assert found.value is not None
    whole = found.value.total["value"]["value"]
    return float(found.value.plans["beyond"].sum()) / whole if math.isfinite(whole) and whole else math.nan


def absent(found: "Contracts", name: str) -> str:
    """Why a chart or table is not shown."""
    if not found.plans:
        why = " ".join(_left_out(found)) or _("There are no contracts.")
        return _("Not shown: no plan has a recognisable rhythm and enough contracts. {why}", why=why)
    if name == "contract_holdout":
        if found.holdout_reason:
            return _("Not shown: {reason}", reason=found.holdout_reason)
        if found.holdout is not None and found.holdout.reasons:
            texts = [f"{contracts_of(plan)}: {reason}" for plan, reason in found.holdout.reasons.items()]
            return _("Not shown: at the cut no plan could be fitted. {reasons}", reasons=" ".join(texts))
        return _("Not shown: of contracts running at the cut none came up for renewal since, or too few had begun.")
    reasons = list(dict.fromkeys(plan.reason for plan in found.plans if plan.reason))
    if reasons:
        return _("Not shown: {reason}", reason=" ".join(reasons))
    if name == "contract_value":
        return _("Not shown: running contracts with a price per month are needed, and there are none.")
    return _("Not shown: there are no running contracts.")
