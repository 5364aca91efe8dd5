"""Gamma-Gamma against the published CDNOW figures, and inputs that cannot be fitted."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from perennial.analysis.fitters import fit_gamma_gamma
from perennial.analysis.spend_model import SpendModel, check_independence
from perennial.errors import ModelError
from published import calibration_sample


@cache
def gamma_gamma() -> SpendModel:
    return fit_gamma_gamma(calibration_sample())


def test_parameters_against_fader_hardie_2013():
    """Fader & Hardie (2013) and CLVTools' tests: p 6.25, q 3.74, v 15.44, log-likelihood −4055.918, 946 repeaters."""
    model = gamma_gamma()
    assert model.n_customers == 946
    assert model.params["p"] == pytest.approx(6.25, abs=0.005)
    assert model.params["q"] == pytest.approx(3.74, abs=0.005)
    assert model.params["v"] == pytest.approx(15.44, abs=0.01)
    assert model.loglik == pytest.approx(-4055.918, abs=0.1)


def test_expected_order_values_of_the_first_ten_customers():
    """Hardie's note 025 and lifetimes' tests: E(M) of the first ten rows, ± 0.1."""
    head = calibration_sample().head(10)
    expected = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert gamma_gamma().expected_order_value(head["frequency"], head["monetary_value"]) == pytest.approx(
        expected, abs=0.1
    )


def test_population_mean_order():
    """Fader & Hardie (2013): about 35.2."""
    assert gamma_gamma().population_mean == pytest.approx(35.22, abs=0.1)


def test_spend_hardly_depends_on_frequency_in_cdnow():
    """Recomputed with scipy on the same 946 repeaters: Pearson .114, Spearman .206."""
    found = check_independence(calibration_sample())
    assert found["pearson"] == pytest.approx(0.114, abs=5e-4)
    assert found["spearman"] == pytest.approx(0.206, abs=5e-4)
    assert found["n_customers"] == 946


def test_weights_count_as_customers_in_the_correlations():
    """Arithmetic: three identical customers are one row of weight three."""
    single = calibration_sample().head(200)
    repeated = pd.concat([single, single, single])
    weighted = single.assign(weight=3)
    assert check_independence(repeated) == pytest.approx(check_independence(weighted))


def test_money_unit_changes_v_alone():
    """Arithmetic: the same orders in cents scale v and nothing else."""
    cents = calibration_sample().assign(monetary_value=lambda f: f["monetary_value"] * 100)
    found, base = fit_gamma_gamma(cents).params, gamma_gamma().params
    assert found["p"] == pytest.approx(base["p"], rel=1e-4)
    assert found["q"] == pytest.approx(base["q"], rel=1e-4)
    assert found["v"] == pytest.approx(base["v"] * 100, rel=1e-3)


def test_the_density_integrates_to_one():
    """By definition of a density, for means of 1 and of 5 orders."""
    for frequency in (1, 5):
        total = quad(
            lambda m, x=frequency: float(gamma_gamma().density(m, x)), 1e-6, 5000, limit=400, points=[20, 60, 200]
        )
        assert total[0] == pytest.approx(1, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.floats(0, 5000))
def test_expectation_lies_between_the_own_mean_and_everyones(frequency, own):
    """Invariant of eq. 5: a weighted mean of the two."""
    model = gamma_gamma()
    found = model.expected_order_value(frequency, own)
    low, high = sorted([own, model.population_mean])
    assert low - 1e-6 <= found <= high + 1e-6


def test_customers_whose_returns_outweigh_orders_are_left_out_of_the_fit():
    """Gamma-Gamma knows positive money only: mean orders of zero or less do not enter, nor do one-time buyers."""
    extra = pd.DataFrame({"frequency": [3, 2, 0], "monetary_value": [-20.0, 0.0, 0.0], "weight": 1})
    both = pd.concat([calibration_sample(), extra])
    assert fit_gamma_gamma(both).n_customers == 946
    assert gamma_gamma().expected_order_value(3, -20.0) > 0


def test_an_infinite_mean_is_refused():
    """q ≤ 1 means an infinite mean order value (Fader & Hardie 2013): orders drawn with q = 0.6 are refused."""
    rng = np.random.default_rng(4)
    x = rng.integers(1, 6, 3000)
    mean = rng.gamma(3.0 * x) / rng.gamma(0.6, size=3000) / x
    with pytest.raises(ModelError, match="infinite"):
        fit_gamma_gamma(pd.DataFrame({"frequency": x, "monetary_value": mean, "weight": 1}))


@pytest.mark.parametrize(
    ("money", "words"), [([10.0] * 5, "Only 5 repeat"), ([10.0] * 100, "same per order"), ([-1.0] * 100, "Only 0")]
)
def test_orders_that_carry_no_model_are_refused_in_words(money, words):
    """The input rules: each refusal is a sentence that says why."""
    with pytest.raises(ModelError, match=words):
        fit_gamma_gamma(pd.DataFrame({"frequency": 2, "monetary_value": money, "weight": 1}))


def test_simulated_orders_give_their_parameters_back():
    """Recovery: 4 000 customers drawn from known parameters; each estimate within 4 standard errors of the truth."""
    truth = {"p": 5.0, "q": 4.0, "v": 25.0}
    rng = np.random.default_rng(2)
    x = rng.integers(1, 8, 4000)
    rate = rng.gamma(truth["q"], 1 / truth["v"], 4000)
    mean = rng.gamma(truth["p"] * x) / rate / x
    model = fit_gamma_gamma(pd.DataFrame({"frequency": x, "monetary_value": mean, "weight": 1}))
    for name, value in truth.items():
        assert abs(model.params[name] - value) < 4 * model.se[name]


def test_parameters_survive_json():
    """Invariant: what is saved is what is loaded."""
    back = SpendModel.from_dict(json.loads(json.dumps(gamma_gamma().to_dict())))
    assert back.params == gamma_gamma().params
    assert back.theta == pytest.approx(gamma_gamma().theta)
