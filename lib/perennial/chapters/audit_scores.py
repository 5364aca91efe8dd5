"""The scorecard in words: what each criterion is called, what it found, where its limits lie and why."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.scorecard import DIMENSIONS, WHY, Criterion, Scorecard
from perennial.chapters import phrases
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

_DAYS, _TIMES = ("silence",), ("history",)


def scored(study: "Study") -> pd.DataFrame:
    """``dimension, dimension_status, criterion, status, measured, amber, red, at_stake, reason``, one row each.

    ``dimension_status`` and ``status`` are codes (``analysis.scorecard.Status``); the rest is text.
    """
    card, names = study.scorecard, dimensions()
    rows = [
        {
            "dimension": names[criterion.dimension],
            "dimension_status": card.status(criterion.dimension),
            "criterion": labels()[criterion.name],
            "status": criterion.status,
            "measured": measured(criterion),
            "amber": limit(criterion, "amber"),
            "red": limit(criterion, "red"),
            "at_stake": at_stake(criterion, study.currency),
            "reason": _(WHY[criterion.name]),
        }
        for criterion in card.criteria
    ]
    return pd.DataFrame(rows)


def caption(study: "Study") -> Caption:
    """The words around the scorecard."""
    subtitle = _("Five dimensions, each as good as its worst criterion; limits are the report's own, not the client's")
    more = _(
        "Order lines as they arrived (n = {n}) unless a criterion says otherwise, as of {date}.",
        n=formats.number(study.raw_rows),
        date=formats.date(study.as_of),
    )
    return Caption(verdict(study.scorecard), subtitle, more)


def verdict(card: Scorecard) -> str:
    """The scorecard in one sentence."""
    found = card.statuses
    names = dimensions()
    bad = [names[d].lower() for d in DIMENSIONS if found[d] == "red"]
    odd = [names[d].lower() for d in DIMENSIONS if found[d] == "amber"]
    if bad:
        return _("Settle before acting on figures: {names}", names=phrases.listed(bad))
    if odd:
        return _("Nothing stops the report; to be asked: {names}", names=phrases.listed(odd))
    return _("Nothing in the data gives reason to doubt the report")


def status_names() -> dict[str, str]:
    """Each colour in a word that says what it means."""
    return {
        "green": _("Green: fine"),
        "amber": _("Amber: ask"),
        "red": _("Red: settle first"),
        "not_measured": _("Not measured"),
    }


def dimensions() -> dict[str, str]:
    """The five dimensions in words."""
    return {
        "completeness": _("Completeness"),
        "validity": _("Validity"),
        "uniqueness": _("Uniqueness"),
        "timeliness": _("Timeliness"),
        "plausibility": _("Plausibility"),
    }


def measured(criterion: Criterion) -> str:
    """What was measured, with its unit."""
    if criterion.value is None:
        return formats.MISSING
    text = _quantity(criterion, criterion.value)
    return f"{text} ({criterion.where})" if criterion.where and criterion.value else text


def _quantity(criterion: Criterion, value: float) -> str:
    if criterion.name in _DAYS:
        return plural("{count} day", "{count} days", round(value), count=formats.number(value, 0))
    if criterion.name in _TIMES:
        return f"{formats.number(value, 1)} ×"
    if not value:
        return _("none")
    digits = 0 if value >= 0.1 else 1 if value >= 0.01 else 2
    return formats.percent(value, digits)


def _limit(criterion: Criterion, value: float) -> str:
    if criterion.name in _DAYS:
        return _quantity(criterion, value)
    if criterion.name in _TIMES:
        return f"{formats.number(value)} ×"
    return formats.percent(value, 1 if value < 0.01 else 0)


def limit(criterion: Criterion, colour: str) -> str:
    """From where the criterion is ``"amber"`` or ``"red"``: ``> 1 %``; ``any`` where nothing is allowed."""
    value = criterion.amber if colour == "amber" else criterion.red
    if value is None:
        return formats.MISSING
    if not value:
        return _("any")
    return f"{'<' if criterion.is_floor else '>'} {_limit(criterion, value)}"


def at_stake(criterion: Criterion, currency: str) -> str:
    """Rows and money behind the value, empty where there are none."""
    parts = []
    if criterion.rows:
        parts.append(plural("{count} row", "{count} rows", criterion.rows, count=formats.number(criterion.rows)))
    if criterion.money:
        parts.append(phrases.amount(abs(criterion.money), currency))
    return ", ".join(parts)


def labels() -> dict[str, str]:
    """What each criterion measures."""
    return {
        "no_customer_lines": _("Lines without customer"),
        "no_customer_money": _("Money without customer"),
        "filled": _("Mapped columns filled"),
        "empty_months": _("Months without orders"),
        "known_before": _("Customers who may have bought before the data begins"),
        "unreadable": _("Rows or money that cannot be read"),
        "unreadable_dates": _("Dates that cannot be read"),
        "zero_amounts": _("Lines worth zero"),
        "negative_prices": _("Lines with a price below zero"),
        "price_mismatch": _("Amount unlike quantity × price"),
        "exact_duplicates": _("Lines equal to an earlier one"),
        "repeated_ids": _("Ids that stand twice"),
        "colliding_ids": _("Lines under ids several people seem to share"),
        "masked_ids": _("Lines under ids shown in part"),
        "silence": _("From the last order to the as-of day"),
        "last_period": _("Last period covered"),
        "after_as_of": _("Rows after the as-of day"),
        "weekdays": _("Dates beside another day's weekday"),
        "history": _("History against the forecast horizon"),
        "rhythm": _("Days (weeks) without orders or with far too many"),
        "concentration": _("Revenue of the ten largest customers"),
        "returns": _("Money returned, of money sold, all lines as they arrived"),
        "outliers": _("Money on lines far from the usual, used or not"),
        "stamps": _("Orders on the busiest day, or lines in the busiest minute"),
    }
