"""Ids that several people seem to share: known in every table of customers, never among those to contact."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import Workbook
from perennial.analysis import concentration, value_views
from perennial.analysis.scorecard import LIMITS, Criterion, Measurement, score
from perennial.analysis.shared_ids import contactable, count_shared
from perennial.chapters import (
    audit_red,
    audit_scores,
    churn,
    customer_base,
    data_audit,
    lifetime_value,
    potential_quadrants,
    summary,
)
from perennial.client import Client
from perennial.statements import Finding

FIRST = dt.date(2024, 1, 1)
SHARED = {"card123456", "cash customer"}


def lines() -> list[tuple[Any, ...]]:
    """Two hundred customers with rhythms of their own; a card used on 240 of 240 days, silent since; a placeholder."""
    rng, rows = np.random.default_rng(5), []
    for n in range(200):
        day, gap, end = float(rng.integers(0, 200)), rng.gamma(2, 15), rng.choice([150, 250, 366, 366])
        while day < end or n not in {row[0] for row in rows}:
            rows.append((n, min(int(day), 365), int(rng.integers(5, 60))))
            day += 1 + rng.exponential(gap)
    made: list[tuple[Any, ...]] = [(f"c{n:04}", FIRST + dt.timedelta(days=day), money) for n, day, money in rows]
    made += [("card123456", FIRST + dt.timedelta(days=n), 900) for n in range(240)]
    return [*made, *(("cash customer", FIRST + dt.timedelta(days=40 * n), 77) for n in range(3))]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    workbook = Workbook(tmp_path_factory.mktemp("shared"))
    workbook.write("acme", lines(), minimum_group=5)
    return workbook.open("acme")


def test_the_summary_knows_them(client: Client) -> None:
    frame = client.summary.to_pandas()
    assert set(frame.loc[frame["shared_id"], "customer_id"]) == SHARED
    assert frame["shared_id"].dtype == bool and len(frame) == 202
    assert count_shared(client.summary, client.summary) == 2
    assert contactable(client.summary, client.summary).count().execute() == 200


def test_a_client_without_such_ids_has_none_marked(workbook: Workbook) -> None:
    workbook.write("acme", lines()[:400])
    summary_ = workbook.open("acme").summary
    assert not summary_.to_pandas()["shared_id"].any()
    assert "shared_id" not in concentration.top_customers(summary_).columns


def test_pseudonyms_are_marked_like_the_ids_they_stand_for(workbook: Workbook, monkeypatch: Any) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", "a key of more than thirty-two characters, for a test")
    workbook.write("acme", lines(), pseudonymise=True)
    frame = workbook.open("acme").summary.to_pandas()
    busiest = frame.loc[frame["frequency"].idxmax()]
    assert frame["shared_id"].sum() == 2 and bool(busiest["shared_id"])
    assert not set(frame["customer_id"]) & SHARED


def test_lists_of_the_best_mark_them(client: Client) -> None:
    best = concentration.top_customers(client.summary)
    assert best.loc[best["customer_id"] == "card123456", "shared_id"].tolist() == [True]
    assert best["shared_id"].sum() == 1 + int("cash customer" in set(best["customer_id"]))
    valued = value_views.top_customers(client.value, client.summary, count=300)
    assert set(valued.loc[valued["shared_id"], "customer_id"]) == SHARED


def test_lists_of_those_to_contact_leave_them_out_and_say_so(client: Client) -> None:
    leaving = churn.study(client)
    assert len(leaving.at_risk) and not SHARED & set(leaving.at_risk["customer_id"])
    assert leaving.shared == 2
    assert "Left out are 2 ids that several people seem to share" in leaving.captions["churn_at_risk"].reading
    room = potential_quadrants.study(client)
    assert not SHARED & {name for frame in room.leading.values() for name in frame["customer_id"]}
    assert sum(room.shared.values()) == 2
    told = [f for f in room.findings if f.kind == "action" and "several people seem to share" in f.sentence]
    assert {f.id.removeprefix("potential.do_") for f in told} <= {q for q, n in room.shared.items() if n}


def test_actions_for_the_best_say_how_many_are_no_one_person(client: Client) -> None:
    assert value_views.shared_among_best(client.value, client.summary, 1.0) == 2
    study = lifetime_value.study(client)
    (protect,) = [f for f in study.findings if f.id.endswith("protect_top_tenth")]
    assert ("several people seem to share" in protect.sentence) == (study.shared_best > 0)
    (review,) = [f for f in customer_base.study(client).findings if f.id == "base.watch_largest"]
    assert "Among them is 1 id that several people seem to share" in review.sentence


def test_no_action_is_recommended_for_them(client: Client) -> None:
    frame = client.customers().to_pandas().set_index("customer_id")
    assert frame.loc[sorted(SHARED), "recommended_action"].isna().all()
    assert frame.drop(sorted(SHARED))["recommended_action"].notna().all()
    assert frame.loc["card123456", "quadrant"] and frame["shared_id"].sum() == 2


def test_red_is_said_on_page_one_with_what_follows_and_once(client: Client) -> None:
    study = data_audit.study(client)
    assert study.scorecard.status("uniqueness") == "red"
    (red,) = [finding for finding in study.findings if finding.id == "audit.red.uniqueness"]
    page = summary.Summary(summary.choose(study.findings), [], "", {}, {f.id: f for f in study.findings})
    assert red.sentence in page.data_text and "nobody can be contacted under such an id" in page.data_text
    assert "(#01_data_audit)" in page.data_text
    assert not any(finding.id.startswith(("audit.red", "audit.amber")) for finding in page.findings)


def finding(name: str, value: float, sentence: str = "It is.") -> Finding:
    return Finding(name, audit_red.CHAPTER, sentence, value)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], ""),
        ([finding("audit.amber", 1)], "Of the data, 1 dimension is amber and none is red. See ["),
        ([finding("audit.amber", 3)], "Of the data, 3 dimensions are amber and none is red. See ["),
        ([finding("audit.red.validity", 1)], "It is.\n\nSee ["),
        (
            [finding("audit.red.validity", 1), finding("audit.amber", 1)],
            "It is.\n\n1 further dimension is amber. See [",
        ),
    ],
)
def test_amber_is_only_counted(found: list[Finding], said: str) -> None:
    text = audit_red.said_on_page_one(found)
    assert text.startswith(said) and bool(text) == bool(found)


def test_every_criterion_that_can_be_red_has_a_sentence() -> None:
    worst = {name: Measurement(0.0 if limits.is_floor else 1e6) for name, limits in LIMITS.items()}
    card = score(worst)
    red: list[Criterion] = [criterion for criterion in card.criteria if criterion.status == "red"]
    assert {criterion.name for criterion in red} == {name for name, limits in LIMITS.items() if limits.red is not None}
    for criterion in red:
        assert audit_scores.measured(criterion) in audit_red.clause(criterion)
    assert pd.Series([audit_red.clause(criterion) for criterion in red]).is_unique
