"""What came in, what was removed and what it was worth: counted while the tables are made, kept as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

from perennial.schema import TABLES
from perennial.tables.clean import RuleCount


@dataclass(frozen=True)
class SourceFile:
    """One file as it was read."""

    table: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableFacts:
    """One canonical table after cleaning; dates as ISO text, ``filled`` the share of non-missing values by column."""

    table: str
    raw_rows: int
    rows: int
    customers: int | None
    first: str | None
    last: str | None
    filled: dict[str, float]


@dataclass
class Audit:
    """The record of one preparation. ``warnings`` are sentences for the audit chapter."""

    client: str
    as_of: str
    files: list[SourceFile] = field(default_factory=list)
    rules: list[RuleCount] = field(default_factory=list)
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
            [RuleCount(**item) for item in raw["rules"]],
            [TableFacts(**item) for item in raw["tables"]],
            raw["warnings"],
        )


def describe(table: ir.Table, name: str, raw_rows: int) -> TableFacts:
    """Count a canonical table in one query."""
    clock = TABLES[name].clock
    measures: dict[str, ir.Value] = {"_rows": table.count()}
    if "customer_id" in table.columns:
        measures["_customers"] = table.customer_id.nunique()
    if clock:
        measures |= {"_first": table[clock].min().cast("date"), "_last": table[clock].max().cast("date")}
    filled = [column for column in table.columns if column != "ordered_on"]
    measures |= {f"filled_{column}": table[column].count() for column in filled}
    row = table.aggregate(**measures).to_pyarrow().to_pylist()[0]
    rows = int(row["_rows"])
    return TableFacts(
        name,
        raw_rows,
        rows,
        row.get("_customers"),
        str(row["_first"]) if row.get("_first") else None,
        str(row["_last"]) if row.get("_last") else None,
        {column: (row[f"filled_{column}"] / rows if rows else 0.0) for column in filled},
    )
