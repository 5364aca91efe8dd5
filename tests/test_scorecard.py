"""The scorecard: limits, colours reached by clients made for them, the worst criterion wins, unmeasured has none."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.analysis import audit_measures
from perennial.analysis.audit_lines import LineFacts
from perennial.analysis.scorecard import DIMENSIONS, LIMITS, WHY, Limits, Measurement, judge, score
from perennial.chapters import audit_scores, data_audit
from perennial.charts import theme
from perennial.tables.audit import Audit, Flag, RuleCount, TableFacts

START = dt.date(2024, 1, 1)


def daily(days: int = 366, **changed: object) -> list[tuple[object, ...]]:
    """Four customers a day, each every eighth day, 10 apiece: nothing about them is unusual."""
    rows = []
    for day in range(days):
        for seat in range(4):
            customer = f"c{(day * 4 + seat) % 32:02d}"
            rows.append((customer, (START + dt.timedelta(days=day)).isoformat(), 10 + seat))
    return rows


def card(workbook, rows, **parameters):
    workbook.write("acme", rows, **parameters)
    return data_audit.study(workbook.open("acme")).scorecard


def test_every_limit_has_a_reason_and_a_name_and_red_lies_beyond_amber():
    assert list(LIMITS) == list(WHY) == list(audit_scores.labels())
    for dimension in DIMENSIONS:
        assert 2 <= sum(limits.dimension == dimension for limits in LIMITS.values()) <= 5
    for name, limits in LIMITS.items():
        beyond = limits.red is None or (limits.red < limits.amber if limits.is_floor else limits.red > limits.amber)
        assert beyond, name


@pytest.mark.parametrize(
    ("value", "colour"),
    [(0.0, "green"), (0.01, "green"), (0.0101, "amber"), (0.2, "amber"), (0.2001, "red"), (None, "not_measured")],
)
def test_a_value_on_a_limit_is_on_its_good_side(value, colour):
    assert judge(value, Limits("completeness", 0.01, 0.20)) == colour


@pytest.mark.parametrize(("value", "colour"), [(1.0, "green"), (0.95, "green"), (0.9, "amber"), (0.7, "red")])
def test_a_floor_is_judged_from_below(value, colour):
    assert judge(value, Limits("completeness", 0.95, 0.75, is_floor=True)) == colour


def test_what_is_not_a_number_is_not_measured():
    assert judge(float("nan"), LIMITS["returns"]) == "not_measured"


@given(st.sampled_from(list(LIMITS)), st.floats(0, 100), st.floats(0, 100))
def test_a_worse_value_never_has_a_better_colour(name, one, other):
    order = ("green", "amber", "red")
    limits = LIMITS[name]
    better, worse = (max(one, other), min(one, other)) if limits.is_floor else (min(one, other), max(one, other))
    assert order.index(judge(better, limits)) <= order.index(judge(worse, limits))


def test_worst_criterion_gives_a_dimension_its_colour_and_unmeasured_ones_do_not_count():
    made = score(
        {
            "exact_duplicates": Measurement(0.0),
            "repeated_ids": Measurement(0.005),
            "silence": Measurement(3.0),
            "history": Measurement(0.5),
            "returns": Measurement(0.01),
        }
    )
    assert made.statuses == {
        "completeness": "not_measured",
        "validity": "not_measured",
        "uniqueness": "amber",
        "timeliness": "red",
        "plausibility": "green",
    }
    assert made["colliding_ids"].status == "not_measured"
    of_timeliness = sum(limits.dimension == "timeliness" for limits in LIMITS.values())
    assert made.frame()["dimension_status"].tolist().count("red") == of_timeliness


def test_a_client_without_fault_is_green_everywhere_it_can_be_measured(workbook):
    found = card(workbook, daily(), horizon_months=6)
    assert set(found.statuses.values()) == {"green"}
    assert audit_scores.verdict(found) == "Nothing in the data gives reason to doubt the report"


@pytest.mark.parametrize(("nobody", "colour"), [(0, "green"), (40, "amber"), (400, "red")])
def test_lines_without_customer_colour_completeness(workbook, nobody, colour):
    rows = [("" if place < nobody else who, day, amount) for place, (who, day, amount) in enumerate(daily())]
    found = card(workbook, rows)["no_customer_lines"]
    assert (found.status, found.rows) == (colour, nobody)
    assert found.value == pytest.approx(nobody / len(rows))


@pytest.mark.parametrize(("silent", "colour"), [(7, "green"), (8, "amber"), (31, "amber"), (32, "red")])
def test_days_since_the_last_order_colour_timeliness(workbook, silent, colour):
    last = START + dt.timedelta(days=365 + silent)
    found = card(workbook, daily(), as_of=last.isoformat())["silence"]
    assert (found.value, found.status) == (silent, colour)


@pytest.mark.parametrize(("months", "colour"), [(6, "green"), (8, "amber"), (13, "red")])
def test_history_is_held_against_the_horizon(workbook, months, colour):
    assert card(workbook, daily(), horizon_months=months)["history"].status == colour


@pytest.mark.parametrize(("extra", "colour"), [(0, "green"), (100, "amber"), (2000, "red")])
def test_orders_stamped_with_one_day_colour_plausibility(workbook, extra, colour):
    """An import stamp: 1,464 orders of a year, and further customers who all ordered on one day."""
    moved = [(f"x{place}", "2024-05-05", 10) for place in range(extra * 2)]
    found = card(workbook, [*daily(), *moved])["stamps"]
    assert found.status == colour
    assert not extra or found.where == "5 May 2024"


def test_times_that_are_one_minute_of_the_day_are_a_stamp(workbook):
    """Half the lines at one minute, the others spread over the day."""
    rows = [
        (who, f"{day} 03:00:00" if place % 2 else f"{day} {place % 24:02d}:{place % 60:02d}:00", amount)
        for place, (who, day, amount) in enumerate(daily())
    ]
    found = card(workbook, rows)["stamps"]
    assert found.status == "red" and found.where == "03:00" and found.value >= 0.5


@pytest.mark.parametrize(("every", "colour"), [(1000, "green"), (12, "amber"), (3, "red")])
def test_money_returned_colours_plausibility(workbook, every, colour):
    rows = [(who, day, -10 if place % every == every - 1 else 10) for place, (who, day, _m) in enumerate(daily())]
    assert card(workbook, rows)["returns"].status == colour


def test_ten_largest_are_not_judged_among_few_customers(workbook):
    assert card(workbook, daily())["concentration"].status == "not_measured"
    many = [(f"c{place}", day, 1000 if place < 10 else 1) for place, (_w, day, _a) in enumerate(daily())]
    assert card(workbook, many)["concentration"].status == "red"


def test_repeated_ids_of_a_side_table_colour_uniqueness(workbook):
    workbook.write_csv("people.csv", ["customer_id", "region"], [("c01", "n"), ("c01", "s"), ("c02", "n")])
    columns = {"customer_id": "customer_id", "region": "region"}
    found = card(workbook, daily(), sources={"customers": {"path": "data/people.csv", "columns": columns}})
    assert (found["repeated_ids"].status, found["repeated_ids"].rows) == ("red", 1)
    assert found.status("uniqueness") == "red"


def record(rules: list[RuleCount], flags: list[Flag]) -> Audit:
    tables = [TableFacts("transactions", 1000, 900, 50, "2024-01-01", "2024-12-31", {"customer_id": 1.0})]
    return Audit("acme", "2024-12-31", rules=rules, flags=flags, tables=tables)


def evidence(audit: Audit) -> audit_measures.Evidence:
    lines = LineFacts(9000.0, 0.0, 0, None, "")
    return audit_measures.Evidence(audit, 50, 0, "", 12, 0, 365, 180, 0, 1.0, 365, 0, None, lines)


def test_the_record_is_read_by_name_and_what_is_not_known_changes_nothing():
    used = RuleCount("transactions", "used", "used", 900, 50, 9000.0, 900)
    nobody = RuleCount("transactions", "no_customer", "nobody", 60, 0, 500.0, 80)
    new = RuleCount("transactions", "rule_of_tomorrow", "told then", 40, 3, 500.0, 40)
    flags = [
        Flag("transactions", "colliding_id", "shared", 90, 2, 700.0),
        Flag("transactions", "outlier", "far", 5, 5, 2600.0),
        Flag("transactions", "flag_of_tomorrow", "told then", 1, 1, 1.0),
    ]
    flags.append(Flag("transactions", "return", "back", 9, 5, -1000.0))
    found = audit_measures.measure(evidence(record([used, nobody, new], flags)))
    assert found["no_customer_lines"] == Measurement(0.08, 80, 500.0)  # applies to 80, of which it removed 60
    assert found["no_customer_money"].value == pytest.approx(500 / 10000)
    assert found["colliding_ids"].value == pytest.approx(0.09)
    assert found["masked_ids"].value == 0.0
    assert found["outliers"].value == pytest.approx(0.26)
    assert found["returns"].value == pytest.approx(1000 / (10000 + 1000))  # both of all lines, whatever was removed
    assert score(found)["outliers"].status == "red"


def test_a_record_without_marks_is_measured_as_none_or_not_at_all():
    used = RuleCount("transactions", "used", "used", 1000, 50, 9000.0, 1000)
    found = score(audit_measures.measure(evidence(record([used], []))))
    assert found["colliding_ids"].status == "green"
    for name in ("negative_prices", "price_mismatch", "unreadable_dates", "repeated_ids", "stamps", "concentration"):
        assert found[name].status == "not_measured", name


def luminance(colour: str) -> float:
    """Relative luminance by the web's accessibility guidelines (WCAG 2, section 1.4.3)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_status_words_can_be_read_on_their_colours():
    """At least 4.5 to 1, the guidelines' bar for small text."""
    assert contrast(theme.GOOD, "#ffffff") >= 4.5
    assert contrast(theme.BAD, "#ffffff") >= 4.5
    assert contrast(theme.AMBER, theme.INK) >= 4.5


@pytest.mark.parametrize(("days", "colour"), [(365, "amber"), (360, "red")])
def test_a_year_of_days_is_twelve_months(days, colour):
    """Twelve months are 365.25 days on average: a year's export is not short of a year."""
    used = RuleCount("transactions", "used", "used", 1000, 50, 9000.0, 1000)
    whole = dataclasses.replace(evidence(record([used], [])), history_days=days, horizon_days=12 * 30.4375)
    assert score(audit_measures.measure(whole))["history"].status == colour
