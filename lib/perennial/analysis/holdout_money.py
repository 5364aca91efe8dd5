"""The hold-out in money: purchases forecast times order values forecast, against what was spent."""

import ibis.expr.types as ir
import numpy as np

from perennial.analysis.fitters import fit_gamma_gamma
from perennial.analysis.purchase_model import PurchaseModel
from perennial.errors import ModelError


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
    keys = ["frequency", "recency", "T", "monetary_value"]
    rows = calibration.group_by(keys).agg(weight=calibration.count()).to_pandas().sort_values(keys, ignore_index=True)
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
