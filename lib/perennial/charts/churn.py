"""Charts of churn: silence against the own rhythm, P(alive), survival curves."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from perennial import formats
from perennial.charts import theme
from perennial.language import _


def silence(bins: pd.DataFrame, overdue: float, lapsed: float, *, ax: Axes | None = None) -> Axes:
    """Present silence of repeat customers in multiples of their typical gap, coloured by what it counts as.

    Parameters
    ----------
    bins : ``from_ratio, repeat, customers``, equally wide; the last bin is open.
    overdue, lapsed : the thresholds.
    """
    ax = ax or theme.new_axes()
    shown = bins[bins["repeat"]].sort_values("from_ratio")
    start, width = shown["from_ratio"].to_numpy(), float(shown["from_ratio"].diff().iloc[-1])
    middle = start + width / 2
    colours = np.where(middle > lapsed, theme.GREYS[1], np.where(middle > overdue, theme.WARNING, theme.ACCENT_LIGHT))
    ax.bar(start, shown["customers"], width=width * 0.94, align="edge", color=colours)
    top = float(shown["customers"].max()) * 1.25 or 1.0
    ax.set_ylim(0, top)
    for place, name in ((overdue, _("overdue")), (lapsed, _("lapsed"))):
        if place <= start[-1] + width:
            ax.axvline(place, color=theme.INK, linewidth=1)
            words = _("{name}\nover {ratio} ×", name=name, ratio=formats.number(place, 1))
            ax.annotate(words, (place, top), (5, -2), textcoords="offset points", va="top", fontsize=9.5)
    last = int(start[-1])
    ends = [*range(0, last - 1, 2), last]
    ax.set_xticks(ends, [*map(str, ends[:-1]), f"{last}+"])
    theme.number_axis(ax.yaxis)
    ax.set_xlabel(_("silence ÷ typical gap of the customer"))
    return ax


def alive(bins: pd.DataFrame, one_timers: int, *, ax: Axes | None = None) -> Axes:
    """P(alive) of repeat customers; one-time buyers stand apart, not judged.

    Parameters
    ----------
    bins : ``from_p, to_p, customers``.
    one_timers : customers with a single purchase day.
    """
    ax = ax or theme.new_axes()
    width = float(bins["to_p"].iloc[0] - bins["from_p"].iloc[0])
    ax.bar(bins["from_p"], bins["customers"], width=width * 0.94, align="edge", color=theme.ACCENT)
    place = 1.18
    ax.bar([place], [one_timers], width=0.12, color="white", hatch="////", edgecolor=theme.GREYS[1], linewidth=1)
    ax.annotate(
        formats.compact(one_timers), (place, one_timers), (0, 3), textcoords="offset points", ha="center", fontsize=9.5
    )
    ax.set_ylim(0, 1.1 * max(float(bins["customers"].max()), one_timers, 1))
    names = [f"{tick:.1f}" for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0, place], [*names, _("one order:\nnot judged")])
    theme.number_axis(ax.yaxis)
    ax.set_xlabel(_("P(alive) of repeat customers"))
    return ax


def survival(
    curves: Mapping[str, pd.DataFrame],
    ends: Mapping[str, float],
    minimum: int = 1,
    label: str = "",
    *,
    ax: Axes | None = None,
) -> Axes:
    """Kaplan-Meier curves with their bands, named at their ends.

    Parameters
    ----------
    curves : name → ``time, at_risk, survival, low, high``; an empty name is not written.
    ends : name → the last time anybody was watched; the curve is drawn so far.
    minimum : the curve stops where fewer are still watched.
    label : what the time is counted from.
    """
    ax = ax or theme.new_axes()
    colours = (theme.ACCENT, theme.GREYS[0], theme.WARNING, theme.GREYS[1])
    for (name, curve), colour in zip(curves.items(), colours, strict=False):
        shown = _watched(curve, ends[name], minimum)
        ax.step(shown["time"], shown["survival"], where="post", color=colour)
        band = shown.dropna()
        ax.fill_between(band["time"], band["low"], band["high"], step="post", color=colour, alpha=0.18, linewidth=0)
        if name:
            last = (shown["time"].iloc[-1], shown["survival"].iloc[-1])
            ax.annotate(
                name, last, (5, 0), textcoords="offset points", va="center", color=colour, fontsize=9.5,
                annotation_clip=False,
            )  # fmt: skip
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.set_xlabel(label)
    theme.percent_axis(ax.yaxis)
    return ax


def _watched(curve: pd.DataFrame, end: float, minimum: int) -> pd.DataFrame:
    enough = curve[curve["at_risk"] >= minimum]
    shown = enough if len(enough) else curve.iloc[:1]
    whole = len(shown) == len(curve)
    last = shown.iloc[[-1]].assign(time=max(end, shown["time"].iloc[-1])) if whole else shown.iloc[:0]
    return pd.concat([shown, last], ignore_index=True)
