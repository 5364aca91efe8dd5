"""Shifted beta-geometric: published cohorts and lifetimes, mpmath, sums by brute force, recovery and coverage."""

import math

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from perennial.analysis import renewal_fit
from perennial.analysis import shifted_beta_geometric as sbg
from perennial.errors import ModelError

# Survival in % of years 0 to 7: Fader & Hardie (2007), table 1.
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]


def cohort(survival_percent: list[float], customers: int = 1000) -> pd.DataFrame:
    """Counts of one cohort from its survival curve; who is left is running."""
    kept = np.array(survival_percent) * customers / 100
    years = np.arange(1, len(kept))
    return pd.DataFrame(
        {
            "time": np.append(years, years[-1]),
            "ended": [*[True] * len(years), False],
            "count": np.append(-np.diff(kept), kept[-1]),
        }
    )


def simulated(alpha: float, beta: float, contracts: int, watched: int, rng: np.random.Generator) -> pd.DataFrame:
    """Counts of contracts that began evenly over ``watched`` periods, drawn from the model's own story."""
    leaves = rng.geometric(np.maximum(rng.beta(alpha, beta, contracts), 1e-9))
    seen = rng.integers(0, watched + 1, contracts)
    ended = leaves <= seen
    frame = pd.DataFrame({"time": np.where(ended, leaves, seen), "ended": ended})
    return frame.value_counts(sort=False).rename("count").reset_index()


@pytest.mark.parametrize(
    ("curve", "alpha", "beta", "loglik", "later"),
    [
        (REGULAR, 0.704, 1.182, -1680.265, [22.0, 20.4, 19.1, 18.0, 17.0]),
        (HIGH_END, 0.668, 3.806, -1611.158, [46.0, 43.6, 41.4, 39.5, 37.8]),
    ],
    ids=["regular", "high end"],
)
def test_published_cohorts(curve, alpha, beta, loglik, later):
    """Fader & Hardie (2007): parameters, log-likelihood (N = 1000), projection to years 8-12."""
    model = renewal_fit.fit(cohort(curve))
    assert model.alpha == pytest.approx(alpha, abs=6e-4)
    assert model.beta == pytest.approx(beta, abs=6e-4)
    assert model.loglik == pytest.approx(loglik, abs=2e-3)
    years = np.arange(8, 13)
    assert 100 * sbg.survival(model.alpha, model.beta, years) == pytest.approx(later, abs=0.051)
    assert model.aic == pytest.approx(4 - 2 * loglik, abs=4e-3)
    assert model.bic == pytest.approx(2 * math.log(1000) - 2 * loglik, abs=4e-3)


def test_published_retention_rates():
    """Fader & Hardie (2007), eq. 8 at the regular cohort's parameters: years 1-7."""
    rates = sbg.retention(0.704, 1.182, np.arange(1, 8))
    assert rates == pytest.approx([0.627, 0.756, 0.819, 0.856, 0.880, 0.898, 0.911], abs=6e-4)


def test_published_cohorts_customer_by_customer(real_data):
    """The same two cohorts as one row per customer (recency, T): pooled by the engine's counts, equal parameters."""
    rows = pd.read_csv(real_data / "sbg_cohorts.csv")
    for name, alpha, beta in (("regular", 0.704, 1.182), ("highend", 0.668, 3.806)):
        own = rows[rows["cohort"] == name]
        # a customer seen for T = 8 years has come to 7 renewals; recency 8 is one that still runs
        counts = pd.DataFrame({"time": own["recency"].clip(upper=7), "ended": own["recency"] < own["T"]})
        model = renewal_fit.fit(counts.value_counts().rename("count").reset_index())
        assert (model.alpha, model.beta) == (pytest.approx(alpha, abs=0.01), pytest.approx(beta, abs=0.05))


def test_published_residual_lifetimes():
    """Fader & Hardie (2010), table 3: DERL at d = 10 % after 0 to 4 renewals, two cases of equal mean churn."""
    derl = sbg.residual_lifetime([[3.80], [0.067]], [[15.20], [0.267]], np.arange(5), 0.1)
    assert derl[0] == pytest.approx([3.31, 3.45, 3.59, 3.72, 3.84], abs=0.006)
    assert derl[1] == pytest.approx([7.68, 9.46, 9.86, 10.06, 10.19], abs=0.011)


@pytest.mark.parametrize("rate", [0.002, 0.008, 0.1, 0.6])
def test_residual_lifetime_is_mpmaths_hypergeometric(rate):
    """2010, eq. 6 with mpmath's 2F1 at 30 digits."""
    for alpha, beta, renewals in [(0.067, 0.267, 0), (0.704, 1.182, 3), (1.0, 2.0, 1), (0.9, 8, 35), (30, 400, 10)]:
        with mpmath.workdps(30):
            a, b = mpmath.mpf(alpha), mpmath.mpf(beta) + renewals
            want = b / (a + b) * mpmath.hyp2f1(1, b + 1, a + b + 1, 1 / (1 + mpmath.mpf(rate)))
        assert sbg.residual_lifetime(alpha, beta, renewals, rate) == pytest.approx(float(want), rel=1e-11)


@pytest.mark.parametrize(("alpha", "beta", "past", "rate"), [(0.7, 1.2, 0, 0.1), (0.9, 8, 20, 0.01), (5, 3, 2, 0.05)])
def test_residual_lifetime_is_the_sum_of_its_definition(alpha, beta, past, rate):
    """Σ S(past + k)/S(past) · v^(k−1), summed until nothing is added; and cut after a horizon."""
    ahead = np.arange(1, 6000)
    terms = sbg.survival(alpha, beta, past + ahead) / sbg.survival(alpha, beta, past) / (1 + rate) ** (ahead - 1)
    assert sbg.residual_lifetime(alpha, beta, past, rate) == pytest.approx(terms.sum(), rel=1e-9)
    assert sbg.renewals_within(alpha, beta, past, 7, rate) == pytest.approx(terms[:7].sum(), rel=1e-12)
    assert sbg.renewals_within(alpha, beta, past, 0, rate) == 0


def test_without_discount_the_sum_has_a_bound_only_above_one():
    """Σ S(t) is (β+n−1)/(α−1) for α > 1 and diverges else; a discount near zero comes near to it."""
    terms = sbg.survival(4.0, 6.0, np.arange(1, 200_000))
    assert sbg.residual_lifetime(4, 6, 0, 0) == pytest.approx(6 / 3)
    assert sbg.residual_lifetime(4, 6, 0, 0) == pytest.approx(terms.sum(), rel=1e-9)
    assert sbg.residual_lifetime(4, 6, 0, 1e-6) == pytest.approx(2, rel=1e-5)
    assert np.isinf(sbg.residual_lifetime([1.0, 0.7], 6, 0, 0)).all()
    assert sbg.expected_tenure(4, 6) == pytest.approx(1 + terms.sum(), rel=1e-9)
    assert sbg.expected_tenure(1, 6) == math.inf
    with pytest.raises(ValueError, match="negative"):
        sbg.residual_lifetime(4, 6, 0, -0.1)


def test_median_tenure_by_counting():
    """The first renewal at which half or more have ended: year 2 of the regular cohort, year 7 of the high end."""
    assert sbg.median_tenure(0.704, 1.182) == 2
    assert sbg.median_tenure(0.668, 3.806) == 7
    assert sbg.median_tenure(1.0, 1.0) == 1  # S(1) is exactly one half
    assert sbg.median_tenure(0.001, 50) == math.inf


@settings(max_examples=60, deadline=None)
@given(
    alpha=st.floats(0.01, 200), beta=st.floats(0.01, 200), past=st.integers(0, 60), ahead=st.integers(0, 60)
)  # fmt: skip
def test_survival_falls_and_retention_rises(alpha, beta, past, ahead):
    """Invariants: S from 1 down within (0, 1], r up within (0, 1), S the product of r, S(t+m) = S(t)·S(m | t)."""
    t = np.arange(0, 61)
    kept, rates = sbg.survival(alpha, beta, t), sbg.retention(alpha, beta, t[1:])
    assert kept[0] == pytest.approx(1)
    assert (np.diff(kept) < 1e-12).all() and (kept > 0).all()
    assert (np.diff(rates) >= 0).all() and (rates > 0).all() and (rates < 1).all()
    assert kept[1:] == pytest.approx(np.cumprod(rates), rel=1e-9)
    whole = sbg.survival(alpha, beta, past) * sbg.survival_given(alpha, beta, past, ahead)
    assert whole == pytest.approx(sbg.survival(alpha, beta, past + ahead), rel=1e-9)
    lives = sbg.residual_lifetime(alpha, beta, t, 0.1)
    assert (np.diff(lives) > 0).all() and (lives < 1.1 / 0.1).all()


def test_probabilities_of_all_histories_add_up_to_one():
    """Ended at 1 … t or running after t: Σ P(T = i) + S(t) = 1."""
    time, ended = np.array([1, 2, 3, 4, 4]), np.array([True, True, True, True, False])
    chances = np.exp(sbg.log_likelihood((0.8, 2.5), time.astype(float), ended))
    assert chances.sum() == pytest.approx(1, rel=1e-12)


def test_slope_is_the_derivative_of_the_likelihood():
    time, ended = np.array([1.0, 3, 5, 0]), np.array([True, True, False, False])
    step = 1e-6
    for place in (0, 1):
        up, down = np.array([0.8, 2.5]), np.array([0.8, 2.5])
        up[place] += step
        down[place] -= step
        want = (sbg.log_likelihood(up, time, ended) - sbg.log_likelihood(down, time, ended)) / (2 * step)
        assert renewal_fit._slope((0.8, 2.5), time, ended)[:, place] == pytest.approx(want, abs=1e-7)


def test_drawn_renewals_have_the_expected_residual_lifetime():
    """Process uncertainty: the discounted renewals of drawn contracts average DERL, within 4 standard errors."""
    rng = np.random.default_rng(5)
    made = sbg.draw_renewals(0.9, 8.0, 3, (200_000,), rng)
    worth = (1 - 1.02**-made) / (1 - 1 / 1.02)
    error = worth.std() / math.sqrt(len(worth))
    assert worth.mean() == pytest.approx(float(sbg.residual_lifetime(0.9, 8, 3, 0.02)), abs=4 * error)
    assert (made >= 1).mean() == pytest.approx(float(sbg.retention(0.9, 8, 4)), abs=0.005)


def test_weights_count_as_customers():
    """Ten times the counts, in split rows: same parameters, ten times the likelihood, errors √10 smaller."""
    one = renewal_fit.fit(cohort(REGULAR))
    ten = renewal_fit.fit(pd.concat([cohort(REGULAR, 4000), cohort(REGULAR, 6000)]))
    assert (ten.alpha, ten.beta) == (pytest.approx(one.alpha, rel=1e-5), pytest.approx(one.beta, rel=1e-5))
    assert ten.loglik == pytest.approx(10 * one.loglik)
    assert ten.se["alpha"] == pytest.approx(one.se["alpha"] / math.sqrt(10), rel=1e-3)


def test_standard_errors_are_those_of_a_bootstrap():
    """500 resampled high-end cohorts: spread of alpha and beta within 15 % of the asymptotic standard errors."""
    model, rng = renewal_fit.fit(cohort(HIGH_END)), np.random.default_rng(3)
    alpha, beta = model._resample(500, rng)  # its grid is coarse against this narrow a fit: hence 15 %
    assert np.log(alpha).std() == pytest.approx(model.se["alpha"] / model.alpha, rel=0.15)
    assert np.log(beta).std() == pytest.approx(model.se["beta"] / model.beta, rel=0.15)


def test_parameters_are_recovered_and_intervals_cover():
    """100 simulated plans of 400 contracts (alpha 0.8, beta 4, up to 9 renewals seen).

    Means of the estimates lie near the truth; the 90 % intervals of S(15), DERL and first churn hold it in 90 % of the
    plans give or take three Monte-Carlo errors of 3 points.
    """
    rng, plans = np.random.default_rng(11), 100
    truth = [sbg.survival(0.8, 4, 15), sbg.residual_lifetime(0.8, 4, 1, 0.1), 0.8 / 4.8]
    inside, estimates = np.zeros(3), []
    for _plan in range(plans):
        model = renewal_fit.fit_or_constant(simulated(0.8, 4, 400, 9, rng))
        alpha, beta = model.draw(150, rng)
        drawn = [sbg.survival(alpha, beta, 15), sbg.residual_lifetime(alpha, beta, 1, 0.1), alpha / (alpha + beta)]
        bounds = [np.quantile(values, [0.05, 0.95]) for values in drawn]
        inside += [low <= true <= high for (low, high), true in zip(bounds, truth, strict=True)]
        estimates.append((model.alpha, model.beta))
    median = np.median(estimates, axis=0)
    error = math.sqrt(0.9 * 0.1 / plans)
    assert inside / plans == pytest.approx(0.9, abs=3 * error)
    assert median == pytest.approx([0.8, 4], rel=0.15)


def test_one_hundred_thousand_contracts_find_the_truth():
    model = renewal_fit.fit(simulated(0.9, 8, 100_000, 35, np.random.default_rng(2)))
    assert abs(model.alpha - 0.9) < 3 * model.se["alpha"] < 0.1
    assert abs(model.beta - 8) < 3 * model.se["beta"] < 1


def counts(*rows: tuple[int, bool, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["time", "ended", "count"])


def test_all_contracts_may_have_ended():
    """No censoring at all: the fit goes through, and constant churn would be worse."""
    model = renewal_fit.fit(counts((1, True, 50), (2, True, 20), (3, True, 12), (5, True, 10), (9, True, 8)))
    assert model.name == "sBG" and model.renewed == 20 + 24 + 40 + 64
    assert model.loglik > renewal_fit.constant_likelihood(model.counts)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (counts((0, False, 40)), "No contract has come to its first renewal"),
        (counts((3, False, 40)), "None of the 40 contracts has ended"),
        (counts((1, True, 40)), "ended there"),
        (counts((1, True, 1)), "ended there"),
        (counts((4, False, 1)), "None of the 1 contracts"),
        (counts((1, True, 30), (8, False, 70)), "the likelihood has no peak"),
        (counts((2, True, 2), (3, False, 40)), "Only 2 of the 42"),
        (pd.DataFrame({"time": [], "ended": [], "count": []}), "No contract has come"),
    ],
    ids=[
        "not yet due",
        "nobody churned",
        "all churned at once",
        "one ended",
        "one running",
        "polarised",
        "few",
        "none",
    ],
)
def test_what_cannot_be_fitted_says_why(given, said):
    with pytest.raises(ModelError, match=said):
        renewal_fit.fit_or_constant(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (counts((1, True, 30), (1, False, 70)), "second renewal"),
        (counts((1, True, 10), (2, True, 20), (3, True, 30), (3, False, 40)), "does not rise"),
        (counts((1, True, 4), (2, True, 2), (3, False, 40)), "Only 6 of the 46"),
    ],
    ids=["one renewal seen", "retention falls", "few ended"],
)
def test_where_contracts_do_not_show_that_they_differ_churn_is_constant(given, said):
    """The geometric limit: its own maximum-likelihood rate, named as such, with the reason; sBG itself refuses."""
    with pytest.raises(renewal_fit.NoSpreadError, match=said):
        renewal_fit.fit(given)
    model = renewal_fit.fit_or_constant(given)
    assert model.name == "constant churn" and said in model.reason
    ended = given.loc[given["ended"], "count"].sum()
    decisions = (given["time"] * given["count"]).sum()
    assert model.churn == pytest.approx(ended / decisions)
    assert sbg.survival(model.alpha, model.beta, 3) == pytest.approx((1 - ended / decisions) ** 3, rel=1e-5)
    alpha, beta = model.draw(300, np.random.default_rng(1))
    assert np.quantile(alpha / (alpha + beta), 0.02) < model.churn < np.quantile(alpha / (alpha + beta), 0.98)


def test_cohort_test_against_its_own_recomputation():
    """Twice the gain in log-likelihood of separate parameters, maximised here by Nelder-Mead; chi-squared with 2 df."""

    def best(frame: pd.DataFrame) -> float:
        time, ended, weight = frame["time"].to_numpy(float), frame["ended"].to_numpy(), frame["count"].to_numpy(float)
        found = minimize(
            lambda log: -float(weight @ sbg.log_likelihood(np.exp(log), time, ended)), [0.0, 0.0], method="Nelder-Mead"
        )
        return -float(found.fun)

    both = [cohort(REGULAR), cohort(HIGH_END)]
    test = renewal_fit.cohorts_differ(both)
    want = 2 * (best(both[0]) + best(both[1]) - best(pd.concat(both)))
    assert test["statistic"] == pytest.approx(want, rel=1e-4)
    assert test["df"] == 2
    assert test["p_value"] == pytest.approx(float(mpmath.gammainc(1, want / 2)), abs=1e-12)
    assert test["p_value"] < 1e-6


def test_cohorts_of_one_kind_do_not_differ():
    """Halves of one cohort: no gain, p = 1. A cohort with one renewal adds one parameter, with none none."""
    half = cohort(REGULAR, 500)
    assert renewal_fit.cohorts_differ([half, half])["p_value"] == pytest.approx(1, abs=1e-3)
    young = counts((1, True, 30), (1, False, 70))
    assert renewal_fit.cohorts_differ([half, half, young])["df"] == 3
    assert renewal_fit.cohorts_differ([half, half, counts((0, False, 9))])["df"] == 2
    assert math.isnan(renewal_fit.cohorts_differ([half])["p_value"])
