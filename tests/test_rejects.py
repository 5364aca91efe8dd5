"""What could not be read: where it stands, why, and nothing that tells who a person is."""

import csv

import pytest

from perennial.errors import InputError
from perennial.tables.clean.masking import mask

HEADER = ["customer_id", "ordered_at", "amount", "margin"]
GOOD = [(f"c{n}", f"2024-01-{n + 1:02}", "10", "2") for n in range(9)]
SECRETS = ["Smith", "smith@example.org", "030 1234567", "4111111111111111", "Hauptstrasse"]
BAD = [
    ("anna.smith@example.org", "2024-02-30", "5", "1"),
    ("c1", "Smith", "5", "1"),
    ("c2", "2024-03-01", "smith@example.org", "1"),
    ("c3", "2024-03-01", "030 1234567", "1"),
    ("c4", "2024-03-01", "4", "Hauptstrasse 5"),
    ("c5", "2024-03-01", "4", "call 4111111111111111"),
]


@pytest.fixture
def client(workbook):
    workbook.write("acme", [*GOOD, *BAD], header=HEADER, cleaning={"rejects": {"allow": True}})
    return workbook.open("acme")


def test_each_reject_has_its_line_column_and_reason(client):
    """Lines counted by hand: a header and nine good lines come first; a line counts without its margin."""
    rejects = client.rejects()
    assert set(rejects["table"]) == {"transactions"} and set(rejects["file"]) == {"data/acme.csv"}
    assert rejects[["line", "column", "reason"]].values.tolist()[:3] == [
        [11, "ordered_at", "no such day"],
        [12, "ordered_at", "not a date"],
        [13, "amount", "not a number"],
    ]
    assert rejects["text"].tolist()[:3] == ["2024-02-30", "xxxxx", "xxxxx@xxxxxxx.xxx"]
    assert (rejects["line"] >= 15).sum() == 2
    facts = client.audit.rows("transactions")
    rejected = sum(rule.rows for rule in client.audit.rules if rule.rule.startswith("bad_"))
    assert facts.rejects == rejected and facts.raw_rows == 15
    assert facts.rows == 15 - rejected


def test_no_personal_value_is_in_rejects_audit_or_errors(client, workbook):
    for name in ("audit.json", "rejects.parquet"):
        content = (client.folder / name).read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in content
    text = client.rejects().to_csv()
    assert not any(secret in text for secret in SECRETS)
    workbook.write("stop", [*GOOD, *BAD], header=HEADER)
    with pytest.raises(InputError) as caught:
        workbook.open("stop")
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_too_much_unreadable_stops_and_names_both_ways_out(workbook):
    """One line of ten is 10 % of rows, above the default of 5 %."""
    workbook.write("acme", [*GOOD, BAD[0]], header=HEADER)
    with pytest.raises(InputError) as caught:
        workbook.open("acme")
    said = str(caught.value)
    assert "acme, transactions: 1 of 10 rows (10.0%)" in said
    assert "1 × no such day in 'ordered_at' (line 11)" in said
    assert "cleaning: {rejects: {allow: true}}" in said and "stop_above" in said
    workbook.write("acme", [*GOOD, BAD[0]], header=HEADER, cleaning={"rejects": {"stop_above": 0.1}})
    assert workbook.open("acme").transactions.count().execute() == 9


def test_a_stop_leaves_the_list_and_says_where(workbook):
    """Every entry with its line; nothing personal, nothing a spreadsheet would run; the next stop replaces it."""
    rows = [*GOOD, *BAD, ("c6", "2024-03-01", "=1+1", "1")]
    workbook.write("acme", rows, header=HEADER)
    with pytest.raises(InputError, match=r"All are listed in \.cache/acme/rejects\.csv\. "):
        workbook.open("acme")
    place = workbook.root / ".cache" / "acme" / "rejects.csv"
    content = place.read_text(encoding="utf-8")
    with place.open(encoding="utf-8", newline="") as lines:
        listed = list(csv.DictReader(lines))
    assert list(listed[0]) == ["table", "file", "line", "column", "text", "reason"]
    assert [row["line"] for row in listed] == ["11", "12", "13", "14", "15", "16", "17"]
    assert (listed[-1]["text"], listed[-1]["reason"]) == ("'=1+1", "not a number")
    assert not any(secret in content for secret in SECRETS)
    assert {path.name for path in place.parent.iterdir() if path.is_dir()} == set()
    workbook.write("acme", [*GOOD, BAD[0]], header=HEADER)
    with pytest.raises(InputError):
        workbook.open("acme")
    assert place.read_text(encoding="utf-8").count("\n") == 2
    assert [path.name for path in place.parent.iterdir() if "rejects" in path.name] == ["rejects.csv"]


def test_few_rows_with_much_money_stop_too(workbook):
    """One line of 41 is 2.4 % of rows but 1000 of 1400 money."""
    rows = [(f"c{n}", f"2024-01-{n % 28 + 1:02}", "10") for n in range(40)] + [("x", "2024-13-01", "-1000")]
    workbook.write("acme", rows)
    with pytest.raises(InputError, match=r"1 of 41 rows \(2.4%\), with 71.4% of the money"):
        workbook.open("acme")


MASKED = [
    ("2018-02-29 星期四", "2018-02-29 星期四"),
    ("30 Feb 2024", "30 Feb 2024"),
    ("31.11.2024 10:00:00", "31.11.2024 10:00:00"),
    ("王芳", "xx"),
    ("Anna, +49 30 1234567", "xxxx, +00 00 0000000"),
    ("12,50 EUR", "12,50 EUR"),
    ("about 12", "xxxxx 12"),
    ("a" * 100, "x" * 79 + "…"),
]


@pytest.mark.parametrize(("text", "shown"), MASKED)
def test_masking_keeps_dates_and_numbers_only(text, shown):
    assert mask(text) == shown
