"""Weekdays written beside dates: read in every language that dates are, and held against them."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import two_steps
from perennial.client import open_client
from perennial.tables.parse.weekdays import WEEKDAY

WAYS = {
    "english": "{date} Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "english in front": "Mon|Tue|Wed|Thu|Fri|Sat|Sun, {date}",
    "german": "Mo|Di|Mi|Do|Fr|Sa|So. {date}",
    "french": "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche {date}",
    "spanish": "{date} lunes|martes|miércoles|jueves|viernes|sábado|domingo",
    "chinese": "{date} 星期一|星期二|星期三|星期四|星期五|星期六|星期日",
    "chinese week": "{date} 周一|周二|周三|周四|周五|周六|周日",
    "japanese": "{date}(月)|(火)|(水)|(木)|(金)|(土)|(日)",
}


def written(day: dt.date, way: str, weekday: int) -> str:
    pattern = WAYS[way]
    words = pattern.replace("{date}", "").strip()
    before, after = words[: len(words) - len(words.lstrip(", "))], ""
    names = words.strip(" ,.").split("|")
    mark = "." if way == "german" else "," if way == "english in front" else ""
    name = names[weekday].strip()
    if pattern.startswith("{date}"):
        gap = "" if way == "japanese" else " "
        return f"{day}{gap}{before}{name}{after}"
    return f"{name}{mark} {day}"


def read(texts: list[str]) -> tuple[list[int | None], list[str]]:
    parsed = two_steps.parsed_source(
        {"customer_id": ["a"] * len(texts), "ordered_at": texts, "amount": ["1"] * len(texts)}
    )
    rows = parsed.rows.to_pyarrow().to_pydict()
    return rows.get(WEEKDAY, [None] * len(texts)), parsed.notes


days = st.dates(dt.date(2001, 1, 1), dt.date(2037, 12, 31))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(days, st.sampled_from(sorted(WAYS)), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_weekday_written_is_read_whatever_the_day(given_days):
    found, _notes = read([written(*one) for one in given_days])
    assert found == [weekday for _day, _way, weekday in given_days]


def test_dates_alone_have_no_weekday_and_nothing_is_said():
    found, notes = read(["2024-01-05", "5 January 2024", "2024/01/05 10:00"])
    assert set(found) == {None} and notes == []


def test_weekdays_that_fit_are_told_without_a_doubt():
    some = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(100)]
    _found, notes = read([written(day, "english", day.weekday()) for day in some])
    assert notes == ["transactions.ordered_at: a weekday stands beside 100 dates and fits 100 of them"]


@pytest.mark.parametrize(("year", "true"), [(2018, 2016), (2019, 2021)])
def test_years_that_were_changed_show_in_the_weekdays(year, true):
    """From 1 January to 27 February no leap day comes between: the weekdays tell the year exactly."""
    some = [dt.date(true, 1, 1) + dt.timedelta(days=n) for n in range(58)]
    _found, notes = read([written(day.replace(year=year), "chinese", day.weekday()) for day in some])
    assert notes == [
        f"transactions.ordered_at: a weekday stands beside 58 dates and fits 0 of them; in {true} instead of {year} it "
        "would fit 58: the years seem to have been changed"
    ]


def test_a_weekday_of_another_day_is_flagged_line_by_line(workbook):
    rows = [("a", "2024-01-01 Monday", 10), ("a", "2024-01-02 Monday", 20), ("b", "2024-01-03", 30)]
    workbook.write("acme", rows)
    flags = {flag.what: flag for flag in workbook.open("acme").audit.flags}
    assert (flags["wrong_weekday"].rows, flags["wrong_weekday"].money) == (1, 20.0)


def test_pharmacy(workbook, real_data):
    """The published file's years were changed from 2016: no weekday fits in 2018, all but one line's do in 2016."""
    columns = {"customer_id": "社保卡号", "ordered_at": "购药时间", "amount": "实收金额"}
    source = {"path": str(real_data / "chaoyang_pharmacy_2018.xlsx"), "columns": columns}
    workbook.write_yaml("shop", {
        "title": "Shop", "currency": "CNY", "as_of": "2018-07-19", "sources": {"transactions": source},
        "cleaning": {"rejects": {"allow": True}},
    })  # fmt: skip
    audit = open_client("shop", workbook.root).audit
    assert next(flag.rows for flag in audit.flags if flag.what == "wrong_weekday") == 6553
    assert any("in 2016 instead of 2018 it would fit 6,552" in text for text in audit.warnings)
