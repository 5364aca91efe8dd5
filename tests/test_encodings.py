"""Text reads the same whatever it was saved in; what cannot be read is named with its line."""

from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from conftest import Workbook
from perennial.errors import InputError
from perennial.tables.files.encodings import first_undecodable
from perennial.tables.files.unpack import CHUNK
from text_files import read, rows_of

CHINESE = "会员,商品,金额\n" + "".join(f"王{i},强力感冒灵颗粒,{i}\n" for i in range(30))
OTHERS = {
    "zh": (CHINESE, "gb18030", "GB18030"),
    "zh_tw": ("會員,商品\n王小明,電腦\n", "big5", "Big5"),
    "ja": ("会員,商品\n田中さん,りんごジュース\n", "cp932", "CP932"),
    "ko": ("회원,상품\n김철수,사과\n", "cp949", "CP949"),
    "ru": ("клиент,товар\nИванов,яблоки\n", "cp1251", "Windows-1251"),
    "uk": ("клієнт,товар\nШевченко,їжак\n", "cp1251", "Windows-1251"),
    "pl": ("klient,zakup\nWałęsa,żółć\n", "cp1250", "Windows-1250"),
    "el": ("πελάτης,είδος\nΓιώργος,μήλο\n", "cp1253", "Windows-1253"),
    "tr": ("müşteri,ürün\nİşık,şeker\n", "cp1254", "Windows-1254"),
    "de": ("Käufer,Straße\nMüller,Grün – 5 €\n", "cp1252", "Windows-1252"),
}


def cells(text: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(",")) for line in text.splitlines()[1:]]


@pytest.mark.parametrize("locale", OTHERS)
def test_what_is_not_utf8_is_read_by_the_locale(tmp_path: Path, locale: str) -> None:
    content, encoding, called = OTHERS[locale]
    data = content.encode(encoding)
    (tmp_path / "orders.csv").write_bytes(data)
    raw = read(tmp_path, "orders.csv", content.splitlines()[0].split(","), locale=locale)
    assert rows_of(raw) == cells(content)
    assert raw.files[0].encoding == f"{called} (not UTF-8; fallback for locale {locale})"
    assert (tmp_path / "orders.csv").read_bytes() == data


@pytest.mark.parametrize(
    ("encoding", "called"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16")],
)
@pytest.mark.parametrize("locale", ["zh", "de"])
def test_unicode_is_recognised_under_every_locale(tmp_path: Path, encoding: str, called: str, locale: str) -> None:
    (tmp_path / "orders.csv").write_bytes(CHINESE.encode(encoding))
    raw = read(tmp_path, "orders.csv", ["会员", "金额"], locale=locale)
    assert rows_of(raw) == [(row[0], row[2]) for row in cells(CHINESE)]
    assert raw.files[0].encoding == called


@pytest.mark.parametrize(
    ("declared", "saved", "called"),
    [
        ("gbk", "gb18030", "GB18030 (declared)"),
        ("GB2312", "gb18030", "GB18030 (declared)"),
        ("utf-8", "utf-8-sig", "UTF-8 (declared)"),
        ("utf-16-le", "utf-16-le", "UTF-16-LE (declared)"),
    ],
)
def test_a_declared_encoding_is_used(tmp_path: Path, declared: str, saved: str, called: str) -> None:
    (tmp_path / "orders.csv").write_bytes(CHINESE.encode(saved))
    raw = read(tmp_path, "orders.csv", encoding=declared, locale="de")
    assert rows_of(raw) == cells(CHINESE)
    assert raw.files[0].encoding == called
    assert raw.files[0].line_numbers([0, 29]) == [2, 31]


@pytest.mark.parametrize(
    ("declared", "content", "said"),
    [
        ("utf-8", b"a,b\n1,2\n3,x\xff\n", "UTF-8 (declared): byte 4 of line 3"),
        ("gb18030", b"a,b\n1,\xff2\n", "GB18030 (declared): byte 3 of line 2"),
        (None, b"a,b\r\n1,2\r\n\x81,4\r\n", "Windows-1252 (not UTF-8; fallback for locale en): byte 1 of line 3"),
        (None, b"\xef\xbb\xbfa,b\n1,\xe9t\xe9\n", "UTF-8 (named by its first bytes): byte 3 of line 2"),
        ("klingon", b"a,b\n1,2\n", "'klingon' is no encoding that is known"),
        ("base64", b"a,b\n1,2\n", "'base64' is no encoding that is known"),
    ],
)
def test_what_cannot_be_decoded_is_named(tmp_path: Path, declared: str | None, content: bytes, said: str) -> None:
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read(tmp_path, "orders.csv", encoding=declared)
    assert str(refused.value).startswith("acme, transactions: ")
    assert said in str(refused.value)
    assert "sources.transactions.encoding" in str(refused.value)


@pytest.mark.parametrize(
    ("encoding", "character"), [("utf-8", "é"), ("utf-8", "款"), ("utf-8", "😀"), ("gb18030", "款"), ("cp949", "款")]
)
def test_a_character_across_two_chunks_is_whole_and_a_bad_byte_is_found_behind_it(
    tmp_path: Path, encoding: str, character: str
) -> None:
    path = tmp_path / "a.txt"
    wide = character.encode(encoding)
    for shift in range(1, len(wide)):
        start = b"x" * (CHUNK - shift)
        path.write_bytes(start + wide + b"y")
        taken: list[str] = []
        assert first_undecodable(path, encoding, taken.append) is None
        assert "".join(taken) == start.decode() + character + "y"
        path.write_bytes(start + wide + b"\xff\xff\xff\xff")
        assert first_undecodable(path, encoding) == len(start + wide)
        path.write_bytes(start + wide[:-1])
        assert first_undecodable(path, encoding) == len(start)


@pytest.mark.parametrize("locale", ["zh", "ja", "de", "ru"])
@pytest.mark.parametrize("utf8_first", [True, False])
def test_mixed_encodings_are_refused_with_a_line_of_each(tmp_path: Path, locale: str, utf8_first: bool) -> None:
    content, encoding, called = OTHERS[locale]
    one, other = content.encode(), content.encode(encoding).split(b"\n", 1)[1]
    if not utf8_first:
        one, other = content.encode(encoding), content.encode().split(b"\n", 1)[1]
    (tmp_path / "orders.csv").write_bytes(one + other)
    second = one.count(b"\n") + 1
    utf8, rest = (1, second) if utf8_first else (second, 1)
    with pytest.raises(InputError) as refused:
        read(tmp_path, "orders.csv", locale=locale)
    assert f"'orders.csv' mixes encodings: line {utf8} is UTF-8, line {rest} is not" in str(refused.value)
    assert f"sources.transactions.encoding: {encoding}" in str(refused.value)


def test_national_text_that_is_utf8_by_accident_is_not_called_mixed(tmp_path: Path) -> None:
    accident = "模".encode("gb18030")
    assert accident.decode("utf-8")  # the two bytes are also one letter of UTF-8
    content = CHINESE + "模,模,1\n" * 200
    (tmp_path / "orders.csv").write_bytes(content.encode("gb18030"))
    assert rows_of(read(tmp_path, "orders.csv", locale="zh")) == cells(content)


def test_names_garbled_by_a_wrong_fallback_are_explained(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes("会员,商品\n1,2\n".encode("gb18030"))
    with pytest.raises(InputError) as refused:
        read(tmp_path, "orders.csv", ["会员"], locale="en")
    assert "'orders.csv' has no column '会员'" in str(refused.value)
    assert "read as Windows-1252 (not UTF-8; fallback for locale en)" in str(refused.value)
    assert "declare sources.transactions.encoding" in str(refused.value)


def test_the_pharmacys_two_encodings_hold_the_same_records(real_data: Path, tmp_path: Path) -> None:
    given = real_data / "chaoyang_pharmacy_2018_gb18030.csv"
    (tmp_path / "gb.csv").write_bytes(given.read_bytes())
    (tmp_path / "utf8.csv").write_text(given.read_text(encoding="gb18030"), encoding="utf-8")
    national, universal = (read(tmp_path, name, locale="zh") for name in ("gb.csv", "utf8.csv"))
    assert national.files[0].encoding.startswith("GB18030 (not UTF-8")
    assert universal.files[0].encoding == "UTF-8"
    rows = rows_of(national)
    assert len(rows) == 6_578
    assert rows == rows_of(universal)


def test_a_client_whose_files_are_gb18030_has_the_same_tables(workbook: Workbook) -> None:
    """From parameters to canonical tables, against the same text in UTF-8."""
    lines = [
        "编号,日期,金额",
        *(f"会员{i % 7}号,2024-01-{i % 28 + 1:02},{i}.50" for i in range(200)),
        "会员1号,2024-02-01",
    ]
    columns = {"customer_id": "编号", "ordered_at": "日期", "amount": "金额"}
    tables = []
    for name, encoding in (("national", "gb18030"), ("universal", "utf-8")):
        (workbook.root / "data" / f"{name}.csv").write_bytes("\r\n".join(lines).encode(encoding))
        source = {"path": f"data/{name}.csv", "columns": columns}
        workbook.write_yaml(name, {"title": name, "currency": "CNY", "as_of": "2024-12-31", "locale": "zh",
                                   "sources": {"transactions": source}})  # fmt: skip
        tables.append(workbook.open(name).transactions.execute())
    assert len(tables[0]) == 200
    assert_frame_equal(*tables)
