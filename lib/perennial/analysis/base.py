"""Customers, orders and revenue by period or window, split into new and returning; who came, stayed and left.

A customer is *new* in the period of the first purchase in the data and *returning* in every later one. Revenue is net
of returns. An order belongs to the day of its first line; a customer counts in a period only with a purchase in it.
"""

import datetime as dt
from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.cohorts import FREQUENCY
from perennial.analysis.comparison import Comparison

_TRUNCATE = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}
MEASURES = ("customers", "orders", "revenue")
STATUSES = ("retained", "lost", "regained", "new", "returns_only")


def order_days(transactions: ir.Table) -> ir.Table:
    """``customer_id, ordered_on``: one row per order (per purchase day where orders have no number)."""
    bought = transactions.filter(~transactions.is_return)
    if "order_id" not in transactions.columns:
        return bought.select("customer_id", "ordered_on").distinct()
    numbered = bought.filter(bought.order_id.notnull())
    return numbered.group_by("customer_id", "order_id").agg(ordered_on=numbered.ordered_on.min()).drop("order_id")


def totals_by_start(
    transactions: ir.Table, summary: ir.Table, start: Callable[[ir.DateValue], ir.DateValue]
) -> pd.DataFrame:
    """``start, new, customers, orders, revenue, rows``: one row per stretch of time and group of customers.

    Parameters
    ----------
    start : gives the first day of the stretch a day lies in; null for days to be left out.
    """
    lines = _with_start(transactions, summary, start)
    sums = lines.group_by("start", "new").agg(
        rows=lines.count(),
        customers=lines.customer_id.nunique(where=~lines.is_return),
        revenue=lines.amount.sum().cast("float64"),
    )
    orders = _with_start(order_days(transactions), summary, start)
    counts = orders.group_by("start", "new").agg(orders=orders.count()).to_pandas()
    found = sums.to_pandas().merge(counts, on=["start", "new"], how="left")
    found["start"] = pd.to_datetime(found["start"]).astype("datetime64[s]")
    whole = ["rows", "customers", "orders"]
    found[whole] = found[whole].fillna(0).astype("int64")
    return found.sort_values(["start", "new"], ignore_index=True)


def _with_start(rows: ir.Table, summary: ir.Table, start: Callable[[ir.DateValue], ir.DateValue]) -> ir.Table:
    rows = rows.inner_join(summary.select("customer_id", "first_on"), "customer_id")
    rows = rows.mutate(start=start(rows.ordered_on)).filter(lambda t: t.start.notnull())
    return rows.mutate(new=rows.first_on >= rows.start)


def period_totals(transactions: ir.Table, summary: ir.Table, as_of: dt.date, unit: str) -> pd.DataFrame:
    """Every period from the first order to ``as_of``, those without an order included.

    Returns
    -------
    Frame ``period`` (first day), ``customers, new_customers, returning_customers, orders, new_orders,
    returning_orders, revenue, new_revenue, returning_revenue, rows, finished`` (the whole period lies within the data).
    """
    found = totals_by_start(transactions, summary, lambda day: day.truncate(_TRUNCATE[unit]).cast("date"))
    starts = period_starts(found["start"].min(), as_of, unit)
    totals = pd.DataFrame({"period": starts})
    for measure in MEASURES:
        both = found.pivot(index="start", columns="new", values=measure).reindex(
            index=pd.Index(starts), columns=[True, False]
        )
        both = both.fillna(0).astype(found[measure].dtype).reset_index(drop=True)
        totals[measure] = (both[True] + both[False]).round(4)
        totals[f"new_{measure}"], totals[f"returning_{measure}"] = both[True], both[False]
    rows = found.groupby("start")["rows"].sum()
    totals["rows"] = rows.reindex(pd.Index(starts), fill_value=0).to_numpy()
    return totals.assign(finished=period_ends(totals["period"], unit) <= pd.Timestamp(as_of))


def period_starts(first: pd.Timestamp, as_of: dt.date, unit: str) -> pd.Series:
    """First days of all periods from that of ``first`` to that of ``as_of``."""
    begin, end = (pd.Period(pd.Timestamp(day), FREQUENCY[unit]) for day in (first, as_of))
    starts = pd.period_range(begin, end, freq=FREQUENCY[unit]).start_time
    return pd.Series(starts.astype("datetime64[s]"))


def period_ends(periods: pd.Series, unit: str) -> pd.Series:
    """Last days of the periods that begin on the given days."""
    return periods.dt.to_period(FREQUENCY[unit]).dt.end_time.dt.normalize()


def window_groups(transactions: ir.Table, summary: ir.Table, comparison: Comparison) -> pd.DataFrame:
    """New and returning customers in the two windows of a comparison.

    Returns
    -------
    Frame ``group`` (``"new"``, ``"returning"``; ``"all"`` where the data begins too late to tell them apart),
    ``customers_before, orders_before, revenue_before, customers_after, orders_after, revenue_after``.
    """
    found = totals_by_start(transactions, summary, lambda day: _window_start(day, comparison))
    found["group"] = found["new"].map({True: "new", False: "returning"}) if comparison.knows_new else "all"
    names = ["new", "returning"] if comparison.knows_new else ["all"]
    groups = pd.DataFrame(index=pd.Index(names, name="group"))
    for side, window in (("before", comparison.before), ("after", comparison.after)):
        own = found[found["start"] == pd.Timestamp(window.first)].groupby("group")[list(MEASURES)].sum()
        groups = groups.join(own.reindex(names).add_suffix(f"_{side}"))
    groups = groups.fillna(0)
    return groups.astype({c: "int64" for c in groups.columns if not c.startswith("revenue")}).reset_index()


def _window_start(day: ir.DateValue, comparison: Comparison) -> ir.DateValue:
    before, after = comparison.before, comparison.after
    return ibis.cases(
        (day.between(ibis.literal(after.first), ibis.literal(after.last)), ibis.literal(after.first)),
        (day.between(ibis.literal(before.first), ibis.literal(before.last)), ibis.literal(before.first)),
    )


def movement(transactions: ir.Table, summary: ir.Table, comparison: Comparison) -> pd.DataFrame:
    """Who bought in both windows, in one of them, and what each group brought in each.

    Returns
    -------
    Frame ``status, customers, revenue_before, revenue_after, change``, one row for each of :data:`STATUSES`:
    ``retained`` bought in both; ``lost`` only in the first; ``new`` first bought in the second; ``regained`` bought
    in the second and before the first, not in between; ``returns_only`` only returned goods. The revenues add up to
    those of the two windows; retained + lost are the first window's customers, retained + regained + new the second's.
    """
    lines = _with_start(transactions, summary, lambda day: _window_start(day, comparison))
    late = lines.start == ibis.literal(comparison.after.first)
    customers = lines.group_by("customer_id").agg(
        first_on=lines.first_on.min(),
        before=(~lines.is_return & ~late).any(),
        after=(~lines.is_return & late).any(),
        revenue_before=lines.amount.sum(where=~late).fill_null(0),
        revenue_after=lines.amount.sum(where=late).fill_null(0),
    )
    status = ibis.cases(
        (customers.before & customers.after, "retained"),
        (customers.before, "lost"),
        (customers.after & (customers.first_on >= ibis.literal(comparison.after.first)), "new"),
        (customers.after, "regained"),
        else_="returns_only",
    )
    groups = customers.mutate(status=status).group_by("status")
    sums = groups.agg(
        customers=lambda t: t.count(),
        revenue_before=lambda t: t.revenue_before.sum().cast("float64"),
        revenue_after=lambda t: t.revenue_after.sum().cast("float64"),
    ).to_pandas()
    table = sums.set_index("status").reindex(list(STATUSES)).fillna(0).astype({"customers": "int64"}).reset_index()
    return table.assign(change=(table["revenue_after"] - table["revenue_before"]).round(4))


def revenue_of(transactions: ir.Table, comparison: Comparison, customers: list[str]) -> tuple[float, float]:
    """Net revenue of the named customers in the earlier and in the later window."""
    lines = transactions.filter(transactions.customer_id.isin(customers))
    start = _window_start(lines.ordered_on, comparison)
    found = lines.agg(
        before=lines.amount.sum(where=start == ibis.literal(comparison.before.first)).fill_null(0).cast("float64"),
        after=lines.amount.sum(where=start == ibis.literal(comparison.after.first)).fill_null(0).cast("float64"),
    ).to_pandas()
    return float(found["before"][0]), float(found["after"][0])


def trailing_totals(transactions: ir.Table, as_of: dt.date, months: int) -> tuple[int, float]:
    """Customers who bought and net revenue in the last ``months`` months up to and including ``as_of``."""
    first = (pd.Timestamp(as_of) + pd.Timedelta(days=1) - pd.DateOffset(months=months)).date()
    lines = transactions.filter(transactions.ordered_on >= ibis.literal(first))
    found = lines.agg(
        customers=lines.customer_id.nunique(where=~lines.is_return), revenue=lines.amount.sum().cast("float64")
    ).to_pandas()
    return int(found["customers"][0]), float(found["revenue"].fillna(0)[0])
