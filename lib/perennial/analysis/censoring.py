"""Which "new" customers were customers before the data begins: a spike of first purchases in the first periods."""

import datetime as dt

import ibis.expr.types as ir
import pandas as pd

ABOVE_LATER = 2.0  # a first period counts while it brings more than twice the later level of new customers
SPIKE = 3.0  # and only if the first period brings three times what the periods after the spike bring
NEEDED_PERIODS = 4  # with new customers; in fewer there is no later level to compare with


def left_censored(sizes: pd.DataFrame, frequency: str) -> frozenset[pd.Timestamp]:
    """The leading cohorts whose customers were mostly there before the data begins.

    A file that starts in the middle of a business's life shows every existing customer as new in its first
    periods: many at once, then a quick fall to the true inflow. The later level is the median number of new
    customers per period in the second half of the time in which any came.

    Parameters
    ----------
    sizes : ``cohort`` (first day of the period), ``size`` (new customers).
    frequency : pandas period alias of the cohorts, ``"M"``.

    Returns
    -------
    The first days of those cohorts, at most the first half; empty where no spike is seen, or where new customers
    came in fewer than four periods (a chosen group of customers, such as CDNOW's) and it cannot be told.
    """
    if len(sizes) < NEEDED_PERIODS:
        return frozenset()
    counts = sizes.set_index(sizes["cohort"].dt.to_period(frequency))["size"]
    counts = counts.reindex(pd.period_range(counts.index[0], counts.index[-1], freq=frequency), fill_value=0)
    half = len(counts) // 2
    later = max(float(counts.iloc[half:].median()), 1.0)
    leading = int((counts.iloc[:half] > ABOVE_LATER * later).astype(int).cumprod().sum())
    after = max(float(counts.iloc[leading:].median()), 1.0)
    if not leading or counts.iloc[0] <= SPIKE * after:
        return frozenset()
    return frozenset(pd.Timestamp(day) for day in sizes["cohort"].iloc[:leading])


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
