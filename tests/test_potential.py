"""The potential score: invariants that hold for any client, and the proof that finds a planted signal and no other."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from perennial.analysis.engagement import engagement_scores
from perennial.analysis.lifecycle import STAGES, lifecycle_stages
from perennial.analysis.potential import PotentialResult
from perennial.analysis.potential_validation import expected_spend, holdout_length, validate_score
from perennial.analysis.quadrants import LOOKS, effective_weights, potential_score
from perennial.analysis.ranks import percentile_rank
from perennial.chapters.potential_words import added_size
from perennial.tables.engine import connect
from potential_base import AS_OF, as_tables, compute, draw_frames, memtable, parameters, rows, twice

SCORES = [f"{look}_score" for look in LOOKS]
WEIGHTS = {"wallet": 0.3, "cross_buy": 0.25, "engagement": 0.2, "lifecycle": 0.25}


@pytest.fixture(scope="module")
def result() -> PotentialResult:
    return compute()


def test_scores_lie_between_0_and_100_and_use_all_four_looks(result):
    customers = rows(result)
    assert len(customers) == 240
    assert customers["potential_score"].between(0, 100).all()
    assert customers["potential_score"].nunique() > 100
    assert customers[SCORES].notna().all().all()
    assert (customers["looks_measured"] == 4).all()


def test_score_is_the_weighted_sum_of_its_looks(result):
    customers = rows(result)
    by_hand = 100 * sum(WEIGHTS[look] * customers[f"{look}_score"] for look in LOOKS)
    np.testing.assert_allclose(customers["potential_score"], by_hand, atol=1e-8)


def test_cents_or_dollars_change_no_score_and_no_quadrant(result):
    in_cents = rows(compute(unit="cents"))
    customers = rows(result)
    np.testing.assert_allclose(in_cents[SCORES], customers[SCORES], atol=1e-9)
    pd.testing.assert_series_equal(in_cents["potential_score"], customers["potential_score"])
    pd.testing.assert_series_equal(in_cents["quadrant"], customers["quadrant"])
    pd.testing.assert_series_equal(in_cents["next_category"], customers["next_category"])


def test_duplicated_base_changes_no_score(result):
    doubled, customers = rows(compute(twice(draw_frames()))), rows(result)
    once = doubled[~doubled.index.str.startswith("copy ")]
    again = doubled[doubled.index.str.startswith("copy ")].rename(index=lambda name: name.removeprefix("copy "))
    for part in (once, again):
        np.testing.assert_allclose(part[SCORES], customers[SCORES], atol=1e-6)
        np.testing.assert_allclose(part["potential_score"], customers["potential_score"], atol=1e-4)


def test_score_never_falls_when_one_look_rises():
    """Monotone in each look, whatever the weights."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.random((50, 4)), columns=SCORES)
    for column in SCORES:
        better = frame.assign(**{column: (frame[column] + 0.1).clip(upper=1)})
        before, after = (
            table.mutate(score=potential_score(table, WEIGHTS)).to_pandas()["score"]
            for table in (memtable(frame), memtable(better))
        )
        assert (after.to_numpy() >= before.to_numpy()).all()
        assert (after.to_numpy() > before.to_numpy()).any()


@pytest.mark.parametrize("missing", [(), ("wallet",), ("wallet", "engagement"), ("cross_buy", "wallet", "engagement")])
def test_effective_weights_sum_to_one_over_the_measured_looks(missing):
    measured = {look: look not in missing for look in LOOKS}
    weights = effective_weights(WEIGHTS, measured)
    assert sum(weights.values()) == pytest.approx(1, abs=1e-12)
    assert all(weights[look] == 0 for look in missing)


def test_look_with_all_the_weight_but_no_data_leaves_the_others_equal():
    weights = effective_weights(
        {"wallet": 1.0, "cross_buy": 0, "engagement": 0, "lifecycle": 0}, {look: look != "wallet" for look in LOOKS}
    )
    assert weights == pytest.approx({"wallet": 0, "cross_buy": 1 / 3, "engagement": 1 / 3, "lifecycle": 1 / 3})


def test_unmeasured_looks_are_named_and_their_weight_shared_visibly():
    found = compute(without=("customers", "interactions", "category"))
    weights = found.frames["weights"].set_index("look")
    assert weights["effective_weight"].tolist() == [0, 0, 0, 1]
    assert weights["weight"].sum() == pytest.approx(1)
    assert all(weights.loc[look, "reason"] for look in ("wallet", "cross_buy", "engagement"))
    customers = rows(found)
    assert customers[["wallet_score", "cross_buy_score", "engagement_score"]].isna().all().all()
    np.testing.assert_allclose(customers["potential_score"], 100 * customers["lifecycle_score"], atol=1e-8)


def test_customer_without_attributes_takes_the_neutral_half_and_is_flagged():
    """Only part of the base has attributes, as in Complete Journey (801 of 2 469 households)."""
    frames = draw_frames()
    frames["customers"] = frames["customers"].iloc[:150]
    customers = rows(compute(frames))
    bare = customers[customers["wallet_score"].isna()]
    assert len(bare) == 90
    assert (bare["looks_missing"] == "wallet").all()
    assert (bare["looks_measured"] == 3).all()
    by_hand = 100 * (0.3 * 0.5 + sum(WEIGHTS[look] * bare[f"{look}_score"] for look in LOOKS if look != "wallet"))
    np.testing.assert_allclose(bare["potential_score"], by_hand, atol=1e-8)


def test_percentile_rank_counts_ties_half():
    """By hand: 10, 20, 20, 40 → 1/8, 4/8, 4/8, 7/8."""
    table = memtable(pd.DataFrame({"x": [40, 20, 10, 20]}))
    ranked = table.mutate(rank=percentile_rank(table, "x")).to_pandas().sort_values("x")
    assert ranked["rank"].tolist() == [0.125, 0.5, 0.5, 0.875]


def test_every_customer_is_in_exactly_one_stage_and_silent_ones_are_lapsed():
    tables = as_tables(draw_frames())
    from perennial.tables.summary import customer_summary

    summary = customer_summary(tables["transactions"], AS_OF).cache()
    found = lifecycle_stages(tables["transactions"], summary, AS_OF)
    stages = found.table.to_pandas().set_index("customer_id")["stage"]
    assert len(stages) == 240
    assert set(stages) <= set(STAGES)
    silent = summary.filter(summary.last_on < "2024-03-01").to_pandas()["customer_id"]  # usual gap: a month
    assert len(silent) > 50
    assert (stages[silent] == "lapsed").all()


def test_engagement_halves_with_each_half_life_and_is_zero_without_events():
    """By hand: one kind, an event today (1) and one 90 days ago (1/2), mean of three customers 1/2."""
    events = pd.DataFrame({
        "customer_id": ["a", "b"], "occurred_at": pd.to_datetime(["2024-12-31", "2024-10-02"]), "kind": ["visit"] * 2
    })  # fmt: skip
    people = memtable(pd.DataFrame({"customer_id": ["a", "b", "c"]}))
    found = engagement_scores(memtable(events), people, AS_OF, 90).to_pandas().set_index("customer_id")
    assert found["engagement"].to_dict() == pytest.approx({"a": 1 / 1.5, "b": 0.5, "c": 0}, abs=1e-8)
    assert found["engagement_score"].to_dict() == pytest.approx({"a": 2.5 / 3, "b": 1.5 / 3, "c": 0})


def test_engagement_ignores_events_after_the_day_asked():
    events = pd.DataFrame({"customer_id": ["a"], "occurred_at": pd.to_datetime(["2025-01-05"]), "kind": ["visit"]})
    people = memtable(pd.DataFrame({"customer_id": ["a", "b"]}))
    assert engagement_scores(memtable(events), people, AS_OF).to_pandas()["engagement_score"].tolist() == [0, 0]


def planted(strength: float, customers: int = 3000) -> pd.DataFrame:
    """Spend with regression to the mean; the score pushes later spend by ``strength`` and knows nothing else."""
    rng = np.random.default_rng(8)
    level = rng.gamma(2, 50, customers)
    score = rng.random(customers)
    push = 1 + strength * (score - 0.5)
    spend = {name: level * rng.gamma(4, 0.25, customers) for name in ("recent", "earlier", "later")}
    return pd.DataFrame({
        "potential_score": 100 * score, "year": spend["recent"] + spend["earlier"], "recent": spend["recent"],
        "later": spend["later"] * push, **{f"{look}_score": score for look in LOOKS},
    })  # fmt: skip


def run_tests(frame: pd.DataFrame) -> pd.DataFrame:
    found = validate_score(frame, dt.date(2024, 6, 30), 180, 360, dict.fromkeys(LOOKS, True), parameters())
    return found.tests.set_index("test")


def test_proof_finds_a_planted_signal():
    tests = run_tests(planted(1.0))
    assert tests.loc["added", "low"] > 0.1


def test_proof_finds_nothing_where_nothing_is_planted():
    tests = run_tests(planted(0.0))
    assert tests.loc["added", "low"] < 0 < tests.loc["added", "high"]
    assert tests.loc["gain", "high"] < 0  # past spend knows of regression to the mean, the score does not


def test_low_past_spend_alone_does_not_pass_for_potential():
    """A score that only says "spent little of late" ranks growth well and adds nothing: regression to the mean."""
    frame = planted(0.0)
    frame["potential_score"] = -frame["year"]
    tests = run_tests(frame)
    assert tests.loc["score", "low"] > 0.1
    assert tests.loc["added", "value"] == pytest.approx(0, abs=0.02)


def test_expected_spend_follows_the_mean_of_customers_with_the_same_past():
    """By hand: all spend their own level again, so expected and later agree on the average of each band."""
    level = np.repeat(np.arange(1.0, 21.0), 50)
    frame = pd.DataFrame({"year": 2 * level, "recent": level, "later": level})
    np.testing.assert_allclose(
        expected_spend(frame, np.random.default_rng(1)), level, atol=1.0
    )  # a band may hold two levels


def test_deciles_hold_all_customers_and_later_spend():
    frame = planted(0.5, 1000)
    found = validate_score(frame, dt.date(2024, 6, 30), 180, 360, dict.fromkeys(LOOKS, True), parameters())
    deciles = found.deciles
    assert deciles["customers"].tolist() == [100] * 10
    assert (deciles["customers"] * deciles["later"]).sum() == pytest.approx(frame["later"].sum())
    assert (deciles["lift_low"] <= deciles["lift"]).all()
    assert (deciles["lift"] <= deciles["lift_high"]).all()


@pytest.mark.parametrize(("span", "asked", "days"), [(300, None, 100), (300, 60, 60), (300, 200, 100)])
def test_holdout_is_a_third_of_the_history_at_most(span, asked, days):
    assert holdout_length(span, asked) == days


def test_nothing_after_the_cut_is_known_to_the_score(monkeypatch):
    """A planted leak: spend after the cut grows a hundredfold, and the score of the cut must not move."""
    import perennial.analysis.potential as potential

    seen = []
    original = potential.later_spend

    def spy(transactions, scored, cut, days):
        frame = original(transactions, scored, cut, days)
        seen.append(frame)
        return frame

    monkeypatch.setattr(potential, "later_spend", spy)
    frames = draw_frames()
    compute(frames)
    cut = 729 - 730 // 3
    late = frames["transactions"]["day"] > cut
    frames["transactions"]["cents"] = frames["transactions"]["cents"].where(
        ~late, 100 * frames["transactions"]["cents"]
    )
    compute(frames)
    before, after = seen
    pd.testing.assert_frame_equal(before.drop(columns="later"), after.drop(columns="later"))
    assert after["later"].sum() > 50 * before["later"].sum()


def test_result_read_back_equals_the_one_saved(result, tmp_path):
    result.save(tmp_path / "potential")
    back = PotentialResult.load(tmp_path / "potential", connect())
    pd.testing.assert_frame_equal(rows(back), rows(result), check_dtype=False)
    assert set(back.frames) == set(result.frames)
    assert back.facts == result.facts
    assert sum(back.frames["quadrants"]["revenue"]) == sum(result.frames["quadrants"]["revenue"])


def test_same_input_gives_the_same_numbers_twice(result):
    pd.testing.assert_frame_equal(rows(compute()), rows(result))


@pytest.mark.parametrize(
    ("value", "words"), [(0.03, "next to nothing"), (-0.04, "next to nothing"), (0.07, "little"), (0.2, "some"),
                         (0.3, "much")],
)  # fmt: skip
def test_partial_correlation_is_graded_by_its_size(value, words):
    assert added_size(value) == words
