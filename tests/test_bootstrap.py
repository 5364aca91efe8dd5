"""How uncertain the value is: refits to resampled customers, and what their intervals hold."""

import datetime as dt
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

from perennial.analysis import bootstrap, clv, equity
from perennial.analysis.bootstrap import resample
from perennial.analysis.fitters import fit_gamma_gamma, fit_purchases
from perennial.analysis.group_models import Models
from perennial.analysis.groupings import ALL
from perennial.analysis.purchase_model import HISTORY
from perennial.analysis.spend_model import SpendModel
from published import calibration_sample, fitted

KEYS = [*HISTORY, "monetary_value"]


@cache
def sample() -> pd.DataFrame:
    return calibration_sample().fillna(0.0).groupby(KEYS, as_index=False)["weight"].sum()


@cache
def spend() -> SpendModel:
    return fit_gamma_gamma(sample())


def test_resampled_bgnbd_varies_as_recomputed_on_the_cdnow_sample():
    """200 weighted bootstraps recomputed with lifetimes: s.e. .0148 / .503 / .210 / .782 (each ± 3 · 5 % · √2)."""
    found = resample(sample(), fitted("BG/NBD"), spend(), seed=1, count=400)
    assert found.failed == 0
    assert found.thetas.std(axis=0) == pytest.approx([0.0148, 0.503, 0.210, 0.782], rel=0.21)


def test_resampled_forecasts_span_the_recomputed_interval():
    """The same 200 bootstraps: 95 % interval of Σ conditional expectation over 39 weeks 1413–1920 (± 4 %).

    It is that of the resampled customers; summed over the customers there are, the parameters alone span half as much.
    """
    rows, rng = sample(), np.random.default_rng(2)
    found, model = resample(rows, fitted("BG/NBD"), spend(), seed=2), fitted("BG/NBD")
    mean, history = rows["weight"].to_numpy(float), [rows[name] for name in HISTORY]
    drawn, held = [], []
    for theta in found.thetas:
        weight = rng.poisson(mean)  # the very weights that this refit saw
        forecast = model.at(theta).expected_purchases(273, *history)
        drawn.append(2357 * float(weight @ forecast) / weight.sum())
        held.append(float(mean @ forecast))
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([1413, 1920], rel=0.04)
    assert np.std(held) == pytest.approx(0.57 * np.std(drawn), rel=0.2)


def test_each_refit_is_the_maximum_on_its_own_resample():
    """Independent recomputation: the fitter, started from nothing on the same resample, ends where the refit does."""
    rng, mean = np.random.default_rng(4), sample()["weight"].to_numpy(float)
    quick = resample(sample(), fitted("BG/NBD"), spend(), seed=4, count=3)
    for theta, phi in zip(quick.thetas, quick.phis, strict=True):
        again = sample().assign(weight=rng.poisson(mean).astype(float))
        again = again[again["weight"] > 0]
        slow = fit_purchases(again.groupby(HISTORY, as_index=False)["weight"].sum(), "BG/NBD")
        assert theta == pytest.approx(slow.theta, rel=0.01)
        assert phi == pytest.approx(fit_gamma_gamma(again).theta, rel=0.02)


def test_whole_weeks_change_the_spread_of_refits_hardly(monkeypatch):
    """Many histories are refitted in whole weeks: the same resamples give the same draws within a tenth of an s.e."""
    exact = resample(sample(), fitted("BG/NBD"), spend(), seed=5, count=20)
    monkeypatch.setattr(bootstrap, "MANY_ROWS", 10)
    rough = resample(sample(), fitted("BG/NBD"), spend(), seed=5, count=20)
    near = np.abs(np.log(rough.thetas / exact.thetas)) / np.log(exact.thetas).std(axis=0)
    assert np.median(near) < 0.1
    assert np.median(np.abs(np.log(rough.phis / exact.phis)) / np.log(exact.phis).std(axis=0)) < 0.1


def test_resamples_without_a_finite_mean_order_are_left_out_and_counted():
    """q near 1 makes an endless order value: such refits are failures; what is kept has q > 1."""
    rng = np.random.default_rng(6)
    once = sample()[sample()["monetary_value"] > 0].head(60)
    heavy = once.assign(monetary_value=once["monetary_value"] * np.exp(rng.normal(0, 2.5, len(once))), weight=1.0)
    near = SpendModel({"p": 2.0, "q": 1.1, "v": 10.0})
    found = resample(heavy, fitted("BG/NBD"), near, seed=1, count=15)
    assert found.failed > 0
    assert len(found.phis) == 15 - found.failed
    assert (found.phis[:, 1] > bootstrap.SAFE_TAIL).all()


def test_too_many_failures_fall_back_to_the_asymptotic_draws(monkeypatch):
    """A selection of lucky resamples is no sample: with most of them failed the result says 0 resamples."""
    monkeypatch.setattr(equity, "resample", lambda *a: bootstrap.Resampled(np.empty((0, 4)), np.empty((0, 3)), 200))
    found = worth_of(sample(), fitted("BG/NBD"), spend(), seed=1)
    assert (found.equity.resamples, found.equity.failed) == (0, 200)
    assert found.equity.low < found.equity.value < found.equity.high
    assert (found.draws["q"] > 1).all()


def worth_of(rows, model, orders, seed) -> equity.Worth:
    days = 12 * clv.MONTH_DAYS
    bought = model.expected_purchases(days, *[rows[name] for name in HISTORY])
    order = orders.expected_order_value(rows["frequency"], rows["monetary_value"])
    rows = rows.assign(group=ALL, expected_purchases=bought, expected_order_value=order, clv=bought * order)
    models, as_of = {ALL: Models(model, orders)}, dt.date(1997, 10, 1)  # ages are 38.86 weeks and so on
    return equity.value_customers(rows, models, days, 0.9, seed, as_of)


def test_cohort_values_add_up_to_the_equity():
    """Invariant: every customer is in one cohort; their values sum to the equity, each inside its interval."""
    found = worth_of(sample(), fitted("BG/NBD"), spend(), seed=1)
    assert found.cohorts["customers"].sum() == 2357
    assert found.cohorts["value"].sum() == pytest.approx(found.equity.value, rel=1e-12)
    assert found.cohorts["cohort"].tolist() == list(pd.to_datetime(["1997-01-01", "1997-02-01", "1997-03-01"]))
    assert (found.cohorts["low"] < found.cohorts["value"]).all()
    assert (found.cohorts["value"] < found.cohorts["high"]).all()
    assert found.equity.parameter_high - found.equity.parameter_low < found.equity.high - found.equity.low


# -- coverage: clients simulated with known parameters, and their future

CLIENTS, PEOPLE, LEVEL, RESAMPLES = 20, 600, 0.90, 100
TRUTH = {"r": 0.5, "alpha": 8.0, "a": 0.8, "b": 2.4, "p": 6.0, "q": 4.0, "v": 15.0}


def simulated(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Histories over up to 40 weeks of a BG/NBD and Gamma-Gamma client, and what each then spends in a year."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], PEOPLE) / 7
    age = rng.integers(27 * 7, 40 * 7, PEOPLE)
    nu = rng.gamma(TRUTH["q"], 1 / TRUTH["v"], PEOPLE)
    lasts = rng.geometric(rng.beta(TRUTH["a"], TRUTH["b"], PEOPLE))
    lines, later = [], np.zeros(PEOPLE)
    for i in range(PEOPLE):
        times = np.cumsum(rng.exponential(1 / rate[i], 400))[: lasts[i]]
        amounts = rng.gamma(TRUTH["p"], 1 / nu[i], len(times))
        seen = times <= age[i]
        count = int(seen.sum())
        later[i] = amounts[(times > age[i]) & (times <= age[i] + 12 * clv.MONTH_DAYS)].sum()
        mean = float(amounts[seen].mean()) if count else 0.0
        lines.append((float(count), float(times[seen].max()) if count else 0.0, float(age[i]), mean))
    return pd.DataFrame(lines, columns=KEYS).assign(weight=1), later


@pytest.fixture(scope="module")
def coverage() -> pd.DataFrame:
    """Per simulated client: whether each 90 % interval holds what it is about."""
    with pytest.MonkeyPatch.context() as fewer:
        fewer.setattr(equity, "resample", partial(resample, count=RESAMPLES))
        fewer.setattr(equity, "RESAMPLES", RESAMPLES)
        fewer.setattr(equity, "FUTURES", 2 * RESAMPLES)
        return pd.DataFrame([_held(seed) for seed in range(CLIENTS)])


def _held(seed: int) -> dict[str, float]:
    rows, later = simulated(seed)
    model, orders = fit_purchases(rows, "BG/NBD"), fit_gamma_gamma(rows)
    worth = worth_of(rows, model, orders, seed)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    bounds = {name: np.quantile(worth.draws[name], tails) for name in TRUTH}
    inside = {name: bounds[name][0] <= truth <= bounds[name][1] for name, truth in TRUTH.items()}
    bought = rows["frequency"].to_numpy() > 0
    held = (worth.low <= later + 1e-9) & (later <= worth.high + 1e-9)
    rate = model.params["r"] / model.params["alpha"]
    return {**inside, "equity": worth.equity.low <= later.sum() <= worth.equity.high,
            "customer": held[bought].mean(), "rate": rate}  # fmt: skip


def test_ninety_percent_intervals_hold_ninety_percent(coverage):
    """20 simulated clients: parameters and equity are inside theirs in 90 % of cases ± 3 Monte-Carlo errors (6.7 %)."""
    error = np.sqrt(LEVEL * (1 - LEVEL) / CLIENTS)
    for name in [*TRUTH, "equity"]:
        assert abs(coverage[name].mean() - LEVEL) < 3 * error, (name, coverage[name].mean())
    together = coverage[list(TRUTH)].to_numpy(float).mean()
    assert together == pytest.approx(LEVEL, abs=0.08)


def test_a_single_customers_interval_holds_at_least_its_level(coverage):
    """What 10 000 repeat customers then spent lies in their own intervals: 90 %, or more as zero has weight."""
    assert 0.89 < coverage["customer"].mean() < 0.97


def test_the_parameters_are_recovered_on_average(coverage):
    """The mean purchase rate of 20 clients is the true one within three of its own errors."""
    error = coverage["rate"].std() / np.sqrt(CLIENTS)
    assert abs(coverage["rate"].mean() - TRUTH["r"] / TRUTH["alpha"]) < 3 * error + 0.001
