"""DuckDB, SQLite and Parquet files: read as they are, never written to, clear words where they cannot be."""

import datetime as dt
import os
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asking import ask, open_source, refusal, rows_of

DAY = dt.datetime(2024, 1, 31, 12, 30)


@pytest.fixture
def ducks(tmp_path: Path) -> Path:
    """A DuckDB file with two tables, a view and one table in a schema of its own."""
    with duckdb.connect(tmp_path / "shop.duckdb") as base:
        base.execute("CREATE TABLE orders (customer VARCHAR, day TIMESTAMP, amount DECIMAL(12,2), who STRUCT(id INT))")
        base.execute(
            "INSERT INTO orders VALUES ('00042', '2024-01-31 12:30:00', 12.5, {'id': 7}), ('x', NULL, 1, NULL)"
        )
        base.execute("CREATE VIEW cheap AS SELECT * FROM orders WHERE amount < 2")
        base.execute(
            "CREATE SCHEMA old; CREATE TABLE old.orders AS FROM orders; CREATE TABLE empty AS FROM orders LIMIT 0"
        )
    return tmp_path


@pytest.fixture
def lite(tmp_path: Path) -> Path:
    """A SQLite file, where every cell has a type of its own."""
    base = sqlite3.connect(tmp_path / "shop.db")
    base.execute('CREATE TABLE orders (customer, day TEXT, amount REAL, "select" BLOB)')
    base.executemany(
        "INSERT INTO orders VALUES (?, ?, ?, ?)",
        [("00042", "2024-01-31", 12.5, None), (17850, "", 1e-7, b"raw"), (None, None, "12,50", "张伟")],
    )
    base.execute('CREATE TABLE "more orders" AS SELECT * FROM orders LIMIT 1')
    base.commit()
    base.close()
    return tmp_path


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_duckdb_tables_keep_their_types_and_structures_are_flattened(ducks: Path) -> None:
    before = contents(ducks)
    raw = open_source(ask(ducks, "shop.duckdb", table="orders"))
    assert rows_of(raw) == [
        {"customer": "00042", "day": DAY, "amount": Decimal("12.50"), "who.id": 7, "_file": 0},
        {"customer": "x", "day": None, "amount": Decimal("1.00"), "who.id": None, "_file": 0},
    ]
    assert raw.files[0].name == "shop.duckdb#orders"
    assert contents(ducks) == before


def test_duckdb_views_schemas_and_the_same_file_twice(ducks: Path) -> None:
    request = ask(ducks, "shop.duckdb", table="CHEAP")
    assert [row["customer"] for row in rows_of(open_source(request))] == ["x"]
    again = ask(ducks, "shop.duckdb", table="old.orders")
    again = type(again)(request.engine, "shop", "transactions", again.source, ducks, ducks)
    assert len(rows_of(open_source(again))) == 2


def test_sqlite_cells_become_text_and_nothing_is_left_beside_the_file(lite: Path) -> None:
    before = contents(lite)
    raw = open_source(ask(lite, "shop.db", table="orders"))
    assert [tuple(row.values()) for row in rows_of(raw)] == [
        ("00042", "2024-01-31", "12.5", None, 0),
        ("17850", None, "0.0000001", "raw", 0),
        (None, None, "12,50", "张伟", 0),
    ]
    assert contents(lite) == before
    assert open_source(ask(lite, "shop.db", table="orders"), ["amount"]).rows.columns == ("amount", "_file")


def test_sqlite_in_wal_mode_is_read_without_making_its_files(lite: Path) -> None:
    base = sqlite3.connect(lite / "shop.db")
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("INSERT INTO orders SELECT * FROM orders")
    base.commit()
    assert "is being written to, or was not closed: close the program" in refusal(ask(lite, "shop.db", table="orders"))
    base.close()  # writes all into the file
    before = contents(lite)
    assert list(before) == ["shop.db"]
    assert len(rows_of(open_source(ask(lite, "shop.db", table="orders")))) == 6
    assert contents(lite) == before


def test_a_large_sqlite_table_arrives_in_order(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "a.sqlite")
    base.execute("CREATE TABLE orders (customer INTEGER, day TEXT, amount REAL)")
    base.executemany("INSERT INTO orders VALUES (?, '2024-01-31', 1.5)", [(number,) for number in range(120_001)])
    base.commit()
    base.close()
    rows = rows_of(open_source(ask(tmp_path, "a.sqlite"), ["customer"]))
    assert [int(row["customer"]) for row in rows] == list(range(120_001))


@pytest.mark.parametrize("name", ["shop.duckdb", "shop.db"])
def test_missing_tables_and_columns_are_told_with_the_nearest(ducks: Path, lite: Path, name: str) -> None:
    missing = refusal(ask(ducks, name, table="ordes"))
    assert f"'{name}' has no table 'ordes'; did you mean 'orders'? It has: " in missing
    assert f"'{name}' has " in refusal(ask(ducks, name))
    assert "tables; name one under 'table': " in refusal(ask(ducks, name))
    columns = {"customer_id": "custmer", "ordered_at": "day", "amount": "amount"}
    assert f"'{name}#orders' has no column 'custmer'; did you mean 'customer'?" in refusal(
        ask(ducks, name, columns, table="orders")
    )


def test_an_empty_table_is_refused(ducks: Path) -> None:
    assert "the table 'empty' of 'shop.duckdb' has no rows" in refusal(ask(ducks, "shop.duckdb", table="empty"))


@pytest.mark.parametrize("name", ["shop.duckdb", "shop.db"])
def test_damaged_databases_are_refused(ducks: Path, lite: Path, name: str) -> None:
    whole = (ducks / name).read_bytes()
    (ducks / name).write_bytes(whole[: len(whole) // 3] + b"\x13" * 400)
    said = refusal(ask(ducks, name, table="orders"))
    assert f"'{name}' is damaged" in said
    assert "copy it again" in said
    (ducks / name).write_bytes(b"customer,day,amount\n1,2,3\n")
    assert f"the file '{name}' is neither a DuckDB nor an SQLite database" in refusal(ask(ducks, name))


def test_a_duckdb_file_that_another_program_writes_to_is_refused(ducks: Path) -> None:
    hold = "import duckdb, sys; base = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(ducks / "shop.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        said = refusal(ask(ducks, "shop.duckdb", table="orders"))
        other.communicate()
    assert "the file 'shop.duckdb' is open in another program: close it there, and try again" in said


def write_parquet(path: Path, **columns: Any) -> Path:
    given = {"customer": ["00042"], "day": [DAY], "amount": [Decimal("12.50")], **columns}
    pq.write_table(pa.table(given), path)
    return path


def test_parquet_keeps_types_flattens_structures_and_reads_text_without_its_mark(tmp_path: Path) -> None:
    more = {
        "who": [{"id": 7, "at": {"city": "Ulm"}}],
        "tags": [["a", "b"]],
        "raw": [b"text"],
        "on": [dt.date(2024, 1, 31)],
        "kind": pa.array(["x"]).dictionary_encode(),
        "time": [dt.time(12, 30)],
    }
    write_parquet(tmp_path / "a.parquet", **more)
    (row,) = rows_of(open_source(ask(tmp_path, "a.parquet")))
    typed = {"customer": "00042", "day": DAY, "amount": Decimal("12.50"), "on": dt.date(2024, 1, 31)}
    assert {name: row[name] for name in typed} == typed
    assert (row["who.id"], row["who.at.city"], row["tags"], row["raw"]) == (7, "Ulm", "[a, b]", "text")
    assert (row["kind"], row["time"]) == ("x", "12:30:00")


def test_many_parquet_files_are_one_table_in_their_order_and_types_that_differ_become_text(tmp_path: Path) -> None:
    for number in range(5):
        extra = {"shop": ["north"]} if number == 3 else {}
        amount = ["1.5"] if number == 4 else [Decimal("12.50")]
        write_parquet(tmp_path / f"{number}.parquet", customer=[str(number)], amount=amount, **extra)
    raw = open_source(ask(tmp_path, "*.parquet"))
    assert [(row["_file"], row["customer"], row["amount"], row["shop"]) for row in rows_of(raw)] == [
        (number, str(number), "1.5" if number == 4 else "12.50", "north" if number == 3 else None)
        for number in range(5)
    ]
    assert "It lacks 'shop'" in raw.files[0].notes[0]
    assert raw.files[3].notes == ()


def test_parquet_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert "'cut.parquet' is damaged or was not copied to its end" in refusal(ask(tmp_path, "cut.parquet"))
    (tmp_path / "text.parquet").write_bytes(b"customer,day\n1,2\n")
    assert "'text.parquet' is no Parquet file, whatever its name says" in refusal(ask(tmp_path, "text.parquet"))
    pq.write_table(pq.read_table(tmp_path / "a.parquet").slice(0, 0), tmp_path / "empty.parquet")
    assert "'empty.parquet' has columns but no rows" in refusal(ask(tmp_path, "empty.parquet"))
    columns = {"customer_id": "customer", "ordered_at": "dya", "amount": "amount"}
    assert "'a.parquet' has no column 'dya'; did you mean 'day'?" in refusal(ask(tmp_path, "a.parquet", columns))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_databases_in_a_folder_that_is_read_only(ducks: Path, lite: Path) -> None:
    ducks.chmod(0o555)
    try:
        for name in ("shop.duckdb", "shop.db"):
            assert rows_of(open_source(ask(ducks, name, table="orders")))
    finally:
        ducks.chmod(0o755)
