"""Several currencies in one file, converted by rates; expected money by hand."""

import pandas as pd
import pytest

from perennial.errors import InputError

HEADER = ["customer_id", "ordered_at", "amount", "currency"]
ROWS = [
    ("a", "2024-01-05", "10.00", "EUR"),
    ("a", "2024-02-05", "20.00", "usd"),
    ("b", "2024-03-05", "30.00", "USD"),
    ("b", "2024-03-06", "1000", "JPY"),
    ("c", "2024-03-07", "5", "XAU"),
    ("c", "2024-03-08", "7", ""),
    ("c", "2024-03-09", "8", "EUR"),
]
ALLOW = {"rejects": {"allow": True}}


def counted(client):
    return {rule.rule: (rule.rows, rule.money) for rule in client.audit.rules}


def test_amounts_are_converted_and_lines_without_a_rate_are_rejects(workbook):
    """10 + 20 × 0.5 + 30 × 0.5 + 1000 × 0.006 + 8 = 49."""
    workbook.write("acme", ROWS, header=HEADER, cleaning={"rates": {"USD": 0.5, "JPY": 0.006}, **ALLOW})
    client = workbook.open("acme")
    assert counted(client) == {"used": (5, 49.0), "no_rate": (2, 0.0)}
    (flag,) = [flag for flag in client.audit.flags if flag.what == "converted"]
    assert (flag.rows, flag.customers, flag.money) == (3, 2, 31.0)
    assert client.rejects()[["line", "column", "text", "reason"]].values.tolist() == [
        [6, "currency", "xxx", "no rate for XAU under cleaning.rates"],
        [7, "currency", "", "empty"],
    ]
    assert "currency" not in client.transactions.columns


def test_rates_from_a_file_hold_from_their_day(workbook):
    """20 × 0.5 before 1 March, 30 × 0.6 on and after it: 10 + 10 + 18 + 8; one line before the first rate of JPY."""
    rates = [("USD", "2024-01-01", "0.5"), ("USD", "2024-03-01", "0.6"), ("JPY", "2024-12-01", "0.006")]
    workbook.write_csv("rates.csv", ["currency", "date", "rate"], rates)
    workbook.write("acme", ROWS, header=HEADER, cleaning={"rates": "data/rates.csv", **ALLOW})
    client = workbook.open("acme")
    assert counted(client) == {"used": (4, 46.0), "no_rate": (3, 0.0)}
    assert client.transactions.customer_id.execute().tolist() == ["a", "a", "b", "c"]


def test_rates_from_a_file_without_days_hold_always(workbook):
    workbook.write_csv("rates.csv", ["currency", "rate"], [("USD", "0.5")])
    workbook.write("acme", ROWS, header=HEADER, cleaning={"rates": "data/rates.csv", **ALLOW})
    assert counted(workbook.open("acme"))["used"] == (4, 43.0)


def test_rates_from_a_workbook_are_those_of_the_text(workbook):
    """Dates and numbers typed in the cells: 10 + 20 × 0.5 + 30 × 0.6 + 8."""
    rates = pd.DataFrame({"currency": ["USD", "USD"], "rate": [0.5, 0.6],
                          "date": pd.to_datetime(["2024-01-01", "2024-03-01"])})  # fmt: skip
    rates.to_excel(workbook.root / "data" / "rates.xlsx", index=False)
    workbook.write("acme", ROWS, header=HEADER, cleaning={"rates": "data/rates.xlsx", **ALLOW})
    assert counted(workbook.open("acme")) == {"used": (4, 46.0), "no_rate": (3, 0.0)}


@pytest.mark.parametrize("rate", ["", "zero", "0", "-1"])
def test_a_rate_that_is_none_is_refused_with_its_row(workbook, rate):
    workbook.write_csv("rates.csv", ["currency", "rate"], [("USD", "0.5"), ("JPY", rate)])
    workbook.write("acme", ROWS, header=HEADER, cleaning={"rates": "data/rates.csv"})
    with pytest.raises(InputError, match=r"rates.csv, row 3: .* a rate above zero"):
        workbook.open("acme")


def test_large_amounts_are_converted_without_loss(workbook):
    """By hand: 123 456 789 012.3456 × 0.0061 = 753 086 412.9753 (0.97530816, rounded), and a half more of 7."""
    rows = [("a", "2024-01-05", "123456789012.3456", "JPY"), ("b", "2024-01-05", "3.5", "EUR")]
    workbook.write("acme", rows, header=HEADER, cleaning={"rates": {"JPY": 0.0061}})
    assert counted(workbook.open("acme"))["used"] == (2, 753086416.4753)


def test_smallest_order_is_told_in_the_currency_of_the_report(workbook):
    """20 USD are 10 EUR: below 12; 30 USD are 15."""
    workbook.write("acme", ROWS[:3], header=HEADER, cleaning={"rates": {"USD": 0.5}, "minimum_order": 12})
    assert counted(workbook.open("acme")) == {"used": (1, 15.0), "below_minimum": (2, 20.0)}
