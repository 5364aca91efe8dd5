"""Chapter 05, customers valued by the models of their group, beside what one model for all would say."""

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.groupings import ALL
from perennial.chapters import acquisition_words, phrases
from perennial.chapters import value_words as words
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.analysis.value import ValueResult
    from perennial.client import Client

CHAPTER = "05_lifetime_value"
NAME, TESTED = "value_apart", "value_apart_tested"


def part(client: "Client", result: "ValueResult") -> Part:
    """The value of each group by its own models and by the one model for all; empty where one model serves all."""
    if result.groups.empty:
        return Part(absent={NAME: _one_model(result), TESTED: ""})
    frame = result.groups.assign(off=result.groups["one_model"] / result.groups["value"] - 1)
    frame = frame.sort_values("value", ascending=False, ignore_index=True)
    exhibits, absent = {NAME: _exhibit(client, result, frame)}, {}
    if len(result.segmentation.judged):
        exhibits[TESTED] = _tested(client, result)
    else:
        absent[TESTED] = _("Not shown: {reason}", reason=result.holdout_reason)
    return Part(exhibits, absent, findings=(_finding(client, result, frame),))


def _one_model(result: "ValueResult") -> str:
    if result.segmentation.decision.ground == "not supported":
        return _("One model values all customers: separate models of groups are not supported (see the groups below).")
    return ""


def _group(group: str) -> str:
    """A group in words; that of customers whose group has no models of its own by what values it."""
    return _("the others (by one model)") if group == ALL else acquisition_words.group_name(group)


def _named(group: str) -> str:
    """:func:`_group` within a sentence."""
    return formats.escape(_group(group))


def _grouping(result: "ValueResult") -> str:
    return acquisition_words.grouping_name(result.segmentation.decision.grouping)


def _exhibit(client: "Client", result: "ValueResult", frame: pd.DataFrame) -> Exhibit:
    currency = client.parameters.currency
    far = frame.loc[frame["off"].abs().idxmax()]
    title = _(
        "One model for all would value “{group}” {off}",
        group=_named(far["group"]),
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
            "group": frame["group"].map(_group),
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
        _("{group} {value} ({off} by one model)", group=_named(line.group),
          value=words.amount(line.value, currency), off=words.amount(line.one_model, currency))
        for line in frame.itertuples()
    ]  # fmt: skip
    text = _(
        "Customers are valued by separate models by {name}, {why}: {each}. One model for all would put the equity at "
        "{plain}, {off}, and shift it between the groups.",
        name=_grouping(result), why=why, each="; ".join(each), plain=words.amount(plain, currency),
        off=_off(plain / total - 1),
    )  # fmt: skip
    text = f"{text} {_test(result, currency)}".strip()
    return Finding("value.apart", CHAPTER, text, plain / total - 1, unit="share", importance=0.72, figure=NAME)


def _test(result: "ValueResult", currency: str) -> str:
    """The group that the two forecast most differently on the days held back, and both totals; empty without money."""
    judged = result.segmentation.judged
    if judged.empty or judged["paid_own"].isna().any():
        return ""
    row = judged.loc[(judged["paid_own"] - judged["paid_pooled"]).abs().idxmax()]
    came = float(judged["paid"].sum())
    return _(
        "On the days held back {group} brought {paid}; the separate models forecast {own}, one model {pooled}. In "
        "total the separate models were off by {off}, one model by {off_pooled}{cancel}.{small}",
        small=_too_small(judged),
        group=_named(row["group"]), paid=words.amount(row["paid"], currency),
        own=words.amount(row["paid_own"], currency), pooled=words.amount(row["paid_pooled"], currency),
        off=words.signed_percent(float(judged["paid_own"].sum()) / came - 1),
        off_pooled=words.signed_percent(float(judged["paid_pooled"].sum()) / came - 1),
        cancel=_(", because its errors cancel out between groups") if _cancels(judged) else "",
    )  # fmt: skip


def _too_small(judged: pd.DataFrame) -> str:
    """Groups that had no models of their own at the cut, after a space."""
    same = judged["bought_own"] == judged["bought_pooled"]
    names = [_named(group) for group in judged.loc[same, "group"]]
    if not names:
        return ""
    return " " + _("Without sound models of their own at the cut, and forecast by one model both times: {names}.",
                   names=phrases.listed(names))  # fmt: skip


def _cancels(judged: pd.DataFrame) -> bool:
    """Whether one model is nearer in total although it is farther off group by group."""
    own, pooled = judged["paid_own"] - judged["paid"], judged["paid_pooled"] - judged["paid"]
    return bool(abs(pooled.sum()) < abs(own.sum()) and pooled.abs().sum() > own.abs().sum())


def _tested(client: "Client", result: "ValueResult") -> Exhibit:
    """Both forecasts of the days held back, group by group."""
    judged, held = result.segmentation.judged, result.holdout
    assert held is not None
    cash = partial(words.amount, currency=client.parameters.currency)
    what = "paid" if judged["paid_own"].notna().all() else "bought"
    own, pooled = ((judged[f"{what}_{which}"] - judged[what]).abs() for which in ("own", "pooled"))
    apart = judged["bought_own"] != judged["bought_pooled"]
    groups, nearer = int(apart.sum()), int((own < pooled)[apart].sum())
    title = _("On unseen days separate models come nearer in {nearer} of {n} groups",
              nearer=formats.number(nearer), n=formats.number(groups))  # fmt: skip
    if groups > 1 and nearer == groups:
        title = _("On unseen days separate models come nearer in all {n} groups that had them",
                  n=formats.number(groups))  # fmt: skip
    subtitle = _(
        "Purchase days and revenue of the {days} after the cut, {currency}, by {name}: what came, and what separate "
        "models and one model, fitted up to the cut, forecast",
        days=words.day_count(held.holdout_days), currency=client.parameters.currency, name=_grouping(result),
    )  # fmt: skip
    reading = _too_small(judged).strip()
    total = judged.drop(columns="group").sum(min_count=1).to_frame().T
    frame = pd.concat([judged.assign(group=judged["group"].map(_group)),
                       total.assign(group=_("all customers"))], ignore_index=True)  # fmt: skip
    frame = frame[["group", "customers", "bought", "bought_own", "bought_pooled", "paid", "paid_own", "paid_pooled"]]
    count = partial(formats.number, digits=0)
    styles = {**dict.fromkeys(["customers", "bought", "bought_own", "bought_pooled"], count),
              **dict.fromkeys(["paid", "paid_own", "paid_pooled"], cash)}  # fmt: skip
    labels = {"bought": _("purchase days"), "bought_own": _("separate"), "bought_pooled": _("one model"),
              "paid": _("revenue"), "paid_own": _("separate"), "paid_pooled": _("one model")}  # fmt: skip
    p = client.parameters
    source = phrases.source_of_customers(p.title, p.as_of, int(judged["customers"].sum()))
    return Exhibit(frame, Caption(title, subtitle, source, reading), styles, labels)
