"""Groups of customers against one model for all: the test's size and power, its arithmetic, and the decision."""

import datetime as dt
from functools import cache
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import nbinom

from acquired_base import AS_OF, Truth, as_tables, histories, transactions
from perennial.analysis import group_models, groupings, segment_holdout, segments
from perennial.analysis.censoring import Beginning
from perennial.analysis.fitters import fit_gamma_gamma, fit_purchases
from perennial.analysis.group_models import GroupModels
from perennial.analysis.groupings import EARLIER, OTHERS, UNKNOWN
from perennial.analysis.purchase_model import DAYS_PER_WEEK, PurchaseModel
from perennial.errors import ModelError, ParameterError
from perennial.simulate.population import SEGMENTS

NONE = Beginning("none")
WEEKS = 52.0
TRUTHS = {"slow": Truth(alpha=40.0), "fast": Truth(alpha=4.0, v=60.0)}


def fitted(parts: dict[str, pd.DataFrame], name="BG/NBD") -> tuple[pd.DataFrame, GroupModels, PurchaseModel]:
    """Rows of named groups, their models, and the pooled one."""
    rows = pd.concat([part.assign(group=group) for group, part in parts.items()], ignore_index=True)
    rows = rows.assign(monetary_value=0.0)
    pooled = fit_purchases(rows, name)
    return rows, group_models.fit_groups(rows, "segment", pooled, None, 1), pooled


def test_statistic_by_hand():
    """NBD by scipy's negative binomial, maximised here: LR, 2 · (2 − 1) degrees of freedom, and both BICs."""
    rng = np.random.default_rng(3)
    parts = {"a": histories(Truth(a=1e-3, b=5), 300, WEEKS, rng), "b": histories(Truth(2, 9, 1e-3, 5), 250, WEEKS, rng)}
    rows, models, pooled = fitted(parts, "NBD")
    found = segments.likelihood_ratio(rows, models, pooled, None)

    def best(part):
        def loss(log_theta):
            r, alpha = np.exp(log_theta)
            return -nbinom.logpmf(part["frequency"], r, alpha / (alpha + part["T"] / DAYS_PER_WEEK)).sum()

        return -minimize(loss, [0, 2], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}).fun

    expected = 2 * (best(parts["a"]) + best(parts["b"]) - best(rows))
    assert found["lr"] == pytest.approx(expected, abs=1e-4)
    assert (found["df"], found["customers"], found["groups"], found["left_out"]) == (2, 550, 2, 0)
    bic = lambda loglik, k: k * np.log(550) - 2 * loglik  # noqa: E731
    assert found["bic_gain"] == pytest.approx(
        bic(best(rows), 2) - bic(best(parts["a"]) + best(parts["b"]), 4), abs=1e-4
    )
    assert found["p"] == pytest.approx(np.exp(-expected / 2), rel=1e-3)  # χ² with 2 degrees of freedom by hand


def test_size_of_the_test_is_five_percent():
    """Wilks: among alike groups 5 % are called different.

    80 simulated pairs: Monte-Carlo error 2.4 points, three of them allowed.
    """
    count, statistics = 80, []
    rng = np.random.default_rng(1)
    for _round in range(count):
        try:
            rows, models, pooled = fitted({group: histories(Truth(), 300, WEEKS, rng) for group in "ab"})
            statistics.append(segments.likelihood_ratio(rows, models, pooled, None)["lr_purchases"])
        except ModelError:
            continue  # a group whose parameters run to a boundary carries no model, and is not compared
    assert len(statistics) > 0.8 * count
    rejected = np.mean([segments.chance_of(lr, 4) < 0.05 for lr in statistics])
    error = np.sqrt(0.05 * 0.95 / len(statistics))
    assert 0 < rejected < 0.05 + 3 * error
    assert np.mean(statistics) == pytest.approx(4, abs=3 * np.sqrt(8 / len(statistics)))  # the mean of χ² is its df


def test_clearly_different_groups_are_told_apart():
    """Twice the purchase rate, 300 customers each: p under one in a thousand every time."""
    rng = np.random.default_rng(2)
    for _round in range(5):
        rows, models, pooled = fitted({"a": histories(Truth(), 300, WEEKS, rng),
                                       "b": histories(Truth(alpha=4.0), 300, WEEKS, rng)})  # fmt: skip
        found = segments.likelihood_ratio(rows, models, pooled, None)
        assert found["p"] < 1e-3
        assert found["bic_gain"] > 0
        assert (found["df"], found["df_purchases"], found["df_spend"]) == (4, 4, 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.999))
def test_holm_steps_down(p, level):
    """Holm's procedure as he gives it: from the smallest, rejected while p ≤ level ÷ those left, then no more."""
    rejected = set()
    for rank, place in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[place] * (len(p) - rank) > level:
            break
        rejected.add(place)
    assert set(np.flatnonzero(segments.holm(p) <= level)) == rejected
    assert (segments.holm(p) >= np.array(p)).all()


def test_chance_of_textbook_quantiles():
    """Tables of χ²: 3.841 at one degree of freedom, 9.488 at four, are 5 %."""
    assert segments.chance_of(3.841459, 1) == pytest.approx(0.05, abs=1e-6)
    assert segments.chance_of(9.487729, 4) == pytest.approx(0.05, abs=1e-6)
    assert np.isnan(segments.chance_of(1.0, 0))


@cache
def client():
    """Two groups of 350 customers each that differ, and their tables."""
    return as_tables(transactions(TRUTHS, 350, seed=2))


def parameters(**changes):
    base = {"as_of": AS_OF, "cohort_period": "month", "minimum_group": 10, "purchase_by": "auto"}
    return SimpleNamespace(**{**base, **changes})


@cache
def pooled_models():
    rows = groupings.grouped_rows(client()[1], client()[1].select("customer_id", group=client()[1].customer_id.left(0)))
    return fit_purchases(rows, "BG/NBD"), fit_gamma_gamma(rows)


@cache
def compared(purchase_by="auto", cut=AS_OF - dt.timedelta(days=240)):
    table, summary, people = client()
    return segments.compare_groupings(
        table, summary, people, NONE, *pooled_models(), cut, parameters(purchase_by=purchase_by)
    )


def test_different_segments_are_supported_and_used():
    """Known truth: rates differ tenfold, orders twofold, and nothing changes with time of the first purchase."""
    found = compared()
    tests = found.tests.set_index("grouping")
    assert found.decision == segments.Decision("segment", "tested")
    assert tests.loc["segment", "p_holm"] < 1e-6
    assert tests.loc["segment", "rmse"] <= tests.loc["segment", "rmse_pooled"]
    assert not tests.loc["cohort", "supported"]
    assert found.used is found.models["segment"]
    assert (tests["p_holm"] >= tests["p"]).all()


def test_models_of_groups_find_their_truth():
    """First-year purchases by each group's true parameters lie in (or within a hair of) the 90 % interval."""
    year = group_models.first_year(compared().models["segment"], 0.9, 1).set_index("group")
    for name, truth in TRUTHS.items():
        true = float(truth.purchase.expected_of_new(group_models.YEAR_DAYS))
        reach = year.loc[name, "high"] - year.loc[name, "low"]
        assert year.loc[name, "low"] - reach / 4 < true < year.loc[name, "high"] + reach / 4
    assert list(year.index) == ["fast", "slow"]


def test_asked_for_or_switched_off():
    """A declared grouping is used without support; none is none."""
    assert compared("cohort").decision == segments.Decision("cohort", "declared")
    assert set(compared("cohort").models) == {"cohort"}
    off = compared("none")
    assert off.decision == segments.Decision("", "switched off")
    assert off.used is None and not len(off.tests)


def test_without_a_holdout_nothing_is_adopted():
    """The tests look at the days the models were fitted on; alone they do not suffice under auto."""
    found = compared(cut=None)
    assert bool(found.tests.set_index("grouping").loc["segment", "supported"])
    assert found.decision == segments.Decision("", "not supported")


def line(name, *, supported=True, not_worse=True, gain=1.0):
    return {"grouping": name, "supported": supported, "not_worse": not_worse, "bic_gain": gain}


@pytest.mark.parametrize(
    ("lines", "asked", "expected"),
    [
        ([], "auto", ("", "not tested")),
        ([line("a", not_worse=False)], "auto", ("", "not supported")),
        ([line("a", supported=False)], "auto", ("", "not supported")),
        ([line("a"), line("b", gain=9.0)], "auto", ("b", "tested")),
        ([line("a"), line("b", gain=9.0, not_worse=False)], "auto", ("a", "tested")),
        ([line("a")], "none", ("", "switched off")),
        ([line("a")], "b", ("", "not tested")),
    ],
)
def test_decision_table(lines, asked, expected):
    """Support by test and hold-out together; among several the largest gain in BIC."""
    found = segments.decide(pd.DataFrame(lines), asked)
    assert (found.grouping, found.ground) == expected


def test_holdout_errors_by_brute_force():
    """RMSE and bias row by row in pandas: sums of squares per distinct history give the same."""
    table, summary, people = client()
    cut = AS_OF - dt.timedelta(days=240)
    days = table.to_pandas()
    days["ordered_on"] = pd.to_datetime(days["ordered_on"])
    before = segments.customer_summary(table, cut).cache()
    rows = before.to_pandas()
    purchase, spend = fit_purchases(rows.assign(weight=1), "BG/NBD"), fit_gamma_gamma(rows.assign(weight=1))
    grouping = groupings.group_by_column(summary, people, "segment", 100)
    found, groups = segment_holdout.judge_grouping(table, before, grouping, purchase, spend, AS_OF, cut, 100)
    later = days[days["ordered_on"] > pd.Timestamp(cut)].groupby("customer_id")["amount"]
    actual = rows["customer_id"].map(later.size()).fillna(0).to_numpy(float)
    paid = rows["customer_id"].map(later.sum().astype(float)).fillna(0).to_numpy(float)
    args = rows["frequency"], rows["recency"], rows["T"]
    forecast = purchase.expected_purchases(240, *args)
    money = forecast * spend.expected_order_value(rows["frequency"], rows["monetary_value"])
    by = groups.set_index("group")
    for name in ("slow", "fast"):
        inside = rows["customer_id"].str.startswith(name)
        line = by.loc[name]
        sums = [inside.sum(), actual[inside].sum(), paid[inside].sum(), forecast[inside].sum(), money[inside].sum()]
        names = ["customers", "bought", "paid", "bought_pooled", "paid_pooled"]
        assert line[names].astype(float).tolist() == pytest.approx(sums, rel=1e-9)
    assert found["rmse_pooled"] == pytest.approx(np.sqrt(np.mean((forecast - actual) ** 2)), rel=1e-9)
    assert found["rmse_money_pooled"] == pytest.approx(np.sqrt(np.mean((money - paid) ** 2)), rel=1e-9)
    assert found["bias_pooled"] == pytest.approx(forecast.sum() / actual.sum() - 1, rel=1e-9)
    separate = np.zeros(len(rows))
    for name in ("slow", "fast"):
        inside = rows["customer_id"].str.startswith(name)
        own = fit_purchases(rows[inside].assign(weight=1), "BG/NBD")
        separate[inside] = own.expected_purchases(240, *(a[inside] for a in args))
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((separate - actual) ** 2)), rel=1e-4)
    assert found["rmse"] < found["rmse_pooled"]
    worse = (separate - actual) ** 2 - (forecast - actual) ** 2
    assert found["rmse_z"] == pytest.approx(worse.mean() / (worse.std() / np.sqrt(len(worse))), rel=1e-3)


def test_alike_models_forecast_alike():
    """A grouping whose groups all lean on the pooled model has the pooled errors exactly."""
    table, summary, people = client()
    cut = AS_OF - dt.timedelta(days=240)
    before = segments.customer_summary(table, cut).cache()
    purchase = fit_purchases(before.to_pandas().assign(weight=1), "BG/NBD")
    grouping = groupings.group_by_column(summary, people, "segment", 1)
    found, groups = segment_holdout.judge_grouping(table, before, grouping, purchase, None, AS_OF, cut, 10_000)
    assert found["rmse"] == found["rmse_pooled"]
    assert found["bias"] == found["bias_pooled"]
    assert np.isnan(found["rmse_money"])
    assert (groups["bought_own"] == groups["bought_pooled"]).all()
    assert groups[["paid_own", "paid_pooled"]].isna().all(axis=None)


def test_small_unknown_and_missing_groups():
    """Small groups are pooled and named; customers without a value, or without a row, form their own group."""
    _table, summary, people = client()
    frame = people.to_pandas()
    number = frame["customer_id"].str[-4:].astype(int)
    frame["region"] = np.select([number < 5, number < 150, number < 250], ["tiny", "north", "  "], "south")
    frame = frame[(number < 300) | frame["customer_id"].str.startswith("slow")]
    customers = ibis.memtable(frame)
    grouping = groupings.group_by_column(summary, customers, "region", 100)
    sizes = grouping.sizes.set_index("group")["customers"]
    assert grouping.pooled == ("tiny",)
    assert set(sizes.index) == {"north", "south", UNKNOWN, OTHERS}
    assert sizes[OTHERS] == 10
    assert sizes[UNKNOWN] == 2 * 100 + 50  # blank, and the fifty without a row
    assert sizes.sum() == 700
    assert grouping.members.count().to_pyarrow().as_py() == 700


def test_a_group_without_a_fit_leaves_both_sides():
    """Exactly the same customers on both sides: where one group carries no model, the pooled one is refitted."""
    rng = np.random.default_rng(5)
    parts = {group: histories(Truth(), 300, WEEKS, rng) for group in "ab"}
    once = pd.DataFrame({"frequency": 0.0, "recency": 0.0, "T": 7 * WEEKS, "weight": [150]})
    rows, models, pooled = fitted({**parts, "never": once})
    assert list(models.pooled_purchase) == ["never"]
    assert models.purchase["never"] is pooled
    assert "Not one of the 150 customers" in models.pooled_purchase["never"]
    found = segments.likelihood_ratio(rows, models, pooled, None)
    alone = segments.likelihood_ratio(*fitted(parts), None)
    assert (found["customers"], found["left_out"]) == (600, 150)
    assert found["lr"] == pytest.approx(alone["lr"], abs=1e-3)


def test_one_group_cannot_be_compared():
    rows, models, pooled = fitted({"a": histories(Truth(), 300, WEEKS, np.random.default_rng(7))})
    with pytest.raises(ModelError, match="fewer than two groups"):
        segments.likelihood_ratio(rows, models, pooled, None)


def test_cohorts_leave_out_those_there_before():
    """Customers of the first, left-censored cohorts form a group that is never compared; it takes the pooled model."""
    _table, summary, _people = client()
    first = Beginning("clear", frozenset({pd.Timestamp("2023-01-01"), pd.Timestamp("2023-02-01")}))
    grouping = groupings.group_by_cohort(summary, first, "month", 50)
    sizes = grouping.sizes.set_index("group")["customers"]
    days = summary.to_pandas()["first_on"]
    assert sizes[EARLIER] == int((pd.to_datetime(days) < "2023-03-01").sum())
    assert EARLIER not in grouping.groups
    assert set(grouping.groups) == {"2023-H1", "2023-H2", "2024-H1", "2024-H2"}
    plain = groupings.group_by_cohort(summary, NONE, "month", 50)
    assert EARLIER not in set(plain.sizes["group"])
    models = group_models.fit_groups(groupings.grouped_rows(summary, grouping.members), "cohort", *pooled_models(), 50)
    found = segments.likelihood_ratio(groupings.grouped_rows(summary, grouping.members), models, *pooled_models())
    assert found["left_out"] >= sizes[EARLIER]


def test_without_a_customers_table_only_cohorts():
    table, summary, _people = client()
    found = segments.compare_groupings(table, summary, None, NONE, *pooled_models(), None, parameters())
    assert set(found.models) | set(found.untested) == {"cohort"}
    assert groupings.possible_columns(None) == []


def test_draws_out_of_range_are_left_out():
    """A draw that is no number does not make the interval missing; many of them do."""
    draws = np.ones((100, 2))
    draws[3, 1] = np.inf
    assert group_models.sound(draws).shape == (99, 2)
    draws[:10] = np.nan
    assert np.isnan(group_models.sound(draws)).all()


def test_purchase_by_is_checked(workbook):
    """A grouping that the parameters do not know is named, with the nearest."""
    orders = [("a", "2024-01-01", 10), ("b", "2024-01-05", 8)]
    workbook.write_csv("people.csv", ["customer_id", "kind", "size"], [("a", "x", "S")])
    people = {
        "path": "data/people.csv",
        "columns": {"customer_id": "customer_id", "segment": "kind"},
        "attributes": ["size"],
    }
    workbook.write("acme", orders, sources={"customers": people}, purchase_by="size")
    assert workbook.open("acme").parameters.purchase_by == "size"
    workbook.write("acme", orders, sources={"customers": people}, purchase_by="segmnt")
    with pytest.raises(ParameterError, match="purchase_by: no grouping 'segmnt'; did you mean 'segment'"):
        workbook.open("acme")
    workbook.write("acme", orders, purchase_by="region")
    with pytest.raises(ParameterError, match="purchase_by: no grouping 'region'"):
        workbook.open("acme")


def test_demo_segments_have_their_stated_truth(shipped):
    """The demo's segments are simulated from SEGMENTS: what each group's model expects covers the truth."""
    demo = shipped("demo")
    grouping = groupings.group_by_column(demo.summary, demo.table("customers"), "segment", 100)
    rows = groupings.grouped_rows(demo.summary, grouping.members)
    models = group_models.fit_groups(rows, "segment", demo.value.purchase, demo.value.spend, 100)
    year = group_models.first_year(models, 0.95, 1).set_index("group")
    for s in SEGMENTS:
        params = {"r": s.r, "alpha": s.alpha_days / DAYS_PER_WEEK, "a": s.a, "b": s.b}
        true = float(PurchaseModel("BG/NBD", params).expected_of_new(group_models.YEAR_DAYS))
        assert year.loc[s.name, "low"] < true < year.loc[s.name, "high"], s.name
    found = segments.likelihood_ratio(rows, models, demo.value.purchase, demo.value.spend)
    assert (found["df_purchases"], found["df_spend"], found["customers"]) == (8, 6, 2000)
    assert found["p"] < 1e-6
