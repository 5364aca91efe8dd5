"""How chapter 05 speaks of its numbers: money, horizon, forecasters, parameters, sources; and its key figures."""

from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis import value_views
from perennial.analysis.comparison import holds_a_year
from perennial.analysis.equity import Equity
from perennial.analysis.forecasters import HIATUS, LAST_STRETCH, REGRESSION, SAME_AVERAGE, SAME_RATE
from perennial.analysis.holdout import Holdout
from perennial.analysis.purchase_model import DAYS_PER_WEEK, PurchaseModel
from perennial.analysis.value import ValueResult
from perennial.chapters import phrases
from perennial.language import _
from perennial.statements import KeyFigure

if TYPE_CHECKING:
    from perennial.chapters.lifetime_value import Study

WEEKS_PER_YEAR = 365.25 / DAYS_PER_WEEK
DAYS_PER_MONTH, MONTH_SLACK = 365.25 / 12, 8  # a year's data may begin a week late
IN_FULL = 9_999.5  # smaller numbers are written without a scale letter


def key_figures(study: "Study") -> list[KeyFigure]:
    """Equity, value per customer, expected purchases, error on unseen days."""
    if study.result is None:
        return []
    result, made = study.result, []
    if study.equity is not None:
        level = formats.percent(result.settings["interval"])
        made.append(
            KeyFigure(
                _("customer equity, {horizon}", horizon=horizon(result)),
                money(study, study.equity.value),
                _(
                    "{level} interval {bounds}; {test}",
                    level=level,
                    bounds=equity_bounds(study, study.equity),
                    test=tested(study),
                ),
                _("discounted margin expected from today's customers"),
            )
        )
        middle = value_views.value_quantile(result.rows, 0.5)
        note = _("half are worth less than {median}", median=money(study, middle))
        made.append(KeyFigure(_("value per customer"), money(study, study.equity.value / study.customers), note))
    expected = float(result.rows["weight"] @ result.rows["expected_purchases"])
    made.append(
        KeyFigure(
            _("purchase days expected, {horizon}", horizon=horizon(result)),
            formats.number(expected, 0) if expected < IN_FULL else formats.compact(expected),
            _("{n} per customer", n=formats.number(expected / study.customers, 2)),
        )
    )
    if study.holdout is not None:
        bias, _revenue = tested_bias(study)
        made.append(
            KeyFigure(_("forecast against unseen days"), signed_percent(bias), _("total purchase days, model − actual"))
        )
    return made


def money(study: "Study", value: float) -> str:
    """An amount in the client's currency, as :func:`amount`."""
    return amount(value, study.currency)


def amount(value: float, currency: str) -> str:
    """An amount of money: in full below ten thousand, else three figures; cents only below ten."""
    size = abs(value)
    digits = None if size >= IN_FULL else 0 if size >= 10 or not size else 2
    return formats.money(value, currency, digits=digits)


def equity_bounds(study: "Study", equity: Equity) -> str:
    """The interval of the equity, in words."""
    return formats.interval(equity.low, equity.high, lambda value: money(study, value))


def signed_percent(share: float) -> str:
    """A relative difference with its sign."""
    return formats.signed(
        share, lambda value: formats.percent(abs(value)) if value >= 0 else f"−{formats.percent(-value)}"
    )


def horizon(result: ValueResult) -> str:
    """``next 12 months``."""
    months = int(result.settings["horizon_months"])
    return _("next month") if months == 1 else _("next {n} months", n=formats.number(months))


def too_many(share: float) -> str:
    """A forecast's error in words: ``14 % too few purchases``; within half a percent ``as many … as came``."""
    if formats.is_missing(share) or abs(share) < 0.005:
        return _("as many purchases as came")
    amount = formats.percent(abs(share))
    return _("{share} too many purchases", share=amount) if share > 0 else _("{share} too few purchases", share=amount)


def tested(study: "Study") -> str:
    """What the hold-out says of the level of the forecasts, as half a sentence: in money where it was measured."""
    if not is_tested(study):
        return _("the model could not be tested")
    purchases, revenue = tested_bias(study)
    error = too_many(purchases) if formats.is_missing(revenue) else too_much(revenue)
    return _("tested, the model forecast {error}", error=error)


def tested_bias(study: "Study") -> tuple[float, float]:
    """Error on the days held back, of purchase days and of revenue (missing where not measured), as shares.

    Of the models by which customers are valued: those of the groups where groups are valued apart and were judged.
    """
    held, result = study.holdout, study.result
    assert held is not None and result is not None
    judged = result.segmentation.judged
    if result.apart and len(judged):
        came, paid = float(judged["bought"].sum()), float(judged["paid"].sum())
        purchases = float(judged["bought_own"].sum()) / came - 1 if came else float("nan")
        return purchases, float(judged["paid_own"].sum(min_count=1)) / paid - 1 if paid else float("nan")
    return held.score(held.model.name)["bias"], held.revenue.get("bias", float("nan"))


def judged_model(result: ValueResult | None) -> str:
    """What the scorecard judges: the one model of all customers, also where values rest on those of groups."""
    return _("one model for all") if result and result.apart else _("the model")


def is_tested(study: "Study") -> bool:
    """Whether the purchase model was tried on days it had not seen, and purchases came on them."""
    return study.holdout is not None and bool(study.holdout.score(study.holdout.model.name)["actual"])


def doubted(study: "Study", result: ValueResult) -> str:
    """What must stand in the equity's own sentence: it is not tested, or looks farther ahead than the data go back."""
    parts = [] if is_tested(study) else [_("by a model that could not be tested")]
    days = history_days(result)
    if days < int(result.settings["horizon_months"]) * DAYS_PER_MONTH - MONTH_SLACK:
        parts.append(_("extrapolated from {days} of data", days=formats.days(days)))
    return "".join(f", {part}" for part in parts)


def history_days(result: ValueResult) -> int:
    """Days from the first purchase of all to the as-of day, both counted."""
    return int(result.rows["T"].max()) + 1


def rate_unit(result: ValueResult) -> tuple[float, str]:
    """In which time purchases are counted: a year where the data hold one, else a month; in years, and in words."""
    if holds_a_year(history_days(result)):
        return 1.0, _("a year")
    return 1 / 12, _("a month")


def not_model_error(study: "Study") -> str:
    """What the interval of the equity holds and what it does not, with the error out of time."""
    held = study.holdout
    if held is None or not is_tested(study):
        return _("The interval holds uncertain parameters and chance, not model error, which could not be tested.")
    purchases, revenue = tested_bias(study)
    error = too_many(purchases)
    if not formats.is_missing(revenue):
        error = _("{purchases} and {revenue}", purchases=error, revenue=too_much(revenue))
    return _(
        "The interval holds uncertain parameters and chance, not model error: tested on the last {span} the model "
        "forecast {error}.",
        span=formats.days(held.holdout_days),
        error=error,
    )


def too_much(share: float) -> str:
    """A forecast's error in money: ``17 % too little revenue``; within half a percent ``as much … as came``."""
    if abs(share) < 0.005:
        return _("as much revenue as came")
    amount = formats.percent(abs(share))
    return _("{share} too much revenue", share=amount) if share > 0 else _("{share} too little revenue", share=amount)


def in_money(study: "Study", held: Holdout) -> str:
    """The hold-out's revenue, forecast and actual, as a sentence; empty where it was not measured."""
    if formats.is_missing(held.revenue.get("bias")):
        return ""
    return _(
        "In money {model} forecast {predicted}, {actual} came ({bias}); as much as in the last stretch would have "
        "been {last}.",
        model=judged_model(study.result),
        predicted=money(study, held.revenue["predicted"]),
        actual=money(study, held.revenue["actual"]),
        bias=signed_percent(held.revenue["bias"]),
        last=money(study, held.revenue["last"]),
    )


def day_count(days: int) -> str:
    """A length of time counted in days, as the hold-out is set: ``273 days``."""
    return _("{n} days", n=formats.number(days))


def forecaster_name(name: str) -> str:
    """A forecast without a model in words; models keep their names."""
    names = {
        SAME_RATE: _("each customer's old rate goes on"),
        SAME_AVERAGE: _("everyone buys at the old average"),
        LAST_STRETCH: _("each buys as in the last stretch"),
        HIATUS: _("who is silent too long has left, others go on"),
        REGRESSION: _("regression on recency and frequency"),
    }
    return names.get(name, name)


def parameter_meaning(name: str) -> str:
    """What a parameter governs."""
    meanings = {
        "r": _("purchase rates: how alike customers are (higher: more alike)"),
        "alpha": _("purchase rates: scale, weeks; mean rate is r / alpha"),
        "a": _("leaving after a purchase: mean chance is a / (a + b)"),
        "b": _("leaving after a purchase: see a"),
        "s": _("leaving at any time: how alike customers are (higher: more alike)"),
        "beta": _("leaving at any time: scale, weeks; mean hazard is s / beta"),
        "p": _("spend per order within a customer: shape"),
        "q": _("spend between customers: tail (must exceed 1)"),
        "v": _("spend between customers: scale, currency"),
    }
    return meanings[name]


def source(study: "Study", n: int, more: str = "") -> str:
    """The line under a chart."""
    return phrases.source_of_customers(study.title, study.as_of, n, more)


def active_rate(model: PurchaseModel) -> float:
    """Mean purchase days a year of an active customer."""
    return model.params["r"] / model.params["alpha"] * WEEKS_PER_YEAR


def leaving(model: PurchaseModel) -> tuple[float, str] | None:
    """The share that leaves, and when, after a purchase or within a year; None where the model lets nobody leave."""
    if not model.lets_leave:
        return None
    if model.name == "Pareto/NBD":
        kept = (model.params["beta"] / (model.params["beta"] + WEEKS_PER_YEAR)) ** model.params["s"]
        return 1 - kept, _("within a year")
    return model.params["a"] / (model.params["a"] + model.params["b"]), _("after each purchase")


def chosen_by(result: ValueResult) -> str:
    """What the purchase model was chosen by, as half a sentence."""
    grounds = {
        "declared": _("as the parameters declare"),
        "holdout": _(
            "which did best of the purchase models on the days held back (smallest error; among equals the "
            "nearest total)"
        ),
        "fit": _("which fits best of the models (BIC); a test on days held back was not possible"),
    }
    if result.ground == "holdout" and result.holdout and len(result.holdout.ranking) == 1:
        return _("the only purchase model that can be fitted to the days before the cut")
    return grounds[result.ground]


def of_all_customers(result: ValueResult) -> str:
    """That these are the models of all customers, where values rest on those of groups."""
    if not result.apart:
        return ""
    return _("Models of all customers together; their values rest on separate models of groups (see customer equity).")
