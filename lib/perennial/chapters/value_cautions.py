"""What chapter 05 cannot say: bias on the hold-out, assumptions, missing models."""

from dataclasses import replace
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis import value_views
from perennial.analysis.comparison import YEAR_DAYS
from perennial.analysis.value import ValueResult
from perennial.chapters import phrases
from perennial.chapters import value_words as words
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.lifetime_value import Study

CHAPTER = "05_lifetime_value"
NOTABLE_BIAS = 0.10  # a hold-out total this far off is worth a caution


def cautions(study: "Study", result: ValueResult) -> list[Finding]:
    """What the data cannot say about value, and what the models assume."""
    others = [*_above_last_year(study, result), *_missing(result), *_no_dropout(result), *_before(study, result)]
    made = [*(_weighed(finding, others, study) for finding in _bias(study)), *others]
    if study.equity is not None:
        text = _(
            "The interval holds neither a wrong margin nor a changed market. The margin of {margin} is {ground}: value "
            "moves in step with it.",
            margin=formats.percent(result.settings["gross_margin"]),
            ground=_("as declared, the same for every customer")
            if result.settings["margin_by"] == "set"
            else _("the mean of all order lines so far, the same for every customer"),
        )
        made.append(_caution("interval_scope", text, None, 0.35, "value_equity"))
    return made


def _weighed(bias: Finding, others: list[Finding], study: "Study") -> Finding:
    """The error of the test, with what speaks against taking it as the error of the values."""
    assert study.holdout is not None
    too_high = {
        "value.above_last_year": _("more revenue is expected than all customers brought in the last year"),
        "value.no_dropout": _("leaving is not, or hardly, seen by the model"),
        "value.left_censoring": _("some customers are older than they look"),
    }
    against = [too_high[finding.id] for finding in others if finding.id in too_high]
    text = bias.sentence
    if bias.value is not None and bias.value < 0 and against:
        text += " " + _("Other doubts make them too high: {doubts}. Which weighs more the data cannot tell.",
                        doubts=phrases.listed(against))  # fmt: skip
    if study.holdout.holdout_days < YEAR_DAYS and not study.holdout.season.get("used"):
        text += " " + _("The test covers {span}, so a season may stand behind its error.",
                        span=formats.days(study.holdout.holdout_days))  # fmt: skip
    return replace(bias, sentence=text)


def _caution(name: str, text: str, value: float | None, importance: float, figure: str) -> Finding:
    unit = "share" if value is not None else ""
    return Finding(
        f"value.{name}", CHAPTER, text, value, unit=unit, importance=importance, kind="caution", figure=figure
    )


def _bias(study: "Study") -> list[Finding]:
    held = study.holdout
    if held is None:
        return []
    return _direction(study)


def best_tenth(study: "Study") -> str:
    """A warning for the tenth forecast to buy most, where its forecast was notably off; else nothing."""
    if study.holdout is None:
        return ""
    bias = value_views.top_bias(study.deciles)
    if formats.is_missing(bias) or abs(bias) < NOTABLE_BIAS:
        return ""
    return _(
        "Their values are probably too {direction}: for the tenth forecast to buy most {model}, tested, forecast "
        "{error} ({predicted} each, {actual} came).",
        model=words.judged_model(study.result),
        direction=_("low") if bias < 0 else _("high"),
        error=words.too_many(bias),
        predicted=formats.number(study.deciles["predicted"].iloc[0], 1),
        actual=formats.number(study.deciles["actual"].iloc[0], 1),
    )


def lower_half(study: "Study") -> str:
    """A warning for the half forecast to buy least, where its forecast was notably off; else nothing."""
    if study.holdout is None:
        return ""
    predicted, actual = value_views.lower_half(study.deciles)
    if not actual or abs(predicted / actual - 1) < NOTABLE_BIAS:
        return ""
    return _(
        "Tested, {model} forecast {error} for the half expected to buy least ({predicted} each, {actual} came), so "
        "the limit is probably too {direction}.",
        model=words.judged_model(study.result),
        error=words.too_many(predicted / actual - 1),
        predicted=formats.number(predicted, 2),
        actual=formats.number(actual, 2),
        direction=_("low") if predicted < actual else _("high"),
    )


def _direction(study: "Study") -> list[Finding]:
    """Which way the level is off, where it is notably: in money, or else in purchases."""
    bias, money = words.tested_bias(study)
    figure = "value_apart_tested" if "value_apart_tested" in study.part("apart").exhibits else "value_scores"
    if not formats.is_missing(money) and abs(money) >= NOTABLE_BIAS:
        text = _(
            "Values may be too {direction}: over the hold-out the model forecast {revenue} and {purchases}.",
            direction=_("low") if money < 0 else _("high"),
            revenue=words.too_much(money),
            purchases=words.too_many(bias),
        )
        return [_caution("direction", text, money, 0.6, figure)]
    if formats.is_missing(bias) or abs(bias) < NOTABLE_BIAS:
        return []
    text = _(
        "Expected purchases may be too {direction}: over the hold-out the model forecast {purchases}.",
        direction=_("low") if bias < 0 else _("high"),
        purchases=words.too_many(bias),
    )
    return [_caution("direction", text, bias, 0.6, figure)]


def _above_last_year(study: "Study", result: ValueResult) -> list[Finding]:
    """More expected of today's customers in a year than all customers brought in the last one."""
    months, last = int(result.settings["horizon_months"]), study.last_year
    if study.equity is None or months != 12 or formats.is_missing(last) or study.equity.revenue <= last:
        return []
    text = _(
        "Today's customers are expected to bring more in the next 12 months, {expected}, than all customers brought in "
        "the last 12, {last}. Many of them were won within that year and have bought for a part of it only; still, "
        "customers leave, and nobody new counts in the expectation.",
        expected=words.money(study, study.equity.revenue),
        last=words.money(study, last),
    )
    return [_caution("above_last_year", text, study.equity.revenue / last - 1, 0.55, "value_equity")]


def _missing(result: ValueResult) -> list[Finding]:
    made = []
    if result.spend_reason:
        text = _("No money is stated. {reason}", reason=result.spend_reason)
        made.append(_caution("no_spend_model", text, None, 0.7, "value_parameters"))
    if result.holdout_reason:
        text = _("The model cannot be tested on unseen days. {reason}", reason=result.holdout_reason)
        made.append(_caution("no_holdout", text, None, 0.6, "value_parameters"))
    return made


def _no_dropout(result: ValueResult) -> list[Finding]:
    """Whether the data shows that anyone leaves: a standard error above the estimate says no."""
    model, left = result.purchase, words.leaving(result.purchase)
    if left is None:
        text = _(
            "In the purchase model used, {model}, {ground}, nobody leaves. So no P(alive) is stated, and beyond the "
            "days it was tested on values are the more likely too high, the farther they look ahead.",
            model=model.name,
            ground=words.chosen_by(result),
        )
        return [_caution("no_dropout", text, None, 0.65, "value_models")]
    shape = model.names[2]
    if model.se[shape] < model.params[shape]:
        return []
    text = _(
        "The data cannot tell whether customers leave at all: in the model {share} leave {when}, with a standard error "
        "of {shape} as large as {shape} itself. Over a longer horizon values are probably too high.",
        share=formats.percent(left[0], 1),
        when=left[1],
        shape=shape,
    )
    return [_caution("no_dropout", text, left[0], 0.5, "value_parameters")]


def _before(study: "Study", result: ValueResult) -> list[Finding]:
    if study.censoring.empty:
        return []
    effect = _("the chance of leaving is probably understated")
    if not result.purchase.lets_leave:
        effect = _("the rate at which the others will buy is probably overstated")
    text = _(
        "Many customers were there before the data begins. Their age is not known, and those who had already left are "
        "missing, so {effect}; the fit without them stands in the chapter.",
        effect=effect,
    )
    if study.beginning.doubtful:
        text = _(
            "Some of the first {n} customers may have bought before the data begins. If so, they are older than they "
            "look, those who had left by then are missing, and {effect}; {without}.{share}",
            effect=effect,
            share=_share_of_first(study, result),
            n=formats.number(study.beginning.customers),
            without=_("the fit without them stands in the chapter")
            if not formats.is_missing(study.censoring["n"].iloc[1])
            else _("without them the model cannot be fitted"),
        )
    return [_caution("left_censoring", text, None, 0.45, "value_censoring")]


def _share_of_first(study: "Study", result: ValueResult) -> str:
    """How much of the equity lies with the first customers; empty where the cohorts do not tell."""
    known = result.cohorts
    if known.empty or not study.beginning.cohorts <= set(known["cohort"]):
        return ""
    first = known.loc[known["cohort"].isin(study.beginning.cohorts), "value"].sum()
    return " " + _("They hold {share} of the equity.", share=formats.percent(first / known["value"].sum()))
