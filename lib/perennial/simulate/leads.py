"""The sales force's leads: stages passed by stated odds, and the customers that the won ones became."""

import datetime as dt

import numpy as np
import pandas as pd

from perennial.simulate.population import SEGMENTS, SIZES
from perennial.simulate.times import make_ids, to_timestamps

LEADS_PER_CUSTOMER = 0.45
LEAD_SOURCES = {
    "web": (0.45, -0.3),
    "fair": (0.2, 0.0),
    "partner": (0.15, 0.4),
    "referral": (0.1, 0.9),
    "cold call": (0.1, -0.9),
}
LEAD_OWNERS = ["Alder", "Briar", "Cedar", "Hazel"]
INDUSTRIES = {"hospitality": (0.4, 0.4), "office": (0.35, 0.0), "retail": (0.25, -0.3)}
SIZE_EFFECT = [-0.3, 0.0, 0.3, 0.6]  # S, M, L, XL
STAGES = ["qualified_at", "accepted_at", "opportunity_at", "won_at"]
STAGE_INTERCEPTS = [0.3, 0.8, 0.5, -0.2]  # log-odds of passing each stage for a lead of score 0
STAGE_DAYS = [6.0, 8.0, 18.0, 35.0]  # medians; log standard deviation STAGE_SPREAD
STAGE_SPREAD = 0.6
LEAD_VALUE = [600.0, 1500.0, 4000.0, 11000.0]  # medians by size, EUR a year
MATCH_DAYS = 60


def draw_leads(customers: int, days: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Leads with the day of each stage (NaN where not reached by the end) and their true probability of being won.

    A lead passes stage k with probability logit⁻¹(interceptₖ + score); the score adds up source, industry and size.
    """
    n = max(int(round(customers * LEADS_PER_CUSTOMER)), 20)
    leads = pd.DataFrame({"created_at": np.sort(rng.random(n) * days)})
    score = np.zeros(n)
    for column, kinds in [("source", LEAD_SOURCES), ("industry", INDUSTRIES)]:
        drawn = rng.choice(len(kinds), size=n, p=[share for share, _ in kinds.values()])
        leads[column] = np.array(list(kinds), dtype=object)[drawn]
        score += np.array([effect for _, effect in kinds.values()])[drawn]
    size = rng.choice(len(SIZES), size=n, p=[0.45, 0.3, 0.17, 0.08])
    score += np.array(SIZE_EFFECT)[size]
    leads["size"] = np.array(SIZES, dtype=object)[size]
    leads["owner"] = np.array(LEAD_OWNERS, dtype=object)[rng.integers(len(LEAD_OWNERS), size=n)]
    leads["value"] = np.round(np.array(LEAD_VALUE)[size] * np.exp(0.5 * rng.standard_normal(n)), -1)
    passing = 1 / (1 + np.exp(-(np.array(STAGE_INTERCEPTS) + score[:, None])))
    leads = _walk_stages(leads, passing, rng)
    stages = [*STAGES, "lost_at"]
    leads[stages] = leads[stages].where(leads[stages] < days)
    return leads, passing.prod(axis=1)


def _walk_stages(leads: pd.DataFrame, passing: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    day, still = leads["created_at"].to_numpy(), np.ones(len(leads), dtype=bool)
    lost = np.full(len(leads), np.nan)
    for k, stage in enumerate(STAGES):
        day = day + STAGE_DAYS[k] * np.exp(STAGE_SPREAD * rng.standard_normal(len(leads)))
        passes = rng.random(len(leads)) < passing[:, k]
        lost = np.where(still & ~passes, day, lost)
        still = still & passes
        leads[stage] = np.where(still, day, np.nan)
    leads["lost_at"] = lost
    return leads


def match_leads(leads: pd.DataFrame, described: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """For each won lead a business customer of its size whose first order follows within MATCH_DAYS; -1 for none."""
    business = np.array([s.is_business for s in SEGMENTS])[people["segment"].to_numpy()]
    born, size = people["born"].to_numpy(), described["size"].to_numpy()
    free, match = business.copy(), np.full(len(leads), -1)
    won, wanted = leads["won_at"].to_numpy(), leads["size"].to_numpy()
    for lead in np.argsort(won, kind="stable").tolist():
        fits = free & (size == wanted[lead]) & (born > won[lead]) & (born <= won[lead] + MATCH_DAYS)
        if fits.any():
            match[lead] = int(np.argmax(fits))
            free[match[lead]] = False
    return match


def leads_table(leads: pd.DataFrame, match: np.ndarray, ids: np.ndarray, start: dt.date) -> pd.DataFrame:
    """The canonical leads, with industry and size as attributes."""
    table = pd.DataFrame(
        {"lead_id": make_ids("L", len(leads)), "created_at": to_timestamps(start, leads["created_at"].to_numpy())}
    )
    for stage in [*STAGES, "lost_at"]:
        table[stage] = to_timestamps(start, leads[stage].to_numpy())
    for column in ["source", "owner", "industry", "size", "value"]:
        table[column] = leads[column]
    table["customer_id"] = pd.Series(ids[match], dtype=object).where(match >= 0)
    return table
