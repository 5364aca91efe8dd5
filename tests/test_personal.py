"""Columns that tell who a person is; account and identity numbers are the standards' own printed examples."""

import csv

import pyarrow as pa
import pytest

from perennial.parameters import Source
from perennial.tables import engine
from perennial.tables.clean.personal import looks_personal, personal_columns

CASES = [
    ("contact", ["ann@example.org", None, "bob.b@mail.example.com"], "e-mail addresses"),
    ("note", ["call", "mail ann@example.org", ""], "e-mail addresses"),
    ("tel", ["+49 30 1234567", "+44 (0)20 7946 0000"], "phone numbers"),
    ("c7", ["13812345678", "13900001111"], "phone numbers"),
    ("c7", ["(555) 010-1234", "555-010-9999"], "phone numbers"),
    ("手机号码", ["*", "?"], "phone numbers"),
    ("c3", ["12 Oak Street", "5 Mill Rd"], "street addresses"),
    ("c3", ["Hauptstraße 5", "Am Weg 7"], "street addresses"),
    ("c3", ["南京路100号", "中山路5号"], "street addresses"),
    ("ShippingAddress", ["x"], "street addresses"),
    ("first_name", ["Ann"], "personal names"),
    ("客户姓名", ["王芳"], "personal names"),
    ("name", ["Ann Lee", "Bob Ray", "Cy Orr"], "personal names"),
    ("date_of_birth", ["1980-02-01"], "birth dates"),
    ("pay", ["4111 1111 1111 1111", "5500-0000-0000-0004"], "card or account numbers"),
    ("pay", ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"], "card or account numbers"),
    ("c9", ["11010519491231002X", "440524188001010014"], "identity numbers"),
    ("身份证", [], "identity numbers"),
]


@pytest.mark.parametrize(("name", "values", "kind"), CASES)
def test_personal_columns_are_recognised(name, values, kind):
    assert looks_personal(name, values) == kind


INNOCENT = [
    ("segment", ["consumer", "small business"]),
    ("product_name", ["Red Bowl", "Blue Cup"]),
    ("name", ["Coffee 500 g", "Tea 250 g"]),
    ("name", ["tea", "tea", "tea"]),
    ("day", ["2024-01-05", "20240105"]),
    ("when", ["05.01.2024", "2024-01-05 10:00:00"]),
    ("qty", ["12", "3"]),
    ("order_id", ["536365", "C536379"]),
    ("order_id", ["4000000000000", "4000000000001", "4000000000003"]),
    ("birth_weight", ["3.2"]),
    ("mobile_app", ["yes", "no"]),
    ("PhoneService", ["No", "Yes", "Yes"]),
    ("e-mail", ["1", "0"]),
    ("ip address", ["x"]),
    ("region", ["North", "South"]),
    ("channel", ["phone", "web"]),
    ("Country", ["United Kingdom", "France"]),
    ("industry", ["Retail Trade"]),
    ("amount", ["1234567.50", "0.50"]),
    ("empty", [None, "", " "]),
]


@pytest.mark.parametrize(("name", "values"), INNOCENT)
def test_other_columns_are_left_alone(name, values):
    assert looks_personal(name, values) is None


def test_addresses_that_begin_late_in_a_table_are_seen():
    """Five thousand rows, the first three thousand without: by name alone nothing could be told."""
    notes = [None] * 3000 + ["ann@example.org"] * 2000
    con = engine.connect()
    rows = con.create_table(
        "late", pa.table({"note": pa.array(notes, pa.string()), "tier": ["gold"] * 5000}), temp=True
    )
    source = Source(path="x", columns={"customer_id": "id"}, attributes=["note", "tier"])
    assert personal_columns(rows, "customers", source, False) == {"note": "e-mail addresses"}


def test_subscribers_of_a_telephone_company_have_no_personal_columns(real_data):
    """PhoneService says whether there is a telephone."""
    with (real_data / "telco_churn.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {name for name in rows[0] if looks_personal(name, [row[name] for row in rows])} == set()
