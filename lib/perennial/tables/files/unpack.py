"""A file that is there → the plain text files in it: itself, what a gz holds, or the members of a zip."""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from perennial.tables.files.raw import Place
from perennial.tables.files.request import Request

CHUNK = 2**20  # bytes read at a time
LONGEST_LINE = 8 * 2**20  # bytes; nothing beyond is kept in memory
_GZIP, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06"
_OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "excel"),
    b"PAR1": ("a Parquet file", "parquet"),
    b"SQLite format 3": ("a SQLite file", "sqlite"),
    b"%PDF": ("a PDF document", ""),
    _ZIP: ("a zip archive", ""),
    _GZIP: ("a gzip file", ""),
    b"\x89PNG": ("a picture", ""),
    b"\xff\xd8\xff": ("a picture", ""),
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Plain:
    """A text file as bytes: ``name`` as it is shown, ``inner`` the name without ``.gz`` or inside the zip."""

    name: str
    inner: str
    path: Path


def scratch_file(request: Request) -> Path:
    """A new empty file in the request's scratch folder."""
    with tempfile.NamedTemporaryFile(dir=request.scratch, prefix="text_", delete=False) as file:
        return Path(file.name)


def chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """A file's bytes in pieces that fit in memory."""
    while chunk := file.read(CHUNK):
        yield chunk


def unpack(request: Request, place: Place) -> list[Plain]:
    """The plain files of a place, in the order of their names.

    Raises
    ------
    InputError
        When the archive is truncated, damaged, locked or empty, or what it holds is no text.
    """
    try:
        return _open(request, place)
    except EOFError:
        raise request.error(f"the file '{place.name}' ends in the middle: copy it again") from None
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error):
        raise request.error(f"the file '{place.name}' is damaged and cannot be unpacked: copy it again") from None
    except (RuntimeError, NotImplementedError):  # what zipfile says of passwords and of other compressions
        raise request.error(f"the zip '{place.name}' is locked with a password or packed in a way that cannot be "
                            "read: unpack it and give the files in it") from None  # fmt: skip
    except OSError as error:
        raise request.error(f"the file '{place.name}' cannot be opened: {error.strerror}") from None


def _open(request: Request, place: Place) -> list[Plain]:
    with place.path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(_GZIP):
            inner = place.path.name.removesuffix(".gz")
            with gzip.open(file) as stream:
                return [Plain(place.name, inner, _copied(request, place.name, stream))]
        if start in (_ZIP, _EMPTY_ZIP):
            with zipfile.ZipFile(file) as archive:
                return _members(request, place, archive)
        if place.path.suffix.lower() in (".gz", ".zip"):
            raise zlib.error
        _check_start(request, place.name, file.read(LONGEST_LINE + 1))
        return [Plain(place.name, place.path.name, place.path)]


def _members(request: Request, place: Place, archive: zipfile.ZipFile) -> list[Plain]:
    names = sorted(name for name in archive.namelist() if not _is_junk(name))
    if "[Content_Types].xml" in names:
        raise request.error(f"'{place.name}' is an Excel workbook: declare {_key(request)}.layout: excel")
    if not names:
        raise request.error(f"the zip '{place.name}' holds no file")
    found = []
    for name in names:
        shown = f"{place.name}: {name}" if len(names) > 1 else place.name
        with archive.open(name) as stream:
            found.append(Plain(shown, PurePosixPath(name).name, _copied(request, shown, stream)))
    return found


def _is_junk(name: str) -> bool:
    """Whether an archive's entry is a folder, or what macOS and Windows leave in every folder."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts)
    return name.endswith("/") or hidden or "__MACOSX" in path.parts or path.name in ("Thumbs.db", "desktop.ini")


def _copied(request: Request, name: str, stream: IO[bytes] | gzip.GzipFile) -> Path:
    head = stream.read(LONGEST_LINE + 1)
    _check_start(request, name, head)
    target = scratch_file(request)
    with target.open("wb") as copy:
        copy.write(head)
        for chunk in chunks(stream):
            copy.write(chunk)
    return target


def _check_start(request: Request, name: str, head: bytes) -> None:
    """Refuse what is empty, no text, or one endless line, before anything more is read."""
    if not head:
        raise request.error(f"the file '{name}' is empty: export it again")
    for magic, (kind, layout) in _OTHER_KINDS.items():
        if head.startswith(magic):
            advice = f"declare {_key(request)}.layout: {layout}" if layout else "give the table as text or Excel"
            raise request.error(f"the file '{name}' is {kind}, not text: {advice}")
    sample = head[:4096]
    wide = head.startswith(_UTF_16) or "16" in (request.source.encoding or "")
    if not wide and sample.count(0) * 4 > len(sample):
        raise request.error(f"the file '{name}' holds no readable text; if it is text of two bytes a character, "
                            f"declare {_key(request)}.encoding: utf-16-le")  # fmt: skip
    control = sum(byte < 9 or 13 < byte < 27 for byte in sample)
    if not wide and control * 20 > len(sample):
        raise request.error(f"the file '{name}' is not a text file: export it as CSV or Excel")
    if len(head) > LONGEST_LINE and b"\n" not in head and b"\r" not in head:
        raise line_too_long(request, name, 1)


def line_too_long(request: Request, name: str, line: int) -> Exception:
    """The sentence about a line no table has."""
    size = LONGEST_LINE // 2**20
    return request.error(f"line {line:,} of '{name}' is longer than {size} MB, which no table's line is: "
                         "export the file again with one record a line")  # fmt: skip


def _key(request: Request) -> str:
    return f"sources.{request.table}"
