"""Every kind of bad input through the real command line: a clear sentence, no traceback, nothing half-written."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from msoffcrypto.format.ooxml import OOXMLFile

from perennial.check import BAD_PARAMETERS, IMPOSSIBLE, POSSIBLE

HEADER = ["customer", "day", "product", "paid"]
ROWS = [[f"c{n % 9}", f"2024-{1 + n % 12:02}-{1 + n % 28:02}", f"thé {n % 5}", f"{5 + n % 7}.50"] for n in range(300)]
MEGABYTE = 2**20


def text(rows: list[list[str]] = ROWS, header: list[str] = HEADER, mark: str = ",") -> str:
    return "".join(mark.join(row) + "\n" for row in [header, *rows])


def write(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def book(path: Path, rows: list[list[Any]], merge: str | None = None) -> Path:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    made.save(path)
    return path


def numbered(rows: list[list[str]]) -> list[list[Any]]:
    return [[*row[:3], float(row[3])] for row in rows]


def endless(folder: Path, name: str, megabytes: int) -> None:
    with (folder / name).open("wb") as file:
        for _ in range(megabytes):
            file.write(b"customer,day,product,paid;c1,1;\t" * (MEGABYTE // 32))


def damaged(path: Path) -> None:
    whole = book(path, [HEADER, *numbered(ROWS)]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def overwritten(path: Path) -> None:
    whole = bytearray(book(path, [HEADER, *numbered(ROWS)]).read_bytes())
    start = whole.index(b"xl/worksheets/sheet1.xml") + 60
    whole[start : start + 300] = b"\xff" * 300
    path.write_bytes(whole)


def locked(path: Path) -> None:
    plain = book(path.parent.parent / "plain.xlsx", [HEADER, *numbered(ROWS)])
    with plain.open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt("secret", target)
    plain.unlink()


def mixed() -> bytes:
    """A UTF-8 export with the second half of one in Windows-1252 below it."""
    return text(ROWS[:150]).encode() + "".join(",".join(row) + "\n" for row in ROWS[150:]).encode("cp1252")


def two_files(folder: Path) -> None:
    write(folder, "orders.csv", text(ROWS[:150]))
    write(folder, "orders2.csv", text(ROWS[150:], ["customer", "day", "product", "total"]))


@dataclass(frozen=True)
class Case:
    """What lies in the data folder, what is declared, and what must be said of which file."""

    make: Callable[[Path], object]
    said: tuple[str, ...]
    file: str = "orders.csv"
    declared: dict[str, Any] = field(default_factory=dict)
    code: int = IMPOSSIBLE


def of_text(content: str | bytes, *said: str, file: str = "orders.csv", **declared: Any) -> Case:
    return Case(lambda folder: write(folder, file, content), said, file, declared)


def of_book(make: Callable[[Path], object], *said: str) -> Case:
    return Case(lambda folder: make(folder / "orders.xlsx"), said, "orders.xlsx")


REFUSED = {
    "no customer column": of_text(
        text([row[1:] for row in ROWS], HEADER[1:]), "has no column 'customer'; it has: day, product, paid"
    ),
    "truncated gz": of_text(
        gzip.compress(text().encode())[:-40], "ends in the middle: copy it again", file="orders.csv.gz"
    ),
    "truncated xlsx": of_book(damaged, "is damaged or was not copied to its end: export or copy it again"),
    "corrupt xlsx": of_book(overwritten, "damaged", "again"),
    "wrong delimiter": of_text(text(mark=";"), 'looks divided by a semicolon: declare sources.transactions.delimiter'),
    "wrong delimiter declared": of_text(text(), 'delimiter: ","', delimiter=";"),
    "mixed encodings": of_text(mixed(), "mixes encodings: line 2 is UTF-8, line 152 is not. Save every part of it in"),
    "two files whose columns differ": Case(
        two_files, ("'data/orders2.csv' has no column 'paid'",), "orders2.csv", {"path": "data/orders*.csv"}
    ),
    "a line of a gigabyte": Case(
        lambda folder: endless(folder, "orders.csv", 1024),
        ("line 1 of 'data/orders.csv' is longer than 8 MB", "export the file again with one record a line"),
    ),
    "a line of three megabytes": Case(
        lambda folder: endless(folder, "orders.csv", 3), ("has a header but no rows: export it again",)
    ),
    "a name of three megabytes": of_text(
        '"' + "a" * 3 * MEGABYTE + '"\n1\n', "has no column 'customer'", "has no column 'paid'"
    ),
    "formula cells": of_book(
        lambda path: book(path, [HEADER, *[[*row[:3], "=2*3"] for row in ROWS]]),
        "300 cells", "hold formulas without values (D2, D3, D4, …): open the file in Excel, save it there",
    ),
    "merged cells": of_book(
        lambda path: book(path, [HEADER, *numbered(ROWS)], merge="D3:D5"),
        "cells D3:D5", "are merged over column 'paid'", "unmerge them",
    ),
    "a password": of_book(locked, "is protected by a password: open it in Excel, save it without one, and try again"),
    "an empty sheet": of_book(lambda path: book(path, []), "is empty: none of its sheets holds a cell"),
    "a sheet with names only": of_book(lambda path: book(path, [HEADER]), "has a header but no rows"),
    "no names": of_text(
        text([["ann@example.org", *row[1:]] for row in ROWS], ["ann@example.org", *ROWS[0][1:]]),
        "data stand where its names should: declare in 'header' the line they stand in, or 'header: 0' and 'names'",
    ),
    "an empty file": Case(lambda folder: write(folder, "orders.csv", ""), ("is empty",), code=BAD_PARAMETERS),
    "names only": of_text(text([]), "has a header but no rows: export it again"),
    "no text": of_text(bytes(range(1, 32)) * 100, "is not a text file: export it as CSV or Excel"),
    "a web page called Excel": of_text("<html><table>", "web page", "save it as .xlsx", file="orders.xls"),
}  # fmt: skip


SEEN_BY_NEW = ["no customer column", "truncated gz", "corrupt xlsx", "mixed encodings", "a line of three megabytes",
               "formula cells", "a password", "an empty sheet", "names only"]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A project with one client, acme, and the command run in it."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    def declare(self, file: str, **declared: Any) -> None:
        columns = {"customer_id": "customer", "ordered_at": "day", "product_id": "product", "amount": "paid"}
        source = {"path": f"data/{file}", "columns": columns, **declared}
        content = {"title": "Acme", "currency": "EUR", "as_of": "2024-12-31", "sources": {"transactions": source}}
        (self.root / "parameters" / "acme.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "perennial"), *arguments],
            cwd=self.root,
            env={**os.environ, "PERENNIAL_HOME": str(self.root)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def inputs(self) -> dict[str, str]:
        """Every file of the data folder and what it holds."""
        return {path.name: _digest(path) for path in self.data.iterdir()}

    def left(self) -> list[str]:
        """Files that the command left behind; locks and the digests of files looked at before are no results."""
        kept = {self.root / "parameters" / "acme.yaml", self.root / ".cache" / "digests.json", *self.data.iterdir()}
        found = [path for path in self.root.rglob("*") if path.is_file() and path.suffix != ".lock"]
        return [str(path.relative_to(self.root)) for path in found if path not in kept]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for folder in ("parameters", "data"):
        (tmp_path / folder).mkdir()
    return Place(tmp_path)


@pytest.mark.parametrize("kind", REFUSED)
def test_check_says_what_is_wrong_and_leaves_nothing_behind(place: Place, kind: str) -> None:
    case = REFUSED[kind]
    case.make(place.data)
    place.declare(case.file, **case.declared)
    before = place.inputs()
    done = place.run("check", "acme")
    assert done.returncode == case.code, done.stdout + done.stderr
    assert "acme" in done.stderr and case.file in done.stderr
    for part in case.said:
        assert part in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr) < 3_000 and "@" not in done.stderr
    assert place.inputs() == before
    assert place.left() == []


@pytest.mark.parametrize("kind", SEEN_BY_NEW)
def test_new_says_what_is_wrong_and_writes_no_parameters(place: Place, kind: str) -> None:
    case = REFUSED[kind]
    case.make(place.data)
    before = place.inputs()
    done = place.run("new", "acme", f"data/{case.file}")
    assert done.returncode == IMPOSSIBLE, done.stdout + done.stderr
    assert case.file in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert place.inputs() == before
    assert place.left() == [] and not list((place.root / "parameters").iterdir())


def test_new_says_which_orders_it_does_not_read(place: Place) -> None:
    two_files(place.data)
    done = place.run("new", "acme", "data/orders.csv", "data/orders2.csv")
    assert done.returncode == POSSIBLE, done.stderr
    assert "NOT READ: data/orders.csv, which seems to hold order lines too (150 rows)" in done.stdout


STRAY: dict[str, tuple[Callable[[list[str]], list[str]], int]] = {
    "names repeated in the middle": (lambda lines: [*lines[:150], lines[0], *lines[150:]], 151),
    "a row of text under the names": (lambda lines: [lines[0], "Kunde,Tag,Ware,EUR", *lines[1:]], 2),
}


@pytest.mark.parametrize("kind", STRAY)
def test_a_stray_line_is_a_reject_that_is_told_with_its_number(place: Place, kind: str) -> None:
    change, line = STRAY[kind]
    write(place.data, "orders.csv", "\n".join(change(text().splitlines())) + "\n")
    place.declare("orders.csv")
    before = place.inputs()
    done = place.run("check", "acme", "--json")
    assert (done.returncode, done.stderr) == (POSSIBLE, "")
    found = json.loads(done.stdout)
    assert {reject["first_line"] for reject in found["rejects"]} == {line}
    assert all(reject["first_file"].endswith("orders.csv") for reject in found["rejects"])
    assert sum(rule["rows"] for rule in found["rules"]) == found["tables"][0]["raw_rows"] == 301
    assert {rule["rule"]: rule["rows"] for rule in found["rules"]}["used"] == 300
    assert place.inputs() == before


def test_two_thousand_columns_are_read(place: Place) -> None:
    more = [f"x{n}" for n in range(1_996)]
    write(place.data, "orders.csv", text([[*row, *more] for row in ROWS], [*HEADER, *more]))
    place.declare("orders.csv")
    done = place.run("check", "acme")
    assert (done.returncode, done.stderr) == (POSSIBLE, "")
