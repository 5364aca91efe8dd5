"""Chapter 05: lifetime value. How often customers will buy, what they will spend, what that is worth today."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perennial.analysis import censoring, cohorts, value_views
from perennial.analysis.censoring import Beginning
from perennial.analysis.comparison import holds_a_year
from perennial.analysis.equity import Equity
from perennial.analysis.holdout import Holdout
from perennial.analysis.purchase_model import DAYS_PER_WEEK
from perennial.analysis.value import ValueResult
from perennial.chapters import value_words
from perennial.errors import ModelError
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, KeyFigure, Part

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "05_lifetime_value"
YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Study:
    """What the chapter found; frames that could not be made are empty and have no caption.

    Attributes
    ----------
    result : the fitted models; None where no purchase model can be fitted (``reason`` says why).
    parameters : ``model, parameter, estimate, standard_error``.
    intervals : customer equity by kind of uncertainty: ``uncertainty, value, low, high``.
    tracking, by_frequency, deciles, scores : the hold-out; see :class:`perennial.analysis.holdout.Holdout`; scores
        without what came, the smallest error first.
    models : purchase models side by side, with their hold-out scores.
    spend, curve, groups, top : see :mod:`perennial.analysis.value_views`.
    looks : formats and headings of each table, by name, as a page's table takes them.
    censoring : the fit with and without the first customers, where they were or may have been there before the data
        begins (``beginning``); empty elsewhere.
    parts : sections that stand on their own, by name; see :class:`perennial.statements.Part`.
    """

    title: str
    currency: str
    as_of: dt.date
    customers: int
    revenue: Decimal
    result: ValueResult | None = None
    reason: str = ""
    parameters: pd.DataFrame = field(default_factory=pd.DataFrame)
    intervals: pd.DataFrame = field(default_factory=pd.DataFrame)
    tracking: pd.DataFrame = field(default_factory=pd.DataFrame)
    by_frequency: pd.DataFrame = field(default_factory=pd.DataFrame)
    deciles: pd.DataFrame = field(default_factory=pd.DataFrame)
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    models: pd.DataFrame = field(default_factory=pd.DataFrame)
    spend: pd.DataFrame = field(default_factory=pd.DataFrame)
    curve: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    top: pd.DataFrame = field(default_factory=pd.DataFrame)
    last_year: float = float("nan")  # revenue of the last 365 days; missing where the data hold less
    shared_best: int = 0  # of the best tenth, ids that several people seem to share
    censoring: pd.DataFrame = field(default_factory=pd.DataFrame)
    beginning: Beginning = Beginning("none")
    captions: dict[str, Caption] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    key_figures: list[KeyFigure] = field(default_factory=list)
    looks: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def weekly(self) -> pd.DataFrame:
        """The tracking week by week, without its cumulative columns."""
        return self.tracking[["week_end", "actual", "expected", "phase"]]

    @property
    def holdout(self) -> Holdout | None:
        """The hold-out, where there is one."""
        return self.result.holdout if self.result else None

    @property
    def equity(self) -> Equity | None:
        """Customer equity, where there is a spend model."""
        return self.result.equity if self.result else None

    def part(self, name: str) -> Part:
        """A section; one that needs a purchase model gives the reason for everything where there is none."""
        reason = _("Not shown: there is no purchase model for these customers.")
        return self.parts.get(name) or Part(absent=defaultdict(lambda: reason))

    @property
    def own(self) -> Part:
        """The charts and tables of the chapter that belong to no section, and why some of them are not there."""
        made = {
            name: Exhibit(getattr(self, name.removeprefix("value_").replace("equity", "intervals")), caption,
                          **self.looks[name])
            for name, caption in self.captions.items()
        }  # fmt: skip
        return Part(made, {name: self.absent(name) for name in self.looks if name not in made})

    def absent(self, name: str) -> str:
        """Why a chart or table of this name is not shown."""
        if self.result is None:
            return _("Not shown: there is no purchase model for these customers.")
        if name in {"value_tracking", "value_weekly", "value_by_frequency", "value_deciles"}:
            return _("Not shown, for the same reason: the model cannot be tested on days it had not seen.")
        if name == "value_scores":
            return _("Not shown: {reason}", reason=self.result.holdout_reason)
        if name == "value_censoring":
            if self.beginning.sign == "unknown":
                return _("Whether customers were there before the data begins cannot be told: new ones came in too few "
                    "periods. Nothing was refitted.")  # fmt: skip
            return _("No sign that many customers were there before the data begins; nothing was refitted.")
        return _("Not shown: {reason}", reason=self.result.spend_reason)


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client; without a model the study says why and holds nothing else."""
    from perennial.chapters import value_captions, value_findings, value_tables

    found = _measure(client)
    found.parts.update(_parts(client, found.result))
    found.captions.update(value_captions.captions(found))
    found.findings.extend(value_findings.findings(found))
    for part in found.parts.values():
        found.findings.extend(part.findings)
    found.key_figures.extend(value_words.key_figures(found))
    found.looks.update(value_tables.looks(found))
    return found


def _parts(client: "Client", result: ValueResult | None) -> dict[str, Part]:
    """The sections that stand on their own; without a purchase model those that need none."""
    from perennial.chapters import (
        value_acquisition,
        value_apart,
        value_assumptions,
        value_behaviour,
        value_contracts,
        value_equity,
    )

    made = {"contracts": value_contracts.part(client, result)}
    if result is not None:
        made["equity"] = value_equity.part(client, result)
        made["apart"] = value_apart.part(client, result)
        made["acquisition"] = value_acquisition.part(client, result)
        made["behaviour"] = value_behaviour.part(client, result)
        made["assumptions"] = value_assumptions.part(client, result)
    return made


def _measure(client: "Client") -> Study:
    p = client.parameters
    totals = client.summary.agg(n=client.summary.count(), revenue=client.summary.revenue.sum()).to_pyarrow()
    customers, revenue = totals["n"][0].as_py(), totals["revenue"][0].as_py()
    try:
        result = client.value
    except ModelError as error:
        return Study(p.title, p.currency, p.as_of, customers, revenue, reason=str(error))
    beginning = censoring.beginning_of(client.summary, p.cohort_period, p.as_of)
    return Study(
        p.title,
        p.currency,
        p.as_of,
        customers,
        revenue,
        result=result,
        parameters=_parameters(result),
        models=_models(result),
        beginning=beginning,
        last_year=_last_year(client, result),
        censoring=_censoring(client, result, beginning),
        **_holdout_frames(result.holdout),
        **_money_frames(client, result),
    )


def _parameters(result: ValueResult) -> pd.DataFrame:
    frame = value_views.parameter_table(result)
    return frame.assign(meaning=frame["parameter"].map(value_words.parameter_meaning))


def _holdout_frames(holdout: Holdout | None) -> dict[str, pd.DataFrame]:
    if holdout is None:
        return {}
    frames = {name: getattr(holdout, name) for name in ("tracking", "by_frequency", "deciles")}
    return {**frames, "scores": holdout.scores.drop(columns="actual").sort_values("rmse", ignore_index=True)}


def _money_frames(client: "Client", result: ValueResult) -> dict[str, pd.DataFrame]:
    if result.spend is None or result.equity is None:
        return {}
    from perennial.chapters.value_findings import CONTACTED

    return {
        "intervals": _intervals(result.equity),
        "spend": value_views.spend_fit(result.rows, result.spend),
        "curve": value_views.value_curve(result.rows),
        "groups": value_views.value_by_frequency(result.rows),
        "top": value_views.top_customers(result, client.summary),
        "shared_best": value_views.shared_among_best(result, client.summary, CONTACTED),
    }


def _intervals(equity: Equity) -> pd.DataFrame:
    rows = [
        (_("both together"), equity.low, equity.high),
        (_("uncertain parameters alone"), equity.parameter_low, equity.parameter_high),
        (_("chance alone"), equity.process_low, equity.process_high),
    ]
    frame = pd.DataFrame(rows, columns=["uncertainty", "low", "high"])
    frame.insert(1, "value", equity.value)
    return frame


def _last_year(client: "Client", result: ValueResult) -> float:
    """Revenue of the 365 days up to the as-of day; missing where the data hold less."""
    if not holds_a_year(value_words.history_days(result)):
        return float("nan")
    days = client.transactions.ordered_at.date()
    since = client.parameters.as_of - dt.timedelta(days=365)
    revenue = client.transactions.filter(days > since).amount.sum().to_pyarrow().as_py()
    return float(revenue or 0)


def _models(result: ValueResult) -> pd.DataFrame:
    """Purchase models side by side: likelihood on all data, scores on the hold-out where there is one."""
    models = result.alternatives[["model", "loglik", "aic", "bic"]]
    if result.holdout is None:
        return models
    scores = result.holdout.scores[["forecaster", "bias", "rmse"]]
    return models.merge(scores.rename(columns={"forecaster": "model"}), on="model", how="left")


def _censoring(client: "Client", result: ValueResult, beginning: Beginning) -> pd.DataFrame:
    """The fit with and without the cohorts that were, or may have been, there before the data begins."""
    since = censoring.new_since(beginning.cohorts, cohorts.FREQUENCY[client.parameters.cohort_period])
    if since is None:
        return pd.DataFrame()
    begin = pd.Timestamp(since)
    later = value_views.refit_later(client.summary, begin, result.purchase.name)
    lines = [(_("all customers"), result.purchase), (_("first seen from {month}", month=f"{begin:%B %Y}"), later)]
    return pd.DataFrame(
        [
            {
                "customers_used": name,
                "n": model.n_customers if model else np.nan,
                "purchases_a_year": _yearly_rate(model.params) if model else np.nan,
                "leaving": left[0] if model and (left := value_words.leaving(model)) else np.nan,
                "first_year_of_new": float(model.expected_of_new(YEAR_DAYS)) if model else np.nan,
            }
            for name, model in lines
        ]
    )


def _yearly_rate(params: dict[str, float]) -> float:
    """Mean purchases a year of an active customer: r / alpha, per week, times the weeks of a year."""
    return params["r"] / params["alpha"] * YEAR_DAYS / DAYS_PER_WEEK
