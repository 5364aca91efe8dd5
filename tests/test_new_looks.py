"""What ``perennial new`` sees in single files: encodings, printed lists, clocks; and what it says of what it leaves."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from perennial.client import open_client
from perennial.errors import InputError
from perennial.onboard.clock import time_zone
from perennial.onboard.dialect import text_dialect
from perennial.onboard.draft import Facts
from perennial.onboard.new import write_client
from perennial.onboard.open_text import decode
from perennial.onboard.questions import Answers
from perennial.parameter_file import load_parameters

DAYS = [f"{1 + n % 28:02}.{1 + n % 12:02}.2024" for n in range(300)]


def page(first: int, rows: list[str]) -> list[str]:
    names = f"{'Kunde':<10}{'Datum':<12}{'Betrag':>12}"
    return ["", f"Umsatzliste vom 01.01.2025 {'':<20} Seite {first:>3}", "-" * 40, names, "-" * 40, *rows]


def test_a_printed_list_is_divided_by_blanks_below_its_first_names(tmp_path: Path) -> None:
    rows = [f"{'C' + str(n % 9):<10}{day:<12}{n + 0.5:>12.2f}" for n, day in enumerate(DAYS)]
    pages = [line for n in range(6) for line in page(n, rows[50 * n : 50 * n + 50])]
    (tmp_path / "list.txt").write_text("\n".join(pages) + "\n", encoding="utf-8")
    assert text_dialect(tmp_path / "list.txt", "en").keys == {"layout": "spaced", "header": 4}


def test_full_width_digits_are_chinese_text() -> None:
    lines = ["会员卡号,销售日期,实收金额", *(f"C{n},2018年1月{n + 1}日,１２{n}．５０" for n in range(20))]
    assert decode("\n".join(lines).encode("gb18030"), "en")[1] == "gb18030"


def test_umlauts_in_two_encodings_are_not_taken_for_chinese(tmp_path: Path) -> None:
    lines = [f"C{n % 9},{day},Tassengrün,5.50\n" for n, day in enumerate(DAYS)]
    data = b"customer,day,product,paid\n" + b"".join(
        line.encode("utf-8" if n % 2 else "cp1252") for n, line in enumerate(lines)
    )
    assert decode(data, "en")[1] == "cp1252"
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(InputError, match=r"'.*a\.csv' mixes encodings: line 3 is UTF-8, line 2 is not"):
        write_client(Facts("acme"), [str(tmp_path / "a.csv")], tmp_path, Answers({}))
    assert not (tmp_path / "parameters").exists()


@pytest.mark.parametrize(
    ("texts", "zone"),
    [
        (["2024-05-01 00:30:00 +0200"] * 3 + ["2024-12-01 00:30:00 +0100"], "Etc/GMT-2"),
        (["2024-05-01T00:30:00-05:00"], "Etc/GMT+5"),
        (["2024-05-01T00:30:00Z"], "UTC"),
        (["2024-05-01T00:30:00+05:30"], "UTC"),
        (["2024-05-01 00:30"], None),
        (["2024-05-01"], None),
    ],
)
def test_offsets_of_times_ask_for_the_time_zone(texts: list[str], zone: str | None) -> None:
    answers = Answers({})
    entries = time_zone("Created at", Counter(texts), answers)
    assert [entry.value for entry in entries] == ([zone] if zone else [])
    assert list(answers.open) == (["time_zone"] if zone else [])


def test_e_mail_addresses_can_stand_for_customers_and_are_then_pseudonyms(tmp_path: Path) -> None:
    rows = [f"ann{n % 9}@example.org,{day},5.50" for n, day in enumerate(DAYS)]
    (tmp_path / "a.csv").write_text("\n".join(["Email,Created at,Total", *rows]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="--answer 'customer_id=Email'") as refused:
        write_client(Facts("acme"), [str(tmp_path / "a.csv")], tmp_path, Answers({}))
    assert "@" not in str(refused.value)
    written = write_client(Facts("acme"), [str(tmp_path / "a.csv")], tmp_path, Answers({"customer_id": "Email"}))
    assert "pseudonymise: true" in written.place.read_text(encoding="utf-8")


def test_heads_and_lines_of_orders_are_read_as_one_where_neither_is_enough(tmp_path: Path) -> None:
    heads = [f"o{n},c{n % 9},{day}" for n, day in enumerate(DAYS)]
    lines = [f"o{n // 2},P{n % 7},{n % 50 + 0.5}" for n in range(590)]
    (tmp_path / "heads.csv").write_text("\n".join(["order_id,customer_id,order_date", *heads]) + "\n", encoding="utf-8")
    (tmp_path / "lines.csv").write_text("\n".join(["order_id,sku,line_total", *lines]) + "\n", encoding="utf-8")
    files = [str(tmp_path / name) for name in ("heads.csv", "lines.csv")]
    source = load_parameters(write_client(Facts("acme"), files, tmp_path, Answers({})).place).sources["transactions"]
    assert source.paths == ["lines.csv"]
    assert source.lookup is not None and (source.lookup.path, source.lookup.by) == ("heads.csv", "order_id")
    assert source.columns["customer_id"].source == "customer_id" and source.columns["amount"].source == "line_total"
    transactions = open_client("acme", tmp_path).transactions
    assert transactions.count().execute() == 590
    assert transactions.amount.sum().execute() == sum(n % 50 + 0.5 for n in range(590))
    (tmp_path / "heads.csv").write_text("\n".join(["order_id,customer_id,order_date", *heads, heads[0]]) + "\n")
    with pytest.raises(InputError, match="no report is possible without order lines"):
        write_client(Facts("other"), files, tmp_path, Answers({}))


def test_several_currencies_ask_for_rates(tmp_path: Path) -> None:
    rows = [f"c{n % 9},{day},5.50,{'EUR' if n % 3 else 'usd'}" for n, day in enumerate(DAYS)]
    (tmp_path / "a.csv").write_text("\n".join(["customer_id,order_date,total,currency", *rows]) + "\n")
    answers = Answers({"currency": "EUR"})
    write_client(Facts("acme"), [str(tmp_path / "a.csv")], tmp_path, answers)
    assert "rates: {USD: …}" in answers.open["cleaning.rates"].text
    answered = Answers({"currency": "EUR", "cleaning.rates": "data/rates.csv"})
    written = write_client(Facts("beta"), [str(tmp_path / "a.csv")], tmp_path, answered)
    assert load_parameters(written.place).cleaning.rates == "data/rates.csv"


def test_rows_without_a_day_are_asked_about_as_totals(tmp_path: Path) -> None:
    rows = [f"c{n % 9},{day},5.50" for n, day in enumerate(DAYS)] + ["Total,,1650.00"]
    (tmp_path / "a.csv").write_text("\n".join(["customer_id,order_date,total", *rows]) + "\n")
    answers = Answers({})
    written = write_client(Facts("acme"), [str(tmp_path / "a.csv")], tmp_path, answers)
    assert answers.open["cleaning.rejects.allow"].text.startswith("1 row has a number in 'total' and no day")
    assert not load_parameters(written.place).cleaning.rejects.allow
    answered = Answers({"rejects.allow": "true"})
    assert load_parameters(
        write_client(Facts("beta"), [str(tmp_path / "a.csv")], tmp_path, answered).place
    ).cleaning.rejects.allow


def test_days_to_come_are_asked_about(tmp_path: Path) -> None:
    rows = [f"c{n % 9},{day.replace('2024', '2094' if n % 2 else '2024')},5.50" for n, day in enumerate(DAYS)]
    (tmp_path / "a.csv").write_text("\n".join(["customer_id,order_date,total", *rows]) + "\n")
    answers = Answers({})
    write_client(Facts("acme"), [str(tmp_path / "a.csv")], tmp_path, answers)
    assert list(answers.open["as_of"].options) == [str(dt.date.today()), "2094-12-28"]
