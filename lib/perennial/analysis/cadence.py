"""Each customer's own rhythm: the typical gap between purchase days, and the present silence against it.

Silence is measured in multiples of the customer's typical gap. The typical gap is the geometric mean of
the gaps seen so far, pulled towards that of the whole base when few have been seen (a random-effects mean on
the log scale: the pull weighs as much as ``weight`` gaps, the variance within customers ÷ that between them).
"""

import datetime as dt
import math
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from perennial.tables.summary import purchase_days

WEIGHT_BOUNDS = (0.5, 20.0)  # in gaps: neither trust a single gap fully nor ignore twenty of them
DEFAULT_WEIGHT = 2.0  # where too few customers have two gaps to tell
OVERDUE_QUANTILE = 0.80  # of all gaps that ended
LONGEST_QUANTILE = 0.80  # of the longest ended gap of each repeat customer


@dataclass(frozen=True)
class BaseCadence:
    """The rhythm of the whole base.

    Attributes
    ----------
    log_gap : mean over repeat customers of their mean log gap (days); None where nobody repeats.
    weight : how many gaps of a customer's own weigh as much as the base's.
    repeaters : customers with at least one gap.
    gaps : gaps seen, over all customers.
    """

    log_gap: float | None
    weight: float
    repeaters: int
    gaps: int

    @property
    def typical_gap_days(self) -> float | None:
        """The base's typical gap in days."""
        return None if self.log_gap is None else math.exp(self.log_gap)


@dataclass(frozen=True)
class SilenceThresholds:
    """How long a silence must be, in multiples of the customer's typical gap, to count as overdue or lapsed.

    Attributes
    ----------
    quantile : share of all gaps under the lapsed threshold (``parameters.churn.silence_quantile``).
    overdue : four in five gaps (:data:`OVERDUE_QUANTILE`) ended sooner, each measured against the typical
        gap known when it began; None without gaps.
    lapsed : ``quantile`` of all gaps ended sooner, and so did the longest gap of four in five repeat
        customers (:data:`LONGEST_QUANTILE`): the second rule keeps frequent buyers, who have many gaps, from
        "lapsing" each month.
    median_gap_days : half of the gaps that ended were no longer than this.
    overdue_days, lapsed_days : the thresholds for a customer of the base's typical gap (a one-time buyer).
    base : the rhythm of the base.
    """

    quantile: float
    overdue: float | None
    lapsed: float | None
    median_gap_days: float | None
    base: BaseCadence

    @property
    def overdue_days(self) -> float | None:
        """Overdue silence in days at the base's typical gap."""
        return _times(self.overdue, self.base.typical_gap_days)

    @property
    def lapsed_days(self) -> float | None:
        """Lapsed silence in days at the base's typical gap."""
        return _times(self.lapsed, self.base.typical_gap_days)


def _times(ratio: float | None, gap_days: float | None) -> float | None:
    return None if ratio is None or gap_days is None else ratio * gap_days


def order_steps(transactions: ir.Table, as_of: dt.date) -> ir.Table:
    """One row per purchase day with the wait that followed it.

    Returns
    -------
    Ibis table ``customer_id, ordered_on, order_number`` (1 for the first), ``gap_before`` (days, null for the
    first), ``wait_days`` (to the next purchase day, or to ``as_of`` where none came yet), ``ended`` (whether
    one came).
    """
    days = purchase_days(transactions).select("customer_id", "ordered_on")
    window = ibis.window(group_by="customer_id", order_by="ordered_on")
    days = days.mutate(
        order_number=ibis.row_number().over(window) + 1,
        previous_on=days.ordered_on.lag().over(window),
        next_on=days.ordered_on.lead().over(window),
    )
    until = ibis.coalesce(days.next_on, ibis.date(as_of))
    return days.select(
        "customer_id",
        "ordered_on",
        "order_number",
        gap_before=days.ordered_on.delta(days.previous_on, unit="day"),
        wait_days=until.delta(days.ordered_on, unit="day"),
        ended=days.next_on.notnull(),
    )


def base_cadence(steps: ir.Table) -> BaseCadence:
    """The rhythm of the base from :func:`order_steps`; the weight by analysis of variance of log gaps."""
    own = steps.filter(steps.gap_before.notnull()).mutate(log_gap=lambda t: t.gap_before.cast("float64").ln())
    own = own.group_by("customer_id").agg(n=own.count(), mean=own.log_gap.mean(), squares=(own.log_gap**2).sum())
    sums = own.agg(
        customers=own.count(),
        gaps=own.n.sum(),
        gaps_squared=(own.n * own.n).sum(),
        mean=own.mean.mean(),
        total=(own.n * own.mean).sum(),
        between=(own.n * own.mean * own.mean).sum(),
        squares=own.squares.sum(),
    ).to_pandas()
    if not int(sums.customers[0]):
        return BaseCadence(None, DEFAULT_WEIGHT, 0, 0)
    found = {str(name): float(value) for name, value in sums.iloc[0].items()}
    # rounded, because sums over threads differ in the last digits and thresholds must not
    log_gap, weight = round(found["mean"], 9), round(_weight(found), 9)
    return BaseCadence(log_gap, weight, int(found["customers"]), int(found["gaps"]))


def _weight(sums: dict[str, float]) -> float:
    customers, gaps = sums["customers"], sums["gaps"]
    if customers < 2 or gaps <= customers:
        return DEFAULT_WEIGHT
    within = (sums["squares"] - sums["between"]) / (gaps - customers)
    mean_square = (sums["between"] - sums["total"] ** 2 / gaps) / (customers - 1)
    typical_n = (gaps - sums["gaps_squared"] / gaps) / (customers - 1)
    between = (mean_square - within) / typical_n
    low, high = WEIGHT_BOUNDS
    return high if between <= within / high else min(max(within / between, low), high)


def silence_history(transactions: ir.Table, as_of: dt.date, base: BaseCadence | None = None) -> ir.Table:
    """Every wait against the typical gap *known when it began*: nothing that came later is used.

    Returns
    -------
    The rows of :func:`order_steps` with ``gaps_known``, ``typical_gap_days`` and ``silence_ratio`` (wait ÷
    typical gap; the wait after the last purchase day is the present silence), null where nobody repeats.
    """
    steps = order_steps(transactions, as_of)
    base = base or base_cadence(steps)
    if base.log_gap is None:
        unknown = ibis.null("float64")
        no_gaps = ibis.literal(0, "int64")
        return steps.mutate(gaps_known=no_gaps, typical_gap_days=unknown, silence_ratio=unknown)
    so_far = ibis.window(group_by="customer_id", order_by="ordered_on", preceding=None, following=0)
    logs = steps.gap_before.cast("float64").ln().fill_null(0.0)
    steps = steps.mutate(logs=logs.sum().over(so_far), gaps_known=steps.order_number - 1)
    pulled = (steps.logs + base.weight * base.log_gap) / (steps.gaps_known + base.weight)
    steps = steps.mutate(typical_gap_days=pulled.exp().round(6)).drop("logs")
    return steps.mutate(silence_ratio=(steps.wait_days / steps.typical_gap_days).round(6))


def customer_cadence(transactions: ir.Table, summary: ir.Table, as_of: dt.date) -> ir.Table:
    """One row per customer of the summary: its rhythm and its present silence.

    Returns
    -------
    Ibis table ``customer_id, gaps`` (ended), ``typical_gap_days``, ``last_gap_days`` (the latest ended gap;
    null for one-time buyers), ``silence_days`` (last purchase day to ``as_of``), ``silence_ratio`` (silence ÷
    typical gap). Typical gap and ratio are null where nobody in the whole base repeats.
    """
    waits = silence_history(transactions, as_of)
    now = waits.filter(~waits.ended).select(
        "customer_id",
        gaps=waits.gaps_known,
        typical_gap_days=waits.typical_gap_days,
        last_gap_days=waits.gap_before,
        silence_days=waits.wait_days,
        silence_ratio=waits.silence_ratio,
    )
    return now.semi_join(summary, "customer_id")


def silence_thresholds(transactions: ir.Table, as_of: dt.date, quantile: float = 0.95) -> SilenceThresholds:
    """The silences that count as overdue and as lapsed for this client, read off its own gaps.

    Only gaps that ended can be measured; in a short history the long ones are still running, and both
    thresholds are then too low. See :class:`SilenceThresholds` for the rules.
    """
    base = base_cadence(order_steps(transactions, as_of))
    if base.log_gap is None:
        return SilenceThresholds(quantile, None, None, None, base)
    waits = silence_history(transactions, as_of, base)
    ended = waits.filter(waits.ended)
    longest = ended.group_by("customer_id").agg(ratio=ended.silence_ratio.max())
    most = float(longest.agg(most=longest.ratio.quantile(LONGEST_QUANTILE)).to_pandas().iloc[0, 0])
    gaps = ended.agg(
        overdue=ended.silence_ratio.quantile(OVERDUE_QUANTILE),
        lapsed=ended.silence_ratio.quantile(quantile),
        median=ended.wait_days.quantile(0.5),
    ).to_pandas()
    overdue, lapsed, median = (round(float(value), 6) for value in gaps.iloc[0])
    return SilenceThresholds(quantile, overdue, max(lapsed, round(most, 6), overdue), median, base)
