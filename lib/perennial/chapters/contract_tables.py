"""How the tables of the contractual part are written: a heading and a format for each column."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.contract_holdout import CONSTANT, LAST, MODEL
from perennial.chapters.contract_words import horizon
from perennial.language import _

if TYPE_CHECKING:
    from perennial.chapters.value_contracts import Contracts

NO_END = 60  # renewals; a model that puts a half-life beyond them has seen no end
Look = dict[str, Callable[[Any], str]]


def value_formats(amount: Callable[[Any], str]) -> Look:
    """Of the table of values."""
    amounts = ("within", "within_low", "within_high", "value", "value_low", "value_high", "constant")
    return {**dict.fromkeys(amounts, amount), "beyond": formats.percent, "contracts": _whole, "cohort": str}


def lifetime_formats() -> Look:
    """Of the table of lifetimes."""
    churn = dict.fromkeys(("churn", "churn_low", "churn_high"), partial(formats.percent, digits=1))
    middle = dict.fromkeys(("median", "median_low", "median_high"), _renewals)
    return {**churn, **middle, **dict.fromkeys(("derl", "derl_low", "derl_high", "tenure"), _one)}


def cohort_formats() -> Look:
    """Of the table of start years."""
    shares = dict.fromkeys(("retention", "low", "high", "projected"), partial(formats.percent, digits=1))
    return {**shares, **dict.fromkeys(("contracts", "offered"), _whole), "cohort": str}


def count_formats() -> Look:
    """Of the table of projected counts."""
    names = ("running", "expected", "low", "high", "parameter_low", "parameter_high", "process_low", "process_high")
    return dict.fromkeys(names, _whole)


def score_formats() -> Look:
    """Of the table of hold-out scores."""
    whole = dict.fromkeys(("contracts", "actual", "predicted", "low", "high"), _whole)
    return {**whole, "forecaster": forecaster_name, "bias": _signed, "rmse": partial(formats.number, digits=3)}


def parameter_formats() -> Look:
    """Of the table of parameters."""
    three = dict.fromkeys(("alpha", "alpha_error", "beta", "beta_error"), partial(formats.number, digits=3))
    one = dict.fromkeys(("loglik", "aic", "bic", "aic_constant"), _one)
    return {**three, **one}


def forecaster_name(name: str) -> str:
    """A forecast of renewals in words."""
    return {
        MODEL: _("model"),
        CONSTANT: _("one constant churn"),
        LAST: _("last observed retention goes on"),
    }[name]


def _whole(value: Any) -> str:
    return formats.number(value, 0)


def _renewals(value: Any) -> str:
    """A number of renewals; very many of them mean no more than that there is no end in sight."""
    if not formats.is_missing(value) and value > NO_END:
        return _("over {n}", n=formats.number(NO_END))
    return formats.number(value, 0)


def _one(value: Any) -> str:
    return _("no bound") if not formats.is_missing(value) and math.isinf(value) else formats.number(value, 1)


def _signed(share: float) -> str:
    return formats.signed(
        share, lambda value: formats.percent(abs(value)) if value >= 0 else f"−{formats.percent(-value)}"
    )


def labels(found: "Contracts") -> dict[str, dict[str, str]]:
    """Headings of each table, by its name."""
    low, high = _("low"), _("high")
    within = {"within": _("value, {horizon}", horizon=horizon(found)), "within_low": low, "within_high": high}
    values = {**within, "value": _("value, all renewals"), "value_low": low, "value_high": high}
    curve = {
        "at_risk": _("came to it"),
        "survival": _("still running"), "survival_low": low, "survival_high": high,
        "retention": _("renewed"), "retention_low": low, "retention_high": high,
        "model_survival": _("model"), "model_survival_low": low, "model_survival_high": high,
        "model_retention": _("model"), "model_retention_low": low, "model_retention_high": high,
    }  # fmt: skip
    return {
        "contract_value": {"contracts": _("running"), **values, "beyond": _("beyond what was seen"),
                           "constant": _("at constant churn")},
        "contract_value_cohorts": {"cohort": _("began in"), "contracts": _("running"), **values},
        "contract_lifetimes": {
            "period": _("every"), "churn": _("end at first"), "churn_low": low, "churn_high": high,
            "median": _("half gone by"), "median_low": low, "median_high": high,
            "derl": _("to come"), "derl_low": low, "derl_high": high, "tenure": _("mean"),
        },
        "contract_survival": curve,
        "contract_retention": curve,
        "contract_cohorts": {
            "cohort": _("began in"), "offered": _("renewals offered"), "retention": _("renewed"), "low": low,
            "high": high, "projected": _("model"),
        },
        "contract_projection": {
            "ahead": _("renewals ahead"), "running": _("running now"), "expected": _("still there"), "low": low,
            "high": high, "parameter_low": _("parameters: low"), "parameter_high": high,
            "process_low": _("chance: low"), "process_high": high,
        },
        "contract_holdout": {
            "forecaster": _("forecast"), "actual": _("came through"), "predicted": _("foretold"),
            "bias": _("total off"), "rmse": _("root mean square error"), "low": low, "high": high,
        },
        "contract_parameters": {
            "alpha": _("alpha"), "alpha_error": _("s.e. alpha"), "beta": _("beta"), "beta_error": _("s.e. beta"),
            "loglik": _("log-likelihood"), "aic": "AIC", "bic": "BIC", "aic_constant": _("AIC, constant"),
        },
    }  # fmt: skip
