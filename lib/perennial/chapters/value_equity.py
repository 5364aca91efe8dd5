"""Chapter 05, the equity taken apart: by cohort, by how far it looks ahead, and what changes would be worth."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import censoring, what_if
from perennial.analysis.cohorts import FREQUENCY
from perennial.chapters import phrases
from perennial.chapters import value_words as words
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.analysis.value import ValueResult
    from perennial.client import Client

CHAPTER = "05_lifetime_value"
CLAIM = 0.25  # quoted: 5 % less churn brings 25 % more profit, or more
NAMES = ("value_cohorts", "value_horizons", "value_what_if")


def part(client: "Client", result: "ValueResult") -> Part:
    """Equity by cohort and by horizon, and four scenarios."""
    if result.equity is None:
        reason = _("Not shown: {reason}", reason=result.spend_reason)
        return Part(absent=dict.fromkeys(NAMES, reason))
    cohorts = result.cohorts.assign(each=result.cohorts["value"] / result.cohorts["customers"])
    horizons, changes = what_if.by_horizon(result), what_if.what_if(result)
    exhibits = {
        "value_cohorts": _cohorts(client, result, cohorts),
        "value_horizons": _horizons(client, result, horizons),
        "value_what_if": _what_if(client, result, changes),
    }
    return Part(exhibits, says=tuple(_claim(result, changes)), findings=(_levers(client, result, changes),))


def _source(client: "Client", result: "ValueResult", more: str) -> str:
    p = client.parameters
    return phrases.source_of_customers(p.title, p.as_of, result.purchase.n_customers, more)


def _terms(result: "ValueResult") -> str:
    return _(
        "Margin {margin} of revenue, discounted at {rate} a year.",
        margin=formats.percent(result.settings["gross_margin"]),
        rate=formats.percent(result.settings["discount_rate"]),
    )


def _cohorts(client: "Client", result: "ValueResult", cohorts: pd.DataFrame) -> Exhibit:
    currency, level = client.parameters.currency, formats.percent(result.settings["interval"])
    named = cohorts["cohort"].map(partial(formats.period, unit=cohort_unit(cohorts)))
    best = cohorts.assign(cohort=named).loc[cohorts["value"].idxmax()]
    title = _(
        "{cohort}: the cohort worth most, {share} of the equity",
        cohort=best["cohort"],
        share=formats.percent(best["value"] / cohorts["value"].sum()),
    )
    title += _there_before(client, cohorts.loc[cohorts["value"].idxmax(), "cohort"])
    subtitle = _(
        "Residual CLV of all customers by the period of their first purchase, {currency}, {horizon}, with {level} "
        "interval (parameters and chance)",
        currency=currency, horizon=words.horizon(result), level=level,
    )  # fmt: skip
    reading = _("The cohorts add up to the customer equity. The lines hold parameters and chance of each cohort alone.")
    money = partial(words.amount, currency=currency)
    return Exhibit(
        cohorts.assign(cohort=named),
        Caption(title, subtitle, _source(client, result, _terms(result)), reading),
        dict.fromkeys(["value", "low", "high", "each"], money),
        {"cohort": _("first purchase"), "each": _("value per customer")},
    )


def _there_before(client: "Client", cohort: pd.Timestamp) -> str:
    """Whether customers of this period were, or may have been, there before the data begins; else nothing."""
    p = client.parameters
    beginning = censoring.beginning_of(client.summary, p.cohort_period, p.as_of)
    since = censoring.new_since(beginning.cohorts, FREQUENCY[p.cohort_period])
    if since is None or cohort >= pd.Timestamp(since):
        return ""
    return _("; mostly earlier customers") if beginning.sign == "clear" else _("; perhaps earlier customers")


def cohort_unit(cohorts: pd.DataFrame) -> str:
    """``"month"``, ``"quarter"`` or ``"year"``, as the cohorts' first days tell."""
    months = cohorts["cohort"].dt.month
    steps = cohorts["cohort"].dt.year * 12 + months
    gap = int(steps.sort_values().diff().min()) if len(cohorts) > 1 else 1
    return "month" if gap < 3 else "quarter" if gap < 12 else "year"


def months_name(months: float) -> str:
    """A horizon in words: ``12 months``, ``for ever``."""
    if months == what_if.FOR_EVER:
        return _("for ever")
    return _("{n} months", n=formats.number(months, 0))


def _horizons(client: "Client", result: "ValueResult", horizons: pd.DataFrame) -> Exhibit:
    currency = client.parameters.currency
    ever = horizons[horizons["months"] == what_if.FOR_EVER]
    used = horizons.loc[horizons["months"] == result.settings["horizon_months"], "value"].iloc[0]
    title = _("Over five years today's customers are worth {value}",
              value=words.amount(horizons.loc[horizons["months"] == 60, "value"].iloc[0], currency))  # fmt: skip
    if len(ever):
        title = _(
            "The {horizon} hold {share} of what today's customers will ever be worth",
            horizon=words.horizon(result), share=formats.percent(used / ever["value"].iloc[0]),
        )  # fmt: skip
    subtitle = _(
        "Residual CLV of all customers by how far it looks ahead, {currency}, with {level} interval (parameters alone)",
        currency=currency, level=formats.percent(result.settings["interval"]),
    )  # fmt: skip
    reading = _(
        "Beyond the days the model was tested on nothing vouches for these values: customers may leave faster than the "
        "model has seen."
    )
    if len(ever):
        reading = _("For ever: every future purchase, each discounted to its own moment (DERT).") + " " + reading
    elif not result.purchase.lets_leave:
        reading = _(
            "In the model used, {model}, nobody leaves: values are the more likely too high, the farther they look "
            "ahead, and none for ever is stated.",
            model=result.purchase.name,
        )
    money = partial(words.amount, currency=currency)
    return Exhibit(
        horizons.assign(horizon=horizons["months"].map(months_name))[["horizon", "months", "value", "low", "high"]],
        Caption(title, subtitle, _source(client, result, _terms(result)), reading),
        {**dict.fromkeys(["value", "low", "high"], money), "months": partial(formats.number, digits=0)},
    )


def scenario_name(name: str) -> str:
    """What changes, in words."""
    names = {
        "leaving": _("leaving × 0.95"),
        "rate": _("purchase rate +5 %"),
        "order": _("order value +5 %"),
        "margin": _("margin +1 point"),
    }
    return names[name]


def _what_if(client: "Client", result: "ValueResult", changes: pd.DataFrame) -> Exhibit:
    first, last = _of_horizon(result, changes), changes.set_index("scenario")
    title = _("5 % more frequent purchases are worth {value}; nobody leaves in this model",
              value=words.amount(float(first.loc["rate", "change"]), client.parameters.currency))  # fmt: skip
    if result.purchase.lets_leave:
        title = _("5 % less leaving adds {near} in {months}",
                  near=_one_digit(first.loc["leaving", "share"], 1),
                  months=months_name(result.settings["horizon_months"]))  # fmt: skip
    if result.purchase.lets_leave and len(last) > len(first):
        title += _(", {far} for ever", far=_one_digit(last.loc["leaving", "share"].iloc[-1], 1))
    subtitle = _(
        "Relative change of customer equity under one change at a time, with {level} interval (parameters alone)",
        level=formats.percent(result.settings["interval"]),
    )
    reading = _(
        "The change is assumed, not explained: nothing here says how to bring it about or at what cost. What is known "
        "of each customer's past stays as it is."
    )
    currency = client.parameters.currency
    shown = changes.assign(scenario=changes["scenario"].map(scenario_name), horizon=changes["months"].map(months_name))[
        ["scenario", "horizon", "share", "low", "high", "change"]
    ]
    percent = partial(_signed, digits=1)
    return Exhibit(
        shown,
        Caption(title, subtitle, _source(client, result, _terms(result)), reading),
        {**dict.fromkeys(["share", "low", "high"], percent), "change": partial(words.amount, currency=currency)},
        {"scenario": _("what changes"), "share": _("change of equity"), "change": _("change of equity, {currency}",
         currency=currency)},
    )  # fmt: skip


def _signed(share: Any, digits: int) -> str:
    return formats.signed(share, partial(_one_digit, digits=digits))


def _one_digit(share: float, digits: int) -> str:
    text = formats.percent(abs(share), digits)
    return text if share >= 0 else f"−{text}"


def _of_horizon(result: "ValueResult", changes: pd.DataFrame) -> pd.DataFrame:
    return changes[changes["months"] == result.settings["horizon_months"]].set_index("scenario", drop=False)


def _claim(result: "ValueResult", changes: pd.DataFrame) -> list[str]:
    """Whether 5 % less leaving brings the quarter more that is quoted."""
    if not result.purchase.lets_leave:
        text = _("In the model used, {model}, nobody leaves; what less leaving would bring cannot be told.",
                 model=result.purchase.name)  # fmt: skip
        return [text]
    leaving = changes[changes["scenario"] == "leaving"]
    longest = leaving.iloc[-1]
    verdict = _("it does not hold here")
    if longest["low"] >= CLAIM:
        verdict = _("it holds here")
    elif longest["high"] >= CLAIM:
        verdict = _("whether it holds here cannot be told")
    text = _(
        "“Five percent less churn brings a quarter more profit, or more” is often quoted. Read as a twentieth less "
        "leaving, {verdict}: with leaving × 0.95 equity would change by {near} over the {horizon}",
        verdict=verdict, near=_one_digit(leaving["share"].iloc[0], 1), horizon=words.horizon(result),
    )  # fmt: skip
    if longest["months"] == what_if.FOR_EVER:
        text += _(
            " and by {far} for ever ({level} interval {bounds})",
            far=_one_digit(longest["share"], 1), level=formats.percent(result.settings["interval"]),
            bounds=formats.interval(longest["low"], longest["high"], partial(_one_digit, digits=1)),
        )  # fmt: skip
    return [f"{text}."]


def _levers(client: "Client", result: "ValueResult", changes: pd.DataFrame) -> Finding:
    near = _of_horizon(result, changes)
    currency, level = client.parameters.currency, formats.percent(result.settings["interval"])
    rate, order = near.loc["rate"], near.loc["order"]
    text = _(
        "Over the {horizon} 5 % more frequent purchases would be worth {rate}, 5 % larger orders {order} and a point "
        "of margin {margin}",
        horizon=words.horizon(result),
        rate=words.amount(rate["change"], currency),
        order=words.amount(order["change"], currency),
        margin=words.amount(near.loc["margin", "change"], currency),
    )
    if result.purchase.lets_leave:
        leaving = near.loc["leaving"]
        text += _(
            "; 5 % less leaving {leaving} ({share} of equity, {level} interval {bounds})",
            leaving=words.amount(leaving["change"], currency),
            share=_one_digit(leaving["share"], 1),
            level=level,
            bounds=formats.interval(leaving["low"], leaving["high"], partial(_one_digit, digits=1)),
        )
    text += _(". What it takes to bring such a change about the data do not say.")
    return Finding(
        "value.levers", CHAPTER, text, float(order["change"]), unit=currency, importance=0.45, figure="value_what_if",
    )  # fmt: skip
