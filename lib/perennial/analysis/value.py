"""Every customer's value: models fitted, judged, applied once per distinct history, joined back in the engine."""

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis.backends import BaseBackend

from perennial.analysis import clv
from perennial.analysis.choice import Ground, by_fit
from perennial.analysis.equity import Equity, Worth, value_customers
from perennial.analysis.fitters import fit_every, fit_gamma_gamma, or_reason
from perennial.analysis.holdout import Holdout, validate
from perennial.analysis.next_order import days_to_next_order, order_period, probability_of_order
from perennial.analysis.plain import plain, write_plain
from perennial.analysis.purchase_model import HISTORY, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel, check_independence
from perennial.errors import ModelError
from perennial.parameters import Parameters

KEYS = [*HISTORY, "monetary_value"]
PREDICTIONS = [
    "p_alive",
    "p_alive_mbg",
    "expected_purchases",
    "probability_of_order",
    "next_order_on",
    "expected_order_value",
    "clv",
    "clv_low",
    "clv_high",
]


_FRAMES = ("rows", "cohorts", "draws")


@dataclass(frozen=True)
class ValueResult:
    """Purchase and spend models of one client, their checks, and what they say about every customer.

    Attributes
    ----------
    purchase : the purchase model used.
    ground : what it was chosen by: the parameters (``"declared"``), the hold-out, or the fit to all data.
    spend : the spend model; None where it cannot be fitted (``spend_reason`` says why), and then no money is stated.
    alternatives : one row per purchase model fitted: ``model, loglik, aic, bic`` and its parameters
        (missing where the model has none of the name).
    independence : ``pearson, spearman, n_customers`` of (frequency, monetary_value).
    holdout : how the purchase model did on days it had not seen; None with ``holdout_reason``.
    rows : one row per distinct history: ``KEYS``, ``weight`` and ``PREDICTIONS``.
    customers : Ibis table, ``customer_id`` and ``PREDICTIONS``. ``p_alive`` is null for one-time buyers under BG/NBD,
        which cannot judge them, and for everyone under NBD, in which nobody leaves; ``p_alive_mbg`` is MBG/NBD's
        second opinion, for everyone. ``probability_of_order``: at least one purchase day in the next
        ``settings["order_days"]`` days. ``next_order_on``: the day by which a customer who is still active has ordered
        again with probability one half; null beyond the horizon.
    equity : None where there is no spend model.
    cohorts, draws : see :class:`perennial.analysis.equity.Worth`; empty without a spend model.
    settings : horizon_months, discount_rate, gross_margin, margin_by, interval, seed, as_of, currency as used, and
        ``order_days`` (:func:`perennial.analysis.next_order.order_period`).
    """

    purchase: PurchaseModel
    ground: Ground
    spend: SpendModel | None
    spend_reason: str
    alternatives: pd.DataFrame
    independence: dict[str, float]
    holdout: Holdout | None
    holdout_reason: str
    rows: pd.DataFrame
    customers: ir.Table
    equity: Equity | None
    cohorts: pd.DataFrame
    draws: pd.DataFrame
    settings: dict[str, Any]

    @property
    def notes(self) -> list[str]:
        """What could not be done, in words."""
        return [reason for reason in (self.spend_reason, self.holdout_reason) if reason]

    def to_dict(self) -> dict[str, Any]:
        """Model, parameters, standard errors, likelihood, units and hold-out scores: ``clv_model.json``."""
        return plain(
            {
                "model": self.purchase.name,
                "ground": self.ground,
                "purchase": self.purchase.to_dict(),
                "spend": self.spend.to_dict() if self.spend else None,
                "spend_reason": self.spend_reason,
                "units": {
                    "time_of_parameters": self.purchase.unit,
                    "time_of_histories": "day",
                    "money": self.settings["currency"],
                    "clv": "discounted margin per customer over the horizon",
                },
                "n_customers": self.purchase.n_customers,
                "alternatives": self.alternatives.to_dict(orient="records"),
                "independence": self.independence,
                "holdout": self.holdout.to_dict() if self.holdout else None,
                "holdout_reason": self.holdout_reason,
                "equity": asdict(self.equity) if self.equity else None,
                "settings": self.settings,
            }
        )

    def save(self, folder: Path) -> None:
        """Write to a folder: JSON for models, Parquet for frames and customers."""
        write_plain(self.to_dict(), folder / "value.json")
        for name in _FRAMES:
            getattr(self, name).to_parquet(folder / f"{name}.parquet")
        self.customers.to_parquet(str(folder / "customers.parquet"), compression="zstd")
        if self.holdout:
            self.holdout.save(folder)

    @classmethod
    def load(cls, folder: Path, engine: BaseBackend) -> "ValueResult":
        """What ``save`` wrote; ``customers`` becomes a table of ``engine``."""
        values = json.loads((folder / "value.json").read_text(encoding="utf-8"))
        return cls(
            purchase=PurchaseModel.from_dict(values["purchase"]),
            ground=values["ground"],
            spend=SpendModel.from_dict(values["spend"]) if values["spend"] else None,
            spend_reason=values["spend_reason"],
            alternatives=pd.DataFrame(values["alternatives"]),
            independence={key: np.nan if v is None else v for key, v in values["independence"].items()},
            holdout=Holdout.load(folder) if values["holdout"] else None,
            holdout_reason=values["holdout_reason"],
            **{name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES},
            customers=engine.read_parquet(str(folder / "customers.parquet")),
            equity=Equity(**values["equity"]) if values["equity"] else None,
            settings=values["settings"],
        )


def compute_value(transactions: ir.Table, summary: ir.Table, parameters: Parameters) -> ValueResult:
    """Fit, judge and apply the models.

    Parameters
    ----------
    transactions, summary : the client's order lines and customer summary, up to ``parameters.as_of``.

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
    rows, worth = predict(rows, purchase, models.get("MBG/NBD"), spend, parameters)
    return ValueResult(
        purchase=purchase,
        spend=spend,
        spend_reason=spend_reason,
        ground=ground,
        alternatives=_compare(models),
        independence=check_independence(rows),
        holdout=holdout,
        holdout_reason=holdout_reason,
        rows=rows,
        customers=join_back(summary, rows),
        equity=worth.equity if worth else None,
        cohorts=worth.cohorts if worth else pd.DataFrame(),
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


def distinct_rows(summary: ir.Table) -> pd.DataFrame:
    """Distinct histories with the number of customers that share each (``weight``), in a fixed order."""
    grouped = summary.group_by(KEYS).agg(weight=summary.count())
    return grouped.to_pandas().sort_values(KEYS, ignore_index=True)


def predict(
    rows: pd.DataFrame,
    purchase: PurchaseModel,
    other: PurchaseModel | None,
    spend: SpendModel | None,
    parameters: Parameters,
) -> tuple[pd.DataFrame, Worth | None]:
    """Every prediction per distinct history, and their sum with its interval."""
    x, last, age = rows["frequency"], rows["recency"], rows["T"]
    days = parameters.horizon_months * clv.MONTH_DAYS
    alive = purchase.p_alive(x, last, age) if purchase.lets_leave else np.full(len(rows), np.nan)
    out = rows.assign(
        p_alive=alive if purchase.knows_one_time_buyers else np.where(x > 0, alive, np.nan),
        p_alive_mbg=other.p_alive(x, last, age) if other else np.nan,
        expected_purchases=purchase.expected_purchases(days, x, last, age),
        probability_of_order=probability_of_order(purchase, order_period(rows), x, last, age),
        next_order_on=_dates(parameters.as_of, days_to_next_order(purchase, days, x, age)),
        expected_order_value=np.nan,
        clv=np.nan,
        clv_low=np.nan,
        clv_high=np.nan,
    )
    if spend is None:
        return out, None
    return _predict_money(out, purchase, spend, parameters, days)


def _dates(as_of: dt.date, days: Floats) -> pd.Series:
    dates: pd.Series = pd.Timestamp(as_of) + pd.to_timedelta(pd.Series(days), unit="D")
    return dates.dt.as_unit("ms")


def _predict_money(
    rows: pd.DataFrame, purchase: PurchaseModel, spend: SpendModel, parameters: Parameters, days: float
) -> tuple[pd.DataFrame, Worth]:
    order = spend.expected_order_value(rows["frequency"], rows["monetary_value"])
    discounted = clv.discounted_purchases(purchase, rows, parameters.horizon_months, parameters.discount_rate)
    expected = rows["expected_purchases"].to_numpy(float)
    factor = parameters.gross_margin * np.divide(discounted, expected, out=np.ones_like(expected), where=expected > 0)
    out = rows.assign(expected_order_value=order, clv=parameters.gross_margin * discounted * order)
    p = parameters
    worth = value_customers(out, purchase, spend, factor, days, p.interval, p.seed, p.as_of)
    return out.assign(clv_low=worth.low, clv_high=worth.high), worth


def join_back(summary: ir.Table, rows: pd.DataFrame) -> ir.Table:
    """One row per customer: ``customer_id`` and the predictions of its history."""
    predictions = ibis.memtable(rows[KEYS + PREDICTIONS])
    # a view: a summary that is itself a join would take the predicates into its own chain, and fail
    joined = summary.view().left_join(predictions, KEYS)
    known = {name: joined[name].nullif(float("nan")) for name in PREDICTIONS if name != "next_order_on"}
    dated = {"next_order_on": joined.next_order_on.date()}
    return joined.select("customer_id", **{name: {**known, **dated}[name] for name in PREDICTIONS})


def _compare(models: dict[Name, PurchaseModel]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"model": m.name, "loglik": m.loglik, "aic": m.aic, "bic": m.bic, **m.params} for m in models.values()]
    )
