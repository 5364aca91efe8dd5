"""What chapter 01 measures on an opened client, before anything is put into words."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

from perennial.analysis import (
    audit_lines,
    audit_measures,
    base,
    censoring,
    concentration,
    coverage,
    odd_codes,
    reconciliation,
)
from perennial.analysis.cohorts import cohort_sizes
from perennial.analysis.scorecard import score
from perennial.chapters import audit_time
from perennial.chapters.data_audit import Study
from perennial.schema import TABLES, UNLOCKS

if TYPE_CHECKING:
    from perennial.client import Client

DAYS_A_MONTH = 30.4375


def measure(client: "Client") -> Study:
    """Everything the chapter measures; its words come after."""
    p, lines, summary, audit = client.parameters, client.transactions, client.summary, client.audit
    unit = p.cohort_period
    days = coverage.daily_orders(lines, p.as_of)
    rhythm = coverage.measure_rhythm(days)
    gaps, spikes = coverage.find_gaps(rhythm), coverage.find_spikes(rhythm)
    sizes = cohort_sizes(summary, unit)
    beginning = censoring.judge_beginning(sizes, unit, p.as_of)
    months = base.period_totals(lines, summary, p.as_of, "month")
    ordered = days.loc[(days["orders"] > 0) | (days["revenue"] != 0), "day"].dt.date
    rejects = client.rejects()
    evidence = audit_measures.Evidence(
        audit=audit,
        customers=int(sizes["size"].sum()),
        early_customers=None if beginning.sign == "unknown" else beginning.customers,
        early_sign=audit_time.early_sign(beginning, unit),
        months=len(months),
        empty_months=int((months["finished"] & (months["orders"] == 0)).sum()),
        history_days=(p.as_of - ordered.iloc[0]).days + 1,
        horizon_days=p.horizon_months * DAYS_A_MONTH,
        silent_days=(p.as_of - ordered.iloc[-1]).days,
        last_covered=_last_covered(p.as_of, unit),
        steps=len(rhythm.steps),
        odd_steps=_odd_steps(gaps, spikes) if rhythm.enough else None,
        top_share=_top_share(client),
        lines=audit_lines.measure_lines(lines, days),
    )
    return Study(
        client=client.name,
        title=p.title,
        currency=p.currency,
        as_of=p.as_of,
        first_on=ordered.iloc[0],
        last_on=ordered.iloc[-1],
        unit=unit,
        customers=evidence.customers,
        revenue=Decimal(lines.amount.sum().to_pyarrow().as_py()),
        horizon_months=p.horizon_months,
        gross_margin=p.gross_margin,
        audit=audit,
        cleaning=p.cleaning,
        tables=reconciliation.table_facts(audit),
        files=reconciliation.source_files(audit),
        columns=reconciliation.column_facts(audit),
        rejects=rejects,
        reject_reasons=reconciliation.reject_reasons(rejects),
        flags=reconciliation.flagged_rows(audit),
        reconciliation=reconciliation.reconcile(audit),
        rules=reconciliation.rules_in_order(audit, p.cleaning),
        removed=reconciliation.removed_rows(audit),
        months=months.assign(known=months["period"].isin(_months_of(beginning.known, unit))),
        steps=rhythm.steps,
        step=rhythm.step,
        measured=rhythm.enough,
        gaps=gaps,
        spikes=spikes,
        beginning=beginning,
        last_new=pd.Timestamp(sizes["cohort"].max()),
        closed=_is_closed(sizes, p.as_of, unit),
        last_finished=evidence.last_covered == 1,
        silent_days=evidence.silent_days,
        top_share=evidence.top_share,
        odd_codes=odd_codes.odd_codes(lines),
        warnings=list(audit.warnings),
        missing={name: UNLOCKS[name] for name in TABLES if name in UNLOCKS and not client.has(name)},
        scorecard=score(audit_measures.measure(evidence)),
    )


def _last_covered(day: dt.date, unit: str) -> float:
    """The share of a day's period that is over with it."""
    first = base.period_starts(pd.Timestamp(day), day, unit).iloc[0]
    last = base.period_ends(pd.Series([pd.Timestamp(day)]), unit).iloc[0]
    return float(((pd.Timestamp(day) - first).days + 1) / ((last - first).days + 1))


def _odd_steps(gaps: pd.DataFrame, spikes: pd.DataFrame) -> int:
    return int(gaps["steps"].sum()) + int(spikes["start"].nunique())


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
