"""The customer base: totals recomputed by brute force, parts that add up, clients at the edge."""

import datetime as dt
from decimal import Decimal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.analysis import base, concentration
from perennial.analysis.comparison import comparable_windows
from perennial.analysis.decomposition import DRIVERS, decompose, log_mean
from perennial.chapters import customer_base

AS_OF = dt.date(2024, 12, 31)


def some_orders(seed: int = 3, customers: int = 80, days: int = 730) -> list[tuple]:
    """Two years of orders with numbers, several lines each, a tenth of the lines returned."""
    draw = np.random.default_rng(seed)
    rows = []
    for order in range(600):
        who, day = f"c{draw.integers(customers):02d}", int(draw.integers(days))
        when = dt.date(2023, 1, 2) + dt.timedelta(days=day)
        for _ in range(int(draw.integers(1, 4))):
            back = draw.random() < 0.1
            amount = Decimal(int(draw.integers(100, 9000))) / 100
            rows.append((who, f"o{order}", when.isoformat(), -amount if back else amount))
    return rows


HEADER = ["customer_id", "order_id", "ordered_at", "amount"]


@pytest.fixture
def made(workbook):
    workbook.write("made", some_orders(), header=HEADER)
    return workbook.open("made")


def in_pandas(client) -> pd.DataFrame:
    lines = client.transactions.to_pandas()
    lines["amount"] = lines["amount"].astype(float)
    lines["ordered_on"] = pd.to_datetime(lines["ordered_on"])
    first = lines[~lines["is_return"]].groupby("customer_id")["ordered_on"].min().rename("first_on")
    return lines.join(first, on="customer_id")


@pytest.mark.parametrize(("unit", "alias"), [("week", "W-SUN"), ("month", "M"), ("quarter", "Q-DEC")])
def test_period_totals_equal_a_brute_force_computation(made, unit, alias):
    lines = in_pandas(made)
    period = lines["ordered_on"].dt.to_period(alias)
    new = lines["first_on"].dt.to_period(alias) >= period
    bought = ~lines["is_return"]
    first_line = lines[bought].groupby(["customer_id", "order_id"])["ordered_on"].min().dt.to_period(alias)
    totals = base.period_totals(made.transactions, made.summary, AS_OF, unit)
    assert len(totals) == len(pd.period_range(period.min(), pd.Period(AS_OF, alias), freq=alias))
    for row in totals.itertuples():
        here = period == pd.Period(row.period, alias)
        assert row.revenue == pytest.approx(lines.loc[here, "amount"].sum(), abs=1e-6)
        assert row.new_revenue == pytest.approx(lines.loc[here & new, "amount"].sum(), abs=1e-6)
        assert row.customers == lines.loc[here & bought, "customer_id"].nunique()
        assert row.new_customers == lines.loc[here & bought & new, "customer_id"].nunique()
        assert row.orders == (first_line == pd.Period(row.period, alias)).sum()
        assert row.rows == here.sum()


def test_new_and_returning_add_up_to_all_to_the_cent(made):
    totals = base.period_totals(made.transactions, made.summary, AS_OF, "month")
    for measure in base.MEASURES:
        together = totals[f"new_{measure}"] + totals[f"returning_{measure}"]
        assert (together - totals[measure]).abs().max() < 0.005
    whole = made.transactions.amount.sum().to_pyarrow().as_py()
    assert Decimal(str(round(totals["revenue"].sum(), 2))) == whole
    assert totals["new_customers"].sum() == made.summary.count().to_pyarrow().as_py()
    assert totals["orders"].sum() == made.summary.orders.sum().to_pyarrow().as_py()


def test_windows_are_the_longest_that_fit_twice_and_end_on_the_as_of_day():
    """By hand: what fits twice into 36, 18, 12, 7 and 3 months, and that 40 days hold nothing to compare."""
    end = dt.date(1998, 6, 30)
    cases = {(1995, 7): "year", (1996, 7): "year", (1997, 1): "half", (1997, 7): "half", (1997, 12): "quarter"}
    cases |= {(1998, 4): "month"}
    for (year, month), unit in cases.items():
        found = comparable_windows(dt.date(year, month, 1), end)
        assert found is not None
        assert (found.unit, found.after.last) == (unit, end)
        assert found.before.last + dt.timedelta(days=1) == found.after.first
        assert found.before.first >= dt.date(year, month, 1)
    assert comparable_windows(dt.date(1998, 5, 21), end) is None
    half = comparable_windows(dt.date(1997, 1, 1), end)
    assert (half.before.first, half.after.first) == (dt.date(1997, 7, 1), dt.date(1998, 1, 1))
    assert half.seasonal and half.knows_new


def test_logarithmic_mean_lies_between_geometric_and_arithmetic_mean():
    """An inequality of Carlson (1972); L(1, e) = e − 1 by hand."""
    assert log_mean(np.e, 1) == pytest.approx(np.e - 1)
    assert log_mean(5, 5) == 5
    for a, b in [(1, 2), (0.01, 90), (7, 7.0001)]:
        assert np.sqrt(a * b) <= log_mean(a, b) <= (a + b) / 2


def test_decomposition_by_hand_of_a_doubled_customer_base():
    """Twice the customers, all else equal: everything is due to customers."""
    groups = pd.DataFrame(
        {
            "group": ["all"], "customers_before": [10], "orders_before": [30], "revenue_before": [300.0],
            "customers_after": [20], "orders_after": [60], "revenue_after": [600.0],
        }
    )  # fmt: skip
    effects = decompose(groups).set_index("driver")["effect"]
    assert effects["customers"] == pytest.approx(300)
    assert effects.drop("customers").abs().max() < 1e-9


counts = st.integers(0, 400)
money = st.floats(-1e5, 1e7, allow_nan=False).map(lambda v: round(v, 2))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(counts, counts, money, counts, counts, money), min_size=1, max_size=2))
def test_parts_of_the_change_add_up_exactly(rows):
    """LMDI leaves no remainder (Ang 2005), and neither does the rule for groups without a logarithm."""
    columns = [f"{name}_{side}" for side in ("before", "after") for name in ("customers", "orders", "revenue")]
    groups = pd.DataFrame(rows, columns=columns).assign(group=["new", "returning"][: len(rows)])
    for side in ("before", "after"):  # orders are made by customers
        groups.loc[groups[f"customers_{side}"] == 0, f"orders_{side}"] = 0
    parts = decompose(groups)
    assert list(parts["driver"]) == list(DRIVERS)
    change = groups["revenue_after"].sum() - groups["revenue_before"].sum()
    size = max(groups[["revenue_before", "revenue_after"]].abs().to_numpy().max(), 1)
    assert parts["effect"].sum() == pytest.approx(change, abs=1e-9 * size)


def test_more_days_in_a_window_are_a_driver_of_their_own_and_the_parts_still_add_up():
    sides = {"customers": [40, 60], "orders": [181, 362], "revenue": [1810.0, 7240.0]}
    later = {"customers": [40, 60], "orders": [184, 368], "revenue": [1840.0, 7360.0]}
    groups = pd.DataFrame({"group": ["new", "returning"]})
    groups = groups.assign(
        **{f"{k}_before": v for k, v in sides.items()}, **{f"{k}_after": v for k, v in later.items()}
    )
    parts = decompose(groups, (181, 184)).set_index("driver")
    assert parts["effect"].sum() == pytest.approx(9200 - 9050, abs=1e-9)
    assert parts.loc["days", "effect"] == pytest.approx(150)
    assert parts.loc["orders_per_customer", "effect"] == pytest.approx(0, abs=1e-9)
    assert parts.loc["orders_per_customer", "change_rate"] == pytest.approx(0, abs=1e-12)
    assert "days" not in set(decompose(groups, (181, 181))["driver"])


def test_windows_and_movement_add_up_and_equal_a_brute_force_computation(made):
    comparison = comparable_windows(dt.date(2023, 1, 2), AS_OF)
    lines = in_pandas(made)
    early = lines["ordered_on"].between(*map(pd.Timestamp, (comparison.before.first, comparison.before.last)))
    late = lines["ordered_on"].between(*map(pd.Timestamp, (comparison.after.first, comparison.after.last)))
    bought = ~lines["is_return"]
    before, after = (set(lines.loc[side & bought, "customer_id"]) for side in (early, late))
    moves = base.movement(made.transactions, made.summary, comparison).set_index("status")
    assert moves.loc["retained", "customers"] == len(before & after) > 0
    assert moves.loc["lost", "customers"] == len(before - after) > 0
    assert moves.loc[["new", "regained"], "customers"].sum() == len(after - before) > 0
    assert moves["revenue_before"].sum() == pytest.approx(lines.loc[early, "amount"].sum())
    assert moves["revenue_after"].sum() == pytest.approx(lines.loc[late, "amount"].sum())
    lost = lines[early & lines["customer_id"].isin(before - after)]
    assert moves.loc["lost", "revenue_before"] == pytest.approx(lost["amount"].sum())
    groups = base.window_groups(made.transactions, made.summary, comparison)
    assert groups["customers_after"].sum() == len(after)
    assert groups["revenue_before"].sum() == pytest.approx(lines.loc[early, "amount"].sum())


def gini_by_definition(values: np.ndarray) -> float:
    """Half the mean absolute difference over the mean."""
    return float(np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean()))


def test_concentration_equals_its_definitions(shipped):
    client = shipped("demo")
    values = np.sort(client.summary.revenue.cast("float64").to_pandas().to_numpy())[::-1]
    found = concentration.measure_concentration(client.summary)
    tenth, fifth = -(-len(values) // 10), -(-len(values) // 5)
    assert found.customers == len(values) > 1000
    assert found.gini == pytest.approx(gini_by_definition(values), abs=1e-9)
    assert found.top_tenth == pytest.approx(values[:tenth].sum() / values.sum())
    assert found.top_fifth == pytest.approx(values[:fifth].sum() / values.sum())
    assert found.median == pytest.approx(np.median(values))
    others = concentration.measure_concentration(client.summary, leave_out=10)
    assert others.revenue == pytest.approx(values[10:].sum())
    assert others.gini == pytest.approx(gini_by_definition(values[10:]), abs=1e-9)
    curve = concentration.lorenz_curve(client.summary)
    assert curve["revenue_share"].iloc[[0, -1]].tolist() == [0, 1]
    at = curve[np.isclose(curve["customer_share"], 0.8)]["revenue_share"]
    assert at.item() == pytest.approx(1 - found.top_fifth)
    assert concentration.revenue_histogram(client.summary)["customers"].sum() == (values > 0).sum()


def test_interval_of_the_top_tenth_agrees_with_a_bootstrap(shipped):
    """Percentile bootstrap of 400 draws, seed 1: its bounds and those of the influence function lie close."""
    values = shipped("cdnow").summary.revenue.cast("float64").to_pandas().to_numpy()
    found = concentration.measure_concentration(shipped("cdnow").summary, level=0.90)
    draw = np.random.default_rng(1)
    count = -(-len(values) // 10)
    shares = []
    for _ in range(400):
        sample = draw.choice(values, len(values))
        top = np.partition(sample, len(sample) - count)[-count:]
        shares.append(top.sum() / sample.sum())
    low, high = np.quantile(shares, [0.05, 0.95])
    assert (found.low, found.high) == (pytest.approx(low, abs=0.003), pytest.approx(high, abs=0.003))


@pytest.mark.parametrize("name", ["cdnow", "completejourney", "demo"])
def test_chapter_is_one_with_the_canonical_tables(shipped, name):
    """Customers and revenue of every part of the chapter are those of the tables."""
    client = shipped(name)
    study = customer_base.study(client)
    total = client.transactions.amount.sum().to_pyarrow().as_py()
    assert study.revenue == total
    assert study.customers == client.summary.count().to_pyarrow().as_py()
    assert study.periods["revenue"].sum() == pytest.approx(float(total), abs=0.005)
    assert study.periods["new_customers"].sum() == study.customers
    before, after = study.revenue_change
    assert study.drivers["effect"].sum() == pytest.approx(after - before, abs=0.005)
    assert study.movement["change"].sum() == pytest.approx(after - before, abs=0.005)
    assert study.histogram["customers"].sum() + study.not_paying == study.customers
    assert study.top["revenue"].is_monotonic_decreasing and len(study.top) == 10
    assert {finding.figure for finding in study.findings} <= set(study.captions) | {""}
    assert all(len(caption.title.split()) <= 15 for caption in study.captions.values())
    assert all(0 <= finding.importance <= 1 for finding in study.findings)


EDGES = {
    "one_customer": [("a", "2024-03-01", 10), ("a", "2024-05-01", 20)],
    "one_day": [(f"c{n}", "2024-12-31", 5 + n) for n in range(12)],
    "nothing_paid": [(f"c{n}", f"2024-0{1 + n % 9}-15", 0) for n in range(40)],
    "returned_in_full": [("a", "2024-02-01", 10), ("a", "2024-02-09", -10), ("b", "2024-11-01", 7)],
}


@pytest.mark.parametrize("name", EDGES)
def test_edge_clients_are_counted_and_every_chart_drawn(workbook, name):
    from perennial.chapters import base_words
    from perennial.charts import base as charts

    workbook.write(name, EDGES[name])
    study = customer_base.study(workbook.open(name))
    assert study.customers == len({row[0] for row in EDGES[name]})
    assert study.revenue == sum(row[2] for row in EDGES[name])
    assert study.periods["new_customers"].sum() == study.customers
    assert study.findings and all("nan" not in finding.sentence.lower() for finding in study.findings)
    charts.revenue_by_period(study.periods, study.currency, study.unit)
    charts.customers_by_period(study.periods, study.unit)
    charts.revenue_histogram(study.histogram, study.everyone.median, study.everyone.mean, study.currency)
    charts.lorenz_curve(study.lorenz, study.everyone.top_fifth)
    if study.comparison:
        names = study.window_names
        charts.revenue_bridge(study.drivers, study.revenue_change, base_words.driver_name, names, study.currency)
        charts.movement_bars(study.movement, base_words.status_name, names, study.currency)
    plt.close("all")


def test_partial_last_month_is_marked_hatched_and_not_compared(workbook):
    from perennial.charts import base as charts

    rows = [(f"c{n % 9}", f"2024-{1 + n % 11:02d}-05", 10) for n in range(110)] + [("c1", "2024-12-03", 10)]
    workbook.write("partial", rows, as_of="2024-12-10")
    study = customer_base.study(workbook.open("partial"))
    assert study.periods["finished"].tolist() == [True] * 11 + [False]
    assert "Nov 2024" in study.captions["base_customers"].title
    ax = charts.revenue_by_period(study.periods, study.currency, study.unit)
    assert sum(bool(bar.get_hatch()) for bar in ax.patches) == 1
    assert study.comparison.after.last == dt.date(2024, 12, 10)


def two_quarters(workbook, before: tuple[int, int], after: tuple[int, int]):
    """The chapter on so many customers with one order of so much each in two quarters of 92 days."""
    rows = []
    for first, (customers, amount) in ((dt.date(2024, 7, 1), before), (dt.date(2024, 10, 1), after)):
        rows += [(f"c{n}", (first + dt.timedelta(days=n % 92)).isoformat(), amount) for n in range(customers)]
    workbook.write("moved", rows)
    return customer_base.study(workbook.open("moved"))


@pytest.mark.parametrize(
    ("after", "title", "sentence"),
    [
        # by hand, with L = (b − a) / ln(b / a) of the revenues: 2000 → 2040 gives L = 2019.9; ln(120 / 200) = −0.511
        ((120, 17), "Value per order +€1.07 k, number of customers −€1.03 k: +€40 in all", "stands against −€1.03 k"),
        (
            (90, 20),
            "Number of customers −€1.52 k, value per order +€1.32 k: −€200 in all",
            "; −€1.52 k from the number of customers stands against +€1.32 k from value per order",
        ),
        ((300, 10), "Number of customers moved revenue most: +€1.00 k of +€1.00 k", "of it comes from the number of"),
        ((240, 12), "Number of customers and value per order moved revenue about equally", "nearly as much from value"),
    ],
)
def test_the_largest_part_of_a_change_is_named_also_where_parts_cancel(workbook, after, title, sentence):
    study = two_quarters(workbook, (200, 10), after)
    effects = study.drivers.set_index("driver")["effect"]
    largest = {"customers": "Number of customers", "order_value": "Value per order"}[effects.abs().idxmax()]
    shown = study.captions["base_drivers"].title
    assert largest.lower() in shown.lower()
    assert len(shown.split()) <= 15
    (said,) = [finding.sentence for finding in study.findings if finding.id == "base.revenue_change"]
    assert sentence in said
    assert shown == title
