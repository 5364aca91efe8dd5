"""The contractual part of chapter 05: what running contracts are worth, how long they last, how far that is tested."""

import datetime as dt
import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import contract_value, renewals
from perennial.analysis.contract_holdout import ContractHoldout, holdout_contracts
from perennial.analysis.contract_setting import Fees, Setting, choose_setting, fees_in_orders
from perennial.analysis.contract_value import ContractValue, Plan
from perennial.analysis.holdout import choose_cut
from perennial.analysis.renewal_fit import cohorts_differ
from perennial.analysis.renewals import Rhythm
from perennial.analysis.value import ValueResult
from perennial.chapters import contract_captions, contract_findings, contract_tables
from perennial.chapters import contract_words as words
from perennial.errors import ModelError
from perennial.language import _
from perennial.parameters import Parameters
from perennial.statements import Exhibit, Part

if TYPE_CHECKING:
    from perennial.client import Client

NAMES = (
    "contract_value", "contract_value_cohorts", "contract_lifetimes", "contract_survival", "contract_retention",
    "contract_cohorts", "contract_projection", "contract_holdout", "contract_parameters",
)  # fmt: skip
MOST_CURVES = 4
MOST_STEPS = 520


@dataclass(frozen=True)
class Contracts:
    """What was found of a client's contracts; frames that could not be made are empty.

    Attributes
    ----------
    plans : largest first; ``left_out`` are the rhythms of plans not among them.
    curves : survival and retention of up to four plans; see :func:`perennial.analysis.contract_value.project_curve`.
    lifetimes : per plan with a model; see :func:`perennial.analysis.contract_value.lifetimes`.
    cohorts : ``plan, cohort, contracts, offered, retention, low, high, projected``.
    projection : running contracts after so many more renewals.
    tests : of each plan, whether its start years differ (statistic, df, p_value).
    """

    parameters: Parameters
    setting: Setting
    fees: Fees = "unknown"
    fee_share: float = math.nan
    plans: list[Plan] = field(default_factory=list)
    left_out: list[Rhythm] = field(default_factory=list)
    contracts: int = 0
    oddities: dict[str, int] = field(default_factory=dict)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    lifetimes: pd.DataFrame = field(default_factory=pd.DataFrame)
    cohorts: pd.DataFrame = field(default_factory=pd.DataFrame)
    projection: pd.DataFrame = field(default_factory=pd.DataFrame)
    value: ContractValue | None = None
    tests: dict[str, dict[str, float]] = field(default_factory=dict)
    holdout: ContractHoldout | None = None
    holdout_reason: str = ""

    @property
    def modelled(self) -> list[Plan]:
        """Plans with a model."""
        return [plan for plan in self.plans if plan.model is not None]


def part(client: "Client", result: ValueResult | None = None) -> Part:
    """The section on contracts; where there are none, everything is absent with the reason.

    ``result`` is not needed: contracts are valued on their own, whether or not a purchase model could be fitted.
    """
    found = measure(client)
    if not found.setting.has_contracts:
        reason = _("Not shown: {reason}", reason=found.setting.reason)
        return Part(absent=dict.fromkeys(NAMES, reason))
    exhibits = {name: exhibit for name, exhibit in _exhibits(found).items() if len(exhibit.frame)}
    absent = {name: words.absent(found, name) for name in NAMES if name not in exhibits}
    return Part(exhibits, absent, tuple(words.says(found)), tuple(contract_findings.findings(found)))


def measure(client: "Client") -> Contracts:
    """Run the analyses of contracts on a client."""
    p = client.parameters
    table = client.table("subscriptions") if client.has("subscriptions") else None
    setting = choose_setting(p.contractual, table, client.transactions, p.as_of)
    if not setting.has_contracts or table is None:
        return Contracts(p, setting)
    rhythms = renewals.find_rhythms(table, p.as_of)
    fees, share = fees_in_orders(table, client.transactions, rhythms, p.as_of)
    plans = contract_value.fit_plans(table, rhythms, p.as_of, p.minimum_group)
    running = renewals.running_contracts(table, rhythms, p.as_of, p.horizon_months, p.discount_rate)
    value = contract_value.value_contracts(plans, running, p.discount_rate, p.gross_margin, p.interval, p.seed)
    taken = {plan.name for plan in plans}
    holdout, reason = _holdout(table, rhythms, p)
    curves = [contract_value.project_curve(plan, _ahead(plan, p), p.interval, p.seed) for plan in plans[:MOST_CURVES]]
    return Contracts(
        p,
        setting,
        fees,
        share,
        plans,
        [rhythm for rhythm in rhythms if rhythm.plan not in taken],
        sum(rhythm.contracts for rhythm in rhythms),
        renewals.oddities(table, p.as_of),
        pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(),
        _lifetimes(plans, running, p),
        _cohorts(plans, p),
        _projection(plans, running, p),
        value,
        {plan.name: cohorts_differ([c for _year, c in plan.counts.groupby("cohort")]) for plan in plans},
        holdout,
        reason,
    )


def _holdout(subscriptions: Any, rhythms: list[Rhythm], p: Parameters) -> tuple[ContractHoldout | None, str]:
    """The test out of time, or why there is none."""
    first: dt.date = subscriptions.started_at.min().to_pyarrow().as_py()
    try:
        cut = choose_cut(first, p.as_of, p.holdout_days)
    except ModelError:
        days = formats.days((p.as_of - first).days)
        return None, _("contracts go back {days} only, too short to hold a part of it back.", days=days)
    own = holdout_contracts(subscriptions, rhythms, cut, p.as_of, p.minimum_group, p.interval, p.seed)
    return own, ""


def _ahead(plan: Plan, p: Parameters) -> int:
    """How many renewals beyond those seen a curve is drawn: the horizon, at least three."""
    return min(MOST_STEPS, max(3, round(p.horizon_months / plan.rhythm.months)))


def _lifetimes(plans: list[Plan], running: pd.DataFrame, p: Parameters) -> pd.DataFrame:
    rows = [
        contract_value.lifetimes(plan, running[running["plan"] == plan.name], p.discount_rate, p.interval, p.seed)
        | {"period": words.period(plan.rhythm)}
        for plan in plans
        if plan.model is not None
    ]
    return pd.DataFrame(rows)


def _cohorts(plans: list[Plan], p: Parameters) -> pd.DataFrame:
    """Observed against projected retention of each start year, over all renewals it came to."""
    from perennial.analysis import shifted_beta_geometric as sbg

    rows = []
    for plan in plans:
        for year, counts in plan.counts.groupby("cohort"):
            seen = contract_value.observed_retention(counts, p.interval)
            offered, renewed = int(seen["at_risk"].sum()), int(seen["renewed"].sum())
            low, high = words.wilson(renewed, offered, p.interval)
            projected = math.nan
            if plan.model is not None and offered:
                model = sbg.retention(plan.model.alpha, plan.model.beta, seen["renewal"].to_numpy(float))
                projected = float(model @ seen["at_risk"].to_numpy(float)) / offered
            share = renewed / offered if offered else math.nan
            rows.append((plan.name, int(year), int(counts["count"].sum()), offered, share, low, high, projected))
    columns = ["plan", "cohort", "contracts", "offered", "retention", "low", "high", "projected"]
    return pd.DataFrame(rows, columns=columns)


def _projection(plans: list[Plan], running: pd.DataFrame, p: Parameters) -> pd.DataFrame:
    frames = []
    for plan in plans:
        own = running[running["plan"] == plan.name]
        if plan.model is None or own.empty:
            continue
        most = max(1, round(p.horizon_months / plan.rhythm.months))
        frames.append(contract_value.project_counts(plan, own, sorted({1, most}), p.interval, p.seed))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _exhibits(found: Contracts) -> dict[str, Exhibit]:
    curves = _named(found.curves)
    survival = [c for c in curves.columns if "retention" not in c]
    money = partial(words.money, found)
    share = partial(formats.percent, digits=1)
    shares = {c: share for c in curves.columns if "survival" in c or "retention" in c}
    labels = contract_tables.labels(found)
    frames: dict[str, tuple[pd.DataFrame, dict[str, Any]]] = {
        "contract_value": (_value_table(found), contract_tables.value_formats(money)),
        "contract_value_cohorts": (_cohort_values(found), contract_tables.value_formats(money)),
        "contract_lifetimes": (_lifetime_table(found), contract_tables.lifetime_formats()),
        "contract_survival": (curves[survival], shares),
        "contract_retention": (_retention(curves, found.parameters.minimum_group), shares),
        "contract_cohorts": (_named(found.cohorts), contract_tables.cohort_formats()),
        "contract_projection": (_named(found.projection), contract_tables.count_formats()),
        "contract_holdout": (_holdout_table(found.holdout), contract_tables.score_formats()),
        "contract_parameters": (_parameter_table(found), contract_tables.parameter_formats()),
    }
    return {
        name: Exhibit(frame, contract_captions.caption(found, name), looks, labels[name])
        for name, (frame, looks) in frames.items()
        if len(frame)
    }


def _retention(curves: pd.DataFrame, minimum: int) -> pd.DataFrame:
    """Retention by renewal, observed rates of fewer than ``minimum`` contracts left out."""
    if curves.empty:
        return curves
    kept = curves.loc[curves["renewal"] > 0, [c for c in curves.columns if "survival" not in c]].reset_index(drop=True)
    observed = ["retention", "retention_low", "retention_high"]
    kept.loc[~(kept["at_risk"] >= minimum), observed] = math.nan
    return kept


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(plan=[words.plan_name(name) for name in frame["plan"]]) if len(frame) else frame


def _value_table(found: Contracts) -> pd.DataFrame:
    """Value by plan and, of more than one, in total."""
    if found.value is None:
        return pd.DataFrame()
    plans = _named(found.value.plans)
    plans["beyond"] = [
        b / v if math.isfinite(v) and v else math.nan for b, v in zip(plans["beyond"], plans["value"], strict=True)
    ]
    columns = ["plan", "contracts", "within", "within_low", "within_high", "value", "value_low", "value_high", "beyond",
               "constant"]  # fmt: skip
    if len(plans) > 1:
        whole: dict[str, Any] = {c: plans[c].sum() for c in ("contracts", "constant")}
        for what, numbers in found.value.total.items():
            whole |= {what: numbers["value"], f"{what}_low": numbers["low"], f"{what}_high": numbers["high"]}
        later = found.value.plans["beyond"].sum()
        whole["beyond"] = later / whole["value"] if math.isfinite(whole["value"]) and whole["value"] else math.nan
        plans = pd.concat([plans, pd.DataFrame([{"plan": _("all plans"), **whole}])], ignore_index=True)
    return plans[columns]


def _cohort_values(found: Contracts) -> pd.DataFrame:
    if found.value is None:
        return pd.DataFrame()
    return _named(found.value.groups).drop(columns="per_month")


def _lifetime_table(found: Contracts) -> pd.DataFrame:
    if found.lifetimes.empty:
        return found.lifetimes
    figures = [f"{name}{end}" for name in ("churn", "median", "derl") for end in ("", "_low", "_high")]
    return _named(found.lifetimes)[["plan", "period", *figures, "tenure"]]


def _holdout_table(held: ContractHoldout | None) -> pd.DataFrame:
    if held is None or held.scores.empty:
        return pd.DataFrame()
    single = held.scores["plan"].nunique() == 1
    shown = held.scores[held.scores["plan"].notna()] if single else held.scores
    plans = [
        _("all plans") if name is None or formats.is_missing(name) else words.plan_name(name) for name in shown["plan"]
    ]
    return shown.assign(plan=plans)


def _parameter_table(found: Contracts) -> pd.DataFrame:
    from perennial.analysis.renewal_fit import constant_likelihood

    rows = []
    for plan in found.modelled:
        model = plan.model
        assert model is not None
        fitted = model.name == "sBG"
        rows.append(
            {
                "plan": words.plan_name(plan.name),
                "contracts": int(model.contracts),
                "alpha": model.alpha if fitted else math.nan,
                "alpha_error": model.se.get("alpha", math.nan),
                "beta": model.beta if fitted else math.nan,
                "beta_error": model.se.get("beta", math.nan),
                "loglik": model.loglik,
                "aic": model.aic,
                "bic": model.bic,
                "aic_constant": 2 - 2 * constant_likelihood(plan.counts),
            }
        )
    return pd.DataFrame(rows)
