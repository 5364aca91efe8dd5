"""The scorecard as one block of a page: dimensions and criteria with their colours, each also a shape and a word."""

import html
from collections.abc import Mapping

import pandas as pd

from perennial.charts import theme
from perennial.language import _
from perennial.report import blocks

# Shape, background and ink of each status: told apart without colour, in print and by a screen reader. Green is not
# filled, so that the eye goes to the others.
_LOOKS: dict[str, tuple[str, str, str]] = {
    "green": ("●", "#ffffff", theme.GOOD),
    "amber": ("▲", theme.AMBER, theme.INK),
    "red": ("■", theme.BAD, "#ffffff"),
    "not_measured": ("○", "#ffffff", theme.GREYS[0]),
}


def scorecard(frame: pd.DataFrame, names: Mapping[str, str]) -> str:
    """A table of criteria under their dimensions.

    Parameters
    ----------
    frame : ``dimension, dimension_status, criterion, status, measured, amber, red, at_stake, reason``, as read.
    names : status → what it is called.
    """
    parts = [_head()]
    for (dimension, status), rows in frame.groupby(["dimension", "dimension_status"], sort=False):
        cells = "".join(_row(row, names) for row in rows.to_dict("records"))
        chip = _chip(str(status), names[str(status)])
        title = f'<th scope="rowgroup" colspan="5">{html.escape(str(dimension))}</th><td>{chip}</td>'
        parts.append(f'<tbody><tr class="dimension">{title}</tr>{cells}</tbody>')
    whole = f'<div class="table-box"><table class="scorecard">{"".join(parts)}</table></div>'
    return whole + _why(frame)


def _head() -> str:
    names = (_("Criterion"), _("Found"), _("At stake"), _("Amber"), _("Red"), _("Status"))
    cells = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _row(row: Mapping[str, str], names: Mapping[str, str]) -> str:
    cells = "".join(f"<td>{html.escape(row[name])}</td>" for name in ("measured", "at_stake", "amber", "red"))
    short = names[row["status"]].split(":")[0]
    head = f'<th scope="row">{html.escape(row["criterion"])}</th>'
    return f"<tr>{head}{cells}<td>{_chip(row['status'], short)}</td></tr>"


def _chip(status: str, words: str) -> str:
    shape, back, ink = _LOOKS[status]
    style = f"background:{back};color:{ink}"
    return f'<span class="chip" style="{style}"><span aria-hidden="true">{shape}</span> {html.escape(words)}</span>'


def _why(frame: pd.DataFrame) -> str:
    reasons = frame[["criterion", "amber", "red", "reason"]]
    inner = blocks.table(reasons, "audit_scorecard", rows=len(reasons))
    return f"<details><summary>{html.escape(_('Why the limits lie where they do'))}</summary>{inner}</details>"
