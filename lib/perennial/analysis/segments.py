"""Do groups of customers buy differently enough to be modelled apart? One model for all, against one for each group.

Groupings come from the customers table (segment, source, region, attributes with few levels) and from the time of the
first purchase. Three questions, in this order: does a likelihood-ratio test tell the groups apart, corrected for the
number of groupings tried; is the gain worth its parameters (BIC); and do the separate models forecast unseen days no
worse than the pooled one. The first two look at the data the models were fitted on, the third does not.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from perennial.analysis.censoring import Beginning
from perennial.analysis.fitters import fit_gamma_gamma, or_reason
from perennial.analysis.group_models import FEWEST_CUSTOMERS, GroupModels, fit_groups, fit_histories
from perennial.analysis.groupings import (
    EARLIER,
    Grouping,
    group_by_cohort,
    group_by_column,
    grouped_rows,
    possible_columns,
)
from perennial.analysis.purchase_model import KEYS, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.segment_holdout import HELD, judge_grouping
from perennial.analysis.spend_model import PARAMETERS as SPEND_PARAMETERS
from perennial.analysis.spend_model import SpendModel
from perennial.errors import ModelError
from perennial.language import _
from perennial.parameters import COHORT
from perennial.tables.summary import customer_summary

SIGNIFICANT = 0.05  # after correction for the number of groupings tried

Ground = Literal["declared", "tested", "not supported", "not tested", "switched off"]


@dataclass(frozen=True)
class Decision:
    """Which grouping is modelled apart (empty: none) and on what ground."""

    grouping: str
    ground: Ground


@dataclass(frozen=True)
class Segmentation:
    """Every grouping tried, the models of each, and which is used.

    Attributes
    ----------
    tests : one row per grouping; see :func:`likelihood_ratio`. Further ``p_holm`` (corrected for the number of
        groupings), ``supported`` (p_holm under .05 and a lower BIC); of those supported or asked for
        the scores of :func:`judge_grouping`, and ``not_worse`` (False where not judged).
    models : by grouping.
    pooled : by grouping, the groups too small to stand alone.
    untested : by grouping, why it could not be compared.
    decision : see :func:`decide`.
    judged : the grouping used on the hold-out, group by group (:func:`judge_grouping`); empty without.
    """

    tests: pd.DataFrame
    models: dict[str, GroupModels]
    pooled: dict[str, tuple[str, ...]]
    untested: dict[str, str]
    decision: Decision
    judged: pd.DataFrame

    @property
    def used(self) -> GroupModels | None:
        """The models by which customers are to be predicted; None where the pooled ones are."""
        return self.models.get(self.decision.grouping)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the frames."""
        return {
            "models": {name: models.to_dict() for name, models in self.models.items()},
            "pooled": self.pooled,
            "untested": self.untested,
            "decision": asdict(self.decision),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], tests: pd.DataFrame, judged: pd.DataFrame) -> "Segmentation":
        """What ``to_dict`` gave, with the frames."""
        models = {name: GroupModels.from_dict(one) for name, one in values["models"].items()}
        pooled = {name: tuple(groups) for name, groups in values["pooled"].items()}
        return cls(tests, models, pooled, values["untested"], Decision(**values["decision"]), judged)


def likelihood_ratio(
    rows: pd.DataFrame, models: GroupModels, purchase: PurchaseModel, spend: SpendModel | None
) -> dict[str, Any]:
    """Likelihood-ratio test of one model per group against one for all of them, on exactly the same customers.

    Twice the gain in log-likelihood is χ² with k·(G − 1) degrees of freedom where the groups are alike (Wilks), k
    parameters and G groups. Groups without a sound fit of their own are left out on both sides: the pooled model is
    refitted to the others. Purchases and spend are independent in the models, so that their statistics add up.

    Returns
    -------
    ``grouping, groups, customers, left_out``; ``lr, df, p`` of both together and ``_purchases`` and ``_spend`` of each
    (missing where not compared); ``bic_gain``: BIC of the pooled model less that of the separate ones.

    Raises
    ------
    ModelError : fewer than two groups carry a model of their own, or the pooled one cannot be fitted to them.
    """
    own = [group for group in models.own if group != EARLIER]
    if len(own) < 2:
        raise ModelError(_("fewer than two groups carry a model of their own"))
    used = rows[rows["group"].isin(own)]
    n = int(used["weight"].sum())
    whole = purchase if n == purchase.n_customers else fit_histories(used, purchase.name)
    lr = 2 * (sum(models.purchase[g].loglik for g in own) - whole.loglik)
    df = len(whole.names) * (len(own) - 1)
    found: dict[str, Any] = {
        "grouping": models.grouping, "groups": len(own), "customers": n,
        "left_out": int(rows["weight"].sum()) - n,
        "lr_purchases": lr, "df_purchases": df, "p_purchases": chance_of(lr, df),
    }  # fmt: skip
    gain = lr - df * np.log(n)
    lr_spend, df_spend, people = _test_spend(rows, models, spend)
    found |= {"lr_spend": lr_spend, "df_spend": df_spend, "p_spend": chance_of(lr_spend, df_spend)}
    if df_spend:
        lr, df, gain = lr + lr_spend, df + df_spend, gain + lr_spend - df_spend * np.log(people)
    return found | {"lr": lr, "df": df, "p": chance_of(lr, df), "bic_gain": float(gain)}


def _test_spend(rows: pd.DataFrame, models: GroupModels, spend: SpendModel | None) -> tuple[float, int, int]:
    """Statistic, degrees of freedom and repeat customers of the spend models; no degrees where not compared."""
    own = [group for group in models.spend if group not in models.pooled_spend and group != EARLIER]
    if spend is None or len(own) < 2:
        return float("nan"), 0, 0
    people = sum(models.spend[g].n_customers for g in own)
    whole: SpendModel | None = spend
    if people != spend.n_customers:
        whole, _why = or_reason(lambda: fit_gamma_gamma(rows[rows["group"].isin(own)]))
    if whole is None:
        return float("nan"), 0, 0
    lr = 2 * (sum(models.spend[g].loglik for g in own) - whole.loglik)
    return lr, len(SPEND_PARAMETERS) * (len(own) - 1), people


def chance_of(lr: float, df: int) -> float:
    """Chance of a statistic this large where all groups are alike; missing without degrees of freedom."""
    from scipy.special import chdtrc

    return float(chdtrc(df, lr)) if df else float("nan")


def holm(p: ArrayLike) -> Floats:
    """p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics 6): the family's error holds.

    The i-th smallest of m is multiplied by m − i + 1; none may fall below a smaller one's, nor above 1.
    """
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    out = np.empty(len(values))
    out[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return out


def decide(tests: pd.DataFrame, purchase_by: str = "auto", fitted: Mapping[str, GroupModels] | None = None) -> Decision:
    """Which grouping is modelled apart.

    ``"none"`` none; a named one wherever any of its groups carries models of its own; ``"auto"`` the supported one
    (Holm's p under .05 and a lower BIC than the pooled model) whose hold-out errors are not larger than the pooled
    ones, the largest gain in BIC first. Without a hold-out none is supported: the tests alone look at the days the
    models were fitted on.
    """
    if purchase_by == "none":
        return Decision("", "switched off")
    if purchase_by != "auto":
        apart = fitted[purchase_by].apart if fitted and purchase_by in fitted else {}
        return Decision(purchase_by, "declared") if apart else Decision("", "not tested")
    if not len(tests):
        return Decision("", "not tested")
    good = tests[tests["supported"] & tests["not_worse"]]
    if not len(good):
        return Decision("", "not supported")
    return Decision(str(good.sort_values("bic_gain", ascending=False, kind="stable")["grouping"].iloc[0]), "tested")


def compare_groupings(
    transactions: ir.Table,
    summary: ir.Table,
    customers: ir.Table | None,
    beginning: Beginning,
    purchase: PurchaseModel,
    spend: SpendModel | None,
    cut: dt.date | None,
    parameters: Any,
) -> Segmentation:
    """Try every grouping that the client has, or the one asked for, and decide.

    Parameters
    ----------
    customers : the customers table; None where there is none, and then only cohorts are tried.
    beginning : in periods of ``parameters.cohort_period``.
    purchase, spend : the pooled models of all customers.
    cut : last day of the calibration; None where the client has no hold-out.
    parameters : ``as_of, cohort_period, minimum_group, purchase_by``.
    """
    asked, minimum = parameters.purchase_by, _smallest(parameters)
    names = [*possible_columns(customers), COHORT]
    names = names if asked == "auto" else [name for name in names if name == asked]
    groupings = {name: group_by(name, summary, customers, beginning, parameters) for name in names}
    found, models, untested = _test_all(summary, groupings, purchase, spend, minimum)
    tests = _supported(found)
    judged = tests.loc[tests["supported"] | (tests["grouping"] == asked), "grouping"] if len(tests) else []
    held = _judge_all(transactions, {name: groupings[name] for name in judged}, cut, parameters.as_of, purchase.name,
                      spend, minimum)  # fmt: skip
    tests = _not_worse_of(tests, {name: scores for name, (scores, _groups) in held.items()})
    decision = decide(tests, asked, models)
    nothing: tuple[Any, pd.DataFrame] = ({}, pd.DataFrame())
    pooled = {name: grouping.pooled for name, grouping in groupings.items() if grouping.pooled}
    return Segmentation(tests, models, pooled, untested, decision, held.get(decision.grouping, nothing)[1])


def group_by(
    name: str, summary: ir.Table, customers: ir.Table | None, beginning: Beginning, parameters: Any
) -> Grouping:
    """The grouping of this name, as :func:`compare_groupings` makes it."""
    minimum = _smallest(parameters)
    if name == COHORT:
        return group_by_cohort(summary, beginning, parameters.cohort_period, minimum)
    assert customers is not None
    return group_by_column(summary, customers, name, minimum)


def _smallest(parameters: Any) -> int:
    """Customers of a group that stands alone."""
    return max(FEWEST_CUSTOMERS, int(parameters.minimum_group))


def _test_all(
    summary: ir.Table, groupings: dict[str, Grouping], purchase: PurchaseModel, spend: SpendModel | None, minimum: int
) -> tuple[list[dict[str, Any]], dict[str, GroupModels], dict[str, str]]:
    tests, models, untested = [], {}, {}
    for name, grouping in groupings.items():
        if len(grouping.groups) < 2:
            untested[name] = _("fewer than two groups carry a model of their own")
            continue
        rows = grouped_rows(summary, grouping.members)
        models[name] = fit_groups(rows, name, purchase, spend, minimum)
        test, why = or_reason(lambda rows=rows, own=models[name]: likelihood_ratio(rows, own, purchase, spend))
        tests += [test] if test else []
        untested |= {} if test else {name: why}
    return tests, models, untested


def _judge_all(
    transactions: ir.Table,
    groupings: dict[str, Grouping],
    cut: dt.date | None,
    end: dt.date,
    name: Name,
    spend: SpendModel | None,
    minimum: int,
) -> dict[str, tuple[dict[str, float], pd.DataFrame]]:
    """The hold-out of these groupings; nothing without a cut or a pooled model up to it."""
    if cut is None or not groupings:
        return {}
    calibration = customer_summary(transactions, cut).cache()
    rows = calibration.group_by(KEYS).agg(weight=calibration.count()).to_pandas()
    rows = rows.sort_values(KEYS, ignore_index=True)
    pooled, _why = or_reason(lambda: fit_histories(rows, name))
    if pooled is None:
        return {}
    paid, _why = or_reason(lambda: fit_gamma_gamma(rows)) if spend else (None, "")
    return {
        which: judge_grouping(transactions, calibration, grouping, pooled, paid, end, cut, minimum)
        for which, grouping in groupings.items()
    }


def _supported(tests: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(tests)
    if not len(frame):
        return frame
    frame["p_holm"] = holm(frame["p"])
    frame["supported"] = (frame["p_holm"] < SIGNIFICANT) & (frame["bic_gain"] > 0)
    return frame


def _not_worse_of(tests: pd.DataFrame, held: dict[str, dict[str, float]]) -> pd.DataFrame:
    """With the scores on the hold-out, missing where a grouping was not judged: it is then not shown to be no worse."""
    if not len(tests):
        return tests
    scores = pd.DataFrame([held.get(name, {}) for name in tests["grouping"]], tests.index, HELD, dtype=float)
    bought = scores["rmse"] <= scores["rmse_pooled"]
    paid = (scores["rmse_money"] <= scores["rmse_money_pooled"]) | scores["rmse_money"].isna()
    return tests.join(scores).assign(not_worse=bought & paid)
