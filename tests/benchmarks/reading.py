"""Reading ten million order lines into canonical Parquet, beside DuckDB's bare copy of the same file.

``make bench`` runs ``python -m tests.benchmarks.reading`` with ``copy FILE`` and ``canonical FILE``, each in a process
of its own, on a file made by ``make FILE LINES``.
"""

import sys
import tempfile
import time
from pathlib import Path

import duckdb

LINES = 10_000_000
PARAMETERS = """
title: Ten million lines
currency: EUR
as_of: 2024-12-31
sources:
  transactions:
    path: {path}
    columns: {{customer_id: customer_id, ordered_at: ordered_at, order_id: order_id, product_id: product_id,
              category: category, quantity: quantity, amount: amount}}
"""


def make(path: Path, lines: int) -> None:
    """Order lines of half a million customers over three years, three to an order; the same file every time."""
    duckdb.sql(
        f"""COPY (
          SELECT 'C' || lpad((hash(i) % 500000)::VARCHAR, 7, '0') AS customer_id,
            strftime(TIMESTAMP '2022-01-01' + INTERVAL (hash(i // 3 * 7) % 94608000) SECOND, '%Y-%m-%d %H:%M:%S')
              AS ordered_at,
            'O' || (i // 3) AS order_id, 'P' || (hash(i * 3) % 5000) AS product_id,
            'cat' || (hash(i * 3) % 40) AS category,
            1 + hash(i * 5) % 5 AS quantity, printf('%.2f', (1 + hash(i * 11) % 20000) / 100.0) AS amount
          FROM range({lines}) t(i)) TO '{path}' (HEADER)"""
    )


def copy(path: Path, folder: Path) -> None:
    """DuckDB alone: types guessed, nothing checked, nothing counted."""
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.execute(f"COPY (SELECT * FROM read_csv('{path}')) TO '{folder}/copy.parquet'")


def canonical(path: Path, folder: Path) -> None:
    """The canonical table as every client's is made: read as text, parsed, ruled, counted, written with its audit."""
    from perennial.client import read_parameters
    from perennial.tables import inputs, prepare

    (folder / "parameters").mkdir()
    (folder / "parameters" / "big.yaml").write_text(PARAMETERS.format(path=path), encoding="utf-8")
    parameters = read_parameters("big", folder)
    with inputs.open_inputs(parameters, folder) as opened:
        prepare.make_canonical(opened, folder)


def opened(path: Path, folder: Path) -> None:
    """The same with the customer summary: all that opening the client makes."""
    from perennial.client import open_client

    (folder / "parameters").mkdir()
    (folder / "parameters" / "big.yaml").write_text(PARAMETERS.format(path=path), encoding="utf-8")
    open_client("big", folder)


def main() -> None:
    """Run what is asked, and print the seconds it took, without the start of Python and its libraries."""
    what, path = sys.argv[1], Path(sys.argv[2])
    if what == "make":
        make(path, int(sys.argv[3]))
        return
    if what != "copy":  # the seconds are those of the reading, not of loading the libraries
        import pandas  # noqa: F401
        import pyarrow.dataset  # noqa: F401

        import perennial.client
        import perennial.tables.files.text
        import perennial.tables.prepare  # noqa: F401
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        started = time.perf_counter()
        {"copy": copy, "canonical": canonical, "opened": opened}[what](path, Path(folder))
        print(f"SECONDS {time.perf_counter() - started:.2f}")


if __name__ == "__main__":
    main()
