"""Which two stretches of time of a client can fairly be compared: adjacent, complete, of the same length."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Unit = Literal["year", "half", "quarter", "month"]
MONTHS: dict[Unit, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}
SLACK = 0.02  # the first order may come this share of a window after the window begins
YEAR_DAYS, YEAR_SLACK_DAYS = 365, 7  # data that begin up to a week after a year ago hold a year


def holds_a_year(days: int) -> bool:
    """Whether that many days of data may be called a year."""
    return days >= YEAR_DAYS - YEAR_SLACK_DAYS


@dataclass(frozen=True)
class Window:
    """A stretch of days, both ends counted."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Comparison:
    """Two adjacent windows, the later one ending on the as-of day.

    Attributes
    ----------
    unit : the length of each; only ``"year"`` holds the same seasons on both sides.
    history_days : days of data before the earlier window.
    """

    unit: Unit
    before: Window
    after: Window
    history_days: int

    @property
    def days(self) -> tuple[int, int]:
        """Length of the earlier and of the later window in days."""
        return self.before.days, self.after.days

    @property
    def seasonal(self) -> bool:
        """Whether the two windows hold different seasons."""
        return self.unit != "year"

    @property
    def knows_new(self) -> bool:
        """Whether enough data lies before the earlier window (a window's length) to tell new from returning in it."""
        return self.history_days >= (1 - SLACK) * self.before.days


def comparable_windows(first_on: dt.date, as_of: dt.date) -> Comparison | None:
    """The longest of year, half-year, quarter and month that fits twice between the first order and ``as_of``.

    Windows roll back from the as-of day, so both are complete whatever day of the month that is. None where the data
    spans less than two months.
    """
    for unit in MONTHS:
        before, after = _windows(as_of, MONTHS[unit])
        late = (first_on - before.first).days
        if late <= SLACK * before.days:
            return Comparison(unit, before, after, max(0, -late))
    return None


def _windows(as_of: dt.date, months: int) -> tuple[Window, Window]:
    end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    starts = [(end - pd.DateOffset(months=months * back)).date() for back in (1, 2)]
    return Window(starts[1], starts[0] - dt.timedelta(days=1)), Window(starts[0], as_of)
