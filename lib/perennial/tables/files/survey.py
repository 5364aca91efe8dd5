"""One quick look through a text file in UTF-8: what its bytes allow before the engine divides it into cells."""

from codecs import BOM_UTF8
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perennial.tables.files.header_line import Dialect
from perennial.tables.files.raw import Place
from perennial.tables.files.request import Request
from perennial.tables.files.unpack import LONGEST_LINE, chunks, line_too_long

Bytes = npt.NDArray[np.uint8]
Marked = npt.NDArray[np.bool_]
_FEED, _RETURN, _SPACE = 10, 13, 32


@dataclass
class Survey:
    """Facts of a file's bytes.

    Attributes
    ----------
    line_feeds, returns, pairs : how many ``\\n``, ``\\r`` and ``\\r\\n`` there are.
    nul : whether there is any NUL byte.
    header_again : whether the line of the names may stand in it a second time.
    loose_blanks : whether a blank may stand at the edge of a cell: a space beside what ends cells, or any other blank.
    longest_quoted : most line ends in a row that quotation marks would enclose, counted without dividing into cells;
        0 means that every line is a record, a blank line, or malformed.
    """

    line_feeds: int = 0
    returns: int = 0
    pairs: int = 0
    nul: bool = False
    header_again: bool = False
    loose_blanks: bool = False
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

    @property
    def trimmed(self) -> bool:
        """Whether no cell has blanks around its text; enclosed by quotation marks, line ends are blanks too."""
        return not (self.loose_blanks or self.longest_quoted or self.mixed)


def survey(request: Request, place: Place, header: str, dialect: Dialect) -> Survey:
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
    marks, lengths = _Marks(found, dialect), _Lengths()
    quotes, again = _Quotes(dialect.quote.encode()), _Again(header.strip().encode())
    with place.path.open("rb") as file:
        for chunk in chunks(file):
            data: Bytes = np.frombuffer(chunk, np.uint8)
            line_end = b"\n" if b"\n" in chunk else b"\r"
            if lengths.add(chunk, line_end):
                raise line_too_long(request, place.name, 1 + (found.line_feeds or found.returns))
            marks.add(chunk, data)
            quotes.add(chunk, data, line_end)
            again.add(chunk)
    found.longest_quoted, found.header_again = quotes.longest, again.times > 1
    if quotes.seen and dialect.delimiter.isspace():  # one at the edge of a quoted cell looks like one that delimits
        found.loose_blanks = True
    return found


class _Marks:
    """Counts the marks that end lines, and looks beside each space for an end of its cell.

    A comparison of all bytes costs less than finding the places where it holds, as long as it is written into memory
    that is there.
    """

    def __init__(self, found: Survey, dialect: Dialect) -> None:
        self.found, self.last = found, b""
        self.blanks = [ord(blank) for blank in "\t\v\f" if blank not in dialect.delimiter]
        self.ends_cell = f"{dialect.delimiter}{dialect.quote}".encode()  # beside what ends a line
        self.memory: list[Marked] = []
        found.loose_blanks = not dialect.delimiter

    def add(self, chunk: bytes, data: Bytes) -> None:
        found = self.found
        if not self.memory:  # no chunk is longer than the first
            self.memory = [np.empty(data.size, np.bool_) for _ in range(3)]
        ends, spaces, compared = (part[: data.size] for part in self.memory)
        feeds = int(np.count_nonzero(np.equal(data, _FEED, out=compared)))
        found.line_feeds += feeds
        found.pairs += self.last == b"\r" and chunk[:1] == b"\n"
        if np.count_nonzero(np.less_equal(data, _RETURN, out=ends)) > feeds:
            self._note_others(chunk)
        if not found.loose_blanks:
            self._look_at_the_rest(chunk)
        if not found.loose_blanks and np.equal(data, _SPACE, out=spaces).any():
            for byte in filter(chunk.__contains__, self.ends_cell):
                ends |= np.equal(data, byte, out=compared)
            after = np.logical_and(ends[:-1], spaces[1:], out=compared[1:]).any()
            before = np.logical_and(spaces[:-1], ends[1:], out=compared[1:]).any()
            found.loose_blanks = bool(after or before)
        self.last = chunk[-1:]

    def _note_others(self, chunk: bytes) -> None:
        found = self.found
        found.nul = found.nul or 0 in chunk
        found.loose_blanks = found.loose_blanks or any(blank in chunk for blank in self.blanks)
        found.returns += chunk.count(b"\r")
        found.pairs += chunk.count(b"\r\n")

    def _look_at_the_rest(self, chunk: bytes) -> None:
        """Any blank beyond ASCII, or a space across the seam of two chunks."""
        is_ascii = (chunk if self.last else chunk.removeprefix(BOM_UTF8)).isascii()
        seam = self.last + chunk[:1]
        across = _SPACE in seam and any(byte <= _RETURN or byte in self.ends_cell for byte in seam)
        self.found.loose_blanks = across or not is_ascii


class _Lengths:
    """Finds a line beyond the limit; lines within a chunk are below it."""

    def __init__(self) -> None:
        self.open = 0

    def add(self, chunk: bytes, line_end: bytes) -> bool:
        first = chunk.find(line_end)
        if self.open + (len(chunk) if first < 0 else first) > LONGEST_LINE:
            return True
        self.open = self.open + len(chunk) if first < 0 else len(chunk) - chunk.rfind(line_end) - 1
        return False


class _Quotes:
    """Follows whether an odd number of quotation marks has gone before each line end."""

    def __init__(self, mark: bytes) -> None:
        self.mark, self.inside, self.run, self.longest, self.seen = mark, 0, 0, 0, False

    def add(self, chunk: bytes, data: Bytes, line_end: bytes) -> None:
        if not self.mark or (not self.inside and self.mark not in chunk):
            return
        self.seen = True
        ends = np.flatnonzero(data == line_end[0])
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
