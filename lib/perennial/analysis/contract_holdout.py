"""Renewals foretold from what was known at a cut, against what came and against rules of thumb."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis import renewals as dates
from perennial.analysis import shifted_beta_geometric as sbg
from perennial.analysis.contract_value import DRAWS, Plan, bounds, fit_plans, observed_retention
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.renewals import Rhythm

SAME = 0.005  # of the smallest error: within it, forecasts err alike
MODEL, CONSTANT, LAST = "model", "constant churn", "last retention"


@dataclass(frozen=True)
class ContractHoldout:
    """How renewals after a cut were foretold from what was known at it.

    Attributes
    ----------
    scores : per plan (and all together, plan ``None``) and forecaster (:data:`MODEL`, :data:`CONSTANT` churn, the
        :data:`LAST` observed retention carried on): ``contracts, actual, predicted, bias, rmse`` (per contract, of the
        chance to come through), ``low, high`` (of the model; both kinds of uncertainty).
    by_cohort : ``plan, cohort, contracts, actual`` and the model's ``predicted``.
    models : name of the model by plan at the cut.
    reasons : plans that could not be tested, and why.
    """

    cut: dt.date
    scores: pd.DataFrame
    by_cohort: pd.DataFrame
    models: dict[str, str]
    reasons: dict[str, str]

    @property
    def is_constant(self) -> bool:
        """Whether at the cut no plan showed that contracts differ, so that the model was one constant churn itself."""
        return all(name == CONSTANT for name in self.models.values())

    @property
    def winner(self) -> str:
        """The forecaster with the smallest error over all plans; among those within half a percent, the nearest one."""
        whole = self.scores[self.scores["plan"].isna()]
        near = whole[whole["rmse"] <= (1 + SAME) * whole["rmse"].min()]
        return str(near.sort_values("bias", key=lambda bias: bias.abs(), kind="stable")["forecaster"].iloc[0])


def holdout_contracts(
    subscriptions: ir.Table, rhythms: list[Rhythm], cut: dt.date, as_of: dt.date, minimum: int, level: float, seed: int
) -> ContractHoldout | None:
    """Fit on contracts up to ``cut``, foretell which of those running then come through to ``as_of``, and compare.

    None where no plan can be tested because nothing came up for renewal.
    """
    followed = dates.renewal_counts(subscriptions, rhythms, cut, as_of)
    followed = followed[followed["due"] > 0]
    if followed.empty:
        return None
    plans = fit_plans(subscriptions, [r for r in rhythms if r.recognised], cut, minimum)
    reasons = {plan.name: plan.reason for plan in plans if plan.model is None}
    tested, drawn = [], {}
    for plan in plans:
        own = followed[followed["plan"] == plan.name].reset_index(drop=True)
        if plan.model is None or own.empty:
            continue
        own = own.assign(**_forecasts(plan, own))
        drawn[plan.name] = _draw_survivors(plan, own, seed)
        tested.append(own)
    if not tested:
        return ContractHoldout(cut, pd.DataFrame(), pd.DataFrame(), {}, reasons)
    whole = pd.concat(tested, ignore_index=True)
    rows = [row for own in tested for row in _scores(own, own["plan"].iloc[0], drawn[own["plan"].iloc[0]], level)]
    rows += _scores(whole, None, sum(drawn.values()), level)
    weight = whole["count"]
    by_cohort = whole.assign(contracts=weight, actual=weight * whole["survived"], predicted=weight * whole[MODEL])
    by_cohort = by_cohort.groupby(["plan", "cohort"], as_index=False)[["contracts", "actual", "predicted"]].sum()
    models: dict[str, str] = {plan.name: plan.model.name for plan in plans if plan.model is not None}
    return ContractHoldout(cut, pd.DataFrame(rows), by_cohort, models, reasons)


def _forecasts(plan: Plan, followed: pd.DataFrame) -> dict[str, Floats]:
    """Chance to come through the renewals due, of each row by each forecaster."""
    assert plan.model is not None
    past, due = followed["time"].to_numpy(float), followed["due"].to_numpy(float)
    model = sbg.survival_given(plan.model.alpha, plan.model.beta, past, due)
    same = plan.model.renewed / (plan.model.renewed + plan.model.ended)
    seen = observed_retention(plan.counts, 0.9)
    rate = seen["retention"].to_numpy()
    steps = [np.minimum(np.arange(t, t + m), len(rate) - 1).astype(int) for t, m in zip(past, due, strict=True)]
    return {MODEL: model, CONSTANT: same**due, LAST: np.array([np.prod(rate[step]) for step in steps])}


def _draw_survivors(plan: Plan, followed: pd.DataFrame, seed: int) -> Floats:
    assert plan.model is not None
    rng = np.random.default_rng(seed)
    alpha, beta = (v[:, None] for v in plan.model.draw(DRAWS, rng))
    kept = sbg.survival_given(alpha, beta, followed["time"].to_numpy(float), followed["due"].to_numpy(float))
    return np.asarray(rng.binomial(followed["count"].to_numpy(int), np.clip(kept, 0, 1)).sum(axis=1), dtype=np.float64)


def _scores(followed: pd.DataFrame, plan: str | None, drawn: Any, level: float) -> list[dict[str, Any]]:
    count, came = followed["count"].to_numpy(float), followed["survived"].to_numpy(float)
    actual = float(count @ came)
    low, high = bounds(level, drawn)
    rows = []
    for name in (MODEL, CONSTANT, LAST):
        chance = followed[name].to_numpy(float)
        predicted = float(count @ chance)
        rows.append(
            {
                "plan": plan,
                "forecaster": name,
                "contracts": int(count.sum()),
                "actual": int(actual),
                "predicted": predicted,
                "bias": predicted / actual - 1 if actual else math.nan,
                "rmse": math.sqrt(float(count @ (came - chance) ** 2) / count.sum()),
                "low": low if name == MODEL else math.nan,
                "high": high if name == MODEL else math.nan,
            }
        )
    return rows
