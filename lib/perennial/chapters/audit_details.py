"""The words around what chapter 01 says of files, columns, rules, marks and what could not be read."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis.reconciliation import in_short
from perennial.chapters import audit_unmapped, phrases
from perennial.chapters import audit_words as words
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

SHOWN_REJECTS = 10


def captions(study: "Study") -> dict[str, Caption]:
    """The words around the tables of details, by name."""
    return {
        "audit_files": _files(study),
        "audit_columns": _columns(study),
        "audit_unused": audit_unmapped.caption(study),
        "audit_flags": _flags(study),
        "audit_rejects": _rejects(study),
        "audit_reject_examples": _examples(study),
        "audit_rules": _rules(study),
    }


def reject_examples(study: "Study") -> pd.DataFrame:
    """The first of each reason: ``table, file, line, column, text, reason``, at most ten in all."""
    each = max(1, SHOWN_REJECTS // max(1, len(study.reject_reasons)))
    groups = in_short(study.rejects).groupby(["table", "column", "reason"], sort=False, dropna=False)
    return groups.head(each).head(SHOWN_REJECTS).reset_index(drop=True)


def _files(study: "Study") -> Caption:
    count = len(study.files)
    text = plural("{count} file was read", "{count} files were read", count, count=formats.number(count))
    encodings = sorted({name.split(" (")[0] for name in study.files["encoding"] if name})
    if encodings:
        text += _(", as {names}", names=phrases.listed(encodings))
    subtitle = _("How each file was read: its encoding, its rows, and what was noted on its layout")
    return Caption(text, subtitle, _("Digests of all files stand under Provenance."))


def _columns(study: "Study") -> Caption:
    bad = int((study.columns["unreadable"] > 0).sum())
    thin = int((study.columns["given_share"] < 1).sum())
    text = _("Every mapped column is full, and all of it could be read")
    if bad:
        text = plural("{count} column holds text that cannot be read", "{count} columns hold text that cannot be read",
                      bad, count=formats.number(bad))  # fmt: skip
    elif thin:
        text = plural("All columns can be read; {count} is not full", "All columns can be read; {count} are not full",
                      thin, count=formats.number(thin))  # fmt: skip
    subtitle = _("Mapped columns: name in the file, how text was read, share of rows with any text, entries unreadable")
    reading = _("The most doubtful stand first.")
    return Caption(text, subtitle, words.source_of_raw(study), reading if bad or thin else "")


def _flags(study: "Study") -> Caption:
    count = len(study.flags)
    text = plural("{count} kind of row is marked, not removed", "{count} kinds of rows are marked, not removed", count,
                  count=formats.number(count))  # fmt: skip
    if not count:
        text = _("No row had to be marked")
    return Caption(
        text,
        _("Rows, customers and money by mark, among all rows as they arrived unless said otherwise"),
        words.source_of_raw(study),
    )


def _rejects(study: "Study") -> Caption:
    rows = int(study.reject_reasons["rows"].sum()) if len(study.reject_reasons) else 0
    text = _("Everything could be read")
    if rows:
        one, many = "{count} entry could not be used as it stands", "{count} entries could not be used as they stand"
        text = plural(one, many, rows, count=formats.number(rows))
    subtitle = _("Lines and cells by table, column and reason, with the file and line of the first")
    return Caption(text, subtitle, _("All of them with their line numbers: data/rejects.csv."))


def _examples(study: "Study") -> Caption:
    return Caption(_("The first of each kind"), _("Where they stand in the client's own file, and what stands there"))


def _rules(study: "Study") -> Caption:
    text = _("The rules for order lines, in the order they apply")
    subtitle = _("What each removes, what happens where nothing is declared, and the setting that changes it")
    more = _("“Applies to” counts every line of the kind, kept or removed; “not looked for” where no setting or "
             "column names the kind.")  # fmt: skip
    return Caption(text, subtitle, f"{words.source_of_raw(study)} {more}")


def rule_formats(study: "Study") -> dict[str, Callable[[Any], str]]:
    """How the columns of the table of rules become text: a rule that nothing asks for has not found zero lines."""
    count = words.table_formats(study)["found"]
    return {**words.table_formats(study), "found": lambda value: count(value) or _("not looked for")}
