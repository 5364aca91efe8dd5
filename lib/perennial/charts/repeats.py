"""Charts of what follows an order: the chance of the next one, and the time to it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from perennial import formats
from perennial.charts import theme
from perennial.language import _


def repeat_curve(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The chance of a next order after the nth, with its interval; beside it what differences between customers imply.

    Parameters
    ----------
    curve : ``order_number, customers, rate, low, high`` and, where a purchase model was fitted, ``implied``.
    """
    ax = ax or theme.new_axes()
    numbers = curve["order_number"].to_numpy()
    ax.vlines(numbers, curve["low"], curve["high"], color=theme.ACCENT_LIGHT, linewidth=4)
    ax.plot(numbers, curve["rate"], "o-", color=theme.ACCENT, linewidth=1.2, markersize=5)
    if len(numbers):
        _name(ax, numbers[-1], curve["rate"].iloc[-1], _("observed"), theme.ACCENT, 9)
    if "implied" in curve and curve["implied"].notna().any():
        known = curve[curve["implied"].notna()]
        ax.plot(known["order_number"], known["implied"], "--", color=theme.GREYS[0], linewidth=1.4)
        middle = known.iloc[len(known) // 3]
        ax.annotate(
            _("differences between customers alone"), (middle["order_number"], middle["implied"]), (18, -34),
            textcoords="offset points", color=theme.GREYS[0], fontsize=9.5,
            arrowprops={"arrowstyle": "-", "color": theme.GREYS[1], "linewidth": 0.8},
        )  # fmt: skip
    ax.set_xticks(
        numbers, [f"{n}\n{formats.compact(count)}" for n, count in zip(numbers, curve["customers"], strict=True)]
    )
    ax.set_xlabel(_("orders made, and customers who made that many"))
    theme.percent_axis(ax.yaxis)
    ax.set_ylim(0, 1.02)
    return ax


def _name(ax: Axes, x: float, y: float, text: str, colour: str, offset: float) -> None:
    ax.annotate(
        text, (x, y), (offset, 0), textcoords="offset points", color=colour, va="center", fontsize=9.5,
        annotation_clip=False,
    )  # fmt: skip


def gap_histogram(bins: pd.DataFrame, marks: dict[str, float], *, ax: Axes | None = None) -> Axes:
    """How long the gaps between orders were; the last, open bin is lighter.

    Parameters
    ----------
    bins : ``from_day, to_day`` (missing for the last), ``gaps``.
    marks : name → days, drawn as lines: median, 95 % and the like.
    """
    ax = ax or theme.new_axes()
    share = bins["gaps"] / bins["gaps"].sum()
    width = float(bins["from_day"].diff().iloc[-1]) if len(bins) > 1 else 1.0
    last = bins["to_day"].isna().to_numpy()
    colours = np.where(last, theme.GREYS[2], theme.ACCENT_LIGHT)
    ax.bar(bins["from_day"] - 0.5, share, width=width * 0.94, align="edge", color=colours)
    top = float(share.max()) * 1.22
    ax.set_ylim(0, top)
    for place, (name, days) in enumerate(sorted(marks.items(), key=lambda mark: mark[1])):
        ax.axvline(days, color=theme.INK, linewidth=1, linestyle="-" if place == 0 else "--")
        text = _("{name}\n{days} days", name=name, days=formats.number(days))
        ax.annotate(text, (days, top), (5, -2), textcoords="offset points", va="top", fontsize=9.5)
    end = bins["from_day"].iloc[-1] + width
    ax.set_xlim(0.5, end + width)
    if share[last].sum() > 0:
        ax.annotate(
            _("longer"), (end - width / 2, float(share[last].sum())), (0, 4), textcoords="offset points",
            ha="center", color=theme.GREYS[0], fontsize=9.5,
        )  # fmt: skip
    theme.percent_axis(ax.yaxis, 0 if top > 0.04 else 1)
    ax.set_xlabel(_("days between two orders"))
    return ax
