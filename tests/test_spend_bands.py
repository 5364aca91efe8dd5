"""Frequency against spend: correlations with intervals, spend models by band, what they change; and the section."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest

from one_model import by_one_model
from perennial.analysis import spend_bands
from perennial.analysis.fitters import fit_gamma_gamma
from perennial.analysis.spend_model import check_independence
from perennial.analysis.value import ValueResult
from perennial.chapters import assumed_spend, value_assumptions
from perennial.charts import assumptions as charts
from perennial.errors import ModelError
from published import calibration_sample
from test_edge_clients import BROKEN


def customers(people: int, seed: int, slope: float = 0.0) -> pd.DataFrame:
    """Gamma-Gamma customers (p 6, q 4, v 15) whose scale grows as (1 + x)^slope; ``truth``: their own mean order."""
    rng = np.random.default_rng(seed)
    x = rng.geometric(0.25, people) - 1
    nu = rng.gamma(4.0, size=people) / (15.0 * (1 + x) ** slope)
    paid = np.where(x > 0, rng.gamma(6.0 * np.maximum(x, 1)) / nu / np.maximum(x, 1), 0.0)
    return pd.DataFrame({"frequency": x, "monetary_value": paid, "weight": 1, "truth": 6.0 / nu})


def banded(rows: pd.DataFrame) -> spend_bands.BandedSpend:
    return spend_bands.fit_bands(rows, fit_gamma_gamma(rows))


def test_published_correlations_and_their_intervals():
    """CDNOW 1/10 sample: Pearson .114, Spearman .206 (946 repeat customers); the intervals leave out 0."""
    found = spend_bands.measure_independence(calibration_sample())
    assert (found.pearson, found.spearman) == pytest.approx((0.114, 0.206), abs=5e-4)
    assert found.customers == 946
    assert found.pearson_low < 0.114 < found.pearson_high
    assert found.spearman_low == pytest.approx(0.154, abs=0.003)  # tanh(atanh .206 − 1.645 · √((1 + .206²/2) / 943))
    assert found.violated


def test_intervals_hold_the_correlation_at_their_level():
    """Coverage: 150 samples of 400 with skew orders; the correlations of 300 000 are inside near 90 %, error 2.5."""
    everyone = check_independence(customers(300_000, 1, slope=0.3))
    inside = []
    for seed in range(150):
        found = spend_bands.measure_independence(customers(400, 1000 + seed, slope=0.3))
        inside.append(
            (
                found.pearson_low <= everyone["pearson"] <= found.pearson_high,
                found.spearman_low <= everyone["spearman"] <= found.spearman_high,
            )
        )
    shares = np.mean(inside, axis=0)
    assert shares[0] > 0.80 and abs(shares[1] - 0.9) < 0.075, shares


def test_independent_spend_is_no_violation_and_bands_agree():
    """Simulated without a link: bands are within 2.6 standard errors of the true mean, 6 · 15 / 3 = 30."""
    rows = customers(6000, 2)
    assert not spend_bands.measure_independence(rows).violated
    found = banded(rows)
    assert [band.first for band in found.bands] == [1, 2, 4, 7]
    assert found.merged == ()
    for band in found.bands:
        assert abs(band.mean - 30) < 2.6 * band.error
        assert 0 < band.error < 3


def test_a_planted_link_is_found_and_bands_come_nearer_to_the_truth():
    """Simulated: order values grow with frequency; the direction is right, one-time buyers gain most."""
    rows = customers(6000, 3, slope=0.5)
    link = spend_bands.measure_independence(rows)
    assert link.violated and link.spearman > 0.1
    pooled, found = fit_gamma_gamma(rows), banded(rows)
    means = [band.mean for band in found.bands]
    assert means == sorted(means)
    one = pooled.expected_order_value(rows["frequency"], rows["monetary_value"])
    each = found.expected_order_value(rows)
    for inside in (rows["frequency"] == 0, rows["frequency"] == 1, rows["frequency"] >= 0):
        wrong, right = (np.sqrt(np.mean((guess - rows["truth"])[inside] ** 2)) for guess in (one, each))
        assert right < wrong
    groups = spend_bands.order_values(rows, pooled, found, 0.9)
    seen = groups.dropna(subset="observed")
    assert ((seen["banded"] > seen["low"]) & (seen["banded"] < seen["high"])).all()
    first = seen.iloc[0]
    assert first["pooled"] > first["observed"]  # the one model is too high for rare buyers
    assert groups.iloc[0]["first"] == 0 and groups.iloc[0]["banded"] < groups.iloc[0]["pooled"]


def test_small_bands_are_merged_and_named():
    """Planted: only 20 customers of 7 and more; they join 4–6, and the list of merged bands says so."""
    rows = customers(4000, 4)
    few = rows[(rows["frequency"] < 7) | (rows.groupby("frequency").cumcount() < 3)]
    kept = few[few["frequency"] <= 12]
    found = banded(kept)
    assert found.bands[-1].first == 4 and found.bands[-1].last is None
    assert found.merged == ((7, None),)
    assert sum(band.customers for band in found.bands) == (kept["frequency"] > 0).sum()


def test_too_few_for_two_bands_is_an_error_with_the_reason():
    """60 repeat customers in all cannot be told apart by bands."""
    rows = customers(80, 5)
    pooled = fit_gamma_gamma(customers(2000, 5))
    with pytest.raises(ModelError, match="too few customers have bought repeatedly"):
        spend_bands.fit_bands(rows, pooled)


def test_correlations_of_nobody_are_missing():
    """Nobody repeats, or everyone alike: nothing to measure, and no violation."""
    nobody = pd.DataFrame({"frequency": [0, 0], "monetary_value": [0.0, 0.0], "weight": [5, 5]})
    same = pd.DataFrame({"frequency": [2, 2], "monetary_value": [9.0, 9.0], "weight": [50, 50]})
    for rows in (nobody, same):
        found = spend_bands.measure_independence(rows)
        assert np.isnan(found.pearson) and not found.violated


def test_weights_stand_for_customers():
    """Invariant: a row of weight two is two customers."""
    rows = customers(500, 6)
    twice = pd.concat([rows, rows], ignore_index=True)
    weighted = rows.assign(weight=2)
    one, two = spend_bands.measure_independence(twice), spend_bands.measure_independence(weighted)
    assert vars(one) == pytest.approx(vars(two))


@pytest.fixture(scope="module")
def demo(shipped) -> tuple:
    client = shipped("demo")
    return client, client.value, value_assumptions.part(client, client.value)


def test_value_by_band_adds_up_to_the_equity(demo):
    """Report and table agree: the pooled value of all bands is the equity; one-time buyers have their own row."""
    _client, result, _part = demo
    found = spend_bands.fit_bands(result.rows, result.spend)
    table = spend_bands.value_by_band(result.rows, found)
    assert table["pooled"].iloc[-1] == pytest.approx(result.equity.value)
    assert table["pooled"].iloc[:-1].sum() == pytest.approx(result.equity.value)
    assert table["banded"].iloc[:-1].sum() == pytest.approx(table["banded"].iloc[-1])
    assert table["customers"].iloc[:-1].sum() == table["customers"].iloc[-1]
    once = result.rows[result.rows["frequency"] == 0]
    assert found.expected_order_value(once) == pytest.approx(np.full(len(once), found.bands[0].mean))


def test_the_holdouts_bands_hold_all_its_revenue(demo):
    """Both views agree: actual revenue and the pooled forecast are those of ``judge_revenue``."""
    _client, result, _part = demo
    held = result.holdout
    bands = held.revenue_bands
    assert bands["actual"].sum() == pytest.approx(held.revenue["actual"], rel=1e-9)
    assert bands["pooled_forecast"].sum() == pytest.approx(held.revenue["predicted"], rel=1e-6)
    assert bands["customers"].sum() == held.n_customers
    assert bands["purchases"].sum() == held.score(held.model.name)["actual"]
    assert (bands["low"] < bands["high"]).all()


NAMES = {
    "value_residuals", "value_season", "value_season_tested", "value_next_months", "value_regularity", "value_silence",
    "value_order_values", "value_spend_bands", "value_spend_tested",
}  # fmt: skip


def test_the_section_shows_or_explains_everything(demo):
    """Every exhibit is there or has its reason; titles are findings of at most 15 words; two findings at most."""
    _client, _result, part = demo
    assert set(part.exhibits) | set(part.absent) == NAMES
    assert not set(part.exhibits) & set(part.absent)
    for name, shown in part.exhibits.items():
        assert len(shown.caption.title.split()) <= 15, shown.caption.title
        assert shown.caption.subtitle and "n = " in shown.caption.source
        assert "{" not in shown.caption.title + shown.caption.subtitle + shown.caption.reading
        assert set(shown.formats) <= set(shown.frame.columns) and len(shown.frame), name
    assert 1 <= len(part.findings) <= 2
    for finding in part.findings:
        assert finding.figure in part.exhibits
        assert finding.sentence.endswith(".")
    assert not any("nan" in text or "{" in text for text in part.says)


def test_charts_show_their_frames(demo):
    """What is drawn is what the tables hold."""
    client, _result, part = demo
    shown = part.exhibits["value_season"].frame
    ax = charts.season(shown)
    assert ax.lines[1].get_ydata() == pytest.approx(shown["raw"].to_numpy())
    bins = part.exhibits["value_regularity"].frame
    ax = charts.regularity(bins)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(bins["observed"].tolist())
    orders = part.exhibits["value_order_values"].frame
    ax = charts.order_values(orders, client.parameters.currency)
    assert [t.get_text() for t in ax.get_xticklabels()][:2] == ["none (bought once)", "1"]
    weeks = part.exhibits["value_residuals"].frame
    ax = charts.residuals(weeks)
    drawn = [line for line in ax.lines if len(line.get_xdata()) == len(weeks)]
    assert np.nanmax(np.abs(drawn[0].get_ydata() - weeks["ratio"])) == 0


def test_without_holdout_or_spend_model_the_reasons_stand_in_their_place(demo):
    """Odd clients raise nothing: what cannot be said is absent, with why."""
    client, result, _part = demo
    bare = replace(result, holdout=None, holdout_reason="too short a span.", spend=None, spend_reason="no money known.")
    part = value_assumptions.part(client, bare)
    assert set(part.exhibits) == {"value_next_months", "value_regularity"}
    assert "too short a span" in part.absent["value_residuals"]
    assert "no money known" in part.absent["value_order_values"]
    assert set(part.exhibits) | set(part.absent) == NAMES


def test_independent_spend_is_said_in_a_sentence_and_not_in_the_bottom_line(demo):
    """No violation: no bands, no finding, and the sentence says that the assumption about holds."""
    client, result, _part = demo
    rows = customers(3000, 7).rename(columns={"truth": "expected_order_value"})
    spend = fit_gamma_gamma(rows)
    part = assumed_spend.spend(client, by_one_model(result, rows=rows, spend=spend))
    assert part.findings == ()
    assert "about holds" in part.says[0]
    assert "one spend model serves for all" in part.absent["value_spend_bands"]


def test_what_was_stored_comes_back(demo, tmp_path: Path):
    """The hold-out's new frames survive being saved and loaded."""
    client, result, _part = demo
    result.save(tmp_path)
    loaded = ValueResult.load(tmp_path, client._engine).holdout
    pd.testing.assert_frame_equal(loaded.revenue_bands, result.holdout.revenue_bands)
    assert loaded.trends == result.holdout.trends


def orders(people: int, days: int, paid: float, regular: bool = False) -> list[tuple[str, str, float]]:
    """Customers with rates of their own who order at random or by the clock and stop at some time."""
    rng = np.random.default_rng(people)
    lines = []
    for n in range(people):
        gap = 60 / rng.gamma(0.8)
        steps = np.full(400, gap) if regular else rng.exponential(gap, 400)
        when = rng.integers(0, days // 2) + np.concatenate([[0.0], np.cumsum(steps)])[: 1 + rng.geometric(0.1)]
        on = {str((pd.Timestamp("2024-12-31") - pd.Timedelta(days=days - int(d))).date()) for d in when if d < days}
        lines += [(f"c{n}", day, round(paid * rng.gamma(3.0), 2)) for day in sorted(on)]
    return lines


ODD = {
    "small": orders(90, 150, 5.0),
    "clockwork": orders(300, 500, 5.0, regular=True),
    "free": orders(200, 400, 0.0),
    "two_years": orders(400, 1095, 5.0),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_clients_get_a_section_without_gaps_in_its_words(workbook, name):
    """Few repeat, everyone alike, nothing paid, two exact years: everything is shown or has its reason."""
    workbook.write(name, ODD[name])
    client = workbook.open(name)
    part = value_assumptions.part(client, client.value)
    assert set(part.exhibits) | set(part.absent) == NAMES
    captions = [text for shown in part.exhibits.values() for text in vars(shown.caption).values()]
    texts = [*part.says, *part.absent.values(), *captions, *(finding.sentence for finding in part.findings)]
    assert all(part.absent.values())
    for text in texts:
        assert not BROKEN.search(text), text
    draw = {
        "value_residuals": charts.residuals,
        "value_season": charts.season,
        "value_regularity": charts.regularity,
        "value_order_values": partial(charts.order_values, currency="EUR"),
    }
    for chart in set(draw) & set(part.exhibits):
        draw[chart](part.exhibits[chart].frame).figure.canvas.draw()
