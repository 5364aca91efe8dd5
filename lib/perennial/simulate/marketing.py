"""Campaigns with a random hold-out and a true effect on the number of orders."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from perennial.simulate.times import to_timestamps

EFFECT_DAYS = 30
ELIGIBLE_DAYS = 365  # an order within so many days before the campaign
RAW_RESPONSE = 0.12  # answers that lead to nothing: why raw response measures no effect


@dataclass(frozen=True)
class Campaign:
    """One campaign; ``effect`` is the expected number of extra orders per treated customer within EFFECT_DAYS."""

    campaign_id: str
    sent: str
    channel: str
    offer: str
    unit_cost: float
    reach: float
    holdout: float
    effect: float


CAMPAIGNS = [
    Campaign("2024-spring", "2024-04-08", "email", "voucher 10", 0.40, 0.80, 0.30, 0.10),
    Campaign("2024-autumn", "2024-10-14", "mail", "sample box", 3.50, 0.70, 0.25, 0.16),
    Campaign("2025-spring", "2025-03-31", "email", "newsletter", 0.15, 0.90, 0.30, 0.00),
    Campaign("2025-autumn", "2025-10-06", "phone", "free delivery", 6.00, 0.50, 0.25, 0.08),
]


def run_campaign(campaign: Campaign, orders: pd.DataFrame, start: dt.date, rng: np.random.Generator) -> pd.DataFrame:
    """Everyone assigned, with group and (for the treated whom it moved) the day of the extra order.

    Returns the columns campaign_id, who, day, group, extra_day, responded (day, NaN for none). Customers are eligible
    with an order in the year before; a share ``reach`` of them is drawn, a share ``holdout`` of those is control.
    """
    sent = float((dt.date.fromisoformat(campaign.sent) - start).days)
    before = orders[(orders["day"] < sent) & (orders["day"] >= sent - ELIGIBLE_DAYS)]
    eligible = np.unique(before["who"].to_numpy())
    chosen = eligible[rng.random(len(eligible)) < campaign.reach]
    day = sent + rng.random(len(chosen))
    treated = rng.random(len(chosen)) >= campaign.holdout
    moved = treated & (rng.random(len(chosen)) < campaign.effect)
    extra = np.where(moved, day + rng.uniform(0.5, EFFECT_DAYS - 1, len(chosen)), np.nan)
    idle = treated & ~moved & (rng.random(len(chosen)) < RAW_RESPONSE)
    delay = rng.exponential(3.0, len(chosen))
    responded = np.where(moved, (day + extra) / 2, np.where(idle, day + np.minimum(delay, EFFECT_DAYS), np.nan))
    return pd.DataFrame({
        "campaign_id": campaign.campaign_id, "who": chosen, "day": day,
        "group": np.where(treated, "treatment", "control").astype(object),
        "extra_day": extra, "responded": responded,
    })  # fmt: skip


def run_campaigns(orders: pd.DataFrame, start: dt.date, days: int, rng: np.random.Generator) -> pd.DataFrame:
    """All campaigns whose whole effect falls inside the span, one after the other, on the purchase process alone."""
    ends = start + dt.timedelta(days=days - EFFECT_DAYS - 2)
    held = [c for c in CAMPAIGNS if start < dt.date.fromisoformat(c.sent) <= ends]
    return pd.concat([run_campaign(c, orders, start, rng) for c in held] or [pd.DataFrame()], ignore_index=True)


def contacts_table(assigned: pd.DataFrame, ids: np.ndarray, start: dt.date) -> pd.DataFrame:
    """The canonical contacts: controls carry the time of assignment and cost nothing."""
    of = {c.campaign_id: c for c in CAMPAIGNS}
    campaign = [of[name] for name in assigned["campaign_id"]]
    treated = (assigned["group"] == "treatment").to_numpy()
    return pd.DataFrame(
        {
            "customer_id": ids[assigned["who"].to_numpy()],
            "campaign_id": assigned["campaign_id"],
            "contacted_at": to_timestamps(start, assigned["day"].to_numpy()),
            "group": assigned["group"],
            "channel": [c.channel for c in campaign],
            "offer": [c.offer for c in campaign],
            "cost": np.where(treated, [c.unit_cost for c in campaign], 0.0),
            "responded_at": to_timestamps(start, assigned["responded"].to_numpy()),
        }
    ).sort_values(["contacted_at", "customer_id"], kind="stable", ignore_index=True)
