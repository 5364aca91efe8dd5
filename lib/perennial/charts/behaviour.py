"""Charts of how the purchase model sees customers: counts, silence, P(alive), differences, one history."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from perennial import formats
from perennial.charts import theme
from perennial.language import _


def count_fit(counts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Customers by repeat purchase days: actual (bars) and expected (diamonds, with the reach of chance).

    Parameters
    ----------
    counts : ``first, last`` (counts of a bar; last missing: and more), ``actual, expected, low, high``.
    """
    ax = ax or theme.new_axes()
    places = np.arange(len(counts))
    ax.bar(places, counts["actual"], 0.7, color=theme.GREYS[2], edgecolor=theme.GREYS[1], label=_("actual"))
    ax.vlines(places, counts["low"], counts["high"], color=theme.ACCENT, linewidth=3, alpha=0.45)
    ax.plot(places, counts["expected"], "D", color=theme.ACCENT, markersize=5, label=_("model expects"))
    ax.set_xticks(places, [_band(first, last) for first, last in zip(counts["first"], counts["last"], strict=True)])
    ax.set_xlabel(_("repeat purchase days so far"))
    ax.set_ylabel(_("customers"))
    theme.number_axis(ax.yaxis)
    ax.legend(loc="best")
    return ax


def by_recency(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean hold-out purchases by weeks of silence at the cut: actual with its interval, model and the old rate.

    Parameters
    ----------
    groups : ``first_week, last_week, customers, actual, low, high, predicted, naive``.
    """
    ax = ax or theme.new_axes()
    places = np.arange(len(groups))
    styles = {
        "actual": (theme.INK, "o", "-", _("actual")),
        "predicted": (theme.ACCENT, "D", (0, (4, 2)), _("model")),
        "naive": (theme.GREYS[1], "s", ":", _("same rate as before")),
    }
    ax.vlines(places, groups["low"], groups["high"], color=theme.GREYS[1], linewidth=3, alpha=0.6)
    for column, (colour, marker, line, name) in styles.items():
        ax.plot(places, groups[column], color=colour, marker=marker, linestyle=line, markersize=5, label=name)
    ax.legend(loc="best")
    names = [
        f"{weeks(first, last)}\n{formats.compact(count)}"
        for first, last, count in zip(groups["first_week"], groups["last_week"], groups["customers"], strict=True)
    ]
    ax.set_xticks(places, names, fontsize=9.5 if len(names) <= 10 else 8)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(_("whole weeks since the last purchase at the cut, and customers"))
    ax.set_ylabel(_("purchase days per customer"))
    return ax


def weeks(first: float, last: float) -> str:
    """Weeks of silence as a label: ``0``, ``4–5``."""
    return formats.number(first) if first == last else f"{formats.number(first)}–{formats.number(last)}"


def alive_matrix(cells: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """P(alive) by repeat purchase days (rows) and days since the last purchase (columns), in percent."""
    return _matrix(cells, "p_alive", lambda share: formats.number(100 * share, 0), 1.0, ax)


def expected_matrix(cells: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Expected purchase days by repeat purchase days (rows) and days since the last purchase (columns)."""
    known = cells.loc[cells["shown"], "expected_purchases"]
    top = float(known.quantile(0.95)) if len(known) else 1.0
    return _matrix(cells, "expected_purchases", _short, max(top, 1e-9), ax)


def _short(value: float) -> str:
    return formats.number(value, 0 if value >= 9.95 else 1 if value >= 0.95 else 2)


def _matrix(cells: pd.DataFrame, column: str, style: Callable[[float], str], top: float, ax: Axes | None) -> Axes:
    grid = cells.assign(value=cells[column].where(cells["shown"]))
    grid = grid[grid.groupby("first")["value"].transform("count") > 0]  # rows of nobody say nothing
    table = grid.pivot(index="first", columns="from_day", values="value").sort_index(ascending=False)
    values = table.to_numpy(float)
    ax = ax or theme.new_axes(7.2, float(np.clip(1.1 + 0.36 * len(table), 2.2, 5.2)))
    labels = np.array([["" if np.isnan(cell) else style(cell) for cell in row] for row in values])
    theme.draw_cells(values, labels, top, 9.0, ax)
    for row, column_ in zip(*np.nonzero(np.isnan(values)), strict=True):
        ax.add_patch(Rectangle((column_, row), 1, 1, fill=False, hatch="/////", edgecolor=theme.GREYS[2], linewidth=0))
    rows = grid.drop_duplicates("first").set_index("first")["last"].reindex(table.index)
    ax.set_yticks(np.arange(len(table)) + 0.5, [_band(first, last) for first, last in rows.items()], rotation=0)
    ends = grid.drop_duplicates("from_day").set_index("from_day")["to_day"].reindex(table.columns)
    ax.set_xticks(np.arange(len(ends)) + 0.5, [_band(first, last) for first, last in ends.items()], rotation=0)
    ax.tick_params(labelsize=9)
    ax.set_xlabel(_("days since the last purchase"))
    ax.set_ylabel(_("repeat purchase days"))
    ax.spines[["bottom", "left"]].set_visible(False)
    return ax


def _band(first: float, last: float) -> str:
    if formats.is_missing(last):
        return f"{formats.number(first)}+"
    first, last = round(first), round(last)
    return formats.number(first) if first == last else f"{formats.number(first)}–{formats.number(last)}"


def rates(bins: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of customers by purchases while active, in a year or a month, with mean and quartiles."""
    ax = _spread(bins, lambda value: formats.number(value, 1), ax)
    theme.number_axis(ax.xaxis)
    ax.set_xlabel(_("purchase days while active"))
    return ax


def leaving(bins: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of customers by their chance to leave, after a purchase or within a year, with mean and quartiles."""
    ax = _spread(bins, _percent, ax)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    theme.percent_axis(ax.xaxis, 0 if float(bins["high"].max()) > 0.05 else 2)
    ax.set_xlabel(_("chance to leave"))
    return ax


def _percent(share: float) -> str:
    return formats.percent(share, 0 if share >= 0.01 else 2)


def values(bins: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Share of customers by expected value, with median and mean."""
    ax = _spread(bins, lambda value: formats.money(value, currency, 0 if 10 <= value < 9_999.5 else None), ax)
    theme.money_axis(ax.xaxis, currency)
    ax.set_xlabel(_("expected value of a customer"))
    return ax


def _spread(bins: pd.DataFrame, style: Callable[[float], str], ax: Axes | None) -> Axes:
    """Bins as bars; quartiles as thin lines, the mean as a dashed one; their labels on steps, so that none overlap."""
    ax = ax or theme.new_axes()
    bars, marks = bins[bins["mark"] == ""], bins[bins["mark"] != ""].sort_values("low", kind="stable")
    ax.bar(bars["low"], bars["share"], (bars["high"] - bars["low"]) * 0.94, align="edge", color=theme.ACCENT_LIGHT)
    top, end = float(bars["share"].max()), float(bars["high"].max())
    steps = len(marks)
    ax.set_ylim(0, top * (1.08 + 0.1 * steps))
    for step, (name, value) in enumerate(zip(marks["mark"], marks["low"], strict=True)):
        height = top * (1.04 + 0.1 * (steps - step))
        mean = name == "mean"
        colour = theme.ACCENT if mean else theme.GREYS[0]
        ax.plot([value, value], [0, height], color=colour, linewidth=1.2, linestyle="--" if mean else "-")
        right = value > 0.6 * end
        ax.annotate(
            f"{mark_name(name)} {style(value)}", (value, height), (-5 if right else 5, 0), textcoords="offset points",
            ha="right" if right else "left", va="top", fontsize=9.5, color=colour,
        )  # fmt: skip
    ax.set_xlim(0, max(end, float(marks["low"].max()) * 1.02))
    ax.set_ylabel(_("share of customers"))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # no steps of 2.5, which would round
    theme.percent_axis(ax.yaxis, 0 if top > 0.05 else 1)
    return ax


def mark_name(name: str) -> str:
    """A mark of a distribution in the reader's language; a bin has none."""
    names = {
        "mean": _("mean"),
        "lower quartile": _("lower quartile"),
        "median": _("median"),
        "upper quartile": _("upper quartile"),
    }
    return names.get(name, name)


def history(days: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """One customer: purchases (ticks) and P(alive) by day (line, with its band), to the as-of day.

    Parameters
    ----------
    days : ``day, bought, p_alive, low, high``.
    """
    ax = ax or theme.new_axes(7.2, 3.2)
    ax.fill_between(days["day"], days["low"], days["high"], color=theme.ACCENT_LIGHT, alpha=0.6, linewidth=0)
    ax.plot(days["day"], days["p_alive"], color=theme.ACCENT)
    bought = days.loc[days["bought"], "day"]
    ax.vlines(bought, -0.09, -0.02, color=theme.INK, linewidth=1)
    first, end = (float(date2num(days["day"].iloc[place])) for place in (0, -1))
    span = max(end - first, 1.0)
    ax.axhline(0, color=theme.GREYS[1], linewidth=0.8)
    ax.plot([end], [days["p_alive"].iloc[-1]], "o", color=theme.ACCENT, markersize=5)
    text = f"{formats.percent(days['p_alive'].iloc[-1])}\n{formats.date(days['day'].iloc[-1])}"
    ax.annotate(
        text, (end, float(days["p_alive"].iloc[-1])), (7, 0), textcoords="offset points", va="center", fontsize=9
    )
    ax.annotate(_("purchases"), (end, -0.055), (7, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_xlim(first - 0.02 * span, end + 0.25 * span)
    ax.set_ylim(-0.11, 1.05)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    theme.percent_axis(ax.yaxis)
    ax.set_ylabel(_("P(alive)"))
    locator = AutoDateLocator(minticks=4, maxticks=8)
    ax.set_xticks([tick for tick in locator.tick_values(days["day"].iloc[0], days["day"].iloc[-1]) if tick <= end])
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    return ax
