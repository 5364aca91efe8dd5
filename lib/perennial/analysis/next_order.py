"""What a single customer may do next: the chance of an order in the next period, and the day to expect one by."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.purchases.formulas import Floats

PERIODS = (7, 30, 90)  # days; the period is the one nearest the client's typical gap, on a logarithmic scale
USUAL_PERIOD = 30


def order_period(rows: pd.DataFrame) -> int:
    """Days over which the chance of an order tells customers apart: 7, 30 or 90, whichever is nearest the typical gap.

    The typical gap is the median over repeat customers of recency / frequency, their mean gap so far.

    Parameters
    ----------
    rows : ``frequency, recency`` (days), ``weight``; 30 where nobody came back.
    """
    back = rows[(rows["frequency"] > 0) & (rows["recency"] > 0)]
    if back.empty:
        return USUAL_PERIOD
    gaps = (back["recency"] / back["frequency"]).to_numpy(float)
    order = np.argsort(gaps, kind="stable")
    people = np.cumsum(back["weight"].to_numpy(float)[order])
    typical = gaps[order][int(np.searchsorted(people, people[-1] / 2))]
    return min(PERIODS, key=lambda days: abs(np.log(days / typical)))


def probability_of_order(
    model: PurchaseModel, days: float, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
) -> Floats:
    """Chance of at least one purchase day in the next ``days``: 0 to 1, P(alive) included."""
    pairs, place = _distinct(frequency, T)
    none = model.probability_if_alive(0, days, pairs[:, 0], pairs[:, 1])[place]
    return model.p_alive(frequency, recency, T) * (1 - none)


def days_to_next_order(model: PurchaseModel, longest: float, frequency: ArrayLike, T: ArrayLike) -> Floats:
    """Whole days after which a customer **who is still active** has ordered again with probability one half.

    Missing where that takes longer than ``longest`` days.
    """
    pairs, place = _distinct(frequency, T)

    def ordered(days: Floats) -> np.ndarray:
        found: np.ndarray = model.probability_if_alive(0, days, pairs[:, 0], pairs[:, 1]) <= 0.5
        return found

    low, high = np.zeros(len(pairs)), np.full(len(pairs), np.floor(longest))
    found = ordered(high)
    while (high - low > 1).any():  # by halves, to the first day on which it holds
        middle = np.floor((low + high) / 2)
        enough = ordered(np.maximum(middle, 1.0))
        open_ = high - low > 1
        low, high = np.where(open_ & ~enough, middle, low), np.where(open_ & enough, middle, high)
    return np.where(found, high, np.nan)[place]


def _distinct(frequency: ArrayLike, T: ArrayLike) -> tuple[Floats, np.ndarray]:
    """The distinct (frequency, T), all that the next order of an active customer hangs on, and each row's place."""
    both = np.column_stack([np.asarray(frequency, float), np.asarray(T, float)])
    pairs, place = np.unique(both, axis=0, return_inverse=True)
    return pairs, place.ravel()
