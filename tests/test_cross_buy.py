"""Cross-buy: planted affinities are found, nothing held is offered, and the check is out of time."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from perennial.analysis.category_model import compare_precision, learn, probabilities, unpack
from perennial.analysis.cross_buy import measure_cross_buy
from perennial.chapters.potential_findings import compare_suggestions
from perennial.tables.summary import customer_summary
from potential_base import AS_OF, as_tables

NAMES = ["a", "b", "c"]


def draw_lines(customers: int = 1200, days: int = 540, lift: float = 8.0, seed: int = 6) -> pd.DataFrame:
    """Everybody holds one of two staples; ink follows pens ``lift`` times as often as soap; so do towels soap."""
    rng = np.random.default_rng(seed)
    rows = []
    for place in range(customers):
        staple = "pens" if place % 2 else "soap"
        day, held = int(rng.integers(0, 60)), {staple}
        while day < days:
            rows.append((f"c{place:04d}", 729 - days + day, staple, 1000))
            for extra, friend in (("ink", "pens"), ("towels", "soap")):
                rate = 0.004 * (lift if staple == friend else 1)
                if extra in held or rng.random() < rate:
                    held.add(extra)
                    rows.append((f"c{place:04d}", 729 - days + day, extra, 500))
            day += int(rng.integers(10, 50))
    return pd.DataFrame(rows, columns=["customer_id", "day", "category", "cents"])


def measure(lines: pd.DataFrame):
    transactions = as_tables({"transactions": lines})["transactions"]
    return measure_cross_buy(transactions, customer_summary(transactions, AS_OF).cache(), AS_OF)


@pytest.fixture(scope="module")
def found():
    return measure(draw_lines())


def test_planted_affinity_is_found(found):
    assert found.lifts.loc["pens", "ink"] > 1.4
    assert found.lifts.loc["soap", "ink"] < 0.6


def test_suggestions_follow_the_affinity_and_are_not_held(found):
    lines = draw_lines()
    held = lines.groupby("customer_id")["category"].agg(set)
    table = found.table.to_pandas().set_index("customer_id")
    assert len(table) == 1200
    offered = table["next_category"].dropna()
    assert not [name for name, category in offered.items() if category in held[name]]
    only_pens = [name for name, categories in held.items() if categories == {"pens"}]
    assert (table.loc[only_pens, "next_category"] == "ink").mean() > 0.95


def test_model_beats_popularity_out_of_time(found):
    check = found.check
    assert check["gain_1"] > 2 * check["gain_error_1"]
    assert check["precision_1"] > check["popularity_1"]


def test_without_affinities_the_model_gains_nothing_that_can_be_told_from_chance():
    check = measure(draw_lines(lift=1.0)).check
    assert abs(check["gain_1"]) < 3 * check["gain_error_1"] + 0.01


def test_number_of_additions_predicted_is_near_the_number_made(found):
    assert found.check["predicted"] == pytest.approx(found.check["added"], rel=0.25)


def test_customers_who_hold_everything_have_nothing_to_add(found):
    lines = draw_lines()
    everything = pd.DataFrame({
        "customer_id": "omni", "day": [700] * 4, "category": ["pens", "soap", "ink", "towels"], "cents": 100
    })  # fmt: skip
    table = measure(pd.concat([lines, everything])).table.to_pandas().set_index("customer_id")
    assert table.loc["omni", "expected_additions"] == 0
    assert table["next_category"].isna()["omni"]
    assert table.loc["omni", "cross_buy_score"] == table["cross_buy_score"].min()


def test_scores_are_ranks_of_the_expected_money(found):
    table = found.table.to_pandas().sort_values("expected_additions")
    assert table["cross_buy_score"].is_monotonic_increasing
    assert table["cross_buy_score"].mean() == pytest.approx(0.5)
    assert table["next_probability"].dropna().between(0, 1).all()


def test_no_category_column_no_look():
    transactions = as_tables({"transactions": draw_lines(20)})["transactions"].drop("category")
    look = measure_cross_buy(transactions, customer_summary(transactions, AS_OF), AS_OF)
    assert look.table is None
    assert "category" in look.reason


def test_short_history_is_not_measured():
    lines = draw_lines(50)
    assert measure(lines[lines["day"] > 700]).table is None


def test_rates_by_hand():
    """100 customers hold a, 10 of them add b; 100 hold c, none adds b: base rate 10/200, pulled by 1 % of 200."""
    moves = pd.DataFrame({"held": [1, 1, 4], "band": [0, 0, 0], "bought": [2, 0, 0], "n": [10, 90, 100]})
    model = learn(moves, NAMES)
    assert model.base[1] == pytest.approx(0.05)
    assert model.lift[0, 1] == pytest.approx((10 + 2 * 0.05) / 102 / 0.05)
    assert model.lift[2, 1] == pytest.approx((0 + 2 * 0.05) / 102 / 0.05)


def test_counting_everybody_twice_changes_no_probability():
    moves = pd.DataFrame({"held": [1, 1, 4, 5], "band": [0, 1, 0, 2], "bought": [2, 0, 3, 0], "n": [10, 90, 100, 7]})
    once, twice = learn(moves, NAMES), learn(moves.assign(n=2 * moves["n"]), NAMES)
    states = np.array([1, 2, 3, 4, 5, 6]), np.array([0, 1, 2, 3, 0, 1])
    np.testing.assert_allclose(probabilities(once, *states), probabilities(twice, *states), rtol=1e-12)


def test_probabilities_lie_in_0_1_and_are_0_for_what_is_held():
    moves = pd.DataFrame({"held": [1, 2, 4], "band": [0, 0, 0], "bought": [6, 5, 3], "n": [50, 50, 50]})
    chance = probabilities(learn(moves, NAMES), np.arange(8), np.zeros(8, dtype=int))
    assert ((chance >= 0) & (chance <= 1)).all()
    assert (chance[unpack(np.arange(8), 3) > 0] == 0).all()


def test_precision_by_hand():
    """Two customers, one suggestion each: the model is right for one, popularity for none."""
    model, popular = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.3, 0.4], [0.4, 0.3]])
    added = np.array([[1.0, 0.0], [0.0, 0.0]])
    got = compare_precision(model, popular, added, np.array([1.0, 1.0]), 1)
    assert (got["precision_1"], got["popularity_1"]) == (0.5, 0)


def test_returned_lines_are_not_bought():
    lines = draw_lines(200)
    transactions = as_tables({"transactions": lines})["transactions"]
    gone = transactions.mutate(is_return=transactions.category == "ink")
    look = measure_cross_buy(gone, customer_summary(gone, AS_OF).cache(), AS_OF)
    assert "ink" not in look.categories["category"].tolist()


def test_period_is_a_quarter_of_a_short_history():
    lines = draw_lines(200, days=200)
    assert measure(lines).period_days == (729 - int(lines["day"].min()) + 1) // 4
    assert dt.timedelta(days=measure(draw_lines(200)).period_days) == dt.timedelta(days=91)


@pytest.mark.parametrize(
    ("gain", "error", "words"),
    [(0.03, 0.001, "suggestions beat"), (0.003, 0.001, "hardly"), (0.003, 0.002, "do **not** beat"),
     (-0.03, 0.001, "worse")],
)  # fmt: skip
def test_suggestions_beat_popularity_only_where_the_interval_says_so(gain, error, words):
    check = {"gain_3": gain, "gain_error_3": error, "precision_3": 0.16 + gain, "popularity_3": 0.16}
    assert words in compare_suggestions(check, 0.9)


def test_base_of_the_added_share_is_customers_without_the_category():
    moves = pd.DataFrame({"held": [1, 1, 2], "band": [0, 0, 0], "bought": [2, 0, 0], "n": [3, 7, 5]})
    model = learn(moves, ["a", "b"])
    assert model.others.tolist() == [5, 10]
    assert model.base.tolist() == [0, 0.3]
