"""The quadrants: everybody in exactly one, sums to the cent, lines where the client wants them."""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from perennial.analysis.potential_strategies import applicable_strategies, contacts_a_year
from perennial.analysis.quadrant_map import count_cells, leading_customers, look_profile
from perennial.analysis.quadrants import (
    LOOKS,
    QUADRANTS,
    CutLines,
    cut_lines,
    misallocation,
    potential_score,
    quadrant_of,
    quadrant_table,
    sensitivity,
)
from perennial.chapters import churn, potential_quadrants
from perennial.charts import potential as charts
from perennial.charts import theme
from perennial.parameters import DEFAULT_STRATEGIES
from potential_base import compute, draw_frames, memtable, rows


def cutoffs(value=0.5, potential=0.5, kind="quantile"):
    return SimpleNamespace(
        value=SimpleNamespace(kind=kind, at=value), potential=SimpleNamespace(kind=kind, at=potential)
    )


def customers(count: int = 400, seed: int = 3) -> pd.DataFrame:
    """Scored customers with heavy-tailed values, a quarter of them worth nothing."""
    rng = np.random.default_rng(seed)
    value = np.where(rng.random(count) < 0.25, 0.0, rng.lognormal(3, 1.5, count))
    frame = pd.DataFrame({f"{look}_score": rng.random(count) for look in LOOKS})
    return frame.assign(
        customer_id=[f"c{n:04d}" for n in range(count)], current_value=value, potential_score=100 * rng.random(count),
        spend_12m=value * 4, headroom=value, expected_additions=1.0, next_category="x", stage="mature",
    )  # fmt: skip


def assigned(frame: pd.DataFrame, cuts: CutLines):
    table = memtable(frame)
    return table.mutate(quadrant=quadrant_of(table, cuts))


def test_corners_are_where_the_strategy_expects_them():
    """The table of the method note, and "above the line" for a customer on it."""
    frame = pd.DataFrame({"current_value": [9.0, 9, 1, 1, 5], "potential_score": [90.0, 10, 90, 10, 50]})
    found = assigned(frame, CutLines(5, 50)).to_pandas()["quadrant"].tolist()
    assert found == ["growth_stock", "cash_cow", "sleeping_gold", "low_yield", "low_yield"]


def test_median_cut_halves_the_customers_with_any_value():
    frame = customers()
    cuts = cut_lines(memtable(frame), cutoffs())
    some = frame[frame["current_value"] > 0]
    assert cuts.value == pytest.approx(some["current_value"].median())
    assert cuts.potential == pytest.approx(some["potential_score"].median())


def test_absolute_cut_stands_where_it_is_put():
    assert cut_lines(memtable(customers()), cutoffs(100, 70, "absolute")) == CutLines(100, 70)


def test_nobody_with_value_still_gives_every_customer_a_quadrant():
    frame = customers().assign(current_value=0.0)
    cuts = cut_lines(memtable(frame), cutoffs())
    assert cuts.value == 0
    counts = assigned(frame, cuts).to_pandas()["quadrant"].value_counts()
    assert counts.to_dict() == {"sleeping_gold": 200, "low_yield": 200}


def test_one_customer_is_in_one_quadrant():
    frames = {name: f[f["customer_id"] == "c0002"] for name, f in draw_frames().items()}
    found = compute(frames)
    assert rows(found)["quadrant"].isin(QUADRANTS).tolist() == [True]
    assert found.frames["quadrants"]["customers"].sum() == 1
    assert found.facts["validation"]["reason"]
    assert found.facts["measured"]["wallet"] is False


def test_quadrants_add_up_to_customers_and_to_revenue_to_the_cent():
    frames = draw_frames()
    table = compute(frames).frames["quadrants"]
    assert table["quadrant"].tolist() == list(QUADRANTS)
    assert table["customers"].sum() == frames["transactions"]["customer_id"].nunique()
    assert sum(table["revenue"]) == Decimal(int(frames["transactions"]["cents"].sum())) / 100
    for share in ("customer_share", "revenue_share", "value_share", "cost_share"):
        assert table[share].sum() == pytest.approx(1)


def test_current_value_is_the_models_where_there_is_one():
    found = compute(value=lambda summary: summary.select("customer_id", clv=summary.frequency.cast("float64")))
    assert found.facts["value_source"] == "clv"
    assert rows(found)["current_value"].max() > 5
    without = compute()
    assert without.facts["value_source"] == "spend_12m"
    assert rows(without)["current_value"].sum() == pytest.approx(float(rows(without)["spend_12m"].sum()))


def test_quadrants_say_how_many_of_their_customers_have_lapsed():
    """Counted one customer at a time; the same stage as in the table of customers."""
    found = compute()
    everyone, table = rows(found), found.frames["quadrants"].set_index("quadrant")
    for stage in ("declining", "lapsed"):
        counted = everyone[everyone["stage"] == stage].groupby("quadrant").size()
        assert table[stage].to_dict() == counted.reindex(table.index, fill_value=0).to_dict()
    assert table["lapsed"].sum() > 0


def test_valuable_customers_who_have_lapsed_are_told(shipped):
    """The stage of the quadrants and the state of the chapter on leaving are one: counted from both tables."""
    client = shipped("demo")
    study = potential_quadrants.study(client)
    both = client.potential.customers.to_pandas()
    valuable = both[(both["stage"] == "lapsed") & both["quadrant"].isin(["growth_stock", "cash_cow"])]
    told = [finding for finding in study.findings if finding.id == "potential.silent"]
    assert [finding.value for finding in told] == ([float(len(valuable))] if len(valuable) else [])
    states = churn.study(client).states
    assert (both["stage"] == "lapsed").sum() == states.loc[states["state"] == "lapsed", "customers"].sum()


def test_empty_quadrants_stay_in_the_table():
    frame = customers(3).assign(current_value=[1.0, 2, 3], potential_score=10.0)
    table = assigned(frame, CutLines(0.5, 50))
    summary = memtable(pd.DataFrame({"customer_id": frame["customer_id"], "revenue": [1.0, 1, 1]}))
    found = quadrant_table(table, summary, None, DEFAULT_STRATEGIES).set_index("quadrant")
    assert found["customers"].to_dict() == {"growth_stock": 0, "cash_cow": 3, "sleeping_gold": 0, "low_yield": 0}
    assert found["cost"].isna().all()


def test_moving_a_median_line_by_ten_points_moves_a_tenth_of_the_customers_with_value():
    """By construction of a quantile; three quarters of this base have value."""
    frame = customers(4000)
    weights = dict.fromkeys(LOOKS, 0.25)
    table = memtable(frame)
    table = table.mutate(potential_score=potential_score(table, weights))
    table = table.mutate(quadrant=quadrant_of(table, cut_lines(table, cutoffs())))
    found = sensitivity(table, weights, cutoffs()).set_index(["kind", "what", "change"])["changed_share"]
    assert len(found) == 12
    assert found["cut"].loc["value"].tolist() == pytest.approx([0.075, 0.075], abs=0.003)
    assert found["weight"].between(0.001, 0.2).all()


def test_misallocation_is_half_the_sum_of_differences():
    """By hand: 100 spent, all on low yield, recommended a quarter each → 75 would move."""
    table = pd.DataFrame({"cost": [0.0, 0, 0, 100], "budget_share": [0.25] * 4})
    assert misallocation(table).misplaced == 75
    assert misallocation(table).total == 100


def test_misallocation_without_costs_is_not_measured():
    table = pd.DataFrame({"cost": [float("nan")] * 4, "budget_share": [0.25] * 4})
    found = misallocation(table, "no cost")
    assert (found.measured, found.reason) == (False, "no cost")


def test_cost_of_contacts_is_counted_over_the_last_year():
    found = compute()
    assert found.facts["cost_unit"] == "money"
    assert found.facts["misallocation"]["total"] == 80 * 1.5  # every third of 240 customers, 1.50 each
    assert compute(without=("contacts",)).facts["misallocation"]["measured"] is False


def test_every_customer_is_in_one_cell_of_the_map_and_no_cell_crosses_a_line():
    frame = customers()
    cuts = cut_lines(memtable(frame), cutoffs())
    cells = count_cells(assigned(frame, cuts), cuts.value, cuts.potential)
    assert cells["customers"].sum() == len(frame)
    for axis, line in (("value", cuts.value), ("score", cuts.potential)):
        crosses = (cells[f"{axis}_low"] < line * (1 - 1e-9)) & (cells[f"{axis}_high"] > line * (1 + 1e-9))
        assert not crosses.any()


def test_profile_is_the_mean_of_the_measured():
    frame = customers()
    frame.loc[:99, "wallet_score"] = np.nan
    table = assigned(frame, CutLines(20, 50))
    wallet = table.wallet_score.nullif(float("nan"))
    found = look_profile(table.mutate(wallet_score=wallet))
    known = table.to_pandas()
    expected = known[known["quadrant"] == "cash_cow"]["wallet_score"].mean()
    assert found.loc["cash_cow", "wallet"] == pytest.approx(expected)
    assert list(found.index) == list(QUADRANTS)


def test_leading_customers_are_of_the_quadrant_and_sorted():
    table = assigned(customers(), CutLines(20, 50))
    found = leading_customers(table, "growth_stock", 5)
    everyone = table.to_pandas()
    best = everyone[everyone["quadrant"] == "growth_stock"]["potential_score"].nlargest(5)
    assert found["potential_score"].tolist() == best.tolist()


def test_map_writes_count_and_money_in_its_own_corner():
    theme.set_theme()
    frame = customers()
    cuts = cut_lines(memtable(frame), cutoffs())
    table = assigned(frame, cuts)
    sums = table.group_by("quadrant").agg(customers=table.count(), current_value=table.current_value.sum()).to_pandas()
    ax = charts.quadrant_map(count_cells(table, cuts.value, cuts.potential), sums, cuts.value, cuts.potential, "EUR")
    texts = {text.get_text().split("\n")[0]: text for text in ax.texts}
    assert set(texts) == {charts.quadrant_label(quadrant) for quadrant in QUADRANTS}
    for row in sums.itertuples():
        text = texts[charts.quadrant_label(row.quadrant)]
        assert text.get_text().split("\n")[1].startswith(f"{row.customers} customers")
        assert text.xy == charts.CORNERS[row.quadrant]
    assert ax.get_xscale() == "log"
    assert len(ax.lines) == 2


@pytest.mark.parametrize(
    ("cadence", "times"),
    [("monthly", 12), ("quarterly", 4), ("two tests a quarter", 8), ("once a year", 1), ("3 per month", 36),
     ("only on the customer's own action", None)],
)  # fmt: skip
def test_cadence_in_words_becomes_contacts_a_year(cadence, times):
    assert contacts_a_year(cadence) == times


def test_without_categories_no_action_proposes_a_next_one():
    kept = applicable_strategies(DEFAULT_STRATEGIES, {"cross_buy": False})
    assert kept["growth_stock"].action == "bet heavily: named contact, early access"
    assert kept["low_yield"] == DEFAULT_STRATEGIES["low_yield"]
    assert applicable_strategies(DEFAULT_STRATEGIES, {"cross_buy": True}) == DEFAULT_STRATEGIES
