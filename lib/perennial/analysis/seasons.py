"""Trend and season in what the purchase model leaves unexplained, and a seasonal index that must earn its use.

The purchase models know no calendar. What they miss of it stands in the ratio of actual to expected repeat purchases:
a slope in time (trend), or months that come out high or low year after year (season). All effects are ratios, fitted
as log-linear Poisson regressions on the expected purchases with the dispersion estimated (quasi-likelihood; McCullagh
& Nelder 1989, ch. 9), which weigh weeks and months by their size and bear counts of zero.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtrit

from perennial.analysis.purchases.formulas import Floats
from perennial.formats import days as days_text
from perennial.formats import number
from perennial.language import _

if TYPE_CHECKING:
    pass

YEAR_DAYS = 365.25
DAYS_OF_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
FEWEST_WEEKS = 26  # of a trend
TWO_YEARS = 728  # days, 104 weeks
HALF_MONTH = 15  # days; shorter pieces of a month are not counted
FEWEST_EXPECTED = 5.0  # repeat purchases of a month that is counted, of a week on average
SAME_SHARE = 0.005  # an index that changes the hold-out's total by less cannot be judged by the total
DRAWS = 100
CELLS = 4_000_000  # rows × draws


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


def fit_poisson(actual: Floats, design: Floats, offset: Floats) -> tuple[Any, float]:
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
    span = int(months["days"].sum()) if len(months) else 0
    cells = usable_months(months) if len(months) else months
    of_year = pd.DatetimeIndex(cells["month"]).month.to_numpy() if len(cells) else np.empty(0)
    seen = np.bincount(of_year.astype(int), minlength=13)[1:]
    if span < TWO_YEARS:
        return _("the data hold {days}; a season shows only where every month has come twice", days=days_text(span))
    if seen.min() < 2:
        return _("not every month has come twice with {n} or more expected repeat purchases",
                 n=number(FEWEST_EXPECTED))  # fmt: skip
    from statsmodels.genmod.families import Poisson  # only here: it takes two seconds
    from statsmodels.genmod.generalized_linear_model import GLM

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
