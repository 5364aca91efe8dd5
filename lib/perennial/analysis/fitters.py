"""Fits the purchase and spend models; the only module that touches the lifetimes package.

lifetimes finds the parameters (its fits are verified against published numbers); likelihoods, standard errors and
every prediction are our own, on one scale, so that models can be compared.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from perennial.analysis import spend_model
from perennial.analysis.maximum import LARGEST, STARTS, NoMaximumError, Start, maximise, search
from perennial.analysis.purchase_model import DAYS_PER_WEEK, FORMULAS, HISTORY, NAMES, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel
from perennial.errors import ModelError
from perennial.formats import number
from perennial.language import _

MINIMUM_REPEATERS = 20  # four parameters on fewer people are noise
FARTHEST = float(np.log(LARGEST)) + 1  # in logarithms, from a start
MANY_ROWS = 20_000  # distinct histories beyond which the first steps are taken on whole weeks
_PANDAS_OPTION = "mode.chained_assignment"  # lifetimes clears it on import
_CLASSES = {"BG/NBD": "BetaGeoFitter", "MBG/NBD": "ModifiedBetaGeoFitter"}  # the others climb our own likelihood


def fit_every(rows: pd.DataFrame) -> tuple[dict[Name, PurchaseModel], dict[Name, str]]:
    """Every purchase model on distinct rows: those that could be fitted, and why the others could not.

    Raises
    ------
    ModelError : nobody or too few came back, so that none can be fitted, or none reaches a sound maximum.
    """
    counts = rows.groupby(HISTORY, sort=True)["weight"].sum().reset_index()
    models: dict[Name, PurchaseModel] = {}
    reasons: dict[Name, str] = {}
    for name in NAMES:
        try:
            models[name] = fit_purchases(counts, name)
        except NoMaximumError as error:
            reasons[name] = str(error)
    if not models:
        raise ModelError(" ".join(reasons.values()))
    return models, reasons


def fit_purchases(rows: pd.DataFrame, name: Name, beside: PurchaseModel | None = None) -> PurchaseModel:
    """One named purchase model on distinct rows; raises ModelError with the reason where that is impossible.

    ``beside``: the model of more customers than these, at whose maximum the search begins.
    """
    check_purchases(rows)
    formulas, total = FORMULAS[name], purchase_likelihood(rows, name)
    near = _coarse(rows) if len(rows) > MANY_ROWS else rows

    def attempt(start: list[float] | None, tolerance: float) -> Any:
        if name not in _CLASSES or (beside and start):
            return _climb(purchase_likelihood(near, name), len(formulas.parameters), start, tolerance)
        with _lifetimes() as lifetimes:
            fitter = getattr(lifetimes, _CLASSES[name])()
            return fitter.fit(*_columns(near), initial_params=start, tol=tolerance).params_

    starts = starts_beside(beside.theta) if beside else STARTS
    theta, covariance = maximise(attempt, total, formulas.parameters, name, starts=starts)
    return PurchaseModel(
        name=name,
        params=dict(zip(formulas.parameters, theta.tolist(), strict=True)),
        se=_standard_errors(formulas.parameters, theta, covariance),
        covariance=covariance,
        loglik=total(np.log(theta)),
        n_customers=int(rows["weight"].sum()),
    )


def starts_beside(theta: Floats) -> list[Start]:
    """Starts for the fit of a group: the parameters of all customers, then the model's own choice."""
    return [(np.log(theta).tolist(), STARTS[0][1]), STARTS[0]]


def purchase_likelihood(rows: pd.DataFrame, name: Name) -> Callable[[Floats], Any]:
    """Total log-likelihood of these histories as a function of the logarithms of the parameters.

    Parameters × points, more than one, give as many totals: to six digits, which is all that resampling needs.
    """
    x, last, age, weight = _columns(rows)

    def total(log_theta: Floats) -> Any:
        theta = np.exp(log_theta)
        found = FORMULAS[name].log_likelihood(theta if theta.ndim == 1 else theta[:, :, None], x, last, age)
        return _sum(weight * found)

    return total


def _coarse(rows: pd.DataFrame) -> pd.DataFrame:
    """The histories in whole weeks: few distinct rows, a maximum so near that a few steps lead to that of the days."""
    return whole_weeks(rows).groupby(HISTORY, sort=True)["weight"].sum().reset_index()


def whole_weeks(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with ``recency`` and ``T`` (days) made up to whole weeks."""
    return rows.assign(**{name: np.ceil(rows[name] / DAYS_PER_WEEK) * DAYS_PER_WEEK for name in ("recency", "T")})


def _columns(rows: pd.DataFrame) -> tuple[Floats, Floats, Floats, Floats]:
    """Frequency, recency and age in weeks, and weight."""
    x, last, age, weight = (rows[c].to_numpy(float) for c in (*HISTORY, "weight"))
    return x, last / DAYS_PER_WEEK, age / DAYS_PER_WEEK, weight


def _sum(values: Floats) -> Any:
    """In numpy's own order; that of a dot product, and with it the last digit, hangs on where the numbers lie."""
    return np.sum(values, axis=-1) if values.ndim > 1 else float(np.sum(values))


def _climb(total: Callable[[Floats], float], count: int, start: list[float] | None, tolerance: float) -> Floats:
    """The maximum of a likelihood that the package does not know, or not without overflow, from a start in logarithms.

    Within bounds beyond which no maximum counts: on a ridge a long first step would not come back.
    """
    begin = np.zeros(count) if start is None else np.asarray(start[:count])
    return np.exp(search(total, begin, FARTHEST, tolerance))


def fit_gamma_gamma(rows: pd.DataFrame, beside: SpendModel | None = None) -> SpendModel:
    """Gamma-Gamma on distinct (frequency, monetary_value, weight) rows; money is rescaled while fitting.

    ``beside``: the model of more customers than these, at whose maximum the search begins.

    Raises
    ------
    ModelError : too few repeat customers with a positive mean order, no maximum, or q ≤ 1 (no finite mean).
    """
    known = spend_model.usable(rows)
    x, m, weight = (known[c].to_numpy(float) for c in ("frequency", "monetary_value", "weight"))
    _check_spend(m, weight)
    scale = float(np.median(m))  # not the mean: one giant order would set it

    total = spend_likelihood(known)

    def attempt(start: list[float] | None, tolerance: float) -> Any:
        if beside and start:
            return _climb(total, len(spend_model.PARAMETERS), start, tolerance)
        with _lifetimes() as lifetimes:
            fitter = lifetimes.GammaGammaFitter()
            scaled = fitter.fit(x, m / scale, weight, initial_params=start and start[:3], tol=tolerance).params_
        return scaled * np.array([1, 1, scale])

    starts = starts_beside(beside.theta) if beside else STARTS
    theta, covariance = maximise(attempt, total, spend_model.PARAMETERS, "Gamma-Gamma", [1, 1, scale], starts)
    if theta[1] <= 1:
        raise ModelError(_refused_tail(theta[1]))
    return SpendModel(
        params=dict(zip(spend_model.PARAMETERS, theta.tolist(), strict=True)),
        se=_standard_errors(spend_model.PARAMETERS, theta, covariance),
        covariance=covariance,
        loglik=total(np.log(theta)),
        n_customers=int(weight.sum()),
    )


def spend_likelihood(known: pd.DataFrame) -> Callable[[Floats], Any]:
    """Total log-likelihood of usable ``frequency, monetary_value, weight`` rows, as :func:`purchase_likelihood`."""
    x, m, weight = (known[c].to_numpy(float) for c in ("frequency", "monetary_value", "weight"))

    def total(log_theta: Floats) -> Any:
        theta = np.exp(log_theta)
        return _sum(weight * spend_model.log_likelihood(theta if theta.ndim == 1 else theta[:, :, None], x, m))

    return total


def or_reason(fit: Any) -> tuple[Any, str]:
    """A fit, or None and the reason why there is none."""
    try:
        return fit(), ""
    except ModelError as error:
        return None, str(error)


def check_purchases(rows: pd.DataFrame) -> None:
    """Raise ModelError in words where these histories cannot carry a purchase model."""
    customers = int(rows["weight"].sum())
    repeaters = int(rows.loc[rows["frequency"] > 0, "weight"].sum())
    if customers == 0:
        raise ModelError(_("There is no customer with a purchase, so no purchase model can be fitted."))
    if repeaters == 0:
        raise ModelError(
            _(
                "Not one of the {n} customers bought on a second day, so nothing can be learnt about coming back. "
                "A longer period of transactions is needed.",
                n=number(customers),
            )
        )
    if repeaters < MINIMUM_REPEATERS:
        raise ModelError(
            _(
                "Only {k} of the {n} customers bought on a second day; a purchase model needs at least {least}. "
                "A longer period of transactions is needed.",
                k=number(repeaters), n=number(customers), least=number(MINIMUM_REPEATERS),
            )
        )  # fmt: skip
    bad = (rows["recency"] > rows["T"]) | (rows["recency"] < 0) | rows[HISTORY].isna().any(axis=1)
    if bad.any():
        raise ModelError(_("The customer summary holds a last purchase before the first or after the as-of date."))


def _check_spend(mean_orders: Floats, weight: Floats) -> None:
    repeaters = int(weight.sum())
    if repeaters < MINIMUM_REPEATERS:
        raise ModelError(
            _(
                "Only {k} repeat customers have a positive mean order; a spend model needs at least {least}.",
                k=number(repeaters), least=number(MINIMUM_REPEATERS),
            )
        )  # fmt: skip
    if np.ptp(mean_orders) <= 1e-9 * mean_orders.max():
        raise ModelError(_("All repeat customers spend the same per order: there is no spread to model."))


def _refused_tail(q: float) -> str:
    return _(
        "The spend model gives q = {q}; at q ≤ 1 the mean order value it implies is infinite, so it is not used. "
        "A few giant orders usually cause this: check them, or set a cleaning rule for them.",
        q=number(q, 2),
    )


def _standard_errors(names: tuple[str, ...], theta: Floats, covariance: Floats) -> dict[str, float]:
    """Of the parameters themselves, from the covariance of their logarithms (delta method)."""
    return dict(zip(names, (theta * np.sqrt(np.diag(covariance))).tolist(), strict=True))


@contextlib.contextmanager
def _lifetimes() -> Iterator[Any]:
    """The package, with what it does to the process kept to itself: warning filters, a pandas option, prints."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        chained = pd.get_option(_PANDAS_OPTION)
        try:
            import lifetimes

            yield lifetimes
        finally:
            pd.set_option(_PANDAS_OPTION, chained)
