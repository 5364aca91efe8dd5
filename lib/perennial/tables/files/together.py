"""Several files, sheets or tables → the rows of one source: every part has what is mapped, other columns may differ."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir

from perennial.tables.files.raw import FILE, Raw, ReadFile, Reject
from perennial.tables.files.request import Request


def needed_columns(request: Request, wanted: Sequence[str] | None) -> list[str]:
    """The columns every part must have: those wanted, or where all are, those that are mapped without a lookup."""
    if wanted is not None:
        return list(wanted)
    if request.source.lookup:  # which of the mapped columns the lookup brings is known only when both are open
        return []
    mapped = [column.source for column in request.source.columns.values() if column.source is not None]
    return list(dict.fromkeys([*mapped, *request.source.attributes]))


def number_of(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def some_of(names: Sequence[str], most: int = 10) -> str:
    """Names as a list for a sentence, the first few of many."""
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def unique_names(names: Sequence[str]) -> list[str]:
    """The names with those that occur again numbered; capitals make no difference, as the engine makes none."""
    taken = {FILE}
    unique = []
    for name in names:
        fresh, number = name, 1
        while fresh.casefold() in taken:
            fresh, number = f"{name}_{number}", number + 1
        taken.add(fresh.casefold())
        unique.append(fresh)
    return unique


def numbered_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names, no two alike, and a sentence for the audit where some had to be numbered."""
    unique = unique_names(names)
    repeated = [name for name, before in zip(unique, names, strict=True) if name != before]
    return unique, [f"Column names that occur twice were numbered: {some_of(repeated)}."] if repeated else []


def one_table(parts: Sequence[tuple[ReadFile, ir.Table]], malformed: Callable[[], list[Reject]] = list) -> Raw:
    """All parts one below the other, numbered in ``_file``; a column that a part lacks is NULL there and noted."""
    names = list(dict.fromkeys(name for _, rows in parts for name in rows.columns))
    types = {name: _common_type([rows[name] for _, rows in parts if name in rows.columns]) for name in names}
    tables, files = [], []
    for number, (file, rows) in enumerate(parts):
        columns: dict[str, ir.Value] = {
            name: rows[name].cast(types[name]) if name in rows.columns else ibis.null(types[name]) for name in names
        }
        tables.append(rows.select(**columns, **{FILE: ibis.literal(number, "int32")}))
        lacking = [name for name in names if name not in rows.columns]
        note = f"It lacks {some_of(lacking)}, which other files of the source have; these are empty for its rows."
        files.append(replace(file, notes=(*file.notes, note)) if lacking else file)
    return Raw(stack(tables), files, malformed)


def stack(tables: Sequence[ir.Table]) -> ir.Table:
    """Tables of the same columns one below the other, in their order: ``ibis.union`` moves an odd last one up."""
    if len(tables) == 1:
        return tables[0]
    half = len(tables) // 2  # not one by one: hundreds of files would nest too deeply
    return stack(tables[:half]).union(stack(tables[half:]))


def _common_type(columns: Sequence[ir.Value]) -> ibis.DataType:
    """The type the parts agree on; text where they do not."""
    types = {column.type().copy(nullable=True) for column in columns}
    return types.pop() if len(types) == 1 else ibis.dtype("string")
