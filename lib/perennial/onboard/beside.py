"""Orders in two files: heads with the customer and the day, and lines with the amounts, sharing an order number."""

from collections.abc import Sequence
from dataclasses import replace

from perennial.onboard.opened import Desk, Opened
from perennial.onboard.roles import read_as
from perennial.tables.files.raw import FILE

_FOUND = 0.9  # share of the lines whose order has a head


def with_heads(desk: Desk, opened: Sequence[Opened]) -> list[Opened]:
    """The files, two of them as one where no file alone holds order lines and two together do.

    The one with every order once is looked up by the other; what a source declares of its layout must hold for both.
    """
    if any(not read_as("transactions", file.profiles, {}).missing for file in opened):
        return list(opened)
    for lines in opened:
        for heads in opened:
            key = _shared_key(lines, heads) if lines is not heads else None
            if key is not None:
                rest = [file for file in opened if file is not lines and file is not heads]
                return [_joined(desk, lines, heads, key), *rest]
    return list(opened)


def _shared_key(lines: Opened, heads: Opened) -> str | None:
    """The column by which the heads give the lines what they lack as order lines; None where there is none."""
    if lines.part.keys != heads.part.keys or len(heads.part.paths) != 1:
        return None
    if read_as("transactions", {**heads.profiles, **lines.profiles}, {}).missing:
        return None
    for name in lines.profiles:
        if name in heads.profiles and heads.profiles[name].is_key and _fits(lines, heads, name):
            return name
    return None


def _fits(lines: Opened, heads: Opened, key: str) -> bool:
    """Whether the heads have every value of the column once, and nearly all those of the lines."""
    known = heads.rows.select(key=heads.rows[key])
    if known.count().execute() != known.key.nunique().execute():
        return False
    wanted = lines.rows.select(key=lines.rows[key])
    return bool(wanted.semi_join(known, "key").count().execute() >= _FOUND * lines.count)


def _joined(desk: Desk, lines: Opened, heads: Opened, key: str) -> Opened:
    added = [name for name in heads.rows.columns if name not in lines.rows.columns and name != FILE]
    both = lines.rows.left_join(heads.rows.select(key, *added), key, rname="")
    kept = both.select(*[lines.rows[name] for name in lines.rows.columns], *[both[name] for name in added])
    rows = desk.keep(kept)
    path = heads.part.paths[0]
    keys = {**lines.part.keys, "lookup": {"path": path, "by": key}}
    note = f"Each line takes the columns it lacks from '{path}', by '{key}'; orders without lines are not counted"
    part = replace(lines.part, name=f"{lines.part.name} with {path}", keys=keys, notes=[*lines.part.notes, note])
    return desk.opened(part, rows)
