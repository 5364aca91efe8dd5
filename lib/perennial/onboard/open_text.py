"""The beginning of a text file, unpacked and decoded: enough to see how it is laid out."""

import codecs
import gzip
import re
import zipfile
import zlib
from pathlib import Path

from perennial.errors import InputError

LOOKED_AT = 1_000_000  # bytes of the unpacked text; the readers check the whole file
_WIDE = re.compile(r"[\u4e00-\u9fff\uff01-\uff5e\u3000，。、；：！？（）【】《》￥]")  # characters and full-width forms
_MARKS = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]


def first_bytes(path: Path, size: int = LOOKED_AT) -> bytes:
    """The first bytes of a file, unpacked where it is gz or zip (of which the first file counts).

    Raises
    ------
    InputError
        When the file is not there, is empty, or cannot be unpacked.
    """
    try:
        head = path.open("rb").read(4)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                return file.read(size)
        if head == b"PK\x03\x04":
            with zipfile.ZipFile(path) as archive:
                inside = [name for name in archive.namelist() if not name.endswith("/")]
                with archive.open(inside[0]) as member:
                    return member.read(size)
        with path.open("rb") as plain:
            return plain.read(size)
    except OSError as error:
        raise InputError(f"the file '{path.name}' cannot be opened: {error.strerror or 'it is damaged'}") from None
    except (EOFError, zlib.error, zipfile.BadZipFile, IndexError):
        raise InputError(f"the file '{path.name}' is damaged or cut off: copy or export it again") from None


def decode(data: bytes, locale: str) -> tuple[str, str]:
    """Text and the encoding it is read by: a byte-order mark, else strict UTF-8, else the likeliest older one."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="ignore"), encoding
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data), "utf-8"  # the last character may be cut
    except UnicodeDecodeError:
        pass
    if locale == "zh" or looks_chinese(_not_utf8(data)):
        return data.decode("gb18030", errors="replace"), "gb18030"
    return data.decode("cp1252", errors="replace"), "cp1252"


def _not_utf8(data: bytes) -> bytes:
    """The lines that are not UTF-8: where encodings are mixed, a pair of bytes of UTF-8 passes for Chinese."""
    lines = data.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.isascii() and not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def looks_chinese(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 decode as GB18030, and most of what is beyond ASCII is Chinese characters."""
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(data)
    except UnicodeDecodeError:
        return False
    beyond = [letter for letter in text if letter > "\x7f"]
    common = [letter for letter in beyond if _WIDE.match(letter)]
    # cp1252 letters stand alone among ASCII; read as pairs they swallow it, and give rare characters
    usual = [letter for letter in common if _level_one(letter)]
    return bool(beyond) and len(common) >= 0.9 * len(beyond) and len(usual) >= 0.5 * len(beyond)


def _level_one(letter: str) -> bool:
    """Whether a character is among the 3 755 usual ones of GB2312 (rows 16 to 55) or its punctuation."""
    try:
        pair = letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(pair) == 2 and (0xB0 <= pair[0] <= 0xD7 or 0xA1 <= pair[0] <= 0xA3)
