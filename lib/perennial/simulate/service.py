"""What customers do and say between orders: interactions tied to activity, and tickets that come before leaving."""

import datetime as dt

import numpy as np
import pandas as pd

from perennial.simulate.population import SEGMENTS
from perennial.simulate.times import to_timestamps

RATES = {
    "visit": 5.0,
    "sign_in": 2.5,
    "redemption": 0.7,
    "share": 0.3,
    "review": 0.4,
    "referral": 0.15,
}  # a year
GONE_FACTOR = 0.1  # on every rate once the customer has left
TICKET_RATE = 0.15  # a year, while alive
TICKET_BEFORE_LEAVING = 0.35  # probability that leaving was announced by a complaint
COMPLAINT_DAYS = 30  # opened within so many days before the last order
KINDS = {"delivery": 0.35, "quality": 0.25, "invoice": 0.2, "question": 0.2}
CALM_SATISFACTION = [0.05, 0.1, 0.2, 0.35, 0.3]  # marks 1 to 5
UPSET_SATISFACTION = [0.4, 0.3, 0.2, 0.08, 0.02]


def activity(people: pd.DataFrame) -> np.ndarray:
    """The factor on a customer's interaction rates: engagement × √(own purchase rate / the segment's mean rate)."""
    mean = np.array([s.r / s.alpha_days for s in SEGMENTS])[people["segment"].to_numpy()]
    return people["engagement"].to_numpy() * np.sqrt(people["rate"].to_numpy() / mean)


def interactions_table(
    people: pd.DataFrame,
    left: np.ndarray,
    ids: np.ndarray,
    start: dt.date,
    days: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Poisson events of each kind from the first order on; ``left`` is the day of leaving (NaN for the living)."""
    born, factor = people["born"].to_numpy(), activity(people)
    until = np.where(np.isnan(left), days, left)
    frames = []
    for kind, rate in RATES.items():
        for begin, end, share in [(born, until, 1.0), (until, np.full(len(born), float(days)), GONE_FACTOR)]:
            count = rng.poisson(rate * share * factor * (end - begin) / 365)
            who = np.repeat(np.arange(len(people)), count)
            day = begin[who] + rng.random(len(who)) * (end - begin)[who]
            frames.append(pd.DataFrame({"who": who, "day": day, "kind": kind, "value": _draw_values(kind, who, rng)}))
    events = pd.concat(frames, ignore_index=True).sort_values(["day", "who"], kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": ids[events["who"].to_numpy()],
            "occurred_at": to_timestamps(start, events["day"].to_numpy()),
            "kind": events["kind"].astype(object),
            "value": events["value"],
        }
    )


def _draw_values(kind: str, who: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pages of a visit, points of a redemption, stars of a review; nothing for the others."""
    if kind == "visit":
        return 1.0 + rng.poisson(4.0, len(who))
    if kind == "redemption":
        return 50.0 * (1 + rng.poisson(1.5, len(who)))
    if kind == "review":
        return rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], len(who), p=CALM_SATISFACTION)
    return np.full(len(who), np.nan)


def tickets_table(
    people: pd.DataFrame,
    left: np.ndarray,
    ids: np.ndarray,
    start: dt.date,
    days: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Tickets at a calm rate while alive, and complaints shortly before leaving."""
    born = people["born"].to_numpy()
    until = np.where(np.isnan(left), days, left)
    calm = np.repeat(np.arange(len(people)), rng.poisson(TICKET_RATE * (until - born) / 365))
    calm_day = born[calm] + rng.random(len(calm)) * (until - born)[calm]
    upset = np.flatnonzero(~np.isnan(left) & (rng.random(len(people)) < TICKET_BEFORE_LEAVING))
    upset_day = np.maximum(left[upset] - COMPLAINT_DAYS * rng.random(len(upset)), born[upset])
    marks = np.arange(1.0, 6.0)
    tickets = pd.DataFrame(
        {
            "who": np.r_[calm, upset],
            "day": np.r_[calm_day, upset_day],
            "satisfaction": np.r_[
                rng.choice(marks, len(calm), p=CALM_SATISFACTION),
                rng.choice(marks, len(upset), p=UPSET_SATISFACTION),
            ],
            "kind": rng.choice(list(KINDS), len(calm) + len(upset), p=list(KINDS.values())).astype(object),
        }
    )
    tickets["resolved"] = tickets["day"] + rng.gamma(1.5, 3.0, len(tickets))
    tickets.loc[tickets["resolved"] >= days, ["resolved", "satisfaction"]] = np.nan
    tickets = tickets.sort_values(["day", "who"], kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": ids[tickets["who"].to_numpy()],
            "opened_at": to_timestamps(start, tickets["day"].to_numpy()),
            "resolved_at": to_timestamps(start, tickets["resolved"].to_numpy()),
            "kind": tickets["kind"],
            "satisfaction": tickets["satisfaction"],
        }
    )
