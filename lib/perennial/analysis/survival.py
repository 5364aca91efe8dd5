"""Time until something happens, where for some it has not happened yet: Kaplan-Meier on counted durations."""

import math

import numpy as np
import pandas as pd

from perennial.analysis.uncertainty import reach

MILESTONES_DAYS = (365, 180, 90, 60, 30, 14, 7)
COLUMNS = ["time", "at_risk", "events", "survival", "low", "high"]


def kaplan_meier(durations: pd.DataFrame, level: float = 0.90) -> pd.DataFrame:
    """The share for whom the event has not yet happened, by time.

    Parameters
    ----------
    durations : one row per distinct duration: ``time`` (≥ 0), ``ended`` (whether the event came then, else the
        observation ended there) and ``count`` (how many; fitting does not grow with customers).
    level : level of the pointwise interval.

    Returns
    -------
    Frame ``time, at_risk, events, survival, low, high``: a first row at time 0 before any event, then one row per
    time with an event. Bounds are log-log transformed Greenwood (Kalbfleisch & Prentice 1980), within [0, 1];
    after the last customer at risk has had the event they are missing.

    Notes
    -----
    Estimates are statsmodels' ``SurvfuncRight`` with frequency weights. Its standard error under weights is that
    of the log (Tsiatis 1981), so Greenwood's is computed here from its risk sets; equal to its unweighted one.
    """
    counted = durations[durations["count"] > 0]
    start = pd.DataFrame([[0.0, float(counted["count"].sum()), 0.0, 1.0, 1.0, 1.0]], columns=COLUMNS)
    if not counted.loc[counted["ended"].astype(bool)].shape[0]:
        return start
    from statsmodels.duration.survfunc import SurvfuncRight

    fit = SurvfuncRight(
        counted["time"].to_numpy(float),
        counted["ended"].to_numpy(float),
        freq_weights=counted["count"].to_numpy(float),
    )
    curve = pd.DataFrame(
        {"time": fit.surv_times, "at_risk": fit.n_risk, "events": fit.n_events, "survival": fit.surv_prob}
    )
    curve["low"], curve["high"] = _bounds(curve, level)
    return pd.concat([start, curve.astype(float)], ignore_index=True)


def _bounds(curve: pd.DataFrame, level: float) -> tuple[np.ndarray, np.ndarray]:

    survival, n, d = (curve[name].to_numpy(float) for name in ("survival", "at_risk", "events"))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_survival = np.log(survival)
        spread = np.sqrt(np.cumsum(d / (n * (n - d)))) / np.abs(log_survival)
        shift = reach(level) * spread
        return survival ** np.exp(shift), survival ** np.exp(-shift)


def greenwood(curve: pd.DataFrame) -> np.ndarray:
    """Greenwood's standard error of ``survival`` at each row of :func:`kaplan_meier`."""
    n, d = curve["at_risk"].to_numpy(float), curve["events"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return curve["survival"].to_numpy(float) * np.sqrt(np.cumsum(d / (n * (n - d))))


def survival_at(curve: pd.DataFrame, time: float) -> tuple[float, float, float]:
    """Survival at a time with its bounds: the curve's last step at or before it."""
    row = curve[curve["time"] <= time].iloc[-1]
    return float(row["survival"]), float(row["low"]), float(row["high"])


def median_time(curve: pd.DataFrame) -> tuple[float, float, float]:
    """The time by which half have had the event, with bounds where the band crosses one half.

    Infinite where the curve (or its bound) does not come down to one half while observed.
    """
    return _crossing(curve, "survival"), _crossing(curve, "low"), _crossing(curve, "high")


def _crossing(curve: pd.DataFrame, column: str) -> float:
    below = curve.loc[curve[column] <= 0.5 + 1e-12, "time"]
    return float(below.iloc[0]) if len(below) else math.inf


def follow_up(durations: pd.DataFrame) -> float:
    """The longest time anybody was observed: the curve says nothing beyond it."""
    counted = durations[durations["count"] > 0]
    return float(counted["time"].max()) if len(counted) else 0.0


def milestone(curve: pd.DataFrame, watched: float, minimum: int) -> int | None:
    """The longest round number of days up to which at least ``minimum`` were watched; None: none."""
    for days in MILESTONES_DAYS:
        if days <= watched and _still_watched(curve, days) >= minimum:
            return days
    return None


def _still_watched(curve: pd.DataFrame, days: float) -> float:
    """At risk at the first event at or after a time; the curve's last count where none came later."""
    later = curve[curve["time"] >= days]
    return float(later["at_risk"].iloc[0]) if len(later) else float(curve["at_risk"].iloc[-1])
