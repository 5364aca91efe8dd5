"""The words around the matrices of P(alive) and expected purchases."""

from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.chapters import value_words as words
from perennial.chapters.behaviour_words import band, source, span
from perennial.language import _
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.value_behaviour import Section


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
            days=span(few["from_day"], few["to_day"]),
            few=_repeats(few),
            many=band(many),
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
    text = _("{measure}, by {model} for customers first seen {age} days ago (the median)",
             measure=measure, model=made.result.purchase.name, age=formats.number(age, 0))  # fmt: skip
    if (cells["frequency"] == 0).any():
        text += _(", but who bought once as long ago as they have been silent")
    return text


def _matrix_source(made: "Section", cells: pd.DataFrame) -> str:
    least = made.client.parameters.minimum_group
    note = _("Hatched: fewer than {least} customers stand there.", least=formats.number(least))
    return source(made, cells["customers"].sum(), note)


def _repeats(cell: pd.Series) -> str:
    return _("1 repeat") if cell["last"] == 1 else _("{n} repeats", n=band(cell))
