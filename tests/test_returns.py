"""Returns netted against sales, compared with a stack that is pushed and popped line by line."""

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.errors import ParameterError
from perennial.tables import engine
from perennial.tables.clean.returns import move, net

HEADER = ["customer_id", "ordered_at", "order_id", "product_id", "quantity", "amount"]
DAY = dt.datetime(2024, 1, 1)
CON = engine.connect()


def table_of(lines):
    rows = [
        {
            "_row": place, "customer_id": who, "ordered_at": DAY + dt.timedelta(days=day), "order_id": f"o{order}",
            "product_id": product, "quantity": float(quantity), "amount": Decimal(amount), "is_return": amount < 0,
        }
        for place, (who, day, order, product, quantity, amount) in enumerate(lines)
    ]  # fmt: skip
    schema = {"_row": "int64", "customer_id": "string", "ordered_at": "timestamp(6)", "order_id": "string",
              "product_id": "string", "quantity": "float64", "amount": "decimal(18,4)",
              "is_return": "boolean"}  # fmt: skip
    return CON.create_table("lines", ibis.memtable(rows, schema=schema), temp=True, overwrite=True), rows


def slow_net(rows, match):
    """Pairs by a stack per key in time, sales before returns of the same moment; then the latest larger open sale."""
    who = "order_id" if match == "order" else "customer_id"
    in_time = sorted(rows, key=lambda row: (row["ordered_at"], row["is_return"], row["_row"]))
    stacks, gone, left_over = defaultdict(list), set(), []
    for row in (row for row in in_time if row["amount"]):
        key = (row[who], row["product_id"], abs(row["amount"]))
        key += (abs(row["quantity"]),) if match == "customer_product" else ()
        if not row["is_return"]:
            stacks[key].append(row)
        elif stacks[key]:
            gone |= {stacks[key].pop()["_row"], row["_row"]}
        else:
            left_over.append(row)
    moved, taken = {}, Counter()
    for row in left_over:
        larger = [
            sale
            for sale in rows
            if not sale["is_return"] and sale["_row"] not in gone and sale[who] == row[who]
            and sale["product_id"] == row["product_id"] and (match == "order" or row["product_id"] is not None)
            and sale["ordered_at"] <= row["ordered_at"] and sale["amount"] > -row["amount"]
        ]  # fmt: skip
        if larger:
            best = max(larger, key=lambda sale: (sale["ordered_at"], sale["_row"]))
            taken[best["_row"]] += -row["amount"]
            if taken[best["_row"]] <= best["amount"]:
                moved[row["_row"]] = (best["ordered_at"], best["order_id"])
    return gone, moved, {row["_row"] for row in left_over} - set(moved)


def places(table):
    return set(table.to_pyarrow()["_row"].to_pylist())


line = st.tuples(
    st.sampled_from("ab"), st.integers(0, 4), st.integers(0, 2), st.sampled_from(["p", "q", None]),
    st.sampled_from([1, 1, 2]), st.sampled_from([-5, -5, -3, 0, 3, 5, 5, 8]),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(line, max_size=30), st.sampled_from(["order", "customer_product"]))
def test_matching_in_the_engine_is_the_stack(lines, match):
    table, rows = table_of(lines)
    netted = net(CON, table, match)
    gone, moved, unmatched = slow_net(rows, match)
    assert places(netted.pairs) == gone
    told = {row["_row"]: (row["_sale_at"], row["_sale_order"]) for row in netted.moved.to_pyarrow().to_pylist()}
    assert told == moved
    assert places(netted.unmatched) == unmatched
    left = table.anti_join(netted.pairs, "_row")
    after = {row["_row"]: row for row in move(left, netted.moved).to_pyarrow().to_pylist()}
    assert set(after) == {row["_row"] for row in rows} - gone
    for place, row in after.items():
        assert (row["ordered_at"], row["order_id"]) == moved.get(
            place, (rows[place]["ordered_at"], rows[place]["order_id"])
        )
    assert sum(row["amount"] for row in after.values()) == sum(row["amount"] for row in rows)


ORDERS = [
    ("a", "2024-01-05", "o1", "p", 2, "20.00"),
    ("a", "2024-01-09", "o2", "p", 2, "20.00"),
    ("a", "2024-01-12", "r1", "p", -2, "-20.00"),  # cancels the later of the two
    ("a", "2024-02-01", "r2", "p", -1, "-5.00"),  # part of the first
    ("a", "2024-02-02", "r3", "q", -1, "-7.00"),  # of nothing in the data
    ("b", "2024-03-01", "o3", "p", 1, "10.00"),
]


def test_netting_moves_money_to_the_sale_and_loses_none(workbook):
    """By hand: one pair of 40 in gross leaves, 5 moves from 1 February to 5 January, 7 stays on its own day."""
    workbook.write("acme", ORDERS, header=HEADER, cleaning={"returns": {"treat": "net"}})
    client = workbook.open("acme")
    counted = {rule.rule: (rule.rows, rule.money) for rule in client.audit.rules}
    assert counted == {"used": (4, 18.0), "cancelled": (2, 0.0)}
    flags = {flag.what: (flag.rows, flag.customers, flag.money) for flag in client.audit.flags}
    assert flags["redated_return"] == (1, 1, -5.0)
    assert flags["unmatched_return"] == (1, 1, -7.0)
    assert flags["return"] == (3, 1, -32.0)
    used = client.transactions.execute().sort_values("amount")
    assert [(str(r.ordered_on)[:10], r.order_id, float(r.amount), r.is_return) for r in used.itertuples()] == [
        ("2024-02-02", "r3", -7.0, True),
        ("2024-01-05", "o1", -5.0, True),
        ("2024-03-01", "o3", 10.0, False),
        ("2024-01-05", "o1", 20.0, False),
    ]


def test_cancellations_by_pattern_count_whatever_the_rules_do(workbook):
    """What cancels a sale is dropped; an order that was cancelled itself, worth 6, never came about. By hand."""
    rows = [("a", "2024-01-05", "1", "p", 1, "9"), ("a", "2024-01-06", "C2", "p", -1, "-9"),
            ("", "2024-01-07", "C3", "p", -1, "-4"), ("a", "2024-01-08", "C4", "p", 1, "6")]  # fmt: skip
    workbook.write("acme", rows, header=HEADER, cleaning={"returns": {"where": {"order_id": "^C"}, "treat": "drop"}})
    client = workbook.open("acme")
    assert {rule.rule: (rule.rows, rule.money, rule.found) for rule in client.audit.rules} == {
        "used": (1, 9.0, 1),
        "no_customer": (1, -4.0, 1),
        "cancelled_order": (1, 6.0, 1),
        "returned": (1, -9.0, 3),
    }
    (flag,) = [flag for flag in client.audit.flags if flag.what == "cancellation"]
    assert (flag.rows, flag.money) == (3, -7.0)


def test_parts_of_one_sale_give_back_no_more_than_it_was_worth(workbook):
    """By hand: 12 and 8 are the whole of 20; the further 5 has no sale left and stays on its day."""
    rows = [
        ("a", "2024-01-05", "o1", "p", 4, "20.00"),
        ("a", "2024-01-10", "r1", "p", -2, "-12.00"),
        ("a", "2024-01-11", "r2", "p", -2, "-8.00"),
        ("a", "2024-01-12", "r3", "p", -1, "-5.00"),
        ("b", "2024-01-12", "o2", "p", 1, "30.00"),
    ]
    workbook.write("acme", rows, header=HEADER, cleaning={"returns": {"treat": "net"}})
    client = workbook.open("acme")
    flags = {flag.what: (flag.rows, flag.money) for flag in client.audit.flags}
    assert (flags["redated_return"], flags["unmatched_return"]) == ((2, -20.0), (1, -5.0))
    days = client.transactions.execute().groupby("ordered_on").amount.sum()
    assert {str(day)[:10]: float(money) for day, money in days.items()} == {"2024-01-05": 0.0, "2024-01-12": 25.0}


@pytest.mark.parametrize("treat", ["separate", "net", "drop"])
@pytest.mark.parametrize("how", ["pattern", "flag"])
def test_an_order_that_was_cancelled_is_neither_revenue_nor_a_return(workbook, treat, how):
    """By hand: of 10 and 7 the second was cancelled before it came about; b has nothing else."""
    header = ["customer_id", "ordered_at", "order_id", "amount", "status" if how == "pattern" else "is_return"]
    said = {"pattern": ("paid", "Cancelled"), "flag": ("no", "yes")}[how]
    rows = [("a", "2024-01-05", "1", 10, said[0]), ("a", "2024-01-06", "2", 7, said[1]),
            ("b", "2024-01-07", "3", 5, said[1])]  # fmt: skip
    path = workbook.write("acme", rows, header=header)
    columns = {column: column for column in header if column != "status"}
    source = {"transactions": {"path": "data/acme.csv", "columns": columns}}
    returns = {"treat": treat} | ({"where": {"status": "(?i)cancel"}} if how == "pattern" else {})
    path.unlink()
    given = {"title": "A", "currency": "EUR", "as_of": "2024-12-31", "sources": source}
    workbook.write_yaml("acme", {**given, "cleaning": {"returns": returns}})
    client = workbook.open("acme")
    counted = {rule.rule: (rule.rows, rule.customers, rule.money) for rule in client.audit.rules}
    assert counted["used"] == (1, 1, 10.0) and counted["cancelled_order"] == (2, 2, 12.0)
    assert sum(rule.rows for rule in client.audit.rules) == 3
    assert any("2 lines, worth 12.00, are marked as cancelled" in text for text in client.audit.warnings)


def test_matching_by_order_needs_orders(workbook):
    workbook.write("acme", [("a", "2024-01-05", "9")], cleaning={"returns": {"treat": "net", "match": "order"}})
    with pytest.raises(ParameterError, match="order_id"):
        workbook.open("acme")
