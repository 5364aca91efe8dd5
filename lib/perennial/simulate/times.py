"""From days since the start (with fraction) to timestamps and dates; the shop is open from 8 to 21 o'clock."""

import datetime as dt

import numpy as np

OPENS_HOUR, OPEN_HOURS = 8, 13


def to_timestamps(start: dt.date, day: np.ndarray) -> np.ndarray:
    """Timestamps to the second, in the order of ``day``; missing days (NaN) become NaT."""
    day = np.asarray(day, dtype=float)
    known = np.where(np.isnan(day), 0.0, day)
    whole = np.floor(known)
    seconds = np.floor((OPENS_HOUR + OPEN_HOURS * (known - whole)) * 3600).astype("int64")
    stamp = np.datetime64(start, "s") + (whole.astype("int64") * 86400 + seconds).astype("timedelta64[s]")
    return np.where(np.isnan(day), np.datetime64("NaT"), stamp)


def to_dates(start: dt.date, day: np.ndarray) -> np.ndarray:
    """Calendar days; missing days (NaN) become NaT."""
    return to_timestamps(start, day).astype("datetime64[D]")


def make_ids(letter: str, count: int, digits: int = 4) -> np.ndarray:
    """``C0001``, ``C0002`` …: as wide as the count needs."""
    width = max(digits, len(str(count)))
    return np.array([f"{letter}{i:0{width}d}" for i in range(1, count + 1)], dtype=object)
