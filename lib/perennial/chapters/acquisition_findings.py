"""What the section on new customers says: which groups differ, what was left out, and its findings."""

import math
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis import group_models
from perennial.analysis.groupings import ALL
from perennial.analysis.prospects import FAR, Prospect
from perennial.analysis.segments import SIGNIFICANT
from perennial.chapters import acquisition_words as words
from perennial.chapters import phrases
from perennial.chapters.acquisition_captions import PROSPECTS
from perennial.chapters.acquisition_tables import SOURCES
from perennial.language import _, plural
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.value_acquisition import Acquired

CHAPTER = "05_lifetime_value"
MARGINS_DIFFER = 0.02  # a margin in the data this far from the one in the parameters is told


def says(found: "Acquired") -> list[str]:
    """What the section says in its own place."""
    made = [_groups_said(found), _censored(found), _misnamed(found)]
    return [text for text in made if text]


def _groups_said(found: "Acquired") -> str:
    tests, decision = found.result.segmentation.tests, found.result.segmentation.decision
    if not len(tests):
        return ""
    name = decision.grouping or str(tests.sort_values("p_holm", kind="stable")["grouping"].iloc[0])
    if name not in found.result.segmentation.models:
        return ""
    row = tests[tests["grouping"] == name]
    year = group_models.first_year(
        found.result.segmentation.models[name], found.parameters.interval, found.parameters.seed
    )
    each = [
        _(
            "{group} {n} ({low} to {high})",
            group=words.client_name(r.group),
            n=words.one(r.purchases),
            low=words.one(r.low),
            high=words.one(r.high),
        )
        for r in year[year["own"]].itertuples()
    ]
    text = _(
        "By {name}, a new customer is expected to buy again on so many days in the first year ({level} interval): "
        "{each}.",
        name=words.grouping_name(name), level=formats.percent(found.parameters.interval), each="; ".join(each),
    )  # fmt: skip
    if decision.ground == "tested":
        return text + " " + _("Separate models are supported by the test and by the days held back.")
    if decision.ground == "declared":
        return text + " " + _("Separate models are used because the parameters ask for them.")
    why = _("Separate models fit better, but are not shown to forecast unseen days better: one model serves all.")
    if len(row) and not bool(row["supported"].iloc[0]):
        why = _("These differences are within what chance explains: one model serves all.")
        if row["p_holm"].iloc[0] < SIGNIFICANT:
            why = _("These differences are more than chance, but too small to be worth a model for each group (BIC): "
                    "one model serves all.")  # fmt: skip
    return f"{text} {why}"


def _censored(found: "Acquired") -> str:
    if found.beginning.sign == "clear" and found.prospects and found.prospects.since:
        since = formats.date(found.prospects.since)
        if found.prospects.refitted:
            return _("Most customers first seen before {day} were there before the data begins; first orders and "
                     "models of new customers rest on those won since.", day=since)  # fmt: skip
        return _("Most customers first seen before {day} were there before the data begins; first orders rest on "
                 "those won since, repeat purchases on all, for lack of enough new customers.", day=since)  # fmt: skip
    if found.beginning.sign == "possible":
        text = _(
            "Some of the first customers in the data may have bought before it begins. They count as new here, and "
            "what they bring as a first order may be a later one."
        )
        later = found.prospects.later if found.prospects else None
        if later is not None:
            text += " " + _(
                "Without them a new customer is worth {value} ({level} interval {bounds}).",
                value=words.money(found, later.clv), level=formats.percent(found.parameters.interval),
                bounds=words.bounds(found, *later.interval(words.tails(found))),
            )  # fmt: skip
        return text
    return ""


def _misnamed(found: "Acquired") -> str:
    if not found.unknown:
        return ""
    if not found.present:
        return _("acquisition_cost names sources ({names}), but the customers table has none.",
                 names=phrases.listed([words.client_name(name) for name in found.unknown]))  # fmt: skip
    return plural(
        "acquisition_cost names a source that is not in the data: {names}. The sources in the data: {known}.",
        "acquisition_cost names sources that are not in the data: {names}. The sources in the data: {known}.",
        len(found.unknown),
        names=phrases.listed([words.client_name(name) for name in found.unknown]),
        known=phrases.listed([words.client_name(name) for name in found.present]),
    )


def _margins_differ(found: "Acquired") -> str:
    if not found.margin_share or abs(found.margin_rate - found.parameters.gross_margin) < MARGINS_DIFFER:
        return ""
    off = found.margin_rate / found.parameters.gross_margin - 1
    return _(
        "The margin in the data is {measured} of revenue, the one assumed for the future {assumed}: with the measured "
        "one, expected values would be {change}.",
        measured=formats.percent(found.margin_rate, 1), assumed=formats.percent(found.parameters.gross_margin, 1),
        change=_("{share} higher", share=formats.percent(off, 1)) if off > 0
        else _("{share} lower", share=formats.percent(-off, 1)),
    )  # fmt: skip


def findings(found: "Acquired") -> list[Finding]:
    """What a new customer is worth, and the source that returns least."""
    made = []
    if found.prospects and found.prospects.whole:
        made.append(_worth(found, found.prospects.whole))
    if len(found.sources) and found.sources["return"].map(words.is_finite).any():
        made.append(_return(found))
    if text := _margins_differ(found):
        off = found.margin_rate / found.parameters.gross_margin - 1
        made.append(Finding("value.margin_in_data", CHAPTER, text, off, unit="share", importance=0.5, kind="caution",
                            figure="value_equity"))  # fmt: skip
    if found.unknown:
        made.append(Finding("value.unknown_sources", CHAPTER, _misnamed(found), importance=0.5, kind="caution"))
    return made


def _worth(found: "Acquired", whole: Prospect) -> Finding:
    low, high = whole.interval(words.tails(found))
    repeat = whole.clv - float(whole.curve[0])
    text = _(
        "A customer won tomorrow is expected to bring {value} of margin in {horizon} ({level} interval of the mean "
        "{bounds}): {first} with the first order, {repeat} with {n} repeat purchases. That is the most acquiring one "
        "may cost if it is to come back within that time.",
        value=words.money(found, whole.clv),
        horizon=words.horizon(found),
        level=formats.percent(found.parameters.interval),
        bounds=words.bounds(found, low, high),
        first=words.money(found, float(whole.curve[0])),
        repeat=words.money(found, repeat),
        n=words.one(whole.repeat_purchases),
    )
    later = found.prospects.later if found.prospects else None
    if later is not None:
        text += " " + _(
            "Without the first customers, some of whom may have bought before the data begins, it is {value}{limit}.",
            value=words.money(found, later.clv),
            limit=_(": the safer limit") if later.clv < whole.clv else "",
        )
    text = " ".join(part for part in (text, words.tested(found), words.extrapolated(found)) if part)
    return Finding("value.prospect", CHAPTER, text, whole.clv, low, high, found.parameters.currency, 0.7,
                   figure=PROSPECTS)  # fmt: skip


def _back(month: float) -> str:
    """When a cost that is not back within the horizon is."""
    if math.isinf(month):
        return _("nor is it expected back in {years} years", years=formats.number(FAR / 12))
    return _("it is expected back in month {n}", n=formats.number(month))


def _rough(found: "Acquired") -> str:
    """That differences between sources are rough where the test of groups does not support them."""
    tests = found.result.segmentation.tests
    if "source" not in set(tests.get("grouping", [])) or tests.set_index("grouping").loc["source", "supported"]:
        return ""
    return _("Values by source are rough: the test of groups does not support them.")


def _return(found: "Acquired") -> Finding:
    """Of the source that returns least; it is an action only where its whole interval lies below the cost."""
    row = found.sources.iloc[-1]
    facts = {
        "name": words.client_name(row["group"]),
        "cost": words.money(found, row["cost"]),
        "value": words.money(found, row["clv"]),
        "level": formats.percent(found.parameters.interval),
        "bounds": words.bounds(found, row["low"], row["high"]),
        "horizon": words.horizon(found),
        "ratio": words.one(row["return"]),
        "held": words.one(row["ratio"]),
    }
    word = words.verdict(row["clv"], row["low"], row["high"], row["cost"])
    if row["clv"] < row["cost"]:
        text = _(
            "A new customer from {name} costs {cost} and is expected to bring {value} in {horizon} ({level} interval "
            "of the mean {bounds}): within that time it {verdict}; {later}. Pay no more than {value} where the money "
            "has to be back by then, or test a cheaper way. Customers held from there bring {held} times their cost, "
            "all the time since they came and the {horizon} ahead counted. {rough}",
            verdict=word, later=_back(row["far"]), rough=_rough(found), **facts,
        )  # fmt: skip
        if row["group"] == ALL:
            text = _(
                "A new customer costs {cost} and is expected to bring {value} in {horizon} ({level} interval of the "
                "mean {bounds}): within that time it {verdict}; {later}.",
                verdict=word, later=_back(row["far"]), **facts,
            )  # fmt: skip
        text = text.strip()
        return Finding("value.acquisition_return", CHAPTER, text, row["return"], row["low"] / row["cost"],
                       row["high"] / row["cost"], "multiples of cost", 0.75, "action", SOURCES)  # fmt: skip
    text = _("Every source with a stated cost is expected to pay back within {horizon}; {name} returns least, {ratio} "
             "times its cost of {cost} ({level} interval of the mean value {bounds}).", **facts)  # fmt: skip
    if row["group"] == ALL or len(found.sources) == 1:
        text = _("A new customer costs {cost} and is expected to bring {value} in {horizon} ({level} interval of the "
                 "mean {bounds}), {ratio} times as much.", **facts)  # fmt: skip
    return Finding("value.acquisition_return", CHAPTER, text, row["return"], row["low"] / row["cost"],
                   row["high"] / row["cost"], "multiples of cost", 0.65, figure=SOURCES)  # fmt: skip
