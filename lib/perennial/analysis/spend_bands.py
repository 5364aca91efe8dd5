"""Whether how often and how much go together, and a spend model by frequency band for where they do.

Gamma-Gamma assumes that a customer's mean order has nothing to do with how often it buys. Where it has, values of
frequent and of rare buyers are wrong in opposite directions. The conditional model lets every band of repeat
purchase days have its own distribution of mean orders between customers (q and v), while the variation of a
customer's own orders (p) is that of all: within a band of one repeat purchase nothing could tell the two apart.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.analysis import spend_model
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel, check_independence, usable
from perennial.analysis.uncertainty import reach
from perennial.errors import ModelError
from perennial.language import _

BANDS: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 3), (4, 6), (7, None))  # repeat purchase days
FEWEST = 50  # repeat customers of a band; fewer are merged with a neighbour
WEAK_LINK = 0.1  # rank correlation from which the assumption counts as violated
_LARGEST = 1e3  # of q: beyond it customers of a band hardly differ
_SMALLEST_TAIL = 1.05  # of q: nearer to 1 the mean is not to be trusted
_STEP = 1e-3


@dataclass(frozen=True)
class Independence:
    """How frequency and mean order go together among repeat customers.

    Attributes
    ----------
    pearson, spearman : correlations, each with ``…_low, …_high``, its interval.
    customers : repeat customers with a positive mean order.
    """

    pearson: float
    pearson_low: float
    pearson_high: float
    spearman: float
    spearman_low: float
    spearman_high: float
    customers: int

    @property
    def violated(self) -> bool:
        """Whether the rank correlation is 0.1 or more in size and its interval leaves out 0."""
        return abs(self.spearman) >= WEAK_LINK and self.spearman_low * self.spearman_high > 0


@dataclass(frozen=True)
class Band:
    """Repeat customers of one band and their spend model; ``last`` None: and more.

    ``mean`` is the expected order value of a customer of the band never seen, ``error`` its standard error.
    """

    first: int
    last: int | None
    model: SpendModel
    customers: int
    mean: float
    error: float

    def holds(self, frequency: Floats) -> "np.ndarray":
        """Which of these frequencies are in the band."""
        return (frequency >= self.first) & (frequency <= (np.inf if self.last is None else self.last))


@dataclass(frozen=True)
class BandedSpend:
    """Spend models by frequency band.

    Attributes
    ----------
    pooled : the one model of all bands; p is its.
    bands : lowest frequency first; together they hold every repeat customer.
    merged : the first band of the standard ones, ``(first, last)``, that could not stand alone, with where it went.
    """

    pooled: SpendModel
    bands: tuple[Band, ...]
    merged: tuple[tuple[int, int | None], ...]

    def expected_order_value(self, rows: pd.DataFrame) -> Floats:
        """Expected mean order value per row (``frequency, monetary_value``), in currency.

        One-time buyers, of whom no repeat purchase is known, take the lowest band's mean.
        """
        x, m = rows["frequency"].to_numpy(float), rows["monetary_value"].to_numpy(float)
        found = np.full(len(rows), self.bands[0].mean)
        for band in self.bands:
            inside = band.holds(x)
            found[inside] = band.model.expected_order_value(x[inside], m[inside])
        return found


def measure_independence(rows: pd.DataFrame, interval: float = 0.9) -> Independence:
    """Correlations of frequency and mean order with intervals, on Fisher's scale.

    Parameters
    ----------
    rows : ``frequency, monetary_value, weight``.

    Notes
    -----
    Pearson's error is the distribution-free one (from each customer's influence), because mean orders are skew;
    Spearman's is (1 + ρ²/2) / (n − 3) in variance (Bonett & Wright 2000, Psychometrika 65(1)).
    """

    known, found = usable(rows), check_independence(rows)
    weight = known["weight"].to_numpy(float)
    customers = float(weight.sum())
    pearson, spearman = found["pearson"], found["spearman"]
    if customers < 4 or np.isnan(pearson):
        missing = float("nan")
        return Independence(pearson, missing, missing, spearman, missing, missing, int(customers))
    x, m = (_standard(known[name].to_numpy(float), weight) for name in ("frequency", "monetary_value"))
    influence = x * m - pearson / 2 * (x**2 + m**2)
    error = float(np.sqrt(weight @ influence**2)) / customers / max(1e-12, 1 - pearson**2)
    rank_error = float(np.sqrt((1 + spearman**2 / 2) / (customers - 3)))
    wide = reach(interval)
    bounds = [
        float(np.tanh(np.arctanh(np.clip(value, -0.999999, 0.999999)) + side * wide * spread))
        for value, spread in ((pearson, error), (spearman, rank_error))
        for side in (-1, 1)
    ]
    return Independence(pearson, bounds[0], bounds[1], spearman, bounds[2], bounds[3], int(customers))


def _standard(values: Floats, weight: Floats) -> Floats:
    mean = np.average(values, weights=weight)
    return (values - mean) / np.sqrt(np.average((values - mean) ** 2, weights=weight))


def fit_bands(rows: pd.DataFrame, pooled: SpendModel) -> BandedSpend:
    """The conditional spend model.

    Parameters
    ----------
    rows : ``frequency, monetary_value, weight``, on which ``pooled`` was fitted.

    Raises
    ------
    ModelError : fewer than two bands can stand alone, so that there is nothing to tell apart.
    """
    known = usable(rows).groupby(["frequency", "monetary_value"], as_index=False)["weight"].sum()
    spans = list(BANDS)
    merged: list[tuple[int, int | None]] = []
    while True:
        fitted = [_fit_band(known, span, pooled) for span in spans]
        weak = next((place for place, band in enumerate(fitted) if band is None), None)
        if weak is None:
            break
        if len(spans) == 1:
            break
        low = max(0, weak - 1) if weak else 0
        merged += [spans[weak]]
        spans[low : low + 2] = [(spans[low][0], spans[low + 1][1])]
    if len(spans) < 2:
        raise ModelError(_("too few customers have bought repeatedly to tell bands of frequency apart"))
    return BandedSpend(pooled, tuple(band for band in fitted if band is not None), tuple(merged))


def _fit_band(known: pd.DataFrame, span: tuple[int, int | None], pooled: SpendModel) -> Band | None:
    """q and v of a band by maximum likelihood, p that of all; None where the band cannot carry them."""
    from scipy.optimize import minimize

    first, last = span
    held = known[known["frequency"].between(first, np.inf if last is None else last)]
    x, m, weight = (held[name].to_numpy(float) for name in ("frequency", "monetary_value", "weight"))
    customers = int(weight.sum())
    if customers < FEWEST:
        return None
    p, scale = pooled.params["p"], float(np.median(m))

    def lost(theta: Floats) -> float:
        q, v = np.exp(theta)
        return -float(np.sum(weight * spend_model.log_likelihood((p, q, v), x, m / scale))) / customers

    start = np.log([max(2.0, pooled.params["q"]), pooled.params["v"] / scale])
    bounds = [(np.log(0.1), np.log(_LARGEST)), (np.log(1e-4), np.log(1e7))]
    best = minimize(lost, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-7})
    q, v = np.exp(best.x)
    if not best.success or not _SMALLEST_TAIL < q < 0.99 * _LARGEST:
        return None
    bend = _curvature(lost, best.x) * customers
    covariance = np.full((3, 3), 0.0)
    try:
        covariance[1:, 1:] = np.linalg.inv(bend)
    except np.linalg.LinAlgError:
        return None
    if not (np.diag(covariance)[1:] > 0).all():
        return None
    theta = {"p": p, "q": float(q), "v": float(v * scale)}
    spread = np.sqrt(np.diag(covariance))
    errors = dict(zip(theta, (pooled.se.get("p", float("nan")), q * spread[1], theta["v"] * spread[2]), strict=True))
    model = SpendModel(theta, {k: float(e) for k, e in errors.items()}, covariance, -best.fun * customers, customers)
    mean = model.population_mean
    slope = np.array([-q / (q - 1), 1.0])  # of log mean by log q and log v
    error = mean * float(np.sqrt(slope @ covariance[1:, 1:] @ slope))
    return Band(first, last, model, customers, mean, error)


def _curvature(function: "object", at: Floats) -> Floats:
    """Matrix of second derivatives by central differences."""
    assert callable(function)
    size = len(at)
    steps = _STEP * np.eye(size)
    found = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            corners = [a * b * function(at + a * steps[i] + b * steps[j]) for a in (1, -1) for b in (1, -1)]
            found[i, j] = sum(corners) / (4 * _STEP**2)
    return found


def order_values(rows: pd.DataFrame, pooled: SpendModel, banded: BandedSpend | None, interval: float) -> pd.DataFrame:
    """Mean order by frequency: what was paid, beside what each model expects of these customers.

    Returns
    -------
    frame ``first, last`` (repeat purchase days; last missing: and more), ``customers``, ``observed, low, high`` (mean
    over customers of their mean repeat purchase, with its interval), ``pooled, banded`` (mean expected order value;
    banded missing without bands). Of those who bought once, the first row, no repeat purchase is observed.
    """

    known = usable(rows)
    spans = [(band.first, band.last) for band in banded.bands] if banded else list(BANDS)
    lines: list[dict[str, float]] = []
    once = rows[rows["frequency"] == 0]
    if len(once):
        means = {"pooled": pooled.population_mean, "banded": banded.bands[0].mean if banded else np.nan}
        blank = dict.fromkeys(("observed", "low", "high"), np.nan)
        lines.append({"first": 0, "last": 0.0, "customers": int(once["weight"].sum()), **blank, **means})
    for first, last in spans:
        held = known[known["frequency"].between(first, np.inf if last is None else last)]
        weight, money = held["weight"].to_numpy(float), held["monetary_value"].to_numpy(float)
        people = float(weight.sum())
        if people < 2:
            continue
        mean = float(weight @ money / people)
        error = float(np.sqrt(weight @ (money - mean) ** 2 / people / (people - 1)))
        wide = reach(interval) * error
        expected = pooled.expected_order_value(held["frequency"], held["monetary_value"])
        conditional = banded.expected_order_value(held) if banded else np.full(len(held), np.nan)
        lines.append(
            {
                "first": first,
                "last": np.nan if last is None else float(last),
                "customers": int(people),
                "observed": mean,
                "low": mean - wide,
                "high": mean + wide,
                "pooled": float(weight @ expected / people),
                "banded": float(weight @ conditional / people),
            }
        )
    columns = ["first", "last", "customers", "observed", "low", "high", "pooled", "banded"]
    return pd.DataFrame(lines, columns=columns)


def value_by_band(rows: pd.DataFrame, banded: BandedSpend) -> pd.DataFrame:
    """What the conditional model changes in customers' value.

    Parameters
    ----------
    rows : ``frequency, monetary_value, expected_order_value, clv, weight``; clv is in proportion to the order value.

    Returns
    -------
    frame ``first, last`` (repeat purchase days, the first row those who bought once), ``customers``, ``pooled, banded``
    (value in currency), ``difference`` (currency) and ``change`` (share of pooled); the last row, ``first`` missing,
    is all together.
    """
    order = rows["expected_order_value"].to_numpy(float)
    factor = np.divide(banded.expected_order_value(rows), order, out=np.ones_like(order), where=order > 0)
    worth = rows["weight"].to_numpy(float) * rows["clv"].to_numpy(float)
    x = rows["frequency"].to_numpy(float)
    groups = [(0.0, 0.0, x == 0)]
    groups += [(float(b.first), np.nan if b.last is None else float(b.last), b.holds(x)) for b in banded.bands]
    groups += [(np.nan, np.nan, np.ones(len(x), bool))]
    lines = []
    for first, last, inside in groups:
        pooled, conditional = float(worth[inside].sum()), float((worth * factor)[inside].sum())
        people = int(rows["weight"].to_numpy(float)[inside].sum())
        if people:
            change = conditional / pooled - 1 if pooled else float("nan")
            lines.append([first, last, people, pooled, conditional, conditional - pooled, change])
    columns = ["first", "last", "customers", "pooled", "banded", "difference", "change"]
    return pd.DataFrame(lines, columns=columns)
