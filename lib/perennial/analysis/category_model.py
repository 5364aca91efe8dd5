"""The probability of adding a category, from the categories held and how recently anything was bought.

The state of a customer is the set of categories bought so far and how recently anything was bought. From everybody
who had not yet bought category *j* when a period began, the share who added it is counted: overall, by recency, and by
each category held or not held. The probability for a customer is the rate of its recency band times the lifts of what
is held and of what is not, damped: categories come in company, so that their lifts count the same evidence several
times. The damping is the one that fits the past period best. Every rate is pulled towards the next coarser one with
the weight of one percent of the base, so that rare combinations say little.

Sets of categories are bits of an integer, so that learning and predicting see each distinct state once, with its number
of customers, and cost does not grow with the base.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

PRIOR_SHARE = 0.01  # of the base: weight of the coarser rate, unchanged when every customer is there twice
DAMPINGS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
STATES_TO_TUNE = 50_000  # distinct states at most, evenly spread, that choose the damping
RECENCY_BANDS = 4  # last purchase within 1/3, 1, 2 periods, longer ago


@dataclass(frozen=True)
class CategoryModel:
    """What one or more past periods taught; arrays by category added (j), those of pairs by category held (i) first."""

    names: list[str]
    base: np.ndarray  # (j) share of those without j who add it
    by_band: np.ndarray  # (band, j)
    lift: np.ndarray  # (i, j): rate of adding j where i is held, over the base rate
    lift_without: np.ndarray  # (i, j): the same where i is not held
    damping: float = 0.0
    others: np.ndarray | None = None  # (j) customers without j, once per period seen: what ``base`` is a share of


def unpack(bits: ArrayLike, count: int) -> np.ndarray:
    """Integers → rows of ``count`` flags (0.0 or 1.0)."""
    return ((np.asarray(bits, dtype=np.int64)[:, None] >> np.arange(count)) & 1).astype(float)


def learn(moves: pd.DataFrame, names: list[str]) -> CategoryModel:
    """Rates of adding each category, from the distinct moves of one past period."""
    count, n = len(names), moves["n"].to_numpy(float)
    held, bought = unpack(moves["held"], count), unpack(moves["bought"], count)
    weight = PRIOR_SHARE * max(n.sum(), 1.0)  # a share of the customers and periods seen
    at_risk, adds = n[:, None] * (1 - held), n[:, None] * (1 - held) * bought
    base = adds.sum(0) / np.maximum(at_risk.sum(0), 1e-12)
    bands = np.eye(RECENCY_BANDS)[moves["band"].to_numpy(int)]
    by_band = (bands.T @ adds + weight * base) / (bands.T @ at_risk + weight)
    lift, without = (_lift(side, at_risk, adds, base, weight) for side in (held, 1 - held))
    model = CategoryModel(names, base, by_band, lift, without, others=at_risk.sum(0))
    return replace(model, damping=_best_damping(model, moves))


def _lift(side: np.ndarray, at_risk: np.ndarray, adds: np.ndarray, base: np.ndarray, weight: float) -> np.ndarray:
    rate = (side.T @ adds + weight * base) / (side.T @ at_risk + weight)
    lift = np.divide(rate, base, out=np.ones_like(rate), where=base > 0)
    np.fill_diagonal(lift, 1.0)  # whether j itself is held is what decides who is at risk
    return lift


def _best_damping(model: CategoryModel, moves: pd.DataFrame) -> float:
    """The damping with the highest likelihood of the additions of the past period."""
    some = moves.iloc[:: -(-len(moves) // STATES_TO_TUNE)] if len(moves) else moves
    open_ = unpack(some["held"], len(model.names)) == 0
    added = unpack(some["bought"], len(model.names))

    def likelihood(damping: float) -> float:
        chance = probabilities(replace(model, damping=damping), some["held"].to_numpy(), some["band"].to_numpy(int))
        chance = np.clip(chance, 1e-9, 1 - 1e-9)
        logs = np.where(added > 0, np.log(chance), np.log(1 - chance))
        return float((some["n"].to_numpy(float)[:, None] * np.where(open_, logs, 0)).sum())

    return max(DAMPINGS, key=likelihood)


def probabilities(model: CategoryModel, held_bits: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Probability of adding each category in the next period; 0 for those already held. Shape (states, categories)."""
    held = unpack(held_bits, len(model.names))
    evidence = held @ np.log(model.lift) + (1 - held) @ np.log(model.lift_without)
    return np.where(held > 0, 0.0, np.clip(model.by_band[bands] * np.exp(model.damping * evidence), 0, 1))


def compare_precision(
    model: np.ndarray, popular: np.ndarray, added: np.ndarray, n: np.ndarray, k: int
) -> dict[str, float]:
    """Share of the k best-scored categories that were added: model, popularity, difference and its standard error."""
    some = (popular > 0).sum(axis=1) >= k
    people = n[some].sum()
    if not people:
        return {}
    shares = [_hits(score[some], added[some], k) for score in (model, popular)]
    means = [float(n[some] @ share / people) for share in shares]
    gain = shares[0] - shares[1] - (means[0] - means[1])
    error = float(np.sqrt(n[some] @ gain**2) / people)
    keys = (f"precision_{k}", f"popularity_{k}", f"gain_{k}", f"gain_error_{k}")
    return dict(zip(keys, (*means, means[0] - means[1], error), strict=True))


def _hits(score: np.ndarray, added: np.ndarray, k: int) -> np.ndarray:
    order = np.argsort(-score, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(added, order, axis=1).mean(axis=1)
