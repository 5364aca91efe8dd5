"""Cadence and silence against brute force, lapses and active life by hand, value at stake, contracts, edge clients."""

import dataclasses
import datetime as dt
import json
import math

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.analysis import churn, contracts
from perennial.analysis.cadence import (
    WEIGHT_BOUNDS,
    BaseCadence,
    SilenceThresholds,
    base_cadence,
    customer_cadence,
    order_steps,
    silence_history,
    silence_thresholds,
)
from perennial.analysis.survival import survival_at
from perennial.chapters import churn as chapter
from perennial.chapters import churn_findings
from perennial.charts import churn as charts
from perennial.errors import ModelError
from test_cohorts import AS_OF, EDGE, FIRST, tables

SPAN = (AS_OF - FIRST).days


def by_hand(days: dict[str, list[int]], base: BaseCadence) -> list[tuple[str, int, int, bool, float]]:
    """(customer, day, wait, ended, typical gap known then), one purchase day at a time."""
    rows = []
    for customer, days_bought in days.items():
        bought, logs = sorted(set(days_bought)), []
        for place, day in enumerate(bought):
            if place:
                logs.append(math.log(day - bought[place - 1]))
            ended = place + 1 < len(bought)
            wait = (bought[place + 1] if ended else SPAN) - day
            typical = math.exp((sum(logs) + base.weight * base.log_gap) / (len(logs) + base.weight))
            rows.append((customer, day, wait, ended, typical))
    return rows


buyers = st.dictionaries(
    st.sampled_from("abcdefg"), st.lists(st.integers(0, SPAN), min_size=1, max_size=9), min_size=1, max_size=7
)


@settings(max_examples=40, deadline=None)
@given(buyers)
def test_every_wait_and_the_gap_known_before_it_equal_counting_by_hand(days):
    transactions, summary = tables([(name, day, 5) for name, own in days.items() for day in own])
    base = base_cadence(order_steps(transactions, AS_OF))
    gaps = [np.log(np.diff(sorted(set(own)))) for own in days.values() if len(set(own)) > 1]
    assert (base.repeaters, base.gaps) == (len(gaps), sum(map(len, gaps)))
    if not gaps:
        assert base.typical_gap_days is None
        assert customer_cadence(transactions, summary, AS_OF).to_pandas()["silence_ratio"].isna().all()
        return
    assert base.log_gap == pytest.approx(np.mean([own.mean() for own in gaps]), abs=1e-8)
    assert WEIGHT_BOUNDS[0] <= base.weight <= WEIGHT_BOUNDS[1]
    found = silence_history(transactions, AS_OF, base).to_pandas()
    found["day"] = (pd.to_datetime(found["ordered_on"]) - pd.Timestamp(FIRST)).dt.days
    seen = {(r.customer_id, r.day): (r.wait_days, r.ended, r.typical_gap_days) for r in found.itertuples()}
    expected = by_hand(days, base)
    assert len(seen) == len(expected)
    for customer, day, wait, ended, typical in expected:
        assert seen[customer, day][:2] == (wait, ended)
        assert seen[customer, day][2] == pytest.approx(typical, abs=1e-5)


def test_typical_gap_is_pulled_towards_the_base_by_the_analysis_of_variance():
    """Two customers, log gaps (0, 0) and (2, 2): no variance within, so the own gaps are trusted as far as allowed."""
    days = {"a": [0, 1, 2], "b": [0, 10, 20]}
    transactions, _summary = tables([(name, day, 1) for name, own in days.items() for day in own])
    base = base_cadence(order_steps(transactions, AS_OF))
    assert base.weight == WEIGHT_BOUNDS[0]
    assert base.typical_gap_days == pytest.approx(math.sqrt(10))
    mixed = {"a": [0, 1, 11], "b": [0, 10, 11], "c": [0, 1, 11]}  # all variance is within customers
    transactions, _summary = tables([(name, day, 1) for name, own in mixed.items() for day in own])
    assert base_cadence(order_steps(transactions, AS_OF)).weight == WEIGHT_BOUNDS[1]


def test_nothing_later_than_a_wait_enters_the_gap_it_is_measured_by():
    """The history up to a day is the same whether or not more orders follow it (no leakage)."""
    base = BaseCadence(3.0, 2.0, 5, 9)
    early = [("a", 0, 1), ("a", 10, 1), ("a", 15, 1)]
    short, _ = tables(early)
    long, _ = tables([*early, ("a", 100, 1), ("a", 101, 1)])
    one, two = (silence_history(t, AS_OF, base).order_by("ordered_on").to_pandas() for t in (short, long))
    assert list(one["typical_gap_days"]) == list(two["typical_gap_days"].head(3))


def test_thresholds_are_the_quantiles_they_are_said_to_be(shipped):
    client = shipped("cdnow")
    as_of = client.parameters.as_of
    found = silence_thresholds(client.transactions, as_of, 0.95)
    waits = silence_history(client.transactions, as_of, found.base).to_pandas()
    ended = waits[waits["ended"]]
    assert (ended["silence_ratio"] <= found.overdue).mean() == pytest.approx(0.80, abs=0.001)
    longest = ended.groupby("customer_id")["silence_ratio"].max()
    assert (ended["silence_ratio"] <= found.lapsed).mean() >= 0.95 - 0.001
    assert (longest <= found.lapsed).mean() >= 0.80 - 0.001
    assert found.median_gap_days == ended["wait_days"].median()
    assert found == silence_thresholds(client.transactions, as_of, 0.95), "the same on every run"


def thresholds(lapsed: float, typical: float) -> SilenceThresholds:
    return SilenceThresholds(0.95, lapsed / 2, lapsed, typical, BaseCadence(math.log(typical), 1e9, 4, 9))


def test_active_life_and_lapses_by_hand():
    """Everybody's typical gap is 10 days (an overwhelming pull) and lapsed is over 3 gaps: silences over 30 days.

    a lapses after day 20 and returns on day 100; b never lapses and is watched to 30 days before the end; c bought
    once and lapses at once; d is known for 10 days only and cannot be judged.
    """
    rule = thresholds(3.0, 10.0)
    lines = [("a", 0, 1), ("a", 20, 1), ("a", 100, 1), ("c", 5, 1), ("d", SPAN - 10, 1)]
    lines += [("b", day, 1) for day in range(0, SPAN, 25)]
    transactions, _summary = tables(lines)
    history = silence_history(transactions, AS_OF, rule.base)
    lives = churn.active_lives(history, rule, AS_OF)
    found = {(row.time, row.ended): row.count for row in lives.itertuples(index=False)}
    assert {key: int(lives.set_index(["time", "ended"])["count"][key]) for key in found} == {
        (0, True): 1,
        (20, True): 1,
        (SPAN - 31, False): 1,
    }
    assert churn.count_lapses(history, rule) == (2, 1)


def test_a_silence_of_exactly_the_threshold_is_not_yet_a_lapse():
    rule = thresholds(3.0, 10.0)
    transactions, _summary = tables([("a", 0, 1), ("a", 30, 1), ("a", 61, 1), ("a", SPAN, 1)])
    lives = churn.active_lives(silence_history(transactions, AS_OF, rule.base), rule, AS_OF)
    assert list(zip(lives["time"], lives["ended"], strict=True)) == [(30, True)]


@pytest.mark.parametrize("name", ["cdnow", "demo"])
def test_states_add_up_to_the_base_and_one_time_buyers_are_never_alive(shipped, name):
    client = shipped(name)
    found = chapter.study(client)
    base = client.summary.to_pandas()
    assert found.states["customers"].sum() == found.customers == len(base)
    assert round(found.states["revenue"].sum(), 2) == round(float(found.revenue), 2)
    once = int((base["frequency"] == 0).sum())
    assert found.states.loc[~found.states["repeat"], "customers"].sum() == once == found.alive.one_timers
    assert found.alive_bins["customers"].sum() == found.alive.repeaters == len(base) - once
    assert 0 < found.alive.active < found.alive.repeaters
    assert found.silence_bins["customers"].sum() == len(base)
    assert not set(found.at_risk["customer_id"]) & set(base.loc[base["frequency"] == 0, "customer_id"])


def test_value_at_stake_is_value_if_active_times_the_chance_of_being_gone_of_silent_customers(shipped):
    client = shipped("demo")
    found = chapter.study(client)
    value = client.value.customers.to_pandas().set_index("customer_id")
    base = client.summary.to_pandas().set_index("customer_id")
    p = client.parameters
    waits = customer_cadence(client.transactions, client.summary, p.as_of).to_pandas().set_index("customer_id")
    silent = (base["frequency"] > 0) & (waits["silence_ratio"] > found.thresholds.overdue).reindex(base.index)
    if_active = value["clv"] / value["p_alive"].clip(lower=0.01)
    stake = (if_active * (1 - value["p_alive"])).reindex(base.index)[silent]
    top = stake.sort_values(ascending=False).head(10)
    assert list(found.at_risk["value_at_stake"].head(10)) == pytest.approx(list(top))
    assert list(found.at_risk["customer_id"].head(10)) == list(top.index)
    assert "on_cadence" not in set(found.at_risk["state"]), "nobody on cadence is to be called"
    assert found.stake.value == pytest.approx(stake.sum())
    assert found.stake.customers == silent.sum()
    assert found.stake.if_active == pytest.approx(if_active.reindex(base.index)[silent].sum())
    assert found.stake.value <= found.stake.if_active
    assert 0 < found.stake.lapsed < found.stake.value
    assert found.at_risk["name"].notna().all()


def lives_by_hand(client, rule: SilenceThresholds) -> pd.DataFrame:
    """Every customer known for one lapsed threshold by first purchase alone, from the orders: no Ibis."""
    as_of = pd.Timestamp(client.parameters.as_of)
    orders = client.transactions.select("customer_id", "ordered_on").distinct().to_pandas()
    days = pd.to_datetime(orders["ordered_on"]).groupby(orders["customer_id"]).agg(lambda own: sorted(set(own)))
    rows = []
    for own in days:
        watched = (as_of - own[0]).days - int(rule.lapsed_days) - 1
        logs, lapse = [], None
        for place, day in enumerate(own):
            if place:
                logs.append(math.log((day - own[place - 1]).days))
            until = own[place + 1] if place + 1 < len(own) else as_of
            pulled = (sum(logs) + rule.base.weight * rule.base.log_gap) / (len(logs) + rule.base.weight)
            if lapse is None and (until - day).days > math.floor(rule.lapsed * round(math.exp(pulled), 6)):
                lapse = (day - own[0]).days
        rows.append({"watched": watched, "lapse": lapse, "last": (own[-1] - own[0]).days})
    each = pd.DataFrame(rows).astype(float)
    return each[each["watched"] >= 0]


def test_active_life_holds_everybody_known_long_enough_and_is_never_below_those_still_buying(shipped):
    """On CDNOW the curve once left out two thousand repeat buyers whose own threshold was too long to be judged."""
    client = shipped("cdnow")
    found = chapter.study(client)
    each = lives_by_hand(client, found.thresholds)
    assert found.lives_customers == len(each)
    lapsed = each["lapse"] <= each["watched"]
    time = each["lapse"].fillna(each["last"]).clip(upper=each["watched"])
    survival, expected = 1.0, {}
    for day in sorted(set(time[lapsed])):
        survival *= 1 - (lapsed & (time == day)).sum() / (time >= day).sum()
        expected[day] = survival
    curve = found.lives.iloc[1:].set_index("time")["survival"]
    assert list(curve.index) == list(expected)
    np.testing.assert_allclose(curve, list(expected.values()))
    for day in (0, 30, 90):  # everybody is watched so long: the share ordering later without a lapse is a floor
        assert (each["watched"] >= day).all()
        floor = ((each["last"] > day) & ~(each["lapse"] <= day)).mean()
        active = survival_at(found.lives, day)[0]
        assert floor - 1e-9 <= active <= floor + 0.01
    watched = each[each["watched"] >= 180]
    assert found.later == (len(watched), int((watched["last"] > 180).sum()))
    assert found.later.share > survival_at(found.lives, 180)[0], "returned after a lapse"
    (said,) = [finding for finding in found.findings if finding.id == "churn.still_active"]
    assert "lapsed first and returned" in said.sentence


def test_alarm_is_raised_only_where_more_is_wrong_than_usual(shipped):
    found = chapter.study(shipped("demo"))

    def said(**changed):
        made = churn_findings.findings(dataclasses.replace(found, **changed))
        return {finding.id: finding for finding in made}

    usual = said(overdue_before=churn.Part(1000, 250), lapses=churn.Lapses(100, 82))
    alarm = said(overdue_before=churn.Part(1000, 100), lapses=churn.Lapses(100, 10))
    assert usual["churn.overdue"].importance < alarm["churn.overdue"].importance
    assert "a quarter earlier the share was 25 %" in usual["churn.overdue"].sentence
    assert usual["churn.still_active"].importance < alarm["churn.still_active"].importance
    assert "82 % of all who ever lapsed returned" in usual["churn.still_active"].sentence
    assert "warning" not in alarm["churn.still_active"].sentence


def test_overdue_at_an_earlier_day_equals_a_study_of_the_orders_up_to_it():
    rule = thresholds(3.0, 10.0)
    days = {"a": [0, 20, 100], "b": [0, 22], "c": [30], "d": [0, 5]}
    lines = [(name, day, 1) for name, own in days.items() for day in own]
    transactions, _summary = tables(lines)
    history = silence_history(transactions, AS_OF, rule.base)
    found = churn.overdue_before(history, rule, FIRST + dt.timedelta(days=40))
    assert found == (3, 2), "a (20 days) and b (18) are over 15 and not over 30, d (35) has lapsed, c ordered once"
    assert churn.overdue_before(history, rule, FIRST).customers == 0


SUBSCRIPTIONS = [  # started, ended, as days since 1 January 2024; as_of is day 171
    ("a", "m", 0, 30),
    ("b", "m", 0, None),
    ("c", "m", 0, 200),  # ends after the as-of date: running
    ("d", "y", 150, None),
    ("e", "y", 180, None),  # starts after it: not counted
]


def subscriptions() -> ibis.Table:
    def day(value: int | None) -> dt.date | None:
        return None if value is None else FIRST + dt.timedelta(days=value)

    rows = [{"customer_id": c, "plan": p, "started_at": day(s), "ended_at": day(e)} for c, p, s, e in SUBSCRIPTIONS]
    schema = {"customer_id": "string", "plan": "string", "started_at": "date", "ended_at": "date"}
    return ibis.memtable(rows, schema=schema).mutate(price_per_month=ibis.literal(10.0))


def test_contract_lengths_and_plans_by_hand():
    lengths = contracts.contract_durations(subscriptions(), AS_OF)
    found = {(r.plan, r.time, bool(r.ended)): r[-1] for r in lengths.itertuples(index=False)}
    assert found == {("m", 30, True): 1, ("m", 171, False): 2, ("y", 21, False): 1}
    plans = contracts.contract_plans(subscriptions(), AS_OF).set_index("plan")
    assert list(plans["contracts"]) == [3, 1]
    assert list(plans["ended"]) == [1, 0]
    assert list(plans["price_per_month"]) == [20, 10]


def test_contracts_held_a_year_ago_and_ended_since():
    """A year after day 10 of 2024: a and b and c ran on day 10; a ended on day 30, c on day 200."""
    assert contracts.ended_last_year(subscriptions(), FIRST + dt.timedelta(days=375)) == (3, 2)


def test_contractual_section_appears_only_where_it_may(shipped):
    client = shipped("demo")
    assert chapter.study(client).contracts.plans["contracts"].sum() == client.table("subscriptions").count().execute()
    assert chapter.study(shipped("cdnow")).contracts is None


@pytest.mark.parametrize("name", EDGE)
def test_edge_clients_give_a_study_that_says_why_there_is_no_model(workbook, name):
    workbook.write(name, EDGE[name])
    found = chapter.study(workbook.open(name))
    assert found.model_reason and found.alive is None and found.stake is None
    assert found.states["customers"].sum() == found.customers == len({row[0] for row in EDGE[name]})
    assert found.at_risk.empty
    assert any(finding.kind == "caution" for finding in found.findings)
    words = [caption.title for caption in found.captions.values()] + found.definition
    words += [finding.sentence for finding in found.findings]
    assert not any("nan" in text.lower().split() or "{" in text for text in words)
    charts.survival({"": found.lives}, {"": found.watched}, found.minimum_group)
    plt.close("all")


def test_without_a_model_the_overdue_are_ranked_by_last_years_revenue(shipped, monkeypatch):
    client = shipped("demo")

    def refuse(_client):
        raise ModelError("not today")

    monkeypatch.setattr(type(client), "value", property(refuse))
    found = chapter.study(client)
    assert found.model_reason == "not today"
    assert set(found.at_risk["state"]) == {"overdue"}
    assert found.at_risk["value_at_stake"].is_monotonic_decreasing
    assert (found.at_risk["value_at_stake"] == found.at_risk["revenue_past_year"]).all()
    assert any("not today" in finding.sentence for finding in found.findings if finding.kind == "caution")


def test_findings_are_plain_json_and_titles_short(shipped):
    found = chapter.study(shipped("demo"))
    assert json.loads(json.dumps([finding.to_dict() for finding in found.findings]))
    assert all(0 < len(caption.title.split()) <= 15 for caption in found.captions.values())
    figures = {finding.figure for finding in found.findings}
    assert figures <= set(found.captions)


def test_survival_chart_starts_at_one_and_stops_where_few_are_watched():
    curve = pd.DataFrame(
        {
            "time": [0.0, 10, 20, 30],
            "at_risk": [100.0, 80, 30, 5],
            "events": [0.0, 8, 3, 1],
            "survival": [1.0, 0.9, 0.81, 0.65],
            "low": [1.0, 0.85, 0.7, 0.4],
            "high": [1.0, 0.94, 0.9, 0.85],
        }
    )
    ax = charts.survival({"": curve}, {"": 40.0}, minimum=10)
    assert list(ax.lines[0].get_xdata()) == [0, 10, 20]
    whole = charts.survival({"": curve}, {"": 40.0}, minimum=1)
    assert whole.lines[0].get_xdata()[-1] == 40
    assert ax.get_ylim()[0] == 0
    plt.close("all")


def test_silence_chart_reaches_past_the_lapsed_threshold(shipped):
    found = chapter.study(shipped("demo"))
    ax = charts.silence(found.silence_bins, found.thresholds.overdue, found.thresholds.lapsed)
    drawn = sum(bar.get_height() for bar in ax.patches)
    assert drawn == found.silence_bins.loc[found.silence_bins["repeat"], "customers"].sum()
    assert len(ax.lines) == 2
    plt.close("all")


def test_nobody_is_to_be_called_where_hardly_any_value_is_at_stake(shipped):
    found = chapter.study(shipped("demo"))

    def advised(stake):
        return "churn.call_at_risk" in {f.id for f in churn_findings.findings(dataclasses.replace(found, stake=stake))}

    assert advised(found.stake)
    assert not advised(found.stake._replace(value=0.009 * found.stake.expected))
