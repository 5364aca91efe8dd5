"""How good forecasts of purchases were: totals, errors per customer, order, and whether intervals held.

Every function takes rows that stand for ``weight`` customers each and counts every customer once.
"""

import numpy as np
import pandas as pd

from perennial.analysis.clv import draw_parameters_of, draw_purchases
from perennial.analysis.purchase_model import HISTORY, PurchaseModel
from perennial.analysis.purchases.formulas import Floats

TOP = 0.1  # share of customers whose lift is told
_DRAWS = 200


def score(forecasts: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Every forecaster's scores.

    Parameters
    ----------
    forecasts : ``actual, weight`` and one column of forecasts per name.

    Returns
    -------
    frame ``forecaster, predicted, actual`` (totals), ``bias`` (share of actual), ``mae, rmse`` (purchase days per
    customer), ``gini`` (see :func:`normalised_gini`), ``lift`` (purchases of the tenth forecast highest, in multiples
    of everyone's).
    """
    weight, actual = forecasts["weight"].to_numpy(float), forecasts["actual"].to_numpy(float)
    found = float(weight @ actual)
    lines = []
    for name in names:
        forecast = forecasts[name].to_numpy(float)
        predicted, error = float(weight @ forecast), forecast - actual
        lines.append(
            {
                "forecaster": name,
                "predicted": predicted,
                "actual": found,
                "bias": predicted / found - 1 if found else float("nan"),
                "mae": float(weight @ np.abs(error) / weight.sum()),
                "rmse": float(np.sqrt(weight @ error**2 / weight.sum())),
                "gini": normalised_gini(forecast, actual, weight),
                "lift": top_lift(forecast, actual, weight),
            }
        )
    return pd.DataFrame(lines)


def normalised_gini(forecast: Floats, actual: Floats, weight: Floats) -> float:
    """How well forecasts put customers in order: 1 as well as the outcome itself, 0 as chance, below 0 upside down.

    The Gini index of the outcome over customers in the order of the forecast, divided by that in the order of the
    outcome; customers with the same forecast share alike. Missing where all bought the same.
    """
    best = _gini(actual, actual, weight)
    return _gini(forecast, actual, weight) / best if best > 1e-12 else float("nan")


def _gini(by: Floats, actual: Floats, weight: Floats) -> float:
    people, bought = _sums_by(by, actual, weight)
    if not bought.sum():
        return 0.0
    people, bought = np.cumsum(people) / people.sum(), np.cumsum(bought) / bought.sum()
    area = np.trapezoid(np.concatenate([[0.0], bought]), np.concatenate([[0.0], people]))
    return float(1 - 2 * area)


def top_lift(forecast: Floats, actual: Floats, weight: Floats) -> float:
    """Purchases of the tenth of customers forecast highest, in multiples of the mean; ties share alike."""
    people, bought = (values[::-1] for values in _sums_by(forecast, actual, weight))
    wanted = TOP * people.sum()
    taken = np.clip(wanted - (np.cumsum(people) - people), 0, people)
    mean = bought.sum() / people.sum()
    return float(taken @ (bought / people) / wanted / mean) if mean else float("nan")


def _sums_by(by: Floats, actual: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Customers and purchases per distinct value of ``by``, the smallest first."""
    place = np.unique(by, return_inverse=True)[1].ravel()
    return np.bincount(place, weight).astype(float), np.bincount(place, weight * actual).astype(float)


def share_inside(rows: pd.DataFrame, model: PurchaseModel, days: float, interval: float, seed: int) -> float:
    """Share of customers whose purchases lay in their own interval; missing where the model gives none.

    The interval is that of single customers: parameters as uncertain as the fit leaves them, and chance. Purchases are
    whole numbers, so a sound interval holds somewhat more customers than its level.
    """
    if not model.has_covariance:
        return float("nan")
    rng = np.random.default_rng(seed)
    histories = rows[HISTORY].drop_duplicates(ignore_index=True)
    drawn = draw_purchases(histories, model, draw_parameters_of(model, _DRAWS, rng), days, rng)
    low, high = np.quantile(drawn, [(1 - interval) / 2, (1 + interval) / 2], axis=1)
    bounds = rows.merge(histories.assign(low=low, high=high), on=HISTORY, how="left", validate="many_to_one")
    weight = bounds["weight"].to_numpy(float)
    return float(weight @ bounds["actual"].between(bounds["low"], bounds["high"]) / weight.sum())
