"""Small frames that show what the value models say: who holds the value, how well spend fits, which parameters."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.special import betainc

from perennial.analysis.fitters import fit_purchases
from perennial.analysis.purchase_model import HISTORY, Name, PurchaseModel
from perennial.analysis.shared_ids import count_shared, mark_shared
from perennial.analysis.spend_model import SpendModel, usable
from perennial.analysis.value import ValueResult
from perennial.errors import ModelError

GROUPS = [(0, 0), (1, 1), (2, 3), (4, 6), (7, None)]  # repeat purchase days, first and last of each group
SPEND_BINS = 30
SPEND_SHOWN = 0.95  # share of repeat customers that the bins reach


def value_curve(rows: pd.DataFrame) -> pd.DataFrame:
    """Cumulative share of value by cumulative share of customers, the most valuable first (a Lorenz curve turned).

    Returns
    -------
    101 rows ``customers, value``: both 0 to 1.
    """
    ranked = rows.sort_values("clv", ascending=False, kind="stable")
    weight = ranked["weight"].to_numpy(float)
    worth = weight * ranked["clv"].to_numpy(float)
    people = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
    value = np.concatenate([[0.0], np.cumsum(worth)]) / max(worth.sum(), 1e-12)
    shares = np.linspace(0, 1, 101)
    return pd.DataFrame({"customers": shares, "value": np.interp(shares, people, value)})


def top_share(rows: pd.DataFrame, count: float) -> float:
    """Share of the value that the ``count`` most valuable customers hold."""
    ranked = rows.sort_values("clv", ascending=False, kind="stable")
    weight = ranked["weight"].to_numpy(float)
    taken = np.clip(count - (np.cumsum(weight) - weight), 0, weight)
    worth = ranked["clv"].to_numpy(float)
    return float(taken @ worth / max(float(weight @ worth), 1e-12))


def value_quantile(rows: pd.DataFrame, share: float) -> float:
    """The value below which this share of the customers lies."""
    ranked = rows.sort_values("clv", kind="stable")
    people = np.cumsum(ranked["weight"].to_numpy(float))
    place = int(np.searchsorted(people, share * people[-1]))
    return float(ranked["clv"].iloc[min(place, len(ranked) - 1)])


def value_by_frequency(rows: pd.DataFrame) -> pd.DataFrame:
    """Customers and value by repeat purchase days so far.

    Returns
    -------
    frame with ``first, last`` (repeat purchase days of the group; last missing: and more), ``customers``,
    ``customer_share, purchase_share, value_share`` and ``mean_value``; only groups with customers.
    """
    lines = []
    totals = {c: float(rows["weight"] @ rows[c]) for c in ("expected_purchases", "clv")}
    for first, last in GROUPS:
        held = rows[rows["frequency"].between(first, np.inf if last is None else last)]
        people = float(held["weight"].sum())
        if people:
            worth = float(held["weight"] @ held["clv"])
            bought = float(held["weight"] @ held["expected_purchases"])
            lines.append(
                {
                    "first": first,
                    "last": np.nan if last is None else float(last),
                    "customers": int(people),
                    "customer_share": people / float(rows["weight"].sum()),
                    "purchase_share": bought / totals["expected_purchases"],
                    "value_share": worth / totals["clv"],
                    "mean_value": worth / people,
                }
            )
    return pd.DataFrame(lines)


def spend_fit(rows: pd.DataFrame, spend: SpendModel) -> pd.DataFrame:
    """Mean orders of repeat customers beside what the spend model expects, in bins of equal width.

    The model's share of a bin adds up over customers with their own number of orders: the mean of x orders,
    m, has x·m / (x·m + v) ~ Beta(p·x, q). Bins reach the 95th percentile; what lies above is not shown.

    Returns
    -------
    frame with ``low, high`` (currency), ``observed, expected`` (shares of repeat customers).
    """
    known = usable(rows).sort_values("monetary_value")
    weight = known["weight"].to_numpy(float)
    money = known["monetary_value"].to_numpy(float)
    top = money[min(int(np.searchsorted(np.cumsum(weight), SPEND_SHOWN * weight.sum())), len(money) - 1)]
    edges = np.linspace(0, top, SPEND_BINS + 1)
    observed = np.histogram(money, edges, weights=weight)[0] / weight.sum()
    counts = known.groupby("frequency")["weight"].sum()
    p, q, v = spend.theta
    x = counts.index.to_numpy(float)[:, None]
    below = betainc(p * x, q, x * edges / (x * edges + v))
    expected = np.diff(counts.to_numpy(float) / weight.sum() @ below)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "observed": observed, "expected": expected})


def parameter_table(result: ValueResult) -> pd.DataFrame:
    """Every parameter of both models with its standard error: ``model, parameter, estimate, standard_error``."""
    models: list[PurchaseModel | SpendModel] = [result.purchase]
    if result.spend:
        models.append(result.spend)
    return pd.DataFrame(
        [
            {"model": m.name, "parameter": name, "estimate": value, "standard_error": m.se[name]}
            for m in models
            for name, value in m.params.items()
        ]
    )


def closer_share(groups: pd.DataFrame) -> float:
    """Share of customers in groups where the model's mean forecast is nearer the actual mean than the old rate's.

    ``groups``: ``customers, actual, predicted, naive``, as in ``Holdout.by_frequency``.
    """
    return float(groups.loc[model_nearer(groups), "customers"].sum() / groups["customers"].sum())


def model_nearer(groups: pd.DataFrame) -> "pd.Series[bool]":
    """By group, whether the model's mean forecast is nearer the actual mean than the old rate's."""
    return (groups["predicted"] - groups["actual"]).abs() < (groups["naive"] - groups["actual"]).abs()


def top_bias(deciles: pd.DataFrame) -> float:
    """Forecast over actual purchases of the tenth forecast highest, less one; missing where none of them bought."""
    best = deciles.sort_values("decile").iloc[0]
    return float(best["predicted"] / best["actual"] - 1) if best["actual"] else float("nan")


def lower_half(deciles: pd.DataFrame) -> tuple[float, float]:
    """Mean forecast and actual purchase days of the half of the customers forecast to buy least."""
    half = deciles[deciles["decile"] > 5]
    weight = half["customers"].to_numpy(float)
    return float(np.average(half["predicted"], weights=weight)), float(np.average(half["actual"], weights=weight))


def model_ahead(models: pd.DataFrame, column: str, margin: float) -> str:
    """The model with the smallest ``column``; empty where another one is less than ``margin`` behind it."""
    ranked = models.sort_values(column, kind="stable")
    if len(ranked) > 1 and ranked[column].iloc[1] - ranked[column].iloc[0] < margin:
        return ""
    return str(ranked["model"].iloc[0])


def top_customers(result: ValueResult, summary: ir.Table, count: int = 10) -> pd.DataFrame:
    """The most valuable customers, with what their value is made of; ids that several people seem to share marked."""
    joined = result.customers.view().join(summary, "customer_id")
    ranked = joined.order_by(ibis.desc("clv"), "customer_id").limit(count)
    columns = ["frequency", "last_on", "p_alive", "expected_purchases", "expected_order_value", "clv", "clv_low"]
    return mark_shared(ranked.select("customer_id", *columns, "clv_high").to_pandas(), summary)


def shared_among_best(result: ValueResult, summary: ir.Table, share: float) -> int:
    """How many of the most valuable customers, a share of all, are ids that several people seem to share."""
    count = max(1, round(share * int(result.customers.count().execute())))
    best = result.customers.order_by(ibis.desc("clv"), "customer_id").limit(count)
    return count_shared(best, summary)


def refit_later(summary: ir.Table, begin: pd.Timestamp, name: Name) -> PurchaseModel | None:
    """The named purchase model of those who first bought on or after ``begin``; None where they do not carry one."""
    later = summary.filter(summary.first_on >= ibis.literal(begin.date()))
    rows = later.group_by(HISTORY).agg(weight=later.count()).to_pandas().sort_values(HISTORY, ignore_index=True)
    try:
        return fit_purchases(rows, name)
    except ModelError:
        return None
