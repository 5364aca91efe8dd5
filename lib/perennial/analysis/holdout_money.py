"""The hold-out in money: purchases forecast times order values forecast, against what was spent."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.fitters import fit_gamma_gamma
from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.spend_bands import fit_bands
from perennial.analysis.uncertainty import reach
from perennial.errors import ModelError

KEYS = ["frequency", "recency", "T", "monetary_value"]


def judge_revenue(
    calibration: ir.Table, later: ir.Table, recent: ir.Table, model: PurchaseModel, days: int, stretch: int
) -> dict[str, float]:
    """Total revenue forecast for the hold-out and the revenue that came, before margin and discount.

    Parameters
    ----------
    calibration : customer summary at the cut; the spend model is fitted on it alone.
    later : customer-days after the cut (``customer_id, ordered_on, amount``); other customers do not count.
    recent : customer-days of repeat purchases in the ``stretch`` days before the cut.
    model : purchase model fitted up to the cut.
    days : length of the hold-out.

    Returns
    -------
    ``predicted, actual`` (currency) and ``bias`` (share of actual), and ``last``: what repeat purchases
    brought in the stretch before the cut, scaled to the hold-out's days. Empty where no spend model can be fitted.
    """
    rows = calibration.group_by(KEYS).agg(weight=calibration.count()).to_pandas().sort_values(KEYS, ignore_index=True)
    try:
        spend = fit_gamma_gamma(rows)
    except ModelError:
        return {}
    bought = model.expected_purchases(days, rows["frequency"], rows["recency"], rows["T"])
    order = spend.expected_order_value(rows["frequency"], rows["monetary_value"])
    predicted = float(rows["weight"].to_numpy(float) @ (np.asarray(bought) * order))
    known = later.semi_join(calibration, "customer_id")
    actual = float(known.amount.sum().cast("float64").to_pyarrow().as_py() or 0.0)
    last = float(recent.amount.sum().cast("float64").to_pyarrow().as_py() or 0.0) / stretch * days
    bias = predicted / actual - 1 if actual > 0 else float("nan")
    return {"predicted": predicted, "actual": actual, "bias": bias, "last": last}


def judge_bands(
    calibration: ir.Table, later: ir.Table, model: PurchaseModel, days: int, interval: float
) -> pd.DataFrame:
    """Revenue of the hold-out by frequency band, forecast by one spend model and by one per band.

    Both are fitted up to the cut. They differ in order values alone; to set those apart from the purchase model's
    errors, the revenue is also forecast from the purchases that came.

    Returns
    -------
    frame ``first, last`` (repeat purchase days up to the cut; the first row those who had bought once),
    ``customers``, ``purchases`` (that came), ``actual`` (revenue) with ``low, high`` (its interval given the purchases,
    from the spread between customers), ``pooled, banded`` (revenue expected of the purchases that came),
    ``pooled_forecast, banded_forecast`` (of the purchases forecast). Empty where either model cannot be fitted.
    """

    spent = later.group_by("customer_id").agg(bought=later.count(), paid=later.amount.sum().cast("float64"))
    joined = calibration.left_join(spent, "customer_id")
    each = joined.select(*KEYS, bought=joined.bought.fill_null(0), paid=joined.paid.fill_null(0.0))
    keys = [*KEYS, "bought"]
    grouped = each.group_by(keys).agg(weight=each.count(), paid=each.paid.sum(), squares=(each.paid**2).sum())
    rows = grouped.to_pandas().sort_values(keys, ignore_index=True)
    try:
        pooled = fit_gamma_gamma(rows.groupby(KEYS, as_index=False)["weight"].sum())
        banded = fit_bands(rows, pooled)
    except ModelError:
        return pd.DataFrame()
    order = {
        "pooled": pooled.expected_order_value(rows["frequency"], rows["monetary_value"]),
        "banded": banded.expected_order_value(rows),
    }
    forecast = model.expected_purchases(days, rows["frequency"], rows["recency"], rows["T"])
    weight, bought, paid = (rows[name].to_numpy(float) for name in ("weight", "bought", "paid"))
    given = bought * order["banded"]
    squares = rows["squares"].to_numpy(float) - 2 * given * paid + weight * given**2
    wide = reach(interval)
    x = rows["frequency"].to_numpy(float)
    groups = [(0.0, 0.0, x == 0)]
    groups += [(float(b.first), np.nan if b.last is None else float(b.last), b.holds(x)) for b in banded.bands]
    lines = []
    for first, last, inside in groups:
        if weight[inside].sum():
            line = {"first": first, "last": last, "customers": int(weight[inside].sum())}
            line |= {"purchases": float((weight * bought)[inside].sum()), "actual": float(paid[inside].sum())}
            error = float(np.sqrt(max(0.0, squares[inside].sum())))
            line |= {"low": line["actual"] - wide * error, "high": line["actual"] + wide * error}
            for name, value in order.items():
                line[name] = float((weight * bought * value)[inside].sum())
                line[f"{name}_forecast"] = float((weight * forecast * value)[inside].sum())
            lines.append(line)
    return pd.DataFrame(lines)
