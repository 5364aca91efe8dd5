"""The words around the charts and tables of the contractual part."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.contract_holdout import MODEL
from perennial.analysis.contract_value import Plan, observed_retention
from perennial.chapters import contract_words as words
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.value_contracts import Contracts


def caption(found: "Contracts", name: str) -> Caption:
    """The words around a chart or table of the part."""
    made: dict[str, Callable[[Contracts], Caption]] = {
        "contract_value": _value_caption,
        "contract_value_cohorts": _value_cohorts_caption,
        "contract_lifetimes": _lifetimes_caption,
        "contract_survival": _survival_caption,
        "contract_retention": _retention_caption,
        "contract_cohorts": _cohort_caption,
        "contract_projection": _projection_caption,
        "contract_holdout": _holdout_caption,
        "contract_parameters": _parameter_caption,
    }
    return made[name](found)


def _source(found: "Contracts", more: str = "") -> str:
    n = sum(plan.rhythm.contracts for plan in found.plans)
    text = _("Source: subscriptions of {title} to {date}; n = {n} contracts.",
             title=formats.escape(found.parameters.title), date=formats.date(found.parameters.as_of),
             n=formats.number(n))  # fmt: skip
    if found.contracts > n:
        text += " " + _("{n} contracts of other plans left out.", n=formats.number(found.contracts - n))
    return f"{text} {more}".strip()


def _terms(found: "Contracts") -> str:
    p = found.parameters
    return _("Margin {margin} of fees, discounted at {rate} a year.", margin=formats.percent(p.gross_margin),
             rate=formats.percent(p.discount_rate))  # fmt: skip


def _value_caption(found: "Contracts") -> Caption:
    assert found.value is not None
    within = found.value.total["within"]
    n = formats.number(found.value.plans["contracts"].sum())
    title = _("{n} running contracts are worth {value} over the {horizon}", n=n,
              value=words.money(found, within["value"]), horizon=words.horizon(found))  # fmt: skip
    subtitle = _("Fees of renewals still to come × margin, discounted, {currency}, by plan; {level} intervals hold "
                 "parameters and chance", currency=found.parameters.currency, level=words.level(found))  # fmt: skip
    reading = _(
        "The running period counts as paid; each renewal pays one period in advance. *Beyond what was seen* is the "
        "share of the value of all renewals that comes from renewals no contract of the plan has come to yet: "
        "extrapolated. The value *at constant churn* leaves out that those who stay are the loyal ones; it is mostly "
        "too low."
    )
    return Caption(title, subtitle, _source(found, _terms(found)), reading)


def _value_cohorts_caption(found: "Contracts") -> Caption:
    assert found.value is not None
    years = found.value.groups.groupby("cohort")["within"].sum()
    year = int(years.idxmax())
    share = years.max() / years.sum() if years.sum() else math.nan
    title = _("Contracts begun in {year} hold {share} of the value over the {horizon}", year=year,
              share=formats.percent(share), horizon=words.horizon(found))  # fmt: skip
    subtitle = _("Value of running contracts by plan and year of the start, {currency}; {level} intervals hold "
                 "parameters and chance", currency=found.parameters.currency, level=words.level(found))  # fmt: skip
    reading = _("Bounds of single groups do not add up to those of the total: chance evens out.")
    small = found.value.groups["contracts"] < found.parameters.minimum_group
    if small.any():
        reading += " " + _("Start years of fewer than {n} contracts say little.",
                           n=formats.number(found.parameters.minimum_group))  # fmt: skip
    return Caption(title, subtitle, _source(found, _terms(found)), reading)


def _lifetimes_caption(found: "Contracts") -> Caption:
    row = found.lifetimes.iloc[0]
    title = _("{rate} of new {plan} end at their first renewal", plan=words.contracts_of(str(row["plan"])),
              rate=formats.percent(row["churn"], 1))  # fmt: skip
    if math.isfinite(row["median"]):
        title = _("Half of new {plan} end by renewal {n}, as the model has it",
                  plan=words.contracts_of(str(row["plan"])), n=formats.number(row["median"]))  # fmt: skip
    subtitle = _("How long contracts last, by plan, in renewals; {level} intervals of uncertain parameters",
                 level=words.level(found))  # fmt: skip
    reading = _(
        "*Every*: the period. *End at first*: the share that is not renewed once. *Half gone by*: the renewal by which "
        "half of new contracts have ended. *To come*: renewals still to come of the running contracts, discounted "
        "(DERL). *Mean*: periods of a new contract; without bound where churn keeps falling (alpha ≤ 1)."
    )
    more = _("Discounted at {rate} a year.", rate=formats.percent(found.parameters.discount_rate))
    return Caption(title, subtitle, _source(found, more), reading)


def _shown(found: "Contracts") -> Plan:
    """The plan a chart's title speaks of: the largest with a model, else the largest."""
    return (found.modelled or found.plans)[0]


def _known(found: "Contracts", plan: Plan) -> tuple[int, float]:
    """The last renewal that enough contracts came to, and observed survival there."""
    seen = observed_retention(plan.counts, found.parameters.interval)
    enough = seen[seen["at_risk"] >= found.parameters.minimum_group]
    row = (enough if len(enough) else seen).iloc[-1]
    return int(row["renewal"]), float(row["survival"])


def _survival_caption(found: "Contracts") -> Caption:
    plan = _shown(found)
    title = _("No contract has come to a renewal yet")
    if plan.seen:
        last, kept = _known(found, plan)
        title = plural(
            "{share} of {plan} still run after {count} renewal",
            "{share} of {plan} still run after {count} renewals",
            last,
            share=formats.percent(kept),
            plan=words.contracts_of(plan.name),
            count=formats.number(last),
        )
    subtitle = _("Contracts still running by renewal: observed (Kaplan-Meier), the model and its projection, by plan; "
                 "{level} intervals", level=words.level(found))  # fmt: skip
    reading = _("Dots are observed with their interval; the line is the model, dashed right of the dotted mark, where "
                "nobody has been seen. Its band holds uncertain parameters, not chance.")  # fmt: skip
    return Caption(title, subtitle, _source(found), reading)


def _retention_caption(found: "Contracts") -> Caption:
    from perennial.analysis.shifted_beta_geometric import retention

    plan = _shown(found)
    title = _("Too few renewals to say how retention changes")
    if plan.model is not None and plan.model.name != "sBG":
        title = _("Retention of {plan} shows no rise: {rate} at every renewal", plan=words.contracts_of(plan.name),
                  rate=formats.percent(1 - plan.model.churn, 1))  # fmt: skip
    elif plan.model is not None:
        last = _known(found, plan)[0]
        first, later = (float(retention(plan.model.alpha, plan.model.beta, t)) for t in (1, last))
        title = _("Modelled retention of {plan} rises from {first} to {later} by renewal {n}",
                  plan=words.contracts_of(plan.name),
                  first=formats.percent(first), later=formats.percent(later), n=formats.number(last))  # fmt: skip
    subtitle = _("Share renewed of the contracts that come to each renewal: observed (Wilson) and the model, by plan; "
                 "{level} intervals", level=words.level(found))  # fmt: skip
    reading = _(
        "In the model retention rises because contracts differ: those likely to end go first. No contract becomes more "
        "loyal with age. Renewals that fewer than {n} contracts came to are left out.",
        n=formats.number(found.parameters.minimum_group),
    )
    return Caption(title, subtitle, _source(found), reading)


def _cohort_caption(found: "Contracts") -> Caption:
    frame = found.cohorts[found.cohorts["offered"] > 0]
    outside = frame[(frame["projected"] < frame["low"]) | (frame["projected"] > frame["high"])]
    title = _("The model lies within the interval of every start year's retention")
    if not len(frame) or frame["projected"].isna().all():
        title = _("Renewals of contracts by the year they began in")
    elif len(outside):
        title = _("The model misses the retention of {n} of {all} start years", n=formats.number(len(outside)),
                  all=formats.number(len(frame)))  # fmt: skip
    subtitle = _("Share of renewals offered that were made, by plan and year of the start, with {level} interval; the "
                 "model's share for the same renewals", level=words.level(found))  # fmt: skip
    reading = _("One model per plan is fitted to all start years together.")
    small = frame[frame["contracts"] < found.parameters.minimum_group]
    if len(small):
        reading += " " + _("Start years of fewer than {n} contracts say little.",
                           n=formats.number(found.parameters.minimum_group))  # fmt: skip
    return Caption(title, subtitle, _source(found), reading)


def _projection_caption(found: "Contracts") -> Caption:
    frame = found.projection
    row = frame[frame["plan"] == frame["plan"].iloc[0]].iloc[-1]
    title = plural(
        "Of {n} running {plan}, about {left} come through the next renewal",
        "Of {n} running {plan}, about {left} come through the next {count} renewals",
        int(row["ahead"]), n=formats.number(row["running"]), plan=words.contracts_of(str(row["plan"])),
        left=formats.number(row["expected"], 0), count=formats.number(row["ahead"]),
    )  # fmt: skip
    subtitle = _("Running contracts still there after further renewals, expected, with {level} intervals: both kinds "
                 "of uncertainty, uncertain parameters alone, chance alone", level=words.level(found))  # fmt: skip
    return Caption(title, subtitle, _source(found))


def _holdout_caption(found: "Contracts") -> Caption:
    held = found.holdout
    assert held is not None
    rows = held.scores[held.scores["plan"].isna()].set_index("forecaster")
    row = rows.loc[MODEL]
    title = _("Foretold {predicted} of {n} contracts to come through; {actual} did",
              predicted=formats.number(row["predicted"], 0), n=formats.number(row["contracts"]),
              actual=formats.number(row["actual"]))  # fmt: skip
    subtitle = _("Contracts running at {cut} that came up for renewal by {date}: forecasts from what was known at "
                 "{cut}; {level} interval of the model", cut=formats.date(held.cut), level=words.level(found),
                 date=formats.date(found.parameters.as_of))  # fmt: skip
    reading = words.winner(found)
    for plan, reason in held.reasons.items():
        reading += " " + _("{plan} could not be tested. {reason}", plan=words.the_contracts_of(plan), reason=reason)
    return Caption(
        title, subtitle, _source(found, _("The error is per contract, of the chance to come through.")), reading
    )


def _parameter_caption(found: "Contracts") -> Caption:
    from perennial.analysis.renewal_fit import constant_likelihood

    plan = found.modelled[0]
    assert plan.model is not None
    title = _("One constant churn describes {plan}", plan=words.contracts_of(plan.name))
    if plan.model.name == "sBG":
        gain = 2 - 2 * constant_likelihood(plan.counts) - plan.model.aic
        title = _("Against constant churn the model gains {gain} in AIC for {plan}", plan=words.contracts_of(plan.name),
                  gain=formats.number(gain, 1))  # fmt: skip
    subtitle = _("Shifted beta-geometric by plan, time in renewals, with standard errors; AIC beside that of one "
                 "constant churn (lower is better)")  # fmt: skip
    return Caption(title, subtitle, _source(found))
