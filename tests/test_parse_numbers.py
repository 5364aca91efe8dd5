"""Numbers as people write them, held against a slow reading in plain Python and against tables made by hand."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.parameters import Source
from perennial.tables import engine
from perennial.tables.parse.columns import parse_column
from perennial.tables.parse.detect import detect_numbers
from perennial.tables.parse.numbers import MONEY, NUMBER, parse_as
from slow_numbers import read_money

ENGINE = engine.connect()


def read(texts, decimal=".", thousands="", target=MONEY):
    table = ENGINE.create_table("t", pa.table({"x": pa.array(texts, pa.string())}), temp=True, overwrite=True)
    return table.select(y=parse_as(table.x, decimal, thousands, target)).to_pyarrow()["y"].to_pylist()


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "expected"),
    [
        ("12.5", ".", "", "12.5"),
        ("1_000", ".", "", None),
        ("1e2", ".", "", "100"),
        ("inf", ".", "", None),
        ("nan", ".", "", None),
        ("1.23456", ".", "", "1.2346"),
        ("1.234", ",", "", None),
        ("1.234", ",", ".", "1234"),
        ("1,23,4", ".", ",", None),
        ("1,00,000", ".", ",", None),
        ("1\u202f234,50", ",", " ", "1234.5"),
        ("1’234.50", ".", "'", "1234.5"),
        ("12,5 %", ",", "", "0.125"),
        ("(12.50)", ".", "", "-12.5"),
        ("12.50-", ".", "", "-12.5"),
        ("−12.50", ".", "", "-12.5"),
        ("（１２３．５０）", ".", "", "-123.5"),
        ("￥12.50", ".", "", "12.5"),
        ("12.50元", ".", "", "12.5"),
        ("RMB 12.50", ".", "", "12.5"),
        ("Fr. 12.50", ".", "", "12.5"),
        ("$-12.50", ".", "", "-12.5"),
        ("-€ 12.50", ".", "", "-12.5"),
        ("--5", ".", "", None),
        ("+-5", ".", "", None),
        ("99999999999999.9999", ".", "", "99999999999999.9999"),
        ("99999999999999.99999", ".", "", None),
        ("100000000000000", ".", "", None),
        ("five", ".", "", None),
    ],
)
def test_number_is_read_as_written(text, decimal, thousands, expected):
    assert read([text], decimal, thousands) == [None if expected is None else Decimal(expected)]


NEAR = st.text(st.sampled_from("0123456789.,'- +()%€$_ １５．，－"), max_size=12) | st.from_regex(
    r"[-+(]?(€|RMB )?[0-9]{1,4}([., '][0-9]{3}){0,2}([.,][0-9]{0,6})?( ?%| EUR|-|\))?", fullmatch=True
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(NEAR, min_size=50, max_size=200),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'")]),
)
def test_money_is_what_the_slow_reading_says_of_what_it_reads(texts, marks):
    # The slow reading knows fewer combinations (a sign after the currency): what it reads, the engine reads as the same.
    for text, found in zip(texts, read(texts, *marks), strict=True):
        expected = read_money(text, *marks)
        if expected is not None:
            assert found == expected, text


@settings(max_examples=30, deadline=None)
@given(st.lists(st.decimals(-(10**13), 10**13, places=4), min_size=20, max_size=100))
def test_every_amount_written_with_marks_is_read_back(values):
    texts = [f"{v:,.4f}".replace(",", "x").replace(".", ",").replace("x", ".") for v in values]
    assert read(texts, ",", ".") == values


def test_quantities_are_finite():
    assert read(["1e400", "inf", "-nan", "+-1", "2.5", "1_0"], target=NUMBER) == [None, None, None, None, 2.5, None]


def test_typed_floats_carry_no_binary_dust():
    table = ENGINE.create_table("f", pa.table({"x": pa.array([2.1, 0.1 + 0.2, float("nan"), 1e20])}), temp=True)
    source = Source(path="x", columns={"amount": "x"})
    value = parse_column(table.x, "transactions", "amount", source, None, "UTC")
    assert table.select(y=value).to_pyarrow()["y"].to_pylist() == [Decimal("2.1"), Decimal("0.3"), None, None]


@pytest.mark.parametrize(
    ("values", "marks", "ambiguous"),
    [
        (["1.5", "2"], (".", ""), False),
        (["1,234", "1,234.50"], (".", ","), False),
        (["1.234,50"], (",", "."), False),
        (["1,234"], (",", ""), True),
        (["0.125"], (".", ""), False),
    ],
)
def test_marks_are_told_by_values_that_fit_no_others(values, marks, ambiguous):
    found = detect_numbers([(value, 1) for value in values])
    assert ((found.decimal, found.thousands), found.ambiguous) == (marks, ambiguous)
