"""What the customers would be worth if something changed, and how far ahead their value lies.

A scenario changes the future of today's customers, not what is known of them: P(alive) stays. It says what a change
would be worth, not how to bring it about nor at what cost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.analysis import clv, spend_model
from perennial.analysis.purchase_model import DAYS_PER_WEEK, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach
from perennial.analysis.value import Piece, ValueResult

DRAWS = 25  # of the parameters; the interval is taken from their spread
HORIZONS_MONTHS = (12, 24, 36, 60)
FOR_EVER = np.inf
ROUGH_DAYS = 28.0
Places = tuple[Floats, np.ndarray]  # distinct (frequency, T) pairs, and each row's place among them


@dataclass(frozen=True)
class Scenario:
    """One change: factors of leaving, of the purchase rate and of the order value, and points of margin."""

    name: str
    leaving: float = 1.0
    rate: float = 1.0
    order: float = 1.0
    points: float = 0.0


AS_TODAY = Scenario("as today")
SCENARIOS = (
    Scenario("leaving", leaving=0.95),
    Scenario("rate", rate=1.05),
    Scenario("order", order=1.05),
    Scenario("margin", points=0.01),
)


def what_if(result: ValueResult) -> pd.DataFrame:
    """The change of customer equity under each scenario, over the horizon and for ever.

    Returns
    -------
    frame ``scenario, months`` (of the horizon; infinite: for ever, where there is a discount and customers can leave),
    ``share`` (relative change of equity), ``low, high`` (its interval from uncertain parameters) and ``change`` (in
    currency). Less leaving is left out where the model lets nobody leave.
    """
    sure, drawn = _futures(result)
    lines = []
    for months in _horizons(result, [int(result.settings["horizon_months"])]):
        value, today = sure.equity(months), [future.rough(months) for future in drawn]
        for scenario in SCENARIOS if result.purchase.lets_leave else SCENARIOS[1:]:
            changed = sure.equity(months, scenario)
            spread = [future.rough(months, scenario) / plain for future, plain in zip(drawn, today, strict=True)]
            low, high = _interval(changed / value, spread, float(result.settings["interval"]))
            lines.append((scenario.name, months, changed / value - 1, low - 1, high - 1, changed - value))
    return pd.DataFrame(lines, columns=["scenario", "months", "share", "low", "high", "change"])


def by_horizon(result: ValueResult) -> pd.DataFrame:
    """Customer equity by how far it looks ahead.

    Returns
    -------
    frame ``months`` (infinite: for ever, DERT, where there is a discount and customers can leave), ``value, low, high``
    (from uncertain parameters alone).
    """
    sure, drawn = _futures(result)
    lines = []
    for months in _horizons(result, sorted({*HORIZONS_MONTHS, int(result.settings["horizon_months"])})):
        value = sure.equity(months)
        center = sure.rough(months)
        low, high = _interval(1.0, [future.rough(months) / center for future in drawn], result.settings["interval"])
        bounds = (value * low, value * high)
        if months == result.settings["horizon_months"] and result.equity is not None:
            bounds = (result.equity.parameter_low, result.equity.parameter_high)  # the same quantity, by all draws
        lines.append((months, value, *bounds))
    return pd.DataFrame(lines, columns=["months", "value", "low", "high"])


def _horizons(result: ValueResult, months: list[int]) -> list[float]:
    """These, and for ever where that has a meaning: later money counts less, and customers can leave."""
    ends = result.settings["discount_rate"] > 0 and result.purchase.lets_leave
    return [*map(float, months), *([FOR_EVER] if ends else [])]


def _futures(result: ValueResult) -> tuple["_Futures", list["_Futures"]]:
    """All customers under the parameters of the fit, and under draws of them."""
    sure, *drawn = (_Futures(list(one)) for one in zip(*(_of(piece, result.settings) for piece in result.pieces),
                                                       strict=True))  # fmt: skip
    return sure, drawn


def _of(piece: Piece, settings: dict[str, Any]) -> list["_Future"]:
    """Customers valued by the same models under the parameters of the fit, then under draws of them."""
    rows, model, spend = piece.rows, piece.models.purchase, piece.models.spend
    assert spend is not None
    draws = piece.draws.iloc[np.linspace(0, len(piece.draws) - 1, DRAWS).astype(int)]
    thetas = np.vstack([model.theta, draws[list(model.names)].to_numpy(float)])
    phis = np.vstack([spend.theta, draws[list(spend.params)].to_numpy(float)])
    alive = clv.alive_under(rows, model, thetas)
    x, paid = rows["frequency"].to_numpy(float)[:, None], rows["monetary_value"].to_numpy(float)[:, None]
    money = rows["weight"].to_numpy(float)[:, None] * alive * spend_model.expected_order_value(phis.T, x, paid)
    exact = clv.distinct_pairs(rows)
    rough = clv.distinct_pairs(rows.assign(T=np.ceil(rows["T"] / ROUGH_DAYS) * ROUGH_DAYS))
    return [_Future(model, theta, paid, exact, rough, settings) for theta, paid in zip(thetas, money.T, strict=True)]


def _interval(middle: float, spread: list[float], level: float) -> tuple[float, float]:
    """Around the middle, as wide as the draws vary."""

    wide = reach(level) * float(np.std(spread))
    return middle - wide, middle + wide


@dataclass(frozen=True)
class _Futures:
    """All customers, those of each group under its own parameters."""

    groups: list["_Future"]

    def equity(self, months: float, scenario: Scenario = AS_TODAY) -> float:
        """See :meth:`_Future.equity`."""
        return sum(one.equity(months, scenario) for one in self.groups)

    def rough(self, months: float, scenario: Scenario = AS_TODAY) -> float:
        """See :meth:`_Future.rough`."""
        return sum(one.rough(months, scenario) for one in self.groups)


class _Future:
    """Customers under one set of parameters, and what they bring under a scenario."""

    def __init__(
        self, model: PurchaseModel, theta: Floats, money: Floats, exact: Places, rough: Places, settings: dict[str, Any]
    ):
        self.model, self.theta, self.settings = model, theta, settings
        self.pairs, self.worth = exact[0], np.bincount(exact[1], money)
        self.rough_pairs, self.rough_worth = rough[0], np.bincount(rough[1], money)
        self.known: dict[tuple[float, float, float], float] = {}  # discounted spend by months, leaving and rate
        self.roughly_known: dict[tuple[float, float, float], float] = {}

    def equity(self, months: float, scenario: Scenario = AS_TODAY) -> float:
        """Discounted margin of all customers over a horizon in months, or for ever."""
        if (months, scenario.leaving, scenario.rate) not in self.known:
            theta, rate = self._buying(scenario, self.pairs), float(self.settings["discount_rate"])
            if months == FOR_EVER:
                bought = self._for_ever(theta, self.pairs, scenario)
            else:
                slow = scenario.leaving * clv.MONTH_DAYS
                bought = clv.discounted_if_alive(self.model, theta, self.pairs, int(months), rate, slow)
            self.known[months, scenario.leaving, scenario.rate] = float(self.worth @ bought)
        return self._margin(scenario) * self.known[months, scenario.leaving, scenario.rate]

    def rough(self, months: float, scenario: Scenario = AS_TODAY) -> float:
        """The same with ages in wide steps and, over a horizon, without discount: to compare draws with each other."""
        if (months, scenario.leaving, scenario.rate) not in self.roughly_known:
            theta = self._buying(scenario, self.rough_pairs)
            if months == FOR_EVER:
                bought = self._for_ever(theta, self.rough_pairs, scenario, nodes=10)
            else:
                days = scenario.leaving * months * clv.MONTH_DAYS
                bought = self.model.purchases_if_alive(days, self.rough_pairs[:, 0], self.rough_pairs[:, 1], theta)
            self.roughly_known[months, scenario.leaving, scenario.rate] = float(self.rough_worth @ bought)
        return self._margin(scenario) * self.roughly_known[months, scenario.leaving, scenario.rate]

    def _for_ever(self, theta: Any, pairs: Floats, scenario: Scenario, nodes: int = 32) -> Floats:
        faster = (1 + float(self.settings["discount_rate"])) ** (1 / scenario.leaving) - 1
        return clv.for_ever_if_alive(self.model, theta, pairs, faster, nodes)

    def _margin(self, scenario: Scenario) -> float:
        """Per unit of spend. The part of leaving: with every chance to leave × f, a customer's purchases up to t are
        1/f times those up to f·t, whatever the rate and the chance are, and so in every model.
        """
        return (float(self.settings["gross_margin"]) + scenario.points) * scenario.order / scenario.leaving

    def _buying(self, scenario: Scenario, pairs: Floats) -> Any:
        """The parameters under which these (frequency, T) pairs buy at the scenario's rate from now on."""
        age, theta = pairs[:, 1] / DAYS_PER_WEEK, list(self.theta)
        scale = self.model.names.index("alpha")
        theta[scale] = (theta[scale] + age) / scenario.rate - age  # a rate known as Gamma(r + x, alpha + T), scaled
        return theta
