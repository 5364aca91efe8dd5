"""The chance of 0, 1, 2 … purchases against published values, many digits, simulation and its own arithmetic."""

from functools import cache

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.analysis.clv import draw_purchases
from perennial.analysis.next_order import days_to_next_order, order_period, probability_of_order
from perennial.analysis.purchase_model import FORMULAS, PurchaseModel
from perennial.analysis.purchases.counts import log_at_least
from published import distinct_histories, fitted

WEEK = 7
THETA = {"BG/NBD": [0.243, 4.414, 0.793, 2.426], "MBG/NBD": [0.525, 6.183, 0.891, 1.614],
         "Pareto/NBD": [0.553, 10.578, 0.606, 11.669], "NBD": [0.3848, 12.072]}  # fmt: skip
NAMES = list(THETA)


@cache
def model(name: str) -> PurchaseModel:
    return PurchaseModel(name, dict(zip(FORMULAS[name].parameters, THETA[name], strict=True)))


def test_no_repeat_purchase_in_39_weeks_as_published():
    """lifetimes' test suite, parameters of Fader, Hardie & Lee (2005): P(X(39) = 0) = .5737864."""
    assert model("BG/NBD").probability_of_new(0, 39 * WEEK) == pytest.approx(0.5737864, abs=1e-5)


def exactly(r, alpha, n, t):
    """Negative binomial: n purchases in t at a rate ~ Gamma(r, alpha)."""
    c = mpmath.exp(mpmath.loggamma(r + n) - mpmath.loggamma(r) - mpmath.loggamma(n + 1))
    return c * (alpha / (alpha + t)) ** r * (t / (alpha + t)) ** n


def in_many_digits(name, theta, n, t, x, age):
    """log P(Y = n | active) by definition, in 50 digits: sums and integrals, no closed form of ours."""
    with mpmath.workdps(50):
        theta = [mpmath.mpf(float(value)) for value in theta]
        t, age = mpmath.mpf(t), mpmath.mpf(age)
        r, alpha = theta[0] + x, theta[1] + age
        if name == "NBD":
            return float(mpmath.log(exactly(r, alpha, n, t)))
        if name == "Pareto/NBD":
            s, beta = theta[2], theta[3] + age
            stays = exactly(r, alpha, n, t) * (beta / (beta + t)) ** s

            def leaves(v):  # over the logarithm of the moment of leaving, where the integrand has one hump
                y = mpmath.exp(v)
                return exactly(r, alpha, n, y) * s * beta**s * (beta + y) ** (-s - 1) * y

            end = mpmath.log(t)
            points = [end - 60 + k for k in range(0, 52, 4)] + [end - 8 + mpmath.mpf(k) / 8 for k in range(65)]
            return float(mpmath.log(stays + mpmath.quad(leaves, points)))
        a, b = theta[2], theta[3] + x + (name == "MBG/NBD")
        stays = mpmath.beta(a, b + n) / mpmath.beta(a, b) * exactly(r, alpha, n, t)
        if n == 0:
            return float(mpmath.log(stays))
        more, term, k = mpmath.mpf(0), exactly(r, alpha, n, t), n
        while term > mpmath.mpf(10) ** -30 * more:
            more, term, k = more + term, term * (r + k) / (k + 1) * t / (alpha + t), k + 1
        return float(mpmath.log(stays + mpmath.beta(a + 1, b + n - 1) / mpmath.beta(a, b) * more))


CASES = [  # count, weeks ahead, frequency, age in weeks
    (0, 39, 0, 0), (1, 39, 0, 0), (3, 13, 2, 38.86), (200, 52, 0, 0), (200, 52, 180, 60), (200, 4, 2, 30),
    (600, 0.2, 5, 30), (1, 52, 900, 400), (200, 500, 900, 400),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_chances_in_many_digits(name, case):
    """mpmath, by definition, to 1e-9: also 200 purchases, 900 before, and chances of 10 to the minus 1 000."""
    n, ahead, x, age = case
    found = model(name).formulas.log_probability_if_alive(model(name).theta, n, ahead, x, age)
    assert float(found) == pytest.approx(in_many_digits(name, THETA[name], n, ahead, x, age), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theta", [(0.06, 0.4, 60.0, 0.2), (80.0, 30.0, 0.1, 70.0), (2.0, 0.2, 20.0, 20.0)])
def test_odd_parameters_in_many_digits(name, theta):
    """The same at rates and hazards far from the published ones."""
    theta = theta[: len(FORMULAS[name].parameters)]
    for n, ahead, x, age in [(0, 8, 3, 20), (2, 52, 0, 1), (40, 100, 30, 100)]:
        found = FORMULAS[name].log_probability_if_alive(theta, n, ahead, x, age)
        assert float(found) == pytest.approx(in_many_digits(name, theta, n, ahead, x, age), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("history", [(0, 0.0, 0.0), (0, 0.0, 270.0), (2, 213.0, 272.0), (26, 216.0, 217.0)])
def test_chances_add_up_and_have_the_expected_mean(name, history):
    """Arithmetic: Σ P(n) = 1 and Σ n P(n) = E[Y], whatever the history."""
    counts = np.arange(600)
    chances = model(name).probability_of(counts, 273, *history)
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    assert counts @ chances == pytest.approx(float(model(name).expected_purchases(273, *history)), rel=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_chances_against_simulated_purchases(name):
    """Monte Carlo: 40 000 customers with one history; every share within 4.5 standard errors of its chance."""
    rows = pd.DataFrame({"frequency": [3.0], "recency": [140.0], "T": [200.0]})
    thetas = np.tile(model(name).theta, (40_000, 1))
    drawn = draw_purchases(rows, model(name), thetas, 182.0, np.random.default_rng(4))[0]
    for count in range(6):
        chance = float(model(name).probability_of(count, 182, 3, 140, 200))
        error = np.sqrt(chance * (1 - chance) / len(drawn))
        assert abs((drawn == count).mean() - chance) < 4.5 * error


@pytest.mark.parametrize("name", NAMES)
def test_no_purchase_is_as_likely_as_an_empty_history(name):
    """Two derivations: P(X(t) = 0) of a new customer is the likelihood of a history without repeat purchases."""
    days = np.array([0.0, 10.0, 273.0, 2000.0])
    found = model(name).probability_of_new(0, days)
    assert found == pytest.approx(np.exp(model(name).log_likelihood(0, 0, days)), rel=1e-9)
    assert found[0] == pytest.approx(1)


def test_the_quick_way_to_no_purchase_is_the_general_one():
    """Pareto/NBD takes none of many counts another way than none alone."""
    formulas, theta = FORMULAS["Pareto/NBD"], THETA["Pareto/NBD"]
    alone = formulas.log_probability_if_alive(theta, np.array([0.0]), 20.0, 3.0, 50.0)
    among = formulas.log_probability_if_alive(theta, np.array([0.0, 1.0]), 20.0, 3.0, 50.0)
    assert np.ravel(alone)[0] == pytest.approx(among[0], rel=1e-11)


@pytest.mark.parametrize(("n", "shape", "scale", "ahead"), [(300, 0.3, 50, 0.1), (5, 900, 3, 1e-70), (40, 2, 1, 30)])
def test_upper_tail_in_many_digits(n, shape, scale, ahead):
    """mpmath's incomplete beta function, also where it is below the smallest number a computer holds."""
    with mpmath.workdps(40):
        z = mpmath.mpf(ahead) / (mpmath.mpf(scale) + mpmath.mpf(ahead))
        expected = float(mpmath.log(mpmath.betainc(n, shape, 0, z, regularized=True)))
    assert float(log_at_least(n, shape, scale, ahead)) == pytest.approx(expected, rel=1e-11)


histories = st.tuples(
    st.integers(0, 400), st.floats(0, 1), st.floats(1, 2000), st.integers(0, 300), st.sampled_from(NAMES)
)


@settings(max_examples=150, deadline=None)
@given(histories, st.floats(0.5, 1500))
def test_chances_stay_in_range(history, days):
    """Invariant: every chance lies in [0, 1], and an order is likelier in a longer time."""
    x, share, age, count, name = history
    last = share * age if x else 0.0
    chance = float(model(name).probability_of(count, days, x, last, age))
    assert 0 <= chance <= 1 + 1e-12
    near, far = (float(probability_of_order(model(name), d, [x], [last], [age])[0]) for d in (days, 2 * days))
    assert -1e-12 <= near <= far + 1e-12 <= 1 + 1e-11


@pytest.mark.parametrize("name", NAMES)
def test_chance_of_an_order_is_that_of_not_none(name):
    """Arithmetic: 1 − P(0), history by history, though computed once per frequency and age."""
    rows = distinct_histories()
    found = probability_of_order(fitted(name), 30, rows["frequency"], rows["recency"], rows["T"])
    none = fitted(name).probability_of(0, 30, rows["frequency"], rows["recency"], rows["T"])
    assert found == pytest.approx(1 - none, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_next_order_is_due_on_the_first_day_with_an_even_chance(name):
    """By definition: at the day told an active customer has ordered with one half or more, the day before with less."""
    x, age = np.array([0, 1, 4, 20, 60]), np.array([273.0, 200.0, 300.0, 250.0, 400.0])
    found = days_to_next_order(model(name), 365, x, age)
    assert np.isfinite(found).sum() >= 3
    for frequency, since, day in zip(x, age, found, strict=True):
        if np.isnan(day):
            assert model(name).probability_if_alive(0, 365, frequency, since) > 0.5
            continue
        assert model(name).probability_if_alive(0, day, frequency, since) <= 0.5
        assert day == 1 or model(name).probability_if_alive(0, day - 1, frequency, since) > 0.5


def test_the_closed_form_of_the_even_chance():
    """By hand, NBD: ((α+T)/(α+T+t))^(r+x) = 1/2 at t = (α+T)(2^(1/(r+x)) − 1), rounded up to a day."""
    r, alpha = THETA["NBD"]
    weeks = (alpha + 40) * (2 ** (1 / (r + 6)) - 1)
    assert days_to_next_order(model("NBD"), 365, [6], [280.0])[0] == np.ceil(7 * weeks)


@pytest.mark.parametrize(("gap", "days"), [(1, 7), (6, 7), (15, 30), (45, 30), (60, 90), (400, 90)])
def test_the_period_is_the_one_nearest_the_typical_gap(gap, days):
    """By hand: on a logarithmic scale the bounds between 7, 30 and 90 lie at 14.5 and 52."""
    rows = pd.DataFrame({"frequency": [0, 5], "recency": [0, 5 * gap], "weight": [900, 10]})
    assert order_period(rows) == days


def test_without_repeat_customers_the_period_is_a_month():
    """Nobody came back: there is no gap to go by."""
    assert order_period(pd.DataFrame({"frequency": [0], "recency": [0], "weight": [5]})) == 30
