"""Cohort matrices against brute force in pandas, invariants, masks, the left-censoring detector, edge clients."""

import datetime as dt
from decimal import Decimal

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from perennial import formats
from perennial.analysis import cohorts, mix
from perennial.analysis.cadence import order_steps
from perennial.analysis.censoring import judge_beginning, new_since, only_new
from perennial.analysis.repeats import compare_halves, early_repeat, wait_counts
from perennial.chapters import churn, cohort_retention, customer_base, data_audit, lifetime_value
from perennial.charts import cohorts as charts
from perennial.charts import repeats as repeat_charts
from perennial.errors import ModelError
from perennial.tables.summary import customer_summary

AS_OF = dt.date(2024, 6, 20)
FIRST = dt.date(2024, 1, 1)


def tables(lines: list[tuple[str, int, float]], as_of: dt.date = AS_OF) -> tuple[ibis.Table, ibis.Table]:
    """Canonical transactions (customer, day since 1 January 2024, amount) and their summary; below zero: a return."""
    rows = pd.DataFrame(lines, columns=["customer_id", "day", "amount"])
    rows["ordered_on"] = [FIRST + dt.timedelta(days=int(day)) for day in rows["day"]]
    table = ibis.memtable(rows.assign(ordered_on=pd.to_datetime(rows["ordered_on"])))
    table = table.select(
        "customer_id",
        ordered_at=table.ordered_on,
        amount=table.amount.cast("decimal(18,4)"),
        ordered_on=table.ordered_on.cast("date"),
        is_return=table.amount < 0,
    )
    bought = table.filter(~table.is_return).customer_id
    table = table.filter(table.customer_id.isin(bought))
    return table, customer_summary(table, as_of)


def brute_force(lines: list[tuple[str, int, float]], unit: str) -> dict[tuple[str, str], tuple[set[str], float]]:
    """(cohort, period) → customers who bought in it and net revenue, one line at a time."""
    name = {"week": "W-SUN", "month": "M", "quarter": "Q-DEC"}[unit]

    def period(day: int) -> str:
        return str(pd.Period(pd.Timestamp(FIRST) + pd.Timedelta(days=day), name).start_time.date())

    first: dict[str, int] = {}
    for customer, day, amount in lines:
        if amount >= 0:
            first[customer] = min(day, first.get(customer, day))
    cells: dict[tuple[str, str], tuple[set[str], float]] = {}
    for customer, day, amount in lines:
        if customer in first:
            key = (period(first[customer]), max(period(day), period(first[customer])))
            people, money = cells.get(key, (set(), 0.0))
            cells[key] = (people | {customer} if amount >= 0 else people, money + amount)
    return cells


line = st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 171), st.integers(-20, 90).map(float))
bought = st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 171), st.integers(0, 90).map(float))


@settings(max_examples=40, deadline=None)
@given(st.lists(line, max_size=40), bought, st.sampled_from(["week", "month", "quarter"]))
def test_every_cell_equals_counting_line_by_line(lines, one, unit):
    lines = [*lines, one]
    found = cohorts.cohort_cells(*tables(lines), AS_OF, unit)
    expected = brute_force(lines, unit)
    seen = {
        (str(row.cohort.date()), str(row.period.date())): (row.customers, row.revenue) for row in found.itertuples()
    }
    assert set(expected) <= set(seen)
    for key, (customers, revenue) in seen.items():
        people, money = expected.get(key, (set(), 0.0))
        assert customers == len(people)
        assert revenue == pytest.approx(money, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(line, max_size=40), bought, st.sampled_from(["week", "month", "quarter"]))
def test_cohorts_add_up_to_the_base_and_cells_to_its_revenue(lines, one, unit):
    transactions, summary = tables([*lines, one])
    cells = cohorts.cohort_cells(transactions, summary, AS_OF, unit)
    base = summary.to_pandas()
    assert cells.loc[cells["age"] == 0, "size"].sum() == len(base)
    assert round(cells["revenue"].sum(), 2) == round(float(base["revenue"].sum()), 2)
    assert (cells.loc[cells["age"] == 0, "customers"] == cells.loc[cells["age"] == 0, "size"]).all()
    assert cells["rate"].between(0, 1).all()


@pytest.mark.parametrize("client", ["cdnow", "demo"])
def test_cohorts_of_a_shipped_client_add_up_to_its_base_to_the_cent(shipped, client):
    opened = shipped(client)
    p = opened.parameters
    cells = cohorts.cohort_cells(opened.transactions, opened.summary, p.as_of, p.cohort_period)
    assert cells.loc[cells["age"] == 0, "size"].sum() == opened.summary.count().execute()
    total = opened.transactions.amount.sum().execute()
    assert Decimal(str(cells["revenue"].sum())).quantize(Decimal("0.01")) == Decimal(total).quantize(Decimal("0.01"))


def test_cdnow_has_the_three_published_cohorts(shipped):
    """23,570 customers, all acquired January to March 1997 (Fader & Hardie, notes on the CDNOW data set)."""
    client = shipped("cdnow")
    sizes = cohorts.cohort_sizes(client.summary, "month")
    assert list(sizes["cohort"].dt.strftime("%Y-%m")) == ["1997-01", "1997-02", "1997-03"]
    assert sizes["size"].sum() == 23570


def test_revenue_by_month_differs_from_the_base_by_returns_before_the_first_purchase_only(workbook):
    """a returns 7 in January and buys first in February: the base counts −7 in January, the cohorts in February."""
    rows = [(f"c{n}", f"2024-0{1 + n % 3}-05", 10) for n in range(9)]
    workbook.write("moved", [*rows, ("a", "2024-01-20", -7), ("a", "2024-02-10", 30)], as_of="2024-03-31")
    client = workbook.open("moved")
    found = cohort_retention.study(client)
    by_month = found.cells.groupby("period")["revenue"].sum()
    base = customer_base.study(client).periods.set_index("period")["revenue"]
    assert (by_month - base).tolist() == [7, -7, 0]
    assert found.moved_returns == -7
    for name in ("cohort_layers", "cohort_revenue_matrix"):
        assert "Returns of €7 booked before their customers' first purchase" in found.captions[name].source
    assert found.formats["period"](pd.Timestamp("2024-02-01")) == "Feb 2024"
    assert found.formats["group"](pd.Timestamp("2024-02-01")) == "Feb 2024"


def test_unfinished_periods_are_masked_not_zero():
    transactions, summary = tables([("a", 0, 5), ("a", 165, 5)])
    cells = cohorts.cohort_cells(transactions, summary, AS_OF, "month")
    assert list(cells["finished"]) == [True] * 5 + [False]  # 20 June: June is not over
    matrix = cohorts.as_matrix(cells, "rate")
    assert list(matrix.iloc[0, :5]) == [1, 0, 0, 0, 0]
    assert np.isnan(matrix.iloc[0, 5])
    assert 5 not in set(cohorts.retention_curve(cells)["age"])
    whole = cohorts.cohort_cells(*tables([("a", 0, 5)], dt.date(2024, 6, 30)), dt.date(2024, 6, 30), "month")
    assert whole["finished"].all()  # the last day of June counts


def test_retention_curve_weighs_cohorts_by_size_with_wilsons_interval():
    """January: 1 of 2 back in February; February: 3 of 3 back in March. By hand: age 1 is 4 of 5."""
    lines = [("a", 0, 1), ("a", 40, 1), ("b", 3, 1)]
    lines += [(name, day, 1) for name in "cde" for day in (35, 65)]
    curve = cohorts.retention_curve(cohorts.cohort_cells(*tables(lines), AS_OF, "month"), 0.9).set_index("age")
    assert (curve.loc[1, "customers"], curve.loc[1, "size"]) == (4, 5)
    z, n, p = norm.ppf(0.95), 5, 0.8
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert curve.loc[1, "low"] == pytest.approx(centre - half)
    assert curve.loc[1, "high"] == pytest.approx(centre + half)


def aged(sizes: list[int], returned: list[list[int]]) -> pd.DataFrame:
    """Cells of monthly cohorts: size, and how many bought at each finished age; 10 of revenue per buyer."""
    first = pd.date_range("2023-01-01", periods=len(sizes), freq="MS")
    rows = [
        (cohort, age, size, bought, 10.0 * bought, True)
        for cohort, size, ages in zip(first, sizes, returned, strict=True)
        for age, bought in enumerate([size, *ages])
    ]
    return pd.DataFrame(rows, columns=["cohort", "age", "size", "customers", "revenue", "finished"])


MIXED = aged([20, 20, 20, 40], [[16, 16, 16], [10, 8], [10, 8], [10]])  # the oldest cohort is the best


def test_an_averaged_curve_ends_where_three_cohorts_and_fifty_customers_are_observed():
    curve = cohorts.retention_curve(MIXED)
    assert list(curve["cohorts"]) == [4, 4, 3, 1]
    assert list(cohorts.supported(curve)["age"]) == [0, 1, 2], "the last point is one cohort of twenty"
    assert list(cohorts.supported(curve, minimum_group=70)["age"]) == [0, 1]
    few = aged([100, 100], [[30, 20], [30]])
    assert list(cohorts.supported(cohorts.retention_curve(few))["age"]) == [0, 1], "of two cohorts, both are needed"
    small = aged([8, 8, 8, 8], [[4, 3, 2], [4, 3, 2], [4, 3], [4]])
    assert list(cohorts.supported(cohorts.retention_curve(small))["age"]) == [0, 1, 2], (
        "half of 32 customers, three cohorts"
    )


def test_first_and_last_rate_are_of_the_same_customers():
    """By hand: 60 customers observed at age 2; 36 of them bought at age 1, 32 at age 2. All cohorts: 46 of 100."""
    curve = cohorts.same_cohorts(MIXED, 2)
    assert list(curve["age"]) == [1, 2]
    assert list(curve["size"]) == [60, 60]
    assert list(curve["customers"]) == [36, 32]
    low, high = cohorts.change(curve)
    assert low < (32 - 36) / 60 < high
    assert low < 0 < high


def test_mean_revenue_of_each_age_is_over_every_cohort_that_finished_it():
    means = cohorts.mean_revenue(MIXED, 2)
    assert list(means["size"]) == [100, 100, 60]
    assert list(means["revenue"]) == pytest.approx([10, 4.6, 10 * 32 / 60])


def test_no_direction_of_retention_is_read_from_few_customers(shipped):
    found = cohort_retention.study(shipped("completejourney"))
    assert found.curve["cohorts"].min() >= 3
    assert found.curve["size"].min() >= 50
    sentences = {finding.id: finding.sentence for finding in found.findings}
    assert "cannot be told" in sentences["cohorts.retention"]
    assert "cannot be told" in found.captions["cohort_retention_curve"].title
    for name in ("cohort_retention_curve", "cohort_repeat"):
        assert "2,469" not in found.captions[name].source
        assert "new customers" in found.captions[name].source


def test_break_even_needs_fifty_customers(workbook):
    days = [(f"c{month}-{n}", f"2024-{month:02d}-05", 10) for month in range(1, 13) for n in range(3)]
    workbook.write("few", [*days, *[(name, "2024-12-20", 10) for name, *_rest in days]])
    found = cohort_retention.study(workbook.open("few"))
    (sentence,) = [f.sentence for f in found.findings if f.id == "cohorts.first_year_revenue"]
    assert "gross margin" not in sentence


def test_a_closed_group_is_told_nothing_about_new_customers(shipped):
    found = cohort_retention.study(shipped("cdnow"))
    ids = {finding.id for finding in found.findings}
    assert not ids & {"cohorts.revenue_from_held", "cohorts.ask_for_second_order"}
    assert found.captions["cohort_layers"].title == "All revenue comes from customers won by Mar 1997"


def test_layers_add_up_to_the_cells_and_are_at_most_eight(shipped):
    client = shipped("demo")
    cells = cohorts.cohort_cells(client.transactions, client.summary, client.parameters.as_of, "month")
    known = frozenset(cells["cohort"].unique()[:2])
    for held in (frozenset(), known):
        made = cohorts.layers(cells, "month", held)
        assert made["revenue"].sum() == pytest.approx(cells["revenue"].sum())
        assert made["group"].nunique(dropna=False) <= 8
    assert made["group"].isna().any()


def monthly(sizes: list[int]) -> pd.DataFrame:
    cohort = pd.date_range("2017-01-01", periods=len(sizes), freq="MS").astype("datetime64[s]")
    return pd.DataFrame({"cohort": cohort, "size": sizes})[lambda frame: frame["size"] > 0].reset_index(drop=True)


@pytest.mark.parametrize(
    ("sizes", "sign", "marked"),
    [
        ([1982, 185, 113, 47, 45, 21, 21, 16, 16, 6, 11, 6], "clear", 5),  # Complete Journey: a panel held before
        ([7846, 8476, 7248], "unknown", 0),  # CDNOW: a chosen group, cannot be told
        ([50] * 24, "none", 0),  # a steady business
        (list(range(100, 40, -5)), "none", 0),  # new customers dwindle steadily
        ([500, 120, *[50] * 22], "clear", 2),
        ([30, 40, 35, 200, 30, 40, 35, 30], "none", 0),  # a campaign later on is no spike at the start
        ([5], "unknown", 0),
        ([50, *[20] * 11], "possible", 1),
        ([884, 416, 380, 452, 300, 284, 242, 187, 169, 299, 357, 324], "possible", 2),  # Online Retail, UCI
        ([594, 257, 315, 355, 194, 163], "possible", 1),  # a pharmacy
        ([100, *[50] * 11, 95, *[50] * 11], "none", 0),  # the same month a year later brings as many: a season
        ([8, 3, 3, 3, 3, 3], "none", 0),  # five customers more are chance
    ],
)
def test_the_first_cohorts_are_judged_by_their_excess_over_the_later_level(sizes, sign, marked):
    frame = monthly(sizes)
    found = judge_beginning(frame, "month", dt.date(2030, 1, 1))
    assert (found.sign, sorted(found.cohorts)) == (sign, list(frame["cohort"].iloc[:marked]))
    assert found.known == (found.cohorts if sign == "clear" else frozenset())
    assert found.doubtful == (found.cohorts if sign == "possible" else frozenset())
    assert found.customers == sum(sizes[:marked])
    since = new_since(found.cohorts, "M")
    assert since == (None if not marked else dt.date(2017, marked + 1, 1))


def test_the_excess_is_what_the_first_periods_bring_beyond_the_median_of_the_later_ones():
    """By hand: later months 380 … 324 have the median 299.5; 884 + 416 − 2 · 299.5 = 701."""
    sizes = [884, 416, 380, 452, 300, 284, 242, 187, 169, 299, 357, 324]
    found = judge_beginning(monthly(sizes), "month", dt.date(2017, 12, 31))
    assert (found.later, found.excess) == (299.5, 701)
    assert found.times == pytest.approx(884 / 299.5)


def test_a_period_that_is_not_over_does_not_lower_the_later_level():
    whole = judge_beginning(monthly([60, 22, 21, 20, 21, 20]), "month", dt.date(2017, 6, 30))
    begun = judge_beginning(monthly([60, 22, 21, 20, 21, 20, 1]), "month", dt.date(2017, 7, 2))
    assert begun == whole


def maybe_older(workbook):
    """Sixty customers won in January who go on buying, twenty in each later month of whom ever more do."""
    draw, rows = np.random.default_rng(3), []
    for month in range(1, 13):
        for n in range(60 if month == 1 else 20):
            day, gap = dt.date(2024, month, 1 + n % 20), draw.gamma(2, 20)
            stays = 0.9 if month == 1 else 0.2 + 0.05 * month
            while day <= dt.date(2024, 12, 31):
                rows.append((f"c{month}_{n}", day.isoformat(), int(draw.integers(5, 50))))
                if draw.random() > stays:
                    break
                day += dt.timedelta(days=1 + int(draw.exponential(gap)))
    workbook.write("maybe", rows)
    return workbook.open("maybe")


def test_chapters_agree_on_customers_who_may_have_bought_before(workbook):
    client = maybe_older(workbook)
    audit, stays, worth = data_audit.study(client), cohort_retention.study(client), lifetime_value.study(client)
    assert audit.beginning == stays.beginning
    assert audit.beginning.sign == "possible"
    assert audit.captions["audit_new"].title.endswith("some may have bought before")
    assert audit.scorecard["known_before"].status == "amber"
    assert audit.scorecard["known_before"].value == pytest.approx(60 / 280)
    assert "possible, to Jan 2024" in set(audit.scored["measured"].str.extract(r"\((.*)\)")[0])
    said = {f.id: f.sentence for f in [*audit.findings, *stays.findings, *worth.findings]}
    for name in ("audit.left_censored", "cohorts.known_before", "value.left_censoring"):
        assert "60 customers" in said[name] and "may have bought before" in said[name]
    assert "value_censoring" in worth.own.exhibits
    leaving = churn.study(client).captions["churn_survival"].source
    assert "Some of the first 60 may have bought before the data begins" in leaving
    assert "may have bought before" in customer_base.study(client).captions["base_periods"].source


def test_newer_and_older_customers_are_compared_without_those_who_may_be_older(workbook):
    """January comes back most and the later months ever more: with it the older half looks better, without it less."""
    found = cohort_retention.study(maybe_older(workbook))
    assert found.comparison["older_size"] + found.comparison["newer_size"] == found.early["size"].iloc[1:].sum()
    assert found.comparison["difference"] > 0 > found.with_doubtful["difference"]
    (said,) = [f.sentence for f in found.findings if f.id == "cohorts.early_repeat_change"]
    assert "come back sooner" in said
    assert "without the 60 first seen by Jan 2024" in said
    assert f"with them −{-100 * found.with_doubtful['difference']:.1f} points" in said
    assert found.early["left_out"].tolist() == [True, *[False] * (len(found.early) - 1)]


def test_what_new_customers_are_worth_names_the_time_in_which_they_were_won(workbook):
    """Twenty a month; a year from 1 January is twelve months, half a year is not, and is not called a year."""
    rows = [
        (f"c{month}_{n}", (dt.date(2024, month, 1 + n) + dt.timedelta(days=9 * again)).isoformat(), 10)
        for month in range(1, 13)
        for n in range(20)
        for again in range(3)
    ]
    workbook.write("whole", [row for row in rows if row[1] <= "2024-12-31"])
    workbook.write("half", [row for row in rows if row[1] <= "2024-06-30"], as_of="2024-06-30")
    whole, half = (cohort_retention.study(workbook.open(name)) for name in ("whole", "half"))
    assert (whole.won.customers, whole.won.year) == (240, True)
    assert (half.won.customers, half.won.year, half.won.days) == (120, False, 182)
    asked = [
        next(f.sentence for f in study.findings if f.id == "cohorts.ask_for_second_order") for study in (whole, half)
    ]
    assert "240 in the 12 months to 31 December 2024" in asked[0] and "a year" in asked[0]
    assert "120 since 1 January 2024" in asked[1]
    assert not any("year" in finding.sentence for finding in half.findings)


def test_a_drop_is_charged_to_the_customers_who_come_back_less_only(workbook):
    """Fifty a month; nine in ten order again of those won to June, one in ten of later ones; repeat orders of 10."""
    rows = []
    for month in range(1, 13):
        for n in range(50):
            day = dt.date(2024, month, 1 + n % 20)
            rows.append((f"c{month}_{n}", day.isoformat(), 10))
            if n % 10 < (9 if month < 7 else 1):
                rows.append((f"c{month}_{n}", (day + dt.timedelta(days=8)).isoformat(), 10))
    short = [row for row in rows if row[1] >= "2024-03-01"]
    workbook.write("whole", rows)
    workbook.write("short", short)
    said = {}
    for name in ("whole", "short"):
        study = cohort_retention.study(workbook.open(name))
        since = study.early.loc[~study.early["left_out"], "cohort"].iloc[int(study.comparison["cut"])]
        newer = sum(50 for month in range(1, 13) if dt.date(2024, month, 1) >= since.date())
        customers = 600 if name == "whole" else newer
        assert study.won.year == (name == "whole") and newer < study.won.customers
        money = formats.money(float(f"{-study.comparison['difference'] * customers * 10:.2g}"), "EUR")
        (said[name],) = [f.sentence for f in study.findings if f.id == "cohorts.early_repeat_change"]
        assert f"about {money} " in said[name] and f"{customers}" in said[name]
    assert "with as many new customers as in the 12 months to 31 December 2024 (600)" in said["whole"]
    assert "in second orders alone, of the" in said["short"]
    assert "to 31 December 2024" in said["short"] and "year" not in said["short"]


def test_shipped_clients_complete_journey_is_marked_and_cdnow_is_not(shipped):
    assert cohort_retention.study(shipped("cdnow")).beginning.sign == "unknown"
    found = cohort_retention.study(shipped("completejourney"))
    assert pd.Timestamp("2017-01-01") in found.beginning.known
    assert any(finding.id == "cohorts.known_before" for finding in found.findings)
    assert found.repeat["customers"].max() < 200, "the repeat curve is of new customers only"


def test_only_new_keeps_every_step_of_those_first_seen_late():
    transactions, _summary = tables([("a", 0, 1), ("a", 50, 1), ("b", 45, 1), ("b", 60, 1)])
    kept = only_new(order_steps(transactions, AS_OF), dt.date(2024, 2, 1)).to_pandas()
    assert list(kept["customer_id"]) == ["b", "b"]


def test_early_repeat_leaves_out_who_is_not_known_for_sixty_days():
    """a: back on day 60, counts; b: back on day 61, does not; c: first seen 50 days before the end, left out."""
    transactions, _summary = tables([("a", 0, 1), ("a", 60, 1), ("b", 0, 1), ("b", 61, 1), ("c", 121, 1)])
    (row,) = early_repeat(order_steps(transactions, AS_OF), AS_OF, "month", 0.9).to_dict("records")
    assert (row["size"], row["customers"], row["complete"]) == (2, 1, True)


def test_halves_are_compared_with_newcombes_published_interval():
    """Newcombe (1998), Statistics in Medicine 17, example (a): 56/70 − 48/80, 95 % interval .0524 to .3339."""
    frame = pd.DataFrame({"size": [80, 70], "customers": [48, 56]})
    found = compare_halves(frame, 0.95)
    assert found["difference"] == pytest.approx(0.2)
    assert (found["low"], found["high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert compare_halves(frame.head(1), 0.95) is None


def test_a_difference_that_is_all_mix_is_said_to_be_mix():
    """Kitagawa (1955). Both groups keep their rates (.5 and .1) while the better one shrinks from 80 % to 20 %."""
    counts = pd.DataFrame({"older_size": [80, 20], "older": [40, 2], "newer_size": [20, 80], "newer": [10, 8]})
    assert mix.split_difference(counts) == pytest.approx((0.0, 0.18 - 0.42))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 30)] * 4), min_size=1, max_size=5))
def test_rate_and_mix_add_up_to_the_difference(rows):
    counts = pd.DataFrame(
        [(a + b, a, c + d, c) for a, b, c, d in rows], columns=["older_size", "older", "newer_size", "newer"]
    )
    counts = counts[counts["older_size"] + counts["newer_size"] > 0]
    if not counts["older_size"].sum() or not counts["newer_size"].sum():
        return
    older, newer = (counts[s].sum() / counts[f"{s}_size"].sum() for s in ("older", "newer"))
    assert sum(mix.split_difference(counts)) == pytest.approx(newer - older)


def test_mix_of_the_demo_cohorts_adds_up_to_their_difference(shipped):
    found = cohort_retention.study(shipped("demo"))
    assert found.mix_shift.within + found.mix_shift.mix == pytest.approx(found.comparison["difference"])
    assert cohort_retention.study(shipped("cdnow")).mix_shift is None


def test_waits_count_every_purchase_day_once(shipped):
    client = shipped("cdnow")
    counts = wait_counts(order_steps(client.transactions, client.parameters.as_of))
    base = client.summary.agg(n=client.summary.count(), gaps=client.summary.frequency.sum()).to_pandas().iloc[0]
    assert counts.loc[counts["ended"], "count"].sum() == base["gaps"]
    assert counts.loc[~counts["ended"], "count"].sum() == base["n"]


EDGE = {
    "one_customer": [("a", "2024-03-05", 10)],
    "one_period": [(f"c{n}", f"2024-12-{1 + n % 28:02d}", 10) for n in range(40)],
    "all_on_one_day": [(f"c{n}", "2024-03-05", 10) for n in range(30)],
    "nobody_repeats": [(f"c{n}", f"2024-{1 + n % 12:02d}-05", 10) for n in range(60)],
}


@pytest.mark.parametrize("name", EDGE)
def test_edge_clients_give_a_study_whose_charts_draw(workbook, name):
    workbook.write(name, EDGE[name])
    client = workbook.open(name)
    with pytest.raises(ModelError):
        _ = client.value
    found = cohort_retention.study(client)
    assert found.sizes["size"].sum() == found.customers == len({row[0] for row in EDGE[name]})
    assert found.cells["revenue"].sum() == pytest.approx(float(found.revenue))
    assert all(0 < len(caption.title.split()) <= 15 for caption in found.captions.values())
    assert not any("nan" in f.sentence.lower() or "{" in f.sentence for f in found.findings)
    ages = found.cells[found.cells["age"] > 0]
    if len(ages):
        charts.heat_map(ages, "rate", found.unit, charts.whole_percent)
    charts.heat_map(found.cells, "revenue_per_customer", found.unit, charts.whole)
    charts.retention_curves(found.curve, found.cells, found.unit)
    charts.layer_cake(found.layers, found.unit, found.currency)
    charts.early_repeat(found.early, found.unit)
    if len(found.repeat):
        repeat_charts.repeat_curve(found.repeat)
    plt.close("all")


def test_heat_map_hatches_unfinished_cells_and_hides_small_cohorts():
    lines = [("a", 0, 1)] + [(f"c{n}", 33 + n, 1) for n in range(12)]
    cells = cohorts.cohort_cells(*tables(lines), AS_OF, "month", minimum_group=10)
    ax = charts.heat_map(cells, "rate", "month", charts.whole_percent)
    shown = ax.collections[0].get_array().reshape(2, -1)
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[0].all(), "one customer: hidden"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Jan 2024  1*", "Feb 2024  12"]
    assert len(ax.patches) == 2, "June is not over, for either cohort"
    assert {text.get_text() for text in ax.texts} == {"100", "0"}
    plt.close("all")


def test_heat_map_names_at_most_twenty_four_columns():
    lines = [(f"c{n}", n, 1) for n in range(170)]
    cells = cohorts.cohort_cells(*tables(lines), AS_OF, "week")
    ax = charts.heat_map(cells, "rate", "week", charts.whole_percent)
    assert len(ax.get_xticks()) <= 24
    plt.close("all")
