"""What running contracts are worth: renewals still to come × fee × margin, with intervals.

Parameters are uncertain (more contracts would narrow it), and what each contract then does is chance (no data narrows
it); both are drawn, and named apart.
"""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis import renewal_fit
from perennial.analysis import renewals as dates
from perennial.analysis import shifted_beta_geometric as sbg
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.renewals import Rhythm
from perennial.analysis.shifted_beta_geometric import RenewalModel
from perennial.errors import ModelError

DRAWS = 400
MOST_PER_GROUP = 40  # contracts drawn one by one; the rest of a group varies as they do
BOUNDS = ["low", "high", "parameter_low", "parameter_high", "process_low", "process_high"]


@dataclass(frozen=True)
class Plan:
    """One plan: its rhythm, its renewals so far, and the model fitted to them (None: ``reason`` says why not).

    ``counts`` are ``cohort, time, ended, count``.
    """

    rhythm: Rhythm
    counts: pd.DataFrame
    model: RenewalModel | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """The client's name of the plan; empty where there are no names."""
        return self.rhythm.plan

    @property
    def seen(self) -> int:
        """The most renewals that any contract has come to."""
        return int(self.counts["time"].max()) if len(self.counts) else 0


def fit_plans(subscriptions: ir.Table, rhythms: list[Rhythm], as_of: dt.date, minimum: int) -> list[Plan]:
    """A model for each plan of recognised rhythm and at least ``minimum`` contracts, start years pooled."""
    counts = dates.renewal_counts(subscriptions, rhythms, as_of)
    found = []
    for rhythm in rhythms:
        own = counts[counts["plan"] == rhythm.plan].drop(columns="plan").reset_index(drop=True)
        if not rhythm.recognised or own["count"].sum() < minimum:
            continue
        try:
            found.append(Plan(rhythm, own, renewal_fit.fit_or_constant(own)))
        except ModelError as error:
            found.append(Plan(rhythm, own, reason=str(error)))
    return found


def observed_retention(counts: pd.DataFrame, level: float) -> pd.DataFrame:
    """``renewal, at_risk, renewed, retention, low, high`` (Wilson) and ``survival``, for each renewal come to."""
    from statsmodels.stats.proportion import proportion_confint

    last = int(counts["time"].max()) if len(counts) else 0
    rows = []
    for renewal in range(1, last + 1):
        came = counts["time"] >= renewal
        at_risk = counts.loc[came, "count"].sum()
        left = counts.loc[came & counts["ended"] & (counts["time"] == renewal), "count"].sum()
        rows.append((renewal, int(at_risk), int(at_risk - left)))
    frame = pd.DataFrame(rows, columns=["renewal", "at_risk", "renewed"])
    frame = frame[frame["at_risk"] > 0].reset_index(drop=True)
    frame["retention"] = frame["renewed"] / frame["at_risk"]
    low, high = proportion_confint(frame["renewed"], frame["at_risk"], alpha=1 - level, method="wilson")
    return frame.assign(low=low, high=high, survival=frame["retention"].cumprod())


def project_curve(plan: Plan, ahead: int, level: float, seed: int) -> pd.DataFrame:
    """Survival and retention of new contracts of a plan, observed and as the model projects them.

    Returns
    -------
    Frame ``plan, renewal`` (0 to those seen and ``ahead`` more), ``at_risk, survival, survival_low, survival_high``
    (Kaplan-Meier), ``retention, retention_low, retention_high`` (Wilson; missing beyond what is seen),
    ``model_survival`` and ``model_retention`` with their ``…_low`` and ``…_high`` (uncertain parameters alone; missing
    without a model).
    """
    from perennial.analysis.survival import kaplan_meier, survival_at

    seen = observed_retention(plan.counts, level)
    frame = pd.DataFrame({"plan": plan.name, "renewal": range(plan.seen + ahead + 1)})
    curve = kaplan_meier(plan.counts[["time", "ended", "count"]], level)
    watched = frame["renewal"] <= plan.seen
    observed = [
        survival_at(curve, t) if known else (np.nan,) * 3 for t, known in zip(frame["renewal"], watched, strict=True)
    ]
    frame[["survival", "survival_low", "survival_high"]] = observed
    renamed = seen[["renewal", "at_risk", "retention", "low", "high"]]
    renamed = renamed.rename(columns={"low": "retention_low", "high": "retention_high"})
    frame = frame.merge(renamed, on="renewal", how="left")
    t = frame["renewal"].to_numpy(float)
    if plan.model is None:
        names = ["model_survival", "model_retention"]
        return frame.assign(**{n + end: np.nan for n in names for end in ("", "_low", "_high")})
    alpha, beta = plan.model.draw(DRAWS, np.random.default_rng(seed))
    tails = [(1 - level) / 2, (1 + level) / 2]
    for name, function in (("survival", sbg.survival), ("retention", sbg.retention)):
        none = (t < 1) & (name == "retention")
        place = np.where(none, 1, t)
        own = function(plan.model.alpha, plan.model.beta, place)
        low, high = np.quantile(function(alpha[:, None], beta[:, None], place), tails, axis=0)
        for end, values in (("", own), ("_low", low), ("_high", high)):
            frame[f"model_{name}{end}"] = np.where(none, np.nan, values)
    return frame


def project_counts(plan: Plan, running: pd.DataFrame, steps: list[int], level: float, seed: int) -> pd.DataFrame:
    """How many of today's running contracts still run after so many more renewals.

    Parameters
    ----------
    running : :func:`perennial.analysis.renewals.running_contracts` of the plan.

    Returns
    -------
    Frame ``plan, ahead, running, expected`` and :data:`BOUNDS`: both kinds of uncertainty together, uncertain
    parameters alone, chance alone.
    """
    assert plan.model is not None
    rng = np.random.default_rng(seed)
    alpha, beta = plan.model.draw(DRAWS, rng)
    past, count = running["renewals"].to_numpy(float), running["contracts"].to_numpy(int)
    rows = []
    for ahead in steps:
        own = sbg.survival_given(plan.model.alpha, plan.model.beta, past, ahead)
        kept = sbg.survival_given(alpha[:, None], beta[:, None], past, ahead)
        mean, chance = kept @ count, rng.binomial(count, np.clip(kept, 0, 1)).sum(axis=1)
        fixed = rng.binomial(count, np.clip(own, 0, 1), (DRAWS, len(count))).sum(axis=1)
        rows.append((plan.name, ahead, int(count.sum()), float(own @ count), *bounds(level, chance, mean, fixed)))
    return pd.DataFrame(rows, columns=["plan", "ahead", "running", "expected", *BOUNDS])


def bounds(level: float, *drawn: Floats) -> list[float]:
    """Lower and upper bound of each set of draws."""
    tails = [(1 - level) / 2, (1 + level) / 2]
    # "higher" where draws are infinite: between two of them numpy would find NaN
    return [
        float(v) for d in drawn for v in np.quantile(d, tails, method="linear" if np.isfinite(d).all() else "higher")
    ]


def lifetimes(plan: Plan, running: pd.DataFrame, annual_rate: float, level: float, seed: int) -> dict[str, Any]:
    """How long contracts of a plan last, each figure with its interval (uncertain parameters).

    Returns
    -------
    ``plan``; ``churn``, the chance to end at the first renewal; ``median``, the renewal by which half of new contracts
    have ended; ``tenure``, the mean number of periods of new ones (no interval: infinite at alpha ≤ 1); ``derl``, the
    mean discounted number of renewals to come of the running ones; bounds end in ``_low`` and ``_high``.
    """
    assert plan.model is not None
    rate = (1 + annual_rate) ** (plan.rhythm.days / 365.25) - 1
    past, count = running["renewals"].to_numpy(float), running["contracts"].to_numpy(float)
    share = count / count.sum() if count.sum() else count

    def figures(alpha: Floats, beta: Floats) -> dict[str, Floats]:
        middle = np.array([sbg.median_tenure(a, b) for a, b in zip(alpha, beta, strict=True)])
        ahead = sbg.residual_lifetime(alpha[:, None], beta[:, None], past, rate) @ share
        return {"churn": alpha / (alpha + beta), "median": middle, "derl": ahead if share.any() else middle * np.nan}

    own = figures(np.array([plan.model.alpha]), np.array([plan.model.beta]))
    drawn = figures(*plan.model.draw(DRAWS, np.random.default_rng(seed)))
    row: dict[str, Any] = {"plan": plan.name, "tenure": sbg.expected_tenure(plan.model.alpha, plan.model.beta)}
    for name, values in own.items():
        low, high = bounds(level, drawn[name])
        row |= {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
    return row


@dataclass(frozen=True)
class ContractValue:
    """The residual value of running contracts, in currency, after margin and discount.

    Attributes
    ----------
    groups : per plan and start year: ``plan, cohort, contracts, per_month, within, within_low, within_high`` (value
        over the horizon) and ``value, value_low, value_high`` (all renewals still to come), both kinds of uncertainty
    in it. plans : the same per plan, with ``derl``, the mean discounted number of renewals to come, weighted by fee;
        ``beyond``, the part of ``value`` from renewals that no contract of the plan has come to yet; ``constant``, the
        value if churn were the same at every renewal.
    total : ``within`` and ``value``, each with :data:`BOUNDS`; infinite where the sum has no bound.
    unpriced : running contracts without a price, which no value is stated of.
    """

    groups: pd.DataFrame
    plans: pd.DataFrame
    total: dict[str, dict[str, float]]
    unpriced: int


def value_contracts(
    plans: list[Plan], running: pd.DataFrame, annual_rate: float, margin: float, level: float, seed: int
) -> ContractValue | None:
    """Value of the running contracts of every plan with a model; None where none of them has a price.

    Each renewal brings the price of one period, paid in advance; the running period is taken as paid. Parameters are
    drawn per plan; under each draw each contract's renewals are drawn, up to 40 of a group one by one, the rest as they
    vary (mean and variance of the whole group are kept).
    """
    models = {plan.name: plan for plan in plans if plan.model is not None}
    priced = running[running["plan"].isin(list(models)) & (running["fee"] > 0)]
    if priced.empty:
        return None
    drawn = {
        str(name): _draw_value(models[str(name)], own, annual_rate, margin, np.random.default_rng([seed, place]))
        for place, (name, own) in enumerate(priced.groupby("plan"))
    }
    groups = [
        _summed(own, drawn[str(name)], cohort, level) for (name, cohort), own in priced.groupby(["plan", "cohort"])
    ]
    lines = [_summed(own, drawn[str(name)], None, level) for name, own in priced.groupby("plan")]
    total = {}
    for what in ("within", "value"):
        parts = {kind: sum(d[what][kind].sum(axis=1) for d in drawn.values()) for kind in ("both", "mean", "fixed")}
        own = float(sum(d[what]["own"].sum() for d in drawn.values()))
        names = ["value", *BOUNDS]
        numbers = [own, *bounds(level, parts["both"], parts["mean"], parts["fixed"])]
        total[what] = dict(zip(names, numbers, strict=True))
    unpriced = running.loc[running["plan"].isin(list(models))]
    left = int((unpriced["contracts"] - unpriced["priced"]).sum())
    return ContractValue(
        pd.DataFrame(groups).drop(columns=["derl", "beyond", "constant"]),
        pd.DataFrame(lines).drop(columns="cohort"),
        total,
        left,
    )


def _draw_value(
    plan: Plan, running: pd.DataFrame, annual_rate: float, margin: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Values by group of a plan.

    ``own`` (at the estimates), ``mean`` (draws × groups: expected under drawn parameters), ``both`` (and chance),
    ``fixed`` (chance at the estimates).
    """
    assert plan.model is not None
    rate = (1 + annual_rate) ** (plan.rhythm.days / 365.25) - 1
    alpha, beta = (v[:, None] for v in plan.model.draw(DRAWS, rng))
    a, b = plan.model.alpha, plan.model.beta
    past, due, count = (running[c].to_numpy(float) for c in ("renewals", "due", "priced"))
    fee, noise = margin * running["fee"].to_numpy(), margin * np.sqrt(running["fee_squared"].to_numpy())
    chance = _chance(alpha, beta, past, count, due, rate, rng)
    fixed = _chance(np.full_like(alpha, a), np.full_like(beta, b), past, count, due, rate, rng)
    expected: dict[str, Callable[[Any, Any], Floats]] = {
        "within": lambda x, y: sbg.renewals_within(x, y, past, due, rate),
        "value": lambda x, y: sbg.residual_lifetime(x, y, past, rate),
    }
    out: dict[str, Any] = {"place": {index: i for i, index in enumerate(running.index)}}
    ahead = np.maximum(plan.seen - past, 0)  # renewals that some contract of the plan has come to already
    later = sbg.survival_given(a, b, past, ahead) * sbg.residual_lifetime(a, b, past + ahead, rate)
    out["beyond"] = fee * later / (1 + rate) ** ahead
    churn = plan.model.ended / (plan.model.ended + plan.model.renewed)
    out["constant"] = fee * (1 - churn) / (1 - (1 - churn) / (1 + rate))
    for what, function in expected.items():
        own, mean = function(a, b), function(alpha, beta)
        with np.errstate(invalid="ignore"):
            out[what] = {
                "derl": own,
                "own": fee * own,
                "mean": fee * mean,
                "both": fee * mean + noise * _nothing_if_infinite(chance[what], mean),
                "fixed": fee * own + noise * _nothing_if_infinite(fixed[what], own),
            }
    return out


def _nothing_if_infinite(deviation: Floats, mean: Floats) -> Floats:
    return np.where(np.isfinite(mean) & np.isfinite(deviation), deviation, 0.0)


def _chance(
    alpha: Floats, beta: Floats, past: Floats, count: Floats, due: Floats, rate: float, rng: np.random.Generator
) -> dict[str, Floats]:
    """Deviation of a group's discounted renewals from their mean, in standard deviations' unit of one contract."""
    shown = np.minimum(count, MOST_PER_GROUP).astype(int)
    group = np.repeat(np.arange(len(past)), shown)
    made = sbg.draw_renewals(alpha, beta, past[group], (len(alpha), len(group)), rng)
    edges = np.concatenate([[0], np.cumsum(shown)[:-1]])
    out = {}
    for what in ("within", "value"):
        cut = np.minimum(made, due[group]) if what == "within" else made
        worth = cut if rate == 0 else (1 - (1 + rate) ** -cut) / (1 - 1 / (1 + rate))
        mean = (
            sbg.renewals_within(alpha, beta, past, due, rate)
            if what == "within"
            else sbg.residual_lifetime(alpha, beta, past, rate)
        )
        with np.errstate(invalid="ignore"):
            out[what] = (np.add.reduceat(worth, edges, axis=1) - shown * mean) / np.sqrt(shown)
    return out


def _summed(own: pd.DataFrame, drawn: dict[str, Any], cohort: Any, level: float) -> dict[str, Any]:
    places = [drawn["place"][index] for index in own.index]
    fee = own["fee"].to_numpy(float)
    row: dict[str, Any] = {
        "plan": own["plan"].iloc[0],
        "cohort": cohort,
        "contracts": int(own["priced"].sum()),
        "per_month": float(own["per_month"].sum()),
        "derl": float(fee @ drawn["value"]["derl"][places] / fee.sum()) if fee.sum() else math.nan,
    }
    row |= {"beyond": float(drawn["beyond"][places].sum()), "constant": float(drawn["constant"][places].sum())}
    for what in ("within", "value"):
        low, high = bounds(level, drawn[what]["both"][:, places].sum(axis=1))
        row |= {what: float(drawn[what]["own"][places].sum()), f"{what}_low": low, f"{what}_high": high}
    return row
