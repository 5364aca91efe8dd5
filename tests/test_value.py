"""Customer value: discounting, the posterior draws, equity, and clients that cannot be valued."""

import datetime as dt
import json
from functools import cache
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from perennial.analysis import clv
from perennial.analysis.fitters import fit_gamma_gamma, fit_purchases
from perennial.analysis.valuation import compute_value
from perennial.analysis.value import PREDICTIONS, ValueResult
from perennial.errors import ModelError
from perennial.tables.summary import customer_summary
from published import calibration_sample, distinct_histories, sample_transactions

ONE_PERCENT_A_MONTH = 1.01**12 - 1


@cache
def models():
    return fit_purchases(distinct_histories(), "BG/NBD"), fit_gamma_gamma(calibration_sample())


def parameters(**changes):
    base = {
        "as_of": dt.date(1998, 6, 30), "holdout_days": 273, "horizon_months": 12, "discount_rate": 0.10,
        "gross_margin": 0.30, "margin_by": "set", "interval": 0.90, "seed": 1, "currency": "USD",
        "purchase_model": "BG/NBD", "purchase_by": "auto", "minimum_group": 30, "cohort_period": "month",
    }  # fmt: skip
    return SimpleNamespace(**{**base, **changes})


def as_table(frame: pd.DataFrame) -> ibis.Table:
    table = ibis.duckdb.connect().create_table("transactions", frame)
    return table.mutate(ordered_on=table.ordered_on.date(), amount=table.amount.cast("decimal(18,4)"))


def valued(frame: pd.DataFrame, **changes) -> ValueResult:
    table, given = as_table(frame), parameters(**changes)
    return compute_value(table, customer_summary(table, given.as_of), given)


@cache
def cdnow() -> ValueResult:
    return valued(sample_transactions())


def test_clv_regression_with_lifetimes_month():
    """Recomputed with lifetimes 0.11.3 (946 repeaters, 12 months of 4.345 weeks, 1 % a month): mean 61.26."""
    purchase, spend = models()
    rows = calibration_sample().query("frequency > 0")
    bought = clv.discounted_purchases(purchase, rows, 12, ONE_PERCENT_A_MONTH, month_days=4.345 * 7)
    found = pd.Series(
        bought * spend.expected_order_value(rows["frequency"], rows["monetary_value"]), index=rows["customer_id"]
    )
    assert found.mean() == pytest.approx(61.26, abs=0.01)
    expected = [36.278, 4.637, 283.524, 6.881, 43.354]
    assert found.loc[[1, 2, 6, 7, 9]].to_numpy() == pytest.approx(expected, abs=2e-3)


def test_without_discount_value_is_purchases_times_order():
    """By definition: at discount 0, CLV = margin · E[Y] · E[M], exactly."""
    found = valued(sample_transactions(), discount_rate=0.0).rows
    expected = 0.30 * found["expected_purchases"] * found["expected_order_value"]
    assert found["clv"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)


def test_the_annual_rate_compounds():
    """By hand: 12 months at the monthly rate are one year at the annual one; 10 % is .797 % a month."""
    assert clv.monthly_rate(0.10) == pytest.approx(0.00797414, abs=1e-8)
    assert (1 + clv.monthly_rate(0.37)) ** 12 == pytest.approx(1.37)


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD"])
@pytest.mark.parametrize("history", [(0, 0.0, 270.0), (2, 213.0, 272.0), (9, 100.0, 250.0), (26, 216.0, 217.0)])
def test_draws_average_to_the_formula(name, history):
    """Two derivations, one answer: the mean of 60 000 posterior draws is E[Y(t)] of eq. 10 (± 5 s.e.)."""
    model = fit_purchases(distinct_histories(), name)
    rows = pd.DataFrame([history], columns=["frequency", "recency", "T"])
    thetas = np.tile(model.theta, (60_000, 1))
    drawn = clv.draw_purchases(rows, model, thetas, 273, np.random.default_rng(5))[0]
    expected = float(model.expected_purchases(273, *history))
    assert abs(drawn.mean() - expected) < 5 * drawn.std() / np.sqrt(len(drawn))
    gone = (drawn == 0).mean()
    assert gone >= 1 - float(model.p_alive(*history)) - 0.01


def test_total_draws_centre_on_the_equity():
    """Invariant: the mean of the drawn totals is the sum of the customers' values, within 2 %."""
    rows, result = cdnow().rows, cdnow()
    factor = np.full(len(rows), 0.30)
    undiscounted = 0.30 * result.equity.revenue
    thetas, phis = result.draws[["r", "alpha", "a", "b"]], result.draws[["p", "q", "v"]]
    days = 12 * clv.MONTH_DAYS
    drawn = clv.simulate(rows, result.purchase, thetas.to_numpy(), phis.to_numpy(), factor, days, 0.9, seed=2)
    assert drawn.happens.mean() == pytest.approx(undiscounted, rel=0.02)
    assert drawn.expected.mean() == pytest.approx(undiscounted, rel=0.02)
    assert drawn.happens.std() > drawn.expected.std()


def test_weighted_rows_vary_like_that_many_customers():
    """Arithmetic: 400 customers of one history vary in total as 400 single rows do (standard deviation within 20 %)."""
    purchase, spend = models()
    single = pd.DataFrame(
        {"frequency": 2, "recency": 213.0, "T": 272.0, "monetary_value": 30.0, "weight": 1}, index=range(400)
    )
    grouped = single.head(1).assign(weight=400)
    thetas, phis = np.tile(purchase.theta, (600, 1)), np.tile(spend.theta, (600, 1))
    many, one = (
        clv.simulate(rows, purchase, thetas, phis, np.ones(len(rows)), 365.0, 0.9, seed=3) for rows in (single, grouped)
    )
    assert one.happens.std() == pytest.approx(many.happens.std(), rel=0.2)
    assert one.happens.mean() == pytest.approx(many.happens.mean(), rel=0.05)


def test_equity_is_the_sum_over_customers():
    """Invariant: rows by weight, customers in the engine and the equity are one number, inside its interval."""
    result = cdnow()
    customers = result.customers.to_pandas()
    assert len(customers) == 2357
    assert customers["customer_id"].is_unique
    assert customers["clv"].sum() == pytest.approx(result.equity.value, rel=1e-9)
    assert result.equity.low < result.equity.value < result.equity.high
    inner = result.equity.parameter_high - result.equity.parameter_low
    assert inner < result.equity.high - result.equity.low


def test_one_time_buyers_are_never_called_alive():
    """BG/NBD says P(alive) = 1 for them, a known flaw: their p_alive is missing, the second opinion is not."""
    result = cdnow()
    once = result.rows[result.rows["frequency"] == 0]
    assert result.purchase.name == "BG/NBD"
    assert len(once) > 0
    assert once["p_alive"].isna().all()
    assert once["p_alive_mbg"].between(0, 1).all()
    in_engine = result.customers.filter(result.customers.p_alive.isnull()).count().to_pandas()
    assert in_engine == once["weight"].sum()


def test_bounds_surround_most_expectations_and_never_cross():
    """Invariant: 0 ≤ low ≤ high for every customer, and repeat buyers' values lie below their upper bound."""
    rows = cdnow().rows
    assert (rows["clv_low"] >= 0).all()
    assert (rows["clv_low"] <= rows["clv_high"]).all()
    lively = rows[(rows["frequency"] > 0) & (rows["p_alive"] > 0.5)]
    assert (lively["clv"] <= lively["clv_high"]).mean() > 0.99


def test_the_same_seed_gives_the_same_interval():
    """Invariant: no clock, no global seed."""
    again = valued(sample_transactions())
    assert again.equity == cdnow().equity
    pd.testing.assert_frame_equal(again.rows, cdnow().rows)


def test_save_and_load_give_the_same(tmp_path):
    """Invariant: what is saved is what is loaded, and the model file is plain JSON."""
    cdnow().save(tmp_path)
    back = ValueResult.load(tmp_path, ibis.duckdb.connect())
    assert back.to_dict() == cdnow().to_dict()
    assert back.equity == cdnow().equity
    assert list(back.customers.columns) == ["customer_id", "model_group", *PREDICTIONS]
    values = json.loads((tmp_path / "value.json").read_text(), parse_constant=lambda c: pytest.fail(f"{c} in JSON"))
    assert values["model"] == "BG/NBD"
    assert values["purchase"]["se"]["r"] > 0
    assert values["units"]["time_of_parameters"] == "week"
    assert {s["forecaster"] for s in values["holdout"]["scores"]} >= {"BG/NBD", "same rate as before"}


def purchases(*lines: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=["customer_id", "ordered_on", "amount"])
    return frame.assign(ordered_on=pd.to_datetime(frame["ordered_on"]), is_return=False)


@pytest.mark.parametrize(
    "lines",
    [
        [("a", "1998-01-01", 10.0)],
        [("a", "1998-01-01", 10.0), ("a", "1998-02-01", 10.0), ("a", "1998-03-01", 10.0)],
        [(str(i), "1998-01-01", 10.0) for i in range(300)],
        [(str(i), f"1998-0{1 + i % 5}-11", 10.0) for i in range(300)],
    ],
    ids=["one purchase", "one customer", "all on one day", "nobody repeats"],
)
def test_clients_that_cannot_be_valued_are_told_why(lines):
    """The input rules: a sentence, not a traceback of the optimiser."""
    with pytest.raises(ModelError, match="second day"):
        valued(purchases(*lines))


def test_without_a_spend_model_purchases_are_still_forecast():
    """Everybody pays the same: no spread to model; counts stand, money is missing with its reason."""
    once_a_day = sample_transactions().drop_duplicates(["customer_id", "ordered_on"])
    result = valued(once_a_day.assign(amount=10.0))
    assert result.spend is None
    assert "same per order" in result.spend_reason
    assert result.equity is None
    assert result.rows["clv"].isna().all()
    assert result.rows["expected_purchases"].gt(0).all()
    assert result.customers.clv.isnull().all().to_pandas()


def test_a_holdout_that_leaves_too_little_is_no_obstacle():
    """530 of 545 days held back: nothing is left to fit before the cut, the values stand, the result says so."""
    result = valued(sample_transactions(), holdout_days=530)
    assert result.holdout is None
    assert "too short" in result.holdout_reason
    assert result.equity.value > 0
