"""Chapter 05, the models' assumptions: no calendar, random buying, spend apart from frequency."""

from typing import TYPE_CHECKING

from perennial.analysis.value import ValueResult
from perennial.chapters.assumed_calendar import calendar, next_months
from perennial.chapters.assumed_rhythm import rhythm
from perennial.chapters.assumed_spend import spend
from perennial.statements import Part

if TYPE_CHECKING:
    from perennial.client import Client

MOST = 2  # findings for the chapter's bottom line


def part(client: "Client", result: ValueResult) -> Part:
    """What the value models assume, and what that does to their forecasts.

    Exhibits: ``value_residuals, value_season`` (charts), ``value_season_tested, value_next_months`` (tables),
    ``value_regularity`` (chart), ``value_silence`` (table), ``value_order_values`` (chart), ``value_spend_bands,
    value_spend_tested`` (tables). At most two findings.
    """
    parts = [section(client, result) for section in (calendar, next_months, rhythm, spend)]
    findings = [finding for part in parts for finding in part.findings]
    return Part(
        exhibits={name: shown for part in parts for name, shown in part.exhibits.items()},
        absent={name: reason for part in parts for name, reason in part.absent.items()},
        says=tuple(text for part in parts for text in part.says),
        findings=tuple(sorted(findings, key=lambda finding: -finding.importance)[:MOST]),
    )
