"""Forecasts that need no purchase model: what an experienced manager or a plain regression would say.

A model of customers is worth its trouble only where it forecasts better than these, which may look at nothing but the
days up to the cut. Two of them learn from a rehearsal: the end of those days, held back once more.
"""

import datetime as dt
import warnings
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.purchase_model import HISTORY
from perennial.analysis.purchases.formulas import Floats
from perennial.tables.summary import customer_summary, purchase_days

SAME_RATE, SAME_AVERAGE, LAST_STRETCH = "same rate as before", "same average for all", "as in the last stretch"
HIATUS, REGRESSION = "hiatus", "regression"
BASELINES = (SAME_RATE, SAME_AVERAGE, LAST_STRETCH, HIATUS, REGRESSION)
SHORTEST = 14  # days of a rehearsal
_MOST_CANDIDATES = 200


@dataclass(frozen=True)
class Rehearsal:
    """The end of the calibration held back once more.

    Attributes
    ----------
    days : its length.
    rows : distinct ``frequency, recency, T`` (days) where it begins, the purchase days ``actual`` in it, ``weight``.
    """

    days: int
    rows: pd.DataFrame


def rehearse(transactions: ir.Table, cut: dt.date, days: int) -> Rehearsal | None:
    """The rehearsal of a forecast over ``days``: as long, or a third of the calibration where that is shorter.

    Returns
    -------
    None where the calibration is too short to be cut.
    """
    bought = purchase_days(transactions)
    span = (cut - pd.Timestamp(bought.ordered_on.min().to_pandas()).date()).days
    held = min(days, span // 3)
    if held < SHORTEST:
        return None
    begin = cut - dt.timedelta(days=held)
    later = bought.filter(bought.ordered_on > begin, bought.ordered_on <= cut)
    return Rehearsal(held, outcomes(customer_summary(transactions, begin), later))


def outcomes(calibration: ir.Table, later: ir.Table, **counted: ir.Table) -> pd.DataFrame:
    """Distinct ``frequency, recency, T``, the ``actual`` purchase days in ``later``, and ``weight`` customers each.

    Parameters
    ----------
    calibration : customer summary at a cut; later : customer-days after it.
    counted : name → customer-days to be counted besides.
    """
    keys, both = [*HISTORY], calibration.select("customer_id", *HISTORY)
    for name, days in {"actual": later, **counted}.items():
        seen = days.group_by("customer_id").agg(n=days.count())
        joined = both.left_join(seen, "customer_id")
        keys.append(name)
        both = joined.select(*both.columns, **{name: joined.n.fill_null(0)})
    return both.group_by(keys).agg(weight=both.count()).to_pandas().sort_values(keys, ignore_index=True)


def baselines(rows: pd.DataFrame, days: int, stretch: int, rehearsal: Rehearsal | None) -> dict[str, Floats]:
    """Purchase days that each rule expects of each row's customer over the next ``days``.

    - *Same rate as before*: own repeat purchases per day so far. *Same average for all*: everyone's.
    - *As in the last stretch*: own repeat purchase days of the last ``stretch`` days before the cut, once more.
    - *Hiatus*: who has been silent longer than a limit buys no more, the others at their old rate; the limit is the one
      that would have told best, in the rehearsal, who buys again (Wübben & Wangenheim 2008, Journal of Marketing 72(3),
      where managers set it).
    - *Regression*: Poisson regression on the logarithms of purchases and age and on the share of the age passed in
      silence, learnt in the rehearsal.

    Parameters
    ----------
    rows : ``frequency, recency, T, weight`` at the cut, ``recent`` repeat purchase days of the last ``stretch`` days.
    """
    x, age, weight = (rows[c].to_numpy(float) for c in ("frequency", "T", "weight"))
    rate = np.where(age > 0, x / np.maximum(age, 1), 0.0)
    found = {
        SAME_RATE: rate * days,
        SAME_AVERAGE: np.full(len(rows), float(x @ weight) / max(1.0, float(age @ weight)) * days),
        LAST_STRETCH: rows["recent"].to_numpy(float) / stretch * days,
    }
    if rehearsal is None:
        return found
    limit = best_hiatus(rehearsal.rows)
    found[HIATUS] = np.where(_silence(rows) > limit, 0.0, rate * days)
    learnt = _regression(rehearsal, rows, days)
    if learnt is not None:
        found[REGRESSION] = learnt
    return found


def best_hiatus(rows: pd.DataFrame) -> float:
    """The days of silence that best divide those who bought in the rehearsal from those who did not.

    The limit with the most customers told right: silent for longer and not back, or silent for no longer and back.
    """
    silence, weight = _silence(rows), rows["weight"].to_numpy(float)
    back = rows["actual"].to_numpy(float) > 0
    limits = np.unique(silence)
    if len(limits) > _MOST_CANDIDATES:
        limits = np.unique(np.quantile(limits, np.linspace(0, 1, _MOST_CANDIDATES), method="nearest"))
    right = [float(weight @ ((silence <= limit) == back)) for limit in limits]
    return float(limits[int(np.argmax(right))])


def _silence(rows: pd.DataFrame) -> Floats:
    return rows["T"].to_numpy(float) - rows["recency"].to_numpy(float)


def _regression(rehearsal: Rehearsal, rows: pd.DataFrame, days: int) -> Floats | None:
    """What the regression expects; None where the rehearsal does not carry it."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    known = rehearsal.rows
    if not known["actual"].any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = GLM(known["actual"].to_numpy(float), _features(known), family=Poisson(),
                           freq_weights=known["weight"].to_numpy(float)).fit()  # fmt: skip
            expected: Floats = model.predict(_features(rows)) * days / rehearsal.days
        except (Warning, ValueError, np.linalg.LinAlgError):  # no finite solution, or none that is unique
            return None
    return expected if np.isfinite(expected).all() else None


def _features(rows: pd.DataFrame) -> Floats:
    age = np.maximum(rows["T"].to_numpy(float), 1.0)
    bought = np.log1p(rows["frequency"].to_numpy(float))
    return np.column_stack([np.ones(len(rows)), bought, np.log(age), _silence(rows) / age])
