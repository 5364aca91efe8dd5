"""The demo client: every canonical table, simulated from stated models, with its truth beside it.

``simulate`` is pure: the same arguments give the same frames; ``python -m perennial.simulate`` writes them to
data/demo. The models and their parameters are described in docs/simulation.md.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.simulate import categories, contracts, leads, marketing, population, purchases, service, truths
from perennial.simulate.times import make_ids, to_dates, to_timestamps

CUSTOMERS = 2000
SEED = 20260101
START = dt.date(2023, 1, 1)
AS_OF = dt.date(2025, 12, 31)
NEXT_DAYS = 365  # how far beyond as_of the truth looks

# One random stream per part, so that changing one part leaves the others' draws alone. Append only.
PARTS = ["people", "describe", "orders", "campaigns", "amounts", "lines", "returns", "interactions", "tickets",
         "subscriptions", "accounts", "leads"]  # fmt: skip


@dataclass
class Simulation:
    """The canonical tables, what is true behind them, and the population's parameters."""

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]
    parameters: dict[str, Any]


def random_streams(seed: int) -> dict[str, np.random.Generator]:
    """An independent PCG64 generator for each part."""
    children = np.random.SeedSequence(seed).spawn(len(PARTS))
    return {part: np.random.Generator(np.random.PCG64(child)) for part, child in zip(PARTS, children, strict=True)}


def simulate(
    customers: int = CUSTOMERS, seed: int = SEED, start: dt.date = START, as_of: dt.date = AS_OF
) -> Simulation:
    """Simulate a client with so many customers, all acquired between ``start`` and ``as_of`` (inclusive).

    Returns
    -------
    Simulation
        ``tables``: the eight canonical tables, EUR, sorted; ``truth``: per customer, order, contract, lead, campaign
        and category pair (data/README.md names every column); ``parameters``: as written to truth.json.
    """
    streams, days = random_streams(seed), (as_of - start).days + 1
    ids = make_ids("C", customers)
    people = population.draw_people(customers, days, streams["people"])
    described = population.describe_people(people, ids, streams["describe"])
    process = purchases.draw_orders(people, days + NEXT_DAYS, streams["orders"])
    seen = process[process["day"] < days]
    left = seen[seen["leaves"]].set_index("who")["day"].reindex(range(customers)).to_numpy()
    assigned = marketing.run_campaigns(seen, start, days, streams["campaigns"])
    orders = _complete_orders(process, assigned, people, days, streams["amounts"])
    past = orders[orders["day"] < days].reset_index(drop=True)
    transactions = _transactions(past, people, ids, start, days, streams)
    drawn, winning = leads.draw_leads(customers, days, streams["leads"])
    match = leads.match_leads(drawn, described, people)
    contracted, theta = contracts.draw_subscriptions(people, start, days, streams["subscriptions"])
    accounts = contracts.draw_accounts(people, transactions, start, days, streams["accounts"])
    tables = {
        "transactions": transactions.drop(columns="who"),
        "customers": _customers(described, people, match, ids, start),
        "interactions": service.interactions_table(people, left, ids, start, days, streams["interactions"]),
        "contacts": marketing.contacts_table(assigned, ids, start),
        "leads": leads.leads_table(drawn, match, ids, start),
        "subscriptions": _name_customers(contracted, ids),
        "accounts": _name_customers(accounts, ids),
        "tickets": service.tickets_table(people, left, ids, start, days, streams["tickets"]),
    }
    truth = {
        "customers": truths.customers_truth(people, described, left, orders, days, start),
        "campaigns": truths.campaigns_truth(assigned),
        "extra_orders": truths.extra_orders_truth(past, ids),
        "subscriptions": pd.DataFrame({"customer_id": ids[contracted["who"]], "churn_probability": theta}),
        "leads": pd.DataFrame({"lead_id": tables["leads"]["lead_id"], "win_probability": winning}),
        "affinities": pd.DataFrame(
            [(*k, v) for k, v in categories.AFFINITIES.items()], columns=["held", "added", "multiplier"]
        ),
    }
    return Simulation(tables, truth, truths.stated_parameters(customers, seed, start, as_of))


def _complete_orders(
    process: pd.DataFrame, assigned: pd.DataFrame, people: pd.DataFrame, days: int, rng: np.random.Generator
) -> pd.DataFrame:
    """The purchase process and the campaigns' extra orders, with amounts and (up to as_of) order ids in time order."""
    extra = assigned[assigned["extra_day"].notna()].rename(columns={"day": "sent", "extra_day": "day"})
    orders = pd.concat([process, extra[["who", "day", "campaign_id"]]], ignore_index=True)
    orders = orders.sort_values(["who", "day"], kind="stable", ignore_index=True)
    orders["amount"] = purchases.draw_amounts(orders, people, rng)
    in_time = np.argsort(orders["day"].to_numpy(), kind="stable")
    past = in_time[orders["day"].to_numpy()[in_time] < days]
    orders.loc[past, "order_id"] = make_ids("O", len(past), digits=5)
    return orders


def _transactions(
    orders: pd.DataFrame, people: pd.DataFrame, ids: np.ndarray, start: dt.date, days: int,
    streams: dict[str, np.random.Generator],
) -> pd.DataFrame:  # fmt: skip
    """Order lines and the lines returned by as_of, by time; ``who`` is kept for the accounts."""
    lines = categories.draw_lines(orders, people, streams["lines"])
    lines["day"] = orders["day"].to_numpy()[lines["order"]]
    returned = categories.draw_returns(lines, lines["day"].to_numpy(), streams["returns"])
    returned = returned[returned["day"] < days]
    lines = pd.concat([lines.assign(is_return=False), returned.assign(is_return=True)], ignore_index=True)
    lines["order_id"] = orders["order_id"].to_numpy()[lines["order"]]
    lines = lines.sort_values(["day", "order_id", "slot"], kind="stable", ignore_index=True)
    who = orders["who"].to_numpy()[lines["order"]]
    names = np.array(categories.CATEGORIES, dtype=object)[lines["category"]]
    products = [f"{name[:3].upper()}-{number + 1}" for name, number in zip(names, lines["product"], strict=True)]
    table = pd.DataFrame({"customer_id": ids[who], "order_id": lines["order_id"],
                          "ordered_at": to_timestamps(start, lines["day"].to_numpy())})  # fmt: skip
    table[["amount", "quantity", "margin"]] = lines[["amount", "quantity", "margin"]]
    table["product_id"], table["category"] = products, names
    table[["channel", "discount", "is_return"]] = lines[["channel", "discount", "is_return"]]
    return table.assign(who=who)


def _customers(
    described: pd.DataFrame, people: pd.DataFrame, match: np.ndarray, ids: np.ndarray, start: dt.date
) -> pd.DataFrame:
    """The canonical customers; those who came through a won lead have the source "sales" and no referrer."""
    table = described.copy()
    sold = np.isin(np.arange(len(table)), match[match >= 0])
    table.loc[sold, "source"] = "sales"
    referrer = table.pop("referrer").to_numpy()
    table["referrer_id"] = pd.Series(ids[referrer], dtype=object).where((referrer >= 0) & ~sold)
    table.insert(6, "acquired_at", to_dates(start, people["born"].to_numpy()).astype("datetime64[s]"))
    return table[["customer_id", "name", "segment", "region", "size", "source", "acquired_at", "referrer_id", "wallet"]]


def _name_customers(table: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    table = table.rename(columns={"who": "customer_id"})
    table["customer_id"] = ids[table["customer_id"].to_numpy()]
    return table.sort_values(["customer_id", table.columns[1]], kind="stable", ignore_index=True)
