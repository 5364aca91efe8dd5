"""How revenue is spread over customers: distribution, Lorenz curve, Gini, top shares, with and without the largest.

Everything is computed in the engine, one row per customer; what comes back is a few hundred numbers.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.shared_ids import mark_shared

TOP = 10  # customers named and left out
BINS_PER_TENFOLD = (20, 10, 5, 2)
MOST_BINS = 32


@dataclass(frozen=True)
class Concentration:
    """The spread of revenue over one set of customers; shares and Gini are None where revenue is not above zero.

    Attributes
    ----------
    top_tenth, top_fifth : share of revenue from the best-paying 10 % and 20 % of customers (their number rounded up).
    low, high : interval of ``top_tenth`` for customers like these, drawn anew; None for fewer than 30 customers.
    gini : 0 where all customers bring the same, towards 1 where one brings all (above 1 only with negative revenues).
    """

    customers: int
    revenue: float
    mean: float
    median: float
    top_tenth: float | None
    low: float | None
    high: float | None
    top_fifth: float | None
    gini: float | None


def measure_concentration(summary: ir.Table, level: float = 0.90, leave_out: int = 0) -> Concentration:
    """Measure the spread of revenue over the customers of a summary.

    Parameters
    ----------
    level : of the interval of the top tenth's share. From the variance of its influence function (Beach & Davidson
        1983, Review of Economic Studies 50, 723–735); too narrow where a handful of giants decide.
    leave_out : how many of the best-paying customers to leave out.
    """
    ranked = rank_customers(summary).filter(lambda t: t.place > leave_out)
    ranked = ranked.mutate(place=ranked.place - leave_out)
    n = int(ranked.count().to_pyarrow().as_py())
    tenth, fifth = math.ceil(n / 10), math.ceil(n / 5)
    found = ranked.agg(
        total=ranked.amount.sum().cast("float64"),
        median=ranked.revenue.median(),
        tenth=ranked.amount.sum(where=ranked.place <= tenth).cast("float64"),
        fifth=ranked.amount.sum(where=ranked.place <= fifth).cast("float64"),
        border=ranked.revenue.min(where=ranked.place <= tenth),
        # the Gini index from ranks, best first: Σ (n + 1 − 2·place)·x / (n·Σ x)
        gini=(ranked.amount * (n + 1 - 2 * ranked.place)).sum().cast("float64"),
    ).to_pandas()
    numbers = {str(name): float(value) for name, value in found.fillna(0).iloc[0].items()}
    total = numbers["total"]
    if total <= 0:
        mean = total / n if n else math.nan
        return Concentration(n, total, mean, numbers["median"], None, None, None, None, None)
    share = numbers["tenth"] / total
    low, high = _interval(ranked, share, numbers["border"], total / n, n, level)
    return Concentration(
        n, total, total / n, numbers["median"], share, low, high, numbers["fifth"] / total, numbers["gini"] / n / total
    )


def _interval(
    ranked: ir.Table, share: float, border: float, mean: float, n: int, level: float
) -> tuple[float | None, float | None]:
    if n < 30:
        return None, None
    above = ibis.greatest(ranked.revenue - border, ibis.literal(0.0))
    spread = float(ranked.agg(v=(above - share * ranked.revenue).var(how="sample")).to_pandas()["v"][0])
    reach = NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt(spread / n) / mean
    return round(max(share - reach, 0.0), 6), round(min(share + reach, 1.0), 6)


def rank_customers(summary: ir.Table) -> ir.Table:
    """``customer_id, amount`` (decimal), ``revenue`` (the same as a float), ``place``: 1 for the best-paying."""
    order = [summary.revenue.desc(), summary.customer_id]
    return summary.select(
        "customer_id",
        amount=summary.revenue,
        revenue=summary.revenue.cast("float64"),
        place=ibis.row_number().over(order_by=order) + 1,
    )


def lorenz_curve(summary: ir.Table, points: int = 100) -> pd.DataFrame:
    """``customer_share, revenue_share``: the smallest customers' share of revenue, ``points`` steps from 0 to 1."""
    ranked = rank_customers(summary)
    n = int(ranked.count().to_pyarrow().as_py())
    steps = min(points, n)
    rising = ranked.mutate(step=((n - ranked.place) * steps / n).floor().cast("int64"))
    sums = rising.group_by("step").agg(customers=rising.count(), revenue=rising.amount.sum().cast("float64"))
    frame = sums.order_by("step").to_pandas()
    if not len(frame) or frame["revenue"].sum() <= 0:
        return pd.DataFrame({"customer_share": [0.0, 1.0], "revenue_share": [0.0, float("nan")]})
    curve = pd.DataFrame(
        {
            "customer_share": frame["customers"].cumsum() / n,
            "revenue_share": frame["revenue"].cumsum() / frame["revenue"].sum(),
        }
    )
    start = pd.DataFrame({"customer_share": [0.0], "revenue_share": [0.0]})
    return pd.concat([start, curve], ignore_index=True).round(9)


def revenue_histogram(summary: ir.Table) -> pd.DataFrame:
    """``low, high, customers``: customers by revenue above zero, in steps of equal ratio (a log scale)."""
    paying = summary.filter(summary.revenue > 0).select(size=summary.revenue.cast("float64").log10())
    ends = paying.agg(low=paying["size"].min(), high=paying["size"].max()).to_pandas()
    if ends["low"].isna()[0]:
        return pd.DataFrame({"low": [], "high": [], "customers": []}, dtype="float64")
    width = float(ends["high"][0] - ends["low"][0])
    fine = next((n for n in BINS_PER_TENFOLD if width * n <= MOST_BINS), BINS_PER_TENFOLD[-1])
    binned = paying.select(step=(paying["size"] * fine + 1e-9).floor().cast("int64"))
    counts = binned.group_by("step").agg(customers=binned.count()).to_pandas().set_index("step")["customers"]
    counts = counts.reindex(range(int(counts.index.min()), int(counts.index.max()) + 1), fill_value=0)
    edges = [round(10 ** (step / fine), 4) for step in [*counts.index, counts.index[-1] + 1]]
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "customers": counts.to_numpy()})


def not_paying(summary: ir.Table) -> int:
    """Customers whose net revenue is zero or less: free goods only, or as much returned as bought."""
    return int(summary.filter(summary.revenue <= 0).count().to_pyarrow().as_py())


def top_customers(summary: ir.Table, count: int = TOP) -> pd.DataFrame:
    """``place, customer_id, revenue, revenue_share, orders, first_on, last_on`` of the best-paying customers.

    With ``shared_id`` where any is an id that several people seem to share.
    """
    total = summary.agg(total=summary.revenue.sum().cast("float64")).to_pandas()["total"].fillna(0)[0]
    best = rank_customers(summary).filter(lambda t: t.place <= count).select("customer_id", "place")
    rows = best.inner_join(summary, "customer_id").order_by("place")
    frame = rows.select(
        "place", "customer_id", "orders", "first_on", "last_on", revenue=rows.revenue.cast("float64")
    ).to_pandas()
    frame.insert(2, "revenue", frame.pop("revenue"))
    frame.insert(3, "revenue_share", frame["revenue"] / total if total > 0 else float("nan"))
    return mark_shared(frame, summary)
