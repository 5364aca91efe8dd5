"""When customers order and for how much: BG/NBD times and Gamma-Gamma amounts.

Sources: Fader, Hardie & Lee, "Counting your customers the easy way" (Marketing Science, 2005);
Fader & Hardie, "The Gamma-Gamma model of monetary value" (2013).
"""

import numpy as np
import pandas as pd

GROWTH_DAYS = 180.0  # time constant of the growing customers' approach to their ceiling


def draw_orders(people: pd.DataFrame, until: float, rng: np.random.Generator) -> pd.DataFrame:
    """Every customer's orders up to ``until`` (days since the start), in continuous time.

    While alive a customer orders as a Poisson process; after each repeat order it leaves for good with its own
    probability. The first order, at ``born``, is never followed by leaving: that is the model's definition.

    Returns the columns ``who`` (row of ``people``), ``number`` (0 for the first), ``day``, ``leaves`` (the customer
    left after this order), sorted by customer and day.
    """
    span = until - people["born"].to_numpy()
    tries = rng.poisson(people["rate"].to_numpy() * span)
    who = np.repeat(np.arange(len(people)), tries)
    day = people["born"].to_numpy()[who] + rng.random(len(who)) * span[who]
    lasts = rng.geometric(np.maximum(people["dropout"].to_numpy(), 1e-12))
    first = pd.DataFrame({"who": np.arange(len(people)), "day": people["born"].to_numpy()})
    orders = pd.concat([first, pd.DataFrame({"who": who, "day": day})], ignore_index=True)
    orders = orders.sort_values(["who", "day"], kind="stable", ignore_index=True)
    orders["number"] = orders.groupby("who").cumcount()
    lasting = lasts[orders["who"].to_numpy()]
    orders["leaves"] = orders["number"] == lasting
    return orders[orders["number"] <= lasting].reset_index(drop=True)


def draw_amounts(orders: pd.DataFrame, people: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Each order's amount in EUR: Gamma(shape, rate nu) of its customer, times the growth factor (1 for most)."""
    row = orders["who"].to_numpy()
    amount = rng.gamma(people["shape"].to_numpy()[row]) / people["nu"].to_numpy()[row]
    return np.maximum(np.round(amount * growth_factor(orders, people), 2), 1.0)


def growth_factor(orders: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """1 + (ceiling − 1)·(1 − exp(−t / 180)), t days after a growing customer's start of growth; 1 for all others."""
    of = people.iloc[orders["who"].to_numpy()]
    after = np.clip(orders["day"].to_numpy() - of["growing_from"].fillna(np.inf).to_numpy(), 0, None)
    return 1 + (of["ceiling"].to_numpy() - 1) * (1 - np.exp(-after / GROWTH_DAYS))
