"""Numbers as people write them, held against a slow reading in plain Python and against tables made by hand."""

import random
import re
from decimal import ROUND_HALF_UP, Context, Decimal

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import two_steps
from perennial.errors import InputError
from perennial.parameters import Source
from perennial.tables import engine
from perennial.tables.parse.columns import parse_column
from perennial.tables.parse.detect import detect_numbers
from perennial.tables.parse.ids import BLANKS
from perennial.tables.parse.numbers import MONEY, NUMBER, parse_as
from slow_numbers import read_exactly, read_money

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


MARKS = [(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'"), ("'", ""), (" ", "."), ("", ".")]
COLUMNS = ["amount", "margin", "discount"]
SIGNS = ["-", "+", "−", "(", ")", "%", " ", "\xa0", "（", "）", "－", "--"]
MONEY_SIGNS = ["€", "$", "kr", "zł", "RMB", "eur", "Fr.", "US$", "￥", "元"]
BEFORE = ["", "", "", "-", "(", "- ", "€", "$ ", "($", "+", "$-", " "]
AFTER = ["", "", "", "-", ")", " %", "%", "EUR", " kr", "€)", " -", "- €", "\n"]
QUICK = settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])  # each of a thousand texts


def number(dice):
    threes = "".join(dice.choice("., '") + f"{dice.randrange(1000):03}" for _ in range(dice.choice([0, 0, 1, 2])))
    whole = dice.choice([str(dice.randrange(1000)), str(dice.randrange(10**9)), f"0{dice.randrange(99)}", ""])
    fraction = dice.choice(["", "", dice.choice("., '") + str(dice.randrange(10 ** dice.randrange(1, 8)))])
    power = f"{dice.choice('eE')}{dice.choice(['', '-', '+'])}{dice.randrange(9)}" if dice.random() < 0.1 else ""
    return whole + threes + fraction + power


def written(seed):
    """A thousand texts like numbers: well written, put together of their parts, and out of their letters."""
    dice = random.Random(seed)
    parts = [lambda: number(dice), lambda: dice.choice(SIGNS), lambda: dice.choice(MONEY_SIGNS)]
    texts = [dice.choice(BEFORE) + number(dice) + dice.choice(AFTER) for _ in range(500)]
    texts += ["".join(dice.choice(parts)() for _ in range(dice.randrange(5))) for _ in range(300)]
    letters = "0123456789.,'- +()%€$_e １５．，－\n"
    texts += ["".join(dice.choices(letters, k=dice.randrange(9))) for _ in range(200)]
    # A percent sign or a power of ten after ten digits, or of four digits, is refused by the engine now and then.
    odd = re.compile("[0-9０-９., ']{10}[^0-9]*[eE%％]|[eE][^0-9０-９]?[0-9０-９]{4}")
    return [text for text in texts if not odd.search(text)] + ["1"] * 1000


@QUICK
@given(st.integers(0, 2**32), st.integers(0, 6))
def test_money_is_read_exactly_where_the_slow_reading_reads_it(seed, first):
    """Three columns at a time, each with marks of its own; as many good values keep a run from asking for others."""
    marks = dict(zip(COLUMNS, MARKS[first : first + 3], strict=True))
    texts = written(seed)
    declared = {name: {"decimal": mark[0], "thousands": mark[1]} for name, mark in marks.items()}
    found = two_steps.read(dict.fromkeys(COLUMNS, texts), declared)
    for name, mark in marks.items():
        for text, value, bad in zip(texts, found[name], found[f"_bad_{name}"], strict=True):
            assert value == read_money(text, *mark), (text, mark)
            assert bad == (text.strip(BLANKS) or None if value is None else None), (text, mark)


@QUICK
@given(st.integers(0, 2**32))
def test_quantities_and_prices_are_those_of_the_slow_reading(seed):
    """A quantity is the nearest double, a price has six places; their product in decimals is rounded once."""
    texts = written(seed)
    found = two_steps.read({"quantity": texts, "unit_price": texts})
    for place, text in enumerate(texts):
        exact = read_exactly(text, ".", "")
        double = None if exact is None or abs(exact) > Decimal("1.7e308") else float(exact)
        assert found["quantity"][place] == double, text
        too_large = exact is not None and exact != 0 and exact.adjusted() > 20
        price = None if exact is None or too_large else rounded(exact or Decimal(0), 6)
        price = price if price is not None and abs(price) < Decimal(10) ** 12 else None
        assert found["unit_price"][place] == price, text
        product = None if price is None else rounded(EXACTLY.multiply(price, price), 4)
        fits = product is not None and abs(product) < Decimal(10) ** 14
        assert found["amount"][place] == (product if fits else None), text


EXACTLY = Context(prec=80)


def rounded(value, places):
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACTLY)


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


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("3", "0.335", "1.005"),
        ("0.5", "0.0001", "0.0001"),  # 0.00005, away from zero
        ("-0.5", "0.0001", "-0.0001"),
        ("1.000001", "1.000001", "1"),
        ("6", "2.55", "15.3"),
        ("", "2", None),
        ("2", "", None),
        ("x", "2", None),
        ("999999999999", "999", None),  # more than fourteen digits
        ("1e12", "1", None),
        ("999999", "99999999", "99999899000001"),
    ],
)
def test_amounts_are_quantity_times_price_in_decimals(quantity, price, amount):
    found = two_steps.read({"quantity": [quantity, "1", "1"], "unit_price": [price, "1", "1"]})
    assert found["amount"][0] == (None if amount is None else Decimal(amount))
    assert found["amount"][1:] == [1, 1]


def test_typed_quantities_and_prices_multiply_as_they_are_written():
    found = two_steps.read({"quantity": [3.0, 0.1, None], "unit_price": [0.335, 0.2, 1.0]})
    assert found["amount"] == [Decimal("1.005"), Decimal("0.02"), None]


def test_other_marks_are_asked_for_where_most_need_them():
    with pytest.raises(InputError, match="decimal: ',', thousands: '.'; declare these under sources.transactions"):
        two_steps.read({"amount": ["1.234,50", "2.345,60", "7"]})
    assert two_steps.read({"amount": ["1.234,50", "2", "7"]})["_bad_amount"] == ["1.234,50", None, None]


def test_online_retail_adds_up_to_the_thousandth(real_data):
    """541 909 lines, 9 747 747.934 by the file's own quantities and prices (Python's csv and decimal agree)."""
    file = real_data / "online_retail.csv.gz"
    rows = two_steps.ENGINE.read_csv(str(file), all_varchar=True, table_name="retail")
    lines = rows.select(quantity=rows.Quantity, unit_price=rows.UnitPrice).to_pyarrow()
    parsed = two_steps.parsed_source({name: lines[name].to_pylist() for name in lines.column_names})
    assert parsed.rows.amount.sum().to_pyarrow().as_py() == Decimal("9747747.934")
    assert parsed.rows.amount.count().to_pyarrow().as_py() == 541_909
