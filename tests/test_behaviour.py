"""How the model sees customers: exact counts, silence, matrices, spread, one history; and the section of chapter 05."""

import datetime as dt
from functools import cache

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_model import by_one_model
from perennial.analysis import alive_history, behaviour, holdout, recency_frequency
from perennial.analysis.holdout import Holdout, mean_by_recency
from perennial.analysis.purchase_model import HISTORY, PurchaseModel
from perennial.analysis.uncertainty import reach, share_interval, standard_error
from perennial.chapters import value_behaviour
from perennial.charts import behaviour as charts
from perennial.tables.summary import customer_summary
from published import distinct_histories, fitted, sample_transactions

BG = PurchaseModel("BG/NBD", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
PARETO = PurchaseModel("Pareto/NBD", {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669})
MBG = PurchaseModel("MBG/NBD", {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614})
NBD = PurchaseModel("NBD", {"r": 0.385, "alpha": 12.07})
YEAR = 365.25
CHARTS = {
    "value_counts": charts.count_fit,
    "value_by_recency": charts.by_recency,
    "value_alive_matrix": charts.alive_matrix,
    "value_expected_matrix": charts.expected_matrix,
    "value_rates": charts.rates,
    "value_leaving": charts.leaving,
    "value_spread": lambda frame: charts.values(frame, "EUR"),
    "value_history": charts.history,
}


def as_table(frame: pd.DataFrame) -> ibis.Table:
    table = ibis.duckdb.connect().create_table("transactions", frame)
    return table.mutate(ordered_on=table.ordered_on.date(), amount=table.amount.cast("decimal(18,4)"))


@cache
def cdnow() -> Holdout:
    return holdout.validate(as_table(sample_transactions()), dt.date(1998, 6, 30), 273, declared="BG/NBD")


def test_expected_counts_by_the_closed_form_of_none():
    """BG/NBD eq. 8 at 0: Σ (α/(α+T))^r over the 2 357 CDNOW customers; all bars together are all customers."""
    rows, model = distinct_histories(), fitted("BG/NBD")
    found = behaviour.count_fit(rows, model, 0.9)
    r, alpha = model.theta[:2]
    assert found["expected"].sum() == pytest.approx(2357)
    assert found["expected"][0] == pytest.approx(float(rows["weight"] @ (alpha / (alpha + rows["T"] / 7)) ** r))
    assert found["actual"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]  # NUMBERS: the published table


def test_expected_counts_against_simulated_customers():
    """Monte Carlo: 3 × 20 000 new customers bought purchase by purchase; bars within the chance that is told."""
    rng, parts = np.random.default_rng(8), []
    for days in (70.0, 150.0, 273.0):
        rate, leave = rng.gamma(0.243, 1 / 4.414, 20_000), rng.beta(0.793, 2.426, 20_000)
        bought = np.minimum(rng.poisson(rate * days / 7), rng.geometric(np.maximum(leave, 1e-9)))
        parts.append(pd.DataFrame({"frequency": bought, "T": days, "weight": 1}))
    found = behaviour.count_fit(pd.concat(parts, ignore_index=True), BG, 0.999)
    assert found["actual"].between(found["low"], found["high"]).all()


def test_bars_widen_where_most_customers_buy_often():
    """By hand: half buy 40 times; bars of 1, 2 and 5 counts would put most into the last, of 10 do not."""
    rows = pd.DataFrame({"frequency": [3, 40, 45], "T": 300, "weight": [30, 40, 30]})
    found = behaviour.count_fit(rows, NBD, 0.9)
    assert found["first"].tolist() == [10 * bar for bar in range(8)]
    assert found["actual"].tolist() == [30, 0, 0, 0, 70, 0, 0, 0]
    assert found["expected"].sum() == pytest.approx(100)


def test_the_holdout_by_recency_holds_every_customer_once():
    """Two ways to the same sums: groups by silence against the scores, and one group counted anew in pandas."""
    groups, scores = cdnow().by_recency, cdnow().score("BG/NBD")
    assert groups["customers"].sum() == 2357
    assert float(groups["customers"] @ groups["actual"]) == pytest.approx(scores["actual"])
    assert float(groups["customers"] @ groups["predicted"]) == pytest.approx(scores["predicted"])
    assert (groups["customers"] >= 2357 / 50).all()
    assert (groups["first_week"].to_numpy()[1:] == groups["last_week"].to_numpy()[:-1] + 1).all()
    days = sample_transactions()[["customer_id", "ordered_on"]].drop_duplicates()
    cut = pd.Timestamp("1997-09-30")
    last = days[days["ordered_on"] <= cut].groupby("customer_id")["ordered_on"].max()
    weeks = (cut - last).dt.days // 7
    row = groups.iloc[4]
    inside = weeks.index[weeks.between(row["first_week"], row["last_week"])]
    later = days[(days["ordered_on"] > cut) & days["customer_id"].isin(inside)].groupby("customer_id").size()
    each = later.reindex(inside, fill_value=0)
    assert row["customers"] == len(inside)
    assert row["actual"] == pytest.approx(each.mean())
    assert row["bought"] == pytest.approx((each > 0).mean())
    assert row["error"] == pytest.approx(each.std(ddof=1) / np.sqrt(len(each)))


def test_few_customers_are_one_group():
    """Ten customers are too few for two groups, whatever their silence."""
    rows = pd.DataFrame({"frequency": 1, "recency": range(10), "T": 200, "weight": 1, "actual": 1})
    found = mean_by_recency(rows.assign(**{"BG/NBD": 1.0, "same rate as before": 1.0}), BG, 91)
    assert found[["first_week", "last_week", "customers"]].to_numpy().tolist() == [[0, 28, 10]]


def test_cells_say_what_the_model_says():
    """Each shown cell is the model at that history; one-time buyers have been silent all their time."""
    rows = distinct_histories()
    cells = recency_frequency.matrix(rows, MBG, 365, 0.9, 10)
    assert cells["shown"].sum() > 20
    assert (cells.loc[cells["shown"], "customers"] >= 10).all()
    for cell in cells[cells["shown"]].itertuples():
        last = cell.T - cell.silence if cell.frequency else 0
        assert cell.p_alive == pytest.approx(float(MBG.p_alive(cell.frequency, last, cell.T)))
        assert cell.expected_purchases == pytest.approx(
            float(MBG.expected_purchases(365, cell.frequency, last, cell.T))
        )
    once = cells[cells["frequency"] == 0]
    assert (once["T"] == once["silence"]).all()
    silent = np.floor(rows["T"] - rows["recency"])  # the published times are of rounded weeks
    assert cells["customers"].sum() == rows.loc[silent <= cells["to_day"].max(), "weight"].sum()


@pytest.mark.parametrize(("model", "told"), [(BG, "repeat"), (MBG, "all"), (NBD, "none")])
def test_p_alive_is_not_stated_where_it_says_nothing(model, told):
    """BG/NBD cannot judge who bought once; in NBD nobody leaves."""
    cells = recency_frequency.matrix(distinct_histories(), model, 365, 0.9, 10)
    once = cells.loc[cells["first"] == 0, "p_alive"]
    more = cells.loc[cells["first"] > 0, "p_alive"]
    assert once.notna().all() == (told == "all")
    assert more.notna().all() == (told != "none")
    assert once.isna().all() == (told != "all")


def test_the_spread_of_rates_against_draws():
    """Monte Carlo: quartiles and bins of 400 000 draws from Gamma(r, alpha), in purchases a year; mean by hand."""
    found = behaviour.rate_spread(BG)
    marks = found[found["mark"] != ""].set_index("mark")["low"]
    drawn = np.random.default_rng(2).gamma(0.243, 1 / 4.414, 400_000) * YEAR / 7
    assert marks["mean"] == pytest.approx(0.243 / 4.414 * YEAR / 7)
    for name, share in behaviour.QUARTILES.items():
        assert (drawn <= marks[name]).mean() == pytest.approx(share, abs=0.004)
    bins = found[found["mark"] == ""]
    seen = np.histogram(drawn, [*bins["low"], bins["high"].iloc[-1]])[0] / len(drawn)
    assert bins["share"].to_numpy() == pytest.approx(seen, abs=0.004)
    assert bins["share"].sum() == pytest.approx(0.95)
    monthly = behaviour.rate_spread(BG, 1 / 12)
    assert monthly.loc[monthly["mark"] == "mean", "low"].iloc[0] == pytest.approx(marks["mean"] / 12)


@pytest.mark.parametrize("model", [BG, PARETO], ids=lambda m: m.name)
def test_the_spread_of_leaving_against_draws(model):
    """Monte Carlo: Beta(a, b), and 1 − e^(−μ·year) with μ ~ Gamma(s, beta)."""
    rng = np.random.default_rng(3)
    third, fourth = model.theta[2:]
    drawn = rng.beta(third, fourth, 400_000)
    if model is PARETO:
        drawn = 1 - np.exp(-rng.gamma(third, 1 / fourth, 400_000) * YEAR / 7)
    found = behaviour.leaving_spread(model)
    bins, marks = found[found["mark"] == ""], found[found["mark"] != ""].set_index("mark")["low"]
    seen = np.histogram(drawn, [*bins["low"], bins["high"].iloc[-1]])[0] / len(drawn)
    assert bins["share"].to_numpy() == pytest.approx(seen, abs=0.004)
    assert bins["share"].sum() == pytest.approx(1)
    assert marks["mean"] == pytest.approx(drawn.mean(), abs=0.003)
    assert marks["median"] == pytest.approx(np.median(drawn), abs=0.004)


def test_nobody_leaves_in_nbd():
    """There is no chance to leave to be spread."""
    assert behaviour.leaving_spread(NBD).empty


def test_standard_errors_of_functions_of_the_parameters():
    """Delta method by hand: log θ₁ + 2 log θ₂ has variance c₁₁ + 4c₁₂ + 4c₂₂; the parameters' own are those fitted."""
    theta, covariance = np.array([2.0, 5.0]), np.array([[0.04, 0.01], [0.01, 0.09]])
    found = standard_error(theta, covariance, lambda t: np.log(t[0]) + 2 * np.log(t[1]))
    assert float(found) == pytest.approx(np.sqrt(0.04 + 4 * 0.01 + 4 * 0.09))
    model = fitted("BG/NBD")
    own = standard_error(model.theta, model.covariance, lambda t: t)
    assert own == pytest.approx(list(model.se.values()), rel=0.05)
    assert np.isnan(standard_error(theta, np.empty((0, 0)), lambda t: t)).all()
    assert reach(0.9) == pytest.approx(1.6448536)


def test_intervals_of_shares_stay_between_none_and_all():
    """Invariant, also at 0 and 1 where the error is none."""
    share, error = np.array([0.0, 0.02, 0.5, 0.999, 1.0]), np.array([0.0, 0.05, 0.1, 0.3, 0.0])
    low, high = share_interval(share, error, 0.9)
    assert ((low >= 0) & (high <= 1) & (low <= share + 1e-9) & (share <= high + 1e-9)).all()


def test_who_brings_four_fifths_by_hand():
    """50 + 30 of 100: two of three customers; all alike: four in five; nothing expected: nobody can be told."""
    assert behaviour.share_bringing(np.array([20.0, 50.0, 30.0]), np.ones(3)) == pytest.approx(2 / 3)
    assert behaviour.share_bringing(np.array([7.0]), np.array([40.0])) == pytest.approx(0.8)
    assert np.isnan(behaviour.share_bringing(np.zeros(3), np.ones(3)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.just(0.0) | st.floats(1e-3, 1e4), st.integers(1, 50)), min_size=1, max_size=30))
def test_unequal_customers_bring_more_with_fewer(customers):
    """Invariant: the share that brings four fifths lies above none and is at most four fifths."""
    worth, weight = (np.array(values, float) for values in zip(*customers, strict=True))
    found = behaviour.share_bringing(worth, weight)
    assert np.isnan(found) if not (worth * weight).sum() else 0 < found <= 0.8 + 1e-9


def test_each_day_is_judged_from_what_was_known_on_it():
    """Two ways: P(alive) by day against the customer summary made anew at that day."""
    orders = as_table(sample_transactions())
    end = dt.date(1998, 6, 30)
    summary = customer_summary(orders, end).to_pandas()
    customer = str(summary.sort_values(["frequency", "customer_id"])["customer_id"].iloc[-1])
    bought = alive_history.customer_days(orders, customer, end)
    found = alive_history.alive_history(MBG, bought, end, 0.9).set_index("day")
    assert found["bought"].sum() == len(bought)
    for day in ("1997-06-01", "1997-09-30", "1998-06-30"):
        then = customer_summary(orders, dt.date.fromisoformat(day)).filter(lambda t: t.customer_id == customer)
        row = then.to_pandas().iloc[0]
        expected = float(MBG.p_alive(row["frequency"], row["recency"], row["T"]))
        assert found.loc[day, "p_alive"] == pytest.approx(expected)
    repeated = found["bought"].to_numpy()[1:]
    assert (np.diff(found["p_alive"])[repeated] > 0).all()  # each purchase of this customer raises it
    assert (np.diff(found["p_alive"])[~repeated] <= 1e-12).all()  # silence never does


def test_before_the_first_repeat_bgnbd_says_nothing():
    """BG/NBD counts no one-time buyer as gone, so that no probability is stated for those days."""
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 11)]
    found = alive_history.alive_history(BG, days, dt.date(2024, 1, 31), 0.9)
    assert found["p_alive"].isna().tolist() == [True] * 10 + [False] * 21


def test_the_customer_shown_is_among_the_best_and_not_shared(shipped):
    """The rule by hand: most valuable tenth, three repeats or more, the largest fall; a shared id gives way."""
    client = shipped("demo")
    result = client.value
    found = alive_history.instructive_customer(result, client.summary)
    people = client.summary.select("customer_id", *HISTORY).to_pandas()
    columns = ["customer_id", "model_group", "clv", "p_alive"]
    people = people.merge(result.customers.select(*columns).to_pandas(), on="customer_id")
    tenth = np.quantile(people["clv"], 0.9, method="inverted_cdf")
    best = people[(people["clv"] >= tenth) & (people["frequency"] >= 3)]
    then = [
        float(result.apart[line.model_group].purchase.p_alive(line.frequency, line.recency, line.recency))
        for line in best.itertuples()
    ]
    fall = pd.Series(then - best["p_alive"].to_numpy(), best["customer_id"].to_numpy())
    assert found == fall.idxmax()
    marked = client.summary.mutate(shared_id=client.summary.customer_id == found)
    assert alive_history.instructive_customer(result, marked) == fall.drop(found).idxmax()


def test_the_columns_of_every_customer(shipped):
    """Every customer has a chance of an order in [0, 1]; next orders are due after the as-of day, within a year."""
    client = shipped("demo")
    found = client.customers().select("customer_id", "probability_of_order", "next_order_on", "T").to_pandas()
    assert len(found) == 2000
    assert found["probability_of_order"].between(0, 1).all()
    days = (pd.to_datetime(found["next_order_on"]) - pd.Timestamp(client.parameters.as_of)).dt.days.dropna()
    assert len(days) > 1000
    assert days.between(1, 366).all()


def test_the_section_of_the_demo_client(shipped):
    """Everything can be shown; titles are findings of at most 15 words with numbers; two findings with intervals."""
    client = shipped("demo")
    part = value_behaviour.part(client, client.value)
    assert set(part.exhibits) == set(CHARTS)
    assert not part.absent
    for exhibit in part.exhibits.values():
        assert len(exhibit.caption.title.replace(" %", "%").split()) <= 15
        assert any(c.isdigit() for c in exhibit.caption.title)
        assert exhibit.caption.source
        assert len(exhibit.frame) > 1
    assert [finding.id for finding in part.findings] == ["value.bringing_most", "value.orders_ahead"]
    for finding in part.findings:
        assert finding.low < finding.value < finding.high
    assert "90" in part.says[0]
    assert "next_order_on" in part.says[1]


def test_what_cannot_be_said_is_told_with_its_reason(shipped):
    """Without leaving, without money, without a hold-out: the section still stands, and says what is missing."""
    client = shipped("demo")
    whole = client.value
    bare = by_one_model(
        whole,
        purchase=NBD,
        spend=None,
        spend_reason="No money.",
        equity=None,
        holdout=None,
        holdout_reason="Too short.",
    )
    part = value_behaviour.part(client, bare)
    absent = {"value_by_recency", "value_alive_matrix", "value_leaving", "value_spread", "value_history"}
    assert set(part.absent) == absent
    assert set(part.exhibits) == set(CHARTS) - absent
    assert "Too short." in part.absent["value_by_recency"]
    assert "No money." in part.absent["value_spread"]
    assert all("NBD" in part.absent[name] for name in ("value_alive_matrix", "value_leaving", "value_history"))
    assert "could not be tested" in part.says[0]
    assert part.findings[0].low is None  # parameters without standard errors


def test_the_charts_draw_what_the_frames_hold(shipped):
    """Bars, cells and lines against the numbers; an unknown customer is an error."""
    client = shipped("demo")
    part = value_behaviour.part(client, client.value)
    drawn = {name: draw(part.exhibits[name].frame) for name, draw in CHARTS.items()}
    heights = [bar.get_height() for bar in drawn["value_counts"].patches]
    assert heights == part.exhibits["value_counts"].frame["actual"].tolist()
    texts = [text.get_text() for text in drawn["value_alive_matrix"].texts]
    cells = part.exhibits["value_alive_matrix"].frame
    assert sum(text != "" for text in texts) == cells["shown"].sum()
    line = drawn["value_history"].lines[0].get_ydata()
    assert line[-1] == part.exhibits["value_history"].frame["p_alive"].iloc[-1]
    labels = [label.get_text() for label in drawn["value_by_recency"].get_xticklabels()]
    assert len(labels) == len(part.exhibits["value_by_recency"].frame)
    with pytest.raises(KeyError):
        value_behaviour.customer_history(client, client.value, "nobody")


def test_a_customer_of_one_purchase_today():
    """Edge: bought once, today: one day, and no picture of a fall."""
    today = dt.date(2024, 5, 1)
    found = alive_history.alive_history(MBG, [today], today, 0.9)
    assert found["bought"].tolist() == [True]
    assert found["p_alive"].iloc[0] == pytest.approx(1.614 / (0.891 + 1.614))


def test_everyone_the_same_makes_one_cell():
    """Edge: one history of all: one cell holds everybody, others nobody."""
    rows = pd.DataFrame({"frequency": [2], "recency": [50.0], "T": [100.0], "weight": [40]})
    cells = recency_frequency.matrix(rows, MBG, 365, 0.9, 10)
    assert cells["customers"].sum() == 40
    assert cells.loc[cells["shown"], "customers"].tolist() == [40]
    once = pd.DataFrame({"frequency": [0], "recency": [0.0], "T": [0.0], "weight": [40]})
    assert recency_frequency.matrix(once, MBG, 365, 0.9, 10)["customers"].sum() == 40
