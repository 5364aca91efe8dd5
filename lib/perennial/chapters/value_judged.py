"""The words around the hold-out and the comparison of models in chapter 05."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis import value_views
from perennial.analysis.choice import SAME
from perennial.analysis.holdout import Holdout
from perennial.analysis.value import ValueResult
from perennial.chapters import value_words as words
from perennial.chapters.value_cautions import NOTABLE_BIAS
from perennial.language import _
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.lifetime_value import Study

SAME_AIC = 2.0  # models closer than this in AIC fit equally well (Burnham & Anderson 2002)


def models(study: "Study", result: ValueResult) -> Caption:
    """Around the comparison of the purchase models."""
    title = _compared(study.models)
    subtitle = _("Log-likelihood, AIC and BIC on all data (lower AIC is better); hold-out scores as above")
    reading = _("Values in this chapter come from {model}, {ground}.", model=result.purchase.name,
                ground=words.chosen_by(result))  # fmt: skip
    return Caption(title, subtitle, words.source(study, result.purchase.n_customers), reading)


def _compared(models: pd.DataFrame) -> str:
    """Which purchase model fits and which forecasts best, where one is ahead of all others."""
    if len(models) == 1:
        return _("Only {model} could be fitted", model=models["model"].iloc[0])
    fits = value_views.model_ahead(models, "aic", SAME_AIC)
    judged = models.dropna(subset="rmse") if "rmse" in models else models.iloc[:0]
    if len(judged) < 2:
        return _("{best} fits the whole history best", best=fits) if fits else _("No model fits the history best")
    ahead = value_views.model_ahead(judged, "rmse", SAME * float(judged["rmse"].min()))
    if not fits and not ahead:
        return _("No model is ahead of the others, in fit or in forecast")
    if not fits:
        return _("No model fits the history best, {ahead} forecasts customers best", ahead=ahead)
    if not ahead:
        return _("{best} fits the whole history best, no model forecasts clearly best", best=fits)
    if fits == ahead:
        return _("{best} fits the whole history best and forecasts customers best", best=fits)
    return _("{best} fits the whole history best, {ahead} forecasts customers best", best=fits, ahead=ahead)


def holdout(study: "Study", held: Holdout) -> dict[str, Caption]:
    """Around the charts and tables of the hold-out, by name."""
    n, name = held.n_customers, held.model.name
    line = words.source(study, n, _("{model} fitted to {cut}, judged to {end}.", model=name, cut=formats.date(held.cut),
                              end=formats.date(held.end)))  # fmt: skip
    final = held.final_tracking()
    late = held.tracking[held.tracking["phase"] == "holdout"]
    first, last = held.deciles.iloc[0], held.deciles.iloc[-5:]
    lower = float(last["actual"] @ last["customers"] / last["customers"].sum())
    model, rule = held.score(name)["rmse"], held.score(held.best_baseline)["rmse"]
    level = formats.percent(study.result.settings["interval"]) if study.result else ""
    return {
        "value_tracking": Caption(
            _("Since the start, fitting period included, the model expected {error}",
              error=words.too_many(final["bias"])),
            _("Cumulative repeat purchase days of customers won before the cut; band: {level} interval", level=level),
            line,
            _("After the cut alone it expected {late}; forecast customer by customer, from each one's history, "
              "{each}.", late=words.too_many(held.late_tracking()),
              each=words.too_many(held.score(name)["bias"])) + _with_season(held),
        ),
        "value_weekly": Caption(
            _("After the cut {actual} repeat purchases a week came; the model expected {expected}",
              actual=formats.number(late["actual"].mean(), 0), expected=formats.number(late["expected"].mean(), 0)),
            _("Repeat purchase days per week of customers won before the cut"),
            line,
            _with_season(held).strip(),
        ),
        "value_by_frequency": Caption(
            _nearer_title(held),
            _("Mean purchase days in the {days} after the cut, by repeat purchases before",
              days=words.day_count(held.holdout_days)),
            line,
        ),
        "value_deciles": Caption(
            _("The tenth forecast highest bought {high} times, the lower half {low} times",
              high=formats.number(first["actual"], 1), low=formats.number(lower, 2)),
            _("Mean purchase days per customer in the {days} after the cut", days=words.day_count(held.holdout_days)),
            line,
            _best_tenth(held),
        ),
        "value_scores": Caption(
            _("Error per customer: {name} {model}, the best without a model {rule} purchase days", name=name,
              model=formats.number(model, 2), rule=formats.number(rule, 2)),
            _("Forecasts of the {actual} purchase days in the {days} after the cut, the smallest error first",
              actual=formats.number(held.score(name)["actual"], 0), days=words.day_count(held.holdout_days)),
            line,
            _("The root mean square error decides, because an expected number is what makes it small. Order: 1 puts "
              "customers as the outcome did, 0 as chance. Lift: purchases of the tenth forecast highest, in multiples "
              "of the mean. Inside: customers whose purchases lay in their {level} interval. Off since the start: the "
              "second view below. {money}", level=level, money=words.in_money(study, held)).strip(),
        ),
    }  # fmt: skip


def _nearer_title(held: Holdout) -> str:
    """For whom the model forecasts better than the old rate; from some frequency on it may be worse."""
    groups = held.by_frequency
    nearer = value_views.model_nearer(groups)
    first = int(groups["frequency"].iloc[int((~nearer).argmax())]) if not nearer.all() else 0
    if first and not nearer[groups["frequency"] >= first].any():
        return _("From {n} repeat purchases on the old rate forecasts better than the model", n=formats.number(first))
    return _("The model beats the old rate in groups holding {share} of customers",
             share=formats.percent(value_views.closer_share(groups)))  # fmt: skip


def _with_season(held: Holdout) -> str:
    """That the expectation per week is with a seasonal index, where it is."""
    return " " + _("Expected with a seasonal index.") if held.season.get("used") else ""


def _best_tenth(held: Holdout) -> str:
    """How far the forecast of the best tenth was off, where that is notable; else nothing."""
    bias = value_views.top_bias(held.deciles)
    if formats.is_missing(bias) or abs(bias) < NOTABLE_BIAS:
        return ""
    return _(
        "For the tenth forecast highest the model forecast {error}: {predicted} each, {actual} came.",
        error=words.too_many(bias),
        predicted=formats.number(held.deciles["predicted"].iloc[0], 1),
        actual=formats.number(held.deciles["actual"].iloc[0], 1),
    )
