"""Headers as words, and how well they fit the names a column is known by."""

import re
import unicodedata
from collections.abc import Iterable

from perennial.headers import HEADERS

OUTRIGHT = 0.75  # of a name's fit: the whole header is one of the names
ABOUT_CUSTOMERS = ("segment", "region", "source")  # what any file with a customer's id can tell of them
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_WORD = re.compile(r"[\W_]+")


def header_words(header: str) -> str:
    """A header as small words parted by blanks, marks and accents' forms made one: ``InvoiceNo`` → ``invoice no``."""
    text = _HUMP.sub(" ", _without_accents(header))
    return _NO_WORD.sub(" ", text).strip().casefold()


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def name_score(header: str, names: tuple[str, ...]) -> float:
    """How well a header fits a list of names, from 0 to 1; earlier names are slightly surer than later ones."""
    words = header_words(header)
    if not words:
        return 0.0
    best = 0.0
    for place, name in enumerate(map(_without_accents, names)):
        early = 1 - 0.25 * place / len(names)
        if words.replace(" ", "") == name.replace(" ", ""):
            best = max(best, early)
        elif _contains(words, name):
            best = max(best, 0.7 * early * (0.5 + 0.5 * len(name) / len(words)))
    return best


def _contains(words: str, name: str) -> bool:
    """Whether all words of a name stand in a header; Chinese has no blanks, so there a part of the text will do."""
    if not name.isascii() and len(name) > 1 and any("\u4e00" <= letter <= "\u9fff" for letter in name):
        return name in words
    return f" {name} " in f" {words} "


def named_outright(header: str, table: str, columns: Iterable[str]) -> str | None:
    """The one of a table's columns that a header is a known name of, not merely made of one; None where none is."""
    scores = {column: name_score(header, names_of(table, column)) for column in columns}
    best = max(scores, key=lambda column: scores[column], default=None)
    return best if best is not None and scores[best] >= OUTRIGHT else None


def names_of(table: str, column: str) -> tuple[str, ...]:
    """The headers a canonical column is known by; a customer is called the same in every table."""
    names = HEADERS[table].get(column, ())
    return names or (HEADERS["transactions"]["customer_id"] if column == "customer_id" else ())
