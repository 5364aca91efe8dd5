"""BG/NBD and MBG/NBD against the published CDNOW figures, their own definitions, and inputs that cannot be fitted."""

import json
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution

from perennial.analysis import fitters
from perennial.analysis.fitters import fit_every, fit_purchases
from perennial.analysis.maximum import NoMaximumError
from perennial.analysis.purchase_model import PurchaseModel
from perennial.errors import ModelError
from published import calibration_sample, distinct_histories, fitted

PUBLISHED = PurchaseModel("BG/NBD", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
PUBLISHED_MBG = PurchaseModel("MBG/NBD", {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614})
WEEK = 7


bgnbd, mbgnbd = partial(fitted, "BG/NBD"), partial(fitted, "MBG/NBD")


def test_bgnbd_parameters_against_fader_hardie_lee_2005():
    """Fader, Hardie & Lee (2005), table 2: r .243, alpha 4.414, a .793, b 2.426; log-likelihood −9582.4."""
    model = bgnbd()
    assert model.name == "BG/NBD"
    assert model.unit == "week"
    assert model.n_customers == 2357
    assert model.params == pytest.approx({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, abs=6e-4)
    assert model.loglik == pytest.approx(-9582.4256, abs=0.01)


def test_bgnbd_standard_errors_against_lifetimes():
    """Recomputed with lifetimes 0.11.3 on the same rows: .0126 / .378 / .186 / .705."""
    assert bgnbd().se == pytest.approx({"r": 0.0126, "alpha": 0.378, "a": 0.186, "b": 0.705}, rel=0.01)


def test_aic_ranks_mbg_before_bg_as_recomputed():
    """Recomputed with lifetimes 0.11.3 and scipy: MBG 19172.27, BG 19172.85."""
    assert mbgnbd().aic == pytest.approx(19172.27, abs=0.02)
    assert bgnbd().aic == pytest.approx(19172.85, abs=0.02)


def test_mbgnbd_parameters_as_recomputed():
    """Recomputed with lifetimes 0.11.3: r .525, alpha 6.183, a .891, b 1.614; log-likelihood −9582.133."""
    model = mbgnbd()
    assert model.params == pytest.approx({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, abs=6e-4)
    assert model.loglik == pytest.approx(-9582.133, abs=0.01)


def test_weighted_distinct_rows_fit_as_single_customers():
    """Arithmetic: 1 016 weighted histories are the same likelihood as 2 357 customers."""
    singles, grouped = fit_purchases(calibration_sample(), "BG/NBD"), bgnbd()
    assert len(distinct_histories()) == 1016
    assert singles.loglik == pytest.approx(grouped.loglik, abs=1e-6)
    assert singles.params == pytest.approx(grouped.params, rel=1e-4)


def test_conditional_expectation_against_hardies_sheet():
    """Hardie's BG/NBD spreadsheet: E[Y(39)] = 1.226 for x = 2, t_x = 30.43, T = 38.86; MBG/NBD recomputed 1.263."""
    history = (2, 30.43 * WEEK, 38.86 * WEEK)
    assert bgnbd().expected_purchases(39 * WEEK, *history) == pytest.approx(1.226, abs=5e-4)
    assert mbgnbd().expected_purchases(39 * WEEK, *history) == pytest.approx(1.263, abs=5e-4)


def test_probability_alive_of_the_same_customer():
    """Recomputed with lifetimes 0.11.3: .7266 (BG/NBD), .706 (MBG/NBD)."""
    history = (2, 30.43 * WEEK, 38.86 * WEEK)
    assert bgnbd().p_alive(*history) == pytest.approx(0.7266, abs=5e-5)
    assert mbgnbd().p_alive(*history) == pytest.approx(0.706, abs=5e-4)


def test_one_time_buyers_are_certainly_alive_under_bgnbd_only():
    """A known flaw of BG/NBD (Batislam et al. 2007): 1 for every one-time buyer; MBG/NBD recomputed .390."""
    assert bgnbd().p_alive(0, 0, 38.86 * WEEK) == 1.0
    assert mbgnbd().p_alive(0, 0, 38.86 * WEEK) == pytest.approx(0.390, abs=5e-4)
    assert not bgnbd().knows_one_time_buyers
    assert mbgnbd().knows_one_time_buyers


def test_forecast_of_a_very_frequent_customer():
    """lifetimes' test suite, published parameters: E[Y(52)] at x = 26, t_x = 30.857, T = 31 is 25.7566; MBG 23.998."""
    history = (26, 30.857 * WEEK, 31 * WEEK)
    assert PUBLISHED.expected_purchases(52 * WEEK, *history) == pytest.approx(25.7566, abs=5e-4)
    assert mbgnbd().expected_purchases(52 * WEEK, *history) == pytest.approx(23.998, abs=1e-3)


def test_expected_purchases_of_a_new_customer():
    """Hardie's BG/NBD spreadsheet (E[X(t)] column); E[X(52)] recomputed with lifetimes: 1.444004, MBG 1.41888."""
    weeks = np.array([0.1429, 1, 3, 31.857, 32, 78])
    expected = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576]
    assert bgnbd().expected_of_new(weeks * WEEK) == pytest.approx(expected, abs=4e-4)
    assert bgnbd().expected_of_new(52 * WEEK) == pytest.approx(1.444004, abs=5e-5)
    assert mbgnbd().expected_of_new(52 * WEEK) == pytest.approx(1.41888, abs=5e-5)


def test_probability_of_no_repeat_purchase():
    """lifetimes' test suite, published parameters: P(X(39) = 0) = .5737864."""
    assert PUBLISHED.probability_of_new(0, 39 * WEEK) == pytest.approx(0.5737864, abs=1e-5)


def test_likelihood_is_stable_at_high_frequency():
    """Hardie note 027: a .8, b 2.5, r .25, alpha 4, T 40: −0.59947382 at x = 0, 100.7957 at x = 200, t_x = 38."""
    model = PUBLISHED.at([0.25, 4, 0.8, 2.5])
    found = model.log_likelihood([0, 200], [0, 38 * WEEK], [40 * WEEK, 40 * WEEK])
    assert found == pytest.approx([-0.59947382, 100.7957], abs=1e-4)


def test_chance_of_no_repeat_in_the_published_closed_forms():
    """BG/NBD eq. 8 at x = 0: (α/(α+t))^r; MBG/NBD: gone at once, or staying and idle."""
    for model in (PUBLISHED, PUBLISHED_MBG):
        r, alpha, a, b = model.theta
        idle = (alpha / (alpha + 39)) ** r
        expected = idle if model is PUBLISHED else a / (a + b) + b / (a + b) * idle
        assert model.probability_of_new(0, 273) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("frequency", [0, 1, 7, 60, 900])
@pytest.mark.parametrize("a", [0.3, 0.999999999, 1.0, 2.7, 40.0])
def test_forecast_equals_the_integral_it_stands_for(frequency, a):
    """By definition: E[Y | active] = ∫ (1 − ((α+T)/(α+T+p·t))^(r+x)) / p dBeta(a, b + x), by quadrature."""
    theta = np.array([0.7, 3.0, a, 1.9])
    age, ahead = 400.0, 365.0
    tau, t = theta[1] + age / 7, ahead / 7

    power = 1 / min(a, 1.0)  # p = u^power takes the pole of a Beta with a < 1 away

    def integrand(u: float) -> float:
        p = u**power
        bought = -np.expm1(-(theta[0] + frequency) * np.log1p(p * t / tau)) / p
        return bought * beta_distribution.pdf(p, a, theta[3] + frequency) * power * u ** (power - 1)

    peak = (a / (a + theta[3] + frequency)) ** (1 / power)
    expected = quad(integrand, 0, 1, limit=400, points=[peak / 4, peak / 2, peak, min(2 * peak, 0.999)])[0]
    found = PUBLISHED.at(theta).purchases_if_alive(ahead, frequency, age)
    assert found == pytest.approx(expected, rel=2e-5)


histories = st.tuples(
    st.integers(0, 400), st.floats(0, 1), st.floats(1, 2000), st.sampled_from([PUBLISHED, PUBLISHED_MBG])
)


@settings(max_examples=150, deadline=None)
@given(histories, st.floats(1, 1000))
def test_probabilities_and_forecasts_stay_in_range(history, days):
    """Invariant: 0 ≤ P(alive) ≤ 1; forecasts are finite, not negative and grow with the horizon."""
    x, share, age, model = history
    last = share * age if x else 0.0
    alive = model.p_alive(x, last, age)
    near, far = model.expected_purchases(days, x, last, age), model.expected_purchases(2 * days, x, last, age)
    assert 0 <= alive <= 1
    assert 0 <= near <= far * (1 + 1e-9) < np.inf


@settings(max_examples=100, deadline=None)
@given(histories, st.floats(1, 500))
def test_silence_never_raises_the_probability_of_being_alive(history, more):
    """Invariant: the same purchases followed by a longer silence make leaving more likely."""
    x, share, age, model = history
    last = share * age if x else 0.0
    assert model.p_alive(x, last, age + more) <= model.p_alive(x, last, age) + 1e-12


def test_parameters_survive_json():
    """Invariant: what is saved is what is loaded."""
    model = bgnbd()
    back = PurchaseModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert back.params == model.params
    assert np.array_equal(back.covariance, model.covariance)


def test_simulated_customers_give_their_parameters_back():
    """Recovery: 6 000 customers drawn from known parameters; each estimate within 4 standard errors of the truth."""
    truth = {"r": 0.6, "alpha": 5.0, "a": 0.9, "b": 2.5}
    model = fit_purchases(simulated(truth, 6000, seed=3), "BG/NBD")
    for name, value in truth.items():
        assert abs(model.params[name] - value) < 4 * model.se[name]


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD", "Pareto/NBD", "NBD"])
def test_the_unit_of_time_changes_no_forecast(name):
    """Times in weeks or in days are one history: scaled sevenfold, the forecast of a sevenfold horizon is the same."""
    rows, scaled = distinct_histories(), distinct_histories()
    scaled[["recency", "T"]] *= 7
    slow, quick = fit_purchases(rows, name), fit_purchases(scaled, name)
    expected = slow.expected_purchases(273, rows["frequency"], rows["recency"], rows["T"])
    found = quick.expected_purchases(7 * 273, scaled["frequency"], scaled["recency"], scaled["T"])
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert quick.params["alpha"] == pytest.approx(7 * slow.params["alpha"], rel=1e-5)


def test_fitting_leaves_the_process_as_it_was():
    """lifetimes silences FutureWarnings and sets a pandas option on import; neither may leak."""
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "lifetimes"]:
        del sys.modules[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pd.set_option(option := "mode.chained_assignment", "raise")
        filters = list(warnings.filters)
        fit_purchases(distinct_histories(), "BG/NBD")
        try:
            assert pd.get_option(option) == "raise"
            assert warnings.filters == filters
        finally:
            pd.reset_option(option)


def rows(*histories: tuple[int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(histories, columns=["frequency", "recency", "T", "weight"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (rows(), "no customer"),
        (rows((0, 0, 100, 1)), "Not one of the 1 customers"),
        (rows((0, 0, 0, 500)), "second day"),
        (rows((0, 0, 100, 400), (0, 0, 50, 300)), "Not one of the 700 customers"),
        (rows((0, 0, 100, 400), (2, 50, 100, 5)), "Only 5 of the 405"),
    ],
    ids=["empty", "one customer", "all on one day", "nobody repeats", "few repeat"],
)
def test_histories_that_carry_no_model_are_refused_in_words(data, words):
    """The input rules: each refusal is a sentence that says why."""
    with pytest.raises(ModelError, match=words):
        fit_every(data)


def test_a_boundary_is_refused_rather_than_reported():
    """Nobody ever leaves and everyone buys alike: dropout and spread have no maximum inside."""
    rng = np.random.default_rng(1)
    x = rng.poisson(5.0, 500)
    last = np.where(x > 0, 364, 0)
    data = pd.DataFrame({"frequency": x, "recency": last, "T": 365, "weight": 1})
    with pytest.raises(ModelError, match="determine|peak|converge"):
        fit_purchases(data, "BG/NBD")


def test_what_cannot_be_fitted_is_left_out_with_its_reason(monkeypatch):
    """A model without a sound maximum is no rival; the others are fitted all the same."""
    real = fitters.fit_purchases

    def all_but_one(data, name):
        if name == "BG/NBD":
            raise NoMaximumError("no peak")
        return real(data, name)

    monkeypatch.setattr(fitters, "fit_purchases", all_but_one)
    models, reasons = fitters.fit_every(distinct_histories())
    assert list(models) == ["MBG/NBD", "Pareto/NBD", "NBD"]
    assert reasons == {"BG/NBD": "no peak"}


def simulated(truth: dict[str, float], n: int, seed: int) -> pd.DataFrame:
    """Histories drawn from BG/NBD purchase by purchase, in whole days, ages 20 to 100 weeks."""
    rng = np.random.default_rng(seed)
    out = []
    for age in rng.integers(140, 700, n):
        rate, leave = rng.gamma(truth["r"]) / truth["alpha"], rng.beta(truth["a"], truth["b"])
        x, last, clock = 0, 0.0, 0.0
        while (clock := clock + rng.exponential(1 / rate) * WEEK) < age:
            x, last = x + 1, clock
            if rng.random() < leave:
                break
        out.append((x, last, float(age), 1))
    return pd.DataFrame(out, columns=["frequency", "recency", "T", "weight"])
