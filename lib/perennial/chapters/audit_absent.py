"""What chapter 01 says of what is not there: tables not given, tables not analysed, and what was noted on reading."""

from typing import TYPE_CHECKING

from perennial import formats
from perennial.chapters import audit_unmapped
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

CHAPTER = "01_data_audit"


def _caution(name: str, text: str, value: float | None, unit: str, importance: float, figure: str) -> Finding:
    number = None if value is None else float(value)
    return Finding(
        name, CHAPTER, text, number, unit=unit, importance=round(importance, 3), kind="caution", figure=figure
    )


def warnings(study: "Study") -> list[Finding]:
    """One finding for each thing that was noticed while the tables were made."""
    made = []
    for place, warning in enumerate(study.warnings, 1):
        table, colon, said = warning.rstrip(".").partition(": ")
        text = formats.escape(said[:1].upper() + said[1:] if colon and table == "transactions" else warning.rstrip("."))
        figure = "audit_flags" if len(study.flags) and "customer" in said else "audit_tables"
        made.append(_caution(f"audit.warnings.{place}", f"{text}.", None, "", 0.3, figure))
    return made


def missing(study: "Study") -> list[Finding]:
    """Columns that are there and not used, then tables that were not given, with what each would unlock."""
    made = audit_unmapped.finding(study)
    if study.missing:
        parts = "; ".join(f"**{table}** ({_what(study, table, what)})" for table, what in study.missing.items())
        text = _("Not given, so not measured: {parts}.", parts=parts)
        importance = 0.3 + 0.04 * len(study.missing)
        made.append(_caution("audit.missing", text, len(study.missing), "tables", importance, "audit_tables"))
    return made


def _what(study: "Study", table: str, what: str) -> str:
    return _("{what}; in part it is in the files", what=what) if study.in_files(table) else what


def unused(study: "Study") -> list[Finding]:
    """Tables that came in and that no chapter reads yet: silence about them would look like an answer."""
    given = set(study.tables["table"])
    parts = [what for table, what in _not_yet_read().items() if table in given]
    if not parts:
        return []
    text = _("Given, but not analysed in this report: {parts}.", parts="; ".join(parts))
    return [_caution("audit.unused", text, len(parts), "tables", 0.5, "audit_tables")]


def _not_yet_read() -> dict[str, str]:
    return {
        "contacts": _(
            "what campaigns brought (**contacts**: only their cost is used, hold-out groups are not compared)"
        ),
        "leads": _("the acquisition funnel (**leads**)"),
        "tickets": _("complaints (**tickets**)"),
        "accounts": _("profit and payment of accounts (**accounts**)"),
    }
