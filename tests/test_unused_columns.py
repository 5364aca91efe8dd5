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
