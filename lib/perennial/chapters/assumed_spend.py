"""Chapter 05: whether how often and how much go together, which the spend model denies."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import spend_bands
from perennial.analysis.spend_bands import Independence
from perennial.analysis.value import ValueResult
from perennial.chapters import assumption_words as words
from perennial.chapters import phrases
from perennial.chapters.value_words import signed_percent
from perennial.errors import ModelError
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.client import Client

NEAR = 0.01  # share of revenue within which two forecasts are equally near
STRONG_LINK = 0.3  # rank correlation


def spend(client: "Client", result: ValueResult) -> Part:
    """Frequency against order values, and spend models by frequency beside the one for all."""
    names = ("value_order_values", "value_spend_bands", "value_spend_tested")
    if result.spend is None:
        return Part(absent=dict.fromkeys(names, _("Not shown: {reason}", reason=result.spend_reason)))
    level = result.settings["interval"]
    found = spend_bands.measure_independence(result.rows, level)
    banded: spend_bands.BandedSpend | None = None
    reason = _("Not shown: frequency and mean order hardly go together, so that one spend model serves for all.")
    if result.apart:
        reason = _("Spend models by frequency were not tried: groups of customers have spend models of their own.")
    elif found.violated:
        try:
            banded = spend_bands.fit_bands(result.rows, result.spend)
        except ModelError as error:
            reason = _("Not shown: {reason}.", reason=error)
    orders = spend_bands.order_values(result.rows, result.spend, banded, level)
    if not orders["observed"].notna().any():
        nothing = _("Not shown: too few customers have bought repeatedly.")
        return Part(absent=dict.fromkeys(names, nothing))
    exhibits = {"value_order_values": _orders(client, result, found, orders)}
    absent: dict[str, str] = {}
    said = _say_link(result, found, orders)
    if banded is None:
        absent |= dict.fromkeys(names[1:], reason)
        return Part(exhibits, absent, (said,), tuple(_linked_within(result)))
    table = spend_bands.value_by_band(result.rows, banded)
    exhibits["value_spend_bands"] = _bands(client, result, table, banded)
    tested = result.holdout.revenue_bands if result.holdout else pd.DataFrame()
    if tested.empty:
        absent["value_spend_tested"] = _("Not shown: on the days up to the cut there are too few repeat customers.")
        if result.holdout is None:
            absent["value_spend_tested"] = _("Not shown: {reason}", reason=result.holdout_reason)
    else:
        exhibits["value_spend_tested"] = _tested(client, result, tested)
    said = f"{said} {_say_bands(client, table, tested)}"
    return Part(exhibits, absent, (said,), tuple(_spend_finding(client, result, found, orders, table, tested)))


def _correlations(result: ValueResult, found: Independence) -> str:
    return _(
        "rank correlation {spearman}, {level} interval {low} to {high}; linear {pearson}, {line_low} to {line_high}",
        spearman=words.two(found.spearman), level=words.level(result), low=words.two(found.spearman_low),
        high=words.two(found.spearman_high), pearson=words.two(found.pearson), line_low=words.two(found.pearson_low),
        line_high=words.two(found.pearson_high),
    )  # fmt: skip


def _orders(client: "Client", result: ValueResult, found: Independence, orders: pd.DataFrame) -> Exhibit:
    known = orders[orders["observed"].notna()]
    first, last = known.iloc[0], known.iloc[-1]
    pay = partial(phrases.amount, currency=result.settings["currency"])
    facts = {"a": pay(first["observed"]), "x": words.band(first["first"], first["last"]),
             "b": pay(last["observed"]), "y": words.band(last["first"], last["last"])}  # fmt: skip
    title = _("Mean order by repeat purchase days: {a} at {x}, {b} at {y}", **facts)
    subtitle = _(
        "Mean repeat purchase per customer by repeat purchase days, {currency}, and what the spend models expect; "
        "{level} interval",
        currency=result.settings["currency"],
        level=words.level(result),
    )
    reading = _(
        "Gamma-Gamma assumes the same average in every group and draws each customer's own towards it. Frequency and "
        "mean order: {correlations}.",
        correlations=_correlations(result, found),
    )
    looks: dict[str, Any] = {"first": words.whole, "last": words.or_more}
    looks |= dict.fromkeys(("observed", "low", "high", "pooled", "banded"), pay)
    labels = {"first": _("repeat purchase days from"), "last": _("to"), "observed": _("paid"),
              "pooled": _("one model for all"), "banded": _("one per band")}  # fmt: skip
    return Exhibit(orders, Caption(title, subtitle, words.source(client, found.customers), reading), looks, labels)


def _say_link(result: ValueResult, found: Independence, orders: pd.DataFrame) -> str:
    if formats.is_missing(found.spearman) or formats.is_missing(found.spearman_low):
        return _("Whether how often and how much go together cannot be told: too few customers bought repeatedly.")
    facts = {"found": _correlations(result, found)}
    if not found.violated:
        return _("The spend model assumes that how often and how much have nothing to do with each other; here that "
                 "about holds ({found}).", **facts)  # fmt: skip
    text = _(
        "The spend model assumes that how often and how much have nothing to do with each other. Here frequent buyers "
        "pay {strength} {more} per order ({found}), so the order values of one model for all are probably too {high} "
        "for customers who bought rarely and too {low} for frequent ones.",
        strength=_("clearly") if abs(found.spearman) >= STRONG_LINK else _("a little"),
        more=_("more") if found.spearman > 0 else _("less"),
        high=_("high") if found.spearman > 0 else _("low"),
        low=_("low") if found.spearman > 0 else _("high"),
        **facts,
    )
    return f"{text} {_within(result)}".strip()


def _within(result: ValueResult) -> str:
    """The link within the groups that are valued apart: part of it may lie between them, and is then accounted for."""
    if not result.apart:
        return ""
    links = _links(result)
    return _("Within the groups of customers valued by models of their own the rank correlation is {low} to {high}.",
             low=words.two(links[0]), high=words.two(links[-1]))  # fmt: skip


def _linked_within(result: ValueResult) -> list[Finding]:
    """A caution where frequent buyers pay clearly more or less per order even within a group valued apart."""
    link = max(_links(result), key=abs) if result.apart else 0.0
    if not abs(link) >= STRONG_LINK:
        return []
    text = _(
        "Even within a group of customers valued apart frequent buyers pay {more} per order, which the spend models do "
        "not know (rank correlation up to {link}).",
        more=_("more") if link > 0 else _("less"), link=words.two(link),
    )  # fmt: skip
    return [words.finding("independence", text, link, 0.25 + abs(link) / 2, "value_order_values", kind="caution")]


def _links(result: ValueResult) -> list[float]:
    """Rank correlations within the groups that are valued apart, lowest first."""
    level = result.settings["interval"]
    return sorted(spend_bands.measure_independence(piece.rows, level).spearman for piece in result.pieces)


def _say_bands(client: "Client", table: pd.DataFrame, tested: pd.DataFrame) -> str:
    whole, once = table.iloc[-1], table[table["first"] == 0]
    pay = partial(phrases.amount, currency=client.parameters.currency)
    text = _(
        "With a spend model per band of frequency the value of all customers together would change by {amount} "
        "({change}){once}.",
        amount=_signed_money(whole["difference"], pay), change=words.signed_one(whole["change"]),
        once=_(", those who bought once {change}", change=signed_percent(once["change"].iloc[0])) if len(once) else "",
    )  # fmt: skip
    return f"{text} {_nearer(client, tested)}".strip()


def _errors(tested: pd.DataFrame) -> tuple[float, float]:
    """Sum over groups of what each spend model is off, as a share of the revenue that came."""
    came = float(tested["actual"].sum())
    pooled, banded = (float((tested[name] - tested["actual"]).abs().sum()) / came for name in ("pooled", "banded"))
    return pooled, banded


def _nearer(client: "Client", tested: pd.DataFrame) -> str:
    if tested.empty or not tested["actual"].sum() > 0:
        return ""
    pooled, banded = _errors(tested)
    verdict = _("the two come equally near")
    if abs(pooled - banded) >= NEAR:
        verdict = _("the bands come nearer") if banded < pooled else _("one model for all comes nearer")
    return _(
        "Put to the test on the purchases of the hold-out, {verdict} to what was paid: group by group off by {pooled} "
        "of the revenue with one model, by {banded} with bands.",
        verdict=verdict, pooled=formats.percent(pooled, 1), banded=formats.percent(banded, 1),
    )  # fmt: skip


def _bands(client: "Client", result: ValueResult, table: pd.DataFrame, banded: spend_bands.BandedSpend) -> Exhibit:
    whole = table.iloc[-1]
    pay = partial(phrases.amount, currency=result.settings["currency"])
    title = _("Spend models by frequency change the value of all by {change}, {amount}",
              change=words.signed_one(whole["change"]), amount=_signed_money(whole["difference"], pay))  # fmt: skip
    subtitle = _(
        "Value over the horizon with one spend model and with one per band of repeat purchase days, {currency}",
        currency=result.settings["currency"],
    )
    reading = _(
        "Not used in the values of this chapter. Those who bought once have no "
        "repeat purchase to go by and take the lowest band's mean, {mean}.",
        mean=pay(banded.bands[0].mean),
    )
    if banded.merged:
        named = phrases.listed(
            [words.band(first, float("nan") if last is None else last) for first, last in banded.merged]
        )
        reading += " " + _("Too small to stand alone, and merged with a neighbour: {bands}.", bands=named)
    named_rows = [words.band(first, last) for first, last in zip(table["first"], table["last"], strict=True)]
    frame = table.drop(columns=["first", "last"])
    frame.insert(0, "band", named_rows)
    looks: dict[str, Any] = {"pooled": pay, "banded": pay, "change": words.signed_one}
    looks["difference"] = partial(_signed_money, pay=pay)
    labels = {"band": _("repeat purchase days"), "pooled": _("one model for all"), "banded": _("one per band")}
    n = int(whole["customers"])
    return Exhibit(frame, Caption(title, subtitle, words.source(client, n), reading), looks, labels)


def _signed_money(value: float, pay: Any) -> str:
    return formats.signed(value, pay)


def _tested(client: "Client", result: ValueResult, tested: pd.DataFrame) -> Exhibit:
    pay = partial(phrases.amount, currency=result.settings["currency"])
    pooled, banded = _errors(tested) if tested["actual"].sum() > 0 else (float("nan"), float("nan"))
    title = _("Against what was paid, one model is {pooled} off, bands {banded}", pooled=formats.percent(pooled, 1),
              banded=formats.percent(banded, 1))  # fmt: skip
    subtitle = _(
        "Revenue of the hold-out's purchases by repeat purchase days before the cut, {currency}; models fitted up to "
        "the cut; {level} interval of what was paid",
        currency=result.settings["currency"],
        level=words.level(result),
    )
    totals = {name: float(tested[name].sum()) for name in ("actual", "pooled_forecast", "banded_forecast")}
    reading = _(
        "The purchases are those that came, so that only order values are judged. With the purchases forecast, one "
        "model expected {pooled} in all, bands {banded}; {actual} came. Order values that rise or fall over "
        "time move both.",
        pooled=pay(totals["pooled_forecast"]), banded=pay(totals["banded_forecast"]), actual=pay(totals["actual"]),
    )  # fmt: skip
    named = [words.band(first, last) for first, last in zip(tested["first"], tested["last"], strict=True)]
    frame = tested[["customers", "purchases", "actual", "low", "high", "pooled", "banded"]].copy()
    frame.insert(0, "band", named)
    looks: dict[str, Any] = dict.fromkeys(("actual", "low", "high", "pooled", "banded"), pay)
    looks |= {"purchases": words.whole, "customers": words.whole}
    labels = {"band": _("repeat purchase days"), "actual": _("paid"), "pooled": _("one model for all"),
              "banded": _("one per band")}  # fmt: skip
    n = int(tested["customers"].sum())
    return Exhibit(frame, Caption(title, subtitle, words.source(client, n), reading), looks, labels)


def _spend_finding(
    client: "Client",
    result: ValueResult,
    found: Independence,
    orders: pd.DataFrame,
    table: pd.DataFrame,
    tested: pd.DataFrame,
) -> list[Finding]:
    pay = partial(phrases.amount, currency=result.settings["currency"])
    known, whole = orders[orders["observed"].notna()], table.iloc[-1]
    first, last = known.iloc[0], known.iloc[-1]
    text = _(
        "Frequent buyers pay {more} per order, which the spend model does not know: on average {a} where repeat "
        "purchase days number {x}, {b} where they number {y} (rank correlation {spearman}, {level} interval {low} to "
        "{high}). Spend models by frequency would change the value of all by {change}. {nearer}",
        more=_("more") if found.spearman > 0 else _("less"),
        a=pay(first["observed"]), x=words.band(first["first"], first["last"]), b=pay(last["observed"]),
        y=words.band(last["first"], last["last"]), spearman=words.two(found.spearman), level=words.level(result),
        low=words.two(found.spearman_low), high=words.two(found.spearman_high),
        change=words.signed_one(whole["change"]), nearer=_nearer(client, tested),
    )  # fmt: skip
    importance = 0.25 + min(0.3, abs(found.spearman))
    return [words.finding("independence", text.strip(), found.spearman, importance, "value_order_values",
                     low=found.spearman_low, high=found.spearman_high, kind="caution")]  # fmt: skip
