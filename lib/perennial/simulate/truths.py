"""What is true behind the tables, for tests: parameters, wallets, departures, effects and what comes after as_of."""

import datetime as dt
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from perennial.simulate import categories, contracts, marketing, population, service
from perennial.simulate.times import to_timestamps


def customers_truth(
    people: pd.DataFrame,
    described: pd.DataFrame,
    left: np.ndarray,
    orders: pd.DataFrame,
    days: int,
    start: dt.date,
) -> pd.DataFrame:
    """Per customer: its parameters, whether it has left, its wallet and what it goes on to do after as_of."""
    later = (
        orders[orders["day"] >= days]
        .groupby("who")["amount"]
        .agg(["size", "sum"])
        .reindex(range(len(people)), fill_value=0)
    )
    return pd.DataFrame(
        {
            "customer_id": described["customer_id"],
            "segment": described["segment"],
            "purchase_rate": people["rate"],
            "dropout_probability": people["dropout"],
            "order_value": people["shape"] / people["nu"],
            "alive": np.isnan(left),
            "left_at": to_timestamps(start, left),
            "engagement": people["engagement"],
            "yearly_spend": people["capacity"],
            "wallet": people["wallet"],
            "headroom": people["wallet"] - people["capacity"],
            "growing": people["growing"],
            "growing_from": to_timestamps(start, people["growing_from"].to_numpy()),
            "growth_ceiling": people["ceiling"],
            "orders_next_year": later["size"].to_numpy().astype(int),
            "spend_next_year": later["sum"].to_numpy().astype(float),
        }
    )


def extra_orders_truth(orders: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    extra = orders[orders["campaign_id"].notna()].sort_values("order_id")
    return pd.DataFrame(
        {"order_id": extra["order_id"], "campaign_id": extra["campaign_id"], "customer_id": ids[extra["who"]]}
    )


def stated_parameters(customers: int, seed: int, start: dt.date, as_of: dt.date) -> dict[str, Any]:
    """The population's parameters, for truth.json."""
    return {
        "customers": customers, "seed": seed, "start": start.isoformat(), "as_of": as_of.isoformat(), "currency": "EUR",
        "units": "rates per day (alpha in days), amounts in EUR per order, wallets in EUR a year",
        "segments": [asdict(s) for s in population.SEGMENTS],
        "campaigns": [asdict(c) for c in marketing.CAMPAIGNS],
        "plans": [asdict(p) for p in contracts.PLANS],
        "categories": dict(zip(categories.CATEGORIES, categories.POPULARITY.tolist(), strict=True)),
        "interaction_rates": service.RATES,
        "surveyed_share": population.SURVEYED_SHARE,
    }  # fmt: skip


def campaigns_truth(assigned: pd.DataFrame) -> pd.DataFrame:
    """Per campaign: the true effect, the group sizes and the extra orders that came of it."""
    rows = []
    for name, group in assigned.groupby("campaign_id"):
        campaign = next(c for c in marketing.CAMPAIGNS if c.campaign_id == name)
        treated = int((group["group"] == "treatment").sum())
        rows.append(
            (
                name,
                campaign.effect,
                marketing.EFFECT_DAYS,
                treated,
                len(group) - treated,
                int(group["extra_day"].notna().sum()),
            )
        )
    return pd.DataFrame(rows, columns=["campaign_id", "effect", "effect_days", "treated", "control", "extra_orders"])
