"""The columns of a source that anything is made of."""

from perennial.parameters import Cleaning, Source


def used_columns(source: Source, cleaning: Cleaning, table: str) -> list[str]:
    """Names in the file: columns mapped, attributes, looked up by, and searched by the rules for order lines."""
    mapped = {name: column.source for name, column in source.columns.items() if column.source is not None}
    used = [*mapped.values(), *source.attributes, *([source.lookup.by] if source.lookup else [])]
    if table == "transactions":
        searched = [cleaning.returns.where, cleaning.test_orders, cleaning.staff,
                    cleaning.pseudo_products, cleaning.guests]  # fmt: skip
        used += [mapped.get(column, column) for patterns in searched for column in patterns]
    return list(dict.fromkeys(used))
