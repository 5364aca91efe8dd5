"""Do purchases drift away from the forecast over time? The weekly tracking against the model, with what weeks share."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.seasons import FEWEST_EXPECTED, FEWEST_WEEKS, TWO_YEARS, YEAR_DAYS, fit_poisson, plain_expected
from perennial.analysis.uncertainty import reach
from perennial.formats import number
from perennial.language import _

if TYPE_CHECKING:
    pass


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
    fit, errors = fit_poisson(actual, design, np.log(expected))
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
