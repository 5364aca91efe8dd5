"""Customers valued by the models of their group: arithmetic, intervals, fallbacks, and the truth of the demo client."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from one_model import by_one_model
from perennial.analysis import clv, value_views, what_if
from perennial.analysis.group_models import Models
from perennial.analysis.groupings import ALL
from perennial.analysis.purchase_model import HISTORY
from perennial.analysis.valuation import compute_value, predict
from perennial.chapters import value_apart, value_behaviour

DAYS = 12 * clv.MONTH_DAYS


@pytest.fixture(scope="module")
def demo(shipped):
    return shipped("demo")


@pytest.fixture(scope="module")
def plain(demo):
    """The demo client with groups switched off in its parameters."""
    p = demo.parameters.model_copy(update={"purchase_by": "none"})
    return compute_value(demo.transactions, demo.summary, p, demo.table("customers"))


@pytest.fixture(scope="module")
def truth(demo):
    """What was drawn for every customer, and what each then did in the year after the data end."""
    return pd.read_csv(demo.root / "data" / "demo" / "truth" / "customers.csv").set_index("customer_id")


def test_the_demo_is_valued_by_segment(demo):
    """Every customer by the models of the segment that the customers table states."""
    assert demo.value.segmentation.decision.grouping == "segment"
    stated = demo.table("customers").select("customer_id", "segment").to_pandas().set_index("customer_id")["segment"]
    found = demo.value.customers.select("customer_id", "model_group").to_pandas().set_index("customer_id")
    assert (found["model_group"] == stated.reindex(found.index)).all()


def test_a_customer_is_worth_what_the_models_of_the_group_say(demo):
    """Independent recomputation, customer by customer, from the models of each group."""
    people = demo.summary.select("customer_id", *HISTORY, "monetary_value").to_pandas()
    people = people.merge(demo.value.customers.to_pandas(), on="customer_id")
    p = demo.parameters
    for group, own in people.groupby("model_group"):
        models = demo.value.segmentation.used.apart[group]
        bought = clv.discounted_purchases(models.purchase, own, p.horizon_months, p.discount_rate)
        paid = models.spend.expected_order_value(own["frequency"], own["monetary_value"])
        np.testing.assert_allclose(own["clv"], p.gross_margin * bought * paid, rtol=1e-9)
        alive = models.purchase.p_alive(*(own[name] for name in HISTORY))
        np.testing.assert_allclose(own["p_alive"].fillna(1), np.where(own["frequency"] > 0, alive, 1), rtol=1e-9)


def test_groups_customers_and_cohorts_add_up(demo):
    """Invariant: one equity, whichever way it is taken apart; and the horizon of the what-if table is the same."""
    value = demo.value
    assert value.groups["value"].sum() == pytest.approx(value.equity.value, rel=1e-9)
    assert value.cohorts["value"].sum() == pytest.approx(value.equity.value, rel=1e-9)
    assert float(value.customers.clv.sum().to_pyarrow().as_py()) == pytest.approx(value.equity.value, rel=1e-9)
    assert value.groups["customers"].sum() == value.cohorts["customers"].sum() == 2000
    ahead = what_if.by_horizon(value).set_index("months")["value"]
    assert ahead[12.0] == pytest.approx(value.equity.value, rel=1e-9)
    assert value_views.value_curve(value.rows)["value"].iloc[-1] == pytest.approx(1)


def test_one_model_beside_it_is_what_the_parameters_can_ask_for(demo, plain):
    """``purchase_by: none`` gives the value by one model that stands in the table of groups."""
    assert plain.apart == {}
    assert plain.customers.model_group.count().to_pyarrow().as_py() == 0
    assert plain.groups.empty
    assert plain.equity.value == pytest.approx(demo.value.groups["one_model"].sum(), rel=1e-9)
    assert plain.purchase.to_dict() == demo.value.purchase.to_dict()


def test_models_by_segment_come_nearer_to_what_happened(demo, plain, truth):
    """The simulation's own next year: own models within a tenth, one model far off; nearer per customer."""
    own = demo.value.customers.to_pandas().set_index("customer_id")
    one = plain.customers.to_pandas().set_index("customer_id")
    came = truth["spend_next_year"].reindex(own.index)
    expected = {
        name: (found["expected_purchases"] * found["expected_order_value"]).reindex(own.index)
        for name, found in (("own", own), ("one", one))
    }
    off = {
        name: (found.groupby(own["model_group"]).sum() / came.groupby(own["model_group"]).sum() - 1)
        for name, found in expected.items()
    }
    assert off["own"].abs().max() < 0.10
    assert off["one"]["consumer"] > 0.4
    assert off["one"]["enterprise"] < -0.2
    rmse = {name: float(np.sqrt(((found - came) ** 2).mean())) for name, found in expected.items()}
    assert rmse["own"] < 0.95 * rmse["one"]


def test_groups_vary_independently(demo):
    """Invariant: the variance of the equity is about the sum of the groups' (parameters and chance)."""
    value = demo.value
    wide = (value.groups["high"] - value.groups["low"]).to_numpy()
    whole = value.equity.high - value.equity.low
    assert whole == pytest.approx(float(np.sqrt((wide**2).sum())), rel=0.15)
    assert set(value.draws["group"]) == set(value.groups["group"])


def test_a_group_without_models_takes_those_of_all(demo):
    """A group whose models did not hold up is valued like under one model; the others are not touched."""
    value = demo.value
    apart = {group: models for group, models in value.apart.items() if group != "enterprise"}
    rows = value.rows.assign(group=value.rows["group"].where(value.rows["group"] != "enterprise", ALL))
    found, worth = predict(rows, {ALL: Models(value.purchase, value.spend), **apart}, None, demo.parameters)
    left = found["group"] == ALL
    assert (found.loc[left, "weight"] @ found.loc[left, "clv"]) == pytest.approx(
        value.groups.set_index("group").loc["enterprise", "one_model"], rel=1e-9
    )
    pd.testing.assert_series_equal(found.loc[~left, "clv"], value.rows.loc[~left, "clv"], check_index=False)
    assert worth.groups["value"].sum() == pytest.approx(worth.equity.value, rel=1e-9)


def test_what_the_chapter_says_of_groups_valued_apart(demo):
    """The table adds up, its title names the farthest group, the finding gives both values."""
    part = value_apart.part(demo, demo.value)
    exhibit = part.exhibits[value_apart.NAME]
    assert "consumer" in exhibit.caption.title
    assert len(exhibit.caption.title.replace(" %", "%").split()) <= 15
    assert exhibit.frame["customers"].sum() == 2000
    sentence = part.findings[0].sentence
    assert all(group in sentence for group in demo.value.apart)
    tested = part.exhibits[value_apart.TESTED]
    whole = tested.frame.iloc[-1]
    assert whole["customers"] == demo.value.holdout.n_customers
    assert whole["bought_pooled"] == pytest.approx(demo.value.holdout.score("BG/NBD")["predicted"], rel=1e-9)
    assert whole["paid"] == pytest.approx(demo.value.holdout.revenue["actual"], rel=1e-9)
    assert whole["paid_pooled"] == pytest.approx(demo.value.holdout.revenue["predicted"], rel=1e-9)
    assert "enterprise" in tested.caption.reading  # 76 customers at the cut
    assert "one model of all customers" in " ".join(value_behaviour.part(demo, demo.value).says)


def test_where_one_model_serves_all_nothing_is_claimed(demo, plain):
    """No table, no finding; where groups were tried and not supported, a sentence."""
    off = value_apart.part(demo, plain)
    assert not off.exhibits and not off.findings
    assert off.absent[value_apart.NAME] == ""
    assert "not supported" in value_apart.part(demo, by_one_model(demo.value)).absent[value_apart.NAME]


def test_as_asked_is_said(demo):
    """A grouping that the parameters ask for is not sold as supported."""
    asked = replace(demo.value.segmentation.decision, ground="declared")
    value = replace(demo.value, segmentation=replace(demo.value.segmentation, decision=asked))
    assert "as the parameters ask" in value_apart.part(demo, value).findings[0].sentence
