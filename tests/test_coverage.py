"""The data audit: reconciliation that adds up, gaps and spikes that were put there, and none that were not."""

import datetime as dt

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from perennial.analysis import coverage, reconciliation
from perennial.chapters import audit_words, data_audit
from perennial.charts import audit as charts


def steady(days: int = 400, rate: float = 30, seed: int = 5, closed: tuple[int, ...] = ()) -> pd.DataFrame:
    """Days with independent orders at a constant rate; none on ``closed`` weekdays."""
    start = pd.date_range("2023-01-01", periods=days, freq="D", unit="s", name="day")
    orders = np.random.default_rng(seed).poisson(rate, days)
    orders[start.day_of_week.isin(closed)] = 0
    return pd.DataFrame({"day": start, "orders": orders, "revenue": orders * 20.0})


@pytest.mark.parametrize("closed", [(), (6,), (5, 6)])
@pytest.mark.parametrize("rate", [0.3, 3, 30, 300])
def test_steady_clients_have_no_gap_and_no_spike(rate, closed):
    """False alarms: twelve clients, of all sizes, with and without closing days, over five draws each."""
    for seed in range(5):
        rhythm = coverage.measure_rhythm(steady(rate=rate, seed=seed, closed=closed))
        assert coverage.find_gaps(rhythm).empty
        assert coverage.find_spikes(rhythm).empty


@pytest.mark.parametrize(("rate", "length"), [(30, 1), (3, 9), (0.5, 56)])
def test_planted_gap_is_found_where_it_is(rate, length):
    days = steady(rate=rate, days=700)
    begin = 350 if rate >= 2 else int(np.flatnonzero(days["day"].dt.day_of_week == 0)[40])
    days.loc[begin : begin + length - 1, ["orders", "revenue"]] = 0
    gaps = coverage.find_gaps(coverage.measure_rhythm(days))
    assert len(gaps) == 1
    found = gaps.iloc[0]
    assert abs((found["first"] - days["day"][begin]).days) <= 7 * (rate < 2)
    assert abs((found["last"] - days["day"][begin + length - 1]).days) <= 7 * (rate < 2) + (rate == 3)
    assert found["expected_orders"] == pytest.approx(rate * length, rel=0.3)


def test_planted_spike_is_found_and_named_by_measure():
    days = steady()
    days.loc[200, "revenue"] = 20 * days.loc[200, "revenue"]
    days.loc[300, "orders"] = 150
    spikes = coverage.find_spikes(coverage.measure_rhythm(days))
    found = {(row.start, row.measure) for row in spikes.itertuples()}
    assert found == {(days["day"][200], "revenue"), (days["day"][300], "orders")}
    assert spikes.set_index("measure").loc["orders", "times"] == pytest.approx(5, rel=0.1)


def test_growth_is_neither_gap_nor_spike():
    days = steady()
    days["orders"] = np.random.default_rng(1).poisson(np.linspace(3, 120, len(days)))
    rhythm = coverage.measure_rhythm(days)
    assert coverage.find_gaps(rhythm).empty and coverage.find_spikes(rhythm).empty


def test_christmas_is_the_one_closed_day_of_the_complete_journey(shipped):
    """The grocer's file holds no basket on 25 December 2017, by a look at the file."""
    study = data_audit.study(shipped("completejourney"))
    assert study.gaps["first"].dt.date.tolist() == [dt.date(2017, 12, 25)]


MESSY = [
    ("a", "2024-01-05", "10"), ("a", "2024-02-05", "10.50"), ("", "2024-01-06", "7"), ("b", "soon", "8"),
    ("b", "2024-03-01", "much"), ("b", "2024-03-02", "3"), ("c", "2025-02-01", "99"), ("d", "2024-05-05", "-4"),
    ("b", "2024-03-02", "3"),
]  # fmt: skip


@pytest.fixture
def messy(workbook):
    workbook.write("messy", MESSY, cleaning={"exact_duplicates": "drop", "rejects": {"allow": True}})
    return workbook.open("messy")


def test_reconciliation_adds_up_in_rows_and_money(messy):
    """Counted by hand: nine lines, 136.50 in all; six rules take one line each."""
    table = reconciliation.reconcile(messy.audit).set_index("step")
    assert table.loc["raw", ["rows", "money"]].tolist() == [9, 136.5]
    assert table.loc["used", ["rows", "customers", "money"]].tolist() == [3, 2, 23.5]
    between = table.drop(["raw", "used"])
    assert between["rows"].tolist() == [-1] * 6
    assert table.loc["raw", "rows"] + between["rows"].sum() == table.loc["used", "rows"]
    assert table.loc["raw", "money"] + between["money"].sum() == table.loc["used", "money"]
    assert between["money"].to_dict() == {
        "no_customer": -7, "bad_date": -8, "bad_amount": 0, "after_as_of": -99, "exact_duplicate": -3, "only_returns": 4
    }  # fmt: skip


@pytest.mark.parametrize("name", ["cdnow", "completejourney", "demo"])
def test_audit_is_one_with_the_canonical_tables(shipped, name):
    client = shipped(name)
    study = data_audit.study(client)
    table = study.reconciliation
    assert table["rows"].iloc[:-1].sum() == table["rows"].iloc[-1] == client.transactions.count().to_pyarrow().as_py()
    assert table["money"].iloc[:-1].sum() == pytest.approx(table["money"].iloc[-1], abs=0.005)
    assert table["money"].iloc[-1] == pytest.approx(float(study.revenue), abs=0.005)
    assert study.months["rows"].sum() == study.used_rows
    assert study.months["revenue"].sum() == pytest.approx(float(study.revenue), abs=0.005)
    assert set(study.missing) | set(study.tables["table"]) >= {"transactions", "customers", "tickets"}
    assert not set(study.missing) & set(study.tables["table"])
    assert all(len(caption.title.split()) <= 15 for caption in study.captions.values())
    assert {finding.figure for finding in study.findings} <= set(study.captions) | {"base_spread"}


def test_removed_lines_are_told_in_the_first_finding(messy):
    study = data_audit.study(messy)
    said = study.findings[0].sentence
    assert study.findings[0].value == pytest.approx(3 / 9)
    assert "33 % of 9 order lines" in said and "6 were removed" in said
    assert "9 order lines removed" not in study.captions["audit_reconciliation"].title.replace("6 of 9", "")
    charts.removed_rows(study.removed, audit_words.rule_name, study.currency)
    plt.close("all")


def test_customers_there_before_the_data_begins_are_told(shipped):
    ids = {finding.id for finding in data_audit.study(shipped("completejourney")).findings}
    assert "audit.left_censored" in ids and "audit.closed_base" not in ids
    ids = {finding.id for finding in data_audit.study(shipped("cdnow")).findings}
    assert "audit.closed_base" in ids and "audit.left_censored" not in ids


def test_data_that_ends_long_before_the_as_of_day_is_told(workbook):
    rows = [(f"c{day % 40}", (dt.date(2024, 1, 1) + dt.timedelta(days=day // 4)).isoformat(), 5) for day in range(900)]
    workbook.write("stale", rows, as_of="2024-12-31")
    found = {finding.id: finding for finding in data_audit.study(workbook.open("stale")).findings}
    assert found["audit.silent_end"].kind == "caution"
    assert "12 August 2024" in found["audit.silent_end"].sentence


@pytest.mark.parametrize("day", ["2024-12-31", "2024-12-10"])
def test_last_period_that_is_not_over_is_told_and_hatched(workbook, day):
    rows = [(f"c{n % 9}", f"2024-{1 + n % 12:02d}-05", 10) for n in range(120)]
    workbook.write("partial", rows, as_of=day)
    study = data_audit.study(workbook.open("partial"))
    unfinished = day != "2024-12-31"
    assert ("audit.last_period" in {finding.id for finding in study.findings}) == unfinished
    ax = charts.orders_by_month(study.months)
    assert sum(bool(bar.get_hatch()) for bar in ax.patches) == unfinished
    charts.new_customers(study.months, study.usual_new)
    charts.rhythm(study.steps, study.gaps, study.spikes)
    plt.close("all")


def test_one_order_ever_is_audited(workbook):
    workbook.write("one", [("a", "2024-12-31", 10)])
    study = data_audit.study(workbook.open("one"))
    assert (study.customers, study.used_rows, study.measured) == (1, 1, False)
    charts.rhythm(study.steps, study.gaps, study.spikes)
    plt.close("all")


def test_names_of_gaps_close_together_lie_over_nothing():
    """Days without orders as around a British Easter, and at the very start: what is named can be read."""
    days = pd.date_range("2010-12-01", "2011-12-09", unit="s")
    steps = pd.DataFrame({"start": days, "orders": 50.0, "expected": 50.0})
    gaps = pd.DataFrame(
        [("2010-12-24", "2011-01-03"), ("2011-04-22", "2011-04-25"), ("2011-04-29", "2011-04-30"),
         ("2011-05-02", "2011-05-02"), ("2011-05-30", "2011-05-30"), ("2011-12-07", "2011-12-08")],
        columns=["first", "last"],
    ).apply(pd.to_datetime)  # fmt: skip
    ax = charts.rhythm(steps, gaps, pd.DataFrame({"start": [], "measure": [], "value": []}))
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    frame = ax.get_window_extent()
    assert {"24 Dec – 3 Jan", "22 – 25 Apr", "30 May"} <= {text.get_text() for text in ax.texts}
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[place + 1 :])
    assert not any(box.overlaps(gap.get_window_extent()) for box in boxes for gap in ax.patches)
