"""Has bought A: how likely B next, and what would it bring? Learnt on a past period, tried on a later one.

See :mod:`perennial.analysis.category_model` for the probabilities. Here the engine reduces the lines to the distinct
states (categories held, recency) with their numbers of customers, and joins the predictions back.
"""

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.category_model import CategoryModel, compare_precision, learn, probabilities, unpack
from perennial.analysis.ranks import percentile_rank
from perennial.language import _

MOST_CATEGORIES = 40
PERIOD_DAYS = 91  # one quarter; a quarter of the history where that is shorter
SHORTEST_PERIOD_DAYS = 14
MOST_PERIODS = 4  # past periods to learn from


@dataclass(frozen=True)
class CrossBuy:
    """The look, what it learnt and how it did out of time.

    Attributes
    ----------
    table : Ibis table ``customer_id, expected_additions`` (money of the next period), ``cross_buy_score`` (0 to 1),
        ``next_category, next_probability``; None where not measured.
    reason : why not measured; empty otherwise.
    period_days : length of the period in which an addition is predicted.
    categories : frame ``category, holders, others, added_share, typical_spend``: customers without it (once per period
        learnt from), probability that a customer without it
        adds it in the period, and the mean spend of those who did, in that period.
    lifts : frame, held × added: how many times likelier the addition is with the category held.
    check : precision at 1 and 3 of the model and of popularity, out of time; empty where the history is too short.
    """

    table: ir.Table | None
    reason: str = ""
    period_days: int = 0
    categories: pd.DataFrame | None = None
    lifts: pd.DataFrame | None = None
    check: dict[str, float] | None = None


def measure_cross_buy(transactions: ir.Table, summary: ir.Table, as_of: dt.date, *, check: bool = True) -> CrossBuy:
    """Expected spend in categories not yet bought, per customer of ``summary``, as known on ``as_of``."""
    if "category" not in transactions.columns:
        return CrossBuy(None, _("the transactions have no column 'category'"))
    days = _category_days(transactions, as_of)
    names = _category_names(days)
    first = days.ordered_on.min().to_pandas() if names else None
    span = (as_of - pd.Timestamp(first).date()).days + 1 if first is not None else 0
    period = min(PERIOD_DAYS, span // 4)
    if len(names) < 2 or period < SHORTEST_PERIOD_DAYS:
        return CrossBuy(None, _("fewer than two categories, or less than eight weeks of history"))
    days = _with_bits(days, names).cache()
    cut = as_of - dt.timedelta(days=period)
    model = learn(_past_moves(days, as_of, period, span), names)
    spend = _typical_spend(days, _states(days, cut), cut, as_of, names)
    states = _states(days, as_of)
    predicted = _predict_states(model, states, spend, as_of, period)
    table = _score_customers(states, predicted, summary, as_of, period)
    found = _check(days, names, as_of, period, span) if check and span >= 3 * period + SHORTEST_PERIOD_DAYS else None
    return CrossBuy(table, "", period, _categories(model, spend, predicted), _lifts(model), found)


def _category_days(transactions: ir.Table, as_of: dt.date) -> ir.Table:
    held = transactions.filter(transactions.category.notnull(), transactions.ordered_on <= ibis.date(as_of))
    if "is_return" in held.columns:
        held = held.filter(~held.is_return.fill_null(False))
    return held.group_by("customer_id", "category", "ordered_on").agg(amount=held.amount.sum())


def _category_names(days: ir.Table) -> list[str]:
    """The categories with the most customers; the rest is neither held nor offered."""
    sizes = days.group_by("category").agg(customers=days.customer_id.nunique())
    found = sizes.order_by(ibis.desc("customers"), "category").limit(MOST_CATEGORIES).to_pandas()
    return [str(name) for name in found["category"]]


def _with_bits(days: ir.Table, names: list[str]) -> ir.Table:
    bits = ibis.memtable({"category": names, "bit": [1 << place for place in range(len(names))]})
    return days.join(bits, "category").select("customer_id", "ordered_on", "bit", "amount")


def _states(days: ir.Table, as_of: dt.date) -> ir.Table:
    """``customer_id, held`` (bits), ``bought_on`` (latest day) on ``as_of``."""
    past = days.filter(days.ordered_on <= ibis.date(as_of))
    pairs = past.group_by("customer_id", "bit").agg(bought_on=past.ordered_on.max())
    return pairs.group_by("customer_id").agg(held=pairs.bit.sum().cast("int64"), bought_on=pairs.bought_on.max())


def _bought_within(days: ir.Table, after: dt.date, until: dt.date) -> ir.Table:
    """``customer_id, bought`` (bits) after one day, until another inclusive."""
    within = days.filter(days.ordered_on > ibis.date(after), days.ordered_on <= ibis.date(until))
    pairs = within.select("customer_id", "bit").distinct()
    return pairs.group_by("customer_id").agg(bought=pairs.bit.sum().cast("int64"))


def _band(states: ir.Table, as_of: dt.date, period: int) -> ir.IntegerColumn:
    silence = ibis.date(as_of).delta(states.bought_on, unit="day")
    return ibis.cases((silence < period / 3, 0), (silence < period, 1), (silence < 2 * period, 2), else_=3)


def _transitions(states: ir.Table, bought: ir.Table, as_of: dt.date, period: int) -> pd.DataFrame:
    """Distinct ``held, band, bought`` with the number of customers ``n``."""
    joined = states.left_join(bought, "customer_id")
    joined = joined.select("held", band=_band(joined, as_of, period), bought=joined.bought.fill_null(0))
    counts = joined.group_by("held", "band", "bought").agg(n=joined.count())
    return counts.order_by("held", "band", "bought").to_pandas()


def _past_moves(days: ir.Table, as_of: dt.date, period: int, span: int) -> pd.DataFrame:
    """The moves of the last periods up to ``as_of``, added up; a period of history is left before the first."""
    moves = []
    for back in range(1, 1 + max(1, min(MOST_PERIODS, span // period - 1))):
        start = as_of - dt.timedelta(days=back * period)
        bought = _bought_within(days, start, start + dt.timedelta(days=period))
        moves.append(_transitions(_states(days, start), bought, start, period))
    return pd.concat(moves).groupby(["held", "band", "bought"])["n"].sum().reset_index()


def _typical_spend(days: ir.Table, before: ir.Table, cut: dt.date, until: dt.date, names: list[str]) -> np.ndarray:
    """Mean money of one period in a category among those who added it; 0 where nobody did."""
    within = days.filter(days.ordered_on > ibis.date(cut), days.ordered_on <= ibis.date(until))
    joined = within.join(before.select("customer_id", "held"), "customer_id")
    fresh = joined.filter((joined.held & joined.bit) == 0)
    sums = fresh.group_by("bit").agg(spend=fresh.amount.sum().cast("float64"), people=fresh.customer_id.nunique())
    frame = sums.to_pandas()
    spend = np.zeros(len(names))
    places = np.log2(frame["bit"].to_numpy(float)).round().astype(int)
    spend[places] = np.maximum(frame["spend"].to_numpy(float) / frame["people"].to_numpy(float), 0)
    return spend


def _predict_states(
    model: CategoryModel, states: ir.Table, spend: np.ndarray, as_of: dt.date, period: int
) -> pd.DataFrame:
    """One row per distinct state: expected additions, and the category that would bring most."""
    banded = states.select("held", band=_band(states, as_of, period))
    distinct = banded.group_by("held", "band").agg(n=banded.count()).order_by("held", "band").to_pandas()
    chance = probabilities(model, distinct["held"].to_numpy(), distinct["band"].to_numpy(int))
    scale = spend.max() or 1.0  # rounding in units of the dearest category keeps ranks free of the currency
    value = np.round(chance * (spend / scale), 12)
    best = value.argmax(axis=1)
    rows = np.arange(len(distinct))
    some = value[rows, best] > 0
    return distinct.assign(
        expected_additions=np.round(value.sum(axis=1), 9) * scale,
        next_category=pd.Series(np.where(some, np.array(model.names, dtype=object)[best], None), dtype=object),
        next_probability=np.where(some, chance[rows, best], np.nan),
    )


def _score_customers(
    states: ir.Table, predicted: pd.DataFrame, summary: ir.Table, as_of: dt.date, period: int
) -> ir.Table:
    states = states.mutate(band=_band(states, as_of, period).cast("int64"))
    offers = ibis.memtable(predicted.astype({"band": "int64", "held": "int64"}))
    joined = states.join(offers, ["held", "band"]).semi_join(summary, "customer_id")
    chance = joined.next_probability.nullif(float("nan"))
    category = joined.next_category.cast("string")  # without a type where nobody has one
    joined = joined.select("customer_id", "expected_additions", next_category=category, next_probability=chance)
    return joined.mutate(cross_buy_score=percentile_rank(joined, "expected_additions"))


def _categories(model: CategoryModel, spend: np.ndarray, states: pd.DataFrame) -> pd.DataFrame:
    holders = states["n"].to_numpy() @ unpack(states["held"].to_numpy(), len(model.names)).astype("int64")
    others = np.round(np.zeros(len(holders)) if model.others is None else model.others).astype("int64")
    frame = pd.DataFrame({
        "category": model.names, "holders": holders, "others": others, "added_share": model.base, "typical_spend": spend
    })  # fmt: skip
    return frame.sort_values(["added_share", "category"], ascending=[False, True], ignore_index=True)


def _lifts(model: CategoryModel) -> pd.DataFrame:
    return pd.DataFrame(model.lift, index=pd.Index(model.names, name="held"), columns=model.names)


def _check(days: ir.Table, names: list[str], as_of: dt.date, period: int, span: int) -> dict[str, float]:
    """Learn on the period before the last, predict the last: share of the first k suggestions that were bought."""
    last = as_of - dt.timedelta(days=period)
    model = learn(_past_moves(days, last, period, span - period), names)
    moves = _transitions(_states(days, last), _bought_within(days, last, as_of), last, period)
    chance = probabilities(model, moves["held"].to_numpy(), moves["band"].to_numpy(int))
    open_ = unpack(moves["held"], len(names)) == 0
    popular = np.where(open_, model.base, 0.0)
    added = np.where(open_, unpack(moves["bought"], len(names)), 0.0)
    n = moves["n"].to_numpy(float)
    found = {"damping": model.damping, "customers": float(n.sum()), "predicted": float((n[:, None] * chance).sum())}
    found["added"] = float((n[:, None] * added).sum())
    for k in (1, 3):
        found |= compare_precision(chance, popular, added, n, k)
    return found
