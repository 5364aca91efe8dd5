"""Kaplan-Meier against a published example and against statsmodels without weights; waits and repeat curves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from perennial.analysis.repeats import gap_quantiles, implied_repeat, repeat_curve, window_days
from perennial.analysis.survival import follow_up, greenwood, kaplan_meier, median_time, survival_at

# Remission times in weeks, 21 leukaemia patients on 6-mercaptopurine; + means still in remission. Freireich et al.
# (1963), Blood 21; the estimate as tabulated in Kleinbaum & Klein, Survival Analysis, and Cox & Oakes (1984).
REMISSION = [
    "6",
    "6",
    "6",
    "6+",
    "7",
    "9+",
    "10",
    "10+",
    "11+",
    "13",
    "16",
    "17+",
    "19+",
    "20+",
    "22",
    "23",
    "25+",
    "32+",
    "32+",
    "34+",
    "35+",
]
PUBLISHED = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
PUBLISHED_SE = {6: 0.0764, 7: 0.0869, 10: 0.0963, 13: 0.1068, 16: 0.1141, 22: 0.1282, 23: 0.1346}


@pytest.fixture
def remission() -> pd.DataFrame:
    times = [int(value.strip("+")) for value in REMISSION]
    ended = [not value.endswith("+") for value in REMISSION]
    rows = pd.DataFrame({"time": times, "ended": ended})
    return rows.groupby(["time", "ended"], as_index=False).size().rename(columns={"size": "count"})


def test_estimate_and_greenwood_error_of_the_6mp_remissions_as_published(remission):
    curve = kaplan_meier(remission, 0.95)
    errors = dict(zip(curve["time"], greenwood(curve), strict=True))
    found = dict(zip(curve["time"], curve["survival"], strict=True))
    assert found.pop(0) == 1
    assert found == pytest.approx(PUBLISHED, abs=5e-5)
    assert {time: errors[time] for time in PUBLISHED_SE} == pytest.approx(PUBLISHED_SE, abs=5e-5)
    assert list(curve["at_risk"].iloc[1:]) == [21, 17, 15, 12, 11, 7, 6]


def test_median_of_the_6mp_remissions_and_its_interval_as_in_r(remission):
    """R: survfit(..., conf.type = "log-log") gives median 23, 95 % interval 13 to infinity."""
    assert median_time(kaplan_meier(remission, 0.95)) == (23, 13, np.inf)


def test_loglog_interval_of_the_6mp_remissions_by_hand(remission):
    """At week 10: log(−log S) ± 1.96 · se/(S·|log S|), from the published S and se."""
    survival, low, high = survival_at(kaplan_meier(remission, 0.95), 10)
    spread = 1.959964 * 0.09635 / (0.75294 * abs(np.log(0.75294)))
    assert low == pytest.approx(survival ** np.exp(spread), abs=1e-4)
    assert high == pytest.approx(survival ** np.exp(-spread), abs=1e-4)


histories = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_counted_durations_equal_statsmodels_on_single_ones(rows):
    single = pd.DataFrame(rows, columns=["time", "ended"])
    counted = single.groupby(["time", "ended"], as_index=False).size().rename(columns={"size": "count"})
    curve = kaplan_meier(counted)
    assert curve["survival"].between(0, 1).all()
    assert curve["survival"].is_monotonic_decreasing
    if not single["ended"].any():
        assert len(curve) == 1
        return
    fit = SurvfuncRight(single["time"], single["ended"].astype(int))
    np.testing.assert_allclose(curve["survival"].iloc[1:], fit.surv_prob)
    with_error = np.isfinite(fit.surv_prob_se) & (fit.surv_prob > 0)
    np.testing.assert_allclose(greenwood(curve)[1:][with_error], fit.surv_prob_se[with_error], rtol=1e-9)
    known = curve.dropna()
    assert (known["low"] <= known["survival"] + 1e-12).all()
    assert (known["high"] >= known["survival"] - 1e-12).all()


def test_nobody_ended_stays_at_one_and_nobody_at_all_has_no_follow_up():
    waiting = pd.DataFrame({"time": [5, 9], "ended": [False, False], "count": [3, 1]})
    assert survival_at(kaplan_meier(waiting), 100) == (1.0, 1.0, 1.0)
    assert follow_up(waiting) == 9
    assert median_time(kaplan_meier(waiting))[0] == np.inf
    nobody = pd.DataFrame({"time": [], "ended": [], "count": []})
    assert follow_up(nobody) == 0
    assert survival_at(kaplan_meier(nobody), 1)[0] == 1


def test_repeat_chance_counts_running_waits_as_censored_by_hand():
    """Ten customers: 4 back on day 10, 2 watched for 5 days only, 4 silent for 40. Kaplan-Meier: 4 of 8, not of 10."""
    counts = pd.DataFrame({"order_number": 1, "time": [10, 5, 40], "ended": [True, False, False], "count": [4, 2, 4]})
    (row,) = repeat_curve(counts, 30, 0.9).to_dict("records")
    assert (row["customers"], row["came_back"]) == (10, 4)
    assert row["rate"] == pytest.approx(0.5)
    assert row["low"] < 0.5 < row["high"]
    assert repeat_curve(counts, 30, 0.9, minimum_group=11).empty
    assert repeat_curve(counts, 41, 0.9).empty, "nobody was watched for 41 days"


def test_gap_quantiles_by_hand():
    """Ended gaps 2, 4, 6, 8 days; four more waits run for 10 days: half of all waits last 8 days."""
    counts = pd.DataFrame({"time": [2, 4, 6, 8, 10], "ended": [True] * 4 + [False], "count": [1, 1, 1, 1, 4]})
    found = gap_quantiles(counts, (0.25, 0.5, 0.75))
    assert list(found["ended_days"]) == [2, 4, 6]
    assert list(found["all_days"]) == [4, 8, np.inf]


@pytest.mark.parametrize(
    ("span", "gap", "expected"), [(546, 283, 180), (1095, 224, 365), (364, 21, 30), (3, 1, 3), (20, 90, 7)]
)
def test_window_holds_the_long_gaps_and_fits_twice_into_the_history(span, gap, expected):
    assert window_days(span, gap) == expected


def test_implied_curve_is_flat_where_customers_do_not_differ_and_rises_where_they_do():
    """With one rate λ and no dropout the chance of the next order within t is 1 − exp(−λt) at every order number."""
    ages = pd.DataFrame({"T": [700], "count": [100]})
    curve = pd.DataFrame({"order_number": [1, 2, 3, 4]})
    alike = {"r": 1e6, "alpha": 1e6 * 10, "a": 1e-9, "b": 1e3}  # one order in ten weeks
    for model, leaving in (("NBD", {}), ("Pareto/NBD", {"s": 1e3, "beta": 1e9})):
        nobody = implied_repeat(model, {"r": alike["r"], "alpha": alike["alpha"], **leaving}, ages, curve, 90, seed=1)
        assert (nobody >= 1 - np.exp(-alike["r"] / alike["alpha"] * 89 / 7) - 0.02).all(), (
            "nobody leaves: one chance for all"
        )
    soon = implied_repeat("Pareto/NBD", {**alike, "s": 1e3, "beta": 1e3}, ages, curve, 90, seed=1)
    assert soon.iloc[0] == pytest.approx(alike["r"] / alike["alpha"] / (alike["r"] / alike["alpha"] + 1), abs=0.05)
    flat = implied_repeat("BG/NBD", alike, ages, curve, 90, seed=1)
    expected = 1 - np.exp(-90 / 70)
    np.testing.assert_allclose(flat, expected, atol=0.02)
    mixed = implied_repeat("BG/NBD", {"r": 0.5, "alpha": 5.0, "a": 0.5, "b": 2.0}, ages, curve, 90, seed=1)
    assert mixed.is_monotonic_increasing
    assert mixed.iloc[-1] - mixed.iloc[0] > 0.1
    pd.testing.assert_series_equal(
        mixed, implied_repeat("BG/NBD", {"r": 0.5, "alpha": 5.0, "a": 0.5, "b": 2.0}, ages, curve, 90, seed=1)
    )
