"""A small base with everything the potential score looks at, made from stated rules; no files, no client."""

import datetime as dt
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd

from perennial.analysis.potential import PotentialResult, compute_potential
from perennial.parameters import Parameters
from perennial.tables.engine import connect
from perennial.tables.summary import customer_summary

AS_OF = dt.date(2024, 12, 31)
NEEDED = ("customer_id", "ordered_at", "amount")


def parameters(**potential):
    """A client's parameters with only the potential part set."""
    return Parameters.model_validate({
        "client": "base", "title": "Base", "currency": "EUR", "as_of": AS_OF, "potential": potential,
        "sources": {"transactions": {"path": "x.csv", "columns": dict.fromkeys(NEEDED, "x")}},
    })  # fmt: skip


def draw_frames(customers: int = 240, seed: int = 4) -> dict[str, pd.DataFrame]:
    """Two years of orders. Big households spend five times as much; cheese leads to wine; some stop, some interact."""
    rng = np.random.default_rng(seed)
    lines, events, contacts, people = [], [], [], []
    for place in range(customers):
        name, big = f"c{place:04d}", place % 2 == 0
        people.append((name, "big" if big else "small", f"region {place % 3}"))
        day, end = int(rng.integers(0, 300)), int(rng.choice([400, 730, 730]))
        likes = ["bread", "cheese"] if place % 4 < 2 else ["bread", "fruit"]
        while day < end:
            if "cheese" in likes and "wine" not in likes and rng.random() < 0.06:
                likes.append("wine")
            cents = int(100 * rng.gamma(3, 10 if big else 2)) + 1
            lines.append((name, day, str(rng.choice(likes)), cents))
            day += int(rng.integers(5, 60))
        events += [(name, int(rng.integers(0, 730)), str(rng.choice(["visit", "review"]))) for _ in range(place % 5)]
        if place % 3 == 0:
            contacts.append((name, 600, 150))
    return {
        "transactions": pd.DataFrame(lines, columns=["customer_id", "day", "category", "cents"]),
        "customers": pd.DataFrame(people, columns=["customer_id", "household", "region"]),
        "interactions": pd.DataFrame(events, columns=["customer_id", "day", "kind"]),
        "contacts": pd.DataFrame(contacts, columns=["customer_id", "day", "cents"]),
    }


def twice(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Every customer a second time, under another number."""
    return {
        name: pd.concat([frame, frame.assign(customer_id="copy " + frame["customer_id"])], ignore_index=True)
        for name, frame in frames.items()
    }


def as_tables(frames: dict[str, pd.DataFrame], unit: str = "cents / 100"):
    """Canonical tables in a fresh engine; ``unit`` is the SQL of the amount."""
    engine = connect()
    for name, frame in frames.items():
        engine.con.register(f"raw_{name}", frame)
    day = f"date '{AS_OF - dt.timedelta(days=729)}' + cast(day as integer)"
    amount = f"cast({unit} as decimal(18, 4))"
    queries = {
        "transactions": f"customer_id, {day} as ordered_on, cast({day} as timestamp) as ordered_at, category, "
        f"{amount} as amount, false as is_return",
        "customers": "*",
        "interactions": f"customer_id, cast({day} as timestamp) as occurred_at, kind",
        "contacts": f"customer_id, cast({day} as timestamp) as contacted_at, {amount} as cost",
    }
    for name in frames:
        engine.con.execute(f"create table {name} as select {queries[name]} from raw_{name}")
    return {name: engine.table(name) for name in frames}


def compute(frames=None, unit: str = "cents / 100", value=None, without=(), **potential) -> PotentialResult:
    """The result for a base; ``without`` names tables (or ``"category"``) that the client does not have."""
    tables = as_tables(frames or draw_frames(), unit)
    transactions = tables.pop("transactions")
    if "category" in without:
        transactions = transactions.drop("category")
    kept = {name: table for name, table in tables.items() if name not in without}
    summary = customer_summary(transactions, AS_OF).cache()
    given = None if value is None else SimpleNamespace(customers=value(summary))
    return compute_potential(transactions, summary, kept, given, parameters(**potential))


def rows(result: PotentialResult) -> pd.DataFrame:
    """The result's customers by number."""
    return result.customers.to_pandas().set_index("customer_id").sort_index()


def memtable(frame: pd.DataFrame):
    """A frame as an Ibis table."""
    return ibis.memtable(frame)
