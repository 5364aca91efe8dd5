"""JSON lines and arrays as systems export them: every value as text, every line that is no object rejected."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asking import ask, open_source, refusal, rows_of

ORDER = {"customer": "00042", "day": "2024-01-31", "amount": 12.5}


def write_lines(path: Path, objects: list[Any]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects), encoding="utf-8")
    return path


def test_values_become_text_and_missing_keys_null(tmp_path: Path) -> None:
    more = {"customer": 17850.0, "amount": 12345678901234567890, "paid": True, "note": "", "day": None, "名": "张伟"}
    write_lines(tmp_path / "a.jsonl", [ORDER, more])
    first, second = rows_of(open_source(ask(tmp_path, "a.jsonl")))
    assert first == {"customer": "00042", "day": "2024-01-31", "amount": "12.5", "paid": None, "note": None,
                     "名": None, "_file": 0}  # fmt: skip
    assert second == {"customer": "17850.0", "day": None, "amount": "12345678901234567890", "paid": "true",
                      "note": None, "名": "张伟", "_file": 0}  # fmt: skip


def test_objects_within_are_named_with_dots_and_arrays_stay_text(tmp_path: Path) -> None:
    nested = {**ORDER, "who": {"id": 7, "home": {"city": "Ulm"}}, "tags": ["a", "b"], "who.id": "dotted", "Day": "x"}
    write_lines(tmp_path / "a.jsonl", [nested, {**ORDER, "who": {"id": 8}}])
    request = ask(tmp_path, "a.jsonl", {"customer_id": "who.id", "ordered_at": "day", "amount": "amount"})
    first, second = rows_of(open_source(request))
    assert (first["who.id"], first["who.home.city"], first["tags"]) == ("7", "Ulm", '["a","b"]')
    assert (first["who.id_1"], first["Day_1"]) == ("dotted", "x")
    assert (second["who.id"], second["who.home.city"]) == ("8", None)
    assert rows_of(open_source(request, ["who.id"])) == [{"who.id": "7", "_file": 0}, {"who.id": "8", "_file": 0}]


def test_lines_that_are_no_objects_are_rejected_by_number_and_masked(tmp_path: Path) -> None:
    good = json.dumps(ORDER)
    (tmp_path / "a.jsonl").write_text(f'{good}\n\n{{"customer": "Alice Müller", 7\n{good}\n[1, 2]\n{good}', "utf-8")
    write_lines(tmp_path / "b.jsonl", [ORDER])
    raw = open_source(ask(tmp_path, ["a.jsonl", "b.jsonl"]))
    assert [row["_file"] for row in rows_of(raw)] == [0, 0, 0, 1]
    assert list(raw.files[0].line_numbers([0, 1, 2])) == [1, 4, 6]
    assert [(one.file, one.line, one.text, one.reason) for one in raw.malformed()] == [
        ("a.jsonl", 3, '{"xxxxxxxx": "xxxxx xxxxxx", 9', "the line is no JSON object"),
        ("a.jsonl", 5, "[9, 9]", "the line is no JSON object"),
    ]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.ndjson", "a.json"])
def test_suffixes_and_compression_are_recognised(tmp_path: Path, name: str) -> None:
    text = (json.dumps(ORDER) + "\r\n").encode() * 3
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else b"\xef\xbb\xbf" + text)
    assert [row["customer"] for row in rows_of(open_source(ask(tmp_path, name)))] == ["00042"] * 3


def test_an_array_of_objects_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([ORDER, 5, {**ORDER, "customer": "x"}], indent=2), encoding="utf-8")
    raw = open_source(ask(tmp_path, "a.json"))
    assert [row["customer"] for row in rows_of(raw)] == ["00042", "x"]
    assert [(one.line, one.text) for one in raw.malformed()] == [(2, "9")]


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.text(st.characters(codec="utf-8"), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(("customer", "day", "amount"), scalars)), min_size=1))
def test_every_scalar_comes_back_as_python_reads_it(tmp_path: Path, objects: list[dict[str, Any]]) -> None:
    def text(value: Any) -> str | None:
        return (value if isinstance(value, str) else json.dumps(value)) or None if value is not None else None

    write_lines(tmp_path / "a.jsonl", objects)
    rows = rows_of(open_source(ask(tmp_path, "a.jsonl")))
    assert [{name: row[name] for name in one} for row, one in zip(rows, objects, strict=True)] == [
        {name: text(value) for name, value in one.items()} for one in objects
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no records"),
        (b"[]", "holds no records"),
        (b"customer,day\n1,2\n", "holds no JSON objects, one a line"),
        (json.dumps({"orders": [ORDER]}, indent=2).encode(), "is one JSON document over many lines"),
        (b'[{"customer": 1}, {"cus', "is no JSON array that can be read to its end: export it again"),
        (b'{"customer": "M\xfcller"}\n', "is not UTF-8, as JSON has to be"),
        (b'{"customer": 1, "day": 2}\n', "has no column 'amount'"),
        (b"{}\n", "holds objects without keys"),
        (gzip.compress(json.dumps(ORDER).encode() * 900)[:-20], "is damaged or was not copied to its end"),
    ],
)
def test_files_that_cannot_be_read_are_named_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    name = "a.json"
    if content.startswith(b"\x1f\x8b"):
        name = (tmp_path / "a.json").rename(tmp_path / "a.json.gz").name
    told = refusal(ask(tmp_path, name))
    assert f"'{name}'" in told
    assert said in told
