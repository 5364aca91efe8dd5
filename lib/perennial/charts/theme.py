"""How every chart looks: one ink, three greys, one accent, one warning, four quadrant colours, light grid.

Quadrant colours are the Okabe-Ito blue, green, orange and grey: told apart under the common colour-vision
deficiencies (Okabe & Ito 2008), and always beside a label.
"""

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter, MaxNLocator

from perennial import formats

INK = "#1f2933"
GREYS = ("#52606d", "#9aa5b1", "#dfe4ea")  # text, secondary marks, hairlines
ACCENT = "#0b6e99"
ACCENT_LIGHT = "#9ccbe0"
WARNING = "#c2410c"
GOOD, AMBER, BAD = "#00694f", "#f0b429", "#a61b1b"  # status, always beside a shape and a word
QUADRANT_COLOURS = {
    "growth_stock": "#009e73",
    "cash_cow": "#0072b2",
    "sleeping_gold": "#e69f00",
    "low_yield": "#8a94a0",
}
SEQUENTIAL = LinearSegmentedColormap.from_list("perennial", ["#f3f8fb", ACCENT_LIGHT, ACCENT, "#073b53"])
DENSITY = 2  # pixels per CSS pixel in the report


# Plain settings rather than seaborn's: importing it costs two seconds of every kernel, and only heat maps draw with it.
_SETTINGS: dict[Any, object] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "legend.fontsize": 9.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": GREYS[1],
    "axes.labelcolor": GREYS[0],
    "text.color": INK,
    "xtick.color": GREYS[0],
    "ytick.color": GREYS[0],
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GREYS[2],
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "patch.edgecolor": "none",
    "legend.frameon": False,
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "hatch.color": GREYS[1],
    "hatch.linewidth": 0.6,
    # client text with a pair of dollar signs must not be read as mathematics
    "text.parse_math": False,
    "xtick.bottom": False,
    "ytick.left": False,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "perennial",
}


def set_theme() -> None:
    """Set the look for all later charts; call after anything that resets matplotlib's settings."""
    mpl.rcParams.update(_SETTINGS)


def new_axes(width: float = 7.2, height: float = 3.6) -> Axes:
    """A fresh axes of the report's column width, in inches."""
    figure = plt.figure(figsize=(width, height), layout="constrained")
    return figure.add_subplot()


def draw_cells(values: np.ndarray, labels: np.ndarray | None, top: float, size: float, ax: Axes) -> None:
    """A heat map from 0 to ``top``, each label in its cell; cell (row, column) is centred on (column, row) + ½."""
    import seaborn as sns

    sns.heatmap(
        pd.DataFrame(values),
        cmap=SEQUENTIAL,
        vmin=0,
        vmax=top,
        annot=labels if labels is not None else False,
        fmt="",
        annot_kws={"fontsize": size},
        cbar=False,
        xticklabels=False,
        yticklabels=False,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="")
    ax.grid(False)


def number_axis(axis: Axis) -> None:
    """Ticks as compact numbers: 5 k, 1.2 M."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: _trim(formats.compact(_clean(value)))))


def money_axis(axis: Axis, currency: str) -> None:
    """Ticks as compact money: $5 k."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: _trim(formats.money(_clean(value), currency))))


def percent_axis(axis: Axis, digits: int = 0) -> None:
    """Ticks of shares as percentages."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.{digits}f} %"))


def period_axis(axes: Axes, labels: list[str], most: int = 12) -> None:
    """Name the bars 0…n−1 along x by ``labels``, thinned to at most ``most`` so that they never overlap."""
    step = max(1, -(-len(labels) // most))
    places = list(range(0, len(labels), step))
    axes.set_xticks(places, [labels[place] for place in places])


def whole_ticks(axis: Axis) -> None:
    """Ticks only at whole numbers, for counts."""
    axis.set_major_locator(MaxNLocator(integer=True))


def _clean(value: float) -> float:
    return 0.0 if abs(value) < 1e-12 else float(f"{value:.10g}")


def _trim(text: str) -> str:
    """Ticks are round numbers: '$5.00 k' → '$5 k'."""
    head, _, scale = text.partition(" ")
    if "." in head:
        head = head.rstrip("0").rstrip(".")
    return f"{head} {scale}".strip()
