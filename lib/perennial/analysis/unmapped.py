"""Columns of a client's files that nothing reads, although their names say what they could be."""

from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from perennial.header_words import ABOUT_CUSTOMERS, OUTRIGHT, name_score, names_of
from perennial.schema import COLUMN_UNLOCKS
from perennial.tables.audit import Audit, UnusedColumn


@dataclass(frozen=True)
class Opening:
    """A column that could be mapped: ``name`` in ``file``, to ``column`` of the canonical ``table``.

    ``read_as`` is the table that the file is read as already.
    """

    name: str
    file: str
    read_as: str
    table: str
    column: str

    @property
    def opens(self) -> str:
        """What the report could then say."""
        return COLUMN_UNLOCKS[self.table][self.column]


def openings(audit: Audit) -> list[Opening]:
    """What could be mapped without asking the client for anything, each canonical column at most once."""
    found: dict[tuple[str, str], tuple[float, Opening]] = {}
    mapped = {(facts.table, facts.column) for facts in audit.columns}
    for unused in audit.unused:
        for table, column in _free(unused, mapped):
            score = name_score(unused.column, names_of(table, column))
            if score >= OUTRIGHT and score > found.get((table, column), (0.0, None))[0]:
                opening = Opening(unused.column, unused.file, unused.table, table, column)
                found[table, column] = score, opening
    return _one_each([opening for _, opening in sorted(found.values(), key=lambda pair: -pair[0])])


def _free(unused: UnusedColumn, mapped: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Canonical columns of the file's own table, and of customers, that nothing is mapped to."""
    own = [(unused.table, column) for column in COLUMN_UNLOCKS.get(unused.table, {})]
    theirs = [("customers", column) for column in ABOUT_CUSTOMERS] if (unused.table, "customer_id") in mapped else []
    return [place for place in dict.fromkeys([*own, *theirs]) if place not in mapped]


def _one_each(found: list[Opening]) -> list[Opening]:
    """A column of the file stands for one canonical column: the one its name fits best."""
    kept: dict[tuple[str, str], Opening] = {}
    for opening in found:
        kept.setdefault((opening.file, opening.name), opening)
    return list(kept.values())


def unused_columns(audit: Audit) -> pd.DataFrame:
    """``in_file, could_be, opens, file, files``: every column that nothing reads, those that could be mapped first.

    ``could_be`` is a canonical column, such as ``customers.region``; it and ``opens`` are empty where the name says
    nothing.
    """
    could = {(opening.read_as, opening.name): opening for opening in openings(audit)}
    rows = []
    for unused in audit.unused:
        opening = could.get((unused.table, unused.column))
        target, opens = (f"{opening.table}.{opening.column}", opening.opens) if opening else ("", "")
        rows.append((unused.column, target, opens, PurePosixPath(unused.file).name, unused.files))
    frame = pd.DataFrame(rows, columns=["in_file", "could_be", "opens", "file", "files"]).astype({"files": "int64"})
    return frame.sort_values("could_be", key=lambda names: names == "", kind="stable", ignore_index=True)
