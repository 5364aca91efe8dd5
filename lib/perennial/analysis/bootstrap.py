"""The whole chain fitted anew to resampled customers: how uncertain its parameters are, purchases and spend together.

Customers are drawn with replacement by giving each distinct row a new weight (Poisson with its own as the mean; a
likelihood does not mind that their sum is random). Both models see the same resample, so that what their parameters
have in common is kept. Each refit starts at the maximum found on all customers and takes few steps from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from perennial.analysis import spend_model
from perennial.analysis.clv import draw_parameters_of
from perennial.analysis.fitters import purchase_likelihood, spend_likelihood, whole_weeks
from perennial.analysis.maximum import climb, hessian, search
from perennial.analysis.purchase_model import HISTORY, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel

RESAMPLES = 200
MANY_ROWS = 3_000  # distinct rows beyond which refits use whole weeks, and order values to the percent
SAFE_TAIL = 1.05  # spend parameters with q this near 1 have no usable mean order
CLOSE = 0.05  # of a standard error: a refit this near its maximum is there
FARTHEST = 5.0  # in logarithms: a parameter this far from that of all customers has run away
MOST_SEARCHES = 40  # for a maximum that no few steps lead to; beyond them a resample counts as failed
_PERCENT = np.log(1.01)

Likelihood = Callable[[Floats], Any]


@dataclass(frozen=True)
class Resampled:
    """Parameters of both models fitted to the same resamples.

    Attributes
    ----------
    thetas : resamples × parameters of the purchase model.
    phis : resamples × 3 of the spend model.
    failed : resamples left out, on which one of the two has no sound maximum.
    """

    thetas: Floats
    phis: Floats
    failed: int


def resample(
    rows: pd.DataFrame, model: PurchaseModel, spend: SpendModel, seed: int, count: int = RESAMPLES
) -> Resampled:
    """Refit both models to ``count`` resamples of the customers.

    Parameters
    ----------
    rows : distinct ``frequency, recency, T`` (days), ``monetary_value`` and ``weight``.
    model, spend : as fitted to these rows.
    """
    rng = np.random.default_rng(seed)
    mean = rows["weight"].to_numpy(float)
    purchases = _Refit(*_histories(rows), mean, model.theta, lambda data: purchase_likelihood(data, model.name))
    orders = _Refit(*_mean_orders(rows), mean, spend.theta, spend_likelihood)
    found = []
    for _draw in range(count):
        weight = rng.poisson(mean).astype(float)
        theta, phi = purchases.fit(weight), orders.fit(weight)
        if theta is not None and phi is not None and phi[1] > SAFE_TAIL:
            found.append(np.concatenate([theta, phi]))
    both = np.array(found).reshape(len(found), len(model.theta) + len(spend.theta))
    return Resampled(both[:, : len(model.theta)], both[:, len(model.theta) :], count - len(found))


def draw_parameters(
    model: PurchaseModel, spend: SpendModel, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draws of both models' parameters from their asymptotic distribution (normal in logarithms), without a refit.

    Returns
    -------
    arrays draws × parameters and draws × 3. Spend draws without a finite mean order (q ≤ 1.05) are drawn again.
    """
    theta = draw_parameters_of(model, draws, rng)
    pool = np.exp(rng.multivariate_normal(np.log(spend.theta), spend.covariance, 20 * draws))
    sound = pool[pool[:, 1] > SAFE_TAIL][:draws]
    return theta, sound if len(sound) == draws else np.tile(spend.theta, (draws, 1))


def _histories(rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct histories, in whole weeks where they are many, and each row's place among them."""
    histories = rows[HISTORY]
    if len(histories.drop_duplicates()) > MANY_ROWS:
        histories = whole_weeks(histories)
    values, place = np.unique(histories.to_numpy(float), axis=0, return_inverse=True)
    return pd.DataFrame(values, columns=HISTORY), place.ravel()


def _mean_orders(rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct (frequency, mean order), to the percent where they are many, and each row's place; −1 without one."""
    known = spend_model.usable(rows)
    money = known["monetary_value"].to_numpy(float)
    if len(known) > MANY_ROWS:
        money = np.exp(np.round(np.log(money) / _PERCENT) * _PERCENT)
    pairs = np.column_stack([known["frequency"].to_numpy(float), money])
    values, inside = np.unique(pairs, axis=0, return_inverse=True)
    place = np.full(len(rows), -1)
    place[rows.index.get_indexer(known.index)] = inside.ravel()
    return pd.DataFrame(values, columns=["frequency", "monetary_value"]), place


class _Refit:
    """Fits one model to ever new weights of the same groups."""

    def __init__(
        self,
        groups: pd.DataFrame,
        place: np.ndarray,
        weight: Floats,
        theta: Floats,
        likelihood: Callable[[pd.DataFrame], Likelihood],
    ):
        self.groups, self.place, self.likelihood, self.searches = groups, place, likelihood, 0
        total = likelihood(self._weighed(weight))
        self.exact = np.log(theta)
        self.covariance = np.asarray(np.linalg.inv(-hessian(total, self.exact)), dtype=np.float64)
        self.close = CLOSE * float(np.sqrt(np.abs(np.diag(self.covariance))).min())
        # rounding has moved the maximum; refits are measured from where it is on the same groups
        self.near, _reached = self._climb(self.exact, total)

    def fit(self, weight: Floats) -> Floats | None:
        """Parameters on these weights; None where they have no sound maximum."""
        total = self.likelihood(self._weighed(weight))
        point, reached = self._climb(self.near, total)
        if not reached:
            self.searches += 1
            if self.searches > MOST_SEARCHES:
                return None
            point = search(total, self.near, FARTHEST)
        moved = point - self.near
        return None if np.abs(moved).max() > FARTHEST - 0.1 else np.exp(self.exact + moved)

    def _climb(self, point: Floats, total: Likelihood) -> tuple[Floats, bool]:
        return climb(point, total, partial(_slope, total), self.covariance, self.close)

    def _weighed(self, weight: Floats) -> pd.DataFrame:
        used = self.place >= 0
        counts = np.bincount(self.place[used], weight[used], minlength=len(self.groups))
        return self.groups.assign(weight=counts)[counts > 0]


def _slope(total: Likelihood, point: Floats, step: float = 1e-4) -> Floats:
    """First derivatives by central differences, all points in one call."""
    steps = step * np.eye(len(point))
    values = total(point[:, None] + np.hstack([steps, -steps]))
    slope: Floats = (values[: len(point)] - values[len(point) :]) / (2 * step)
    return slope
