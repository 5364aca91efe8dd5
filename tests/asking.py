"""Sources asked for in tests of the readers, and what they answer."""

from pathlib import Path
from typing import Any

import pytest

from perennial.errors import InputError
from perennial.parameters import Source
from perennial.tables import engine, read
from perennial.tables.files.locate import source_places
from perennial.tables.files.raw import Raw
from perennial.tables.files.request import Request

COLUMNS = {"customer_id": "customer", "ordered_at": "day", "amount": "amount"}
HEADER = ["customer", "day", "amount"]


def ask(folder: Path, path: str | list[str], columns: dict[str, str] | None = None, **source: Any) -> Request:
    """A request for orders in a file of the folder."""
    declared = Source(path=path, columns=columns or COLUMNS, **source)
    return Request(engine.connect(), "shop", "transactions", declared, folder, folder)


def open_source(request: Request, wanted: list[str] | None = None) -> Raw:
    return read.open_files(request, source_places(request.source, request.root), wanted)


def rows_of(raw: Raw) -> list[dict[str, Any]]:
    return raw.rows.to_pyarrow().to_pylist()


def refusal(request: Request, wanted: list[str] | None = None) -> str:
    """What is said instead of rows: it names the client, and nothing is left behind."""
    before = {path: path.stat().st_mtime_ns for path in request.scratch.rglob("*")}
    with pytest.raises(InputError) as caught:
        open_source(request, wanted)
    assert {path: path.stat().st_mtime_ns for path in request.scratch.rglob("*")} == before
    assert "shop, transactions:" in str(caught.value)
    return str(caught.value)
