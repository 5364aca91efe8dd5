"""Value for ever (DERT), value by horizon, and what changes would be worth."""

from dataclasses import replace
from types import SimpleNamespace

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_model import by_one_model
from perennial.analysis import clv, what_if
from perennial.analysis.fitters import fit_gamma_gamma
from perennial.analysis.group_models import Models
from perennial.analysis.purchase_model import NAMES
from perennial.analysis.value import Piece
from perennial.chapters import value_equity
from published import calibration_sample, fitted

RATE = 0.10
HISTORIES = [(0, 0.0, 38.86), (2, 30.43, 38.86), (26, 30.857, 31.0), (0, 0.0, 0.1), (150, 500.0, 520.0)]


def one(x: float, last: float, age: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [last * 7], "T": [age * 7]})


@pytest.mark.parametrize("history", HISTORIES)
def test_pareto_for_ever_is_the_published_closed_form(history):
    """Fader, Hardie & Lee 2005, JMR 42(4), eq. 6: P(alive) (r+x)(β+T)^s/(α+T) δ^(s−1) Ψ(s, s; δ(β+T)), in mpmath."""
    model, (x, last, age) = fitted("Pareto/NBD"), history
    r, alpha, s, beta = model.theta
    delta = np.log1p(RATE) / (365.25 / 7)
    psi = mpmath.hyperu(s, s, delta * (beta + age))
    expected = float((r + x) * (beta + age) ** s / (alpha + age) * delta ** (s - 1) * psi)
    found = clv.purchases_for_ever(model, one(*history), RATE)[0]
    assert found == pytest.approx(expected * float(model.p_alive(x, last * 7, age * 7)), rel=1e-9)


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD", "NBD"])
@pytest.mark.parametrize("history", HISTORIES)
def test_for_ever_is_the_integral_of_the_discounted_forecast(name, history):
    """Independent quadrature (mpmath) of δ ∫ e^−δt E[Y(t)] dt, to eight digits."""
    model, (x, last, age) = fitted(name), history
    delta = np.log1p(RATE) / (365.25 / 7)

    def height(t: mpmath.mpf) -> float:
        return float(np.exp(-delta * float(t)) * model.purchases_if_alive(7 * float(t), x, age * 7))

    whole = delta * mpmath.quad(height, [0, 1, 10, 100, 1000, 10_000, 60_000])
    found = clv.purchases_for_ever(model, one(*history), RATE)[0]
    assert found == pytest.approx(float(whole) * float(model.p_alive(x, last * 7, age * 7)), rel=1e-8)


def test_for_ever_needs_a_discount():
    """Without one the sum need not be finite: refused, never a large number."""
    with pytest.raises(ValueError, match="later ones count less"):
        clv.purchases_for_ever(fitted("NBD"), one(2, 30.0, 38.0), 0.0)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 40), st.floats(0.01, 0.99), st.floats(1, 200), st.floats(0.02, 0.5))
def test_for_ever_is_more_than_any_horizon_and_falls_with_the_rate(name, x, part, age, rate):
    """Invariants: DERT exceeds ten discounted years, and a higher rate makes it smaller."""
    model, rows = fitted(name), one(x, part * age if x else 0.0, age)
    ever = clv.purchases_for_ever(model, rows, rate)[0]
    assert ever > clv.discounted_purchases(model, rows, 120, rate)[0]
    assert clv.purchases_for_ever(model, rows, rate + 0.05)[0] < ever


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD", "Pareto/NBD", "NBD"])
def test_a_scenario_is_what_a_simulation_of_it_gives(name):
    """400 000 customers with their own chance to leave × 0.8 and rate × 1.1: purchases of a year, within 4 s.e."""
    model, rng, n = fitted(name), np.random.default_rng(3), 400_000
    x, age, ahead = 3.0, 30.0, 12 * clv.MONTH_DAYS / 7
    r, alpha, *leaving = model.theta
    rate = 1.1 * rng.gamma(r + x, 1 / (alpha + age), n)
    bought = rng.poisson(rate * ahead)
    if name == "Pareto/NBD":
        hazard = 0.8 * np.maximum(rng.gamma(leaving[0], 1 / (leaving[1] + age), n), 1e-12)
        bought = rng.poisson(rate * np.minimum(rng.exponential(1 / hazard), ahead))
    elif name != "NBD":
        leave = 0.8 * rng.beta(leaving[0], leaving[1] + x + (name == "MBG/NBD"), n)
        bought = np.minimum(bought, rng.geometric(np.maximum(leave, 1e-9)))
    alive = float(model.p_alive(x, 7 * (age - 5), 7 * age))
    rows = pd.DataFrame({"frequency": [x], "recency": [7 * (age - 5)], "T": [7 * age], "monetary_value": [10.0]})
    rows = rows.assign(weight=1)
    spend = fit_gamma_gamma(calibration_sample())
    settings = {"gross_margin": 0.5, "discount_rate": 0.0, "horizon_months": 12}
    piece = Piece(Models(model, spend), rows, pd.DataFrame([{**model.params, **spend.params}]))
    future, _drawn = what_if._futures(SimpleNamespace(pieces=[piece], settings=settings))
    order = float(spend.expected_order_value(x, 10.0))
    expected = future.equity(12, what_if.Scenario("both", leaving=0.8, rate=1.1)) / (0.5 * order * alive)
    assert bought.mean() == pytest.approx(expected, abs=4 * bought.std() / np.sqrt(n))


@pytest.mark.parametrize("history", [(0, 17.0), (0, 3.0), (5, 300.0), (200, 360.0)])
@pytest.mark.parametrize("days", [36_500, 365_000, 2_000_000])
def test_far_horizons_of_customers_who_hardly_leave_are_numbers(history, days):
    """Where hardly anybody leaves the usual series gives no number at long horizons; against eq. 10 in 60 digits."""
    r, alpha, a, b = 1.4211238, 1.3950420, 0.16314124, 218.958488  # MBG/NBD of a grocery's households
    x, age = history
    with mpmath.workdps(60):
        ahead, passed = mpmath.mpf(days) / 7, alpha + mpmath.mpf(age) / 7
        z, third = ahead / (passed + ahead), mpmath.mpf(a) + b + 1 + x - 1
        kept = (1 - z) ** (r + x) * mpmath.hyp2f1(mpmath.mpf(r) + x, mpmath.mpf(b) + 1 + x, third, z)
        expected = float(third / (mpmath.mpf(a) - 1) * (1 - kept))
    model = fitted("MBG/NBD").at([r, alpha, a, b])
    assert float(model.purchases_if_alive(days, x, age)) == pytest.approx(expected, rel=1e-8)


@pytest.fixture(scope="module")
def demo(shipped):
    return shipped("demo")


def test_the_horizon_of_the_client_is_its_equity(demo):
    """One number twice: equity by horizon at the client's own months is the sum of the column clv."""
    found = what_if.by_horizon(demo.value)
    own = found[found["months"] == demo.parameters.horizon_months].iloc[0]
    assert own["value"] == pytest.approx(demo.value.equity.value, rel=1e-9)
    assert found["value"].is_monotonic_increasing
    assert (found["low"] < found["value"]).all()
    assert found["months"].iloc[-1] == what_if.FOR_EVER


def test_changes_are_what_arithmetic_says_where_it_can(demo):
    """+5 % order value is +5 % of equity, a point on a margin of 30 % a thirtieth; the rest lies between 0 and 5 %."""
    found = what_if.what_if(demo.value)
    year = found[found["months"] == 12].set_index("scenario")
    assert year.loc["order", "share"] == pytest.approx(0.05, abs=1e-12)
    assert year.loc["margin", "share"] == pytest.approx(1 / 30, abs=1e-12)
    assert year.loc["order", "change"] == pytest.approx(0.05 * demo.value.equity.value, rel=1e-9)
    for name in ("leaving", "rate"):
        assert 0 < year.loc[name, "low"] < year.loc[name, "share"] < year.loc[name, "high"] < 0.05
    ever = found[found["months"] == what_if.FOR_EVER].set_index("scenario")
    assert ever.loc["leaving", "share"] > year.loc["leaving", "share"]


def test_without_a_discount_nothing_is_said_of_ever(demo):
    """Discount 0: the sum may not be finite, so the row is missing, in table, chart and sentence."""
    free = replace(demo.value, settings={**demo.value.settings, "discount_rate": 0.0})
    assert np.isfinite(what_if.by_horizon(free)["months"]).all()
    part = value_equity.part(demo, free)
    assert "for ever" not in " ".join([*part.says, *(shown.caption.title for shown in part.exhibits.values())])


def test_the_part_says_whether_the_quoted_quarter_holds(demo):
    """The rule of thumb of 25 % is answered from the client's own figures, with the interval."""
    part = value_equity.part(demo, demo.value)
    assert set(part.exhibits) == set(value_equity.NAMES)
    assert "it does not hold here" in part.says[0]
    for shown in part.exhibits.values():
        assert len(shown.caption.title.split()) <= 15, shown.caption.title
    assert part.exhibits["value_cohorts"].frame["value"].sum() == pytest.approx(demo.value.equity.value, rel=1e-9)


def test_where_nobody_leaves_less_leaving_is_not_promised(demo):
    """NBD lets nobody leave: the chapter says that the effect cannot be told."""
    part = value_equity.part(demo, by_one_model(demo.value, purchase=fitted("NBD")))
    assert "cannot be told" in part.says[0]
    assert "leaving" not in part.findings[0].sentence
    assert "leaving × 0.95" not in part.exhibits["value_what_if"].frame["scenario"].tolist()
    assert np.isfinite(part.exhibits["value_horizons"].frame["months"]).all()


def test_without_a_spend_model_the_part_gives_the_reason(demo):
    """No money, no pictures of it."""
    part = value_equity.part(demo, replace(demo.value, equity=None, spend_reason="Everybody pays the same."))
    assert not part.exhibits
    assert "Everybody pays the same." in part.absent["value_what_if"]
