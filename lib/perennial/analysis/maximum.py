"""Finds a sound maximum of a likelihood, or says in words why there is none."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from perennial.analysis.purchases.formulas import Floats
from perennial.errors import ModelError
from perennial.language import _

Function = Callable[[Floats], float]
SMALLEST, LARGEST = 1e-3, 1e4  # parameters beyond these have run to a boundary
_STEPS = 12
_LONGEST = 2.0  # a step in logarithms beyond which the curvature says nothing
Start = tuple[list[float] | None, float]  # logarithms of the parameters (None: the model's own choice), and a tolerance
STARTS: list[Start] = [
    (None, 1e-7), ([-1.0, 1.5, 0.0, 1.0], 1e-7), ([0.0, 2.5, -1.0, 1.0], 1e-6), (None, 1e-4)
]  # fmt: skip


class NoMaximumError(ModelError):
    """The optimiser found no sound maximum of the likelihood."""


def maximise(
    attempt: Callable[[list[float] | None, float], Any],
    total: Function,
    names: tuple[str, ...],
    model: str,
    units: list[float] | None = None,
    starts: list[Start] = STARTS,
) -> tuple[Floats, Floats]:
    """The first sound maximum over several starts and tolerances, with the covariance of the log parameters."""
    reason = _("it did not converge")
    for start, tolerance in starts:
        try:
            theta = np.asarray(attempt(start, tolerance), float)
        except Exception:  # lifetimes raises its own, LinAlgError and ValueError alike; all mean: try elsewhere
            continue
        theta = _polish(theta, total)
        reason, covariance = _inspect(theta, total, names, np.ones(len(theta)) if units is None else units)
        if not reason:
            return theta, covariance
    raise NoMaximumError(_("{model} cannot be fitted to these customers: {reason}.", model=model, reason=reason))


def _inspect(theta: Floats, total: Function, names: tuple[str, ...], units: Any) -> tuple[str, Floats]:
    """Why this maximum is not sound (empty if it is), and the covariance of the log parameters."""
    nothing = np.full((len(theta), len(theta)), np.nan)
    scaled = theta / np.asarray(units, float)
    if not np.isfinite(scaled).all():
        return _("its parameters are not numbers"), nothing
    for name, value in zip(names, scaled, strict=True):
        if not SMALLEST < value < LARGEST:
            shrinks = _("its parameter {name} shrinks to zero: these days do not determine it", name=name)
            grows = _("its parameter {name} grows without bound: these days do not determine it", name=name)
            return shrinks if value <= SMALLEST else grows, nothing
    information = -hessian(total, np.log(theta))
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information).min() <= 0:
        return _("its likelihood has no single peak"), nothing
    return "", np.asarray(np.linalg.inv(information), dtype=np.float64)


def _polish(theta: Floats, total: Function) -> Floats:
    """The same maximum to more digits: Newton steps, each kept only if the likelihood rises."""
    if not (np.isfinite(theta).all() and (theta > 0).all()):
        return theta
    information = -hessian(total, np.log(theta))
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information).min() <= 0:
        return theta
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    return np.exp(climb(np.log(theta), total, partial(gradient, total), covariance)[0])


def climb(
    point: Floats, total: Function, slope: Callable[[Floats], Floats], covariance: Floats, close: float = 1e-8
) -> tuple[Floats, bool]:
    """From a point near a maximum to the maximum itself, by quasi-Newton steps that learn the curvature (BFGS).

    Parameters
    ----------
    slope : first derivatives of ``total``.
    covariance : inverse of minus its second derivatives near the point, positive definite.
    close : a step shorter than this in every coordinate says that the maximum is reached.

    Returns
    -------
    the point, and whether it is the maximum.
    """
    best, rise = total(point), slope(point)
    for _round in range(_STEPS):
        step = covariance @ rise
        if np.abs(step).max() < close:
            return point, True
        step = step * min(1.0, _LONGEST / np.abs(step).max())
        while not (risen := total(point + step)) > best:
            step = step / 2
            if not np.abs(step).max() >= close:  # also where either is not a number
                return point, False
        point, best, before = point + step, risen, rise
        rise = slope(point)
        covariance = _learn(covariance, step, before - rise)
    return point, False


def _learn(covariance: Floats, step: Floats, change: Floats) -> Floats:
    """The inverse curvature after a step over which the slope fell by ``change`` (BFGS)."""
    along = float(change @ step)
    if along <= 0:
        return covariance
    turn = np.eye(len(step)) - np.outer(step, change) / along
    return turn @ covariance @ turn.T + np.outer(step, step) / along


def search(total: Function, begin: Floats, reach: float, tolerance: float = 1e-7) -> Floats:
    """The maximum within ``reach`` of a beginning in every coordinate, by L-BFGS-B."""
    from scipy.optimize import minimize

    bounds = [(value - reach, value + reach) for value in begin]
    options = {"ftol": tolerance * 1e-6, "gtol": 1e-4, "maxiter": 500, "maxfun": 10_000}
    found = minimize(lambda point: -total(point), begin, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)


def gradient(function: Function, point: Floats, step: float = 1e-4) -> Floats:
    """First derivatives by central differences."""
    steps = step * np.eye(len(point))
    return np.array([(function(point + s) - function(point - s)) / (2 * step) for s in steps])


def hessian(function: Function, point: Floats, step: float = 1e-3) -> Floats:
    """Second derivatives by central differences: n × n at a point of n coordinates."""
    n = len(point)
    out = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            di, dj = step * np.eye(n)[i], step * np.eye(n)[j]
            corners = (
                function(point + di + dj)
                - function(point + di - dj)
                - function(point - di + dj)
                + function(point - di - dj)
            )
            out[i, j] = out[j, i] = corners / (4 * step**2)
    return out
