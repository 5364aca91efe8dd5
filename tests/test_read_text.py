"""Text files arrive line for line: every record is a row or a reject with its line number."""

import csv
import gzip
import io
import random
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Workbook
from perennial.errors import InputError
from perennial.tables.files import text
from perennial.tables.files.header_line import Dialect
from perennial.tables.files.raw import Place, Raw
from perennial.tables.files.survey import survey
from perennial.tables.files.unpack import CHUNK
from perennial.tables.parse.ids import BLANKS
from text_files import read, request, rows_of

PLAIN = "id,day,amount\n1,2024-01-01,5\n2,2024-01-02,6\n"


def write(folder: Path, content: str | bytes, name: str = "orders.csv") -> str:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return name


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refusal(reading: Callable[[], Raw]) -> str:
    """The sentence a reader refuses with; it says whose file and which table it is about."""
    with pytest.raises(InputError) as refused:
        reading()
    sentence = str(refused.value)
    assert sentence.startswith("acme, transactions: ") and "Traceback" not in sentence
    return sentence


# -- how a line is divided


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("a.csv", PLAIN, {}),
        ("a.txt", PLAIN, {}),
        ("a.tsv", PLAIN.replace(",", "\t"), {}),
        ("a.tab", PLAIN.replace(",", "\t"), {}),
        ("a.csv", PLAIN.replace(",", ";"), {"delimiter": ";"}),
        ("a.csv", PLAIN.replace(",", "|"), {"delimiter": "|"}),
        ("a.csv", PLAIN.replace(",", "§"), {"delimiter": "§"}),
        ("a.csv", PLAIN.replace("2024-01-01", "'2024-01-01'"), {"quote": "'"}),
        ("a.csv", PLAIN.replace("\n", "\r\n"), {}),
        ("a.csv", PLAIN.replace("\n", "\r"), {}),
        ("a.csv", PLAIN.rstrip("\n"), {}),
        ("a.csv", "\ufeff" + PLAIN, {}),
        ("a.csv", PLAIN.replace("\n1", "\n\n\n1"), {}),
        ("a.csv", PLAIN.replace("id,day,amount", ' id ,"day\n","\u00a0amount "'), {}),
        ("a.csv", 'Report of "May\n\n' + PLAIN, {"header": 3}),
        ("a.csv", "Report\n" + PLAIN.replace("amount\n", "amount\n,,EUR\n"), {"header": 2, "skip_after_header": 1}),
        ("a.csv", PLAIN.replace("id,day,amount\n", ""), {"header": 0, "names": ["id", "day", "amount"]}),
        ("a.csv", "\ufeff" + PLAIN.replace("id,day,amount\n", ""), {"header": 0, "names": ["id", "day", "amount"]}),
        ("a.csv", PLAIN.replace("id,day,amount", "a,b,c"), {"names": ["id", "day", "amount"]}),
        ("a.txt", PLAIN.replace(",", "  \t "), {"layout": "spaced"}),
        (
            "a.txt",
            " \n 1 2024-01-01  5 \n\n2 2024-01-02 6",
            {"layout": "spaced", "header": 0, "names": ["id", "day", "amount"]},
        ),
        (
            "a.txt",
            "id day        amount\n1  2024-01-01      5\n2  2024-01-02 6\n",
            {"layout": "fixed", "widths": [3, 11, 6]},
        ),
        ("a.csv", PLAIN.replace("1,2024-01-01,5\n", "1,2024-01-01,5,\n"), {}),
    ],
)
def test_one_table_in_all_ways_of_writing(tmp_path: Path, name: str, content: str, declared: dict[str, object]) -> None:
    raw = read(tmp_path, write(tmp_path, content, name), **declared)
    assert raw.rows.columns == ("id", "day", "amount", "_file")
    assert rows_of(raw) == [("1", "2024-01-01", "5"), ("2", "2024-01-02", "6")]
    assert raw.malformed() == []
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = [1 + next(i for i, line in enumerate(lines) if f"2024-01-0{day}" in line) for day in (1, 2)]
    assert raw.files[0].line_numbers([0, 1]) == expected
    assert raw.files[0].line_numbers([1]) == expected[1:]


def test_fixed_places_are_counted_in_characters(tmp_path: Path) -> None:
    name = write(tmp_path, "编号  城市  款\n一号  北京  12\n二号  哈尔滨 7\n")
    raw = read(tmp_path, name, layout="fixed", widths=[4, 4, 3])
    assert rows_of(raw) == [("一号", "北京", "12"), ("二号", "哈尔滨", "7")]


def test_lines_without_delimiters_that_do_not_fit_are_rejects(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, "a b\n\n1 2\n1 2 3\n\n7\n8 9\n"), layout="spaced")
    assert rows_of(raw) == [("1", "2"), ("8", "9")]
    assert [(r.line, r.reason) for r in raw.malformed()] == [
        (4, "2 columns expected, 3 found"),
        (6, "2 columns expected, 1 found"),
    ]
    assert raw.files[0].line_numbers([1, 0]) == [7, 3]
    raw = read(tmp_path, write(tmp_path, "aabb\n1 2 \n11223\n"), layout="fixed", widths=[2, 2])
    assert rows_of(raw) == [("1", "2")]
    assert [(r.line, r.reason) for r in raw.malformed()] == [(3, "4 characters expected, 5 found")]


# -- every line is accounted for


GOOD, QUOTED, BLANK, SHORT, LONG, STRAY = "good", "quoted", "blank", "short", "long", "stray"


def lay_out(kinds: list[str], end: str) -> SimpleNamespace:
    """A file made of lines of known kinds, and what must come of it."""
    lines = ["id,text,amount"]
    rows, starts, rejects = [], [], []
    for number, kind in enumerate(kinds):
        line = len(lines) + 1
        if kind in (GOOD, QUOTED):
            starts.append(line)
            rows.append((str(number), "a\nb, c" if kind == QUOTED else 'x"y', "1"))
        if kind == QUOTED:
            lines += [f'{number},"a', 'b, c",1']
            continue
        if kind not in (GOOD, BLANK):
            rejects.append(line)
        lines.append({GOOD: f'{number},x"y,1', BLANK: "", SHORT: "5", LONG: "1,2,3,4", STRAY: '1,"a"b,2'}[kind])
    return SimpleNamespace(content=end.join(lines) + end, rows=rows, starts=starts, rejects=rejects)


@given(
    kinds=st.lists(st.sampled_from([GOOD, GOOD, QUOTED, BLANK, SHORT, LONG, STRAY]), min_size=1, max_size=40),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    packed=st.booleans(),
    mark=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_line_is_a_row_or_a_reject_at_its_place(
    tmp_path: Path, kinds: list[str], end: str, packed: bool, mark: bool
) -> None:
    """Against the file as it was put together: rows, their lines, and the lines that cannot be divided."""
    if all(kind == BLANK for kind in kinds):
        kinds = [*kinds, GOOD]
    made = lay_out(kinds, end)
    data = made.content.encode("utf-8-sig" if mark else "utf-8")
    raw = read(tmp_path, write(tmp_path, gzip.compress(data) if packed else data))
    rows = [(a, b.replace("\r\n", "\n").replace("\r", "\n"), c) for a, b, c in rows_of(raw)]
    assert rows == made.rows
    assert sorted(reject.line for reject in raw.malformed()) == made.rejects
    assert raw.files[0].line_numbers(range(len(rows))) == made.starts
    assert raw.files[0].line_numbers([len(rows) - 1] if rows else []) == made.starts[-1:]


def test_malformed_lines_say_what_was_found_and_no_value(tmp_path: Path) -> None:
    name = write(tmp_path, PLAIN + "Jane Doe,555 1234\n1,2,3,4,5\n4,2024-01-01,6\n")
    raw = read(tmp_path, name)
    assert len(rows_of(raw)) == 3
    few, many = raw.malformed()
    assert (few.file, few.line, few.column, few.reason) == (name, 4, "", "3 columns expected, 2 found")
    assert few.text == "xxxx xxx,999 9999"
    assert (many.line, many.reason) == (5, "3 columns expected, 5 found")


def test_malformed_lines_are_told_once_however_often_the_rows_are_read(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, PLAIN + "1\n"))
    assert raw.malformed() == []
    for _ in range(3):
        assert raw.rows.count().execute() == 2
    assert [reject.line for reject in raw.malformed()] == [4]


def test_long_lines_and_nul_bytes_are_rejects(tmp_path: Path) -> None:
    content = PLAIN + "3,2024-01-03," + "7" * 3_000_000 + "\n4,2024\0-01-03,8\n5,2024-01-03,9\n"
    raw = read(tmp_path, write(tmp_path, content))
    assert [row[0] for row in rows_of(raw)] == ["1", "2", "5"]
    assert {r.line: r.reason for r in raw.malformed()} == {
        4: "longer than 2 MB",
        5: "holds NUL bytes, which are no text",
    }
    assert all(len(reject.text) <= 200 for reject in raw.malformed())
    assert raw.files[0].line_numbers([2]) == [6]


def test_names_repeated_in_the_middle_are_rejects_not_rows(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, PLAIN + PLAIN + "\ufeff" + PLAIN))
    assert [row[0] for row in rows_of(raw)] == ["1", "2"] * 3
    assert [(r.line, r.reason, r.text) for r in raw.malformed()] == [
        (4, "header repeated", "xx,xxx,xxxxxx"),
        (7, "header repeated", "xx,xxx,xxxxxx"),
    ]
    assert raw.files[0].line_numbers([0, 2, 5]) == [2, 5, 9]


def test_line_ends_of_several_kinds_divide_alike(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, "a,b\n1,2\r\n3,4\r5,6\n7\r\n8,9"))
    assert rows_of(raw) == [("1", "2"), ("3", "4"), ("5", "6"), ("8", "9")]
    assert [reject.line for reject in raw.malformed()] == [5]
    assert raw.files[0].line_numbers([0, 1, 2, 3]) == [2, 3, 4, 6]


# -- quotation marks that are not closed


@pytest.mark.parametrize("lines", [40, 5_000])
@pytest.mark.parametrize("closed", [True, False])
def test_a_quotation_mark_that_swallows_records_stops_the_reading(tmp_path: Path, lines: int, closed: bool) -> None:
    body = [f"{i},x,5" for i in range(lines)]
    body[7] = '7,"x,5'
    if closed:
        body[-7] = f'{lines - 7},x",5'
    sentence = refusal(lambda: read(tmp_path, write(tmp_path, "\n".join(["id,text,amount", *body]))))
    assert "line 9 of 'orders.csv'" in sentence and "quotation mark" in sentence and "quote: ''" in sentence


def test_a_swallowed_line_is_a_reject_of_its_own(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, PLAIN + '3,"2024,5\n4,"2024-01-01",7\n5,2024-01-01,8\n'))
    assert [row[0] for row in rows_of(raw)] == ["1", "2", "5"]
    assert [(r.line, r.reason[:9]) for r in raw.malformed()] == [(4, "a quotati"), (5, "swallowed")]
    assert raw.files[0].line_numbers([0, 1, 2]) == [2, 3, 6]


def test_long_texts_in_a_cell_are_left_alone(tmp_path: Path) -> None:
    note = "\n".join(["Dear Sir, thank you", "and good bye"] * 200)
    raw = read(tmp_path, write(tmp_path, f'id,note,amount\n1,"{note}",5\n2,x,6\n'))
    assert rows_of(raw) == [("1", note, "5"), ("2", "x", "6")]
    assert raw.files[0].line_numbers([1]) == [402]


def test_quotation_marks_inside_cells_are_text_where_declared(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, 'id,size\n1,"5 inch\n2,6"\n'), quote="")
    assert rows_of(raw) == [("1", '"5 inch'), ("2", '6"')]


# -- several files


def test_archives_give_their_members(tmp_path: Path) -> None:
    junk = {"__MACOSX/._a.csv": "\0\1", ".DS_Store": "x", "folder/b.csv": PLAIN, "a.csv": PLAIN}
    buffer = zipped(**junk)
    raw = read(tmp_path, write(tmp_path, buffer, "two.zip"))
    assert [file.name for file in raw.files] == ["two.zip: a.csv", "two.zip: folder/b.csv"]
    assert len(rows_of(raw)) == 4
    raw = read(tmp_path, write(tmp_path, zipped(**{"inner.tsv": PLAIN.replace(",", "\t")}), "one.zip"))
    assert [file.name for file in raw.files] == ["one.zip"]
    assert len(rows_of(raw)) == 2


def place_in_file(raw: Raw) -> list[tuple[int, str]]:
    table = raw.rows.select("_file", "id").to_pyarrow()
    return list(zip(table["_file"].to_pylist(), table["id"].to_pylist(), strict=True))


def test_files_keep_their_order_whatever_their_columns(tmp_path: Path) -> None:
    write(tmp_path, "id,amount\n1,5\n\n2,6\n", "a.csv")
    write(tmp_path, "amount,id\n7,3\n8\n", "b.csv")
    write(tmp_path, "id,amount,shop\n4,9,x\n", "c.csv")
    write(tmp_path, "id,amount\nbad\n5,1\n6,2\n", "d.csv")
    raw = read(tmp_path, ["a.csv", "b.csv", "c.csv", "d.csv"])
    assert place_in_file(raw) == [(0, "1"), (0, "2"), (1, "3"), (2, "4"), (3, "5"), (3, "6")]
    assert raw.rows.amount.execute().tolist() == ["5", "6", "7", "9", "1", "2"]
    assert [(r.file, r.line) for r in raw.malformed()] == [("b.csv", 3), ("d.csv", 2)]
    assert [file.line_numbers([0]) for file in raw.files] == [[2], [2], [2], [3]]
    assert raw.files[0].line_numbers([1]) == [4]
    assert not raw.files[2].notes
    assert raw.files[0].notes == (
        "It lacks 'shop', which other files of the source have; these are empty for its rows.",
    )


def test_a_thousand_files_are_one_table(tmp_path: Path) -> None:
    names = [write(tmp_path, f"id,amount\n{i},1\n{i}b,2\n", f"{i:04}.csv") for i in range(1_000)]
    raw = read(tmp_path, names, ["id"])
    assert place_in_file(raw) == [(i, which) for i in range(1_000) for which in (f"{i}", f"{i}b")]
    assert raw.files[999].line_numbers([1]) == [3]


def test_files_that_alternate_in_columns_are_one_table(tmp_path: Path) -> None:
    names = [
        write(tmp_path, f"id,amount\n{i},1\n" if i % 2 else f"amount,id\n1,{i}\n", f"{i:03}.csv") for i in range(200)
    ]
    assert place_in_file(read(tmp_path, names)) == [(i, str(i)) for i in range(200)]


def test_a_column_called_like_the_engines_own_is_a_column(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write(tmp_path, "id,File_Index,filename,_file\n1,x,y,z\n", name)
    raw = read(tmp_path, ["a.csv", "b.csv"])
    assert place_in_file(raw) == [(0, "1"), (1, "1")]
    assert raw.rows.select("File_Index", "filename", "_file_1").execute().to_numpy().tolist() == [["x", "y", "z"]] * 2


def test_names_that_occur_twice_are_numbered(tmp_path: Path) -> None:
    raw = read(tmp_path, write(tmp_path, "id,Date,date,,\n1,2,3,4,5\n"))
    assert raw.rows.columns == ("id", "Date", "date_1", "column 4", "column 5", "_file")
    assert raw.files[0].notes == ("Column names that occur twice were numbered: 'date_1'.",)


def test_two_thousand_columns(tmp_path: Path) -> None:
    names = [f"column {i}" for i in range(2_000)]
    raw = read(tmp_path, write(tmp_path, ",".join(names) + "\n" + ",".join("5" for _ in names) + "\n1,2\n"))
    assert rows_of(raw) == [("5",) * 2_000]
    assert [(r.line, r.reason) for r in raw.malformed()] == [(3, "2,000 columns expected, 2 found")]


# -- bad files: a sentence that says what is wrong and what to do


TITLED = "Report\n\n" + PLAIN
BAD = {
    "empty": (b"", {}, "is empty"),
    "header only": (b"id,day,amount\n", {}, "has a header but no rows"),
    "header and blanks": (b"id,day,amount\n\n  \n", {}, "has a header but no rows"),
    "blank header": (b"\n" + PLAIN.encode(), {}, "declare header: 2"),
    "header beyond the end": (PLAIN.encode(), {"header": 9}, "fewer than 9 lines"),
    "truncated gz": (gzip.compress(PLAIN.encode() * 500)[:-40], {}, "ends in the middle: copy it again"),
    "damaged gz": (b"\x1f\x8b" + b"garbage" * 20, {}, "is damaged and cannot be unpacked: copy it again"),
    "damaged zip": (zipped(a=PLAIN * 50)[:-30], {}, "is damaged and cannot be unpacked: copy it again"),
    "empty zip": (zipped(), {}, "holds no file"),
    "zip of junk": (zipped(**{".DS_Store": "x"}), {}, "holds no file"),
    "workbook": (zipped(**{"[Content_Types].xml": "x"}), {}, "declare sources.transactions.layout: excel"),
    "Parquet": (b"PAR1" + bytes(50), {}, "is a Parquet file, not text: declare sources.transactions.layout: parquet"),
    "binary": (bytes(range(1, 32)) * 40, {}, "is not a text file: export it as CSV or Excel"),
    "zeros": (bytes(5_000), {}, "holds no readable text"),
    "semicolons": (PLAIN.replace(",", ";").encode(), {}, "looks divided by a semicolon: declare sources.tra"),
    "tabs": (PLAIN.replace(",", "\t").encode(), {}, 'declare sources.transactions.delimiter: "\\t"'),
    "other names": (b"id,Day,amount\n1,2,3\n", {}, "has no column 'day'; did you mean 'Day'?"),
    "title above": (TITLED.encode(), {}, "Line 3 holds all the names: declare sources.transactions.header: 3"),
    "open quote in names": (b'id,"day,amount\n' + b"1,2,3\n" * 60, {}, "a quotation mark is opened and not closed"),
    "too many names": (PLAIN.encode(), {"names": list("abcd")}, "has 3 columns, but sources.transactions.na"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    content, declared, expected = BAD[kind]
    sentence = refusal(lambda: read(tmp_path, write(tmp_path, content), ["id", "day", "amount"], **declared))
    assert "'orders.csv'" in sentence
    assert expected in sentence


def test_not_a_gz_but_called_one(tmp_path: Path) -> None:
    assert "damaged" in refusal(lambda: read(tmp_path, write(tmp_path, PLAIN, "orders.csv.gz")))


def test_locked_zip(tmp_path: Path) -> None:
    data = bytearray(zipped(a=PLAIN))
    data[6] |= 1  # the flag of encryption, in the member's header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "locked with a password" in refusal(lambda: read(tmp_path, write(tmp_path, bytes(data), "o.zip")))


def test_a_column_missing_in_one_file_is_named_with_it(tmp_path: Path) -> None:
    write(tmp_path, "id,amount\n1,2\n", "a.csv")
    write(tmp_path, "id,total\n1,2\n", "b.csv")
    assert "'b.csv' has no column 'amount'" in refusal(lambda: read(tmp_path, ["a.csv", "b.csv"], ["id", "amount"]))


@pytest.mark.parametrize("line", [1, 3])
def test_a_line_of_a_gigabyte_is_refused_in_little_memory(tmp_path: Path, line: int) -> None:
    path = tmp_path / "wide.csv"
    with path.open("wb") as file:
        file.write(b"id,amount\n1,2\n" if line == 3 else b"id,amount")
        for _ in range(1_024):
            file.write(b"x" * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sentence = refusal(lambda: read(tmp_path, "wide.csv"))
    assert sentence == (
        f"acme, transactions: line {line} of 'wide.csv' is longer than 8 MB, which no table's line is: "
        "export the file again with one record a line"
    )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes
    path.unlink()


# -- through the client


def test_a_damaged_file_leaves_nothing_in_the_cache(workbook: Workbook) -> None:
    workbook.write("acme", [("C1", "2024-01-01", 5)])
    data = workbook.root / "data" / "acme.csv"
    data.write_bytes(gzip.compress(data.read_bytes() * 200)[:-20])
    with pytest.raises(InputError, match="acme, transactions: the file 'data/acme.csv' ends in the middle"):
        workbook.open("acme")
    home = workbook.root / ".cache" / "acme"
    assert [path for path in home.rglob("*") if not path.name.endswith(".lock")] == []


def test_online_retail_is_read_line_for_line(real_data: Path, tmp_path: Path) -> None:
    places = [Place("online_retail.csv.gz", real_data / "online_retail.csv.gz")]
    raw = text.read(request(tmp_path), places, ["CustomerID", "Quantity"])
    rows = raw.rows
    facts = rows.aggregate(lines=rows.count(), nobody=rows.CustomerID.isnull().sum()).execute().iloc[0]
    assert (facts.lines, facts.nobody) == (541_909, 135_080)
    assert raw.malformed() == []
    assert raw.files[0].line_numbers([0, 541_908]) == [2, 541_910]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_line_ends_between_quotation_marks_are_counted_across_chunks(tmp_path: Path, seed: int) -> None:
    """Against a walk over every character."""
    weights = [0.02, 0.1, 0.88] if seed < 3 else [0.000002, 0.1, 0.9]
    content = "".join(random.Random(seed).choices('"\na', weights, k=2_300_000))
    write(tmp_path, content)
    inside, run, longest = False, 0, 0
    for character in content:
        inside ^= character == '"'
        if character == "\n":
            run = run + 1 if inside else 0
            longest = max(longest, run)
    found = survey(request(tmp_path), Place("orders.csv", tmp_path / "orders.csv"), "", Dialect(",", '"'))
    assert (found.longest_quoted, found.line_feeds) == (longest, content.count("\n"))


@pytest.mark.parametrize("shift", range(16))
def test_repeated_names_are_found_across_chunks(tmp_path: Path, shift: int) -> None:
    line = "1,2024-01-01,5\n"
    start = PLAIN + line * ((CHUNK - 200) // len(line))
    filler = "9" * (CHUNK - len(start) - shift - 3)
    raw = read(tmp_path, write(tmp_path, f"{start}{filler},,\n{PLAIN}"))
    assert [reject.reason for reject in raw.malformed()] == ["header repeated"]


# -- blanks around texts


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from('ab1 ",\t\n\r\v\xa0\ufeff;'), max_size=4)] * 2), min_size=1, max_size=6
    ),
    delimiter=st.sampled_from([",", ";", "\t", " "]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    start=st.sampled_from(["", "\ufeff"]),
)
def test_a_file_that_is_called_trimmed_has_no_blanks_around_any_text(
    tmp_path: Path, rows: list[tuple[str, str]], delimiter: str, end: str, quoting: int, start: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(
        [("id", "text"), *rows, ("9", "z")]
    )  # type: ignore[arg-type]
    raw = read(tmp_path, write(tmp_path, start + out.getvalue()), delimiter=delimiter)
    if raw.trimmed:
        assert all(cell is None or cell == cell.strip(BLANKS) != "" for row in rows_of(raw) for cell in row)


@pytest.mark.parametrize(
    ("content", "is_trimmed"),
    [
        (PLAIN, True),
        ("\ufeff" + PLAIN, True),
        ('id,text\n1,"a b,c"\n"",""\n', True),
        (PLAIN.replace(",", "\t").replace("01", "0 1"), True),
        ("id,text\n1, a\n", False),
        ("id,text\n1 ,a\n", False),
        ('id,text\n1," a"\n', False),
        ("id,text\n1,a \r\n", False),
        ("id,text\n1,a\t\n", False),
        ("id,text\n1,\u3000a\n", False),
        ('id,text\n1,"a\n"\n', False),
    ],
)
def test_whether_any_text_needs_to_be_trimmed(tmp_path: Path, content: str, is_trimmed: bool) -> None:
    raw = read(tmp_path, write(tmp_path, content, "a.tsv" if "\t0" in content or "id\t" in content else "a.csv"))
    assert raw.trimmed is is_trimmed
    if is_trimmed:
        assert "" not in {cell for row in rows_of(raw) for cell in row}


@pytest.mark.parametrize("place", [-3, -2, -1, 0])
@pytest.mark.parametrize("middle", ["a ,b", "a, b", "a b"])
def test_blanks_are_seen_across_chunks(tmp_path: Path, place: int, middle: str) -> None:
    write(tmp_path, "a" * (CHUNK + place) + middle + "\n")
    found = survey(request(tmp_path), Place("orders.csv", tmp_path / "orders.csv"), "", Dialect(",", '"'))
    assert found.loose_blanks is ("," in middle)
