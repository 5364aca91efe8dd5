"""Forecasts without a model, the scores of forecasts and the choice among models, against arithmetic by hand."""

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.analysis import choice, forecasters, holdout_scores
from perennial.analysis.fitters import fit_purchases
from perennial.analysis.forecasters import HIATUS, LAST_STRETCH, REGRESSION, SAME_AVERAGE, SAME_RATE, Rehearsal
from perennial.analysis.purchase_model import PurchaseModel
from perennial.errors import ModelError
from published import distinct_histories

COLUMNS = ["frequency", "recency", "T", "actual", "weight"]


def rehearsal(*rows: tuple[int, ...], days: int = 50) -> Rehearsal:
    return Rehearsal(days, pd.DataFrame(rows, columns=COLUMNS))


def at_cut(*rows: tuple[int, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["frequency", "recency", "T", "recent", "weight"])


def test_rules_of_thumb_by_hand():
    """4 repeats in 100 days: 2 in 50. Everyone: (4·1 + 0·3) repeats in 100·1 + 50·3 days. Last 25 days held 3: 6."""
    rows = at_cut((4, 90, 100, 3, 1), (0, 0, 50, 0, 3), (0, 0, 0, 0, 0))
    found = forecasters.baselines(rows, 50, 25, None)
    assert found[SAME_RATE] == pytest.approx([2, 0, 0])
    assert found[SAME_AVERAGE] == pytest.approx(np.full(3, 4 / 250 * 50))
    assert found[LAST_STRETCH] == pytest.approx([6, 0, 0])
    assert HIATUS not in found and REGRESSION not in found


def test_the_hiatus_is_the_one_that_tells_best_who_comes_back():
    """Silent 10 and 20 days: back; 30: two back, one gone; 40: gone. A limit of 30 days tells all but one right."""
    known = rehearsal(
        (3, 90, 100, 1, 5), (3, 80, 100, 2, 5), (3, 70, 100, 1, 2), (3, 60, 100, 0, 9), (3, 70, 100, 0, 1)
    )
    assert forecasters.best_hiatus(known.rows) == 30
    rows = at_cut((4, 69, 100, 0, 1), (4, 70, 100, 0, 1), (0, 0, 31, 0, 1), (0, 0, 30, 0, 1))
    found = forecasters.baselines(rows, 50, 25, known)
    assert found[HIATUS] == pytest.approx([0, 2, 0, 0])


def test_the_regression_finds_a_rate_that_follows_its_features():
    """Drawn from exp(−1 + 0.8·log(1 + x) − 2·silence): recovered within the noise of 20 000 customers, and scaled."""
    rng = np.random.default_rng(5)
    x, age = rng.integers(0, 9, 20_000), rng.integers(100, 300, 20_000)
    last = np.where(x > 0, (age * rng.uniform(0.1, 1, 20_000)).astype(int), 0)
    mean = np.exp(-1 + 0.8 * np.log1p(x) - 2 * (age - last) / age)
    rows = pd.DataFrame({"frequency": x, "recency": last, "T": age, "actual": rng.poisson(mean), "weight": 1})
    found = forecasters.baselines(rows.assign(recent=0), 100, 25, Rehearsal(50, rows))[REGRESSION]
    assert found == pytest.approx(2 * mean, rel=0.15)
    assert found.sum() == pytest.approx(2 * rows["actual"].sum(), rel=1e-6), "maximum likelihood keeps the total"


def test_weights_stand_for_customers_in_the_regression():
    rng = np.random.default_rng(4)
    x, age = rng.integers(0, 5, 60), rng.integers(50, 120, 60)
    last = np.where(x > 0, (age * rng.uniform(0.1, 1, 60)).astype(int), 0)
    rows = pd.DataFrame({"frequency": x, "recency": last, "T": age, "actual": rng.poisson(0.5 + x / 4)})
    rows = rows.assign(weight=rng.integers(1, 4, 60))
    once = rows.loc[rows.index.repeat(rows["weight"])].assign(weight=1)
    at = at_cut((2, 50, 100, 1, 1), (0, 0, 80, 0, 1))
    first = forecasters.baselines(at, 50, 25, Rehearsal(50, rows))[REGRESSION]
    assert first == pytest.approx(forecasters.baselines(at, 50, 25, Rehearsal(50, once))[REGRESSION], rel=1e-6)


@pytest.mark.parametrize("bought", [0, 1])
def test_a_rehearsal_that_carries_no_regression_leaves_it_out(bought):
    """Nobody bought in it, or everybody has the same history."""
    found = forecasters.baselines(at_cut((2, 50, 100, 1, 1)), 50, 25, rehearsal((0, 0, 100, bought, 9)))
    assert REGRESSION not in found and HIATUS in found
    assert all(np.isfinite(values).all() for values in found.values())


def test_the_rehearsal_sees_nothing_of_the_holdout_and_only_customers_it_knew():
    """By hand: data from 1 January, cut on day 90, a third of it is 30 days: rehearsed from 1 to 30 March."""
    rows = [("a", "2025-01-01"), ("a", "2025-02-10"), ("a", "2025-03-20"), ("b", "2025-03-10"), ("a", "2025-06-01")]
    rows += [("c", "2025-01-31"), ("c", "2025-04-01")]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on"]).assign(amount=1.0, is_return=False)
    table = ibis.memtable(frame).mutate(
        ordered_on=ibis._.ordered_on.cast("date"), amount=ibis._.amount.cast("decimal(18,4)")
    )
    found = forecasters.rehearse(table, dt.date(2025, 4, 1), 200)
    assert found.days == 30
    assert sorted(found.rows.itertuples(index=False, name=None)) == [(0, 0, 30, 1, 1), (1, 40, 60, 1, 1)]
    assert forecasters.rehearse(table, dt.date(2025, 1, 20), 200) is None


def test_gini_by_hand():
    """One of two customers buys all: 1 in the right order, −1 upside down, 0 where both are forecast alike."""
    actual, weight = np.array([0.0, 4.0]), np.ones(2)
    for forecast, gini in (([1.0, 2.0], 1), ([2.0, 1.0], -1), ([1.0, 1.0], 0)):
        assert holdout_scores.normalised_gini(np.array(forecast), actual, weight) == pytest.approx(gini)
    assert math.isnan(holdout_scores.normalised_gini(actual, np.ones(2), weight))


def test_lift_by_hand():
    """20 customers, two of whom are the top tenth: 5 and 3 purchases among 40 in all are twice the mean of 2."""
    forecast = np.arange(20.0)
    actual = np.array([1.0] * 4 + [2.0] * 14 + [3.0, 5.0])
    assert holdout_scores.top_lift(forecast, actual, np.ones(20)) == pytest.approx(4 / 2)
    assert holdout_scores.top_lift(np.zeros(20), actual, np.ones(20)) == pytest.approx(1)


counted = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(1, 4)), min_size=2, max_size=40)


@given(counted)
def test_scores_count_customers_not_rows(rows):
    """A row of weight w is w customers: all scores are those of the rows written out one by one."""
    frame = pd.DataFrame(rows, columns=["forecast", "actual", "weight"]).astype(float)
    single = frame.loc[frame.index.repeat(frame["weight"].astype(int))].assign(weight=1.0)
    both = [holdout_scores.score(one, ["forecast"]).drop(columns="forecaster").iloc[0] for one in (frame, single)]
    pd.testing.assert_series_equal(*both, check_exact=False, rtol=1e-9)


@given(counted)
def test_the_outcome_itself_is_the_best_order(rows):
    """Invariant: no forecast has a Gini index above 1, and the outcome as its own forecast has 1 and no error."""
    frame = pd.DataFrame(rows, columns=["forecast", "actual", "weight"]).astype(float)
    forecast, actual, weight = (frame[name].to_numpy() for name in frame)
    if np.ptp(actual):
        assert holdout_scores.normalised_gini(forecast, actual, weight) <= 1 + 1e-9
        assert holdout_scores.normalised_gini(actual, actual, weight) == pytest.approx(1)
    perfect = holdout_scores.score(frame, ["actual"]).iloc[0]
    assert perfect["rmse"] == 0 and perfect["mae"] == 0


def test_intervals_hold_their_share_of_customers_the_model_itself_draws():
    """Simulated from the model: 90 % intervals of whole numbers hold at least 90 %, and less than all."""
    from perennial.analysis.clv import draw_purchases

    model = fit_purchases(distinct_histories(), "BG/NBD")
    rows = distinct_histories()[["frequency", "recency", "T"]]
    rng = np.random.default_rng(3)
    actual = draw_purchases(rows, model, model.theta[None, :], 273, rng)[:, 0]
    inside = holdout_scores.share_inside(rows.assign(actual=actual, weight=1), model, 273, 0.9, 1)
    assert 0.90 <= inside <= 0.99
    half = holdout_scores.share_inside(rows.assign(actual=actual, weight=1), model, 273, 0.6, 1)
    assert half < inside
    assert math.isnan(
        holdout_scores.share_inside(rows.assign(actual=actual, weight=1), model.at(model.theta), 273, 0.9, 1)
    )


def scored(**errors: tuple[float, float]) -> pd.DataFrame:
    names = {"bg": "BG/NBD", "mbg": "MBG/NBD", "pareto": "Pareto/NBD", "nbd": "NBD", "rule": SAME_RATE}
    rows = [(names[key], rmse, bias) for key, (rmse, bias) in errors.items()]
    return pd.DataFrame(rows, columns=["forecaster", "rmse", "bias"])


def test_the_smallest_error_wins_and_near_ties_go_to_the_nearer_total():
    """Within half a percent of 1.000 errors are equal: then −2 % is nearer than 9 %; rules of thumb do not stand."""
    scores = scored(bg=(1.000, 0.09), mbg=(1.004, -0.02), pareto=(1.006, 0.0), nbd=(2.0, 0.0), rule=(0.5, 0.0))
    assert choice.order_of(scores, list(scores["forecaster"][:4])) == ["MBG/NBD", "BG/NBD", "Pareto/NBD", "NBD"]


def test_without_a_holdout_the_smallest_bic_wins():
    """BIC: k·log(n) − 2·LL: a gain of 1 in LL does not pay for two parameters."""
    bg = PurchaseModel("BG/NBD", {"r": 1.0, "alpha": 1.0, "a": 1.0, "b": 1.0}, loglik=-99.0, n_customers=1000)
    nbd = PurchaseModel("NBD", {"r": 1.0, "alpha": 1.0}, loglik=-100.0, n_customers=1000)
    assert choice.by_fit({"BG/NBD": bg, "NBD": nbd}) == ["NBD", "BG/NBD"]


def test_a_client_fixes_the_model(workbook):
    """The declared model is used and named so; one that cannot be fitted is refused by name."""
    rng = np.random.default_rng(2)
    rows: list[tuple[str, str, float]] = []
    drawn = zip(rng.gamma(1.0, 1 / 15, 400), rng.beta(0.8, 2.5, 400), rng.integers(0, 250, 400), strict=True)
    for who, (rate, leave, begin) in enumerate(drawn):
        day = float(begin)
        while day < 546:
            rows.append((f"c{who}", str(dt.date(2024, 1, 1) + dt.timedelta(int(day))), 5 + who % 7))
            day += rng.exponential(1 / rate) if rng.random() > leave else 999
    for declared in ("NBD", "MBG/NBD"):
        workbook.write("acme", rows, as_of="2025-06-30", purchase_model=declared)
        value = workbook.open("acme").value
        assert (value.purchase.name, value.ground) == (declared, "declared")
        assert value.holdout.model.name == declared
        alive = value.rows["p_alive"]
        assert alive.isna().all() if declared == "NBD" else alive.notna().all()
    workbook.write("acme", rows[:30], as_of="2025-06-30", purchase_model="NBD")
    with pytest.raises(ModelError, match="purchase model needs at least"):
        workbook.open("acme").value  # noqa: B018
