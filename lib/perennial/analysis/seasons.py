"""Trend and season in what the purchase model leaves unexplained, and a seasonal index that must earn its use.

The purchase models know no calendar. What they miss of it stands in the ratio of actual to expected repeat purchases:
a slope in time (trend), or months that come out high or low year after year (season). All effects are ratios, fitted
as log-linear Poisson regressions on the expected purchases with the dispersion estimated (quasi-likelihood; McCullagh
& Nelder 1989, ch. 9), which weigh weeks and months by their size and bear counts of zero.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtrit

from perennial.analysis.clv import draw_parameters_of, draw_purchases
from perennial.analysis.purchase_model import HISTORY, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach
from perennial.formats import days as days_text
from perennial.formats import number
from perennial.language import _

if TYPE_CHECKING:
    from perennial.analysis.value import ValueResult

YEAR_DAYS = 365.25
DAYS_OF_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
FEWEST_WEEKS = 26  # of a trend
TWO_YEARS = 728  # days, 104 weeks
HALF_MONTH = 15  # days; shorter pieces of a month are not counted
FEWEST_EXPECTED = 5.0  # repeat purchases of a month that is counted, of a week on average
SAME_SHARE = 0.005  # an index that changes the hold-out's total by less cannot be judged by the total
_DRAWS = 100
_CELLS = 4_000_000  # rows × draws


@dataclass(frozen=True)
class Trend:
    """How actual against expected repeat purchases moved over time.

    Attributes
    ----------
    yearly, low, high : change of the ratio within a year (0.10: a tenth more), and its interval.
    level : the ratio at the first week of the line.
    p_value : of no trend.
    weeks : weeks it was measured on.
    """

    yearly: float
    low: float
    high: float
    level: float
    p_value: float
    weeks: int

    @property
    def over_span(self) -> tuple[float, float, float]:
        """Change of the ratio from the first week to the last, and its interval."""
        years = self.weeks * 7 / YEAR_DAYS
        change, low, high = ((1 + value) ** years - 1 for value in (self.yearly, self.low, self.high))
        return change, low, high

    def line(self, weeks: Floats) -> Floats:
        """The ratio so many weeks after the first."""
        return self.level * np.exp(np.log1p(self.yearly) * weeks * 7 / YEAR_DAYS)


@dataclass(frozen=True)
class Season:
    """Actual against expected repeat purchases by month of the year.

    Attributes
    ----------
    months : twelve rows ``month`` (1 to 12), ``raw`` (ratio to the year's average), ``low, high`` (its interval),
        ``index`` (shrunk by its noise), ``error`` (standard error of its logarithm), ``years`` (how often seen).
    p_value : of no season.
    trend : change within a year beside it.
    cells : months of data used.
    """

    months: pd.DataFrame
    p_value: float
    trend: float
    cells: int

    @property
    def index(self) -> Floats:
        """The shrunk index, January first; over a year of days its mean is 1."""
        return self.months["index"].to_numpy(float)

    @property
    def peak(self) -> "pd.Series[Any]":
        """The row of the highest month."""
        return self.months.loc[self.months["raw"].idxmax()]

    @property
    def trough(self) -> "pd.Series[Any]":
        """The row of the lowest month."""
        return self.months.loc[self.months["raw"].idxmin()]


def plain_expected(weeks: pd.DataFrame) -> Floats:
    """What the model alone expects per week, without a seasonal index."""
    name = "expected_plain" if "expected_plain" in weeks else "expected"
    return weeks[name].to_numpy(float)


def find_trend(
    weeks: pd.DataFrame,
    interval: float = 0.9,
    spread: Callable[[Floats, Floats], float] | None = None,
    drawn: Floats | None = None,
) -> Trend | str:
    """The trend of the weekly ratio of actual to expected.

    Parameters
    ----------
    weeks : ``actual, expected`` per week in the order of time (:func:`perennial.analysis.tracking.track`).
    spread : variance between customers of a weighted sum of weeks (``tracking.customer_spread``).
    drawn : draws × weeks, what is expected under other parameters; for weeks the model was not fitted on.

    Returns
    -------
    the trend, or the reason why it cannot be told.

    Notes
    -----
    Beside a yearly wave where there are two years. Its variance adds what weeks have in common with their neighbours
    (Newey & West 1987, Econometrica 55(3), with 1.3·√n lags: Lazarus, Lewis, Stock & Watson 2018, J. Business & Econ.
    Statistics 36(4)) to what each customer carries from week to week, less the weeks' own, which is in both (Cameron,
    Gelbach & Miller 2011, J. Business & Econ. Statistics 29(2)), and where ``drawn`` is given that of the parameters.
    The second part matters: frequent customers stay for years, and their number wanders without any trend, which no
    window of weeks can see.
    """

    expected = plain_expected(weeks)
    held = expected > 0
    actual, expected = np.where(held, weeks["actual"].to_numpy(float), 0.0), np.where(held, expected, 1e-12)
    count = len(actual)
    if count < FEWEST_WEEKS:
        return _("the data hold {n} weeks; a trend needs {least}", n=number(count), least=number(FEWEST_WEEKS))
    if expected.mean() < FEWEST_EXPECTED or actual.sum() == 0:
        return _("there are too few repeat purchases a week")
    years = np.arange(count) * 7 / YEAR_DAYS
    design = np.column_stack([years - years.mean(), np.ones(count)])
    if count * 7 >= TWO_YEARS:
        design = np.column_stack([design, np.sin(2 * np.pi * years), np.cos(2 * np.pi * years)])
    fit, errors = _poisson(actual, design, np.log(expected))
    slope, fitted = float(fit.params[0]), np.asarray(fit.mu)
    others = design[:, 1:]
    along = np.linalg.solve((others.T * fitted) @ others, (others.T * fitted) @ design[:, 0])
    alone = design[:, 0] - others @ along  # the slope's own part of time, so that one sum per customer suffices
    size = float(fitted @ alone**2)
    own = float(np.sum((alone * (actual - fitted)) ** 2)) / size**2
    variance = errors**2
    if spread is not None:
        variance = max(variance, variance - own + spread(alone, fitted / expected) / size**2)
    if drawn is not None:
        moved = np.log(np.maximum(drawn, 1e-12) / expected) @ (alone * fitted) / size
        variance += float(np.var(moved))
    if not np.isfinite([slope, variance]).all() or variance <= 0:
        return _("the weeks do not vary enough to measure a trend")
    error = np.sqrt(variance)
    wide = reach(interval) * error
    yearly, low, high = np.expm1([slope, slope - wide, slope + wide])
    level = float(np.exp(fit.params[1] - slope * years.mean()))
    p_value = 2 * NormalDist().cdf(-abs(slope) / error)
    # rounded, because sums over threads differ in the last digits
    yearly, low, high, level, p_value = (round(float(value), 9) for value in (yearly, low, high, level, p_value))
    return Trend(yearly, low, high, level, p_value, count)


def _poisson(actual: Floats, design: Floats, offset: Floats) -> tuple[Any, float]:
    """The fit and the first coefficient's standard error, robust to weeks that hang together."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    lags = int(np.ceil(1.3 * np.sqrt(len(actual))))
    fit = GLM(actual, design, family=Poisson(), offset=offset).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    return fit, float(fit.bse[0])


def usable_months(months: pd.DataFrame) -> pd.DataFrame:
    """The months that count: half a month or more of days, and five or more expected purchases."""
    joined = months.groupby("month", as_index=False)[["days", "actual", "expected"]].sum()
    return joined[(joined["days"] >= HALF_MONTH) & (joined["expected"] >= FEWEST_EXPECTED)].reset_index(drop=True)


def find_season(months: pd.DataFrame, interval: float = 0.9) -> Season | str:
    """The months of the year against each other, beside a trend.

    Parameters
    ----------
    months : ``month`` (first day), ``days, actual, expected`` (:func:`perennial.analysis.tracking.by_month`).

    Returns
    -------
    the season, or the reason why it cannot be told.

    Notes
    -----
    Analysis of deviance: how far months of the year differ, against how far the same months of different years
    do. What lingers from one month to the next enters both alike, so that autocorrelation within a year does not make
    a season. F with 11 and n − 13 degrees of freedom.

    The index is drawn towards 1 as far as chance explains it: log index · τ² / (τ² + variance), τ² the variance
    between months beyond that of chance (empirical Bayes), and scaled to a mean of 1 over a year's days.
    """
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    span = int(months["days"].sum()) if len(months) else 0
    cells = usable_months(months) if len(months) else months
    of_year = pd.DatetimeIndex(cells["month"]).month.to_numpy() if len(cells) else np.empty(0)
    seen = np.bincount(of_year.astype(int), minlength=13)[1:]
    if span < TWO_YEARS:
        return _("the data hold {days}; a season shows only where every month has come twice", days=days_text(span))
    if seen.min() < 2:
        return _("not every month has come twice with {n} or more expected repeat purchases",
                 n=number(FEWEST_EXPECTED))  # fmt: skip
    actual, expected = cells["actual"].to_numpy(float), cells["expected"].to_numpy(float)
    if np.bincount(of_year, actual)[1:].min() == 0:
        actual = actual + 0.5  # a month in which nobody ever buys: its logarithm would be minus infinity
    first = pd.DatetimeIndex(cells["month"])
    time = (first.year * 12 + first.month).to_numpy(float) / 12
    of_month = (of_year[:, None] == np.arange(1, 13)).astype(float)
    drift = (time - time.mean())[:, None]
    whole = GLM(actual, np.hstack([of_month, drift]), family=Poisson(), offset=np.log(expected)).fit(scale="X2")
    without = np.hstack([np.ones_like(drift), drift])
    nested = GLM(actual, without, family=Poisson(), offset=np.log(expected)).fit()
    if not whole.scale > 0:
        return _("the months do not vary enough to measure a season")
    ratio = (nested.deviance - whole.deviance) / 11 / whole.scale
    level, covariance = whole.params[:12], np.asarray(whole.cov_params())[:12, :12]
    share = DAYS_OF_MONTH / DAYS_OF_MONTH.sum()
    centred = np.eye(12) - share
    effect, variance = centred @ level, np.diag(centred @ covariance @ centred.T)
    between = max(0.0, float(effect @ effect - variance.sum()) / 11)
    kept = between / (between + variance)
    wide = float(stdtrit(whole.df_resid, (1 + interval) / 2)) * np.sqrt(variance)
    raw = _to_mean_one(np.exp(effect))
    frame = pd.DataFrame(
        {
            "month": np.arange(1, 13),
            "raw": raw,
            "low": raw * np.exp(-wide),
            "high": raw * np.exp(wide),
            "index": _to_mean_one(np.exp(kept * effect)),
            "error": np.sqrt(kept * variance),
            "years": seen,
        }
    )
    p_value = float(fdtrc(11, whole.df_resid, ratio))
    return Season(frame, p_value, float(np.expm1(whole.params[12])), len(cells))


def _to_mean_one(index: Floats) -> Floats:
    """Scaled so that the mean over a year's days is 1."""
    return index * DAYS_OF_MONTH.sum() / (index @ DAYS_OF_MONTH)


def mean_index(index: Floats, first: dt.date, last: dt.date) -> float:
    """Mean of a monthly index over the days from ``first`` to ``last``, both counted."""
    return float(daily_index(index, first, (last - first).days + 1).mean())


def daily_index(index: Floats, first: dt.date, count: int) -> Floats:
    """The index on ``count`` days from ``first``."""
    month = pd.date_range(first, periods=count).month.to_numpy() - 1
    return np.asarray(index, float)[month]


def try_index(
    months: pd.DataFrame, forecasts: pd.DataFrame, model: str, cut: dt.date, end: dt.date, interval: float
) -> dict[str, Any]:
    """A seasonal index from the days up to the cut, judged on the days after it.

    Parameters
    ----------
    months : ``month, days, actual, expected, phase``; only the calibration enters the index.
    forecasts : ``actual, weight`` and the model's forecast per customer for the hold-out, in the column ``model``.

    Returns
    -------
    ``tried`` and ``reason`` (why not), ``used``; where tried, ``index`` (January first), ``error``, ``p_value``,
    ``factor`` (mean index over the hold-out), and ``bias, rmse, months_rmse`` (purchase days: total, per customer,
    per month of the hold-out) without and ``…_with`` it.

    Notes
    -----
    Used only where the calibration shows a season (p below 1 − ``interval``) and the hold-out improves: smaller errors
    of its months, of its total and per customer. Where the index leaves the total as it is, as over a whole year, the
    total cannot tell, and the months decide.
    """
    season = find_season(months[months["phase"] == "calibration"], interval)
    if isinstance(season, str):
        return {"tried": False, "used": False, "reason": season}
    factor = mean_index(season.index, cut + dt.timedelta(days=1), end)
    weight, actual = forecasts["weight"].to_numpy(float), forecasts["actual"].to_numpy(float)
    forecast, found = forecasts[model].to_numpy(float), float(weight @ actual)
    later = months[months["phase"] == "holdout"]
    monthly = season.index[pd.DatetimeIndex(later["month"]).month.to_numpy() - 1]
    judged: dict[str, Any] = {"tried": True, "reason": "", "factor": factor, "p_value": season.p_value}
    for name, scale, by_month in (("", 1.0, np.ones_like(monthly)), ("_with", factor, monthly)):
        error = scale * forecast - actual
        missed = later["expected"].to_numpy(float) * by_month - later["actual"].to_numpy(float)
        judged["bias" + name] = float(weight @ forecast * scale / found - 1) if found else float("nan")
        judged["rmse" + name] = float(np.sqrt(weight @ error**2 / weight.sum()))
        judged["months_rmse" + name] = float(np.sqrt(np.mean(missed**2)))
    judged["used"] = bool(season.p_value < 1 - interval and _improves(judged))
    judged["index"], judged["error"] = season.index.tolist(), season.months["error"].tolist()
    return judged


def _improves(judged: dict[str, Any]) -> bool:
    if judged["months_rmse_with"] >= judged["months_rmse"]:
        return False
    if abs(judged["factor"] - 1) < SAME_SHARE:
        return True
    return bool(abs(judged["bias_with"]) < abs(judged["bias"]) and judged["rmse_with"] < judged["rmse"])


def with_index(weeks: pd.DataFrame, index: Floats) -> pd.DataFrame:
    """The tracking with a seasonal index in its expectation; what the model alone expects as ``expected_plain``."""
    start = weeks["week_end"].iloc[0].date() - dt.timedelta(days=6)
    factor = daily_index(index, start, 7 * len(weeks)).reshape(-1, 7).mean(axis=1)
    expected = weeks["expected"].to_numpy(float) * factor
    shift = np.cumsum(expected) - weeks["expected_cumulative"].to_numpy(float)
    return weeks.assign(
        expected=expected,
        expected_cumulative=np.cumsum(expected),
        low=np.maximum(weeks["low"] + shift, 0),
        high=weeks["high"] + shift,
        expected_plain=weeks["expected"],
    )


def forecast_months(result: "ValueResult", count: int = 3) -> pd.DataFrame:
    """Repeat purchase days of today's customers in each of the next months, counted from the as-of day.

    Returns
    -------
    frame ``first, last`` (dates of the month), ``expected, low, high`` (purchase days), ``index`` (1 without one).

    Notes
    -----
    The interval is normal, from three sources: parameters (draws), chance (the variance over mean of the first month,
    drawn from the exact posterior, holds for all), and, where an index is used, its error. It holds no model error.
    """

    settings, model = result.settings, result.purchase
    as_of = dt.date.fromisoformat(settings["as_of"])
    ends = [(pd.Timestamp(as_of) + pd.DateOffset(months=k)).date() for k in range(count + 1)]
    rows = result.rows.groupby(HISTORY, as_index=False)["weight"].sum()
    days = [(end - as_of).days for end in ends[1:]]
    expected = np.diff(_totals(model, rows, days, model.theta), prepend=0.0)
    rng = np.random.default_rng(settings["seed"])
    variance = _chance(model, rows, days[0], rng) * expected
    if model.has_covariance:
        draws = int(np.clip(_CELLS // len(rows), 20, _DRAWS))
        drawn = [_totals(model, rows, days, theta) for theta in draw_parameters_of(model, draws, rng)]
        variance = variance + np.var(np.diff(drawn, axis=1, prepend=0.0), axis=0)
    factor, noise = np.ones(count), np.zeros(count)
    season = result.holdout.season if result.holdout else {}
    if season.get("used"):
        spans = [(end - begin).days for begin, end in zip(ends, ends[1:], strict=False)]
        firsts = [begin + dt.timedelta(days=1) for begin in ends[:-1]]
        index, error = np.array(season["index"]), np.array(season["error"])
        parts = [
            (daily_index(index, f, s), daily_index(index * error, f, s)) for f, s in zip(firsts, spans, strict=True)
        ]
        factor, noise = np.array([a.mean() for a, _b in parts]), np.array([b.mean() for _a, b in parts])
    wide = reach(settings["interval"]) * np.sqrt(variance * factor**2 + (noise * expected) ** 2)
    middle = expected * factor
    return pd.DataFrame(
        {
            "first": [begin + dt.timedelta(days=1) for begin in ends[:-1]],
            "last": ends[1:],
            "expected": middle,
            "low": np.maximum(middle - wide, 0),
            "high": middle + wide,
            "index": factor,
        }
    )


def _totals(model: PurchaseModel, rows: pd.DataFrame, days: list[int], theta: Floats) -> Floats:
    """Expected purchase days of all customers within so many days, for each of ``days``."""
    x, last, age = (rows[name].to_numpy(float) for name in HISTORY)
    alive = rows["weight"].to_numpy(float) * model.p_alive(x, last, age, theta)
    return np.array([float(alive @ model.purchases_if_alive(ahead, x, age, theta)) for ahead in days])


def _chance(model: PurchaseModel, rows: pd.DataFrame, days: int, rng: np.random.Generator) -> float:
    """Variance over mean of all customers' purchases together within so many days, from draws."""
    draws = int(np.clip(_CELLS // len(rows), 20, _DRAWS))
    drawn = draw_purchases(rows, model, np.tile(model.theta, (draws, 1)), float(days), rng)
    weight = rows["weight"].to_numpy(float)
    mean = float(weight @ drawn.mean(axis=1))
    return float(weight @ drawn.var(axis=1, ddof=1)) / mean if mean > 0 else 1.0
