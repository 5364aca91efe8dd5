"""From files to canonical tables: rules counted and reconciled, bad input said in a sentence, caches trusted."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.errors import InputError, MissingTableError

ORDERS = [("a", "2024-01-01", "10.00"), ("a", "2024-02-01", "12.50"), ("b", "2024-01-05", "8.00")]


def rules(client, table="transactions"):
    return {rule.rule: (rule.rows, rule.money) for rule in client.audit.rules_of(table)}


def test_every_rule_is_counted_in_rows_and_money(workbook):
    """One planted row per rule; the first rule that applies takes the row."""
    planted = [
        ("", "2024-03-01", "3.00"),
        ("c", "soon", "4.00"),
        ("c", "", "5.00"),
        ("c", "2024-03-01", "lots"),
        ("a", "2025-01-01", "6.00"),
        ("a", "2024-02-01", "12.50"),
        ("a", "2024-04-01", "0"),
        ("d", "2024-04-01", "-7.00"),
        ("b", "2024-04-01", "-1.00"),
    ]
    cleaning = {"exact_duplicates": "drop", "zero_amounts": "drop", "rejects": {"allow": True}}
    workbook.write("acme", ORDERS + planted, cleaning=cleaning)
    client = workbook.open("acme")
    assert rules(client) == {
        "used": (4, 29.5),
        "no_customer": (1, 3.0),
        "bad_date": (2, 9.0),
        "bad_amount": (1, 0.0),
        "after_as_of": (1, 6.0),
        "exact_duplicate": (1, 12.5),
        "zero_amount": (1, 0.0),
        "only_returns": (1, -7.0),
    }
    assert client.summary.revenue.sum().execute() == pytest.approx(29.5)


cell = st.sampled_from(["", "x", "-3.10", "0", "2.25", "1e2", "9.99"])
day = st.sampled_from(["", "2024-01-01", "2024-06-30", "2025-06-30", "nonsense", "2024-02-30"])


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), day, cell), max_size=25),
    st.sampled_from(["keep", "drop"]),
    st.sampled_from(["keep", "drop"]),
    st.sampled_from(["separate", "drop"]),
)
def test_rules_reconcile_raw_to_used_for_any_file(tmp_path_factory, rows, duplicates, zeros, negatives):
    from conftest import Workbook

    workbook = Workbook(tmp_path_factory.mktemp("w"))
    choice = {"exact_duplicates": duplicates, "zero_amounts": zeros, "returns": {"treat": negatives}}
    choice["rejects"] = {"allow": True}
    workbook.write("acme", [*ORDERS, *rows], cleaning=choice)
    client = workbook.open("acme")
    found = rules(client)
    numbers = [float(a) for _, _, a in [*ORDERS, *rows] if a not in ("", "x")]
    assert sum(count for count, _ in found.values()) == len(rows) + 3
    assert sum(money for _, money in found.values()) == pytest.approx(sum(numbers), abs=0.005)
    used = client.transactions.aggregate(n=lambda t: t.count(), money=lambda t: t.amount.sum()).execute()
    assert (used.n[0], float(used.money[0])) == pytest.approx(found["used"], abs=1e-6)
    assert float(client.summary.revenue.sum().execute()) == pytest.approx(found["used"][1], abs=1e-6)


def test_complete_journey_counts_match_the_published_ones(shipped):
    """1 469 307 lines, 2 469 households (completejourney documentation); 534 lines are stamped 2018-01-01."""
    client = shipped("completejourney")
    facts = client.audit.rows("transactions")
    assert (facts.raw_rows, facts.customers) == (1469307, 2469)
    assert rules(client)["after_as_of"][0] == 534
    assert client.summary.count().execute() == 2469
    assert client.transactions.category.nunique().execute() > 20
    assert client.table("customers").count().execute() == 801


def test_ids_keep_their_zeros_and_names_like_na_stay(workbook):
    workbook.write("acme", [("007", "2024-01-01", 1), ("NA", "2024-01-02", 2), ("3E5", "2024-01-03", 3)])
    assert set(workbook.open("acme").summary.customer_id.execute()) == {"007", "NA", "3E5"}


def test_declared_date_format_is_used(workbook):
    path = workbook.write("acme", [("a", "05/02/2024", 1), ("a", "31/12/2023", 2)])
    path.write_text(
        path.read_text().replace("ordered_at: ordered_at", "ordered_at: {from: ordered_at, format: '%d/%m/%Y'}")
    )
    (row,) = workbook.open("acme").summary.execute().to_dict("records")
    assert (str(row["first_on"])[:10], row["recency"]) == ("2023-12-31", 36)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], ["acme, transactions", "a header but no rows"]),
        ([("a", "2025-02-01", 5)], ["no usable order line is left", "1 × rows dated after", "as_of is 2024-12-31"]),
        ([("a", "01.02.2024", 5)], ["such as '01.02.2024'", "declare format"]),
        ([("a", "2024-02-01", "")], ["1 × lines whose amount is missing", "sources.transactions.columns.amount"]),
        ([("a", "2024-02-01", -5), ("b", "2024-02-01", -1)], ["returns of customers with no purchase", "needs sales"]),
        ([("", "2024-02-01", 5)], ["lines without a customer", "sources.transactions"]),
    ],
)
def test_files_without_a_usable_order_say_why_and_what_to_do(workbook, rows, words):
    workbook.write("acme", rows)
    with pytest.raises(InputError) as caught:
        workbook.open("acme")
    for word in words:
        assert word in str(caught.value)


def test_zero_amounts_only_are_refused_where_they_are_dropped(workbook):
    workbook.write("acme", [("a", "2024-02-01", 0)], cleaning={"zero_amounts": "drop"})
    with pytest.raises(InputError, match="sales above zero"):
        workbook.open("acme")


def test_missing_columns_are_all_named_with_the_nearest(workbook):
    path = workbook.write("acme", ORDERS)
    text = (
        path.read_text()
        .replace("amount: amount", "amount: amout")
        .replace("customer_id: customer_id", "customer_id: kunde")
    )
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        workbook.open("acme")
    assert "has no column 'amout'; did you mean 'amount'?" in str(caught.value)
    assert "has no column 'kunde'; it has: customer_id, ordered_at, amount" in str(caught.value)


def test_binary_file_is_refused_in_words(workbook):
    workbook.write("acme", ORDERS)
    (workbook.root / "data" / "acme.csv").write_bytes(b"PAR1\x00\xff\xfe" * 50)
    with pytest.raises(InputError, match="acme, transactions"):
        workbook.open("acme")


def test_repeated_customer_ids_are_counted_once_and_warned_of(workbook):
    source = {"path": "data/people.csv", "columns": {"customer_id": "id", "segment": "seg"}}
    workbook.write_csv("people.csv", ["id", "seg"], [("a", "x"), ("a", "y"), ("b", "x"), ("z", "x")])
    workbook.write("acme", ORDERS, sources={"customers": source})
    client = workbook.open("acme")
    assert rules(client, "customers")["repeated_id"][0] == 1
    assert client.table("customers").count().execute() == 3
    assert "customers: 1 rows repeat an id; the first row of each was kept" in client.audit.warnings
    assert "customers: 1 of 3 customers have no order" in client.audit.warnings


def test_lookup_that_would_repeat_rows_is_refused(workbook):
    path = workbook.write("acme", [(*row, "p1") for row in ORDERS], header=["customer_id", "ordered_at", "amount", "p"])
    workbook.write_csv("products.csv", ["p", "kind"], [("p1", "x"), ("p1", "y")])
    text = path.read_text().replace("      p: p\n", "      category: kind\n")
    path.write_text(
        text.replace("    path: data/acme.csv", "    path: data/acme.csv\n    lookup: {path: data/products.csv, by: p}")
    )
    with pytest.raises(InputError, match="1 values of 'p' more than once"):
        workbook.open("acme")


def test_absent_table_says_what_it_would_unlock(workbook):
    workbook.write("acme", ORDERS)
    client = workbook.open("acme")
    with pytest.raises(MissingTableError, match="engagement look"):
        client.table("interactions")
    assert "interactions" in client.audit.absent


def test_cache_is_reused_and_made_again_when_an_input_or_rule_changes(workbook):
    path = workbook.write("acme", ORDERS)
    first = workbook.open("acme").folder
    stamp = (first / "transactions.parquet").stat().st_mtime_ns
    assert workbook.open("acme").folder == first
    assert (first / "transactions.parquet").stat().st_mtime_ns == stamp
    path.write_text(path.read_text() + "cleaning: {zero_amounts: drop}\n")
    second = workbook.open("acme").folder
    assert second != first
    (workbook.root / "data" / "acme.csv").open("a").write("b,2024-05-05,3\n")
    assert workbook.open("acme").folder not in (first, second)


def test_failed_preparation_leaves_nothing_behind_and_inputs_are_untouched(workbook):
    workbook.write("acme", [("a", "x", 1)])
    file = workbook.root / "data" / "acme.csv"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(InputError):
        workbook.open("acme")
    home = workbook.root / ".cache" / "acme"
    assert [p for p in home.iterdir() if p.is_dir()] == []
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


def test_duplicates_that_are_kept_are_counted_with_their_money(shipped):
    """255 lines of the CDNOW master file equal an earlier one (counted independently with ``sort | uniq -d``)."""
    (flag,) = [flag for flag in shipped("cdnow").audit.flags if flag.what == "exact_duplicate"]
    assert (flag.rows, flag.money) == (255, 4332.88)
