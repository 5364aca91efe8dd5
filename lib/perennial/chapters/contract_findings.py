"""What of the contracts belongs in the chapter's bottom line."""

import math
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.contract_holdout import MODEL
from perennial.chapters.contract_words import (
    CHAPTER,
    MOSTLY_BEYOND,
    beyond,
    bounds_of,
    fees_sentence,
    horizon,
    level,
    money,
)
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.value_contracts import Contracts


def findings(found: "Contracts") -> list[Finding]:
    """What of it belongs in the chapter's bottom line."""
    if found.value is None:
        return []
    within, value = found.value.total["within"], found.value.total["value"]
    sentence = _(
        "The {n} running contracts are worth {within} over the {horizon} ({level} interval {bounds}): fees × margin, "
        "discounted.",
        n=formats.number(found.value.plans["contracts"].sum()), within=money(found, within["value"]),
        horizon=horizon(found), level=level(found), bounds=bounds_of(found, within["low"], within["high"]),
    )  # fmt: skip
    parts = [sentence, _test_in_short(found), _on_top(found), _all_renewals(found, value)]
    made = [
        Finding("value.contracts", CHAPTER, " ".join(part for part in parts if part),
                within["value"], within["low"], within["high"], found.parameters.currency, 0.6, "finding",
                "contract_value")
    ]  # fmt: skip
    if found.fees != "apart":
        share = None if formats.is_missing(found.fee_share) else found.fee_share
        made.append(
            Finding(
                "value.contracts_in_orders", CHAPTER, fees_sentence(found), share, unit="share", importance=0.5,
                kind="caution", figure="contract_value",
            )
        )  # fmt: skip
    return made


def _test_in_short(found: "Contracts") -> str:
    held = found.holdout
    if held is None or held.scores.empty:
        return _("How well such forecasts come true could not be tested.")
    model = held.scores[held.scores["plan"].isna() & (held.scores["forecaster"] == MODEL)].iloc[0]
    return _("Tested since {cut}, the model expected {predicted} of {n} contracts to come through; {actual} did.",
             cut=formats.date(held.cut), predicted=formats.number(model["predicted"], 0),
             n=formats.number(model["contracts"]), actual=formats.number(model["actual"]))  # fmt: skip


def _on_top(found: "Contracts") -> str:
    if found.fees == "apart":
        return _("Customer equity counts orders only, so this comes on top.")
    return ""


def _all_renewals(found: "Contracts", value: dict[str, float]) -> str:
    if math.isinf(value["value"]):
        return _("All renewals to come have no finite value: without a discount, contracts whose churn keeps falling "
                 "(alpha ≤ 1) are expected to be renewed without end.")  # fmt: skip
    text = _(
        "All renewals to come would be {value} ({bounds})",
        value=money(found, value["value"]),
        bounds=bounds_of(found, value["low"], value["high"]),
    )
    far = beyond(found)
    if far >= MOSTLY_BEYOND:
        assert found.value is not None
        text += _(", but {share} of that lies beyond any renewal seen so far; at one constant churn it would be {flat}",
                  share=formats.percent(far), flat=money(found, found.value.plans["constant"].sum()))  # fmt: skip
    return f"{text}."
