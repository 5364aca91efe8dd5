"""Text through the whole of parsing, as a run does it: plain text first, then with care what that refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from perennial.parameters import Column, Source
from perennial.tables import engine
from perennial.tables.files.request import Request
from perennial.tables.parse.settle import Parsed, parse_source

ENGINE = engine.connect()


def parsed_source(
    texts: Mapping[str, Sequence[Any]],
    columns: Mapping[str, Mapping[str, Any]] | None = None,
    table: str = "transactions",
    time_zone: str = "UTC",
    **source: Any,
) -> Parsed:
    """A throw-away source whose columns hold these texts; ``columns`` declares more of some of them."""
    more = columns or {}
    declared = {name: Column(**{"source": name, **more.get(name, {})}) for name in texts}
    given = Source(path="data/made.csv", columns=declared, **source)
    request = Request(ENGINE, "made", table, given, Path(), Path())
    arrays = {name: pa.array(values, None if _typed(values) else pa.string()) for name, values in texts.items()}
    size = len(next(iter(arrays.values())))
    rows = ENGINE.create_table("raw", pa.table({**arrays, "_file": [0] * size}), temp=True, overwrite=True)
    ENGINE.con.execute(f"DROP TABLE IF EXISTS parsed_{table}; DROP TABLE IF EXISTS settled_parsed_{table}")
    return parse_source(request, rows, time_zone)


def read(
    texts: Mapping[str, Sequence[Any]], columns: Mapping[str, Mapping[str, Any]] | None = None, **more: Any
) -> dict[str, list[Any]]:
    """The same as lists by column, ``_bad_`` columns with them."""
    found: dict[str, list[Any]] = parsed_source(texts, columns, **more).rows.to_pyarrow().to_pydict()
    return found


def _typed(values: Sequence[Any]) -> bool:
    return not all(value is None or isinstance(value, str) for value in values)
