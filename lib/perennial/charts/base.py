"""Charts of the customer base: periods by new and returning, what moved revenue, how it is spread."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from perennial import formats
from perennial.charts import theme
from perennial.language import _

_HATCH = "///"
Namer = Callable[[str], str]
_BACKING = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5}


def revenue_by_period(periods: pd.DataFrame, currency: str, unit: str, *, ax: Axes | None = None) -> Axes:
    """Revenue per period, returning customers below, new ones above.

    Parameters
    ----------
    periods : ``period, new_revenue, returning_revenue, finished, known``.
    """
    ax = ax or theme.new_axes()
    theme.money_axis(ax.yaxis, currency)
    return _new_and_returning(ax, periods, "revenue", unit)


def customers_by_period(periods: pd.DataFrame, unit: str, *, ax: Axes | None = None) -> Axes:
    """Customers with a purchase per period, returning below, new above (``…_customers`` instead of ``…_revenue``)."""
    ax = ax or theme.new_axes()
    theme.number_axis(ax.yaxis)
    return _new_and_returning(ax, periods, "customers", unit)


def _new_and_returning(ax: Axes, periods: pd.DataFrame, measure: str, unit: str) -> Axes:
    places = np.arange(len(periods))
    new, returning = (periods[f"{group}_{measure}"].astype("float64").to_numpy() for group in ("new", "returning"))
    known = periods["known"].to_numpy(dtype=bool)
    # money returned can make a part negative: parts below zero hang from the axis
    base = np.where(new * returning >= 0, returning, 0.0)
    ax.bar(places, returning, width=0.86, color=theme.ACCENT)
    fresh = np.where(known, theme.GREYS[1], theme.ACCENT_LIGHT)
    ax.bar(places, new, bottom=base, width=0.86, color=list(fresh))
    _hatch_unfinished(ax, places, new, returning, ~periods["finished"].to_numpy(dtype=bool))
    _name_above(
        ax,
        [
            (_("returning"), theme.ACCENT, bool(returning.any())),
            (_("new"), theme.ACCENT_LIGHT, bool(new[~known].any())),
            (_("new to the data only"), theme.GREYS[1], bool(known.any())),
            (_("period not complete"), None, not bool(periods["finished"].all())),
        ],
    )
    theme.period_axis(ax, [formats.period(day, unit) for day in periods["period"]], most=8)
    ax.set_xlim(-0.7, max(len(periods), 6) - 0.3)
    return ax


def _hatch_unfinished(ax: Axes, places: np.ndarray, new: np.ndarray, returning: np.ndarray, open_: np.ndarray) -> None:
    if open_.any():
        height = new + returning
        ax.bar(places[open_], height[open_], width=0.86, facecolor="none", edgecolor="white", hatch=_HATCH, linewidth=0)


def _name_above(ax: Axes, names: list[tuple[str, str | None, bool]]) -> None:
    """Name the parts in a line above the plot, each beside its colour."""
    shown = [(name, colour) for name, colour, there in names if there]
    patches = [_patch(colour) for _name, colour in shown]
    if shown:
        ax.legend(
            patches, [name for name, _colour in shown], loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(shown),
            handlelength=1, handleheight=1, borderpad=0, borderaxespad=0.4, columnspacing=1.4, fontsize=9.5,
        )  # fmt: skip


def _patch(colour: str | None) -> Rectangle:
    if colour is None:
        return Rectangle((0, 0), 1, 1, facecolor=theme.GREYS[1], edgecolor="white", hatch=_HATCH)
    return Rectangle((0, 0), 1, 1, color=colour)


def revenue_bridge(
    drivers: pd.DataFrame, revenue: tuple[float, float], names: Namer, ends: tuple[str, str], currency: str,
    *, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """From the earlier window's revenue to the later one's, step by step; steps hang where the last one ended.

    Parameters
    ----------
    drivers : ``driver, effect``; the effects sum to the change of ``revenue``. Steps of nothing are left out.
    names : driver → words; ``ends`` names the two windows.
    """
    ax = ax or theme.new_axes(height=3.3)
    before, after = revenue
    steps = drivers[drivers["effect"].abs() > 1e-9 * max(abs(before), abs(after), 1e-9)]
    labels = [ends[0], *[names(driver) for driver in steps["driver"]], ends[1]]
    level = before
    places = range(len(labels))
    ax.barh(0, before, height=0.62, color=theme.GREYS[1])
    for place, effect in enumerate(steps["effect"], start=1):
        ax.barh(place, effect, left=level, height=0.62, color=theme.ACCENT if effect > 0 else theme.WARNING)
        ax.plot([level, level], [place - 1.31 + 0.62, place + 0.31], color=theme.GREYS[1], linewidth=0.8)
        _write(ax, max(level, level + effect), place, formats.signed(effect, lambda v: formats.money(v, currency)))
        level += effect
    ax.plot([level, level], [len(labels) - 1.69, len(labels) - 0.69], color=theme.GREYS[1], linewidth=0.8)
    ax.barh(len(labels) - 1, after, height=0.62, color=theme.GREYS[1])
    _write(ax, max(before, 0), 0, formats.money(before, currency))
    _write(ax, max(after, 0), len(labels) - 1, formats.money(after, currency))
    ax.set_yticks(list(places), labels)
    ax.invert_yaxis()
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([])
    ax.axvline(0, color=theme.GREYS[1], linewidth=1)
    ax.margins(x=0.16)
    if min(before, after, *np.cumsum([before, *steps["effect"]])) >= 0:
        ax.set_xlim(left=0)
    return ax


def _write(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(text, (x, y), (5, 0), textcoords="offset points", va="center", fontsize=9.5)


def movement_bars(
    movement: pd.DataFrame, names: Namer, ends: tuple[str, str], currency: str, *, ax: Axes | None = None
) -> Axes:
    """What each group of customers brought in the two windows, with its size.

    Parameters
    ----------
    movement : ``status, customers, revenue_before, revenue_after``.
    """
    ax = ax or theme.new_axes(height=3.2)
    shown = movement[(movement["customers"] > 0)].reset_index(drop=True)
    places = np.arange(len(shown))
    for offset, column, colour in [(-0.19, "revenue_before", theme.GREYS[1]), (0.19, "revenue_after", theme.ACCENT)]:
        ax.barh(places + offset, shown[column], height=0.36, color=colour)
        for place, value in zip(places, shown[column], strict=True):
            if value:
                _write(ax, max(value, 0), place + offset, formats.money(value, currency))
    sizes = zip(shown["status"], shown["customers"], strict=True)
    labels = [_("{name}\n{n} customers", name=names(status), n=formats.number(n)) for status, n in sizes]
    ax.set_yticks(list(places), labels)
    ax.invert_yaxis()
    ax.grid(False)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.margins(x=0.16)
    if (shown[["revenue_before", "revenue_after"]] >= 0).all(axis=None):
        ax.set_xlim(left=0)
    _name_above(ax, [(ends[0], theme.GREYS[1], True), (ends[1], theme.ACCENT, True)])
    return ax


def revenue_histogram(bins: pd.DataFrame, median: float, mean: float, currency: str, *, ax: Axes | None = None) -> Axes:
    """Customers by revenue on a logarithmic scale, median and mean marked.

    Parameters
    ----------
    bins : ``low, high, customers``.
    """
    ax = ax or theme.new_axes()
    if bins.empty:
        return _nothing(ax, _("nobody has brought revenue above zero"))
    widths = bins["high"] - bins["low"]
    ax.bar(bins["low"], bins["customers"], width=widths * 0.97, align="edge", color=theme.ACCENT_LIGHT)
    ax.set_xscale("log")
    top = float(bins["customers"].max()) * 1.25
    ax.set_ylim(0, top)
    ends = np.log10([bins["low"].iloc[0], bins["high"].iloc[-1]])
    marks = [(median, _("median {value}"), theme.INK), (mean, _("mean {value}"), theme.WARNING)]
    marks = sorted((mark for mark in marks if mark[0] > 0), key=lambda mark: mark[0])
    for place, (value, name, colour) in enumerate(marks):
        along = (np.log10(value) - ends[0]) / (ends[1] - ends[0])
        # the smaller stands left of its line, the larger right; near an edge they turn inward, the second one lower
        right = along < 0.2 or (place > 0 and along < 0.8)
        lower = 15 if place > 0 and (along >= 0.8 or np.log10(marks[0][0]) - ends[0] < 0.2 * (ends[1] - ends[0])) else 0
        ax.axvline(value, color=colour, linewidth=1.2)
        text = name.format(value=formats.money(value, currency, 0 if 10 <= value < 1000 else None))
        ax.annotate(
            text, (value, top), (5 if right else -5, -3 - lower), textcoords="offset points", va="top", color=colour,
            ha="left" if right else "right", fontsize=9.5, bbox=_BACKING,
        )  # fmt: skip
    theme.money_axis(ax.xaxis, currency)
    ax.xaxis.set_minor_formatter("")
    theme.number_axis(ax.yaxis)
    ax.set_ylabel(_("customers"))
    return ax


def _nothing(ax: Axes, why: str) -> Axes:
    """Say in the empty plot why it is empty."""
    ax.annotate(why, (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=theme.GREYS[0])
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def lorenz_curve(curve: pd.DataFrame, top_fifth: float | None, *, ax: Axes | None = None) -> Axes:
    """Share of revenue by share of customers, smallest first, with the part of the best 20 % marked.

    Parameters
    ----------
    curve : ``customer_share, revenue_share``, from (0, 0) to (1, 1).
    top_fifth : share of revenue from the best 20 % of customers.
    """
    ax = ax or theme.new_axes(width=5.2, height=4.4)
    ax.plot([0, 1], [0, 1], color=theme.GREYS[1], linewidth=1)
    ax.annotate(_("everyone the same"), (0.32, 0.32), (-6, 8), textcoords="offset points", color=theme.GREYS[0],
                fontsize=9.5, ha="center", rotation=40, rotation_mode="anchor")  # fmt: skip
    ax.plot(curve["customer_share"], curve["revenue_share"], color=theme.ACCENT)
    if top_fifth is not None:
        rest = 1 - top_fifth
        ax.plot([0.8, 0.8], [rest, 1], color=theme.INK, linewidth=1, linestyle=":")
        ax.plot([0.8], [rest], "o", color=theme.ACCENT, markersize=6)
        ax.annotate(
            _("the other 80 %:\n{share} of revenue", share=formats.percent(rest)), (0.8, rest), (-8, 0),
            textcoords="offset points", ha="right", va="bottom", fontsize=9.5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip
        ax.annotate(
            _("best 20 %:\n{share} of revenue", share=formats.percent(top_fifth)), (0.8, 1), (-8, 0),
            textcoords="offset points", ha="right", va="top", fontsize=9.5, color=theme.ACCENT, weight="bold",
        )  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        theme.percent_axis(axis)
    ax.set_xlim(0, 1)
    ax.set_ylim(min(0.0, float(curve["revenue_share"].fillna(0).min()) * 1.05), 1.02)
    ax.set_xlabel(_("customers, smallest first"))
    ax.set_ylabel(_("revenue"))
    return ax
