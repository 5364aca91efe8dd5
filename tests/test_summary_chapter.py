"""The summary: what it chooses of the chapters' findings, and what it says of chapters that are not there."""

import json

import pytest

from perennial.chapters import summary
from perennial.schema import CHAPTERS
from perennial.statements import Finding

STEMS = [stem for stem in CHAPTERS if stem != summary.CHAPTER]


def some(stem: str, count: int, kind: str = "finding", importance: float = 0.5) -> list[Finding]:
    return [
        Finding(f"{stem[3:]}.{kind}{n}", stem, f"{kind} {n} of {stem}.", importance=importance - n / 100, kind=kind)
        for n in range(count)
    ]


def staged(folder, found: list[Finding]) -> str:
    for stem in {finding.chapter for finding in found}:
        own = [finding.to_dict() for finding in found if finding.chapter == stem]
        path = folder / "findings" / f"{stem}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(own), encoding="utf-8")
    return str(folder)


def test_most_important_first_and_two_of_a_chapter_at_most():
    found = [f for place, stem in enumerate(STEMS) for f in some(stem, 5, importance=0.9 - place / 10)]
    chosen = summary.choose(reversed(found))
    assert len(chosen) == summary.MOST_FINDINGS
    assert [f.importance for f in chosen] == sorted((f.importance for f in chosen), reverse=True)
    assert max(sum(f.chapter == stem for f in chosen) for stem in STEMS) == 2
    assert chosen[0] == found[0]


def test_findings_then_actions_then_cautions():
    kinds = [
        f.kind
        for f in summary.choose([f for kind in ("caution", "action", "finding") for f in some(STEMS[1], 3, kind)])
    ]
    assert kinds == ["finding"] * 2 + ["action"] * 2 + ["caution"] * 2


def test_what_another_chapter_already_says_is_not_said_twice():
    group = Finding("audit.closed_base", STEMS[0], "Closed.", importance=0.8)
    again = Finding("cohorts.closed_group", STEMS[2], "Closed.", importance=0.6, kind="caution")
    assert summary.choose([group, again]) == [group]
    assert summary.choose([again]) == [again]


def test_the_caution_of_customers_known_before_is_given_once():
    first = Finding("audit.left_censored", STEMS[0], "Known.", importance=0.6, kind="caution")
    again = Finding("cohorts.known_before", STEMS[2], "Known.", importance=0.7, kind="caution")
    assert summary.choose([again, first]) == [first]
    assert summary.choose([again]) == [again]


def test_chapters_not_asked_for_are_not_said_to_have_failed():
    study = summary.Summary([], [], "", {}, left_out=["04_churn"])
    assert "is not part of this report" in study.failed_text and "did not finish" not in study.failed_text


def test_summary_of_a_run_reads_what_the_chapters_left_and_names_those_that_failed(shipped, tmp_path):
    found = [f for stem in STEMS if stem != "04_churn" for f in some(stem, 3)]
    found.append(Finding("base.customers", STEMS[1], "Many.", 2000.0, importance=0.2))
    study = summary.gather(shipped("demo"), staged(tmp_path, found))
    assert list(study.failed) == ["04_churn"]
    assert CHAPTERS["04_churn"] in study.failed_text and "did not finish" in study.failed_text
    assert "#04_churn" not in study.overview and "(#05_lifetime_value)" in study.overview
    assert 5 <= sum(f.kind == "finding" for f in study.findings) <= 8
    assert study.key_figures[0].value == "2,000"
    assert study.key_figures[0].definition == "with at least one order that is not a return"  # free ones count too


def test_summary_without_failures_says_nothing_of_them(shipped, tmp_path):
    study = summary.gather(shipped("demo"), staged(tmp_path, [f for stem in STEMS for f in some(stem, 1)]))
    assert study.failed_text == ""


def test_every_chapter_of_a_run_failed_is_still_a_page(shipped, tmp_path):
    study = summary.gather(shipped("demo"), str(tmp_path))
    assert study.findings == [] and study.key_figures == []
    assert len(study.failed) == len(STEMS) and "did not finish" in study.failed_text


def test_chapter_that_cannot_be_computed_is_named_with_its_reason(shipped, monkeypatch):
    from perennial.chapters import churn
    from perennial.errors import ModelError

    def refuse(client):
        raise ModelError("nobody *ever* repeats")

    monkeypatch.setattr(churn, "study", refuse)
    for name in ("cohort_retention", "lifetime_value", "potential_quadrants"):
        monkeypatch.setattr(f"perennial.chapters.{name}.study", refuse)
    study = summary.gather(shipped("demo"))
    assert set(study.failed) == {s for s in STEMS if s[:2] in ("03", "04", "05", "06")}
    assert "nobody &#42;ever&#42; repeats" in study.failed_text
    assert study.key_figures[0].label == "Customers"


@pytest.mark.slow
def test_opened_by_hand_it_computes_the_chapters_itself(shipped):
    """Key figures are the chapters' own numbers: nothing is computed twice with another result."""
    study = summary.gather(shipped("demo"))
    assert study.failed == {}
    assert {f.chapter for f in study.findings} >= set(STEMS[1:])
    assert 3 <= len(study.key_figures) <= 5
    assert study.everything["base.customers"].value == shipped("demo").summary.count().to_pyarrow().as_py()
    equity = study.everything["value.equity"]
    assert equity.low < equity.value < equity.high
    assert sum(f.kind == "action" for f in study.findings) >= 2
