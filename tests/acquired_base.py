"""A simulated client with known parameters: BG/NBD purchases, Gamma-Gamma orders, by group."""

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.spend_model import SpendModel
from perennial.tables.summary import customer_summary

START = dt.date(2023, 1, 1)
DAYS = 730
AS_OF = START + dt.timedelta(days=DAYS - 1)


@dataclass(frozen=True)
class Truth:
    """True parameters of one group, times in weeks."""

    r: float = 1.0
    alpha: float = 8.0
    a: float = 0.8
    b: float = 3.0
    p: float = 5.0
    q: float = 4.0
    v: float = 30.0

    @property
    def purchase(self) -> PurchaseModel:
        return PurchaseModel("BG/NBD", {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b})

    @property
    def spend(self) -> SpendModel:
        return SpendModel({"p": self.p, "q": self.q, "v": self.v}, covariance=np.full((3, 3), np.nan))


def histories(truth: Truth, customers: int, weeks: float, rng: np.random.Generator) -> pd.DataFrame:
    """``frequency, recency, T`` (days, continuous) and ``weight`` of customers all observed for ``weeks``."""
    rate, leave = rng.gamma(truth.r, 1 / truth.alpha, customers), rng.beta(truth.a, truth.b, customers)
    x, last, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.ones(customers, bool)
    while alive.any():
        clock = np.where(alive, clock + rng.exponential(1 / np.maximum(rate, 1e-12)), np.inf)
        alive &= clock <= weeks
        x, last = x + alive, np.where(alive, clock, last)
        alive &= rng.random(customers) >= leave
    return pd.DataFrame({"frequency": x, "recency": 7 * last, "T": 7.0 * weeks, "weight": 1})


def transactions(truths: dict[str, Truth], customers: int, seed: int = 1, span: int = DAYS) -> pd.DataFrame:
    """Order lines ``customer_id, ordered_on, amount, is_return``; ids begin with the group's name.

    Customers arrive evenly over the span; at most one order a day.
    """
    rng, parts = np.random.default_rng(seed), []
    for name, t in truths.items():
        for number in range(customers):
            born, rate, leave = rng.integers(span), rng.gamma(t.r) / t.alpha / 7, rng.beta(t.a, t.b)
            days, clock = [int(born)], float(born)
            while True:
                clock += rng.exponential(1 / max(rate, 1e-12))
                if clock >= span:
                    break
                days.append(int(clock))
                if rng.random() < leave:
                    break
            days = sorted(set(days))
            nu = rng.gamma(t.q) / t.v
            parts += [(f"{name}-{number:04d}", day, round(float(rng.gamma(t.p) / nu), 2)) for day in days]
    frame = pd.DataFrame(parts, columns=["customer_id", "day", "amount"])
    ordered_on = pd.Timestamp(START) + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame.assign(ordered_on=ordered_on, is_return=False)


def as_tables(frame: pd.DataFrame, as_of: dt.date = AS_OF) -> tuple[ir.Table, ir.Table, ir.Table]:
    """Transactions, customer summary, and a customers table whose segment is the beginning of the id."""
    con = ibis.duckdb.connect()
    table = con.create_table("transactions", frame)
    table = table.mutate(ordered_on=table.ordered_on.date(), amount=table.amount.cast("decimal(18,4)"))
    ids = frame[["customer_id"]].drop_duplicates()
    people = con.create_table("customers", ids.assign(segment=ids["customer_id"].str.split("-").str[0]))
    return table, customer_summary(table, as_of).cache(), people
