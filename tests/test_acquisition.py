"""Prospect CLV, payback and CLV:CAC: by hand, by brute force, and on a client with known parameters."""

import datetime as dt
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquired_base import AS_OF, Truth, as_tables, transactions
from conftest import Workbook
from perennial.analysis import acquisition, prospects
from perennial.analysis.censoring import Beginning
from perennial.analysis.clv import MONTH_DAYS
from perennial.analysis.margins import line_margin, margin_source
from perennial.analysis.prospects import ALL, Terms, payback_months
from perennial.chapters import acquisition_captions, acquisition_findings, acquisition_words, value_acquisition
from perennial.charts import acquisition as charts
from perennial.charts import theme
from perennial.errors import ParameterError

TRUTHS = {"good": Truth(alpha=5.0, v=60.0), "poor": Truth(alpha=20.0)}
PLAIN = Terms(12, 0.0, 0.30)
DRAW = {
    "acquisition_prospects": partial(charts.prospects, currency="EUR"),
    "acquisition_payback": partial(charts.payback, currency="EUR"),
    "acquisition_cohorts": charts.cohorts,
}


def source_of(customer):
    """Where the simulated customers come from: the good ones from the web but for one, the poor ones from the shop."""
    return "lone" if customer == "good-0007" else "web" if customer.startswith("good") else "shop"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of 700 customers with known parameters, by segment and source, and no costs."""
    workbook = Workbook(tmp_path_factory.mktemp("acquired"))
    frame = transactions(TRUTHS, 350, seed=4)
    lines = [(r.customer_id, f"{r.ordered_on:%Y-%m-%d}", r.amount) for r in frame.itertuples()]
    people = [(i, i.split("-")[0], source_of(i)) for i in sorted(set(frame["customer_id"]))]
    columns = ["customer_id", "segment", "source"]
    workbook.write_csv("people.csv", columns, people)
    table = {"path": "data/people.csv", "columns": {name: name for name in columns}}
    workbook.write("acme", lines, as_of=AS_OF.isoformat(), sources={"customers": table}, purchase_model="BG/NBD")
    return workbook.open("acme")


def tables(client):
    """Transactions, summary and customers."""
    return client.transactions, client.summary, client.table("customers")


def with_cost(client, cost, customers=True):
    """The same client with another cost, with or without its customers table; nothing is fitted anew."""
    given = client.parameters.model_copy(update={"acquisition_cost": cost})
    has = client.has if customers else lambda name: name != "customers" and client.has(name)
    return SimpleNamespace(parameters=given, transactions=client.transactions, summary=client.summary, has=has,
                           table=client.table)  # fmt: skip


def first(mean=50.0, se=float("nan"), customers=100, group=ALL):
    return SimpleNamespace(group=group, customers=customers, mean=mean, se=se)


def test_without_discount_it_is_purchases_times_order_and_the_first_order():
    """By definition, at discount 0 and without uncertainty: margin · (first order + E[X] · E[M]), exactly."""
    truth = Truth()
    made = prospects.prospect(first(), truth.purchase, truth.spend, PLAIN)
    bought = float(truth.purchase.expected_of_new(12 * MONTH_DAYS))
    assert made.clv == pytest.approx(0.30 * (50 + bought * truth.p * truth.v / (truth.q - 1)), rel=1e-12)
    assert made.repeat_purchases == pytest.approx(bought, rel=1e-12)
    assert made.curve[0] == pytest.approx(15.0)
    assert np.isnan(made.draws).all()  # nothing is known of the uncertainty, so none is stated
    assert made.payback(1.0) == 0
    assert np.isnan(made.payback_interval(1.0, [0.05, 0.95])).all()


def test_discount_by_hand():
    """Each month's purchases at the end of the month, the first order undiscounted: added up in a loop."""
    truth, total = Truth(), 50.0
    made = prospects.prospect(first(), truth.purchase, truth.spend, Terms(18, 0.25, 0.4))
    before, order = 0.0, truth.p * truth.v / (truth.q - 1)
    for month in range(1, 19):
        now = float(truth.purchase.expected_of_new(month * MONTH_DAYS))
        total += (now - before) * order / 1.25 ** (month / 12)
        before = now
        assert made.curve[month] == pytest.approx(0.4 * total, rel=1e-10)
    assert made.clv == pytest.approx(0.4 * total, rel=1e-10)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.floats(0, 100))
def test_payback_by_brute_force(steps, cost):
    """The first month, counted one by one, in which the sum so far reaches the cost."""
    curve = np.cumsum(steps)
    expected = next((month for month, brought in enumerate(curve) if brought >= cost), np.inf)
    assert payback_months(curve[None, :], cost)[0] == expected


@given(st.floats(0, 500), st.floats(0, 500))
def test_a_higher_cost_never_pays_back_sooner(one, other):
    """Payback rises with the cost; at the break-even cost it is the last month; beyond it, never."""
    made = prospects.prospect(first(), Truth().purchase, Truth().spend, PLAIN)
    low, high = sorted((one, other))
    assert made.payback(low) <= made.payback(high)
    assert made.payback(made.clv) == 12
    assert made.payback(made.clv + 0.01) == np.inf


def test_payback_interval_holds_draws_that_never_pay_back():
    """Quantiles of months with ∞ among them: no interpolation between a month and never."""
    curve = np.linspace(0, 12, 13)
    draws = np.array([curve * factor for factor in (0.5, 0.8, 1.0, 1.5, 2.0)])
    made = prospects.Prospect("a", 10, 0, 0, 0, 0, curve, draws, np.linspace(0, 60, 61))
    assert made.payback(8.0) == 8
    assert made.payback(30.0) == np.inf
    assert made.far_payback(30.0) == 30
    assert made.far_payback(61.0) == np.inf
    assert made.payback_interval(8.0, [0.2, 0.8]) == (4, 10)  # 4, 6, 8, 10, never: the 1st and the 4th of five
    assert made.payback_interval(8.0, [0.2, 0.9]) == (4, np.inf)


def test_known_parameters_are_recovered(client):
    """Simulated client: true prospect CLV of each group inside the 95 % interval of its estimate."""
    table, summary, people = tables(client)
    found = prospects.value_prospects(table, summary, people, None, client.value, 10)
    assert found.whole is not None and not found.refitted
    by = {one.group: one for one in found.by["segment"]}
    for name, truth in TRUTHS.items():
        order = truth.p * truth.v / (truth.q - 1)
        true = prospects.prospect(first(order), truth.purchase, truth.spend, Terms(12, 0.10, 0.30))
        low, high = by[name].interval([0.025, 0.975])
        assert low < true.clv < high, name
        assert by[name].own
        assert by[name].interval([0.5, 0.5])[0] == pytest.approx(by[name].clv, rel=0.05)
    assert by["poor"].clv < found.whole.clv < by["good"].clv
    assert [one.group for one in found.by["segment"]] == ["good", "poor"]


def test_first_orders_are_those_of_the_first_day():
    """By hand: two lines of the first day add up, its return is taken off, later days do not count."""
    day = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-01", "2024-02-01", "2024-01-05", "2024-03-01"])
    frame = pd.DataFrame({"customer_id": list("aaaabc"), "ordered_on": day, "amount": [10.0, 5, -3, 99, 20, 40],
                          "is_return": [False, False, True, False, False, False]})  # fmt: skip
    table, summary, _people = as_tables(frame, dt.date(2024, 12, 31))
    found = prospects.first_orders(table, prospects.everybody(summary)).iloc[0]
    assert (found["customers"], found["mean"]) == (3, 24.0)
    assert found["se"] == pytest.approx(np.std([12, 20, 40], ddof=1) / np.sqrt(3))
    later = prospects.first_orders(table, prospects.everybody(summary), dt.date(2024, 1, 2)).iloc[0]
    assert (later["customers"], later["mean"]) == (2, 30.0)


def test_customers_there_before_do_not_count_as_new(client):
    """With a first day of new customers, orders and models rest on those won since."""
    table, summary, people = tables(client)
    since = dt.date(2023, 7, 1)
    found = prospects.value_prospects(table, summary, people, since, client.value, 10)
    new = summary.filter(summary.first_on >= since).count().to_pyarrow().as_py()
    assert found.refitted and found.since == since
    assert found.whole.customers == new < 700
    assert found.later is None
    doubt = prospects.value_prospects(table, summary, people, None, client.value, 10, since)
    assert doubt.whole.customers == 700
    assert doubt.later.customers == new
    assert doubt.later.clv == pytest.approx(found.whole.clv, rel=1e-9) != doubt.whole.clv
    none = prospects.value_prospects(table, summary, people, AS_OF + dt.timedelta(days=1), client.value, 10)
    assert none.whole is None


def test_margin_of_lines():
    """A line's own margin where it is known, else the assumed share of its amount."""
    lines = ibis.memtable(pd.DataFrame({"amount": [100.0, 50.0, -10.0], "margin": [45.0, None, -4.0]}))
    brought = lines.mutate(brought=line_margin(lines, 0.30)).brought.to_pandas()
    assert sorted(brought) == [-4.0, 15.0, 45.0]
    assert margin_source(lines) == pytest.approx((90 / 140, 41 / 90))
    bare = lines.drop("margin")
    assert line_margin(bare, 0.5).to_pandas().sum() == 70
    assert margin_source(bare)[0] == 0


def test_returns_by_brute_force(client):
    """Realised, by age, residual and ratio of each cohort, customer by customer in pandas."""
    table, summary, _people = tables(client)
    frame = table.select("customer_id", "ordered_on", amount=table.amount.cast("float64")).to_pandas()
    frame["ordered_on"] = pd.to_datetime(frame["ordered_on"])
    members, unit = acquisition.by_cohort(summary)
    costs = acquisition.costs_of(summary, None, 20.0)
    found, age = acquisition.returns_by(table, summary, members, costs, client.value, ages=True)
    assert (unit, age) == ("quarter", 365)
    begun = frame.groupby("customer_id")["ordered_on"].transform("min")
    start = begun.dt.to_period("Q").dt.start_time.dt.strftime("%Y-%m-%d")
    residual = client.value.customers.to_pandas().set_index("customer_id")["clv"]
    for row in found.itertuples():
        own = frame[start == row.group]
        ids = own["customer_id"].unique()
        assert (row.customers, row.costed, row.cost) == (len(ids), len(ids), 20.0 * len(ids))
        assert row.realised == pytest.approx(0.3 * own["amount"].sum())
        assert row.largest == pytest.approx(0.3 * own.groupby("customer_id")["amount"].sum().max())
        assert row.residual == pytest.approx(residual[ids].sum())
        assert row.ratio == pytest.approx((row.realised + row.residual) / row.cost)
        assert row.ratio_low < row.ratio < row.ratio_high
        whole_year = begun[own.index].max() + pd.Timedelta(days=364) <= pd.Timestamp(AS_OF)
        assert whole_year != np.isnan(row.at_age)
        if whole_year:
            young = own[(own["ordered_on"] - begun[own.index]).dt.days < 365]
            assert row.at_age == pytest.approx(0.3 * young["amount"].sum())
    assert len(found) == 8 and found["at_age"].notna().sum() == 4


def test_residual_interval_is_the_equity_of_these_customers(client):
    """All customers as one group: the sum of clv is the equity, and the interval is nearly the equity's."""
    table, summary, _people = tables(client)
    costs = acquisition.costs_of(summary, None, 10.0)
    found, _age = acquisition.returns_by(table, summary, prospects.everybody(summary), costs, client.value)
    equity = client.value.equity
    row = found.iloc[0]
    assert row["residual"] == pytest.approx(equity.value, rel=1e-9)
    assert row["total_high"] - row["total_low"] == pytest.approx(equity.high - equity.low, rel=0.2)
    assert row["total"] == pytest.approx(row["realised"] + equity.value)


def test_no_cost_is_infinite_and_pays_back_at_once(client):
    """A source that costs nothing: ratio ∞, payback with the first order."""
    table, summary, _people = tables(client)
    costs = acquisition.costs_of(summary, None, 0)
    found, _age = acquisition.returns_by(table, summary, prospects.everybody(summary), costs, client.value)
    assert np.isinf(found["ratio"]).all()
    assert prospects.prospect(first(), Truth().purchase, Truth().spend, PLAIN).payback(0) == 0


def test_costs_by_source_and_those_not_stated(client):
    """Only customers of a source with a cost have one; unknown names are told."""
    _table, summary, people = tables(client)
    sourced = people.mutate(source=people.segment)
    costs = acquisition.costs_of(summary, sourced, {"good": 30, "nowhere": 5}).to_pandas()
    assert len(costs) == 350 and set(costs["cost"]) == {30.0}
    assert acquisition.costs_of(summary, people.drop("source"), {"good": 30}).count().to_pyarrow().as_py() == 0
    assert acquisition.costs_of(summary, sourced, None).count().to_pyarrow().as_py() == 0
    assert acquisition.unknown_sources({"good": 1, "nowhere": 5}, acquisition.sources_of(sourced)) == ["nowhere"]
    assert acquisition.unknown_sources(5.0, []) == []


def test_common_age_needs_half_of_the_cohorts():
    """The longest age lived through by at least half of the cohorts, and by two."""
    assert acquisition.common_age(pd.Series([800, 400, 370, 100])) == 365
    assert acquisition.common_age(pd.Series([800, 100, 95, 20])) == 90
    assert acquisition.common_age(pd.Series([29, 5])) is None
    assert acquisition.common_age(pd.Series([900])) is None


def test_cohorts_get_coarser_with_time():
    """At most twelve: quarters of three years, half-years of five, else years."""

    def unit(years):
        firsts = pd.date_range("2010-01-01", periods=4 * years, freq="QS") + pd.Timedelta(days=14)
        summary = ibis.memtable(pd.DataFrame({"customer_id": [str(n) for n in range(len(firsts))], "first_on": firsts}))
        summary = summary.mutate(first_on=summary.first_on.date())
        members, name = acquisition.by_cohort(summary)
        return name, sorted(members.group.to_pandas().unique())[-1]

    assert unit(3) == ("quarter", "2012-10-01")
    assert unit(5) == ("half-year", "2014-07-01")
    assert unit(9) == ("year", "2018-01-01")
    assert acquisition.end_of_cohort("2014-07-01", "half-year") == pd.Timestamp("2014-12-31")


def test_marks_of_cohorts():
    """A cohort that holds a censored period is marked, and one that is not over."""
    clear = Beginning("clear", frozenset({pd.Timestamp("2023-02-01")}))
    doubt = Beginning("possible", frozenset({pd.Timestamp("2023-02-01")}))
    mark = partial(value_acquisition._mark, unit="quarter", as_of=dt.date(2023, 11, 30))
    assert mark("2023-01-01", beginning=clear) == "before"
    assert mark("2023-01-01", beginning=doubt) == "doubtful"
    assert mark("2023-04-01", beginning=clear) == ""
    assert mark("2023-10-01", beginning=clear) == "unfinished"


def test_doubtful_first_customers_give_two_values(client):
    """Where the first cohort may have bought before, the value without it stands beside, as the safer limit."""
    found = value_acquisition.measure(with_cost(client, None), client.value)
    since = dt.date(2023, 7, 1)
    doubtful = prospects.value_prospects(*tables(client), None, client.value, 10, since)
    doubt = Beginning("possible", frozenset({pd.Timestamp("2023-06-01")}))
    less = doubtful.later.curve * (0.8 * doubtful.whole.clv / doubtful.later.clv)  # a fifth less, for the words
    doubtful = replace(doubtful, later=replace(doubtful.later, curve=less))
    found = replace(found, prospects=doubtful, beginning=doubt)
    shown = acquisition_captions.exhibits(found)["acquisition_prospects"]
    assert shown.frame["group"].tolist()[:2] == ["all customers", "without doubtful first"]
    assert len(shown.caption.title.split()) <= 15
    value = acquisition_words.money(found, doubtful.later.clv)
    assert value in shown.caption.title
    assert f"it is {value}: the safer limit." in acquisition_findings.findings(found)[0].sentence
    assert f"worth {value}" in " ".join(acquisition_findings.says(found))
    assert f"at most {value}" in acquisition_captions.absent(found, [])["acquisition_payback"]


@pytest.mark.parametrize("bad", [-1, "twenty", {"web": -5}, float("inf"), {"web": float("nan")}, [3]])
def test_costs_are_checked(workbook, bad):
    """Below nought, not a number, or not finite: refused with the parameter's name."""
    workbook.write("acme", [("a", "2024-01-01", 10)], acquisition_cost=bad)
    with pytest.raises(ParameterError, match="acquisition_cost"):
        workbook.open("acme")


def test_part_with_unknown_sources_and_a_source_of_one(client):
    """Costs for sources that are not there are told with those that are; a source of one customer is not shown."""
    part = value_acquisition.part(with_cost(client, {"web": 40, "lone": 5, "wbe": 3}), client.value)
    said = " ".join(part.says)
    assert "names a source that is not in the data: wbe. The sources in the data: lone, shop and web." in said
    assert any(f.id == "value.unknown_sources" and f.kind == "caution" for f in part.findings)
    sources = part.exhibits["acquisition_sources"]
    assert sources.frame["source"].tolist() == ["web"]
    assert "Cost not stated: shop." in sources.caption.source
    shown = part.exhibits["acquisition_prospects"]
    assert set(shown.frame["group"]) == {"all customers", "web", "shop", "good", "poor"}
    assert "lone" in shown.caption.source
    cohorts = part.exhibits["acquisition_cohorts"].frame
    assert cohorts["costed"].sum() == 350  # 349 of web and the lone one; shop has no cost
    assert cohorts["customers"].sum() == 700


def test_part_without_customers_or_costs(client):
    """No customers table, no cost: what a new customer may cost is shown, the rest says what would unlock it."""
    part = value_acquisition.part(with_cost(client, None, customers=False), client.value)
    assert len(part.exhibits["acquisition_prospects"].frame) == 1
    assert "would unlock payback and CLV:CAC. A new customer may cost at most €" in part.absent["acquisition_payback"]
    assert set(part.exhibits) | set(part.absent) == {*DRAW, "acquisition_sources", "acquisition_segments"}
    assert not set(part.exhibits) & set(part.absent)
    charts.prospects(part.exhibits["acquisition_prospects"].frame, "EUR")
    by_source = value_acquisition.part(with_cost(client, {"web": 4}, customers=False), client.value)
    assert "the customers table has no sources" in by_source.absent["acquisition_payback"]
    assert "acquisition_cost names sources (web), but the customers table has none." in " ".join(by_source.says)


def test_part_with_one_cost_for_all(client):
    """One number, no sources: one line of payback, every cohort costed; at no cost it pays back at once."""
    part = value_acquisition.part(with_cost(client, 25.0, customers=False), client.value)
    assert part.exhibits["acquisition_payback"].frame["source"].unique().tolist() == ["all customers"]
    cohorts = part.exhibits["acquisition_cohorts"].frame
    assert cohorts["costed"].tolist() == cohorts["customers"].tolist()
    assert cohorts["cost"].sum() == 25 * 700
    for name, draw in DRAW.items():
        draw(part.exhibits[name].frame)
    free = value_acquisition.part(with_cost(client, 0.0, customers=False), client.value)
    assert free.exhibits["acquisition_payback"].caption.title == "A new customer is expected to pay back: first order"
    assert free.exhibits["acquisition_sources"].frame["return"].tolist() == ["∞"]
    assert "acquisition_cohorts" in free.absent
    assert not [f for f in free.findings if f.id == "value.acquisition_return"]


def test_part_without_a_spend_model(client):
    """No money is stated, and the reason stands in each place."""
    result = replace(client.value, spend=None, equity=None, spend_reason="All spend the same per order.")
    part = value_acquisition.part(with_cost(client, 25.0), result)
    assert "All spend the same per order." in part.absent["acquisition_prospects"]
    assert set(part.absent) == {*DRAW, "acquisition_sources"}
    assert part.exhibits["acquisition_segments"].frame["grouping"].tolist()
    assert not [f for f in part.findings if f.id == "value.prospect"]


@pytest.fixture(scope="module")
def demo(shipped):
    theme.set_theme()
    client = shipped("demo")
    return client, value_acquisition.part(client, client.value)


def test_demo_titles_are_findings(demo):
    """The report's rule: at most 15 words, with numbers, n and period near."""
    _client, part = demo
    assert not part.absent
    for name, exhibit in part.exhibits.items():
        title = exhibit.caption.title
        assert len(title.split()) <= 15 and any(c.isdigit() for c in title), title
        assert "n = 2,000" in exhibit.caption.source and exhibit.caption.reading and exhibit.caption.subtitle
        assert set(exhibit.formats) <= set(exhibit.frame.columns) and set(exhibit.labels) <= set(
            exhibit.frame.columns
        ), name


def test_demo_agrees_with_itself(demo):
    """One number in all places: finding, chart, and the margin by cohort against the transactions."""
    client, part = demo
    prospects = part.exhibits["acquisition_prospects"].frame
    worth = next(f for f in part.findings if f.id == "value.prospect")
    assert worth.value == prospects["clv"].iloc[0] and worth.low < worth.value < worth.high
    assert prospects["customers"].iloc[0] == 2000
    cohorts = part.exhibits["acquisition_cohorts"].frame
    margin = float(client.transactions.margin.sum().to_pyarrow().as_py())
    assert cohorts["realised"].sum() == pytest.approx(margin)
    assert cohorts["residual"].sum() == pytest.approx(client.value.equity.value)
    given = client.parameters.acquisition_cost
    people = client.table("customers").source.value_counts().to_pandas().set_index("source").iloc[:, 0]
    assert cohorts["cost"].sum() == pytest.approx(sum(given[name] * n for name, n in people.items()))


def test_demo_has_one_source_that_does_not_pay_back(demo):
    """The shipped costs: five sources pay back, fairs do not; the action names them with both numbers."""
    _client, part = demo
    curve = part.exhibits["acquisition_payback"].frame
    late = curve[np.isinf(curve["payback"])]
    assert late["source"].unique().tolist() == ["fair"]
    act = next(f for f in part.findings if f.kind == "action")
    assert "from fair costs €165" in act.sentence and act.high < 1
    sources = part.exhibits["acquisition_sources"].frame
    assert sources["source"].iloc[-1] == "fair" and sources["payback"].iloc[-1] == "not within 12 months"


def test_demo_charts_show_their_frames(demo):
    """Every dot of a prospect, a panel per source, a dot per cohort."""
    _client, part = demo
    frame = part.exhibits["acquisition_prospects"].frame
    ax = charts.prospects(frame, "EUR")
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx(frame["clv"].tolist())
    figure = charts.payback(part.exhibits["acquisition_payback"].frame, "EUR")
    shown = [ax.get_title(loc="left").split("\n")[0] for ax in figure.axes if ax.get_visible()]
    assert set(shown) == {"web", "store", "partner", "referral", "fair", "sales"}
    cohorts = part.exhibits["acquisition_cohorts"].frame
    ax = charts.cohorts(cohorts)
    assert [len(line.get_xdata()) for line in ax.lines if line.get_marker() == "_"] == [len(cohorts)]


def test_words_are_as_sure_as_the_interval():
    """Whole interval above or below the cost: a plain word; else probably."""
    said = [acquisition_words.verdict(*given) for given in ((10, 8, 12, 5), (10, 4, 12, 5), (4, 3, 6, 5), (3, 2, 4, 5))]
    assert said == ["pays back", "probably pays back", "probably does not pay back", "does not pay back"]


def test_the_mix_of_segments_is_told_where_their_models_are_used(demo):
    """Everybody's prospect is the weighted mean of the segments', by hand, and the chart says so."""
    _client, part = demo
    shown = part.exhibits["acquisition_prospects"]
    own = shown.frame[shown.frame["group_by"] == "segment"]
    mean = (own["customers"] * own["clv"]).sum() / own["customers"].sum()
    everybody = shown.frame[shown.frame["group_by"] == "everybody"].iloc[0]
    assert everybody["clv"] == pytest.approx(mean, rel=1e-9)
    assert everybody["low"] < mean < everybody["high"]
    assert f"€{mean:.0f}" in shown.caption.title
    assert "by the models of each segment, in the mix of customers so far" in shown.caption.reading
