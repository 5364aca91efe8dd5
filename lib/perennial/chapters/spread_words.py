"""How revenue is spread over customers, in words: captions and findings of that section of chapter 02."""

from typing import TYPE_CHECKING

from perennial import formats
from perennial.chapters import base_words as words
from perennial.language import _, plural
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.chapters.customer_base import Study

CHAPTER = "02_customer_base"
MISLEADING = 1.5  # a mean this many times the median is said to describe few customers


def captions(study: "Study") -> dict[str, Caption]:
    """The words around each chart and table of the section, by its name."""
    return {
        "base_histogram": _histogram(study),
        "base_lorenz": _lorenz(study),
        "base_spread": _spread(study),
        "base_top": _top(study),
    }


def findings(study: "Study") -> list[Finding]:
    """How concentrated revenue is, and what the typical customer brings."""
    return [*_top_tenth(study), *_median(study)]


def _histogram(study: "Study") -> Caption:
    text = _(
        "Half of the customers brought {median} or less; the mean is {mean}",
        median=words.money(study, study.everyone.median),
        mean=words.money(study, study.everyone.mean),
    )
    subtitle = _(
        "Customers by net revenue since first purchase, {currency}, logarithmic scale", currency=study.currency
    )
    one, many = (
        "{count} customer without revenue above zero is not shown.",
        "{count} customers without revenue above zero are not shown.",
    )
    more = plural(one, many, study.not_paying, count=formats.number(study.not_paying)) if study.not_paying else ""
    return Caption(text, subtitle, words.source(study, more))


def _lorenz(study: "Study") -> Caption:
    text = _("No revenue to divide")
    if study.everyone.top_fifth is not None:
        text = _("The best 20 % of customers bring {share} of revenue", share=formats.percent(study.everyone.top_fifth))
    subtitle = _("Share of net revenue by share of customers, smallest first; {span}", span=_span(study))
    gini = _("Gini index {gini}.", gini=formats.number(study.everyone.gini, 2))
    return Caption(text, subtitle, words.source(study, gini))


def _span(study: "Study") -> str:
    return _("{first} to {last}", first=formats.date(study.first_on), last=formats.date(study.as_of))


def _spread(study: "Study") -> Caption:
    text = _("No revenue to divide")
    if study.everyone.revenue > 0:
        count = min(len(study.top), study.customers)
        share = float(study.top["revenue"].sum()) / study.everyone.revenue
        one = "The only customer brings {share} of revenue"
        many = "The {count} largest customers bring {share} of revenue"
        text = plural(one, many, count, count=formats.number(count), share=formats.percent(share, 1))
    subtitle = _("Spread of net revenue over customers, with and without the ten largest; {span}", span=_span(study))
    return Caption(text, subtitle, words.source(study))


def _top(study: "Study") -> Caption:
    text = _("No customer yet")
    if len(study.top):
        best = study.top.iloc[0]
        text = _("The largest customer has brought {revenue} in {orders} orders",
                 revenue=words.money(study, best["revenue"]), orders=formats.number(best["orders"]))  # fmt: skip
    return Caption(text, _("Ten largest customers by net revenue; {span}", span=_span(study)), words.source(study))


def _top_tenth(study: "Study") -> list[Finding]:
    spread = study.everyone
    if spread.top_tenth is None or study.customers < study.minimum_group:
        return []
    text = _("The best tenth of customers brought {share} of revenue", share=formats.percent(spread.top_tenth))
    if spread.low is not None:
        text += _(
            " ({level} interval {interval})",
            level=formats.percent(study.level),
            interval=formats.interval(spread.low, spread.high, formats.percent),
        )
    if study.others.top_tenth is not None:
        text += _("; without the ten largest customers it is {share}", share=formats.percent(study.others.top_tenth))
    importance = round(0.3 + 0.5 * spread.top_tenth, 3)
    return [
        Finding(
            "base.top_decile_share", CHAPTER, f"{text}.", spread.top_tenth, spread.low, spread.high, "share",
            importance, figure="base_lorenz",
        )
    ]  # fmt: skip


def _median(study: "Study") -> list[Finding]:
    spread = study.everyone
    if spread.revenue <= 0 or spread.median <= 0 or study.customers < study.minimum_group:
        return []
    values = {"median": words.money(study, spread.median), "mean": words.money(study, spread.mean)}
    text = _("Half of the customers have brought {median} or less in all; the mean is {mean}.", **values)
    if spread.mean > MISLEADING * spread.median:
        text += " " + _("An average per customer describes few of them.")
    return [
        Finding(
            "base.median_revenue",
            CHAPTER,
            text,
            spread.median,
            unit=study.currency,
            importance=0.35,
            figure="base_histogram",
        )
    ]
