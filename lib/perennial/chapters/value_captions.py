"""The words around the charts and tables of chapter 05."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis import value_views
from perennial.analysis.equity import Equity
from perennial.analysis.value import ValueResult
from perennial.chapters import value_judged
from perennial.chapters import value_words as words
from perennial.language import _
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.lifetime_value import Study


def captions(study: "Study") -> dict[str, Caption]:
    """The words around each chart and table that could be made, by its name."""
    made: dict[str, Caption] = {}
    if study.result is None:
        return made
    made["value_parameters"] = _parameters(study, study.result)
    made["value_models"] = value_judged.models(study, study.result)
    if study.holdout is not None:
        made |= value_judged.holdout(study, study.holdout)
    if study.equity is not None:
        made |= _money(study, study.result, study.equity)
    if len(study.censoring):
        made["value_censoring"] = _censoring(study)
    return made


def _parameters(study: "Study", result: ValueResult) -> Caption:
    model = result.purchase
    part, time = words.rate_unit(result)
    rate = formats.number(words.active_rate(model) * part, 1 if words.active_rate(model) * part >= 1 else 2)
    title = _("A customer buys {rate} times {time}; in this model nobody leaves", rate=rate, time=time)
    if left := words.leaving(model):
        title = _("An active customer buys {rate} times {time}; {share} leave {when}", rate=rate, time=time,
                  share=formats.percent(left[0]), when=left[1])  # fmt: skip
    subtitle = _(
        "Parameters of {model} (per week){spend}, with standard errors",
        model=model.name,
        spend=_(" and Gamma-Gamma ({currency})", currency=study.currency) if result.spend else "",
    )
    more = _("Log-likelihood {ll}.", ll=formats.number(model.loglik, 1))
    return Caption(title, subtitle, words.source(study, model.n_customers, more), words.of_all_customers(result))


def _money(study: "Study", result: ValueResult, equity: Equity) -> dict[str, Caption]:
    n = study.customers
    terms = _(
        "Margin {margin} of revenue, discounted at {rate} a year, {horizon}.",
        margin=formats.percent(result.settings["gross_margin"]),
        rate=formats.percent(result.settings["discount_rate"]),
        horizon=words.horizon(result),
    )
    fifth = value_views.top_share(result.rows, 0.2 * n)
    level = formats.percent(result.settings["interval"])
    held = value_views.top_share(result.rows, len(study.top))
    return {
        "value_equity": Caption(
            _("Customers are worth {value}; {test}", value=words.money(study, equity.value), test=words.tested(study)),
            _("Customer equity, {currency}, and its {level} interval by kind of uncertainty; both together {bounds}",
              currency=study.currency, level=level, bounds=words.equity_bounds(study, equity)),
            words.source(study, n, terms),
            _("More data would narrow the part of the parameters; the part of chance stays. {limit}",
              limit=words.not_model_error(study)),
        ),
        "value_curve": Caption(
            _("The most valuable fifth of customers hold {share} of the value", share=formats.percent(fifth)),
            _("Cumulative share of expected value by share of customers, {horizon}", horizon=words.horizon(result)),
            words.source(study, n, terms),
        ),
        "value_groups": _groups(study, terms),
        "value_top": Caption(
            _("The ten most valuable customers hold {share} of the value", share=formats.percent(held, 1))
            if len(study.top) == 10
            else _("The most valuable customers"),
            _("Expected purchases, order value and value, {horizon}, with {level} interval; {currency}",
              horizon=words.horizon(result), level=level, currency=study.currency),
            words.source(study, n, terms),
            _("The interval of one customer is mostly chance: what a single person does next can hardly be known."),
        ),
        "value_spend": _spend(study, result),
    }  # fmt: skip


def _groups(study: "Study", terms: str) -> Caption:
    once = study.groups[study.groups["first"] == 0]
    title = _("Nobody has bought only once")
    if len(once):
        title = _(
            "{share} of customers bought once; they hold {value} of the value",
            share=formats.percent(once["customer_share"].iloc[0]),
            value=formats.percent(once["value_share"].iloc[0]),
        )
    subtitle = _("Share of customers and of expected value, by repeat purchase days so far")
    return Caption(title, subtitle, words.source(study, study.customers, terms))


def spend_gap(frame: pd.DataFrame) -> float:
    """Largest difference between observed and expected cumulative shares: 0 is a perfect fit."""
    return float((frame["observed"].cumsum() - frame["expected"].cumsum()).abs().max())


def _spend(study: "Study", result: ValueResult) -> Caption:
    assert result.spend is not None
    gap = formats.number(100 * spend_gap(study.spend), 1)
    title = _("Observed and modelled spend per order differ by at most {gap} points", gap=gap)
    subtitle = _("Share of repeat customers by mean repeat purchase, {currency}", currency=study.currency)
    more = _("The highest 5 % are not drawn. Points are of cumulative share.")
    return Caption(title, subtitle, words.source(study, result.spend.n_customers, more))


def _censoring(study: "Study") -> Caption:
    every, later = study.censoring.iloc[0], study.censoring.iloc[1]
    title = _("The model cannot be fitted to later customers alone")
    if not formats.is_missing(later["n"]):
        title = _(
            "New customers' first year: {later} purchases by later arrivals, {all} by all",
            later=formats.number(later["first_year_of_new"], 1),
            all=formats.number(every["first_year_of_new"], 1),
        )
    subtitle = _("The purchase model fitted with and without customers who were there before the data begins")
    if study.beginning.doubtful:
        subtitle = _("The purchase model fitted with and without customers who may have bought before the data begins")
    if study.result is not None and words.rate_unit(study.result)[0] < 1:
        subtitle += "; " + _("yearly figures are extrapolated, the data hold {days}",
                             days=formats.days(words.history_days(study.result)))  # fmt: skip
    reading = _("Those already there look younger than they are, and those who had left before are not in the data.")
    return Caption(title, subtitle, words.source(study, study.customers), reading)
