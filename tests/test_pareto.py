"""Pareto/NBD and NBD against published figures, the closed form in many digits, and their own definitions."""

from functools import partial

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.analysis.clv import draw_purchases
from perennial.analysis.purchase_model import FORMULAS, PurchaseModel
from published import fitted

WEEK = 7
PUBLISHED = PurchaseModel("Pareto/NBD", {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669})


pareto, nbd = partial(fitted, "Pareto/NBD"), partial(fitted, "NBD")


def test_pareto_parameters_against_fader_hardie_lee_2005():
    """Fader, Hardie & Lee (2005), table 2: r .553, alpha 10.578, s .606, beta 11.669; log-likelihood −9595.0."""
    expected = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    assert pareto().params == pytest.approx(expected, abs=2e-3)
    assert pareto().loglik == pytest.approx(-9595.0, abs=0.05)


def test_pareto_standard_errors_against_clvtools():
    """The tests of CLVTools on the same data: .0476 / .8427 / .1873 / 6.2105."""
    expected = {"r": 0.0476, "alpha": 0.8427, "s": 0.1873, "beta": 6.2105}
    assert pareto().se == pytest.approx(expected, rel=0.01)


def test_nbd_as_recomputed():
    """Recomputed with scipy on the same data: r .3848, alpha 12.072; log-likelihood −9763.660."""
    assert nbd().params == pytest.approx({"r": 0.3848, "alpha": 12.072}, abs=2e-3)
    assert nbd().loglik == pytest.approx(-9763.660, abs=0.01)


def test_aic_on_one_scale_as_recomputed():
    """Recomputed: Pareto 19197.95, NBD 19531.32, beside MBG 19172.27 and BG 19172.85 of the same rows."""
    assert pareto().aic == pytest.approx(19197.95, abs=0.02)
    assert nbd().aic == pytest.approx(19531.32, abs=0.02)


def test_single_customers_against_published_values():
    """x = 2, t_x = 30.43, T = 38.86: E[Y(39)] 1.455, P(alive) .869; x = 0: .295; x = 26: 25.4565; E[X(52)] 1.473434."""
    history = (2, 30.43 * WEEK, 38.86 * WEEK)
    assert pareto().expected_purchases(39 * WEEK, *history) == pytest.approx(1.455, abs=1e-3)
    assert pareto().p_alive(*history) == pytest.approx(0.869, abs=5e-4)
    assert pareto().p_alive(0, 0, 38.86 * WEEK) == pytest.approx(0.295, abs=5e-4)
    frequent = PUBLISHED.expected_purchases(52 * WEEK, 26, 30.857 * WEEK, 31 * WEEK)
    assert frequent == pytest.approx(25.4565, abs=2e-3)
    assert pareto().expected_of_new(52 * WEEK) == pytest.approx(1.473434, abs=3e-4)


def closed_form(r, alpha, s, beta, x, last, age):
    """Log odds of having left by the published closed form (Fader & Hardie 2005, note 009), in 120 digits."""
    with mpmath.workdps(120):
        r, alpha, s, beta, x, last, age = map(mpmath.mpf, (r, alpha, s, beta, x, last, age))
        c = r + s + x
        second, low, high = (s + 1, beta, alpha) if alpha >= beta else (r + x, alpha, beta)

        def term(t):
            return mpmath.hyp2f1(c, second, c + 1, (high - low) / (high + t)) / (high + t) ** c

        odds = s / c * (term(last) - term(age)) * (alpha + age) ** (r + x) * (beta + age) ** s
        return float(mpmath.log(odds))


powers = st.floats(-1.5, 2.0).map(lambda power: 10**power)


@settings(max_examples=60, deadline=None)
@given(st.tuples(powers, powers, powers, powers), st.sampled_from([0, 1, 3, 12, 60, 300]), st.floats(0.01, 0.99),
       st.floats(1, 400))  # fmt: skip
def test_odds_of_having_left_against_the_closed_form(theta, x, share, age):
    """Any parameters, any frequency: twelve digits of the closed form, which itself needs a hundred to be computed."""
    last = share * age if x else 0.0
    found = FORMULAS["Pareto/NBD"].log_odds_gone(theta, *(np.array(float(v)) for v in (x, last, age)))
    assert float(found) == pytest.approx(closed_form(*theta, x, last, age), rel=1e-9, abs=1e-9)


def test_a_purchase_on_the_last_day_leaves_no_time_to_leave():
    assert PUBLISHED.p_alive(5, 280, 280) == 1.0


@pytest.mark.parametrize("s", [0.2, 1.0, 1.0000001, 3.0])
def test_forecast_is_the_integral_of_the_rate_over_the_time_alive(s):
    """By definition: E[λ]·∫ ((β+T)/(β+T+u))^s du over the horizon; at s = 1 the published form divides by nought."""
    r, alpha, beta, x, age, ahead = 0.7, 3.0, 4.0, 5.0, 60.0, 52.0
    weeks = float(mpmath.quad(lambda u: ((beta + age) / (beta + age + u)) ** s, [0, ahead]))
    found = PUBLISHED.at([r, alpha, s, beta]).purchases_if_alive(ahead * WEEK, x, age * WEEK)
    assert found == pytest.approx((r + x) / (alpha + age) * weeks, rel=1e-9)


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD", "Pareto/NBD", "NBD"])
def test_drawn_purchases_have_the_mean_that_is_forecast(name):
    """Monte Carlo: 20 000 customers with one history buy what the model expects, within four standard errors."""
    theta = {"BG/NBD": [0.25, 4.4, 0.8, 2.4], "MBG/NBD": [0.5, 6.2, 0.9, 1.6], "Pareto/NBD": [0.55, 10.6, 0.6, 11.7],
             "NBD": [0.4, 12.0]}[name]  # fmt: skip
    model = PurchaseModel(name, dict(zip(FORMULAS[name].parameters, theta, strict=True)))
    rows = pd.DataFrame({"frequency": [3.0], "recency": [140.0], "T": [200.0]})
    bought = draw_purchases(rows, model, np.tile(theta, (20_000, 1)), 364.0, np.random.default_rng(1))
    expected = float(model.expected_purchases(364, 3, 140, 200))
    assert abs(bought.mean() - expected) < 4 * bought.std() / np.sqrt(bought.size)


@pytest.mark.parametrize("name", ["Pareto/NBD", "NBD"])
def test_weeks_and_days_give_one_forecast(name):
    """The parameters are per week and the histories in days: a clock seven times as fast changes nothing else."""
    model = {"Pareto/NBD": pareto, "NBD": nbd}[name]()
    faster = {key: value * (7 if key in ("alpha", "beta") else 1) for key, value in model.params.items()}
    in_days = model.at([faster[key] for key in model.names])
    found = in_days.expected_purchases(39 * WEEK * 7, 2, 30.43 * WEEK * 7, 38.86 * WEEK * 7)
    assert found == pytest.approx(float(model.expected_purchases(39 * WEEK, 2, 30.43 * WEEK, 38.86 * WEEK)), rel=1e-9)


def test_a_ridge_without_a_maximum_is_refused(shipped):
    """The grocery households all leave at one hazard: the likelihood rises as s and beta grow, and has no maximum."""
    from perennial.analysis.fitters import fit_every
    from perennial.analysis.valuation import distinct_rows

    models, reasons = fit_every(distinct_rows(shipped("completejourney").summary))
    assert "Pareto/NBD" not in models and "grows without bound" in reasons["Pareto/NBD"]
    assert {"BG/NBD", "MBG/NBD", "NBD"} <= set(models)
