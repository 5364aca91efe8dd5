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
LEAST_P_ALIVE = 0.01  # value if active is expected value ÷ P(alive), and no smaller P(alive) is divided by


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
    In it is everybody whose first purchase lies one threshold (at the base's typical gap) before ``as_of``, whatever
    came after. That a silence is one shows only once the threshold has passed, so everybody is watched up to that
    time before ``as_of``. Who has not lapsed is active at least until the last purchase, and censored there or at
    the end of watching, whichever comes first: nobody is left out for a rhythm too slow to be judged yet.

    Parameters
    ----------
    history : :func:`perennial.analysis.cadence.silence_history`.

    Returns
    -------
    Frame ``time`` (days), ``ended`` (lapsed), ``count``: for :func:`perennial.analysis.survival.kaplan_meier`.
    """
    if thresholds.lapsed is None:
        return pd.DataFrame({"time": [], "ended": [], "count": []})
    each = _each_life(history, thresholds, as_of)
    lapsed = (each.lapse_day <= each.watched).fill_null(False)
    each = each.mutate(lapsed=lapsed, time=ibis.least(each.watched, ibis.coalesce(each.lapse_day, each.last_day)))
    counts = each.group_by("time", "lapsed").agg(count=each.count()).order_by("time", "lapsed")
    return counts.to_pandas().rename(columns={"lapsed": "ended"})


def _each_life(history: ir.Table, thresholds: SilenceThresholds, as_of: dt.date) -> ir.Table:
    """Customers known for one lapsed threshold: days ``watched``, of the lapse (null: none) and of the last order."""
    firsts = history.group_by("customer_id").agg(first_on=history.ordered_on.min())
    waits = history.join(firsts, "customer_id")
    longest = (float(thresholds.lapsed or 0) * waits.typical_gap_days).floor()
    waits = waits.mutate(
        day=waits.ordered_on.delta(waits.first_on, unit="day"),
        lapse=waits.wait_days > longest,
        watched=ibis.date(as_of).delta(waits.first_on, unit="day") - int(thresholds.lapsed_days or 0) - 1,
    )
    each = waits.group_by("customer_id").agg(
        watched=waits.watched.min(), lapse_day=waits.day.min(where=waits.lapse), last_day=waits.day.max()
    )
    return each.filter(each.watched >= 0)


class Part(NamedTuple):
    """A number of customers, and how many of them something is true of."""

    customers: int
    part: int

    @property
    def share(self) -> float:
        """The part as a share; NaN of nobody."""
        return self.part / self.customers if self.customers else float("nan")


def bought_later(history: ir.Table, thresholds: SilenceThresholds, as_of: dt.date, days: int) -> Part:
    """Customers watched for so many days and who of them ordered later, lapsed before or not.

    The plain count beside the curve of :func:`active_lives`; higher where customers return after a lapse.
    """
    if thresholds.lapsed is None:
        return Part(0, 0)
    each = _each_life(history, thresholds, as_of)
    each = each.filter(each.watched >= days)
    row = each.agg(customers=each.count(), part=(each.last_day > days).sum()).to_pyarrow().to_pylist()[0]
    return Part(int(row["customers"]), int(row["part"] or 0))


def overdue_before(history: ir.Table, thresholds: SilenceThresholds, day: dt.date) -> Part:
    """Customers with two orders by an earlier day, and how many were overdue then by the same thresholds."""
    if thresholds.lapsed is None or thresholds.overdue is None:
        return Part(0, 0)
    silence = ibis.date(day).delta(history.ordered_on, unit="day")
    running = (silence >= 0) & (~history.ended | (silence < history.wait_days)) & (history.gaps_known > 0)
    then = history.mutate(ratio=(silence / history.typical_gap_days).round(6)).filter(running)
    late = (then.ratio > thresholds.overdue) & (then.ratio <= thresholds.lapsed)
    row = then.agg(customers=then.count(), part=late.sum()).to_pyarrow().to_pylist()[0]
    return Part(int(row["customers"]), int(row["part"] or 0))


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
    """Repeat customers who are overdue or lapsed by value at stake, largest first, at most ``most`` rows.

    Value at stake is value if still active × (1 − P(alive)). The model's expected value already contains P(alive), so
    value if active is expected value ÷ P(alive) (:data:`LEAST_P_ALIVE` at least, or it would be noise ÷ noise).
    It is high for the lapsed too, where much is lost already: ``p_alive`` tells who. Customers on cadence
    are never listed. Without a model it is the past year's revenue of customers who are overdue.

    Returns
    -------
    Frame ``customer_id, value_at_stake, p_alive, value_if_active`` (missing without a model), ``revenue_past_year,
    last_on, silence_days, typical_gap_days, silence_ratio, state``.
    """
    known = states.filter(states["repeat"])
    if predictions is not None and "clv" in predictions.columns:
        known = _with_stake(known, predictions)
    else:
        known = known.filter(known.state == "overdue")
        missing = ibis.null("float64")
        stake = known.revenue_past_year.cast("float64")
        known = known.mutate(p_alive=missing, value_if_active=missing, value_at_stake=stake)
    known = known.filter(known.value_at_stake > 0)
    columns = [
        "customer_id", "value_at_stake", "p_alive", "value_if_active", "revenue_past_year", "last_on", "silence_days",
        "typical_gap_days", "silence_ratio", "state",
    ]  # fmt: skip
    ranked = known.order_by(ibis.desc("value_at_stake"), "customer_id").select(*columns).limit(most).to_pandas()
    return ranked.astype({"revenue_past_year": float})


def _with_stake(states: ir.Table, predictions: ir.Table) -> ir.Table:
    """Silent customers (overdue, lapsed) with ``p_alive``, ``value_if_active`` and ``value_at_stake``."""
    known = states.filter(states.state != "on_cadence")
    known = known.join(predictions.select("customer_id", "p_alive", "clv"), "customer_id")
    known = known.mutate(value_if_active=known.clv / ibis.greatest(known.p_alive, LEAST_P_ALIVE))
    return known.mutate(value_at_stake=known.value_if_active * (1 - known.p_alive))


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
    """Value at stake over silent repeat customers: how many, ``value``, how much of it with the ``lapsed``, what all of
    them would bring ``if_active``, and the ``expected`` value of all repeat customers."""

    customers: int
    value: float
    lapsed: float
    if_active: float
    expected: float


def total_stake(states: ir.Table, predictions: ir.Table) -> Stake:
    """The sums of :func:`at_risk` over everybody, beside the expected value of all repeat customers."""
    repeaters = states.filter(states["repeat"])
    silent = _with_stake(repeaters, predictions)
    silent = silent.filter(silent.value_at_stake.notnull())
    row = silent.agg(
        customers=silent.count(), value=silent.value_at_stake.sum(), if_active=silent.value_if_active.sum(),
        lapsed=silent.value_at_stake.sum(where=silent.state == "lapsed"),
    ).to_pyarrow().to_pylist()[0]  # fmt: skip
    expected = predictions.semi_join(repeaters, "customer_id").clv.sum().to_pyarrow().as_py()
    value, lapsed, if_active = (float(row[name] or 0) for name in ("value", "lapsed", "if_active"))
    return Stake(int(row["customers"]), value, lapsed, if_active, float(expected or 0))
