"""One formatter for all numbers: what a reader sees."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.compact(1_240_000), "1.24 M"),
        (formats.compact(999_999), "1.00 M"),
        (formats.compact(18_345), "18.3 k"),
        (formats.compact(412), "412"),
        (formats.money(2_500_315.63, "USD"), "$2.50 M"),
        (formats.money(-35.2167, "EUR", 2), "−€35.22"),
        (formats.money(-0.001, "EUR", 2), "€0.00"),
        (formats.money(12, "SEK", 0), "SEK 12"),
        (formats.percent(0.182), "18 %"),
        (formats.percent(0.0004), "< 1 %"),
        (formats.percent(0.9999), "> 99 %"),
        (formats.percent(1), "100 %"),
        (formats.percent(0), "0 %"),
        (formats.points(-0.09), "−9.0 points"),
        (formats.points(0.012), "+1.2 points"),
        (formats.number(-0.2, 0), "0"),
        (formats.number(3.14159), "3.14"),
        (formats.number(math.inf), "∞"),
        (formats.number(float("nan")), "–"),
        (formats.days(1), "1 day"),
        (formats.days(400), "13.1 months"),
        (formats.days(365), "12 months"),
        (formats.days(1096), "3 years"),
        (formats.date(dt.date(1998, 6, 30)), "30 June 1998"),
        (formats.period(dt.date(1998, 4, 1), "quarter"), "Q2 1998"),
        (formats.period(dt.date(2024, 12, 30), "week"), "2025-W01"),
        (formats.interval(1413, 1920, formats.compact), "1.41 k to 1.92 k"),
    ],
)
def test_numbers_read_as_a_person_would_write_them(text, expected):
    assert text == expected


@given(st.floats(-1e13, 1e13))
def test_compact_keeps_three_figures(value):
    text = formats.compact(value).replace("−", "-").replace(",", "")
    head, _, letter = text.partition(" ")
    scale = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[letter]
    assert float(head) * scale == pytest.approx(value, rel=0.006, abs=0.005)


def test_client_text_cannot_become_markup():
    safe = formats.escape('<script>alert(1)</script> "q" *b* [l](u) $a$ `c` |')
    for mark in '<>*[]$`|"':
        assert mark not in safe
    assert formats.escape("#1 & the customer's own") == "&#35;1 &amp; the customer's own"
