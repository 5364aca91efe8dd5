"""What a reader is asked for: whose file, for which table, declared how."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ibis.backends.duckdb import Backend

from perennial.errors import InputError
from perennial.parameters import Source

# years and months can be columns' names
_VALUE = re.compile(r"(?!(?:19|20)\d\d(?:[-/.]\d\d)?$)[\d\s.,:/+()€$£¥-]*\d[\d\s.,:/+()€$£¥-]*")
_LONGEST_NAME = 200  # characters of a column's name that a sentence shows


@dataclass(frozen=True)
class Request:
    """One source to be read. ``scratch`` is a folder that is removed when the tables are made."""

    engine: Backend
    client: str
    table: str
    source: Source
    root: Path
    scratch: Path
    locale: str = "en"

    def error(self, sentence: str) -> InputError:
        """An error that begins with the client and the table."""
        return InputError(f"{self.client}, {self.table}: {sentence}")

    def require(self, name: str, have: Sequence[str], wanted: Sequence[str]) -> None:
        """Check that a file has all wanted columns.

        Raises
        ------
        InputError
            With one sentence per column it lacks, naming the nearest it has.
        """
        problems = [
            str(self.error(f"'{name}' has no column '{column}'; {_nearest(column, have)}"))
            for column in wanted
            if column not in have
        ]
        if problems:
            raise InputError("\n".join(problems))


def _nearest(column: str, have: Sequence[str]) -> str:
    near = difflib.get_close_matches(column, [name for name in have if len(name) <= _LONGEST_NAME], n=1, cutoff=0.5)
    if near:
        return f"did you mean '{near[0]}'?"
    if _are_values(have):  # which are not shown: they can be somebody's
        return (
            "data stand where its names should: declare in 'header' the line they stand in, or 'header: 0' and 'names'"
        )
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in have[:20]]
    return "it has: " + ", ".join(shown) + (", …" if len(have) > 20 else "")


def _are_values(names: Sequence[str]) -> bool:
    """Whether a row of data was taken for names: an e-mail address among them, or many numbers and dates."""
    values = sum(bool(_VALUE.fullmatch(name)) for name in names)
    return any("@" in name for name in names) or 3 * values >= len(names) > 1


def engine_words(error: Exception) -> str:
    """The first line of an engine's message without what it quotes, which can be the client's values."""
    first = str(error).strip().split("\n")[0]
    return re.sub(r"\"[^\"]*\"|'[^']*'", "…", first)
