"""Cleaning rules: each planted once, their order, and any file with any settings against a slow second telling."""

import datetime as dt
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleaning_reference
from conftest import REPO
from perennial.errors import InputError
from perennial.tables.clean.rules import MEANINGS, RULES

HEADER = ["customer_id", "ordered_at", "order_id", "product_id", "amount"]
ALLOW = {"rejects": {"allow": True}}
AS_OF = dt.date(2024, 12, 31)


def counted(client, table="transactions"):
    return {rule.rule: (rule.rows, rule.customers, rule.money) for rule in client.audit.rules_of(table)}


GOOD = [("a", "2024-01-05", "1", "p", "10.00"), ("b", "2024-01-06", "2", "p", "20.00")]
PLANTED = {
    "blank_row": ("", "", "", "", ""),
    "bad_date": ("a", "2024-02-30", "3", "p", "1.01"),
    "bad_amount": ("a", "2024-02-01", "3", "p", "lots"),
    "no_customer": ("", "2024-02-01", "3", "p", "1.04"),
    "guest": ("GUEST-9", "2024-02-01", "3", "p", "1.08"),
    "staff": ("S-1", "2024-02-01", "3", "p", "1.16"),
    "test_order": ("a", "2024-02-01", "TEST7", "p", "1.32"),
    "after_as_of": ("a", "2025-01-01", "3", "p", "1.64"),
    "pseudo_product": ("a", "2024-02-01", "3", "POST", "2.28"),
    "exact_duplicate": GOOD[0],
    "zero_amount": ("a", "2024-02-01", "3", "p", "0"),
    "below_minimum": ("a", "2024-02-02", "4", "p", "0.64"),
    "only_returns": ("z", "2024-02-01", "5", "p", "-2.56"),
}
CLEANING = {
    "exact_duplicates": "drop", "zero_amounts": "drop", "guests": {"customer_id": "^GUEST"},
    "staff": {"customer_id": "^S-"}, "test_orders": {"order_id": "^TEST"}, "pseudo_products": {"product_id": "^POST$"},
    "minimum_order": 1, **ALLOW,
}  # fmt: skip


def test_each_rule_takes_the_line_planted_for_it(workbook):
    workbook.write("acme", [*GOOD, *PLANTED.values()], header=HEADER, cleaning=CLEANING)
    client = workbook.open("acme")
    found = counted(client)
    money = {rule: float(row[4]) if row[4] not in ("", "lots") else 0.0 for rule, row in PLANTED.items()}
    assert found == {
        "used": (2, 2, 30.0),
        **{rule: (1, int(bool(row[0])), money[rule]) for rule, row in PLANTED.items()},
    }
    assert list(found) == [rule for rule in MEANINGS if rule in found]
    assert list(PLANTED) == [rule.name for rule in RULES if rule.name in PLANTED]


def test_column_names_again_in_a_table_are_no_order(workbook):
    """In a Parquet file of text, as two exports put together give; by hand."""
    place = workbook.root / "data" / "acme.parquet"
    rows = [*GOOD, tuple(HEADER), GOOD[0]]
    pd.DataFrame(rows, columns=HEADER, dtype="str").to_parquet(place)
    path = workbook.write("acme", [], header=HEADER, cleaning=ALLOW)
    path.write_text(path.read_text().replace("acme.csv", "acme.parquet"))
    client = workbook.open("acme")
    assert counted(client) == {"used": (3, 2, 40.0), "header_repeated": (1, 1, 0.0)}
    assert client.rejects()[["line", "reason"]].values.tolist() == [[3, "the column names again"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_says_what_it_does(rule):
    """The printed list: each has a meaning and a default; those that can be set name their key."""
    assert rule.meaning and rule.default
    assert rule.default == "always" or rule.key.startswith("cleaning.")


def test_documentation_lists_the_rules_as_they_apply():
    text = (REPO / "docs" / "cleaning.md").read_text(encoding="utf-8")
    told = [line.split("`")[1] for line in text.splitlines() if re.match(r"\| `\w+`( \*)? \|.*\|.*\|.*\|", line)]
    assert told[: len(RULES)] == [rule.name for rule in RULES]
    assert all(rule.meaning in text for rule in RULES)


def test_a_line_falls_to_the_first_rule_and_is_found_by_all(workbook):
    """A test order of nobody, dated too late: three rules apply, the first takes it; by hand."""
    row = ("", "2025-02-01", "TEST1", "p", "5")
    workbook.write("acme", [*GOOD, row], header=HEADER, cleaning={"test_orders": {"order_id": "^TEST"}})
    rules = {rule.rule: rule for rule in workbook.open("acme").audit.rules}
    assert (rules["no_customer"].rows, rules["no_customer"].money) == (1, 5.0)
    assert [(rules[name].rows, rules[name].found) for name in ("test_order", "after_as_of")] == [(0, 1), (0, 1)]
    assert rules["test_order"].customers == 0 and rules["test_order"].money == 0
    workbook.write("two", [*GOOD, row, ("a", *row[1:])], header=HEADER, cleaning={"test_orders": {"order_id": "^TEST"}})
    rules = {rule.rule: rule for rule in workbook.open("two").audit.rules}
    assert [(rules[name].rows, rules[name].found) for name in ("no_customer", "test_order")] == [(1, 1), (1, 2)]


def test_write_offs_go_unless_kept(workbook):
    header = ["customer_id", "ordered_at", "quantity", "unit_price"]
    rows = [("a", "2024-01-05", "2", "5"), ("a", "2024-01-06", "1", "-3.5")]
    workbook.write("acme", rows, header=header)
    assert counted(workbook.open("acme")) == {"used": (1, 1, 10.0), "negative_price": (1, 1, -3.5)}
    workbook.write("acme", rows, header=header, cleaning={"negative_prices": "keep"})
    assert counted(workbook.open("acme")) == {"used": (2, 1, 6.5)}


def test_amounts_that_are_not_quantity_times_price_are_flagged(workbook):
    """A cent is rounding; 11 of 2 × 5 is the line's discount of −1 … only without one it is a mismatch."""
    header = ["customer_id", "ordered_at", "quantity", "unit_price", "amount"]
    rows = [("a", "2024-01-05", "2", "5", "10.01"), ("b", "2024-01-06", "2", "5", "9")]
    workbook.write("acme", rows, header=header)
    (flag,) = [flag for flag in workbook.open("acme").audit.flags if flag.what == "price_mismatch"]
    assert (flag.rows, flag.customers, flag.money) == (1, 1, 9.0)
    workbook.write(
        "acme", [(*row, cut) for row, cut in zip(rows, ("0", "1"), strict=True)], header=[*header, "discount"]
    )
    assert not [flag for flag in workbook.open("acme").audit.flags if flag.what == "price_mismatch"]


def test_outliers_are_flagged_and_stay(workbook):
    """Amounts 8 … 12 and one of a million: far beyond six robust standard deviations; nothing is removed."""
    rows = [(f"c{n}", "2024-01-05", 8 + n % 5) for n in range(50)] + [("w", "2024-01-06", 1_000_000)]
    workbook.write("acme", rows)
    client = workbook.open("acme")
    (flag,) = [flag for flag in client.audit.flags if flag.what == "outlier"]
    assert (flag.rows, flag.customers, flag.money) == (1, 1, 1e6)
    assert counted(client) == {"used": (51, 51, sum(float(row[2]) for row in rows))}


def test_shared_ids_are_flagged_and_their_owner_not_shown(workbook):
    """Forty customers with three days each; one id buys on 60 of 60 days, one is a placeholder."""
    first = dt.date(2024, 1, 1)
    rows = [(f"c{n:04}", first + dt.timedelta(days=n + 30 * k), 5 + k) for n in range(40) for k in range(3)]
    rows += [("card123456", first + dt.timedelta(days=n), 3 + n) for n in range(60)]
    rows += [("cash customer", first, 77), ("****5678", first, 78)]
    workbook.write("acme", rows)
    client = workbook.open("acme")
    flags = {flag.what: (flag.rows, flag.customers) for flag in client.audit.flags}
    assert flags["colliding_id"] == (61, 2)
    assert flags["masked_id"] == (1, 1)
    said = " ".join(client.audit.warnings)
    assert "60 lines on 60 of 60 days" in said and "'…456'" in said and "card123456" not in said
    assert "'cash customer' reads like a placeholder" in said
    assert "1 customer id is masked (1 line)" in said
    assert counted(client)["used"][0] == len(rows)


def test_masked_ids_of_which_little_is_visible_stand_for_a_crowd(workbook):
    """Sixty people on six ids of two visible signs; forty others, of whom four signs are visible, order as often."""
    day = dt.date(2024, 1, 1)
    rows = [(f"***{person:04}", day + dt.timedelta(days=person + 40 * k), 5) for person in range(40) for k in range(2)]
    rows += [(f"***{person % 6:02}", day + dt.timedelta(days=person + k), 7) for person in range(60) for k in range(2)]
    workbook.write("acme", rows)
    client = workbook.open("acme")
    flags = {flag.what: (flag.rows, flag.customers) for flag in client.audit.flags}
    assert flags["colliding_id"] == (120, 6) and flags["masked_id"] == (200, 46)
    (said,) = [text for text in client.audit.warnings if "masked" in text]
    assert "46 customer ids are masked (200 lines)" in said
    assert "at most 2 visible signs (6 ids) have 20.0 lines each, the others 2.0" in said


def test_masked_ids_that_are_equally_long_are_no_evidence_of_a_crowd(workbook):
    rows = [(f"***{n % 50:04}", dt.date(2024, 1, 1) + dt.timedelta(days=n), 5) for n in range(200)]
    workbook.write("acme", rows)
    audit = workbook.open("acme").audit
    assert {flag.what for flag in audit.flags} == {"masked_id"}
    assert not any("probably" in text for text in audit.warnings)


@pytest.mark.parametrize(("last", "flagged"), [(1200, set()), (500, {"colliding_id"})])
def test_a_number_of_nines_is_a_placeholder_unless_it_has_its_turn(workbook, last, flagged):
    rows = [(str(n), "2024-01-05", 5) for n in range(1, last)] + [("999", "2024-01-06", 7)]
    workbook.write("acme", rows)
    assert {flag.what for flag in workbook.open("acme").audit.flags} == flagged


def test_a_wholesaler_who_buys_every_third_day_is_no_crowd(workbook):
    """Two hundred shops with three days each, and one that buys on 120 of 358 days."""
    first = dt.date(2024, 1, 1)
    rows = [(f"c{n:04}", first + dt.timedelta(days=n + 30 * k), 5) for n in range(200) for k in range(3)]
    rows += [("wholesaler", first + dt.timedelta(days=3 * n), 500 + n) for n in range(120)]
    workbook.write("acme", rows)
    assert "colliding_id" not in {flag.what for flag in workbook.open("acme").audit.flags}


def test_a_rule_whose_rows_another_took_is_still_counted(workbook):
    """A correction of the books without a customer: removed for want of one, and told to have a price below zero."""
    header = ["customer_id", "ordered_at", "quantity", "unit_price"]
    rows = [("a", "2024-01-05", "2", "5"), ("", "2024-01-06", "1", "-3.5")]
    workbook.write("acme", rows, header=header)
    rules = {rule.rule: (rule.rows, rule.found) for rule in workbook.open("acme").audit.rules}
    assert rules == {"used": (1, 1), "no_customer": (1, 1), "negative_price": (0, 1)}


def test_personal_columns_are_not_read(workbook):
    people = [("a", "x@example.org", "Ann Lee", "gold"), ("b", "y@example.org", "Bob Ray", "tin")]
    workbook.write_csv("people.csv", ["id", "contact", "first_name", "tier"], people)
    source = {
        "path": "data/people.csv",
        "columns": {"customer_id": "id"},
        "attributes": ["contact", "first_name", "tier"],
    }
    workbook.write("acme", [row[:2] + row[4:] for row in GOOD], sources={"customers": source})
    client = workbook.open("acme")
    assert client.table("customers").columns == ("customer_id", "tier")
    assert "customers: attribute 'contact' looks like e-mail addresses: not read" in client.audit.warnings
    for path in (workbook.root / ".cache").rglob("*"):
        assert not path.is_file() or b"example.org" not in path.read_bytes()


row = st.tuples(
    st.sampled_from(["", "a", "b", "GUEST1", "S-1"]),
    st.sampled_from(["", "2024-01-01", "2024-06-30", "2025-06-30", "soon"]),
    st.sampled_from(["", "1", "2", "TEST1"]),
    st.sampled_from(["p", "POST", ""]),
    st.sampled_from(["", "x", "-3.10", "0", "2.25", "9.99"]),
)
declared = st.fixed_dictionaries(
    {},
    optional={
        "exact_duplicates": st.sampled_from(["keep", "drop"]),
        "zero_amounts": st.sampled_from(["keep", "drop"]),
        "returns": st.sampled_from([{"treat": "separate"}, {"treat": "drop"}]),
        "guests": st.just({"customer_id": "^GUEST"}),
        "staff": st.just({"customer_id": "^S-"}),
        "test_orders": st.just({"order_id": "^TEST"}),
        "pseudo_products": st.just({"product_id": "^POST$"}),
        "minimum_order": st.just(5),
    },
)


@settings(max_examples=12, deadline=None)
@given(st.lists(row, max_size=25), declared)
def test_any_file_under_any_rules_is_the_slow_telling(tmp_path_factory, rows, cleaning):
    from conftest import Workbook

    workbook = Workbook(tmp_path_factory.mktemp("w"))
    rows = [*GOOD, *rows]
    workbook.write("acme", rows, header=HEADER, cleaning={**cleaning, **ALLOW})
    client = workbook.open("acme")
    told, found = cleaning_reference.clean(rows, cleaning, AS_OF)
    empty = found["blank_row"] + found["header_repeated"]  # which lack all else too, and say nothing by it
    told = {**dict.fromkeys([rule for rule, n in found.items() if n > empty], (0, 0, 0.0, 0.0)), **told}
    assert counted(client) == {rule: (n, who, pytest.approx(money)) for rule, (n, who, money, _) in told.items()}
    for rule in client.audit.rules:
        assert rule.below == pytest.approx(told[rule.rule][3])
        assert rule.found == found.get(rule.rule, rule.rows)


def test_empty_side_table_is_said_and_too_many_rejects_stop(workbook):
    tickets = {"path": "data/t.csv", "columns": {"customer_id": "id", "opened_at": "at"}}
    workbook.write_csv("t.csv", ["id", "at"], [("a", "2025-05-05")])
    workbook.write("acme", [row[:2] + row[4:] for row in GOOD], sources={"tickets": tickets})
    assert any("tickets: no usable row is left" in text for text in workbook.open("acme").audit.warnings)
    workbook.write_csv("t.csv", ["id", "at"], [("a", "2024-05-05"), ("a", "")])
    with pytest.raises(InputError, match=r"acme, tickets: 1 of 2 rows \(50.0%\) cannot be read: 1 × empty in 'at'"):
        workbook.open("acme")
