"""Ids that several people seem to share: marked wherever customers are named, and never among those to contact."""

import ibis.expr.types as ir
import pandas as pd

SHARED = "shared_id"  # the summary's column


def mark_shared(listed: pd.DataFrame, summary: ir.Table) -> pd.DataFrame:
    """A list of customers with ``shared_id`` beside the customer, where any of them is such an id."""
    found = set(_shared(summary, listed["customer_id"].tolist()))
    if not found:
        return listed
    marked = listed.copy()
    marked.insert(listed.columns.get_loc("customer_id") + 1, SHARED, listed["customer_id"].isin(found))
    return marked


def _shared(summary: ir.Table, some: list[str]) -> list[str]:
    if SHARED not in summary.columns:
        return []
    theirs = summary.filter(summary[SHARED], summary.customer_id.isin(some))
    return list(theirs.customer_id.to_pyarrow().to_pylist())


def contactable(customers: ir.Table, summary: ir.Table) -> ir.Table:
    """The customers without the ids that several people seem to share: nobody can be reached under them."""
    if SHARED not in summary.columns:
        return customers
    return customers.anti_join(summary.filter(summary[SHARED]), "customer_id")


def count_shared(customers: ir.Table, summary: ir.Table) -> int:
    """How many of the customers are such ids."""
    return int(customers.count().execute() - contactable(customers, summary).count().execute())
