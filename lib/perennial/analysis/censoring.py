"""Which "new" customers were customers before the data begins: a spike of first purchases in the first periods.

One measure, in three grades, is what every chapter says and does about it; docs/decisions.md gives the reasons.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.cohorts import FREQUENCY, PERIODS_A_YEAR, cohort_sizes

Sign = Literal["none", "possible", "clear", "unknown"]
NEEDED_PERIODS = 4  # with new customers; in fewer there is no later level to compare with
CLEAR_LEVEL = 2.0  # clear: a first period counts while it brings more than twice the later level of new customers,
CLEAR_TIMES = 3.0  # and only if the first one brings over three times what the periods after the spike bring
POSSIBLE_TIMES = 1.5  # possible: both at half as much again, and in addition
POSSIBLE_PEAK = 1.25  # a quarter more than any of the next periods and than the same season of later years,
NEXT_PERIODS = 3  # so that neither steady decline nor a season is taken for it,
BEYOND_CHANCE = 3.0  # and an excess of three standard deviations of a count at the later level


@dataclass(frozen=True)
class Beginning:
    """What the first periods of the data say about customers won before it begins.

    Attributes
    ----------
    sign : ``"clear"``: most customers of ``cohorts`` are taken for earlier ones and kept out of statements about new
        customers. ``"possible"``: they count as new, and comparisons of newer cohorts with older ones leave them out.
        ``"none"``; or ``"unknown"`` where new customers came in fewer than four whole periods.
    cohorts : first days of the leading cohorts concerned; empty unless clear or possible.
    customers : customers of these cohorts. ``excess``: those of them beyond the later level.
    later : new customers in a later whole period (median). ``times``: the first period's in multiples of it.
    """

    sign: Sign
    cohorts: frozenset[pd.Timestamp] = frozenset()
    customers: int = 0
    excess: float = 0.0
    later: float = float("nan")
    times: float = float("nan")

    @property
    def known(self) -> frozenset[pd.Timestamp]:
        """Cohorts treated as customers held before the data begins."""
        return self.cohorts if self.sign == "clear" else frozenset()

    @property
    def doubtful(self) -> frozenset[pd.Timestamp]:
        """Cohorts of which a part may have bought before."""
        return self.cohorts if self.sign == "possible" else frozenset()


def beginning_of(summary: ir.Table, unit: str, as_of: dt.date) -> Beginning:
    """:func:`judge_beginning` for a customer summary; ``unit``: ``"week"``, ``"month"`` or ``"quarter"``."""
    return judge_beginning(cohort_sizes(summary, unit), unit, as_of)


def judge_beginning(sizes: pd.DataFrame, unit: str, as_of: dt.date) -> Beginning:
    """How far the first cohorts look like customers who were there before the data begins.

    A file that starts in the middle of a business's life shows every existing customer as new in its first
    periods: many at once, then a quick fall to the true inflow. The periods are held against the later level, the
    median number of new customers per whole period in the second half of the time in which any came.

    Parameters
    ----------
    sizes : ``cohort`` (first day of the period), ``size`` (new customers).
    as_of : last day of the data; a period that is not over does not count.
    """
    cohorts = sizes["cohort"].dt.to_period(FREQUENCY[unit])
    counts = pd.Series(sizes["size"].to_numpy(float), index=cohorts)
    counts = counts[counts.index.end_time.normalize() <= pd.Timestamp(as_of)]
    if len(counts) < NEEDED_PERIODS:
        return Beginning("unknown")
    every = pd.period_range(counts.index[0], counts.index[-1], freq=FREQUENCY[unit])
    counts = counts.reindex(every, fill_value=0.0)
    clear, possible = _leading(counts, CLEAR_LEVEL), _leading(counts, POSSIBLE_TIMES)
    if clear and counts.iloc[0] > CLEAR_TIMES * _level(counts.iloc[clear:]):
        return _beginning("clear", counts, clear, sizes)
    if possible and _stands_out(counts, possible, PERIODS_A_YEAR[unit]):
        return _beginning("possible", counts, possible, sizes)
    return _beginning("none", counts, 0, sizes)


def _level(counts: pd.Series) -> float:
    return max(float(counts.median()), 1.0)


def _leading(counts: pd.Series, times: float) -> int:
    """How many periods from the first on, at most the first half, lie above a multiple of the later level."""
    half = len(counts) // 2
    return int((counts.iloc[:half] > times * _level(counts.iloc[half:])).astype(int).cumprod().sum())


def _stands_out(counts: pd.Series, leading: int, year: int) -> bool:
    """Whether the first period stands above what followed, by more than decline, season and chance explain."""
    first, later = counts.iloc[0], _level(counts.iloc[leading:])
    rivals = pd.concat([counts.iloc[leading : leading + NEXT_PERIODS], counts.iloc[year::year]])
    beyond = first - later > BEYOND_CHANCE * np.sqrt(later)
    return bool(first > POSSIBLE_TIMES * later and first > POSSIBLE_PEAK * rivals.max() and beyond)


def _beginning(sign: Sign, counts: pd.Series, leading: int, sizes: pd.DataFrame) -> Beginning:
    later = float(counts.iloc[max(leading, 1) :].median())
    days = {period.start_time for period in counts.index[:leading]}
    concerned = frozenset(pd.Timestamp(day) for day in sizes["cohort"] if day in days)
    customers = int(counts.iloc[:leading].sum())
    times = float(counts.iloc[0]) / later if later > 0 else float("nan")
    return Beginning(sign, concerned, customers, max(customers - leading * later, 0.0), later, times)


def new_since(known: frozenset[pd.Timestamp], frequency: str) -> dt.date | None:
    """The first day on which a customer first seen is taken for new; None where all are."""
    if not known:
        return None
    begin: dt.date = (pd.Period(max(known), frequency) + 1).start_time.date()
    return begin


def only_new(steps: ir.Table, since: dt.date | None) -> ir.Table:
    """The rows of customers whose first purchase day in the data is their first one, as far as can be told.

    ``steps`` has one row per purchase day, with ``order_number`` and ``ordered_on``.
    """
    if since is None:
        return steps
    first = steps.filter((steps.order_number == 1) & (steps.ordered_on >= since))
    return steps.semi_join(first, "customer_id")
