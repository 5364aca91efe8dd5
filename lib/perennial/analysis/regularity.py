"""Whether customers buy at random, by the clock, or in clumps: the shape of their inter-purchase times.

The purchase models let every customer buy at random (exponential gaps, a Poisson process). If gaps are Erlang or gamma
with shape k, the share that the first of two consecutive gaps takes of both, M, is Beta(k, k), whatever the customer's
own rate: k = 1 random, above 1 regular, below 1 clumpy.

Source: Wheat & Morrison (1990), "Estimating Purchase Regularity with Two Interpurchase Times", J. Marketing Research
27(1), 87–93: k = (1 − 4 Var M) / (8 Var M).
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.special import betainc

from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach
from perennial.errors import ModelError
from perennial.formats import number
from perennial.language import _
from perennial.tables.summary import purchase_days

FEWEST_PAIRS = 50
BINS = 20
LARGEST_SHAPE, SMALLEST_SHAPE = 200.0, 0.02
_STEP = 1e-3  # of log k, for derivatives


@dataclass(frozen=True)
class Regularity:
    """The shape of inter-purchase times.

    Attributes
    ----------
    k, low, high : shape by maximum likelihood for gaps of whole days, and its interval; this one is judged.
    published, published_low, published_high : by the published formula on the days as they are, and its interval.
    variance : of M; 1/12 where customers buy at random in continuous time.
    mean : of M; below ½ the second gap tends to be the longer (customers slow down).
    customers : pairs of gaps, one per customer.
    median_days : half of the customers have two gaps together no longer than this.
    """

    k: float
    low: float
    high: float
    published: float
    published_low: float
    published_high: float
    variance: float
    mean: float
    customers: int
    median_days: float

    @property
    def kind(self) -> str:
        """``regular``, ``random`` or ``clumpy``, by the interval against 1."""
        return "regular" if self.low > 1 else "clumpy" if self.high < 1 else "random"


def gap_pairs(transactions: ir.Table) -> pd.DataFrame:
    """The last two gaps between purchase days of every customer with three or more.

    Returns
    -------
    distinct ``earlier, later`` (whole days, at least 1) and ``weight``, the customers with these two.

    Notes
    -----
    One pair per customer, so that frequent buyers do not weigh more. Long gaps are cut off by the end of the data more
    often than short ones, which would bias any average of gaps; M is free of it, since given the sum of two gaps
    their shares do not depend on when the data ends.
    """
    days = purchase_days(transactions).select("customer_id", "ordered_on")
    window = ibis.window(group_by="customer_id", order_by="ordered_on")
    days = days.mutate(
        before=days.ordered_on.lag().over(window),
        first=days.ordered_on.lag(2).over(window),
        following=days.ordered_on.lead().over(window),
    )
    last = days.filter(days.following.isnull(), days.first.notnull())
    gaps = last.select(
        earlier=last.before.delta(last.first, unit="day"), later=last.ordered_on.delta(last.before, unit="day")
    )
    counted = gaps.group_by("earlier", "later").agg(weight=gaps.count()).to_pandas()
    return counted.sort_values(["earlier", "later"], ignore_index=True)


def estimate_shape(pairs: pd.DataFrame, interval: float = 0.9) -> Regularity:
    """The shape k of inter-purchase times from one pair of gaps per customer.

    Notes
    -----
    Whole days and one purchase day a day hide the shortest gaps: read as they are, random buyers with gaps of a few
    days look regular. So k is judged by the likelihood of the earlier gap among the whole days it could have been
    given the sum s: that of Beta(k, k) on an interval of 1 / (s − 1), exact for random buyers, for whom every day is
    as likely. Its interval is that of the logarithm of k with a robust (sandwich) error, since customers of
    different k are mixed. The published formula's interval is by the delta method on log Var M.

    Raises
    ------
    ModelError : fewer than 50 customers with three purchase days.
    """
    from scipy.optimize import minimize_scalar

    weight = pairs["weight"].to_numpy(float)
    customers = int(weight.sum())
    if customers < FEWEST_PAIRS:
        raise ModelError(
            _("only {n} customers have bought on three days, fewer than the {least} that a regularity needs",
              n=number(customers), least=number(FEWEST_PAIRS))
        )  # fmt: skip
    earlier, both = pairs["earlier"].to_numpy(float), (pairs["earlier"] + pairs["later"]).to_numpy(float)
    share = earlier / both
    mean = float(weight @ share / customers)
    squares = (share - mean) ** 2
    variance = float(weight @ squares / customers)
    informative = both > 2  # two gaps of a day could not have been others
    if variance <= 0 or weight[informative].sum() < FEWEST_PAIRS:
        raise ModelError(_("too few gaps are longer than a day to tell a rhythm in whole days"))
    wide = reach(interval)
    error = float(np.sqrt(weight @ (squares - variance) ** 2)) / customers / variance
    published, published_low, published_high = [
        _shape(variance * float(np.exp(side * wide * error))) for side in (0, 1, -1)
    ]

    e, s, w = earlier[informative], both[informative], weight[informative]

    def each(log_k: float) -> Floats:
        k = float(np.exp(log_k))
        chance = betainc(k, k, e / (s - 1)) - betainc(k, k, (e - 1) / (s - 1))
        return np.asarray(np.log(np.maximum(chance, 1e-300)))

    bounds = (np.log(SMALLEST_SHAPE), np.log(LARGEST_SHAPE))
    best = float(minimize_scalar(lambda log_k: -float(w @ each(log_k)), bounds=bounds, method="bounded").x)
    below, at, above = each(best - _STEP), each(best), each(best + _STEP)
    slope = (above - below) / (2 * _STEP)
    bend = -float(w @ (above - 2 * at + below)) / _STEP**2
    spread = float(np.sqrt(w @ slope**2)) / bend if bend > 0 else np.inf
    middle = np.sort(np.repeat(both, pairs["weight"]))[customers // 2]
    return Regularity(
        float(np.exp(best)), float(np.exp(best - wide * spread)), float(np.exp(best + wide * spread)),
        published, published_low, published_high, variance, mean, customers, float(middle),
    )  # fmt: skip


def _shape(variance: float) -> float:
    """The published formula; 0 where M varies more than any Beta(k, k)."""
    return max(0.0, (1 - 4 * variance) / (8 * variance))


def histogram(pairs: pd.DataFrame, k: float) -> pd.DataFrame:
    """The share of two gaps that the earlier takes, beside Beta(k, k) and random buying.

    A gap of whole days is spread over the shares it may have stood for, ((e − 1) / (s − 1), e / (s − 1)).

    Returns
    -------
    frame ``low, high`` (of the share), ``observed, fitted, random`` (shares of customers).
    """
    edges = np.linspace(0, 1, BINS + 1)
    held = pairs[pairs["earlier"] + pairs["later"] > 2]
    weight = held["weight"].to_numpy(float)
    earlier, rest = held["earlier"].to_numpy(float), (held["earlier"] + held["later"] - 1).to_numpy(float)
    begin, end = (earlier - 1) / rest, earlier / rest
    inside = np.clip(np.minimum.outer(end, edges[1:]) - np.maximum.outer(begin, edges[:-1]), 0, None)
    observed = (weight * rest) @ inside / weight.sum()
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "observed": observed,
            "fitted": np.diff(betainc(k, k, edges)),
            "random": 1 / BINS,
        }
    )


SILENCES = ((0.0, 1.0), (1.0, 2.0), (2.0, np.inf))  # in multiples of the customer's own mean gap


def by_silence(forecasts: pd.DataFrame, model: str, interval: float) -> pd.DataFrame:
    """Forecast and actual purchase days by the silence at the cut against the customer's own mean gap.

    Customers with three or more purchase days. A model that is right is right in every group, because each is
    picked by nothing but its history before the cut; with regular buyers it forecasts too many where the silence is
    longer than the own gap, and too few where it is not.

    Parameters
    ----------
    forecasts : ``frequency, recency, T, actual, weight`` at the cut and the model's forecast in the column ``model``.

    Returns
    -------
    frame ``first, last`` (multiples of the own gap), ``customers``, ``predicted, actual`` (mean purchase days),
    ``bias`` (share of actual), ``low, high`` (its interval, from the spread between customers).
    """

    often = forecasts[forecasts["frequency"] >= 2]
    silence = (often["T"] - often["recency"]) * often["frequency"] / often["recency"]
    lines = []
    for first, last in SILENCES:
        held = often[(silence > first) & (silence <= last)] if first else often[silence <= last]
        weight, actual = held["weight"].to_numpy(float), held["actual"].to_numpy(float)
        people, forecast = float(weight.sum()), held[model].to_numpy(float)
        if not people:
            continue
        found = float(weight @ actual)
        ratio = float(weight @ forecast) / found if found else float("nan")
        error = float(np.sqrt(weight @ (forecast - ratio * actual) ** 2)) / found if found else float("nan")
        wide = reach(interval) * error
        lines.append(
            {
                "first": first,
                "last": last,
                "customers": int(people),
                "predicted": float(weight @ forecast) / people,
                "actual": found / people,
                "bias": ratio - 1,
                "low": ratio - 1 - wide,
                "high": ratio - 1 + wide,
            }
        )
    columns = ["first", "last", "customers", "predicted", "actual", "bias", "low", "high"]
    return pd.DataFrame(lines, columns=columns).astype(dict.fromkeys(columns, float) | {"customers": "int64"})
