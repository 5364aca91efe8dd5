"""Chapter 02: the customer base. Who buys, how much, what moved revenue, and on how few customers it rests."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial.analysis import base, censoring, concentration, decomposition
from perennial.analysis.comparison import Comparison, comparable_windows, holds_a_year
from perennial.analysis.concentration import Concentration
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "02_customer_base"


@dataclass(frozen=True)
class Study:
    """What the chapter found.

    Attributes
    ----------
    periods : totals by period (:func:`perennial.analysis.base.period_totals`), with ``known``: periods whose "new"
        customers were mostly there before the data begins. ``beginning``: how sure that is.
    comparison : the two windows compared; None where the data spans less than two months.
    groups, drivers, movement : both windows by new and returning, what moved revenue, who came and left; empty
        frames without a comparison.
    recent : customers who bought and revenue in the last twelve months; None where the data is shorter.
    everyone, others : spread of revenue over all customers, and without the ten largest.
    giants : revenue of the ten largest customers in the earlier and in the later window.
    not_paying : customers whose net revenue is not above zero.
    """

    client: str
    title: str
    currency: str
    as_of: dt.date
    first_on: dt.date
    unit: str
    level: float
    minimum_group: int
    customers: int
    revenue: Decimal
    periods: pd.DataFrame
    beginning: censoring.Beginning
    comparison: Comparison | None
    groups: pd.DataFrame
    drivers: pd.DataFrame
    movement: pd.DataFrame
    recent: tuple[int, float] | None
    everyone: Concentration
    others: Concentration
    histogram: pd.DataFrame
    lorenz: pd.DataFrame
    top: pd.DataFrame
    giants: tuple[float, float]
    not_paying: int
    captions: dict[str, Caption] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def spread(self) -> pd.DataFrame:
        """How revenue is spread: one row for all customers, one without the ten largest."""
        measures = ("customers", "revenue", "mean", "median", "top_tenth", "top_fifth", "gini")
        sets = {"all": self.everyone, "without_largest": self.others}
        frame = pd.DataFrame({name: [getattr(part, name) for name in measures] for name, part in sets.items()}).T
        frame = frame.set_axis(measures, axis=1).astype("float64").astype({"customers": "int64"})
        return frame.rename_axis("population").reset_index()

    @property
    def revenue_change(self) -> tuple[float, float]:
        """Revenue of the earlier and of the later window."""
        return float(self.groups["revenue_before"].sum()), float(self.groups["revenue_after"].sum())

    @property
    def window_names(self) -> tuple[str, str]:
        """The two windows in words."""
        from perennial.chapters.base_words import window_name

        assert self.comparison is not None
        return window_name(self.comparison.before), window_name(self.comparison.after)

    @property
    def formats(self) -> dict[str, Callable[[Any], str]]:
        """How the columns of this chapter's tables become text."""
        from perennial.chapters.base_words import table_formats

        return table_formats(self)


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client."""
    from perennial.chapters import base_words

    found = _measure(client)
    found.captions.update(base_words.captions(found))
    found.findings.extend(base_words.findings(found))
    return found


def _measure(client: "Client") -> Study:
    p, lines, summary = client.parameters, client.transactions, client.summary
    first_on, revenue = _span(client)
    beginning = censoring.beginning_of(summary, p.cohort_period, p.as_of)
    comparison = comparable_windows(first_on, p.as_of)
    everyone = concentration.measure_concentration(summary, p.interval)
    top = concentration.top_customers(summary)
    groups = base.window_groups(lines, summary, comparison) if comparison else pd.DataFrame()
    return Study(
        client=client.name,
        title=p.title,
        currency=p.currency,
        as_of=p.as_of,
        first_on=first_on,
        unit=p.cohort_period,
        level=p.interval,
        minimum_group=p.minimum_group,
        customers=everyone.customers,
        revenue=revenue,
        periods=_periods(client, beginning),
        beginning=beginning,
        comparison=comparison,
        groups=groups,
        drivers=decomposition.decompose(groups, comparison.days) if comparison else pd.DataFrame(),
        movement=base.movement(lines, summary, comparison) if comparison else pd.DataFrame(),
        recent=base.trailing_totals(lines, p.as_of, 12) if holds_a_year((p.as_of - first_on).days + 1) else None,
        everyone=everyone,
        others=concentration.measure_concentration(summary, p.interval, leave_out=concentration.TOP),
        histogram=concentration.revenue_histogram(summary),
        lorenz=concentration.lorenz_curve(summary),
        top=top,
        giants=base.revenue_of(lines, comparison, list(top["customer_id"])) if comparison else (0.0, 0.0),
        not_paying=concentration.not_paying(summary),
    )


def _span(client: "Client") -> tuple[dt.date, Decimal]:
    lines = client.transactions
    row = lines.aggregate(first=lines.ordered_on.min(), total=lines.amount.sum()).to_pyarrow().to_pylist()[0]
    return row["first"], Decimal(row["total"])


def _periods(client: "Client", beginning: censoring.Beginning) -> pd.DataFrame:
    p = client.parameters
    periods = base.period_totals(client.transactions, client.summary, p.as_of, p.cohort_period)
    return periods.assign(known=periods["period"].isin(beginning.known))
