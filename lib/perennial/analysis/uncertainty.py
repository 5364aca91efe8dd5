"""Standard errors of whatever is computed from a fitted model's parameters."""

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from perennial.analysis.purchases.formulas import Floats

_FARTHEST = 10.0  # on the logarithmic scale: what is known no better than e^±10 is not known


def standard_error(theta: Floats, covariance: Floats, of: Callable[[Floats], Any]) -> Floats:
    """Standard error of a function of the parameters, from the covariance of their logarithms.

    The function is evaluated one standard deviation up and down along each principal axis of the covariance; half
    the differences, squared and added, are its variance. For a linear function this is the delta method; unlike it, it
    needs no derivative, and holds for shares and ranks that move in small jumps.

    Parameters
    ----------
    theta : parameters, all positive.
    covariance : of the logarithms; not finite or empty: the result is missing.
    of : takes parameters, gives a number or an array of any shape.
    """
    if not covariance.size or not np.isfinite(covariance).all():
        return np.full(np.shape(of(theta)), np.nan)
    values, axes = np.linalg.eigh(covariance)
    steps = np.clip(axes * np.sqrt(np.maximum(values, 0)), -_FARTHEST, _FARTHEST)
    halves = [(np.asarray(of(theta * np.exp(step))) - np.asarray(of(theta * np.exp(-step)))) / 2 for step in steps.T]
    found: Floats = np.sqrt(np.sum(np.square(halves), axis=0))
    return found


def reach(interval: float) -> float:
    """How many standard errors the interval of this level reaches to either side: 0.90 → 1.645."""
    return NormalDist().inv_cdf((1 + interval) / 2)


def share_interval(share: Floats, error: Floats, interval: float) -> tuple[Floats, Floats]:
    """Interval of a share that stays between 0 and 1: normal on the scale of log odds."""
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    odds, wide = np.log(inside / (1 - inside)), reach(interval) * error / (inside * (1 - inside))
    return 1 / (1 + np.exp(np.clip(wide - odds, -700, 700))), 1 / (1 + np.exp(np.clip(-wide - odds, -700, 700)))
