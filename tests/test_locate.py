"""Which files a path stands for: itself, a folder's, a glob's, a package's."""

from pathlib import Path

import pytest

from conftest import Workbook
from perennial.errors import InputError, ParameterError
from perennial.parameters import Source
from perennial.tables.files.locate import places, source_places


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")


def test_a_file_a_folder_and_a_glob(tmp_path: Path) -> None:
    touch(tmp_path, "data/b.csv", "data/a.csv", "data/notes.txt", "data/old/c.csv", "data/.DS_Store", "data/~$a.xlsx")
    assert [place.name for place in places("data/a.csv", tmp_path)] == ["data/a.csv"]
    assert [place.name for place in places("data", tmp_path)] == ["data/a.csv", "data/b.csv", "data/notes.txt"]
    assert [place.name for place in places("data/", tmp_path)] == ["data/a.csv", "data/b.csv", "data/notes.txt"]
    assert [place.name for place in places("data/*.csv", tmp_path)] == ["data/a.csv", "data/b.csv"]
    assert [place.name for place in places("data/**/*.csv", tmp_path)] == [
        "data/a.csv", "data/b.csv", "data/old/c.csv"
    ]  # fmt: skip
    assert all(place.path.is_file() for place in places("data/*", tmp_path))


def test_files_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    touch(tmp_path, *(f"data/part {number}.csv" for number in (10, 9, 2, 1)))
    names = [place.path.stem for place in places("data", tmp_path)]
    assert names == ["part 1", "part 2", "part 9", "part 10"]


def test_a_file_whose_name_looks_like_a_glob_is_itself(tmp_path: Path) -> None:
    touch(tmp_path, "data/a[1].csv", "data/a1.csv")
    assert [place.name for place in places("data/a[1].csv", tmp_path)] == ["data/a[1].csv"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "data/a.csv", "data/b.csv")
    source = Source(path=["data/b.csv", "data", "data/../data/*.csv"], columns={})
    assert [place.name for place in source_places(source, tmp_path)] == ["data/b.csv", "data/a.csv"]


def test_files_outside_the_project_and_in_packages(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a.csv", "project/b.csv")
    outside = tmp_path / "elsewhere" / "a.csv"
    assert [place.name for place in places(str(outside), tmp_path / "project")] == [str(outside)]
    (inside,) = places("package:lifetimes/datasets/CDNOW_master.txt", tmp_path)
    assert (inside.name, inside.path.is_file()) == ("package:lifetimes/datasets/CDNOW_master.txt", True)
    with pytest.raises(InputError, match="the Python package 'nowhere' is not installed"):
        places("package:nowhere/a.csv", tmp_path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("data/acmee.csv", "there is no file 'data/acmee.csv'; did you mean 'acme.csv'?"),
        ("data/*.tsv", "there is no file 'data/*.tsv'"),
        ("nodata/x.csv", "there is no file 'nodata/x.csv' (looked in nodata/)"),
        ("hollow", "the folder 'hollow' holds no files"),
        ("data/nothing.csv", "the file 'data/nothing.csv' is empty"),
        ("package:nowhere/a.csv", "package:nowhere/a.csv: the Python package 'nowhere' is not installed"),
    ],
)
def test_a_path_without_files_is_named_with_what_is_near(workbook: Workbook, path: str, said: str) -> None:
    workbook.write("acme", [("C1", "2024-01-01", 5)])
    (workbook.root / "hollow").mkdir()
    (workbook.root / "data" / "nothing.csv").touch()
    columns = {name: name for name in ("customer_id", "ordered_at", "amount")}
    workbook.write("acme", [("C1", "2024-01-01", 5)], sources={"transactions": {"path": path, "columns": columns}})
    with pytest.raises(ParameterError) as refused:
        workbook.open("acme")
    assert "acme.yaml cannot be used" in str(refused.value)
    assert f"sources.transactions: {said}" in str(refused.value)
    assert not list((workbook.root / ".cache").rglob("*.parquet"))
