"""The words of the section on what single customers may do."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.clv import MONTH_DAYS
from perennial.analysis.uncertainty import reach
from perennial.analysis.value import ValueResult
from perennial.chapters import phrases
from perennial.chapters import value_words as words
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.value_behaviour import Section

NOTABLE = 0.03  # a mean chance this far from what came is said to err


def money(made: "Section", value: float) -> str:
    """An amount in the client's currency, rounded as all of chapter 05."""
    return words.amount(value, made.result.settings["currency"])


def source(made: "Section", customers: float, more: str = "") -> str:
    """The line under a chart."""
    p = made.client.parameters
    return phrases.source_of_customers(p.title, p.as_of, int(customers), more)


def horizon_days(result: ValueResult) -> float:
    """The horizon in days."""
    return int(result.settings["horizon_months"]) * MONTH_DAYS


def nobody_leaves(result: ValueResult) -> str:
    """Why nothing is said of leaving."""
    return _(
        "Not shown: in the model used, {model}, nobody leaves, so P(alive) says nothing.", model=result.purchase.name
    )


def counts(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the calibration histogram."""
    worst = frame.loc[(frame["actual"] - frame["expected"]).abs().idxmax()]
    told = {name: formats.number(worst[name], 0) for name in ("actual", "expected")}
    title = _("{actual} customers never came back, the model expects {expected}: its largest miss", **told)
    if worst["first"] or worst["last"]:
        times = _times(worst)
        title = _(
            "{actual} customers came back {count}, the model expects {expected}: its largest miss", count=times, **told
        )
    inside = int(frame["actual"].between(frame["low"], frame["high"]).sum())
    total = float(frame["miss"].sum())
    off = float((frame["actual"] - frame["expected"]).abs().sum() / 2 / frame["actual"].sum())
    reading = _(
        "{inside} of {all} bars lie within the reach of chance. The squared misses, each divided by what was expected, "
        "add up to {total} (about {free} where a model is right), {part} of it from one bar. "
        "In all {share} of customers would have to move to another bar to fit the model. This is how well "
        "the model describes the days it was fitted on, not how well it foresees.",
        inside=formats.number(inside),
        all=formats.number(len(frame)),
        total=formats.number(total, 1),
        free=formats.number(max(len(frame) - 1 - len(made.result.purchase.names), 1)),
        part=formats.percent(float(frame["miss"].max()) / total if total else 0.0),
        share=formats.percent(off, 1),
    )
    subtitle = _(
        "Customers by repeat purchase days so far; {model} adds up each customer's own chances; lines: chance, {level}",
        model=made.result.purchase.name,
        level=formats.percent(made.level),
    )
    return Caption(title, subtitle, source(made, frame["actual"].sum()), reading)


def _times(bar: pd.Series) -> str:
    if formats.is_missing(bar["last"]):
        return _("{n} times or more", n=formats.number(bar["first"]))
    if bar["first"] == bar["last"] <= 2:
        return _("once") if bar["first"] == 1 else _("twice")
    return _("{n} times", n=span(bar["first"], bar["last"]))


def last_count(count: float) -> str:
    """The end of a bar of counts."""
    return _("and more") if formats.is_missing(count) else formats.number(count, 0)


def recency(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the hold-out by recency."""
    held = made.result.holdout
    assert held is not None
    first, last = frame.iloc[0], frame.iloc[-1]
    title = _("There are too few groups to compare")
    if len(frame) > 1:
        title = _(
            "Silent under {near}: {more} purchase days each; silent {far} or more: {less}",
            near=_week_count(int(first["last_week"]) + 1),
            more=formats.number(first["actual"], 1),
            far=_week_count(int(last["first_week"])),
            less=formats.number(last["actual"], 2),
        )
    subtitle = _(
        "Mean purchase days in the {days} after the cut by weeks of silence before; lines: {level} interval",
        days=words.day_count(held.holdout_days),
        level=formats.percent(made.level),
    )
    wrong = frame.assign(off=(frame["predicted"] - frame["actual"]) * frame["customers"])
    worst = wrong.loc[wrong["off"].abs().idxmax()]
    reading = _(
        "Most is missed among those silent for {weeks}: {predicted} purchase days each by the model, {actual} "
        "came. Of all customers {bought} bought at all; the chances the model gave them average {chance}.",
        weeks=_weeks(worst),
        predicted=formats.number(worst["predicted"], 2),
        actual=formats.number(worst["actual"], 2),
        **{name: formats.percent(share) for name, share in _tested(frame).items()},
    )
    note = _("Orders up to {cut} were known to the model.", cut=formats.date(held.cut))
    return Caption(title, subtitle, source(made, frame["customers"].sum(), note), reading)


def _weeks(row: pd.Series) -> str:
    first, last = int(row["first_week"]), int(row["last_week"])
    if last == 0:
        return _("less than a week")
    if first == last:
        return _week_count(first)
    return _("{first}–{last} weeks", first=formats.number(first), last=formats.number(last))


def _week_count(weeks: int) -> str:
    return plural("{count} week", "{count} weeks", weeks, count=formats.number(weeks))


def _tested(frame: pd.DataFrame) -> dict[str, float]:
    """Shares of the customers of all groups: who ``bought`` in the hold-out, and the mean ``chance`` of it."""
    people = frame["customers"]
    return {name: float(people @ frame[name] / people.sum()) for name in ("bought", "chance")}


def band(cell: pd.Series) -> str:
    """The counts of a row or bar: ``3``, ``4–6``, ``23 or more``."""
    if formats.is_missing(cell["last"]):
        return _("{n} or more", n=formats.number(cell["first"]))
    return span(cell["first"], cell["last"])


def span(first: float, last: float) -> str:
    """Two ends: ``4–6``, or one where they are the same."""
    first, last = round(first), round(last)
    return formats.number(first) if first == last else f"{formats.number(first)}–{formats.number(last)}"


def history(made: "Section", frame: pd.DataFrame, customer_id: str) -> Caption:
    """Around one customer's history; the id as the client has it."""
    end, bought = frame.iloc[-1], frame[frame["bought"]]
    last = bought.iloc[-1]
    silent = int((end["day"] - last["day"]).days)
    if formats.is_missing(end["p_alive"]):
        title = _("Customer {id} bought once; the model cannot judge that", id=customer_id)
    else:
        title = _(
            "Customer {id}: silent {days}, P(alive) {now}, after the last purchase {then}",
            id=customer_id,
            days=formats.days(silent),
            now=formats.percent(end["p_alive"]),
            then=formats.percent(last["p_alive"]),
        )
    subtitle = _(
        "P(alive) by day, {model}, with {level} interval; ticks: {n} purchase days; as of {date}",
        model=made.result.purchase.name,
        level=formats.percent(made.level),
        n=formats.number(len(bought)),
        date=formats.date(made.client.parameters.as_of),
    )
    reading = _(
        "Among the most valuable tenth, the customer whose P(alive) fell most since the last purchase. Each day is "
        "judged from the purchases up to it, with today's parameters."
    )
    p = made.client.parameters
    line = _("Source: orders of {title} to {date}; n = 1 customer.", title=p.title, date=formats.date(p.as_of))
    return Caption(title, subtitle, line, reading)


def orders(made: "Section", ahead: dict[str, float]) -> str:
    """How many customers order in the next period, and how such chances did in the hold-out."""
    result = made.result
    low, high = ahead_bounds(made, ahead)
    text = _(
        "In the next {days} days probably {n} of {all} customers order ({share}; {level} interval {bounds}); for "
        "{likely} the chance is better than even (column probability_of_order of the customers' file).",
        days=formats.number(result.settings["order_days"]),
        n=formats.number(ahead["expected"], 0),
        all=formats.number(made.customers),
        share=formats.percent(ahead["expected"] / made.customers),
        level=formats.percent(made.level),
        bounds=formats.interval(low, high, lambda value: formats.number(value, 0)),
        likely=formats.number(ahead["likely"], 0),
    )
    if result.holdout is None:
        return text + " " + _("Such chances could not be tested.")
    tested = _tested(result.holdout.by_recency)
    days = words.day_count(result.holdout.holdout_days)
    return f"{text} {_judged(tested, days)}"


def of_all(made: "Section") -> str:
    """That the pictures show the models of all customers, where single customers are judged by those of their group."""
    if not made.result.apart:
        return ""
    return _(
        "Chances, next orders and values of single customers come from the models of their group; the tables of "
        "P(alive) and expected purchases show the one model of all customers."
    )


def _judged(tested: dict[str, float], days: str) -> str:
    """How such chances did in the hold-out, and which way the present ones may err."""
    told = {name: formats.percent(share) for name, share in tested.items()}
    text = _(
        "Tested on {days} it had not seen, the model gave a chance of {chance} on average; {bought} bought.",
        days=days,
        **told,
    )
    off = tested["chance"] - tested["bought"]
    if abs(off) < NOTABLE:
        return text
    return text + " " + (_("More may order than stated.") if off < 0 else _("Fewer may order than stated."))


def next_order(made: "Section") -> str:
    """What the column of the next order means, and for how many customers it holds a day."""
    rows = made.result.rows
    known = float(rows.loc[rows["next_order_on"].notna(), "weight"].sum())
    return _(
        "The customers' file also names the day by which a customer, if still active, has ordered again with "
        "probability one half (column next_order_on); for {n} of {all} it lies within the {horizon}. Silence beyond it "
        "proves nothing yet: half of the active take longer.",
        n=formats.number(known, 0),
        all=formats.number(made.customers),
        horizon=words.horizon(made.result),
    )


def ahead_bounds(made: "Section", ahead: dict[str, float]) -> tuple[float, float]:
    """Interval of the customers who order."""
    wide = reach(made.level) * ahead["error"]
    return max(ahead["expected"] - wide, 0.0), min(ahead["expected"] + wide, float(made.customers))


def bringing(made: "Section", share: float, error: float) -> str:
    """Who brings four fifths of the future; empty where nothing is expected of anybody."""
    if formats.is_missing(share):
        return ""
    low, high = share_bounds(made, share, error)
    doubt = ""
    if low is not None:
        bounds = formats.interval(low, high, lambda value: formats.percent(value, 1))
        doubt = _(" ({level} interval of the fit {bounds})", level=formats.percent(made.level), bounds=bounds)
    what = _("value") if made.result.spend else _("purchases")
    return _(
        "{share} of customers, {n}, are expected to bring 80 % of the {what} of the {horizon}{doubt}; it will "
        "probably turn out more uneven, because chance adds to the differences that are foreseen.",
        share=formats.percent(share, 1),
        n=formats.number(share * made.customers, 0),
        what=what,
        horizon=words.horizon(made.result),
        doubt=doubt,
    )


def share_bounds(made: "Section", share: float, error: float) -> tuple[float | None, float | None]:
    """Interval of a share, from its standard error; None where that is unknown."""
    if formats.is_missing(error):
        return None, None
    wide = reach(made.level) * error
    return max(share - wide, 0.0), min(share + wide, 1.0)
