"""One customer's purchases and, day by day, the probability of still being a customer."""

import datetime as dt
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.groupings import ALL
from perennial.analysis.purchase_model import HISTORY, PurchaseModel
from perennial.analysis.shared_ids import contactable
from perennial.analysis.uncertainty import share_interval, standard_error
from perennial.analysis.value import ValueResult
from perennial.analysis.value_views import value_quantile
from perennial.tables.summary import purchase_days

BEST_SHARE = 0.1
FEWEST_REPEATS = 3  # with fewer there is no rhythm to fall out of
_CANDIDATES = 200  # histories


def customer_days(transactions: ir.Table, customer_id: str, as_of: dt.date) -> list[dt.date]:
    """A customer's purchase days up to ``as_of``, in order; empty for an unknown customer."""
    own = transactions.filter(transactions.customer_id == customer_id, transactions.ordered_on <= ibis.literal(as_of))
    found = purchase_days(own).order_by("ordered_on").ordered_on.to_pyarrow().to_pylist()
    return [day.date() if isinstance(day, dt.datetime) else day for day in found]


def alive_history(model: PurchaseModel, bought: Sequence[dt.date], as_of: dt.date, interval: float) -> pd.DataFrame:
    """P(alive) on every day since the first purchase, each from the history up to that day, with today's parameters.

    Parameters
    ----------
    bought : distinct purchase days in order, at least one, none after ``as_of``.

    Returns
    -------
    frame ``day, bought`` (whether on that day), ``p_alive, low, high`` (interval of uncertain parameters); missing
    where the model cannot judge: for everyone where nobody leaves, before the first repeat purchase under BG/NBD.
    """
    first = bought[0]
    age = np.arange((as_of - first).days + 1, dtype=float)
    made = np.array([(day - first).days for day in bought], dtype=float)
    x = np.searchsorted(made, age, side="right") - 1.0
    last = made[x.astype(int)]
    p = model.p_alive(x, last, age)
    error = standard_error(model.theta, model.covariance, lambda theta: model.p_alive(x, last, age, theta))
    low, high = share_interval(p, error, interval)
    judged = np.full(len(age), model.lets_leave) & ((x > 0) | model.knows_one_time_buyers)
    frame = pd.DataFrame({"day": pd.date_range(first, as_of).as_unit("ms"), "bought": np.isin(age, made)})
    for name, values in (("p_alive", p), ("low", low), ("high", high)):
        frame[name] = np.where(judged, values, np.nan)
    return frame


def instructive_customer(result: ValueResult, summary: ir.Table) -> str | None:
    """Among the most valuable tenth, whose P(alive) fell most since the last purchase; None where nobody qualifies.

    At least three repeat purchase days; ids that several people seem to share are left out; among equals the more
    valuable, then the first by id.
    """
    by = "clv" if result.spend else "expected_purchases"
    if not result.purchase.lets_leave:
        return None
    bound = value_quantile(result.rows.assign(clv=result.rows[by]), 1 - BEST_SHARE)
    rows = result.rows[(result.rows[by] >= bound) & (result.rows["frequency"] >= FEWEST_REPEATS)]
    key = ["group", *HISTORY]
    rows = rows.drop_duplicates(key)
    if rows.empty:
        return None
    then = pd.concat([_when_last_seen(piece.models.purchase, piece.rows) for piece in result.pieces])[rows.index]
    fallen = rows[key].assign(fall=np.round(then - rows["p_alive"], 9))
    fallen = fallen.sort_values(["fall", *HISTORY], ascending=False).head(_CANDIDATES)
    group = result.customers.select("customer_id", group=result.customers.model_group.fill_null(ALL))
    people = contactable(summary, summary).select("customer_id", *HISTORY).view().inner_join(group, "customer_id")
    joined = people.view().inner_join(ibis.memtable(fallen), key).view()
    valued = joined.inner_join(result.customers.select("customer_id", worth=result.customers[by]), "customer_id")
    ranked = valued.filter(valued.worth >= bound).order_by(ibis.desc("fall"), ibis.desc("worth"), "customer_id")
    found = ranked.limit(1).customer_id.to_pyarrow().to_pylist()
    return found[0] if found else None


def _when_last_seen(model: PurchaseModel, rows: pd.DataFrame) -> pd.Series:
    """P(alive) on the day of the last purchase."""
    return pd.Series(model.p_alive(rows["frequency"], rows["recency"], rows["recency"]), rows.index)


def model_of(result: ValueResult, customer: str) -> PurchaseModel:
    """The purchase model by which this customer is valued."""
    found = result.customers.filter(result.customers.customer_id == customer).model_group.to_pyarrow().to_pylist()
    return result.apart[found[0]].purchase if found and found[0] else result.purchase
