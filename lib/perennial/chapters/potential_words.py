"""The words around the charts and tables of chapter 06."""

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis import comparison
from perennial.chapters import phrases
from perennial.charts.potential import look_label, quadrant_label
from perennial.formats import number, percent
from perennial.language import _
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study

TESTS = ("added", "added_complete", "look_wallet", "look_cross_buy", "look_engagement", "look_lifecycle")

WEAK = 0.05  # partial rank correlation under which a score adds next to nothing


def money(study: "Study", value: float) -> str:
    """Money of the client, three figures."""
    return formats.money(value, study.currency)


def amount(study: "Study", value: float) -> str:
    """What is spent on customers: money, or hours of service."""
    if study.facts["cost_unit"] == "hours":
        return _("{n} hours", n=number(value, 0))
    return money(study, value)


def value_name(study: "Study") -> str:
    """What current value means for this client."""
    if study.facts["value_source"] == "clv":
        return _("Expected margin of the next {n} months, logarithmic", n=study.horizon_months)
    return _("Revenue of the last {days}, logarithmic", days=formats.days(study.facts["window_days"]))


def decimal(value: float, digits: int = 2) -> str:
    """A correlation."""
    return number(value, digits)


def window(study: "Study") -> str:
    """The length of the window of spend: a year, or all of a shorter history."""
    return formats.days(study.facts["window_days"])


def holds_a_year(study: "Study") -> bool:
    """Whether that window is a year."""
    return comparison.holds_a_year(study.facts["window_days"])


def last_year(study: "Study") -> str:
    """When what was spent on customers was spent."""
    return _("last year") if holds_a_year(study) else _("in the last {days}", days=window(study))


def span(study: "Study", row: object) -> str:
    """Value with its interval: ``0.09 (90 % interval 0.06 to 0.12)``; a bound beside zero is not written as zero."""
    value, low, high = (float(getattr(row, name)) for name in ("value", "low", "high"))
    fine = [digits for digits in (2, 3, 4) if all(not bound or round(bound, digits) for bound in (low, high))]
    written = partial(decimal, digits=fine[0] if fine else 4)
    return _("{value} ({level} interval {bounds})", value=written(value), level=percent(study.level),
             bounds=formats.interval(low, high, written))  # fmt: skip


def added_size(value: float) -> str:
    """How much a partial correlation of this size adds, in words."""
    sizes = ((WEAK, _("next to nothing")), (0.1, _("little")), (0.3, _("some")))
    return next((word for limit, word in sizes if abs(value) < limit), _("much"))


def whose_strategy(study: "Study") -> str:
    """Who chose strategies and budget shares."""
    return (
        _("the strategy set in the parameters")
        if study.facts["own"]["strategies"]
        else _("the report's default strategy")
    )


def whose_weights(study: "Study") -> str:
    """Who chose the weights."""
    return _("set in the parameters") if study.facts["own"]["weights"] else _("the report's default")


def looks_text(looks: list[str]) -> str:
    """``wallet headroom, cross-buy and lifecycle stage``."""
    names = [look_label(look).lower() for look in looks]
    if len(names) < 2:
        return "".join(names)
    return _("{first} and {last}", first=", ".join(names[:-1]), last=names[-1])


def varied_label(what: str) -> str:
    """What the sensitivity table varies: a look's weight or an axis."""
    axes = {"value": _("Current value"), "potential": _("Potential score")}
    return axes.get(what) or look_label(what)


def labelled_tests(study: "Study") -> pd.DataFrame | None:
    """The tests that the chart shows, named for readers."""
    if study.tests is None:
        return None
    shown = study.tests[study.tests["test"].isin(TESTS)].reset_index(drop=True)
    return shown.assign(label=[_test_label(name) for name in shown["test"]])


def _test_label(name: str) -> str:
    named = {"added": _("Potential score"), "added_complete": _("Score, all looks known")}
    return named.get(name) or look_label(name.removeprefix("look_"))


def test_name(name: str) -> str:
    """What a row of the table of tests compares."""
    named = {
        "score": _("Score with growth"),
        "past_spend": _("Regression on past spend with growth"),
        "gain": _("Difference of the two"),
        "added": _("Score, given past spend"),
        "added_complete": _("Score, given past spend, all looks known"),
    }
    return named.get(name) or _("{look}, given past spend", look=look_label(name.removeprefix("look_")))


def captions(study: "Study", title: str) -> dict[str, Caption]:
    """The words around each chart and table, by name."""
    source = _(
        "Source: data of {title} to {date}; n = {n} customers.",
        title=title, date=formats.date(study.as_of), n=number(study.customers),
    )  # fmt: skip
    made = {
        "potential_map": _map(study, source),
        "potential_quadrants": _quadrants(study, source),
        "potential_strategies": _strategies(study, source),
        "potential_weights": _weights(study, source),
        "potential_profile": _profile(study, source),
        "potential_sensitivity": _sensitivity(study, source),
        "potential_stages": _stages(study, source),
        "potential_growth_stock": _leading(study, "growth_stock", source),
        "potential_sleeping_gold": _leading(study, "sleeping_gold", source),
    }
    if study.tests is not None and study.deciles is not None:
        made |= {"potential_proof": _proof(study, source), "potential_tests": _tests(study, source)}
    if study.wallet_checks is not None:
        made["potential_wallet"] = _wallet(study, source)
    if study.categories is not None:
        made["potential_cross_buy"] = _cross_buy(study, source)
    if study.kinds is not None:
        made["potential_engagement"] = _engagement(study, source)
    if study.facts["misallocation"]["measured"]:
        made["potential_spend"] = _spend(study, source)
    return made


def _map(study: "Study", source: str) -> Caption:
    row = study.quadrant("growth_stock")
    text = _(
        "{n} customers are growth stock: {share} of customers, {value} of current value",
        n=number(row.customers), share=percent(row.customer_share), value=percent(row.value_share),
    )  # fmt: skip
    if study.provisional:
        text = _("Provisional: {n} customers are growth stock, {share} of customers, {value} of current value",
                 n=number(row.customers), share=percent(row.customer_share),
                 value=percent(row.value_share))  # fmt: skip
    subtitle = _("Customers by current value and potential score (0–100); darker where more stand; dashed: cut lines")
    left = _("Customers worth next to nothing are drawn at the left edge.")
    return Caption(text, subtitle, f"{source} {left}")


def _quadrants(study: "Study", source: str) -> Caption:
    top = study.quadrants.sort_values("revenue", ascending=False).iloc[0]
    text = _(
        "{quadrant} holds {share} of all revenue so far",
        quadrant=quadrant_label(top["quadrant"]), share=percent(top["revenue_share"]),
    )  # fmt: skip
    return Caption(text, _("Customers, money and strategy by quadrant; {currency}", currency=study.currency), source)


def _strategies(study: "Study", source: str) -> Caption:
    top = study.quadrants.sort_values("budget_share", ascending=False).iloc[0]
    text = _("{quadrant} gets {budget} of the budget for {value} of current value",
             quadrant=quadrant_label(top["quadrant"]), budget=percent(top["budget_share"]),
             value=percent(top["value_share"]))  # fmt: skip
    return Caption(text, _("Action and budget share by quadrant: {whose}", whose=whose_strategy(study)), source)


def _weights(study: "Study", source: str) -> Caption:
    missing = [look for look in study.weights["look"] if look not in study.measured]
    part = study.weights[study.weights["measured"] & (study.weights["customers"] < study.customers)]
    text = _("All four looks are measured, so that none takes another's weight")
    if missing:
        text = _("Not measured: {looks}; the others share the weight", looks=looks_text(missing))
    elif len(part):
        least = part.sort_values("customers").iloc[0]
        text = _("Four looks are measured, {look} for {share} of customers only",
                 look=look_label(least["look"]).lower(),
                 share=percent(least["customers"] / study.customers))  # fmt: skip
    subtitle = _("Weight of each look in the potential score, share of 1; grey: {whose}", whose=whose_weights(study))
    return Caption(text, subtitle, source)


def _profile(study: "Study", source: str) -> Caption:
    gap = (study.profile.loc["growth_stock"] - study.profile.loc["low_yield"]).dropna()
    text = _("The quadrants cannot be told apart by a single look")
    if len(gap) and gap.max() > 0:
        text = _("{look} sets growth stock apart from low yield most", look=look_label(str(gap.idxmax())))
    subtitle = _("Mean sub-score, 0–1, among customers for whom the look is measured")
    return Caption(text, subtitle, source)


def _sensitivity(study: "Study", source: str) -> Caption:
    worst = study.sensitivity[study.sensitivity["kind"] == "weight"]["changed_share"]
    text = _("With one look, only the cut lines can move a customer")
    if len(worst):
        text = _("A weight a quarter off moves at most {share} of customers", share=percent(worst.max(), 1))
    subtitle = _("Share of customers in another quadrant when one weight moves by 25 % or one cut by 10 points")
    return Caption(text, subtitle, source)


def _stages(study: "Study", source: str) -> Caption:
    top = study.stages.sort_values("customers", ascending=False).iloc[0]
    text = _(
        "The largest stage is {stage}: {share} of customers",
        stage=stage_label(top["stage"]), share=percent(top["customers"] / study.customers),
    )  # fmt: skip
    subtitle = _("Customers, spend in the last {days} and current value by lifecycle stage",
                 days=formats.days(study.facts["window_days"]))  # fmt: skip
    return Caption(text, subtitle, source)


def stage_label(stage: str) -> str:
    """The stage's name as readers see it."""
    names = {"new": _("new"), "growing": _("growing"), "mature": _("mature"), "declining": _("declining"),
             "lapsed": _("lapsed")}  # fmt: skip
    return names[stage]


def _leading(study: "Study", quadrant: str, source: str) -> Caption:
    leading, whole = study.leading[quadrant], study.quadrant(quadrant).current_value
    text = _("Nobody is {quadrant}", quadrant=quadrant_label(quadrant).lower())
    if len(leading) and whole > 0:
        text = _("{n} {quadrant} customers with the highest scores hold {share} of its current value",
                 n=number(len(leading)), quadrant=quadrant_label(quadrant).lower(),
                 share=percent(leading["current_value"].sum() / whole))  # fmt: skip
    elif len(leading):
        text = _("{quadrant} customers are worth nothing today", quadrant=quadrant_label(quadrant))
    reading = phrases.left_out(study.shared[quadrant])
    return Caption(text, _("All customers, with reasons, are in customers.xlsx"), source, reading)


def _proof(study: "Study", source: str) -> Caption:
    assert study.deciles is not None
    top = study.deciles.iloc[-1]
    more = percent(abs(top["lift"] - 1))
    text = _("The top tenth spent as past spend predicts, within chance")
    if top["lift_low"] > 1:
        text = _("The top tenth spent {more} more than past spend predicts", more=more)
    elif top["lift_high"] < 1:
        text = _("The top tenth spent {more} less than past spend predicts", more=more)
    validation = study.facts["validation"]
    subtitle = _(
        "Mean spend per customer in the {days} after {cut}, by tenth of the score of that day; {level} intervals",
        days=formats.days(validation["days"]), cut=formats.date(pd.Timestamp(validation["cut"])),
        level=percent(study.level),
    )  # fmt: skip
    tried = _("Tried on n = {n} customers.", n=number(study.deciles["customers"].sum()))
    return Caption(text, subtitle, f"{source} {tried}")


def _tests(study: "Study", source: str) -> Caption:
    added = study.test("added")
    if added.low > 0:
        text = _("The score adds {size} to past spend: partial rank correlation {value}",
                 size=added_size(added.value), value=decimal(added.value))  # fmt: skip
    elif added.high < 0:
        text = _("The score points the wrong way: partial rank correlation {value}", value=decimal(added.value))
    else:
        text = _("The score adds nothing that can be told from chance")
    subtitle = _("Partial rank correlation with spend in the hold-out, given past spend; {level} intervals",
                 level=percent(study.level))  # fmt: skip
    return Caption(text, subtitle, source)


def _wallet(study: "Study", source: str) -> Caption:
    assert study.wallet_checks is not None
    base = study.wallet_checks.iloc[1]
    text = _(
        "{share} of held-out customers spend less than their peers' {quantile} quantile",
        share=percent(base["coverage_share"]), quantile=number(base["quantile"], 2),
    )  # fmt: skip
    subtitle = _("Quantile regression of spend on {names}; n = {n}; cross-validated",
                 names=", ".join(map(formats.escape, study.facts["wallet"]["attributes"])),
                 n=number(study.facts["wallet"]["fitted"]))  # fmt: skip
    return Caption(text, subtitle, source)


def _cross_buy(study: "Study", source: str) -> Caption:
    text = _("No category stands out as the next one")
    if len(study.next_categories):
        first = study.next_categories.iloc[0]
        text = _("Next-best category most often: {category}, for {n} promising customers",
                 category=formats.escape(first["next_category"]), n=number(first["customers"]))  # fmt: skip
    subtitle = _(
        "Per category: holders, share of the others who add it in {days}, mean spend of those who do, {currency}",
        days=formats.days(study.facts["cross_buy"]["period_days"]), currency=study.currency,
    )  # fmt: skip
    return Caption(text, subtitle, source)


def _engagement(study: "Study", source: str) -> Caption:
    assert study.kinds is not None
    first = study.kinds.iloc[0]
    text = _("{kind} is the most common interaction: {n} customers have one",
             kind=formats.escape(str(first["kind"])).capitalize(), n=number(first["customers"]))  # fmt: skip
    return Caption(text, _("Events and customers by kind of interaction, all time"), source)


def _spend(study: "Study", source: str) -> Caption:
    lost, unit = study.facts["misallocation"], study.facts["cost_unit"]
    text = _("{part} of what was spent on customers {when} would move to another quadrant", when=last_year(study),
             part=percent(lost["misplaced"] / lost["total"]))  # fmt: skip
    what = _("cost of contacts") if unit == "money" else _("hours of service")
    subtitle = _("Share of the {what} of the last {days} by quadrant, beside the budget share of {whose}",
                 what=what, days=window(study), whose=whose_strategy(study))  # fmt: skip
    return Caption(text, subtitle, source)
