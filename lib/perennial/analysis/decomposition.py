"""A change of revenue divided exactly among customers, their mix, orders per customer and order value.

Revenue of group g = customers × share of g × orders per customer of g × revenue per order of g. The change of the
product is spread over its factors by the logarithmic mean Divisia index (LMDI I): factor x of group g gets
L(R₁, R₀) · ln(x₁ / x₀), with L(a, b) = (a − b) / (ln a − ln b). The parts add up to the change without remainder.

Source: B. W. Ang (2005), The LMDI approach to decomposition analysis: a practical guide, Energy Policy 33, 867–871,
equations 3–7; the logarithmic mean: Y. O. Vartia (1976), Ideal log-change index numbers, Scand. J. Statistics 3.
"""

import math

import pandas as pd

DRIVERS = ("customers", "mix", "orders_per_customer", "order_value")
DAYS = "days"  # a fifth driver where the windows are not equally long


def log_mean(a: float, b: float) -> float:
    """The logarithmic mean of two positive numbers: between their geometric and arithmetic mean."""
    step = math.log(a / b)
    return (a + b) / 2 if abs(step) < 1e-6 else (a - b) / step


def decompose(groups: pd.DataFrame, days: tuple[int, int] = (1, 1)) -> pd.DataFrame:
    """Spread a change of revenue over its drivers.

    Parameters
    ----------
    groups : ``group`` and ``customers_, orders_, revenue_`` each ``before`` and ``after``
        (:func:`perennial.analysis.base.window_groups`).
    days : length of the two windows. Where they differ, orders per customer count at the earlier window's length and
        what the extra days bring is a driver of its own, ``"days"``.

    Returns
    -------
    Frame ``driver, before, after, change_rate, effect``; ``effect`` (money) sums to the change of revenue. ``mix`` is
    the shift between the groups and has no level of its own. Where a group's revenue is not above zero on both
    sides there is no logarithm: its whole change goes to customers (none on one side), mix (none of the group) or
    order value.
    """
    total = groups.drop(columns="group").sum()
    drivers = DRIVERS if days[0] == days[1] else (*DRIVERS, DAYS)
    effects = dict.fromkeys(drivers, 0.0)
    for _, group in groups.iterrows():
        for driver, effect in _group_effects(group, total, days).items():
            effects[driver] += effect
    rows = [_row(driver, effects[driver], total, days) for driver in drivers]
    return pd.DataFrame(rows, columns=["driver", "before", "after", "change_rate", "effect"])


def _group_effects(group: pd.Series, total: pd.Series, days: tuple[int, int]) -> dict[str, float]:
    change = float(group["revenue_after"] - group["revenue_before"])
    sides = ("before", "after")
    if min(group[f"revenue_{s}"] for s in sides) <= 0 or min(group[f"orders_{s}"] for s in sides) == 0:
        return {_sole_driver(group, total): change}
    weight = log_mean(float(group["revenue_after"]), float(group["revenue_before"]))
    levels = [_levels(group, total, side) for side in sides]
    effects = {driver: weight * math.log(levels[1][driver] / levels[0][driver]) for driver in DRIVERS}
    if days[0] != days[1]:
        effects[DAYS] = weight * math.log(days[1] / days[0])
        effects["orders_per_customer"] -= effects[DAYS]
    return effects


def _sole_driver(group: pd.Series, total: pd.Series) -> str:
    if min(total["customers_before"], total["customers_after"]) == 0:
        return "customers"
    return "mix" if min(group["customers_before"], group["customers_after"]) == 0 else "order_value"


def _levels(group: pd.Series, total: pd.Series, side: str) -> dict[str, float]:
    customers, orders, revenue = (float(group[f"{name}_{side}"]) for name in ("customers", "orders", "revenue"))
    everyone = float(total[f"customers_{side}"])
    return {
        "customers": everyone,
        "mix": customers / everyone,
        "orders_per_customer": orders / customers,
        "order_value": revenue / orders,
    }


def _row(driver: str, effect: float, total: pd.Series, days: tuple[int, int]) -> tuple[str, float, float, float, float]:
    before, after = (_total_level(driver, total, side) for side in ("before", "after"))
    if driver == DAYS:
        before, after = float(days[0]), float(days[1])
    if driver == "orders_per_customer":
        after *= days[0] / days[1]
    rate = after / before - 1 if before > 0 else math.nan
    return driver, before, after, rate, effect


def _total_level(driver: str, total: pd.Series, side: str) -> float:
    customers, orders, revenue = (float(total[f"{name}_{side}"]) for name in ("customers", "orders", "revenue"))
    if driver == "customers":
        return customers
    if driver == "orders_per_customer":
        return orders / customers if customers else math.nan
    if driver == "order_value":
        return revenue / orders if orders else math.nan
    return math.nan
