"""How the purchase model sees the customers: counts it expects, who is active, how much customers differ.

Small frames for pictures; everything is computed once per distinct history, from the fitted parameters.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import betainc, betaincinv, gammainc, gammaincinv

from perennial.analysis import spend_model
from perennial.analysis.clv import MONTH_DAYS
from perennial.analysis.next_order import probability_of_order
from perennial.analysis.purchase_model import DAYS_PER_WEEK, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach, standard_error
from perennial.analysis.value import Piece, ValueResult

TOP_COUNT = 7  # bars before the last, which is open
WIDTHS = (1, 2, 5, 10, 20, 50, 100)  # counts in a bar
WEEKS_PER_YEAR = 365.25 / DAYS_PER_WEEK
BINS = 30
SHOWN = 0.95  # share of customers that the bins of an open-ended quantity reach
QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}


def count_fit(rows: pd.DataFrame, model: PurchaseModel, interval: float) -> pd.DataFrame:
    """Customers by repeat purchase days so far, beside the exact number the model expects.

    Expected is Σ P(X(T_i) = n) over customers, each with their own time since the first purchase; not simulated. Bars
    are 0, 1 … 6 and 7 and more; where that last bar would hold most customers, each is 2, 5, 10 … counts wide.

    Returns
    -------
    frame ``first, last`` (counts of the bar; last missing: and more), ``actual, expected`` (customers), ``low, high``
    (where chance alone would leave the actual number if the model were right: customers buy independently, so its
    variance is Σ p(1 − p)) and ``miss``, (actual − expected)² / expected, the bar's part of a chi-square sum.
    """
    width = _bar_width(rows)
    ages = rows.groupby("T")["weight"].sum()
    people, age = ages.to_numpy(float), ages.index.to_numpy(float)
    chances = model.probability_of_new(np.arange(TOP_COUNT * width)[:, None], age)
    chances = chances.reshape(TOP_COUNT, width, len(age)).sum(axis=1)
    chances = np.vstack([chances, np.clip(1 - chances.sum(axis=0), 0, 1)])
    expected = chances @ people
    wide = reach(interval) * np.sqrt((chances * (1 - chances)) @ people)
    made = np.minimum(rows["frequency"].to_numpy(int) // width, TOP_COUNT)
    actual = np.bincount(made, rows["weight"], minlength=TOP_COUNT + 1).astype(float)
    first = np.arange(TOP_COUNT + 1) * width
    return pd.DataFrame(
        {
            "first": first,
            "last": np.append(first[:-1] + width - 1.0, np.nan),
            "actual": actual,
            "expected": expected,
            "low": np.maximum(expected - wide, 0),
            "high": expected + wide,
            "miss": np.square(actual - expected) / np.maximum(expected, 1e-12),
        }
    )


def _bar_width(rows: pd.DataFrame) -> int:
    total = float(rows["weight"].sum())
    for width in WIDTHS:
        if float(rows.loc[rows["frequency"] >= TOP_COUNT * width, "weight"].sum()) <= total / 2:
            return width
    return WIDTHS[-1]


def rate_spread(model: PurchaseModel, years: float = 1.0) -> pd.DataFrame:
    """How much customers differ in purchases while active, per so many years: Gamma(r, alpha) of all four models.

    Returns
    -------
    frame ``mark`` (empty for bins), ``low, high`` (purchases in that time) and ``share`` of customers in the bin. Bins
    of one width reach the 95th percentile. Marks (mean and quartiles) stand in ``low``, their standard errors in
    ``error``.
    """

    weeks = years * WEEKS_PER_YEAR

    def inverse(theta: Floats, share: float) -> float:
        return float(gammaincinv(theta[0], share) / theta[1] * weeks)

    edges = np.linspace(0, inverse(model.theta, SHOWN), BINS + 1)
    shares = np.diff(gammainc(model.theta[0], edges / weeks * model.theta[1]))
    return _spread(model, edges, shares, lambda theta: float(theta[0] / theta[1] * weeks), inverse)


def leaving_spread(model: PurchaseModel) -> pd.DataFrame:
    """How much customers differ in their chance to leave: after a purchase, in Pareto/NBD within a year.

    Beta(a, b) of BG/NBD and MBG/NBD; in Pareto/NBD 1 − e^(−μ · one year) with hazards μ ~ Gamma(s, beta).

    Returns
    -------
    frame as of :func:`rate_spread`, with chances for rates, in twenty bins from 0 to 1, or to the 95th percentile where
    that is below one half; empty where nobody leaves.
    """
    if not model.lets_leave:
        return pd.DataFrame()
    by_hazard = model.name == "Pareto/NBD"
    top = (_within_a_year if by_hazard else _after_each)(model.theta, SHOWN)
    edges = np.linspace(0, top if top < 0.5 else 1.0, 21)
    if by_hazard:
        hazards = -np.log1p(-np.minimum(edges, 1 - 1e-16)) / WEEKS_PER_YEAR
        below = np.where(edges < 1, gammainc(model.theta[2], hazards * model.theta[3]), 1.0)
        return _spread(model, edges, np.diff(below), _mean_within_a_year, _within_a_year)
    below = betainc(model.theta[2], model.theta[3], edges)
    return _spread(model, edges, np.diff(below), lambda theta: float(theta[2] / (theta[2] + theta[3])), _after_each)


def _within_a_year(theta: Floats, share: float) -> float:
    """The chance to leave within a year below which this share of customers lies, Pareto/NBD."""
    return float(-np.expm1(-gammaincinv(theta[2], share) / theta[3] * WEEKS_PER_YEAR))


def _mean_within_a_year(theta: Floats) -> float:
    return float(1 - (theta[3] / (theta[3] + WEEKS_PER_YEAR)) ** theta[2])


def _after_each(theta: Floats, share: float) -> float:
    """The chance to leave after a purchase below which this share of customers lies, BG/NBD and MBG/NBD."""
    return float(betaincinv(theta[2], theta[3], share))


def _spread(
    model: PurchaseModel,
    edges: Floats,
    shares: Floats,
    mean: Callable[[Floats], float],
    inverse: Callable[[Floats, float], float],
) -> pd.DataFrame:
    bins = pd.DataFrame({"mark": "", "low": edges[:-1], "high": edges[1:], "share": shares, "error": np.nan})
    marks: dict[str, Callable[[Floats], float]] = {"mean": mean}
    marks |= {name: partial(_at, inverse, at) for name, at in QUARTILES.items()}
    named = pd.DataFrame(
        {
            "mark": list(marks),
            "low": [of(model.theta) for of in marks.values()],
            "high": np.nan,
            "share": np.nan,
            "error": [float(standard_error(model.theta, model.covariance, of)) for of in marks.values()],
        }
    )
    return pd.concat([bins, named], ignore_index=True)


def _at(inverse: Callable[[Floats, float], float], share: float, theta: Floats) -> float:
    return inverse(theta, share)


def value_spread(rows: pd.DataFrame) -> pd.DataFrame:
    """Customers by expected value, in bins of one width to the 95th percentile.

    Returns
    -------
    frame ``mark`` (empty for bins), ``low, high`` (currency), ``share`` of all customers; median and mean stand in
    ``low`` of rows with a ``mark``.
    """
    ranked = rows.sort_values("clv", kind="stable")
    worth, weight = ranked["clv"].to_numpy(float), ranked["weight"].to_numpy(float)
    top = max(_quantile(worth, weight, SHOWN), 1e-9)
    edges = np.linspace(0, top, BINS + 1)
    shares = np.histogram(worth, edges, weights=weight)[0] / weight.sum()
    bins = pd.DataFrame({"mark": "", "low": edges[:-1], "high": edges[1:], "share": shares})
    marks = {"median": _quantile(worth, weight, 0.5), "mean": float(worth @ weight / weight.sum())}
    named = pd.DataFrame({"mark": list(marks), "low": list(marks.values()), "high": np.nan, "share": np.nan})
    return pd.concat([bins, named], ignore_index=True)


def _quantile(ordered: Floats, weight: Floats, share: float) -> float:
    people = np.cumsum(weight)
    return float(ordered[min(int(np.searchsorted(people, share * people[-1])), len(ordered) - 1)])


def share_bringing(worth: Floats, weight: Floats, share: float = 0.8) -> float:
    """Smallest share of the customers who together bring this share of what all are expected to bring.

    Parameters
    ----------
    worth, weight : expected value (or purchases) of each row's customer, and customers.
    """
    order = np.argsort(-worth, kind="stable")
    value = np.concatenate([[0.0], np.cumsum((worth * weight)[order])])
    people = np.concatenate([[0.0], np.cumsum(weight[order])])
    if not value[-1]:
        return float("nan")
    return float(np.interp(share * value[-1], value, people) / people[-1])


def share_bringing_error(result: ValueResult, share: float = 0.8) -> float:
    """Standard error of :func:`share_bringing` from the uncertain parameters of all models."""
    errors = [
        error for piece in result.pieces for error in _share_errors(result.rows, piece, _horizon_days(result), share)
    ]
    return float(np.sqrt(np.sum(np.square(errors))))


def _share_errors(rows: pd.DataFrame, piece: Piece, days: float, share: float) -> list[float]:
    """Of the purchase and of the spend model of one group of customers, all else held fast."""
    own, model, spend = piece.rows, piece.models.purchase, piece.models.spend
    place, weight = rows.index.get_indexer(own.index), rows["weight"].to_numpy(float)
    bought = rows["expected_purchases"].to_numpy(float)
    order = rows["expected_order_value"].to_numpy(float) if spend else np.ones(len(rows))

    def of_purchases(theta: Floats) -> float:
        found = bought.copy()
        found[place] = model.at(theta).expected_purchases(days, own["frequency"], own["recency"], own["T"])
        return share_bringing(found * order, weight, share)

    def of_spend(phi: Floats) -> float:
        found = order.copy()
        found[place] = spend_model.expected_order_value(phi, own["frequency"], own["monetary_value"])
        return share_bringing(bought * found, weight, share)

    error = float(standard_error(model.theta, model.covariance, of_purchases))
    return [error, float(standard_error(spend.theta, spend.covariance, of_spend))] if spend else [error]


def orders_ahead(result: ValueResult) -> dict[str, float]:
    """Customers who order at least once in the next period.

    Returns
    -------
    ``expected`` customers, ``error`` (standard error of how many they will be: uncertain parameters and chance) and
    ``likely``, how many have a chance above one half.
    """
    rows, days = result.rows, result.settings["order_days"]
    weight, chance = rows["weight"].to_numpy(float), rows["probability_of_order"].to_numpy(float)
    unsure = sum(_unsure_orders(piece, days) ** 2 for piece in result.pieces)
    return {
        "expected": float(weight @ chance),
        "error": float(np.sqrt(unsure + weight @ (chance * (1 - chance)))),
        "likely": float(weight @ (chance > 0.5)),
    }


def _unsure_orders(piece: Piece, days: float) -> float:
    """Standard error from the uncertain parameters; 0 where they have no covariance."""
    own, model = piece.rows, piece.models.purchase

    def total(theta: Floats) -> float:
        found = probability_of_order(model.at(theta), days, own["frequency"], own["recency"], own["T"])
        return float(own["weight"].to_numpy(float) @ found)

    return float(np.nan_to_num(standard_error(model.theta, model.covariance, total)))


def _horizon_days(result: ValueResult) -> float:
    return int(result.settings["horizon_months"]) * MONTH_DAYS
