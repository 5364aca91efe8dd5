"""Purchase and spend models fitted to each group apart, and what they expect of new customers."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from perennial.analysis.clv import draw_parameters_of
from perennial.analysis.fitters import fit_gamma_gamma, fit_purchases, or_reason
from perennial.analysis.groupings import EARLIER
from perennial.analysis.purchase_model import HISTORY, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import SpendModel
from perennial.formats import number
from perennial.language import _

FEWEST_CUSTOMERS = 100  # of a group with a model of its own; it needs MINIMUM_REPEATERS as well
DRAWS = 400  # of the parameters
SOUND_SHARE = 0.95  # of parameter draws, without which no interval is stated
YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Models:
    """What values a customer: a purchase model, and a spend model where there is one."""

    purchase: PurchaseModel
    spend: SpendModel | None

    def to_dict(self) -> dict[str, Any]:
        """Both models, as they describe themselves."""
        return {"purchase": self.purchase.to_dict(), "spend": self.spend.to_dict() if self.spend else None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Models":
        """What ``to_dict`` gave."""
        spend = SpendModel.from_dict(values["spend"]) if values["spend"] else None
        return cls(PurchaseModel.from_dict(values["purchase"]), spend)


@dataclass(frozen=True)
class GroupModels:
    """The models of each group of a grouping; where a group carries none, the pooled one stands in, with the reason.

    Attributes
    ----------
    grouping : its name.
    purchase, spend : by group; ``spend`` is empty without a pooled spend model.
    pooled_purchase, pooled_spend : by group, why the pooled model stands in there.
    """

    grouping: str
    purchase: dict[str, PurchaseModel]
    spend: dict[str, SpendModel]
    pooled_purchase: dict[str, str] = field(default_factory=dict)
    pooled_spend: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> list[str]:
        """Groups with a purchase model of their own."""
        return [group for group in self.purchase if group not in self.pooled_purchase]

    @property
    def apart(self) -> dict[str, Models]:
        """The groups whose customers are valued by models of their own: all of the models are, and were compared."""
        whole = [group for group in self.own if group not in self.pooled_spend and group != EARLIER]
        return {group: Models(self.purchase[group], self.spend.get(group)) for group in whole}

    def to_dict(self) -> dict[str, Any]:
        """Every group's models and why the pooled ones stand in."""
        pairs = {group: Models(self.purchase[group], self.spend.get(group)).to_dict() for group in self.purchase}
        return {"grouping": self.grouping, "models": pairs, "pooled_purchase": self.pooled_purchase,
                "pooled_spend": self.pooled_spend}  # fmt: skip

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "GroupModels":
        """What ``to_dict`` gave."""
        pairs = {group: Models.from_dict(pair) for group, pair in values["models"].items()}
        spend = {group: pair.spend for group, pair in pairs.items() if pair.spend}
        return cls(values["grouping"], {group: pair.purchase for group, pair in pairs.items()}, spend,
                   values["pooled_purchase"], values["pooled_spend"])  # fmt: skip


def fit_groups(
    rows: pd.DataFrame, grouping: str, purchase: PurchaseModel, spend: SpendModel | None, minimum: int
) -> GroupModels:
    """Each group's own models, of the same kind as the pooled ones.

    Parameters
    ----------
    rows : as :func:`grouped_rows`; ``grouping`` : the name of what parts them.
    purchase, spend : the pooled models; they stand in, with the reason, for a group that is small or has no sound fit.
    minimum : customers of a group with models of its own.
    """
    bought: dict[str, PurchaseModel] = {}
    spent: dict[str, SpendModel] = {}
    without: dict[str, str] = {}
    unspent: dict[str, str] = {}
    for group, own in rows.groupby("group", sort=True):
        name, people = str(group), int(own["weight"].sum())
        few = _("{n} customers, fewer than {least}", n=number(people), least=number(minimum))
        model, why = (
            (None, few) if people < minimum else or_reason(lambda own=own: fit_histories(own, purchase.name, purchase))
        )
        bought[name] = model or purchase
        without |= {} if model else {name: why}
        if spend is not None:
            paid, why = (None, few) if people < minimum else or_reason(lambda own=own: fit_gamma_gamma(own, spend))
            spent[name] = paid or spend
            unspent |= {} if paid else {name: why}
    return GroupModels(grouping, bought, spent, without, unspent)


def fit_histories(rows: pd.DataFrame, name: Name, beside: PurchaseModel | None = None) -> PurchaseModel:
    """:func:`perennial.analysis.fitters.fit_purchases` on rows that may repeat a history."""
    return fit_purchases(rows.groupby(HISTORY, sort=True)["weight"].sum().reset_index(), name, beside)


def expected_of_new(model: PurchaseModel, days: ArrayLike, thetas: Floats) -> Floats:
    """Expected repeat purchase days of a new customer under each parameter draw: draws × ``days``."""
    theta, ahead = thetas.T[:, :, None], np.atleast_1d(np.asarray(days, float))
    zero = np.zeros((1, 1))
    return model.p_alive(zero, zero, zero, theta) * model.purchases_if_alive(ahead, zero, zero, theta)


def sound(draws: Floats) -> Floats:
    """The draws (rows) in which everything is a number; one row of missing values where over a twentieth is not.

    A badly determined parameter is now and then drawn so large that the formulas leave the range of numbers.
    """
    good = np.isfinite(draws).all(axis=1)
    return draws[good] if good.mean() >= SOUND_SHARE else np.full((1, draws.shape[1]), np.nan)


def first_year(models: GroupModels, interval: float, seed: int) -> pd.DataFrame:
    """Repeat purchase days expected of a new customer in the first year, by group: the size of the difference.

    Returns
    -------
    frame ``group, purchases, low, high, own`` (whether from a model of the group's own), most first. The interval
    holds uncertain parameters, for the mean of many new customers.
    """
    lines = []
    for group, model in models.purchase.items():
        if group == EARLIER:
            continue
        low = high = float("nan")
        if model.has_covariance:
            drawn = draw_parameters_of(model, DRAWS, np.random.default_rng(seed))
            tails = [(1 - interval) / 2, (1 + interval) / 2]
            low, high = np.quantile(sound(expected_of_new(model, YEAR_DAYS, drawn)), tails)
        lines.append({"group": group, "purchases": float(model.expected_of_new(YEAR_DAYS)), "low": low, "high": high,
                      "own": group not in models.pooled_purchase})  # fmt: skip
    return pd.DataFrame(lines).sort_values("purchases", ascending=False, kind="stable", ignore_index=True)
