"""What a customer acquired tomorrow is worth, first order included: overall, by source and by segment."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.bootstrap import draw_parameters
from perennial.analysis.clv import MONTH_DAYS, monthly_rate
from perennial.analysis.group_models import DRAWS, FEWEST_CUSTOMERS, GroupModels, expected_of_new, fit_groups, sound
from perennial.analysis.groupings import ALL, OTHERS, UNKNOWN, group_by_column, grouped_rows, possible_columns
from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel
from perennial.analysis.value import ValueResult
from perennial.tables.summary import purchase_days

MOST_SHOWN = 0.9  # of new customers must be in a group shown, for its mean to stand for everybody
FAR = 60  # months over which a payback beyond the horizon is looked for


@dataclass(frozen=True)
class Terms:
    """What a forecast purchase is worth (horizon, yearly discount rate, margin as a share of revenue), the level of
    intervals, and the seed of their draws."""

    horizon_months: int
    discount_rate: float
    gross_margin: float
    interval: float = 0.90
    seed: int = 1

    @property
    def tails(self) -> list[float]:
        """The probabilities of the interval's bounds."""
        return [(1 - self.interval) / 2, (1 + self.interval) / 2]


@dataclass(frozen=True)
class Prospect:
    """A new customer of one group.

    Attributes
    ----------
    group, customers : of whom the first order was measured.
    first_order, first_order_se : mean net amount of the first purchase day and its standard error, in currency.
    repeat_purchases : expected over the horizon, not discounted.
    order_value : expected mean order of a customer never seen.
    curve : expected discounted margin so far at month 0 (the first order alone), 1 … horizon.
    draws : the same under each draw of the parameters and of the first order's mean: draws × months. Missing (NaN)
        where the uncertainty of a model is not known.
    far : as ``curve``, five years ahead or over the horizon where that is longer.
    own : whether the purchase model is the group's own.
    """

    group: str
    customers: int
    first_order: float
    first_order_se: float
    repeat_purchases: float
    order_value: float
    curve: Floats
    draws: Floats
    far: Floats
    own: bool = True

    @property
    def clv(self) -> float:
        """Prospect CLV over the whole horizon, first order included: the most that acquiring one may cost."""
        return float(self.curve[-1])

    def interval(self, tails: list[float], month: int = -1) -> tuple[float, float]:
        """Bounds of the expected margin so far: for the mean of many new customers, not for a single one."""
        low, high = np.quantile(self.draws[:, month], tails)
        return float(low), float(high)

    def payback(self, cost: float) -> float:
        """The first month in which the expected margin so far reaches the cost; 0: with the first order, ∞: never."""
        return float(payback_months(self.curve[None, :], cost)[0])

    def far_payback(self, cost: float) -> float:
        """:meth:`payback` beyond the horizon; ∞: not as far as it is looked ahead."""
        return float(payback_months(self.far[None, :], cost)[0])

    def payback_interval(self, cost: float, tails: list[float]) -> tuple[float, float]:
        """Bounds of the payback; ∞ where that share of the draws, or more, does not come back within the horizon."""
        if not np.isfinite(self.draws).all():
            return float("nan"), float("nan")
        months = np.sort(payback_months(self.draws, cost))
        low, high = (months[min(int(np.ceil(tail * len(months))), len(months)) - 1] for tail in tails)
        return float(low), float(high)


@dataclass(frozen=True)
class Prospects:
    """New customers: ``whole`` (None where nobody new was seen), ``by`` source and segment, most valuable first.

    ``pooled``: by column, groups too small to be shown. ``since``: see :func:`value_prospects`; ``refitted``: whether
    the customers since then carried a purchase model of their own. ``later``: ``whole`` without those who may have
    bought before the data begins; None where nobody may have, or the others carry no model. ``mixed``: ``whole`` is
    put together from the groups that are modelled apart, in the mix of customers so far.
    """

    whole: Prospect | None
    by: dict[str, list[Prospect]]
    pooled: dict[str, tuple[str, ...]]
    since: dt.date | None = None
    refitted: bool = False
    later: Prospect | None = None
    mixed: bool = False


def payback_months(curves: Floats, cost: float) -> Floats:
    """Per curve (a row, by month from 0 on) the first month that reaches the cost; ∞ where none does."""
    reached = curves >= cost
    return np.where(reached.any(axis=1), reached.argmax(axis=1).astype(float), np.inf)


def first_orders(transactions: ir.Table, members: ir.Table, since: dt.date | None = None) -> pd.DataFrame:
    """Net amount of the first purchase day, returns of that same day taken off.

    Parameters
    ----------
    members : ``customer_id, group``.
    since : customers first seen earlier do not count: their first order here need not be their first.

    Returns
    -------
    frame ``group, customers, mean, se`` (standard error of the mean; missing for a single customer), largest first.
    """
    days = purchase_days(transactions)
    days = days.mutate(first_on=days.ordered_on.min().over(group_by="customer_id"))
    first = days.filter(days.ordered_on == days.first_on).join(members, "customer_id")
    first = first if since is None else first.filter(first.first_on >= ibis.literal(since))
    found = first.group_by("group").agg(
        customers=first.count(),
        mean=first.amount.sum().cast("float64") / first.count(),  # of decimals: the same to the last digit each time
        spread=first.amount.cast("float64").std(how="sample"),
    )
    frame = found.to_pandas().sort_values(["customers", "group"], ascending=[False, True], ignore_index=True)
    return frame.assign(se=frame.pop("spread").astype(float) / np.sqrt(frame["customers"]))


def value_curve(bought: Floats, order_value: Any, first_order: Any, terms: Terms) -> Floats:
    """Expected discounted margin so far, at month 0 to the horizon.

    Parameters
    ----------
    bought : … × months, expected repeat purchases up to the end of month 1, 2 … horizon.
    order_value, first_order : … × 1, in currency.
    """
    by_month = np.diff(bought, axis=-1, prepend=0.0)
    weights = (1 + monthly_rate(terms.discount_rate)) ** -np.arange(1.0, bought.shape[-1] + 1)
    repeat = np.cumsum(by_month * weights, axis=-1) * order_value
    return terms.gross_margin * (first_order + np.concatenate([np.zeros_like(repeat[..., :1]), repeat], axis=-1))


def prospect(
    first: Any, purchase: PurchaseModel, spend: SpendModel, terms: Terms, own: bool = True, draws: int = DRAWS
) -> Prospect:
    """A new customer's value month by month, with its uncertainty.

    Parameters
    ----------
    first : ``group, customers, mean, se``; a row of :func:`first_orders`.
    """
    ends = MONTH_DAYS * np.arange(1, terms.horizon_months + 1)
    far = np.asarray(purchase.expected_of_new(MONTH_DAYS * np.arange(1, max(FAR, terms.horizon_months) + 1)), float)
    bought, value = far[: len(ends)], value_curve(far, spend.population_mean, float(first.mean), terms)
    curve = value[: len(ends) + 1]
    drawn = np.full((1, len(curve)), np.nan)
    if purchase.has_covariance and np.isfinite(spend.covariance).all() and np.isfinite(first.se):
        rng = np.random.default_rng(terms.seed)
        thetas, phis = draw_parameters(purchase, spend, draws, rng)
        p, q, v = phis.T
        begun = rng.normal(float(first.mean), float(first.se), draws)
        ahead = expected_of_new(purchase, ends, thetas)
        drawn = sound(value_curve(ahead, (p * v / (q - 1))[:, None], begun[:, None], terms))
    return Prospect(str(first.group), int(first.customers), float(first.mean), float(first.se), float(bought[-1]),
                    spend.population_mean, curve, drawn, value, own)  # fmt: skip


def prospects(first: pd.DataFrame, models: GroupModels, terms: Terms, minimum: int) -> list[Prospect]:
    """A new customer of each group by the group's models, most valuable first.

    Groups with fewer than ``minimum`` customers won, and those pooled or unknown, are left out.
    """
    lines = [line for line in first.itertuples() if line.customers >= minimum and line.group not in (OTHERS, UNKNOWN)]
    made = [
        prospect(line, models.purchase[line.group], models.spend[line.group], terms,
                 line.group not in models.pooled_purchase)
        for line in lines if line.group in models.purchase and line.group in models.spend
    ]  # fmt: skip
    return sorted(made, key=lambda one: -one.clv)


def value_prospects(
    transactions: ir.Table,
    summary: ir.Table,
    customers: ir.Table | None,
    since: dt.date | None,
    result: ValueResult,
    minimum_group: int,
    doubtful_until: dt.date | None = None,
) -> Prospects:
    """A customer acquired tomorrow: of everybody, and by source and segment where the client knows them.

    Parameters
    ----------
    since : the first day on which a customer first seen counts as new (:func:`perennial.analysis.censoring.new_since`);
        with it, first orders and models rest on those alone. None: on everybody, by the models of ``result``.
    result : with a spend model.
    minimum_group : customers of a group that is shown; one with under a hundred leans on the models of all.
    doubtful_until : customers first seen before may have bought before the data begins; the value without them is given
        beside (``later``).
    """
    assert result.spend is not None
    settings = result.settings
    terms = Terms(*(settings[key] for key in ("horizon_months", "discount_rate", "gross_margin", "interval", "seed")))
    new = _new_since(summary, since)
    models = _models_of_all(new, since, result)
    if models is None:
        return Prospects(None, {}, {}, since)
    whole = prospects(first_orders(transactions, everybody(new), since), models, terms, 1)
    later = None
    if doubtful_until is not None:
        without = value_prospects(transactions, summary, customers, doubtful_until, result, minimum_group)
        later = without.whole if without.refitted else None
    by: dict[str, list[Prospect]] = {}
    pooled: dict[str, tuple[str, ...]] = {}
    used = result.segmentation.decision.grouping
    columns = [name for name in dict.fromkeys(("source", "segment", used)) if name in possible_columns(customers)]
    for column in columns:
        assert customers is not None
        grouping = group_by_column(new, customers, column, minimum_group, repeaters=0)
        rows = grouped_rows(new, grouping.members)
        own = fit_groups(rows, column, models.purchase[ALL], models.spend[ALL], max(FEWEST_CUSTOMERS, minimum_group))
        first = first_orders(transactions, grouping.members, since)
        by[column], pooled[column] = prospects(first, own, terms, minimum_group), grouping.pooled
    refitted = since is not None and ALL not in models.pooled_purchase
    shown = sum(one.customers for one in by.get(used, []))
    mixed = bool(whole) and shown >= MOST_SHOWN * whole[0].customers
    everyone = _mixed(by[used]) if mixed else whole[0] if whole else None
    return Prospects(everyone, by, pooled, since, refitted, later, mixed)


def _mixed(groups: list[Prospect]) -> Prospect:
    """A new customer of groups modelled apart, in the mix of those won so far; the groups' draws are independent."""
    people = np.array([one.customers for one in groups], float)
    part = people / people.sum()
    bought = float(part @ [one.repeat_purchases for one in groups])
    draws = min(len(one.draws) for one in groups)
    return Prospect(
        ALL,
        int(people.sum()),
        float(part @ [one.first_order for one in groups]),
        float(np.sqrt(part**2 @ np.square([one.first_order_se for one in groups]))),
        bought,
        float(part @ [one.repeat_purchases * one.order_value for one in groups]) / bought if bought else float("nan"),
        np.sum([share * one.curve for share, one in zip(part, groups, strict=True)], axis=0),
        np.sum([share * one.draws[:draws] for share, one in zip(part, groups, strict=True)], axis=0),
        np.sum([share * one.far for share, one in zip(part, groups, strict=True)], axis=0),
        all(one.own for one in groups),
    )


def _new_since(summary: ir.Table, since: dt.date | None) -> ir.Table:
    return summary if since is None else summary.filter(summary.first_on >= ibis.literal(since))


def _models_of_all(new: ir.Table, since: dt.date | None, result: ValueResult) -> GroupModels | None:
    """The models of ``result``, or with a first day those of the customers since then; None where nobody is left."""
    assert result.spend is not None
    if since is None:
        return GroupModels(ALL, {ALL: result.purchase}, {ALL: result.spend})
    rows = grouped_rows(new, everybody(new))
    return fit_groups(rows, ALL, result.purchase, result.spend, FEWEST_CUSTOMERS) if len(rows) else None


def everybody(summary: ir.Table) -> ir.Table:
    """``customer_id, group``: all customers as one group."""
    return summary.select("customer_id", group=ibis.literal(ALL))
