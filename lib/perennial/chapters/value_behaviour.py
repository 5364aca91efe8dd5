"""What single customers may do, and how the purchase model sees them: a section of chapter 05."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import alive_history, behaviour, recency_frequency
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach
from perennial.analysis.value import ValueResult
from perennial.chapters import behaviour_matrix_words as matrix_words
from perennial.chapters import behaviour_spread_words as spread_words
from perennial.chapters import behaviour_words as words
from perennial.chapters import value_words
from perennial.language import _
from perennial.statements import Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "05_lifetime_value"
BRINGING = 0.8  # of the expected value
PLACE = ["first", "last", "from_day", "to_day", "customers", "frequency", "silence", "T"]  # of a cell


@dataclass
class Section:
    """The section while it is made: the client's facts, what is shown, and why the rest is not."""

    client: "Client"
    result: ValueResult
    exhibits: dict[str, Exhibit] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def level(self) -> float:
        """Level of all intervals."""
        return float(self.result.settings["interval"])

    @property
    def customers(self) -> int:
        """Customers the model was fitted on."""
        return int(self.result.rows["weight"].sum())


def part(client: "Client", result: ValueResult) -> Part:
    """The section: exhibits ``value_counts, value_by_recency, value_alive_matrix, value_expected_matrix, value_rates,
    value_leaving, value_spread, value_history``; what cannot be shown is in ``absent`` with its reason."""
    made = Section(client, result)
    for add in (_counts, _recency, _matrices, _rates, _leaving, _values, _history):
        add(made)
    ahead = behaviour.orders_ahead(result)
    bringing, error = _bringing(result), behaviour.share_bringing_error(result, BRINGING)
    says = tuple(text for text in (words.orders(made, ahead), words.next_order(made), words.of_all(made)) if text)
    return Part(made.exhibits, made.absent, says, _findings(made, ahead, bringing, error))


def _counts(made: Section) -> None:
    frame = behaviour.count_fit(made.result.rows, made.result.purchase, made.level)
    whole = partial(formats.number, digits=0)
    look: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(["actual", "expected", "low", "high"], whole),
        "miss": partial(formats.number, digits=1),
    }
    look["last"] = words.last_count
    labels = {
        "first": _("repeat purchase days from"),
        "last": _("to"),
        "expected": _("model expects"),
        "low": _("low, by chance"),
        "high": _("high, by chance"),
        "miss": _("part of the chi-square sum"),
    }
    made.exhibits["value_counts"] = Exhibit(frame, words.counts(made, frame), look, labels)


def _recency(made: Section) -> None:
    held = made.result.holdout
    if held is None:
        made.absent["value_by_recency"] = _("Not shown: {reason}", reason=made.result.holdout_reason)
        return
    wide = reach(made.level) * held.by_recency["error"]
    frame = held.by_recency.assign(low=(held.by_recency["actual"] - wide).clip(lower=0))
    frame = frame.assign(high=frame["actual"] + wide).drop(columns="error")
    frame = frame[frame["customers"] >= made.client.parameters.minimum_group].reset_index(drop=True)
    if frame.empty:
        made.absent["value_by_recency"] = _("Not shown: too few customers were there before the cut.")
        return
    two, share = partial(formats.number, digits=2), partial(formats.percent, digits=0)
    look = {
        "customers": partial(formats.number, digits=0),
        **dict.fromkeys(["actual", "predicted", "naive", "low", "high"], two),
        **dict.fromkeys(["bought", "chance"], share),
    }
    labels = {
        "first_week": _("weeks silent, from"),
        "last_week": _("to"),
        "predicted": _("model"),
        "naive": _("same rate as before"),
        "bought": _("bought at all"),
        "chance": _("chance of it, model"),
    }
    made.exhibits["value_by_recency"] = Exhibit(frame, words.recency(made, frame), look, labels)


def _matrices(made: Section) -> None:
    least = made.client.parameters.minimum_group
    days = words.horizon_days(made.result)
    cells = recency_frequency.matrix(made.result.rows, made.result.purchase, days, made.level, least)
    if not cells["shown"].any():
        reason = _("Not shown: no cell holds {least} customers or more.", least=formats.number(least))
        made.absent |= dict.fromkeys(("value_alive_matrix", "value_expected_matrix"), reason)
        return
    made.exhibits["value_expected_matrix"] = Exhibit(
        cells[[*PLACE, "expected_purchases", "expected_low", "expected_high", "shown"]],
        matrix_words.expected_matrix(made, cells),
        _cell_looks(["expected_purchases", "expected_low", "expected_high"], partial(formats.number, digits=2)),
        matrix_words.matrix_labels(),
    )
    told = cells[cells["p_alive"].notna()].reset_index(drop=True)
    if not made.result.purchase.lets_leave:
        made.absent["value_alive_matrix"] = words.nobody_leaves(made.result)
    elif not told["shown"].any():
        made.absent["value_alive_matrix"] = _("Not shown: the model cannot judge any of the customers.")
    else:
        made.exhibits["value_alive_matrix"] = Exhibit(
            told[[*PLACE, "p_alive", "p_alive_low", "p_alive_high", "shown"]],
            matrix_words.alive_matrix(made, told),
            _cell_looks(["p_alive", "p_alive_low", "p_alive_high"], formats.percent),
            matrix_words.matrix_labels(),
        )


def _cell_looks(columns: list[str], style: Callable[[Any], str]) -> dict[str, Callable[[Any], str]]:
    whole = partial(formats.number, digits=0)
    return {**dict.fromkeys(PLACE, whole), **dict.fromkeys(columns, style), "last": words.last_count}


def _rates(made: Section) -> None:
    frame = behaviour.rate_spread(made.result.purchase, value_words.rate_unit(made.result)[0])
    two = partial(formats.number, digits=2)
    look = {"low": two, "high": two, "error": two, "share": partial(formats.percent, digits=1)}
    made.exhibits["value_rates"] = Exhibit(frame, spread_words.rates(made, frame), look, spread_words.spread_labels())


def _leaving(made: Section) -> None:
    frame = behaviour.leaving_spread(made.result.purchase)
    if frame.empty:
        made.absent["value_leaving"] = words.nobody_leaves(made.result)
        return
    share = partial(formats.percent, digits=1)
    look = dict.fromkeys(["low", "high", "error", "share"], share)
    made.exhibits["value_leaving"] = Exhibit(
        frame, spread_words.leaving(made, frame), look, spread_words.spread_labels()
    )


def _values(made: Section) -> None:
    if made.result.spend is None:
        made.absent["value_spread"] = _("Not shown: {reason}", reason=made.result.spend_reason)
        return
    frame = behaviour.value_spread(made.result.rows)
    money = partial(words.money, made)
    look = {"low": money, "high": money, "share": partial(formats.percent, digits=1)}
    made.exhibits["value_spread"] = Exhibit(frame, spread_words.values(made, frame), look, spread_words.spread_labels())


def _history(made: Section) -> None:
    if not made.result.purchase.lets_leave:
        made.absent["value_history"] = words.nobody_leaves(made.result)
        return
    found = alive_history.instructive_customer(made.result, made.client.summary)
    if found is None:
        made.absent["value_history"] = _(
            "Not shown: among the most valuable tenth nobody has come back {n} times.",
            n=formats.number(alive_history.FEWEST_REPEATS),
        )
        return
    made.exhibits["value_history"] = customer_history(made.client, made.result, found)


def customer_history(client: "Client", result: ValueResult, customer_id: str) -> Exhibit:
    """One customer's purchases and P(alive) by day, for any customer of the client under a model with leaving.

    Raises
    ------
    KeyError : the client has no such customer.
    """
    as_of = client.parameters.as_of
    days = alive_history.customer_days(client.transactions, customer_id, as_of)
    if not days:
        raise KeyError(customer_id)
    frame = alive_history.alive_history(
        alive_history.model_of(result, customer_id), days, as_of, float(result.settings["interval"])
    )
    share = partial(formats.percent, digits=0)
    caption = words.history(Section(client, result), frame, customer_id)
    return Exhibit(frame, caption, dict.fromkeys(["p_alive", "low", "high"], share), {"bought": _("bought")})


def _bringing(result: ValueResult) -> float:
    by = "clv" if result.spend else "expected_purchases"
    worth: Floats = result.rows[by].to_numpy(float)
    return behaviour.share_bringing(worth, result.rows["weight"].to_numpy(float), BRINGING)


def _findings(made: Section, ahead: dict[str, float], bringing: float, error: float) -> tuple[Finding, ...]:
    found = []
    if not pd.isna(bringing):
        low, high = words.share_bounds(made, bringing, error)
        figure = "value_spread" if made.result.spend else ""
        text = words.bringing(made, bringing, error)
        found.append(Finding("value.bringing_most", CHAPTER, text, bringing, low, high, "share", 0.4, figure=figure))
    low, high = words.ahead_bounds(made, ahead)
    figure = "value_by_recency" if "value_by_recency" in made.exhibits else ""
    text = words.orders(made, ahead)
    found.append(
        Finding("value.orders_ahead", CHAPTER, text, ahead["expected"], low, high, "customers", 0.55, figure=figure)
    )
    return tuple(found)
