"""Pseudonyms, recomputed with Python's own hmac; the key must be nowhere."""

import hashlib
import hmac

import pandas as pd
import pytest

from perennial.errors import ParameterError
from perennial.tables import pseudonyms

KEY = "correct horse battery staple"
ROWS = [("007", "2024-01-05", 1), ("王芳", "2024-02-05", 2), ("007", "2024-03-05", 4)]


def digest(text, key=KEY):
    return hmac.new(key.encode(), text.encode("utf-8"), hashlib.sha256).hexdigest()[:16]


@pytest.fixture
def client_yaml(workbook):
    workbook.write_csv("people.csv", ["id", "by", "who"], [("007", "王芳", "James"), ("x1", "", "Ann")])
    people = {"path": "data/people.csv", "columns": {"customer_id": "id", "referrer_id": "by", "name": "who"}}
    workbook.write("acme", ROWS, pseudonymise=True, pseudonym_key="ACME_KEY", sources={"customers": people})
    return workbook


def test_ids_become_keyed_digests_in_every_table(client_yaml, monkeypatch):
    monkeypatch.setenv("ACME_KEY", KEY)
    client = client_yaml.open("acme")
    assert client.transactions.customer_id.execute().tolist() == [digest("007"), digest("王芳"), digest("007")]
    people = client.table("customers").execute()
    assert set(people.customer_id) == {digest("007"), digest("x1")}
    assert people.set_index("customer_id").referrer_id.dropna().to_dict() == {digest("007"): digest("王芳")}
    assert "name" not in people.columns
    assert any("'who' (name) looks like personal names: not read" in text for text in client.audit.warnings)
    assert set(client.summary.customer_id.execute()) == {digest("007"), digest("王芳")}


def test_merged_customers_get_the_pseudonym_of_the_id_they_stand_for(client_yaml, monkeypatch):
    """007 was x1 first: orders, the customers' table and who referred whom agree; the table of merges is a workbook."""
    monkeypatch.setenv("ACME_KEY", KEY)
    place = client_yaml.root / "data" / "merge.xlsx"
    pd.DataFrame({"old": ["x1", "王芳"], "new": ["007", "y2"]}).to_excel(place, index=False)
    client_yaml.write_csv("people.csv", ["id", "by", "who"], [("007", "王芳", "James"), ("y2", "x1", "Ann")])
    people = {"path": "data/people.csv", "columns": {"customer_id": "id", "referrer_id": "by", "name": "who"}}
    merge = {"merge_customers": {"path": "data/merge.xlsx", "from": "old", "to": "new"}}
    rows = [*ROWS, ("x1", "2024-04-05", 8)]
    secret = {"pseudonymise": True, "pseudonym_key": "ACME_KEY"}
    client_yaml.write("acme", rows, **secret, sources={"customers": people}, cleaning=merge)
    client = client_yaml.open("acme")
    revenue = client.summary.execute().set_index("customer_id").revenue.astype(float).to_dict()
    assert revenue == {digest("007"): 13.0, digest("y2"): 2.0}
    table = client.table("customers").execute().set_index("customer_id").referrer_id.to_dict()
    assert table == {digest("007"): digest("y2"), digest("y2"): digest("007")}
    made = [path.read_bytes() for path in client.folder.rglob("*") if path.is_file()]
    assert not any(word.encode() in content for content in made for word in ("王芳", "James", KEY))


def test_key_and_ids_are_in_no_file_that_was_made(client_yaml, monkeypatch):
    monkeypatch.setenv("ACME_KEY", KEY)
    client_yaml.open("acme")
    made = [path for path in (client_yaml.root / ".cache").rglob("*") if path.is_file()]
    assert len(made) > 3
    for path in made:
        content = path.read_bytes()
        for word in (KEY, "王芳", "James"):
            assert word.encode() not in content, f"{word} in {path.name}"


@pytest.mark.parametrize(("key", "words"), [(None, "is not set"), ("short secret", "fewer than 16 characters")])
def test_without_a_key_it_says_how_to_set_one_and_shows_none(client_yaml, monkeypatch, key, words):
    monkeypatch.delenv("ACME_KEY", raising=False)
    if key:
        monkeypatch.setenv("ACME_KEY", key)
    with pytest.raises(ParameterError) as caught:
        client_yaml.open("acme")
    assert words in str(caught.value) and "ACME_KEY" in str(caught.value)
    assert "short secret" not in str(caught.value)


def test_fingerprint_tells_keys_apart_and_is_no_part_of_a_key(client_yaml, monkeypatch):
    from perennial.client import read_parameters

    parameters = read_parameters("acme", client_yaml.root)
    seen = set()
    for key in (KEY, KEY + "!"):
        monkeypatch.setenv("ACME_KEY", key)
        seen.add(pseudonyms.key_fingerprint(parameters))
    assert len(seen) == 2 and not any(mark in KEY for mark in seen)
