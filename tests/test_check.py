"""``perennial check`` as it is typed: exit codes, the same findings as chapter 01, JSON and nothing else."""

import datetime as dt
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perennial.chapters import data_audit
from perennial.check import BAD_PARAMETERS, IMPOSSIBLE, POSSIBLE

DAY = dt.date(2024, 1, 1)
ROWS = [(f"c{n % 9}", (DAY + dt.timedelta(days=n)).isoformat(), 5 + n % 4) for n in range(300)]


@pytest.fixture
def check(workbook):
    """Run the command on the throw-away workbook."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "perennial"), "check", *arguments]
        environment = {**os.environ, "PERENNIAL_HOME": str(workbook.root)}
        return subprocess.run(command, cwd=workbook.root, env=environment, capture_output=True, text=True)

    return run


def test_a_report_that_can_be_made_is_said_with_scores_findings_and_questions(workbook, check):
    workbook.write("acme", ROWS)
    done = check("acme")
    assert (done.returncode, done.stderr) == (POSSIBLE, "")
    assert done.stdout.startswith("acme: a report can be made.")
    study = data_audit.study(workbook.open("acme"))
    for heading in ("Scorecard", "Findings", "Questions to the client"):
        assert f"\n{heading}\n" in done.stdout
    assert f"1. {study.questions[0].text}" in done.stdout
    assert "RED    From the last order to the as-of day: 66 days (red > 31 days)" in done.stdout
    assert not (workbook.root / "reports").exists()


def test_json_is_one_object_with_the_findings_of_the_chapter(workbook, check):
    workbook.write("acme", ROWS)
    done = check("acme", "--json")
    found = json.loads(done.stdout)
    study = data_audit.study(workbook.open("acme"))
    assert done.returncode == POSSIBLE and found["client"] == "acme" and found["can_report"] is True
    assert found["findings"] == [finding.to_dict() for finding in study.findings]
    assert [question["text"] for question in found["questions"]] == [question.text for question in study.questions]
    assert found["dimensions"] == study.scorecard.statuses
    assert {rule["rule"]: rule["rows"] for rule in found["rules"]}["used"] == 300
    assert found["rejects"] == [] and found["problems"] == []


def test_several_clients_give_a_line_of_json_each(workbook, check):
    workbook.write("acme", ROWS)
    workbook.write("beta", ROWS[:40])
    lines = [json.loads(line) for line in check("--json").stdout.splitlines()]
    assert [line["client"] for line in lines] == ["acme", "beta"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_wrong_parameters_end_with_two_and_every_problem(workbook, check, form):
    workbook.write("acme", ROWS, gross_margn=0.3)
    done = check("acme", *form)
    assert done.returncode == BAD_PARAMETERS
    said = done.stdout + done.stderr
    assert "did you mean 'gross_margin'?" in said and "Traceback" not in said
    if form:
        found = json.loads(done.stdout)
        assert found["can_report"] is False and found["problems"] and "findings" not in found


def test_an_unknown_client_ends_with_two(workbook, check):
    workbook.write("acme", ROWS)
    done = check("acmee")
    assert done.returncode == BAD_PARAMETERS and "did you mean 'acme'?" in done.stderr


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_file_no_report_can_be_made_of_ends_with_one(workbook, check, form):
    """Every date beyond the as-of day: nothing is left to report on."""
    workbook.write("acme", ROWS, as_of="2020-12-31", cleaning={"rejects": {"allow": True}})
    done = check("acme", *form)
    said = done.stdout + done.stderr
    assert done.returncode == IMPOSSIBLE
    assert "as_of is 2020-12-31" in said and "Traceback" not in said
    if form:
        assert json.loads(done.stdout)["can_report"] is False


def test_more_unreadable_than_allowed_ends_with_one_unless_allowed(workbook, check):
    """A tenth of the amounts is no number; a run stops above a twentieth."""
    rows = [(who, day, "n/a" if place % 10 == 0 else amount) for place, (who, day, amount) in enumerate(ROWS)]
    workbook.write("acme", rows)
    done = check("acme")
    assert done.returncode == IMPOSSIBLE and "5" in done.stderr and "Traceback" not in done.stderr
    workbook.write("acme", rows, cleaning={"rejects": {"allow": True}})
    done = check("acme", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == POSSIBLE
    assert found["dimensions"]["validity"] == "red"
    assert sum(reason["rows"] for reason in found["rejects"]) == 30
    assert "the parameters allow it" in next(f["sentence"] for f in found["findings"] if f["id"] == "audit.rejects")


def test_worst_exit_code_of_several_clients_is_told(workbook, check):
    workbook.write("acme", ROWS)
    workbook.write("beta", ROWS, horizon=3)
    done = check("acme", "beta")
    assert done.returncode == BAD_PARAMETERS and "acme: a report can be made" in done.stdout


def test_no_chart_and_no_model_is_loaded(workbook):
    """What takes seconds to import has no place in a check."""
    workbook.write("acme", ROWS)
    heavy = ["matplotlib", "scipy", "statsmodels", "lifetimes", "sklearn", "IPython"]
    code = (
        "import sys; from perennial.check import as_text, check_client; print(as_text(check_client('acme')));"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    environment = {**os.environ, "PERENNIAL_HOME": str(workbook.root)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_second_check_reads_nothing_again(workbook, check):
    workbook.write("acme", ROWS)
    first = check("acme").stdout
    stamp = max(file.stat().st_mtime for file in (workbook.root / ".cache").rglob("*.parquet"))
    time.sleep(0.01)
    assert check("acme").stdout == first
    assert max(file.stat().st_mtime for file in (workbook.root / ".cache").rglob("*.parquet")) == stamp
