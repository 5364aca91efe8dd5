"""What is red or amber on the scorecard, in sentences that stand alone: chapter 01 and page one say the same."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.scorecard import DIMENSIONS, Criterion
from perennial.chapters import audit_scores
from perennial.language import _, plural
from perennial.schema import CHAPTERS
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

CHAPTER = "01_data_audit"
RED, AMBER = "audit.red.", "audit.amber"


def scored(study: "Study") -> list[Finding]:
    """One finding for each red dimension, with what follows from it; one for all that are amber."""
    card = study.scorecard
    made = [_red(name, [c for c in card.of(name) if c.status == "red"]) for name in DIMENSIONS
            if card.status(name) == "red"]  # fmt: skip
    amber = sum(card.status(name) == "amber" for name in DIMENSIONS)
    if amber:
        text = plural("{count} dimension of the data is amber: a question to the client, listed in this chapter.",
                      "{count} dimensions of the data are amber: questions to the client, listed in this chapter.",
                      amber, count=formats.number(amber))  # fmt: skip
        made.append(Finding(AMBER, CHAPTER, text, float(amber), unit="dimensions", importance=0.1,
                            kind="caution", figure="audit_scorecard"))  # fmt: skip
    return made


def _red(dimension: str, criteria: list[Criterion]) -> Finding:
    said = "; ".join(formats.escape(clause(criterion)) for criterion in criteria)
    title = audit_scores.dimensions()[dimension]
    text = _("**{dimension}** is to be settled before acting on figures: {said}.", dimension=title, said=said)
    return Finding(f"{RED}{dimension}", CHAPTER, text, float(len(criteria)), unit="criteria", importance=0.6,
                   figure="audit_scorecard")  # fmt: skip


def said_on_page_one(found: Iterable[Finding]) -> str:
    """The red dimensions with their consequences and the number of amber ones, linked; empty where there are none."""
    found = list(found)
    red = [finding.sentence for finding in found if finding.id.startswith(RED)]
    amber = next((int(finding.value or 0) for finding in found if finding.id == AMBER), 0)
    if not red and not amber:
        return ""
    more = plural("{count} further dimension is amber.", "{count} further dimensions are amber.", amber,
                  count=formats.number(amber)) if amber and red else ""  # fmt: skip
    if not red:
        more = plural("Of the data, {count} dimension is amber and none is red.",
                      "Of the data, {count} dimensions are amber and none is red.", amber,
                      count=formats.number(amber))  # fmt: skip
    link = _("See [{chapter}](#{stem}).", chapter=_(CHAPTERS[CHAPTER]), stem=CHAPTER)
    return "\n\n".join([*red, " ".join(part for part in (more, link) if part)])


def clause(criterion: Criterion) -> str:
    """What a red criterion found and what follows from it, as part of a sentence."""
    return _clauses(audit_scores.measured(criterion))[criterion.name]


def _clauses(found: str) -> dict[str, str]:
    return {
        "no_customer_lines": _("{found} of lines name no customer and are in no chapter: what the others do may not "
                               "hold for them", found=found),
        "no_customer_money": _("{found} of the money stands on lines without a customer and is in no chapter",
                               found=found),
        "filled": _("a mapped column is filled to {found} only: what is split by it leaves the rest out", found=found),
        "empty_months": _("{found} of months have no order: no trend across them can be trusted", found=found),
        "unreadable": _("{found} of rows or money cannot be read and are in no figure", found=found),
        "unreadable_dates": _("{found} of dates cannot be read, so others may be wrong and look right", found=found),
        "weekdays": _("on {found} of lines the weekday written beside the date is not that date's: the dates may have "
                      "been changed, and with them the season, the last day and every gap", found=found),
        "zero_amounts": _("{found} of lines are worth nothing and yet count as orders: the mean order is too low",
                          found=found),
        "negative_prices": _("{found} of lines have a price below zero, neither sales nor returns: revenue may be too "
                             "low or too high by them", found=found),
        "price_mismatch": _("on {found} of lines the amount is not quantity × price: all money may hold tax or "
                            "freight, or lack a discount", found=found),
        "exact_duplicates": _("{found} of lines equal an earlier one: revenue hangs on whether they are copies",
                              found=found),
        "repeated_ids": _("{found} of rows repeat an id: splits by what describes a customer may be out of date",
                          found=found),
        "colliding_ids": _("{found} of lines stand under ids that several people seem to share: what looks like a "
                           "loyal and valuable customer there is a crowd, and nobody can be contacted under such an id",
                           found=found),
        "silence": _("the last order lies {found} before the as-of day: everybody looks as if they had left",
                     found=found),
        "history": _("the orders cover {found} the forecast horizon: lifetime value is an extrapolation that nothing "
                     "could test", found=found),
        "rhythm": _("{found} of days (weeks) have no order or far too many: rhythm and silence of customers are in "
                    "doubt", found=found),
        "concentration": _("ten customers bring {found} of revenue: totals and means are about them", found=found),
        "returns": _("{found} of the money sold was given back: value and mean order hang on what these returns are",
                     found=found),
        "outliers": _("{found} of the money stands on lines far from the usual: means and lifetime value rest on them",
                      found=found),
        "stamps": _("{found} of orders carry one day or minute: a system dated them, so gaps between orders say little",
                    found=found),
    }  # fmt: skip
