"""Chapter 01: what the data can carry. What came in, what was removed, where time is thin, what is missing."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial.analysis import base, censoring, cohorts, concentration, coverage, reconciliation
from perennial.schema import TABLES, UNLOCKS
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "01_data_audit"


@dataclass(frozen=True)
class Study:
    """What the chapter found.

    Attributes
    ----------
    tables, columns : every table given, and the columns with missing values.
    reconciliation : order lines from raw to used, rule by rule; adds up.
    removed : ``table, rule, rows, customers, money`` of all tables, the rules that removed anything.
    months : coverage by calendar month (:func:`perennial.analysis.base.period_totals`), with ``known``.
    step : ``"day"`` or ``"week"``, the grain at which gaps and spikes were looked for; ``measured``: long enough to.
    known : first periods whose new customers were mostly there before the data begins.
    known_customers, later_new : customers first seen in those periods; new customers per later period (median).
    last_new : first day of the last period that brought a new customer; ``closed``: long before the as-of day.
    silent_days : days from the last order to the as-of day.
    top_share : share of revenue of the ten largest customers; None where there is no revenue.
    missing : table → what it would unlock.
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
    tables: pd.DataFrame
    columns: pd.DataFrame
    reconciliation: pd.DataFrame
    removed: pd.DataFrame
    months: pd.DataFrame
    steps: pd.DataFrame
    step: str
    measured: bool
    gaps: pd.DataFrame
    spikes: pd.DataFrame
    known: frozenset[pd.Timestamp]
    known_customers: int
    later_new: float
    last_new: pd.Timestamp
    closed: bool
    last_finished: bool
    silent_days: int
    top_share: float | None
    warnings: list[str]
    missing: dict[str, str]
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
        return float(later.median()) if self.known and len(later) else None

    @property
    def nothing_missing(self) -> str:
        """A sentence where every table the report can use was given; empty elsewhere."""
        from perennial.language import _

        return "" if self.missing else _("Every table that the report can use was given.")

    @property
    def formats(self) -> dict[str, Callable[[Any], str]]:
        """How the columns of this chapter's tables become text."""
        from perennial.chapters.audit_words import table_formats

        return table_formats(self)


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client."""
    from perennial.chapters import audit_words

    found = _measure(client)
    found.captions.update(audit_words.captions(found))
    found.findings.extend(audit_words.findings(found))
    return found


def _measure(client: "Client") -> Study:
    p, lines, summary, audit = client.parameters, client.transactions, client.summary, client.audit
    unit = p.cohort_period
    days = coverage.daily_orders(lines, p.as_of)
    rhythm = coverage.measure_rhythm(days)
    sizes = cohorts.cohort_sizes(summary, unit)
    known = censoring.left_censored(sizes, cohorts.FREQUENCY[unit])
    months = base.period_totals(lines, summary, p.as_of, "month")
    ordered = days.loc[(days["orders"] > 0) | (days["revenue"] != 0), "day"]
    return Study(
        client=client.name,
        title=p.title,
        currency=p.currency,
        as_of=p.as_of,
        first_on=ordered.iloc[0].date(),
        last_on=ordered.iloc[-1].date(),
        unit=unit,
        customers=int(sizes["size"].sum()),
        revenue=Decimal(lines.amount.sum().to_pyarrow().as_py()),
        tables=reconciliation.table_facts(audit),
        columns=reconciliation.incomplete_columns(audit),
        reconciliation=reconciliation.reconcile(audit),
        removed=reconciliation.removed_rows(audit),
        months=months.assign(known=months["period"].isin(_months_of(known, unit))),
        steps=rhythm.steps,
        step=rhythm.step,
        measured=rhythm.enough,
        gaps=coverage.find_gaps(rhythm),
        spikes=coverage.find_spikes(rhythm),
        known=known,
        known_customers=int(sizes.loc[sizes["cohort"].isin(known), "size"].sum()),
        later_new=float(sizes.loc[~sizes["cohort"].isin(known), "size"].median()),
        last_new=pd.Timestamp(sizes["cohort"].max()),
        closed=_is_closed(sizes, p.as_of, unit),
        last_finished=_is_period_end(p.as_of, unit),
        silent_days=(p.as_of - ordered.iloc[-1].date()).days,
        top_share=_top_share(client),
        warnings=list(audit.warnings),
        missing={name: UNLOCKS[name] for name in TABLES if name in UNLOCKS and not client.has(name)},
    )


def _is_period_end(day: dt.date, unit: str) -> bool:
    """Whether a day is the last of its period."""
    return bool(base.period_ends(pd.Series([pd.Timestamp(day)]), unit).iloc[0] == pd.Timestamp(day))


def _is_closed(sizes: pd.DataFrame, as_of: dt.date, unit: str) -> bool:
    """Whether nobody new came in the last third of at least six periods: a chosen group of customers."""
    starts = base.period_starts(sizes["cohort"].min(), as_of, unit)
    late = starts.iloc[-max(1, len(starts) // 3) :]
    return len(starts) >= 6 and bool(sizes["cohort"].max() < late.iloc[0])


def _months_of(known: frozenset[pd.Timestamp], unit: str) -> set[pd.Timestamp]:
    months: set[pd.Timestamp] = set()
    for period in known:
        last = base.period_ends(pd.Series([period]), unit).iloc[0]
        months |= set(base.period_starts(period, last.date(), "month"))
    return months


def _top_share(client: "Client") -> float | None:
    top = concentration.top_customers(client.summary)
    share = float(top["revenue_share"].sum(min_count=1)) if len(top) else float("nan")
    return share if share == share else None
