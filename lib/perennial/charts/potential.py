"""Charts of potential: the quadrant map, the proof by tenths of the score, what each look adds, the weights."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator

from perennial import formats
from perennial.charts import theme
from perennial.language import _

CORNERS = {"growth_stock": (1, 1), "cash_cow": (1, 0), "sleeping_gold": (0, 1), "low_yield": (0, 0)}
FAINTEST = 0.16


def quadrant_label(quadrant: str) -> str:
    """The quadrant's name as readers see it."""
    names = {
        "growth_stock": _("Growth stock"), "cash_cow": _("Cash cow"),
        "sleeping_gold": _("Sleeping gold"), "low_yield": _("Low yield"),
    }  # fmt: skip
    return names[quadrant]


def look_label(look: str) -> str:
    """The look's name as readers see it."""
    names = {
        "wallet": _("Wallet headroom"), "cross_buy": _("Cross-buy"),
        "engagement": _("Engagement"), "lifecycle": _("Lifecycle stage"),
    }  # fmt: skip
    return names[look]


def quadrant_map(
    cells: pd.DataFrame, quadrants: pd.DataFrame, cut_value: float, cut_potential: float, currency: str,
    *, value_name: str = "", ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Customers by current value and potential score, darker where more stand; corners carry count and money.

    Parameters
    ----------
    cells : ``value_low, value_high, score_low, score_high, customers, quadrant``.
    quadrants : one row per quadrant: ``quadrant, customers, current_value``.
    cut_value, cut_potential : where the axes are cut.
    """
    ax = ax or theme.new_axes(7.2, 5.4)
    _draw_cells(ax, cells)
    low, high = cells["value_low"].min(), cells["value_high"].max()
    margin = (high / low) ** 0.02
    ax.set_xscale("log")
    ax.set_xlim(low / margin, high * margin)
    ax.set_ylim(-20, 120)
    ax.set_yticks([0, 20, 40, 60, 80, 100])
    ax.grid(False)
    for line in (ax.axvline(cut_value), ax.axhline(cut_potential)) if cut_value > 0 else (ax.axhline(cut_potential),):
        line.set(color=theme.INK, linewidth=1.0, linestyle=(0, (4, 3)))
    for row in quadrants.itertuples(index=False):
        _write_corner(ax, row, currency)
    _money_ticks(ax, currency)
    ax.set_xlabel(value_name or _("Current value, logarithmic"))
    ax.set_ylabel(_("Potential score"))
    return ax


def _draw_cells(ax: Axes, cells: pd.DataFrame) -> None:
    depth = np.log1p(cells["customers"]) / np.log1p(cells["customers"].max())
    patches = [
        Rectangle((c.value_low, c.score_low), c.value_high - c.value_low, c.score_high - c.score_low)
        for c in cells.itertuples(index=False)
    ]
    colours = [
        (*to_rgb(theme.QUADRANT_COLOURS[quadrant]), FAINTEST + (1 - FAINTEST) * share)
        for quadrant, share in zip(cells["quadrant"], depth, strict=True)
    ]
    ax.add_collection(PatchCollection(patches, facecolors=colours, edgecolors="none", linewidths=0))


def _write_corner(ax: Axes, row: object, currency: str) -> None:
    right, top = CORNERS[row.quadrant]  # type: ignore[attr-defined]
    count = formats.number(row.customers)  # type: ignore[attr-defined]
    money = formats.money(row.current_value, currency)  # type: ignore[attr-defined]
    text = f"{quadrant_label(row.quadrant)}\n" + _("{n} customers, {money}", n=count, money=money)  # type: ignore[attr-defined]
    ax.annotate(
        text, (right, top), xycoords="axes fraction", xytext=(-6 if right else 6, -4 if top else 4),
        textcoords="offset points", ha="right" if right else "left", va="top" if top else "bottom",
        fontsize=10, linespacing=1.35, color=theme.INK, fontweight="normal",
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "alpha": 0.8, "linewidth": 1.4,
              "edgecolor": theme.QUADRANT_COLOURS[row.quadrant]},  # type: ignore[attr-defined]
    )  # fmt: skip


def _money_ticks(ax: Axes, currency: str) -> None:
    low, high = ax.get_xlim()
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [m * 10.0**p for p in powers for m in (1, 3) if low <= m * 10.0**p <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks[:: -(-len(ticks) // 8) or 1]))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    theme.money_axis(ax.xaxis, currency)


def decile_proof(deciles: pd.DataFrame, currency: str, *, ax: Axes | None = None) -> Axes:
    """Spend in the hold-out by tenth of the score, with its interval, beside what past spend alone predicts.

    Parameters
    ----------
    deciles : ``decile, past, later, expected, lift_low, lift_high``, money per customer.
    """
    ax = ax or theme.new_axes(7.2, 3.8)
    x = deciles["decile"].to_numpy(float)
    low, high = (deciles["expected"] * deciles[f"lift_{side}"] for side in ("low", "high"))
    ax.vlines(x, low, high, color=theme.ACCENT, linewidth=1.6)
    ax.plot(x, deciles["later"], "o", color=theme.ACCENT, markersize=7, label=_("spent afterwards (interval)"))
    ax.hlines(deciles["expected"], x - 0.3, x + 0.3, color=theme.INK, linewidth=2.2,
              label=_("predicted by past spend"))  # fmt: skip
    ax.plot(x, deciles["past"], "D", color=theme.GREYS[1], markersize=4.5, label=_("own average before"))
    ax.set_ylim(0, 1.06 * float(np.nanmax([high.max(), deciles[["past", "later", "expected"]].max().max()]) or 1))
    ax.set_xlim(0.4, 10.6)
    ax.set_xticks(range(1, 11))
    ax.set_xlabel(_("Tenth of the potential score, 10 = highest"))
    theme.money_axis(ax.yaxis, currency)
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.legend(loc="outside upper left", fontsize=9.5, ncols=3, columnspacing=1.4, handletextpad=0.5)
    return ax


def look_tests(tests: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What the score and each look add to past spend: correlation with interval, coloured where it is clear of 0.

    Parameters
    ----------
    tests : ``label, customers, value, low, high``, first row on top.
    """
    ax = ax or theme.new_axes(7.2, 0.9 + 0.45 * len(tests))
    y = np.arange(len(tests))[::-1]
    clear = (tests["low"] > 0) | (tests["high"] < 0)
    colours = np.where(clear, np.where(tests["value"] > 0, theme.ACCENT, theme.WARNING), theme.GREYS[1])
    ax.axvline(0, color=theme.INK, linewidth=1)
    ax.hlines(y, tests["low"], tests["high"], color=colours, linewidth=2)
    ax.scatter(tests["value"], y, color=colours, s=46, zorder=3)
    labels = [f"{label} (n = {formats.number(n)})" for label, n in zip(tests["label"], tests["customers"], strict=True)]
    ax.set_yticks(y, labels)
    ax.set_ylim(-0.6, len(tests) - 0.4)
    for value, high, place in zip(tests["value"], tests["high"], y, strict=True):
        ax.annotate(
            formats.number(value, 2), (high, place), (6, 0), textcoords="offset points", va="center", fontsize=9.5
        )
    ax.margins(x=0.12)
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")
    ax.set_xlabel(_("Partial rank correlation with later spend, given past spend"))
    return ax


def weights_bar(weights: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The weights as set (grey) and those in effect once the unmeasured looks are shared out.

    Parameters
    ----------
    weights : ``look, weight, effective_weight, measured``.
    """
    ax = ax or theme.new_axes(7.2, 2.6)
    y = np.arange(len(weights))[::-1]
    ax.barh(y + 0.18, weights["effective_weight"], 0.34, color=theme.ACCENT)
    ax.barh(y - 0.18, weights["weight"], 0.34, color=theme.GREYS[1])
    for row, place in zip(weights.itertuples(index=False), y, strict=True):
        used = formats.percent(row.effective_weight) if row.measured else _("not measured")
        ax.text(row.effective_weight + 0.008, place + 0.18, used, va="center", fontsize=9.5,
                color=theme.INK if row.measured else theme.WARNING)  # fmt: skip
        ax.text(row.weight + 0.008, place - 0.18, formats.percent(row.weight), va="center", fontsize=9,
                color=theme.GREYS[0])  # fmt: skip
    ax.set_yticks(y, [look_label(look) for look in weights["look"]])
    ax.set_xlim(0, min(1.16, 1.25 * max(weights["effective_weight"].max(), weights["weight"].max(), 0.1)))
    theme.percent_axis(ax.xaxis)
    ax.grid(False, axis="y")
    ax.grid(True, axis="x")
    ax.set_xlabel(_("Weight in the score: blue in effect, grey as set"))
    return ax


def look_profile(profile: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean sub-score by quadrant and look, the number in each cell.

    Parameters
    ----------
    profile : quadrants down, looks across, 0 to 1; missing where not measured.
    """
    ax = ax or theme.new_axes(7.2, 2.9)
    values = profile.to_numpy(float)
    theme.draw_cells(values, np.array([[formats.number(cell, 2) for cell in row] for row in values]), 1, 10, ax)
    ax.set_xticks(np.arange(len(profile.columns)) + 0.5, [look_label(look) for look in profile.columns], rotation=0)
    ax.set_yticks(np.arange(len(profile)) + 0.5, [quadrant_label(each) for each in profile.index], rotation=0)
    for label, quadrant in zip(ax.get_yticklabels(), profile.index, strict=True):
        label.set_bbox({"boxstyle": "round,pad=0.2", "facecolor": "white", "linewidth": 1.4,
                        "edgecolor": theme.QUADRANT_COLOURS[quadrant]})  # fmt: skip
    return ax


def budget_bars(quadrants: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of today's spend, of the recommended budget and of future value in each quadrant.

    Parameters
    ----------
    quadrants : ``quadrant, cost_share, budget_share, value_share``.
    """
    ax = ax or theme.new_axes(7.2, 3.4)
    y = np.arange(len(quadrants))[::-1]
    for row, place in zip(quadrants.itertuples(index=False), y, strict=True):
        colour = theme.QUADRANT_COLOURS[row.quadrant]
        ax.barh(place + 0.14, row.cost_share, 0.28, color=colour)
        ax.barh(place - 0.14, row.budget_share, 0.28, facecolor="white", edgecolor=colour, linewidth=1.6, hatch="////")
        today = _("{share} today", share=formats.percent(row.cost_share))
        ax.text(row.cost_share + 0.008, place + 0.14, today, va="center", fontsize=9.5)
        wanted = _("{share} recommended", share=formats.percent(row.budget_share))
        ax.text(row.budget_share + 0.008, place - 0.14, wanted, va="center", fontsize=9.5, color=theme.GREYS[0])
    ax.set_yticks(y, [quadrant_label(quadrant) for quadrant in quadrants["quadrant"]])
    ax.set_xlim(0, 1.3 * float(quadrants[["cost_share", "budget_share"]].max().max()))
    theme.percent_axis(ax.xaxis)
    ax.grid(False, axis="y")
    ax.grid(True, axis="x")
    return ax
