"""Chapter 05: whether customers buy at random, as the purchase models assume."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import regularity
from perennial.analysis.regularity import Regularity
from perennial.analysis.value import ValueResult
from perennial.chapters import assumption_words as words
from perennial.chapters.value_words import signed_percent
from perennial.errors import ModelError
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.client import Client

REGULAR, CLUMPY = 1.5, 0.67  # a shape beyond these is told in the bottom line
MOST_TOLD = 20.0  # larger shapes are all clockwork
SLIGHT = 1.25  # a shape less than this times above or below 1 is called a little regular or clumpy


def rhythm(client: "Client", result: ValueResult) -> Part:
    """The regularity of purchases, and what it does to the forecast of the silent."""
    pairs = regularity.gap_pairs(client.transactions)
    try:
        found = regularity.estimate_shape(pairs, result.settings["interval"])
    except ModelError as error:
        reason = _("Not shown: {reason}.", reason=error)
        return Part(absent=dict.fromkeys(("value_regularity", "value_silence"), reason))
    exhibits = {"value_regularity": _shape_chart(client, result, pairs, found)}
    absent = {}
    silence = _silence(client, result, found)
    if isinstance(silence, str):
        absent["value_silence"] = silence
    else:
        exhibits["value_silence"] = silence
    return Part(exhibits, absent, (_say_shape(result, found),), tuple(_shape_finding(result, found)))


def _shape_chart(client: "Client", result: ValueResult, pairs: pd.DataFrame, found: Regularity) -> Exhibit:
    k = _shape(found.k)
    titles = {
        "regular": _("Customers buy {a_little}more regularly than at random: shape {k}, random is 1", 
                     a_little=_slight(found), k=k),
        "random": _("Customers buy about at random, as the models assume: shape {k}", k=k),
        "clumpy": _("Customers buy {a_little}in clumps: shape {k}, random is 1", a_little=_slight(found), k=k),
    }  # fmt: skip
    subtitle = _("Customers by the share that the earlier of their last two gaps takes of both; shape {k}, {level} "
                 "interval {bounds}", k=k, level=words.level(result),
                 bounds=formats.interval(found.low, found.high, _shape))  # fmt: skip
    more = _("Only customers with three or more purchase days.")
    reading = _(
        "A hill in the middle means two gaps alike (regular), a valley one short and one long (clumpy), flat is "
        "random. By the published formula, which does not know that days are whole, the shape is {published} "
        "({bounds}); half of the customers had their last two gaps within {days}.",
        published=_shape(found.published),
        bounds=formats.interval(found.published_low, found.published_high, _shape),
        days=formats.days(found.median_days),
    )
    frame = regularity.histogram(pairs, found.k)
    looks = dict.fromkeys(("low", "high"), formats.percent)
    looks |= dict.fromkeys(("observed", "fitted", "random"), partial(formats.percent, digits=1))
    caption = Caption(titles[found.kind], subtitle, words.source(client, found.customers, more), reading)
    return Exhibit(frame, caption, looks, {"random": _("at random")})


def _shape(k: float) -> str:
    return _("more than {most}", most=formats.number(MOST_TOLD)) if k > MOST_TOLD else words.two(k)


def _slight(found: Regularity) -> str:
    return _("a little ") if 1 / SLIGHT < found.k < SLIGHT else ""


def _say_shape(result: ValueResult, found: Regularity) -> str:
    meaning = {
        "regular": _(
            "For regular buyers silence tells more than the model thinks: it should forecast too many purchases of "
            "those silent beyond their own gap and too few of the others."
        ),
        "clumpy": _(
            "For clumpy buyers a long silence tells less than the model thinks: it should forecast too few purchases "
            "of those silent beyond their own gap and too many of the others."
        ),
        "random": _("That is buying at random, as the model takes it to be."),
    }
    text = _(
        "The shape of the gaps between purchases is {k} ({level} interval {bounds}; 1 is random, n = {n}). {meaning}",
        k=_shape(found.k), level=words.level(result), bounds=formats.interval(found.low, found.high, _shape),
        n=formats.number(found.customers), meaning=meaning[found.kind],
    )  # fmt: skip
    return f"{text} {_silence_test(result)}".strip()


def _sides(result: ValueResult) -> "tuple[pd.Series, pd.Series] | None":
    """The hold-out's customers within their own gap at the cut, and those silent for more than twice of it."""
    held = result.holdout
    if held is None or held.by_silence["first"].nunique() < 3:
        return None
    frame = held.by_silence.set_index("first")
    if frame.loc[[0.0, 2.0], "bias"].isna().any():
        return None
    return frame.loc[0.0], frame.loc[2.0]


def _off(row: "pd.Series[Any]") -> str:
    return _("{bias} ({bounds})", bias=signed_percent(row["bias"]), bounds=words.between(row["low"], row["high"]))


def _silence_test(result: ValueResult) -> str:
    sides = _sides(result)
    if sides is None:
        return ""
    within, beyond = sides
    return _(
        "On the hold-out the forecast was {beyond} off for customers silent for more than twice their own gap, "
        "{within} for those within it.",
        beyond=_off(beyond), within=_off(within),
    )  # fmt: skip


def _silence(client: "Client", result: ValueResult, found: Regularity) -> Exhibit | str:
    held, sides = result.holdout, _sides(result)
    if held is None:
        return _("Not shown: {reason}", reason=result.holdout_reason)
    if sides is None:
        return _("Not shown: too few customers had bought on three days before the hold-out.")
    small = held.by_silence["customers"] < client.parameters.minimum_group
    within, beyond = sides
    title = _("Silent twice their own gap: forecast {beyond} off; within it: {within}",
              beyond=signed_percent(beyond["bias"]), within=signed_percent(within["bias"]))  # fmt: skip
    subtitle = _("Mean purchase days in the hold-out by silence at the cut, in multiples of the customer's own mean "
                 "gap; off with {level} interval", level=words.level(result))  # fmt: skip
    reading = _(
        "A right model is right in every row, since the rows rest on the days before the cut alone. Whether a "
        "difference comes from the rhythm or from how the model lets customers leave, it does not tell."
    )
    if small.any():
        reading += " " + _("Groups of fewer than {n} customers say little.",
                           n=formats.number(client.parameters.minimum_group))  # fmt: skip
    looks: dict[str, Any] = {"first": words.whole, "last": words.or_more, "predicted": words.two, "actual": words.two}
    looks |= dict.fromkeys(("bias", "low", "high"), signed_percent)
    labels = {"first": _("own gaps silent, from"), "last": _("to"), "predicted": _("model"), "bias": _("off")}
    n = int(held.by_silence["customers"].sum())
    return Exhibit(held.by_silence, Caption(title, subtitle, words.source(client, n), reading), looks, labels)


def _shape_finding(result: ValueResult, found: Regularity) -> list[Finding]:
    if found.kind == "random" or CLUMPY < found.k < REGULAR:
        return []
    bounds = formats.interval(found.low, found.high, _shape)
    facts = {"k": _shape(found.k), "level": words.level(result), "bounds": bounds, "test": _silence_test(result)}
    text = _(
        "Customers buy in clumps, which the model does not know (shape {k}, {level} interval {bounds}; random is 1): "
        "by that alone one who is silent may be worth more than stated. {test}",
        **facts,
    )
    if found.kind == "regular":
        text = _(
            "Customers buy more regularly than the model assumes (shape {k}, {level} interval {bounds}; random is 1): "
            "by that alone one who is silent beyond the own gap may be worth less than stated. {test}",
            **facts,
        )
    return [words.finding("regularity", text.strip(), found.k, 0.4, "value_regularity", low=found.low, high=found.high,
                     kind="caution", unit="shape")]  # fmt: skip
