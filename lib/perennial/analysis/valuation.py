"""Every customer's value: models fitted, judged, applied once per distinct history, joined back in the engine."""

import datetime as dt

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis import clv
from perennial.analysis.censoring import beginning_of
from perennial.analysis.choice import Ground, by_fit
from perennial.analysis.equity import Worth, value_customers
from perennial.analysis.fitters import fit_every, fit_gamma_gamma, or_reason
from perennial.analysis.group_models import Models
from perennial.analysis.groupings import ALL
from perennial.analysis.holdout import Holdout, validate
from perennial.analysis.next_order import days_to_next_order, order_period, probability_of_order
from perennial.analysis.purchase_model import KEYS, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.segments import compare_groupings, group_by
from perennial.analysis.spend_model import check_independence
from perennial.analysis.value import PREDICTIONS, ValueResult
from perennial.errors import ModelError
from perennial.parameters import Parameters


def compute_value(
    transactions: ir.Table, summary: ir.Table, parameters: Parameters, customers: ir.Table | None = None
) -> ValueResult:
    """Fit, judge and apply the models.

    Parameters
    ----------
    transactions, summary : the client's order lines and customer summary, up to ``parameters.as_of``.
    customers : the customers table, whose columns may part them into groups with models of their own.

    Raises
    ------
    ModelError : no purchase model can be fitted. A missing spend model or hold-out is no error: the result says why.
    """
    declared = None if parameters.purchase_model == "auto" else parameters.purchase_model
    rows = distinct_rows(summary)
    models, reasons = fit_every(rows)
    spend, spend_reason = or_reason(lambda: fit_gamma_gamma(rows))
    p = parameters
    holdout, holdout_reason = or_reason(
        lambda: validate(transactions, p.as_of, p.holdout_days, p.interval, p.seed, declared)
    )
    purchase, ground = _chosen(models, reasons, holdout, declared)
    beginning = beginning_of(summary, p.cohort_period, p.as_of)
    cut = holdout.cut if holdout else None
    segmentation = compare_groupings(transactions, summary, customers, beginning, purchase, spend, cut, p)
    apart = segmentation.used.apart if segmentation.used else {}
    members = None
    if apart:
        members = group_by(segmentation.decision.grouping, summary, customers, beginning, p).members
    summary = _with_groups(summary, members, list(apart))
    pair = Models(purchase, spend)
    grouped = distinct_rows(summary, ["group", *KEYS])
    grouped, worth = predict(grouped, {ALL: pair, **apart}, models.get("MBG/NBD"), parameters)
    return ValueResult(
        purchase=purchase,
        spend=spend,
        spend_reason=spend_reason,
        ground=ground,
        alternatives=_compare(models),
        independence=check_independence(rows),
        segmentation=segmentation,
        holdout=holdout,
        holdout_reason=holdout_reason,
        rows=grouped,
        customers=join_back(summary, grouped),
        equity=worth.equity if worth else None,
        cohorts=worth.cohorts if worth else pd.DataFrame(),
        groups=_beside_one_model(grouped, worth.groups, pair, p) if worth and apart else pd.DataFrame(),
        draws=worth.draws if worth else pd.DataFrame(),
        settings={
            "horizon_months": parameters.horizon_months,
            "discount_rate": parameters.discount_rate,
            "gross_margin": parameters.gross_margin,
            "margin_by": parameters.margin_by,
            "interval": parameters.interval,
            "seed": parameters.seed,
            "as_of": parameters.as_of.isoformat(),
            "currency": parameters.currency,
            "order_days": order_period(rows),
        },
    )


def _chosen(
    models: dict[Name, PurchaseModel], reasons: dict[Name, str], holdout: Holdout | None, declared: Name | None
) -> tuple[PurchaseModel, Ground]:
    """The model to be used and what it was chosen by.

    Raises
    ------
    ModelError : the declared model cannot be fitted.
    """
    if declared:
        if declared in reasons:
            raise ModelError(reasons[declared])
        return models[declared], "declared"
    if holdout:
        for name in holdout.ranking:
            if name in models:
                return models[name], "holdout"
    return models[by_fit(models)[0]], "fit"


def distinct_rows(summary: ir.Table, keys: list[str] | None = None) -> pd.DataFrame:
    """Distinct histories with the number of customers that share each (``weight``), in a fixed order."""
    keys = keys or KEYS
    grouped = summary.group_by(keys).agg(weight=summary.count())
    return grouped.to_pandas().sort_values(keys, ignore_index=True)


def _with_groups(summary: ir.Table, members: ir.Table | None, apart: list[str]) -> ir.Table:
    """The summary with the ``group`` whose models value each customer; ``ALL`` where its group has none."""
    if members is None:
        return summary.mutate(group=ibis.literal(ALL))
    group = ibis.ifelse(members.group.isin(apart), members.group, ALL)
    joined = summary.view().inner_join(members.select("customer_id", group=group), "customer_id")
    return joined.select(*summary.columns, "group").cache()


def predict(
    rows: pd.DataFrame, models: dict[str, Models], other: PurchaseModel | None, parameters: Parameters
) -> tuple[pd.DataFrame, Worth | None]:
    """Every prediction per distinct group and history, and their sum with its interval.

    Parameters
    ----------
    models : of every group; those of ``ALL`` are the models of all customers.
    other : MBG/NBD, for a second opinion on P(alive).
    """
    p, period = parameters, order_period(rows)
    parts = [_predict(own, models[str(group)], other, p, period) for group, own in rows.groupby("group")]
    out = pd.concat(parts).sort_index()
    if models[ALL].spend is None:
        return out, None
    days = p.horizon_months * clv.MONTH_DAYS
    worth = value_customers(out, models, days, p.interval, p.seed, p.as_of)
    return out.assign(clv_low=worth.low, clv_high=worth.high), worth


def _predict(
    rows: pd.DataFrame, models: Models, other: PurchaseModel | None, parameters: Parameters, period: int
) -> pd.DataFrame:
    """The predictions of customers valued by the same models; intervals still missing."""
    purchase, spend = models.purchase, models.spend
    x, last, age = rows["frequency"], rows["recency"], rows["T"]
    days = parameters.horizon_months * clv.MONTH_DAYS
    order = spend.expected_order_value(x, rows["monetary_value"]) if spend else np.full(len(rows), np.nan)
    alive = purchase.p_alive(x, last, age) if purchase.lets_leave else np.full(len(rows), np.nan)
    return rows.assign(
        p_alive=alive if purchase.knows_one_time_buyers else np.where(x > 0, alive, np.nan),
        p_alive_mbg=other.p_alive(x, last, age) if other else np.nan,
        expected_purchases=purchase.expected_purchases(days, x, last, age),
        probability_of_order=probability_of_order(purchase, period, x, last, age),
        next_order_on=_dates(parameters.as_of, days_to_next_order(purchase, days, x, age), rows.index),
        expected_order_value=order,
        clv=_clv(rows, models, parameters),
        clv_low=np.nan,
        clv_high=np.nan,
    )


def _clv(rows: pd.DataFrame, models: Models, parameters: Parameters) -> Floats:
    """Discounted margin expected of each row's customer; missing without a spend model."""
    if models.spend is None:
        return np.full(len(rows), np.nan)
    bought = clv.discounted_purchases(models.purchase, rows, parameters.horizon_months, parameters.discount_rate)
    return (
        parameters.gross_margin * bought * models.spend.expected_order_value(rows["frequency"], rows["monetary_value"])
    )


def _dates(as_of: dt.date, days: Floats, index: pd.Index) -> pd.Series:
    dates: pd.Series = pd.Timestamp(as_of) + pd.to_timedelta(pd.Series(days, index), unit="D")
    return dates.dt.as_unit("ms")


def _beside_one_model(rows: pd.DataFrame, groups: pd.DataFrame, models: Models, parameters: Parameters) -> pd.DataFrame:
    """``groups`` with ``one_model``: what each would be worth by the models of all customers."""
    by_group = (rows["weight"] * _clv(rows, models, parameters)).groupby(rows["group"]).sum()
    return groups.assign(one_model=groups["group"].map(by_group))


def join_back(summary: ir.Table, rows: pd.DataFrame) -> ir.Table:
    """One row per customer: ``customer_id``, ``model_group`` and the predictions of its group and history."""
    keys = ["group", *KEYS]
    predictions = ibis.memtable(rows[[*keys, *PREDICTIONS]])
    # a view: a summary that is itself a join would take the predicates into its own chain, and fail
    joined = summary.view().left_join(predictions, keys)
    known = {name: joined[name].nullif(float("nan")) for name in PREDICTIONS if name != "next_order_on"}
    dated = {"next_order_on": joined.next_order_on.date()}
    return joined.select(
        "customer_id", model_group=joined.group.nullif(ALL), **{name: {**known, **dated}[name] for name in PREDICTIONS}
    )


def _compare(models: dict[Name, PurchaseModel]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"model": m.name, "loglik": m.loglik, "aic": m.aic, "bic": m.bic, **m.params} for m in models.values()]
    )
