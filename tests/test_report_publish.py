"""Publishing: ``latest`` only ever points to a complete report, and nothing half-made is seen."""

import datetime as dt
import multiprocessing as mp

import pytest

from perennial.errors import ReportError
from perennial.report import checks, publish

NOW = dt.datetime(2020, 1, 2, 3, 4, 5)


def made(home, complete=True):
    name = publish.new_run(home, NOW)
    staging = publish.new_staging(home, name)
    (staging / "report.html").write_text(name)
    return publish.publish(staging, home, name, complete)


def test_latest_is_a_relative_link_to_the_last_complete_run(tmp_path):
    first = made(tmp_path)
    failed = made(tmp_path, complete=False)
    assert failed.name.endswith("-failed")
    assert (tmp_path / "latest").readlink().name == first.name == str((tmp_path / "latest").readlink())
    second = made(tmp_path)
    assert (tmp_path / "latest").resolve() == second
    assert not list(tmp_path.glob(".staging-*")) and not list(tmp_path.glob(".latest-*"))


def test_five_runs_are_kept_and_the_latest_complete_one_whatever_its_age(tmp_path):
    complete = made(tmp_path)
    for _again in range(7):
        made(tmp_path, complete=False)
    left = publish.runs(tmp_path)
    assert complete in left and len(left) == publish.KEPT_RUNS + 1
    assert (tmp_path / "latest" / "report.html").is_file()


def test_leftovers_of_killed_runs_are_cleared(tmp_path):
    kept = made(tmp_path)
    publish.new_staging(tmp_path, "dead")
    (tmp_path / ".latest-dead").symlink_to("nowhere")
    with publish.claim(tmp_path):
        assert publish.runs(tmp_path) == [kept]
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", kept.name, "latest"]


def test_two_runs_of_one_client_do_not_meet(tmp_path):
    with publish.claim(tmp_path):
        other = mp.get_context("spawn").Pool(1)
        with other, pytest.raises(ReportError, match="is being made by another process"):
            other.apply(_claim, (tmp_path,))


def _claim(home):
    with publish.claim(home):
        return True


def test_totals_that_differ_by_a_cent_are_found():
    facts = {
        "01_a": {"revenue": "1.00", "customers": 3},
        "02_b": {"revenue": "1.01", "customers": 3},
        "03_c": {"revenue": None},
    }
    assert checks.disagreements(facts, {"01_a": "Audit"}) == [
        "Chapters disagree on revenue: 1.00 in Audit; 1.01 in 02_b"
    ]
    assert checks.disagreements({"01_a": facts["01_a"], "02_b": facts["01_a"]}) == []
