"""Clients that strain every chapter: each must still read well, or say in a sentence why it cannot.

The chapters' studies run without kernels here; one such client goes through the whole command as well.
"""

import datetime as dt
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from conftest import REPO, Workbook
from perennial.errors import ModelError

CHAPTER_MODULES = [
    "data_audit",
    "customer_base",
    "cohort_retention",
    "churn",
    "lifetime_value",
    "potential_quadrants",
]
DAY = dt.date(2024, 1, 1)


def on(day: int) -> str:
    return (DAY + dt.timedelta(days=day)).isoformat()


MARKUP = ["<script>alert(1)</script>", "*b*", "$x$ $y$", "a|b", "=1+1", "{braces}", "%s", "价值"]
EDGE = {
    "one_customer_one_order": [("a", on(0), 10)],
    "one_customer_many_orders": [("a", on(7 * week), 10 + week) for week in range(20)],
    "nobody_repeats": [(f"c{n}", on(n), 5 + n % 7) for n in range(200)],
    "all_on_one_day": [(f"c{n}", on(100), 5 + n % 7) for n in range(50)],
    "everybody_every_week_the_same": [(f"c{n}", on(n + 7 * week), 20) for n in range(30) for week in range(30)],
    "zero_amounts_only": [(f"c{n}", on(n + 30 * k), 0) for n in range(40) for k in range(3)],
    "two_customers_far_apart": [("a", on(0), 1), ("b", on(365), 1000000)],
    "one_giant": [("giant", on(n), 1e7) for n in range(60)] + [(f"c{n}", on(n), 3) for n in range(100)],
    "returns_beyond_purchases": [(f"c{n}", on(n), 10) for n in range(60)]
    + [(f"c{n}", on(n + 9), -25) for n in range(60)],
    "names_that_look_like_markup": [
        (name, on(n + 40 * k), 9 + k)
        for n, name in enumerate(MARKUP)
        for k in range(4)
    ],
}  # fmt: skip
BROKEN = re.compile(r"\bnan\b|\binf\b|\bNone\b|NaT|NaN|\{[a-z_]+\}|\d\.\d{5,}")


@pytest.mark.parametrize("name", EDGE)
def test_every_chapter_says_something_true_about_an_edge_client(workbook, name):
    workbook.write(name, EDGE[name])
    client = workbook.open(name)
    for module in CHAPTER_MODULES:
        study = importlib.import_module(f"perennial.chapters.{module}").study(client)
        for finding in study.findings:
            assert not BROKEN.search(finding.sentence), finding.sentence
            assert "<script" not in finding.sentence
    customers = client.customers().execute()
    assert len(customers) == len({row[0] for row in EDGE[name]})
    assert customers.quadrant.notna().all()


@pytest.mark.parametrize("name", ["one_customer_one_order", "nobody_repeats", "all_on_one_day"])
def test_model_that_cannot_be_fitted_is_named_with_the_reason(workbook, name):
    workbook.write(name, EDGE[name])
    with pytest.raises(ModelError) as caught:
        _ = workbook.open(name).value
    assert len(str(caught.value).split()) > 8


def test_whole_command_reports_on_clients_without_a_model(tmp_path):
    """Nobody repeats: the report stands, names the model that is missing, and leaves its columns out."""
    workbook = Workbook(tmp_path)
    (tmp_path / "notebooks").symlink_to(REPO / "notebooks", target_is_directory=True)
    workbook.write("acme", EDGE["nobody_repeats"])
    command = [str(Path(sys.executable).parent / "perennial"), "report", "acme"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PERENNIAL_HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = tmp_path / "reports" / "acme" / "latest"
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "second day" in page
    assert "Traceback" not in page
    customers = pd.read_parquet(run / "data" / "customers.parquet")
    assert len(customers) == 200
    assert not {"clv", "p_alive", "expected_purchases"} & set(customers.columns)
    assert json.loads((run / "data" / "clv_model.json").read_text())["model"] is None


def test_parameter_typo_on_the_command_line_gives_the_suggestion_and_no_report(tmp_path):
    workbook = Workbook(tmp_path)
    (tmp_path / "notebooks").symlink_to(REPO / "notebooks", target_is_directory=True)
    workbook.write("acme", EDGE["nobody_repeats"], gross_margn=0.3)
    command = [str(Path(sys.executable).parent / "perennial"), "report", "acme"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PERENNIAL_HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "unknown key 'gross_margn'; did you mean 'gross_margin'?" in said
    assert "Traceback" not in said
    assert not (tmp_path / "reports" / "acme" / "latest").exists()
