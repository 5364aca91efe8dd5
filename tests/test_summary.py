"""The customer summary equals a brute-force recomputation and lifetimes' own, to the cent and the day."""

import datetime as dt
from decimal import Decimal

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.tables.summary import customer_summary

AS_OF = dt.date(2024, 3, 31)
lines = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "007", "ü"]),
        st.dates(dt.date(2024, 1, 1), dt.date(2024, 4, 10)),
        st.integers(-500, 5000),
    ),
    min_size=1,
    max_size=40,
)


def as_table(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "cents"])
    frame["amount"] = [Decimal(int(c)) / 100 for c in frame.cents]
    frame["is_return"] = frame.cents < 0
    table = ibis.memtable(frame.drop(columns="cents"))
    return table.mutate(amount=table.amount.cast("decimal(18,4)"), ordered_on=table.ordered_on.cast("date"))


def by_hand(rows):
    """One customer at a time, one day at a time, in integers."""
    people = {}
    for customer, day, cents in rows:
        if day <= AS_OF:
            people.setdefault(customer, {}).setdefault(day, []).append(cents)
    found = {}
    for customer, days in people.items():
        bought = sorted(day for day, amounts in days.items() if any(a >= 0 for a in amounts))
        if bought:
            repeats = [sum(days[day]) for day in bought[1:]]
            found[customer] = (
                len(repeats),
                (bought[-1] - bought[0]).days,
                (AS_OF - bought[0]).days,
                round(sum(repeats) / len(repeats) / 100, 6) if repeats else 0.0,
                sum(sum(amounts) for amounts in days.values()),
            )
    return found


@settings(max_examples=40, deadline=None)
@given(lines)
def test_summary_equals_counting_by_hand(rows):
    frame = customer_summary(as_table(rows), AS_OF).execute()
    ours = {
        row.customer_id: (
            row.frequency,
            row.recency,
            row.T,
            round(row.monetary_value, 6),
            round(float(row.revenue) * 100),
        )
        for row in frame.itertuples()
    }
    assert ours == by_hand(rows)


def test_summary_equals_lifetimes_on_cdnow(shipped):
    """lifetimes is right here: whole dates, no time of day, no returns."""
    from lifetimes.utils import summary_data_from_transaction_data

    client = shipped("cdnow")
    orders = client.transactions.select("customer_id", "ordered_on", "amount").execute()
    orders["amount"] = orders.amount.astype(float)
    orders["ordered_on"] = pd.to_datetime(orders.ordered_on)
    theirs = summary_data_from_transaction_data(
        orders, "customer_id", "ordered_on", "amount", observation_period_end="1998-06-30", freq="D"
    )
    ours = client.summary.execute().set_index("customer_id").sort_index()
    pd.testing.assert_frame_equal(
        ours[["frequency", "recency", "T", "monetary_value"]].astype(float), theirs.sort_index(), check_names=False
    )


def test_cdnow_summary_has_the_published_counts(shipped):
    """23 570 customers and the file's total; first purchases all lie in January to March 1997 (Fader & Hardie)."""
    summary = shipped("cdnow").summary.execute()
    assert len(summary) == 23570
    assert float(summary.revenue.sum()) == pytest.approx(2500315.63, abs=0.005)
    assert summary.first_on.max() <= pd.Timestamp(1997, 3, 31)
    assert (summary["T"] <= 545).all()
    assert (summary.recency <= summary["T"]).all()


def test_afternoon_orders_of_the_as_of_day_count(workbook):
    """The as-of day is counted to its last second."""
    workbook.write("acme", [("a", "2024-12-01", 5), ("a", "2024-12-31 23:59:59", 7)])
    (row,) = workbook.open("acme").summary.execute().to_dict("records")
    assert (row["frequency"], row["recency"], row["T"], row["monetary_value"]) == (1, 30, 30, 7.0)
