"""Charts of cohorts: heat maps, retention curves, layer cake, early repeat by cohort."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from perennial import formats
from perennial.charts import theme
from perennial.language import _

MOST_NUMBERED = 19  # columns, up to which the number fits into the cell
MOST_NAMED = 24  # rows or columns; with more, names thin out
LAYERS = LinearSegmentedColormap.from_list("layers", ["#073b53", theme.ACCENT, "#d3e8f1"])


def heat_map(
    cells: pd.DataFrame, value: str, unit: str, style: Callable[[float], str], *, ax: Axes | None = None
) -> Axes:
    """Cohorts (newest at the bottom) by periods since the first; unfinished cells hatched, small cohorts blank.

    Parameters
    ----------
    cells : ``cohort`` (first day), ``age``, ``size``, ``finished``, ``small`` and the ``value`` column; ages as
        wanted across. Small cohorts carry an asterisk and show no values.
    style : how the number in a cell is written, where it fits.
    """
    cohorts = cells.drop_duplicates("cohort").sort_values("cohort").reset_index(drop=True)
    ages = np.arange(cells["age"].min(), cells["age"].max() + 1)
    grid = cells.assign(shown=cells[value].where(cells["finished"] & ~cells["small"]))
    values = grid.pivot(index="cohort", columns="age", values="shown").reindex(columns=ages).to_numpy(float)
    ax = ax or theme.new_axes(7.2, float(np.clip(1.0 + 0.27 * len(cohorts), 2.2, 8.5)))
    later = values[:, ages > 0]
    top = (float(np.nanquantile(later, 0.99)) if np.isfinite(later).any() else 1.0) or 1.0
    written = len(ages) <= MOST_NUMBERED and len(cohorts) <= 40
    labels = np.array([[style(cell) for cell in row] for row in values]) if written else None
    theme.draw_cells(values, labels, top, 8.0 if len(ages) <= 13 else 6.5, ax)
    _hatch(ax, cells, cohorts, ages)
    _name_rows(ax, cohorts, unit)
    _name_columns(ax, ages, unit)
    return ax


def whole_percent(share: float) -> str:
    """A share as a cell of the heat map holds it: 18."""
    return formats.number(100 * share, 0)


def whole(value: float) -> str:
    """An amount as a cell of the heat map holds it: 38."""
    return formats.number(value, 0)


def _hatch(ax: Axes, cells: pd.DataFrame, cohorts: pd.DataFrame, ages: np.ndarray) -> None:
    rows = {cohort: row for row, cohort in enumerate(cohorts["cohort"])}
    open_cells = cells.loc[~cells["finished"]]
    for cohort, age in zip(open_cells["cohort"], open_cells["age"], strict=True):
        corner = (age - ages[0], rows[cohort])
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="/////", edgecolor=theme.GREYS[1], linewidth=0))


def _name_rows(ax: Axes, cohorts: pd.DataFrame, unit: str) -> None:
    step = -(-len(cohorts) // 40)
    places = list(range(0, len(cohorts), step))
    shown = cohorts.iloc[places]
    names = [
        f"{formats.period(cohort, unit)}  {formats.number(size)}{'*' if small else ''}"
        for cohort, size, small in zip(shown["cohort"], shown["size"], shown["small"], strict=True)
    ]
    ax.set_yticks([place + 0.5 for place in places], names, fontsize=8.5, rotation=0)
    ax.set_ylabel(_("first purchase,\ncustomers"))


def _name_columns(ax: Axes, ages: np.ndarray, unit: str) -> None:
    step = -(-len(ages) // MOST_NAMED)
    places = np.arange(0, len(ages), step)
    ax.set_xticks(places + 0.5, [str(ages[place]) for place in places], fontsize=8.5, rotation=0)
    ax.set_xlabel(since_first(unit))
    ax.grid(False)
    ax.spines[["bottom", "left"]].set_visible(False)


def since_first(unit: str) -> str:
    """The name of the age axis: "months since the first purchase"."""
    names = {
        "week": _("weeks since the first purchase"),
        "month": _("months since the first purchase"),
        "quarter": _("quarters since the first purchase"),
    }
    return names[unit]


def retention_curves(
    curve: pd.DataFrame, cells: pd.DataFrame, unit: str, known: pd.DataFrame | None = None, *, ax: Axes | None = None
) -> Axes:
    """The weighted average with its band, single cohorts behind in grey, known customers dashed.

    Parameters
    ----------
    curve, known : ``age, rate, low, high``; ``known`` is of customers held before the data begins, or None.
    cells : single cohorts, ``cohort, age, rate, finished, small``; small ones are not drawn.
    """
    ax = ax or theme.new_axes()
    lines = cells[cells["finished"] & ~cells["small"] & (cells["age"] > 0)]
    for _cohort, line in lines.groupby("cohort"):
        ax.plot(line["age"], line["rate"], color=theme.GREYS[2], linewidth=1, zorder=1)
    for frame, colour, dash, name in _averages(curve, known):
        later = frame[frame["age"] > 0]
        if not len(later):
            continue
        mark = "o" if len(later) == 1 else ""
        ax.plot(later["age"], later["rate"], color=colour, linestyle=dash, marker=mark, zorder=3)
        ax.fill_between(later["age"], later["low"], later["high"], color=colour, alpha=0.18, linewidth=0, zorder=2)
        ax.annotate(
            name, (later["age"].iloc[-1], later["rate"].iloc[-1]), (6, 0), textcoords="offset points",
            va="center", color=colour, fontsize=9.5, annotation_clip=False,
        )  # fmt: skip
    ax.set_ylim(bottom=0)
    theme.percent_axis(ax.yaxis)
    theme.whole_ticks(ax.xaxis)
    ax.set_xlabel(since_first(unit))
    return ax


def _averages(curve: pd.DataFrame, known: pd.DataFrame | None) -> list[tuple[pd.DataFrame, str, str, str]]:
    if known is None or not len(known):
        return [(curve, theme.ACCENT, "-", _("average"))]
    first = (known, theme.GREYS[0], "--", _("known before\nthe data"))
    return [first, (curve, theme.ACCENT, "-", _("new customers"))]


def layer_cake(layers: pd.DataFrame, unit: str, currency: str, *, ax: Axes | None = None) -> Axes:
    """Revenue per period, stacked by when its customers first bought: oldest at the bottom, newer ones lighter.

    Parameters
    ----------
    layers : ``group`` (first day, missing for customers known before the data), ``group_unit, period, revenue,
        finished``.
    """
    ax = ax or theme.new_axes(7.2, 3.8)
    table = layers.pivot_table(index="period", columns="group", values="revenue", aggfunc="sum", dropna=False)
    table = table.reindex(columns=sorted(table.columns, key=lambda day: (not pd.isna(day), day)))
    table = table.fillna(0.0)
    group_unit = str(layers["group_unit"].iloc[0])
    base = np.zeros(len(table))
    finished = layers.groupby("period")["finished"].first().reindex(table.index).to_numpy(bool)
    for place, group in enumerate(table.columns):
        heights = table[group].to_numpy(float)
        colour = theme.GREYS[1] if pd.isna(group) else LAYERS(_shade(place, len(table.columns)))
        name = _("known before the data") if pd.isna(group) else formats.period(group, group_unit)
        bars = ax.bar(range(len(table)), heights, bottom=base, width=0.96, color=colour, label=name)
        for bar, whole in zip(bars, finished, strict=True):
            if not whole:
                bar.set(hatch="////", alpha=0.55)
        base = base + heights
    theme.period_axis(ax, [formats.period(day, unit) for day in table.index], most=8)
    theme.money_axis(ax.yaxis, currency)
    _layer_names(ax)
    return ax


def _shade(place: int, count: int) -> float:
    return place / (count - 1) if count > 1 else 0.5


def _layer_names(ax: Axes) -> None:
    """Beside the picture, in the order of the layers."""
    handles, names = ax.get_legend_handles_labels()
    ax.legend(
        handles[::-1], names[::-1], title=_("first purchase"), loc="center left", bbox_to_anchor=(1.0, 0.5),
        fontsize=9, title_fontsize=9, handlelength=1.1, handleheight=1.1,
    )  # fmt: skip


def early_repeat(frame: pd.DataFrame, unit: str, *, ax: Axes | None = None) -> Axes:
    """Share of each cohort with a second order in time, with its interval; cohorts not complete are hollow.

    Parameters
    ----------
    frame : ``cohort, rate, low, high, complete``; cohorts ``left_out`` of the comparison are grey.
    """
    ax = ax or theme.new_axes()
    places = np.arange(len(frame))
    for place, row in zip(places, frame.itertuples(), strict=True):
        bar, edge = (theme.GREYS[2], theme.GREYS[1]) if row.left_out else (theme.ACCENT_LIGHT, theme.ACCENT)
        ax.vlines(place, row.low, row.high, color=bar, linewidth=3)
        ax.plot(place, row.rate, "o", color=edge if row.complete else "white", markeredgecolor=edge, markersize=5)
    theme.period_axis(ax, [formats.period(day, unit) for day in frame["cohort"]], most=8)
    theme.percent_axis(ax.yaxis)
    ax.set_ylim(bottom=0)
    ax.set_xlim(-0.7, max(len(frame) - 0.3, 0.7))
    return ax
