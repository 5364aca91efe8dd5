"""The merged page: nothing runs, nothing is loaded, everything has a name, and links lead somewhere."""

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from perennial.report import provenance
from perennial.report.execute import ChapterResult
from perennial.report.html import POLICY, TEMPLATES, render_report

NASTY = "<script>alert(1)</script><img src=https://evil.example/x.png onerror=alert(2)>"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def shown(part, html="", name="", **data):
    bundle = {"text/plain": "plain", **({"text/html": html} if html else {}), **data}
    return v4.new_output("display_data", data=bundle, metadata={"perennial": {"part": part, "name": name}})


def picture(alt):
    output = shown("picture", **{"image/png": PIXEL})
    output.metadata["image/png"] = {"alt": alt, "width": 720, "height": 360}
    return output


def chapter(folder, stem, *outputs, prose=""):
    book = v4.new_notebook()
    book.cells = [
        v4.new_markdown_cell(f"# {stem} title"),
        v4.new_code_cell("client = 'secret-parameter'", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("client = 'secret-injected'", metadata={"tags": ["injected-parameters"]}),
        v4.new_code_cell("hidden_code()", outputs=list(outputs), execution_count=1),
        v4.new_code_cell("1", outputs=[shown("say", "hidden cell")], metadata={"tags": ["hide-cell"]}),
        v4.new_code_cell("1", outputs=[v4.new_output("stream", name="stderr", text="a warning with 12345")]),
        v4.new_markdown_cell(prose or "## Method\n\nWords.\n\n## Method\n\nAgain."),
    ]
    (folder / "notebooks").mkdir(exist_ok=True)
    nbformat.write(book, str(folder / "notebooks" / f"{stem}.ipynb"))


def record(**changed):
    base = {
        "client": "tiny",
        "title": f"Tiny {NASTY}",
        "scope": "all",
        "prepared_by": "us",
        "currency": "EUR",
        "language": "en",
        "run": "2020-01-01_000000",
        "status": "complete",
        "problems": [],
        "as_of": "2019-12-31",
        "started": "2020-01-01T00:00:00",
        "finished": "2020-01-01T00:00:09",
        "seconds": 9.0,
        "first": "2018-01-01",
        "last": "2019-12-31",
        "customers": 150,
        "inputs": [{"table": "transactions", "path": f"data/{NASTY}.csv", "bytes": 1000, "sha256": "ab" * 32}],
        "tables": [{"table": "transactions", "raw_rows": 10, "rows": 9}],
        "cleaning": [{"table": "transactions", "meaning": "bad dates", "rows": 1, "money": 2.5}],
        "warnings": ["a warning"],
        "versions": provenance.versions(),
        "git_commit": "c0ffee" * 6,
        "parameters": {
            "currency": "EUR",
            "as_of": "2019-12-31",
            "cohort_period": "month",
            "horizon_months": 12,
            "discount_rate": 0.1,
            "gross_margin": 0.3,
            "holdout_days": None,
            "interval": 0.9,
            "minimum_group": 10,
            "seed": 1,
        },
    }
    return {**base, **changed}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    grown = shown("say", "<p>grew 18 % to €1.24 M, 5 Meter</p>")
    chart = [
        shown("figure-head", '<div class="fig-title">T</div>', "base_revenue"),
        picture(f"Revenue {NASTY}"),
        shown("figure-foot", '<div class="fig-source">S</div>', "base_revenue"),
    ]
    table = shown("table", '<div class="fig-title">T</div><table></table>', "base_table")
    links = [
        '<p><a href="#fig-base_revenue">see</a> <a href="#fig-base_table">see</a> <a href="#01_base">see</a></p>',
        '<p>gone<a href="#fig-of_a_failed_chapter">see</a> <a href="#nowhere">kept words</a></p>',
    ]
    chapter(folder, "00_summary", shown("style", "<style>lab</style>"), *[shown("say", link) for link in links])
    linked = "[base](02_more.ipynb), [paper](https://example.org/p), ![pic](https://example.org/p.png)"
    prose = f"## Reading\n\n{linked} {NASTY}"
    chapter(folder, "01_base", *chart, table, grown, prose=prose)
    chapter(folder, "02_more")
    results = [
        ChapterResult("00_summary", "The bottom line", "ok"),
        ChapterResult("01_base", "Base", "ok"),
        ChapterResult("02_more", "More", "ok"),
        ChapterResult("03_gone", f"Gone {NASTY}", "failed", f"cell 3 stopped with ValueError: {NASTY}"),
        ChapterResult("04_absent", "Absent", "skipped", "tiny has no tickets"),
    ]
    problems = ["The chapter “Gone” failed: cell 3"]
    (folder / "report.html").write_text(render_report(folder, record(problems=problems), results), encoding="utf-8")
    return folder / "report.html"


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("figure", "section", "details"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("figure", "section", "details"):
            assert self.open.pop() == tag

    def all(self, name):
        return [value[name] for _tag, value in self.tags if name in value]


@pytest.fixture(scope="module")
def read(page):
    return Reader(page.read_text(encoding="utf-8"))


def test_nothing_can_run(read):
    assert not [tag for tag, _ in read.tags if tag in ("script", "iframe", "object", "embed", "link", "form")]
    assert not [name for _tag, values in read.tags for name in values if name.startswith("on")]
    policies = [v["content"] for _t, v in read.tags if v.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [POLICY] and "default-src 'none'" in POLICY and "script-src" not in POLICY


def test_nothing_is_loaded_and_links_stay_inside(read):
    ids = set(read.all("id"))
    assert all(source.startswith("data:image/png;base64,") for source in read.all("src"))
    assert all(link.startswith("#") and link[1:] in ids for link in read.all("href"))
    assert len(read.all("src")) == 1 and len(read.all("href")) > 10


def test_every_id_is_given_once(read):
    ids = read.all("id")
    assert len(ids) == len(set(ids)) > 10
    assert {
        "00_summary",
        "01_base-reading",
        "02_more-method",
        "02_more-method-2",
        "fig-base_revenue",
        "04_absent",
    } <= set(ids)


def test_every_picture_has_words(read):
    assert all(values.get("alt") for tag, values in read.tags if tag == "img")


def test_tags_are_balanced(read):
    assert read.open == []


def test_style_sheet_arrives_as_written(page):
    assert (TEMPLATES / "style.css").read_text(encoding="utf-8") in page.read_text(encoding="utf-8")


def test_language_and_phone_width_are_declared(read):
    assert ("html", {"lang": "en"}) in read.tags
    assert any(values.get("name") == "viewport" for _tag, values in read.tags)


def test_links_name_what_they_lead_to_and_dead_ones_are_gone(page):
    text = page.read_text(encoding="utf-8")
    assert '<a href="#fig-base_revenue">Figure&nbsp;1</a>' in text
    assert '<a href="#fig-base_table">Table&nbsp;1</a>' in text
    assert '<a href="#01_base">Base</a>' in text
    assert "<p>gone kept words</p>" in text
    assert '<a href="#02_more">base</a>' in text


def test_numbers_stay_beside_their_units(page):
    assert "grew 18\u00a0% to €1.24\u00a0M, 5 Meter" in page.read_text(encoding="utf-8")


def test_code_parameters_and_warnings_are_not_shown(page):
    text = page.read_text(encoding="utf-8")
    for unseen in ("hidden_code", "secret-parameter", "secret-injected", "hidden cell", "12345", "<style>lab"):
        assert unseen not in text


def test_failed_and_absent_chapters_are_said_in_words(page):
    text = page.read_text(encoding="utf-8")
    assert "This report is not complete" in text
    assert "cell 3 stopped with ValueError: &lt;script&gt;" in text
    assert "tiny has no tickets" in text


def test_provenance_names_files_rows_hashes_rules_and_versions(page):
    text = page.read_text(encoding="utf-8")
    for said in ("abababababab", "bad dates", "€2.50", "a warning", "papermill", "c0ffee", "2020-01-01_000000"):
        assert said in text


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.slow
def test_browser_asks_the_network_for_nothing(page, tmp_path):
    assert requested(page, tmp_path) == []
    other = tmp_path / "other.html"
    other.write_text('<img src="http://127.0.0.1:9/seen.png">')
    assert requested(other, tmp_path) == ["http://127.0.0.1:9/seen.png"], "the log would have shown it"


def requested(page: Path, folder: Path) -> list[str]:
    """Addresses that headless Chromium asked for on behalf of the page."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--disable-default-apps", f"--user-data-dir={folder}/u"]
    command = [CHROMIUM, *flags, f"--log-net-log={folder}/net.json", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "</html>" in done.stdout, done.stderr[-500:]
    events = json.loads((folder / "net.json").read_text(encoding="utf-8"))["events"]
    asked = {event.get("params", {}).get("url", "") for event in events}
    return sorted(url for url in asked if url.startswith(("http", "ws", "ftp")) and "google" not in url)
