"""One quick look through a text file in UTF-8: what its bytes allow before the engine divides it into cells."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perennial.tables.files.raw import Place
from perennial.tables.files.request import Request
from perennial.tables.files.unpack import LONGEST_LINE, chunks, line_too_long

Bytes = npt.NDArray[np.uint8]


@dataclass
class Survey:
    """Facts of a file's bytes.

    Attributes
    ----------
    line_feeds, returns, pairs : how many ``\\n``, ``\\r`` and ``\\r\\n`` there are.
    nul : whether there is any NUL byte.
    header_again : whether the line of the names may stand in it a second time.
    longest_quoted : most line ends in a row that quotation marks would enclose, counted without dividing into cells;
        0 means that every line is a record, a blank line, or malformed.
    """

    line_feeds: int = 0
    returns: int = 0
    pairs: int = 0
    nul: bool = False
    header_again: bool = False
    longest_quoted: int = 0

    @property
    def newline(self) -> bytes:
        """The byte that lines are counted by."""
        return b"\r" if self.returns and not self.line_feeds else b"\n"

    @property
    def line_end(self) -> bytes:
        """The bytes that end lines."""
        return b"\r\n" if self.pairs else self.newline

    @property
    def mixed(self) -> bool:
        """Whether lines end in more than one way."""
        kinds = (self.line_feeds - self.pairs, self.returns - self.pairs, self.pairs)
        return sum(kind > 0 for kind in kinds) > 1


def survey(request: Request, place: Place, header: str, quote: str) -> Survey:
    """Look through a file once, a megabyte at a time.

    Parameters
    ----------
    header : the line of the names, to be found again.

    Raises
    ------
    InputError
        When a line is longer than a table's line can be.
    """
    found = Survey()
    quotes, lengths, again = _Quotes(quote.encode()), _Lengths(), _Again(header.strip().encode())
    last = b""
    with place.path.open("rb") as file:
        for chunk in chunks(file):
            data: Bytes = np.frombuffer(chunk, np.uint8)
            ends = np.flatnonzero(data == 10)
            found.line_feeds += len(ends)
            if b"\r" in chunk or last == b"\r":
                found.returns += chunk.count(b"\r")
                found.pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
            found.nul = found.nul or b"\0" in chunk
            if not len(ends) and b"\r" in chunk:
                ends = np.flatnonzero(data == 13)
            if lengths.add(len(chunk), ends):
                raise line_too_long(request, place.name, lengths.lines)
            quotes.add(chunk, data, ends)
            again.add(chunk)
            last = chunk[-1:]
    found.longest_quoted, found.header_again = quotes.longest, again.times > 1
    return found


class _Lengths:
    """Finds a line beyond the limit; lines within a chunk are below it."""

    def __init__(self) -> None:
        self.lines, self.open = 1, 0

    def add(self, size: int, ends: npt.NDArray[np.intp]) -> bool:
        first = int(ends[0]) if len(ends) else size
        if self.open + first > LONGEST_LINE:
            return True
        self.open = size - int(ends[-1]) - 1 if len(ends) else self.open + size
        self.lines += len(ends)
        return False


class _Quotes:
    """Follows whether an odd number of quotation marks has gone before each line end."""

    def __init__(self, mark: bytes) -> None:
        self.mark, self.inside, self.run, self.longest = mark, 0, 0, 0

    def add(self, chunk: bytes, data: Bytes, ends: npt.NDArray[np.intp]) -> None:
        if not self.mark or (not self.inside and self.mark not in chunk):
            return
        marks = (data == self.mark[0]).view(np.uint8)
        between = np.add.reduceat(marks, np.concatenate(([0], ends)), dtype=np.uint8)  # of line ends; wraps at 256
        before = np.cumsum(between, dtype=np.uint8)  # only odd or even matters
        odd = (before[:-1] + np.uint8(self.inside)) & 1
        self.inside = (self.inside + int(before[-1])) & 1
        if not len(odd):
            return
        even = np.flatnonzero(odd == 0)
        if not len(even):
            self.run += len(odd)
        else:
            inner = int(np.diff(even).max()) - 1 if len(even) > 1 else 0
            self.longest = max(self.longest, self.run + int(even[0]), inner)
            self.run = len(odd) - int(even[-1]) - 1
        self.longest = max(self.longest, self.run)


class _Again:
    """Counts where the line of the names stands, also across the seam of two chunks."""

    def __init__(self, line: bytes) -> None:
        self.line, self.times, self.tail = line, 0, b""

    def add(self, chunk: bytes) -> None:
        if not self.line or self.times > 1:
            return
        self.times += chunk.count(self.line)
        keep = len(self.line) - 1
        seam = self.tail + chunk[:keep]
        self.times += keep > 0 and seam.count(self.line)
        self.tail = chunk[-keep:] if keep else b""
