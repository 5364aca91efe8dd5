"""Chapter 05: what it says in which order, and that its charts show its frames."""

from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import pandas as pd
import pytest

from one_model import by_one_model
from perennial.analysis import value_views
from perennial.analysis.spend_model import SpendModel
from perennial.chapters import lifetime_value, value_findings, value_judged, value_tables, value_words
from perennial.charts import theme
from perennial.charts import value as charts


@pytest.fixture(scope="module")
def study(shipped):
    theme.set_theme()
    return lifetime_value.study(shipped("demo"))


def test_titles_are_findings_of_at_most_15_words(study):
    """The report's rule for titles, with numbers from the data in all but the comparison of models."""
    assert len(study.captions) >= 12
    for name, caption in study.captions.items():
        assert len(caption.title.split()) <= 15, caption.title
        assert any(c.isdigit() for c in caption.title) or name in {"value_models", "value_curve"}, caption.title
        assert caption.subtitle
        assert "n = " in caption.source


def test_every_finding_links_to_something_shown(study):
    """A link to a chart that is not in the chapter leads nowhere."""
    shown = {*study.captions, *(name for part in study.parts.values() for name in part.exhibits)}
    for finding in study.findings:
        assert finding.figure in shown, finding.id
        assert 0 <= finding.importance <= 1


def test_equity_comes_first_unless_the_model_loses(study):
    """When a rule of thumb forecasts better, the first sentence says so; else the equity leads."""
    assert study.holdout.model_wins
    assert study.findings[0].id == "value.equity"
    scores = study.holdout.scores
    scores = scores.assign(rmse=scores["rmse"].where(scores["forecaster"] != "BG/NBD", 99.0))
    lost = replace(study, result=replace(study.result, holdout=replace(study.holdout, scores=scores)))
    first = value_findings.findings(lost)[0]
    assert first.id == "value.holdout_bias"
    assert first.importance == 1
    assert first.sentence.startswith("A forecast without a model does better than the model used")


def test_equity_finding_quotes_the_sum_of_the_customers(study, shipped):
    """Report and table agree: the equity is the sum of the column clv."""
    customers = shipped("demo").value.customers
    total = float(customers.clv.sum().to_pyarrow().as_py())
    assert study.findings[0].value == pytest.approx(total, rel=1e-9)
    assert study.findings[0].low < total < study.findings[0].high


def test_the_equity_is_never_stated_without_the_error_out_of_time(study):
    """Sentence, chart title and key figure all say how far the same model was off on unseen days."""
    judged = study.result.segmentation.judged
    error = value_words.too_many(judged["bought_own"].sum() / judged["bought"].sum() - 1)
    assert error in study.findings[0].sentence
    money = value_words.too_much(judged["paid_own"].sum() / judged["paid"].sum() - 1)
    for text in (study.findings[0].sentence, study.captions["value_equity"].title, study.key_figures[0].note):
        assert money in text
    untested = replace(study, result=replace(study.result, holdout=None))
    assert "could not be tested" in value_findings.findings(untested)[0].sentence


def test_the_share_of_the_best_fifth_stands_on_its_own(study):
    """On page one it follows any other sentence."""
    (said,) = [f.sentence for f in value_findings.findings(study) if f.id == "value.top_fifth_share"]
    assert "of all customers' value over the next 12 months (" in said


def test_cautions_link_to_the_number_they_quote(study):
    """The bias customer by customer stands in the table of scores; the cumulative chart holds another number."""
    for purchases, money, expected in ((-0.14, -0.02, "purchases may be too low"), (0.02, 0.2, "may be too high")):
        found = replace(study.holdout, scores=study.holdout.scores.assign(bias=purchases))
        found = replace(found, revenue={"bias": money, "predicted": 1.0, "actual": 1.0, "last": 1.0})
        held = replace(study, result=by_one_model(study.result, holdout=found), parts={})
        (caution,) = [f for f in value_findings.findings(held) if f.id == "value.direction"]
        assert caution.figure == "value_scores"
        assert expected in caution.sentence
    assert study.captions["value_tracking"].title.startswith("Since the start, fitting period included")


@pytest.mark.parametrize(("predicted", "warned"), [(11.2, "12 % too many"), (8.5, "15 % too few"), (10.5, "")])
def test_a_best_tenth_far_off_is_said_beside_the_action(study, predicted, warned):
    """By hand: 10 came; beyond a tenth either way the action that names these customers says so."""
    deciles = study.deciles.assign(predicted=predicted, actual=10.0)
    (action,) = [f for f in value_findings.findings(replace(study, deciles=deciles)) if f.id.endswith("top_tenth")]
    assert ("Their values are probably too" in action.sentence) == bool(warned)
    assert warned in action.sentence
    assert value_views.top_bias(deciles) == pytest.approx(predicted / 10 - 1)


def test_closer_groups_are_weighed_by_their_customers():
    """By hand: the model is closer in two of three groups, which hold 30 of 100 customers."""
    groups = pd.DataFrame(
        {"customers": [10, 20, 70], "actual": [1.0, 2, 3], "predicted": [1.1, 2.1, 4], "naive": [0.0, 3, 3.5]}
    )
    assert value_views.closer_share(groups) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("aic", "rmse", "title"),
    [
        ((100.0, 101.9), (1.0, 1.004), "No model is ahead of the others, in fit or in forecast"),
        ((100.0, 103.0), (1.0, 1.004), "BG/NBD fits the whole history best, no model forecasts clearly best"),
        ((100.0, 101.0), (1.1, 1.0), "No model fits the history best, MBG/NBD forecasts customers best"),
        ((100.0, 103.0), (1.1, 1.0), "BG/NBD fits the whole history best, MBG/NBD forecasts customers best"),
        ((103.0, 100.0), (1.1, 1.0), "MBG/NBD fits the whole history best and forecasts customers best"),
    ],
)
def test_models_that_cannot_be_told_apart_are_not_ranked(aic, rmse, title):
    """Burnham & Anderson (2002): models within 2 of each other in AIC are equally supported."""
    models = pd.DataFrame({"model": ["BG/NBD", "MBG/NBD"], "aic": aic, "rmse": rmse})
    assert value_judged._compared(models) == title


def test_without_a_model_the_chapter_says_why(shipped):
    """Nothing but the reason, and a sentence for every chart that is absent."""
    base = lifetime_value.study(shipped("demo"))
    bare = lifetime_value.Study(base.title, base.currency, base.as_of, 1, base.revenue, reason="Nobody came back.")
    (finding,) = value_findings.findings(bare)
    assert finding.kind == "caution"
    assert "Nobody came back." in finding.sentence
    assert "value_equity" not in bare.own.exhibits
    assert bare.absent("value_equity")
    assert value_tables.looks(bare)


def test_value_groups_hold_every_customer_once(study):
    """Invariant: shares of customers, purchases and value add up to one."""
    assert study.groups["customers"].sum() == study.customers
    for column in ("customer_share", "purchase_share", "value_share"):
        assert study.groups[column].sum() == pytest.approx(1)


def test_value_curve_by_hand():
    """By hand: values 6, 3, 1 – the top third holds .6, the top two thirds .9; by weight 2 of value 5: .5 each."""
    rows = pd.DataFrame({"clv": [1.0, 6.0, 3.0], "weight": [1, 1, 1]})
    curve = value_views.value_curve(rows).set_index("customers")["value"]
    assert value_views.top_share(rows, 1) == pytest.approx(0.6)
    assert value_views.top_share(rows, 2) == pytest.approx(0.9)
    assert (curve.iloc[0], curve.iloc[-1]) == (0, pytest.approx(1))
    assert value_views.top_share(pd.DataFrame({"clv": [5.0], "weight": [2]}), 1) == pytest.approx(0.5)
    assert value_views.value_quantile(rows, 0.5) == 3


def test_spend_fit_expects_what_it_was_drawn_from():
    """Shares of the bins: the lower 95 %, observed and expected, for the model's own distribution."""
    spend = SpendModel({"p": 6.25, "q": 3.74, "v": 15.44})
    rows = pd.DataFrame({"frequency": [1, 2, 3] * 40, "monetary_value": range(1, 121), "weight": 1})
    bins = value_views.spend_fit(rows, spend)
    assert bins["observed"].sum() == pytest.approx(0.95, abs=0.02)
    assert 0.85 < bins["expected"].sum() <= 1


def test_tracking_chart_shows_both_lines_and_the_cut(study):
    """By artist properties: two lines of as many points as weeks, one vertical line at the last fitted week."""
    ax = charts.tracking(study.tracking)
    actual, expected, cut = ax.lines
    assert list(actual.get_ydata()) == study.tracking["actual_cumulative"].tolist()
    assert list(expected.get_ydata()) == study.tracking["expected_cumulative"].tolist()
    fitted = study.tracking.loc[study.tracking["phase"] == "calibration", "week_end"].iloc[-1]
    assert cut.get_xdata()[0] == matplotlib.dates.date2num(fitted)
    assert ax.get_ylim()[0] == 0
    assert not ax.get_title()


def test_bars_start_at_zero_and_match_the_frame(study):
    """By artist properties: bar lengths are the shares."""
    bars = charts.value_by_frequency(study.groups).patches
    lengths = sorted(bar.get_width() for bar in bars)
    expected = sorted([*study.groups["customer_share"], *study.groups["value_share"]])
    assert lengths == pytest.approx(expected)
    assert all(bar.get_x() == 0 for bar in bars)


def test_lorenz_chart_labels_the_top_fifth(study):
    """The 20 % point is written out."""
    ax = charts.value_curve(study.curve)
    assert any("top 20 %" in text.get_text() for text in ax.texts)


def test_an_equity_above_last_years_revenue_is_pointed_out(study):
    """Invariant: who expects more of today's customers than all brought last year says so; less is no news."""
    for last, said in ((study.equity.revenue * 0.9, True), (study.equity.revenue * 1.1, False), (float("nan"), False)):
        found = value_findings.findings(replace(study, last_year=last))
        assert any(finding.id == "value.above_last_year" for finding in found) == said


def test_last_years_revenue_is_that_of_the_orders(study, shipped):
    """Independent recomputation in pandas: net amounts of the last 365 days, the as-of day included."""
    lines = shipped("demo").transactions.to_pandas()
    recent = lines["ordered_at"] >= pd.Timestamp("2025-01-01")
    assert study.last_year == pytest.approx(float(lines.loc[recent, "amount"].astype(float).sum()), abs=0.01)
