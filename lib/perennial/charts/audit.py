"""Charts of what the data can carry: rows removed, months covered, unusual days, first appearances."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.text import Annotation

from perennial import formats
from perennial.charts import theme
from perennial.language import _

_NAMED_SPIKES = 3


def removed_rows(removed: pd.DataFrame, names: Callable[[str], str], currency: str, *, ax: Axes | None = None) -> Axes:
    """Rows removed by each rule, with the money on them where there is any.

    Parameters
    ----------
    removed : ``table, rule, rows, money``; ``names`` puts the rules into words.
    """
    rows = removed.sort_values("rows", ascending=False, ignore_index=True)
    ax = ax or theme.new_axes(height=max(1.2, 0.6 + 0.42 * len(rows)))
    places = np.arange(len(rows))
    ax.barh(places, rows["rows"], height=0.62, color=theme.GREYS[1])
    for place, count, money in zip(places, rows["rows"], rows["money"], strict=True):
        text = formats.number(count) + ("" if money != money else f" ({formats.money(money, currency)})")
        ax.annotate(text, (count, place), (5, 0), textcoords="offset points", va="center", fontsize=9.5)
    labels = [f"{table}: {names(rule)}" for table, rule in zip(rows["table"], rows["rule"], strict=True)]
    ax.set_yticks(places, labels)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(False)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.margins(x=0.25)
    return ax


def orders_by_month(months: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Orders per calendar month, unfinished months hatched (``period, orders, finished``)."""
    return _monthly(months, "orders", np.full(len(months), theme.ACCENT), ax)


def new_customers(months: pd.DataFrame, later: float | None = None, *, ax: Axes | None = None) -> Axes:
    """Customers by month of first order; months whose customers were mostly known before are grey.

    Parameters
    ----------
    months : ``period, new_customers, known, finished``.
    later : the median of the later months, drawn as a line; None draws none.
    """
    known = months["known"].to_numpy(dtype=bool)
    ax = _monthly(months, "new_customers", np.where(known, theme.GREYS[1], theme.ACCENT), ax)
    if later is not None and len(months):
        ax.axhline(later, color=theme.INK, linewidth=1, linestyle="--")
        text = _("usual later: {n}", n=formats.number(later, 0))
        ax.annotate(text, (len(months) - 0.5, later), (0, 5), textcoords="offset points", ha="right", fontsize=9.5)
    if known.any():
        place = int(np.flatnonzero(known)[0])
        ax.annotate(
            _("known before the data begins"), (place + 0.5, float(months["new_customers"].iloc[place])), (4, -2),
            textcoords="offset points", va="top", color=theme.GREYS[0], fontsize=9.5,
        )  # fmt: skip
    return ax


def _monthly(months: pd.DataFrame, measure: str, colours: np.ndarray, ax: Axes | None) -> Axes:
    ax = ax or theme.new_axes(height=3.0)
    places = np.arange(len(months))
    bars = ax.bar(places, months[measure], width=0.86, color=list(colours))
    for bar, finished in zip(bars, months["finished"], strict=True):
        if not finished:
            bar.set_hatch("///")
            bar.set_edgecolor("white")
            bar.set_linewidth(0)
    theme.number_axis(ax.yaxis)
    top = float(months[measure].max()) if len(months) else 0.0
    if top < 10:
        theme.whole_ticks(ax.yaxis)
    theme.period_axis(ax, [formats.period(day, "month") for day in months["period"]], most=8)
    ax.set_xlim(-0.7, max(len(months), 6) - 0.3)
    ax.set_ylim(0, max(1.0, 1.08 * top))
    return ax


def rhythm(steps: pd.DataFrame, gaps: pd.DataFrame, spikes: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Orders step by step with the local level, gaps shaded, spikes marked, and the largest of both dated.

    Parameters
    ----------
    steps : ``start, orders, expected``.
    gaps : ``first, last``; ``spikes``: ``start, measure, value``.
    """
    ax = ax or theme.new_axes(height=3.2)
    ax.plot(steps["start"], steps["orders"], color=theme.GREYS[1], linewidth=0.7)
    ax.plot(steps["start"], _smooth(steps["expected"]), color=theme.ACCENT, linewidth=2)
    for first, last in zip(gaps["first"], gaps["last"], strict=True):
        ax.axvspan(first, last + _DAY, color=theme.WARNING, alpha=0.35, linewidth=0)
    _mark_spikes(ax, steps, spikes[spikes["measure"] == "orders"])
    theme.number_axis(ax.yaxis)
    ax.set_ylim(0, max(1.0, float(steps["orders"].max()) * 1.12) if len(steps) else 1.0)
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))
    ax.xaxis.set_major_formatter(DateFormatter("%b %Y"))
    _name_gaps(ax, gaps)
    return ax


_DAY = pd.Timedelta(days=1)
_BACKING = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5}


def _smooth(level: pd.Series) -> pd.Series:
    """A week's mean: days of the week differ, the eye wants the level."""
    return level.rolling(7, center=True, min_periods=1).mean()


def _gap_name(first: pd.Timestamp, last: pd.Timestamp) -> str:
    if first == last:
        return f"{first:%-d %b}"
    begins = f"{first:%-d}" if (first.year, first.month) == (last.year, last.month) else f"{first:%-d %b}"
    return f"{begins} – {last:%-d %b}"


def _name_gaps(ax: Axes, gaps: pd.DataFrame) -> None:
    """Dates left or right of the gaps, the longest first; a gap on whose sides there is no room stays without."""
    if not len(gaps):
        return
    ax.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]  # where the axes will end up
    lengths = (gaps["last"] - gaps["first"]).sort_values(ascending=False, kind="stable")
    for first, last in gaps.loc[lengths.index, ["first", "last"]].itertuples(index=False):
        sides = ((first, "right", -4), (last + _DAY, "left", 4))
        for up, (edge, side, away) in product((4, 18), sides):
            name = ax.annotate(_gap_name(first, last), (edge, 0), (away, up), textcoords="offset points", ha=side,
                               color=theme.WARNING, fontsize=9, bbox=_BACKING)  # fmt: skip
            if _has_room(name, ax):
                break
            name.remove()


def _has_room(name: Annotation, ax: Axes) -> bool:
    """Whether a text lies within the axes, over no gap, and a letter's width from any other text."""
    box, frame = name.get_window_extent(), ax.get_window_extent()
    if box.x0 < frame.x0 or frame.x1 < box.x1 or any(box.overlaps(gap.get_window_extent()) for gap in ax.patches):
        return False
    wide = box.padded(box.height / 2, 0)
    return not any(wide.overlaps(text.get_window_extent()) for text in ax.texts if text is not name)


def _mark_spikes(ax: Axes, steps: pd.DataFrame, spikes: pd.DataFrame) -> None:
    ax.plot(spikes["start"], spikes["value"], "o", color=theme.WARNING, markersize=4)
    late = steps["start"].max() - (steps["start"].max() - steps["start"].min()) / 5
    span = steps["start"].max() - steps["start"].min()
    named: list[pd.Timestamp] = []
    for row in spikes.head(_NAMED_SPIKES).itertuples():
        if any(abs(pd.Timestamp(str(row.start)) - other) < span / 5 for other in named):
            continue  # its name would lie over a larger neighbour's
        named.append(pd.Timestamp(str(row.start)))
        left = pd.Timestamp(str(row.start)) > late
        ax.annotate(
            f"{row.start:%-d %b %Y}", (row.start, row.value), (-6 if left else 6, 0), textcoords="offset points",
            va="center", ha="right" if left else "left", color=theme.WARNING, fontsize=9, bbox=_BACKING,
        )  # fmt: skip
