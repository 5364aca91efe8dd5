"""Chapter 05, customers valued by the models of their group, beside what one model for all would say."""

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.chapters import acquisition_words, phrases
from perennial.chapters import value_words as words
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.analysis.value import ValueResult
    from perennial.client import Client

CHAPTER = "05_lifetime_value"
NAME = "value_apart"


def part(client: "Client", result: "ValueResult") -> Part:
    """The value of each group by its own models and by the one model for all; empty where one model serves all."""
    if result.groups.empty:
        return Part(absent={NAME: _one_model(result)})
    frame = result.groups.assign(off=result.groups["one_model"] / result.groups["value"] - 1)
    frame = frame.sort_values("value", ascending=False, ignore_index=True)
    return Part({NAME: _exhibit(client, result, frame)}, findings=(_finding(client, result, frame),))


def _one_model(result: "ValueResult") -> str:
    if result.segmentation.decision.ground == "not supported":
        return _("One model values all customers: separate models of groups are not supported (see the groups below).")
    return ""


def _grouping(result: "ValueResult") -> str:
    return acquisition_words.grouping_name(result.segmentation.decision.grouping)


def _exhibit(client: "Client", result: "ValueResult", frame: pd.DataFrame) -> Exhibit:
    currency = client.parameters.currency
    far = frame.loc[frame["off"].abs().idxmax()]
    title = _(
        "One model for all would value “{group}” {off}",
        group=acquisition_words.client_name(far["group"]),
        off=_off(far["off"]),
    )
    subtitle = _(
        "Residual CLV by {name}, {currency}, {horizon}, from the purchase and spend models of each group, with {level} "
        "interval; beside it the value by one pair of models for all customers",
        name=_grouping(result), currency=currency, horizon=words.horizon(result),
        level=formats.percent(result.settings["interval"]),
    )  # fmt: skip
    reading = _(
        "The values of the groups add up to the customer equity. One model draws every customer towards the mean of "
        "all; models of the groups draw them towards the mean of their own."
    )
    cash = partial(words.amount, currency=currency)
    shown = pd.DataFrame(
        {
            "group": frame["group"].map(acquisition_words.group_name),
            "customers": frame["customers"],
            "value": frame["value"].map(cash),
            "interval": [
                formats.interval(low, high, cash) for low, high in zip(frame["low"], frame["high"], strict=True)
            ],
            "each": (frame["value"] / frame["customers"]).map(cash),
            "one_model": frame["one_model"].map(cash),
            "off": [formats.signed(off, formats.percent) for off in frame["off"]],
        }
    )
    labels = {"value": _("residual CLV"), "each": _("per customer"), "one_model": _("by one model"),
              "off": _("difference")}  # fmt: skip
    p = client.parameters
    source = phrases.source_of_customers(p.title, p.as_of, int(frame["customers"].sum()))
    return Exhibit(shown, Caption(title, subtitle, source, reading), {}, labels)


def _off(share: float) -> str:
    """``28 % lower``, ``55 % higher``."""
    if share > 0:
        return _("{share} higher", share=formats.percent(share))
    return _("{share} lower", share=formats.percent(-share))


def _finding(client: "Client", result: "ValueResult", frame: pd.DataFrame) -> Finding:
    currency, total, plain = client.parameters.currency, float(frame["value"].sum()), float(frame["one_model"].sum())
    why = _("as the parameters ask")
    if result.segmentation.decision.ground == "tested":
        why = _("which the likelihood-ratio test supports and the days held back bear out")
    each = [
        _("{group} {value} ({off} by one model)", group=acquisition_words.client_name(line.group),
          value=words.amount(line.value, currency), off=words.amount(line.one_model, currency))
        for line in frame.itertuples()
    ]  # fmt: skip
    text = _(
        "Customers are valued by separate models by {name}, {why}: {each}. One model for all would put the equity at "
        "{plain}, {off}, and shift it between the groups.",
        name=_grouping(result), why=why, each="; ".join(each), plain=words.amount(plain, currency),
        off=_off(plain / total - 1),
    )  # fmt: skip
    own = words.bias_apart(result)
    if not formats.is_missing(own):
        text += " " + _("On the days held back the separate models forecast {error}.", error=words.too_many(own))
    return Finding("value.apart", CHAPTER, text, plain / total - 1, unit="share", importance=0.72, figure=NAME)
