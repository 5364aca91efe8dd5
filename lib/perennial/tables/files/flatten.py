"""Nested and unusual columns → plain ones: a structure's fields get dotted names, lists become text."""

from collections.abc import Iterator

import ibis.expr.types as ir

from perennial.tables.files.together import unique_names


def flat(rows: ir.Table) -> ir.Table:
    """A table whose columns are text, numbers, flags, dates or timestamps.

    A structure's fields become columns named ``customer.id``, at every depth; lists, maps and types that only some
    formats have become text.
    """
    fields = [field for name in rows.columns for field in _fields(name, rows[name])]
    names = unique_names([name for name, _ in fields])  # a key may itself hold a dot
    return rows.select(**{name: column for name, (_, column) in zip(names, fields, strict=True)})


def _fields(name: str, column: ir.Value) -> Iterator[tuple[str, ir.Value]]:
    kind = column.type()
    if kind.is_struct():
        for field in kind.names:
            yield from _fields(f"{name}.{field}", column[field])
    elif kind.is_string() or kind.is_numeric() or kind.is_boolean() or kind.is_date() or kind.is_timestamp():
        yield name, column
    else:
        yield name, column.cast("string")
