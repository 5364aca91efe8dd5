"""Customers known under several ids become one, by a table that says which id stands for which."""

from dataclasses import replace
from pathlib import Path

import ibis
import ibis.expr.types as ir

from perennial.parameters import Merge, Source
from perennial.tables.files import locate
from perennial.tables.files.request import Request
from perennial.tables.pseudonyms import IDS


def merge_customers(rows: ir.Table, request: Request, merge: Merge | None) -> ir.Table:
    """Every customer's id replaced by the one it stands for; ``_merged`` marks rows whose ``customer_id`` changed."""
    if merge is None or not set(IDS) & set(rows.columns):
        return rows
    pairs = list(final_ids(read_pairs(request, merge), request).items())
    small = ibis.memtable(pairs, schema={"_old": "string", "_new": "string"})
    known = request.engine.create_table(f"merged_{request.table}", small, temp=True, overwrite=True)
    for column in [name for name in IDS if name in rows.columns]:
        table = known.view()
        joined = rows.left_join(table, rows[column] == table._old)
        fresh = {column: ibis.coalesce(table._new, rows[column])}
        if column == "customer_id":
            fresh["_merged"] = table._new.notnull()
        rows = joined.select(**{name: rows[name] for name in rows.columns if name not in fresh}, **fresh)
    return request.engine.create_table(f"with_merged_{request.table}", rows, temp=True, overwrite=True)


def read_pairs(request: Request, merge: Merge) -> dict[str, str]:
    """Old id → new id as the file has them; rows without either are passed over.

    Raises
    ------
    InputError
        When a column is missing or one id is to become two.
    """
    from perennial.tables.read import open_files

    place = locate.lookup_place(merge.path, request.root)
    have = open_files(replace(request, source=Source(path=merge.path, columns={})), [place], None).rows
    request.require(Path(merge.path).name, have.columns, [merge.old, merge.new])
    declared = request.source.columns.get("customer_id")
    rows = have.select(old=have[merge.old].cast("string").strip(), new=have[merge.new].cast("string").strip())
    if declared and declared.strip_decimal:
        rows = rows.mutate(**{name: rows[name].re_replace(r"\.0+$", "") for name in ("old", "new")})
    rows = rows.filter((rows.old.length() > 0) & (rows.new.length() > 0) & (rows.old != rows.new)).distinct()
    pairs = [(row["old"], row["new"]) for row in rows.to_pyarrow().to_pylist()]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise request.error(
            f"'{Path(merge.path).name}' gives {len(pairs) - len(found)} ids of '{merge.old}' more than one "
            f"'{merge.new}'; give each id once."
        )
    return found


def final_ids(pairs: dict[str, str], request: Request) -> dict[str, str]:
    """Old id → the id at the end of its chain: a → b and b → c give a → c.

    Raises
    ------
    InputError
        When ids go round in a circle, so that none is the last.
    """
    final: dict[str, str] = {}
    for old in pairs:
        seen = [old]
        while seen[-1] in pairs and seen[-1] not in final:
            seen.append(pairs[seen[-1]])
            if seen[-1] in seen[:-1]:
                raise request.error(
                    f"the ids of cleaning.merge_customers go round in a circle of {len(seen) - 1}: each stands for "
                    "the next, so that none is the one to keep. Remove one of these rows from the file."
                )
        last = final.get(seen[-1], seen[-1])
        final |= dict.fromkeys(seen[:-1], last)
    return final
