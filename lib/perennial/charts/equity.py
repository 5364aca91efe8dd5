"""Charts of the customer equity taken apart: by cohort, by horizon, under scenarios."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from perennial import formats
from perennial.charts import theme
from perennial.language import _


def by_cohort(cohorts: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Value of each cohort (bars) with its interval (lines), the oldest first."""
    ax = ax or theme.new_axes()
    places = np.arange(len(cohorts))
    ax.bar(places, cohorts["value"], 0.7, color=theme.ACCENT_LIGHT)
    ax.vlines(places, cohorts["low"], cohorts["high"], color=theme.INK, linewidth=1.4)
    theme.period_axis(ax, cohorts["cohort"].tolist(), most=7)
    theme.money_axis(ax.yaxis, currency)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(_("first purchase"))
    return ax


def by_horizon(horizons: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Equity by how far it looks ahead: dots with their intervals, named."""
    ax = ax or theme.new_axes(height=0.9 + 0.4 * len(horizons))
    _dots(ax, horizons, "value", horizons["horizon"].tolist(), lambda value: formats.money(value, currency))
    theme.money_axis(ax.xaxis, currency)
    ax.set_xlim(0, 1.2 * float(horizons["high"].max()))
    return ax


def what_if(changes: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Relative change of equity by scenario and horizon: dots with their intervals, named."""
    ax = ax or theme.new_axes(height=0.9 + 0.4 * len(changes))
    names = [f"{row.scenario}, {row.horizon}" for row in changes.itertuples()]
    _dots(ax, changes, "share", names, lambda value: f"+{formats.percent(value, 1)}")
    theme.percent_axis(ax.xaxis)
    ax.set_xlim(0, 1.2 * float(changes["high"].max()))
    return ax


def _dots(ax: Axes, frame: pd.DataFrame, column: str, names: list[str], style: Callable[[float], str]) -> None:
    places = np.arange(len(frame))[::-1]
    ax.hlines(places, frame["low"], frame["high"], color=theme.ACCENT_LIGHT, linewidth=5)
    ax.plot(frame[column], places, "o", color=theme.INK, markersize=5)
    for place, value, high in zip(places, frame[column], frame["high"], strict=True):
        ax.annotate(style(value), (high, place), (6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(places, names)
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.grid(False, axis="y")
