"""Whole runs of the real command line on a tiny client: complete, failing, killed in the middle."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import psutil
import pyarrow.parquet as pq
import pytest

from tiny_notebooks import write_chapter, write_client

CHAPTERS = ["00_summary", "02_customer_base", "04_churn", "05_lifetime_value"]
FAULT = """
if os.environ.get("TINY_FAULT") == "raise":
    raise ValueError("no such <b>thing</b>")
if os.environ.get("TINY_FAULT") == "wait":
    time.sleep(60)
"""
ABSENT = "from perennial.errors import ModelError\nraise ModelError('tiny is too small for this model')"

pytestmark = pytest.mark.slow


def start(root, *arguments, fault=""):
    environment = {**os.environ, "PERENNIAL_HOME": str(root), "TINY_FAULT": fault, "COLUMNS": "80"}
    command = [sys.executable, "-c", "from perennial.cli import main; main()", *arguments]
    return subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a test run in the background of a shell inherits an ignored Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process):
    out, errors = process.communicate(timeout=180)
    return process.returncode, out, errors


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = write_client(tmp_path_factory.mktemp("project"), CHAPTERS)
    write_chapter(root, "00_summary", title="The bottom line")
    write_chapter(root, "02_customer_base", title="The customer base")
    write_chapter(root, "04_churn", FAULT, title="Who leaves")
    write_chapter(root, "05_lifetime_value", ABSENT, title="What they are worth")
    return root


@pytest.fixture(scope="module")
def complete(root):
    """Exit code, output, errors of a run that went well, and the folder it left."""
    return (*finish(start(root, "report", "tiny")), (root / "reports" / "tiny" / "latest").resolve())


def test_complete_run_ends_well_and_says_where(complete):
    code, out, errors, folder = complete
    assert (code, errors) == (0, "")
    assert f"reports/tiny/{folder.name}/report.html" in out
    assert "What they are worth" in out and "tiny is too small for this model" in out


def test_everything_promised_is_there_and_nothing_else(complete):
    folder = complete[3]
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    data = {"clv_model.json", "customers.parquet", "customers.xlsx", "fig_02_customer_base.csv", "fig_04_churn.csv"}
    data |= {"rejects.csv"}
    assert left == {
        "report.html",
        "findings.json",
        "run.json",
        *(f"data/{name}" for name in data | {"fig_05_lifetime_value.csv"}),
        *(f"notebooks/{stem}.ipynb" for stem in CHAPTERS),
    }


def test_customers_file_has_one_row_per_customer_in_a_fixed_order(complete):
    table = pq.read_table(complete[3] / "data" / "customers.parquet")
    ids = table["customer_id"].to_pylist()
    assert table.num_rows == 150 == len(set(ids)) and ids == sorted(ids)
    assert {"frequency", "recency", "T", "monetary_value", "potential_score", "quadrant"} <= set(table.column_names)
    book = openpyxl.load_workbook(complete[3] / "data" / "customers.xlsx", read_only=True)
    shown = list(book["Customers"].iter_rows(values_only=True))
    assert len(shown) == 151 and list(shown[0]) == table.column_names
    explained = {row[0]: row[1] for row in book["Read me"].iter_rows(values_only=True)}
    assert [column for column in table.column_names if not explained.get(column)] == []


def test_run_record_says_what_happened(complete, root):
    record = json.loads((complete[3] / "run.json").read_text(encoding="utf-8"))
    assert record["status"] == "complete" and record["problems"] == []
    status = {chapter["stem"]: chapter["status"] for chapter in record["chapters"]}
    assert status == {**dict.fromkeys(CHAPTERS, "ok"), "05_lifetime_value": "skipped"}
    assert all(chapter["seconds"] > 0 and chapter["peak_memory_mb"] > 50 for chapter in record["chapters"])
    assert len(record["inputs"][0]["sha256"]) == 64 and record["tables"][0]["rows"] > 150
    assert record["facts"]["02_customer_base"] == {"revenue": "4.00", "customers": 3}
    assert record["versions"]["papermill"] and record["parameters"]["currency"] == "EUR"
    assert str(root) not in json.dumps(record)


def test_findings_and_summary_come_from_the_chapters(complete):
    findings = json.loads((complete[3] / "findings.json").read_text(encoding="utf-8"))
    assert [finding["id"] for finding in findings][:2] == ["02_customer_base.a", "04_churn.a"]
    page = (complete[3] / "report.html").read_text(encoding="utf-8")
    assert page.index('id="00_summary"') < page.index('<a href="#fig-fig_02_customer_base">Figure&nbsp;1</a>')
    assert "Tiny &lt;b&gt;&amp; Co&lt;/b&gt;" in page and "<script" not in page


def test_executed_notebooks_can_be_opened_elsewhere(complete, root):
    for notebook in (complete[3] / "notebooks").glob("*.ipynb"):
        assert str(root) not in notebook.read_text(encoding="utf-8"), notebook.name


def test_index_links_the_report_with_its_key_figures(complete, root):
    text = (root / "reports" / "index.html").read_text(encoding="utf-8")
    assert 'href="tiny/latest/report.html"' in text
    assert "€2.50" in text and "150 customers" in text and "complete" in text


def test_failing_chapter_and_disagreement_leave_latest_alone_and_are_said_in_words(complete, root):
    write_chapter(root, "02_customer_base", title="The customer base", revenue="4.01")
    code, _out, errors = finish(start(root, "report", "tiny", fault="raise"))
    write_chapter(root, "02_customer_base", title="The customer base")
    home = root / "reports" / "tiny"
    assert code == 1
    assert "Chapters disagree on revenue: 4.01 in The customer base; 4.00 in Who leaves" in errors
    assert "“Who leaves” failed" in errors and "no such <b>thing</b>" in errors and "Traceback" not in errors
    assert (home / "latest").resolve() == complete[3]
    failed = next(home.glob("*-failed"))
    page = (failed / "report.html").read_text(encoding="utf-8")
    assert "This report is not complete" in page and "ValueError: no such &lt;b&gt;thing" in page
    assert "fig-fig_02_customer_base" in page, "the other chapters stand"
    assert (failed / "log.txt").is_file()
    assert failed.name in (root / "reports" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_run_leaves_latest_and_no_process_and_is_cleared_by_the_next(complete, root, how):
    process = start(root, "report", "tiny", fault="wait")
    home = root / "reports" / "tiny"
    try:
        _wait_for(lambda: any("ipykernel" in line for line in _commands(process.pid)), 60)
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        code, _out, errors = finish(process)
    finally:
        process.kill()
    assert code != 0 and "Traceback" not in errors
    _wait_for(lambda: not any(child.is_running() for child in below), 10)
    assert (home / "latest").resolve() == complete[3]
    assert bool(list(home.glob(".staging-*"))) == (how != signal.SIGINT), "only an interrupt has time to tidy up"


def test_next_run_after_a_kill_is_complete_and_tidy(complete, root):
    home = root / "reports" / "tiny"
    (home / ".staging-dead").mkdir(exist_ok=True)
    assert finish(start(root, "report", "tiny"))[0] == 0
    assert not list(home.glob(".staging-*"))
    assert (home / "latest").resolve() != complete[3]


def _commands(pid):
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(" ".join(child.cmdline()))
    return found


def _wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_paths_stay_inside_the_reports_folder(root):
    assert [path.name for path in Path(root / "reports").iterdir() if path.is_dir()] == ["tiny"]
