"""The lifecycle stage of every customer, from its own cadence: is now the time?

Five stages, asked in this order: *lapsed* (silent for longer than the lapsed threshold), *new* (known for less than
two overdue silences: too short to have a past), *declining* (overdue, or recent spend a quarter under the own past),
*growing* (a quarter over it), *mature*. Silence is measured in multiples of the customer's typical gap, the thresholds
are quantiles of the base's own gaps (see :mod:`perennial.analysis.cadence`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from perennial.analysis.cadence import SilenceThresholds, customer_cadence, silence_thresholds

STAGES = ("new", "growing", "mature", "declining", "lapsed")
CHANGE = 0.25  # recent spend this share above or below the own past counts as a change
LONGEST_COMPARISON_DAYS = 182  # recent half-year against the one before
FEWEST_DAYS_TO_COMPARE = 4  # purchase days in the two windows; with fewer, a ratio is mostly chance


@dataclass(frozen=True)
class Stages:
    """Stage per customer and the rule behind it.

    Attributes
    ----------
    table : Ibis table ``customer_id, stage, spend_recent, spend_before`` (money of the two windows).
    thresholds : the base's silences that count as overdue and lapsed.
    new_days : customers known for fewer days than this are new; None where nobody repeats.
    """

    table: ir.Table
    thresholds: SilenceThresholds
    new_days: float | None


def lifecycle_stages(
    transactions: ir.Table, summary: ir.Table, as_of: dt.date, silence_quantile: float = 0.95
) -> Stages:
    """Each customer of ``summary`` in exactly one stage, as known on ``as_of``."""
    thresholds = silence_thresholds(transactions, as_of, silence_quantile)
    new_days = None if thresholds.overdue_days is None else 2 * thresholds.overdue_days
    cadence = customer_cadence(transactions, summary, as_of)
    known = summary.select("customer_id", "first_on", "T", "revenue")
    known = known.left_join(cadence, "customer_id").drop("customer_id_right")
    money = _two_windows(transactions, known, as_of)
    known = known.left_join(money, "customer_id").drop("customer_id_right")
    known = known.mutate(days=known.days.fill_null(0))
    stage = _stage(known, thresholds, new_days)
    return Stages(known.select("customer_id", "spend_recent", "spend_before", stage=stage), thresholds, new_days)


def _two_windows(transactions: ir.Table, known: ir.Table, as_of: dt.date) -> ir.Table:
    """Spend in the recent window and in the one before; half the customer's time each, at most half a year."""
    window = ibis.least(LONGEST_COMPARISON_DAYS, (known["T"] + 1) // 2)
    lines = transactions.join(known.select("customer_id", window=window), "customer_id")
    age = ibis.date(as_of).delta(lines.ordered_on, unit="day")
    lines = lines.filter(age < 2 * lines.window).mutate(recent=age < lines.window)
    return lines.group_by("customer_id").agg(
        spend_recent=lines.amount.sum(where=lines.recent).fill_null(0),
        spend_before=lines.amount.sum(where=~lines.recent).fill_null(0),
        days=lines.ordered_on.nunique(),
    )


def _stage(known: ir.Table, thresholds: SilenceThresholds, new_days: float | None) -> ir.StringColumn:
    """Without a single repeat there is no cadence: everybody is new."""
    if thresholds.overdue is None or thresholds.lapsed is None or new_days is None:
        return ibis.literal("new")
    silence = known.silence_ratio
    enough = known.days >= FEWEST_DAYS_TO_COMPARE
    before, recent = known.spend_before.cast("float64"), known.spend_recent.cast("float64")
    return ibis.cases(
        (silence > thresholds.lapsed, "lapsed"),
        (known["T"] < new_days, "new"),
        ((silence > thresholds.overdue) | (enough & (recent < (1 - CHANGE) * before)), "declining"),
        (enough & (recent > (1 + CHANGE) * before), "growing"),
        else_="mature",
    )


def timing_score(stages: ir.Table, timing: Mapping[str, float]) -> ir.Table:
    """``customer_id, stage, lifecycle_score``: the client's timing weight of the stage, 0 to 1."""
    weights = [(stages.stage == stage, float(timing[stage])) for stage in STAGES]
    return stages.select("customer_id", "stage", lifecycle_score=ibis.cases(*weights, else_=0.0))
