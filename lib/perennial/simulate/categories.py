"""What is in an order: categories that lead to one another, products, quantities, margins, channels and returns."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

CATEGORIES = ["coffee", "tea", "machines", "grinders", "filters", "cleaning", "cups", "snacks"]
POPULARITY = np.array([0.32, 0.16, 0.12, 0.06, 0.08, 0.05, 0.11, 0.10])
PRICE_WEIGHT = np.array([1.0, 0.8, 3.0, 2.0, 0.4, 0.4, 0.7, 0.5])
MARGIN_RATE = np.array([0.34, 0.38, 0.22, 0.26, 0.45, 0.42, 0.40, 0.30])
AFFINITIES = {  # holding the first multiplies the hazard of adding the second
    ("coffee", "filters"): 3.0,
    ("coffee", "grinders"): 3.0,
    ("machines", "cleaning"): 5.0,
    ("machines", "coffee"): 2.5,
    ("grinders", "machines"): 2.5,
    ("tea", "cups"): 3.0,
    ("tea", "snacks"): 2.0,
}
PREFERENCE_SHAPE = 2.0  # Gamma(2, 2) tastes: mean 1
ADOPTION_RATE = 0.35  # hazard per order of a category of popularity 1, before taste and affinity
GROWING_ADOPTION = 2.0  # factor on the hazard once a customer is growing
EXTRA_LINE = 0.4  # each of two further lines is in the order with this probability
PRODUCTS = 6  # per category
DISCOUNTED = 0.2
DISCOUNT_RATES = [0.05, 0.10, 0.15]
RETURNED = 0.02  # share of orders with a returned line
CHANNELS = ["online", "store", "phone"]
CHANNEL_TASTES = [2.0, 1.2, 0.5]  # Dirichlet


def affinity_matrix() -> np.ndarray:
    """Multipliers on the hazard of adding a category (column) for each one held (row); 1 where nothing is stated."""
    matrix = np.ones((len(CATEGORIES), len(CATEGORIES)))
    for (held, added), factor in AFFINITIES.items():
        matrix[CATEGORIES.index(held), CATEGORIES.index(added)] = factor
    return matrix


def draw_lines(orders: pd.DataFrame, people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The orders' lines: 1–3 categories each, amounts adding up to the order's to the cent.

    ``orders`` has who, day, amount, order_id, sorted by customer and time. Returns one row per line: ``order`` (row of
    ``orders``), ``category`` (index), and the transaction columns but for the customer and the time.
    """
    lines = pd.concat(list(_walk_orders(orders, people, rng)), ignore_index=True).sort_values(
        ["order", "slot"], kind="stable", ignore_index=True
    )
    row, category = lines["order"].to_numpy(), lines["category"].to_numpy()
    lines["amount"] = _split_amounts(orders["amount"].to_numpy(), row, PRICE_WEIGHT[category], rng)
    lines["product"] = np.floor(PRODUCTS * rng.random(len(lines)) ** 2).astype(int)
    segment = people["segment"].to_numpy()[orders["who"].to_numpy()[row]]
    lines["quantity"] = 1 + rng.poisson(np.array([0.4, 2.0, 6.0])[segment])
    rate = np.where(rng.random(len(orders)) < DISCOUNTED, rng.choice(DISCOUNT_RATES, len(orders)), 0.0)[row]
    lines["discount"] = np.round(lines["amount"] * rate / (1 - rate), 2)
    noise = 1 + 0.1 * rng.standard_normal(len(lines))
    lines["margin"] = np.round(lines["amount"] * MARGIN_RATE[category] * noise - 0.5 * lines["discount"], 2)
    lines["channel"] = _draw_channels(orders["who"].to_numpy(), len(people), rng)[row]
    return lines


def _walk_orders(orders: pd.DataFrame, people: pd.DataFrame, rng: np.random.Generator) -> Iterator[pd.DataFrame]:
    """All first orders, then all second ones …: what each customer holds decides what it may add."""
    who, number = orders["who"].to_numpy(), orders.groupby("who").cumcount().to_numpy()
    growing = orders["day"].to_numpy() > people["growing_from"].fillna(np.inf).to_numpy()[who]
    taste = rng.gamma(PREFERENCE_SHAPE, 1 / PREFERENCE_SHAPE, (len(people), len(CATEGORIES)))
    held = np.zeros((len(people), len(CATEGORIES)), dtype=bool)
    by_number = np.argsort(number, kind="stable")
    for rows in np.split(by_number, np.flatnonzero(np.diff(number[by_number])) + 1):
        one = who[rows]
        added = _draw_added(held[one], taste[one], growing[rows], rng)
        held[one] |= added
        yield _pick_categories(rows, held[one], added, taste[one], rng)


def _draw_added(held: np.ndarray, taste: np.ndarray, growing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At most one new category per customer and order; a first order always adds one."""
    hazard = np.where(held, 0.0, POPULARITY * taste * np.exp(held @ np.log(affinity_matrix())))
    total = ADOPTION_RATE * hazard.sum(axis=1) * np.where(growing, GROWING_ADOPTION, 1.0)
    adds = (rng.random(len(held)) < 1 - np.exp(-total)) | ~held.any(axis=1)
    with np.errstate(divide="ignore"):
        which = np.argmax(np.log(hazard) + rng.gumbel(size=hazard.shape), axis=1)
    added = np.zeros_like(held)
    added[np.flatnonzero(adds), which[adds]] = True
    return added & ~held


def _pick_categories(
    rows: np.ndarray, held: np.ndarray, added: np.ndarray, taste: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """One to three of the categories held, the newly added one always among them."""
    wanted = np.minimum(1 + rng.binomial(2, EXTRA_LINE, len(rows)), held.sum(axis=1))
    score = np.log(POPULARITY * taste + 1e-9) + rng.gumbel(size=held.shape)
    score = np.where(held, score, -np.inf) + np.where(added, 1e6, 0.0)
    ranked = np.argsort(-score, axis=1, kind="stable")
    at, slot = np.nonzero(np.arange(3) < wanted[:, None])
    return pd.DataFrame({"order": rows[at], "slot": slot, "category": ranked[at, slot]})


def _split_amounts(totals: np.ndarray, row: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each order's cents shared out over its lines by price; the first line takes what rounding leaves."""
    part = weight * rng.gamma(4.0, size=len(row))
    share = part / np.bincount(row, part, minlength=len(totals))[row]
    cents = np.round(totals * 100).astype(int)
    each = np.maximum(np.floor(cents[row] * share).astype(int), 1)
    left = cents - np.bincount(row, each, minlength=len(totals)).astype(int)
    first = np.flatnonzero(np.r_[True, np.diff(row) != 0])
    each[first] += left[row[first]]
    return each / 100


def _draw_channels(who: np.ndarray, people: int, rng: np.random.Generator) -> np.ndarray:
    tastes = rng.dirichlet(CHANNEL_TASTES, people).cumsum(axis=1)
    index = (rng.random(len(who))[:, None] > tastes[who]).sum(axis=1)
    return np.array(CHANNELS, dtype=object)[np.minimum(index, len(CHANNELS) - 1)]


def draw_returns(lines: pd.DataFrame, day: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Lines sent back whole, 3–25 days later: the same order, negative amount, quantity, margin and discount.

    ``day`` is each line's order day; the result carries its own in the column ``day``.
    """
    chosen = (rng.random(len(lines)) < RETURNED) & (lines["slot"].to_numpy() == 0)
    back = lines[chosen].copy()
    for column in ["amount", "quantity", "margin", "discount"]:
        back[column] = -back[column]
    back["day"] = day[chosen] + rng.uniform(3, 25, len(back))
    return back
