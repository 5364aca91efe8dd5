"""Shared by all tests: a throw-away workbook with clients made in the test, and the shipped ones."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.client import Client, open_client

REPO = Path(__file__).resolve().parents[1]
HEADER = ["customer_id", "ordered_at", "amount"]


class Workbook:
    """A project folder with parameter files and data, as a consultant would lay it out."""

    def __init__(self, root: Path):
        self.root = root
        for folder in ("parameters", "data"):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, rows: list[tuple[Any, ...]], header: list[str] | None = None, **parameters: Any) -> Path:
        """A client with one transactions file; further keys go into its YAML. Returns the YAML's path."""
        columns = header or HEADER
        self.write_csv(f"{name}.csv", columns, rows)
        source = {"path": f"data/{name}.csv", "columns": {column: column for column in columns}}
        given = {"title": name.title(), "currency": "EUR", "as_of": "2024-12-31", "sources": {"transactions": source}}
        sources = {**given["sources"], **parameters.pop("sources", {})}
        return self.write_yaml(name, {**given, **parameters, "sources": sources})

    def write_yaml(self, name: str, content: dict[str, Any] | str) -> Path:
        path = self.root / "parameters" / f"{name}.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        return path

    def write_csv(self, name: str, header: list[str], rows: list[tuple[Any, ...]]) -> Path:
        path = self.root / "data" / name
        lines = [",".join(map(str, row)) for row in [header, *rows]]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def open(self, name: str) -> Client:
        return open_client(name, self.root)


@pytest.fixture
def workbook(tmp_path: Path) -> Workbook:
    return Workbook(tmp_path)


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Client]:
    """Open a shipped client from the repository, once a session."""
    opened: dict[str, Client] = {}

    def get(name: str) -> Client:
        if name not in opened:
            opened[name] = open_client(name, REPO)
        return opened[name]

    return get


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real clients' files, outside the project."""
    folder = os.environ.get("PERENNIAL_DATA")
    if not folder:
        pytest.skip("PERENNIAL_DATA is not set: the folder of real files to try the workbook on")
    return Path(folder)


@pytest.fixture(autouse=True)
def _no_chart_left_open() -> Iterator[None]:
    """Close what a test drew, so that the next one starts with none."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
