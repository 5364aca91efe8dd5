"""Who has gone silent, for how long customers stay active, and whose silence puts most money at stake.

Without a contract nobody says goodbye: a customer is *overdue* or *lapsed* by the silence thresholds of
:mod:`perennial.analysis.cadence`, and may still return. With one, the end of the contract is the end.
"""

import datetime as dt
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.cadence import SilenceThresholds

STATES = ("on_cadence", "overdue", "lapsed")
YEAR_DAYS = 365


class Lapses(NamedTuple):
    """How often the lapsed threshold was crossed, and how often that was not the end.

    ``crossed``: customers whose silence passed it at some time; ``returned``: those of them who bought again after.
    """

    crossed: int
    returned: int


def customer_states(
    transactions: ir.Table, summary: ir.Table, cadence: ir.Table, thresholds: SilenceThresholds, as_of: dt.date
) -> ir.Table:
    """Each customer of the summary with its state by silence.

    Returns
    -------
    Ibis table ``customer_id, repeat`` (whether there was a second purchase day), ``state`` (one of :data:`STATES`;
    ``"on_cadence"`` for all where nobody repeats and no threshold can be read), the columns of
    :func:`perennial.analysis.cadence.customer_cadence`, ``revenue`` (all time), ``revenue_past_year`` (the 365 days
    to ``as_of``), ``last_on``.
    """
    known = summary.select("customer_id", "last_on", "revenue", repeat=summary.frequency > 0)
    known = known.left_join(cadence, "customer_id").drop("customer_id_right")
    recent = transactions.filter(transactions.ordered_on > as_of - dt.timedelta(days=YEAR_DAYS))
    recent = recent.group_by("customer_id").agg(revenue_past_year=recent.amount.sum())
    known = known.left_join(recent, "customer_id").drop("customer_id_right")
    known = known.mutate(revenue_past_year=known.revenue_past_year.fill_null(0))
    if thresholds.overdue is None or thresholds.lapsed is None:
        return known.mutate(state=ibis.literal("on_cadence"))
    state = ibis.cases(
        (known.silence_ratio > thresholds.lapsed, "lapsed"),
        (known.silence_ratio > thresholds.overdue, "overdue"),
        else_="on_cadence",
    )
    return known.mutate(state=state)


def state_counts(states: ir.Table) -> pd.DataFrame:
    """``repeat, state, customers, revenue, revenue_past_year``: every combination, zero where empty."""
    found = states.group_by("repeat", "state").agg(
        customers=states.count(),
        revenue=states.revenue.sum().cast("float64"),
        revenue_past_year=states.revenue_past_year.sum().cast("float64"),
    )
    cells = pd.MultiIndex.from_product([[True, False], STATES], names=["repeat", "state"])
    counts = found.to_pandas().set_index(["repeat", "state"]).reindex(cells, fill_value=0).reset_index()
    return counts.astype({"customers": "int64", "revenue": float, "revenue_past_year": float})


def silence_histogram(states: ir.Table, width: float = 0.5, most: float = 10.0) -> pd.DataFrame:
    """Present silence in multiples of the typical gap: ``from_ratio, repeat, customers``; the last bin is open."""
    place = ibis.least((states.silence_ratio / width).floor(), most / width).cast("int64")
    known = states.filter(states.silence_ratio.notnull()).mutate(place=place)
    found = known.group_by("place", "repeat").agg(customers=known.count()).to_pandas()
    cells = pd.MultiIndex.from_product([range(int(most / width) + 1), [True, False]], names=["place", "repeat"])
    filled = found.set_index(["place", "repeat"]).reindex(cells, fill_value=0).reset_index()
    return filled.assign(from_ratio=filled["place"] * width)[["from_ratio", "repeat", "customers"]]


def alive_histogram(states: ir.Table, predictions: ir.Table, bins: int = 10) -> pd.DataFrame:
    """P(alive) of repeat customers in equal bins: ``from_p, to_p, customers, revenue_past_year``.

    One-time buyers are not in it: BG/NBD gives every one of them 1, which says nothing about them.
    """
    known = states.filter(states["repeat"]).join(predictions.select("customer_id", "p_alive"), "customer_id")
    known = known.filter(known.p_alive.notnull())
    known = known.mutate(place=ibis.least((known.p_alive * bins).floor(), bins - 1).cast("int64"))
    found = known.group_by("place").agg(
        customers=known.count(), revenue_past_year=known.revenue_past_year.sum().cast("float64")
    )
    filled = found.to_pandas().set_index("place").reindex(range(bins), fill_value=0)
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "from_p": edges[:-1],
            "to_p": edges[1:],
            "customers": filled["customers"].astype("int64").to_numpy(),
            "revenue_past_year": filled["revenue_past_year"].astype(float).to_numpy(),
        }
    )


def active_lives(history: ir.Table, thresholds: SilenceThresholds, as_of: dt.date) -> pd.DataFrame:
    """How long customers stay active: days from the first purchase to the last one before they lapse, counted.

    A customer lapses at the first silence longer than ``thresholds.lapsed`` typical gaps, as known when it began.
    That a silence is one shows only once the threshold has passed, so everybody is watched up to one threshold of
    the base's typical gap before ``as_of`` (the same for fast and slow buyers, so that the end of watching says
    nothing about them; those whose own threshold is longer end sooner). Customers not known for so long are left out.

    Parameters
    ----------
    history : :func:`perennial.analysis.cadence.silence_history`.

    Returns
    -------
    Frame ``time`` (days), ``ended`` (lapsed), ``count``: for :func:`perennial.analysis.survival.kaplan_meier`.
    """
    if thresholds.lapsed is None:
        return pd.DataFrame({"time": [], "ended": [], "count": []})
    firsts = history.group_by("customer_id").agg(first_on=history.ordered_on.min())
    waits = history.join(firsts, "customer_id")
    span = ibis.date(as_of).delta(waits.first_on, unit="day")
    longest = (thresholds.lapsed * waits.typical_gap_days).floor().cast("int64")
    waits = waits.mutate(
        day=waits.ordered_on.delta(waits.first_on, unit="day"),
        lapse=waits.wait_days > longest,
        watched=span - int(thresholds.lapsed_days or 0) - 1,
        resolved=ibis.ifelse(waits.ended, span, span - longest - 1),
    )
    each = waits.group_by("customer_id").agg(
        watched=waits.watched.min(),
        lapse_day=waits.day.min(where=waits.lapse),
        resolved=waits.resolved.min(where=~waits.lapse),
    )
    lapsed = (each.lapse_day <= each.watched).fill_null(False)
    until = ibis.ifelse(each.lapse_day.notnull(), each.watched, ibis.least(each.watched, each.resolved))
    each = each.mutate(lapsed=lapsed, time=ibis.ifelse(lapsed, each.lapse_day, until))
    each = each.filter((each.watched >= 0) & (each.time >= 0))
    counts = each.group_by("time", "lapsed").agg(count=each.count()).order_by("time", "lapsed")
    return counts.to_pandas().rename(columns={"lapsed": "ended"})


def count_lapses(history: ir.Table, thresholds: SilenceThresholds) -> Lapses:
    """How many customers ever lapsed, and how many of those bought again afterwards."""
    if thresholds.lapsed is None:
        return Lapses(0, 0)
    crossed = history.filter(history.silence_ratio > thresholds.lapsed)
    found = crossed.agg(
        crossed=crossed.customer_id.nunique(), returned=crossed.customer_id.nunique(where=crossed.ended)
    )
    row = found.to_pyarrow().to_pylist()[0]
    return Lapses(int(row["crossed"] or 0), int(row["returned"] or 0))


def at_risk(states: ir.Table, predictions: ir.Table | None, most: int = 1000) -> pd.DataFrame:
    """Repeat customers by value at stake, largest first, at most ``most`` rows.

    Value at stake is expected value × (1 − P(alive)): what the model still expects of the customer, times the chance
    that the customer has already left. It is largest for good customers whose return is in doubt, and small both for
    the safe and for the lost. Without a model it is the past year's revenue of customers who are overdue.

    Returns
    -------
    Frame ``customer_id, value_at_stake, p_alive, expected_value`` (missing without a model), ``revenue_past_year,
    last_on, silence_days, typical_gap_days, silence_ratio, state``.
    """
    known = states.filter(states["repeat"])
    if predictions is not None and "clv" in predictions.columns:
        value = predictions.select("customer_id", "p_alive", expected_value=predictions.clv)
        known = known.join(value, "customer_id")
        stake = known.expected_value * (1 - known.p_alive)
    else:
        known = known.filter(known.state == "overdue")
        missing = ibis.null("float64")
        known = known.mutate(p_alive=missing, expected_value=missing)
        stake = known.revenue_past_year.cast("float64")
    known = known.mutate(value_at_stake=stake)
    known = known.filter(known.value_at_stake > 0)
    columns = [
        "customer_id", "value_at_stake", "p_alive", "expected_value", "revenue_past_year", "last_on", "silence_days",
        "typical_gap_days", "silence_ratio", "state",
    ]  # fmt: skip
    ranked = known.order_by(ibis.desc("value_at_stake"), "customer_id").select(*columns).limit(most).to_pandas()
    return ranked.astype({"revenue_past_year": float})


class Alive(NamedTuple):
    """What the purchase model says: repeat customers, how many of them it expects to be active, one-time buyers."""

    repeaters: int
    active: float
    one_timers: int
    second_opinion: float  # mean P(alive) of one-time buyers under MBG/NBD; NaN where it was not fitted


def alive_totals(states: ir.Table, predictions: ir.Table) -> Alive:
    """Expected number of active repeat customers; one-time buyers only counted, never as alive."""
    known = states.join(predictions.select("customer_id", "p_alive", "p_alive_mbg"), "customer_id")
    row = known.agg(
        repeaters=known["repeat"].sum(),
        active=known.p_alive.sum(where=known["repeat"]),
        one_timers=(~known["repeat"]).sum(),
        second=known.p_alive_mbg.mean(where=~known["repeat"]),
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    second = float("nan") if row["second"] is None else float(row["second"])
    return Alive(int(row["repeaters"] or 0), float(row["active"] or 0), int(row["one_timers"] or 0), second)


class Stake(NamedTuple):
    """Value at stake over all repeat customers, and how many hold it."""

    customers: int
    value: float
    expected: float


def total_stake(states: ir.Table, predictions: ir.Table) -> Stake:
    """Sums of expected value and of expected value × (1 − P(alive)) over repeat customers."""
    known = states.filter(states["repeat"]).join(predictions.select("customer_id", "p_alive", "clv"), "customer_id")
    known = known.filter(known.clv.notnull() & known.p_alive.notnull())
    row = known.agg(
        customers=known.count(), value=(known.clv * (1 - known.p_alive)).sum(), expected=known.clv.sum()
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    return Stake(int(row["customers"] or 0), float(row["value"] or 0), float(row["expected"] or 0))
