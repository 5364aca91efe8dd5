"""What stays of an order line after the cost of goods: one share for all, a share per category, or the client's own."""

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.errors import ParameterError
from perennial.parameters import Parameters


def line_margin(
    transactions: ir.Table, gross_margin: float, by_category: Mapping[str, float] | None = None
) -> ir.FloatingValue:
    """What each line brought after the cost of goods: its category's share, its own margin, or ``gross_margin``.

    A line's own margin is taken wherever the data have one, unless shares are declared by category.
    """
    amount = transactions.amount.cast("float64")
    assumed = amount * gross_margin
    if by_category:
        shares = [(transactions.category == name, amount * share) for name, share in by_category.items()]
        return ibis.cases(*shares, else_=assumed)
    if "margin" not in transactions.columns:
        return assumed
    return ibis.coalesce(transactions.margin.cast("float64"), assumed)


def margin_source(transactions: ir.Table) -> tuple[float, float]:
    """Share of revenue whose margin stands in the data, and that margin as a share of that revenue (NaN without)."""
    if "margin" not in transactions.columns:
        return 0.0, float("nan")
    known = transactions.margin.notnull()
    sums = transactions.agg(
        all=transactions.amount.sum().cast("float64"),
        known=transactions.amount.sum(where=known).cast("float64"),
        margin=transactions.margin.sum().cast("float64"),
    ).to_pandas().iloc[0]  # fmt: skip
    known_sum = float(sums["known"]) if pd.notna(sums["known"]) else 0.0
    if not known_sum or not float(sums["all"]):
        return 0.0, float("nan")
    return known_sum / float(sums["all"]), float(sums["margin"]) / known_sum


def declared_shares(margin_by: Any) -> dict[str, float] | None:
    """The shares by category that ``margin_by`` declares; None where it declares none."""
    return margin_by if isinstance(margin_by, dict) else None


def resolved(parameters: Parameters, transactions: ir.Table) -> Parameters:
    """The parameters with ``gross_margin`` as ``margin_by`` makes it: margin of all lines over their amount.

    Raises
    ------
    ParameterError : the margin is none that a business could live on: not above 0, or above the revenue.
    """
    if parameters.margin_by == "set":
        return parameters
    lines = line_margin(transactions, parameters.gross_margin, declared_shares(parameters.margin_by))
    sums = transactions.agg(amount=transactions.amount.sum().cast("float64"), margin=lines.sum())
    amount, margin = (column[0].as_py() or 0.0 for column in sums.to_pyarrow().columns)
    rate = margin / amount if amount else 0.0
    if not 0 < rate <= 1:
        raise ParameterError(
            f"{parameters.client}: margin_by gives no usable margin:",
            [f"the margin of all order lines is {margin:,.0f} on {amount:,.0f} of revenue; a share above 0 and up to 1 "
             "was expected. Check the margin column, or set gross_margin and leave out margin_by"],
        )  # fmt: skip
    return parameters.model_copy(update={"gross_margin": rate})
