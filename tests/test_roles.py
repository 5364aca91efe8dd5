"""Headers and contents → canonical columns, in the languages clients write; and how files are divided."""

import datetime as dt
import random

import ibis
import pytest

from perennial.header_words import header_words, name_score, names_of
from perennial.onboard.dialect import text_dialect
from perennial.onboard.grid import find_heading
from perennial.onboard.open_text import decode
from perennial.onboard.profile import profile_columns
from perennial.onboard.pseudo import quote, shape
from perennial.onboard.roles import Reading, read_as

draw = random.Random(3)
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=n % 300) for n in range(400)]
CONTENT = {
    "customer_id": [f"K{draw.randrange(60):04d}" for _ in DAYS],
    "ordered_at": [str(day) for day in DAYS],
    "amount": [f"{draw.uniform(1, 90):.2f}" for _ in DAYS],
    "order_id": [f"R{n // 2 + 7000}" for n in range(len(DAYS))],
    "quantity": [str(draw.randrange(1, 6)) for _ in DAYS],
    "unit_price": [f"{draw.uniform(1, 30):.2f}" for _ in DAYS],
    "product_id": [f"{draw.randrange(40) + 10000}" for _ in DAYS],
    "category": [draw.choice(["tea", "cups", "filters"]) for _ in DAYS],
}


def read(columns: dict[str, list[str]], table: str = "transactions", **fixed: str | None) -> Reading:
    rows = ibis.duckdb.connect().create_table("rows", ibis.memtable(columns).to_pyarrow())
    return read_as(table, profile_columns(rows, rows), fixed)


def headers(reading: Reading) -> dict[str, str]:
    return {column: role.header for column, role in reading.roles.items()}


@pytest.mark.parametrize(
    "given",
    [
        {"customer_id": "CustomerID", "ordered_at": "InvoiceDate", "order_id": "InvoiceNo", "quantity": "Quantity",
         "product_id": "StockCode", "unit_price": "UnitPrice"},
        {"customer_id": "社保卡号", "ordered_at": "购药时间", "product_id": "商品编码", "quantity": "销售数量",
         "amount": "实收金额"},
        {"customer_id": "用户ID", "ordered_at": "下单时间", "order_id": "订单号", "quantity": "数量",
         "unit_price": "单价"},
        {"customer_id": "会员号", "ordered_at": "订单日期", "amount": "支付金额", "category": "商品类别"},
        {"customer_id": "Kunden-Nr.", "ordered_at": "Bestelldatum", "amount": "Umsatz", "order_id": "Auftragsnr.",
         "category": "Warengruppe"},
        {"customer_id": "Code client", "ordered_at": "Date commande", "amount": "Montant HT", "quantity": "Quantité"},
        {"customer_id": "Cliente", "ordered_at": "Fecha de compra", "amount": "Importe",
         "product_id": "Código artículo"},
        {"customer_id": "customer_unique_id", "ordered_at": "order_purchase_timestamp", "amount": "payment_value",
         "order_id": "order_id"},
        {"customer_id": "household_id", "ordered_at": "transaction_timestamp", "amount": "sales_value",
         "order_id": "basket_id", "category": "department"},
    ],
)  # fmt: skip
def test_columns_are_recognised_by_headers_of_several_languages(given):
    found = read({header: CONTENT[column] for column, header in given.items()})
    assert headers(found) == given
    assert not found.missing


def test_what_was_received_goes_before_what_was_asked():
    columns = {"会员号": CONTENT["customer_id"], "日期": CONTENT["ordered_at"], "应收金额": CONTENT["unit_price"],
               "实收金额": CONTENT["amount"]}  # fmt: skip
    assert headers(read(columns))["amount"] == "实收金额"
    del columns["实收金额"]
    assert headers(read(columns))["amount"] == "应收金额"


def test_content_forbids_what_a_header_suggests():
    columns = {"customer": CONTENT["customer_id"], "date": CONTENT["category"], "total": CONTENT["category"]}
    assert read(columns).missing == ["ordered_at", "amount"]


def test_content_alone_finds_time_and_amount_but_never_the_customer():
    columns = {"a": CONTENT["customer_id"], "b": CONTENT["ordered_at"], "c": CONTENT["amount"]}
    found = read(columns)
    assert headers(found) == {"ordered_at": "b", "amount": "c"} and found.missing == ["customer_id"]
    assert not any(role.is_sure for role in found.roles.values())
    assert headers(read(columns, customer_id="a"))["customer_id"] == "a"


def test_a_close_second_is_a_rival_and_an_answer_settles_it():
    columns = {"customer": CONTENT["customer_id"], "order date": CONTENT["ordered_at"],
               "invoice date": CONTENT["ordered_at"], "total": CONTENT["amount"]}  # fmt: skip
    role = read(columns).roles["ordered_at"]
    assert (role.header, role.rivals, role.is_sure) == ("order date", ("invoice date",), False)
    assert read(columns, ordered_at="invoice date").roles["ordered_at"].header == "invoice date"
    assert "ordered_at" in read(columns, ordered_at=None).missing


def test_personal_columns_have_no_role_but_the_customer():
    columns = {"E-Mail": [f"p{n % 60}@example.org" for n in range(400)], "date": CONTENT["ordered_at"],
               "total": CONTENT["amount"], "category": [f"q{n % 9}@example.org" for n in range(400)]}  # fmt: skip
    assert "category" not in read(columns).roles


def test_words_of_a_header():
    assert header_words("InvoiceNo") == header_words("invoice_no") == header_words("Invoice-No.") == "invoice no"
    assert header_words("ＵＳＥＲＩＤ") == "userid"
    assert name_score("CustomerID", names_of("transactions", "customer_id")) == 1.0
    assert name_score("weather", names_of("transactions", "customer_id")) == 0.0


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_the_delimiter_is_seen_whatever_stands_in_the_cells(tmp_path, delimiter):
    other = "," if delimiter != "," else ";"
    lines = [delimiter.join(["id", "when", "price"])] + [
        delimiter.join([f"k{n}", f"2024-01-{n % 28 + 1:02d}", f"{n}{other}5"]) for n in range(50)
    ]
    place = tmp_path / "x.csv"
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert text_dialect(place, "en").keys.get("delimiter", ",") == delimiter


def test_fixed_columns_have_their_widths(tmp_path):
    place = tmp_path / "x.txt"
    rows = [("customer", "day", "town"), *[(f"k{n}", f"2024-01-{n % 28 + 1:02d}", "New York") for n in range(9)]]
    place.write_text("".join(f"{a:<10}{b:<12}{c}\n" for a, b, c in rows), encoding="utf-8")
    keys = text_dialect(place, "en").keys
    assert keys["layout"] == "fixed" and keys["widths"][:2] == [10, 12]


def test_headings_below_titles_above_units_or_absent():
    body = [["a1", "2024-01-05", "7.5"], ["a2", "2024-01-06", "8.5"], ["a3", "2024-01-07", "9"], ["a4", "", "1"]]
    names = ["customer", "day", "total"]
    plain = find_heading([names, *body])
    assert (plain.line, plain.skip, plain.names) == (1, 0, names)
    titled = find_heading([["Sales of 2024", "", ""], ["", "", ""], names, *body])
    assert (titled.line, titled.skip) == (3, 0)
    units = find_heading([names, ["no.", "local", "EUR"], *body])
    assert (units.line, units.skip) == (1, 1)
    bare = find_heading(body)
    assert (bare.line, bare.names) == (0, ["column_1", "column_2", "column_3"])
    assert find_heading([["only"], ["one"]]) is None


@pytest.mark.parametrize(
    ("text", "written", "read_as"),
    [
        ("订单编号,会员,实收金额\n1,张三,5\n", "gb18030", "gb18030"),
        ("Kundennummer;Straße;Größe\n1;Köln;groß\n", "cp1252", "cp1252"),
        ("numéro;prénom;château\n", "cp1252", "cp1252"),
        ("订单编号,会员\n", "utf-8", "utf-8"),
        ("订单编号,会员\n", "utf-16", "utf-16"),
        ("café\n", "utf-8-sig", "utf-8-sig"),
    ],
)
def test_encodings_are_told_apart(text, written, read_as):
    assert decode(text.encode(written), "en") == (text, read_as)


def test_shapes_of_codes():
    assert [shape(code) for code in ("85123A", "22423", "POST", "BANK CHARGES", "C2")] == ["9A", "9", "A", "A A", "A9"]
    assert quote("A.B (x)") == r"A\.B \(x\)"
