"""Tables of real PostgreSQL and MariaDB servers: copied exactly, and nothing of the URI is left anywhere."""

import datetime as dt
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pymysql
import pytest

import servers
from perennial.errors import InputError
from perennial.onboard.draft import Facts
from perennial.onboard.new import write_client
from perennial.onboard.questions import Answers
from perennial.parameter_file import load_parameters
from perennial.parameters import Parameters
from perennial.tables import engine
from perennial.tables.files import parquet
from perennial.tables.files import server as reader
from perennial.tables.files.request import Request
from servers import Server

VARIABLE = "SHOP_URI"
COLUMNS = {"customer_id": "customer", "ordered_at": "ordered_at", "amount": "amount"}
ORDERS = [(f"{n % 40:05d}", dt.datetime(2024, n % 12 + 1, 9, 23, 59, 1), f"{n * 0.25:.2f}") for n in range(1200)]


def skip_unless(*programs: str) -> None:
    missing = [program for program in programs if servers.find_program(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: no real server to test against")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    skip_unless("initdb", "pg_ctl")
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Server]:
    skip_unless("mariadb-install-db", "mariadbd")
    with servers.mariadb() as server:
        yield server


@pytest.fixture(params=["postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator["Shop"]:
    """A database of orders, made anew for the test, its URI in the environment."""
    shop = Shop(request.getfixturevalue(request.param))
    shop.drop()
    shop.execute_at(shop.server.kind, "CREATE DATABASE shop")
    shop.execute("CREATE TABLE orders (customer VARCHAR(20), ordered_at TIMESTAMP, amount NUMERIC(12,2), phone TEXT)")
    shop.insert("orders", [(*order, "0171 9283746") for order in ORDERS])
    monkeypatch.setenv(VARIABLE, shop.server.uri("shop"))
    yield shop
    shop.drop()


class Shop:
    """A database on a server, and how to write to it."""

    def __init__(self, server: Server):
        self.server = server

    def connect(self, database: str) -> Any:
        login = {"host": "127.0.0.1", "port": self.server.port, "user": self.server.user}
        if self.server.kind == "mysql":
            database = "" if database == "mysql" else database
            return pymysql.connect(**login, password=self.server.password, database=database or None, autocommit=True)
        database = "postgres" if database == "postgresql" else database
        return psycopg.connect(**login, password=self.server.password, dbname=database, autocommit=True)

    def execute(self, *statements: str) -> None:
        self.execute_at("shop", *statements)

    def execute_at(self, database: str, *statements: str) -> None:
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        with closing(self.connect("shop")) as connection, connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)

    def drop(self) -> None:
        if self.server.kind == "mysql":
            self.execute_at("mysql", "DROP DATABASE IF EXISTS shop", "DROP DATABASE IF EXISTS archive")
            self.execute_at("mysql", "DROP USER IF EXISTS clerk")
        else:
            self.execute_at("postgresql", "DROP DATABASE IF EXISTS shop WITH (FORCE)", "DROP ROLE IF EXISTS clerk")


def parameters(table: str = "orders", columns: dict[str, str] | None = None, **more: Any) -> Parameters:
    source = {"database": VARIABLE, "table": table, "columns": columns or COLUMNS}
    given = {"client": "shop", "title": "Shop", "currency": "EUR", "as_of": "2025-01-01", **more}
    return Parameters.model_validate({**given, "sources": {"transactions": source}})


def take(root: Path, refresh: bool = True, **declared: Any) -> reader.Snapshot:
    return reader.snapshot(parameters(**declared), "transactions", root, refresh)


def refusal(root: Path, capture: pytest.CaptureFixture[str], **declared: Any) -> str:
    with pytest.raises(InputError) as caught:
        take(root, **declared)
    error = caught.value
    assert error.__context__ is None, "the driver's error, which quotes the URI, must not travel along"
    folder = root / ".cache/.snapshots/shop"
    assert [path.name for path in folder.glob("*") if path.suffix != ".lock"] == [], "nothing half-written"
    said = str(error)
    assert said.startswith("shop, transactions:")
    shown = said + "".join(capture.readouterr())
    assert not any(secret in shown for secret in ("ecret", "pa%40ss", "127.0.0.1", "perennial:"))
    return said


def test_a_table_is_copied_exactly_and_read_from_the_copy(shop: Shop, tmp_path: Path) -> None:
    taken = take(tmp_path)
    declared = parameters()
    source = declared.sources["transactions"]
    request = Request(engine.connect(), "shop", "transactions", source, tmp_path, tmp_path)
    raw = parquet.read(request, [reader.place(request)], None)
    assert [file.name for file in raw.files] == ["orders (SHOP_URI)"]
    rows = raw.rows.to_pyarrow().to_pylist()
    assert taken.rows == len(rows) == 1200
    got = [(r["customer"], str(r["ordered_at"])[:19], str(r["amount"])) for r in rows]
    assert sorted(got) == sorted((customer, str(moment), amount) for customer, moment, amount in ORDERS)


def test_only_used_columns_are_copied_and_only_their_owner_may_read_them(shop: Shop, tmp_path: Path) -> None:
    path = take(tmp_path).path
    assert pq.read_schema(path).names == ["customer", "ordered_at", "amount", "line_digest"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    searched = take(tmp_path, cleaning={"test_orders": {"phone": "^0000"}, "guests": {"customer_id": "^0$"}}).path
    assert pq.read_schema(searched).names == ["customer", "ordered_at", "amount", "phone", "line_digest"]


def test_lines_that_differ_only_in_a_column_not_copied_are_told_apart(shop: Shop, tmp_path: Path) -> None:
    shop.insert("orders", [(*ORDERS[0], "0999"), (*ORDERS[1], "0171 9283746")])
    digests = pq.read_table(take(tmp_path).path)["line_digest"].to_pylist()
    assert len(digests) == 1202
    assert len(set(digests)) == 1201  # the second is an exact duplicate, the first has another telephone


def test_no_server_is_asked_again_until_the_next_run(shop: Shop, tmp_path: Path, monkeypatch: Any) -> None:
    first = take(tmp_path, refresh=False)
    shop.execute("DELETE FROM orders WHERE amount > 5")
    monkeypatch.delenv(VARIABLE)
    assert take(tmp_path, refresh=False) == first
    monkeypatch.setenv(VARIABLE, shop.server.uri("shop"))
    fresh = take(tmp_path)
    assert fresh.rows < first.rows
    assert fresh.sha256 != first.sha256


def test_equal_content_in_another_order_has_the_same_digest_and_keeps_its_copy(shop: Shop, tmp_path: Path) -> None:
    first = take(tmp_path)
    before = first.path.stat().st_mtime_ns
    shop.execute("CREATE TABLE sorted AS SELECT * FROM orders ORDER BY amount DESC", "DROP TABLE orders")
    shop.execute("ALTER TABLE sorted RENAME TO orders")
    again = take(tmp_path)
    assert again.sha256 == first.sha256
    assert again.path.stat().st_mtime_ns == before
    shop.execute("UPDATE orders SET amount = amount + 1 WHERE amount = 7")
    assert take(tmp_path).sha256 != first.sha256


def test_a_copy_for_other_columns_is_taken_anew(shop: Shop, tmp_path: Path) -> None:
    take(tmp_path)
    taken = take(tmp_path, refresh=False, columns={**COLUMNS, "channel": "phone"})
    assert "phone" in pq.read_schema(taken.path).names


def test_views_and_other_schemas_are_read(shop: Shop, tmp_path: Path) -> None:
    create = "CREATE DATABASE archive" if shop.server.kind == "mysql" else "CREATE SCHEMA archive"
    shop.execute(create, "CREATE VIEW archive.old AS SELECT * FROM orders WHERE amount < 1")
    assert take(tmp_path, table="archive.old").rows == 4


def test_the_server_cannot_be_written_to(shop: Shop, tmp_path: Path, monkeypatch: Any) -> None:
    from perennial.tables.files.server_connection import connect

    source = parameters().sources["transactions"]
    request = Request(engine.connect(), "shop", "transactions", source, tmp_path, tmp_path)
    refusals = (psycopg.errors.ReadOnlySqlTransaction, pymysql.err.OperationalError)
    with connect(request) as backend, pytest.raises(refusals):
        backend.raw_sql("DELETE FROM orders").close()


def test_types_without_a_counterpart_become_the_servers_text(
    postgresql: Server, tmp_path: Path, monkeypatch: Any
) -> None:
    shop = Shop(postgresql)
    shop.drop()
    shop.execute_at("postgresql", "CREATE DATABASE shop")
    shop.execute(
        "CREATE TYPE colour AS ENUM ('red', 'blue')",
        "CREATE TABLE odd (customer uuid, ordered_at timestamptz, amount numeric, a jsonb, b text[], c inet, d colour,"
        " e interval, f bytea, g time, h boolean, i date, j real, k money, l text)",
        "INSERT INTO odd VALUES ('00000000-0000-0000-0000-000000000007', '2024-01-31 23:30:00+02', 12.345678901234567,"
        """ '{"x": 1}', '{p,q}', '10.0.0.1', 'blue', '1 day', '\\x00ff', '12:30', true, '2024-02-29', 1.5, 9.5,"""
        " '张伟')",
        "INSERT INTO odd (amount) VALUES ('NaN')",
    )
    monkeypatch.setenv(VARIABLE, postgresql.uri("shop"))
    names = "abcdefghijkl"
    searched = {"test_orders": dict.fromkeys(names, "never")}
    first, second = pq.read_table(take(tmp_path, table="odd", cleaning=searched).path).to_pylist()
    assert first.pop("line_digest") != second.pop("line_digest")
    assert first["ordered_at"] == dt.datetime(2024, 1, 31, 21, 30, tzinfo=dt.UTC)
    assert (first["customer"][-1], first["amount"], second["amount"]) == ("7", "12.345678901234567", "NaN")
    assert [first[name] for name in "abcdeg"] == ['{"x": 1}', "{p,q}", "10.0.0.1/32", "blue", "1 day", "12:30:00"]
    assert [first[name] for name in "hijkl"] == [True, dt.date(2024, 2, 29), 1.5, "$9.50", "张伟"]
    shop.execute("INSERT INTO odd (ordered_at) VALUES ('infinity')")
    with pytest.raises(InputError, match="the table 'odd' holds a value outside of its column's type"):
        take(tmp_path, table="odd", cleaning=searched)
    shop.drop()


def test_impossible_dates_of_mysql_stay_visible(mariadb: Server, tmp_path: Path, monkeypatch: Any) -> None:
    shop = Shop(mariadb)
    shop.drop()
    shop.execute_at("mysql", "CREATE DATABASE shop")
    shop.execute("CREATE TABLE orders (customer INT, ordered_at DATETIME, amount DOUBLE, paid BOOLEAN)")
    shop.execute("INSERT INTO orders VALUES (1, '2024-01-31 12:00:00', 2.5, TRUE), (2, '2024-02-01', NULL, NULL)")
    shop.execute("SET sql_mode = ''", "INSERT INTO orders VALUES (3, '0000-00-00', 1, FALSE)")
    monkeypatch.setenv(VARIABLE, mariadb.uri("shop"))
    rows = pq.read_table(take(tmp_path, columns={**COLUMNS, "is_return": "paid"}).path).to_pylist()
    assert [row["ordered_at"] for row in rows] == ["2024-01-31 12:00:00", "2024-02-01 00:00:00", "0000-00-00 00:00:00"]
    assert [(row["customer"], row["amount"], row["paid"]) for row in rows] == [(1, 2.5, 1), (2, None, None), (3, 1, 0)]
    shop.drop()


def test_every_failure_is_a_sentence_without_the_uri(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    server = shop.server

    def said(uri: str = server.uri("shop"), **declared: Any) -> str:
        monkeypatch.setenv(VARIABLE, uri)
        return refusal(tmp_path, capfd, **declared)

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unreachable = said(server.uri("shop", port=closed.getsockname()[1]))
    assert "the database in SHOP_URI cannot be used: the server cannot be reached: check host and port" in unreachable
    assert "refused the login: check user and password" in said(server.uri("shop", password="wr0ng-5ecret"))
    assert "no database of that name" in said(server.uri("nowhere"))
    missing = said(table="ordes")
    assert "the database in SHOP_URI has no table 'ordes'; did you mean 'orders'? It has: orders" in missing
    assert "has no table 'nowhere.orders'" in said(table="nowhere.orders")
    lacking = said(columns={**COLUMNS, "amount": "amont"})
    assert "'orders' has no column 'amont'; did you mean 'amount'?" in lacking
    shop.execute("CREATE TABLE empty AS SELECT * FROM orders WHERE amount < 0")
    assert "the table 'empty' has no rows" in said(table="empty")


@pytest.mark.parametrize(
    "uri", ["oracle://u:5ecret@127.0.0.1/x", "postgresql://u:5e@c/ret@127.0.0.1:a/x", "5ecret", "mysql://127.0.0.1"]
)
def test_a_variable_that_holds_no_uri_is_not_shown(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, uri)
    said = refusal(tmp_path, capfd)
    assert "the environment variable SHOP_URI holds no URI of a PostgreSQL or MySQL database" in said
    assert "written as %40 %2F %23" in said
    monkeypatch.delenv(VARIABLE)
    assert "the environment variable SHOP_URI is not set" in refusal(tmp_path, capfd)


def test_a_user_without_the_right_to_read_is_told_so(
    shop: Shop, tmp_path: Path, monkeypatch: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    if shop.server.kind == "mysql":
        shop.execute(f"CREATE USER clerk IDENTIFIED BY '{servers.PASSWORD}'", "CREATE TABLE other (a INT)")
        shop.execute("GRANT SELECT ON shop.other TO clerk")
    else:
        shop.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{servers.PASSWORD}'")
    monkeypatch.setenv(VARIABLE, shop.server.uri("shop", user="clerk"))
    assert "the table 'orders' may not be read by the user in the URI: grant SELECT on it" in refusal(tmp_path, capfd)


def test_nothing_of_the_uri_is_left_in_the_workbook(
    shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    take(tmp_path)
    for uri in [shop.server.uri("shop", password="wr0ng-5ecret"), shop.server.uri("nowhere")]:
        monkeypatch.setenv(VARIABLE, uri)
        with pytest.raises(InputError):
            take(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    secrets = [b"ecret", b"pa%40ss", b"pa@ss", b"127.0.0.1", b"9283746"]
    assert [(path, word) for path in files for word in secrets if word in path.read_bytes()] == []
    assert "ecret" not in "".join(capfd.readouterr())


def test_a_client_on_a_server_is_opened_like_one_on_files(shop: Shop, workbook: Any, monkeypatch: Any) -> None:
    workbook.write_yaml("shop", parameters().model_dump(mode="json", exclude_defaults=True, by_alias=True))
    lines = [(customer, moment.isoformat(" "), amount) for customer, moment, amount in ORDERS]
    workbook.write("files", lines, as_of="2025-01-01")
    at_server, from_files = (workbook.open(name).transactions.to_pyarrow() for name in ("shop", "files"))
    assert at_server.num_rows == from_files.num_rows == 1200
    unread = [(column.column, column.file) for column in workbook.open("shop").audit.unused]
    assert unread == [("phone", "orders (SHOP_URI)")], "known by name, though it is not copied"
    keys = [("customer_id", "ascending"), ("ordered_at", "ascending"), ("amount", "ascending")]
    columns = [name for name, _ in keys]
    assert at_server.sort_by(keys).select(columns).equals(from_files.sort_by(keys).select(columns))
    monkeypatch.delenv(VARIABLE)  # a chapter's kernel reads the copy and knows no URI
    assert workbook.open("shop").transactions.count().execute() == 1200
    shown = [path for path in workbook.root.rglob("*") if path.is_file() and b"ecret" in path.read_bytes()]
    assert shown == []


def test_new_looks_at_a_servers_table_and_keeps_no_copy_of_it(shop: Shop, tmp_path: Path) -> None:
    written = write_client(Facts("shop"), [], tmp_path, Answers({}), database=(VARIABLE, "orders"))
    text = written.place.read_text(encoding="utf-8")
    declared = load_parameters(written.place).sources["transactions"]
    assert (declared.database, declared.table) == (VARIABLE, "orders")
    assert {name: column.source for name, column in declared.columns.items()} == COLUMNS
    assert "phone (phone numbers)" in text and "0171" not in text and "ecret" not in text
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["shop.yaml"]
    with pytest.raises(InputError, match="has no table 'ordres'; did you mean 'orders'"):
        write_client(Facts("other"), [], tmp_path, Answers({}), database=(VARIABLE, "ordres"))
