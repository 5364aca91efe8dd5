"""The state of a client's data in five dimensions, each criterion measured and held against stated limits.

Limits are set for what the report does with the data, not for tidiness: amber says that a question should go to the
client, red that a chapter's figures would change noticeably with the answer. A dimension has the colour of its worst
criterion; a criterion that cannot be measured has none, and does not count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Status = Literal["green", "amber", "red", "not_measured"]
DIMENSIONS = ("completeness", "validity", "uniqueness", "timeliness", "plausibility")
_WORST_FIRST: tuple[Status, ...] = ("red", "amber", "green", "not_measured")


@dataclass(frozen=True)
class Limits:
    """Beyond ``amber`` and ``red`` the criterion has that colour: above them, or below where ``is_floor``.

    ``red`` is None where the criterion alone never stops anything.
    """

    dimension: str
    amber: float
    red: float | None
    is_floor: bool = False


LIMITS: dict[str, Limits] = {
    "no_customer_lines": Limits("completeness", 0.01, 0.2),
    "no_customer_money": Limits("completeness", 0.01, 0.2),
    "filled": Limits("completeness", 0.95, 0.75, is_floor=True),
    "empty_months": Limits("completeness", 0.0, 0.1),
    "known_before": Limits("completeness", 0.1, None),
    "unreadable": Limits("validity", 0.001, 0.05),
    "unreadable_dates": Limits("validity", 0.0, 0.01),
    "zero_amounts": Limits("validity", 0.01, 0.1),
    "negative_prices": Limits("validity", 0.001, 0.01),
    "price_mismatch": Limits("validity", 0.001, 0.05),
    "exact_duplicates": Limits("uniqueness", 0.001, 0.05),
    "repeated_ids": Limits("uniqueness", 0.0, 0.01),
    "colliding_ids": Limits("uniqueness", 0.0, 0.05),
    "masked_ids": Limits("uniqueness", 0.0, None),
    "silence": Limits("timeliness", 7, 31),
    "last_period": Limits("timeliness", 1, None, is_floor=True),
    "after_as_of": Limits("timeliness", 0.0, None),
    "weekdays": Limits("timeliness", 0.0, 0.01),
    "history": Limits("timeliness", 2, 1, is_floor=True),
    "rhythm": Limits("plausibility", 0.02, 0.1),
    "concentration": Limits("plausibility", 0.1, 0.5),
    "returns": Limits("plausibility", 0.05, 0.2),
    "outliers": Limits("plausibility", 0.1, 0.25),
    "stamps": Limits("plausibility", 0.1, 0.3),
}

# Why each limit lies where it does, as the report prints it.
WHY: dict[str, str] = {
    "no_customer_lines": "One line in a hundred shifts no rate; a fifth of the business unseen shifts all of them.",
    "no_customer_money": "One line in a hundred shifts no rate; a fifth of the business unseen shifts all of them.",
    "filled": "One cell in twenty missing weakens splits; a quarter undoes them.",
    "empty_months": "A month without any order is a hole in the export more often than a closed business.",
    "known_before": "Beyond a tenth, figures on new customers depend on who of the first ones is counted as one.",
    "unreadable": "One in twenty is where a run stops by default.",
    "unreadable_dates": "One impossible date says that others may be wrong and look right.",
    "zero_amounts": "Free lines count as orders and lower the mean order.",
    "negative_prices": "Neither sale nor return: corrections of the books among the sales.",
    "price_mismatch": "Discount or tax is in one of them and not in the other.",
    "exact_duplicates": "Up to one in a thousand is usual; one in twenty is an export run twice.",
    "repeated_ids": "The file has versions of a row, and only one of them is kept.",
    "colliding_ids": "Their retention and value are those of a crowd.",
    "masked_ids": "People whose visible signs agree count as one; the data does not tell how many do.",
    "silence": "After a month of nothing, everybody looks as if they had left.",
    "last_period": "An unfinished period is masked everywhere and never compared.",
    "after_as_of": "A deliberate cut, or dates that cannot be: the data does not tell which.",
    "weekdays": "A weekday is a second witness to its date; where the two differ, one of them was changed.",
    "history": "One horizon to learn from and one to be tested on; less than one is extrapolation.",
    "rhythm": "Holidays and campaigns are a few hundredths of the days; one in ten is no rhythm.",
    "concentration": "Beyond a tenth averages move with them; beyond half the report is about them.",
    "returns": "Up to a twentieth is common outside fashion; a fifth must be understood first.",
    "outliers": "A tenth moves the means; a quarter is the result.",
    "stamps": "Dates put in by a migration, not by customers.",
}


@dataclass(frozen=True)
class Measurement:
    """What was found: ``value`` is None where it cannot be measured; ``rows`` and ``money`` are at stake."""

    value: float | None
    rows: int | None = None
    money: float | None = None
    where: str = ""


@dataclass(frozen=True)
class Criterion:
    """One measurement beside its limits, and the colour that follows."""

    name: str
    dimension: str
    status: Status
    value: float | None
    amber: float
    red: float | None
    is_floor: bool
    rows: int | None
    money: float | None
    where: str


@dataclass(frozen=True)
class Scorecard:
    """All criteria, in the order of the dimensions."""

    criteria: tuple[Criterion, ...]

    def of(self, dimension: str) -> list[Criterion]:
        """The criteria of one dimension."""
        return [criterion for criterion in self.criteria if criterion.dimension == dimension]

    def status(self, dimension: str) -> Status:
        """The colour of a dimension: that of its worst criterion."""
        return worst(criterion.status for criterion in self.of(dimension))

    @property
    def statuses(self) -> dict[str, Status]:
        """Dimension → colour."""
        return {dimension: self.status(dimension) for dimension in DIMENSIONS}

    def __getitem__(self, name: str) -> Criterion:
        """One criterion by name."""
        return next(criterion for criterion in self.criteria if criterion.name == name)

    def frame(self) -> pd.DataFrame:
        """One row per criterion, with the dimension's colour beside its own."""
        rows = [
            {**vars(criterion), "dimension_status": self.status(criterion.dimension)} for criterion in self.criteria
        ]
        return pd.DataFrame(rows).astype({"rows": "Int64", "money": "float64", "value": "float64", "red": "float64"})


def worst(statuses: Iterable[Status]) -> Status:
    """The worst colour among some; ``"not_measured"`` where nothing was measured."""
    there = set(statuses)
    return next((status for status in _WORST_FIRST if status in there), "not_measured")


def judge(value: float | None, limits: Limits) -> Status:
    """The colour of a value: a value on a limit is still on its good side."""
    if value is None or value != value:
        return "not_measured"
    sign = -1 if limits.is_floor else 1
    if limits.red is not None and sign * value > sign * limits.red:
        return "red"
    return "amber" if sign * value > sign * limits.amber else "green"


def score(measurements: Mapping[str, Measurement]) -> Scorecard:
    """Hold measurements against :data:`LIMITS`; a criterion without one is not measured."""
    criteria = []
    for name, limits in LIMITS.items():
        found = measurements.get(name, Measurement(None))
        criteria.append(
            Criterion(
                name, limits.dimension, judge(found.value, limits), found.value, limits.amber, limits.red,
                limits.is_floor, found.rows, found.money, found.where,
            )
        )  # fmt: skip
    return Scorecard(tuple(criteria))
