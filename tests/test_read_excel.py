"""Spreadsheets as clients send them: their cells as text, every row accounted for, clear words for the rest."""

import csv
import datetime as dt
import math
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from asking import HEADER, ask, open_source, refusal, rows_of
from perennial.tables.files.cells import cell_name, column_texts

FILES = Path(__file__).parent / "files"
ROW = ["c1", "2024-01-31", 12.5]


def write_book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_cells_become_the_text_a_text_file_would_hold(tmp_path: Path) -> None:
    moment, evening = dt.datetime(2024, 1, 31, 12, 30), dt.datetime(2024, 1, 31, 23, 59, 59)
    cells = [
        ["id", "float", "text", "day", "moment", "flag", "time", "long"],
        [17850.0, 0.1, "17850.0", dt.date(2024, 1, 31), moment, True, dt.time(12, 30), dt.timedelta(hours=36)],
        [-3.0, 1234.56, "00042", dt.date(2024, 2, 29), evening, False, dt.time(1, 2, 3), dt.timedelta(minutes=90)],
    ]
    write_book(tmp_path / "a.xlsx", {"A": cells})
    first, second = rows_of(open_source(ask(tmp_path, "a.xlsx", {"customer_id": "id"})))
    assert list(first.values()) == [
        "17850", "0.1", "17850.0", "2024-01-31", "2024-01-31 12:30:00", "true", "12:30:00", "PT36H0M0S", 0,
    ]  # fmt: skip
    assert list(second.values()) == [
        "-3", "1234.56", "00042", "2024-02-29", "2024-01-31 23:59:59", "false", "01:02:03", "PT1H30M0S", 0,
    ]  # fmt: skip


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_number_is_given_back_by_its_text(values: list[float]) -> None:
    texts = column_texts(values)
    assert [float(text or "nan") for text in texts] == values
    assert all(not (text or "").endswith(".0") for text in texts if abs(float(text or 0)) < 1e15)


@given(st.lists(st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2200, 1, 1)), min_size=1))
def test_dates_keep_their_second_and_one_form_in_a_column(values: list[dt.datetime]) -> None:
    texts = [text or "" for text in column_texts(values)]
    assert len({len(text) > 10 for text in texts}) == 1
    for value, text in zip(values, texts, strict=True):
        assert abs(dt.datetime.fromisoformat(text) - value) <= dt.timedelta(milliseconds=2)


def test_columns_are_named_as_excel_names_them() -> None:
    assert [cell_name(0, 0), cell_name(6, 25), cell_name(9, 26), cell_name(0, 16383)] == ["A1", "Z7", "AA10", "XFD1"]


def test_pharmacy_sheet_equals_its_text_twin_cell_for_cell(real_data: Path) -> None:
    with (real_data / "chaoyang_pharmacy_2018_gb18030.csv").open(encoding="gb18030", newline="") as file:
        header, *lines = csv.reader(file)
    columns = {"customer_id": header[1], "ordered_at": header[0], "amount": header[6]}
    raw = open_source(ask(real_data, "chaoyang_pharmacy_2018.xlsx", columns))
    rows = [tuple(row[name] or "" for name in header) for row in rows_of(raw)]
    assert len(rows) == 6578
    assert sum(not any(row) for row in rows) == 1
    assert sum(row[0].startswith("2018-02-29") for row in rows) == 23
    assert rows == [tuple(line) for line in lines]
    assert raw.files[0].notes == ("1 row between the others is blank.",)


def test_old_xls_is_read_like_the_new(tmp_path: Path) -> None:
    # made once with xlwt: two ids that are numbers, one that is text, dates, a formula
    columns = {"customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount"}
    rows = rows_of(open_source(ask(FILES, "orders.xls", columns)))
    assert [row["customer_id"] for row in rows] == ["17850", "00042", "13047"]
    assert [row["ordered_at"] for row in rows] == ["2024-01-31", "2024-02-29", "2024-03-01"]
    assert [row["amount"] for row in rows] == ["12.5", "3", "-1.25"]


def test_open_document_is_read_like_excel(tmp_path: Path) -> None:
    document, table = OpenDocumentSpreadsheet(), Table(name="Orders")
    for cells in [HEADER, ["c1", dt.date(2024, 1, 31), 17850.0]]:
        row = TableRow()
        for value in cells:
            kind = {"valuetype": "string"}
            if isinstance(value, float):
                kind = {"valuetype": "float", "value": str(value)}
            elif isinstance(value, dt.date):
                kind = {"valuetype": "date", "datevalue": value.isoformat()}
            cell = TableCell(**kind)
            cell.addElement(P(text=str(value)))
            row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    document.save(str(tmp_path / "a.ods"))
    (row,) = rows_of(open_source(ask(tmp_path, "a.ods")))
    assert row == {"customer": "c1", "day": "2024-01-31", "amount": "17850", "_file": 0}


def test_first_sheet_with_data_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    sheets = {"Empty": [], "Orders": [HEADER, ROW], "Old": [HEADER, ROW, ROW], "Secret": [HEADER, ROW]}
    book = openpyxl.load_workbook(write_book(tmp_path / "a.xlsx", sheets))
    book["Secret"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    raw = open_source(ask(tmp_path, "a.xlsx"))
    assert [file.name for file in raw.files] == ["a.xlsx#Orders"]
    assert raw.files[0].notes == (
        "Read sheet 'Orders' and not 'Old'; declare 'sheet' to choose.",
        "Hidden sheets were not read: 'Secret'; name them under 'sheet' to read them.",
    )
    assert len(rows_of(raw)) == 1


@pytest.mark.parametrize(
    ("sheet", "names"),
    [
        ("Old", ["Old"]),
        (" old", ["Old"]),
        (2, ["Old"]),
        (2018, ["2018"]),
        (["2018", "Orders"], ["2018", "Orders"]),
        ("*", ["Orders", "Old", "2018"]),
    ],
)
def test_sheets_are_chosen_by_name_number_list_or_all(tmp_path: Path, sheet: Any, names: list[str]) -> None:
    write_book(tmp_path / "a.xlsx", {name: [HEADER, [name, "2024-01-31", 1]] for name in ("Orders", "Old", "2018")})
    raw = open_source(ask(tmp_path, "a.xlsx", sheet=sheet))
    assert [file.name for file in raw.files] == [f"a.xlsx#{name}" for name in names]
    assert [(row["customer"], row["_file"]) for row in rows_of(raw)] == [(name, n) for n, name in enumerate(names)]


def test_many_files_and_sheets_are_one_table_whose_columns_may_differ(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_book(tmp_path / "in/2023.xlsx", {"Q1": [HEADER, ROW], "Q2": [HEADER, ROW]})
    write_book(tmp_path / "in/2024.xlsx", {"Q1": [[*reversed(HEADER), "shop"], [2, "2024-05-01", "c2", "north"]]})
    raw = open_source(ask(tmp_path, "in", sheet="*"))
    assert [(row["_file"], row["customer"], row["shop"]) for row in rows_of(raw)] == [
        (0, "c1", None), (1, "c1", None), (2, "c2", "north"),
    ]  # fmt: skip
    assert raw.files[0].notes == (
        "It lacks 'shop', which other files of the source have; these are empty for its rows.",
    )
    write_book(tmp_path / "in/2025.xlsx", {"Q1": [["customer", "day", "Amount paid"], ROW]})
    assert "'in/2025.xlsx#Q1' has no column 'amount'" in refusal(ask(tmp_path, "in", sheet="*"))


def test_covers_and_months_to_come_are_no_data(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"Cover": [["Sales of the shop"]], "May": [HEADER, ROW], "June": [HEADER]})
    assert [file.name for file in open_source(ask(tmp_path, "a.xlsx", sheet="*")).files] == ["a.xlsx#May"]
    raw = open_source(ask(tmp_path, "a.xlsx"))
    assert [file.name for file in raw.files] == ["a.xlsx#May"]
    assert raw.files[0].notes == ()


def test_two_thousand_columns_are_read(tmp_path: Path) -> None:
    names = [f"column {number}" for number in range(2000)]
    write_book(tmp_path / "a.xlsx", {"A": [HEADER + names, ROW + list(range(2000))]})
    (row,) = rows_of(open_source(ask(tmp_path, "a.xlsx")))
    assert len(row) == 2004
    assert row["column 1999"] == "1999"


def test_names_stand_in_a_later_row_and_rows_keep_their_number(tmp_path: Path) -> None:
    rows = [["Sales report"], [], HEADER, ["id", "date", "EUR"], ROW, [None, None, None], ROW, [None, " ", None]]
    write_book(tmp_path / "a.xlsx", {"A": rows})
    raw = open_source(ask(tmp_path, "a.xlsx", header=3, skip_after_header=1))
    assert [row["customer"] for row in rows_of(raw)] == ["c1", None, "c1"]
    assert list(raw.files[0].line_numbers([0, 1, 2])) == [5, 6, 7]
    said = refusal(ask(tmp_path, "a.xlsx"))
    assert "'a.xlsx#A' has no column 'customer'" in said
    assert "declare header: 3" in said
    assert "row 2 of sheet 'A' of 'a.xlsx' is blank" in refusal(ask(tmp_path, "a.xlsx", header=2))
    assert "has 7 rows, so its names cannot stand in row 9" in refusal(ask(tmp_path, "a.xlsx", header=9))


def test_names_can_be_given_and_doubtful_ones_are_made_usable(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"A": [ROW, ROW]})
    assert len(rows_of(open_source(ask(tmp_path, "a.xlsx", header=0, names=HEADER)))) == 2
    assert "but 4 'names' are given" in refusal(ask(tmp_path, "a.xlsx", header=0, names=[*HEADER, "more"]))
    write_book(tmp_path / "b.xlsx", {"A": [[*HEADER, None, "Amount"], [*ROW, "x", 2]]})
    raw = open_source(ask(tmp_path, "b.xlsx"))
    assert raw.rows.columns == ("customer", "day", "amount", "column D", "Amount_1", "_file")
    assert raw.files[0].notes == ("Column names that occur twice were numbered: 'Amount_1'.",)


def test_only_wanted_columns_are_taken(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"A": [[*HEADER, "phone"], [*ROW, "0171 234"]]})
    raw = open_source(ask(tmp_path, "a.xlsx"), ["customer", "amount"])
    assert raw.rows.columns == ("customer", "amount", "_file")


def test_formulas_that_were_never_calculated_are_refused(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"A": [[*HEADER, "note"], ["c1", "2024-01-31", "=1+1", "=1"]]})  # writes no values
    said = refusal(ask(tmp_path, "a.xlsx"))
    assert "1 cell of 'a.xlsx#A' holds a formula without its value (C2): open the file in Excel" in said
    assert len(rows_of(open_source(ask(tmp_path, "a.xlsx"), ["customer"]))) == 1  # nothing needed is missing


def test_formulas_left_at_zero_by_the_program_that_wrote_them_are_refused(tmp_path: Path) -> None:
    for name, value in [("zero.xlsx", 0), ("real.xlsx", 25)]:
        book = xlsxwriter.Workbook(tmp_path / name)
        sheet = book.add_worksheet("A")
        sheet.write_row(0, 0, HEADER)
        for row in (1, 2):
            sheet.write_row(row, 0, ROW[:2])
            sheet.write_formula(row, 2, "=12.5*2", value=value)
        book.close()
    assert "2 cells of 'zero.xlsx#A' hold formulas without values (C2, C3)" in refusal(ask(tmp_path, "zero.xlsx"))
    assert [row["amount"] for row in rows_of(open_source(ask(tmp_path, "real.xlsx")))] == ["25", "25"]


def test_error_cells_are_empty_and_counted(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_book(tmp_path / "a.xlsx", {"A": [HEADER, ROW, ["c2", "#N/A", "#DIV/0!"]]}))
    for cell in ("B3", "C3"):
        book["A"][cell].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    raw = open_source(ask(tmp_path, "a.xlsx"))
    assert rows_of(raw)[1] == {"customer": "c2", "day": None, "amount": None, "_file": 0}
    assert raw.files[0].notes == ("2 cells with an error such as #N/A or #DIV/0! were taken as empty (B3, C3).",)


def test_merged_text_and_dates_fill_their_cells_and_merged_amounts_are_refused(tmp_path: Path) -> None:
    rows = [["Sales of the year"], HEADER, ROW, [None, None, 3], [None, None, 4], ["c2", "2024-02-01", 5]]
    for name, cells in [("text.xlsx", "A3:A5"), ("money.xlsx", "C3:C5")]:
        book = openpyxl.load_workbook(write_book(tmp_path / name, {"A": rows}))
        book["A"].merge_cells("A1:C1")
        book["A"].merge_cells(cells)
        book.save(tmp_path / name)
    raw = open_source(ask(tmp_path, "text.xlsx", header=2))
    assert [row["customer"] for row in rows_of(raw)] == ["c1", "c1", "c1", "c2"]
    assert raw.files[0].notes == ("1 merged range in the data: each cell has the merge's value (A3:A5).",)
    said = refusal(ask(tmp_path, "money.xlsx", header=2))
    assert "cells C3:C5 of 'money.xlsx#A' are merged over column 'amount'" in said
    assert "unmerge them" in said


def test_long_ids_kept_as_numbers_are_called_out(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"A": [HEADER, [4111111111111111.0, "2024-01-31", 1]]})
    raw = open_source(ask(tmp_path, "a.xlsx"))
    assert "Column 'customer' has 1 number of more than 15 digits" in raw.files[0].notes[0]
    assert not math.isnan(float(rows_of(raw)[0]["customer"]))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"a;b\n1;2\n", "is no Excel file: it is plain text divided by semicolons; declare layout: csv"),
        ("a.xls", b"<html><table><tr><td>1", "it is a web page (HTML) with a table; open it in Excel"),
        ("a.xls", b"<?xml version='1.0'?><Workbook/>", "it is XML; open it in Excel and save it as .xlsx"),
        ("a.ods", b"%PDF-1.4", "it is a PDF"),
        ("a.xlsx", b"PAR1\0\0", "it is a Parquet file: declare layout: parquet"),
        ("a.xls", b"\x00\x01\x02\x03" * 9, "it holds neither a spreadsheet nor text"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 90, "cannot be read as an Excel file: it is damaged"),
    ],
)
def test_files_that_only_look_like_excel_are_named_for_what_they_are(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    told = refusal(ask(tmp_path, name))
    assert f"the file '{name}'" in told
    assert said in told


def test_truncated_and_damaged_workbooks_are_refused(tmp_path: Path) -> None:
    whole = write_book(tmp_path / "a.xlsx", {"A": [HEADER, *[ROW] * 500]}).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    assert "'cut.xlsx' is damaged or was not copied to its end" in refusal(ask(tmp_path, "cut.xlsx"))
    middle = whole.index(b"xl/worksheets/sheet1.xml") + 60
    (tmp_path / "hit.xlsx").write_bytes(whole[:middle] + b"\xff" * 200 + whole[middle + 200 :])
    assert "'hit.xlsx'" in refusal(ask(tmp_path, "hit.xlsx"))


@pytest.mark.parametrize("name", ["a.xlsx", "renamed.xls"])
def test_a_password_is_recognised(tmp_path: Path, name: str) -> None:
    whole = write_book(tmp_path / "plain.xlsx", {"A": [HEADER, ROW]})
    with whole.open("rb") as plain, (tmp_path / name).open("wb") as locked:
        OOXMLFile(plain).encrypt("secret", locked)
    said = refusal(ask(tmp_path, name))
    assert f"the file '{name}' is protected by a password: open it in Excel, save it without one" in said


def test_a_workbook_under_another_suffix_is_read_all_the_same(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"A": [HEADER, ROW]}).rename(tmp_path / "a.xls")
    assert len(rows_of(open_source(ask(tmp_path, "a.xls")))) == 1


def test_empty_workbooks_and_sheets_and_missing_sheets_are_refused(tmp_path: Path) -> None:
    write_book(tmp_path / "empty.xlsx", {"A": [], "B": []})
    write_book(tmp_path / "a.xlsx", {"Orders": [HEADER, ROW], "None": [], "Header": [HEADER]})
    assert "'empty.xlsx' is empty: none of its sheets holds a cell" in refusal(ask(tmp_path, "empty.xlsx"))
    assert "sheet 'None' of 'a.xlsx' is empty" in refusal(ask(tmp_path, "a.xlsx", sheet="None"))
    assert "sheet 'Header' of 'a.xlsx' has a header but no rows" in refusal(ask(tmp_path, "a.xlsx", sheet="Header"))
    missing = refusal(ask(tmp_path, "a.xlsx", sheet="Ordres"))
    assert "'a.xlsx' has no sheet 'Ordres'; did you mean 'Orders'? It has: Orders, None, Header" in missing
    assert "'a.xlsx' has no sheet 7; it has: Orders" in refusal(ask(tmp_path, "a.xlsx", sheet=7))


def test_excel_and_text_of_the_same_orders_make_the_same_table(workbook: Any) -> None:
    orders = [(f"c{n % 7}", f"2024-{n % 12 + 1:02d}-15", n + 0.25) for n in range(60)]
    workbook.write("text", orders)
    write_book(
        workbook.root / "data/book.xlsx", {"Orders": [["customer_id", "ordered_at", "amount"], *map(list, orders)]}
    )
    source = {"path": "data/book.xlsx", "columns": {name: name for name in ("customer_id", "ordered_at", "amount")}}
    workbook.write("book", orders, sources={"transactions": source})
    text, book = (pq.read_table(workbook.open(name).folder / "transactions.parquet") for name in ("text", "book"))
    assert book.num_rows == 60
    assert book.equals(text)
