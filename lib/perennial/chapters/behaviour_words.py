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
    from collections.abc import Callable

    from perennial.chapters.value_behaviour import Section

NOTABLE = 0.03  # a mean chance this far from what came is said to err


def money(made: "Section", value: float) -> str:
    """An amount in the client's currency, rounded as all of chapter 05."""
    size = abs(value)
    digits = None if size >= words.IN_FULL else 0 if size >= 10 or not size else 2
    return formats.money(value, made.result.settings["currency"], digits=digits)


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
    worst = frame.loc[frame["miss"].idxmax()]
    told = {name: formats.number(worst[name], 0) for name in ("actual", "expected")}
    title = _("Largest miss: {actual} customers never came back, the model expects {expected}", **told)
    if worst["first"] or worst["last"]:
        times = _times(worst)
        title = _(
            "Largest miss: {actual} customers came back {count}, the model expects {expected}", count=times, **told
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
        part=formats.percent(worst["miss"] / total if total else 0.0),
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
    return _("{n} times", n=_span(bar["first"], bar["last"]))


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


def matrix_labels() -> dict[str, str]:
    """Headings of the matrices' tables."""
    return {
        "first": _("repeat purchase days from"),
        "last": _("to"),
        "from_day": _("days silent from"),
        "to_day": _("to day"),
        "frequency": _("computed at repeats"),
        "silence": _("at days silent"),
        "T": _("first seen, days ago"),
        "p_alive_low": _("low"),
        "p_alive_high": _("high"),
        "expected_low": _("low"),
        "expected_high": _("high"),
    }


def alive_matrix(made: "Section", cells: pd.DataFrame) -> Caption:
    """Around the matrix of P(alive): the column in which frequency matters most."""
    title = _("P(alive) by repeat purchases and silence")
    shown = cells[cells["shown"] & (cells["frequency"] > 0)]
    best = max(
        (column for _day, column in shown.groupby("from_day") if len(column) > 1),
        key=lambda column: float(column["p_alive"].iloc[0] - column["p_alive"].iloc[-1]),
        default=None,
    )
    if best is not None:
        few, many = best.iloc[0], best.iloc[-1]
        title = _(
            "Silent {days} days: P(alive) {high} after {few}, {low} after {many}",
            days=_span(few["from_day"], few["to_day"]),
            few=_repeats(few),
            many=_band(many),
            high=formats.percent(few["p_alive"]),
            low=formats.percent(many["p_alive"]),
        )
    once = ""
    if not made.result.purchase.knows_one_time_buyers:
        once = _("{model} cannot judge who bought once: they have no row.", model=made.result.purchase.name)
    elif (cells["frequency"] == 0).any():
        once = _("Who bought once has been silent since the first purchase.")
    wide = float((shown["p_alive_high"] - shown["p_alive_low"]).max() / 2) if len(shown) else float("nan")
    reading = _(
        "The same silence says more of a frequent buyer than of a rare one. {once} {sure}",
        once=once,
        sure=_sure(made, formats.points(wide).lstrip("+"), wide),
    )
    return Caption(title, _matrix_subtitle(made, cells, _("P(alive), %")), _matrix_source(made, cells), reading)


def expected_matrix(made: "Section", cells: pd.DataFrame) -> Caption:
    """Around the matrix of expected purchases."""
    rows = made.result.rows
    few = float(rows.loc[rows["expected_purchases"] < 1, "weight"].sum() / rows["weight"].sum())
    title = _(
        "Fewer than one purchase is expected of {share} of customers, {horizon}",
        share=formats.percent(few),
        horizon=words.horizon(made.result),
    )
    shown = cells[cells["shown"] & (cells["expected_purchases"] > 0)]
    wide = float(((shown["expected_high"] - shown["expected_low"]) / 2 / shown["expected_purchases"]).median())
    reading = _(
        "An expectation is a mean over customers with that history; what one of them does is mostly chance. {sure}",
        sure=_sure(made, formats.percent(wide), wide, typical=True),
    )
    measure = _("Expected purchase days, {horizon}", horizon=words.horizon(made.result))
    return Caption(title, _matrix_subtitle(made, cells, measure), _matrix_source(made, cells), reading)


def _sure(made: "Section", wide: str, value: float, typical: bool = False) -> str:
    if formats.is_missing(value):
        return _("How sure the cells are is not known: the fit gives no standard errors.")
    level = formats.percent(made.level)
    if typical:
        return _("Uncertain parameters move a typical cell by ±{wide} ({level} interval).", wide=wide, level=level)
    return _("Uncertain parameters move no cell by more than ±{wide} ({level} interval).", wide=wide, level=level)


def _matrix_subtitle(made: "Section", cells: pd.DataFrame, measure: str) -> str:
    age = float(
        cells["T"].max() if not (cells["frequency"] > 0).any() else cells.loc[cells["frequency"] > 0, "T"].iloc[0]
    )
    return _("{measure}, by {model} for customers first seen {age} days ago (the median)",
             measure=measure, model=made.result.purchase.name, age=formats.number(age, 0))  # fmt: skip


def _matrix_source(made: "Section", cells: pd.DataFrame) -> str:
    least = made.client.parameters.minimum_group
    note = _("Hatched: fewer than {least} customers stand there.", least=formats.number(least))
    return source(made, cells["customers"].sum(), note)


def _repeats(cell: pd.Series) -> str:
    return _("1 repeat") if cell["last"] == 1 else _("{n} repeats", n=_band(cell))


def _band(cell: pd.Series) -> str:
    if formats.is_missing(cell["last"]):
        return _("{n} or more", n=formats.number(cell["first"]))
    return _span(cell["first"], cell["last"])


def _span(first: float, last: float) -> str:
    first, last = round(first), round(last)
    return formats.number(first) if first == last else f"{formats.number(first)}–{formats.number(last)}"


def spread_labels() -> dict[str, str]:
    """Headings of the tables behind distributions."""
    return {
        "mark": _("mark (none: a bin)"),
        "low": _("value, or bin from"),
        "high": _("bin to"),
        "share": _("share of customers"),
        "error": _("standard error"),
    }


def rates(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the distribution of purchase rates."""
    marks = frame[frame["mark"] != ""].set_index("mark")
    time = words.rate_unit(made.result)[1]
    title = _(
        "Half of customers buy {low} to {high} times {time} while active",
        time=time,
        low=formats.number(marks.loc["lower quartile", "low"], 1),
        high=formats.number(marks.loc["upper quartile", "low"], 1),
    )
    subtitle = _(
        "Share of customers by purchase days {time} while active, {model}; mean {mean} ({level} interval {bounds})",
        time=time,
        model=made.result.purchase.name,
        mean=formats.number(marks.loc["mean", "low"], 1),
        level=formats.percent(made.level),
        bounds=_bounds(made, marks.loc["mean"], lambda value: formats.number(value, 2)),
    )
    note = _("The bars reach the 95th percentile.")
    reading = _("The rates are inferred, not counted: Gamma-distributed by assumption. A low median beside a high mean "
                "means that few customers make most of the purchases.")  # fmt: skip
    return Caption(title, subtitle, source(made, made.customers, note), reading)


def leaving(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the distribution of the chance to leave."""
    marks = frame[frame["mark"] != ""].set_index("mark")
    found = words.leaving(made.result.purchase)
    assert found is not None
    title = _(
        "Half of customers leave {when} with {low} to {high} chance",
        low=_fine(marks.loc["lower quartile", "low"]),
        high=_fine(marks.loc["upper quartile", "low"]),
        when=found[1],
    )
    subtitle = _(
        "Share of customers by their chance to leave {when}, {model}; mean {mean} ({level} interval {bounds})",
        when=found[1],
        model=made.result.purchase.name,
        mean=_fine(marks.loc["mean", "low"], 1),
        level=formats.percent(made.level),
        bounds=_bounds(made, marks.loc["mean"], lambda value: _fine(value, 1)),
    )
    reading = _(
        "Leaving is never seen, only inferred from silence: of all that the model says this is the least certain."
    )
    note = _("The bars reach {top}.", top=_fine(float(frame["high"].max())))
    return Caption(title, subtitle, source(made, made.customers, note), reading)


def _fine(share: float, digits: int = 0) -> str:
    """A share as a percentage, with more digits where it is below one percent."""
    return formats.percent(share, digits if share >= 0.01 else 3 if share < 0.0005 else 2)


def _bounds(made: "Section", mark: pd.Series, style: "Callable[[float], str]") -> str:
    wide = reach(made.level) * mark["error"]
    return formats.interval(mark["low"] - wide, mark["low"] + wide, style)


def values(made: "Section", frame: pd.DataFrame) -> Caption:
    """Around the distribution of expected value."""
    marks = frame[frame["mark"] != ""].set_index("mark")["low"]
    top = float(frame["high"].max())
    title = _(
        "Half of customers are worth less than {median}; the mean is {mean}",
        median=money(made, marks["median"]),
        mean=money(made, marks["mean"]),
    )
    subtitle = _(
        "Share of customers by expected value (clv), {horizon}, {currency}, after margin and discount",
        horizon=words.horizon(made.result),
        currency=made.result.settings["currency"],
    )
    note = _("The bars reach the 95th percentile, {top}; {share} lie above it and are not drawn.",
             top=money(made, top), share=formats.percent(1 - float(frame["share"].sum())))  # fmt: skip
    equity = made.result.equity
    reading = ""
    if equity is not None:
        n = made.customers
        bounds = formats.interval(equity.low / n, equity.high / n, lambda value: money(made, value))
        reading = _("{level} interval of the mean: {bounds}. What customers turn out to be worth will differ more than "
                    "what is expected of them.", level=formats.percent(made.level), bounds=bounds)  # fmt: skip
    return Caption(title, subtitle, source(made, made.customers, note), reading)


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
        "In the next {days} days probably {n} of {all} customers order ({share}; {level} interval {bounds}); {likely} "
        "have a better than even chance (column probability_of_order of the customers' file).",
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
