"""The hold-out against the published CDNOW table, and its own arithmetic."""

import datetime as dt
from functools import cache

import ibis
import numpy as np
import pandas as pd
import pytest

from perennial.analysis import holdout, holdout_scores
from perennial.analysis.forecasters import BASELINES, REGRESSION, SAME_RATE
from perennial.analysis.holdout import Holdout
from perennial.analysis.plain import plain
from perennial.errors import ModelError
from published import sample_transactions

END = dt.date(1998, 6, 30)
TABLE = pd.DataFrame(  # BTYD's vignette (actual, BG/NBD); n of the CDNOW 1/10 sample
    {
        "customers": [1411, 439, 214, 100, 62, 38, 29, 64],
        "actual": [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359],
        "predicted": [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157],
    }
)


def as_table(frame: pd.DataFrame) -> ibis.Table:
    table = ibis.duckdb.connect().create_table("transactions", frame)
    return table.mutate(ordered_on=table.ordered_on.date(), amount=table.amount.cast("decimal(18,4)"))


@cache
def cdnow() -> Holdout:
    return holdout.validate(as_table(sample_transactions()), END, 273, declared="BG/NBD")


def test_the_cut_leaves_the_published_39_weeks():
    """Fader, Hardie & Lee (2005): calibration to 30 September 1997, 2 357 customers, r .243, alpha 4.414."""
    found = cdnow()
    assert found.cut == dt.date(1997, 9, 30)
    assert found.holdout_days == 273
    assert found.n_customers == 2357
    assert found.model.params == pytest.approx({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, abs=6e-4)


def test_means_by_frequency_against_the_btyd_vignette():
    """BTYD vignette: actual and BG/NBD mean repeat purchases in weeks 40–78 by calibration frequency 0…6, 7+."""
    found = cdnow().by_frequency
    assert found["frequency"].tolist() == list(range(8))
    assert found["customers"].tolist() == TABLE["customers"].tolist()
    assert found["actual"].to_numpy() == pytest.approx(TABLE["actual"].to_numpy(), abs=6e-4)
    assert found["predicted"].to_numpy() == pytest.approx(TABLE["predicted"].to_numpy(), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("Pareto/NBD", [0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403]),
        ("MBG/NBD", [0.185, 0.551, 1.049, 1.493, 2.104, 2.564, 3.361, 5.849]),
    ],
)
def test_means_by_frequency_of_the_other_models(name, means):
    """The same table: Pareto/NBD from BTYD's vignette, MBG/NBD recomputed with lifetimes 0.11.3."""
    found = holdout.validate(as_table(sample_transactions()), END, 273, declared=name).by_frequency
    assert found["customers"].tolist() == TABLE["customers"].tolist()
    assert found["predicted"].to_numpy() == pytest.approx(np.array(means), abs=1e-3)


def test_scores_as_recomputed():
    """Recomputed with lifetimes 0.11.3: Σ 1653.4 (−12.2 %) of 1882, MAE .7855, RMSE 1.608; MBG 1576.7, .7648, 1.607."""
    bg, mbg = cdnow().score("BG/NBD"), cdnow().score("MBG/NBD")
    assert bg["actual"] == 1882
    assert bg["predicted"] == pytest.approx(1653.4, abs=0.1)
    assert bg["bias"] == pytest.approx(-0.1215, abs=1e-3)
    assert bg["mae"] == pytest.approx(0.7855, abs=1e-4)
    assert bg["rmse"] == pytest.approx(1.608, abs=5e-4)
    assert mbg["predicted"] == pytest.approx(1576.7, abs=0.1)
    assert mbg["mae"] == pytest.approx(0.7648, abs=1e-4)
    assert mbg["rmse"] == pytest.approx(1.607, abs=5e-4)


def test_pareto_nbd_in_the_holdout_against_the_btyd_vignette():
    """BTYD's vignette, weeks 40–78: Pareto/NBD Σ 1665.5 (−11.5 %), MAE .7545, RMSE 1.603; NBD forecasts worse."""
    pareto = cdnow().score("Pareto/NBD")
    assert pareto["predicted"] == pytest.approx(1665.5, abs=0.5)
    assert pareto["bias"] == pytest.approx(-0.115, abs=1e-3)
    assert pareto["mae"] == pytest.approx(0.7545, abs=5e-4)
    assert pareto["rmse"] == pytest.approx(1.603, abs=5e-4)
    assert cdnow().score("NBD")["rmse"] > pareto["rmse"]


def test_tracking_at_week_78_as_recomputed():
    """Recomputed with lifetimes 0.11.3: cumulative repeat purchases 4 339 actual, 4 160.6 expected (−4.1 %)."""
    last = cdnow().tracking.iloc[-1]
    assert len(cdnow().tracking) == 78
    assert last["actual_cumulative"] == 4339
    assert last["expected_cumulative"] == pytest.approx(4160.6, abs=0.1)
    assert last["low"] < last["expected_cumulative"] < last["high"]
    assert cdnow().final_tracking()["bias"] == pytest.approx(-0.041, abs=5e-4)


def test_both_views_count_the_same_purchases():
    """Invariant: repeat purchases in the calibration and the hold-out are those of the tracking's two phases."""
    found = cdnow()
    by_phase = found.tracking.groupby("phase")["actual"].sum()
    assert by_phase["calibration"] == 2457  # Σ frequency of the published summary
    assert by_phase["holdout"] == found.score("BG/NBD")["actual"]


def test_deciles_hold_every_customer_once():
    """Invariant: ten equal groups whose means add up to the totals, best forecast first."""
    deciles = cdnow().deciles
    assert deciles["customers"].to_numpy() == pytest.approx(np.full(10, 235.7))
    assert float(deciles["customers"] @ deciles["actual"]) == pytest.approx(1882)
    assert float(deciles["customers"] @ deciles["predicted"]) == pytest.approx(1653.4, abs=0.1)
    assert deciles["predicted"].is_monotonic_decreasing


def test_the_models_beat_the_rules_of_thumb_on_cdnow_and_lose_to_a_regression():
    """Arithmetic on the published table: a customer's old rate overstates the hold-out by half."""
    found = cdnow()
    assert found.score(SAME_RATE)["predicted"] == pytest.approx(2930, abs=1)
    errors = found.scores.set_index("forecaster")["rmse"]
    assert found.best_baseline == errors[list(BASELINES)].idxmin() == REGRESSION
    assert (errors["BG/NBD"] < errors[[name for name in BASELINES if name != REGRESSION]]).all()
    assert found.model_wins == (errors["BG/NBD"] < errors[REGRESSION])


def test_the_scorecard_holds_both_views_of_every_model():
    """Published sample: BG/NBD is 12.2 % short customer by customer, 4.1 % over the whole span."""
    scores = cdnow().scores.set_index("forecaster")
    assert scores.loc["BG/NBD", "bias"] == pytest.approx(-0.1215, abs=1e-3)
    assert scores.loc["BG/NBD", "tracking"] == pytest.approx(cdnow().final_tracking()["bias"], abs=1e-12)
    assert scores.loc["Pareto/NBD", "tracking"] == pytest.approx(4270.0 / 4339 - 1, abs=5e-4)  # recomputed
    assert scores.loc["MBG/NBD", "tracking"] == pytest.approx(4050.0 / 4339 - 1, abs=5e-4)  # recomputed
    models = ["BG/NBD", "MBG/NBD", "Pareto/NBD", "NBD"]
    assert scores.loc[models, ["tracking", "inside"]].notna().all(axis=None)
    assert scores.loc[list(BASELINES), ["tracking", "inside"]].isna().all(axis=None)


def test_without_a_declared_model_the_scores_choose():
    """On the sample Pareto/NBD errs least (1.603, published) and is nearest in total of those within half a percent."""
    found = holdout.validate(as_table(sample_transactions()), END, 273)
    assert found.ranking[0] == found.model.name == "Pareto/NBD"
    assert found.ranking[-1] == "NBD"
    assert found.tracking["expected_cumulative"].iloc[-1] != cdnow().tracking["expected_cumulative"].iloc[-1]


def test_a_model_that_loses_is_said_to_lose():
    """By definition of the winner: the smaller RMSE."""
    found = cdnow()
    worse = found.scores.assign(rmse=found.scores["rmse"].where(found.scores["forecaster"] != "BG/NBD", 99.0))
    lost = Holdout(**{**vars(found), "scores": worse})
    assert not lost.model_wins


def test_scores_by_hand():
    """By hand: two customers, three and one purchases, forecast 2 and 2: total 4 of 4, MAE 1, RMSE 1."""
    forecasts = pd.DataFrame({"actual": [3, 1], "weight": [1, 1], "BG/NBD": [2.0, 2.0]})
    found = holdout_scores.score(forecasts, ["BG/NBD"]).iloc[0]
    assert (found["predicted"], found["actual"], found["bias"]) == (4, 4, 0)
    assert (found["mae"], found["rmse"]) == (1, 1)


def test_revenue_that_came_is_that_of_the_customers_won_before_the_cut():
    """Two ways to one sum; the forecast per purchase lies between the smallest and the largest mean order."""
    found, orders = cdnow(), sample_transactions()
    after = pd.to_datetime(orders["ordered_on"] if "ordered_on" in orders else orders["ordered_at"]) > "1997-09-30"
    won = set(orders.loc[~after, "customer_id"])
    spent = orders.loc[after & orders["customer_id"].isin(won), "amount"].astype(float).sum()
    assert found.revenue["actual"] == pytest.approx(spent)
    assert found.revenue["bias"] == pytest.approx(found.revenue["predicted"] / spent - 1)
    assert 25 < found.revenue["predicted"] / found.score("BG/NBD")["predicted"] < 50


def test_save_and_load_give_the_same(tmp_path):
    """Invariant: what is saved is what is loaded."""
    cdnow().save(tmp_path)
    back = Holdout.load(tmp_path)
    assert plain(back.to_dict()) == plain(cdnow().to_dict())
    for name in ("scores", "tracking", "by_frequency", "by_recency", "deciles"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(cdnow(), name))


def test_the_default_holds_back_a_third_of_the_span():
    """Arithmetic: 300 days of data, the last 100 held back."""
    first = dt.date(2025, 1, 1)
    assert holdout.choose_cut(first, first + dt.timedelta(300), None) == first + dt.timedelta(200)


@pytest.mark.parametrize(("span", "held"), [(0, None), (30, None), (100, 90), (100, 5)])
def test_periods_too_short_to_cut_are_refused_in_words(span, held):
    """A hold-out of less than two weeks, or a calibration of less than four, judges nothing."""
    first = dt.date(2025, 1, 1)
    with pytest.raises(ModelError, match="too short"):
        holdout.choose_cut(first, first + dt.timedelta(span), held)
