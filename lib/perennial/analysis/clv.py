"""What a customer is worth over the horizon: discounted purchases × order value × margin, with intervals.

Everything works on distinct rows (``frequency, recency, T, monetary_value, weight``), times in days, so that the cost
follows the number of different histories, not of customers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.analysis import spend_model
from perennial.analysis.purchase_model import DAYS_PER_WEEK, HISTORY, PurchaseModel
from perennial.analysis.purchases.formulas import Floats

YEAR_DAYS = 365.25
MONTH_DAYS = YEAR_DAYS / 12
CELLS = 2_000_000  # rows × draws held in memory at once
_NOTHING = 45.0  # e to minus this is below the last digit


@dataclass(frozen=True)
class Simulation:
    """What is uncertain about the value of each row's customer, and of all together.

    Attributes
    ----------
    low, high : bounds for one customer of each row, in currency.
    expected : groups × draws: value expected of each group under each draw of the parameters (more data narrows it).
    happens : the same under each draw of the parameters *and* of what the customers then happen to do.
    """

    low: Floats
    high: Floats
    expected: Floats
    happens: Floats


def monthly_rate(annual_rate: float) -> float:
    """The monthly rate that compounds to an annual one: 0.10 → 0.00797."""
    return float((1 + annual_rate) ** (1 / 12) - 1)


def discounted_purchases(
    model: PurchaseModel,
    rows: pd.DataFrame,
    horizon_months: int,
    annual_rate: float,
    month_days: float = MONTH_DAYS,
) -> Floats:
    """Expected purchase days over the horizon, each discounted from the end of its month to the as-of date.

    With ``annual_rate`` 0 this is exactly the expected number of purchases over the horizon.
    """
    pairs, place = distinct_pairs(rows)
    alive = model.p_alive(rows["frequency"], rows["recency"], rows["T"])
    return discounted_if_alive(model, model.theta, pairs, horizon_months, annual_rate, month_days)[place] * alive


def discounted_if_alive(
    model: PurchaseModel, theta: Any, pairs: Floats, months: int, annual_rate: float, month_days: float = MONTH_DAYS
) -> Floats:
    """:func:`discounted_purchases` of an active customer per (frequency, T) pair; ``theta`` may differ between them."""
    rate = monthly_rate(annual_rate)
    total, before = np.zeros(len(pairs)), np.zeros(len(pairs))
    for month in range(1, months + 1):
        now = _if_alive(model, theta, month * month_days, pairs)
        total += (now - before) / (1 + rate) ** month
        before = now
    return total


def purchases_for_ever(model: PurchaseModel, rows: pd.DataFrame, annual_rate: float) -> Floats:
    """Expected purchase days of all time to come, each discounted to its own moment (DERT).

    Discounted expected residual transactions (Fader, Hardie & Lee 2005, "RFM and CLV", Journal of Marketing Research
    42(4), eq. 6), here for every purchase model: P(alive) times ∫ e^−s E[Y(s/δ) | active] ds over s > 0, with δ the
    continuous rate.

    Raises
    ------
    ValueError : without a discount the sum need not be finite.
    """
    pairs, place = distinct_pairs(rows)
    alive = model.p_alive(rows["frequency"], rows["recency"], rows["T"])
    return for_ever_if_alive(model, model.theta, pairs, annual_rate)[place] * alive


def for_ever_if_alive(model: PurchaseModel, theta: Any, pairs: Floats, annual_rate: float, nodes: int = 32) -> Floats:
    """:func:`purchases_for_ever` of an active customer per (frequency, T) pair; ``theta`` may differ between pairs.

    In s = δ(α+T)(e^w − 1) the integrand is smooth: Gauss-Legendre gives twelve digits with 32 nodes, four with 10.
    """
    if annual_rate <= 0:
        raise ValueError("the purchases of all time to come have a sum only where later ones count less")
    delta = np.log1p(annual_rate) / (YEAR_DAYS / DAYS_PER_WEEK)
    scale = delta * (theta[model.names.index("alpha")] + pairs[:, 1] / DAYS_PER_WEEK)
    reach = np.log1p(_NOTHING / scale)
    total = np.zeros(len(pairs))
    for node, weight in zip(*np.polynomial.legendre.leggauss(nodes), strict=True):
        w = reach * (node + 1) / 2
        later = scale * np.expm1(w)
        total += (
            weight
            * reach
            / 2
            * scale
            * np.exp(w - later)
            * _if_alive(model, theta, later / delta * DAYS_PER_WEEK, pairs)
        )
    return total


def draw_parameters_of(model: PurchaseModel, draws: int, rng: np.random.Generator) -> Floats:
    """Draws × parameters of a purchase model, as uncertain as the fit leaves them."""
    drawn: Floats = np.exp(rng.multivariate_normal(np.log(model.theta), model.covariance, draws))
    return drawn


def simulate(
    rows: pd.DataFrame,
    model: PurchaseModel,
    thetas: Floats,
    phis: Floats,
    factor: Floats,
    horizon_days: float,
    interval: float,
    seed: int,
    group: np.ndarray | None = None,
    groups: int = 1,
) -> Simulation:
    """From the exact posterior under each draw of the parameters, what every customer does over the horizon.

    Parameters
    ----------
    thetas, phis : draws × parameters of the purchase and of the spend model, drawn together.
    factor : per row, what one unit of undiscounted spend is worth: margin × mean discount.
    group : per row, the number, from 0 to ``groups`` - 1, of the group whose totals it enters; None: all are one.

    Notes
    -----
    Rows stand for ``weight`` customers. A total adds, per row, ``weight`` times its expectation and √weight times
    the deviation of the one customer drawn: the mean and variance of that many independent customers, exact for 1.
    """
    rng = np.random.default_rng(seed)
    group = np.zeros(len(rows), int) if group is None else group
    low, high = np.empty(len(rows)), np.empty(len(rows))
    expected, happens = np.zeros((2, groups, len(thetas)))
    order = np.lexsort((rows["T"], rows["frequency"]))
    step = max(1, CELLS // len(thetas))
    tails = [(1 - interval) / 2, (1 + interval) / 2]
    for start in range(0, len(rows), step):
        part = order[start : start + step]
        chunk, scale = rows.iloc[part], factor[part, None]
        weight = chunk["weight"].to_numpy(float)[:, None]
        alive = alive_under(chunk, model, thetas)
        drawn = scale * _draw_spend(chunk, model, thetas, phis, horizon_days, alive, rng)
        mean = scale * alive * _expected_spend(chunk, model, thetas, phis, horizon_days)
        low[part], high[part] = np.quantile(drawn, tails, axis=1)
        for number in np.unique(group[part]):
            inside = group[part] == number
            sure = weight[inside] * mean[inside]
            expected[number] += sure.sum(axis=0)
            happens[number] += (sure + np.sqrt(weight[inside]) * (drawn[inside] - mean[inside])).sum(axis=0)
    return Simulation(low, high, expected, happens)


def draw_purchases(
    rows: pd.DataFrame, model: PurchaseModel, thetas: Floats, days: float, rng: np.random.Generator
) -> Floats:
    """Purchases of one customer per row and parameter draw over the next ``days``, from the exact posterior."""
    return _draw_purchases(rows, model, thetas, days, alive_under(rows, model, thetas), rng)


def _draw_purchases(
    rows: pd.DataFrame, model: PurchaseModel, thetas: Floats, days: float, alive: Floats, rng: np.random.Generator
) -> Floats:
    x, age = rows["frequency"].to_numpy(float), rows["T"].to_numpy(float) / DAYS_PER_WEEK
    row, draw = np.nonzero(rng.random(alive.shape) < alive)
    bought = np.zeros(alive.shape)
    bought[row, draw] = model.formulas.draw_if_alive(thetas[draw].T, days / DAYS_PER_WEEK, x[row], age[row], rng)
    return bought


def _draw_spend(
    rows: pd.DataFrame,
    model: PurchaseModel,
    thetas: Floats,
    phis: Floats,
    days: float,
    alive: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Spend of one customer per row and draw: Y orders of Gamma(p, ν) with ν ~ Gamma(p·x + q, v + x·m)."""
    bought = _draw_purchases(rows, model, thetas, days, alive, rng)
    x = rows["frequency"].to_numpy(float)
    paid = x * np.maximum(rows["monetary_value"].to_numpy(float), 0)
    row, draw = np.nonzero(bought)
    p, q, v = phis[draw].T
    scale = rng.gamma(p * x[row] + q) / (v + paid[row])
    spend = np.zeros(bought.shape)
    spend[row, draw] = rng.gamma(p * bought[row, draw]) / scale
    return spend


def _expected_spend(rows: pd.DataFrame, model: PurchaseModel, thetas: Floats, phis: Floats, days: float) -> Floats:
    """Expected undiscounted spend of an active customer per row under each parameter draw: rows × draws."""
    pairs, place = distinct_pairs(rows)
    x, m = rows["frequency"].to_numpy(float)[:, None], rows["monetary_value"].to_numpy(float)[:, None]
    bought = np.column_stack([_if_alive(model, theta, days, pairs) for theta in thetas])[place]
    return bought * spend_model.expected_order_value(phis.T, x, m)


def alive_under(rows: pd.DataFrame, model: PurchaseModel, thetas: Floats) -> Floats:
    """P(alive) of each row under each parameter draw: rows × draws, each history computed once."""
    histories = rows[HISTORY].to_numpy(float)
    distinct, place = np.unique(histories, axis=0, return_inverse=True)
    x, last, age = (distinct[:, [column]] for column in range(3))
    return model.p_alive(x, last, age, thetas.T)[place.ravel()]


def distinct_pairs(rows: pd.DataFrame) -> tuple[Floats, np.ndarray]:
    """The distinct (frequency, T) among the rows, and each row's place among them."""
    pairs, place = np.unique(rows[["frequency", "T"]].to_numpy(float), axis=0, return_inverse=True)
    return pairs, place.ravel()


def _if_alive(model: PurchaseModel, theta: Any, days: Any, pairs: Floats) -> Floats:
    return model.purchases_if_alive(days, pairs[:, 0], pairs[:, 1], theta)
