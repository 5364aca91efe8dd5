"""Charts of customer value: the hold-out, the spend fit, who holds the value, and how sure the total is."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator, PercentFormatter

from perennial import formats
from perennial.charts import theme
from perennial.language import _


def tracking(weeks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Cumulative repeat purchases, actual (solid) and expected (dashed, with its band), and the cut."""
    ax = ax or theme.new_axes()
    ax.fill_between(weeks["week_end"], weeks["low"], weeks["high"], color=theme.ACCENT_LIGHT, alpha=0.5, linewidth=0)
    ax.plot(weeks["week_end"], weeks["actual_cumulative"], color=theme.INK)
    ax.plot(weeks["week_end"], weeks["expected_cumulative"], color=theme.ACCENT, linestyle=(0, (4, 2)))
    _name_ends(ax, weeks, "actual_cumulative", "expected_cumulative")
    _mark_cut(ax, weeks)
    ax.set_ylim(bottom=0)
    theme.number_axis(ax.yaxis)
    _dates(ax)
    return ax


def weekly(weeks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Repeat purchases per week, actual (solid) and expected (dashed), and the cut."""
    ax = ax or theme.new_axes()
    ax.plot(weeks["week_end"], weeks["actual"], color=theme.INK, linewidth=1.4)
    ax.plot(weeks["week_end"], weeks["expected"], color=theme.ACCENT, linestyle=(0, (4, 2)))
    _name_ends(ax, weeks, "actual", "expected", last=8)
    _mark_cut(ax, weeks)
    ax.set_ylim(0, 1.12 * float(weeks[["actual", "expected"]].to_numpy().max()))  # room for the names of the parts
    theme.number_axis(ax.yaxis)
    _dates(ax)
    return ax


def by_frequency(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean hold-out purchases by repeat purchases before the cut: actual, model and the old rate."""
    names = [formats.number(x) for x in groups["frequency"]]
    if len(names) and groups["frequency"].iloc[-1] == 7:
        names[-1] = "7+"
    ax = _three_lines(groups, names, ax)
    ax.set_xlabel(_("repeat purchase days before the cut"))
    return ax


def deciles(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean hold-out purchases by tenth of the customers, highest forecast first: actual, model and the old rate."""
    ax = _three_lines(groups, [formats.number(d) for d in groups["decile"]], ax)
    ax.set_xlabel(_("tenth of the customers, by forecast, highest first"))
    return ax


def spend_fit(bins: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Observed mean orders (bars) and the spend model's expectation (line)."""
    ax = ax or theme.new_axes()
    width = bins["high"] - bins["low"]
    ax.bar(bins["low"], bins["observed"], width * 0.94, align="edge", color=theme.GREYS[2], label=_("observed"))
    middle = (bins["low"] + bins["high"]) / 2
    ax.plot(middle, bins["expected"], color=theme.ACCENT, label=_("model"))
    ax.legend(loc="upper right")
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # no steps of 2.5, which would round
    theme.percent_axis(ax.yaxis, 0 if float(bins["observed"].max()) > 0.05 else 1)
    theme.money_axis(ax.xaxis, currency)
    ax.set_xlim(0, float(bins["high"].max()))
    ax.set_xlabel(_("mean repeat purchase"))
    return ax


def value_curve(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of the value that the most valuable customers hold, with the 20 % point labelled."""
    ax = ax or theme.new_axes(height=3.8)
    ax.plot([0, 1], [0, 1], color=theme.GREYS[1], linewidth=1)
    ax.annotate(_("if all were worth the same"), (0.45, 0.4), color=theme.GREYS[0], fontsize=9, va="top")
    ax.plot(curve["customers"], curve["value"], color=theme.ACCENT)
    share = float(np.interp(0.2, curve["customers"], curve["value"]))
    ax.plot([0.2], [share], "o", color=theme.ACCENT)
    text = _("top 20 % of customers: {share} of the value", share=formats.percent(share))
    named = _label(ax, (0.2, share), text, theme.INK, (10, -14))
    named.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    theme.percent_axis(ax.xaxis)
    theme.percent_axis(ax.yaxis)
    ax.set_xlabel(_("customers, most valuable first"))
    ax.set_ylabel(_("share of the value"))
    return ax


def value_by_frequency(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of customers (grey) and of value (accent) by repeat purchase days so far."""
    ax = ax or theme.new_axes(height=3.4)
    places = np.arange(len(groups))[::-1]
    for offset, column, colour, name in (
        (0.19, "customer_share", theme.GREYS[1], _("of customers")),
        (-0.19, "value_share", theme.ACCENT, _("of value")),
    ):
        shares = groups[column].to_numpy(float)
        ax.barh(places + offset, shares, 0.36, color=colour)
        for place, share in zip(places, shares, strict=True):
            text = f"{formats.percent(share)} {name}"
            _label(ax, (share, place + offset), text, theme.INK, (4, 0), va="center", size=9)
    ax.set_yticks(
        places, [group_name(first, last) for first, last in zip(groups["first"], groups["last"], strict=True)]
    )
    ax.set_ylabel(_("repeat purchase days"))
    ax.set_xlim(0, 1.3 * float(groups[["customer_share", "value_share"]].to_numpy().max()))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xticks([])
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    return ax


def equity(intervals: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """The customer equity (dot) with its interval by kind of uncertainty (lines), labelled."""
    ax = ax or theme.new_axes(height=2.2)
    places = np.arange(len(intervals))[::-1]
    colours = [theme.ACCENT] + [theme.GREYS[1]] * (len(intervals) - 1)
    for place, colour, row in zip(places, colours, intervals.itertuples(), strict=True):
        ax.plot([row.low, row.high], [place, place], color=colour, linewidth=5, solid_capstyle="butt")
        ax.plot([row.value], [place], "o", color=theme.INK, markersize=5)
        text = formats.interval(row.low, row.high, partial(_money, currency=currency))
        _label(ax, (row.high, place), text, theme.INK, (6, 0), va="center", size=9)
    ax.set_yticks(places, intervals["uncertainty"])
    low, high = float(intervals["low"].min()), float(intervals["high"].max())
    ax.set_xlim(low - 0.05 * (high - low), high + 0.55 * (high - low))
    ax.set_ylim(-0.6, len(intervals) - 0.4)
    theme.money_axis(ax.xaxis, currency)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(False)
    return ax


def _money(value: float, currency: str) -> str:
    return formats.money(value, currency, digits=0 if 10 <= abs(value) < 9_999.5 else None)


def group_name(first: float, last: float) -> str:
    """A group of repeat purchase days in words: ``none``, ``2–3``, ``7 and more``."""
    if first == 0:
        return _("none (bought once)")
    if formats.is_missing(last):
        return _("{first} and more", first=formats.number(first))
    return formats.number(first) if first == last else f"{formats.number(first)}–{formats.number(last)}"


def _three_lines(groups: pd.DataFrame, names: list[str], ax: Axes | None) -> Axes:
    ax = ax or theme.new_axes()
    places = np.arange(len(groups))
    styles = {
        "naive": (theme.GREYS[1], "s", ":", _("same rate as before")),
        "predicted": (theme.ACCENT, "D", (0, (4, 2)), _("model")),
        "actual": (theme.INK, "o", "-", _("actual")),
    }
    for column, (colour, marker, line, name) in styles.items():
        ax.plot(places, groups[column], color=colour, marker=marker, linestyle=line, markersize=5, label=name)
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="best")
    ax.set_xticks(places, names)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(_("purchase days per customer"))
    return ax


def _name_ends(ax: Axes, weeks: pd.DataFrame, actual: str, expected: str, last: int = 1) -> None:
    """Name both lines at their right ends, the higher one above the other."""
    ends = weeks[[actual, expected]].tail(last).mean()
    above = bool(ends[actual] >= ends[expected])
    right = float(date2num(weeks["week_end"].iloc[-1]))
    for column, name, colour, up in (
        (actual, _("actual"), theme.INK, above),
        (expected, _("model"), theme.ACCENT, not above),
    ):
        _label(ax, (right, float(ends[column])), name, colour, (5, 5 if up else -5), va="bottom" if up else "top")
    ax.margins(x=0.02)
    first, end = weeks["week_end"].iloc[0], weeks["week_end"].iloc[-1]
    ax.set_xlim(first, end + 0.09 * (end - first))


def _mark_cut(ax: Axes, weeks: pd.DataFrame) -> None:
    fitted = weeks.loc[weeks["phase"] == "calibration", "week_end"]
    if fitted.empty:
        return
    cut = float(date2num(fitted.iloc[-1]))
    ax.axvline(cut, color=theme.GREYS[1], linewidth=1)
    top = ax.get_xaxis_transform()
    for text, shift, side in ((_("fitted"), -5, "right"), (_("not seen"), 5, "left")):
        ax.annotate(
            text, (cut, 0.98), (shift, 0), xycoords=top, textcoords="offset points",
            ha=side, va="top", fontsize=9, color=theme.GREYS[0],
        )  # fmt: skip


def _label(
    ax: Axes,
    at: tuple[float, float],
    text: str,
    colour: str,
    shift: tuple[int, int],
    va: str = "bottom",
    size: float = 9.5,
) -> Annotation:
    return ax.annotate(text, at, shift, textcoords="offset points", color=colour, va=va, fontsize=size)


def _dates(ax: Axes) -> None:
    locator = AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
