"""The words of the contractual part: sentences, captions, and how its tables are written."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.contract_value import CONSTANT, LAST, MODEL, Plan, observed_retention
from perennial.analysis.renewals import Rhythm
from perennial.chapters.phrases import listed
from perennial.language import _, plural
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.chapters.value_contracts import Contracts

CHAPTER = "05_lifetime_value"
IN_FULL = 9_999.5  # smaller amounts are written without a scale letter
MOSTLY_BEYOND = 0.25  # share of a value from renewals never seen that is told in the same sentence
FEW_RENEWALS = 2  # a curve of two parameters through so many retention rates cannot be checked by them
DIFFERENT = 0.05  # p-value of the test of start years
Look = dict[str, Callable[[Any], str]]


def money(found: "Contracts", value: Any) -> str:
    """An amount in the client's currency: in full below ten thousand, else three figures; cents only below ten."""
    if formats.is_missing(value):
        return formats.MISSING
    if math.isinf(value):
        return _("no bound")
    size = abs(value)
    digits = None if size >= IN_FULL else 0 if size >= 10 or not size else 2
    return formats.money(value, found.parameters.currency, digits=digits)


def plan_name(plan: str) -> str:
    """A plan as the client names it; plans without a name together."""
    return plan or _("all contracts")


def _plan(plan: str) -> str:
    """``monthly contracts``, safe to stand in a sentence."""
    return _("{plan} contracts", plan=formats.escape(plan)) if plan else _("contracts")


def _the_plan(plan: str) -> str:
    """``The monthly contracts``, to begin a sentence with."""
    return _("The {plan} contracts", plan=formats.escape(plan)) if plan else _("The contracts")


def period(rhythm: Rhythm) -> str:
    """``month``, ``year``, ``4 weeks``."""
    n = rhythm.length
    if rhythm.unit == "month":
        names = {1: _("month"), 3: _("quarter"), 6: _("half-year"), 12: _("year")}
        if n % 12 == 0 and n > 12:
            return _("{n} years", n=formats.number(n // 12))
        return names.get(n) or _("{n} months", n=formats.number(n))
    if n % 7 == 0:
        return _("week") if n == 7 else _("{n} weeks", n=formats.number(n // 7))
    return _("{n} days", n=formats.number(n))


def horizon(found: "Contracts") -> str:
    """``next 12 months``."""
    months = found.parameters.horizon_months
    return _("next month") if months == 1 else _("next {n} months", n=formats.number(months))


def wilson(count: int, of: int, level: float) -> tuple[float, float]:
    """Wilson's interval of a share; missing of nothing."""
    if not of:
        return math.nan, math.nan
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, of, alpha=1 - level, method="wilson")
    return float(low), float(high)


def _level(found: "Contracts") -> str:
    return formats.percent(found.parameters.interval)


def _bounds(found: "Contracts", low: float, high: float) -> str:
    if math.isinf(low):
        return _("without bound")
    if math.isinf(high):
        return _("{low} to no upper bound", low=money(found, low))
    return formats.interval(low, high, partial(money, found))


# Sentences


def says(found: "Contracts") -> list[str]:
    """What the section says in its own place."""
    parts = [
        _setting(found),
        _fees(found),
        _rhythms(found),
        _value(found),
        _cohorts(found),
        _tested(found),
        _odd(found),
    ]
    return [text for text in parts if text]


def _setting(found: "Contracts") -> str:
    head = _("Contracts run beside orders here.")
    if found.setting.contractual:
        head = _("Customers are bound by contract here.")
    return f"{head} {found.setting.reason} " + _(
        "Orders are valued by the purchase model, contracts by their renewals (shifted beta-geometric)."
    )


def _fees(found: "Contracts") -> str:
    share = formats.percent(found.fee_share)
    if found.fees == "in orders":
        return _(
            "**The two values must not be added**: {share} of contracts have an order line of their fee's amount in "
            "their first period, so the orders already hold the fees.", share=share
        )  # fmt: skip
    if found.fees == "apart":
        return _(
            "The fees do not seem to be among the orders ({share} of contracts have an order line of their fee's "
            "amount in their first period), so the value of contracts comes on top of that of orders. Fees booked with "
            "tax or in other parts would not be noticed.", share=share
        )  # fmt: skip
    if formats.is_missing(found.fee_share):
        return _("Whether the orders already hold the fees cannot be told, as no prices of contracts of known rhythm "
                 "are given: **do not add the two values** before that is known.")  # fmt: skip
    return _(
        "Whether the orders already hold the fees cannot be told ({share} of contracts have an order line of their "
        "fee's amount in their first period): **do not add the two values** before that is known.", share=share
    )  # fmt: skip


def _rhythms(found: "Contracts") -> str:
    texts = [
        _("{plan} every {period} ({share} of {n} dates of end or next renewal fit)",
          plan=_plan(plan.name), period=period(plan.rhythm), share=formats.percent(plan.rhythm.fitting),
          n=formats.number(plan.rhythm.dates))
        for plan in found.plans[:4]
    ]  # fmt: skip
    said = (
        _("How often contracts are renewed is read from their own dates: {plans}.", plans=listed(texts))
        if texts
        else ""
    )
    if len(found.plans) > 4:
        said += " " + _("So are {n} more plans.", n=formats.number(len(found.plans) - 4))
    return " ".join([said, *_left_out(found)]).strip()


def _left_out(found: "Contracts") -> list[str]:
    reasons = {
        "": _("with fewer than {n} contracts", n=formats.number(found.parameters.minimum_group)),
        "few": _("with too few dates of end or renewal to read a rhythm from"),
        "irregular": _("whose dates lie on no grid of weeks, months or years"),
        "mixed": _("whose next renewals lie further ahead than their gaps allow, so that several lengths share a name"),
    }
    texts = []
    for reason, words in reasons.items():
        own = [rhythm for rhythm in found.left_out if rhythm.reason == reason]
        if own:
            n = sum(rhythm.contracts for rhythm in own)
            texts.append(
                _("Left out: {plans} {why} ({n} contracts).", why=words, n=formats.number(n),
                  plans=plural("{count} plan", "{count} plans", len(own), count=formats.number(len(own))))
            )  # fmt: skip
    return texts


def _value(found: "Contracts") -> str:
    if found.value is None:
        return ""
    within = found.value.total["within"]
    texts = [
        _(
            "Over the {horizon} the interval is {parameters} from uncertain parameters alone and {chance} from chance "
            "alone.",
            horizon=horizon(found),
            parameters=_bounds(found, within["parameter_low"], within["parameter_high"]),
            chance=_bounds(found, within["process_low"], within["process_high"]),
        )
    ]
    for plan in found.modelled:
        assert plan.model is not None
        if plan.model.name != "sBG":
            rate = formats.percent(plan.model.churn, 1)
            texts.append(_("{plan} are projected with one churn of {rate} at every renewal. {reason}",
                           plan=_the_plan(plan.name), rate=rate, reason=plan.model.reason))  # fmt: skip
        elif plan.seen <= FEW_RENEWALS:
            texts.append(_("{plan} have been seen through {n} renewals only: two parameters fitted to two retention "
                           "rates, with nothing left to check them by.",
                           plan=_the_plan(plan.name), n=formats.number(plan.seen)))  # fmt: skip
    for plan in found.plans:
        if plan.model is None:
            texts.append(_("{plan} are not valued. {reason}", plan=_the_plan(plan.name), reason=plan.reason))
    if found.value.unpriced:
        texts.append(_("{n} running contracts have no price and are not in the value.",
                       n=formats.number(found.value.unpriced)))  # fmt: skip
    return " ".join(texts)


def _cohorts(found: "Contracts") -> str:
    texts = []
    for plan in found.plans[:4]:
        test = found.tests[plan.name]
        if formats.is_missing(test["p_value"]):
            continue
        numbers = _("likelihood ratio {x}, df {df}, p = {p}", x=formats.number(test["statistic"], 1),
                    df=formats.number(test["df"]), p=formats.number(test["p_value"], 2))  # fmt: skip
        words = _("{plan} do not differ noticeably by the year they began in ({numbers}): they are fitted together.")
        if test["p_value"] < DIFFERENT:
            words = _("{plan} differ by the year they began in ({numbers}), yet are fitted together: take the single "
                      "years in the table before the total.")  # fmt: skip
        texts.append(words.format(plan=_the_plan(plan.name), numbers=numbers))
    return " ".join(texts)


def _tested(found: "Contracts") -> str:
    held = found.holdout
    if held is None or held.scores.empty:
        return ""
    whole = held.scores[held.scores["plan"].isna()].set_index("forecaster")
    model = whole.loc[MODEL]
    text = _(
        "Tested: fitted on what was known at {cut}, the model expected {predicted} of {n} contracts that came up for "
        "renewal since to come through ({level} interval {low} to {high}); {actual} did.",
        cut=formats.date(held.cut), predicted=formats.number(model["predicted"], 0),
        n=formats.number(model["contracts"]), level=_level(found), low=formats.number(model["low"], 0),
        high=formats.number(model["high"], 0), actual=formats.number(model["actual"]),
    )  # fmt: skip
    return f"{text} {winner(found)}"


def winner(found: "Contracts") -> str:
    """Which forecast of the hold-out came nearest, as a sentence."""
    held = found.holdout
    assert held is not None
    if held.is_constant:
        if held.winner == LAST:
            return _("It knew of no rise in retention then and equalled one constant churn; carrying on the last "
                     "observed retention came nearer.")  # fmt: skip
        return _("It knew of no rise in retention then, and equalled one constant churn; carrying on the last observed "
                 "retention did no better.")  # fmt: skip
    texts = {
        MODEL: _("No rule of thumb came nearer."),
        CONSTANT: _("One constant churn came nearer: the model did not pay here."),
        LAST: _("Carrying on the last observed retention came nearer: the model did not pay here."),
    }
    return texts[held.winner]


def _odd(found: "Contracts") -> str:
    odd, texts = found.oddities, []
    if odd.get("notice"):
        texts.append(_("{n} running contracts already have their end and are in no value.",
                       n=formats.number(odd["notice"])))  # fmt: skip
    if odd.get("overdue"):
        texts.append(_("{n} contracts are taken as running though their stated renewal date has passed: are they?",
                       n=formats.number(odd["overdue"])))  # fmt: skip
    if odd.get("backwards"):
        texts.append(_("{n} contracts end before they begin; they count as ended at their first renewal.",
                       n=formats.number(odd["backwards"])))  # fmt: skip
    return " ".join(texts)


def findings(found: "Contracts") -> list[Finding]:
    """What of it belongs in the chapter's bottom line."""
    if found.value is None:
        return []
    within, value = found.value.total["within"], found.value.total["value"]
    sentence = _(
        "The {n} running contracts are worth {within} over the {horizon} ({level} interval {bounds}): fees × margin, "
        "discounted.",
        n=formats.number(found.value.plans["contracts"].sum()), within=money(found, within["value"]),
        horizon=horizon(found), level=_level(found), bounds=_bounds(found, within["low"], within["high"]),
    )  # fmt: skip
    parts = [sentence, _test_in_short(found), _on_top(found), _all_renewals(found, value)]
    made = [
        Finding("value.contracts", CHAPTER, " ".join(part for part in parts if part),
                within["value"], within["low"], within["high"], found.parameters.currency, 0.6, "finding",
                "contract_value")
    ]  # fmt: skip
    if found.fees != "apart":
        share = None if formats.is_missing(found.fee_share) else found.fee_share
        made.append(Finding("value.contracts_in_orders", CHAPTER, _fees(found), share, unit="share", importance=0.5,
                            kind="caution", figure="contract_value"))  # fmt: skip
    return made


def _test_in_short(found: "Contracts") -> str:
    held = found.holdout
    if held is None or held.scores.empty:
        return _("How well such forecasts come true could not be tested.")
    model = held.scores[held.scores["plan"].isna() & (held.scores["forecaster"] == MODEL)].iloc[0]
    return _("Tested since {cut}, the model expected {predicted} of {n} contracts to come through; {actual} did.",
             cut=formats.date(held.cut), predicted=formats.number(model["predicted"], 0),
             n=formats.number(model["contracts"]), actual=formats.number(model["actual"]))  # fmt: skip


def _on_top(found: "Contracts") -> str:
    if found.fees == "apart":
        return _("Customer equity counts orders only, so this comes on top.")
    return ""


def beyond(found: "Contracts") -> float:
    """Share of the value of all renewals from those that no contract has come to yet; missing where unbounded."""
    assert found.value is not None
    whole = found.value.total["value"]["value"]
    return float(found.value.plans["beyond"].sum()) / whole if math.isfinite(whole) and whole else math.nan


def _all_renewals(found: "Contracts", value: dict[str, float]) -> str:
    if math.isinf(value["value"]):
        return _("All renewals to come have no finite value: without a discount, contracts whose churn keeps falling "
                 "(alpha ≤ 1) are expected to be renewed without end.")  # fmt: skip
    text = _(
        "All renewals to come would be {value} ({bounds})",
        value=money(found, value["value"]),
        bounds=_bounds(found, value["low"], value["high"]),
    )
    far = beyond(found)
    if far >= MOSTLY_BEYOND:
        assert found.value is not None
        text += _(", but {share} of that lies beyond any renewal seen so far; at one constant churn it would be {flat}",
                  share=formats.percent(far), flat=money(found, found.value.plans["constant"].sum()))  # fmt: skip
    return f"{text}."


# Captions


def caption(found: "Contracts", name: str) -> Caption:
    """The words around a chart or table of the part."""
    made: dict[str, Callable[[Contracts], Caption]] = {
        "contract_value": _value_caption,
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
    title = _("{n} running contracts are worth {value} over the {horizon}", n=n, value=money(found, within["value"]),
              horizon=horizon(found))  # fmt: skip
    subtitle = _("Fees of renewals still to come × margin, discounted, {currency}, by plan; {level} intervals hold "
                 "parameters and chance", currency=found.parameters.currency, level=_level(found))  # fmt: skip
    reading = _(
        "The running period counts as paid; each renewal pays one period in advance. *Renewals to come* is the "
        "discounted expected residual lifetime (DERL). *Beyond what was seen* is the share of the value of all "
        "renewals that comes from renewals no contract of the plan has come to yet: extrapolated. *If churn stayed "
        "constant* leaves out that those who stay are the loyal ones; it is mostly too low."
    )
    return Caption(title, subtitle, _source(found, _terms(found)), reading)


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
            plan=_plan(plan.name),
            count=formats.number(last),
        )
    subtitle = _("Contracts still running by renewal: observed (Kaplan-Meier), the model and its projection, by plan; "
                 "{level} intervals", level=_level(found))  # fmt: skip
    reading = _("Dots are observed with their interval; the line is the model, dashed right of the dotted mark, where "
                "nobody has been seen. Its band holds uncertain parameters, not chance.")  # fmt: skip
    return Caption(title, subtitle, _source(found), reading)


def _retention_caption(found: "Contracts") -> Caption:
    from perennial.analysis.shifted_beta_geometric import retention

    plan = _shown(found)
    title = _("Too few renewals to say how retention changes")
    if plan.model is not None and plan.model.name != "sBG":
        title = _("Retention of {plan} shows no rise: {rate} at every renewal", plan=_plan(plan.name),
                  rate=formats.percent(1 - plan.model.churn, 1))  # fmt: skip
    elif plan.model is not None:
        last = _known(found, plan)[0]
        first, later = (float(retention(plan.model.alpha, plan.model.beta, t)) for t in (1, last))
        title = _("Retention of {plan} rises from {first} to {later} by renewal {n}", plan=_plan(plan.name),
                  first=formats.percent(first), later=formats.percent(later), n=formats.number(last))  # fmt: skip
    subtitle = _("Share renewed of the contracts that come to each renewal: observed (Wilson) and the model, by plan; "
                 "{level} intervals", level=_level(found))  # fmt: skip
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
                 "model's share for the same renewals; value of those running", level=_level(found))  # fmt: skip
    reading = _("One model per plan is fitted to all start years together.")
    small = frame[frame["contracts"] < found.parameters.minimum_group]
    if len(small):
        reading += " " + _("Start years of fewer than {n} contracts say little.",
                           n=formats.number(found.parameters.minimum_group))  # fmt: skip
    return Caption(title, subtitle, _source(found, _terms(found)), reading)


def _projection_caption(found: "Contracts") -> Caption:
    frame = found.projection
    row = frame[frame["plan"] == frame["plan"].iloc[0]].iloc[-1]
    title = plural(
        "Of {n} running {plan}, about {left} come through the next renewal",
        "Of {n} running {plan}, about {left} come through the next {count} renewals",
        int(row["ahead"]), n=formats.number(row["running"]), plan=_plan(str(row["plan"])),
        left=formats.number(row["expected"], 0), count=formats.number(row["ahead"]),
    )  # fmt: skip
    subtitle = _("Running contracts still there after further renewals, expected, with {level} intervals: both kinds "
                 "of uncertainty, uncertain parameters alone, chance alone", level=_level(found))  # fmt: skip
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
                 "{cut}; {level} interval of the model", cut=formats.date(held.cut), level=_level(found),
                 date=formats.date(found.parameters.as_of))  # fmt: skip
    reading = winner(found)
    for plan, reason in held.reasons.items():
        reading += " " + _("{plan} could not be tested. {reason}", plan=_the_plan(plan), reason=reason)
    return Caption(
        title, subtitle, _source(found, _("The error is per contract, of the chance to come through.")), reading
    )


def _parameter_caption(found: "Contracts") -> Caption:
    plan = found.modelled[0]
    assert plan.model is not None
    title = _("{rate} of {plan} end at their first renewal, as the model has it", plan=_plan(plan.name),
              rate=formats.percent(plan.model.churn, 1))  # fmt: skip
    subtitle = _("Shifted beta-geometric by plan, time in renewals, with standard errors; AIC beside that of one "
                 "constant churn (lower is better)")  # fmt: skip
    return Caption(title, subtitle, _source(found))


def absent(found: "Contracts", name: str) -> str:
    """Why a chart or table is not shown."""
    if not found.plans:
        why = " ".join(_left_out(found)) or _("There are no contracts.")
        return _("Not shown: no plan has a recognisable rhythm and enough contracts. {why}", why=why)
    if name == "contract_holdout":
        if found.holdout_reason:
            return _("Not shown: {reason}", reason=found.holdout_reason)
        if found.holdout is not None and found.holdout.reasons:
            texts = [f"{_plan(plan)}: {reason}" for plan, reason in found.holdout.reasons.items()]
            return _("Not shown: at the cut no plan could be fitted. {reasons}", reasons=" ".join(texts))
        return _("Not shown: of contracts running at the cut none came up for renewal since, or too few had begun.")
    reasons = list(dict.fromkeys(plan.reason for plan in found.plans if plan.reason))
    if reasons:
        return _("Not shown: {reason}", reason=" ".join(reasons))
    if name == "contract_value":
        return _("Not shown: running contracts with a price per month are needed, and there are none.")
    return _("Not shown: there are no running contracts.")


# Tables


def value_formats(amount: Callable[[Any], str]) -> Look:
    """Of the table of values."""
    amounts = ("per_month", "within", "within_low", "within_high", "value", "value_low", "value_high", "constant")
    return {**dict.fromkeys(amounts, amount), "derl": _one, "beyond": formats.percent, "contracts": _whole}


def cohort_formats(amount: Callable[[Any], str]) -> Look:
    """Of the table of start years."""
    shares = dict.fromkeys(("retention", "low", "high", "projected"), partial(formats.percent, digits=1))
    amounts = dict.fromkeys(("within", "within_low", "within_high"), amount)
    whole = dict.fromkeys(("contracts", "offered", "running"), _whole)
    return {**shares, **amounts, **whole, "cohort": str}


def count_formats() -> Look:
    """Of the table of projected counts."""
    names = ("running", "expected", "low", "high", "parameter_low", "parameter_high", "process_low", "process_high")
    return dict.fromkeys(names, _whole)


def score_formats() -> Look:
    """Of the table of hold-out scores."""
    whole = dict.fromkeys(("contracts", "actual", "predicted", "low", "high"), _whole)
    return {**whole, "forecaster": forecaster_name, "bias": _signed, "rmse": partial(formats.number, digits=3)}


def parameter_formats() -> Look:
    """Of the table of parameters."""
    three = dict.fromkeys(("alpha", "alpha_error", "beta", "beta_error"), partial(formats.number, digits=3))
    one = dict.fromkeys(("loglik", "aic", "bic", "aic_constant"), _one)
    return {**three, **one, "churn": partial(formats.percent, digits=1)}


def forecaster_name(name: str) -> str:
    """A forecast of renewals in words."""
    return {
        MODEL: _("model"),
        CONSTANT: _("one constant churn"),
        LAST: _("last observed retention goes on"),
    }[name]


def _whole(value: Any) -> str:
    return formats.number(value, 0)


def _one(value: Any) -> str:
    return _("no bound") if not formats.is_missing(value) and math.isinf(value) else formats.number(value, 1)


def _signed(share: float) -> str:
    return formats.signed(
        share, lambda value: formats.percent(abs(value)) if value >= 0 else f"−{formats.percent(-value)}"
    )


def labels(found: "Contracts") -> dict[str, dict[str, str]]:
    """Headings of each table, by its name."""
    low, high = _("low"), _("high")
    within = {"within": _("value, {horizon}", horizon=horizon(found)), "within_low": low, "within_high": high}
    curve = {
        "at_risk": _("came to it"),
        "survival": _("still running"), "survival_low": low, "survival_high": high,
        "retention": _("renewed"), "retention_low": low, "retention_high": high,
        "model_survival": _("model"), "model_survival_low": low, "model_survival_high": high,
        "model_retention": _("model"), "model_retention_low": low, "model_retention_high": high,
    }  # fmt: skip
    return {
        "contract_value": {
            "contracts": _("running"), "per_month": _("fees a month"), **within, "derl": _("renewals to come"),
            "value": _("value, all renewals"), "value_low": low, "value_high": high,
            "beyond": _("beyond what was seen"), "constant": _("all renewals if churn stayed constant"),
        },
        "contract_survival": curve,
        "contract_retention": curve,
        "contract_cohorts": {
            "cohort": _("began in"), "offered": _("renewals offered"), "retention": _("renewed"), "low": low,
            "high": high, "projected": _("model"), "running": _("running with a price"), **within,
        },
        "contract_projection": {
            "ahead": _("renewals ahead"), "running": _("running now"), "expected": _("still there"), "low": low,
            "high": high, "parameter_low": _("parameters: low"), "parameter_high": high,
            "process_low": _("chance: low"), "process_high": high,
        },
        "contract_holdout": {
            "forecaster": _("forecast"), "actual": _("came through"), "predicted": _("foretold"),
            "bias": _("total off"), "rmse": _("root mean square error"), "low": low, "high": high,
        },
        "contract_parameters": {
            "period": _("renewed every"), "churn": _("end at first renewal"), "alpha": _("alpha"),
            "alpha_error": _("s.e. alpha"), "beta": _("beta"), "beta_error": _("s.e. beta"),
            "loglik": _("log-likelihood"), "aic": "AIC", "bic": "BIC", "aic_constant": _("AIC, constant churn"),
        },
    }  # fmt: skip
