"""Ids stay text: what is kept, what is stripped, and typed columns."""

import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import two_steps
from perennial.parameters import Column
from perennial.tables import engine
from perennial.tables.parse.detect import detect_ids
from perennial.tables.parse.flags import parse_flag
from perennial.tables.parse.ids import BLANKS, parse_id

ENGINE = engine.connect()
STRIPPED = Column(source="x", strip_decimal=True)


def read(values, declared=None):
    table = ENGINE.create_table("t", pa.table({"x": pa.array(values)}), temp=True, overwrite=True)
    return table.select(y=parse_id(table.x, declared)).to_pyarrow()["y"].to_pylist()


def test_ids_stay_as_written():
    kept = ["007", "NA", "None", "3E5", "17850.0", "１２", "*******528"]
    assert read(kept) == kept


def test_blanks_of_every_kind_go_and_empty_is_missing():
    assert read(["\xa0a\u3000", "\tb c\n", " ", "", "\ufeffd"]) == ["a", "b c", None, None, "d"]


def test_a_declared_decimal_is_stripped_and_nothing_else():
    given_ids = ["17850.0", "0017.00", "17850.10", "a.0", "1.2.0", "100"]
    assert read(given_ids, STRIPPED) == ["17850", "0017", "17850.10", "a.0", "1.2.0", "100"]


def test_typed_ids_are_written_without_a_decimal_part():
    assert read([17850, 3]) == ["17850", "3"]
    assert read([17850.0, None, 2.5]) == ["17850", None, "2.5"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.sampled_from("aZ09.*é名 \t\xa0\u3000\u200b"), max_size=6), min_size=30, max_size=100))
def test_stripping_is_python_s_of_the_same_characters(texts):
    assert read(texts) == [text.strip(BLANKS) or None for text in texts]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
def test_ids_of_a_run_are_stripped_only_where_declared(seed):
    """Both steps of a run against Python: blanks go, and with strip_decimal the zeros after a point of plain digits."""
    dice = random.Random(seed)
    texts = ["".join(dice.choices("00123.A٣１ \u3000", k=dice.randrange(8))) + dice.choice(["", ".0", ".00"])
             for _ in range(500)]  # fmt: skip
    ids = {"customer_id": {"strip_decimal": True}}
    found = two_steps.read({"customer_id": texts, "order_id": texts}, ids)
    for text, stripped, kept in zip(texts, found["customer_id"], found["order_id"], strict=True):
        bare = text.strip(BLANKS)
        head, point, tail = bare.rpartition(".")
        number = point and head and set(head) <= set("0123456789") and set(tail) == {"0"}
        assert (stripped, kept) == ((head if number else bare) or None, bare or None), text


@pytest.mark.parametrize(
    ("text", "expected"), [("Yes", True), ("是", True), ("0", False), ("Nein", False), ("maybe", None)]
)
def test_flags(text, expected):
    table = ENGINE.create_table("f", pa.table({"x": [text]}), temp=True, overwrite=True)
    assert table.select(y=parse_flag(table.x)).to_pyarrow()["y"].to_pylist() == [expected]


def test_what_happened_to_ids_is_told_in_shares():
    found = detect_ids([("17850.0", 2), ("00012", 1), ("*****123", 1)])
    assert (found.trailing_zero, found.leading_zero, found.masked) == (0.5, 0.25, 0.25)
