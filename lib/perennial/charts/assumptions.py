"""Charts of what the value models assume: no calendar, random buying, and spend apart from frequency."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from perennial.charts import theme
from perennial.charts.value import group_name
from perennial.language import _


def residuals(weeks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Actual over expected purchases per week (dots), the trend (line), and the cut.

    Parameters
    ----------
    weeks : ``week_end, ratio, trend`` (missing where there is none), ``phase``.
    """
    ax = ax or theme.new_axes()
    ends = weeks["week_end"].iloc[[0, -1]]
    ax.plot(ends, [1, 1], color=theme.GREYS[1], linewidth=1)
    ax.plot(weeks["week_end"], weeks["ratio"], "o", color=theme.GREYS[1], markersize=3)
    right = date2num(weeks["week_end"].iloc[-1])
    known = weeks["trend"].notna().any()
    end = float(weeks["trend"].iloc[-1]) if known else 1.0
    if known:
        ax.plot(weeks["week_end"], weeks["trend"], color=theme.ACCENT)
        ax.annotate(
            _("trend"), (right, end), (5, 0), textcoords="offset points", color=theme.ACCENT, va="center", fontsize=9.5
        )
    top = float(np.nanmax(weeks["ratio"])) if weeks["ratio"].notna().any() else 2.0
    top = max(1.5, min(1.1 * top, 3.0))
    if not known or abs(end - 1) > 0.06 * top:
        ax.annotate(
            _("as expected"), (right, 1), (5, 0), textcoords="offset points", color=theme.GREYS[0], va="center",
            fontsize=9.5,
        )  # fmt: skip
    fitted = weeks.loc[weeks["phase"] == "calibration", "week_end"]
    if len(fitted):
        ax.axvline(fitted.iloc[-1], color=theme.GREYS[1], linewidth=1)
        for text, shift, side in ((_("fitted"), -5, "right"), (_("not seen"), 5, "left")):
            ax.annotate(
                text, (date2num(fitted.iloc[-1]), 0.98), (shift, 0), xycoords=ax.get_xaxis_transform(),
                textcoords="offset points", ha=side, va="top", fontsize=9, color=theme.GREYS[0],
            )  # fmt: skip
    first, last = weeks["week_end"].iloc[0], weeks["week_end"].iloc[-1]
    ax.set_xlim(first, last + 0.14 * (last - first))
    ax.set_ylim(0, top)
    theme.percent_axis(ax.yaxis)
    ax.set_ylabel(_("actual, as a share of expected"))
    locator = AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    return ax


def season(months: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Each month against the year (dots with intervals) and the index drawn towards 1 (diamonds).

    Parameters
    ----------
    months : ``month`` (1 to 12), ``raw, low, high, index``.
    """
    ax = ax or theme.new_axes()
    places = np.arange(len(months))
    ax.axhline(1, color=theme.GREYS[1], linewidth=1)
    ax.vlines(places, months["low"], months["high"], color=theme.ACCENT_LIGHT, linewidth=4)
    ax.plot(places, months["raw"], "o", color=theme.ACCENT, markersize=5, label=_("measured, with interval"))
    ax.plot(
        places, months["index"], "D", color=theme.INK, markersize=4, markerfacecolor="white",
        label=_("index, less what chance explains"),
    )  # fmt: skip
    ax.set_xticks(places, [f"{pd.Timestamp(2001, int(month), 1):%b}" for month in months["month"]])
    low, high = float(months["low"].min()), float(months["high"].max())
    ax.set_ylim(max(0, low - 0.1 * (high - low)), high + 0.35 * (high - low))
    ax.legend(loc="upper left", ncols=2)
    theme.percent_axis(ax.yaxis)
    ax.set_ylabel(_("purchases against the year's average"))
    return ax


def regularity(bins: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The earlier gap's share of two (bars), the fitted curve and random buying (flat).

    Parameters
    ----------
    bins : ``low, high, observed, fitted, random``.
    """
    ax = ax or theme.new_axes(height=3.4)
    width = bins["high"] - bins["low"]
    middle = (bins["low"] + bins["high"]) / 2
    ax.bar(
        bins["low"], bins["observed"], width * 0.94, align="edge", color=theme.GREYS[2], label=_("observed"), zorder=1
    )
    ax.plot(middle, bins["random"], color=theme.INK, linestyle=(0, (4, 2)), linewidth=1.4, label=_("at random"))
    ax.plot(middle, bins["fitted"], color=theme.ACCENT, label=_("fitted"))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.3 * float(bins[["observed", "fitted", "random"]].to_numpy().max()))
    ax.legend(loc="upper left", ncols=3)
    theme.percent_axis(ax.xaxis)
    theme.percent_axis(ax.yaxis)
    ax.set_xlabel(_("the earlier gap, as a share of the last two"))
    ax.set_ylabel(_("customers"))
    return ax


def order_values(groups: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Mean order by frequency: paid (dots with intervals), expected by one model and by one per band.

    Parameters
    ----------
    groups : ``first, last`` (repeat purchase days), ``observed, low, high, pooled, banded``.
    """
    ax = ax or theme.new_axes()
    places = np.arange(len(groups))
    ax.vlines(places, groups["low"], groups["high"], color=theme.GREYS[2], linewidth=6)
    ax.plot(places, groups["observed"], "o", color=theme.INK, markersize=5, label=_("paid, with interval"))
    ax.plot(places - 0.14, groups["pooled"], "s", color=theme.WARNING, markersize=5, label=_("one model for all"))
    if groups["banded"].notna().any():
        ax.plot(places + 0.14, groups["banded"], "D", color=theme.ACCENT, markersize=5, label=_("one per band"))
    ax.set_xticks(places, list(map(group_name, groups["first"], groups["last"])))
    ax.set_xlim(-0.6, len(groups) - 0.4)
    ax.set_ylim(0, 1.3 * float(groups[["high", "pooled", "banded"]].max().max()))
    ax.legend(loc="upper left", ncols=3)
    theme.money_axis(ax.yaxis, currency)
    ax.set_xlabel(_("repeat purchase days so far"))
    ax.set_ylabel(_("mean order"))
    return ax
