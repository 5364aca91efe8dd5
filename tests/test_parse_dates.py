"""Dates as people write them: tables made by hand, Python's calendar, and what is asked where two readings fit."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.tables import engine
from perennial.tables.parse.dates import Clocks, parse_moment
from perennial.tables.parse.detect import detect_dates

ENGINE = engine.connect()


def read(texts, form=None, clocks=None):
    table = ENGINE.create_table("t", pa.table({"x": pa.array(texts, pa.string())}), temp=True, overwrite=True)
    return table.select(y=parse_moment(table.x, form, clocks or Clocks())).to_pyarrow()["y"].to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-05", (2024, 1, 5)),
        (" 2024/1/5 ", (2024, 1, 5)),
        ("20240105", (2024, 1, 5)),
        ("２０２４－０１－０５", (2024, 1, 5)),
        ("2018-01-01 星期五", (2018, 1, 1)),
        ("2018年1月2日", (2018, 1, 2)),
        ("2024-01-05 下午3:20", (2024, 1, 5, 15, 20)),
        ("Mon 2024-01-05", (2024, 1, 5)),
        ("Friday, January 5, 2024", (2024, 1, 5)),
        ("2024-01-05 10:20-27", None),
        ("1-Jan-2024", (2024, 1, 1)),
        ("Jan 1st, 2024", (2024, 1, 1)),
        ("1. Februar 2024 08:26 Uhr", (2024, 2, 1, 8, 26)),
        ("1 févr. 2024", (2024, 2, 1)),
        ("1 de enero de 2024", (2024, 1, 1)),
        ("1-Jan-69", (1969, 1, 1)),
        ("1-Jan-68", (2068, 1, 1)),
        ("2024-01-05T10:20:30Z", (2024, 1, 5, 10, 20, 30)),
        ("2024-01-05T10:20:30+02:00", (2024, 1, 5, 8, 20, 30)),
        ("2024-01-05 10:20+02", (2024, 1, 5, 8, 20)),
        ("2018-02-29 星期四", None),
        ("2018-02-29", None),
        ("5/1/2024", None),
        ("infinity", None),
        ("0024-01-05", None),
        ("soon", None),
    ],
)
def test_a_date_with_one_meaning_needs_no_format(text, expected):
    assert read([text]) == [expected and dt.datetime(*expected)]


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("31/04/2024", "%d/%m/%Y", None),
        ("5/1/24", "%d/%m/%Y", None),
        ("05.01.2024 08:26 Uhr", "%d.%m.%Y", (2024, 1, 5, 8, 26)),
        ("周五 05/01/2024", "%d/%m/%Y", (2024, 1, 5)),
        ("infinity", "%Y", None),
        ("1", "excel", (1900, 1, 1)),
        ("59", "excel", (1900, 2, 28)),
        ("60", "excel", None),
        ("61", "excel", (1900, 3, 1)),
        ("43102.351388888889", "excel", (2018, 1, 2, 8, 26)),
        ("1704450600", "epoch", (2024, 1, 5, 10, 30)),
        ("1704450600000", "epoch_ms", (2024, 1, 5, 10, 30)),
    ],
)
def test_a_declared_format_is_kept_to(text, form, expected):
    assert read([text], form) == [expected and dt.datetime(*expected)]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(1000, 9999), st.integers(0, 14), st.integers(0, 33)), min_size=50, max_size=300))
def test_only_days_of_the_calendar_are_read(parts):
    def day(y, m, d):
        try:
            return dt.datetime(y, m, d)
        except ValueError:
            return None

    assert read([f"{y}-{m:02}-{d:02}" for y, m, d in parts]) == [day(*part) for part in parts]
    assert read([f"{d}.{m}.{y}" for y, m, d in parts], "%d.%m.%Y") == [day(*part) for part in parts]


def test_days_are_told_by_the_clock_of_the_report():
    assert read(["2024-07-05T23:30:00Z"], None, Clocks(None, "Europe/Berlin")) == [dt.datetime(2024, 7, 6, 1, 30)]
    clocks = Clocks("America/New_York", "UTC")
    assert read(["2024-01-05 20:00:00", "2024-01-05"], None, clocks) == [
        dt.datetime(2024, 1, 6, 1),
        dt.datetime(2024, 1, 5),
    ]


def test_where_no_day_is_above_twelve_the_order_is_asked_for():
    found = detect_dates([("05/01/2024", 3), ("03/02/2024", 2)])
    assert found.ambiguous and "5 values" in found.question and "'%d/%m/%Y' or '%m/%d/%Y'" in found.question


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["05/01/2024", "31/12/2023"], "%d/%m/%Y"),
        (["1/31/24", "2/5/24"], "%m/%d/%y"),
        (["13.01.2024 8:20"], "%d.%m.%Y %H:%M"),
    ],
)
def test_one_day_above_twelve_settles_the_order(values, form):
    found = detect_dates([(value, 1) for value in values])
    assert not found.ambiguous and found.formats[0].format == form and found.formats[0].share == 1
