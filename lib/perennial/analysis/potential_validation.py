"""Does the score find later growth? Tried out of time, against past spend and beyond regression to the mean.

The score is made from what was known one hold-out before the end. Growth is the spend of the hold-out less the
customer's own average for as long a time in the year before. Low spenders grow and high spenders shrink with no cause
at all, so the baseline is a regression of later spend on past spend (of the year, and of its last part), and the score
has to *add* to it: the partial rank correlation of score and later spend given both.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.quadrants import LOOKS

MOST_CUSTOMERS = 20_000  # every n-th by customer number beyond that
FEWEST_CUSTOMERS = 50
RESAMPLES = 400
PAST_BANDS = 20
FOLDS = 5


@dataclass(frozen=True)
class Validation:
    """How the score did on the hold-out.

    Attributes
    ----------
    reason : why there is none; empty otherwise.
    cut : last day the score knew; ``days`` : length of the hold-out.
    tests : one row per test: ``test`` ("score", "past_spend": rank correlation with growth; "gain": their difference;
        "added": partial rank correlation of the score with later spend given past spend; "added_complete": the same
        among customers with all measured looks known; "look_wallet" …: the same for each look alone), ``customers,
        value, low, high``.
    deciles : one row per tenth of the score, lowest first: ``decile`` (1–10), ``customers, score, past`` (own average
        of the year before), ``later, expected`` (mean money per customer and hold-out; expected from past spend alone,
        cross-fitted), ``lift`` (later ÷ expected) with ``lift_low, lift_high``, ``growers_share``.
    """

    reason: str
    cut: dt.date | None = None
    days: int = 0
    tests: pd.DataFrame | None = None
    deciles: pd.DataFrame | None = None


def holdout_length(span_days: int, asked: int | None) -> int:
    """A third of the history, unless the client says otherwise (never more than a third: features need a past)."""
    return min(asked or span_days // 3, span_days // 3)


def later_spend(transactions: ir.Table, scored: ir.Table, cut: dt.date, days: int) -> pd.DataFrame:
    """Per customer of ``scored``: score, looks, spend of the year before (``year``), of the last ``days`` before the
    cut (``recent``) and of the hold-out (``later``).

    Numbers only, of at most :data:`MOST_CUSTOMERS` customers.
    """
    start, end = cut - dt.timedelta(days=days), cut + dt.timedelta(days=days)
    lines = transactions.filter(transactions.ordered_on > ibis.date(start), transactions.ordered_on <= ibis.date(end))
    before = lines.ordered_on <= ibis.date(cut)
    sums = lines.group_by("customer_id").agg(
        recent=lines.amount.sum(where=before).cast("float64"), later=lines.amount.sum(where=~before).cast("float64")
    )
    joined = scored.left_join(sums, "customer_id").drop("customer_id_right")
    joined = joined.mutate(
        year=joined.spend_12m.cast("float64"), place=ibis.row_number().over(order_by=joined.customer_id)
    )
    step = -(-int(joined.count().to_pandas()) // MOST_CUSTOMERS) or 1
    columns = ["potential_score", *(f"{look}_score" for look in LOOKS), "year", "recent", "later"]
    frame = joined.filter(joined.place % step == 0).order_by("place").select(columns).to_pandas()
    return frame.astype(float).fillna({"recent": 0.0, "later": 0.0})


def validate_score(
    frame: pd.DataFrame, cut: dt.date, days: int, window_days: int, measured: dict[str, bool], parameters: Any
) -> Validation:
    """All tests from :func:`later_spend`'s frame; ``window_days`` is the time that ``year`` covers."""
    rng, level = np.random.default_rng(parameters.seed), parameters.interval
    frame = frame.assign(past=frame["year"] * days / window_days)
    frame["expected"] = expected_spend(frame, rng)
    draws = rng.poisson(1.0, (RESAMPLES, len(frame)))
    growth = frame["later"] - frame["past"]
    score = _correlations(frame["potential_score"].rank(), growth.rank(), draws)
    baseline = _correlations((frame["expected"] - frame["past"]).rank(), growth.rank(), draws)
    everyone = np.ones(len(frame), dtype=bool)
    rows = [
        ("score", len(frame), *_bounds(score, level)),
        ("past_spend", len(frame), *_bounds(baseline, level)),
        ("gain", len(frame), *_bounds(score - baseline, level)),
        ("added", len(frame), *_partial(frame, "potential_score", everyone, draws, level)),
    ]
    used = [f"{look}_score" for look in LOOKS if measured[look]]
    groups = {f"look_{column.removesuffix('_score')}": (column, frame[column].notna().to_numpy()) for column in used}
    complete = frame[used].notna().all(axis=1).to_numpy()
    if not complete.all():
        groups = {"added_complete": ("potential_score", complete), **groups}
    for name, (column, known) in groups.items():
        if known.sum() >= FEWEST_CUSTOMERS:
            rows.append((name, int(known.sum()), *_partial(frame, column, known, draws, level)))
    tests = pd.DataFrame(rows, columns=["test", "customers", "value", "low", "high"])
    return Validation("", cut, days, tests, _deciles(frame, draws, level))


def expected_spend(frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Mean later spend of *other* customers with about the same past spend: movement under no change.

    Later spend is regressed on the spend of the year and of its last part; customers with about the same prediction
    (twentieths) are averaged. Fitted on four fifths of the customers, read for the fifth.
    """
    design = np.column_stack([np.ones(len(frame)), frame["year"], frame["recent"]])
    later, folds = frame["later"].to_numpy(), rng.permutation(len(frame)) % FOLDS
    expected = np.empty(len(frame))
    for fold in range(FOLDS):
        train = folds != fold
        index = design @ np.linalg.lstsq(design[train], later[train], rcond=None)[0]
        edges = np.unique(np.quantile(index[train], np.arange(1, PAST_BANDS) / PAST_BANDS))
        bands = np.searchsorted(edges, index)
        means = pd.Series(later[train]).groupby(bands[train]).mean()
        expected[~train] = means.reindex(bands[~train]).fillna(later[train].mean()).to_numpy()
    return expected


def _correlations(a: pd.Series | np.ndarray, b: pd.Series | np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Correlation of two columns of ranks: as they are first, then once per resample (counts of each customer)."""
    a, b = ((np.asarray(x) - np.mean(x)) / (np.std(x) or 1.0) for x in (a, b))
    weights = np.vstack([np.ones((1, len(a))), draws])
    moments = weights @ np.column_stack([a, b, a * a, b * b, a * b]) / np.maximum(weights.sum(axis=1), 1)[:, None]
    mean_a, mean_b, aa, bb, ab = moments.T
    spread = np.sqrt(np.maximum(aa - mean_a**2, 0) * np.maximum(bb - mean_b**2, 0))
    return np.divide(ab - mean_a * mean_b, spread, out=np.zeros_like(ab), where=spread > 1e-9)


def _partial(
    frame: pd.DataFrame, column: str, known: np.ndarray, draws: np.ndarray, level: float
) -> tuple[float, float, float]:
    """Partial rank correlation of a column with later spend, given past spend of the year and of its last part."""
    ranks = frame.loc[known, [column, "later", "year", "recent"]].rank()
    controls = np.column_stack([np.ones(len(ranks)), ranks["year"], ranks["recent"]])
    own, later = (_without(ranks[name].to_numpy(), controls) for name in (column, "later"))
    return _bounds(_correlations(own, later, draws[:, known]), level)


def _without(column: np.ndarray, controls: np.ndarray) -> np.ndarray:
    rest = column - controls @ np.linalg.lstsq(controls, column, rcond=None)[0]
    return rest if rest.std() > 1e-6 * len(rest) else np.zeros_like(rest)  # ranks: anything less is rounding


def _bounds(values: np.ndarray, level: float) -> tuple[float, float, float]:
    low, high = np.quantile(values[1:], [(1 - level) / 2, (1 + level) / 2])
    return float(values[0]), float(low), float(high)


def _deciles(frame: pd.DataFrame, draws: np.ndarray, level: float) -> pd.DataFrame:
    """Tenths of the score; ties stay together, so that few distinct scores make fewer groups."""
    ranks = frame["potential_score"].rank(method="average").to_numpy() - 0.5
    tenth = np.minimum((10 * ranks / len(frame)).astype(int), 9) + 1
    rows = frame.assign(decile=tenth, grew=frame["later"] > frame["past"])
    out = rows.groupby("decile").agg(
        customers=("past", "size"), score=("potential_score", "mean"), past=("past", "mean"), later=("later", "mean"),
        expected=("expected", "mean"), growers_share=("grew", "mean"),
    ).reset_index()  # fmt: skip
    out["lift"] = out["later"] / out["expected"].where(out["expected"] > 0)
    bounds = [_lift_bounds(rows[tenth == d], draws[:, tenth == d], level) for d in out["decile"]]
    out[["lift_low", "lift_high"]] = bounds
    return out


def _lift_bounds(rows: pd.DataFrame, draws: np.ndarray, level: float) -> tuple[float, float]:
    later, expected = draws @ rows["later"].to_numpy(), draws @ rows["expected"].to_numpy()
    lifts = later[expected > 0] / expected[expected > 0]
    if not len(lifts):
        return float("nan"), float("nan")
    low, high = np.quantile(lifts, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
