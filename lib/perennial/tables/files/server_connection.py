"""Connections to PostgreSQL and MySQL, named by an environment variable; nothing of the URI ever leaves this module.

Drivers quote user, host and database in their errors, and a traceback's context keeps the originals: so every failure
is sorted into one of our own sentences first, and raised outside of the ``except`` that caught it.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis
import ibis.common.exceptions as ibis_errors
import ibis.expr.types as ir
from ibis.backends.sql import SQLBackend

from perennial.tables.files.nearest import nearest_of
from perennial.tables.files.request import Request

_SECONDS = 15  # to wait for a server that does not answer
_EXAMPLE = "postgresql://user:password@host:5432/database"
_POSTGRES = ("postgresql", "postgres")
NOT_ALLOWED = "may not be read by the user in the URI: grant SELECT on it"
_MYSQL = ("mysql", "mariadb")


@contextmanager
def connect(request: Request) -> Iterator[SQLBackend]:
    """A connection that only reads, by the URI in the variable that ``source.database`` names; closed afterwards.

    Raises
    ------
    InputError
        When the variable is not set, holds no usable URI, or the server cannot be reached or refuses.
    """
    variable = request.source.database
    assert variable is not None
    uri = os.environ.get(variable, "").strip()
    if not uri:
        raise request.error(
            f"the environment variable {variable} is not set; set it to the database's URI, such as {_EXAMPLE}"
        )
    kind, parts = _split(uri)
    if kind is None:
        raise request.error(
            f"the environment variable {variable} holds no URI of a PostgreSQL or MySQL database; it should look like "
            f"{_EXAMPLE}, with characters such as @ / # in the password written as %40 %2F %23"
        )
    backend, problem = _try_to_connect(kind, parts)
    if backend is None:
        raise request.error(f"the database in {variable} cannot be used: {problem}")
    try:
        yield backend
    finally:
        backend.disconnect()


def open_table(request: Request, backend: SQLBackend) -> ir.Table:
    """The declared table or view; ``schema.table`` where it does not lie in the connection's own schema."""
    name = request.source.table or ""
    schema, _, plain = name.rpartition(".")
    try:
        return backend.table(plain, database=schema or None)
    except Exception as error:
        missing = isinstance(error, ibis_errors.TableNotFound)
    have = [] if not missing else _tables(backend, schema)
    if not missing or name in have:  # it is there, but not for this user
        raise request.error(f"the table '{name}' {NOT_ALLOWED}")
    raise request.error(f"the database in {request.source.database} has no table '{name}'; {nearest_of(name, have)}")


def is_mysql(backend: SQLBackend) -> bool:
    """Whether the server speaks MySQL's dialect, as MariaDB does too."""
    return backend.name == "mysql"


def _split(uri: str) -> tuple[str | None, dict[str, Any]]:
    """The kind of server and its connection's parts, each decoded; no kind where the URI is none."""
    try:
        parts = urlsplit(uri)
        found: dict[str, Any] = {
            "host": parts.hostname,
            "port": parts.port,
            "user": unquote(parts.username or "") or None,
            "password": unquote(parts.password or "") or None,
            "database": unquote(parts.path.strip("/")) or None,
        }
    except ValueError:
        return None, {}
    if "@" in parts.path + parts.query or parts.fragment:  # of a password with a bare / ? or # in it
        return None, {}
    scheme = parts.scheme.split("+")[0].lower()
    kind = "postgres" if scheme in _POSTGRES else "mysql" if scheme in _MYSQL else None
    found = {key: value for key, value in found.items() if value is not None} | dict(parse_qsl(parts.query))
    return (kind, found) if "database" in found else (None, {})


def _try_to_connect(kind: str, parts: dict[str, Any]) -> tuple[SQLBackend | None, str]:
    """A backend, or what is wrong in words of ours."""
    try:
        if kind == "postgres":
            read_only = "-c default_transaction_read_only=on"
            return ibis.postgres.connect(**{"connect_timeout": _SECONDS, "options": read_only, **parts}), ""
        return _connect_mysql({"connect_timeout": _SECONDS, "charset": "utf8mb4", **parts}), ""
    except Exception as error:
        return None, _reason(error)


def _connect_mysql(parts: dict[str, Any]) -> SQLBackend:
    import pymysql

    pymysql.install_as_MySQLdb()  # Ibis asks for a driver by this name, which needs a compiler to install
    with warnings.catch_warnings(action="ignore"):  # that it could not set the time zone by name
        backend = ibis.mysql.connect(**parts)
    with backend.begin() as cursor:
        cursor.execute("SET @@session.time_zone = '+00:00'")  # by its name only where zones are installed
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
    return backend


_MYSQL_REASONS = {1045: "login", 1044: "database", 1049: "database", 2002: "reach", 2003: "reach", 2005: "reach"}
_POSTGRES_REASONS = {  # libpq gives no code before a session stands
    "password authentication failed": "login",
    "no password supplied": "login",
    "no pg_hba.conf entry": "host",
    "role ": "login",
    "database ": "database",
    "connection refused": "reach",
    "could not translate host name": "reach",
    "failed to resolve host": "reach",
    "timeout": "reach",
    "no such file": "reach",
    "unreachable": "reach",
}
_REASONS = {
    "login": "the server refused the login: check user and password in it",
    "database": "the server has no database of that name for this user: check the end of the URI",
    "host": "the server accepts no login from this machine: ask its administrator",
    "reach": "the server cannot be reached: check host and port in it, and the network or VPN",
    "": "the connection failed: check the URI with the server's administrator",
}


def _reason(error: Exception) -> str:
    code = error.args[0] if error.args else None
    if isinstance(code, int):
        return _REASONS[_MYSQL_REASONS.get(code, "")]
    words = str(error).lower()
    return _REASONS[next((reason for mark, reason in _POSTGRES_REASONS.items() if mark in words), "")]


def _tables(backend: SQLBackend, schema: str) -> list[str]:
    """The tables of a schema, or of every schema: those of the connection's own by their plain names."""
    try:
        if schema:
            return sorted(f"{schema}.{table}" for table in backend.list_tables(database=schema))
        own = backend.current_database
        others = [
            name
            for name in backend.list_databases()
            if name != own and not name.startswith("pg_") and name not in _SYSTEM
        ]
        found = sorted(backend.list_tables())
        return found + [f"{other}.{table}" for other in others for table in sorted(backend.list_tables(database=other))]
    except Exception:  # the list is a courtesy; a user who may not see it still gets the sentence
        return []


_SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
