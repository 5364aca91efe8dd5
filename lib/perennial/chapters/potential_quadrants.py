"""Chapter 06: where the room to grow is. Four looks, one score, four quadrants, and what the score is worth."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import quadrant_map
from perennial.analysis.quadrants import LOOKS, QUADRANTS
from perennial.analysis.shared_ids import contactable, count_shared
from perennial.parameters import Potential
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "06_potential_quadrants"


@dataclass(frozen=True)
class Study:
    """What the chapter shows. Frames as in :class:`perennial.analysis.potential.PotentialResult`.

    Attributes
    ----------
    quadrants, weights, sensitivity, stages : always there; ``tests, deciles`` are None where the score could not be
        tried out of time, ``wallet_checks, categories, kinds`` where the look is not measured.
    cells : what the map draws; ``profile`` : mean sub-score by quadrant and look.
    leading : the ten with the highest score in growth stock and in sleeping gold, by quadrant.
    shared : how many of a quadrant's customers are ids that several people seem to share; not among the leading.
    next_categories : ``next_category, customers`` among growth stock and sleeping gold, most common first.
    facts : plain values of the result; ``level`` of the intervals; ``margin`` share of revenue.
    customers, revenue : of the whole base; the quadrants add up to them.
    """

    quadrants: pd.DataFrame
    weights: pd.DataFrame
    sensitivity: pd.DataFrame
    stages: pd.DataFrame
    tests: pd.DataFrame | None
    deciles: pd.DataFrame | None
    wallet_checks: pd.DataFrame | None
    categories: pd.DataFrame | None
    kinds: pd.DataFrame | None
    cells: pd.DataFrame
    profile: pd.DataFrame
    leading: dict[str, pd.DataFrame]
    shared: dict[str, int]
    next_categories: pd.DataFrame
    facts: dict[str, Any]
    currency: str
    level: float
    margin: float
    horizon_months: int
    as_of: Any
    minimum_group: int
    customers: int
    revenue: Decimal
    captions: dict[str, Caption] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def measured(self) -> list[str]:
        """The looks that are measured for anybody."""
        return [look for look in LOOKS if self.facts["measured"][look]]

    @property
    def provisional(self) -> bool:
        """Whether the score is too weak, or too little tried, for the quadrants to be acted on outright."""
        from perennial.chapters.potential_words import WEAK

        added = self.test("added")
        return len(self.measured) < 2 or added is None or added.low <= 0 or added.value < WEAK

    def quadrant(self, name: str) -> Any:
        """The row of one quadrant."""
        return next(row for row in self.quadrants.itertuples(index=False) if row.quadrant == name)

    def test(self, name: str) -> Any:
        """The row of one validation test, or None."""
        if self.tests is None:
            return None
        return next((row for row in self.tests.itertuples(index=False) if row.test == name), None)


def study(client: "Client") -> Study:
    """Run the chapter's analyses on a client."""
    from perennial.chapters import potential_findings, potential_words

    found = _measure(client)
    found.captions.update(potential_words.captions(found, formats.escape(client.parameters.title)))
    found.findings.extend(potential_findings.findings(found, client.parameters.potential.strategies))
    return found


def _measure(client: "Client") -> Study:
    p, result = client.parameters, client.potential
    frames, facts, customers = result.frames, result.facts, result.customers
    chosen = customers.filter(
        customers.quadrant.isin(["growth_stock", "sleeping_gold"]), customers.next_category.notnull()
    )
    following = chosen.group_by("next_category").agg(customers=chosen.count()).to_pandas()
    quadrants = frames["quadrants"]
    return Study(
        quadrants=quadrants,
        weights=frames["weights"],
        sensitivity=frames["sensitivity"],
        stages=frames["stages"],
        tests=frames.get("tests"),
        deciles=frames.get("deciles"),
        wallet_checks=frames.get("wallet_checks"),
        categories=frames.get("categories"),
        kinds=frames.get("kinds"),
        cells=quadrant_map.count_cells(customers, facts["cut_value"], facts["cut_potential"]),
        profile=quadrant_map.look_profile(customers)[[look for look in LOOKS if facts["measured"][look]]],
        leading={
            q: quadrant_map.leading_customers(contactable(customers, client.summary), q)
            for q in ("growth_stock", "sleeping_gold")
        },
        shared={q: count_shared(customers.filter(customers.quadrant == q), client.summary) for q in QUADRANTS},
        next_categories=following.sort_values(
            ["customers", "next_category"], ascending=[False, True], ignore_index=True
        ),
        facts={**facts, "own": _own(p.potential)},
        currency=p.currency,
        level=p.interval,
        margin=p.gross_margin,
        horizon_months=p.horizon_months,
        as_of=pd.Timestamp(p.as_of),
        minimum_group=p.minimum_group,
        customers=int(quadrants["customers"].sum()),
        revenue=sum((Decimal(str(value)) for value in quadrants["revenue"]), Decimal(0)),
    )


def _own(chosen: Potential) -> dict[str, bool]:
    """Whether the parameters choose weights and strategies of their own."""
    default = Potential()
    return {"weights": chosen.weights != default.weights, "strategies": chosen.strategies != default.strategies}
