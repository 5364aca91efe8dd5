"""What the models say of a client's customers, kept as one result that every chapter reads."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis.backends import BaseBackend

from perennial.analysis.choice import Ground
from perennial.analysis.equity import Equity
from perennial.analysis.group_models import Models
from perennial.analysis.groupings import ALL
from perennial.analysis.holdout import Holdout
from perennial.analysis.plain import plain, write_plain
from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.segments import Segmentation
from perennial.analysis.spend_model import SpendModel

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


_FRAMES = ("rows", "cohorts", "groups", "draws")
_GROUPED = ("tests", "judged")  # frames of the comparison of groups


@dataclass(frozen=True)
class Piece:
    """Customers valued by the same models: these, their rows, and draws of the models' parameters."""

    models: Models
    rows: pd.DataFrame
    draws: pd.DataFrame


@dataclass(frozen=True)
class ValueResult:
    """Purchase and spend models of one client, their checks, and what they say about every customer.

    Attributes
    ----------
    purchase : the purchase model used, fitted to all customers.
    ground : what it was chosen by: the parameters (``"declared"``), the hold-out, or the fit to all data.
    spend : the spend model; None where it cannot be fitted (``spend_reason`` says why), and then no money is stated.
    alternatives : one row per purchase model fitted: ``model, loglik, aic, bic`` and its parameters
        (missing where the model has none of the name).
    independence : ``pearson, spearman, n_customers`` of (frequency, monetary_value).
    holdout : how the purchase model did on days it had not seen; None with ``holdout_reason``.
    segmentation : whether groups of customers are valued by models of their own, and why.
    rows : one row per distinct history in a group: ``group``, ``KEYS``, ``weight`` and ``PREDICTIONS``. The group is
        ``ALL`` for customers valued by ``purchase`` and ``spend``.
    customers : Ibis table, ``customer_id``, ``model_group`` (null for ``ALL``) and ``PREDICTIONS``. ``p_alive`` is null
        for one-time buyers under BG/NBD, which cannot judge them, and for everyone under NBD, in which nobody leaves;
        ``p_alive_mbg`` is MBG/NBD's second opinion, for everyone. ``probability_of_order``: at least one purchase day
        in the next ``settings["order_days"]`` days. ``next_order_on``: the day by which a customer who is still active
        has ordered again with probability one half; null beyond the horizon.
    equity : None where there is no spend model.
    cohorts, draws : see :class:`perennial.analysis.equity.Worth`; empty without a spend model.
    groups : likewise, with ``one_model``, the value of the group by the models of all customers; empty where no group
        has models of its own.
    settings : horizon_months, discount_rate, gross_margin, margin_by, interval, seed, as_of, currency as used, and
        ``order_days`` (:func:`perennial.analysis.next_order.order_period`).
    """

    purchase: PurchaseModel
    ground: Ground
    spend: SpendModel | None
    spend_reason: str
    alternatives: pd.DataFrame
    independence: dict[str, float]
    segmentation: Segmentation
    holdout: Holdout | None
    holdout_reason: str
    rows: pd.DataFrame
    customers: ir.Table
    equity: Equity | None
    cohorts: pd.DataFrame
    groups: pd.DataFrame
    draws: pd.DataFrame
    settings: dict[str, Any]

    @property
    def apart(self) -> dict[str, Models]:
        """Groups valued by models of their own; empty where one model serves all."""
        return self.segmentation.used.apart if self.segmentation.used else {}

    @property
    def pieces(self) -> list[Piece]:
        """The customers by the models that value them."""
        models = {ALL: Models(self.purchase, self.spend), **self.apart}
        return [
            Piece(models[str(group)], rows, self.draws[self.draws["group"] == group] if len(self.draws) else self.draws)
            for group, rows in self.rows.groupby("group")
        ]

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
                "segmentation": self.segmentation.to_dict(),
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
        for name in _GROUPED:
            getattr(self.segmentation, name).to_parquet(folder / f"segmentation_{name}.parquet")
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
            segmentation=Segmentation.from_dict(
                values["segmentation"], *(pd.read_parquet(folder / f"segmentation_{name}.parquet") for name in _GROUPED)
            ),
            holdout=Holdout.load(folder) if values["holdout"] else None,
            holdout_reason=values["holdout_reason"],
            **{name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES},
            customers=engine.read_parquet(str(folder / "customers.parquet")),
            equity=Equity(**values["equity"]) if values["equity"] else None,
            settings=values["settings"],
        )
