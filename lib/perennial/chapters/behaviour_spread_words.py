"""The words around the distributions: purchase rates, chances to leave, expected values."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.uncertainty import reach
from perennial.chapters import value_words as words
from perennial.chapters.behaviour_words import money, source
from perennial.language import _
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.value_behaviour import Section


def spread_labels() -> dict[str, str]:
    """Headings of the tables behind distributions."""
    return {
        "mark": _("mark (none: a bin)"),
        "low": _("value, or bin from"),
        "high": _("bin to"),
        "share": _("share of customers"),
        "error": _("standard error"),
    }


def rates(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the distribution of purchase rates."""
    marks = frame[frame["mark"] != ""].set_index("mark")
    time = words.rate_unit(made.result)[1]
    title = _(
        "Half of customers buy {low} to {high} times {time} while active",
        time=time,
        low=formats.number(marks.loc["lower quartile", "low"], 1),
        high=formats.number(marks.loc["upper quartile", "low"], 1),
    )
    subtitle = _(
        "Share of customers by purchase days {time} while active, {model}; mean {mean} ({level} interval {bounds})",
        time=time,
        model=made.result.purchase.name,
        mean=formats.number(marks.loc["mean", "low"], 1),
        level=formats.percent(made.level),
        bounds=_bounds(made, marks.loc["mean"], lambda value: formats.number(value, 2)),
    )
    note = _("The bars reach the 95th percentile.")
    reading = _("The rates are inferred, not counted: Gamma-distributed by assumption. A low median beside a high mean "
                "means that few customers make most of the purchases.")  # fmt: skip
    return Caption(title, subtitle, source(made, made.customers, note), reading)


def leaving(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the distribution of the chance to leave."""
    marks = frame[frame["mark"] != ""].set_index("mark")
    found = words.leaving(made.result.purchase)
    assert found is not None
    title = _(
        "Half of customers leave {when} with a chance between {low} and {high}",
        low=_fine(marks.loc["lower quartile", "low"]),
        high=_fine(marks.loc["upper quartile", "low"]),
        when=found[1],
    )
    subtitle = _(
        "Share of customers by their chance to leave {when}, {model}; mean {mean} ({level} interval {bounds})",
        when=found[1],
        model=made.result.purchase.name,
        mean=_fine(marks.loc["mean", "low"], 1),
        level=formats.percent(made.level),
        bounds=_bounds(made, marks.loc["mean"], lambda value: _fine(value, 1)),
    )
    reading = _(
        "Leaving is never seen, only inferred from silence: of all that the model says this is the least certain."
    )
    note = _("The bars reach {top}.", top=_fine(float(frame["high"].max())))
    return Caption(title, subtitle, source(made, made.customers, note), reading)


def _fine(share: float, digits: int = 0) -> str:
    """A share as a percentage, with more digits where it is below one percent."""
    return formats.percent(share, digits if share >= 0.01 else 3 if share < 0.0005 else 2)


def _bounds(made: "Section", mark: pd.Series, style: "Callable[[float], str]") -> str:
    wide = reach(made.level) * mark["error"]
    return formats.interval(mark["low"] - wide, mark["low"] + wide, style)


def values(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the distribution of expected value."""
    marks = frame[frame["mark"] != ""].set_index("mark")["low"]
    top = float(frame["high"].max())
    title = _(
        "Half of customers are worth less than {median}; the mean is {mean}",
        median=money(made, marks["median"]),
        mean=money(made, marks["mean"]),
    )
    subtitle = _(
        "Share of customers by expected value (clv), {horizon}, {currency}, after margin and discount",
        horizon=words.horizon(made.result),
        currency=made.result.settings["currency"],
    )
    note = _("The bars reach the 95th percentile, {top}; {share} lie above it and are not drawn.",
             top=money(made, top), share=formats.percent(1 - float(frame["share"].sum())))  # fmt: skip
    equity = made.result.equity
    reading = ""
    if equity is not None:
        n = made.customers
        bounds = formats.interval(equity.low / n, equity.high / n, lambda value: money(made, value))
        reading = _("{level} interval of the mean: {bounds}. What customers turn out to be worth will differ more than "
                    "what is expected of them.", level=formats.percent(made.level), bounds=bounds)  # fmt: skip
    return Caption(title, subtitle, source(made, made.customers, note), reading)
