"""Cleaning of real clients' files; expected counts from the publishers' pages and from the files by csv and gzip."""

import csv
import shutil
from decimal import Decimal

import pytest

RETAIL = {"customer_id": {"from": "CustomerID", "strip_decimal": True}, "ordered_at": "InvoiceDate",
          "order_id": "InvoiceNo", "product_id": "StockCode", "quantity": "Quantity",
          "unit_price": "UnitPrice"}  # fmt: skip
PHARMACY = {"customer_id": "社保卡号", "ordered_at": "购药时间", "product_id": "商品编码", "category": "商品名称",
            "quantity": "销售数量", "amount": "实收金额"}  # fmt: skip


def given(workbook, real_data, file, columns, **more):
    shutil.copy(real_data / file, workbook.root / "data" / file)
    source = {"path": f"data/{file}", "columns": columns}
    workbook.write_yaml("real", {"title": "Real", "currency": "GBP", "sources": {"transactions": source}, **more})
    return workbook.open("real")


@pytest.mark.slow
def test_online_retail_reconciles_to_the_penny(workbook, real_data):
    """541 909 lines worth 9 747 747.934; 135 080 without customer, 9 288 cancellations, 5 268 duplicates."""
    cleaning = {"returns": {"where": {"InvoiceNo": "^C"}, "treat": "net"}, "exact_duplicates": "drop"}
    client = given(workbook, real_data, "online_retail.csv.gz", RETAIL, as_of="2011-12-09", cleaning=cleaning)
    rules = {rule.rule: rule for rule in client.audit.rules}
    flags = {flag.what: flag.rows for flag in client.audit.flags}
    assert rules["no_customer"].found == 135_080
    assert rules["exact_duplicate"].found == 5_268
    assert flags["cancellation"] == 9_288
    assert sum(rule.rows for rule in client.audit.rules) == 541_909
    assert sum(Decimal(str(rule.money)) for rule in client.audit.rules) == Decimal("9747747.934")
    assert rules["cancelled"].money == 0 and rules["cancelled"].rows % 2 == 0
    money = client.transactions.amount.sum().to_pyarrow().as_py()
    assert money == Decimal(str(rules["used"].money)) and client.transactions.count().execute() == rules["used"].rows


def test_pharmacy_rejects_are_the_days_that_never_were(workbook, real_data):
    """23 lines are dated 2018-02-29; lines found again by csv. One id of three digits has 253 lines."""
    file = "chaoyang_pharmacy_2018_gb18030.csv"
    client = given(workbook, real_data, file, PHARMACY, as_of="2018-07-19", locale="zh")
    with (real_data / file).open(encoding="gb18030", newline="") as lines:
        rows = list(csv.reader(lines))
    expected = [number for number, row in enumerate(rows, start=1) if row[0].startswith("2018-02-29")]
    rejects = client.rejects()
    impossible = rejects[rejects["reason"] == "no such day"]
    assert len(expected) == 23 and impossible["line"].tolist() == expected
    assert set(impossible["column"]) == {"购药时间"}
    shared = next(flag for flag in client.audit.flags if flag.what == "colliding_id")
    ids = [row[1] for row in rows[1:] if row[1].startswith("*") and len(row[1].strip("*")) <= 4]
    assert (shared.rows, shared.customers) == (len(ids), len(set(ids))) == (1599, 101)
    assert ids.count("*******528") == 253
    assert any("…528" in text for text in client.audit.warnings)
