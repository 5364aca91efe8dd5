"""What a customer is worth over the horizon: discounted purchases × order value × margin, with intervals.

Everything works on distinct rows (``frequency, recency, T, monetary_value, weight``), times in days, so that the cost
follows the number of different histories, not of customers.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.analysis import spend_model
from perennial.analysis.purchase_model import DAYS_PER_WEEK, HISTORY, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel

MONTH_DAYS = 365.25 / 12
DRAWS, FEWEST_DRAWS = 400, 100
MOST_CELLS = 80_000_000  # rows × draws in all; with very many histories draws are fewer
CELLS = 2_000_000  # rows × draws held in memory at once
_SAFE_TAIL = 1.05  # parameter draws with q this near 1 have no usable mean order


@dataclass(frozen=True)
class Simulation:
    """What is uncertain about the value of each row's customer, and of all together.

    Attributes
    ----------
    low, high : bounds for one customer of each row, in currency.
    total_parameter : total expected value under each draw of the parameters (what more data would narrow).
    total : total value under each draw of parameters *and* of what the customers then happen to do.
    """

    low: Floats
    high: Floats
    total_parameter: Floats
    total: Floats


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
    pairs, place = _distinct_pairs(rows)
    rate = monthly_rate(annual_rate)
    total, before = np.zeros(len(pairs)), np.zeros(len(pairs))
    for month in range(1, horizon_months + 1):
        now = _if_alive(model, model.theta, month * month_days, pairs)
        total += (now - before) / (1 + rate) ** month
        before = now
    return total[place] * model.p_alive(rows["frequency"], rows["recency"], rows["T"])


def draw_parameters(
    model: PurchaseModel, spend: SpendModel, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Joint draws of both models' parameters from their asymptotic distribution (normal in logarithms).

    Returns
    -------
    arrays draws × parameters and draws × 3. Spend draws without a finite mean order (q ≤ 1.05) are drawn again.
    """
    theta = draw_parameters_of(model, draws, rng)
    pool = np.exp(rng.multivariate_normal(np.log(spend.theta), spend.covariance, 20 * draws))
    sound = pool[pool[:, 1] > _SAFE_TAIL][:draws]
    if len(sound) < draws:
        sound = np.tile(spend.theta, (draws, 1))
    return theta, sound


def draw_parameters_of(model: PurchaseModel, draws: int, rng: np.random.Generator) -> Floats:
    """Draws × parameters of a purchase model, as uncertain as the fit leaves them."""
    drawn: Floats = np.exp(rng.multivariate_normal(np.log(model.theta), model.covariance, draws))
    return drawn


def simulate(
    rows: pd.DataFrame,
    model: PurchaseModel,
    spend: SpendModel,
    factor: Floats,
    horizon_days: float,
    interval: float,
    seed: int,
    draws: int | None = None,
) -> Simulation:
    """Draw parameters and, from the exact posterior under each draw, what every customer does over the horizon.

    Parameters
    ----------
    factor : per row, what one unit of undiscounted spend is worth: margin × mean discount.
    draws : 400 unless told; fewer, but at least 100, where there are more than 200 000 distinct rows.

    Notes
    -----
    Rows stand for ``weight`` customers. A total adds, per row, ``weight`` times its expectation and √weight times
    the deviation of the one customer drawn: the mean and variance of that many independent customers, exact for 1.
    """
    rng = np.random.default_rng(seed)
    draws = draws or int(np.clip(MOST_CELLS // max(1, len(rows)), FEWEST_DRAWS, DRAWS))
    thetas, phis = draw_parameters(model, spend, draws, rng)
    low, high = np.empty(len(rows)), np.empty(len(rows))
    expected_total, total = np.zeros(draws), np.zeros(draws)
    order = np.lexsort((rows["T"], rows["frequency"]))
    step = max(1, CELLS // draws)
    tails = [(1 - interval) / 2, (1 + interval) / 2]
    for start in range(0, len(rows), step):
        part = order[start : start + step]
        chunk, scale = rows.iloc[part], factor[part, None]
        weight = chunk["weight"].to_numpy(float)[:, None]
        alive = _alive(chunk, model, thetas)
        drawn = scale * _draw_spend(chunk, model, thetas, phis, horizon_days, alive, rng)
        mean = scale * alive * _expected_spend(chunk, model, thetas, phis, horizon_days)
        low[part], high[part] = np.quantile(drawn, tails, axis=1)
        expected_total += (weight * mean).sum(axis=0)
        total += (weight * mean + np.sqrt(weight) * (drawn - mean)).sum(axis=0)
    return Simulation(low, high, expected_total, total)


def draw_purchases(
    rows: pd.DataFrame, model: PurchaseModel, thetas: Floats, days: float, rng: np.random.Generator
) -> Floats:
    """Purchases of one customer per row and parameter draw over the next ``days``, from the exact posterior."""
    return _draw_purchases(rows, model, thetas, days, _alive(rows, model, thetas), rng)


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
    pairs, place = _distinct_pairs(rows)
    x, m = rows["frequency"].to_numpy(float)[:, None], rows["monetary_value"].to_numpy(float)[:, None]
    bought = np.column_stack([_if_alive(model, theta, days, pairs) for theta in thetas])[place]
    return bought * spend_model.expected_order_value(phis.T, x, m)


def _alive(rows: pd.DataFrame, model: PurchaseModel, thetas: Floats) -> Floats:
    """P(alive) of each row under each parameter draw: rows × draws, each history computed once."""
    histories = rows[HISTORY].to_numpy(float)
    distinct, place = np.unique(histories, axis=0, return_inverse=True)
    x, last, age = (distinct[:, [column]] for column in range(3))
    return model.p_alive(x, last, age, thetas.T)[place.ravel()]


def _distinct_pairs(rows: pd.DataFrame) -> tuple[Floats, np.ndarray]:
    """The distinct (frequency, T) among the rows, and each row's place among them."""
    pairs, place = np.unique(rows[["frequency", "T"]].to_numpy(float), axis=0, return_inverse=True)
    return pairs, place.ravel()


def _if_alive(model: PurchaseModel, theta: Floats, days: float, pairs: Floats) -> Floats:
    return model.purchases_if_alive(days, pairs[:, 0], pairs[:, 1], theta)
