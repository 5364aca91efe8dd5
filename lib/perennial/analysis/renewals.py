"""The rhythm contracts are renewed in, read from their dates, and how many came through how many renewals."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

Unit = Literal["day", "month"]
MONTH_DAYS = 365.25 / 12
# The longest that fits is taken, so that a yearly plan is not read as a monthly one; months go before days.
LENGTHS: tuple[tuple[Unit, int], ...] = (
    ("month", 36), ("month", 24), ("month", 18), ("month", 12), ("day", 360), ("month", 6), ("month", 4),
    ("month", 3), ("day", 90), ("month", 2), ("month", 1), ("day", 30), ("day", 28), ("day", 14), ("day", 7),
)  # fmt: skip
FEWEST_DATES = 5  # of a plan, below which no rhythm is read from them
FITTING = 0.9  # share of dates that must lie on the rhythm


@dataclass(frozen=True)
class Rhythm:
    """How long a plan's contracts run from renewal to renewal.

    Attributes
    ----------
    unit, length : ``("month", 12)`` is a year. Zero: no rhythm was recognised, ``reason`` says which way.
    dates : ends and next renewals that it was read from; ``fitting`` is the share of them that lies on it.
    contracts : all that began.
    reason : ``"few"`` (too few dates), ``"irregular"`` (dates lie on no grid), ``"mixed"`` (next renewals lie further
        ahead than one period, so several lengths share the plan's name); empty where a rhythm was found.
    """

    plan: str
    unit: Unit = "month"
    length: int = 0
    dates: int = 0
    fitting: float = 0.0
    contracts: int = 0
    reason: Literal["", "few", "irregular", "mixed"] = ""

    @property
    def days(self) -> float:
        """Mean length of a period in days."""
        return self.length * (MONTH_DAYS if self.unit == "month" else 1.0)

    @property
    def months(self) -> float:
        """Mean length of a period in months: what a price per month is multiplied by."""
        return self.days / MONTH_DAYS

    @property
    def tolerance(self) -> int:
        """Days that a date may lie off the grid: 4 % of the length, at most three."""
        return min(3, int(0.04 * self.days))

    @property
    def recognised(self) -> bool:
        """Whether a rhythm was recognised."""
        return self.length > 0


def began(subscriptions: ir.Table, as_of: dt.date) -> ir.Table:
    """Contracts begun by a day, with every column that is used: ``plan`` (empty where not given), ``ended_at`` and
    ``renews_at`` (null where unknown), ``price_per_month`` (a number, null where unknown)."""
    kept = subscriptions.filter(subscriptions.started_at <= as_of)

    def column(name: str, kind: str) -> Any:
        return kept[name].cast(kind) if name in kept.columns else ibis.null(kind)

    return kept.select(
        "customer_id",
        "started_at",
        plan=column("plan", "string").fill_null(""),
        ended_at=column("ended_at", "date"),
        renews_at=column("renews_at", "date"),
        price_per_month=column("price_per_month", "float64"),
    )


def find_rhythms(subscriptions: ir.Table, as_of: dt.date) -> list[Rhythm]:
    """Each plan's period, from the gaps between start and end or, while it runs, next renewal; largest plans first.

    The longest of the usual lengths on whose multiples nine in ten dates lie (give or take 4 % of it, at most three
    days). Running contracts then check it: none may have its next renewal more than one period ahead.
    """
    contracts = began(subscriptions, as_of)
    until = ibis.coalesce(contracts.ended_at, contracts.renews_at)
    ahead = contracts.renews_at.delta(ibis.date(as_of), unit="day").nullif(-1)
    ahead = ibis.ifelse(contracts.ended_at.isnull(), ahead, ibis.null("int64"))
    measured = contracts.select("plan", ahead=ahead, **_gap(contracts.started_at, until))
    grouped = measured.group_by("plan", "months", "slip", "days", "ahead").agg(count=measured.count())
    counts = grouped.order_by("plan", "months", "slip", "days", "ahead").to_pandas()
    sizes = counts.groupby("plan")["count"].sum().sort_values(ascending=False, kind="stable")
    return [_rhythm(str(plan), counts[counts["plan"] == plan], int(size)) for plan, size in sizes.items()]


def _rhythm(plan: str, counts: pd.DataFrame, contracts: int) -> Rhythm:
    known = counts[counts["days"] > 0]
    dates = int(known["count"].sum())
    if dates < FEWEST_DATES:
        return Rhythm(plan, dates=dates, contracts=contracts, reason="few")
    for unit, length in LENGTHS:
        found = Rhythm(plan, unit, length, dates, contracts=contracts)
        fits = _on_grid(known, found)
        share = float(known.loc[fits, "count"].sum()) / dates
        if share < FITTING:
            continue
        far = known["ahead"] > found.days + found.tolerance + 3  # months differ by up to three days
        if float(known.loc[far, "count"].sum()) > (1 - FITTING) * float(known.loc[known["ahead"] > 0, "count"].sum()):
            return Rhythm(plan, dates=dates, contracts=contracts, reason="mixed")
        return Rhythm(plan, unit, length, dates, share, contracts)
    return Rhythm(plan, dates=dates, contracts=contracts, reason="irregular")


def _on_grid(gaps: pd.DataFrame, rhythm: Rhythm) -> pd.Series:
    if rhythm.unit == "month":
        on = (gaps["months"] > 0) & (gaps["months"] % rhythm.length == 0)
        return on & (gaps["slip"].abs() <= rhythm.tolerance)
    past = gaps["days"] % rhythm.length
    near = (past <= rhythm.tolerance) | (past >= rhythm.length - rhythm.tolerance)
    return near & (gaps["days"] >= rhythm.length - rhythm.tolerance)


def _gap(start: Any, end: Any) -> dict[str, Any]:
    """From day to day: ``months`` (the nearest whole number), ``slip`` (days beyond it, −15 to 15) and ``days``.

    A start on the 31st has its month's end in February: the last day of a shorter month is no slip.
    """
    months = (end.year() - start.year()) * 12 + end.month() - start.month()
    slip = end.day() - start.day()
    is_last = (end + ibis.interval(days=1)).day() == 1
    slip = ibis.ifelse(is_last & (slip < 0), 0, slip)
    first = end.truncate("M").cast("date")
    this_month = (first + ibis.interval(months=1)).cast("date").delta(first, unit="day")
    last_month = first.delta((first - ibis.interval(months=1)).cast("date"), unit="day")
    shift = ibis.cases((slip > 15, 1), (slip < -15, -1), else_=0)
    days = ibis.cases((slip > 15, -this_month), (slip < -15, last_month), else_=0)
    return {"months": months + shift, "slip": slip + days, "days": end.delta(start, unit="day")}


def renewal_counts(
    subscriptions: ir.Table, rhythms: list[Rhythm], as_of: dt.date, until: dt.date | None = None
) -> pd.DataFrame:
    """Contracts of recognised rhythm by the renewals they came through by a day.

    Parameters
    ----------
    as_of : the day it is counted at; later ends are unknown then.
    until : a later day, up to which contracts running at ``as_of`` are followed.

    Returns
    -------
    Frame ``plan, cohort`` (year of the start), ``time, ended, count``: contracts that ended at renewal ``time``, or
    were running after ``time`` renewals. A contract that ended between two renewals counts at the later one, and as
    running until that has come. With ``until``, of those running at ``as_of`` only, also ``due``, the renewals that
    came in between, and ``survived``, whether the contract came through all of them.
    """
    terms = _terms(began(subscriptions, as_of), rhythms, as_of)
    if until is None:
        grouped = terms.group_by("plan", "cohort", "time", "ended").agg(count=terms.count())
        return grouped.order_by("plan", "cohort", "time", "ended").to_pandas()
    later = _terms(began(subscriptions, as_of).filter(_runs(as_of)), rhythms, until, as_of)
    followed = later.mutate(due=later.possible - later.before, survived=~later.ended)
    grouped = followed.group_by("plan", "cohort", time=followed.before, due=followed.due, survived=followed.survived)
    counts = grouped.agg(count=followed.count())
    return counts.order_by("plan", "cohort", "time", "due", "survived").to_pandas()


def _runs(day: dt.date) -> Any:
    return (ibis._.ended_at > day) | ibis._.ended_at.isnull()


def _terms(contracts: ir.Table, rhythms: list[Rhythm], day: dt.date, before: dt.date | None = None) -> ir.Table:
    """Per contract: ``time, ended`` by ``day``, ``possible`` renewals by then, and those made by ``before``."""
    known = {r.plan: r for r in rhythms if r.recognised}
    contracts = contracts.filter(contracts.plan.isin(list(known) or [""]), bool(known))
    length, tolerance, monthly = (
        _by_plan(contracts, {plan: value(r) for plan, r in known.items()})
        for value in (lambda r: r.length, lambda r: r.tolerance, lambda r: int(r.unit == "month"))
    )
    lasted = _gap(contracts.started_at, contracts.ended_at)
    whole = ibis.ifelse(lasted["slip"] <= tolerance, lasted["months"], lasted["months"] + 1)
    spent = ibis.ifelse(monthly == 1, whole, lasted["days"] - tolerance)
    term = ibis.greatest(((spent + length - 1) / length).floor().cast("int64"), 1)
    possible = _passed(contracts, length, monthly, day)
    over = (contracts.ended_at <= day).fill_null(False) & (term <= possible)
    columns = {"before": _passed(contracts, length, monthly, before)} if before else {}
    return contracts.select(
        "customer_id",
        "plan",
        "started_at",
        "ended_at",
        "price_per_month",
        cohort=contracts.started_at.year(),
        time=ibis.ifelse(over, term, possible),
        ended=over,
        possible=possible,
        **columns,
    )


def _passed(contracts: ir.Table, length: Any, monthly: Any, day: dt.date) -> Any:
    """Renewal dates from a contract's start to a day, that day included."""
    gap = _gap(contracts.started_at, ibis.literal(day))
    months = ibis.ifelse(gap["slip"] >= 0, gap["months"], gap["months"] - 1)
    return (ibis.ifelse(monthly == 1, months, gap["days"]) / length).floor().cast("int64")


def _by_plan(contracts: ir.Table, values: Mapping[str, int]) -> Any:
    pairs = [(contracts.plan == plan, value) for plan, value in values.items()]
    return ibis.cases(*pairs, else_=1) if pairs else ibis.literal(1)


def running_contracts(
    subscriptions: ir.Table, rhythms: list[Rhythm], as_of: dt.date, horizon_months: int, annual_rate: float
) -> pd.DataFrame:
    """What runs at ``as_of``, by plan, start year and renewals made.

    Returns
    -------
    Frame ``plan, cohort, renewals, due`` (renewals that fall within the horizon), ``contracts``, ``priced`` (of them
    with a price), ``per_month`` (Σ of their prices), ``fee`` (Σ of the price of one period, each discounted to
    ``as_of`` from its next renewal) and ``fee_squared`` (Σ of its square). Contracts whose end is already known to come
    are left out.
    """
    begun = began(subscriptions, as_of)
    terms = _terms(begun.filter(begun.ended_at.isnull()), rhythms, as_of)
    period = {r.plan: r for r in rhythms if r.recognised}
    pairs = [(terms.plan == plan, r.days) for plan, r in period.items()]
    days = ibis.cases(*pairs, else_=1.0) if pairs else ibis.literal(1.0)
    spent = ibis.date(as_of).delta(terms.started_at, unit="day")
    wait = ibis.greatest((terms.possible + 1) * days - spent, 1.0)  # months differ in length: never in the past
    horizon = horizon_months * MONTH_DAYS
    due = ibis.greatest(((horizon - wait) / days).floor().cast("int64") + 1, 0)
    fee = terms.price_per_month * (days / MONTH_DAYS) * (ibis.literal(1 + annual_rate) ** (-wait / 365.25))
    rows = terms.select("plan", "cohort", "price_per_month", renewals=terms.possible, due=due, fee=fee)
    grouped = rows.group_by("plan", "cohort", "renewals", "due").agg(
        contracts=rows.count(),
        priced=rows.price_per_month.count(),
        per_month=rows.price_per_month.sum().fill_null(0.0),
        fee=rows.fee.sum().fill_null(0.0),
        fee_squared=(rows.fee * rows.fee).sum().fill_null(0.0),
    )
    return grouped.order_by("plan", "cohort", "renewals", "due").to_pandas()


def oddities(subscriptions: ir.Table, as_of: dt.date) -> dict[str, int]:
    """What is unusual in the dates: ``notice`` (running, their end already known), ``overdue`` (running, but the
    renewal date given has passed), ``backwards`` (ended before they began)."""
    contracts = began(subscriptions, as_of)
    running = contracts.ended_at.isnull()
    row = contracts.agg(
        notice=(contracts.ended_at > as_of).sum(),
        overdue=(running & (contracts.renews_at <= as_of)).sum(),
        backwards=(contracts.ended_at < contracts.started_at).sum(),
    )
    return {name: int(value or 0) for name, value in row.to_pyarrow().to_pylist()[0].items()}
