"""Chapter 03: who stays. Cohorts over time, the chance of a next order, the time to it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis.expr.types as ir
import pandas as pd

from perennial import formats
from perennial.analysis import censoring, cohorts, mix, repeats
from perennial.analysis.cadence import order_steps
from perennial.analysis.comparison import holds_a_year
from perennial.errors import ModelError
from perennial.language import _
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "03_cohort_retention"
MOST_ORDERS = 10
FEW_ONE_TIME = 0.05  # with fewer customers of one order than this share, no model tells who differs from whom
Formatter = Callable[[Any], str]


class Won(NamedTuple):
    """Customers taken for new, first seen from ``since`` to the as-of day: ``days`` days, a ``year`` or less."""

    customers: int
    since: dt.date
    days: int
    year: bool


@dataclass(frozen=True)
class Study:
    """What the chapter found.

    Attributes
    ----------
    unit : cohort period, ``"month"``.
    cells : every cohort in every period (:func:`perennial.analysis.cohorts.cohort_cells`), with
        ``revenue_per_customer`` and ``known`` (customers before the data begins).
    curve, known_curve : retention of new customers and of those known before the data (may be empty), as far as
        enough cohorts and customers are observed.
    followed : retention of the same new customers from period 1 to a year, or as far as ``curve`` reaches; may be
        empty. ``change``: interval of its last less its first rate, None where there is one point or none.
    layers : revenue by group of cohorts and period.
    repeat : chance of a next order by order number within ``within_days``, with ``implied`` where ``model`` was fitted;
        of new customers only where some were known before the data.
    gaps, bins : quantiles and histogram of the time between orders.
    early : second order within ``early_days`` days by cohort; ``comparison`` of its newer half with the older, or None,
        and its split into rate and ``mix_shift`` where customers have attributes. Cohorts that were, or may have been,
        there before the data begins (``beginning``) are ``left_out`` of it; ``with_doubtful`` holds the latter too.
    won : customers won in the last twelve months, or since the data begins.
    customers, revenue : the base: cohort sizes and cells add up to them.
    moved_returns : money of returns booked in a period before that of their customer's first purchase, in which it
        counts here.
    """

    unit: str
    as_of: pd.Timestamp
    level: float
    currency: str
    cells: pd.DataFrame
    curve: pd.DataFrame
    known_curve: pd.DataFrame
    followed: pd.DataFrame
    change: tuple[float, float] | None
    layers: pd.DataFrame
    repeat: pd.DataFrame
    within_days: int
    gaps: pd.DataFrame
    bins: pd.DataFrame
    early: pd.DataFrame
    comparison: dict[str, float] | None
    customers: int
    revenue: Decimal
    order_value: float
    beginning: censoring.Beginning
    won: Won
    with_doubtful: dict[str, float] | None = None
    moved_returns: float = 0.0
    model: str = ""
    mix_shift: mix.MixShift | None = None
    gross_margin: float = 0.0
    minimum_group: int = 1
    early_days: int = repeats.FIRST_WEEKS_DAYS
    captions: dict[str, Caption] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def sizes(self) -> pd.DataFrame:
        """``cohort, size, small, known``: one row per cohort."""
        return self.cells.loc[self.cells["age"] == 0, ["cohort", "size", "small", "known"]].reset_index(drop=True)

    @property
    def new_customers(self) -> int:
        """Customers first seen when the data had begun."""
        return int(self.sizes.loc[~self.sizes["known"], "size"].sum())

    @property
    def formats(self) -> dict[str, Formatter]:
        """How the columns of the chapter's tables are written."""
        shares = dict.fromkeys(("rate", "low", "high", "implied"), _share)
        days = dict.fromkeys(("size", "ended_days", "all_days"), formats.number)
        amounts = dict.fromkeys(("revenue", "revenue_per_customer"), self.money)
        periods = dict.fromkeys(("cohort", "period"), self._period)
        return {**shares, **days, **amounts, **periods, "group": self._group, "quantile": formats.percent}

    def _period(self, first_day: pd.Timestamp) -> str:
        return formats.period(first_day, self.unit)

    def _group(self, first_day: pd.Timestamp) -> str:
        return formats.period(first_day, str(self.layers["group_unit"].iloc[0]))

    @property
    def gap_marks(self) -> dict[str, float]:
        """The lines drawn into the histogram of gaps: name → days."""
        days = self.gaps.set_index("quantile")["ended_days"]
        return {_("half within"): float(days[0.5]), _("95 % within"): float(days[0.95])}

    def money(self, amount: float) -> str:
        """An amount in the client's currency."""
        return formats.money(amount, self.currency)


def _share(value: float) -> str:
    return formats.percent(value, 1)


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client."""
    from perennial.chapters import cohort_findings, cohort_words

    found = _measure(client)
    found.captions.update(cohort_words.captions(found, formats.escape(client.parameters.title)))
    found.findings.extend(cohort_findings.findings(found))
    return found


def _measure(client: "Client") -> Study:
    p, summary = client.parameters, client.summary
    unit = p.cohort_period
    steps = order_steps(client.transactions, p.as_of).cache()
    totals = summary.agg(customers=summary.count(), revenue=summary.revenue.sum()).to_pyarrow().to_pylist()[0]
    cells, beginning = _cells(client, unit)
    known, since = beginning.known, censoring.new_since(beginning.known, cohorts.FREQUENCY[unit])
    waits = repeats.wait_counts(steps)
    gaps = repeats.gap_quantiles(waits)
    repeat, within, model = _repeat(client, censoring.only_new(steps, since), gaps, bool(known))
    early = repeats.early_repeat(steps, p.as_of, unit, p.interval, p.minimum_group)
    new = cells[~cells["known"]]
    curve = _averaged(new, p.interval, p.minimum_group)
    reach = min(int(curve["age"].max()) if len(curve) else 0, cohorts.PERIODS_A_YEAR[unit])
    followed = cohorts.same_cohorts(new, reach, p.interval) if reach else curve.iloc[:0]
    early = early.assign(known=early["cohort"].isin(known), left_out=early["cohort"].isin(beginning.cohorts))
    early_new = early[~early["left_out"]].reset_index(drop=True)
    comparison = repeats.compare_halves(early_new, p.interval)
    return Study(
        unit=unit,
        as_of=pd.Timestamp(p.as_of),
        level=p.interval,
        currency=p.currency,
        cells=cells,
        curve=curve,
        known_curve=_averaged(cells[cells["known"]], p.interval, p.minimum_group),
        followed=followed,
        change=cohorts.change(followed, p.interval) if len(followed) > 1 else None,
        layers=cohorts.layers(cells, unit, known),
        repeat=repeat,
        within_days=within,
        gaps=gaps,
        bins=repeats.gap_histogram(waits),
        early=early.drop(columns="known"),
        comparison=comparison,
        with_doubtful=repeats.compare_halves(early[~early["known"]], p.interval) if beginning.doubtful else None,
        won=_won(client, beginning),
        mix_shift=_mix_shift(client, censoring.only_new(steps, since), early_new, comparison),
        customers=int(totals["customers"]),
        revenue=Decimal(totals["revenue"] or 0),
        order_value=_order_value(summary),
        beginning=beginning,
        moved_returns=cohorts.moved_returns(client.transactions, summary, unit),
        model=model,
        gross_margin=p.gross_margin,
        minimum_group=p.minimum_group,
    )


def _averaged(cells: pd.DataFrame, level: float, minimum_group: int) -> pd.DataFrame:
    return cohorts.supported(cohorts.retention_curve(cells, level), minimum_group)


def _cells(client: "Client", unit: str) -> tuple[pd.DataFrame, censoring.Beginning]:
    p = client.parameters
    cells = cohorts.cohort_cells(client.transactions, client.summary, p.as_of, unit, p.minimum_group)
    sizes = cells.loc[cells["age"] == 0, ["cohort", "size"]].reset_index(drop=True)
    beginning = censoring.judge_beginning(sizes, unit, p.as_of)
    known = cells["cohort"].isin(beginning.known)
    return cells.assign(revenue_per_customer=cells["revenue"] / cells["size"], known=known), beginning


def _won(client: "Client", beginning: censoring.Beginning) -> Won:
    """The customers won in the twelve months to the as-of day, or in as much of them as the data can tell."""
    p, first_on = client.parameters, client.summary.first_on
    a_year = (pd.Timestamp(p.as_of) + pd.Timedelta(days=1) - pd.DateOffset(months=12)).date()
    begins = first_on.min().to_pyarrow().as_py()
    since = max(a_year, begins, censoring.new_since(beginning.cohorts, cohorts.FREQUENCY[p.cohort_period]) or begins)
    count = client.summary.filter(first_on >= since).count().to_pyarrow().as_py()
    days = (p.as_of - since).days + 1
    return Won(int(count), since, days, holds_a_year(days))


def _repeat(client: "Client", steps: ir.Table, gaps: pd.DataFrame, partly: bool) -> tuple[pd.DataFrame, int, str]:
    """The repeat curve with what the fitted purchase model implies; alone without a model or on a part of "
    "the base."""
    p = client.parameters
    ages = repeats.ages_of(client.summary)
    long_gap = gaps.loc[gaps["quantile"] == 0.95, "ended_days"].iloc[0]
    within = repeats.window_days(int(ages["T"].max()), float(long_gap))
    curve = repeats.repeat_curve(repeats.wait_counts(steps, MOST_ORDERS), within, p.interval, p.minimum_group)
    if partly or not len(curve) or 1 - curve["came_back"].iloc[0] / curve["customers"].iloc[0] < FEW_ONE_TIME:
        return curve, within, ""
    try:
        model = client.value.purchase
    except ModelError:
        return curve, within, ""
    implied = repeats.implied_repeat(model.name, model.params, ages, curve, within, p.seed)
    return curve.assign(implied=implied), within, model.name


def _mix_shift(
    client: "Client", steps: ir.Table, early: pd.DataFrame, comparison: dict[str, float] | None
) -> mix.MixShift | None:
    """How much of the difference between newer and older cohorts a changed mix of customers accounts for."""
    if comparison is None or not client.has("customers"):
        return None
    p, cut = client.parameters, int(comparison["cut"])
    people, days = client.table("customers"), repeats.FIRST_WEEKS_DAYS
    return mix.early_repeat_mix(steps, people, p.as_of, early["cohort"], p.cohort_period, cut, days)


def _order_value(summary: ir.Table) -> float:
    """Mean money of a repeat purchase day; 0 where nobody repeats."""
    sums = summary.agg(
        money=(summary.monetary_value * summary.frequency).sum(), days=summary.frequency.sum()
    ).to_pyarrow()
    row = sums.to_pylist()[0]
    return float(row["money"] / row["days"]) if row["days"] else 0.0
