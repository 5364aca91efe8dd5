"""A client with 200 days of data: no figure is called a year's, and what is extrapolated or not tested says so."""

import datetime as dt
import re
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from perennial.analysis.holdout import validate
from perennial.chapters import (
    churn,
    lifetime_value,
    potential_findings,
    potential_quadrants,
    potential_words,
    summary_words,
    value_findings,
    value_words,
)
from perennial.errors import ModelError
from perennial.statements import Finding

FIRST, DAYS = dt.date(2024, 1, 1), 200
AS_OF = FIRST + dt.timedelta(days=DAYS - 1)
CHAPTERS = ("data_audit", "customer_base", "cohort_retention", "churn", "lifetime_value", "potential_quadrants")
ALLOWED = (
    r"discounted at \S+ % a year",  # a rate, as set
    r"less than a year of data|no yearly figure|the data hold no year|not a whole year",
    r"[Tt]wo full years are not in the data",
    r"at \d+ contacts a year",  # what is planned
    r"next 12 months|in 12 months|over 12 months|looks 12 months ahead|tested on a year it has not seen",  # ahead
    r"first year: [^|]*\|[^|]*yearly figures are extrapolated",
)


def orders() -> list[tuple[str, str, int]]:
    """Three hundred customers won evenly, with rates and dropout of their own: BG/NBD can be fitted."""
    draw, rows = np.random.default_rng(5), []
    for n in range(300):
        day, rate, leaves = int(draw.integers(0, DAYS)) if n else 0, draw.gamma(1.2, 1 / 30), draw.beta(1, 5)
        while day < DAYS:
            rows.append((f"c{n}", (FIRST + dt.timedelta(days=day)).isoformat(), int(draw.gamma(4, 12)) + 1))
            if draw.random() < leaves:
                break
            day += 1 + int(draw.exponential(1 / rate))
    return rows


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    from conftest import Workbook

    workbook = Workbook(tmp_path_factory.mktemp("short"))
    workbook.write("short", orders(), as_of=AS_OF.isoformat())
    return workbook.open("short")


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_figure_of_two_hundred_days_is_called_a_years(short, name):
    study = import_module(f"perennial.chapters.{name}").study(short)
    said = [finding.sentence for finding in study.findings]
    said += [f"{c.title} | {c.subtitle} | {c.source} | {c.reading}" for c in study.captions.values()]
    said += list(getattr(study, "labels", {}).values())
    assert len(said) > 8
    for sentence in said:
        rest = sentence
        for allowed in ALLOWED:
            rest = re.sub(allowed, "", rest)
        assert not re.search(r"\byear|twelve months|12 months", rest), sentence


def test_what_is_called_the_past_year_elsewhere_is_named_by_its_first_day(short, shipped):
    begins = "since 1 January 2024"
    found = churn.study(short)
    assert found.labels["revenue_past_year"] == f"revenue {begins}"
    assert found.captions["churn_states"].title.endswith(f"of revenue {begins}")
    long = churn.study(shipped("demo"))
    assert long.labels["revenue_past_year"] == "revenue, past year"
    assert long.captions["churn_states"].title.endswith("of revenue in the past year")


def test_a_horizon_longer_than_the_data_is_said_in_the_equitys_sentence(short):
    study = lifetime_value.study(short)
    (equity,) = [finding for finding in study.findings if finding.id == "value.equity"]
    assert "extrapolated from 6.6 months of data" in equity.sentence.split(": ")[0]
    assert " a month;" in study.captions["value_parameters"].title


def test_an_equity_that_is_not_tested_says_so_in_its_first_sentence_and_on_page_one(short, shipped):
    study = lifetime_value.study(shipped("demo"))
    tested = next(finding for finding in study.findings if finding.id == "value.equity")
    assert tested.doubt == ""
    result = replace(study.result, holdout=None, holdout_reason="Too few.")
    (equity,) = [f for f in value_findings.findings(replace(study, result=result)) if f.id == "value.equity"]
    assert "by a model that could not be tested" in equity.sentence.split(": ")[0]
    assert equity.importance < tested.importance
    figures = summary_words.key_figures({"value.equity": equity}, shipped("demo").parameters, None)
    assert [figure.label for figure in figures] == ["Customer equity (not tested)"]
    assert value_words.doubted(study, study.result) == ""


def test_days_before_the_holdout_that_carry_no_model_are_named(workbook):
    """Everybody returns for the first time after the cut: the whole can be fitted, the first part cannot."""
    rows = []
    for n in range(120):
        first = FIRST + dt.timedelta(days=n % 60)
        rows += [(f"c{n}", day.isoformat(), 10) for day in (first, FIRST + dt.timedelta(days=150 + n % 40))]
    workbook.write("late", rows, as_of=AS_OF.isoformat())
    with pytest.raises(ModelError, match="The days to 13 May 2024 alone, without those held back, do not suffice"):
        validate(workbook.open("late").transactions, AS_OF, None)


class Row:
    """A test's value with its interval."""

    def __init__(self, value: float, low: float, high: float):
        self.value, self.low, self.high = value, low, high


@pytest.mark.parametrize(
    ("row", "written"),
    [
        (Row(-0.0399, -0.0820, -0.000729), "−0.040 (90 % interval −0.082 to −0.001)"),
        (Row(-0.0322, -0.0598, -0.00441), "−0.032 (90 % interval −0.060 to −0.004)"),
        (Row(0.30, 0.26, 0.35), "0.30 (90 % interval 0.26 to 0.35)"),
        (Row(0.01, 0.0, 0.02), "0.01 (90 % interval 0.00 to 0.02)"),
        (Row(0.01, -0.00004, 0.02), "0.0100 (90 % interval 0.0000 to 0.0200)"),
    ],
)
def test_an_interval_beside_zero_is_not_written_as_touching_it(shipped, row, written):
    study = potential_quadrants.study(shipped("demo"))
    assert potential_words.span(study, row) == written


@pytest.mark.parametrize(
    ("low", "value", "high", "words"),
    [(-0.08, -0.04, -0.001, "points the wrong way"), (-0.08, -0.02, 0.03, "adds nothing that can be told from chance")],
)
def test_verdict_and_chart_say_the_same_of_a_score_that_fails(shipped, low, value, high, words):
    study = potential_quadrants.study(shipped("demo"))
    tests = study.tests.copy()
    tests.loc[tests["test"] == "added", ["low", "value", "high"]] = [low, value, high]
    failing = replace(study, tests=tests)
    made = potential_findings.findings(failing, shipped("demo").parameters.potential.strategies)
    assert words in next(finding.sentence for finding in made if finding.id == "potential.verdict")
    assert words in potential_words.captions(failing, "Demo")["potential_tests"].title
    stock = next(finding for finding in made if finding.id == "potential.growth_stock")
    assert stock.doubt == "provisional"


def test_a_provisional_quadrant_is_marked_on_page_one(shipped):
    found = Finding("potential.growth_stock", "06_potential_quadrants", "Growth stock.", 5.0, doubt="provisional")
    figures = summary_words.key_figures({found.id: found}, shipped("demo").parameters, None)
    assert [figure.label for figure in figures] == ["Growth stock (provisional)"]
    sure = replace(found, doubt="")
    figures = summary_words.key_figures({sure.id: sure}, shipped("demo").parameters, None)
    assert [figure.label for figure in figures] == ["Growth stock"]
