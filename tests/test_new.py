"""``perennial new`` through the real command line: from a file nobody has seen to a YAML that loads."""

import csv
import datetime as dt
import gzip
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perennial.onboard.questions import Question
from perennial.onboard.write_yaml import Entry, put_in_place, yaml_text
from perennial.parameter_file import load_parameters
from perennial.parameters import Parameters

COMMAND = [sys.executable, "-c", "from perennial.cli import main; main()", "new"]


def environment(root: Path) -> dict[str, str]:
    return {**os.environ, "PERENNIAL_HOME": str(root), "COLUMNS": "200"}


def run_new(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (root / "parameters").mkdir(exist_ok=True)
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=root,
        env=environment(root),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def made(root: Path, client: str, *arguments: str) -> Parameters:
    """The parameters a successful run wrote."""
    done = run_new(root, client, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return load_parameters(root / "parameters" / f"{client}.yaml")


def text_of(root: Path, client: str) -> str:
    return (root / "parameters" / f"{client}.yaml").read_text(encoding="utf-8")


def write(path: Path, rows: list[list[Any]], *, encoding: str = "utf-8", delimiter: str = ",", above: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(above)
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def orders(header: list[str], lines: int = 120, day: str = "{2:04d}-{1:02d}-{0:02d}") -> list[list[Any]]:
    """Order lines of 30 customers on days 1 to 28 of 12 months of 2024: id, day, amount, order number."""
    rows: list[list[Any]] = [header]
    for line in range(lines):
        when = day.format(line % 28 + 1, line % 12 + 1, 2024)
        rows.append([f"{line % 30:05d}", when, f"{line % 9 + 3}.{line % 90 + 10}", f"B{line // 2 + 1000}"])
    return rows


ENGLISH = ["Customer No", "Order Date", "Line Total", "Invoice No"]


def test_a_plain_export_needs_no_answers(tmp_path):
    write(tmp_path / "data/orders.csv", orders(ENGLISH))
    found = made(tmp_path, "plain", "data/orders.csv", "--currency", "USD")
    source = found.sources["transactions"]
    assert source.path == "data/orders.csv"  # relative to the project
    assert {name: column.source for name, column in source.columns.items()} == {
        "customer_id": "Customer No",
        "ordered_at": "Order Date",
        "amount": "Line Total",
        "order_id": "Invoice No",
    }
    assert found.currency == "USD" and str(found.as_of) == "2024-12-28"
    assert "QUESTION" not in text_of(tmp_path, "plain")


def test_german_export_with_semicolons_decimal_commas_and_titles_above(tmp_path):
    rows = orders(["Kundennummer", "Bestelldatum", "Umsatz", "Belegnummer"], day="{0:02d}.{1:02d}.{2:04d}")
    rows = [rows[0], *[[a, b, "1." + c.replace(".", "") + ",50 €", d] for a, b, c, d in rows[1:]]]
    write(tmp_path / "de.csv", rows, delimiter=";", encoding="cp1252", above="Auszug\r\nFiliale Köln\r\n\r\n")
    found = made(tmp_path, "de", "de.csv")
    source = found.sources["transactions"]
    assert (source.delimiter, source.header, source.decimal, source.thousands) == (";", 4, ",", ".")
    assert source.encoding == "cp1252" and found.currency == "EUR"
    assert source.columns["ordered_at"].format == "%d.%m.%Y"
    assert "leading zeros" in text_of(tmp_path, "de")


def test_american_dates_are_told_from_all_values(tmp_path):
    rows = orders(ENGLISH, lines=4000, day="{1}/{0}/{2}")
    few = [row for row in rows if row is rows[0] or int(row[1].split("/")[1]) <= 12]
    write(tmp_path / "us.csv", [*few, ["00001", "1/31/2024", "5.00", "B1"]])
    assert made(tmp_path, "us", "us.csv").sources["transactions"].columns["ordered_at"].format == "%m/%d/%Y"


def test_dates_that_can_be_read_in_two_ways_are_asked_and_not_guessed(tmp_path):
    rows = [row for row in orders(ENGLISH, day="{1:02d}/{0:02d}/{2}") if row[1][3:5] <= "12" or row[0] == "Customer No"]
    write(tmp_path / "x.csv", rows)
    found = made(tmp_path, "x", "x.csv")
    assert found.sources["transactions"].columns["ordered_at"].format is None
    assert "# QUESTION: Is the day or the month first in 'Order Date'?" in text_of(tmp_path, "x")
    answered = made(tmp_path, "x", "x.csv", "--force", "--answer", "ordered_at.format=%m/%d/%Y")
    assert answered.sources["transactions"].columns["ordered_at"].format == "%m/%d/%Y"
    assert "day or the month" not in text_of(tmp_path, "x")


def test_chinese_export_in_gb18030_packed(tmp_path):
    rows = orders(["会员卡号", "下单时间", "实收金额", "订单编号"])
    rows = [[*rows[0], "应收金额", "商品名称"], *[[*row, "99.00", "感冒灵颗粒"] for row in rows[1:]]]
    plain = write(tmp_path / "cn.csv", rows, encoding="gb18030").read_bytes()
    (tmp_path / "cn.csv.gz").write_bytes(gzip.compress(plain))
    found = made(tmp_path, "cn", "cn.csv.gz")
    source = found.sources["transactions"]
    assert (source.encoding, found.locale, found.currency) == ("gb18030", "zh", "CNY")
    assert source.columns["amount"].source == "实收金额" and source.columns["customer_id"].source == "会员卡号"
    assert "'应收金额' is what was asked" in text_of(tmp_path, "cn")


def test_sheets_with_the_same_columns_are_one_table(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in ("January", "February"):
        sheet = book.create_sheet(name)
        for row in orders(ENGLISH):
            sheet.append(row)
    book.save(tmp_path / "two.xlsx")
    assert made(tmp_path, "two", "two.xlsx").sources["transactions"].sheet == "*"


def test_files_with_the_same_columns_are_one_source_and_others_their_own(tmp_path):
    rows = orders(ENGLISH)
    write(tmp_path / "a.csv", rows[:61])
    write(tmp_path / "b.csv", [rows[0], *rows[61:]])
    leads = [["mql_id", "first_contact_date", "origin"]]
    leads += [[f"m{n}", f"2024-01-{n % 28 + 1:02d}", "social" if n % 2 else "e-mail"] for n in range(60)]
    write(tmp_path / "leads.csv", leads)
    found = made(tmp_path, "many", "a.csv", "b.csv", "leads.csv")
    assert found.sources["transactions"].path == ["a.csv", "b.csv"]
    assert {c: v.source for c, v in found.sources["leads"].columns.items()} == {
        "lead_id": "mql_id",
        "created_at": "first_contact_date",
        "source": "origin",
    }


def test_without_a_customer_column_it_says_what_each_column_looked_like(tmp_path):
    rows = [[row[1], row[2], row[3]] for row in orders(ENGLISH)]
    write(tmp_path / "nobody.csv", rows)
    done = run_new(tmp_path, "nobody", "nobody.csv")
    assert done.returncode == 1 and not (tmp_path / "parameters/nobody.yaml").exists()
    assert "no column for customer_id" in done.stderr and "Order Date: dates" in done.stderr
    assert "--answer customer_id=COLUMN" in done.stderr and "Traceback" not in done.stderr
    told = made(tmp_path, "nobody", "nobody.csv", "--answer", "customer_id=Invoice No")
    assert told.sources["transactions"].columns["customer_id"].source == "Invoice No"


def test_personal_columns_are_named_and_not_read(tmp_path):
    rows = orders(ENGLISH)
    rows = [
        [*rows[0], "E-Mail", "Full Name"],
        *[[*r, f"p{n}@example.org", f"Ann Bee{n}"] for n, r in enumerate(rows[1:])],
    ]
    write(tmp_path / "p.csv", rows)
    source = made(tmp_path, "p", "p.csv").sources["transactions"]
    assert "E-Mail" not in {column.source for column in source.columns.values()}
    text = text_of(tmp_path, "p")
    assert "Not read, because personal: E-Mail" in text and "example.org" not in text


def test_what_a_file_could_tell_of_its_customers_is_said_and_not_proposed(tmp_path):
    rows = orders(ENGLISH)
    lands = ["Country", *("Norway" if n % 3 else "Chile" for n in range(len(rows) - 1))]
    write(tmp_path / "c.csv", [[*row, land] for row, land in zip(rows, lands, strict=True)])
    assert "customers" not in made(tmp_path, "c", "c.csv").sources
    said = " ".join(text_of(tmp_path, "c").replace("#", " ").split())
    assert "Not read: Country" in said and "with region: Country under columns" in said


def test_copies_cancellations_and_fees_become_rules(tmp_path):
    header = ["CustomerID", "InvoiceDate", "Quantity", "UnitPrice", "InvoiceNo", "StockCode"]
    rows: list[list[Any]] = [header]
    for n in range(300):
        rows.append(
            [f"{n % 40}.0", f"2024-03-{n % 28 + 1:02d} 10:00:00", 2, "3.50", f"{5000 + n}", f"{20000 + n % 50}A"]
        )
    rows += [[r[0], r[1], -2, r[3], f"C{r[4]}", r[5]] for r in rows[1:11]]
    rows += [[r[0], r[1], 1, "18.00", r[4], "POST"] for r in rows[1:8]]
    rows += rows[1:4]
    write(tmp_path / "r.csv", rows)
    found = made(tmp_path, "r", "r.csv", "--answer", "exact_duplicates=keep")
    assert found.cleaning.returns.where == {"order_id": "^C"}
    assert found.cleaning.pseudo_products == {"product_id": "^(POST)$"}
    assert found.cleaning.exact_duplicates == "keep"
    assert found.sources["transactions"].columns["customer_id"].strip_decimal
    assert "amount" not in found.sources["transactions"].columns  # quantity × unit price


def test_an_existing_file_is_never_overwritten_without_being_asked(tmp_path):
    write(tmp_path / "o.csv", orders(ENGLISH))
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters/kept.yaml").write_text("mine", encoding="utf-8")
    done = run_new(tmp_path, "kept", "o.csv")
    assert done.returncode == 2 and "is there already" in done.stderr
    assert text_of(tmp_path, "kept") == "mine"
    made(tmp_path, "kept", "o.csv", "--force")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["UPPER", "o.csv"], "is not a client name"),
        (["x", "nowhere.csv"], "there is no file 'nowhere.csv'"),
        (["x"], "nothing to look at"),
        (["x", "o.csv", "--answer", "nonsense"], "has no '='"),
        (["x", "o.csv", "--answer", "weather=fine"], "answers none of its questions"),
        (["x", "o.csv", "--answer", "customer_id=Custmer No"], "did you mean 'Customer No'?"),
        (["x", "o.csv", "--as-of", "31.12.2024"], "write it as 2025-12-31"),
        (["x", "cut.csv.gz"], "damaged or cut off"),
        (["x", "empty.csv"], "is empty"),
        (["x", "broken.xlsx"], "is damaged"),
        (["x", "line.csv"], "no line break"),
        (["x", "one.csv"], "one column only"),
        (["x", "names.csv"], "no rows"),
        (["x", "o.csv", "--currency", "euros"], "currency"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path, arguments, said):
    write(tmp_path / "o.csv", orders(ENGLISH))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress((tmp_path / "o.csv").read_bytes())[:-300])
    (tmp_path / "empty.csv").touch()
    (tmp_path / "line.csv").write_bytes(b"x" * 2_000_000)
    (tmp_path / "one.csv").write_text("just\n1\n2\n", encoding="utf-8")
    (tmp_path / "names.csv").write_text("customer,date,amount\n", encoding="utf-8")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    done = run_new(tmp_path, *arguments)
    assert done.returncode in (1, 2) and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "parameters").iterdir()) == []  # nothing half-written


def test_questions_are_asked_on_a_terminal(tmp_path):
    write(tmp_path / "o.csv", orders(ENGLISH))
    (tmp_path / "parameters").mkdir()
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [*COMMAND, "tty", "o.csv"], cwd=tmp_path, env=environment(tmp_path), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen, end = b"", time.monotonic() + 120
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 1)
        try:
            seen += os.read(ours, 4096) if ready else b""
        except OSError:
            break  # the command has ended
        if b"In which currency" in seen and b"(EUR)" in seen and b"SEK" not in seen:
            os.write(ours, b"SEK\n")
    assert run.wait(timeout=30) == 0, seen.decode()
    os.close(ours)
    assert load_parameters(tmp_path / "parameters/tty.yaml").currency == "SEK"
    assert "QUESTION" not in text_of(tmp_path, "tty")


_NAMES = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)


@settings(deadline=None, max_examples=150)
@given(header=_NAMES, note=_NAMES, pattern=_NAMES)
@example(header="\x85", note="0", pattern="0")
def test_whatever_a_header_holds_the_written_file_loads(tmp_path_factory, header, note, pattern):
    columns = [Entry(name, {"from": header, "strip_decimal": True}, note) for name in ("customer_id", "amount")]
    columns.append(Entry("ordered_at", header, note, (note,)))
    source = [Entry("path", pattern), Entry("columns", columns)]
    entries = [
        Entry("title", header, note),
        Entry("currency", "EUR"),
        Entry("as_of", dt.date(2024, 12, 31)),
        Entry("sources", [Entry("transactions", source, note)]),
    ]
    question = Question("sources.transactions.columns.ordered_at.format", note, {header: note}, None)
    root = tmp_path_factory.mktemp("any")
    place = put_in_place(yaml_text([note], entries, {question.key: question}), "any", root, force=False)
    found = load_parameters(place)
    assert found.title == header and found.sources["transactions"].path == pattern
    assert {column.source for column in found.sources["transactions"].columns.values()} == {header}


def test_online_retail(tmp_path, real_data):
    """Counts of the published file: 9 288 cancellation lines, 5 268 lines that equal an earlier one."""
    found = made(tmp_path, "retail", str(real_data / "online_retail.csv.gz"))
    source, text = found.sources["transactions"], text_of(tmp_path, "retail")
    assert set(source.columns) == {"customer_id", "ordered_at", "order_id", "quantity", "product_id", "unit_price"}
    assert (found.currency, str(found.as_of)) == ("GBP", "2011-12-09")
    assert found.cleaning.returns.where == {"order_id": "^C"} and "9,288 lines" in text
    assert found.cleaning.exact_duplicates == "drop" and "5,268 lines equal" in text
    codes = found.cleaning.pseudo_products["product_id"].strip("^$()").split("|")
    assert {"POST", "DOT", "BANK CHARGES", "AMAZONFEE", "S", "C2"} <= set(codes)
    # manual corrections, discounts and a commission: without them the sales they undo would stand
    assert not {"M", "m", "D", "CRUK"} & set(codes) and "M (572 lines, +53,780 and −112,165)" in text


def test_amounts_under_merged_cells_are_told_of_before_a_report_is_tried(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in orders(ENGLISH):
        book.active.append(row)
    book.active.merge_cells("C4:C5")
    book.save(tmp_path / "m.xlsx")
    done = run_new(tmp_path, "m", "m.xlsx")
    assert done.returncode == 0 and (tmp_path / "parameters/m.yaml").exists()
    assert "NOT READABLE YET: m, transactions: cells C4:C5 of" in done.stdout
    assert "Once that is mended: perennial report m" in done.stdout


@pytest.mark.parametrize(("answer", "codes"), [("drop", ["POST"]), ("all", ["POST", "M", "m"]), ("none", [])])
def test_credits_stay_unless_all_codes_of_no_product_shall_go(tmp_path, answer, codes):
    rows: list[list[Any]] = [["CustomerID", "InvoiceDate", "Quantity", "UnitPrice", "InvoiceNo", "StockCode"]]
    for n in range(300):
        rows.append([n % 40 + 1, f"2024-03-{n % 28 + 1:02d}", 2, "3.50", 5000 + n, f"{20000 + n % 50}A"])
    rows += [[row[0], row[1], 1, "18.00", row[4], "POST"] for row in rows[1:8]]
    rows += [[rows[1][0], "2024-03-29", 1, "649.50", 5900, "M"], [rows[1][0], "2024-03-29", -2, "649.50", 5901, "m"]]
    rows += [["", "2024-03-29", 100, "649.50", 5902, "M"]]  # nobody's: left out anyway, whatever it is
    rows += [[rows[1][0], "2024-03-30", -1, "1.00", 5903, "M"]]
    write(tmp_path / "c.csv", rows)
    found = made(tmp_path, "c", "c.csv", "--answer", f"pseudo_products={answer}")
    pattern = found.cleaning.pseudo_products.get("product_id", "")
    assert [code for code in pattern.strip("^$()").split("|") if code] == codes
    if answer == "drop":
        assert "M mostly take money back, and count as returns" in text_of(tmp_path, "c")


def test_pharmacy_as_workbook_and_as_text_give_the_same_parameters(tmp_path, real_data):
    book = made(tmp_path, "book", str(real_data / "chaoyang_pharmacy_2018.xlsx"))
    text = made(tmp_path, "text", str(real_data / "chaoyang_pharmacy_2018_gb18030.csv"))
    ways = {"client": True, "title": True, "sources": {"transactions": {"path", "encoding"}}}
    assert book.model_dump(exclude=ways) == text.model_dump(exclude=ways)
    assert text.sources["transactions"].encoding == "gb18030"
    assert book.sources["transactions"].columns["amount"].source == "实收金额"


@pytest.mark.parametrize(
    ("file", "said"), [("telco_churn.csv", "looks like customers"), ("olist_leads.csv", "like leads")]
)
def test_files_without_orders_are_refused_with_what_they_are(tmp_path, real_data, file, said):
    done = run_new(tmp_path, "none", str(real_data / file))
    assert done.returncode == 1 and said in done.stderr
    assert "no report is possible without order lines" in done.stderr
