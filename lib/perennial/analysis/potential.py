"""The potential score and the quadrant of every customer: who has room to grow, and what that is worth trying.

``score = 100 · Σ weight · sub-score`` over the looks that the data measures; see :mod:`perennial.analysis.looks` for
the looks, :mod:`perennial.analysis.quadrants` for the lines and
:mod:`perennial.analysis.potential_validation` for the proof.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.engagement import engagement_kinds
from perennial.analysis.looks import Looks, measure_looks
from perennial.analysis.potential_strategies import applicable_strategies
from perennial.analysis.potential_validation import (
    FEWEST_CUSTOMERS,
    Validation,
    holdout_length,
    later_spend,
    validate_score,
)  # fmt: skip
from perennial.analysis.quadrants import (
    LOOKS,
    customer_costs,
    cut_lines,
    effective_weights,
    misallocation,
    potential_score,
    quadrant_of,
    quadrant_table,
    sensitivity,
)  # fmt: skip
from perennial.language import _
from perennial.tables.engine import read_table, write_table
from perennial.tables.summary import customer_summary


@dataclass(frozen=True)
class PotentialResult:
    """Everything the chapter shows.

    Attributes
    ----------
    customers : Ibis table, one row per customer: ``customer_id, stage, spend_12m, wallet_low, wallet, wallet_high,
        wallet_source, headroom, wallet_score, expected_additions, next_category, next_probability, cross_buy_score,
        engagement_score, lifecycle_score`` (sub-scores 0 to 1, null where not measured), ``looks_measured`` (how many),
        ``looks_missing`` (names, of those that the data measures for others), ``potential_score`` (0 to 100),
        ``current_value`` (money), ``quadrant``, ``recommended_action``.
    frames : small tables by name: ``weights, quadrants, sensitivity, stages``, and where measured ``tests, deciles,
        wallet_checks, categories, lifts, kinds``.
    facts : plain values: cut lines, windows, reasons, counts. See :func:`compute_potential`.
    """

    customers: ir.Table
    frames: dict[str, pd.DataFrame]
    facts: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write customers and frames as Parquet, facts as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_table(self.customers.order_by("customer_id"), folder / "potential.parquet")
        for name, frame in self.frames.items():
            frame.to_parquet(folder / f"frame_{name}.parquet")
        (folder / "facts.json").write_text(json.dumps(self.facts, indent=1, sort_keys=True), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, engine: Any) -> "PotentialResult":
        """Read what :meth:`save` wrote; ``engine`` is the Ibis backend of the client's tables."""
        frames = {
            path.stem.removeprefix("frame_"): pd.read_parquet(path) for path in sorted(folder.glob("frame_*.parquet"))
        }
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return cls(read_table(engine, folder / "potential.parquet", "potential"), frames, facts)


def compute_potential(
    transactions: ir.Table, summary: ir.Table, tables: Mapping[str, ir.Table], value: Any, parameters: Any
) -> PotentialResult:
    """Looks, score, quadrants, validation and sensitivity of one client.

    Parameters
    ----------
    transactions, summary : canonical lines up to ``parameters.as_of`` and the customer summary.
    tables : the other canonical tables that the client has, by name.
    value : a ``ValueResult`` (its ``customers`` has ``customer_id, clv``), or None: current value is then the revenue
        of the last twelve months.
    parameters : the client's :class:`perennial.parameters.Parameters`.
    """
    potential, as_of = parameters.potential, parameters.as_of
    looks = measure_looks(transactions, summary, tables, as_of, parameters)
    weights = effective_weights(potential.weights, looks.measured)
    scored = _scored(looks, weights)
    scored = _with_value(scored, None if value is None else value.customers).cache()
    cuts = cut_lines(scored, potential.cutoffs)
    customers = scored.mutate(quadrant=quadrant_of(scored, cuts))
    strategies = applicable_strategies(potential.strategies, looks.measured)
    actions = [(customers.quadrant == name, strategy.action) for name, strategy in strategies.items()]
    customers = customers.mutate(recommended_action=ibis.cases(*actions, else_="")).cache()
    costs, cost_unit, reason = customer_costs(tables, as_of)
    each = None if costs is None else costs.cost.mean(where=costs.cost > 0).cast("float64").to_pandas()
    by_quadrant = quadrant_table(customers, summary, costs, strategies)
    lost = misallocation(by_quadrant, reason)
    validation = out_of_time(transactions, tables, parameters)
    frames = {
        "weights": _weights_table(potential.weights, weights, looks),
        "quadrants": by_quadrant,
        "sensitivity": sensitivity(customers, weights, potential.cutoffs),
        "stages": _stage_table(customers),
        "tests": validation.tests, "deciles": validation.deciles,
        "wallet_checks": looks.wallet.checks, "categories": looks.cross_buy.categories, "lifts": looks.cross_buy.lifts,
        "kinds": engagement_kinds(tables["interactions"], summary).to_pandas() if "interactions" in tables else None,
    }  # fmt: skip
    facts = {
        "cut_value": cuts.value, "cut_potential": cuts.potential, "window_days": looks.window_days,
        "value_source": "clv" if value is not None else "spend_12m",
        "measured": looks.measured, "reasons": looks.reasons,
        "wallet": {"known": looks.wallet.known, "peers": looks.wallet.peers, "over": looks.wallet.over,
                   "fitted": looks.wallet.fitted, "attributes": looks.wallet.attributes, "note": looks.wallet.reason},
        "cross_buy": {"period_days": looks.cross_buy.period_days, **(looks.cross_buy.check or {})},
        "stages": {"overdue": looks.stages.thresholds.overdue, "lapsed": looks.stages.thresholds.lapsed,
                   "new_days": looks.stages.new_days},
        "cost_unit": cost_unit, "cost_each": None if each is None or each != each else float(each),
        "misallocation": vars(lost),
        "validation": {"reason": validation.reason, "days": validation.days,
                       "cut": validation.cut.isoformat() if validation.cut else ""},
    }  # fmt: skip
    return PotentialResult(customers, {name: f for name, f in frames.items() if f is not None}, facts)


def _scored(looks: Looks, weights: Mapping[str, float]) -> ir.Table:
    table = looks.table
    known = {look: table[f"{look}_score"].notnull() for look in LOOKS}
    names = [ibis.ifelse(known[look], ibis.null("string"), look) for look in LOOKS if looks.measured[look]]
    missing = ibis.literal(", ").join(names) if names else ibis.literal("")
    return table.mutate(
        looks_measured=sum((flag.cast("int64") for flag in known.values()), ibis.literal(0)),
        looks_missing=missing,
        potential_score=potential_score(table, weights),
    )


def _with_value(scored: ir.Table, value: ir.Table | None) -> ir.Table:
    """Current value: the customer's value over the horizon, else what was spent in the window."""
    if value is None:
        return scored.mutate(current_value=ibis.greatest(scored.spend_12m.cast("float64"), 0.0))
    joined = scored.left_join(value.select("customer_id", "clv"), "customer_id")
    clv = joined.clv.cast("float64")
    return joined.mutate(current_value=ibis.ifelse(clv.isnan(), 0.0, clv).fill_null(0.0)).drop(
        "customer_id_right", "clv"
    )


def out_of_time(transactions: ir.Table, tables: Mapping[str, ir.Table], parameters: Any) -> Validation:
    """The score as it would have stood one hold-out ago, against what was spent since."""
    as_of = parameters.as_of
    first = pd.Timestamp(transactions.ordered_on.min().to_pandas()).date()
    days = holdout_length((as_of - first).days + 1, parameters.holdout_days)
    if days < 14:
        return Validation(_("the history is shorter than six weeks"))
    cut = as_of - dt.timedelta(days=days)
    past = transactions.filter(transactions.ordered_on <= ibis.date(cut))
    summary = customer_summary(past, cut).cache()
    if int(summary.count().to_pandas()) < FEWEST_CUSTOMERS:
        return Validation(_("fewer than {n} customers had bought by then", n=FEWEST_CUSTOMERS))
    looks = measure_looks(past, summary, tables, cut, parameters, check=False)
    scored = _scored(looks, effective_weights(parameters.potential.weights, looks.measured))
    frame = later_spend(transactions, scored, cut, days)
    if not (frame["later"] != 0).any():
        return Validation(_("nobody who had bought by then spent anything afterwards"))
    if frame["potential_score"].nunique() < 2:
        return Validation(_("the score of that day was the same for everybody"))
    return validate_score(frame, cut, days, looks.window_days, looks.measured, parameters)


def _weights_table(given: Mapping[str, float], effective: Mapping[str, float], looks: Looks) -> pd.DataFrame:
    """``look, weight, effective_weight, measured, customers`` (measured for), ``reason``."""
    flags = {look: looks.table[f"{look}_score"].notnull().sum() for look in LOOKS}
    counts = looks.table.agg(**flags).to_pandas().iloc[0].fillna(0)
    rows = [(look, given[look], effective[look], looks.measured[look], int(counts[look]), looks.reasons.get(look, ""))
            for look in LOOKS]  # fmt: skip
    return pd.DataFrame(rows, columns=["look", "weight", "effective_weight", "measured", "customers", "reason"])


def _stage_table(customers: ir.Table) -> pd.DataFrame:
    """``stage, customers, spend_12m, current_value``."""
    stages = customers.group_by("stage").agg(
        customers=customers.count(), spend_12m=customers.spend_12m.sum(), current_value=customers.current_value.sum()
    )
    return stages.order_by("stage").to_pandas()
