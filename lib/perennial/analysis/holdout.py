"""Does the purchase model foresee? Fitted on the first part of the history, judged on the rest.

Two views: forecasts per customer given its own history (scores, by frequency, by decile), and the tracking of all
repeat purchases from the population's parameters alone. They may disagree; both are reported.
"""

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.fitters import fit_bgnbd, others_of
from perennial.analysis.holdout_money import judge_revenue
from perennial.analysis.plain import write_plain
from perennial.analysis.purchase_model import FORMULAS, PurchaseModel
from perennial.analysis.tracking import track
from perennial.errors import ModelError
from perennial.formats import date as date_text
from perennial.formats import days as days_text
from perennial.language import _
from perennial.tables.summary import customer_summary, purchase_days

SAME_RATE, SAME_AVERAGE = "same rate as before", "same average for all"
BASELINES = (SAME_RATE, SAME_AVERAGE)
TOP_FREQUENCY = 7  # this many repeat purchases and more are one group
_FRAMES = ("scores", "tracking", "by_frequency", "deciles")


@dataclass(frozen=True)
class Holdout:
    """A purchase model judged on days it has not seen.

    Attributes
    ----------
    cut : last day the model was fitted on; the hold-out runs from the next day to ``end``.
    model : the purchase model fitted up to the cut.
    n_customers : customers acquired up to the cut; only these are judged.
    scores : one row per forecaster: ``forecaster, predicted, actual`` (totals), ``bias`` (share of actual), ``mae,
        rmse`` (purchase days per customer).
    tracking : one row per whole week; see ``tracking.track``.
    by_frequency : mean actual and predicted purchase days by repeat purchases before the cut, 0 to 6 and 7+.
    deciles : ten groups of equal size by forecast, best first: mean actual, predicted and naive purchase days.
    revenue : ``predicted, actual, bias`` of the total revenue; empty without a spend model up to the cut.
    """

    cut: dt.date
    end: dt.date
    model: PurchaseModel
    n_customers: int
    scores: pd.DataFrame
    tracking: pd.DataFrame
    by_frequency: pd.DataFrame
    deciles: pd.DataFrame
    revenue: dict[str, float] = field(default_factory=dict)

    @property
    def holdout_days(self) -> int:
        """Length of the hold-out in days."""
        return (self.end - self.cut).days

    def score(self, forecaster: str) -> dict[str, float]:
        """The scores of one forecaster by name."""
        return {str(key): float(value) for key, value in self.scores.set_index("forecaster").T[forecaster].items()}

    @property
    def best_baseline(self) -> str:
        """The rule of thumb with the smaller RMSE."""
        return min(BASELINES, key=lambda name: self.score(name)["rmse"])

    @property
    def model_wins(self) -> bool:
        """Whether the model's RMSE is below that of every rule of thumb.

        RMSE decides because the expected number is what minimises it; MAE favours forecasts near zero wherever most
        customers buy nothing.
        """
        return self.score(self.model.name)["rmse"] < self.score(self.best_baseline)["rmse"]

    def to_dict(self) -> dict[str, Any]:
        """Dates, scores and the calibration fit as JSON values."""
        return {
            "cut": self.cut.isoformat(),
            "end": self.end.isoformat(),
            "holdout_days": self.holdout_days,
            "n_customers": self.n_customers,
            "model": self.model.to_dict(),
            "scores": self.scores.to_dict(orient="records"),
            "model_wins": self.model_wins,
            "tracking": self.final_tracking(),
            "revenue": self.revenue,
        }

    def final_tracking(self) -> dict[str, float]:
        """Cumulative repeat purchases at the last whole week: actual, expected, bias."""
        last = self.tracking.iloc[-1]
        actual, expected = float(last["actual_cumulative"]), float(last["expected_cumulative"])
        return {"actual": actual, "expected": expected, "bias": expected / actual - 1 if actual else float("nan")}

    def save(self, folder: Path) -> None:
        """Write to a folder: one JSON file and one Parquet file per frame."""
        write_plain(self.to_dict(), folder / "holdout.json")
        for name in _FRAMES:
            getattr(self, name).to_parquet(folder / f"holdout_{name}.parquet")

    @classmethod
    def load(cls, folder: Path) -> "Holdout":
        """What ``save`` wrote."""
        values = json.loads((folder / "holdout.json").read_text())
        return cls(
            cut=dt.date.fromisoformat(values["cut"]),
            end=dt.date.fromisoformat(values["end"]),
            model=PurchaseModel.from_dict(values["model"]),
            n_customers=values["n_customers"],
            revenue={name: np.nan if value is None else value for name, value in values["revenue"].items()},
            **{name: pd.read_parquet(folder / f"holdout_{name}.parquet") for name in _FRAMES},
        )


def validate(
    transactions: ir.Table, as_of: dt.date, holdout_days: int | None, interval: float = 0.9, seed: int = 1
) -> Holdout:
    """Fit up to a cut, forecast to ``as_of``, score.

    Parameters
    ----------
    holdout_days : length of the hold-out; None takes a third of the observed span.

    Raises
    ------
    ModelError : the period is too short to be cut, or no model can be fitted up to the cut.
    """
    bought = purchase_days(transactions)
    cut = choose_cut(bought.ordered_on.min().to_pandas(), as_of, holdout_days)
    calibration = customer_summary(transactions, cut).cache()
    later = bought.filter(bought.ordered_on > cut)
    rows = _outcomes(calibration, later)
    model = _fitted(rows, cut)
    forecasts = forecast(rows, model, (as_of - cut).days)
    return Holdout(
        cut=cut,
        end=as_of,
        model=model,
        n_customers=int(rows["weight"].sum()),
        scores=score(forecasts),
        tracking=track(bought, calibration, model, cut, as_of, interval, seed),
        by_frequency=mean_by_frequency(forecasts, model.name),
        deciles=mean_by_decile(forecasts, model.name),
        revenue=judge_revenue(calibration, later, model, (as_of - cut).days),
    )


def _fitted(rows: pd.DataFrame, cut: dt.date) -> PurchaseModel:
    try:
        return fit_bgnbd(rows)
    except ModelError as error:
        reason = _("The days to {cut} alone, without those held back, do not suffice to fit it. On them: {reason}",
                   cut=date_text(cut), reason=error)  # fmt: skip
        raise ModelError(reason) from error


def choose_cut(first_on: dt.date, as_of: dt.date, holdout_days: int | None) -> dt.date:
    """Last day of the calibration: ``holdout_days`` before ``as_of``, or a third of the span."""
    first = pd.Timestamp(first_on).date()
    span = (as_of - first).days
    ahead = span // 3 if holdout_days is None else holdout_days
    if ahead < 14 or span - ahead < 28:
        raise ModelError(
            _(
                "The transactions span {span}, too short to hold {ahead} back and still fit a model on the rest.",
                span=days_text(span),
                ahead=days_text(ahead),
            )
        )
    return as_of - dt.timedelta(days=ahead)


def forecast(rows: pd.DataFrame, model: PurchaseModel, days: int) -> pd.DataFrame:
    """Forecasts of every forecaster per row; columns beside the history: ``actual, weight`` and one per name.

    The other purchase models join in where they can be fitted. *Same rate as before*: own repeat purchases per day so
    far, times ``days``. *Same average for all*: everyone's, times ``days``.
    """
    x, last, age = rows["frequency"], rows["recency"], rows["T"]
    out = rows.assign(**{model.name: model.expected_purchases(days, x, last, age)})
    for other in others_of(rows, model):
        out[other.name] = other.expected_purchases(days, x, last, age)
    out[SAME_RATE] = np.where(age > 0, x / age.clip(lower=1) * days, 0.0)
    out[SAME_AVERAGE] = float(np.dot(x, rows["weight"])) / max(1.0, float(np.dot(age, rows["weight"]))) * days
    return out


def score(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Totals, bias, MAE and RMSE per forecaster, each customer counting once."""
    weight, actual = forecasts["weight"].to_numpy(float), forecasts["actual"].to_numpy(float)
    found = float(weight @ actual)
    lines = []
    for name in _forecasters(forecasts):
        error = forecasts[name].to_numpy(float) - actual
        predicted = float(weight @ forecasts[name].to_numpy(float))
        lines.append(
            {
                "forecaster": name,
                "predicted": predicted,
                "actual": found,
                "bias": predicted / found - 1 if found else float("nan"),
                "mae": float(weight @ np.abs(error) / weight.sum()),
                "rmse": float(np.sqrt(weight @ error**2 / weight.sum())),
            }
        )
    return pd.DataFrame(lines)


def mean_by_frequency(forecasts: pd.DataFrame, model: str) -> pd.DataFrame:
    """Mean hold-out purchase days by repeat purchases before the cut (the last group is 7 and more)."""
    group = forecasts["frequency"].clip(upper=TOP_FREQUENCY)
    return _means(forecasts, group.rename("frequency"), model).reset_index()


def mean_by_decile(forecasts: pd.DataFrame, model: str) -> pd.DataFrame:
    """Mean hold-out purchase days in ten groups of equal size by the model's forecast; 1 is the highest."""
    ranked = forecasts.sort_values(model, ascending=False, kind="stable")
    weight = ranked["weight"].to_numpy(float)
    ends = np.cumsum(weight)
    bounds = np.linspace(0, ends[-1], 11)
    parts = []
    for decile in range(10):  # a row of many customers may stand astride a bound: it is split
        inside = np.minimum(ends, bounds[decile + 1]) - np.maximum(ends - weight, bounds[decile])
        held = inside > 1e-9
        parts.append(ranked[held].assign(weight=inside[held], decile=decile + 1))
    split = pd.concat(parts)
    return _means(split, split["decile"], model).reset_index()


def _means(forecasts: pd.DataFrame, group: pd.Series, model: str) -> pd.DataFrame:
    """Customers and weighted means of actual, predicted and naive purchase days per group."""
    weight = forecasts["weight"].astype(float)
    columns = {"actual": "actual", "predicted": model, "naive": SAME_RATE}
    sums = pd.DataFrame({new: forecasts[old] * weight for new, old in columns.items()}).groupby(group).sum()
    customers = weight.groupby(group).sum()
    return sums.div(customers, axis=0).assign(customers=customers)[["customers", *columns]]


def _forecasters(forecasts: pd.DataFrame) -> list[str]:
    return [name for name in (*FORMULAS, *BASELINES) if name in forecasts.columns]


def _outcomes(calibration: ir.Table, later: ir.Table) -> pd.DataFrame:
    """Distinct (frequency, recency, T, actual) of the customers acquired before the cut, with weights."""
    seen = later.group_by("customer_id").agg(actual=later.count())
    both = calibration.left_join(seen, "customer_id")
    both = both.select("frequency", "recency", "T", actual=both.actual.fill_null(0))
    keys = ["frequency", "recency", "T", "actual"]
    return both.group_by(keys).agg(weight=both.count()).to_pandas().sort_values(keys, ignore_index=True)
