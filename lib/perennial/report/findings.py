"""What chapters leave beside their pictures: findings, facts and data files in a run's folder."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.spreadsheets import write_csv
from perennial.statements import Finding

if TYPE_CHECKING:  # the command line reads findings without waiting for pandas
    import pandas as pd


def write_findings(findings: Iterable[Finding], path: Path) -> None:
    """Findings as a JSON list."""
    write_json([finding.to_dict() for finding in findings], path)


def read_findings(folder: Path) -> list[Finding]:
    """Findings of every chapter in ``<output>/findings/`` (or of one ``findings.json``), in chapter order."""
    files = [folder] if folder.suffix == ".json" else sorted(folder.glob("*.json"))
    return [Finding(**row) for file in files for row in read_json(file)]


def ranked(findings: Iterable[Finding], most: int, kind: str = "finding") -> list[Finding]:
    """The most important findings of one kind, at most ``most``; equal ones in chapter order."""
    chosen = [finding for finding in findings if finding.kind == kind]
    return sorted(chosen, key=lambda finding: (-finding.importance, finding.chapter))[:most]


def write_facts(facts: dict[str, Any], path: Path) -> None:
    """Totals that every chapter must agree on; money to the cent, as text."""
    write_json({name: _to_the_cent(value) for name, value in facts.items()}, path)


def _to_the_cent(value: Any) -> int | str | None:
    if value is None or isinstance(value, int):
        return value
    if hasattr(value, "is_integer") and type(value).__name__.startswith(("int", "uint")):
        return int(value)
    return str(Decimal(str(value)).quantize(Decimal("0.01")))


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """The frame behind a chart or table as CSV; see :func:`perennial.spreadsheets.write_csv`."""
    from perennial.report.blocks import flat

    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(flat(frame), path)


def write_json(value: Any, path: Path) -> None:
    """Indented UTF-8 JSON, keys as given; NaN is not JSON and becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(without_nan(value), ensure_ascii=False, indent=1, default=str, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def without_nan(value: Any) -> Any:
    """Plain values that JSON can hold: NaN and infinity become None, numpy's numbers Python's."""
    if isinstance(value, dict):
        return {str(key): without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    if hasattr(value, "item") and not isinstance(value, str):  # numpy scalars
        value = value.item()
    return None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value
