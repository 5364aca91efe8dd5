"""Charts of new customers: what one is worth, when its acquisition cost comes back, and what each cohort returned."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perennial import formats
from perennial.charts import theme
from perennial.language import _

MOST_PANELS = 6
_COLUMNS = 3


def prospects(groups: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Expected value of a new customer (dot) with its interval (line), by kind of group, named and labelled."""
    places = _places(groups["group_by"])
    ax = ax or theme.new_axes(height=max(1.6, 0.9 + 0.3 * (places.max() - places.min() + 1)))
    top = float(np.nanmax(groups[["clv", "high"]].to_numpy(float)))
    bottom = min(0.0, float(np.nanmin(groups[["clv", "low"]].to_numpy(float))))
    for place, row in zip(places, groups.itertuples(), strict=True):
        whole = place == places.max()
        colour = theme.INK if whole else theme.ACCENT
        ax.plot([row.low, row.high], [place, place], color=theme.GREYS[1] if whole else theme.ACCENT_LIGHT, linewidth=5,
                solid_capstyle="butt")  # fmt: skip
        ax.plot(
            [row.clv], [place], "o", color=colour, markersize=5, markerfacecolor=colour if row.own_model else "white"
        )
        right = row.clv if formats.is_missing(row.high) else row.high
        text = _in_full(row.clv, currency)
        if not formats.is_missing(row.low):
            text += f"  ({formats.interval(row.low, row.high, lambda value: _in_full(value, currency))})"
        ax.annotate(text, (right, place), (7, 0), textcoords="offset points", va="center", fontsize=9, color=theme.INK)
    ax.set_yticks(places, [_short(name) for name in groups["group"]])
    _name_kinds(ax, groups["group_by"], places)
    ax.set_xlim(bottom, bottom + 1.42 * (top - bottom))
    ax.set_ylim(places.min() - 0.6, places.max() + 0.6)
    theme.money_axis(ax.xaxis, currency)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.grid(False)
    return ax


def payback(months: pd.DataFrame, currency: str) -> Figure:
    """Expected margin of a new customer so far (line with its interval) against its cost, a panel per source."""
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(months["source"]))[:MOST_PANELS]
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure, grid = plt.subplots(rows, columns, sharex=True, sharey=True, squeeze=False, layout="constrained",
                                figsize=(7.2 if columns > 1 else 5.2, 0.5 + 2.2 * rows))  # fmt: skip
    panels = list(grid.flat)
    for ax, name in zip(panels, names, strict=False):
        _panel(ax, months[months["source"] == name], str(name), currency)
    for ax in panels[len(names) :]:
        ax.set_visible(False)
    for ax in panels[max(0, len(names) - columns) : len(names)]:
        ax.xaxis.set_tick_params(labelbottom=True)
        ax.set_xlabel(_("months since the first order"))
    panels[0].set_ylim(bottom=min(0.0, float(months["value"].min())))
    return figure


def _panel(ax: Axes, curve: pd.DataFrame, name: str, currency: str) -> None:
    month, cost = curve["month"].to_numpy(float), float(curve["cost"].iloc[0])
    ax.fill_between(month, curve["low"], curve["high"], color=theme.ACCENT_LIGHT, alpha=0.5, linewidth=0)
    ax.plot(month, curve["value"], color=theme.ACCENT)
    ax.axhline(cost, color=theme.WARNING, linewidth=1.2, linestyle=(0, (4, 2)))
    pays = float(curve["payback"].iloc[0])
    if np.isfinite(pays):
        there = float(curve.loc[curve["month"] == pays, "value"].iloc[0])
        ax.plot([pays], [there], "o", color=theme.INK, markersize=6, zorder=3, clip_on=False)
    when = _("not within {n} months", n=formats.number(month[-1])) if not np.isfinite(pays) else (
        _("with the first order") if pays == 0 else _("month {n}", n=formats.number(pays)))  # fmt: skip
    ax.set_title(
        _("{source}\ncost {cost}, {when}", source=_short(name), cost=_in_full(cost, currency), when=when),
        loc="left", fontsize=9, color=theme.INK,
    )  # fmt: skip
    theme.money_axis(ax.yaxis, currency)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.set_xlim(0, max(1.0, float(month[-1])))


def cohorts(groups: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Total CLV in multiples of the acquisition cost by cohort (dot and interval), what came so far, and by one age."""
    ax = ax or theme.new_axes(height=3.8)
    places = np.arange(len(groups))
    ax.axhline(1, color=theme.WARNING, linewidth=1.2, linestyle=(0, (4, 2)))
    ax.vlines(places, groups["ratio_low"], groups["ratio_high"], color=theme.ACCENT_LIGHT, linewidth=5)
    sure = (groups["mark"] == "").to_numpy()
    ax.plot(places[sure], groups["ratio"][sure], "o", color=theme.ACCENT, markersize=7, label=_("total CLV : cost"))
    if not sure.all():
        ax.plot(places[~sure], groups["ratio"][~sure], "o", color=theme.ACCENT, markerfacecolor="white", markersize=7,
                label=_("the same, cohort in doubt or unfinished"))  # fmt: skip
    ax.plot(places, groups["ratio_so_far"], "_", color=theme.GREYS[0], markersize=13, markeredgewidth=2,
            label=_("brought so far"))  # fmt: skip
    if groups["ratio_at_age"].notna().any():
        ax.plot(
            places, groups["ratio_at_age"], "D", color=theme.INK, markersize=4.5, label=_("brought by the common age")
        )
    known = groups[["ratio", "ratio_high", "ratio_so_far"]].to_numpy(float)
    ax.set_ylim(0, 1.32 * max(1.0, float(np.nanmax(np.where(np.isfinite(known), known, np.nan), initial=1.0))))
    ax.legend(loc="upper right", ncols=2)
    ax.annotate(_("cost"), (1, 1), (3, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center",
                color=theme.WARNING, fontsize=9, annotation_clip=False)  # fmt: skip
    theme.period_axis(ax, groups["cohort"].tolist(), most=8)
    ax.set_ylabel(_("multiples of the cost"))
    ax.set_xlim(-0.6, len(groups) - 0.4)
    return ax


def _places(kinds: pd.Series) -> np.ndarray:
    """Heights from the top down, with a gap where the kind of group changes."""
    steps = (kinds != kinds.shift()).to_numpy().cumsum()
    down = np.arange(len(kinds)) + 0.9 * (steps - 1)
    return np.asarray(down[-1] - down)


def _name_kinds(ax: Axes, kinds: pd.Series, places: np.ndarray) -> None:
    first = (kinds != kinds.shift()).to_numpy()
    for kind, place in list(zip(kinds[first], places[first], strict=True))[1:]:
        ax.annotate(str(kind), (0, place + 0.72), xycoords=ax.get_yaxis_transform(), ha="left", va="center", fontsize=9,
                    color=theme.GREYS[0], xytext=(0, 0), textcoords="offset points")  # fmt: skip


def _in_full(value: float, currency: str) -> str:
    size = abs(value)
    return formats.money(value, currency, digits=None if size >= 9_999.5 else 0 if size >= 10 or not size else 2)


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
