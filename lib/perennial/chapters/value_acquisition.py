"""Chapter 05, new customers: what one is worth, what it may cost, when it pays back, and which groups differ."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis.expr.types as ir
import pandas as pd

from perennial.analysis import acquisition, censoring, groupings
from perennial.analysis.censoring import Beginning
from perennial.analysis.cohorts import FREQUENCY
from perennial.analysis.margins import margin_source
from perennial.analysis.prospects import Prospect, Prospects, everybody, value_prospects
from perennial.analysis.value import ValueResult
from perennial.chapters import acquisition_captions, acquisition_findings
from perennial.chapters import acquisition_words as words
from perennial.parameters import Parameters
from perennial.statements import Part

if TYPE_CHECKING:
    from perennial.client import Client


@dataclass(frozen=True)
class Acquired:
    """What the section found; frames that could not be made are empty.

    Attributes
    ----------
    prospects : None without a spend model.
    payback : ``source, month, value, low, high, cost, payback``: expected margin of a new customer so far.
    sources : one row per source with a cost; see :func:`sources_table`.
    cohorts, age, unit : see :func:`perennial.analysis.acquisition.returns_by`; with ``cohort`` in words and ``mark``.
    present, unknown : sources in the data; those in the parameters that are not.
    margin_share, margin_rate : see :func:`perennial.analysis.margin_source`.
    """

    parameters: Parameters
    result: ValueResult
    beginning: Beginning
    prospects: Prospects | None
    payback: pd.DataFrame
    sources: pd.DataFrame
    cohorts: pd.DataFrame
    age: int | None
    unit: str
    present: list[str]
    unknown: list[str]
    margin_share: float
    margin_rate: float


def part(client: "Client", result: ValueResult) -> Part:
    """The section on prospects, acquisition cost and groups; without a spend model only on the groups."""
    found = measure(client, result)
    exhibits = acquisition_captions.exhibits(found)
    absent = acquisition_captions.absent(found, exhibits)
    return Part(exhibits, absent, tuple(acquisition_findings.says(found)), tuple(acquisition_findings.findings(found)))


def measure(client: "Client", result: ValueResult) -> Acquired:
    """Every number of the section."""
    p = client.parameters
    customers = client.table("customers") if client.has("customers") else None
    beginning = censoring.beginning_of(client.summary, p.cohort_period, p.as_of)
    since = censoring.new_since(beginning.known, FREQUENCY[p.cohort_period])
    prospects = None
    if result.spend is not None:
        prospects = value_prospects(
            client.transactions,
            client.summary,
            customers,
            since,
            result,
            p.minimum_group,
            censoring.new_since(beginning.doubtful, FREQUENCY[p.cohort_period]),
        )
    present = acquisition.sources_of(customers)
    payback = payback_curves(prospects, p) if prospects else pd.DataFrame()
    cohorts, sources, age, unit = pd.DataFrame(), pd.DataFrame(), None, "quarter"
    if prospects and p.acquisition_cost is not None:
        costs = acquisition.costs_of(client.summary, customers, p.acquisition_cost)
        cohorts, age, unit = _cohorts(client, costs, result, beginning)
        sources = _sources(client, customers, costs, result, prospects)
    share, rate = margin_source(client.transactions)
    return Acquired(p, result, beginning, prospects, payback, sources, cohorts, age, unit, present,
                    acquisition.unknown_sources(p.acquisition_cost, present), share, rate)  # fmt: skip


def costed(prospects: Prospects, p: Parameters) -> list[tuple[Prospect, float]]:
    """New customers whose acquisition cost is stated: by source, or of everybody where sources are not known."""
    cost = p.acquisition_cost
    if cost is None or prospects.whole is None:
        return []
    by_source = prospects.by.get("source", [])
    if isinstance(cost, dict):
        return [(one, cost[one.group]) for one in by_source if one.group in cost]
    return [(one, float(cost)) for one in (by_source or [prospects.whole])]


def payback_curves(prospects: Prospects, p: Parameters) -> pd.DataFrame:
    """``source, month, value, low, high, cost, payback``, the source with the most customers first."""
    tails = [(1 - p.interval) / 2, (1 + p.interval) / 2]
    frames = []
    for one, cost in sorted(costed(prospects, p), key=lambda pair: -pair[0].customers):
        bounds = [one.interval(tails, month) for month in range(len(one.curve))]
        frames.append(
            pd.DataFrame(
                {
                    "source": words.group_name(one.group),
                    "month": range(len(one.curve)),
                    "value": one.curve,
                    "low": [low for low, _high in bounds],
                    "high": [high for _low, high in bounds],
                    "cost": cost,
                    "payback": one.payback(cost),
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _cohorts(
    client: "Client", costs: ir.Table, result: ValueResult, beginning: Beginning
) -> tuple[pd.DataFrame, int | None, str]:
    members, unit = acquisition.by_cohort(client.summary)
    frame, age = acquisition.returns_by(client.transactions, client.summary, members, costs, result, ages=True)
    marks = [_mark(start, unit, beginning, client.parameters.as_of) for start in frame["group"]]
    frame = frame.assign(mark=marks, cohort=[words.cohort_name(start, unit) for start in frame["group"]])
    frame["ratio_so_far"] = acquisition.ratio(frame["realised"], frame["cost"])
    if age is None:
        frame["ratio_at_age"] = float("nan")
    before = frame["mark"] == "before"
    shown = ["ratio", "ratio_low", "ratio_high", "ratio_so_far", "ratio_at_age"]
    frame[shown] = frame[shown].mask(before, axis=0)
    return frame, age, unit


def _mark(start: str, unit: str, beginning: Beginning, as_of: dt.date) -> str:
    """``before``, ``doubtful`` (perhaps customers before the data begins), ``unfinished``, or nothing."""
    first, last = pd.Timestamp(start), acquisition.end_of_cohort(start, unit)
    if any(first <= day <= last for day in beginning.known):
        return "before"
    if any(first <= day <= last for day in beginning.doubtful):
        return "doubtful"
    return "unfinished" if last > pd.Timestamp(as_of) else ""


def _sources(
    client: "Client", customers: ir.Table | None, costs: ir.Table, result: ValueResult, prospects: Prospects
) -> pd.DataFrame:
    """Per source with a cost: the new customer's value, break-even, payback, and what those held return."""
    p = client.parameters
    tails = [(1 - p.interval) / 2, (1 + p.interval) / 2]
    pairs = costed(prospects, p)
    if not pairs:
        return pd.DataFrame()
    if "source" in prospects.by and customers is not None:
        members = groupings.group_by_column(client.summary, customers, "source", p.minimum_group, repeaters=0).members
    else:
        members = everybody(client.summary)
    held, _age = acquisition.returns_by(client.transactions, client.summary, members, costs, result)
    lines = []
    for one, cost in pairs:
        (low, high), (soon, late) = one.interval(tails), one.payback_interval(cost, tails)
        lines.append(
            {
                "group": one.group, "customers": one.customers, "cost": cost, "first_order": one.first_order,
                "clv": one.clv, "low": low, "high": high, "return": one.clv / cost if cost else float("inf"),
                "payback": one.payback(cost), "payback_low": soon, "payback_high": late, "far": one.far_payback(cost),
                "own_model": one.own,
            }
        )  # fmt: skip
    frame = pd.DataFrame(lines).merge(held[["group", "ratio", "ratio_low", "ratio_high"]], on="group", how="left")
    return frame.sort_values("return", ascending=False, kind="stable", ignore_index=True)
