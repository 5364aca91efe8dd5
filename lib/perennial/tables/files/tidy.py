"""A copy of a text file that the engine can divide: one kind of line end, and lines that are no data left blank."""

from dataclasses import replace
from pathlib import Path

from perennial.tables.files.header_line import Header
from perennial.tables.files.masking import masked
from perennial.tables.files.raw import Place, Reject
from perennial.tables.files.request import Request
from perennial.tables.files.survey import Survey
from perennial.tables.files.unpack import scratch_file


def tidied(request: Request, place: Place, header: Header, found: Survey) -> tuple[Path, Survey, list[Reject]]:
    """The file itself where nothing stands in the way, else a copy with the same number of lines.

    Returns
    -------
    The file to read, its facts, and the lines left blank in it: those with NUL bytes, and the names repeated.
    """
    if header.plain and not (found.mixed or found.nul or found.header_again):
        return place.path, found, []
    target = scratch_file(request)
    names = header.line.strip()
    rejects = []
    with (
        place.path.open(encoding="utf-8-sig", newline=None) as lines,
        target.open("w", encoding="utf-8", newline="\n") as copy,
    ):
        for number, line in enumerate(lines, 1):
            reason = _reason(line, names) if number > header.above else ""
            if reason:
                rejects.append(Reject(place.name, number, "", masked(line), reason))
            copy.write("\n" if reason or number <= header.above else line)
    # a line end that was of another kind may have become the edge of a quoted cell
    one_kind = replace(found, returns=0, pairs=0, line_feeds=found.line_feeds or found.returns, loose_blanks=True)
    return target, one_kind, rejects


def _reason(line: str, names: str) -> str:
    if "\0" in line:
        return "holds NUL bytes, which are no text"
    return "header repeated" if names and line.strip(" \t\r\n\ufeff") == names else ""
