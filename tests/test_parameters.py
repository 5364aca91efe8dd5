"""A client's YAML: every problem found at once, each a sentence that says what to do."""

import pytest
import yaml

from conftest import REPO
from perennial.client import known_clients, read_parameters
from perennial.errors import ParameterError
from perennial.tables.inputs import input_files, require_files

ORDERS = [("a", "2024-01-01", 10), ("a", "2024-02-01", 12), ("b", "2024-01-05", 8)]


def problems(workbook, name="acme"):
    with pytest.raises(ParameterError) as caught:
        require_files(read_parameters(name, workbook.root), workbook.root)
    return caught.value.problems


def test_shipped_clients_are_valid_and_their_files_are_there():
    assert known_clients(REPO) == ["cdnow", "completejourney", "demo"]
    for name in known_clients(REPO):
        assert input_files(read_parameters(name, REPO), REPO)


def test_misspelt_key_gets_the_nearest_valid_one(workbook):
    workbook.write("acme", ORDERS, currancy="EUR", horizon_month=12)
    found = problems(workbook)
    assert "unknown key 'currancy'; did you mean 'currency'?" in found
    assert "unknown key 'horizon_month'; did you mean 'horizon_months'?" in found


def test_misspelt_keys_deep_inside_name_their_place(workbook):
    workbook.write("acme", ORDERS, churn={"silence_quantil": 0.9}, potential={"cutoffs": {"valu": {}}})
    found = problems(workbook)
    assert "churn: unknown key 'silence_quantil'; did you mean 'silence_quantile'?" in found
    assert "potential.cutoffs: unknown key 'valu'; did you mean 'value'?" in found


def test_misspelt_table_column_and_chapter_are_suggested_together(workbook):
    source = {"path": "data/acme.csv", "columns": {"customer_id": "x"}}
    workbook.write("acme", ORDERS, sources={"contact": source}, chapters=["02_customer_bases"])
    path = workbook.root / "parameters" / "acme.yaml"
    path.write_text(path.read_text().replace("      amount: amount", "      amout: amount"))
    found = "\n".join(problems(workbook))
    assert "sources: unknown key 'contact'; did you mean 'contacts'?" in found
    assert "sources.transactions.columns: unknown key 'amout'; did you mean 'amount'?" in found
    assert "sources.transactions.columns lacks 'amount'" in found
    assert "chapters: unknown key '02_customer_bases'; did you mean '02_customer_base'?" in found


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("as_of", "2024-02-30", "as_of: input should be a valid date"),
        ("currency", "euro", "currency: string should match pattern"),
        ("gross_margin", 1.4, "gross_margin: input should be less than or equal to 1"),
        ("discount_rate", -0.1, "discount_rate: input should be greater than or equal to 0"),
        ("horizon_months", 0, "horizon_months: input should be greater than or equal to 1"),
        ("holdout_days", 3, "holdout_days: input should be greater than or equal to 14"),
        ("cohort_period", "fortnight", "cohort_period: input should be 'week', 'month' or 'quarter'"),
        ("minimum_group", 0, "minimum_group: input should be greater than or equal to 1"),
        ("interval", 1.0, "interval: input should be less than 1"),
    ],
)
def test_impossible_values_are_named_with_what_was_found(workbook, key, value, words):
    workbook.write("acme", ORDERS, **{key: value})
    (found,) = problems(workbook)
    assert found.startswith(words)
    assert "found" in found


def test_all_problems_come_at_once(workbook):
    workbook.write("acme", ORDERS, gross_margin=2, currency="x", titel="?")
    assert len(problems(workbook)) == 3


def test_potential_weights_must_be_complete_and_sum_to_one(workbook):
    workbook.write("acme", ORDERS, potential={"weights": {"wallet": 0.5, "cross_by": 0.5}})
    (found,) = problems(workbook)
    assert "did you mean 'cross_buy'?" in found
    assert "lacks 'lifecycle'" in found
    workbook.write(
        "acme",
        ORDERS,
        potential={"weights": {"wallet": 0.5, "cross_buy": 0.5, "engagement": 0.5, "lifecycle": 0}},
    )
    (found,) = problems(workbook)
    assert "must sum to 1, not to 1.5" in found


def test_secret_in_yaml_is_refused_without_being_repeated(workbook):
    workbook.write("acme", ORDERS, scope="postgresql://bob:hunter2@db/sales")
    (found,) = problems(workbook)
    assert "environment variable" in found
    assert "hunter2" not in found


def test_missing_and_empty_files_are_all_named_with_the_nearest(workbook):
    workbook.write("acme", ORDERS)
    workbook.write_csv("orders_2024.csv", ["x"], [])
    (workbook.root / "data" / "void.csv").write_text("")
    content = yaml.safe_load((workbook.root / "parameters" / "acme.yaml").read_text())
    content["sources"]["transactions"]["path"] = "data/orders_2042.csv"
    content["sources"]["customers"] = {"path": "data/void.csv", "columns": {"customer_id": "x"}}
    workbook.write_yaml("acme", content)
    second, first = sorted(problems(workbook))
    assert "no file 'data/orders_2042.csv'; did you mean 'orders_2024.csv'?" in first
    assert "the file 'data/void.csv' is empty" in second


def test_key_given_twice_and_broken_yaml_are_said(workbook):
    workbook.write_yaml("acme", "title: A\ntitle: B\n")
    assert "'title' stands twice" in problems(workbook)[0]
    workbook.write_yaml("acme", "title: [A\n")
    assert "not valid YAML" in problems(workbook)[0]
    workbook.write_yaml("acme", "")
    assert "holds no parameters" in problems(workbook)[0]


def test_unknown_client_gets_the_nearest(workbook):
    workbook.write("acme", ORDERS)
    assert "did you mean 'acme'?" in problems(workbook, "acm")[0]
    assert "lower-case" in problems(workbook, "../acme")[0]
