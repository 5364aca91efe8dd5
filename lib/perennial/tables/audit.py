"""What came in, what was removed and what it was worth: counted while the tables are made, kept as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from perennial.schema import TABLES

REJECT_COLUMNS = ("table", "file", "line", "column", "text", "reason")


@dataclass(frozen=True)
class SourceFile:
    """One file (sheet, database table) as it was read; ``notes`` are sentences on how."""

    table: str
    path: str
    bytes: int
    sha256: str
    encoding: str = ""
    rows: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RuleCount:
    """What one rule removed from one table; ``money`` is None where the table has no amounts.

    ``rows, customers, money`` are those the rule removed, because no rule before it applied; ``found`` counts all rows
    it applies to, whichever rule removed them. ``below`` is the part of the money on lines below zero.
    """

    table: str
    rule: str
    meaning: str
    rows: int
    customers: int
    money: float | None
    found: int = 0
    below: float = 0.0


@dataclass(frozen=True)
class Flag:
    """Rows that were marked and kept: ``what`` is a short name, ``meaning`` a sentence."""

    table: str
    what: str
    meaning: str
    rows: int
    customers: int
    money: float | None = None


@dataclass(frozen=True)
class ColumnFacts:
    """One mapped column as it was read.

    ``source`` is its name in the file (or the constant), ``format`` how its text was read (a date format, a decimal
    mark), ``given`` the raw rows with any text in it and ``unreadable`` those whose text could not be read.
    """

    table: str
    column: str
    source: str
    kind: str
    format: str
    given: int
    unreadable: int


@dataclass(frozen=True)
class UnusedColumn:
    """A column that nothing is made of: its name, the first file that has it, and how many of the table's files do."""

    table: str
    column: str
    file: str
    files: int


@dataclass(frozen=True)
class TableFacts:
    """One canonical table after cleaning; dates as ISO text, ``filled`` the share of non-missing values by column.

    ``rejects`` are raw rows that no analysis can use because their text cannot be read, with the money on them.
    """

    table: str
    raw_rows: int
    rows: int
    customers: int | None
    first: str | None
    last: str | None
    filled: dict[str, float]
    rejects: int = 0
    rejected_money: float | None = None


@dataclass
class Audit:
    """The record of one preparation. ``warnings`` are sentences for the audit chapter."""

    client: str
    as_of: str
    files: list[SourceFile] = field(default_factory=list)
    columns: list[ColumnFacts] = field(default_factory=list)
    unused: list[UnusedColumn] = field(default_factory=list)
    rules: list[RuleCount] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    tables: list[TableFacts] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def rows(self, table: str) -> TableFacts:
        """The facts of one table that was given."""
        return next(facts for facts in self.tables if facts.table == table)

    def rules_of(self, table: str) -> list[RuleCount]:
        """Rule counts of one table, ``"used"`` first."""
        return [rule for rule in self.rules if rule.table == table]

    @property
    def absent(self) -> list[str]:
        """Canonical tables the client did not give."""
        given = {facts.table for facts in self.tables}
        return [name for name in TABLES if name not in given]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Audit":
        """Read what ``save`` wrote."""
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            raw["client"],
            raw["as_of"],
            [SourceFile(**item) for item in raw["files"]],
            [ColumnFacts(**item) for item in raw["columns"]],
            [UnusedColumn(**item) for item in raw["unused"]],
            [RuleCount(**item) for item in raw["rules"]],
            [Flag(**item) for item in raw["flags"]],
            [TableFacts(**item) for item in raw["tables"]],
            raw["warnings"],
        )


def describe(
    path: Path, name: str, raw_rows: int, customers: int, rejects: int = 0, rejected_money: float | None = None
) -> TableFacts:
    """Facts of a canonical table from what its file says of itself: nothing is read again."""
    file = pq.read_metadata(path)
    groups = [file.row_group(number) for number in range(file.num_row_groups)]
    columns = [file.schema.column(number).name for number in range(file.num_columns)]
    empty = {
        column: sum(group.column(place).statistics.null_count for group in groups)
        for place, column in enumerate(columns)
        if column != "ordered_on"
    }
    rows = file.num_rows
    first, last = _span(groups, columns, TABLES[name].clock)
    return TableFacts(
        name,
        raw_rows,
        rows,
        customers if "customer_id" in columns else None,
        first,
        last,
        {column: ((rows - missing) / rows if rows else 0.0) for column, missing in empty.items()},
        rejects,
        rejected_money,
    )


def _span(groups: list[Any], columns: list[str], clock: str | None) -> tuple[str | None, str | None]:
    """The first and the last day of a table's clock, as ISO text."""
    if clock is None or not groups:
        return None, None
    known = [group.column(columns.index(clock)).statistics for group in groups]
    ends = [(one.min, one.max) for one in known if one.has_min_max]
    if not ends:
        return None, None
    return str(min(end[0] for end in ends))[:10], str(max(end[1] for end in ends))[:10]
