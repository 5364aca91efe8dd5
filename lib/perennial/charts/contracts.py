"""Charts of contracts: how many still run after each renewal, and how the share renewed rises."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perennial.charts import theme
from perennial.language import _

MOST_PLANS = 4


def survival(curves: pd.DataFrame) -> Figure:
    """Share of contracts still running by renewal, a panel per plan: observed (dots with their interval) and the model
    (line with its band, dashed beyond what has been seen).

    Parameters
    ----------
    curves : ``plan, renewal, survival, survival_low, survival_high, model_survival, model_survival_low,
        model_survival_high``; observed is missing beyond what has been seen, the model where none could be fitted.
    """
    return _panels(curves, "survival", _("share still running"), 0.0)


def retention(curves: pd.DataFrame) -> Figure:
    """Share renewed of the contracts that come to each renewal, a panel per plan: observed and the model.

    Parameters
    ----------
    curves : ``plan, renewal, retention, retention_low, retention_high, model_retention, model_retention_low,
        model_retention_high``.
    """
    shown = curves[curves["renewal"] > 0]
    lows = shown[["retention_low", "model_retention_low"]].to_numpy(float)
    floor = float(np.nanquantile(lows, 0.05)) if np.isfinite(lows).any() else 0.0
    # shares far above zero would be a flat line at the top; points and lines may begin elsewhere, bars may not
    return _panels(shown, "retention", _("share renewed"), max(0.0, np.floor(10 * floor - 0.5) / 10))


def _panels(curves: pd.DataFrame, what: str, label: str, bottom: float) -> Figure:
    plans = list(dict.fromkeys(curves["plan"]))[:MOST_PLANS]
    columns = min(2, max(1, len(plans)))
    rows = max(1, -(-len(plans) // columns))
    figure = theme.new_axes(height=3.4 if rows == 1 else 5.6).get_figure(root=True)
    assert figure is not None
    figure.clear()
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for ax, plan in zip(grid, plans, strict=False):
        _panel(ax, curves[curves["plan"] == plan], what)
        ax.set_title(plan, loc="left", fontsize=10)
        ax.set_xlabel(_("renewal"))
        ax.set_ylim(bottom, 1.02)
        theme.percent_axis(ax.yaxis)
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    for ax in grid[len(plans) :]:
        ax.set_visible(False)
    for ax in grid[::columns]:
        ax.set_ylabel(label)
    if len(plans):
        grid[0].legend(loc="best")
    return figure


def _panel(ax: Axes, curve: pd.DataFrame, what: str) -> None:
    x = curve["renewal"].to_numpy(float)
    seen = curve[what].notna().to_numpy()
    model, low, high = (curve[f"model_{what}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    last = x[seen].max(initial=x.min(initial=0.0))
    ax.fill_between(x, low, high, color=theme.ACCENT_LIGHT, alpha=0.5, linewidth=0)
    ax.plot(x[x <= last], model[x <= last], color=theme.ACCENT, label=_("model"))
    ax.plot(x[x >= last], model[x >= last], color=theme.ACCENT, linestyle=(0, (4, 2)), label=_("model, projected"))
    own = curve[seen]
    bars = np.abs(own[[f"{what}_low", f"{what}_high"]].to_numpy(float).T - own[what].to_numpy(float))
    ax.errorbar(
        x[seen], own[what], yerr=np.nan_to_num(bars), fmt="o", color=theme.INK, markersize=3.5, elinewidth=0.8,
        label=_("observed"),
    )  # fmt: skip
    if seen.any() and last < x.max():
        ax.axvline(last, color=theme.GREYS[1], linewidth=0.8, linestyle=":")
