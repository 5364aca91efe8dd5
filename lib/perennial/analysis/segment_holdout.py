"""Separate models for groups on the days held back: do they forecast no worse than one model for all?"""

import datetime as dt

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.group_models import GroupModels, fit_groups
from perennial.analysis.groupings import Grouping, grouped_rows
from perennial.analysis.purchase_model import HISTORY, KEYS, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel
from perennial.tables.summary import purchase_days

HELD = [  # what it gives
    "rmse", "rmse_pooled", "rmse_z", "bias", "bias_pooled", "rmse_money", "rmse_money_pooled",
]  # fmt: skip


def judge_grouping(
    transactions: ir.Table,
    calibration: ir.Table,
    grouping: Grouping,
    purchase: PurchaseModel,
    spend: SpendModel | None,
    end: dt.date,
    cut: dt.date,
    minimum: int,
) -> tuple[dict[str, float], pd.DataFrame]:
    """How models per group, fitted up to a cut, forecast the days after it, against the pooled ones.

    Every customer acquired up to the cut is forecast by both; a group that carries no model there by the pooled one
    on both sides. Memberships are those of the customers table today.

    Parameters
    ----------
    calibration : customer summary at ``cut``.
    purchase, spend : pooled models fitted up to ``cut``.

    Returns
    -------
    ``rmse, bias`` of purchase days per customer (bias: of the total, share of actual), ``rmse_money`` of what they
    spent (currency, missing without spend models), each also with ``_pooled``; and ``rmse_z``, by how many standard
    errors the squared errors of purchase days are larger than the pooled ones (paired by customer). Beside it a frame
    ``group, customers``, the purchase days and the money that came, ``bought, paid``, and the forecasts of both,
    ``bought_own, bought_pooled, paid_own, paid_pooled``.
    """
    held = grouping.only(calibration)
    models = fit_groups(grouped_rows(calibration, held.members), held.name, purchase, spend, minimum)
    rows = _outcomes(transactions, calibration, held.members, cut)
    days = (end - cut).days
    pooled = GroupModels(grouping.name, dict.fromkeys(models.purchase, purchase),
                         dict.fromkeys(models.spend, spend) if spend else {})  # fmt: skip
    (own, own_money), (all_of_them, all_money) = _forecasts(rows, models, days), _forecasts(rows, pooled, days)
    bought = rows["weight"].to_numpy(float), rows["bought"].to_numpy(float), rows["bought_squared"].to_numpy(float)
    paid = bought[0], rows["paid"].to_numpy(float), rows["paid_squared"].to_numpy(float)
    scores = {
        "rmse": _rmse(own, *bought),
        "rmse_pooled": _rmse(all_of_them, *bought),
        "rmse_z": _beyond_chance(own, all_of_them, *bought),
        "bias": _bias(own, *bought),
        "bias_pooled": _bias(all_of_them, *bought),
        "rmse_money": _rmse(own_money, *paid),
        "rmse_money_pooled": _rmse(all_money, *paid),
    }
    sums = {"bought_own": own, "bought_pooled": all_of_them, "paid_own": own_money, "paid_pooled": all_money}
    by = rows[["group", "weight", "bought", "paid"]].assign(**{k: v * bought[0] for k, v in sums.items()})
    groups = by.groupby("group", as_index=False).sum(min_count=1).rename(columns={"weight": "customers"})
    return scores, groups


def _outcomes(transactions: ir.Table, calibration: ir.Table, members: ir.Table, cut: dt.date) -> pd.DataFrame:
    """Distinct group and history with sums and sums of squares of purchase days and money after the cut."""
    bought = purchase_days(transactions)
    bought = bought.filter(bought.ordered_on > cut)
    each = bought.group_by("customer_id").agg(bought=bought.count(), paid=bought.amount.sum().cast("float64"))
    known = calibration.select("customer_id", *KEYS).inner_join(members, "customer_id")
    both = known.select("customer_id", "group", *KEYS).left_join(each, "customer_id")
    both = both.mutate(bought=both.bought.fill_null(0).cast("float64"), paid=both.paid.fill_null(0.0))
    keys = ["group", *KEYS]
    sums = both.group_by(keys).agg(
        weight=both.count(),
        bought=both.bought.sum(),
        bought_squared=(both.bought**2).sum(),
        paid=both.paid.sum(),
        paid_squared=(both.paid**2).sum(),
    )
    return sums.to_pandas().sort_values(keys, ignore_index=True)


def _forecasts(rows: pd.DataFrame, models: GroupModels, days: int) -> tuple[Floats, Floats]:
    """Purchase days and money of each row's customer over the next ``days``; no money without spend models."""
    forecast, money = np.zeros(len(rows)), np.full(len(rows), np.nan)
    for group, place in rows.groupby("group").indices.items():
        own = rows.iloc[place]
        forecast[place] = models.purchase[str(group)].expected_purchases(days, *(own[key] for key in HISTORY))
        if models.spend:
            order = models.spend[str(group)].expected_order_value(own["frequency"], own["monetary_value"])
            money[place] = forecast[place] * order
    return forecast, money


def _rmse(forecast: Floats, weight: Floats, sums: Floats, squares: Floats) -> float:
    """Of customers who share a forecast, from the sum and the sum of squares of what they did."""
    total = weight * forecast**2 - 2 * forecast * sums + squares
    return float(np.sqrt(max(total.sum(), 0.0) / weight.sum())) if np.isfinite(total).all() else float("nan")


def _bias(forecast: Floats, weight: Floats, sums: Floats, _squares: Floats) -> float:
    return float(weight @ forecast / sums.sum() - 1) if sums.sum() else float("nan")


def _beyond_chance(one: Floats, other: Floats, weight: Floats, sums: Floats, squares: Floats) -> float:
    """By how many standard errors one forecast's squared errors are larger than the other's, customer by customer."""
    level, slope = one**2 - other**2, -2 * (one - other)  # of a customer who did y: level + slope · y
    n = weight.sum()
    mean = float((weight * level + slope * sums).sum() / n)
    square = float((weight * level**2 + 2 * level * slope * sums + slope**2 * squares).sum() / n)
    spread = np.sqrt(max(square - mean**2, 0.0) / n)
    return float(mean / spread) if spread else 0.0
