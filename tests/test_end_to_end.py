"""The real command line on shipped clients: what a run leaves, and that its parts agree with each other."""

import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from conftest import REPO
from perennial.schema import CHAPTERS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
CLIENTS = ["demo", "cdnow"]
QUADRANTS = {"growth_stock", "cash_cow", "sleeping_gold", "low_yield"}
DEMO_LOOKS = {"wallet_score", "cross_buy_score", "engagement_score", "lifecycle_score"}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A workbook of its own (the shipped notebooks, parameters and data), reports made in it by the command."""
    home = tmp_path_factory.mktemp("home")
    for part in ("notebooks", "parameters", "data"):
        (home / part).symlink_to(REPO / part, target_is_directory=True)
    command = [str(Path(sys.executable).parent / "perennial"), "report", *CLIENTS]
    done = subprocess.run(
        command, cwd=home, env={**os.environ, "PERENNIAL_HOME": str(home)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "reports"


@pytest.fixture(params=CLIENTS)
def run(request, published) -> Path:
    return published / request.param / "latest"


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_everything_that_a_run_leaves_is_there(run):
    for name in ["report.html", "findings.json", "run.json", "data/customers.parquet", "data/customers.xlsx"]:
        assert (run / name).stat().st_size > 500
    assert sorted(path.stem for path in (run / "notebooks").glob("*.ipynb")) == sorted(CHAPTERS)
    record = read(run / "run.json")
    assert record["status"] == "complete"
    assert {chapter["status"] for chapter in record["chapters"]} == {"ok"}
    assert all(len(item["sha256"]) == 64 for item in record["inputs"])
    assert record["versions"]


def test_executed_chapters_ran_to_their_last_cell(run):
    for path in (run / "notebooks").glob("*.ipynb"):
        code = [c for c in nbformat.read(path, 4).cells if c.cell_type == "code" and c.source.strip()]
        assert all(cell.execution_count for cell in code)
        assert not [out for cell in code for out in cell.outputs if out.output_type == "error"]
        assert not [out for cell in code for out in cell.outputs if out.get("name") == "stderr"]


def test_revenue_and_customers_agree_in_every_chapter_to_the_cent(run):
    record = read(run / "run.json")
    facts = {stem: totals for stem, totals in record["facts"].items() if "revenue" in totals}
    assert len(facts) >= 5
    assert len({str(totals["revenue"]) for totals in facts.values()}) == 1
    assert len({str(totals["customers"]) for totals in record["facts"].values() if "customers" in totals}) == 1


def test_customers_file_agrees_with_the_audit_and_the_quadrants_hold_everyone_once(run):
    customers = pd.read_parquet(run / "data" / "customers.parquet")
    record = read(run / "run.json")
    assert customers.customer_id.is_unique
    assert len(customers) == record["customers"]
    used = next(rule for rule in record["cleaning"] if rule["table"] == "transactions" and rule["rule"] == "used")
    assert float(customers.revenue.sum()) == pytest.approx(used["money"], abs=0.005)
    assert set(customers.quadrant) <= QUADRANTS
    assert customers.quadrant.notna().all()
    assert customers.potential_score.between(0, 100).all()
    assert customers.p_alive.dropna().between(0, 1).all()
    assert (customers.clv_low <= customers.clv_high).all()
    assert (customers.clv >= 0).all()
    assert customers[["r", "f", "m"]].isin(range(1, 6)).all().all()


def test_demo_measures_all_four_looks_and_cdnow_only_what_it_can(published):
    demo = pd.read_parquet(published / "demo" / "latest" / "data" / "customers.parquet")
    cdnow = pd.read_parquet(published / "cdnow" / "latest" / "data" / "customers.parquet")
    assert set(demo.columns) >= DEMO_LOOKS
    assert DEMO_LOOKS & set(cdnow.columns) == {"lifecycle_score"}
    assert not {"wallet", "headroom", "next_category"} & set(cdnow.columns)


def test_clv_model_states_model_units_errors_and_holdout_of_the_full_file(published):
    model = read(published / "cdnow" / "latest" / "data" / "clv_model.json")
    assert (model["model"], model["ground"]) == ("Pareto/NBD", "holdout")
    assert model["n_customers"] == 23570
    purchase = model["purchase"]
    assert set(purchase["params"]) == {"r", "alpha", "s", "beta"}
    assert all(0 < purchase["se"][name] < purchase["params"][name] for name in purchase["params"])
    assert math.isfinite(purchase["loglik"])
    assert purchase["unit"] == "week"
    assert {score["forecaster"] for score in model["holdout"]["scores"]} > {"BG/NBD", "same rate as before"}
    equity = model["equity"]
    assert equity["low"] < equity["value"] < equity["high"]


def test_equity_in_the_model_file_is_the_sum_over_customers(run):
    customers = pd.read_parquet(run / "data" / "customers.parquet")
    equity = read(run / "data" / "clv_model.json")["equity"]["value"]
    assert customers.clv.sum() == pytest.approx(equity, rel=1e-9)


def test_findings_are_sentences_with_their_number_and_stand_in_the_report(run):
    findings = read(run / "findings.json")
    assert {finding["chapter"] for finding in findings} >= set(CHAPTERS) - {"00_summary"}
    assert len({finding["id"] for finding in findings}) == len(findings)
    long_decimals = re.compile(r"\d\.\d{4,}")
    for finding in findings:
        assert len(finding["sentence"].split()) > 5
        assert not long_decimals.search(finding["sentence"])
        assert "nan" not in finding["sentence"].lower().split()
        if finding["low"] is not None:
            assert finding["low"] <= finding["value"] <= finding["high"]


class Page(HTMLParser):
    """Collects what the report must not hold, and what it must."""

    def __init__(self):
        super().__init__()
        self.tags, self.ids, self.links, self.loads, self.images, self.policy = set(), [], [], [], [], ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "img":
            self.images.append(given)
        self.loads += [given[key] for key in ("src", "srcset", "data") if key in given]
        if given.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = given["content"]


def test_report_is_one_offline_page_whose_links_and_pictures_hold(run):
    page = Page()
    page.feed((run / "report.html").read_text(encoding="utf-8"))
    assert not page.tags & {"script", "iframe", "object", "link"}
    assert "default-src 'none'" in page.policy
    assert all(source.startswith("data:") for source in page.loads)
    assert len(page.ids) == len(set(page.ids))
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert set(CHAPTERS) <= set(page.ids)
    assert inside <= set(page.ids)
    assert len(page.images) >= 20
    assert all(len(image.get("alt", "")) > 20 for image in page.images)


def test_chart_titles_are_findings_of_at_most_fifteen_words(run):
    titles = []
    for path in (run / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            for output in cell.get("outputs", []):
                if output.get("metadata", {}).get("perennial", {}).get("part") == "figure-head":
                    titles.append(output["data"]["text/plain"].split("\n")[0])
    assert len(titles) >= 20
    for title in titles:
        assert 4 <= len(title.split()) <= 18, title


def test_every_chart_has_its_table(run):
    quadrants = pd.read_csv(run / "data" / "potential_quadrants.csv").set_index("quadrant")["customers"]
    empty = {"rejects.csv", *(f"potential_{name}.csv" for name in quadrants[quadrants == 0].index)}
    tables = sorted(path.name for path in (run / "data").glob("*.csv") if path.name not in empty)
    assert len(tables) >= 20
    assert all(len((run / "data" / name).read_text(encoding="utf-8").splitlines()) > 1 for name in tables)


def test_index_names_each_client(published):
    index = (published / "index.html").read_text(encoding="utf-8")
    for client in CLIENTS:
        assert f"{client}/latest/report.html" in index
    assert "<script" not in index


def test_rejects_have_their_columns_even_where_all_could_be_read(run):
    header, *lines = (run / "data" / "rejects.csv").read_text(encoding="utf-8").splitlines()
    assert header == "table,file,line,column,text,reason"
    rejected = sum(table["rejects"] for table in read(run / "run.json")["tables"])
    assert len(lines) >= rejected
