"""Reading text files in tests: a request that stands alone, and what comes out of it."""

import tempfile
from pathlib import Path
from typing import Any

from perennial.parameters import Source
from perennial.tables import engine
from perennial.tables.files import text
from perennial.tables.files.raw import Place, Raw
from perennial.tables.files.request import Request


def request(folder: Path, locale: str = "en", **source: Any) -> Request:
    """A request of client acme for its order lines; what it unpacks goes to a folder of its own."""
    declared = Source(path="given directly", columns={}, **source)
    scratch = Path(tempfile.mkdtemp(prefix="scratch_", dir=folder))
    return Request(engine.connect(), "acme", "transactions", declared, folder, scratch, locale)


def read(folder: Path, files: list[str] | str, wanted: list[str] | None = None, **given: Any) -> Raw:
    """Files of a folder as the reader gives them."""
    places = [Place(name, folder / name) for name in ([files] if isinstance(files, str) else files)]
    return text.read(request(folder, **given), places, wanted)


def rows_of(raw: Raw) -> list[tuple[Any, ...]]:
    """All rows, without the number of the file."""
    table = raw.rows.drop("_file").to_pyarrow()
    return list(zip(*[column.to_pylist() for column in table.columns], strict=True))
