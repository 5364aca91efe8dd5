"""What the quadrant map draws: customers counted in cells, as readable with a million of them as with a hundred."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.quadrants import LOOKS, QUADRANTS

COLUMNS_ACROSS = 44
SCORE_STEP = 100 / 32
LOWEST_QUANTILE = 0.02  # of positive values: what is worth less is drawn at this edge


def count_cells(customers: ir.Table, cut_value: float, cut_potential: float) -> pd.DataFrame:
    """Customers per cell of value (on a logarithmic axis) and score; the cut lines are edges of cells.

    Returns
    -------
    ``value_low, value_high`` (money), ``score_low, score_high, customers, quadrant``; every customer is in one cell.
    """
    lowest, highest = _value_range(customers, cut_value)
    origin = np.log10(cut_value) if cut_value > 0 else np.log10(highest)
    width = max((np.log10(highest) - np.log10(lowest)) / COLUMNS_ACROSS, 0.02)
    clipped = ibis.greatest(customers.current_value, lowest)
    cells = customers.select(
        "quadrant",
        across=((clipped.log10() - origin) / width).round(9).ceil().cast("int64"),
        up=((customers.potential_score - cut_potential) / SCORE_STEP).round(9).ceil().cast("int64"),
    )
    counts = cells.group_by("quadrant", "across", "up").agg(customers=cells.count())
    frame = counts.order_by("quadrant", "across", "up").to_pandas()
    for edge, shift in (("low", 1), ("high", 0)):
        frame[f"value_{edge}"] = 10 ** (origin + (frame["across"] - shift) * width)
        frame[f"score_{edge}"] = cut_potential + (frame["up"] - shift) * SCORE_STEP
    return frame[["value_low", "value_high", "score_low", "score_high", "customers", "quadrant"]]


def _value_range(customers: ir.Table, cut_value: float) -> tuple[float, float]:
    some = customers.filter(customers.current_value > 0).current_value
    row = some.as_table().agg(low=some.quantile(LOWEST_QUANTILE), high=some.max()).to_pandas().iloc[0]
    if not row["high"] > 0:
        return 0.1, 1.0
    lowest = min(float(row["low"]), cut_value) if cut_value > 0 else float(row["low"])
    return lowest, max(float(row["high"]), cut_value)


def look_profile(customers: ir.Table) -> pd.DataFrame:
    """Mean sub-score per quadrant and look among those measured, four rows; missing where nobody is."""
    means = customers.group_by("quadrant").agg(**{look: customers[f"{look}_score"].mean() for look in LOOKS})
    return means.to_pandas().set_index("quadrant").reindex(list(QUADRANTS)).astype(float)


def leading_customers(customers: ir.Table, quadrant: str, count: int = 10) -> pd.DataFrame:
    """The customers of a quadrant with the highest score, then the highest value."""
    columns = ["customer_id", "potential_score", "current_value", "spend_12m", "headroom", "next_category", "stage"]
    chosen = customers.filter(customers.quadrant == quadrant)
    ordered = chosen.order_by(ibis.desc("potential_score"), ibis.desc("current_value"), "customer_id")
    return ordered.limit(count).select(columns).to_pandas()
