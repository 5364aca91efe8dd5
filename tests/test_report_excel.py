"""``customers.xlsx`` as openpyxl reads it back: text stays text, numbers stay numbers, every column is explained."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import ibis
import openpyxl
import pytest

from perennial.report.columns import meaning_of
from perennial.report.excel import write_workbook

PARAMETERS = SimpleNamespace(title="Tiny", as_of=dt.date(2020, 1, 1), currency="EUR")
ROWS = {
    "customer_id": ["=1+1", "007", "https://x.example"],
    "first_on": [dt.date(2019, 1, 2), dt.date(2019, 1, 3), dt.date(2019, 1, 4)],
    "frequency": [1, 2, 3],
    "revenue": [Decimal("10.25"), Decimal("20.5"), Decimal("5")],
    "p_alive": [0.5, float("nan"), None],
    "clv": [1.5, 2.5, None],
}


@pytest.fixture
def table():
    types = {"customer_id": "string", "first_on": "date", "frequency": "int64", "revenue": "decimal(18, 4)"}
    schema = {**types, "p_alive": "float64", "clv": "float64"}
    rows = [dict(zip(ROWS, values, strict=True)) for values in zip(*ROWS.values(), strict=True)]
    return ibis.memtable(rows, schema=schema)


def sheet(path, name="Customers"):
    return openpyxl.load_workbook(path)[name]


def test_most_valuable_come_first_and_text_stays_text(tmp_path, table):
    assert write_workbook(table, tmp_path / "c.xlsx", PARAMETERS) == 3
    rows = list(sheet(tmp_path / "c.xlsx").iter_rows())
    assert [cell.value for cell in rows[0]] == list(ROWS)
    assert [row[0].value for row in rows[1:]] == ["007", "=1+1", "https://x.example"]
    assert {row[0].data_type for row in rows[1:]} == {"s"} and not any(row[0].hyperlink for row in rows[1:])


def test_numbers_dates_and_gaps_are_what_they_are(tmp_path, table):
    write_workbook(table, tmp_path / "c.xlsx", PARAMETERS)
    found = sheet(tmp_path / "c.xlsx")
    first = [cell.value for cell in list(found.iter_rows())[2]]
    assert first[1:] == [dt.datetime(2019, 1, 2), 1, 10.25, 0.5, 1.5]
    assert found["E2"].value is None and found["F4"].value is None
    assert found["E3"].number_format == "0.0%" and found["D3"].number_format == "#,##0.00"


def test_header_stays_in_view_and_can_be_filtered(tmp_path, table):
    write_workbook(table, tmp_path / "c.xlsx", PARAMETERS)
    found = sheet(tmp_path / "c.xlsx")
    assert found.freeze_panes == "B2" and found.auto_filter.ref == "A1:F4"


def test_read_me_explains_every_column_and_says_what_is_left_out(tmp_path, table):
    write_workbook(table, tmp_path / "c.xlsx", PARAMETERS, most=2)
    lines = {row[0]: row[1] for row in sheet(tmp_path / "c.xlsx", "Read me").iter_rows(values_only=True)}
    assert lines["Rows"].startswith("The 2 customers with the highest clv, of 3")
    assert all(lines[column] == meaning_of(column, "EUR") != "" for column in ROWS)
    assert sheet(tmp_path / "c.xlsx").max_row == 3
