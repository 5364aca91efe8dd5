"""Customer ids replaced by keyed digests: the same id gives the same pseudonym in every table and every run.

HMAC-SHA256 (RFC 2104) under a key that stands in an environment variable and nowhere else: without it nobody can
tell whose pseudonym one is, not even by trying all ids.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.errors import InputError, ParameterError
from perennial.parameters import Parameters

IDS = ("customer_id", "referrer_id")  # the columns that hold a customer's id, in any table
DIGITS = 16
SHORTEST_KEY = 16


def read_key(parameters: Parameters) -> bytes:
    """The secret key.

    Raises
    ------
    ParameterError
        When its variable is not set or holds fewer than 16 characters; the key itself is never shown.
    """
    name = parameters.pseudonym_key
    key = os.environ.get(name, "")
    if len(key) < SHORTEST_KEY:
        problem = f"holds fewer than {SHORTEST_KEY} characters" if key else "is not set"
        raise ParameterError(
            f"{parameters.client}.yaml asks for pseudonyms, but the environment variable {name} {problem}:",
            [
                f"set it to a secret of at least {SHORTEST_KEY} characters, such as the output of "
                "`openssl rand -hex 32`, and keep it: another key gives other pseudonyms"
            ],
        )
    return key.encode()


def key_fingerprint(parameters: Parameters) -> str:
    """Sixteen digits that change with the key and do not tell it; empty where ids are not replaced."""
    return _digest(read_key(parameters), "perennial: which key") if parameters.pseudonymise else ""


def pseudonyms(ids: Iterable[str], key: bytes) -> dict[str, str]:
    """Id → the first 16 hexadecimal digits of its keyed digest.

    Raises
    ------
    InputError
        When two ids would get the same one: 1 chance in 37 million for a million customers.
    """
    found = {name: _digest(key, name) for name in ids}
    if len(set(found.values())) < len(found):
        raise InputError("two customers would get the same pseudonym under this key: use another key")
    return found


def pseudonymise(con: Backend, rows: ir.Table, key: bytes) -> ir.Table:
    """Rows with every customer's id replaced; a missing id stays missing."""
    for number, column in enumerate(name for name in IDS if name in rows.columns):
        ids = rows.select(column).distinct().filter(lambda t, c=column: t[c].notnull()).to_pyarrow()[column].to_pylist()
        pairs = list(pseudonyms(ids, key).items())
        small = ibis.memtable(pairs, schema={"_id": "string", "_pseudonym": "string"})
        small = con.create_table(f"pseudonyms_{number}", small, temp=True, overwrite=True)
        joined = rows.left_join(small, rows[column] == small._id)
        kept = [small._pseudonym.name(column) if name == column else rows[name] for name in rows.columns]
        rows = joined.select(*kept)
    return rows


def _digest(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:DIGITS]
