"""How the tables of chapter 05 are written: a heading and a format for each column."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.value_views import GROUPS
from perennial.chapters import value_words as words
from perennial.language import _

if TYPE_CHECKING:
    from perennial.chapters.lifetime_value import Study

Look = dict[str, Any]  # the keyword arguments ``formats`` and ``labels`` of a page's table


def looks(study: "Study") -> dict[str, Look]:
    """Formats and headings of each table, by its name."""
    money = partial(words.money, study)
    return {
        "value_equity": {"formats": dict.fromkeys(["value", "low", "high"], money), "labels": {}},
        "value_curve": {"formats": dict.fromkeys(["customers", "value"], percent), "labels": {}},
        "value_groups": _groups(money),
        "value_top": _top(money),
        "value_scores": _scores(),
        "value_models": _models(),
        "value_tracking": _tracking(),
        "value_weekly": _tracking(),
        "value_by_frequency": _means(),
        "value_deciles": _means(),
        "value_parameters": {
            "formats": {"estimate": three, "standard_error": three},
            "labels": {"meaning": _("what it governs")},
        },
        "value_spend": {
            "formats": {"low": money, "high": money, "observed": percent, "expected": percent},
            "labels": {},
        },
        "value_censoring": _censoring(study),
    }


def percent(share: Any) -> str:
    """A share to a tenth of a percent."""
    return formats.percent(share, 1)


def two(value: Any) -> str:
    """A number with two decimals."""
    return formats.number(value, 2)


def three(value: Any) -> str:
    """A parameter as the literature prints it."""
    return formats.number(value, 3)


def whole(value: Any) -> str:
    """A count, also where it is expected and not counted."""
    return formats.number(value, 0)


def _groups(money: Callable[[float], str]) -> Look:
    return {
        "formats": {"mean_value": money, "last": partial(_last, top=GROUPS[-1][0])},
        "labels": {
            "first": _("repeat purchase days from"),
            "last": _("to"),
            "customer_share": _("share of customers"),
            "purchase_share": _("share of expected purchases"),
            "value_share": _("share of value"),
            "mean_value": _("value per customer"),
        },
    }


def _last(value: Any, top: int) -> str:
    return _("and more") if formats.is_missing(value) else formats.number(value, 0)


def _top(money: Callable[[float], str]) -> Look:
    return {
        "formats": {
            "p_alive": percent,
            "expected_purchases": partial(formats.number, digits=1),
            **dict.fromkeys(["expected_order_value", "clv", "clv_low", "clv_high"], money),
        },
        "labels": {
            "customer_id": _("customer"),
            "frequency": _("repeat purchase days"),
            "last_on": _("last purchase"),
            "p_alive": _("P(alive)"),
            "expected_order_value": _("order value"),
            "clv": _("value"),
            "clv_low": _("low"),
            "clv_high": _("high"),
        },
    }


def _scores() -> Look:
    return {
        "formats": {
            "forecaster": words.forecaster_name,
            "predicted": whole,
            "bias": words.signed_percent,
            "tracking": words.signed_percent,
            "mae": two,
            "rmse": two,
            "gini": two,
            "lift": partial(formats.number, digits=1),
            "inside": formats.percent,
        },
        "labels": {
            "predicted": _("purchase days"),
            "bias": _("total off"),
            "tracking": _("off since the start"),
            "mae": _("mean absolute error"),
            "rmse": _("root mean square error"),
            "gini": _("order (Gini)"),
            "lift": _("lift of the top tenth"),
            "inside": _("inside interval"),
        },
    }


def _models() -> Look:
    one = partial(formats.number, digits=1)
    return {
        "formats": {"loglik": one, "aic": one, "bic": one, "bias": words.signed_percent, "rmse": two},
        "labels": {
            "loglik": _("log-likelihood"),
            "aic": "AIC",
            "bic": "BIC",
            "bias": _("hold-out bias"),
            "rmse": _("root mean square error"),
        },
    }


def _tracking() -> Look:
    columns = ["actual", "expected", "actual_cumulative", "expected_cumulative", "low", "high", "expected_plain"]
    labels = {"phase": _("part"), "expected_plain": _("expected without season")}
    return {"formats": dict.fromkeys(columns, whole), "labels": labels}


def _means() -> Look:
    return {
        "formats": {"customers": whole, **dict.fromkeys(["actual", "predicted", "naive"], two)},
        "labels": {
            "frequency": _("repeat purchase days before"),
            "predicted": _("model"),
            "naive": _("same rate as before"),
            "decile": _("tenth"),
        },
    }


def _censoring(study: "Study") -> Look:
    left = words.leaving(study.result.purchase) if study.result else None
    return {
        "formats": {"n": whole, "purchases_a_year": two, "leaving": percent, "first_year_of_new": two},
        "labels": {
            "customers_used": _("fitted on"),
            "n": _("customers"),
            "purchases_a_year": _("purchases a year while active"),
            "leaving": _("leave {when}", when=left[1]) if left else _("leave"),
            "first_year_of_new": _("repeat purchases in a first year"),
        },
    }
