"""Chapter 01: what the data can carry. What came in, what was removed, where time is thin, what is missing."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial.analysis.censoring import Beginning
from perennial.analysis.odd_codes import OddCode
from perennial.analysis.scorecard import Scorecard
from perennial.parameters import Cleaning
from perennial.statements import Caption, Finding
from perennial.tables.audit import Audit

if TYPE_CHECKING:
    from perennial.chapters.audit_questions import Question
    from perennial.client import Client

CHAPTER = "01_data_audit"


@dataclass(frozen=True)
class Study:
    """What the chapter found.

    Attributes
    ----------
    audit : the record of the preparation, on which most of the rest stands; ``cleaning``: the rules in force.
    tables, files, columns : every table given, every file it came in, every mapped column.
    rejects, reject_reasons : what could not be read: each line or cell, and counted by reason.
    flags : rows that were marked and kept.
    reconciliation, rules : order lines from raw to used, rule by rule (adds up); all rules in their order.
    removed : ``table, rule, rows, customers, money`` of all tables, the rules that removed anything.
    months : coverage by calendar month (:func:`perennial.analysis.base.period_totals`), with ``known``.
    step : ``"day"`` or ``"week"``, the grain at which gaps and spikes were looked for; ``measured``: long enough to.
    beginning : whether the new customers of the first periods were there before the data begins.
    last_new : first day of the last period that brought a new customer; ``closed``: long before the as-of day.
    silent_days : days from the last order to the as-of day.
    top_share : share of revenue of the ten largest customers; None where there is no revenue.
    missing : table → what it would unlock.
    scorecard, questions : the state of the data in five dimensions, and what to ask the client.
    """

    client: str
    title: str
    currency: str
    as_of: dt.date
    first_on: dt.date
    last_on: dt.date
    unit: str
    customers: int
    revenue: Decimal
    horizon_months: int
    gross_margin: float
    audit: Audit
    tables: pd.DataFrame
    files: pd.DataFrame
    columns: pd.DataFrame
    rejects: pd.DataFrame
    reject_reasons: pd.DataFrame
    flags: pd.DataFrame
    reconciliation: pd.DataFrame
    rules: pd.DataFrame
    removed: pd.DataFrame
    months: pd.DataFrame
    steps: pd.DataFrame
    step: str
    measured: bool
    gaps: pd.DataFrame
    spikes: pd.DataFrame
    beginning: Beginning
    last_new: pd.Timestamp
    closed: bool
    last_finished: bool
    silent_days: int
    top_share: float | None
    odd_codes: list[OddCode]
    warnings: list[str]
    missing: dict[str, str]
    scorecard: Scorecard
    cleaning: Cleaning
    questions: list["Question"] = field(default_factory=list)
    captions: dict[str, Caption] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def raw_rows(self) -> int:
        """Order lines as they arrived."""
        return int(self.reconciliation["rows"].iloc[0])

    @property
    def used_rows(self) -> int:
        """Order lines that every analysis uses."""
        return int(self.reconciliation["rows"].iloc[-1])

    @property
    def usual_new(self) -> float | None:
        """New customers per later month (median), where the first ones are not new; None elsewhere."""
        later = self.months.loc[~self.months["known"] & self.months["finished"], "new_customers"]
        return float(later.median()) if self.beginning.known and len(later) else None

    @property
    def unused(self) -> pd.DataFrame:
        """Columns of the files that nothing reads."""
        from perennial.chapters.audit_unmapped import unused

        return unused(self)

    def in_files(self, table: str) -> str:
        """Where columns of a table that was not given stand in another's file, in a sentence; or empty."""
        from perennial.chapters.audit_unmapped import in_files

        return in_files(self, table)

    @property
    def reject_examples(self) -> pd.DataFrame:
        """The first entries of each kind that could not be read."""
        from perennial.chapters.audit_details import reject_examples

        return reject_examples(self)

    @property
    def scored(self) -> pd.DataFrame:
        """The scorecard in words."""
        from perennial.chapters.audit_scores import scored

        return scored(self)

    @property
    def asked(self) -> pd.DataFrame:
        """The questions to the client, numbered."""
        from perennial.chapters.audit_questions import frame

        return frame(self)

    @property
    def asked_text(self) -> str:
        """The questions to the client as a list."""
        from perennial.chapters.audit_questions import as_list

        return as_list(self)

    @property
    def nothing_marked(self) -> str:
        """A sentence where no row had to be marked; empty elsewhere."""
        from perennial.language import _

        return "" if len(self.flags) else _("In this data no row had to be marked.")

    @property
    def nothing_unread(self) -> str:
        """A sentence where everything could be read; empty elsewhere."""
        from perennial.language import _

        return "" if len(self.rejects) else _("In this data everything could be read.")

    @property
    def nothing_missing(self) -> str:
        """A sentence where every table the report can use was given; empty elsewhere."""
        from perennial.language import _

        return "" if self.missing else _("Every table that the report can use was given.")

    @property
    def exact_formats(self) -> dict[str, Callable[[Any], str]]:
        """As ``formats``, with money to the cent."""
        from perennial.chapters.audit_words import exact_formats

        return exact_formats(self)

    @property
    def rule_formats(self) -> dict[str, Callable[[Any], str]]:
        """How the columns of the table of rules become text."""
        from perennial.chapters.audit_details import rule_formats

        return rule_formats(self)

    @property
    def formats(self) -> dict[str, Callable[[Any], str]]:
        """How the columns of this chapter's tables become text."""
        from perennial.chapters.audit_words import table_formats

        return table_formats(self)


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client."""
    from perennial.chapters import audit_questions, audit_words
    from perennial.chapters.audit_measured import measure

    found = measure(client)
    found.questions.extend(audit_questions.questions(found))
    found.captions.update(audit_words.captions(found))
    found.findings.extend(audit_words.findings(found))
    return found
