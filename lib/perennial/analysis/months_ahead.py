"""How many purchases today's customers make in each of the next months."""

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perennial.analysis.clv import draw_parameters_of, draw_purchases
from perennial.analysis.purchase_model import HISTORY, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.seasons import CELLS, DRAWS, daily_index
from perennial.analysis.uncertainty import reach

if TYPE_CHECKING:
    from perennial.analysis.value import ValueResult


def forecast_months(result: "ValueResult", count: int = 3) -> pd.DataFrame:
    """Repeat purchase days of today's customers in each of the next months, counted from the as-of day.

    Returns
    -------
    frame ``first, last`` (dates of the month), ``expected, low, high`` (purchase days), ``index`` (1 without one).

    Notes
    -----
    The interval is normal, from three sources: parameters (draws), chance (the variance over mean of the first month,
    drawn from the exact posterior, holds for all), and, where an index is used, its error. It holds no model error.
    """

    settings = result.settings
    as_of = dt.date.fromisoformat(settings["as_of"])
    ends = [(pd.Timestamp(as_of) + pd.DateOffset(months=k)).date() for k in range(count + 1)]
    days = [(end - as_of).days for end in ends[1:]]
    rng = np.random.default_rng(settings["seed"])
    each = [_by_month(piece.models.purchase, piece.rows, days, rng) for piece in result.pieces]
    expected, variance = np.sum(each, axis=0)
    factor, noise = np.ones(count), np.zeros(count)
    season = result.holdout.season if result.holdout else {}
    if season.get("used"):
        spans = [(end - begin).days for begin, end in zip(ends, ends[1:], strict=False)]
        firsts = [begin + dt.timedelta(days=1) for begin in ends[:-1]]
        index, error = np.array(season["index"]), np.array(season["error"])
        parts = [
            (daily_index(index, f, s), daily_index(index * error, f, s)) for f, s in zip(firsts, spans, strict=True)
        ]
        factor, noise = np.array([a.mean() for a, _b in parts]), np.array([b.mean() for _a, b in parts])
    wide = reach(settings["interval"]) * np.sqrt(variance * factor**2 + (noise * expected) ** 2)
    middle = expected * factor
    return pd.DataFrame(
        {
            "first": [begin + dt.timedelta(days=1) for begin in ends[:-1]],
            "last": ends[1:],
            "expected": middle,
            "low": np.maximum(middle - wide, 0),
            "high": middle + wide,
            "index": factor,
        }
    )


def _by_month(
    model: PurchaseModel, rows: pd.DataFrame, days: list[int], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Purchases expected of these customers in each month, and their variance from chance and parameters."""
    rows = rows.groupby(HISTORY, as_index=False)["weight"].sum()
    expected = np.diff(_totals(model, rows, days, model.theta), prepend=0.0)
    variance = _chance(model, rows, days[0], rng) * expected
    if model.has_covariance:
        draws = int(np.clip(CELLS // len(rows), 20, DRAWS))
        drawn = [_totals(model, rows, days, theta) for theta in draw_parameters_of(model, draws, rng)]
        variance = variance + np.var(np.diff(drawn, axis=1, prepend=0.0), axis=0)
    return expected, variance


def _totals(model: PurchaseModel, rows: pd.DataFrame, days: list[int], theta: Floats) -> Floats:
    """Expected purchase days of all customers within so many days, for each of ``days``."""
    x, last, age = (rows[name].to_numpy(float) for name in HISTORY)
    alive = rows["weight"].to_numpy(float) * model.p_alive(x, last, age, theta)
    return np.array([float(alive @ model.purchases_if_alive(ahead, x, age, theta)) for ahead in days])


def _chance(model: PurchaseModel, rows: pd.DataFrame, days: int, rng: np.random.Generator) -> float:
    """Variance over mean of all customers' purchases together within so many days, from draws."""
    draws = int(np.clip(CELLS // len(rows), 20, DRAWS))
    drawn = draw_purchases(rows, model, np.tile(model.theta, (draws, 1)), float(days), rng)
    weight = rows["weight"].to_numpy(float)
    mean = float(weight @ drawn.mean(axis=1))
    return float(weight @ drawn.var(axis=1, ddof=1)) / mean if mean > 0 else 1.0
