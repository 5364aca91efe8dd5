"""Ranks within the base: how a quantity in any unit becomes a sub-score between 0 and 1."""

import ibis
import ibis.expr.types as ir


def percentile_rank(table: ir.Table, column: str) -> ir.FloatingColumn:
    """Share of rows below this one, ties counted half: between 0 and 1, mean exactly one half.

    Ranks do not change with the unit of the column, nor when every row is there twice.
    """
    below = ibis.rank().over(order_by=table[column])
    equal = table.count().over(group_by=table[column])
    return (below + equal / 2) / table.count().over()


def round_to_signal(column: ir.NumericValue) -> ir.FloatingValue:
    """A float without its last digits, which differ between runs on several threads and would break ties by chance."""
    return column.cast("float64").round(9)
