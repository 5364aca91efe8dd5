"""The page a notebook writes on: what it shows is safe and repeatable, what it keeps is complete."""

import csv
import datetime as dt
import json
from decimal import Decimal

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from perennial.charts import theme
from perennial.errors import ParameterError
from perennial.report import blocks, page
from perennial.report.page import Page, open_page
from perennial.statements import Caption, Finding, KeyFigure

CAPTION = Caption("<b>R&D</b> costs $5 and $6", "EUR", "Source: a & b", "Read *this* <i>first</i>")


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show: (data, metadata) of every output."""
    outputs = []
    monkeypatch.setattr(page, "display", lambda data, raw, metadata: outputs.append((data, metadata)))
    return outputs


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "name": ["=1+1", "@x", "plain"] * 10,
            "revenue": [-1.5, Decimal("2.1234"), 3] * 10,
            "share": [0.12345] * 30,
            "day": pd.to_datetime(["2020-02-01"] * 30),
        }
    )


def chart():
    axes = theme.new_axes()
    axes.plot([1, 3, 2])
    return axes


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_file_behind_a_chart_holds_every_row_in_full_precision(tmp_path, shown, frame):
    Page("01_x", None, tmp_path).figure(chart(), CAPTION, frame, name="revenue")
    written = rows(tmp_path / "data" / "revenue.csv")
    assert len(written) == 30
    assert written[1]["revenue"] == "2.1234" and written[0]["share"] == "0.12345"


def test_text_that_a_spreadsheet_would_run_is_inert_and_negative_numbers_stay_numbers(tmp_path, shown, frame):
    Page("01_x", None, tmp_path).table(frame.rename(columns={"share": "=cmd"}), CAPTION, "t")
    written = rows(tmp_path / "data" / "t.csv")
    assert [row["name"] for row in written[:3]] == ["'=1+1", "'@x", "plain"]
    assert written[0]["revenue"] == "-1.5"
    assert "'=cmd" in written[0]


def test_nothing_is_written_outside_a_run(tmp_path, shown, frame, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = Page("01_x", None)
    sheet.figure(chart(), CAPTION, frame, name="revenue")
    sheet.bottom_line([Finding("a", "01_x", "A.")])
    sheet.facts(revenue=1)
    assert list(tmp_path.iterdir()) == []
    assert len(shown) == 4


def test_chart_comes_with_title_picture_words_and_table(shown, frame):
    Page("01_x", None).figure(chart(), CAPTION, frame, name="revenue")
    head, picture, foot = shown
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in head[0]["text/html"]
    assert picture[1]["image/png"]["alt"] == "<b>R&D</b> costs $5 and $6 (EUR)"
    assert picture[1]["image/png"]["width"] == 720
    assert "<details>" in foot[0]["text/html"] and "Source: a &amp; b" in foot[0]["text/html"]
    assert "<em>this</em> &lt;i&gt;first&lt;/i&gt;" in foot[0]["text/html"]
    assert not plt.get_fignums(), "charts are closed once shown"


def test_same_chart_gives_the_same_bytes(shown, frame):
    for _again in range(2):
        Page("01_x", None).figure(chart(), CAPTION, frame, name="revenue")
    assert shown[:3] == shown[3:]


def test_table_shows_twelve_rows_and_says_how_many_are_left():
    text = blocks.table(pd.DataFrame({"n": range(1000)}), "many")
    assert text.count("<tr>") == 13
    assert "… 988 more rows in data/many.csv" in text


def test_cells_are_read_by_people():
    frame = pd.DataFrame(
        {"share": [0.12345], "money": [1234567.891], "day": [dt.date(2020, 2, 1)], "no": [None], "yes": [True]}
    )
    text = blocks.table(frame, "t", formats={"money": lambda value: f"€{value:.0f}"}, labels={"day": "first day"})
    for cell in ("12.3 %", "€1234568", "1 Feb 2020", ">–<", ">yes<", "First day"):
        assert cell in text
    assert '<td class="n">12.3 %</td>' in text


def test_headings_and_codes_are_words_and_a_clients_own_words_stay():
    frame = pd.DataFrame({"customer_id": ["cash_cow"], "quadrant": ["cash_cow"], "p_alive": [0.5], "odd_name": [True]})
    text = blocks.table(frame, "t")
    for shown in ("Customer<", "Quadrant<", "P(alive)<", "Odd name<", ">cash_<wbr>cow<", ">Cash cow<", ">yes<"):
        assert shown in text


def test_empty_table_says_so():
    assert "Nothing to list." in blocks.table(pd.DataFrame({"n": []}), "none")


def test_meaningful_index_becomes_a_column():
    frame = pd.DataFrame({"n": [1]}, index=pd.Index(["a"], name="cohort"))
    assert list(blocks.flat(frame).columns) == ["cohort", "n"]


def test_findings_are_kept_and_linked_in_the_order_finding_action_caution(tmp_path, shown):
    said = [
        Finding("c", "01_x", "Cannot tell.", kind="caution"),
        Finding("f", "01_x", "Grew &#36;5 <script>x</script>.", figure="revenue"),
        Finding("other", "02_y", "Elsewhere."),
    ]
    Page("01_x", None, tmp_path).bottom_line(said)
    text = shown[0][0]["text/html"]
    assert text.index("Grew") < text.index("Cannot tell")
    assert "<script>" not in text and "Grew $5" in text
    assert 'href="#fig-revenue"' in text and 'href="#02_y"' in text
    kept = json.loads((tmp_path / "findings" / "01_x.json").read_text())
    assert [finding["id"] for finding in kept] == ["c", "f"], "a chapter keeps its own findings only"


def test_plain_text_says_the_same(shown):
    sheet = Page("01_x", None)
    sheet.key_figures([KeyFigure("Revenue", "€1.24 M", "+18 %")])
    sheet.caution("Few &#36; orders")
    sheet.missing("tickets", "complaints")
    texts = [data["text/plain"] for data, _metadata in shown]
    assert texts[0] == "Revenue: €1.24 M (+18 %)"
    assert texts[1] == "Few $ orders"
    assert "tickets" in texts[2]


def test_facts_are_compared_to_the_cent(tmp_path):
    Page("01_x", None, tmp_path).facts(revenue=Decimal("2500315.6349"), customers=23570)
    kept = json.loads((tmp_path / "facts" / "01_x.json").read_text())
    assert kept == {"revenue": "2500315.63", "customers": 23570}


@pytest.mark.parametrize("client", ["../etc", "Demo", "", "a" * 65, 7, "demo\n", "<b>"])
def test_notebook_parameters_are_checked_before_anything_is_opened(client):
    with pytest.raises(ParameterError, match="client: expected a name of small letters"):
        open_page("01_x", client)


def test_all_wrong_parameters_are_told_at_once():
    with pytest.raises(ParameterError) as told:
        open_page("01_x", "Nope!", output=None)  # type: ignore[arg-type]
    assert len(told.value.problems) == 2


def test_unknown_client_is_answered_with_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "demo.yaml").touch()
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    with pytest.raises(ParameterError, match="did you mean 'demo'"):
        open_page("01_x", "dmo")


def test_a_bottom_line_shows_the_most_important_and_keeps_all(tmp_path):
    """The first screen stays short: of each kind only so many, in their own order; the file holds every one."""
    said = [Finding(f"x.{i}", "01_x", f"Sentence {i}.", importance=i / 10) for i in range(5)]
    text = page._bottom_line(said, "01_x", 2)
    assert "Sentence 3." in text and "Sentence 4." in text and "Sentence 2." not in text
    assert text.index("Sentence 3.") < text.index("Sentence 4.")
    Page("01_x", None, tmp_path).bottom_line(said, most=2)
    assert len(json.loads((tmp_path / "findings" / "01_x.json").read_text())) == 5
