"""The shape of inter-purchase times: recovered from simulated clients, in continuous time and in whole days."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.analysis import regularity
from perennial.errors import ModelError

LEVEL = 0.9


def pairs_of(shape: float | np.ndarray, people: int, mean_days: float, seed: int) -> pd.DataFrame:
    """The last two gaps within three years of gamma customers with rates that vary, days counted whole."""
    rng = np.random.default_rng(seed)
    shapes = np.broadcast_to(shape, people)
    means = mean_days * rng.gamma(4, 1 / 4, people)
    out = []
    for k, mean in zip(shapes, means, strict=True):
        when = rng.random() * 300 + np.cumsum(rng.gamma(k, mean / k, int(4 + 1200 / max(mean, 1))))
        days = np.unique(np.floor(when[when < 1095]))
        if len(days) >= 3:
            out.append((days[-2] - days[-3], days[-1] - days[-2]))
    frame = pd.DataFrame(out, columns=["earlier", "later"]).astype(int)
    return frame.groupby(["earlier", "later"], as_index=False).size().rename(columns={"size": "weight"})


@pytest.mark.parametrize(("shape", "tolerance"), [(1.0, 0.08), (2.0, 0.2), (4.0, 0.55)])
def test_the_shape_comes_back(shape, tolerance):
    """Recovery: 2 000 simulated customers, some 60 days between purchases; whole days pull k towards 1 a little."""
    found = regularity.estimate_shape(pairs_of(shape, 2000, 60, 1), LEVEL)
    assert found.k == pytest.approx(shape, abs=tolerance)
    assert found.published == pytest.approx(shape, abs=tolerance)
    assert found.mean == pytest.approx(0.5, abs=0.02)
    assert found.kind == ("random" if shape == 1 else "regular")


def test_intervals_hold_the_shape_at_their_level():
    """Coverage over 80 clients of 300: near 90 % for both ways, with a Monte-Carlo error of 3.4 points."""
    rng = np.random.default_rng(3)
    for shape in (1.0, 3.0):
        inside = []
        for _ in range(80):
            gaps = 1 + np.floor(rng.gamma(shape, 300 / shape, (300, 2)))
            frame = pd.DataFrame(gaps, columns=["earlier", "later"]).assign(weight=1)
            found = regularity.estimate_shape(frame, LEVEL)
            inside.append((found.low <= shape <= found.high, found.published_low <= shape <= found.published_high))
        assert (np.abs(np.mean(inside, axis=0) - LEVEL) < 2.9 * 0.034).all(), np.mean(inside, axis=0)


def test_a_clumpy_mixture_is_clumpy():
    """Planted: half buy in bursts (k 0.3), half at random; the base as a whole is below 1, its interval too."""
    shapes = np.repeat([0.3, 1.0], 700)
    found = regularity.estimate_shape(pairs_of(shapes, 1400, 60, 2), LEVEL)
    assert found.kind == "clumpy"
    assert 0.5 < found.k < 0.9
    rng = np.random.default_rng(2)
    shapes = np.repeat([0.3, 1.0], 20_000)[:, None]
    slow = 1 + np.floor(rng.gamma(shapes, 5000 / shapes, (40_000, 2)))  # so slow that whole days hide little
    found = regularity.estimate_shape(pd.DataFrame(slow, columns=["earlier", "later"]).assign(weight=1), LEVEL)
    mean_variance = float(np.mean([1 / (4 * (2 * k + 1)) for k in (0.3, 1.0)]))
    assert found.published == pytest.approx(regularity._shape(mean_variance), abs=0.02)
    assert 0.3 < found.low < found.high < 1  # the likelihood weighs shapes otherwise, between the two all the same


@pytest.mark.parametrize("mean_days", [2, 4, 8])
def test_whole_days_do_not_make_random_buyers_regular(mean_days):
    """The published formula on whole days reads short random gaps as regular; the likelihood for days does not."""
    found = regularity.estimate_shape(pairs_of(1.0, 1500, mean_days, 4), LEVEL)
    assert found.published > 1.2
    assert found.k == pytest.approx(1, abs=0.11)


def test_the_end_of_the_data_does_not_bias_the_share():
    """Length bias: gaps before the end of the data are short, yet M stays Beta(k, k), mean ½ and variance 1 / 12."""
    few = pairs_of(1.0, 3000, 400, 5)  # of slow customers only those with short gaps have three purchases
    assert (
        float(few["weight"] @ (few["earlier"] + few["later"]) / few["weight"].sum()) < 600
    )  # two gaps: 800 on average
    found = regularity.estimate_shape(few, LEVEL)
    assert found.k == pytest.approx(1, abs=0.1)
    assert found.variance == pytest.approx(1 / 12, abs=0.006)


def test_the_published_formula():
    """Wheat & Morrison (1990): Var M of Beta(k, k) is 1 / (4 (2k + 1)); the formula inverts it."""
    for k in (0.5, 1.0, 2.0, 10.0):
        assert regularity._shape(1 / (4 * (2 * k + 1))) == pytest.approx(k)
    assert regularity._shape(0.25) == 0


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), min_size=60, max_size=90), st.integers(1, 5))
def test_weights_stand_for_customers_and_the_histogram_for_all(gaps, times):
    """Invariants: a row of weight w is w rows; the histogram's shares add up to 1; the interval holds k."""
    frame = pd.DataFrame(gaps, columns=["earlier", "later"])
    try:
        weighted = regularity.estimate_shape(frame.assign(weight=times))
    except ModelError:
        return
    repeated = regularity.estimate_shape(pd.concat([frame] * times).assign(weight=1))
    assert weighted.published == pytest.approx(repeated.published)
    assert weighted.k == pytest.approx(repeated.k, rel=1e-3)
    assert weighted.low <= weighted.k <= weighted.high
    shown = regularity.histogram(frame.assign(weight=times), weighted.k)
    for column in ("observed", "fitted", "random"):
        assert shown[column].sum() == pytest.approx(1)


def test_nobody_with_three_purchases_is_said():
    """Too few customers, or only gaps of a day: the reason names it."""
    empty = pd.DataFrame({"earlier": [], "later": [], "weight": []}).astype(int)
    with pytest.raises(ModelError, match="only 0 customers have bought on three days"):
        regularity.estimate_shape(empty)
    daily = pd.DataFrame({"earlier": [1, 1], "later": [1, 2], "weight": [80, 10]})
    with pytest.raises(ModelError, match="too few gaps are longer than a day"):
        regularity.estimate_shape(daily)


def test_clockwork_is_regular_without_a_bound():
    """Everyone the same: two equal gaps of a month; k is at its upper bound and stays finite."""
    same = pd.DataFrame({"earlier": [30, 30, 29], "later": [30, 29, 30], "weight": [200, 5, 5]})
    found = regularity.estimate_shape(same)
    assert found.kind == "regular"
    assert 50 < found.k < np.inf


def test_pairs_are_the_last_two_gaps_of_each_customer():
    """By hand: days 0, 10, 15, 40 give (5, 25); two days give none; lines of one day count once, returns not."""
    days = {"a": [0, 10, 15, 40, 40], "b": [0, 7], "c": [3, 4, 6], "d": [3, 4, 6]}
    rows = [(who, pd.Timestamp("2024-01-01") + pd.Timedelta(days=d), False) for who, held in days.items() for d in held]
    rows.append(("b", pd.Timestamp("2024-03-01"), True))
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "is_return"]).assign(amount=1.0)
    table = ibis.duckdb.connect().create_table("t", frame)
    found = regularity.gap_pairs(table.mutate(ordered_on=table.ordered_on.date()))
    assert found.to_numpy().tolist() == [[1, 2, 2], [5, 25, 1]]


def test_silence_groups_by_hand():
    """By hand: own gap 10 days; silences of 5, 15 and 30 days fall into the three groups."""
    rows = pd.DataFrame(
        {"frequency": 4, "recency": 40, "T": [45, 55, 70, 70], "weight": [10, 1, 2, 2], "actual": [2, 1, 0, 1],
         "M": [2.0, 1.0, 1.0, 1.0]}
    )  # fmt: skip
    found = regularity.by_silence(pd.concat([rows, rows.assign(frequency=1)]), "M", LEVEL)
    assert found["customers"].tolist() == [10, 1, 4]
    assert found["bias"].tolist() == pytest.approx([0, 0, 1])
    assert found["low"].iloc[2] < 1 < found["high"].iloc[2]


def test_regular_customers_are_forecast_too_well_where_silent():
    """Planted: k 4 among customers of whom some leave; the random model forecasts too much of the silent."""
    from perennial.analysis.fitters import fit_purchases
    from perennial.analysis.purchase_model import HISTORY

    rng = np.random.default_rng(8)
    lines = []
    for _ in range(2500):
        born, mean = rng.random() * 300, 40 * rng.gamma(3, 1 / 3)
        stay = rng.geometric(0.08)
        when = born + np.cumsum(rng.gamma(4, mean / 4, 60))[:stay]
        days = np.unique(np.floor(np.concatenate([[born], when])))
        past, later = days[days <= 600], days[(days > 600) & (days <= 800)]
        lines.append((len(past) - 1, past[-1] - past[0], 600 - past[0], len(later)))
    rows = pd.DataFrame(lines, columns=[*HISTORY, "actual"]).assign(weight=1)
    model = fit_purchases(rows, "BG/NBD")
    rows["BG/NBD"] = model.expected_purchases(200, rows["frequency"], rows["recency"], rows["T"])
    found = regularity.by_silence(rows, "BG/NBD", LEVEL).set_index("first")
    assert found.loc[2.0, "low"] > 0  # silent for more than twice their own gap: too many forecast
    assert found.loc[2.0, "bias"] > found.loc[0.0, "bias"] + 0.1


def test_kinds_are_told_by_the_interval():
    """By definition: the interval against 1."""
    found = regularity.estimate_shape(pairs_of(1.0, 300, 60, 6))
    assert replace(found, low=1.1, high=2.0).kind == "regular"
    assert replace(found, low=0.5, high=0.9).kind == "clumpy"
    assert replace(found, low=0.9, high=1.1).kind == "random"
