"""Whether customers leave by ending a contract, told from the data; and whether orders already hold the fees."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir

from perennial import formats
from perennial.analysis.renewals import Rhythm, began
from perennial.language import _

MOSTLY = 0.8  # share of customers with a contract, and of revenue while it runs, that makes a client contractual
SAME_AMOUNT = 0.005  # relative difference within which an order line has the amount of a fee
INVOICED_DAYS = 7  # a first invoice may come that long before the start, or after the first period
FEES_PRESENT, FEES_ABSENT = 0.5, 0.05  # share of contracts with such a line: from, up to
Fees = Literal["in orders", "apart", "unknown"]


@dataclass(frozen=True)
class Setting:
    """How a client's customers are bound.

    Attributes
    ----------
    contractual : whether customers leave by ending a contract, so that orders follow from contracts.
    has_contracts : whether there are contracts, and the parameters do not set them aside.
    reason : why, in words.
    holders : share of all customers that ever held a contract; missing where there are none.
    revenue_within : share of the revenue of orders that came from customers while they held one.
    """

    contractual: bool
    has_contracts: bool
    reason: str
    holders: float = math.nan
    revenue_within: float = math.nan


def choose_setting(
    declared: bool | Literal["auto"], subscriptions: ir.Table | None, transactions: ir.Table, as_of: dt.date
) -> Setting:
    """Contractual or not, as declared, else by the data.

    Contractual is a client of whose customers four in five hold or held a contract and whose orders, four fifths of
    their revenue, come from customers while they hold one. Elsewhere orders are a business of their own.
    """
    if declared is False:
        return Setting(False, False, _("The parameters say that customers do not leave by ending a contract."))
    if subscriptions is None:
        reason = _("There is no table of contracts: customers come and go without saying so.")
        if declared is True:
            reason = _("The parameters say that customers leave by ending a contract, but there is no table of them.")
        return Setting(declared is True, False, reason)
    holders, within = _shares(subscriptions, transactions, as_of)
    if math.isnan(holders):
        return Setting(declared is True, False, _("No contract began by the as-of date."))
    facts = {"holders": formats.percent(holders), "within": formats.percent(within)}
    if declared is True:
        said = _("The parameters say so; {holders} of customers hold or held a contract, and {within} of the revenue "
                 "of orders came from customers while they held one.", **facts)  # fmt: skip
        return Setting(True, True, said, holders, within)
    if holders >= MOSTLY and within >= MOSTLY:
        said = _("{holders} of customers hold or held a contract, and {within} of the revenue of orders came from "
                 "customers while they held one: who leaves ends a contract.", **facts)  # fmt: skip
        return Setting(True, True, said, holders, within)
    said = _("Only {holders} of customers hold or held a contract, and {within} of the revenue of orders came from "
             "customers while they held one: orders are a business of their own beside the contracts.",
             **facts)  # fmt: skip
    if holders >= MOSTLY:
        said = _("{holders} of customers hold or held a contract, but only {within} of the revenue of orders came from "
                 "customers while they held one: orders are a business of their own beside the contracts.",
             **facts)  # fmt: skip
    return Setting(False, True, said, holders, within)


def _shares(subscriptions: ir.Table, transactions: ir.Table, as_of: dt.date) -> tuple[float, float]:
    contracts = began(subscriptions, as_of)
    ends = ibis.least(ibis.coalesce(contracts.ended_at, ibis.literal(as_of)), ibis.literal(as_of))
    held = contracts.select("customer_id", "started_at", ends=ends).group_by("customer_id")
    spans = held.agg(begins=ibis._.started_at.min(), ends=ibis._.ends.max())
    bought = transactions.group_by("customer_id").agg(orders=transactions.count())
    everyone = bought.select("customer_id").union(spans.select("customer_id"), distinct=True)
    joined = transactions.select("customer_id", "ordered_on", "amount").left_join(spans, "customer_id")
    during = joined.ordered_on.between(joined.begins, joined.ends).fill_null(False)
    money = joined.agg(
        whole=joined.amount.cast("float64").sum(), within=joined.amount.cast("float64").sum(where=during)
    )
    row = money.to_pyarrow().to_pylist()[0]
    people, holders = int(everyone.count().to_pyarrow().as_py()), int(spans.count().to_pyarrow().as_py())
    if not holders:
        return math.nan, math.nan
    whole = row["whole"] or 0.0
    return holders / people, (row["within"] or 0.0) / whole if whole > 0 else math.nan


def fees_in_orders(
    subscriptions: ir.Table, transactions: ir.Table, rhythms: list[Rhythm], as_of: dt.date
) -> tuple[Fees, float]:
    """Whether order lines hold the fees: contracts with a line of their fee's amount in their first period.

    The amount is the price of a month or of a period, within half a percent, in an order line of the same customer from
    a week before the start to a week after the first period.

    Returns
    -------
    ``"in orders"`` where half or more of the contracts have such a line, ``"apart"`` where at most one in twenty has
    (chance alone finds a few), else ``"unknown"``, as where no price is known; and that share.
    """
    known = {r.plan: r for r in rhythms if r.recognised}
    contracts = began(subscriptions, as_of)
    contracts = contracts.filter(contracts.plan.isin(list(known) or [""]), contracts.price_per_month > 0)
    if not known or not int(contracts.count().to_pyarrow().as_py()):
        return "unknown", math.nan
    days, months = (
        ibis.cases(*((contracts.plan == plan, value(r)) for plan, r in known.items()), else_=1.0)
        for value in (lambda r: r.days, lambda r: r.months)
    )
    fees = contracts.select(
        "customer_id", "started_at", days=days, price=contracts.price_per_month, fee=contracts.price_per_month * months
    ).mutate(contract=ibis.row_number())
    lines = transactions.select("customer_id", "ordered_on", amount=transactions.amount.cast("float64"))
    pairs = fees.join(lines, "customer_id")
    since = pairs.ordered_on.delta(pairs.started_at, unit="day")
    near = (since >= -INVOICED_DAYS) & (since <= pairs.days + INVOICED_DAYS)
    same = ((pairs.amount - pairs.price).abs() <= SAME_AMOUNT * pairs.price) | (
        (pairs.amount - pairs.fee).abs() <= SAME_AMOUNT * pairs.fee
    )
    found = int(pairs.filter(near & same).contract.nunique().to_pyarrow().as_py())
    share = found / int(fees.count().to_pyarrow().as_py())
    return "in orders" if share >= FEES_PRESENT else "apart" if share <= FEES_ABSENT else "unknown", share
