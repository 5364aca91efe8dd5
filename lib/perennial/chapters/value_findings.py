"""What chapter 05 finds, in sentences: equity, concentration, the hold-out, what to do, what it cannot say."""

from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis import value_views
from perennial.analysis.equity import Equity
from perennial.analysis.holdout import Holdout
from perennial.analysis.value import ValueResult
from perennial.chapters import phrases, value_cautions
from perennial.chapters import value_words as words
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.lifetime_value import Study

CHAPTER = "05_lifetime_value"
CONTACTED = 0.1  # share of customers that the action names


def findings(study: "Study") -> list[Finding]:
    """Findings, then what to do, then what the data cannot say; a lost hold-out comes first."""
    result = study.result
    if result is None:
        return [_unfitted(study)]
    made: list[Finding] = []
    if study.equity is not None:
        made += [_equity(study, result, study.equity), _concentration(study, result), *_once(study, result)]
    else:
        made += [_purchases(study, result)]
    if study.holdout is not None:
        held = _judged(study, study.holdout)
        made = [*made, held] if study.holdout.model_wins else [held, *made]
    if study.equity is not None:
        made += [_protect(study, result), _ceiling(study, result)]
    return [*made, *value_cautions.cautions(study, result)]


def _finding(
    name: str, sentence: str, value: float | None, unit: str, importance: float, figure: str, **more: Any
) -> Finding:
    return Finding(f"value.{name}", CHAPTER, sentence, value, unit=unit, importance=importance, figure=figure, **more)


def _unfitted(study: "Study") -> Finding:
    text = _("No lifetime value is stated. {reason}", reason=study.reason)
    return _finding("unfitted", text, None, "", 0.7, "", kind="caution")


def _equity(study: "Study", result: ValueResult, equity: Equity) -> Finding:
    text = _(
        "The {n} customers are worth {value} over the {horizon} ({level} interval {bounds}){doubt}: {margin} margin on "
        "{revenue} of expected revenue, discounted at {rate} a year. That is {each} per customer; half of them are "
        "worth less than {median}. {limit}",
        n=formats.number(study.customers),
        value=words.money(study, equity.value),
        horizon=words.horizon(result),
        doubt=words.doubted(study, result),
        level=formats.percent(result.settings["interval"]),
        bounds=words.equity_bounds(study, equity),
        margin=formats.percent(result.settings["gross_margin"]),
        revenue=words.money(study, equity.revenue),
        rate=formats.percent(result.settings["discount_rate"]),
        each=words.money(study, equity.value / study.customers),
        median=words.money(study, value_views.value_quantile(result.rows, 0.5)),
        limit=words.not_model_error(study),
    )
    text = f"{text} {_contracts_on_top(study)}".strip()
    return _finding(
        "equity", text, equity.value, study.currency, 0.95 if words.is_tested(study) else 0.9, "value_equity",
        low=equity.low, high=equity.high, doubt="" if words.is_tested(study) else _("not tested"),
    )  # fmt: skip


def _contracts_on_top(study: "Study") -> str:
    """That running contracts are worth something beside the orders, where their fees are not among these."""
    made = {finding.id: finding for finding in study.part("contracts").findings}
    held = made.get("value.contracts")
    if held is None or held.value is None or "value.contracts_in_orders" in made:
        return ""
    return _("Running contracts come on top: {value}.", value=words.money(study, held.value))


def _purchases(study: "Study", result: ValueResult) -> Finding:
    expected = float(result.rows["weight"] @ result.rows["expected_purchases"])
    text = _(
        "The {n} customers are expected to buy on {days} days over the {horizon}, {each} each.",
        n=formats.number(study.customers),
        days=formats.compact(expected),
        horizon=words.horizon(result),
        each=formats.number(expected / study.customers, 2),
    )
    return _finding("purchases", text, expected, "purchase days", 0.8, "value_parameters")


def _concentration(study: "Study", result: ValueResult) -> Finding:
    fifth = value_views.top_share(result.rows, 0.2 * study.customers)
    text = _(
        "The most valuable fifth of customers hold {fifth} of all customers' value over the {horizon} (the rule of "
        "thumb says 80 %)",
        fifth=formats.percent(fifth),
        horizon=words.horizon(result),
    )
    if study.customers >= 100:
        text += _(
            "; the ten most valuable alone hold {ten}", ten=formats.percent(value_views.top_share(result.rows, 10), 1)
        )
    return _finding("top_fifth_share", f"{text}.", fifth, "share", 0.75, "value_curve")


def _once(study: "Study", result: ValueResult) -> list[Finding]:
    once = study.groups[study.groups["first"] == 0]
    if once.empty:
        return []
    group = once.iloc[0]
    text = _(
        "{n} customers ({share}) have bought once; together they probably bring {value} of the value, {each} each.",
        n=formats.number(group["customers"]),
        share=formats.percent(group["customer_share"]),
        value=formats.percent(group["value_share"]),
        each=words.money(study, group["mean_value"]),
    )
    if not result.purchase.knows_one_time_buyers:
        lost = _("before a second purchase") if result.purchase.lets_leave else _("ever")
        text += " " + _(
            "Which of them are gone the model cannot tell: {model} counts none as lost {when}, so no P(alive) is "
            "stated for them.",
            model=result.purchase.name,
            when=lost,
        )
    text = f"{text} {_once_tested(study)}".strip()
    importance = 0.3 + 0.5 * min(0.7, float(group["customer_share"]))
    return [_finding("one_time_share", text, float(group["value_share"]), "share", importance, "value_groups")]


def _once_tested(study: "Study") -> str:
    """How far off the forecast for those who had bought once was, where notably; else nothing."""
    held = study.by_frequency
    row = held[held["frequency"] == 0] if len(held) else held
    if row.empty or not row["actual"].iloc[0]:
        return ""
    predicted, actual = float(row["predicted"].iloc[0]), float(row["actual"].iloc[0])
    if abs(predicted / actual - 1) < value_cautions.NOTABLE_BIAS:
        return ""
    return _("Tested, {model} forecast {predicted} purchase days for each who had bought once, and {actual} came.",
             model=words.judged_model(study.result), predicted=formats.number(predicted, 2),
             actual=formats.number(actual, 2))  # fmt: skip


def _judged(study: "Study", held: Holdout) -> Finding:
    model, rule = held.score(held.model.name), held.score(held.best_baseline)
    facts = {
        "days": words.day_count(held.holdout_days),
        "predicted": formats.number(model["predicted"], 0),
        "actual": formats.number(model["actual"], 0),
        "bias": words.signed_percent(model["bias"]) if model["actual"] else formats.MISSING,
        "model": formats.number(model["rmse"], 2),
        "rule": formats.number(rule["rmse"], 2),
        "name": words.forecaster_name(held.best_baseline),
        "used": held.model.name,
        "judged": words.judged_model(study.result),
    }
    if held.model_wins:
        text = _(
            "On {days} it had not seen {judged} forecast {predicted} purchase days of earlier customers; {actual} "
            "came ({bias}). It errs less per customer than the best of the forecasts without a model, “{name}”: "
            "{model} against {rule} purchase days (root mean square).",
            **facts,
        )
    else:
        text = _(
            "A forecast without a model does better than the model used: on {days} it had not seen {used} errs by "
            "{model} purchase days per customer (root mean square), “{name}” by {rule}. {used} forecast {predicted} "
            "purchase days, {actual} came ({bias}). Values still come from {used}, because the other says nothing of "
            "other horizons, of who is still a customer, or of money.",
            **facts,
        )
    text = f"{text} {words.in_money(study, held)}".strip()
    importance = 0.65 if held.model_wins else 1.0
    return _finding("holdout_bias", text, model["bias"], "share", importance, "value_scores")


def _protect(study: "Study", result: ValueResult) -> Finding:
    count = max(1, round(CONTACTED * study.customers))
    held = value_views.top_share(result.rows, count)
    assert study.equity is not None
    worth = held * study.equity.value
    text = _(
        "Look after the {n} most valuable customers first (one in ten, column clv of the customers' file). They carry "
        "{worth} ({share}) of the value; keeping one of them is worth {each} over that time at most, on average: an "
        "owner by name pays only where the time spent on one costs less. Begin with a random half of them and "
        "compare how many of each half order in six months.",
        n=formats.number(count),
        worth=words.money(study, worth),
        share=formats.percent(held),
        each=words.money(study, worth / count),
    )
    text = f"{text} {value_cautions.best_tenth(study)}".strip()
    text = f"{text} {phrases.among_them(study.shared_best)}".strip()
    return _finding("protect_top_tenth", text, worth, study.currency, 0.7, "value_curve", kind="action")


def _ceiling(study: "Study", result: ValueResult) -> Finding:
    middle = value_views.value_quantile(result.rows, 0.5)
    text = _(
        "Do not spend more on keeping a customer than that customer's own value: for half of them, {n} customers, it "
        "is at most {median} over the {horizon}. That is a limit, not a budget: contact that changes nothing is lost "
        "at any price. The saving is today's spend on them above the limit.",
        n=formats.number(study.customers // 2),
        median=words.money(study, middle),
        horizon=words.horizon(result),
    )
    text = f"{text} {value_cautions.lower_half(study)}".strip()
    return _finding("spend_ceiling", text, middle, study.currency, 0.5, "value_spread", kind="action")
