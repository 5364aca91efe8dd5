"""Who the demo client's customers are: the population's stated parameters, and one draw of people from it.

The client is an imagined coffee supplier. Equations and the reasons for the figures are in docs/simulation.md.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SIZES = ["S", "M", "L", "XL"]
SIZE_CUTS = [-0.4, 0.4, 1.2]  # on log(wallet / typical wallet) plus noise
SIZE_NOISE = 0.4
REGIONS = ["East", "North", "South", "West", "Metro"]
REGION_WEIGHTS = [1.0, 0.8, 1.1, 0.9, 0.8]
METRO_SLOPE = 0.9  # log-odds of living in Metro per unit of log(wallet / typical wallet)
SOURCES = ["web", "store", "partner", "fair", "referral"]
SOURCE_WEIGHTS = [0.42, 0.24, 0.12, 0.10, 0.12]
ELSEWHERE_SPREAD = 0.7  # log standard deviation of what is spent with competitors
SURVEYED_SHARE = 0.15
SURVEY_NOISE = 0.15  # log standard deviation
ENGAGEMENT_SHAPE = 2.0  # Gamma(2, 2): mean 1
YEARLY_GROWTH = 0.20  # of the acquisition rate, log per year
SEASON_SWING = 0.25  # of the acquisition rate, peak at the end of November
GROWING_SLOPE = 0.22  # P(growing) = slope × headroom share × engagement, at most GROWING_MOST
GROWING_MOST = 0.6
AHEAD_DAYS = 180  # growth may also start so long after as_of

FIRST_NAMES = [
    "Ada", "Bela", "Carl", "Dora", "Emil", "Fina", "Gero", "Hanna", "Ivo", "Jana", "Karl", "Lena", "Milo", "Nora",
    "Otto", "Pia", "Rosa", "Stan", "Tilda", "Udo",
]  # fmt: skip
LAST_NAMES = [
    "Amsel", "Birke", "Dachs", "Eiche", "Falke", "Ginster", "Habicht", "Iltis", "Kiefer", "Luchs", "Marder", "Nelke",
    "Otter", "Pappel", "Reiher",
]  # fmt: skip
FIRM_KINDS = ["Cafe", "Bakery", "Hotel", "Studio", "Clinic", "Works", "Office", "Library"]


@dataclass(frozen=True)
class Segment:
    """One segment's parameters: BG/NBD in days, Gamma-Gamma in EUR per order, wallets in EUR a year."""

    name: str
    share: float
    r: float
    alpha_days: float
    a: float
    b: float
    p: float
    q: float
    v: float
    elsewhere_median: float
    typical_wallet: float
    subscribing_share: float

    @property
    def is_business(self) -> bool:
        """Whether its customers are organisations, which have accounts and leads."""
        return self.name != "consumer"


SEGMENTS = [
    Segment("consumer", 0.70, 0.9, 70.0, 0.8, 3.2, 5.0, 4.0, 24.0, 250.0, 400.0, 0.15),
    Segment("small business", 0.22, 1.6, 90.0, 0.6, 4.4, 5.0, 5.0, 96.0, 900.0, 1600.0, 0.40),
    Segment("enterprise", 0.08, 4.0, 150.0, 0.5, 6.0, 6.0, 6.0, 330.0, 4500.0, 8000.0, 0.60),
]


def draw_people(customers: int, days: int, rng: np.random.Generator) -> pd.DataFrame:
    """The customers with everything that is true of them, one row each, in order of acquisition.

    Parameters
    ----------
    customers : how many
    days : length of the observed span; all are acquired within it, so nobody is left-censored

    Returns
    -------
    Columns: ``segment`` (index in SEGMENTS), ``born`` (days since the start), ``rate`` (purchases a day),
    ``dropout`` (probability after each repeat purchase), ``shape``, ``nu`` (order value ~ Gamma(shape, rate nu), EUR),
    ``engagement`` (mean 1), ``capacity`` (expected yearly spend while alive, EUR), ``wallet`` (EUR a year),
    ``growing`` (bool), ``growing_from`` (days since the start), ``ceiling`` (what order values grow to, as a factor).
    """
    segment = rng.choice(len(SEGMENTS), size=customers, p=[s.share for s in SEGMENTS])
    people = pd.DataFrame({"segment": segment, "born": draw_births(customers, days, rng)})
    people["rate"] = rng.gamma(_each("r", segment)) / _each("alpha_days", segment)
    people["dropout"] = rng.beta(_each("a", segment), _each("b", segment))
    people["shape"] = _each("p", segment)
    people["nu"] = rng.gamma(_each("q", segment)) / _each("v", segment)
    people["engagement"] = rng.gamma(ENGAGEMENT_SHAPE, 1 / ENGAGEMENT_SHAPE, customers)
    people["capacity"] = 365 * people["rate"] * people["shape"] / people["nu"]
    elsewhere = _each("elsewhere_median", segment) * np.exp(ELSEWHERE_SPREAD * rng.standard_normal(customers))
    people["wallet"] = people["capacity"] + elsewhere
    return _mark_growing(people, days, rng)


def draw_births(customers: int, days: int, rng: np.random.Generator) -> np.ndarray:
    """Sorted times of acquisition in days since the start: growing from year to year, with a season."""
    day = np.arange(days)
    season = 1 + SEASON_SWING * np.cos(2 * np.pi * (day - 330) / 365.25)
    intensity = season * np.exp(YEARLY_GROWTH * day / 365.25)
    drawn = rng.choice(days, size=customers, p=intensity / intensity.sum())
    return np.sort(drawn + rng.random(customers))


def _each(name: str, segment: np.ndarray) -> np.ndarray:
    return np.array([getattr(s, name) for s in SEGMENTS])[segment]


def _mark_growing(people: pd.DataFrame, days: int, rng: np.random.Generator) -> pd.DataFrame:
    headroom = people["wallet"] - people["capacity"]
    chance = GROWING_SLOPE * headroom / people["wallet"] * people["engagement"]
    people["growing"] = rng.random(len(people)) < np.minimum(chance, GROWING_MOST)
    since = people["born"] + rng.random(len(people)) * (days + AHEAD_DAYS - people["born"])
    people["growing_from"] = since.where(people["growing"])
    people["ceiling"] = np.where(people["growing"], 1 + np.minimum(2.0, headroom / people["capacity"]), 1.0)
    return people


def describe_people(people: pd.DataFrame, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """What the client knows of its customers: attributes drawn *given* the wallet, so that they predict it.

    Returns the columns customer_id, name, segment, region, size, source, referrer (row number, -1 for none), wallet
    (a survey's noisy answer, known for ``SURVEYED_SHARE`` of them).
    """
    n, segment = len(people), people["segment"].to_numpy()
    relative = np.log(people["wallet"].to_numpy() / _each("typical_wallet", segment))
    size = np.searchsorted(SIZE_CUTS, relative + SIZE_NOISE * rng.standard_normal(n))
    source = rng.choice(SOURCES, size=n, p=SOURCE_WEIGHTS)
    referrer = _draw_referrers(people["engagement"].to_numpy(), source == "referral", rng)
    source[(source == "referral") & (referrer < 0)] = "web"
    surveyed = rng.random(n) < SURVEYED_SHARE
    answer = people["wallet"].to_numpy() * np.exp(SURVEY_NOISE * rng.standard_normal(n))
    return pd.DataFrame(
        {
            "customer_id": ids,
            "name": _draw_names(segment, rng),
            "segment": np.array([s.name for s in SEGMENTS], dtype=object)[segment],
            "region": _draw_regions(relative, rng),
            "size": np.array(SIZES, dtype=object)[size],
            "source": source.astype(object),
            "referrer": referrer,
            "wallet": np.where(surveyed, answer, np.nan),
        }
    )


def _draw_regions(relative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    score = np.tile(np.log(REGION_WEIGHTS), (len(relative), 1))
    score[:, -1] += METRO_SLOPE * relative
    return np.array(REGIONS, dtype=object)[np.argmax(score + rng.gumbel(size=score.shape), axis=1)]


def _draw_referrers(engagement: np.ndarray, referred: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each referred customer an earlier one, drawn in proportion to engagement; -1 where there is none."""
    total = np.concatenate([[0.0], np.cumsum(engagement)])
    row = np.arange(len(engagement))
    drawn = np.searchsorted(total, rng.random(len(engagement)) * total[row], side="right") - 1
    return np.where(referred & (row > 0), np.minimum(drawn, row - 1), -1)


def _draw_names(segment: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    first = np.array(FIRST_NAMES, dtype=object)[rng.integers(len(FIRST_NAMES), size=len(segment))]
    last = np.array(LAST_NAMES, dtype=object)[rng.integers(len(LAST_NAMES), size=len(segment))]
    kind = np.array(FIRM_KINDS, dtype=object)[rng.integers(len(FIRM_KINDS), size=len(segment))]
    business = np.array([s.is_business for s in SEGMENTS])[segment]
    return np.where(business, last + " " + kind, first + " " + last)
