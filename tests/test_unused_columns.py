"""Columns that stand in a client's files and that nothing reads: known by name in every format, and said."""

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from conftest import Workbook
from perennial import check
from perennial.chapters import data_audit
from perennial.schema import COLUMN_UNLOCKS, TABLES
from perennial.tables.audit import Audit

MAPPED = {"customer_id": "Customer ID", "ordered_at": "Day", "amount": "Paid"}
HEADER = ["Customer ID", "Day", "Paid", "Country", "Description"]
ROWS = [(f"c{n % 9}", f"2024-0{1 + n % 6}-1{n % 9}", 5 + n, "Norway", f"Tea for Mrs. Nygaard-{n}") for n in range(60)]
FRAME = pd.DataFrame(ROWS, columns=HEADER)


def audit_of(workbook: Workbook, path: str | list[str], columns: dict[str, Any] = MAPPED, **more: Any) -> Audit:
    source = {"path": path, "columns": columns, **more.pop("source", {})}
    others = more.pop("sources", {})
    given = {"title": "A", "currency": "EUR", "as_of": "2024-12-31", "sources": {"transactions": source, **others}}
    workbook.write_yaml("acme", {**given, **more})
    return workbook.open("acme").audit


def names(audit: Audit) -> list[str]:
    return [column.column for column in audit.unused]


def write_csv(path: Path) -> None:
    FRAME.to_csv(path, index=False)


def write_jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS), encoding="utf-8")


def write_duckdb(path: Path) -> None:
    con = ibis.duckdb.connect(path)
    con.create_table("orders", FRAME)
    con.disconnect()


def write_sqlite(path: Path) -> None:
    con = sqlite3.connect(path)
    FRAME.to_sql("orders", con, index=False)
    con.commit()
    con.close()


WRITERS = {
    "csv": write_csv,
    "xlsx": lambda path: FRAME.to_excel(path, index=False),
    "parquet": lambda path: FRAME.to_parquet(path),
    "jsonl": write_jsonl,
    "duckdb": write_duckdb,
    "sqlite": write_sqlite,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_tells_what_is_not_read(workbook: Workbook, suffix: str) -> None:
    WRITERS[suffix](workbook.root / "data" / f"orders.{suffix}")
    audit = audit_of(workbook, f"data/orders.{suffix}")
    assert names(audit) == ["Country", "Description"]
    assert {(column.table, column.files) for column in audit.unused} == {("transactions", 1)}
    assert all(column.file.startswith(f"data/orders.{suffix}") for column in audit.unused)
    assert "Nygaard" not in json.dumps([vars(column) for column in audit.unused])


def test_lines_of_fixed_width_too(workbook: Workbook) -> None:
    lines = ["who  day        paid land ", *(f"{row[0]:5}{row[1]:11}{row[2]:<5}{'no':5}" for row in ROWS)]
    (workbook.root / "data" / "orders.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {"customer_id": "who", "ordered_at": "day", "amount": "paid"}
    audit = audit_of(workbook, "data/orders.txt", columns, source={"layout": "fixed", "widths": [5, 11, 5, 5]})
    assert names(audit) == ["land"]


def test_other_tables_that_read_wanted_columns_only(workbook: Workbook) -> None:
    write_csv(workbook.root / "data" / "orders.csv")
    workbook.write_csv("people.csv", ["id", "size", "city"], [(f"c{n}", n, "Oslo") for n in range(9)])
    people = {"path": "data/people.csv", "columns": {"customer_id": "id"}, "attributes": ["size"]}
    audit = audit_of(workbook, "data/orders.csv", sources={"customers": people})
    assert [(column.table, column.column) for column in audit.unused][-1] == ("customers", "city")


def test_a_column_read_for_another_table_or_by_a_rule_is_used(workbook: Workbook) -> None:
    write_csv(workbook.root / "data" / "orders.csv")
    people = {"path": "data/orders.csv", "columns": {"customer_id": "Customer ID", "region": "Country"}}
    assert names(audit_of(workbook, "data/orders.csv", sources={"customers": people})) == ["Description"]
    rules = {"pseudo_products": {"Description": "^Postage"}}
    assert names(audit_of(workbook, "data/orders.csv", cleaning=rules)) == ["Country"]


def test_files_that_differ_are_counted(workbook: Workbook) -> None:
    for place in range(4):
        header = [*HEADER[:3], *(["Country"] if place else []), *(["Till"] if place == 2 else [])]
        rows = [[*row[:3], *("x" for _ in header[3:])] for row in ROWS]
        with (workbook.root / "data" / f"part{place}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    found = {column.column: column for column in audit_of(workbook, "data/part*.csv").unused}
    assert (found["Country"].files, found["Country"].file) == (3, "data/part1.csv")
    assert (found["Till"].files, found["Till"].file) == (1, "data/part2.csv")


def test_the_rest_of_a_lookup_is_told_and_its_key_is_not(workbook: Workbook) -> None:
    write_csv(workbook.root / "data" / "orders.csv")
    workbook.write_csv("products.csv", ["Description", "Group", "Shelf"], [(row[4], "tea", 4) for row in ROWS])
    lookup = {"lookup": {"path": "data/products.csv", "by": "Description"}}
    audit = audit_of(workbook, "data/orders.csv", {**MAPPED, "category": "Group"}, source=lookup)
    assert [(column.column, column.file) for column in audit.unused] == [
        ("Country", "data/orders.csv"),
        ("Shelf", "data/products.csv"),
    ]


def test_two_thousand_columns_are_all_known(workbook: Workbook) -> None:
    more = [f"measure {n}" for n in range(2000)]
    workbook.write_csv("orders.csv", [*HEADER[:3], *more], [(*row[:3], *("1" for _ in more)) for row in ROWS])
    assert names(audit_of(workbook, "data/orders.csv")) == more


def study_of(workbook: Workbook, header: list[str], rows: list[tuple[Any, ...]], **columns: str) -> Any:
    workbook.write_csv("orders.csv", header, rows)
    audit_of(workbook, "data/orders.csv", {**MAPPED, **columns})
    return data_audit.study(workbook.open("acme"))


def test_a_column_whose_name_says_what_it_is_need_not_be_asked_for(workbook: Workbook) -> None:
    study = study_of(workbook, HEADER, ROWS)
    table = study.unused.set_index("in_file")
    assert table["could_be"].to_dict() == {"Country": "customers.region", "Description": ""}
    assert list(study.unused["in_file"]) == ["Country", "Description"]
    assert study.captions["audit_unused"].title == "In the files and not used: Country and Description"
    (found,) = [finding for finding in study.findings if finding.id == "audit.unmapped"]
    assert "**Country** (as customers.region: " in found.sentence
    assert "(the same path and customer_id), with region: Country under columns" in found.sentence
    (asked,) = [question for question in study.questions if question.id == "missing"]
    assert "customers" not in asked.seen and "interactions" in asked.seen
    assert "region stands in orders.csv as Country" in study.in_files("customers")
    assert study.in_files("tickets") == ""


def test_a_column_of_its_own_table_is_told_apart_from_one_of_another(workbook: Workbook) -> None:
    header = ["Customer ID", "Day", "Paid", "Warengruppe", "单价", "Umsatz"]
    study = study_of(workbook, header, [(*row[:3], "tea", 5, 7) for row in ROWS])
    could = study.unused.set_index("in_file")["could_be"].to_dict()
    assert could == {"Warengruppe": "transactions.category", "单价": "transactions.unit_price", "Umsatz": ""}
    (found,) = [finding for finding in study.findings if finding.id == "audit.unmapped"]
    assert "add to sources.transactions.columns: category: Warengruppe, unit_price: 单价." in found.sentence
    assert study.in_files("customers") == ""


def test_what_the_report_advises_can_be_done(workbook: Workbook) -> None:
    write_csv(workbook.root / "data" / "orders.csv")
    people = {"path": "data/orders.csv", "columns": {"customer_id": "Customer ID", "region": "Country"}}
    audit_of(workbook, "data/orders.csv", sources={"customers": people})
    client = workbook.open("acme")
    assert client.table("customers").count().execute() == 9
    study = data_audit.study(client)
    assert study.unused["could_be"].tolist() == [""]
    assert "audit.unmapped" not in {finding.id for finding in study.findings}


def test_of_many_columns_the_first_are_named(workbook: Workbook) -> None:
    more = [f"measure {n}" for n in range(2000)]
    study = study_of(workbook, [*HEADER[:3], *more], [(*row[:3], *("1" for _ in more)) for row in ROWS])
    assert study.captions["audit_unused"].title.endswith("measure 4, measure 5 and 1,994 more")
    assert len(study.unused) == 2000
    said = check.as_text(check.check_client("acme", workbook.root))
    assert "measure 5 and 1,994 more" in said and "measure 6," not in said


def test_check_tells_the_same_as_the_chapter(workbook: Workbook) -> None:
    study_of(workbook, HEADER, ROWS)
    checked = check.check_client("acme", workbook.root)
    assert "In the files and not used: Country and Description." in check.as_text(checked)
    told = json.loads(checked.to_json())["unused_columns"]
    assert [(row["in_file"], row["could_be"]) for row in told] == [("Country", "customers.region"), ("Description", "")]


def test_a_file_of_which_all_is_used_says_nothing(workbook: Workbook) -> None:
    study = study_of(workbook, HEADER[:3], [row[:3] for row in ROWS])
    assert len(study.unused) == 0 and study.audit.unused == []
    assert "not used" not in check.as_text(check.check_client("acme", workbook.root))


def test_every_column_that_opens_something_is_a_canonical_one() -> None:
    for table, columns in COLUMN_UNLOCKS.items():
        assert set(columns) <= {*TABLES[table].columns, *TABLES[table].inputs} - set(TABLES[table].required)


def test_customers_read_from_order_lines_are_one_each_and_say_where_lines_differ(workbook: Workbook) -> None:
    """No line is rejected for want of a customer, none counts as a repeated id; conflicts are told, not hidden."""
    rows = [("" if n % 4 == 3 else who, day, paid, "Chile" if n == 18 else land, what)
            for n, (who, day, paid, land, what) in enumerate(ROWS)]  # fmt: skip
    workbook.write_csv("orders.csv", HEADER, rows)
    people = {"path": "data/orders.csv", "columns": {"customer_id": "Customer ID", "region": "Country"}}
    audit = audit_of(workbook, "data/orders.csv", sources={"customers": people})
    client = workbook.open("acme")
    found = client.table("customers").to_pandas().set_index("customer_id")["region"]
    expected = pd.DataFrame(rows, columns=HEADER).query("`Customer ID` != ''").drop_duplicates("Customer ID")
    assert found.to_dict() == dict(zip(expected["Customer ID"], expected["Country"], strict=True))
    assert [(rule.rule, rule.rows) for rule in audit.rules_of("customers")] == [("used", 9)]
    (said,) = [text for text in audit.warnings if text.startswith("customers: read from the order lines")]
    assert said.endswith("the first of each of 9 customers; 1 customer is described in more than one way (region)")
    assert data_audit.study(client).scorecard["repeated_ids"].status == "green"
