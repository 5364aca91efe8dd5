"""Attainable wallets: the planted quantile is found, and spend never explains itself."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from perennial.analysis.peer_wallet import band_quantiles, explained_share, fit_peer_wallets, pinball
from perennial.analysis.wallet import measure_wallet, window_days
from potential_base import memtable

START = dt.date(2024, 1, 31)


def draw_sample(customers: int = 1500, seed: int = 5) -> pd.DataFrame:
    """Spend is gamma with mean 40 for small and 200 for big households; colour says nothing."""
    rng = np.random.default_rng(seed)
    big = rng.random(customers) < 0.4
    return pd.DataFrame({
        "household": np.where(big, "big", "small"), "colour": rng.choice(["red", "blue", "green"], customers),
        "spend": rng.gamma(2, np.where(big, 100, 20)),
    })  # fmt: skip


def measure(frame: pd.DataFrame, **options):
    """The look for a base whose customers were all known when the window began."""
    frame = frame.reset_index(drop=True)
    frame.insert(0, "customer_id", [f"c{n:05d}" for n in frame.index])
    spend = memtable(frame[["customer_id", "spend"]].rename(columns={"spend": "spend_12m"}))
    spend = spend.mutate(first_on=memtable_date(START))
    return measure_wallet(memtable(frame.drop(columns="spend")), spend, START, **options), frame


def memtable_date(day: dt.date):
    import ibis

    return ibis.date(day)


def test_planted_quantile_is_found_by_group():
    """Gamma(2, 1) has its .9 quantile at 3.8897 (tables of the gamma distribution; scipy.stats.gamma.ppf)."""
    sample = draw_sample(4000)
    found = fit_peer_wallets(sample, sample[["household", "colour"]].drop_duplicates(), 0.9)
    assert found.attributes[0] == "household"
    wallets = found.predicted.groupby("household")["wallet"].mean()
    assert wallets["big"] == pytest.approx(388.97, rel=0.06)
    assert wallets["small"] == pytest.approx(77.79, rel=0.06)


def test_coverage_is_near_the_quantile_and_the_loss_beats_one_quantile_for_all():
    sample = draw_sample()
    checks = fit_peer_wallets(sample, sample[["household", "colour"]].drop_duplicates(), 0.9).checks
    assert checks["quantile"].tolist() == pytest.approx([0.8, 0.9, 0.95])
    assert (checks["coverage_share"] - checks["quantile"]).abs().max() < 0.03
    assert (checks["gain_share"] > 0.1).all()


def test_bands_are_ordered_and_headroom_is_what_is_left():
    look, frame = measure(draw_sample(500))
    table = look.table.to_pandas().set_index("customer_id").join(frame.set_index("customer_id")["spend"])
    assert len(table) == 500
    assert (table["wallet_low"] <= table["wallet"]).all()
    assert (table["wallet"] <= table["wallet_high"]).all()
    np.testing.assert_allclose(table["headroom"], (table["wallet"] - table["spend"]).clip(lower=0), atol=1e-9)
    order = table.sort_values("headroom")["wallet_score"]
    assert order.is_monotonic_increasing
    assert (table["wallet_source"] == "peers").all()


def test_attributes_that_tell_nothing_leave_the_look_unmeasured():
    frame = draw_sample(600)[["colour", "spend"]]
    rng = np.random.default_rng(11)
    frame["spend"] = rng.gamma(2, 50, len(frame))
    found = fit_peer_wallets(frame.iloc[:0:-1], frame[["colour"]].drop_duplicates(), 0.9)
    look, _ = measure(frame.assign(colour="all alike"))
    assert look.table is None
    assert "apart" in look.reason
    assert found.checks is None or found.checks["gain_share"].iloc[1] < 0.05


def test_attribute_that_is_spend_by_another_name_is_refused():
    frame = draw_sample(600)
    frame["tier"] = pd.qcut(frame["spend"], 4, labels=["bronze", "silver", "gold", "platinum"]).astype(str)
    assert explained_share(frame["tier"], frame["spend"].to_numpy()) > 0.9
    look, _ = measure(frame)
    assert "tier" not in look.attributes
    assert "tier" in look.reason


def test_numeric_attribute_that_is_spend_is_refused_too():
    frame = draw_sample(600)
    look, _ = measure(frame.assign(turnover=frame["spend"] * 1.2))
    assert "turnover" not in look.attributes
    assert "turnover" in look.reason


def test_wallet_column_computed_from_the_spend_is_refused():
    """Share would collapse to a constant: wallet and share from the same flow."""
    frame = draw_sample(300)
    look, _ = measure(frame.assign(wallet=frame["spend"] * 2.5))
    assert look.known == 0
    assert "constant" in look.reason
    assert look.peers == 300


def test_known_wallets_come_first_and_shares_above_one_are_counted():
    frame = draw_sample(300)
    wallet = np.where(np.arange(300) < 100, 150.0, np.nan)
    look, frame = measure(frame.assign(wallet=wallet))
    assert (look.known, look.peers) == (100, 200)
    assert look.over == int((frame["spend"].iloc[:100] > 150).sum())
    table = look.table.to_pandas().set_index("customer_id").loc[frame["customer_id"].iloc[:100]]
    assert (table[["wallet_low", "wallet", "wallet_high"]] == 150).all().all()


def test_customers_without_any_attribute_are_not_measured():
    frame = draw_sample(400)
    frame.loc[:99, ["household", "colour"]] = None
    look, _ = measure(frame)
    assert look.table.count().to_pandas() == 300


def test_no_customers_table_no_wallet():
    spend = memtable(pd.DataFrame({"customer_id": ["a"], "spend_12m": [1.0]})).mutate(first_on=memtable_date(START))
    look = measure_wallet(None, spend, START)
    assert look.table is None
    assert "customers" in look.reason


def test_only_the_attributes_asked_for_are_used():
    look, _ = measure(draw_sample(400), attributes=["colour"])
    assert "household" not in look.attributes


def test_pinball_loss_by_hand():
    """.9 · 10 for ten too low, .1 · 10 for ten too high."""
    assert pinball(np.array([20.0]), np.array([10.0]), 0.9) == pytest.approx(9)
    assert pinball(np.array([10.0]), np.array([20.0]), 0.9) == pytest.approx(1)


def test_bands_around_nine_tenths():
    assert band_quantiles(0.9) == pytest.approx((0.8, 0.9, 0.95))


@pytest.mark.parametrize(("first", "days"), [(dt.date(2020, 1, 1), 365), (dt.date(2024, 12, 1), 31)])
def test_window_is_a_year_or_the_whole_history(first, days):
    assert window_days(first, dt.date(2024, 12, 31)) == days
