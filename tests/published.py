"""The published CDNOW samples that lifetimes ships, read by path: its own dataset module cannot be imported."""

import importlib.util
from functools import cache
from pathlib import Path

import pandas as pd

from perennial.analysis.fitters import fit_purchases
from perennial.analysis.purchase_model import HISTORY, Name, PurchaseModel

_SPEC = importlib.util.find_spec("lifetimes")
assert _SPEC is not None and _SPEC.submodule_search_locations is not None
DATASETS = Path(_SPEC.submodule_search_locations[0]) / "datasets"


def calibration_sample() -> pd.DataFrame:
    """2 357 customers at week 39, one row each: frequency, recency, T (days), monetary_value, weight 1."""
    frame = pd.read_csv(DATASETS / "cdnow_customers_summary_with_transactions.csv")
    frame.columns = ["customer_id", "frequency", "recency", "T", "monetary_value"]
    return frame.assign(recency=frame["recency"] * 7, T=frame["T"] * 7, weight=1)


def distinct_histories() -> pd.DataFrame:
    """The same, as distinct (frequency, recency, T) rows with weights."""
    keys = HISTORY
    return calibration_sample().groupby(keys, as_index=False)["weight"].sum()


def sample_transactions() -> pd.DataFrame:
    """The transactions behind it, 78 weeks: customer_id, ordered_on, amount, is_return."""
    names = ["master_id", "customer_id", "day", "cds", "amount"]
    frame = pd.read_csv(DATASETS / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names, dtype=str)
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "ordered_on": pd.to_datetime(frame["day"], format="%Y%m%d"),
            "amount": frame["amount"].astype(float),
            "is_return": False,
        }
    )


@cache
def fitted(name: Name) -> PurchaseModel:
    """A purchase model fitted to the CDNOW calibration sample."""
    return fit_purchases(distinct_histories(), name)
