"""Customers known under several ids."""

import pytest

from perennial.errors import InputError

ROWS = [("a", "2024-01-05", 1), ("b", "2024-02-05", 2), ("c", "2024-03-05", 4), ("d", "2024-04-05", 8)]
MERGE = {"merge_customers": {"path": "data/merge.csv", "from": "old", "to": "new"}}


def test_chains_end_at_the_last_id_in_every_table(workbook):
    """a → b → c: by hand, c has 1 + 2 + 4."""
    workbook.write_csv("merge.csv", ["old", "new"], [("a", "b"), ("b", "c"), ("d", "d"), ("", "x")])
    workbook.write_csv("people.csv", ["id", "by"], [("a", "d"), ("c", "d"), ("d", "b")])
    people = {"path": "data/people.csv", "columns": {"customer_id": "id", "referrer_id": "by"}}
    workbook.write("acme", ROWS, sources={"customers": people}, cleaning=MERGE)
    client = workbook.open("acme")
    revenue = client.summary.execute().set_index("customer_id").revenue.astype(float).to_dict()
    assert revenue == {"c": 7.0, "d": 8.0}
    table = client.table("customers").execute()
    assert table[["customer_id", "referrer_id"]].values.tolist() == [["c", "d"], ["d", "c"]]
    assert {(rule.table, rule.rule): rule.rows for rule in client.audit.rules}["customers", "repeated_id"] == 1
    flags = {(flag.table, flag.what): (flag.rows, flag.money) for flag in client.audit.flags}
    assert flags["transactions", "merged_customer"] == (2, 3.0)
    assert flags["customers", "merged_customer"] == (1, None)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("a", "b"), ("b", "c"), ("c", "a")], "circle of 3"),
        ([("a", "b"), ("a", "c")], "more than one 'new'"),
    ],
)
def test_what_has_no_last_id_is_refused(workbook, pairs, words):
    workbook.write_csv("merge.csv", ["old", "new"], pairs)
    workbook.write("acme", ROWS, cleaning=MERGE)
    with pytest.raises(InputError, match=words):
        workbook.open("acme")


def test_missing_column_is_named_with_the_nearest(workbook):
    workbook.write_csv("merge.csv", ["olds", "new"], [("a", "b")])
    workbook.write("acme", ROWS, cleaning=MERGE)
    with pytest.raises(InputError, match="merge.csv.* has no column 'old'; did you mean 'olds'"):
        workbook.open("acme")
