"""Chapter 04: who leaves. What leaving means here, who is silent, who may be gone, whose loss would cost most."""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pandas as pd

from perennial import formats
from perennial.analysis import censoring, churn, cohorts, contracts
from perennial.analysis.cadence import SilenceThresholds, customer_cadence, silence_history, silence_thresholds
from perennial.analysis.comparison import holds_a_year
from perennial.analysis.shared_ids import contactable, count_shared
from perennial.analysis.survival import follow_up, kaplan_meier, milestone
from perennial.errors import ModelError
from perennial.language import _
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.analysis.value import ValueResult
    from perennial.client import Client

CHAPTER = "04_churn"
MOST_AT_RISK = 1000
QUARTER_DAYS = 91
Formatter = Callable[[Any], str]


@dataclass(frozen=True)
class Contracts:
    """The contractual part: ``plans``, survival ``curves`` of contract length and their ``ends`` (days watched) by plan
    (``""``: all), contracts ``held`` a year ago and how many of them ``ended`` since."""

    plans: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    ends: dict[str, float]
    held: int
    ended: int


@dataclass(frozen=True)
class Study:
    """What the chapter found.

    Attributes
    ----------
    thresholds : silences that count as overdue and lapsed.
    states : customers and money by silence, repeat customers and one-time buyers apart.
    silence_bins : present silence in multiples of the typical gap.
    lives : survival of active life (days from the first purchase to the last before lapsing); ``watched`` days; of
        customers first seen on or after ``since``, where earlier ones were known before the data (``beginning``).
    later : of the customers watched up to the stated milestone, who ordered after it, lapsed before or not.
    lapses : customers who ever lapsed, and who of them returned.
    overdue_before : repeat customers a quarter before ``as_of``, and who of them was overdue then.
    alive_bins, alive, stake : what the purchase model says; None with ``model_reason`` where none could be fitted, or
        nobody leaves in it.
    at_risk : silent repeat customers by value at stake, at most 1,000, ``customer`` = name where known.
    shared : silent repeat customers who are not on that list, as several people seem to share their id.
    contracts : the contractual part, None where there is none.
    customers, revenue : the base: states add up to them.
    first_on : first order. Where that is less than a year ago, ``revenue_past_year`` is all revenue.
    """

    as_of: pd.Timestamp
    level: float
    currency: str
    minimum_group: int
    horizon_months: int
    thresholds: SilenceThresholds
    states: pd.DataFrame
    silence_bins: pd.DataFrame
    lives: pd.DataFrame
    watched: float
    lives_customers: int
    beginning: censoring.Beginning
    since: dt.date | None
    first_on: dt.date
    later: churn.Part
    lapses: churn.Lapses
    overdue_before: churn.Part
    at_risk: pd.DataFrame
    shared: int
    customers: int
    revenue: Decimal
    model: str = ""
    model_reason: str = ""
    alive_bins: pd.DataFrame | None = None
    alive: churn.Alive | None = None
    stake: churn.Stake | None = None
    contracts: Contracts | None = None
    contractual: bool = False
    captions: dict[str, Caption] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    definition: list[str] = field(default_factory=list)

    @property
    def formats(self) -> dict[str, Formatter]:
        """How the columns of the chapter's tables are written."""
        amounts = ("value_at_stake", "value_if_active", "revenue", "revenue_past_year", "price_per_month")
        shares = dict.fromkeys(("p_alive", "survival", "low", "high"), formats.percent)
        days = dict.fromkeys(("silence_days", "typical_gap_days"), _whole)
        ratios = dict.fromkeys(("silence_ratio", "from_ratio", "from_p", "to_p"), _one_digit)
        return {**dict.fromkeys(amounts, self.money), **shares, **days, **ratios, "state": _state_name}

    @property
    def a_year(self) -> bool:
        """Whether the data hold a year before the as-of day."""
        return holds_a_year((self.as_of.date() - self.first_on).days + 1)

    @property
    def labels(self) -> dict[str, str]:
        """What columns of this chapter's tables are called here."""
        since = _("since {date}", date=formats.date(self.first_on))
        return {
            "repeat": _("ordered more than once"),
            "state": _("state by silence"),
            "revenue": _("revenue, all time"),
            "revenue_past_year": _("revenue, past year") if self.a_year else _("revenue {since}", since=since),
        }

    def money(self, amount: float) -> str:
        """An amount in the client's currency, for tables."""
        return formats.money(amount, self.currency)


def _whole(value: float) -> str:
    return formats.number(value, 0)


def _one_digit(value: float) -> str:
    return formats.number(value, 1)


def _state_name(state: str) -> str:
    return {"on_cadence": _("on cadence"), "overdue": _("overdue"), "lapsed": _("lapsed")}[state]


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client."""
    from perennial.chapters import churn_findings, churn_words

    found = _measure(client)
    found.captions.update(churn_words.captions(found, formats.escape(client.parameters.title)))
    found.definition.extend(churn_words.definition(found))
    found.findings.extend(churn_findings.findings(found))
    return found


def _measure(client: "Client") -> Study:
    p = client.parameters
    lines, summary = client.transactions, client.summary
    thresholds = silence_thresholds(lines, p.as_of, p.churn.silence_quantile)
    cadence = customer_cadence(lines, summary, p.as_of)
    states = churn.customer_states(lines, summary, cadence, thresholds, p.as_of).cache()
    history = silence_history(lines, p.as_of, thresholds.base).cache()
    beginning = censoring.beginning_of(summary, p.cohort_period, p.as_of)
    since = censoring.new_since(beginning.known, cohorts.FREQUENCY[p.cohort_period])
    new = censoring.only_new(history, since)
    lives = churn.active_lives(new, thresholds, p.as_of)
    curve, watched = kaplan_meier(lives, p.interval), follow_up(lives)
    day = milestone(curve, watched, p.minimum_group) or 0
    totals = summary.agg(customers=summary.count(), revenue=summary.revenue.sum(), first_on=summary.first_on.min())
    totals = totals.to_pyarrow().to_pylist()[0]
    value, reason = _value(client)
    subscribed = p.contractual is not False and client.has("subscriptions")
    return Study(
        as_of=pd.Timestamp(p.as_of),
        level=p.interval,
        currency=p.currency,
        minimum_group=p.minimum_group,
        horizon_months=p.horizon_months,
        thresholds=thresholds,
        states=churn.state_counts(states),
        silence_bins=churn.silence_histogram(states, most=_widest(thresholds)),
        lives=curve,
        watched=watched,
        lives_customers=int(lives["count"].sum()),
        beginning=beginning,
        since=since,
        first_on=totals["first_on"],
        later=churn.bought_later(new, thresholds, p.as_of, day),
        lapses=churn.count_lapses(history, thresholds),
        overdue_before=churn.overdue_before(history, thresholds, p.as_of - dt.timedelta(days=QUARTER_DAYS)),
        customers=int(totals["customers"]),
        revenue=Decimal(totals["revenue"] or 0),
        model_reason=reason,
        contracts=_contracts(client) if subscribed else None,
        contractual=p.contractual is True,
        **_predicted(client, states, value),
    )


def _widest(thresholds: SilenceThresholds) -> float:
    """How far the silence chart reaches, in typical gaps: past the lapsed threshold."""
    return max(10.0, math.ceil(1.2 * (thresholds.lapsed or 0.0)))


def _value(client: "Client") -> "tuple[ValueResult | None, str]":
    try:
        value = client.value
    except ModelError as error:
        return None, str(error)
    if value.purchase.lets_leave:
        return value, ""
    return None, _(
        "in the purchase model that suits these customers, {model}, nobody leaves.", model=value.purchase.name
    )


def _predicted(client: "Client", states: ir.Table, value: "ValueResult | None") -> dict[str, Any]:
    """What needs the purchase model: P(alive), value at stake; the at-risk list falls back on overdue customers."""
    reachable = contactable(states, client.summary)
    silent = states.filter(states["repeat"], states.state != "on_cadence")
    shared = count_shared(silent, client.summary)
    if value is None:
        return {"at_risk": _named(client, churn.at_risk(reachable, None, MOST_AT_RISK)), "shared": shared}
    money = value.spend is not None
    predictions = value.customers
    return {
        "at_risk": _named(client, churn.at_risk(reachable, predictions if money else None, MOST_AT_RISK)),
        "shared": shared,
        "model": value.purchase.name,
        "alive_bins": churn.alive_histogram(states, predictions),
        "alive": churn.alive_totals(states, predictions),
        "stake": churn.total_stake(states, predictions) if money else None,
    }


def _named(client: "Client", listed: pd.DataFrame) -> pd.DataFrame:
    """The list with the customers' names, where the client gave them."""
    if not client.has("customers") or "name" not in client.table("customers").columns:
        return listed
    people = client.table("customers").select("customer_id", "name")
    people = people.filter(people.customer_id.isin(listed["customer_id"].tolist()))
    names = people.to_pandas().drop_duplicates("customer_id").set_index("customer_id")["name"]
    listed = listed.copy()
    listed.insert(1, "name", listed["customer_id"].map(names))
    return listed


def _contracts(client: "Client") -> Contracts:
    p = client.parameters
    table = client.table("subscriptions")
    lengths = contracts.contract_durations(table, p.as_of)
    plans = contracts.contract_plans(table, p.as_of)
    enough = plans.loc[plans["contracts"] >= p.minimum_group, "plan"].head(4)
    parts = {str(plan): lengths[lengths["plan"] == plan] for plan in enough} if len(enough) > 1 else {"": lengths}
    held, ended = contracts.ended_last_year(table, p.as_of)
    return Contracts(
        plans,
        {name: kaplan_meier(part, p.interval) for name, part in parts.items()},
        {name: follow_up(part) for name, part in parts.items()},
        held,
        ended,
    )
