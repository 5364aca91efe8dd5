"""Pseudonyms, recomputed with Python's own hmac; the key must be nowhere."""

import hashlib
import hmac

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
