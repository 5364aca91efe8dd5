"""Whether a rate moved or only the mix of customers did (Kitagawa 1955, JASA 50)."""

import datetime as dt
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.cohorts import period_start

ATTRIBUTES = ("source", "segment", "region")  # the first of these that the customers table has


class MixShift(NamedTuple):
    """A difference of two shares in two parts that add up to it: ``within`` the same kinds, and from their ``mix``."""

    attribute: str
    within: float
    mix: float


def split_difference(counts: pd.DataFrame) -> tuple[float, float]:
    """The parts of a difference of shares, newer less older: within groups, and from their changed mix.

    Parameters
    ----------
    counts : one row per ``group``: ``older_size, older, newer_size, newer`` (customers, and those of them counted).
        A group missing on one side has the other side's rate there, so that its coming or going is mix.
    """
    weights = [counts[size] / counts[size].sum() for size in ("older_size", "newer_size")]
    rates = [counts["older"] / counts["older_size"], counts["newer"] / counts["newer_size"]]
    before, after = rates[0].fillna(rates[1]), rates[1].fillna(rates[0])
    within = ((weights[0] + weights[1]) / 2 * (after - before)).sum()
    mix = ((before + after) / 2 * (weights[1] - weights[0])).sum()
    return float(within), float(mix)


def early_repeat_mix(
    steps: ir.Table, customers: ir.Table, as_of: dt.date, cohorts: pd.Series, unit: str, cut: int, days: int
) -> MixShift | None:
    """The change in second orders within ``days`` days between older and newer cohorts, split.

    ``cohorts`` are the first days of those compared, in order; the newer ones begin at row ``cut``. None where the
    customers table has none of :data:`ATTRIBUTES`, or where one side is empty. Customers without a value are a group
    of their own.
    """
    attribute = next((name for name in ATTRIBUTES if name in customers.columns), None)
    if attribute is None:
        return None
    first = steps.filter(steps.order_number == 1)
    first = first.filter(ibis.date(as_of).delta(first.ordered_on, unit="day") >= days)
    first = first.mutate(cohort=period_start(first.ordered_on, unit))
    first = first.filter(first.cohort.isin([day.date() for day in cohorts]))
    kinds = customers.select("customer_id", group=customers[attribute].fill_null(""))
    first = first.left_join(kinds, "customer_id").drop("customer_id_right")
    newer, early = first.cohort >= cohorts.iloc[cut].date(), first.ended & (first.wait_days <= days)
    found = (
        first.mutate(group=first.group.fill_null(""))
        .group_by("group")
        .agg(
            older_size=(~newer).sum(), older=(~newer & early).sum(), newer_size=newer.sum(), newer=(newer & early).sum()
        )
    )
    counts = found.to_pandas()
    if not len(counts) or not counts["older_size"].sum() or not counts["newer_size"].sum():
        return None
    return MixShift(attribute, *split_difference(counts))
