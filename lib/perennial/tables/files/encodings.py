"""Text in any encoding → UTF-8: declared, else UTF-8 where every byte fits, else what the client's locale suggests."""

import codecs
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path

from perennial.errors import InputError
from perennial.tables.files.request import Request
from perennial.tables.files.unpack import CHUNK, LONGEST_LINE, Plain, chunks, line_too_long, scratch_file

FALLBACKS = {
    "zh": "gb18030", "zh_tw": "cp950", "ja": "cp932", "ko": "cp949", "ru": "cp1251", "uk": "cp1251",
    "pl": "cp1250", "cs": "cp1250", "hu": "cp1250", "el": "cp1253", "tr": "cp1254",
}  # fmt: skip
# Programs write the larger set under the smaller one's name.
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950", "shift_jis": "cp932", "euc_kr": "cp949"}
_SHOWN = {"gb18030": "GB18030", "cp950": "Big5", "utf-8": "UTF-8", "utf-16": "UTF-16"}
_ONE_BYTE = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254")
_MIXED_SHARE = 0.01  # of the lines beyond ASCII
_BLOCKS_READ_WHOLE, _THEN_EVERY = 20, 16  # how much of a long file is looked at for mixed encodings


def to_utf8(request: Request, plain: Plain) -> tuple[Path, str]:
    """A file with the same text in UTF-8 (itself where it is), and a few words on how it was read.

    Raises
    ------
    InputError
        When a byte fits neither, with its line and place, or when lines are in different encodings.
    """
    declared = request.source.encoding
    if declared:
        encoding = _known(request, declared)
        return _as_utf8(request, plain, encoding, "declared"), f"{shown(encoding)} (declared)"
    with plain.path.open("rb") as file:
        start = file.read(3)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _as_utf8(request, plain, "utf-16", "named by its first bytes"), "UTF-16"
    wrong = first_undecodable(plain.path, "utf-8")
    if wrong is None:
        return plain.path, "UTF-8"
    fallback = FALLBACKS.get(request.locale, "cp1252")
    refuse_mixed(request, plain, fallback)
    if start == codecs.BOM_UTF8:
        raise _undecodable(request, plain, "utf-8", "named by its first bytes", wrong)
    why = f"not UTF-8; fallback for locale {request.locale}"
    return _as_utf8(request, plain, fallback, why), f"{shown(fallback)} ({why})"


def shown(encoding: str) -> str:
    """An encoding's name as readers know it."""
    return _SHOWN.get(encoding, encoding.upper().replace("CP125", "Windows-125"))


def _known(request: Request, declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
        "".encode(name)  # refuses codecs that are not of text
    except LookupError:
        raise request.error(f"sources.{request.table}.encoding: '{declared}' is no encoding that is known; "
                            "examples: utf-8, gb18030, big5, cp932, cp1252") from None  # fmt: skip
    return "utf-8" if name == "utf-8-sig" else _LARGER.get(name, name)


def _as_utf8(request: Request, plain: Plain, encoding: str, why: str) -> Path:
    if encoding == "utf-8":
        wrong = first_undecodable(plain.path, encoding)
        target = plain.path
    else:
        target = scratch_file(request)
        with target.open("wb") as copy:
            wrong = first_undecodable(plain.path, encoding, lambda text: copy.write(text.encode()))
    if wrong is not None:
        raise _undecodable(request, plain, encoding, why, wrong)
    return target


def first_undecodable(path: Path, encoding: str, take: Callable[[str], object] | None = None) -> int | None:
    """The place of the first byte that does not fit, from 0, or None; all text before it is given to ``take``."""
    decoder = codecs.getincrementaldecoder(encoding)()
    skips_ascii = take is None and encoding == "utf-8"
    place, held = 0, 0  # bytes decoded or held; bytes of a character that goes on in the next chunk
    with path.open("rb") as file:
        for chunk in chain(chunks(file), [b""]):
            if skips_ascii and not held and chunk and chunk.isascii():
                place += len(chunk)
                continue
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return place - held + error.start
            if take is not None:
                take(text)
            place += len(chunk)
            held = len(decoder.getstate()[0])
    return None


def _undecodable(request: Request, plain: Plain, encoding: str, why: str, place: int) -> InputError:
    """The sentence about a byte no text has: its line, and its place in the line."""
    line, before = 1, 0
    with plain.path.open("rb") as file:
        for chunk in chunks(file):
            part = chunk[: place - before]
            line += part.count(b"\n")
            before += len(part)
            if before == place:
                break
        file.seek(max(0, place - LONGEST_LINE))
        last = file.read(min(place, LONGEST_LINE)).rfind(b"\n")
    byte = min(place, LONGEST_LINE) - last
    return request.error(
        f"'{plain.name}' cannot be read as {shown(encoding)} ({why}): byte {byte:,} of line {line:,} is no text in it. "
        f"Declare sources.{request.table}.encoding as what the file was saved in (for example gb18030, big5, cp1252)"
    )


def refuse_mixed(request: Request, plain: Plain, fallback: str) -> None:
    """Refuse a file that is not UTF-8 as a whole but has lines that cannot be anything else.

    Raises
    ------
    InputError
        With a line of either kind.
    """
    several = fallback not in _ONE_BYTE
    first_utf8 = first_other = utf8 = beyond = 0
    for number, line in _lines_beyond_ascii(request, plain):
        beyond += 1
        try:
            text = line.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        except UnicodeDecodeError:
            first_other = first_other or number
            continue
        # Two or three characters of a national encoding can be valid UTF-8 by accident; four wide ones are not.
        if text.isascii():
            continue
        if sum(char >= "\u0800" for char in text) >= 4 or not several:
            utf8 += 1
            first_utf8 = first_utf8 or number
    if utf8 and first_other and utf8 >= _MIXED_SHARE * beyond:
        raise request.error(
            f"'{plain.name}' mixes encodings: line {first_utf8:,} is UTF-8, line {first_other:,} is not. Save every "
            f"part of it in one encoding; where it is {shown(fallback)} after all, declare "
            f"sources.{request.table}.encoding: {fallback}"
        )


def _lines_beyond_ascii(request: Request, plain: Plain) -> Iterator[tuple[int, bytes]]:
    """Numbered lines with any byte beyond ASCII: all of the first blocks, then those of every sixteenth block."""
    number = 0
    with plain.path.open("rb") as file:
        for block in count():
            lines = file.readlines(CHUNK // 4) if block else [file.readline(LONGEST_LINE + 1)]
            if not lines or not lines[0]:
                return
            if len(lines[0]) > LONGEST_LINE:
                raise line_too_long(request, plain.name, number + 1)
            if block < _BLOCKS_READ_WHOLE or block % _THEN_EVERY == 0:
                yield from ((number + i, line) for i, line in enumerate(lines, 1) if not line.isascii())
            number += len(lines)
