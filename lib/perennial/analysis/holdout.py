"""Does the purchase model foresee? Fitted on the first part of the history, judged on the rest.

Two views: forecasts per customer given its own history (scores, by frequency, by decile), and the tracking of all
repeat purchases from the population's parameters alone. They may disagree; both are reported.
"""

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.choice import order_of
from perennial.analysis.fitters import fit_every
from perennial.analysis.forecasters import BASELINES, SAME_RATE, baselines, outcomes, rehearse
from perennial.analysis.holdout_money import judge_bands, judge_revenue
from perennial.analysis.holdout_scores import score, share_inside
from perennial.analysis.next_order import probability_of_order
from perennial.analysis.plain import write_plain
from perennial.analysis.purchase_model import DAYS_PER_WEEK, HISTORY, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.regularity import by_silence
from perennial.analysis.seasons import try_index, with_index
from perennial.analysis.tracking import by_month, customer_spread, expected_under_draws, track
from perennial.analysis.trends import Trend, find_trend
from perennial.errors import ModelError
from perennial.formats import date as date_text
from perennial.formats import days as days_text
from perennial.language import _
from perennial.tables.summary import customer_summary, purchase_days

SILENT_WEEKS = (0, 1, 2, 4, 6, 8, 13, 20, 26, 32, 39, 52, 65, 78, 104, 156)  # where groups by silence may begin
FEWEST_SILENT = 30  # customers of such a group
TOP_FREQUENCY = 7  # this many repeat purchases and more are one group
_FRAMES = ("scores", "tracking", "by_frequency", "by_recency", "deciles", "months", "by_silence", "revenue_bands")


@dataclass(frozen=True)
class Holdout:
    """A purchase model judged on days it has not seen.

    Attributes
    ----------
    cut : last day the model was fitted on; the hold-out runs from the next day to ``end``.
    model : the purchase model used, fitted up to the cut.
    ranking : the purchase models that could be fitted, the one that forecasts best first.
    n_customers : customers acquired up to the cut; only these are judged.
    scores : one row per forecaster (:func:`perennial.analysis.holdout_scores.score`); of models also ``inside``, the
        share of customers inside their own interval, and ``tracking``, the error of the second view's total.
    tracking : one row per whole week; see ``tracking.track``.
    by_frequency : mean actual and predicted purchase days by repeat purchases before the cut, 0 to 6 and 7+.
    by_recency : the same by whole weeks since the last purchase at the cut, and who bought at all; see
        :func:`mean_by_recency`.
    deciles : ten groups of equal size by forecast, best first: mean actual, predicted and naive purchase days.
    revenue : ``predicted, actual, bias`` of the total revenue and ``last``, that of the stretch before the cut once
        more; empty without a spend model up to the cut.
    months : the tracking's repeat purchases per calendar month, always without an index; see ``tracking.by_month``.
    season : whether a seasonal index was tried, and whether it is used in the tracking and in forecasts of months; see
        :func:`perennial.analysis.seasons.try_index`. Scores are without it.
    trends : of actual against expected, by ``"calibration"`` and ``"whole"`` span; or why it cannot be told.
    by_silence : forecast and actual by silence against the customer's own gap; see ``regularity.by_silence``.
    revenue_bands : revenue forecast with one spend model and with one per frequency band; see
        ``holdout_money.judge_bands``; empty without a spend model up to the cut.
    """

    cut: dt.date
    end: dt.date
    model: PurchaseModel
    ranking: list[Name]
    n_customers: int
    scores: pd.DataFrame
    tracking: pd.DataFrame
    by_frequency: pd.DataFrame
    by_recency: pd.DataFrame
    deciles: pd.DataFrame
    revenue: dict[str, float] = field(default_factory=dict)
    months: pd.DataFrame = field(default_factory=pd.DataFrame)
    season: dict[str, Any] = field(default_factory=dict)
    trends: dict[str, Trend | str] = field(default_factory=dict)
    by_silence: pd.DataFrame = field(default_factory=pd.DataFrame)
    revenue_bands: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def holdout_days(self) -> int:
        """Length of the hold-out in days."""
        return (self.end - self.cut).days

    def score(self, forecaster: str) -> dict[str, float]:
        """The scores of one forecaster by name."""
        return {str(key): float(value) for key, value in self.scores.set_index("forecaster").T[forecaster].items()}

    @property
    def best_baseline(self) -> str:
        """The forecast without a model that has the smallest RMSE."""
        rules = self.scores[self.scores["forecaster"].isin(BASELINES)]
        return str(rules.loc[rules["rmse"].idxmin(), "forecaster"])

    @property
    def model_wins(self) -> bool:
        """Whether the RMSE of the model used is below that of every forecast without one.

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
            "ranking": self.ranking,
            "scores": self.scores.to_dict(orient="records"),
            "model_wins": self.model_wins,
            "tracking": self.final_tracking(),
            "revenue": self.revenue,
            "season": self.season,
            "trends": {name: found if isinstance(found, str) else asdict(found) for name, found in self.trends.items()},
        }

    def final_tracking(self) -> dict[str, float]:
        """Cumulative repeat purchases at the last whole week: actual, expected, bias."""
        last = self.tracking.iloc[-1]
        actual, expected = float(last["actual_cumulative"]), float(last["expected_cumulative"])
        return {"actual": actual, "expected": expected, "bias": expected / actual - 1 if actual else float("nan")}

    def late_tracking(self) -> float:
        """Error of the repeat purchases expected after the cut alone, as a share of those that came."""
        late = self.tracking[self.tracking["phase"] == "holdout"]
        actual = float(late["actual"].sum())
        return float(late["expected"].sum()) / actual - 1 if actual else float("nan")

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
            ranking=values["ranking"],
            n_customers=values["n_customers"],
            revenue={name: np.nan if value is None else value for name, value in values["revenue"].items()},
            season={name: np.nan if value is None else value for name, value in values["season"].items()},
            trends={k: found if isinstance(found, str) else Trend(**found) for k, found in values["trends"].items()},
            **{name: pd.read_parquet(folder / f"holdout_{name}.parquet") for name in _FRAMES},
        )


def validate(
    transactions: ir.Table,
    as_of: dt.date,
    holdout_days: int | None,
    interval: float = 0.9,
    seed: int = 1,
    declared: Name | None = None,
) -> Holdout:
    """Fit up to a cut, forecast to ``as_of``, score.

    Parameters
    ----------
    holdout_days : length of the hold-out; None takes a third of the observed span.
    declared : the purchase model to be used; None leaves it to the scores (:func:`choice.order_of`).

    Raises
    ------
    ModelError : the period is too short to be cut, or no model (or not the declared one) can be fitted up to the cut.
    """
    bought = purchase_days(transactions)
    first = pd.Timestamp(bought.ordered_on.min().to_pandas()).date()
    cut = choose_cut(first, as_of, holdout_days)
    days, stretch = (as_of - cut).days, min((as_of - cut).days, (cut - first).days + 1)
    calibration = customer_summary(transactions, cut).cache()
    later = bought.filter(bought.ordered_on > cut)
    recent = _repeats(bought, calibration, cut - dt.timedelta(days=stretch), cut)
    rows = outcomes(calibration, later, recent=recent)
    models = _fitted(rows, cut, declared)
    forecasts = rows.assign(**{name: model.expected_purchases(days, *_history(rows)) for name, model in models.items()})
    forecasts = forecasts.assign(**baselines(rows, days, stretch, rehearse(transactions, cut, days)))
    names = [name for name in (*models, *BASELINES) if name in forecasts]
    scores = score(forecasts, names)
    ranking = order_of(scores, list(models))
    model = models[declared or ranking[0]]
    tracking, off = track(bought, calibration, models, model, cut, as_of, interval, seed)
    months = by_month(bought, calibration, model, cut, as_of)
    season = try_index(months, forecasts, model.name, cut, as_of, interval)
    trends = _trends(bought, calibration, model, tracking, interval, seed)
    if season["used"]:
        tracking = with_index(tracking, np.array(season["index"]))
    inside = {name: share_inside(rows, model, days, interval, seed) for name, model in models.items()}
    return Holdout(
        cut=cut,
        end=as_of,
        model=model,
        ranking=ranking,
        n_customers=int(rows["weight"].sum()),
        scores=scores.assign(inside=scores["forecaster"].map(inside), tracking=scores["forecaster"].map(off)),
        tracking=tracking,
        by_frequency=mean_by_frequency(forecasts, model.name),
        by_recency=mean_by_recency(forecasts, model, days),
        deciles=mean_by_decile(forecasts, model.name),
        revenue=judge_revenue(calibration, later, recent, model, days, stretch),
        months=months,
        season=season,
        trends=trends,
        by_silence=by_silence(forecasts, model.name, interval),
        revenue_bands=judge_bands(calibration, later, model, days, interval),
    )


def _trends(
    bought: ir.Table, calibration: ir.Table, model: PurchaseModel, weeks: pd.DataFrame, interval: float, seed: int
) -> dict[str, Trend | str]:
    spread = customer_spread(bought, calibration, model)
    fitted = weeks[weeks["phase"] == "calibration"]
    drawn = expected_under_draws(calibration, model, len(weeks), seed)
    return {
        "calibration": find_trend(fitted, interval, spread),
        "whole": find_trend(weeks, interval, spread, drawn),
    }


def _repeats(bought: ir.Table, calibration: ir.Table, after: dt.date, until: dt.date) -> ir.Table:
    """Customer-days of repeat purchases after one day, up to another."""
    both = bought.join(calibration.select("customer_id", "first_on"), "customer_id")
    inside = both.filter(both.ordered_on > ibis.greatest(both.first_on, ibis.literal(after)), both.ordered_on <= until)
    return inside.select("customer_id", "ordered_on", "amount")


def _history(rows: pd.DataFrame) -> list[pd.Series]:
    return [rows[name] for name in HISTORY]


def _fitted(rows: pd.DataFrame, cut: dt.date, declared: Name | None) -> dict[Name, PurchaseModel]:
    try:
        models, reasons = fit_every(rows)
        if declared and declared in reasons:
            raise ModelError(reasons[declared])
    except ModelError as error:
        reason = _("The days to {cut} alone, without those held back, do not suffice to fit it. On them: {reason}",
                   cut=date_text(cut), reason=error)  # fmt: skip
        raise ModelError(reason) from error
    return models


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


def mean_by_frequency(forecasts: pd.DataFrame, model: str) -> pd.DataFrame:
    """Mean hold-out purchase days by repeat purchases before the cut (the last group is 7 and more)."""
    group = forecasts["frequency"].clip(upper=TOP_FREQUENCY)
    return _means(forecasts, group.rename("frequency"), model).reset_index()


def mean_by_recency(forecasts: pd.DataFrame, model: PurchaseModel, days: float) -> pd.DataFrame:
    """Mean hold-out purchase days by whole weeks since the last purchase at the cut.

    Returns
    -------
    frame ``first_week, last_week`` (whole weeks of silence, both included), ``customers``, ``actual, predicted, naive``
    (mean purchase days), ``bought`` (share who bought at all), ``chance`` (the model's mean probability of that) and
    ``error`` (standard error of ``actual``).
    Groups of fewer than 30 customers, or than a fiftieth of all, are joined with the next.
    """
    silence = ((forecasts["T"] - forecasts["recency"]) // DAYS_PER_WEEK).to_numpy(int)
    starts = _starts(silence, forecasts["weight"].to_numpy(float))
    group = pd.Series(starts[np.searchsorted(starts, silence, side="right") - 1], forecasts.index, name="first_week")
    chance = probability_of_order(model, days, *_history(forecasts))
    more = forecasts.assign(bought=forecasts["actual"] > 0, chance=chance, square=forecasts["actual"] ** 2)
    means = _means(more, group, model.name, ("bought", "chance", "square")).reset_index()
    spread = np.maximum(means.pop("square") - means["actual"] ** 2, 0)
    means["error"] = np.sqrt(spread / np.maximum(means["customers"] - 1, 1))
    last = np.append(starts[1:] - 1, silence.max())
    means.insert(1, "last_week", last)
    return means


def _starts(silence: np.ndarray, weight: Floats) -> np.ndarray:
    """First weeks of the groups, each with enough customers; what is left over joins the last."""
    least = max(FEWEST_SILENT, weight.sum() / 50)
    bounds = [week for week in SILENT_WEEKS if week <= silence.max()]
    starts, held = [0], 0.0
    for week, after in zip(bounds, [*bounds[1:], np.inf], strict=True):
        if held >= least:
            starts.append(week)
            held = 0.0
        held += float(weight[(silence >= week) & (silence < after)].sum())
    return np.array(starts[:-1] if held < least and len(starts) > 1 else starts)


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


def _means(forecasts: pd.DataFrame, group: pd.Series, model: str, more: tuple[str, ...] = ()) -> pd.DataFrame:
    """Customers and weighted means of actual, predicted and naive purchase days per group, and of what ``more``."""
    weight = forecasts["weight"].astype(float)
    columns = {"actual": "actual", "predicted": model, "naive": SAME_RATE} | {name: name for name in more}
    sums = pd.DataFrame({new: forecasts[old] * weight for new, old in columns.items()}).groupby(group).sum()
    customers = weight.groupby(group).sum()
    return sums.div(customers, axis=0).assign(customers=customers)[["customers", *columns]]
