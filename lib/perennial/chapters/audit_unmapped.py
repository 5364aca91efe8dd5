"""What chapter 01 says of columns that stand in the client's files and that nothing reads."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pandas as pd

from perennial import formats
from perennial.analysis.unmapped import Opening, openings, unused_columns
from perennial.chapters import phrases
from perennial.language import _, plural
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

CHAPTER = "01_data_audit"
_NAMED = 6  # columns in a sentence; the table and its file have all


def unused(study: "Study") -> pd.DataFrame:
    """Every column that nothing reads, as :func:`perennial.analysis.unmapped.unused_columns`, in words.

    ``files`` is there only where some have it and others not.
    """
    frame = unused_columns(study.audit)
    if (frame["files"] == 1).all():
        frame = frame.drop(columns="files")
    return frame.assign(opens=[_(text) if text else "" for text in frame["opens"]])


def caption(study: "Study") -> Caption:
    """The words around the table of columns that nothing reads."""
    count, could = len(study.unused), len(openings(study.audit))
    text = _("In the files and not used: {names}", names=_named([str(name) for name in study.unused["in_file"]]))
    subtitle = plural("{count} column that nothing reads", "{count} columns that nothing reads", count,
                      count=formats.number(count))  # fmt: skip
    subtitle += _(", with what it could be where its name says so")
    reading = _("Known by their names alone; what stands in them was not read.")
    if could:
        reading += " " + plural("{count} could be mapped as it is.", "{count} could be mapped as they are.", could,
                                count=formats.number(could))  # fmt: skip
    return Caption(text, subtitle, reading)


def _named(names: list[str]) -> str:
    if len(names) <= _NAMED:
        return phrases.listed(names)
    return _("{names} and {count} more", names=", ".join(names[:_NAMED]), count=formats.number(len(names) - _NAMED))


def finding(study: "Study") -> list[Finding]:
    """What could be said with columns that are there already."""
    found = openings(study.audit)
    if not found:
        return []
    parts = [
        _("**{name}** (as {column}: {opens})", name=formats.escape(o.name), column=_canonical(o), opens=_(o.opens))
        for o in found
    ]
    text = _("In the client's files, but not used yet: {parts}. {how}", parts="; ".join(parts), how=_how(found))
    return [
        Finding("audit.unmapped", CHAPTER, text, float(len(found)), unit="columns", importance=0.45, kind="caution",
                figure="audit_unused")
    ]  # fmt: skip


def in_files(study: "Study", table: str) -> str:
    """Which columns of a table that was not given stand in another table's file, and how to map them; or empty."""
    found = [o for o in openings(study.audit) if o.table == table and o.read_as != table]
    if not found:
        return ""
    parts = [
        _("{column} stands in {file} as {name}", column=o.column, file=_file(o), name=formats.escape(o.name))
        for o in found
    ]
    return f"{phrases.listed(parts)}. {_how(found)}"


def _how(found: list[Opening]) -> str:
    """How the parameter file takes them up: of each table the lines to add."""
    return " ".join(
        _lines([opening for opening in found if (opening.table, opening.read_as) == tables])
        for tables in dict.fromkeys((opening.table, opening.read_as) for opening in found)
    )


def _lines(found: list[Opening]) -> str:
    table, other = found[0].table, found[0].read_as
    if table == other:
        named = ", ".join(f"{o.column}: {formats.escape(o.name)}" for o in found)
        return _("To use it, add to sources.{table}.columns: {named}.", table=table, named=named)
    named = ", ".join(f"{o.column}: {formats.escape(o.name)}" for o in found)
    return _(
        "To use it, add sources.{table}, read as sources.{other} is (the same path and customer_id), with {named} "
        "under columns; the first line of each customer counts.",
        table=table, other=other, named=named,
    )  # fmt: skip


def _canonical(opening: Opening) -> str:
    own = opening.table == opening.read_as
    return opening.column if own else f"{opening.table}.{opening.column}"


def _file(opening: Opening) -> str:
    return formats.escape(PurePosixPath(opening.file).name)
